//! Exact conversions between integers and floats, each rounded half to even once.
//! CPython counterparts: `_PyLong_Frexp`, `PyLong_FromDouble`, `long_true_divide`, `float_as_integer_ratio_impl`.

use num_bigint::{BigInt, BigUint, Sign};
use num_traits::{ToPrimitive, Zero};

/// `value * 2^exponent`, rounded at most once.
pub fn ldexp(value: f64, exponent: i32) -> f64 {
    let mut value = value;
    let mut exponent = exponent;
    let power = |e: i32| f64::from_bits(((e + 1023) as u64) << 52);
    if exponent > 1023 {
        for _ in 0..2 {
            if exponent > 1023 {
                value *= power(1023);
                exponent -= 1023;
            }
        }
        exponent = exponent.min(1023);
    } else if exponent < -1022 {
        // A step short of 2^-1022 by the width of the mantissa: no digit is lost before the last multiplication.
        for _ in 0..2 {
            if exponent < -1022 {
                value *= power(-1022) * power(53);
                exponent += 1022 - 53;
            }
        }
        exponent = exponent.max(-1022);
    }
    value * power(exponent)
}

/// Nearest float; `None` when it is too large (OverflowError: int too large to convert to float).
pub fn bigint_to_f64(value: &BigInt) -> Option<f64> {
    let magnitude = value.magnitude();
    let bits = magnitude.bits();
    if bits > 1024 {
        return None;
    }
    let float = if bits <= 64 {
        magnitude.to_u64()? as f64
    } else {
        let shift = bits - 64;
        let top = (magnitude >> shift).to_u64()?;
        let sticky = magnitude.trailing_zeros().is_some_and(|zeros| zeros < shift);
        ldexp((top | u64::from(sticky)) as f64, shift as i32)
    };
    float.is_finite().then_some(if value.sign() == Sign::Minus { -float } else { float })
}

/// Mantissa and exponent with `value = mantissa * 2^exponent`, the mantissa odd or zero; the value must be finite.
pub fn mantissa_exponent(value: f64) -> (i64, i32) {
    if value == 0.0 {
        return (0, 0);
    }
    let bits = value.to_bits();
    let stored = (bits >> 52 & 0x7FF) as i32;
    let fraction = (bits & ((1 << 52) - 1)) as i64;
    let (mantissa, exponent) = if stored == 0 { (fraction, -1074) } else { (fraction | 1 << 52, stored - 1075) };
    let zeros = mantissa.trailing_zeros();
    let mantissa = mantissa >> zeros;
    (if value.is_sign_negative() { -mantissa } else { mantissa }, exponent + zeros as i32)
}

/// `value.as_integer_ratio()`; the value must be finite.
pub fn integer_ratio(value: f64) -> (BigInt, BigInt) {
    let (mantissa, exponent) = mantissa_exponent(value);
    let one = BigInt::from(1);
    if exponent >= 0 {
        (BigInt::from(mantissa) << exponent as u32, one)
    } else {
        (BigInt::from(mantissa), one << exponent.unsigned_abs())
    }
}

/// The value truncated towards zero; it must be finite.
pub fn f64_to_bigint(value: f64) -> BigInt {
    if value.abs() < 9.0e18 {
        return BigInt::from(value as i64);
    }
    let (mantissa, exponent) = mantissa_exponent(value);
    BigInt::from(mantissa) << exponent.max(0) as u32
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DivisionError {
    /// ZeroDivisionError: division by zero
    Zero,
    /// OverflowError: integer division result too large for a float
    TooLarge,
}

/// `a / b` for integers.
pub fn true_divide(a: &BigInt, b: &BigInt) -> Result<f64, DivisionError> {
    if b.is_zero() {
        return Err(DivisionError::Zero);
    }
    let negative = (a.sign() == Sign::Minus) != (b.sign() == Sign::Minus);
    let magnitude = divide_magnitudes(a.magnitude(), b.magnitude())?;
    Ok(if negative { -magnitude } else { magnitude })
}

fn divide_magnitudes(a: &BigUint, b: &BigUint) -> Result<f64, DivisionError> {
    if a.is_zero() {
        return Ok(0.0);
    }
    let (a_bits, b_bits) = (a.bits() as i64, b.bits() as i64);
    if a_bits <= 53 && b_bits <= 53 {
        let exact = |n: &BigUint| n.to_u64().unwrap_or(0) as f64;
        return Ok(exact(a) / exact(b));
    }
    let difference = a_bits - b_bits;
    if difference > 1024 {
        return Err(DivisionError::TooLarge);
    }
    if difference < -1076 {
        return Ok(0.0);
    }
    // The quotient gets two or three bits more than the float, fewer when the result is subnormal.
    let shift = difference.max(-1021) - 55;
    let (mut inexact, scaled) = if shift <= 0 {
        (false, a << shift.unsigned_abs())
    } else {
        (a.trailing_zeros().is_some_and(|zeros| (zeros as i64) < shift), a >> shift as u64)
    };
    let quotient = &scaled / b;
    inexact |= scaled != &quotient * b;
    let quotient = quotient.to_u64().unwrap_or(u64::MAX);
    let bits = 64 - i64::from(quotient.leading_zeros());
    let extra = bits.max(-1021 - shift) - 53;
    let half = 1u64 << (extra - 1);
    let low = quotient | u64::from(inexact);
    let mut kept = low >> extra;
    if low & half != 0 && (low & (half - 1) != 0 || kept & 1 == 1) {
        kept += 1;
    }
    let value = ldexp(kept as f64, (shift + extra) as i32);
    if value.is_infinite() { Err(DivisionError::TooLarge) } else { Ok(value) }
}
