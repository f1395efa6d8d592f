//! `Tuple`: the storage of `tuple`, items inline. Methods are in `runtime/src/types/tuple`.
use std::ops::Deref;

use crate::builtin_types::TUPLE;
use crate::header::Header;
use crate::refs::{Object, Payload, Ref, new_variable};
use crate::trace::{Trace, Tracer};
use crate::type_object::TypeObject;
use crate::value::Value;

#[repr(C)]
pub struct Tuple {
    len: usize,
}
// SAFETY: TUPLE is built with this payload's vtable.
unsafe impl Payload for Tuple {
    #[inline(always)]
    fn class() -> &'static TypeObject {
        &TUPLE
    }
}
// SAFETY: each item once.
unsafe impl Trace for Tuple {
    fn trace(&self, tracer: &mut Tracer<'_>) {
        self.as_slice().trace(tracer);
    }
}
impl Drop for Tuple {
    fn drop(&mut self) {
        let items =
            std::ptr::slice_from_raw_parts_mut(std::ptr::from_mut(self).wrapping_add(1).cast::<Value>(), self.len);
        // SAFETY: `len` owned values follow the payload and are dropped once, with it.
        unsafe { std::ptr::drop_in_place(items) }
    }
}
/// # Safety
/// `h` is a live tuple.
pub(crate) unsafe fn block_len(h: *const Header) -> usize {
    // SAFETY: by the caller's promise.
    size_of::<Object<Tuple>>() + 8 * unsafe { (*h.cast::<Object<Tuple>>()).payload.len }
}

impl Tuple {
    /// A tuple of these values.
    pub fn new(items: impl IntoIterator<Item = Value, IntoIter: ExactSizeIterator>) -> Ref<Tuple> {
        match Self::try_new(items, &TUPLE) {
            Some(t) => t,
            None => std::alloc::handle_alloc_error(std::alloc::Layout::new::<Tuple>()),
        }
    }
    /// A tuple of a few values, without the detours of a variable length.
    #[inline]
    pub fn of<const N: usize>(items: [Value; N]) -> Ref<Tuple> {
        const { assert!(N > 0 && N < 16) };
        let size = size_of::<Object<Tuple>>() + 8 * N;
        let object = crate::heap::alloc(size, true).cast::<Object<Tuple>>();
        // SAFETY: a fresh block of the object's size; the new reference owns the object.
        let made = unsafe {
            object.as_ptr().write(Object { header: Header::new(&TUPLE), payload: Tuple { len: N } });
            object.as_ptr().add(1).cast::<[Value; N]>().write(items);
            Ref::from_bits(object.as_ptr() as u64)
        };
        crate::gc::publish(object.cast(), size);
        made
    }
    pub fn from_vec(items: Vec<Value>) -> Ref<Tuple> {
        Self::new(items)
    }
    pub fn from_slice(items: &[Value]) -> Ref<Tuple> {
        Self::new(items.iter().cloned())
    }
    pub fn empty() -> Ref<Tuple> {
        crate::intern::empty_tuple()
    }
    /// A tuple as an instance of `class` (`tuple` or a subclass); `None` without memory.
    pub fn try_new(
        items: impl IntoIterator<Item = Value, IntoIter: ExactSizeIterator>,
        class: &TypeObject,
    ) -> Option<Ref<Tuple>> {
        let items = items.into_iter();
        if items.len() == 0 && std::ptr::eq(class, &TUPLE) {
            return Some(Self::empty());
        }
        Self::allocate(items, class)
    }
    pub(crate) fn allocate(items: impl ExactSizeIterator<Item = Value>, class: &TypeObject) -> Option<Ref<Tuple>> {
        let len = items.len();
        let object = new_variable(Tuple { len: 0 }, len.checked_mul(8)?, class)?;
        let data = object.as_ptr().wrapping_add(1).cast::<Value>();
        let mut n = 0;
        for item in items.take(len) {
            // SAFETY: `n < len`, and the block has room for `len` items.
            unsafe { data.add(n).write(item) };
            n += 1;
        }
        // An iterator that ends early leaves None in the rest: the block's size is fixed by `len`.
        while n < len {
            // SAFETY: as above.
            unsafe { data.add(n).write(Value::NONE) };
            n += 1;
        }
        // SAFETY: all items are written; the new reference owns the object.
        let made: Ref<Tuple> = unsafe {
            (*object.as_ptr()).payload.len = len;
            Ref::from_bits(object.as_ptr() as u64)
        };
        crate::refs::publish_variable(made.object());
        Some(made)
    }
    #[inline(always)]
    pub fn as_slice(&self) -> &[Value] {
        // SAFETY: `len` values follow the payload.
        unsafe { std::slice::from_raw_parts(std::ptr::from_ref(self).add(1).cast(), self.len) }
    }
}
impl Deref for Tuple {
    type Target = [Value];
    #[inline(always)]
    fn deref(&self) -> &[Value] {
        self.as_slice()
    }
}
