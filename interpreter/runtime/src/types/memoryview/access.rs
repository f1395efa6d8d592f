//! Items and slices of a view. CPython: `memory_subscript`, `memory_ass_sub`, `memory_tolist`.
use krait_object::buffer::{Buffer, flags};
use krait_object::{Args, List, PyResult, Raised, Thread, Tuple, Value};

use super::{format, from_buffer, open_window, reshaped, room, window};
use crate::errors::{index_error, not_implemented_error, type_error, value_error};
use crate::protocol::slice::{fit, unpack};
use crate::protocol::{buffer, number};
use crate::types::slice::Slice;
use crate::types::slice::bounds::position;

/// Reads the item at a place of the exporter's memory.
fn item_at(b: &Buffer, c: u8, at: usize) -> Value {
    let mut bytes = [0u8; 16];
    let n = b.itemsize.min(16);
    b.export.read(&mut |all| {
        if let Some(part) = all.get(at..at + n) {
            bytes[..n].copy_from_slice(part);
        }
    });
    format::unpack(c, &bytes[..n])
}

fn write_at(b: &Buffer, at: usize, bytes: &[u8]) {
    b.export.write(&mut |all| {
        if let Some(part) = all.get_mut(at..at + bytes.len()) {
            part.copy_from_slice(bytes);
        }
    });
}

/// Moves a place by `i` items of dimension `dim`.
fn step(th: &mut Thread, b: &Buffer, at: isize, dim: usize, i: isize) -> PyResult<isize> {
    match position(i, b.shape[dim]) {
        Some(i) => {
            let mut at = at + i as isize * b.strides[dim];
            b.export.read(&mut |all| at = b.follow(all, dim, at));
            Ok(at)
        }
        None => Err(index_error(th, format!("index out of bounds on dimension {}", dim + 1))),
    }
}

/// The place that a tuple of indices names.
fn place(th: &mut Thread, b: &Buffer, key: &Tuple) -> PyResult<usize> {
    if key.len() > b.shape.len() {
        let message = format!("cannot index {}-dimension view with {}-element tuple", b.shape.len(), key.len());
        return Err(type_error(th, message));
    }
    if key.len() < b.shape.len() {
        return Err(not_implemented_error(th, "sub-views are not implemented"));
    }
    let mut at = b.offset as isize;
    for (dim, i) in key.iter().enumerate() {
        let i = number::index_isize_or_index_error(th, i)?;
        at = step(th, b, at, dim, i)?;
    }
    Ok(at as usize)
}

fn as_indices(key: &Value) -> Option<&Tuple> {
    key.downcast_ref::<Tuple>().filter(|t| t.iter().all(number::has_index))
}
fn is_slices(key: &Value) -> bool {
    key.downcast_ref::<Tuple>().is_some_and(|t| !t.is_empty() && t.iter().all(|k| k.downcast_ref::<Slice>().is_some()))
}

fn invalid_key(th: &mut Thread) -> Raised {
    type_error(th, "memoryview: invalid slice key")
}
fn invalid_zero_dim(th: &mut Thread) -> Raised {
    type_error(th, "invalid indexing of 0-dim memory")
}

/// `v[i]`, a negative index already adjusted.
pub fn item(th: &mut Thread, v: &Value, i: isize) -> PyResult<Value> {
    let b = window(th, v)?;
    item_of(th, &b, i)
}
pub fn item_of(th: &mut Thread, b: &Buffer, i: isize) -> PyResult<Value> {
    match b.shape.len() {
        0 => Err(invalid_zero_dim(th)),
        1 => {
            let c = format::usable(th, &b.format)?;
            let at = step(th, b, b.offset as isize, 0, i)?;
            Ok(item_at(b, c, at as usize))
        }
        _ => Err(not_implemented_error(th, "multi-dimensional sub-views are not implemented")),
    }
}

/// A slice of the first dimension.
fn sliced(th: &mut Thread, b: &Buffer, slice: &Slice) -> PyResult<Buffer> {
    let p = fit(unpack(th, slice)?, b.shape[0]);
    let mut part = reshaped(b);
    if p.len > 0 {
        part.offset = (b.offset as isize + p.start * b.strides[0]) as usize;
    }
    part.shape[0] = p.len;
    part.strides[0] = b.strides[0].wrapping_mul(p.step);
    part.len = part.shape.iter().product::<usize>() * b.itemsize;
    Ok(part)
}

