//! `FileIO`: a raw stream over a file descriptor. CPython: `Modules/_io/fileio.c`.
use std::io::ErrorKind;
use std::sync::atomic::{AtomicBool, AtomicI8, AtomicI32, AtomicI64, Ordering::Relaxed};

use krait_macros::{Payload, Trace};
use krait_object::native::{Sig, getter, method};
use krait_object::{
    Args, Bytes, ClassDef, GetSet, Method, PyResult, Raised, Ref, SlotDefs, Thread, Type, TypeObject, VTable, Value,
};
use krait_platform::{errno, file as fs};
use krait_runtime::convert::path_bytes;
use krait_runtime::errors::{self, io_error, memory_error, os_error, runtime_error, type_error, value_error};
use krait_runtime::exceptions::{RUNTIME_WARNING, WARNING};
use krait_runtime::protocol::{attr, buffer, call, compare, number, repr};
use krait_runtime::warnings;
use krait_runtime::world::blocking;

use super::arguments::{self, chain, forget, required, run_signal_handlers, size_or, unsupported, writable_member};
use super::base::{FLAGS, IoBase, RAW_IO_BASE, close_base};

#[repr(C)]
#[derive(Trace, Payload)]
#[payload(class = FILE_IO, extends = IoBase)]
pub struct FileIo {
    pub base: IoBase,
    /// Below zero when closed.
    #[trace(skip)]
    fd: AtomicI32,
    #[trace(skip)]
    created: AtomicBool,
    #[trace(skip)]
    readable: AtomicBool,
    #[trace(skip)]
    writable: AtomicBool,
    #[trace(skip)]
    appending: AtomicBool,
    /// -1 = not known yet.
    #[trace(skip)]
    seekable: AtomicI8,
    #[trace(skip)]
    closefd: AtomicBool,
    #[trace(skip)]
    finalizing: AtomicBool,
    #[trace(skip)]
    block_size: AtomicI64,
}

static LAYOUT: VTable = VTable::of::<FileIo>();
pub static FILE_IO: TypeObject = TypeObject::builtin("FileIO", Some(&RAW_IO_BASE), &LAYOUT);
pub static DEF: ClassDef = ClassDef {
    module: "_io",
    doc: "Open a file.\n\nThe mode can be 'r' (default), 'w', 'x' or 'a' for reading, writing, exclusive creation or \
          appending; a '+' allows\nboth reading and writing. A file opened for writing is emptied, one opened for \
          exclusive creation must not exist.\nopener is called with the name and the flags and returns an open file \
          descriptor.",
    sig: "(file, mode='r', closefd=True, opener=None)",
    methods: METHODS,
    getset: GETSET,
    slots: SlotDefs { new: Some(new), init: Some(init), repr: Some(show), ..SlotDefs::EMPTY },
    flags: FLAGS,
    ..ClassDef::new(&FILE_IO)
};
static METHODS: &[Method] = &[
    method("read", "(size=-1, /)", "Read at most size bytes, returned as bytes.", read),
    method("readall", "()", "Read all data from the file, returned as bytes.", |th, a| read_all(th, a.this())),
    method("readinto", "(buffer, /)", "Same as RawIOBase.readinto().", readinto),
    method("write", "(b, /)", "Write buffer b to file, return number of bytes written.", write),
    method("seek", "(pos, whence=0, /)", "Move to new file position and return the file position.", |th, a| {
        let whence = arguments::whence(th, a.opt(2))?;
        let f = a.this::<FileIo>();
        f.open_fd(th)?;
        let pos = number::to_i64(th, &a[1])?;
        f.seek(th, pos, whence, false).map(Value::from)
    }),
    method("tell", "()", "Current file position.", |th, a| {
        let f = a.this::<FileIo>();
        f.open_fd(th)?;
        f.seek(th, 0, fs::SEEK_CUR, false).map(Value::from)
    }),
    method(
        "truncate",
        "(size=None, /)",
        "Truncate the file to at most size bytes and return the truncated size.",
        truncate,
    ),
    method("close", "()", "Close the file.", close),
    method("seekable", "()", "True if file supports random-access.", |th, a| a.this::<FileIo>().is_seekable(th)),
    method("readable", "()", "True if file was opened in a read mode.", |th, a| {
        let f = a.this::<FileIo>();
        f.open_fd(th)?;
        Ok(Value::bool(f.readable.load(Relaxed)))
    }),
    method("writable", "()", "True if file was opened in a write mode.", |th, a| {
        let f = a.this::<FileIo>();
        f.open_fd(th)?;
        Ok(Value::bool(f.writable.load(Relaxed)))
    }),
    method("fileno", "()", "Return the underlying file descriptor (an integer).", |th, a| {
        a.this::<FileIo>().open_fd(th).map(Value::from)
    }),
    method("isatty", "()", "True if the file is connected to a TTY device.", |th, a| {
        let fd = a.this::<FileIo>().open_fd(th)?;
        Ok(Value::bool(fs::isatty(fd)))
    }),
    method("_dealloc_warn", "(object, /)", "", |th, a| {
        a.this::<FileIo>().warn_unclosed(th, &a[0], &a[1]);
        Ok(Value::NONE)
    }),
    method("__reduce__", "()", "", |th, a| Err(arguments::cannot_pickle(th, &a[0]))),
    method("__reduce_ex__", "(object, /)", "", |th, a| Err(arguments::cannot_pickle(th, &a[0]))),
];
static GETSET: &[GetSet] = &[
    writable_member(
        "_blksize",
        |_, v| Ok(this(v).block_size.load(Relaxed).into()),
        |th, v, new| {
            let n = required(th, new)?;
            this(v).block_size.store(number::to_i64(th, n)?, Relaxed);
            Ok(())
        },
    ),
    writable_member(
        "_finalizing",
        |_, v| Ok(this(v).finalizing.load(Relaxed).into()),
        |th, v, new| {
            let new = required(th, new)?;
            this(v).finalizing.store(compare::truth(th, new)?, Relaxed);
            Ok(())
        },
    ),
    getter("closed", "True if the file is closed", |_, v| Ok(Value::bool(this(v).is_closed()))),
    getter("closefd", "True if the file descriptor will be closed by close().", |_, v| {
        Ok(Value::bool(this(v).closefd.load(Relaxed)))
    }),
    getter("mode", "String giving the file mode", |_, v| Ok(this(v).mode().into())),
];

