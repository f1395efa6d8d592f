//! Memory for objects. `alloc` and `free` are all that the rest of the crate knows.
use std::alloc::{Layout, handle_alloc_error};
use std::ptr::NonNull;

const ALIGN: usize = 16;

fn layout(size: usize) -> Option<Layout> {
    Layout::from_size_align(size.checked_next_multiple_of(ALIGN)?, ALIGN).ok()
}

/// A block of at least `size` bytes, aligned to 16, or `None` where there is no memory. `traced` blocks are walked by
/// the collector.
pub(crate) fn try_alloc(size: usize, _traced: bool) -> Option<NonNull<u8>> {
    let layout = layout(size)?;
    // SAFETY: every object is at least a header long, so the size is not zero.
    NonNull::new(unsafe { std::alloc::alloc(layout) })
}
/// As [`try_alloc`], for sizes that no script chooses.
pub(crate) fn alloc(size: usize, traced: bool) -> NonNull<u8> {
    match try_alloc(size, traced) {
        Some(p) => p,
        None => handle_alloc_error(layout(size).unwrap_or(Layout::new::<u64>())),
    }
}
/// # Safety
/// `block` came from `alloc` with the same size and is not used again.
pub(crate) unsafe fn free(block: NonNull<u8>, size: usize, _traced: bool) {
    if let Some(layout) = layout(size) {
        // SAFETY: same layout as at allocation.
        unsafe { std::alloc::dealloc(block.as_ptr(), layout) }
    }
}
