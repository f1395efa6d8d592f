//! The iterator of `set` and `frozenset`. CPython: `Objects/setobject.c` (setiter).
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use krait_macros::{Payload, Trace};
use krait_object::builtin_types::OBJECT;
use krait_object::native::method;
use krait_object::{
    Args, ClassDef, List, PyResult, Ref, SlotDefs, Thread, Tuple, TypeObject, VTable, Value, ValueCell, type_flag,
};

use crate::errors::runtime_error;
use crate::types::iterators::{builtin, self_iter};

#[derive(Trace, Payload)]
#[payload(class = SET_ITERATOR)]
pub struct SetIter {
    /// Given up at the end.
    set: ValueCell,
    place: AtomicUsize,
    /// The set's length at the start; `usize::MAX` after a change of it was seen.
    used: AtomicUsize,
    left: AtomicUsize,
}
static LAYOUT: VTable = VTable::of::<SetIter>();
pub static SET_ITERATOR: TypeObject = TypeObject::builtin("set_iterator", Some(&OBJECT), &LAYOUT);

pub static DEF: ClassDef = ClassDef {
    methods: &[
        method("__length_hint__", "()", "An estimate of the elements left.", length_hint),
        method("__reduce__", "()", "Return state information for pickling.", reduce),
    ],
    slots: SlotDefs { iter: Some(self_iter), next: Some(next), ..SlotDefs::EMPTY },
    flags: type_flag::DISALLOW_INSTANTIATION | type_flag::HAVE_GC,
    ..ClassDef::new(&SET_ITERATOR)
};

pub fn iter(_: &mut Thread, v: &Value) -> PyResult<Value> {
    let n = v.as_any_set().map_or(0, |s| s.len());
    let it = SetIter {
        set: ValueCell::new(Some(v.clone())),
        place: AtomicUsize::new(0),
        used: AtomicUsize::new(n),
        left: AtomicUsize::new(n),
    };
    Ok(Ref::new(it).into())
}

fn next(th: &mut Thread, v: &Value) -> PyResult<Option<Value>> {
    let it: &SetIter = v.downcast_ref().expect("the slot belongs to set_iterator");
    let Some(held) = it.set.get() else { return Ok(None) };
    let Some(set) = held.as_any_set() else { return Ok(None) };
    if it.used.load(Relaxed) != set.len() {
        it.used.store(usize::MAX, Relaxed);
        return Err(runtime_error(th, "Set changed size during iteration"));
    }
    match set.next_entry(it.place.load(Relaxed)) {
        Some((place, item)) => {
            it.place.store(place, Relaxed);
            it.left.store(it.left.load(Relaxed).saturating_sub(1), Relaxed);
            Ok(Some(item))
        }
        None => {
            it.set.set(None);
            Ok(None)
        }
    }
}

fn length_hint(_: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let it = a.this::<SetIter>();
    let same = it.set.get().is_some_and(|s| s.as_any_set().is_some_and(|s| s.len() == it.used.load(Relaxed)));
    Ok(if same { it.left.load(Relaxed) } else { 0 }.into())
}

/// `(iter, ([elements left],))`; the iterator itself stays where it is.
fn reduce(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let it = a.this::<SetIter>();
    let fork = Ref::new(SetIter {
        set: ValueCell::new(it.set.get()),
        place: AtomicUsize::new(it.place.load(Relaxed)),
        used: AtomicUsize::new(it.used.load(Relaxed)),
        left: AtomicUsize::new(it.left.load(Relaxed)),
    })
    .into_value();
    let mut items = Vec::new();
    while let Some(item) = next(th, &fork)? {
        items.push(item);
    }
    let iter = builtin(th, "iter")?;
    Ok(Tuple::of([iter, Tuple::of([List::new(items).into()]).into()]).into())
}
