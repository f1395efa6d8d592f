//! `time`: a time of day, with or without a zone.
use std::sync::atomic::{AtomicU8, Ordering::Relaxed};

use krait_macros::{Payload, Trace};
use krait_object::native::{class_method, getter, method};
use krait_object::{
    Args, Bytes, ClassDef, CmpOp, GetSet, Method, PyResult, Ref, SlotDefs, Thread, Tuple, Type, TypeObject, VTable,
    Value, ValueCell, builtin_types::OBJECT, hash, type_flag,
};
use krait_runtime::errors::{type_error, value_error};
use krait_runtime::protocol::{attr, number, repr};
use krait_runtime::types::type_::full_name;

use super::calendar::Clock;
use super::date::{class_of, format, invalid_iso, iso_argument, pickled};
use super::delta::Delta;
use super::{iso_parse, strftime, timezone, tzinfo};
use crate::arguments::{Parameters, construct, text};

#[derive(Trace, Payload)]
#[payload(class = TIME)]
pub struct Time {
    #[trace(skip)]
    pub clock: Clock,
    #[trace(skip)]
    fold: AtomicU8,
    tzinfo: ValueCell,
}
static LAYOUT: VTable = VTable::of::<Time>();
pub static TIME: TypeObject = TypeObject::builtin("time", Some(&OBJECT), &LAYOUT);

pub static DEF: ClassDef = ClassDef {
    module: "datetime",
    doc: "time([hour[, minute[, second[, microsecond[, tzinfo]]]]]) --> a time object\n\nAll arguments are optional. tzinfo may be None, or an instance of\na tzinfo subclass. The remaining arguments may be ints.",
    methods: METHODS,
    getset: GETSET,
    slots: SlotDefs {
        new: Some(new),
        repr: Some(show),
        str: Some(|th, v| attr::call_method(th, v, "isoformat", &[])),
        hash: Some(hash_slot),
        compare: Some(compare),
        ..SlotDefs::EMPTY
    },
    flags: type_flag::BASE | type_flag::HAVE_GC,
    attributes: Some(|_| {
        let end = Clock { hour: 23, minute: 59, second: 59, micro: 999_999 };
        vec![
            ("min", Time::value(Clock::default(), Value::NONE, 0)),
            ("max", Time::value(end, Value::NONE, 0)),
            ("resolution", Delta { days: 0, seconds: 0, micros: 1 }.value()),
        ]
    }),
    ..ClassDef::new(&TIME)
};
static METHODS: &[Method] = &[
    method(
        "isoformat",
        "(timespec='auto')",
        "Return string in ISO 8601 format, [HH[:MM[:SS[.mmm[uuu]]]]][+HH:MM].\n\nThe optional argument timespec specifies the number of additional terms\nof the time to include. Valid options are 'auto', 'hours', 'minutes',\n'seconds', 'milliseconds' and 'microseconds'.",
        |th, a| {
            let timespec = timespec(th, a.opt(1), 1)?;
            let t = a.this::<Time>();
            let Some(mut out) = strftime::clock(t.clock, &timespec) else {
                return Err(value_error(th, "Unknown timespec value"));
            };
            if let Some(d) = tzinfo::utcoffset(th, &t.tzinfo(), &Value::NONE)? {
                out += &strftime::offset(d, ":");
            }
            Ok(out.into())
        },
    ),
    method("strftime", "(format)", "format -> strftime() style string.", |th, a| {
        let format = text(th, &a[1], "strftime()", 1)?;
        let c = a.this::<Time>().clock;
        let fields = [1900, 1, 1, c.hour, c.minute, c.second, 0, 1, -1].map(Value::from);
        strftime::wrap(th, &a[0], format, &Tuple::new(fields).into())
    }),
    method("__format__", "(format_spec, /)", "Formats self with strftime.", format),
    method("utcoffset", "()", "Return self.tzinfo.utcoffset(self).", |th, a| {
        tzinfo::ask(th, &a.this::<Time>().tzinfo(), "utcoffset", &Value::NONE)
    }),
    method("tzname", "()", "Return self.tzinfo.tzname(self).", |th, a| {
        tzinfo::tzname(th, &a.this::<Time>().tzinfo(), &Value::NONE)
    }),
    method("dst", "()", "Return self.tzinfo.dst(self).", |th, a| {
        tzinfo::ask(th, &a.this::<Time>().tzinfo(), "dst", &Value::NONE)
    }),
    method(
        "replace",
        "(hour=unchanged, minute=unchanged, second=unchanged, microsecond=unchanged, tzinfo=unchanged, *, fold=unchanged)",
        "Return time with new specified fields.",
        |th, a| replace(th, a, &REPLACE),
    )
    .raw(),
    method("__replace__", "(**changes)", "The same as replace().", |th, a| replace(th, a, &DUNDER_REPLACE)).raw(),
    class_method("fromisoformat", "(object, /)", "Construct a time from a string in ISO 8601 format.", from_iso),
    method("__reduce_ex__", "(proto)", "__reduce_ex__(proto) -> (cls, state)", |th, a| {
        let protocol = number::to_i32(th, &a[1])?;
        Ok(reduce(&a[0], protocol))
    }),
    method("__reduce__", "()", "__reduce__() -> (cls, state)", |_, a| Ok(reduce(&a[0], 2))),
];
static GETSET: &[GetSet] = &[
    getter("hour", "", |_, v| Ok(Time::of(v).clock.hour.into())),
    getter("minute", "", |_, v| Ok(Time::of(v).clock.minute.into())),
    getter("second", "", |_, v| Ok(Time::of(v).clock.second.into())),
    getter("microsecond", "", |_, v| Ok(Time::of(v).clock.micro.into())),
    getter("tzinfo", "", |_, v| Ok(Time::of(v).tzinfo())),
    getter("fold", "", |_, v| Ok(Time::of(v).fold().into())),
];

