//! The methods and slots that change a bytearray, and its pickling.

use krait_object::list::try_copy;
use krait_object::{Args, Bytes, PyResult, Str, Thread, Tuple, Value};

use super::{ByteArray, this};
use crate::errors::{catch, index_error, made, memory_error, type_error, value_error};
use crate::exceptions::TYPE_ERROR;
use crate::numtext::OutOfMemory;
use crate::protocol::slice::adjust;
use crate::protocol::{attr, iter, number};
use crate::types::bytes::data::{argument, byte, has_buffer};
use crate::types::bytes::{index_of, shape};
use crate::types::slice::Slice;
use crate::types::str::units::size;

pub fn append(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let item = byte(th, &a[1])?;
    let array: &ByteArray = a.this();
    array.resize(th, |data| {
        data.try_reserve(1)?;
        data.push(item);
        Ok(Value::NONE)
    })
}

pub fn clear(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    a.this::<ByteArray>().resize(th, |data| {
        *data = Vec::new();
        Ok(Value::NONE)
    })
}

pub fn copy(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let data = try_copy(&a.this::<ByteArray>().lock());
    Ok(ByteArray::create(made(th, data)?).into())
}

fn add(th: &mut Thread, array: &ByteArray, tail: &[u8]) -> PyResult<()> {
    array.resize(th, |data| {
        data.try_reserve(tail.len())?;
        data.extend_from_slice(tail);
        Ok(())
    })
}

pub fn extend(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let array: &ByteArray = a.this();
    if has_buffer(&a[1]) {
        let tail = argument(th, &a[1])?;
        add(th, array, &tail)?;
        return Ok(Value::NONE);
    }
    let iterator = match iter::iter(th, &a[1]) {
        Ok(iterator) => iterator,
        Err(raised) => {
            drop(catch(th, raised, &TYPE_ERROR)?);
            let name = a[1].class().name();
            return Err(type_error(th, format!("can't extend bytearray with {name}")));
        }
    };
    let hint = iter::length_hint(th, &a[1], 32)?;
    let mut tail: Vec<u8> = Vec::new();
    if tail.try_reserve(hint).is_err() {
        return Err(memory_error(th));
    }
    while let Some(item) = iter::next(th, &iterator)? {
        if a[1].downcast_ref::<Str>().is_some() {
            let name = a[1].class().name();
            return Err(type_error(th, format!("expected iterable of integers; got: '{name}'")));
        }
        let item = byte(th, &item)?;
        if tail.try_reserve(1).is_err() {
            return Err(memory_error(th));
        }
        tail.push(item);
    }
    add(th, array, &tail)?;
    Ok(Value::NONE)
}

pub fn insert(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let index = size(th, &a[1])?;
    let item = byte(th, &a[2])?;
    a.this::<ByteArray>().resize(th, |data| {
        data.try_reserve(1)?;
        let len = data.len() as isize;
        let at = if index < 0 { (index + len).max(0) } else { index.min(len) };
        data.insert(at as usize, item);
        Ok(Value::NONE)
    })
}

pub fn pop(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let index = match a.opt(1) {
        Some(value) => size(th, value)?,
        None => -1,
    };
    let array: &ByteArray = a.this();
    let len = array.lock().len();
    if len == 0 {
        return Err(index_error(th, "pop from empty bytearray"));
    }
    let at = if index < 0 { index + len as isize } else { index };
    let Some(at) = usize::try_from(at).ok().filter(|&at| at < len) else {
        return Err(index_error(th, "pop index out of range"));
    };
    let byte = array.resize(th, |data| Ok(if at < data.len() { data.remove(at) } else { 0 }))?;
    Ok(byte.into())
}

pub fn remove(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let item = byte(th, &a[1])?;
    let array: &ByteArray = a.this();
    let found = array.lock().iter().position(|&b| b == item);
    let Some(at) = found else { return Err(value_error(th, "value not found in bytearray")) };
    array.resize(th, |data| {
        data.remove(at);
        Ok(Value::NONE)
    })
}

pub fn reverse(_: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    a.this::<ByteArray>().lock().reverse();
    Ok(Value::NONE)
}

pub fn alloc(_: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let data = a.this::<ByteArray>().lock();
    // CPython allocates one byte more for a terminating NUL.
    let held = if data.capacity() == 0 { 0 } else { data.capacity().max(data.len()) + 1 };
    drop(data);
    Ok(held.into())
}

pub fn sizeof(_: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let capacity = a.this::<ByteArray>().lock().capacity();
    Ok((56 + if capacity == 0 { 0 } else { capacity + 1 }).into())
}

