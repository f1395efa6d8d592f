//! Slice arithmetic (`PySlice_Unpack`, `PySlice_AdjustIndices`).
use krait_object::{PyResult, Thread};

use crate::errors::value_error;
use crate::protocol::number::index_clamped;
use crate::types::slice::Slice;

/// A slice applied to a length: `len` items from `start`, `step` apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SliceIndices {
    pub start: isize,
    pub stop: isize,
    pub step: isize,
    pub len: usize,
}

/// The slice's numbers, clamped to the machine's range; runs `__index__`.
pub fn unpack(th: &mut Thread, s: &Slice) -> PyResult<(isize, isize, isize)> {
    let step = if s.step.is_none() { 1 } else { slice_index(th, &s.step)? };
    if step == 0 {
        return Err(value_error(th, "slice step cannot be zero"));
    }
    let step = step.max(-isize::MAX);
    let start = if !s.start.is_none() {
        slice_index(th, &s.start)?
    } else if step < 0 {
        isize::MAX
    } else {
        0
    };
    let stop = if !s.stop.is_none() {
        slice_index(th, &s.stop)?
    } else if step < 0 {
        isize::MIN
    } else {
        isize::MAX
    };
    Ok((start, stop, step))
}
fn slice_index(th: &mut Thread, v: &krait_object::Value) -> PyResult<isize> {
    if !crate::protocol::number::has_index(v) {
        return Err(crate::errors::type_error(
            th,
            "slice indices must be integers or None or have an __index__ method",
        ));
    }
    index_clamped(th, v)
}
/// The numbers fitted to a sequence of `len` items.
pub fn fit((start, stop, step): (isize, isize, isize), len: usize) -> SliceIndices {
    let n = len as isize;
    let clamp = |i: isize| {
        let (low, high) = if step < 0 { (-1, n - 1) } else { (0, n) };
        if i < 0 { i.saturating_add(n).max(low) } else { i.min(high) }
    };
    let (start, stop) = (clamp(start), clamp(stop));
    let len = if step < 0 {
        if stop < start { ((start - stop - 1) / -step + 1) as usize } else { 0 }
    } else if start < stop {
        ((stop - start - 1) / step + 1) as usize
    } else {
        0
    };
    SliceIndices { start, stop, step, len }
}
/// [`unpack`], then [`fit`]. The length is taken after `__index__` ran only if the caller passes it then.
pub fn adjust(th: &mut Thread, s: &Slice, len: usize) -> PyResult<SliceIndices> {
    Ok(fit(unpack(th, s)?, len))
}
impl SliceIndices {
    /// The places of the items, in order.
    pub fn places(self) -> impl ExactSizeIterator<Item = usize> {
        (0..self.len).map(move |i| (self.start + i as isize * self.step) as usize)
    }
}