impl Time {
    pub fn of(v: &Value) -> &Time {
        v.downcast_ref().expect("the slot belongs to time")
    }
    pub fn tzinfo(&self) -> Value {
        self.tzinfo.get().unwrap_or(Value::NONE)
    }
    pub fn fold(&self) -> u8 {
        self.fold.load(Relaxed)
    }
    fn payload(clock: Clock, zone: Value, fold: u8) -> Time {
        Time { clock, fold: AtomicU8::new(fold), tzinfo: ValueCell::new(Some(zone).filter(|z| !z.is_none())) }
    }
    /// An exact time; everything is in range.
    pub fn value(clock: Clock, zone: Value, fold: u8) -> Value {
        Ref::new(Time::payload(clock, zone, fold)).into()
    }
}
/// The timespec argument of `isoformat`.
pub fn timespec(th: &mut Thread, v: Option<&Value>, place: usize) -> PyResult<String> {
    match v {
        Some(v) => Ok(text(th, v, "isoformat()", place)?.to_string_lossy().into_owned()),
        None => Ok("auto".into()),
    }
}
pub fn check(th: &mut Thread, c: Clock, fold: i32) -> PyResult<()> {
    let message = if !(0..24).contains(&c.hour) {
        "hour must be in 0..23"
    } else if !(0..60).contains(&c.minute) {
        "minute must be in 0..59"
    } else if !(0..60).contains(&c.second) {
        "second must be in 0..59"
    } else if !(0..1_000_000).contains(&c.micro) {
        "microsecond must be in 0..999999"
    } else if !(0..2).contains(&fold) {
        "fold must be either 0 or 1"
    } else {
        return Ok(());
    };
    Err(value_error(th, message))
}
pub fn from_state(b: &[u8]) -> Clock {
    let micro = i32::from(b[3]) << 16 | i32::from(b[4]) << 8 | i32::from(b[5]);
    Clock { hour: b[0].into(), minute: b[1].into(), second: b[2].into(), micro }
}
pub fn state(c: Clock) -> [u8; 6] {
    let us = c.micro;
    [c.hour as u8, c.minute as u8, c.second as u8, (us >> 16) as u8, (us >> 8) as u8, us as u8]
}

