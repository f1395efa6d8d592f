//! `for`, `async for`, `while`. CPython counterpart: `compiler_for`, `compiler_async_for`, `compiler_while`.

use krait_bytecode::Op;
use krait_bytecode::location::Position;
use krait_syntax::ast::{Expr, ExprKind, For, Range, Stmt};

use super::ir::{Label, NONE, Reg};
use super::unit::{Frame, FrameKind, UnitKind};
use super::{Compiler, Val, at};
use crate::error::{Result, error};
use crate::fold;

impl<'a> Compiler<'a> {
    /// Where `FOR_ITER` puts items: a plain local, or the temporary at the height and the target to store it in.
    pub(super) fn loop_target(&mut self, target: &'a Expr) -> (Reg, Option<&'a Expr>) {
        if let ExprKind::Name { id, .. } = &target.kind
            && let Some(register) = self.fast_register(id)
        {
            return (register, None);
        }
        (self.reserve(), Some(target))
    }

    /// The line of a target that the step itself stores to is an event of its own.
    pub(super) fn mark_target(&mut self, target: &Expr, iter: &Expr) {
        if target.range.lineno != iter.range.lineno {
            self.emit(Op::NOP, [0, 0, 0], 0, at(target.range));
        }
    }

    pub(super) fn for_stmt(&mut self, node: &'a For, range: Range) -> Result<()> {
        let base = self.u.height;
        let pos = at(node.iter.range);
        let val = self.iterable(&node.iter)?;
        let iter = self.out(base, None).reg;
        self.emit(Op::GET_ITER, [iter, val.reg, 0], Self::kills(&[val], iter), pos);
        let (body, next, end) = (self.new_label(), self.new_label(), self.new_label());
        self.jump(next, pos);
        self.bind(body);
        let frame = Frame { kind: FrameKind::For { iter }, handler: NONE, on_continue: next, on_break: end };
        self.push_frame(frame, range)?;
        let (register, target) = self.loop_target(&node.target);
        match target {
            Some(target) => self.store(target, Val { reg: register, temp: true })?,
            None => self.mark_target(&node.target, &node.iter),
        }
        self.set_height(iter + 1);
        self.stmts(&node.body)?;
        self.bind(next);
        self.emit_full(Op::FOR_ITER, [iter, register, 0], 0, 0, body, pos);
        let after = self.new_label();
        self.bind(after);
        self.pop_frame();
        self.set_height(base);
        self.stmts(&node.orelse)?;
        self.bind(end);
        Ok(())
    }

    pub(super) fn async_for(&mut self, node: &'a For, range: Range) -> Result<()> {
        let top_level = self.options.top_level_await && self.u.kind == UnitKind::Module;
        if self.u.kind != UnitKind::AsyncFunction && !top_level {
            return Err(error(range, "'async for' outside async function"));
        }
        let base = self.u.height;
        let pos = at(node.iter.range);
        let val = self.expr(&node.iter)?;
        let iter = self.out(base, None).reg;
        self.emit(Op::GET_AITER, [iter, val.reg, 0], Self::kills(&[val], iter), pos);
        let (next, after, end) = (self.new_label(), self.new_label(), self.new_label());
        self.bind(next);
        let frame = Frame { kind: FrameKind::For { iter }, handler: NONE, on_continue: next, on_break: end };
        self.push_frame(frame, range)?;
        self.async_next(iter, after, |this, val| this.store(&node.target, val), pos)?;
        self.set_height(iter + 1);
        self.stmts(&node.body)?;
        self.emit_full(Op::JUMP_BACKWARD, [0, 0, 0], 0, 0, next, Position::NONE);
        self.pop_frame();
        self.bind(after);
        self.set_height(base);
        self.stmts(&node.orelse)?;
        self.bind(end);
        Ok(())
    }

    /// One step of an asynchronous iteration: stores the item, or goes to `exhausted` with the iterator dropped.
    pub(super) fn async_next(
        &mut self,
        iter: Reg,
        exhausted: Label,
        store: impl FnOnce(&mut Self, Val) -> Result<()>,
        pos: Position,
    ) -> Result<()> {
        let base = self.u.height;
        let (handler, label) = self.new_handler(base);
        self.u.frames.push(Frame { kind: FrameKind::Guard, handler, on_continue: NONE, on_break: NONE });
        let awaitable = self.reserve();
        self.emit(Op::GET_ANEXT, [awaitable, iter, 0], 0, pos);
        let val = self.send_loop(awaitable, 3, pos);
        self.pop_frame();
        store(self, val)?;
        let resume = self.new_label();
        self.begin_cold(label);
        self.set_height(base + 1);
        self.emit(Op::END_ASYNC_FOR, [iter, base, 0], 0, pos);
        self.jump(exhausted, pos);
        self.end_cold(resume);
        self.set_height(base);
        Ok(())
    }

    pub(super) fn while_stmt(
        &mut self,
        test: &'a Expr,
        body: &'a [Stmt],
        orelse: &'a [Stmt],
        range: Range,
    ) -> Result<()> {
        let constant = self.folder.fold(test).map(|value| fold::truth(&value));
        let (start, next, end) = (self.new_label(), self.new_label(), self.new_label());
        let frame = Frame { kind: FrameKind::While, handler: NONE, on_continue: next, on_break: end };
        if constant == Some(true) {
            self.emit(Op::NOP, [0, 0, 0], 0, at(test.range));
            self.bind(start);
            self.push_frame(frame, range)?;
            self.stmts(body)?;
            self.pop_frame();
            // The jump back has the line of the test, which is an event of every turn.
            self.bind(next);
            self.emit_full(Op::JUMP_BACKWARD, [0, 0, 0], 0, 0, start, at(test.range));
        } else {
            // The test stands at the bottom: one jump per turn.
            self.jump(next, at(test.range));
            self.bind(start);
            self.push_frame(frame, range)?;
            self.stmts(body)?;
            self.pop_frame();
            self.bind(next);
            self.jump_if(test, true, start)?;
        }
        self.stmts(orelse)?;
        self.bind(end);
        Ok(())
    }
}
