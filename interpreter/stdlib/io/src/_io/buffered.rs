//! `BufferedReader`, `BufferedWriter`, `BufferedRandom`: their state, life cycle and position. Reading and writing are in
//! the folder, with `BufferedRWPair`. CPython: `Modules/_io/bufferedio.c`.
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering::*};
use std::sync::{Arc, Condvar, Mutex};

use krait_macros::{Payload, Trace};
use krait_object::buffer::Export;
use krait_object::native::{Sig, getter, member, method};
use krait_object::{
    Args, ClassDef, GetSet, Locked, Method, PyResult, Raised, Ref, SlotDefs, Thread, TypeObject, VTable, Value,
    ValueCell,
};
use krait_platform::file as fs;
use krait_runtime::errors::{self, memory_error, raise, runtime_error, value_error};
use krait_runtime::exceptions::{OS_ERROR, VALUE_ERROR};
use krait_runtime::protocol::{attr, compare, number, repr};

use super::DEFAULT_BUFFER_SIZE;
use super::arguments::{self, chain, forget, required, unsupported, writable_member};
use super::base::{BUFFERED_IO_BASE, FLAGS, IoBase};
use super::fileio::FileIo;

pub mod pair;
mod read;
mod write;

/// Positions are relative to the buffer's start, except `abs_pos`; -1 stands for "not valid".
#[derive(Default)]
struct State {
    ok: bool,
    detached: bool,
    readable: bool,
    writable: bool,
    /// Empty after `close`.
    buffer: Vec<u8>,
    size: usize,
    /// Where the raw stream stands in the file.
    abs_pos: i64,
    /// The logical position.
    pos: i64,
    /// Where the raw stream stands.
    raw_pos: i64,
    read_end: i64,
    write_pos: i64,
    write_end: i64,
}
impl State {
    fn valid_read(&self) -> bool {
        self.readable && self.read_end != -1
    }
    fn valid_write(&self) -> bool {
        self.writable && self.write_end != -1
    }
    /// Bytes that are there to be read.
    fn ahead(&self) -> usize {
        if self.valid_read() { (self.read_end - self.pos).max(0) as usize } else { 0 }
    }
    /// How far the raw stream is ahead of the logical position.
    fn raw_offset(&self) -> i64 {
        if (self.valid_read() || self.valid_write()) && self.raw_pos >= 0 { self.raw_pos - self.pos } else { 0 }
    }
    fn move_to(&mut self, pos: i64) {
        self.pos = pos;
        if self.valid_read() && self.read_end < pos {
            self.read_end = pos;
        }
    }
    fn reset_read(&mut self) {
        self.read_end = -1;
    }
    fn reset_write(&mut self) {
        self.write_pos = 0;
        self.write_end = -1;
    }
    /// Takes up to `n` of the bytes that are there.
    fn take(&mut self, n: usize) -> Vec<u8> {
        let n = n.min(self.ahead());
        let at = self.pos as usize;
        let data = self.buffer.get(at..at + n).unwrap_or_default().to_vec();
        self.pos += data.len() as i64;
        data
    }
}

/// The content of all three classes.
#[derive(Trace)]
pub struct Buffered {
    raw: ValueCell,
    #[trace(skip)]
    state: Locked<State>,
    /// The thread that works on the buffer, 0 = none.
    #[trace(skip)]
    owner: AtomicU64,
    #[trace(skip)]
    queue: Queue,
    #[trace(skip)]
    finalizing: AtomicBool,
}

