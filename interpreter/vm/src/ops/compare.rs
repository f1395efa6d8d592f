//! Comparisons as values and as jumps.
use krait_bytecode::{Op, Word};
use krait_object::compare::plain_same;
use krait_object::slots::CmpOp;
use krait_object::table::Same;
use krait_object::{Dict, FrozenSet, PyResult, Set, Str, Thread, Value};
use krait_runtime::protocol::{compare, sequence};

use super::jump::go_kill;
use super::special::enter_comparison;
use super::{a, b, c, finish2, ok};
use crate::frames::publish;
use crate::regs::{Pc, Regs, S};

#[inline(always)]
fn of_ints(op: CmpOp, x: i64, y: i64) -> bool {
    match op {
        CmpOp::Lt => x < y,
        CmpOp::Le => x <= y,
        CmpOp::Gt => x > y,
        CmpOp::Ge => x >= y,
        CmpOp::Eq => x == y,
        CmpOp::Ne => x != y,
    }
}
#[inline(always)]
fn of_floats(op: CmpOp, x: f64, y: f64) -> bool {
    match op {
        CmpOp::Lt => x < y,
        CmpOp::Le => x <= y,
        CmpOp::Gt => x > y,
        CmpOp::Ge => x >= y,
        CmpOp::Eq => x == y,
        CmpOp::Ne => x != y,
    }
}
/// What two immediates say.
#[inline(always)]
fn fast(op: CmpOp, x: &Value, y: &Value) -> Option<bool> {
    if let (Some(x), Some(y)) = (x.as_int(), y.as_int()) {
        return Some(of_ints(op, x, y));
    }
    if let (Some(x), Some(y)) = (x.as_float(), y.as_float()) {
        return Some(of_floats(op, x, y));
    }
    None
}

#[inline(never)]
fn slow_value(th: &mut Thread, w: Word, pc: Pc, r: Regs, op: CmpOp) -> S {
    match of_strings(op, r.get(b(w)), r.get(c(w))) {
        Some(t) => finish2(th, w, pc, pc, r, Value::bool(t)),
        None => slower_value(th, w, pc, r, op),
    }
}
#[inline(never)]
fn slower_value(th: &mut Thread, w: Word, pc: Pc, r: Regs, op: CmpOp) -> S {
    let (x, y) = (r.get(b(w)), r.get(c(w)));
    if let Some(t) = plain(op, x, y) {
        return finish2(th, w, pc, pc, r, Value::bool(t));
    }
    if let Some(s) = enter_comparison(th, op, pc, r, x, y) {
        return s;
    }
    publish(th, pc);
    let (x, y) = (x.clone(), y.clone());
    let value = ok!(compare::compare(th, &x, &y, op), th, pc, r);
    drop((x, y));
    finish2(th, w, pc, pc, r, value)
}

macro_rules! comparison {
    ($name:ident, $op:expr) => {
        #[inline(always)]
        pub fn $name(th: &mut Thread, w: Word, pc: Pc, r: Regs) -> S {
            match fast($op, r.get(b(w)), r.get(c(w))) {
                Some(t) => finish2(th, w, pc, pc, r, Value::bool(t)),
                None => slow_value(th, w, pc, r, $op),
            }
        }
    };
}
comparison!(op_lt, CmpOp::Lt);
comparison!(op_le, CmpOp::Le);
comparison!(op_gt, CmpOp::Gt);
comparison!(op_ge, CmpOp::Ge);
comparison!(op_eq, CmpOp::Eq);
comparison!(op_ne, CmpOp::Ne);

