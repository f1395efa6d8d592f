//! The optimised tree that `compile(…, PyCF_OPTIMIZED_AST)` shows: constant expressions become `Constant` nodes.
//!
//! Code generation folds by itself and does not need this. CPython counterpart: `Python/ast_opt.c`.

use krait_bytecode::Const;
use krait_syntax::ast::{
    Arguments, CmpOperator, Comprehension, Constant, Expr, ExprContext, ExprKind, Keyword, MatchCase, Mod, Operator,
    Pattern, PatternKind, Range, Stmt, StmtKind, TypeParam, TypeParamKind, UnaryOperator, Wtf8Box, Wtf8Buf,
};

use crate::fold::Folder;

/// Deeper expressions stay as they are.
const MAX_DEPTH: u32 = 400;

/// Folds constants all over a tree. `optimize` is the `-O` level.
pub fn optimize(tree: &mut Mod, optimize: u8) {
    let mut o = Optimizer { folder: Folder { debug: optimize == 0 }, depth: 0 };
    match tree {
        Mod::Module { body, .. } | Mod::Interactive { body } => o.stmts(body),
        Mod::Expression { body } => o.expr(body),
        Mod::FunctionType { .. } => {}
    }
}

struct Optimizer {
    folder: Folder,
    depth: u32,
}

fn text(bytes: &[u8]) -> Wtf8Box {
    let mut out = Wtf8Buf::new();
    match std::str::from_utf8(bytes) {
        Ok(text) => out.push_str(text),
        // Surrogates: the few code points that UTF-8 refuses.
        Err(_) => {
            let mut rest = bytes;
            while let [first, ..] = rest {
                let n = if *first < 0x80 {
                    1
                } else if *first < 0xe0 {
                    2
                } else if *first < 0xf0 {
                    3
                } else {
                    4
                };
                let (one, after) = rest.split_at(n.min(rest.len()));
                let lead = u32::from(*first) & (0x7f >> if n == 1 { 0 } else { n });
                out.push_code_point(one[1..].iter().fold(lead, |c, b| c << 6 | u32::from(b & 0x3f)));
                rest = after;
            }
        }
    }
    out.finish()
}
fn constant(value: &Const) -> Option<Constant> {
    Some(match value {
        Const::None => Constant::None,
        Const::Bool(b) => Constant::Bool(*b),
        Const::Ellipsis => Constant::Ellipsis,
        Const::Int(i) => Constant::Int(*i),
        Const::BigInt(i) => Constant::BigInt(Box::new(i.clone())),
        Const::Float(f) => Constant::Float(*f),
        Const::Complex(real, imag) => Constant::Complex { real: *real, imag: *imag },
        Const::Str(s) => Constant::Str(text(s)),
        Const::Bytes(b) => Constant::Bytes((**b).into()),
        Const::Tuple(items) => Constant::Tuple(items.iter().map(constant).collect::<Option<_>>()?),
        Const::FrozenSet(items) => Constant::FrozenSet(items.iter().map(constant).collect::<Option<_>>()?),
        Const::Code(_) | Const::Stored(_) => return None,
    })
}

