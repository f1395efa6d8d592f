//! The type `ndarray`: a stack of layouts, of which the last is shown and exported. An array made from another exporter
//! has one, of that exporter's memory.
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use krait_macros::{Payload, Trace};
use krait_object::buffer::{Buffer, Export, flags as request};
use krait_object::builtin_types::OBJECT;
use krait_object::native::{Sig, getter, method};
use krait_object::{
    Args, Bytes, ClassDef, GetSet, List, Locked, Method, PyResult, Ref, SlotDefs, Thread, Tuple, Type, TypeObject,
    VTable, Value, hash,
};
use krait_runtime::errors::{buffer_error, runtime_error, type_error, value_error};
use krait_runtime::protocol::{buffer, compare, number};
use krait_runtime::types::memoryview;

use super::construct::{self, Memory, Plan};
use super::items::Codec;
use super::layout::Layout;
use super::static_array::StaticArray;
use super::{access, nd};

pub struct Base {
    pub layout: Locked<Layout>,
    exports: AtomicUsize,
}

#[derive(Trace, Payload)]
#[payload(class = NDARRAY)]
pub struct NdArray {
    /// The memory is another exporter's.
    #[trace(skip)]
    consumer: bool,
    /// Layouts may change while the array has exports.
    #[trace(skip)]
    varying: bool,
    // As CPython's, the array is not seen by the collector.
    #[trace(skip)]
    bases: Locked<Vec<Arc<Base>>>,
}
static LAYOUT: VTable = VTable::of::<NdArray>();
static NDARRAY: TypeObject = TypeObject::builtin("ndarray", Some(&OBJECT), &LAYOUT);

pub static DEF: ClassDef = ClassDef {
    module: "_testbuffer",
    sig: SIGNATURE,
    methods: METHODS,
    getset: GETSET,
    slots: SlotDefs {
        new: Some(new),
        hash: Some(array_hash),
        buffer: Some(export),
        sq_item: Some(access::item),
        subscript: Some(access::subscript),
        set_subscript: Some(access::set_subscript),
        ..SlotDefs::EMPTY
    },
    ..ClassDef::new(&NDARRAY)
};

const SIGNATURE: &str = "(obj, shape=<unrepresentable>, strides=<unrepresentable>, offset=0, format='B', flags=0, getbuf=<unrepresentable>)";

static METHODS: &[Method] = &[
    method("tolist", "()", "The items as nested lists.", |th, a| tolist(th, &a[0])),
    method("tobytes", "()", "The bytes of the items, row by row.", |_, a| {
        Ok(Bytes::new(&layout(&a[0]).to_buffer(Value::NONE).to_vec()).into())
    }),
    method(
        "push",
        "(items, shape, strides=<unrepresentable>, offset=0, format='B', flags=0)",
        "Show other memory from now on.",
        push,
    ),
    method("pop", "()", "Show again what was shown before the last push.", pop),
    method("add_suboffsets", "()", "Add suboffsets that lead nowhere.", add_suboffsets),
    method("memoryview_from_buffer", "()", "A memoryview of a copy of the memory.", view_of_copy),
];

static GETSET: &[GetSet] = &[
    getter("flags", "", |_, v| Ok(Value::int(layout(v).flags.into()))),
    getter("offset", "", |_, v| Ok(Value::int(layout(v).offset as i64))),
    getter("obj", "", |_, v| Ok(layout(v).owner.unwrap_or(Value::NONE))),
    getter("nbytes", "", |_, v| Ok(layout(v).len.into())),
    getter("readonly", "", |_, v| Ok(layout(v).readonly.into())),
    getter("itemsize", "", |_, v| Ok(layout(v).itemsize.into())),
    getter("format", "", |_, v| Ok(Value::str(layout(v).format.as_deref().unwrap_or("")))),
    getter("ndim", "", |_, v| Ok(layout(v).ndim.into())),
    getter("shape", "", |_, v| {
        Ok(Tuple::from_vec(layout(v).shape.unwrap_or_default().into_iter().map(Value::from).collect()).into())
    }),
    getter("strides", "", |_, v| Ok(tuple_of(layout(v).strides))),
    getter("suboffsets", "", |_, v| Ok(tuple_of(layout(v).suboffsets))),
    getter("c_contiguous", "", |th, v| contiguity(th, v, 'C', nd::SCALAR | nd::C)),
    getter("f_contiguous", "", |th, v| contiguity(th, v, 'F', nd::SCALAR | nd::FORTRAN)),
    getter("contiguous", "", |th, v| contiguity(th, v, 'A', nd::SCALAR | nd::C | nd::FORTRAN)),
];

