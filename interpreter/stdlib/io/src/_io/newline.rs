//! Newline translation while decoding, and `IncrementalNewlineDecoder`. CPython: `Modules/_io/textio.c`.
use krait_macros::{Payload, Trace};
use krait_object::builtin_types::OBJECT;
use krait_object::native::{Sig, getter, method};
use krait_object::{
    Args, Bytes, ClassDef, Locked, Method, PyResult, Ref, SlotDefs, Str, StrBuilder, StrData, Thread, Tuple,
    TypeObject, VTable, Value, ValueCell, type_flag,
};
use krait_runtime::errors::{type_error, value_error};
use krait_runtime::protocol::{attr, compare, number};

use super::arguments;

const CR: u8 = 1;
const LF: u8 = 2;
const CRLF: u8 = 4;

/// Universal newlines: which ones were seen, and a `\r` whose successor is not known yet.
#[derive(Clone, Copy, Default)]
pub struct Newlines {
    pub translate: bool,
    pub pending_cr: bool,
    pub seen: u8,
}
impl Newlines {
    pub fn new(translate: bool) -> Newlines {
        Newlines { translate, ..Newlines::default() }
    }
    pub fn apply(&mut self, text: Ref<Str>, last: bool) -> Ref<Str> {
        let mut text = text;
        if self.pending_cr && (last || !text.is_empty()) {
            let mut joined = StrBuilder::with_capacity(text.len() + 1);
            joined.push(13);
            joined.push_str(&text);
            text = joined.finish();
            self.pending_cr = false;
        }
        // A trailing \r is held back: \r\n must come out in one piece.
        if !last && !text.is_empty() && text.get(text.len() - 1) == Some(13) {
            text = text.slice(0, text.len() - 1);
            self.pending_cr = true;
        }
        if let StrData::Ascii(units) | StrData::Latin1(units) = text.data() {
            if memchr::memchr(b'\r', units).is_none() {
                if self.seen & LF == 0 && memchr::memchr(b'\n', units).is_some() {
                    self.seen |= LF;
                }
                return text;
            }
        } else if !text.iter().any(|c| c == 13) {
            if self.seen & LF == 0 && text.iter().any(|c| c == 10) {
                self.seen |= LF;
            }
            return text;
        }
        self.scan(&text)
    }
    /// Notes the newlines of a text with `\r` in it, and translates them.
    fn scan(&mut self, text: &Ref<Str>) -> Ref<Str> {
        let mut out = StrBuilder::with_capacity(text.len());
        let mut points = text.iter().peekable();
        while let Some(c) = points.next() {
            match c {
                10 => {
                    self.seen |= LF;
                    out.push(10);
                }
                13 if points.peek() == Some(&10) => {
                    points.next();
                    self.seen |= CRLF;
                    out.push(10);
                }
                13 => {
                    self.seen |= CR;
                    out.push(10);
                }
                _ => out.push(c),
            }
        }
        if self.translate { out.finish() } else { text.clone() }
    }
    /// The attribute `newlines`.
    pub fn seen(&self) -> Value {
        let names: Vec<Value> = [(CR, "\r"), (LF, "\n"), (CRLF, "\r\n")]
            .into_iter()
            .filter(|(bit, _)| self.seen & bit != 0)
            .map(|(_, text)| Value::str(text))
            .collect();
        match names.len() {
            0 => Value::NONE,
            1 => names.into_iter().next().unwrap_or(Value::NONE),
            _ => Tuple::from_vec(names).into(),
        }
    }
}

/// Decoders must answer text.
pub fn decoded_text(th: &mut Thread, answer: Value) -> PyResult<Ref<Str>> {
    answer.downcast::<Str>().map_err(|answer| {
        let class = answer.class().name();
        type_error(th, format!("decoder should return a string result, not '{class}'"))
    })
}

