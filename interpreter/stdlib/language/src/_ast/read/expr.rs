//! Expressions, arguments, comprehensions.
use krait_object::{PyResult, Value};
use krait_syntax::ast::{
    Arg, Arguments, BoolOperator, CmpOperator, Comprehension, Expr, ExprContext, ExprKind, Keyword, Operator,
    UnaryOperator,
};

use super::Reader;

impl Reader<'_> {
    pub(super) fn expr_field(&mut self, o: &Value, class: &str, name: &str) -> PyResult<Box<Expr>> {
        let v = self.present(o, class, name)?;
        self.expr(&v).map(Box::new)
    }
    pub(super) fn opt_expr(&mut self, o: &Value, name: &str) -> PyResult<Option<Box<Expr>>> {
        match self.opt(o, name)? {
            Some(v) => self.expr(&v).map(|e| Some(Box::new(e))),
            None => Ok(None),
        }
    }
    pub(super) fn exprs(&mut self, o: &Value, class: &str, name: &str) -> PyResult<Vec<Expr>> {
        self.list(o, class, name, |r, v| {
            if v.is_none() { r.value_error("None disallowed in expression list") } else { r.expr(v) }
        })
    }
    fn opt_exprs(&mut self, o: &Value, class: &str, name: &str) -> PyResult<Vec<Option<Expr>>> {
        self.list(o, class, name, |r, v| if v.is_none() { Ok(None) } else { r.expr(v).map(Some) })
    }
    pub(super) fn expr(&mut self, v: &Value) -> PyResult<Expr> {
        self.th.check_native(" during 'expr' construction")?;
        let range = match self.classes.is_node(v) {
            true => self.range(v, "expr", false)?,
            false => return Err(self.unexpected("expr", v)),
        };
        let class = self.class_of(v, "expr")?;
        let kind = match class {
            "BoolOp" => ExprKind::BoolOp { op: self.bool_op(v, class)?, values: self.exprs(v, class, "values")? },
            "NamedExpr" => ExprKind::NamedExpr {
                target: self.expr_field(v, class, "target")?,
                value: self.expr_field(v, class, "value")?,
            },
            "BinOp" => ExprKind::BinOp {
                left: self.expr_field(v, class, "left")?,
                op: self.operator(v, class)?,
                right: self.expr_field(v, class, "right")?,
            },
            "UnaryOp" => {
                ExprKind::UnaryOp { op: self.unary_op(v, class)?, operand: self.expr_field(v, class, "operand")? }
            }
            "Lambda" => ExprKind::Lambda {
                args: Box::new(self.arguments(v, class, "args")?),
                body: self.expr_field(v, class, "body")?,
            },
            "IfExp" => ExprKind::IfExp {
                test: self.expr_field(v, class, "test")?,
                body: self.expr_field(v, class, "body")?,
                orelse: self.expr_field(v, class, "orelse")?,
            },
            "Dict" => {
                ExprKind::Dict { keys: self.opt_exprs(v, class, "keys")?, values: self.exprs(v, class, "values")? }
            }
            "Set" => ExprKind::Set { elts: self.exprs(v, class, "elts")? },
            "ListComp" => ExprKind::ListComp {
                elt: self.expr_field(v, class, "elt")?,
                generators: self.comprehensions(v, class)?,
            },
            "SetComp" => {
                ExprKind::SetComp { elt: self.expr_field(v, class, "elt")?, generators: self.comprehensions(v, class)? }
            }
            "GeneratorExp" => ExprKind::GeneratorExp {
                elt: self.expr_field(v, class, "elt")?,
                generators: self.comprehensions(v, class)?,
            },
            "DictComp" => ExprKind::DictComp {
                key: self.expr_field(v, class, "key")?,
                value: self.expr_field(v, class, "value")?,
                generators: self.comprehensions(v, class)?,
            },
            "Compare" => ExprKind::Compare {
                left: self.expr_field(v, class, "left")?,
                ops: self.list(v, class, "ops", Reader::cmp_op)?,
                comparators: self.exprs(v, class, "comparators")?,
            },
            "Call" => ExprKind::Call {
                func: self.expr_field(v, class, "func")?,
                args: self.exprs(v, class, "args")?,
                keywords: self.keywords(v, class)?,
            },
            _ => self.small_expr(v, class)?,
        };
        Ok(Expr { kind, range })
    }
    fn small_expr(&mut self, v: &Value, class: &'static str) -> PyResult<ExprKind> {
        Ok(match class {
            "Await" => ExprKind::Await { value: self.expr_field(v, class, "value")? },
            "Yield" => ExprKind::Yield { value: self.opt_expr(v, "value")? },
            "YieldFrom" => ExprKind::YieldFrom { value: self.expr_field(v, class, "value")? },
            "FormattedValue" => ExprKind::FormattedValue {
                value: self.expr_field(v, class, "value")?,
                conversion: self.int_field(v, class, "conversion")?,
                format_spec: self.opt_expr(v, "format_spec")?,
            },
            "JoinedStr" => ExprKind::JoinedStr { values: self.exprs(v, class, "values")? },
            "Constant" => {
                let value = self.required(v, class, "value")?;
                ExprKind::Constant { value: self.constant(&value)?, kind: self.opt_string(v, "kind")? }
            }
            "Attribute" => ExprKind::Attribute {
                value: self.expr_field(v, class, "value")?,
                attr: self.identifier_field(v, class, "attr")?,
                ctx: self.context(v, class)?,
            },
            "Subscript" => ExprKind::Subscript {
                value: self.expr_field(v, class, "value")?,
                slice: self.expr_field(v, class, "slice")?,
                ctx: self.context(v, class)?,
            },
            "Starred" => ExprKind::Starred { value: self.expr_field(v, class, "value")?, ctx: self.context(v, class)? },
            "Name" => ExprKind::Name { id: self.identifier_field(v, class, "id")?, ctx: self.context(v, class)? },
            "List" => ExprKind::List { elts: self.exprs(v, class, "elts")?, ctx: self.context(v, class)? },
            "Tuple" => ExprKind::Tuple { elts: self.exprs(v, class, "elts")?, ctx: self.context(v, class)? },
            _ => ExprKind::Slice {
                lower: self.opt_expr(v, "lower")?,
                upper: self.opt_expr(v, "upper")?,
                step: self.opt_expr(v, "step")?,
            },
        })
    }
    fn context(&mut self, o: &Value, class: &str) -> PyResult<ExprContext> {
        let v = self.present(o, class, "ctx")?;
        Ok(match self.class_of(&v, "expr_context")? {
            "Store" => ExprContext::Store,
            "Del" => ExprContext::Del,
            _ => ExprContext::Load,
        })
    }
    fn bool_op(&mut self, o: &Value, class: &str) -> PyResult<BoolOperator> {
        let v = self.present(o, class, "op")?;
        Ok(if self.class_of(&v, "boolop")? == "And" { BoolOperator::And } else { BoolOperator::Or })
    }
    pub(super) fn operator(&mut self, o: &Value, class: &str) -> PyResult<Operator> {
        let v = self.present(o, class, "op")?;
        Ok(match self.class_of(&v, "operator")? {
            "Add" => Operator::Add,
            "Sub" => Operator::Sub,
            "Mult" => Operator::Mult,
            "MatMult" => Operator::MatMult,
            "Div" => Operator::Div,
            "Mod" => Operator::Mod,
            "Pow" => Operator::Pow,
            "LShift" => Operator::LShift,
            "RShift" => Operator::RShift,
            "BitOr" => Operator::BitOr,
            "BitXor" => Operator::BitXor,
            "BitAnd" => Operator::BitAnd,
            _ => Operator::FloorDiv,
        })
    }
    fn unary_op(&mut self, o: &Value, class: &str) -> PyResult<UnaryOperator> {
        let v = self.present(o, class, "op")?;
        Ok(match self.class_of(&v, "unaryop")? {
            "Invert" => UnaryOperator::Invert,
            "Not" => UnaryOperator::Not,
            "UAdd" => UnaryOperator::UAdd,
            _ => UnaryOperator::USub,
        })
    }
    fn cmp_op(&mut self, v: &Value) -> PyResult<CmpOperator> {
        Ok(match self.class_of(v, "cmpop")? {
            "Eq" => CmpOperator::Eq,
            "NotEq" => CmpOperator::NotEq,
            "Lt" => CmpOperator::Lt,
            "LtE" => CmpOperator::LtE,
            "Gt" => CmpOperator::Gt,
            "GtE" => CmpOperator::GtE,
            "Is" => CmpOperator::Is,
            "IsNot" => CmpOperator::IsNot,
            "In" => CmpOperator::In,
            _ => CmpOperator::NotIn,
        })
    }
    fn comprehensions(&mut self, o: &Value, class: &str) -> PyResult<Vec<Comprehension>> {
        self.list(o, class, "generators", |r, v| {
            r.th.check_native(" during 'comprehension' construction")?;
            let class = r.class_of(v, "comprehension")?;
            Ok(Comprehension {
                target: *r.expr_field(v, class, "target")?,
                iter: *r.expr_field(v, class, "iter")?,
                ifs: r.exprs(v, class, "ifs")?,
                is_async: r.int_field(v, class, "is_async")? != 0,
            })
        })
    }
    pub(super) fn keywords(&mut self, o: &Value, class: &str) -> PyResult<Vec<Keyword>> {
        self.list(o, class, "keywords", |r, v| {
            let class = r.class_of(v, "keyword")?;
            let arg = r.opt_identifier(v, "arg")?;
            let value = *r.expr_field(v, class, "value")?;
            Ok(Keyword { arg, value, range: r.range(v, "keyword", false)? })
        })
    }
    fn arg(&mut self, v: &Value) -> PyResult<Arg> {
        let class = self.class_of(v, "arg")?;
        Ok(Arg {
            arg: self.identifier_field(v, class, "arg")?,
            annotation: self.opt_expr(v, "annotation")?,
            type_comment: self.opt_string(v, "type_comment")?,
            range: self.range(v, "arg", false)?,
        })
    }
    fn opt_arg(&mut self, o: &Value, name: &str) -> PyResult<Option<Box<Arg>>> {
        match self.opt(o, name)? {
            Some(v) => self.arg(&v).map(|a| Some(Box::new(a))),
            None => Ok(None),
        }
    }
    pub(super) fn arguments(&mut self, o: &Value, owner: &str, name: &str) -> PyResult<Arguments> {
        let v = &self.present(o, owner, name)?;
        let class = self.class_of(v, "arguments")?;
        Ok(Arguments {
            posonlyargs: self.list(v, class, "posonlyargs", Reader::arg)?,
            args: self.list(v, class, "args", Reader::arg)?,
            vararg: self.opt_arg(v, "vararg")?,
            kwonlyargs: self.list(v, class, "kwonlyargs", Reader::arg)?,
            kw_defaults: self.opt_exprs(v, class, "kw_defaults")?,
            kwarg: self.opt_arg(v, "kwarg")?,
            defaults: self.exprs(v, class, "defaults")?,
        })
    }
}
