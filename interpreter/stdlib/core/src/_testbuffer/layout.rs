//! What an array shows of its memory. As in CPython's `Py_buffer`, format, shape, strides and suboffsets may be missing:
//! an array made from another exporter has what it asked for.
use std::sync::Arc;

use krait_object::Value;
use krait_object::buffer::{Buffer, Export, flags as request};

use super::nd;

#[derive(Clone)]
pub struct Layout {
    pub export: Arc<dyn Export>,
    /// Whose memory it is; `None` for the array's own.
    pub owner: Option<Value>,
    /// The first item's place.
    pub start: isize,
    pub len: usize,
    pub itemsize: usize,
    pub readonly: bool,
    pub format: Option<String>,
    pub ndim: usize,
    pub shape: Option<Vec<usize>>,
    pub strides: Option<Vec<isize>>,
    pub suboffsets: Option<Vec<isize>>,
    pub flags: i32,
    /// The argument of that name; -1 where the memory is another's.
    pub offset: isize,
}

impl Layout {
    /// What a consumer that asked with `flags` has of an export. `complete` exporters give everything anyway.
    pub fn of_export(b: Buffer, flags: u32, complete: bool) -> Layout {
        let wants = |flag: u32| complete || flags & flag == flag;
        let shaped = wants(request::ND);
        let indirect = !b.suboffsets.is_empty();
        Layout {
            start: b.offset as isize,
            len: b.len,
            itemsize: b.itemsize,
            readonly: b.readonly,
            format: wants(request::FORMAT).then(|| b.format.into_owned()),
            ndim: if shaped { b.shape.len() } else { 1 },
            shape: shaped.then_some(b.shape),
            strides: wants(request::STRIDES).then_some(b.strides),
            suboffsets: indirect.then_some(b.suboffsets),
            flags: if b.readonly { 0 } else { nd::WRITABLE },
            offset: -1,
            owner: Some(b.owner).filter(|v| !v.is_none()),
            export: b.export,
        }
    }
    /// Sets the flags that follow from the layout.
    pub fn note_contiguity(&mut self) {
        if self.ndim == 0 {
            self.flags |= nd::SCALAR;
        }
        if self.suboffsets.is_some() {
            self.flags |= nd::PIL;
        }
        if self.is_contiguous('C') {
            self.flags |= nd::C;
        }
        if self.is_contiguous('F') {
            self.flags |= nd::FORTRAN;
        }
    }
    /// The complete description, what is missing filled in.
    pub fn to_buffer(&self, owner: Value) -> Buffer {
        let shape = match &self.shape {
            Some(shape) => shape.clone(),
            None if self.ndim == 0 => Vec::new(),
            None => vec![self.len / self.itemsize],
        };
        Buffer {
            owner,
            export: self.export.clone(),
            format: self.format.clone().map_or("B".into(), Into::into),
            itemsize: self.itemsize,
            strides: self.strides.clone().unwrap_or_else(|| c_strides(&shape, self.itemsize)),
            suboffsets: self.suboffsets.clone().unwrap_or_default(),
            shape,
            offset: self.start.max(0) as usize,
            len: self.len,
            readonly: self.readonly,
        }
    }
    pub fn is_contiguous(&self, order: char) -> bool {
        let full = self.to_buffer(Value::NONE);
        let c = || full.is_c_contiguous();
        match order {
            'C' => c(),
            'F' => full.is_f_contiguous(),
            _ => c() || full.is_f_contiguous(),
        }
    }
    /// Items per row of the first dimension, and how many rows there are.
    pub fn rows(&self) -> usize {
        self.shape.as_ref().and_then(|s| s.first().copied()).unwrap_or(self.len)
    }
    pub fn stride(&self, dim: usize) -> isize {
        match &self.strides {
            Some(strides) => strides[dim],
            None => match &self.shape {
                Some(shape) => c_strides(shape, self.itemsize)[dim],
                None => self.itemsize as isize,
            },
        }
    }
}

pub fn c_strides(shape: &[usize], itemsize: usize) -> Vec<isize> {
    let mut strides = vec![0; shape.len()];
    let mut stride = itemsize as isize;
    for (out, &n) in strides.iter_mut().zip(shape).rev() {
        *out = stride;
        stride = stride.wrapping_mul(n as isize);
    }
    strides
}
pub fn fortran_strides(shape: &[usize], itemsize: usize) -> Vec<isize> {
    let mut stride = itemsize as isize;
    let mut strides = Vec::with_capacity(shape.len());
    for &n in shape {
        strides.push(stride);
        stride = stride.wrapping_mul(n as isize);
    }
    strides
}
