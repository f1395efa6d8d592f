//! Loading, storing and deleting names. CPython counterpart: `compiler_nameop`.

use std::sync::Arc;

use krait_bytecode::location::Position;
use krait_bytecode::{Const, Op};
use krait_syntax::ast::{Identifier, Range};

use super::ir::{self, NONE, Reg};
use super::unit::{Place, UnitKind};
use super::{Compiler, Val, at};
use crate::error::{Result, error};
use crate::mangle::mangle;
use crate::symtable::{BlockKind, NameScope};

impl<'a> Compiler<'a> {
    pub(super) fn mangled(&self, name: &Identifier) -> Identifier {
        // Only its own parameters are mangled in the scope of a class's type parameters; names that the table knows
        // as they stand are such others.
        let mangled = mangle(self.u.private.as_ref(), name);
        let block = self.block();
        if mangled != *name && block.symbols.get(&mangled).is_none() && block.symbols.get(name).is_some() {
            return Arc::clone(name);
        }
        mangled
    }

    pub(super) fn resolve(&mut self, name: &Identifier) -> Place {
        if let Some(&place) = self.u.overrides.iter().rev().find_map(|map| map.get(name)) {
            return place;
        }
        self.resolve_scope(name, self.block().scope_of(name))
    }

    pub(super) fn resolve_scope(&mut self, name: &Identifier, scope: NameScope) -> Place {
        match scope {
            NameScope::Free => match self.u.free(name) {
                Some(register) => Place::Deref(register),
                None => Place::GlobalImplicit,
            },
            NameScope::Cell => Place::Deref(self.u.cell(name)),
            NameScope::Local if self.is_function_like() => Place::Fast(self.u.local(name)),
            NameScope::GlobalExplicit => Place::GlobalExplicit,
            NameScope::GlobalImplicit | NameScope::Unknown if self.is_function_like() => Place::GlobalImplicit,
            _ => Place::Name,
        }
    }

    pub(super) fn emit_name(&mut self, op: Op, reg: Reg, name: &Identifier, flags: u8, pos: Position) {
        let index = self.u.name_id(name);
        self.emit(op, [reg, index, 0], flags, pos);
    }

    /// Value of a name: a fast local is borrowed, anything else loaded.
    pub(super) fn load_name(&mut self, id: &Identifier, wanted: Option<Reg>, pos: Position) -> Val {
        let base = self.u.height;
        let name = self.mangled(id);
        match self.resolve(&name) {
            Place::Fast(register) => {
                self.emit(Op::CHECK_BOUND, [register, 0, 0], 0, pos);
                if self.u.walrus > 0 && self.u.has_walrus.contains(&name) {
                    let out = self.out(base, wanted);
                    self.emit(Op::MOVE, [out.reg, register, 0], 0, pos);
                    return out;
                }
                Val { reg: register, temp: false }
            }
            Place::Deref(register) => self.load_deref(register, wanted, pos),
            Place::GlobalImplicit if self.block().can_see_class_scope => {
                let namespace = self.load_name(&"__classdict__".into(), None, pos);
                let out = self.out(base, wanted);
                let index = self.u.name_id(&name);
                let kill = Self::kills(&[namespace], out.reg);
                let args = [out.reg, namespace.reg, 0];
                self.emit_full(Op::LOAD_FROM_DICT_OR_GLOBALS, args, kill, index, NONE, pos);
                out
            }
            place => {
                let out = self.out(base, wanted);
                // A comprehension inlined into a class body does not see the class's names.
                let past_class = self.u.kind == UnitKind::Class && self.u.inlined > 0;
                let op = if place == Place::Name && !past_class { Op::LOAD_NAME } else { Op::LOAD_GLOBAL };
                self.emit_name(op, out.reg, &name, 0, pos);
                out
            }
        }
    }

    fn load_deref(&mut self, register: Reg, wanted: Option<Reg>, pos: Position) -> Val {
        let base = self.u.height;
        let in_class = self.u.kind == UnitKind::Class && self.u.inlined == 0;
        let namespace = if in_class {
            let namespace = self.alloc();
            self.emit(Op::LOAD_LOCALS, [namespace, 0, 0], 0, pos);
            Some(Val { reg: namespace, temp: true })
        } else if self.block().can_see_class_scope && self.u.free("__classdict__") != Some(register) {
            Some(self.load_name(&"__classdict__".into(), None, pos))
        } else {
            None
        };
        let out = self.out(base, wanted);
        match namespace {
            Some(namespace) => {
                let kill = Self::kills(&[namespace], out.reg);
                self.emit(Op::LOAD_FROM_DICT_OR_DEREF, [out.reg, namespace.reg, register], kill, pos);
            }
            None => {
                self.emit(Op::LOAD_DEREF, [out.reg, register, 0], 0, pos);
            }
        }
        out
    }

