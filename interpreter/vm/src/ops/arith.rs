//! Arithmetic: `ADD` to `XOR`, their forms with an immediate, unary operators.
use krait_bytecode::opcodes::{INPLACE, KILL_1, KILL_2, REVERSED};
use krait_bytecode::{Op, Word};
use krait_object::{PyResult, Str, Thread, Value};
use krait_runtime::protocol::compare::truth;
use krait_runtime::protocol::number::{self, BinaryOp};

use super::special::enter_operator;
use super::{a, b, c, dies, finish1, finish2, ok};
use crate::frames::publish;
use crate::regs::{Pc, Regs, S};
use crate::safepoint::after_drop;

/// The operator of an opcode.
pub fn operator(op: u8) -> BinaryOp {
    match Op::from_u8(op) {
        Some(Op::ADD | Op::ADD_I) => BinaryOp::Add,
        Some(Op::SUB | Op::SUB_I) => BinaryOp::Subtract,
        Some(Op::MUL | Op::MUL_I) => BinaryOp::Multiply,
        Some(Op::TRUEDIV | Op::TRUEDIV_I) => BinaryOp::TrueDivide,
        Some(Op::FLOORDIV | Op::FLOORDIV_I) => BinaryOp::FloorDivide,
        Some(Op::MOD | Op::MOD_I) => BinaryOp::Remainder,
        Some(Op::POW | Op::POW_I) => BinaryOp::Power,
        Some(Op::MATMUL) => BinaryOp::MatrixMultiply,
        Some(Op::LSHIFT | Op::LSHIFT_I) => BinaryOp::Lshift,
        Some(Op::RSHIFT | Op::RSHIFT_I) => BinaryOp::Rshift,
        Some(Op::AND | Op::AND_I) => BinaryOp::And,
        Some(Op::OR | Op::OR_I) => BinaryOp::Or,
        _ => BinaryOp::Xor,
    }
}

fn apply(th: &mut Thread, w: Word, x: &Value, y: &Value) -> PyResult<Value> {
    let op = operator(w.op_byte());
    if w.flags() & INPLACE != 0 { number::inplace(th, op, x, y) } else { number::binary(th, op, x, y) }
}

/// An int and a float, either way round; ints that a float holds exactly.
#[inline(always)]
fn mixed(x: &Value, y: &Value) -> Option<(f64, f64)> {
    const EXACT: i64 = 1 << 53;
    const { assert!(krait_object::value::INT_LIMIT <= EXACT) };
    match (x.as_int(), y.as_int()) {
        (Some(x), None) => Some((x as f64, y.as_float()?)),
        (None, Some(y)) => Some((x.as_float()?, y as f64)),
        _ => None,
    }
}
/// Characters from which on a string that is added to may grow where it is.
const LONG: usize = 1024;
/// `R[A] := R[B] + t` in the memory of `R[B]`, which dies or is the result's register; false: nothing happened.
fn append(r: Regs, w: Word, t: &Str) -> bool {
    let Some(left) = r.take(b(w)).and_then(|v| v.downcast::<Str>().ok()) else { return false };
    match Str::append(left, t) {
        Ok(text) => {
            drop(r.replace(a(w), Some(text.into())));
            true
        }
        Err(left) => {
            r.put(b(w), left.into());
            false
        }
    }
}
fn clear_operand(th: &mut Thread, w: Word, pc: Pc, r: Regs) -> S {
    let freed = r.kill(c(w));
    after_drop(th, pc, freed);
    S { pc, r }
}
/// Operands that are not both ints or both floats: an int with a float, strings to be put together.
#[inline(never)]
fn other(th: &mut Thread, w: Word, pc: Pc, r: Regs, of_floats: impl FnOnce(f64, f64) -> Option<f64>) -> S {
    let (x, y) = (r.get(b(w)), r.get(c(w)));
    if let Some((x, y)) = mixed(x, y)
        && let Some(value) = of_floats(x, y)
    {
        return finish2(th, w, pc, pc, r, Value::float(value));
    }
    if w.op_byte() == Op::ADD as u8
        && let (Some(s), Some(t)) = (x.downcast_exact::<Str>(), y.downcast_exact::<Str>())
    {
        if s.len() >= LONG && b(w) != c(w) && (a(w) == b(w) || dies(w, KILL_1)) && append(r, w, t) {
            return if dies(w, KILL_2) { clear_operand(th, w, pc, r) } else { S { pc, r } };
        }
        if let Some(text) = s.concat(t) {
            return finish2(th, w, pc, pc, r, text.into());
        }
    }
    match enter_operator(th, w, pc, r, x, y) {
        Some(s) => s,
        None => slow(th, w, pc, r),
    }
}

