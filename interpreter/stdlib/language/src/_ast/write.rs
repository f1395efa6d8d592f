//! Trees to objects.
use krait_object::intern::intern;
use krait_object::{Bytes, FrozenSet, List, PyResult, Ref, Set, Str, Thread, Tuple, Value, instance};
use krait_runtime::types::complex;
use krait_syntax::ast::{
    self, Alias, Arg, Arguments, BoolOperator, CmpOperator, Comprehension, Constant, Expr, ExprContext, ExprKind, For,
    FunctionDef, Identifier, Keyword, MatchCase, Mod, Operator, Pattern, PatternKind, Stmt, StmtKind, Try, TypeParam,
    TypeParamKind, UnaryOperator, With, Wtf8Box,
};

use super::classes::Classes;

struct Writer<'a> {
    th: &'a mut Thread,
    classes: &'a Classes,
}

pub(super) fn module(th: &mut Thread, classes: &Classes, tree: &Mod) -> PyResult<Value> {
    let mut w = Writer { th, classes };
    Ok(match tree {
        Mod::Module { body, type_ignores } => {
            let body = w.stmts(body)?;
            let ignores = type_ignores
                .iter()
                .map(|t| w.node("TypeIgnore", [Value::from(t.lineno), string(&t.tag)], None))
                .collect();
            w.node("Module", [body, list(ignores)], None)
        }
        Mod::Interactive { body } => {
            let body = w.stmts(body)?;
            w.node("Interactive", [body], None)
        }
        Mod::Expression { body } => {
            let body = w.expr(body)?;
            w.node("Expression", [body], None)
        }
        Mod::FunctionType { argtypes, returns } => {
            let fields = [w.exprs(argtypes)?, w.expr(returns)?];
            w.node("FunctionType", fields, None)
        }
    })
}

fn list(items: Vec<Value>) -> Value {
    List::new(items).into()
}
fn name(id: &Identifier) -> Value {
    intern(id).into()
}
fn opt_name(id: &Option<Identifier>) -> Value {
    id.as_ref().map_or(Value::NONE, name)
}
fn names(ids: &[Identifier]) -> Value {
    list(ids.iter().map(name).collect())
}
fn string(s: &Wtf8Box) -> Value {
    Str::from_wtf8(s.as_bytes()).into()
}
fn opt_string(s: &Option<Wtf8Box>) -> Value {
    s.as_ref().map_or(Value::NONE, string)
}

