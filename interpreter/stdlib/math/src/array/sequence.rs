//! Arrays as sequences: items, slices, concatenation, repetition.
use krait_object::{PyResult, Ref, Thread, Value};
use krait_runtime::errors::{index_error, memory_error, type_error, value_error};
use krait_runtime::protocol::number;
use krait_runtime::protocol::slice::{SliceIndices, adjust};
use krait_runtime::types::slice::Slice;

use super::Array;
use super::methods::{extend_by, find, remove_at};

pub fn len(_: &mut Thread, v: &Value) -> PyResult<usize> {
    Ok(Array::of(v).len())
}
pub fn item(th: &mut Thread, v: &Value, i: isize) -> PyResult<Value> {
    let found = match usize::try_from(i) {
        Ok(i) => Array::of(v).get_value(th, i)?,
        Err(_) => None,
    };
    found.ok_or_else(|| index_error(th, "array index out of range"))
}
pub fn set_item(th: &mut Thread, v: &Value, i: isize, new: Option<&Value>) -> PyResult<()> {
    let array = Array::of(v);
    let place = usize::try_from(i).ok().filter(|&i| i < array.len());
    let Some(i) = place else { return Err(index_error(th, "array assignment index out of range")) };
    let Some(new) = new else { return remove_at(th, array, i) };
    let (bytes, size) = (array.code.store(th, new)?, array.size());
    if let Some(target) = array.data.lock().get_mut(i * size..(i + 1) * size) {
        target.copy_from_slice(&bytes[..size]);
    }
    Ok(())
}
pub fn contains(th: &mut Thread, v: &Value, item: &Value) -> PyResult<bool> {
    Ok(find(th, Array::of(v), item, 0, usize::MAX)?.is_some())
}
pub fn concat(th: &mut Thread, a: &Value, b: &Value) -> PyResult<Value> {
    let x = Array::of(a);
    let Some(y) = b.downcast_ref::<Array>() else {
        let class = b.class().name();
        return Err(type_error(th, format!("can only append array (not \"{class}\") to array")));
    };
    if x.code != y.code {
        return Err(type_error(th, "bad argument type for built-in operation"));
    }
    // One lock after the other: both may be the same array.
    let head = x.data.lock().clone();
    let tail = y.data.lock().clone();
    let made = Array::payload(x.code, head);
    made.push_bytes(th, &tail)?;
    Ok(Ref::new(made).into())
}
fn repeated(th: &mut Thread, data: &[u8], n: isize) -> PyResult<Vec<u8>> {
    let n = if data.is_empty() { 0 } else { usize::try_from(n).unwrap_or(0) };
    let mut out = Vec::new();
    match data.len().checked_mul(n) {
        Some(total) if out.try_reserve_exact(total).is_ok() => {}
        _ => return Err(memory_error(th)),
    }
    for _ in 0..n {
        out.extend_from_slice(data);
    }
    Ok(out)
}
pub fn repeat(th: &mut Thread, v: &Value, n: isize) -> PyResult<Value> {
    let array = Array::of(v);
    let data = array.data.lock().clone();
    Ok(Array::create(array.code, repeated(th, &data, n)?))
}
pub fn inplace_concat(th: &mut Thread, a: &Value, b: &Value) -> PyResult<Value> {
    if b.downcast_ref::<Array>().is_none() {
        let class = b.class().name();
        return Err(type_error(th, format!("can only extend with array (not \"{class}\")")));
    }
    extend_by(th, Array::of(a), b)?;
    Ok(a.clone())
}
pub fn inplace_repeat(th: &mut Thread, v: &Value, n: isize) -> PyResult<Value> {
    let array = Array::of(v);
    let data = array.data.lock().clone();
    if n != 1 && !data.is_empty() {
        let new = repeated(th, &data, n)?;
        array.resize(th, |data| *data = new)?;
    }
    Ok(v.clone())
}

