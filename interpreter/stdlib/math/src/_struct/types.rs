//! `Struct` and the iterator of `iter_unpack`.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use krait_macros::{Payload, Trace};
use krait_object::buffer::{Buffer, flags};
use krait_object::native::{Sig, getter, member, method};
use krait_object::{
    Args, Bytes, ClassDef, GetSet, Locked, Method, PyResult, Ref, SlotDefs, Str, StrBuilder, Thread, Type, TypeObject,
    VTable, Value, ValueCell, builtin_types, type_flag,
};
use krait_runtime::errors::{runtime_error, type_error};
use krait_runtime::protocol::buffer::get_buffer;
use krait_runtime::protocol::repr;

use super::format::Format;
use super::{error, format_text, pack, pack_into, parse, unpack, unpack_bytes, unpack_from, zeroed};

#[derive(Trace, Payload)]
#[payload(class = STRUCT)]
pub struct Struct {
    /// `None` until `__init__` has run.
    #[trace(skip)]
    format: Locked<Option<Arc<Format>>>,
    text: ValueCell,
}

static STRUCT_LAYOUT: VTable = VTable::of::<Struct>();
pub static STRUCT: TypeObject = TypeObject::builtin("Struct", Some(&builtin_types::OBJECT), &STRUCT_LAYOUT);
pub static STRUCT_DEF: ClassDef = ClassDef {
    module: "_struct",
    doc: "A format, worked out once to pack and unpack many times.",
    sig: "(format)",
    methods: METHODS,
    getset: GETSET,
    slots: SlotDefs { new: Some(new), init: Some(init_struct), repr: Some(struct_repr), ..SlotDefs::EMPTY },
    flags: type_flag::BASE | type_flag::WEAKREF,
    ..ClassDef::new(&STRUCT)
};
static METHODS: &[Method] = &[
    method("iter_unpack", "(buffer, /)", "An iterator over the buffer, one tuple for each repetition.", |th, a| {
        let format = this(&a[0]).format(th)?;
        iter_unpack(th, format, &a[1])
    }),
    method("pack", "", "S.pack(v1, v2, ...) -> bytes\n\nThe values packed.", |th, a| {
        let format = this(&a[0]).format(th)?;
        no_keywords(th, a, "pack")?;
        let mut out = zeroed(th, format.size)?;
        pack(th, &format, "pack", &a.pos()[1..], &mut out)?;
        Ok(Bytes::new(&out).into())
    }),
    method(
        "pack_into",
        "",
        "S.pack_into(buffer, offset, v1, v2, ...)\n\nPack the values into the buffer at the offset.",
        |th, a| {
            let format = this(&a[0]).format(th)?;
            no_keywords(th, a, "pack_into")?;
            pack_into(th, &format, &a.pos()[1..])
        },
    ),
    method("unpack", "(buffer, /)", "The values in the buffer, which has exactly the format's size.", |th, a| {
        let format = this(&a[0]).format(th)?;
        unpack(th, &format, &a[1])
    }),
    method("unpack_from", "(buffer, offset=0)", "The values in the buffer at the offset.", |th, a| {
        let format = this(&a[0]).format(th)?;
        unpack_from(th, &format, &a[1], a.opt(2))
    }),
    method("__sizeof__", "()", "Size in memory, in bytes.", |th, a| {
        let format = this(&a[0]).format(th)?;
        Ok((STRUCT_LAYOUT.size + size_of::<Format>() + size_of_val(&*format.fields)).into())
    }),
];
static GETSET: &[GetSet] = &[
    getter("format", "struct format string", |th, v| {
        this(v).format(th)?;
        Ok(this(v).text.get().unwrap_or(Value::NONE))
    }),
    member("size", "struct size in bytes", |th, v| match this(v).format.get() {
        Some(format) => Ok(format.size.into()),
        None => {
            let _ = th;
            Ok(Value::int(-1))
        }
    }),
];

/// Readies the class that the module does not show.
pub fn init(th: &mut Thread, _: &Value) -> PyResult<()> {
    krait_runtime::types::type_::ready::ready_class(th, &UNPACK_ITER_DEF);
    Ok(())
}

fn this(v: &Value) -> &Struct {
    v.downcast_ref().expect("the descriptor checked the class of self")
}

