//! Methods and attributes of `float`.
use krait_object::builtin_types::FLOAT;
use krait_object::native::{class_method, getter, method};
use krait_object::{Args, GetSet, Method, PyResult, Str, Thread, Tuple, Value};

use super::{number_of, positive, to_int};
use crate::errors::{overflow_error, surrogates_not_allowed, type_error, value_error};
use crate::numtext::{digits, exact, float_hex};
use crate::protocol::{call, number};
use crate::types::number_format;

pub(super) static METHODS: &[Method] = &[
    method("conjugate", "()", "Return self: a float is its own complex conjugate.", |th, a| positive(th, &a[0])),
    method("__trunc__", "()", "Return the integer closest to self between 0 and self.", |th, a| {
        to_int(th, number_of(&a[0]))
    }),
    method("__floor__", "()", "Return the floor as an int.", |th, a| to_int(th, number_of(&a[0]).floor())),
    method("__ceil__", "()", "Return the ceiling as an int.", |th, a| to_int(th, number_of(&a[0]).ceil())),
    method(
        "__round__",
        "(ndigits=None, /)",
        "Return the nearest int, or the nearest float with so many digits, ties to even.",
        round,
    ),
    method(
        "as_integer_ratio",
        "()",
        "Return integers whose ratio is exactly self, in lowest terms, the second positive.\n\n    >>> (-2.75).as_integer_ratio()\n    (-11, 4)",
        as_integer_ratio,
    ),
    class_method(
        "fromhex",
        "(string, /)",
        "Make a float from its hexadecimal text.\n\n    >>> float.fromhex('0x1.8p+3')\n    12.0",
        from_hex,
    ),
    method(
        "hex",
        "()",
        "Return the number in hexadecimal.\n\n    >>> (0.75).hex()\n    '0x1.8000000000000p-1'",
        |_, a| Ok(Value::str(&float_hex::hex(number_of(&a[0])))),
    ),
    method("is_integer", "()", "Return True if the number is whole.", |_, a| {
        let f = number_of(&a[0]);
        Ok((f.is_finite() && f.floor() == f).into())
    }),
    method("__getnewargs__", "()", "", |_, a| Ok(Tuple::of([Value::float(number_of(&a[0]))]).into())),
    class_method(
        "__getformat__",
        "(typestr, /)",
        "How C doubles and floats are stored; for the test suite.",
        get_format,
    ),
    method("__format__", "(format_spec, /)", "Format by a specification.", number_format::format_float),
];
pub(super) static GETSET: &[GetSet] = &[
    getter("real", "the real part of a complex number", positive),
    getter("imag", "the imaginary part of a complex number", |_, _| Ok(Value::float(0.0))),
];

fn round(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let f = number_of(&a[0]);
    let Some(places) = a.opt_not_none(1) else { return to_int(th, f.round_ties_even()) };
    let places = number::index_clamped(th, places)?;
    // Beyond 323 places every float is itself, before -308 it is zero.
    if !f.is_finite() || places > 323 {
        return Ok(f.into());
    }
    if places < -308 {
        return Ok((0.0 * f).into());
    }
    match digits::round_to(f, places as i64) {
        Some(f) => Ok(f.into()),
        None => Err(overflow_error(th, "rounded value too large to represent")),
    }
}
fn as_integer_ratio(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let f = number_of(&a[0]);
    if f.is_infinite() {
        return Err(overflow_error(th, "cannot convert Infinity to integer ratio"));
    }
    if f.is_nan() {
        return Err(value_error(th, "cannot convert NaN to integer ratio"));
    }
    let (n, d) = exact::integer_ratio(f);
    Ok(Tuple::of([n.into(), d.into()]).into())
}
fn from_hex(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let Some(text) = a[1].downcast_ref::<Str>() else {
        return Err(type_error(th, "bad argument type for built-in operation"));
    };
    let Some(text) = text.to_utf8() else {
        let text = a[1].to_ref::<Str>().unwrap_or_else(Str::empty);
        return Err(surrogates_not_allowed(th, &text));
    };
    let text = text.as_bytes();
    let is_space = |b: &u8| matches!(b, b' ' | b'\t'..=b'\r');
    let start = text.iter().position(|b| !is_space(b)).unwrap_or(text.len());
    let end = text.iter().rposition(|b| !is_space(b)).map_or(start, |i| i + 1);
    let f: Value = match float_hex::from_hex(&text[start..end]) {
        Ok(f) => f.into(),
        Err(float_hex::HexError::Invalid) => {
            return Err(value_error(th, "invalid hexadecimal floating-point string"));
        }
        Err(float_hex::HexError::TooLarge) => {
            return Err(overflow_error(th, "hexadecimal value too large to represent as a float"));
        }
    };
    if a[0].is(&FLOAT.to_value()) { Ok(f) } else { call::call(th, &a[0], &[f]) }
}
fn get_format(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let Some(kind) = a[1].downcast_ref::<Str>() else {
        let class = if a[1].is_none() { "None".into() } else { a[1].class().name().to_string() };
        return Err(type_error(th, format!("__getformat__() argument must be str, not {class}")));
    };
    if !kind.eq_str("double") && !kind.eq_str("float") {
        return Err(value_error(th, "__getformat__() argument 1 must be 'double' or 'float'"));
    }
    let order = if cfg!(target_endian = "little") { "little" } else { "big" };
    Ok(Value::str(&format!("IEEE, {order}-endian")))
}
