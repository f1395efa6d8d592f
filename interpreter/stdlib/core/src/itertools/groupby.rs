//! `itertools.groupby` and the iterators over its groups.
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use krait_macros::{Payload, Trace};
use krait_object::builtin_types::OBJECT;
use krait_object::native::{Sig, method};
use krait_object::{
    Args, ClassDef, Method, PyResult, Ref, SlotDefs, Thread, Tuple, Type, TypeObject, VTable, Value, ValueCell,
    type_flag,
};
use krait_runtime::errors::type_error;
use krait_runtime::functions::builtin;
use krait_runtime::protocol::{call, compare, iter};
use krait_runtime::types::iterators::self_iter;

use super::{positional, reduced, reduced_with_state, warn_pickle};

#[derive(Trace, Payload)]
#[payload(class = GROUPBY)]
pub struct GroupBy {
    iterator: Value,
    key: Value,
    /// The key of the group being delivered.
    target: ValueCell,
    /// Key and value of the item read last, while not delivered.
    current_key: ValueCell,
    current: ValueCell,
    /// The serial number of the group that may still deliver.
    group: AtomicU64,
}
static LAYOUT: VTable = VTable::of::<GroupBy>();
pub static GROUPBY: TypeObject = TypeObject::builtin("groupby", Some(&OBJECT), &LAYOUT);

#[derive(Trace, Payload)]
#[payload(class = GROUPER)]
pub struct Grouper {
    parent: Ref<GroupBy>,
    target: Value,
    serial: u64,
}
static GROUPER_LAYOUT: VTable = VTable::of::<Grouper>();
pub static GROUPER: TypeObject = TypeObject::builtin("_grouper", Some(&OBJECT), &GROUPER_LAYOUT);

pub static DEF: ClassDef = ClassDef {
    module: "itertools",
    doc: "make an iterator that returns consecutive keys and groups from the iterable\n\n  iterable\n    Elements to divide into groups according to the key function.\n  key\n    A function for computing the group category for each element.\n    If the key function is not specified or is None, the element itself\n    is used for grouping.",
    sig: "(iterable, key=None)",
    methods: METHODS,
    slots: SlotDefs { new: Some(new), iter: Some(self_iter), next: Some(next), ..SlotDefs::EMPTY },
    flags: type_flag::BASE | type_flag::HAVE_GC,
    ..ClassDef::new(&GROUPBY)
};
static METHODS: &[Method] = &[
    method("__reduce__", "()", "Return state information for pickling.", reduce),
    method("__setstate__", "(object, /)", "Set state information for unpickling.", setstate),
];
pub static GROUPER_DEF: ClassDef = ClassDef {
    module: "itertools",
    methods: &[method("__reduce__", "()", "Return state information for pickling.", grouper_reduce)],
    slots: SlotDefs { new: Some(grouper_new), iter: Some(self_iter), next: Some(grouper_next), ..SlotDefs::EMPTY },
    flags: type_flag::HAVE_GC,
    ..ClassDef::new(&GROUPER)
};

static SERIAL: AtomicU64 = AtomicU64::new(1);

fn new(th: &mut Thread, cls: &Ref<Type>, args: &Args<'_>) -> PyResult<Value> {
    static SIG: Sig = Sig::new("(iterable, key=None)");
    let b = SIG.bind(th, "groupby", "groupby", args, 0)?;
    let a = b.args();
    let iterator = iter::iter(th, &a[0])?;
    let payload = GroupBy {
        iterator,
        key: a.opt(1).cloned().unwrap_or(Value::NONE),
        target: ValueCell::empty(),
        current_key: ValueCell::empty(),
        current: ValueCell::empty(),
        group: AtomicU64::new(0),
    };
    Ok(Ref::with_class(payload, cls.object()).into())
}

impl GroupBy {
    /// Reads the next item and its key; false at the end.
    fn step(&self, th: &mut Thread) -> PyResult<bool> {
        let Some(item) = iter::next(th, &self.iterator)? else { return Ok(false) };
        let key =
            if self.key.is_none() { item.clone() } else { call::call(th, &self.key, std::slice::from_ref(&item))? };
        self.current.set(Some(item));
        self.current_key.set(Some(key));
        Ok(true)
    }
}

fn grouper(parent: Ref<GroupBy>, target: Value) -> Value {
    let serial = SERIAL.fetch_add(1, Relaxed);
    parent.group.store(serial, Relaxed);
    Ref::new(Grouper { parent, target, serial }).into()
}

fn next(th: &mut Thread, v: &Value) -> PyResult<Option<Value>> {
    let g: Ref<GroupBy> = v.to_ref().expect("the slot belongs to groupby");
    g.group.store(0, Relaxed);
    // Skips what is left of the last group.
    let key = loop {
        if let Some(key) = g.current_key.get() {
            match g.target.get() {
                None => break key,
                Some(target) => {
                    if !compare::eq(th, &target, &key)? {
                        break key;
                    }
                }
            }
        }
        if !g.step(th)? {
            return Ok(None);
        }
    };
    g.target.set(Some(key.clone()));
    let group = grouper(g.clone(), key.clone());
    Ok(Some(Tuple::of([key, group]).into()))
}

fn grouper_new(th: &mut Thread, cls: &Ref<Type>, args: &Args<'_>) -> PyResult<Value> {
    let given = positional(th, cls, &GROUPER, args, 2, 2)?;
    match given[0].to_ref::<GroupBy>() {
        Some(parent) => Ok(grouper(parent, given[1].clone())),
        None => {
            let message = format!("_grouper() argument 1 must be itertools.groupby, not {}", given[0].class().name());
            Err(type_error(th, message))
        }
    }
}

fn grouper_next(th: &mut Thread, v: &Value) -> PyResult<Option<Value>> {
    let group: &Grouper = v.downcast_ref().expect("the slot belongs to _grouper");
    let parent = &group.parent;
    if parent.group.load(Relaxed) != group.serial {
        return Ok(None);
    }
    if !parent.current.is_set() && !parent.step(th)? {
        return Ok(None);
    }
    let Some(key) = parent.current_key.get() else { return Ok(None) };
    if !compare::eq(th, &group.target, &key)? {
        return Ok(None);
    }
    parent.current_key.set(None);
    Ok(parent.current.take())
}

fn reduce(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    warn_pickle(th)?;
    let g = a.this::<GroupBy>();
    let args = [g.iterator.clone(), g.key.clone()];
    Ok(match (g.current.get(), g.target.get(), g.current_key.get()) {
        (Some(value), Some(target), Some(key)) => {
            reduced_with_state(&a[0], args, Tuple::of([value, target, key]).into())
        }
        _ => reduced(&a[0], args),
    })
}

fn setstate(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    warn_pickle(th)?;
    let Some(state) = a[1].downcast_ref::<Tuple>() else {
        return Err(type_error(th, "state is not a tuple"));
    };
    let [value, target, key] = state.as_slice() else {
        return Err(type_error(th, format!("function takes exactly 3 arguments ({} given)", state.len())));
    };
    let g = a.this::<GroupBy>();
    g.current.set(Some(value.clone()));
    g.target.set(Some(target.clone()));
    g.current_key.set(Some(key.clone()));
    Ok(Value::NONE)
}

fn grouper_reduce(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    warn_pickle(th)?;
    let group = a.this::<Grouper>();
    if group.parent.group.load(Relaxed) != group.serial {
        let iter = builtin(th, "iter")?;
        return Ok(Tuple::of([iter, Tuple::of([Tuple::empty().into()]).into()]).into());
    }
    Ok(reduced(&a[0], [group.parent.to_value(), group.target.clone()]))
}
