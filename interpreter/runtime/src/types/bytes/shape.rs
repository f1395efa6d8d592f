//! Case, predicates, padding, joining and translation of bytes and bytearray.

use krait_object::{Args, Bytes, PyResult, Thread, Value};

use super::data::{argument, changed, has_buffer, make, with_data};
use crate::errors::{overflow_error, type_error, value_error};
use crate::numtext::OutOfMemory;
use crate::protocol::{number, sequence};
use crate::text::{shape, split};
use crate::types::bytearray::ByteArray;
use crate::types::str::units::{fit, shown_type, size};

fn mapped(th: &mut Thread, a: &Args<'_>, f: impl FnOnce(&[u8]) -> Vec<u8>) -> PyResult<Value> {
    make(th, &a[0], with_data(&a[0], f))
}

pub fn lower(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    mapped(th, a, <[u8]>::to_ascii_lowercase)
}

pub fn upper(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    mapped(th, a, <[u8]>::to_ascii_uppercase)
}

pub fn title(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    mapped(th, a, shape::title_ascii)
}

pub fn capitalize(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    mapped(th, a, shape::capitalize_ascii)
}

pub fn swapcase(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    mapped(th, a, shape::swap_case_ascii)
}

fn every(a: &Args<'_>, test: fn(&u8) -> bool) -> PyResult<Value> {
    Ok(Value::bool(with_data(&a[0], |data| !data.is_empty() && data.iter().all(test))))
}

pub fn isalnum(_: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    every(a, u8::is_ascii_alphanumeric)
}

pub fn isalpha(_: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    every(a, u8::is_ascii_alphabetic)
}

pub fn isdigit(_: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    every(a, u8::is_ascii_digit)
}

pub fn isspace(_: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    every(a, |&byte| split::is_byte_space(u32::from(byte)))
}

pub fn isascii(_: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    Ok(Value::bool(with_data(&a[0], <[u8]>::is_ascii)))
}

pub fn islower(_: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let test = |data: &[u8]| data.iter().any(u8::is_ascii_lowercase) && !data.iter().any(u8::is_ascii_uppercase);
    Ok(Value::bool(with_data(&a[0], test)))
}

pub fn isupper(_: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let test = |data: &[u8]| data.iter().any(u8::is_ascii_uppercase) && !data.iter().any(u8::is_ascii_lowercase);
    Ok(Value::bool(with_data(&a[0], test)))
}

pub fn istitle(_: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let upper = |code: u32| (code as u8).is_ascii_uppercase();
    let lower = |code: u32| (code as u8).is_ascii_lowercase();
    Ok(Value::bool(with_data(&a[0], |data| shape::is_title(data, upper, lower))))
}

fn fill_byte(th: &mut Thread, value: Option<&Value>, name: &str) -> PyResult<u8> {
    let Some(value) = value else { return Ok(b' ') };
    let is_bytes = value.downcast_ref::<Bytes>().is_some() || value.downcast_ref::<ByteArray>().is_some();
    let byte = with_data(value, |data| if let [only] = data { Some(*only) } else { None });
    match byte.filter(|_| is_bytes) {
        Some(byte) => Ok(byte),
        None => {
            let given = shown_type(value);
            Err(type_error(th, format!("{name}() argument 2 must be a byte string of length 1, not {given}")))
        }
    }
}

fn padded(th: &mut Thread, a: &Args<'_>, name: &str, padding: fn(usize, usize) -> (usize, usize)) -> PyResult<Value> {
    let width = size(th, &a[1])?.max(0) as usize;
    let fill = fill_byte(th, a.opt(2), name)?;
    let made = with_data(&a[0], |data| -> Result<Option<Vec<u8>>, OutOfMemory> {
        if width <= data.len() {
            return Ok(None);
        }
        let (left, right) = padding(data.len(), width);
        let mut out = Vec::new();
        out.try_reserve(width)?;
        out.resize(left, fill);
        out.extend_from_slice(data);
        out.resize(left + data.len() + right, fill);
        Ok(Some(out))
    });
    let made = fit(th, made)?;
    changed(th, &a[0], made)
}

pub fn center(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    padded(th, a, "center", shape::center_padding)
}

pub fn ljust(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    padded(th, a, "ljust", |len, width| (0, width - len))
}

pub fn rjust(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    padded(th, a, "rjust", |len, width| (width - len, 0))
}

pub fn zfill(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let width = size(th, &a[1])?.max(0) as usize;
    let made = with_data(&a[0], |data| (width > data.len()).then(|| shape::zero_fill(data, width)).transpose());
    let made = fit(th, made)?;
    changed(th, &a[0], made)
}

pub fn expandtabs(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let tab_size = match a.opt(1) {
        Some(value) => number::to_i32(th, value)?.max(0) as usize,
        None => 8,
    };
    let made = with_data(&a[0], |data| shape::expand_tabs(data, tab_size));
    let made = fit(th, made)?;
    make(th, &a[0], made)
}

