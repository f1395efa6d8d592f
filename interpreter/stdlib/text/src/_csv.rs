//! `_csv`: reading and writing delimited text.
//!
//! `parse` and `format` know of characters only; `dialect`, `reader` and `writer` are the types, this file the functions
//! and the registry of dialects. CPython counterpart: `Modules/_csv.c`.

mod dialect;
mod format;
mod parse;
mod reader;
#[cfg(test)]
mod tests;
mod writer;

use std::sync::atomic::{AtomicI64, Ordering};

use krait_object::native::function;
use krait_object::{
    Args, ClassDef, Dict, List, Method, ModuleDef, PyResult, Raised, Ref, Str, Thread, TypeObject, Value, ValueCell,
    type_flag,
};
use krait_runtime::errors::{overflow_error, raise, type_error};
use krait_runtime::exceptions::EXCEPTION;
use krait_runtime::protocol::attr;
use krait_runtime::types::type_::ready::ready_class;

use dialect::Dialect;
use format::Quoting;

pub static MODULE: ModuleDef = ModuleDef {
    doc: "Reading and writing of comma-separated values, as PEP 305 describes it.",
    functions: FUNCTIONS,
    classes: &[&dialect::DEF, &ERROR_DEF],
    init: Some(init),
    ..ModuleDef::new("_csv")
};

static ERROR: TypeObject = TypeObject::builtin_like("Error", &EXCEPTION);
static ERROR_DEF: ClassDef = ClassDef { module: "_csv", flags: type_flag::BASE, ..ClassDef::new(&ERROR) };

static FUNCTIONS: &[Method] = &[
    function(
        "reader",
        "",
        "reader(iterable [, dialect='excel'] [, optional keyword arguments]) -> iterator of rows\n\nThe keyword arguments override settings of the dialect.",
        reader::make,
    ),
    function(
        "writer",
        "",
        "writer(fileobj [, dialect='excel'] [, optional keyword arguments]) -> writer\n\nThe keyword arguments override settings of the dialect.",
        writer::make,
    ),
    function("list_dialects", "()", "The names of all registered dialects.", |th, _| {
        Ok(List::new(registry(th).keys()).into())
    }),
    function(
        "register_dialect",
        "",
        "register_dialect(name [, dialect] [, optional keyword arguments])\n\nGive a dialect a name.",
        register_dialect,
    ),
    function("unregister_dialect", "(name)", "Forget the dialect of this name.", |th, a| {
        match registry(th).remove(th, &a[0])? {
            Some(_) => Ok(Value::NONE),
            None => Err(error(th, "unknown dialect")),
        }
    }),
    function("get_dialect", "(name)", "The dialect of this name.", |th, a| registered(th, &a[0])),
    function(
        "field_size_limit",
        "(new_limit=<unrepresentable>)",
        "The most characters that a field may have; a new limit may be set.",
        field_size_limit,
    ),
];

/// What an interpreter's `_csv` remembers.
struct State {
    dialects: ValueCell,
    field_limit: AtomicI64,
}
impl Default for State {
    fn default() -> State {
        State { dialects: Dict::new().into_value().into(), field_limit: AtomicI64::new(128 * 1024) }
    }
}

fn registry(th: &Thread) -> Ref<Dict> {
    let held = th.interp.extension::<State>().dialects.get();
    held.and_then(|v| v.downcast().ok()).unwrap_or_else(Dict::new)
}

/// The most characters that a field may have.
fn field_limit(th: &Thread) -> i64 {
    th.interp.extension::<State>().field_limit.load(Ordering::Relaxed)
}

fn init(th: &mut Thread, module: &Value) -> PyResult<()> {
    ready_class(th, &reader::DEF);
    ready_class(th, &writer::DEF);
    attr::set_text(th, module, "Reader", &reader::READER.to_value())?;
    attr::set_text(th, module, "Writer", &writer::WRITER.to_value())?;
    let dialects = registry(th);
    attr::set_text(th, module, "_dialects", dialects.as_value())?;
    for (number, (name, _)) in (0..).zip(Quoting::ALL) {
        attr::set_text(th, module, name, &Value::int(number))?;
    }
    Ok(())
}

fn error(th: &mut Thread, message: impl Into<String>) -> Raised {
    raise(th, &ERROR, message)
}

fn registered(th: &mut Thread, name: &Value) -> PyResult<Value> {
    match registry(th).get(th, name)? {
        Some(dialect) => Ok(dialect),
        None => Err(error(th, "unknown dialect")),
    }
}

/// One or two positional arguments; the keyword arguments are a dialect's settings.
fn one_or_two<'a>(th: &mut Thread, a: &Args<'a>) -> PyResult<(&'a Value, Option<&'a Value>)> {
    match a.pos() {
        [one] => Ok((one, None)),
        [one, two] => Ok((one, Some(two))),
        // The leading blank is where CPython names no function.
        [] => Err(type_error(th, " expected at least 1 argument, got 0")),
        more => Err(type_error(th, format!(" expected at most 2 arguments, got {}", more.len()))),
    }
}

fn register_dialect(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let (name, dialect) = one_or_two(th, a)?;
    if name.downcast_ref::<Str>().is_none() {
        return Err(type_error(th, "dialect name must be a string"));
    }
    let dialect = Dialect::from_arguments(th, dialect, a)?;
    registry(th).set(th, name.clone(), dialect.into())?;
    Ok(Value::NONE)
}

fn field_size_limit(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let state = th.interp.extension::<State>();
    let old = state.field_limit.load(Ordering::Relaxed);
    if let Some(new) = a.opt(0) {
        if !new.is_exact(&krait_object::builtin_types::INT) {
            return Err(type_error(th, "limit must be an integer"));
        }
        let Some(new) = new.as_int_ref().and_then(|i| i.to_i64()) else {
            return Err(overflow_error(th, "Python int too large to convert to C long"));
        };
        state.field_limit.store(new, Ordering::Relaxed);
    }
    Ok(Value::from(old))
}
