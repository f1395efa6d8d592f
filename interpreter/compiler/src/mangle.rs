//! Private name mangling. CPython counterpart: `_Py_Mangle`, `_Py_MaybeMangle`.

use std::sync::Arc;

use krait_syntax::ast::Identifier;

/// `__name` within class `private` is `_private__name`; dunder and dotted names are not mangled.
pub fn mangle(private: Option<&Identifier>, name: &Identifier) -> Identifier {
    let Some(class) = private else { return Arc::clone(name) };
    if !name.starts_with("__") || name.ends_with("__") || name.contains('.') {
        return Arc::clone(name);
    }
    let class = class.trim_start_matches('_');
    if class.is_empty() {
        return Arc::clone(name);
    }
    format!("_{class}{name}").into()
}
