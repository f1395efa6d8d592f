//! `StringIO`: a text stream in memory. CPython: `Modules/_io/stringio.c`.
use krait_macros::{Payload, Trace};
use krait_object::native::{Sig, getter, method};
use krait_object::{
    Args, ClassDef, Dict, Locked, Method, PyResult, Ref, SlotDefs, Str, StrBuilder, Thread, Tuple, TypeObject, VTable,
    Value,
};
use krait_runtime::errors::{memory_error, raise, type_error, value_error};
use krait_runtime::exceptions::OS_ERROR;
use krait_runtime::protocol::{attr, number, repr};

use super::arguments::{self, size_or, too_large, uninitialized};
use super::base::{FLAGS, IoBase, TEXT_IO_BASE};
use super::bytesio::{restore_dict, state_position};
use super::newline::Newlines;
use super::text::newlines::{LineEnds, end_of_line};

/// While text is only appended it is gathered in a builder; everything else works on code points.
enum Content {
    Gathering(StrBuilder),
    Points(Vec<u32>),
}
struct State {
    initialized: bool,
    closed: bool,
    content: Content,
    pos: usize,
    newlines: Option<Newlines>,
    /// As given: `None`, "", "\n", "\r", "\r\n".
    newline: Option<&'static str>,
}
impl State {
    fn len(&self) -> usize {
        match &self.content {
            Content::Gathering(b) => b.len(),
            Content::Points(p) => p.len(),
        }
    }
    fn points(&mut self) -> &mut Vec<u32> {
        if let Content::Gathering(b) = &mut self.content {
            let text = std::mem::take(b).finish();
            self.content = Content::Points(text.iter().collect());
        }
        match &mut self.content {
            Content::Points(p) => p,
            Content::Gathering(_) => unreachable!("the content was just changed"),
        }
    }
    fn text(&mut self) -> Ref<Str> {
        match &mut self.content {
            Content::Points(p) => Str::from_points(p),
            Content::Gathering(b) => {
                let text = std::mem::take(b).finish();
                b.push_str(&text);
                text
            }
        }
    }
    fn ends(&self) -> LineEnds {
        LineEnds::of(self.newline)
    }
    /// Writes text that is translated already; false without memory.
    fn store(&mut self, text: &Str) -> bool {
        let end = self.pos + text.len();
        if let Content::Gathering(b) = &mut self.content
            && b.len() == self.pos
        {
            if b.try_reserve(text.len(), krait_object::Kind::Ascii).is_err() {
                return false;
            }
            b.push_str(text);
            self.pos = end;
            return true;
        }
        let pos = self.pos;
        let points = self.points();
        if end > points.len() {
            let more = end - points.len();
            if points.try_reserve(more).is_err() {
                return false;
            }
            points.resize(end, 0);
        }
        for (to, from) in points[pos..end].iter_mut().zip(text.iter()) {
            *to = from;
        }
        self.pos = end;
        true
    }
}

#[repr(C)]
#[derive(Trace, Payload)]
#[payload(class = STRING_IO, extends = IoBase)]
pub struct StringIo {
    base: IoBase,
    #[trace(skip)]
    state: Locked<State>,
}
static LAYOUT: VTable = VTable::of::<StringIo>();
pub static STRING_IO: TypeObject = TypeObject::builtin("StringIO", Some(&TEXT_IO_BASE), &LAYOUT);
pub static DEF: ClassDef = ClassDef {
    module: "_io",
    doc: "Text I/O implementation using an in-memory buffer.\n\nThe initial_value argument sets the value of object.  The \
          newline\nargument is like the one of TextIOWrapper's constructor.",
    sig: "(initial_value='', newline='\\n')",
    methods: METHODS,
    getset: &[
        getter("closed", "", |th, v| {
            let (ready, closed) = {
                let s = this(v).state.lock();
                (s.initialized, s.closed)
            };
            if ready { Ok(Value::bool(closed)) } else { Err(uninitialized(th)) }
        }),
        getter("newlines", "", |th, v| {
            let me = this(v);
            me.check(th)?;
            let newlines = me.state.lock().newlines;
            Ok(newlines.map_or(Value::NONE, |n| n.seen()))
        }),
        getter("line_buffering", "", |th, v| {
            this(v).check(th)?;
            Ok(Value::FALSE)
        }),
    ],
    slots: SlotDefs {
        new: Some(|_, class, _| {
            let state = State {
                initialized: false,
                closed: false,
                content: Content::Gathering(StrBuilder::new()),
                pos: 0,
                newlines: None,
                newline: Some("\n"),
            };
            Ok(Ref::with_class(StringIo { base: IoBase::new(), state: Locked::new(state) }, class.object()).into())
        }),
        init: Some(init),
        next: Some(next),
        ..SlotDefs::EMPTY
    },
    flags: FLAGS,
    ..ClassDef::new(&STRING_IO)
};
static METHODS: &[Method] = &[
    method("close", "()", "Close the IO object.", |_, a| {
        let mut s = a.this::<StringIo>().state.lock();
        s.closed = true;
        s.content = Content::Gathering(StrBuilder::new());
        s.pos = 0;
        Ok(Value::NONE)
    }),
    method("getvalue", "()", "Retrieve the entire contents of the object.", |th, a| {
        let me = a.this::<StringIo>();
        me.check(th)?;
        let text = me.state.lock().text();
        Ok(text.into())
    }),
    method("read", "(size=-1, /)", "Read at most size characters, returned as a string.", read),
    method("readline", "(size=-1, /)", "Read until newline or EOF.", |th, a| {
        let limit = size_or(th, a.opt(1), -1)?;
        let me = a.this::<StringIo>();
        me.check(th)?;
        Ok(me.line(limit).into())
    }),
    method("tell", "()", "Tell the current file position.", |th, a| {
        let me = a.this::<StringIo>();
        me.check(th)?;
        let pos = me.state.lock().pos;
        Ok(Value::from(pos))
    }),
    method("truncate", "(pos=None, /)", "Truncate size to pos.", truncate),
    method("seek", "(pos, whence=0, /)", "Change stream position.", seek),
    method("write", "(s, /)", "Write string to file.", write),
    method("seekable", "()", "Returns True if the IO object can be seeked.", yes),
    method("readable", "()", "Returns True if the IO object can be read.", yes),
    method("writable", "()", "Returns True if the IO object can be written.", yes),
    method("__getstate__", "()", "", getstate),
    method("__setstate__", "(state, /)", "", setstate),
];

