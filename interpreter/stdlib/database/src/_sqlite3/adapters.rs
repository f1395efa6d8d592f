//! Adaption of Python objects to what SQLite stores (PEP 246 in small).
use std::sync::atomic::Ordering::Relaxed;

use krait_macros::{Payload, Trace};
use krait_object::builtin_types::{FLOAT, INT, OBJECT, STR};
use krait_object::{ClassDef, PyResult, Ref, SlotDefs, Thread, Tuple, TypeObject, VTable, Value, type_flag};
use krait_runtime::errors::in_flight;
use krait_runtime::exceptions::TYPE_ERROR;
use krait_runtime::protocol::{attr, call};
use krait_runtime::types::bytearray::BYTEARRAY;

use super::State;
use super::errors::programming;

#[derive(Trace, Payload)]
#[payload(class = PROTOCOL)]
pub struct PrepareProtocol {}
static LAYOUT: VTable = VTable::of::<PrepareProtocol>();
pub static PROTOCOL: TypeObject = TypeObject::builtin("PrepareProtocol", Some(&OBJECT), &LAYOUT);
pub static PROTOCOL_DEF: ClassDef = ClassDef {
    module: "sqlite3",
    doc: "PEP 246 style object adaption protocol type.",
    slots: SlotDefs {
        new: Some(|_, class, _| Ok(Ref::with_class(PrepareProtocol {}, class.object()).into())),
        init: Some(|_, _, _| Ok(())),
        ..SlotDefs::EMPTY
    },
    flags: type_flag::BASE | type_flag::IMMUTABLE,
    ..ClassDef::new(&PROTOCOL)
};

pub fn register(th: &mut Thread, class: &Value, adapter: &Value) -> PyResult<()> {
    let state = th.interp.extension::<State>();
    if [&INT, &FLOAT, &STR, &BYTEARRAY].iter().any(|base| class.is(&base.to_value())) {
        state.base_types_adapted.store(true, Relaxed);
    }
    let key = Tuple::from_slice(&[class.clone(), PROTOCOL.to_value()]);
    state.adapters().set(th, key.into(), adapter.clone())
}
/// Whether an object may have an adapter.
pub fn needed(th: &mut Thread, v: &Value) -> bool {
    if th.interp.extension::<State>().base_types_adapted.load(Relaxed) {
        return true;
    }
    ![&INT, &FLOAT, &STR, &BYTEARRAY].iter().any(|base| v.is_exact(base))
}
/// The object adapted; `alternative` where nothing can.
pub fn adapt(th: &mut Thread, v: &Value, protocol: &Value, alternative: Option<&Value>) -> PyResult<Value> {
    let adapters = th.interp.extension::<State>().adapters();
    let key = Tuple::from_slice(&[v.class_ref().to_value(), protocol.clone()]);
    if let Some(adapter) = adapters.get(th, key.as_value())? {
        return call::call(th, &adapter, std::slice::from_ref(v));
    }
    for (owner, name, argument) in [(protocol, "__adapt__", v), (v, "__conform__", protocol)] {
        let Some(method) = attr::get_text_opt(th, owner, name)? else { continue };
        match call::call(th, &method, std::slice::from_ref(argument)) {
            Ok(adapted) if adapted.is_none() => {}
            Ok(adapted) => return Ok(adapted),
            Err(raised) if !in_flight(th, &TYPE_ERROR) => return Err(raised),
            Err(_) => drop(th.take_exc()),
        }
    }
    match alternative {
        Some(v) => Ok(v.clone()),
        None => Err(programming(th, "can't adapt")),
    }
}
