//! A growing text that is always held in the narrowest of one, two and four bytes per code point.
//! CPython counterpart: `_PyUnicodeWriter`.

use crate::numtext::OutOfMemory;

/// A code unit wide enough for every code point of the text it stands in.
pub trait Unit: Copy + Eq + Ord + std::fmt::Debug + 'static {
    /// The largest code point it can hold.
    const MAX: u32;
    fn code(self) -> u32;
    /// Truncates; the caller knows that `code <= MAX`.
    fn from_code(code: u32) -> Self;
    /// The units as bytes, where a unit is a byte: the way to the byte searches of `memchr`.
    fn as_bytes(_units: &[Self]) -> Option<&[u8]> {
        None
    }
}

macro_rules! unit {
    ($kind:ty, $max:expr $(, $as_bytes:item)?) => {
        impl Unit for $kind {
            const MAX: u32 = $max;
            #[inline]
            fn code(self) -> u32 {
                u32::from(self)
            }
            #[inline]
            fn from_code(code: u32) -> Self {
                code as $kind
            }
            $($as_bytes)?
        }
    };
}

unit!(
    u8,
    0xFF,
    #[inline]
    fn as_bytes(units: &[u8]) -> Option<&[u8]> {
        Some(units)
    }
);
unit!(u16, 0xFFFF);
unit!(u32, 0x10_FFFF);

/// The units; the variant is the narrowest that fits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TextBuf {
    One(Vec<u8>),
    Two(Vec<u16>),
    Four(Vec<u32>),
}

impl Default for TextBuf {
    fn default() -> TextBuf {
        TextBuf::new()
    }
}

fn widen<A: Unit, B: Unit>(units: &[A], extra: usize) -> Result<Vec<B>, OutOfMemory> {
    let mut wide = Vec::new();
    wide.try_reserve(units.len() + extra)?;
    wide.extend(units.iter().map(|unit| B::from_code(unit.code())));
    Ok(wide)
}

/// Appends units that are known to fit.
fn append<A: Unit, B: Unit>(to: &mut Vec<A>, from: &[B]) -> Result<(), OutOfMemory> {
    to.try_reserve(from.len())?;
    to.extend(from.iter().map(|unit| A::from_code(unit.code())));
    Ok(())
}

impl TextBuf {
    pub const fn new() -> TextBuf {
        TextBuf::One(Vec::new())
    }

    pub fn with_capacity(units: usize) -> Result<TextBuf, OutOfMemory> {
        let mut one = Vec::new();
        one.try_reserve(units)?;
        Ok(TextBuf::One(one))
    }

