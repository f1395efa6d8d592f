//! The weak list of direct subclasses that every type keeps: for `__subclasses__` and to spread invalidation.
use krait_object::{List, Ref, Type, TypeObject, Value};

use crate::types::weakref;

fn cell(base: &Type) -> Ref<List> {
    let list = base.subclasses.get_or_set(List::new(Vec::new()).into());
    list.downcast().unwrap_or_else(|_| List::new(Vec::new()))
}
/// Enters `class` in the list of `base`. Builtin classes are entered once, strongly: they are immortal.
pub fn add(base: &Type, class: &TypeObject) {
    let value = class.to_value();
    let entry = if class.is_static() { value } else { weakref::new_plain(&value) };
    let list = cell(base);
    let mut items = list.lock();
    // Now and then, so that a class costs the same however many there are.
    if items.len().is_power_of_two() {
        items.retain(|e| resolve(e).is_some());
    }
    items.push(entry);
}
fn resolve(entry: &Value) -> Option<Ref<Type>> {
    match entry.to_ref::<Type>() {
        Some(t) => Some(t),
        None => weakref::target(entry)?.downcast().ok(),
    }
}
pub fn remove(base: &Type, class: &TypeObject) {
    let list = cell(base);
    let entries = list.to_vec();
    let kept: Vec<Value> = entries.into_iter().filter(|e| resolve(e).is_some_and(|t| !t.is(class))).collect();
    drop(list.replace(kept));
}
/// The live direct subclasses, oldest first.
pub fn list(base: &Type) -> Vec<Ref<Type>> {
    match base.subclasses.get().and_then(|l| l.downcast::<List>().ok()) {
        Some(list) => list.to_vec().iter().filter_map(resolve).collect(),
        None => Vec::new(),
    }
}
/// Invalidates the caches of the class and everything below it.
pub fn modified(class: &Ref<Type>) {
    class.modified();
    for sub in list(class) {
        modified(&sub);
    }
}
