//! `TextIOWrapper`: its state, constructor and attributes. Decoding, reading, writing and positions are in the folder.
//! CPython: `Modules/_io/textio.c`.
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use krait_macros::{Payload, Trace};
use krait_object::native::{Sig, getset, getter, member, method};
use krait_object::{
    Args, Bytes, ClassDef, GetSet, Locked, Method, PyResult, Ref, SlotDefs, Str, StrBuilder, Thread, TypeObject,
    VTable, Value, ValueCell,
};
use krait_runtime::config;
use krait_runtime::errors::{self, catch, in_flight, runtime_error, type_error, value_error};
use krait_runtime::exceptions::{ATTRIBUTE_ERROR, ENCODING_WARNING, OVERFLOW_ERROR, VALUE_ERROR};
use krait_runtime::protocol::{attr, compare, number, repr};

use super::arguments::{
    self, chain, closed_file, forget, required, text_or_none, uninitialized, unsupported, writable_member,
};
use super::base::{FLAGS, IoBase, TEXT_IO_BASE};
use super::buffered;
use super::fileio::{FILE_IO, FileIo};

pub mod codec;
pub mod newlines;
mod position;
mod read;
mod write;

use codec::{Decoder, Encode};

#[derive(Default)]
struct State {
    ok: bool,
    detached: bool,
    chunk_size: usize,
    /// The `newline` argument.
    newline: Option<&'static str>,
    read_universal: bool,
    read_translate: bool,
    write_translate: bool,
    line_buffering: bool,
    write_through: bool,
    seekable: bool,
    has_read1: bool,
    /// Whether `tell` is possible now.
    telling: bool,
    has_decoder: bool,
    has_encoder: bool,
    decoder: Decoder,
    encode: Option<Encode>,
    start_of_stream: bool,
    /// Text that came out of the decoder, and how much of it was read.
    decoded: Option<Ref<Str>>,
    used: usize,
    /// Encoded text that waits to be written.
    pending: Vec<u8>,
    /// The decoder's flags, and the bytes that came after them, for `tell`.
    snapshot: Option<(Value, Vec<u8>)>,
    /// Bytes per character in the last chunk.
    ratio: f64,
}
impl State {
    fn set_decoded(&mut self, text: Option<Ref<Str>>) {
        self.decoded = text;
        self.used = 0;
    }
    /// Takes up to `n` characters of what is decoded.
    fn take(&mut self, n: usize) -> Ref<Str> {
        let Some(text) = &self.decoded else { return Str::empty() };
        let left = text.len() - self.used;
        let n = n.min(left);
        let taken = if self.used == 0 && n == left { text.clone() } else { text.slice(self.used, self.used + n) };
        self.used += n;
        taken
    }
    /// What "\n" is written as, where it is not itself.
    fn write_newline(&self) -> Option<&'static str> {
        self.newline.filter(|n| self.write_translate && n.starts_with('\r'))
    }
}

#[repr(C)]
#[derive(Trace, Payload)]
#[payload(class = TEXT_IO_WRAPPER, extends = IoBase)]
pub struct TextIo {
    base: IoBase,
    buffer: ValueCell,
    encoding: ValueCell,
    errors: ValueCell,
    /// Codec objects, where the codec is not native.
    decoder: ValueCell,
    encoder: ValueCell,
    /// The FileIO at the bottom, if all layers are plain: for quick checks.
    raw: ValueCell,
    #[trace(skip)]
    state: Locked<State>,
    #[trace(skip)]
    finalizing: AtomicBool,
}
static LAYOUT: VTable = VTable::of::<TextIo>();
pub static TEXT_IO_WRAPPER: TypeObject = TypeObject::builtin("TextIOWrapper", Some(&TEXT_IO_BASE), &LAYOUT);

const SIGNATURE: &str =
    "(buffer, encoding=None, errors=None, newline=None,\n              line_buffering=False, write_through=False)";
