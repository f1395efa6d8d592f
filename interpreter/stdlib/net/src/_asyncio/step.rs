//! How a task drives its coroutine: one step, from one thing waited for to the next.
use std::sync::atomic::Ordering::Relaxed;

use krait_object::builtin_types::OBJECT;
use krait_object::intern::intern;
use krait_object::native::{Sig, getter, method};
use krait_object::{ClassDef, GetSet, Method, PyResult, Ref, SlotDefs, Thread, TypeObject, VTable, Value, type_flag};
use krait_runtime::errors::{self, chain_earlier, runtime_error, type_error};
use krait_runtime::exceptions as exc;
use krait_runtime::hooks::next_or_stop;
use krait_runtime::protocol::{attr, call, compare, repr};
use krait_runtime::types::generator::throw::{stop_value, throw_exception};
use krait_runtime::types::generator::{self, Coroutine, Generator, Resume, Resumed};
use krait_runtime::types::native_function::NativeFunction;

use super::future::{self, FUTURE, Future, Status};
use super::state::State;
use super::task::{TASK, task};
use super::tasks;

/// What the loop is asked to call: the task goes on, with an exception if there is one.
#[derive(krait_macros::Trace, krait_macros::Payload)]
#[payload(class = STEP)]
struct Step {
    task: Value,
    exception: Option<Value>,
}
static LAYOUT: VTable = VTable::of::<Step>();
static STEP: TypeObject = TypeObject::builtin("TaskStepMethWrapper", Some(&OBJECT), &LAYOUT);
pub(super) static WRAPPER_DEF: ClassDef = ClassDef {
    getset: WRAPPER_GETSET,
    slots: SlotDefs {
        call: Some(|th, v, args| {
            if args.has_kw() {
                return Err(type_error(th, "function takes no keyword arguments"));
            }
            if !args.is_empty() {
                return Err(type_error(th, "function takes no positional arguments"));
            }
            let s = this(v);
            step(th, &s.task.clone(), s.exception.clone()).map(Value::from)
        }),
        ..SlotDefs::EMPTY
    },
    flags: type_flag::HAVE_GC | type_flag::DISALLOW_INSTANTIATION,
    ..ClassDef::new(&STEP)
};
static WRAPPER_GETSET: &[GetSet] = &[
    getter("__self__", "", |_, v| Ok(this(v).task.clone())),
    getter("__qualname__", "", |th, v| {
        let coroutine = task(&this(v).task).coroutine.get();
        coroutine.map_or(Ok(Value::NONE), |c| attr::get_text(th, &c, "__qualname__"))
    }),
];
fn this(v: &Value) -> &Step {
    v.downcast_ref().expect("the slot belongs to the class")
}

/// Called when what the task waits for is done.
static WAKEUP_SIG: Sig = Sig::new(WAKEUP.sig);
static WAKEUP: Method = method("task_wakeup", "(future, /)", "", |th, a| wakeup(th, &a[0], &a[1]).map(Value::from));
/// The first step of a task that starts eagerly, called within its context.
static EAGER_SIG: Sig = Sig::new(EAGER.sig);
static EAGER: Method = method("task_eager_step", "()", "", |th, a| {
    let state = State::get(th)?;
    run(th, &state, &a[0], None).map(Value::from)
});

