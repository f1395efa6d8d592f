//! `_struct`: packing values into bytes by a format string.
//!
//! `format` works a format out, `codec` stores and reads single items; this file packs and unpacks objects, `types` has
//! `Struct` and the iterator. CPython counterpart: `Modules/_struct.c`.

mod codec;
mod format;
#[cfg(test)]
mod tests;
mod types;

use std::collections::HashMap;
use std::sync::Arc;

use krait_object::buffer::{Buffer, flags};
use krait_object::builtin_types::STR;
use krait_object::hash::ByWord;
use krait_object::native::function;
use krait_object::{
    Args, Bytes, ClassDef, Method, ModuleDef, PyResult, Raised, Str, Thread, Tuple, TypeObject, Value, type_flag,
};
use krait_runtime::errors;
use krait_runtime::errors::{memory_error, overflow_error, raise, type_error, unicode_encode_error};
use krait_runtime::exceptions::EXCEPTION;
use krait_runtime::protocol::buffer::get_buffer;
use krait_runtime::protocol::{compare, number};

use codec::Item;
use format::{Field, Format, Kind};

pub static MODULE: ModuleDef = ModuleDef {
    doc: "Values packed into bytes as C structures lay them out, by format strings.",
    functions: FUNCTIONS,
    classes: &[&types::STRUCT_DEF, &ERROR_DEF],
    init: Some(types::init),
    ..ModuleDef::new("_struct")
};

static ERROR: TypeObject = TypeObject::builtin_like("error", &EXCEPTION);
static ERROR_DEF: ClassDef = ClassDef { module: "struct", flags: type_flag::BASE, ..ClassDef::new(&ERROR) };

static FUNCTIONS: &[Method] = &[
    function("_clearcache", "()", "Forget the formats that were worked out.", |th, _| {
        th.extension::<Cache>().clear();
        Ok(Value::NONE)
    }),
    function("calcsize", "(format, /)", "Bytes that the format describes.", |th, a| Ok(cached(th, &a[0])?.size.into())),
    function("pack", "", "pack(format, v1, v2, ...) -> bytes\n\nThe values packed by the format.", |th, a| {
        let (format, values) = split_format(th, a)?;
        let mut out = zeroed(th, format.size)?;
        pack(th, &format, "pack", values, &mut out)?;
        Ok(Bytes::new(&out).into())
    }),
    function(
        "pack_into",
        "",
        "pack_into(format, buffer, offset, v1, v2, ...)\n\nPack the values by the format into the buffer at the offset.",
        |th, a| {
            let (format, rest) = split_format(th, a)?;
            pack_into(th, &format, rest)
        },
    ),
    function(
        "unpack",
        "(format, buffer, /)",
        "The values in the buffer, which has exactly the format's size.",
        |th, a| {
            let format = cached(th, &a[0])?;
            unpack(th, &format, &a[1])
        },
    ),
    function("unpack_from", "(format, /, buffer, offset=0)", "The values in the buffer at the offset.", |th, a| {
        let format = cached(th, &a[0])?;
        unpack_from(th, &format, &a[1], a.opt(2))
    }),
    function(
        "iter_unpack",
        "(format, buffer, /)",
        "An iterator over the buffer, one tuple for each repetition.",
        |th, a| {
            let format = cached(th, &a[0])?;
            types::iter_unpack(th, format, &a[1])
        },
    ),
];

/// Formats worked out lately, by their text, and by the string objects that were given.
#[derive(Default)]
struct Cache {
    formats: HashMap<Box<[u8]>, Arc<Format>>,
    strings: HashMap<u64, (Value, Arc<Format>), ByWord>,
}
impl Cache {
    fn clear(&mut self) {
        self.formats.clear();
        self.strings.clear();
    }
    fn with_room(&mut self) -> &mut Cache {
        if self.formats.len().max(self.strings.len()) >= CACHED {
            self.clear();
        }
        self
    }
}
const CACHED: usize = 100;

