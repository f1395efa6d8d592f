//! `BytesIO`: a binary stream in memory. CPython: `Modules/_io/bytesio.c`.
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::*};

use krait_macros::{Payload, Trace};
use krait_object::buffer::{Buffer, Export};
use krait_object::builtin_types::OBJECT;
use krait_object::native::{Sig, getter, method};
use krait_object::{
    Args, Bytes, ClassDef, Dict, List, Locked, Method, PyResult, Ref, SlotDefs, Thread, Tuple, TypeObject, VTable,
    Value, type_flag,
};
use krait_runtime::errors::{buffer_error, memory_error, overflow_error, type_error, value_error};
use krait_runtime::protocol::{attr, buffer, iter, number};
use krait_runtime::types::{memoryview, object};

use super::arguments::{self, closed_file, size_or, too_large};
use super::base::{BUFFERED_IO_BASE, FLAGS, IoBase};

#[derive(Default)]
struct State {
    data: Vec<u8>,
    pos: usize,
    closed: bool,
}

#[repr(C)]
#[derive(Trace, Payload)]
#[payload(class = BYTES_IO, extends = IoBase)]
pub struct BytesIo {
    base: IoBase,
    #[trace(skip)]
    state: Locked<State>,
    /// While there are exports the data may not move.
    #[trace(skip)]
    exports: AtomicUsize,
}
static LAYOUT: VTable = VTable::of::<BytesIo>();
pub static BYTES_IO: TypeObject = TypeObject::builtin("BytesIO", Some(&BUFFERED_IO_BASE), &LAYOUT);
pub static DEF: ClassDef = ClassDef {
    module: "_io",
    doc: "Buffered I/O implementation using an in-memory bytes buffer.",
    sig: "(initial_bytes=b'')",
    methods: METHODS,
    getset: &[getter("closed", "True if the file is closed.", |_, v| Ok(Value::bool(this(v).state.lock().closed)))],
    slots: SlotDefs {
        new: Some(|_, class, _| {
            let stream = BytesIo { base: IoBase::new(), state: Locked::default(), exports: AtomicUsize::new(0) };
            Ok(Ref::with_class(stream, class.object()).into())
        }),
        init: Some(init),
        iter: Some(|th, v| {
            this(v).check_open(th)?;
            Ok(v.clone())
        }),
        next: Some(|th, v| {
            let b = this(v);
            b.check_open(th)?;
            let line = b.line(-1);
            Ok(if line.is_empty() { None } else { Some(Bytes::new(&line).into()) })
        }),
        ..SlotDefs::EMPTY
    },
    flags: FLAGS,
    ..ClassDef::new(&BYTES_IO)
};
static METHODS: &[Method] = &[
    method("readable", "()", "Returns True if the IO object can be read.", yes),
    method("seekable", "()", "Returns True if the IO object can be seeked.", yes),
    method("writable", "()", "Returns True if the IO object can be written.", yes),
    method("close", "()", "Disable all I/O operations.", |th, a| {
        let b = a.this::<BytesIo>();
        b.check_exports(th)?;
        let mut s = b.state.lock();
        s.closed = true;
        s.data = Vec::new();
        drop(s);
        Ok(Value::NONE)
    }),
    method("flush", "()", "Does nothing.", |th, a| {
        a.this::<BytesIo>().check_open(th)?;
        Ok(Value::NONE)
    }),
    method("isatty", "()", "Always returns False.", |th, a| {
        a.this::<BytesIo>().check_open(th)?;
        Ok(Value::FALSE)
    }),
    method("tell", "()", "Current file position, an integer.", |th, a| {
        let b = a.this::<BytesIo>();
        b.check_open(th)?;
        let pos = b.state.lock().pos;
        Ok(Value::from(pos))
    }),
    method("write", "(b, /)", "Write bytes to file.", |th, a| write(th, &a[0], &a[1])),
    method("writelines", "(lines, /)", "Write lines to the file.", |th, a| {
        a.this::<BytesIo>().check_open(th)?;
        let it = iter::iter(th, &a[1])?;
        while let Some(line) = iter::next(th, &it)? {
            write(th, &a[0], &line)?;
        }
        Ok(Value::NONE)
    }),
    method("read1", "(size=-1, /)", "Read at most size bytes, returned as a bytes object.", read),
    method("readinto", "(buffer, /)", "Read bytes into buffer.", readinto),
    method("readline", "(size=-1, /)", "Next line from the file, as a bytes object.", |th, a| {
        let size = size_or(th, a.opt(1), -1)?;
        let b = a.this::<BytesIo>();
        b.check_open(th)?;
        Ok(Bytes::new(&b.line(size)).into())
    }),
    method("readlines", "(size=None, /)", "List of bytes objects, each a line from the file.", readlines),
    method("read", "(size=-1, /)", "Read at most size bytes, returned as a bytes object.", read),
    method("getbuffer", "()", "Get a read-write view over the contents of the BytesIO object.", |th, a| {
        a.this::<BytesIo>().check_open(th)?;
        let exporter: Value = Ref::new(BytesIoBuffer { source: a.this_ref() }).into();
        memoryview::of(th, &exporter, krait_object::buffer::flags::FULL_RO)
    }),
    method("getvalue", "()", "Retrieve the entire contents of the BytesIO object.", |th, a| {
        let b = a.this::<BytesIo>();
        b.check_open(th)?;
        let s = b.state.lock();
        let made = Bytes::try_new(&s.data, &krait_object::builtin_types::BYTES);
        drop(s);
        made.map(Value::from).ok_or_else(|| memory_error(th))
    }),
    method("seek", "(pos, whence=0, /)", "Change stream position.", seek),
    method("truncate", "(size=None, /)", "Truncate the file to at most size bytes.", truncate),
    method("__getstate__", "()", "", getstate),
    method("__setstate__", "(object, /)", "", setstate),
    method("__sizeof__", "()", "", |_, a| {
        let held = a.this::<BytesIo>().state.lock().data.capacity();
        Ok(Value::from(a[0].class().vtable().size + held))
    }),
];

