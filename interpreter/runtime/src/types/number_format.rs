//! What the numeric types share: `__format__`, and words from arguments.
use krait_object::{Args, IntRef, PyResult, Raised, Ref, Str, StrData, Thread, Value};

use super::complex::Complex;
use super::int::limit;
use crate::errors::{memory_error, overflow_error, raise_value, type_error};
use crate::exceptions as exc;
use crate::numtext::spec::{FormatError, FormatSpec};
use crate::numtext::spec_format;
use crate::numtext::spec_layout::NumberLocale;
use crate::protocol::number;
use crate::text::{TextBuf, Unit};

/// The text as a `str`.
pub fn finish(buf: &TextBuf) -> Ref<Str> {
    match buf {
        TextBuf::One(u) => Str::from_latin1(u),
        TextBuf::Two(u) => Str::from_ucs2(u),
        TextBuf::Four(u) => Str::from_points(u),
    }
}
/// Raises what a formatting function returned.
#[cold]
pub fn raise_format(th: &mut Thread, error: FormatError) -> Raised {
    match error {
        FormatError::Value(text) => {
            let e = exc::allocate(&exc::VALUE_ERROR, krait_object::Tuple::of([finish(&text).into()]));
            raise_value(th, e)
        }
        FormatError::Overflow(message) => overflow_error(th, message),
        FormatError::Memory => memory_error(th),
    }
}
/// The spec, which must be a `str`.
fn spec_of<'a>(th: &mut Thread, v: &'a Value) -> PyResult<&'a Str> {
    match v.downcast_ref::<Str>() {
        Some(s) => Ok(s),
        None => {
            let class = if v.is_none() { "None".into() } else { v.class().name().to_string() };
            Err(type_error(th, format!("__format__() argument must be str, not {class}")))
        }
    }
}
/// The separators of the C library's locale, for type `n`.
fn locale() -> NumberLocale {
    NumberLocale::c()
}

/// Runs `$body` with `$units` the spec's code units, in their width.
macro_rules! with_units {
    ($spec:expr, $units:ident => $body:expr) => {
        match $spec.data() {
            StrData::Ascii($units) | StrData::Latin1($units) => $body,
            StrData::Ucs2($units) => $body,
            StrData::Ucs4($units) => $body,
        }
    };
}

/// `int.__format__(format_spec, /)`
pub fn format_int(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let spec = spec_of(th, &a[1])?;
    if spec.is_empty() {
        return Ok(crate::protocol::repr::str(th, &a[0])?.into());
    }
    let number = a[0].as_int_ref().expect("the descriptor checked the class of self");
    let class = a[0].class().name();
    let parsed = with_units!(spec, units => FormatSpec::parse(units, b'd', b'>', &class));
    let parsed = parsed.map_err(|e| raise_format(th, e))?;
    if spec_format::is_float_code(&parsed) {
        let f = super::int::to_f64(th, number)?;
        return with_units!(spec, units => float_text(th, f, units, &class));
    }
    if spec_format::is_decimal_code(&parsed) {
        limit::check_value(th, number)?;
    }
    int_text(th, number, &parsed, &class)
}
fn int_text(th: &mut Thread, number: IntRef<'_>, spec: &FormatSpec, class: &str) -> PyResult<Value> {
    let mut out = TextBuf::new();
    match spec_format::format_int_by(number, spec, class, locale, &mut out) {
        Ok(()) => Ok(finish(&out).into()),
        Err(e) => Err(raise_format(th, e)),
    }
}
fn float_text<U: Unit>(th: &mut Thread, f: f64, spec: &[U], class: &str) -> PyResult<Value> {
    let mut out = TextBuf::new();
    match spec_format::format_float(f, spec, class, locale, &mut out) {
        Ok(()) => Ok(finish(&out).into()),
        Err(e) => Err(raise_format(th, e)),
    }
}
/// `float.__format__(format_spec, /)`
pub fn format_float(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let spec = spec_of(th, &a[1])?;
    if spec.is_empty() {
        return Ok(crate::protocol::repr::str(th, &a[0])?.into());
    }
    let f = a[0].to_f64().expect("the descriptor checked the class of self");
    let class = a[0].class().name();
    with_units!(spec, units => float_text(th, f, units, &class))
}
/// `complex.__format__(format_spec, /)`
pub fn format_complex(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let spec = spec_of(th, &a[1])?;
    if spec.is_empty() {
        return Ok(crate::protocol::repr::str(th, &a[0])?.into());
    }
    let c = a.this::<Complex>();
    let class = a[0].class().name();
    let mut out = TextBuf::new();
    let done = with_units!(spec, units => spec_format::format_complex(c.real, c.imag, units, &class, locale, &mut out));
    match done {
        Ok(()) => Ok(finish(&out).into()),
        Err(e) => Err(raise_format(th, e)),
    }
}

/// An argument of C type `Py_ssize_t`.
pub fn ssize(th: &mut Thread, v: &Value) -> PyResult<isize> {
    let i = number::index(th, v)?;
    match i.as_int_ref().and_then(|i| i.to_i64()) {
        Some(i) => Ok(i as isize),
        None => Err(overflow_error(th, "Python int too large to convert to C ssize_t")),
    }
}
