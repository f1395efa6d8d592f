//! `Bytes`: the storage of `bytes`. Methods are in `runtime/src/types/bytes`.
use std::ops::Deref;
use std::sync::atomic::{AtomicU64, Ordering::*};

use crate::builtin_types::BYTES;
use crate::header::Header;
use crate::refs::{Object, Payload, Ref, new_variable};
use crate::trace::{Trace, Tracer};
use crate::type_object::TypeObject;

#[repr(C)]
pub struct Bytes {
    /// Hash plus one; 0 = not computed.
    hash: AtomicU64,
    len: usize,
}
// SAFETY: BYTES is built with this payload's vtable.
unsafe impl Payload for Bytes {
    #[inline(always)]
    fn class() -> &'static TypeObject {
        &BYTES
    }
}
// SAFETY: holds no reference.
unsafe impl Trace for Bytes {
    const TRACED: bool = false;
    fn trace(&self, _: &mut Tracer<'_>) {}
}
/// # Safety
/// `h` is a live bytes object.
pub(crate) unsafe fn block_len(h: *const Header) -> usize {
    // SAFETY: by the caller's promise.
    size_of::<Object<Bytes>>() + unsafe { (*h.cast::<Object<Bytes>>()).payload.len } + 1
}

impl Bytes {
    pub fn new(data: &[u8]) -> Ref<Bytes> {
        match Self::try_new(data, &BYTES) {
            Some(b) => b,
            None => std::alloc::handle_alloc_error(std::alloc::Layout::new::<Bytes>()),
        }
    }
    /// A copy of `data` as an instance of `class` (`bytes` or a subclass); `None` without memory.
    pub fn try_new(data: &[u8], class: &TypeObject) -> Option<Ref<Bytes>> {
        let exact = std::ptr::eq(class, &BYTES);
        if exact && data.len() <= 1 {
            return Some(crate::intern::small_bytes(data));
        }
        Self::allocate(data, class)
    }
    pub(crate) fn allocate(data: &[u8], class: &TypeObject) -> Option<Ref<Bytes>> {
        // A NUL follows, as C functions that get the address expect.
        let object = new_variable(Bytes { hash: AtomicU64::new(0), len: data.len() }, data.len() + 1, class)?;
        // SAFETY: the block has room for the bytes and the NUL behind the payload; the new reference owns the object.
        let made: Ref<Bytes> = unsafe {
            let place = object.as_ptr().add(1).cast::<u8>();
            std::ptr::copy_nonoverlapping(data.as_ptr(), place, data.len());
            place.add(data.len()).write(0);
            Ref::from_bits(object.as_ptr() as u64)
        };
        if !std::ptr::eq(class, &BYTES) {
            crate::refs::publish_variable(made.object());
        }
        Some(made)
    }
    #[inline(always)]
    pub fn as_slice(&self) -> &[u8] {
        // SAFETY: `len` bytes follow the payload.
        unsafe { std::slice::from_raw_parts(std::ptr::from_ref(self).add(1).cast(), self.len) }
    }
    pub fn hash(&self) -> i64 {
        let h = self.hash.load(Relaxed);
        if h != 0 {
            return h.wrapping_sub(1) as i64;
        }
        let h = crate::hash::bytes(self.as_slice());
        self.hash.store((h as u64).wrapping_add(1), Relaxed);
        h
    }
}
impl Deref for Bytes {
    type Target = [u8];
    #[inline(always)]
    fn deref(&self) -> &[u8] {
        self.as_slice()
    }
}
