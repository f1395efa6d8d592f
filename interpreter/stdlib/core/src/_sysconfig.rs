//! `_sysconfig`: build variables that only the binary knows.
use krait_object::native::function;
use krait_object::{Dict, Method, ModuleDef, Value};

pub static MODULE: ModuleDef =
    ModuleDef { doc: "A helper for the sysconfig module.", functions: FUNCTIONS, ..ModuleDef::new("_sysconfig") };
static FUNCTIONS: &[Method] = &[function(
    "config_vars",
    "()",
    "Returns a dictionary containing build variables intended to be exposed by sysconfig.",
    |_, _| {
        let d = Dict::new();
        d.set_text("Py_GIL_DISABLED", Value::int(0));
        Ok(d.into())
    },
)];
