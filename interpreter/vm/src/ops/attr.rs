//! Attributes: `LOAD_ATTR`, `STORE_ATTR`, `LOAD_METHOD`, `LOAD_SUPER_ATTR` and their inline caches.
//!
//! # Cache words
//!
//! Word 0: type version (high) and shape id (low). Word 1: kind (bits 0..8) and an index (bits 16..32 and 32..64). The
//! type version says that no class on the MRO changed, the shape that the instance's own attributes are the same set;
//! both ids are never reused.
use krait_bytecode::Word;
use krait_bytecode::opcodes::{KILL_1, KILL_2, METHOD, ZERO_ARG};
use krait_object::instance::{self, cached_add, cached_get, cached_set, shape::DICT, shape::Shape, shape_of};
use krait_object::{PyResult, Ref, Str, Thread, Type, Value, type_flag};
use krait_runtime::protocol::{attr, call};
use krait_runtime::types::object::has_generic_getattr;
use krait_runtime::types::super_;

use super::{a, b, c, dies, finish1, kill_reads, ok};
use crate::frames::publish;
use crate::regs::{Pc, Regs, S};
use crate::safepoint::after_drop;

/// The attribute is in the instance's slot `index`.
const SLOT: u64 = 1;
/// The attribute is entry `index` of the class's method table; the instance has none of its own.
const CLASS: u64 = 2;
/// Storing adds slot `index` and steps to the shape in the high half.
const ADD: u64 = 3;

fn cache_word(kind: u64, index: u16, more: u32) -> u64 {
    kind | (index as u64) << 16 | (more as u64) << 32
}

fn name_at<'a>(r: Regs, w: Word) -> &'a Ref<Str> {
    &r.code().names[c(w)]
}

#[inline(always)]
pub fn op_load_attr(th: &mut Thread, w: Word, pc: Pc, r: Regs) -> S {
    let object = r.get(b(w));
    let (word, detail) = (pc.extra(0), pc.extra(1));
    if word != 0 && object.class().current_version() == (word >> 32) as u32 && detail as u8 as u64 == SLOT {
        if let Some(value) = cached_get(object, word as u32, (detail >> 16) as u16) {
            return finish1(th, w, pc, pc.add(2), r, value);
        }
    }
    load_attr_slow(th, w, pc, r)
}
#[inline(never)]
fn load_attr_slow(th: &mut Thread, w: Word, pc: Pc, r: Regs) -> S {
    publish(th, pc);
    let (object, name) = (r.get(b(w)).clone(), name_at(r, w));
    if let Some(value) = fill_slot(&object, name, pc) {
        drop(object);
        return finish1(th, w, pc, pc.add(2), r, value);
    }
    let value = ok!(attr::get_attr(th, &object, name), th, pc, r);
    drop(object);
    finish1(th, w, pc, pc.add(2), r, value)
}
/// The attribute from the instance's slots, if the generic lookup would find it there; fills the cache.
fn fill_slot(object: &Value, name: &Ref<Str>, pc: Pc) -> Option<Value> {
    let shape = shape_of(object);
    if shape == DICT || !has_generic_getattr(object.class()) {
        return None;
    }
    let index = Shape::get(shape).index_of(name)?;
    let class = object.class();
    if class.lookup(name).is_some_and(|found| found.class().slots.descr_set.is_set()) {
        return None;
    }
    let value = cached_get(object, shape, index)?;
    pc.set_extra(1, cache_word(SLOT, index, 0));
    pc.set_extra(0, (class.version() as u64) << 32 | shape as u64);
    Some(value)
}

