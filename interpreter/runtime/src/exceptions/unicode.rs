//! UnicodeDecodeError, UnicodeEncodeError, UnicodeTranslateError. CPython: `Unicode*Error_*` of `Objects/exceptions.c`.
use std::sync::atomic::Ordering::Relaxed;

use krait_object::builtin_types::{BYTES, STR};
use krait_object::{
    Args, Bytes, ClassDef, GetSet, PyResult, SlotDefs, Str, StrBuilder, Thread, Tuple, Value, type_flag,
};

use super::base::{self, object_member, payload};
use super::{self as exc, UnicodeDecodeError, UnicodeEncodeError, UnicodeTranslateError};
use crate::errors::type_error;
use crate::protocol::{buffer, number, repr};

macro_rules! fill {
    ($value:expr, $payload:ident, $encoding:expr, $object:expr, $start:expr, $end:expr, $reason:expr) => {
        if let Some(p) = $value.downcast_ref::<exc::$payload>() {
            p.encoding.set($encoding);
            p.object.set(Some($object));
            p.start.store($start, Relaxed);
            p.end.store($end, Relaxed);
            p.reason.set(Some($reason));
        }
    };
}

/// A new UnicodeDecodeError; `object` is a `bytes`.
pub fn new_decode_error(encoding: &str, object: Value, start: isize, end: isize, reason: &str) -> Value {
    let (encoding, reason): (Value, Value) = (encoding.into(), reason.into());
    let args = [encoding.clone(), object.clone(), (start as i64).into(), (end as i64).into(), reason.clone()];
    let e = exc::allocate(&exc::UNICODE_DECODE_ERROR, Tuple::new(args));
    fill!(e, UnicodeDecodeError, Some(encoding), object, start, end, reason);
    e
}
/// A new UnicodeEncodeError; `object` is a `str`.
pub fn new_encode_error(encoding: &str, object: Value, start: isize, end: isize, reason: &str) -> Value {
    let (encoding, reason): (Value, Value) = (encoding.into(), reason.into());
    let args = [encoding.clone(), object.clone(), (start as i64).into(), (end as i64).into(), reason.clone()];
    let e = exc::allocate(&exc::UNICODE_ENCODE_ERROR, Tuple::new(args));
    fill!(e, UnicodeEncodeError, Some(encoding), object, start, end, reason);
    e
}
/// A new UnicodeTranslateError; `object` is a `str`.
pub fn new_translate_error(object: Value, start: isize, end: isize, reason: &str) -> Value {
    let reason: Value = reason.into();
    let args = [object.clone(), (start as i64).into(), (end as i64).into(), reason.clone()];
    let e = exc::allocate(&exc::UNICODE_TRANSLATE_ERROR, Tuple::new(args));
    fill!(e, UnicodeTranslateError, None, object, start, end, reason);
    e
}

const FLAGS: u32 = type_flag::BASE | type_flag::BASE_EXC_SUBCLASS;

/// A position: a word that cannot be deleted.
macro_rules! position {
    ($payload:ty, $field:ident, $doc:literal) => {
        GetSet {
            name: stringify!($field),
            doc: $doc,
            get: |_, v| Ok((payload::<$payload>(v).$field.load(Relaxed) as i64).into()),
            set: Some(|th, v, new| {
                let Some(new) = new else { return Err(type_error(th, "can't delete numeric/char attribute")) };
                let n = base::word(th, new)?;
                payload::<$payload>(v).$field.store(n, Relaxed);
                Ok(())
            }),
            member: true,
        }
    };
}
macro_rules! members {
    ($payload:ty) => {
        &[
            object_member!($payload, encoding, "exception encoding"),
            object_member!($payload, object, "exception object"),
            position!($payload, start, "exception start"),
            position!($payload, end, "exception end"),
            object_member!($payload, reason, "exception reason"),
        ]
    };
}

pub static DECODE: ClassDef = ClassDef {
    doc: "Bytes cannot be decoded.",
    getset: members!(UnicodeDecodeError),
    slots: SlotDefs { new: Some(base::new), init: Some(decode_init), str: Some(decode_str), ..SlotDefs::EMPTY },
    flags: FLAGS,
    ..ClassDef::new(&exc::UNICODE_DECODE_ERROR)
};
pub static ENCODE: ClassDef = ClassDef {
    doc: "Text cannot be encoded.",
    getset: members!(UnicodeEncodeError),
    slots: SlotDefs { new: Some(base::new), init: Some(encode_init), str: Some(encode_str), ..SlotDefs::EMPTY },
    flags: FLAGS,
    ..ClassDef::new(&exc::UNICODE_ENCODE_ERROR)
};
pub static TRANSLATE: ClassDef = ClassDef {
    doc: "Text cannot be translated.",
    getset: members!(UnicodeTranslateError),
    slots: SlotDefs { new: Some(base::new), init: Some(translate_init), str: Some(translate_str), ..SlotDefs::EMPTY },
    flags: FLAGS,
    ..ClassDef::new(&exc::UNICODE_TRANSLATE_ERROR)
};

