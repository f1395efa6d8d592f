//! How the methods that `bytes` and `bytearray` share reach the bytes of self and of their arguments.

use std::borrow::Cow;

use krait_object::buffer::flags;
use krait_object::builtin_types::BYTES;
use krait_object::list::try_copy;
use krait_object::{Bytes, PyResult, Thread, Value};

use crate::errors::{made, type_error, value_error};
use crate::protocol::{buffer, number};
use crate::types::bytearray::ByteArray;

/// Runs `f` on the bytes of a `bytes` or `bytearray`. No Python code may run in `f`: a bytearray is locked meanwhile.
pub fn with_data<R>(value: &Value, f: impl FnOnce(&[u8]) -> R) -> R {
    if let Some(bytes) = value.downcast_ref::<Bytes>() {
        return f(bytes);
    }
    match value.downcast_ref::<ByteArray>() {
        Some(array) => f(&array.lock()),
        None => f(&[]),
    }
}

/// A result of the kind of `like`: a new `bytearray` for a bytearray, `bytes` otherwise.
pub fn make(th: &mut Thread, like: &Value, data: Vec<u8>) -> PyResult<Value> {
    if like.downcast_ref::<ByteArray>().is_some() {
        return Ok(ByteArray::create(data).into());
    }
    Ok(made(th, Bytes::try_new(&data, &BYTES))?.into())
}

/// The object itself where it is exactly `bytes`, else a copy of its kind.
pub fn unchanged(th: &mut Thread, value: &Value) -> PyResult<Value> {
    if value.is_exact(&BYTES) {
        return Ok(value.clone());
    }
    let copy = made(th, with_data(value, try_copy::<u8>))?;
    make(th, value, copy)
}

/// The result of an operation, or self unchanged.
pub fn changed(th: &mut Thread, value: &Value, result: Option<Vec<u8>>) -> PyResult<Value> {
    match result {
        Some(result) => make(th, value, result),
        None => unchanged(th, value),
    }
}

/// The bytes of any object with a buffer.
pub fn argument<'a>(th: &mut Thread, value: &'a Value) -> PyResult<Cow<'a, [u8]>> {
    if let Some(bytes) = value.downcast_ref::<Bytes>() {
        return Ok(Cow::Borrowed(bytes.as_slice()));
    }
    if let Some(array) = value.downcast_ref::<ByteArray>() {
        let copy = try_copy(&array.lock());
        return made(th, copy).map(Cow::Owned);
    }
    if !has_buffer(value) {
        return Err(type_error(th, format!("a bytes-like object is required, not '{}'", value.class().name())));
    }
    Ok(Cow::Owned(buffer::get_buffer(th, value, flags::SIMPLE)?.to_vec()))
}

pub fn has_buffer(value: &Value) -> bool {
    value.class().slots.buffer.is_set()
}

/// Whether the object can stand for an int.
pub fn has_index(value: &Value) -> bool {
    value.as_int_ref().is_some() || value.class().slots.index.is_set()
}

/// An int in the range of a byte; `message` is the ValueError's.
pub fn byte_or(th: &mut Thread, value: &Value, message: &str) -> PyResult<u8> {
    let number = match value.as_int() {
        Some(small) => Some(small),
        None => number::index(th, value)?.as_int_ref().and_then(|i| i.to_i64()),
    };
    match number.and_then(|n| u8::try_from(n).ok()) {
        Some(byte) => Ok(byte),
        None => Err(value_error(th, message)),
    }
}

pub fn byte(th: &mut Thread, value: &Value) -> PyResult<u8> {
    byte_or(th, value, "byte must be in range(0, 256)")
}

/// What `find` and its kin look for: one byte, or the bytes of a buffer.
pub fn needle<'a>(th: &mut Thread, value: &'a Value) -> PyResult<Cow<'a, [u8]>> {
    if has_buffer(value) {
        return argument(th, value);
    }
    if !has_index(value) {
        let name = value.class().name();
        return Err(type_error(th, format!("argument should be integer or bytes-like object, not '{name}'")));
    }
    Ok(Cow::Owned(vec![byte(th, value)?]))
}
