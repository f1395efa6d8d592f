//! Moves, constants, locals, cells, globals, namespaces.
use krait_bytecode::Word;
use krait_bytecode::opcodes::KILL_1;
use krait_object::{Dict, PyResult, Raised, Ref, Str, Thread, Value};
use krait_runtime::errors;
use krait_runtime::exceptions::{self, ASSERTION_ERROR};
use krait_runtime::protocol::sequence;
use krait_runtime::types::cell::Cell;
use krait_runtime::well_known::names;

use super::{a, b, c, dies, drop_last, finish0, finish1, kill, ok};
use crate::frames::publish;
use crate::regs::{Pc, Regs, S};
use crate::safepoint::after_drop;

#[inline(always)]
pub fn op_move(th: &mut Thread, w: Word, pc: Pc, r: Regs) -> S {
    let value = r.take_or_clone(b(w), dies(w, KILL_1));
    finish0(th, a(w), pc, pc, r, value)
}
#[inline(always)]
pub fn op_loadk(th: &mut Thread, w: Word, pc: Pc, r: Regs) -> S {
    let value = pc.constant(0).clone();
    finish0(th, a(w), pc, pc.add(1), r, value)
}
#[inline(always)]
pub fn op_clear(th: &mut Thread, w: Word, pc: Pc, r: Regs) -> S {
    kill(th, a(w), pc, pc, r)
}
#[inline(always)]
pub fn op_move_or_clear(th: &mut Thread, w: Word, pc: Pc, r: Regs) -> S {
    let value = r.take(b(w));
    match r.replace(a(w), value).and_then(Value::give_back) {
        Some(old) => drop_last(th, old, pc, pc, r),
        None => S { pc, r },
    }
}
#[inline(always)]
pub fn op_check_bound(th: &mut Thread, w: Word, pc: Pc, r: Regs) -> S {
    if r.is_bound(a(w)) { S { pc, r } } else { unbound(th, w, pc, r) }
}
#[cold]
#[inline(never)]
fn unbound(th: &mut Thread, w: Word, pc: Pc, r: Regs) -> S {
    publish(th, pc);
    let raised = unbound_local(th, r, a(w));
    crate::unwind::fail(th, raised, pc, r)
}
fn unbound_local(th: &mut Thread, r: Regs, register: usize) -> Raised {
    let name = r.code().bytecode().variable_name(register).cloned().unwrap_or_default();
    let message = format!("cannot access local variable '{name}' where it is not associated with a value");
    errors::raise(th, &exceptions::UNBOUND_LOCAL_ERROR, message)
}
/// NameError or its subclass, with the name.
fn named(th: &mut Thread, class: &'static krait_object::TypeObject, message: String, name: &str) -> Raised {
    let e = exceptions::new_exception(class, &message);
    if let Some(n) = e.downcast_ref::<exceptions::NameError>() {
        n.name.set(Some(Value::str(name)));
    }
    errors::raise_value(th, e)
}
#[inline(always)]
pub fn op_delete_fast(th: &mut Thread, w: Word, pc: Pc, r: Regs) -> S {
    if !r.is_bound(a(w)) {
        return unbound(th, w, pc, r);
    }
    kill(th, a(w), pc, pc, r)
}

