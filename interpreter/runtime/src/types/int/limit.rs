//! The limit on digits in conversions between ints and decimal text (`sys.set_int_max_str_digits`), which keeps quadratic
//! conversions out of reach of untrusted input.
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use krait_object::{IntRef, PyResult, Raised, Thread};
use num_bigint::BigInt;

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
    // log10(2) is a little more than 0.30102.
    let least_digits = (b.bits().saturating_sub(1) as f64 * 0.301_02) as usize;
    if least_digits < THRESHOLD.saturating_sub(1) {
        return Ok(());
    }
    let limit = get(th);
    if limit == 0 || (least_digits < limit.saturating_sub(2) && fits(b, limit)) {
        return Ok(());
    }
    if least_digits <= limit + 1 && fits(b, limit) {
        return Ok(());
    }
    Err(exceeded(th, limit, None))
}
/// Whether `b` has at most `digits` decimal digits.
fn fits(b: &BigInt, digits: usize) -> bool {
    let most = (b.bits() as f64 * 0.301_03) as usize + 1;
    most <= digits || *b.magnitude() < num_bigint::BigUint::from(10u32).pow(digits as u32)
}
