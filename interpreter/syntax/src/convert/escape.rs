//! Escape sequences of string and bytes literals, read from the source, with CPython's messages.
//!
//! CPython counterpart: `Objects/unicodeobject.c` and `bytesobject.c` (the decoders), `Parser/string_parser.c`.

use crate::ast::Wtf8Buf;

/// What reading a literal's content found besides its value.
#[derive(Default)]
pub(crate) struct Findings {
    /// The first sequence that is no escape, without its backslash.
    pub(crate) invalid: Option<String>,
}

impl Findings {
    pub(crate) fn warning(&self) -> Option<String> {
        let sequence = self.invalid.as_ref()?;
        let octal = sequence.len() == 3 && sequence.as_bytes()[0].is_ascii_digit();
        Some(format!("invalid {} sequence '\\{sequence}'", if octal { "octal escape" } else { "escape" }))
    }
}

/// The character that a single-letter escape stands for.
fn simple(letter: u8) -> Option<u8> {
    Some(match letter {
        b'\\' | b'\'' | b'"' => letter,
        b'a' => 7,
        b'b' => 8,
        b'f' => 12,
        b'n' => b'\n',
        b'r' => b'\r',
        b't' => b'\t',
        b'v' => 11,
        _ => return None,
    })
}

/// The value of up to three octal digits and their count.
fn octal(bytes: &[u8]) -> (u32, usize) {
    let digits = bytes.iter().take(3).take_while(|b| matches!(b, b'0'..=b'7')).count();
    (bytes[..digits].iter().fold(0, |value, b| value * 8 + u32::from(b - b'0')), digits)
}

fn hex(bytes: &[u8], count: usize) -> Result<u32, usize> {
    let digits = bytes.iter().take(count).take_while(|b| b.is_ascii_hexdigit()).count();
    if digits < count {
        return Err(digits);
    }
    Ok(bytes[..count].iter().fold(0_u32, |value, b| value << 4 | char::from(*b).to_digit(16).unwrap_or(0)))
}

/// The content of a bytes literal that is not raw.
pub(crate) fn decode_bytes(content: &str, out: &mut Vec<u8>) -> Result<Findings, String> {
    let bytes = content.as_bytes();
    let mut findings = Findings::default();
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        if byte != b'\\' {
            out.push(byte);
            at += 1;
            continue;
        }
        let Some(&letter) = bytes.get(at + 1) else {
            out.push(byte);
            break;
        };
        match letter {
            b'\n' => at += 2,
            b'0'..=b'7' => {
                let (value, digits) = octal(&bytes[at + 1..]);
                if value > 0o377 && findings.invalid.is_none() {
                    findings.invalid = Some(content[at + 1..at + 1 + digits].to_owned());
                }
                out.push(value as u8);
                at += 1 + digits;
            }
            b'x' => match hex(&bytes[at + 2..], 2) {
                Ok(value) => {
                    out.push(value as u8);
                    at += 4;
                }
                Err(_) => return Err(format!("(value error) invalid \\x escape at position {at}")),
            },
            _ => {
                match simple(letter) {
                    Some(value) => out.push(value),
                    None => {
                        if findings.invalid.is_none() {
                            findings.invalid = Some(char::from(letter).to_string());
                        }
                        out.extend([b'\\', letter]);
                    }
                }
                at += 2;
            }
        }
    }
    Ok(findings)
}

/// The content of a string literal that is not raw.
pub(crate) fn decode_str(content: &str, out: &mut Wtf8Buf) -> Result<Findings, String> {
    let bytes = content.as_bytes();
    let mut findings = Findings::default();
    let mut at = 0;
    while at < bytes.len() {
        let Some(next) = content[at..].find('\\') else {
            out.push_str(&content[at..]);
            break;
        };
        out.push_str(&content[at..at + next]);
        at += next;
        let Some(&letter) = bytes.get(at + 1) else {
            out.push_str("\\");
            break;
        };
        match letter {
            b'\n' => at += 2,
            b'0'..=b'7' => {
                let (value, digits) = octal(&bytes[at + 1..]);
                if value > 0o377 && findings.invalid.is_none() {
                    findings.invalid = Some(content[at + 1..at + 1 + digits].to_owned());
                }
                out.push_code_point(value);
                at += 1 + digits;
            }
            b'x' => at = numeric(content, at, 2, "truncated \\xXX escape", out)?,
            b'u' => at = numeric(content, at, 4, "truncated \\uXXXX escape", out)?,
            b'U' => at = numeric(content, at, 8, "truncated \\UXXXXXXXX escape", out)?,
            b'N' => at = named(content, at, out)?,
            _ => {
                match simple(letter) {
                    Some(value) => out.push_code_point(u32::from(value)),
                    None => {
                        let letter = content[at + 1..].chars().next().unwrap_or('\\');
                        if findings.invalid.is_none() {
                            findings.invalid = Some(letter.to_string());
                        }
                        out.push_str("\\");
                        out.push_code_point(u32::from(letter));
                        at += letter.len_utf8() - 1;
                    }
                }
                at += 2;
            }
        }
    }
    Ok(findings)
}

/// CPython reports positions in a buffer where each non-ASCII character was written as `\UXXXXXXXX`.
fn position(content: &str, at: usize) -> usize {
    content[..at].chars().map(|c| if c.is_ascii() { 1 } else { 10 }).sum()
}

fn fault(content: &str, start: usize, end: usize, reason: &str) -> String {
    let (from, to) = (position(content, start), position(content, end));
    let place = if to - from == 1 {
        format!("byte 0x5c in position {from}")
    } else {
        format!("bytes in position {from}-{}", to - 1)
    };
    format!("(unicode error) 'unicodeescape' codec can't decode {place}: {reason}")
}

fn numeric(content: &str, at: usize, count: usize, reason: &str, out: &mut Wtf8Buf) -> Result<usize, String> {
    match hex(&content.as_bytes()[at + 2..], count) {
        Ok(value) if value <= 0x10_ffff => {
            out.push_code_point(value);
            Ok(at + 2 + count)
        }
        Ok(_) => Err(fault(content, at, at + 2 + count, "illegal Unicode character")),
        Err(digits) => Err(fault(content, at, at + 2 + digits, reason)),
    }
}

fn named(content: &str, at: usize, out: &mut Wtf8Buf) -> Result<usize, String> {
    let malformed = "malformed \\N character escape";
    let rest = &content[at + 2..];
    let Some(inner) = rest.strip_prefix('{') else {
        return Err(fault(content, at, at + 2, malformed));
    };
    match inner.find('}') {
        Some(0) => Err(fault(content, at, at + 3, malformed)),
        Some(close) => match unicode_names2::character(&inner[..close]) {
            Some(c) => {
                out.push_code_point(u32::from(c));
                Ok(at + 4 + close)
            }
            None => Err(fault(content, at, at + 4 + close, "unknown Unicode character name")),
        },
        None => Err(fault(content, at, content.len(), malformed)),
    }
}
