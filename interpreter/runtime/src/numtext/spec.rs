//! The format-spec mini-language: parsing, with CPython's exact refusals. Formatting is in `spec_format`.
//! CPython counterpart: `parse_internal_render_format_spec` of `Python/formatter_unicode.c`.

use super::OutOfMemory;
use crate::text::{TextBuf, Unit};

/// Why a value could not be formatted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FormatError {
    /// ValueError with this message.
    Value(TextBuf),
    /// OverflowError with this message.
    Overflow(&'static str),
    Memory,
}

impl From<OutOfMemory> for FormatError {
    fn from(_: OutOfMemory) -> FormatError {
        FormatError::Memory
    }
}

impl FormatError {
    pub(super) fn value(message: &str) -> FormatError {
        FormatError::Value(TextBuf::from(message))
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Grouping {
    None,
    Comma,
    Underscore,
    /// `_` with a binary, octal or hexadecimal type: groups of four.
    UnderscoreByFour,
}

/// A parsed spec.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FormatSpec {
    pub fill: u32,
    /// One of `<`, `>`, `=`, `^`.
    pub align: u8,
    /// One of `+`, `-`, space, or 0 when not given.
    pub sign: u8,
    pub no_negative_zero: bool,
    pub alternate: bool,
    pub width: Option<usize>,
    pub grouping: Grouping,
    pub precision: Option<usize>,
    /// The type's character, or the default of the value's kind (0 for float and complex).
    pub code: u32,
}

/// `Unknown format code 'd' for object of type 'str'`
pub fn unknown_code(code: u32, type_name: &str) -> FormatError {
    let shown = if code > 32 && code < 128 {
        char::from_u32(code).map_or_else(String::new, String::from)
    } else {
        format!("\\x{code:x}")
    };
    FormatError::value(&format!("Unknown format code '{shown}' for object of type '{type_name}'"))
}

fn cannot_group(grouping: Grouping, code: u32) -> FormatError {
    let separator = if grouping == Grouping::Comma { ',' } else { '_' };
    let shown = match char::from_u32(code) {
        Some(c) if code > 32 && code < 128 => String::from(c),
        _ => format!("\\x{code:x}"),
    };
    FormatError::value(&format!("Cannot specify '{separator}' with '{shown}'."))
}

fn is_align(code: u32) -> bool {
    matches!(char::from_u32(code), Some('<' | '>' | '=' | '^'))
}

struct Cursor<'a, U> {
    rest: &'a [U],
}

impl<U: Unit> Cursor<'_, U> {
    fn peek(&self, index: usize) -> Option<u32> {
        self.rest.get(index).map(|unit| unit.code())
    }

    fn take(&mut self, wanted: char) -> bool {
        let found = self.peek(0) == Some(u32::from(wanted));
        if found {
            self.rest = &self.rest[1..];
        }
        found
    }

    fn take_any(&mut self, wanted: &str) -> Option<u8> {
        let code = self.peek(0)?;
        let found = wanted.bytes().find(|&b| u32::from(b) == code)?;
        self.rest = &self.rest[1..];
        Some(found)
    }

    /// A decimal number in any script's digits.
    fn number(&mut self) -> Result<Option<usize>, FormatError> {
        let mut value: Option<usize> = None;
        while let Some(digit) = self.peek(0).and_then(crate::unicode::decimal) {
            let next = value
                .unwrap_or(0)
                .checked_mul(10)
                .and_then(|n| n.checked_add(usize::from(digit)))
                .filter(|&n| n <= isize::MAX as usize)
                .ok_or_else(|| FormatError::value("Too many decimal digits in format string"))?;
            value = Some(next);
            self.rest = &self.rest[1..];
        }
        Ok(value)
    }
}

fn parse_grouping<U: Unit>(cursor: &mut Cursor<'_, U>) -> Result<Grouping, FormatError> {
    let comma = cursor.take(',');
    let underscore = cursor.take('_');
    let again = underscore && cursor.peek(0) == Some(u32::from(','));
    if (comma && underscore) || again {
        return Err(FormatError::value("Cannot specify both ',' and '_'."));
    }
    Ok(match (comma, underscore) {
        (true, _) => Grouping::Comma,
        (_, true) => Grouping::Underscore,
        _ => Grouping::None,
    })
}

impl FormatSpec {
    /// Parses `spec` for a value whose default type and alignment are given; `type_name` goes into messages.
    pub fn parse<U: Unit>(
        spec: &[U],
        default_code: u8,
        default_align: u8,
        type_name: &str,
    ) -> Result<FormatSpec, FormatError> {
        let mut cursor = Cursor { rest: spec };
        let mut fill = None;
        let mut align = None;
        if let (Some(code), Some(next)) = (cursor.peek(0), cursor.peek(1))
            && is_align(next)
        {
            fill = Some(code);
            align = Some(next as u8);
            cursor.rest = &cursor.rest[2..];
        } else if let Some(code) = cursor.peek(0).filter(|&code| is_align(code)) {
            align = Some(code as u8);
            cursor.rest = &cursor.rest[1..];
        }
        let sign = cursor.take_any(" +-").unwrap_or(0);
        let no_negative_zero = cursor.take('z');
        let alternate = cursor.take('#');
        if fill.is_none() && cursor.take('0') {
            fill = Some(u32::from('0'));
            if align.is_none() && default_align == b'>' {
                align = Some(b'=');
            }
        }
        let width = cursor.number()?;
        let grouping = parse_grouping(&mut cursor)?;
        let precision = if cursor.take('.') {
            let number = cursor.number()?;
            Some(number.ok_or_else(|| FormatError::value("Format specifier missing precision"))?)
        } else {
            None
        };
        if cursor.rest.len() > 1 {
            return Err(invalid_spec(spec, type_name));
        }
        let code = cursor.peek(0).unwrap_or(u32::from(default_code));
        let grouping = check_grouping(grouping, code)?;
        let align = align.unwrap_or(default_align);
        let fill = fill.unwrap_or(u32::from(' '));
        Ok(FormatSpec { fill, align, sign, no_negative_zero, alternate, width, grouping, precision, code })
    }
}

fn check_grouping(grouping: Grouping, code: u32) -> Result<Grouping, FormatError> {
    if grouping == Grouping::None {
        return Ok(grouping);
    }
    match char::from_u32(code) {
        Some('d' | 'e' | 'f' | 'g' | 'E' | 'G' | '%' | 'F' | '\0') => Ok(grouping),
        Some('b' | 'o' | 'x' | 'X') if grouping == Grouping::Underscore => Ok(Grouping::UnderscoreByFour),
        _ => Err(cannot_group(grouping, code)),
    }
}

fn invalid_spec<U: Unit>(spec: &[U], type_name: &str) -> FormatError {
    let mut message = TextBuf::from("Invalid format specifier '");
    let written =
        message.push_units(spec).and_then(|()| message.push_str(&format!("' for object of type '{type_name}'")));
    if written.is_err() { FormatError::Memory } else { FormatError::Value(message) }
}
