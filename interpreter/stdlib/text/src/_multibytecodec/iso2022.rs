//! The ISO 2022 encodings: character sets that escape sequences designate. CPython counterpart:
//! `Modules/cjkcodecs/_codecs_iso2022.c`.

use super::coding::{Rest, State, Step, put};
use super::japanese::{katakana, katakana_byte, roman_byte};
use super::table::{self, Decoded, Table};

const ESC: u8 = 0x1B;
const SO: u8 = 0x0E;
const SI: u8 = 0x0F;
const LF: u8 = 0x0A;

/// Sets are known by the final byte of their designation, with the high bit for sets of two bytes.
const TWO_BYTES: u8 = 0x80;
const ASCII: u8 = b'B';
const ISO8859_1: u8 = b'A';
const ISO8859_7: u8 = b'F';
const JISX0208: u8 = b'B' | TWO_BYTES;

/// The state's bytes 0 to 3 are the sets G0 to G3; byte 4 holds flags.
const FLAGS: usize = 4;
const SHIFTED: u8 = 1;
/// Within an escape sequence of another standard, which goes through.
const FOREIGN_ESCAPE: u8 = 2;

/// An encoder starts without a G2.
pub const ENCODE_START: State = State([ASCII, ASCII, 0, 0, 0, 0, 0, 0]);
pub const DECODE_START: State = State([ASCII, ASCII, ASCII, 0, 0, 0, 0, 0]);

/// Longest escape sequence that is looked at.
const LONGEST: usize = 16;

