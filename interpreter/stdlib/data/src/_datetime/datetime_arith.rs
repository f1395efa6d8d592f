//! Comparison, hashing and arithmetic of `datetime`, and what needs them.
use krait_object::{Args, CmpOp, PyResult, Thread, Value, hash};
use krait_runtime::errors::{overflow_error, type_error};
use krait_runtime::protocol::attr;

use super::calendar::{Clock, MAX_ORDINAL, MIN_YEAR, Ymd};
use super::datetime::{self, DateTime, make};
use super::delta::{Delta, US_PER_DAY};
use super::{delta_arith, local, timezone, tzinfo};
use crate::arguments::class_name;

/// `datetime + microseconds`, of the same class and zone.
pub fn shift(th: &mut Thread, v: &Value, us: i128) -> PyResult<Value> {
    let dt = DateTime::of(v);
    let (ymd, clock) = shifted(th, dt, us)?;
    make(th, &v.class_ref(), ymd, clock, dt.tzinfo(), 0)
}
fn shifted(th: &mut Thread, dt: &DateTime, us: i128) -> PyResult<(Ymd, Clock)> {
    let total = i128::from(dt.micros()) + us;
    let days = total.div_euclid(US_PER_DAY);
    if !(1..=i128::from(MAX_ORDINAL)).contains(&days) {
        return Err(overflow_error(th, "date value out of range"));
    }
    Ok((Ymd::from_ordinal(days as i32), Clock::from_micros(total.rem_euclid(US_PER_DAY) as i64)))
}
pub fn add(th: &mut Thread, a: &Value, b: &Value) -> PyResult<Value> {
    let (p, q) = (a.downcast_ref::<DateTime>(), b.downcast_ref::<DateTime>());
    match (p, q, Delta::get(a), Delta::get(b)) {
        (Some(_), _, _, Some(d)) => shift(th, a, d.total()),
        (_, Some(_), Some(d), _) => shift(th, b, d.total()),
        _ => Ok(Value::NOT_IMPLEMENTED),
    }
}
pub fn subtract(th: &mut Thread, a: &Value, b: &Value) -> PyResult<Value> {
    let Some(x) = a.downcast_ref::<DateTime>() else { return Ok(Value::NOT_IMPLEMENTED) };
    if let Some(d) = Delta::get(b) {
        return shift(th, a, -d.total());
    }
    let Some(y) = b.downcast_ref::<DateTime>() else { return Ok(Value::NOT_IMPLEMENTED) };
    Ok(difference(th, (a, x), (b, y))?.value())
}
fn difference(th: &mut Thread, (a, x): (&Value, &DateTime), (b, y): (&Value, &DateTime)) -> PyResult<Delta> {
    let mut us = i128::from(x.micros()) - i128::from(y.micros());
    if !x.tzinfo().is(&y.tzinfo()) {
        let p = x.offset(th, a)?;
        match (p, y.offset(th, b)?) {
            (None, None) => {}
            (Some(p), Some(q)) => us -= p.total() - q.total(),
            _ => return Err(type_error(th, "can't subtract offset-naive and offset-aware datetimes")),
        }
    }
    Delta::from_total(th, us)
}

/// The offset that the zone gives with the fold flipped.
fn flipped_offset(th: &mut Thread, dt: &DateTime) -> PyResult<Option<Delta>> {
    let zone = dt.tzinfo();
    let other = DateTime::value(dt.ymd(), dt.clock, zone.clone(), 1 - dt.fold());
    tzinfo::utcoffset(th, &zone, &other)
}
/// A datetime whose offset depends on its fold equals none of another zone (PEP 495).
fn ambiguous(th: &mut Thread, pairs: [(&DateTime, Option<Delta>); 2]) -> PyResult<bool> {
    for (dt, offset) in pairs {
        if flipped_offset(th, dt)? != offset {
            return Ok(true);
        }
    }
    Ok(false)
}
pub fn compare(th: &mut Thread, a: &Value, b: &Value, op: CmpOp) -> PyResult<Value> {
    let (Some(x), Some(y)) = (a.downcast_ref::<DateTime>(), b.downcast_ref::<DateTime>()) else {
        return Ok(Value::NOT_IMPLEMENTED);
    };
    let plain = x.micros().cmp(&y.micros());
    if x.tzinfo().is(&y.tzinfo()) {
        return Ok(op.of(plain).into());
    }
    let p = x.offset(th, a)?;
    let q = y.offset(th, b)?;
    let equality = matches!(op, CmpOp::Eq | CmpOp::Ne);
    let order = match (p, q) {
        (p, q) if p == q => plain,
        (Some(p), Some(q)) => (i128::from(x.micros()) - p.total()).cmp(&(i128::from(y.micros()) - q.total())),
        _ if equality => return Ok((op == CmpOp::Ne).into()),
        _ => return Err(type_error(th, "can't compare offset-naive and offset-aware datetimes")),
    };
    if equality && order.is_eq() && ambiguous(th, [(x, p), (y, q)])? {
        return Ok((op == CmpOp::Ne).into());
    }
    Ok(op.of(order).into())
}
/// The hash is that of the first time of its name, so that it does not depend on the fold.
pub fn hash_slot(th: &mut Thread, v: &Value) -> PyResult<i64> {
    let dt = DateTime::of(v);
    let zone = dt.tzinfo();
    let offset = if zone.is_none() || dt.fold() == 0 {
        dt.offset(th, v)?
    } else {
        let first = DateTime::value(dt.ymd(), dt.clock, zone.clone(), 0);
        tzinfo::utcoffset(th, &zone, &first)?
    };
    Ok(match offset {
        None => hash::bytes(&datetime::hash_state(dt)),
        Some(d) => hash::int((i128::from(dt.micros()) - d.total()) as i64),
    })
}

