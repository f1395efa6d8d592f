//! `Value`: a NaN-boxed word. `Clone` counts a reference, `Drop` gives it back. Encoding (ARCHITECTURE.md, "Values"):
//!
//! ```text
//! 0                      unbound (`None` of `Option<Value>`)
//! 1 .. 2^48              pointer to an object's header
//! 2^48 .. 0xFFFA<<48     f64 bits + 2^48 (never a NaN)
//! 0xFFFA<<48 ..          None, True, False, NotImplemented, Ellipsis
//! 0xFFFC<<48 ..          int: (0xFFFE<<48) + i, |i| < 2^49
//! ```
use std::num::NonZeroU64;
use std::ptr::NonNull;

use crate::header::{self, Header};
use crate::refs::{Object, Payload, Ref};
use crate::type_object::{Type, TypeObject};

/// Added to the bits of a float.
const FLOAT_OFFSET: u64 = 1 << 48;
const SPECIAL: u64 = 0xFFFA << 48;
const INT_TAG: u64 = 0xFFFC << 48;
const INT_BIAS: u64 = 0xFFFE << 48;
/// Immediate ints are `-INT_LIMIT <= i < INT_LIMIT`.
pub const INT_LIMIT: i64 = 1 << 49;

/// One Python value, owned. `Option<Value>` is one word too; `None` is "unbound".
#[repr(transparent)]
pub struct Value(NonZeroU64);

const fn special(n: u64) -> Value {
    match NonZeroU64::new(SPECIAL + n) {
        Some(bits) => Value(bits),
        None => panic!("specials are not zero"),
    }
}

impl Value {
    pub const NONE: Value = special(0);
    pub const FALSE: Value = special(1);
    pub const TRUE: Value = special(2);
    pub const NOT_IMPLEMENTED: Value = special(3);
    pub const ELLIPSIS: Value = special(4);

    #[inline(always)]
    pub const fn bits(&self) -> u64 {
        self.0.get()
    }

    /// # Safety
    /// `bits` is a valid encoding, and the caller gives up one reference to the object if it is a pointer.
    #[inline(always)]
    pub unsafe fn from_bits(bits: u64) -> Value {
        debug_assert!(bits != 0);
        // SAFETY: the caller promises a valid, hence non-zero, encoding.
        Value(unsafe { NonZeroU64::new_unchecked(bits) })
    }

    /// Gives up ownership; the reference is now the caller's to give back.
    #[inline(always)]
    pub fn into_bits(self) -> u64 {
        let bits = self.0.get();
        std::mem::forget(self);
        bits
    }

    #[inline(always)]
    pub const fn bits_are_pointer(bits: u64) -> bool {
        bits.wrapping_sub(1) < FLOAT_OFFSET - 1
    }
    #[inline(always)]
    pub const fn is_pointer(&self) -> bool {
        Self::bits_are_pointer(self.bits())
    }
    #[inline(always)]
    pub fn header(&self) -> Option<&Header> {
        // SAFETY: a pointer encoding owns a reference to a live object, which outlives the borrow of `self`.
        if self.is_pointer() { Some(unsafe { &*(self.bits() as *const Header) }) } else { None }
    }
    #[inline(always)]
    pub(crate) fn header_ptr(&self) -> Option<NonNull<Header>> {
        if self.is_pointer() { NonNull::new(self.bits() as *mut Header) } else { None }
    }

    /// An int; leaves the immediates for a heap int where it does not fit.
    #[inline(always)]
    pub fn int(i: i64) -> Value {
        if (-INT_LIMIT..INT_LIMIT).contains(&i) { Self::small_int_unchecked(i) } else { crate::int::new_big(i.into()) }
    }
    #[inline(always)]
    pub fn small_int_unchecked(i: i64) -> Value {
        debug_assert!((-INT_LIMIT..INT_LIMIT).contains(&i));
        // SAFETY: in the tag's range, which excludes zero.
        Value(unsafe { NonZeroU64::new_unchecked(INT_BIAS.wrapping_add(i as u64)) })
    }
    #[inline(always)]
    pub fn bool(b: bool) -> Value {
        if b { Self::TRUE } else { Self::FALSE }
    }
    /// A float; a NaN becomes a heap object, so that it has an identity and keeps its payload.
    #[inline(always)]
    pub fn float(f: f64) -> Value {
        if !f.is_nan() {
            // SAFETY: not a NaN, so the sum is in the float range and not zero.
            Value(unsafe { NonZeroU64::new_unchecked(f.to_bits().wrapping_add(FLOAT_OFFSET)) })
        } else {
            crate::float::new_nan(f)
        }
    }
    /// A new `str`.
    pub fn str(text: &str) -> Value {
        crate::str::Str::new(text).into()
    }