/// Payloads of their own, as none of the classes is a base of another.
macro_rules! class {
    ($payload:ident $class:ident $text:literal $layout:ident) => {
        #[repr(C)]
        #[derive(Trace, Payload)]
        #[payload(class = $class, extends = IoBase)]
        pub struct $payload {
            base: IoBase,
            inner: Buffered,
        }
        static $layout: VTable = VTable::of::<$payload>();
        pub static $class: TypeObject = TypeObject::builtin($text, Some(&BUFFERED_IO_BASE), &$layout);
    };
}
class!(Reader BUFFERED_READER "BufferedReader" READER_LAYOUT);
class!(Writer BUFFERED_WRITER "BufferedWriter" WRITER_LAYOUT);
class!(Random BUFFERED_RANDOM "BufferedRandom" RANDOM_LAYOUT);

const SIGNATURE: &str = "(raw, buffer_size=DEFAULT_BUFFER_SIZE)";

macro_rules! shared_methods {
    ($($more:expr),* $(,)?) => { &[
        method("close", "()", "Flush and close the stream.", close),
        method("detach", "()", "Disconnect this buffer from its underlying raw stream and return it.", detach),
        method("seekable", "()", "", |th, a| forward(th, &a[0], "seekable")),
        method("fileno", "()", "", |th, a| forward(th, &a[0], "fileno")),
        method("isatty", "()", "", |th, a| forward(th, &a[0], "isatty")),
        method("_dealloc_warn", "(source, /)", "", |th, a| {
            dealloc_warn(th, &a[0], &a[1]);
            Ok(Value::NONE)
        }),
        method("seek", "(target, whence=0, /)", "Change the stream position.", seek),
        method("tell", "()", "Return current stream position.", tell),
        method("truncate", "(pos=None, /)", "Truncate the file.", write::truncate),
        method("__sizeof__", "()", "", |_, a| {
            let held = this(&a[0]).state.lock().buffer.len();
            Ok(Value::from(a[0].class().vtable().size + held))
        }),
        method("__reduce__", "()", "", |th, a| Err(arguments::cannot_pickle(th, &a[0]))),
        method("__reduce_ex__", "(object, /)", "", |th, a| Err(arguments::cannot_pickle(th, &a[0]))),
        $($more),*
    ] };
}
const READABLE: Method = method("readable", "()", "", |th, a| forward(th, &a[0], "readable"));
const WRITABLE: Method = method("writable", "()", "", |th, a| forward(th, &a[0], "writable"));
const READ: Method = method("read", "(size=-1, /)", "Read and return up to size bytes.", read::read);
const PEEK: Method = method("peek", "(size=0, /)", "Return buffered bytes without moving.", read::peek);
const READ1: Method = method("read1", "(size=-1, /)", "Read with at most one raw read.", read::read1);
const READINTO: Method = method("readinto", "(buffer, /)", "", |th, a| read::readinto(th, a, false));
const READINTO1: Method = method("readinto1", "(buffer, /)", "", |th, a| read::readinto(th, a, true));
const READLINE: Method = method("readline", "(size=-1, /)", "Read and return a line.", read::readline);
const WRITE: Method = method("write", "(buffer, /)", "Write a buffer of bytes.", write::write);
const FLUSH: Method = method("flush", "()", "Write what is buffered.", write::flush);
const SIMPLE_FLUSH: Method = method("flush", "()", "Flush the raw stream.", |th, a| forward(th, &a[0], "flush"));

static GETSET: &[GetSet] = &[
    member("raw", "", |_, v| Ok(this(v).raw.get().into())),
    writable_member(
        "_finalizing",
        |_, v| Ok(this(v).finalizing.load(Relaxed).into()),
        |th, v, new| {
            let new = required(th, new)?;
            this(v).finalizing.store(compare::truth(th, new)?, Relaxed);
            Ok(())
        },
    ),
    getter("closed", "", |th, v| {
        let raw = this(v).raw(th)?;
        attr::get_text(th, &raw, "closed")
    }),
    getter("name", "", |th, v| {
        let raw = this(v).raw(th)?;
        attr::get_text(th, &raw, "name")
    }),
    getter("mode", "", |th, v| {
        let raw = this(v).raw(th)?;
        attr::get_text(th, &raw, "mode")
    }),
];

