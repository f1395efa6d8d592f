//! Index arguments shared by the sequence types and their iterators. Slice arithmetic is in `protocol::slice`. CPython:
//! `_PyEval_SliceIndexNotNone` and argument clinic.
use krait_object::{IntRef, PyResult, Thread, Value};

use crate::errors::{overflow_error, type_error};
use crate::protocol::number;

/// Turns a possibly negative index into a position in `0..len`, or nothing.
#[inline]
pub fn position(i: isize, len: usize) -> Option<usize> {
    let at = if i < 0 { i + len as isize } else { i };
    (0..len as isize).contains(&at).then_some(at as usize)
}

/// `operator.index(v)` as an exact int.
pub fn exact_index(th: &mut Thread, v: &Value) -> PyResult<Value> {
    if v.is_int() {
        return Ok(v.clone());
    }
    let i = number::index(th, v)?;
    Ok(i.as_int_ref().map_or(Value::int(0), IntRef::to_value))
}

/// The state argument of an iterator's `__setstate__`: ints only.
pub fn state_arg(th: &mut Thread, v: &Value) -> PyResult<isize> {
    match v.as_int_ref().map(IntRef::to_i64) {
        Some(Some(i)) => Ok(i as isize),
        Some(None) => Err(overflow_error(th, "Python int too large to convert to C ssize_t")),
        None => Err(type_error(th, "an integer is required")),
    }
}

/// A `start`/`stop` argument of `index`: clamped, `None` refused.
pub fn search_bound(th: &mut Thread, v: Option<&Value>, default: isize) -> PyResult<isize> {
    match v {
        None => Ok(default),
        Some(v) if number::has_index(v) => number::index_clamped(th, v),
        Some(_) => Err(type_error(th, "slice indices must be integers or have an __index__ method")),
    }
}
