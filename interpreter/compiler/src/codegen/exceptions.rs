//! `try` in all its forms, `raise`, `assert`. CPython counterpart: `compiler_try_except`, `compiler_try_finally`,
//! `compiler_try_star_except`, `compiler_assert`.
//!
//! Handler code: the exception is in `R[d]`, `PUSH_EXC_INFO d` puts the previous one in `R[d+1]`; what the handler
//! raises goes to a cleanup that undoes it and re-raises from `R[d+2]`.

use krait_bytecode::location::Position;
use krait_bytecode::opcodes::Intrinsic2;
use krait_bytecode::{Const, Op};
use krait_syntax::ast::{ExceptHandler, Expr, ExprKind, Range, Stmt, Try};

use super::calls::HEADER;
use super::ir::{Label, NONE, Reg};
use super::unit::FrameKind;
use super::{Compiler, Val, at};
use crate::error::{Result, error};

impl<'a> Compiler<'a> {
    pub(super) fn try_stmt(&mut self, node: &'a Try, range: Range, star: bool) -> Result<()> {
        if node.finalbody.is_empty() {
            return if star { self.try_star(node, range) } else { self.try_except(node, range) };
        }
        let depth = self.u.height;
        let (handler, label) = self.new_handler(depth);
        // A `try` without handlers needs no block of its own.
        self.emit(Op::NOP, [0, 0, 0], 0, at(range));
        self.push_guard(FrameKind::FinallyTry { body: &node.finalbody }, handler, range)?;
        if node.handlers.is_empty() {
            self.stmts(&node.body)?;
        } else if star {
            self.try_star(node, range)?;
        } else {
            self.try_except(node, range)?;
        }
        self.pop_frame();
        self.stmts(&node.finalbody)?;
        let end = self.new_label();
        self.begin_cold(label);
        let (cleanup, cleanup_label) = self.new_handler(depth + 2);
        self.push_guard(FrameKind::FinallyEnd { depth }, cleanup, range)?;
        self.emit(Op::PUSH_EXC_INFO, [depth, 0, 0], 0, Position::NONE);
        self.set_height(depth + 2);
        self.stmts(&node.finalbody)?;
        self.emit(Op::RERAISE, [depth, 0, 0], 0, Position::NONE);
        self.pop_frame();
        self.reraise_cleanup(cleanup_label, depth);
        self.end_cold(end);
        self.set_height(depth);
        Ok(())
    }

    /// What a handler raised: the handled exception is restored, the new one goes on.
    pub(super) fn reraise_cleanup(&mut self, label: Label, depth: Reg) {
        self.bind(label);
        self.set_height(depth + 3);
        self.emit(Op::POP_EXCEPT, [depth, 0, 0], 0, Position::NONE);
        self.emit(Op::RERAISE, [depth + 2, 0, 0], 0, Position::NONE);
    }

    fn try_except(&mut self, node: &'a Try, range: Range) -> Result<()> {
        let depth = self.u.height;
        let (handler, label) = self.new_handler(depth);
        self.emit(Op::NOP, [0, 0, 0], 0, at(range));
        self.push_guard(FrameKind::Try, handler, range)?;
        self.stmts(&node.body)?;
        self.pop_frame();
        self.stmts(&node.orelse)?;
        let end = self.new_label();
        self.begin_cold(label);
        let (cleanup, cleanup_label) = self.new_handler(depth + 2);
        self.push_guard(FrameKind::Handler { depth }, cleanup, range)?;
        self.emit(Op::PUSH_EXC_INFO, [depth, 0, 0], 0, Position::NONE);
        for (index, handler) in node.handlers.iter().enumerate() {
            if handler.type_.is_none() && index + 1 < node.handlers.len() {
                return Err(error(handler.range, "default 'except:' must be last"));
            }
            self.set_height(depth + 2);
            let next = self.new_label();
            if let Some(kind) = &handler.type_ {
                let val = self.expr(kind)?;
                let kill = Self::kills(&[val], NONE);
                self.emit_full(Op::JNEXC_MATCH, [depth, val.reg, 0], kill, 0, next, at(handler.range));
                let matched = self.new_label();
                self.bind(matched);
                self.set_height(depth + 2);
            }
            self.handler_body(handler, depth, end)?;
            self.bind(next);
        }
        self.emit(Op::RERAISE, [depth, 0, 0], 0, Position::NONE);
        self.pop_frame();
        self.reraise_cleanup(cleanup_label, depth);
        self.end_cold(end);
        self.set_height(depth);
        Ok(())
    }

