//! Seconds and local time: timestamps, folds and gaps as the C library's zone database tells them.
use krait_object::{PyResult, Thread, Tuple, Value};
use krait_platform::time::{self as clock, Calendar};
use krait_runtime::errors::{os_error, overflow_error, value_error};
use krait_runtime::protocol::{attr, number};

use super::calendar::{Clock, EPOCH_ORDINAL, MAX_YEAR, MIN_YEAR, Ymd};
use super::delta::Delta;
use super::timezone;

/// Seconds from the day before 0001-01-01 to 1970.
pub const EPOCH: i64 = EPOCH_ORDINAL * 86_400;
/// No fold is longer.
const MAX_FOLD: i64 = 86_400;

pub fn calendar(th: &mut Thread, seconds: i64, utc: bool) -> PyResult<Calendar> {
    let found = if utc { clock::gmtime(seconds) } else { clock::localtime(seconds) };
    found.map_err(|e| os_error(th, e, None))
}
pub fn ymd_of(c: &Calendar) -> Ymd {
    Ymd { year: c.year.saturating_add(1900), month: c.mon + 1, day: c.mday }
}
/// The local date of a timestamp.
pub fn date_of(th: &mut Thread, seconds: i64) -> PyResult<Ymd> {
    Ok(ymd_of(&calendar(th, seconds, false)?))
}
/// Seconds since the day before 0001-01-01.
pub fn seconds_of(th: &mut Thread, d: Ymd, c: Clock) -> PyResult<i64> {
    if !(MIN_YEAR..=MAX_YEAR).contains(&d.year) {
        return Err(value_error(th, format!("year {} is out of range", d.year)));
    }
    Ok(i64::from(d.ordinal()) * 86_400 + i64::from(c.seconds()))
}
/// Local time of a time in UTC, both in seconds as above.
fn local(th: &mut Thread, u: i64) -> PyResult<i64> {
    let c = calendar(th, u - EPOCH, false)?;
    seconds_of(th, ymd_of(&c), Clock { hour: c.hour, minute: c.min, second: c.sec, micro: 0 })
}
/// UTC of a local time; `fold` chooses where there are two, or none.
pub fn to_utc(th: &mut Thread, d: Ymd, c: Clock, fold: u8) -> PyResult<i64> {
    let t = seconds_of(th, d, c)?;
    let a = local(th, t)? - t;
    let u1 = t - a;
    let t1 = local(th, u1)?;
    let b = if t1 == t {
        // One solution; there may be another one a day earlier or later.
        let u2 = if fold != 0 { u1 + MAX_FOLD } else { u1 - MAX_FOLD };
        let b = local(th, u2)? - u2;
        if a == b {
            return Ok(u1);
        }
        b
    } else {
        t1 - u1
    };
    let u2 = t - b;
    if local(th, u2)? == t {
        return Ok(u2);
    }
    if t1 == t {
        return Ok(u1);
    }
    // In a gap.
    Ok(if fold != 0 { u1.min(u2) } else { u1.max(u2) })
}
/// Whether a local time, as the C library gives it for a timestamp, is the second one of its name.
pub fn fold_of(th: &mut Thread, timestamp: i64, d: Ymd, c: Clock) -> PyResult<u8> {
    let result = seconds_of(th, d, c)?;
    let probe = local(th, EPOCH + timestamp - MAX_FOLD)?;
    let transition = result - probe - MAX_FOLD;
    if transition >= 0 {
        return Ok(0);
    }
    Ok((local(th, EPOCH + timestamp + transition)? == result).into())
}
/// The zone in force at a timestamp, as a fixed offset.
pub fn zone_at(th: &mut Thread, timestamp: i64) -> PyResult<Value> {
    let c = calendar(th, timestamp, false)?;
    let name = krait_runtime::convert::fs_decode(&c.zone);
    Ok(timezone::create(Delta::of_seconds(c.gmtoff, 0), Some(name)))
}

/// Seconds and microseconds of a timestamp, rounded half to even.
pub fn timeval(th: &mut Thread, v: &Value) -> PyResult<(i64, i32)> {
    let Some(f) = v.to_f64() else {
        let n = number::index(th, v)?;
        let seconds = n.as_int_ref().and_then(|n| n.to_i64());
        return match seconds {
            Some(s) => Ok((s, 0)),
            None => Err(overflow_error(th, "timestamp out of range for platform time_t")),
        };
    };
    if f.is_nan() {
        return Err(value_error(th, "Invalid value NaN (not a number)"));
    }
    let mut whole = f.trunc();
    let mut us = ((f - whole) * 1e6).round_ties_even();
    if us >= 1e6 {
        us -= 1e6;
        whole += 1.0;
    } else if us < 0.0 {
        us += 1e6;
        whole -= 1.0;
    }
    if !(-9.223_372_036_854_776e18..9.223_372_036_854_776e18).contains(&whole) {
        return Err(overflow_error(th, "timestamp out of range for platform time_t"));
    }
    Ok((whole as i64, us as i32))
}
/// `time.struct_time` of a date and a time of day.
pub fn struct_time(th: &mut Thread, d: Ymd, c: Clock, dst: i32) -> PyResult<Value> {
    let module = krait_runtime::import::import_module(th, "time")?;
    let fields = [d.year, d.month, d.day, c.hour, c.minute, c.second, d.weekday(), d.day_of_year(), dst];
    attr::call_method(th, &module, "struct_time", &[Tuple::new(fields.map(Value::from)).into()])
}
