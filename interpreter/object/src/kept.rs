//! A reference that may be exchanged while others use, uncounted, what was there.
use std::ptr::NonNull;
use std::sync::atomic::{AtomicPtr, Ordering::*};

use crate::locked::Locked;
use crate::refs::{Object, Payload, Ref};
use crate::trace::{Trace, Tracer};

/// Holds a reference, and every other one that it has held: what it gives out lives as long as it does.
pub struct Kept<T: Payload> {
    now: AtomicPtr<Object<T>>,
    /// Owns what `now` points at, and what it pointed at before.
    all: Locked<Owners<T>>,
}
/// The first owner without an allocation.
struct Owners<T: Payload>(Ref<T>, Vec<Ref<T>>);

// SAFETY: every owner once.
unsafe impl<T: Payload> Trace for Owners<T> {
    fn trace(&self, tracer: &mut Tracer<'_>) {
        self.0.trace(tracer);
        self.1.trace(tracer);
    }
}
// SAFETY: delegates to what owns.
unsafe impl<T: Payload> Trace for Kept<T> {
    fn trace(&self, tracer: &mut Tracer<'_>) {
        self.all.trace(tracer);
    }
}

impl<T: Payload> Kept<T> {
    #[inline]
    pub fn new(value: Ref<T>) -> Kept<T> {
        let now = std::ptr::from_ref(value.object()).cast_mut();
        Kept { now: AtomicPtr::new(now), all: Locked::own(Owners(value, Vec::new())) }
    }
    #[inline(always)]
    pub fn object(&self) -> &Object<T> {
        // SAFETY: owned by `all`, which gives nothing up before it is dropped.
        unsafe { NonNull::new_unchecked(self.now.load(Acquire)).as_ref() }
    }
    #[inline(always)]
    pub fn get(&self) -> &T {
        &self.object().payload
    }
    /// A counted reference.
    #[inline(always)]
    pub fn to_ref(&self) -> Ref<T> {
        Ref::from_object(self.object())
    }
    pub fn set(&self, value: Ref<T>) {
        let now = std::ptr::from_ref(value.object()).cast_mut();
        let mut all = self.all.lock();
        if !all.0.ptr_eq(&value) && !all.1.iter().any(|r| r.ptr_eq(&value)) {
            all.1.push(value);
        }
        self.now.store(now, Release);
    }
}
