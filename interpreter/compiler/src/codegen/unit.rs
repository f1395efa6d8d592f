//! What is known while one code object is being generated: tables of names and constants, height, blocks.
//!
//! CPython counterpart: `struct compiler_unit`, `compiler_enter_scope`, `compiler_set_qualname`.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use krait_bytecode::location::Position;
use krait_bytecode::{Const, Op};
use krait_syntax::ast::{Identifier, Stmt};

use super::ir::{self, Body, Label, Reg};
use crate::symtable::{self, Block, NameScope, def};

/// Kind of code object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum UnitKind {
    Module,
    Class,
    Function,
    AsyncFunction,
    Lambda,
    Comprehension,
    /// Type parameters, type variable, type alias.
    Annotation,
}

/// What `break`, `continue`, `return` and exceptions have to undo.
#[derive(Clone, Debug)]
pub(crate) enum FrameKind<'a> {
    While,
    For {
        iter: Reg,
    },
    /// The body of a `try` with handlers.
    Try,
    /// The body of a `try` with `finally`.
    FinallyTry {
        body: &'a [Stmt],
    },
    /// The exceptional path of `finally`; `PUSH_EXC_INFO depth` is in force.
    FinallyEnd {
        depth: Reg,
    },
    /// A handler; `PUSH_EXC_INFO depth` is in force.
    Handler {
        depth: Reg,
    },
    /// The body of a handler with a name, which is deleted at the end.
    HandlerName {
        name: Identifier,
    },
    /// The handlers of `except*`.
    ExceptStar,
    /// The value of a `return` that waits for the `finally` body being compiled.
    Pending {
        value: Reg,
    },
    With {
        exit: Reg,
        is_async: bool,
        pos: Position,
    },
    /// Anything that only holds an exception handler.
    Guard,
}

/// One entry of the stack of blocks.
#[derive(Clone, Debug)]
pub(crate) struct Frame<'a> {
    pub(crate) kind: FrameKind<'a>,
    pub(crate) handler: u32,
    pub(crate) on_continue: Label,
    pub(crate) on_break: Label,
}

/// Where a name is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    Fast(Reg),
    /// A cell or free variable.
    Deref(Reg),
    /// Not bound by any scope around.
    GlobalImplicit,
    GlobalExplicit,
    Name,
}

/// The state of one code object in the making.
pub(crate) struct Unit<'a> {
    pub(crate) kind: UnitKind,
    pub(crate) block: symtable::BlockId,
    pub(crate) name: Identifier,
    pub(crate) qualname: Arc<str>,
    pub(crate) private: Option<Identifier>,
    pub(crate) firstlineno: u32,
    pub(crate) argcount: u32,
    pub(crate) posonlyargcount: u32,
    pub(crate) kwonlyargcount: u32,
    pub(crate) consts: Vec<Const>,
    const_index: HashMap<Vec<u8>, u32>,
    late_consts: Vec<Const>,
    pub(crate) names: Vec<Identifier>,
    name_index: HashMap<Identifier, u32>,
    pub(crate) varnames: Vec<Identifier>,
    local_index: HashMap<Identifier, u32>,
    /// Locals in the order of `co_varnames`, which is that of CPython's first use.
    pub(crate) local_order: Vec<u32>,
    pub(crate) cellvars: Vec<Identifier>,
    /// Register of each cell variable: an argument's, or of the group of cells.
    pub(crate) cell_regs: Vec<Reg>,
    pub(crate) freevars: Vec<Identifier>,
    pub(crate) hidden: Vec<u32>,
    pub(crate) body: Body,
    pub(crate) current: Label,
    pub(crate) height: Reg,
    pub(crate) max_height: Reg,
    pub(crate) cold: u32,
    pub(crate) frames: Vec<Frame<'a>>,
    /// Names with another place inside the inlined comprehension that is being compiled.
    pub(crate) overrides: Vec<HashMap<Identifier, Place>>,
    pub(crate) inlined: u32,
    pub(crate) has_walrus: HashSet<Identifier>,
    /// Assignment expressions in the expression that is being compiled.
    pub(crate) walrus: usize,
    pub(crate) nesting: u32,
    /// Attributes assigned through `self` in a class's methods, in order.
    pub(crate) static_attributes: Vec<Identifier>,
}

