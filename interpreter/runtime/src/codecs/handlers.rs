//! The standard error handlers as Python functions (`codecs.strict_errors` and so on): called with an exception, they
//! answer a replacement and a position. CPython counterpart: `PyCodec_*Errors` of `Python/codecs.c`.

use std::sync::atomic::Ordering::Relaxed;

use krait_object::native::{Method, function as native};
use krait_object::{Args, Bytes, PyResult, Raised, Str, Thread, Tuple, Value};

use crate::errors::{raise_value, type_error};
use crate::exceptions as exc;
use crate::text::codec::handlers::{
    PassEncoding, backslash_bytes, backslash_text, escape_surrogates, name_escapes, xml_references,
};
use crate::types::native_function::NativeFunction;

static FUNCTIONS: &[Method] = &[
    native("strict_errors", "(exception, /)", "Raises the exception.", strict).raw(),
    native("ignore_errors", "(exception, /)", "Skips what cannot be coded.", ignore).raw(),
    native("replace_errors", "(exception, /)", "Puts a question mark or U+FFFD in place.", replace).raw(),
    native("xmlcharrefreplace_errors", "(exception, /)", "Puts XML character references in place.", xml).raw(),
    native("backslashreplace_errors", "(exception, /)", "Puts backslash escapes in place.", backslash).raw(),
    native("namereplace_errors", "(exception, /)", "Puts \\N{...} escapes in place.", names).raw(),
    native("surrogatepass", "", "Lets lone surrogates through.", surrogate_pass),
    native("surrogateescape", "", "Turns undecodable bytes into surrogates and back.", surrogate_escape),
];
/// The names under which they are registered, in the same order.
const NAMES: [&str; 8] = [
    "strict",
    "ignore",
    "replace",
    "xmlcharrefreplace",
    "backslashreplace",
    "namereplace",
    "surrogatepass",
    "surrogateescape",
];

pub fn is_standard(name: &str) -> bool {
    NAMES.contains(&name)
}

/// The function of a standard handler.
pub fn function(name: &str) -> Option<Value> {
    let index = NAMES.iter().position(|held| *held == name)?;
    Some(NativeFunction::new_function(&FUNCTIONS[index], &Value::NONE, &Value::NONE))
}

/// What an exception says is wrong.
enum Problem {
    Encode(Vec<u32>),
    Decode(Vec<u8>),
    Translate(Vec<u32>),
}

struct Case {
    problem: Problem,
    encoding: String,
    start: usize,
    end: usize,
    /// The faulty bytes and all that follow (decoding).
    rest: Vec<u8>,
}

fn argument<'a>(th: &mut Thread, a: &Args<'a>) -> PyResult<&'a Value> {
    match a.pos() {
        [one] if !a.has_kw() => Ok(one),
        all => Err(type_error(th, format!("handler takes exactly one argument ({} given)", all.len()))),
    }
}

fn unknown(th: &mut Thread, exception: &Value) -> Raised {
    let name = exception.class().name();
    type_error(th, format!("don't know how to handle {name} in error callback"))
}

/// Start and end as CPython's getters clamp them.
fn clamped(start: isize, end: isize, len: usize) -> (usize, usize) {
    let len = len as isize;
    let start = if start < 0 { 0 } else { start.min((len - 1).max(0)) };
    let end = end.max(1).min(len);
    (start as usize, end.max(start) as usize)
}

fn codes(object: Option<Value>, start: isize, end: isize) -> Option<(Vec<u32>, usize, usize)> {
    let object = object?;
    let text = object.downcast_ref::<Str>()?;
    let (start, end) = clamped(start, end, text.len());
    Some(((start..end).filter_map(|i| text.get(i)).collect(), start, end))
}

fn encoding_name(value: Option<Value>) -> String {
    value.and_then(|v| v.downcast::<Str>().ok()).map_or_else(String::new, |s| s.to_string_lossy().into_owned())
}

