//! Dumps trees for `scripts/check-ast` and errors for `scripts/check-syntax-errors`.
//!
//! `dump FILE…` prints each file's tree; `dump --batch` reads paths from standard input and answers each with a line
//! `LENGTH` and that many bytes; `dump --errors` does the same for length-prefixed sources (`MODE LENGTH`).
#![forbid(unsafe_code)]

use std::fmt::Write as _;
use std::io::{BufRead, Read, Write};

use krait_syntax::ast::*;
use krait_syntax::{Mode, ParseOptions};

fn main() -> std::io::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.first().map(String::as_str) {
        Some("--batch") => batch(),
        Some("--errors") => errors(),
        Some("--unparse") => unparse(),
        _ => {
            for path in &arguments {
                println!("{}", dump_file(path)?);
            }
            Ok(())
        }
    }
}

fn batch() -> std::io::Result<()> {
    let mut out = std::io::stdout().lock();
    for path in std::io::stdin().lock().lines() {
        let text = dump_file(&path?)?;
        writeln!(out, "{}", text.len())?;
        out.write_all(text.as_bytes())?;
        out.flush()?;
    }
    Ok(())
}

fn dump_file(path: &str) -> std::io::Result<String> {
    let bytes = std::fs::read(path)?;
    Ok(match krait_syntax::parse(&bytes, &ParseOptions::new(Mode::Exec)) {
        Ok(parsed) => dump_mod(&parsed.module),
        Err(error) => format!("{error:?}"),
    })
}

/// Answers each source with `OK`, or `kind|msg|lineno|offset|end_lineno|end_offset`, and a second part: warnings.
fn errors() -> std::io::Result<()> {
    let mut input = std::io::stdin().lock();
    let mut out = std::io::stdout().lock();
    loop {
        let mut header = String::new();
        if input.read_line(&mut header)? == 0 {
            return Ok(());
        }
        let mut words = header.split_whitespace();
        let mode = match words.next() {
            Some("eval") => Mode::Eval,
            Some("single") => Mode::Single,
            Some("func_type") => Mode::FuncType,
            _ => Mode::Exec,
        };
        let length = words.next().and_then(|word| word.parse().ok()).unwrap_or(0);
        let mut source = vec![0; length];
        input.read_exact(&mut source)?;
        let mut options = ParseOptions::new(mode);
        for word in words {
            match word {
                "incomplete" => options.allow_incomplete_input = true,
                "nodedent" => options.dont_imply_dedent = true,
                _ => {}
            }
        }
        let answer = answer(&source, &options);
        writeln!(out, "{}", answer.len())?;
        out.write_all(answer.as_bytes())?;
        out.flush()?;
    }
}

/// Answers each line of standard input, an expression, with its text again.
fn unparse() -> std::io::Result<()> {
    for line in std::io::stdin().lock().lines() {
        match krait_syntax::parse_text(&line?, &ParseOptions::new(Mode::Eval)) {
            Ok(parsed) => match &parsed.module {
                Mod::Expression { body } => println!("{}", krait_syntax::unparse(body)),
                _ => println!("no expression"),
            },
            Err(error) => println!("{error:?}"),
        }
    }
    Ok(())
}

fn answer(source: &[u8], options: &ParseOptions<'_>) -> String {
    match krait_syntax::parse_text(&String::from_utf8_lossy(source), options) {
        Ok(parsed) => {
            let mut text = "OK".to_owned();
            for warning in &parsed.warnings {
                let _ = write!(text, "|{}|{}", warning.msg, warning.location.lineno);
            }
            text
        }
        Err(error) => match error.location {
            Some(l) => format!(
                "{:?}|{}|{}|{}|{}|{}|{}",
                error.kind,
                error.msg,
                l.lineno,
                l.offset,
                l.end_lineno.map_or("None".to_owned(), |line| line.to_string()),
                l.end_offset.map_or("None".to_owned(), |offset| offset.to_string()),
                l.text.unwrap_or_else(|| "None".to_owned())
            ),
            None => format!("{:?}|{}", error.kind, error.msg),
        },
    }
}

struct Dumper(String);

