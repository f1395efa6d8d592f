//! What `set` and `frozenset` share: building from iterables, set operations, comparison, repr. Elements of another set are
//! taken from a snapshot, because `__eq__` and `__hash__` may change either operand.
use krait_object::builtin_types::{DICT, FROZENSET, SET};
use krait_object::{Args, CmpOp, Dict, FrozenSet, PyResult, Ref, Set, SlotDefs, StrBuilder, Thread, Value};

use super::{make_like, others, this};
use crate::exceptions::TYPE_ERROR;
use crate::protocol::{compare, iter, repr};

/// Slots that both types have.
pub const SLOTS: SlotDefs = SlotDefs {
    repr: Some(set_repr),
    compare: Some(richcompare),
    iter: Some(super::iterator::iter),
    sq_len: Some(|_, v| Ok(this(v).len())),
    contains: Some(contains),
    subtract: Some(|th, a, b| binary(th, a, b, difference_of)),
    and: Some(|th, a, b| binary(th, a, b, intersect)),
    xor: Some(|th, a, b| binary(th, a, b, symmetric_difference_of)),
    or: Some(|th, a, b| binary(th, a, b, union_of)),
    ..SlotDefs::EMPTY
};

/// The elements with their hashes where no Python code is needed to get them: sets, frozensets and exact dicts.
fn hashed(v: &Value) -> Option<Vec<(i64, Value)>> {
    if let Some(s) = v.as_any_set() {
        return Some(s.to_hashed_vec());
    }
    let d = v.downcast_exact::<Dict>()?;
    Some(d.lock().iter_hashed().map(|(h, (k, _))| (h, k.clone())).collect())
}

/// Adds the elements of an iterable.
pub fn update(th: &mut Thread, s: &Set, iterable: &Value) -> PyResult<()> {
    if let Some(other) = iterable.as_any_set()
        && s.is_empty()
    {
        let copy = other.copy_table();
        drop(s.swap_table(copy));
        return Ok(());
    }
    if let Some(elements) = hashed(iterable) {
        for (hash, key) in elements {
            s.add_hashed(th, key, hash)?;
        }
        return Ok(());
    }
    let it = iter::iter(th, iterable)?;
    let mut add = |item: Value| s.add_quick(&item).map_err(|_| item);
    while let Some(item) = iter::feed(th, &it, &mut add)? {
        s.add(th, item)?;
    }
    Ok(())
}

/// `set(iterable)`.
pub fn from_iterable(th: &mut Thread, iterable: &Value) -> PyResult<Ref<Set>> {
    let made = Set::new();
    update(th, &made, iterable)?;
    Ok(made)
}

fn duplicate(s: &Set) -> Set {
    Set::from_table(s.copy_table())
}

/// Runs `lookup` with the key; where the key is a set, hence unhashable, with a frozenset of its elements.
pub fn with_frozen<R>(
    th: &mut Thread,
    key: &Value,
    mut lookup: impl FnMut(&mut Thread, &Value) -> PyResult<R>,
) -> PyResult<R> {
    let raised = match lookup(th, key) {
        Err(e) => e,
        found => return found,
    };
    if !key.is_instance(&SET) || !th.exc.as_ref().is_some_and(|exc| exc.is_instance(&TYPE_ERROR)) {
        return Err(raised);
    }
    drop(th.take_exc());
    let frozen = Ref::new(FrozenSet(duplicate(this(key)))).into_value();
    lookup(th, &frozen)
}

pub fn contains(th: &mut Thread, v: &Value, key: &Value) -> PyResult<bool> {
    with_frozen(th, key, |th, key| this(v).contains(th, key))
}
pub fn contains_method(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    contains(th, &a[0], &a[1]).map(Value::bool)
}