fn state(th: &mut Thread, value: &Value, protocol: i32) -> PyResult<Value> {
    let class: Value = value.class_ref().into();
    let data = this(value).lock().clone();
    let rest = attr::call_method(th, value, "__getstate__", &[])?;
    let arguments = if protocol < 3 {
        Tuple::of([Str::from_latin1(&data).into(), "latin-1".into()])
    } else {
        Tuple::of([Bytes::new(&data).into()])
    };
    Ok(Tuple::of([class, arguments.into(), rest]).into())
}

pub fn reduce(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    state(th, &a[0], 2)
}

pub fn reduce_ex(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let protocol = match a.opt(1) {
        Some(value) => number::to_i32(th, value)?,
        None => 0,
    };
    state(th, &a[0], protocol)
}

pub fn inplace_concat(th: &mut Thread, left: &Value, right: &Value) -> PyResult<Value> {
    if !has_buffer(right) {
        let (right, left) = (right.class().name(), left.class().name());
        return Err(type_error(th, format!("can't concat {right} to {left}")));
    }
    let tail = argument(th, right)?;
    add(th, this(left), &tail)?;
    Ok(left.clone())
}

pub fn inplace_repeat(th: &mut Thread, value: &Value, count: isize) -> PyResult<Value> {
    if count == 1 {
        return Ok(value.clone());
    }
    this(value).resize(th, |data| {
        let made = shape::repeated(data, count.max(0) as usize).ok_or(OutOfMemory)??;
        *data = made;
        Ok(())
    })?;
    Ok(value.clone())
}

pub fn set_item(th: &mut Thread, value: &Value, index: isize, new: Option<&Value>) -> PyResult<()> {
    let array = this(value);
    let new = match new {
        Some(new) => Some(byte(th, new)?),
        None => None,
    };
    let len = array.lock().len();
    let Some(at) = usize::try_from(index).ok().filter(|&at| at < len) else {
        return Err(index_error(th, "bytearray index out of range"));
    };
    match new {
        Some(new) => {
            if let Some(slot) = array.lock().get_mut(at) {
                *slot = new;
            }
            Ok(())
        }
        None => array.resize(th, |data| {
            data.drain(at..at + 1);
            Ok(())
        }),
    }
}

/// The bytes to put into a slice.
fn slice_content(th: &mut Thread, new: &Value) -> PyResult<Vec<u8>> {
    if let Some(other) = new.downcast_ref::<ByteArray>() {
        let copy = try_copy(&other.lock());
        return made(th, copy);
    }
    let slots = &new.class().slots;
    let number = slots.index.is_set() || slots.int.is_set() || slots.float.is_set();
    if number || new.downcast_ref::<Str>().is_some() {
        return Err(type_error(th, "can assign only bytes, buffers, or iterables of ints in range(0, 256)"));
    }
    crate::types::bytes::collect(th, new, "bytearray", "byte must be in range(0, 256)")
}

pub fn set_subscript(th: &mut Thread, value: &Value, key: &Value, new: Option<&Value>) -> PyResult<()> {
    let array = this(value);
    let Some(slice) = key.downcast_ref::<Slice>() else {
        let len = array.lock().len();
        let index = index_of(th, key, len, "bytearray")?;
        let outside = usize::try_from(index).ok().is_none_or(|index| index >= len);
        if outside {
            return Err(index_error(th, "bytearray index out of range"));
        }
        return set_item(th, value, index, new);
    };
    let content = match new {
        Some(new) => slice_content(th, new)?,
        None => Vec::new(),
    };
    let len = array.lock().len();
    let at = adjust(th, slice, len)?;
    if array.lock().len() != len {
        return Err(crate::errors::buffer_error(th, "bytearray changed size during slicing"));
    }
    if at.step == 1 {
        let start = at.start as usize;
        if at.len == content.len() {
            array.lock()[start..start + at.len].copy_from_slice(&content);
            return Ok(());
        }
        return array.resize(th, |data| {
            data.try_reserve(content.len())?;
            data.splice(start..start + at.len, content);
            Ok(())
        });
    }
    let place = |i: usize| (at.start + at.step * i as isize) as usize;
    if content.is_empty() {
        if at.len == 0 {
            return Ok(());
        }
        let mut gone: Vec<usize> = (0..at.len).map(place).collect();
        gone.sort_unstable();
        return array.resize(th, |data| {
            let mut index = 0;
            data.retain(|_| {
                index += 1;
                gone.binary_search(&(index - 1)).is_err()
            });
            Ok(())
        });
    }
    if content.len() != at.len {
        let (given, wanted) = (content.len(), at.len);
        return Err(value_error(
            th,
            format!("attempt to assign bytes of size {given} to extended slice of size {wanted}"),
        ));
    }
    let mut data = array.lock();
    for (i, byte) in content.into_iter().enumerate() {
        data[place(i)] = byte;
    }
    Ok(())
}
