//! Which tasks exist, which run before they were scheduled, and which one runs in each loop.
use krait_object::{PyResult, Thread, Value};
use krait_runtime::errors::runtime_error;
use krait_runtime::protocol::{attr, repr};

use super::state::State;

pub(super) fn register(th: &mut Thread, state: &State, task: &Value) -> PyResult<()> {
    attr::call_method(th, &state.scheduled_tasks, "add", &[task.clone()]).map(drop)
}
pub(super) fn register_eager(th: &mut Thread, state: &State, task: &Value) -> PyResult<()> {
    state.eager_tasks.add(th, task.clone()).map(drop)
}
pub(super) fn unregister_eager(th: &mut Thread, state: &State, task: &Value) -> PyResult<()> {
    state.eager_tasks.discard(th, task).map(drop)
}
pub(super) fn enter(th: &mut Thread, state: &State, own_loop: &Value, task: &Value) -> PyResult<()> {
    if let Some(other) = state.current_tasks.get(th, own_loop)? {
        let (task, other) = (repr::repr(th, task)?, repr::repr(th, &other)?);
        let message = format!("Cannot enter into task {task} while another task {other} is being executed.");
        return Err(runtime_error(th, message));
    }
    state.current_tasks.set(th, own_loop.clone(), task.clone())
}
pub(super) fn leave(th: &mut Thread, state: &State, own_loop: &Value, task: &Value) -> PyResult<()> {
    let current = state.current_tasks.get(th, own_loop)?.unwrap_or(Value::NONE);
    if !current.is(task) {
        let (task, current) = (repr::repr(th, task)?, repr::repr(th, &current)?);
        let message = format!("Leaving task {task} does not match the current task {current}.");
        return Err(runtime_error(th, message));
    }
    state.current_tasks.remove(th, own_loop).map(drop)
}
pub(super) fn swap(th: &mut Thread, state: &State, own_loop: &Value, task: &Value) -> PyResult<Value> {
    let before = state.current_tasks.get(th, own_loop)?.unwrap_or(Value::NONE);
    if task.is_none() {
        state.current_tasks.remove(th, own_loop)?;
    } else {
        state.current_tasks.set(th, own_loop.clone(), task.clone())?;
    }
    Ok(before)
}
