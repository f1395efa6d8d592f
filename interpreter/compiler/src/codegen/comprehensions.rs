//! Comprehensions: inlined (PEP 709) or as functions; generator expressions.
//!
//! CPython counterpart: `compiler_comprehension`, `push_inlined_comprehension_state`.

use std::collections::HashMap;
use std::sync::Arc;

use krait_bytecode::Op;
use krait_bytecode::location::Position;
use krait_syntax::ast::{Comprehension, Expr, ExprKind, Identifier};

use super::calls::HEADER;
use super::functions::Attributes;
use super::ir::{self, NONE, Reg};
use super::unit::{Frame, FrameKind, Place, UnitKind};
use super::{Compiler, Val, at};
use crate::error::{Result, error};
use crate::symtable::{self, BlockKind, BlockRole, NameScope, def};

/// What a comprehension's innermost step does.
#[derive(Clone, Copy)]
enum Element<'a> {
    List(&'a Expr),
    Set(&'a Expr),
    Dict(&'a Expr, &'a Expr),
    Yield(&'a Expr),
}

impl Element<'_> {
    fn position(&self) -> Position {
        match self {
            Element::List(elt) | Element::Set(elt) | Element::Yield(elt) => at(elt.range),
            Element::Dict(key, value) => Position {
                end_line: value.range.end_lineno,
                end_col: value.range.end_col_offset as i32,
                ..at(key.range)
            },
        }
    }
}

struct Shape<'a> {
    name: &'static str,
    element: Element<'a>,
    generators: &'a [Comprehension],
}

impl<'a> Shape<'a> {
    fn of(expr: &'a Expr) -> Shape<'a> {
        let (name, element, generators) = match &expr.kind {
            ExprKind::ListComp { elt, generators } => ("<listcomp>", Element::List(elt), generators),
            ExprKind::SetComp { elt, generators } => ("<setcomp>", Element::Set(elt), generators),
            ExprKind::DictComp { key, value, generators } => ("<dictcomp>", Element::Dict(key, value), generators),
            ExprKind::GeneratorExp { elt, generators } => ("<genexpr>", Element::Yield(elt), generators),
            _ => unreachable!("only called for comprehensions"),
        };
        Shape { name, element, generators }
    }
}

/// The only value that a clause runs through, if it is written as a list or tuple of one.
fn assigned(clause: &Comprehension) -> Option<&Expr> {
    match &clause.iter.kind {
        ExprKind::List { elts, .. } | ExprKind::Tuple { elts, .. } if !clause.is_async => match &elts[..] {
            [only] if !matches!(only.kind, ExprKind::Starred { .. }) => Some(only),
            _ => None,
        },
        _ => None,
    }
}

impl<'a> Compiler<'a> {
    pub(super) fn comprehension(&mut self, expr: &'a Expr) -> Result<Val> {
        let shape = Shape::of(expr);
        let block = self.table.find(expr, BlockRole::Body);
        let entry = self.table.block(block);
        let is_generator = matches!(shape.element, Element::Yield(_));
        let top_level = self.options.top_level_await && self.u.kind == UnitKind::Module;
        let in_async = matches!(self.u.kind, UnitKind::AsyncFunction)
            || (self.u.kind == UnitKind::Comprehension && self.block().coroutine)
            || top_level;
        if entry.coroutine && !is_generator && !in_async && self.u.kind != UnitKind::Comprehension {
            return Err(error(expr.range, "asynchronous comprehension outside of an asynchronous function"));
        }
        if entry.inlined { self.inlined(expr, &shape, block) } else { self.outlined(expr, &shape, block) }
    }

    /// As a function that is called with the outermost iterator.
    fn outlined(&mut self, expr: &'a Expr, shape: &Shape<'a>, block: symtable::BlockId) -> Result<Val> {
        let window = self.reserve();
        let pos = at(expr.range);
        let is_generator = matches!(shape.element, Element::Yield(_));
        self.enter(UnitKind::Comprehension, block, &shape.name.into(), expr.range.lineno);
        self.u.argcount = 1;
        let iter = ir::LOCAL;
        self.guard_if_generator();
        let result = if is_generator { NONE } else { self.new_collection(shape.element, pos) };
        self.clauses(shape, 0, Some(iter), result, pos)?;
        if is_generator {
            self.return_none(pos);
        } else {
            self.return_value(Val { reg: result, temp: true }, pos);
        }
        self.end_guard_if_generator();
        let is_async = self.block().coroutine && !is_generator;
        let code = self.finish_unit()?;
        self.make_function(code, Attributes::default(), window, pos);
        self.set_height(window + HEADER);
        let outermost = &shape.generators[0];
        let argument = self.u.height;
        let val = self.iterable(&outermost.iter)?;
        self.set_height(argument + 1);
        let kill = Self::kills(&[val], argument);
        let op = if outermost.is_async { Op::GET_AITER } else { Op::GET_ITER };
        self.emit(op, [argument, val.reg, 0], kill, at(outermost.iter.range));
        let out = self.out(window, None);
        self.emit(Op::CALL, [window, 1, out.reg], 0, pos);
        if is_async {
            return Ok(self.await_val(window, out, 0, pos));
        }
        Ok(out)
    }