pub static DEF: ClassDef = ClassDef {
    module: "_io",
    doc: "Character and line based layer over a BufferedIOBase object, buffer.\n\nencoding names the codec, by default \
          that of the locale; errors its error handler, by default 'strict'.\n\nnewline is None, '', '\\n', '\\r' or \
          '\\r\\n'. Reading: None turns all line ends into '\\n'; '' recognises all\nand leaves them; the others end lines \
          only at themselves. Writing: None writes '\\n' as the system's line\nseparator; '' and '\\n' leave it; the \
          others take its place.\n\nWith line_buffering every write of a newline flushes.",
    sig: SIGNATURE,
    methods: METHODS,
    getset: GETSET,
    slots: SlotDefs {
        new: Some(|_, class, _| {
            let wrapper = TextIo {
                base: IoBase::new(),
                buffer: ValueCell::empty(),
                encoding: ValueCell::empty(),
                errors: ValueCell::empty(),
                decoder: ValueCell::empty(),
                encoder: ValueCell::empty(),
                raw: ValueCell::empty(),
                state: Locked::default(),
                finalizing: AtomicBool::new(false),
            };
            Ok(Ref::with_class(wrapper, class.object()).into())
        }),
        init: Some(init),
        repr: Some(show),
        next: Some(read::next),
        ..SlotDefs::EMPTY
    },
    flags: FLAGS,
    ..ClassDef::new(&TEXT_IO_WRAPPER)
};
static METHODS: &[Method] = &[
    method("detach", "()", "Separate the underlying buffer and return it.", |th, a| {
        let t = a.this_ref::<TextIo>();
        t.check_attached(th)?;
        attr::call_method(th, &a[0], "flush", &[])?;
        let buffer = t.buffer.take();
        t.raw.set(None);
        t.state.lock().detached = true;
        Ok(buffer.into())
    }),
    method(
        "reconfigure",
        "(*, encoding=None, errors=None, newline=None,\n            line_buffering=None, write_through=None)",
        "Reconfigure the text stream with new parameters.\n\nThis also does an implicit stream flush.",
        reconfigure,
    ),
    method("write", "(text, /)", "Write string to stream.", write::write),
    method("read", "(size=-1, /)", "Read at most size characters.", read::read),
    method("readline", "(size=-1, /)", "Read until newline or EOF.", read::readline),
    method("flush", "()", "Write what is pending, and flush the buffer.", |th, a| {
        let t = a.this_ref::<TextIo>();
        t.check_attached(th)?;
        t.check_closed(th, &a[0])?;
        {
            let mut s = t.state.lock();
            s.telling = s.seekable;
        }
        write::flush_pending(th, &t)?;
        let buffer = t.attached(th)?;
        attr::call_method(th, &buffer, "flush", &[])
    }),
    method("close", "()", "Flush and close.", close),
    method("fileno", "()", "", |th, a| forward(th, a, "fileno")),
    method("seekable", "()", "", |th, a| forward(th, a, "seekable")),
    method("readable", "()", "", |th, a| forward(th, a, "readable")),
    method("writable", "()", "", |th, a| forward(th, a, "writable")),
    method("isatty", "()", "", |th, a| forward(th, a, "isatty")),
    method(
        "seek",
        "(cookie, whence=os.SEEK_SET, /)",
        "Set the stream position, and return the new stream position.",
        position::seek,
    ),
    method("tell", "()", "Return the stream position as an opaque number.", position::tell),
    method("truncate", "(pos=None, /)", "Truncate the underlying buffer.", |th, a| {
        let t = a.this_ref::<TextIo>();
        t.check_attached(th)?;
        attr::call_method(th, &a[0], "flush", &[])?;
        let buffer = t.attached(th)?;
        attr::call_method(th, &buffer, "truncate", &[a.opt(1).cloned().unwrap_or(Value::NONE)])
    }),
    method("__reduce__", "()", "", |th, a| Err(arguments::cannot_pickle(th, &a[0]))),
    method("__reduce_ex__", "(object, /)", "", |th, a| Err(arguments::cannot_pickle(th, &a[0]))),
];
static GETSET: &[GetSet] = &[
    member("encoding", "", |_, v| Ok(this(v).encoding.get().into())),
    member("buffer", "", |th, v| match this(v).buffer.get() {
        Some(buffer) => Ok(buffer),
        None if this(v).state.lock().ok => Ok(Value::NONE),
        None => Err(errors::attribute_error(th, "buffer")),
    }),
    member("line_buffering", "", |_, v| Ok(Value::bool(this(v).state.lock().line_buffering))),
    member("write_through", "", |_, v| Ok(Value::bool(this(v).state.lock().write_through))),
    writable_member(
        "_finalizing",
        |_, v| Ok(this(v).finalizing.load(Relaxed).into()),
        |th, v, new| {
            let new = required(th, new)?;
            this(v).finalizing.store(compare::truth(th, new)?, Relaxed);
            Ok(())
        },
    ),
    getter("name", "", |th, v| {
        let buffer = this(v).attached(th)?;
        attr::get_text(th, &buffer, "name")
    }),
    getter("closed", "", |th, v| {
        let buffer = this(v).attached(th)?;
        attr::get_text(th, &buffer, "closed")
    }),
    getter("newlines", "", |th, v| {
        let t = this(v);
        t.check_attached(th)?;
        let known = {
            let s = t.state.lock();
            if !s.has_decoder {
                return Ok(Value::NONE);
            }
            s.decoder.newlines
        };
        match (known, t.decoder.get()) {
            (Some(n), _) => Ok(n.seen()),
            (None, Some(decoder)) => Ok(attr::get_text_opt(th, &decoder, "newlines")?.into()),
            (None, None) => Ok(Value::NONE),
        }
    }),
    getter("errors", "", |th, v| {
        let t = this(v);
        if t.state.lock().ok { Ok(t.errors.get().into()) } else { Err(uninitialized(th)) }
    }),
    getset(
        "_CHUNK_SIZE",
        "",
        |th, v| {
            let t = this(v);
            t.check_attached(th)?;
            let n = t.state.lock().chunk_size;
            Ok(Value::from(n))
        },
        |th, v, new| {
            let t = this(v);
            t.check_attached(th)?;
            let Some(new) = new else { return Err(errors::attribute_error(th, "cannot delete attribute")) };
            let n = match number::index_isize(th, new) {
                Ok(n) => n,
                Err(raised) => {
                    drop(catch(th, raised, &OVERFLOW_ERROR)?);
                    return Err(value_error(th, "cannot fit 'int' into an index-sized integer"));
                }
            };
            if n <= 0 {
                return Err(value_error(th, "a strictly positive integer is required"));
            }
            t.state.lock().chunk_size = n as usize;
            Ok(())
        },
    ),
];