fn tuple_of(numbers: Option<Vec<isize>>) -> Value {
    Tuple::from_vec(numbers.unwrap_or_default().into_iter().map(|n| Value::int(n as i64)).collect()).into()
}
fn contiguity(th: &mut Thread, v: &Value, order: char, flags: i32) -> PyResult<Value> {
    let shown = layout(v);
    let found = shown.is_contiguous(order);
    if found != (shown.flags & flags != 0) {
        return Err(runtime_error(th, "results from PyBuffer_IsContiguous() and flags differ"));
    }
    Ok(found.into())
}

fn this(v: &Value) -> &NdArray {
    v.downcast_ref().expect("the slot belongs to ndarray")
}
fn head(v: &Value) -> Arc<Base> {
    this(v).bases.lock().last().expect("an array has a layout").clone()
}
/// What the array shows.
pub fn layout(v: &Value) -> Layout {
    head(v).layout.get()
}

fn wrap(layout: Layout, consumer: bool, varying: bool) -> Value {
    let base = Arc::new(Base { layout: Locked::new(layout), exports: AtomicUsize::new(0) });
    Ref::new(NdArray { consumer, varying, bases: Locked::new(vec![base]) }).into()
}
/// An array of another exporter's memory.
pub fn consumer(layout: Layout) -> Value {
    wrap(layout, true, false)
}
/// What a consumer has of `exporter` that asks with `flags`.
pub fn ask(th: &mut Thread, exporter: &Value, flags: u32) -> PyResult<Layout> {
    let complete = exporter.downcast_ref::<StaticArray>().is_some();
    let b = buffer::get_buffer(th, exporter, flags)?;
    if flags & request::WRITABLE != 0 && b.readonly && !complete {
        return Err(buffer_error(th, "Object is not writable."));
    }
    Ok(Layout::of_export(b, flags, complete))
}

fn int_arg(th: &mut Thread, v: Option<&Value>) -> PyResult<Option<i32>> {
    v.map(|v| number::to_i32(th, v)).transpose()
}

fn new(th: &mut Thread, _: &Ref<Type>, args: &Args<'_>) -> PyResult<Value> {
    static SIG: Sig = Sig::new(SIGNATURE);
    let bound = SIG.bind(th, "ndarray", "ndarray", args, 0)?;
    let a = bound.args();
    let offset = a.opt(3).map_or(Ok(0), |v| number::index_isize(th, v))?;
    let flags = int_arg(th, a.opt(5))?.unwrap_or(0);
    let wanted = int_arg(th, a.opt(6))?;
    let default = Value::str("B");
    let format = a.opt(4).unwrap_or(&default);
    let Some(shape) = a.opt(1) else {
        if !buffer::has_buffer(&a[0]) {
            let message = match wanted {
                Some(_) => "getbuf argument only valid for construction from exporter object",
                None => "shape is a required argument when constructing from list, tuple or scalar",
            };
            return Err(type_error(th, message));
        }
        let plain = format.downcast_ref::<krait_object::Str>().is_some_and(|s| s.eq_str("B"));
        if a.opt(2).is_some() || offset != 0 || !plain || (flags != 0 && flags != nd::REDIRECT) {
            let message = "construction from exporter object only takes 'obj', 'getbuf' and 'flags' arguments";
            return Err(type_error(th, message));
        }
        let mut shown = ask(th, &a[0], wanted.map_or(request::FULL_RO, |w| w as u32))?;
        shown.note_contiguity();
        shown.flags |= flags;
        return Ok(consumer(shown));
    };
    if wanted.is_some() {
        return Err(type_error(th, "getbuf argument only valid for construction from exporter object"));
    }
    let varying = flags & nd::VAREXPORT != 0;
    let plan = Plan { items: &a[0], shape, strides: a.opt(2), offset, format, flags: flags & !nd::VAREXPORT };
    Ok(wrap(construct::layout(th, &plan)?, false, varying))
}

