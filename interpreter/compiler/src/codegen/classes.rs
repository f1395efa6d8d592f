//! Class definitions. CPython counterpart: `compiler_class`, `compiler_class_body`.

use std::sync::Arc;

use krait_bytecode::location::Position;
use krait_bytecode::{Const, Op};
use krait_syntax::ast::{ClassDef, Expr, ExprContext, ExprKind, Identifier, Range, Stmt};

use super::calls::HEADER;
use super::functions::{Attributes, cleaned_docstring, docstring};
use super::ir::Reg;
use super::unit::UnitKind;
use super::{Compiler, Val, at};
use crate::error::Result;
use crate::symtable::BlockRole;

impl<'a> Compiler<'a> {
    pub(super) fn class_def(&mut self, stmt: &'a Stmt, node: &'a ClassDef) -> Result<()> {
        let base = self.u.height;
        self.check_keywords(&node.keywords)?;
        for decorator in &node.decorator_list {
            self.push(decorator)?;
            let height = self.u.height;
            self.set_height(height - 1 + HEADER);
        }
        let firstlineno = node.decorator_list.first().map_or(stmt.range.lineno, |decorator| decorator.range.lineno);
        let val = if node.type_params.is_empty() {
            let class = self.reserve();
            self.set_height(class + HEADER);
            self.make_class_arguments(stmt, node, class, firstlineno)?;
            self.arguments(class, 2, &node.bases, &node.keywords, None, at(stmt.range))?
        } else {
            self.generic_class(stmt, node, firstlineno)?
        };
        let val = self.apply_decorators(base, val, &node.decorator_list);
        self.store_name(&node.name, val, stmt.range)?;
        self.set_height(base);
        Ok(())
    }

    /// `__build_class__`, the body's function and the name, in the window at `class`.
    pub(super) fn make_class_arguments(
        &mut self,
        stmt: &'a Stmt,
        node: &'a ClassDef,
        class: Reg,
        firstlineno: u32,
    ) -> Result<()> {
        let pos = at(stmt.range);
        let function = self.reserve();
        let code = self.class_body(stmt, node, firstlineno)?;
        self.emit(Op::LOAD_BUILD_CLASS, [class, 0, 0], 0, pos);
        self.make_function(code, Attributes::default(), function, pos);
        self.set_height(function + 1);
        self.push_const(Const::str(&node.name), pos);
        Ok(())
    }

    fn class_body(
        &mut self,
        stmt: &'a Stmt,
        node: &'a ClassDef,
        firstlineno: u32,
    ) -> Result<krait_bytecode::CodeObject> {
        let block = self.table.find(stmt, BlockRole::Body);
        self.enter(UnitKind::Class, block, &node.name, firstlineno);
        self.u.private = Some(Arc::clone(&node.name));
        let pos = Position::line_only(firstlineno);
        let pos = Position { col: 0, end_col: 0, ..pos };
        let range = stmt.range;
        let module = self.load_name(&"__name__".into(), None, pos);
        self.store_implicit("__module__", module, range, pos)?;
        let qualname = Arc::clone(&self.u.qualname);
        self.store_constant("__qualname__", Const::str(&qualname), range, pos)?;
        self.store_constant("__firstlineno__", Const::Int(firstlineno as i64), range, pos)?;
        if !node.type_params.is_empty() {
            let val = self.load_name(&".type_params".into(), None, pos);
            self.store_implicit("__type_params__", val, range, pos)?;
        }
        if self.block().needs_classdict {
            let reg = self.reserve();
            self.emit(Op::LOAD_LOCALS, [reg, 0, 0], 0, pos);
            let cell = self.u.cell(&"__classdict__".into());
            self.emit(Op::STORE_DEREF, [cell, reg, 0], Self::kills(&[Val { reg, temp: true }], cell), pos);
            self.set_height(reg);
        }
        self.body_with_docstring(&node.body)?;
        let end = Position::NONE;
        let mut attributes = std::mem::take(&mut self.u.static_attributes);
        attributes.sort_unstable();
        let attributes = attributes.iter().map(|name| Const::str(name)).collect();
        self.store_constant("__static_attributes__", Const::Tuple(attributes), range, end)?;
        if self.block().needs_classdict {
            let cell = self.u.cell(&"__classdict__".into());
            self.store_plain("__classdictcell__", Val { reg: cell, temp: false }, end);
        }
        if self.block().needs_class_closure {
            let cell = self.u.cell(&"__class__".into());
            let val = Val { reg: cell, temp: false };
            self.store_plain("__classcell__", val, end);
            self.return_value(val, end);
        } else {
            self.return_none(end);
        }
        self.finish_unit()
    }

