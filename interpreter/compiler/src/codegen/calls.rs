//! Calls: windows, methods, `super()`, keywords, `*` and `**`. CPython counterpart: `compiler_call`, `maybe_optimize_method_call`.

use std::sync::Arc;

use krait_bytecode::location::Position;
use krait_bytecode::opcodes::{FRAME_HEADER, METHOD, ZERO_ARG};
use krait_bytecode::{Const, Op};
use krait_syntax::ast::{Expr, ExprContext, ExprKind, Identifier, Keyword};

use super::ir::{NONE, Reg};
use super::unit::{Place, UnitKind};
use super::{Compiler, Val, at};
use crate::error::{Result, error};
use crate::symtable::NameScope;

/// Words of a window before the arguments.
pub(super) const HEADER: u32 = FRAME_HEADER as u32;

/// More arguments than this go through a list, keywords counted twice (CPython's `STACK_USE_GUIDELINE`).
const MAX_DIRECT: usize = 30;

fn is_starred(expr: &Expr) -> bool {
    matches!(expr.kind, ExprKind::Starred { .. })
}

impl<'a> Compiler<'a> {
    pub(super) fn call(
        &mut self,
        expr: &'a Expr,
        func: &'a Expr,
        args: &'a [Expr],
        keywords: &'a [Keyword],
        wanted: Option<Reg>,
    ) -> Result<Val> {
        self.check_keywords(keywords)?;
        self.check_caller(func);
        let base = self.u.height;
        let pos = at(expr.range);
        let simple = !args.iter().any(is_starred)
            && keywords.iter().all(|keyword| keyword.arg.is_some())
            && args.len() + 2 * keywords.len() <= MAX_DIRECT;
        if simple && let ExprKind::Attribute { value, attr, ctx: ExprContext::Load } = &func.kind {
            return self.method_call(expr, func, value, attr, args, keywords, wanted);
        }
        self.push(func)?;
        self.set_height(base + HEADER);
        self.arguments(base, 0, args, keywords, wanted, pos)
    }

    pub(super) fn check_keywords(&self, keywords: &[Keyword]) -> Result<()> {
        for (index, keyword) in keywords.iter().enumerate() {
            let Some(name) = &keyword.arg else { continue };
            self.forbid_debug(name, keyword.range)?;
            if let Some(again) = keywords[index + 1..].iter().find(|other| other.arg.as_ref() == Some(name)) {
                return Err(error(again.range, format!("keyword argument repeated: {name}")));
            }
        }
        Ok(())
    }

    fn method_call(
        &mut self,
        expr: &'a Expr,
        func: &'a Expr,
        value: &'a Expr,
        attr: &Identifier,
        args: &'a [Expr],
        keywords: &'a [Keyword],
        wanted: Option<Reg>,
    ) -> Result<Val> {
        let base = self.u.height;
        let attr_pos = Self::attribute_position(func, attr);
        if !self.push_super(func, value, attr, true)? {
            let object = self.expr(value)?;
            let mangled = self.mangled(attr);
            let index = self.u.name_id(&mangled);
            if index > u16::MAX as u32 {
                let val = self.load_attr(base, object, attr, None, attr_pos);
                debug_assert_eq!(val.reg, base);
            } else {
                let kill = Self::kills(&[object], base);
                self.emit(Op::LOAD_METHOD, [base, object.reg, index], kill, attr_pos);
            }
        }
        self.set_height(base + HEADER + 1);
        self.u.max_height = self.u.max_height.max(base + HEADER + 1);
        let mut pos = at(expr.range);
        if pos.line != func.range.end_lineno {
            // Of a call over several lines, the part from the method's name on.
            let length = attr.chars().count() as i32;
            let end = func.range.end_col_offset as i32;
            pos.line = func.range.end_lineno;
            pos.end_line = pos.end_line.max(pos.line);
            if length <= end {
                pos.col = end - length;
            } else {
                (pos.col, pos.end_col) = (-1, -1);
            }
        }
        let count = self.direct_arguments(args, keywords)?;
        Ok(self.emit_call(base, Op::CALL_METHOD, count, keywords, wanted, pos))
    }

    fn direct_arguments(&mut self, args: &'a [Expr], keywords: &'a [Keyword]) -> Result<u32> {
        for arg in args {
            self.push(arg)?;
        }
        for keyword in keywords {
            self.push(&keyword.value)?;
        }
        Ok((args.len() + keywords.len()) as u32)
    }

