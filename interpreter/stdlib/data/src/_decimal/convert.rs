//! Python's numbers and strings to decimals and back.
use krait_object::{IntRef, List, PyResult, Ref, Str, Thread, Tuple, Type, Value, hash};
use krait_runtime::errors::{overflow_error, type_error, value_error};
use krait_runtime::numtext::{exact, float_parse};
use krait_runtime::types::int::ascii_digits;
use num_bigint::{BigInt, BigUint, Sign};
use num_traits::{Signed, ToPrimitive, Zero};

use super::context::Context;
use super::decimal::{DECIMAL, Decimal};
use super::num::{Ctx, Dec, Kind, flag::*, pow10};
use super::{signals, text};
use crate::arguments::class_name;

/// A decimal of `class`.
pub fn with_class(d: Dec, class: &Ref<Type>) -> Value {
    if class.is(&DECIMAL) { Ref::new(Decimal(d)).into() } else { Ref::with_class(Decimal(d), class.object()).into() }
}
pub fn value(d: Dec) -> Value {
    Ref::new(Decimal(d)).into()
}
pub fn of_int(n: IntRef<'_>) -> Dec {
    match n {
        IntRef::Small(n) => Dec::small(n),
        IntRef::Big(n) => Dec::new(n.is_negative(), n.magnitude().clone(), 0),
    }
}
/// The exact value of a float.
pub fn of_float(f: f64) -> Dec {
    let negative = f.is_sign_negative();
    if f.is_nan() {
        return Dec { negative, ..Dec::nan() };
    }
    if f.is_infinite() {
        return Dec::infinity(negative);
    }
    let (n, d) = exact::integer_ratio(f.abs());
    let k = d.bits() as i64 - 1;
    Dec::new(negative, n.magnitude() * BigUint::from(5u32).pow(k as u32), -k)
}
/// A Decimal or an int.
pub fn operand(v: &Value) -> Option<Dec> {
    if let Some(d) = v.downcast_ref::<Decimal>() {
        return Some(d.0.clone());
    }
    v.as_int_ref().map(of_int)
}
pub fn expect(th: &mut Thread, v: &Value) -> PyResult<Dec> {
    operand(v).ok_or_else(|| {
        let class = class_name(v);
        type_error(th, format!("conversion from {class} to Decimal is not supported"))
    })
}
/// How a value is brought into a context: as it is, or rounded.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    Exact,
    Rounded,
}
fn settle(d: Dec, mode: Mode, c: &Ctx, st: &mut u32) -> Dec {
    match mode {
        Mode::Rounded => {
            let room = c.prec - i64::from(c.clamp);
            if d.is_nan() && !d.coeff.is_zero() && d.digits() > room {
                *st |= CONVERSION_SYNTAX;
                return Dec::nan();
            }
            d.finalize(c, st)
        }
        Mode::Exact => match text::in_range(d) {
            Some(d) => d,
            None => {
                *st |= INVALID_OPERATION;
                Dec::nan()
            }
        },
    }
}
fn of_text(s: &Str, mode: Mode, c: &Ctx, st: &mut u32) -> Dec {
    let ascii = match s.as_ascii() {
        Some(t) => t.as_bytes().to_vec(),
        None => ascii_digits(s),
    };
    // Where the conversion is exact, blanks around the number go, and underscores anywhere in it.
    if mode == Mode::Rounded {
        return parsed(&ascii, mode, c, st);
    }
    let blank = |b: &u8| matches!(b, b' ' | b'\t'..=b'\r' | 0x1c..=0x1f);
    let start = ascii.iter().position(|b| !blank(b)).unwrap_or(ascii.len());
    let end = ascii.iter().rposition(|b| !blank(b)).map_or(start, |i| i + 1);
    let plain: Vec<u8> = ascii[start..end].iter().copied().filter(|&b| b != b'_').collect();
    parsed(&plain, mode, c, st)
}
fn parsed(plain: &[u8], mode: Mode, c: &Ctx, st: &mut u32) -> Dec {
    match text::parse(plain) {
        Some(d) => settle(d, mode, c, st),
        None => {
            *st |= CONVERSION_SYNTAX;
            Dec::nan()
        }
    }
}
fn of_tuple(th: &mut Thread, items: &[Value]) -> PyResult<Dec> {
    let [sign, digits, exponent] = items else {
        return Err(value_error(th, "argument must be a sequence of length 3"));
    };
    let sign = match sign.as_int_ref().and_then(|n| n.to_i64()) {
        Some(n @ (0 | 1)) => n == 1,
        _ => return Err(value_error(th, "sign must be an integer with the value 0 or 1")),
    };
    let mut kind = Kind::Finite;
    let mut exp = 0;
    if let Some(s) = exponent.downcast_ref::<Str>() {
        kind = match &*s.to_string_lossy() {
            "F" => Kind::Infinite,
            "n" => Kind::Quiet,
            "N" => Kind::Signaling,
            _ => {
                let message = "string argument in the third position must be 'F', 'n' or 'N'";
                return Err(value_error(th, message));
            }
        };
    } else {
        match exponent.as_int_ref() {
            Some(n) => match n.to_i64() {
                Some(n) => exp = n.clamp(-(i64::MAX / 4), i64::MAX / 4),
                None => return Err(overflow_error(th, "Python int too large to convert to C ssize_t")),
            },
            None => return Err(value_error(th, "exponent must be an integer")),
        }
    }
    let list: Option<Vec<Value>> = match digits.downcast_ref::<Tuple>() {
        Some(t) => Some(t.to_vec()),
        None => digits.downcast_ref::<List>().map(List::to_vec),
    };
    let Some(list) = list else { return Err(value_error(th, "coefficient must be a tuple of digits")) };
    let mut text = Vec::with_capacity(list.len());
    if kind == Kind::Infinite {
        return Ok(Dec::infinity(sign));
    }
    for digit in list {
        match digit.as_int_ref().and_then(|n| n.to_i64()) {
            Some(n @ 0..=9) => text.push(b'0' + n as u8),
            _ => return Err(value_error(th, "coefficient must be a tuple of digits")),
        }
    }
    let coeff = BigUint::parse_bytes(&text, 10).unwrap_or_default();
    Ok(Dec { negative: sign, kind, coeff, exp })
}
/// Anything that a decimal can be made of.
pub fn of_value(th: &mut Thread, v: &Value, mode: Mode, ctx: &Ref<Context>) -> PyResult<Dec> {
    let c = ctx.data.get();
    let mut st = 0;
    let made = if let Some(d) = v.downcast_ref::<Decimal>() {
        match mode {
            Mode::Exact => d.0.clone(),
            Mode::Rounded => settle(d.0.clone(), mode, &c, &mut st),
        }
    } else if let Some(s) = v.downcast_ref::<Str>() {
        of_text(s, mode, &c, &mut st)
    } else if let Some(n) = v.as_int_ref() {
        settle(of_int(n), mode, &c, &mut st)
    } else if let Some(f) = v.to_f64() {
        st |= FLOAT_OPERATION;
        signals::note(th, ctx, st)?;
        st = 0;
        settle(of_float(f), mode, &c, &mut st)
    } else if let Some(items) =
        v.downcast_ref::<Tuple>().map(|t| t.to_vec()).or_else(|| v.downcast_ref::<List>().map(List::to_vec))
    {
        let d = of_tuple(th, &items)?;
        settle(d, mode, &c, &mut st)
    } else {
        let class = class_name(v);
        return Err(type_error(th, format!("conversion from {class} to Decimal is not supported")));
    };
    signals::note(th, ctx, st)?;
    Ok(made)
}
/// The integer part; ValueError or OverflowError for what has none.
pub fn to_integer(th: &mut Thread, d: &Dec) -> PyResult<BigInt> {
    if d.is_nan() {
        return Err(value_error(th, "cannot convert NaN to integer"));
    }
    if d.is_infinite() {
        return Err(overflow_error(th, "cannot convert Infinity to integer"));
    }
    if d.exp > 400_000_000 && !d.coeff.is_zero() {
        return Err(krait_runtime::errors::memory_error(th));
    }
    let n = if d.coeff.is_zero() {
        BigUint::zero()
    } else if d.exp >= 0 {
        &d.coeff * pow10(d.exp)
    } else {
        super::num::shift_right(&d.coeff, -d.exp).0
    };
    Ok(BigInt::from_biguint(if d.negative { Sign::Minus } else { Sign::Plus }, n))
}
pub fn to_float(th: &mut Thread, d: &Dec) -> PyResult<f64> {
    match d.kind {
        Kind::Signaling => Err(value_error(th, "cannot convert signaling NaN to float")),
        Kind::Quiet => Ok(if d.negative { -f64::NAN } else { f64::NAN }),
        _ => Ok(float_parse::parse_float(text::to_text(d, false, true).as_bytes()).unwrap_or(f64::NAN)),
    }
}
/// Modulo the prime by which numbers are hashed.
const INVERSE_OF_10: u64 = power(10, hash::MODULUS - 2);
const fn times(x: u64, y: u64) -> u64 {
    (x as u128 * y as u128 % hash::MODULUS as u128) as u64
}
const fn power(mut base: u64, mut exponent: u64) -> u64 {
    let mut result = 1;
    while exponent != 0 {
        if exponent & 1 != 0 {
            result = times(result, base);
        }
        base = times(base, base);
        exponent >>= 1;
    }
    result
}
/// The hash that equal numbers of other types have too.
pub fn hash_of(th: &mut Thread, d: &Dec, v: &Value) -> PyResult<i64> {
    match d.kind {
        Kind::Signaling => return Err(type_error(th, "Cannot hash a signaling NaN value")),
        Kind::Quiet => return Ok(hash::pointer(v.id() as usize)),
        Kind::Infinite => return Ok(if d.negative { -314_159 } else { 314_159 }),
        Kind::Finite => {}
    }
    let base = if d.exp >= 0 { 10 } else { INVERSE_OF_10 };
    let reduced = (&d.coeff % hash::MODULUS).to_u64().unwrap_or(0);
    let h = times(reduced, power(base, d.exp.unsigned_abs())) as i64;
    Ok(hash::fix(if d.negative { -h } else { h }))
}