fn error(th: &mut Thread, message: impl Into<String>) -> Raised {
    raise(th, &ERROR, message)
}

fn zeroed(th: &mut Thread, size: usize) -> PyResult<Vec<u8>> {
    let mut out = Vec::new();
    if out.try_reserve_exact(size).is_err() {
        return Err(memory_error(th));
    }
    out.resize(size, 0);
    Ok(out)
}

/// The text of a format argument.
fn format_text(th: &mut Thread, v: &Value) -> PyResult<Vec<u8>> {
    if let Some(bytes) = v.downcast_ref::<Bytes>() {
        return Ok(bytes.to_vec());
    }
    let Some(s) = v.downcast_ref::<Str>() else {
        let name = v.class().name();
        return Err(type_error(th, format!("Struct() argument 1 must be a str or bytes object, not {name:.200}")));
    };
    match s.as_ascii() {
        Some(text) => Ok(text.as_bytes().to_vec()),
        None => {
            let start = s.iter().position(|c| c >= 128).unwrap_or(0);
            let run = s.iter().skip(start).take_while(|&c| c >= 128).count();
            Err(unicode_encode_error(th, "ascii", v.clone(), start, start + run, "ordinal not in range(128)"))
        }
    }
}

fn parse(th: &mut Thread, text: &[u8]) -> PyResult<Arc<Format>> {
    format::parse(text).map(Arc::new).map_err(|message| error(th, message))
}

fn cached(th: &mut Thread, v: &Value) -> PyResult<Arc<Format>> {
    if let Some((_, format)) = th.extension::<Cache>().strings.get(&v.bits()) {
        return Ok(format.clone());
    }
    let text = format_text(th, v)?;
    let known = th.extension::<Cache>().formats.get(&*text).cloned();
    let format = match known {
        Some(format) => format,
        None => {
            let format = parse(th, &text)?;
            th.extension::<Cache>().with_room().formats.insert(text.into(), format.clone());
            format
        }
    };
    // A string that others hold too is asked for again.
    if v.is_exact(&STR) && v.refcount() > 2 {
        th.extension::<Cache>().with_room().strings.insert(v.bits(), (v.clone(), format.clone()));
    }
    Ok(format)
}

/// The format argument of a raw function, and the arguments behind it.
fn split_format<'a>(th: &mut Thread, a: &Args<'a>) -> PyResult<(Arc<Format>, &'a [Value])> {
    match a.pos().split_first() {
        _ if a.has_kw() => Err(type_error(th, "pack() takes no keyword arguments")),
        None => Err(type_error(th, "missing format argument")),
        Some((format, rest)) => Ok((cached(th, format)?, rest)),
    }
}

fn pack(th: &mut Thread, format: &Format, name: &str, values: &[Value], out: &mut [u8]) -> PyResult<()> {
    if values.len() != format.values {
        let (wanted, got) = (format.values, values.len());
        return Err(error(th, format!("{name} expected {wanted} items for packing (got {got})")));
    }
    let mut values = values.iter();
    for field in &format.fields {
        if matches!(field.kind, Kind::Bytes | Kind::Pascal) {
            let Some(value) = values.next() else { break };
            pack_bytes(th, field, value, &mut out[field.offset..field.offset + field.repeat])?;
            continue;
        }
        let items = out[field.offset..field.offset + field.size * field.repeat].chunks_exact_mut(field.size);
        for (item, value) in items.zip(&mut values) {
            pack_item(th, format, field, value, item)?;
        }
    }
    Ok(())
}

