//! The decimal digits of a float: the shortest that read back the same, or correctly rounded (half to even) to a number
//! of significant or fractional digits. CPython counterpart: `_Py_dg_dtoa` of `Python/dtoa.c`, modes 0, 2 and 3.

/// Digits without trailing zeros, and the position of the decimal point counted from the first digit:
/// the value is `0.DIGITS * 10^point`. Zero is the digit `0` with the point at 1.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decimal {
    /// ASCII digits; empty when the number was rounded to nothing.
    pub digits: Vec<u8>,
    pub point: i32,
}

/// No finite double has more significant decimal digits than this.
const MOST_DIGITS: usize = 767;

impl Decimal {
    fn zero() -> Decimal {
        Decimal { digits: vec![b'0'], point: 1 }
    }

    /// Reads Rust's `d.ddde±x`.
    fn from_scientific(text: &str) -> Decimal {
        let (mantissa, exponent) = text.split_once('e').unwrap_or((text, "0"));
        let digits = mantissa.bytes().filter(u8::is_ascii_digit).collect();
        let exponent: i32 = exponent.parse().unwrap_or(0);
        let mut decimal = Decimal { digits, point: exponent + 1 };
        decimal.strip();
        decimal
    }

    fn strip(&mut self) {
        while self.digits.last() == Some(&b'0') {
            self.digits.pop();
        }
    }

    /// Rounds half to even, keeping `keep` digits; the digits must be exact. Negative `keep` leaves nothing.
    fn round(&mut self, keep: i64) {
        if keep >= self.digits.len() as i64 {
            return;
        }
        if keep < 0 {
            self.digits.clear();
            return;
        }
        let keep = keep as usize;
        let half = self.digits[keep].cmp(&b'5').then(if self.digits.len() > keep + 1 {
            std::cmp::Ordering::Greater
        } else {
            std::cmp::Ordering::Equal
        });
        let odd = keep > 0 && self.digits[keep - 1] % 2 == 1;
        let up = half.is_gt() || (half.is_eq() && odd);
        self.digits.truncate(keep);
        if up {
            while let Some(last) = self.digits.last_mut() {
                if *last == b'9' {
                    self.digits.pop();
                } else {
                    *last += 1;
                    return;
                }
            }
            self.digits.push(b'1');
            self.point += 1;
        }
        self.strip();
    }
}

/// The shortest digits that read back as `value`; sign and finiteness are the caller's business.
pub fn shortest(value: f64) -> Decimal {
    if value == 0.0 {
        return Decimal::zero();
    }
    let value = value.abs();
    let decimal = Decimal::from_scientific(&format!("{value:e}"));
    // Two shortest candidates can be equally near, which takes a large value with very few bits behind the binary
    // point. The standard library then rounds up, CPython to even.
    let tie = decimal.digits.last().is_some_and(|d| d % 2 == 1)
        && (1e12..2e16).contains(&value)
        && (value * 16.0).fract() == 0.0;
    if tie {
        let even = format!("{:.*e}", decimal.digits.len() - 1, value);
        if even.parse() == Ok(value) {
            return Decimal::from_scientific(&even);
        }
    }
    decimal
}

/// Rounded to `count >= 1` significant digits.
pub fn significant(value: f64, count: usize) -> Decimal {
    if value == 0.0 {
        return Decimal::zero();
    }
    Decimal::from_scientific(&format!("{:.*e}", count.clamp(1, MOST_DIGITS) - 1, value.abs()))
}

/// The nearest multiple of `10^-places` to the value without its sign, half to even: exact where it fits.
fn multiple_of(value: f64, places: i64) -> Option<u128> {
    if !(0..=22).contains(&places) || value.abs() >= 1e15 {
        return None;
    }
    let (bits, scale) = (value.abs().to_bits(), 10u128.pow(places as u32));
    let (fraction, exponent) = (bits & ((1 << 52) - 1), (bits >> 52) as i32);
    // value = mantissa * 2^power, and mantissa * 10^22 is below 2^127.
    let (mantissa, power) = match exponent {
        0 => (fraction, -1074),
        _ => (fraction | 1 << 52, exponent - 1075),
    };
    let scaled = u128::from(mantissa) * scale;
    if power >= 0 {
        return Some(scaled << power);
    }
    let shift = power.unsigned_abs();
    if shift > 127 {
        return Some(0);
    }
    let (whole, rest, half) = (scaled >> shift, scaled & ((1 << shift) - 1), 1 << (shift - 1));
    Some(whole + u128::from(rest > half || rest == half && whole & 1 == 1))
}

/// Rounded to `places` digits behind the decimal point, before it when negative.
pub fn fixed(value: f64, places: i64) -> Decimal {
    if value == 0.0 {
        return Decimal::zero();
    }
    let mut decimal = if let Some(multiple) = multiple_of(value, places) {
        let digits = match (multiple, u64::try_from(multiple)) {
            (0, _) => Vec::new(),
            (_, Ok(small)) => small.to_string().into_bytes(),
            _ => multiple.to_string().into_bytes(),
        };
        let mut decimal = Decimal { point: digits.len() as i32 - places as i32, digits };
        decimal.strip();
        decimal
    } else {
        let mut decimal = Decimal::from_scientific(&format!("{:.*e}", MOST_DIGITS - 1, value.abs()));
        decimal.round(i64::from(decimal.point) + places);
        decimal
    };
    if decimal.digits.is_empty() {
        decimal.point = -places as i32;
    }
    decimal
}

/// `round(value, places)` for a float: to the nearest multiple, half to even. `None` when that overflows.
pub fn round_to(value: f64, places: i64) -> Option<f64> {
    if !value.is_finite() || places > 323 {
        return Some(value);
    }
    if places < -308 {
        return Some(0.0 * value);
    }
    const EXACT: u128 = 1 << 53;
    if let Some(multiple @ 0..EXACT) = multiple_of(value, places) {
        // A quotient of two numbers that are exact.
        return Some((multiple as f64 / 10f64.powi(places as i32)).copysign(value));
    }
    let decimal = fixed(value, places);
    let digits = String::from_utf8_lossy(&decimal.digits);
    let text = format!("0.{digits}e{}", decimal.point);
    let rounded: f64 = if digits.is_empty() { 0.0 } else { text.parse().unwrap_or(0.0) };
    rounded.is_finite().then(|| rounded.copysign(value))
}
