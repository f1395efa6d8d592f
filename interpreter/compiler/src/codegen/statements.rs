//! Statements: dispatch by kind, `if`, expression statements. CPython counterpart: `compiler_visit_stmt`.

use krait_bytecode::Op;
use krait_bytecode::location::Position;
use krait_bytecode::opcodes::Intrinsic1;
use krait_syntax::ast::{Expr, ExprKind, Stmt, StmtKind};

use super::unit::UnitKind;
use super::{Compiler, at};
use crate::error::Result;
use crate::fold;

impl<'a> Compiler<'a> {
    pub(super) fn stmts(&mut self, body: &'a [Stmt]) -> Result<()> {
        body.iter().try_for_each(|stmt| self.stmt(stmt))
    }

    fn stmt(&mut self, stmt: &'a Stmt) -> Result<()> {
        self.limit.check()?;
        let base = self.u.height;
        // The parts of a simple statement are evaluated together; a compound one's parts by themselves.
        match &stmt.kind {
            StmtKind::Assign { targets, value, .. } => {
                self.enter_roots(targets.iter().chain([&**value]));
                self.assign(targets, value)?;
                self.leave_roots();
            }
            StmtKind::AugAssign { target, op, value } => {
                self.enter_roots([&**target, &**value]);
                self.aug_assign(target, *op, value, stmt.range)?;
                self.leave_roots();
            }
            StmtKind::AnnAssign { target, annotation, value, simple } => {
                let all = [Some(&**target), Some(&**annotation), value.as_deref()];
                self.enter_roots(all.into_iter().flatten());
                self.ann_assign(target, annotation, value.as_deref(), *simple, stmt.range)?;
                self.leave_roots();
            }
            StmtKind::Delete { targets } => {
                self.enter_roots(targets);
                targets.iter().try_for_each(|target| self.delete(target))?;
                self.leave_roots();
            }
            StmtKind::Raise { exc, cause } => {
                self.enter_roots([exc, cause].into_iter().flatten().map(|expr| &**expr));
                self.raise(exc.as_deref(), cause.as_deref(), stmt.range)?;
                self.leave_roots();
            }
            _ => self.other_stmt(stmt)?,
        }
        self.set_height(base);
        Ok(())
    }

    fn other_stmt(&mut self, stmt: &'a Stmt) -> Result<()> {
        let range = stmt.range;
        match &stmt.kind {
            StmtKind::FunctionDef(node) => self.function_def(stmt, node, false),
            StmtKind::AsyncFunctionDef(node) => self.function_def(stmt, node, true),
            StmtKind::ClassDef(node) => self.class_def(stmt, node),
            StmtKind::TypeAlias { name, type_params, value } => self.type_alias(stmt, name, type_params, value),
            StmtKind::Return { value } => self.return_stmt(value.as_deref(), range),
            StmtKind::For(node) => self.for_stmt(node, range),
            StmtKind::AsyncFor(node) => self.async_for(node, range),
            StmtKind::While { test, body, orelse } => self.while_stmt(test, body, orelse, range),
            StmtKind::If { test, body, orelse } => self.if_stmt(test, body, orelse),
            StmtKind::With(node) => self.with_stmt(node, false, range),
            StmtKind::AsyncWith(node) => self.with_stmt(node, true, range),
            StmtKind::Match { subject, cases } => self.match_stmt(subject, cases),
            StmtKind::Try(node) => self.try_stmt(node, range, false),
            StmtKind::TryStar(node) => self.try_stmt(node, range, true),
            StmtKind::Assert { test, msg } => self.assert(test, msg.as_deref(), range),
            StmtKind::Import { names } => self.import(names, range),
            StmtKind::ImportFrom { module, names, level } => self.import_from(module.as_ref(), names, *level, range),
            StmtKind::Expr { value } => self.expr_stmt(stmt, value),
            StmtKind::Break => self.break_stmt(range),
            StmtKind::Continue => self.continue_stmt(range),
            StmtKind::Pass => {
                self.mark_line(stmt);
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn expr_stmt(&mut self, stmt: &'a Stmt, value: &'a Expr) -> Result<()> {
        let base = self.u.height;
        let pos = at(stmt.range);
        if self.options.interactive && self.u.kind == UnitKind::Module {
            let reg = self.push(value)?;
            self.emit(Op::CALL_INTRINSIC_1, [reg, reg, Intrinsic1::Print as u32], 0, pos);
            self.clear(reg, pos);
            return Ok(());
        }
        if matches!(value.kind, ExprKind::Constant { .. }) || self.is_elided(value) {
            self.mark_line(stmt);
            return Ok(());
        }
        let val = self.expr(value)?;
        // A bracket before the value is no line of its own.
        self.discard(base, val, at(value.range));
        Ok(())
    }

    fn if_stmt(&mut self, test: &'a Expr, body: &'a [Stmt], orelse: &'a [Stmt]) -> Result<()> {
        self.limit.check()?;
        let end = self.new_label();
        let otherwise = if orelse.is_empty() { end } else { self.new_label() };
        if let Some(value) = self.folder.fold(test) {
            // The branch that is never taken is still compiled, for its errors.
            self.emit(Op::NOP, [0, 0, 0], 0, at(test.range));
            if !fold::truth(&value) {
                self.jump(otherwise, Position::NONE);
            }
        } else {
            self.jump_if(test, false, otherwise)?;
        }
        self.stmts(body)?;
        if !orelse.is_empty() {
            self.jump(end, Position::NONE);
            self.bind(otherwise);
            self.stmts(orelse)?;
        }
        self.bind(end);
        Ok(())
    }

    /// Whether a body contains an annotated assignment, nested classes and functions apart.
    pub(super) fn has_annotations(&self, body: &[Stmt]) -> bool {
        body.iter().any(|stmt| match &stmt.kind {
            StmtKind::AnnAssign { .. } => true,
            StmtKind::For(node) | StmtKind::AsyncFor(node) => {
                self.has_annotations(&node.body) || self.has_annotations(&node.orelse)
            }
            StmtKind::While { body, orelse, .. } | StmtKind::If { body, orelse, .. } => {
                self.has_annotations(body) || self.has_annotations(orelse)
            }
            StmtKind::With(node) | StmtKind::AsyncWith(node) => self.has_annotations(&node.body),
            StmtKind::Match { cases, .. } => cases.iter().any(|case| self.has_annotations(&case.body)),
            StmtKind::Try(node) | StmtKind::TryStar(node) => {
                self.has_annotations(&node.body)
                    || node.handlers.iter().any(|handler| self.has_annotations(&handler.body))
                    || self.has_annotations(&node.orelse)
                    || self.has_annotations(&node.finalbody)
            }
            _ => false,
        })
    }
}
