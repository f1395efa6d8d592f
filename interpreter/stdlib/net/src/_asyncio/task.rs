//! `Task`: the future of a coroutine that the loop drives. How it is driven is in `step.rs`.
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};

use krait_object::builtin_types::STR;
use krait_object::native::{Sig, class_method, getset, getter, method};
use krait_object::{
    Args, ClassDef, GetSet, Method, PyResult, Ref, SlotDefs, Thread, TypeObject, VTable, Value, ValueCell,
};
use krait_runtime::errors::{runtime_error, type_error};
use krait_runtime::protocol::{attr, call, compare, repr};
use krait_runtime::types::generator::Coroutine;
use krait_runtime::types::generic_alias::class_getitem;

use super::future::{self, FLAGS, FUTURE, Future, Status};
use super::state::State;
use super::{step, tasks};

#[repr(C)]
#[derive(krait_macros::Trace, krait_macros::Payload)]
#[payload(class = TASK, extends = Future)]
pub(super) struct Task {
    pub future: Future,
    pub waiter: ValueCell,
    pub coroutine: ValueCell,
    name: ValueCell,
    pub context: ValueCell,
    /// The coroutine gets a CancelledError when it goes on.
    #[trace(skip)]
    pub must_cancel: AtomicBool,
    #[trace(skip)]
    log_destroy_pending: AtomicBool,
    #[trace(skip)]
    cancels_requested: AtomicU64,
}
static LAYOUT: VTable = VTable::of::<Task>();
pub(super) static TASK: TypeObject = TypeObject::builtin("Task", Some(&FUTURE), &LAYOUT);

pub(super) static DEF: ClassDef = ClassDef {
    module: "_asyncio",
    doc: "A coroutine wrapped in a Future.",
    sig: "(coro, *, loop=None, name=None, context=None, eager_start=False)",
    methods: METHODS,
    getset: GETSET,
    slots: SlotDefs {
        new: Some(|_, class, _| {
            let task = Task {
                future: Future::new(),
                waiter: ValueCell::empty(),
                coroutine: ValueCell::empty(),
                name: ValueCell::empty(),
                context: ValueCell::empty(),
                must_cancel: AtomicBool::new(false),
                log_destroy_pending: AtomicBool::new(true),
                cancels_requested: AtomicU64::new(0),
            };
            Ok(Ref::with_class(task, class.object()).into())
        }),
        init: Some(init),
        repr: Some(|th, v| {
            let show = State::get(th)?.task_repr.clone();
            call::call(th, &show, &[v.clone()])
        }),
        finalize: Some(finalize),
        ..SlotDefs::EMPTY
    },
    flags: FLAGS,
    ..ClassDef::new(&TASK)
};

pub(super) fn task(v: &Value) -> &Task {
    v.downcast_ref().expect("the descriptor checked the class of self")
}

/// Counts the names given to tasks without one.
static NAMES: AtomicU64 = AtomicU64::new(0);

fn init(th: &mut Thread, v: &Value, args: &Args<'_>) -> PyResult<()> {
    static SIG: Sig = Sig::new("(coro, *, loop=None, name=None, context=None, eager_start=False)");
    let bound = SIG.bind(th, "Task", "Task", args, 0)?;
    let a = bound.args();
    future::init(th, v, a.opt_not_none(1))?;
    let state = State::get(th)?;
    if !is_coroutine(th, &state, &a[0])? {
        task(v).log_destroy_pending.store(false, Relaxed);
        let shown = repr::repr(th, &a[0])?;
        return Err(type_error(th, format!("a coroutine was expected, got {shown}")));
    }
    let context = match a.opt_not_none(3) {
        Some(c) => c.clone(),
        None => future::copy_context(th)?,
    };
    let t = task(v);
    t.context.set(Some(context));
    t.waiter.set(None);
    t.must_cancel.store(false, Relaxed);
    t.log_destroy_pending.store(true, Relaxed);
    t.cancels_requested.store(0, Relaxed);
    t.coroutine.set(Some(a[0].clone()));
    let name = match a.opt_not_none(2) {
        Some(name) if name.is_exact(&STR) => name.clone(),
        Some(name) => repr::str(th, name)?.into(),
        None => Value::from(format!("Task-{}", NAMES.fetch_add(1, Relaxed) + 1)),
    };
    task(v).name.set(Some(name));
    let eager = match a.opt(4) {
        Some(eager) => compare::truth(th, eager)?,
        None => false,
    };
    if eager {
        let own = future::check_alive(th, v)?;
        let running = attr::call_method(th, &own, "is_running", &[])?;
        if compare::truth(th, &running)? {
            return step::eager_start(th, &state, v);
        }
    }
    step::soon(th, v, None)?;
    tasks::register(th, &state, v)
}
fn is_coroutine(th: &mut Thread, state: &State, v: &Value) -> PyResult<bool> {
    if v.downcast_exact::<Coroutine>().is_some() {
        return Ok(true);
    }
    let answer = call::call(th, &state.is_coroutine, &[v.clone()])?;
    compare::truth(th, &answer)
}
fn finalize(th: &mut Thread, v: &Value) {
    if future::future(v).status() == Status::Pending && task(v).log_destroy_pending.load(Relaxed) {
        future::tell_loop(th, v, "Task was destroyed but it is pending!".into(), &[("task", v.clone())]);
    }
    future::finalize(th, v);
}
fn cancel(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let (v, message) = (&a[0], a.opt(1).cloned().unwrap_or(Value::NONE));
    let t = task(v);
    t.future.log_traceback.store(false, Relaxed);
    if t.future.status() != Status::Pending {
        return Ok(Value::FALSE);
    }
    t.cancels_requested.fetch_add(1, Relaxed);
    if step::cancel_waiter(th, v, &message)? {
        return Ok(Value::TRUE);
    }
    let t = task(v);
    t.must_cancel.store(true, Relaxed);
    t.future.cancel_message.set(Some(message));
    Ok(Value::TRUE)
}