#[inline(always)]
pub fn op_store_attr(th: &mut Thread, w: Word, pc: Pc, r: Regs) -> S {
    let object = r.get(a(w));
    let (word, detail) = (pc.extra(0), pc.extra(1));
    if word != 0 && object.class().current_version() == (word >> 32) as u32 {
        let (shape, index) = (word as u32, (detail >> 16) as u16);
        let value = r.take_or_clone(b(w), dies(w, KILL_2));
        let result = if detail as u8 as u64 == SLOT {
            cached_set(object, shape, index, value)
        } else {
            cached_add(object, shape, (detail >> 32) as u32, index, value).map(|()| None)
        };
        match result {
            Ok(old) => {
                let mut freed = old.is_some_and(Value::release);
                if dies(w, KILL_1) {
                    freed |= r.kill(a(w));
                }
                after_drop(th, pc, freed);
                return S { pc: pc.add(2), r };
            }
            Err(value) => drop(r.replace(b(w), Some(value))),
        }
    }
    store_attr_slow(th, w, pc, r)
}
#[inline(never)]
fn store_attr_slow(th: &mut Thread, w: Word, pc: Pc, r: Regs) -> S {
    publish(th, pc);
    let (object, value, name) = (r.get(a(w)).clone(), r.get(b(w)).clone(), name_at(r, w));
    let before = shape_of(&object);
    ok!(attr::set_attr(th, &object, name, Some(&value)), th, pc, r);
    fill_store(&object, name, before, pc);
    drop((object, value));
    kill_reads(th, w, pc, pc.add(2), r, &[a(w), b(w)])
}
/// Fills the cache where the generic store used the instance's slots.
fn fill_store(object: &Value, name: &Ref<Str>, before: u32, pc: Pc) {
    let after = shape_of(object);
    let class = object.class();
    if before == DICT || after == DICT || !class.slots.setattr.same(&krait_object::builtin_types::OBJECT.slots.setattr) {
        return;
    }
    let Some(index) = Shape::get(after).index_of(name) else { return };
    if class.lookup(name).is_some_and(|found| found.class().slots.descr_set.is_set()) {
        return;
    }
    let detail = if after == before {
        cache_word(SLOT, index, 0)
    } else if Shape::get(after).parent == Some(before) {
        cache_word(ADD, index, after)
    } else {
        return;
    };
    pc.set_extra(1, detail);
    pc.set_extra(0, (class.version() as u64) << 32 | before as u64);
}
pub fn op_delete_attr(th: &mut Thread, w: Word, pc: Pc, r: Regs) -> S {
    publish(th, pc);
    let (object, name) = (r.get(a(w)).clone(), &r.code().names[w.bc() as usize]);
    ok!(attr::set_attr(th, &object, name, None), th, pc, r);
    drop(object);
    kill_reads(th, w, pc, pc, r, &[a(w)])
}
pub fn op_load_attr_dyn(th: &mut Thread, w: Word, pc: Pc, r: Regs) -> S {
    publish(th, pc);
    let (object, name) = (r.get(b(w)).clone(), r.get(c(w)).clone());
    let name = ok!(attr::name_argument(th, &name), th, pc, r);
    let value = ok!(attr::get_attr(th, &object, &name), th, pc, r);
    drop(object);
    super::finish2(th, w, pc, pc, r, value)
}
pub fn op_store_attr_dyn(th: &mut Thread, w: Word, pc: Pc, r: Regs) -> S {
    publish(th, pc);
    let (object, value, name) = (r.get(a(w)).clone(), r.get(b(w)).clone(), r.get(c(w)).clone());
    let name = ok!(attr::name_argument(th, &name), th, pc, r);
    ok!(attr::set_attr(th, &object, &name, Some(&value)), th, pc, r);
    drop((object, value));
    kill_reads(th, w, pc, pc, r, &[a(w), b(w), c(w)])
}

/// Puts the method form into the window: a function and its self.
#[inline(always)]
fn method_form(th: &mut Thread, w: Word, pc: Pc, r: Regs, function: Value) -> S {
    let object = r.take_or_clone(b(w), dies(w, KILL_1));
    r.put(a(w) + 4, object);
    let old = r.replace(a(w), Some(function));
    debug_assert!(old.is_none() || a(w) == b(w));
    drop(old);
    let _ = th;
    S { pc: pc.add(2), r }
}

#[inline(always)]
pub fn op_load_method(th: &mut Thread, w: Word, pc: Pc, r: Regs) -> S {
    let object = r.get(b(w));
    let (word, detail) = (pc.extra(0), pc.extra(1));
    if word != 0 {
        let class = object.class();
        if class.current_version() == (word >> 32) as u32
            && detail as u8 as u64 == CLASS
            && (word as u32 == NO_TAIL || shape_of(object) == word as u32)
            && let Some(function) = class.cached_method((detail >> 16) as u16)
        {
            return method_form(th, w, pc, r, function);
        }
    }
    load_method_slow(th, w, pc, r)
}
/// In the place of a shape: instances of the class have no attributes of their own.
const NO_TAIL: u32 = u32::MAX;

