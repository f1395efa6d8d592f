//! Jumps that assign to `f_lineno` in a trace function: which temporaries are bound at every instruction and what they
//! hold, so that a jump goes only where the registers fit. CPython: `mark_stacks` in `Objects/frameobject.c`.
use krait_bytecode::opcodes::{ENDS, JUMPS, KILL_1, KILL_2, KILL_3, KILL_FALL, Operand};
use krait_bytecode::{CodeObject, Op, Word};
use krait_object::{PyResult, Thread, Value};
use krait_runtime::errors;
use krait_runtime::exceptions::RUNTIME_WARNING;
use krait_runtime::types::frame::Frame;

use crate::regs::{Regs, S, pc_at};

/// What a temporary holds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Kind {
    Unbound,
    /// A value in the middle of an expression, by the instruction that made it.
    Object(u32),
    /// The `__exit__` of a `with`.
    Exit,
    Iterator,
    /// The exception of a handler.
    Except,
    /// The exception of an `except` clause that has matched.
    Matched,
    /// The handled exception that a handler put aside, or None.
    Handled,
}
/// Kinds by temporary, from the first on.
type State = Vec<Kind>;

struct Analysis<'a> {
    code: &'a CodeObject,
    first: usize,
    states: Vec<Option<State>>,
    todo: Vec<usize>,
}

/// The state before every instruction that can be reached; indexed by word.
fn analyse(code: &CodeObject) -> Vec<Option<State>> {
    let first = code.first_temp();
    let temps = (code.nregs as usize).saturating_sub(first);
    let mut a = Analysis { code, first, states: vec![None; code.words.len()], todo: Vec::new() };
    a.reach(0, vec![Kind::Unbound; temps]);
    while let Some(at) = a.todo.pop() {
        a.step(at);
    }
    a.states
}

impl Analysis<'_> {
    fn reach(&mut self, at: usize, state: State) {
        if let Some(slot @ None) = self.states.get_mut(at) {
            *slot = Some(state);
            self.todo.push(at);
        }
    }
    fn step(&mut self, at: usize) {
        let word = Word(self.code.words[at]);
        let (Some(op), Some(state)) = (Op::from_u8(word.op_byte()), self.states[at].clone()) else { return };
        for entry in self.code.exceptions.iter().filter(|e| e.start as usize <= at && at < e.end as usize).take(1) {
            let mut handler = state.clone();
            let depth = (entry.depth as usize).saturating_sub(self.first);
            handler.iter_mut().skip(depth).for_each(|k| *k = Kind::Unbound);
            set(&mut handler, depth, Kind::Except);
            self.reach(entry.handler as usize, handler);
        }
        let info = op.info();
        let (mut fall, mut jump) = (state.clone(), state);
        self.effect(op, word, at, &mut fall, false);
        self.effect(op, word, at, &mut jump, true);
        if info.flags & JUMPS != 0 {
            let wide = info.operands[2] == Operand::Wide;
            let offset = if wide { word.bc() as i32 as i64 } else { word.sc() as i64 };
            if let Ok(target) = usize::try_from(at as i64 + 1 + offset) {
                self.reach(target, jump);
            }
        }
        if info.flags & ENDS == 0 {
            self.reach(at + op.words(), fall);
        }
    }
    /// What the instruction does to the temporaries.
    fn effect(&self, op: Op, word: Word, at: usize, state: &mut State, jumps: bool) {
        let registers = [word.a() as usize, word.b() as usize, word.c() as usize];
        let [a, b, c] = registers.map(|r| r.wrapping_sub(self.first));
        let (count, raw) = (registers[2], self.code.words.get(at + 1).copied().unwrap_or(0) as usize);
        let object = Kind::Object(at as u32);
        let source = state.get(b).copied().filter(|k| *k != Kind::Unbound).unwrap_or(object);
        let mut kills = [KILL_1, KILL_2, KILL_3].into_iter();
        let operands = op.info().operands;
        for (kind, register) in operands.into_iter().zip([a, b, c]) {
            if kind == Operand::Read
                && let Some(kill) = kills.next()
                && (word.flags() & kill != 0 || (kill == KILL_1 && word.flags() & KILL_FALL != 0 && !jumps))
            {
                set(state, register, Kind::Unbound);
            }
        }
        let moved = match op {
            Op::BUILD_TUPLE | Op::BUILD_LIST | Op::BUILD_SET | Op::BUILD_STRING | Op::BUILD_SLICE => (b, count),
            Op::BUILD_MAP => (b, 2 * count),
            Op::LOAD_SUPER_ATTR => (b, 3),
            Op::BINARY_SLICE | Op::MATCH_CLASS => (c, 2),
            Op::STORE_SLICE | Op::IMPORT_NAME | Op::CALL_INTRINSIC_2 => (b, 2),
            _ => (0, 0),
        };
        (moved.0..moved.0.wrapping_add(moved.1)).for_each(|r| set(state, r, Kind::Unbound));
        match op {
            Op::CALL | Op::CALL_METHOD | Op::CALL_KW | Op::CALL_METHOD_KW | Op::CALL_FUNCTION_EX => {
                state.iter_mut().skip(a).for_each(|k| *k = Kind::Unbound);
                set(state, c, object);
            }
            Op::GET_ITER | Op::GET_AITER => set(state, a, Kind::Iterator),
            Op::CLEAR | Op::RERAISE => set(state, a, Kind::Unbound),
            Op::MOVE => set(state, a, source),
            Op::MOVE_OR_CLEAR => {
                let kind = state.get(b).copied().unwrap_or(object);
                set(state, b, Kind::Unbound);
                set(state, a, kind);
            }
            Op::LOAD_METHOD => {
                set(state, a, object);
                set(state, a.wrapping_add(4), object);
            }
            Op::LOAD_SUPER_ATTR => set(state, a, object),
            Op::FOR_ITER if jumps => set(state, b, object),
            Op::FOR_ITER => set(state, a, Kind::Unbound),
            Op::SEND => set(state, if jumps { a } else { usize::MAX }, Kind::Unbound),
            Op::CLEANUP_THROW => {
                set(state, b, Kind::Unbound);
                set(state, a, object);
            }
            Op::END_ASYNC_FOR => {
                set(state, a, Kind::Unbound);
                set(state, b, Kind::Unbound);
            }
            Op::JNEXC_MATCH if !jumps && state.get(a) == Some(&Kind::Except) => set(state, a, Kind::Matched),
            Op::PUSH_EXC_INFO => set(state, a.wrapping_add(1), Kind::Handled),
            Op::POP_EXCEPT => {
                set(state, a, Kind::Unbound);
                set(state, a.wrapping_add(1), Kind::Unbound);
            }
            Op::UNPACK_SEQUENCE => (a..a.wrapping_add(count)).for_each(|r| set(state, r, object)),
            Op::UNPACK_EX => (a..a.wrapping_add(count + 1 + raw)).for_each(|r| set(state, r, object)),
            Op::BEFORE_WITH | Op::BEFORE_ASYNC_WITH => {
                set(state, a, Kind::Exit);
                [1, 5].into_iter().for_each(|i| set(state, a.wrapping_add(i), object));
            }
            Op::PREPARE_EXIT => {
                set(state, b, Kind::Unbound);
                [0, 4, 5, 6].into_iter().for_each(|i| set(state, a.wrapping_add(i), object));
            }
            _ if operands[0] == Operand::Out => set(state, a, object),
            _ => {}
        }
    }
}
/// Registers below the first temporary wrap around to places that do not exist.
fn set(state: &mut State, register: usize, kind: Kind) {
    if let Some(k) = state.get_mut(register) {
        *k = kind;
    }
}