/// Elements of both.
pub fn intersect(th: &mut Thread, s: &Set, other: &Value) -> PyResult<Set> {
    let made = Set::default();
    if let Some(o) = other.as_any_set() {
        let (small, big) = if o.len() > s.len() { (s, o) } else { (o, s) };
        for (hash, key) in small.to_hashed_vec() {
            if big.contains_hashed(th, &key, hash)? {
                made.add_hashed(th, key, hash)?;
            }
        }
        return Ok(made);
    }
    let it = iter::iter(th, other)?;
    while let Some(key) = iter::next(th, &it)? {
        let hash = compare::hash(th, &key)?;
        if s.contains_hashed(th, &key, hash)? {
            made.add_hashed(th, key, hash)?;
        }
    }
    Ok(made)
}
pub fn intersect_all(th: &mut Thread, s: &Set, others: &[Value]) -> PyResult<Set> {
    let Some((first, rest)) = others.split_first() else { return Ok(duplicate(s)) };
    let mut made = intersect(th, s, first)?;
    for other in rest {
        made = intersect(th, &made, other)?;
    }
    Ok(made)
}

/// Removes the elements of an iterable.
pub fn subtract_from(th: &mut Thread, s: &Set, other: &Value) -> PyResult<()> {
    if let Some(o) = other.as_any_set() {
        if std::ptr::eq(s, o) {
            s.clear();
            return Ok(());
        }
        for (hash, key) in o.to_hashed_vec() {
            s.discard_hashed(th, &key, hash)?;
        }
        return Ok(());
    }
    let it = iter::iter(th, other)?;
    while let Some(key) = iter::next(th, &it)? {
        s.discard(th, &key)?;
    }
    Ok(())
}

fn difference_of(th: &mut Thread, s: &Set, other: &Value) -> PyResult<Set> {
    let made = Set::default();
    if let Some(o) = other.as_any_set() {
        for (hash, key) in s.to_hashed_vec() {
            if !o.contains_hashed(th, &key, hash)? {
                made.add_hashed(th, key, hash)?;
            }
        }
    } else if other.is_exact(&DICT)
        && let Some(d) = other.downcast_ref::<Dict>()
    {
        for (hash, key) in s.to_hashed_vec() {
            if d.get_hashed(th, &key, hash)?.is_none() {
                made.add_hashed(th, key, hash)?;
            }
        }
    } else {
        let copy = duplicate(s);
        subtract_from(th, &copy, other)?;
        return Ok(copy);
    }
    Ok(made)
}

fn union_of(th: &mut Thread, s: &Set, other: &Value) -> PyResult<Set> {
    let made = duplicate(s);
    update(th, &made, other)?;
    Ok(made)
}

/// Keeps what is in exactly one of the two.
pub fn toggle(th: &mut Thread, s: &Set, other: &Value) -> PyResult<()> {
    if other.as_any_set().is_some_and(|o| std::ptr::eq(s, o)) {
        s.clear();
        return Ok(());
    }
    let elements = match hashed(other) {
        Some(elements) => elements,
        None => from_iterable(th, other)?.to_hashed_vec(),
    };
    for (hash, key) in elements {
        if !s.discard_hashed(th, &key, hash)? {
            s.add_hashed(th, key, hash)?;
        }
    }
    Ok(())
}

fn symmetric_difference_of(th: &mut Thread, s: &Set, other: &Value) -> PyResult<Set> {
    let made = duplicate(s);
    toggle(th, &made, other)?;
    Ok(made)
}

/// A binary operator: sets on both sides, the result of the left one's kind.
fn binary(
    th: &mut Thread,
    a: &Value,
    b: &Value,
    op: fn(&mut Thread, &Set, &Value) -> PyResult<Set>,
) -> PyResult<Value> {
    match (a.as_any_set(), b.as_any_set()) {
        (Some(s), Some(_)) => Ok(make_like(a, op(th, s, b)?)),
        _ => Ok(Value::NOT_IMPLEMENTED),
    }
}

pub fn copy(_: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    if a[0].is_exact(&FROZENSET) {
        return Ok(a[0].clone());
    }
    Ok(make_like(&a[0], duplicate(this(&a[0]))))
}

pub fn union(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let made = duplicate(this(&a[0]));
    for other in others(a) {
        update(th, &made, other)?;
    }
    Ok(make_like(&a[0], made))
}

pub fn intersection(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let made = intersect_all(th, this(&a[0]), others(a))?;
    Ok(make_like(&a[0], made))
}

