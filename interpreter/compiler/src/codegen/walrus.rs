//! Assignment expressions: how many an expression contains, so that borrowed locals are copied before one rebinds them.

use krait_syntax::ast::{Comprehension, Expr, ExprKind};

use super::Compiler;

/// Calls `f` for each expression directly within `expr` that is evaluated in the same scope (or an inlined one).
fn each_child<'e>(expr: &'e Expr, f: &mut impl FnMut(&'e Expr)) {
    let generators = |generators: &'e [Comprehension], f: &mut dyn FnMut(&'e Expr)| {
        for generator in generators {
            f(&generator.iter);
            generator.ifs.iter().for_each(&mut *f);
        }
    };
    match &expr.kind {
        ExprKind::BoolOp { values, .. } | ExprKind::JoinedStr { values } => values.iter().for_each(f),
        ExprKind::NamedExpr { value, .. }
        | ExprKind::UnaryOp { operand: value, .. }
        | ExprKind::Await { value }
        | ExprKind::YieldFrom { value }
        | ExprKind::Attribute { value, .. }
        | ExprKind::Starred { value, .. } => f(value),
        ExprKind::Yield { value } => value.iter().for_each(|value| f(value)),
        ExprKind::BinOp { left: x, right: y, .. } | ExprKind::Subscript { value: x, slice: y, .. } => {
            f(x);
            f(y);
        }
        ExprKind::Lambda { args, .. } => args.defaults.iter().chain(args.kw_defaults.iter().flatten()).for_each(f),
        ExprKind::IfExp { test, body, orelse } => [test, body, orelse].into_iter().for_each(|child| f(child)),
        ExprKind::Dict { keys, values } => keys.iter().flatten().chain(values).for_each(f),
        ExprKind::List { elts, .. } | ExprKind::Tuple { elts, .. } | ExprKind::Set { elts } => elts.iter().for_each(f),
        ExprKind::ListComp { elt, generators: clauses }
        | ExprKind::SetComp { elt, generators: clauses }
        | ExprKind::GeneratorExp { elt, generators: clauses } => {
            f(elt);
            generators(clauses, f);
        }
        ExprKind::DictComp { key, value, generators: clauses } => {
            f(key);
            f(value);
            generators(clauses, f);
        }
        ExprKind::Compare { left, comparators, .. } => {
            f(left);
            comparators.iter().for_each(f);
        }
        ExprKind::Call { func, args, keywords } => {
            f(func);
            args.iter().chain(keywords.iter().map(|keyword| &keyword.value)).for_each(f);
        }
        ExprKind::FormattedValue { value, format_spec, .. } => {
            f(value);
            format_spec.iter().for_each(|spec| f(spec));
        }
        ExprKind::Slice { lower, upper, step } => {
            [lower, upper, step].into_iter().flatten().for_each(|child| f(child));
        }
        ExprKind::Constant { .. } | ExprKind::Name { .. } => {}
    }
}

/// Number of assignment expressions; iterative, since trees are deep.
pub(super) fn count<'e>(roots: impl IntoIterator<Item = &'e Expr>) -> usize {
    let mut stack: Vec<&Expr> = roots.into_iter().collect();
    let mut found = 0;
    while let Some(expr) = stack.pop() {
        found += matches!(expr.kind, ExprKind::NamedExpr { .. }) as usize;
        each_child(expr, &mut |child| stack.push(child));
    }
    found
}

impl<'a> Compiler<'a> {
    /// Says which expressions the code until `leave_roots` evaluates together.
    pub(super) fn enter_roots<'e>(&mut self, roots: impl IntoIterator<Item = &'e Expr>) {
        if self.u.nesting == 0 && !self.u.has_walrus.is_empty() {
            self.u.walrus = count(roots);
        }
        self.u.nesting += 1;
    }

    pub(super) fn leave_roots(&mut self) {
        self.u.nesting -= 1;
    }
}