fn this(v: &Value) -> &FileIo {
    v.downcast_ref().expect("the descriptor checked the class of self")
}

fn new(_: &mut Thread, class: &Ref<Type>, _: &Args<'_>) -> PyResult<Value> {
    let file = FileIo {
        base: IoBase::new(),
        fd: AtomicI32::new(-1),
        created: AtomicBool::new(false),
        readable: AtomicBool::new(false),
        writable: AtomicBool::new(false),
        appending: AtomicBool::new(false),
        seekable: AtomicI8::new(-1),
        closefd: AtomicBool::new(true),
        finalizing: AtomicBool::new(false),
        block_size: AtomicI64::new(super::DEFAULT_BUFFER_SIZE as i64),
    };
    Ok(Ref::with_class(file, class.object()).into())
}

impl FileIo {
    pub fn is_closed(&self) -> bool {
        self.fd.load(Relaxed) < 0
    }
    /// The descriptor; ValueError when closed.
    fn open_fd(&self, th: &mut Thread) -> PyResult<i32> {
        match self.fd.load(Relaxed) {
            fd if fd < 0 => Err(value_error(th, "I/O operation on closed file")),
            fd => Ok(fd),
        }
    }
    fn fd_for(&self, th: &mut Thread, action: &str) -> PyResult<i32> {
        let fd = self.open_fd(th)?;
        let allowed = if action == "reading" { &self.readable } else { &self.writable };
        if !allowed.load(Relaxed) {
            return Err(unsupported(th, &format!("File not open for {action}")));
        }
        Ok(fd)
    }
    fn mode(&self) -> &'static str {
        let (readable, writable) = (self.readable.load(Relaxed), self.writable.load(Relaxed));
        match (self.created.load(Relaxed), self.appending.load(Relaxed)) {
            (true, _) => {
                if readable {
                    "xb+"
                } else {
                    "xb"
                }
            }
            (_, true) => {
                if readable {
                    "ab+"
                } else {
                    "ab"
                }
            }
            _ => match (readable, writable) {
                (true, true) => "rb+",
                (true, false) => "rb",
                _ => "wb",
            },
        }
    }
    /// Reads into the buffer once; `None` where it would block.
    pub fn read_into(&self, th: &mut Thread, to: &mut [u8]) -> PyResult<Option<usize>> {
        let fd = self.fd_for(th, "reading")?;
        retried(th, || fs::read(fd, to))
    }
    /// Writes once; `None` where it would block.
    pub fn write_from(&self, th: &mut Thread, data: &[u8]) -> PyResult<Option<usize>> {
        let fd = self.fd_for(th, "writing")?;
        retried(th, || fs::write(fd, data))
    }
    pub fn seek(&self, th: &mut Thread, pos: i64, whence: i32, ignore_pipe: bool) -> PyResult<i64> {
        let result = fs::lseek(self.fd.load(Relaxed), pos, whence);
        if self.seekable.load(Relaxed) < 0 {
            self.seekable.store(i8::from(result.is_ok()), Relaxed);
        }
        match result {
            Ok(at) => Ok(at),
            Err(e) if ignore_pipe && e.raw_os_error() == Some(errno::ESPIPE) => Ok(0),
            Err(e) => Err(io_error(th, &e, None)),
        }
    }
    fn is_seekable(&self, th: &mut Thread) -> PyResult<Value> {
        self.open_fd(th)?;
        if self.seekable.load(Relaxed) < 0
            && let Err(raised) = self.seek(th, 0, fs::SEEK_CUR, false)
        {
            forget(th, raised);
        }
        Ok(Value::bool(self.seekable.load(Relaxed) > 0))
    }
    /// ResourceWarning "unclosed file …".
    fn warn_unclosed(&self, th: &mut Thread, me: &Value, source: &Value) {
        if self.is_closed() || !self.closefd.load(Relaxed) {
            return;
        }
        let earlier = th.exc.take();
        let warned =
            repr::repr(th, source).and_then(|shown| warnings::resource(th, source, &format!("unclosed file {shown}")));
        if let Err(raised) = warned {
            if errors::in_flight(th, &WARNING) {
                errors::write_unraisable(th, Some(me));
            } else {
                forget(th, raised);
            }
        }
        th.exc = earlier;
    }
    fn close_fd(&self, th: &mut Thread) -> PyResult<()> {
        let fd = self.fd.swap(-1, Relaxed);
        if fd < 0 {
            return Ok(());
        }
        blocking(th, || fs::close(fd)).map_err(|e| io_error(th, &e, None))
    }
}

