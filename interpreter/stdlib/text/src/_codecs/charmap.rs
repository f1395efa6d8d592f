//! Character maps: a string or a mapping to decode with, a mapping to encode with.

use krait_object::{Args, Bytes, Dict, PyResult, Str, Thread, Value};
use krait_runtime::codecs::{decode_core, encode_core};
use krait_runtime::convert::wrong_type;
use krait_runtime::errors::{in_flight, take, type_error};
use krait_runtime::exceptions::LOOKUP_ERROR;
use krait_runtime::protocol::buffer::bytes_like;
use krait_runtime::protocol::sequence;
use krait_runtime::text::TextBuf;
use krait_runtime::text::codec::charmap;
use krait_runtime::types::str::units::{Failure, StrUnit, push};
use krait_runtime::unicode::LIMIT;

use super::{errors_argument, forms, pair, refuse, shown, text_argument};

/// Stands for "undefined" in decoding maps.
const UNDEFINED: u32 = 0xFFFE;

/// What a mapping says of a character; `None` where it says nothing.
fn look_up(th: &mut Thread, mapping: &Value, key: u32) -> PyResult<Option<Value>> {
    match sequence::get_item(th, mapping, &Value::int(key.into())) {
        Ok(found) if found.is_none() => Ok(None),
        Ok(found) => Ok(Some(found)),
        Err(raised) if in_flight(th, &LOOKUP_ERROR) => {
            drop(take(th, raised));
            Ok(None)
        }
        Err(raised) => Err(raised),
    }
}

fn decoded(th: &mut Thread, mapping: &Value, byte: u8) -> Result<Option<TextBuf>, Failure> {
    let mut text = TextBuf::new();
    if let Some(string) = mapping.downcast_ref::<Str>() {
        let Some(code) = string.get(usize::from(byte)).filter(|&code| code != UNDEFINED) else { return Ok(None) };
        text.push(code)?;
        return Ok(Some(text));
    }
    let Some(found) = look_up(th, mapping, u32::from(byte))? else { return Ok(None) };
    if let Some(number) = found.as_int_ref() {
        let Some(code) = number.to_i64().and_then(|n| u32::try_from(n).ok()).filter(|&code| code < LIMIT) else {
            return Ok(refuse(th, &format!("character mapping must be in range(0x{LIMIT:x})"))?);
        };
        if code == UNDEFINED {
            return Ok(None);
        }
        text.push(code)?;
        return Ok(Some(text));
    }
    let Some(string) = found.downcast_ref::<Str>() else {
        return Ok(refuse(th, "character mapping must return integer, None or str")?);
    };
    if string.len() == 1 && string.get(0) == Some(UNDEFINED) {
        return Ok(None);
    }
    push(&mut text, string)?;
    Ok(Some(text))
}

pub fn decode(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let Some(mapping) = a.opt_not_none(2) else { return forms::latin_1_decode(th, a) };
    let data = bytes_like(th, &a[0])?;
    let errors = errors_argument(th, a, "charmap_decode")?;
    let text = decode_core(th, shown(&a[0]), errors.as_deref(), |handler| {
        charmap::decode(&data, handler, |handler, byte| decoded(handler.th, mapping, byte))
    })?;
    Ok(pair(text, data.len()))
}

fn encoded(th: &mut Thread, mapping: &Value, code: u32) -> Result<Option<Vec<u8>>, Failure> {
    let Some(found) = look_up(th, mapping, code)? else { return Ok(None) };
    if let Some(number) = found.as_int_ref() {
        return match number.to_i64().and_then(|n| u8::try_from(n).ok()) {
            Some(byte) => Ok(Some(vec![byte])),
            None => Ok(refuse(th, "character mapping must be in range(256)")?),
        };
    }
    match found.downcast_ref::<Bytes>() {
        Some(bytes) => Ok(Some(bytes.to_vec())),
        None => {
            let name = found.class().name();
            let message = format!("character mapping must return integer, bytes or None, not {name}");
            Err(type_error(th, message).into())
        }
    }
}

pub fn encode(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let text = text_argument(th, &a[0], "charmap_encode")?;
    let Some(mapping) = a.opt_not_none(2) else { return forms::latin_1_encode(th, a) };
    let errors = errors_argument(th, a, "charmap_encode")?;
    let units = u32::units(text);
    let made = encode_core(th, &a[0], errors.as_deref(), |handler| {
        charmap::encode(&units, handler, |handler, code| encoded(handler.th, mapping, code))
    })?;
    Ok(pair(made, text.len()))
}

/// The inverse of a decoding string: each character's place. CPython has a compact type of its own for this.
pub fn build(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let Some(text) = a[0].downcast_ref::<Str>() else {
        return Err(wrong_type(th, "charmap_build", "argument", "str", &a[0]));
    };
    let map = Dict::new();
    for (place, code) in text.iter().take(256).enumerate() {
        if code != UNDEFINED {
            map.set(th, Value::int(code.into()), place.into())?;
        }
    }
    Ok(map.into())
}
