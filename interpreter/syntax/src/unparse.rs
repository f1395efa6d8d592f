//! Expressions back to source text: annotations under `from __future__ import annotations`.
//!
//! `unparse/literal.rs` writes the representations of constants. CPython counterpart: `Python/ast_unparse.c` (not
//! `ast.unparse`, whose spacing and quotes differ).

mod literal;

use crate::ast::{
    Arg, Arguments, BoolOperator, CmpOperator, Comprehension, Constant, Expr, ExprKind, Keyword, Operator,
    UnaryOperator, Wtf8Buf,
};

/// How tightly the surroundings bind: an expression that binds less is put into parentheses.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Level {
    Tuple,
    Test,
    Or,
    And,
    Not,
    Cmp,
    BitOr,
    BitXor,
    BitAnd,
    Shift,
    Arith,
    Term,
    Factor,
    Power,
    Await,
    Atom,
}

impl Level {
    fn next(self) -> Level {
        match self {
            Level::Tuple => Level::Test,
            Level::Test => Level::Or,
            Level::Or => Level::And,
            Level::And => Level::Not,
            Level::Not => Level::Cmp,
            Level::Cmp => Level::BitOr,
            Level::BitOr => Level::BitXor,
            Level::BitXor => Level::BitAnd,
            Level::BitAnd => Level::Shift,
            Level::Shift => Level::Arith,
            Level::Arith => Level::Term,
            Level::Term => Level::Factor,
            Level::Factor => Level::Power,
            Level::Power => Level::Await,
            Level::Await | Level::Atom => Level::Atom,
        }
    }
}

/// The text of an expression as the interpreter stores it in `__annotations__`.
///
/// Recurses with the tree; trees from [`crate::parse`] are bounded, for others the caller bounds the depth.
pub fn unparse(expr: &Expr) -> String {
    let mut writer = Writer { out: Wtf8Buf::new() };
    writer.expr(expr, Level::Test);
    // Surrogates only occur in literals, which are escaped.
    writer.out.finish().to_string_lossy()
}

struct Writer {
    out: Wtf8Buf,
}

impl Writer {
    fn put(&mut self, text: &str) {
        self.out.push_str(text);
    }

    fn wrapped(&mut self, wrap: bool, body: impl FnOnce(&mut Self)) {
        if wrap {
            self.put("(");
        }
        body(self);
        if wrap {
            self.put(")");
        }
    }

    fn joined<T>(&mut self, items: &[T], separator: &str, mut each: impl FnMut(&mut Self, &T)) {
        for (index, item) in items.iter().enumerate() {
            if index > 0 {
                self.put(separator);
            }
            each(self, item);
        }
    }

    fn exprs(&mut self, items: &[Expr]) {
        self.joined(items, ", ", |w, item| w.expr(item, Level::Test));
    }

    fn expr(&mut self, expr: &Expr, level: Level) {
        match &expr.kind {
            ExprKind::Name { id, .. } => self.put(id),
            ExprKind::Constant { value, kind } => {
                if kind.is_some() {
                    self.put("u");
                }
                self.constant(value);
            }
            ExprKind::Attribute { value, attr, .. } => {
                self.expr(value, Level::Atom);
                let integer =
                    matches!(value.kind, ExprKind::Constant { value: Constant::Int(_) | Constant::BigInt(_), .. });
                self.put(if integer { " ." } else { "." });
                self.put(attr);
            }
            ExprKind::Subscript { value, slice, .. } => {
                self.expr(value, Level::Atom);
                self.put("[");
                self.expr(slice, Level::Tuple);
                self.put("]");
            }
            ExprKind::Call { func, args, keywords } => self.call(func, args, keywords),
            ExprKind::Starred { value, .. } => {
                self.put("*");
                self.expr(value, Level::BitOr);
            }
            ExprKind::Tuple { elts, .. } if elts.is_empty() => self.put("()"),
            ExprKind::Tuple { elts, .. } => self.wrapped(level > Level::Tuple, |w| {
                w.exprs(elts);
                if elts.len() == 1 {
                    w.put(",");
                }
            }),
            ExprKind::List { elts, .. } => {
                self.put("[");
                self.exprs(elts);
                self.put("]");
            }
            ExprKind::Slice { lower, upper, step } => self.slice(lower.as_deref(), upper.as_deref(), step.as_deref()),
            ExprKind::JoinedStr { values } => self.joined_str(values),
            ExprKind::FormattedValue { value, conversion, format_spec } => {
                self.formatted_value(value, *conversion, format_spec.as_deref());
            }
            _ => self.operation(&expr.kind, level),
        }
    }

