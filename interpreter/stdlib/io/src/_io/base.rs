//! The abstract classes `_IOBase`, `_RawIOBase`, `_BufferedIOBase`, `_TextIOBase`. CPython: `Modules/_io/iobase.c`.
use krait_macros::{Payload, Trace};
use krait_object::builtin_types::OBJECT;
use krait_object::native::{getset, getter, method};
use krait_object::{
    Args, Bytes, ClassDef, GetSet, List, Method, PyResult, Ref, SlotDefs, Thread, Type, TypeObject, VTable, Value,
    ValueCell, type_flag,
};
use krait_runtime::errors::{self, raise, type_error, value_error};
use krait_runtime::exceptions::{NOT_IMPLEMENTED_ERROR, OS_ERROR};
use krait_runtime::protocol::{attr, call, compare, iter, sequence};
use krait_runtime::types::bytearray::ByteArray;
use krait_runtime::types::{object, type_};

use super::arguments::{self, forget, retry_interrupted, size_or, unsupported};
use super::{DEFAULT_BUFFER_SIZE, bytesio, stringio};

/// First field of every payload of the module.
#[derive(Trace, Payload)]
#[payload(class = IO_BASE)]
pub struct IoBase {
    /// `__dict__`, made on first use.
    dict: ValueCell,
}
impl IoBase {
    pub fn new() -> IoBase {
        IoBase { dict: ValueCell::empty() }
    }
    /// Whether the instance itself has an attribute of that name.
    pub fn has_own(&self, name: &str) -> bool {
        let dict = self.dict.get().and_then(|d| d.downcast::<krait_object::Dict>().ok());
        dict.is_some_and(|d| d.get_text(name).is_some())
    }
    /// The `__dict__`, if it was ever needed.
    pub fn dict(&self) -> Option<Value> {
        self.dict.get()
    }
}

static LAYOUT: VTable = VTable::of::<IoBase>();
pub static IO_BASE: TypeObject = TypeObject::builtin("_IOBase", Some(&OBJECT), &LAYOUT);
pub static RAW_IO_BASE: TypeObject = TypeObject::builtin_like("_RawIOBase", &IO_BASE);
pub static BUFFERED_IO_BASE: TypeObject = TypeObject::builtin_like("_BufferedIOBase", &IO_BASE);
pub static TEXT_IO_BASE: TypeObject = TypeObject::builtin_like("_TextIOBase", &IO_BASE);

/// Flags of all classes of the module.
pub const FLAGS: u32 = type_flag::BASE | type_flag::WEAKREF | type_flag::HAVE_GC;

