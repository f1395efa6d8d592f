//! The text that is searched: a slice of one of the three character widths.

/// A character as stored: `u8` (ASCII, Latin-1, bytes), `u16` or `u32`.
pub trait Char: Copy + Eq + Send + Sync + 'static {
    fn code(self) -> u32;
    /// The character with this code, if the width can hold it.
    fn from_code(code: u32) -> Option<Self>;
    fn find(text: &[Self], c: Self) -> Option<usize> {
        text.iter().position(|&x| x == c)
    }
    /// First place of either character.
    fn find_either(text: &[Self], a: Self, b: Self) -> Option<usize> {
        text.iter().position(|&x| x == a || x == b)
    }
    fn rfind(text: &[Self], c: Self) -> Option<usize> {
        text.iter().rposition(|&x| x == c)
    }
    /// First place of a non-empty `needle`.
    fn find_run(text: &[Self], needle: &[Self]) -> Option<usize> {
        let (&first, rest) = needle.split_first()?;
        let mut from = 0;
        while let Some(at) = Self::find(text.get(from..)?, first) {
            from += at + 1;
            if text[from..].starts_with(rest) {
                return Some(from - 1);
            }
        }
        None
    }
}

impl Char for u8 {
    #[inline]
    fn code(self) -> u32 {
        u32::from(self)
    }
    fn from_code(code: u32) -> Option<u8> {
        u8::try_from(code).ok()
    }
    fn find(text: &[u8], c: u8) -> Option<usize> {
        memchr::memchr(c, text)
    }
    fn find_either(text: &[u8], a: u8, b: u8) -> Option<usize> {
        memchr::memchr2(a, b, text)
    }
    fn rfind(text: &[u8], c: u8) -> Option<usize> {
        memchr::memrchr(c, text)
    }
    fn find_run(text: &[u8], needle: &[u8]) -> Option<usize> {
        memchr::memmem::find(text, needle)
    }
}

impl Char for u16 {
    #[inline]
    fn code(self) -> u32 {
        u32::from(self)
    }
    fn from_code(code: u32) -> Option<u16> {
        u16::try_from(code).ok()
    }
}

impl Char for u32 {
    #[inline]
    fn code(self) -> u32 {
        self
    }
    fn from_code(code: u32) -> Option<u32> {
        Some(code)
    }
}

/// A borrowed text of any width.
#[derive(Clone, Copy, Debug)]
pub enum Text<'a> {
    Narrow(&'a [u8]),
    Medium(&'a [u16]),
    Wide(&'a [u32]),
}