/// Checks arguments against a list of kinds as `PyArg_ParseTuple` does: `U` text, `n` a word, `O` anything.
fn parse(th: &mut Thread, args: &[Value], kinds: &str) -> PyResult<(isize, isize)> {
    if args.len() != kinds.len() {
        let message = format!("function takes exactly {} arguments ({} given)", kinds.len(), args.len());
        return Err(type_error(th, message));
    }
    let mut words = Vec::new();
    for (i, (kind, v)) in kinds.bytes().zip(args).enumerate() {
        match kind {
            b'U' if !v.is_instance(&STR) => {
                let class = if v.is_none() { "None".into() } else { v.class().name().to_string() };
                return Err(type_error(th, format!("argument {} must be str, not {class}", i + 1)));
            }
            b'n' => {
                let index = number::index(th, v)?;
                words.push(base::word(th, &index)?);
            }
            _ => {}
        }
    }
    Ok((words[0], words[1]))
}
fn decode_init(th: &mut Thread, v: &Value, args: &Args<'_>) -> PyResult<()> {
    base::init(th, v, args)?;
    let a = args.pos();
    let (start, end) = parse(th, a, "UOnnU")?;
    let object = match a[1].is_instance(&BYTES) {
        true => a[1].clone(),
        false => Bytes::new(&buffer::bytes_like(th, &a[1])?).into(),
    };
    fill!(v, UnicodeDecodeError, Some(a[0].clone()), object, start, end, a[4].clone());
    Ok(())
}
fn encode_init(th: &mut Thread, v: &Value, args: &Args<'_>) -> PyResult<()> {
    base::init(th, v, args)?;
    let a = args.pos();
    let (start, end) = parse(th, a, "UUnnU")?;
    fill!(v, UnicodeEncodeError, Some(a[0].clone()), a[1].clone(), start, end, a[4].clone());
    Ok(())
}
fn translate_init(th: &mut Thread, v: &Value, args: &Args<'_>) -> PyResult<()> {
    base::init(th, v, args)?;
    let a = args.pos();
    let (start, end) = parse(th, a, "UnnU")?;
    fill!(v, UnicodeTranslateError, None, a[0].clone(), start, end, a[3].clone());
    Ok(())
}

/// `\xe9`, `\u20ac`, `\U0001f600`.
fn escaped(c: u32) -> String {
    match c {
        0..=0xFF => format!("\\x{c:02x}"),
        0x100..=0xFFFF => format!("\\u{c:04x}"),
        _ => format!("\\U{c:08x}"),
    }
}
/// `'ENCODING' codec WHAT: REASON`; without an encoding just `WHAT: REASON`.
fn sentence(th: &mut Thread, encoding: Option<Value>, what: &str, reason: Option<Value>) -> PyResult<Value> {
    let mut out = StrBuilder::new();
    if let Some(encoding) = encoding {
        out.push(u32::from('\''));
        out.push_str(&*repr::str(th, &encoding)?);
        out.push_text("' codec ");
    }
    out.push_text(what);
    out.push_text(": ");
    match reason {
        Some(reason) => out.push_str(&*repr::str(th, &reason)?),
        None => out.push_text("<NULL>"),
    }
    Ok(out.finish().into())
}
/// The only element between `start` and `end`, where there is exactly one.
fn single<T>(start: isize, end: isize, get: impl Fn(usize) -> Option<T>) -> Option<T> {
    if start >= 0 && end == start + 1 { get(start as usize) } else { None }
}

fn decode_str(th: &mut Thread, v: &Value) -> PyResult<Value> {
    let e = payload::<UnicodeDecodeError>(v);
    let Some(object) = e.object.get() else { return Ok(Value::str("")) };
    let (start, end) = (e.start.load(Relaxed), e.end.load(Relaxed));
    let byte = object.downcast_ref::<Bytes>().and_then(|b| single(start, end, |i| b.get(i).copied()));
    let what = match byte {
        Some(b) => format!("can't decode byte 0x{b:02x} in position {start}"),
        None => format!("can't decode bytes in position {start}-{}", end.wrapping_sub(1)),
    };
    sentence(th, Some(e.encoding.get().unwrap_or_else(|| Value::str("<NULL>"))), &what, e.reason.get())
}
fn characters(object: &Value, verb: &str, start: isize, end: isize) -> String {
    match object.downcast_ref::<Str>().and_then(|s| single(start, end, |i| s.get(i))) {
        Some(c) => format!("can't {verb} character '{}' in position {start}", escaped(c)),
        None => format!("can't {verb} characters in position {start}-{}", end.wrapping_sub(1)),
    }
}
fn encode_str(th: &mut Thread, v: &Value) -> PyResult<Value> {
    let e = payload::<UnicodeEncodeError>(v);
    let Some(object) = e.object.get() else { return Ok(Value::str("")) };
    let what = characters(&object, "encode", e.start.load(Relaxed), e.end.load(Relaxed));
    sentence(th, Some(e.encoding.get().unwrap_or_else(|| Value::str("<NULL>"))), &what, e.reason.get())
}
fn translate_str(th: &mut Thread, v: &Value) -> PyResult<Value> {
    let e = payload::<UnicodeTranslateError>(v);
    let Some(object) = e.object.get() else { return Ok(Value::str("")) };
    let what = characters(&object, "translate", e.start.load(Relaxed), e.end.load(Relaxed));
    sentence(th, None, &what, e.reason.get())
}
