//! Expressions: operators, attributes, subscripts, conditionals; dispatch to the other files by kind.
//!
//! CPython counterpart: `compiler_visit_expr`.

use krait_bytecode::location::Position;
use krait_bytecode::{Const, Op, opcodes};
use krait_syntax::ast::{BoolOperator, Expr, ExprKind, Identifier, Operator, UnaryOperator};

use super::ir::{NONE, Reg};
use super::{Compiler, Val, at};
use crate::error::{Result, error};
use crate::fold;

/// Operations with a register and a small immediate as right operand.
fn immediate_op(op: Operator) -> Option<Op> {
    Some(match op {
        Operator::Add => Op::ADD_I,
        Operator::Sub => Op::SUB_I,
        Operator::Mult => Op::MUL_I,
        Operator::Div => Op::TRUEDIV_I,
        Operator::FloorDiv => Op::FLOORDIV_I,
        Operator::Mod => Op::MOD_I,
        Operator::Pow => Op::POW_I,
        Operator::LShift => Op::LSHIFT_I,
        Operator::RShift => Op::RSHIFT_I,
        Operator::BitAnd => Op::AND_I,
        Operator::BitOr => Op::OR_I,
        Operator::BitXor => Op::XOR_I,
        Operator::MatMult => return None,
    })
}

fn commutes(op: Operator) -> bool {
    matches!(op, Operator::Add | Operator::Mult | Operator::BitAnd | Operator::BitOr | Operator::BitXor)
}

fn binary_op(op: Operator) -> Op {
    match op {
        Operator::Add => Op::ADD,
        Operator::Sub => Op::SUB,
        Operator::Mult => Op::MUL,
        Operator::Div => Op::TRUEDIV,
        Operator::FloorDiv => Op::FLOORDIV,
        Operator::Mod => Op::MOD,
        Operator::Pow => Op::POW,
        Operator::MatMult => Op::MATMUL,
        Operator::LShift => Op::LSHIFT,
        Operator::RShift => Op::RSHIFT,
        Operator::BitAnd => Op::AND,
        Operator::BitOr => Op::OR,
        Operator::BitXor => Op::XOR,
    }
}

/// A constant that fits an immediate operand.
pub(super) fn immediate(value: Option<&Const>) -> Option<u32> {
    match value {
        Some(&Const::Int(value)) => i16::try_from(value).ok().map(|value| value as u16 as u32),
        _ => None,
    }
}

impl<'a> Compiler<'a> {
    /// Evaluates an expression; the height afterwards is one more if the value is a temporary.
    pub(super) fn expr(&mut self, expr: &'a Expr) -> Result<Val> {
        self.expr_to(expr, None)
    }

    /// Evaluates, preferably into `wanted`; the caller moves the value if it is somewhere else.
    pub(super) fn expr_to(&mut self, expr: &'a Expr, wanted: Option<Reg>) -> Result<Val> {
        self.limit.check()?;
        self.enter_roots([expr]);
        let val = self.expr_inner(expr, wanted)?;
        self.leave_roots();
        Ok(val)
    }

    fn expr_inner(&mut self, expr: &'a Expr, wanted: Option<Reg>) -> Result<Val> {
        let base = self.u.height;
        let pos = at(expr.range);
        if let Some(value) = self.folder.fold(expr) {
            let out = self.out(base, wanted);
            self.load_const(out.reg, value, pos);
            return Ok(out);
        }
        match &expr.kind {
            ExprKind::Name { id, .. } => Ok(self.load_name(id, wanted, pos)),
            ExprKind::BinOp { left, op, right } => self.binary(left, *op, right, wanted, pos),
            ExprKind::UnaryOp { op, operand } => self.unary(*op, operand, wanted, pos),
            ExprKind::BoolOp { op, values } => self.bool_op(*op, values, pos),
            ExprKind::Compare { left, ops, comparators } => self.compare(expr, left, ops, comparators, wanted),
            ExprKind::Call { func, args, keywords } => self.call(expr, func, args, keywords, wanted),
            ExprKind::Attribute { value, attr, .. } => self.attribute(expr, value, attr, wanted),
            ExprKind::Subscript { value, slice, .. } => self.subscript(value, slice, wanted, pos),
            ExprKind::NamedExpr { target, value } => self.named_expr(target, value),
            ExprKind::IfExp { test, body, orelse } => self.conditional(test, body, orelse, wanted, pos),
            ExprKind::Lambda { args, body } => self.lambda(expr, args, body),
            ExprKind::Tuple { elts, .. } => self.tuple_display(elts, wanted, pos),
            ExprKind::List { elts, .. } => self.list_display(elts, wanted, pos),
            ExprKind::Set { elts } => self.set_display(elts, wanted, pos),
            ExprKind::Dict { keys, values } => self.dict_display(keys, values, wanted, pos),
            ExprKind::JoinedStr { values } => self.joined_str(values, wanted, pos),
            ExprKind::FormattedValue { value, conversion, format_spec } => {
                self.formatted_value(value, *conversion, format_spec.as_deref(), wanted, pos)
            }
            ExprKind::ListComp { .. }
            | ExprKind::SetComp { .. }
            | ExprKind::DictComp { .. }
            | ExprKind::GeneratorExp { .. } => self.comprehension(expr),
            ExprKind::Await { value } => self.await_expr(expr, value),
            ExprKind::Yield { value } => self.yield_expr(expr, value.as_deref(), wanted),
            ExprKind::YieldFrom { value } => self.yield_from(expr, value),
            ExprKind::Slice { lower, upper, step } => {
                self.slice(lower.as_deref(), upper.as_deref(), step.as_deref(), wanted, pos)
            }
            ExprKind::Starred { ctx, .. } => Err(error(
                expr.range,
                if *ctx == krait_syntax::ast::ExprContext::Store {
                    "starred assignment target must be in a list or tuple"
                } else {
                    "can't use starred expression here"
                },
            )),
            ExprKind::Constant { value, .. } => {
                let out = self.out(base, wanted);
                self.load_const(out.reg, fold::constant(value), pos);
                Ok(out)
            }
        }
    }

