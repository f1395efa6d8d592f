//! Function definitions and lambdas. CPython counterpart: `compiler_function`, `compiler_lambda`, `compiler_make_closure`.

use std::sync::Arc;

use krait_bytecode::location::Position;
use krait_bytecode::{CodeObject, Const, Op};
use krait_syntax::SyntaxError;
use krait_syntax::ast::{Arg, Arguments, Constant, Expr, ExprKind, FunctionDef, Range, Stmt, StmtKind, Wtf8Box};

use super::calls::HEADER;
use super::ir::{NONE, Reg};
use super::unit::UnitKind;
use super::{Compiler, Val, at};
use crate::error::Result;
use crate::symtable::{BlockKind, BlockRole};

/// Attributes of a function, by `SET_FUNCTION_ATTRIBUTE` number, in temporaries.
#[derive(Clone, Copy, Default)]
pub(super) struct Attributes {
    pub(super) defaults: Option<Reg>,
    pub(super) kwdefaults: Option<Reg>,
    pub(super) annotations: Option<Reg>,
}

/// The docstring that a body begins with, cleaned of indentation as CPython 3.13 does.
pub(super) fn docstring(body: &[Stmt]) -> Option<&Wtf8Box> {
    let StmtKind::Expr { value } = &body.first()?.kind else { return None };
    match &value.kind {
        ExprKind::Constant { value: Constant::Str(text), .. } => Some(text),
        _ => None,
    }
}

/// CPython cleans docstrings as UTF-8.
pub(super) fn cleaned_docstring(text: &Wtf8Box) -> Result<Vec<u8>> {
    match text.to_str() {
        Some(text) => Ok(clean_docstring(text.as_bytes())),
        None => Err(SyntaxError::unencodable(text.clone())),
    }
}

/// Removes the common indentation of all lines but the first, and leading blanks of the first.
fn clean_docstring(text: &[u8]) -> Vec<u8> {
    let mut expanded = Vec::with_capacity(text.len());
    let mut column = 0;
    for &byte in text {
        match byte {
            b'\t' => {
                let width = 8 - column % 8;
                expanded.extend(std::iter::repeat_n(b' ', width));
                column += width;
            }
            _ => {
                expanded.push(byte);
                let starts_character = byte & 0xc0 != 0x80;
                column = if matches!(byte, b'\n' | b'\r') { 0 } else { column + starts_character as usize };
            }
        }
    }
    if !text.contains(&b'\t') {
        expanded.clear();
        expanded.extend_from_slice(text);
    }
    let blanks = |line: &[u8]| line.iter().take_while(|&&byte| byte == b' ').count();
    let lines: Vec<&[u8]> = expanded.split_inclusive(|&byte| byte == b'\n').collect();
    let is_blank = |line: &[u8]| matches!(line.get(blanks(line)), None | Some(b'\n'));
    let margin =
        lines.iter().skip(1).filter(|line| !is_blank(line)).map(|line| blanks(line)).min().unwrap_or(usize::MAX);
    let mut out = Vec::with_capacity(expanded.len());
    for (index, line) in lines.iter().enumerate() {
        let strip = if index == 0 { blanks(line) } else { margin.min(blanks(line)) };
        out.extend_from_slice(&line[strip..]);
    }
    out
}

impl<'a> Compiler<'a> {
    pub(super) fn function_def(&mut self, stmt: &'a Stmt, node: &'a FunctionDef, is_async: bool) -> Result<()> {
        let base = self.u.height;
        for decorator in &node.decorator_list {
            self.push(decorator)?;
            let height = self.u.height;
            self.set_height(height - 1 + HEADER);
        }
        let firstlineno = node.decorator_list.first().map_or(stmt.range.lineno, |decorator| decorator.range.lineno);
        self.forbid_debug_parameters(&node.args)?;
        let inner = self.u.height;
        let val = if node.type_params.is_empty() {
            let result = self.reserve();
            let attributes = self.evaluate_attributes(&node.args, true, Some(node))?;
            self.make_def(stmt, node, is_async, firstlineno, attributes, result)?;
            self.set_height(inner + 1);
            Val { reg: result, temp: true }
        } else {
            self.generic_function(stmt, node, is_async, firstlineno)?
        };
        let val = self.apply_decorators(base, val, &node.decorator_list);
        self.store_name(&node.name, val, stmt.range)?;
        self.set_height(base);
        Ok(())
    }

    /// Calls decorators, whose windows are nested in each other's arguments; innermost first.
    pub(super) fn apply_decorators(&mut self, base: Reg, mut val: Val, decorators: &[Expr]) -> Val {
        for (index, decorator) in decorators.iter().enumerate().rev() {
            let window = base + index as u32 * HEADER;
            self.push_val(window + HEADER, val, at(decorator.range));
            val = self.out(window, None);
            self.emit(Op::CALL, [window, 1, window], 0, at(decorator.range));
        }
        val
    }

