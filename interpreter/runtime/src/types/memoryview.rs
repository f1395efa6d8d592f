//! `memoryview`: a window on another object's buffer. Items are packed and unpacked in `format`, subscripts are in `access`,
//! casts in `cast`, comparison in `equality`, the iterator in `iterator`. CPython: `Objects/memoryobject.c`.
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};

use krait_macros::{Payload, Trace};
use krait_object::buffer::{Buffer, Export, flags};
use krait_object::builtin_types::OBJECT;
use krait_object::native::{Sig, class_method, getter, method};
use krait_object::trace::{Trace as _, Tracer};
use krait_object::{
    Args, Bytes, ClassDef, GetSet, Locked, Method, PyResult, Ref, SlotDefs, Str, Thread, Tuple, Type, TypeObject,
    VTable, Value, ValueCell, hash, type_flag,
};

use crate::errors::{buffer_error, memory_error, type_error, value_error};
use crate::protocol::{buffer, compare, number};

mod access;
mod cast;
mod equality;
mod format;
mod hex;
pub mod iterator;
mod managed;
mod release;

pub use release::{release_view, with_release};

#[derive(Trace, Payload)]
#[payload(class = MEMORYVIEW)]
pub struct MemoryView {
    /// The exporter, for the collector; the export below holds it too. Empty after `release()`.
    owner: ValueCell,
    window: Locked<Option<Arc<Buffer>>>,
    /// Buffers that this view has exported in turn.
    exports: AtomicUsize,
    /// While a Python class's `__release_buffer__` looks at the view, no further views can be had of it.
    restricted: AtomicBool,
    hash: Locked<Option<i64>>,
}
static LAYOUT: VTable = VTable::of::<MemoryView>();
pub static MEMORYVIEW: TypeObject = TypeObject::builtin("memoryview", Some(&OBJECT), &LAYOUT);

pub static DEFS: &[&ClassDef] = &[&DEF, &managed::DEF, &iterator::DEF];
pub static DEF: ClassDef = ClassDef {
    doc: "Create a new memoryview object which references the given object.",
    sig: "(object)",
    methods: METHODS,
    getset: GETSET,
    slots: SlotDefs {
        new: Some(new),
        repr: Some(repr),
        hash: Some(view_hash),
        compare: Some(equality::richcompare),
        iter: Some(iterator::iter),
        buffer: Some(export),
        release_buffer: Some(release_view),
        sq_len: Some(len),
        mp_len: Some(len),
        sq_item: Some(access::item),
        subscript: Some(access::subscript),
        set_subscript: Some(access::set_subscript),
        ..SlotDefs::EMPTY
    },
    flags: type_flag::SEQUENCE | type_flag::WEAKREF | type_flag::HAVE_GC,
    ..ClassDef::new(&MEMORYVIEW)
};

static METHODS: &[Method] = &[
    method("release", "()", "Release the underlying buffer exposed by the memoryview object.", |th, a| {
        release(th, &a[0])?;
        Ok(Value::NONE)
    }),
    method(
        "tobytes",
        "(order='C')",
        "Return the data in the buffer as a byte string.\n\nOrder can be 'C' (row by row), 'F' (column by column) or 'A' (as 'F' if the data\nlies so in memory, else as 'C').",
        tobytes,
    ),
    method(
        "hex",
        "(sep=<unrepresentable>, bytes_per_sep=1)",
        "Return the data in the buffer as a str of hexadecimal numbers.\n\n  sep\n    An optional single character or byte to separate hex bytes.\n  bytes_per_sep\n    How many bytes between separators.  Positive values count from the\n    right, negative values count from the left.\n\n    >>> memoryview(b'krait').hex('-', 2)\n    '6b-7261-6974'",
        hex::hex_method,
    ),
    method("tolist", "()", "Return the data in the buffer as a list of elements.", access::tolist),
    method("cast", "(format, shape=<unrepresentable>)", "Cast a memoryview to a new format or shape.", cast::cast),
    method("toreadonly", "()", "Return a readonly version of the memoryview.", toreadonly),
    class_method(
        "_from_flags",
        "(object, flags)",
        "Create a new memoryview object which references the given object.",
        from_flags,
    ),
    method("__enter__", "()", "Release the underlying buffer exposed by the memoryview object.", |th, a| {
        window(th, &a[0])?;
        Ok(a[0].clone())
    }),
    method("__exit__", "(*exc_info)", "Release the underlying buffer exposed by the memoryview object.", |th, a| {
        release(th, &a[0])?;
        Ok(Value::NONE)
    }),
];

