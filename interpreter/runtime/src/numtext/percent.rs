//! The pure parts of printf-style formatting: parsing one conversion and formatting its number. The loop over
//! arguments is with `str` and `bytes`. CPython counterparts: `unicode_format_arg_parse`, `_PyUnicode_FormatLong`,
//! `unicode_format_arg_output`.

use std::ops::Range;

use krait_object::IntRef;

use super::OutOfMemory;
use super::float_format::{Options, format_double};
use super::spec_format::int_text;
use crate::text::{TextBuf, Unit};

/// Why a format is refused; each is a ValueError.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PercentError {
    Incomplete,
    IncompleteKey,
    WidthTooBig,
    PrecisionTooBig,
}

impl PercentError {
    /// CPython words one of them differently for bytes.
    pub fn message(self, bytes: bool) -> &'static str {
        match self {
            PercentError::Incomplete => "incomplete format",
            PercentError::IncompleteKey => "incomplete format key",
            PercentError::WidthTooBig => "width too big",
            PercentError::PrecisionTooBig if bytes => "prec too big",
            PercentError::PrecisionTooBig => "precision too big",
        }
    }
}

/// One parsed conversion.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Conversion {
    pub left: bool,
    pub plus: bool,
    pub space: bool,
    pub alternate: bool,
    pub zero: bool,
    pub width: Option<usize>,
    pub precision: Option<usize>,
    /// The conversion's character.
    pub code: u32,
    /// Where that character stands in the format.
    pub index: usize,
}

/// What the parser asks of the arguments, in the order of CPython.
pub trait Arguments<E> {
    /// A `(key)`: look it up in the mapping; its range in the format is given.
    fn key(&mut self, range: Range<usize>) -> Result<(), E>;
    /// Called at a `(` before the key is read: refuses if there is no mapping.
    fn need_mapping(&mut self) -> Result<(), E>;
    /// A `*` width, as a C `ssize_t`.
    fn star_width(&mut self) -> Result<isize, E>;
    /// A `*` precision, as a C `int`.
    fn star_precision(&mut self) -> Result<i32, E>;
}

struct Reader<'a, U> {
    format: &'a [U],
    next: usize,
    code: u32,
}

impl<U: Unit> Reader<'_, U> {
    /// Steps to the next character; false at the end.
    fn step(&mut self) -> bool {
        let Some(unit) = self.format.get(self.next) else { return false };
        self.code = unit.code();
        self.next += 1;
        true
    }

    fn is(&self, wanted: char) -> bool {
        self.code == u32::from(wanted)
    }

    fn digit(&self) -> Option<usize> {
        (u32::from('0')..=u32::from('9')).contains(&self.code).then(|| (self.code - 48) as usize)
    }

    /// A number that begins with the current character; `None` when it exceeds `limit`.
    fn number(&mut self, limit: usize) -> Option<(usize, bool)> {
        let mut value = 0usize;
        while let Some(digit) = self.digit() {
            value = value.checked_mul(10)?.checked_add(digit).filter(|&n| n <= limit)?;
            if !self.step() {
                return Some((value, false));
            }
        }
        Some((value, true))
    }
}

/// Parses the conversion whose `%` stands before `start`; returns it and where the text goes on.
pub fn parse_conversion<U: Unit, E: From<PercentError>>(
    format: &[U],
    start: usize,
    arguments: &mut dyn Arguments<E>,
) -> Result<(Conversion, usize), E> {
    let mut conversion = Conversion::default();
    let mut reader = Reader { format, next: start, code: 0 };
    let incomplete = || E::from(PercentError::Incomplete);
    if !reader.step() {
        return Err(incomplete());
    }
    if reader.is('(') {
        arguments.need_mapping()?;
        let key_start = reader.next;
        let mut depth = 1;
        while depth > 0 {
            if !reader.step() {
                return Err(PercentError::IncompleteKey.into());
            }
            depth += i32::from(reader.is('(')) - i32::from(reader.is(')'));
        }
        arguments.key(key_start..reader.next - 1)?;
        if !reader.step() {
            return Err(incomplete());
        }
    }
    loop {
        let flag = match char::from_u32(reader.code) {
            Some('-') => &mut conversion.left,
            Some('+') => &mut conversion.plus,
            Some(' ') => &mut conversion.space,
            Some('#') => &mut conversion.alternate,
            Some('0') => &mut conversion.zero,
            _ => break,
        };
        *flag = true;
        if !reader.step() {
            return Err(incomplete());
        }
    }
    parse_width(&mut reader, &mut conversion, arguments)?;
    if reader.is('.') {
        parse_precision(&mut reader, &mut conversion, arguments)?;
    }
    if (reader.is('h') || reader.is('l') || reader.is('L')) && !reader.step() {
        return Err(incomplete());
    }
    conversion.code = reader.code;
    conversion.index = reader.next - 1;
    Ok((conversion, reader.next))
}