pub fn subscript(th: &mut Thread, v: &Value, key: &Value) -> PyResult<Value> {
    let b = window(th, v)?;
    if b.shape.is_empty() {
        return match as_indices(key) {
            Some(t) if t.is_empty() => {
                let c = format::usable(th, &b.format)?;
                Ok(item_at(&b, c, b.offset))
            }
            _ if key.is(&Value::ELLIPSIS) => Ok(v.clone()),
            _ => Err(invalid_zero_dim(th)),
        };
    }
    if number::has_index(key) {
        let i = number::index_isize_or_index_error(th, key)?;
        // `__index__` may have released the view.
        window(th, v)?;
        return item_of(th, &b, i);
    }
    if let Some(slice) = key.downcast_ref::<Slice>() {
        open_window(th, v)?;
        let part = sliced(th, &b, slice)?;
        return Ok(from_buffer(part));
    }
    if let Some(indices) = as_indices(key) {
        let c = format::usable(th, &b.format)?;
        let at = place(th, &b, indices)?;
        // `__index__` may have released the view.
        window(th, v)?;
        return Ok(item_at(&b, c, at));
    }
    if is_slices(key) {
        return Err(not_implemented_error(th, "multi-dimensional slicing is not implemented"));
    }
    Err(invalid_key(th))
}

pub fn set_subscript(th: &mut Thread, v: &Value, key: &Value, value: Option<&Value>) -> PyResult<()> {
    let b = window(th, v)?;
    let c = format::usable(th, &b.format)?;
    if b.readonly {
        return Err(type_error(th, "cannot modify read-only memory"));
    }
    let Some(value) = value else { return Err(type_error(th, "cannot delete memory")) };
    let at = if b.shape.is_empty() {
        if !key.is(&Value::ELLIPSIS) && !as_indices(key).is_some_and(|t| t.is_empty()) {
            return Err(invalid_zero_dim(th));
        }
        b.offset
    } else if number::has_index(key) {
        if b.shape.len() > 1 {
            return Err(not_implemented_error(th, "sub-views are not implemented"));
        }
        let i = number::index_isize_or_index_error(th, key)?;
        step(th, &b, b.offset as isize, 0, i)? as usize
    } else if let Some(slice) = key.downcast_ref::<Slice>().filter(|_| b.shape.len() == 1) {
        return assign_slice(th, v, &b, slice, value);
    } else if let Some(indices) = as_indices(key) {
        place(th, &b, indices)?
    } else if key.downcast_ref::<Slice>().is_some() || is_slices(key) {
        return Err(not_implemented_error(th, "memoryview slice assignments are currently restricted to ndim = 1"));
    } else {
        return Err(invalid_key(th));
    };
    let bytes = format::pack(th, &b.format, c, value)?;
    // Packing may have run Python code that released the view.
    window(th, v)?;
    write_at(&b, at, &bytes);
    Ok(())
}

fn assign_slice(th: &mut Thread, v: &Value, b: &Buffer, slice: &Slice, value: &Value) -> PyResult<()> {
    let source = buffer::get_buffer(th, value, flags::FULL_RO)?;
    let target = sliced(th, b, slice)?;
    window(th, v)?;
    let plain = |f: &str| f.strip_prefix('@').unwrap_or(f).to_owned();
    if source.shape != target.shape
        || source.itemsize != target.itemsize
        || plain(&source.format) != plain(&target.format)
    {
        return Err(value_error(th, "memoryview assignment: lvalue and rvalue have different structures"));
    }
    // A copy: both may lie in the same memory.
    let bytes = source.to_vec();
    target.export.write(&mut |all| {
        for (at, item) in target.places(all).into_iter().zip(bytes.chunks_exact(target.itemsize.max(1))) {
            if let Some(part) = all.get_mut(at..at + item.len()) {
                part.copy_from_slice(item);
            }
        }
    });
    Ok(())
}

pub fn tolist(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let b = window(th, &a[0])?;
    let c = format::usable(th, &b.format)?;
    let bytes = b.to_vec();
    let mut items = room(th, bytes.len() / b.itemsize.max(1))?;
    items.extend(bytes.chunks_exact(b.itemsize.max(1)).map(|item| format::unpack(c, item)));
    let mut items = items.into_iter();
    Ok(nested(&b.shape, &mut items))
}

fn nested(shape: &[usize], items: &mut dyn Iterator<Item = Value>) -> Value {
    match shape {
        [] => items.next().unwrap_or(Value::NONE),
        [n, rest @ ..] => List::new((0..*n).map(|_| nested(rest, items)).collect()).into(),
    }
}
