//! `datetime`: construction, attributes, text. Class methods that make one of something else are in `datetime_class`,
//! comparison and arithmetic in `datetime_arith`.
use std::sync::atomic::{AtomicU8, Ordering::Relaxed};

use krait_macros::{Payload, Trace};
use krait_object::native::{class_method, getter, method};
use krait_object::{
    Args, Bytes, ClassDef, GetSet, Method, PyResult, Ref, SlotDefs, Str, Thread, Tuple, Type, TypeObject, VTable,
    Value, ValueCell, type_flag,
};
use krait_runtime::errors::{type_error, value_error};
use krait_runtime::protocol::{attr, number};
use krait_runtime::types::type_::full_name;

use super::calendar::{Clock, MAX_YEAR, MIN_YEAR, Ymd};
use super::date::{self, DATE, Date, pickled};
use super::delta::Delta;
use super::time::{self, Time, finish_repr, timespec};
use super::{datetime_arith as arith, datetime_class, local, strftime, tzinfo};
use crate::arguments::{Parameters, class_name, construct};

#[derive(Trace, Payload)]
#[repr(C)]
#[payload(class = DATETIME, extends = Date)]
pub struct DateTime {
    base: Date,
    #[trace(skip)]
    pub clock: Clock,
    #[trace(skip)]
    fold: AtomicU8,
    tzinfo: ValueCell,
}
static LAYOUT: VTable = VTable::of::<DateTime>();
pub static DATETIME: TypeObject = TypeObject::builtin("datetime", Some(&DATE), &LAYOUT);

