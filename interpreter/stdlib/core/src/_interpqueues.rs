//! `_interpqueues`: queues between interpreters. CPython counterpart: `Modules/_interpqueuesmodule.c`.
use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard};

use krait_object::native::function;
use krait_object::{Args, List, Locked, Method, ModuleDef, PyResult, Raised, Str, Thread, Tuple, Value};
use krait_runtime::errors::{overflow_error, type_error, value_error};
use krait_runtime::exceptions::{self, RUNTIME_ERROR};
use krait_runtime::import;
use krait_runtime::interpreters::crossing::{self, Crossing, Foreign};
use krait_runtime::interpreters::{self, new_exception_class, raise_of};
use krait_runtime::protocol::{attr, call, number, repr};
use krait_runtime::types::module;

pub static MODULE: ModuleDef = ModuleDef {
    doc: "Queues that pass values from one interpreter to another.",
    functions: FUNCTIONS,
    init: Some(|th, m| {
        let base = RUNTIME_ERROR.to_value();
        let doc = Some("Something is wrong with a queue.");
        let error = new_exception_class(th, "interpreters", "QueueError", doc, vec![base])?;
        let missing = new_exception_class(th, "interpreters", "QueueNotFoundError", None, vec![error.clone()])?;
        let d = module::dict(m);
        d.set_text("QueueError", error.clone());
        d.set_text("QueueNotFoundError", missing.clone());
        let classes = th.interp.extension::<Classes>();
        classes.0.set(Some(Known { error, missing, queue: None, empty: None, full: None }));
        interpreters::at_end(th, forget_interpreter);
        Ok(())
    }),
    ..ModuleDef::new("_interpqueues")
};

/// What becomes of an item whose interpreter has ended, with CPython's numbers.
pub(crate) mod unbound {
    /// It goes.
    pub const REMOVE: i32 = 1;
    /// Whoever gets it gets a stand-in; 2: is told so by an exception.
    pub const REPLACE: i32 = 3;
}
/// A number of [`unbound`] in an argument.
pub(crate) fn unbound_argument(th: &mut Thread, v: &Value) -> PyResult<i32> {
    match number::to_i32(th, v)? {
        n @ unbound::REMOVE..=unbound::REPLACE => Ok(n),
        n => Err(value_error(th, format!("unsupported unboundop {n}"))),
    }
}

