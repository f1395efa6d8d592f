//! `_queue`: the queue without bounds that is safe in finalisers.
use std::collections::VecDeque;
use std::time::Duration;

use krait_object::builtin_types::OBJECT;
use krait_object::native::{class_method, method};
use krait_object::{
    Args, ClassDef, Locked, Method, ModuleDef, PyResult, Raised, Ref, SlotDefs, Thread, Type, TypeObject, VTable,
    Value, type_flag,
};
use krait_platform::thread::Semaphore;
use krait_runtime::errors::{raise_value, value_error};
use krait_runtime::exceptions::EXCEPTION;
use krait_runtime::protocol::{call, compare};
use krait_runtime::types::generic_alias::class_getitem;
use krait_runtime::types::module;

use krait_runtime::seconds::{Rounding, nanoseconds};

pub static MODULE: ModuleDef = ModuleDef {
    doc: "The queue without bounds that is safe in finalisers.",
    classes: &[&DEF],
    init: Some(|th, m| {
        let empty = crate::_signal::new_exception(th, "Empty", "_queue", EXCEPTION.to_value())?;
        th.interp.extension::<Empty>().0.set(empty.to_ref());
        module::dict(m).set_text("Empty", empty);
        Ok(())
    }),
    ..ModuleDef::new("_queue")
};
#[derive(Default)]
struct Empty(Locked<Option<Ref<Type>>>);

#[derive(krait_macros::Trace, krait_macros::Payload)]
#[payload(class = SIMPLE_QUEUE)]
struct SimpleQueue {
    items: Locked<VecDeque<Value>>,
    /// Counts the items that nobody has claimed.
    #[trace(skip)]
    available: Semaphore,
}
static LAYOUT: VTable = VTable::of::<SimpleQueue>();
static SIMPLE_QUEUE: TypeObject = TypeObject::builtin("SimpleQueue", Some(&OBJECT), &LAYOUT);
static DEF: ClassDef = ClassDef {
    module: "_queue",
    doc: "Simple, unbounded, reentrant FIFO queue.",
    sig: "()",
    methods: METHODS,
    slots: SlotDefs {
        new: Some(|_, class, _| {
            let queue = SimpleQueue { items: Locked::default(), available: Semaphore::new(0) };
            Ok(Ref::with_class(queue, class.object()).into())
        }),
        ..SlotDefs::EMPTY
    },
    flags: type_flag::BASE | type_flag::HAVE_GC | type_flag::WEAKREF,
    ..ClassDef::new(&SIMPLE_QUEUE)
};
fn put(_: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let q = a.this::<SimpleQueue>();
    q.items.lock().push_back(a[1].clone());
    q.available.post();
    Ok(Value::NONE)
}
fn empty(th: &mut Thread) -> Raised {
    let Some(class) = th.interp.extension::<Empty>().0.get() else { return value_error(th, "queue is empty") };
    match call::call(th, class.as_value(), &[]) {
        Ok(e) => raise_value(th, e),
        Err(raised) => raised,
    }
}
fn get(th: &mut Thread, v: &Value, timeout: Option<Duration>) -> PyResult<Value> {
    let object = v.clone();
    let q = object.downcast_ref::<SimpleQueue>().expect("the descriptor checked the class");
    if !crate::_thread::wait(th, &q.available, timeout)? {
        return Err(empty(th));
    }
    let item = q.items.lock().pop_front();
    item.ok_or_else(|| empty(th))
}
static METHODS: &[Method] = &[
    method("put", "(item, block=True, timeout=None)", "Put an item into the queue; it never blocks.", put),
    method("put_nowait", "(item)", "Put an item into the queue.", put),
    method("get", "(block=True, timeout=None)", "Take an item from the queue, waiting for one if need be.", |th, a| {
        let block = a.opt(1).map_or(Ok(true), |b| compare::truth(th, b))?;
        let timeout = match a.opt_not_none(2) {
            _ if !block => Some(Duration::ZERO),
            None => None,
            Some(t) => {
                let ns = nanoseconds(th, t, Rounding::Ceiling)?;
                match u64::try_from(ns) {
                    Ok(ns) => Some(Duration::from_nanos(ns)),
                    Err(_) => return Err(value_error(th, "'timeout' must be a non-negative number")),
                }
            }
        };
        get(th, &a[0], timeout)
    }),
    method("get_nowait", "()", "Take an item from the queue, or raise Empty.", |th, a| {
        get(th, &a[0], Some(Duration::ZERO))
    }),
    method("empty", "()", "Whether the queue is empty, as far as can be told.", |_, a| {
        Ok(Value::bool(a.this::<SimpleQueue>().items.lock().is_empty()))
    }),
    method("qsize", "()", "The number of items, as far as can be told.", |_, a| {
        Ok(a.this::<SimpleQueue>().items.lock().len().into())
    }),
    class_method("__class_getitem__", "(object, /)", "See PEP 585", class_getitem),
];
