//! What is searched, as an object: the text behind it, slices of it, and the one way to run a program on it.

use krait_object::buffer::{Buffer, flags};
use krait_object::thread::breaker::{LIMIT, SIGNAL, STOP};
use krait_object::{Bytes, PyResult, Raised, Ref, Str, StrBuilder, StrData, Thread, Value};
use krait_runtime::errors::{memory_error, runtime_error, type_error};
use krait_runtime::protocol::buffer::get_buffer;
use krait_runtime::safepoint;

use super::engine::{Fault, Scratch};
use super::program::Program;
use super::search::{self, Bounds, Mode};
use super::text::Text;

/// What a match under way looks after; everything else can wait for its end.
const URGENT: u32 = SIGNAL | STOP | LIMIT;

/// Frames kept in the thread's scratch buffers after a match that needed more.
const KEPT_FRAMES: usize = 1 << 14;

pub enum Subject {
    Str(Ref<Str>),
    Bytes(Ref<Bytes>),
    /// Any other exporter; the export lives as long as the subject.
    Buffer(Buffer),
}

fn text_of(s: &Str) -> Text<'_> {
    match s.data() {
        StrData::Ascii(text) | StrData::Latin1(text) => Text::Narrow(text),
        StrData::Ucs2(text) => Text::Medium(text),
        StrData::Ucs4(text) => Text::Wide(text),
    }
}

impl Subject {
    pub fn new(th: &mut Thread, string: &Value) -> PyResult<Subject> {
        if let Some(s) = string.to_ref::<Str>() {
            return Ok(Subject::Str(s));
        }
        if let Some(bytes) = string.to_ref::<Bytes>() {
            return Ok(Subject::Bytes(bytes));
        }
        match get_buffer(th, string, flags::SIMPLE) {
            Ok(buffer) => Ok(Subject::Buffer(buffer)),
            Err(_) => {
                th.take_exc();
                let name = string.class().name();
                Err(type_error(th, format!("expected string or bytes-like object, got '{name:.200}'")))
            }
        }
    }

    pub fn is_bytes(&self) -> bool {
        !matches!(self, Subject::Str(_))
    }

    /// Length in characters.
    pub fn len(&self) -> usize {
        match self {
            Subject::Str(s) => s.len(),
            Subject::Bytes(bytes) => bytes.len(),
            Subject::Buffer(buffer) => buffer.len,
        }
    }

    /// The part `start..end` as a `str` or `bytes`; `whole` itself where it is all of it and of the exact type.
    pub fn slice(&self, whole: &Value, start: usize, end: usize) -> Value {
        let end = end.min(self.len());
        let start = start.min(end);
        if start == 0
            && end == self.len()
            && (whole.downcast_exact::<Str>().is_some() || whole.downcast_exact::<Bytes>().is_some())
        {
            return whole.clone();
        }
        match self {
            Subject::Str(s) => s.slice(start, end).into(),
            Subject::Bytes(bytes) => Bytes::new(&bytes[start..end]).into(),
            Subject::Buffer(buffer) => {
                buffer.with_bytes(|bytes| Bytes::new(bytes.get(start..end).unwrap_or_default())).into()
            }
        }
    }

    /// Runs the program; on success bounds and groups are in `scratch`.
    pub fn execute(
        &self,
        th: &mut Thread,
        program: &Program,
        bounds: Bounds,
        mode: Mode,
        scratch: &mut Scratch,
    ) -> PyResult<bool> {
        match self {
            Subject::Str(s) => execute(th, program, text_of(s), bounds, mode, scratch),
            Subject::Bytes(bytes) => execute(th, program, Text::Narrow(bytes), bounds, mode, scratch),
            Subject::Buffer(buffer) => {
                // Signal handlers must not run while the exporter is locked: then the match starts again on a copy.
                let mut stop = || th.breaker() & URGENT != 0;
                let found =
                    buffer.with_bytes(|b| search::execute(program, Text::Narrow(b), bounds, mode, scratch, &mut stop));
                match found {
                    Ok(found) => Ok(found),
                    Err(Fault::Interrupted) => {
                        execute(th, program, Text::Narrow(&buffer.to_vec()), bounds, mode, scratch)
                    }
                    Err(fault) => Err(raise(th, fault)),
                }
            }
        }
    }
}

fn execute(
    th: &mut Thread,
    program: &Program,
    text: Text<'_>,
    bounds: Bounds,
    mode: Mode,
    scratch: &mut Scratch,
) -> PyResult<bool> {
    let mut raised: Option<Raised> = None;
    let found = search::execute(program, text, bounds, mode, scratch, &mut || {
        let wanted = th.breaker() & URGENT;
        raised = if wanted == 0 { None } else { safepoint::handle(th, wanted).err() };
        raised.is_some()
    });
    match (found, raised) {
        (Ok(found), _) => Ok(found),
        (Err(_), Some(raised)) => Err(raised),
        (Err(fault), None) => Err(raise(th, fault)),
    }
}

