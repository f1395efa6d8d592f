//! `arrayiterator`.
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use krait_macros::{Payload, Trace};
use krait_object::native::method;
use krait_object::{
    Args, ClassDef, List, PyResult, Ref, SlotDefs, Thread, Tuple, TypeObject, VTable, Value, ValueCell,
    builtin_types::OBJECT, type_flag,
};
use krait_runtime::protocol::number;
use krait_runtime::types::iterators::{builtin, self_iter};

use super::Array;

#[derive(Trace, Payload)]
#[payload(class = ARRAY_ITERATOR)]
pub struct ArrayIter {
    /// Empty at the end.
    array: ValueCell,
    #[trace(skip)]
    index: AtomicUsize,
}
static LAYOUT: VTable = VTable::of::<ArrayIter>();
pub static ARRAY_ITERATOR: TypeObject = TypeObject::builtin("arrayiterator", Some(&OBJECT), &LAYOUT);

pub static DEF: ClassDef = ClassDef {
    module: "array",
    methods: &[
        method("__reduce__", "()", "Return state information for pickling.", reduce),
        method("__setstate__", "(state, /)", "Set state information for unpickling.", set_state),
    ],
    slots: SlotDefs { iter: Some(self_iter), next: Some(next), ..SlotDefs::EMPTY },
    flags: type_flag::DISALLOW_INSTANTIATION,
    ..ClassDef::new(&ARRAY_ITERATOR)
};

pub fn iter(_: &mut Thread, v: &Value) -> PyResult<Value> {
    Ok(Ref::new(ArrayIter { array: ValueCell::new(Some(v.clone())), index: AtomicUsize::new(0) }).into())
}
fn next(th: &mut Thread, v: &Value) -> PyResult<Option<Value>> {
    let it: &ArrayIter = v.downcast_ref().expect("the slot belongs to arrayiterator");
    let Some(array) = it.array.get() else { return Ok(None) };
    let i = it.index.load(Relaxed);
    let item = Array::of(&array).get_value(th, i)?;
    match item {
        Some(_) => it.index.store(i + 1, Relaxed),
        None => it.array.set(None),
    }
    Ok(item)
}
fn reduce(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let it = a.this::<ArrayIter>();
    let make = builtin(th, "iter")?;
    Ok(match it.array.get() {
        Some(array) => Tuple::of([make, Tuple::of([array]).into(), it.index.load(Relaxed).into()]).into(),
        None => Tuple::of([make, Tuple::of([List::new(Vec::new()).into()]).into()]).into(),
    })
}
fn set_state(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let i = number::to_isize(th, &a[1])?;
    let it = a.this::<ArrayIter>();
    if let Some(array) = it.array.get() {
        let len = Array::of(&array).len();
        it.index.store(usize::try_from(i).unwrap_or(0).min(len), Relaxed);
    }
    Ok(Value::NONE)
}
