//! `errno`: the platform's error numbers by name.
use krait_object::{Dict, ModuleDef, Value};
use krait_runtime::types::module;

use crate::constants;

pub static MODULE: ModuleDef = ModuleDef {
    doc: "Error numbers of the platform by name; errorcode maps the numbers back to names.",
    init: Some(|th, m| {
        constants::add(m, constants::errno::TABLE);
        let codes = Dict::new();
        // Where two names share a number, the dictionary shows the other.
        let aliases = ["EWOULDBLOCK", "EDEADLK", "EOPNOTSUPP"];
        for (name, value) in constants::errno::TABLE.iter().filter(|(n, _)| !aliases.contains(n)) {
            codes.set(th, Value::int(*value), Value::str(name))?;
        }
        module::dict(m).set_text("errorcode", codes);
        Ok(())
    }),
    ..ModuleDef::new("errno")
};
