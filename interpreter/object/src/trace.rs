//! `Trace`: how the collector walks the references that a payload holds.
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::ptr::NonNull;
use std::sync::OnceLock;

use crate::header::Header;
use crate::locked::{Locked, ValueCell};
use crate::refs::{Payload, Ref};
use crate::value::Value;

/// Called once for each reference that an object holds.
pub struct Tracer<'a> {
    pub(crate) visit: &'a mut dyn FnMut(NonNull<Header>),
    /// Called for values that are no objects (small ints, floats, constants), where anybody asks for them.
    pub(crate) immediate: Option<&'a mut dyn FnMut(&Value)>,
}

/// # Safety
/// `trace` visits every counted reference that the value holds exactly once, and runs no Python code. The world is
/// stopped, so locks are bypassed.
pub unsafe trait Trace {
    /// False for types that can never hold a reference: their objects are not tracked.
    const TRACED: bool = true;
    fn trace(&self, tracer: &mut Tracer<'_>);
}

/// What `#[derive(Trace)]` expands to: the body visits every field once that is not `#[trace(skip)]`.
#[doc(hidden)]
#[macro_export]
macro_rules! impl_trace {
    ([$($generics:tt)*] [$($type:tt)*] [$($clause:tt)*] $traced:literal $self:ident $tracer:ident $body:block) => {
        // SAFETY: the derive visits every field exactly once; skipped ones hold no value.
        unsafe impl $($generics)* $crate::Trace for $($type)* $($clause)* {
            const TRACED: bool = $traced;
            fn trace(&$self, $tracer: &mut $crate::Tracer<'_>) {
                let _ = &$tracer;
                $body
            }
        }
    };
}

// SAFETY: one reference, one visit.
unsafe impl Trace for Value {
    fn trace(&self, tracer: &mut Tracer<'_>) {
        if let Some(h) = self.header_ptr() {
            (tracer.visit)(h);
        } else if let Some(immediate) = &mut tracer.immediate {
            immediate(self);
        }
    }
}
// SAFETY: one reference, one visit.
unsafe impl<T: Payload> Trace for Ref<T> {
    fn trace(&self, tracer: &mut Tracer<'_>) {
        self.as_value().trace(tracer);
    }
}
// SAFETY: the cell's one reference; the world is stopped.
unsafe impl Trace for ValueCell {
    fn trace(&self, tracer: &mut Tracer<'_>) {
        if Value::bits_are_pointer(self.bits())
            && let Some(h) = NonNull::new(self.bits() as *mut Header)
        {
            (tracer.visit)(h);
        }
    }
}
// SAFETY: delegates.
unsafe impl<T: Trace> Trace for Locked<T> {
    const TRACED: bool = T::TRACED;
    fn trace(&self, tracer: &mut Tracer<'_>) {
        // SAFETY: the world is stopped and no lock is held at a safe point.
        unsafe { self.peek() }.trace(tracer);
    }
}

macro_rules! each_item {
    ($($ty:ty),*) => { $(
        // SAFETY: every item once.
        unsafe impl<T: Trace> Trace for $ty {
            const TRACED: bool = T::TRACED;
            fn trace(&self, tracer: &mut Tracer<'_>) {
                for item in self.iter() { item.trace(tracer); }
            }
        }
    )* };
}
each_item!(Option<T>, Vec<T>, Box<[T]>, VecDeque<T>, [T]);

// SAFETY: delegates.
unsafe impl<T: Trace> Trace for Box<T> {
    const TRACED: bool = T::TRACED;
    fn trace(&self, tracer: &mut Tracer<'_>) {
        (**self).trace(tracer);
    }
}
// SAFETY: delegates. No thread is in the middle of setting it at a safe point.
unsafe impl<T: Trace> Trace for OnceLock<T> {
    const TRACED: bool = T::TRACED;
    fn trace(&self, tracer: &mut Tracer<'_>) {
        self.get().into_iter().for_each(|value| value.trace(tracer));
    }
}
// SAFETY: every item once.
unsafe impl<T: Trace, const N: usize> Trace for [T; N] {
    const TRACED: bool = T::TRACED;
    fn trace(&self, tracer: &mut Tracer<'_>) {
        for item in self {
            item.trace(tracer);
        }
    }
}
// SAFETY: every key and value once.
unsafe impl<K: Trace, V: Trace, S> Trace for HashMap<K, V, S> {
    fn trace(&self, tracer: &mut Tracer<'_>) {
        for (k, v) in self {
            k.trace(tracer);
            v.trace(tracer);
        }
    }
}
// SAFETY: every key and value once.
unsafe impl<K: Trace, V: Trace> Trace for BTreeMap<K, V> {
    fn trace(&self, tracer: &mut Tracer<'_>) {
        for (k, v) in self {
            k.trace(tracer);
            v.trace(tracer);
        }
    }
}

macro_rules! tuples {
    ($(($($t:ident),*))*) => { $(
        // SAFETY: every part once.
        #[allow(non_snake_case, reason = "type parameters name the parts")]
        unsafe impl<$($t: Trace),*> Trace for ($($t,)*) {
            const TRACED: bool = $($t::TRACED)||*;
            fn trace(&self, tracer: &mut Tracer<'_>) { let ($($t,)*) = self; $($t.trace(tracer);)* }
        }
    )* };
}
tuples!((A)(A, B)(A, B, C)(A, B, C, D));

macro_rules! leaves {
    ($($ty:ty),* $(,)?) => { $(
        // SAFETY: holds no reference.
        unsafe impl Trace for $ty {
            const TRACED: bool = false;
            #[inline(always)]
            fn trace(&self, _: &mut Tracer<'_>) {}
        }
    )* };
}
leaves!(
    (),
    bool,
    char,
    u8,
    i8,
    u16,
    i16,
    u32,
    i32,
    u64,
    i64,
    u128,
    i128,
    usize,
    isize,
    f32,
    f64,
    str,
    String,
    num_bigint::BigInt,
    num_bigint::BigUint,
    std::sync::Arc<str>,
    &'static str,
    std::sync::atomic::AtomicBool,
    std::sync::atomic::AtomicU8,
    std::sync::atomic::AtomicU16,
    std::sync::atomic::AtomicU32,
    std::sync::atomic::AtomicI32,
    std::sync::atomic::AtomicU64,
    std::sync::atomic::AtomicI64,
    std::sync::atomic::AtomicUsize,
    std::sync::atomic::AtomicIsize,
    std::fs::File,
    std::path::PathBuf,
    std::ffi::OsString,
    std::ffi::CString,
    std::time::Instant,
    std::time::Duration,
);
