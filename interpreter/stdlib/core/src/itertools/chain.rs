//! `itertools.chain`.
use krait_macros::{Payload, Trace};
use krait_object::builtin_types::OBJECT;
use krait_object::native::{class_method, method};
use krait_object::{
    Args, ClassDef, Method, PyResult, Ref, SlotDefs, Thread, Tuple, Type, TypeObject, VTable, Value, ValueCell,
    type_flag,
};
use krait_runtime::errors::type_error;
use krait_runtime::protocol::iter;
use krait_runtime::types::generic_alias::class_getitem;
use krait_runtime::types::iterators::self_iter;

use super::{positional, reduced, reduced_with_state, warn_pickle};

#[derive(Trace, Payload)]
#[payload(class = CHAIN)]
pub struct Chain {
    /// The iterator of iterables; given up at the end.
    source: ValueCell,
    active: ValueCell,
}
static LAYOUT: VTable = VTable::of::<Chain>();
pub static CHAIN: TypeObject = TypeObject::builtin("chain", Some(&OBJECT), &LAYOUT);

pub static DEF: ClassDef = ClassDef {
    module: "itertools",
    doc: "Return a chain object whose .__next__() method returns elements from the\nfirst iterable until it is exhausted, then elements from the next\niterable, until all of the iterables are exhausted.",
    sig: "(*iterables)",
    methods: METHODS,
    slots: SlotDefs { new: Some(new), iter: Some(self_iter), next: Some(next), ..SlotDefs::EMPTY },
    flags: type_flag::BASE | type_flag::HAVE_GC,
    ..ClassDef::new(&CHAIN)
};
static METHODS: &[Method] = &[
    class_method(
        "from_iterable",
        "(iterable, /)",
        "Alternative chain() constructor taking a single iterable argument that evaluates lazily.",
        |th, a| {
            let source = iter::iter(th, &a[1])?;
            let class = a[0].to_ref::<Type>().expect("class methods get their class");
            Ok(over(&class, source))
        },
    ),
    method("__reduce__", "()", "Return state information for pickling.", reduce),
    method("__setstate__", "(object, /)", "Set state information for unpickling.", setstate),
    class_method("__class_getitem__", "(object, /)", "See PEP 585", class_getitem),
];

fn over(class: &Ref<Type>, source: Value) -> Value {
    Ref::with_class(Chain { source: source.into(), active: ValueCell::empty() }, class.object()).into()
}

fn new(th: &mut Thread, cls: &Ref<Type>, args: &Args<'_>) -> PyResult<Value> {
    let iterables = positional(th, cls, &CHAIN, args, 0, usize::MAX)?;
    let source = iter::iter(th, &Tuple::from_slice(iterables).into())?;
    Ok(over(cls, source))
}

fn next(th: &mut Thread, v: &Value) -> PyResult<Option<Value>> {
    let s: &Chain = v.downcast_ref().expect("the slot belongs to chain");
    while let Some(source) = s.source.get() {
        let active = match s.active.get() {
            Some(active) => active,
            None => {
                let started = match iter::next(th, &source) {
                    Ok(Some(iterable)) => iter::iter(th, &iterable),
                    Ok(None) => {
                        s.source.set(None);
                        return Ok(None);
                    }
                    Err(e) => Err(e),
                };
                match started {
                    Ok(active) => {
                        s.active.set(Some(active.clone()));
                        active
                    }
                    Err(e) => {
                        s.source.set(None);
                        return Err(e);
                    }
                }
            }
        };
        if let Some(item) = iter::next(th, &active)? {
            return Ok(Some(item));
        }
        s.active.set(None);
    }
    Ok(None)
}

fn reduce(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    warn_pickle(th)?;
    let s = a.this::<Chain>();
    Ok(match (s.source.get(), s.active.get()) {
        (Some(source), Some(active)) => reduced_with_state(&a[0], [], Tuple::of([source, active]).into()),
        (Some(source), None) => reduced_with_state(&a[0], [], Tuple::of([source]).into()),
        (None, _) => reduced(&a[0], []),
    })
}

fn setstate(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    warn_pickle(th)?;
    let Some(state) = a[1].downcast_ref::<Tuple>() else {
        return Err(type_error(th, "state is not a tuple"));
    };
    let (source, active) = match state.as_slice() {
        [source] => (source, None),
        [source, active] => (source, Some(active)),
        other => {
            let bound = if other.is_empty() { "at least 1 argument" } else { "at most 2 arguments" };
            return Err(type_error(th, format!("function takes {bound} ({} given)", other.len())));
        }
    };
    let is_iterator = |v: &Value| v.class().slots.next.is_set();
    if !is_iterator(source) || active.is_some_and(|v| !is_iterator(v)) {
        return Err(type_error(th, "Arguments must be iterators."));
    }
    let s = a.this::<Chain>();
    s.source.set(Some(source.clone()));
    s.active.set(active.cloned());
    Ok(Value::NONE)
}