pub static READER_DEF: ClassDef = ClassDef {
    module: "_io",
    doc: "Create a new buffered reader using the given readable raw IO object.",
    sig: SIGNATURE,
    methods: shared_methods![READABLE, READ, PEEK, READ1, READINTO, READINTO1, READLINE, SIMPLE_FLUSH],
    getset: GETSET,
    slots: SlotDefs {
        new: Some(|_, class, _| {
            Ok(Ref::with_class(Reader { base: IoBase::new(), inner: Buffered::new() }, class.object()).into())
        }),
        init: Some(|th, v, args| init(th, v, args, true, false)),
        repr: Some(show),
        next: Some(read::next),
        ..SlotDefs::EMPTY
    },
    flags: FLAGS,
    ..ClassDef::new(&BUFFERED_READER)
};
pub static WRITER_DEF: ClassDef = ClassDef {
    module: "_io",
    doc: "A buffer for a writeable sequential RawIO object.",
    sig: SIGNATURE,
    methods: shared_methods![WRITABLE, WRITE, FLUSH],
    getset: GETSET,
    slots: SlotDefs {
        new: Some(|_, class, _| {
            Ok(Ref::with_class(Writer { base: IoBase::new(), inner: Buffered::new() }, class.object()).into())
        }),
        init: Some(|th, v, args| init(th, v, args, false, true)),
        repr: Some(show),
        ..SlotDefs::EMPTY
    },
    flags: FLAGS,
    ..ClassDef::new(&BUFFERED_WRITER)
};
pub static RANDOM_DEF: ClassDef = ClassDef {
    module: "_io",
    doc: "A buffered interface to random access streams.",
    sig: SIGNATURE,
    methods: shared_methods![READABLE, WRITABLE, READ, PEEK, READ1, READINTO, READINTO1, READLINE, WRITE, FLUSH],
    getset: GETSET,
    slots: SlotDefs {
        new: Some(|_, class, _| {
            Ok(Ref::with_class(Random { base: IoBase::new(), inner: Buffered::new() }, class.object()).into())
        }),
        init: Some(|th, v, args| init(th, v, args, true, true)),
        repr: Some(show),
        next: Some(read::next),
        ..SlotDefs::EMPTY
    },
    flags: FLAGS,
    ..ClassDef::new(&BUFFERED_RANDOM)
};

/// The content, whichever of the three classes it is.
fn this(v: &Value) -> &Buffered {
    (v.downcast_ref::<Reader>().map(|r| &r.inner))
        .or_else(|| v.downcast_ref::<Writer>().map(|w| &w.inner))
        .or_else(|| v.downcast_ref::<Random>().map(|r| &r.inner))
        .expect("the descriptor checked the class of self")
}
/// Whether the class is exactly one of the three.
pub fn is_exact(v: &Value) -> bool {
    v.is_exact(&BUFFERED_READER) || v.is_exact(&BUFFERED_WRITER) || v.is_exact(&BUFFERED_RANDOM)
}
/// The raw stream of one of the three classes.
pub fn raw_of(v: &Value) -> Option<Value> {
    this(v).raw.get()
}
/// The result of a raw read or write.
enum Raw {
    Done(usize),
    /// With the error number that the exception will show.
    WouldBlock(i32),
}

/// Where threads wait for the right to work on a buffer.
#[derive(Default)]
struct Queue {
    waiting: AtomicU32,
    gate: Mutex<()>,
    bell: Condvar,
}

/// The right to work on the buffer; given back when it is dropped.
struct Entered<'a>(&'a Buffered);
impl Drop for Entered<'_> {
    fn drop(&mut self) {
        self.0.owner.store(0, SeqCst);
        let queue = &self.0.queue;
        if queue.waiting.load(SeqCst) > 0 {
            drop(queue.gate.lock().unwrap_or_else(|e| e.into_inner()));
            queue.bell.notify_one();
        }
    }
}

