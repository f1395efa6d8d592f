//! Assignment: targets, unpacking, augmented and annotated assignment, deletion.
//!
//! CPython counterpart: `compiler_assign_unpack…`, `compiler_augassign`, `compiler_annassign`, `compiler_delete`.

use std::sync::Arc;

use krait_bytecode::code::flags as co;
use krait_bytecode::location::Position;
use krait_bytecode::{Const, Op, opcodes};
use krait_syntax::ast::{Expr, ExprKind, Identifier, Operator, Range};

use super::ir::{NONE, Reg};
use super::unit::UnitKind;
use super::{Compiler, Val, at};
use crate::error::{Result, error};

impl<'a> Compiler<'a> {
    pub(super) fn assign(&mut self, targets: &'a [Expr], value: &'a Expr) -> Result<()> {
        let base = self.u.height;
        if let [target] = targets {
            let known = self.u.varnames.len();
            if let ExprKind::Name { id, .. } = &target.kind
                && let Some(register) = self.fast_register(id)
            {
                self.expr_into(value, register)?;
                self.u.settle_target(register, known);
                return Ok(());
            }
            if self.assign_elements(target, value)? {
                return Ok(());
            }
        }
        let names = targets.iter().all(|target| matches!(target.kind, ExprKind::Name { .. }));
        let mut val = self.expr(value)?;
        if !val.temp && !names {
            // An earlier target may rebind the local that holds the value.
            let reg = self.push_val(base, val, at(value.range));
            val = Val { reg, temp: true };
        }
        for (index, target) in targets.iter().enumerate() {
            let last = index + 1 == targets.len();
            let shared = Val { temp: val.temp && last, ..val };
            self.store(target, shared)?;
        }
        self.set_height(base);
        Ok(())
    }

    /// `a, b = x, y` without building the tuple.
    fn assign_elements(&mut self, target: &'a Expr, value: &'a Expr) -> Result<bool> {
        let (
            ExprKind::Tuple { elts: targets, .. } | ExprKind::List { elts: targets, .. },
            ExprKind::Tuple { elts, .. },
        ) = (&target.kind, &value.kind)
        else {
            return Ok(false);
        };
        let starred = |expr: &Expr| matches!(expr.kind, ExprKind::Starred { .. });
        let constant = self.folder.fold(value).is_some();
        if targets.len() != elts.len()
            || !(2..=3).contains(&elts.len())
            || constant
            || elts.iter().chain(targets).any(starred)
        {
            return Ok(false);
        }
        let base = self.u.height;
        let mut values = Vec::with_capacity(elts.len());
        for elt in elts {
            let reg = self.push(elt)?;
            values.push(Val { reg, temp: true });
        }
        for (target, val) in targets.iter().zip(values) {
            self.store(target, val)?;
        }
        self.set_height(base);
        Ok(true)
    }

    /// Stores a value, which is consumed if it is a temporary; other operands are evaluated above it.
    pub(super) fn store(&mut self, target: &'a Expr, val: Val) -> Result<()> {
        self.limit.check()?;
        let base = self.u.height;
        let pos = at(target.range);
        match &target.kind {
            ExprKind::Name { id, .. } => self.store_name(id, val, target.range)?,
            ExprKind::Attribute { value, attr, .. } => {
                self.note_static_attribute(value, attr);
                self.forbid_debug(attr, target.range)?;
                let object = self.expr(value)?;
                self.store_attr(object, attr, val, Self::attribute_position(target, attr));
            }
            ExprKind::Subscript { value, slice, .. } => {
                self.check_subscripter(value);
                self.check_index(value, slice);
                let object = self.expr(value)?;
                if let Some((lower, upper)) = self.two_bounds(slice) {
                    let first = self.push_bounds(lower, upper, at(slice.range))?;
                    let kill = Self::kills(&[object, val], NONE);
                    self.emit(Op::STORE_SLICE, [object.reg, first, val.reg], kill, pos);
                } else {
                    let index = self.expr(slice)?;
                    let kill = Self::kills(&[object, index, val], NONE);
                    self.emit(Op::STORE_SUBSCR, [object.reg, index.reg, val.reg], kill, pos);
                }
            }
            ExprKind::Tuple { elts, .. } | ExprKind::List { elts, .. } => self.unpack(elts, val, target.range)?,
            ExprKind::Starred { .. } => {
                return Err(error(target.range, "starred assignment target must be in a list or tuple"));
            }
            _ => return Err(error(target.range, "cannot assign to expression")),
        }
        self.set_height(base);
        Ok(())
    }

    pub(super) fn store_attr(&mut self, object: Val, attr: &Identifier, val: Val, pos: Position) {
        let attr = self.mangled(attr);
        let index = self.u.name_id(&attr);
        if index > u16::MAX as u32 {
            let name = self.push_const(Const::str(&attr), pos);
            let kill = Self::kills(&[object, val, Val { reg: name, temp: true }], NONE);
            self.emit(Op::STORE_ATTR_DYN, [object.reg, val.reg, name], kill, pos);
            return;
        }
        self.emit(Op::STORE_ATTR, [object.reg, val.reg, index], Self::kills(&[object, val], NONE), pos);
    }

