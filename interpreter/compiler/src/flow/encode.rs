//! Encodes blocks as words: registers numbered, jumps resolved (long ones expanded), tables built.
//!
//! A conditional jump reaches 15 bits. One that does not is expanded to `op +1; JUMP_FORWARD over; JUMP_FORWARD far`, decided by
//! repeated sizing until nothing grows.

use krait_bytecode::location::PositionTable;
use krait_bytecode::opcodes::{Extra, Operand};
use krait_bytecode::{ExceptionEntry, Op, Word};

use super::{Assembled, Variables};
use crate::codegen::ir::{Body, Instr, NONE};

struct Layout {
    /// First word of each block.
    starts: Vec<u32>,
    /// Instructions (in layout order) that are expanded.
    long: Vec<bool>,
    total: u32,
}

fn instructions(body: &Body) -> impl Iterator<Item = &Instr> {
    body.order.iter().flat_map(|&label| &body.blocks[label as usize].instrs)
}

fn is_wide_jump(op: Op) -> bool {
    matches!(op, Op::JUMP_FORWARD | Op::JUMP_BACKWARD)
}

fn lay_out(body: &Body, layout: &mut Layout) {
    let (mut at, mut index) = (0u32, 0);
    for &label in &body.order {
        layout.starts[label as usize] = at;
        for instr in &body.blocks[label as usize].instrs {
            at += instr.op.words() as u32 + if layout.long[index] { 2 } else { 0 };
            index += 1;
        }
    }
    layout.total = at;
}

fn settle(body: &Body) -> Layout {
    let count = instructions(body).count();
    let mut layout = Layout { starts: vec![u32::MAX; body.blocks.len()], long: vec![false; count], total: 0 };
    loop {
        lay_out(body, &mut layout);
        let (mut at, mut grown) = (0u32, false);
        for (index, instr) in instructions(body).enumerate() {
            if instr.target != NONE && !is_wide_jump(instr.op) && !layout.long[index] {
                let offset = layout.starts[instr.target as usize] as i64 - (at as i64 + 1);
                if i16::try_from(offset).is_err() {
                    layout.long[index] = true;
                    grown = true;
                }
            }
            at += instr.op.words() as u32 + if layout.long[index] { 2 } else { 0 };
        }
        if !grown {
            return layout;
        }
    }
}

/// Operands of the first word; a jump's offset is filled in by the caller.
fn operands(instr: &Instr, variables: &Variables) -> [u16; 3] {
    let kinds = instr.op.info().operands;
    let mut out = [0u16; 3];
    for index in 0..3 {
        let arg = instr.args[index];
        out[index] = match kinds[index] {
            Operand::Out | Operand::Read | Operand::Both | Operand::Moved | Operand::Outs | Operand::Window => {
                variables.number(arg)
            }
            Operand::Imm | Operand::Count | Operand::Name => arg as u16,
            Operand::Wide if kinds[index - 1] == Operand::Name => (instr.args[index - 1] >> 16) as u16,
            Operand::Wide | Operand::Jump | Operand::None => 0,
        };
    }
    // Heights, and operands that exist only for some counts.
    match instr.op {
        Op::RETURN_VALUE | Op::RETURN_NONE => out[1] = variables.number(instr.args[1]),
        Op::YIELD_VALUE => out[2] = variables.number(instr.args[2]),
        _ => {}
    }
    out
}

pub(super) fn encode(body: &Body, variables: &Variables) -> Result<Assembled, String> {
    let layout = settle(body);
    if layout.total > i32::MAX as u32 {
        return Err("code is too large".to_owned());
    }
    let mut words: Vec<u64> = Vec::with_capacity(layout.total as usize);
    let mut positions = PositionTable::default();
    let mut exceptions: Vec<ExceptionEntry> = Vec::new();
    for (index, instr) in instructions(body).enumerate() {
        let start = words.len() as u32;
        let [a, mut b, mut c] = operands(instr, variables);
        if instr.target != NONE {
            let target = layout.starts[instr.target as usize];
            let offset = target as i64 - (start as i64 + 1);
            if is_wide_jump(instr.op) {
                let offset = offset as i32 as u32;
                (b, c) = (offset as u16, (offset >> 16) as u16);
            } else if layout.long[index] {
                c = 1;
            } else {
                c = offset as i16 as u16;
            }
        }
        // A jump forward needs no safe point, whatever the source meant by it.
        let forward = instr.op == Op::JUMP_BACKWARD && c & 0x8000 == 0;
        words.push(Word::new(if forward { Op::JUMP_FORWARD } else { instr.op }, instr.flags, a, b, c).0);
        for extra in instr.op.info().extras {
            words.push(if *extra == Extra::Cache { 0 } else { instr.extra as u64 });
        }
        if layout.long[index] {
            // The two jumps stand directly behind the one-word instruction.
            let over = Word::new(Op::JUMP_FORWARD, 0, 0, 1, 0).0;
            words.push(over);
            let target = layout.starts[instr.target as usize];
            let offset = (target as i64 - (words.len() as i64 + 1)) as i32 as u32;
            let back = (offset as i32) < 0;
            let op = if back && !matches!(instr.op, Op::SEND) { Op::JUMP_BACKWARD } else { Op::JUMP_FORWARD };
            words.push(Word::new(op, 0, 0, offset as u16, (offset >> 16) as u16).0);
        }
        positions.push(start, instr.pos);
        if instr.handler != NONE {
            add_exception(&mut exceptions, instr, body, &layout, variables, start, words.len() as u32);
        }
    }
    Ok(Assembled { words, exceptions, positions })
}

fn add_exception(
    exceptions: &mut Vec<ExceptionEntry>,
    instr: &Instr,
    body: &Body,
    layout: &Layout,
    variables: &Variables,
    start: u32,
    end: u32,
) {
    let handler = body.handlers[instr.handler as usize];
    let (target, depth) = (layout.starts[handler.label as usize], variables.number(handler.depth));
    match exceptions.last_mut() {
        Some(last) if last.end == start && last.handler == target && last.depth == depth => last.end = end,
        _ => exceptions.push(ExceptionEntry { start, end, handler: target, depth }),
    }
}