/// A function found on the class that is to be called with the instance first, where the instance cannot hide it.
fn class_method(object: &Value, name: &Ref<Str>, pc: Pc) -> Option<Value> {
    let class = object.class();
    if !has_generic_getattr(class) {
        return None;
    }
    let found = class.lookup(name)?;
    if !found.class().has_flag(type_flag::METHOD_DESCRIPTOR) {
        return None;
    }
    let shape = match instance::storage(object) {
        instance::Storage::Slots(shape) => {
            if shape.index_of(name).is_some() {
                return None;
            }
            shape.id
        }
        instance::Storage::Dict(dict) => {
            return if dict.get_str(name).is_some() { None } else { Some(found) };
        }
        instance::Storage::Absent => {
            if let Some(dict) = krait_runtime::types::object::payload_dict(object) {
                return if dict.get_str(name).is_some() { None } else { Some(found) };
            }
            if class.dict_cell.is_set() {
                return Some(found);
            }
            NO_TAIL
        }
    };
    let version = class.version();
    if version != 0
        && let Some(index) = class.cache_method(&found)
    {
        pc.set_extra(1, cache_word(CLASS, index, 0));
        pc.set_extra(0, (version as u64) << 32 | shape as u64);
    }
    Some(found)
}
#[inline(never)]
fn load_method_slow(th: &mut Thread, w: Word, pc: Pc, r: Regs) -> S {
    publish(th, pc);
    let (object, name) = (r.get(b(w)).clone(), name_at(r, w));
    if let Some(function) = class_method(&object, name, pc) {
        drop(object);
        return method_form(th, w, pc, r, function);
    }
    let value = ok!(attr::get_attr(th, &object, name), th, pc, r);
    drop(object);
    if dies(w, KILL_1) {
        let freed = r.kill(b(w));
        r.replace(a(w), Some(value));
        after_drop(th, pc, freed);
    } else {
        let old = r.replace(a(w), Some(value));
        drop(old);
    }
    S { pc: pc.add(2), r }
}

/// `super().name` without making the super object, where `super` is the builtin.
pub fn op_load_super_attr(th: &mut Thread, w: Word, pc: Pc, r: Regs) -> S {
    publish(th, pc);
    let (function, class, object) = (r.get(b(w)).clone(), r.get(b(w) + 1).clone(), r.get(b(w) + 2).clone());
    let name = name_at(r, w);
    let found = ok!(super_attr(th, w, &function, &class, &object, name), th, pc, r);
    let freed = r.clear(b(w), b(w) + 3);
    match found {
        SuperAttr::Method(function) => {
            r.put(a(w), function);
            r.put(a(w) + 4, object);
        }
        SuperAttr::Value(value) => {
            let old = r.replace(a(w), Some(value));
            drop(old);
        }
    }
    after_drop(th, pc, freed);
    S { pc: pc.add(1), r }
}
enum SuperAttr {
    Method(Value),
    Value(Value),
}
fn super_attr(
    th: &mut Thread,
    w: Word,
    function: &Value,
    class: &Value,
    object: &Value,
    name: &Ref<Str>,
) -> PyResult<SuperAttr> {
    if !function.is(krait_object::Ref::from_object(&super_::SUPER).as_value()) {
        let zero = w.flags() & ZERO_ARG != 0;
        let proxy = if zero { call::call(th, function, &[])? } else { call::call(th, function, &[class.clone(), object.clone()])? };
        return attr::get_attr(th, &proxy, name).map(SuperAttr::Value);
    }
    let Some(class) = class.to_ref::<Type>() else {
        let proxy = call::call(th, function, &[class.clone(), object.clone()])?;
        return attr::get_attr(th, &proxy, name).map(SuperAttr::Value);
    };
    let start = super_::check(th, &class, object)?;
    if w.flags() & METHOD != 0
        && !start.as_value().is(object)
        && let Some(found) = super_::lookup_raw(class.as_value(), &start, name)
        && found.class().has_flag(type_flag::METHOD_DESCRIPTOR)
    {
        return Ok(SuperAttr::Method(found));
    }
    if !name.eq_str("__class__")
        && let Some(found) = super_::lookup(th, class.as_value(), object, &start, name)?
    {
        return Ok(SuperAttr::Value(found));
    }
    let proxy = super_::new(&class, object);
    attr::get_attr(th, &proxy, name).map(SuperAttr::Value)
}
