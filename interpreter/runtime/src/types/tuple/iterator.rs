//! The iterator of `tuple`. CPython: `Objects/tupleobject.c` (tupleiter).
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use krait_macros::{Payload, Trace};
use krait_object::builtin_types::OBJECT;
use krait_object::native::method;
use krait_object::{
    Args, ClassDef, Method, PyResult, Ref, SlotDefs, Thread, Tuple, TypeObject, VTable, Value, ValueCell, type_flag,
};

use crate::types::iterators::{builtin, self_iter};
use crate::types::slice::bounds::state_arg;

/// The tuple is given up when the end is reached.
#[derive(Trace, Payload)]
#[payload(class = TUPLE_ITERATOR)]
pub struct TupleIter {
    pub tuple: ValueCell,
    pub index: AtomicUsize,
}
static LAYOUT: VTable = VTable::of::<TupleIter>();
pub static TUPLE_ITERATOR: TypeObject = TypeObject::builtin("tuple_iterator", Some(&OBJECT), &LAYOUT);

pub static DEF: ClassDef = ClassDef {
    methods: METHODS,
    slots: SlotDefs { iter: Some(self_iter), next: Some(next), ..SlotDefs::EMPTY },
    flags: type_flag::DISALLOW_INSTANTIATION | type_flag::HAVE_GC,
    ..ClassDef::new(&TUPLE_ITERATOR)
};
static METHODS: &[Method] = &[
    method("__length_hint__", "()", "An estimate of the items left.", length_hint),
    method("__reduce__", "()", "Return state information for pickling.", reduce),
    method("__setstate__", "(object, /)", "Set state information for unpickling.", setstate),
];

pub fn iter(_: &mut Thread, v: &Value) -> PyResult<Value> {
    Ok(Ref::new(TupleIter { tuple: ValueCell::new(Some(v.clone())), index: AtomicUsize::new(0) }).into())
}

pub fn next(_: &mut Thread, v: &Value) -> PyResult<Option<Value>> {
    let it: &TupleIter = v.downcast_ref().expect("the slot belongs to tuple_iterator");
    let Some(tuple) = it.tuple.get() else { return Ok(None) };
    let i = it.index.load(Relaxed);
    match tuple.downcast_ref::<Tuple>().and_then(|t| t.get(i).cloned()) {
        Some(item) => {
            it.index.store(i + 1, Relaxed);
            Ok(Some(item))
        }
        None => {
            it.tuple.set(None);
            Ok(None)
        }
    }
}

fn tuple_len(it: &TupleIter) -> Option<usize> {
    it.tuple.get().and_then(|t| t.downcast_ref::<Tuple>().map(|t| t.len()))
}

fn length_hint(_: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let it = a.this::<TupleIter>();
    Ok(tuple_len(it).map_or(0, |n| n.saturating_sub(it.index.load(Relaxed))).into())
}

fn reduce(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let iter = builtin(th, "iter")?;
    let it = a.this::<TupleIter>();
    Ok(match it.tuple.get() {
        Some(t) => Tuple::of([iter, Tuple::of([t]).into(), it.index.load(Relaxed).into()]).into(),
        None => Tuple::of([iter, Tuple::of([Tuple::empty().into()]).into()]).into(),
    })
}

fn setstate(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let index = state_arg(th, &a[1])?;
    let it = a.this::<TupleIter>();
    if let Some(n) = tuple_len(it) {
        it.index.store(index.clamp(0, n as isize) as usize, Relaxed);
    }
    Ok(Value::NONE)
}
