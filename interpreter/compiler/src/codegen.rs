//! Code generation: from the tree and its symbol table to code objects, one unit per code object.
//!
//! Here: the compiler's state, emission of instructions, temporaries. The constructs are in `codegen/`; layout,
//! flow analyses and encoding in `flow`. CPython counterpart: `Python/compile.c`.
//!
//! Temporaries are a stack by construction: an expression's value is either a borrowed local or the temporary at the
//! height where its evaluation began, and whoever consumes a temporary sets its kill bit and lowers the height.

mod assign;
mod calls;
mod checks;
mod classes;
mod compare;
mod comprehensions;
mod displays;
mod exceptions;
mod exits;
mod expressions;
mod functions;
mod generics;
mod imports;
pub(crate) mod ir;
mod loops;
mod names;
mod patterns;
mod statements;
pub(crate) mod unit;
mod walrus;
mod with;
mod yields;

use std::sync::Arc;

use krait_bytecode::code::flags as co;
use krait_bytecode::location::Position;
use krait_bytecode::{CodeObject, Const, Op, opcodes};
use krait_syntax::ast::{Expr, Identifier, Mod, Range};
use krait_syntax::{SyntaxError, SyntaxErrorKind, Warning};

use crate::error::{Result, StackLimit, error, warning};
use crate::flow;
use crate::fold::Folder;
use crate::symtable::{self, BlockKind, SymbolTable};
use crate::{CompileOptions, Compiled};
use ir::{Block, Handler, Instr, Label, NONE, Reg};
use unit::{Frame, FrameKind, Unit, UnitKind};

/// The value of an expression: a borrowed variable or a temporary that its consumer kills.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Val {
    reg: Reg,
    temp: bool,
}

/// Generator of all code objects of one tree.
pub(crate) struct Compiler<'a> {
    filename: Arc<str>,
    options: &'a CompileOptions,
    future: u32,
    table: &'a SymbolTable,
    warnings: Vec<Warning>,
    limit: StackLimit,
    folder: Folder,
    /// The unit being compiled.
    u: Unit<'a>,
    /// The units around it, outermost first.
    outer: Vec<Unit<'a>>,
}

/// A node's position.
fn at(range: Range) -> Position {
    Position {
        line: range.lineno,
        end_line: range.end_lineno,
        col: range.col_offset as i32,
        end_col: range.end_col_offset as i32,
    }
}

/// Compiles a whole tree.
pub(crate) fn compile(module: &Mod, filename: &str, table: &SymbolTable, options: &CompileOptions) -> Result<Compiled> {
    let top = table.block(table.top());
    let unit = Unit::new(UnitKind::Module, table.top(), top, "<module>".into(), None, 1);
    let mut compiler = Compiler {
        filename: filename.into(),
        options,
        future: table.future,
        table,
        warnings: Vec::new(),
        limit: StackLimit::new(options.stack_budget),
        folder: Folder { debug: options.optimize == 0 },
        u: unit,
        outer: Vec::new(),
    };
    compiler.resume(0, Position::MODULE);
    let code = compiler.module(module).and_then(|()| compiler.finish_unit());
    let warnings = compiler.warnings;
    match code {
        Ok(code) => Ok(Compiled { code, warnings }),
        Err(error) => Err(SyntaxError { warnings, ..error }),
    }
}

impl<'a> Compiler<'a> {
    fn module(&mut self, module: &'a Mod) -> Result<()> {
        let top = self.table.block(self.table.top());
        let is_async = self.options.top_level_await && top.coroutine;
        if is_async || top.generator {
            self.guard_generator();
        }
        match module {
            Mod::Module { body, .. } => {
                self.module_body(body)?;
                self.return_none(Position::NONE);
            }
            Mod::Interactive { body } => {
                if self.has_annotations(body) {
                    self.emit(Op::SETUP_ANNOTATIONS, [0, 0, 0], 0, Position::NONE);
                }
                self.stmts(body)?;
                self.return_none(Position::NONE);
            }
            Mod::Expression { body } => {
                let value = self.expr(body)?;
                self.return_value(value, at(body.range));
            }
            Mod::FunctionType { .. } => {
                return Err(error(Range::default(), "this compiler does not handle FunctionTypes"));
            }
        }
        if is_async || top.generator {
            self.end_generator_guard();
        }
        Ok(())
    }

