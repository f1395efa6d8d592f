//! Statements, with CPython's ends of blocks, `elif` chains and decorated definitions.

use ruff_python_ast as ruff;
use ruff_text_size::Ranged;

use super::Converter;
use crate::ast::{
    Alias, Arg, Arguments, ClassDef, ExceptHandler, ExprContext, For, FunctionDef, Identifier, Range, Stmt, StmtKind,
    Try, TypeParam, TypeParamKind, With, WithItem,
};

impl Converter<'_> {
    pub(super) fn body(&mut self, body: &[ruff::Stmt]) -> Vec<Stmt> {
        body.iter().map(|stmt| self.stmt(stmt)).collect()
    }

    fn stmt(&mut self, stmt: &ruff::Stmt) -> Stmt {
        match stmt {
            ruff::Stmt::FunctionDef(_)
            | ruff::Stmt::ClassDef(_)
            | ruff::Stmt::For(_)
            | ruff::Stmt::While(_)
            | ruff::Stmt::If(_)
            | ruff::Stmt::With(_)
            | ruff::Stmt::Match(_)
            | ruff::Stmt::Try(_) => self.compound(stmt),
            _ => {
                let range = self.range(stmt);
                Stmt::new(self.simple(stmt), range)
            }
        }
    }

    fn compound(&mut self, stmt: &ruff::Stmt) -> Stmt {
        let end = self.past_semicolon(stmt.end().into());
        let mut start = u32::from(stmt.start());
        let kind = match stmt {
            ruff::Stmt::FunctionDef(def) => {
                start = self.after_decorators(start, &def.decorator_list);
                let node = Box::new(self.function_def(def));
                if def.is_async { StmtKind::AsyncFunctionDef(node) } else { StmtKind::FunctionDef(node) }
            }
            ruff::Stmt::ClassDef(def) => {
                start = self.after_decorators(start, &def.decorator_list);
                StmtKind::ClassDef(Box::new(self.class_def(def)))
            }
            ruff::Stmt::For(node) => {
                let for_ = Box::new(For {
                    target: self.expr(&node.target),
                    iter: self.expr(&node.iter),
                    body: self.body(&node.body),
                    orelse: self.body(&node.orelse),
                    type_comment: self.type_comment(node.iter.end().into(), &[':', ')'], false),
                });
                if node.is_async { StmtKind::AsyncFor(for_) } else { StmtKind::For(for_) }
            }
            ruff::Stmt::While(node) => StmtKind::While {
                test: self.boxed(&node.test),
                body: self.body(&node.body),
                orelse: self.body(&node.orelse),
            },
            ruff::Stmt::If(node) => StmtKind::If {
                test: self.boxed(&node.test),
                body: self.body(&node.body),
                orelse: self.elif_chain(&node.elif_else_clauses, end),
            },
            ruff::Stmt::With(node) => {
                let items = node.items.iter().map(|item| WithItem {
                    context_expr: self.expr(&item.context_expr),
                    optional_vars: self.opt_expr(item.optional_vars.as_deref()),
                });
                let items = items.collect();
                let header = node.items.last().map_or(start, |item| item.end().into());
                let type_comment = self.type_comment(header, &[':', ')', ','], false);
                let with = Box::new(With { items, body: self.body(&node.body), type_comment });
                if node.is_async { StmtKind::AsyncWith(with) } else { StmtKind::With(with) }
            }
            ruff::Stmt::Match(node) => StmtKind::Match {
                subject: self.boxed(&node.subject),
                cases: node.cases.iter().map(|case| self.match_case(case)).collect(),
            },
            ruff::Stmt::Try(node) => {
                if node.handlers.is_empty() && !node.orelse.is_empty() {
                    self.refuse("expected 'except' or 'finally' block", self.range(&node.orelse[0]));
                }
                let try_ = Box::new(Try {
                    body: self.body(&node.body),
                    handlers: node.handlers.iter().map(|handler| self.except_handler(handler)).collect(),
                    orelse: self.body(&node.orelse),
                    finalbody: self.body(&node.finalbody),
                });
                if node.is_star { StmtKind::TryStar(try_) } else { StmtKind::Try(try_) }
            }
            _ => unreachable!("only compound statements come here"),
        };
        Stmt::new(kind, self.lines.range(start, end))
    }

    fn simple(&mut self, stmt: &ruff::Stmt) -> StmtKind {
        match stmt {
            ruff::Stmt::Return(node) => StmtKind::Return { value: self.opt_boxed(node.value.as_deref()) },
            ruff::Stmt::Delete(node) => StmtKind::Delete { targets: self.exprs(&node.targets) },
            ruff::Stmt::Assign(node) => StmtKind::Assign {
                targets: self.exprs(&node.targets),
                value: self.boxed(&node.value),
                type_comment: self.type_comment(node.end().into(), &[], false),
            },
            ruff::Stmt::TypeAlias(node) => StmtKind::TypeAlias {
                name: self.boxed(&node.name),
                type_params: self.type_params(node.type_params.as_deref()),
                value: self.boxed(&node.value),
            },
            ruff::Stmt::AugAssign(node) => StmtKind::AugAssign {
                target: self.boxed(&node.target),
                op: Self::operator(node.op),
                value: self.boxed(&node.value),
            },
            ruff::Stmt::AnnAssign(node) => {
                self.refuse_annotated_trailer(&node.target);
                StmtKind::AnnAssign {
                    target: self.boxed(&node.target),
                    annotation: self.boxed(&node.annotation),
                    value: self.opt_boxed(node.value.as_deref()),
                    simple: node.simple,
                }
            }
            ruff::Stmt::Raise(node) => StmtKind::Raise {
                exc: self.opt_boxed(node.exc.as_deref()),
                cause: self.opt_boxed(node.cause.as_deref()),
            },
            ruff::Stmt::Assert(node) => {
                StmtKind::Assert { test: self.boxed(&node.test), msg: self.opt_boxed(node.msg.as_deref()) }
            }
            ruff::Stmt::Import(node) => StmtKind::Import { names: self.aliases(&node.names) },
            ruff::Stmt::ImportFrom(node) => StmtKind::ImportFrom {
                module: node.module.as_ref().map(|name| self.identifier(name)),
                names: self.aliases(&node.names),
                level: node.level,
            },
            ruff::Stmt::Global(node) => StmtKind::Global { names: self.names(&node.names) },
            ruff::Stmt::Nonlocal(node) => StmtKind::Nonlocal { names: self.names(&node.names) },
            ruff::Stmt::Expr(node) => StmtKind::Expr { value: self.boxed(&node.value) },
            ruff::Stmt::Break(node) if self.rewritten.is_raise(node.range) => {
                StmtKind::Raise { exc: None, cause: None }
            }
            ruff::Stmt::Break(_) => StmtKind::Break,
            ruff::Stmt::Continue(_) => StmtKind::Continue,
            _ => StmtKind::Pass,
        }
    }

    /// A target in parentheses takes no trailers if it is annotated: CPython's grammar does not look further then.
    fn refuse_annotated_trailer(&mut self, target: &ruff::Expr) {
        let mut outer = target;
        loop {
            let inner = match outer {
                ruff::Expr::Attribute(node) => &node.value,
                ruff::Expr::Subscript(node) => &node.value,
                ruff::Expr::Call(node) => &node.func,
                _ => return,
            };
            if inner.start() != outer.start() {
                let single =
                    matches!(&**inner, ruff::Expr::Name(_) | ruff::Expr::Attribute(_) | ruff::Expr::Subscript(_));
                if single {
                    self.refuse("illegal target for annotation", self.range(target));
                }
                return;
            }
            outer = inner;
        }
    }

    fn names(&mut self, names: &[ruff::Identifier]) -> Vec<Identifier> {
        names.iter().map(|name| self.identifier(name)).collect()
    }

    fn aliases(&mut self, names: &[ruff::Alias]) -> Vec<Alias> {
        let alias = |name: &ruff::Alias| Alias {
            name: self.identifier(&name.name),
            asname: name.asname.as_ref().map(|name| self.identifier(name)),
            range: self.range(name),
        };
        names.iter().map(alias).collect()
    }

    /// The offset of `def`, `class` or `async`: CPython leaves decorators out of the range.
    fn after_decorators(&self, start: u32, decorators: &[ruff::Decorator]) -> u32 {
        match decorators.last() {
            Some(last) => self.skip_trivia(last.end().into()),
            None => start,
        }
    }

    /// `elif` clauses as nested `If` statements that all end where the chain ends.
    fn elif_chain(&mut self, clauses: &[ruff::ElifElseClause], end: u32) -> Vec<Stmt> {
        let mut orelse = Vec::new();
        for clause in clauses.iter().rev() {
            let body = self.body(&clause.body);
            orelse = match &clause.test {
                None => body,
                Some(test) => {
                    let kind = StmtKind::If { test: self.boxed(test), body, orelse };
                    vec![Stmt::new(kind, self.lines.range(clause.start().into(), end))]
                }
            };
        }
        orelse
    }

    fn except_handler(&mut self, handler: &ruff::ExceptHandler) -> ExceptHandler {
        let ruff::ExceptHandler::ExceptHandler(node) = handler;
        let end = self.past_semicolon(node.end().into());
        ExceptHandler {
            type_: self.opt_boxed(node.type_.as_deref()),
            name: node.name.as_ref().map(|name| self.identifier(name)),
            body: self.body(&node.body),
            range: self.lines.range(node.start().into(), end),
        }
    }

    fn decorators(&mut self, decorators: &[ruff::Decorator]) -> Vec<crate::ast::Expr> {
        decorators.iter().map(|decorator| self.expr(&decorator.expression)).collect()
    }

    fn function_def(&mut self, def: &ruff::StmtFunctionDef) -> FunctionDef {
        let header = def.returns.as_ref().map_or(def.parameters.end(), |returns| returns.end());
        FunctionDef {
            name: self.identifier(&def.name),
            decorator_list: self.decorators(&def.decorator_list),
            type_params: self.type_params(def.type_params.as_deref()),
            args: self.parameters(&def.parameters),
            returns: self.opt_boxed(def.returns.as_deref()),
            body: self.body(&def.body),
            type_comment: self.function_comment(header.into()),
        }
    }

    fn class_def(&mut self, def: &ruff::StmtClassDef) -> ClassDef {
        let (bases, keywords) = match def.arguments.as_deref() {
            Some(arguments) => self.call_arguments(arguments),
            None => (Vec::new(), Vec::new()),
        };
        ClassDef {
            name: self.identifier(&def.name),
            bases,
            keywords,
            decorator_list: self.decorators(&def.decorator_list),
            type_params: self.type_params(def.type_params.as_deref()),
            body: self.body(&def.body),
        }
    }

    fn type_params(&mut self, params: Option<&ruff::TypeParams>) -> Vec<TypeParam> {
        let Some(params) = params else { return Vec::new() };
        let convert = |param: &ruff::TypeParam| {
            let range = self.range(param);
            let kind = match param {
                ruff::TypeParam::TypeVar(p) => TypeParamKind::TypeVar {
                    name: self.identifier(&p.name),
                    bound: self.opt_boxed(p.bound.as_deref()),
                    default_value: self.opt_boxed(p.default.as_deref()),
                },
                ruff::TypeParam::ParamSpec(p) => TypeParamKind::ParamSpec {
                    name: self.identifier(&p.name),
                    default_value: self.opt_boxed(p.default.as_deref()),
                },
                ruff::TypeParam::TypeVarTuple(p) => TypeParamKind::TypeVarTuple {
                    name: self.identifier(&p.name),
                    default_value: self.opt_boxed(p.default.as_deref()),
                },
            };
            TypeParam { kind, range }
        };
        params.type_params.iter().map(convert).collect()
    }

    pub(super) fn parameters(&mut self, parameters: &ruff::Parameters) -> Arguments {
        let mut arguments = Arguments::default();
        for parameter in &parameters.posonlyargs {
            arguments.posonlyargs.push(self.parameter(&parameter.parameter, parameter.end().into()));
            arguments.defaults.extend(parameter.default.as_deref().map(|value| self.expr(value)));
        }
        for parameter in &parameters.args {
            arguments.args.push(self.parameter(&parameter.parameter, parameter.end().into()));
            arguments.defaults.extend(parameter.default.as_deref().map(|value| self.expr(value)));
        }
        arguments.vararg =
            parameters.vararg.as_deref().map(|parameter| Box::new(self.parameter(parameter, parameter.end().into())));
        for parameter in &parameters.kwonlyargs {
            arguments.kwonlyargs.push(self.parameter(&parameter.parameter, parameter.end().into()));
            let default = parameter.default.as_deref().map(|value| self.expr(value));
            arguments.kw_defaults.push(default);
        }
        arguments.kwarg =
            parameters.kwarg.as_deref().map(|parameter| Box::new(self.parameter(parameter, parameter.end().into())));
        arguments
    }

    /// The range begins at the name, after any star.
    fn parameter(&mut self, parameter: &ruff::Parameter, end: u32) -> Arg {
        let range: Range = self.lines.range(parameter.name.start().into(), parameter.end().into());
        Arg {
            arg: self.identifier(&parameter.name),
            annotation: self.opt_boxed(parameter.annotation.as_deref()),
            type_comment: self.type_comment(end, &[','], false),
            range,
        }
    }

    pub(super) fn context(ctx: ruff::ExprContext) -> ExprContext {
        match ctx {
            ruff::ExprContext::Store => ExprContext::Store,
            ruff::ExprContext::Del => ExprContext::Del,
            ruff::ExprContext::Load | ruff::ExprContext::Invalid => ExprContext::Load,
        }
    }
}
