//! `PickleBuffer`: a buffer that may travel beside the pickle.
use krait_macros::{Payload, Trace};
use krait_object::buffer::{Buffer, flags};
use krait_object::native::method;
use krait_object::{
    Args, ClassDef, Method, PyResult, Ref, SlotDefs, Thread, Type, TypeObject, VTable, Value, ValueCell,
    builtin_types::OBJECT, type_flag,
};
use krait_runtime::errors::{buffer_error, type_error, value_error};
use krait_runtime::protocol::{attr, buffer, compare};
use krait_runtime::types::memoryview;

#[derive(Trace, Payload)]
#[payload(class = PICKLE_BUFFER)]
pub struct PickleBuffer {
    /// A memoryview; none after `release()`.
    view: ValueCell,
}
static LAYOUT: VTable = VTable::of::<PickleBuffer>();
pub static PICKLE_BUFFER: TypeObject = TypeObject::builtin("PickleBuffer", Some(&OBJECT), &LAYOUT);
pub static DEF: ClassDef = ClassDef {
    module: "pickle",
    doc: "Wrapper for potentially out-of-band buffers",
    methods: METHODS,
    slots: SlotDefs {
        new: Some(new),
        buffer: Some(|th, v, request| {
            let object = exporter(th, v)?;
            buffer::get_buffer(th, &object, request)
        }),
        ..SlotDefs::EMPTY
    },
    flags: type_flag::BASE | type_flag::WEAKREF | type_flag::HAVE_GC,
    ..ClassDef::new(&PICKLE_BUFFER)
};
static METHODS: &[Method] = &[
    method(
        "raw",
        "()",
        "Return a memoryview of the raw memory underlying this buffer.\n\nWill raise BufferError is the buffer isn't contiguous.",
        |th, a| match contiguous(th, &a[0])? {
            Some(raw) => Ok(memoryview::from_buffer(raw)),
            None => Err(buffer_error(th, "cannot extract raw buffer from non-contiguous buffer")),
        },
    ),
    method("release", "()", "Release the underlying buffer exposed by the PickleBuffer object.", |th, a| {
        if let Some(view) = a.this::<PickleBuffer>().view.take() {
            attr::call_method(th, &view, "release", &[])?;
        }
        Ok(Value::NONE)
    }),
];

fn new(th: &mut Thread, class: &Ref<Type>, args: &Args<'_>) -> PyResult<Value> {
    let [object] = args.pos() else {
        let n = args.pos().len();
        return Err(type_error(th, format!("PickleBuffer expected 1 argument, got {n}")));
    };
    if args.has_kw() {
        return Err(type_error(th, "PickleBuffer() takes no keyword arguments"));
    }
    let source = match object.downcast_ref::<PickleBuffer>() {
        Some(_) => exporter(th, object)?,
        None => object.clone(),
    };
    let view = memoryview::of(th, &source, flags::FULL_RO)?;
    Ok(Ref::with_class(PickleBuffer { view: ValueCell::new(Some(view)) }, class.object()).into())
}
fn view(th: &mut Thread, v: &Value) -> PyResult<Value> {
    let held = v.downcast_ref::<PickleBuffer>().and_then(|b| b.view.get());
    held.ok_or_else(|| value_error(th, "operation forbidden on released PickleBuffer object"))
}
/// The object whose memory it is.
fn exporter(th: &mut Thread, v: &Value) -> PyResult<Value> {
    let view = view(th, v)?;
    attr::get_text(th, &view, "obj")
}
/// The memory as plain bytes; `None` where it has gaps.
pub fn contiguous(th: &mut Thread, v: &Value) -> PyResult<Option<Buffer>> {
    let view = view(th, v)?;
    let flag = attr::get_text(th, &view, "contiguous")?;
    if !compare::truth(th, &flag)? {
        return Ok(None);
    }
    let whole = buffer::get_buffer(th, &view, flags::FULL_RO)?;
    let owner = attr::get_text(th, &view, "obj")?;
    let mut raw = Buffer::bytes(owner, whole.export.clone(), whole.len, whole.readonly);
    raw.offset = whole.offset;
    Ok(Some(raw))
}