fn this(v: &Value) -> &BytesIo {
    v.downcast_ref().expect("the descriptor checked the class of self")
}
fn yes(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    a.this::<BytesIo>().check_open(th)?;
    Ok(Value::TRUE)
}

impl BytesIo {
    fn check_open(&self, th: &mut Thread) -> PyResult<()> {
        if self.state.lock().closed { Err(closed_file(th)) } else { Ok(()) }
    }
    fn check_exports(&self, th: &mut Thread) -> PyResult<()> {
        if self.exports.load(Acquire) > 0 {
            return Err(buffer_error(th, "Existing exports of data: object cannot be re-sized"));
        }
        Ok(())
    }
    fn take(&self, n: isize) -> Vec<u8> {
        let mut s = self.state.lock();
        let left = s.data.len().saturating_sub(s.pos);
        let n = usize::try_from(n).map_or(left, |n| n.min(left));
        let data = if n == 0 { Vec::new() } else { s.data[s.pos..s.pos + n].to_vec() };
        s.pos += n;
        data
    }
    fn line(&self, limit: isize) -> Vec<u8> {
        let mut s = self.state.lock();
        let rest = s.data.get(s.pos..).unwrap_or_default();
        let n = memchr::memchr(b'\n', rest).map_or(rest.len(), |i| i + 1);
        let n = usize::try_from(limit).map_or(n, |l| l.min(n));
        let line = rest[..n].to_vec();
        s.pos += n;
        line
    }
}

