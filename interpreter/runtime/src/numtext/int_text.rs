//! Ints to text in bases 2 to 36. CPython counterpart: `long_to_decimal_string_internal`, `long_format_binary`.

use num_bigint::{BigInt, BigUint, Sign};

use super::steps::{AtOnce, Steps};

/// Below this many bits the quadratic conversion wins.
pub const SPLIT_BITS: u64 = 12_000;

/// An upper bound of the number of decimal digits, for the digit limit (exact to within one).
pub fn decimal_digits_at_most(value: &BigInt) -> u64 {
    (value.bits() as f64 * std::f64::consts::LOG10_2) as u64 + 1
}

/// Lower-case digits with a minus sign where one is due, no prefix.
pub fn bigint_to_text(value: &BigInt, base: u32) -> String {
    let Ok(text) = bigint_to_text_by(&mut AtOnce, value, base);
    text
}

/// As [`bigint_to_text`], in steps that may fail.
pub fn bigint_to_text_by<S: Steps>(steps: &mut S, value: &BigInt, base: u32) -> Result<String, S::Fault> {
    let magnitude = value.magnitude();
    let digits = if base.is_power_of_two() || magnitude.bits() < SPLIT_BITS {
        magnitude.to_str_radix(base)
    } else {
        let mut powers = vec![(512usize, BigUint::from(base).pow(512))];
        while let Some((count, power)) = powers.last()
            && power.bits() * 2 < magnitude.bits() + 2
        {
            powers.push((count * 2, steps.multiply(power, power)?));
        }
        let mut out = String::new();
        split(steps, magnitude, base, &powers, 0, &mut out)?;
        out
    };
    Ok(if value.sign() == Sign::Minus { format!("-{digits}") } else { digits })
}

/// Appends `value`, padded to `width` digits with zeros.
fn split<S: Steps>(
    steps: &mut S,
    value: &BigUint,
    base: u32,
    powers: &[(usize, BigUint)],
    width: usize,
    out: &mut String,
) -> Result<(), S::Fault> {
    let Some(((count, power), smaller)) = powers.split_last().filter(|_| value.bits() >= SPLIT_BITS) else {
        let digits = if value.bits() == 0 && !out.is_empty() { String::new() } else { value.to_str_radix(base) };
        out.extend(std::iter::repeat_n('0', width.saturating_sub(digits.len())));
        out.push_str(&digits);
        return Ok(());
    };
    if value < power {
        return split(steps, value, base, smaller, width, out);
    }
    let (high, low) = steps.divide(value, power)?;
    split(steps, &high, base, smaller, width.saturating_sub(*count), out)?;
    split(steps, &low, base, smaller, *count, out)
}

/// Same as [`bigint_to_text`] for a machine word.
pub fn i64_to_text(value: i64, base: u32) -> String {
    if base == 10 {
        return value.to_string();
    }
    let mut rest = value.unsigned_abs();
    let mut digits = Vec::with_capacity(65);
    loop {
        let digit = (rest % u64::from(base)) as u32;
        digits.push(char::from_digit(digit, base).unwrap_or('0'));
        rest /= u64::from(base);
        if rest == 0 {
            break;
        }
    }
    if value < 0 {
        digits.push('-');
    }
    digits.iter().rev().collect()
}
