//! Whether instances of one class can become instances of another: `__class__` and `__bases__` assignment
//! (`compatible_for_assignment` in `typeobject.c`).
use krait_object::{Ref, Str, Type, type_flag};

use crate::types::descriptor;

/// Whether the class gives its instances more than its base does.
fn adds(class: &Ref<Type>, base: &Ref<Type>) -> bool {
    class.fixed_slots() != base.fixed_slots()
        || extras(class) != extras(base)
        || class.solid().map(std::ptr::from_ref) != base.solid().map(std::ptr::from_ref)
}
/// A dict in the tail, a dict in the payload, weak references.
fn extras(t: &Type) -> (bool, bool, bool) {
    (t.has_flag(type_flag::TAIL_DICT), t.dict_cell.is_set(), t.has_flag(type_flag::WEAKREF))
}
/// The nearest class, from this one up, that decides what instances carry.
fn deciding(class: &Ref<Type>) -> Ref<Type> {
    let mut at = class.clone();
    while let Some(base) = at.base() {
        if adds(&at, &base) {
            break;
        }
        at = base;
    }
    at
}
/// Names of the `__slots__` members that the class itself defines, in order.
fn own_members(class: &Ref<Type>) -> Vec<String> {
    let mut own: Vec<String> = class
        .dict()
        .map(|d| d.items())
        .unwrap_or_default()
        .iter()
        .filter(|(_, v)| descriptor::is_slot_member(v))
        .filter_map(|(k, _)| k.downcast_ref::<Str>().map(|s| s.to_string_lossy().into_owned()))
        .collect();
    own.sort();
    own
}
/// Whether instances of both classes look the same in memory.
pub fn compatible(new: &Ref<Type>, old: &Ref<Type>) -> bool {
    let (a, b) = (deciding(new), deciding(old));
    if a.ptr_eq(&b) {
        return true;
    }
    let same_base = match (a.base(), b.base()) {
        (Some(x), Some(y)) => x.ptr_eq(&y),
        _ => false,
    };
    same_base
        && a.solid().map(std::ptr::from_ref) == b.solid().map(std::ptr::from_ref)
        && !a.is_static()
        && !b.is_static()
        && a.fixed_slots() == b.fixed_slots()
        && extras(&a) == extras(&b)
        && own_members(&a) == own_members(&b)
}
