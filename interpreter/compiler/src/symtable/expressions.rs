//! Walks expressions: uses, assignment expressions, lambdas, comprehensions.
//!
//! CPython counterpart: `symtable_visit_expr`, `symtable_handle_comprehension`, `symtable_extend_namedexpr_scope`.

use std::sync::Arc;

use krait_syntax::ast::{Comprehension, Expr, ExprContext, ExprKind, Identifier, Range};

use super::build::Builder;
use super::{BlockKind, BlockRole, ComprehensionKind, def};
use crate::error::{Result, error};

impl Builder {
    pub(super) fn expr(&mut self, expr: &Expr) -> Result<()> {
        self.limit.check()?;
        match &expr.kind {
            ExprKind::NamedExpr { target, value } => {
                if self.current().comp_iter_expr > 0 {
                    let msg = "assignment expression cannot be used in a comprehension iterable expression";
                    return Err(error(expr.range, msg));
                }
                self.forbid_in_annotation_scope("named expression", expr.range)?;
                if self.current().comprehension != ComprehensionKind::No {
                    self.extend_named_scope(target)?;
                } else if let ExprKind::Name { id, .. } = &target.kind {
                    let name = self.mangled(id);
                    self.current().walrus_names.push(name);
                }
                self.expr(value)?;
                self.expr(target)
            }
            ExprKind::BoolOp { values, .. } => self.exprs(values),
            ExprKind::BinOp { left, right, .. } => {
                let (mut first, mut rights) = (&**left, vec![&**right]);
                while let ExprKind::BinOp { left, right, .. } = &first.kind {
                    rights.push(right);
                    first = left;
                }
                self.expr(first)?;
                rights.into_iter().rev().try_for_each(|right| self.expr(right))
            }
            ExprKind::UnaryOp { operand, .. } => self.expr(operand),
            ExprKind::Lambda { args, body } => {
                self.defaults(args)?;
                self.enter("lambda".into(), BlockKind::Function, expr, BlockRole::Body, expr.range);
                self.parameters(args, expr.range)?;
                self.expr(body)?;
                self.exit();
                Ok(())
            }
            ExprKind::IfExp { test, body, orelse } => {
                self.expr(test)?;
                self.expr(body)?;
                self.expr(orelse)
            }
            ExprKind::Dict { keys, values } => {
                keys.iter().flatten().try_for_each(|key| self.expr(key))?;
                self.exprs(values)
            }
            ExprKind::ListComp { elt, generators } => {
                self.comprehension(expr, "listcomp", ComprehensionKind::List, generators, elt, None)
            }
            ExprKind::SetComp { elt, generators } => {
                self.comprehension(expr, "setcomp", ComprehensionKind::Set, generators, elt, None)
            }
            ExprKind::GeneratorExp { elt, generators } => {
                self.comprehension(expr, "genexpr", ComprehensionKind::Generator, generators, elt, None)
            }
            ExprKind::DictComp { key, value, generators } => {
                self.comprehension(expr, "dictcomp", ComprehensionKind::Dict, generators, key, Some(value))
            }
            ExprKind::Yield { .. } | ExprKind::YieldFrom { .. } => self.yield_expr(expr),
            ExprKind::Await { value } => {
                self.forbid_in_annotation_scope("await expression", expr.range)?;
                self.expr(value)?;
                self.current().coroutine = true;
                Ok(())
            }
            ExprKind::Compare { left, comparators, .. } => {
                self.expr(left)?;
                self.exprs(comparators)
            }
            ExprKind::Call { func, args, keywords } => {
                self.expr(func)?;
                self.exprs(args)?;
                keywords.iter().try_for_each(|keyword| self.expr(&keyword.value))
            }
            ExprKind::FormattedValue { value, format_spec, .. } => {
                self.expr(value)?;
                self.optional(format_spec.as_deref())
            }
            ExprKind::JoinedStr { values } => self.exprs(values),
            ExprKind::Constant { .. } => Ok(()),
            ExprKind::Attribute { value, .. } | ExprKind::Starred { value, .. } => self.expr(value),
            ExprKind::Subscript { value, slice, .. } => {
                self.expr(value)?;
                self.expr(slice)
            }
            ExprKind::Slice { lower, upper, step } => {
                self.optional(lower.as_deref())?;
                self.optional(upper.as_deref())?;
                self.optional(step.as_deref())
            }
            ExprKind::Name { id, ctx } => self.name(id, *ctx, expr.range),
            ExprKind::List { elts, .. } | ExprKind::Tuple { elts, .. } | ExprKind::Set { elts } => self.exprs(elts),
        }
    }

    fn name(&mut self, id: &Identifier, ctx: ExprContext, range: Range) -> Result<()> {
        let flag = if ctx == ExprContext::Load { def::USE } else { def::LOCAL };
        self.add_def(id, flag, range)?;
        // `super` within a function makes `__class__` a variable of that function.
        if ctx == ExprContext::Load && &**id == "super" && self.current().is_function_like() {
            self.add_def(&"__class__".into(), def::USE, range)?;
        }
        Ok(())
    }

