//! Arithmetic, bit operations and comparison of ints. Each binary function is a slot, so that either operand may be
//! something else (NotImplemented), and begins with the immediates, so that the VM can call it directly.
use std::borrow::Cow;
use std::cmp::Ordering;

use krait_object::{CmpOp, IntRef, IntRef::*, PyResult, Raised, Thread, Tuple, Value};
use num_bigint::{BigInt, Sign};
use num_integer::Integer;
use num_traits::{Signed, Zero};

use super::{huge, number_of};
use crate::errors::{memory_error, overflow_error, zero_division_error};
use crate::numtext::exact;

pub(super) fn operands<'a>(a: &'a Value, b: &'a Value) -> Option<(IntRef<'a>, IntRef<'a>)> {
    Some((a.as_int_ref()?, b.as_int_ref()?))
}
pub(super) fn big(i: IntRef<'_>) -> Cow<'_, BigInt> {
    match i {
        Small(i) => Cow::Owned(i.into()),
        Big(b) => Cow::Borrowed(b),
    }
}
/// MemoryError where so many bits could not be had; small sizes pass unasked.
pub(super) fn room(th: &mut Thread, bits: u64) -> PyResult<()> {
    if bits < 1 << 28 {
        return Ok(());
    }
    let bytes = usize::try_from(bits / 8 + 8).unwrap_or(usize::MAX);
    match Vec::<u8>::new().try_reserve_exact(bytes.saturating_mul(2)) {
        Ok(()) => Ok(()),
        Err(_) => Err(memory_error(th)),
    }
}

/// Slot functions of operators that cannot fail on ints. Immediates are below 2^49, so `$small` on them cannot overflow
/// an i64 unless it says so by returning `None`.
macro_rules! operators {
    ($($(#[$doc:meta])* $name:ident $slow:ident: $small:expr, $op:tt;)*) => { $(
        $(#[$doc])*
        #[inline]
        pub fn $name(th: &mut Thread, a: &Value, b: &Value) -> PyResult<Value> {
            let small: fn(i64, i64) -> Option<i64> = $small;
            if let (Some(x), Some(y)) = (a.as_int(), b.as_int())
                && let Some(result) = small(x, y)
            {
                return Ok(Value::int(result));
            }
            $slow(th, a, b)
        }
        #[inline(never)]
        fn $slow(th: &mut Thread, a: &Value, b: &Value) -> PyResult<Value> {
            let Some((x, y)) = operands(a, b) else { return Ok(Value::NOT_IMPLEMENTED) };
            if let (Big(x), Big(y)) = (x, y) {
                room(th, x.bits() + y.bits())?;
            }
            let result: BigInt = match (x, y) {
                (Small(x), Small(y)) => BigInt::from(x) $op BigInt::from(y),
                (Big(x), Small(y)) => x $op &BigInt::from(y),
                (Small(x), Big(y)) => &BigInt::from(x) $op y,
                (Big(x), Big(y)) => x $op y,
            };
            Ok(result.into())
        }
    )* };
}
operators! {
    /// `a + b`
    add add_slow: |x, y| Some(x + y), +;
    /// `a - b`
    sub sub_slow: |x, y| Some(x - y), -;
    /// `a * b` of ints that are not huge
    mul_at_once mul_slow: |x, y| x.checked_mul(y), *;
    /// `a & b`
    and and_slow: |x, y| Some(x & y), &;
    /// `a | b`
    or or_slow: |x, y| Some(x | y), |;
    /// `a ^ b`
    xor xor_slow: |x, y| Some(x ^ y), ^;
}

/// `a * b`
#[inline]
pub fn mul(th: &mut Thread, a: &Value, b: &Value) -> PyResult<Value> {
    if a.as_int().is_none() && b.as_int().is_none() { mul_big(th, a, b) } else { mul_at_once(th, a, b) }
}
#[inline(never)]
fn mul_big(th: &mut Thread, a: &Value, b: &Value) -> PyResult<Value> {
    if let (Some(Big(x)), Some(Big(y))) = (a.as_int_ref(), b.as_int_ref())
        && x.bits() + y.bits() > huge::AT_ONCE
    {
        room(th, x.bits() + y.bits())?;
        let sign = if x.sign() == y.sign() { Sign::Plus } else { Sign::Minus };
        return Ok(BigInt::from_biguint(sign, huge::multiply(th, x.magnitude(), y.magnitude())?).into());
    }
    mul_slow(th, a, b)
}

fn floor_div(x: i64, y: i64) -> i64 {
    let q = x / y;
    if x % y != 0 && (x < 0) != (y < 0) { q - 1 } else { q }
}
fn floor_mod(x: i64, y: i64) -> i64 {
    let r = x % y;
    if r != 0 && (r < 0) != (y < 0) { r + y } else { r }
}
#[cold]
fn by_zero(th: &mut Thread, message: &str) -> Raised {
    zero_division_error(th, message)
}

/// Whether schoolbook's division takes long.
fn is_huge(x: &BigInt, y: &BigInt) -> bool {
    y.bits() >= huge::SCHOOLBOOK && x.bits() >= y.bits() + huge::SCHOOLBOOK
}
fn floor_divided(th: &mut Thread, x: &BigInt, y: &BigInt) -> PyResult<(BigInt, BigInt)> {
    let (mut quotient, mut rest) = huge::divide(th, x.magnitude(), y.magnitude())?;
    let apart = x.sign() != y.sign();
    if apart && !rest.is_zero() {
        quotient += 1u32;
        rest = y.magnitude() - rest;
    }
    let sign = if apart { Sign::Minus } else { Sign::Plus };
    Ok((BigInt::from_biguint(sign, quotient), BigInt::from_biguint(y.sign(), rest)))
}

/// `a // b`
#[inline]
pub fn floordiv(th: &mut Thread, a: &Value, b: &Value) -> PyResult<Value> {
    if let (Some(x), Some(y)) = (a.as_int(), b.as_int())
        && y != 0
    {
        return Ok(Value::int(floor_div(x, y)));
    }
    let Some((x, y)) = operands(a, b) else { return Ok(Value::NOT_IMPLEMENTED) };
    if y.is_zero() {
        return Err(by_zero(th, "integer division or modulo by zero"));
    }
    let (x, y) = (big(x), big(y));
    Ok(if is_huge(&x, &y) { floor_divided(th, &x, &y)?.0 } else { x.div_floor(&y) }.into())
}
/// `a % b`
#[inline]
pub fn modulo(th: &mut Thread, a: &Value, b: &Value) -> PyResult<Value> {
    if let (Some(x), Some(y)) = (a.as_int(), b.as_int())
        && y != 0
    {
        return Ok(Value::int(floor_mod(x, y)));
    }
    let Some((x, y)) = operands(a, b) else { return Ok(Value::NOT_IMPLEMENTED) };
    if y.is_zero() {
        return Err(by_zero(th, "integer modulo by zero"));
    }
    let (x, y) = (big(x), big(y));
    Ok(if is_huge(&x, &y) { floor_divided(th, &x, &y)?.1 } else { x.mod_floor(&y) }.into())
}
/// `divmod(a, b)`
pub fn divmod(th: &mut Thread, a: &Value, b: &Value) -> PyResult<Value> {
    let Some((x, y)) = operands(a, b) else { return Ok(Value::NOT_IMPLEMENTED) };
    if y.is_zero() {
        return Err(by_zero(th, "integer division or modulo by zero"));
    }
    let (q, r): (Value, Value) = match (x, y) {
        (Small(x), Small(y)) => (floor_div(x, y).into(), floor_mod(x, y).into()),
        _ => {
            let (x, y) = (big(x), big(y));
            let (q, r) = if is_huge(&x, &y) { floor_divided(th, &x, &y)? } else { x.div_mod_floor(&y) };
            (q.into(), r.into())
        }
    };
    Ok(Tuple::of([q, r]).into())
}
/// `a / b`, correctly rounded
#[inline]
pub fn truediv(th: &mut Thread, a: &Value, b: &Value) -> PyResult<Value> {
    if let (Some(x), Some(y)) = (a.as_int(), b.as_int())
        && y != 0
    {
        return Ok(Value::float(x as f64 / y as f64));
    }
    let Some((x, y)) = operands(a, b) else { return Ok(Value::NOT_IMPLEMENTED) };
    match exact::true_divide(&big(x), &big(y)) {
        Ok(f) => Ok(f.into()),
        Err(exact::DivisionError::Zero) => Err(by_zero(th, "division by zero")),
        Err(exact::DivisionError::TooLarge) => Err(overflow_error(th, "integer division result too large for a float")),
    }
}

/// `-a`
pub fn negative(_: &mut Thread, v: &Value) -> PyResult<Value> {
    Ok(match number_of(v) {
        Small(i) => Value::int(-i),
        Big(b) => (-b).into(),
    })
}
/// `+a`: the same number as an exact int
pub fn positive(_: &mut Thread, v: &Value) -> PyResult<Value> {
    Ok(if v.is_exact(&krait_object::builtin_types::INT) { v.clone() } else { number_of(v).to_value() })
}
/// `abs(a)`
pub fn absolute(_: &mut Thread, v: &Value) -> PyResult<Value> {
    Ok(match number_of(v) {
        Small(i) => Value::int(i.abs()),
        Big(b) => b.abs().into(),
    })
}
/// `~a`
pub fn invert(_: &mut Thread, v: &Value) -> PyResult<Value> {
    Ok(match number_of(v) {
        Small(i) => Value::int(!i),
        Big(b) => (!b).into(),
    })
}

/// The order of two ints.
pub fn order(a: IntRef<'_>, b: IntRef<'_>) -> Ordering {
    match (a, b) {
        (Small(x), Small(y)) => x.cmp(&y),
        (Big(x), Big(y)) => x.cmp(y),
        (Small(x), Big(y)) => order_big(y, x).reverse(),
        (Big(x), Small(y)) => order_big(x, y),
    }
}
fn order_big(b: &BigInt, i: i64) -> Ordering {
    use num_traits::ToPrimitive;
    match b.to_i64() {
        Some(b) => b.cmp(&i),
        None if b.sign() == Sign::Minus => Ordering::Less,
        None => Ordering::Greater,
    }
}
/// `a op b`
#[inline]
pub fn compare(_: &mut Thread, a: &Value, b: &Value, op: CmpOp) -> PyResult<Value> {
    if let (Some(x), Some(y)) = (a.as_int(), b.as_int()) {
        return Ok(Value::bool(op.of(x.cmp(&y))));
    }
    let Some((x, y)) = operands(a, b) else { return Ok(Value::NOT_IMPLEMENTED) };
    Ok(Value::bool(op.of(order(x, y))))
}

/// Rounds to a multiple of 10^`places`, half to even.
pub(super) fn round_to_power_of_ten(th: &mut Thread, i: IntRef<'_>, places: u64) -> PyResult<Value> {
    let number = big(i);
    // 2^3 < 10: beyond this many places half of the power exceeds the number.
    if places > number.bits() / 3 + 2 {
        return Ok(Value::int(0));
    }
    let power = BigInt::from(10u32).pow(u32::try_from(places).map_err(|_| memory_error(th))?);
    let (quotient, rest) = number.div_mod_floor(&power);
    let up = match (&rest * 2i32).cmp(&power) {
        Ordering::Less => false,
        Ordering::Equal => quotient.is_odd(),
        Ordering::Greater => true,
    };
    let mut result = number.as_ref() - &rest;
    if up {
        result += power;
    }
    if result.is_zero() {
        return Ok(Value::int(0));
    }
    Ok(result.into())
}
