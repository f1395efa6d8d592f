//! Python source as a tree of statements with their places in the text, for cutting.
//!
//! The tree comes from `rustpython-parser`; what that refuses (PEP 701, later grammar) comes from the reference's `ast`,
//! through `recorder/tree.py`, which prints the same shape.

use std::io;
use std::path::Path;
use std::time::Duration;

use rustpython_parser::Parse;
use rustpython_parser::ast::{self, Expr, Ranged, Stmt};
use serde::Deserialize;

use crate::scratch::Scratch;
use crate::worker::{Interpreter, run_plain};

/// Byte offsets, end exclusive.
pub type Span = (usize, usize);

#[derive(Deserialize, Clone, Debug, Default, PartialEq)]
pub struct Statement {
    /// `def`, `class`, `import`, `from`, `if`, `for`, `while`, `with`, `try`, `match`, or `other`.
    pub kind: String,
    pub name: String,
    /// With its decorators.
    pub span: Span,
    /// Each with its `@`.
    pub decorators: Vec<Span>,
    pub bases: Vec<Span>,
    /// Bodies: the first is the statement's own, those behind it may be cut off (`else`, `except`, `finally`).
    pub blocks: Vec<Vec<Statement>>,
    /// Arguments, elements: lists of which any member may go.
    pub lists: Vec<Vec<Span>>,
    /// An expression, and a part of it that may stand in its place.
    pub parts: Vec<(Span, Span)>,
    /// Of a relative `from` import: how many dots.
    pub level: usize,
}

/// The statements of a module, or None where `rustpython-parser` refuses it.
pub fn parse(source: &str) -> Option<Vec<Statement>> {
    let suite = ast::Suite::parse(source, "<source>").ok()?;
    Some(statements(&suite, source))
}

/// The same from the reference's own parser; None where that refuses it too.
pub fn parse_by_reference(python: &Interpreter, source: &str) -> io::Result<Option<Vec<Statement>>> {
    let scratch = Scratch::new("t")?;
    let file = scratch.path.join("source.py");
    std::fs::write(&file, source)?;
    let script = crate::suite::repository().join("conformance/recorder/tree.py");
    let args = [script.as_path(), file.as_path()].map(|path: &Path| path.display().to_string());
    Ok(match run_plain(python, &args, Duration::from_secs(60))? {
        Some((output, Some(0))) => Some(serde_json::from_str(&output).map_err(io::Error::other)?),
        _ => None,
    })
}

fn statements(suite: &[Stmt], source: &str) -> Vec<Statement> {
    suite.iter().map(|stmt| statement(stmt, source)).collect()
}

fn span(node: &impl Ranged) -> Span {
    (node.start().to_usize(), node.end().to_usize())
}

fn statement(stmt: &Stmt, source: &str) -> Statement {
    let mut out = Statement { kind: "other".to_owned(), span: span(stmt), ..Statement::default() };
    let mut walk = Walk::default();
    let inner = |suite: &[Stmt]| statements(suite, source);
    match stmt {
        Stmt::FunctionDef(ast::StmtFunctionDef { name, body, decorator_list, .. })
        | Stmt::AsyncFunctionDef(ast::StmtAsyncFunctionDef { name, body, decorator_list, .. }) => {
            out.define("def", name, decorator_list, inner(body), source);
        }
        Stmt::ClassDef(class) => {
            out.define("class", &class.name, &class.decorator_list, inner(&class.body), source);
            out.bases = class.bases.iter().map(span).collect();
        }
        Stmt::Import(_) => out.kind = "import".to_owned(),
        Stmt::ImportFrom(import) => {
            out.kind = "from".to_owned();
            out.level = import.level.map_or(0, |level| level.to_usize());
            out.name = import.module.as_ref().map(ToString::to_string).unwrap_or_default();
            out.lists.push(import.names.iter().map(span).collect());
        }
        Stmt::If(ast::StmtIf { test, body, orelse, .. }) => {
            walk.all(&[test]);
            out.compound("if", [inner(body), inner(orelse)]);
        }
        Stmt::While(ast::StmtWhile { test, body, orelse, .. }) => {
            walk.all(&[test]);
            out.compound("while", [inner(body), inner(orelse)]);
        }
        Stmt::For(ast::StmtFor { iter, body, orelse, .. })
        | Stmt::AsyncFor(ast::StmtAsyncFor { iter, body, orelse, .. }) => {
            walk.all(&[iter]);
            out.compound("for", [inner(body), inner(orelse)]);
        }
        Stmt::With(ast::StmtWith { items, body, .. }) | Stmt::AsyncWith(ast::StmtAsyncWith { items, body, .. }) => {
            items.iter().for_each(|item| walk.expr(&item.context_expr));
            let end = |item: &ast::WithItem| span(item.optional_vars.as_deref().unwrap_or(&item.context_expr)).1;
            out.lists.push(items.iter().map(|item| (span(&item.context_expr).0, end(item))).collect());
            out.compound("with", [inner(body)]);
        }
        Stmt::Try(ast::StmtTry { body, handlers, orelse, finalbody, .. })
        | Stmt::TryStar(ast::StmtTryStar { body, handlers, orelse, finalbody, .. }) => {
            let mut blocks = vec![inner(body)];
            for ast::ExceptHandler::ExceptHandler(handler) in handlers {
                blocks.push(inner(&handler.body));
            }
            blocks.extend([inner(orelse), inner(finalbody)]);
            out.compound("try", blocks);
        }
        Stmt::Match(ast::StmtMatch { cases, .. }) => {
            out.compound("match", cases.iter().map(|case| inner(&case.body)));
        }
        Stmt::Expr(expr) => walk.expr(&expr.value),
        Stmt::Return(ast::StmtReturn { value: Some(value), .. }) => walk.expr(value),
        Stmt::Assign(assign) => walk.expr(&assign.value),
        Stmt::AugAssign(assign) => walk.expr(&assign.value),
        Stmt::AnnAssign(ast::StmtAnnAssign { value: Some(value), .. }) => walk.expr(value),
        Stmt::Assert(assert) => walk.expr(&assert.test),
        Stmt::Raise(ast::StmtRaise { exc: Some(exc), .. }) => walk.expr(exc),
        Stmt::Delete(delete) => out.lists.push(delete.targets.iter().map(span).collect()),
        _ => {}
    }
    out.lists.extend(walk.lists);
    out.parts = walk.parts;
    out
}