impl Writer<'_> {
    fn node<const N: usize>(&mut self, class: &str, fields: [Value; N], range: Option<&ast::Range>) -> Value {
        let class = self.classes.node(class);
        let made = Ref::<()>::with_class((), class.class.object()).into_value();
        for (name, value) in class.fields.iter().zip(fields) {
            instance::set_attr(&made, name, value);
        }
        if let Some(r) = range {
            let numbers = [r.lineno, r.col_offset, r.end_lineno, r.end_col_offset];
            for (name, number) in self.classes.places.iter().zip(numbers) {
                instance::set_attr(&made, name, Value::from(number));
            }
        }
        made
    }
    fn stmts(&mut self, body: &[Stmt]) -> PyResult<Value> {
        let items = body.iter().map(|s| self.stmt(s)).collect::<PyResult<Vec<_>>>()?;
        Ok(list(items))
    }
    fn exprs(&mut self, all: &[Expr]) -> PyResult<Value> {
        let items = all.iter().map(|e| self.expr(e)).collect::<PyResult<Vec<_>>>()?;
        Ok(list(items))
    }
    fn opt_exprs(&mut self, all: &[Option<Expr>]) -> PyResult<Value> {
        let items = all.iter().map(|e| self.opt_ref(e.as_ref())).collect::<PyResult<Vec<_>>>()?;
        Ok(list(items))
    }
    fn opt(&mut self, e: &Option<Box<Expr>>) -> PyResult<Value> {
        self.opt_ref(e.as_deref())
    }
    fn opt_ref(&mut self, e: Option<&Expr>) -> PyResult<Value> {
        e.map_or(Ok(Value::NONE), |e| self.expr(e))
    }
    fn stmt(&mut self, s: &Stmt) -> PyResult<Value> {
        self.th.check_native(" during ast construction")?;
        let r = Some(&s.range);
        Ok(match &s.kind {
            StmtKind::FunctionDef(f) => self.function("FunctionDef", f, r)?,
            StmtKind::AsyncFunctionDef(f) => self.function("AsyncFunctionDef", f, r)?,
            StmtKind::ClassDef(c) => {
                let fields = [
                    name(&c.name),
                    self.exprs(&c.bases)?,
                    self.keywords(&c.keywords)?,
                    self.stmts(&c.body)?,
                    self.exprs(&c.decorator_list)?,
                    self.type_params(&c.type_params)?,
                ];
                self.node("ClassDef", fields, r)
            }
            StmtKind::Return { value } => {
                let fields = [self.opt(value)?];
                self.node("Return", fields, r)
            }
            StmtKind::Delete { targets } => {
                let fields = [self.exprs(targets)?];
                self.node("Delete", fields, r)
            }
            StmtKind::Assign { targets, value, type_comment } => {
                let fields = [self.exprs(targets)?, self.expr(value)?, opt_string(type_comment)];
                self.node("Assign", fields, r)
            }
            StmtKind::TypeAlias { name, type_params, value } => {
                let fields = [self.expr(name)?, self.type_params(type_params)?, self.expr(value)?];
                self.node("TypeAlias", fields, r)
            }
            StmtKind::AugAssign { target, op, value } => {
                let fields = [self.expr(target)?, self.classes.shared(operator(*op)), self.expr(value)?];
                self.node("AugAssign", fields, r)
            }
            StmtKind::AnnAssign { target, annotation, value, simple } => {
                let simple = Value::int((*simple).into());
                let fields = [self.expr(target)?, self.expr(annotation)?, self.opt(value)?, simple];
                self.node("AnnAssign", fields, r)
            }
            StmtKind::For(f) => self.for_loop("For", f, r)?,
            StmtKind::AsyncFor(f) => self.for_loop("AsyncFor", f, r)?,
            StmtKind::While { test, body, orelse } => {
                let fields = [self.expr(test)?, self.stmts(body)?, self.stmts(orelse)?];
                self.node("While", fields, r)
            }
            StmtKind::If { test, body, orelse } => {
                let fields = [self.expr(test)?, self.stmts(body)?, self.stmts(orelse)?];
                self.node("If", fields, r)
            }
            StmtKind::With(w) => self.with("With", w, r)?,
            StmtKind::AsyncWith(w) => self.with("AsyncWith", w, r)?,
            StmtKind::Try(t) => self.try_block("Try", t, r)?,
            StmtKind::TryStar(t) => self.try_block("TryStar", t, r)?,
            _ => self.small_stmt(s)?,
        })
    }
    fn small_stmt(&mut self, s: &Stmt) -> PyResult<Value> {
        let r = Some(&s.range);
        Ok(match &s.kind {
            StmtKind::Match { subject, cases } => {
                let subject = self.expr(subject)?;
                let cases = cases.iter().map(|c| self.match_case(c)).collect::<PyResult<Vec<_>>>()?;
                self.node("Match", [subject, list(cases)], r)
            }
            StmtKind::Raise { exc, cause } => {
                let fields = [self.opt(exc)?, self.opt(cause)?];
                self.node("Raise", fields, r)
            }
            StmtKind::Assert { test, msg } => {
                let fields = [self.expr(test)?, self.opt(msg)?];
                self.node("Assert", fields, r)
            }
            StmtKind::Import { names } => {
                let fields = [self.aliases(names)];
                self.node("Import", fields, r)
            }
            StmtKind::ImportFrom { module, names, level } => {
                let fields = [opt_name(module), self.aliases(names), Value::from(*level)];
                self.node("ImportFrom", fields, r)
            }
            StmtKind::Global { names: ids } => self.node("Global", [names(ids)], r),
            StmtKind::Nonlocal { names: ids } => self.node("Nonlocal", [names(ids)], r),
            StmtKind::Expr { value } => {
                let fields = [self.expr(value)?];
                self.node("Expr", fields, r)
            }
            StmtKind::Pass => self.node("Pass", [], r),
            StmtKind::Break => self.node("Break", [], r),
            StmtKind::Continue => self.node("Continue", [], r),
            _ => unreachable!("`stmt` deals with the others"),
        })
    }
    fn function(&mut self, class: &str, f: &FunctionDef, r: Option<&ast::Range>) -> PyResult<Value> {
        let fields = [
            name(&f.name),
            self.arguments(&f.args)?,
            self.stmts(&f.body)?,
            self.exprs(&f.decorator_list)?,
            self.opt(&f.returns)?,
            opt_string(&f.type_comment),
            self.type_params(&f.type_params)?,
        ];
        Ok(self.node(class, fields, r))
    }
    fn for_loop(&mut self, class: &str, f: &For, r: Option<&ast::Range>) -> PyResult<Value> {
        let fields = [
            self.expr(&f.target)?,
            self.expr(&f.iter)?,
            self.stmts(&f.body)?,
            self.stmts(&f.orelse)?,
            opt_string(&f.type_comment),
        ];
        Ok(self.node(class, fields, r))
    }
    fn with(&mut self, class: &str, w: &With, r: Option<&ast::Range>) -> PyResult<Value> {
        let mut items = Vec::with_capacity(w.items.len());
        for item in &w.items {
            let fields = [self.expr(&item.context_expr)?, self.opt(&item.optional_vars)?];
            items.push(self.node("withitem", fields, None));
        }
        let fields = [list(items), self.stmts(&w.body)?, opt_string(&w.type_comment)];
        Ok(self.node(class, fields, r))
    }
    fn try_block(&mut self, class: &str, t: &Try, r: Option<&ast::Range>) -> PyResult<Value> {
        let body = self.stmts(&t.body)?;
        let mut handlers = Vec::with_capacity(t.handlers.len());
        for h in &t.handlers {
            let fields = [self.opt(&h.type_)?, opt_name(&h.name), self.stmts(&h.body)?];
            handlers.push(self.node("ExceptHandler", fields, Some(&h.range)));
        }
        let fields = [body, list(handlers), self.stmts(&t.orelse)?, self.stmts(&t.finalbody)?];
        Ok(self.node(class, fields, r))
    }
    fn aliases(&mut self, all: &[Alias]) -> Value {
        list(all.iter().map(|a| self.node("alias", [name(&a.name), opt_name(&a.asname)], Some(&a.range))).collect())
    }
    fn keywords(&mut self, all: &[Keyword]) -> PyResult<Value> {
        let mut items = Vec::with_capacity(all.len());
        for k in all {
            let fields = [opt_name(&k.arg), self.expr(&k.value)?];
            items.push(self.node("keyword", fields, Some(&k.range)));
        }
        Ok(list(items))
    }
    fn type_params(&mut self, all: &[TypeParam]) -> PyResult<Value> {
        let mut items = Vec::with_capacity(all.len());
        for p in all {
            let r = Some(&p.range);
            items.push(match &p.kind {
                TypeParamKind::TypeVar { name: id, bound, default_value } => {
                    let fields = [name(id), self.opt(bound)?, self.opt(default_value)?];
                    self.node("TypeVar", fields, r)
                }
                TypeParamKind::ParamSpec { name: id, default_value } => {
                    let fields = [name(id), self.opt(default_value)?];
                    self.node("ParamSpec", fields, r)
                }
                TypeParamKind::TypeVarTuple { name: id, default_value } => {
                    let fields = [name(id), self.opt(default_value)?];
                    self.node("TypeVarTuple", fields, r)
                }
            });
        }
        Ok(list(items))
    }
    fn arg(&mut self, a: &Arg) -> PyResult<Value> {
        let fields = [name(&a.arg), self.opt(&a.annotation)?, opt_string(&a.type_comment)];
        Ok(self.node("arg", fields, Some(&a.range)))
    }
    fn args(&mut self, all: &[Arg]) -> PyResult<Value> {
        let items = all.iter().map(|a| self.arg(a)).collect::<PyResult<Vec<_>>>()?;
        Ok(list(items))
    }
    fn opt_arg(&mut self, a: &Option<Box<Arg>>) -> PyResult<Value> {
        a.as_ref().map_or(Ok(Value::NONE), |a| self.arg(a))
    }
    fn arguments(&mut self, a: &Arguments) -> PyResult<Value> {
        let fields = [
            self.args(&a.posonlyargs)?,
            self.args(&a.args)?,
            self.opt_arg(&a.vararg)?,
            self.args(&a.kwonlyargs)?,
            self.opt_exprs(&a.kw_defaults)?,
            self.opt_arg(&a.kwarg)?,
            self.exprs(&a.defaults)?,
        ];
        Ok(self.node("arguments", fields, None))
    }
    fn match_case(&mut self, c: &MatchCase) -> PyResult<Value> {
        let fields = [self.pattern(&c.pattern)?, self.opt(&c.guard)?, self.stmts(&c.body)?];
        Ok(self.node("match_case", fields, None))
    }
    fn patterns(&mut self, all: &[Pattern]) -> PyResult<Value> {
        let items = all.iter().map(|p| self.pattern(p)).collect::<PyResult<Vec<_>>>()?;
        Ok(list(items))
    }
    fn pattern(&mut self, p: &Pattern) -> PyResult<Value> {
        self.th.check_native(" during ast construction")?;
        let r = Some(&p.range);
        Ok(match &p.kind {
            PatternKind::MatchValue { value } => {
                let fields = [self.expr(value)?];
                self.node("MatchValue", fields, r)
            }
            PatternKind::MatchSingleton { value } => {
                let fields = [self.constant(value)?];
                self.node("MatchSingleton", fields, r)
            }
            PatternKind::MatchSequence { patterns } => {
                let fields = [self.patterns(patterns)?];
                self.node("MatchSequence", fields, r)
            }
            PatternKind::MatchMapping { keys, patterns, rest } => {
                let fields = [self.exprs(keys)?, self.patterns(patterns)?, opt_name(rest)];
                self.node("MatchMapping", fields, r)
            }
            PatternKind::MatchClass { cls, patterns, kwd_attrs, kwd_patterns } => {
                let fields =
                    [self.expr(cls)?, self.patterns(patterns)?, names(kwd_attrs), self.patterns(kwd_patterns)?];
                self.node("MatchClass", fields, r)
            }
            PatternKind::MatchStar { name } => self.node("MatchStar", [opt_name(name)], r),
            PatternKind::MatchAs { pattern, name } => {
                let inner = pattern.as_ref().map_or(Ok(Value::NONE), |p| self.pattern(p))?;
                self.node("MatchAs", [inner, opt_name(name)], r)
            }
            PatternKind::MatchOr { patterns } => {
                let fields = [self.patterns(patterns)?];
                self.node("MatchOr", fields, r)
            }
        })
    }
    fn comprehensions(&mut self, all: &[Comprehension]) -> PyResult<Value> {
        let mut items = Vec::with_capacity(all.len());
        for c in all {
            let is_async = Value::int(c.is_async.into());
            let fields = [self.expr(&c.target)?, self.expr(&c.iter)?, self.exprs(&c.ifs)?, is_async];
            items.push(self.node("comprehension", fields, None));
        }
        Ok(list(items))
    }
    fn comp(&mut self, class: &str, elt: &Expr, all: &[Comprehension], r: Option<&ast::Range>) -> PyResult<Value> {
        let fields = [self.expr(elt)?, self.comprehensions(all)?];
        Ok(self.node(class, fields, r))
    }
    fn expr(&mut self, e: &Expr) -> PyResult<Value> {
        self.th.check_native(" during ast construction")?;
        let r = Some(&e.range);
        Ok(match &e.kind {
            ExprKind::BoolOp { op, values } => {
                let op = self.classes.shared(if *op == BoolOperator::And { "And" } else { "Or" });
                let fields = [op, self.exprs(values)?];
                self.node("BoolOp", fields, r)
            }
            ExprKind::NamedExpr { target, value } => {
                let fields = [self.expr(target)?, self.expr(value)?];
                self.node("NamedExpr", fields, r)
            }
            ExprKind::BinOp { left, op, right } => {
                let fields = [self.expr(left)?, self.classes.shared(operator(*op)), self.expr(right)?];
                self.node("BinOp", fields, r)
            }
            ExprKind::UnaryOp { op, operand } => {
                let fields = [self.classes.shared(unary(*op)), self.expr(operand)?];
                self.node("UnaryOp", fields, r)
            }
            ExprKind::Lambda { args, body } => {
                let fields = [self.arguments(args)?, self.expr(body)?];
                self.node("Lambda", fields, r)
            }
            ExprKind::IfExp { test, body, orelse } => {
                let fields = [self.expr(test)?, self.expr(body)?, self.expr(orelse)?];
                self.node("IfExp", fields, r)
            }
            ExprKind::Dict { keys, values } => {
                let fields = [self.opt_exprs(keys)?, self.exprs(values)?];
                self.node("Dict", fields, r)
            }
            ExprKind::Set { elts } => {
                let fields = [self.exprs(elts)?];
                self.node("Set", fields, r)
            }
            ExprKind::ListComp { elt, generators } => self.comp("ListComp", elt, generators, r)?,
            ExprKind::SetComp { elt, generators } => self.comp("SetComp", elt, generators, r)?,
            ExprKind::GeneratorExp { elt, generators } => self.comp("GeneratorExp", elt, generators, r)?,
            ExprKind::DictComp { key, value, generators } => {
                let fields = [self.expr(key)?, self.expr(value)?, self.comprehensions(generators)?];
                self.node("DictComp", fields, r)
            }
            ExprKind::Compare { left, ops, comparators } => {
                let left = self.expr(left)?;
                let ops = list(ops.iter().map(|op| self.classes.shared(cmp(*op))).collect());
                let fields = [left, ops, self.exprs(comparators)?];
                self.node("Compare", fields, r)
            }
            ExprKind::Call { func, args, keywords } => {
                let fields = [self.expr(func)?, self.exprs(args)?, self.keywords(keywords)?];
                self.node("Call", fields, r)
            }
            _ => self.small_expr(e)?,
        })
    }
    fn small_expr(&mut self, e: &Expr) -> PyResult<Value> {
        let r = Some(&e.range);
        Ok(match &e.kind {
            ExprKind::Await { value } => {
                let fields = [self.expr(value)?];
                self.node("Await", fields, r)
            }
            ExprKind::Yield { value } => {
                let fields = [self.opt(value)?];
                self.node("Yield", fields, r)
            }
            ExprKind::YieldFrom { value } => {
                let fields = [self.expr(value)?];
                self.node("YieldFrom", fields, r)
            }
            ExprKind::FormattedValue { value, conversion, format_spec } => {
                let fields = [self.expr(value)?, Value::from(*conversion), self.opt(format_spec)?];
                self.node("FormattedValue", fields, r)
            }
            ExprKind::JoinedStr { values } => {
                let fields = [self.exprs(values)?];
                self.node("JoinedStr", fields, r)
            }
            ExprKind::Constant { value, kind } => {
                let fields = [self.constant(value)?, opt_string(kind)];
                self.node("Constant", fields, r)
            }
            ExprKind::Attribute { value, attr, ctx } => {
                let fields = [self.expr(value)?, name(attr), self.context(*ctx)];
                self.node("Attribute", fields, r)
            }
            ExprKind::Subscript { value, slice, ctx } => {
                let fields = [self.expr(value)?, self.expr(slice)?, self.context(*ctx)];
                self.node("Subscript", fields, r)
            }
            ExprKind::Starred { value, ctx } => {
                let fields = [self.expr(value)?, self.context(*ctx)];
                self.node("Starred", fields, r)
            }
            ExprKind::Name { id, ctx } => {
                let fields = [name(id), self.context(*ctx)];
                self.node("Name", fields, r)
            }
            ExprKind::List { elts, ctx } => {
                let fields = [self.exprs(elts)?, self.context(*ctx)];
                self.node("List", fields, r)
            }
            ExprKind::Tuple { elts, ctx } => {
                let fields = [self.exprs(elts)?, self.context(*ctx)];
                self.node("Tuple", fields, r)
            }
            ExprKind::Slice { lower, upper, step } => {
                let fields = [self.opt(lower)?, self.opt(upper)?, self.opt(step)?];
                self.node("Slice", fields, r)
            }
            _ => unreachable!("`expr` deals with the others"),
        })
    }
    fn context(&self, ctx: ExprContext) -> Value {
        self.classes.shared(match ctx {
            ExprContext::Load => "Load",
            ExprContext::Store => "Store",
            ExprContext::Del => "Del",
        })
    }
    fn constants(&mut self, items: &[Constant]) -> PyResult<Vec<Value>> {
        items.iter().map(|c| self.constant(c)).collect()
    }
    fn constant(&mut self, c: &Constant) -> PyResult<Value> {
        self.th.check_native(" during ast construction")?;
        Ok(match c {
            Constant::None => Value::NONE,
            Constant::Bool(b) => Value::bool(*b),
            Constant::Ellipsis => Value::ELLIPSIS,
            Constant::Int(i) => Value::int(*i),
            Constant::BigInt(i) => (**i).clone().into(),
            Constant::Float(f) => Value::float(*f),
            Constant::Complex { real, imag } => complex::new(*real, *imag),
            Constant::Str(s) => string(s),
            Constant::Bytes(b) => Bytes::new(b).into(),
            Constant::Tuple(items) => Tuple::from_vec(self.constants(items)?).into(),
            Constant::FrozenSet(items) => {
                let set = Set::default();
                for v in self.constants(items)? {
                    set.add(self.th, v)?;
                }
                Ref::new(FrozenSet(set)).into()
            }
        })
    }
}

