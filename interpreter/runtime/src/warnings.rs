//! Issuing warnings from native code: through the `warnings` module's filters. The native module `_warnings` stands on
//! the same state.
use krait_object::{PyResult, Str, Thread, TypeObject, Value};

use crate::protocol::{attr, call};

/// Issues a warning, `stacklevel` frames up. An error means that a filter turned it into an exception.
pub fn warn(th: &mut Thread, category: &'static TypeObject, message: &str, stacklevel: i64) -> PyResult<()> {
    let Some(modules) = th.interp.modules.get().and_then(|m| m.downcast::<krait_object::Dict>().ok()) else {
        return Ok(());
    };
    let Some(module) = modules.get_text("warnings").or_else(|| modules.get_text("_warnings")) else { return Ok(()) };
    let warn = attr::get_text(th, &module, "warn")?;
    let args = [Value::from(Str::new(message)), category.to_value(), Value::int(stacklevel)];
    call::call(th, &warn, &args).map(|_| ())
}
/// A DeprecationWarning of the caller.
pub fn deprecated(th: &mut Thread, message: &str) -> PyResult<()> {
    warn(th, &crate::exceptions::DEPRECATION_WARNING, message, 1)
}
