//! `_warnings`: issuing nothing for now.
use krait_object::native::function;
use krait_object::{Dict, List, Method, ModuleDef, Value};
use krait_runtime::types::module;

pub static MODULE: ModuleDef = ModuleDef {
    functions: FUNCTIONS,
    init: Some(|_, m| {
        let d = module::dict(m);
        d.set_text("filters", List::new(Vec::new()));
        d.set_text("_defaultaction", "default");
        d.set_text("_onceregistry", Dict::new());
        Ok(())
    }),
    ..ModuleDef::new("_warnings")
};
static FUNCTIONS: &[Method] = &[
    function("warn", "(message, category=None, stacklevel=1, source=None, *, skip_file_prefixes=())", "", |_, _| {
        Ok(Value::NONE)
    }),
    function(
        "warn_explicit",
        "(message, category, filename, lineno, module=None, registry=None, module_globals=None, source=None)",
        "",
        |_, _| Ok(Value::NONE),
    ),
    function("_filters_mutated", "()", "", |_, _| Ok(Value::NONE)),
];
