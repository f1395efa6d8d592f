//! `_codecs`: the codec registry and the codecs in native code, as `codecs` and `encodings` use them.
//!
//! The codecs' cores are in `krait_runtime::text::codec`, the registry in `krait_runtime::codecs`. CPython counterpart:
//! `Modules/_codecsmodule.c`.

mod charmap;
mod forms;

use krait_object::native::function;
use krait_object::{Args, Bytes, Method, ModuleDef, PyResult, Str, Thread, Tuple, Value};
use krait_runtime::codecs::registry;
use krait_runtime::convert::wrong_type;
use krait_runtime::errors::{type_error, value_error};
use krait_runtime::protocol::buffer::bytes_like;
use krait_runtime::text::codec::escapes::{self, BytesEscapeErrors, BytesEscapeFault};
use krait_runtime::text::escape::escape_bytes;
use krait_runtime::types::str::units::{c_string, fit};
use krait_runtime::warnings;

pub static MODULE: ModuleDef = ModuleDef { functions: FUNCTIONS, ..ModuleDef::new("_codecs") };

const ENCODE: &str = "(str, errors=None, /)";
const DECODE: &str = "(data, errors=None, /)";
const DECODE_PART: &str = "(data, errors=None, final=False, /)";
const DECODE_WHOLE: &str = "(data, errors=None, final=True, /)";
const ENCODE_ORDER: &str = "(str, errors=None, byteorder=0, /)";
const DECODE_ORDER: &str = "(data, errors=None, byteorder=0, final=False, /)";
const ENCODES: &str = "The text encoded, and its length.";
const DECODES: &str = "The text decoded, and the number of bytes used.";
const DECODES_ORDER: &str = "The text decoded, the number of bytes used, and the byte order found.";

static FUNCTIONS: &[Method] = &[
    function("register", "(search_function, /)", "Add a function that finds codecs by name.", register),
    function("unregister", "(search_function, /)", "Take a search function out again.", unregister),
    function("lookup", "(encoding, /)", "The codec of that name, a 4-tuple.", lookup),
    function(
        "encode",
        "(obj, encoding='utf-8', errors='strict')",
        "Encode any object with a codec, which need not be one for text.",
        encode,
    ),
    function(
        "decode",
        "(obj, encoding='utf-8', errors='strict')",
        "Decode any object with a codec, which need not be one for text.",
        decode,
    ),
    function("register_error", "(errors, handler, /)", "Register an error handler under a name.", register_error),
    function("lookup_error", "(name, /)", "The error handler of that name.", lookup_error),
    function("escape_encode", DECODE, "Bytes with the escapes of a bytes literal.", escape_encode),
    function("escape_decode", DECODE, "Bytes without the escapes of a bytes literal.", escape_decode),
    function("readbuffer_encode", DECODE, "The bytes of a buffer, or UTF-8 of a string.", readbuffer_encode),
    function("utf_8_encode", ENCODE, ENCODES, forms::utf_8_encode),
    function("utf_8_decode", DECODE_PART, DECODES, forms::utf_8_decode),
    function("utf_7_encode", ENCODE, ENCODES, forms::utf_7_encode),
    function("utf_7_decode", DECODE_PART, DECODES, forms::utf_7_decode),
    function("utf_16_encode", ENCODE_ORDER, ENCODES, forms::utf_16_encode),
    function("utf_16_le_encode", ENCODE, ENCODES, forms::utf_16_le_encode),
    function("utf_16_be_encode", ENCODE, ENCODES, forms::utf_16_be_encode),
    function("utf_16_decode", DECODE_PART, DECODES, forms::utf_16_decode),
    function("utf_16_le_decode", DECODE_PART, DECODES, forms::utf_16_le_decode),
    function("utf_16_be_decode", DECODE_PART, DECODES, forms::utf_16_be_decode),
    function("utf_16_ex_decode", DECODE_ORDER, DECODES_ORDER, forms::utf_16_ex_decode),
    function("utf_32_encode", ENCODE_ORDER, ENCODES, forms::utf_32_encode),
    function("utf_32_le_encode", ENCODE, ENCODES, forms::utf_32_le_encode),
    function("utf_32_be_encode", ENCODE, ENCODES, forms::utf_32_be_encode),
    function("utf_32_decode", DECODE_PART, DECODES, forms::utf_32_decode),
    function("utf_32_le_decode", DECODE_PART, DECODES, forms::utf_32_le_decode),
    function("utf_32_be_decode", DECODE_PART, DECODES, forms::utf_32_be_decode),
    function("utf_32_ex_decode", DECODE_ORDER, DECODES_ORDER, forms::utf_32_ex_decode),
    function("unicode_escape_encode", ENCODE, ENCODES, forms::unicode_escape_encode),
    function("unicode_escape_decode", DECODE_WHOLE, DECODES, forms::unicode_escape_decode),
    function("raw_unicode_escape_encode", ENCODE, ENCODES, forms::raw_unicode_escape_encode),
    function("raw_unicode_escape_decode", DECODE_WHOLE, DECODES, forms::raw_unicode_escape_decode),
    function("latin_1_encode", ENCODE, ENCODES, forms::latin_1_encode),
    function("latin_1_decode", DECODE, DECODES, forms::latin_1_decode),
    function("ascii_encode", ENCODE, ENCODES, forms::ascii_encode),
    function("ascii_decode", DECODE, DECODES, forms::ascii_decode),
    function("charmap_encode", "(str, errors=None, mapping=None, /)", ENCODES, charmap::encode),
    function("charmap_decode", "(data, errors=None, mapping=None, /)", DECODES, charmap::decode),
    function("charmap_build", "(map, /)", "The encoding map that belongs to a decoding string.", charmap::build),
];

