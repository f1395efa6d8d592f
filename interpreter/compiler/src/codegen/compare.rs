//! Comparisons, as values and as jumps, chained or not. CPython counterpart: `compiler_compare`, `compiler_jump_if`.

use krait_bytecode::location::Position;
use krait_bytecode::{Const, Op, opcodes};
use krait_syntax::ast::{CmpOperator, Expr};

use super::expressions::immediate;
use super::ir::{Label, NONE, Reg};
use super::{Compiler, Val, at};
use crate::error::Result;

fn value_op(op: CmpOperator) -> Op {
    match op {
        CmpOperator::Eq => Op::EQ,
        CmpOperator::NotEq => Op::NE,
        CmpOperator::Lt => Op::LT,
        CmpOperator::LtE => Op::LE,
        CmpOperator::Gt => Op::GT,
        CmpOperator::GtE => Op::GE,
        CmpOperator::Is => Op::IS,
        CmpOperator::IsNot => Op::IS_NOT,
        CmpOperator::In => Op::IN,
        CmpOperator::NotIn => Op::NOT_IN,
    }
}

/// The jump that is taken when the comparison's truth is `sense`.
fn jump_op(op: CmpOperator, sense: bool) -> Op {
    match (op, sense) {
        (CmpOperator::Eq, true) => Op::JEQ,
        (CmpOperator::Eq, false) => Op::JNEQ,
        (CmpOperator::NotEq, true) => Op::JNE,
        (CmpOperator::NotEq, false) => Op::JNNE,
        (CmpOperator::Lt, true) => Op::JLT,
        (CmpOperator::Lt, false) => Op::JNLT,
        (CmpOperator::LtE, true) => Op::JLE,
        (CmpOperator::LtE, false) => Op::JNLE,
        (CmpOperator::Gt, true) => Op::JGT,
        (CmpOperator::Gt, false) => Op::JNGT,
        (CmpOperator::GtE, true) => Op::JGE,
        (CmpOperator::GtE, false) => Op::JNGE,
        (CmpOperator::Is, true) | (CmpOperator::IsNot, false) => Op::JIS,
        (CmpOperator::Is, false) | (CmpOperator::IsNot, true) => Op::JNIS,
        (CmpOperator::In, true) | (CmpOperator::NotIn, false) => Op::JIN,
        (CmpOperator::In, false) | (CmpOperator::NotIn, true) => Op::JNIN,
    }
}

fn immediate_op(op: Op) -> Option<Op> {
    Some(match op {
        Op::JEQ => Op::JEQ_I,
        Op::JNEQ => Op::JNEQ_I,
        Op::JNE => Op::JNE_I,
        Op::JNNE => Op::JNNE_I,
        Op::JLT => Op::JLT_I,
        Op::JNLT => Op::JNLT_I,
        Op::JLE => Op::JLE_I,
        Op::JNLE => Op::JNLE_I,
        Op::JGT => Op::JGT_I,
        Op::JNGT => Op::JNGT_I,
        Op::JGE => Op::JGE_I,
        Op::JNGE => Op::JNGE_I,
        _ => return None,
    })
}

impl<'a> Compiler<'a> {
    /// The last operand: after `in`, lists become tuples and displays of constants become constants.
    fn last_comparand(&mut self, op: CmpOperator, expr: &'a Expr) -> Result<Val> {
        match op {
            CmpOperator::In | CmpOperator::NotIn => self.iterable(expr),
            _ => self.expr(expr),
        }
    }

    pub(super) fn compare(
        &mut self,
        expr: &'a Expr,
        left: &'a Expr,
        ops: &'a [CmpOperator],
        comparators: &'a [Expr],
        wanted: Option<Reg>,
    ) -> Result<Val> {
        self.check_compare(expr, left, ops, comparators);
        let (base, pos) = (self.u.height, at(expr.range));
        if let [op] = ops {
            let left = self.expr(left)?;
            let right = self.last_comparand(*op, &comparators[0])?;
            let out = self.out(base, wanted);
            let kill = Self::kills(&[left, right], out.reg);
            self.emit(value_op(*op), [out.reg, left.reg, right.reg], kill, pos);
            return Ok(out);
        }
        // The result is reserved first; the middle operands stay above it until the next comparison has used them.
        let result = self.alloc();
        let (end, cleanup) = (self.new_label(), self.new_label());
        let mut left = self.expr(left)?;
        let mut needs_cleanup = false;
        for (index, op) in ops.iter().enumerate() {
            let last = index + 1 == ops.len();
            let operand = &comparators[index];
            let right = if last { self.last_comparand(*op, operand)? } else { self.expr(operand)? };
            let mut kill = Self::kills(&[left, right], result);
            if !last {
                kill &= !opcodes::KILL_2;
            }
            self.emit(value_op(*op), [result, left.reg, right.reg], kill, pos);
            if last {
                break;
            }
            left = self.settle_middle(result + 1, right, pos);
            needs_cleanup |= left.temp;
            let target = if left.temp { cleanup } else { end };
            self.emit_full(Op::JF, [result, 0, 0], opcodes::KILL_FALL, 0, target, pos);
            let next = self.new_label();
            self.bind(next);
        }
        if needs_cleanup {
            self.jump(end, pos);
            self.bind(cleanup);
            self.clear(result + 1, pos);
        }
        self.bind(end);
        self.set_height(base + 1);
        Ok(Val { reg: result, temp: true })
    }

