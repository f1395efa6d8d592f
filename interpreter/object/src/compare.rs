//! Hashing and key equality for `dict` and `set`: what can be said without Python code, and the way to `__hash__` and
//! `__eq__` where it cannot.
use crate::PyResult;
use crate::hash;
use crate::int::Int;
use crate::str::Str;
use crate::table::Same;
use crate::thread::Thread;
use crate::value::Value;

/// A key to look for.
pub struct Key<'a> {
    key: &'a Value,
    text: Option<&'a Str>,
}
impl<'a> Key<'a> {
    pub fn new(key: &'a Value) -> Key<'a> {
        Key { key, text: key.downcast_exact::<Str>() }
    }
    /// Whether `other`, which has the same hash, is the same key.
    #[inline(always)]
    pub fn same(&self, other: &Value) -> Same {
        if self.key.is(other) {
            return Same::Yes;
        }
        if let Some(text) = self.text
            && let Some(theirs) = other.downcast_exact::<Str>()
        {
            return if text.equals(theirs) { Same::Yes } else { Same::No };
        }
        if self.key.is_int() && other.is_int() { Same::No } else { Same::Ask }
    }
}

/// `a == b` as dict and set compare keys: identity first.
pub fn key_eq(th: &mut Thread, a: &Value, b: &Value) -> PyResult<bool> {
    if a.is(b) { Ok(true) } else { (th.hooks().eq)(th, a, b) }
}

/// Python's `hash`.
#[inline]
pub fn hash_value(th: &mut Thread, v: &Value) -> PyResult<i64> {
    if let Some(i) = v.as_int() {
        return Ok(hash::int(i));
    }
    if let Some(s) = v.downcast_exact::<Str>() {
        return Ok(s.hash());
    }
    if let Some(f) = v.as_float() {
        return Ok(hash::float(f));
    }
    if let Some(i) = v.downcast_exact::<Int>() {
        return Ok(hash::bigint(&i.0));
    }
    let slot = v.class().slots.hash.get();
    match slot {
        Some(f) => f(th, v),
        None => Err((th.hooks().unhashable)(th, v)),
    }
}
