//! `Future`: a result that is not there yet, and who is to be told about it through the loop.
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering::Relaxed};

use krait_object::builtin_types::OBJECT;
use krait_object::native::{Sig, class_method, getset, getter, method};
use krait_object::{
    ClassDef, Dict, GetSet, List, Locked, Method, PyResult, Raised, Ref, SlotDefs, Thread, Tuple, TypeObject, VTable,
    Value, ValueCell, type_flag,
};
use krait_runtime::errors::{self, chain, raise_value, runtime_error, type_error, value_error};
use krait_runtime::exceptions as exc;
use krait_runtime::protocol::{attr, call, compare};
use krait_runtime::types::generic_alias::class_getitem;

use super::state::State;
use super::{get_event_loop, iterator};

#[derive(Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Status {
    Pending,
    Cancelled,
    Finished,
}

#[repr(C)]
#[derive(krait_macros::Trace, krait_macros::Payload)]
#[payload(class = FUTURE)]
pub(super) struct Future {
    /// Empty before `__init__`.
    pub own_loop: ValueCell,
    /// Functions and the contexts in which they are called.
    callbacks: Locked<Vec<(Value, Value)>>,
    exception: ValueCell,
    /// The exception's traceback when it was set.
    traceback: ValueCell,
    result: ValueCell,
    pub source_traceback: ValueCell,
    pub cancel_message: ValueCell,
    /// What the coroutine raised, to be raised again for whoever asks first.
    pub cancelled_exception: ValueCell,
    dict: ValueCell,
    #[trace(skip)]
    status: AtomicU8,
    /// The exception must be logged if nobody asks for it.
    #[trace(skip)]
    pub log_traceback: AtomicBool,
    #[trace(skip)]
    blocking: AtomicBool,
}
static LAYOUT: VTable = VTable::of::<Future>();
pub(super) static FUTURE: TypeObject = TypeObject::builtin("Future", Some(&OBJECT), &LAYOUT);

pub(super) const FLAGS: u32 = type_flag::BASE | type_flag::HAVE_GC | type_flag::WEAKREF;

pub(super) static DEF: ClassDef = ClassDef {
    module: "_asyncio",
    doc: "A result that will be there later, as asyncio.futures.Future: callbacks are called by the event loop.",
    sig: "(*, loop=None)",
    methods: METHODS,
    getset: GETSET,
    slots: SlotDefs {
        new: Some(|_, class, _| Ok(Ref::with_class(Future::new(), class.object()).into())),
        init: Some(|th, v, args| {
            static SIG: Sig = Sig::new("(*, loop=None)");
            let bound = SIG.bind(th, "Future", "Future", args, 0)?;
            init(th, v, bound.args().opt_not_none(0))
        }),
        repr: Some(|th, v| {
            let show = State::get(th)?.future_repr.clone();
            call::call(th, &show, &[v.clone()])
        }),
        iter: Some(iterator::new),
        await_: Some(iterator::new),
        finalize: Some(finalize),
        ..SlotDefs::EMPTY
    },
    flags: FLAGS,
    dict_cell: Some(|v| v.downcast_ref::<Future>().map(|f| &f.dict)),
    ..ClassDef::new(&FUTURE)
};

pub(super) fn future(v: &Value) -> &Future {
    v.downcast_ref().expect("the descriptor checked the class of self")
}

impl Future {
    pub fn new() -> Future {
        Future {
            own_loop: ValueCell::empty(),
            callbacks: Locked::default(),
            exception: ValueCell::empty(),
            traceback: ValueCell::empty(),
            result: ValueCell::empty(),
            source_traceback: ValueCell::empty(),
            cancel_message: ValueCell::empty(),
            cancelled_exception: ValueCell::empty(),
            dict: ValueCell::empty(),
            status: AtomicU8::new(Status::Pending as u8),
            log_traceback: AtomicBool::new(false),
            blocking: AtomicBool::new(false),
        }
    }
    pub fn status(&self) -> Status {
        match self.status.load(Relaxed) {
            0 => Status::Pending,
            1 => Status::Cancelled,
            _ => Status::Finished,
        }
    }
    fn set_status(&self, status: Status) {
        self.status.store(status as u8, Relaxed);
    }
    pub fn blocking(&self) -> bool {
        self.blocking.load(Relaxed)
    }
    pub fn set_blocking(&self, blocking: bool) {
        self.blocking.store(blocking, Relaxed);
    }
    fn clear(&self) {
        let old = std::mem::take(&mut *self.callbacks.lock());
        drop(old);
        for cell in [
            &self.own_loop,
            &self.exception,
            &self.traceback,
            &self.result,
            &self.source_traceback,
            &self.cancel_message,
            &self.cancelled_exception,
        ] {
            cell.set(None);
        }
        self.set_status(Status::Pending);
        self.log_traceback.store(false, Relaxed);
        self.set_blocking(false);
    }
}