impl Statement {
    fn define(&mut self, kind: &str, name: &str, decorators: &[Expr], body: Vec<Statement>, source: &str) {
        self.kind = kind.to_owned();
        self.name = name.to_owned();
        for decorator in decorators {
            let (start, end) = span(decorator);
            let at = source[..start].rfind('@').unwrap_or(start);
            self.decorators.push((at, end));
            self.span.0 = self.span.0.min(at);
        }
        self.blocks.push(body);
    }

    fn compound(&mut self, kind: &str, blocks: impl IntoIterator<Item = Vec<Statement>>) {
        self.kind = kind.to_owned();
        self.blocks = blocks.into_iter().filter(|block| !block.is_empty()).collect();
    }
}

/// Collects what may be cut within expressions.
#[derive(Default)]
struct Walk {
    lists: Vec<Vec<Span>>,
    parts: Vec<(Span, Span)>,
}

impl Walk {
    fn all(&mut self, exprs: &[&Expr]) {
        exprs.iter().for_each(|expr| self.expr(expr));
    }

    fn list(&mut self, elements: &[Expr]) {
        self.lists.push(elements.iter().map(span).collect());
        elements.iter().for_each(|element| self.expr(element));
    }

    fn part(&mut self, whole: &Expr, part: &Expr) {
        self.parts.push((span(whole), span(part)));
        self.expr(part);
    }

    fn expr(&mut self, whole: &Expr) {
        match whole {
            Expr::Call(call) => {
                let keywords = call.keywords.iter().map(span);
                self.lists.push(call.args.iter().map(span).chain(keywords).collect());
                self.expr(&call.func);
                call.args.iter().for_each(|arg| self.part(whole, arg));
                call.keywords.iter().for_each(|keyword| self.expr(&keyword.value));
            }
            Expr::List(ast::ExprList { elts, .. }) | Expr::Set(ast::ExprSet { elts, .. }) => self.list(elts),
            Expr::Tuple(tuple) => self.list(&tuple.elts),
            Expr::BinOp(op) => {
                self.part(whole, &op.left);
                self.part(whole, &op.right);
            }
            Expr::BoolOp(op) => op.values.iter().for_each(|value| self.part(whole, value)),
            Expr::UnaryOp(op) => self.part(whole, &op.operand),
            Expr::IfExp(choice) => {
                self.part(whole, &choice.body);
                self.part(whole, &choice.orelse);
            }
            Expr::Subscript(subscript) => {
                self.part(whole, &subscript.value);
                self.expr(&subscript.slice);
            }
            Expr::Attribute(attribute) => self.expr(&attribute.value),
            Expr::Compare(compare) => {
                self.expr(&compare.left);
                compare.comparators.iter().for_each(|other| self.expr(other));
            }
            Expr::Lambda(lambda) => self.expr(&lambda.body),
            Expr::Starred(starred) => self.expr(&starred.value),
            Expr::Dict(dict) => dict.values.iter().for_each(|value| self.expr(value)),
            _ => {}
        }
    }
}
