//! `_ctypes`: C data types in Python, and calls of foreign functions through libffi.
//!
//! Every object is a [`data::CData`] over memory; what is known of a class is its [`info::Info`]. Other threads run while a
//! foreign function does. CPython counterpart: `Modules/_ctypes/`.

mod array;
mod call;
mod callback;
mod classes;
mod data;
mod field;
mod function;
mod info;
mod library;
mod memory;
mod meta;
mod parameter;
mod pointer;
mod services;
mod simple;
mod structure;

use krait_object::{Dict, ModuleDef, PyResult, Raised, Thread, Value};
use krait_runtime::errors::raise_value;
use krait_runtime::protocol::{attr, call as protocol};
use krait_runtime::types::type_::ready::ready_class;

pub static MODULE: ModuleDef = ModuleDef {
    doc: "Create and manipulate C compatible data types in Python.",
    functions: services::FUNCTIONS,
    init: Some(init),
    ..ModuleDef::new("_ctypes")
};

/// `ArgumentError` with a message.
fn argument_error(th: &mut Thread, message: &str) -> Raised {
    let made = krait_runtime::import::import_module(th, "_ctypes")
        .and_then(|module| attr::get_text(th, &module, "ArgumentError"))
        .and_then(|class| protocol::call(th, &class, &[Value::str(message)]));
    match made {
        Ok(error) => raise_value(th, error),
        Err(raised) => raised,
    }
}

fn init(th: &mut Thread, module: &Value) -> PyResult<()> {
    for def in &meta::DEFS {
        ready_class(th, def);
    }
    ready_class(th, &data::DEF);
    ready_class(th, &field::DEF);
    ready_class(th, &parameter::DEF);
    ready_class(th, &callback::DEF);
    let public =
        [&classes::DEF, &structure::STRUCTURE_DEF, &structure::UNION_DEF, &array::DEF, &pointer::DEF, &function::DEF];
    for def in public {
        ready_class(th, def);
        attr::set_text(th, module, &def.class.name(), &def.class.to_value())?;
    }
    let builtins = krait_runtime::import::import_module(th, "builtins")?;
    let (class, base) = (attr::get_text(th, &builtins, "type")?, attr::get_text(th, &builtins, "Exception")?);
    let dict = Dict::new();
    dict.set_text("__module__", Value::str("ctypes"));
    let bases = krait_object::Tuple::from_slice(&[base]);
    let error = protocol::call(th, &class, &[Value::str("ArgumentError"), bases.into(), dict.into()])?;
    attr::set_text(th, module, "ArgumentError", &error)?;
    attr::set_text(th, module, "_pointer_type_cache", &Dict::new().into())?;
    attr::set_text(th, module, "__version__", &Value::str("1.1.0"))?;
    for (name, value) in services::constants() {
        attr::set_text(th, module, name, &Value::from(value))?;
    }
    Ok(())
}
