//! Arrays with memory of their own: the items packed, the layout checked against the memory.
use std::sync::Arc;

use krait_object::buffer::Export;
use krait_object::{IntRef, Locked, PyResult, Str, Thread, Value};
use krait_runtime::errors::{memory_error, type_error, value_error};
use krait_runtime::protocol::number;

use super::items::{Codec, sequence};
use super::layout::{Layout, c_strides, fortran_strides};
use super::nd;

/// The most bytes that an array shows.
const MAX_LEN: i128 = 1 << 30;

/// Memory that the array owns.
pub struct Memory(Locked<Vec<u8>>);
impl Memory {
    pub fn new(bytes: Vec<u8>) -> Arc<Memory> {
        Arc::new(Memory(Locked::new(bytes)))
    }
}
impl Export for Memory {
    fn read(&self, f: &mut dyn FnMut(&[u8])) {
        f(&self.0.lock());
    }
    fn write(&self, f: &mut dyn FnMut(&mut [u8])) {
        f(&mut self.0.lock());
    }
}

/// The arguments of `ndarray` and `push`.
pub struct Plan<'a> {
    pub items: &'a Value,
    pub shape: &'a Value,
    pub strides: Option<&'a Value>,
    pub offset: isize,
    pub format: &'a Value,
    pub flags: i32,
}

fn list_or_tuple(th: &mut Thread, v: &Value, name: &str) -> PyResult<Vec<Value>> {
    sequence(v).ok_or_else(|| type_error(th, format!("{name} must be a list or a tuple")))
}

fn numbers(th: &mut Thread, values: &[Value], what: &str) -> PyResult<Vec<isize>> {
    let mut out = Vec::with_capacity(values.len());
    for v in values {
        if v.as_int_ref().map(IntRef::to_i64).is_none() {
            return Err(value_error(th, format!("elements of {what} must be integers")));
        }
        let n = number::to_isize(th, v)?;
        if what == "shape" && n < 0 {
            return Err(value_error(th, "elements of shape must be integers >= 0"));
        }
        out.push(n);
    }
    Ok(out)
}

/// Whether every item of the layout lies within `len` bytes.
fn fits(len: usize, itemsize: usize, offset: isize, shape: &[usize], strides: &[isize]) -> bool {
    if shape.contains(&0) {
        return true;
    }
    let (mut low, mut high) = (offset as i128, offset as i128 + itemsize as i128);
    for (&n, &stride) in shape.iter().zip(strides) {
        let reach = (n as i128 - 1).saturating_mul(stride as i128);
        if stride <= 0 { low = low.saturating_add(reach) } else { high = high.saturating_add(reach) }
    }
    low >= 0 && high <= len as i128
}

fn check_strides(th: &mut Thread, plan: &Plan<'_>, ndim: usize) -> PyResult<Option<Vec<Value>>> {
    let Some(v) = plan.strides else { return Ok(None) };
    let values = list_or_tuple(th, v, "strides")?;
    if values.is_empty() {
        return Ok(None);
    }
    if plan.flags & nd::FORTRAN != 0 {
        return Err(type_error(th, "ND_FORTRAN cannot be used together with strides"));
    }
    if values.len() != ndim {
        return Err(value_error(th, "len(shape) != len(strides)"));
    }
    Ok(Some(values))
}

/// The items' bytes, and their format.
fn packed(th: &mut Thread, plan: &Plan<'_>, scalar: bool) -> PyResult<(Vec<u8>, usize, String)> {
    let codec = Codec::new(th, plan.format)?;
    if codec.itemsize == 0 {
        return Err(value_error(th, "itemsize must not be zero"));
    }
    let items = if scalar { vec![plan.items.clone()] } else { list_or_tuple(th, plan.items, "items")? };
    if items.is_empty() {
        return Err(value_error(th, "initializer list or tuple must not be empty"));
    }
    let size = codec.itemsize as isize;
    if plan.offset % size != 0 {
        return Err(value_error(th, "offset must be a multiple of itemsize"));
    }
    let len = items.len() as i128 * size as i128;
    if plan.offset < 0 || plan.offset as i128 + size as i128 > len {
        return Err(value_error(th, "offset out of bounds"));
    }
    let mut bytes = Vec::new();
    for item in &items {
        bytes.extend(codec.pack(th, item)?);
    }
    let Some(format) = plan.format.downcast_ref::<Str>() else {
        return Err(type_error(th, "format must be a str"));
    };
    Ok((bytes, codec.itemsize, format.as_ascii().unwrap_or_default().to_owned()))
}