fn init(th: &mut Thread, v: &Value, args: &Args<'_>) -> PyResult<()> {
    static SIG: Sig = Sig::new("(initial_bytes=b'')");
    let bound = SIG.bind(th, "BytesIO", "BytesIO", args, 0)?;
    let a = bound.args();
    let b = this(v);
    b.check_exports(th)?;
    let data = match a.opt_not_none(0) {
        Some(initial) => buffer::bytes_like(th, initial)?,
        None => Vec::new(),
    };
    let mut s = b.state.lock();
    (s.data, s.pos) = (data, 0);
    Ok(())
}
fn write(th: &mut Thread, me: &Value, data: &Value) -> PyResult<Value> {
    let b = this(me);
    b.check_open(th)?;
    b.check_exports(th)?;
    if let Some(bytes) = data.downcast_ref::<Bytes>() {
        return store(th, b, bytes);
    }
    let bytes = buffer::bytes_like(th, data)?;
    // The export of the argument may have been code that closed the stream.
    b.check_open(th)?;
    b.check_exports(th)?;
    store(th, b, &bytes)
}
fn store(th: &mut Thread, b: &BytesIo, bytes: &[u8]) -> PyResult<Value> {
    if bytes.is_empty() {
        return Ok(Value::int(0));
    }
    let mut s = b.state.lock();
    let end = match s.pos.checked_add(bytes.len()).filter(|&end| end <= isize::MAX as usize) {
        Some(end) => end,
        None => {
            drop(s);
            return Err(overflow_error(th, "new buffer size too large"));
        }
    };
    let (at, len) = (s.pos, s.data.len());
    if end > len {
        if s.data.try_reserve(end - len).is_err() {
            drop(s);
            return Err(memory_error(th));
        }
        if at == len {
            s.data.extend_from_slice(bytes);
        } else {
            s.data.resize(end, 0);
            s.data[at..end].copy_from_slice(bytes);
        }
    } else {
        s.data[at..end].copy_from_slice(bytes);
    }
    s.pos = end;
    drop(s);
    Ok(Value::from(bytes.len()))
}
fn read(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let size = size_or(th, a.opt(1), -1)?;
    let b = a.this::<BytesIo>();
    b.check_open(th)?;
    Ok(Bytes::new(&b.take(size)).into())
}
fn readinto(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let target = arguments::writable(th, &a[1], "readinto")?;
    let b = a.this::<BytesIo>();
    b.check_open(th)?;
    // The target may be a view of this stream: its memory is copied out first.
    let data = b.take(target.len as isize);
    target.with_bytes_mut(|to| {
        let n = to.len().min(data.len());
        to[..n].copy_from_slice(&data[..n]);
    });
    Ok(Value::from(data.len()))
}
fn readlines(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let limit = size_or(th, a.opt(1), -1)?;
    let b = a.this::<BytesIo>();
    b.check_open(th)?;
    let (mut lines, mut total) = (Vec::new(), 0);
    loop {
        let line = b.line(-1);
        if line.is_empty() {
            break;
        }
        total += line.len() as isize;
        lines.push(Bytes::new(&line).into());
        if limit > 0 && total >= limit {
            break;
        }
    }
    Ok(List::new(lines).into())
}
fn seek(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let pos = number::to_isize(th, &a[1])?;
    let whence = arguments::whence(th, a.opt(2))?;
    let b = a.this::<BytesIo>();
    b.check_open(th)?;
    if pos < 0 && whence == 0 {
        return Err(value_error(th, format!("negative seek value {pos}")));
    }
    let base = match whence {
        0 => 0,
        1 => b.state.lock().pos,
        2 => b.state.lock().data.len(),
        _ => return Err(value_error(th, format!("invalid whence ({whence}, should be 0, 1 or 2)"))),
    };
    match (base as isize).checked_add(pos) {
        Some(at) => {
            let at = at.max(0) as usize;
            b.state.lock().pos = at;
            Ok(Value::from(at))
        }
        None => Err(too_large(th)),
    }
}
fn truncate(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let b = a.this::<BytesIo>();
    let size = size_or(th, a.opt(1), -1);
    b.check_open(th)?;
    b.check_exports(th)?;
    let size = match a.opt_not_none(1) {
        None => b.state.lock().pos as isize,
        Some(_) => size?,
    };
    if size < 0 {
        return Err(value_error(th, format!("negative size value {size}")));
    }
    let mut s = b.state.lock();
    s.data.truncate(size as usize);
    if s.data.len() < s.data.capacity() / 2 {
        s.data.shrink_to_fit();
    }
    drop(s);
    Ok(Value::from(size as i64))
}
fn getstate(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let value = attr::call_method(th, &a[0], "getvalue", &[])?;
    let b = a.this::<BytesIo>();
    let pos = b.state.lock().pos;
    let dict = match b.base.dict().and_then(|d| d.downcast::<Dict>().ok()) {
        Some(d) => Value::from(d.copy()),
        None => Value::NONE,
    };
    Ok(Tuple::of([value, Value::from(pos), dict]).into())
}
/// The third item of a state: attributes of the instance.
pub fn restore_dict(th: &mut Thread, v: &Value, state: &Value, which: &str) -> PyResult<()> {
    if state.is_none() {
        return Ok(());
    }
    let Some(new) = state.to_ref::<Dict>() else {
        let class = state.class().name();
        return Err(type_error(th, format!("{which} item of state should be a dict, got a {class}")));
    };
    if let Some(dict) = object::instance_dict(v) {
        for (key, value) in new.items() {
            dict.set(th, key, value)?;
        }
    }
    Ok(())
}
/// The position in a state.
pub fn state_position(th: &mut Thread, v: &Value, which: &str) -> PyResult<usize> {
    if v.as_int_ref().is_none() {
        let class = v.class().name();
        return Err(type_error(th, format!("{which} item of state must be an integer, got {class}")));
    }
    let pos = number::to_isize(th, v)?;
    usize::try_from(pos).map_err(|_| value_error(th, "position value cannot be negative"))
}
fn setstate(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let state = a[1].to_ref::<Tuple>().filter(|t| t.len() >= 3);
    let Some(state) = state else {
        let (class, given) = (arguments::type_name(&a[0]), a[1].class().name());
        return Err(type_error(th, format!("{class}.__setstate__ argument should be 3-tuple, got {given}")));
    };
    let b = a.this::<BytesIo>();
    b.check_exports(th)?;
    {
        let mut s = b.state.lock();
        (s.data, s.pos) = (Vec::new(), 0);
    }
    write(th, &a[0], &state[0])?;
    let pos = state_position(th, &state[1], "second")?;
    b.state.lock().pos = pos;
    restore_dict(th, &a[0], &state[2], "third")?;
    Ok(Value::NONE)
}

