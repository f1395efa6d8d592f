//! `tzinfo`, the abstract base of time zones, and the calls that dates and times make to their zone.
use krait_macros::{Payload, Trace};
use krait_object::native::method;
use krait_object::{
    Args, ClassDef, Method, PyResult, Ref, SlotDefs, Str, Thread, Tuple, TypeObject, VTable, Value,
    builtin_types::OBJECT, type_flag,
};
use krait_runtime::errors::{not_implemented_error, type_error, value_error};
use krait_runtime::protocol::{attr, call};
use krait_runtime::types::reduce;

use super::datetime::DateTime;
use super::datetime_arith;
use super::delta::Delta;
use super::timezone;
use crate::arguments::class_name;

#[derive(Trace, Payload)]
#[payload(class = TZINFO)]
pub struct TzInfo {}
static LAYOUT: VTable = VTable::of::<TzInfo>();
pub static TZINFO: TypeObject = TypeObject::builtin("tzinfo", Some(&OBJECT), &LAYOUT);

pub static DEF: ClassDef = ClassDef {
    module: "datetime",
    doc: "Abstract base class for time zone info objects.",
    methods: METHODS,
    slots: SlotDefs {
        new: Some(|_, class, _| Ok(Ref::with_class(TzInfo {}, class.object()).into())),
        ..SlotDefs::EMPTY
    },
    flags: type_flag::BASE,
    ..ClassDef::new(&TZINFO)
};
static METHODS: &[Method] = &[
    method("tzname", "(object, /)", "datetime -> string name of time zone.", |th, _| Err(missing(th, "tzname"))),
    method(
        "utcoffset",
        "(object, /)",
        "datetime -> timedelta showing offset from UTC, negative values indicating West of UTC",
        |th, _| Err(missing(th, "utcoffset")),
    ),
    method("dst", "(object, /)", "datetime -> DST offset as timedelta positive east of UTC.", |th, _| {
        Err(missing(th, "dst"))
    }),
    method("fromutc", "(object, /)", "datetime in UTC -> datetime in local time.", from_utc),
    method("__reduce__", "()", "-> (cls, state)", |th, a| {
        let args = match attr::get_text_opt(th, &a[0], "__getinitargs__")? {
            Some(f) => call::call(th, &f, &[])?,
            None => Tuple::empty().into(),
        };
        let state = reduce::getstate(th, &a[0], false)?;
        Ok(Tuple::of([a[0].class_ref().into(), args, state]).into())
    }),
];

fn missing(th: &mut Thread, method: &str) -> krait_object::Raised {
    not_implemented_error(th, format!("a tzinfo subclass must implement {method}()"))
}

/// Refuses what is neither None nor a time zone.
pub fn check(th: &mut Thread, v: &Value) -> PyResult<()> {
    if v.is_none() || v.downcast_ref::<TzInfo>().is_some() {
        return Ok(());
    }
    let class = class_name(v);
    Err(type_error(th, format!("tzinfo argument must be None or of a tzinfo subclass, not type '{class}'")))
}
/// What a zone's `utcoffset` or `dst` says: None or a timedelta of less than a day.
pub fn ask(th: &mut Thread, zone: &Value, method: &'static str, argument: &Value) -> PyResult<Value> {
    if zone.is_none() {
        return Ok(Value::NONE);
    }
    let offset = attr::call_method(th, zone, method, std::slice::from_ref(argument))?;
    if offset.is_none() {
        return Ok(offset);
    }
    let Some(d) = Delta::get(&offset) else {
        let class = class_name(&offset);
        return Err(type_error(th, format!("tzinfo.{method}() must return None or a timedelta, not '{class}'")));
    };
    if !d.is_offset() {
        let message = "offset must be a timedelta strictly between -timedelta(hours=24) and timedelta(hours=24).";
        return Err(value_error(th, message));
    }
    Ok(offset)
}
pub fn utcoffset(th: &mut Thread, zone: &Value, argument: &Value) -> PyResult<Option<Delta>> {
    if zone.is_none() {
        return Ok(None);
    }
    if let Some(fixed) = timezone::offset_of(zone) {
        return Ok(Some(fixed));
    }
    Ok(Delta::get(&ask(th, zone, "utcoffset", argument)?))
}
/// None or a string.
pub fn tzname(th: &mut Thread, zone: &Value, argument: &Value) -> PyResult<Value> {
    if zone.is_none() {
        return Ok(Value::NONE);
    }
    let name = attr::call_method(th, zone, "tzname", std::slice::from_ref(argument))?;
    if name.is_none() || name.downcast_ref::<Str>().is_some() {
        return Ok(name);
    }
    let class = class_name(&name);
    Err(type_error(th, format!("tzinfo.tzname() must return None or a string, not '{class}'")))
}

fn from_utc(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let Some(dt) = a[1].downcast_ref::<DateTime>() else {
        return Err(type_error(th, "fromutc: argument must be a datetime"));
    };
    let zone = dt.tzinfo();
    if !zone.is(&a[0]) {
        return Err(value_error(th, "fromutc: dt.tzinfo is not self"));
    }
    let Some(offset) = Delta::get(&ask(th, &zone, "utcoffset", &a[1])?) else {
        return Err(value_error(th, "fromutc: non-None utcoffset() result required"));
    };
    let Some(dst) = Delta::get(&ask(th, &zone, "dst", &a[1])?) else {
        return Err(value_error(th, "fromutc: non-None dst() result required"));
    };
    let result = datetime_arith::shift(th, &a[1], offset.total() - dst.total())?;
    let zone = result.downcast_ref::<DateTime>().map_or(Value::NONE, DateTime::tzinfo);
    let Some(dst) = Delta::get(&ask(th, &zone, "dst", &result)?) else {
        return Err(value_error(th, "fromutc: tz.dst() gave inconsistent results; cannot convert"));
    };
    if dst.total() == 0 {
        return Ok(result);
    }
    datetime_arith::shift(th, &result, dst.total())
}
