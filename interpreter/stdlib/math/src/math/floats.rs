//! Functions of floats with rules of their own.
use krait_object::{Args, IntRef, PyResult, Thread, Tuple, Value};
use krait_platform::libm;
use krait_runtime::errors::{overflow_error, type_error, value_error};
use krait_runtime::numtext::exact;
use krait_runtime::protocol::{attr, number};
use krait_runtime::types::float::{self, to_int};
use num_bigint::BigInt;
use num_traits::ToPrimitive;

use super::{domain_error, range_error};

/// Two float arguments.
fn two(th: &mut Thread, a: &Args<'_>) -> PyResult<(f64, f64)> {
    Ok((number::to_f64(th, &a[0])?, number::to_f64(th, &a[1])?))
}

pub fn atan2(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let (y, x) = two(th, a)?;
    Ok(y.atan2(x).into())
}
pub fn copysign(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let (x, y) = two(th, a)?;
    Ok(x.copysign(y).into())
}
pub fn fmod(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let (x, y) = two(th, a)?;
    let r = x % y;
    if r.is_nan() && !x.is_nan() && !y.is_nan() {
        return Err(domain_error(th));
    }
    Ok(r.into())
}
pub fn remainder(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let (x, y) = two(th, a)?;
    if x.is_nan() || y.is_nan() {
        return Ok((x + y).into());
    }
    if x.is_infinite() || y == 0.0 {
        return Err(domain_error(th));
    }
    if y.is_infinite() {
        return Ok(x.into());
    }
    let (size, y) = (x.abs(), y.abs());
    let below = size % y;
    let above = y - below;
    let r = match below.partial_cmp(&above) {
        Some(std::cmp::Ordering::Less) => below,
        Some(std::cmp::Ordering::Greater) => -above,
        // Half-way: the multiple of 2y decides, computed without rounding.
        _ => below - 2.0 * ((0.5 * (size - below)) % y),
    };
    Ok((1f64.copysign(x) * r).into())
}
pub fn pow(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let (x, y) = two(th, a)?;
    let r = x.powf(y);
    if x.is_finite() && y.is_finite() {
        if r.is_nan() || (r.is_infinite() && x == 0.0) {
            return Err(domain_error(th));
        }
        if r.is_infinite() {
            return Err(range_error(th));
        }
    }
    Ok(r.into())
}
pub fn fma(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let (x, y) = two(th, a)?;
    let z = number::to_f64(th, &a[2])?;
    let r = libm::fma(x, y, z);
    if r.is_nan() && !x.is_nan() && !y.is_nan() && !z.is_nan() {
        return Err(value_error(th, "invalid operation in fma"));
    }
    if r.is_infinite() && x.is_finite() && y.is_finite() && z.is_finite() {
        return Err(overflow_error(th, "overflow in fma"));
    }
    Ok(r.into())
}
pub fn isclose(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let (x, y) = two(th, a)?;
    let relative = a.opt(2).map_or(Ok(1e-9), |v| number::to_f64(th, v))?;
    let absolute = a.opt(3).map_or(Ok(0.0), |v| number::to_f64(th, v))?;
    if relative < 0.0 || absolute < 0.0 {
        return Err(value_error(th, "tolerances must be non-negative"));
    }
    if x == y {
        return Ok(Value::TRUE);
    }
    if x.is_infinite() || y.is_infinite() {
        return Ok(Value::FALSE);
    }
    let difference = (y - x).abs();
    let close = difference <= (relative * y).abs() || difference <= (relative * x).abs() || difference <= absolute;
    Ok(close.into())
}

/// `special` of the argument's class, or `whole` on its float.
fn rounded(th: &mut Thread, v: &Value, special: &str, whole: fn(f64) -> f64) -> PyResult<Value> {
    if let Some(f) = v.as_float() {
        return to_int(th, whole(f));
    }
    if !v.is_exact(&krait_object::builtin_types::FLOAT)
        && let Some(r) = attr::call_special_opt(th, v, special, &[])?
    {
        return Ok(r);
    }
    let f = number::to_f64(th, v)?;
    to_int(th, whole(f))
}
pub fn ceil(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    rounded(th, &a[0], "__ceil__", f64::ceil)
}
pub fn floor(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    rounded(th, &a[0], "__floor__", f64::floor)
}
pub fn trunc(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    if let Some(f) = a[0].as_float() {
        return to_int(th, f);
    }
    match attr::call_special_opt(th, &a[0], "__trunc__", &[])? {
        Some(r) => Ok(r),
        None => {
            let class = a[0].class().name();
            Err(type_error(th, format!("type {class} doesn't define __trunc__ method")))
        }
    }
}

