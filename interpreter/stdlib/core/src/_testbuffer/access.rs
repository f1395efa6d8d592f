//! Items and slices of an array.
use krait_object::buffer::{Buffer, flags as request};
use krait_object::{PyResult, Raised, Thread, Tuple, Value};
use krait_runtime::errors::{index_error, type_error, value_error};
use krait_runtime::protocol::slice::adjust;
use krait_runtime::protocol::{buffer, number};
use krait_runtime::types::slice::Slice;
use krait_runtime::types::slice::bounds::position;

use super::items::Codec;
use super::layout::Layout;
use super::ndarray::{ask, consumer, layout};

/// The item at a place.
pub fn unpack_at(th: &mut Thread, b: &Buffer, at: isize) -> PyResult<Value> {
    let codec = Codec::new(th, &Value::str(&b.format))?;
    let mut bytes = vec![0; codec.itemsize];
    b.export.read(&mut |all| {
        let part = usize::try_from(at).ok().and_then(|at| all.get(at..at.checked_add(bytes.len())?));
        if let Some(part) = part {
            bytes.copy_from_slice(part);
        }
    });
    codec.unpack(th, &bytes)
}
fn pack_at(th: &mut Thread, b: &Buffer, at: isize, item: &Value) -> PyResult<()> {
    let codec = Codec::new(th, &Value::str(&b.format))?;
    let bytes = codec.pack(th, item)?;
    b.export.write(&mut |all| {
        let part = usize::try_from(at).ok().and_then(|at| all.get_mut(at..at.checked_add(bytes.len())?));
        if let Some(part) = part {
            part.copy_from_slice(&bytes);
        }
    });
    Ok(())
}

/// The place of an index of the first dimension.
fn place(th: &mut Thread, shown: &Layout, b: &Buffer, i: isize) -> PyResult<isize> {
    let Some(i) = position(i, shown.rows()) else { return Err(index_error(th, "index out of bounds")) };
    let mut at = shown.start + i as isize * shown.stride(0);
    b.export.read(&mut |all| at = b.follow(all, 0, at));
    Ok(at)
}
fn invalid_scalar(th: &mut Thread) -> Raised {
    type_error(th, "invalid indexing of scalar")
}
fn is_empty_tuple(key: &Value) -> bool {
    key.downcast_ref::<Tuple>().is_some_and(|t| t.is_empty())
}

pub fn item(th: &mut Thread, v: &Value, i: isize) -> PyResult<Value> {
    let shown = layout(v);
    if shown.ndim == 0 {
        return Err(invalid_scalar(th));
    }
    let b = shown.to_buffer(Value::NONE);
    let at = place(th, &shown, &b, i)?;
    if shown.ndim == 1 {
        return unpack_at(th, &b, at);
    }
    let mut row = ask(th, v, request::FULL_RO)?;
    row.start = at;
    row.ndim -= 1;
    let rows = row.rows();
    row.len = row.len.checked_div(rows).unwrap_or(0);
    row.shape = row.shape.map(|s| s[1..].to_vec());
    row.strides = row.strides.map(|s| s[1..].to_vec());
    row.suboffsets = row.suboffsets.map(|s| s[1..].to_vec());
    row.note_contiguity();
    Ok(consumer(row))
}

/// Narrows dimension `dim`. Behind an indirect dimension the slice's start goes into its suboffset.
fn narrow(th: &mut Thread, part: &mut Layout, key: &Value, dim: usize) -> PyResult<()> {
    let (Some(slice), Some(shape), Some(strides)) = (key.downcast_ref::<Slice>(), &mut part.shape, &mut part.strides)
    else {
        return Err(type_error(th, format!("cannot index memory using \"{}\"", key.class().name())));
    };
    if dim >= shape.len() {
        return Err(index_error(th, "too many indices"));
    }
    let p = adjust(th, slice, shape[dim])?;
    let moved = strides[dim].wrapping_mul(p.start);
    let indirect = part.suboffsets.as_mut().and_then(|s| s[..dim].iter_mut().rev().find(|s| **s >= 0));
    match indirect {
        Some(suboffset) => *suboffset = suboffset.wrapping_add(moved),
        None => part.start = part.start.wrapping_add(moved),
    }
    shape[dim] = p.len;
    strides[dim] = strides[dim].wrapping_mul(p.step);
    Ok(())
}

