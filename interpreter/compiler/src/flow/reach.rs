//! Order of blocks, jump threading, removal of unreachable code and of jumps to the next block.

use krait_bytecode::Op;

use crate::codegen::ir::{Body, Label, NONE};

/// Puts colder blocks behind; within one temperature blocks stay in order, so fall-through is preserved.
pub(super) fn order(body: &mut Body) {
    let blocks = &body.blocks;
    body.order.sort_by_key(|&label| blocks[label as usize].cold);
}

/// Takes empty blocks out of the order: who jumps to one, or lands there by an exception, goes to what follows.
pub(super) fn skip_empty_blocks(body: &mut Body) {
    let next = successors(body);
    for block in 0..body.blocks.len() {
        for at in 0..body.blocks[block].instrs.len() {
            let target = body.blocks[block].instrs[at].target;
            if target != NONE {
                body.blocks[block].instrs[at].target = skip_empty(body, &next, target);
            }
        }
    }
    for handler in 0..body.handlers.len() {
        body.handlers[handler].label = skip_empty(body, &next, body.handlers[handler].label);
    }
    let blocks = &body.blocks;
    body.order.retain(|&label| !blocks[label as usize].instrs.is_empty() || next[label as usize] == NONE);
}

/// For each block the one that follows in layout, `NONE` for the last.
pub(super) fn successors(body: &Body) -> Vec<Label> {
    let mut next = vec![NONE; body.blocks.len()];
    for pair in body.order.windows(2) {
        next[pair[0] as usize] = pair[1];
    }
    next
}

/// Whether control can run off the end of a block.
pub(super) fn falls_through(body: &Body, label: Label) -> bool {
    body.blocks[label as usize].instrs.last().is_none_or(|last| last.falls_through())
}

/// Where a jump to `label` really arrives: past empty blocks and unconditional jumps of the same or no line.
fn destination(body: &Body, next: &[Label], label: Label, line: u32) -> Label {
    let mut label = label;
    for _ in 0..64 {
        let block = &body.blocks[label as usize];
        match block.instrs.first() {
            None if next[label as usize] != NONE => label = next[label as usize],
            Some(first) if first.op == Op::JUMP_FORWARD && (first.pos.line == 0 || first.pos.line == line) => {
                label = first.target;
            }
            _ => break,
        }
    }
    label
}

pub(super) fn thread_jumps(body: &mut Body) {
    let next = successors(body);
    for index in 0..body.blocks.len() {
        for at in 0..body.blocks[index].instrs.len() {
            let instr = &body.blocks[index].instrs[at];
            if instr.target != NONE {
                let target = destination(body, &next, instr.target, instr.pos.line);
                body.blocks[index].instrs[at].target = target;
            }
        }
    }
}

/// Takes blocks that nothing reaches out of the order.
pub(super) fn drop_unreachable(body: &mut Body) {
    let next = successors(body);
    let mut seen = vec![false; body.blocks.len()];
    let mut work: Vec<Label> = body.order.first().copied().into_iter().collect();
    while let Some(label) = work.pop() {
        if std::mem::replace(&mut seen[label as usize], true) {
            continue;
        }
        let mut last_handler = NONE;
        for instr in &body.blocks[label as usize].instrs {
            if instr.target != NONE {
                work.push(instr.target);
            }
            if instr.handler != NONE && instr.handler != last_handler {
                last_handler = instr.handler;
                work.push(body.handlers[instr.handler as usize].label);
            }
        }
        if falls_through(body, label) && next[label as usize] != NONE {
            work.push(next[label as usize]);
        }
    }
    body.order.retain(|&label| seen[label as usize]);
}

pub(super) fn remove_unreachable(body: &mut Body) {
    drop_unreachable(body);
    // A jump to what follows anyway; its line is kept by a NOP, which may go later.
    let next = successors(body);
    for &label in &body.order {
        let following = skip_empty(body, &next, next[label as usize]);
        if following == NONE {
            continue;
        }
        let Some(last) = body.blocks[label as usize].instrs.last() else { continue };
        if last.op == Op::JUMP_FORWARD && same_place(body, &next, last.target, following) {
            let last = body.blocks[label as usize].instrs.last_mut().expect("just seen");
            last.op = Op::NOP;
            last.target = NONE;
        }
    }
}

fn skip_empty(body: &Body, next: &[Label], mut label: Label) -> Label {
    while label != NONE && body.blocks[label as usize].instrs.is_empty() && next[label as usize] != NONE {
        label = next[label as usize];
    }
    label
}

fn same_place(body: &Body, next: &[Label], x: Label, y: Label) -> bool {
    skip_empty(body, next, x) == skip_empty(body, next, y)
}