/// A system call, again after interruptions; `None` where it would block.
fn retried(th: &mut Thread, mut f: impl FnMut() -> std::io::Result<usize>) -> PyResult<Option<usize>> {
    loop {
        match blocking(th, &mut f) {
            Ok(n) => return Ok(Some(n)),
            Err(e) if e.kind() == ErrorKind::Interrupted => run_signal_handlers(th)?,
            Err(e) if e.raw_os_error() == Some(errno::EAGAIN) => return Ok(None),
            Err(e) => return Err(io_error(th, &e, None)),
        }
    }
}

/// How a mode string opens a file.
struct Mode {
    created: bool,
    readable: bool,
    writable: bool,
    appending: bool,
    flags: i32,
}
fn parse_mode(th: &mut Thread, text: &str) -> PyResult<Mode> {
    let mut mode = Mode { created: false, readable: false, writable: false, appending: false, flags: fs::O_CLOEXEC };
    let (mut kinds, mut pluses) = (0, 0);
    for c in text.chars() {
        match c {
            'x' => {
                kinds += 1;
                (mode.created, mode.writable) = (true, true);
                mode.flags |= fs::O_EXCL | fs::O_CREAT;
            }
            'r' => {
                kinds += 1;
                mode.readable = true;
            }
            'w' => {
                kinds += 1;
                mode.writable = true;
                mode.flags |= fs::O_CREAT | fs::O_TRUNC;
            }
            'a' => {
                kinds += 1;
                (mode.writable, mode.appending) = (true, true);
                mode.flags |= fs::O_APPEND | fs::O_CREAT;
            }
            'b' => {}
            '+' => {
                pluses += 1;
                (mode.readable, mode.writable) = (true, true);
            }
            _ => return Err(value_error(th, format!("invalid mode: {text}"))),
        }
        if kinds > 1 || pluses > 1 {
            return Err(bad_mode(th));
        }
    }
    if kinds == 0 {
        return Err(bad_mode(th));
    }
    mode.flags |= match (mode.readable, mode.writable) {
        (true, true) => fs::O_RDWR,
        (true, false) => fs::O_RDONLY,
        _ => fs::O_WRONLY,
    };
    Ok(mode)
}
fn bad_mode(th: &mut Thread) -> Raised {
    value_error(th, "Must have exactly one of create/read/write/append mode and at most one plus")
}

/// The descriptor that `file` is, if it is a number.
fn given_fd(th: &mut Thread, file: &Value) -> PyResult<Option<i32>> {
    if file.as_bool().is_some() {
        krait_runtime::warnings::warn(th, &RUNTIME_WARNING, "bool is used as a file descriptor", 1)?;
    }
    match number::to_i32(th, file) {
        Ok(fd) if fd < 0 => Err(value_error(th, "negative file descriptor")),
        Ok(fd) => Ok(Some(fd)),
        Err(raised) => {
            forget(th, raised);
            Ok(None)
        }
    }
}

