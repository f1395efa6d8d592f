//! The 16-byte header that every heap object begins with, and the reference count in it. Counting is plain in single
//! mode and atomic once a second thread has been started; bit 31 marks immortals and saturates.
use std::ptr::NonNull;
use std::sync::atomic::{AtomicBool, AtomicPtr, AtomicU8, AtomicU16, AtomicU32, Ordering::*};

use crate::count;
use crate::type_object::TypeObject;

pub use crate::count::IMMORTAL;

/// Header flags.
pub mod flag {
    /// The side table holds weak references to this object.
    pub const WEAKREFS: u8 = 1;
    /// The finaliser ran (or was queued); it never runs twice.
    pub const FINALIZED: u8 = 2;
    /// The collector dropped the payload; only the memory remains to be freed.
    pub const DEAD: u8 = 4;
    /// The object has an instance tail (shape, dict, slots) behind its payload.
    pub const TAIL: u8 = 8;
    /// Interned string.
    pub const INTERNED: u8 = 16;
    /// Walked by the collector, and too large for a page of the heap.
    pub const LARGE: u8 = 32;
}

#[repr(C)]
pub struct Header {
    count: AtomicU32,
    /// Lock byte for the instance tail.
    pub lock: AtomicU8,
    flags: AtomicU8,
    /// Collector state: tracked bit, generation; see `gc`.
    pub gc: AtomicU16,
    class: AtomicPtr<TypeObject>,
}

/// True once a second thread has been started: counts become atomic, container locks real.
static MULTI: AtomicBool = AtomicBool::new(false);

/// Whether several threads run Python code. Never keep the answer across a call.
#[inline(always)]
pub fn multi() -> bool {
    MULTI.load(Relaxed)
}
/// Switches to multi mode for good. Called with the world stopped, before the second thread runs.
pub fn enter_multi() {
    MULTI.store(true, SeqCst);
}

impl Header {
    pub(crate) const fn immortal(class: *const TypeObject) -> Header {
        Header {
            count: AtomicU32::new(IMMORTAL),
            lock: AtomicU8::new(0),
            flags: AtomicU8::new(0),
            gc: AtomicU16::new(0),
            class: AtomicPtr::new(class.cast_mut()),
        }
    }
    #[inline(always)]
    pub(crate) fn new(class: *const TypeObject) -> Header {
        Header {
            count: AtomicU32::new(1),
            lock: AtomicU8::new(0),
            flags: AtomicU8::new(0),
            gc: AtomicU16::new(0),
            class: AtomicPtr::new(class.cast_mut()),
        }
    }
    #[inline(always)]
    pub fn class_ptr(&self) -> *const TypeObject {
        self.class.load(Relaxed)
    }
    pub(crate) fn set_class_ptr(&self, class: *const TypeObject) {
        self.class.store(class.cast_mut(), Release);
    }
    #[inline(always)]
    pub fn refcount(&self) -> u32 {
        self.count.load(Relaxed)
    }
    pub fn make_immortal(&self) {
        self.count.store(IMMORTAL, Relaxed);
    }
    pub fn is_immortal(&self) -> bool {
        self.refcount() & IMMORTAL != 0
    }
    #[inline(always)]
    pub fn flags(&self) -> u8 {
        self.flags.load(Relaxed)
    }
    #[inline]
    pub fn set_flag(&self, f: u8) {
        if multi() {
            self.flags.fetch_or(f, Relaxed);
        } else {
            self.flags.store(self.flags() | f, Relaxed);
        }
    }
    pub fn clear_flag(&self, f: u8) {
        self.flags.fetch_and(!f, Relaxed);
    }
    /// Sets a flag and says whether it was clear before.
    pub(crate) fn claim_flag(&self, f: u8) -> bool {
        self.flags.fetch_or(f, AcqRel) & f == 0
    }
    pub(crate) fn set_count(&self, n: u32) {
        self.count.store(n, Relaxed);
    }

    #[inline(always)]
    pub fn incref(&self) {
        let n = self.count.load(Relaxed);
        if n & IMMORTAL != 0 {
            return;
        }
        if multi() { self.incref_multi() } else { self.count.store(n + 1, Relaxed) }
    }
    #[cold]
    #[inline(never)]
    fn incref_multi(&self) {
        count::increment(&self.count);
    }
    /// The count, which stays readable when the object is freed.
    pub(crate) fn count(&self) -> &AtomicU32 {
        &self.count
    }
    /// Counts a new reference unless the object is already on its way to be freed.
    pub(crate) fn incref_if_alive(&self) -> bool {
        count::increment_if_alive(&self.count)
    }
}

/// Gives back one reference; frees the object with the last one.
///
/// # Safety
/// The caller owns the reference that it gives back.
#[inline(always)]
pub unsafe fn decref(header: NonNull<Header>) {
    // SAFETY: the caller owns a reference, so the object is alive.
    let h = unsafe { header.as_ref() };
    let n = h.count.load(Relaxed);
    if n & IMMORTAL != 0 {
        return;
    }
    if multi() {
        // SAFETY: as above.
        return unsafe { decref_multi(header) };
    }
    h.count.store(n - 1, Relaxed);
    if n == 1 {
        // SAFETY: the last reference is gone.
        unsafe { crate::dealloc::dealloc(header) }
    }
}

/// As [`decref`]; says whether the object was freed (or its finaliser queued).
///
/// # Safety
/// As [`decref`].
#[inline(always)]
pub unsafe fn decref_frees(header: NonNull<Header>) -> bool {
    // SAFETY: the caller owns a reference, so the object is alive.
    let h = unsafe { header.as_ref() };
    let n = h.count.load(Relaxed);
    if n & IMMORTAL != 0 {
        return false;
    }
    if multi() {
        // SAFETY: as above. Whether it was the last reference is not known, so "perhaps" is the answer.
        unsafe { decref_multi(header) };
        return true;
    }
    h.count.store(n - 1, Relaxed);
    if n == 1 {
        // SAFETY: the last reference is gone.
        unsafe { crate::dealloc::dealloc(header) };
        return true;
    }
    false
}

/// # Safety
/// As [`decref`].
#[cold]
#[inline(never)]
unsafe fn decref_multi(header: NonNull<Header>) {
    // SAFETY: the caller owns a reference.
    if count::decrement(&unsafe { header.as_ref() }.count) {
        // SAFETY: the last reference is gone.
        unsafe { crate::dealloc::dealloc(header) }
    }
}
