//! `hex`, `fromhex` and `decode`.

use krait_object::{Args, Bytes, PyResult, Ref, Str, Thread, Type, Value};

use super::data::with_data;
use crate::errors::{type_error, value_error};
use crate::numtext::OutOfMemory;
use crate::protocol::{call, number, sequence};
use crate::types::bytearray::ByteArray;
use crate::types::str::units::{c_string, fit, shown_type};

/// The separator of `hex`, checked as CPython does.
pub fn separator(th: &mut Thread, value: Option<&Value>) -> PyResult<Option<u8>> {
    let Some(value) = value else { return Ok(None) };
    if sequence::len(th, value)? != 1 {
        return Err(value_error(th, "sep must be length 1."));
    }
    let code = if let Some(text) = value.downcast_ref::<Str>() {
        text.get(0).unwrap_or(0)
    } else if let Some(bytes) = value.downcast_ref::<Bytes>() {
        bytes.first().map_or(0, |&b| u32::from(b))
    } else {
        return Err(type_error(th, "sep must be str or bytes."));
    };
    match u8::try_from(code).ok().filter(u8::is_ascii) {
        Some(byte) => Ok(Some(byte)),
        None => Err(value_error(th, "sep must be ASCII.")),
    }
}

/// Hexadecimal digits, with a separator every `group` bytes: counted from the right, from the left when negative.
pub fn hex_digits(data: &[u8], separator: Option<u8>, group: i32) -> Result<Vec<u8>, OutOfMemory> {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let every = group.unsigned_abs() as usize;
    let mut out = Vec::new();
    out.try_reserve(data.len().checked_mul(3).ok_or(OutOfMemory)?)?;
    for (index, &byte) in data.iter().enumerate() {
        let counted = if group < 0 { index } else { data.len() - index };
        if let Some(separator) = separator
            && index > 0
            && every > 0
            && counted.is_multiple_of(every)
        {
            out.push(separator);
        }
        out.push(DIGITS[usize::from(byte >> 4)]);
        out.push(DIGITS[usize::from(byte & 15)]);
    }
    Ok(out)
}

/// `hex(sep, bytes_per_sep)`.
pub fn hex(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let group = match a.opt(2) {
        Some(value) => number::to_i32(th, value)?,
        None => 1,
    };
    let separator = separator(th, a.opt(1))?;
    let digits = with_data(&a[0], |data| hex_digits(data, separator, group));
    Ok(Str::from_latin1(&fit(th, digits)?).into())
}

/// The bytes that hexadecimal text stands for; the error is the position of what is none.
pub fn parse_hex(text: &Str) -> Result<Vec<u8>, usize> {
    let Some(ascii) = text.as_ascii() else {
        return Err(text.iter().position(|code| code >= 0x80).unwrap_or(0));
    };
    let digits = ascii.as_bytes();
    let value = |at: usize| digits.get(at).and_then(|&b| char::from(b).to_digit(16)).ok_or(at);
    let mut out = Vec::with_capacity(digits.len() / 2);
    let mut at = 0;
    while at < digits.len() {
        if matches!(digits[at], b' ' | 0x09..=0x0D) {
            at += 1;
            continue;
        }
        out.push((value(at)? << 4 | value(at + 1)?) as u8);
        at += 2;
    }
    Ok(out)
}

fn parsed(th: &mut Thread, a: &Args<'_>) -> PyResult<Vec<u8>> {
    let Some(text) = a[1].downcast_ref::<Str>() else {
        return Err(type_error(th, format!("fromhex() argument must be str, not {}", shown_type(&a[1]))));
    };
    parse_hex(text)
        .map_err(|at| value_error(th, format!("non-hexadecimal number found in fromhex() arg at position {at}")))
}

/// A subclass gets the parsed object through its constructor.
fn through_class(th: &mut Thread, class: &Value, exact: bool, made: Value) -> PyResult<Value> {
    if exact { Ok(made) } else { call::call(th, class, &[made]) }
}

pub fn bytes_fromhex(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let made = parsed(th, a)?;
    let exact = a[0].to_ref::<Type>().is_some_and(|class: Ref<Type>| class.is(&krait_object::builtin_types::BYTES));
    through_class(th, &a[0], exact, Bytes::new(&made).into())
}

pub fn bytearray_fromhex(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let made = parsed(th, a)?;
    let exact = a[0].to_ref::<Type>().is_some_and(|class: Ref<Type>| class.is(&crate::types::bytearray::BYTEARRAY));
    through_class(th, &a[0], exact, ByteArray::create(made).into())
}

/// `decode(encoding, errors)`.
pub fn decode(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let argument = |th: &mut Thread, index, name: &str| match a.opt(index) {
        Some(value) => c_string(th, value, &format!("decode() argument '{name}'")).map(Some),
        None => Ok(None),
    };
    let encoding = argument(th, 1, "encoding")?;
    let errors = argument(th, 2, "errors")?;
    crate::codecs::decode_object(th, &a[0], encoding.as_deref(), errors.as_deref())
}
