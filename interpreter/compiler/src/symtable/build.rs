//! Walks statements, parameters and patterns, and enters definitions into blocks.
//!
//! Expressions are in `expressions.rs`. CPython counterpart: `symtable_visit_stmt` and its neighbours. The order of
//! visits decides which of several errors is reported.

use std::collections::HashMap;
use std::sync::Arc;

use krait_bytecode::code::flags;
use krait_syntax::ast::{
    Alias, Arg, Arguments, ClassDef, ExceptHandler, Expr, ExprKind, FunctionDef, Identifier, MatchCase, Mod, Pattern,
    PatternKind, Range, Stmt, StmtKind, TypeParam, TypeParamKind,
};

use super::{Block, BlockId, BlockKind, BlockRole, ComprehensionKind, NameScope, Symbol, SymbolTable, Symbols, def};
use crate::error::{Result, StackLimit, error};
use crate::mangle::mangle;

pub(super) struct Builder {
    pub(super) blocks: Vec<Block>,
    pub(super) stack: Vec<BlockId>,
    by_node: HashMap<(usize, BlockRole), BlockId>,
    pub(super) private: Option<Identifier>,
    pub(super) future: u32,
    pub(super) limit: StackLimit,
}

pub(super) fn build(module: &Mod, future: u32, limit: StackLimit) -> Result<SymbolTable> {
    let mut builder =
        Builder { blocks: Vec::new(), stack: Vec::new(), by_node: HashMap::new(), private: None, future, limit };
    builder.enter("top".into(), BlockKind::Module, module, BlockRole::Body, Range::default());
    match module {
        Mod::Module { body, .. } | Mod::Interactive { body } => builder.stmts(body)?,
        Mod::Expression { body } => builder.expr(body)?,
        Mod::FunctionType { .. } => {
            return Err(error(Range::default(), "this compiler does not handle FunctionTypes"));
        }
    }
    Ok(SymbolTable { blocks: builder.blocks, by_node: builder.by_node, future, future_line: 0 })
}

impl Builder {
    pub(super) fn current(&mut self) -> &mut Block {
        let id = *self.stack.last().expect("a block is open while the tree is walked");
        &mut self.blocks[id]
    }

    pub(super) fn enter<T>(&mut self, name: Identifier, kind: BlockKind, node: &T, role: BlockRole, range: Range) {
        let parent = self.stack.last().copied();
        let nested = parent.is_some_and(|parent| self.blocks[parent].nested || self.blocks[parent].is_function_like());
        let id = self.blocks.len();
        self.blocks.push(Block {
            name,
            kind,
            symbols: Symbols::default(),
            varnames: Vec::new(),
            children: Vec::new(),
            range,
            nested,
            free: false,
            child_free: false,
            generator: false,
            coroutine: false,
            returns_value: false,
            varargs: false,
            varkeywords: false,
            comprehension: ComprehensionKind::No,
            inlined: false,
            needs_class_closure: false,
            needs_classdict: false,
            can_see_class_scope: false,
            walrus_names: Vec::new(),
            comp_iter_target: false,
            comp_iter_expr: parent.map_or(0, |parent| self.blocks[parent].comp_iter_expr),
            directives: Vec::new(),
            mangled_names: parent.and_then(|parent| self.blocks[parent].mangled_names.clone()),
            scope_info: "",
        });
        // The scope that evaluates an annotation is looked up by nobody and is no child.
        if kind != BlockKind::Annotation {
            self.by_node.insert((std::ptr::from_ref(node) as usize, role), id);
            if let Some(parent) = parent {
                self.blocks[parent].children.push(id);
            }
        }
        self.stack.push(id);
    }

    pub(super) fn exit(&mut self) {
        self.stack.pop();
    }

    /// The name as this place spells it: in the scope of a class's type parameters only their own names are mangled.
    pub(super) fn mangled(&self, name: &Identifier) -> Identifier {
        let block = &self.blocks[*self.stack.last().expect("a block is open")];
        match &block.mangled_names {
            Some(names) if !names.contains(name) => Arc::clone(name),
            _ => mangle(self.private.as_ref(), name),
        }
    }

    pub(super) fn flags_of(&self, name: &Identifier) -> u32 {
        let block = &self.blocks[*self.stack.last().expect("a block is open")];
        block.symbols.flags(&self.mangled(name))
    }

