//! `staticarray`: twelve bytes that are exported whole, whatever the request asks for.
use std::sync::Arc;

use krait_macros::{Payload, Trace};
use krait_object::buffer::{Buffer, BytesExport};
use krait_object::builtin_types::OBJECT;
use krait_object::native::Sig;
use krait_object::{Args, Bytes, ClassDef, PyResult, Ref, SlotDefs, Thread, Type, TypeObject, VTable, Value};

#[derive(Trace, Payload)]
#[payload(class = STATIC_ARRAY)]
pub struct StaticArray {
    /// The export names no owner.
    #[trace(skip)]
    legacy: bool,
}
static LAYOUT: VTable = VTable::of::<StaticArray>();
static STATIC_ARRAY: TypeObject = TypeObject::builtin("staticarray", Some(&OBJECT), &LAYOUT);
pub static DEF: ClassDef = ClassDef {
    module: "_testbuffer",
    sig: "(legacy_mode=False)",
    slots: SlotDefs { new: Some(new), buffer: Some(export), ..SlotDefs::EMPTY },
    ..ClassDef::new(&STATIC_ARRAY)
};

fn new(th: &mut Thread, _: &Ref<Type>, args: &Args<'_>) -> PyResult<Value> {
    static SIG: Sig = Sig::new("(legacy_mode=False)");
    let b = SIG.bind(th, "staticarray", "staticarray", args, 0)?;
    let legacy = b.args().opt(0).is_some_and(|v| !v.is(&Value::FALSE));
    Ok(Ref::new(StaticArray { legacy }).into())
}

fn export(_: &mut Thread, v: &Value, _: u32) -> PyResult<Buffer> {
    let legacy = v.downcast_ref::<StaticArray>().is_some_and(|a| a.legacy);
    let bytes: Vec<u8> = (0..12).collect();
    let owner = if legacy { Value::NONE } else { v.clone() };
    Ok(Buffer::bytes(owner, Arc::new(BytesExport(Bytes::new(&bytes))), bytes.len(), true))
}
