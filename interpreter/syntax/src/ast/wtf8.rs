//! Strings that may hold lone surrogates, in generalised UTF-8 (WTF-8): a surrogate is encoded in three bytes.
//!
//! Conversion to the interpreter's own string objects lives in `runtime`. CPython counterpart: none; its literals
//! are `str` objects from the start.

use std::fmt;

/// An immutable Python string: UTF-8 extended by three-byte surrogates.
///
/// Two neighbouring surrogates that form a pair stay two code points, as in a Python `str`; so this is not strict
/// WTF-8 and equality is equality of code points.
#[derive(Clone, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Wtf8Box(Box<[u8]>);

/// The growable form of [`Wtf8Box`].
#[derive(Clone, Default, Debug)]
pub struct Wtf8Buf(Vec<u8>);

impl Wtf8Box {
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The text, unless a surrogate occurs in it.
    pub fn to_str(&self) -> Option<&str> {
        std::str::from_utf8(&self.0).ok()
    }

    /// The code points, surrogates included.
    pub fn code_points(&self) -> impl Iterator<Item = u32> + '_ {
        CodePoints { bytes: &self.0 }
    }

    /// The text with each surrogate replaced by U+FFFD.
    pub fn to_string_lossy(&self) -> String {
        self.code_points().map(|cp| char::from_u32(cp).unwrap_or('\u{fffd}')).collect()
    }

    pub fn into_buf(self) -> Wtf8Buf {
        Wtf8Buf(self.0.into_vec())
    }
}

impl Wtf8Buf {
    pub fn new() -> Self {
        Wtf8Buf(Vec::new())
    }

    pub fn push_str(&mut self, text: &str) {
        self.0.extend_from_slice(text.as_bytes());
    }

    pub fn push_wtf8(&mut self, text: &Wtf8Box) {
        self.0.extend_from_slice(&text.0);
    }

    /// Appends one code point; values above U+10FFFF are a caller's error and become U+FFFD.
    pub fn push_code_point(&mut self, cp: u32) {
        match char::from_u32(cp) {
            Some(c) => self.0.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes()),
            None if (0xd800..0xe000).contains(&cp) => {
                self.0.extend_from_slice(&[0xed, 0x80 | (cp >> 6 & 0x3f) as u8, 0x80 | (cp & 0x3f) as u8]);
            }
            None => self.push_str("\u{fffd}"),
        }
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn finish(self) -> Wtf8Box {
        Wtf8Box(self.0.into_boxed_slice())
    }
}

impl From<&str> for Wtf8Box {
    fn from(text: &str) -> Self {
        Wtf8Box(text.as_bytes().into())
    }
}

impl From<String> for Wtf8Box {
    fn from(text: String) -> Self {
        Wtf8Box(text.into_bytes().into_boxed_slice())
    }
}

impl fmt::Debug for Wtf8Box {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.to_string_lossy())
    }
}

struct CodePoints<'a> {
    bytes: &'a [u8],
}

impl Iterator for CodePoints<'_> {
    type Item = u32;

    fn next(&mut self) -> Option<u32> {
        let (&first, rest) = self.bytes.split_first()?;
        let (len, high) = match first {
            0..=0x7f => (0, u32::from(first)),
            0x80..=0xdf => (1, u32::from(first & 0x1f)),
            0xe0..=0xef => (2, u32::from(first & 0x0f)),
            _ => (3, u32::from(first & 0x07)),
        };
        let (tail, rest) = rest.split_at_checked(len)?;
        self.bytes = rest;
        Some(tail.iter().fold(high, |cp, &byte| cp << 6 | u32::from(byte & 0x3f)))
    }
}