/// What two strings say.
#[inline(always)]
fn of_strings(op: CmpOp, x: &Value, y: &Value) -> Option<bool> {
    let (s, t) = (x.downcast_exact::<Str>()?, y.downcast_exact::<Str>()?);
    Some(match op {
        CmpOp::Eq => s.equals(t),
        CmpOp::Ne => !s.equals(t),
        _ => op.of(s.order(t)),
    })
}
/// What is plain (tuples of plain values, say) is compared without running Python code.
#[inline(always)]
fn plain(op: CmpOp, x: &Value, y: &Value) -> Option<bool> {
    // An object may say that it differs from itself.
    if !matches!(op, CmpOp::Eq | CmpOp::Ne) || x.is(y) {
        return None;
    }
    match plain_same(x, y) {
        Same::Yes => Some(op == CmpOp::Eq),
        Same::No => Some(op == CmpOp::Ne),
        Same::Ask => None,
    }
}
#[inline(never)]
fn slow_jump(th: &mut Thread, w: Word, pc: Pc, r: Regs, op: CmpOp, sense: bool) -> S {
    match of_strings(op, r.get(a(w)), r.get(b(w))) {
        Some(t) => go_kill(th, w, pc, r, t == sense, [a(w), b(w)]),
        None => slower_jump(th, w, pc, r, op, sense),
    }
}
#[inline(never)]
fn slower_jump(th: &mut Thread, w: Word, pc: Pc, r: Regs, op: CmpOp, sense: bool) -> S {
    let (x, y) = (r.get(a(w)), r.get(b(w)));
    if let Some(t) = plain(op, x, y) {
        return go_kill(th, w, pc, r, t == sense, [a(w), b(w)]);
    }
    if let Some(s) = enter_comparison(th, op, pc, r, x, y) {
        return s;
    }
    publish(th, pc);
    let (x, y) = (x.clone(), y.clone());
    let t = ok!(decide(th, &x, &y, op), th, pc, r);
    drop((x, y));
    go_kill(th, w, pc, r, t == sense, [a(w), b(w)])
}
fn decide(th: &mut Thread, x: &Value, y: &Value, op: CmpOp) -> PyResult<bool> {
    let answer = compare::compare(th, x, y, op)?;
    match answer.as_bool() {
        Some(t) => Ok(t),
        None => compare::truth(th, &answer),
    }
}
#[inline(never)]
fn slow_jump_imm(th: &mut Thread, w: Word, pc: Pc, r: Regs, op: CmpOp, sense: bool) -> S {
    let y = Value::int(w.sb().into());
    if let Some(s) = enter_comparison(th, op, pc, r, r.get(a(w)), &y) {
        return s;
    }
    publish(th, pc);
    let x = r.get(a(w)).clone();
    let t = ok!(decide(th, &x, &y, op), th, pc, r);
    drop(x);
    go_kill(th, w, pc, r, t == sense, [a(w)])
}

macro_rules! compare_jump {
    ($name:ident, $imm:ident, $op:expr, $sense:expr) => {
        #[inline(always)]
        pub fn $name(th: &mut Thread, w: Word, pc: Pc, r: Regs) -> S {
            match fast($op, r.get(a(w)), r.get(b(w))) {
                Some(t) => go_kill(th, w, pc, r, t == $sense, [a(w), b(w)]),
                None => slow_jump(th, w, pc, r, $op, $sense),
            }
        }
        #[inline(always)]
        pub fn $imm(th: &mut Thread, w: Word, pc: Pc, r: Regs) -> S {
            match r.get(a(w)).as_int() {
                Some(x) => go_kill(th, w, pc, r, of_ints($op, x, w.sb().into()) == $sense, [a(w)]),
                None => slow_jump_imm(th, w, pc, r, $op, $sense),
            }
        }
    };
}
compare_jump!(op_jlt, op_jlt_i, CmpOp::Lt, true);
compare_jump!(op_jnlt, op_jnlt_i, CmpOp::Lt, false);
compare_jump!(op_jle, op_jle_i, CmpOp::Le, true);
compare_jump!(op_jnle, op_jnle_i, CmpOp::Le, false);
compare_jump!(op_jgt, op_jgt_i, CmpOp::Gt, true);
compare_jump!(op_jngt, op_jngt_i, CmpOp::Gt, false);
compare_jump!(op_jge, op_jge_i, CmpOp::Ge, true);
compare_jump!(op_jnge, op_jnge_i, CmpOp::Ge, false);
compare_jump!(op_jeq, op_jeq_i, CmpOp::Eq, true);
compare_jump!(op_jneq, op_jneq_i, CmpOp::Eq, false);
compare_jump!(op_jne, op_jne_i, CmpOp::Ne, true);
compare_jump!(op_jnne, op_jnne_i, CmpOp::Ne, false);

