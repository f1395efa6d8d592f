//! Times given in seconds, as floats or ints, to nanoseconds (`Python/pytime.c`).
use crate::errors::{overflow_error, value_error};
use crate::protocol::number;
use krait_object::{PyResult, Thread, Value};
use std::time::Duration;

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Rounding {
    Floor,
    Ceiling,
    /// Away from zero: a timeout never becomes shorter, nor zero.
    Up,
}
fn round(x: f64, how: Rounding) -> f64 {
    match how {
        Rounding::Floor => x.floor(),
        Rounding::Ceiling => x.ceil(),
        Rounding::Up if x >= 0.0 => x.ceil(),
        Rounding::Up => x.floor(),
    }
}
/// Nanoseconds of a number of seconds.
pub fn nanoseconds(th: &mut Thread, v: &Value, how: Rounding) -> PyResult<i64> {
    if let Some(f) = v.to_f64() {
        if f.is_nan() {
            return Err(value_error(th, "Invalid value NaN (not a number)"));
        }
        let ns = round(f * 1e9, how);
        if !(-9.223_372_036_854_776e18..9.223_372_036_854_776e18).contains(&ns) {
            return Err(overflow_error(th, "timestamp out of range for platform time_t"));
        }
        return Ok(ns as i64);
    }
    let n = number::index(th, v)?;
    let ns = n.as_int_ref().and_then(|n| n.to_i64()).and_then(|n| n.checked_mul(1_000_000_000));
    ns.ok_or_else(|| overflow_error(th, "timestamp too large to convert to C PyTime_t"))
}
/// Whole seconds, rounded down.
pub fn whole(th: &mut Thread, v: &Value) -> PyResult<i64> {
    if let Some(f) = v.to_f64() {
        if f.is_nan() {
            return Err(value_error(th, "Invalid value NaN (not a number)"));
        }
        let s = f.floor();
        if !(-9.223_372_036_854_776e18..9.223_372_036_854_776e18).contains(&s) {
            return Err(overflow_error(th, "timestamp out of range for platform time_t"));
        }
        return Ok(s as i64);
    }
    let n = number::index(th, v)?;
    let s = n.as_int_ref().and_then(|n| n.to_i64());
    s.ok_or_else(|| overflow_error(th, "timestamp out of range for platform time_t"))
}
/// A timeout of which negative values mean "none".
pub fn timeout(th: &mut Thread, v: Option<&Value>) -> PyResult<Option<Duration>> {
    match v {
        None => Ok(None),
        Some(v) if v.is_none() => Ok(None),
        Some(v) => Ok(u64::try_from(nanoseconds(th, v, Rounding::Up)?).ok().map(Duration::from_nanos)),
    }
}
