//! Attributes: `LOAD_ATTR`, `STORE_ATTR`, `LOAD_METHOD`, `LOAD_SUPER_ATTR`. Their inline caches are `cache.rs`; what may
//! be cached is decided here.
use krait_bytecode::Word;
use krait_bytecode::opcodes::{KILL_1, KILL_2, METHOD, ZERO_ARG};
use krait_object::builtin_types::{OBJECT, TYPE};
use krait_object::instance::cache::{attribute_place, member_place};
use krait_object::instance::shape::DICT;
use krait_object::instance::{self, Storage, shape_of};
use krait_object::{PyResult, Ref, Str, Thread, Type, TypeObject, Value, type_flag};
use krait_runtime::protocol::{attr, call};
use krait_runtime::types::descriptor::GetSetDescriptor;
use krait_runtime::types::function::FUNCTION;
use krait_runtime::types::module::{MODULE, Module};
use krait_runtime::types::property;
use krait_runtime::types::super_;
use krait_runtime::well_known::names;

use super::call::{enter_special, python_special};
use super::{a, b, c, dies, finish0, finish1, kill, kill_reads, ok};
use crate::cache::{self, Access, Kind, Learnt, NO_PLACE};
use crate::frames::publish;
use crate::regs::{Pc, Regs, S};
use crate::safepoint::after_drop;
use crate::unwind::fail;

#[inline(always)]
fn name_at<'a>(r: Regs, w: Word) -> &'a Ref<Str> {
    &r.code().names()[c(w)]
}

