//! The limit on digits in conversions between ints and decimal text (`sys.set_int_max_str_digits`), which keeps quadratic
//! conversions out of reach of untrusted input.
use std::f64::consts::LOG10_2;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use krait_object::{IntRef, PyResult, Raised, Thread};
use num_bigint::{BigInt, BigUint};

use crate::errors::value_error;

pub const DEFAULT: usize = 4300;
/// Limits below this (other than 0, no limit) are refused.
pub const THRESHOLD: usize = 640;

struct MaxDigits(AtomicUsize);
impl Default for MaxDigits {
    fn default() -> MaxDigits {
        MaxDigits(AtomicUsize::new(DEFAULT))
    }
}

/// The interpreter's limit; 0 = none.
pub fn get(th: &Thread) -> usize {
    th.interp.extension::<MaxDigits>().0.load(Relaxed)
}
pub fn set(th: &Thread, digits: usize) {
    th.interp.extension::<MaxDigits>().0.store(digits, Relaxed);
}

fn exceeded(th: &mut Thread, limit: usize, digits: Option<usize>) -> Raised {
    let has = digits.map(|d| format!(": value has {d} digits")).unwrap_or_default();
    let message = format!(
        "Exceeds the limit ({limit} digits) for integer string conversion{has}; \
         use sys.set_int_max_str_digits() to increase the limit"
    );
    value_error(th, message)
}
/// Checks text of so many digits before it is made an int.
pub fn check_digits(th: &mut Thread, digits: usize) -> PyResult<()> {
    if digits <= THRESHOLD {
        return Ok(());
    }
    let limit = get(th);
    if limit > 0 && digits > limit {
        return Err(exceeded(th, limit, Some(digits)));
    }
    Ok(())
}
/// Checks an int before it is made decimal text.
pub fn check_value(th: &mut Thread, i: IntRef<'_>) -> PyResult<()> {
    let IntRef::Big(b) = i else { return Ok(()) };
    // 640 digits take at least 2123 bits.
    if b.bits() < 2123 {
        return Ok(());
    }
    let limit = get(th);
    if limit == 0 || fits(b, limit) { Ok(()) } else { Err(exceeded(th, limit, None)) }
}
/// Whether `b` has at most `digits` decimal digits.
fn fits(b: &BigInt, digits: usize) -> bool {
    let (length, digits_f) = (b.bits() as f64 * LOG10_2, digits as f64);
    if length + 1.0 < digits_f {
        return true;
    }
    length - 1.0 < digits_f && *b.magnitude() < BigUint::from(10u32).pow(digits as u32)
}