fn case(th: &mut Thread, exception: &Value) -> PyResult<Case> {
    if let Some(e) = exception.downcast_ref::<exc::UnicodeEncodeError>()
        && let Some((bad, start, end)) = codes(e.object.get(), e.start.load(Relaxed), e.end.load(Relaxed))
    {
        let encoding = encoding_name(e.encoding.get());
        return Ok(Case { problem: Problem::Encode(bad), encoding, start, end, rest: Vec::new() });
    }
    if let Some(e) = exception.downcast_ref::<exc::UnicodeTranslateError>()
        && let Some((bad, start, end)) = codes(e.object.get(), e.start.load(Relaxed), e.end.load(Relaxed))
    {
        let problem = Problem::Translate(bad);
        return Ok(Case { problem, encoding: String::new(), start, end, rest: Vec::new() });
    }
    if let Some(e) = exception.downcast_ref::<exc::UnicodeDecodeError>()
        && let Some(object) = e.object.get()
        && let Some(bytes) = object.downcast_ref::<Bytes>()
    {
        let (start, end) = clamped(e.start.load(Relaxed), e.end.load(Relaxed), bytes.len());
        let problem = Problem::Decode(bytes[start..end].to_vec());
        let encoding = encoding_name(e.encoding.get());
        return Ok(Case { problem, encoding, start, end, rest: bytes[start..].to_vec() });
    }
    Err(unknown(th, exception))
}

fn answer(replacement: impl Into<Value>, position: usize) -> PyResult<Value> {
    Ok(Tuple::of([replacement.into(), position.into()]).into())
}

fn strict(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let exception = argument(th, a)?;
    if exc::base(exception).is_none() {
        return Err(type_error(th, "codec must pass exception instance"));
    }
    Err(raise_value(th, exception.clone()))
}

fn ignore(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let exception = argument(th, a)?;
    let case = case(th, exception)?;
    answer("", case.end)
}

fn replace(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let exception = argument(th, a)?;
    let case = case(th, exception)?;
    let text = match &case.problem {
        Problem::Encode(bad) => "?".repeat(bad.len()),
        Problem::Decode(_) => "\u{FFFD}".into(),
        Problem::Translate(bad) => "\u{FFFD}".repeat(bad.len()),
    };
    answer(text, case.end)
}

fn xml(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let exception = argument(th, a)?;
    match case(th, exception)? {
        Case { problem: Problem::Encode(bad), end, .. } => answer(xml_references(&bad), end),
        _ => Err(unknown(th, exception)),
    }
}

fn backslash(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let exception = argument(th, a)?;
    let case = case(th, exception)?;
    let text = match &case.problem {
        Problem::Encode(bad) | Problem::Translate(bad) => backslash_text(bad),
        Problem::Decode(bad) => backslash_bytes(bad),
    };
    answer(text, case.end)
}

fn names(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let exception = argument(th, a)?;
    match case(th, exception)? {
        Case { problem: Problem::Encode(bad), end, .. } => answer(name_escapes(&bad), end),
        _ => Err(unknown(th, exception)),
    }
}

fn surrogate_pass(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let exception = argument(th, a)?;
    let case = case(th, exception)?;
    let encoding = PassEncoding::from_name(&case.encoding);
    match (&case.problem, encoding) {
        (Problem::Translate(_), _) => Err(unknown(th, exception)),
        (Problem::Encode(bad), Some(encoding)) if let Some(bytes) = encoding.encode(bad) => {
            answer(Bytes::new(&bytes), case.end)
        }
        (Problem::Decode(_), Some(encoding)) if let Some((code, len)) = encoding.decode(&case.rest) => {
            answer(Str::from_point(code), case.start + len)
        }
        _ => Err(raise_value(th, exception.clone())),
    }
}

fn surrogate_escape(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let exception = argument(th, a)?;
    let case = case(th, exception)?;
    match &case.problem {
        Problem::Translate(_) => Err(unknown(th, exception)),
        Problem::Encode(bad) => {
            let bytes = crate::text::codec::handlers::escaped_bytes(bad);
            if bytes.len() != bad.len() {
                return Err(raise_value(th, exception.clone()));
            }
            answer(Bytes::new(&bytes), case.end)
        }
        Problem::Decode(bad) => match escape_surrogates(bad) {
            Some(codes) => answer(Str::from_points(&codes), case.start + codes.len()),
            None => Err(raise_value(th, exception.clone())),
        },
    }
}