fn parse_width<U: Unit, E: From<PercentError>>(
    reader: &mut Reader<'_, U>,
    conversion: &mut Conversion,
    arguments: &mut dyn Arguments<E>,
) -> Result<(), E> {
    let more = if reader.is('*') {
        let width = arguments.star_width()?;
        conversion.left |= width < 0;
        conversion.width = Some(width.unsigned_abs());
        reader.step()
    } else if reader.digit().is_some() {
        let (width, more) = reader.number(isize::MAX as usize).ok_or(PercentError::WidthTooBig)?;
        conversion.width = Some(width);
        more
    } else {
        true
    };
    if more { Ok(()) } else { Err(PercentError::Incomplete.into()) }
}

fn parse_precision<U: Unit, E: From<PercentError>>(
    reader: &mut Reader<'_, U>,
    conversion: &mut Conversion,
    arguments: &mut dyn Arguments<E>,
) -> Result<(), E> {
    conversion.precision = Some(0);
    let mut more = reader.step();
    if more && reader.is('*') {
        let precision = arguments.star_precision()?;
        conversion.precision = Some(usize::try_from(precision).unwrap_or(0));
        more = reader.step();
    } else if more && reader.digit().is_some() {
        let (precision, goes_on) = reader.number(i32::MAX as usize).ok_or(PercentError::PrecisionTooBig)?;
        conversion.precision = Some(precision);
        more = goes_on;
    }
    if more { Ok(()) } else { Err(PercentError::Incomplete.into()) }
}

/// An int by `d i u o x X`, sign and `0x` included, zeros up to the precision, not yet padded to the width.
pub fn format_int(value: IntRef<'_>, conversion: &Conversion) -> Result<String, OutOfMemory> {
    let code = u8::try_from(conversion.code).unwrap_or(b'd');
    let (base, prefix) = match code {
        b'o' => (8, "0o"),
        b'x' | b'X' => (16, "0x"),
        _ => (10, ""),
    };
    let text = int_text(value, base);
    let (sign, digits) = text.strip_prefix('-').map_or(("", text.as_str()), |digits| ("-", digits));
    let prefix = if conversion.alternate { prefix } else { "" };
    let zeros = conversion.precision.unwrap_or(0).saturating_sub(digits.len());
    let mut out = String::new();
    out.try_reserve(text.len() + zeros + 2)?;
    out.push_str(sign);
    out.push_str(prefix);
    out.extend(std::iter::repeat_n('0', zeros));
    out.push_str(digits);
    if code == b'X' {
        out.make_ascii_uppercase();
    }
    Ok(out)
}

/// A float by `e E f F g G`, not yet padded.
pub fn format_float(value: f64, conversion: &Conversion) -> Result<String, OutOfMemory> {
    let code = u8::try_from(conversion.code).unwrap_or(b'f');
    let options =
        Options { alternate: conversion.alternate, ..Options::from_code(code, conversion.precision.unwrap_or(6)) };
    format_double(value, &options)
}

/// Appends a number with its sign flags, padded with spaces or zeros.
pub fn pad_number(number: &str, conversion: &Conversion, out: &mut TextBuf) -> Result<(), OutOfMemory> {
    let (sign, body) = match number.strip_prefix(['-', '+']) {
        Some(body) => (&number[..1], body),
        None if conversion.plus => ("+", number),
        None if conversion.space => (" ", number),
        None => ("", number),
    };
    // The prefix stays in front of zeros; it is there only with an integer conversion in the alternate form.
    let integer = matches!(u8::try_from(conversion.code), Ok(b'x' | b'X' | b'o'));
    let prefix_len = if conversion.alternate && integer { 2.min(body.len()) } else { 0 };
    let (prefix, digits) = body.split_at(prefix_len);
    let fill = conversion.width.unwrap_or(0).saturating_sub(sign.len() + body.len());
    let zeros = conversion.zero && !conversion.left;
    if !conversion.left && !zeros {
        out.push_fill(u32::from(' '), fill)?;
    }
    out.push_str(sign)?;
    out.push_str(prefix)?;
    if zeros {
        out.push_fill(u32::from('0'), fill)?;
    }
    out.push_str(digits)?;
    if conversion.left {
        out.push_fill(u32::from(' '), fill)?;
    }
    Ok(())
}

/// Appends text, cut to the precision unless `whole`, padded with spaces.
pub fn pad_text<U: Unit>(
    text: &[U],
    conversion: &Conversion,
    whole: bool,
    out: &mut TextBuf,
) -> Result<(), OutOfMemory> {
    let cut = if whole { usize::MAX } else { conversion.precision.unwrap_or(usize::MAX) };
    let text = &text[..cut.min(text.len())];
    let fill = conversion.width.unwrap_or(0).saturating_sub(text.len());
    if !conversion.left {
        out.push_fill(u32::from(' '), fill)?;
    }
    out.push_units(text)?;
    if conversion.left {
        out.push_fill(u32::from(' '), fill)?;
    }
    Ok(())
}