    /// Defaults and annotations of a function that is about to be made, in CPython's order.
    pub(super) fn evaluate_attributes(
        &mut self,
        args: &'a Arguments,
        with_defaults: bool,
        node: Option<&'a FunctionDef>,
    ) -> Result<Attributes> {
        let mut attributes = Attributes::default();
        if with_defaults {
            attributes.defaults = self.positional_defaults(args)?;
            attributes.kwdefaults = self.keyword_defaults(args)?;
        }
        if let Some(node) = node {
            attributes.annotations = self.annotations(args, node.returns.as_deref())?;
        }
        Ok(attributes)
    }

    pub(super) fn positional_defaults(&mut self, args: &'a Arguments) -> Result<Option<Reg>> {
        if args.defaults.is_empty() {
            return Ok(None);
        }
        let base = self.u.height;
        let pos = at(args.defaults[0].range);
        let constants: Option<Vec<Const>> = args.defaults.iter().map(|default| self.folder.fold(default)).collect();
        match constants {
            Some(items) => {
                let index = self.u.late_const(Const::Tuple(items.into()));
                let reg = self.alloc();
                self.emit_full(Op::LOAD_CONST, [reg, 0, 0], 0, index, NONE, pos);
            }
            None => {
                args.defaults.iter().try_for_each(|default| self.push(default).map(drop))?;
                self.emit(Op::BUILD_TUPLE, [base, base, args.defaults.len() as u32], 0, pos);
            }
        }
        self.set_height(base + 1);
        Ok(Some(base))
    }

    pub(super) fn keyword_defaults(&mut self, args: &'a Arguments) -> Result<Option<Reg>> {
        let base = self.u.height;
        let mut count = 0;
        let mut pos = Position::NONE;
        for (arg, default) in args.kwonlyargs.iter().zip(&args.kw_defaults) {
            let Some(default) = default else { continue };
            pos = at(default.range);
            let name = self.mangled(&arg.arg);
            self.push_const(Const::str(&name), pos);
            self.push(default)?;
            count += 1;
        }
        if count == 0 {
            return Ok(None);
        }
        self.emit(Op::BUILD_MAP, [base, base, count], 0, pos);
        self.set_height(base + 1);
        Ok(Some(base))
    }

    /// The tuple of names and annotations in turn.
    fn annotations(&mut self, args: &'a Arguments, returns: Option<&'a Expr>) -> Result<Option<Reg>> {
        let base = self.u.height;
        let mut pos = Position::NONE;
        let starred = |arg: &'a Option<Box<Arg>>| arg.iter().map(|arg| &**arg);
        let all = args
            .posonlyargs
            .iter()
            .chain(&args.args)
            .chain(starred(&args.vararg))
            .chain(&args.kwonlyargs)
            .chain(starred(&args.kwarg));
        for arg in all {
            let Some(annotation) = arg.annotation.as_deref() else { continue };
            pos = at(annotation.range);
            let name = self.mangled(&arg.arg);
            self.push_const(Const::str(&name), pos);
            self.push_annotation(annotation)?;
        }
        if let Some(returns) = returns {
            pos = at(returns.range);
            self.push_const(Const::str("return"), pos);
            self.push_annotation(returns)?;
        }
        let count = self.u.height - base;
        if count == 0 {
            return Ok(None);
        }
        self.emit(Op::BUILD_TUPLE, [base, base, count], 0, pos);
        self.set_height(base + 1);
        Ok(Some(base))
    }

    fn push_annotation(&mut self, annotation: &'a Expr) -> Result<()> {
        let base = self.u.height;
        // `*args: *Ts` takes the one item of the unpacked value.
        if let ExprKind::Starred { value, .. } = &annotation.kind
            && self.future & krait_bytecode::code::flags::FUTURE_ANNOTATIONS == 0
        {
            let pos = at(annotation.range);
            let val = self.expr(value)?;
            let kill = Self::kills(&[val], base);
            self.emit(Op::UNPACK_SEQUENCE, [base, val.reg, 1], kill, pos);
            self.set_height(base + 1);
            return Ok(());
        }
        let val = self.annotation(annotation)?;
        self.push_val(base, val, at(annotation.range));
        Ok(())
    }

