//! Symbol tables and the compiler from AST to register bytecode.
//!
//! [`compile`] does everything; [`symtable`] alone serves the module of that name. Plain data in, plain data out:
//! the tree is `krait_syntax::ast`, the result [`krait_bytecode::CodeObject`]. CPython counterpart:
//! `Python/symtable.c`, `Python/ast_opt.c`, `Python/compile.c`, `Python/flowgraph.c`, `Python/assemble.c`.
#![forbid(unsafe_code)]

mod codegen;
mod error;
mod flow;
mod fold;
mod future;
pub mod mangle;
mod optimize;
pub mod symtable;

pub use optimize::optimize;

use krait_bytecode::CodeObject;
use krait_syntax::ast::{Expr, Mod};
use krait_syntax::{SyntaxError, Warning};

/// How to compile.
#[derive(Clone, Debug)]
pub struct CompileOptions {
    /// `-O` level: 0, 1 (no `assert`, `__debug__` false) or 2 (no docstrings).
    pub optimize: u8,
    /// Expression statements of the module are printed (`single` mode).
    pub interactive: bool,
    /// `PyCF_ALLOW_TOP_LEVEL_AWAIT`
    pub top_level_await: bool,
    /// `CO_FUTURE_*` bits inherited from the code that compiles.
    pub future: u32,
    /// Native stack that may be used, in bytes.
    pub stack_budget: usize,
}

impl Default for CompileOptions {
    fn default() -> CompileOptions {
        CompileOptions { optimize: 0, interactive: false, top_level_await: false, future: 0, stack_budget: 2 << 20 }
    }
}

/// What compiling gives.
#[derive(Debug)]
pub struct Compiled {
    /// The module's code.
    pub code: CodeObject,
    /// `SyntaxWarning`s, for the caller to issue.
    pub warnings: Vec<Warning>,
}

/// Compiles a tree.
pub fn compile(module: &Mod, filename: &str, options: &CompileOptions) -> Result<Compiled, SyntaxError> {
    let table = symbol_table(module, options.future, options.stack_budget)?;
    let interactive = options.interactive || matches!(module, Mod::Interactive { .. });
    let options = CompileOptions { interactive, ..options.clone() };
    codegen::compile(module, filename, &table, &options)
}

/// Builds the symbol table of a tree alone.
pub fn symbol_table(module: &Mod, future: u32, stack_budget: usize) -> Result<symtable::SymbolTable, SyntaxError> {
    let found = future::features(module)?;
    let mut table = symtable::SymbolTable::build(module, future | found.bits, stack_budget)?;
    table.future_line = found.line;
    Ok(table)
}

/// An annotation as the string that the future import makes of it.
fn unparse_annotation(annotation: &Expr) -> String {
    krait_syntax::unparse(annotation)
}