#[inline(always)]
pub fn op_make_cell(_: &mut Thread, w: Word, pc: Pc, r: Regs) -> S {
    let cell = Cell::new(r.take(a(w)));
    r.put(a(w), cell.into());
    S { pc, r }
}
fn cell<'a>(r: Regs, register: usize) -> Option<&'a Cell> {
    r.opt(register).and_then(|v| v.downcast_exact::<Cell>())
}
#[inline(always)]
pub fn op_load_deref(th: &mut Thread, w: Word, pc: Pc, r: Regs) -> S {
    match cell(r, b(w)).and_then(|c| c.content.get()) {
        Some(value) => finish0(th, a(w), pc, pc, r, value),
        None => empty_cell(th, pc, r, b(w)),
    }
}
#[cold]
#[inline(never)]
fn empty_cell(th: &mut Thread, pc: Pc, r: Regs, register: usize) -> S {
    publish(th, pc);
    let code = r.code();
    let raised = if register < code.first_free as usize {
        unbound_local(th, r, register)
    } else {
        let name = code.bytecode().variable_name(register).cloned().unwrap_or_default();
        let message =
            format!("cannot access free variable '{name}' where it is not associated with a value in enclosing scope");
        named(th, &exceptions::NAME_ERROR, message, &name)
    };
    crate::unwind::fail(th, raised, pc, r)
}
#[inline(always)]
pub fn op_store_deref(th: &mut Thread, w: Word, pc: Pc, r: Regs) -> S {
    let value = r.take_or_clone(b(w), dies(w, KILL_1));
    match cell(r, a(w)).and_then(|c| c.content.replace(Some(value))).and_then(Value::give_back) {
        Some(old) => drop_last(th, old, pc, pc, r),
        None => S { pc, r },
    }
}
pub fn op_delete_deref(th: &mut Thread, w: Word, pc: Pc, r: Regs) -> S {
    match cell(r, a(w)).and_then(|c| c.content.take()) {
        Some(old) => {
            let freed = old.release();
            after_drop(th, pc, freed);
            S { pc, r }
        }
        None => empty_cell(th, pc, r, a(w)),
    }
}

/// `mapping[name]` where a missing key is no error.
fn mapping_get(th: &mut Thread, mapping: &Value, name: &Ref<Str>) -> PyResult<Option<Value>> {
    if let Some(dict) = mapping.downcast_exact::<Dict>() {
        // A key that is no string may be equal to the name.
        return match dict.get_quick(name.as_value()) {
            Ok(found) => Ok(found),
            Err(_) => dict.get(th, name.as_value()),
        };
    }
    let found = sequence::get_item(th, mapping, name.as_value());
    errors::suppress(th, found, &exceptions::KEY_ERROR)
}
pub fn op_load_from_dict_or_deref(th: &mut Thread, w: Word, pc: Pc, r: Regs) -> S {
    publish(th, pc);
    let mapping = r.get(b(w)).clone();
    let name = r.code().variable(c(w));
    let found = match &name {
        Some(name) => ok!(mapping_get(th, &mapping, name), th, pc, r),
        None => None,
    };
    match found.or_else(|| cell(r, c(w)).and_then(|c| c.content.get())) {
        Some(value) => finish1(th, w, pc, pc, r, value),
        None => empty_cell(th, pc, r, c(w)),
    }
}
pub fn op_load_from_dict_or_globals(th: &mut Thread, w: Word, pc: Pc, r: Regs) -> S {
    publish(th, pc);
    let (mapping, name) = (r.get(b(w)).clone(), pc.name(0));
    let value = match ok!(mapping_get(th, &mapping, name), th, pc, r) {
        Some(value) => value,
        None => ok!(global_or_builtin(th, r, name), th, pc, r),
    };
    drop(mapping);
    finish1(th, w, pc, pc.add(1), r, value)
}

/// The builtins of the frame as a plain dict, if they are one.
#[inline(always)]
fn builtins_dict<'a>(r: Regs) -> Option<&'a Dict> {
    r.function().builtins.downcast_exact::<Dict>()
}
fn name_at<'a>(r: Regs, w: Word) -> &'a Ref<Str> {
    &r.code().names()[w.bc() as usize]
}

fn global_or_builtin(th: &mut Thread, r: Regs, name: &Ref<Str>) -> PyResult<Value> {
    let function = r.function();
    let globals = function.globals.clone();
    if let Some(v) = mapping_get(th, globals.as_value(), name)? {
        return Ok(v);
    }
    let builtins = function.builtins.clone();
    match mapping_get(th, &builtins, name)? {
        Some(v) => Ok(v),
        None => {
            let message = format!("name '{}' is not defined", name.to_string_lossy());
            Err(errors::undefined_name(th, message, name))
        }
    }
}

/// Cache words: `version << 32 | place` for the globals, or in the second word the same for the builtins with the
/// globals' version in the first (and no place).
const NOT_IN_GLOBALS: u32 = u32::MAX;

