//! Builtin types made ready: layout, MRO, namespace with methods and slot wrappers, inherited slots; and the slots of
//! Python classes derived from their methods.
use std::collections::HashMap;
use std::sync::{Mutex, OnceLock};

use krait_object::builtin_types::OBJECT;
use krait_object::hash::ByWord;
use krait_object::intern::{self, intern};
use krait_object::native::{GetSet, Method, MethodKind};
use krait_object::{ClassDef, Dict, Ref, Str, Thread, Tuple, Type, TypeObject, Value, type_flag};

use super::slotdefs::{GROUPS, Group, wrappers};
use crate::types::descriptor::{WRAPPER_DESCRIPTOR, Wrapper, getset_descriptor, method_descriptor, wrapper_descriptor};
use crate::types::native_function::NativeFunction;

static READY: Mutex<()> = Mutex::new(());

/// Flags that subclasses take over from their base.
const INHERITED: u32 = type_flag::SEQUENCE
    | type_flag::MAPPING
    | type_flag::MATCH_SELF
    | type_flag::LONG_SUBCLASS
    | type_flag::LIST_SUBCLASS
    | type_flag::TUPLE_SUBCLASS
    | type_flag::BYTES_SUBCLASS
    | type_flag::UNICODE_SUBCLASS
    | type_flag::DICT_SUBCLASS
    | type_flag::BASE_EXC_SUBCLASS
    | type_flag::TYPE_SUBCLASS
    | type_flag::WEAKREF
    | type_flag::TAIL_DICT
    | type_flag::HAVE_GC;

const COLLECTION: u32 = type_flag::SEQUENCE | type_flag::MAPPING;

/// Makes a builtin class ready; does nothing the second time. Bases must be ready or are named by `static_base` alone.
pub fn ready_class(th: &mut Thread, def: &'static ClassDef) {
    let class = def.class;
    if class.has_flag(type_flag::READY) {
        return;
    }
    let guard = READY.lock().unwrap_or_else(|e| e.into_inner());
    if class.has_flag(type_flag::READY) {
        return;
    }
    build_namespace(def);
    drop(guard);
    if let Some(attributes) = def.attributes
        && let Some(dict) = class.dict()
    {
        for (name, value) in attributes(th) {
            set_namespace(&dict, name, value);
        }
    }
    register_subclass(class);
}

fn set_namespace(dict: &Ref<Dict>, name: &str, value: Value) {
    if let Some(h) = value.header() {
        h.make_immortal();
    }
    dict.set_text(name, value);
}

fn build_namespace(def: &'static ClassDef) {
    let class = def.class;
    class.ready_layout();
    let owner = Ref::from_object(class);
    let dict = Dict::new();
    class.slots.fill(&def.slots);
    if let Some(f) = def.dict_cell {
        class.dict_cell.set(Some(f));
    }
    class.set_flags(def.flags | type_flag::READY | type_flag::IMMUTABLE);
    add_mro(class);
    add_methods(&owner, &dict, def.methods, def.module);
    for g in def.getset {
        let g: &'static GetSet = g;
        if dict.get_text(g.name).is_none() {
            set_namespace(&dict, g.name, getset_descriptor(&owner, g));
        }
    }
    if def.dict_cell.is_some() && dict.get_text("__dict__").is_none() {
        set_namespace(&dict, "__dict__", crate::types::descriptor::instance_dict_descriptor(&owner));
    }
    for w in wrappers() {
        if (w.present)(&class.slots) && dict.get_text(w.name).is_none() {
            set_namespace(&dict, w.name, wrapper_descriptor(&owner, w));
        }
    }
    if class.slots.new.is_set() && dict.get_text("__new__").is_none() {
        set_namespace(&dict, "__new__", super::new_function(&owner));
    }
    if class.slots.hash.get().is_some_and(|f| f as usize == super::unhashable as *const () as usize) {
        set_namespace(&dict, "__hash__", Value::NONE);
    }
    let doc = if def.doc.is_empty() { Value::NONE } else { Value::str(def.doc) };
    // A class whose instances have docs of their own has a descriptor here.
    if dict.get_text("__doc__").is_none() {
        set_namespace(&dict, "__doc__", doc);
    }
    class.module.set(Some(intern(def.module).into()));
    if !def.sig.is_empty() {
        super::set_text_signature(class, def.sig);
    }
    dict.as_value().header().into_iter().for_each(krait_object::header::Header::make_immortal);
    class.set_dict(dict);
    inherit(class);
    // After inheriting, so that a class that defines `__eq__` alone does not stay hashable.
    class.modified();
}