    /// Compiles the body and makes the function in `result`.
    pub(super) fn make_def(
        &mut self,
        stmt: &'a Stmt,
        node: &'a FunctionDef,
        is_async: bool,
        firstlineno: u32,
        attributes: Attributes,
        result: Reg,
    ) -> Result<()> {
        let kind = if is_async { UnitKind::AsyncFunction } else { UnitKind::Function };
        let block = self.table.find(stmt, BlockRole::Body);
        self.enter(kind, block, &node.name, firstlineno);
        self.set_arguments(&node.args);
        let doc = docstring(&node.body);
        let first = match doc {
            Some(text) if self.options.optimize < 2 => Const::Str(cleaned_docstring(text)?.into()),
            _ => Const::None,
        };
        self.u.const_id(first);
        self.guard_if_generator();
        // The docstring is a constant, not a statement.
        let skip = doc.is_some() as usize;
        self.stmts(&node.body[skip..])?;
        self.return_none(Position::NONE);
        self.end_guard_if_generator();
        let code = self.finish_unit()?;
        self.make_function(code, attributes, result, at(stmt.range));
        Ok(())
    }

    fn forbid_debug_parameters(&self, args: &Arguments) -> Result<()> {
        let starred = |arg: &'_ Option<Box<Arg>>| arg.as_deref().map(|arg| (arg.arg.clone(), arg.range));
        let plain = |args: &[Arg]| args.iter().map(|arg| (arg.arg.clone(), arg.range)).collect::<Vec<_>>();
        let mut all = plain(&args.posonlyargs);
        all.extend(plain(&args.args));
        all.extend(starred(&args.vararg));
        all.extend(plain(&args.kwonlyargs));
        all.extend(starred(&args.kwarg));
        all.iter().try_for_each(|(name, range)| self.forbid_debug(name, *range))
    }

    pub(super) fn set_arguments(&mut self, args: &Arguments) {
        self.u.argcount = (args.posonlyargs.len() + args.args.len()) as u32;
        self.u.posonlyargcount = args.posonlyargs.len() as u32;
        self.u.kwonlyargcount = args.kwonlyargs.len() as u32;
    }

    pub(super) fn guard_if_generator(&mut self) {
        if self.block().generator || self.block().coroutine {
            self.guard_generator();
        }
    }

    pub(super) fn end_guard_if_generator(&mut self) {
        if self.block().generator || self.block().coroutine {
            self.end_generator_guard();
        }
    }

    /// Makes a function in `result`, consuming the attributes.
    pub(super) fn make_function(&mut self, code: CodeObject, attributes: Attributes, result: Reg, pos: Position) {
        let closure = self.push_closure(&code.freevars, pos);
        let code = self.u.const_id(Const::Code(Arc::new(code)));
        self.emit_full(Op::MAKE_FUNCTION, [result, 0, 0], 0, code, NONE, pos);
        let parts = [(closure, 8), (attributes.annotations, 4), (attributes.kwdefaults, 2), (attributes.defaults, 1)];
        for (reg, number) in parts {
            if let Some(reg) = reg {
                let kill = Self::kills(&[Val { reg, temp: true }], result);
                self.emit(Op::SET_FUNCTION_ATTRIBUTE, [result, reg, number], kill, pos);
            }
        }
    }

    pub(super) fn lambda(&mut self, expr: &'a Expr, args: &'a Arguments, body: &'a Expr) -> Result<Val> {
        self.forbid_debug_parameters(args)?;
        let result = self.reserve();
        let attributes = self.evaluate_attributes(args, true, None)?;
        let block = self.table.find(expr, BlockRole::Body);
        self.enter(UnitKind::Lambda, block, &"<lambda>".into(), expr.range.lineno);
        self.set_arguments(args);
        // The first constant would be the docstring.
        self.u.const_id(Const::None);
        self.guard_if_generator();
        let val = self.expr(body)?;
        self.return_value(val, at(body.range));
        self.end_guard_if_generator();
        let code = self.finish_unit()?;
        self.make_function(code, attributes, result, at(expr.range));
        self.set_height(result + 1);
        Ok(Val { reg: result, temp: true })
    }

    /// `return R`, in a function or anything else.
    pub(super) fn return_value(&mut self, val: Val, pos: Position) {
        let kill = Self::kills(&[val], NONE);
        let height = self.u.height - val.temp as u32;
        self.emit(Op::RETURN_VALUE, [val.reg, height, 0], kill, pos);
    }

    pub(super) fn return_none(&mut self, pos: Position) {
        let height = self.u.height;
        self.emit(Op::RETURN_NONE, [0, height, 0], 0, pos);
    }

    /// A unit that only evaluates an expression: bound, default or value of type parameters and aliases.
    pub(super) fn expression_function(
        &mut self,
        block: crate::symtable::BlockId,
        name: &Arc<str>,
        value: &'a Expr,
        result: Reg,
        range: Range,
    ) -> Result<()> {
        debug_assert!(matches!(self.table.block(block).kind, BlockKind::TypeVariable | BlockKind::TypeAlias));
        self.enter(UnitKind::Annotation, block, name, range.lineno);
        let val = self.expr(value)?;
        self.return_value(val, at(range));
        let code = self.finish_unit()?;
        self.make_function(code, Attributes::default(), result, at(range));
        Ok(())
    }
}
