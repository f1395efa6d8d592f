//! Jumps, truth tests, safe points.
use krait_bytecode::Word;
use krait_bytecode::opcodes::{KILL_1, KILL_2, KILL_FALL};
use krait_object::Thread;
use krait_object::thread::breaker;
use krait_runtime::protocol::compare::truth;

use super::{a, dies, ok, quick};
use crate::frames::publish;
use crate::regs::{Pc, Regs, S};
use crate::safepoint::{after_drop, safe_point};

/// Jumps by the offset in C if `taken`; backwards is a safe point.
#[inline(always)]
pub fn go(th: &mut Thread, w: Word, pc: Pc, r: Regs, taken: bool) -> S {
    if !taken {
        return S { pc, r };
    }
    let offset = w.sc() as isize;
    let next = pc.offset(offset);
    if offset < 0 && th.breaker() != 0 {
        return safe_point(th, pc, next, r);
    }
    S { pc: next, r }
}
/// As [`go`], after dropping the operands that die.
#[inline(always)]
pub fn go_kill<const N: usize>(th: &mut Thread, w: Word, pc: Pc, r: Regs, taken: bool, registers: [usize; N]) -> S {
    for (i, reg) in registers.into_iter().enumerate() {
        if w.flags() & [KILL_1, KILL_2][i] != 0 && !r.kill_counts(reg) {
            return go_freeing(th, w, pc, r, taken, registers);
        }
    }
    go(th, w, pc, r, taken)
}
#[inline(never)]
fn go_freeing<const N: usize>(th: &mut Thread, w: Word, pc: Pc, r: Regs, taken: bool, registers: [usize; N]) -> S {
    let mut freed = false;
    for (i, reg) in registers.into_iter().enumerate() {
        if w.flags() & [KILL_1, KILL_2][i] != 0 {
            freed |= r.kill(reg);
        }
    }
    after_drop(th, pc, freed);
    go(th, w, pc, r, taken)
}

#[inline(always)]
fn test(th: &mut Thread, w: Word, pc: Pc, r: Regs, sense: bool) -> S {
    match r.get(a(w)).as_bool() {
        Some(t) => end_test(th, w, pc, r, t == sense),
        None => test_slow(th, w, pc, r, sense),
    }
}
#[inline(always)]
fn end_test(th: &mut Thread, w: Word, pc: Pc, r: Regs, taken: bool) -> S {
    if (dies(w, KILL_1) || !taken && dies(w, KILL_FALL)) && !r.kill_counts(a(w)) {
        return end_test_freeing(th, w, pc, r, taken);
    }
    go(th, w, pc, r, taken)
}
#[inline(never)]
fn end_test_freeing(th: &mut Thread, w: Word, pc: Pc, r: Regs, taken: bool) -> S {
    let freed = r.kill(a(w));
    after_drop(th, pc, freed);
    go(th, w, pc, r, taken)
}
#[inline(never)]
fn test_slow(th: &mut Thread, w: Word, pc: Pc, r: Regs, sense: bool) -> S {
    let x = r.get(a(w));
    if let Some(i) = x.as_int() {
        return end_test(th, w, pc, r, (i != 0) == sense);
    }
    if x.is_none() {
        return end_test(th, w, pc, r, !sense);
    }
    if let Some(n) = quick::length(x) {
        return end_test(th, w, pc, r, (n != 0) == sense);
    }
    test_slower(th, w, pc, r, sense)
}
#[inline(never)]
fn test_slower(th: &mut Thread, w: Word, pc: Pc, r: Regs, sense: bool) -> S {
    publish(th, pc);
    let x = r.get(a(w)).clone();
    let t = ok!(truth(th, &x), th, pc, r);
    drop(x);
    end_test(th, w, pc, r, t == sense)
}
#[inline(always)]
pub fn op_jt(th: &mut Thread, w: Word, pc: Pc, r: Regs) -> S {
    test(th, w, pc, r, true)
}
#[inline(always)]
pub fn op_jf(th: &mut Thread, w: Word, pc: Pc, r: Regs) -> S {
    test(th, w, pc, r, false)
}
#[inline(always)]
pub fn op_jnone(th: &mut Thread, w: Word, pc: Pc, r: Regs) -> S {
    let t = r.get(a(w)).is_none();
    go_kill(th, w, pc, r, t, [a(w)])
}
#[inline(always)]
pub fn op_jnotnone(th: &mut Thread, w: Word, pc: Pc, r: Regs) -> S {
    let t = !r.get(a(w)).is_none();
    go_kill(th, w, pc, r, t, [a(w)])
}
#[inline(always)]
pub fn op_jmp(_: &mut Thread, w: Word, pc: Pc, r: Regs) -> S {
    S { pc: pc.offset(w.bc() as i32 as isize), r }
}
#[inline(always)]
pub fn op_jmp_back(th: &mut Thread, w: Word, pc: Pc, r: Regs) -> S {
    let next = pc.offset(w.bc() as i32 as isize);
    if th.breaker() != 0 {
        return safe_point(th, pc, next, r);
    }
    S { pc: next, r }
}
#[inline(always)]
pub fn op_nop(_: &mut Thread, _: Word, pc: Pc, r: Regs) -> S {
    S { pc, r }
}
#[inline(always)]
pub fn op_resume(th: &mut Thread, w: Word, pc: Pc, r: Regs) -> S {
    let wanted = th.breaker();
    // What interrupts a generator that delegates is for the innermost one.
    if wanted != 0 && (a(w) < 2 || wanted & !(breaker::SIGNAL | breaker::ASYNC) != 0) {
        return safe_point(th, pc, pc, r);
    }
    S { pc, r }
}
#[inline(always)]
pub fn op_halt(_: &mut Thread, _: Word, pc: Pc, r: Regs) -> S {
    S { pc, r }
}