    fn yield_expr(&mut self, expr: &Expr) -> Result<()> {
        self.forbid_in_annotation_scope("yield expression", expr.range)?;
        match &expr.kind {
            ExprKind::Yield { value } => self.optional(value.as_deref())?,
            ExprKind::YieldFrom { value } => self.expr(value)?,
            _ => {}
        }
        let block = self.current();
        block.generator = true;
        let inside = match block.comprehension {
            ComprehensionKind::No => return Ok(()),
            ComprehensionKind::List => "list comprehension",
            ComprehensionKind::Set => "set comprehension",
            ComprehensionKind::Dict => "dict comprehension",
            ComprehensionKind::Generator => "generator expression",
        };
        Err(error(expr.range, format!("'yield' inside {inside}")))
    }

    fn forbid_in_annotation_scope(&mut self, what: &str, range: Range) -> Result<()> {
        let block = self.current();
        let place = match block.kind {
            BlockKind::Annotation => "an annotation",
            BlockKind::TypeVariable => block.scope_info,
            BlockKind::TypeAlias => "a type alias",
            BlockKind::TypeParameters => "the definition of a generic",
            _ => return Ok(()),
        };
        Err(error(range, format!("{what} cannot be used within {place}")))
    }

    /// An assignment expression in a comprehension binds in the innermost enclosing function or module.
    fn extend_named_scope(&mut self, target: &Expr) -> Result<()> {
        let ExprKind::Name { id, .. } = &target.kind else { return Ok(()) };
        let range = target.range;
        let mangled = self.mangled(id);
        for level in (0..self.stack.len()).rev() {
            let block = self.stack[level];
            let entry = &self.blocks[block];
            let flags = entry.symbols.flags(&mangled);
            if entry.comprehension != ComprehensionKind::No {
                if flags & def::COMP_ITER != 0 && flags & (def::LOCAL | def::GLOBAL) != 0 {
                    let msg = format!("assignment expression cannot rebind comprehension iteration variable '{id}'");
                    return Err(error(range, msg));
                }
                continue;
            }
            let refusal = match entry.kind {
                BlockKind::Function => {
                    self.blocks[block].walrus_names.push(Arc::clone(&mangled));
                    let flag = if flags & def::GLOBAL != 0 { def::GLOBAL } else { def::NONLOCAL };
                    self.add_def(id, flag, range)?;
                    self.record_directive(id, range);
                    return self.add_def_to(block, id, def::LOCAL, range);
                }
                BlockKind::Module => {
                    self.add_def(id, def::GLOBAL, range)?;
                    self.record_directive(id, range);
                    return self.add_def_to(block, id, def::GLOBAL, range);
                }
                BlockKind::Class => "in a class body",
                BlockKind::TypeParameters => "within the definition of a generic",
                BlockKind::TypeAlias => "in a type alias",
                BlockKind::TypeVariable => "in a TypeVar bound",
                BlockKind::Annotation => continue,
            };
            // CPython writes "cannot be used in a class body" but "cannot be used within the definition".
            let msg = format!("assignment expression within a comprehension cannot be used {refusal}");
            return Err(error(range, msg));
        }
        Ok(())
    }

    fn comprehension(
        &mut self,
        node: &Expr,
        name: &str,
        kind: ComprehensionKind,
        generators: &[Comprehension],
        elt: &Expr,
        value: Option<&Expr>,
    ) -> Result<()> {
        let Some((outermost, rest)) = generators.split_first() else {
            return Err(error(node.range, "comprehension with no generators"));
        };
        self.current().comp_iter_expr += 1;
        self.expr(&outermost.iter)?;
        self.current().comp_iter_expr -= 1;
        self.enter(name.into(), BlockKind::Function, node, BlockRole::Body, node.range);
        let block = self.current();
        block.coroutine = outermost.is_async;
        block.comprehension = kind;
        self.add_def(&".0".into(), def::PARAM, node.range)?;
        self.comp_target(&outermost.target)?;
        self.exprs(&outermost.ifs)?;
        for generator in rest {
            self.comp_target(&generator.target)?;
            self.current().comp_iter_expr += 1;
            self.expr(&generator.iter)?;
            self.current().comp_iter_expr -= 1;
            self.exprs(&generator.ifs)?;
            self.current().coroutine |= generator.is_async;
        }
        // The value of a dict comprehension comes first here, unlike at run time.
        self.optional(value)?;
        self.expr(elt)?;
        let block = self.current();
        block.generator = kind == ComprehensionKind::Generator;
        let is_async = block.coroutine && kind != ComprehensionKind::Generator;
        self.exit();
        if is_async {
            self.current().coroutine = true;
        }
        Ok(())
    }

    fn comp_target(&mut self, target: &Expr) -> Result<()> {
        self.current().comp_iter_target = true;
        let result = self.expr(target);
        self.current().comp_iter_target = false;
        result
    }
}