    /// The call proper; `op` is `CALL` or `CALL_METHOD`.
    fn emit_call(
        &mut self,
        base: Reg,
        op: Op,
        count: u32,
        keywords: &[Keyword],
        wanted: Option<Reg>,
        pos: Position,
    ) -> Val {
        let out = self.out(base, wanted);
        let names: Arc<[Const]> =
            keywords.iter().filter_map(|keyword| keyword.arg.as_ref()).map(|name| Const::str(name)).collect();
        if names.is_empty() {
            self.emit(op, [base, count, out.reg], 0, pos);
        } else {
            let op = if op == Op::CALL { Op::CALL_KW } else { Op::CALL_METHOD_KW };
            let names = self.u.const_id(Const::Tuple(names));
            self.emit_full(op, [base, count, out.reg], 0, names, NONE, pos);
        }
        out
    }

    /// Arguments and the call, with the callable at `base` and `given` arguments already in the window.
    pub(super) fn arguments(
        &mut self,
        base: Reg,
        given: u32,
        args: &'a [Expr],
        keywords: &'a [Keyword],
        wanted: Option<Reg>,
        pos: Position,
    ) -> Result<Val> {
        let simple = !args.iter().any(is_starred)
            && keywords.iter().all(|keyword| keyword.arg.is_some())
            && args.len() + 2 * keywords.len() <= MAX_DIRECT;
        if simple {
            let count = given + self.direct_arguments(args, keywords)?;
            return Ok(self.emit_call(base, Op::CALL, count, keywords, wanted, pos));
        }
        let first = base + HEADER;
        match args {
            [only] if given == 0 && is_starred(only) => {
                let ExprKind::Starred { value, .. } = &only.kind else { unreachable!("checked by is_starred") };
                self.push(value)?;
            }
            _ => {
                // What is given already stands at the front of the list.
                if given > 0 {
                    self.emit(Op::BUILD_LIST, [first, first, given], 0, pos);
                    self.set_height(first + 1);
                    for arg in args {
                        self.append_argument(first, arg, pos)?;
                    }
                } else {
                    self.list_of(args, pos)?;
                }
                self.emit(Op::LIST_TO_TUPLE, [first, first, 0], 0, pos);
            }
        }
        self.set_height(first + 1);
        self.call_ex(base, keywords, wanted, pos)
    }

    /// The call with the tuple of arguments in its place.
    pub(super) fn call_with_tuple(&mut self, base: Reg, keywords: &'a [Keyword], pos: Position) -> Result<Val> {
        self.call_ex(base, keywords, None, pos)
    }

    fn call_ex(&mut self, base: Reg, keywords: &'a [Keyword], wanted: Option<Reg>, pos: Position) -> Result<Val> {
        let has_keywords = !keywords.is_empty();
        if has_keywords {
            self.keyword_dict(base, keywords, pos)?;
        }
        let out = self.out(base, wanted);
        self.emit(Op::CALL_FUNCTION_EX, [base, has_keywords as u32, out.reg], 0, pos);
        Ok(out)
    }

    fn append_argument(&mut self, list: Reg, arg: &'a Expr, pos: Position) -> Result<()> {
        let height = self.u.height;
        let (op, val) = match &arg.kind {
            ExprKind::Starred { value, .. } => (Op::LIST_EXTEND, self.expr(value)?),
            _ => (Op::LIST_APPEND, self.expr(arg)?),
        };
        self.emit(op, [list, val.reg, 0], Self::kills(&[val], list), pos);
        self.set_height(height);
        Ok(())
    }

    /// A dict of keywords that all have names, in the next register.
    fn named_dict(&mut self, keywords: &'a [Keyword], pos: Position) -> Result<()> {
        let dict = self.u.height;
        let at_once = if 2 * keywords.len() > MAX_DIRECT { 0 } else { keywords.len() };
        if at_once < keywords.len() {
            self.emit(Op::BUILD_MAP, [dict, dict, 0], 0, pos);
            self.set_height(dict + 1);
        }
        for keyword in keywords {
            let name = keyword.arg.as_ref().expect("the run ends before the first **");
            let name = self.push_const(Const::str(name), at(keyword.range));
            if at_once > 0 {
                self.push(&keyword.value)?;
                continue;
            }
            let value = self.expr(&keyword.value)?;
            let kill = Self::kills(&[Val { reg: name, temp: true }, value], dict);
            self.emit(Op::MAP_ADD, [dict, name, value.reg], kill, pos);
            self.set_height(dict + 1);
        }
        if at_once == keywords.len() {
            self.emit(Op::BUILD_MAP, [dict, dict, at_once as u32], 0, pos);
            self.set_height(dict + 1);
        }
        Ok(())
    }

