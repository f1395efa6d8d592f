//! Hashing and key equality for `dict` and `set`: what can be said without Python code, and the way to `__hash__` and
//! `__eq__` where it cannot.
use crate::PyResult;
use crate::hash;
use crate::int::Int;
use crate::str::Str;
use crate::table::Same;
use crate::thread::Thread;
use crate::tuple::Tuple;
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
        plain_same(self.key, other)
    }
}

/// Tuples within each other that are looked into without Python code.
const DEPTH: u32 = 4;

/// The hash of what is made of immediates, exact `str` and tuples of such: no Python code has a say in it.
#[inline]
pub fn plain_hash(v: &Value) -> Option<i64> {
    plain_hash_within(v, DEPTH)
}
fn plain_hash_within(v: &Value, depth: u32) -> Option<i64> {
    if let Some(i) = v.as_int() {
        return Some(hash::int(i));
    }
    if let Some(f) = v.as_float() {
        return Some(hash::float(f));
    }
    if let Some(s) = v.downcast_exact::<Str>() {
        return Some(s.hash());
    }
    let tuple = v.downcast_exact::<Tuple>()?;
    let depth = depth.checked_sub(1)?;
    let mut plain = true;
    let lanes = tuple.as_slice().iter().map(|item| {
        plain_hash_within(item, depth).unwrap_or_else(|| {
            plain = false;
            0
        })
    });
    let hash = hash::tuple(lanes);
    plain.then_some(hash)
}
/// Whether two values are equal, as far as that is plain.
#[inline]
pub fn plain_same(a: &Value, b: &Value) -> Same {
    plain_same_within(a, b, DEPTH)
}
fn plain_same_within(a: &Value, b: &Value, depth: u32) -> Same {
    if a.is(b) {
        return Same::Yes;
    }
    let same = |equal| if equal { Same::Yes } else { Same::No };
    if a.is_int() && b.is_int() {
        return Same::No;
    }
    if let (Some(a), Some(b)) = (a.as_float(), b.as_float()) {
        return same(a == b);
    }
    if let (Some(a), Some(b)) = (a.downcast_exact::<Str>(), b.downcast_exact::<Str>()) {
        return same(a.equals(b));
    }
    let (Some(a), Some(b), Some(depth)) =
        (a.downcast_exact::<Tuple>(), b.downcast_exact::<Tuple>(), depth.checked_sub(1))
    else {
        return Same::Ask;
    };
    // The first item that is not equal decides.
    for (a, b) in a.iter().zip(b.iter()) {
        match plain_same_within(a, b, depth) {
            Same::Yes => {}
            other => return other,
        }
    }
    same(a.len() == b.len())
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
    if let Some(hash) = plain_hash(v) {
        return Ok(hash);
    }
    let slot = v.class().slots.hash.get();
    match slot {
        Some(f) => f(th, v),
        None => Err((th.hooks().unhashable)(th, v)),
    }
}
