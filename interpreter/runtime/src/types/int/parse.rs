//! Text and bytes to int.
use krait_object::builtin_types::{INT, STR};
use krait_object::{Bytes, PyResult, Raised, Str, StrBuilder, Thread, Value};

use super::huge::Interruptible;
use super::{limit, number_of};
use crate::errors::{type_error, value_error};
use crate::exceptions::DEPRECATION_WARNING;
use crate::numtext::int_parse;
use crate::protocol::{buffer, number, repr};
use crate::unicode;
use crate::warnings::warn;

/// The text with digits of all scripts as ASCII digits and all spaces as spaces; what fits neither is `?`, which no
/// number contains.
pub fn ascii_digits(text: &Str) -> Vec<u8> {
    let one = |c: u32| match c {
        0..0x7F => c as u8,
        _ if unicode::is_space(c) => b' ',
        _ => unicode::decimal(c).map_or(b'?', |d| b'0' + d),
    };
    text.iter().map(one).collect()
}

#[cold]
fn invalid(th: &mut Thread, shown: &Value, base: u32) -> Raised {
    let shown = match repr::repr(th, shown) {
        Ok(s) => s,
        Err(raised) => return raised,
    };
    let mut message = StrBuilder::new();
    message.push_text(&format!("invalid literal for int() with base {base}: "));
    message.push_str(&shown.slice(0, shown.len().min(200)));
    let text = message.finish();
    let e = crate::exceptions::allocate(&crate::exceptions::VALUE_ERROR, krait_object::Tuple::of([text.into()]));
    crate::errors::raise_value(th, e)
}

fn parse(th: &mut Thread, shown: &Value, text: &[u8], base: u32) -> PyResult<Value> {
    let Some(scanned) = int_parse::scan(text, base) else { return Err(invalid(th, shown, base)) };
    limit::check_digits(th, scanned.limited_digits())?;
    Ok(match scanned.value_by(&mut Interruptible(th))? {
        int_parse::Int::Small(i) => Value::int(i),
        int_parse::Int::Big(b) => b.into(),
    })
}
/// `int(text, base)` for a `str`; base 0 goes by the prefix.
pub fn from_text(th: &mut Thread, text: &Value, base: u32) -> PyResult<Value> {
    match text.downcast_ref::<Str>() {
        Some(s) => match s.as_ascii() {
            Some(ascii) => parse(th, text, ascii.as_bytes(), base),
            None => parse(th, text, &ascii_digits(s), base),
        },
        None => Err(value_error(th, "int() needs text")),
    }
}
/// `int(data, base)` for bytes; messages show `shown`.
pub fn from_bytes_text(th: &mut Thread, shown: &Value, data: &[u8], base: u32) -> PyResult<Value> {
    parse(th, shown, data, base)
}
/// The content of a bytes or bytearray object.
pub(super) fn bytes_of(th: &mut Thread, v: &Value) -> Option<Vec<u8>> {
    if let Some(b) = v.downcast_ref::<Bytes>() {
        return Some(b.to_vec());
    }
    if v.is_instance(&crate::types::bytearray::BYTEARRAY) {
        return buffer::bytes_like(th, v).ok();
    }
    None
}

/// `int(v)`: `__int__`, `__index__`, `__trunc__`, text, bytes.
pub fn from_object(th: &mut Thread, v: &Value) -> PyResult<Value> {
    if v.is_exact(&INT) {
        return Ok(v.clone());
    }
    if let Some(f) = v.as_float() {
        return crate::types::float::to_int(th, f);
    }
    if v.is_exact(&STR) {
        return from_text(th, v, 10);
    }
    let slot = v.class().slots.int.get();
    if let Some(f) = slot {
        let made = f(th, v)?;
        return exact_int(th, made, "__int__");
    }
    if number::has_index(v) {
        let made = number::index(th, v)?;
        return Ok(number_of(&made).to_value());
    }
    if let Some(made) = number::special_unary(th, v, "__trunc__")? {
        warn(th, &DEPRECATION_WARNING, "The delegation of int() to __trunc__ is deprecated.", 1)?;
        return from_trunc(th, made);
    }
    if v.downcast_ref::<Str>().is_some() {
        return from_text(th, v, 10);
    }
    if let Some(data) = bytes_of(th, v) {
        return from_bytes_text(th, v, &data, 10);
    }
    if buffer::has_buffer(v) {
        let data = buffer::bytes_like(th, v)?;
        let shown = Bytes::new(&data).into();
        return from_bytes_text(th, &shown, &data, 10);
    }
    let class = v.class().name();
    let message = format!("int() argument must be a string, a bytes-like object or a real number, not '{class}'");
    Err(type_error(th, message))
}
/// What `__int__` returned, as an exact int.
fn exact_int(th: &mut Thread, made: Value, method: &str) -> PyResult<Value> {
    if made.is_exact(&INT) {
        return Ok(made);
    }
    let class = made.class().name();
    let Some(i) = made.as_int_ref() else {
        return Err(type_error(th, format!("{method} returned non-int (type {class})")));
    };
    let exact = i.to_value();
    let message = format!(
        "{method} returned non-int (type {class}).  The ability to return an instance of a strict subclass of int \
         is deprecated, and may be removed in a future version of Python."
    );
    warn(th, &DEPRECATION_WARNING, &message, 1)?;
    Ok(exact)
}
fn from_trunc(th: &mut Thread, made: Value) -> PyResult<Value> {
    if let Some(i) = made.as_int_ref() {
        return Ok(i.to_value());
    }
    if number::has_index(&made) {
        let made = number::index(th, &made)?;
        return Ok(number_of(&made).to_value());
    }
    let class = made.class().name();
    Err(type_error(th, format!("__trunc__ returned non-Integral (type {class})")))
}