pub static DEF: ClassDef = ClassDef {
    module: "_io",
    doc: "The base of all I/O classes.\n\nIts methods stand for a stream that can be neither read, written nor moved in; \
          subclasses override what\nthey support, and raise UnsupportedOperation for the rest. Binary streams work with \
          bytes, text streams with\nstr. Calling a method of a closed stream raises ValueError. Iterating yields lines, \
          and the stream is a\ncontext manager that closes itself.",
    methods: METHODS,
    getset: GETSET,
    slots: SlotDefs {
        new: Some(new),
        iter: Some(|th, v| {
            arguments::check_closed(th, v)?;
            Ok(v.clone())
        }),
        next: Some(next),
        finalize: Some(finalize),
        ..SlotDefs::EMPTY
    },
    flags: FLAGS,
    dict_cell: Some(|v| v.downcast_ref::<IoBase>().map(|b| &b.dict)),
    sig: "()",
    ..ClassDef::new(&IO_BASE)
};
static METHODS: &[Method] = &[
    method(
        "seek",
        "(offset, whence=os.SEEK_SET, /)",
        "Change the stream position to the given byte offset.",
        |th, _| Err(unsupported(th, "seek")),
    )
    .raw(),
    method("tell", "()", "Return current stream position.", |th, a| {
        attr::call_method(th, &a[0], "seek", &[Value::int(0), Value::int(1)])
    }),
    method("truncate", "(size=None, /)", "Truncate file to size bytes.", |th, _| Err(unsupported(th, "truncate")))
        .raw(),
    method("flush", "()", "Flush write buffers, if applicable.", flush),
    method("close", "()", "Flush and close the IO object.", close),
    method("seekable", "()", "Return whether object supports random access.", |_, _| Ok(Value::FALSE)),
    method("readable", "()", "Return whether object was opened for reading.", |_, _| Ok(Value::FALSE)),
    method("writable", "()", "Return whether object was opened for writing.", |_, _| Ok(Value::FALSE)),
    method("_checkClosed", "()", "", |th, a| arguments::check_closed(th, &a.pos()[0]).map(Value::from)).raw(),
    method("_checkSeekable", "()", "", |th, a| arguments::check_seekable(th, &a.pos()[0])).raw(),
    method("_checkReadable", "()", "", |th, a| arguments::check_readable(th, &a.pos()[0])).raw(),
    method("_checkWritable", "()", "", |th, a| arguments::check_writable(th, &a.pos()[0])).raw(),
    method("fileno", "()", "Return underlying file descriptor if one exists.", |th, _| Err(unsupported(th, "fileno"))),
    method("isatty", "()", "Return whether this is an 'interactive' stream.", |th, a| {
        arguments::check_closed(th, &a[0])?;
        Ok(Value::FALSE)
    }),
    method("__enter__", "()", "", |th, a| {
        arguments::check_closed(th, &a[0])?;
        Ok(a[0].clone())
    }),
    method("__exit__", "", "", |th, a| attr::call_method(th, &a.pos()[0], "close", &[])),
    method("readline", "(size=-1, /)", "Read and return a line from the stream.", readline),
    method("readlines", "(hint=-1, /)", "Return a list of lines from the stream.", readlines),
    method("writelines", "(lines, /)", "Write a list of lines to stream.", writelines),
];
static GETSET: &[GetSet] = &[
    getset(
        "__dict__",
        "",
        |_, v| Ok(object::instance_dict(v).map(Value::from).into()),
        |th, v, new| {
            let Some(dict) = new.filter(|d| d.downcast_ref::<krait_object::Dict>().is_some()) else {
                return Err(type_error(th, "__dict__ must be set to a dictionary"));
            };
            if let Some(base) = v.downcast_ref::<IoBase>() {
                base.dict.set(Some(dict.clone()));
            }
            Ok(())
        },
    ),
    getter("closed", "", |th, v| is_closed(th, v).map(Value::bool)),
];

fn new(th: &mut Thread, class: &Ref<Type>, args: &Args<'_>) -> PyResult<Value> {
    check_new(th, class, args)?;
    Ok(Ref::with_class(IoBase::new(), class.object()).into())
}
/// What `object.__new__` checks.
fn check_new(th: &mut Thread, class: &Ref<Type>, args: &Args<'_>) -> PyResult<()> {
    if !args.is_empty() && !type_::is_overridden(class, "__init__") {
        let name = if class.is_static() { format!("_io.{}", class.name()) } else { class.name().to_string() };
        return Err(type_error(th, format!("{name}() takes no arguments")));
    }
    type_::check_abstract(th, class)
}

