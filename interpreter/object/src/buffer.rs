//! The buffer protocol: `Buffer` is one export. Memory is reached through closures, so that exporters can lock it.
use std::borrow::Cow;
use std::sync::Arc;

use crate::bytes::Bytes;
use crate::refs::Ref;
use crate::trace::{Trace, Tracer};
use crate::value::Value;

/// Request flags, with CPython's values.
pub mod flags {
    pub const SIMPLE: u32 = 0;
    pub const WRITABLE: u32 = 1;
    pub const FORMAT: u32 = 4;
    pub const ND: u32 = 8;
    pub const STRIDES: u32 = 0x18;
    pub const C_CONTIGUOUS: u32 = 0x38;
    pub const F_CONTIGUOUS: u32 = 0x58;
    pub const ANY_CONTIGUOUS: u32 = 0x98;
    pub const INDIRECT: u32 = 0x118;
    pub const FULL_RO: u32 = 0x11C;
    pub const FULL: u32 = 0x11D;
    /// Kinds of memoryview, which are no requests.
    pub const READ: u32 = 0x100;
    pub const WRITE: u32 = 0x200;
}

/// The memory behind an export. Dropping it releases the export (and lets the exporter resize again).
pub trait Export: Send + Sync {
    /// The whole memory of the exporter.
    fn read(&self, f: &mut dyn FnMut(&[u8]));
    /// The whole memory, writable; does nothing where it is read-only.
    fn write(&self, f: &mut dyn FnMut(&mut [u8]));
    /// Visits each counted reference that the export holds once, for the collector. An export that visits none keeps
    /// its exporter alive.
    fn trace(&self, _: &mut Tracer<'_>) {}
    /// Another export of the same memory that the collector can tell apart; `None`: count references to this one.
    fn share(&self) -> Option<Arc<dyn Export>> {
        None
    }
}

// SAFETY: a reference is attributed to the object that holds this `Arc` only if nothing else holds it; otherwise nothing
// is visited, which keeps what it refers to alive.
unsafe impl Trace for Arc<dyn Export> {
    fn trace(&self, tracer: &mut Tracer<'_>) {
        if Arc::strong_count(self) == 1 {
            (**self).trace(tracer);
        }
    }
}
// SAFETY: as above; the owner and the export once.
unsafe impl Trace for Arc<Buffer> {
    fn trace(&self, tracer: &mut Tracer<'_>) {
        if Arc::strong_count(self) == 1 {
            self.owner.trace(tracer);
            self.export.trace(tracer);
        }
    }
}

pub struct Buffer {
    /// The object that exported the memory (`memoryview.obj`).
    pub owner: Value,
    pub export: std::sync::Arc<dyn Export>,
    /// Format in `struct` syntax; "B" for plain bytes.
    pub format: Cow<'static, str>,
    pub itemsize: usize,
    pub shape: Vec<usize>,
    /// Bytes between items, per dimension.
    pub strides: Vec<isize>,
    /// Per dimension; empty where no dimension is indirect. Not negative: what stands at a place of this dimension is the
    /// place, in the exporter's memory and as a native word, from which the suboffset leads to the next dimension.
    pub suboffsets: Vec<isize>,
    /// The first item's place in the exporter's memory.
    pub offset: usize,
    /// Bytes in all (items times item size).
    pub len: usize,
    pub readonly: bool,
}

impl Buffer {
    /// A one-dimensional buffer of bytes.
    pub fn bytes(owner: Value, export: std::sync::Arc<dyn Export>, len: usize, readonly: bool) -> Buffer {
        Buffer {
            owner,
            export,
            format: Cow::Borrowed("B"),
            itemsize: 1,
            shape: vec![len],
            strides: vec![1],
            suboffsets: Vec::new(),
            offset: 0,
            len,
            readonly,
        }
    }
    pub fn is_c_contiguous(&self) -> bool {
        if !self.suboffsets.is_empty() {
            return false;
        }
        let mut expected = self.itemsize as isize;
        for (&n, &stride) in self.shape.iter().zip(&self.strides).rev() {
            if n > 1 && stride != expected {
                return self.len == 0;
            }
            expected *= n as isize;
        }
        true
    }
    pub fn is_f_contiguous(&self) -> bool {
        if !self.suboffsets.is_empty() {
            return false;
        }
        let mut expected = self.itemsize as isize;
        for (&n, &stride) in self.shape.iter().zip(&self.strides) {
            if n > 1 && stride != expected {
                return self.len == 0;
            }
            expected *= n as isize;
        }
        true
    }
    /// Runs `f` on the bytes in C order: directly when contiguous, on a copy otherwise. No Python code may run in `f`.
    pub fn with_bytes<R>(&self, f: impl FnOnce(&[u8]) -> R) -> R {
        let mut f = Some(f);
        let mut result = None;
        if self.is_c_contiguous() {
            self.export.read(&mut |all| {
                if let Some(f) = f.take() {
                    result = Some(f(all.get(self.offset..self.offset + self.len).unwrap_or_default()));
                }
            });
        } else {
            let copy = self.to_vec();
            result = f.take().map(|f| f(&copy));
        }
        result.expect("an export reads exactly once")
    }
    /// Runs `f` on the writable bytes of a contiguous buffer. No Python code may run in `f`.
    pub fn with_bytes_mut<R>(&self, f: impl FnOnce(&mut [u8]) -> R) -> R {
        let mut f = Some(f);
        let mut result = None;
        self.export.write(&mut |all| {
            if let Some(f) = f.take() {
                result = Some(f(all.get_mut(self.offset..self.offset + self.len).unwrap_or_default()));
            }
        });
        match (result, f) {
            (Some(r), _) => r,
            (None, Some(f)) => f(&mut []),
            (None, None) => unreachable!("f was taken, so it ran"),
        }
    }
    /// Follows the word at `at`, where dimension `dim` is indirect. `all` is the exporter's memory.
    pub fn follow(&self, all: &[u8], dim: usize, at: isize) -> isize {
        match self.suboffsets.get(dim) {
            Some(&suboffset) if suboffset >= 0 => {
                let word = usize::try_from(at).ok().and_then(|at| all.get(at..)?.first_chunk());
                word.map_or(-1, |w| isize::from_ne_bytes(*w).wrapping_add(suboffset))
            }
            _ => at,
        }
    }
    /// Places of all items in C order, as offsets into the exporter's memory `all`.
    pub fn places(&self, all: &[u8]) -> Vec<usize> {
        fn walk(b: &Buffer, all: &[u8], dim: usize, at: isize, out: &mut Vec<usize>) {
            match b.shape.get(dim) {
                None => out.push(at as usize),
                Some(&n) => (0..n).for_each(|i| {
                    let next = b.follow(all, dim, at + i as isize * b.strides[dim]);
                    walk(b, all, dim + 1, next, out);
                }),
            }
        }
        let mut out = Vec::new();
        walk(self, all, 0, self.offset as isize, &mut out);
        out
    }
    /// The bytes in C order.
    pub fn to_vec(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(self.len);
        let contiguous = self.is_c_contiguous();
        self.export.read(&mut |all| {
            if contiguous {
                out.extend_from_slice(all.get(self.offset..self.offset + self.len).unwrap_or_default());
            } else {
                for at in self.places(all) {
                    let item = at.checked_add(self.itemsize).and_then(|end| all.get(at..end));
                    out.extend_from_slice(item.unwrap_or_default());
                }
            }
        });
        out
    }
}

/// The export of an immutable `bytes` object.
pub struct BytesExport(pub Ref<Bytes>);
impl Export for BytesExport {
    fn read(&self, f: &mut dyn FnMut(&[u8])) {
        f(&self.0);
    }
    fn write(&self, _: &mut dyn FnMut(&mut [u8])) {}
    fn trace(&self, tracer: &mut Tracer<'_>) {
        self.0.trace(tracer);
    }
}
