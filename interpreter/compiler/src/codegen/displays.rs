//! Tuple, list, set and dict displays, and f-strings. CPython counterpart: `compiler_tuple` … `compiler_joined_str`.

use krait_bytecode::location::Position;
use krait_bytecode::{Const, Op};
use krait_syntax::ast::{Constant, Expr, ExprKind};

use super::ir::Reg;
use super::{Compiler, Val, at};
use crate::error::Result;
use crate::fold;

/// Longer displays are built piece by piece, so that frames stay small (CPython's `STACK_USE_GUIDELINE`).
const MAX_RUN: usize = 30;

/// What a display is appended to.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Builder {
    List,
    Set,
}

fn starred(expr: &Expr) -> Option<&Expr> {
    match &expr.kind {
        ExprKind::Starred { value, .. } => Some(value),
        _ => None,
    }
}

impl<'a> Compiler<'a> {
    /// Pushes all; gives the first register.
    fn push_all(&mut self, elts: &'a [Expr]) -> Result<Reg> {
        let base = self.u.height;
        elts.iter().try_for_each(|elt| self.push(elt).map(drop))?;
        Ok(base)
    }

    fn is_plain_run(elts: &[Expr]) -> bool {
        elts.len() <= MAX_RUN && !elts.iter().any(|elt| starred(elt).is_some())
    }

    pub(super) fn tuple_display(&mut self, elts: &'a [Expr], wanted: Option<Reg>, pos: Position) -> Result<Val> {
        let base = self.u.height;
        if Self::is_plain_run(elts) {
            self.push_all(elts)?;
            let out = self.out(base, wanted);
            self.emit(Op::BUILD_TUPLE, [out.reg, base, elts.len() as u32], 0, pos);
            return Ok(out);
        }
        self.build_from(Builder::List, elts, pos)?;
        let out = self.out(base, wanted);
        let list = Val { reg: base, temp: true };
        self.emit(Op::LIST_TO_TUPLE, [out.reg, base, 0], Self::kills(&[list], out.reg), pos);
        Ok(out)
    }

    pub(super) fn list_display(&mut self, elts: &'a [Expr], wanted: Option<Reg>, pos: Position) -> Result<Val> {
        let base = self.u.height;
        let constants = if elts.len() >= 3 { self.all_constant(elts) } else { None };
        if let Some(items) = constants {
            return Ok(self.build_constants(Builder::List, Const::Tuple(items.into()), pos));
        }
        if Self::is_plain_run(elts) {
            self.push_all(elts)?;
            let out = self.out(base, wanted);
            self.emit(Op::BUILD_LIST, [out.reg, base, elts.len() as u32], 0, pos);
            return Ok(out);
        }
        self.build_from(Builder::List, elts, pos)
    }

    pub(super) fn set_display(&mut self, elts: &'a [Expr], wanted: Option<Reg>, pos: Position) -> Result<Val> {
        let base = self.u.height;
        let constants = if elts.len() >= 3 { self.all_constant(elts) } else { None };
        if let Some(set) = constants.and_then(fold::frozenset) {
            return Ok(self.build_constants(Builder::Set, set, pos));
        }
        if Self::is_plain_run(elts) {
            self.push_all(elts)?;
            let out = self.out(base, wanted);
            self.emit(Op::BUILD_SET, [out.reg, base, elts.len() as u32], 0, pos);
            return Ok(out);
        }
        self.build_from(Builder::Set, elts, pos)
    }

    fn all_constant(&self, elts: &[Expr]) -> Option<Vec<Const>> {
        elts.iter().map(|elt| self.folder.fold(elt)).collect()
    }

    fn build_constants(&mut self, builder: Builder, constants: Const, pos: Position) -> Val {
        let (build, extend) = Self::builder_ops(builder);
        let reg = self.alloc();
        self.emit(build, [reg, reg, 0], 0, pos);
        let items = self.push_const(constants, pos);
        let kill = Self::kills(&[Val { reg: items, temp: true }], reg);
        self.emit(extend, [reg, items, 0], kill, pos);
        self.set_height(reg + 1);
        Val { reg, temp: true }
    }

    fn builder_ops(builder: Builder) -> (Op, Op) {
        match builder {
            Builder::List => (Op::BUILD_LIST, Op::LIST_EXTEND),
            Builder::Set => (Op::BUILD_SET, Op::SET_UPDATE),
        }
    }

    /// With `*` or long: what comes before the first `*` at once, then one by one.
    fn build_from(&mut self, builder: Builder, elts: &'a [Expr], pos: Position) -> Result<Val> {
        let reg = self.u.height;
        let (build, extend) = Self::builder_ops(builder);
        let head = elts.iter().position(|elt| starred(elt).is_some()).unwrap_or(elts.len());
        let head = if head > MAX_RUN { 0 } else { head };
        self.push_all(&elts[..head])?;
        self.set_height(reg + 1);
        self.emit(build, [reg, reg, head as u32], 0, pos);
        let append = if builder == Builder::List { Op::LIST_APPEND } else { Op::SET_ADD };
        for elt in &elts[head..] {
            let (op, val) = match starred(elt) {
                Some(value) => (extend, self.expr(value)?),
                None => (append, self.expr(elt)?),
            };
            self.emit(op, [reg, val.reg, 0], Self::kills(&[val], reg), pos);
            self.set_height(reg + 1);
        }
        Ok(Val { reg, temp: true })
    }