fn sliced(th: &mut Thread, v: &Value, key: &Value) -> PyResult<Layout> {
    let mut part = ask(th, v, request::FULL_RO)?;
    match key.downcast_ref::<Tuple>() {
        Some(keys) => {
            for (dim, key) in keys.iter().enumerate() {
                narrow(th, &mut part, key, dim)?;
            }
        }
        None => narrow(th, &mut part, key, 0)?,
    }
    part.len = part.shape.iter().flatten().product::<usize>() * part.itemsize;
    part.note_contiguity();
    Ok(part)
}

pub fn subscript(th: &mut Thread, v: &Value, key: &Value) -> PyResult<Value> {
    let shown = layout(v);
    if shown.ndim == 0 {
        return match is_empty_tuple(key) {
            true => unpack_at(th, &shown.to_buffer(Value::NONE), shown.start),
            false if key.is(&Value::ELLIPSIS) => Ok(v.clone()),
            false => Err(invalid_scalar(th)),
        };
    }
    if number::has_index(key) {
        let i = number::to_isize(th, key)?;
        return item(th, v, i);
    }
    Ok(consumer(sliced(th, v, key)?))
}

pub fn set_subscript(th: &mut Thread, v: &Value, key: &Value, value: Option<&Value>) -> PyResult<()> {
    let shown = layout(v);
    if shown.readonly {
        return Err(type_error(th, "ndarray is not writable"));
    }
    let Some(value) = value else { return Err(type_error(th, "ndarray data cannot be deleted")) };
    let b = shown.to_buffer(Value::NONE);
    if shown.ndim == 0 {
        return match key.is(&Value::ELLIPSIS) || is_empty_tuple(key) {
            true => pack_at(th, &b, shown.start, value),
            false => Err(invalid_scalar(th)),
        };
    }
    if shown.ndim == 1 && number::has_index(key) {
        let i = number::to_isize(th, key)?;
        let at = place(th, &shown, &b, i)?;
        return pack_at(th, &b, at, value);
    }
    let source = buffer::get_buffer(th, value, request::FULL_RO)?;
    let target = if number::has_index(key) {
        let i = number::to_isize(th, key)?;
        layout(&item(th, v, i)?)
    } else {
        sliced(th, v, key)?
    };
    copy(th, &target.to_buffer(Value::NONE), &source)
}

fn copy(th: &mut Thread, target: &Buffer, source: &Buffer) -> PyResult<()> {
    let same_items = target.format == source.format
        && target.itemsize == source.itemsize
        && target.shape.len() == source.shape.len();
    // Dimensions after an empty one do not count.
    let counted = target.shape.iter().position(|&n| n == 0).map_or(target.shape.len(), |i| i + 1);
    if !same_items || target.shape[..counted] != source.shape[..counted] {
        return Err(value_error(th, "ndarray assignment: lvalue and rvalue have different structures"));
    }
    let (mut from, mut to) = (Vec::new(), Vec::new());
    source.export.read(&mut |all| from = source.places(all));
    target.export.read(&mut |all| to = target.places(all));
    // Row by row: both may lie in the same memory, and the rows that were copied are then seen by those that follow.
    let row = target.shape.last().copied().unwrap_or(1).max(1);
    for (from, to) in from.chunks(row).zip(to.chunks(row)) {
        let mut bytes = Vec::with_capacity(row * source.itemsize);
        source.export.read(&mut |all| {
            for &at in from {
                let item = at.checked_add(source.itemsize).and_then(|end| all.get(at..end));
                bytes.extend_from_slice(item.unwrap_or_default());
            }
        });
        target.export.write(&mut |all| {
            for (&at, item) in to.iter().zip(bytes.chunks_exact(target.itemsize)) {
                if let Some(part) = at.checked_add(item.len()).and_then(|end| all.get_mut(at..end)) {
                    part.copy_from_slice(item);
                }
            }
        });
    }
    Ok(())
}
