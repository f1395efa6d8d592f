//! What the module keeps per interpreter: functions and classes of `asyncio` that it calls, and the registers of tasks.
use std::sync::{Arc, OnceLock};

use krait_object::{Dict, PyResult, Ref, Set, Thread, Value};
use krait_runtime::errors::{raise_value, runtime_error};
use krait_runtime::import::import_module;
use krait_runtime::protocol::{attr, call};

pub(super) struct State {
    pub get_policy: Value,
    pub future_repr: Value,
    pub task_repr: Value,
    pub task_get_stack: Value,
    pub task_print_stack: Value,
    pub is_coroutine: Value,
    pub invalid_state: Value,
    pub cancelled: Value,
    pub extract_stack: Value,
    pub copy_context: Value,
    /// A `WeakSet`.
    pub scheduled_tasks: Value,
    pub eager_tasks: Ref<Set>,
    /// From loops to the tasks that run in them.
    pub current_tasks: Ref<Dict>,
}
#[derive(Default)]
struct Loaded(OnceLock<Arc<State>>);

impl State {
    /// Imports what is needed. `asyncio.events` may be in the middle of its own import, by which this module is imported.
    pub fn load(th: &mut Thread) -> PyResult<Arc<State>> {
        let cell = th.interp.extension::<Loaded>();
        if let Some(state) = cell.0.get() {
            return Ok(state.clone());
        }
        let mut get = |module: &str, name: &str| {
            let m = import_module(th, module)?;
            attr::get_text(th, &m, name)
        };
        let weak_set = get("weakref", "WeakSet")?;
        let mut state = State {
            get_policy: get("asyncio.events", "get_event_loop_policy")?,
            future_repr: get("asyncio.base_futures", "_future_repr")?,
            task_repr: get("asyncio.base_tasks", "_task_repr")?,
            task_get_stack: get("asyncio.base_tasks", "_task_get_stack")?,
            task_print_stack: get("asyncio.base_tasks", "_task_print_stack")?,
            is_coroutine: get("asyncio.coroutines", "iscoroutine")?,
            invalid_state: get("asyncio.exceptions", "InvalidStateError")?,
            cancelled: get("asyncio.exceptions", "CancelledError")?,
            extract_stack: get("traceback", "extract_stack")?,
            copy_context: get("_contextvars", "copy_context")?,
            scheduled_tasks: Value::NONE,
            eager_tasks: Set::new(),
            current_tasks: Dict::new(),
        };
        state.scheduled_tasks = call::call(th, &weak_set, &[])?;
        Ok(cell.0.get_or_init(|| Arc::new(state)).clone())
    }
    pub fn get(th: &mut Thread) -> PyResult<Arc<State>> {
        match th.interp.extension::<Loaded>().0.get() {
            Some(state) => Ok(state.clone()),
            None => Err(runtime_error(th, "the module _asyncio is not initialized")),
        }
    }
    pub fn invalid(&self, th: &mut Thread, message: &str) -> krait_object::Raised {
        match call::call(th, &self.invalid_state, &[message.into()]) {
            Ok(e) => raise_value(th, e),
            Err(raised) => raised,
        }
    }
}
