//! `set`: its type object and mutating methods. What it shares with `frozenset` is in `algebra`, `frozenset` in `frozen`,
//! the iterator in `iterator`; the storage is `krait_object::Set`. CPython: `Objects/setobject.c`.
use krait_object::builtin_types::{FROZENSET, SET};
use krait_object::native::{Sig, class_method, method};
use krait_object::{
    Args, ClassDef, FrozenSet, Method, PyResult, Ref, Set, SlotDefs, Thread, Tuple, Type, Value, type_flag,
};

use crate::errors::key_error;
use crate::protocol::attr;
use crate::types::generic_alias::class_getitem;

pub mod algebra;
pub mod frozen;
pub mod iterator;

pub use algebra::{from_iterable, update};

pub static DEF: ClassDef = ClassDef {
    doc: "Build an unordered collection of unique elements.",
    sig: "(iterable=(), /)",
    methods: METHODS,
    slots: SlotDefs {
        new: Some(new),
        init: Some(init),
        inplace_subtract: Some(inplace_subtract),
        inplace_and: Some(inplace_and),
        inplace_xor: Some(inplace_xor),
        inplace_or: Some(inplace_or),
        ..algebra::SLOTS
    },
    flags: type_flag::BASE | type_flag::MATCH_SELF | type_flag::WEAKREF | type_flag::HAVE_GC,
    ..ClassDef::new(&SET)
};
pub static DEFS: &[&ClassDef] = &[&DEF, &frozen::DEF, &iterator::DEF];

static METHODS: &[Method] = &[
    method("__contains__", "(object, /)", "x.__contains__(y) <==> y in x.", algebra::contains_method).coexist(),
    method(
        "add",
        "(object, /)",
        "Add an element to a set.\n\nThis has no effect if the element is already present.",
        add,
    ),
    method("clear", "()", "Remove all elements from this set.", clear),
    method("copy", "()", "Return a shallow copy of a set.", algebra::copy),
    method(
        "discard",
        "(object, /)",
        "Remove an element from a set if it is a member.\n\nUnlike set.remove(), an absent element is no error.",
        discard,
    ),
    method(
        "difference",
        "(*others)",
        "Return a new set with elements in the set that are not in the others.",
        algebra::difference,
    ),
    method("difference_update", "(*others)", "Update the set, removing elements found in others.", difference_update),
    method(
        "intersection",
        "(*others)",
        "Return a new set with elements common to the set and all others.",
        algebra::intersection,
    ),
    method(
        "intersection_update",
        "(*others)",
        "Update the set, keeping only elements found in it and all others.",
        intersection_update,
    ),
    method("isdisjoint", "(other, /)", "Return True if two sets have a null intersection.", algebra::isdisjoint),
    method("issubset", "(other, /)", "Report whether another set contains this set.", algebra::issubset),
    method("issuperset", "(other, /)", "Report whether this set contains another set.", algebra::issuperset),
    method("pop", "()", "Remove and return an arbitrary set element.\n\nRaises KeyError if the set is empty.", pop),
    method("__reduce__", "()", "Return state information for pickling.", reduce),
    method(
        "remove",
        "(object, /)",
        "Remove an element from a set; it must be a member.\n\nIf the element is not a member, raise a KeyError.",
        remove,
    ),
    method("__sizeof__", "()", "S.__sizeof__() -> size of S in memory, in bytes.", algebra::sizeof),
    method(
        "symmetric_difference",
        "(other, /)",
        "Return a new set with elements in either the set or other but not both.",
        algebra::symmetric_difference,
    ),
    method(
        "symmetric_difference_update",
        "(other, /)",
        "Update the set, keeping only elements found in either set, but not in both.",
        symmetric_difference_update,
    ),
    method("union", "(*others)", "Return a new set with elements from the set and all others.", algebra::union),
    method("update", "(*others)", "Update the set, adding elements from all others.", update_method),
    class_method("__class_getitem__", "(object, /)", "See PEP 585", class_getitem),
];

fn new(_: &mut Thread, cls: &Ref<Type>, _: &Args<'_>) -> PyResult<Value> {
    Ok(Ref::with_class(Set::default(), cls.object()).into())
}