    pub fn len(&self) -> usize {
        match self {
            TextBuf::One(units) => units.len(),
            TextBuf::Two(units) => units.len(),
            TextBuf::Four(units) => units.len(),
        }
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Makes room for `extra` more units up to the code point `max`.
    fn prepare(&mut self, max: u32, extra: usize) -> Result<(), OutOfMemory> {
        match self {
            TextBuf::One(units) if max > 0xFFFF => *self = TextBuf::Four(widen(units, extra)?),
            TextBuf::One(units) if max > 0xFF => *self = TextBuf::Two(widen(units, extra)?),
            TextBuf::Two(units) if max > 0xFFFF => *self = TextBuf::Four(widen(units, extra)?),
            TextBuf::One(units) => units.try_reserve(extra)?,
            TextBuf::Two(units) => units.try_reserve(extra)?,
            TextBuf::Four(units) => units.try_reserve(extra)?,
        }
        Ok(())
    }

    /// Appends one code point (a lone surrogate too).
    #[inline]
    pub fn push(&mut self, code: u32) -> Result<(), OutOfMemory> {
        match self {
            TextBuf::One(units) if code <= 0xFF => {
                units.try_reserve(1)?;
                units.push(code as u8);
            }
            TextBuf::Two(units) if code <= 0xFFFF => {
                units.try_reserve(1)?;
                units.push(code as u16);
            }
            _ => {
                self.prepare(code, 1)?;
                match self {
                    TextBuf::One(units) => units.push(code as u8),
                    TextBuf::Two(units) => units.push(code as u16),
                    TextBuf::Four(units) => units.push(code),
                }
            }
        }
        Ok(())
    }

    pub fn push_str(&mut self, text: &str) -> Result<(), OutOfMemory> {
        if text.is_ascii() {
            return self.push_units(text.as_bytes());
        }
        // The highest lead byte tells the width that is needed.
        let max = match text.bytes().fold(0, u8::max) {
            0xF0.. => 0x10_FFFF,
            0xC4.. => 0xFFFF,
            _ => 0xFF,
        };
        self.prepare(max, text.len())?;
        match self {
            TextBuf::One(units) => units.extend(text.chars().map(|c| c as u8)),
            TextBuf::Two(units) => units.extend(text.chars().map(|c| c as u16)),
            TextBuf::Four(units) => units.extend(text.chars().map(u32::from)),
        }
        Ok(())
    }

    /// Appends code points; bytes are Latin-1.
    pub fn push_units<U: Unit>(&mut self, units: &[U]) -> Result<(), OutOfMemory> {
        let held = match self {
            TextBuf::One(_) => 0xFF,
            TextBuf::Two(_) => 0xFFFF,
            TextBuf::Four(_) => 0x10_FFFF,
        };
        if U::MAX > held {
            let max = units.iter().fold(0, |max, unit| max | unit.code());
            self.prepare(max, units.len())?;
        }
        match self {
            TextBuf::One(to) => append(to, units),
            TextBuf::Two(to) => append(to, units),
            TextBuf::Four(to) => append(to, units),
        }
    }

    pub fn push_text(&mut self, text: &TextBuf) -> Result<(), OutOfMemory> {
        match text {
            TextBuf::One(units) => self.push_units(units),
            TextBuf::Two(units) => self.push_units(units),
            TextBuf::Four(units) => self.push_units(units),
        }
    }

    /// Appends `count` times the same code point.
    pub fn push_fill(&mut self, code: u32, count: usize) -> Result<(), OutOfMemory> {
        if count == 0 {
            return Ok(());
        }
        self.prepare(code, count)?;
        match self {
            TextBuf::One(units) => units.resize(units.len() + count, code as u8),
            TextBuf::Two(units) => units.resize(units.len() + count, code as u16),
            TextBuf::Four(units) => units.resize(units.len() + count, code),
        }
        Ok(())
    }

    pub fn get(&self, index: usize) -> Option<u32> {
        match self {
            TextBuf::One(units) => units.get(index).map(|&u| u32::from(u)),
            TextBuf::Two(units) => units.get(index).map(|&u| u32::from(u)),
            TextBuf::Four(units) => units.get(index).copied(),
        }
    }

    pub fn codes(&self) -> impl Iterator<Item = u32> + '_ {
        (0..self.len()).filter_map(|index| self.get(index))
    }

    /// Drops everything from `len` on, and narrows what is left.
    pub fn truncate(&mut self, len: usize) {
        if len >= self.len() {
            return;
        }
        let kept: Vec<u32> = self.codes().take(len).collect();
        *self = TextBuf::new();
        // What was held in more memory fits.
        let _ = self.push_units(&kept);
    }

    /// For messages and tests: lone surrogates become U+FFFD.
    pub fn to_string_lossy(&self) -> String {
        self.codes().map(|code| char::from_u32(code).unwrap_or('\u{FFFD}')).collect()
    }
}

impl From<&str> for TextBuf {
    fn from(text: &str) -> TextBuf {
        let mut buffer = TextBuf::new();
        // A text that is in memory once has room for a second time, as everywhere in Rust's own conversions.
        let _ = buffer.push_str(text);
        buffer
    }
}
