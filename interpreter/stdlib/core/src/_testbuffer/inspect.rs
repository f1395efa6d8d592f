//! Functions that ask any exporter for its buffer and say what they got.
use std::sync::Arc;

use krait_object::buffer::{Buffer, BytesExport, flags as request};
use krait_object::native::function;
use krait_object::{Args, Bytes, IntRef, Method, PyResult, Raised, Str, Thread, Tuple, Value};
use krait_runtime::errors::{buffer_error, type_error, unicode_encode_error, value_error};
use krait_runtime::protocol::slice::adjust;
use krait_runtime::protocol::{buffer, number};
use krait_runtime::types::memoryview;
use krait_runtime::types::slice::Slice;

use super::access::unpack_at;
use super::items::sequence;
use super::layout::{c_strides, fortran_strides};
use super::ndarray::{self, NdArray};
use super::{READ, WRITE, nd};

pub static FUNCTIONS: &[Method] = &[
    function(
        "slice_indices",
        "(key, len, /)",
        "Start, stop, step and length of a slice of so many items.",
        slice_indices,
    ),
    function("get_pointer", "(bufobj, seq, /)", "The item at a sequence of indices.", get_pointer),
    function("get_sizeof_void_p", "()", "The size of a place in an indirect dimension.", |_, _| {
        Ok(size_of::<usize>().into())
    }),
    function("get_contiguous", "(obj, buffertype, order, /)", "A contiguous memoryview.", get_contiguous),
    function("py_buffer_to_contiguous", "(obj, order, flags, /)", "The bytes in an order.", to_contiguous),
    function("is_contiguous", "(obj, order, /)", "Whether the items lie in an order without gaps.", is_contiguous),
    function("cmp_contig", "(b1, b2, /)", "Whether two contiguous exports are the same to the byte.", cmp_contig),
];

fn slice_indices(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let len = number::index_isize(th, &a[1])?;
    let Some(slice) = a[0].downcast_ref::<Slice>() else {
        return Err(type_error(th, "first argument must be a slice object"));
    };
    let p = adjust(th, slice, len.max(0) as usize)?;
    let numbers = [p.start, p.stop, p.step, p.len as isize];
    Ok(Tuple::from_vec(numbers.into_iter().map(|n| Value::int(n as i64)).collect()).into())
}

fn get_pointer(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let Some(indices) = sequence(&a[1]) else { return Err(type_error(th, "seq must be a list or a tuple")) };
    let b = buffer::get_buffer(th, &a[0], request::FULL_RO)?;
    if b.shape.len() > nd::MAX_NDIM {
        return Err(value_error(th, format!("get_pointer(): ndim > {}", nd::MAX_NDIM)));
    }
    if indices.len() != b.shape.len() {
        return Err(value_error(th, "get_pointer(): len(indices) != ndim"));
    }
    let mut at = b.offset as isize;
    for (dim, i) in indices.iter().enumerate() {
        let i = number::to_isize(th, i)?;
        if i < 0 || i as usize >= b.shape[dim] {
            return Err(value_error(th, format!("get_pointer(): invalid index {i} at position {dim}")));
        }
        at += i * b.strides[dim];
        b.export.read(&mut |all| at = b.follow(all, dim, at));
    }
    unpack_at(th, &b, at)
}

fn order(th: &mut Thread, v: &Value) -> PyResult<char> {
    let Some(text) = v.downcast_ref::<Str>() else { return Err(type_error(th, "order must be a string")) };
    let Some(ascii) = text.as_ascii() else {
        let at = text.to_string_lossy().chars().position(|c| !c.is_ascii()).unwrap_or(0);
        let reason = "ordinal not in range(128)";
        return Err(unicode_encode_error(th, "ascii", v.clone(), at, at + 1, reason));
    };
    match ascii.chars().next() {
        Some(order @ ('C' | 'F' | 'A')) => Ok(order),
        _ => Err(value_error(th, "invalid order, must be C, F or A")),
    }
}

