//! `memoryview.cast`: another format or shape for the same bytes. CPython: `memoryview_cast_impl`.
use krait_object::buffer::Buffer;
use krait_object::{Args, IntRef, List, PyResult, Thread, Tuple, Value};

use super::{MAX_DIMENSIONS, ascii_format, format, from_buffer, open_window, reshaped};
use crate::errors::{overflow_error, type_error, value_error};

pub fn cast(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let wanted = ascii_format(th, &a[1])?;
    let shape = a.opt(2);
    let b = open_window(th, &a[0])?;
    if !b.is_c_contiguous() {
        return Err(type_error(th, "memoryview: casts are restricted to C-contiguous views"));
    }
    if (shape.is_some() || b.shape.len() != 1) && (b.shape.contains(&0) || b.strides.contains(&0)) {
        return Err(type_error(th, "memoryview: cannot cast view with zeros in shape or strides"));
    }
    let shape = match shape {
        None => None,
        Some(v) => Some(checked_shape(th, &b, v)?),
    };
    let mut flat = to_one_dimension(th, &b, wanted)?;
    if let Some(items) = shape {
        give_shape(th, &mut flat, &items)?;
    }
    Ok(from_buffer(flat))
}

fn checked_shape(th: &mut Thread, b: &Buffer, v: &Value) -> PyResult<Vec<Value>> {
    let list = v.downcast_ref::<List>().map(List::to_vec);
    let Some(items) = list.or_else(|| v.downcast_ref::<Tuple>().map(|t| t.to_vec())) else {
        return Err(type_error(th, "shape must be a list or a tuple"));
    };
    if items.len() > MAX_DIMENSIONS {
        let message = format!("memoryview: number of dimensions must not exceed {MAX_DIMENSIONS}");
        return Err(value_error(th, message));
    }
    if b.shape.len() != 1 && items.len() != 1 {
        return Err(type_error(th, "memoryview: cast must be 1D -> ND or ND -> 1D"));
    }
    Ok(items)
}

fn to_one_dimension(th: &mut Thread, b: &Buffer, wanted: String) -> PyResult<Buffer> {
    let Some(to) = format::native(&wanted) else {
        let message =
            "memoryview: destination format must be a native single character format prefixed with an optional '@'";
        return Err(value_error(th, message));
    };
    let is_byte = |c: u8| matches!(c, b'b' | b'B' | b'c');
    if !format::native(&b.format).is_some_and(is_byte) && !is_byte(to) {
        return Err(type_error(th, "memoryview: cannot cast between two non-byte formats"));
    }
    let itemsize = format::size(to).unwrap_or(1);
    if !b.len.is_multiple_of(itemsize) {
        return Err(type_error(th, "memoryview: length is not a multiple of itemsize"));
    }
    let mut flat = reshaped(b);
    flat.shape = vec![b.len / itemsize];
    flat.strides = vec![itemsize as isize];
    flat.itemsize = itemsize;
    flat.format = wanted.into();
    Ok(flat)
}

fn give_shape(th: &mut Thread, flat: &mut Buffer, items: &[Value]) -> PyResult<()> {
    let mut shape = Vec::with_capacity(items.len());
    let mut bytes = flat.itemsize;
    for item in items {
        let n = match item.as_int_ref().map(IntRef::to_i64) {
            None => return Err(type_error(th, "memoryview.cast(): elements of shape must be integers")),
            Some(Some(n)) => n,
            Some(None) => return Err(overflow_error(th, "Python int too large to convert to C ssize_t")),
        };
        if n <= 0 {
            return Err(value_error(th, "memoryview.cast(): elements of shape must be integers > 0"));
        }
        bytes = match bytes.checked_mul(n as usize).filter(|&p| p <= isize::MAX as usize) {
            Some(p) => p,
            None => return Err(value_error(th, "memoryview.cast(): product(shape) > SSIZE_MAX")),
        };
        shape.push(n as usize);
    }
    if bytes != flat.len {
        return Err(type_error(th, "memoryview: product(shape) * itemsize != buffer size"));
    }
    let mut strides = vec![0isize; shape.len()];
    let mut stride = flat.itemsize as isize;
    for (i, &n) in shape.iter().enumerate().rev() {
        strides[i] = stride;
        stride *= n as isize;
    }
    flat.shape = shape;
    flat.strides = strides;
    Ok(())
}