#[derive(Trace, Payload)]
#[payload(class = NEWLINE_DECODER)]
pub struct NewlineDecoder {
    /// Empty before `__init__`; None: what comes in is text already.
    decoder: ValueCell,
    errors: ValueCell,
    #[trace(skip)]
    state: Locked<Newlines>,
}
static LAYOUT: VTable = VTable::of::<NewlineDecoder>();
pub static NEWLINE_DECODER: TypeObject = TypeObject::builtin("IncrementalNewlineDecoder", Some(&OBJECT), &LAYOUT);
pub static DEF: ClassDef = ClassDef {
    module: "_io",
    doc: "Codec used when reading a file in universal newlines mode.\n\nIt wraps another incremental decoder, notes which \
          newlines occur and, if translate is true, turns them into \\n.\nWithout a decoder it takes text.",
    sig: "(decoder, translate, errors='strict')",
    methods: METHODS,
    getset: &[getter("newlines", "", |th, v| {
        let d = this(v);
        d.inner(th)?;
        let state = *d.state.lock();
        Ok(state.seen())
    })],
    slots: SlotDefs {
        new: Some(|_, class, _| {
            let decoder =
                NewlineDecoder { decoder: ValueCell::empty(), errors: ValueCell::empty(), state: Locked::default() };
            Ok(Ref::with_class(decoder, class.object()).into())
        }),
        init: Some(init),
        ..SlotDefs::EMPTY
    },
    flags: type_flag::BASE | type_flag::HAVE_GC,
    ..ClassDef::new(&NEWLINE_DECODER)
};
static METHODS: &[Method] = &[
    method("decode", "(input, final=False)", "", |th, a| {
        let last = a.opt(2).map_or(Ok(false), |f| compare::truth(th, f))?;
        this(&a[0]).decode(th, &a[1], last).map(Value::from)
    }),
    method("getstate", "()", "", getstate),
    method("setstate", "(state, /)", "", setstate),
    method("reset", "()", "", |th, a| {
        let d = this(&a[0]);
        let inner = d.inner(th)?;
        {
            let mut s = d.state.lock();
            (s.seen, s.pending_cr) = (0, false);
        }
        if inner.is_none() { Ok(inner) } else { attr::call_method(th, &inner, "reset", &[]) }
    }),
];

fn this(v: &Value) -> &NewlineDecoder {
    v.downcast_ref().expect("the descriptor checked the class of self")
}
fn init(th: &mut Thread, v: &Value, args: &Args<'_>) -> PyResult<()> {
    static SIG: Sig = Sig::new("(decoder, translate, errors='strict')");
    let bound = SIG.bind(th, "IncrementalNewlineDecoder", "IncrementalNewlineDecoder", args, 0)?;
    let a = bound.args();
    let translate = compare::truth(th, &a[1])?;
    let d = this(v);
    d.decoder.set(Some(a[0].clone()));
    d.errors.set(Some(a.opt(2).cloned().unwrap_or_else(|| Value::str("strict"))));
    *d.state.lock() = Newlines::new(translate);
    Ok(())
}
impl NewlineDecoder {
    fn inner(&self, th: &mut Thread) -> PyResult<Value> {
        let inner = self.decoder.get();
        inner.ok_or_else(|| value_error(th, "IncrementalNewlineDecoder.__init__() not called"))
    }
    pub fn decode(&self, th: &mut Thread, input: &Value, last: bool) -> PyResult<Ref<Str>> {
        let inner = self.inner(th)?;
        let answer = if inner.is_none() {
            input.clone()
        } else {
            attr::call_method(th, &inner, "decode", &[input.clone(), Value::bool(last)])?
        };
        let text = decoded_text(th, answer)?;
        Ok(self.state.lock().apply(text, last))
    }
}
fn getstate(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let d = this(&a[0]);
    let inner = d.inner(th)?;
    let (buffer, flags) = if inner.is_none() {
        (Bytes::new(b"").into(), 0)
    } else {
        let state = attr::call_method(th, &inner, "getstate", &[])?;
        if state.downcast_ref::<Tuple>().is_none() {
            return Err(type_error(th, "illegal decoder state"));
        }
        let Some((buffer, flags)) = arguments::pair(&state) else {
            return Err(type_error(th, "illegal decoder state"));
        };
        (buffer, number::to_masked(th, &flags, 64)?)
    };
    let pending = u64::from(d.state.lock().pending_cr);
    Ok(Tuple::of([buffer, Value::from(flags << 1 | pending)]).into())
}
fn setstate(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let d = this(&a[0]);
    let inner = d.inner(th)?;
    if a[1].downcast_ref::<Tuple>().is_none() {
        return Err(type_error(th, "state argument must be a tuple"));
    }
    let Some((buffer, flags)) = arguments::pair(&a[1]) else {
        return Err(type_error(th, "setstate(): illegal state argument"));
    };
    let flags = number::to_masked(th, &flags, 64)?;
    d.state.lock().pending_cr = flags & 1 != 0;
    if inner.is_none() {
        return Ok(Value::NONE);
    }
    let state = Tuple::of([buffer, Value::from(flags >> 1)]);
    attr::call_method(th, &inner, "setstate", &[state.into()])
}
