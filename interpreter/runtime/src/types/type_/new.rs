//! `type.__new__`: building a class from name, bases and namespace.
use krait_object::builtin_types::{DICT, OBJECT, TUPLE, TYPE};
use krait_object::intern::{intern, intern_ref};
use krait_object::{Args, Dict, PyResult, Ref, Str, Thread, Tuple, Type, TypeObject, Value, type_flag};

use super::{attributes, mro, ready};
use crate::errors::{type_error, value_error};
use crate::protocol::{attr, call, sequence};
use crate::types::{cell::Cell, classmethod, descriptor, dict::merge, staticmethod};

/// The most derived metaclass among the given one and those of the bases.
pub fn calculate_metaclass(th: &mut Thread, meta: &Ref<Type>, bases: &[Value]) -> PyResult<Ref<Type>> {
    let mut winner = meta.clone();
    for base in bases {
        let candidate = base.class_ref();
        if winner.object().is_subtype(candidate.object()) {
            continue;
        }
        if candidate.object().is_subtype(winner.object()) {
            winner = candidate;
            continue;
        }
        return Err(type_error(
            th,
            "metaclass conflict: the metaclass of a derived class must be a (non-strict) subclass of the metaclasses of \
             all its bases",
        ));
    }
    Ok(winner)
}

/// The `new` slot of `type`.
pub fn type_new(th: &mut Thread, meta: &Ref<Type>, args: &Args<'_>) -> PyResult<Value> {
    let (name, bases, namespace, kwargs) = super::new_arguments(th, args)?;
    for base in bases.iter() {
        if base.downcast_ref::<Type>().is_none() && attr::get_text_opt(th, base, "__mro_entries__")?.is_some() {
            return Err(type_error(th, "type() doesn't support MRO entry resolution; use types.new_class()"));
        }
    }
    let winner = calculate_metaclass(th, meta, &bases)?;
    if !winner.ptr_eq(meta)
        && let Some(new) = winner.slots.new.get()
        && new as usize != type_new as *const () as usize
    {
        return new(th, &winner, args);
    }
    let bases = if bases.is_empty() { Tuple::from_slice(&[OBJECT.to_value()]) } else { bases };
    let class = new_class(th, winner.object(), &name, &bases, &namespace)?;
    set_names(th, &class)?;
    init_subclass(th, &class, &kwargs)?;
    Ok(class.into())
}

/// A new class without `__set_name__` and `__init_subclass__` having run.
pub fn new_class(
    th: &mut Thread,
    meta: &TypeObject,
    name: &Ref<Str>,
    bases: &Ref<Tuple>,
    namespace: &Ref<Dict>,
) -> PyResult<Ref<Type>> {
    let base = mro::best_base(th, bases)?;
    let Some(text) = name.to_utf8() else {
        return Err(crate::errors::surrogates_not_allowed(th, name));
    };
    if text.contains('\0') {
        return Err(value_error(th, "type name must not contain null characters"));
    }
    // In the order of a subclass's own iteration, as `dict.copy` has it.
    let dict = if namespace.as_value().class().slots.iter.same(&DICT.slots.iter) {
        namespace.copy()
    } else {
        let dict = Dict::new();
        merge::merge(th, &dict, namespace.as_value(), true)?;
        dict
    };
    let class = Type::new_class_object(meta, &text, &base);
    class.set_bases(Some(bases.clone()));
    class.set_dict(dict.clone());
    let before = states(bases);
    // Before members of `__slots__` and before `mro()` runs, which may need the cell.
    set_class_cell(th, &class, &dict)?;
    attributes::init_qualname(th, &class, name, &dict)?;
    add_slots(th, &class, &base, bases, &dict, &text)?;
    attributes::init_names(th, &dict)?;
    wrap_special_functions(&dict);
    mro::set_mro(th, &class)?;
    ready::inherit_hidden(&class, &base);
    class.set_flags(type_flag::BASE);
    let has_eq = dict.get_text("__eq__").is_some();
    if has_eq && dict.get_text("__hash__").is_none() {
        dict.set_text("__hash__", Value::NONE);
    }
    class.modified();
    ready::first_slots(&class);
    ready::register_subclass(class.object());
    // From here on another thread that changes a base finds the class.
    if states(bases) != before {
        class.modified();
        ready::fix_slots(&class);
    }
    if bases.iter().any(|b| b.downcast_ref::<Type>().is_some_and(|b| b.has_flag(type_flag::ODD_KEYS))) {
        class.set_flags(type_flag::ODD_KEYS);
    }
    if dict.keys().iter().any(|k| k.downcast_ref::<Str>().is_none()) {
        class.set_flags(type_flag::ODD_KEYS);
        let message = format!("non-string key in the __dict__ of class {}", class.name());
        crate::warnings::warn(th, &crate::exceptions::RUNTIME_WARNING, &message, 1)?;
    }
    Ok(class)
}
/// The states of the bases.
fn states(bases: &Ref<Tuple>) -> Vec<u32> {
    bases.iter().filter_map(|b| b.downcast_ref::<Type>()).map(Type::version).collect()
}
/// The cells that the class body left: one for the class, one for its namespace, which annotation scopes read.
fn set_class_cell(th: &mut Thread, class: &Ref<Type>, dict: &Ref<Dict>) -> PyResult<()> {
    if let Some(cell) = dict.remove_text("__classdictcell__") {
        match cell.downcast_ref::<Cell>() {
            Some(c) => c.content.set(Some(dict.to_value())),
            None => {
                let given = crate::protocol::repr::repr(th, cell.class_ref().as_value())?;
                return Err(type_error(th, format!("__classdictcell__ must be a nonlocal cell, not {given}")));
            }
        }
    }
    let Some(cell) = dict.remove_text("__classcell__") else { return Ok(()) };
    match cell.downcast_ref::<Cell>() {
        Some(c) => {
            c.content.set(Some(class.to_value()));
            Ok(())
        }
        None => {
            let given = crate::protocol::repr::repr(th, cell.class_ref().as_value())?;
            Err(type_error(th, format!("__classcell__ must be a nonlocal cell, not {given}")))
        }
    }
}