    /// `self.x = …` in a method makes `x` one of its class's `__static_attributes__`.
    fn note_static_attribute(&mut self, value: &Expr, attr: &Identifier) {
        let ExprKind::Name { id, .. } = &value.kind else { return };
        if &**id != "self" || !matches!(self.u.kind, UnitKind::Function | UnitKind::AsyncFunction | UnitKind::Lambda) {
            return;
        }
        if let Some(class) = self.outer.iter_mut().rev().find(|unit| unit.kind == UnitKind::Class)
            && !class.static_attributes.contains(attr)
        {
            class.static_attributes.push(Arc::clone(attr));
        }
    }

    fn unpack(&mut self, targets: &'a [Expr], val: Val, range: Range) -> Result<()> {
        let pos = at(range);
        let stars: Vec<usize> =
            (0..targets.len()).filter(|&index| matches!(targets[index].kind, ExprKind::Starred { .. })).collect();
        if stars.len() > 1 {
            return Err(error(range, "multiple starred expressions in assignment"));
        }
        let star = stars.first().copied();
        if star.is_some_and(|star| star >= 1 << 8 || targets.len() - star > 1 << 23) {
            return Err(error(range, "too many expressions in star-unpacking assignment"));
        }
        if targets.len() > u16::MAX as usize / 2 {
            return Err(error(range, "too many expressions in unpacking assignment"));
        }
        let first = self.u.height;
        self.set_height(first + targets.len() as u32);
        let kill = Self::kills(&[val], NONE);
        match star {
            Some(star) => {
                let after = (targets.len() - star - 1) as u32;
                self.emit_full(Op::UNPACK_EX, [first, val.reg, star as u32], kill, after, NONE, pos);
            }
            None => {
                self.emit(Op::UNPACK_SEQUENCE, [first, val.reg, targets.len() as u32], kill, pos);
            }
        }
        for (index, target) in targets.iter().enumerate() {
            let target = match &target.kind {
                ExprKind::Starred { value, .. } => value,
                _ => target,
            };
            self.store(target, Val { reg: first + index as u32, temp: true })?;
        }
        Ok(())
    }

    pub(super) fn aug_assign(&mut self, target: &'a Expr, op: Operator, value: &'a Expr, range: Range) -> Result<()> {
        let base = self.u.height;
        let (pos, inplace) = (at(range), opcodes::INPLACE);
        match &target.kind {
            ExprKind::Name { id, .. } => {
                let target_pos = at(target.range);
                let left = self.load_name(id, None, target_pos);
                let wanted = self.fast_register(id);
                let result = self.binary_with(base, left, op, value, wanted, inplace, pos)?;
                if wanted != Some(result.reg) {
                    self.store_name(id, result, target.range)?;
                }
            }
            ExprKind::Attribute { value: object, attr, .. } => {
                self.forbid_debug(attr, target.range)?;
                self.note_static_attribute(object, attr);
                let pos_attr = Self::attribute_position(target, attr);
                let object = self.expr(object)?;
                let borrowed = Val { temp: false, ..object };
                let height = self.u.height;
                let left = self.load_attr(height, borrowed, attr, None, pos_attr);
                let result = self.binary_with(height, left, op, value, None, inplace, pos)?;
                self.store_attr(object, attr, result, pos_attr);
            }
            ExprKind::Subscript { value: object, slice, .. } => {
                self.check_subscripter(object);
                self.check_index(object, slice);
                self.aug_subscript(target, object, slice, op, value, pos)?;
            }
            _ => return Err(error(target.range, "illegal expression for augmented assignment")),
        }
        self.set_height(base);
        Ok(())
    }

    fn aug_subscript(
        &mut self,
        target: &'a Expr,
        object: &'a Expr,
        slice: &'a Expr,
        op: Operator,
        value: &'a Expr,
        pos: Position,
    ) -> Result<()> {
        let target_pos = at(target.range);
        let object = self.expr(object)?;
        let shared = Val { temp: false, ..object };
        if let Some((lower, upper)) = self.two_bounds(slice) {
            let first = self.push_bounds(lower, upper, at(slice.range))?;
            // Reading the slice consumes a copy of the bounds.
            let height = self.u.height;
            for offset in 0..2 {
                let copy = self.alloc();
                self.emit(Op::MOVE, [copy, first + offset, 0], 0, target_pos);
            }
            self.set_height(height + 1);
            self.emit(Op::BINARY_SLICE, [height, shared.reg, height], 0, target_pos);
            let left = Val { reg: height, temp: true };
            let result = self.binary_with(height, left, op, value, None, opcodes::INPLACE, pos)?;
            let kill = Self::kills(&[object, result], NONE);
            self.emit(Op::STORE_SLICE, [object.reg, first, result.reg], kill, target_pos);
            return Ok(());
        }
        let index = self.expr(slice)?;
        let height = self.u.height;
        let left = self.alloc();
        self.emit(Op::BINARY_SUBSCR, [left, object.reg, index.reg], 0, target_pos);
        let left = Val { reg: left, temp: true };
        let result = self.binary_with(height, left, op, value, None, opcodes::INPLACE, pos)?;
        let kill = Self::kills(&[object, index, result], NONE);
        self.emit(Op::STORE_SUBSCR, [object.reg, index.reg, result.reg], kill, target_pos);
        Ok(())
    }

