//! Leaving blocks early: `return`, `break`, `continue` undo what the blocks around have set up.
//!
//! CPython counterpart: `compiler_unwind_fblock`, `compiler_return`, `compiler_break`, `compiler_continue`.

use krait_bytecode::location::Position;
use krait_bytecode::{Const, Op};
use krait_syntax::ast::{Expr, Range};

use super::calls::HEADER;
use super::ir::{NONE, Reg};
use super::unit::{Frame, FrameKind, UnitKind};
use super::{Compiler, Val, at};
use crate::error::{Result, error};

impl<'a> Compiler<'a> {
    /// Undoes the blocks above `keep`, innermost first, each with its handler no longer in force; then leaves, at the
    /// position that the last of them left off with.
    fn leave(
        &mut self,
        keep: usize,
        pending: Option<Reg>,
        pos: Position,
        range: Range,
        exit: impl FnOnce(&mut Self, Position),
    ) -> Result<()> {
        let frames = self.u.frames.clone();
        let mut pos = pos;
        while self.u.frames.len() > keep {
            let frame = self.u.frames.pop().expect("longer than keep");
            self.unwind_frame(&frame, pending, &mut pos, range)?;
        }
        exit(self, pos);
        self.u.frames = frames;
        Ok(())
    }

    fn unwind_frame(&mut self, frame: &Frame<'a>, pending: Option<Reg>, at: &mut Position, range: Range) -> Result<()> {
        let pos = *at;
        match &frame.kind {
            FrameKind::While | FrameKind::Try | FrameKind::Guard => {}
            FrameKind::For { iter } => self.clear(*iter, pos),
            FrameKind::FinallyTry { body } => {
                // The body stands here once more, at the height of the exit.
                let height = self.u.height;
                if let Some(value) = pending {
                    let kind = FrameKind::Pending { value };
                    self.push_guard(kind, NONE, range)?;
                }
                self.stmts(body)?;
                if pending.is_some() {
                    self.pop_frame();
                }
                self.set_height(height);
                // What leaves runs after the body, so it has no line of its own.
                *at = Position::NONE;
            }
            FrameKind::Pending { value } => self.clear(*value, pos),
            FrameKind::FinallyEnd { depth } | FrameKind::Handler { depth } => {
                self.emit(Op::POP_EXCEPT, [*depth, 0, 0], 0, pos);
            }
            FrameKind::HandlerName { name } => self.unbind_name(name, range, pos)?,
            FrameKind::With { exit, is_async, pos } => {
                self.exit_with(*exit, *is_async, *pos);
                *at = Position::NONE;
            }
            FrameKind::ExceptStar => {
                let msg = "'break', 'continue' and 'return' cannot appear in an except* block";
                return Err(error(range, msg));
            }
        }
        Ok(())
    }

    /// Calls `__exit__(None, None, None)` and drops the result.
    pub(super) fn exit_with(&mut self, exit: Reg, is_async: bool, pos: Position) {
        let window = self.reserve();
        self.set_height(window + HEADER + 3);
        self.emit(Op::PREPARE_EXIT, [window, exit, 0], 0, pos);
        let mut val = self.out(window, None);
        self.emit(Op::CALL, [window, 3, val.reg], 0, pos);
        if is_async {
            val = self.await_val(window, val, 2, pos);
        }
        self.discard(window, val, pos);
    }

    /// Whether leaving through these blocks runs anything that could rebind a local.
    fn unwinding_runs_code(&self) -> bool {
        self.u.frames.iter().any(|frame| {
            matches!(frame.kind, FrameKind::FinallyTry { .. } | FrameKind::With { .. } | FrameKind::HandlerName { .. })
        })
    }

