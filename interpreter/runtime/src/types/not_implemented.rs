//! The class of `NotImplemented`. CPython: `Objects/object.c`.
use krait_object::builtin_types::NOT_IMPLEMENTED_TYPE;
use krait_object::native::method;
use krait_object::{ClassDef, SlotDefs, Value, intern::intern};

use super::none::the_one;
use crate::exceptions::DEPRECATION_WARNING;
use crate::warnings::warn;

pub static DEF: ClassDef = ClassDef {
    doc: "The type of the NotImplemented singleton.",
    sig: "()",
    methods: &[method("__reduce__", "()", "", |_, _| Ok(intern("NotImplemented").into()))],
    slots: SlotDefs {
        new: Some(|th, class, args| the_one(th, class, args, Value::NOT_IMPLEMENTED)),
        repr: Some(|_, _| Ok(intern("NotImplemented").into())),
        bool: Some(|th, _| {
            warn(th, &DEPRECATION_WARNING, "NotImplemented should not be used in a boolean context", 1)?;
            Ok(true)
        }),
        ..SlotDefs::EMPTY
    },
    ..ClassDef::new(&NOT_IMPLEMENTED_TYPE)
};
