//! What threads left to the others: free blocks and untouched rests of pages, by use and size.
//!
//! A thread that needs blocks takes as many from here as it would carve from a page, and carves only where there are none.
use std::ptr::NonNull;
use std::sync::atomic::{AtomicBool, Ordering::*};
use std::sync::{Mutex, MutexGuard};

use super::{CLASSES, LARGEST_CARVE, Local, Rest, USES, Use, block_of, last_of, link, next_of, with_local};

pub(super) struct Left {
    free: [[*mut u8; CLASSES]; USES],
    /// Lists of rests: the first word of each is the next one's address, the second where it ends.
    rests: [[*mut u8; CLASSES]; USES],
}
// SAFETY: what is left belongs to nobody.
unsafe impl Send for Left {}
static LEFT: Mutex<Left> =
    Mutex::new(Left { free: [[std::ptr::null_mut(); CLASSES]; USES], rests: [[std::ptr::null_mut(); CLASSES]; USES] });
/// Whether anything was ever left.
static ANY: AtomicBool = AtomicBool::new(false);

/// Nobody leaves or takes anything while this lives.
pub(super) fn lock() -> MutexGuard<'static, Left> {
    LEFT.lock().unwrap_or_else(|e| e.into_inner())
}

/// Leaves all that a thread has.
pub(super) fn leave(local: &Local) {
    ANY.store(true, Relaxed);
    for kind in 0..USES {
        for class in 0..CLASSES {
            let (first, rest) = (local.free[kind][class], local.rest[kind][class]);
            // SAFETY: the lists are the caller's, and whole.
            let last = unsafe { last_of(first) };
            if last.is_null() && rest.end - rest.next < block_of(class) {
                continue;
            }
            let mut left = lock();
            if !last.is_null() {
                // SAFETY: the last block of a list is free, and was the caller's alone.
                unsafe { link(last, left.free[kind][class]) };
                left.free[kind][class] = first;
            }
            if rest.end - rest.next >= block_of(class) {
                let words = rest.next as *mut usize;
                // SAFETY: a rest has room for a block at least, and nobody else uses it.
                unsafe {
                    words.write(left.rests[kind][class] as usize);
                    words.add(1).write(rest.end);
                }
                left.rests[kind][class] = words.cast();
            }
        }
    }
}
/// A free block of this size; some more join the thread's list, which is empty.
pub(super) fn take(class: usize, what: Use) -> Option<NonNull<u8>> {
    if !ANY.load(Relaxed) {
        return None;
    }
    let (kind, count) = (what as usize, (LARGEST_CARVE / block_of(class)).max(1));
    let mut left = lock();
    let first = NonNull::new(left.free[kind][class])?;
    let mut last = first.as_ptr();
    // SAFETY: blocks in the list are free and linked, and nobody's.
    unsafe {
        for _ in 1..count {
            let next = next_of(last);
            if next.is_null() {
                break;
            }
            last = next;
        }
        left.free[kind][class] = next_of(last);
        link(last, std::ptr::null_mut());
    }
    drop(left);
    // SAFETY: as above; the blocks are the caller's now.
    let next = unsafe { next_of(first.as_ptr()) };
    with_local(|local| {
        debug_assert!(local.free[kind][class].is_null());
        local.free[kind][class] = next;
    });
    Some(first)
}
/// The rest of a page of blocks of this size.
pub(super) fn take_rest(class: usize, what: Use) -> Option<Rest> {
    if !ANY.load(Relaxed) {
        return None;
    }
    let mut left = lock();
    let words = NonNull::new(left.rests[what as usize][class])?.cast::<usize>();
    // SAFETY: written by `leave`; a rest is zero but for these two words.
    unsafe {
        left.rests[what as usize][class] = words.read() as *mut u8;
        let rest = Rest { next: words.as_ptr() as usize, end: words.add(1).read() };
        words.write(0);
        words.add(1).write(0);
        Some(rest)
    }
}
