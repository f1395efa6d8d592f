//! An exporter that counts its exports, and views of memory as `PyBuffer_FillInfo` makes them. CPython:
//! `Modules/_testcapi/buffer.c`.
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::*};

use krait_macros::{Payload, Trace};
use krait_object::buffer::{Buffer, Export};
use krait_object::builtin_types::OBJECT;
use krait_object::native::{function, member};
use krait_object::trace::{Trace as _, Tracer};
use krait_object::{
    Args, Bytes, ClassDef, Dict, GetSet, Locked, Method, PyResult, Ref, SlotDefs, Thread, Type, TypeObject, VTable,
    Value,
};
use krait_runtime::errors::type_error;
use krait_runtime::protocol::{buffer, compare, number};
use krait_runtime::types::memoryview;

pub static FUNCTIONS: &[Method] = &[
    function(
        "buffer_fill_info",
        "(source, readonly, flags, /)",
        "A view of a copy of the bytes, as `PyBuffer_FillInfo` describes them.",
        fill_info,
    ),
    function("dict_get_version", "(dict, /)", "The number of the dict's state (PEP 509).", |th, a| {
        match a[0].downcast_ref::<Dict>() {
            Some(dict) => Ok(Value::from(dict.state())),
            None => Err(type_error(th, "a dict is required")),
        }
    }),
];

#[derive(Trace, Payload)]
#[payload(class = COUNTED)]
pub struct Counted {
    #[trace(skip)]
    exports: AtomicUsize,
}
static LAYOUT: VTable = VTable::of::<Counted>();
static COUNTED: TypeObject = TypeObject::builtin("testBuf", Some(&OBJECT), &LAYOUT);
pub static DEF: ClassDef = ClassDef {
    module: "_testcapi",
    getset: GETSET,
    slots: SlotDefs {
        new: Some(|_, class: &Ref<Type>, _| {
            Ok(Ref::with_class(Counted { exports: AtomicUsize::new(0) }, class.object()).into())
        }),
        buffer: Some(export),
        release_buffer: Some(memoryview::release_view),
        ..SlotDefs::EMPTY
    },
    ..ClassDef::new(&COUNTED)
};
static GETSET: &[GetSet] = &[member("references", "", |_, v| Ok(this(v).exports.load(Acquire).into()))];

fn this(v: &Value) -> &Counted {
    v.downcast_ref().expect("the slot belongs to testBuf")
}
const CONTENT: &[u8] = b"test";
fn export(th: &mut Thread, v: &Value, flags: u32) -> PyResult<Buffer> {
    buffer::check_filled(th, flags, true)?;
    this(v).exports.fetch_add(1, AcqRel);
    Ok(Buffer::bytes(v.clone(), Arc::new(Lent(v.clone())), CONTENT.len(), true))
}
struct Lent(Value);
impl Export for Lent {
    fn read(&self, f: &mut dyn FnMut(&[u8])) {
        f(CONTENT);
    }
    fn write(&self, _: &mut dyn FnMut(&mut [u8])) {}
    fn trace(&self, tracer: &mut Tracer<'_>) {
        self.0.trace(tracer);
    }
}
impl Drop for Lent {
    fn drop(&mut self) {
        this(&self.0).exports.fetch_sub(1, AcqRel);
    }
}

fn fill_info(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let Some(source) = a[0].downcast_ref::<Bytes>() else { return Err(type_error(th, "a bytes object is required")) };
    let readonly = compare::truth(th, &a[1])?;
    let flags = number::to_i32(th, &a[2])? as u32;
    buffer::check_filled(th, flags, readonly)?;
    let memory = source.to_vec();
    let len = memory.len();
    let buffer = Buffer::bytes(Value::NONE, Arc::new(Memory(Locked::new(memory))), len, readonly);
    memoryview::new_view(th, buffer)
}
struct Memory(Locked<Vec<u8>>);
impl Export for Memory {
    fn read(&self, f: &mut dyn FnMut(&[u8])) {
        f(&self.0.lock());
    }
    fn write(&self, f: &mut dyn FnMut(&mut [u8])) {
        f(&mut self.0.lock());
    }
}