    /// Builds a list of positional arguments with `*`.
    pub(super) fn list_of(&mut self, elts: &'a [Expr], pos: Position) -> Result<Val> {
        self.build_from(Builder::List, elts, pos)
    }

    pub(super) fn dict_display(
        &mut self,
        keys: &'a [Option<Expr>],
        values: &'a [Expr],
        wanted: Option<Reg>,
        pos: Position,
    ) -> Result<Val> {
        let base = self.u.height;
        let run = keys.iter().position(Option::is_none).unwrap_or(keys.len());
        let run = if 2 * run > MAX_RUN { 0 } else { run };
        for (key, value) in keys.iter().zip(values).take(run) {
            self.push(key.as_ref().expect("the run ends before the first **"))?;
            self.push(value)?;
        }
        if run == keys.len() {
            let out = self.out(base, wanted);
            self.emit(Op::BUILD_MAP, [out.reg, base, run as u32], 0, pos);
            return Ok(out);
        }
        self.set_height(base + 1);
        self.emit(Op::BUILD_MAP, [base, base, run as u32], 0, pos);
        for (key, value) in keys.iter().zip(values).skip(run) {
            match key {
                Some(key) => {
                    let (key, value) = (self.expr(key)?, self.expr(value)?);
                    let kill = Self::kills(&[key, value], base);
                    self.emit(Op::MAP_ADD, [base, key.reg, value.reg], kill, pos);
                }
                None => {
                    let value = self.expr(value)?;
                    self.emit(Op::DICT_UPDATE, [base, value.reg, 0], Self::kills(&[value], base), pos);
                }
            }
            self.set_height(base + 1);
        }
        Ok(Val { reg: base, temp: true })
    }

    pub(super) fn joined_str(&mut self, values: &'a [Expr], wanted: Option<Reg>, pos: Position) -> Result<Val> {
        let base = self.u.height;
        match values {
            [] => {
                let out = self.out(base, wanted);
                self.load_const(out.reg, Const::str(""), pos);
                Ok(out)
            }
            [value] => match &value.kind {
                ExprKind::FormattedValue { .. } | ExprKind::Constant { value: Constant::Str(_), .. } => {
                    self.expr_to(value, wanted)
                }
                _ => {
                    let val = self.expr(value)?;
                    let out = self.out(base, wanted);
                    self.emit(Op::FORMAT_SIMPLE, [out.reg, val.reg, 0], Self::kills(&[val], out.reg), pos);
                    Ok(out)
                }
            },
            values if values.len() <= MAX_RUN => {
                self.push_all(values)?;
                let out = self.out(base, wanted);
                self.emit(Op::BUILD_STRING, [out.reg, base, values.len() as u32], 0, pos);
                Ok(out)
            }
            values => {
                // Runs are joined, then the joined runs.
                for run in values.chunks(MAX_RUN) {
                    let first = self.push_all(run)?;
                    self.emit(Op::BUILD_STRING, [first, first, run.len() as u32], 0, pos);
                    self.set_height(first + 1);
                }
                let count = self.u.height - base;
                let out = self.out(base, wanted);
                self.emit(Op::BUILD_STRING, [out.reg, base, count], 0, pos);
                Ok(out)
            }
        }
    }

    pub(super) fn formatted_value(
        &mut self,
        value: &'a Expr,
        conversion: i32,
        spec: Option<&'a Expr>,
        wanted: Option<Reg>,
        pos: Position,
    ) -> Result<Val> {
        let base = self.u.height;
        let mut val = self.expr(value)?;
        let convert = match conversion {
            115 => 1,
            114 => 2,
            97 => 3,
            _ => 0,
        };
        if convert != 0 {
            let out = self.out(base, None);
            self.emit(Op::CONVERT_VALUE, [out.reg, val.reg, convert], Self::kills(&[val], out.reg), pos);
            val = out;
        }
        let Some(spec) = spec else {
            let out = self.out(base, wanted);
            self.emit(Op::FORMAT_SIMPLE, [out.reg, val.reg, 0], Self::kills(&[val], out.reg), pos);
            return Ok(out);
        };
        let spec = self.expr(spec)?;
        let out = self.out(base, wanted);
        let kill = Self::kills(&[val, spec], out.reg);
        self.emit(Op::FORMAT_WITH_SPEC, [out.reg, val.reg, spec.reg], kill, pos);
        Ok(out)
    }

    /// The iterable of a loop: a list display becomes a tuple, of constants a constant.
    pub(super) fn iterable(&mut self, expr: &'a Expr) -> Result<Val> {
        let pos = at(expr.range);
        if let Some(value) = self.folder.fold_iterable(expr) {
            let reg = self.push_const(value, pos);
            return Ok(Val { reg, temp: true });
        }
        match &expr.kind {
            ExprKind::List { elts, .. } => self.tuple_display(elts, None, pos),
            _ => self.expr(expr),
        }
    }
}
