//! The functions of `builtins`, by kind. The module itself is assembled in [`MODULE`].
pub mod classes;
pub mod code;
pub mod io;
pub mod iteration;
pub mod objects;

use krait_object::{ModuleDef, PyResult, Thread, Value};

use crate::errors::attribute_error;
use crate::types::module;

/// `builtins.name`, of the running code's builtins where they are a mapping of its own.
pub fn builtin(th: &mut Thread, name: &str) -> PyResult<Value> {
    let name = krait_object::intern::intern(name);
    let running = crate::types::frame::current(th, 0).map(|f| f.function.builtins.clone());
    if let Some(mapping) = running.filter(|b| b.downcast_ref::<krait_object::Dict>().is_none()) {
        let found = crate::protocol::sequence::get_item(th, &mapping, name.as_value());
        let found = crate::errors::suppress(th, found, &crate::exceptions::KEY_ERROR)?;
        return found.ok_or_else(|| attribute_error(th, name.to_string_lossy()));
    }
    let held = th.interp.builtins.get().and_then(|b| b.downcast::<krait_object::Dict>().ok());
    // A script may have put a key of its own there, whose `__eq__` runs.
    let found = match held {
        Some(d) => d.get(th, name.as_value())?,
        None => None,
    };
    found.ok_or_else(|| attribute_error(th, name.to_string_lossy()))
}

pub static MODULE: ModuleDef = ModuleDef {
    doc: "Built-in functions, types, exceptions, and other objects.\n\nThis module provides direct access to all 'built-in'\nidentifiers of Python; for example, builtins.len is\nthe full name for the built-in function len().\n\nThis module is not normally accessed explicitly by most\napplications, but can be useful in modules that provide\nobjects with the same name as a builtin and need it too.",
    init: Some(init),
    ..ModuleDef::new("builtins")
};

fn init(_: &mut Thread, m: &Value) -> PyResult<()> {
    let dict = module::dict(m);
    let name = Value::str("builtins");
    for table in [classes::FUNCTIONS, code::FUNCTIONS, io::FUNCTIONS, iteration::FUNCTIONS, objects::FUNCTIONS] {
        for f in table {
            dict.set_text(f.name, crate::types::native_function::NativeFunction::new_function(f, m, &name));
        }
    }
    for class in crate::types::BUILTINS {
        dict.set_text(&class.name(), class.to_value());
    }
    crate::exceptions::add_to(&dict);
    for (name, value) in [
        ("None", Value::NONE),
        ("Ellipsis", Value::ELLIPSIS),
        ("NotImplemented", Value::NOT_IMPLEMENTED),
        ("False", Value::FALSE),
        ("True", Value::TRUE),
        ("__debug__", Value::TRUE),
    ] {
        dict.set_text(name, value);
    }
    Ok(())
}
