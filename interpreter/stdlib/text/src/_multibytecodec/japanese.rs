//! Shift JIS and EUC for Japanese, with their extensions. CPython counterpart: `Modules/cjkcodecs/_codecs_jp.c`.

use super::coding::{Rest, Step, decode_ascii, encode_ascii, lookup, put};
use super::table::{self, Decoded, Table};

/// Half-width katakana: the characters, and what is added to a byte (0xA1 to 0xDF) to get them.
const KATAKANA: std::ops::RangeInclusive<u32> = 0xFF61..=0xFF9F;
const KATAKANA_OFFSET: u32 = 0xFEC0;
/// The lead byte of katakana and of the third plane in EUC.
const SS2: u8 = 0x8E;
const SS3: u8 = 0x8F;
/// The mark of plane 2 in codes of JIS X 0213.
const PLANE_2: u16 = 0x8000;

pub fn katakana(byte: u8) -> Option<u32> {
    (0xA1..=0xDF).contains(&byte).then(|| KATAKANA_OFFSET + u32::from(byte))
}

pub fn katakana_byte(c: u32) -> Option<u8> {
    KATAKANA.contains(&c).then(|| (c - KATAKANA_OFFSET) as u8)
}

/// Yen sign and overline, which take the places of backslash and tilde in JIS X 0201.
pub fn roman_byte(c: u32) -> Option<u8> {
    match c {
        0xA5 => Some(b'\\'),
        0x203E => Some(b'~'),
        _ => None,
    }
}

/// Two bytes of Shift JIS as a row from 0 and a cell from 0x21.
fn unshift(lead: u8, trail: u8) -> Option<(u8, u8)> {
    if !matches!(trail, 0x40..=0x7E | 0x80..=0xFC) {
        return None;
    }
    let row = 2 * if lead < 0xE0 { lead - 0x81 } else { lead - 0xC1 };
    let cell = if trail < 0x80 { trail - 0x40 } else { trail - 0x41 };
    Some(if cell < 0x5E { (row, cell + 0x21) } else { (row + 1, cell - 0x5E + 0x21) })
}

fn shift(row: u8, cell: u8) -> [u8; 2] {
    let cell = cell - 0x21 + if row & 1 == 0 { 0 } else { 0x5E };
    let lead = row >> 1;
    [lead + if lead < 0x1F { 0x81 } else { 0xC1 }, cell + if cell < 0x3F { 0x40 } else { 0x41 }]
}

pub fn encode_shift_jis(c: u32, out: &mut Vec<u8>) -> Step {
    if let Some(step) = encode_ascii(c, out) {
        return step;
    }
    if let Some(byte) = roman_byte(c).or_else(|| katakana_byte(c)) {
        out.push(byte);
        return Step::Took(1);
    }
    let Some([row, cell]) = table::JISX0208.encode(c).map(u16::to_be_bytes) else { return Step::Bad(1) };
    out.extend(shift(row - 0x21, cell));
    Step::Took(1)
}

pub fn decode_shift_jis(data: &[u8], out: &mut Vec<u32>) -> Step {
    let lead = data[0];
    if let Some(step) = decode_ascii(lead, out) {
        return step;
    }
    if let Some(c) = katakana(lead) {
        return put(out, Some(Decoded::One(c)), 1);
    }
    if !matches!(lead, 0x81..=0x9F | 0xE0..=0xEA) {
        return Step::Bad(1);
    }
    let Some(&trail) = data.get(1) else { return Step::TooFew };
    put(out, unshift(lead, trail).and_then(|(row, cell)| table::JISX0208.decode_bytes(row + 0x21, cell)), 2)
}

/// The private area of code page 932: the first character, and how many have the same lead byte.
const PRIVATE: u32 = 0xE000;
const PRIVATE_END: u32 = 0xE758;
const PRIVATE_ROW: u32 = 188;