    fn operation(&mut self, kind: &ExprKind, level: Level) {
        match kind {
            ExprKind::BoolOp { op, values } => {
                let (text, own) = match op {
                    BoolOperator::And => (" and ", Level::And),
                    BoolOperator::Or => (" or ", Level::Or),
                };
                self.wrapped(level > own, |w| w.joined(values, text, |w, value| w.expr(value, own.next())));
            }
            ExprKind::BinOp { left, op, right } => {
                let (text, own) = binary(*op);
                let power = *op == Operator::Pow;
                self.wrapped(level > own, |w| {
                    w.expr(left, if power { own.next() } else { own });
                    w.put(text);
                    w.expr(right, if power { own } else { own.next() });
                });
            }
            ExprKind::UnaryOp { op, operand } => {
                let (text, own) = match op {
                    UnaryOperator::Invert => ("~", Level::Factor),
                    UnaryOperator::Not => ("not ", Level::Not),
                    UnaryOperator::UAdd => ("+", Level::Factor),
                    UnaryOperator::USub => ("-", Level::Factor),
                };
                self.wrapped(level > own, |w| {
                    w.put(text);
                    w.expr(operand, own);
                });
            }
            ExprKind::Compare { left, ops, comparators } => self.wrapped(level > Level::Cmp, |w| {
                w.expr(left, Level::BitOr);
                for (op, comparator) in ops.iter().zip(comparators) {
                    w.put(comparison(*op));
                    w.expr(comparator, Level::BitOr);
                }
            }),
            ExprKind::Lambda { args, body } => self.wrapped(level > Level::Test, |w| {
                let positional = !(args.args.is_empty() && args.posonlyargs.is_empty());
                w.put(if positional { "lambda " } else { "lambda" });
                w.arguments(args);
                w.put(": ");
                w.expr(body, Level::Test);
            }),
            ExprKind::IfExp { test, body, orelse } => self.wrapped(level > Level::Test, |w| {
                w.expr(body, Level::Or);
                w.put(" if ");
                w.expr(test, Level::Or);
                w.put(" else ");
                w.expr(orelse, Level::Test);
            }),
            ExprKind::Await { value } => self.wrapped(level > Level::Await, |w| {
                w.put("await ");
                w.expr(value, Level::Atom);
            }),
            ExprKind::NamedExpr { target, value } => self.wrapped(level > Level::Tuple, |w| {
                w.expr(target, Level::Atom);
                w.put(" := ");
                w.expr(value, Level::Atom);
            }),
            _ => self.display(kind),
        }
    }

    fn display(&mut self, kind: &ExprKind) {
        match kind {
            ExprKind::Yield { value: None } => self.put("(yield)"),
            ExprKind::Yield { value: Some(value) } => {
                self.put("(yield ");
                self.expr(value, Level::Test);
                self.put(")");
            }
            ExprKind::YieldFrom { value } => {
                self.put("(yield from ");
                self.expr(value, Level::Test);
                self.put(")");
            }
            ExprKind::Dict { keys, values } => {
                self.put("{");
                for (index, (key, value)) in keys.iter().zip(values).enumerate() {
                    self.put(if index > 0 { ", " } else { "" });
                    match key {
                        Some(key) => {
                            self.expr(key, Level::Test);
                            self.put(": ");
                            self.expr(value, Level::Test);
                        }
                        None => {
                            self.put("**");
                            self.expr(value, Level::BitOr);
                        }
                    }
                }
                self.put("}");
            }
            ExprKind::Set { elts } => {
                self.put("{");
                self.exprs(elts);
                self.put("}");
            }
            ExprKind::ListComp { elt, generators } => self.comprehension("[", "]", elt, None, generators),
            ExprKind::SetComp { elt, generators } => self.comprehension("{", "}", elt, None, generators),
            ExprKind::GeneratorExp { elt, generators } => self.comprehension("(", ")", elt, None, generators),
            ExprKind::DictComp { key, value, generators } => {
                self.comprehension("{", "}", key, Some(value), generators);
            }
            _ => unreachable!("the callers take every other kind"),
        }
    }

    fn comprehension(
        &mut self,
        open: &str,
        close: &str,
        elt: &Expr,
        value: Option<&Expr>,
        generators: &[Comprehension],
    ) {
        self.put(open);
        self.expr(elt, Level::Test);
        if let Some(value) = value {
            self.put(": ");
            self.expr(value, Level::Test);
        }
        for generator in generators {
            self.put(if generator.is_async { " async for " } else { " for " });
            self.expr(&generator.target, Level::Tuple);
            self.put(" in ");
            self.expr(&generator.iter, Level::Or);
            for test in &generator.ifs {
                self.put(" if ");
                self.expr(test, Level::Or);
            }
        }
        self.put(close);
    }

    fn call(&mut self, func: &Expr, args: &[Expr], keywords: &[Keyword]) {
        self.expr(func, Level::Atom);
        if let ([arg], []) = (args, keywords)
            && matches!(arg.kind, ExprKind::GeneratorExp { .. })
        {
            self.expr(arg, Level::Atom);
            return;
        }
        self.put("(");
        self.exprs(args);
        for (index, keyword) in keywords.iter().enumerate() {
            self.put(if index + args.len() > 0 { ", " } else { "" });
            match &keyword.arg {
                Some(name) => {
                    self.put(name);
                    self.put("=");
                }
                None => self.put("**"),
            }
            self.expr(&keyword.value, Level::Test);
        }
        self.put(")");
    }