fn dump_mod(module: &Mod) -> String {
    let mut d = Dumper(String::new());
    match module {
        Mod::Module { body, .. } => {
            d.open("Module");
            d.stmts(body);
        }
        Mod::Interactive { body } => {
            d.open("Interactive");
            d.stmts(body);
        }
        Mod::Expression { body } => {
            d.open("Expression");
            d.expr(body);
        }
        Mod::FunctionType { argtypes, returns } => {
            d.open("FunctionType");
            d.exprs(argtypes);
            d.expr(returns);
        }
    }
    d.0.push(')');
    d.0
}

impl Dumper {
    fn open(&mut self, name: &str) {
        self.0.push_str(name);
        self.0.push('(');
    }

    fn close(&mut self, range: Range) {
        let _ = write!(self.0, "@{},{},{},{})", range.lineno, range.col_offset, range.end_lineno, range.end_col_offset);
    }

    fn list<T>(&mut self, items: &[T], mut each: impl FnMut(&mut Self, &T)) {
        self.0.push('[');
        for item in items {
            each(self, item);
            self.0.push(',');
        }
        self.0.push(']');
    }

    fn opt<T>(&mut self, item: Option<&T>, each: impl FnOnce(&mut Self, &T)) {
        match item {
            Some(item) => each(self, item),
            None => self.0.push_str("None"),
        }
    }

    fn text(&mut self, bytes: &[u8]) {
        self.0.push('\'');
        for &byte in bytes {
            if (32..127).contains(&byte) && byte != b'\\' {
                self.0.push(char::from(byte));
            } else {
                let _ = write!(self.0, "\\{byte:02x}");
            }
        }
        self.0.push('\'');
    }

    fn id(&mut self, id: &Identifier) {
        self.text(id.as_bytes());
    }

    fn opt_id(&mut self, id: Option<&Identifier>) {
        self.opt(id, Self::id);
    }

    fn opt_expr(&mut self, expr: Option<&Expr>) {
        self.opt(expr, Self::expr);
    }

    fn exprs(&mut self, exprs: &[Expr]) {
        self.list(exprs, Self::expr);
    }

    fn stmts(&mut self, stmts: &[Stmt]) {
        self.list(stmts, Self::stmt);
    }

    fn stmt(&mut self, stmt: &Stmt) {
        match &stmt.kind {
            StmtKind::FunctionDef(def) => self.function_def("FunctionDef", def),
            StmtKind::AsyncFunctionDef(def) => self.function_def("AsyncFunctionDef", def),
            StmtKind::ClassDef(def) => {
                self.open("ClassDef");
                self.id(&def.name);
                self.exprs(&def.bases);
                self.list(&def.keywords, Self::keyword);
                self.stmts(&def.body);
                self.exprs(&def.decorator_list);
                self.list(&def.type_params, Self::type_param);
            }
            StmtKind::Return { value } => {
                self.open("Return");
                self.opt_expr(value.as_deref());
            }
            StmtKind::Delete { targets } => {
                self.open("Delete");
                self.exprs(targets);
            }
            StmtKind::Assign { targets, value, .. } => {
                self.open("Assign");
                self.exprs(targets);
                self.expr(value);
            }
            StmtKind::TypeAlias { name, type_params, value } => {
                self.open("TypeAlias");
                self.expr(name);
                self.list(type_params, Self::type_param);
                self.expr(value);
            }
            StmtKind::AugAssign { target, op, value } => {
                self.open("AugAssign");
                self.expr(target);
                let _ = write!(self.0, "{op:?}");
                self.expr(value);
            }
            StmtKind::AnnAssign { target, annotation, value, simple } => {
                self.open("AnnAssign");
                self.expr(target);
                self.expr(annotation);
                self.opt_expr(value.as_deref());
                self.0.push(if *simple { '1' } else { '0' });
            }
            StmtKind::For(node) => self.for_("For", node),
            StmtKind::AsyncFor(node) => self.for_("AsyncFor", node),
            StmtKind::While { test, body, orelse } => self.branch("While", test, body, orelse),
            StmtKind::If { test, body, orelse } => self.branch("If", test, body, orelse),
            StmtKind::With(node) => self.with("With", node),
            StmtKind::AsyncWith(node) => self.with("AsyncWith", node),
            StmtKind::Match { subject, cases } => {
                self.open("Match");
                self.expr(subject);
                self.list(cases, |d, case| {
                    d.open("match_case");
                    d.pattern(&case.pattern);
                    d.opt_expr(case.guard.as_deref());
                    d.stmts(&case.body);
                    d.0.push(')');
                });
            }
            _ => self.simple(&stmt.kind),
        }
        self.close(stmt.range);
    }