#[derive(Clone, Copy)]
enum Set {
    /// A table of codes of 7 bits.
    Table(fn() -> &'static Table),
    /// JIS X 0213: pairs of characters only, plane 1, plane 2.
    Pairs(fn() -> &'static Table),
    Plane1(fn() -> &'static Table),
    Plane2(fn() -> &'static Table),
    Roman,
    Katakana,
    /// What only the decoder knows, for G2.
    Single,
}

struct Designation {
    mark: u8,
    /// Which of G0 and G1 it goes to.
    plane: usize,
    set: Set,
}

pub struct Iso2022 {
    /// Whether SO and SI shift.
    shifts: bool,
    /// Whether there is a G2, reached by single shifts.
    has_g2: bool,
    /// Whether the revision prefix `ESC & @` may stand before JIS X 0208.
    japanese: bool,
    designations: &'static [Designation],
}

const fn two_bytes(mark: u8, plane: usize, set: Set) -> Designation {
    Designation { mark: mark | TWO_BYTES, plane, set }
}
const JIS: Designation = two_bytes(b'B', 0, Set::Table(|| &table::JISX0208));
const JIS_1978: Designation = two_bytes(b'@', 0, Set::Table(|| &table::JISX0208));
const JIS_2: Designation = two_bytes(b'D', 0, Set::Table(|| &table::JISX0212));
const ROMAN: Designation = Designation { mark: b'J', plane: 0, set: Set::Roman };
const KATAKANA: Designation = Designation { mark: b'I', plane: 0, set: Set::Katakana };

const fn japanese(has_g2: bool, designations: &'static [Designation]) -> Iso2022 {
    Iso2022 { shifts: false, has_g2, japanese: true, designations }
}

pub static KR: Iso2022 = Iso2022 {
    shifts: true,
    has_g2: false,
    japanese: false,
    designations: &[two_bytes(b'C', 1, Set::Table(|| &table::KSX1001))],
};
pub static JP: Iso2022 = japanese(false, &[JIS, ROMAN, JIS_1978]);
pub static JP_1: Iso2022 = japanese(false, &[JIS, JIS_2, ROMAN, JIS_1978]);
pub static JP_2: Iso2022 = japanese(
    true,
    &[
        JIS,
        JIS_2,
        two_bytes(b'C', 0, Set::Table(|| &table::KSX1001)),
        two_bytes(b'A', 0, Set::Table(|| &table::GB2312)),
        ROMAN,
        JIS_1978,
        Designation { mark: ISO8859_1, plane: 2, set: Set::Single },
        Designation { mark: ISO8859_7, plane: 2, set: Set::Single },
    ],
);
pub static JP_2004: Iso2022 = japanese(
    false,
    &[
        two_bytes(b'Q', 0, Set::Pairs(|| &table::JISX0213)),
        JIS,
        two_bytes(b'Q', 0, Set::Plane1(|| &table::JISX0213)),
        two_bytes(b'P', 0, Set::Plane2(|| &table::JISX0213)),
    ],
);
pub static JP_3: Iso2022 = japanese(
    false,
    &[
        two_bytes(b'O', 0, Set::Pairs(|| &table::JISX0213_2000)),
        JIS,
        two_bytes(b'O', 0, Set::Plane1(|| &table::JISX0213_2000)),
        two_bytes(b'P', 0, Set::Plane2(|| &table::JISX0213_2000)),
    ],
);
pub static JP_EXT: Iso2022 = japanese(false, &[JIS, JIS_2, ROMAN, KATAKANA, JIS_1978]);

impl Set {
    /// The code of the rest's start, and of how many characters; `None` if the set lacks it.
    fn encode(self, rest: Rest<'_>) -> Result<Option<(u16, usize)>, Step> {
        let c = rest.text[0];
        let one = |code: Option<u16>| Ok(code.map(|code| (code, 1)));
        match self {
            Set::Table(table) => one(table().encode(c)),
            Set::Plane2(table) => one(table().encode(c).filter(|code| code & 0x8000 != 0).map(|code| code & 0x7FFF)),
            Set::Plane1(table) => one(table().encode(c).filter(|code| code & 0x8000 == 0)),
            Set::Pairs(table) if table().leads_pair(c) => match rest.text.get(1) {
                None if !rest.flush => Err(Step::TooFew),
                None => Ok(None),
                Some(&next) => Ok(table().encode_pair(c, next).map(|code| (code, 2))),
            },
            Set::Pairs(_) | Set::Single => Ok(None),
            Set::Roman => one(roman_byte(c).map(u16::from)),
            Set::Katakana => one(katakana_byte(c).map(|byte| u16::from(byte & 0x7F))),
        }
    }

    fn decode(self, first: u8, second: u8) -> Option<Decoded> {
        match self {
            Set::Table(table) | Set::Pairs(table) | Set::Plane1(table) => table().decode_bytes(first, second),
            // Plane 2 is decoded by the standard of 2004 even in the encoding of 2000.
            Set::Plane2(_) => table::JISX0213.decode_bytes(first | 0x80, second),
            Set::Roman => Some(Decoded::One(match first {
                b'\\' => 0xA5,
                b'~' => 0x203E,
                _ => first.into(),
            })),
            Set::Katakana => katakana(first | 0x80).map(Decoded::One),
            Set::Single => None,
        }
    }
}

fn to_ascii(state: &mut State, out: &mut Vec<u8>) {
    if state.0[0] != ASCII {
        out.extend([ESC, b'(', b'B']);
        state.0[0] = ASCII;
    }
}

fn shift_in(state: &mut State, out: &mut Vec<u8>) {
    if state.0[FLAGS] & SHIFTED != 0 {
        out.push(SI);
        state.0[FLAGS] &= !SHIFTED;
    }
}

pub fn end(state: &mut State, out: &mut Vec<u8>) {
    shift_in(state, out);
    to_ascii(state, out);
}

pub fn decode_reset(state: &mut State) {
    state.0[0] = ASCII;
    state.0[FLAGS] &= !SHIFTED;
}

/// A final byte of an escape sequence.
fn ends_escape(byte: u8) -> bool {
    byte.is_ascii_uppercase() || byte == b'@'
}

impl Designation {
    fn is_double(&self) -> bool {
        self.mark & TWO_BYTES != 0
    }

    /// Designates the set and shifts to it.
    fn enter(&self, state: &mut State, out: &mut Vec<u8>) {
        if self.plane == 0 {
            shift_in(state, out);
        }
        if state.0[self.plane] != self.mark {
            let last = self.mark & !TWO_BYTES;
            let bracket = if self.plane == 0 { b'(' } else { b')' };
            match self.is_double() {
                false => out.extend([ESC, bracket, last]),
                true if self.mark == JISX0208 => out.extend([ESC, b'$', last]),
                true => out.extend([ESC, b'$', bracket, last]),
            }
            state.0[self.plane] = self.mark;
        }
        if self.plane == 1 && state.0[FLAGS] & SHIFTED == 0 {
            out.push(SO);
            state.0[FLAGS] |= SHIFTED;
        }
    }
}

impl Iso2022 {
    pub fn encode(&self, state: &mut State, rest: Rest<'_>, out: &mut Vec<u8>) -> Step {
        let c = rest.text[0];
        if c < 0x80 {
            to_ascii(state, out);
            shift_in(state, out);
            out.push(c as u8);
            return Step::Took(1);
        }
        for designation in self.designations {
            match designation.set.encode(rest) {
                Err(step) => return step,
                Ok(None) => {}
                Ok(Some((code, took))) => {
                    designation.enter(state, out);
                    match designation.is_double() {
                        true => out.extend(code.to_be_bytes()),
                        false => out.push(code as u8),
                    }
                    return Step::Took(took);
                }
            }
        }
        Step::Bad(1)
    }

    pub fn decode(&self, state: &mut State, data: &[u8], out: &mut Vec<u32>) -> Step {
        let c = data[0];
        if state.0[FLAGS] & FOREIGN_ESCAPE != 0 {
            out.push(c.into());
            if ends_escape(c) {
                state.0[FLAGS] &= !FOREIGN_ESCAPE;
            }
            return Step::Took(1);
        }
        match c {
            ESC => self.decode_escape(state, data, out),
            SI if self.shifts => {
                state.0[FLAGS] &= !SHIFTED;
                Step::Took(1)
            }
            SO if self.shifts => {
                state.0[FLAGS] |= SHIFTED;
                Step::Took(1)
            }
            LF => {
                state.0[FLAGS] &= !SHIFTED;
                put(out, Some(Decoded::One(c.into())), 1)
            }
            0..0x20 => put(out, Some(Decoded::One(c.into())), 1),
            0x80.. => Step::Bad(1),
            _ => self.decode_graphic(state, data, out),
        }
    }

    fn decode_graphic(&self, state: &State, data: &[u8], out: &mut Vec<u32>) -> Step {
        let mark = state.0[usize::from(state.0[FLAGS] & SHIFTED)];
        if mark == ASCII {
            return put(out, Some(Decoded::One(data[0].into())), 1);
        }
        let Some(designation) = self.designations.iter().find(|known| known.mark == mark) else { return Step::Bad(1) };
        if !designation.is_double() {
            return put(out, designation.set.decode(data[0], 0), 1);
        }
        let Some(&second) = data.get(1) else { return Step::TooFew };
        match designation.set.decode(data[0], second) {
            None => Step::Bad(2),
            decoded => put(out, decoded, 2),
        }
    }

    fn decode_escape(&self, state: &mut State, data: &[u8], out: &mut Vec<u32>) -> Step {
        match data.get(1) {
            None => Step::TooFew,
            Some(b'(' | b')' | b'$' | b'.' | b'&') => self.designate(state, data),
            Some(b'N') if self.has_g2 => decode_single_shift(state, data, out),
            Some(_) => {
                out.push(ESC.into());
                state.0[FLAGS] |= FOREIGN_ESCAPE;
                Step::Took(1)
            }
        }
    }

    fn designate(&self, state: &mut State, data: &[u8]) -> Step {
        let mut last = 1;
        loop {
            if last >= LONGEST {
                return Step::Bad(1);
            }
            let Some(&byte) = data.get(last) else { return Step::TooFew };
            if ends_escape(byte) {
                break;
            }
            if self.japanese && data[last..].starts_with(b"&@") {
                last += 2;
            }
            last += 1;
        }
        let sequence = &data[1..=last];
        let (mark, plane) = match *sequence {
            [b'$', mark] => (mark | TWO_BYTES, 0),
            [b'(', mark] => (mark, 0),
            [b')', mark] => (mark, 1),
            [b'.', mark] if self.has_g2 => (mark, 2),
            [b'$', b'(', mark] => (mark | TWO_BYTES, 0),
            [b'$', b')', mark] => (mark | TWO_BYTES, 1),
            [b'&', b'@', ESC, b'$', b'B'] if self.japanese => (JISX0208, 0),
            _ => return Step::Bad(last + 1),
        };
        if mark != ASCII && !self.designations.iter().any(|known| known.mark == mark) {
            return Step::Bad(last + 1);
        }
        state.0[plane] = mark;
        Step::Took(last + 1)
    }
}

/// A character of G2 after `ESC N`.
fn decode_single_shift(state: &State, data: &[u8], out: &mut Vec<u32>) -> Step {
    let Some(&byte) = data.get(2) else { return Step::TooFew };
    let decoded = match state.0[2] {
        ISO8859_1 if byte < 0x80 => Some(u32::from(byte) + 0x80),
        ISO8859_7 => greek(byte ^ 0x80),
        ASCII if byte < 0x80 => Some(byte.into()),
        _ => None,
    };
    match decoded {
        Some(c) => put(out, Some(Decoded::One(c)), 3),
        None => Step::Bad(3),
    }
}

/// ISO 8859-7 of 1987, without the currency signs that came later.
fn greek(byte: u8) -> Option<u32> {
    let c = u32::from(byte);
    match byte {
        0..0xA0 | 0xA0 | 0xA3 | 0xA6..=0xA9 | 0xAB..=0xAD | 0xB0..=0xB3 | 0xB7 | 0xBB | 0xBD => Some(c),
        0xA1 => Some(0x2018),
        0xA2 => Some(0x2019),
        0xAF => Some(0x2015),
        0xB4..=0xB6 | 0xB8..=0xBA | 0xBC | 0xBE..=0xD1 | 0xD3..=0xFE => Some(c + 0x2D0),
        _ => None,
    }
}
