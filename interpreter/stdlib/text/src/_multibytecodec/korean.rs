//! EUC-KR with its spelt-out syllables, and Johab. CPython counterpart: `Modules/cjkcodecs/_codecs_kr.c`.

use super::coding::{Step, decode_ascii, encode_ascii, put};
use super::table::{self, Decoded};

/// Hangul syllables of Unicode, and of how many vowels and finals they are made.
const SYLLABLES: std::ops::RangeInclusive<u32> = 0xAC00..=0xD7A3;
const VOWELS: u32 = 21;
const FINALS: u32 = 28;

/// The second bytes of the compatibility jamo in KS X 1001 (row 0xA4), in the order of Unicode's initials and finals.
const INITIALS: [u8; 19] =
    [0xA1, 0xA2, 0xA4, 0xA7, 0xA8, 0xA9, 0xB1, 0xB2, 0xB3, 0xB5, 0xB6, 0xB7, 0xB8, 0xB9, 0xBA, 0xBB, 0xBC, 0xBD, 0xBE];
const FINAL_JAMO: [u8; 28] = [
    FILLER, 0xA1, 0xA2, 0xA3, 0xA4, 0xA5, 0xA6, 0xA7, 0xA9, 0xAA, 0xAB, 0xAC, 0xAD, 0xAE, 0xAF, 0xB0, 0xB1, 0xB2, 0xB4,
    0xB5, 0xB6, 0xB7, 0xB8, 0xBA, 0xBB, 0xBC, 0xBD, 0xBE,
];
const FIRST_VOWEL: u8 = 0xBF;
const JAMO_ROW: u8 = 0xA4;
const FILLER: u8 = 0xD4;

/// Initial, vowel and final of a syllable.
fn split(c: u32) -> (usize, usize, usize) {
    let index = c - SYLLABLES.start();
    ((index / (VOWELS * FINALS)) as usize, (index / FINALS % VOWELS) as usize, (index % FINALS) as usize)
}

fn join(initial: usize, vowel: usize, last: usize) -> u32 {
    SYLLABLES.start() + (initial as u32 * VOWELS + vowel as u32) * FINALS + last as u32
}

pub fn encode_euc_kr(c: u32, out: &mut Vec<u8>) -> Step {
    if let Some(step) = encode_ascii(c, out) {
        return step;
    }
    if let Some(code) = table::KSX1001.encode(c) {
        out.extend((code | 0x8080).to_be_bytes());
    } else if SYLLABLES.contains(&c) {
        let (initial, vowel, last) = split(c);
        for jamo in [FILLER, INITIALS[initial], FIRST_VOWEL + vowel as u8, FINAL_JAMO[last]] {
            out.extend([JAMO_ROW, jamo]);
        }
    } else {
        return Step::Bad(1);
    }
    Step::Took(1)
}

pub fn decode_euc_kr(data: &[u8], out: &mut Vec<u32>) -> Step {
    if let Some(step) = decode_ascii(data[0], out) {
        return step;
    }
    let Some(&second) = data.get(1) else { return Step::TooFew };
    if (data[0], second) != (JAMO_ROW, FILLER) {
        return put(out, table::KSX1001.decode_bytes(data[0] ^ 0x80, second ^ 0x80), 2);
    }
    let Some([_, _, a, initial, b, vowel, c, last]) = data.first_chunk::<8>() else { return Step::TooFew };
    let initial = INITIALS.iter().position(|jamo| jamo == initial);
    let vowel = vowel.checked_sub(FIRST_VOWEL).filter(|&vowel| u32::from(vowel) < VOWELS);
    let last = FINAL_JAMO.iter().position(|jamo| jamo == last);
    match (initial, vowel, last) {
        (Some(initial), Some(vowel), Some(last)) if [*a, *b, *c] == [JAMO_ROW; 3] => {
            out.push(join(initial, vowel.into(), last));
            Step::Took(8)
        }
        _ => Step::Bad(1),
    }
}

/// Johab packs three indices of five bits. A filler stands for "none"; values that are missing here mean nothing.
const JOHAB_FILLER: (u16, u16, u16) = (1, 2, 1);
const JOHAB_VOWELS: [u16; 21] = [3, 4, 5, 6, 7, 10, 11, 12, 13, 14, 15, 18, 19, 20, 21, 22, 23, 26, 27, 28, 29];

/// Initials are 2 to 20 in order.
fn johab_initial(index: usize) -> u16 {
    index as u16 + 2
}

/// Finals are 1 (none) to 29 in order, without 18.
fn johab_final(index: usize) -> u16 {
    let value = index as u16 + 1;
    if value >= 18 { value + 1 } else { value }
}

fn pack(initial: u16, vowel: u16, last: u16) -> u16 {
    0x8000 | initial << 10 | vowel << 5 | last
}

