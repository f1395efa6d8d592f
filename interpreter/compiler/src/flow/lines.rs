//! Lines: what has none gets its predecessor's; NOPs that carry no line of their own go.
//!
//! CPython counterpart: `duplicate_exits_without_lineno`, `propagate_line_numbers`, `basicblock_remove_redundant_nops`.

use krait_bytecode::Op;

use super::reach::{falls_through, successors};
use crate::codegen::ir::{Block, Body, Label, NONE};

fn predecessors(body: &Body) -> Vec<u32> {
    let mut count = vec![0u32; body.blocks.len()];
    let next = successors(body);
    for &label in &body.order {
        for instr in &body.blocks[label as usize].instrs {
            if instr.target != NONE {
                count[instr.target as usize] += 1;
            }
        }
        if falls_through(body, label) && next[label as usize] != NONE {
            count[next[label as usize] as usize] += 1;
        }
    }
    if let Some(&first) = body.order.first() {
        count[first as usize] += 1;
    }
    for handler in &body.handlers {
        count[handler.label as usize] += 1;
    }
    count
}

/// A block that only leaves and has no line is copied for each jump to it, so that each copy can take the jump's line.
pub(super) fn duplicate_exits(body: &mut Body) {
    let next = successors(body);
    let counts = predecessors(body);
    let is_exit = |body: &Body, label: Label| {
        let instrs = &body.blocks[label as usize].instrs;
        instrs.iter().all(|instr| instr.pos.line == 0)
            && instrs.last().is_some_and(|last| matches!(last.op, Op::RETURN_NONE | Op::RETURN_VALUE | Op::RERAISE))
    };
    let mut appended: Vec<(Label, u32)> = Vec::new();
    for position in 0..body.order.len() {
        let label = body.order[position];
        for at in 0..body.blocks[label as usize].instrs.len() {
            let instr = &body.blocks[label as usize].instrs[at];
            let mut target = instr.target;
            if target == NONE {
                continue;
            }
            while body.blocks[target as usize].instrs.is_empty() && next[target as usize] != NONE {
                target = next[target as usize];
            }
            if !is_exit(body, target) || counts[target as usize] < 2 {
                continue;
            }
            let pos = instr.pos;
            let mut instrs = body.blocks[target as usize].instrs.clone();
            instrs.iter_mut().for_each(|copy| copy.pos = pos);
            let cold = body.blocks[label as usize].cold;
            if body.blocks[label as usize].instrs[at].op == Op::JUMP_FORWARD {
                // The jump itself becomes the exit.
                let block = &mut body.blocks[label as usize].instrs;
                block.truncate(at);
                block.extend(instrs);
                break;
            }
            let copy = body.blocks.len() as Label;
            body.blocks.push(Block { instrs, cold });
            body.blocks[label as usize].instrs[at].target = copy;
            appended.push((copy, cold));
        }
    }
    // Copies stand at the end of their temperature: nothing falls into them, and they fall nowhere.
    for (copy, cold) in appended {
        let blocks = &body.blocks;
        let at = body.order.partition_point(|&label| blocks[label as usize].cold <= cold);
        body.order.insert(at, copy);
    }
}

pub(super) fn propagate(body: &mut Body) {
    let next = successors(body);
    let counts = predecessors(body);
    for position in 0..body.order.len() {
        let label = body.order[position];
        let mut last = None;
        for instr in &mut body.blocks[label as usize].instrs {
            if instr.pos.line == 0
                && let Some(pos) = last
            {
                instr.pos = pos;
            }
            last = Some(instr.pos);
        }
        let Some(pos) = last.filter(|pos| pos.line != 0) else { continue };
        let mut successors: Vec<Label> =
            body.blocks[label as usize].instrs.iter().map(|instr| instr.target).filter(|&to| to != NONE).collect();
        if falls_through(body, label) && next[label as usize] != NONE {
            successors.push(next[label as usize]);
        }
        for successor in successors {
            if counts[successor as usize] == 1
                && let Some(first) = body.blocks[successor as usize].instrs.first_mut()
                && first.pos.line == 0
            {
                first.pos = pos;
            }
        }
    }
}

/// Removes NOPs without a line, or whose line the instruction before or after has too.
pub(super) fn remove_nops(body: &mut Body) {
    let next = successors(body);
    // Line of the first instruction of each block, for a NOP at the end of the one before.
    for position in (0..body.order.len()).rev() {
        let label = body.order[position];
        let following = next[label as usize];
        let first_of_next = (following != NONE)
            .then(|| body.blocks[following as usize].instrs.first().map(|instr| instr.pos.line))
            .flatten();
        let old = std::mem::take(&mut body.blocks[label as usize].instrs);
        let mut kept: Vec<_> = Vec::with_capacity(old.len());
        let lines: Vec<u32> = old.iter().map(|instr| instr.pos.line).collect();
        for (index, instr) in old.into_iter().enumerate() {
            if instr.op == Op::NOP {
                let line = instr.pos.line;
                let before = kept.last().map(|instr: &crate::codegen::ir::Instr| instr.pos.line);
                let after = lines.get(index + 1).copied().or(first_of_next);
                if line == 0 || before == Some(line) || after == Some(line) {
                    continue;
                }
            }
            kept.push(instr);
        }
        body.blocks[label as usize].instrs = kept;
    }
}