static GETSET: &[GetSet] = &[
    getter("obj", "The underlying object of the memoryview.", |th, v| Ok(window(th, v)?.owner.clone())),
    getter(
        "nbytes",
        "The amount of space in bytes that the array would use in a contiguous representation.",
        |th, v| Ok(window(th, v)?.len.into()),
    ),
    getter("readonly", "A bool indicating whether the memory is read only.", |th, v| {
        Ok(window(th, v)?.readonly.into())
    }),
    getter("itemsize", "The size in bytes of each element of the memoryview.", |th, v| {
        Ok(window(th, v)?.itemsize.into())
    }),
    getter("format", "The format (in struct module style) of each element in the view.", |th, v| {
        Ok(Value::str(&window(th, v)?.format))
    }),
    getter("ndim", "An integer indicating how many dimensions the memory represents.", |th, v| {
        Ok(window(th, v)?.shape.len().into())
    }),
    getter("shape", "A tuple of ndim integers giving the shape of the memory as an N-dimensional array.", |th, v| {
        Ok(Tuple::from_vec(window(th, v)?.shape.iter().map(|&n| n.into()).collect()).into())
    }),
    getter(
        "strides",
        "A tuple of ndim integers giving the distance in bytes between elements per dimension.",
        |th, v| Ok(Tuple::from_vec(window(th, v)?.strides.iter().map(|&n| Value::int(n as i64)).collect()).into()),
    ),
    getter("suboffsets", "A tuple of integers used internally for PIL-style arrays.", |th, v| {
        Ok(Tuple::from_vec(window(th, v)?.suboffsets.iter().map(|&n| Value::int(n as i64)).collect()).into())
    }),
    getter("c_contiguous", "A bool indicating whether the memory is C contiguous.", |th, v| {
        Ok(window(th, v)?.is_c_contiguous().into())
    }),
    getter("f_contiguous", "A bool indicating whether the memory is Fortran contiguous.", |th, v| {
        Ok(window(th, v)?.is_f_contiguous().into())
    }),
    getter("contiguous", "A bool indicating whether the memory is contiguous.", |th, v| {
        let w = window(th, v)?;
        Ok((w.is_c_contiguous() || w.is_f_contiguous()).into())
    }),
];

fn this(v: &Value) -> &MemoryView {
    v.downcast_ref().expect("the slot belongs to memoryview")
}

/// The memory that a view shows; ValueError after `release()`.
fn window(th: &mut Thread, v: &Value) -> PyResult<Arc<Buffer>> {
    let held = this(v).window.lock().clone();
    held.ok_or_else(|| value_error(th, "operation forbidden on released memoryview object"))
}

/// A view of an export.
pub fn from_buffer(window: Buffer) -> Value {
    let owner = ValueCell::new(Some(window.owner.clone()));
    let window = managed::manage(window);
    let payload = MemoryView {
        owner,
        window: Locked::new(Some(Arc::new(window))),
        exports: AtomicUsize::new(0),
        restricted: AtomicBool::new(false),
        hash: Locked::new(None),
    };
    Ref::new(payload).into()
}

/// The most dimensions that a view has.
const MAX_DIMENSIONS: usize = 64;

/// A view of an export of any shape; ValueError where it has too many dimensions.
pub fn new_view(th: &mut Thread, window: Buffer) -> PyResult<Value> {
    if window.shape.len() > MAX_DIMENSIONS {
        let message = format!("memoryview: number of dimensions must not exceed {MAX_DIMENSIONS}");
        return Err(value_error(th, message));
    }
    Ok(from_buffer(window))
}

/// As [`window`], for what makes further views of it.
fn open_window(th: &mut Thread, v: &Value) -> PyResult<Arc<Buffer>> {
    if this(v).restricted.load(Relaxed) {
        return Err(value_error(th, "cannot create new view on restricted memoryview"));
    }
    window(th, v)
}
/// Another description of the same memory.
fn reshaped(b: &Buffer) -> Buffer {
    Buffer {
        owner: b.owner.clone(),
        export: b.export.share().unwrap_or_else(|| b.export.clone()),
        format: b.format.clone(),
        itemsize: b.itemsize,
        shape: b.shape.clone(),
        strides: b.strides.clone(),
        suboffsets: b.suboffsets.clone(),
        offset: b.offset,
        len: b.len,
        readonly: b.readonly,
    }
}