    fn handler_body(&mut self, handler: &'a ExceptHandler, depth: Reg, end: Label) -> Result<()> {
        let Some(name) = &handler.name else {
            if handler.type_.is_none() {
                self.emit(Op::NOP, [0, 0, 0], 0, at(handler.range));
            }
            self.stmts(&handler.body)?;
            self.emit(Op::POP_EXCEPT, [depth, 0, 0], 0, Position::NONE);
            self.jump(end, Position::NONE);
            return Ok(());
        };
        self.store_name(name, Val { reg: depth, temp: false }, handler.range)?;
        let (cleanup, cleanup_label) = self.new_handler(depth + 2);
        self.push_guard(FrameKind::HandlerName { name: name.clone() }, cleanup, handler.range)?;
        self.stmts(&handler.body)?;
        self.pop_frame();
        // After POP_EXCEPT the cleanup of the handlers is no longer in force.
        let outer = self.u.frames.pop();
        self.emit(Op::POP_EXCEPT, [depth, 0, 0], 0, Position::NONE);
        self.unbind_name(name, handler.range, Position::NONE)?;
        self.jump(end, Position::NONE);
        self.u.frames.extend(outer);
        self.bind(cleanup_label);
        self.set_height(depth + 3);
        self.unbind_name(name, handler.range, Position::NONE)?;
        self.emit(Op::RERAISE, [depth + 2, 0, 0], 0, Position::NONE);
        self.set_height(depth + 2);
        Ok(())
    }

    /// Registers from `depth`: exception, previous handled one, list of results, what is left, what matched.
    fn try_star(&mut self, node: &'a Try, range: Range) -> Result<()> {
        let depth = self.u.height;
        let (results, rest, matched) = (depth + 2, depth + 3, depth + 4);
        let (handler, label) = self.new_handler(depth);
        self.emit(Op::NOP, [0, 0, 0], 0, at(range));
        self.push_guard(FrameKind::Try, handler, range)?;
        self.stmts(&node.body)?;
        self.pop_frame();
        let (end, orelse) = (self.new_label(), self.new_label());
        self.jump(orelse, Position::NONE);
        self.begin_cold(label);
        let (cleanup, cleanup_label) = self.new_handler(depth + 2);
        self.push_guard(FrameKind::Handler { depth }, cleanup, range)?;
        self.push_guard(FrameKind::ExceptStar, NONE, range)?;
        self.emit(Op::PUSH_EXC_INFO, [depth, 0, 0], 0, Position::NONE);
        let first_pos = node.handlers.first().map_or(Position::NONE, |handler| at(handler.range));
        self.set_height(rest + 1);
        self.emit(Op::BUILD_LIST, [results, results, 0], 0, first_pos);
        self.emit(Op::MOVE, [rest, depth, 0], 0, first_pos);
        for handler in &node.handlers {
            self.star_handler(handler, results, rest, matched)?;
        }
        let kill = Self::kills(&[Val { reg: rest, temp: true }], results);
        self.emit(Op::LIST_APPEND, [results, rest, 0], kill, Position::NONE);
        self.set_height(rest);
        // The intrinsic consumes its operands; the exception itself is still needed by POP_EXCEPT.
        self.set_height(rest + 2);
        self.emit(Op::MOVE, [rest, depth, 0], 0, Position::NONE);
        self.move_to(rest + 1, Val { reg: results, temp: true }, Position::NONE);
        self.emit(Op::CALL_INTRINSIC_2, [rest, rest, Intrinsic2::PrepReraiseStar as u32], 0, Position::NONE);
        let result = Val { reg: results, temp: true };
        self.move_to(result.reg, Val { reg: rest, temp: true }, Position::NONE);
        self.set_height(results + 1);
        let reraise = self.new_label();
        self.emit_full(Op::JNOTNONE, [results, 0, 0], 0, 0, reraise, Position::NONE);
        let clean = self.new_label();
        self.bind(clean);
        self.clear(results, Position::NONE);
        self.emit(Op::POP_EXCEPT, [depth, 0, 0], 0, Position::NONE);
        self.jump(end, Position::NONE);
        self.bind(reraise);
        self.pop_frame();
        self.pop_frame();
        self.emit(Op::POP_EXCEPT, [depth, 0, 0], 0, Position::NONE);
        self.emit(Op::RERAISE, [results, 0, 0], 0, Position::NONE);
        self.reraise_cleanup(cleanup_label, depth);
        self.end_cold(orelse);
        self.set_height(depth);
        self.stmts(&node.orelse)?;
        self.bind(end);
        Ok(())
    }