#[cold]
#[inline(never)]
fn slow(th: &mut Thread, w: Word, pc: Pc, r: Regs) -> S {
    publish(th, pc);
    let (x, y) = (r.get(b(w)).clone(), r.get(c(w)).clone());
    let value = ok!(apply(th, w, &x, &y), th, pc, r);
    drop((x, y));
    finish2(th, w, pc, pc, r, value)
}
#[cold]
#[inline(never)]
fn slow_imm(th: &mut Thread, w: Word, pc: Pc, r: Regs) -> S {
    let y = Value::int(w.sc().into());
    if let Some(s) = enter_operator(th, w, pc, r, r.get(b(w)), &y) {
        return s;
    }
    publish(th, pc);
    let x = r.get(b(w)).clone();
    let result = if w.flags() & REVERSED != 0 { apply(th, w, &y, &x) } else { apply(th, w, &x, &y) };
    let value = ok!(result, th, pc, r);
    drop(x);
    finish1(th, w, pc, pc, r, value)
}

/// Python's `//`.
#[inline(always)]
fn floor_div(x: i64, y: i64) -> i64 {
    let (q, rest) = (x / y, x % y);
    if rest != 0 && (rest < 0) != (y < 0) { q - 1 } else { q }
}
/// Python's `%`.
#[inline(always)]
fn floor_mod(x: i64, y: i64) -> i64 {
    let rest = x % y;
    if rest != 0 && (rest < 0) != (y < 0) { rest + y } else { rest }
}
/// Python's `%` of floats.
#[inline(always)]
fn float_mod(x: f64, y: f64) -> f64 {
    let rest = x % y;
    if rest != 0.0 { if (rest < 0.0) != (y < 0.0) { rest + y } else { rest } } else { 0f64.copysign(y) }
}

/// A binary operator: what to do with two immediate ints, what with two immediate floats; `None` takes the slow path.
macro_rules! binary {
    ($name:ident, $imm:ident, |$x:ident, $y:ident| $int:expr, $float:expr) => {
        #[inline(always)]
        pub fn $name(th: &mut Thread, w: Word, pc: Pc, r: Regs) -> S {
            let (left, right) = (r.get(b(w)), r.get(c(w)));
            if let (Some($x), Some($y)) = (left.as_int(), right.as_int()) {
                let made: Option<Value> = $int;
                if let Some(value) = made {
                    return finish2(th, w, pc, pc, r, value);
                }
            } else if let (Some($x), Some($y)) = (left.as_float(), right.as_float()) {
                let made: Option<f64> = $float;
                if let Some(value) = made {
                    return finish2(th, w, pc, pc, r, Value::float(value));
                }
            }
            other(th, w, pc, r, |$x: f64, $y: f64| $float)
        }
        #[inline(always)]
        pub fn $imm(th: &mut Thread, w: Word, pc: Pc, r: Regs) -> S {
            let left = r.get(b(w));
            if let Some($x) = left.as_int() {
                let $y = i64::from(w.sc());
                let made: Option<Value> = $int;
                if let Some(value) = made {
                    return finish1(th, w, pc, pc, r, value);
                }
            } else if let Some($x) = left.as_float() {
                let $y = f64::from(w.sc());
                let made: Option<f64> = $float;
                if let Some(value) = made {
                    return finish1(th, w, pc, pc, r, Value::float(value));
                }
            }
            slow_imm(th, w, pc, r)
        }
    };
}

