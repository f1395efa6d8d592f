//! `iterator`: `iter(v)` of a value that has `__getitem__` alone. CPython: `Objects/iterobject.c`.
use std::sync::atomic::{AtomicIsize, Ordering::Relaxed};

use krait_macros::{Payload, Trace};
use krait_object::builtin_types::OBJECT;
use krait_object::native::method;
use krait_object::{
    Args, ClassDef, PyResult, Ref, SlotDefs, Thread, Tuple, TypeObject, VTable, Value, ValueCell, type_flag,
};

use crate::errors::overflow_error;
use crate::protocol::sequence;
use crate::types::iterators::{builtin, item_or_end, self_iter};
use crate::types::slice::bounds::state_arg;

#[derive(Trace, Payload)]
#[payload(class = SEQ_ITERATOR)]
pub struct SeqIter {
    sequence: ValueCell,
    index: AtomicIsize,
}
static LAYOUT: VTable = VTable::of::<SeqIter>();
pub static SEQ_ITERATOR: TypeObject = TypeObject::builtin("iterator", Some(&OBJECT), &LAYOUT);

pub static DEF: ClassDef = ClassDef {
    methods: &[
        method("__length_hint__", "()", "An estimate of the items left.", length_hint),
        method("__reduce__", "()", "Return state information for pickling.", reduce),
        method("__setstate__", "(object, /)", "Set state information for unpickling.", setstate),
    ],
    slots: SlotDefs { iter: Some(self_iter), next: Some(next), ..SlotDefs::EMPTY },
    flags: type_flag::DISALLOW_INSTANTIATION | type_flag::HAVE_GC,
    ..ClassDef::new(&SEQ_ITERATOR)
};
pub static DEFS: &[&ClassDef] = &[&DEF];

/// An iterator over anything with `__getitem__`.
pub fn new(sequence: Value) -> Value {
    Ref::new(SeqIter { sequence: ValueCell::new(Some(sequence)), index: AtomicIsize::new(0) }).into()
}

fn next(th: &mut Thread, v: &Value) -> PyResult<Option<Value>> {
    let it: &SeqIter = v.downcast_ref().expect("the slot belongs to iterator");
    let Some(sequence) = it.sequence.get() else { return Ok(None) };
    let i = it.index.load(Relaxed);
    if i == isize::MAX {
        return Err(overflow_error(th, "iter index too large"));
    }
    let item = item_or_end(th, &sequence, i)?;
    match item {
        Some(_) => it.index.store(i + 1, Relaxed),
        None => it.sequence.set(None),
    }
    Ok(item)
}

fn length_hint(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let it = a.this::<SeqIter>();
    let Some(sequence) = it.sequence.get() else { return Ok(Value::int(0)) };
    let slots = &sequence.class().slots;
    if !slots.sq_len.is_set() && !slots.mp_len.is_set() {
        return Ok(Value::NOT_IMPLEMENTED);
    }
    let n = sequence::len(th, &sequence)?;
    Ok(Value::int((n as i64 - it.index.load(Relaxed) as i64).max(0)))
}

fn reduce(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let iter = builtin(th, "iter")?;
    let it = a.this::<SeqIter>();
    Ok(match it.sequence.get() {
        Some(s) => Tuple::of([iter, Tuple::of([s]).into(), Value::int(it.index.load(Relaxed) as i64)]).into(),
        None => Tuple::of([iter, Tuple::of([Tuple::empty().into()]).into()]).into(),
    })
}

fn setstate(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let index = state_arg(th, &a[1])?;
    let it = a.this::<SeqIter>();
    if it.sequence.is_set() {
        it.index.store(index.max(0), Relaxed);
    }
    Ok(Value::NONE)
}