fn this(v: &Value) -> &TextIo {
    v.downcast_ref().expect("the descriptor checked the class of self")
}
fn forward(th: &mut Thread, a: &Args<'_>, name: &str) -> PyResult<Value> {
    let buffer = this(&a[0]).attached(th)?;
    attr::call_method(th, &buffer, name, &[])
}

impl TextIo {
    fn check_attached(&self, th: &mut Thread) -> PyResult<()> {
        let (ok, detached) = {
            let s = self.state.lock();
            (s.ok, s.detached)
        };
        match (ok, detached) {
            (false, _) => Err(uninitialized(th)),
            (_, true) => Err(value_error(th, "underlying buffer has been detached")),
            _ => Ok(()),
        }
    }
    /// The buffer of an attached wrapper.
    fn attached(&self, th: &mut Thread) -> PyResult<Value> {
        self.check_attached(th)?;
        self.buffer.get().ok_or_else(|| uninitialized(th))
    }
    fn check_closed(&self, th: &mut Thread, me: &Value) -> PyResult<()> {
        if !me.is_exact(&TEXT_IO_WRAPPER) {
            return arguments::check_closed(th, me);
        }
        if let Some(raw) = self.raw.get()
            && let Some(file) = raw.downcast_ref::<FileIo>()
        {
            return if file.is_closed() { Err(closed_file(th)) } else { Ok(()) };
        }
        let buffer = self.attached(th)?;
        let closed = attr::get_text(th, &buffer, "closed")?;
        if compare::truth(th, &closed)? { Err(closed_file(th)) } else { Ok(()) }
    }
    fn errors_text(&self) -> String {
        let errors = self.errors.get();
        let text = errors.as_ref().and_then(|e| e.downcast_ref::<Str>());
        text.map_or_else(|| "strict".to_owned(), |s| s.to_string_lossy().into_owned())
    }
    fn set_newline(&self, newline: Option<&'static str>) {
        let mut s = self.state.lock();
        s.newline = newline;
        s.read_universal = newline.is_none_or(str::is_empty);
        s.read_translate = newline.is_none();
        s.write_translate = newline.is_none_or(|n| !n.is_empty());
    }
    /// Only the start of a stream gets a byte order mark.
    fn fix_encoder_state(&self, th: &mut Thread) -> PyResult<()> {
        {
            let mut s = self.state.lock();
            if !s.seekable || !s.has_encoder {
                return Ok(());
            }
            s.start_of_stream = true;
        }
        let buffer = self.buffer.get().unwrap_or(Value::NONE);
        let at = attr::call_method(th, &buffer, "tell", &[])?;
        if compare::eq(th, &at, &Value::int(0))? { Ok(()) } else { self.reset_encoder(th, false) }
    }
}