#[inline(always)]
pub fn op_load_attr(th: &mut Thread, w: Word, pc: Pc, r: Regs) -> S {
    let learnt = cache::learnt(pc);
    match cache::load_slot(learnt, r.get(b(w))) {
        Some(value) => finish1(th, w, pc, pc.add(2), r, value),
        None => load_attr_other(th, w, pc, r),
    }
}
#[inline(never)]
fn load_attr_other(th: &mut Thread, w: Word, pc: Pc, r: Regs) -> S {
    if cache::knows_descriptor(pc) {
        return load_attr_through(th, w, pc, r);
    }
    match cache::load_other(cache::learnt(pc), r.get(b(w)), || name_at(r, w).clone()) {
        Some(value) => finish1(th, w, pc, pc.add(2), r, value),
        None => load_attr_slow(th, w, pc, r),
    }
}
#[inline(never)]
fn load_attr_through(th: &mut Thread, w: Word, pc: Pc, r: Regs) -> S {
    match load_through(th, w, pc, r, cache::learnt(pc)) {
        Some(s) => s,
        None => load_attr_slow(th, w, pc, r),
    }
}
#[inline(never)]
fn load_attr_slow(th: &mut Thread, w: Word, pc: Pc, r: Regs) -> S {
    if let Some(learnt) = cache::recall(th, pc, Access::Load, r.get(b(w)), name_at(r, w)) {
        if let Some(value) = cache::load(learnt, r.get(b(w)), || name_at(r, w).clone()) {
            return finish1(th, w, pc, pc.add(2), r, value);
        }
        if let Some(s) = load_through(th, w, pc, r, learnt) {
            return s;
        }
    }
    publish(th, pc);
    let (object, name) = (r.get(b(w)).clone(), name_at(r, w));
    let value = ok!(attr::get_attr(th, &object, name), th, pc, r);
    let learnt = learn_load(&object, name, pc, &value);
    cache::keep(th, learnt, Access::Load, &object, cache::detail_of(&object), name);
    drop(object);
    finish1(th, w, pc, pc.add(2), r, value)
}
/// What the property or other data descriptor gives that the cache knows.
#[inline(always)]
fn load_through(th: &mut Thread, w: Word, pc: Pc, r: Regs, learnt: Learnt) -> Option<S> {
    let descriptor = cache::descriptor(learnt, r.get(b(w)))?;
    publish(th, pc);
    if let Some(getter) = property::getter_of(&descriptor)
        && let Some(s) = enter_special(th, getter, [r.get(b(w))], pc, r)
    {
        return Some(s);
    }
    if let Some(get) = python_special(&descriptor, &names().get) {
        let class = r.get(b(w)).class_ref();
        if let Some(s) = enter_special(th, get, [&descriptor, r.get(b(w)), class.as_value()], pc, r) {
            return Some(s);
        }
    }
    let object = r.get(b(w)).clone();
    Some(match read_through(th, &descriptor, &object)? {
        Ok(value) => finish1(th, w, pc, pc.add(2), r, value),
        Err(raised) => fail(th, raised, pc, r),
    })
}
/// What a data descriptor of the object's class gives.
#[inline]
fn read_through(th: &mut Thread, descriptor: &Value, object: &Value) -> Option<PyResult<Value>> {
    let slots = &descriptor.class().slots;
    let get = slots.descr_get.get().filter(|_| slots.descr_set.is_set())?;
    let class = object.class_ref().into();
    Some(get(th, descriptor, Some(object), Some(&class)))
}
/// Whether attribute access of a class's instances is `object`'s own.
fn reads_generically(class: &TypeObject) -> bool {
    class.slots.getattr.same(&OBJECT.slots.getattr)
}
/// Remembers how the generic lookup found `value`.
fn learn_load(object: &Value, name: &Ref<Str>, pc: Pc, value: &Value) -> Option<Learnt> {
    let class = object.class();
    if let Some(this) = object.downcast_ref::<Type>() {
        return if this.has_flag(type_flag::ODD_KEYS) { None } else { learn_of_type(object, this, name, pc, value) };
    }
    if object.is_exact(&MODULE) {
        return learn_module(object, name, pc);
    }
    if !reads_generically(class) || class.has_flag(type_flag::ODD_KEYS) {
        return None;
    }
    // What is looked up from here on is what the version names.
    let version = class.version();
    let found = class.lookup(name);
    if let Some(descriptor) = &found
        && descriptor.class().slots.descr_set.is_set()
    {
        let member = descriptor.downcast_ref::<GetSetDescriptor>().and_then(GetSetDescriptor::member_index);
        return match member.and_then(|index| member_place(object, index)) {
            Some(place) => cache::fill(pc, Kind::Member, version, 0, place, 0),
            None => learn_data(class, version, descriptor, pc),
        };
    }
    // An attribute of the class that is no descriptor, by its place in the method table.
    let of_class = || class.cache_method(found.as_ref().filter(|found| found.is(value))?);
    match instance::storage(object) {
        Storage::Slots(shape) => match shape.index_of(name) {
            Some(index) => cache::fill(pc, Kind::Slot, version, shape.id, attribute_place(object, index)?, 0),
            None => {
                let place = attribute_place(object, 0)?;
                cache::fill(pc, Kind::Class, version, shape.id, place, of_class()?.into())
            }
        },
        Storage::Dict(dict) => cache::fill(pc, Kind::Hint, version, dict.hint_of(name)?, NO_PLACE, 0),
        Storage::Absent if class.dict_cell.is_set() => None,
        Storage::Absent => cache::fill(pc, Kind::ClassOnly, version, 0, NO_PLACE, of_class()?.into()),
    }
}
/// A data descriptor of the class in the state that the version names.
fn learn_data(class: &TypeObject, version: u32, descriptor: &Value, pc: Pc) -> Option<Learnt> {
    cache::fill(pc, Kind::Data, version, 0, NO_PLACE, class.cache_method(descriptor)?.into())
}
/// An attribute of a class itself: a plain value, a function, or what a static method holds; or one that its metaclass
/// computes.
fn learn_of_type(object: &Value, this: &Type, name: &Ref<Str>, pc: Pc, value: &Value) -> Option<Learnt> {
    let meta = object.class();
    if !meta.slots.getattr.same(&TYPE.slots.getattr) {
        return None;
    }
    let meta_version = meta.version();
    if let Some(of_meta) = meta.lookup(name)
        && of_meta.class().slots.descr_set.is_set()
    {
        return learn_data(meta, meta_version, &of_meta, pc);
    }
    let version = this.version();
    let found = this.lookup(name)?;
    let plain = found.is(value) && (!found.class().slots.descr_get.is_set() || found.is_exact(&FUNCTION));
    let of_static = found.is_exact(&krait_runtime::types::staticmethod::STATICMETHOD);
    if !plain && !of_static {
        return None;
    }
    let index = this.cache_method(value)?;
    if this.current_version() != version {
        return None;
    }
    cache::fill_object(pc, Kind::ObjectOfType, version, meta_version, NO_PLACE, value)
        .or_else(|| cache::fill(pc, Kind::OfType, version, meta_version, NO_PLACE, index.into()))
}
fn learn_module(object: &Value, name: &Ref<Str>, pc: Pc) -> Option<Learnt> {
    if MODULE.lookup(name).is_some_and(|found| found.class().slots.descr_set.is_set()) {
        return None;
    }
    let namespace = object.downcast_exact::<Module>()?.namespace().get()?;
    let (version, place) = namespace.downcast_exact::<krait_object::Dict>()?.cache_entry(name)?;
    cache::fill(pc, Kind::Module, version, place, NO_PLACE, 0)
}

