//! `float.hex` and `float.fromhex`. CPython counterparts: `float_hex_impl`, `float_fromhex_impl`.

use super::exact::ldexp;

/// `value.hex()`.
pub fn hex(value: f64) -> String {
    let sign = if value.is_sign_negative() { "-" } else { "" };
    if value.is_nan() {
        return "nan".into();
    }
    if value.is_infinite() {
        return format!("{sign}inf");
    }
    if value == 0.0 {
        return format!("{sign}0x0.0p+0");
    }
    let bits = value.to_bits();
    let stored = (bits >> 52 & 0x7FF) as i32;
    let (lead, exponent) = if stored == 0 { (0, -1022) } else { (1, stored - 1023) };
    format!("{sign}0x{lead}.{:013x}p{exponent:+}", bits & ((1 << 52) - 1))
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HexError {
    /// ValueError: invalid hexadecimal floating-point string
    Invalid,
    /// OverflowError: hexadecimal value too large to represent as a float
    TooLarge,
}

/// `float.fromhex(text)`; whitespace around is the caller's to strip (CPython strips ASCII whitespace).
pub fn from_hex(text: &[u8]) -> Result<f64, HexError> {
    let (negative, rest) = match text {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        rest => (false, rest),
    };
    let magnitude = match rest.to_ascii_lowercase().as_slice() {
        b"inf" | b"infinity" => f64::INFINITY,
        b"nan" => f64::NAN.copysign(1.0),
        lower => magnitude(lower)?,
    };
    Ok(if negative { -magnitude } else { magnitude })
}

fn nibble(byte: u8) -> u8 {
    if byte.is_ascii_digit() { byte - b'0' } else { byte - b'a' + 10 }
}

fn exponent(text: &[u8]) -> Result<i64, HexError> {
    let (negative, digits) = match text {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        rest => (false, rest),
    };
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return Err(HexError::Invalid);
    }
    // Far beyond any exponent that could still matter, so that it saturates.
    let value = digits.iter().fold(0i64, |n, d| (n * 10 + i64::from(d - b'0')).min(1 << 52));
    Ok(if negative { -value } else { value })
}

fn magnitude(text: &[u8]) -> Result<f64, HexError> {
    let text = text.strip_prefix(b"0x").unwrap_or(text);
    let whole = text.iter().take_while(|b| b.is_ascii_hexdigit()).count();
    let mut rest = &text[whole..];
    let mut fraction = &rest[..0];
    if let [b'.', after @ ..] = rest {
        let len = after.iter().take_while(|b| b.is_ascii_hexdigit()).count();
        fraction = &after[..len];
        rest = &after[len..];
    }
    if whole + fraction.len() == 0 {
        return Err(HexError::Invalid);
    }
    let exp = match rest {
        [] => 0,
        [b'p', digits @ ..] => exponent(digits)?,
        _ => return Err(HexError::Invalid),
    };
    // Collects 64 leading bits; all that follows becomes the sticky lowest bit.
    let mut mantissa: u64 = 0;
    let mut scale = exp - 4 * fraction.len() as i64;
    for &digit in text[..whole].iter().chain(fraction) {
        let digit = u64::from(nibble(digit));
        if mantissa >> 60 == 0 {
            mantissa = mantissa << 4 | digit;
        } else {
            mantissa |= u64::from(digit != 0);
            scale += 4;
        }
    }
    if mantissa == 0 {
        return Ok(0.0);
    }
    let top = 63 - i64::from(mantissa.leading_zeros()) + scale;
    if top > 1024 {
        return Err(HexError::TooLarge);
    }
    if top < -1080 {
        return Ok(0.0);
    }
    let value = rounded(mantissa, scale as i32);
    if value.is_infinite() { Err(HexError::TooLarge) } else { Ok(value) }
}

/// `mantissa * 2^scale`, rounded half to even once, subnormals included.
fn rounded(mantissa: u64, scale: i32) -> f64 {
    let bits = 64 - mantissa.leading_zeros() as i32;
    let drop = (bits - 53).max(-1074 - scale);
    if drop <= 0 {
        return ldexp(mantissa as f64, scale);
    }
    if drop > 64 {
        return 0.0;
    }
    let kept = if drop == 64 { 0 } else { mantissa >> drop };
    let half = 1u64 << (drop - 1);
    let below = mantissa & (half - 1) != 0;
    let up = mantissa & half != 0 && (below || kept & 1 == 1);
    ldexp((kept + u64::from(up)) as f64, scale + drop)
}
