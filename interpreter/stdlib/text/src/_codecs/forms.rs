//! The encoding forms of Unicode, ASCII, Latin-1 and the escape codecs.

use krait_object::{Args, PyResult, Str, Thread, Tuple, Value};
use krait_runtime::codecs::errors::{DecodeWith, EncodeWith};
use krait_runtime::codecs::{decode_core, encode_core};
use krait_runtime::protocol::buffer::bytes_like;
use krait_runtime::protocol::compare::truth;
use krait_runtime::protocol::number;
use krait_runtime::text::TextBuf;
use krait_runtime::text::codec::escapes::{self, InvalidEscape};
use krait_runtime::text::codec::utf16::ByteOrder;
use krait_runtime::text::codec::{single, utf7, utf8, utf16, utf32};
use krait_runtime::types::str::units::{Failure, StrUnit};
use krait_runtime::warnings;

use super::{errors_argument, pair, shown, text_argument, text_or_bytes};

/// Encodes the text in `a[0]`; `core` gets its code points.
fn encode(
    th: &mut Thread,
    a: &Args<'_>,
    name: &str,
    core: impl FnOnce(&[u32], &mut EncodeWith<'_>) -> Result<Vec<u8>, Failure>,
) -> PyResult<Value> {
    let text = text_argument(th, &a[0], name)?;
    let errors = errors_argument(th, a, name)?;
    let units = u32::units(text);
    let made = encode_core(th, &a[0], errors.as_deref(), |handler| core(&units, handler))?;
    Ok(pair(made, text.len()))
}

/// Decodes `data`; `core` gets it and whether more may follow, and answers text and bytes used.
fn decode_data(
    th: &mut Thread,
    a: &Args<'_>,
    name: &str,
    data: &[u8],
    incremental: bool,
    core: impl FnOnce(&[u8], bool, &mut DecodeWith<'_>) -> Result<(TextBuf, usize), Failure>,
) -> PyResult<Value> {
    let errors = errors_argument(th, a, name)?;
    let mut used = 0;
    let text = decode_core(th, shown(&a[0]), errors.as_deref(), |handler| {
        let (text, n) = core(data, incremental, handler)?;
        used = n;
        Ok(text)
    })?;
    Ok(pair(text, used))
}

/// Is the input only a part? The argument says `final`, and is left out for "more may follow".
fn is_part(th: &mut Thread, value: Option<&Value>, default_final: bool) -> PyResult<bool> {
    match value {
        Some(value) => Ok(!truth(th, value)?),
        None => Ok(!default_final),
    }
}

fn decode(
    th: &mut Thread,
    a: &Args<'_>,
    name: &str,
    core: impl FnOnce(&[u8], bool, &mut DecodeWith<'_>) -> Result<(TextBuf, usize), Failure>,
) -> PyResult<Value> {
    let data = bytes_like(th, &a[0])?;
    let incremental = is_part(th, a.opt(2), false)?;
    decode_data(th, a, name, &data, incremental, core)
}

pub fn utf_8_encode(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    encode(th, a, "utf_8_encode", |text, handler| utf8::encode(text, handler))
}

pub fn utf_8_decode(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    decode(th, a, "utf_8_decode", |data, part, handler| utf8::decode(data, part, handler))
}

pub fn utf_7_encode(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    encode(th, a, "utf_7_encode", |text, _| Ok(utf7::encode(text)?))
}

pub fn utf_7_decode(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    decode(th, a, "utf_7_decode", |data, part, handler| utf7::decode(data, part, handler))
}

pub fn latin_1_encode(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    encode(th, a, "latin_1_encode", |text, handler| single::encode_latin1(text, handler))
}

pub fn latin_1_decode(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let data = bytes_like(th, &a[0])?;
    errors_argument(th, a, "latin_1_decode")?;
    Ok(pair(Str::from_latin1(&data), data.len()))
}

pub fn ascii_encode(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    encode(th, a, "ascii_encode", |text, handler| single::encode_ascii(text, handler))
}

pub fn ascii_decode(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let data = bytes_like(th, &a[0])?;
    let whole = |data: &[u8], _, handler: &mut DecodeWith<'_>| Ok((single::decode_ascii(data, handler)?, data.len()));
    decode_data(th, a, "ascii_decode", &data, false, whole)
}

pub fn unicode_escape_encode(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    encode(th, a, "unicode_escape_encode", |text, _| Ok(escapes::encode_unicode(text)?))
}

pub fn unicode_escape_decode(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let data = text_or_bytes(th, &a[0])?;
    let incremental = is_part(th, a.opt(2), true)?;
    let mut invalid: Option<InvalidEscape> = None;
    let made = decode_data(th, a, "unicode_escape_decode", &data, incremental, |data, part, handler| {
        let (text, used, found) = escapes::decode_unicode(data, part, handler)?;
        invalid = found;
        Ok((text, used))
    })?;
    if let Some(invalid) = invalid {
        warnings::deprecated(th, &invalid.message())?;
    }
    Ok(made)
}

pub fn raw_unicode_escape_encode(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    encode(th, a, "raw_unicode_escape_encode", |text, _| Ok(escapes::encode_raw_unicode(text)?))
}

pub fn raw_unicode_escape_decode(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let data = text_or_bytes(th, &a[0])?;
    let incremental = is_part(th, a.opt(2), true)?;
    decode_data(th, a, "raw_unicode_escape_decode", &data, incremental, |data, part, handler| {
        escapes::decode_raw_unicode(data, part, handler)
    })
}

fn order_argument(th: &mut Thread, value: Option<&Value>) -> PyResult<ByteOrder> {
    match value {
        Some(value) => Ok(ByteOrder::from_code(number::to_i32(th, value)?)),
        None => Ok(ByteOrder::Native),
    }
}

/// The functions of UTF-16 and UTF-32, which differ in their width only.
macro_rules! wide_forms {
    ($core:ident: $encode:ident $encode_le:ident $encode_be:ident
     $decode:ident $decode_le:ident $decode_be:ident $decode_ex:ident) => {
        pub fn $encode(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
            let order = order_argument(th, a.opt(2))?;
            encode(th, a, stringify!($encode), |text, handler| $core::encode(text, order, handler))
        }
        pub fn $encode_le(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
            let order = ByteOrder::Little;
            encode(th, a, stringify!($encode_le), |text, handler| $core::encode(text, order, handler))
        }
        pub fn $encode_be(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
            encode(th, a, stringify!($encode_be), |text, handler| $core::encode(text, ByteOrder::Big, handler))
        }
        pub fn $decode(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
            decode(th, a, stringify!($decode), |data, part, handler| {
                $core::decode(data, ByteOrder::Native, part, handler).map(|(text, used, _)| (text, used))
            })
        }
        pub fn $decode_le(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
            decode(th, a, stringify!($decode_le), |data, part, handler| {
                $core::decode(data, ByteOrder::Little, part, handler).map(|(text, used, _)| (text, used))
            })
        }
        pub fn $decode_be(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
            decode(th, a, stringify!($decode_be), |data, part, handler| {
                $core::decode(data, ByteOrder::Big, part, handler).map(|(text, used, _)| (text, used))
            })
        }
        pub fn $decode_ex(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
            let data = bytes_like(th, &a[0])?;
            let order = order_argument(th, a.opt(2))?;
            let incremental = is_part(th, a.opt(3), false)?;
            let mut found = order;
            let made = decode_data(th, a, stringify!($decode_ex), &data, incremental, |data, part, handler| {
                let (text, used, order) = $core::decode(data, order, part, handler)?;
                found = order;
                Ok((text, used))
            })?;
            let parts = made.downcast_ref::<Tuple>().map_or_else(Vec::new, |parts| parts.to_vec());
            Ok(Tuple::from_vec(parts.into_iter().chain([found.code().into()]).collect()).into())
        }
    };
}

wide_forms!(utf16: utf_16_encode utf_16_le_encode utf_16_be_encode
    utf_16_decode utf_16_le_decode utf_16_be_decode utf_16_ex_decode);
wide_forms!(utf32: utf_32_encode utf_32_le_encode utf_32_be_encode
    utf_32_decode utf_32_le_decode utf_32_be_decode utf_32_ex_decode);