impl Buffered {
    fn new() -> Buffered {
        Buffered {
            raw: ValueCell::empty(),
            state: Locked::new(State { read_end: -1, write_end: -1, abs_pos: -1, ..State::default() }),
            owner: AtomicU64::new(0),
            queue: Queue::default(),
            finalizing: AtomicBool::new(false),
        }
    }
    fn check_initialized(&self, th: &mut Thread) -> PyResult<()> {
        let (ok, detached) = {
            let s = self.state.lock();
            (s.ok, s.detached)
        };
        match (ok, detached) {
            (true, _) => Ok(()),
            (_, true) => Err(value_error(th, "raw stream has been detached")),
            _ => Err(arguments::uninitialized(th)),
        }
    }
    /// The raw stream of an initialized object.
    fn raw(&self, th: &mut Thread) -> PyResult<Value> {
        self.check_initialized(th)?;
        self.raw.get().ok_or_else(|| arguments::uninitialized(th))
    }
    /// The raw stream, where it is a plain `FileIO` whose method `name` nobody replaced.
    fn plain_file(raw: &Value, name: &str) -> Option<Ref<FileIo>> {
        if !raw.is_exact(&super::fileio::FILE_IO) {
            return None;
        }
        raw.to_ref::<FileIo>().filter(|f| !f.base.has_own(name))
    }
    fn raw_closed(&self, th: &mut Thread) -> PyResult<bool> {
        let raw = self.raw(th)?;
        if raw.is_exact(&super::fileio::FILE_IO)
            && let Some(file) = raw.downcast_ref::<FileIo>()
        {
            return Ok(file.is_closed());
        }
        let closed = attr::get_text(th, &raw, "closed")?;
        compare::truth(th, &closed)
    }
    fn is_closed(&self, th: &mut Thread) -> PyResult<bool> {
        if self.state.lock().buffer.is_empty() {
            return Ok(true);
        }
        self.raw_closed(th)
    }
    /// What is still buffered may be read after closing.
    fn check_closed(&self, th: &mut Thread, message: &str) -> PyResult<()> {
        if self.is_closed(th)? && self.state.lock().ahead() == 0 {
            return Err(value_error(th, message));
        }
        Ok(())
    }
    /// Waits until no other thread works on the buffer; RuntimeError when this one does.
    fn enter(&self, th: &mut Thread, me: &Value) -> PyResult<Entered<'_>> {
        let id = Arc::as_ptr(&th.shared) as u64;
        match self.owner.compare_exchange(0, id, SeqCst, Relaxed) {
            Ok(_) => Ok(Entered(self)),
            Err(owner) if owner == id => {
                let shown = repr::repr(th, me)?;
                Err(runtime_error(th, format!("reentrant call inside {shown}")))
            }
            Err(_) => {
                krait_runtime::world::blocking(th, || self.wait(id));
                Ok(Entered(self))
            }
        }
    }
    /// Waits for the right, and takes it.
    fn wait(&self, id: u64) {
        let queue = &self.queue;
        queue.waiting.fetch_add(1, SeqCst);
        let mut gate = queue.gate.lock().unwrap_or_else(|e| e.into_inner());
        while self.owner.compare_exchange(0, id, SeqCst, Relaxed).is_err() {
            gate = queue.bell.wait(gate).unwrap_or_else(|e| e.into_inner());
        }
        drop(gate);
        queue.waiting.fetch_sub(1, SeqCst);
    }
    fn position(&self, th: &mut Thread, answer: &Value) -> PyResult<i64> {
        let n = arguments::offset(th, answer)?;
        if n < 0 {
            return Err(raise(th, &OS_ERROR, format!("Raw stream returned invalid position {n}")));
        }
        self.state.lock().abs_pos = n;
        Ok(n)
    }
    fn raw_tell(&self, th: &mut Thread) -> PyResult<i64> {
        let raw = self.raw.get().unwrap_or(Value::NONE);
        if let Some(file) = Buffered::plain_file(&raw, "tell").filter(|f| !f.is_closed()) {
            let n = file.seek(th, 0, fs::SEEK_CUR, false)?;
            self.state.lock().abs_pos = n;
            return Ok(n);
        }
        let answer = attr::call_method(th, &raw, "tell", &[])?;
        self.position(th, &answer)
    }
    fn raw_seek(&self, th: &mut Thread, target: i64, whence: i32) -> PyResult<i64> {
        let raw = self.raw.get().unwrap_or(Value::NONE);
        let answer = attr::call_method(th, &raw, "seek", &[Value::from(target), Value::from(whence)])?;
        self.position(th, &answer)
    }
    /// After raw I/O of `n` bytes.
    fn advance(&self, n: usize) {
        let mut s = self.state.lock();
        if s.abs_pos != -1 {
            s.abs_pos += n as i64;
        }
    }
}

