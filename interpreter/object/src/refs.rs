//! Typed references and the layout of objects: `Object<T>` is a header and a Rust payload, `Ref<T>` a counted reference
//! to one, `VTable` what the heap must know of `T`.
use std::marker::PhantomData;
use std::ops::Deref;
use std::ptr::NonNull;

use crate::header::{self, Header, flag};
use crate::instance;
use crate::trace::{Trace, Tracer};
use crate::type_object::{Type, TypeObject};
use crate::value::Value;
use crate::{dealloc, heap};

/// A heap object. Instances of Python classes carry an instance tail behind the payload (see `instance`).
#[repr(C)]
pub struct Object<T> {
    pub header: Header,
    pub payload: T,
}

/// A Rust struct that is the payload of a builtin type.
///
/// # Safety
/// `class()` is the static type object built with `VTable::of::<Self>()`, or a base whose payload is the first field of a
/// `repr(C)` extension.
pub unsafe trait Payload: Trace + Sized + 'static {
    fn class() -> &'static TypeObject;
}

/// What `#[derive(Payload)]` expands to.
#[doc(hidden)]
#[macro_export]
macro_rules! impl_payload {
    ($payload:ident $class:path) => {
        // SAFETY: the class is built with `VTable::of` for this struct; `Type::builtin` checks it when it is readied.
        unsafe impl $crate::Payload for $payload {
            #[inline(always)]
            fn class() -> &'static $crate::TypeObject {
                &$class
            }
        }
    };
}