/// `Future.__init__`
pub(super) fn init(th: &mut Thread, v: &Value, given: Option<&Value>) -> PyResult<()> {
    future(v).clear();
    let own = match given {
        Some(l) => l.clone(),
        None => get_event_loop(th)?,
    };
    future(v).own_loop.set(Some(own.clone()));
    let debug = attr::call_method(th, &own, "get_debug", &[])?;
    if compare::truth(th, &debug)? {
        let extract = State::get(th)?.extract_stack.clone();
        let stack = call::call(th, &extract, &[])?;
        future(v).source_traceback.set(Some(stack));
    }
    Ok(())
}
/// The loop, or the error of an object without `__init__`.
pub(super) fn check_alive(th: &mut Thread, v: &Value) -> PyResult<Value> {
    match future(v).own_loop.get() {
        Some(l) => Ok(l),
        None => Err(runtime_error(th, "Future object is not initialized.")),
    }
}

/// `loop.call_soon(function, *argument, context=context)`
pub(super) fn call_soon(
    th: &mut Thread,
    own_loop: &Value,
    function: Value,
    argument: Option<&Value>,
    context: Option<Value>,
) -> PyResult<()> {
    let f = attr::get_text(th, own_loop, "call_soon")?;
    let mut args = vec![function];
    args.extend(argument.cloned());
    match context {
        Some(c) => {
            args.push(c);
            call::call_kw(th, &f, &args, &[krait_object::intern::intern("context").into()]).map(drop)
        }
        None => call::call(th, &f, &args).map(drop),
    }
}
fn schedule_callbacks(th: &mut Thread, v: &Value) -> PyResult<()> {
    let callbacks = std::mem::take(&mut *future(v).callbacks.lock());
    if callbacks.is_empty() {
        return Ok(());
    }
    let own = check_alive(th, v)?;
    for (callback, context) in callbacks {
        call_soon(th, &own, callback, Some(v), Some(context))?;
    }
    Ok(())
}
pub(super) fn set_result(th: &mut Thread, v: &Value, result: &Value) -> PyResult<()> {
    check_alive(th, v)?;
    check_pending(th, v)?;
    future(v).result.set(Some(result.clone()));
    future(v).set_status(Status::Finished);
    schedule_callbacks(th, v)
}
fn check_pending(th: &mut Thread, v: &Value) -> PyResult<()> {
    if future(v).status() == Status::Pending {
        return Ok(());
    }
    Err(State::get(th)?.invalid(th, "invalid state"))
}
pub(super) fn set_exception(th: &mut Thread, v: &Value, exception: &Value) -> PyResult<()> {
    check_pending(th, v)?;
    let mut e = exception.clone();
    if exc::is_exception_class(&e) {
        e = call::call(th, &e, &[])?;
        check_pending(th, v)?;
    }
    if !exc::is_exception(&e) {
        return Err(type_error(th, "invalid exception object"));
    }
    if e.is_instance(&exc::STOP_ITERATION) {
        let message = "StopIteration interacts badly with generators and cannot be raised into a Future";
        let wrapped = exc::new_exception(&exc::RUNTIME_ERROR, message);
        chain(&wrapped, &e);
        e = wrapped;
    }
    let f = future(v);
    f.traceback.set(exc::base(&e).and_then(|b| b.traceback.get()));
    f.exception.set(Some(e));
    f.set_status(Status::Finished);
    schedule_callbacks(th, v)?;
    future(v).log_traceback.store(true, Relaxed);
    Ok(())
}
/// Whether the future was pending and is cancelled now.
pub(super) fn cancel(th: &mut Thread, v: &Value, message: Option<Value>) -> PyResult<bool> {
    let f = future(v);
    f.log_traceback.store(false, Relaxed);
    if f.status() != Status::Pending {
        return Ok(false);
    }
    f.set_status(Status::Cancelled);
    f.cancel_message.set(message);
    schedule_callbacks(th, v)?;
    Ok(true)
}
pub(super) fn cancelled_error(th: &mut Thread, v: &Value) -> PyResult<Value> {
    if let Some(e) = future(v).cancelled_exception.take() {
        return Ok(e);
    }
    let class = State::get(th)?.cancelled.clone();
    match future(v).cancel_message.get().filter(|m| !m.is_none()) {
        Some(message) => call::call(th, &class, &[message]),
        None => call::call(th, &class, &[]),
    }
}
fn raise_cancelled(th: &mut Thread, v: &Value) -> Raised {
    match cancelled_error(th, v) {
        Ok(e) => raise_value(th, e),
        Err(raised) => raised,
    }
}
/// What the future got: the result, or the exception as `Err` of the inner result. The outer error is that there is
/// neither.
pub(super) fn outcome(th: &mut Thread, v: &Value) -> PyResult<Result<Value, Value>> {
    let f = future(v);
    match f.status() {
        Status::Cancelled => return Err(raise_cancelled(th, v)),
        Status::Pending => return Err(State::get(th)?.invalid(th, "Result is not set.")),
        Status::Finished => {}
    }
    f.log_traceback.store(false, Relaxed);
    match f.exception.get() {
        Some(e) => {
            if let Some(b) = exc::base(&e) {
                b.traceback.set(f.traceback.take());
            }
            Ok(Err(e))
        }
        None => Ok(Ok(f.result.get().unwrap_or(Value::NONE))),
    }
}
/// As [`check_alive`], with the error that waiting for a result has.
fn check_initialized(th: &mut Thread, v: &Value) -> PyResult<()> {
    match future(v).own_loop.is_set() {
        true => Ok(()),
        false => Err(State::get(th)?.invalid(th, "Future object is not initialized.")),
    }
}
pub(super) fn result(th: &mut Thread, v: &Value) -> PyResult<Value> {
    check_initialized(th, v)?;
    match outcome(th, v)? {
        Ok(result) => Ok(result),
        Err(e) => Err(raise_value(th, e)),
    }
}
pub(super) fn copy_context(th: &mut Thread) -> PyResult<Value> {
    let copy = State::get(th)?.copy_context.clone();
    call::call(th, &copy, &[])
}
pub(super) fn add_done_callback(th: &mut Thread, v: &Value, f: Value, context: Option<Value>) -> PyResult<()> {
    let own = check_alive(th, v)?;
    let context = match context {
        Some(c) => c,
        None => copy_context(th)?,
    };
    if future(v).status() != Status::Pending {
        return call_soon(th, &own, f, Some(v), Some(context));
    }
    future(v).callbacks.lock().push((f, context));
    Ok(())
}
fn remove_done_callback(th: &mut Thread, v: &Value, wanted: &Value) -> PyResult<usize> {
    check_alive(th, v)?;
    // Comparing may change the callbacks, so each one is looked up anew.
    let (mut i, mut removed) = (0, 0);
    loop {
        let Some((callback, context)) = future(v).callbacks.lock().get(i).cloned() else { return Ok(removed) };
        if !compare::eq(th, &callback, wanted)? {
            i += 1;
            continue;
        }
        removed += 1;
        let gone = {
            let mut all = future(v).callbacks.lock();
            let same = |(f, c): &(Value, Value)| f.is(&callback) && c.is(&context);
            all.get(i).is_some_and(same).then(|| all.remove(i))
        };
        if gone.is_none() {
            i += 1;
        }
    }
}
/// Tells the loop about something that nobody can handle: `call_exception_handler(context)`.
pub(super) fn tell_loop(th: &mut Thread, v: &Value, message: String, entries: &[(&str, Value)]) {
    let earlier = th.exc.take();
    let context = Dict::new();
    context.set_text("message", message);
    for (name, value) in entries {
        context.set_text(name, value.clone());
    }
    if let Some(stack) = future(v).source_traceback.get() {
        context.set_text("source_traceback", stack);
    }
    if let Some(own) = future(v).own_loop.get() {
        match attr::get_text(th, &own, "call_exception_handler") {
            Ok(f) => {
                if call::call(th, &f, &[context.into()]).is_err() {
                    errors::write_unraisable(th, Some(&f));
                }
            }
            Err(_) => errors::write_unraisable(th, Some(v)),
        }
    }
    th.exc = earlier;
}
pub(super) fn finalize(th: &mut Thread, v: &Value) {
    if !future(v).log_traceback.swap(false, Relaxed) {
        return;
    }
    let Some(e) = future(v).exception.get() else { return };
    let message = format!("{} exception was never retrieved", v.class().name());
    tell_loop(th, v, message, &[("exception", e), ("future", v.clone())]);
}

