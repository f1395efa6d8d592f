//! Checks of trees that scripts built: what the parser guarantees and the compiler relies on (`PyAST_Validate`).
//!
//! Positions, missing values and the types of constants are checked while reading.
use krait_object::{Raised, Thread};
use krait_runtime::errors::{type_error, value_error};
use krait_syntax::ast::{
    Arguments, Comprehension, Constant, Expr, ExprContext, ExprKind, Keyword, MatchCase, Mod, Operator, Pattern,
    PatternKind, Stmt, StmtKind, Try, TypeParam, TypeParamKind, UnaryOperator, WithItem,
};

/// What is wrong with a tree.
pub(super) enum Invalid {
    Value(String),
    Type(String),
}
impl Invalid {
    pub(super) fn raise(self, th: &mut Thread) -> Raised {
        match self {
            Invalid::Value(message) => value_error(th, message),
            Invalid::Type(message) => type_error(th, message),
        }
    }
}
type Check = Result<(), Invalid>;

fn value<T>(message: impl Into<String>) -> Result<T, Invalid> {
    Err(Invalid::Value(message.into()))
}
use ExprContext::{Del, Load, Store};

/// Checks a whole tree.
pub(super) fn module(tree: &Mod) -> Check {
    match tree {
        Mod::Module { body, .. } | Mod::Interactive { body } => stmts(body),
        Mod::Expression { body } => expr(body, Load),
        Mod::FunctionType { argtypes, returns } => {
            exprs(argtypes, Load)?;
            expr(returns, Load)
        }
    }
}

fn context_name(ctx: ExprContext) -> &'static str {
    match ctx {
        Load => "Load",
        Store => "Store",
        Del => "Del",
    }
}
fn name(id: &str) -> Check {
    match id {
        "None" | "True" | "False" => value(format!("identifier field can't represent '{id}' constant")),
        _ => Ok(()),
    }
}
fn nonempty<T>(all: &[T], what: &str, owner: &str) -> Check {
    if all.is_empty() { value(format!("empty {what} on {owner}")) } else { Ok(()) }
}
fn exprs(all: &[Expr], ctx: ExprContext) -> Check {
    all.iter().try_for_each(|e| expr(e, ctx))
}
fn opt_exprs(all: &[Option<Expr>]) -> Check {
    all.iter().flatten().try_for_each(|e| expr(e, Load))
}
fn opt(e: &Option<Box<Expr>>) -> Check {
    e.as_ref().map_or(Ok(()), |e| expr(e, Load))
}
fn keywords(all: &[Keyword]) -> Check {
    all.iter().try_for_each(|k| expr(&k.value, Load))
}
fn comprehensions(all: &[Comprehension]) -> Check {
    if all.is_empty() {
        return value("comprehension with no generators");
    }
    all.iter().try_for_each(|c| {
        expr(&c.target, Store)?;
        expr(&c.iter, Load)?;
        exprs(&c.ifs, Load)
    })
}
fn arguments(a: &Arguments) -> Check {
    let all = a.posonlyargs.iter().chain(&a.args).chain(a.vararg.as_deref()).chain(&a.kwonlyargs);
    for arg in all.chain(a.kwarg.as_deref()) {
        opt(&arg.annotation)?;
    }
    if a.defaults.len() > a.posonlyargs.len() + a.args.len() {
        return value("more positional defaults than args on arguments");
    }
    if a.kw_defaults.len() != a.kwonlyargs.len() {
        return value("length of kwonlyargs is not the same as kw_defaults on arguments");
    }
    exprs(&a.defaults, Load)?;
    opt_exprs(&a.kw_defaults)
}

