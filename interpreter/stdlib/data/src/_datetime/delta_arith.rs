//! Arithmetic of `timedelta`, exact in microseconds; quotients are rounded half to even.
use krait_object::builtin_types::FLOAT;
use krait_object::{PyResult, Raised, Thread, Tuple, Value};
use krait_runtime::errors::{overflow_error, type_error, value_error, zero_division_error};
use krait_runtime::numtext::exact;
use krait_runtime::protocol::{attr, number};
use num_bigint::BigInt;
use num_integer::Integer;
use num_traits::{Signed, ToPrimitive, Zero};

use super::delta::Delta;
use crate::arguments::class_name;

pub fn add(th: &mut Thread, a: &Value, b: &Value) -> PyResult<Value> {
    match (Delta::get(a), Delta::get(b)) {
        (Some(x), Some(y)) => Delta::from_total(th, x.total() + y.total()).map(Delta::value),
        _ => Ok(Value::NOT_IMPLEMENTED),
    }
}
pub fn subtract(th: &mut Thread, a: &Value, b: &Value) -> PyResult<Value> {
    match (Delta::get(a), Delta::get(b)) {
        (Some(x), Some(y)) => Delta::from_total(th, x.total() - y.total()).map(Delta::value),
        _ => Ok(Value::NOT_IMPLEMENTED),
    }
}
pub fn multiply(th: &mut Thread, a: &Value, b: &Value) -> PyResult<Value> {
    let (d, other) = match (Delta::get(a), Delta::get(b)) {
        (Some(d), None) => (d, b),
        (None, Some(d)) => (d, a),
        _ => return Ok(Value::NOT_IMPLEMENTED),
    };
    if let Some(n) = other.as_int_ref() {
        return from_big(th, BigInt::from(d.total()) * n.to_bigint());
    }
    if other.to_f64().is_none() {
        return Ok(Value::NOT_IMPLEMENTED);
    }
    let (n, m) = integer_ratio(th, other)?;
    let nearest = divide_nearest(th, BigInt::from(d.total()) * n, m)?;
    from_big(th, nearest)
}
pub fn true_divide(th: &mut Thread, a: &Value, b: &Value) -> PyResult<Value> {
    let Some(d) = Delta::get(a) else { return Ok(Value::NOT_IMPLEMENTED) };
    let us = BigInt::from(d.total());
    if let Some(e) = Delta::get(b) {
        if e.total() == 0 {
            return Err(zero_division_error(th, "division by zero"));
        }
        return ratio(th, &us, &e.total().into()).map(Value::float);
    }
    if let Some(n) = b.as_int_ref() {
        let nearest = divide_nearest(th, us, n.to_bigint())?;
        return from_big(th, nearest);
    }
    if b.to_f64().is_none() {
        return Ok(Value::NOT_IMPLEMENTED);
    }
    let (n, m) = integer_ratio(th, b)?;
    let nearest = divide_nearest(th, us * m, n)?;
    from_big(th, nearest)
}
pub fn floor_divide(th: &mut Thread, a: &Value, b: &Value) -> PyResult<Value> {
    let Some(d) = Delta::get(a) else { return Ok(Value::NOT_IMPLEMENTED) };
    if let Some(e) = Delta::get(b) {
        let e = nonzero(th, e)?;
        return Ok(BigInt::from(Integer::div_floor(&d.total(), &e)).into());
    }
    let Some(n) = b.as_int_ref() else { return Ok(Value::NOT_IMPLEMENTED) };
    if n.is_zero() {
        return Err(by_zero(th));
    }
    from_big(th, BigInt::from(d.total()).div_floor(&n.to_bigint()))
}
pub fn remainder(th: &mut Thread, a: &Value, b: &Value) -> PyResult<Value> {
    let (Some(d), Some(e)) = (Delta::get(a), Delta::get(b)) else { return Ok(Value::NOT_IMPLEMENTED) };
    if e.total() == 0 {
        return Err(zero_division_error(th, "integer modulo by zero"));
    }
    Delta::from_total(th, d.total().mod_floor(&e.total())).map(Delta::value)
}
pub fn divmod(th: &mut Thread, a: &Value, b: &Value) -> PyResult<Value> {
    let (Some(d), Some(e)) = (Delta::get(a), Delta::get(b)) else { return Ok(Value::NOT_IMPLEMENTED) };
    let e = nonzero(th, e)?;
    let (q, r) = d.total().div_mod_floor(&e);
    let r = Delta::from_total(th, r)?;
    Ok(Tuple::of([BigInt::from(q).into(), r.value()]).into())
}

#[cold]
fn by_zero(th: &mut Thread) -> Raised {
    zero_division_error(th, "integer division or modulo by zero")
}
fn nonzero(th: &mut Thread, d: Delta) -> PyResult<i128> {
    match d.total() {
        0 => Err(by_zero(th)),
        us => Ok(us),
    }
}
/// The correctly rounded quotient; `b` is not zero.
pub fn ratio(th: &mut Thread, a: &BigInt, b: &BigInt) -> PyResult<f64> {
    exact::true_divide(a, b).map_err(|_| overflow_error(th, "integer division result too large for a float"))
}
/// `f.as_integer_ratio()`, which a subclass of float may have replaced.
fn integer_ratio(th: &mut Thread, v: &Value) -> PyResult<(BigInt, BigInt)> {
    let Some(f) = v.to_f64().filter(|_| v.is_exact(&FLOAT)) else {
        let answer = attr::call_method(th, v, "as_integer_ratio", &[])?;
        let Some(pair) = answer.downcast_ref::<Tuple>() else {
            let class = class_name(&answer);
            let message = format!("unexpected return type from as_integer_ratio(): expected tuple, not '{class}'");
            return Err(type_error(th, message));
        };
        let [n, m] = pair.as_slice() else {
            return Err(value_error(th, "as_integer_ratio() must return a 2-tuple"));
        };
        return Ok((number::to_bigint(th, n)?, number::to_bigint(th, m)?));
    };
    if f.is_nan() {
        return Err(value_error(th, "cannot convert NaN to integer ratio"));
    }
    if f.is_infinite() {
        return Err(overflow_error(th, "cannot convert Infinity to integer ratio"));
    }
    Ok(exact::integer_ratio(f))
}
fn divide_nearest(th: &mut Thread, a: BigInt, b: BigInt) -> PyResult<BigInt> {
    if b.is_zero() {
        return Err(by_zero(th));
    }
    let (a, b) = if b.is_negative() { (-a, -b) } else { (a, b) };
    let (q, r): (BigInt, BigInt) = a.div_mod_floor(&b);
    let twice: BigInt = r * 2;
    let up = match twice.cmp(&b) {
        std::cmp::Ordering::Less => false,
        std::cmp::Ordering::Greater => true,
        std::cmp::Ordering::Equal => q.is_odd(),
    };
    Ok(if up { q + 1 } else { q })
}
fn from_big(th: &mut Thread, us: BigInt) -> PyResult<Value> {
    match us.to_i128() {
        Some(us) => Delta::from_total(th, us).map(Delta::value),
        None => Err(overflow_error(th, "Python int too large to convert to C int")),
    }
}