    /// The register of a name that is a plain fast local.
    pub(super) fn fast_register(&mut self, id: &Identifier) -> Option<Reg> {
        let name = self.mangled(id);
        match self.resolve(&name) {
            Place::Fast(register) if &*name != "__debug__" => Some(register),
            _ => None,
        }
    }

    /// Stores a value, which the store consumes.
    pub(super) fn store_name(&mut self, id: &Identifier, val: Val, range: Range) -> Result<()> {
        self.store_name_at(id, val, range, at(range))
    }

    pub(super) fn store_name_at(&mut self, id: &Identifier, val: Val, range: Range, pos: Position) -> Result<()> {
        self.forbid_debug(id, range)?;
        let name = self.mangled(id);
        match self.resolve(&name) {
            Place::Fast(register) => self.move_to(register, val, pos),
            Place::Deref(register) => {
                let kill = Self::kills(&[val], NONE);
                self.emit(Op::STORE_DEREF, [register, val.reg, 0], kill, pos);
            }
            place => {
                let op = if place == Place::Name { Op::STORE_NAME } else { Op::STORE_GLOBAL };
                self.emit_name(op, val.reg, &name, Self::kills(&[val], NONE), pos);
            }
        }
        Ok(())
    }

    pub(super) fn delete_name(&mut self, id: &Identifier, range: Range) -> Result<()> {
        if &**id == "__debug__" {
            return Err(error(range, "cannot delete __debug__"));
        }
        self.delete_name_at(id, at(range));
        Ok(())
    }

    pub(super) fn delete_name_at(&mut self, id: &Identifier, pos: Position) {
        let name = self.mangled(id);
        match self.resolve(&name) {
            Place::Fast(register) => {
                self.emit(Op::DELETE_FAST, [register, 0, 0], 0, pos);
            }
            Place::Deref(register) => {
                self.emit(Op::DELETE_DEREF, [register, 0, 0], 0, pos);
            }
            place => {
                let op = if place == Place::Name { Op::DELETE_NAME } else { Op::DELETE_GLOBAL };
                self.emit_name(op, 0, &name, 0, pos);
            }
        }
    }

    /// `name = None; del name`, at the end of an `except … as name`.
    pub(super) fn unbind_name(&mut self, id: &Identifier, range: Range, pos: Position) -> Result<()> {
        let base = self.u.height;
        match self.fast_register(id) {
            Some(register) => self.load_const(register, Const::None, pos),
            None => {
                let reg = self.push_const(Const::None, pos);
                self.store_name_at(id, Val { reg, temp: true }, range, pos)?;
            }
        }
        self.set_height(base);
        self.delete_name_at(id, pos);
        Ok(())
    }

    pub(super) fn forbid_debug(&self, id: &str, range: Range) -> Result<()> {
        if id == "__debug__" {
            return Err(error(range, "cannot assign to __debug__"));
        }
        Ok(())
    }

    /// Builds the tuple of cells for a nested code object's free variables at the current height.
    pub(super) fn push_closure(&mut self, freevars: &[Arc<str>], pos: Position) -> Option<Reg> {
        if freevars.is_empty() {
            return None;
        }
        let base = self.u.height;
        for name in freevars {
            let cell = self.closure_register(name);
            let reg = self.alloc();
            self.emit(Op::MOVE, [reg, cell, 0], 0, pos);
        }
        self.set_height(base + 1);
        self.emit(Op::BUILD_TUPLE, [base, base, freevars.len() as u32], 0, pos);
        Some(base)
    }

    fn closure_register(&mut self, name: &Identifier) -> Reg {
        let free = self.u.free(name);
        let hidden = self.u.overrides.iter().any(|map| map.contains_key(name));
        let class = self.table.block(self.u.block).kind == BlockKind::Class;
        // In a class a name can be a cell of an inlined comprehension and, outside of it, free.
        match free {
            Some(register) if class && !hidden => register,
            _ => self.u.closure_cell(name),
        }
    }

    /// Whether a register is a fast local.
    pub(super) fn is_local(register: Reg) -> bool {
        register & ir::GROUP == ir::LOCAL
    }
}