impl Optimizer {
    fn replace(&self, e: &mut Expr, value: Option<Const>) {
        if let Some(value) = value.as_ref().and_then(constant) {
            e.kind = ExprKind::Constant { value, kind: None };
        }
    }
    fn expr(&mut self, e: &mut Expr) {
        if self.depth > MAX_DEPTH {
            return;
        }
        self.depth += 1;
        self.children(e);
        self.depth -= 1;
        match &mut e.kind {
            ExprKind::Name { ctx: ExprContext::Load, .. }
            | ExprKind::Tuple { ctx: ExprContext::Load, .. }
            | ExprKind::Subscript { ctx: ExprContext::Load, .. } => {
                let value = self.folder.fold(e);
                self.replace(e, value);
            }
            ExprKind::UnaryOp { op, operand } => {
                if *op == UnaryOperator::Not
                    && let ExprKind::Compare { ops, .. } = &mut operand.kind
                    && let [only] = &mut ops[..]
                    && let Some(inverse) = inverse(*only)
                {
                    *only = inverse;
                    e.kind = operand.take_kind();
                    return;
                }
                let value = self.folder.fold(e);
                self.replace(e, value);
            }
            ExprKind::BinOp { .. } => {
                let value = self.folder.fold(e);
                match value {
                    Some(_) => self.replace(e, value),
                    None => format_to_joined(e),
                }
            }
            ExprKind::Compare { ops, comparators, .. } => {
                if let (Some(CmpOperator::In | CmpOperator::NotIn), Some(last)) = (ops.last(), comparators.last_mut()) {
                    self.iterable(last);
                }
            }
            _ => {}
        }
    }
    /// A list or set display that is only iterated.
    fn iterable(&mut self, e: &mut Expr) {
        let value = self.folder.fold_iterable(e);
        if value.is_some() {
            self.replace(e, value);
        } else if let ExprKind::List { elts, .. } = &mut e.kind
            && !elts.iter().any(|elt| matches!(elt.kind, ExprKind::Starred { .. }))
        {
            let elts = std::mem::take(elts);
            e.kind = ExprKind::Tuple { elts, ctx: ExprContext::Load };
        }
    }
    fn exprs<'e>(&mut self, all: impl IntoIterator<Item = &'e mut Expr>) {
        all.into_iter().for_each(|e| self.expr(e));
    }
    fn opt(&mut self, e: &mut Option<Box<Expr>>) {
        if let Some(e) = e {
            self.expr(e);
        }
    }
    fn keywords(&mut self, all: &mut [Keyword]) {
        all.iter_mut().for_each(|k| self.expr(&mut k.value));
    }
    fn comprehensions(&mut self, all: &mut [Comprehension]) {
        for c in all {
            self.expr(&mut c.target);
            self.expr(&mut c.iter);
            self.exprs(&mut c.ifs);
            self.iterable(&mut c.iter);
        }
    }
    fn arguments(&mut self, a: &mut Arguments) {
        let named = a.posonlyargs.iter_mut().chain(&mut a.args).chain(a.vararg.as_deref_mut());
        for arg in named.chain(&mut a.kwonlyargs).chain(a.kwarg.as_deref_mut()) {
            self.opt(&mut arg.annotation);
        }
        self.exprs(&mut a.defaults);
        self.exprs(a.kw_defaults.iter_mut().flatten());
    }
    fn children(&mut self, e: &mut Expr) {
        match &mut e.kind {
            ExprKind::BoolOp { values, .. } | ExprKind::JoinedStr { values } => self.exprs(values),
            ExprKind::NamedExpr { value, .. }
            | ExprKind::Await { value }
            | ExprKind::YieldFrom { value }
            | ExprKind::Attribute { value, .. }
            | ExprKind::Starred { value, .. } => self.expr(value),
            ExprKind::BinOp { left, right, .. } => self.exprs([&mut **left, &mut **right]),
            ExprKind::UnaryOp { operand, .. } => self.expr(operand),
            ExprKind::Lambda { args, body } => {
                self.arguments(args);
                self.expr(body);
            }
            ExprKind::IfExp { test, body, orelse } => self.exprs([&mut **test, &mut **body, &mut **orelse]),
            ExprKind::Dict { keys, values } => {
                self.exprs(keys.iter_mut().flatten());
                self.exprs(values);
            }
            ExprKind::Set { elts } | ExprKind::List { elts, .. } | ExprKind::Tuple { elts, .. } => self.exprs(elts),
            ExprKind::ListComp { elt, generators }
            | ExprKind::SetComp { elt, generators }
            | ExprKind::GeneratorExp { elt, generators } => {
                self.expr(elt);
                self.comprehensions(generators);
            }
            ExprKind::DictComp { key, value, generators } => {
                self.exprs([&mut **key, &mut **value]);
                self.comprehensions(generators);
            }
            ExprKind::Yield { value } => self.opt(value),
            ExprKind::Compare { left, comparators, .. } => {
                self.expr(left);
                self.exprs(comparators);
            }
            ExprKind::Call { func, args, keywords } => {
                self.expr(func);
                self.exprs(args);
                self.keywords(keywords);
            }
            ExprKind::FormattedValue { value, format_spec, .. } => {
                self.expr(value);
                self.opt(format_spec);
            }
            ExprKind::Subscript { value, slice, .. } => self.exprs([&mut **value, &mut **slice]),
            ExprKind::Slice { lower, upper, step } => {
                self.opt(lower);
                self.opt(upper);
                self.opt(step);
            }
            ExprKind::Constant { .. } | ExprKind::Name { .. } => {}
        }
    }
    fn type_params(&mut self, all: &mut [TypeParam]) {
        for p in all {
            match &mut p.kind {
                TypeParamKind::TypeVar { bound, default_value, .. } => {
                    self.opt(bound);
                    self.opt(default_value);
                }
                TypeParamKind::ParamSpec { default_value, .. } | TypeParamKind::TypeVarTuple { default_value, .. } => {
                    self.opt(default_value);
                }
            }
        }
    }
    fn stmts(&mut self, all: &mut [Stmt]) {
        all.iter_mut().for_each(|s| self.stmt(s));
    }
    fn stmt(&mut self, s: &mut Stmt) {
        match &mut s.kind {
            StmtKind::FunctionDef(f) | StmtKind::AsyncFunctionDef(f) => {
                self.type_params(&mut f.type_params);
                self.arguments(&mut f.args);
                self.stmts(&mut f.body);
                self.exprs(&mut f.decorator_list);
                self.opt(&mut f.returns);
            }
            StmtKind::ClassDef(c) => {
                self.type_params(&mut c.type_params);
                self.exprs(&mut c.bases);
                self.keywords(&mut c.keywords);
                self.stmts(&mut c.body);
                self.exprs(&mut c.decorator_list);
            }
            StmtKind::Return { value } => self.opt(value),
            StmtKind::Delete { targets } => self.exprs(targets),
            StmtKind::Assign { targets, value, .. } => {
                self.exprs(targets);
                self.expr(value);
            }
            StmtKind::TypeAlias { name, type_params, value } => {
                self.expr(name);
                self.type_params(type_params);
                self.expr(value);
            }
            StmtKind::AugAssign { target, value, .. } => self.exprs([&mut **target, &mut **value]),
            StmtKind::AnnAssign { target, annotation, value, .. } => {
                self.exprs([&mut **target, &mut **annotation]);
                self.opt(value);
            }
            StmtKind::For(f) | StmtKind::AsyncFor(f) => {
                self.exprs([&mut f.target, &mut f.iter]);
                self.stmts(&mut f.body);
                self.stmts(&mut f.orelse);
                self.iterable(&mut f.iter);
            }
            StmtKind::While { test, body, orelse } | StmtKind::If { test, body, orelse } => {
                self.expr(test);
                self.stmts(body);
                self.stmts(orelse);
            }
            StmtKind::With(w) | StmtKind::AsyncWith(w) => {
                for item in &mut w.items {
                    self.expr(&mut item.context_expr);
                    self.opt(&mut item.optional_vars);
                }
                self.stmts(&mut w.body);
            }
            StmtKind::Match { subject, cases } => {
                self.expr(subject);
                cases.iter_mut().for_each(|c| self.match_case(c));
            }
            StmtKind::Raise { exc, cause } => {
                self.opt(exc);
                self.opt(cause);
            }
            StmtKind::Try(t) | StmtKind::TryStar(t) => {
                self.stmts(&mut t.body);
                for h in &mut t.handlers {
                    self.opt(&mut h.type_);
                    self.stmts(&mut h.body);
                }
                self.stmts(&mut t.orelse);
                self.stmts(&mut t.finalbody);
            }
            StmtKind::Assert { test, msg } => {
                self.expr(test);
                self.opt(msg);
            }
            StmtKind::Expr { value } => self.expr(value),
            _ => {}
        }
    }
    fn match_case(&mut self, c: &mut MatchCase) {
        self.pattern(&mut c.pattern);
        self.opt(&mut c.guard);
        self.stmts(&mut c.body);
    }
    fn pattern(&mut self, p: &mut Pattern) {
        match &mut p.kind {
            PatternKind::MatchValue { value } => self.expr(value),
            PatternKind::MatchSequence { patterns } | PatternKind::MatchOr { patterns } => {
                patterns.iter_mut().for_each(|p| self.pattern(p));
            }
            PatternKind::MatchMapping { keys, patterns, .. } => {
                self.exprs(keys);
                patterns.iter_mut().for_each(|p| self.pattern(p));
            }
            PatternKind::MatchClass { cls, patterns, kwd_patterns, .. } => {
                self.expr(cls);
                patterns.iter_mut().chain(kwd_patterns).for_each(|p| self.pattern(p));
            }
            PatternKind::MatchAs { pattern: Some(inner), .. } => self.pattern(inner),
            PatternKind::MatchAs { pattern: None, .. }
            | PatternKind::MatchStar { .. }
            | PatternKind::MatchSingleton { .. } => {}
        }
    }
}