fn fits(from: &State, to: &State) -> bool {
    from.iter().zip(to).all(|(f, t)| match t {
        Kind::Unbound => true,
        kind => f == kind,
    })
}
fn explain(to: Option<&State>) -> &'static str {
    let top = to.and_then(|s| s.iter().rev().find(|k| **k != Kind::Unbound));
    match top {
        None => "can't jump into an exception handler, or code may be unreachable",
        Some(Kind::Except | Kind::Matched | Kind::Handled) => {
            "can't jump into an 'except' block as there's no exception"
        }
        Some(Kind::Iterator) => "can't jump into the body of a for loop",
        Some(_) => "incompatible stacks",
    }
}

/// Chooses among the words that a line begins with; the jump is made when the trace function returns.
pub fn request(th: &mut Thread, frame: &Frame, targets: &[u32]) -> PyResult<()> {
    let here = frame.word(th);
    let word = match choose(frame, here, targets) {
        Ok(word) => word,
        Err(reason) => return Err(errors::value_error(th, reason)),
    };
    let unbound = (0..frame.code.nlocals as usize).filter(|&i| frame.variable(th, i).is_none()).count();
    if unbound > 0 {
        let message = format!("assigning None to {unbound} unbound local{}", if unbound == 1 { "" } else { "s" });
        krait_runtime::warnings::warn(th, &RUNTIME_WARNING, &message, 0)?;
    }
    th.vm.tracing.jump = Some(word);
    Ok(())
}
fn choose(frame: &Frame, here: u32, targets: &[u32]) -> Result<u32, &'static str> {
    let states = analyse(frame.code.bytecode());
    let Some(from) = states.get(here as usize).and_then(Option::as_ref) else {
        return Err("can't jump from within an exception handler");
    };
    let mut reason = "cannot find bytecode for specified line";
    let mut best: Option<(usize, u32)> = None;
    for &word in targets {
        let to = states.get(word as usize).and_then(Option::as_ref);
        match to {
            Some(to) if fits(from, to) => {
                let bound = to.iter().filter(|k| **k != Kind::Unbound).count();
                if best.is_none_or(|(most, _)| bound > most) {
                    best = Some((bound, word));
                }
            }
            to => reason = explain(to),
        }
    }
    match best {
        Some((_, word)) => Ok(word),
        None => Err(reason),
    }
}

/// Goes to `target`: drops the temporaries that are not bound there, restores what handlers put aside, and gives
/// variables that the compiler takes for bound a value.
pub fn perform(th: &mut Thread, r: Regs, here: u32, target: u32) -> Option<S> {
    let code = r.code_ref();
    let states = analyse(code.bytecode());
    let (from, to) = (states.get(here as usize)?.as_ref()?, states.get(target as usize)?.as_ref()?);
    let first = code.bytecode().first_temp();
    for i in (0..from.len()).rev() {
        if to[i] != Kind::Unbound {
            continue;
        }
        let old = r.take(first + i);
        if from[i] == Kind::Handled {
            let old = old.filter(|v| !v.is_none());
            let was = std::mem::replace(&mut th.handled, old);
            drop(was);
        }
    }
    for i in 0..code.nlocals as usize {
        if !r.is_bound(i) {
            r.put(i, Value::NONE);
        }
    }
    Some(S { pc: pc_at(&code, target), r })
}