/// `memoryview(object)`. A view of a view shares the first one's export.
pub fn of(th: &mut Thread, object: &Value, request: u32) -> PyResult<Value> {
    if object.downcast_ref::<MemoryView>().is_some() {
        let shared = reshaped(&*open_window(th, object)?);
        return Ok(from_buffer(shared));
    }
    if !buffer::has_buffer(object) {
        let message = format!("memoryview: a bytes-like object is required, not '{}'", object.class().name());
        return Err(type_error(th, message));
    }
    let exported = buffer::get_buffer(th, object, request)?;
    if request & flags::WRITABLE != 0 && exported.readonly {
        return Err(buffer_error(th, "Object is not writable."));
    }
    new_view(th, exported)
}

fn new(th: &mut Thread, _cls: &Ref<Type>, args: &Args<'_>) -> PyResult<Value> {
    static SIG: Sig = Sig::new("(object)");
    let b = SIG.bind(th, "memoryview", "memoryview", args, 0)?;
    of(th, &b.args()[0], flags::FULL_RO)
}

fn from_flags(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let request = number::to_i32(th, &a[2])? as u32;
    of(th, &a[1], request)
}

fn release(th: &mut Thread, v: &Value) -> PyResult<()> {
    let m = this(v);
    let n = m.exports.load(Relaxed);
    if n > 0 {
        let s = if n == 1 { "" } else { "s" };
        return Err(buffer_error(th, format!("memoryview has {n} exported buffer{s}")));
    }
    let gone = m.window.lock().take();
    drop(gone);
    m.owner.set(None);
    Ok(())
}

fn repr(_: &mut Thread, v: &Value) -> PyResult<Value> {
    let kind = if this(v).window.lock().is_some() { "memory" } else { "released memory" };
    Ok(Value::str(&format!("<{kind} at {:#x}>", v.bits())))
}

fn len(th: &mut Thread, v: &Value) -> PyResult<usize> {
    match window(th, v)?.shape.first() {
        Some(&n) => Ok(n),
        None => Err(type_error(th, "0-dim memory has no length")),
    }
}

fn view_hash(th: &mut Thread, v: &Value) -> PyResult<i64> {
    if let Some(h) = *this(v).hash.lock() {
        return Ok(h);
    }
    let w = window(th, v)?;
    if !w.readonly {
        return Err(value_error(th, "cannot hash writable memoryview object"));
    }
    if !matches!(format::native(&w.format), Some(b'B' | b'b' | b'c')) {
        return Err(value_error(th, "memoryview: hashing is restricted to formats 'B', 'b' or 'c'"));
    }
    // The exporter must be hashable, although the value is that of the bytes.
    compare::hash(th, &w.owner)?;
    let h = hash::bytes(&w.to_vec());
    *this(v).hash.lock() = Some(h);
    Ok(h)
}

fn toreadonly(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let mut shared = reshaped(&*open_window(th, &a[0])?);
    shared.readonly = true;
    Ok(from_buffer(shared))
}

/// The bytes in column-major order.
pub fn fortran_bytes(b: &Buffer) -> Vec<u8> {
    let rows = b.to_vec();
    let mut places = vec![0usize];
    let mut stride = b.itemsize;
    // The last dimension varies slowest: each longer prefix of the places is repeated behind itself.
    let mut strides = vec![0; b.shape.len()];
    for (dim, &n) in b.shape.iter().enumerate().rev() {
        strides[dim] = stride;
        stride *= n;
    }
    for (&n, stride) in b.shape.iter().zip(strides) {
        places = (0..n).flat_map(|i| places.iter().map(move |p| p + i * stride)).collect();
    }
    places.iter().flat_map(|&at| rows.get(at..at + b.itemsize).unwrap_or_default()).copied().collect()
}

fn tobytes(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let w = window(th, &a[0])?;
    let order = match a.opt_not_none(1) {
        None => "C".into(),
        Some(v) => crate::convert::expect_text(th, v, "tobytes", "argument 'order'")?,
    };
    let bytes = match order.as_str() {
        "C" => w.to_vec(),
        "A" if w.is_c_contiguous() || !w.is_f_contiguous() => w.to_vec(),
        "A" | "F" => fortran_bytes(&w),
        _ => return Err(value_error(th, "order must be 'C', 'F' or 'A'")),
    };
    Ok(Bytes::new(&bytes).into())
}

