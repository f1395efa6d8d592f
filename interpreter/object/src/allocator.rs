//! The allocator of a Krait process: small blocks come from the object heap's pages, which keep free blocks per thread and
//! size; large ones from the system. A block's size comes with it when it is freed, so there is nothing to look up.
use std::alloc::{GlobalAlloc, Layout, System};
use std::ptr::NonNull;

use crate::heap;

/// To be named by the binary:
///
/// ```
/// #[global_allocator]
/// static ALLOCATOR: krait_object::allocator::Allocator = krait_object::allocator::Allocator;
/// # fn main() {
/// let mut words: Vec<String> = (0..1000).map(|i| i.to_string()).collect();
/// words.truncate(10);
/// assert_eq!(words.concat(), "0123456789");
/// # }
/// ```
pub struct Allocator;

#[inline(always)]
fn is_ours(size: usize, align: usize) -> bool {
    !heap::is_large(size) && align <= heap::GRAIN
}

// SAFETY: blocks are as large and aligned as asked for, and distinct while they live; none is moved. Both sources do not unwind.
unsafe impl GlobalAlloc for Allocator {
    #[inline]
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        if is_ours(layout.size(), layout.align()) {
            return heap::try_alloc_raw(layout.size()).map_or(std::ptr::null_mut(), NonNull::as_ptr);
        }
        // SAFETY: passed on.
        unsafe { System.alloc(layout) }
    }
    #[inline]
    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        if !is_ours(layout.size(), layout.align()) {
            // SAFETY: the layout says where the block came from.
            return unsafe { System.dealloc(block, layout) };
        }
        if let Some(block) = NonNull::new(block) {
            // SAFETY: as above.
            unsafe { heap::free_raw(block, layout.size()) }
        }
    }
    #[inline]
    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        if !is_ours(layout.size(), layout.align()) {
            // SAFETY: passed on.
            return unsafe { System.alloc_zeroed(layout) };
        }
        // SAFETY: passed on; the block has that many bytes.
        unsafe {
            let block = self.alloc(layout);
            if !block.is_null() {
                block.write_bytes(0, layout.size());
            }
            block
        }
    }
    #[inline]
    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        let (old, align) = (layout.size(), layout.align());
        if is_ours(old, align) && is_ours(size, align) && heap::class_of(old) == heap::class_of(size) {
            return block;
        }
        if !is_ours(old, align) && !is_ours(size, align) {
            // SAFETY: the layout says that the block is the system's, and the new one will be.
            return unsafe { System.realloc(block, layout, size) };
        }
        // SAFETY: the caller vouches for the new size; the blocks are distinct.
        unsafe {
            let new = self.alloc(Layout::from_size_align_unchecked(size, align));
            if !new.is_null() {
                new.copy_from_nonoverlapping(block, old.min(size));
                self.dealloc(block, layout);
            }
            new
        }
    }
}