    pub(super) fn return_stmt(&mut self, value: Option<&'a Expr>, range: Range) -> Result<()> {
        let function = matches!(self.u.kind, UnitKind::Function | UnitKind::AsyncFunction | UnitKind::Lambda);
        if !function {
            return Err(error(range, "'return' outside function"));
        }
        if value.is_some() && self.block().generator && self.block().coroutine {
            return Err(error(range, "'return' with value in async generator"));
        }
        let base = self.u.height;
        let pos = at(range);
        let constant = value.map_or(Some(Const::None), |value| self.folder.fold(value));
        match (value, constant) {
            (Some(value), None) => {
                let mut val = self.expr(value)?;
                if !val.temp && self.unwinding_runs_code() {
                    let reg = self.push_val(base, val, at(value.range));
                    val = Val { reg, temp: true };
                }
                let pending = val.temp.then_some(val.reg);
                self.leave(0, pending, pos, range, |this, pos| this.return_value(val, pos))?;
            }
            (_, constant) => {
                let (mut range, mut pos) = (range, pos);
                if let Some(value) = value {
                    self.emit(Op::NOP, [0, 0, 0], 0, at(value.range));
                    if value.range.lineno == range.lineno {
                        (range, pos) = (value.range, at(value.range));
                    }
                }
                if value.is_none_or(|value| value.range.lineno != range.lineno) {
                    self.emit(Op::NOP, [0, 0, 0], 0, pos);
                }
                self.leave(0, None, pos, range, |this, pos| match constant {
                    None | Some(Const::None) => this.return_none(pos),
                    Some(constant) => {
                        let reg = this.push_const(constant, pos);
                        this.return_value(Val { reg, temp: true }, pos);
                    }
                })?;
            }
        }
        self.set_height(base);
        Ok(())
    }

    fn loop_frame(&self) -> Option<usize> {
        self.u.frames.iter().rposition(|frame| matches!(frame.kind, FrameKind::While | FrameKind::For { .. }))
    }

    /// Refuses an exit through `except*` before looking for a loop, as CPython does.
    fn check_except_star(&self, range: Range) -> Result<()> {
        let inner = self
            .u
            .frames
            .iter()
            .rev()
            .take_while(|frame| !matches!(frame.kind, FrameKind::While | FrameKind::For { .. }));
        if inner.into_iter().any(|frame| matches!(frame.kind, FrameKind::ExceptStar)) {
            let msg = "'break', 'continue' and 'return' cannot appear in an except* block";
            return Err(error(range, msg));
        }
        Ok(())
    }

    pub(super) fn break_stmt(&mut self, range: Range) -> Result<()> {
        let (base, pos) = (self.u.height, at(range));
        // Keeps the line for tracing.
        self.emit(Op::NOP, [0, 0, 0], 0, pos);
        self.check_except_star(range)?;
        let Some(index) = self.loop_frame() else {
            // What is wrong in a `finally` block on the way out is found first.
            self.leave(0, None, pos, range, |_, _| {})?;
            return Err(error(range, "'break' outside loop"));
        };
        let target = self.u.frames[index].on_break;
        self.leave(index, None, pos, range, |this, pos| this.jump(target, pos))?;
        self.set_height(base);
        Ok(())
    }

    pub(super) fn continue_stmt(&mut self, range: Range) -> Result<()> {
        let (base, pos) = (self.u.height, at(range));
        self.emit(Op::NOP, [0, 0, 0], 0, pos);
        self.check_except_star(range)?;
        let Some(index) = self.loop_frame() else {
            // What is wrong in a `finally` block on the way out is found first.
            self.leave(0, None, pos, range, |_, _| {})?;
            return Err(error(range, "'continue' not properly in loop"));
        };
        let target = self.u.frames[index].on_continue;
        self.leave(index + 1, None, pos, range, |this, pos| {
            this.emit_full(Op::JUMP_BACKWARD, [0, 0, 0], 0, 0, target, pos);
        })?;
        self.set_height(base);
        Ok(())
    }

    // ---- generators

    /// PEP 479: a `StopIteration` that leaves a generator becomes a `RuntimeError`.
    pub(super) fn guard_generator(&mut self) {
        let (handler, _) = self.new_handler(super::ir::TEMP);
        let frame = Frame { kind: FrameKind::Guard, handler, on_continue: NONE, on_break: NONE };
        self.u.frames.push(frame);
        self.u.max_height = self.u.max_height.max(super::ir::TEMP + 1);
    }

    pub(super) fn end_generator_guard(&mut self) {
        let handler = self.u.frames.pop().map_or(0, |frame| frame.handler);
        let label = self.u.body.handlers[handler as usize].label;
        let register = super::ir::TEMP;
        self.begin_cold(label);
        let intrinsic = krait_bytecode::opcodes::Intrinsic1::StopIterationError as u32;
        self.emit(Op::CALL_INTRINSIC_1, [register, register, intrinsic], 0, Position::NONE);
        self.emit(Op::RERAISE, [register, 0, 0], 0, Position::NONE);
        self.u.cold -= 1;
    }
}
