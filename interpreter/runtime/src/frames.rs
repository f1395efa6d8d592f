//! What builtins ask of the running frame.
use krait_object::{Dict, PyResult, Ref, Thread, Type, Value};

use crate::errors::{runtime_error, system_error};
use crate::hooks;
use crate::types::frame;

/// Globals of the running Python frame.
pub fn current_globals(th: &mut Thread) -> Option<Ref<Dict>> {
    (hooks::vm().current_globals)(th)
}
/// `locals()` of the running Python frame.
pub fn current_locals(th: &mut Thread) -> PyResult<Value> {
    match frame::current(th, 0) {
        Some(f) => f.locals(th),
        None => Err(system_error(th, "frame does not exist")),
    }
}
/// `CO_*` flags of the running Python frame's code.
pub fn current_flags(th: &mut Thread) -> u32 {
    frame::current(th, 0).map_or(0, |f| f.code.bytecode().flags)
}
/// The class and first argument for `super()` without arguments.
pub fn super_arguments(th: &mut Thread) -> PyResult<(Value, Value)> {
    let Some(f) = frame::current(th, 0) else { return Err(runtime_error(th, "super(): no current frame")) };
    if f.code.bytecode().argcount == 0 {
        return Err(runtime_error(th, "super(): no arguments"));
    }
    let Some(first) = f.variable(th, 0) else { return Err(runtime_error(th, "super(): arg[0] deleted")) };
    let cell = f.variables().into_iter().find(|(_, name)| name.eq_str("__class__"));
    let Some((register, _)) = cell else {
        return Err(runtime_error(th, "super(): __class__ cell not found"));
    };
    match f.variable(th, register) {
        None => Err(runtime_error(th, "super(): empty __class__ cell")),
        Some(c) if c.downcast_ref::<Type>().is_some() => Ok((c, first)),
        Some(c) => {
            let class = c.class().name();
            Err(runtime_error(th, format!("super(): __class__ is not a type ({class})")))
        }
    }
}