    fn simple(&mut self, kind: &StmtKind) {
        match kind {
            StmtKind::Raise { exc, cause } => {
                self.open("Raise");
                self.opt_expr(exc.as_deref());
                self.opt_expr(cause.as_deref());
            }
            StmtKind::Try(node) => self.try_("Try", node),
            StmtKind::TryStar(node) => self.try_("TryStar", node),
            StmtKind::Assert { test, msg } => {
                self.open("Assert");
                self.expr(test);
                self.opt_expr(msg.as_deref());
            }
            StmtKind::Import { names } => {
                self.open("Import");
                self.list(names, Self::alias);
            }
            StmtKind::ImportFrom { module, names, level } => {
                self.open("ImportFrom");
                self.opt_id(module.as_ref());
                self.list(names, Self::alias);
                let _ = write!(self.0, "{level}");
            }
            StmtKind::Global { names } => {
                self.open("Global");
                self.list(names, Self::id);
            }
            StmtKind::Nonlocal { names } => {
                self.open("Nonlocal");
                self.list(names, Self::id);
            }
            StmtKind::Expr { value } => {
                self.open("Expr");
                self.expr(value);
            }
            StmtKind::Break => self.open("Break"),
            StmtKind::Continue => self.open("Continue"),
            _ => self.open("Pass"),
        }
    }

    fn branch(&mut self, name: &str, test: &Expr, body: &[Stmt], orelse: &[Stmt]) {
        self.open(name);
        self.expr(test);
        self.stmts(body);
        self.stmts(orelse);
    }

    fn function_def(&mut self, name: &str, def: &FunctionDef) {
        self.open(name);
        self.id(&def.name);
        self.arguments(&def.args);
        self.stmts(&def.body);
        self.exprs(&def.decorator_list);
        self.opt_expr(def.returns.as_deref());
        self.list(&def.type_params, Self::type_param);
    }

    fn for_(&mut self, name: &str, node: &For) {
        self.open(name);
        self.expr(&node.target);
        self.expr(&node.iter);
        self.stmts(&node.body);
        self.stmts(&node.orelse);
    }

    fn with(&mut self, name: &str, node: &With) {
        self.open(name);
        self.list(&node.items, |d, item| {
            d.open("withitem");
            d.expr(&item.context_expr);
            d.opt_expr(item.optional_vars.as_deref());
            d.0.push(')');
        });
        self.stmts(&node.body);
    }

    fn try_(&mut self, name: &str, node: &Try) {
        self.open(name);
        self.stmts(&node.body);
        self.list(&node.handlers, |d, handler| {
            d.open("ExceptHandler");
            d.opt_expr(handler.type_.as_deref());
            d.opt_id(handler.name.as_ref());
            d.stmts(&handler.body);
            d.close(handler.range);
        });
        self.stmts(&node.orelse);
        self.stmts(&node.finalbody);
    }

    fn alias(&mut self, alias: &Alias) {
        self.open("alias");
        self.id(&alias.name);
        self.opt_id(alias.asname.as_ref());
        self.close(alias.range);
    }

    fn keyword(&mut self, keyword: &Keyword) {
        self.open("keyword");
        self.opt_id(keyword.arg.as_ref());
        self.expr(&keyword.value);
        self.close(keyword.range);
    }

    fn type_param(&mut self, param: &TypeParam) {
        match &param.kind {
            TypeParamKind::TypeVar { name, bound, default_value } => {
                self.open("TypeVar");
                self.id(name);
                self.opt_expr(bound.as_deref());
                self.opt_expr(default_value.as_deref());
            }
            TypeParamKind::ParamSpec { name, default_value } => {
                self.open("ParamSpec");
                self.id(name);
                self.opt_expr(default_value.as_deref());
            }
            TypeParamKind::TypeVarTuple { name, default_value } => {
                self.open("TypeVarTuple");
                self.id(name);
                self.opt_expr(default_value.as_deref());
            }
        }
        self.close(param.range);
    }