pub fn encode_cp932(c: u32, out: &mut Vec<u8>) -> Step {
    match c {
        0..=0x80 => out.push(c as u8),
        0xF8F0 => out.push(0xA0),
        0xF8F1..=0xF8F3 => out.push((c - 0xF8F1) as u8 + 0xFD),
        _ => {
            if let Some(byte) = katakana_byte(c) {
                out.push(byte);
            } else if let Some(code) = table::CP932.encode(c) {
                out.extend(code.to_be_bytes());
            } else if (PRIVATE..PRIVATE_END).contains(&c) {
                let (lead, trail) = ((c - PRIVATE) / PRIVATE_ROW, ((c - PRIVATE) % PRIVATE_ROW) as u8);
                out.extend([lead as u8 + 0xF0, trail + if trail < 0x3F { 0x40 } else { 0x41 }]);
            } else {
                return Step::Bad(1);
            }
        }
    }
    Step::Took(1)
}

pub fn decode_cp932(data: &[u8], out: &mut Vec<u32>) -> Step {
    let lead = data[0];
    let single = match lead {
        0..=0x80 => Some(lead.into()),
        0xA0 => Some(0xF8F0),
        0xFD.. => Some(0xF8F1 + u32::from(lead - 0xFD)),
        _ => katakana(lead),
    };
    if let Some(c) = single {
        return put(out, Some(Decoded::One(c)), 1);
    }
    let Some(&trail) = data.get(1) else { return Step::TooFew };
    let private = || match (lead, trail) {
        (0xF0..=0xF9, 0x40..=0x7E | 0x80..=0xFC) => {
            let place = u32::from(if trail < 0x80 { trail - 0x40 } else { trail - 0x41 });
            Some(Decoded::One(PRIVATE + PRIVATE_ROW * u32::from(lead - 0xF0) + place))
        }
        _ => None,
    };
    put(out, table::CP932.decode_bytes(lead, trail).or_else(private), 2)
}

pub fn encode_euc_jp(c: u32, out: &mut Vec<u8>) -> Step {
    if let Some(step) = encode_ascii(c, out) {
        return step;
    }
    if let Some(code) = table::JISX0208.encode(c) {
        out.extend((code | 0x8080).to_be_bytes());
    } else if let Some(code) = table::JISX0212.encode(c) {
        out.push(SS3);
        out.extend((code | 0x8080).to_be_bytes());
    } else if let Some(byte) = katakana_byte(c) {
        out.extend([SS2, byte]);
    } else if let Some(byte) = roman_byte(c) {
        out.push(byte);
    } else {
        return Step::Bad(1);
    }
    Step::Took(1)
}

/// Katakana after SS2.
fn decode_ss2(data: &[u8], out: &mut Vec<u32>) -> Step {
    let Some(&byte) = data.get(1) else { return Step::TooFew };
    put(out, katakana(byte).map(Decoded::One), 2)
}

pub fn decode_euc_jp(data: &[u8], out: &mut Vec<u32>) -> Step {
    match *data {
        [lead, ..] if lead < 0x80 => put(out, Some(Decoded::One(lead.into())), 1),
        [SS2, ..] => decode_ss2(data, out),
        [SS3, second, third, ..] => put(out, table::JISX0212.decode_bytes(second ^ 0x80, third ^ 0x80), 3),
        [SS3, ..] | [_] | [] => Step::TooFew,
        [lead, trail, ..] => put(out, table::JISX0208.decode_bytes(lead ^ 0x80, trail ^ 0x80), 2),
    }
}

pub fn encode_shift_jis_2004(jisx0213: &Table, rest: Rest<'_>, out: &mut Vec<u8>) -> Step {
    let c = rest.text[0];
    // The bytes of backslash and tilde are the yen sign and the overline here.
    let plain = (c < 0x80 && c != u32::from(b'\\') && c != u32::from(b'~')).then_some(c as u8);
    if let Some(byte) = plain.or_else(|| roman_byte(c)).or_else(|| katakana_byte(c)) {
        out.push(byte);
        return Step::Took(1);
    }
    let found = match c {
        0x5C => Ok((0x2140, 1)),
        0xFF3C => Err(Step::Bad(1)),
        _ => lookup(jisx0213, rest),
    };
    let (code, took) = match found {
        Ok(found) => found,
        Err(step) => return step,
    };
    let [row, cell] = code.to_be_bytes();
    let row = match row {
        0xEE.. => row - 0x87,
        0xA8 | 0xAC.. => row - 0x49,
        0x80.. => row - 0x43,
        _ => row - 0x21,
    };
    out.extend(shift(row, cell));
    Step::Took(took)
}