    fn star_handler(&mut self, handler: &'a ExceptHandler, results: Reg, rest: Reg, matched: Reg) -> Result<()> {
        let pos = at(handler.range);
        self.set_height(rest + 1);
        let Some(kind) = &handler.type_ else {
            return Err(error(handler.range, "except* needs a type"));
        };
        // The matching part is reserved below the type.
        self.set_height(matched + 1);
        let val = self.expr(kind)?;
        self.emit(Op::CHECK_EG_MATCH, [matched, rest, val.reg], Self::kills(&[val], matched), pos);
        self.set_height(matched + 1);
        let (no_match, next) = (self.new_label(), self.new_label());
        self.emit_full(Op::JNONE, [matched, 0, 0], 0, 0, no_match, pos);
        let is_match = self.new_label();
        self.bind(is_match);
        let (cleanup, cleanup_label) = self.new_handler(matched);
        match &handler.name {
            Some(name) => self.store_name(name, Val { reg: matched, temp: true }, handler.range)?,
            None => self.clear(matched, pos),
        }
        self.set_height(matched);
        let kind = match &handler.name {
            Some(name) => FrameKind::HandlerName { name: name.clone() },
            None => FrameKind::Guard,
        };
        self.push_guard(kind, cleanup, handler.range)?;
        self.stmts(&handler.body)?;
        self.pop_frame();
        if let Some(name) = &handler.name {
            self.unbind_name(name, handler.range, Position::NONE)?;
        }
        self.jump(next, Position::NONE);
        self.bind(cleanup_label);
        self.set_height(matched + 1);
        if let Some(name) = &handler.name {
            self.unbind_name(name, handler.range, Position::NONE)?;
        }
        let kill = Self::kills(&[Val { reg: matched, temp: true }], results);
        self.emit(Op::LIST_APPEND, [results, matched, 0], kill, Position::NONE);
        self.jump(next, Position::NONE);
        self.bind(no_match);
        self.clear(matched, pos);
        self.bind(next);
        self.set_height(matched);
        Ok(())
    }

    pub(super) fn raise(&mut self, exc: Option<&'a Expr>, cause: Option<&'a Expr>, range: Range) -> Result<()> {
        let base = self.u.height;
        let mut operands = Vec::with_capacity(2);
        for expr in [exc, cause].into_iter().flatten() {
            operands.push(self.expr(expr)?);
        }
        let reg = |index: usize| operands.get(index).map_or(0, |val: &Val| val.reg);
        let kill = Self::kills(&operands, NONE);
        self.emit(Op::RAISE_VARARGS, [reg(0), reg(1), operands.len() as u32], kill, at(range));
        self.set_height(base);
        Ok(())
    }

    pub(super) fn assert(&mut self, test: &'a Expr, msg: Option<&'a Expr>, range: Range) -> Result<()> {
        let non_empty = |expr: &Expr| match &expr.kind {
            ExprKind::Tuple { elts, .. } => !elts.is_empty(),
            ExprKind::Constant { value: krait_syntax::ast::Constant::Tuple(items), .. } => !items.is_empty(),
            _ => false,
        };
        if non_empty(test) {
            self.warn(range, "assertion is always true, perhaps remove parentheses?");
        }
        if self.options.optimize > 0 {
            return Ok(());
        }
        let base = self.u.height;
        let end = self.new_label();
        self.jump_if(test, true, end)?;
        let pos = at(range);
        let window = self.reserve();
        self.emit(Op::LOAD_ASSERTION_ERROR, [window, 0, 0], 0, pos);
        if let Some(msg) = msg {
            self.set_height(window + HEADER);
            self.push(msg)?;
            self.emit(Op::CALL, [window, 1, window], 0, pos);
        }
        let kill = Self::kills(&[Val { reg: window, temp: true }], NONE);
        self.emit(Op::RAISE_VARARGS, [window, 0, 1], kill, at(test.range));
        self.bind(end);
        self.set_height(base);
        Ok(())
    }

    /// Used by statements that only mark a line.
    pub(super) fn mark_line(&mut self, stmt: &Stmt) {
        self.emit(Op::NOP, [0, 0, 0], 0, at(stmt.range));
    }

    /// A constant that an expression statement names and nobody sees.
    pub(super) fn is_elided(&self, expr: &Expr) -> bool {
        matches!(self.folder.fold(expr), Some(value) if !matches!(value, Const::Code(_)))
    }
}
