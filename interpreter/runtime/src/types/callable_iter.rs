//! `callable_iterator`: `iter(callable, sentinel)`. CPython: `Objects/iterobject.c`.
use krait_macros::{Payload, Trace};
use krait_object::builtin_types::OBJECT;
use krait_object::native::method;
use krait_object::{
    Args, ClassDef, PyResult, Ref, SlotDefs, Thread, Tuple, TypeObject, VTable, Value, ValueCell, type_flag,
};

use crate::exceptions::STOP_ITERATION;
use crate::protocol::{call, compare};
use crate::types::iterators::{builtin, self_iter};

/// Both fields are given up at the end.
#[derive(Trace, Payload)]
#[payload(class = CALLABLE_ITERATOR)]
pub struct CallableIter {
    callable: ValueCell,
    sentinel: ValueCell,
}
static LAYOUT: VTable = VTable::of::<CallableIter>();
pub static CALLABLE_ITERATOR: TypeObject = TypeObject::builtin("callable_iterator", Some(&OBJECT), &LAYOUT);

pub static DEF: ClassDef = ClassDef {
    methods: &[method("__reduce__", "()", "Return state information for pickling.", reduce)],
    slots: SlotDefs { iter: Some(self_iter), next: Some(next), ..SlotDefs::EMPTY },
    flags: type_flag::DISALLOW_INSTANTIATION | type_flag::HAVE_GC,
    ..ClassDef::new(&CALLABLE_ITERATOR)
};
pub static DEFS: &[&ClassDef] = &[&DEF];

/// `iter(callable, sentinel)`.
pub fn new(callable: Value, sentinel: Value) -> Value {
    let payload = CallableIter { callable: ValueCell::new(Some(callable)), sentinel: ValueCell::new(Some(sentinel)) };
    Ref::new(payload).into()
}

fn next(th: &mut Thread, v: &Value) -> PyResult<Option<Value>> {
    let it: &CallableIter = v.downcast_ref().expect("the slot belongs to callable_iterator");
    let Some(callable) = it.callable.get() else { return Ok(None) };
    let finish = || {
        it.callable.set(None);
        it.sentinel.set(None);
    };
    match call::call(th, &callable, &[]) {
        Ok(result) => {
            // The callable may have run the iterator to its end.
            let Some(sentinel) = it.sentinel.get() else { return Ok(None) };
            if compare::eq(th, &sentinel, &result)? {
                finish();
                return Ok(None);
            }
            Ok(Some(result))
        }
        Err(e) => {
            if !th.exc.as_ref().is_some_and(|exc| exc.is_instance(&STOP_ITERATION)) {
                return Err(e);
            }
            drop(th.take_exc());
            finish();
            Ok(None)
        }
    }
}

fn reduce(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let iter = builtin(th, "iter")?;
    let it = a.this::<CallableIter>();
    Ok(match (it.callable.get(), it.sentinel.get()) {
        (Some(c), Some(s)) => Tuple::of([iter, Tuple::of([c, s]).into()]).into(),
        _ => Tuple::of([iter, Tuple::of([Tuple::empty().into()]).into()]).into(),
    })
}
