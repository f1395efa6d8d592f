//! Statements and patterns.
use krait_object::{PyResult, Value};
use krait_syntax::ast::{
    Alias, ClassDef, ExceptHandler, For, FunctionDef, MatchCase, Pattern, PatternKind, Stmt, StmtKind, Try, TypeParam,
    TypeParamKind, With, WithItem,
};

use super::Reader;

impl Reader<'_> {
    pub(super) fn stmts(&mut self, o: &Value, class: &str, name: &str) -> PyResult<Vec<Stmt>> {
        self.list(o, class, name, |r, v| {
            if v.is_none() { r.value_error("None disallowed in statement list") } else { r.stmt(v) }
        })
    }
    fn stmt(&mut self, v: &Value) -> PyResult<Stmt> {
        self.th.check_native(" during 'stmt' construction")?;
        let range = match self.classes.is_node(v) {
            true => self.range(v, "stmt", false)?,
            false => return Err(self.unexpected("stmt", v)),
        };
        let class = self.class_of(v, "stmt")?;
        let kind = match class {
            "FunctionDef" => StmtKind::FunctionDef(self.function(v, class)?),
            "AsyncFunctionDef" => StmtKind::AsyncFunctionDef(self.function(v, class)?),
            "ClassDef" => StmtKind::ClassDef(Box::new(ClassDef {
                name: self.identifier_field(v, class, "name")?,
                bases: self.exprs(v, class, "bases")?,
                keywords: self.keywords(v, class)?,
                body: self.stmts(v, class, "body")?,
                decorator_list: self.exprs(v, class, "decorator_list")?,
                type_params: self.type_params(v, class)?,
            })),
            "Return" => StmtKind::Return { value: self.opt_expr(v, "value")? },
            "Delete" => StmtKind::Delete { targets: self.exprs(v, class, "targets")? },
            "Assign" => StmtKind::Assign {
                targets: self.exprs(v, class, "targets")?,
                value: self.expr_field(v, class, "value")?,
                type_comment: self.opt_string(v, "type_comment")?,
            },
            "TypeAlias" => StmtKind::TypeAlias {
                name: self.expr_field(v, class, "name")?,
                type_params: self.type_params(v, class)?,
                value: self.expr_field(v, class, "value")?,
            },
            "AugAssign" => StmtKind::AugAssign {
                target: self.expr_field(v, class, "target")?,
                op: self.operator(v, class)?,
                value: self.expr_field(v, class, "value")?,
            },
            "AnnAssign" => StmtKind::AnnAssign {
                target: self.expr_field(v, class, "target")?,
                annotation: self.expr_field(v, class, "annotation")?,
                value: self.opt_expr(v, "value")?,
                simple: self.int_field(v, class, "simple")? != 0,
            },
            "For" => StmtKind::For(self.for_loop(v, class)?),
            "AsyncFor" => StmtKind::AsyncFor(self.for_loop(v, class)?),
            "While" => StmtKind::While {
                test: self.expr_field(v, class, "test")?,
                body: self.stmts(v, class, "body")?,
                orelse: self.stmts(v, class, "orelse")?,
            },
            "If" => StmtKind::If {
                test: self.expr_field(v, class, "test")?,
                body: self.stmts(v, class, "body")?,
                orelse: self.stmts(v, class, "orelse")?,
            },
            "With" => StmtKind::With(self.with(v, class)?),
            "AsyncWith" => StmtKind::AsyncWith(self.with(v, class)?),
            "Try" => StmtKind::Try(self.try_block(v, class)?),
            "TryStar" => StmtKind::TryStar(self.try_block(v, class)?),
            _ => self.small_stmt(v, class)?,
        };
        Ok(Stmt { kind, range })
    }
    fn small_stmt(&mut self, v: &Value, class: &'static str) -> PyResult<StmtKind> {
        Ok(match class {
            "Match" => StmtKind::Match {
                subject: self.expr_field(v, class, "subject")?,
                cases: self.list(v, class, "cases", Reader::match_case)?,
            },
            "Raise" => StmtKind::Raise { exc: self.opt_expr(v, "exc")?, cause: self.opt_expr(v, "cause")? },
            "Assert" => StmtKind::Assert { test: self.expr_field(v, class, "test")?, msg: self.opt_expr(v, "msg")? },
            "Import" => StmtKind::Import { names: self.list(v, class, "names", Reader::alias)? },
            "ImportFrom" => {
                let module = self.opt_identifier(v, "module")?;
                let names = self.list(v, class, "names", Reader::alias)?;
                let level = match self.opt(v, "level")? {
                    Some(level) => self.int(&level)?,
                    None => 0,
                };
                let Ok(level) = u32::try_from(level) else {
                    return self.value_error("Negative ImportFrom level");
                };
                StmtKind::ImportFrom { module, names, level }
            }
            "Global" => StmtKind::Global { names: self.identifiers(v, class, "names")? },
            "Nonlocal" => StmtKind::Nonlocal { names: self.identifiers(v, class, "names")? },
            "Expr" => StmtKind::Expr { value: self.expr_field(v, class, "value")? },
            "Pass" => StmtKind::Pass,
            "Break" => StmtKind::Break,
            _ => StmtKind::Continue,
        })
    }
    fn function(&mut self, v: &Value, class: &str) -> PyResult<Box<FunctionDef>> {
        Ok(Box::new(FunctionDef {
            name: self.identifier_field(v, class, "name")?,
            args: self.arguments(v, class, "args")?,
            body: self.stmts(v, class, "body")?,
            decorator_list: self.exprs(v, class, "decorator_list")?,
            returns: self.opt_expr(v, "returns")?,
            type_comment: self.opt_string(v, "type_comment")?,
            type_params: self.type_params(v, class)?,
        }))
    }
    fn for_loop(&mut self, v: &Value, class: &str) -> PyResult<Box<For>> {
        Ok(Box::new(For {
            target: *self.expr_field(v, class, "target")?,
            iter: *self.expr_field(v, class, "iter")?,
            body: self.stmts(v, class, "body")?,
            orelse: self.stmts(v, class, "orelse")?,
            type_comment: self.opt_string(v, "type_comment")?,
        }))
    }
    fn with(&mut self, v: &Value, class: &str) -> PyResult<Box<With>> {
        let items = self.list(v, class, "items", |r, v| {
            let class = r.class_of(v, "withitem")?;
            Ok(WithItem {
                context_expr: *r.expr_field(v, class, "context_expr")?,
                optional_vars: r.opt_expr(v, "optional_vars")?,
            })
        })?;
        Ok(Box::new(With {
            items,
            body: self.stmts(v, class, "body")?,
            type_comment: self.opt_string(v, "type_comment")?,
        }))
    }
    fn try_block(&mut self, v: &Value, class: &str) -> PyResult<Box<Try>> {
        Ok(Box::new(Try {
            body: self.stmts(v, class, "body")?,
            handlers: self.list(v, class, "handlers", |r, v| {
                let class = r.class_of(v, "excepthandler")?;
                let range = r.range(v, "excepthandler", false)?;
                Ok(ExceptHandler {
                    type_: r.opt_expr(v, "type")?,
                    name: r.opt_identifier(v, "name")?,
                    body: r.stmts(v, class, "body")?,
                    range,
                })
            })?,
            orelse: self.stmts(v, class, "orelse")?,
            finalbody: self.stmts(v, class, "finalbody")?,
        }))
    }
    fn alias(&mut self, v: &Value) -> PyResult<Alias> {
        let class = self.class_of(v, "alias")?;
        Ok(Alias {
            name: self.identifier_field(v, class, "name")?,
            asname: self.opt_identifier(v, "asname")?,
            range: self.range(v, "alias", false)?,
        })
    }
    fn type_params(&mut self, o: &Value, class: &str) -> PyResult<Vec<TypeParam>> {
        self.list(o, class, "type_params", |r, v| {
            if !r.classes.is_node(v) {
                return Err(r.unexpected("type_param", v));
            }
            let range = r.range(v, "type_param", true)?;
            let class = r.class_of(v, "type_param")?;
            let name = r.identifier_field(v, class, "name")?;
            let kind = match class {
                "TypeVar" => TypeParamKind::TypeVar {
                    name,
                    bound: r.opt_expr(v, "bound")?,
                    default_value: r.opt_expr(v, "default_value")?,
                },
                "ParamSpec" => TypeParamKind::ParamSpec { name, default_value: r.opt_expr(v, "default_value")? },
                _ => TypeParamKind::TypeVarTuple { name, default_value: r.opt_expr(v, "default_value")? },
            };
            Ok(TypeParam { kind, range })
        })
    }
    fn match_case(&mut self, v: &Value) -> PyResult<MatchCase> {
        let class = self.class_of(v, "match_case")?;
        let pattern = self.present(v, class, "pattern")?;
        Ok(MatchCase {
            pattern: self.pattern(&pattern)?,
            guard: self.opt_expr(v, "guard")?,
            body: self.stmts(v, class, "body")?,
        })
    }
    fn patterns(&mut self, o: &Value, class: &str, name: &str) -> PyResult<Vec<Pattern>> {
        self.list(o, class, name, |r, v| {
            if v.is_none() { r.value_error("None disallowed in pattern list") } else { r.pattern(v) }
        })
    }
    fn pattern(&mut self, v: &Value) -> PyResult<Pattern> {
        self.th.check_native(" during 'pattern' construction")?;
        let range = match self.classes.is_node(v) {
            true => self.range(v, "pattern", true)?,
            false => return Err(self.unexpected("pattern", v)),
        };
        let class = self.class_of(v, "pattern")?;
        let kind = match class {
            "MatchValue" => PatternKind::MatchValue { value: self.expr_field(v, class, "value")? },
            "MatchSingleton" => {
                let value = self.required(v, class, "value")?;
                if !value.is_none() && value.as_bool().is_none() {
                    return self.value_error("MatchSingleton can only contain True, False and None");
                }
                PatternKind::MatchSingleton { value: self.constant(&value)? }
            }
            "MatchSequence" => PatternKind::MatchSequence { patterns: self.patterns(v, class, "patterns")? },
            "MatchMapping" => PatternKind::MatchMapping {
                keys: self.exprs(v, class, "keys")?,
                patterns: self.patterns(v, class, "patterns")?,
                rest: self.opt_identifier(v, "rest")?,
            },
            "MatchClass" => PatternKind::MatchClass {
                cls: self.expr_field(v, class, "cls")?,
                patterns: self.patterns(v, class, "patterns")?,
                kwd_attrs: self.identifiers(v, class, "kwd_attrs")?,
                kwd_patterns: self.patterns(v, class, "kwd_patterns")?,
            },
            "MatchStar" => PatternKind::MatchStar { name: self.opt_identifier(v, "name")? },
            "MatchAs" => {
                let pattern = match self.opt(v, "pattern")? {
                    Some(p) => Some(Box::new(self.pattern(&p)?)),
                    None => None,
                };
                PatternKind::MatchAs { pattern, name: self.opt_identifier(v, "name")? }
            }
            _ => PatternKind::MatchOr { patterns: self.patterns(v, class, "patterns")? },
        };
        Ok(Pattern { kind, range })
    }
}
