//! Methods and attributes of `int`.
use krait_object::native::{class_method, getter, method};
use krait_object::{Args, Bytes, GetSet, IntRef, Method, PyResult, Str, Thread, Tuple, Value};
use num_bigint::BigInt;
use num_traits::Signed;

use super::{number_of, positive};
use crate::errors::{memory_error, overflow_error, type_error, value_error};
use crate::protocol::{attr, buffer, call, compare, iter, number};
use crate::types::number_format;

pub(super) static METHODS: &[Method] = &[
    method("conjugate", "()", "Return self: an int is its own complex conjugate.", itself),
    method(
        "bit_length",
        "()",
        "Number of bits that represent self in binary, without sign and leading zeros.\n\n    >>> (1000).bit_length()\n    10",
        bit_length,
    ),
    method(
        "bit_count",
        "()",
        "Number of ones in the binary representation of the absolute value of self.\n\n    >>> (-0b1011).bit_count()\n    3",
        bit_count,
    ),
    method(
        "to_bytes",
        "(length=1, byteorder='big', *, signed=False)",
        "Return the integer as bytes.\n\n  length\n    Number of bytes; OverflowError if the integer needs more.\n  \
         byteorder\n    'big' or 'little': which byte comes first.\n  signed\n    Whether to use two's complement.",
        to_bytes,
    ),
    class_method(
        "from_bytes",
        "(bytes, byteorder='big', *, signed=False)",
        "Return the integer that bytes represent.\n\n  bytes\n    A bytes-like object or an iterable of bytes.\n  \
         byteorder\n    'big' or 'little': which byte comes first.\n  signed\n    Whether the bytes are in two's complement.",
        from_bytes,
    ),
    method(
        "as_integer_ratio",
        "()",
        "Return the pair (self, 1).\n\n    >>> (-7).as_integer_ratio()\n    (-7, 1)",
        as_integer_ratio,
    ),
    method("__trunc__", "()", "Truncating an int returns itself.", itself),
    method("__floor__", "()", "The floor of an int is itself.", itself),
    method("__ceil__", "()", "The ceiling of an int is itself.", itself),
    method(
        "__round__",
        "(ndigits=<unrepresentable>, /)",
        "Rounding an int with negative ndigits rounds to tens, hundreds, ...",
        round,
    ),
    method("__getnewargs__", "()", "", new_arguments),
    method("__format__", "(format_spec, /)", "Format by a specification.", number_format::format_int),
    method("__sizeof__", "()", "Return the size in memory, in bytes.", size_of),
    method("is_integer", "()", "Return True, as every int is one.", |_, _| Ok(Value::TRUE)),
];
pub(super) static GETSET: &[GetSet] = &[
    getter("real", "the real part of a complex number", positive),
    getter("imag", "the imaginary part of a complex number", |_, _| Ok(Value::int(0))),
    getter("numerator", "the numerator of a rational number in lowest terms", positive),
    getter("denominator", "the denominator of a rational number in lowest terms", |_, _| Ok(Value::int(1))),
];

fn itself(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    positive(th, &a[0])
}
fn bit_length(_: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    Ok(match number_of(&a[0]) {
        IntRef::Small(i) => (64 - i.unsigned_abs().leading_zeros()).into(),
        IntRef::Big(b) => b.bits().into(),
    })
}
fn bit_count(_: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    Ok(match number_of(&a[0]) {
        IntRef::Small(i) => i.unsigned_abs().count_ones().into(),
        IntRef::Big(b) => b.magnitude().count_ones().into(),
    })
}
fn as_integer_ratio(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    Ok(Tuple::of([positive(th, &a[0])?, Value::int(1)]).into())
}
fn new_arguments(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let _ = th;
    Ok(Tuple::of([number_of(&a[0]).to_value()]).into())
}
/// As CPython stores it: a header of 24 bytes and digits of 30 bits.
fn size_of(_: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let bits = match number_of(&a[0]) {
        IntRef::Small(i) => u64::from(64 - i.unsigned_abs().leading_zeros()),
        IntRef::Big(b) => b.bits(),
    };
    let base = 24 + a[0].class().tail_size() as u64;
    Ok((base + 4 * bits.div_ceil(30).max(1)).into())
}
fn round(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let Some(places) = a.opt(1) else { return itself(th, a) };
    let places = number::index(th, places)?;
    let places = number_of(&places);
    if !places.is_negative() {
        return itself(th, a);
    }
    let places = places.to_i64().map_or(u64::MAX, i64::unsigned_abs);
    super::arith::round_to_power_of_ten(th, number_of(&a[0]), places)
}

