//! Text to int in bases 2 to 36. The caller has turned Unicode digits into ASCII ones and checks the digit limit, for
//! which a scan comes before the conversion. CPython counterpart: `PyLong_FromString`.

use num_bigint::{BigInt, BigUint, Sign};

use super::steps::{AtOnce, Steps};

/// A literal whose form is right.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scanned {
    pub negative: bool,
    pub base: u32,
    /// Digit values, most significant first, without underscores; never empty.
    pub digits: Vec<u8>,
}

/// An int that may or may not fit a machine word.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Int {
    Small(i64),
    Big(BigInt),
}

fn value(byte: u8) -> u32 {
    char::from(byte).to_digit(36).unwrap_or(99)
}

fn is_space(byte: &u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | 0x0b | 0x0c | b'\r')
}

/// Checks `text` (ASCII whitespace around it allowed) as a literal in `base`, 0 meaning "by its prefix".
/// `None`: invalid literal.
pub fn scan(text: &[u8], base: u32) -> Option<Scanned> {
    let start = text.iter().position(|b| !is_space(b))?;
    let end = text.iter().rposition(|b| !is_space(b))? + 1;
    let (negative, mut rest) = match &text[start..end] {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        rest => (false, rest),
    };
    let prefix = match rest {
        [b'0', b'x' | b'X', ..] => 16,
        [b'0', b'o' | b'O', ..] => 8,
        [b'0', b'b' | b'B', ..] => 2,
        _ => 0,
    };
    let mut only_zero = false;
    let base = match base {
        0 if prefix != 0 => prefix,
        0 => {
            // An old-style octal literal is refused, but any number of zeros is zero.
            only_zero = rest.first() == Some(&b'0');
            10
        }
        base => base,
    };
    if prefix == base {
        rest = &rest[2..];
        rest = rest.strip_prefix(b"_").unwrap_or(rest);
    }
    let mut digits = Vec::with_capacity(rest.len());
    let mut underscore = true;
    for &byte in rest {
        if byte == b'_' {
            if underscore {
                return None;
            }
            underscore = true;
            continue;
        }
        let digit = value(byte);
        if digit >= base || (only_zero && digit != 0) {
            return None;
        }
        digits.push(digit as u8);
        underscore = false;
    }
    (!underscore).then_some(Scanned { negative, base, digits })
}

/// Below this many digits the quadratic conversion wins.
const SPLIT: usize = 600;

fn magnitude<S: Steps>(
    steps: &mut S,
    digits: &[u8],
    base: u32,
    powers: &mut Vec<(usize, BigUint)>,
) -> Result<BigUint, S::Fault> {
    if digits.len() <= SPLIT {
        return Ok(BigUint::from_radix_be(digits, base).unwrap_or_default());
    }
    // Splits at the largest SPLIT * 2^k below the length, so that the powers are shared.
    let mut low = SPLIT;
    let mut level = 0;
    while low * 2 < digits.len() {
        low *= 2;
        level += 1;
    }
    while powers.len() <= level {
        let next = match powers.last() {
            None => (SPLIT, BigUint::from(base).pow(SPLIT as u32)),
            Some((count, power)) => (count * 2, steps.multiply(power, power)?),
        };
        powers.push(next);
    }
    let (high, low) = digits.split_at(digits.len() - low);
    let high = magnitude(steps, high, base, powers)?;
    let low = magnitude(steps, low, base, powers)?;
    Ok(steps.multiply(&high, &powers[level].1)? + low)
}

impl Scanned {
    /// The number of digits that the limit of `sys.set_int_max_str_digits` counts; bases that are powers of two are free.
    pub fn limited_digits(&self) -> usize {
        if self.base.is_power_of_two() { 0 } else { self.digits.len() }
    }

    pub fn value(&self) -> Int {
        let Ok(value) = self.value_by(&mut AtOnce);
        value
    }

    /// As [`Scanned::value`], in steps that may fail.
    pub fn value_by<S: Steps>(&self, steps: &mut S) -> Result<Int, S::Fault> {
        let mut small: i64 = 0;
        let fits = self.digits.iter().all(|&digit| {
            let next = small.checked_mul(i64::from(self.base)).and_then(|n| n.checked_sub(i64::from(digit)));
            small = next.unwrap_or(0);
            next.is_some()
        });
        if fits && self.negative {
            return Ok(Int::Small(small));
        }
        if fits && let Some(positive) = small.checked_neg() {
            return Ok(Int::Small(positive));
        }
        let magnitude = if self.base.is_power_of_two() {
            BigUint::from_radix_be(&self.digits, self.base).unwrap_or_default()
        } else {
            magnitude(steps, &self.digits, self.base, &mut Vec::new())?
        };
        Ok(Int::Big(BigInt::from_biguint(if self.negative { Sign::Minus } else { Sign::Plus }, magnitude)))
    }
}