pub fn decode_shift_jis_2004(jisx0213: &Table, data: &[u8], out: &mut Vec<u32>) -> Step {
    let lead = data[0];
    let single = match lead {
        b'\\' => Some(0xA5),
        b'~' => Some(0x203E),
        0..0x80 => Some(lead.into()),
        _ => katakana(lead),
    };
    if let Some(c) = single {
        return put(out, Some(Decoded::One(c)), 1);
    }
    if !matches!(lead, 0x81..=0x9F | 0xE0..=0xFC) {
        return Step::Bad(1);
    }
    let Some(&trail) = data.get(1) else { return Step::TooFew };
    let Some((row, cell)) = unshift(lead, trail) else { return Step::Bad(1) };
    let row = match row {
        ..=0x5D => row + 0x21,
        0x67.. => (row + 0x07) | 0x80,
        0x5F | 0x63.. => (row - 0x37) | 0x80,
        _ => (row - 0x3D) | 0x80,
    };
    if (row, cell) == (0x21, 0x40) {
        return put(out, Some(Decoded::One(0x5C)), 2);
    }
    put_jisx0213(jisx0213, row, cell, out)
}

/// A two-byte code; one that came with 2004 is an error of two bytes under the standard of 2000.
fn put_jisx0213(jisx0213: &Table, row: u8, cell: u8, out: &mut Vec<u32>) -> Step {
    match jisx0213.decode_bytes(row, cell) {
        None if table::JISX0213.decode_bytes(row, cell).is_some() => Step::Bad(2),
        decoded => put(out, decoded, 2),
    }
}

pub fn encode_euc_jis_2004(jisx0213: &Table, rest: Rest<'_>, out: &mut Vec<u8>) -> Step {
    let c = rest.text[0];
    if let Some(step) = encode_ascii(c, out) {
        return step;
    }
    if let Some(byte) = katakana_byte(c) {
        out.extend([SS2, byte]);
        return Step::Took(1);
    }
    let found = match lookup(jisx0213, rest) {
        Err(Step::Bad(_)) if c == 0xFF5E => Ok((0x2232, 1)),
        // What came with 2004 is not looked for in JIS X 0212 under the standard of 2000.
        Err(Step::Bad(_)) if table::JISX0213.encode(c).is_none() => {
            table::JISX0212.encode(c).map(|code| (code | PLANE_2, 1)).ok_or(Step::Bad(1))
        }
        found => found,
    };
    let (code, took) = match found {
        Ok(found) => found,
        Err(step) => return step,
    };
    if code & PLANE_2 != 0 {
        out.push(SS3);
    }
    out.extend((code | 0x8080).to_be_bytes());
    Step::Took(took)
}

pub fn decode_euc_jis_2004(jisx0213: &Table, data: &[u8], out: &mut Vec<u32>) -> Step {
    match *data {
        [lead, ..] if lead < 0x80 => put(out, Some(Decoded::One(lead.into())), 1),
        [SS2, ..] => decode_ss2(data, out),
        [SS3, second, third, ..] => {
            let (row, cell) = (second ^ 0x80, third ^ 0x80);
            let plane_2 = if row < 0x80 { jisx0213.decode_bytes(second, cell) } else { None };
            put(out, plane_2.or_else(|| table::JISX0212.decode_bytes(row, cell)), 3)
        }
        [SS3, ..] | [_] | [] => Step::TooFew,
        [0xA2, 0xB2, ..] => put(out, Some(Decoded::One(0xFF5E)), 2),
        [lead, trail, ..] => put_jisx0213(jisx0213, lead & 0x7F, trail ^ 0x80, out),
    }
}