/// Refuses a change of layout: of another's memory, and while there are exports.
fn check_mutable(th: &mut Thread, v: &Value, varying: bool) -> PyResult<()> {
    if this(v).consumer {
        return Err(buffer_error(th, "structure of re-exporting object is immutable"));
    }
    match head(v).exports.load(Relaxed) {
        n if n > 0 && !varying => {
            let s = if n == 1 { "" } else { "s" };
            Err(buffer_error(th, format!("cannot change structure: {n} exported buffer{s}")))
        }
        _ => Ok(()),
    }
}

fn push(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let offset = a.opt(4).map_or(Ok(0), |v| number::index_isize(th, v))?;
    let flags = int_arg(th, a.opt(6))?.unwrap_or(0);
    if flags & nd::VAREXPORT != 0 {
        return Err(value_error(th, "ND_VAREXPORT flag can only be used during object creation"));
    }
    check_mutable(th, &a[0], this(&a[0]).varying)?;
    let default = Value::str("B");
    let format = a.opt(5).unwrap_or(&default);
    let plan = Plan { items: &a[1], shape: &a[2], strides: a.opt(3), offset, format, flags };
    let made = construct::layout(th, &plan)?;
    let base = Arc::new(Base { layout: Locked::new(made), exports: AtomicUsize::new(0) });
    this(&a[0]).bases.lock().push(base);
    Ok(Value::NONE)
}

fn pop(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    check_mutable(th, &a[0], false)?;
    let popped = {
        let mut bases = this(&a[0]).bases.lock();
        if bases.len() > 1 { bases.pop() } else { None }
    };
    match popped {
        Some(_) => Ok(Value::NONE),
        None => Err(buffer_error(th, "list only has a single base")),
    }
}

fn add_suboffsets(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let base = head(&a[0]);
    let refusal = {
        let mut shown = base.layout.lock();
        if shown.suboffsets.is_some() {
            Some("cannot add suboffsets to PIL-style array")
        } else if shown.strides.is_none() {
            Some("cannot add suboffsets to array without strides")
        } else {
            shown.suboffsets = Some(vec![-1; shown.ndim]);
            shown.flags &= !(nd::C | nd::FORTRAN);
            None
        }
    };
    refusal.map_or(Ok(Value::NONE), |message| Err(type_error(th, message)))
}

fn view_of_copy(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let shown = layout(&a[0]);
    let own = |v: &Value| v.downcast_ref::<NdArray>().is_some_and(|n| !n.consumer);
    if this(&a[0]).consumer && !shown.owner.as_ref().is_some_and(own) {
        let message =
            "memoryview_from_buffer(): ndarray must be original exporter or consumer from ndarray/original exporter";
        return Err(type_error(th, message));
    }
    if shown.format.as_ref().is_some_and(|f| f.len() > nd::MAX_NDIM) {
        let message = format!("memoryview_from_buffer: format is limited to {} characters", nd::MAX_NDIM);
        return Err(type_error(th, message));
    }
    let mut copy = Vec::new();
    shown.export.read(&mut |all| copy.extend_from_slice(all));
    let mut b = shown.to_buffer(Value::NONE);
    b.export = Memory::new(copy);
    memoryview::new_view(th, b)
}

pub fn tolist(th: &mut Thread, v: &Value) -> PyResult<Value> {
    let shown = layout(v);
    let Some(format) = &shown.format else {
        return Err(value_error(th, "ndarray: tolist() does not support format=NULL, use tobytes()"));
    };
    let codec = Codec::new(th, &Value::str(format))?;
    let b = shown.to_buffer(Value::NONE);
    let bytes = b.to_vec();
    let mut items = Vec::new();
    for item in bytes.chunks_exact(shown.itemsize) {
        items.push(codec.unpack(th, item)?);
    }
    Ok(nested(&b.shape, &mut items.into_iter()))
}
fn nested(shape: &[usize], items: &mut dyn Iterator<Item = Value>) -> Value {
    match shape {
        [] => items.next().unwrap_or(Value::NONE),
        [n, rest @ ..] => List::new((0..*n).map(|_| nested(rest, items)).collect()).into(),
    }
}