    fn arg(&mut self, arg: &Arg) {
        self.open("arg");
        self.id(&arg.arg);
        self.opt_expr(arg.annotation.as_deref());
        self.close(arg.range);
    }

    fn arguments(&mut self, args: &Arguments) {
        self.open("arguments");
        self.list(&args.posonlyargs, Self::arg);
        self.list(&args.args, Self::arg);
        self.opt(args.vararg.as_deref(), Self::arg);
        self.list(&args.kwonlyargs, Self::arg);
        self.list(&args.kw_defaults, |d, default| d.opt_expr(default.as_ref()));
        self.opt(args.kwarg.as_deref(), Self::arg);
        self.exprs(&args.defaults);
        self.0.push(')');
    }

    fn pattern(&mut self, pattern: &Pattern) {
        match &pattern.kind {
            PatternKind::MatchValue { value } => {
                self.open("MatchValue");
                self.expr(value);
            }
            PatternKind::MatchSingleton { value } => {
                self.open("MatchSingleton");
                self.constant(value);
            }
            PatternKind::MatchSequence { patterns } => {
                self.open("MatchSequence");
                self.list(patterns, Self::pattern);
            }
            PatternKind::MatchMapping { keys, patterns, rest } => {
                self.open("MatchMapping");
                self.exprs(keys);
                self.list(patterns, Self::pattern);
                self.opt_id(rest.as_ref());
            }
            PatternKind::MatchClass { cls, patterns, kwd_attrs, kwd_patterns } => {
                self.open("MatchClass");
                self.expr(cls);
                self.list(patterns, Self::pattern);
                self.list(kwd_attrs, Self::id);
                self.list(kwd_patterns, Self::pattern);
            }
            PatternKind::MatchStar { name } => {
                self.open("MatchStar");
                self.opt_id(name.as_ref());
            }
            PatternKind::MatchAs { pattern, name } => {
                self.open("MatchAs");
                self.opt(pattern.as_deref(), Self::pattern);
                self.opt_id(name.as_ref());
            }
            PatternKind::MatchOr { patterns } => {
                self.open("MatchOr");
                self.list(patterns, Self::pattern);
            }
        }
        self.close(pattern.range);
    }

    fn constant(&mut self, value: &Constant) {
        let _ = match value {
            Constant::None => write!(self.0, "None"),
            Constant::Bool(true) => write!(self.0, "True"),
            Constant::Bool(false) => write!(self.0, "False"),
            Constant::Ellipsis => write!(self.0, "..."),
            Constant::Int(value) => write!(self.0, "i{value:x}"),
            Constant::BigInt(value) => write!(self.0, "i{:x}", **value),
            Constant::Float(value) => write!(self.0, "f{:x}", value.to_bits()),
            Constant::Complex { real, imag } => write!(self.0, "c{:x},{:x}", real.to_bits(), imag.to_bits()),
            Constant::Str(text) => {
                self.0.push('s');
                self.text(text.as_bytes());
                Ok(())
            }
            Constant::Bytes(bytes) => {
                self.0.push('b');
                self.text(bytes);
                Ok(())
            }
            Constant::Tuple(_) | Constant::FrozenSet(_) => write!(self.0, "?"),
        };
    }

    fn ctx(&mut self, ctx: ExprContext) {
        let _ = write!(self.0, "{ctx:?}");
    }

    fn expr(&mut self, expr: &Expr) {
        match &expr.kind {
            ExprKind::Attribute { value, attr, ctx } => {
                self.open("Attribute");
                self.expr(value);
                self.id(attr);
                self.ctx(*ctx);
            }
            ExprKind::Subscript { value, slice, ctx } => {
                self.open("Subscript");
                self.expr(value);
                self.expr(slice);
                self.ctx(*ctx);
            }
            ExprKind::Starred { value, ctx } => {
                self.open("Starred");
                self.expr(value);
                self.ctx(*ctx);
            }
            ExprKind::Name { id, ctx } => {
                self.open("Name");
                self.id(id);
                self.ctx(*ctx);
            }
            ExprKind::List { elts, ctx } => {
                self.open("List");
                self.exprs(elts);
                self.ctx(*ctx);
            }
            ExprKind::Tuple { elts, ctx } => {
                self.open("Tuple");
                self.exprs(elts);
                self.ctx(*ctx);
            }
            ExprKind::Constant { value, kind } => {
                self.open("Constant");
                self.constant(value);
                self.opt(kind.as_ref(), |d, kind| d.text(kind.as_bytes()));
            }
            ExprKind::Call { func, args, keywords } => {
                self.open("Call");
                self.expr(func);
                self.exprs(args);
                self.list(keywords, Self::keyword);
            }
            _ => self.operation(&expr.kind),
        }
        self.close(expr.range);
    }

