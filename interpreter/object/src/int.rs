//! Heap ints: values beyond the immediates, and instances of subclasses of `int`.
use num_bigint::BigInt;
use num_traits::ToPrimitive;

use crate::builtin_types::INT;
use crate::refs::{Payload, Ref};
use crate::type_object::TypeObject;
use crate::value::{INT_LIMIT, Value};
use krait_macros::Trace;

/// Exact `int`s of this payload are always beyond the immediates.
#[derive(Trace)]
pub struct Int(#[trace(skip)] pub BigInt);
// SAFETY: INT is built with this payload's vtable.
unsafe impl Payload for Int {
    #[inline(always)]
    fn class() -> &'static TypeObject {
        &INT
    }
}

/// An int (or bool, or instance of a subclass) as a number.
#[derive(Clone, Copy, Debug)]
pub enum IntRef<'a> {
    Small(i64),
    /// May be small too, in an instance of a subclass.
    Big(&'a BigInt),
}
impl IntRef<'_> {
    pub fn to_bigint(self) -> BigInt {
        match self {
            IntRef::Small(i) => i.into(),
            IntRef::Big(b) => b.clone(),
        }
    }
    pub fn to_i64(self) -> Option<i64> {
        match self {
            IntRef::Small(i) => Some(i),
            IntRef::Big(b) => b.to_i64(),
        }
    }
    pub fn is_negative(self) -> bool {
        match self {
            IntRef::Small(i) => i < 0,
            IntRef::Big(b) => b.sign() == num_bigint::Sign::Minus,
        }
    }
    pub fn is_zero(self) -> bool {
        match self {
            IntRef::Small(i) => i == 0,
            IntRef::Big(b) => b.sign() == num_bigint::Sign::NoSign,
        }
    }
    /// As an exact `int` value.
    pub fn to_value(self) -> Value {
        match self {
            IntRef::Small(i) => Value::int(i),
            IntRef::Big(b) => from_bigint(b.clone()),
        }
    }
}

#[cold]
pub(crate) fn new_big(i: BigInt) -> Value {
    Ref::new(Int(i)).into()
}
/// An exact `int`, immediate where it fits.
pub fn from_bigint(i: BigInt) -> Value {
    match i.to_i64() {
        Some(small) if (-INT_LIMIT..INT_LIMIT).contains(&small) => Value::small_int_unchecked(small),
        _ => new_big(i),
    }
}
/// An instance of `class` (`int` or a subclass).
pub fn with_class(i: BigInt, class: &TypeObject) -> Value {
    if std::ptr::eq(class, &INT) { from_bigint(i) } else { Ref::with_class(Int(i), class).into() }
}

impl Value {
    /// The number in an int, bool or instance of a subclass of int.
    #[inline]
    pub fn as_int_ref(&self) -> Option<IntRef<'_>> {
        if let Some(i) = self.as_int() {
            return Some(IntRef::Small(i));
        }
        if let Some(b) = self.as_bool() {
            return Some(IntRef::Small(b.into()));
        }
        self.downcast_ref::<Int>().map(|i| IntRef::Big(&i.0))
    }
}