/// A string argument that may be None.
fn errors_argument(th: &mut Thread, a: &Args<'_>, name: &str) -> PyResult<Option<String>> {
    match a.opt_not_none(1) {
        None => Ok(None),
        Some(value) if value.downcast_ref::<Str>().is_none() => {
            Err(wrong_type(th, name, "argument 2", "str or None", value))
        }
        Some(value) => c_string(th, value, "argument 2").map(Some),
    }
}

/// The codec functions' result: what was made and how much was used.
fn pair(made: impl Into<Value>, used: usize) -> Value {
    Tuple::of([made.into(), used.into()]).into()
}

/// Bytes of a buffer, or the UTF-8 of a string.
fn text_or_bytes(th: &mut Thread, value: &Value) -> PyResult<Vec<u8>> {
    if value.downcast_ref::<Str>().is_some() {
        let encoded = krait_runtime::codecs::encode_text(th, value, None, None)?;
        return bytes_like(th, &encoded);
    }
    bytes_like(th, value)
}

fn register(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    registry::register(th, &a[0])?;
    Ok(Value::NONE)
}

fn unregister(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    registry::unregister(th, &a[0]);
    Ok(Value::NONE)
}

fn lookup(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let name = c_string(th, &a[0], "lookup() argument")?;
    registry::lookup(th, &name)
}

/// `encoding` and `errors` of the general functions.
fn names(th: &mut Thread, a: &Args<'_>, function: &str) -> PyResult<(String, Option<String>)> {
    let encoding = match a.opt(1) {
        Some(value) => c_string(th, value, &format!("{function}() argument 'encoding'"))?,
        None => "utf-8".into(),
    };
    let errors = match a.opt(2) {
        Some(value) => Some(c_string(th, value, &format!("{function}() argument 'errors'"))?),
        None => None,
    };
    Ok((encoding, errors))
}

fn encode(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let (encoding, errors) = names(th, a, "encode")?;
    registry::encode(th, &a[0], &encoding, errors.as_deref())
}

fn decode(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let (encoding, errors) = names(th, a, "decode")?;
    registry::decode(th, &a[0], &encoding, errors.as_deref())
}

fn register_error(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let name = c_string(th, &a[0], "register_error() argument 1")?;
    registry::register_error(th, &name, &a[1])?;
    Ok(Value::NONE)
}

fn lookup_error(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let name = c_string(th, &a[0], "lookup_error() argument")?;
    registry::lookup_error(th, &name)
}

fn escape_encode(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let Some(bytes) = a[0].downcast_ref::<Bytes>() else {
        return Err(wrong_type(th, "escape_encode", "argument 1", "bytes", &a[0]));
    };
    errors_argument(th, a, "escape_encode")?;
    let mut out = String::new();
    let escaped = escape_bytes(bytes, b'\'', &mut out);
    fit(th, escaped)?;
    Ok(pair(Bytes::new(out.as_bytes()), bytes.len()))
}

fn escape_decode(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let data = text_or_bytes(th, &a[0])?;
    let name = errors_argument(th, a, "escape_decode")?.unwrap_or_else(|| "strict".into());
    let errors = match name.as_str() {
        "replace" => BytesEscapeErrors::Replace,
        "ignore" => BytesEscapeErrors::Ignore,
        _ => BytesEscapeErrors::Strict,
    };
    match escapes::decode_bytes(&data, errors) {
        Ok((bytes, invalid)) => {
            if let Some(invalid) = invalid {
                warnings::deprecated(th, &invalid.message())?;
            }
            Ok(pair(Bytes::new(&bytes), data.len()))
        }
        Err(BytesEscapeFault::Trailing) => Err(value_error(th, "Trailing \\ in string")),
        Err(BytesEscapeFault::Hex(at)) if name == "strict" => {
            Err(value_error(th, format!("invalid \\x escape at position {at}")))
        }
        Err(BytesEscapeFault::Hex(_)) => {
            Err(value_error(th, format!("decoding error; unknown error handling code: {name}")))
        }
    }
}

fn readbuffer_encode(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let data = text_or_bytes(th, &a[0])?;
    errors_argument(th, a, "readbuffer_encode")?;
    Ok(pair(Bytes::new(&data), data.len()))
}

/// A string argument.
fn text_argument<'a>(th: &mut Thread, value: &'a Value, name: &str) -> PyResult<&'a Str> {
    match value.downcast_ref::<Str>() {
        Some(text) => Ok(text),
        None => Err(wrong_type(th, name, "argument 1", "str", value)),
    }
}

/// An exact `bytes` of the data, for exceptions to show.
fn shown(value: &Value) -> Option<&Value> {
    value.is_exact(&krait_object::builtin_types::BYTES).then_some(value)
}

/// TypeError with this message.
fn refuse<T>(th: &mut Thread, message: &str) -> PyResult<T> {
    Err(type_error(th, message))
}
