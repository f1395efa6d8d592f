//! `timezone`: zones of a fixed offset.
use std::sync::OnceLock;

use krait_macros::{Payload, Trace};
use krait_object::native::method;
use krait_object::{
    Args, ClassDef, CmpOp, Method, PyResult, Ref, SlotDefs, Str, Thread, Tuple, Type, TypeObject, VTable, Value,
    type_flag,
};
use krait_runtime::errors::{type_error, value_error};
use krait_runtime::protocol::repr;
use krait_runtime::types::type_::full_name;

use super::datetime::DateTime;
use super::datetime_arith;
use super::delta::Delta;
use super::strftime;
use super::tzinfo::{TZINFO, TzInfo};
use crate::arguments::{Parameters, class_name, text};

#[derive(Trace, Payload)]
#[repr(C)]
#[payload(class = TIMEZONE, extends = TzInfo)]
pub struct TimeZone {
    base: TzInfo,
    #[trace(skip)]
    delta: Delta,
    /// The timedelta object that was given.
    offset: Value,
    name: Option<Ref<Str>>,
}
static LAYOUT: VTable = VTable::of::<TimeZone>();
pub static TIMEZONE: TypeObject = TypeObject::builtin("timezone", Some(&TZINFO), &LAYOUT);

pub static DEF: ClassDef = ClassDef {
    module: "datetime",
    doc: "Fixed offset from UTC implementation of tzinfo.",
    methods: METHODS,
    slots: SlotDefs {
        new: Some(new),
        repr: Some(show),
        str: Some(|_, v| Ok(TimeZone::of(v).label())),
        hash: Some(|_, v| Ok(TimeZone::of(v).delta.hash())),
        compare: Some(|_, a, b, op| match (offset_of(a), offset_of(b), op) {
            (Some(x), Some(y), CmpOp::Eq) => Ok((x == y).into()),
            (Some(x), Some(y), CmpOp::Ne) => Ok((x != y).into()),
            _ => Ok(Value::NOT_IMPLEMENTED),
        }),
        ..SlotDefs::EMPTY
    },
    flags: type_flag::HAVE_GC,
    attributes: Some(|_| {
        let minutes = 23 * 3600 + 59 * 60;
        vec![
            ("utc", utc()),
            ("min", create(Delta::of_seconds(-minutes, 0), None)),
            ("max", create(Delta::of_seconds(minutes, 0), None)),
        ]
    }),
    ..ClassDef::new(&TIMEZONE)
};
static METHODS: &[Method] = &[
    method(
        "tzname",
        "(object, /)",
        "If name is specified when timezone is created, returns the name.  Otherwise returns offset as 'UTC(+|-)HH:MM'.",
        |th, a| {
            check_argument(th, &a[1], "tzname")?;
            Ok(a.this::<TimeZone>().label())
        },
    ),
    method("utcoffset", "(object, /)", "Return fixed offset.", |th, a| {
        check_argument(th, &a[1], "utcoffset")?;
        Ok(a.this::<TimeZone>().offset.clone())
    }),
    method("dst", "(object, /)", "Return None.", |th, a| {
        check_argument(th, &a[1], "dst")?;
        Ok(Value::NONE)
    }),
    method("fromutc", "(object, /)", "datetime in UTC -> datetime in local time.", from_utc),
    method("__getinitargs__", "()", "pickle support", |_, a| {
        let zone = a.this::<TimeZone>();
        let args = [Some(zone.offset.clone()), zone.name.clone().map(Value::from)];
        Ok(Tuple::from_vec(args.into_iter().flatten().collect()).into())
    }),
];