/// Marks an index into `late_consts`.
const LATE_CONST: u32 = 1 << 31;

/// Key under which constants are merged: type tag and bits.
fn const_key(value: &Const, key: &mut Vec<u8>) {
    let mut bytes = |tag: u8, bytes: &[u8]| {
        key.push(tag);
        key.extend((bytes.len() as u64).to_le_bytes());
        key.extend(bytes);
    };
    match value {
        Const::None => key.push(b'N'),
        Const::Ellipsis => key.push(b'.'),
        Const::Bool(value) => key.extend([b'b', *value as u8]),
        Const::Int(value) => bytes(b'i', &value.to_le_bytes()),
        Const::BigInt(value) => bytes(b'I', &value.to_signed_bytes_le()),
        Const::Float(value) => bytes(b'f', &value.to_bits().to_le_bytes()),
        Const::Complex(real, imag) => {
            bytes(b'c', &real.to_bits().to_le_bytes());
            bytes(b'j', &imag.to_bits().to_le_bytes());
        }
        Const::Str(text) => bytes(b's', text),
        Const::Bytes(text) => bytes(b'y', text),
        Const::Tuple(items) | Const::FrozenSet(items) => {
            key.push(if matches!(value, Const::Tuple(_)) { b'(' } else { b'{' });
            key.extend((items.len() as u64).to_le_bytes());
            items.iter().for_each(|item| const_key(item, key));
        }
        Const::Code(code) => bytes(b'C', &(Arc::as_ptr(code) as usize).to_le_bytes()),
        Const::Stored(code) => bytes(b'C', &(Arc::as_ptr(code) as usize).to_le_bytes()),
    }
}

