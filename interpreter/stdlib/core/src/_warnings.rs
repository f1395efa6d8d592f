//! `_warnings`: `warn` and `warn_explicit` on the state in `krait_runtime::warnings`.
use krait_object::native::function;
use krait_object::{Args, Dict, Method, ModuleDef, PyResult, Str, Thread, Tuple, Value};
use krait_runtime::convert::wrong_type;
use krait_runtime::errors::type_error;
use krait_runtime::protocol::number;
use krait_runtime::types::module;
use krait_runtime::warnings::{self, Warning};

pub static MODULE: ModuleDef = ModuleDef {
    doc: "Basic support for issuing and filtering warnings.",
    functions: FUNCTIONS,
    init: Some(|th, m| {
        let (d, state) = (module::dict(m), warnings::state(th));
        d.set_text("filters", state.filters());
        d.set_text("_onceregistry", state.once_registry());
        d.set_text("_defaultaction", state.default_action());
        Ok(())
    }),
    ..ModuleDef::new("_warnings")
};
static FUNCTIONS: &[Method] = &[
    function(
        "warn",
        "(message, category=None, stacklevel=1, source=None, *, skip_file_prefixes=<unrepresentable>)",
        "Issue a warning about the calling code, `stacklevel` frames up.\n\nFrames of files whose names begin with one of \
         `skip_file_prefixes` do not count.",
        warn,
    ),
    function(
        "warn_explicit",
        "(message, category, filename, lineno, module=<unrepresentable>, registry=None, module_globals=None, source=None)",
        "Issue a warning about a place that is given.",
        warn_explicit,
    ),
    function("_filters_mutated", "()", "", |th, _| {
        warnings::state(th).filters_mutated();
        Ok(Value::NONE)
    }),
];

fn warn(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let mut level = match a.opt(2) {
        Some(v) => number::index_isize(th, v)? as i64,
        None => 1,
    };
    let prefixes = match a.opt(4) {
        Some(v) => match v.downcast_ref::<Tuple>() {
            Some(t) => t.to_vec(),
            None => return Err(wrong_type(th, "warn", "argument 'skip_file_prefixes'", "tuple", v)),
        },
        None => Vec::new(),
    };
    if !prefixes.is_empty() {
        level = level.max(2);
    }
    let category = warnings::category_of(th, &a[0], a.opt_not_none(1))?;
    warnings::warn_value(th, &category, &a[0], level, a.opt_not_none(3), &prefixes)?;
    Ok(Value::NONE)
}

fn warn_explicit(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    if a[2].downcast_ref::<Str>().is_none() {
        return Err(wrong_type(th, "warn_explicit", "argument 'filename'", "str", &a[2]));
    }
    let lineno = i64::from(number::to_i32(th, &a[3])?);
    let line = match a.opt_not_none(6) {
        Some(globals) => {
            if globals.downcast_ref::<Dict>().is_none() {
                let class = globals.class().name();
                return Err(type_error(th, format!("module_globals must be a dict, not '{class}'")));
            }
            warnings::source_line(th, globals, lineno)?
        }
        None => None,
    };
    let w = Warning {
        category: &a[1],
        message: &a[0],
        filename: &a[2],
        lineno,
        module: a.opt(4),
        registry: a.opt(5),
        source_line: line.as_ref(),
        source: a.opt(7),
    };
    warnings::warn_explicit(th, &w)?;
    Ok(Value::NONE)
}
