//! `itertools._tee` and `_tee_dataobject`: iterators that share what one source delivered, in linked blocks. A block goes
//! when the last iterator has passed it.
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};

use krait_macros::{Payload, Trace};
use krait_object::builtin_types::OBJECT;
use krait_object::native::method;
use krait_object::{
    Args, ClassDef, List, Locked, Method, PyResult, Ref, SlotDefs, Thread, Tuple, Type, TypeObject, VTable, Value,
    ValueCell, type_flag,
};
use krait_runtime::errors::{runtime_error, type_error, value_error};
use krait_runtime::protocol::iter;
use krait_runtime::types::iterators::self_iter;
use krait_runtime::types::slice::bounds::state_arg;

use super::{positional, reduced, reduced_with_state, warn_pickle};

/// Items of a block.
const BLOCK: usize = 57;

#[derive(Trace, Payload)]
#[payload(class = TEE_DATA)]
pub struct TeeData {
    iterator: Value,
    values: Locked<Vec<Value>>,
    next: ValueCell,
    running: AtomicBool,
}
static DATA_LAYOUT: VTable = VTable::of::<TeeData>();
pub static TEE_DATA: TypeObject = TypeObject::builtin("_tee_dataobject", Some(&OBJECT), &DATA_LAYOUT);

#[derive(Trace, Payload)]
#[payload(class = TEE)]
pub struct Tee {
    data: ValueCell,
    index: AtomicUsize,
}
static LAYOUT: VTable = VTable::of::<Tee>();
pub static TEE: TypeObject = TypeObject::builtin("_tee", Some(&OBJECT), &LAYOUT);

pub static DEF: ClassDef = ClassDef {
    module: "itertools",
    doc: "Iterator wrapped to make it copyable.",
    sig: "(iterable, /)",
    methods: METHODS,
    slots: SlotDefs {
        new: Some(|th, cls, args| {
            let given = positional(th, cls, &TEE, args, 1, 1)?;
            new(th, &given[0])
        }),
        iter: Some(self_iter),
        next: Some(next),
        ..SlotDefs::EMPTY
    },
    flags: type_flag::WEAKREF | type_flag::HAVE_GC,
    ..ClassDef::new(&TEE)
};
static METHODS: &[Method] = &[
    method("__copy__", "()", "Returns an independent iterator.", |_, a| Ok(copy(a.this::<Tee>()))),
    method("__reduce__", "()", "Return state information for pickling.", reduce),
    method("__setstate__", "(object, /)", "Set state information for unpickling.", setstate),
];
pub static DATA_DEF: ClassDef = ClassDef {
    module: "itertools",
    doc: "Data container common to multiple tee objects.",
    methods: &[method("__reduce__", "()", "Return state information for pickling.", data_reduce)],
    slots: SlotDefs { new: Some(data_new), ..SlotDefs::EMPTY },
    flags: type_flag::HAVE_GC,
    ..ClassDef::new(&TEE_DATA)
};

impl TeeData {
    fn over(iterator: Value) -> Ref<TeeData> {
        Ref::new(TeeData {
            iterator,
            values: Locked::new(Vec::new()),
            next: ValueCell::empty(),
            running: AtomicBool::new(false),
        })
    }
    fn item(&self, th: &mut Thread, i: usize) -> PyResult<Option<Value>> {
        let known = self.values.lock().get(i).cloned();
        if known.is_some() {
            return Ok(known);
        }
        if self.running.swap(true, Relaxed) {
            return Err(runtime_error(th, "cannot re-enter the tee iterator"));
        }
        let item = iter::next(th, &self.iterator);
        self.running.store(false, Relaxed);
        if let Ok(Some(item)) = &item {
            self.values.lock().push(item.clone());
        }
        item
    }
    fn next(&self) -> Value {
        match self.next.get() {
            Some(next) => next,
            None => self.next.get_or_set(TeeData::over(self.iterator.clone()).into()),
        }
    }
}

