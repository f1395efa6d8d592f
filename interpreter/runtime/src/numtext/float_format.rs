//! Floats to text in the styles `e f g r`. CPython counterpart: `format_float_short` and `PyOS_double_to_string` of
//! `Python/pystrtod.c`.

use super::OutOfMemory;
use super::digits::{Decimal, fixed, shortest, significant};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    Exponent,
    Fixed,
    General,
    /// As `repr`: shortest digits, exponent from 1e16; the precision is not looked at.
    Repr,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Options {
    pub style: Style,
    pub upper: bool,
    pub precision: usize,
    /// A sign even if positive.
    pub plus: bool,
    /// `.0` behind an integral value.
    pub add_dot_0: bool,
    /// The `#` flag: keep the point and, in style General, trailing zeros.
    pub alternate: bool,
    /// The `z` flag: no sign on what rounds to zero.
    pub no_negative_zero: bool,
}

impl Options {
    pub fn new(style: Style, precision: usize) -> Options {
        Options {
            style,
            upper: false,
            precision,
            plus: false,
            add_dot_0: false,
            alternate: false,
            no_negative_zero: false,
        }
    }

    /// By format code `e E f F g G`; anything else is taken for `r`.
    pub fn from_code(code: u8, precision: usize) -> Options {
        let style = match code.to_ascii_lowercase() {
            b'e' => Style::Exponent,
            b'f' => Style::Fixed,
            b'g' => Style::General,
            _ => Style::Repr,
        };
        Options { upper: code.is_ascii_uppercase(), ..Options::new(style, precision) }
    }
}

/// `repr(value)`.
pub fn repr(value: f64) -> String {
    format_double(value, &Options { add_dot_0: true, ..Options::new(Style::Repr, 0) }).unwrap_or_default()
}

fn special(value: f64, options: &Options) -> String {
    let name = if value.is_nan() { "nan" } else { "inf" };
    let sign = if value < 0.0 {
        "-"
    } else if options.plus {
        "+"
    } else {
        ""
    };
    let text = format!("{sign}{name}");
    if options.upper { text.to_ascii_uppercase() } else { text }
}

/// Where digits, zeros and the point go: digit positions `start..end` relative to the first digit.
struct Plan {
    decimal: Decimal,
    point: i64,
    start: i64,
    end: i64,
    exponent: Option<i64>,
}

fn plan(value: f64, options: &Options) -> Plan {
    let precision = options.precision.min(i32::MAX as usize) as i64;
    let decimal = match options.style {
        Style::Exponent => significant(value, precision as usize + 1),
        Style::Fixed => fixed(value, precision),
        Style::General => significant(value, precision.max(1) as usize),
        Style::Repr => shortest(value),
    };
    let mut point = i64::from(decimal.point);
    let mut end = decimal.digits.len() as i64;
    let mut use_exponent = false;
    match options.style {
        Style::Exponent => {
            use_exponent = true;
            end = precision + 1;
        }
        Style::Fixed => end = point + precision,
        Style::General => {
            let precision = precision.max(1);
            use_exponent = point <= -4 || point > precision - i64::from(options.add_dot_0);
            if options.alternate {
                end = precision;
            }
        }
        Style::Repr => use_exponent = point <= -4 || point > 16,
    }
    let exponent = use_exponent.then(|| std::mem::replace(&mut point, 1) - 1);
    let start = if point <= 0 { point - 1 } else { 0 };
    let end = end.max(if exponent.is_none() && options.add_dot_0 { point + 1 } else { point });
    Plan { decimal, point, start, end, exponent }
}

/// The text of `value`; fails only where the precision asks for more memory than there is.
pub fn format_double(value: f64, options: &Options) -> Result<String, OutOfMemory> {
    if !value.is_finite() {
        return Ok(special(value, options));
    }
    let Plan { decimal, point, start, end, exponent } = plan(value, options);
    let mut negative = value.is_sign_negative();
    if options.no_negative_zero && matches!(decimal.digits.as_slice(), [] | [b'0']) {
        negative = false;
    }
    let mut text = String::new();
    text.try_reserve((end - start) as usize + 16)?;
    if negative {
        text.push('-');
    } else if options.plus {
        text.push('+');
    }
    let len = decimal.digits.len() as i64;
    let write = |text: &mut String, from: i64, to: i64| {
        let digits_from = from.clamp(0, len);
        let digits_to = to.clamp(0, len);
        text.extend(std::iter::repeat_n('0', (to.min(0) - from).max(0) as usize));
        if digits_from < digits_to {
            text.extend(decimal.digits[digits_from as usize..digits_to as usize].iter().map(|&d| d as char));
        }
        text.extend(std::iter::repeat_n('0', (to - from.max(len)).max(0) as usize));
    };
    write(&mut text, start, point);
    if end > point || options.alternate {
        text.push('.');
    }
    write(&mut text, point, end);
    if let Some(exponent) = exponent {
        let sign = if exponent < 0 { '-' } else { '+' };
        text.push_str(&format!("e{sign}{:02}", exponent.abs()));
    }
    if options.upper {
        text.make_ascii_uppercase();
    }
    Ok(text)
}