#[inline(always)]
pub fn op_store_attr(th: &mut Thread, w: Word, pc: Pc, r: Regs) -> S {
    let value = r.take_or_clone(b(w), dies(w, KILL_2));
    match cache::store(cache::learnt(pc), r.get(a(w)), value, || name_at(r, w).clone()) {
        Ok(old) => {
            if let Some(old) = old.and_then(Value::give_back) {
                return store_attr_freeing(th, w, pc, r, old);
            }
            if dies(w, KILL_1) { kill(th, a(w), pc, pc.add(2), r) } else { S { pc: pc.add(2), r } }
        }
        Err(value) => store_attr_recalled(th, w, pc, r, value),
    }
}
#[inline(never)]
fn store_attr_freeing(th: &mut Thread, w: Word, pc: Pc, r: Regs, old: Value) -> S {
    let mut freed = old.release();
    if dies(w, KILL_1) {
        freed |= r.kill(a(w));
    }
    after_drop(th, pc, freed);
    S { pc: pc.add(2), r }
}
#[inline(never)]
fn store_attr_recalled(th: &mut Thread, w: Word, pc: Pc, r: Regs, value: Value) -> S {
    let Some(learnt) = cache::recall(th, pc, Access::Store, r.get(a(w)), name_at(r, w)) else {
        return store_attr_slow(th, w, pc, r, value);
    };
    match cache::store(learnt, r.get(a(w)), value, || name_at(r, w).clone()) {
        Ok(old) => {
            let freed = old.is_some_and(Value::release);
            after_drop(th, pc, freed);
            kill_reads(th, w, pc, pc.add(2), r, &[a(w)])
        }
        Err(value) => store_attr_slow(th, w, pc, r, value),
    }
}
#[inline(never)]
fn store_attr_slow(th: &mut Thread, w: Word, pc: Pc, r: Regs, value: Value) -> S {
    publish(th, pc);
    let (object, name) = (r.get(a(w)).clone(), name_at(r, w));
    let (before, state) = (shape_of(&object), cache::detail_of(&object));
    ok!(attr::set_attr(th, &object, name, Some(&value)), th, pc, r);
    let learnt = learn_store(&object, name, before, pc);
    cache::keep(th, learnt, Access::Store, &object, state, name);
    drop((object, value));
    if dies(w, KILL_1) {
        r.kill(a(w));
    }
    after_drop(th, pc, true);
    S { pc: pc.add(2), r }
}
/// Remembers how the generic store worked.
fn learn_store(object: &Value, name: &Ref<Str>, before: u32, pc: Pc) -> Option<Learnt> {
    let class = object.class();
    if !class.slots.setattr.same(&OBJECT.slots.setattr) {
        return None;
    }
    let version = class.version();
    if let Some(descriptor) = class.lookup(name)
        && descriptor.class().slots.descr_set.is_set()
    {
        let index = descriptor.downcast_ref::<GetSetDescriptor>()?.member_index()?;
        return cache::fill(pc, Kind::Member, version, 0, member_place(object, index)?, 0);
    }
    match instance::storage(object) {
        Storage::Slots(shape) => {
            let place = attribute_place(object, shape.index_of(name)?)?;
            if shape.id == before {
                cache::fill(pc, Kind::Slot, version, before, place, 0)
            } else if shape.parent == Some(before) && before != DICT {
                cache::fill(pc, Kind::Add, version, before, place, shape.id)
            } else {
                None
            }
        }
        Storage::Dict(dict) => cache::fill(pc, Kind::Hint, version, dict.hint_of(name)?, NO_PLACE, 0),
        Storage::Absent => None,
    }
}
pub fn op_delete_attr(th: &mut Thread, w: Word, pc: Pc, r: Regs) -> S {
    publish(th, pc);
    let (object, name) = (r.get(a(w)).clone(), &r.code().names()[w.bc() as usize]);
    ok!(attr::set_attr(th, &object, name, None), th, pc, r);
    drop(object);
    after_drop(th, pc, true);
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
    finish0(th, a(w), pc, pc.add(2), r, function)
}
#[inline(always)]
pub fn op_load_method(th: &mut Thread, w: Word, pc: Pc, r: Regs) -> S {
    match cache::load_method(cache::learnt(pc), r.get(b(w))) {
        Some(function) => method_form(th, w, pc, r, function),
        None => load_method_other(th, w, pc, r),
    }
}
/// What is called without the object that it was loaded from.
#[inline(never)]
fn load_method_other(th: &mut Thread, w: Word, pc: Pc, r: Regs) -> S {
    match cache::load(cache::learnt(pc), r.get(b(w)), || name_at(r, w).clone()) {
        Some(callee) => value_form(th, w, pc, r, callee),
        None => load_method_slow(th, w, pc, r),
    }
}
#[inline(never)]
fn load_method_slow(th: &mut Thread, w: Word, pc: Pc, r: Regs) -> S {
    if let Some(learnt) = cache::recall(th, pc, Access::Method, r.get(b(w)), name_at(r, w)) {
        if let Some(function) = cache::load_method(learnt, r.get(b(w))) {
            return method_form(th, w, pc, r, function);
        }
        if let Some(callee) = cache::load(learnt, r.get(b(w)), || name_at(r, w).clone()) {
            return value_form(th, w, pc, r, callee);
        }
    }
    publish(th, pc);
    let (object, name) = (r.get(b(w)).clone(), name_at(r, w));
    if let Some(descriptor) = cache::descriptor(cache::learnt(pc), &object)
        && let Some(result) = read_through(th, &descriptor, &object)
    {
        let value = ok!(result, th, pc, r);
        drop(object);
        return value_form(th, w, pc, r, value);
    }
    if let Some((function, learnt)) = class_function(&object, name, pc) {
        cache::keep(th, learnt, Access::Method, &object, cache::detail_of(&object), name);
        drop(object);
        return method_form(th, w, pc, r, function);
    }
    let value = ok!(attr::get_attr(th, &object, name), th, pc, r);
    let learnt = learn_load(&object, name, pc, &value);
    cache::keep(th, learnt, Access::Method, &object, cache::detail_of(&object), name);
    drop(object);
    value_form(th, w, pc, r, value)
}
/// Puts into the window what is called without an instance.
#[inline(always)]
fn value_form(th: &mut Thread, w: Word, pc: Pc, r: Regs, callee: Value) -> S {
    let mut freed = false;
    if dies(w, KILL_1) {
        freed |= r.kill(b(w));
    }
    let old = r.replace(a(w), Some(callee));
    drop(old);
    after_drop(th, pc, freed);
    S { pc: pc.add(2), r }
}
/// A function found on the class that is to be called with the instance first, where the instance cannot hide it.
fn class_function(object: &Value, name: &Ref<Str>, pc: Pc) -> Option<(Value, Option<Learnt>)> {
    let class = object.class();
    if !reads_generically(class) {
        return None;
    }
    let version = class.version();
    let found = class.lookup(name)?;
    if !found.class().has_flag(type_flag::METHOD_DESCRIPTOR) {
        return None;
    }
    // The state of the class that the version names had the function.
    let enter = || class.cache_method(&found).is_some() && class.current_version() == version;
    let learnt = match instance::storage(object) {
        Storage::Slots(shape) => {
            if shape.index_of(name).is_some() {
                return None;
            }
            let place = attribute_place(object, 0).filter(|_| enter());
            place.and_then(|place| cache::fill_object(pc, Kind::Method, version, shape.id, place, &found))
        }
        Storage::Dict(dict) => {
            if dict.get_str(name).is_some() {
                return None;
            }
            None
        }
        Storage::Absent if class.dict_cell.is_set() => {
            if krait_runtime::types::object::payload_dict(object).is_some_and(|d| d.get_str(name).is_some()) {
                return None;
            }
            None
        }
        Storage::Absent if enter() => cache::fill_object(pc, Kind::MethodOnly, version, 0, NO_PLACE, &found),
        Storage::Absent => None,
    };
    Some((found, learnt))
}