fn pack_bytes(th: &mut Thread, field: &Field, value: &Value, out: &mut [u8]) -> PyResult<()> {
    let mut store = |data: &[u8]| {
        let pascal = field.kind == Kind::Pascal;
        let Some(room) = out.len().checked_sub(usize::from(pascal)) else { return };
        let len = data.len().min(room);
        out[usize::from(pascal)..][..len].copy_from_slice(&data[..len]);
        if pascal {
            out[0] = len.min(255) as u8;
        }
    };
    if let Some(bytes) = value.downcast_ref::<Bytes>() {
        store(bytes);
        return Ok(());
    }
    if value.is_instance(&krait_runtime::types::bytearray::BYTEARRAY) {
        get_buffer(th, value, flags::SIMPLE)?.with_bytes(store);
        return Ok(());
    }
    Err(error(th, format!("argument for '{}' must be a bytes object", char::from(field.code))))
}

fn pack_item(th: &mut Thread, format: &Format, field: &Field, value: &Value, out: &mut [u8]) -> PyResult<()> {
    match field.kind {
        Kind::Int { .. } | Kind::Pointer => {
            let number = integer(th, value)?;
            let (least, largest) = match field.kind {
                Kind::Pointer => (i128::from(i64::MIN), i128::from(u64::MAX)),
                _ => codec::range(field),
            };
            match number.filter(|n| (least..=largest).contains(n)) {
                Some(number) => codec::put_int(number, format.big_endian, out),
                None if field.kind == Kind::Pointer => return Err(error(th, "int too large to convert")),
                None => return Err(error(th, codec::range_message(field))),
            }
        }
        Kind::Bool => out.fill(u8::from(compare::truth(th, value)?)),
        Kind::Char => match value.downcast_ref::<Bytes>().map(|bytes| &**bytes) {
            Some([byte]) => out[0] = *byte,
            _ => return Err(error(th, "char format requires a bytes object of length 1")),
        },
        Kind::Half | Kind::Float | Kind::Double => {
            let Ok(number) = number::to_f64(th, value) else {
                th.take_exc();
                return Err(error(th, "required argument is not a float"));
            };
            if !codec::put_float(number, field, format.big_endian, format.native, out) {
                if value.as_int_ref().is_some() {
                    return Err(error(th, "int too large to convert"));
                }
                let code = char::from(field.code);
                return Err(overflow_error(th, format!("float too large to pack with {code} format")));
            }
        }
        Kind::Pad | Kind::Bytes | Kind::Pascal => {}
    }
    Ok(())
}

/// An integer argument; `None` if it has more than 127 bits.
fn integer(th: &mut Thread, value: &Value) -> PyResult<Option<i128>> {
    if let Some(i) = value.as_int() {
        return Ok(Some(i.into()));
    }
    if value.as_int_ref().is_none() && !value.class().slots.index.is_set() {
        return Err(error(th, "required argument is not an integer"));
    }
    let index = number::index(th, value)?;
    Ok(index.as_int_ref().and_then(|i| i128::try_from(i.to_bigint()).ok()))
}

/// Arguments of `pack_into` behind the format: buffer, offset, values.
fn pack_into(th: &mut Thread, format: &Format, arguments: &[Value]) -> PyResult<Value> {
    let (target, offset, values) = match arguments {
        [] => return Err(error(th, "pack_into expected buffer argument")),
        [_] => return Err(error(th, "pack_into expected offset argument")),
        [target, offset, values @ ..] => (target, offset, values),
    };
    if values.len() != format.values {
        let (wanted, got) = (format.values, values.len());
        return Err(error(th, format!("pack_into expected {wanted} items for packing (got {got})")));
    }
    let buffer = writable(th, target)?;
    let offset = number::index(th, offset)?;
    let Some(offset) = offset.as_int_ref().and_then(|i| i.to_i64()) else {
        return Err(errors::index_error(th, "cannot fit 'int' into an index-sized integer"));
    };
    let at = place(th, offset, format.size, buffer.len, Direction::Pack)?;
    // Values are converted before the memory is touched: conversion may run Python code.
    let mut packed = zeroed(th, format.size)?;
    pack(th, format, "pack_into", values, &mut packed)?;
    buffer.with_bytes_mut(|memory| {
        if let Some(target) = memory.get_mut(at..at + packed.len()) {
            target.copy_from_slice(&packed);
        }
    });
    Ok(Value::NONE)
}