    /// Left operands are followed in a loop: sums of thousands of terms are common in generated sources.
    fn binary(
        &mut self,
        left: &'a Expr,
        op: Operator,
        right: &'a Expr,
        wanted: Option<Reg>,
        pos: Position,
    ) -> Result<Val> {
        let base = self.u.height;
        let mut chain = vec![(op, right, pos)];
        let mut first = left;
        while let ExprKind::BinOp { left, op, right } = &first.kind
            && self.folder.fold(first).is_none()
        {
            chain.push((*op, right, at(first.range)));
            first = left;
        }
        let mut val = None;
        for (index, (op, right, pos)) in chain.into_iter().enumerate().rev() {
            let wanted = if index == 0 { wanted } else { None };
            val = Some(match val {
                None => self.first_binary(first, op, right, wanted, pos)?,
                Some(left) => self.binary_with(base, left, op, right, wanted, 0, pos)?,
            });
        }
        Ok(val.expect("the chain has at least one link"))
    }

    fn first_binary(
        &mut self,
        left: &'a Expr,
        op: Operator,
        right: &'a Expr,
        wanted: Option<Reg>,
        pos: Position,
    ) -> Result<Val> {
        let base = self.u.height;
        if commutes(op)
            && let Some(value) = immediate(self.folder.fold(left).as_ref())
            && self.folder.fold(right).is_none()
            && let Some(immediate_op) = immediate_op(op)
        {
            let right = self.expr(right)?;
            let out = self.out(base, wanted);
            let kill = Self::kills(&[right], out.reg);
            self.u.immediate_const(value);
            self.emit(immediate_op, [out.reg, right.reg, value], kill | opcodes::REVERSED, pos);
            return Ok(out);
        }
        let left = self.expr(left)?;
        self.binary_with(base, left, op, right, wanted, 0, pos)
    }

    /// The operation with its left operand evaluated at `base`.
    pub(super) fn binary_with(
        &mut self,
        base: Reg,
        left: Val,
        op: Operator,
        right: &'a Expr,
        wanted: Option<Reg>,
        flags: u8,
        pos: Position,
    ) -> Result<Val> {
        if let Some(value) = immediate(self.folder.fold(right).as_ref())
            && let Some(immediate_op) = immediate_op(op)
        {
            let out = self.out(base, wanted);
            let kill = Self::kills(&[left], out.reg);
            self.u.immediate_const(value);
            self.emit(immediate_op, [out.reg, left.reg, value], kill | flags, pos);
            return Ok(out);
        }
        let right = self.expr(right)?;
        let out = self.out(base, wanted);
        let kill = Self::kills(&[left, right], out.reg);
        self.emit(binary_op(op), [out.reg, left.reg, right.reg], kill | flags, pos);
        Ok(out)
    }

    fn unary(&mut self, op: UnaryOperator, operand: &'a Expr, wanted: Option<Reg>, pos: Position) -> Result<Val> {
        let base = self.u.height;
        let val = self.expr(operand)?;
        let out = self.out(base, wanted);
        let op = match op {
            UnaryOperator::Invert => Op::UNARY_INVERT,
            UnaryOperator::Not => Op::UNARY_NOT,
            UnaryOperator::UAdd => Op::UNARY_POSITIVE,
            UnaryOperator::USub => Op::UNARY_NEGATIVE,
        };
        self.emit(op, [out.reg, val.reg, 0], Self::kills(&[val], out.reg), pos);
        Ok(out)
    }