    fn store_constant(&mut self, name: &str, value: Const, range: Range, pos: Position) -> Result<()> {
        let reg = self.push_const(value, pos);
        self.store_implicit(name, Val { reg, temp: true }, range, pos)
    }

    /// Stores a name that the class body sets by itself, where the body's declarations say.
    fn store_implicit(&mut self, name: &str, val: Val, range: Range, pos: Position) -> Result<()> {
        let height = self.u.height;
        self.store_name_at(&name.into(), val, range, pos)?;
        self.set_height(if val.temp { height - 1 } else { height });
        Ok(())
    }

    /// Stores a name for `type.__new__`, in the namespace whatever is declared.
    fn store_plain(&mut self, name: &str, val: Val, pos: Position) {
        let index = self.u.name_id(&name.into());
        let kill = Self::kills(&[val], super::ir::NONE);
        self.emit(Op::STORE_NAME, [val.reg, index, 0], kill, pos);
        let height = self.u.height;
        self.set_height(if val.temp { height - 1 } else { height });
    }

    /// The body of a module or class: annotations, docstring, statements.
    pub(super) fn body_with_docstring(&mut self, body: &'a [Stmt]) -> Result<()> {
        if self.has_annotations(body) {
            let pos = body.first().map_or(Position::NONE, |stmt| at(stmt.range));
            self.emit(Op::SETUP_ANNOTATIONS, [0, 0, 0], 0, pos);
        }
        let mut rest = body;
        if let Some(text) = docstring(body) {
            rest = &body[1..];
            if self.options.optimize < 2 {
                let pos = at(body[0].range);
                let reg = self.push_const(Const::Str(cleaned_docstring(text)?.into()), pos);
                self.store_name_at(&"__doc__".into(), Val { reg, temp: true }, body[0].range, pos)?;
                self.set_height(reg);
            }
        }
        self.stmts(rest)
    }

    pub(super) fn module_body(&mut self, body: &'a [Stmt]) -> Result<()> {
        self.body_with_docstring(body)
    }

    /// The call of `__build_class__` within the scope of type parameters: `.generic_base` is the last base.
    pub(super) fn class_call_with_generic_base(
        &mut self,
        class: Reg,
        node: &'a ClassDef,
        pos: Position,
    ) -> Result<Val> {
        let starred = node.bases.iter().any(|base| matches!(base.kind, ExprKind::Starred { .. }));
        let double_starred = node.keywords.iter().any(|keyword| keyword.arg.is_none());
        let name: Identifier = ".generic_base".into();
        let height = self.u.height;
        if !starred && !double_starred && node.bases.len() + 2 * node.keywords.len() <= 100 {
            for base in &node.bases {
                self.push(base)?;
            }
            let given = 2 + node.bases.len() as u32 + 1;
            let base = self.u.height;
            let generic = self.load_name(&name, None, pos);
            self.push_val(base, generic, pos);
            return self.arguments(class, given, &[], &node.keywords, None, pos);
        }
        // With unpacking, everything goes through one list.
        let first = height - 2;
        self.emit(Op::BUILD_LIST, [first, first, 2], 0, pos);
        self.set_height(first + 1);
        for base in &node.bases {
            self.append_base(first, base, pos)?;
        }
        let generic = self.load_name(&name, None, pos);
        self.emit(Op::LIST_APPEND, [first, generic.reg, 0], Self::kills(&[generic], first), pos);
        self.set_height(first + 1);
        self.emit(Op::LIST_TO_TUPLE, [first, first, 0], 0, pos);
        self.call_with_tuple(class, &node.keywords, pos)
    }

    fn append_base(&mut self, list: Reg, base: &'a Expr, pos: Position) -> Result<()> {
        let (op, val) = match &base.kind {
            ExprKind::Starred { value, ctx: ExprContext::Load } => (Op::LIST_EXTEND, self.expr(value)?),
            _ => (Op::LIST_APPEND, self.expr(base)?),
        };
        self.emit(op, [list, val.reg, 0], Self::kills(&[val], list), pos);
        self.set_height(list + 1);
        Ok(())
    }
}