    fn new_collection(&mut self, element: Element<'a>, pos: Position) -> Reg {
        let reg = self.reserve();
        self.build_collection(element, reg, pos);
        reg
    }

    fn build_collection(&mut self, element: Element<'a>, reg: Reg, pos: Position) {
        let op = match element {
            Element::Set(_) => Op::BUILD_SET,
            Element::Dict(..) => Op::BUILD_MAP,
            Element::List(_) | Element::Yield(_) => Op::BUILD_LIST,
        };
        self.emit(op, [reg, reg, 0], 0, pos);
    }

    /// In the unit around: names that it binds are set aside in temporaries and put back at the end.
    fn inlined(&mut self, expr: &'a Expr, shape: &Shape<'a>, block: symtable::BlockId) -> Result<Val> {
        let pos = at(expr.range);
        let result = self.reserve();
        let outermost = &shape.generators[0];
        let iter = self.u.height;
        let val = self.iterable(&outermost.iter)?;
        self.set_height(iter + 1);
        let op = if outermost.is_async { Op::GET_AITER } else { Op::GET_ITER };
        self.emit(op, [iter, val.reg, 0], Self::kills(&[val], iter), at(outermost.iter.range));
        let saved = self.isolate_names(block, pos);
        self.build_collection(shape.element, result, pos);
        let (handler, cleanup) = self.new_handler(self.u.height);
        let guard = Frame { kind: FrameKind::Guard, handler, on_continue: NONE, on_break: NONE };
        if !saved.is_empty() {
            self.u.frames.push(guard);
        }
        self.u.inlined += 1;
        self.clauses(shape, 0, Some(iter), result, pos)?;
        self.u.inlined -= 1;
        if !saved.is_empty() {
            self.pop_frame();
            for &(register, temp) in saved.iter().rev() {
                self.emit(Op::MOVE_OR_CLEAR, [register, temp, 0], 0, pos);
            }
            let end = self.new_label();
            let exception = self.u.height;
            self.begin_cold(cleanup);
            self.set_height(exception + 1);
            for &(register, temp) in saved.iter().rev() {
                self.emit(Op::MOVE_OR_CLEAR, [register, temp, 0], 0, pos);
            }
            self.emit(Op::RERAISE, [exception, 0, 0], 0, pos);
            self.end_cold(end);
        }
        self.u.overrides.pop();
        self.set_height(result + 1);
        Ok(Val { reg: result, temp: true })
    }

    /// Gives the names that a comprehension binds their places, and saves what these places hold.
    fn isolate_names(&mut self, block: symtable::BlockId, pos: Position) -> Vec<(Reg, Reg)> {
        let in_class = self.block().kind == BlockKind::Class && self.u.inlined == 0;
        let function_like = self.is_function_like();
        let mut places: HashMap<Identifier, Place> = HashMap::new();
        let mut saved = Vec::new();
        let symbols: Vec<(Identifier, symtable::Symbol)> =
            self.table.block(block).symbols.iter().map(|(name, symbol)| (Arc::clone(name), symbol)).collect();
        for (name, symbol) in symbols {
            if symbol.flags & def::PARAM != 0 {
                continue;
            }
            let binds = symbol.flags & def::LOCAL != 0 && symbol.flags & def::NONLOCAL == 0;
            let global = symbol.flags & def::GLOBAL != 0;
            if function_like && !binds && !global && symbol.scope == NameScope::GlobalImplicit {
                // The name may be a local of the unit by another comprehension's grace.
                places.insert(name, Place::GlobalImplicit);
                continue;
            }
            if global || !(binds || in_class) {
                continue;
            }
            if !binds {
                let place = self.place_past_class(&name, symbol.scope);
                places.insert(name, place);
                continue;
            }
            let place = self.bound_place(&name, symbol.scope, function_like);
            let register = match place {
                Place::Fast(register) | Place::Deref(register) => register,
                _ => continue,
            };
            let temp = self.reserve();
            self.emit(Op::MOVE_OR_CLEAR, [temp, register, 0], 0, pos);
            saved.push((register, temp));
            if let Place::Deref(register) = place {
                self.emit(Op::MAKE_CELL, [register, 0, 0], 0, pos);
            }
            places.insert(name, place);
        }
        self.u.overrides.push(places);
        saved
    }