/// The encoding of the locale.
pub fn locale_encoding() -> &'static str {
    "UTF-8"
}
fn check_newline(th: &mut Thread, text: Option<&str>) -> PyResult<Option<&'static str>> {
    let Some(text) = text else { return Ok(None) };
    match ["", "\n", "\r", "\r\n"].into_iter().find(|known| *known == text) {
        Some(known) => Ok(Some(known)),
        None => Err(value_error(th, format!("illegal newline value: {text}"))),
    }
}
/// The `errors` argument; "strict" for None.
fn check_errors(th: &mut Thread, v: Option<&Value>, function: &str) -> PyResult<Option<Ref<Str>>> {
    let Some(v) = v.filter(|v| !v.is_none()) else { return Ok(None) };
    let Some(text) = v.to_ref::<Str>() else {
        let class = v.class().name();
        return Err(type_error(th, format!("{function}() argument 'errors' must be str or None, not {class}")));
    };
    if text.to_utf8().is_none() {
        return Err(errors::surrogates_not_allowed(th, &text));
    }
    if text.iter().any(|c| c == 0) {
        return Err(value_error(th, "embedded null character"));
    }
    if config::get(th).flags.dev_mode {
        krait_runtime::codecs::registry::lookup_error(th, &text.to_string_lossy())?;
    }
    Ok(Some(text))
}