fn add_methods(owner: &Ref<Type>, dict: &Ref<Dict>, methods: &'static [Method], module: &'static str) {
    for m in methods {
        let value = match m.kind {
            MethodKind::Instance | MethodKind::Coexist => method_descriptor(owner, m),
            MethodKind::Class => crate::types::descriptor::classmethod_descriptor(owner, m),
            MethodKind::Static => {
                let f = NativeFunction::new_static(m, owner, module);
                crate::types::staticmethod::new(f)
            }
        };
        if m.kind == MethodKind::Static && m.name == "__new__" {
            continue;
        }
        set_namespace(dict, m.name, value);
    }
}

/// Builtins inherit singly: the class, then its base's MRO. ExceptionGroup alone has two bases.
fn add_mro(class: &'static TypeObject) {
    let two = crate::exceptions::group::bases(class);
    let mut mro = vec![class.to_value()];
    let mut at = class.static_base();
    if let Some([first, second]) = two {
        mro.push(first.to_value());
        at = Some(second);
    }
    while let Some(base) = at {
        mro.push(base.to_value());
        at = base.static_base();
    }
    let tuple = Tuple::from_vec(mro);
    immortal(tuple.as_value());
    class.set_mro(Some(tuple));
    let bases = match (two, class.static_base()) {
        (Some(two), _) => Tuple::new(two.map(|base| base.to_value())),
        (None, Some(base)) => Tuple::from_slice(&[base.to_value()]),
        (None, None) => Tuple::empty(),
    };
    immortal(bases.as_value());
    class.set_bases(Some(bases));
}
fn immortal(v: &Value) {
    if let Some(h) = v.header() {
        h.make_immortal();
    }
}
/// Slots and flags of the base, where the class has none of its own.
fn inherit(class: &'static TypeObject) {
    let Some(base) = class.static_base() else { return };
    let own_compare = class.slots.compare.is_set();
    let own_hash = class.slots.hash.is_set();
    let own_new = class.slots.new.is_set();
    class.slots.inherit_all(&base.slots);
    if !own_new && class.slots.new.same(&OBJECT.slots.new) && !class.has_same_layout(&OBJECT) {
        // `object`'s would make instances without this class's payload.
        class.slots.new.set(None);
    }
    if own_compare && !own_hash {
        class.slots.hash.set(Some(super::unhashable));
        if let Some(dict) = class.dict() {
            dict.set_text("__hash__", Value::NONE);
        }
    }
    class.set_flags(base.flags() & INHERITED);
    if class.has_flag(type_flag::DISALLOW_INSTANTIATION) {
        class.slots.new.set(None);
        if let Some(dict) = class.dict() {
            drop(dict.remove_text("__new__"));
        }
    }
    if !class.dict_cell.is_set() {
        class.dict_cell.copy_from(&base.dict_cell);
    }
}

/// Tells the bases of their new subclass.
pub fn register_subclass(class: &TypeObject) {
    let Some(bases) = class.bases() else { return };
    for base in bases.iter() {
        if let Some(base) = base.downcast_ref::<Type>() {
            super::subclasses::add(base, class);
        }
    }
}