/// Mantissa of 0.5 to 1 and exponent.
pub fn split(x: f64) -> (f64, i32) {
    if x == 0.0 || !x.is_finite() {
        return (x, 0);
    }
    // A subnormal is scaled up first.
    let (x, shift) = if x.abs() < f64::MIN_POSITIVE { (x * 2f64.powi(54), -54) } else { (x, 0) };
    let bits = x.to_bits();
    let exponent = (bits >> 52 & 0x7FF) as i32 - 1022;
    (f64::from_bits(bits & !(0x7FF << 52) | 1022 << 52), exponent + shift)
}
pub fn frexp(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let (m, e) = split(number::to_f64(th, &a[0])?);
    Ok(Tuple::of([m.into(), e.into()]).into())
}
pub fn modf(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let x = number::to_f64(th, &a[0])?;
    let (fraction, whole) = match () {
        () if x.is_infinite() => (0f64.copysign(x), x),
        () if x.is_nan() => (x, x),
        () => ((x - x.trunc()).copysign(x), x.trunc()),
    };
    Ok(Tuple::of([fraction.into(), whole.into()]).into())
}
pub fn ldexp(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let x = number::to_f64(th, &a[0])?;
    let Some(i) = a[1].as_int_ref() else {
        return Err(type_error(th, "Expected an int as second argument to ldexp."));
    };
    if x == 0.0 || !x.is_finite() {
        return Ok(x.into());
    }
    let r = match i.to_i64().and_then(|i| i32::try_from(i).ok()) {
        Some(i) => exact::ldexp(x, i),
        None if i.is_negative() => 0f64.copysign(x),
        None => f64::INFINITY,
    };
    if r.is_infinite() {
        return Err(range_error(th));
    }
    Ok(r.into())
}
pub fn ulp(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let x = number::to_f64(th, &a[0])?.abs();
    if !x.is_finite() {
        return Ok(x.into());
    }
    let next = libm::nextafter(x, f64::INFINITY);
    let ulp = if next.is_infinite() { x - libm::nextafter(x, f64::NEG_INFINITY) } else { next - x };
    Ok(ulp.into())
}
pub fn nextafter(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let (x, y) = two(th, a)?;
    let Some(steps) = a.opt_not_none(2) else { return Ok(libm::nextafter(x, y).into()) };
    let steps = number::index(th, steps)?;
    let steps = match steps.as_int_ref() {
        Some(s) if s.is_negative() => return Err(value_error(th, "steps must be a non-negative integer")),
        Some(IntRef::Small(s)) => s as u64,
        Some(IntRef::Big(b)) => b.to_u64().unwrap_or(u64::MAX),
        None => 0,
    };
    Ok(walk(x, y, steps).into())
}
/// The float `steps` further from `x` towards `y`. As signed magnitudes the bits of floats are in their order.
fn walk(x: f64, y: f64, steps: u64) -> f64 {
    if steps == 0 || x.is_nan() {
        return x;
    }
    if y.is_nan() {
        return y;
    }
    let place = |f: f64| {
        let bits = (f.to_bits() & (u64::MAX >> 1)) as i128;
        if f.is_sign_negative() { -bits } else { bits }
    };
    let (from, to) = (place(x), place(y));
    if from == to {
        return y;
    }
    let distance = (to - from).unsigned_abs();
    if u128::from(steps) >= distance {
        return y;
    }
    let at = if to > from { from + i128::from(steps) } else { from - i128::from(steps) };
    let size = f64::from_bits(at.unsigned_abs() as u64);
    // Zero keeps the sign of where the walk began.
    if at < 0 || (at == 0 && x.is_sign_negative()) { -size } else { size }
}

/// A logarithm of an int that may be too large for a float: `2^e` taken out.
fn log_of_int(b: &BigInt, log: fn(f64) -> f64) -> f64 {
    match exact::bigint_to_f64(b) {
        Some(f) => log(f),
        None => {
            let e = b.bits() - 60;
            let m = (b >> e).to_f64().unwrap_or(1.0);
            log(m) + log(2.0) * e as f64
        }
    }
}
fn logarithm(th: &mut Thread, v: &Value, log: fn(f64) -> f64) -> PyResult<f64> {
    if let Some(i) = v.as_int_ref() {
        if i.is_negative() || i.is_zero() {
            return Err(domain_error(th));
        }
        return Ok(match i {
            IntRef::Small(i) => log(i as f64),
            IntRef::Big(b) => log_of_int(b, log),
        });
    }
    let x = number::to_f64(th, v)?;
    if x <= 0.0 {
        return Err(domain_error(th));
    }
    Ok(log(x))
}
pub fn log(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    if a.has_kw() {
        return Err(type_error(th, "math.log() takes no keyword arguments"));
    }
    match a.pos() {
        [x] => Ok(logarithm(th, x, f64::ln)?.into()),
        [x, base] => {
            let (x, base) = (logarithm(th, x, f64::ln)?, logarithm(th, base, f64::ln)?);
            float::truediv(th, &x.into(), &base.into())
        }
        [] => Err(type_error(th, "log expected at least 1 argument, got 0")),
        more => Err(type_error(th, format!("log expected at most 2 arguments, got {}", more.len()))),
    }
}
pub fn log2(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    Ok(logarithm(th, &a[0], libm::log2)?.into())
}
pub fn log10(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    Ok(logarithm(th, &a[0], f64::log10)?.into())
}
