//! Struct sequence types of this family's modules: made once per interpreter, found again by their definition.
use std::collections::HashMap;

use krait_object::{Locked, Ref, Thread, Type, Value};
use krait_runtime::types::structseq::{self, StructSeqDef};

#[derive(Default)]
struct Types(Locked<HashMap<usize, Ref<Type>>>);

/// The type that a definition describes.
pub fn class(th: &Thread, def: &'static StructSeqDef) -> Ref<Type> {
    let types = th.interp.extension::<Types>();
    let key = std::ptr::from_ref(def) as usize;
    if let Some(found) = types.0.lock().get(&key) {
        return found.clone();
    }
    let made = structseq::new_type(def);
    types.0.lock().insert(key, made.clone());
    made
}
/// An instance from all its fields.
pub fn build(th: &Thread, def: &'static StructSeqDef, fields: Vec<Value>) -> Value {
    structseq::build(&class(th, def), fields, def.visible)
}
