//! `typing.NoDefault`.
use std::sync::OnceLock;

use krait_object::builtin_types::OBJECT;
use krait_object::native::method;
use krait_object::{ClassDef, Method, Ref, SlotDefs, TypeObject, Value};

use crate::errors::type_error;

static NO_DEFAULT: TypeObject = TypeObject::builtin_like("NoDefaultType", &OBJECT);
pub static DEF: ClassDef = ClassDef {
    doc: "The type of the NoDefault singleton.",
    sig: "()",
    methods: METHODS,
    slots: SlotDefs {
        new: Some(|th, _, args| {
            if args.is_empty() { Ok(no_default()) } else { Err(type_error(th, "NoDefaultType takes no arguments")) }
        }),
        repr: Some(|_, _| Ok(Value::str("typing.NoDefault"))),
        ..SlotDefs::EMPTY
    },
    ..ClassDef::new(&NO_DEFAULT)
};
static METHODS: &[Method] = &[method("__reduce__", "()", "", |_, _| Ok(Value::str("NoDefault")))];

/// Marks a type parameter without default.
pub fn no_default() -> Value {
    static MADE: OnceLock<Value> = OnceLock::new();
    MADE.get_or_init(|| {
        let v = Ref::<()>::with_class((), &NO_DEFAULT).into_value();
        v.header().into_iter().for_each(krait_object::header::Header::make_immortal);
        v
    })
    .clone()
}