fn inverse(op: CmpOperator) -> Option<CmpOperator> {
    Some(match op {
        CmpOperator::Is => CmpOperator::IsNot,
        CmpOperator::IsNot => CmpOperator::Is,
        CmpOperator::In => CmpOperator::NotIn,
        CmpOperator::NotIn => CmpOperator::In,
        _ => return None,
    })
}

/// `'%s, %r' % (a, b)` as an f-string; only conversions without flags, width and precision.
fn format_to_joined(e: &mut Expr) {
    let range = e.range;
    let ExprKind::BinOp { left, op: Operator::Mod, right } = &mut e.kind else { return };
    let ExprKind::Constant { value: Constant::Str(format), .. } = &left.kind else { return };
    let ExprKind::Tuple { elts, .. } = &mut right.kind else { return };
    let Some(pieces) = format.to_str().and_then(pieces) else { return };
    let wanted = pieces.iter().filter(|p| matches!(p, Piece::Value(_))).count();
    if wanted != elts.len() || elts.iter().any(|elt| matches!(elt.kind, ExprKind::Starred { .. })) {
        return;
    }
    let mut args = std::mem::take(elts).into_iter();
    let values = pieces.into_iter().filter_map(|p| piece(p, &mut args, range)).collect();
    e.kind = ExprKind::JoinedStr { values };
}
enum Piece {
    Text(String),
    Value(u8),
}
fn piece(p: Piece, args: &mut impl Iterator<Item = Expr>, range: Range) -> Option<Expr> {
    Some(match p {
        Piece::Text(literal) => {
            Expr::new(ExprKind::Constant { value: Constant::Str(text(literal.as_bytes())), kind: None }, range)
        }
        Piece::Value(conversion) => {
            let value = args.next()?;
            let place = value.range;
            let kind =
                ExprKind::FormattedValue { value: Box::new(value), conversion: conversion.into(), format_spec: None };
            Expr::new(kind, place)
        }
    })
}
fn pieces(format: &str) -> Option<Vec<Piece>> {
    let (mut out, mut literal) = (Vec::new(), String::new());
    let mut rest = format.chars();
    while let Some(c) = rest.next() {
        if c != '%' {
            literal.push(c);
            continue;
        }
        match rest.next()? {
            '%' => literal.push('%'),
            c @ ('s' | 'r' | 'a') => {
                if !literal.is_empty() {
                    out.push(Piece::Text(std::mem::take(&mut literal)));
                }
                out.push(Piece::Value(c as u8));
            }
            _ => return None,
        }
    }
    if !literal.is_empty() {
        out.push(Piece::Text(literal));
    }
    Some(out)
}
