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
use super::{a, b, c, dies, finish1, kill_reads, ok};
use crate::cache::{self, Access, Kind, NO_PLACE};
use crate::frames::publish;
use crate::regs::{Pc, Regs, S};
use crate::safepoint::after_drop;
use crate::unwind::fail;

#[inline(always)]
fn name_at<'a>(r: Regs, w: Word) -> &'a Ref<Str> {
    &r.code().names[c(w)]
}

#[inline(always)]
pub fn op_load_attr(th: &mut Thread, w: Word, pc: Pc, r: Regs) -> S {
    match cache::load_slot(pc, r.get(b(w))) {
        Some(value) => finish1(th, w, pc, pc.add(2), r, value),
        None => load_attr_other(th, w, pc, r),
    }
}
#[inline(never)]
fn load_attr_other(th: &mut Thread, w: Word, pc: Pc, r: Regs) -> S {
    if cache::knows_descriptor(pc) {
        return load_attr_through(th, w, pc, r);
    }
    match cache::load_other(pc, r.get(b(w)), || name_at(r, w).clone()) {
        Some(value) => finish1(th, w, pc, pc.add(2), r, value),
        None => load_attr_slow(th, w, pc, r),
    }
}
#[inline(never)]
fn load_attr_through(th: &mut Thread, w: Word, pc: Pc, r: Regs) -> S {
    match load_through(th, w, pc, r) {
        Some(s) => s,
        None => load_attr_slow(th, w, pc, r),
    }
}
#[inline(never)]
fn load_attr_slow(th: &mut Thread, w: Word, pc: Pc, r: Regs) -> S {
    if cache::recall(th, pc, Access::Load, r.get(b(w)), name_at(r, w)) {
        if let Some(value) = cache::load(pc, r.get(b(w)), || name_at(r, w).clone()) {
            return finish1(th, w, pc, pc.add(2), r, value);
        }
        if let Some(s) = load_through(th, w, pc, r) {
            return s;
        }
    }
    publish(th, pc);
    let (object, name) = (r.get(b(w)).clone(), name_at(r, w));
    let value = ok!(attr::get_attr(th, &object, name), th, pc, r);
    learn_load(&object, name, pc, &value);
    cache::keep(th, pc, Access::Load, &object, cache::detail_of(&object), name);
    drop(object);
    finish1(th, w, pc, pc.add(2), r, value)
}
/// What the property or other data descriptor gives that the cache knows.
#[inline]
fn load_through(th: &mut Thread, w: Word, pc: Pc, r: Regs) -> Option<S> {
    let descriptor = cache::descriptor(pc, r.get(b(w)))?;
    publish(th, pc);
    if let Some(getter) = property::getter_of(&descriptor)
        && let Some(s) = enter_special(th, &getter, &[r.get(b(w))], pc, r)
    {
        return Some(s);
    }
    if let Some(get) = python_special(&descriptor, &names().get) {
        let class = r.get(b(w)).class_ref();
        if let Some(s) = enter_special(th, &get, &[&descriptor, r.get(b(w)), class.as_value()], pc, r) {
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
fn learn_load(object: &Value, name: &Ref<Str>, pc: Pc, value: &Value) {
    let class = object.class();
    if let Some(this) = object.downcast_ref::<Type>() {
        if this.has_flag(type_flag::ODD_KEYS) {
            return;
        }
        return learn_of_type(object, this, name, pc, value);
    }
    if object.is_exact(&MODULE) {
        return learn_module(object, name, pc);
    }
    if !reads_generically(class) || class.has_flag(type_flag::ODD_KEYS) {
        return;
    }
    // What is looked up from here on is what the version names.
    let version = class.version();
    let found = class.lookup(name);
    if let Some(descriptor) = &found
        && descriptor.class().slots.descr_set.is_set()
    {
        let member = descriptor.downcast_ref::<GetSetDescriptor>().and_then(GetSetDescriptor::member_index);
        if let Some(place) = member.and_then(|index| member_place(object, index)) {
            cache::fill(pc, Kind::Member, version, 0, place, 0);
        } else {
            learn_data(class, version, descriptor, pc);
        }
        return;
    }
    match instance::storage(object) {
        Storage::Slots(shape) => match shape.index_of(name) {
            Some(index) => {
                if let Some(place) = attribute_place(object, index) {
                    cache::fill(pc, Kind::Slot, version, shape.id, place, 0);
                }
            }
            None => {
                if let (Some(found), Some(place)) = (found, attribute_place(object, 0))
                    && found.is(value)
                    && let Some(index) = class.cache_method(&found)
                {
                    cache::fill(pc, Kind::Class, version, shape.id, place, index.into());
                }
            }
        },
        Storage::Dict(dict) => {
            if let Some(place) = dict.hint_of(name) {
                cache::fill(pc, Kind::Hint, version, place, NO_PLACE, 0);
            }
        }
        Storage::Absent => {
            if !class.dict_cell.is_set()
                && let Some(found) = found
                && found.is(value)
                && let Some(index) = class.cache_method(&found)
            {
                cache::fill(pc, Kind::ClassOnly, version, 0, NO_PLACE, index.into());
            }
        }
    }
}
/// A data descriptor of the class in the state that the version names.
fn learn_data(class: &TypeObject, version: u32, descriptor: &Value, pc: Pc) {
    if let Some(index) = class.cache_method(descriptor) {
        cache::fill(pc, Kind::Data, version, 0, NO_PLACE, index.into());
    }
}
/// An attribute of a class itself: a plain value, a function, or what a static method holds; or one that its metaclass
/// computes.
fn learn_of_type(object: &Value, this: &Type, name: &Ref<Str>, pc: Pc, value: &Value) {
    let meta = object.class();
    if !meta.slots.getattr.same(&TYPE.slots.getattr) {
        return;
    }
    let meta_version = meta.version();
    if let Some(of_meta) = meta.lookup(name)
        && of_meta.class().slots.descr_set.is_set()
    {
        return learn_data(meta, meta_version, &of_meta, pc);
    }
    let version = this.version();
    let Some(found) = this.lookup(name) else { return };
    let plain = found.is(value) && (!found.class().slots.descr_get.is_set() || found.is_exact(&FUNCTION));
    let of_static = found.is_exact(&krait_runtime::types::staticmethod::STATICMETHOD);
    if !plain && !of_static {
        return;
    }
    if let Some(index) = this.cache_method(value)
        && this.current_version() == version
        && !cache::fill_object(pc, Kind::ObjectOfType, version, meta_version, NO_PLACE, value)
    {
        cache::fill(pc, Kind::OfType, version, meta_version, NO_PLACE, index.into());
    }
}
fn learn_module(object: &Value, name: &Ref<Str>, pc: Pc) {
    if MODULE.lookup(name).is_some_and(|found| found.class().slots.descr_set.is_set()) {
        return;
    }
    let namespace = object.downcast_exact::<Module>().and_then(|m| m.namespace().get());
    let dict = namespace.as_ref().and_then(|n| n.downcast_exact::<krait_object::Dict>());
    if let Some((version, place)) = dict.and_then(|d| d.cache_entry(name)) {
        cache::fill(pc, Kind::Module, version, place, NO_PLACE, 0);
    }
}

#[inline(always)]
pub fn op_store_attr(th: &mut Thread, w: Word, pc: Pc, r: Regs) -> S {
    let value = r.take_or_clone(b(w), dies(w, KILL_2));
    match cache::store(pc, r.get(a(w)), value, || name_at(r, w).clone()) {
        Ok(old) => {
            let mut freed = match old {
                Some(old) => old.release(),
                None => false,
            };
            if dies(w, KILL_1) {
                freed |= r.kill(a(w));
            }
            after_drop(th, pc, freed);
            S { pc: pc.add(2), r }
        }
        Err(value) => store_attr_recalled(th, w, pc, r, value),
    }
}
#[inline(never)]
fn store_attr_recalled(th: &mut Thread, w: Word, pc: Pc, r: Regs, value: Value) -> S {
    if !cache::recall(th, pc, Access::Store, r.get(a(w)), name_at(r, w)) {
        return store_attr_slow(th, w, pc, r, value);
    }
    match cache::store(pc, r.get(a(w)), value, || name_at(r, w).clone()) {
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
    learn_store(&object, name, before, pc);
    cache::keep(th, pc, Access::Store, &object, state, name);
    drop((object, value));
    if dies(w, KILL_1) {
        r.kill(a(w));
    }
    after_drop(th, pc, true);
    S { pc: pc.add(2), r }
}
/// Remembers how the generic store worked.
fn learn_store(object: &Value, name: &Ref<Str>, before: u32, pc: Pc) {
    let class = object.class();
    if !class.slots.setattr.same(&OBJECT.slots.setattr) {
        return;
    }
    let version = class.version();
    if let Some(descriptor) = class.lookup(name)
        && descriptor.class().slots.descr_set.is_set()
    {
        let member = descriptor.downcast_ref::<GetSetDescriptor>().and_then(GetSetDescriptor::member_index);
        if let Some(place) = member.and_then(|index| member_place(object, index)) {
            cache::fill(pc, Kind::Member, version, 0, place, 0);
        }
        return;
    }
    match instance::storage(object) {
        Storage::Slots(shape) => {
            let Some(index) = shape.index_of(name) else { return };
            let Some(place) = attribute_place(object, index) else { return };
            if shape.id == before {
                cache::fill(pc, Kind::Slot, version, before, place, 0);
            } else if shape.parent == Some(before) && before != DICT {
                cache::fill(pc, Kind::Add, version, before, place, shape.id);
            }
        }
        Storage::Dict(dict) => {
            if let Some(place) = dict.hint_of(name) {
                cache::fill(pc, Kind::Hint, version, place, NO_PLACE, 0);
            }
        }
        Storage::Absent => {}
    }
}
pub fn op_delete_attr(th: &mut Thread, w: Word, pc: Pc, r: Regs) -> S {
    publish(th, pc);
    let (object, name) = (r.get(a(w)).clone(), &r.code().names[w.bc() as usize]);
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
fn method_form(w: Word, pc: Pc, r: Regs, function: Value) -> S {
    let object = r.take_or_clone(b(w), dies(w, KILL_1));
    r.put(a(w) + 4, object);
    let old = r.replace(a(w), Some(function));
    drop(old);
    S { pc: pc.add(2), r }
}
#[inline(always)]
pub fn op_load_method(th: &mut Thread, w: Word, pc: Pc, r: Regs) -> S {
    match cache::load_method(pc, r.get(b(w))) {
        Some(function) => method_form(w, pc, r, function),
        None => load_method_other(th, w, pc, r),
    }
}
/// What is called without the object that it was loaded from.
#[inline(never)]
fn load_method_other(th: &mut Thread, w: Word, pc: Pc, r: Regs) -> S {
    match cache::load(pc, r.get(b(w)), || name_at(r, w).clone()) {
        Some(callee) => value_form(th, w, pc, r, callee),
        None => load_method_slow(th, w, pc, r),
    }
}
#[inline(never)]
fn load_method_slow(th: &mut Thread, w: Word, pc: Pc, r: Regs) -> S {
    if cache::recall(th, pc, Access::Method, r.get(b(w)), name_at(r, w)) {
        if let Some(function) = cache::load_method(pc, r.get(b(w))) {
            return method_form(w, pc, r, function);
        }
        if let Some(callee) = cache::load(pc, r.get(b(w)), || name_at(r, w).clone()) {
            return value_form(th, w, pc, r, callee);
        }
    }
    publish(th, pc);
    let (object, name) = (r.get(b(w)).clone(), name_at(r, w));
    if let Some(descriptor) = cache::descriptor(pc, &object)
        && let Some(result) = read_through(th, &descriptor, &object)
    {
        let value = ok!(result, th, pc, r);
        drop(object);
        return value_form(th, w, pc, r, value);
    }
    if let Some(function) = class_function(&object, name, pc) {
        cache::keep(th, pc, Access::Method, &object, cache::detail_of(&object), name);
        drop(object);
        return method_form(w, pc, r, function);
    }
    let value = ok!(attr::get_attr(th, &object, name), th, pc, r);
    learn_load(&object, name, pc, &value);
    cache::keep(th, pc, Access::Method, &object, cache::detail_of(&object), name);
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
fn class_function(object: &Value, name: &Ref<Str>, pc: Pc) -> Option<Value> {
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
    match instance::storage(object) {
        Storage::Slots(shape) => {
            if shape.index_of(name).is_some() {
                return None;
            }
            if let Some(place) = attribute_place(object, 0)
                && enter()
            {
                cache::fill_object(pc, Kind::Method, version, shape.id, place, &found);
            }
        }
        Storage::Dict(dict) => {
            if dict.get_str(name).is_some() {
                return None;
            }
        }
        Storage::Absent if class.dict_cell.is_set() => {
            if krait_runtime::types::object::payload_dict(object).is_some_and(|d| d.get_str(name).is_some()) {
                return None;
            }
        }
        Storage::Absent => {
            if enter() {
                cache::fill_object(pc, Kind::MethodOnly, version, 0, NO_PLACE, &found);
            }
        }
    }
    Some(found)
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
