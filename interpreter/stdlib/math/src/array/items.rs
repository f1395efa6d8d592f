//! Type codes, and single items between memory and values.
use krait_object::{PyResult, Raised, Str, Thread, Value};
use krait_runtime::errors::{overflow_error, type_error, value_error};
use krait_runtime::protocol::number;
use num_bigint::Sign;
use num_traits::ToPrimitive;

pub const TYPECODES: &str = "bBuwhHiIlLqQfd";

/// A type code.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Code {
    I8,
    U8,
    /// A character of C's `wchar_t`, four bytes here.
    U,
    W,
    I16,
    U16,
    I32,
    U32,
    Long,
    ULong,
    I64,
    U64,
    F32,
    F64,
}
use Code::*;

const ALL: [Code; 14] = [I8, U8, U, W, I16, U16, I32, U32, Long, ULong, I64, U64, F32, F64];

/// An item out of the memory.
pub enum Item {
    Int(i64),
    Unsigned(u64),
    Float(f64),
    Character(u32),
}
impl Item {
    pub fn into_value(self, th: &mut Thread) -> PyResult<Value> {
        match self {
            Item::Int(i) => Ok(i.into()),
            Item::Unsigned(i) => Ok(i.into()),
            Item::Float(f) => Ok(f.into()),
            Item::Character(c) if c <= 0x10_FFFF => Ok(Str::from_point(c).into()),
            Item::Character(c) => Err(bad_character(th, c)),
        }
    }
}
pub fn bad_character(th: &mut Thread, c: u32) -> Raised {
    value_error(th, format!("character U+{c:x} is not in range [U+0000; U+10ffff]"))
}

impl Code {
    pub fn of(letter: u32) -> Option<Code> {
        let letter = char::from_u32(letter)?;
        TYPECODES.chars().position(|c| c == letter).map(|i| ALL[i])
    }
    pub fn letter(self) -> &'static str {
        let i = self as usize;
        &TYPECODES[i..=i]
    }
    /// Bytes of an item.
    pub const fn size(self) -> usize {
        match self {
            I8 | U8 => 1,
            I16 | U16 => 2,
            I32 | U32 | F32 | U | W => 4,
            Long | ULong | I64 | U64 | F64 => 8,
        }
    }
    /// The format of exported memory.
    pub fn buffer_format(self) -> &'static str {
        match self {
            U | W => "w",
            other => other.letter(),
        }
    }
    /// The item in `bytes`, which are as many as it has.
    pub fn load(self, bytes: &[u8]) -> Item {
        let mut word = [0u8; 8];
        word[..bytes.len()].copy_from_slice(bytes);
        let word = u64::from_le_bytes(word);
        match self {
            I8 => Item::Int(i64::from(word as i8)),
            U8 | U16 | U32 => Item::Int(word as i64),
            I16 => Item::Int(i64::from(word as i16)),
            I32 => Item::Int(i64::from(word as i32)),
            Long | I64 => Item::Int(word as i64),
            ULong | U64 => Item::Unsigned(word),
            F32 => Item::Float(f64::from(f32::from_bits(word as u32))),
            F64 => Item::Float(f64::from_bits(word)),
            U | W => Item::Character(word as u32),
        }
    }
    /// The bytes of a value; the first [`Code::size`] count.
    pub fn store(self, th: &mut Thread, v: &Value) -> PyResult<[u8; 8]> {
        let word = match self {
            I8 => {
                let i = ranged(th, v, i16::MIN.into(), i16::MAX.into(), "signed short integer")?;
                check(th, i, i8::MIN.into(), i8::MAX.into(), "signed char")?
            }
            U8 => ranged(th, v, 0, u8::MAX.into(), "unsigned byte integer")?,
            I16 => ranged(th, v, i16::MIN.into(), i16::MAX.into(), "signed short integer")?,
            U16 => {
                let i = i64::from(number::to_i32(th, v)?);
                check(th, i, 0, u16::MAX.into(), "unsigned short")?
            }
            I32 => i64::from(number::to_i32(th, v)?),
            U32 => {
                let i = unsigned_long(th, v)?;
                if i > u64::from(u32::MAX) {
                    return Err(overflow_error(th, "unsigned int is greater than maximum"));
                }
                i as i64
            }
            Long => number::to_i64(th, v)?,
            ULong => unsigned_long(th, v)? as i64,
            I64 => {
                let i = number::index(th, v)?;
                match i.as_int_ref().and_then(|i| i.to_i64()) {
                    Some(i) => i,
                    None => return Err(overflow_error(th, "int too big to convert")),
                }
            }
            U64 => {
                let i = number::to_bigint(th, v)?;
                match i.to_u64() {
                    Some(i) => i as i64,
                    None if i.sign() == Sign::Minus => {
                        return Err(overflow_error(th, "can't convert negative int to unsigned"));
                    }
                    None => return Err(overflow_error(th, "int too big to convert")),
                }
            }
            F32 => i64::from((number::to_f64(th, v)? as f32).to_bits()),
            F64 => number::to_f64(th, v)?.to_bits() as i64,
            U | W => match v.downcast_ref::<Str>() {
                Some(s) if s.len() == 1 => i64::from(s.get(0).unwrap_or(0)),
                _ => return Err(type_error(th, "array item must be unicode character")),
            },
        };
        Ok(word.to_le_bytes())
    }
}

fn check(th: &mut Thread, i: i64, least: i64, most: i64, what: &str) -> PyResult<i64> {
    if i < least {
        return Err(overflow_error(th, format!("{what} is less than minimum")));
    }
    if i > most {
        return Err(overflow_error(th, format!("{what} is greater than maximum")));
    }
    Ok(i)
}
fn ranged(th: &mut Thread, v: &Value, least: i64, most: i64, what: &str) -> PyResult<i64> {
    let i = number::to_i64(th, v)?;
    check(th, i, least, most, what)
}
fn unsigned_long(th: &mut Thread, v: &Value) -> PyResult<u64> {
    let i = number::to_bigint(th, v)?;
    match i.to_u64() {
        Some(i) => Ok(i),
        None if i.sign() == Sign::Minus => Err(overflow_error(th, "can't convert negative value to unsigned int")),
        None => Err(overflow_error(th, "Python int too large to convert to C unsigned long")),
    }
}