/// Whether the byte order asked for is little-endian; big is the default.
fn little_endian(th: &mut Thread, order: Option<&Value>, function: &str) -> PyResult<bool> {
    let Some(order) = order else { return Ok(false) };
    let Some(text) = order.downcast_ref::<Str>() else {
        let class = if order.is_none() { "None".into() } else { order.class().name().to_string() };
        return Err(type_error(th, format!("{function}() argument 'byteorder' must be str, not {class}")));
    };
    match () {
        () if text.eq_str("little") => Ok(true),
        () if text.eq_str("big") => Ok(false),
        () => Err(value_error(th, "byteorder must be either 'little' or 'big'")),
    }
}
fn flag(th: &mut Thread, v: Option<&Value>) -> PyResult<bool> {
    v.map_or(Ok(false), |v| compare::truth(th, v))
}
fn to_bytes(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let length = match a.opt(1) {
        Some(n) => number_format::ssize(th, n)?,
        None => 1,
    };
    let little = little_endian(th, a.opt(2), "to_bytes")?;
    let signed = flag(th, a.opt(3))?;
    let Ok(length) = usize::try_from(length) else {
        return Err(value_error(th, "length argument must be non-negative"));
    };
    let number = number_of(&a[0]);
    if number.is_negative() && !signed {
        return Err(overflow_error(th, "can't convert negative int to unsigned"));
    }
    let mut bytes = match number {
        IntRef::Small(i) => i.to_le_bytes().to_vec(),
        IntRef::Big(b) => b.to_signed_bytes_le(),
    };
    let filler = if number.is_negative() { 0xFF } else { 0 };
    if bytes.len() > length {
        // What is cut off must be sign extension only, and the sign must survive where there is one.
        let sign_kept = !signed || length == 0 || (bytes[length - 1] >= 0x80) == (filler == 0xFF);
        if bytes[length..].iter().any(|&b| b != filler) || !sign_kept {
            return Err(overflow_error(th, "int too big to convert"));
        }
        bytes.truncate(length);
    } else if bytes.try_reserve_exact(length - bytes.len()).is_err() {
        return Err(memory_error(th));
    }
    bytes.resize(length, filler);
    if !little {
        bytes.reverse();
    }
    Ok(Bytes::new(&bytes).into())
}
fn from_bytes(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let little = little_endian(th, a.opt(2), "from_bytes")?;
    let signed = flag(th, a.opt(3))?;
    let mut data = object_to_bytes(th, &a[1])?;
    if !little {
        data.reverse();
    }
    let number = match signed {
        true => BigInt::from_signed_bytes_le(&data),
        false => BigInt::from_bytes_le(num_bigint::Sign::Plus, &data),
    };
    debug_assert!(signed || !number.is_negative());
    let number: Value = number.into();
    if a[0].downcast_ref::<krait_object::Type>().is_some_and(|_| !a[0].is(&krait_object::builtin_types::INT.to_value()))
    {
        return call::call(th, &a[0], &[number]);
    }
    Ok(number)
}

/// The bytes that `bytes(v)` holds, for anything but text and sizes.
fn object_to_bytes(th: &mut Thread, v: &Value) -> PyResult<Vec<u8>> {
    if let Some(b) = v.downcast_exact::<Bytes>() {
        return Ok(b.to_vec());
    }
    if let Some(made) = attr::call_special_opt(th, v, "__bytes__", &[])? {
        return match made.downcast_ref::<Bytes>() {
            Some(b) => Ok(b.to_vec()),
            None => {
                let class = made.class().name();
                Err(type_error(th, format!("__bytes__ returned non-bytes (type {class})")))
            }
        };
    }
    if v.class().slots.buffer.is_set() {
        return buffer::bytes_like(th, v);
    }
    let slots = &v.class().slots;
    if v.downcast_ref::<Str>().is_some() || !(slots.iter.is_set() || slots.sq_item.is_set()) {
        let class = v.class().name();
        return Err(type_error(th, format!("cannot convert '{class}' object to bytes")));
    }
    let mut data = Vec::new();
    iter::for_each(th, v, |th, item| {
        let item = number::index(th, &item)?;
        match number_of(&item).to_i64().and_then(|i| u8::try_from(i).ok()) {
            Some(byte) => data.push(byte),
            None => return Err(value_error(th, "bytes must be in range(0, 256)")),
        }
        Ok(())
    })?;
    Ok(data)
}
