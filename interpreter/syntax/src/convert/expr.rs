//! Expressions. Left-nested chains (`a+b+c`, `a.b.c`, `f()()`) recurse like all else: the depth prepass bounds them.

use ruff_python_ast as ruff;
use ruff_text_size::{Ranged, TextRange};

use super::Converter;
use crate::ast::{
    BoolOperator, CmpOperator, Comprehension, Constant, Expr, ExprKind, Identifier, Keyword, Operator, Range,
    UnaryOperator,
};

impl Converter<'_> {
    pub(super) fn boxed(&mut self, expr: &ruff::Expr) -> Box<Expr> {
        Box::new(self.expr(expr))
    }

    pub(super) fn opt_boxed(&mut self, expr: Option<&ruff::Expr>) -> Option<Box<Expr>> {
        expr.map(|expr| self.boxed(expr))
    }

    pub(super) fn opt_expr(&mut self, expr: Option<&ruff::Expr>) -> Option<Box<Expr>> {
        self.opt_boxed(expr)
    }

    pub(super) fn exprs(&mut self, exprs: &[ruff::Expr]) -> Vec<Expr> {
        exprs.iter().map(|expr| self.expr(expr)).collect()
    }

    pub(super) fn expr(&mut self, expr: &ruff::Expr) -> Expr {
        let range = self.range(expr);
        let kind = match expr {
            ruff::Expr::Name(e) if self.rewritten.is_match(e.range) => {
                ExprKind::Name { id: Identifier::from("match"), ctx: Self::context(e.ctx) }
            }
            ruff::Expr::Name(e) => ExprKind::Name { id: Identifier::from(e.id.as_str()), ctx: Self::context(e.ctx) },
            ruff::Expr::Attribute(e) => ExprKind::Attribute {
                value: self.boxed(&e.value),
                attr: self.identifier(&e.attr),
                ctx: Self::context(e.ctx),
            },
            ruff::Expr::Subscript(e) => ExprKind::Subscript {
                value: self.boxed(&e.value),
                slice: self.boxed(&e.slice),
                ctx: Self::context(e.ctx),
            },
            ruff::Expr::Starred(e) => ExprKind::Starred { value: self.boxed(&e.value), ctx: Self::context(e.ctx) },
            ruff::Expr::List(e) => ExprKind::List { elts: self.exprs(&e.elts), ctx: Self::context(e.ctx) },
            ruff::Expr::Tuple(e) if e.elts.first().is_some_and(|first| matches!(first, ruff::Expr::Yield(_))) => {
                self.refuse_bare_yield(expr, &e.elts[0]);
                ExprKind::Tuple { elts: self.exprs(&e.elts), ctx: Self::context(e.ctx) }
            }
            ruff::Expr::Tuple(e) => ExprKind::Tuple { elts: self.exprs(&e.elts), ctx: Self::context(e.ctx) },
            ruff::Expr::Call(e) => {
                let func = self.boxed(&e.func);
                let (args, keywords) = self.call_arguments(&e.arguments);
                ExprKind::Call { func, args, keywords }
            }
            ruff::Expr::StringLiteral(e) => return self.string_literal(e, range),
            ruff::Expr::BytesLiteral(e) => return self.bytes_literal(e, range),
            ruff::Expr::FString(e) => return self.f_string(e, range),
            ruff::Expr::NumberLiteral(e) => Self::constant(self.number(e)),
            ruff::Expr::BooleanLiteral(e) => Self::constant(Constant::Bool(e.value)),
            ruff::Expr::NoneLiteral(_) => Self::constant(Constant::None),
            ruff::Expr::EllipsisLiteral(_) => Self::constant(Constant::Ellipsis),
            ruff::Expr::TString(_) | ruff::Expr::IpyEscapeCommand(_) => {
                self.refuse("invalid syntax", range);
                Self::constant(Constant::None)
            }
            _ => self.operation(expr, range),
        };
        Expr::new(kind, range)
    }

    fn constant(value: Constant) -> ExprKind {
        ExprKind::Constant { value, kind: None }
    }

    /// The parser takes a bare `yield` for an operand; in CPython it needs parentheses.
    fn refuse_bare_yield(&mut self, whole: &ruff::Expr, first: &ruff::Expr) {
        let between = &self.text()[usize::from(whole.start())..usize::from(first.start())];
        let own = usize::from(whole.as_tuple_expr().is_some_and(|tuple| tuple.parenthesized));
        if matches!(first, ruff::Expr::Yield(_) | ruff::Expr::YieldFrom(_)) && between.matches('(').count() <= own {
            let range = self.range(first);
            self.refuse("invalid syntax", range);
        }
    }

    /// The kinds that are neither atoms nor primaries.
    fn operation(&mut self, expr: &ruff::Expr, range: Range) -> ExprKind {
        let first = match expr {
            ruff::Expr::BoolOp(e) => e.values.first(),
            ruff::Expr::BinOp(e) => Some(&*e.left),
            ruff::Expr::Compare(e) => Some(&*e.left),
            ruff::Expr::If(e) => Some(&*e.body),
            _ => None,
        };
        if let Some(first) = first {
            self.refuse_bare_yield(expr, first);
        }
        match expr {
            ruff::Expr::BoolOp(e) => ExprKind::BoolOp {
                op: match e.op {
                    ruff::BoolOp::And => BoolOperator::And,
                    ruff::BoolOp::Or => BoolOperator::Or,
                },
                values: self.exprs(&e.values),
            },
            ruff::Expr::Named(e) => ExprKind::NamedExpr { target: self.boxed(&e.target), value: self.boxed(&e.value) },
            ruff::Expr::BinOp(e) => {
                ExprKind::BinOp { left: self.boxed(&e.left), op: Self::operator(e.op), right: self.boxed(&e.right) }
            }
            ruff::Expr::UnaryOp(e) => ExprKind::UnaryOp {
                op: match e.op {
                    ruff::UnaryOp::Invert => UnaryOperator::Invert,
                    ruff::UnaryOp::Not => UnaryOperator::Not,
                    ruff::UnaryOp::UAdd => UnaryOperator::UAdd,
                    ruff::UnaryOp::USub => UnaryOperator::USub,
                },
                operand: self.boxed(&e.operand),
            },
            ruff::Expr::Lambda(e) => ExprKind::Lambda {
                args: Box::new(e.parameters.as_deref().map(|p| self.parameters(p)).unwrap_or_default()),
                body: self.boxed(&e.body),
            },
            ruff::Expr::If(e) => {
                ExprKind::IfExp { body: self.boxed(&e.body), test: self.boxed(&e.test), orelse: self.boxed(&e.orelse) }
            }
            ruff::Expr::Compare(e) => ExprKind::Compare {
                left: self.boxed(&e.left),
                ops: e.ops.iter().map(|op| Self::comparison(*op)).collect(),
                comparators: self.exprs(&e.comparators),
            },
            ruff::Expr::Await(e) => ExprKind::Await { value: self.boxed(&e.value) },
            ruff::Expr::Yield(e) => ExprKind::Yield { value: self.opt_boxed(e.value.as_deref()) },
            ruff::Expr::YieldFrom(e) => ExprKind::YieldFrom { value: self.boxed(&e.value) },
            ruff::Expr::Slice(e) => ExprKind::Slice {
                lower: self.opt_boxed(e.lower.as_deref()),
                upper: self.opt_boxed(e.upper.as_deref()),
                step: self.opt_boxed(e.step.as_deref()),
            },
            _ => self.display(expr, range),
        }
    }

    /// Displays and comprehensions.
    fn display(&mut self, expr: &ruff::Expr, range: Range) -> ExprKind {
        match expr {
            ruff::Expr::Set(e) => ExprKind::Set { elts: self.exprs(&e.elts) },
            ruff::Expr::Dict(e) => {
                let mut keys = Vec::with_capacity(e.items.len());
                let mut values = Vec::with_capacity(e.items.len());
                for item in &e.items {
                    keys.push(item.key.as_ref().map(|key| self.expr(key)));
                    values.push(self.expr(&item.value));
                }
                ExprKind::Dict { keys, values }
            }
            ruff::Expr::ListComp(e) => {
                ExprKind::ListComp { elt: self.boxed(&e.elt), generators: self.comprehensions(&e.elt, &e.generators) }
            }
            ruff::Expr::SetComp(e) => {
                ExprKind::SetComp { elt: self.boxed(&e.elt), generators: self.comprehensions(&e.elt, &e.generators) }
            }
            ruff::Expr::Generator(e) => ExprKind::GeneratorExp {
                elt: self.boxed(&e.elt),
                generators: self.comprehensions(&e.elt, &e.generators),
            },
            ruff::Expr::DictComp(e) => {
                let Some(key) = e.key.as_deref() else {
                    self.refuse("dict unpacking cannot be used in dict comprehension", range);
                    return Self::constant(Constant::None);
                };
                ExprKind::DictComp {
                    key: self.boxed(key),
                    value: self.boxed(&e.value),
                    generators: self.comprehensions(&e.value, &e.generators),
                }
            }
            _ => {
                self.refuse("invalid syntax", range);
                Self::constant(Constant::None)
            }
        }
    }

    fn comprehensions(&mut self, element: &ruff::Expr, generators: &[ruff::Comprehension]) -> Vec<Comprehension> {
        self.refuse_unpacked_element(element);
        let convert = |generator: &ruff::Comprehension| Comprehension {
            target: self.expr(&generator.target),
            iter: self.expr(&generator.iter),
            ifs: self.exprs(&generator.ifs),
            is_async: generator.is_async,
        };
        generators.iter().map(convert).collect()
    }

    /// The parser knows a later Python, which unpacks in comprehensions.
    fn refuse_unpacked_element(&mut self, element: &ruff::Expr) {
        if element.is_starred_expr() {
            let range = self.range(element);
            self.refuse("iterable unpacking cannot be used in comprehension", range);
        }
    }

    /// Positional and keyword arguments. A generator that is the sole argument spans the parentheses.
    pub(super) fn call_arguments(&mut self, arguments: &ruff::Arguments) -> (Vec<Expr>, Vec<Keyword>) {
        let mut args = self.exprs(&arguments.args);
        if let [ruff::Expr::Generator(generator)] = &*arguments.args
            && arguments.keywords.is_empty()
            && !generator.parenthesized
        {
            args[0].range = self.text_range(arguments.range);
        }
        for keyword in &arguments.keywords {
            if let Some(name) = keyword.arg.as_ref().filter(|name| name.start() != keyword.start()) {
                let range = TextRange::new(keyword.start(), name.end());
                let msg = "expression cannot contain assignment, perhaps you meant \"==\"?";
                self.refuse(msg, self.text_range(range));
            }
        }
        let keyword = |keyword: &ruff::Keyword| Keyword {
            arg: keyword.arg.as_ref().map(|name| self.identifier(name)),
            value: self.expr(&keyword.value),
            range: self.lines.range(keyword.start().into(), keyword.end().into()),
        };
        (args, arguments.keywords.iter().map(keyword).collect())
    }

    pub(super) fn operator(op: ruff::Operator) -> Operator {
        match op {
            ruff::Operator::Add => Operator::Add,
            ruff::Operator::Sub => Operator::Sub,
            ruff::Operator::Mult => Operator::Mult,
            ruff::Operator::MatMult => Operator::MatMult,
            ruff::Operator::Div => Operator::Div,
            ruff::Operator::Mod => Operator::Mod,
            ruff::Operator::Pow => Operator::Pow,
            ruff::Operator::LShift => Operator::LShift,
            ruff::Operator::RShift => Operator::RShift,
            ruff::Operator::BitOr => Operator::BitOr,
            ruff::Operator::BitXor => Operator::BitXor,
            ruff::Operator::BitAnd => Operator::BitAnd,
            ruff::Operator::FloorDiv => Operator::FloorDiv,
        }
    }

    fn comparison(op: ruff::CmpOp) -> CmpOperator {
        match op {
            ruff::CmpOp::Eq => CmpOperator::Eq,
            ruff::CmpOp::NotEq => CmpOperator::NotEq,
            ruff::CmpOp::Lt => CmpOperator::Lt,
            ruff::CmpOp::LtE => CmpOperator::LtE,
            ruff::CmpOp::Gt => CmpOperator::Gt,
            ruff::CmpOp::GtE => CmpOperator::GtE,
            ruff::CmpOp::Is => CmpOperator::Is,
            ruff::CmpOp::IsNot => CmpOperator::IsNot,
            ruff::CmpOp::In => CmpOperator::In,
            ruff::CmpOp::NotIn => CmpOperator::NotIn,
        }
    }
}
