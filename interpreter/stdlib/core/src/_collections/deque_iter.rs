//! The forward and reverse iterators of `deque`. CPython: `Modules/_collectionsmodule.c` (dequeiter).
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed};

use krait_macros::{Payload, Trace};
use krait_object::builtin_types::OBJECT;
use krait_object::native::method;
use krait_object::{
    Args, ClassDef, Method, PyResult, Ref, SlotDefs, Thread, Tuple, Type, TypeObject, VTable, Value, type_flag,
};
use krait_runtime::errors::{runtime_error, type_error};
use krait_runtime::protocol::number;
use krait_runtime::types::iterators::self_iter;

use super::deque::Deque;

/// Where an iteration stands.
#[derive(Trace)]
pub struct Cursor {
    deque: Ref<Deque>,
    state: AtomicU64,
    /// Items not yet delivered.
    left: AtomicUsize,
}

#[derive(Trace, Payload)]
#[payload(class = DEQUE_ITERATOR)]
pub struct DequeIter(Cursor);
static LAYOUT: VTable = VTable::of::<DequeIter>();
pub static DEQUE_ITERATOR: TypeObject = TypeObject::builtin("_deque_iterator", Some(&OBJECT), &LAYOUT);

#[derive(Trace, Payload)]
#[payload(class = DEQUE_REVERSE_ITERATOR)]
pub struct DequeReverseIter(Cursor);
static REVERSE_LAYOUT: VTable = VTable::of::<DequeReverseIter>();
pub static DEQUE_REVERSE_ITERATOR: TypeObject =
    TypeObject::builtin("_deque_reverse_iterator", Some(&OBJECT), &REVERSE_LAYOUT);

pub static DEF: ClassDef = ClassDef {
    module: "collections",
    methods: METHODS,
    slots: SlotDefs {
        new: Some(|th, _, args| Ok(Ref::new(DequeIter(cursor_from_args(th, args)?)).into())),
        iter: Some(self_iter),
        next: Some(|th, v| cursor(v).next(th, false)),
        ..SlotDefs::EMPTY
    },
    flags: type_flag::HAVE_GC,
    ..ClassDef::new(&DEQUE_ITERATOR)
};
pub static REVERSE_DEF: ClassDef = ClassDef {
    module: "collections",
    methods: METHODS,
    slots: SlotDefs {
        new: Some(|th, _, args| Ok(Ref::new(DequeReverseIter(cursor_from_args(th, args)?)).into())),
        iter: Some(self_iter),
        next: Some(|th, v| cursor(v).next(th, true)),
        ..SlotDefs::EMPTY
    },
    flags: type_flag::HAVE_GC,
    ..ClassDef::new(&DEQUE_REVERSE_ITERATOR)
};
static METHODS: &[Method] = &[
    method("__length_hint__", "()", "An estimate of the items left.", |_, a| {
        Ok(cursor(&a[0]).left.load(Relaxed).into())
    }),
    method("__reduce__", "()", "Return state information for pickling.", reduce),
];

impl Cursor {
    fn new(deque: Ref<Deque>) -> Cursor {
        let (state, left) = (deque.state(), deque.len());
        Cursor { deque, state: state.into(), left: left.into() }
    }
    fn next(&self, th: &mut Thread, reverse: bool) -> PyResult<Option<Value>> {
        if self.deque.state() != self.state.load(Relaxed) {
            self.left.store(0, Relaxed);
            return Err(runtime_error(th, "deque mutated during iteration"));
        }
        let left = self.left.load(Relaxed);
        if left == 0 {
            return Ok(None);
        }
        self.left.store(left - 1, Relaxed);
        Ok(self.deque.get(if reverse { left - 1 } else { self.deque.len() - left }))
    }
}

fn cursor(v: &Value) -> &Cursor {
    match (v.downcast_ref::<DequeIter>(), v.downcast_ref::<DequeReverseIter>()) {
        (Some(it), _) => &it.0,
        (_, Some(it)) => &it.0,
        _ => unreachable!("the slot belongs to a deque iterator"),
    }
}

pub fn iter(_: &mut Thread, v: &Value) -> PyResult<Value> {
    let deque = v.to_ref::<Deque>().expect("the slot belongs to deque");
    Ok(Ref::new(DequeIter(Cursor::new(deque))).into())
}
pub fn reversed(v: &Value) -> Value {
    let deque = v.to_ref::<Deque>().expect("the descriptor checked the class of self");
    Ref::new(DequeReverseIter(Cursor::new(deque))).into()
}

/// `_deque_iterator(deque, index=0)`: with `index` items already delivered.
fn cursor_from_args(th: &mut Thread, args: &Args<'_>) -> PyResult<Cursor> {
    let pos = args.pos();
    let Some(first) = pos.first() else {
        return Err(type_error(th, "function takes at least 1 argument (0 given)"));
    };
    if pos.len() > 2 {
        return Err(type_error(th, format!("function takes at most 2 arguments ({} given)", pos.len())));
    }
    let Some(deque) = first.to_ref::<Deque>() else {
        let message = format!("argument 1 must be collections.deque, not {}", first.class().name());
        return Err(type_error(th, message));
    };
    let skip = match pos.get(1) {
        Some(n) => number::to_isize(th, n)?.max(0) as usize,
        None => 0,
    };
    let cursor = Cursor::new(deque);
    let left = cursor.left.load(Relaxed);
    cursor.left.store(left.saturating_sub(skip), Relaxed);
    Ok(cursor)
}

fn reduce(_: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let c = cursor(&a[0]);
    let done = c.deque.len().saturating_sub(c.left.load(Relaxed));
    let class: Ref<Type> = a[0].class_ref();
    Ok(Tuple::of([class.into(), Tuple::of([c.deque.to_value(), done.into()]).into()]).into())
}