#[inline(always)]
fn cached_global(pc: Pc, r: Regs) -> Option<Value> {
    let word = pc.extra(0);
    let (version, place) = ((word >> 32) as u32, word as u32);
    if version == 0 {
        return None;
    }
    let function = r.function();
    if place != NOT_IN_GLOBALS {
        return function.globals.cached(version, place);
    }
    if function.globals.known_version() != version {
        return None;
    }
    let word = pc.extra(1);
    builtins_dict(r)?.cached((word >> 32) as u32, word as u32)
}
fn fill_global(pc: Pc, r: Regs, name: &Ref<Str>) {
    let function = r.function();
    if !function.globals.as_value().is_exact(&krait_object::builtin_types::DICT) {
        return;
    }
    // Another thread may add the name as soon as it was looked for.
    let globals = function.globals.keys_version();
    if let Some((version, place)) = function.globals.cache_entry(name) {
        pc.set_extra(0, (version as u64) << 32 | place as u64);
        return;
    }
    if let Some((version, place)) = builtins_dict(r).and_then(|d| d.cache_entry(name)) {
        pc.set_extra(1, (version as u64) << 32 | place as u64);
        pc.set_extra(0, (globals as u64) << 32 | NOT_IN_GLOBALS as u64);
    }
}
#[inline(always)]
pub fn op_load_global(th: &mut Thread, w: Word, pc: Pc, r: Regs) -> S {
    match cached_global(pc, r) {
        Some(value) => finish0(th, a(w), pc, pc.add(2), r, value),
        None => load_global_slow(th, w, pc, r),
    }
}
#[cold]
#[inline(never)]
fn load_global_slow(th: &mut Thread, w: Word, pc: Pc, r: Regs) -> S {
    publish(th, pc);
    let name = name_at(r, w);
    let value = ok!(global_or_builtin(th, r, name), th, pc, r);
    fill_global(pc, r, name);
    finish0(th, a(w), pc, pc.add(2), r, value)
}
pub fn op_store_global(th: &mut Thread, w: Word, pc: Pc, r: Regs) -> S {
    let globals = &r.function().globals;
    let value = r.take_or_clone(a(w), dies(w, KILL_1));
    let freed = store(globals, name_at(r, w), pc, value);
    after_drop(th, pc, freed);
    S { pc: pc.add(1), r }
}
/// `namespace[name] = value` through the instruction's cache; says whether that may have freed an object.
#[inline(always)]
fn store(namespace: &Dict, name: &Ref<Str>, pc: Pc, value: Value) -> bool {
    let word = pc.extra(0);
    match namespace.cached_set((word >> 32) as u32, word as u32, value) {
        Ok(old) => old.release(),
        Err(value) => {
            namespace.set_str(name, value);
            if let Some((version, place)) = namespace.cache_entry(name) {
                pc.set_extra(0, (version as u64) << 32 | place as u64);
            }
            true
        }
    }
}
pub fn op_delete_global(th: &mut Thread, w: Word, pc: Pc, r: Regs) -> S {
    let name = name_at(r, w);
    match r.function().globals.remove_str(name) {
        Some(old) => {
            let freed = old.release();
            after_drop(th, pc, freed);
            S { pc, r }
        }
        None => not_defined(th, pc, r, name),
    }
}
#[cold]
fn not_defined(th: &mut Thread, pc: Pc, r: Regs, name: &Ref<Str>) -> S {
    publish(th, pc);
    let raised = errors::undefined_name(th, format!("name '{}' is not defined", name.to_string_lossy()), name);
    crate::unwind::fail(th, raised, pc, r)
}