fn expr(e: &Expr, ctx: ExprContext) -> Check {
    let actual = match &e.kind {
        ExprKind::Attribute { ctx, .. }
        | ExprKind::Subscript { ctx, .. }
        | ExprKind::Starred { ctx, .. }
        | ExprKind::List { ctx, .. }
        | ExprKind::Tuple { ctx, .. } => Some(*ctx),
        ExprKind::Name { id, ctx } => {
            name(id)?;
            Some(*ctx)
        }
        _ => None,
    };
    match actual {
        None if ctx != Load => {
            return value(format!("expression which can't be assigned to in {} context", context_name(ctx)));
        }
        Some(actual) if actual != ctx => {
            let (wanted, actual) = (context_name(ctx), context_name(actual));
            return value(format!("expression must have {wanted} context but has {actual} instead"));
        }
        _ => {}
    }
    parts(e, ctx)
}
fn parts(e: &Expr, ctx: ExprContext) -> Check {
    match &e.kind {
        ExprKind::BoolOp { values, .. } => {
            if values.len() < 2 {
                return value("BoolOp with less than 2 values");
            }
            exprs(values, Load)
        }
        ExprKind::BinOp { left, right, .. } => {
            expr(left, Load)?;
            expr(right, Load)
        }
        ExprKind::UnaryOp { operand, .. } => expr(operand, Load),
        ExprKind::Lambda { args, body } => {
            arguments(args)?;
            expr(body, Load)
        }
        ExprKind::IfExp { test, body, orelse } => {
            expr(test, Load)?;
            expr(body, Load)?;
            expr(orelse, Load)
        }
        ExprKind::Dict { keys, values } => {
            if keys.len() != values.len() {
                return value("Dict doesn't have the same number of keys as values");
            }
            opt_exprs(keys)?;
            exprs(values, Load)
        }
        ExprKind::Set { elts } | ExprKind::JoinedStr { values: elts } => exprs(elts, Load),
        ExprKind::ListComp { elt, generators }
        | ExprKind::SetComp { elt, generators }
        | ExprKind::GeneratorExp { elt, generators } => {
            comprehensions(generators)?;
            expr(elt, Load)
        }
        ExprKind::DictComp { key, value, generators } => {
            comprehensions(generators)?;
            expr(key, Load)?;
            expr(value, Load)
        }
        ExprKind::Yield { value } => opt(value),
        ExprKind::YieldFrom { value } | ExprKind::Await { value } | ExprKind::Attribute { value, .. } => {
            expr(value, Load)
        }
        ExprKind::Compare { left, ops, comparators } => {
            if comparators.is_empty() {
                return value("Compare with no comparators");
            }
            if comparators.len() != ops.len() {
                return value("Compare has a different number of comparators and operands");
            }
            exprs(comparators, Load)?;
            expr(left, Load)
        }
        ExprKind::Call { func, args, keywords: named } => {
            expr(func, Load)?;
            exprs(args, Load)?;
            keywords(named)
        }
        ExprKind::FormattedValue { value, format_spec, .. } => {
            expr(value, Load)?;
            opt(format_spec)
        }
        ExprKind::Subscript { value, slice, .. } => {
            expr(slice, Load)?;
            expr(value, Load)
        }
        ExprKind::Starred { value, .. } => expr(value, ctx),
        ExprKind::Slice { lower, upper, step } => {
            opt(lower)?;
            opt(upper)?;
            opt(step)
        }
        ExprKind::List { elts, .. } | ExprKind::Tuple { elts, .. } => exprs(elts, ctx),
        ExprKind::NamedExpr { target, value } => {
            if !matches!(target.kind, ExprKind::Name { .. }) {
                return Err(Invalid::Type("NamedExpr target must be a Name".to_owned()));
            }
            expr(value, Load)
        }
        ExprKind::Constant { .. } | ExprKind::Name { .. } => Ok(()),
    }
}

