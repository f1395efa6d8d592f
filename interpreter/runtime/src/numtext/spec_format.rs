//! Formatting ints, floats, complex numbers and strings by a parsed spec.
//! CPython counterparts: `format_long_internal`, `format_float_internal`, `format_complex_internal`,
//! `format_string_internal` of `Python/formatter_unicode.c`.

use krait_object::IntRef;

use super::float_format::{Options, Style, format_double};
use super::spec::{FormatError, FormatSpec, unknown_code};
use super::spec_layout::{NumberLocale, NumberText, lay_out, padding};
use super::{exact, int_text};
use crate::text::{TextBuf, Unit};

/// The digits of an int with its sign, in one of the bases 2 to 36.
pub fn int_text(value: IntRef<'_>, base: u32) -> String {
    match value {
        IntRef::Small(value) => int_text::i64_to_text(value, base),
        IntRef::Big(value) => int_text::bigint_to_text(value, base),
    }
}

/// Nearest float, or OverflowError.
fn int_to_f64(value: IntRef<'_>) -> Result<f64, FormatError> {
    match value {
        IntRef::Small(value) => Ok(value as f64),
        IntRef::Big(value) => {
            exact::bigint_to_f64(value).ok_or(FormatError::Overflow("int too large to convert to float"))
        }
    }
}

fn ascii_code(spec: &FormatSpec) -> u8 {
    u8::try_from(spec.code).unwrap_or(u8::MAX)
}

/// Is this spec's type one that formats an int as a float? Then [`format_float`] does it.
pub fn is_float_code(spec: &FormatSpec) -> bool {
    matches!(ascii_code(spec), b'e' | b'E' | b'f' | b'F' | b'g' | b'G' | b'%')
}

/// Does this spec turn the int into decimal digits, so that the caller must check the digit limit?
pub fn is_decimal_code(spec: &FormatSpec) -> bool {
    matches!(ascii_code(spec), b'd' | b'n')
}

/// Parses and formats an int. `locale` is asked only for type `n`.
pub fn format_int<U: Unit>(
    value: IntRef<'_>,
    spec: &[U],
    type_name: &str,
    locale: impl FnOnce() -> NumberLocale,
    out: &mut TextBuf,
) -> Result<(), FormatError> {
    let spec = FormatSpec::parse(spec, b'd', b'>', type_name)?;
    format_int_by(value, &spec, type_name, locale, out)
}

/// Formats an int by a parsed spec.
pub fn format_int_by(
    value: IntRef<'_>,
    spec: &FormatSpec,
    type_name: &str,
    locale: impl FnOnce() -> NumberLocale,
    out: &mut TextBuf,
) -> Result<(), FormatError> {
    let (base, prefix) = match ascii_code(spec) {
        b'd' | b'n' => (10, ""),
        b'b' => (2, "0b"),
        b'o' => (8, "0o"),
        b'x' => (16, "0x"),
        b'X' => (16, "0X"),
        b'c' => (0, ""),
        _ if is_float_code(spec) => return format_float_by(int_to_f64(value)?, spec, type_name, locale, out),
        _ => return Err(unknown_code(spec.code, type_name)),
    };
    if spec.precision.is_some() {
        return Err(FormatError::value("Precision not allowed in integer format specifier"));
    }
    if spec.no_negative_zero {
        return Err(FormatError::value("Negative zero coercion (z) not allowed in integer format specifier"));
    }
    if base == 0 {
        return format_char(value, spec, out);
    }
    let mut text = int_text(value, base);
    if prefix == "0X" {
        text.make_ascii_uppercase();
    }
    let (negative, digits) = match text.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, text.as_str()),
    };
    let prefix = if spec.alternate { prefix } else { "" };
    let number = NumberText { negative, prefix, digits, has_decimal: false, remainder: "" };
    let locale = if ascii_code(spec) == b'n' { locale() } else { NumberLocale::of(spec.grouping) };
    Ok(lay_out(&number, spec, &locale, out)?)
}

fn format_char(value: IntRef<'_>, spec: &FormatSpec, out: &mut TextBuf) -> Result<(), FormatError> {
    if spec.sign != 0 {
        return Err(FormatError::value("Sign not allowed with integer format specifier 'c'"));
    }
    if spec.alternate {
        return Err(FormatError::value("Alternate form (#) not allowed with integer format specifier 'c'"));
    }
    let value = match value {
        IntRef::Small(value) => value,
        IntRef::Big(value) => {
            i64::try_from(value).map_err(|_| FormatError::Overflow("Python int too large to convert to C long"))?
        }
    };
    let code = u32::try_from(value)
        .ok()
        .filter(|&code| code < crate::unicode::LIMIT)
        .ok_or(FormatError::Overflow("%c arg not in range(0x110000)"))?;
    let (left, right) = padding(1, spec);
    out.push_fill(spec.fill, left)?;
    out.push(code)?;
    Ok(out.push_fill(spec.fill, right)?)
}

/// Splits `1234.5e+10` into digits before the point, whether there is a point, and the rest.
fn split_number(text: &str) -> (&str, bool, &str) {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (digits, rest) = text.split_at(digits);
    match rest.strip_prefix('.') {
        Some(rest) => (digits, true, rest),
        None => (digits, false, rest),
    }
}

/// Parses and formats a float.
pub fn format_float<U: Unit>(
    value: f64,
    spec: &[U],
    type_name: &str,
    locale: impl FnOnce() -> NumberLocale,
    out: &mut TextBuf,
) -> Result<(), FormatError> {
    let spec = FormatSpec::parse(spec, 0, b'>', type_name)?;
    format_float_by(value, &spec, type_name, locale, out)
}