/// The base class's own flag, in the instance's dict.
fn is_closed(th: &mut Thread, v: &Value) -> PyResult<bool> {
    Ok(attr::get_text_opt(th, v, "__IOBase_closed")?.is_some())
}
fn flush(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    if is_closed(th, &a[0])? { Err(arguments::closed_file(th)) } else { Ok(Value::NONE) }
}
fn close(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    close_base(th, &a[0])
}
/// `_IOBase.close(v)`.
pub fn close_base(th: &mut Thread, v: &Value) -> PyResult<Value> {
    if is_closed(th, v)? {
        return Ok(Value::NONE);
    }
    let flushed = attr::call_method(th, v, "flush", &[]);
    arguments::chain(th, flushed, |th| {
        attr::set_text(th, v, "__IOBase_closed", &Value::TRUE)?;
        Ok(Value::NONE)
    })
}
/// Closes what was not closed. Streams in memory have nothing to close.
fn finalize(th: &mut Thread, v: &Value) {
    if v.is_exact(&bytesio::BYTES_IO) || v.is_exact(&stringio::STRING_IO) {
        return;
    }
    let closed = attr::get_text_opt(th, v, "closed").and_then(|closed| match closed {
        Some(closed) => compare::truth(th, &closed),
        None => Ok(true),
    });
    match closed {
        Ok(false) => {}
        Ok(true) => return,
        Err(raised) => return forget(th, raised),
    }
    if let Err(raised) = attr::set_text(th, v, "_finalizing", &Value::TRUE) {
        forget(th, raised);
    }
    if attr::call_method(th, v, "close", &[]).is_err() {
        errors::write_unraisable(th, Some(v));
    }
}
fn next(th: &mut Thread, v: &Value) -> PyResult<Option<Value>> {
    let line = attr::call_method(th, v, "readline", &[])?;
    Ok(if sequence::len(th, &line)? == 0 { None } else { Some(line) })
}
fn bytes_expected(th: &mut Thread, function: &str, v: &Value) -> krait_object::Raised {
    let class = v.class().name();
    raise(th, &OS_ERROR, format!("{function}() should have returned a bytes object, not '{class}'"))
}
fn readline(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let limit = size_or(th, a.opt(1), -1)?;
    let peek = attr::get_text_opt(th, &a[0], "peek")?;
    let mut line: Vec<u8> = Vec::new();
    while limit < 0 || (line.len() as isize) < limit {
        let mut wanted = 1;
        if let Some(peek) = &peek {
            let ahead = match call::call(th, peek, &[Value::int(1)]) {
                Ok(ahead) => ahead,
                Err(raised) => {
                    retry_interrupted(th, raised)?;
                    continue;
                }
            };
            let Some(ahead) = ahead.downcast_ref::<Bytes>() else { return Err(bytes_expected(th, "peek", &ahead)) };
            if !ahead.is_empty() {
                let end = ahead.iter().position(|&b| b == b'\n').map_or(ahead.len(), |i| i + 1);
                wanted = if limit >= 0 { end.min(limit as usize) } else { end };
            }
        }
        let data = match attr::call_method(th, &a[0], "read", &[Value::from(wanted)]) {
            Ok(data) => data,
            Err(raised) => {
                retry_interrupted(th, raised)?;
                continue;
            }
        };
        let Some(data) = data.downcast_ref::<Bytes>() else { return Err(bytes_expected(th, "read", &data)) };
        if data.is_empty() {
            break;
        }
        line.extend_from_slice(data);
        if line.last() == Some(&b'\n') {
            break;
        }
    }
    Ok(Bytes::new(&line).into())
}
fn readlines(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let hint = size_or(th, a.opt(1), -1)?;
    let mut lines = Vec::new();
    let mut total = 0usize;
    let it = iter::iter(th, &a[0])?;
    while let Some(line) = iter::next(th, &it)? {
        if hint > 0 {
            total += sequence::len(th, &line)?;
        }
        lines.push(line);
        if hint > 0 && total > hint as usize {
            break;
        }
    }
    Ok(List::new(lines).into())
}
fn writelines(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    arguments::check_closed(th, &a[0])?;
    let it = iter::iter(th, &a[1])?;
    while let Some(line) = iter::next(th, &it)? {
        while let Err(raised) = attr::call_method(th, &a[0], "write", std::slice::from_ref(&line)) {
            retry_interrupted(th, raised)?;
        }
    }
    Ok(Value::NONE)
}

pub static RAW_DEF: ClassDef = ClassDef {
    module: "_io",
    doc: "Base class for raw binary I/O.",
    methods: &[
        method("read", "(size=-1, /)", "", raw_read),
        method("readall", "()", "Read until EOF, using multiple read() call.", raw_readall),
        method("readinto", "", "", |th, _| Err(errors::raise_args(th, &NOT_IMPLEMENTED_ERROR, Vec::new()))),
        method("write", "", "", |th, _| Err(errors::raise_args(th, &NOT_IMPLEMENTED_ERROR, Vec::new()))),
    ],
    flags: FLAGS,
    sig: "()",
    ..ClassDef::new(&RAW_IO_BASE)
};
fn raw_read(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let n = arguments::size(th, a.opt(1), -1)?;
    if n < 0 {
        return attr::call_method(th, &a[0], "readall", &[]);
    }
    let mut data = Vec::new();
    if data.try_reserve_exact(n as usize).is_err() {
        return Err(errors::memory_error(th));
    }
    data.resize(n as usize, 0);
    let array = ByteArray::create(data);
    let got = attr::call_method(th, &a[0], "readinto", &[array.to_value()])?;
    if got.is_none() {
        return Ok(got);
    }
    let got = arguments::offset(th, &got)?;
    let held = array.lock().clone();
    match usize::try_from(got).ok().and_then(|n| held.get(..n)) {
        Some(data) => Ok(Bytes::new(data).into()),
        None => Err(value_error(th, format!("readinto returned {got} outside buffer size {n}"))),
    }
}
fn raw_readall(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let mut all: Vec<u8> = Vec::new();
    let mut any = false;
    loop {
        let data = match attr::call_method(th, &a[0], "read", &[Value::int(DEFAULT_BUFFER_SIZE as i64)]) {
            Ok(data) => data,
            Err(raised) => {
                retry_interrupted(th, raised)?;
                continue;
            }
        };
        if data.is_none() {
            if !any {
                return Ok(data);
            }
            break;
        }
        let Some(data) = data.downcast_ref::<Bytes>() else {
            return Err(type_error(th, "read() should return bytes"));
        };
        if data.is_empty() {
            break;
        }
        any = true;
        all.extend_from_slice(data);
    }
    Ok(Bytes::new(&all).into())
}

