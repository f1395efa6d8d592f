//! Simple types: how a value of each type code is read and written. CPython: `Modules/_ctypes/cfield.c`.

use krait_object::{Bytes, PyResult, Str, Thread, Value};
use krait_runtime::errors::{memory_error, type_error, value_error};
use krait_runtime::protocol::{compare, number};
use krait_runtime::types::bytearray::ByteArray;

use super::data::this;
use super::info::Info;
use super::memory::{self, Block};

/// Size and alignment of a type code.
pub fn size_of_code(code: char) -> Option<usize> {
    Some(match code {
        'c' | 'b' | 'B' | '?' => 1,
        'h' | 'H' | 'v' => 2,
        'i' | 'I' | 'f' | 'u' => 4,
        'l' | 'L' | 'q' | 'Q' | 'd' | 'z' | 'Z' | 'P' | 'O' => 8,
        'g' => 16,
        _ => return None,
    })
}

/// The code in the language of `struct`, with the byte order before it.
pub fn format_of(code: char, swapped: bool) -> String {
    let letter = match code {
        'l' => 'q',
        'L' => 'Q',
        other => other,
    };
    format!("{}{letter}", if swapped { '>' } else { '<' })
}

pub fn is_integer(code: char) -> bool {
    matches!(code, 'b' | 'B' | 'h' | 'H' | 'i' | 'I' | 'l' | 'L' | 'q' | 'Q')
}

pub fn is_signed(code: char) -> bool {
    code.is_ascii_lowercase()
}

/// The bytes of a number in native order.
fn native(info: &Info, address: usize) -> [u8; 16] {
    let mut bytes = memory::load_small(address, info.size);
    if info.swapped {
        bytes[..info.size].reverse();
    }
    bytes
}

fn integer(bytes: [u8; 16], size: usize, signed: bool) -> Value {
    let raw = u64::from_le_bytes(std::array::from_fn(|i| bytes[i]));
    let shift = 64 - 8 * size as u32;
    if signed { Value::int(((raw << shift) as i64) >> shift) } else { ((raw << shift) >> shift).into() }
}

/// The value at an address.
pub fn get(th: &mut Thread, info: &Info, address: usize) -> PyResult<Value> {
    let bytes = native(info, address);
    let word = || memory::load_word(address);
    Ok(match info.code {
        'c' => Bytes::new(&bytes[..1]).into(),
        '?' => Value::bool(bytes[0] != 0),
        'v' => Value::bool(bytes[..2] != [0; 2]),
        'f' => Value::float(f32::from_le_bytes(std::array::from_fn(|i| bytes[i])).into()),
        'd' => Value::float(f64::from_le_bytes(std::array::from_fn(|i| bytes[i]))),
        'g' => Value::float(from_extended(bytes)),
        'u' => Str::from_points(&memory::wide_string(address, Some(1))).into(),
        'z' if word() == 0 => Value::NONE,
        'z' => Bytes::new(&memory::c_string(word())).into(),
        'Z' if word() == 0 => Value::NONE,
        'Z' => Str::from_points(&memory::wide_string(word(), None)).into(),
        'P' if word() == 0 => Value::NONE,
        'P' => (word() as u64).into(),
        'O' => return object_at(th, word()),
        code => integer(bytes, info.size, is_signed(code)),
    })
}

/// The Python object that a word stands for.
pub fn object_at(th: &mut Thread, word: usize) -> PyResult<Value> {
    if word == 0 {
        return Err(value_error(th, "PyObject is NULL"));
    }
    // SAFETY: the script vouches that the word came from an object that is alive; it is counted once more at once.
    let borrowed = std::mem::ManuallyDrop::new(unsafe { Value::from_bits(word as u64) });
    Ok((*borrowed).clone())
}

/// Stores a value at an address within `owner`'s memory; answers what must be kept alive with it.
pub fn set(th: &mut Thread, info: &Info, owner: &Value, address: usize, value: &Value) -> PyResult<Value> {
    let (bytes, kept, block) = encode(th, info, value)?;
    memory::store(address, &bytes[..info.size]);
    if let Some(block) = block {
        this(owner).keep_block(address, block);
    }
    Ok(kept)
}

