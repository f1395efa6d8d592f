//! `yield`, `yield from`, `await`. CPython counterpart: `ADD_YIELD_FROM`, `compiler_visit_expr1` for these kinds.

use krait_bytecode::location::Position;
use krait_bytecode::opcodes::DELEGATE;
use krait_bytecode::{Const, Op};
use krait_syntax::ast::Expr;

use super::ir::{NONE, Reg};
use super::unit::{Frame, FrameKind, UnitKind};
use super::{Compiler, Val, at};
use crate::error::{Result, error};

impl<'a> Compiler<'a> {
    pub(super) fn yield_expr(&mut self, expr: &'a Expr, value: Option<&'a Expr>, wanted: Option<Reg>) -> Result<Val> {
        if !self.in_function() {
            return Err(error(expr.range, "'yield' outside function"));
        }
        let base = self.u.height;
        let pos = at(expr.range);
        let val = match value {
            Some(value) => self.expr(value)?,
            None => {
                let reg = self.push_const(Const::None, pos);
                Val { reg, temp: true }
            }
        };
        Ok(self.emit_yield(base, val, wanted, pos))
    }

    fn in_function(&self) -> bool {
        matches!(self.u.kind, UnitKind::Function | UnitKind::AsyncFunction | UnitKind::Lambda | UnitKind::Comprehension)
    }

    pub(super) fn emit_yield(&mut self, base: Reg, val: Val, wanted: Option<Reg>, pos: Position) -> Val {
        let mut val = val;
        if self.block().coroutine && self.block().generator {
            let wrapped = self.out(base, None);
            self.emit(Op::ASYNC_GEN_WRAP, [wrapped.reg, val.reg, 0], Self::kills(&[val], wrapped.reg), pos);
            val = wrapped;
        }
        let out = self.out(base, wanted);
        self.emit(Op::YIELD_VALUE, [out.reg, val.reg, base], Self::kills(&[val], out.reg), pos);
        self.resume(1, pos);
        out
    }

    pub(super) fn yield_from(&mut self, expr: &'a Expr, value: &'a Expr) -> Result<Val> {
        if !self.in_function() {
            return Err(error(expr.range, "'yield from' outside function"));
        }
        if self.u.kind == UnitKind::AsyncFunction {
            return Err(error(expr.range, "'yield from' inside async function"));
        }
        let base = self.u.height;
        let pos = at(expr.range);
        let val = self.expr(value)?;
        let receiver = self.out(base, None);
        self.emit(Op::GET_YIELD_FROM_ITER, [receiver.reg, val.reg, 0], Self::kills(&[val], receiver.reg), pos);
        Ok(self.send_loop(receiver.reg, 2, pos))
    }

    pub(super) fn await_expr(&mut self, expr: &'a Expr, value: &'a Expr) -> Result<Val> {
        let top_level = self.options.top_level_await && self.u.kind == UnitKind::Module;
        if !top_level {
            if !self.is_function_like() || !self.in_function() {
                return Err(error(expr.range, "'await' outside function"));
            }
            if !matches!(self.u.kind, UnitKind::AsyncFunction | UnitKind::Comprehension) {
                return Err(error(expr.range, "'await' outside async function"));
            }
        }
        let base = self.u.height;
        let val = self.expr(value)?;
        Ok(self.await_val(base, val, 0, at(expr.range)))
    }

    /// Awaits a value; `place` as in `GET_AWAITABLE`.
    pub(super) fn await_val(&mut self, base: Reg, val: Val, place: u32, pos: Position) -> Val {
        let receiver = self.out(base, None);
        self.emit(Op::GET_AWAITABLE, [receiver.reg, val.reg, place], Self::kills(&[val], receiver.reg), pos);
        self.send_loop(receiver.reg, 3, pos)
    }

    /// Drives the receiver, which stands at the top, to its end; the result takes its place.
    pub(super) fn send_loop(&mut self, receiver: Reg, resume: u32, pos: Position) -> Val {
        let value = receiver + 1;
        self.set_height(value);
        self.push_const(Const::None, pos);
        let (send, done) = (self.new_label(), self.new_label());
        self.bind(send);
        self.emit_full(Op::SEND, [receiver, value, 0], 0, 0, done, pos);
        let yielded = self.new_label();
        self.bind(yielded);
        let (handler, label) = self.new_handler(value + 1);
        self.u.frames.push(Frame { kind: FrameKind::Guard, handler, on_continue: NONE, on_break: NONE });
        self.emit(Op::YIELD_VALUE, [value, value, value], DELEGATE, pos);
        self.pop_frame();
        self.resume(resume, pos);
        self.emit_full(Op::JUMP_FORWARD, [0, 0, 0], 0, 0, send, pos);
        self.begin_cold(label);
        self.set_height(value + 2);
        self.emit(Op::CLEANUP_THROW, [value, value + 1, 0], 0, pos);
        self.clear(receiver, pos);
        self.jump(done, pos);
        self.end_cold(done);
        self.move_to(receiver, Val { reg: value, temp: true }, pos);
        self.set_height(receiver + 1);
        Val { reg: receiver, temp: true }
    }
}