/// What `getbuffer` hands out: it holds the stream's data in place.
#[derive(Trace, Payload)]
#[payload(class = BYTES_IO_BUFFER)]
pub struct BytesIoBuffer {
    source: Ref<BytesIo>,
}
static BUFFER_LAYOUT: VTable = VTable::of::<BytesIoBuffer>();
pub static BYTES_IO_BUFFER: TypeObject = TypeObject::builtin("_BytesIOBuffer", Some(&OBJECT), &BUFFER_LAYOUT);
pub static BUFFER_DEF: ClassDef = ClassDef {
    module: "_io",
    slots: SlotDefs {
        buffer: Some(|th, v, _| {
            let Some(b) = v.downcast_ref::<BytesIoBuffer>() else {
                return Err(type_error(th, "not a _BytesIOBuffer"));
            };
            let export = BytesIoExport::new(b.source.clone());
            let len = b.source.state.lock().data.len();
            Ok(Buffer::bytes(v.clone(), Arc::new(export), len, false))
        }),
        ..SlotDefs::EMPTY
    },
    flags: type_flag::DISALLOW_INSTANTIATION | type_flag::HAVE_GC,
    ..ClassDef::new(&BYTES_IO_BUFFER)
};
struct BytesIoExport(Ref<BytesIo>);
impl BytesIoExport {
    fn new(source: Ref<BytesIo>) -> BytesIoExport {
        source.exports.fetch_add(1, AcqRel);
        BytesIoExport(source)
    }
}
impl Drop for BytesIoExport {
    fn drop(&mut self) {
        self.0.exports.fetch_sub(1, AcqRel);
    }
}
impl Export for BytesIoExport {
    fn read(&self, f: &mut dyn FnMut(&[u8])) {
        f(&self.0.state.lock().data);
    }
    fn write(&self, f: &mut dyn FnMut(&mut [u8])) {
        f(&mut self.0.state.lock().data);
    }
}