/// A copyable iterator over an iterable.
pub fn new(th: &mut Thread, iterable: &Value) -> PyResult<Value> {
    let it = iter::iter(th, iterable)?;
    if let Some(tee) = it.downcast_exact::<Tee>() {
        return Ok(copy(tee));
    }
    let data = Value::from(TeeData::over(it));
    Ok(Ref::new(Tee { data: data.into(), index: AtomicUsize::new(0) }).into())
}

fn copy(tee: &Tee) -> Value {
    Ref::new(Tee { data: ValueCell::new(tee.data.get()), index: AtomicUsize::new(tee.index.load(Relaxed)) }).into()
}

fn next(th: &mut Thread, v: &Value) -> PyResult<Option<Value>> {
    let tee: &Tee = v.downcast_ref().expect("the slot belongs to _tee");
    let Some(mut data) = tee.data.get() else { return Ok(None) };
    if tee.index.load(Relaxed) >= BLOCK {
        let following = data.downcast_ref::<TeeData>().map(TeeData::next);
        let Some(following) = following else { return Ok(None) };
        tee.data.set(Some(following.clone()));
        tee.index.store(0, Relaxed);
        data = following;
    }
    let i = tee.index.load(Relaxed);
    let Some(block) = data.downcast_ref::<TeeData>() else { return Ok(None) };
    let item = block.item(th, i)?;
    if item.is_some() {
        tee.index.store(i + 1, Relaxed);
    }
    Ok(item)
}

fn reduce(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    warn_pickle(th)?;
    let tee = a.this::<Tee>();
    let state = Tuple::of([tee.data.get().unwrap_or(Value::NONE), tee.index.load(Relaxed).into()]);
    Ok(reduced_with_state(&a[0], [Tuple::empty().into()], state.into()))
}

fn setstate(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    warn_pickle(th)?;
    let Some(state) = a[1].downcast_ref::<Tuple>() else {
        return Err(type_error(th, "state is not a tuple"));
    };
    let [data, index] = state.as_slice() else {
        return Err(type_error(th, format!("function takes exactly 2 arguments ({} given)", state.len())));
    };
    if data.downcast_ref::<TeeData>().is_none() {
        let message = format!("argument 1 must be itertools._tee_dataobject, not {}", data.class().name());
        return Err(type_error(th, message));
    }
    let index = state_arg(th, index)?;
    if !(0..=BLOCK as isize).contains(&index) {
        return Err(value_error(th, "Index out of range"));
    }
    let tee = a.this::<Tee>();
    tee.data.set(Some(data.clone()));
    tee.index.store(index as usize, Relaxed);
    Ok(Value::NONE)
}

/// `_tee_dataobject(iterator, values, next)`.
fn data_new(th: &mut Thread, cls: &Ref<Type>, args: &Args<'_>) -> PyResult<Value> {
    let given = positional(th, cls, &TEE_DATA, args, 3, 3)?;
    let Some(values) = given[1].downcast_ref::<List>().map(List::to_vec) else {
        let message = format!("_tee_dataobject() argument 2 must be list, not {}", given[1].class().name());
        return Err(type_error(th, message));
    };
    let linked = given[2].downcast_ref::<TeeData>().is_some();
    let valid = match values.len() {
        n if n > BLOCK => false,
        BLOCK => given[2].is_none() || linked,
        _ => given[2].is_none(),
    };
    if !valid {
        return Err(value_error(th, "Invalid arguments"));
    }
    let data = TeeData::over(given[0].clone());
    *data.values.lock() = values;
    if linked {
        data.next.set(Some(given[2].clone()));
    }
    Ok(data.into())
}

fn data_reduce(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    warn_pickle(th)?;
    let data = a.this::<TeeData>();
    let values = List::new(data.values.get());
    let next = data.next.get().unwrap_or(Value::NONE);
    Ok(reduced(&a[0], [data.iterator.clone(), values.into(), next]))
}
