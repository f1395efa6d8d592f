//! The standard error handlers, as functions of the faulty part. CPython counterpart: `PyCodec_*Errors` of
//! `Python/codecs.c`.

use super::{is_surrogate, utf8};
use crate::text::escape::numeric_escape;
use crate::unicode::names::name;

/// The handlers that every interpreter knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standard {
    Strict,
    Ignore,
    Replace,
    BackslashReplace,
    XmlCharRefReplace,
    NameReplace,
    SurrogateEscape,
    SurrogatePass,
}

impl Standard {
    pub fn from_name(name: &str) -> Option<Standard> {
        Some(match name {
            "strict" => Standard::Strict,
            "ignore" => Standard::Ignore,
            "replace" => Standard::Replace,
            "backslashreplace" => Standard::BackslashReplace,
            "xmlcharrefreplace" => Standard::XmlCharRefReplace,
            "namereplace" => Standard::NameReplace,
            "surrogateescape" => Standard::SurrogateEscape,
            "surrogatepass" => Standard::SurrogatePass,
            _ => return None,
        })
    }
}

pub fn backslash_text(codes: &[u32]) -> String {
    codes.iter().map(|&code| numeric_escape(code)).collect()
}

pub fn backslash_bytes(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("\\x{byte:02x}")).collect()
}

pub fn xml_references(codes: &[u32]) -> String {
    codes.iter().map(|code| format!("&#{code};")).collect()
}

pub fn name_escapes(codes: &[u32]) -> String {
    let escape = |&code: &u32| name(code).map_or_else(|| numeric_escape(code), |name| format!("\\N{{{name}}}"));
    codes.iter().map(escape).collect()
}

/// `surrogateescape` while encoding: the bytes behind the leading U+DC80..U+DCFF; empty where the first is none.
pub fn escaped_bytes(codes: &[u32]) -> Vec<u8> {
    codes.iter().take_while(|code| (0xDC80..=0xDCFF).contains(*code)).map(|code| (code - 0xDC00) as u8).collect()
}

/// `surrogateescape` while decoding: surrogates for the leading bytes of the faulty part above 0x7F, at most four;
/// `None` where the first byte is ASCII.
pub fn escape_surrogates(bytes: &[u8]) -> Option<Vec<u32>> {
    let codes: Vec<u32> = bytes.iter().take(4).take_while(|b| !b.is_ascii()).map(|&b| 0xDC00 + u32::from(b)).collect();
    (!codes.is_empty()).then_some(codes)
}

/// The encodings that `surrogatepass` knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PassEncoding {
    Utf8,
    Utf16 { big: bool },
    Utf32 { big: bool },
}

impl PassEncoding {
    /// By the name in the exception (`utf-8`, `UTF16_be`, `cp65001`, …).
    pub fn from_name(name: &str) -> Option<PassEncoding> {
        if name.eq_ignore_ascii_case("cp65001") {
            return Some(PassEncoding::Utf8);
        }
        let lower = name.to_ascii_lowercase();
        let rest = lower.strip_prefix("utf")?;
        let rest = rest.strip_prefix(['-', '_']).unwrap_or(rest);
        if rest == "8" {
            return Some(PassEncoding::Utf8);
        }
        let (wide, rest) = match (rest.strip_prefix("16"), rest.strip_prefix("32")) {
            (Some(rest), _) => (false, rest),
            (_, Some(rest)) => (true, rest),
            _ => return None,
        };
        let big = match rest {
            "" => false,
            _ => match rest.strip_prefix(['-', '_']).unwrap_or(rest) {
                "le" => false,
                "be" => true,
                _ => return None,
            },
        };
        Some(if wide { PassEncoding::Utf32 { big } } else { PassEncoding::Utf16 { big } })
    }

    /// The bytes of surrogates; `None` where another code point is among them.
    pub fn encode(self, codes: &[u32]) -> Option<Vec<u8>> {
        let mut out = Vec::new();
        for &code in codes {
            if !is_surrogate(code) {
                return None;
            }
            let unit = code as u16;
            match self {
                PassEncoding::Utf8 => out.extend_from_slice(&utf8::surrogate_bytes(code)),
                PassEncoding::Utf16 { big: true } => out.extend_from_slice(&unit.to_be_bytes()),
                PassEncoding::Utf16 { big: false } => out.extend_from_slice(&unit.to_le_bytes()),
                PassEncoding::Utf32 { big: true } => out.extend_from_slice(&code.to_be_bytes()),
                PassEncoding::Utf32 { big: false } => out.extend_from_slice(&code.to_le_bytes()),
            }
        }
        Some(out)
    }

    /// The surrogate that `bytes` begin with, and its length.
    pub fn decode(self, bytes: &[u8]) -> Option<(u32, usize)> {
        let (code, len) = match (self, bytes) {
            (PassEncoding::Utf8, &[a @ 0xE0..=0xEF, b @ 0x80..=0xBF, c @ 0x80..=0xBF, ..]) => {
                (u32::from(a & 15) << 12 | u32::from(b & 63) << 6 | u32::from(c & 63), 3)
            }
            (PassEncoding::Utf16 { big: true }, &[a, b, ..]) => (u32::from(u16::from_be_bytes([a, b])), 2),
            (PassEncoding::Utf16 { big: false }, &[a, b, ..]) => (u32::from(u16::from_le_bytes([a, b])), 2),
            (PassEncoding::Utf32 { big: true }, &[a, b, c, d, ..]) => (u32::from_be_bytes([a, b, c, d]), 4),
            (PassEncoding::Utf32 { big: false }, &[a, b, c, d, ..]) => (u32::from_le_bytes([a, b, c, d]), 4),
            _ => return None,
        };
        is_surrogate(code).then_some((code, len))
    }
}