/// `super().name` without making the super object, where `super` is the builtin.
pub fn op_load_super_attr(th: &mut Thread, w: Word, pc: Pc, r: Regs) -> S {
    publish(th, pc);
    let (function, class, object) = (r.get(b(w)).clone(), r.get(b(w) + 1).clone(), r.get(b(w) + 2).clone());
    let name = name_at(r, w);
    let found = if th.vm.tracing.active {
        traced_super_attr(th, w, r, &function, &class, &object, name)
    } else {
        super_attr(th, w, &function, &class, &object, name)
    };
    let found = ok!(found, th, pc, r);
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
/// As [`super_attr`], with the call made, so that its end is reported.
fn traced_super_attr(
    th: &mut Thread,
    w: Word,
    r: Regs,
    function: &Value,
    class: &Value,
    object: &Value,
    name: &Ref<Str>,
) -> PyResult<SuperAttr> {
    let zero = w.flags() & ZERO_ARG != 0;
    let args = if zero { Vec::new() } else { vec![class.clone(), object.clone()] };
    let proxy = crate::trace::native_call(th, r, function, args.first(), |th| call::call(th, function, &args))?;
    attr::get_attr(th, &proxy, name).map(SuperAttr::Value)
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
        let proxy = if zero {
            call::call(th, function, &[])?
        } else {
            call::call(th, function, &[class.clone(), object.clone()])?
        };
        return attr::get_attr(th, &proxy, name).map(SuperAttr::Value);
    }
    let Some(class) = class.to_ref::<Type>() else {
        let proxy = call::call(th, function, &[class.clone(), object.clone()])?;
        return attr::get_attr(th, &proxy, name).map(SuperAttr::Value);
    };
    let is_method = w.flags() & METHOD != 0;
    // With a class as the object, either side of it may be meant.
    let of_instance = is_method && object.downcast_ref::<Type>().is_none();
    if of_instance && let Some(found) = cache::recall_super(th, &class, object, name) {
        return Ok(SuperAttr::Method(found));
    }
    let start = super_::check(th, &class, object)?;
    let version = start.version();
    if is_method
        && !start.as_value().is(object)
        && let Some(found) = super_::lookup_raw(class.as_value(), &start, name)
        && found.class().has_flag(type_flag::METHOD_DESCRIPTOR)
    {
        if of_instance && start.as_value().is(object.class_ref().as_value()) {
            cache::keep_super(th, &class, object, version, name, &found);
        }
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