/// Memory that a raw stream reads into or writes from, through a memoryview.
struct Shared(Locked<Vec<u8>>);
impl Export for Shared {
    fn read(&self, f: &mut dyn FnMut(&[u8])) {
        f(&self.0.lock());
    }
    fn write(&self, f: &mut dyn FnMut(&mut [u8])) {
        f(&mut self.0.lock());
    }
}

fn init(th: &mut Thread, v: &Value, args: &Args<'_>, readable: bool, writable: bool) -> PyResult<()> {
    static SIG: Sig = Sig::new(SIGNATURE);
    let class = if readable && writable {
        "BufferedRandom"
    } else if readable {
        "BufferedReader"
    } else {
        "BufferedWriter"
    };
    let bound = SIG.bind(th, class, class, args, 0)?;
    let a = bound.args();
    let size = a.opt(1).map_or(Ok(DEFAULT_BUFFER_SIZE as isize), |n| number::to_isize(th, n))?;
    let b = this(v);
    {
        let mut s = b.state.lock();
        (s.ok, s.detached) = (false, false);
    }
    if readable && writable {
        arguments::check_seekable(th, &a[0])?;
    }
    if readable {
        arguments::check_readable(th, &a[0])?;
    }
    if writable {
        arguments::check_writable(th, &a[0])?;
    }
    b.raw.set(Some(a[0].clone()));
    if size <= 0 {
        return Err(value_error(th, "buffer size must be strictly positive"));
    }
    let mut buffer = Vec::new();
    if buffer.try_reserve_exact(size as usize).is_err() {
        return Err(memory_error(th));
    }
    buffer.resize(size as usize, 0);
    {
        let mut s = b.state.lock();
        *s = State { readable, writable, size: size as usize, abs_pos: -1, ..State::default() };
        s.buffer = buffer;
        s.reset_read();
        s.reset_write();
    }
    if let Err(raised) = b.raw_tell(th) {
        forget(th, raised);
    }
    b.state.lock().ok = true;
    Ok(())
}

