//! Operators and comparisons whose left operand is an instance of a Python class: its method runs as a frame above, and
//! what it returns comes back here.
use krait_bytecode::opcodes::{INPLACE, REVERSED};
use krait_bytecode::{Op, Word};
use krait_object::{CmpOp, Thread, Value, type_flag};
use krait_runtime::protocol::compare::{self, truth};
use krait_runtime::protocol::number::{self, BinaryOp};

use super::arith::operator;
use super::call::{enter_special, python_special};
use super::jump::go_kill;
use super::{a, b, c, finish1, finish2, ok};
use crate::frames::publish;
use crate::regs::{Pc, Regs, S};

/// In the order of the opcodes.
const OPERATORS: [CmpOp; 6] = [CmpOp::Lt, CmpOp::Le, CmpOp::Gt, CmpOp::Ge, CmpOp::Eq, CmpOp::Ne];

/// Whether the left operand's method is asked first and, if it is the right one's too, alone.
#[inline]
fn left_is_first(x: &Value, y: &Value) -> bool {
    let (left, right) = (x.class(), y.class());
    left.has_flag(type_flag::HEAP) && (left.is_same(right) || !right.has_flag(type_flag::HEAP))
}
fn is_immediate(op: u8) -> bool {
    (Op::ADD_I as u8..=Op::XOR_I as u8).contains(&op) || (Op::JLT_I as u8..=Op::JNNE_I as u8).contains(&op)
}

/// Enters the left operand's method for the operator at `pc`, if it is a Python function.
#[inline]
pub fn enter_operator(th: &mut Thread, w: Word, pc: Pc, r: Regs, x: &Value, y: &Value) -> Option<S> {
    if !left_is_first(x, y) || w.flags() & REVERSED != 0 {
        return None;
    }
    let op = operator(w.op_byte());
    if op == BinaryOp::Power || w.flags() & INPLACE != 0 && op.has_inplace(x.class()) {
        return None;
    }
    let function = python_special(x, op.method_name())?;
    publish(th, pc);
    enter_special(th, function, [x, y], pc, r)
}
/// Enters the left operand's method for the comparison at `pc`, if it is a Python function.
#[inline]
pub fn enter_comparison(th: &mut Thread, op: CmpOp, pc: Pc, r: Regs, x: &Value, y: &Value) -> Option<S> {
    if !left_is_first(x, y) {
        return None;
    }
    let function = python_special(x, compare::method_name(op))?;
    publish(th, pc);
    enter_special(th, function, [x, y], pc, r)
}

/// What the method returned that an instruction before `pc` had entered.
pub fn returned(th: &mut Thread, w: Word, pc: Pc, r: Regs, value: Value) -> S {
    match w.op_byte() {
        op if op == Op::LOAD_ATTR as u8 => finish1(th, w, pc, pc.add(2), r, value),
        op if op == Op::BINARY_SUBSCR as u8 => finish2(th, w, pc, pc.add(1), r, value),
        op if (Op::ADD as u8..=Op::XOR_I as u8).contains(&op) => operator_returned(th, w, pc, r, value),
        op if (Op::LT as u8..=Op::NE as u8).contains(&op) => comparison_returned(th, w, pc, r, value),
        op if (Op::JLT as u8..=Op::JNNE_I as u8).contains(&op) => jump_returned(th, w, pc, r, value),
        _ => finish1(th, w, pc, pc.add(1), r, value),
    }
}
fn operator_returned(th: &mut Thread, w: Word, pc: Pc, r: Regs, value: Value) -> S {
    let immediate = is_immediate(w.op_byte());
    let value = if value.is_not_implemented() {
        publish(th, pc);
        let x = r.get(b(w)).clone();
        let y = if immediate { Value::int(w.sc().into()) } else { r.get(c(w)).clone() };
        let result = number::after_left(th, operator(w.op_byte()), &x, &y, w.flags() & INPLACE != 0);
        drop((x, y));
        ok!(result, th, pc, r)
    } else {
        value
    };
    if immediate { finish1(th, w, pc, pc, r, value) } else { finish2(th, w, pc, pc, r, value) }
}
fn comparison_returned(th: &mut Thread, w: Word, pc: Pc, r: Regs, value: Value) -> S {
    let value = if value.is_not_implemented() {
        publish(th, pc);
        let (x, y) = (r.get(b(w)).clone(), r.get(c(w)).clone());
        let result = compare::after_left(th, &x, &y, OPERATORS[usize::from(w.op_byte() - Op::LT as u8)]);
        drop((x, y));
        ok!(result, th, pc, r)
    } else {
        value
    };
    finish2(th, w, pc, pc, r, value)
}
fn jump_returned(th: &mut Thread, w: Word, pc: Pc, r: Regs, value: Value) -> S {
    let immediate = is_immediate(w.op_byte());
    let index = w.op_byte() - if immediate { Op::JLT_I as u8 } else { Op::JLT as u8 };
    let answer = if let Some(t) = value.as_bool() {
        t
    } else {
        publish(th, pc);
        let answer = if value.is_not_implemented() {
            let x = r.get(a(w)).clone();
            let y = if immediate { Value::int(w.sb().into()) } else { r.get(b(w)).clone() };
            let result = compare::after_left(th, &x, &y, OPERATORS[usize::from(index / 2)]);
            drop((x, y));
            ok!(result, th, pc, r)
        } else {
            value
        };
        let t = truth(th, &answer);
        drop(answer);
        ok!(t, th, pc, r)
    };
    let taken = answer == index.is_multiple_of(2);
    if immediate { go_kill(th, w, pc, r, taken, [a(w)]) } else { go_kill(th, w, pc, r, taken, [a(w), b(w)]) }
}
