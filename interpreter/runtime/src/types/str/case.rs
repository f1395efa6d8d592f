//! Case conversion and the `is…` predicates of `str`.

use krait_object::{Args, PyResult, Str, StrData, Thread, Value};

use super::units::{exact, fit, from_buffer, with_units};
use crate::text::{TextBuf, Unit, shape};
use crate::unicode::{self, case};

/// A case mapping over the whole text, ASCII apart.
fn convert(
    th: &mut Thread,
    text: &Str,
    ascii: impl FnOnce(&[u8]) -> Vec<u8>,
    full: impl FnOnce(&dyn Fn(usize) -> u32, usize, &mut dyn FnMut(u32)),
) -> PyResult<Value> {
    if let StrData::Ascii(units) = text.data() {
        return Ok(Str::from_latin1(&ascii(units)).into());
    }
    let mut out = TextBuf::new();
    let mut failed = Ok(());
    with_units!(text, |units| full(&|i| units[i].code(), units.len(), &mut |code| {
        if failed.is_ok() {
            failed = out.push(code);
        }
    }));
    fit(th, failed)?;
    Ok(from_buffer(&out).into())
}

pub fn lower(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    convert(th, a.this(), <[u8]>::to_ascii_lowercase, |t, n, o| case::lower_text(t, n, o))
}

pub fn upper(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    convert(th, a.this(), <[u8]>::to_ascii_uppercase, |t, n, o| case::upper_text(t, n, o))
}

pub fn casefold(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    convert(th, a.this(), <[u8]>::to_ascii_lowercase, |t, n, o| case::fold_text(t, n, o))
}

pub fn title(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    convert(th, a.this(), shape::title_ascii, |t, n, o| case::title_text(t, n, o))
}

pub fn swapcase(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    convert(th, a.this(), shape::swap_case_ascii, |t, n, o| case::swapcase_text(t, n, o))
}

pub fn capitalize(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    if a.this::<Str>().is_empty() {
        return Ok(exact(&a[0], a.this()));
    }
    convert(th, a.this(), shape::capitalize_ascii, |t, n, o| case::capitalize_text(t, n, o))
}

/// Every code point passes and there is one at least.
fn every(text: &Str, test: impl Fn(u32) -> bool) -> PyResult<Value> {
    Ok(Value::bool(!text.is_empty() && text.iter().all(test)))
}

pub fn isalpha(_: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    every(a.this(), unicode::is_alpha)
}

pub fn isalnum(_: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    every(a.this(), unicode::is_alnum)
}

pub fn isdecimal(_: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    every(a.this(), unicode::is_decimal)
}

pub fn isdigit(_: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    every(a.this(), unicode::is_digit)
}

pub fn isnumeric(_: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    every(a.this(), unicode::is_numeric)
}

pub fn isspace(_: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    every(a.this(), unicode::is_space)
}

pub fn isprintable(_: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    Ok(Value::bool(a.this::<Str>().iter().all(unicode::is_printable)))
}

pub fn isascii(_: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    Ok(Value::bool(a.this::<Str>().as_ascii().is_some()))
}

pub fn isidentifier(_: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    Ok(Value::bool(unicode::is_identifier(a.this::<Str>().iter())))
}

/// At least one cased character of the right kind, and none of the wrong one.
fn one_case(text: &Str, right: fn(u32) -> bool, wrong: fn(u32) -> bool) -> PyResult<Value> {
    let mut found = false;
    for code in text.iter() {
        if wrong(code) || unicode::is_title(code) {
            return Ok(Value::FALSE);
        }
        found |= right(code);
    }
    Ok(Value::bool(found))
}

pub fn islower(_: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    one_case(a.this(), unicode::is_lower, unicode::is_upper)
}

pub fn isupper(_: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    one_case(a.this(), unicode::is_upper, unicode::is_lower)
}

pub fn istitle(_: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let upper = |code| unicode::is_upper(code) || unicode::is_title(code);
    let title = with_units!(a.this::<Str>(), |units| shape::is_title(units, upper, unicode::is_lower));
    Ok(Value::bool(title))
}