fn no_keywords(th: &mut Thread, a: &Args<'_>, name: &str) -> PyResult<()> {
    if a.has_kw() { Err(type_error(th, format!("Struct.{name}() takes no keyword arguments"))) } else { Ok(()) }
}

impl Struct {
    fn format(&self, th: &mut Thread) -> PyResult<Arc<Format>> {
        self.format.get().ok_or_else(|| runtime_error(th, "Struct object is not initialized"))
    }
}

fn new(_: &mut Thread, class: &Ref<Type>, _: &Args<'_>) -> PyResult<Value> {
    let payload = Struct { format: Locked::new(None), text: ValueCell::empty() };
    Ok(Ref::with_class(payload, class.object()).into())
}

fn init_struct(th: &mut Thread, v: &Value, args: &Args<'_>) -> PyResult<()> {
    static SIG: Sig = Sig::new("(format)");
    let bound = SIG.bind(th, "Struct", "Struct", args, 0)?;
    let a = bound.args();
    let text = format_text(th, &a[0])?;
    let format = parse(th, &text)?;
    this(v).format.set(Some(format));
    this(v).text.set(Some(Str::from_latin1(&text).into()));
    Ok(())
}

fn struct_repr(th: &mut Thread, v: &Value) -> PyResult<Value> {
    this(v).format(th)?;
    let text = repr::repr(th, &this(v).text.get().unwrap_or(Value::NONE))?;
    let mut out = StrBuilder::new();
    out.push_text(&v.class().name());
    out.push_text("(");
    out.push_str(&text);
    out.push_text(")");
    Ok(out.finish().into())
}

#[derive(Trace, Payload)]
#[payload(class = UNPACK_ITER)]
struct UnpackIter {
    #[trace(skip)]
    format: Arc<Format>,
    #[trace(skip)]
    buffer: Locked<Option<Buffer>>,
    len: usize,
    next: AtomicUsize,
}

static UNPACK_ITER_LAYOUT: VTable = VTable::of::<UnpackIter>();
static UNPACK_ITER: TypeObject =
    TypeObject::builtin("unpack_iterator", Some(&builtin_types::OBJECT), &UNPACK_ITER_LAYOUT);
static UNPACK_ITER_DEF: ClassDef = ClassDef {
    module: "_struct",
    methods: &[method("__length_hint__", "()", "", |_, a| {
        let me = a.this::<UnpackIter>();
        Ok(((me.len - me.next.load(Ordering::Relaxed)) / me.format.size).into())
    })],
    slots: SlotDefs { iter: Some(|_, v| Ok(v.clone())), next: Some(unpack_next), ..SlotDefs::EMPTY },
    flags: type_flag::IMMUTABLE | type_flag::DISALLOW_INSTANTIATION,
    ..ClassDef::new(&UNPACK_ITER)
};

pub fn iter_unpack(th: &mut Thread, format: Arc<Format>, v: &Value) -> PyResult<Value> {
    if format.size == 0 {
        return Err(error(th, "cannot iteratively unpack with a struct of length 0"));
    }
    let buffer = get_buffer(th, v, flags::SIMPLE)?;
    if !buffer.len.is_multiple_of(format.size) {
        let size = format.size;
        return Err(error(th, format!("iterative unpacking requires a buffer of a multiple of {size} bytes")));
    }
    let len = buffer.len;
    Ok(Ref::new(UnpackIter { format, buffer: Locked::new(Some(buffer)), len, next: AtomicUsize::new(0) }).into())
}

fn unpack_next(_: &mut Thread, v: &Value) -> PyResult<Option<Value>> {
    let me = v.downcast_ref::<UnpackIter>().expect("the slot belongs to this class");
    // The buffer is given back as soon as it is used up.
    let Some(buffer) = me.buffer.lock().take() else { return Ok(None) };
    let at = me.next.load(Ordering::Relaxed);
    if at >= me.len {
        return Ok(None);
    }
    let values = buffer.with_bytes(|data| data.get(at..at + me.format.size).map(|data| unpack_bytes(&me.format, data)));
    me.next.store(at + me.format.size, Ordering::Relaxed);
    *me.buffer.lock() = Some(buffer);
    Ok(values)
}