    /// One dict of all keywords, merged in order. A sole `**mapping` is copied too, so that the callee owns it.
    fn keyword_dict(&mut self, callable: Reg, keywords: &'a [Keyword], pos: Position) -> Result<()> {
        let dict = self.u.height;
        let head = keywords.iter().position(|keyword| keyword.arg.is_none()).unwrap_or(keywords.len());
        self.named_dict(&keywords[..head], pos)?;
        let mut rest = &keywords[head..];
        while let Some((first, more)) = rest.split_first() {
            let merged = if first.arg.is_none() {
                rest = more;
                self.expr(&first.value)?
            } else {
                let run = rest.iter().position(|keyword| keyword.arg.is_none()).unwrap_or(rest.len());
                let (named, after) = rest.split_at(run);
                rest = after;
                self.named_dict(named, pos)?;
                Val { reg: dict + 1, temp: true }
            };
            self.emit(Op::DICT_MERGE, [dict, merged.reg, callable], Self::kills(&[merged], dict), pos);
            self.set_height(dict + 1);
        }
        Ok(())
    }

    // ---- super

    /// Whether `value.attr` is an attribute of `super()` that can skip making the object.
    fn is_direct_super(&mut self, value: &'a Expr) -> Option<&'a [Expr]> {
        let ExprKind::Call { func, args, keywords } = &value.kind else { return None };
        let ExprKind::Name { id, ctx: ExprContext::Load } = &func.kind else { return None };
        let function = matches!(self.u.kind, UnitKind::Function | UnitKind::AsyncFunction | UnitKind::Lambda);
        if &**id != "super" || !function || !keywords.is_empty() || self.u.inlined > 0 {
            return None;
        }
        let module = self.table.block(self.table.top()).symbols.get("super");
        if module.is_some_and(|symbol| symbol.flags & crate::symtable::def::BOUND != 0) {
            return None;
        }
        if self.block().scope_of("super") != NameScope::GlobalImplicit {
            return None;
        }
        match &args[..] {
            [] => {
                let free = self.block().scope_of("__class__") == NameScope::Free;
                (self.u.argcount > 0 && free && !self.block().varnames.is_empty()).then_some(&args[..])
            }
            [_, _] if !args.iter().any(is_starred) => Some(&args[..]),
            _ => None,
        }
    }

    /// Loads an attribute of `super()` into the current height, in method form if asked; false if it is none.
    fn push_super(&mut self, expr: &'a Expr, value: &'a Expr, attr: &Identifier, method: bool) -> Result<bool> {
        let Some(args) = self.is_direct_super(value) else { return Ok(false) };
        let ExprKind::Call { func, .. } = &value.kind else { return Ok(false) };
        let attr_name = self.mangled(attr);
        let index = self.u.name_id(&attr_name);
        if index > u16::MAX as u32 {
            return Ok(false);
        }
        let base = self.u.height;
        let pos = at(value.range);
        // The three values lie above the window that is filled from them.
        let first = base + HEADER + 1;
        self.set_height(first);
        self.push(func)?;
        let mut flags = if method { METHOD } else { 0 };
        if args.is_empty() {
            flags |= ZERO_ARG;
            let class = self.load_name(&"__class__".into(), None, pos);
            self.push_val(first + 1, class, pos);
            let name = Arc::clone(&self.block().varnames[0]);
            let this = match self.resolve(&name) {
                Place::Fast(register) => {
                    self.emit(Op::CHECK_BOUND, [register, 0, 0], 0, pos);
                    Val { reg: register, temp: false }
                }
                _ => self.load_name(&name, None, pos),
            };
            self.push_val(first + 2, this, pos);
        } else {
            for arg in args {
                self.push(arg)?;
            }
        }
        self.emit(Op::LOAD_SUPER_ATTR, [base, first, index], flags, at(expr.range));
        // The line of the attribute, which the call of `super` does not have.
        self.emit(Op::NOP, [0, 0, 0], 0, Self::attribute_position(expr, attr));
        self.set_height(base + 1);
        Ok(true)
    }

    pub(super) fn super_attribute(
        &mut self,
        expr: &'a Expr,
        value: &'a Expr,
        attr: &Identifier,
        _wanted: Option<Reg>,
    ) -> Result<Option<Val>> {
        let base = self.u.height;
        Ok(self.push_super(expr, value, attr, false)?.then_some(Val { reg: base, temp: true }))
    }
}