#[inline(always)]
pub fn op_is(th: &mut Thread, w: Word, pc: Pc, r: Regs) -> S {
    let t = r.bits(b(w)) == r.bits(c(w));
    finish2(th, w, pc, pc, r, Value::bool(t))
}
#[inline(always)]
pub fn op_is_not(th: &mut Thread, w: Word, pc: Pc, r: Regs) -> S {
    let t = r.bits(b(w)) != r.bits(c(w));
    finish2(th, w, pc, pc, r, Value::bool(t))
}
#[inline(always)]
pub fn op_jis(th: &mut Thread, w: Word, pc: Pc, r: Regs) -> S {
    let t = r.bits(a(w)) == r.bits(b(w));
    go_kill(th, w, pc, r, t, [a(w), b(w)])
}
#[inline(always)]
pub fn op_jnis(th: &mut Thread, w: Word, pc: Pc, r: Regs) -> S {
    let t = r.bits(a(w)) != r.bits(b(w));
    go_kill(th, w, pc, r, t, [a(w), b(w)])
}

/// `item in container`, where that needs no Python code.
#[inline]
fn contains_quick(container: &Value, item: &Value) -> Option<bool> {
    if let Some(dict) = container.downcast_exact::<Dict>() {
        return dict.contains_quick(item).ok();
    }
    if let Some(set) = container.downcast_exact::<Set>() {
        return set.contains_quick(item).ok();
    }
    if let Some(set) = container.downcast_exact::<FrozenSet>() {
        return set.0.contains_quick(item).ok();
    }
    None
}
#[inline(never)]
pub fn op_in(th: &mut Thread, w: Word, pc: Pc, r: Regs) -> S {
    if let Some(t) = contains_quick(r.get(c(w)), r.get(b(w))) {
        return finish2(th, w, pc, pc, r, Value::bool(t == (w.op_byte() == Op::IN as u8)));
    }
    publish(th, pc);
    let (item, container) = (r.get(b(w)).clone(), r.get(c(w)).clone());
    let t = ok!(sequence::contains(th, &container, &item), th, pc, r);
    drop((item, container));
    finish2(th, w, pc, pc, r, Value::bool(t == (w.op_byte() == Op::IN as u8)))
}
#[inline(always)]
pub fn op_not_in(th: &mut Thread, w: Word, pc: Pc, r: Regs) -> S {
    op_in(th, w, pc, r)
}
#[inline(never)]
fn jump_in(th: &mut Thread, w: Word, pc: Pc, r: Regs) -> S {
    if let Some(t) = contains_quick(r.get(b(w)), r.get(a(w))) {
        return go_kill(th, w, pc, r, t == (w.op_byte() == Op::JIN as u8), [a(w), b(w)]);
    }
    publish(th, pc);
    let (item, container) = (r.get(a(w)).clone(), r.get(b(w)).clone());
    let t = ok!(sequence::contains(th, &container, &item), th, pc, r);
    drop((item, container));
    go_kill(th, w, pc, r, t == (w.op_byte() == Op::JIN as u8), [a(w), b(w)])
}
#[inline(always)]
pub fn op_jin(th: &mut Thread, w: Word, pc: Pc, r: Regs) -> S {
    jump_in(th, w, pc, r)
}
#[inline(always)]
pub fn op_jnin(th: &mut Thread, w: Word, pc: Pc, r: Regs) -> S {
    jump_in(th, w, pc, r)
}