    /// `and`, `or` as values: always a temporary, since it is written more than once.
    fn bool_op(&mut self, op: BoolOperator, values: &'a [Expr], pos: Position) -> Result<Val> {
        let base = self.u.height;
        let end = self.new_label();
        let jump = if op == BoolOperator::And { Op::JF } else { Op::JT };
        let Some((last, others)) = values.split_last() else {
            return Err(error(krait_syntax::ast::Range::default(), "BoolOp with no values"));
        };
        for value in others {
            self.set_height(base);
            let reg = self.push(value)?;
            self.emit_full(jump, [reg, 0, 0], opcodes::KILL_FALL, 0, end, pos);
            let next = self.new_label();
            self.bind(next);
        }
        self.set_height(base);
        self.push(last)?;
        self.bind(end);
        Ok(Val { reg: base, temp: true })
    }

    fn conditional(
        &mut self,
        test: &'a Expr,
        body: &'a Expr,
        orelse: &'a Expr,
        wanted: Option<Reg>,
        pos: Position,
    ) -> Result<Val> {
        let base = self.u.height;
        let (otherwise, end) = (self.new_label(), self.new_label());
        self.jump_if(test, false, otherwise)?;
        let out = self.out(base, wanted);
        for (value, last) in [(body, false), (orelse, true)] {
            self.set_height(base);
            if wanted.is_some() {
                self.expr_into(value, out.reg)?;
            } else {
                self.push(value)?;
            }
            if !last {
                self.jump(end, pos);
                self.bind(otherwise);
            }
        }
        self.bind(end);
        Ok(self.out(base, wanted))
    }

    fn attribute(&mut self, expr: &'a Expr, value: &'a Expr, attr: &Identifier, wanted: Option<Reg>) -> Result<Val> {
        let base = self.u.height;
        if let Some(val) = self.super_attribute(expr, value, attr, wanted)? {
            return Ok(val);
        }
        let val = self.expr(value)?;
        let pos = Self::attribute_position(expr, attr);
        Ok(self.load_attr(base, val, attr, wanted, pos))
    }

    /// Of an attribute on another line than its object's end, only the name.
    pub(super) fn attribute_position(expr: &Expr, attr: &str) -> Position {
        let mut pos = at(expr.range);
        if pos.line != pos.end_line {
            pos.line = pos.end_line;
            let length = attr.chars().count() as i32;
            (pos.col, pos.end_col) = if length <= pos.end_col { (pos.end_col - length, pos.end_col) } else { (-1, -1) };
        }
        pos
    }

    pub(super) fn load_attr(
        &mut self,
        base: Reg,
        val: Val,
        attr: &Identifier,
        wanted: Option<Reg>,
        pos: Position,
    ) -> Val {
        let attr = self.mangled(attr);
        let index = self.u.name_id(&attr);
        if index > u16::MAX as u32 {
            let name = self.push_const(Const::str(&attr), pos);
            let out = self.out(base, wanted);
            let kill = Self::kills(&[val, Val { reg: name, temp: true }], out.reg);
            self.emit(Op::LOAD_ATTR_DYN, [out.reg, val.reg, name], kill, pos);
            return out;
        }
        let out = self.out(base, wanted);
        self.emit(Op::LOAD_ATTR, [out.reg, val.reg, index], Self::kills(&[val], out.reg), pos);
        out
    }

    fn subscript(&mut self, value: &'a Expr, slice: &'a Expr, wanted: Option<Reg>, pos: Position) -> Result<Val> {
        let base = self.u.height;
        self.check_subscripter(value);
        self.check_index(value, slice);
        let object = self.expr(value)?;
        if let Some((lower, upper)) = self.two_bounds(slice) {
            let first = self.push_bounds(lower, upper, at(slice.range))?;
            let out = self.out(base, wanted);
            self.emit(Op::BINARY_SLICE, [out.reg, object.reg, first], Self::kills(&[object], out.reg), pos);
            return Ok(out);
        }
        if let Some(value) = immediate(self.folder.fold(slice).as_ref()) {
            let out = self.out(base, wanted);
            self.u.immediate_const(value);
            self.emit(Op::BINARY_SUBSCR_I, [out.reg, object.reg, value], Self::kills(&[object], out.reg), pos);
            return Ok(out);
        }
        let index = self.expr(slice)?;
        let out = self.out(base, wanted);
        self.emit(Op::BINARY_SUBSCR, [out.reg, object.reg, index.reg], Self::kills(&[object, index], out.reg), pos);
        Ok(out)
    }