struct Item {
    /// The interpreter that put it.
    owner: i64,
    /// Gone with the interpreter.
    data: Option<Crossing>,
    format: i32,
    unbound: i32,
}
struct Queue {
    id: i64,
    /// 0 or less = no limit.
    limit: isize,
    format: i32,
    unbound: i32,
    items: VecDeque<Item>,
    users: i64,
}
struct Queues {
    all: Vec<Queue>,
    next: i64,
}
static QUEUES: Mutex<Queues> = Mutex::new(Queues { all: Vec::new(), next: 1 });
fn queues() -> MutexGuard<'static, Queues> {
    QUEUES.lock().unwrap_or_else(|e| e.into_inner())
}
impl Queues {
    fn find(&mut self, id: i64) -> Result<&mut Queue, Fault> {
        self.all.iter_mut().find(|q| q.id == id).ok_or(Fault::NotFound)
    }
    /// The queue, if that was its last user.
    fn remove_user(&mut self, id: i64) -> Result<Option<Queue>, Fault> {
        let queue = self.find(id)?;
        if queue.users == 0 {
            return Err(Fault::NeverBound);
        }
        queue.users -= 1;
        if queue.users > 0 {
            return Ok(None);
        }
        self.remove(id).map(Some)
    }
    fn remove(&mut self, id: i64) -> Result<Queue, Fault> {
        let at = self.all.iter().position(|q| q.id == id).ok_or(Fault::NotFound)?;
        Ok(self.all.remove(at))
    }
}
fn forget_interpreter(id: i64) {
    let mut dropped = Vec::new();
    for queue in &mut queues().all {
        for item in queue.items.iter_mut().filter(|i| i.owner == id) {
            dropped.push(item.data.take());
        }
        queue.items.retain(|i| i.owner != id || i.unbound != unbound::REMOVE);
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Fault {
    NotFound,
    Empty,
    Full,
    NeverBound,
}

/// The exceptions of an interpreter, and the classes that its Python code registered.
#[derive(Clone)]
struct Known {
    error: Value,
    missing: Value,
    queue: Option<Value>,
    empty: Option<Value>,
    full: Option<Value>,
}
#[derive(Default)]
struct Classes(Locked<Option<Known>>);
/// The Python module that registers its classes.
static REGISTRANT: Mutex<Option<String>> = Mutex::new(None);

/// The classes of the interpreter that runs, those of Python code too if there are any.
fn known(th: &mut Thread) -> PyResult<Known> {
    for _ in 0..2 {
        let classes = th.interp.extension::<Classes>();
        let found = classes.0.lock().clone();
        if let Some(k) = found.as_ref().filter(|k| k.queue.is_some()) {
            return Ok(k.clone());
        }
        if found.is_none() {
            import::import_module(th, "_interpqueues")?;
        }
        let registrant = REGISTRANT.lock().unwrap_or_else(|e| e.into_inner()).clone();
        match registrant {
            Some(name) => import::import_module(th, &name).map(|_| ())?,
            None => break,
        }
    }
    let classes = th.interp.extension::<Classes>();
    let found = classes.0.lock().clone();
    found.ok_or_else(|| krait_runtime::errors::runtime_error(th, "_interpqueues module not imported yet"))
}
fn raise(th: &mut Thread, fault: Fault, id: i64) -> Raised {
    let known = match known(th) {
        Ok(k) => k,
        Err(raised) => return raised,
    };
    let (class, message) = match fault {
        Fault::NotFound => (known.missing, format!("queue {id} not found")),
        Fault::Empty => (known.empty.unwrap_or(known.error), format!("queue {id} is empty")),
        Fault::Full => (known.full.unwrap_or(known.error), format!("queue {id} is full")),
        Fault::NeverBound => (known.error, format!("queue {id} never bound")),
    };
    raise_of(th, &class, message)
}
fn id_argument(th: &mut Thread, v: &Value) -> PyResult<i64> {
    if !number::has_index(v) {
        let class = v.class().name();
        return Err(type_error(th, format!("queue ID must be an int, got {class}")));
    }
    let n = number::index(th, v)?;
    let shown = |th: &mut Thread| repr::repr(th, v);
    match n.as_int_ref().and_then(|n| n.to_i64()) {
        Some(id) if id >= 0 => Ok(id),
        Some(_) => {
            let shown = shown(th)?;
            Err(value_error(th, format!("queue ID must be a non-negative int, got {shown}")))
        }
        None => {
            let shown = shown(th)?;
            Err(overflow_error(th, format!("max queue ID is {}, got {shown}", i64::MAX)))
        }
    }
}

/// A queue on its way: keeps the queue.
struct QueueOnWay(i64);
impl QueueOnWay {
    fn leave(th: &mut Thread, v: &Value) -> PyResult<Crossing> {
        let id = attr::get_text(th, v, "_id")?;
        let id = id_argument(th, &id)?;
        let found = queues().find(id).map(|q| q.users += 1);
        match found {
            Ok(()) => Ok(Crossing::Foreign(Box::new(QueueOnWay(id)))),
            Err(fault) => Err(raise(th, fault, id)),
        }
    }
}
impl Drop for QueueOnWay {
    fn drop(&mut self) {
        let last = queues().remove_user(self.0);
        drop(last);
    }
}
impl Foreign for QueueOnWay {
    fn arrive(&self, th: &mut Thread) -> PyResult<Value> {
        match known(th)?.queue {
            Some(class) => call::call(th, &class, &[Value::from(self.0)]),
            None => Err(krait_runtime::errors::runtime_error(th, "no class of queues is registered")),
        }
    }
}

static FUNCTIONS: &[Method] = &[
    function("create", "(maxsize, fmt, unboundop)", "Make a queue; its number.", |th, a| {
        let limit = number::index_isize(th, &a[0])?;
        let format = number::to_i32(th, &a[1])?;
        let unbound = unbound_argument(th, &a[2])?;
        let mut queues = queues();
        let id = queues.next;
        queues.next += 1;
        queues.all.push(Queue { id, limit, format, unbound, items: VecDeque::new(), users: 0 });
        Ok(Value::from(id))
    }),
    function("destroy", "(qid)", "Drop the queue and what is in it.", |th, a| {
        let id = id_argument(th, &a[0])?;
        let removed = queues().remove(id);
        checked(th, id, removed)?;
        Ok(Value::NONE)
    }),
    function(
        "list_all",
        "()",
        "The numbers of all queues, each with its format and what it does with unbound items.",
        |_, _| {
            let queues = queues();
            let shown = queues
                .all
                .iter()
                .rev()
                .map(|q| Tuple::of([Value::from(q.id), Value::from(q.format), Value::from(q.unbound)]).into());
            Ok(List::new(shown.collect()).into())
        },
    ),
    function("put", "(qid, obj, fmt, unboundop)", "Put a value into the queue.", put),
    function(
        "get",
        "(qid)",
        "The next value: (value, format, None), or (None, None, what to do) for an unbound one.",
        get,
    ),
    function("bind", "(qid)", "One user of the queue more.", |th, a| {
        let id = id_argument(th, &a[0])?;
        let bound = queues().find(id).map(|q| q.users += 1);
        checked(th, id, bound)?;
        Ok(Value::NONE)
    }),
    function("release", "(qid)", "One user of the queue less; it goes with the last.", |th, a| {
        let id = id_argument(th, &a[0])?;
        let last = queues().remove_user(id);
        checked(th, id, last)?;
        Ok(Value::NONE)
    }),
    function("get_maxsize", "(qid)", "The most values that the queue holds, 0 = no limit.", |th, a| {
        let id = id_argument(th, &a[0])?;
        let limit = queues().find(id).map(|q| q.limit);
        checked(th, id, limit).map(|n| Value::from(n as i64))
    }),
    function("get_queue_defaults", "(qid)", "The format, and what is done with unbound items.", |th, a| {
        let id = id_argument(th, &a[0])?;
        let defaults = queues().find(id).map(|q| (q.format, q.unbound));
        let (format, unbound) = checked(th, id, defaults)?;
        Ok(Tuple::of([Value::from(format), Value::from(unbound)]).into())
    }),
    function("is_full", "(qid)", "Whether the queue holds as many values as it may.", |th, a| {
        let id = id_argument(th, &a[0])?;
        let full = queues().find(id).map(|q| q.items.len() as isize == q.limit);
        checked(th, id, full).map(Value::bool)
    }),
    function("get_count", "(qid)", "How many values the queue holds.", |th, a| {
        let id = id_argument(th, &a[0])?;
        let n = queues().find(id).map(|q| q.items.len());
        checked(th, id, n).map(Value::from)
    }),
    function(
        "_register_heap_types",
        "(queuetype, emptyerror, fullerror)",
        "Use this class for queues that arrive, and these exceptions.",
        register,
    ),
];

fn checked<T>(th: &mut Thread, id: i64, result: Result<T, Fault>) -> PyResult<T> {
    result.map_err(|fault| raise(th, fault, id))
}
fn put(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let id = id_argument(th, &a[0])?;
    let format = number::to_i32(th, &a[2])?;
    let unbound = unbound_argument(th, &a[3])?;
    let exists = queues().find(id).map(|_| ());
    checked(th, id, exists)?;
    let data = Crossing::leave(th, &a[1])?;
    let mut item = Some(Item { owner: interpreters::current(th).id(), data: Some(data), format, unbound });
    let result = queues().find(id).and_then(|q| {
        if q.limit > 0 && q.items.len() as isize >= q.limit {
            return Err(Fault::Full);
        }
        q.items.extend(item.take());
        Ok(())
    });
    // What was not taken may hold another queue: it goes without the lock.
    drop(item);
    checked(th, id, result)?;
    Ok(Value::NONE)
}
fn get(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    crossing::release_returned(th);
    let id = id_argument(th, &a[0])?;
    let item = queues().find(id).and_then(|q| q.items.pop_front().ok_or(Fault::Empty));
    let item = checked(th, id, item)?;
    let (format, unbound) = (Value::from(item.format), Value::from(item.unbound));
    match item.data {
        Some(data) => Ok(Tuple::of([data.arrive(th)?, format, Value::NONE]).into()),
        None => Ok(Tuple::of([Value::NONE, format, unbound]).into()),
    }
}
fn register(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    if !interpreters::is_class(&a[0]) {
        return Err(type_error(th, "expected a type for 'queuetype'"));
    }
    for (at, name) in [(1, "emptyerror"), (2, "fullerror")] {
        if !exceptions::is_exception_class(&a[at]) {
            return Err(type_error(th, format!("expected an exception type for '{name}'")));
        }
    }
    let by = attr::get_text(th, &a[0], "__module__")?.downcast_ref::<Str>().map(|m| m.to_string_lossy().into_owned());
    let classes = th.interp.extension::<Classes>();
    let before = classes.0.lock().as_mut().and_then(|k| {
        let before = k.queue.replace(a[0].clone());
        k.empty = Some(a[1].clone());
        k.full = Some(a[2].clone());
        before
    });
    if let Some(class) = before {
        crossing::unregister(th, &class);
    }
    crossing::register(th, &a[0], QueueOnWay::leave);
    *REGISTRANT.lock().unwrap_or_else(|e| e.into_inner()) = by;
    Ok(Value::NONE)
}
