//! `frozenset`: its type object, construction and hash. CPython: `Objects/setobject.c`.
use std::sync::atomic::Ordering::Relaxed;

use krait_object::builtin_types::FROZENSET;
use krait_object::native::{Sig, class_method, method};
use krait_object::{
    Args, ClassDef, FrozenSet, Method, PyResult, Ref, Set, SlotDefs, Thread, Type, Value, hash, type_flag,
};

use super::{algebra, this};
use crate::types::generic_alias::class_getitem;

pub static DEF: ClassDef = ClassDef {
    doc: "Build an immutable unordered collection of unique elements.",
    sig: "(iterable=(), /)",
    methods: METHODS,
    slots: SlotDefs { new: Some(new), hash: Some(frozen_hash), ..algebra::SLOTS },
    flags: type_flag::BASE | type_flag::MATCH_SELF | type_flag::WEAKREF | type_flag::HAVE_GC,
    ..ClassDef::new(&FROZENSET)
};

static METHODS: &[Method] = &[
    method("__contains__", "(object, /)", "x.__contains__(y) <==> y in x.", algebra::contains_method).coexist(),
    method("copy", "()", "Return a shallow copy of a set.", algebra::copy),
    method(
        "difference",
        "(*others)",
        "Return a new set with elements in the set that are not in the others.",
        algebra::difference,
    ),
    method(
        "intersection",
        "(*others)",
        "Return a new set with elements common to the set and all others.",
        algebra::intersection,
    ),
    method("isdisjoint", "(other, /)", "Return True if two sets have a null intersection.", algebra::isdisjoint),
    method("issubset", "(other, /)", "Report whether another set contains this set.", algebra::issubset),
    method("issuperset", "(other, /)", "Report whether this set contains another set.", algebra::issuperset),
    method("__reduce__", "()", "Return state information for pickling.", super::reduce),
    method("__sizeof__", "()", "S.__sizeof__() -> size of S in memory, in bytes.", algebra::sizeof),
    method(
        "symmetric_difference",
        "(other, /)",
        "Return a new set with elements in either the set or other but not both.",
        algebra::symmetric_difference,
    ),
    method("union", "(*others)", "Return a new set with elements from the set and all others.", algebra::union),
    class_method("__class_getitem__", "(object, /)", "See PEP 585", class_getitem),
];

fn new(th: &mut Thread, cls: &Ref<Type>, args: &Args<'_>) -> PyResult<Value> {
    static SIG: Sig = Sig::new("(iterable=(), /)");
    // A subclass with an __init__ of its own may take keywords for it.
    let args =
        if args.has_kw() && !FROZENSET.slots.init.same(&cls.slots.init) { Args::new(args.pos(), &[]) } else { *args };
    let b = SIG.bind(th, "frozenset", "frozenset", &args, 0)?;
    let made = Set::default();
    if let Some(iterable) = b.args().opt(0) {
        if cls.is(&FROZENSET) && iterable.is_exact(&FROZENSET) {
            return Ok(iterable.clone());
        }
        algebra::update(th, &made, iterable)?;
    }
    Ok(Ref::with_class(FrozenSet(made), cls.object()).into())
}

/// The hash of a frozenset if it was computed before.
pub fn known_hash(v: &Value) -> Option<i64> {
    let f = v.downcast_ref::<FrozenSet>()?;
    match f.0.hash.load(Relaxed) {
        0 => None,
        h => Some(h.wrapping_sub(1) as i64),
    }
}

fn frozen_hash(_: &mut Thread, v: &Value) -> PyResult<i64> {
    if let Some(h) = known_hash(v) {
        return Ok(h);
    }
    let s = this(v);
    let h = hash::set(s.to_hashed_vec().into_iter().map(|(h, _)| h));
    s.hash.store((h as u64).wrapping_add(1), Relaxed);
    Ok(h)
}
