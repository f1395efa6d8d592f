//! Items of a view: the native single-character formats of `struct`, bytes to values and back. CPython: `unpack_single`,
//! `pack_single`.
use krait_object::{Bytes, PyResult, Raised, Thread, Value};
use num_bigint::BigInt;
use num_traits::ToPrimitive;

use crate::errors::{not_implemented_error, type_error, value_error};
use crate::exceptions::{OVERFLOW_ERROR, TYPE_ERROR, VALUE_ERROR};
use crate::protocol::{compare, number};

/// The format's character where it is native and single, an optional "@" before it.
pub fn native(format: &str) -> Option<u8> {
    match *format.strip_prefix('@').unwrap_or(format).as_bytes() {
        [c] if size(c).is_some() => Some(c),
        _ => None,
    }
}

/// Bytes of an item; `None` for characters that are no native format.
pub fn size(c: u8) -> Option<usize> {
    Some(match c {
        b'c' | b'b' | b'B' | b'?' => 1,
        b'h' | b'H' | b'e' => 2,
        b'i' | b'I' | b'f' => 4,
        b'l' | b'L' => size_of::<std::ffi::c_long>(),
        b'q' | b'Q' | b'd' => 8,
        b'n' | b'N' | b'P' => size_of::<usize>(),
        _ => return None,
    })
}

/// The character of a format that items can be read and written in.
pub fn usable(th: &mut Thread, format: &str) -> PyResult<u8> {
    match *format.strip_prefix('@').unwrap_or(format).as_bytes() {
        [c] => match size(c) {
            Some(_) => Ok(c),
            None => Err(not_implemented_error(th, format!("memoryview: format {} not supported", c as char))),
        },
        _ => Err(not_implemented_error(th, format!("memoryview: unsupported format {format}"))),
    }
}

fn is_signed(c: u8) -> bool {
    matches!(c, b'b' | b'h' | b'i' | b'l' | b'q' | b'n')
}

/// One item; `bytes` has the format's size.
pub fn unpack(c: u8, bytes: &[u8]) -> Value {
    match c {
        b'c' => Bytes::new(bytes).into(),
        b'?' => Value::bool(bytes.iter().any(|&b| b != 0)),
        b'e' => Value::float(half_to_f64(bytes.try_into().map_or(0, u16::from_ne_bytes))),
        b'f' => Value::float(f64::from(bytes.try_into().map_or(0.0, f32::from_ne_bytes))),
        b'd' => Value::float(bytes.try_into().map_or(0.0, f64::from_ne_bytes)),
        _ => {
            let mut wide = [0u8; 8];
            let n = bytes.len().min(8);
            wide[..n].copy_from_slice(&bytes[..n]);
            if cfg!(target_endian = "big") {
                wide[..n].reverse();
            }
            let raw = u64::from_le_bytes(wide);
            if is_signed(c) {
                let spare = 64 - 8 * n as u32;
                Value::int((raw << spare) as i64 >> spare)
            } else {
                raw.into()
            }
        }
    }
}

/// The bytes of one item.
pub fn pack(th: &mut Thread, format: &str, c: u8, v: &Value) -> PyResult<Vec<u8>> {
    match c {
        b'c' => match v.downcast_ref::<Bytes>().map(Bytes::as_slice) {
            Some([b]) => Ok(vec![*b]),
            Some(_) => Err(wrong_value(th, format)),
            None => Err(wrong_type(th, format)),
        },
        b'?' => Ok(vec![compare::truth(th, v)?.into()]),
        b'e' | b'f' | b'd' => {
            let x = match number::to_f64(th, v) {
                Ok(x) => x,
                Err(e) => return Err(reworded(th, e, format)),
            };
            match c {
                b'd' => Ok(x.to_ne_bytes().to_vec()),
                b'f' if x.is_finite() && (x as f32).is_infinite() => Err(wrong_value(th, format)),
                b'f' => Ok((x as f32).to_ne_bytes().to_vec()),
                _ => match f64_to_half(x) {
                    Some(h) => Ok(h.to_ne_bytes().to_vec()),
                    None => Err(wrong_value(th, format)),
                },
            }
        }
        _ => {
            let i = match number::to_bigint(th, v) {
                Ok(i) => i,
                Err(e) => return Err(reworded(th, e, format)),
            };
            let bytes = int_bytes(&i, size(c).unwrap_or(8), is_signed(c));
            bytes.ok_or_else(|| wrong_value(th, format))
        }
    }
}

fn wrong_type(th: &mut Thread, format: &str) -> Raised {
    type_error(th, format!("memoryview: invalid type for format '{format}'"))
}
fn wrong_value(th: &mut Thread, format: &str) -> Raised {
    value_error(th, format!("memoryview: invalid value for format '{format}'"))
}

/// A failed conversion in the view's words; other exceptions pass on.
fn reworded(th: &mut Thread, e: Raised, format: &str) -> Raised {
    let is = |th: &Thread, class| th.exc.as_ref().is_some_and(|exc| exc.is_instance(class));
    if is(th, &TYPE_ERROR) {
        drop(th.take_exc());
        wrong_type(th, format)
    } else if is(th, &OVERFLOW_ERROR) || is(th, &VALUE_ERROR) {
        drop(th.take_exc());
        wrong_value(th, format)
    } else {
        e
    }
}

fn int_bytes(i: &BigInt, n: usize, signed: bool) -> Option<Vec<u8>> {
    let wide = if signed {
        let x = i.to_i64()?;
        let spare = 64 - 8 * n as u32;
        if x << spare >> spare != x {
            return None;
        }
        x as u64
    } else {
        let x = i.to_u64()?;
        if n < 8 && x >> (8 * n) != 0 {
            return None;
        }
        x
    };
    let mut bytes = wide.to_le_bytes()[..n].to_vec();
    if cfg!(target_endian = "big") {
        bytes.reverse();
    }
    Some(bytes)
}

fn half_to_f64(h: u16) -> f64 {
    let sign = if h & 0x8000 != 0 { -1.0 } else { 1.0 };
    let (exponent, mantissa) = (i32::from(h >> 10 & 0x1F), f64::from(h & 0x3FF));
    sign * match exponent {
        0 => mantissa * 2f64.powi(-24),
        31 if mantissa == 0.0 => f64::INFINITY,
        31 => f64::NAN,
        e => (1024.0 + mantissa) * 2f64.powi(e - 25),
    }
}

/// The nearest half-precision number, ties to even; `None` beyond the range.
fn f64_to_half(x: f64) -> Option<u16> {
    let sign = if x.is_sign_negative() { 0x8000 } else { 0 };
    let a = x.abs();
    if a.is_nan() {
        return Some(sign | 0x7E00);
    }
    if a.is_infinite() {
        return Some(sign | 0x7C00);
    }
    // The unit in the last place is 2^-24 up to the first normal number, then grows with the exponent.
    let exponent = if a < 2f64.powi(-14) { -14 } else { (a.to_bits() >> 52) as i32 - 1023 };
    let scaled = a * 2f64.powi(10 - exponent);
    let floor = scaled.floor();
    let rest = scaled - floor;
    let up = rest > 0.5 || (rest == 0.5 && floor % 2.0 == 1.0);
    let units = floor as u32 + u32::from(up);
    // Normal numbers hide the leading bit; a carry out of the mantissa raises the exponent by itself.
    let bits = if units < 1024 { units } else { (exponent + 14) as u32 * 1024 + units };
    if bits >= 0x7C00 { None } else { Some(sign | bits as u16) }
}
