//! From blocks of instructions to words: reachability, lines, bound locals, layout, encoding.
//!
//! CPython counterpart: `Python/flowgraph.c`, `Python/assemble.c`.

mod bound;
mod consts;
mod encode;
mod lines;
mod moves;
mod reach;

use krait_bytecode::location::PositionTable;
use krait_bytecode::{Const, ExceptionEntry};

use crate::codegen::ir::{self, Body, Reg};

/// How many registers of each group there are.
pub(crate) struct Variables {
    /// Final number of each local.
    pub(crate) local_numbers: Vec<u16>,
    pub(crate) parameters: u32,
    pub(crate) cells: u32,
    pub(crate) free: u32,
    pub(crate) temps: u32,
}

impl Variables {
    /// Number of registers.
    pub(crate) fn registers(&self) -> u32 {
        self.locals() + self.cells + self.free + self.temps
    }

    pub(crate) fn locals(&self) -> u32 {
        self.local_numbers.len() as u32
    }

    /// Final number of a register; `assemble` has checked that all fit.
    pub(crate) fn number(&self, reg: Reg) -> u16 {
        let index = reg & !ir::GROUP;
        let number = match reg & ir::GROUP {
            // Register 0 also stands for an operand that an instruction does not use.
            ir::LOCAL => return self.local_numbers.get(index as usize).copied().unwrap_or(0),
            ir::CELL => self.locals() + index,
            ir::FREE => self.locals() + self.cells + index,
            _ => self.locals() + self.cells + self.free + index,
        };
        number as u16
    }
}

/// The encoded code of a unit.
pub(crate) struct Assembled {
    pub(crate) words: Vec<u64>,
    pub(crate) exceptions: Vec<ExceptionEntry>,
    pub(crate) positions: PositionTable,
}

/// Lays out and encodes.
pub(crate) fn assemble(mut body: Body, variables: &Variables, consts: &mut Vec<Const>) -> Result<Assembled, String> {
    if variables.registers() > u16::MAX as u32 {
        return Err("too many local variables in a code object".to_owned());
    }
    reach::order(&mut body);
    reach::skip_empty_blocks(&mut body);
    reach::thread_jumps(&mut body);
    reach::drop_unreachable(&mut body);
    lines::duplicate_exits(&mut body);
    reach::thread_jumps(&mut body);
    reach::remove_unreachable(&mut body);
    lines::propagate(&mut body);
    bound::remove_checks(&mut body, variables);
    lines::remove_nops(&mut body);
    moves::join(&mut body);
    let mut assembled = encode::encode(&body, variables)?;
    consts::remove_unused(&mut assembled.words, consts);
    Ok(assembled)
}