binary!(op_add, op_add_i, |x, y| Some(Value::int(x + y)), Some(x + y));
binary!(op_sub, op_sub_i, |x, y| Some(Value::int(x - y)), Some(x - y));
binary!(op_mul, op_mul_i, |x, y| x.checked_mul(y).map(Value::int), Some(x * y));
binary!(
    op_truediv,
    op_truediv_i,
    |x, y| if y != 0 { Some(Value::float(x as f64 / y as f64)) } else { None },
    if y != 0.0 { Some(x / y) } else { None }
);
binary!(op_floordiv, op_floordiv_i, |x, y| if y != 0 { Some(Value::int(floor_div(x, y))) } else { None }, {
    let _ = (x, y);
    None
});
binary!(
    op_mod,
    op_mod_i,
    |x, y| if y != 0 { Some(Value::int(floor_mod(x, y))) } else { None },
    if y != 0.0 { Some(float_mod(x, y)) } else { None }
);
binary!(
    op_pow,
    op_pow_i,
    |x, y| match u32::try_from(y) {
        Ok(y) => x.checked_pow(y).map(Value::int),
        Err(_) => None,
    },
    if x > 0.0 && x.is_finite() {
        let power = x.powf(y);
        if power.is_finite() { Some(power) } else { None }
    } else {
        None
    }
);
binary!(op_lshift, op_lshift_i, |x, y| if (0..14).contains(&y) { Some(Value::int(x << y)) } else { None }, {
    let _ = (x, y);
    None
});
binary!(op_rshift, op_rshift_i, |x, y| if (0..64).contains(&y) { Some(Value::int(x >> y)) } else { None }, {
    let _ = (x, y);
    None
});
binary!(op_and, op_and_i, |x, y| Some(Value::int(x & y)), {
    let _ = (x, y);
    None
});
binary!(op_or, op_or_i, |x, y| Some(Value::int(x | y)), {
    let _ = (x, y);
    None
});
binary!(op_xor, op_xor_i, |x, y| Some(Value::int(x ^ y)), {
    let _ = (x, y);
    None
});

#[inline(always)]
pub fn op_matmul(th: &mut Thread, w: Word, pc: Pc, r: Regs) -> S {
    other(th, w, pc, r, |_, _| None)
}

#[cold]
#[inline(never)]
fn slow_unary(th: &mut Thread, w: Word, pc: Pc, r: Regs) -> S {
    publish(th, pc);
    let x = r.get(b(w)).clone();
    let result = match Op::from_u8(w.op_byte()) {
        Some(Op::UNARY_NEGATIVE) => number::negative(th, &x),
        Some(Op::UNARY_POSITIVE) => number::positive(th, &x),
        Some(Op::UNARY_INVERT) => number::invert(th, &x),
        _ => truth(th, &x).map(|t| Value::bool(!t)),
    };
    let value = ok!(result, th, pc, r);
    drop(x);
    finish1(th, w, pc, pc, r, value)
}
#[inline(always)]
pub fn op_neg(th: &mut Thread, w: Word, pc: Pc, r: Regs) -> S {
    let x = r.get(b(w));
    if let Some(i) = x.as_int() {
        return finish1(th, w, pc, pc, r, Value::int(-i));
    }
    if let Some(f) = x.as_float() {
        return finish1(th, w, pc, pc, r, Value::float(-f));
    }
    slow_unary(th, w, pc, r)
}
#[inline(always)]
pub fn op_pos(th: &mut Thread, w: Word, pc: Pc, r: Regs) -> S {
    slow_unary(th, w, pc, r)
}
#[inline(always)]
pub fn op_invert(th: &mut Thread, w: Word, pc: Pc, r: Regs) -> S {
    match r.get(b(w)).as_int() {
        Some(i) => finish1(th, w, pc, pc, r, Value::int(!i)),
        None => slow_unary(th, w, pc, r),
    }
}
#[inline(always)]
pub fn op_not(th: &mut Thread, w: Word, pc: Pc, r: Regs) -> S {
    match r.get(b(w)).as_bool() {
        Some(x) => finish1(th, w, pc, pc, r, Value::bool(!x)),
        None => slow_unary(th, w, pc, r),
    }
}