/// The slots of a Python class: inherited from its base, then decided by the methods in its MRO.
pub fn fix_slots(class: &Ref<Type>) {
    for group in GROUPS {
        update_group(class, group);
    }
}
/// As [`fix_slots`], of a new class.
pub fn first_slots(class: &Ref<Type>) {
    let (Some(base), Some(dict)) = (only_base(class), class.dict()) else { return fix_slots(class) };
    // What the class does not define itself is found where its base finds it.
    class.slots.inherit_all(&base.slots);
    let own = dict.keys().into_iter().filter_map(|key| intern::find(&key.to_ref()?));
    let mut places: Vec<usize> = own.chain([intern("__new__")]).flat_map(|name| groups_of(&name)).copied().collect();
    places.sort_unstable();
    places.dedup();
    for place in places {
        update_group(class, &GROUPS[place]);
    }
}
/// The places in `GROUPS` of those that an interned name belongs to.
fn groups_of(name: &Ref<Str>) -> &'static [usize] {
    static PLACES: OnceLock<HashMap<usize, Vec<usize>, ByWord>> = OnceLock::new();
    let places = PLACES.get_or_init(|| {
        let mut places: HashMap<usize, Vec<usize>, ByWord> = HashMap::default();
        for (place, group) in GROUPS.iter().enumerate() {
            for name in group.names {
                places.entry(intern(name).address()).or_default().push(place);
            }
        }
        places
    });
    places.get(&name.address()).map_or(&[], Vec::as_slice)
}
/// The one base of a class in whose MRO only the class itself precedes the base's, if the base's slots were decided by methods
/// or, as `object`'s, are what they would be.
fn only_base(class: &Ref<Type>) -> Option<Ref<Type>> {
    let base = class.base()?;
    if class.bases()?.len() != 1 || !(base.has_flag(type_flag::HEAP) || base.is(&OBJECT)) {
        return None;
    }
    let (own, inherited) = (class.mro()?, base.mro()?);
    let same = own.len() == inherited.len() + 1 && own[1..].iter().zip(inherited.iter()).all(|(x, y)| x.is(y));
    same.then_some(base)
}
/// Decides again the slots that `name` stands for, in the class and its subclasses.
pub fn update_slots_for(class: &Ref<Type>, name: &Ref<Str>) {
    let Some(name) = intern::find(name) else { return };
    let groups: Vec<&Group> = groups_of(&name).iter().map(|&place| &GROUPS[place]).collect();
    if groups.is_empty() {
        return;
    }
    fn walk(class: &Ref<Type>, groups: &[&Group]) {
        for group in groups {
            update_group(class, group);
        }
        for sub in super::subclasses::list(class) {
            walk(&sub, groups);
        }
    }
    walk(class, &groups);
}

/// One slot of a Python class. If everything that its names find are wrappers of the same native slot, the slot becomes
/// that native function; if anything else is found, the function that looks methods up.
fn update_group(class: &Ref<Type>, group: &Group) {
    let mut native: Option<Ref<Type>> = None;
    let mut generic = false;
    for name in group.names {
        let Some(found) = class.lookup(&intern(name)) else { continue };
        if found.is_none() && *name == "__hash__" {
            class.slots.hash.set(Some(super::unhashable));
            return;
        }
        if *name == "__new__" {
            match super::native_new_owner(&found) {
                // A `__new__` that does not fit is called as the function that it is, which says so.
                Some(owner) if super::new_fits(class, &owner) => native = Some(owner),
                _ => generic = true,
            }
            continue;
        }
        match found.downcast_ref::<Wrapper>() {
            // The wrapper of another slot (`__str__ = int.__repr__`) is called as the method that it is.
            Some(w)
                if found.is_exact(&WRAPPER_DESCRIPTOR)
                    && w.def.name == *name
                    && class.object().is_subtype(w.owner.object()) =>
            {
                match &native {
                    Some(other) if !(group.same)(&other.slots, &w.owner.slots) => generic = true,
                    _ => native = Some(w.owner.clone()),
                }
            }
            _ if matches!(group.names[0], "__buffer__" | "__release_buffer__")
                && found.class().has_flag(type_flag::METHOD_DESCRIPTOR) =>
            {
                generic = true;
            }
            _ => generic = true,
        }
    }
    match (generic, native) {
        (true, _) => (group.generic)(&class.slots),
        (false, Some(owner)) => {
            (group.copy)(&class.slots, &owner.slots);
        }
        (false, None) => match class.base() {
            // A slot without a visible method (`finalize` of generators, `sq_item` of views) comes from the base.
            Some(base) => (group.copy)(&class.slots, &base.slots),
            None => (group.clear)(&class.slots),
        },
    }
}
/// Slots that no dunder method stands for.
pub fn inherit_hidden(class: &Ref<Type>, base: &Ref<Type>) {
    class.slots.sq_concat.inherit(&base.slots.sq_concat);
    class.slots.sq_repeat.inherit(&base.slots.sq_repeat);
    class.slots.sq_inplace_concat.inherit(&base.slots.sq_inplace_concat);
    class.slots.sq_inplace_repeat.inherit(&base.slots.sq_inplace_repeat);
    class.set_flags(base.flags() & INHERITED & !COLLECTION);
    // What `match` takes the class for: the first in the MRO decides.
    let mro = class.mro();
    let collection = mro.iter().flat_map(|m| m.iter()).filter_map(|c| c.downcast_ref::<Type>());
    if let Some(flags) = collection.map(|c| c.flags() & COLLECTION).find(|&flags| flags != 0) {
        class.set_flags(flags);
    }
    if !class.dict_cell.is_set() {
        class.dict_cell.copy_from(&base.dict_cell);
    }
}
