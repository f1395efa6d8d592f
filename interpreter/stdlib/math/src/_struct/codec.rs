//! Single items: numbers to bytes and back.

use super::format::{Field, Kind};

/// An item that was read.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Item<'a> {
    Int(i64),
    Unsigned(u64),
    Bool(bool),
    Float(f64),
    Bytes(&'a [u8]),
}

/// The least and the largest number that the field holds.
pub fn range(field: &Field) -> (i128, i128) {
    let bits = 8 * field.size as u32;
    match field.kind {
        Kind::Int { signed: true } => (-(1 << (bits - 1)), (1 << (bits - 1)) - 1),
        _ => (0, (1 << bits) - 1),
    }
}

/// Message of `struct.error` for a number out of range.
pub fn range_message(field: &Field) -> String {
    let (least, largest) = range(field);
    format!("'{}' format requires {least} <= number <= {largest}", char::from(field.code))
}

/// Stores the low bytes of a number; the caller has checked its range.
pub fn put_int(value: i128, big_endian: bool, out: &mut [u8]) {
    let bytes = value.to_le_bytes();
    let len = out.len();
    out.copy_from_slice(&bytes[..len]);
    if big_endian {
        out.reverse();
    }
}

/// Stores a float; false if it is finite and too large.
pub fn put_float(value: f64, field: &Field, big_endian: bool, native: bool, out: &mut [u8]) -> bool {
    match field.kind {
        Kind::Half => match half_bits(value) {
            Some(bits) => put_int(bits.into(), big_endian, out),
            None => return false,
        },
        Kind::Float => {
            let narrow = value as f32;
            if narrow.is_infinite() && value.is_finite() && !native {
                return false;
            }
            put_int(narrow.to_bits().into(), big_endian, out);
        }
        _ => put_int(value.to_bits().into(), big_endian, out),
    }
    true
}

fn unsigned(bytes: &[u8], big_endian: bool) -> u64 {
    let fold = |value, &byte| value << 8 | u64::from(byte);
    if big_endian { bytes.iter().fold(0, fold) } else { bytes.iter().rev().fold(0, fold) }
}

/// Reads one item; `bytes` are those of the item, or of the whole field for `s` and `p`.
pub fn get<'a>(field: &Field, bytes: &'a [u8], big_endian: bool) -> Item<'a> {
    match field.kind {
        Kind::Bytes | Kind::Char | Kind::Pad => Item::Bytes(bytes),
        Kind::Pascal => match bytes.split_first() {
            Some((&len, rest)) => Item::Bytes(&rest[..rest.len().min(len.into())]),
            None => Item::Bytes(bytes),
        },
        Kind::Bool => Item::Bool(bytes.iter().any(|&b| b != 0)),
        Kind::Pointer | Kind::Int { signed: false } => Item::Unsigned(unsigned(bytes, big_endian)),
        Kind::Int { signed: true } => {
            let unused = 64 - 8 * bytes.len() as u32;
            Item::Int((unsigned(bytes, big_endian) << unused) as i64 >> unused)
        }
        Kind::Half => Item::Float(half_value(unsigned(bytes, big_endian) as u16)),
        Kind::Float => Item::Float(f32::from_bits(unsigned(bytes, big_endian) as u32).into()),
        Kind::Double => Item::Float(f64::from_bits(unsigned(bytes, big_endian))),
    }
}

/// IEEE 754 half precision, rounded half to even; `None` if a finite number is too large.
fn half_bits(value: f64) -> Option<u16> {
    let sign = if value.is_sign_negative() { 0x8000 } else { 0 };
    let magnitude = value.abs();
    if value.is_nan() {
        return Some(sign | 0x7e00);
    }
    if value.is_infinite() {
        return Some(sign | 0x7c00);
    }
    // Below 2^-14 numbers are multiples of 2^-24, above they have 10 bits behind the leading one.
    let exponent = if magnitude < 2f64.powi(-14) { -14 } else { ((magnitude.to_bits() >> 52) as i32) - 1023 };
    if exponent > 15 {
        return None;
    }
    let units = (magnitude * 2f64.powi(10 - exponent)).round_ties_even() as u32;
    // `units` carries the leading one of a normal number, which adds one to the exponent field.
    let bits = units + (((exponent + 14) as u32) << 10);
    if bits >= 0x7c00 { None } else { Some(sign | bits as u16) }
}

fn half_value(bits: u16) -> f64 {
    let fraction = f64::from(bits & 0x3ff);
    let magnitude = match bits >> 10 & 31 {
        0 => fraction * 2f64.powi(-24),
        31 if bits & 0x3ff == 0 => f64::INFINITY,
        31 => f64::NAN,
        exponent => (1024.0 + fraction) * 2f64.powi(i32::from(exponent) - 25),
    };
    if bits & 0x8000 != 0 { -magnitude } else { magnitude }
}
