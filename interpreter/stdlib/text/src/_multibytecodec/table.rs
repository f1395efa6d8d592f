//! The character tables of the multibyte codecs: what is generated, and the form that is looked up.

use std::collections::HashMap;

use super::generated::{cn, jp, kr, tw};
use std::sync::LazyLock;

/// A table as it is generated.
pub struct Source {
    /// A table that this one adds to, its codes marked with these bits.
    pub base: Option<(&'static Source, u16)>,
    /// Characters under consecutive codes; U+FFFD takes a code of the base out.
    pub runs: &'static [(u16, &'static str)],
    /// Codes of two characters together.
    pub pairs: &'static [(u16, u32, u32)],
    /// Characters that have another code than the first that stands for them; 0 is none.
    pub encode: &'static [(u32, u16)],
}

/// What a code stands for.
#[derive(Clone, Copy)]
pub enum Decoded {
    One(u32),
    Pair(u32, u32),
}

pub struct Table {
    /// By code: 0, a character, or above U+10FFFF the two halves of a pair.
    decode: Vec<u32>,
    /// By character of the BMP: the code or 0.
    encode: Vec<u16>,
    /// Characters beyond the BMP.
    astral: HashMap<u32, u16>,
    pairs: HashMap<(u32, u32), u16>,
}

const CODES: usize = 0x10000;
const LAST_CHARACTER: u32 = 0x10_FFFF;

fn fill(source: &Source, decode: &mut [u32]) {
    if let Some((base, mark)) = source.base {
        let mut below = vec![0; CODES];
        fill(base, &mut below);
        for (code, &character) in below.iter().enumerate().filter(|(_, character)| **character != 0) {
            decode[code | usize::from(mark)] = character;
        }
    }
    for (first, characters) in source.runs {
        for (place, c) in decode[usize::from(*first)..].iter_mut().zip(characters.chars()) {
            *place = if c == '\u{FFFD}' { 0 } else { c.into() };
        }
    }
    for &(code, a, b) in source.pairs {
        decode[usize::from(code)] = a << 16 | b;
    }
}

impl Table {
    pub fn new(source: &Source) -> Table {
        let mut decode = vec![0; CODES];
        fill(source, &mut decode);
        let mut table =
            Table { decode: Vec::new(), encode: vec![0; CODES], astral: HashMap::new(), pairs: HashMap::new() };
        for (code, &character) in (0..=u16::MAX).zip(&decode) {
            match character {
                0 => {}
                0x1_0000..=LAST_CHARACTER => {
                    table.astral.entry(character).or_insert(code);
                }
                _ if character > LAST_CHARACTER => {
                    table.pairs.insert((character >> 16, character & 0xFFFF), code);
                }
                _ if table.encode[character as usize] == 0 => table.encode[character as usize] = code,
                _ => {}
            }
        }
        for &(character, code) in source.encode {
            match table.encode.get_mut(character as usize) {
                Some(place) => *place = code,
                None => drop(table.astral.insert(character, code)),
            }
        }
        table.decode = decode;
        table
    }

    pub fn decode(&self, code: u16) -> Option<Decoded> {
        match self.decode[usize::from(code)] {
            0 => None,
            pair if pair > LAST_CHARACTER => Some(Decoded::Pair(pair >> 16, pair & 0xFFFF)),
            one => Some(Decoded::One(one)),
        }
    }

    pub fn decode_bytes(&self, lead: u8, trail: u8) -> Option<Decoded> {
        self.decode(u16::from_be_bytes([lead, trail]))
    }

    pub fn encode(&self, c: u32) -> Option<u16> {
        let code = match self.encode.get(c as usize) {
            Some(code) => *code,
            None => self.astral.get(&c).copied().unwrap_or(0),
        };
        (code != 0).then_some(code)
    }

    /// The code of two characters together.
    pub fn encode_pair(&self, a: u32, b: u32) -> Option<u16> {
        if self.pairs.is_empty() { None } else { self.pairs.get(&(a, b)).copied() }
    }

    /// Whether a character may be the first of a pair, so that the next one decides on its code.
    pub fn leads_pair(&self, c: u32) -> bool {
        !self.pairs.is_empty() && self.pairs.keys().any(|pair| pair.0 == c)
    }
}

macro_rules! tables {
    ($($name:ident = $source:path;)*) => {
        $(pub static $name: LazyLock<Table> = LazyLock::new(|| Table::new(&$source));)*
    };
}
tables! {
    GB2312 = cn::GB2312;
    GBK = cn::GBK;
    GB18030 = cn::GB18030;
    JISX0208 = jp::JISX0208;
    JISX0212 = jp::JISX0212;
    JISX0213 = jp::JISX0213;
    JISX0213_2000 = jp::JISX0213_2000;
    CP932 = jp::CP932;
    KSX1001 = kr::KSX1001;
    CP949 = kr::CP949;
    BIG5 = tw::BIG5;
    CP950 = tw::CP950;
    BIG5HKSCS = tw::BIG5HKSCS;
}