    fn block(&self) -> &'a symtable::Block {
        self.table.block(self.u.block)
    }

    fn is_function_like(&self) -> bool {
        self.block().is_function_like()
    }

    fn warn(&mut self, range: Range, msg: impl Into<String>) {
        let warning = warning(range, msg);
        // The bodies of `finally` are compiled more than once.
        if !self.warnings.contains(&warning) {
            self.warnings.push(warning);
        }
    }

    // ---- units

    fn enter(&mut self, kind: UnitKind, block: symtable::BlockId, name: &Identifier, firstlineno: u32) {
        let private = self.u.private.clone();
        let mut unit = Unit::new(kind, block, self.table.block(block), Arc::clone(name), private, firstlineno);
        unit.qualname = self.qualname_for(kind, name);
        self.outer.push(std::mem::replace(&mut self.u, unit));
        let pos = Position { line: firstlineno, end_line: firstlineno, col: 0, end_col: 0 };
        self.resume(0, pos);
        self.make_cells(pos);
    }

    /// `co_qualname` of a unit that is about to be entered from the current one.
    fn qualname_for(&self, kind: UnitKind, name: &Identifier) -> Arc<str> {
        let skips = |unit: &Unit<'_>| {
            matches!(self.table.block(unit.block).kind, BlockKind::TypeParameters | BlockKind::TypeVariable)
        };
        // A scope of type parameters, but only one, does not show in qualified names.
        let parent = match self.outer.last() {
            Some(grandparent) if skips(&self.u) => grandparent,
            _ => &self.u,
        };
        if parent.kind == UnitKind::Module {
            return Arc::clone(name);
        }
        let definition = matches!(kind, UnitKind::Function | UnitKind::AsyncFunction | UnitKind::Class);
        if definition {
            let mangled = crate::mangle::mangle(parent.private.as_ref(), name);
            if self.table.block(parent.block).scope_of(&mangled) == symtable::NameScope::GlobalExplicit {
                return Arc::clone(name);
            }
        }
        let local = matches!(parent.kind, UnitKind::Function | UnitKind::AsyncFunction | UnitKind::Lambda)
            || self.table.block(parent.block).kind == BlockKind::TypeAlias;
        let middle = if local { ".<locals>." } else { "." };
        format!("{}{middle}{name}", parent.qualname).into()
    }

    fn make_cells(&mut self, pos: Position) {
        let class_or_module = !self.is_function_like();
        for index in 0..self.u.cellvars.len() {
            let name = &self.u.cellvars[index];
            // The cell of an inlined comprehension of a class or module body is made by the comprehension.
            let own = self.block().scope_of(name) == symtable::NameScope::Cell
                || matches!(&**name, "__class__" | "__classdict__");
            if !class_or_module || own {
                let register = self.u.cell_regs[index];
                self.emit(Op::MAKE_CELL, [register, 0, 0], 0, Position { line: 0, ..pos });
            }
        }
    }

    /// Ends the current unit and gives its code; the unit around it is current again (the last one stays).
    fn finish_unit(&mut self) -> Result<CodeObject> {
        let code = self.assemble()?;
        if let Some(outer) = self.outer.pop() {
            self.u = outer;
        }
        Ok(code)
    }

    fn assemble(&mut self) -> Result<CodeObject> {
        let flags = self.code_flags();
        let unit = &mut self.u;
        unit.place_late_consts();
        let body = std::mem::take(&mut unit.body);
        let layout = flow::Variables {
            local_numbers: {
                let mut numbers = vec![0u16; unit.varnames.len()];
                for (number, &local) in unit.local_order.iter().enumerate() {
                    numbers[local as usize] = number as u16;
                }
                numbers
            },
            parameters: self.table.block(unit.block).varnames.len() as u32,
            cells: unit.cell_regs.iter().filter(|&&register| register & ir::GROUP == ir::CELL).count() as u32,
            free: unit.freevars.len() as u32,
            temps: unit.max_height - ir::TEMP,
        };
        let assembled = flow::assemble(body, &layout, &mut unit.consts)
            .map_err(|msg| SyntaxError::bare(SyntaxErrorKind::OverflowError, msg))?;
        Ok(CodeObject {
            argcount: unit.argcount,
            posonlyargcount: unit.posonlyargcount,
            kwonlyargcount: unit.kwonlyargcount,
            flags,
            firstlineno: unit.firstlineno,
            nregs: layout.registers(),
            filename: Arc::clone(&self.filename),
            name: Arc::clone(&unit.name),
            qualname: Arc::clone(&unit.qualname),
            consts: std::mem::take(&mut unit.consts),
            names: std::mem::take(&mut unit.names),
            cell_registers: unit.cell_regs.iter().map(|&register| layout.number(register)).collect(),
            hidden_locals: unit.hidden.iter().map(|&local| layout.number(local)).collect(),
            varnames: unit.local_order.iter().map(|&local| Arc::clone(&unit.varnames[local as usize])).collect(),
            cellvars: std::mem::take(&mut unit.cellvars),
            freevars: std::mem::take(&mut unit.freevars),
            words: assembled.words,
            exceptions: assembled.exceptions,
            positions: assembled.positions,
        })
    }

    fn code_flags(&self) -> u32 {
        let block = self.block();
        let mut flags = self.future;
        if block.is_function_like() {
            flags |= co::NEWLOCALS | co::OPTIMIZED;
            flags |= if block.nested { co::NESTED } else { 0 };
            flags |= match (block.generator, block.coroutine) {
                (true, true) => co::ASYNC_GENERATOR,
                (true, false) => co::GENERATOR,
                (false, true) => co::COROUTINE,
                (false, false) => 0,
            };
            flags |= if block.varargs { co::VARARGS } else { 0 };
            flags |= if block.varkeywords { co::VARKEYWORDS } else { 0 };
        } else if self.u.kind == UnitKind::Module && self.options.top_level_await && block.coroutine {
            flags |= if block.generator { co::ASYNC_GENERATOR } else { co::COROUTINE };
        }
        flags
    }

    // ---- emission

    fn emit(&mut self, op: Op, args: [u32; 3], flags: u8, pos: Position) -> &mut Instr {
        self.emit_full(op, args, flags, 0, NONE, pos)
    }

    fn emit_full(&mut self, op: Op, args: [u32; 3], flags: u8, extra: u32, target: Label, pos: Position) -> &mut Instr {
        if self.is_ended() {
            // What follows a jump without a label is unreachable until a label is bound.
            let label = self.new_label();
            self.bind(label);
        }
        let handler = self.u.handler();
        let block = &mut self.u.body.blocks[self.u.current as usize];
        block.instrs.push(Instr { op, flags, args, extra, target, handler, pos });
        block.instrs.last_mut().expect("just pushed")
    }

    fn is_ended(&self) -> bool {
        let block = &self.u.body.blocks[self.u.current as usize];
        block.instrs.last().is_some_and(|last| last.op.info().flags & (opcodes::JUMPS | opcodes::ENDS) != 0)
    }

    fn new_label(&mut self) -> Label {
        self.u.body.blocks.push(Block::default());
        self.u.body.blocks.len() as Label - 1
    }

    fn bind(&mut self, label: Label) {
        self.u.body.blocks[label as usize].cold = self.u.cold;
        self.u.body.order.push(label);
        self.u.current = label;
    }

    /// Begins code that is laid out behind everything that is less cold. It is entered by a jump or an exception
    /// only, and must end with one; code that goes on in line binds a label that something jumps to.
    fn begin_cold(&mut self, label: Label) {
        self.u.cold += 1;
        self.bind(label);
    }

    /// Ends cold code and goes on in line at `label`.
    fn end_cold(&mut self, label: Label) {
        self.u.cold -= 1;
        self.bind(label);
    }

    fn jump(&mut self, label: Label, pos: Position) {
        self.emit_full(Op::JUMP_FORWARD, [0, 0, 0], 0, 0, label, pos);
    }

    fn resume(&mut self, kind: u32, pos: Position) {
        self.emit(Op::RESUME, [kind, 0, 0], 0, pos);
    }

    fn load_const(&mut self, reg: Reg, value: Const, pos: Position) {
        let index = self.u.const_id(value);
        self.emit_full(Op::LOAD_CONST, [reg, 0, 0], 0, index, NONE, pos);
    }

    fn clear(&mut self, reg: Reg, pos: Position) {
        self.emit(Op::CLEAR, [reg, 0, 0], 0, pos);
    }

    fn new_handler(&mut self, depth: Reg) -> (u32, Label) {
        let label = self.new_label();
        self.u.body.handlers.push(Handler { label, depth });
        (self.u.body.handlers.len() as u32 - 1, label)
    }

    fn push_frame(&mut self, frame: Frame<'a>, range: Range) -> Result<()> {
        const MAX_BLOCKS: usize = 21;
        if self.u.frames.len() >= MAX_BLOCKS {
            return Err(error(range, "too many statically nested blocks"));
        }
        self.u.frames.push(frame);
        Ok(())
    }

    fn push_guard(&mut self, kind: FrameKind<'a>, handler: u32, range: Range) -> Result<()> {
        self.push_frame(Frame { kind, handler, on_continue: NONE, on_break: NONE }, range)
    }

    fn pop_frame(&mut self) {
        self.u.frames.pop();
    }

    // ---- temporaries

    fn set_height(&mut self, height: Reg) {
        self.u.height = height;
        self.u.max_height = self.u.max_height.max(height);
    }

    /// Takes the temporary at the current height.
    fn alloc(&mut self) -> Reg {
        let reg = self.u.height;
        self.set_height(reg + 1);
        reg
    }

    /// The register for a result: `wanted`, or the temporary at `base`, above which everything is dead by then.
    fn out(&mut self, base: Reg, wanted: Option<Reg>) -> Val {
        match wanted {
            Some(reg) => {
                self.set_height(base);
                Val { reg, temp: false }
            }
            None => {
                self.set_height(base + 1);
                Val { reg: base, temp: true }
            }
        }
    }

    /// Kill bits for operands in reading order, none for one that is also the destination.
    fn kills(operands: &[Val], dst: Reg) -> u8 {
        let bit = |(index, val): (usize, &Val)| if val.temp && val.reg != dst { 1 << index } else { 0 };
        operands.iter().enumerate().map(bit).fold(0, |bits, bit| bits | bit)
    }

    /// Moves a value into a register (a borrowed one is copied).
    fn move_to(&mut self, dst: Reg, val: Val, pos: Position) {
        if val.reg != dst {
            let kill = Self::kills(&[val], dst);
            self.emit(Op::MOVE, [dst, val.reg, 0], kill, pos);
        }
    }

    /// Evaluates into the temporary at the current height and takes it.
    fn push(&mut self, expr: &'a Expr) -> Result<Reg> {
        let base = self.u.height;
        let val = self.expr(expr)?;
        Ok(self.push_val(base, val, at(expr.range)))
    }

    fn push_val(&mut self, base: Reg, val: Val, pos: Position) -> Reg {
        self.set_height(base + 1);
        self.move_to(base, val, pos);
        base
    }

    fn push_const(&mut self, value: Const, pos: Position) -> Reg {
        let reg = self.alloc();
        self.load_const(reg, value, pos);
        reg
    }

    /// Evaluates into a given register.
    fn expr_into(&mut self, expr: &'a Expr, dst: Reg) -> Result<()> {
        let base = self.u.height;
        let val = self.expr_to(expr, Some(dst))?;
        self.move_to(dst, val, at(expr.range));
        self.set_height(base);
        Ok(())
    }

    /// Drops a value that nobody wants.
    fn discard(&mut self, base: Reg, val: Val, pos: Position) {
        if val.temp {
            self.clear(val.reg, pos);
        }
        self.set_height(base);
    }
}
