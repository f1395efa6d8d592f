//! Character maps. The map itself (a string, a dict or any mapping) is behind a function.

use super::{DecodeErrors, Decoding, EncodeErrors, Encoded};
use crate::numtext::OutOfMemory;
use crate::text::{TextBuf, Unit};

const REASON: &str = "character maps to <undefined>";

/// Decodes byte by byte; `map` answers the text of a byte, `None` where it is undefined.
pub fn decode<H: DecodeErrors>(
    input: &[u8],
    errors: &mut H,
    mut map: impl FnMut(&mut H, u8) -> Result<Option<TextBuf>, H::Error>,
) -> Result<TextBuf, H::Error> {
    let mut state = Decoding::new("charmap", input, errors)?;
    let mut at = 0;
    while let Some(&byte) = state.input.get(at) {
        match map(state.errors, byte)? {
            Some(text) => {
                state.out.push_text(&text)?;
                at += 1;
            }
            None => at = state.error(at, at + 1, REASON)?,
        }
    }
    Ok(state.out)
}

/// Encodes; `map` answers the bytes of a code point, `None` where it has none.
pub fn encode<U: Unit, H: EncodeErrors>(
    text: &[U],
    errors: &mut H,
    mut map: impl FnMut(&mut H, u32) -> Result<Option<Vec<u8>>, H::Error>,
) -> Result<Vec<u8>, H::Error> {
    let mut out = Vec::new();
    out.try_reserve(text.len()).map_err(OutOfMemory::from)?;
    let mut at = 0;
    while let Some(unit) = text.get(at) {
        if let Some(bytes) = map(errors, unit.code())? {
            out.try_reserve(bytes.len()).map_err(OutOfMemory::from)?;
            out.extend_from_slice(&bytes);
            at += 1;
            continue;
        }
        let mut end = at + 1;
        while let Some(unit) = text.get(end) {
            if map(errors, unit.code())?.is_some() {
                break;
            }
            end += 1;
        }
        let (replacement, next) = errors.handle("charmap", at, end, REASON)?;
        match replacement {
            Encoded::Bytes(bytes) => out.extend_from_slice(&bytes),
            Encoded::Text(codes) => {
                for code in codes {
                    match map(errors, code)? {
                        Some(bytes) => out.extend_from_slice(&bytes),
                        None => return Err(errors.fail("charmap", at, end, REASON)),
                    }
                }
            }
        }
        at = next;
    }
    Ok(out)
}