fn lies_in(b: &Buffer, order: char) -> bool {
    match order {
        'C' => b.is_c_contiguous(),
        'F' => b.is_f_contiguous(),
        _ => b.is_c_contiguous() || b.is_f_contiguous(),
    }
}
/// The bytes in an order; 'A' is the order they lie in, 'C' where they lie in none.
fn bytes_in(b: &Buffer, order: char) -> Vec<u8> {
    match order {
        'F' => memoryview::fortran_bytes(b),
        'A' if !b.is_c_contiguous() && b.is_f_contiguous() => memoryview::fortran_bytes(b),
        _ => b.to_vec(),
    }
}

fn get_contiguous(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    if a[1].as_int_ref().map(IntRef::to_i64).is_none() {
        return Err(type_error(th, "buffertype must be PyBUF_READ or PyBUF_WRITE"));
    }
    let kind = number::to_i64(th, &a[1])?;
    if kind != i64::from(READ) && kind != i64::from(WRITE) {
        return Err(value_error(th, "invalid buffer type"));
    }
    let order = order(th, &a[2])?;
    let view = memoryview::of(th, &a[0], request::FULL_RO)?;
    let b = buffer::get_buffer(th, &view, request::FULL_RO)?;
    let write = kind == i64::from(WRITE);
    if write && b.readonly {
        return Err(buffer_error(th, "underlying buffer is not writable"));
    }
    if lies_in(&b, order) {
        drop(b);
        return Ok(view);
    }
    if write {
        return Err(buffer_error(th, "writable contiguous buffer requested for a non-contiguous object."));
    }
    let copy = Bytes::new(&bytes_in(&b, order));
    let strides = if order == 'F' { fortran_strides(&b.shape, b.itemsize) } else { c_strides(&b.shape, b.itemsize) };
    let mut made = Buffer::bytes(copy.clone().into(), Arc::new(BytesExport(copy)), b.len, true);
    (made.format, made.itemsize, made.strides) = (b.format.clone(), b.itemsize, strides);
    made.shape = b.shape.clone();
    memoryview::new_view(th, made)
}

fn to_contiguous(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let flags = number::to_i32(th, &a[2])? as u32;
    let b = buffer::get_buffer(th, &a[0], flags)?;
    let order = order(th, &a[1])?;
    Ok(Bytes::new(&bytes_in(&b, order)).into())
}

fn no_buffer(th: &mut Thread, _: Raised, message: &str) -> Raised {
    drop(th.take_exc());
    type_error(th, message)
}

fn is_contiguous(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let order = order(th, &a[1])?;
    if a[0].downcast_ref::<NdArray>().is_some() {
        return Ok(ndarray::layout(&a[0]).is_contiguous(order).into());
    }
    match buffer::get_buffer(th, &a[0], request::FULL_RO) {
        Ok(b) => Ok(lies_in(&b, order).into()),
        Err(e) => Err(no_buffer(th, e, "is_contiguous: object does not implement the buffer protocol")),
    }
}

fn cmp_contig(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let mut exports = Vec::with_capacity(2);
    for (v, which) in [(&a[0], "first"), (&a[1], "second")] {
        match buffer::get_buffer(th, v, request::FULL_RO) {
            Ok(b) => exports.push(b),
            Err(e) => {
                let message = format!("cmp_contig: {which} argument does not implement the buffer protocol");
                return Err(no_buffer(th, e, &message));
            }
        }
    }
    Ok(Value::bool(identical(&exports[0], &exports[1])))
}

fn identical(x: &Buffer, y: &Buffer) -> bool {
    let both = |order| lies_in(x, order) && lies_in(y, order);
    // The stride of a dimension with less than two items does not count.
    let same_strides = || (0..x.shape.len()).all(|i| x.shape[i] <= 1 || x.strides[i] == y.strides[i]);
    (both('C') || both('F'))
        && (x.len, x.itemsize, &x.format, &x.shape) == (y.len, y.itemsize, &y.format, &y.shape)
        && same_strides()
        && bytes_in(x, 'A') == bytes_in(y, 'A')
}