pub static DEF: ClassDef = ClassDef {
    module: "datetime",
    doc: "datetime(year, month, day[, hour[, minute[, second[, microsecond[,tzinfo]]]]])\n\nThe year, month and day arguments are required. tzinfo may be None, or an\ninstance of a tzinfo subclass. The remaining arguments may be ints.",
    methods: METHODS,
    getset: GETSET,
    slots: SlotDefs {
        new: Some(new),
        repr: Some(show),
        str: Some(|th, v| attr::call_method(th, v, "isoformat", &[" ".into()])),
        hash: Some(arith::hash_slot),
        compare: Some(arith::compare),
        add: Some(arith::add),
        subtract: Some(arith::subtract),
        ..SlotDefs::EMPTY
    },
    flags: type_flag::BASE | type_flag::HAVE_GC,
    attributes: Some(|_| {
        let last = Ymd { year: MAX_YEAR, month: 12, day: 31 };
        let end = Clock { hour: 23, minute: 59, second: 59, micro: 999_999 };
        let first = Ymd { year: MIN_YEAR, month: 1, day: 1 };
        vec![
            ("min", DateTime::value(first, Clock::default(), Value::NONE, 0)),
            ("max", DateTime::value(last, end, Value::NONE, 0)),
            ("resolution", Delta { days: 0, seconds: 0, micros: 1 }.value()),
        ]
    }),
    ..ClassDef::new(&DATETIME)
};
static METHODS: &[Method] = &[
    class_method(
        "now",
        "(tz=None)",
        "Returns new datetime object representing current time local to tz.\n\n  tz\n    Timezone object.\n\nIf no tz is specified, uses local timezone.",
        datetime_class::now,
    ),
    class_method("utcnow", "()", "Return a new datetime representing UTC day and time.", datetime_class::utcnow),
    class_method(
        "fromtimestamp",
        "(timestamp, tz=None)",
        "timestamp[, tz] -> tz's local time from POSIX timestamp.",
        datetime_class::from_timestamp,
    ),
    class_method(
        "utcfromtimestamp",
        "(timestamp, /)",
        "Construct a naive UTC datetime from a POSIX timestamp.",
        datetime_class::utc_from_timestamp,
    ),
    class_method(
        "strptime",
        "(date_string, format, /)",
        "string, format -> new datetime parsed from a string (like time.strptime()).",
        datetime_class::strptime,
    ),
    class_method(
        "combine",
        "(date, time, tzinfo=None)",
        "date, time -> datetime with same date and time fields",
        datetime_class::combine,
    ),
    class_method(
        "fromisoformat",
        "(object, /)",
        "string -> datetime from a string in most ISO 8601 formats",
        datetime_class::from_iso,
    ),
    method("date", "()", "Return date object with same year, month and day.", |_, a| {
        Ok(Date::value(a.this::<DateTime>().ymd()))
    }),
    method("time", "()", "Return time object with same time but with tzinfo=None.", |_, a| {
        let d = a.this::<DateTime>();
        Ok(Time::value(d.clock, Value::NONE, d.fold()))
    }),
    method("timetz", "()", "Return time object with same time and tzinfo.", |_, a| {
        let d = a.this::<DateTime>();
        Ok(Time::value(d.clock, d.tzinfo(), d.fold()))
    }),
    method("ctime", "()", "Return ctime() style string.", |_, a| {
        let d = a.this::<DateTime>();
        Ok(strftime::ctime(d.ymd(), d.clock).into())
    }),
    method("timetuple", "()", "Return time tuple, compatible with time.localtime().", timetuple),
    method("timestamp", "()", "Return POSIX timestamp as float.", arith::timestamp),
    method("utctimetuple", "()", "Return UTC time tuple, compatible with time.localtime().", arith::utc_timetuple),
    method(
        "isoformat",
        "(sep='T', timespec='auto')",
        "[sep] -> string in ISO 8601 format, YYYY-MM-DDT[HH[:MM[:SS[.mmm[uuu]]]]][+HH:MM].\nsep is used to separate the year from the time, and defaults to 'T'.\nThe optional argument timespec specifies the number of additional terms\nof the time to include. Valid options are 'auto', 'hours', 'minutes',\n'seconds', 'milliseconds' and 'microseconds'.",
        isoformat,
    ),
    method("utcoffset", "()", "Return self.tzinfo.utcoffset(self).", |th, a| {
        tzinfo::ask(th, &a.this::<DateTime>().tzinfo(), "utcoffset", &a[0])
    }),
    method("tzname", "()", "Return self.tzinfo.tzname(self).", |th, a| {
        tzinfo::tzname(th, &a.this::<DateTime>().tzinfo(), &a[0])
    }),
    method("dst", "()", "Return self.tzinfo.dst(self).", |th, a| {
        tzinfo::ask(th, &a.this::<DateTime>().tzinfo(), "dst", &a[0])
    }),
    method(
        "replace",
        "(year=unchanged, month=unchanged, day=unchanged, hour=unchanged, minute=unchanged, second=unchanged, microsecond=unchanged, tzinfo=unchanged, *, fold=unchanged)",
        "Return datetime with new specified fields.",
        |th, a| replace(th, a, &REPLACE),
    )
    .raw(),
    method("__replace__", "(**changes)", "The same as replace().", |th, a| replace(th, a, &DUNDER_REPLACE)).raw(),
    method("astimezone", "(tz=None)", "tz -> convert to local time in new timezone tz", arith::astimezone),
    method("__reduce_ex__", "(proto)", "__reduce_ex__(proto) -> (cls, state)", |th, a| {
        let protocol = number::to_i32(th, &a[1])?;
        Ok(reduce(&a[0], protocol))
    }),
    method("__reduce__", "()", "__reduce__() -> (cls, state)", |_, a| Ok(reduce(&a[0], 2))),
];
static GETSET: &[GetSet] = &[
    getter("hour", "", |_, v| Ok(DateTime::of(v).clock.hour.into())),
    getter("minute", "", |_, v| Ok(DateTime::of(v).clock.minute.into())),
    getter("second", "", |_, v| Ok(DateTime::of(v).clock.second.into())),
    getter("microsecond", "", |_, v| Ok(DateTime::of(v).clock.micro.into())),
    getter("tzinfo", "", |_, v| Ok(DateTime::of(v).tzinfo())),
    getter("fold", "", |_, v| Ok(DateTime::of(v).fold().into())),
];

