//! Symbol tables: which scope each name of each block belongs to.
//!
//! Data types and lookup are here; `symtable/build.rs` and `symtable/expressions.rs` walk the tree,
//! `symtable/analyze.rs` decides scopes. CPython counterpart: `Python/symtable.c`.

mod analyze;
mod build;
mod expressions;

use std::collections::HashMap;
use std::sync::Arc;

use krait_syntax::ast::{Identifier, Mod, Range};

use crate::error::{Result, StackLimit};

/// `DEF_*` and `USE` bits, with CPython's values (`_symtable` shows them).
pub mod def {
    /// `global` statement
    pub const GLOBAL: u32 = 1;
    /// assigned
    pub const LOCAL: u32 = 2;
    /// parameter
    pub const PARAM: u32 = 4;
    /// `nonlocal` statement
    pub const NONLOCAL: u32 = 8;
    /// used
    pub const USE: u32 = 16;
    /// free in a class block or a scope within it
    pub const FREE_CLASS: u32 = 64;
    /// import
    pub const IMPORT: u32 = 128;
    /// annotated
    pub const ANNOT: u32 = 256;
    /// target of a comprehension
    pub const COMP_ITER: u32 = 512;
    /// type parameter
    pub const TYPE_PARAM: u32 = 1024;
    /// cell of an inlined comprehension
    pub const COMP_CELL: u32 = 2048;
    /// bound here
    pub const BOUND: u32 = LOCAL | PARAM | IMPORT | TYPE_PARAM;
}

/// Where a name lives, with CPython's numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum NameScope {
    /// Not decided.
    Unknown = 0,
    /// Register (or namespace entry of a class or module).
    Local = 1,
    /// `global` statement.
    GlobalExplicit = 2,
    /// Not bound anywhere around.
    GlobalImplicit = 3,
    /// Cell of an enclosing function.
    Free = 4,
    /// Local that a nested function uses.
    Cell = 5,
}

/// Kind of a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BlockKind {
    /// `def`, `lambda`, comprehension
    Function,
    /// `class`
    Class,
    /// module, interactive input, expression
    Module,
    /// annotation under the future import: names are not resolved
    Annotation,
    /// bound, constraints or default of a type parameter
    TypeVariable,
    /// value of a `type` statement
    TypeAlias,
    /// the scope of `[T, …]`
    TypeParameters,
}

/// Kind of comprehension that a function block is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ComprehensionKind {
    /// None.
    No,
    /// `[…]`
    List,
    /// `{…: …}`
    Dict,
    /// `{…}`
    Set,
    /// `(…)`
    Generator,
}

/// One name of a block.
#[derive(Clone, Copy, Debug)]
pub struct Symbol {
    /// `def` bits.
    pub flags: u32,
    /// Decided by the analysis.
    pub scope: NameScope,
}

/// Names in order of first occurrence.
#[derive(Clone, Debug, Default)]
pub struct Symbols {
    entries: Vec<(Identifier, Symbol)>,
    index: HashMap<Identifier, usize>,
}

impl Symbols {
    /// The symbol of a (mangled) name.
    pub fn get(&self, name: &str) -> Option<Symbol> {
        self.index.get(name).map(|&index| self.entries[index].1)
    }

    /// In order of first occurrence.
    pub fn iter(&self) -> impl Iterator<Item = (&Identifier, Symbol)> {
        self.entries.iter().map(|(name, symbol)| (name, *symbol))
    }

    fn set(&mut self, name: &Identifier, symbol: Symbol) {
        match self.index.get(name) {
            Some(&index) => self.entries[index].1 = symbol,
            None => {
                self.index.insert(Arc::clone(name), self.entries.len());
                self.entries.push((Arc::clone(name), symbol));
            }
        }
    }

    fn flags(&self, name: &str) -> u32 {
        self.get(name).map_or(0, |symbol| symbol.flags)
    }
}

/// Index of a block.
pub type BlockId = usize;

/// One block (`PySTEntryObject`).
#[derive(Clone, Debug)]
pub struct Block {
    /// Name of the function or class, `top`, `<lambda>` …
    pub name: Identifier,
    /// Kind.
    pub kind: BlockKind,
    /// Names.
    pub symbols: Symbols,
    /// Parameters in order.
    pub varnames: Vec<Identifier>,
    /// Nested blocks in order.
    pub children: Vec<BlockId>,
    /// Where it begins.
    pub range: Range,
    /// Is in a function, directly or not.
    pub nested: bool,
    /// Has free variables.
    pub free: bool,
    /// Has a descendant with free variables.
    pub child_free: bool,
    /// Contains `yield`.
    pub generator: bool,
    /// Is `async` or contains `await`.
    pub coroutine: bool,
    /// Has `return value`.
    pub returns_value: bool,
    /// Has `*args`.
    pub varargs: bool,
    /// Has `**kwargs`.
    pub varkeywords: bool,
    /// Comprehension kind.
    pub comprehension: ComprehensionKind,
    /// Comprehension that has no code object of its own.
    pub inlined: bool,
    /// Class: nested code uses `__class__`.
    pub needs_class_closure: bool,
    /// Class: nested annotation scopes look names up in the namespace.
    pub needs_classdict: bool,
    /// Annotation scope directly in a class.
    pub can_see_class_scope: bool,
    /// Has an assignment expression (its own or of a comprehension inside) to these names.
    pub walrus_names: Vec<Identifier>,
    comp_iter_target: bool,
    comp_iter_expr: u32,
    /// `global` and `nonlocal` statements.
    directives: Vec<(Identifier, Range)>,
    /// Of a class with type parameters: only these names are mangled in the scope of the parameters.
    mangled_names: Option<Vec<Identifier>>,
    /// What a type variable's scope evaluates, for messages.
    scope_info: &'static str,
}

impl Block {
    /// Blocks whose locals are registers.
    pub fn is_function_like(&self) -> bool {
        !matches!(self.kind, BlockKind::Class | BlockKind::Module)
    }

    /// Scope of a mangled name.
    pub fn scope_of(&self, name: &str) -> NameScope {
        self.symbols.get(name).map_or(NameScope::Unknown, |symbol| symbol.scope)
    }
}

/// What a node's block is for; several blocks can belong to one node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum BlockRole {
    /// The node's own.
    Body,
    /// Its type parameters.
    TypeParameters,
    /// Bound or constraints of a type parameter.
    Bound,
    /// Default of a type parameter.
    Default,
}

/// All blocks of a tree; nodes are found by address, so the tree must not move while the table is used.
#[derive(Clone, Debug)]
pub struct SymbolTable {
    blocks: Vec<Block>,
    by_node: HashMap<(usize, BlockRole), BlockId>,
    /// `CO_FUTURE_*` bits in force.
    pub future: u32,
    /// Line of the last future import at the module's head.
    pub(crate) future_line: u32,
}

impl SymbolTable {
    /// Builds and analyses the table of a module.
    pub fn build(module: &Mod, future: u32, stack_budget: usize) -> Result<SymbolTable> {
        let stack = StackLimit::new(stack_budget);
        let mut table = build::build(module, future, stack)?;
        analyze::analyze(&mut table)?;
        Ok(table)
    }

    /// The module's block.
    pub fn top(&self) -> BlockId {
        0
    }

    /// A block.
    pub fn block(&self, id: BlockId) -> &Block {
        &self.blocks[id]
    }

    /// The block of a node.
    pub fn find<T>(&self, node: &T, role: BlockRole) -> BlockId {
        let key = (std::ptr::from_ref(node) as usize, role);
        *self.by_node.get(&key).expect("the builder visits every node that opens a scope")
    }
}
