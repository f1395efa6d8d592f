//! Audit hooks (`sys.addaudithook`, PEP 578).
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use krait_object::{Locked, PyResult, Thread, Tuple, Value};

use crate::protocol::{attr, call, compare};

/// The hooks of one interpreter.
#[derive(Default)]
pub struct AuditHooks {
    hooks: Locked<Vec<Value>>,
}
/// True once any interpreter has a hook: events cost nothing before.
static ANY: AtomicBool = AtomicBool::new(false);

pub fn add_hook(th: &mut Thread, hook: Value) {
    ANY.store(true, Relaxed);
    th.interp.extension::<AuditHooks>().hooks.lock().push(hook);
}
/// Raises an audit event; a hook's exception aborts the action.
#[inline]
pub fn audit(th: &mut Thread, event: &str, args: &[Value]) -> PyResult<()> {
    if ANY.load(Relaxed) { audit_slow(th, event, args) } else { Ok(()) }
}
#[cold]
fn audit_slow(th: &mut Thread, event: &str, args: &[Value]) -> PyResult<()> {
    let hooks = th.interp.extension::<AuditHooks>().hooks.lock().clone();
    let arguments = [Value::str(event), Tuple::from_slice(args).into()];
    // Hooks are not traced, but those that say so.
    th.vm.tracing.inside += 1;
    let result = hooks.iter().try_for_each(|hook| run(th, hook, &arguments));
    th.vm.tracing.inside -= 1;
    result
}
fn run(th: &mut Thread, hook: &Value, arguments: &[Value]) -> PyResult<()> {
    let traced = match attr::get_text_opt(th, hook, "__cantrace__")? {
        Some(v) => compare::truth(th, &v)?,
        None => false,
    };
    let shift = u32::from(traced);
    th.vm.tracing.inside -= shift;
    let result = call::call(th, hook, arguments);
    th.vm.tracing.inside += shift;
    result.map(drop)
}