fn this(v: &Value) -> &StringIo {
    v.downcast_ref().expect("the descriptor checked the class of self")
}
fn yes(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    a.this::<StringIo>().check(th)?;
    Ok(Value::TRUE)
}
impl StringIo {
    fn check(&self, th: &mut Thread) -> PyResult<()> {
        let (ready, closed) = {
            let s = self.state.lock();
            (s.initialized, s.closed)
        };
        match (ready, closed) {
            (false, _) => Err(uninitialized(th)),
            (_, true) => Err(value_error(th, "I/O operation on closed file")),
            _ => Ok(()),
        }
    }
    fn line(&self, limit: isize) -> Ref<Str> {
        let mut s = self.state.lock();
        let (pos, ends) = (s.pos, s.ends());
        let rest = s.points().get(pos..).unwrap_or_default();
        let n = end_of_line(rest, ends).unwrap_or(rest.len());
        let n = usize::try_from(limit).map_or(n, |l| l.min(n));
        let line = if n == 0 { Str::empty() } else { Str::from_points(&rest[..n]) };
        s.pos += n;
        line
    }
}
/// The newline argument; ValueError for anything else.
fn check_newline(th: &mut Thread, v: Option<&Value>) -> PyResult<Option<&'static str>> {
    let Some(v) = v else { return Ok(Some("\n")) };
    if v.is_none() {
        return Ok(None);
    }
    let Some(text) = v.downcast_ref::<Str>() else {
        let class = v.class().name();
        return Err(type_error(th, format!("newline must be str or None, not {class}")));
    };
    match ["", "\n", "\r", "\r\n"].into_iter().find(|n| text.eq_str(n)) {
        Some(known) => Ok(Some(known)),
        None => {
            let shown = repr::repr(th, v)?;
            Err(value_error(th, format!("illegal newline value: {shown}")))
        }
    }
}
fn init(th: &mut Thread, v: &Value, args: &Args<'_>) -> PyResult<()> {
    static SIG: Sig = Sig::new("(initial_value='', newline='\\n')");
    let bound = SIG.bind(th, "StringIO", "StringIO", args, 0)?;
    let a = bound.args();
    this(v).state.lock().initialized = false;
    let newline = check_newline(th, a.opt(1))?;
    let initial = match a.opt_not_none(0) {
        None => None,
        Some(i) => match i.to_ref::<Str>() {
            Some(s) => Some(s),
            None => {
                let class = i.class().name();
                return Err(type_error(th, format!("initial_value must be str or None, not {class}")));
            }
        },
    };
    let me = this(v);
    {
        let mut s = me.state.lock();
        s.content = Content::Gathering(StrBuilder::new());
        s.pos = 0;
        s.newline = newline;
        s.newlines = newline.is_none_or(str::is_empty).then(|| Newlines::new(newline.is_none()));
    }
    if let Some(text) = initial.filter(|t| !t.is_empty()) {
        write_text(th, me, &text)?;
    }
    let mut s = me.state.lock();
    (s.pos, s.closed, s.initialized) = (0, false, true);
    Ok(())
}
/// Translates newlines as the stream was asked to, and writes.
fn write_text(th: &mut Thread, me: &StringIo, text: &Ref<Str>) -> PyResult<()> {
    let mut s = me.state.lock();
    let mut text = match &mut s.newlines {
        Some(n) => n.apply(text.clone(), true),
        None => text.clone(),
    };
    if let Some(newline @ ("\r" | "\r\n")) = s.newline {
        let mut out = StrBuilder::with_capacity(text.len());
        for c in text.iter() {
            if c == 10 { out.push_text(newline) } else { out.push(c) }
        }
        text = out.finish();
    }
    if s.pos.checked_add(text.len()).is_none_or(|end| end > isize::MAX as usize / 4) {
        drop(s);
        return Err(too_large(th));
    }
    let stored = s.store(&text);
    drop(s);
    if stored { Ok(()) } else { Err(memory_error(th)) }
}
fn write(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let me = a.this::<StringIo>();
    if !me.state.lock().initialized {
        return Err(uninitialized(th));
    }
    let Some(text) = a[1].to_ref::<Str>() else {
        let class = a[1].class().name();
        return Err(type_error(th, format!("string argument expected, got '{class}'")));
    };
    me.check(th)?;
    if !text.is_empty() {
        write_text(th, me, &text)?;
    }
    Ok(Value::from(text.len()))
}
fn read(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let n = size_or(th, a.opt(1), -1)?;
    let me = a.this::<StringIo>();
    me.check(th)?;
    let mut s = me.state.lock();
    let left = s.len().saturating_sub(s.pos);
    let n = usize::try_from(n).map_or(left, |n| n.min(left));
    if n == 0 {
        return Ok(Str::empty().into());
    }
    let pos = s.pos;
    s.pos += n;
    if pos == 0 && n == left {
        return Ok(s.text().into());
    }
    Ok(Str::from_points(&s.points()[pos..pos + n]).into())
}
fn next(th: &mut Thread, v: &Value) -> PyResult<Option<Value>> {
    let me = this(v);
    me.check(th)?;
    if v.is_exact(&STRING_IO) {
        let line = me.line(-1);
        return Ok(if line.is_empty() { None } else { Some(line.into()) });
    }
    let line = attr::call_method(th, v, "readline", &[])?;
    match line.downcast_ref::<Str>() {
        Some(text) if text.is_empty() => Ok(None),
        Some(_) => Ok(Some(line)),
        None => {
            let class = line.class().name();
            let message = format!("readline() should have returned a str object, not '{class}'");
            Err(raise(th, &OS_ERROR, message))
        }
    }
}
fn truncate(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let me = a.this::<StringIo>();
    let given = a.opt_not_none(1).map(|v| size_or(th, Some(v), 0)).transpose()?;
    me.check(th)?;
    let size = given.unwrap_or_else(|| me.state.lock().pos as isize);
    if size < 0 {
        return Err(value_error(th, format!("Negative size value {size}")));
    }
    let mut s = me.state.lock();
    if (size as usize) < s.len() {
        s.points().truncate(size as usize);
    }
    drop(s);
    Ok(Value::from(size as i64))
}
fn seek(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let pos = number::to_isize(th, &a[1])?;
    let whence = arguments::whence(th, a.opt(2))?;
    let me = a.this::<StringIo>();
    me.check(th)?;
    if !(0..=2).contains(&whence) {
        return Err(value_error(th, format!("Invalid whence ({whence}, should be 0, 1 or 2)")));
    }
    if pos < 0 && whence == 0 {
        return Err(value_error(th, format!("Negative seek position {pos}")));
    }
    if whence != 0 && pos != 0 {
        return Err(raise(th, &OS_ERROR, "Can't do nonzero cur-relative seeks"));
    }
    let mut s = me.state.lock();
    let at = match whence {
        0 => pos as usize,
        1 => s.pos,
        _ => s.len(),
    };
    s.pos = at;
    drop(s);
    Ok(Value::from(at))
}
fn getstate(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let value = attr::call_method(th, &a[0], "getvalue", &[])?;
    let me = a.this::<StringIo>();
    let (newline, pos) = {
        let s = me.state.lock();
        (s.newline, s.pos)
    };
    let dict = match me.base.dict().and_then(|d| d.downcast::<Dict>().ok()) {
        Some(d) => Value::from(d.copy()),
        None => Value::NONE,
    };
    Ok(Tuple::of([value, newline.into(), Value::from(pos), dict]).into())
}
fn setstate(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let me = a.this::<StringIo>();
    if me.state.lock().closed {
        return Err(value_error(th, "I/O operation on closed file"));
    }
    let Some(state) = a[1].to_ref::<Tuple>().filter(|t| t.len() >= 4) else {
        let (class, given) = (arguments::type_name(&a[0]), a[1].class().name());
        return Err(type_error(th, format!("{class}.__setstate__ argument should be 4-tuple, got {given}")));
    };
    init(th, &a[0], &Args::new(&[state[0].clone(), state[1].clone()], &[]))?;
    // The text in the state is translated already: it must not be so again.
    let text = state[0].to_ref::<Str>().unwrap_or_else(Str::empty);
    {
        let mut s = me.state.lock();
        s.content = Content::Points(text.iter().collect());
    }
    let pos = state_position(th, &state[2], "third")?;
    me.state.lock().pos = pos;
    restore_dict(th, &a[0], &state[3], "fourth")?;
    Ok(Value::NONE)
}
