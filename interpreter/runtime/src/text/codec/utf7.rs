//! UTF-7 (RFC 2152).

use super::{DecodeErrors, Decoding};
use crate::numtext::OutOfMemory;
use crate::text::{TextBuf, Unit};

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

fn from_base64(byte: u8) -> Option<u32> {
    ALPHABET.iter().position(|&b| b == byte).map(|n| n as u32)
}

/// May stand for itself in encoded text; whitespace and the optional direct characters too, as CPython's codec does.
fn is_direct(code: u32) -> bool {
    match u8::try_from(code) {
        Ok(b'\t' | b'\n' | b'\r' | b' '..=b'}') => !matches!(code, 0x2B | 0x5C),
        _ => false,
    }
}

/// The base64 section that the decoder is in.
#[derive(Default)]
struct Shift {
    buffer: u32,
    bits: u32,
    surrogate: u32,
}

/// Decodes; with `incremental` an open base64 section at the end is left over.
pub fn decode<H: DecodeErrors>(input: &[u8], incremental: bool, errors: &mut H) -> Result<(TextBuf, usize), H::Error> {
    let mut state = Decoding::new("utf7", input, errors)?;
    let mut shift: Option<Shift> = None;
    let mut section = 0;
    // Length of the output where the current section began, for an incomplete one that is to be read again.
    let mut section_out = 0;
    let mut at = 0;
    loop {
        while let Some(&byte) = state.input.get(at) {
            at += 1;
            let failed = if let Some(open) = &mut shift {
                if let Some(value) = from_base64(byte) {
                    if let Some(unit) = feed(open, value) {
                        join(&mut state, open, unit)?;
                    }
                    continue;
                }
                let closed = shift.take().unwrap_or_default();
                let failed = leftover(&closed);
                if failed.is_none() {
                    if closed.surrogate != 0 && byte.is_ascii() && byte != b'+' {
                        state.push(closed.surrogate)?;
                    }
                    at -= usize::from(byte != b'-');
                }
                failed
            } else if byte == b'+' {
                section = at - 1;
                match state.input.get(at) {
                    Some(b'-') => {
                        at += 1;
                        state.push(0x2B)?;
                        None
                    }
                    Some(&next) if from_base64(next).is_none() => {
                        at += 1;
                        Some("ill-formed sequence")
                    }
                    _ => {
                        shift = Some(Shift::default());
                        section_out = state.out.len();
                        None
                    }
                }
            } else if byte.is_ascii() {
                state.push(u32::from(byte))?;
                None
            } else {
                section = at - 1;
                Some("unexpected special character")
            };
            if let Some(reason) = failed {
                at = state.error(section, at, reason)?;
            }
        }
        let Some(open) = shift.take() else { return Ok((state.out, at)) };
        if incremental {
            state.out.truncate(section_out);
            return Ok((state.out, section));
        }
        if open.surrogate == 0 && open.bits < 6 && open.buffer == 0 {
            return Ok((state.out, at));
        }
        let end = state.input.len();
        at = state.error(section, end, "unterminated shift sequence")?;
        if at >= state.input.len() {
            return Ok((state.out, at));
        }
    }
}

/// Takes six bits in; answers a UTF-16 unit when there are enough.
fn feed(open: &mut Shift, value: u32) -> Option<u32> {
    open.buffer = open.buffer << 6 | value;
    open.bits += 6;
    if open.bits < 16 {
        return None;
    }
    open.bits -= 16;
    let unit = open.buffer >> open.bits;
    open.buffer &= (1 << open.bits) - 1;
    Some(unit & 0xFFFF)
}

fn join<H: DecodeErrors>(state: &mut Decoding<'_, H>, open: &mut Shift, unit: u32) -> Result<(), H::Error> {
    let high = std::mem::take(&mut open.surrogate);
    if high != 0 {
        if (0xDC00..0xE000).contains(&unit) {
            return state.push(0x1_0000 + ((high - 0xD800) << 10) + (unit - 0xDC00));
        }
        state.push(high)?;
    }
    if (0xD800..0xDC00).contains(&unit) {
        open.surrogate = unit;
        return Ok(());
    }
    state.push(unit)
}

fn leftover(closed: &Shift) -> Option<&'static str> {
    if closed.bits >= 6 {
        Some("partial character in shift sequence")
    } else if closed.bits > 0 && closed.buffer != 0 {
        Some("non-zero padding bits in shift sequence")
    } else {
        None
    }
}

pub fn encode<U: Unit>(text: &[U]) -> Result<Vec<u8>, OutOfMemory> {
    let mut out: Vec<u8> = Vec::new();
    out.try_reserve(text.len())?;
    let (mut buffer, mut bits, mut shifted) = (0u32, 0u32, false);
    for unit in text {
        let code = unit.code();
        out.try_reserve(8)?;
        if is_direct(code) {
            if shifted {
                if bits > 0 {
                    out.push(ALPHABET[(buffer << (6 - bits) & 63) as usize]);
                }
                (buffer, bits, shifted) = (0, 0, false);
                if from_base64(code as u8).is_some() || code == 0x2D {
                    out.push(b'-');
                }
            }
            out.push(code as u8);
            continue;
        }
        if !shifted {
            out.push(b'+');
            if code == 0x2B {
                out.push(b'-');
                continue;
            }
            shifted = true;
        }
        let (first, second) =
            if code < 0x1_0000 { (code, None) } else { (0xD7C0 + (code >> 10), Some(0xDC00 + (code & 0x3FF))) };
        for unit in std::iter::once(first).chain(second) {
            buffer = buffer << 16 | unit;
            bits += 16;
            while bits >= 6 {
                bits -= 6;
                out.push(ALPHABET[(buffer >> bits & 63) as usize]);
                buffer &= (1 << bits) - 1;
            }
        }
    }
    out.try_reserve(2)?;
    if bits > 0 {
        out.push(ALPHABET[(buffer << (6 - bits) & 63) as usize]);
    }
    if shifted {
        out.push(b'-');
    }
    Ok(out)
}
