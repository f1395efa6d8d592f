//! ASCII and Latin-1.

use super::{DecodeErrors, Decoding, EncodeErrors, Encoded};
use crate::numtext::OutOfMemory;
use crate::text::{TextBuf, Unit};

pub fn decode_ascii<H: DecodeErrors>(input: &[u8], errors: &mut H) -> Result<TextBuf, H::Error> {
    let mut state = Decoding::new("ascii", input, errors)?;
    let mut at = 0;
    loop {
        let rest = &state.input[at..];
        let good = rest.iter().position(|b| !b.is_ascii()).unwrap_or(rest.len());
        state.out.push_units(&rest[..good])?;
        if good == rest.len() {
            return Ok(state.out);
        }
        at = state.error(at + good, at + good + 1, "ordinal not in range(128)")?;
    }
}

/// Encodes into the code points below `limit`, 128 or 256.
fn encode_below<U: Unit, H: EncodeErrors>(text: &[U], limit: u32, errors: &mut H) -> Result<Vec<u8>, H::Error> {
    let (name, reason) =
        if limit == 128 { ("ascii", "ordinal not in range(128)") } else { ("latin-1", "ordinal not in range(256)") };
    let mut out = Vec::new();
    out.try_reserve(text.len()).map_err(OutOfMemory::from)?;
    let mut at = 0;
    loop {
        let rest = &text[at..];
        let good = rest.iter().position(|u| u.code() >= limit).unwrap_or(rest.len());
        out.try_reserve(good).map_err(OutOfMemory::from)?;
        out.extend(rest[..good].iter().map(|u| u.code() as u8));
        if good == rest.len() {
            return Ok(out);
        }
        let start = at + good;
        let end = text[start..].iter().position(|u| u.code() < limit).map_or(text.len(), |n| start + n);
        let (replacement, next) = errors.handle(name, start, end, reason)?;
        match replacement {
            Encoded::Bytes(bytes) => out.extend_from_slice(&bytes),
            Encoded::Text(codes) if codes.iter().all(|&c| c < limit) => out.extend(codes.iter().map(|&c| c as u8)),
            Encoded::Text(_) => return Err(errors.fail(name, start, end, reason)),
        }
        at = next;
    }
}

pub fn encode_ascii<U: Unit, H: EncodeErrors>(text: &[U], errors: &mut H) -> Result<Vec<u8>, H::Error> {
    encode_below(text, 128, errors)
}

pub fn encode_latin1<U: Unit, H: EncodeErrors>(text: &[U], errors: &mut H) -> Result<Vec<u8>, H::Error> {
    encode_below(text, 256, errors)
}