    pub(super) fn ann_assign(
        &mut self,
        target: &'a Expr,
        annotation: &'a Expr,
        value: Option<&'a Expr>,
        simple: bool,
        range: Range,
    ) -> Result<()> {
        if let Some(value) = value {
            self.assign(std::slice::from_ref(target), value)?;
        }
        let base = self.u.height;
        let evaluates = matches!(self.u.kind, UnitKind::Module | UnitKind::Class);
        match &target.kind {
            ExprKind::Name { id, .. } => {
                self.forbid_debug(id, range)?;
                if simple && evaluates {
                    let pos = at(range);
                    let val = self.annotation(annotation)?;
                    let namespace = self.load_name(&"__annotations__".into(), None, pos);
                    let name = self.mangled(id);
                    let key = self.push_const(Const::str(&name), pos);
                    let kill = Self::kills(&[namespace, Val { reg: key, temp: true }, val], NONE);
                    self.emit(Op::STORE_SUBSCR, [namespace.reg, key, val.reg], kill, pos);
                }
            }
            ExprKind::Attribute { value: object, attr, .. } => {
                self.forbid_debug(attr, range)?;
                if value.is_none() {
                    self.evaluate_and_drop(object)?;
                }
            }
            ExprKind::Subscript { value: object, slice, .. } => {
                if value.is_none() {
                    self.evaluate_and_drop(object)?;
                    self.evaluate_subscript(slice)?;
                }
            }
            _ => return Err(error(target.range, "invalid node type for annotated assignment")),
        }
        self.set_height(base);
        let future = self.future & co::FUTURE_ANNOTATIONS != 0;
        if !simple && evaluates && !future {
            self.evaluate_and_drop(annotation)?;
        }
        Ok(())
    }

    fn evaluate_and_drop(&mut self, expr: &'a Expr) -> Result<()> {
        let base = self.u.height;
        let val = self.expr(expr)?;
        self.discard(base, val, at(expr.range));
        Ok(())
    }

    fn evaluate_subscript(&mut self, slice: &'a Expr) -> Result<()> {
        match &slice.kind {
            ExprKind::Slice { lower, upper, step } => {
                [lower, upper, step].into_iter().flatten().try_for_each(|bound| self.evaluate_and_drop(bound))
            }
            ExprKind::Tuple { elts, .. } => elts.iter().try_for_each(|elt| self.evaluate_subscript(elt)),
            _ => self.evaluate_and_drop(slice),
        }
    }

    /// An annotation's value: a string under the future import.
    pub(super) fn annotation(&mut self, annotation: &'a Expr) -> Result<Val> {
        let pos = at(annotation.range);
        if self.future & co::FUTURE_ANNOTATIONS != 0 {
            let text = crate::unparse_annotation(annotation);
            let reg = self.push_const(Const::str(&text), pos);
            return Ok(Val { reg, temp: true });
        }
        self.expr(annotation)
    }

    pub(super) fn delete(&mut self, target: &'a Expr) -> Result<()> {
        let base = self.u.height;
        let pos = at(target.range);
        match &target.kind {
            ExprKind::Name { id, .. } => self.delete_name(id, target.range)?,
            ExprKind::Attribute { value, attr, .. } => {
                if &**attr == "__debug__" {
                    return Err(error(target.range, "cannot delete __debug__"));
                }
                let object = self.expr(value)?;
                let attr_name = self.mangled(attr);
                let index = self.u.name_id(&attr_name);
                let kill = Self::kills(&[object], NONE);
                self.emit(Op::DELETE_ATTR, [object.reg, index, 0], kill, Self::attribute_position(target, attr));
            }
            ExprKind::Subscript { value, slice, .. } => {
                self.check_subscripter(value);
                let object = self.expr(value)?;
                let index = self.expr(slice)?;
                self.emit(Op::DELETE_SUBSCR, [object.reg, index.reg, 0], Self::kills(&[object, index], NONE), pos);
            }
            ExprKind::Tuple { elts, .. } | ExprKind::List { elts, .. } => {
                elts.iter().try_for_each(|elt| self.delete(elt))?;
            }
            _ => return Err(error(target.range, "cannot delete expression")),
        }
        self.set_height(base);
        Ok(())
    }

    /// Register for a fresh temporary holding nothing yet.
    pub(super) fn reserve(&mut self) -> Reg {
        self.alloc()
    }
}