    fn slice(&mut self, lower: Option<&Expr>, upper: Option<&Expr>, step: Option<&Expr>) {
        if let Some(lower) = lower {
            self.expr(lower, Level::Test);
        }
        self.put(":");
        if let Some(upper) = upper {
            self.expr(upper, Level::Test);
        }
        if let Some(step) = step {
            self.put(":");
            self.expr(step, Level::Test);
        }
    }

    fn arg(&mut self, arg: &Arg) {
        self.put(&arg.arg);
        if let Some(annotation) = &arg.annotation {
            self.put(": ");
            self.expr(annotation, Level::Test);
        }
    }

    fn arguments(&mut self, args: &Arguments) {
        let positional = args.posonlyargs.len() + args.args.len();
        let mut separator = "";
        for (index, arg) in args.posonlyargs.iter().chain(&args.args).enumerate() {
            self.put(separator);
            separator = ", ";
            self.arg(arg);
            if let Some(default) =
                (index + args.defaults.len()).checked_sub(positional).and_then(|at| args.defaults.get(at))
            {
                self.put("=");
                self.expr(default, Level::Test);
            }
            if index + 1 == args.posonlyargs.len() {
                self.put(", /");
            }
        }
        if args.vararg.is_some() || !args.kwonlyargs.is_empty() {
            self.put(separator);
            separator = ", ";
            self.put("*");
            if let Some(vararg) = &args.vararg {
                self.arg(vararg);
            }
        }
        for (index, arg) in args.kwonlyargs.iter().enumerate() {
            self.put(separator);
            self.arg(arg);
            if let Some(Some(default)) = args.kw_defaults.get(index) {
                self.put("=");
                self.expr(default, Level::Test);
            }
        }
        if let Some(kwarg) = &args.kwarg {
            self.put(separator);
            self.put("**");
            self.arg(kwarg);
        }
    }

    /// The body is collected, then written as one literal after an `f`.
    fn joined_str(&mut self, values: &[Expr]) {
        let outer = std::mem::take(&mut self.out);
        self.f_string_body(values);
        let body = std::mem::replace(&mut self.out, outer).finish();
        self.put("f");
        self.put(&literal::str_repr(&body));
    }

    fn f_string_body(&mut self, values: &[Expr]) {
        for value in values {
            match &value.kind {
                ExprKind::Constant { value: Constant::Str(text), .. } => {
                    for cp in text.code_points() {
                        self.out.push_code_point(cp);
                        if cp == u32::from(b'{') || cp == u32::from(b'}') {
                            self.out.push_code_point(cp);
                        }
                    }
                }
                ExprKind::FormattedValue { value, conversion, format_spec } => {
                    self.formatted_value(value, *conversion, format_spec.as_deref());
                }
                ExprKind::JoinedStr { values } => self.joined_str(values),
                _ => self.expr(value, Level::Test),
            }
        }
    }

    fn formatted_value(&mut self, value: &Expr, conversion: i32, format_spec: Option<&Expr>) {
        let outer = std::mem::take(&mut self.out);
        self.expr(value, Level::Or);
        let text = std::mem::replace(&mut self.out, outer).finish();
        self.put(if text.as_bytes().first() == Some(&b'{') { "{ " } else { "{" });
        self.out.push_wtf8(&text);
        match u8::try_from(conversion) {
            Ok(b'a') => self.put("!a"),
            Ok(b'r') => self.put("!r"),
            Ok(b's') => self.put("!s"),
            _ => {}
        }
        if let Some(spec) = format_spec {
            self.put(":");
            match &spec.kind {
                ExprKind::JoinedStr { values } => self.f_string_body(values),
                _ => self.f_string_body(std::slice::from_ref(spec)),
            }
        }
        self.put("}");
    }

    fn constant(&mut self, value: &Constant) {
        self.put(&literal::repr(value));
    }
}

fn binary(op: Operator) -> (&'static str, Level) {
    match op {
        Operator::Add => (" + ", Level::Arith),
        Operator::Sub => (" - ", Level::Arith),
        Operator::Mult => (" * ", Level::Term),
        Operator::MatMult => (" @ ", Level::Term),
        Operator::Div => (" / ", Level::Term),
        Operator::Mod => (" % ", Level::Term),
        Operator::FloorDiv => (" // ", Level::Term),
        Operator::LShift => (" << ", Level::Shift),
        Operator::RShift => (" >> ", Level::Shift),
        Operator::BitOr => (" | ", Level::BitOr),
        Operator::BitXor => (" ^ ", Level::BitXor),
        Operator::BitAnd => (" & ", Level::BitAnd),
        Operator::Pow => (" ** ", Level::Power),
    }
}

fn comparison(op: CmpOperator) -> &'static str {
    match op {
        CmpOperator::Eq => " == ",
        CmpOperator::NotEq => " != ",
        CmpOperator::Lt => " < ",
        CmpOperator::LtE => " <= ",
        CmpOperator::Gt => " > ",
        CmpOperator::GtE => " >= ",
        CmpOperator::Is => " is ",
        CmpOperator::IsNot => " is not ",
        CmpOperator::In => " in ",
        CmpOperator::NotIn => " not in ",
    }
}