/// The bytes of a value, what must be kept alive with it, and memory that it points to.
pub fn encode(th: &mut Thread, info: &Info, value: &Value) -> PyResult<([u8; 16], Value, Option<Block>)> {
    let mut bytes = [0; 16];
    let (mut kept, mut block) = (Value::NONE, None);
    match info.code {
        'c' => bytes[0] = character(th, value)?,
        '?' => bytes[0] = u8::from(compare::truth(th, value)?),
        'v' => bytes[..2].fill(if compare::truth(th, value)? { 0xFF } else { 0 }),
        'f' => {
            let given = number::to_f64(th, value)?;
            bytes[..4].copy_from_slice(&(given as f32).to_le_bytes());
        }
        'd' => bytes[..8].copy_from_slice(&number::to_f64(th, value)?.to_le_bytes()),
        'g' => bytes = to_extended(number::to_f64(th, value)?),
        'u' => {
            let Some(text) = value.downcast_ref::<Str>() else {
                let name = value.class().name();
                return Err(type_error(th, format!("unicode string expected instead of {name} instance")));
            };
            let (Some(c), 1) = (text.get(0), text.len()) else {
                return Err(type_error(th, "one character unicode string expected"));
            };
            bytes[..4].copy_from_slice(&c.to_le_bytes());
        }
        'z' | 'Z' | 'P' => {
            let (word, made) = address_of(th, info.code, value)?;
            bytes[..8].copy_from_slice(&word.to_le_bytes());
            block = made;
            kept = if value.as_int_ref().is_some() { Value::NONE } else { value.clone() };
        }
        'O' => {
            bytes[..8].copy_from_slice(&value.bits().to_le_bytes());
            kept = value.clone();
        }
        _ => {
            if value.is_instance(&krait_object::builtin_types::FLOAT) {
                return Err(type_error(th, "int expected instead of float instance"));
            }
            bytes[..8].copy_from_slice(&number::to_masked(th, value, 64)?.to_le_bytes());
        }
    }
    if info.swapped {
        bytes[..info.size].reverse();
    }
    Ok((bytes, kept, block))
}

fn character(th: &mut Thread, value: &Value) -> PyResult<u8> {
    let one = match (value.downcast_ref::<Bytes>(), value.downcast_ref::<ByteArray>(), value.as_int_ref()) {
        (Some(bytes), ..) => <[u8; 1]>::try_from(bytes.as_slice()).ok(),
        (_, Some(array), _) => <[u8; 1]>::try_from(array.lock().as_slice()).ok(),
        (.., Some(int)) => int.to_i64().and_then(|int| u8::try_from(int).ok()).map(|byte| [byte]),
        _ => None,
    };
    match one {
        Some([byte]) => Ok(byte),
        None => Err(type_error(th, "one character bytes, bytearray or integer expected")),
    }
}

/// The address that a pointer code stores for a value, and memory made for it.
pub fn address_of(th: &mut Thread, code: char, value: &Value) -> PyResult<(usize, Option<Block>)> {
    if value.is_none() {
        return Ok((0, None));
    }
    if value.as_int_ref().is_some() {
        return Ok((number::to_masked(th, value, 64)? as usize, None));
    }
    let bytes: Vec<u8> = match (code, value.downcast_ref::<Bytes>(), value.downcast_ref::<Str>()) {
        // The object's own memory, which ends with a NUL.
        ('z', Some(bytes), _) => return Ok((bytes.as_slice().as_ptr() as usize, None)),
        ('Z', _, Some(text)) => text.iter().chain([0]).flat_map(u32::to_ne_bytes).collect(),
        _ => {
            let name = value.class().name();
            return Err(match code {
                'z' => type_error(th, format!("bytes or integer address expected instead of {name} instance")),
                'Z' => type_error(th, format!("unicode string or integer address expected instead of {name} instance")),
                _ => type_error(th, "cannot be converted to pointer"),
            });
        }
    };
    match Block::of(&bytes) {
        Some(block) => Ok((block.address(), Some(block))),
        None => Err(memory_error(th)),
    }
}

/// The 80-bit format of x87: sign and exponent of 15 bits, and 64 bits with an explicit leading one.
fn to_extended(value: f64) -> [u8; 16] {
    let bits = value.to_bits();
    let sign = ((bits >> 63) as u16) << 15;
    let exponent = (bits >> 52 & 0x7FF) as u16;
    let fraction = bits & ((1 << 52) - 1);
    let (exponent, significand) = match exponent {
        0x7FF => (0x7FFF, 1 << 63 | fraction << 11),
        0 if fraction == 0 => (0, 0),
        0 => {
            let shift = fraction.leading_zeros();
            (15372 - (shift as u16 - 11) + 1 - 1, fraction << shift)
        }
        _ => (exponent + 15360, 1 << 63 | fraction << 11),
    };
    let mut out = [0; 16];
    out[..8].copy_from_slice(&u64::to_le_bytes(significand));
    out[8..10].copy_from_slice(&(sign | exponent).to_le_bytes());
    out
}

fn from_extended(bytes: [u8; 16]) -> f64 {
    let significand = u64::from_le_bytes(std::array::from_fn(|i| bytes[i]));
    let head = u16::from_le_bytes([bytes[8], bytes[9]]);
    let (negative, exponent) = (head & 0x8000 != 0, i32::from(head & 0x7FFF));
    let magnitude = match exponent {
        0x7FFF if significand << 1 == 0 => f64::INFINITY,
        0x7FFF => f64::NAN,
        // Twice, so that the factor itself stays in range.
        _ => {
            let power = exponent - 16383 - 63;
            let half = power / 2;
            significand as f64 * 2f64.powi(half) * 2f64.powi(power - half)
        }
    };
    if negative { -magnitude } else { magnitude }
}