pub fn timestamp(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let dt = a.this::<DateTime>();
    if dt.tzinfo().is_none() {
        let seconds = local::to_utc(th, dt.ymd(), dt.clock, dt.fold())? - local::EPOCH;
        return Ok(Value::float(seconds as f64 + f64::from(dt.clock.micro) / 1e6));
    }
    let epoch = Ymd { year: 1970, month: 1, day: 1 };
    let epoch = DateTime::value(epoch, Clock::default(), timezone::utc(), 0);
    let delta = difference(th, (&a[0], dt), (&epoch, DateTime::of(&epoch)))?;
    delta_arith::ratio(th, &delta.total().into(), &1_000_000.into()).map(Value::float)
}
pub fn utc_timetuple(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let dt = a.this::<DateTime>();
    let (mut ymd, mut clock) = (dt.ymd(), dt.clock);
    if let Some(offset) = dt.offset(th, &a[0])? {
        (ymd, clock) = shifted(th, dt, -offset.total())?;
    }
    debug_assert!(ymd.year >= MIN_YEAR);
    local::struct_time(th, ymd, clock, 0)
}

/// The zone of local time at a naive local time.
fn local_zone(th: &mut Thread, dt: &DateTime) -> PyResult<Value> {
    let (ymd, clock) = (dt.ymd(), dt.clock);
    let mut seconds = local::to_utc(th, ymd, clock, dt.fold())?;
    // In a gap the zone is that of the other reading: the one before it for fold 0, the one behind it for fold 1.
    let other = local::to_utc(th, ymd, clock, 1 - dt.fold())?;
    if other != seconds && (other > seconds) == (dt.fold() == 1) {
        seconds = other;
    }
    local::zone_at(th, seconds - local::EPOCH)
}
pub fn astimezone(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let target = a.opt_not_none(1).cloned().unwrap_or(Value::NONE);
    tzinfo::check(th, &target)?;
    let dt = a.this::<DateTime>();
    let mut own = dt.tzinfo();
    let naive = own.is_none();
    if naive {
        own = local_zone(th, dt)?;
    }
    if own.is(&target) {
        return Ok(a[0].clone());
    }
    let mut answer = attr::call_method(th, &own, "utcoffset", &[a[0].clone()])?;
    if answer.is_none() && !naive {
        own = local_zone(th, dt)?;
        if own.is(&target) {
            return Ok(a[0].clone());
        }
        answer = attr::call_method(th, &own, "utcoffset", &[a[0].clone()])?;
    }
    let Some(offset) = Delta::get(&answer) else {
        let class = class_name(&answer);
        return Err(type_error(th, format!("utcoffset() returned {class}, expected timedelta or None")));
    };
    let result = shift(th, &a[0], -offset.total())?;
    let Some(utc) = result.downcast_ref::<DateTime>() else { return Ok(result) };
    utc.attach(timezone::utc());
    let target = if target.is_none() {
        let seconds = utc.micros().div_euclid(1_000_000) - local::EPOCH;
        local::zone_at(th, seconds)?
    } else {
        target
    };
    utc.attach(target.clone());
    attr::call_method(th, &target, "fromutc", &[result.clone()])
}
