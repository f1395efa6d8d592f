//! Heap floats: NaNs (which have identity) and instances of subclasses of `float`.
use crate::builtin_types::FLOAT;
use crate::refs::{Payload, Ref};
use crate::type_object::TypeObject;
use crate::value::Value;
use krait_macros::Trace;

#[derive(Trace)]
pub struct Float(pub f64);
// SAFETY: FLOAT is built with this payload's vtable.
unsafe impl Payload for Float {
    #[inline(always)]
    fn class() -> &'static TypeObject {
        &FLOAT
    }
}

#[cold]
#[inline(never)]
pub(crate) fn new_nan(f: f64) -> Value {
    Ref::new(Float(f)).into()
}
/// An instance of `class` (`float` or a subclass).
pub fn with_class(f: f64, class: &TypeObject) -> Value {
    if std::ptr::eq(class, &FLOAT) { Value::float(f) } else { Ref::with_class(Float(f), class).into() }
}