static PARAMETERS: Parameters<6> = Parameters {
    function: "function",
    names: ["hour", "minute", "second", "microsecond", "tzinfo", "fold"],
    required: 0,
    positional: 5,
};
static REPLACE: Parameters<6> = Parameters {
    function: "replace()",
    names: ["hour", "minute", "second", "microsecond", "tzinfo", "fold"],
    required: 0,
    positional: 5,
};
static DUNDER_REPLACE: Parameters<6> = Parameters {
    function: "__replace__()",
    names: ["hour", "minute", "second", "microsecond", "tzinfo", "fold"],
    required: 0,
    positional: 0,
};

/// Hour to microsecond and fold as given, or as they were.
fn fields(th: &mut Thread, given: [Option<&Value>; 6], old: (Clock, i32)) -> PyResult<(Clock, i32)> {
    let (c, fold) = old;
    let mut out = [c.hour, c.minute, c.second, c.micro, 0, fold];
    for i in [0, 1, 2, 3, 5] {
        if let Some(v) = given[i] {
            out[i] = number::to_i32(th, v)?;
        }
    }
    Ok((Clock { hour: out[0], minute: out[1], second: out[2], micro: out[3] }, out[5]))
}
fn new(th: &mut Thread, class: &Ref<Type>, args: &Args<'_>) -> PyResult<Value> {
    if let [first, rest @ ..] = args.pos()
        && rest.len() < 2
        && !args.has_kw()
        && let Some(mut bytes) = pickled::<6>(th, first, "time", |s| s[0] & 0x7F < 24)?
    {
        let zone = rest.first().cloned().unwrap_or(Value::NONE);
        if !zone.is_none() && zone.downcast_ref::<tzinfo::TzInfo>().is_none() {
            return Err(type_error(th, "bad tzinfo state arg"));
        }
        let fold = bytes[0] >> 7;
        bytes[0] &= 0x7F;
        return Ok(Ref::with_class(Time::payload(from_state(&bytes), zone, fold), class.object()).into());
    }
    let given = PARAMETERS.bind(th, args)?;
    let (clock, fold) = fields(th, given, (Clock::default(), 0))?;
    let zone = given[4].cloned().unwrap_or(Value::NONE);
    check(th, clock, fold)?;
    tzinfo::check(th, &zone)?;
    Ok(Ref::with_class(Time::payload(clock, zone, fold as u8), class.object()).into())
}
/// A time of `class`, through its constructor where it is not `time` itself.
fn make(th: &mut Thread, class: &Ref<Type>, c: Clock, zone: Value, fold: i32) -> PyResult<Value> {
    if class.is(&TIME) {
        check(th, c, fold)?;
        tzinfo::check(th, &zone)?;
        return Ok(Time::value(c, zone, fold as u8));
    }
    let made = construct(th, class, &[c.hour.into(), c.minute.into(), c.second.into(), c.micro.into(), zone])?;
    if let Some(t) = made.downcast_ref::<Time>() {
        t.fold.store(fold as u8, Relaxed);
    }
    Ok(made)
}
fn replace(th: &mut Thread, a: &Args<'_>, parameters: &Parameters<6>) -> PyResult<Value> {
    let t = a.this::<Time>();
    let given = parameters.bind(th, &a.skip_first())?;
    let (clock, fold) = fields(th, given, (t.clock, t.fold().into()))?;
    let zone = given[4].cloned().unwrap_or_else(|| t.tzinfo());
    if !(0..2).contains(&fold) {
        return Err(value_error(th, "fold must be either 0 or 1"));
    }
    make(th, &a[0].class_ref(), clock, zone, fold)
}
/// The zone of a parsed offset.
pub fn zone_of(th: &mut Thread, offset: Option<(i32, i32)>) -> PyResult<Value> {
    match offset {
        None => Ok(Value::NONE),
        Some((seconds, micros)) => {
            timezone::create_checked(th, &Delta::of_seconds(seconds.into(), micros.into()).value(), None)
        }
    }
}
fn from_iso(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let text = iso_argument(th, &a[1])?;
    let parsed = text.as_ascii().map(|t| t.strip_prefix('T').unwrap_or(t)).and_then(|t| iso_parse::time(t.as_bytes()));
    let Some(parsed) = parsed else { return Err(invalid_iso(th, &a[1])) };
    let zone = zone_of(th, parsed.offset)?;
    make(th, &class_of(a), parsed.clock, zone, 0)
}
fn reduce(v: &Value, protocol: i32) -> Value {
    let t = Time::of(v);
    let mut bytes = state(t.clock);
    if protocol > 3 {
        bytes[0] |= t.fold() << 7;
    }
    let mut args = vec![Bytes::new(&bytes).into()];
    args.extend(Some(t.tzinfo()).filter(|z| !z.is_none()));
    Tuple::of([v.class_ref().into(), Tuple::from_vec(args).into()]).into()
}

