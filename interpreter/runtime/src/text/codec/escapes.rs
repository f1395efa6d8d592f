//! `unicode_escape`, `raw_unicode_escape` and the escapes of bytes literals (`escape_decode`).

use super::{DecodeErrors, Decoding};
use crate::numtext::OutOfMemory;
use crate::text::{TextBuf, Unit};
use crate::unicode::LIMIT;
use crate::unicode::names::{Named, lookup};

/// An escape in need of a DeprecationWarning, at its position in the input.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum InvalidEscape {
    /// `invalid escape sequence '\c'`
    Character(u8),
    /// `invalid octal escape sequence '\777'`
    Octal(String),
}

impl InvalidEscape {
    pub fn message(&self) -> String {
        match self {
            InvalidEscape::Character(byte) => format!("invalid escape sequence '\\{}'", char::from(*byte)),
            InvalidEscape::Octal(digits) => format!("invalid octal escape sequence '\\{digits}'"),
        }
    }
}

/// Why an escape could not be read.
struct Fault {
    /// The input ended within the escape.
    incomplete: bool,
    end: usize,
    reason: &'static str,
}

/// Reads `count` hexadecimal digits at `at`.
fn hex(input: &[u8], at: usize, count: usize, reason: &'static str) -> Result<u32, Fault> {
    let mut value = 0;
    for index in at..at + count {
        let Some(&byte) = input.get(index) else { return Err(Fault { incomplete: true, end: index, reason }) };
        let Some(digit) = char::from(byte).to_digit(16) else {
            return Err(Fault { incomplete: false, end: index, reason });
        };
        value = value << 4 | digit;
    }
    Ok(value)
}

fn named(input: &[u8], at: usize) -> Result<(u32, usize), Fault> {
    let malformed = "malformed \\N character escape";
    let fault = |incomplete, end, reason| Err(Fault { incomplete, end, reason });
    match input.get(at) {
        None => return fault(true, at, malformed),
        Some(b'{') => {}
        Some(_) => return fault(false, at, malformed),
    }
    let start = at + 1;
    let Some(len) = input[start..].iter().position(|&b| b == b'}') else {
        return fault(true, input.len(), malformed);
    };
    if len == 0 {
        return fault(false, start, malformed);
    }
    let end = start + len + 1;
    match std::str::from_utf8(&input[start..start + len]).ok().and_then(lookup) {
        Some(Named::Character(code)) => Ok((code, end)),
        _ => fault(false, end, "unknown Unicode character name"),
    }
}

fn octal(input: &[u8], at: usize) -> (u32, usize) {
    let len = input[at..].iter().take(3).take_while(|b| matches!(b, b'0'..=b'7')).count();
    (input[at..at + len].iter().fold(0, |n, b| n * 8 + u32::from(b - b'0')), at + len)
}

fn simple(byte: u8) -> Option<u8> {
    Some(match byte {
        b'\\' | b'\'' | b'"' => byte,
        b'b' => 0x08,
        b'f' => 0x0C,
        b't' => b'\t',
        b'n' => b'\n',
        b'r' => b'\r',
        b'v' => 0x0B,
        b'a' => 0x07,
        _ => return None,
    })
}

/// What the escape whose backslash stands before `at` means: a code point (none for a continued line) and its end.
fn escape(input: &[u8], at: usize) -> Result<(Option<u32>, usize), Fault> {
    let Some(&byte) = input.get(at) else {
        return Err(Fault { incomplete: true, end: at, reason: "\\ at end of string" });
    };
    let next = at + 1;
    if let Some(code) = simple(byte) {
        return Ok((Some(u32::from(code)), next));
    }
    let (count, reason) = match byte {
        b'\n' => return Ok((None, next)),
        b'0'..=b'7' => {
            let (code, end) = octal(input, at);
            return Ok((Some(code), end));
        }
        b'N' => return named(input, next).map(|(code, end)| (Some(code), end)),
        b'x' => (2, "truncated \\xXX escape"),
        b'u' => (4, "truncated \\uXXXX escape"),
        b'U' => (8, "truncated \\UXXXXXXXX escape"),
        // Not an escape: the caller keeps both characters.
        _ => return Ok((Some(u32::MAX), next)),
    };
    let code = hex(input, next, count, reason)?;
    if code >= LIMIT {
        return Err(Fault { incomplete: false, end: next + count, reason: "illegal Unicode character" });
    }
    Ok((Some(code), next + count))
}

/// Decodes `unicode_escape`; the third result is the first escape that deserves a warning.
pub fn decode_unicode<H: DecodeErrors>(
    input: &[u8],
    incremental: bool,
    errors: &mut H,
) -> Result<(TextBuf, usize, Option<InvalidEscape>), H::Error> {
    let mut state = Decoding::new("unicodeescape", input, errors)?;
    let mut invalid = None;
    let mut at = 0;
    while let Some(&byte) = state.input.get(at) {
        if byte != b'\\' {
            state.push(u32::from(byte))?;
            at += 1;
            continue;
        }
        match escape(&state.input, at + 1) {
            Ok((Some(u32::MAX), end)) => {
                let kept = state.input[at + 1];
                invalid.get_or_insert(InvalidEscape::Character(kept));
                state.push(0x5C)?;
                state.push(u32::from(kept))?;
                at = end;
            }
            Ok((code, end)) => {
                if code.is_some_and(|c| c > 0xFF) && matches!(state.input[at + 1], b'0'..=b'7') {
                    let digits = String::from_utf8_lossy(&state.input[at + 1..end]).into_owned();
                    invalid.get_or_insert(InvalidEscape::Octal(digits));
                }
                if let Some(code) = code {
                    state.push(code)?;
                }
                at = end;
            }
            Err(fault) if fault.incomplete && incremental => return Ok((state.out, at, invalid)),
            Err(fault) => at = state.error(at, fault.end, fault.reason)?,
        }
    }
    Ok((state.out, at, invalid))
}

