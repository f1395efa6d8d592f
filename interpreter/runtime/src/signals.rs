//! Signals that arrived: their Python handlers run in the main thread at safe points. The handlers themselves are set by
//! `_signal`; what the operating system calls only sets flags (`krait_platform::signal`).
use std::sync::{Arc, Mutex};

use krait_object::thread::{Shared, breaker};
use krait_object::{Locked, PyResult, Thread, Value};
use krait_platform::signal;

use crate::exceptions::OS_ERROR;
use crate::protocol::call;
use crate::types::frame;
use crate::{errors, safepoint};

/// The thread that handles signals.
static MAIN: Mutex<Option<Arc<Shared>>> = Mutex::new(None);

/// The Python handler of each signal: a callable, or the numbers of `SIG_DFL` and `SIG_IGN`, or None.
#[derive(Default)]
pub struct Handlers(Locked<Vec<Value>>);
impl Handlers {
    pub fn get(&self, signal: i32) -> Value {
        self.0.lock().get(signal as usize).cloned().unwrap_or(Value::NONE)
    }
    pub fn set(&self, signal: i32, handler: Value) -> Value {
        let mut all = self.0.lock();
        if all.is_empty() {
            all.resize(signal::NSIG, Value::NONE);
        }
        match all.get_mut(signal as usize) {
            Some(slot) => std::mem::replace(slot, handler),
            None => handler,
        }
    }
}

/// Makes the calling thread the one that handles signals.
pub fn set_main(th: &Thread) {
    let mut main = MAIN.lock().unwrap_or_else(|e| e.into_inner());
    if main.as_ref().is_some_and(|m| Arc::ptr_eq(m, &th.shared)) {
        return;
    }
    *main = Some(th.shared.clone());
    // The handler may run at any moment to the process's end, so the word it writes to is never freed.
    let shared: &'static Arc<Shared> = Box::leak(Box::new(th.shared.clone()));
    signal::set_breaker(&shared.breaker, breaker::SIGNAL);
    safepoint::install(breaker::SIGNAL, run_pending);
}
pub fn is_main(th: &Thread) -> bool {
    MAIN.lock().unwrap_or_else(|e| e.into_inner()).as_ref().is_none_or(|m| Arc::ptr_eq(m, &th.shared))
}
/// The child has one thread: it handles signals, and none has arrived for it yet.
pub(crate) fn after_fork(th: &Thread) {
    set_main(th);
    signal::forget_arrived();
}

/// Runs the Python handlers of the signals that arrived (`PyErr_CheckSignals`). Nothing happens outside the main thread.
pub fn run_pending(th: &mut Thread) -> PyResult<()> {
    if !is_main(th) {
        return Ok(());
    }
    th.clear_breaker(breaker::SIGNAL);
    match signal::take_wakeup_error() {
        0 => {}
        e => {
            let _raised = errors::os_error(th, e, None);
            errors::write_unraisable_message(
                th,
                Some("Exception ignored when trying to write to the signal wakeup fd"),
                None,
            );
        }
    }
    let arrived = signal::take_arrived();
    let handlers = th.interp.extension::<Handlers>();
    for (i, &number) in arrived.iter().enumerate() {
        let handler = handlers.get(number);
        if !call::is_callable(&handler) {
            let _raised = errors::raise_args(
                th,
                &OS_ERROR,
                vec![Value::from(format!("Signal {number} ignored due to race condition"))],
            );
            errors::write_unraisable(th, Some(&Value::NONE));
            continue;
        }
        let current: Value = frame::current(th, 0).map(|f| f.to_value()).into();
        if let Err(raised) = call::call(th, &handler, &[number.into(), current]) {
            signal::put_back(&arrived[i + 1..]);
            return Err(raised);
        }
    }
    Ok(())
}
