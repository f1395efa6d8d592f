//! The 16-byte header that every heap object begins with, and the reference count in it. In single mode every thread counts
//! plainly, in multi mode the one that the object belongs to ([`crate::foreign`]); bit 31 marks immortals and saturates.
use std::cell::UnsafeCell;
use std::ptr::NonNull;
use std::sync::atomic::{AtomicPtr, AtomicU8, AtomicU16, AtomicU32, Ordering::*};

use crate::count;
use crate::foreign;
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
    /// Interned string. (No object is two of string, instance and weak reference.)
    pub const INTERNED: u8 = 16;
    /// Walked by the collector, and too large for a page of the heap.
    pub const LARGE: u8 = 32;
    /// Counted by other threads than its own.
    pub use crate::count::FOREIGN;
    /// A weak reference that refers to something, or did.
    pub const REFERENCE: u8 = INTERNED;
    /// Other threads than its own have taken the lock of the object's instance tail.
    pub const SHARED: u8 = 128;
}

#[repr(C)]
pub struct Header {
    count: AtomicU32,
    /// Lock byte for the instance tail.
    pub lock: AtomicU8,
    flags: AtomicU8,
    /// Collector state (`gc`) and the thread that the object belongs to (`foreign`).
    pub gc: AtomicU16,
    class: AtomicPtr<TypeObject>,
}

/// A plain word, so that an instruction that asks several times reads it once.
struct Mode(UnsafeCell<bool>);
// SAFETY: written once, by the only thread that has objects; all others that have any are started by it afterwards.
unsafe impl Sync for Mode {}
/// True once a second thread runs beside the first: container locks become real, counts each thread's own.
static MULTI: Mode = Mode(UnsafeCell::new(false));

/// Whether several threads run Python code. Never keep the answer across a call.
#[inline(always)]
pub fn multi() -> bool {
    // SAFETY: see `Mode`.
    unsafe { *MULTI.0.get() }
}
/// Switches to multi mode for good. Called with the world stopped, before the second thread runs.
pub fn enter_multi() {
    krait_platform::thread::prepare_heavy_barrier();
    // SAFETY: see `Mode`.
    unsafe { *MULTI.0.get() = true }
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
            count: AtomicU32::new(count::NONE + 1),
            lock: AtomicU8::new(0),
            flags: AtomicU8::new(0),
            gc: AtomicU16::new(foreign::maker()),
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
    /// The references that the object's thread and the calling one have counted.
    pub fn refcount(&self) -> u32 {
        let n = self.count.load(Relaxed);
        if n & IMMORTAL != 0 {
            return n;
        }
        let here = if multi() && !self.is_own() { foreign::counted_here(self) } else { 0 };
        n.wrapping_sub(count::NONE).saturating_add_signed(here)
    }
    /// Whether the caller's reference is certainly the only one.
    #[inline]
    pub fn is_unique(&self) -> bool {
        let alone = !multi() || self.is_own() && self.flags() & flag::FOREIGN == 0;
        self.count.load(Relaxed) == count::NONE + 1 && alone
    }
    /// Whether the object belongs to the calling thread.
    #[inline(always)]
    pub(crate) fn is_own(&self) -> bool {
        self.gc.load(Relaxed) & foreign::OWNER == foreign::own()
    }
    pub fn make_immortal(&self) {
        self.count.store(IMMORTAL, Relaxed);
    }
    #[inline(always)]
    pub fn is_immortal(&self) -> bool {
        self.count.load(Relaxed) & IMMORTAL != 0
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
    /// For an object without references: the caller has one now.
    pub(crate) fn revive(&self) {
        self.count.store(count::NONE + 1, Relaxed);
    }

    #[inline(always)]
    pub fn incref(&self) {
        let n = self.count.load(Relaxed);
        if n & IMMORTAL != 0 {
            return;
        }
        if multi() && !self.is_own() {
            std::hint::cold_path();
            return foreign::increment(self);
        }
        self.count.store(n + 1, Relaxed);
    }
    /// The count, which stays readable when the object is freed.
    #[inline(always)]
    pub(crate) fn count(&self) -> &AtomicU32 {
        &self.count
    }
    #[inline(always)]
    pub(crate) fn flags_cell(&self) -> &AtomicU8 {
        &self.flags
    }
    /// Counts a new reference unless the object is on its way to be freed. Whoever frees it looks again under the lock that
    /// the caller holds (`weakref`).
    pub(crate) fn incref_if_alive(&self) -> bool {
        let n = self.count.load(Relaxed);
        if n & IMMORTAL != 0 {
            return true;
        }
        if foreign::is_others(self) {
            count::mark_foreign(&self.flags);
            foreign::note(self);
            return true;
        }
        // Others may still hold an object that is marked.
        let alive = n != count::NONE || foreign::must_wait(self);
        if alive {
            self.count.store(n + 1, Relaxed);
        }
        alive
    }
}

/// Gives back one reference; frees the object with the last one.
///
/// # Safety
/// The caller owns the reference that it gives back.
#[inline(always)]
pub unsafe fn decref(header: NonNull<Header>) {
    // SAFETY: passed on.
    unsafe { decref_frees(header) };
}

/// As [`decref`] where that is only counting; false, and nothing happened: the object would be freed, or is another thread's.
///
/// # Safety
/// As [`decref`].
#[inline(always)]
pub unsafe fn decref_counts(header: NonNull<Header>) -> bool {
    // SAFETY: the caller owns a reference, so the object is alive.
    let h = unsafe { header.as_ref() };
    let n = h.count.load(Relaxed);
    if n & IMMORTAL != 0 {
        return true;
    }
    if n == count::NONE + 1 || multi() && !h.is_own() {
        return false;
    }
    h.count.store(n - 1, Relaxed);
    true
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
    if multi() && !h.is_own() {
        std::hint::cold_path();
        // SAFETY: as above. Where others free the object, that is not here.
        return unsafe { decref_foreign(header) };
    }
    h.count.store(n - 1, Relaxed);
    if n == count::NONE + 1 {
        // SAFETY: the last reference is gone.
        unsafe { crate::dealloc::dealloc(header) };
        return true;
    }
    false
}

/// # Safety
/// As [`decref`].
#[inline(never)]
unsafe fn decref_foreign(header: NonNull<Header>) -> bool {
    // SAFETY: the caller owns a reference.
    let frees = foreign::decrement(unsafe { header.as_ref() });
    if frees {
        // SAFETY: the last reference is gone.
        unsafe { crate::dealloc::dealloc(header) }
    }
    frees
}
