//! `itertools.cycle`.
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};

use krait_macros::{Payload, Trace};
use krait_object::builtin_types::OBJECT;
use krait_object::native::method;
use krait_object::{
    Args, ClassDef, List, Method, PyResult, Ref, SlotDefs, Thread, Tuple, Type, TypeObject, VTable, Value, ValueCell,
    type_flag,
};
use krait_runtime::errors::type_error;
use krait_runtime::protocol::{attr, iter, number};
use krait_runtime::types::iterators::self_iter;

use super::{positional, reduced_with_state, warn_pickle};

#[derive(Trace, Payload)]
#[payload(class = CYCLE)]
pub struct Cycle {
    /// Given up when the first pass is over.
    iterator: ValueCell,
    /// A list of the items seen.
    saved: ValueCell,
    index: AtomicUsize,
    /// The saved items are complete already, though the iterator is not spent (after unpickling).
    complete: AtomicBool,
}
static LAYOUT: VTable = VTable::of::<Cycle>();
pub static CYCLE: TypeObject = TypeObject::builtin("cycle", Some(&OBJECT), &LAYOUT);

pub static DEF: ClassDef = ClassDef {
    module: "itertools",
    doc: "Return elements from the iterable until it is exhausted. Then repeat the sequence indefinitely.",
    sig: "(iterable, /)",
    methods: METHODS,
    slots: SlotDefs { new: Some(new), iter: Some(self_iter), next: Some(next), ..SlotDefs::EMPTY },
    flags: type_flag::BASE | type_flag::HAVE_GC,
    ..ClassDef::new(&CYCLE)
};
static METHODS: &[Method] = &[
    method("__reduce__", "()", "Return state information for pickling.", reduce),
    method("__setstate__", "(object, /)", "Set state information for unpickling.", setstate),
];

fn new(th: &mut Thread, cls: &Ref<Type>, args: &Args<'_>) -> PyResult<Value> {
    let given = positional(th, cls, &CYCLE, args, 1, 1)?;
    let iterator = iter::iter(th, &given[0])?.into();
    let saved = Value::from(List::new(Vec::new())).into();
    let payload = Cycle { iterator, saved, index: AtomicUsize::new(0), complete: AtomicBool::new(false) };
    Ok(Ref::with_class(payload, cls.object()).into())
}

impl Cycle {
    fn saved(&self) -> Ref<List> {
        self.saved.get().and_then(|v| v.downcast().ok()).unwrap_or_else(|| List::new(Vec::new()))
    }
}

fn next(th: &mut Thread, v: &Value) -> PyResult<Option<Value>> {
    let s: &Cycle = v.downcast_ref().expect("the slot belongs to cycle");
    let saved = s.saved();
    if let Some(it) = s.iterator.get() {
        if let Some(item) = iter::next(th, &it)? {
            if !s.complete.load(Relaxed) {
                saved.push(item.clone());
            }
            return Ok(Some(item));
        }
        s.iterator.set(None);
    }
    let i = s.index.load(Relaxed);
    let Some(item) = saved.get(i) else { return Ok(None) };
    s.index.store(if i + 1 >= saved.len() { 0 } else { i + 1 }, Relaxed);
    Ok(Some(item))
}

fn reduce(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    warn_pickle(th)?;
    let s = a.this::<Cycle>();
    let saved = s.saved().into_value();
    Ok(match s.iterator.get() {
        Some(it) => reduced_with_state(&a[0], [it], Tuple::of([saved, Value::FALSE]).into()),
        None => {
            let it = iter::iter(th, &saved)?;
            let i = s.index.load(Relaxed);
            if i != 0 {
                attr::call_method(th, &it, "__setstate__", &[i.into()])?;
            }
            reduced_with_state(&a[0], [it], Tuple::of([saved, Value::TRUE]).into())
        }
    })
}

fn setstate(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    warn_pickle(th)?;
    let Some(state) = a[1].downcast_ref::<Tuple>() else {
        return Err(type_error(th, "state is not a tuple"));
    };
    let [saved, complete] = state.as_slice() else {
        return Err(type_error(th, format!("function takes exactly 2 arguments ({} given)", state.len())));
    };
    if saved.downcast_ref::<List>().is_none() {
        let message = format!("argument 1 must be list, not {}", saved.class().name());
        return Err(type_error(th, message));
    }
    let complete = number::to_i32(th, complete)? != 0;
    let s = a.this::<Cycle>();
    s.saved.set(Some(saved.clone()));
    s.complete.store(complete, Relaxed);
    s.index.store(0, Relaxed);
    Ok(Value::NONE)
}
