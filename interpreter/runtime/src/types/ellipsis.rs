//! The class of `Ellipsis`. CPython: `Objects/sliceobject.c`.
use krait_object::builtin_types::ELLIPSIS_TYPE;
use krait_object::native::method;
use krait_object::{ClassDef, SlotDefs, Value, intern::intern};

use super::none::the_one;

pub static DEF: ClassDef = ClassDef {
    sig: "()",
    doc: "The type of the Ellipsis singleton.",
    methods: &[method("__reduce__", "()", "", |_, _| Ok(intern("Ellipsis").into()))],
    slots: SlotDefs {
        new: Some(|th, class, args| the_one(th, class, args, Value::ELLIPSIS)),
        repr: Some(|_, _| Ok(intern("Ellipsis").into())),
        ..SlotDefs::EMPTY
    },
    ..ClassDef::new(&ELLIPSIS_TYPE)
};
