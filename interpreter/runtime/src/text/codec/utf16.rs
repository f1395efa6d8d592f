//! UTF-16 in both byte orders.

use super::{DecodeErrors, Decoding, EncodeErrors, Encoded, is_surrogate};
use crate::numtext::OutOfMemory;
use crate::text::{TextBuf, Unit};

/// Byte order of UTF-16 and UTF-32; `Native` reads and writes a byte-order mark.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ByteOrder {
    Native,
    Little,
    Big,
}

impl ByteOrder {
    /// CPython's code: -1, 0 or 1.
    pub fn from_code(code: i32) -> ByteOrder {
        match code {
            0 => ByteOrder::Native,
            1.. => ByteOrder::Big,
            _ => ByteOrder::Little,
        }
    }

    pub fn code(self) -> i32 {
        match self {
            ByteOrder::Native => 0,
            ByteOrder::Little => -1,
            ByteOrder::Big => 1,
        }
    }

    /// `Native` is little-endian on every platform that Krait runs on.
    pub(super) fn is_big(self) -> bool {
        self == ByteOrder::Big
    }
}

/// Decodes; the byte order found is returned as third.
pub fn decode<H: DecodeErrors>(
    input: &[u8],
    order: ByteOrder,
    incremental: bool,
    errors: &mut H,
) -> Result<(TextBuf, usize, ByteOrder), H::Error> {
    let (order, mut at) = match (order, input) {
        (ByteOrder::Native, [0xFF, 0xFE, ..]) => (ByteOrder::Little, 2),
        (ByteOrder::Native, [0xFE, 0xFF, ..]) => (ByteOrder::Big, 2),
        (order, _) => (order, 0),
    };
    let big = order.is_big();
    let mut state = Decoding::new(if big { "utf-16-be" } else { "utf-16-le" }, input, errors)?;
    let unit = |input: &[u8], at: usize| -> Option<u32> {
        let pair = [*input.get(at)?, *input.get(at + 1)?];
        Some(u32::from(if big { u16::from_be_bytes(pair) } else { u16::from_le_bytes(pair) }))
    };
    loop {
        let Some(code) = unit(&state.input, at) else {
            let end = state.input.len();
            if at == end || incremental {
                return Ok((state.out, at, order));
            }
            at = state.error(at, end, "truncated data")?;
            continue;
        };
        if !is_surrogate(code) {
            state.push(code)?;
            at += 2;
            continue;
        }
        if code >= 0xDC00 {
            at = state.error(at, at + 2, "illegal encoding")?;
            continue;
        }
        match unit(&state.input, at + 2) {
            Some(low @ 0xDC00..0xE000) => {
                state.push(0x1_0000 + ((code - 0xD800) << 10) + (low - 0xDC00))?;
                at += 4;
            }
            Some(_) => at = state.error(at, at + 2, "illegal UTF-16 surrogate")?,
            None if incremental => return Ok((state.out, at, order)),
            None => {
                let end = state.input.len();
                at = state.error(at, end, "unexpected end of data")?;
            }
        }
    }
}

fn push(out: &mut Vec<u8>, code: u32, big: bool) {
    let mut unit = |unit: u32| {
        let unit = unit as u16;
        out.extend_from_slice(&if big { unit.to_be_bytes() } else { unit.to_le_bytes() });
    };
    if code < 0x1_0000 {
        unit(code);
    } else {
        unit(0xD7C0 + (code >> 10));
        unit(0xDC00 + (code & 0x3FF));
    }
}

pub fn encode<U: Unit, H: EncodeErrors>(text: &[U], order: ByteOrder, errors: &mut H) -> Result<Vec<u8>, H::Error> {
    const REASON: &str = "surrogates not allowed";
    let name = match order {
        ByteOrder::Native => "utf-16",
        ByteOrder::Little => "utf-16-le",
        ByteOrder::Big => "utf-16-be",
    };
    let big = order.is_big();
    let mut out = Vec::new();
    out.try_reserve(text.len().saturating_mul(2).saturating_add(2)).map_err(OutOfMemory::from)?;
    if order == ByteOrder::Native {
        push(&mut out, 0xFEFF, big);
    }
    let mut at = 0;
    while let Some(unit) = text.get(at) {
        let code = unit.code();
        if !is_surrogate(code) {
            push(&mut out, code, big);
            at += 1;
            continue;
        }
        let (replacement, next) = errors.handle(name, at, at + 1, REASON)?;
        match replacement {
            Encoded::Bytes(bytes) if bytes.len().is_multiple_of(2) => out.extend_from_slice(&bytes),
            Encoded::Text(codes) if codes.iter().all(|&c| c < 0x80) => {
                codes.iter().for_each(|&c| push(&mut out, c, big));
            }
            _ => return Err(errors.fail(name, at, at + 1, REASON)),
        }
        at = next;
    }
    Ok(out)
}
