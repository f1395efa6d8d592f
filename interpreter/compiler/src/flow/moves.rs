//! Joins a move into a temporary with the move out of it that follows.

use krait_bytecode::Op;
use krait_bytecode::opcodes::KILL_1;

use crate::codegen::ir::{self, Body, Instr};

/// `MOVE t, x; MOVE y, t!` is `MOVE y, x`: nothing else reads a temporary that dies.
pub(super) fn join(body: &mut Body) {
    for block in &mut body.blocks {
        let mut joined: Vec<Instr> = Vec::with_capacity(block.instrs.len());
        for instr in std::mem::take(&mut block.instrs) {
            let dies = instr.op == Op::MOVE && instr.flags & KILL_1 != 0 && instr.args[1] & ir::GROUP == ir::TEMP;
            match joined.last_mut() {
                Some(last) if dies && last.op == Op::MOVE && last.args[0] == instr.args[1] => {
                    last.args[0] = instr.args[0];
                    last.pos = instr.pos;
                }
                _ => joined.push(instr),
            }
        }
        block.instrs = joined;
    }
}
