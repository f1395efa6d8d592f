//! Which locals are certainly bound where: `CHECK_BOUND` on such a one is removed.
//!
//! A forward analysis over blocks; the state is the set of locals that may be unbound. CPython counterpart:
//! `add_checks_for_loads_of_uninitialized_variables`.

use krait_bytecode::Op;
use krait_bytecode::opcodes::Operand;

use super::Variables;
use super::reach::{falls_through, successors};
use crate::codegen::ir::{self, Body, Instr, Label, NONE};

type Set = Vec<u64>;

fn contains(set: &Set, local: u32) -> bool {
    set[local as usize / 64] & 1 << (local % 64) != 0
}

fn change(set: &mut Set, reg: u32, unbound: bool) {
    if reg & ir::GROUP != ir::LOCAL {
        return;
    }
    let bit = 1 << (reg % 64);
    match set.get_mut(reg as usize / 64) {
        Some(word) if unbound => *word |= bit,
        Some(word) => *word &= !bit,
        None => {}
    }
}

/// Effect of an instruction on the path that does not jump.
fn step(set: &mut Set, instr: &Instr) {
    match instr.op {
        Op::CHECK_BOUND => change(set, instr.args[0], false),
        Op::DELETE_FAST | Op::CLEAR => change(set, instr.args[0], true),
        Op::MOVE_OR_CLEAR => {
            let unbound = instr.args[1] & ir::GROUP != ir::LOCAL || contains(set, instr.args[1]);
            change(set, instr.args[0], unbound);
            change(set, instr.args[1], true);
        }
        // Writes only when it jumps.
        Op::FOR_ITER => {}
        op => {
            for (operand, &reg) in op.info().operands.iter().zip(&instr.args) {
                if matches!(operand, Operand::Out) {
                    change(set, reg, false);
                }
            }
        }
    }
}

fn merge(into: &mut Option<Set>, from: &Set) -> bool {
    match into {
        None => {
            *into = Some(from.clone());
            true
        }
        Some(set) => {
            let mut changed = false;
            for (word, &new) in set.iter_mut().zip(from) {
                changed |= new & !*word != 0;
                *word |= new;
            }
            changed
        }
    }
}

pub(super) fn remove_checks(body: &mut Body, variables: &Variables) {
    let any = body
        .order
        .iter()
        .any(|&label| body.blocks[label as usize].instrs.iter().any(|instr| instr.op == Op::CHECK_BOUND));
    if !any {
        return;
    }
    let next = successors(body);
    let words = variables.locals().div_ceil(64) as usize;
    let mut start: Set = vec![!0; words];
    (0..variables.parameters).for_each(|local| change(&mut start, local, false));
    let mut states: Vec<Option<Set>> = vec![None; body.blocks.len()];
    let Some(&entry) = body.order.first() else { return };
    states[entry as usize] = Some(start);
    let mut work: Vec<Label> = vec![entry];
    while let Some(label) = work.pop() {
        let Some(mut state) = states[label as usize].clone() else { continue };
        let mut flow = |states: &mut Vec<Option<Set>>, to: Label, state: &Set| {
            if merge(&mut states[to as usize], state) && !work.contains(&to) {
                work.push(to);
            }
        };
        let mut handled = NONE;
        for instr in &body.blocks[label as usize].instrs {
            // What raises has written nothing; a handler met before in this block needs news of unbinding only.
            let unbinds = matches!(instr.op, Op::DELETE_FAST | Op::CLEAR | Op::MOVE_OR_CLEAR);
            if instr.handler != NONE && instr.handler != handled {
                flow(&mut states, body.handlers[instr.handler as usize].label, &state);
                handled = instr.handler;
            }
            if instr.target != NONE {
                if instr.op == Op::FOR_ITER {
                    let mut taken = state.clone();
                    change(&mut taken, instr.args[1], false);
                    flow(&mut states, instr.target, &taken);
                } else {
                    flow(&mut states, instr.target, &state);
                }
            }
            step(&mut state, instr);
            if unbinds {
                handled = NONE;
            }
        }
        if falls_through(body, label) && next[label as usize] != NONE {
            flow(&mut states, next[label as usize], &state);
        }
    }
    for &label in &body.order {
        let Some(mut state) = states[label as usize].take() else { continue };
        body.blocks[label as usize].instrs.retain(|instr| {
            let needed = instr.op != Op::CHECK_BOUND || contains(&state, instr.args[0]);
            step(&mut state, instr);
            needed
        });
    }
}