fn operator(op: Operator) -> &'static str {
    match op {
        Operator::Add => "Add",
        Operator::Sub => "Sub",
        Operator::Mult => "Mult",
        Operator::MatMult => "MatMult",
        Operator::Div => "Div",
        Operator::Mod => "Mod",
        Operator::Pow => "Pow",
        Operator::LShift => "LShift",
        Operator::RShift => "RShift",
        Operator::BitOr => "BitOr",
        Operator::BitXor => "BitXor",
        Operator::BitAnd => "BitAnd",
        Operator::FloorDiv => "FloorDiv",
    }
}
fn unary(op: UnaryOperator) -> &'static str {
    match op {
        UnaryOperator::Invert => "Invert",
        UnaryOperator::Not => "Not",
        UnaryOperator::UAdd => "UAdd",
        UnaryOperator::USub => "USub",
    }
}
fn cmp(op: CmpOperator) -> &'static str {
    match op {
        CmpOperator::Eq => "Eq",
        CmpOperator::NotEq => "NotEq",
        CmpOperator::Lt => "Lt",
        CmpOperator::LtE => "LtE",
        CmpOperator::Gt => "Gt",
        CmpOperator::GtE => "GtE",
        CmpOperator::Is => "Is",
        CmpOperator::IsNot => "IsNot",
        CmpOperator::In => "In",
        CmpOperator::NotIn => "NotIn",
    }
}