fn init(th: &mut Thread, v: &Value, args: &Args<'_>) -> PyResult<()> {
    static SIG: Sig = Sig::new("(file, mode='r', closefd=True, opener=None)");
    let bound = SIG.bind(th, "FileIO", "FileIO", args, 0)?;
    let a = bound.args();
    let mode = match a.opt(1) {
        None => "r".to_owned(),
        Some(m) => krait_runtime::types::str::units::c_string(th, m, "FileIO() argument 'mode'")?,
    };
    let closefd = a.opt(2).map_or(Ok(true), |c| compare::truth(th, c))?;
    let f = this(v);
    if f.closefd.load(Relaxed) {
        f.close_fd(th)?;
    } else {
        f.fd.store(-1, Relaxed);
    }
    let file = &a[0];
    let fd = given_fd(th, file)?;
    let path = if fd.is_none() { Some(path_bytes(th, file)?) } else { None };
    let parsed = parse_mode(th, &mode)?;
    let flags = parsed.flags;
    f.created.store(parsed.created, Relaxed);
    f.readable.store(parsed.readable, Relaxed);
    f.writable.store(parsed.writable, Relaxed);
    f.appending.store(parsed.appending, Relaxed);
    f.seekable.store(-1, Relaxed);
    let audited = [file.clone(), Value::str(&mode), Value::from(flags)];
    krait_runtime::audit::audit(th, "open", &audited)?;
    let own = path.is_some();
    match (fd, path) {
        (Some(fd), _) => {
            f.fd.store(fd, Relaxed);
            f.closefd.store(closefd, Relaxed);
        }
        (None, path) => {
            f.closefd.store(true, Relaxed);
            if !closefd {
                return Err(value_error(th, "Cannot use closefd=False with file name"));
            }
            let fd = match a.opt_not_none(3) {
                None => open_path(th, &path.unwrap_or_default(), flags, file)?,
                Some(opener) => call_opener(th, opener, file, flags)?,
            };
            f.fd.store(fd, Relaxed);
        }
    }
    let finished = finish_init(th, v, f, file);
    if finished.is_err() {
        if own {
            let closing = finished.map(Value::from);
            return chain(th, closing, |th| f.close_fd(th).map(Value::from)).map(|_| ());
        }
        f.fd.store(-1, Relaxed);
    }
    finished
}
fn open_path(th: &mut Thread, path: &[u8], flags: i32, name: &Value) -> PyResult<i32> {
    loop {
        match blocking(th, || fs::open(path, flags, 0o666)) {
            Ok(fd) => return Ok(fd),
            Err(e) if e.kind() == ErrorKind::Interrupted => run_signal_handlers(th)?,
            Err(e) => return Err(io_error(th, &e, Some(name))),
        }
    }
}
fn call_opener(th: &mut Thread, opener: &Value, name: &Value, flags: i32) -> PyResult<i32> {
    let fd = call::call(th, opener, &[name.clone(), Value::from(flags)])?;
    if fd.as_int_ref().is_none() {
        return Err(type_error(th, "expected integer from opener"));
    }
    let fd = number::to_i32(th, &fd)?;
    if fd < 0 {
        return Err(value_error(th, format!("opener returned {fd}")));
    }
    if let Err(e) = fs::set_inheritable(fd, false) {
        return Err(io_error(th, &e, None));
    }
    Ok(fd)
}
fn finish_init(th: &mut Thread, v: &Value, f: &FileIo, file: &Value) -> PyResult<()> {
    match fs::fstat(f.fd.load(Relaxed)) {
        Ok(info) if info.is_dir() => return Err(os_error(th, errno::EISDIR, Some(file))),
        Ok(info) => {
            let size = if info.block_size > 1 { info.block_size } else { super::DEFAULT_BUFFER_SIZE as i64 };
            f.block_size.store(size, Relaxed);
        }
        Err(e) if e.raw_os_error() == Some(errno::EBADF) => return Err(io_error(th, &e, None)),
        Err(_) => {}
    }
    attr::set_text(th, v, "name", file)?;
    if f.appending.load(Relaxed) {
        f.seek(th, 0, fs::SEEK_END, true)?;
    }
    Ok(())
}

