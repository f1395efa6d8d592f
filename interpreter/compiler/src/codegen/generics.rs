//! Type parameters (PEP 695, 696) and `type` statements.
//!
//! CPython counterpart: `compiler_type_params`, `compiler_typealias`.

use std::sync::Arc;

use krait_bytecode::opcodes::{Intrinsic1, Intrinsic2};
use krait_bytecode::{Const, Op};
use krait_syntax::ast::{ClassDef, Expr, ExprKind, FunctionDef, Identifier, Range, Stmt, TypeParam, TypeParamKind};

use super::calls::HEADER;
use super::functions::Attributes;
use super::ir::Reg;
use super::unit::UnitKind;
use super::{Compiler, Val, at};
use crate::error::{Result, error};
use crate::symtable::BlockRole;

impl<'a> Compiler<'a> {
    /// Makes the type parameters and binds them; their tuple is pushed.
    fn type_params(&mut self, params: &'a [TypeParam]) -> Result<Reg> {
        let base = self.u.height;
        let mut seen_default = false;
        for param in params {
            let reg = self.reserve();
            let pos = at(param.range);
            let (name, default) = match &param.kind {
                TypeParamKind::TypeVar { name, bound, default_value } => {
                    match bound {
                        Some(bound) => self.bounded_type_var(param, name, bound, reg)?,
                        None => self.type_param_object(name, Intrinsic1::TypeVar, reg, param.range),
                    }
                    (name, default_value)
                }
                TypeParamKind::ParamSpec { name, default_value } => {
                    self.type_param_object(name, Intrinsic1::ParamSpec, reg, param.range);
                    (name, default_value)
                }
                TypeParamKind::TypeVarTuple { name, default_value } => {
                    self.type_param_object(name, Intrinsic1::TypeVarTuple, reg, param.range);
                    (name, default_value)
                }
            };
            match default {
                Some(default) => {
                    seen_default = true;
                    let block = self.table.find(param, BlockRole::Default);
                    let function = self.reserve();
                    self.type_param_value(block, name, default, function)?;
                    self.emit(Op::CALL_INTRINSIC_2, [reg, reg, Intrinsic2::SetTypeParamDefault as u32], 0, pos);
                }
                None if seen_default => {
                    let msg = format!("non-default type parameter '{name}' follows default type parameter");
                    return Err(error(param.range, msg));
                }
                None => {}
            }
            self.set_height(reg + 1);
            self.store_name(name, Val { reg, temp: false }, param.range)?;
        }
        self.emit(Op::BUILD_TUPLE, [base, base, params.len() as u32], 0, at(params[0].range));
        self.set_height(base + 1);
        Ok(base)
    }

    fn type_param_object(&mut self, name: &Identifier, intrinsic: Intrinsic1, reg: Reg, range: Range) {
        self.load_const(reg, Const::str(name), at(range));
        self.emit(Op::CALL_INTRINSIC_1, [reg, reg, intrinsic as u32], 0, at(range));
    }

    fn bounded_type_var(&mut self, param: &'a TypeParam, name: &Identifier, bound: &'a Expr, reg: Reg) -> Result<()> {
        let pos = at(param.range);
        self.load_const(reg, Const::str(name), pos);
        let function = self.reserve();
        let block = self.table.find(param, BlockRole::Bound);
        self.type_param_value(block, name, bound, function)?;
        let intrinsic = match bound.kind {
            ExprKind::Tuple { .. } => Intrinsic2::TypeVarWithConstraints,
            _ => Intrinsic2::TypeVarWithBound,
        };
        self.emit(Op::CALL_INTRINSIC_2, [reg, reg, intrinsic as u32], 0, pos);
        self.set_height(reg + 1);
        Ok(())
    }

    fn type_param_value(
        &mut self,
        block: crate::symtable::BlockId,
        name: &Identifier,
        value: &'a Expr,
        result: Reg,
    ) -> Result<()> {
        if let ExprKind::Starred { value: inner, .. } = &value.kind {
            // The default of a TypeVarTuple, `*X`, is a tuple of one unpacked value.
            self.enter(UnitKind::Annotation, block, name, value.range.lineno);
            let pos = at(value.range);
            let base = self.u.height;
            let val = self.expr(inner)?;
            let kill = Self::kills(&[val], base);
            self.emit(Op::UNPACK_SEQUENCE, [base, val.reg, 1], kill, pos);
            self.set_height(base + 1);
            self.return_value(Val { reg: base, temp: true }, pos);
            let code = self.finish_unit()?;
            self.make_function(code, Attributes::default(), result, pos);
            return Ok(());
        }
        self.expression_function(block, name, value, result, value.range)
    }

    fn enter_type_params(&mut self, stmt: &'a Stmt, name: &Identifier, firstlineno: u32) {
        let block = self.table.find(stmt, BlockRole::TypeParameters);
        let scope_name: Identifier = format!("<generic parameters of {name}>").into();
        self.enter(UnitKind::Annotation, block, &scope_name, firstlineno);
    }

