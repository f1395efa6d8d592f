//! The handlers, one function per opcode, by family. A handler is `fn(th, w, pc, r) -> S`: `w` the instruction's first
//! word, `pc` after it, `r` the frame's registers. Fast paths borrow operands; every path that can run Python code clones
//! them first. Dropping values is the last thing that a handler does.
pub mod arith;
pub mod attr;
pub mod call;
pub mod compare;
pub mod display;
pub mod exceptions;
pub mod function;
pub mod groups;
pub mod import;
pub mod intrinsics;
pub mod item;
pub mod iteration;
pub mod jump;
pub mod matching;
pub mod quick;
pub mod special;
pub mod text;
pub mod unpack;
pub mod variables;
pub mod with;

use krait_bytecode::Word;
use krait_bytecode::opcodes::{KILL_1, KILL_2, KILL_3};
use krait_object::{Thread, Value};

use crate::regs::{Pc, Regs, S};
use crate::safepoint::after_drop;

/// `?` for handlers: an error unwinds.
macro_rules! ok {
    ($result:expr, $th:expr, $pc:expr, $r:expr) => {
        match $result {
            Ok(v) => v,
            Err(raised) => return $crate::unwind::fail($th, raised, $pc, $r),
        }
    };
}
pub(crate) use ok;

#[inline(always)]
pub fn a(w: Word) -> usize {
    w.a() as usize
}
#[inline(always)]
pub fn b(w: Word) -> usize {
    w.b() as usize
}
#[inline(always)]
pub fn c(w: Word) -> usize {
    w.c() as usize
}
#[inline(always)]
pub fn dies(w: Word, kill: u8) -> bool {
    w.flags() & kill != 0
}

/// `R[A] := value`; then drops what it held, and the operands in B and C that die. Goes on at `next`.
///
/// Here and below, what frees an object is done by a function that ends the handler: so the common way has no call to save
/// registers for.
#[inline(always)]
pub fn finish2(th: &mut Thread, w: Word, pc: Pc, next: Pc, r: Regs, value: Value) -> S {
    if let Some(old) = r.replace(a(w), Some(value)).and_then(Value::give_back) {
        return finish2_freeing(th, w, pc, next, r, Some(old));
    }
    if dies(w, KILL_1) && !r.kill_counts(b(w)) || dies(w, KILL_2) && !r.kill_counts(c(w)) {
        return finish2_freeing(th, w, pc, next, r, None);
    }
    S { pc: next, r }
}
#[inline(never)]
fn finish2_freeing(th: &mut Thread, w: Word, pc: Pc, next: Pc, r: Regs, old: Option<Value>) -> S {
    let mut freed = old.is_some_and(Value::release);
    if dies(w, KILL_1) {
        freed |= r.kill(b(w));
    }
    if dies(w, KILL_2) {
        freed |= r.kill(c(w));
    }
    after_drop(th, pc, freed);
    S { pc: next, r }
}
/// As [`finish2`] with one operand, in B.
#[inline(always)]
pub fn finish1(th: &mut Thread, w: Word, pc: Pc, next: Pc, r: Regs, value: Value) -> S {
    if let Some(old) = r.replace(a(w), Some(value)).and_then(Value::give_back) {
        return finish1_freeing(th, w, pc, next, r, old);
    }
    if dies(w, KILL_1) && !r.kill_counts(b(w)) {
        return kill_last(th, b(w), pc, next, r);
    }
    S { pc: next, r }
}
#[inline(never)]
fn finish1_freeing(th: &mut Thread, w: Word, pc: Pc, next: Pc, r: Regs, old: Value) -> S {
    let mut freed = old.release();
    if dies(w, KILL_1) {
        freed |= r.kill(b(w));
    }
    after_drop(th, pc, freed);
    S { pc: next, r }
}
/// As [`finish2`] without operands that die.
#[inline(always)]
pub fn finish0(th: &mut Thread, reg: usize, pc: Pc, next: Pc, r: Regs, value: Value) -> S {
    match r.replace(reg, Some(value)).and_then(Value::give_back) {
        Some(old) => drop_last(th, old, pc, next, r),
        None => S { pc: next, r },
    }
}
/// Drops a value, and goes on at `next`.
#[inline(never)]
pub fn drop_last(th: &mut Thread, old: Value, pc: Pc, next: Pc, r: Regs) -> S {
    let freed = old.release();
    after_drop(th, pc, freed);
    S { pc: next, r }
}
/// Clears a register, and goes on at `next`.
#[inline(always)]
pub fn kill(th: &mut Thread, reg: usize, pc: Pc, next: Pc, r: Regs) -> S {
    if r.kill_counts(reg) { S { pc: next, r } } else { kill_last(th, reg, pc, next, r) }
}
#[inline(never)]
fn kill_last(th: &mut Thread, reg: usize, pc: Pc, next: Pc, r: Regs) -> S {
    let freed = r.kill(reg);
    after_drop(th, pc, freed);
    S { pc: next, r }
}
/// Drops the operands in A, B, C that die, as many as the instruction reads.
#[inline(always)]
pub fn kill_reads(th: &mut Thread, w: Word, pc: Pc, next: Pc, r: Regs, registers: &[usize]) -> S {
    let mut freed = false;
    for (i, &reg) in registers.iter().enumerate() {
        if w.flags() & [KILL_1, KILL_2, KILL_3][i] != 0 {
            freed |= r.kill(reg);
        }
    }
    after_drop(th, pc, freed);
    S { pc: next, r }
}
