//! The compiler's own form of instructions: virtual registers, labels as basic blocks, one handler per instruction.
//!
//! `flow` turns it into a code object. CPython counterpart: `cfg_instr`, `basicblock` of `Python/flowgraph.c`.

use krait_bytecode::Op;
use krait_bytecode::location::Position;

/// A register whose final number is known only when all variables are: the high bits say the group.
pub(crate) type Reg = u32;

/// Group bits of a register.
pub(crate) const GROUP: u32 = 3 << 28;
/// Fast locals.
pub(crate) const LOCAL: u32 = 0;
/// Variables that are only cells.
pub(crate) const CELL: u32 = 1 << 28;
/// Free variables.
pub(crate) const FREE: u32 = 2 << 28;
/// Temporaries, by height.
pub(crate) const TEMP: u32 = 3 << 28;

/// A basic block; what jumps name.
pub(crate) type Label = u32;

/// No label, no handler.
pub(crate) const NONE: u32 = u32::MAX;

/// One instruction.
#[derive(Clone, Debug)]
pub(crate) struct Instr {
    pub(crate) op: Op,
    pub(crate) flags: u8,
    /// Operands a, b, c: registers, numbers, name indices; `RETURN_VALUE.b` and `YIELD_VALUE.c` are heights as registers.
    pub(crate) args: [u32; 3],
    /// Words after the first that are not caches (an instruction has at most one).
    pub(crate) extra: u32,
    pub(crate) target: Label,
    /// Index into the unit's handlers.
    pub(crate) handler: u32,
    pub(crate) pos: Position,
}

/// A basic block under construction.
#[derive(Clone, Debug, Default)]
pub(crate) struct Block {
    pub(crate) instrs: Vec<Instr>,
    /// How far out of line: handlers are laid out behind all code that is less cold.
    pub(crate) cold: u32,
}

/// Where an exception goes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Handler {
    pub(crate) label: Label,
    /// Temporary that gets the exception.
    pub(crate) depth: Reg,
}

/// Code of one unit, before layout.
#[derive(Debug, Default)]
pub(crate) struct Body {
    pub(crate) blocks: Vec<Block>,
    /// Blocks in the order in which they were begun.
    pub(crate) order: Vec<Label>,
    pub(crate) handlers: Vec<Handler>,
}

impl Instr {
    /// Whether control can go on at the next instruction.
    pub(crate) fn falls_through(&self) -> bool {
        !self.op.ends()
    }
}