    /// Ends the scope of type parameters and calls it with what stands in the window's arguments.
    fn call_type_params(&mut self, window: Reg, argcount: u32, range: Range) -> Result<Val> {
        self.u.argcount = argcount;
        let code = self.finish_unit()?;
        let pos = at(range);
        self.set_height(window + HEADER + argcount);
        self.make_function(code, Attributes::default(), window, pos);
        let out = self.out(window, None);
        self.emit(Op::CALL, [window, argcount, out.reg], 0, pos);
        Ok(out)
    }

    pub(super) fn generic_function(
        &mut self,
        stmt: &'a Stmt,
        node: &'a FunctionDef,
        is_async: bool,
        firstlineno: u32,
    ) -> Result<Val> {
        // Defaults are evaluated outside and become the arguments of the scope's call.
        let window = self.reserve();
        self.set_height(window + HEADER);
        let has_defaults = self.positional_defaults(&node.args)?.is_some();
        let has_kwdefaults = self.keyword_defaults(&node.args)?.is_some();
        self.enter_type_params(stmt, &node.name, firstlineno);
        let params = self.type_params(&node.type_params)?;
        let function = self.reserve();
        let mut attributes = Attributes::default();
        let mut argcount = 0;
        for (present, slot) in [(has_defaults, &mut attributes.defaults), (has_kwdefaults, &mut attributes.kwdefaults)]
        {
            if present {
                let reg = self.reserve();
                self.emit(Op::MOVE, [reg, argcount, 0], 0, at(stmt.range));
                *slot = Some(reg);
                argcount += 1;
            }
        }
        attributes.annotations = self.evaluate_attributes(&node.args, false, Some(node))?.annotations;
        self.make_def(stmt, node, is_async, firstlineno, attributes, function)?;
        let pos = at(stmt.range);
        // The intrinsic takes (function, parameters).
        let first = self.reserve();
        let second = self.reserve();
        self.move_to(first, Val { reg: function, temp: true }, pos);
        self.move_to(second, Val { reg: params, temp: true }, pos);
        self.emit(Op::CALL_INTRINSIC_2, [first, first, Intrinsic2::SetFunctionTypeParams as u32], 0, pos);
        self.set_height(first + 1);
        self.return_value(Val { reg: first, temp: true }, pos);
        self.call_type_params(window, argcount, stmt.range)
    }

    pub(super) fn generic_class(&mut self, stmt: &'a Stmt, node: &'a ClassDef, firstlineno: u32) -> Result<Val> {
        let window = self.reserve();
        self.enter_type_params(stmt, &node.name, firstlineno);
        self.u.private = Some(Arc::clone(&node.name));
        let range = stmt.range;
        let pos = at(range);
        let params = self.type_params(&node.type_params)?;
        self.store_name(&".type_params".into(), Val { reg: params, temp: true }, range)?;
        self.set_height(params);
        let class = self.reserve();
        self.set_height(class + HEADER);
        self.make_class_arguments(stmt, node, class, firstlineno)?;
        let val = self.load_name(&".type_params".into(), None, pos);
        let base = self.u.height - val.temp as u32;
        let generic = self.out(base, None);
        let kill = Self::kills(&[val], generic.reg);
        let intrinsic = Intrinsic1::SubscriptGeneric as u32;
        self.emit(Op::CALL_INTRINSIC_1, [generic.reg, val.reg, intrinsic], kill, pos);
        self.store_name(&".generic_base".into(), generic, range)?;
        self.set_height(base);
        let out = self.class_call_with_generic_base(class, node, pos)?;
        self.return_value(out, pos);
        self.call_type_params(window, 0, range)
    }

    pub(super) fn type_alias(
        &mut self,
        stmt: &'a Stmt,
        name: &'a Expr,
        params: &'a [TypeParam],
        value: &'a Expr,
    ) -> Result<()> {
        let ExprKind::Name { id, .. } = &name.kind else {
            return Err(error(name.range, "type alias name must be a name"));
        };
        let base = self.u.height;
        let pos = at(stmt.range);
        let generic = !params.is_empty();
        let window = self.u.height;
        if generic {
            self.reserve();
            self.enter_type_params(stmt, id, stmt.range.lineno);
        }
        let first = self.push_const(Const::str(id), at(name.range));
        if generic {
            self.type_params(params)?;
        } else {
            self.push_const(Const::None, pos);
        }
        let function = self.reserve();
        let block = self.table.find(stmt, BlockRole::Body);
        self.expression_function(block, id, value, function, stmt.range)?;
        self.emit(Op::BUILD_TUPLE, [first, first, 3], 0, pos);
        self.emit(Op::CALL_INTRINSIC_1, [first, first, Intrinsic1::TypeAlias as u32], 0, pos);
        self.set_height(first + 1);
        let mut val = Val { reg: first, temp: true };
        if generic {
            self.return_value(val, pos);
            val = self.call_type_params(window, 0, stmt.range)?;
        }
        self.store_name(id, val, name.range)?;
        self.set_height(base);
        Ok(())
    }
}