fn raise(th: &mut Thread, fault: Fault) -> Raised {
    match fault {
        Fault::Memory => memory_error(th),
        Fault::State | Fault::Interrupted => runtime_error(th, "internal error in regular expression engine"),
    }
}

/// Lends `f` the thread's buffers; a use inside of another gets buffers of its own.
pub fn with_scratch<R>(th: &mut Thread, f: impl FnOnce(&mut Thread, &mut Scratch) -> R) -> R {
    let mut scratch = std::mem::take(th.extension::<Scratch>());
    let result = f(th, &mut scratch);
    scratch.shrink(KEPT_FRAMES);
    *th.extension::<Scratch>() = scratch;
    result
}

/// The pieces of a result, joined: `str` or `bytes`, whichever the subject is.
pub struct Joiner {
    text: JoinedText,
    pieces: usize,
    /// The first piece of a wrong type, found when the result is asked for, as `join` would.
    wrong: Option<String>,
}

enum JoinedText {
    Str(StrBuilder),
    Bytes(Vec<u8>),
}

impl Joiner {
    pub fn new(bytes: bool) -> Joiner {
        let text = if bytes { JoinedText::Bytes(Vec::new()) } else { JoinedText::Str(StrBuilder::new()) };
        Joiner { text, pieces: 0, wrong: None }
    }

    /// Appends a part of the subject.
    pub fn push_slice(&mut self, th: &mut Thread, subject: &Subject, start: usize, end: usize) -> PyResult<()> {
        self.pieces += 1;
        match (&mut self.text, subject) {
            (JoinedText::Str(out), Subject::Str(s)) => {
                if out.try_reserve(end - start, krait_object::Kind::Ascii).is_err() {
                    return Err(memory_error(th));
                }
                match s.data() {
                    StrData::Ascii(u) => match std::str::from_utf8(&u[start..end]) {
                        Ok(text) => out.push_text(text),
                        Err(_) => out.push_points(u[start..end].iter().map(|&c| c.into())),
                    },
                    StrData::Latin1(u) => out.push_points(u[start..end].iter().map(|&c| c.into())),
                    StrData::Ucs2(u) => out.push_points(u[start..end].iter().map(|&c| c.into())),
                    StrData::Ucs4(u) => out.push_points(u[start..end].iter().copied()),
                }
            }
            (JoinedText::Bytes(out), Subject::Bytes(bytes)) => {
                append(th, out, &bytes[start..end])?;
            }
            (JoinedText::Bytes(out), Subject::Buffer(buffer)) => {
                buffer.with_bytes(|bytes| append(th, out, bytes.get(start..end).unwrap_or_default()))?;
            }
            _ => {}
        }
        Ok(())
    }

    /// Appends a value, which must be of the result's type.
    pub fn push_value(&mut self, th: &mut Thread, value: &Value) -> PyResult<()> {
        let index = self.pieces;
        self.pieces += 1;
        let fits = match &mut self.text {
            JoinedText::Str(out) => match value.downcast_ref::<Str>() {
                Some(s) => {
                    if out.try_reserve(s.len(), krait_object::Kind::Ascii).is_err() {
                        return Err(memory_error(th));
                    }
                    out.push_str(s);
                    true
                }
                None => false,
            },
            JoinedText::Bytes(out) => match value.downcast_ref::<Bytes>() {
                Some(bytes) => {
                    append(th, out, bytes)?;
                    true
                }
                None => match get_buffer(th, value, flags::SIMPLE) {
                    Ok(buffer) => {
                        buffer.with_bytes(|bytes| append(th, out, bytes))?;
                        true
                    }
                    Err(_) => {
                        th.take_exc();
                        false
                    }
                },
            },
        };
        if !fits && self.wrong.is_none() {
            let wanted = match self.text {
                JoinedText::Str(_) => "str instance",
                JoinedText::Bytes(_) => "a bytes-like object",
            };
            let name = value.class().name();
            self.wrong = Some(format!("sequence item {index}: expected {wanted}, {name:.80} found"));
        }
        Ok(())
    }

    pub fn finish(self, th: &mut Thread) -> PyResult<Value> {
        match (self.wrong, self.text) {
            (Some(message), _) => Err(type_error(th, message)),
            (None, JoinedText::Str(out)) => Ok(out.finish().into()),
            (None, JoinedText::Bytes(out)) => Ok(Bytes::new(&out).into()),
        }
    }
}

fn append(th: &mut Thread, out: &mut Vec<u8>, bytes: &[u8]) -> PyResult<()> {
    if out.try_reserve(bytes.len()).is_err() {
        return Err(memory_error(th));
    }
    out.extend_from_slice(bytes);
    Ok(())
}