    pub(super) fn add_def(&mut self, name: &Identifier, flag: u32, range: Range) -> Result<()> {
        if flag & def::TYPE_PARAM != 0
            && let Some(names) = &mut self.current().mangled_names
        {
            names.push(Arc::clone(name));
        }
        let block = *self.stack.last().expect("a block is open");
        self.add_def_to(block, name, flag, range)
    }

    pub(super) fn add_def_to(&mut self, block: BlockId, name: &Identifier, flag: u32, range: Range) -> Result<()> {
        let mangled = self.mangled(name);
        let entry = &mut self.blocks[block];
        let old = entry.symbols.flags(&mangled);
        if flag & old & def::PARAM != 0 {
            return Err(error(range, format!("duplicate argument '{name}' in function definition")));
        }
        if flag & old & def::TYPE_PARAM != 0 {
            return Err(error(range, format!("duplicate type parameter '{name}'")));
        }
        let mut value = old | flag;
        if entry.comp_iter_target {
            if value & (def::GLOBAL | def::NONLOCAL) != 0 {
                let msg = format!("comprehension inner loop cannot rebind assignment expression target '{name}'");
                return Err(error(range, msg));
            }
            value |= def::COMP_ITER;
        }
        entry.symbols.set(&mangled, Symbol { flags: value, scope: NameScope::Unknown });
        if flag & def::PARAM != 0 {
            entry.varnames.push(mangled);
        } else if flag & def::GLOBAL != 0 {
            let top = &mut self.blocks[0].symbols;
            let value = top.flags(&mangled) | flag;
            top.set(&mangled, Symbol { flags: value, scope: NameScope::Unknown });
        }
        Ok(())
    }

    pub(super) fn stmts(&mut self, body: &[Stmt]) -> Result<()> {
        body.iter().try_for_each(|stmt| self.stmt(stmt))
    }

    fn stmt(&mut self, stmt: &Stmt) -> Result<()> {
        self.limit.check()?;
        match &stmt.kind {
            StmtKind::FunctionDef(function) => self.function(stmt, function, false),
            StmtKind::AsyncFunctionDef(function) => self.function(stmt, function, true),
            StmtKind::ClassDef(class) => self.class(stmt, class),
            StmtKind::TypeAlias { name, type_params, value } => self.type_alias(stmt, name, type_params, value),
            StmtKind::Return { value } => {
                if let Some(value) = value {
                    self.expr(value)?;
                    self.current().returns_value = true;
                }
                Ok(())
            }
            StmtKind::Delete { targets } => self.exprs(targets),
            StmtKind::Assign { targets, value, .. } => {
                self.exprs(targets)?;
                self.expr(value)
            }
            StmtKind::AnnAssign { target, annotation, value, simple } => {
                self.annotated_assignment(target, annotation, value.as_deref(), *simple, stmt.range)
            }
            StmtKind::AugAssign { target, value, .. } => {
                self.expr(target)?;
                self.expr(value)
            }
            StmtKind::For(node) | StmtKind::AsyncFor(node) => {
                self.note_async(matches!(stmt.kind, StmtKind::AsyncFor(_)));
                self.expr(&node.target)?;
                self.expr(&node.iter)?;
                self.stmts(&node.body)?;
                self.stmts(&node.orelse)
            }
            StmtKind::While { test, body, orelse } | StmtKind::If { test, body, orelse } => {
                self.expr(test)?;
                self.stmts(body)?;
                self.stmts(orelse)
            }
            StmtKind::Match { subject, cases } => {
                self.expr(subject)?;
                cases.iter().try_for_each(|case| self.match_case(case))
            }
            StmtKind::Raise { exc, cause } => {
                self.optional(exc.as_deref())?;
                self.optional(cause.as_deref())
            }
            StmtKind::Try(node) | StmtKind::TryStar(node) => {
                self.stmts(&node.body)?;
                node.handlers.iter().try_for_each(|handler| self.handler(handler))?;
                self.stmts(&node.orelse)?;
                self.stmts(&node.finalbody)
            }
            StmtKind::Assert { test, msg } => {
                self.expr(test)?;
                self.optional(msg.as_deref())
            }
            StmtKind::Import { names } | StmtKind::ImportFrom { names, .. } => {
                names.iter().try_for_each(|alias| self.alias(alias))
            }
            StmtKind::Global { names } => {
                names.iter().try_for_each(|name| self.directive(name, def::GLOBAL, stmt.range))
            }
            StmtKind::Nonlocal { names } => {
                names.iter().try_for_each(|name| self.directive(name, def::NONLOCAL, stmt.range))
            }
            StmtKind::Expr { value } => self.expr(value),
            StmtKind::With(node) | StmtKind::AsyncWith(node) => {
                self.note_async(matches!(stmt.kind, StmtKind::AsyncWith(_)));
                for item in &node.items {
                    self.expr(&item.context_expr)?;
                    self.optional(item.optional_vars.as_deref())?;
                }
                self.stmts(&node.body)
            }
            StmtKind::Pass | StmtKind::Break | StmtKind::Continue => Ok(()),
        }
    }