pub fn decode_raw_unicode<H: DecodeErrors>(
    input: &[u8],
    incremental: bool,
    errors: &mut H,
) -> Result<(TextBuf, usize), H::Error> {
    let mut state = Decoding::new("rawunicodeescape", input, errors)?;
    let mut at = 0;
    while let Some(&byte) = state.input.get(at) {
        let next = state.input.get(at + 1).copied();
        if byte != b'\\' || (next.is_none() && !incremental) {
            state.push(u32::from(byte))?;
            at += 1;
            continue;
        }
        let (count, reason) = match next {
            None => return Ok((state.out, at)),
            Some(b'u') => (4, "truncated \\uXXXX escape"),
            Some(b'U') => (8, "truncated \\UXXXXXXXX escape"),
            Some(other) => {
                state.push(0x5C)?;
                state.push(u32::from(other))?;
                at += 2;
                continue;
            }
        };
        match hex(&state.input, at + 2, count, reason) {
            Ok(code) if code < LIMIT => {
                state.push(code)?;
                at += 2 + count;
            }
            Ok(_) => at = state.error(at, at + 2 + count, "\\Uxxxxxxxx out of range")?,
            Err(fault) if fault.incomplete && incremental => return Ok((state.out, at)),
            Err(fault) => at = state.error(at, fault.end, fault.reason)?,
        }
    }
    Ok((state.out, at))
}

pub fn encode_unicode<U: Unit>(text: &[U]) -> Result<Vec<u8>, OutOfMemory> {
    let mut out = Vec::new();
    out.try_reserve(text.len())?;
    for unit in text {
        out.try_reserve(10)?;
        match unit.code() {
            0x09 => out.extend_from_slice(b"\\t"),
            0x0A => out.extend_from_slice(b"\\n"),
            0x0D => out.extend_from_slice(b"\\r"),
            0x5C => out.extend_from_slice(b"\\\\"),
            code @ 0x20..=0x7E => out.push(code as u8),
            code => out.extend_from_slice(crate::text::escape::numeric_escape(code).as_bytes()),
        }
    }
    Ok(out)
}

pub fn encode_raw_unicode<U: Unit>(text: &[U]) -> Result<Vec<u8>, OutOfMemory> {
    let mut out = Vec::new();
    out.try_reserve(text.len())?;
    for unit in text {
        out.try_reserve(10)?;
        match unit.code() {
            code @ 0..=0xFF => out.push(code as u8),
            code => out.extend_from_slice(crate::text::escape::numeric_escape(code).as_bytes()),
        }
    }
    Ok(out)
}

/// How `escape_decode` treats a bad `\x`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BytesEscapeErrors {
    Strict,
    Replace,
    Ignore,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BytesEscapeFault {
    /// ValueError: Trailing \ in string
    Trailing,
    /// ValueError: invalid \x escape at position N
    Hex(usize),
}

/// Decodes the escapes of a bytes literal; the second result deserves a warning.
pub fn decode_bytes(
    input: &[u8],
    errors: BytesEscapeErrors,
) -> Result<(Vec<u8>, Option<InvalidEscape>), BytesEscapeFault> {
    let mut out = Vec::with_capacity(input.len());
    let mut invalid = None;
    let mut at = 0;
    while let Some(&byte) = input.get(at) {
        if byte != b'\\' {
            out.push(byte);
            at += 1;
            continue;
        }
        let kind = *input.get(at + 1).ok_or(BytesEscapeFault::Trailing)?;
        match kind {
            b'\n' => at += 2,
            b'0'..=b'7' => {
                let (code, end) = octal(input, at + 1);
                if code > 0xFF {
                    let digits = String::from_utf8_lossy(&input[at + 1..end]).into_owned();
                    invalid.get_or_insert(InvalidEscape::Octal(digits));
                }
                out.push(code as u8);
                at = end;
            }
            b'x' => match hex(input, at + 2, 2, "") {
                Ok(code) => {
                    out.push(code as u8);
                    at += 4;
                }
                Err(fault) => {
                    match errors {
                        BytesEscapeErrors::Strict => return Err(BytesEscapeFault::Hex(at)),
                        BytesEscapeErrors::Replace => out.push(b'?'),
                        BytesEscapeErrors::Ignore => {}
                    }
                    // One good digit is skipped with the escape.
                    at = fault.end;
                }
            },
            _ => {
                match simple(kind) {
                    Some(code) => out.push(code),
                    None => {
                        invalid.get_or_insert(InvalidEscape::Character(kind));
                        out.extend_from_slice(&[b'\\', kind]);
                    }
                }
                at += 2;
            }
        }
    }
    Ok((out, invalid))
}