fn show(th: &mut Thread, v: &Value) -> PyResult<Value> {
    let t = Time::of(v);
    let c = t.clock;
    let mut out = format!("{}({}, {}", full_name(&v.class_ref()), c.hour, c.minute);
    if c.second != 0 || c.micro != 0 {
        out += &format!(", {}", c.second);
    }
    if c.micro != 0 {
        out += &format!(", {}", c.micro);
    }
    finish_repr(th, out, t.tzinfo(), t.fold())
}
/// Ends the repr of a time or datetime.
pub fn finish_repr(th: &mut Thread, text: String, zone: Value, fold: u8) -> PyResult<Value> {
    let mut out = krait_object::StrBuilder::new();
    out.push_text(&text);
    if !zone.is_none() {
        out.push_text(", tzinfo=");
        out.push_str(&*repr::repr(th, &zone)?);
    }
    if fold != 0 {
        out.push_text(", fold=1");
    }
    out.push_text(")");
    Ok(out.finish().into())
}
fn hash_slot(th: &mut Thread, v: &Value) -> PyResult<i64> {
    let t = Time::of(v);
    Ok(match tzinfo::utcoffset(th, &t.tzinfo(), &Value::NONE)? {
        None => hash::bytes(&state(t.clock)),
        Some(d) => hash::int(t.clock.micros() - d.total() as i64),
    })
}
fn compare(th: &mut Thread, a: &Value, b: &Value, op: CmpOp) -> PyResult<Value> {
    let (Some(x), Some(y)) = (a.downcast_ref::<Time>(), b.downcast_ref::<Time>()) else {
        return Ok(Value::NOT_IMPLEMENTED);
    };
    let (zone, other) = (x.tzinfo(), y.tzinfo());
    if zone.is(&other) {
        return Ok(op.of(x.clock.cmp(&y.clock)).into());
    }
    let offset = tzinfo::utcoffset(th, &zone, &Value::NONE)?;
    match (offset, tzinfo::utcoffset(th, &other, &Value::NONE)?) {
        (p, q) if p == q => Ok(op.of(x.clock.cmp(&y.clock)).into()),
        (Some(p), Some(q)) => {
            let of = |c: Clock, d: Delta| i128::from(c.micros()) - d.total();
            Ok(op.of(of(x.clock, p).cmp(&of(y.clock, q))).into())
        }
        _ => match op {
            CmpOp::Eq => Ok(Value::FALSE),
            CmpOp::Ne => Ok(Value::TRUE),
            _ => Err(type_error(th, "can't compare offset-naive and offset-aware times")),
        },
    }
}