pub static BUFFERED_DEF: ClassDef = ClassDef {
    module: "_io",
    doc: "Base class for buffered IO objects.\n\nUnlike a raw stream, read() without a size reads all, and both read() and \
          write() raise BlockingIOError\nwhere a stream in non-blocking mode is not ready.",
    methods: &[
        method("detach", "()", "Disconnect this buffer from its underlying raw stream and return it.", |th, _| {
            Err(unsupported(th, "detach"))
        }),
        method("read", "(size=-1, /)", "Read and return up to n bytes.", |th, _| Err(unsupported(th, "read"))).raw(),
        method("read1", "(size=-1, /)", "Read and return up to size bytes, with at most one read call.", |th, _| {
            Err(unsupported(th, "read1"))
        })
        .raw(),
        method("readinto", "(buffer, /)", "", |th, a| buffered_readinto(th, a, "readinto", "read")),
        method("readinto1", "(buffer, /)", "", |th, a| buffered_readinto(th, a, "readinto1", "read1")),
        method("write", "(b, /)", "Write buffer b to the IO stream.", |th, _| Err(unsupported(th, "write"))).raw(),
    ],
    flags: FLAGS,
    sig: "()",
    ..ClassDef::new(&BUFFERED_IO_BASE)
};
fn buffered_readinto(th: &mut Thread, a: &Args<'_>, function: &str, read: &str) -> PyResult<Value> {
    let target = arguments::writable(th, &a[1], function)?;
    let data = attr::call_method(th, &a[0], read, &[Value::from(target.len)])?;
    let Some(data) = data.to_ref::<Bytes>() else {
        return Err(type_error(th, "read() should return bytes"));
    };
    if data.len() > target.len {
        let (wanted, got) = (target.len, data.len());
        let message = format!("read() returned too much data: {wanted} bytes requested, {got} returned");
        return Err(value_error(th, message));
    }
    target.with_bytes_mut(|to| to[..data.len()].copy_from_slice(&data));
    Ok(Value::from(data.len()))
}

pub static TEXT_DEF: ClassDef = ClassDef {
    module: "_io",
    doc: "Base class for text I/O.\n\nReads and writes str, by characters and lines. There is no readinto(), as strings \
          cannot be changed.",
    methods: &[
        method("detach", "()", "Separate the underlying buffer from the TextIOBase and return it.", |th, _| {
            Err(unsupported(th, "detach"))
        }),
        method("read", "(size=-1, /)", "Read at most size characters from stream.", |th, _| {
            Err(unsupported(th, "read"))
        })
        .raw(),
        method("readline", "(size=-1, /)", "Read until newline or EOF.", |th, _| Err(unsupported(th, "readline")))
            .raw(),
        method("write", "(s, /)", "Write string s to stream.", |th, _| Err(unsupported(th, "write"))).raw(),
    ],
    getset: &[
        getter("encoding", "Encoding of the text stream.", |_, _| Ok(Value::NONE)),
        getter("newlines", "Line endings translated so far.", |_, _| Ok(Value::NONE)),
        getter("errors", "The error setting of the decoder or encoder.", |_, _| Ok(Value::NONE)),
    ],
    flags: FLAGS,
    sig: "()",
    ..ClassDef::new(&TEXT_IO_BASE)
};
