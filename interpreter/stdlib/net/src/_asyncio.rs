//! `_asyncio`: `Future` and `Task` in native code, the running loop of each thread, and which tasks exist and run.
//!
//! The classes are in `_asyncio/future.rs` and `_asyncio/task.rs`, what drives a coroutine in `_asyncio/step.rs`, the
//! registers of tasks in `_asyncio/tasks.rs`. CPython counterpart: `Modules/_asynciomodule.c`; the behaviour is that of
//! `Lib/asyncio/futures.py` and `tasks.py`.
mod future;
mod iterator;
mod state;
mod step;
mod task;
mod tasks;

use krait_object::native::function;
use krait_object::{Method, ModuleDef, PyResult, Thread, Value};
use krait_runtime::errors::runtime_error;
use krait_runtime::protocol::{attr, call};
use krait_runtime::types::{module, type_};

use state::State;

pub static MODULE: ModuleDef = ModuleDef {
    doc: "Accelerator module for asyncio",
    functions: FUNCTIONS,
    classes: &[&future::DEF, &task::DEF],
    init: Some(|th, m| {
        for def in [&iterator::DEF, &step::WRAPPER_DEF] {
            type_::ready::ready_class(th, def);
        }
        let state = State::load(th)?;
        let d = module::dict(m);
        d.set_text("_scheduled_tasks", state.scheduled_tasks.clone());
        d.set_text("_eager_tasks", state.eager_tasks.to_value());
        d.set_text("_current_tasks", state.current_tasks.to_value());
        Ok(())
    }),
    ..ModuleDef::new("_asyncio")
};

static FUNCTIONS: &[Method] = &[
    function(
        "get_event_loop",
        "()",
        "Return an asyncio event loop.\n\nInside a coroutine or a callback it is the running loop; elsewhere the loop of \
         the current policy.",
        |th, _| get_event_loop(th),
    ),
    function(
        "get_running_loop",
        "()",
        "Return the running event loop, or raise a RuntimeError where none runs.",
        |th, _| match running_loop(th) {
            Some(l) => Ok(l),
            None => Err(runtime_error(th, "no running event loop")),
        },
    ),
    function("_get_running_loop", "()", "Return the running event loop or None.", |th, _| Ok(running_loop(th).into())),
    function("_set_running_loop", "(loop, /)", "Set the running event loop of this thread.", |th, a| {
        let pid = std::process::id();
        let new = (!a[0].is_none()).then(|| (a[0].clone(), pid));
        let old = std::mem::replace(&mut th.extension::<Running>().0, new);
        drop(old);
        Ok(Value::NONE)
    }),
    function("_register_task", "(task)", "Register a new task in asyncio.", |th, a| {
        let state = State::get(th)?;
        tasks::register(th, &state, &a[0]).map(Value::from)
    }),
    function("_register_eager_task", "(task)", "Register a task that runs before it is scheduled.", |th, a| {
        let state = State::get(th)?;
        tasks::register_eager(th, &state, &a[0]).map(Value::from)
    }),
    function("_unregister_task", "(task)", "Unregister a task.", |th, a| {
        let state = State::get(th)?;
        let all = state.scheduled_tasks.clone();
        attr::call_method(th, &all, "discard", &[a[0].clone()]).map(|_| Value::NONE)
    }),
    function("_unregister_eager_task", "(task)", "Unregister a task that ran before it was scheduled.", |th, a| {
        let state = State::get(th)?;
        tasks::unregister_eager(th, &state, &a[0]).map(Value::from)
    }),
    function("_enter_task", "(loop, task)", "The task begins to run, or goes on, in the loop.", |th, a| {
        let state = State::get(th)?;
        tasks::enter(th, &state, &a[0], &a[1]).map(Value::from)
    }),
    function("_leave_task", "(loop, task)", "The task that runs in the loop is put aside.", |th, a| {
        let state = State::get(th)?;
        tasks::leave(th, &state, &a[0], &a[1]).map(Value::from)
    }),
    function(
        "_swap_current_task",
        "(loop, task)",
        "Replace the loop's current task, and return the former.",
        |th, a| {
            let state = State::get(th)?;
            tasks::swap(th, &state, &a[0], &a[1])
        },
    ),
    function("current_task", "(loop=None)", "Return the task that runs in the loop, or None.", |th, a| {
        let state = State::get(th)?;
        let own = match a.opt_not_none(0) {
            Some(given) => given.clone(),
            None => match running_loop(th) {
                Some(l) => l,
                None => return Err(runtime_error(th, "no running event loop")),
            },
        };
        Ok(state.current_tasks.get(th, &own)?.into())
    }),
];

/// The loop that runs on this thread, with the process it was set in: a child has none.
#[derive(Default)]
struct Running(Option<(Value, u32)>);

fn running_loop(th: &mut Thread) -> Option<Value> {
    let (running, pid) = th.extension::<Running>().0.as_ref()?;
    (*pid == std::process::id()).then(|| running.clone())
}
fn get_event_loop(th: &mut Thread) -> PyResult<Value> {
    if let Some(l) = running_loop(th) {
        return Ok(l);
    }
    let policy = State::get(th)?.get_policy.clone();
    let policy = call::call(th, &policy, &[])?;
    attr::call_method(th, &policy, "get_event_loop", &[])
}
