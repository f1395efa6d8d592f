//! Capsules: opaque handles by which extension modules publish C interfaces. Krait loads no extension modules, so nothing
//! is behind its own; their class is what programs name. CPython: `Objects/capsule.c`.
use krait_macros::{Payload, Trace};
use krait_object::builtin_types::OBJECT;
use krait_object::{ClassDef, Ref, SlotDefs, TypeObject, VTable, Value, type_flag};

#[derive(Trace, Payload)]
#[payload(class = CAPSULE)]
struct Capsule {
    name: &'static str,
}
static LAYOUT: VTable = VTable::of::<Capsule>();
static CAPSULE: TypeObject = TypeObject::builtin("PyCapsule", Some(&OBJECT), &LAYOUT);

pub static DEF: ClassDef = ClassDef {
    doc: "An opaque handle of a C interface.",
    slots: SlotDefs {
        repr: Some(|_, v| {
            let name = v.downcast_ref::<Capsule>().map_or("", |c| c.name);
            Ok(Value::str(&format!("<capsule object \"{name}\" at {:#x}>", v.id())))
        }),
        ..SlotDefs::EMPTY
    },
    flags: type_flag::DISALLOW_INSTANTIATION,
    ..ClassDef::new(&CAPSULE)
};

/// A capsule of a name, such as "datetime.datetime_CAPI".
pub fn new(name: &'static str) -> Value {
    Ref::new(Capsule { name }).into()
}
