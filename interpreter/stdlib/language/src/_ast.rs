//! `_ast`: the node classes of the abstract syntax tree, and trees to and from objects.
use krait_object::{ModuleDef, PyResult, Thread, Value};
use krait_runtime::errors::not_implemented_error;
use krait_syntax::ast::Mod;

pub static MODULE: ModuleDef = ModuleDef { ..ModuleDef::new("_ast") };

/// The tree that an AST object stands for; `None` for what is not one. `mode` is that of `compile()`.
pub fn from_object(_th: &mut Thread, _v: &Value, _mode: &str) -> PyResult<Option<Mod>> {
    Ok(None)
}
/// A tree as AST objects.
pub fn to_object(th: &mut Thread, _tree: &Mod) -> PyResult<Value> {
    Err(not_implemented_error(th, "syntax trees as objects"))
}