fn init(th: &mut Thread, v: &Value, args: &Args<'_>) -> PyResult<()> {
    static SIG: Sig = Sig::new(SIGNATURE);
    let bound = SIG.bind(th, "TextIOWrapper", "TextIOWrapper", args, 0)?;
    let a = bound.args();
    let encoding = text_or_none(th, a.opt(1), "TextIOWrapper", "encoding")?;
    let newline = text_or_none(th, a.opt(3), "TextIOWrapper", "newline")?;
    let line_buffering = a.opt(4).map_or(Ok(false), |b| compare::truth(th, b))?;
    let write_through = a.opt(5).map_or(Ok(false), |b| compare::truth(th, b))?;
    let t = this(v);
    {
        let mut s = t.state.lock();
        (s.ok, s.detached) = (false, false);
    }
    if encoding.is_none() && config::get(th).flags.warn_default_encoding != 0 {
        krait_runtime::warnings::warn(th, &ENCODING_WARNING, "'encoding' argument not specified", 1)?;
    }
    let errors = check_errors(th, a.opt(2), "TextIOWrapper")?.unwrap_or_else(|| Str::new("strict"));
    let newline = check_newline(th, newline.as_deref())?;
    for cell in [&t.buffer, &t.encoding, &t.encoder, &t.decoder, &t.errors, &t.raw] {
        cell.set(None);
    }
    *t.state.lock() = State { chunk_size: 8192, ..State::default() };
    let utf8_mode = config::get(th).flags.utf8_mode != 0;
    let encoding = match encoding.as_deref() {
        None if utf8_mode => "utf-8",
        None | Some("locale") => locale_encoding(),
        Some(name) => name,
    };
    let codec = codec::lookup(th, encoding)?;
    t.encoding.set(Some(Value::str(encoding)));
    t.errors.set(Some(errors.to_value()));
    t.set_newline(newline);
    {
        let mut s = t.state.lock();
        (s.line_buffering, s.write_through) = (line_buffering, write_through);
    }
    let buffer = &a[0];
    t.buffer.set(Some(buffer.clone()));
    let errors = t.errors_text();
    t.set_decoder(th, &codec, &errors)?;
    t.set_encoder(th, &codec, &errors)?;
    if buffered::is_exact(buffer) {
        t.raw.set(buffered::raw_of(buffer).filter(|r| r.is_exact(&FILE_IO)));
    }
    let seekable = arguments::ask(th, buffer, "seekable")?;
    let has_read1 = attr::get_text_opt(th, buffer, "read1")?.is_some();
    {
        let mut s = t.state.lock();
        (s.seekable, s.telling, s.has_read1) = (seekable, seekable, has_read1);
        s.start_of_stream = false;
    }
    t.fix_encoder_state(th)?;
    t.state.lock().ok = true;
    Ok(())
}