    /// An asynchronous statement makes a module a coroutine, where that is allowed.
    fn note_async(&mut self, is_async: bool) {
        let block = self.current();
        block.coroutine |= is_async && block.kind == BlockKind::Module;
    }
    fn function(&mut self, stmt: &Stmt, node: &FunctionDef, is_async: bool) -> Result<()> {
        self.add_def(&node.name, def::LOCAL, stmt.range)?;
        self.defaults(&node.args)?;
        self.exprs(&node.decorator_list)?;
        let generic = !node.type_params.is_empty();
        if generic {
            let has_kwdefaults = node.args.kw_defaults.iter().any(Option::is_some);
            self.enter_type_params(stmt, &node.name, !node.args.defaults.is_empty(), has_kwdefaults, false)?;
            self.type_params(&node.type_params)?;
        }
        self.annotations(stmt, &node.args, node.returns.as_deref())?;
        self.enter(Arc::clone(&node.name), BlockKind::Function, stmt, BlockRole::Body, stmt.range);
        self.current().coroutine = is_async;
        self.parameters(&node.args, stmt.range)?;
        self.stmts(&node.body)?;
        self.exit();
        if generic {
            self.exit();
        }
        Ok(())
    }

    fn class(&mut self, stmt: &Stmt, node: &ClassDef) -> Result<()> {
        self.add_def(&node.name, def::LOCAL, stmt.range)?;
        self.exprs(&node.decorator_list)?;
        let generic = !node.type_params.is_empty();
        let outer_private = self.private.clone();
        if generic {
            self.enter_type_params(stmt, &node.name, false, false, true)?;
            // Only the parameters are mangled with the class's own name, not its bases.
            self.private = Some(Arc::clone(&node.name));
            self.current().mangled_names = Some(Vec::new());
            self.type_params(&node.type_params)?;
        }
        self.exprs(&node.bases)?;
        node.keywords.iter().try_for_each(|keyword| self.expr(&keyword.value))?;
        self.enter(Arc::clone(&node.name), BlockKind::Class, stmt, BlockRole::Body, stmt.range);
        self.current().mangled_names = None;
        self.private = Some(Arc::clone(&node.name));
        if generic {
            self.add_def(&"__type_params__".into(), def::LOCAL, stmt.range)?;
            self.add_def(&".type_params".into(), def::USE, stmt.range)?;
        }
        self.stmts(&node.body)?;
        self.exit();
        if generic {
            self.exit();
        }
        self.private = outer_private;
        Ok(())
    }

    fn type_alias(&mut self, stmt: &Stmt, name: &Expr, params: &[TypeParam], value: &Expr) -> Result<()> {
        self.expr(name)?;
        let ExprKind::Name { id, .. } = &name.kind else {
            return Err(error(name.range, "type alias name must be a name"));
        };
        let in_class = self.current().kind == BlockKind::Class;
        if !params.is_empty() {
            self.enter_type_params(stmt, id, false, false, false)?;
            self.type_params(params)?;
        }
        self.enter(Arc::clone(id), BlockKind::TypeAlias, stmt, BlockRole::Body, stmt.range);
        self.enter_class_view(in_class, stmt.range)?;
        self.expr(value)?;
        self.exit();
        if !params.is_empty() {
            self.exit();
        }
        Ok(())
    }

    /// Marks an annotation scope that stands directly in a class.
    fn enter_class_view(&mut self, in_class: bool, range: Range) -> Result<()> {
        self.current().can_see_class_scope = in_class;
        if in_class {
            self.add_def(&"__classdict__".into(), def::USE, range)?;
        }
        Ok(())
    }