/// A place that counts from the end where it is negative; `None` for keys that are no integers.
fn place(th: &mut Thread, v: &Value, key: &Value) -> PyResult<Option<isize>> {
    if !number::has_index(key) {
        return Ok(None);
    }
    let i = number::index_isize_or_index_error(th, key)?;
    Ok(Some(if i < 0 { i + Array::of(v).len() as isize } else { i }))
}
pub fn subscript(th: &mut Thread, v: &Value, key: &Value) -> PyResult<Value> {
    if let Some(i) = place(th, v, key)? {
        return item(th, v, i);
    }
    let Some(slice) = key.downcast_ref::<Slice>() else {
        return Err(type_error(th, "array indices must be integers"));
    };
    let array = Array::of(v);
    let len = array.len();
    let s = adjust(th, slice, len)?;
    let (data, size) = (array.data.lock().clone(), array.size());
    let mut out = Vec::with_capacity(s.len * size);
    for i in s.places() {
        out.extend_from_slice(data.get(i * size..(i + 1) * size).unwrap_or_default());
    }
    Ok(Array::create(array.code, out))
}
pub fn set_subscript(th: &mut Thread, v: &Value, key: &Value, new: Option<&Value>) -> PyResult<()> {
    if let Some(i) = place(th, v, key)? {
        return set_item(th, v, i, new);
    }
    let Some(slice) = key.downcast_ref::<Slice>() else {
        return Err(type_error(th, "array indices must be integers"));
    };
    let array = Array::of(v);
    let bytes = match new {
        None => None,
        Some(new) => match new.downcast_ref::<Array>() {
            Some(other) if other.code == array.code => Some(other.data.lock().clone()),
            Some(_) => return Err(type_error(th, "bad argument type for built-in operation")),
            None => {
                let class = new.class().name();
                return Err(type_error(th, format!("can only assign array (not \"{class}\") to array slice")));
            }
        },
    };
    let len = array.len();
    let s = adjust(th, slice, len)?;
    match bytes {
        None => delete(th, array, s),
        Some(bytes) if s.step == 1 => replace(th, array, s, &bytes),
        Some(bytes) => assign_apart(th, array, s, &bytes),
    }
}
fn replace(th: &mut Thread, array: &Array, s: SliceIndices, bytes: &[u8]) -> PyResult<()> {
    let size = array.size();
    let (start, end) = (s.start as usize * size, (s.start as usize + s.len) * size);
    if bytes.len() == end - start {
        if let Some(target) = array.data.lock().get_mut(start..end) {
            target.copy_from_slice(bytes);
        }
        return Ok(());
    }
    let done = array.resize(th, |data| {
        let room = end <= data.len() && data.try_reserve(bytes.len()).is_ok();
        if room {
            data.splice(start..end, bytes.iter().copied());
        }
        room
    })?;
    if done { Ok(()) } else { Err(memory_error(th)) }
}
fn assign_apart(th: &mut Thread, array: &Array, s: SliceIndices, bytes: &[u8]) -> PyResult<()> {
    let size = array.size();
    let given = bytes.len() / size;
    if given != s.len {
        let message = format!("attempt to assign array of size {given} to extended slice of size {}", s.len);
        return Err(value_error(th, message));
    }
    let mut data = array.data.lock();
    for (i, item) in s.places().zip(bytes.chunks_exact(size)) {
        if let Some(target) = data.get_mut(i * size..(i + 1) * size) {
            target.copy_from_slice(item);
        }
    }
    Ok(())
}
fn delete(th: &mut Thread, array: &Array, s: SliceIndices) -> PyResult<()> {
    if s.len == 0 {
        return Ok(());
    }
    let size = array.size();
    array.resize(th, |data| {
        let mut gone: Vec<usize> = s.places().collect();
        gone.sort_unstable();
        let mut gone = gone.into_iter().peekable();
        let mut kept = Vec::with_capacity(data.len());
        for (i, item) in data.chunks_exact(size).enumerate() {
            if gone.next_if_eq(&i).is_none() {
                kept.extend_from_slice(item);
            }
        }
        *data = kept;
    })
}