fn no_locals(th: &mut Thread, what: &str) -> Raised {
    errors::system_error(th, format!("no locals {what}"))
}
/// Whether the frame's namespace is its globals: module level.
#[inline(always)]
fn at_module_level(r: Regs) -> bool {
    r.header().bits(3) == r.function().globals.as_value().bits()
}
#[inline(always)]
pub fn op_load_name(th: &mut Thread, w: Word, pc: Pc, r: Regs) -> S {
    if at_module_level(r)
        && let Some(value) = cached_global(pc, r)
    {
        return finish0(th, a(w), pc, pc.add(2), r, value);
    }
    load_name_slow(th, w, pc, r)
}
#[inline(never)]
fn load_name_slow(th: &mut Thread, w: Word, pc: Pc, r: Regs) -> S {
    publish(th, pc);
    let name = name_at(r, w);
    let found = match r.namespace() {
        Some(namespace) => ok!(mapping_get(th, &namespace, name), th, pc, r),
        None => {
            let raised = no_locals(th, &format!("when loading '{}'", name.to_string_lossy()));
            return crate::unwind::fail(th, raised, pc, r);
        }
    };
    let value = match found {
        Some(value) => value,
        None => ok!(global_or_builtin(th, r, name), th, pc, r),
    };
    if at_module_level(r) {
        fill_global(pc, r, name);
    }
    finish0(th, a(w), pc, pc.add(2), r, value)
}
#[inline(never)]
pub fn op_store_name(th: &mut Thread, w: Word, pc: Pc, r: Regs) -> S {
    publish(th, pc);
    let name = name_at(r, w);
    let Some(namespace) = r.namespace() else {
        let raised = no_locals(th, &format!("found when storing '{}'", name.to_string_lossy()));
        return crate::unwind::fail(th, raised, pc, r);
    };
    let value = r.take_or_clone(a(w), dies(w, KILL_1));
    let freed = match namespace.downcast_exact::<Dict>() {
        Some(dict) => store(dict, name, pc, value),
        None => {
            ok!(sequence::set_item(th, &namespace, name.as_value(), &value), th, pc, r);
            value.release()
        }
    };
    drop(namespace);
    after_drop(th, pc, freed);
    S { pc: pc.add(1), r }
}
pub fn op_delete_name(th: &mut Thread, w: Word, pc: Pc, r: Regs) -> S {
    publish(th, pc);
    let name = name_at(r, w);
    let Some(namespace) = r.namespace() else {
        let raised = no_locals(th, &format!("when deleting '{}'", name.to_string_lossy()));
        return crate::unwind::fail(th, raised, pc, r);
    };
    if let Some(dict) = namespace.downcast_exact::<Dict>() {
        return match dict.remove_str(name) {
            Some(old) => {
                let freed = old.release();
                after_drop(th, pc, freed);
                S { pc, r }
            }
            None => not_defined(th, pc, r, name),
        };
    }
    let deleted = sequence::del_item(th, &namespace, name.as_value());
    match ok!(errors::suppress(th, deleted, &exceptions::KEY_ERROR), th, pc, r) {
        Some(()) => S { pc, r },
        None => not_defined(th, pc, r, name),
    }
}
pub fn op_load_locals(th: &mut Thread, w: Word, pc: Pc, r: Regs) -> S {
    publish(th, pc);
    match r.namespace() {
        Some(namespace) => finish0(th, a(w), pc, pc, r, namespace),
        None => {
            let raised = errors::system_error(th, "no locals");
            crate::unwind::fail(th, raised, pc, r)
        }
    }
}
pub fn op_load_build_class(th: &mut Thread, w: Word, pc: Pc, r: Regs) -> S {
    publish(th, pc);
    let builtins = r.function().builtins.clone();
    match ok!(mapping_get(th, &builtins, &names().build_class), th, pc, r) {
        Some(value) => finish0(th, a(w), pc, pc, r, value),
        None => {
            let raised = errors::name_error(th, "__build_class__ not found");
            crate::unwind::fail(th, raised, pc, r)
        }
    }
}
pub fn op_load_assertion_error(th: &mut Thread, w: Word, pc: Pc, r: Regs) -> S {
    finish0(th, a(w), pc, pc, r, ASSERTION_ERROR.to_value())
}
pub fn op_setup_annotations(th: &mut Thread, _: Word, pc: Pc, r: Regs) -> S {
    publish(th, pc);
    let Some(namespace) = r.namespace() else {
        let raised = errors::system_error(th, "no locals found when setting up annotations");
        return crate::unwind::fail(th, raised, pc, r);
    };
    let key = &names().annotations;
    if ok!(mapping_get(th, &namespace, key), th, pc, r).is_none() {
        let fresh: Value = Dict::new().into();
        match namespace.downcast_exact::<Dict>() {
            Some(dict) => dict.set_str(key, fresh),
            None => ok!(sequence::set_item(th, &namespace, key.as_value(), &fresh), th, pc, r),
        }
    }
    S { pc, r }
}