/// What a view exports itself: its memory, counted, so that the view cannot be released meanwhile.
struct ViewExport {
    inner: Arc<dyn Export>,
    view: Ref<MemoryView>,
}
impl Export for ViewExport {
    fn read(&self, f: &mut dyn FnMut(&[u8])) {
        self.inner.read(f);
    }
    fn write(&self, f: &mut dyn FnMut(&mut [u8])) {
        self.inner.write(f);
    }
    fn trace(&self, tracer: &mut Tracer<'_>) {
        self.inner.trace(tracer);
        self.view.trace(tracer);
    }
}
impl Drop for ViewExport {
    fn drop(&mut self) {
        self.view.exports.fetch_sub(1, Relaxed);
    }
}

fn export(th: &mut Thread, v: &Value, request: u32) -> PyResult<Buffer> {
    let w = open_window(th, v)?;
    let wants = |flag: u32| request & flag == flag;
    let (c, f) = (w.is_c_contiguous(), w.is_f_contiguous());
    let refusal = if wants(flags::WRITABLE) && w.readonly {
        Some("memoryview: underlying buffer is not writable")
    } else if wants(flags::C_CONTIGUOUS) && !c {
        Some("memoryview: underlying buffer is not C-contiguous")
    } else if wants(flags::F_CONTIGUOUS) && !f {
        Some("memoryview: underlying buffer is not Fortran contiguous")
    } else if wants(flags::ANY_CONTIGUOUS) && !c && !f {
        Some("memoryview: underlying buffer is not contiguous")
    } else if !wants(flags::INDIRECT) && !w.suboffsets.is_empty() {
        Some("memoryview: underlying buffer requires suboffsets")
    } else if !wants(flags::STRIDES) && !c {
        Some("memoryview: underlying buffer is not C-contiguous")
    } else if !wants(flags::ND) && wants(flags::FORMAT) {
        Some("memoryview: cannot cast to unsigned bytes if the format flag is present")
    } else {
        None
    };
    if let Some(message) = refusal {
        return Err(buffer_error(th, message));
    }
    let view = v.to_ref::<MemoryView>().expect("the slot belongs to memoryview");
    view.exports.fetch_add(1, Relaxed);
    let mut b = reshaped(&w);
    b.owner = v.clone();
    let inner = w.export.share().unwrap_or_else(|| w.export.clone());
    b.export = Arc::new(ViewExport { inner, view });
    if !wants(flags::ND) {
        b.shape = vec![b.len / b.itemsize.max(1)];
        b.strides = vec![b.itemsize as isize];
    }
    if !wants(flags::FORMAT) {
        b.format = "B".into();
    }
    Ok(b)
}

/// The buffer that a Python class's `__buffer__` returned as `view`.
pub fn to_buffer(th: &mut Thread, owner: &Value, view: &Value, request: u32) -> PyResult<Buffer> {
    if view.downcast_ref::<MemoryView>().is_none() {
        return Err(type_error(th, "__buffer__ returned non-memoryview object"));
    }
    let exported = export(th, view, request)?;
    // A view of the object's own memory tells its class of the release by itself.
    let own = window(th, view)?.owner.is(owner);
    Ok(match release::is_python(owner) && !own {
        true => release::notifying(exported, owner, view),
        false => exported,
    })
}

/// What `__buffer__` of a builtin returns: a view, of whose release a Python subclass hears.
pub fn of_exported(th: &mut Thread, owner: &Value, exported: Buffer, request: u32) -> PyResult<Value> {
    let exported = match release::is_python(owner) {
        true => with_release(th, owner, exported, request)?,
        false => exported,
    };
    new_view(th, exported)
}

/// Room for `n` values, or MemoryError.
fn room(th: &mut Thread, n: usize) -> PyResult<Vec<Value>> {
    let mut out = Vec::new();
    match out.try_reserve_exact(n) {
        Ok(()) => Ok(out),
        Err(_) => Err(memory_error(th)),
    }
}

/// A `str` that is an exact format or order argument.
fn ascii_format(th: &mut Thread, v: &Value) -> PyResult<String> {
    match v.downcast_ref::<Str>().map(|s| s.as_ascii().map(str::to_owned)) {
        Some(Some(text)) => Ok(text),
        Some(None) => Err(value_error(th, "memoryview: format argument must be ASCII")),
        None => Err(crate::convert::wrong_type(th, "cast", "argument 'format'", "str", v)),
    }
}