fn writable(th: &mut Thread, target: &Value) -> PyResult<Buffer> {
    match get_buffer(th, target, flags::WRITABLE) {
        Ok(buffer) => Ok(buffer),
        Err(_) => {
            th.take_exc();
            let name = target.class().name();
            Err(type_error(th, format!("argument must be read-write bytes-like object, not {name}")))
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Direction {
    Pack,
    Unpack,
}

/// The place that an offset means in a buffer of `len` bytes, with room for `size`.
fn place(th: &mut Thread, offset: i64, size: usize, len: usize, direction: Direction) -> PyResult<usize> {
    let (size_i, len_i) = (size as i128, len as i128);
    let mut at = i128::from(offset);
    if at < 0 {
        if at + size_i > 0 {
            return Err(error(
                th,
                match direction {
                    Direction::Pack => format!("no space to pack {size} bytes at offset {offset}"),
                    Direction::Unpack => format!("not enough data to unpack {size} bytes at offset {offset}"),
                },
            ));
        }
        if at + len_i < 0 {
            return Err(error(th, format!("offset {offset} out of range for {len}-byte buffer")));
        }
        at += len_i;
    }
    if len_i - at < size_i {
        let (name, doing) = match direction {
            Direction::Pack => ("pack_into", "packing"),
            Direction::Unpack => ("unpack_from", "unpacking"),
        };
        let needed = at + size_i;
        return Err(error(
            th,
            format!(
                "{name} requires a buffer of at least {needed} bytes for {doing} {size} bytes at offset {at} \
                 (actual buffer size is {len})"
            ),
        ));
    }
    Ok(at as usize)
}

/// The values in `data`, which has the format's size.
fn unpack_bytes(format: &Format, data: &[u8]) -> Value {
    let mut values = Vec::with_capacity(format.values);
    for field in &format.fields {
        let bytes = &data[field.offset..field.offset + field.size * field.repeat];
        if matches!(field.kind, Kind::Bytes | Kind::Pascal) {
            values.push(to_value(codec::get(field, bytes, format.big_endian)));
        } else {
            values.extend(
                bytes.chunks_exact(field.size).map(|item| to_value(codec::get(field, item, format.big_endian))),
            );
        }
    }
    Tuple::from_vec(values).into()
}

fn to_value(item: Item<'_>) -> Value {
    match item {
        Item::Int(i) => Value::from(i),
        Item::Unsigned(i) => Value::from(i),
        Item::Bool(b) => Value::bool(b),
        Item::Float(f) => Value::float(f),
        Item::Bytes(bytes) => Bytes::new(bytes).into(),
    }
}

fn unpack(th: &mut Thread, format: &Format, v: &Value) -> PyResult<Value> {
    let unpacked = |data: &[u8]| (data.len() == format.size).then(|| unpack_bytes(format, data));
    let found = match v.downcast_ref::<Bytes>() {
        Some(bytes) => unpacked(bytes),
        None => get_buffer(th, v, flags::SIMPLE)?.with_bytes(unpacked),
    };
    match found {
        Some(values) => Ok(values),
        None => Err(error(th, format!("unpack requires a buffer of {} bytes", format.size))),
    }
}

fn unpack_from(th: &mut Thread, format: &Format, v: &Value, offset: Option<&Value>) -> PyResult<Value> {
    let buffer = get_buffer(th, v, flags::SIMPLE)?;
    let offset = match offset {
        None => 0,
        Some(offset) => {
            let index = number::index(th, offset)?;
            match index.as_int_ref().and_then(|i| i.to_i64()) {
                Some(offset) => offset,
                None => {
                    return Err(overflow_error(th, "Python int too large to convert to C ssize_t"));
                }
            }
        }
    };
    let at = place(th, offset, format.size, buffer.len, Direction::Unpack)?;
    Ok(buffer.with_bytes(|data| unpack_bytes(format, &data[at..at + format.size])))
}