impl DateTime {
    pub fn of(v: &Value) -> &DateTime {
        v.downcast_ref().expect("the slot belongs to datetime")
    }
    pub fn ymd(&self) -> Ymd {
        self.base.ymd
    }
    pub fn tzinfo(&self) -> Value {
        self.tzinfo.get().unwrap_or(Value::NONE)
    }
    /// Attaches a zone to a datetime that nobody else has seen yet.
    pub fn attach(&self, zone: Value) {
        self.tzinfo.set(Some(zone));
    }
    pub fn fold(&self) -> u8 {
        self.fold.load(Relaxed)
    }
    /// Marks a datetime that nobody else has seen yet.
    pub fn set_fold(&self, fold: u8) {
        self.fold.store(fold, Relaxed);
    }
    fn payload(ymd: Ymd, clock: Clock, zone: Value, fold: u8) -> DateTime {
        let tzinfo = ValueCell::new(Some(zone).filter(|z| !z.is_none()));
        DateTime { base: Date { ymd }, clock, fold: AtomicU8::new(fold), tzinfo }
    }
    /// An exact datetime; everything is in range.
    pub fn value(ymd: Ymd, clock: Clock, zone: Value, fold: u8) -> Value {
        Ref::new(DateTime::payload(ymd, clock, zone, fold)).into()
    }
    /// Microseconds since the day before 0001-01-01, the zone left out.
    pub fn micros(&self) -> i64 {
        i64::from(self.ymd().ordinal()) * 86_400_000_000 + self.clock.micros()
    }
    pub fn offset(&self, th: &mut Thread, this: &Value) -> PyResult<Option<Delta>> {
        tzinfo::utcoffset(th, &self.tzinfo(), this)
    }
}
fn state(d: &DateTime) -> [u8; 10] {
    let (mut out, date, time) = ([0; 10], date::state(d.ymd()), time::state(d.clock));
    out[..4].copy_from_slice(&date);
    out[4..].copy_from_slice(&time);
    out
}
/// What is equal among naive datetimes.
pub fn hash_state(d: &DateTime) -> [u8; 10] {
    state(d)
}

const NAMES: [&str; 9] = ["year", "month", "day", "hour", "minute", "second", "microsecond", "tzinfo", "fold"];
static PARAMETERS: Parameters<9> = Parameters { function: "function", names: NAMES, required: 3, positional: 8 };
static REPLACE: Parameters<9> = Parameters { function: "replace()", names: NAMES, required: 0, positional: 8 };
static DUNDER_REPLACE: Parameters<9> =
    Parameters { function: "__replace__()", names: NAMES, required: 0, positional: 0 };