fn close(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let f = a.this::<FileIo>();
    let closed = close_base(th, &a[0]);
    if !f.closefd.load(Relaxed) {
        f.fd.store(-1, Relaxed);
        return closed;
    }
    if f.finalizing.load(Relaxed) {
        f.warn_unclosed(th, &a[0], &a[0]);
    }
    chain(th, closed, |th| f.close_fd(th).map(Value::from))
}
fn read(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let f = a.this::<FileIo>();
    let fd = f.fd_for(th, "reading")?;
    let size = size_or(th, a.opt(1), -1)?;
    if size < 0 {
        return read_all(th, f);
    }
    let mut data = Vec::new();
    if data.try_reserve_exact(size as usize).is_err() {
        return Err(memory_error(th));
    }
    match retried(th, || fs::read_append(fd, &mut data, size as usize))? {
        None => Ok(Value::NONE),
        Some(_) => Ok(Bytes::new(&data).into()),
    }
}
/// Reads to the end; `None` where nothing is there yet and the descriptor does not block.
pub fn read_all(th: &mut Thread, f: &FileIo) -> PyResult<Value> {
    let fd = f.open_fd(th)?;
    let at = fs::lseek(fd, 0, fs::SEEK_CUR).unwrap_or(-1);
    let end = fs::fstat(fd).map_or(-1, |info| info.size);
    // One byte more than the file has, so that its end is found without growing.
    let expected = if at >= 0 && end >= at { (end - at) as usize + 1 } else { 8192 };
    let mut data: Vec<u8> = Vec::new();
    if data.try_reserve_exact(expected).is_err() {
        return Err(memory_error(th));
    }
    loop {
        if data.len() == data.capacity() {
            let more = if data.len() > 65536 { data.len() >> 3 } else { 256 + data.len() };
            if data.try_reserve_exact(more.max(8192)).is_err() {
                return Err(memory_error(th));
            }
        }
        match retried(th, || fs::read_append(fd, &mut data, usize::MAX))? {
            Some(0) => break,
            Some(_) => {}
            None if data.is_empty() => return Ok(Value::NONE),
            None => break,
        }
    }
    Ok(Bytes::new(&data).into())
}
fn readinto(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let target = arguments::writable(th, &a[1], "readinto")?;
    let f = a.this::<FileIo>();
    let fd = f.fd_for(th, "reading")?;
    // The memory of a buffer is locked while it is written to, so the call that may block has memory of its own.
    let mut data = Vec::new();
    if data.try_reserve_exact(target.len).is_err() {
        return Err(memory_error(th));
    }
    let n = retried(th, || fs::read_append(fd, &mut data, target.len))?;
    if n.is_some() {
        target.with_bytes_mut(|to| {
            let n = to.len().min(data.len());
            to[..n].copy_from_slice(&data[..n]);
        });
    }
    Ok(n.into())
}
fn write(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let f = a.this::<FileIo>();
    if let Some(bytes) = a[1].downcast_ref::<Bytes>() {
        return Ok(f.write_from(th, bytes)?.into());
    }
    let data = buffer::bytes_like(th, &a[1])?;
    Ok(f.write_from(th, &data)?.into())
}
fn truncate(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let f = a.this::<FileIo>();
    let fd = f.fd_for(th, "writing")?;
    let (pos, answer) = match a.opt_not_none(1) {
        None => {
            let at = f.seek(th, 0, fs::SEEK_CUR, false)?;
            (at, Value::from(at))
        }
        Some(v) => (number::to_i64(th, v)?, v.clone()),
    };
    match fs::ftruncate(fd, pos) {
        Ok(()) => Ok(answer),
        Err(e) => Err(io_error(th, &e, None)),
    }
}
fn show(th: &mut Thread, v: &Value) -> PyResult<Value> {
    let f = this(v);
    let class = arguments::type_name(v);
    let fd = f.fd.load(Relaxed);
    if fd < 0 {
        return Ok(format!("<{class} [closed]>").into());
    }
    let (mode, closefd) = (f.mode(), if f.closefd.load(Relaxed) { "True" } else { "False" });
    let Some(name) = attr::get_text_opt(th, v, "name")? else {
        return Ok(format!("<{class} fd={fd} mode='{mode}' closefd={closefd}>").into());
    };
    if !repr::enter_repr(th, v) {
        return Err(runtime_error(th, format!("reentrant call inside {class}.__repr__")));
    }
    let shown = repr::repr(th, &name);
    repr::leave_repr(th, v);
    let mut out = krait_object::StrBuilder::new();
    out.push_text(&format!("<{class} name="));
    out.push_str(&*shown?);
    out.push_text(&format!(" mode='{mode}' closefd={closefd}>"));
    Ok(Value::from(out.finish()))
}