impl<'a> Unit<'a> {
    pub(crate) fn new(
        kind: UnitKind,
        block: symtable::BlockId,
        table: &Block,
        name: Identifier,
        private: Option<Identifier>,
        firstlineno: u32,
    ) -> Unit<'a> {
        let mut unit = Unit {
            kind,
            block,
            qualname: Arc::clone(&name),
            name,
            private,
            firstlineno,
            argcount: 0,
            posonlyargcount: 0,
            kwonlyargcount: 0,
            consts: Vec::new(),
            const_index: HashMap::new(),
            late_consts: Vec::new(),
            names: Vec::new(),
            name_index: HashMap::new(),
            varnames: Vec::new(),
            local_index: HashMap::new(),
            local_order: Vec::new(),
            cellvars: Vec::new(),
            cell_regs: Vec::new(),
            freevars: Vec::new(),
            hidden: Vec::new(),
            body: Body::default(),
            current: 0,
            height: ir::TEMP,
            max_height: ir::TEMP,
            cold: 0,
            frames: Vec::new(),
            overrides: Vec::new(),
            inlined: 0,
            has_walrus: table.walrus_names.iter().cloned().collect(),
            walrus: 0,
            nesting: 0,
            static_attributes: Vec::new(),
        };
        unit.declare(table);
        unit.body.blocks.push(ir::Block::default());
        unit.body.order.push(0);
        unit
    }

    fn declare(&mut self, table: &Block) {
        for name in &table.varnames {
            self.local(name);
        }
        let is_cell = |symbol: symtable::Symbol| symbol.scope == NameScope::Cell || symbol.flags & def::COMP_CELL != 0;
        let mut cells: Vec<&Identifier> =
            table.symbols.iter().filter(|(_, symbol)| is_cell(*symbol)).map(|(name, _)| name).collect();
        let (class, classdict) = ("__class__".into(), "__classdict__".into());
        if table.needs_class_closure && !cells.contains(&&class) {
            cells.push(&class);
        }
        if table.needs_classdict && !cells.contains(&&classdict) {
            cells.push(&classdict);
        }
        // Arguments come first, in their order.
        cells.sort_by_key(|name| (table.varnames.iter().position(|arg| arg == *name).unwrap_or(usize::MAX), *name));
        let mut only = 0;
        for name in cells {
            let register = match self.local_index.get(name) {
                Some(&index) => ir::LOCAL + index,
                None => {
                    only += 1;
                    ir::CELL + only - 1
                }
            };
            self.cellvars.push(Arc::clone(name));
            self.cell_regs.push(register);
        }
        let is_free = |symbol: symtable::Symbol| symbol.scope == NameScope::Free || symbol.flags & def::FREE_CLASS != 0;
        let free = table.symbols.iter().filter(|(_, symbol)| is_free(*symbol)).map(|(name, _)| Arc::clone(name));
        self.freevars = free.collect();
        self.freevars.sort();
    }

    /// Register of a fast local, made at first use.
    pub(crate) fn local(&mut self, name: &Identifier) -> Reg {
        if let Some(&index) = self.local_index.get(name) {
            return ir::LOCAL + index;
        }
        let index = self.varnames.len() as u32;
        self.local_index.insert(Arc::clone(name), index);
        self.varnames.push(Arc::clone(name));
        self.local_order.push(index);
        ir::LOCAL + index
    }

    /// A target that got its register before its value was compiled (when there were `known` locals) comes after
    /// the locals that the value uses.
    pub(crate) fn settle_target(&mut self, register: Reg, known: usize) {
        if register as usize >= known {
            self.local_order.retain(|&local| local != register);
            self.local_order.push(register);
        }
    }

    /// Whether the name has a register of its own.
    pub(crate) fn has_local(&self, name: &str) -> bool {
        self.local_index.contains_key(name)
    }

    /// Register of a cell variable.
    pub(crate) fn cell(&mut self, name: &Identifier) -> Reg {
        if let Some(index) = self.cellvars.iter().position(|cell| cell == name) {
            return self.cell_regs[index];
        }
        let only = self.cell_regs.iter().filter(|&&register| register & ir::GROUP == ir::CELL).count() as u32;
        self.cellvars.push(Arc::clone(name));
        self.cell_regs.push(ir::CELL + only);
        ir::CELL + only
    }

    /// Register of a free variable.
    pub(crate) fn free(&self, name: &str) -> Option<Reg> {
        self.freevars.iter().position(|free| &**free == name).map(|index| ir::FREE + index as u32)
    }

    /// Register that holds the cell of a name, for a closure.
    pub(crate) fn closure_cell(&mut self, name: &Identifier) -> Reg {
        if let Some(Place::Deref(register)) = self.overrides.iter().rev().find_map(|map| map.get(name)) {
            return *register;
        }
        if self.cellvars.contains(name) {
            return self.cell(name);
        }
        match self.free(name) {
            Some(register) => register,
            None => self.cell(name),
        }
    }

    pub(crate) fn name_id(&mut self, name: &Identifier) -> u32 {
        if let Some(&index) = self.name_index.get(name) {
            return index;
        }
        let index = self.names.len() as u32;
        self.name_index.insert(Arc::clone(name), index);
        self.names.push(Arc::clone(name));
        index
    }

    pub(crate) fn const_id(&mut self, value: Const) -> u32 {
        let mut key = Vec::new();
        const_key(&value, &mut key);
        if let Some(&index) = self.const_index.get(&key) {
            return index;
        }
        let index = self.consts.len() as u32;
        self.const_index.insert(key, index);
        self.consts.push(value);
        index
    }

    /// A small integer that an instruction has as its operand is a constant to who reads `co_consts`.
    pub(crate) fn immediate_const(&mut self, value: u32) {
        self.const_id(Const::Int((value as u16 as i16).into()));
    }

    /// Index of a constant that comes after all others in `co_consts`, where CPython has what its optimizer makes.
    pub(crate) fn late_const(&mut self, value: Const) -> u32 {
        self.late_consts.push(value);
        LATE_CONST | (self.late_consts.len() as u32 - 1)
    }

    /// Gives late constants their true indices.
    pub(crate) fn place_late_consts(&mut self) {
        if self.late_consts.is_empty() {
            return;
        }
        let late = std::mem::take(&mut self.late_consts);
        let indices: Vec<u32> = late.into_iter().map(|value| self.const_id(value)).collect();
        for instr in self.body.blocks.iter_mut().flat_map(|block| &mut block.instrs) {
            if instr.op == Op::LOAD_CONST && instr.extra & LATE_CONST != 0 {
                instr.extra = indices[(instr.extra & !LATE_CONST) as usize];
            }
        }
    }

    /// The handler in force.
    pub(crate) fn handler(&self) -> u32 {
        self.frames.iter().rev().map(|frame| frame.handler).find(|&handler| handler != ir::NONE).unwrap_or(ir::NONE)
    }
}