/// A compatibility jamo (U+3131 to U+3163) as Johab: alone in its place, fillers in the others.
fn johab_jamo(c: u32) -> u16 {
    let low = (c - 0x3131) as u8 + 0xA1;
    if low >= FIRST_VOWEL {
        let vowel = JOHAB_VOWELS[usize::from(low - FIRST_VOWEL)];
        return pack(JOHAB_FILLER.0, vowel, JOHAB_FILLER.2);
    }
    match INITIALS.iter().position(|&jamo| jamo == low) {
        Some(initial) => pack(johab_initial(initial), JOHAB_FILLER.1, JOHAB_FILLER.2),
        None => {
            let last = FINAL_JAMO.iter().position(|&jamo| jamo == low).unwrap_or(0);
            pack(JOHAB_FILLER.0, JOHAB_FILLER.1, johab_final(last))
        }
    }
}

pub fn encode_johab(c: u32, out: &mut Vec<u8>) -> Step {
    if let Some(step) = encode_ascii(c, out) {
        return step;
    }
    if SYLLABLES.contains(&c) {
        let (initial, vowel, last) = split(c);
        out.extend(pack(johab_initial(initial), JOHAB_VOWELS[vowel], johab_final(last)).to_be_bytes());
        return Step::Took(1);
    }
    if (0x3131..=0x3163).contains(&c) {
        out.extend(johab_jamo(c).to_be_bytes());
        return Step::Took(1);
    }
    let Some([row, cell]) = table::KSX1001.encode(c).map(u16::to_be_bytes) else { return Step::Bad(1) };
    let rows = match row {
        0x21..=0x2C => u16::from(row) - 0x21 + 0x1B2,
        0x4A..=0x7D => u16::from(row) - 0x21 + 0x197,
        _ => return Step::Bad(1),
    };
    let cell = cell - 0x21 + if rows & 1 == 0 { 0 } else { 0x5E };
    out.extend([(rows >> 1) as u8, if cell < 0x4E { cell + 0x31 } else { cell + 0x43 }]);
    Step::Took(1)
}

pub fn decode_johab(data: &[u8], out: &mut Vec<u32>) -> Step {
    if let Some(step) = decode_ascii(data[0], out) {
        return step;
    }
    let Some(&second) = data.get(1) else { return Step::TooFew };
    let decoded = if data[0] < 0xD8 {
        johab_hangul(u16::from_be_bytes([data[0], second])).map(Decoded::One)
    } else {
        johab_symbol(data[0], second)
    };
    put(out, decoded, 2)
}

/// A part of a packed code: nothing, or its index.
type Part = Option<usize>;

fn johab_hangul(code: u16) -> Option<u32> {
    let (initial, vowel, last) = (code >> 10 & 31, code >> 5 & 31, code & 31);
    let initial: Part = match initial {
        1 => None,
        2..=20 => Some(usize::from(initial - 2)),
        _ => return None,
    };
    let vowel: Part = match vowel {
        2 => None,
        _ => Some(JOHAB_VOWELS.iter().position(|&known| known == vowel)?),
    };
    let last: Part = match last {
        1 => None,
        _ => Some((1..FINAL_JAMO.len()).find(|&index| johab_final(index) == last)?),
    };
    let compatible = |jamo: u8| 0x3131 + u32::from(jamo - 0xA1);
    match (initial, vowel, last) {
        (None, None, None) => Some(0x3000),
        (None, None, Some(last)) => Some(compatible(FINAL_JAMO[last])),
        (None, Some(vowel), None) => Some(compatible(FIRST_VOWEL + vowel as u8)),
        (Some(initial), None, None) => Some(compatible(INITIALS[initial])),
        (Some(initial), Some(vowel), last) => Some(join(initial, vowel, last.unwrap_or(0))),
        _ => None,
    }
}

/// What is no hangul, by KS X 1001.
fn johab_symbol(lead: u8, trail: u8) -> Option<Decoded> {
    let jamo = lead == 0xDA && (0xA1..=0xD3).contains(&trail);
    if matches!(lead, 0xD8 | 0xDF)
        || lead > 0xF9
        || trail < 0x31
        || (0x80..0x91).contains(&trail)
        || trail & 0x7F == 0x7F
        || jamo
    {
        return None;
    }
    let rows = if lead < 0xE0 { 2 * (u16::from(lead) - 0xD9) } else { 2 * u16::from(lead) - 0x197 };
    let cell = if trail < 0x91 { trail - 0x31 } else { trail - 0x43 };
    let (rows, cell) = if cell < 0x5E { (rows, cell) } else { (rows + 1, cell - 0x5E) };
    table::KSX1001.decode_bytes(u8::try_from(rows + 0x21).ok()?, cell + 0x21)
}