    /// Brings the middle operand of a chain down to `slot`, so that one cleanup serves all links.
    fn settle_middle(&mut self, slot: Reg, val: Val, pos: Position) -> Val {
        if !val.temp {
            self.set_height(slot);
            return val;
        }
        self.set_height(slot + 1);
        self.move_to(slot, val, pos);
        Val { reg: slot, temp: true }
    }

    pub(super) fn jump_if_compare(
        &mut self,
        expr: &'a Expr,
        left: &'a Expr,
        ops: &'a [CmpOperator],
        comparators: &'a [Expr],
        sense: bool,
        target: Label,
    ) -> Result<()> {
        self.check_compare(expr, left, ops, comparators);
        let (base, pos) = (self.u.height, at(expr.range));
        let end = self.new_label();
        let failed = if sense { end } else { target };
        let cleanup = self.new_label();
        let mut needs_cleanup = false;
        let mut left = self.expr(left)?;
        for (index, op) in ops.iter().enumerate() {
            if index + 1 == ops.len() {
                self.last_comparison(left, *op, &comparators[index], sense, target, pos)?;
                break;
            }
            // The operand is both compared and kept, so it is settled before the comparison.
            let right = self.expr(&comparators[index])?;
            let kill = Self::kills(&[left], NONE);
            let middle = if left.temp {
                // Both are temporaries in order: compare, and move down on the way on.
                right
            } else {
                self.settle_middle(base, right, pos)
            };
            needs_cleanup |= middle.temp;
            let exit = if middle.temp { cleanup } else { failed };
            if middle.temp && middle.reg != base {
                let truth = self.alloc();
                self.emit(value_op(*op), [truth, left.reg, middle.reg], kill, pos);
                self.move_to(base, middle, pos);
                self.emit_full(Op::JF, [truth, 0, 0], opcodes::KILL_1, 0, exit, pos);
                self.set_height(base + 1);
                left = Val { reg: base, temp: true };
            } else {
                self.emit_full(jump_op(*op, false), [left.reg, middle.reg, 0], kill, 0, exit, pos);
                left = middle;
            }
            let next = self.new_label();
            self.bind(next);
        }
        if needs_cleanup {
            self.jump(end, Position::NONE);
            self.bind(cleanup);
            self.clear(base, Position::NONE);
            if failed != end {
                self.jump(failed, Position::NONE);
            }
        }
        self.bind(end);
        self.set_height(base);
        Ok(())
    }

    fn last_comparison(
        &mut self,
        left: Val,
        op: CmpOperator,
        right: &'a Expr,
        sense: bool,
        target: Label,
        pos: Position,
    ) -> Result<()> {
        let jump = jump_op(op, sense);
        let constant = self.folder.fold(right);
        let kill_left = Self::kills(&[left], NONE);
        if let (Some(value), Some(jump)) = (immediate(constant.as_ref()), immediate_op(jump)) {
            self.u.immediate_const(value);
            self.emit_full(jump, [left.reg, value, 0], kill_left, 0, target, pos);
        } else if let (Some(Const::None), Op::JIS | Op::JNIS) = (&constant, jump) {
            let jump = if jump == Op::JIS { Op::JNONE } else { Op::JNOTNONE };
            self.emit_full(jump, [left.reg, 0, 0], kill_left, 0, target, pos);
        } else {
            let right = self.last_comparand(op, right)?;
            self.emit_full(jump, [left.reg, right.reg, 0], Self::kills(&[left, right], NONE), 0, target, pos);
        }
        let next = self.new_label();
        self.bind(next);
        Ok(())
    }

    /// Type of a literal whose identity means nothing.
    fn literal_type(&self, expr: &Expr) -> Option<&'static str> {
        match self.folder.fold(expr)? {
            Const::None | Const::Bool(_) | Const::Ellipsis => None,
            value => Some(super::checks::constant_type(&value)),
        }
    }

    fn check_compare(&mut self, expr: &Expr, left: &Expr, ops: &[CmpOperator], comparators: &[Expr]) {
        let mut left = left;
        for (op, right) in ops.iter().zip(comparators) {
            if let CmpOperator::Is | CmpOperator::IsNot = op
                && let Some(kind) = self.literal_type(left).or_else(|| self.literal_type(right))
            {
                let (shown, meant) = if *op == CmpOperator::Is { ("is", "==") } else { ("is not", "!=") };
                self.warn(expr.range, format!("\"{shown}\" with '{kind}' literal. Did you mean \"{meant}\"?"));
                return;
            }
            left = right;
        }
    }
}