fn precision_fits(spec: &FormatSpec) -> Result<(), FormatError> {
    if spec.precision.is_some_and(|precision| precision > i32::MAX as usize) {
        return Err(FormatError::value("precision too big"));
    }
    Ok(())
}

fn format_float_by(
    value: f64,
    spec: &FormatSpec,
    type_name: &str,
    locale: impl FnOnce() -> NumberLocale,
    out: &mut TextBuf,
) -> Result<(), FormatError> {
    let code = ascii_code(spec);
    if !matches!(code, 0 | b'n') && !is_float_code(spec) {
        return Err(unknown_code(spec.code, type_name));
    }
    precision_fits(spec)?;
    let (value, style) = match code {
        0 if spec.precision.is_none() => (value, b'r'),
        0 | b'n' => (value, b'g'),
        b'%' => (value * 100.0, b'f'),
        code => (value, code),
    };
    let options = Options {
        add_dot_0: code == 0,
        alternate: spec.alternate,
        no_negative_zero: spec.no_negative_zero,
        ..Options::from_code(style, spec.precision.unwrap_or(6))
    };
    let mut text = format_double(value, &options)?;
    if code == b'%' {
        text.push('%');
    }
    let (negative, body) = match text.strip_prefix('-') {
        Some(body) => (true, body),
        None => (false, text.as_str()),
    };
    let (digits, has_decimal, remainder) = split_number(body);
    let locale = if code == b'n' { locale() } else { NumberLocale::of(spec.grouping) };
    Ok(lay_out(&NumberText { negative, prefix: "", digits, has_decimal, remainder }, spec, &locale, out)?)
}

/// Parses and formats a complex number.
pub fn format_complex<U: Unit>(
    real: f64,
    imag: f64,
    spec: &[U],
    type_name: &str,
    locale: impl FnOnce() -> NumberLocale,
    out: &mut TextBuf,
) -> Result<(), FormatError> {
    let spec = FormatSpec::parse(spec, 0, b'>', type_name)?;
    let code = ascii_code(&spec);
    let style = match code {
        0 if spec.precision.is_none() => Style::Repr,
        0 | b'n' | b'g' | b'G' => Style::General,
        b'e' | b'E' => Style::Exponent,
        b'f' | b'F' => Style::Fixed,
        _ => return Err(unknown_code(spec.code, type_name)),
    };
    precision_fits(&spec)?;
    if spec.fill == u32::from('0') {
        return Err(FormatError::value("Zero padding is not allowed in complex format specifier"));
    }
    if spec.align == b'=' {
        return Err(FormatError::value("'=' alignment flag is not allowed in complex format specifier"));
    }
    let locale = if code == b'n' { locale() } else { NumberLocale::of(spec.grouping) };
    let skip_real = code == 0 && real == 0.0 && real.is_sign_positive();
    let brackets = code == 0 && !skip_real;
    let options = Options {
        upper: code.is_ascii_uppercase(),
        alternate: spec.alternate,
        no_negative_zero: spec.no_negative_zero,
        ..Options::new(style, spec.precision.unwrap_or(6))
    };
    let part = |value: f64, sign: u8, out: &mut TextBuf| -> Result<(), FormatError> {
        let text = format_double(value, &options)?;
        let (negative, body) = text.strip_prefix('-').map_or((false, text.as_str()), |body| (true, body));
        let (digits, has_decimal, remainder) = split_number(body);
        let spec = FormatSpec { width: None, align: b'<', fill: 0, sign, ..spec.clone() };
        let number = NumberText { negative, prefix: "", digits, has_decimal, remainder };
        Ok(lay_out(&number, &spec, &locale, out)?)
    };
    let mut body = TextBuf::new();
    if brackets {
        body.push_str("(")?;
    }
    if !skip_real {
        part(real, spec.sign, &mut body)?;
    }
    part(imag, if skip_real { spec.sign } else { b'+' }, &mut body)?;
    body.push_str(if brackets { "j)" } else { "j" })?;
    let (left, right) = padding(body.len(), &spec);
    out.push_fill(spec.fill, left)?;
    out.push_text(&body)?;
    Ok(out.push_fill(spec.fill, right)?)
}

/// Parses a spec and formats a string by it.
pub fn format_str<T: Unit, U: Unit>(
    text: &[T],
    spec: &[U],
    type_name: &str,
    out: &mut TextBuf,
) -> Result<(), FormatError> {
    let spec = FormatSpec::parse(spec, b's', b'<', type_name)?;
    if spec.code != u32::from('s') {
        return Err(unknown_code(spec.code, type_name));
    }
    let refused = match spec.sign {
        b' ' => Some("Space not allowed in string format specifier"),
        0 if spec.no_negative_zero => Some("Negative zero coercion (z) not allowed in string format specifier"),
        0 if spec.alternate => Some("Alternate form (#) not allowed in string format specifier"),
        0 if spec.align == b'=' => Some("'=' alignment not allowed in string format specifier"),
        0 => None,
        _ => Some("Sign not allowed in string format specifier"),
    };
    if let Some(message) = refused {
        return Err(FormatError::value(message));
    }
    let text = &text[..spec.precision.unwrap_or(usize::MAX).min(text.len())];
    let (left, right) = padding(text.len(), &spec);
    out.push_fill(spec.fill, left)?;
    out.push_units(text)?;
    Ok(out.push_fill(spec.fill, right)?)
}