    /// The bounds of a slice without a step.
    pub(super) fn two_bounds(&self, slice: &'a Expr) -> Option<(Option<&'a Expr>, Option<&'a Expr>)> {
        match &slice.kind {
            ExprKind::Slice { lower, upper, step: None } => Some((lower.as_deref(), upper.as_deref())),
            _ => None,
        }
    }

    pub(super) fn push_bounds(
        &mut self,
        lower: Option<&'a Expr>,
        upper: Option<&'a Expr>,
        pos: Position,
    ) -> Result<Reg> {
        let first = self.u.height;
        for bound in [lower, upper] {
            match bound {
                Some(bound) => self.push(bound)?,
                None => self.push_const(Const::None, pos),
            };
        }
        Ok(first)
    }

    fn slice(
        &mut self,
        lower: Option<&'a Expr>,
        upper: Option<&'a Expr>,
        step: Option<&'a Expr>,
        wanted: Option<Reg>,
        pos: Position,
    ) -> Result<Val> {
        let base = self.push_bounds(lower, upper, pos)?;
        if let Some(step) = step {
            self.push(step)?;
        }
        let out = self.out(base, wanted);
        self.emit(Op::BUILD_SLICE, [out.reg, base, 2 + step.is_some() as u32], 0, pos);
        Ok(out)
    }

    fn named_expr(&mut self, target: &'a Expr, value: &'a Expr) -> Result<Val> {
        let ExprKind::Name { id, .. } = &target.kind else {
            return Err(error(target.range, "cannot use assignment expressions with expression"));
        };
        let base = self.u.height;
        // With no other assignment expression around, nothing can rebind the local before its value is used.
        let known = self.u.varnames.len();
        if self.u.walrus <= 1
            && let Some(register) = self.fast_register(id)
        {
            self.expr_into(value, register)?;
            self.u.settle_target(register, known);
            return Ok(Val { reg: register, temp: false });
        }
        let reg = self.push(value)?;
        self.store_name(id, Val { reg, temp: false }, target.range)?;
        Ok(self.out(base, None))
    }

    /// Jumps to `target` if the expression's truth is `sense`, else goes on. CPython: `compiler_jump_if`.
    pub(super) fn jump_if(&mut self, expr: &'a Expr, sense: bool, target: super::ir::Label) -> Result<()> {
        self.limit.check()?;
        self.enter_roots([expr]);
        self.jump_if_inner(expr, sense, target)?;
        self.leave_roots();
        Ok(())
    }

    fn jump_if_inner(&mut self, expr: &'a Expr, sense: bool, target: super::ir::Label) -> Result<()> {
        let base = self.u.height;
        let pos = at(expr.range);
        if let Some(value) = self.folder.fold(expr) {
            if fold::truth(&value) == sense {
                self.jump(target, pos);
                let next = self.new_label();
                self.bind(next);
            } else {
                self.emit(Op::NOP, [0, 0, 0], 0, pos);
            }
            return Ok(());
        }
        match &expr.kind {
            ExprKind::UnaryOp { op: UnaryOperator::Not, operand } => return self.jump_if(operand, !sense, target),
            ExprKind::BoolOp { op, values } => {
                let Some((last, others)) = values.split_last() else { return Ok(()) };
                let stops_at = *op == BoolOperator::Or;
                let end = self.new_label();
                let stop = if stops_at == sense { target } else { end };
                for value in others {
                    self.jump_if(value, stops_at, stop)?;
                }
                self.jump_if(last, sense, target)?;
                self.bind(end);
                return Ok(());
            }
            ExprKind::IfExp { test, body, orelse } => {
                let (otherwise, end) = (self.new_label(), self.new_label());
                self.jump_if(test, false, otherwise)?;
                self.jump_if(body, sense, target)?;
                self.jump(end, Position::NONE);
                self.bind(otherwise);
                self.jump_if(orelse, sense, target)?;
                self.bind(end);
                return Ok(());
            }
            ExprKind::Compare { left, ops, comparators } => {
                return self.jump_if_compare(expr, left, ops, comparators, sense, target);
            }
            _ => {}
        }
        let val = self.expr(expr)?;
        let op = if sense { Op::JT } else { Op::JF };
        self.emit_full(op, [val.reg, 0, 0], Self::kills(&[val], NONE), 0, target, pos);
        self.set_height(base);
        let next = self.new_label();
        self.bind(next);
        Ok(())
    }
}