    fn enter_type_params(
        &mut self,
        stmt: &Stmt,
        name: &Identifier,
        has_defaults: bool,
        has_kwdefaults: bool,
        is_class: bool,
    ) -> Result<()> {
        let in_class = self.current().kind == BlockKind::Class;
        let range = stmt.range;
        self.enter(Arc::clone(name), BlockKind::TypeParameters, stmt, BlockRole::TypeParameters, range);
        self.enter_class_view(in_class, range)?;
        if is_class {
            self.add_def(&".type_params".into(), def::LOCAL, range)?;
            self.add_def(&".type_params".into(), def::USE, range)?;
            self.add_def(&".generic_base".into(), def::LOCAL, range)?;
            self.add_def(&".generic_base".into(), def::USE, range)?;
        }
        if has_defaults {
            self.add_def(&".defaults".into(), def::PARAM, range)?;
        }
        if has_kwdefaults {
            self.add_def(&".kwdefaults".into(), def::PARAM, range)?;
        }
        Ok(())
    }

    fn type_params(&mut self, params: &[TypeParam]) -> Result<()> {
        for param in params {
            let (name, bound, default, default_info) = match &param.kind {
                TypeParamKind::TypeVar { name, bound, default_value } => {
                    (name, bound.as_deref(), default_value, "a TypeVar default")
                }
                TypeParamKind::ParamSpec { name, default_value } => (name, None, default_value, "a ParamSpec default"),
                TypeParamKind::TypeVarTuple { name, default_value } => {
                    (name, None, default_value, "a TypeVarTuple default")
                }
            };
            self.add_def(name, def::TYPE_PARAM | def::LOCAL, param.range)?;
            if let Some(bound) = bound {
                let is_tuple = matches!(bound.kind, ExprKind::Tuple { .. });
                let info = if is_tuple { "a TypeVar constraint" } else { "a TypeVar bound" };
                self.type_variable(param, name, bound, BlockRole::Bound, info)?;
            }
            if let Some(default) = default {
                self.type_variable(param, name, default, BlockRole::Default, default_info)?;
            }
        }
        Ok(())
    }

    fn type_variable(
        &mut self,
        param: &TypeParam,
        name: &Identifier,
        value: &Expr,
        role: BlockRole,
        info: &'static str,
    ) -> Result<()> {
        let in_class = self.current().can_see_class_scope;
        self.enter(Arc::clone(name), BlockKind::TypeVariable, param, role, value.range);
        self.current().scope_info = info;
        self.enter_class_view(in_class, value.range)?;
        self.expr(value)?;
        self.exit();
        Ok(())
    }

    fn annotated_assignment(
        &mut self,
        target: &Expr,
        annotation: &Expr,
        value: Option<&Expr>,
        simple: bool,
        range: Range,
    ) -> Result<()> {
        if let ExprKind::Name { id, .. } = &target.kind {
            let flags = self.flags_of(id);
            let at_top = self.stack.len() == 1;
            if flags & (def::GLOBAL | def::NONLOCAL) != 0 && !at_top && simple {
                let what = if flags & def::GLOBAL != 0 { "global" } else { "nonlocal" };
                return Err(error(range, format!("annotated name '{id}' can't be {what}")));
            }
            if simple {
                self.add_def(id, def::ANNOT | def::LOCAL, target.range)?;
            } else if value.is_some() {
                self.add_def(id, def::LOCAL, target.range)?;
            }
        } else {
            self.expr(target)?;
        }
        self.annotation(annotation)?;
        self.optional(value)
    }

    /// Under the future import an annotation is a string; its names belong nowhere, but its errors are reported.
    fn annotation(&mut self, annotation: &Expr) -> Result<()> {
        let future = self.future & flags::FUTURE_ANNOTATIONS != 0;
        if future {
            self.enter("_annotation".into(), BlockKind::Annotation, annotation, BlockRole::Body, annotation.range);
        }
        self.expr(annotation)?;
        if future {
            self.exit();
        }
        Ok(())
    }

    fn annotations(&mut self, stmt: &Stmt, args: &Arguments, returns: Option<&Expr>) -> Result<()> {
        let future = self.future & flags::FUTURE_ANNOTATIONS != 0;
        if future {
            self.enter("_annotation".into(), BlockKind::Annotation, stmt, BlockRole::Body, stmt.range);
        }
        let starred = args.vararg.iter().chain(&args.kwarg).map(|arg| &**arg);
        let all = args.posonlyargs.iter().chain(&args.args).chain(starred).chain(&args.kwonlyargs);
        all.filter_map(|arg| arg.annotation.as_deref()).try_for_each(|annotation| self.expr(annotation))?;
        if future {
            self.exit();
        }
        match returns {
            Some(returns) => self.annotation(returns),
            None => Ok(()),
        }
    }