pub fn layout(th: &mut Thread, plan: &Plan<'_>) -> PyResult<Layout> {
    let shape = list_or_tuple(th, plan.shape, "shape")?;
    let ndim = shape.len();
    if ndim > nd::MAX_NDIM {
        return Err(value_error(th, format!("ndim must not exceed {}", nd::MAX_NDIM)));
    }
    let strides = check_strides(th, plan, ndim)?;
    let (mut bytes, itemsize, format) = packed(th, plan, ndim == 0)?;
    let mut out = Layout {
        export: Memory::new(Vec::new()),
        owner: None,
        start: plan.offset,
        len: bytes.len(),
        itemsize,
        readonly: plan.flags & nd::WRITABLE == 0,
        format: Some(format),
        ndim,
        shape: None,
        strides: None,
        suboffsets: None,
        flags: plan.flags,
        offset: plan.offset,
    };
    if ndim == 0 {
        if plan.flags & nd::PIL != 0 {
            return Err(type_error(th, "ndim = 0 cannot be used in conjunction with ND_PIL"));
        }
        out.flags |= nd::SCALAR | nd::C | nd::FORTRAN;
        out.start = 0;
    } else {
        let shape: Vec<usize> = numbers(th, &shape, "shape")?.into_iter().map(|n| n as usize).collect();
        let strides = match strides {
            Some(values) => numbers(th, &values, "strides")?,
            None if plan.flags & nd::FORTRAN != 0 => fortran_strides(&shape, itemsize),
            None => c_strides(&shape, itemsize),
        };
        if strides.iter().any(|s| s % itemsize as isize != 0) {
            return Err(value_error(th, "strides must be a multiple of itemsize"));
        }
        if !fits(bytes.len(), itemsize, plan.offset, &shape, &strides) {
            return Err(value_error(th, "invalid combination of buffer, shape and strides"));
        }
        let len = shape.iter().fold(itemsize as i128, |len, &n| len.saturating_mul(n as i128));
        if len > MAX_LEN {
            return Err(memory_error(th));
        }
        out.len = len as usize;
        (out.shape, out.strides) = (Some(shape), Some(strides));
        if out.is_contiguous('C') {
            out.flags |= nd::C;
        }
        if out.is_contiguous('F') {
            out.flags |= nd::FORTRAN;
        }
        if plan.flags & nd::PIL != 0 {
            bytes = make_indirect(&mut out, bytes);
        }
    }
    out.export = Memory::new(bytes);
    Ok(out)
}

/// Puts a table of places before the memory: the first dimension strides over it instead of over the items.
fn make_indirect(out: &mut Layout, bytes: Vec<u8>) -> Vec<u8> {
    const WORD: usize = size_of::<usize>();
    let (Some(shape), Some(strides)) = (&out.shape, &mut out.strides) else { return bytes };
    let table = shape[0] * WORD;
    // The lowest place of an item, and that of the first item of a row within the row.
    let (mut low, mut within) = (out.start, 0);
    for (dim, (&n, &stride)) in shape.iter().zip(strides.iter()).enumerate().take_while(|(_, (n, _))| **n > 0) {
        if stride <= 0 {
            let reach = (n as isize - 1) * stride;
            low += reach;
            within -= if dim > 0 { reach } else { 0 };
        }
    }
    let step = strides[0].abs();
    let mut memory = Vec::with_capacity(table + bytes.len());
    for i in 0..shape[0] as isize {
        memory.extend((table as isize + low + i * step).to_ne_bytes());
    }
    memory.extend(bytes);
    let mut suboffsets = vec![-1; shape.len()];
    suboffsets[0] = within;
    out.start = if strides[0] < 0 { (table - WORD) as isize } else { 0 };
    strides[0] = if strides[0] < 0 { -(WORD as isize) } else { WORD as isize };
    out.suboffsets = Some(suboffsets);
    out.flags &= !(nd::C | nd::FORTRAN);
    out.offset = 0;
    memory
}
