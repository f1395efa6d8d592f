//! UTF-8. The standard library's validation finds the same maximal ill-formed parts as CPython's decoder.

use super::{DecodeErrors, Decoding, EncodeErrors, Encoded, is_surrogate};
use crate::numtext::OutOfMemory;
use crate::text::{TextBuf, Unit};

/// Decodes; with `incremental` an incomplete sequence at the end is left over. Returns the text and the bytes consumed.
pub fn decode<H: DecodeErrors>(input: &[u8], incremental: bool, errors: &mut H) -> Result<(TextBuf, usize), H::Error> {
    let mut state = Decoding::new("utf-8", input, errors)?;
    let mut at = 0;
    loop {
        let rest = &state.input[at..];
        let (valid, reason, bad) = match std::str::from_utf8(rest) {
            Ok(text) => {
                state.out.push_str(text)?;
                return Ok((state.out, state.input.len()));
            }
            Err(error) => {
                let valid = error.valid_up_to();
                let (reason, bad) = match error.error_len() {
                    None => ("unexpected end of data", rest.len() - valid),
                    Some(len) if matches!(rest[valid], 0xC2..=0xF4) => ("invalid continuation byte", len),
                    Some(len) => ("invalid start byte", len),
                };
                (valid, reason, bad)
            }
        };
        let text = std::str::from_utf8(&rest[..valid]).unwrap_or_default();
        state.out.push_str(text)?;
        let start = at + valid;
        // Two bytes of a surrogate are left over too: with the third, `surrogatepass` may take it.
        let half_surrogate = matches!(rest[valid..], [0xED, 0xA0..=0xBF]);
        if incremental && (half_surrogate || reason == "unexpected end of data") {
            return Ok((state.out, start));
        }
        at = state.error(start, start + bad, reason)?;
    }
}

fn push(out: &mut Vec<u8>, code: u32) {
    let mut buffer = [0; 4];
    match char::from_u32(code) {
        Some(c) => out.extend_from_slice(c.encode_utf8(&mut buffer).as_bytes()),
        None => out.extend_from_slice(&surrogate_bytes(code)),
    }
}

/// The three bytes that a surrogate would have (`surrogatepass`).
pub fn surrogate_bytes(code: u32) -> [u8; 3] {
    [0xE0 | (code >> 12) as u8, 0x80 | (code >> 6 & 0x3F) as u8, 0x80 | (code & 0x3F) as u8]
}

pub fn encode<U: Unit, H: EncodeErrors>(text: &[U], errors: &mut H) -> Result<Vec<u8>, H::Error> {
    const REASON: &str = "surrogates not allowed";
    let mut out = Vec::new();
    out.try_reserve(text.len()).map_err(OutOfMemory::from)?;
    let mut at = 0;
    while let Some(unit) = text.get(at) {
        let code = unit.code();
        if !is_surrogate(code) {
            out.try_reserve(4).map_err(OutOfMemory::from)?;
            push(&mut out, code);
            at += 1;
            continue;
        }
        let end = text[at..].iter().position(|u| !is_surrogate(u.code())).map_or(text.len(), |n| at + n);
        let (replacement, next) = errors.handle("utf-8", at, end, REASON)?;
        match replacement {
            Encoded::Bytes(bytes) => out.extend_from_slice(&bytes),
            Encoded::Text(codes) if codes.iter().all(|&c| c < 0x80) => out.extend(codes.iter().map(|&c| c as u8)),
            Encoded::Text(_) => return Err(errors.fail("utf-8", at, end, REASON)),
        }
        at = next;
    }
    Ok(out)
}