    pub(super) fn defaults(&mut self, args: &Arguments) -> Result<()> {
        self.exprs(&args.defaults)?;
        args.kw_defaults.iter().flatten().try_for_each(|default| self.expr(default))
    }

    pub(super) fn parameters(&mut self, args: &Arguments, _range: Range) -> Result<()> {
        let param = |this: &mut Self, arg: &Arg| this.add_def(&arg.arg, def::PARAM, arg.range);
        for arg in args.posonlyargs.iter().chain(&args.args).chain(&args.kwonlyargs) {
            param(self, arg)?;
        }
        if let Some(arg) = &args.vararg {
            param(self, arg)?;
            self.current().varargs = true;
        }
        if let Some(arg) = &args.kwarg {
            param(self, arg)?;
            self.current().varkeywords = true;
        }
        Ok(())
    }

    fn handler(&mut self, handler: &ExceptHandler) -> Result<()> {
        self.optional(handler.type_.as_deref())?;
        if let Some(name) = &handler.name {
            self.add_def(name, def::LOCAL, handler.range)?;
        }
        self.stmts(&handler.body)
    }

    fn alias(&mut self, alias: &Alias) -> Result<()> {
        let name = alias.asname.as_ref().unwrap_or(&alias.name);
        if &**name == "*" {
            if self.current().kind != BlockKind::Module {
                return Err(error(alias.range, "import * only allowed at module level"));
            }
            return Ok(());
        }
        match name.split_once('.') {
            Some((package, _)) => self.add_def(&package.into(), def::IMPORT, alias.range),
            None => self.add_def(name, def::IMPORT, alias.range),
        }
    }

    fn directive(&mut self, name: &Identifier, flag: u32, range: Range) -> Result<()> {
        let what = if flag == def::GLOBAL { "global" } else { "nonlocal" };
        let flags = self.flags_of(name);
        if flags & def::PARAM != 0 {
            return Err(error(range, format!("name '{name}' is parameter and {what}")));
        }
        if flags & def::USE != 0 {
            return Err(error(range, format!("name '{name}' is used prior to {what} declaration")));
        }
        if flags & def::ANNOT != 0 {
            return Err(error(range, format!("annotated name '{name}' can't be {what}")));
        }
        if flags & (def::LOCAL | def::IMPORT) != 0 {
            return Err(error(range, format!("name '{name}' is assigned to before {what} declaration")));
        }
        self.add_def(name, flag, range)?;
        self.record_directive(name, range);
        Ok(())
    }

    pub(super) fn record_directive(&mut self, name: &Identifier, range: Range) {
        let mangled = self.mangled(name);
        self.current().directives.push((mangled, range));
    }

    fn match_case(&mut self, case: &MatchCase) -> Result<()> {
        self.pattern(&case.pattern)?;
        self.optional(case.guard.as_deref())?;
        self.stmts(&case.body)
    }

    fn pattern(&mut self, pattern: &Pattern) -> Result<()> {
        self.limit.check()?;
        let bind = |this: &mut Self, name: &Option<Identifier>| match name {
            Some(name) => this.add_def(name, def::LOCAL, pattern.range),
            None => Ok(()),
        };
        match &pattern.kind {
            PatternKind::MatchValue { value } => self.expr(value),
            PatternKind::MatchSingleton { .. } => Ok(()),
            PatternKind::MatchSequence { patterns } | PatternKind::MatchOr { patterns } => self.patterns(patterns),
            PatternKind::MatchStar { name } => bind(self, name),
            PatternKind::MatchMapping { keys, patterns, rest } => {
                self.exprs(keys)?;
                self.patterns(patterns)?;
                bind(self, rest)
            }
            PatternKind::MatchClass { cls, patterns, kwd_patterns, .. } => {
                self.expr(cls)?;
                self.patterns(patterns)?;
                self.patterns(kwd_patterns)
            }
            PatternKind::MatchAs { pattern: inner, name } => {
                if let Some(inner) = inner {
                    self.pattern(inner)?;
                }
                bind(self, name)
            }
        }
    }

    fn patterns(&mut self, patterns: &[Pattern]) -> Result<()> {
        patterns.iter().try_for_each(|pattern| self.pattern(pattern))
    }

    pub(super) fn exprs(&mut self, exprs: &[Expr]) -> Result<()> {
        exprs.iter().try_for_each(|expr| self.expr(expr))
    }

    pub(super) fn optional(&mut self, expr: Option<&Expr>) -> Result<()> {
        expr.map_or(Ok(()), |expr| self.expr(expr))
    }
}