fn init(th: &mut Thread, v: &Value, args: &Args<'_>) -> PyResult<()> {
    static SIG: Sig = Sig::new("(iterable=(), /)");
    let b = SIG.bind(th, "set", "set", args, 0)?;
    let s = this(v);
    s.clear();
    match b.args().opt(0) {
        Some(iterable) => update(th, s, iterable),
        None => Ok(()),
    }
}

/// The elements of a slot's operand that belongs to set or frozenset.
fn this(v: &Value) -> &Set {
    v.as_any_set().expect("the slot belongs to set")
}
fn others<'a>(a: &Args<'a>) -> &'a [Value] {
    a.opt(1).and_then(|v| v.downcast_ref::<Tuple>()).map_or(&[], Tuple::as_slice)
}

fn add(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    this(&a[0]).add(th, a[1].clone())?;
    Ok(Value::NONE)
}

fn clear(_: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    this(&a[0]).clear();
    Ok(Value::NONE)
}

fn pop(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    match this(&a[0]).pop() {
        Some(v) => Ok(v),
        None => Err(key_error(th, &Value::str("pop from an empty set"))),
    }
}

fn discard(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    algebra::with_frozen(th, &a[1], |th, key| this(&a[0]).discard(th, key))?;
    Ok(Value::NONE)
}

fn remove(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    if algebra::with_frozen(th, &a[1], |th, key| this(&a[0]).discard(th, key))? {
        Ok(Value::NONE)
    } else {
        Err(key_error(th, &a[1]))
    }
}

fn update_method(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    for other in others(a) {
        update(th, this(&a[0]), other)?;
    }
    Ok(Value::NONE)
}

fn difference_update(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    for other in others(a) {
        algebra::subtract_from(th, this(&a[0]), other)?;
    }
    Ok(Value::NONE)
}

fn intersection_update(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let s = this(&a[0]);
    let common = algebra::intersect_all(th, s, others(a))?;
    drop(s.swap_table(common.copy_table()));
    Ok(Value::NONE)
}

fn symmetric_difference_update(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    algebra::toggle(th, this(&a[0]), &a[1])?;
    Ok(Value::NONE)
}

fn inplace_or(th: &mut Thread, a: &Value, b: &Value) -> PyResult<Value> {
    if b.as_any_set().is_none() {
        return Ok(Value::NOT_IMPLEMENTED);
    }
    update(th, this(a), b)?;
    Ok(a.clone())
}
fn inplace_and(th: &mut Thread, a: &Value, b: &Value) -> PyResult<Value> {
    if b.as_any_set().is_none() {
        return Ok(Value::NOT_IMPLEMENTED);
    }
    let s = this(a);
    let common = algebra::intersect(th, s, b)?;
    drop(s.swap_table(common.copy_table()));
    Ok(a.clone())
}
fn inplace_subtract(th: &mut Thread, a: &Value, b: &Value) -> PyResult<Value> {
    if b.as_any_set().is_none() {
        return Ok(Value::NOT_IMPLEMENTED);
    }
    algebra::subtract_from(th, this(a), b)?;
    Ok(a.clone())
}
fn inplace_xor(th: &mut Thread, a: &Value, b: &Value) -> PyResult<Value> {
    if b.as_any_set().is_none() {
        return Ok(Value::NOT_IMPLEMENTED);
    }
    algebra::toggle(th, this(a), b)?;
    Ok(a.clone())
}

/// `(type(self), ([elements],), state)`.
fn reduce(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let items = krait_object::List::new(this(&a[0]).to_vec());
    let state = attr::call_method(th, &a[0], "__getstate__", &[])?;
    Ok(Tuple::of([a[0].class_ref().into(), Tuple::of([items.into()]).into(), state]).into())
}

/// A new set or frozenset, whichever `like` is, with these elements.
fn make_like(like: &Value, elements: Set) -> Value {
    if like.is_instance(&FROZENSET) { Ref::new(FrozenSet(elements)).into() } else { Ref::new(elements).into() }
}