static METHODS: &[Method] = &[
    method("set_result", "(result, /)", "", |th, _| {
        Err(runtime_error(th, "Task does not support set_result operation"))
    }),
    method("set_exception", "(exception, /)", "", |th, _| {
        Err(runtime_error(th, "Task does not support set_exception operation"))
    }),
    method(
        "cancel",
        "(msg=None)",
        "Request that this task cancel itself.\n\nA CancelledError is thrown into the coroutine when the loop comes to it \
         next; the coroutine may catch it\nand go on. The number of requests is counted.",
        cancel,
    ),
    method("cancelling", "()", "Return the count of the task's cancellation requests.", |_, a| {
        Ok(task(&a[0]).cancels_requested.load(Relaxed).into())
    }),
    method(
        "uncancel",
        "()",
        "Decrement the task's count of cancellation requests, and return what remains.",
        |_, a| {
            let t = task(&a[0]);
            let left = t.cancels_requested.load(Relaxed).saturating_sub(1);
            if t.cancels_requested.swap(left, Relaxed) == 1 {
                t.must_cancel.store(false, Relaxed);
            }
            Ok(left.into())
        },
    ),
    method(
        "get_stack",
        "(*, limit=None)",
        "Return the list of stack frames for this task's coroutine, the oldest first.\n\nOf a suspended coroutine it is \
         the one frame where it waits; of one that raised, the frames of the traceback.",
        |th, a| {
            let f = State::get(th)?.task_get_stack.clone();
            call::call(th, &f, &[a[0].clone(), a.opt(1).cloned().into()])
        },
    ),
    method(
        "print_stack",
        "(*, limit=None, file=None)",
        "Print the stack or traceback for this task's coroutine, to sys.stderr if no file is given.",
        |th, a| {
            let f = State::get(th)?.task_print_stack.clone();
            call::call(th, &f, &[a[0].clone(), a.opt(1).cloned().into(), a.opt(2).cloned().into()])
        },
    ),
    method("get_name", "()", "", |_, a| Ok(task(&a[0]).name.get().into())),
    method("set_name", "(value, /)", "", |th, a| {
        let name = if a[1].is_exact(&STR) { a[1].clone() } else { repr::str(th, &a[1])?.into() };
        task(&a[0]).name.set(Some(name));
        Ok(Value::NONE)
    }),
    method("get_coro", "()", "", |_, a| Ok(task(&a[0]).coroutine.get().into())),
    method("get_context", "()", "", |_, a| Ok(task(&a[0]).context.get().into())),
    class_method("__class_getitem__", "(object, /)", "See PEP 585", class_getitem),
];
static GETSET: &[GetSet] = &[
    getset(
        "_log_destroy_pending",
        "",
        |_, v| Ok(Value::bool(task(v).log_destroy_pending.load(Relaxed))),
        |th, v, new| {
            let new = future::deleted(th, new)?;
            let new = compare::truth(th, new)?;
            task(v).log_destroy_pending.store(new, Relaxed);
            Ok(())
        },
    ),
    getter("_must_cancel", "", |_, v| Ok(Value::bool(task(v).must_cancel.load(Relaxed)))),
    getter("_coro", "", |_, v| Ok(task(v).coroutine.get().into())),
    getter("_fut_waiter", "", |_, v| Ok(task(v).waiter.get().into())),
];
