//! Encoding and decoding text by the name of a codec: the builtin codecs directly, others through the registry.
//! CPython counterparts: `PyUnicode_Decode`, `PyUnicode_AsEncodedString`, `Python/codecs.c`.

use krait_object::builtin_types::BYTES;
use krait_object::{Bytes, PyResult, Str, StrData, Thread, Value};

use crate::errors::type_error;
use crate::protocol::buffer;
use crate::text::TextBuf;
use crate::text::codec::utf16::ByteOrder;
use crate::text::codec::{single, utf8, utf16, utf32};
use crate::types::bytearray::ByteArray;
use crate::types::str::units::{from_buffer, with_units};

pub mod errors;
pub mod handlers;
pub mod registry;

use errors::{DecodeWith, EncodeWith};

/// The encodings that need no registry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Builtin {
    Utf8,
    Utf16,
    Utf32,
    Ascii,
    Latin1,
}

/// An encoding's name in the form that the registry uses: lower case, with single underscores for what is neither
/// letter, digit nor dot.
pub fn normalize(name: &str) -> String {
    let mut out = String::with_capacity(name.len());
    let mut gap = false;
    for c in name.chars() {
        if c.is_ascii_alphanumeric() || c == '.' {
            if gap && !out.is_empty() {
                out.push('_');
            }
            gap = false;
            out.push(c.to_ascii_lowercase());
        } else {
            gap = true;
        }
    }
    out
}

impl Builtin {
    pub fn from_name(name: &str) -> Option<Builtin> {
        match name {
            "utf-8" | "utf8" | "UTF-8" => return Some(Builtin::Utf8),
            _ if name.len() > 10 => return None,
            _ => {}
        }
        Some(match normalize(name).as_str() {
            "utf8" | "utf_8" => Builtin::Utf8,
            "utf16" | "utf_16" => Builtin::Utf16,
            "utf32" | "utf_32" => Builtin::Utf32,
            "ascii" | "us_ascii" => Builtin::Ascii,
            "latin1" | "latin_1" | "iso_8859_1" | "iso8859_1" => Builtin::Latin1,
            _ => return None,
        })
    }

    /// Decodes all of `data`; `object` is the bytes object to show in errors, if there is one.
    pub fn decode(self, th: &mut Thread, data: &[u8], object: Option<&Value>, errors: Option<&str>) -> PyResult<Value> {
        match self {
            Builtin::Latin1 => return Ok(latin1(data)),
            Builtin::Utf8 | Builtin::Ascii if data.is_ascii() => return Ok(latin1(data)),
            Builtin::Utf8 => {
                if let Ok(text) = std::str::from_utf8(data) {
                    return Ok(Str::new(text).into());
                }
            }
            _ => {}
        }
        decode_core(th, object, errors, |handler| match self {
            Builtin::Utf8 => utf8::decode(data, false, handler).map(|(text, _)| text),
            Builtin::Utf16 => utf16::decode(data, ByteOrder::Native, false, handler).map(|(text, ..)| text),
            Builtin::Utf32 => utf32::decode(data, ByteOrder::Native, false, handler).map(|(text, ..)| text),
            Builtin::Ascii | Builtin::Latin1 => single::decode_ascii(data, handler),
        })
    }

    /// Encodes a `str`.
    pub fn encode(self, th: &mut Thread, text: &Value, errors: Option<&str>) -> PyResult<Value> {
        let Some(string) = text.downcast_ref::<Str>() else {
            return Err(type_error(th, "encoding needs a str"));
        };
        match (self, string.data()) {
            (Builtin::Utf8 | Builtin::Ascii | Builtin::Latin1, StrData::Ascii(units))
            | (Builtin::Latin1, StrData::Latin1(units)) => return Ok(Bytes::new(units).into()),
            _ => {}
        }
        encode_core(th, text, errors, |handler| {
            with_units!(string, |units| match self {
                Builtin::Utf8 => utf8::encode(units, handler),
                Builtin::Utf16 => utf16::encode(units, ByteOrder::Native, handler),
                Builtin::Utf32 => utf32::encode(units, ByteOrder::Native, handler),
                Builtin::Ascii => single::encode_ascii(units, handler),
                Builtin::Latin1 => single::encode_latin1(units, handler),
            })
        })
    }
}

fn latin1(data: &[u8]) -> Value {
    match data {
        [] => Str::empty().into(),
        [one] => Str::from_point(u32::from(*one)).into(),
        _ => Str::from_latin1(data).into(),
    }
}

