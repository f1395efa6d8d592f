//! `memoryview.hex`. CPython: `Python/pystrhex.c`.
use krait_object::{Args, Bytes, PyResult, Str, Thread, Value};

use super::window;
use crate::errors::{type_error, value_error};
use crate::protocol::number;

pub fn hex_method(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let w = window(th, &a[0])?;
    let separator = match a.opt(1) {
        None => None,
        Some(v) => Some(separator(th, v)?),
    };
    let group = match a.opt(2) {
        Some(n) => number::to_i32(th, n)?,
        None => 1,
    };
    Ok(Value::str(&hex(&w.to_vec(), separator, group)))
}

fn separator(th: &mut Thread, v: &Value) -> PyResult<char> {
    let points: Vec<u32> = if let Some(s) = v.downcast_ref::<Str>() {
        s.iter().collect()
    } else if let Some(b) = v.downcast_ref::<Bytes>() {
        b.iter().map(|&b| b.into()).collect()
    } else {
        return Err(type_error(th, "sep must be str or bytes."));
    };
    match *points {
        [c] if c < 0x80 => Ok(char::from_u32(c).unwrap_or(' ')),
        [_] => Err(value_error(th, "sep must be ASCII.")),
        _ => Err(value_error(th, "sep must be length 1.")),
    }
}

/// Hexadecimal digits, with a separator after every `group` bytes counted from the right, or from the left where it is
/// negative.
fn hex(bytes: &[u8], separator: Option<char>, group: i32) -> String {
    let n = bytes.len();
    let size = group.unsigned_abs() as usize;
    let mut out = String::with_capacity(n * 3);
    for (i, b) in bytes.iter().enumerate() {
        let counted = if group < 0 { i } else { n - i };
        if let Some(separator) = separator
            && i > 0
            && size > 0
            && counted.is_multiple_of(size)
        {
            out.push(separator);
        }
        for digit in [b >> 4, b & 15] {
            out.push(char::from_digit(digit.into(), 16).unwrap_or('0'));
        }
    }
    out
}