    /// A name that a comprehension in a class body uses: the class's own names are not seen.
    fn place_past_class(&mut self, name: &Identifier, scope: NameScope) -> Place {
        match scope {
            NameScope::Free => match self.u.free(name) {
                Some(register) => Place::Deref(register),
                None if self.u.cellvars.contains(name) => Place::Deref(self.u.cell(name)),
                None => Place::GlobalImplicit,
            },
            NameScope::GlobalExplicit => Place::GlobalExplicit,
            _ => Place::GlobalImplicit,
        }
    }

    fn bound_place(&mut self, name: &Identifier, scope: NameScope, function_like: bool) -> Place {
        if scope == NameScope::Cell || (scope == NameScope::Free && self.u.cellvars.contains(name)) {
            return Place::Deref(self.u.cell(name));
        }
        let hidden = !function_like && !self.u.has_local(name);
        // A name that is a cell outside keeps its cell; this one gets a register of its own.
        let register = self.u.local(name);
        if hidden {
            self.u.hidden.push(register);
        }
        Place::Fast(register)
    }

    /// The clauses from `index` on; `iter` holds the outermost iterator.
    fn clauses(
        &mut self,
        shape: &Shape<'a>,
        index: usize,
        iter: Option<Reg>,
        result: Reg,
        pos: Position,
    ) -> Result<()> {
        self.limit.check()?;
        let Some(clause) = shape.generators.get(index) else {
            return self.element(shape.element, result, pos);
        };
        let base = self.u.height;
        if iter.is_none()
            && let Some(value) = assigned(clause)
        {
            // `for y in [f(x)]` binds a name and is no loop.
            let (val, end) = (self.expr(value)?, self.new_label());
            self.store(&clause.target, val)?;
            self.set_height(base);
            self.conditions(clause, end)?;
            self.clauses(shape, index + 1, None, result, pos)?;
            self.bind(end);
            return Ok(());
        }
        let iter_pos = at(clause.iter.range);
        let iter = match iter {
            Some(argument) if Self::is_local(argument) => {
                // The function's argument: taken over, so that it is dropped when exhausted.
                let reg = self.reserve();
                self.emit(Op::MOVE_OR_CLEAR, [reg, argument, 0], 0, iter_pos);
                reg
            }
            Some(iter) => iter,
            None => {
                let val = self.iterable(&clause.iter)?;
                let iter = self.out(base, None).reg;
                let op = if clause.is_async { Op::GET_AITER } else { Op::GET_ITER };
                self.emit(op, [iter, val.reg, 0], Self::kills(&[val], iter), iter_pos);
                iter
            }
        };
        let (next, end) = (self.new_label(), self.new_label());
        if clause.is_async {
            self.bind(next);
            self.async_next(iter, end, |this, val| this.store(&clause.target, val), iter_pos)?;
            self.conditions(clause, next)?;
            self.clauses(shape, index + 1, None, result, pos)?;
            self.emit_full(Op::JUMP_BACKWARD, [0, 0, 0], 0, 0, next, shape.element.position());
            self.bind(end);
        } else {
            let body = self.new_label();
            self.jump(next, iter_pos);
            self.bind(body);
            let (register, target) = self.loop_target(&clause.target);
            if let Some(target) = target {
                self.store(target, Val { reg: register, temp: true })?;
            }
            self.set_height(base.max(iter + 1));
            self.conditions(clause, next)?;
            self.clauses(shape, index + 1, None, result, pos)?;
            self.bind(next);
            self.emit_full(Op::FOR_ITER, [iter, register, 0], 0, 0, body, iter_pos);
            self.bind(end);
        }
        self.set_height(base);
        Ok(())
    }

    fn conditions(&mut self, clause: &'a Comprehension, next: ir::Label) -> Result<()> {
        clause.ifs.iter().try_for_each(|test| self.jump_if(test, false, next))
    }

    fn element(&mut self, element: Element<'a>, result: Reg, pos: Position) -> Result<()> {
        let base = self.u.height;
        match element {
            Element::List(elt) | Element::Set(elt) => {
                let val = self.expr(elt)?;
                let op = if matches!(element, Element::List(_)) { Op::LIST_APPEND } else { Op::SET_ADD };
                self.emit(op, [result, val.reg, 0], Self::kills(&[val], result), at(elt.range));
            }
            Element::Dict(key, value) => {
                let (key_val, value_val) = (self.expr(key)?, self.expr(value)?);
                let kill = Self::kills(&[key_val, value_val], result);
                self.emit(Op::MAP_ADD, [result, key_val.reg, value_val.reg], kill, element.position());
            }
            Element::Yield(elt) => {
                let val = self.expr(elt)?;
                let sent = self.emit_yield(base, val, None, at(elt.range));
                self.discard(base, sent, pos);
            }
        }
        self.set_height(base);
        Ok(())
    }
}