impl TimeZone {
    fn of(v: &Value) -> &TimeZone {
        v.downcast_ref().expect("the slot belongs to timezone")
    }
    fn label(&self) -> Value {
        match &self.name {
            Some(name) => name.to_value(),
            None if self.delta.total() == 0 => "UTC".into(),
            None => format!("UTC{}", strftime::offset(self.delta, ":")).into(),
        }
    }
    fn build(delta: Delta, offset: Value, name: Option<Ref<Str>>) -> Value {
        Ref::new(TimeZone { base: TzInfo {}, delta, offset, name }).into()
    }
}
/// `timezone.utc`.
pub fn utc() -> Value {
    static UTC: OnceLock<Ref<TimeZone>> = OnceLock::new();
    UTC.get_or_init(|| {
        let delta = Delta { days: 0, seconds: 0, micros: 0 };
        let made = Ref::new(TimeZone { base: TzInfo {}, delta, offset: delta.value(), name: None });
        for v in [made.as_value(), &made.offset] {
            if let Some(h) = v.header() {
                h.make_immortal();
            }
        }
        made
    })
    .to_value()
}
/// The zone of an offset in range; without a name, that of offset 0 is the one UTC.
pub fn create(delta: Delta, name: Option<Ref<Str>>) -> Value {
    if name.is_none() && delta.total() == 0 {
        return utc();
    }
    TimeZone::build(delta, delta.value(), name)
}
/// The zone of an offset; ValueError where it is a day or longer.
pub fn create_checked(th: &mut Thread, offset: &Value, name: Option<Ref<Str>>) -> PyResult<Value> {
    let delta = Delta::of(offset);
    if !delta.is_offset() {
        let shown = repr::repr(th, offset)?;
        let message = format!(
            "offset must be a timedelta strictly between -timedelta(hours=24) and timedelta(hours=24), not {shown}."
        );
        return Err(value_error(th, message));
    }
    if name.is_none() && delta.total() == 0 {
        return Ok(utc());
    }
    Ok(TimeZone::build(delta, offset.clone(), name))
}
/// The offset of a zone of this class.
pub fn offset_of(v: &Value) -> Option<Delta> {
    v.downcast_exact::<TimeZone>().map(|z| z.delta)
}

static PARAMETERS: Parameters<2> =
    Parameters { function: "timezone()", names: ["offset", "name"], required: 1, positional: 2 };
fn new(th: &mut Thread, _: &Ref<Type>, args: &Args<'_>) -> PyResult<Value> {
    let [offset, name] = PARAMETERS.bind(th, args)?;
    let offset = offset.expect("it is required");
    if Delta::get(offset).is_none() {
        let class = if offset.is_none() { "None".to_owned() } else { class_name(offset) };
        return Err(type_error(th, format!("timezone() argument 1 must be datetime.timedelta, not {class}")));
    }
    let name = match name {
        Some(v) => {
            text(th, v, "timezone()", 2)?;
            v.to_ref::<Str>()
        }
        None => None,
    };
    create_checked(th, offset, name)
}
fn show(th: &mut Thread, v: &Value) -> PyResult<Value> {
    if v.is(&utc()) {
        return Ok("datetime.timezone.utc".into());
    }
    let zone = TimeZone::of(v);
    let class = full_name(&v.class_ref());
    let offset = repr::repr(th, &zone.offset)?;
    let mut out = krait_object::StrBuilder::new();
    out.push_text(&format!("{class}({offset}"));
    if let Some(name) = &zone.name {
        out.push_text(", ");
        out.push_str(&*repr::repr(th, name.as_value())?);
    }
    out.push_text(")");
    Ok(out.finish().into())
}
fn check_argument(th: &mut Thread, v: &Value, method: &str) -> PyResult<()> {
    if v.is_none() || v.downcast_ref::<DateTime>().is_some() {
        return Ok(());
    }
    let class = class_name(v);
    Err(type_error(th, format!("{method}(dt) argument must be a datetime instance or None, not {class}")))
}
fn from_utc(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let Some(dt) = a[1].downcast_ref::<DateTime>() else {
        return Err(type_error(th, "fromutc: argument must be a datetime"));
    };
    if !dt.tzinfo().is(&a[0]) {
        return Err(value_error(th, "fromutc: dt.tzinfo is not self"));
    }
    datetime_arith::shift(th, &a[1], a.this::<TimeZone>().delta.total())
}