trait NewClassObject {
    fn new_class_object(meta: &TypeObject, name: &str, base: &Ref<Type>) -> Ref<Type>;
}
impl NewClassObject for Type {
    fn new_class_object(meta: &TypeObject, name: &str, base: &Ref<Type>) -> Ref<Type> {
        krait_object::TypeObject::new_heap(meta, name.into(), base)
    }
}

/// `__slots__`, `__dict__`, `__weakref__`: what instances carry beyond the base's layout.
fn add_slots(
    th: &mut Thread,
    class: &Ref<Type>,
    base: &Ref<Type>,
    bases: &Ref<Tuple>,
    dict: &Ref<Dict>,
    class_name: &str,
) -> PyResult<()> {
    let has_dict = |t: &Type| t.has_flag(type_flag::TAIL_DICT) || t.dict_cell.is_set();
    // Classes have a namespace of their own: a metaclass adds no `__dict__` to it.
    let base_dict = has_dict(base) || base.object().is_subtype(&TYPE);
    let base_weak = base.has_flag(type_flag::WEAKREF);
    // In CPython their instances differ in size, so that nothing can follow but a dict.
    let variable = [&krait_object::builtin_types::INT, &krait_object::builtin_types::BYTES, &TUPLE, &TYPE]
        .into_iter()
        .any(|t| base.object().is_subtype(t));
    let may_add_weak = !base_weak && !variable;
    let mut add_dict = false;
    let mut add_weak = false;
    match dict.get_text("__slots__") {
        None => {
            add_dict = !base_dict;
            add_weak = may_add_weak;
        }
        Some(slots) => {
            let names = slot_names(th, &slots)?;
            if variable && !names.is_empty() {
                let name = base.name();
                return Err(type_error(th, format!("nonempty __slots__ not supported for subtype of '{name}'")));
            }
            let mut members = Vec::new();
            for name in names {
                match &*name.to_string_lossy() {
                    "__dict__" => {
                        if base_dict || add_dict {
                            return Err(type_error(th, "__dict__ slot disallowed: we already got one"));
                        }
                        add_dict = true;
                    }
                    "__weakref__" => {
                        if !may_add_weak || add_weak {
                            return Err(type_error(th, "__weakref__ slot disallowed: we already got one"));
                        }
                        add_weak = true;
                    }
                    text => {
                        let name = mangle(class_name, text);
                        if dict.get_str(&name).is_some() && !matches!(text, "__qualname__" | "__classcell__") {
                            let message = format!("'{text}' in __slots__ conflicts with class variable");
                            return Err(value_error(th, message));
                        }
                        members.push(name);
                    }
                }
            }
            members.sort_by(|a, b| a.order(b));
            let first = base.fixed_slots();
            for (i, name) in members.iter().enumerate() {
                dict.set_str(name, descriptor::slot_member(class, name, first + i as u16));
            }
            class.set_fixed_slots(first + members.len() as u16);
            for other in bases.iter().filter_map(|b| b.downcast_ref::<Type>()) {
                add_dict |= has_dict(other) && !base_dict && !std::ptr::eq(other, &**base);
                add_weak |= other.has_flag(type_flag::WEAKREF) && may_add_weak;
            }
        }
    }
    if base.has_flag(type_flag::TAIL_DICT) || add_dict {
        class.set_flags(type_flag::TAIL_DICT);
        // Room for what the class's methods assign to, so that the first instances need no dict.
        let own = dict.get_text("__static_attributes__").and_then(|t| t.to_ref::<Tuple>()).map_or(0, |t| t.len());
        let inherited = if base.is_static() { 0 } else { base.slot_capacity() };
        class.reserve_slots(inherited.saturating_add(own.min(64) as u16).min(60));
    }
    if base_weak || add_weak {
        class.set_flags(type_flag::WEAKREF);
    }
    if add_dict && dict.get_text("__dict__").is_none() {
        dict.set_text("__dict__", descriptor::instance_dict_descriptor(class));
    }
    if add_weak && dict.get_text("__weakref__").is_none() {
        dict.set_text("__weakref__", descriptor::weakref_descriptor(class));
    }
    Ok(())
}
fn slot_names(th: &mut Thread, slots: &Value) -> PyResult<Vec<Ref<Str>>> {
    let items = match slots.downcast_ref::<Str>() {
        Some(_) => vec![slots.clone()],
        None => crate::protocol::iter::collect(th, slots)?,
    };
    let mut names = Vec::new();
    for item in items {
        let Some(name) = item.to_ref::<Str>() else {
            let given = item.class().name();
            return Err(type_error(th, format!("__slots__ items must be strings, not '{given}'")));
        };
        if !crate::types::str::is_identifier(&name) {
            return Err(type_error(th, "__slots__ must be identifiers"));
        }
        names.push(name);
    }
    Ok(names)
}
/// Private name mangling.
pub fn mangle(class_name: &str, name: &str) -> Ref<Str> {
    let stripped = class_name.trim_start_matches('_');
    if !name.starts_with("__") || name.ends_with("__") || name.contains('.') || stripped.is_empty() {
        return intern(name);
    }
    intern(&format!("_{stripped}{name}"))
}
/// `__new__` is a static method, `__init_subclass__` and `__class_getitem__` are class methods, when plain functions.
fn wrap_special_functions(dict: &Ref<Dict>) {
    let is_function = |v: &Value| v.downcast_ref::<crate::types::function::Function>().is_some();
    if let Some(f) = dict.get_text("__new__").filter(is_function) {
        dict.set_text("__new__", staticmethod::new(f));
    }
    for name in ["__init_subclass__", "__class_getitem__"] {
        if let Some(f) = dict.get_text(name).filter(is_function) {
            dict.set_text(name, classmethod::new(f));
        }
    }
}
/// Calls `__set_name__` of everything in the namespace.
fn set_names(th: &mut Thread, class: &Ref<Type>) -> PyResult<()> {
    let Some(dict) = class.dict() else { return Ok(()) };
    for (name, value) in dict.items() {
        if value.class().lookup(&intern("__set_name__")).is_none() {
            continue;
        }
        let Some(f) = attr::lookup_special(th, &value, "__set_name__")? else { continue };
        if let Err(raised) = call::call(th, &f, &[class.to_value(), name.clone()]) {
            let shown = crate::protocol::repr::repr(th, &name);
            let note = match shown {
                Ok(shown) => format!(
                    "Error calling __set_name__ on '{}' instance {shown} in '{}'",
                    value.class().name(),
                    class.name()
                ),
                Err(_) => return Err(raised),
            };
            crate::errors::add_note(th, &note);
            return Err(raised);
        }
    }
    Ok(())
}
fn init_subclass(th: &mut Thread, class: &Ref<Type>, kwargs: &Value) -> PyResult<()> {
    // An `mro()` may have left the class out of its own MRO.
    if !class.mro().is_some_and(|m| m.iter().any(|c| c.is(class.as_value()))) {
        return Err(type_error(th, "super(type, obj): obj must be an instance or subtype of type"));
    }
    let parent = crate::types::super_::new(class, class.as_value());
    let f = attr::get_attr(th, &parent, &intern("__init_subclass__"))?;
    let empty = kwargs.downcast_ref::<Dict>().is_none_or(Dict::is_empty);
    call::call_tuple_dict(th, &f, &[], if empty { None } else { Some(kwargs) })?;
    Ok(())
}

/// Interns the names of a namespace's string keys, so that lookups find them by address.
pub fn intern_keys(name: &Ref<Str>) -> Ref<Str> {
    intern_ref(name)
}
/// `TYPE` itself as the default metaclass.
pub fn default_metaclass() -> Ref<Type> {
    Ref::from_object(&TYPE)
}
/// Items of a bases tuple argument.
pub fn bases_argument(th: &mut Thread, v: &Value) -> PyResult<Vec<Value>> {
    sequence::to_items(th, v, "bases must be a tuple")
}