fn stmts(all: &[Stmt]) -> Check {
    all.iter().try_for_each(stmt)
}
fn body(all: &[Stmt], owner: &str) -> Check {
    nonempty(all, "body", owner)?;
    stmts(all)
}
fn type_params(all: &[TypeParam]) -> Check {
    all.iter().try_for_each(|p| match &p.kind {
        TypeParamKind::TypeVar { name: id, bound, default_value } => {
            name(id)?;
            opt(bound)?;
            opt(default_value)
        }
        TypeParamKind::ParamSpec { name: id, default_value }
        | TypeParamKind::TypeVarTuple { name: id, default_value } => {
            name(id)?;
            opt(default_value)
        }
    })
}
fn with(items: &[WithItem], block: &[Stmt], owner: &str) -> Check {
    nonempty(items, "items", owner)?;
    for item in items {
        expr(&item.context_expr, Load)?;
        if let Some(vars) = &item.optional_vars {
            expr(vars, Store)?;
        }
    }
    body(block, owner)
}
fn try_block(t: &Try, owner: &str) -> Check {
    body(&t.body, owner)?;
    if t.handlers.is_empty() && t.finalbody.is_empty() {
        return value(format!("{owner} has neither except handlers nor finalbody"));
    }
    if t.handlers.is_empty() && !t.orelse.is_empty() {
        return value(format!("{owner} has orelse but no except handlers"));
    }
    for h in &t.handlers {
        opt(&h.type_)?;
        body(&h.body, "ExceptHandler")?;
    }
    stmts(&t.finalbody)?;
    stmts(&t.orelse)
}
fn stmt(s: &Stmt) -> Check {
    match &s.kind {
        StmtKind::FunctionDef(f) | StmtKind::AsyncFunctionDef(f) => {
            let is_async = matches!(s.kind, StmtKind::AsyncFunctionDef(_));
            body(&f.body, if is_async { "AsyncFunctionDef" } else { "FunctionDef" })?;
            type_params(&f.type_params)?;
            arguments(&f.args)?;
            exprs(&f.decorator_list, Load)?;
            opt(&f.returns)
        }
        StmtKind::ClassDef(c) => {
            body(&c.body, "ClassDef")?;
            type_params(&c.type_params)?;
            exprs(&c.bases, Load)?;
            keywords(&c.keywords)?;
            exprs(&c.decorator_list, Load)
        }
        StmtKind::Return { value } => opt(value),
        StmtKind::Delete { targets } => {
            nonempty(targets, "targets", "Delete")?;
            exprs(targets, Del)
        }
        StmtKind::Assign { targets, value, .. } => {
            nonempty(targets, "targets", "Assign")?;
            exprs(targets, Store)?;
            expr(value, Load)
        }
        StmtKind::AugAssign { target, value, .. } => {
            expr(target, Store)?;
            expr(value, Load)
        }
        StmtKind::AnnAssign { target, annotation, value, simple } => {
            if *simple && !matches!(target.kind, ExprKind::Name { .. }) {
                return Err(Invalid::Type("AnnAssign with simple non-Name target".to_owned()));
            }
            expr(target, Store)?;
            opt(value)?;
            expr(annotation, Load)
        }
        StmtKind::TypeAlias { name, type_params: params, value } => {
            if !matches!(name.kind, ExprKind::Name { .. }) {
                return Err(Invalid::Type("TypeAlias with non-Name name".to_owned()));
            }
            expr(name, Store)?;
            type_params(params)?;
            expr(value, Load)
        }
        StmtKind::For(f) | StmtKind::AsyncFor(f) => {
            expr(&f.target, Store)?;
            expr(&f.iter, Load)?;
            body(&f.body, if matches!(s.kind, StmtKind::For(_)) { "For" } else { "AsyncFor" })?;
            stmts(&f.orelse)
        }
        StmtKind::While { test, body: block, orelse } | StmtKind::If { test, body: block, orelse } => {
            expr(test, Load)?;
            body(block, if matches!(s.kind, StmtKind::If { .. }) { "If" } else { "While" })?;
            stmts(orelse)
        }
        StmtKind::With(w) => with(&w.items, &w.body, "With"),
        StmtKind::AsyncWith(w) => with(&w.items, &w.body, "AsyncWith"),
        StmtKind::Match { subject, cases } => {
            expr(subject, Load)?;
            nonempty(cases, "cases", "Match")?;
            cases.iter().try_for_each(match_case)
        }
        StmtKind::Raise { exc: Some(exc), cause } => {
            expr(exc, Load)?;
            opt(cause)
        }
        StmtKind::Raise { exc: None, cause: Some(_) } => value("Raise with cause but no exception"),
        StmtKind::Try(t) => try_block(t, "Try"),
        StmtKind::TryStar(t) => try_block(t, "TryStar"),
        StmtKind::Assert { test, msg } => {
            expr(test, Load)?;
            opt(msg)
        }
        StmtKind::Import { names } => nonempty(names, "names", "Import"),
        StmtKind::ImportFrom { names, .. } => nonempty(names, "names", "ImportFrom"),
        StmtKind::Global { names } => nonempty(names, "names", "Global"),
        StmtKind::Nonlocal { names } => nonempty(names, "names", "Nonlocal"),
        StmtKind::Expr { value } => expr(value, Load),
        StmtKind::Raise { exc: None, cause: None } | StmtKind::Pass | StmtKind::Break | StmtKind::Continue => Ok(()),
    }
}