pub fn join(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    // A bytearray keeps its size while the items are asked for.
    let held = match a[0].downcast_ref::<ByteArray>() {
        Some(_) => Some(crate::protocol::buffer::get_buffer(th, &a[0], krait_object::buffer::flags::SIMPLE)?),
        None => None,
    };
    let items = sequence::to_items(th, &a[1], "can only join an iterable")?;
    drop(held);
    if let [only] = items.as_slice()
        && only.is_exact(&krait_object::builtin_types::BYTES)
        && a[0].downcast_ref::<Bytes>().is_some()
    {
        return Ok(only.clone());
    }
    let separator = with_data(&a[0], <[u8]>::to_vec);
    let mut out: Vec<u8> = Vec::new();
    for (index, item) in items.iter().enumerate() {
        if !has_buffer(item) {
            let name = item.class().name();
            let message = format!("sequence item {index}: expected a bytes-like object, {name} found");
            return Err(type_error(th, message));
        }
        let part = argument(th, item)?;
        let reserved = out.try_reserve(part.len() + separator.len()).map_err(OutOfMemory::from);
        fit(th, reserved)?;
        if index > 0 {
            out.extend_from_slice(&separator);
        }
        out.extend_from_slice(&part);
    }
    make(th, &a[0], out)
}

pub fn translate(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let table = match a.opt_not_none(1) {
        Some(given) => Some(argument(th, given)?),
        None => None,
    };
    if table.as_ref().is_some_and(|table| table.len() != 256) {
        return Err(value_error(th, "translation table must be 256 characters long"));
    }
    let mut gone = [false; 256];
    if let Some(given) = a.opt(2) {
        argument(th, given)?.iter().for_each(|&byte| gone[usize::from(byte)] = true);
    }
    let made: Vec<u8> = with_data(&a[0], |data| {
        let kept = data.iter().filter(|&&byte| !gone[usize::from(byte)]);
        kept.map(|&byte| table.as_ref().map_or(byte, |table| table[usize::from(byte)])).collect()
    });
    if a[0].is_exact(&krait_object::builtin_types::BYTES) && with_data(&a[0], |data| data == made.as_slice()) {
        return Ok(a[0].clone());
    }
    make(th, &a[0], made)
}

pub fn maketrans(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let from = argument(th, &a[0])?;
    let to = argument(th, &a[1])?;
    if from.len() != to.len() {
        return Err(value_error(th, "maketrans arguments must have same length"));
    }
    let mut table: Vec<u8> = (0..=255).collect();
    for (&from, &to) in from.iter().zip(to.iter()) {
        table[usize::from(from)] = to;
    }
    Ok(Bytes::new(&table).into())
}

/// `left + right`, of the kind of the left.
pub fn concat(th: &mut Thread, left: &Value, right: &Value) -> PyResult<Value> {
    if !has_buffer(right) {
        let (right, left) = (right.class().name(), left.class().name());
        return Err(type_error(th, format!("can't concat {right} to {left}")));
    }
    let tail = argument(th, right)?;
    let left_is_bytes = left.is_exact(&krait_object::builtin_types::BYTES);
    if left_is_bytes && tail.is_empty() {
        return Ok(left.clone());
    }
    if left_is_bytes && right.is_exact(&krait_object::builtin_types::BYTES) && with_data(left, <[u8]>::is_empty) {
        return Ok(right.clone());
    }
    let made = with_data(left, |data| -> Result<Vec<u8>, OutOfMemory> {
        let mut out = Vec::new();
        out.try_reserve(data.len() + tail.len())?;
        out.extend_from_slice(data);
        out.extend_from_slice(&tail);
        Ok(out)
    });
    let made = fit(th, made)?;
    make(th, left, made)
}

/// The bytes repeated; `None` where the length is no machine word.
pub fn repeated(data: &[u8], count: usize) -> Option<Result<Vec<u8>, OutOfMemory>> {
    let total = data.len().checked_mul(count).filter(|&n| n <= isize::MAX as usize)?;
    let mut out: Vec<u8> = Vec::new();
    if out.try_reserve_exact(total).is_err() {
        return Some(Err(OutOfMemory));
    }
    match data {
        [only] => out.resize(total, *only),
        _ => (0..count).for_each(|_| out.extend_from_slice(data)),
    }
    Some(Ok(out))
}

pub fn repeat(th: &mut Thread, value: &Value, count: isize) -> PyResult<Value> {
    let count = count.max(0) as usize;
    if count == 1 && value.is_exact(&krait_object::builtin_types::BYTES) {
        return Ok(value.clone());
    }
    match with_data(value, |data| repeated(data, count)) {
        Some(made) => {
            let made = fit(th, made)?;
            make(th, value, made)
        }
        None if value.downcast_ref::<Bytes>().is_some() => Err(overflow_error(th, "repeated bytes are too long")),
        None => Err(crate::errors::memory_error(th)),
    }
}