/// The new encoding; one with a NUL is merely unknown.
fn encoding_or_none(th: &mut Thread, v: Option<&Value>) -> PyResult<Option<String>> {
    let given = v.and_then(|v| v.to_ref::<Str>());
    match given.as_ref().and_then(|s| s.to_utf8()) {
        Some(text) if text.contains('\0') => {
            Err(errors::lookup_error(th, format!("unknown encoding: {}", text.split('\0').next().unwrap_or_default())))
        }
        _ => text_or_none(th, v, "reconfigure", "encoding"),
    }
}
/// A truth value given as an int: `__index__` is asked, not `__bool__`.
fn int_truth(th: &mut Thread, v: &Value) -> PyResult<bool> {
    Ok(number::to_i32(th, v)? != 0)
}
fn optional_bool(th: &mut Thread, v: Option<&Value>, default: bool) -> PyResult<bool> {
    v.filter(|v| !v.is_none()).map_or(Ok(default), |v| int_truth(th, v))
}
fn reconfigure(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let t = a.this_ref::<TextIo>();
    t.check_attached(th)?;
    let encoding = encoding_or_none(th, a.opt(1))?;
    let new_errors = check_errors(th, a.opt(2), "reconfigure")?;
    let newline_given = a.opt(3).is_some();
    if t.state.lock().decoded.is_some() && (encoding.is_some() || new_errors.is_some() || newline_given) {
        let message = "It is not possible to set the encoding or newline of stream after the first read";
        return Err(unsupported(th, message));
    }
    let newline = text_or_none(th, a.opt(3), "reconfigure", "newline")?;
    let newline = check_newline(th, newline.as_deref())?;
    let (line_buffering, write_through) = {
        let s = t.state.lock();
        (s.line_buffering, s.write_through)
    };
    let line_buffering = optional_bool(th, a.opt(4), line_buffering)?;
    let write_through = optional_bool(th, a.opt(5), write_through)?;
    attr::call_method(th, &a[0], "flush", &[])?;
    t.state.lock().ratio = 0.0;
    if newline_given {
        t.set_newline(newline);
    }
    if encoding.is_some() || new_errors.is_some() || newline_given {
        let held = t.errors.get().and_then(|e| e.downcast::<Str>().ok());
        let errors = match (new_errors, &encoding) {
            (Some(errors), _) => errors,
            (None, None) => held.unwrap_or_else(|| Str::new("strict")),
            (None, Some(_)) => Str::new("strict"),
        };
        let name = match encoding.as_deref() {
            Some("locale") => locale_encoding().to_owned(),
            Some(name) => name.to_owned(),
            None => {
                let held = t.encoding.get().and_then(|e| e.downcast::<Str>().ok());
                held.map_or_else(|| "utf-8".to_owned(), |s| s.to_string_lossy().into_owned())
            }
        };
        let codec = codec::lookup(th, &name)?;
        let text = errors.to_string_lossy().into_owned();
        t.set_decoder(th, &codec, &text)?;
        t.set_encoder(th, &codec, &text)?;
        t.encoding.set(Some(Value::str(&name)));
        t.errors.set(Some(errors.to_value()));
        t.fix_encoder_state(th)?;
    }
    let mut s = t.state.lock();
    (s.line_buffering, s.write_through) = (line_buffering, write_through);
    drop(s);
    Ok(Value::NONE)
}
fn close(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let t = a.this_ref::<TextIo>();
    let buffer = t.attached(th)?;
    let closed = attr::get_text(th, &buffer, "closed")?;
    if compare::truth(th, &closed)? {
        return Ok(Value::NONE);
    }
    if t.finalizing.load(Relaxed)
        && let Err(raised) = attr::call_method(th, &buffer, "_dealloc_warn", &[a[0].clone()])
    {
        forget(th, raised);
    }
    let flushed = attr::call_method(th, &a[0], "flush", &[]);
    chain(th, flushed, |th| attr::call_method(th, &buffer, "close", &[]))
}
/// An attribute for the repr; none where the buffer is gone.
fn shown_attribute(th: &mut Thread, v: &Value, name: &str) -> PyResult<Option<Value>> {
    match attr::get_text_opt(th, v, name) {
        Ok(found) => Ok(found),
        Err(raised) if in_flight(th, &VALUE_ERROR) || in_flight(th, &ATTRIBUTE_ERROR) => {
            forget(th, raised);
            Ok(None)
        }
        Err(raised) => Err(raised),
    }
}
fn show(th: &mut Thread, v: &Value) -> PyResult<Value> {
    if !this(v).state.lock().ok {
        return Err(uninitialized(th));
    }
    if !repr::enter_repr(th, v) {
        let class = arguments::type_name(v);
        return Err(runtime_error(th, format!("reentrant call inside {class}.__repr__")));
    }
    let result = show_unguarded(th, v);
    repr::leave_repr(th, v);
    result
}
fn show_unguarded(th: &mut Thread, v: &Value) -> PyResult<Value> {
    let mut out = StrBuilder::new();
    out.push_text(&format!("<{}", arguments::type_name(v)));
    for name in ["name", "mode"] {
        if let Some(value) = shown_attribute(th, v, name)? {
            out.push_text(&format!(" {name}="));
            out.push_str(&*repr::repr(th, &value)?);
        }
    }
    out.push_text(" encoding=");
    out.push_str(&*repr::repr(th, &Value::from(this(v).encoding.get()))?);
    out.push_text(">");
    Ok(out.finish().into())
}
/// The bytes of a chunk that a buffer handed out.
fn chunk_bytes(th: &mut Thread, chunk: &Value, function: &str) -> PyResult<Vec<u8>> {
    if let Some(bytes) = chunk.downcast_ref::<Bytes>() {
        return Ok(bytes.to_vec());
    }
    match krait_runtime::protocol::buffer::bytes_like(th, chunk) {
        Ok(bytes) => Ok(bytes),
        Err(raised) => {
            forget(th, raised);
            let class = chunk.class().name();
            let message = format!("underlying {function}() should have returned a bytes-like object, not '{class}'");
            Err(type_error(th, message))
        }
    }
}