/// What the heap must know of a payload.
pub struct VTable {
    /// Header and payload, bytes, without what follows a variable-sized payload.
    pub size: usize,
    pub(crate) drop: unsafe fn(*mut u8),
    pub(crate) trace: unsafe fn(*const u8, &mut Tracer<'_>),
    /// Header, payload and inline items, for variable-sized payloads.
    pub(crate) var_size: Option<unsafe fn(*const Header) -> usize>,
    /// The payload can hold references to other objects.
    pub traced: bool,
}

impl VTable {
    pub const fn of<T: Trace>() -> VTable {
        assert!(align_of::<Object<T>>() <= 16);
        unsafe fn drop_payload<T>(object: *mut u8) {
            // SAFETY: the caller passes an object of this layout whose last reference is gone.
            unsafe { std::ptr::drop_in_place(&raw mut (*object.cast::<Object<T>>()).payload) }
        }
        unsafe fn trace_payload<T: Trace>(object: *const u8, tracer: &mut Tracer<'_>) {
            // SAFETY: the caller passes a live object of this layout.
            unsafe { (*object.cast::<Object<T>>()).payload.trace(tracer) }
        }
        VTable {
            size: size_of::<Object<T>>(),
            drop: drop_payload::<T>,
            trace: trace_payload::<T>,
            var_size: None,
            traced: T::TRACED,
        }
    }
    pub(crate) const fn variable(mut self, size: unsafe fn(*const Header) -> usize) -> VTable {
        self.var_size = Some(size);
        self
    }
}

/// A counted reference to an object whose payload is `T` (or extends it).
#[repr(transparent)]
pub struct Ref<T: Payload> {
    object: NonNull<Object<T>>,
    owns: PhantomData<T>,
}

// SAFETY: payloads are shared between threads; their mutable parts sit behind `Locked`, `ValueCell` and atomics.
unsafe impl<T: Payload> Send for Ref<T> {}
// SAFETY: as above.
unsafe impl<T: Payload> Sync for Ref<T> {}

impl<T: Payload> Ref<T> {
    /// A new object of exactly `T`'s class.
    #[inline]
    pub fn new(payload: T) -> Ref<T> {
        let class = T::class();
        let size = size_of::<Object<T>>();
        let block = heap::alloc(size, T::TRACED);
        let object = block.cast::<Object<T>>();
        // SAFETY: a fresh block of the object's size.
        unsafe { object.as_ptr().write(Object { header: Header::new(class), payload }) };
        if T::TRACED {
            crate::gc::publish(object.cast(), size);
        }
        Ref { object, owns: PhantomData }
    }
    /// A new instance of `class`, which is `T`'s class or a subclass of it with the same payload layout.
    pub fn with_class(payload: T, class: &TypeObject) -> Ref<T> {
        if std::ptr::eq(class, T::class()) {
            return Ref::new(payload);
        }
        assert!(class.vtable().size == size_of::<Object<T>>() && class.has_layout_of(T::class()), "the layout fits");
        let base = size_of::<Object<T>>();
        let tail = class.tail_size();
        let traced = T::TRACED || !class.is_static();
        let block = heap::alloc(base + tail, traced);
        let object = block.cast::<Object<T>>();
        header_incref(class);
        // SAFETY: a fresh block of the object's size.
        unsafe { object.as_ptr().write(Object { header: Header::new(class), payload }) };
        if tail != 0 {
            // SAFETY: the block has `tail` bytes behind the payload.
            unsafe { instance::init_tail(object.cast(), base, tail, class) };
        }
        if traced {
            crate::gc::publish(object.cast(), base + tail);
        }
        Ref { object, owns: PhantomData }
    }
    #[inline(always)]
    pub fn from_object(object: &Object<T>) -> Ref<T> {
        object.header.incref();
        Ref { object: NonNull::from(object), owns: PhantomData }
    }
    /// # Safety
    /// `bits` is an owned pointer value whose payload is `T`.
    #[inline(always)]
    pub(crate) unsafe fn from_bits(bits: u64) -> Ref<T> {
        // SAFETY: a pointer value is not null.
        Ref { object: unsafe { NonNull::new_unchecked(bits as *mut Object<T>) }, owns: PhantomData }
    }
    #[inline(always)]
    pub fn object(&self) -> &Object<T> {
        // SAFETY: the reference keeps the object alive.
        unsafe { self.object.as_ref() }
    }
    #[inline(always)]
    pub fn into_value(self) -> Value {
        let bits = self.object.as_ptr() as u64;
        std::mem::forget(self);
        // SAFETY: a pointer encoding whose reference moves.
        unsafe { Value::from_bits(bits) }
    }
    /// The same reference as a borrowed value.
    #[inline(always)]
    pub fn as_value(&self) -> &Value {
        // SAFETY: a `Ref` is the pointer that a `Value` of it would hold; both are one transparent word.
        unsafe { &*std::ptr::from_ref(self).cast::<Value>() }
    }
    pub fn to_value(&self) -> Value {
        self.as_value().clone()
    }
    #[inline(always)]
    pub fn ptr_eq(&self, other: &Ref<T>) -> bool {
        self.object == other.object
    }
    #[inline(always)]
    pub fn address(&self) -> usize {
        self.object.as_ptr() as usize
    }
}

impl<T: Payload> Object<T> {
    pub fn to_value(&self) -> Value {
        Ref::from_object(self).into_value()
    }
    pub fn is_same(&self, other: &Object<T>) -> bool {
        std::ptr::eq(self, other)
    }
}

/// Allocates an object with `extra` bytes of inline items behind the payload; the caller fills them before the object is
/// published. `None` without memory.
pub(crate) fn new_variable<T: Payload>(payload: T, extra: usize, class: &TypeObject) -> Option<NonNull<Object<T>>> {
    let base = size_of::<Object<T>>().checked_add(extra)?.checked_next_multiple_of(8)?;
    let exact = std::ptr::eq(class, T::class());
    let tail = if exact { 0 } else { class.tail_size() };
    let block = heap::try_alloc(base.checked_add(tail)?, T::TRACED || !class.is_static())?;
    let object = block.cast::<Object<T>>();
    if !exact {
        header_incref(class);
    }
    // SAFETY: a fresh block of the object's size.
    unsafe { object.as_ptr().write(Object { header: Header::new(class), payload }) };
    if tail != 0 {
        // SAFETY: the block has `tail` bytes behind the items.
        unsafe { instance::init_tail(object.cast(), base, tail, class) };
    }
    Some(object)
}

/// Makes an object of variable size, all of it written, visible to the collector.
pub(crate) fn publish_variable<T: Payload>(object: &Object<T>) {
    let header = NonNull::from(&object.header);
    // SAFETY: the object is whole, and owns its class.
    let size = unsafe { block_size(header, &*object.header.class_ptr()) };
    crate::gc::publish(header, size);
}
/// A heap object owns a reference to its type; static types are immortal.
fn header_incref(class: &TypeObject) {
    class.header.incref();
}

/// Where the payload and its inline items end, from the header's start.
///
/// # Safety
/// `h` is a live object.
#[inline]
pub(crate) unsafe fn payload_end(h: *const Header, class: &TypeObject) -> usize {
    let vtable = class.vtable();
    match vtable.var_size {
        // SAFETY: the vtable is the object's own.
        Some(size) => unsafe { size(h) }.next_multiple_of(8),
        None => vtable.size,
    }
}

/// The whole block: payload, inline items, instance tail.
///
/// # Safety
/// `h` is a live object.
#[inline(always)]
pub(crate) unsafe fn block_size(h: NonNull<Header>, class: &TypeObject) -> usize {
    // SAFETY: live object.
    let end = unsafe { payload_end(h.as_ptr(), class) };
    // SAFETY: live object.
    if unsafe { h.as_ref() }.flags() & flag::TAIL != 0 {
        // SAFETY: the flag says that a tail sits at `end`.
        end + unsafe { instance::tail_bytes(h, end) }
    } else {
        end
    }
}

impl<T: Payload> Deref for Ref<T> {
    type Target = T;
    #[inline(always)]
    fn deref(&self) -> &T {
        &self.object().payload
    }
}
impl<T: Payload> Clone for Ref<T> {
    #[inline(always)]
    fn clone(&self) -> Ref<T> {
        Ref::from_object(self.object())
    }
}
impl<T: Payload> Drop for Ref<T> {
    #[inline(always)]
    fn drop(&mut self) {
        // SAFETY: the reference is given back.
        unsafe { header::decref(self.object.cast()) }
    }
}
impl Ref<Type> {
    pub fn is(&self, class: &TypeObject) -> bool {
        std::ptr::eq(self.object(), class)
    }
}
impl<T: Payload> std::fmt::Debug for Ref<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.as_value().fmt(f)
    }
}

pub use dealloc::take_pending_finalizers;
