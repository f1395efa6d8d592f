//! GB 18030 and HZ. CPython counterpart: `Modules/cjkcodecs/_codecs_cn.c`.

use super::coding::{State, Step, decode_ascii, encode_ascii, put};
use super::generated::cn::RANGES;
use super::table;

/// Four-byte sequences below U+10000, and the number of the sequence of U+10000.
const BELOW_ASTRAL: u32 = 39420;
const ASTRAL: u32 = 15 * 12600;

fn push_number(number: u32, out: &mut Vec<u8>) {
    let (rest, fourth) = (number / 10, number % 10);
    let (rest, third) = (rest / 126, rest % 126);
    let (first, second) = (rest / 10, rest % 10);
    out.extend([first as u8 + 0x81, second as u8 + 0x30, third as u8 + 0x81, fourth as u8 + 0x30]);
}

pub fn encode_gb18030(c: u32, out: &mut Vec<u8>) -> Step {
    if let Some(step) = encode_ascii(c, out) {
        return step;
    }
    if c >= 0x10000 {
        push_number(c - 0x10000 + ASTRAL, out);
        return Step::Took(1);
    }
    if let Some(code) = table::GB18030.encode(c) {
        out.extend(code.to_be_bytes());
        return Step::Took(1);
    }
    let place = RANGES.iter().find(|range| (range.0..=range.1).contains(&c));
    let Some((first, _, number)) = place else { return Step::Bad(1) };
    push_number(c - first + number, out);
    Step::Took(1)
}

pub fn decode_gb18030(data: &[u8], out: &mut Vec<u32>) -> Step {
    if let Some(step) = decode_ascii(data[0], out) {
        return step;
    }
    let Some(&second) = data.get(1) else { return Step::TooFew };
    if !second.is_ascii_digit() {
        return put(out, table::GB18030.decode_bytes(data[0], second), 2);
    }
    let [first, _, third, fourth] = *match data.first_chunk::<4>() {
        Some(four) => four,
        None => return Step::TooFew,
    };
    if !matches!((first, third), (0x81..=0xFE, 0x81..=0xFE)) || !fourth.is_ascii_digit() {
        return Step::Bad(1);
    }
    let [first, second, third, fourth] = [first - 0x81, second - 0x30, third - 0x81, fourth - 0x30].map(u32::from);
    let number = (first * 10 + second) * 1260 + third * 10 + fourth;
    if first < 4 && number < BELOW_ASTRAL {
        let at = RANGES.partition_point(|range| range.2 <= number) - 1;
        out.push(RANGES[at].0 + (number - RANGES[at].2));
        return Step::Took(4);
    }
    match number.checked_sub(ASTRAL) {
        Some(offset) if offset < 0x10_0000 => {
            out.push(0x10000 + offset);
            Step::Took(4)
        }
        _ => Step::Bad(1),
    }
}

/// The state's first byte is 1 within `~{`.
pub fn encode_hz(state: &mut State, c: u32, out: &mut Vec<u8>) -> Step {
    if c < 0x80 {
        end_hz(state, out);
        out.push(c as u8);
        if c == u32::from(b'~') {
            out.push(b'~');
        }
        return Step::Took(1);
    }
    let Some(code) = table::GB2312.encode(c) else { return Step::Bad(1) };
    if state.0[0] == 0 {
        out.extend(b"~{");
        state.0[0] = 1;
    }
    out.extend(code.to_be_bytes());
    Step::Took(1)
}

pub fn end_hz(state: &mut State, out: &mut Vec<u8>) {
    if state.0[0] != 0 {
        out.extend(b"~}");
        state.0[0] = 0;
    }
}

pub fn decode_hz(state: &mut State, data: &[u8], out: &mut Vec<u32>) -> Step {
    let first = data[0];
    if first == b'~' {
        match (data.get(1), state.0[0]) {
            (None, _) => return Step::TooFew,
            (Some(b'~'), 0) => out.push(b'~'.into()),
            (Some(b'{'), 0) => state.0[0] = 1,
            (Some(b'\n'), 0) => {}
            (Some(b'}'), 1) => state.0[0] = 0,
            _ => return Step::Bad(1),
        }
        return Step::Took(2);
    }
    if first >= 0x80 {
        return Step::Bad(1);
    }
    if state.0[0] == 0 {
        out.push(first.into());
        return Step::Took(1);
    }
    let Some(&second) = data.get(1) else { return Step::TooFew };
    put(out, table::GB2312.decode_bytes(first, second), 2)
}