fn array_hash(th: &mut Thread, v: &Value) -> PyResult<i64> {
    let shown = layout(v);
    if !shown.readonly {
        return Err(value_error(th, "cannot hash writable ndarray object"));
    }
    if let Some(owner) = &shown.owner {
        compare::hash(th, owner)?;
    }
    Ok(hash::bytes(&shown.to_buffer(Value::NONE).to_vec()))
}

/// An export, counted in its layout; a layout that was pushed aside goes with its last export.
struct Counted {
    inner: Arc<dyn Export>,
    array: Ref<NdArray>,
    base: Arc<Base>,
}
impl Export for Counted {
    fn read(&self, f: &mut dyn FnMut(&[u8])) {
        self.inner.read(f);
    }
    fn write(&self, f: &mut dyn FnMut(&mut [u8])) {
        self.inner.write(f);
    }
}
impl Drop for Counted {
    fn drop(&mut self) {
        if self.base.exports.fetch_sub(1, Relaxed) == 1 {
            let mut bases = self.array.bases.lock();
            let last = bases.len().saturating_sub(1);
            if let Some(i) = bases.iter().position(|b| Arc::ptr_eq(b, &self.base)).filter(|&i| i != last) {
                bases.remove(i);
            }
        }
    }
}

fn refusal(shown: &Layout, flags: u32) -> Option<&'static str> {
    let wants = |flag: u32| flags & flag == flag;
    let is = |bits: i32| shown.flags & (nd::SCALAR | bits) != 0;
    let missing = shown.shape.is_none() && wants(request::ND) || shown.strides.is_none() && wants(request::STRIDES);
    Some(if shown.ndim != 0 && missing {
        "re-exporter does not provide format, shape or strides"
    } else if shown.flags & nd::GETBUF_FAIL != 0 {
        "ND_GETBUF_FAIL: forced test exception"
    } else if wants(request::WRITABLE) && shown.readonly {
        "ndarray is not writable"
    } else if wants(request::C_CONTIGUOUS) && !is(nd::C) {
        "ndarray is not C-contiguous"
    } else if wants(request::F_CONTIGUOUS) && !is(nd::FORTRAN) {
        "ndarray is not Fortran contiguous"
    } else if wants(request::ANY_CONTIGUOUS) && !is(nd::C | nd::FORTRAN) {
        "ndarray is not contiguous"
    } else if !wants(request::INDIRECT) && shown.flags & nd::PIL != 0 {
        "ndarray cannot be represented without suboffsets"
    } else if !wants(request::STRIDES) && !is(nd::C) {
        "ndarray is not C-contiguous"
    } else if !wants(request::ND) && wants(request::FORMAT) {
        "ndarray: cannot cast to unsigned bytes if the format flag is present"
    } else {
        return None;
    })
}

fn export(th: &mut Thread, v: &Value, flags: u32) -> PyResult<Buffer> {
    let base = head(v);
    let shown = base.layout.get();
    if let Some(owner) = shown.owner.as_ref().filter(|_| shown.flags & nd::REDIRECT != 0) {
        return buffer::get_buffer(th, owner, flags);
    }
    if let Some(message) = refusal(&shown, flags) {
        return Err(buffer_error(th, message));
    }
    let mut b = shown.to_buffer(v.clone());
    base.exports.fetch_add(1, Relaxed);
    let array = v.to_ref::<NdArray>().expect("the slot belongs to ndarray");
    b.export = Arc::new(Counted { inner: shown.export, array, base });
    if flags & request::ND != request::ND {
        b.shape = vec![b.len / b.itemsize];
        b.strides = vec![b.itemsize as isize];
    }
    if flags & request::FORMAT == 0 {
        b.format = "B".into();
    }
    Ok(b)
}