pub(super) static METHODS: &[Method] = &[
    method(
        "result",
        "()",
        "Return the result this future represents.\n\nIf the future has been cancelled, raises CancelledError. If the \
         future's\nresult isn't yet available, raises InvalidStateError. If\nthe future is done and has an exception \
         set, this exception is raised.",
        |th, a| result(th, &a[0]),
    ),
    method(
        "exception",
        "()",
        "Return the exception that was set on this future.\n\nThe exception (or None if no exception was set) is \
         returned only if\nthe future is done.",
        |th, a| {
            check_initialized(th, &a[0])?;
            let f = future(&a[0]);
            match f.status() {
                Status::Cancelled => Err(raise_cancelled(th, &a[0])),
                Status::Pending => Err(State::get(th)?.invalid(th, "Exception is not set.")),
                Status::Finished => {
                    f.log_traceback.store(false, Relaxed);
                    Ok(f.exception.get().into())
                }
            }
        },
    ),
    method("set_result", "(result, /)", "Mark the future done and set its result.", |th, a| {
        set_result(th, &a[0], &a[1]).map(Value::from)
    }),
    method("set_exception", "(exception, /)", "Mark the future done and set an exception.", |th, a| {
        check_alive(th, &a[0])?;
        set_exception(th, &a[0], &a[1]).map(Value::from)
    }),
    method(
        "add_done_callback",
        "(fn, /, *, context=<unrepresentable>)",
        "Add a callback to be run when the future becomes done.\n\nThe callback is called with the future. If the future \
         is done already, the loop is asked to call it soon.",
        |th, a| add_done_callback(th, &a[0], a[1].clone(), a.opt_not_none(2).cloned()).map(Value::from),
    ),
    method(
        "remove_done_callback",
        "(fn, /)",
        "Remove all instances of a callback from the \"call when done\" list.\n\nReturns the number of callbacks removed.",
        |th, a| remove_done_callback(th, &a[0], &a[1]).map(Value::from),
    ),
    method(
        "cancel",
        "(msg=None)",
        "Cancel the future and schedule callbacks.\n\nA future that is done already stays as it is, and the answer is \
         False.",
        |th, a| {
            check_alive(th, &a[0])?;
            cancel(th, &a[0], a.opt(1).cloned()).map(Value::bool)
        },
    ),
    method("cancelled", "()", "Return True if the future was cancelled.", |_, a| {
        Ok(Value::bool(future(&a[0]).status() == Status::Cancelled))
    }),
    method(
        "done",
        "()",
        "Return True if the future is done: it has a result or an exception, or was cancelled.",
        |_, a| Ok(Value::bool(future(&a[0]).status() != Status::Pending)),
    ),
    method("get_loop", "()", "Return the event loop the Future is bound to.", |th, a| check_alive(th, &a[0])),
    method("_make_cancelled_error", "()", "Create the CancelledError to raise if the Future is cancelled.", |th, a| {
        cancelled_error(th, &a[0])
    }),
    class_method("__class_getitem__", "(object, /)", "See PEP 585", class_getitem),
];
pub(super) static GETSET: &[GetSet] = &[
    getter("_state", "", |th, v| {
        check_alive(th, v)?;
        Ok(Value::str(match future(v).status() {
            Status::Pending => "PENDING",
            Status::Cancelled => "CANCELLED",
            Status::Finished => "FINISHED",
        }))
    }),
    getset(
        "_asyncio_future_blocking",
        "",
        |_, v| Ok(Value::bool(future(v).own_loop.is_set() && future(v).blocking())),
        |th, v, new| {
            check_alive(th, v)?;
            let new = deleted(th, new)?;
            let new = compare::truth(th, new)?;
            future(v).set_blocking(new);
            Ok(())
        },
    ),
    getter("_loop", "", |_, v| Ok(future(v).own_loop.get().into())),
    getter("_callbacks", "", |th, v| {
        check_alive(th, v)?;
        let all = future(v).callbacks.lock().clone();
        if all.is_empty() {
            return Ok(Value::NONE);
        }
        Ok(List::new(all.into_iter().map(|(f, c)| Tuple::of([f, c]).into()).collect()).into())
    }),
    getter("_result", "", |th, v| {
        check_alive(th, v)?;
        Ok(future(v).result.get().into())
    }),
    getter("_exception", "", |th, v| {
        check_alive(th, v)?;
        Ok(future(v).exception.get().into())
    }),
    getset(
        "_log_traceback",
        "",
        |th, v| {
            check_alive(th, v)?;
            Ok(Value::bool(future(v).log_traceback.load(Relaxed)))
        },
        |th, v, new| {
            let new = deleted(th, new)?;
            if compare::truth(th, new)? {
                return Err(value_error(th, "_log_traceback can only be set to False"));
            }
            future(v).log_traceback.store(false, Relaxed);
            Ok(())
        },
    ),
    getter("_source_traceback", "", |_, v| Ok(future(v).source_traceback.get().into())),
    getset(
        "_cancel_message",
        "",
        |_, v| Ok(future(v).cancel_message.get().into()),
        |th, v, new| {
            let new = deleted(th, new)?.clone();
            future(v).cancel_message.set(Some(new));
            Ok(())
        },
    ),
];
/// The value that is set; these attributes cannot be deleted.
pub(super) fn deleted<'a>(th: &mut Thread, new: Option<&'a Value>) -> PyResult<&'a Value> {
    new.ok_or_else(|| errors::attribute_error(th, "cannot delete attribute"))
}