type Fields = (Ymd, Clock, i32);
fn fields(th: &mut Thread, given: [Option<&Value>; 9], old: Fields) -> PyResult<Fields> {
    let (d, c, fold) = old;
    let mut out = [d.year, d.month, d.day, c.hour, c.minute, c.second, c.micro, 0, fold];
    for i in [0, 1, 2, 3, 4, 5, 6, 8] {
        if let Some(v) = given[i] {
            out[i] = number::to_i32(th, v)?;
        }
    }
    let [year, month, day, hour, minute, second, micro, _, fold] = out;
    Ok((Ymd { year, month, day }, Clock { hour, minute, second, micro }, fold))
}
fn new(th: &mut Thread, class: &Ref<Type>, args: &Args<'_>) -> PyResult<Value> {
    if let [first, rest @ ..] = args.pos()
        && rest.len() < 2
        && !args.has_kw()
        && let Some(mut bytes) = pickled::<10>(th, first, "datetime", |s| (1..=12).contains(&(s[2] & 0x7F)))?
    {
        let zone = rest.first().cloned().unwrap_or(Value::NONE);
        if !zone.is_none() && zone.downcast_ref::<tzinfo::TzInfo>().is_none() {
            return Err(type_error(th, "bad tzinfo state arg"));
        }
        let fold = bytes[2] >> 7;
        bytes[2] &= 0x7F;
        let (ymd, clock) = (date::from_state(&bytes), time::from_state(&bytes[4..]));
        return Ok(Ref::with_class(DateTime::payload(ymd, clock, zone, fold), class.object()).into());
    }
    let given = PARAMETERS.bind(th, args)?;
    let zero = Ymd { year: 0, month: 0, day: 0 };
    let (ymd, clock, fold) = fields(th, given, (zero, Clock::default(), 0))?;
    let zone = given[7].cloned().unwrap_or(Value::NONE);
    check(th, ymd, clock, &zone, fold)?;
    Ok(Ref::with_class(DateTime::payload(ymd, clock, zone, fold as u8), class.object()).into())
}
fn check(th: &mut Thread, ymd: Ymd, clock: Clock, zone: &Value, fold: i32) -> PyResult<()> {
    date::check(th, ymd)?;
    time::check(th, clock, fold)?;
    tzinfo::check(th, zone)
}
/// A datetime of `class`, through its constructor where it is not `datetime` itself.
pub fn make(th: &mut Thread, class: &Ref<Type>, d: Ymd, c: Clock, zone: Value, fold: i32) -> PyResult<Value> {
    if class.is(&DATETIME) {
        check(th, d, c, &zone, fold)?;
        return Ok(DateTime::value(d, c, zone, fold as u8));
    }
    let args: [Value; 8] = [
        d.year.into(),
        d.month.into(),
        d.day.into(),
        c.hour.into(),
        c.minute.into(),
        c.second.into(),
        c.micro.into(),
        zone,
    ];
    let made = construct(th, class, &args)?;
    if let Some(dt) = made.downcast_ref::<DateTime>() {
        dt.fold.store(fold as u8, Relaxed);
    }
    Ok(made)
}
fn replace(th: &mut Thread, a: &Args<'_>, parameters: &Parameters<9>) -> PyResult<Value> {
    let d = a.this::<DateTime>();
    let given = parameters.bind(th, &a.skip_first())?;
    let (ymd, clock, fold) = fields(th, given, (d.ymd(), d.clock, d.fold().into()))?;
    let zone = given[7].cloned().unwrap_or_else(|| d.tzinfo());
    if !(0..2).contains(&fold) {
        return Err(value_error(th, "fold must be either 0 or 1"));
    }
    make(th, &a[0].class_ref(), ymd, clock, zone, fold)
}
fn reduce(v: &Value, protocol: i32) -> Value {
    let d = DateTime::of(v);
    let mut bytes = state(d);
    if protocol > 3 {
        bytes[2] |= d.fold() << 7;
    }
    let mut args = vec![Bytes::new(&bytes).into()];
    args.extend(Some(d.tzinfo()).filter(|z| !z.is_none()));
    Tuple::of([v.class_ref().into(), Tuple::from_vec(args).into()]).into()
}

fn show(th: &mut Thread, v: &Value) -> PyResult<Value> {
    let dt = DateTime::of(v);
    let (d, c) = (dt.ymd(), dt.clock);
    let name = full_name(&v.class_ref());
    let mut out = format!("{name}({}, {}, {}, {}, {}", d.year, d.month, d.day, c.hour, c.minute);
    if c.second != 0 || c.micro != 0 {
        out += &format!(", {}", c.second);
    }
    if c.micro != 0 {
        out += &format!(", {}", c.micro);
    }
    finish_repr(th, out, dt.tzinfo(), dt.fold())
}
fn isoformat(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let separator = match a.opt(1) {
        None => u32::from(b'T'),
        Some(v) => match v.downcast_ref::<Str>().filter(|s| s.len() == 1).and_then(|s| s.get(0)) {
            Some(c) => c,
            None => {
                let class = class_name(v);
                let message = format!("isoformat() argument 1 must be a unicode character, not {class}");
                return Err(type_error(th, message));
            }
        },
    };
    let timespec = timespec(th, a.opt(2), 2)?;
    let d = a.this::<DateTime>();
    let Some(clock) = strftime::clock(d.clock, &timespec) else {
        return Err(value_error(th, "Unknown timespec value"));
    };
    let mut out = krait_object::StrBuilder::new();
    out.push_text(&date::iso_text(d.ymd()));
    out.push(separator);
    out.push_text(&clock);
    if let Some(offset) = d.offset(th, &a[0])? {
        out.push_text(&strftime::offset(offset, ":"));
    }
    Ok(out.finish().into())
}
fn timetuple(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let d = a.this::<DateTime>();
    let dst = Delta::get(&tzinfo::ask(th, &d.tzinfo(), "dst", &a[0])?);
    let flag = dst.map_or(-1, |d| i32::from(d.total() != 0));
    local::struct_time(th, d.ymd(), d.clock, flag)
}