pub fn difference(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let Some((first, rest)) = others(a).split_first() else {
        return Ok(make_like(&a[0], duplicate(this(&a[0]))));
    };
    let made = difference_of(th, this(&a[0]), first)?;
    for other in rest {
        subtract_from(th, &made, other)?;
    }
    Ok(make_like(&a[0], made))
}

pub fn symmetric_difference(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let made = symmetric_difference_of(th, this(&a[0]), &a[1])?;
    Ok(make_like(&a[0], made))
}

fn is_subset(th: &mut Thread, s: &Set, o: &Set) -> PyResult<bool> {
    if s.len() > o.len() {
        return Ok(false);
    }
    for (hash, key) in s.to_hashed_vec() {
        if !o.contains_hashed(th, &key, hash)? {
            return Ok(false);
        }
    }
    Ok(true)
}

pub fn issubset(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let s = this(&a[0]);
    let answer = match a[1].as_any_set() {
        Some(o) => is_subset(th, s, o)?,
        None => intersect(th, s, &a[1])?.len() == s.len(),
    };
    Ok(Value::bool(answer))
}

pub fn issuperset(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let s = this(&a[0]);
    if let Some(o) = a[1].as_any_set() {
        return is_subset(th, o, s).map(Value::bool);
    }
    let it = iter::iter(th, &a[1])?;
    while let Some(key) = iter::next(th, &it)? {
        if !s.contains(th, &key)? {
            return Ok(Value::FALSE);
        }
    }
    Ok(Value::TRUE)
}

pub fn isdisjoint(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let s = this(&a[0]);
    if let Some(o) = a[1].as_any_set() {
        let (small, big) = if o.len() > s.len() { (s, o) } else { (o, s) };
        for (hash, key) in small.to_hashed_vec() {
            if big.contains_hashed(th, &key, hash)? {
                return Ok(Value::FALSE);
            }
        }
        return Ok(Value::TRUE);
    }
    let it = iter::iter(th, &a[1])?;
    while let Some(key) = iter::next(th, &it)? {
        if s.contains(th, &key)? {
            return Ok(Value::FALSE);
        }
    }
    Ok(Value::TRUE)
}

fn equal(th: &mut Thread, a: &Value, b: &Value) -> PyResult<bool> {
    let (s, o) = (this(a), this(b));
    if s.len() != o.len() {
        return Ok(false);
    }
    if let (Some(x), Some(y)) = (super::frozen::known_hash(a), super::frozen::known_hash(b))
        && x != y
    {
        return Ok(false);
    }
    is_subset(th, s, o)
}

fn richcompare(th: &mut Thread, a: &Value, b: &Value, op: CmpOp) -> PyResult<Value> {
    let (Some(s), Some(o)) = (a.as_any_set(), b.as_any_set()) else { return Ok(Value::NOT_IMPLEMENTED) };
    let answer = match op {
        CmpOp::Eq => equal(th, a, b)?,
        CmpOp::Ne => !equal(th, a, b)?,
        CmpOp::Le => is_subset(th, s, o)?,
        CmpOp::Ge => is_subset(th, o, s)?,
        CmpOp::Lt => s.len() < o.len() && is_subset(th, s, o)?,
        CmpOp::Gt => o.len() < s.len() && is_subset(th, o, s)?,
    };
    Ok(Value::bool(answer))
}

fn set_repr(th: &mut Thread, v: &Value) -> PyResult<Value> {
    let name = v.class().name();
    if this(v).is_empty() {
        return Ok(Value::str(&format!("{name}()")));
    }
    repr::with_repr(th, v, &format!("{name}(...)"), |th| {
        let plain = v.is_exact(&SET);
        let mut out = StrBuilder::new();
        if !plain {
            out.push_text(&name);
            out.push_text("(");
        }
        out.push_text("{");
        for (i, item) in this(v).to_vec().iter().enumerate() {
            if i > 0 {
                out.push_text(", ");
            }
            out.push_str(&*repr::repr(th, item)?);
        }
        out.push_text("}");
        if !plain {
            out.push_text(")");
        }
        Ok(out.finish().into())
    })
}

pub fn sizeof(_: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    Ok((200 + this(&a[0]).lock().heap_size()).into())
}