/// Runs a decoder with the handler of that name.
pub fn decode_core(
    th: &mut Thread,
    object: Option<&Value>,
    errors: Option<&str>,
    decode: impl FnOnce(&mut DecodeWith<'_>) -> Result<TextBuf, crate::types::str::units::Failure>,
) -> PyResult<Value> {
    let mut handler = DecodeWith::new(th, object, errors);
    match decode(&mut handler) {
        Ok(text) => Ok(from_buffer(&text).into()),
        Err(failure) => Err(failure.raise(handler.th)),
    }
}

/// Runs an encoder with the handler of that name.
pub fn encode_core(
    th: &mut Thread,
    text: &Value,
    errors: Option<&str>,
    encode: impl FnOnce(&mut EncodeWith<'_>) -> Result<Vec<u8>, crate::types::str::units::Failure>,
) -> PyResult<Value> {
    let mut handler = EncodeWith::new(th, text, errors);
    match encode(&mut handler) {
        Ok(bytes) => Ok(Bytes::new(&bytes).into()),
        Err(failure) => Err(failure.raise(handler.th)),
    }
}

/// `str(object, encoding, errors)`: the text in a bytes-like object.
pub fn decode_object(th: &mut Thread, object: &Value, encoding: Option<&str>, errors: Option<&str>) -> PyResult<Value> {
    if object.downcast_ref::<Str>().is_some() {
        return Err(type_error(th, "decoding str is not supported"));
    }
    if let Some(bytes) = object.downcast_ref::<Bytes>() {
        let shown = object.is_exact(&BYTES).then_some(object);
        return decode_bytes(th, bytes, shown, encoding, errors);
    }
    if !buffer::has_buffer(object) {
        let name = object.class().name();
        return Err(type_error(th, format!("decoding to str: need a bytes-like object, {name} found")));
    }
    let data = buffer::bytes_like(th, object)?;
    decode_bytes(th, &data, None, encoding, errors)
}

/// `PyUnicode_Decode`. `object` is the exact bytes object that holds the data, if there is one.
pub fn decode_bytes(
    th: &mut Thread,
    data: &[u8],
    object: Option<&Value>,
    encoding: Option<&str>,
    errors: Option<&str>,
) -> PyResult<Value> {
    check_names(th, encoding, errors)?;
    let name = encoding.unwrap_or("utf-8");
    if let Some(builtin) = Builtin::from_name(name) {
        return builtin.decode(th, data, object, errors);
    }
    let object = object.cloned().unwrap_or_else(|| Bytes::new(data).into());
    let text = registry::decode_text(th, &object, name, errors)?;
    if text.downcast_ref::<Str>().is_none() {
        let given = text.class().name();
        let message = format!(
            "'{name}' decoder returned '{given}' instead of 'str'; use codecs.decode() to decode to arbitrary types"
        );
        return Err(type_error(th, message));
    }
    Ok(text)
}

/// `PyUnicode_AsEncodedString`: the text in an encoding, as `bytes`.
fn check_names(th: &mut Thread, encoding: Option<&str>, errors: Option<&str>) -> PyResult<()> {
    if (encoding.is_none() && errors.is_none()) || !crate::config::get(th).flags.dev_mode {
        return Ok(());
    }
    if let Some(name) = encoding.filter(|name| Builtin::from_name(name).is_none()) {
        registry::lookup(th, name)?;
    }
    if let Some(name) = errors.filter(|name| !handlers::is_standard(name)) {
        registry::lookup_error(th, name)?;
    }
    Ok(())
}
/// The bytes of a text; the codec must give `bytes`.
pub fn encode_text(th: &mut Thread, text: &Value, encoding: Option<&str>, errors: Option<&str>) -> PyResult<Value> {
    check_names(th, encoding, errors)?;
    let name = encoding.unwrap_or("utf-8");
    if let Some(builtin) = Builtin::from_name(name) {
        return builtin.encode(th, text, errors);
    }
    let made = registry::encode_text(th, text, name, errors)?;
    if made.downcast_ref::<Bytes>().is_some() {
        return Ok(made);
    }
    if let Some(array) = made.downcast_ref::<ByteArray>() {
        let message = format!(
            "encoder {name} returned bytearray instead of bytes; use codecs.encode() to encode to arbitrary types"
        );
        crate::warnings::warn(th, &crate::exceptions::RUNTIME_WARNING, &message, 1)?;
        let data = array.lock().clone();
        return Ok(Bytes::new(&data).into());
    }
    let given = made.class().name();
    let message = format!(
        "'{name}' encoder returned '{given}' instead of 'bytes'; use codecs.encode() to encode to arbitrary types"
    );
    Err(type_error(th, message))
}
