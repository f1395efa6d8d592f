//! Class methods of `datetime`: from clocks, timestamps and text.
use krait_object::{Args, PyResult, Ref, Str, Thread, Type, Value};
use krait_platform::time as clock;
use krait_runtime::errors::{os_error, type_error};
use krait_runtime::protocol::attr;
use krait_runtime::warnings::deprecated;

use super::calendar::Clock;
use super::date::{DATE, Date, class_of, invalid_iso, iso_argument};
use super::datetime::make;
use super::time::{Time, zone_of};
use super::{iso_parse, local, tzinfo};
use crate::arguments::{class_name, text};

/// The datetime of a timestamp: UTC, or local time with its fold.
fn from_seconds(
    th: &mut Thread,
    class: &Ref<Type>,
    (seconds, micro): (i64, i32),
    utc: bool,
    zone: &Value,
) -> PyResult<Value> {
    let c = local::calendar(th, seconds, utc)?;
    let ymd = local::ymd_of(&c);
    // A leap second is the 59th once more.
    let clock = Clock { hour: c.hour, minute: c.min, second: c.sec.min(59), micro };
    let fold = if utc { 0 } else { local::fold_of(th, seconds, ymd, clock)? };
    make(th, class, ymd, clock, zone.clone(), fold.into())
}
fn current(th: &mut Thread) -> PyResult<(i64, i32)> {
    let ns = match clock::clock_gettime(clock::CLOCK_REALTIME) {
        Ok(ns) => ns,
        Err(e) => return Err(os_error(th, e, None)),
    };
    Ok((ns.div_euclid(1_000_000_000), (ns.rem_euclid(1_000_000_000) / 1000) as i32))
}
fn at(th: &mut Thread, class: &Ref<Type>, time: (i64, i32), zone: &Value) -> PyResult<Value> {
    if zone.is_none() {
        return from_seconds(th, class, time, false, zone);
    }
    let utc = from_seconds(th, class, time, true, zone)?;
    attr::call_method(th, zone, "fromutc", &[utc])
}
fn zone_argument(th: &mut Thread, v: Option<&Value>) -> PyResult<Value> {
    let zone = v.cloned().unwrap_or(Value::NONE);
    tzinfo::check(th, &zone)?;
    Ok(zone)
}
pub fn now(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let zone = zone_argument(th, a.opt(1))?;
    let time = current(th)?;
    at(th, &class_of(a), time, &zone)
}
pub fn utcnow(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    deprecated(
        th,
        "datetime.datetime.utcnow() is deprecated and scheduled for removal in a future version. Use timezone-aware \
         objects to represent datetimes in UTC: datetime.datetime.now(datetime.UTC).",
    )?;
    let time = current(th)?;
    from_seconds(th, &class_of(a), time, true, &Value::NONE)
}
pub fn from_timestamp(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let zone = zone_argument(th, a.opt(2))?;
    let time = local::timeval(th, &a[1])?;
    at(th, &class_of(a), time, &zone)
}
pub fn utc_from_timestamp(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    deprecated(
        th,
        "datetime.datetime.utcfromtimestamp() is deprecated and scheduled for removal in a future version. Use \
         timezone-aware objects to represent datetimes in UTC: datetime.datetime.fromtimestamp(timestamp, datetime.UTC).",
    )?;
    let time = local::timeval(th, &a[1])?;
    from_seconds(th, &class_of(a), time, true, &Value::NONE)
}
pub fn strptime(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    text(th, &a[1], "strptime()", 1)?;
    text(th, &a[2], "strptime()", 2)?;
    let module = krait_runtime::import::import_module(th, "_strptime")?;
    attr::call_method(th, &module, "_strptime_datetime", &[a[0].clone(), a[1].clone(), a[2].clone()])
}
pub fn combine(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let wrong = |th: &mut Thread, i: usize, wanted: &str| {
        let class = class_name(&a[i]);
        Err(type_error(th, format!("combine() argument {i} must be datetime.{wanted}, not {class}")))
    };
    if !a[1].is_instance(&DATE) {
        return wrong(th, 1, "date");
    }
    let Some(time) = a[2].downcast_ref::<Time>() else { return wrong(th, 2, "time") };
    let zone = a.opt(3).cloned().unwrap_or_else(|| time.tzinfo());
    make(th, &class_of(a), Date::of(&a[1]), time.clock, zone, time.fold().into())
}
pub fn from_iso(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let text = iso_argument(th, &a[1])?;
    match parse(text) {
        Some((ymd, parsed)) => {
            let zone = zone_of(th, parsed.offset)?;
            make(th, &class_of(a), ymd, parsed.clock, zone, 0)
        }
        None => Err(invalid_iso(th, &a[1])),
    }
}
/// Date, one character of any kind, time.
fn parse(text: &Str) -> Option<(super::calendar::Ymd, iso_parse::ParsedTime)> {
    // Only the separator may be beyond ASCII.
    let bytes: Vec<u8> = text.iter().map(|c| u8::try_from(c).unwrap_or(0xFF)).collect();
    if bytes.len() < 7 {
        return None;
    }
    let at = iso_parse::separator(&bytes)?;
    let date = std::str::from_utf8(bytes.get(..at)?).ok()?;
    let ymd = iso_parse::date(date)?;
    let none = iso_parse::ParsedTime { clock: Clock::default(), offset: None };
    let time = match bytes.get(at + 1..) {
        Some(rest) if !rest.is_empty() => iso_parse::time(rest)?,
        _ => none,
    };
    Some((ymd, time))
}
