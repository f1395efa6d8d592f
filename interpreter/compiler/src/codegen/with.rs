//! `with` and `async with`. CPython counterpart: `compiler_with`, `compiler_async_with`.

use krait_bytecode::location::Position;
use krait_bytecode::{Op, opcodes};
use krait_syntax::ast::{ExprKind, Range, With};

use super::ir::Reg;
use super::unit::{FrameKind, UnitKind};
use super::{Compiler, Val, at};
use crate::error::{Result, error};

impl<'a> Compiler<'a> {
    pub(super) fn with_stmt(&mut self, node: &'a With, is_async: bool, range: Range) -> Result<()> {
        let top_level = self.options.top_level_await && self.u.kind == UnitKind::Module;
        if is_async && self.u.kind != UnitKind::AsyncFunction && !top_level {
            return Err(error(range, "'async with' outside async function"));
        }
        self.with_items(node, 0, is_async, range)
    }

    fn with_items(&mut self, node: &'a With, index: usize, is_async: bool, range: Range) -> Result<()> {
        let Some(item) = node.items.get(index) else { return self.stmts(&node.body) };
        let exit = self.u.height;
        let pos = at(item.context_expr.range);
        let manager = self.expr(&item.context_expr)?;
        let window = exit + 1;
        self.set_height(window + 5);
        let before = if is_async { Op::BEFORE_ASYNC_WITH } else { Op::BEFORE_WITH };
        self.emit(before, [exit, manager.reg, 0], Self::kills(&[manager], exit), pos);
        let direct = match &item.optional_vars {
            Some(target) if !is_async => match &target.kind {
                // On another line the target is bound by an instruction of its own, which has that line.
                ExprKind::Name { id, .. } if target.range.lineno == pos.line => self.fast_register(id),
                _ => None,
            },
            _ => None,
        };
        let mut val = self.out(window, direct);
        self.emit(Op::CALL_METHOD, [window, 0, val.reg], 0, pos);
        if is_async {
            val = self.await_val(window, val, 1, pos);
        }
        let (handler, label) = self.new_handler(window);
        self.push_guard(FrameKind::With { exit, is_async, pos }, handler, item.context_expr.range)?;
        match &item.optional_vars {
            Some(_) if direct.is_some() => {}
            Some(target) => self.store(target, val)?,
            None => self.discard(window, val, pos),
        }
        self.set_height(window);
        self.with_items(node, index + 1, is_async, range)?;
        self.pop_frame();
        self.exit_with(exit, is_async, pos);
        let end = self.new_label();
        self.begin_cold(label);
        self.with_handler(exit, window, is_async, pos, range)?;
        self.jump(end, pos);
        self.end_cold(end);
        self.set_height(exit);
        Ok(())
    }

    /// The exceptional path: `__exit__` decides; falls through when the exception is suppressed.
    fn with_handler(&mut self, exit: Reg, depth: Reg, is_async: bool, pos: Position, range: Range) -> Result<()> {
        let (cleanup, cleanup_label) = self.new_handler(depth + 2);
        self.push_guard(FrameKind::Guard, cleanup, range)?;
        self.emit(Op::PUSH_EXC_INFO, [depth, 0, 0], 0, pos);
        self.set_height(depth + 2);
        let result = self.reserve();
        self.emit(Op::WITH_EXCEPT_START, [result, exit, depth], 0, pos);
        let mut val = Val { reg: result, temp: true };
        if is_async {
            val = self.await_val(result, val, 2, pos);
        }
        let suppressed = self.new_label();
        self.emit_full(Op::JT, [val.reg, 0, 0], Self::kills(&[val], super::ir::NONE), 0, suppressed, pos);
        let refused = self.new_label();
        self.bind(refused);
        self.set_height(depth + 2);
        self.emit(Op::RERAISE, [depth, 0, 0], opcodes::AT_RAISE, pos);
        self.pop_frame();
        self.reraise_cleanup(cleanup_label, depth);
        self.bind(suppressed);
        self.set_height(depth + 2);
        self.emit(Op::POP_EXCEPT, [depth, 0, 0], 0, pos);
        self.clear(exit, pos);
        Ok(())
    }
}
