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
/// Whether anyone hears of events: for those whose arguments cost something.
#[inline]
pub fn active() -> bool {
    ANY.load(Relaxed)
}
/// Raises an audit event; a hook's exception aborts the action.
#[inline]
pub fn audit(th: &mut Thread, event: &str, args: &[Value]) -> PyResult<()> {
    if ANY.load(Relaxed) { audit_slow(th, event, args) } else { Ok(()) }
}
/// The event of reading an attribute that leads out of a sandbox.
#[inline]
pub fn audit_read(th: &mut Thread, object: &Value, name: &str) -> PyResult<()> {
    if ANY.load(Relaxed) { audit_slow(th, "object.__getattr__", &[object.clone(), Value::str(name)]) } else { Ok(()) }
}
/// The event of assigning to such an attribute, or of deleting it.
pub fn audit_write(th: &mut Thread, object: &Value, name: &str, new: Option<&Value>) -> PyResult<()> {
    match new {
        Some(new) => audit(th, "object.__setattr__", &[object.clone(), Value::str(name), new.clone()]),
        None => audit(th, "object.__delattr__", &[object.clone(), Value::str(name)]),
    }
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
