//! UTF-32 in both byte orders.

use super::utf16::ByteOrder;
use super::{DecodeErrors, Decoding, EncodeErrors, Encoded, is_surrogate};
use crate::numtext::OutOfMemory;
use crate::text::{TextBuf, Unit};
use crate::unicode::LIMIT;

/// Decodes; the byte order found is returned as third.
pub fn decode<H: DecodeErrors>(
    input: &[u8],
    order: ByteOrder,
    incremental: bool,
    errors: &mut H,
) -> Result<(TextBuf, usize, ByteOrder), H::Error> {
    let (order, mut at) = match (order, input) {
        (ByteOrder::Native, [0xFF, 0xFE, 0, 0, ..]) => (ByteOrder::Little, 4),
        (ByteOrder::Native, [0, 0, 0xFE, 0xFF, ..]) => (ByteOrder::Big, 4),
        (order, _) => (order, 0),
    };
    let big = order.is_big();
    let mut state = Decoding::new(if big { "utf-32-be" } else { "utf-32-le" }, input, errors)?;
    loop {
        let Some(&[a, b, c, d]) = state.input.get(at..at + 4) else {
            let end = state.input.len();
            if at == end || incremental {
                return Ok((state.out, at, order));
            }
            at = state.error(at, end, "truncated data")?;
            continue;
        };
        let code = if big { u32::from_be_bytes([a, b, c, d]) } else { u32::from_le_bytes([a, b, c, d]) };
        let reason = if is_surrogate(code) {
            "code point in surrogate code point range(0xd800, 0xe000)"
        } else if code >= LIMIT {
            "code point not in range(0x110000)"
        } else {
            state.push(code)?;
            at += 4;
            continue;
        };
        at = state.error(at, at + 4, reason)?;
    }
}

fn push(out: &mut Vec<u8>, code: u32, big: bool) {
    out.extend_from_slice(&if big { code.to_be_bytes() } else { code.to_le_bytes() });
}

pub fn encode<U: Unit, H: EncodeErrors>(text: &[U], order: ByteOrder, errors: &mut H) -> Result<Vec<u8>, H::Error> {
    const REASON: &str = "surrogates not allowed";
    let name = match order {
        ByteOrder::Native => "utf-32",
        ByteOrder::Little => "utf-32-le",
        ByteOrder::Big => "utf-32-be",
    };
    let big = order.is_big();
    let mut out = Vec::new();
    out.try_reserve(text.len().saturating_mul(4).saturating_add(4)).map_err(OutOfMemory::from)?;
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
            Encoded::Bytes(bytes) if bytes.len().is_multiple_of(4) => out.extend_from_slice(&bytes),
            Encoded::Text(codes) if codes.iter().all(|&c| c < 0x80) => {
                codes.iter().for_each(|&c| push(&mut out, c, big));
            }
            _ => return Err(errors.fail(name, at, at + 1, REASON)),
        }
        at = next;
    }
    Ok(out)
}
