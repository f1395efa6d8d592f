//! KeyError, NameError and AttributeError.
use krait_object::native::{Sig, method};
use krait_object::{Args, ClassDef, Dict, Method, PyResult, SlotDefs, Thread, Value, type_flag};

use super::base::{init as base_init, object_member, payload, reduced, set_arguments, str_of, str_slot};
use super::{AttributeError, BaseException, NameError};
use crate::protocol::repr;

const FLAGS: u32 = type_flag::BASE | type_flag::BASE_EXC_SUBCLASS;

pub static KEY_ERROR: ClassDef = ClassDef {
    doc: "A mapping has no such key.",
    slots: SlotDefs { init: Some(base_init), str: Some(key_str), ..SlotDefs::EMPTY },
    flags: FLAGS,
    ..ClassDef::new(&super::KEY_ERROR)
};
pub static NAME_ERROR: ClassDef = ClassDef {
    doc: "A name has no value here.",
    getset: &[object_member!(NameError, name, "name")],
    slots: SlotDefs { init: Some(name_init), str: Some(str_slot), ..SlotDefs::EMPTY },
    flags: FLAGS,
    ..ClassDef::new(&super::NAME_ERROR)
};
pub static ATTRIBUTE_ERROR: ClassDef = ClassDef {
    doc: "An object has no such attribute.",
    methods: ATTRIBUTE_METHODS,
    getset: &[object_member!(AttributeError, name, "attribute name"), object_member!(AttributeError, obj, "object")],
    slots: SlotDefs { init: Some(attribute_init), str: Some(str_slot), ..SlotDefs::EMPTY },
    flags: FLAGS,
    ..ClassDef::new(&super::ATTRIBUTE_ERROR)
};
static ATTRIBUTE_METHODS: &[Method] = &[
    method("__getstate__", "()", "Return the attributes to pickle.", |_, a| Ok(attribute_state(&a[0]))),
    method("__reduce__", "()", "Return class, arguments and attributes, for pickling.", attribute_reduce),
];

/// A single key is shown as its repr, so that the empty string and others are seen.
fn key_str(th: &mut Thread, v: &Value) -> PyResult<Value> {
    match &payload::<BaseException>(v).args()[..] {
        [one] => Ok(repr::repr(th, one)?.into()),
        _ => Ok(str_of(th, v)?.into()),
    }
}
pub(super) fn name_init(th: &mut Thread, v: &Value, args: &Args<'_>) -> PyResult<()> {
    static SIG: Sig = Sig::new("(*args, name=None)");
    set_arguments(v, args);
    let bound = SIG.bind(th, "NameError", "NameError", args, 0)?;
    payload::<NameError>(v).name.set(bound.args().opt(1).cloned());
    Ok(())
}
fn attribute_init(th: &mut Thread, v: &Value, args: &Args<'_>) -> PyResult<()> {
    static SIG: Sig = Sig::new("(*args, name=None, obj=None)");
    set_arguments(v, args);
    let bound = SIG.bind(th, "AttributeError", "AttributeError", args, 0)?;
    let e = payload::<AttributeError>(v);
    e.name.set(bound.args().opt(1).cloned());
    e.obj.set(bound.args().opt(2).cloned());
    Ok(())
}
/// `obj` stays out: it often cannot be pickled.
fn attribute_state(v: &Value) -> Value {
    let e = payload::<AttributeError>(v);
    let state = match e.base.dict.get().and_then(|d| d.downcast::<Dict>().ok()) {
        Some(d) => d.copy(),
        None => Dict::new(),
    };
    if let Some(name) = e.name.get() {
        state.set_text("name", name);
    }
    state.set_text("args", e.base.args());
    state.into()
}
fn attribute_reduce(_: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    Ok(reduced(&a[0], payload::<BaseException>(&a[0]).args().into(), Some(attribute_state(&a[0]))))
}