    #[inline(always)]
    pub const fn is_int(&self) -> bool {
        self.bits() >= INT_TAG
    }
    /// The immediate int; `None` for heap ints and bools (see [`Value::as_int_ref`]).
    #[inline(always)]
    pub const fn as_int(&self) -> Option<i64> {
        if self.is_int() { Some(self.bits().wrapping_sub(INT_BIAS) as i64) } else { None }
    }
    #[inline(always)]
    pub const fn is_float(&self) -> bool {
        self.bits().wrapping_sub(FLOAT_OFFSET) < SPECIAL - FLOAT_OFFSET
    }
    /// The immediate float; `None` for NaNs and instances of subclasses (see [`Value::to_f64`]).
    #[inline(always)]
    pub const fn as_float(&self) -> Option<f64> {
        if self.is_float() { Some(f64::from_bits(self.bits().wrapping_sub(FLOAT_OFFSET))) } else { None }
    }
    /// The number in a float or an instance of a subclass of float.
    pub fn to_f64(&self) -> Option<f64> {
        self.as_float().or_else(|| self.downcast_ref::<crate::float::Float>().map(|f| f.0))
    }
    #[inline(always)]
    pub const fn is_none(&self) -> bool {
        self.bits() == SPECIAL
    }
    #[inline(always)]
    pub const fn is_true(&self) -> bool {
        self.bits() == SPECIAL + 2
    }
    #[inline(always)]
    pub const fn is_false(&self) -> bool {
        self.bits() == SPECIAL + 1
    }
    #[inline(always)]
    pub const fn is_not_implemented(&self) -> bool {
        self.bits() == SPECIAL + 3
    }
    #[inline(always)]
    pub const fn as_bool(&self) -> Option<bool> {
        match self.bits().wrapping_sub(SPECIAL) {
            1 => Some(false),
            2 => Some(true),
            _ => None,
        }
    }
    /// Python's `is`.
    #[inline(always)]
    pub const fn is(&self, other: &Value) -> bool {
        self.bits() == other.bits()
    }
    /// Python's `id`: never equal for an immediate and an object.
    pub fn id(&self) -> u128 {
        if self.is_pointer() { self.bits() as u128 } else { self.bits() as u128 * 2 + 1 }
    }

    /// The object's type (immediates have static types). Clone it with [`Value::class_ref`] where Python code may run
    /// while it is held.
    #[inline(always)]
    pub fn class(&self) -> &TypeObject {
        match self.header() {
            // SAFETY: an object owns a reference to its type.
            Some(h) => unsafe { &*h.class_ptr() },
            None => self.immediate_class(),
        }
    }
    pub fn class_ref(&self) -> Ref<Type> {
        Ref::from_object(self.class())
    }
    fn immediate_class(&self) -> &'static TypeObject {
        use crate::builtin_types as t;
        if self.is_int() {
            return &t::INT;
        }
        if self.is_float() {
            return &t::FLOAT;
        }
        match self.bits() - SPECIAL {
            0 => &t::NONE_TYPE,
            1 | 2 => &t::BOOL,
            3 => &t::NOT_IMPLEMENTED_TYPE,
            _ => &t::ELLIPSIS_TYPE,
        }
    }
    /// `type(self) is class`.
    #[inline(always)]
    pub fn is_exact(&self, class: &TypeObject) -> bool {
        std::ptr::eq(self.class(), class)
    }
    /// `isinstance(self, class)` by the MRO alone.
    #[inline]
    pub fn is_instance(&self, class: &TypeObject) -> bool {
        self.class().is_subtype(class)
    }

    /// The payload, where the object's layout is `T`'s or extends it (instances of Python subclasses included).
    #[inline]
    pub fn downcast_ref<T: Payload>(&self) -> Option<&T> {
        let header = self.header()?;
        // SAFETY: the object owns its type.
        let class = unsafe { &*header.class_ptr() };
        if class.has_layout_of(T::class()) {
            // SAFETY: the layout check says that the payload at offset 16 is (a repr(C) extension of) `T`.
            Some(unsafe { &(*(self.bits() as *const Object<T>)).payload })
        } else {
            None
        }
    }
    /// The payload where `type(self)` is exactly `T`'s class.
    #[inline(always)]
    pub fn downcast_exact<T: Payload>(&self) -> Option<&T> {
        let header = self.header()?;
        if std::ptr::eq(header.class_ptr(), T::class()) {
            // SAFETY: the class is exactly the one whose payload is `T`.
            Some(unsafe { &(*(self.bits() as *const Object<T>)).payload })
        } else {
            None
        }
    }
    #[inline]
    pub fn downcast<T: Payload>(self) -> Result<Ref<T>, Value> {
        if self.downcast_ref::<T>().is_some() {
            // SAFETY: just checked; the reference moves into the `Ref`.
            Ok(unsafe { Ref::from_bits(self.into_bits()) })
        } else {
            Err(self)
        }
    }
    /// Drops the value and says whether that may have freed an object: if not, no finaliser was queued by it.
    #[inline(always)]
    pub fn release(self) -> bool {
        match self.header_ptr() {
            Some(h) => {
                std::mem::forget(self);
                // SAFETY: `self` owned one reference, given back here.
                unsafe { header::decref_frees(h) }
            }
            None => false,
        }
    }
    /// Gives the reference back where that is only counting. The value comes back where its object would be freed, or is another
    /// thread's.
    #[inline(always)]
    pub fn give_back(self) -> Option<Value> {
        match self.header_ptr() {
            // SAFETY: `self` owned one reference, given back here.
            Some(h) if !unsafe { header::decref_counts(h) } => Some(self),
            _ => {
                std::mem::forget(self);
                None
            }
        }
    }
    /// A new counted typed reference.
    #[inline]
    pub fn to_ref<T: Payload>(&self) -> Option<Ref<T>> {
        self.clone().downcast().ok()
    }
    /// Whether this is certainly the only reference to an object.
    pub fn is_unique(&self) -> bool {
        self.header().is_some_and(Header::is_unique)
    }
    /// The reference count as `sys.getrefcount` shows it; immediates and immortals show a large constant.
    pub fn refcount(&self) -> u32 {
        self.header().map_or(u32::MAX, Header::refcount)
    }
}