    fn operation(&mut self, kind: &ExprKind) {
        match kind {
            ExprKind::BoolOp { op, values } => {
                self.open("BoolOp");
                let _ = write!(self.0, "{op:?}");
                self.exprs(values);
            }
            ExprKind::NamedExpr { target, value } => {
                self.open("NamedExpr");
                self.expr(target);
                self.expr(value);
            }
            ExprKind::BinOp { left, op, right } => {
                self.open("BinOp");
                self.expr(left);
                let _ = write!(self.0, "{op:?}");
                self.expr(right);
            }
            ExprKind::UnaryOp { op, operand } => {
                self.open("UnaryOp");
                let _ = write!(self.0, "{op:?}");
                self.expr(operand);
            }
            ExprKind::Lambda { args, body } => {
                self.open("Lambda");
                self.arguments(args);
                self.expr(body);
            }
            ExprKind::IfExp { test, body, orelse } => {
                self.open("IfExp");
                self.expr(test);
                self.expr(body);
                self.expr(orelse);
            }
            ExprKind::Compare { left, ops, comparators } => {
                self.open("Compare");
                self.expr(left);
                self.list(ops, |d, op| {
                    let _ = write!(d.0, "{op:?}");
                });
                self.exprs(comparators);
            }
            ExprKind::Await { value } => {
                self.open("Await");
                self.expr(value);
            }
            ExprKind::Yield { value } => {
                self.open("Yield");
                self.opt_expr(value.as_deref());
            }
            ExprKind::YieldFrom { value } => {
                self.open("YieldFrom");
                self.expr(value);
            }
            ExprKind::Slice { lower, upper, step } => {
                self.open("Slice");
                self.opt_expr(lower.as_deref());
                self.opt_expr(upper.as_deref());
                self.opt_expr(step.as_deref());
            }
            _ => self.display(kind),
        }
    }

    fn display(&mut self, kind: &ExprKind) {
        match kind {
            ExprKind::Dict { keys, values } => {
                self.open("Dict");
                self.list(keys, |d, key| d.opt_expr(key.as_ref()));
                self.exprs(values);
            }
            ExprKind::Set { elts } => {
                self.open("Set");
                self.exprs(elts);
            }
            ExprKind::ListComp { elt, generators } => self.comprehension("ListComp", elt, None, generators),
            ExprKind::SetComp { elt, generators } => self.comprehension("SetComp", elt, None, generators),
            ExprKind::GeneratorExp { elt, generators } => self.comprehension("GeneratorExp", elt, None, generators),
            ExprKind::DictComp { key, value, generators } => {
                self.comprehension("DictComp", key, Some(value), generators);
            }
            ExprKind::FormattedValue { value, conversion, format_spec } => {
                self.open("FormattedValue");
                self.expr(value);
                let _ = write!(self.0, "{conversion}");
                self.opt_expr(format_spec.as_deref());
            }
            ExprKind::JoinedStr { values } => {
                self.open("JoinedStr");
                self.exprs(values);
            }
            _ => self.open("?"),
        }
    }

    fn comprehension(&mut self, name: &str, elt: &Expr, value: Option<&Expr>, generators: &[Comprehension]) {
        self.open(name);
        self.expr(elt);
        if let Some(value) = value {
            self.expr(value);
        }
        self.list(generators, |d, generator| {
            d.open("comprehension");
            d.expr(&generator.target);
            d.expr(&generator.iter);
            d.exprs(&generator.ifs);
            d.0.push(if generator.is_async { '1' } else { '0' });
            d.0.push(')');
        });
    }
}
