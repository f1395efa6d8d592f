//! Complex numbers to text and back. CPython counterparts: `complex_repr`, `complex_from_string_inner`.

use super::float_format::{Options, Style, format_double};
use super::float_parse::{float_prefix, without_underscores};

/// `repr(complex(real, imag))`.
pub fn repr(real: f64, imag: f64) -> String {
    let style = Options::new(Style::Repr, 0);
    let text = |value: f64, plus: bool| format_double(value, &Options { plus, ..style }).unwrap_or_default();
    if real == 0.0 && real.is_sign_positive() {
        format!("{}j", text(imag, false))
    } else {
        format!("({}{}j)", text(real, false), text(imag, true))
    }
}

fn spaces(text: &[u8]) -> &[u8] {
    let blank = text.iter().take_while(|b| matches!(b, b' ' | b'\t' | b'\n' | 0x0b | 0x0c | b'\r')).count();
    &text[blank..]
}

fn unit(text: &[u8]) -> Option<&[u8]> {
    match text {
        [b'j' | b'J', rest @ ..] => Some(rest),
        _ => None,
    }
}

/// Both parts and what follows them.
fn parts(text: &[u8]) -> Option<(f64, f64, &[u8])> {
    let Some((first, len)) = float_prefix(text) else {
        let (imag, rest) = match text {
            [b'+', rest @ ..] => (1.0, rest),
            [b'-', rest @ ..] => (-1.0, rest),
            rest => (1.0, rest),
        };
        return Some((0.0, imag, unit(rest)?));
    };
    let rest = &text[len..];
    let (imag, rest) = match rest {
        [b'+' | b'-', after @ ..] => match float_prefix(rest) {
            Some((imag, len)) => (imag, &rest[len..]),
            None => (if rest[0] == b'+' { 1.0 } else { -1.0 }, after),
        },
        [b'j' | b'J', after @ ..] => return Some((0.0, first, after)),
        _ => return Some((first, 0.0, rest)),
    };
    Some((first, imag, unit(rest)?))
}

/// `complex(text)` for ASCII text (Unicode digits and spaces already replaced); `None` is "malformed string".
pub fn parse_complex(text: &[u8]) -> Option<(f64, f64)> {
    let text = without_underscores(text)?;
    let rest = spaces(&text);
    let bracketed = rest.first() == Some(&b'(');
    let rest = if bracketed { spaces(&rest[1..]) } else { rest };
    let (real, imag, rest) = parts(rest)?;
    let mut rest = spaces(rest);
    if bracketed {
        rest = spaces(rest.strip_prefix(b")")?);
    }
    rest.is_empty().then_some((real, imag))
}
