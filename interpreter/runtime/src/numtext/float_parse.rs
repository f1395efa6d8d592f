//! Text to float. The caller has stripped whitespace and turned Unicode digits into ASCII ones.
//! CPython counterparts: `PyOS_string_to_double`, `_Py_string_to_number_with_underscores`, `_Py_parse_inf_or_nan`.

fn digits(text: &[u8]) -> usize {
    text.iter().take_while(|b| b.is_ascii_digit()).count()
}

fn starts_with(text: &[u8], lower: &[u8]) -> bool {
    text.len() >= lower.len() && text[..lower.len()].eq_ignore_ascii_case(lower)
}

/// The float that `text` begins with, and the number of bytes it takes. No underscores, no leading whitespace.
pub fn float_prefix(text: &[u8]) -> Option<(f64, usize)> {
    let sign = usize::from(matches!(text.first(), Some(b'+' | b'-')));
    let negative = text.first() == Some(&b'-');
    let rest = &text[sign..];
    let whole = digits(rest);
    let mut at = whole;
    let mut fraction = 0;
    if rest.get(at) == Some(&b'.') {
        fraction = digits(&rest[at + 1..]);
        at += 1 + fraction;
    }
    if whole + fraction == 0 {
        let (value, len) = if starts_with(rest, b"infinity") {
            (f64::INFINITY, 8)
        } else if starts_with(rest, b"inf") {
            (f64::INFINITY, 3)
        } else if starts_with(rest, b"nan") {
            (f64::NAN.copysign(1.0), 3)
        } else {
            return None;
        };
        return Some((if negative { -value } else { value }, sign + len));
    }
    if let Some(b'e' | b'E') = rest.get(at) {
        let exponent_sign = usize::from(matches!(rest.get(at + 1), Some(b'+' | b'-')));
        let exponent = digits(&rest[at + 1 + exponent_sign..]);
        if exponent > 0 {
            at += 1 + exponent_sign + exponent;
        }
    }
    let end = sign + at;
    let value = std::str::from_utf8(&text[..end]).ok()?.parse().ok()?;
    Some((value, end))
}

/// Takes out underscores, each of which must stand between two digits.
pub fn without_underscores(text: &[u8]) -> Option<std::borrow::Cow<'_, [u8]>> {
    if !text.contains(&b'_') {
        return Some(text.into());
    }
    let mut out = Vec::with_capacity(text.len());
    for (index, &byte) in text.iter().enumerate() {
        if byte != b'_' {
            out.push(byte);
            continue;
        }
        let digit = |at: Option<usize>| at.and_then(|at| text.get(at)).is_some_and(u8::is_ascii_digit);
        if !digit(index.checked_sub(1)) || !digit(index.checked_add(1)) {
            return None;
        }
    }
    Some(out.into())
}

/// The float that `text` is, `float()`'s rules without the whitespace.
pub fn parse_float(text: &[u8]) -> Option<f64> {
    let text = without_underscores(text)?;
    let (value, len) = float_prefix(&text)?;
    (len == text.len()).then_some(value)
}