fn forward(th: &mut Thread, v: &Value, name: &str) -> PyResult<Value> {
    let raw = this(v).raw(th)?;
    attr::call_method(th, &raw, name, &[])
}
fn dealloc_warn(th: &mut Thread, v: &Value, source: &Value) {
    let b = this(v);
    if !b.state.lock().ok {
        return;
    }
    if let Some(raw) = b.raw.get()
        && let Err(raised) = attr::call_method(th, &raw, "_dealloc_warn", std::slice::from_ref(source))
    {
        forget(th, raised);
    }
}
fn close(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let b = a_this(a);
    b.check_initialized(th)?;
    {
        let entered = b.enter(th, &a[0])?;
        if b.raw_closed(th)? {
            return Ok(Value::NONE);
        }
        if b.finalizing.load(Relaxed) {
            dealloc_warn(th, &a[0], &a[0]);
        }
        drop(entered);
    }
    let flushed = attr::call_method(th, &a[0], "flush", &[]);
    // An error of `flush` waits outside of the thread while the right to the buffer is taken again.
    let earlier = th.exc.take();
    let entered = b.enter(th, &a[0])?;
    th.exc = earlier;
    let result = chain(th, flushed, |th| {
        let raw = b.raw.get().unwrap_or(Value::NONE);
        let closed = attr::call_method(th, &raw, "close", &[]);
        b.state.lock().buffer = Vec::new();
        closed
    });
    {
        let mut s = b.state.lock();
        s.read_end = 0;
        s.pos = 0;
    }
    drop(entered);
    result
}
fn a_this<'a>(a: &Args<'a>) -> &'a Buffered {
    this(a.opt(0).expect("self is always there"))
}
fn detach(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let b = a_this(a);
    b.check_initialized(th)?;
    attr::call_method(th, &a[0], "flush", &[])?;
    let raw = b.raw.take();
    let mut s = b.state.lock();
    (s.ok, s.detached) = (false, true);
    drop(s);
    Ok(raw.into())
}
fn tell(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let b = a_this(a);
    b.check_initialized(th)?;
    let pos = b.raw_tell(th)? - b.state.lock().raw_offset();
    Ok(Value::from(pos.max(0)))
}
fn seek(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let whence = arguments::whence(th, a.opt(2))?;
    let b = a_this(a);
    b.check_initialized(th)?;
    if !(0..=2).contains(&whence) && whence != fs::SEEK_HOLE && whence != fs::SEEK_DATA {
        return Err(value_error(th, format!("whence value {whence} unsupported")));
    }
    b.check_closed(th, "seek of closed file")?;
    let raw = b.raw(th)?;
    arguments::check_seekable(th, &raw)?;
    let target = arguments::offset(th, &a[1])?;
    let readable = b.state.lock().readable;
    if whence <= 1 && readable {
        // Within the buffer nothing needs to be read again.
        let known = b.state.lock().abs_pos;
        let current = if known != -1 { known } else { b.raw_tell(th)? };
        let mut s = b.state.lock();
        let ahead = s.ahead() as i64;
        if ahead > 0 {
            let offset = if whence == 0 { target.checked_sub(current - s.raw_offset()) } else { Some(target) };
            if let Some(offset) = offset
                && offset >= -s.pos
                && offset <= ahead
            {
                s.pos += offset;
                return Ok(Value::from((current - ahead + offset).max(0)));
            }
        }
    }
    let _entered = b.enter(th, &a[0])?;
    let writable = b.state.lock().writable;
    if writable {
        write::flush_unlocked(th, b)?;
    }
    let target = if whence == 1 { target - b.state.lock().raw_offset() } else { target };
    let n = b.raw_seek(th, target, whence)?;
    let mut s = b.state.lock();
    s.raw_pos = -1;
    if s.readable {
        s.reset_read();
    }
    Ok(Value::from(n))
}
fn show(th: &mut Thread, v: &Value) -> PyResult<Value> {
    let class = arguments::type_name(v);
    let name = match attr::get_text_opt(th, v, "name") {
        Ok(name) => name,
        Err(raised) => {
            drop(errors::catch(th, raised, &VALUE_ERROR)?);
            None
        }
    };
    let Some(name) = name else { return Ok(format!("<{class}>").into()) };
    if !repr::enter_repr(th, v) {
        return Err(runtime_error(th, format!("reentrant call inside {class}.__repr__")));
    }
    let shown = repr::repr(th, &name);
    repr::leave_repr(th, v);
    let mut out = krait_object::StrBuilder::new();
    out.push_text(&format!("<{class} name="));
    out.push_str(&*shown?);
    out.push_text(">");
    Ok(Value::from(out.finish()))
}
fn cannot_truncate(th: &mut Thread) -> Raised {
    unsupported(th, "truncate")
}
