//! The class of `None`. CPython: `Objects/object.c`.
use krait_object::builtin_types::NONE_TYPE;
use krait_object::{Args, ClassDef, PyResult, Ref, SlotDefs, Thread, Type, Value, intern::intern};

use crate::errors::type_error;

pub static DEF: ClassDef = ClassDef {
    doc: "The type of the None singleton.",
    sig: "()",
    slots: SlotDefs {
        new: Some(|th, class, args| the_one(th, class, args, Value::NONE)),
        repr: Some(|_, _| Ok(intern("None").into())),
        // The same in every process, as CPython's.
        hash: Some(|_, _| Ok(0xFCA8_6420)),
        bool: Some(|_, _| Ok(false)),
        ..SlotDefs::EMPTY
    },
    ..ClassDef::new(&NONE_TYPE)
};

/// The constructor of a class with one instance.
pub(super) fn the_one(th: &mut Thread, class: &Ref<Type>, args: &Args<'_>, value: Value) -> PyResult<Value> {
    if !args.is_empty() {
        let name = class.name();
        return Err(type_error(th, format!("{name} takes no arguments")));
    }
    Ok(value)
}