/// Asks the loop for the next step.
pub(super) fn soon(th: &mut Thread, v: &Value, exception: Option<Value>) -> PyResult<()> {
    let own = future::check_alive(th, v)?;
    let wrapper = Ref::new(Step { task: v.clone(), exception }).into();
    future::call_soon(th, &own, wrapper, None, task(v).context.get())
}
fn error_soon(th: &mut Thread, v: &Value, message: String) -> PyResult<()> {
    soon(th, v, Some(exc::new_exception(&exc::RUNTIME_ERROR, &message)))
}
pub(super) fn eager_start(th: &mut Thread, state: &State, v: &Value) -> PyResult<()> {
    let own = future::check_alive(th, v)?;
    let before = tasks::swap(th, state, &own, v)?;
    tasks::register_eager(th, state, v)?;
    let context = task(v).context.get().unwrap_or(Value::NONE);
    let first = NativeFunction::new_bound(&EAGER, &EAGER_SIG, v, &v.class_ref());
    let mut result = attr::call_method(th, &context, "run", &[first]).map(drop);
    for undo in [tasks::swap(th, state, &own, &before).map(drop), tasks::unregister_eager(th, state, v)] {
        result = result.and(undo);
    }
    if future::future(v).status() == Status::Pending {
        result = result.and(tasks::register(th, state, v));
    } else {
        task(v).coroutine.set(None);
    }
    result
}
fn step(th: &mut Thread, v: &Value, exception: Option<Value>) -> PyResult<()> {
    let state = State::get(th)?;
    let own = future::check_alive(th, v)?;
    tasks::enter(th, &state, &own, v)?;
    let result = run(th, &state, v, exception);
    if result.is_ok() {
        return tasks::leave(th, &state, &own, v);
    }
    let earlier = th.exc.take();
    if tasks::leave(th, &state, &own, v).is_ok() {
        th.exc = earlier;
    } else {
        chain_earlier(th, earlier);
    }
    result
}
fn wakeup(th: &mut Thread, v: &Value, done: &Value) -> PyResult<()> {
    let exception = if is_own(done) {
        match future::outcome(th, done) {
            Ok(outcome) => outcome.err(),
            Err(raised) => Some(errors::take(th, raised)),
        }
    } else {
        match attr::call_method(th, done, "result", &[]) {
            Ok(_) => None,
            Err(raised) => Some(errors::take(th, raised)),
        }
    };
    step(th, v, exception)
}
/// Exactly one of the module's own classes: a subclass may override what is read directly.
fn is_own(v: &Value) -> bool {
    v.is_exact(&FUTURE) || v.is_exact(&TASK)
}

