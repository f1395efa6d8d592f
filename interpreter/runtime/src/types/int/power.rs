//! Powers and shifts of ints.
use krait_object::{IntRef, IntRef::*, PyResult, Thread, Value};
use num_bigint::{BigInt, BigUint, Sign};
use num_integer::Integer;
use num_traits::{One, Signed, ToPrimitive, Zero};

use super::arith::{big, operands, room};
use super::huge;
use crate::errors::{memory_error, overflow_error, value_error};
use crate::types::float;

/// `pow(a, b, modulus)`; the modulus may be None.
pub fn pow(th: &mut Thread, a: &Value, b: &Value, modulus: &Value) -> PyResult<Value> {
    let Some((x, y)) = operands(a, b) else { return Ok(Value::NOT_IMPLEMENTED) };
    if !modulus.is_none() {
        return match modulus.as_int_ref() {
            Some(m) => power_modulo(th, x, y, m),
            None => Ok(Value::NOT_IMPLEMENTED),
        };
    }
    if y.is_negative() {
        let (x, y) = (super::to_f64(th, x)?, super::to_f64(th, y)?);
        return float::power(th, x, y);
    }
    if let (Small(x), Small(y)) = (x, y)
        && let Some(result) = u32::try_from(y).ok().and_then(|y| x.checked_pow(y))
    {
        return Ok(Value::int(result));
    }
    power(th, &big(x), y)
}

fn power(th: &mut Thread, base: &BigInt, exponent: IntRef<'_>) -> PyResult<Value> {
    if exponent.is_zero() {
        return Ok(Value::int(1));
    }
    let odd_exponent = big(exponent).is_odd();
    if base.is_zero() {
        return Ok(Value::int(0));
    }
    if base.magnitude().is_one() {
        return Ok(Value::int(if base.is_negative() && odd_exponent { -1 } else { 1 }));
    }
    let Some(exponent) = exponent.to_i64().and_then(|e| u32::try_from(e).ok()) else { return Err(memory_error(th)) };
    let bits = base.bits().saturating_mul(u64::from(exponent));
    room(th, bits)?;
    // The power of two in the base is only a shift.
    let zeros = base.trailing_zeros().unwrap_or(0);
    let odd = huge::power(th, &(base.magnitude() >> zeros), exponent)? << (zeros * u64::from(exponent));
    let sign = if base.is_negative() && odd_exponent { Sign::Minus } else { Sign::Plus };
    Ok(BigInt::from_biguint(sign, odd).into())
}

fn power_modulo(th: &mut Thread, base: IntRef<'_>, exponent: IntRef<'_>, modulus: IntRef<'_>) -> PyResult<Value> {
    if modulus.is_zero() {
        return Err(value_error(th, "pow() 3rd argument cannot be 0"));
    }
    let modulus = big(modulus);
    let size = modulus.magnitude();
    if size.is_one() {
        return Ok(Value::int(0));
    }
    let mut base: BigUint = reduce(&big(base), size);
    let exponent = big(exponent);
    if exponent.is_negative() {
        match inverse(&base, size) {
            Some(inverse) => base = inverse,
            None => return Err(value_error(th, "base is not invertible for the given modulus")),
        }
    }
    let result = small_power_modulo(&base, exponent.magnitude(), size)
        .unwrap_or_else(|| base.modpow(exponent.magnitude(), size));
    let result = BigInt::from(result);
    // The result has the modulus's sign.
    let below = modulus.is_negative() && !result.is_zero();
    Ok(if below { result + modulus.as_ref() } else { result }.into())
}
fn reduce(i: &BigInt, size: &BigUint) -> BigUint {
    let rest = i.mod_floor(&BigInt::from(size.clone()));
    rest.magnitude().clone()
}
fn inverse(base: &BigUint, size: &BigUint) -> Option<BigUint> {
    let (base, size) = (BigInt::from(base.clone()), BigInt::from(size.clone()));
    let found = base.extended_gcd(&size);
    if !found.gcd.is_one() {
        return None;
    }
    Some(found.x.mod_floor(&size).magnitude().clone())
}
/// In machine words, where the modulus fits one.
fn small_power_modulo(base: &BigUint, exponent: &BigUint, size: &BigUint) -> Option<BigUint> {
    let (mut base, size) = (u128::from(base.to_u64()?), u128::from(size.to_u64()?));
    let mut exponent = exponent.to_u64()?;
    let mut result = 1u128;
    while exponent > 0 {
        if exponent & 1 == 1 {
            result = result * base % size;
        }
        base = base * base % size;
        exponent >>= 1;
    }
    Some((result % size).into())
}

/// `a << b`
pub fn lshift(th: &mut Thread, a: &Value, b: &Value) -> PyResult<Value> {
    if let (Some(x), Some(y @ 0..=62)) = (a.as_int(), b.as_int())
        && (x << y) >> y == x
    {
        return Ok(Value::int(x << y));
    }
    let Some((x, y)) = operands(a, b) else { return Ok(Value::NOT_IMPLEMENTED) };
    if y.is_negative() {
        return Err(value_error(th, "negative shift count"));
    }
    if x.is_zero() {
        return Ok(Value::int(0));
    }
    let Some(count) = y.to_i64() else { return Err(overflow_error(th, "too many digits in integer")) };
    let x = big(x);
    room(th, x.bits().saturating_add(count as u64))?;
    Ok((x.as_ref() << count).into())
}
/// `a >> b`, towards minus infinity
pub fn rshift(th: &mut Thread, a: &Value, b: &Value) -> PyResult<Value> {
    if let (Some(x), Some(y @ 0..=63)) = (a.as_int(), b.as_int()) {
        return Ok(Value::int(x >> y));
    }
    let Some((x, y)) = operands(a, b) else { return Ok(Value::NOT_IMPLEMENTED) };
    if y.is_negative() {
        return Err(value_error(th, "negative shift count"));
    }
    let all_out = Value::int(if x.is_negative() { -1 } else { 0 });
    let x = big(x);
    match y.to_i64() {
        Some(count) if (count as u64) < x.bits() => Ok((x.as_ref() >> count).into()),
        _ => Ok(all_out),
    }
}