fn match_case(c: &MatchCase) -> Check {
    pattern(&c.pattern, false)?;
    opt(&c.guard)?;
    body(&c.body, "match_case")
}
fn capture(id: &str) -> Check {
    if id == "_" { value("can't capture name '_' in patterns") } else { name(id) }
}
fn patterns(all: &[Pattern], star_ok: bool) -> Check {
    all.iter().try_for_each(|p| pattern(p, star_ok))
}
fn is_number(e: &Expr, real: bool, imaginary: bool) -> bool {
    match &e.kind {
        ExprKind::Constant { value, .. } => match value {
            Constant::Int(_) | Constant::BigInt(_) | Constant::Float(_) => real,
            Constant::Complex { .. } => imaginary,
            _ => false,
        },
        _ => false,
    }
}
fn is_negative(e: &Expr, real: bool, imaginary: bool) -> bool {
    matches!(&e.kind, ExprKind::UnaryOp { op: UnaryOperator::USub, operand } if is_number(operand, real, imaginary))
}
fn match_value(e: &Expr) -> Check {
    expr(e, Load)?;
    match &e.kind {
        ExprKind::Constant { value: held, .. } => match held {
            Constant::Int(_)
            | Constant::BigInt(_)
            | Constant::Float(_)
            | Constant::Bytes(_)
            | Constant::Complex { .. }
            | Constant::Str(_) => Ok(()),
            _ => value("unexpected constant inside of a literal pattern"),
        },
        ExprKind::Attribute { .. } | ExprKind::JoinedStr { .. } => Ok(()),
        ExprKind::UnaryOp { .. } if is_negative(e, true, true) => Ok(()),
        ExprKind::BinOp { left, op: Operator::Add | Operator::Sub, right }
            if (is_number(left, true, false) || is_negative(left, true, false)) && is_number(right, false, true) =>
        {
            Ok(())
        }
        _ => value("patterns may only match literals and attribute lookups"),
    }
}
fn pattern(p: &Pattern, star_ok: bool) -> Check {
    match &p.kind {
        PatternKind::MatchValue { value } => match_value(value),
        PatternKind::MatchSingleton { .. } => Ok(()),
        PatternKind::MatchSequence { patterns: all } => patterns(all, true),
        PatternKind::MatchMapping { keys, patterns: all, rest } => {
            if keys.len() != all.len() {
                return value("MatchMapping doesn't have the same number of keys as patterns");
            }
            rest.as_ref().map_or(Ok(()), |id| capture(id))?;
            for key in keys {
                if !matches!(&key.kind, ExprKind::Constant { value: Constant::None | Constant::Bool(_), .. }) {
                    match_value(key)?;
                }
            }
            patterns(all, false)
        }
        PatternKind::MatchClass { cls, patterns: all, kwd_attrs, kwd_patterns } => {
            if kwd_attrs.len() != kwd_patterns.len() {
                return value("MatchClass doesn't have the same number of keyword attributes as patterns");
            }
            expr(cls, Load)?;
            let mut at = cls;
            loop {
                match &at.kind {
                    ExprKind::Name { .. } => break,
                    ExprKind::Attribute { value, .. } => at = value,
                    _ => return value("MatchClass cls field can only contain Name or Attribute nodes."),
                }
            }
            kwd_attrs.iter().try_for_each(|id| name(id))?;
            patterns(all, false)?;
            patterns(kwd_patterns, false)
        }
        PatternKind::MatchStar { name: id } => {
            if !star_ok {
                return value("can't use MatchStar here");
            }
            id.as_ref().map_or(Ok(()), |id| capture(id))
        }
        PatternKind::MatchAs { pattern: inner, name: id } => {
            id.as_ref().map_or(Ok(()), |id| capture(id))?;
            match (inner, id) {
                (None, _) => Ok(()),
                (Some(_), None) => value("MatchAs must specify a target name if a pattern is given"),
                (Some(inner), _) => pattern(inner, false),
            }
        }
        PatternKind::MatchOr { patterns: all } => {
            if all.len() < 2 {
                return value("MatchOr requires at least 2 patterns");
            }
            patterns(all, false)
        }
    }
}