impl Clone for Value {
    #[inline(always)]
    fn clone(&self) -> Value {
        if let Some(h) = self.header() {
            h.incref();
        }
        Value(self.0)
    }
}

impl Drop for Value {
    #[inline(always)]
    fn drop(&mut self) {
        if let Some(h) = self.header_ptr() {
            // SAFETY: `self` owns one reference and is being dropped.
            unsafe { header::decref(h) }
        }
    }
}

impl std::fmt::Debug for Value {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if let Some(i) = self.as_int() {
            return write!(f, "{i}");
        }
        if let Some(x) = self.as_float() {
            return write!(f, "{x:?}");
        }
        if let Some(s) = self.downcast_ref::<crate::str::Str>() {
            return write!(f, "{:?}", s.to_string_lossy());
        }
        write!(f, "<{} {:#x}>", self.class().name(), self.bits())
    }
}

macro_rules! from_int {
    ($($t:ty),*) => { $(impl From<$t> for Value {
        #[inline]
        fn from(i: $t) -> Value { Value::int(i64::from(i)) }
    })* };
}
from_int!(i8, u8, i16, u16, i32, u32, i64);

impl From<usize> for Value {
    fn from(i: usize) -> Value {
        match i64::try_from(i) {
            Ok(i) => Value::int(i),
            Err(_) => crate::int::from_bigint(i.into()),
        }
    }
}
impl From<u64> for Value {
    fn from(i: u64) -> Value {
        match i64::try_from(i) {
            Ok(i) => Value::int(i),
            Err(_) => crate::int::from_bigint(i.into()),
        }
    }
}
impl From<bool> for Value {
    fn from(b: bool) -> Value {
        Value::bool(b)
    }
}
impl From<f64> for Value {
    fn from(f: f64) -> Value {
        Value::float(f)
    }
}
impl From<&str> for Value {
    fn from(s: &str) -> Value {
        Value::str(s)
    }
}
impl From<String> for Value {
    fn from(s: String) -> Value {
        Value::str(&s)
    }
}
impl From<num_bigint::BigInt> for Value {
    fn from(i: num_bigint::BigInt) -> Value {
        crate::int::from_bigint(i)
    }
}
impl From<()> for Value {
    fn from((): ()) -> Value {
        Value::NONE
    }
}
impl<T: Payload> From<Ref<T>> for Value {
    #[inline(always)]
    fn from(r: Ref<T>) -> Value {
        r.into_value()
    }
}
impl<T: Into<Value>> From<Option<T>> for Value {
    /// `None` becomes Python's `None`.
    fn from(v: Option<T>) -> Value {
        v.map_or(Value::NONE, Into::into)
    }
}
