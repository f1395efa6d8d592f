//! `_ast`: the node classes of the abstract syntax tree, and trees to and from objects.
//!
//! The classes come from the table in `_ast/grammar.rs` by `_ast/classes.rs`; `_ast/write.rs` makes objects of a tree,
//! `_ast/read.rs` a tree of objects, which `_ast/validate.rs` checks. CPython counterpart: `Python/Python-ast.c`,
//! `Python/ast.c`.
mod classes;
mod grammar;
mod read;
mod validate;
mod write;

use krait_object::{ModuleDef, PyResult, Thread, Value};
use krait_runtime::types::module;
use krait_syntax::ast::Mod;

pub static MODULE: ModuleDef = ModuleDef {
    init: Some(|th, m| {
        let dict = module::dict(m);
        let classes = classes::get(th)?;
        for (name, class) in &classes.all {
            dict.set_text(name, class.clone());
        }
        for (name, bits) in [
            ("PyCF_ALLOW_TOP_LEVEL_AWAIT", 0x2000),
            ("PyCF_ONLY_AST", 0x400),
            ("PyCF_TYPE_COMMENTS", 0x1000),
            ("PyCF_OPTIMIZED_AST", 0x8400),
        ] {
            dict.set_text(name, Value::int(bits));
        }
        Ok(())
    }),
    ..ModuleDef::new("_ast")
};

/// Whether a value is an AST object.
pub fn is_node(th: &Thread, v: &Value) -> bool {
    classes::known(th).is_some_and(|classes| classes.is_node(v))
}
/// The tree that an AST object stands for, checked; `None` for what is not one. `mode` is that of `compile()`.
pub fn from_object(th: &mut Thread, v: &Value, mode: &str) -> PyResult<Option<Mod>> {
    let Some(classes) = classes::known(th) else { return Ok(None) };
    if !classes.is_node(v) {
        return Ok(None);
    }
    let tree = read::module(th, &classes, v, mode)?;
    if let Err(error) = validate::module(&tree) {
        return Err(error.raise(th));
    }
    Ok(Some(tree))
}
/// A tree as AST objects.
pub fn to_object(th: &mut Thread, tree: &Mod) -> PyResult<Value> {
    let classes = classes::get(th)?;
    write::module(th, &classes, tree)
}
