//! The forward and reverse iterators of `list`. CPython: `Objects/listobject.c` (listiter, listreviter).
use std::sync::atomic::{AtomicIsize, Ordering::Relaxed};

use krait_macros::{Payload, Trace};
use krait_object::builtin_types::OBJECT;
use krait_object::native::method;
use krait_object::{
    Args, ClassDef, List, Method, PyResult, Ref, SlotDefs, Thread, Tuple, TypeObject, VTable, Value, ValueCell,
    type_flag,
};

use crate::types::iterators::{builtin, self_iter};
use crate::types::slice::bounds::state_arg;

/// The list is given up when the end is reached.
#[derive(Trace, Payload)]
#[payload(class = LIST_ITERATOR)]
pub struct ListIter {
    pub list: ValueCell,
    pub index: AtomicIsize,
}
static LAYOUT: VTable = VTable::of::<ListIter>();
pub static LIST_ITERATOR: TypeObject = TypeObject::builtin("list_iterator", Some(&OBJECT), &LAYOUT);

#[derive(Trace, Payload)]
#[payload(class = LIST_REVERSE_ITERATOR)]
pub struct ListReverseIter {
    list: ValueCell,
    index: AtomicIsize,
}
static REVERSE_LAYOUT: VTable = VTable::of::<ListReverseIter>();
pub static LIST_REVERSE_ITERATOR: TypeObject =
    TypeObject::builtin("list_reverseiterator", Some(&OBJECT), &REVERSE_LAYOUT);

pub static ITERATOR_DEF: ClassDef = ClassDef {
    methods: &[
        method("__length_hint__", "()", "An estimate of the items left.", length_hint),
        method("__reduce__", "()", "Return state information for pickling.", reduce),
        method("__setstate__", "(object, /)", "Set state information for unpickling.", setstate),
    ],
    slots: SlotDefs { iter: Some(self_iter), next: Some(next), ..SlotDefs::EMPTY },
    flags: type_flag::DISALLOW_INSTANTIATION | type_flag::HAVE_GC,
    ..ClassDef::new(&LIST_ITERATOR)
};
pub static REVERSE_DEF: ClassDef = ClassDef {
    methods: REVERSE_METHODS,
    slots: SlotDefs { iter: Some(self_iter), next: Some(reverse_next), ..SlotDefs::EMPTY },
    flags: type_flag::DISALLOW_INSTANTIATION | type_flag::HAVE_GC,
    ..ClassDef::new(&LIST_REVERSE_ITERATOR)
};
static REVERSE_METHODS: &[Method] = &[
    method("__length_hint__", "()", "An estimate of the items left.", reverse_length_hint),
    method("__reduce__", "()", "Return state information for pickling.", reverse_reduce),
    method("__setstate__", "(object, /)", "Set state information for unpickling.", reverse_setstate),
];

impl ListIter {
    /// An iterator over a list.
    #[inline]
    pub fn over(list: Value) -> Value {
        Ref::new(ListIter { list: ValueCell::new(Some(list)), index: AtomicIsize::new(0) }).into()
    }
    /// The next item of an exact list; `None` at its end, or if the list is none.
    #[inline(always)]
    pub fn step(&self) -> Option<Value> {
        let item = self.peek()?;
        self.skip();
        Some(item)
    }
    /// As [`ListIter::step`], without stepping.
    #[inline(always)]
    pub fn peek(&self) -> Option<Value> {
        self.list.list_item(self.index.load(Relaxed) as usize)
    }
    /// Steps over an item.
    #[inline(always)]
    pub fn skip(&self) {
        self.index.store(self.index.load(Relaxed) + 1, Relaxed);
    }
}
pub fn iter(_: &mut Thread, v: &Value) -> PyResult<Value> {
    Ok(ListIter::over(v.clone()))
}

pub fn next(_: &mut Thread, v: &Value) -> PyResult<Option<Value>> {
    let it: &ListIter = v.downcast_ref().expect("the slot belongs to list_iterator");
    if let Some(item) = it.step() {
        return Ok(Some(item));
    }
    let Some(list) = it.list.get() else { return Ok(None) };
    let i = it.index.load(Relaxed);
    match list.downcast_ref::<List>().and_then(|l| l.get(i as usize)) {
        Some(item) => {
            it.index.store(i + 1, Relaxed);
            Ok(Some(item))
        }
        None => {
            it.list.set(None);
            Ok(None)
        }
    }
}

fn list_len(cell: &ValueCell) -> Option<isize> {
    cell.get().and_then(|l| l.downcast_ref::<List>().map(|l| l.len() as isize))
}

fn length_hint(_: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let it = a.this::<ListIter>();
    let left = list_len(&it.list).map_or(0, |n| n - it.index.load(Relaxed));
    Ok(Value::int(left.max(0) as i64))
}

/// `(function, (list,), index)`, or `(function, ([],))` for a spent iterator.
fn reduced(th: &mut Thread, function: &str, cell: &ValueCell, index: isize) -> PyResult<Value> {
    let function = builtin(th, function)?;
    Ok(match cell.get() {
        Some(list) => Tuple::of([function, Tuple::of([list]).into(), Value::int(index as i64)]).into(),
        None => Tuple::of([function, Tuple::of([List::new(Vec::new()).into()]).into()]).into(),
    })
}

fn reduce(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let it = a.this::<ListIter>();
    reduced(th, "iter", &it.list, it.index.load(Relaxed))
}

fn setstate(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let index = state_arg(th, &a[1])?;
    let it = a.this::<ListIter>();
    if let Some(n) = list_len(&it.list) {
        it.index.store(index.clamp(0, n), Relaxed);
    }
    Ok(Value::NONE)
}

pub fn reversed(_: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let last = a.this::<List>().len() as isize - 1;
    let it = ListReverseIter { list: ValueCell::new(Some(a[0].clone())), index: AtomicIsize::new(last) };
    Ok(Ref::new(it).into())
}

fn reverse_next(_: &mut Thread, v: &Value) -> PyResult<Option<Value>> {
    let it: &ListReverseIter = v.downcast_ref().expect("the slot belongs to list_reverseiterator");
    let Some(list) = it.list.get() else { return Ok(None) };
    let i = it.index.load(Relaxed);
    let item = usize::try_from(i).ok().and_then(|i| list.downcast_ref::<List>()?.get(i));
    match item {
        Some(item) => {
            it.index.store(i - 1, Relaxed);
            Ok(Some(item))
        }
        None => {
            it.index.store(-1, Relaxed);
            it.list.set(None);
            Ok(None)
        }
    }
}

fn reverse_length_hint(_: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let it = a.this::<ListReverseIter>();
    let left = it.index.load(Relaxed) + 1;
    let fits = list_len(&it.list).is_some_and(|n| n >= left);
    Ok(Value::int(if fits { left as i64 } else { 0 }))
}

fn reverse_reduce(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let it = a.this::<ListReverseIter>();
    reduced(th, "reversed", &it.list, it.index.load(Relaxed))
}

fn reverse_setstate(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let index = state_arg(th, &a[1])?;
    let it = a.this::<ListReverseIter>();
    if let Some(n) = list_len(&it.list) {
        it.index.store(index.clamp(-1, n - 1), Relaxed);
    }
    Ok(Value::NONE)
}