/// One step, up to the next thing that the coroutine waits for.
fn run(th: &mut Thread, state: &State, v: &Value, mut exception: Option<Value>) -> PyResult<()> {
    if task(v).future.status() != Status::Pending {
        let shown = (repr::repr(th, v)?, repr::repr(th, exception.as_ref().unwrap_or(&Value::NONE))?);
        return Err(state.invalid(th, &format!("__step(): already done: {} {}", shown.0, shown.1)));
    }
    if task(v).must_cancel.load(Relaxed) {
        if !exception.as_ref().is_some_and(|e| errors::matches(e, &state.cancelled)) {
            exception = Some(future::cancelled_error(th, v)?);
        }
        task(v).must_cancel.store(false, Relaxed);
    }
    task(v).waiter.set(None);
    let Some(coroutine) = task(v).coroutine.get() else {
        return Err(runtime_error(th, "uninitialized Task object"));
    };
    let raised = match resume(th, &coroutine, exception) {
        Ok(Resumed::Yield(awaited)) => return wait_for(th, v, &awaited),
        Ok(Resumed::Return(result)) => {
            // It was cancelled right before the coroutine ended.
            if task(v).must_cancel.swap(false, Relaxed) {
                let message = task(v).future.cancel_message.get();
                return future::cancel(th, v, message).map(drop);
            }
            return future::set_result(th, v, &result);
        }
        Err(raised) => raised,
    };
    let e = errors::take(th, raised);
    if errors::matches(&e, &state.cancelled) {
        task(v).future.cancelled_exception.set(Some(e));
        return future::cancel(th, v, None).map(drop);
    }
    future::set_exception(th, v, &e)?;
    if e.is_instance(&exc::KEYBOARD_INTERRUPT) || e.is_instance(&exc::SYSTEM_EXIT) {
        return Err(errors::raise_value(th, e));
    }
    Ok(())
}
fn resume(th: &mut Thread, coroutine: &Value, exception: Option<Value>) -> PyResult<Resumed> {
    let native = coroutine.downcast_exact::<Coroutine>().is_some() || coroutine.downcast_exact::<Generator>().is_some();
    let yielded = match exception {
        None if native => return generator::resume(th, coroutine, Resume::Send(Value::NONE)),
        None if coroutine.class().slots.next.is_set() => match next_or_stop(th, coroutine) {
            Ok(Some(v)) => Ok(v),
            Ok(None) => return Ok(Resumed::Return(Value::NONE)),
            Err(raised) => Err(raised),
        },
        None => attr::call_method(th, coroutine, "send", &[Value::NONE]),
        Some(e) if native => throw_exception(th, coroutine, e.clone(), &[e], true),
        Some(e) => attr::call_method(th, coroutine, "throw", &[e]),
    };
    match yielded {
        Ok(v) => Ok(Resumed::Yield(v)),
        Err(raised) => {
            let stop = errors::catch(th, raised, &exc::STOP_ITERATION)?;
            Ok(Resumed::Return(stop_value(&stop)))
        }
    }
}
/// The task waits for what its coroutine yielded.
fn wait_for(th: &mut Thread, v: &Value, awaited: &Value) -> PyResult<()> {
    if awaited.is(v) {
        let message = format!("Task cannot await on itself: {}", repr::repr(th, v)?);
        return error_soon(th, v, message);
    }
    if awaited.is_none() {
        return soon(th, v, None);
    }
    let own = future::check_alive(th, v)?;
    if is_own(awaited) {
        let f = future::future(awaited);
        if !f.own_loop.get().is_some_and(|l| l.is(&own)) {
            return other_loop(th, v, awaited);
        }
        if !f.blocking() {
            return not_awaited(th, v, awaited, "");
        }
        f.set_blocking(false);
        let wakeup = wakeup_of(v);
        future::add_done_callback(th, awaited, wakeup, task(v).context.get())?;
        return waits(th, v, awaited);
    }
    let blocking = attr::get_text_opt(th, awaited, "_asyncio_future_blocking")?.filter(|b| !b.is_none());
    let Some(blocking) = blocking else {
        if awaited.downcast_exact::<Generator>().is_some() {
            return not_awaited(th, v, awaited, "for generator ");
        }
        let message = format!("Task got bad yield: {}", repr::repr(th, awaited)?);
        return error_soon(th, v, message);
    };
    let blocking = compare::truth(th, &blocking)?;
    if !loop_of(th, awaited)?.is(&own) {
        return other_loop(th, v, awaited);
    }
    if !blocking {
        return not_awaited(th, v, awaited, "");
    }
    attr::set_text(th, awaited, "_asyncio_future_blocking", &Value::FALSE)?;
    let add = attr::get_text(th, awaited, "add_done_callback")?;
    let context = task(v).context.get().unwrap_or(Value::NONE);
    call::call_kw(th, &add, &[wakeup_of(v), context], &[intern("context").into()])?;
    waits(th, v, awaited)
}
fn wakeup_of(v: &Value) -> Value {
    NativeFunction::new_bound(&WAKEUP, &WAKEUP_SIG, v, &v.class_ref())
}
fn waits(th: &mut Thread, v: &Value, awaited: &Value) -> PyResult<()> {
    task(v).waiter.set(Some(awaited.clone()));
    if task(v).must_cancel.load(Relaxed) {
        let message = task(v).future.cancel_message.get().unwrap_or(Value::NONE);
        if cancel_waiter(th, v, &message)? {
            task(v).must_cancel.store(false, Relaxed);
        }
    }
    Ok(())
}
/// Cancels what the task waits for; whether that could be done.
pub(super) fn cancel_waiter(th: &mut Thread, v: &Value, message: &Value) -> PyResult<bool> {
    let Some(waiter) = task(v).waiter.get() else { return Ok(false) };
    let cancel = attr::get_text(th, &waiter, "cancel")?;
    let answer = call::call_kw(th, &cancel, &[message.clone()], &[intern("msg").into()])?;
    compare::truth(th, &answer)
}
fn loop_of(th: &mut Thread, v: &Value) -> PyResult<Value> {
    if let Some(f) = v.downcast_ref::<Future>().filter(|_| is_own(v)) {
        return Ok(f.own_loop.get().into());
    }
    match attr::get_text_opt(th, v, "get_loop")? {
        Some(f) => call::call(th, &f, &[]),
        None => attr::get_text(th, v, "_loop"),
    }
}
fn other_loop(th: &mut Thread, v: &Value, awaited: &Value) -> PyResult<()> {
    let (t, f) = (repr::repr(th, v)?, repr::repr(th, awaited)?);
    error_soon(th, v, format!("Task {t} got Future {f} attached to a different loop"))
}
fn not_awaited(th: &mut Thread, v: &Value, awaited: &Value, what: &str) -> PyResult<()> {
    let (t, f) = (repr::repr(th, v)?, repr::repr(th, awaited)?);
    error_soon(th, v, format!("yield was used instead of yield from {what}in task {t} with {f}"))
}
