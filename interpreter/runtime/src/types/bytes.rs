//! The type `bytes`: constructor, slots, method table. What it shares with `bytearray` is in the folder; the storage is
//! `krait_object::Bytes`. CPython counterparts: `Objects/bytesobject.c`, `Objects/bytes_methods.c`.

use std::sync::Arc;

use krait_object::buffer::{Buffer, BytesExport};
use krait_object::builtin_types::BYTES;
use krait_object::list::try_copy;
use krait_object::native::{Method, Sig, class_method, method, static_method};
use krait_object::{
    Args, Bytes, ClassDef, CmpOp, List, PyResult, Ref, SlotDefs, Str, Thread, Tuple, Type, Value, type_flag,
};

use crate::errors::{buffer_error, catch, index_error, made, memory_error, type_error, value_error};
use crate::exceptions::TYPE_ERROR;
use crate::numtext::OutOfMemory;
use crate::protocol::buffer::check_filled;
use crate::protocol::slice::adjust;
use crate::protocol::{attr, iter, number};
use crate::text::escape;
use crate::types::slice::Slice;
use crate::types::str::units::{c_string, fit};

pub mod data;
pub mod hex;
pub mod iterator;
pub(crate) mod methods;
pub mod percent;
pub mod search;
pub mod shape;

use data::{argument, byte_or, has_buffer, has_index};
use methods::byte_methods;

pub static DEFS: &[&ClassDef] = &[&DEF, &iterator::BYTES_DEF];

pub static DEF: ClassDef = ClassDef {
    doc: "bytes(iterable_of_ints) -> bytes\nbytes(string, encoding[, errors]) -> bytes\n\
          bytes(bytes_or_buffer) -> bytes\nbytes(int) -> bytes of that size, all zero\nbytes() -> empty bytes\n\n\
          An immutable sequence of ints from 0 to 255.",
    methods: METHODS,
    slots: SlotDefs {
        new: Some(new),
        repr: Some(repr),
        str: Some(|th, v| {
            warn_doubtful(th, "str() on a bytes instance")?;
            repr(th, v)
        }),
        hash: Some(hash),
        compare: Some(compare),
        iter: Some(iterator::iter),
        buffer: Some(buffer),
        remainder: Some(percent::bytes_remainder),
        sq_len: Some(len),
        mp_len: Some(len),
        sq_concat: Some(shape::concat),
        sq_repeat: Some(shape::repeat),
        sq_item: Some(item),
        contains: Some(search::contains),
        subscript: Some(subscript),
        ..SlotDefs::EMPTY
    },
    flags: type_flag::BASE | type_flag::BYTES_SUBCLASS | type_flag::MATCH_SELF,
    ..ClassDef::new(&BYTES)
};

static METHODS: &[Method] = byte_methods![
    class_method("fromhex", "(string, /)", "The bytes that hexadecimal text stands for.", hex::bytes_fromhex),
    method("__bytes__", "()", "Self as exact bytes.", dunder_bytes),
    method("__getnewargs__", "()", "Arguments for unpickling.", getnewargs),
    method("__sizeof__", "()", "Size of the object in memory, in bytes.", sizeof),
];

static NEW: Sig = Sig::new("(source=b'', encoding='utf-8', errors='strict')");

fn new(th: &mut Thread, cls: &Ref<Type>, args: &Args<'_>) -> PyResult<Value> {
    let bound = NEW.bind(th, "bytes", "bytes", args, 0)?;
    let made = construct(th, &bound.args())?;
    if cls.is(&BYTES) {
        return Ok(made);
    }
    let Some(bytes) = made.downcast_ref::<Bytes>() else { return Ok(made) };
    match Bytes::try_new(bytes, cls.object()) {
        Some(instance) => Ok(instance.into()),
        None => Err(memory_error(th)),
    }
}

fn create(th: &mut Thread, data: &[u8]) -> PyResult<Value> {
    match Bytes::try_new(data, &BYTES) {
        Some(bytes) => Ok(bytes.into()),
        None => Err(memory_error(th)),
    }
}

fn construct(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let text = |th: &mut Thread, index, name: &str| match a.opt(index) {
        Some(value) => c_string(th, value, &format!("bytes() argument '{name}'")).map(Some),
        None => Ok(None),
    };
    let encoding = text(th, 1, "encoding")?;
    let errors = text(th, 2, "errors")?;
    const NO_TEXT: &str = "encoding without a string argument";
    const NO_TEXT_FOR_ERRORS: &str = "errors without a string argument";
    let Some(source) = a.opt(0) else {
        return match (encoding, errors) {
            (Some(_), _) => Err(type_error(th, NO_TEXT)),
            (None, Some(_)) => Err(type_error(th, NO_TEXT_FOR_ERRORS)),
            _ => create(th, &[]),
        };
    };
    let is_text = source.downcast_ref::<Str>().is_some();
    if encoding.is_some() {
        if !is_text {
            return Err(type_error(th, NO_TEXT));
        }
        return crate::codecs::encode_text(th, source, encoding.as_deref(), errors.as_deref());
    }
    const NO_ENCODING: &str = "string argument without an encoding";
    if errors.is_some() {
        return Err(type_error(th, if is_text { NO_ENCODING } else { NO_TEXT_FOR_ERRORS }));
    }
    if let Some(made) = attr::call_special_opt(th, source, "__bytes__", &[])? {
        if made.downcast_ref::<Bytes>().is_none() {
            return Err(type_error(th, format!("__bytes__ returned non-bytes (type {})", made.class().name())));
        }
        return Ok(made);
    }
    if is_text {
        return Err(type_error(th, NO_ENCODING));
    }
    if let Some(count) = count_of(th, source)? {
        let zeros = zeros(count);
        let zeros = fit(th, zeros)?;
        return create(th, &zeros);
    }
    from_object(th, source)
}

/// `count` zero bytes.
pub fn zeros(count: usize) -> Result<Vec<u8>, OutOfMemory> {
    let mut zeros = Vec::new();
    zeros.try_reserve_exact(count)?;
    zeros.resize(count, 0);
    Ok(zeros)
}

/// The size that an int argument asks for; `None` where the argument is no int.
pub fn count_of(th: &mut Thread, source: &Value) -> PyResult<Option<usize>> {
    if !has_index(source) {
        return Ok(None);
    }
    match number::index_isize(th, source) {
        Ok(count) => match usize::try_from(count) {
            Ok(count) => Ok(Some(count)),
            Err(_) => Err(value_error(th, "negative count")),
        },
        // An `__index__` that refuses with TypeError leaves the object to the other conversions.
        Err(raised) => {
            drop(catch(th, raised, &TYPE_ERROR)?);
            Ok(None)
        }
    }
}

/// The bytes of a buffer or of an iterable of ints; the two types word their refusals with their own names.
pub fn collect(th: &mut Thread, source: &Value, type_name: &str, range_message: &str) -> PyResult<Vec<u8>> {
    if has_buffer(source) {
        return Ok(argument(th, source)?.into_owned());
    }
    let items = if let Some(list) = source.downcast_exact::<List>() {
        let mut out: Vec<u8> = Vec::new();
        // `__index__` may change the list.
        let mut i = 0;
        loop {
            let item = list.lock().get(i).cloned();
            let Some(item) = item else { return Ok(out) };
            let byte = byte_or(th, &item, range_message)?;
            push(th, &mut out, byte)?;
            i += 1;
        }
    } else if let Some(tuple) = source.downcast_exact::<Tuple>() {
        tuple.to_vec()
    } else {
        let iterator = match iter::iter(th, source) {
            Ok(iterator) => iterator,
            Err(raised) => {
                drop(catch(th, raised, &TYPE_ERROR)?);
                let name = source.class().name();
                return Err(type_error(th, format!("cannot convert '{name}' object to {type_name}")));
            }
        };
        let mut out: Vec<u8> = Vec::new();
        while let Some(item) = iter::next(th, &iterator)? {
            let byte = byte_or(th, &item, range_message)?;
            push(th, &mut out, byte)?;
        }
        return Ok(out);
    };
    let mut out = Vec::new();
    for item in &items {
        let byte = byte_or(th, item, range_message)?;
        push(th, &mut out, byte)?;
    }
    Ok(out)
}

fn push(th: &mut Thread, out: &mut Vec<u8>, byte: u8) -> PyResult<()> {
    if out.try_reserve(1).is_err() {
        return Err(memory_error(th));
    }
    out.push(byte);
    Ok(())
}

/// `PyBytes_FromObject`.
pub fn from_object(th: &mut Thread, source: &Value) -> PyResult<Value> {
    if source.is_exact(&BYTES) {
        return Ok(source.clone());
    }
    if source.downcast_ref::<Str>().is_some() {
        return Err(type_error(th, "cannot convert 'str' object to bytes"));
    }
    let data = collect(th, source, "bytes", "bytes must be in range(0, 256)")?;
    create(th, &data)
}

fn this(value: &Value) -> &Bytes {
    value.downcast_ref().expect("the slot belongs to bytes")
}

fn repr(th: &mut Thread, value: &Value) -> PyResult<Value> {
    let text = escape::bytes_repr(this(value));
    Ok(Str::from_latin1(fit(th, text)?.as_bytes()).into())
}

fn hash(_: &mut Thread, value: &Value) -> PyResult<i64> {
    Ok(this(value).hash())
}

fn compare(th: &mut Thread, left: &Value, right: &Value, op: CmpOp) -> PyResult<Value> {
    let (Some(left), Some(right)) = (left.downcast_ref::<Bytes>(), right.downcast_ref::<Bytes>()) else {
        if matches!(op, CmpOp::Eq | CmpOp::Ne) {
            if is_text(left) || is_text(right) {
                warn_doubtful(th, "Comparison between bytes and string")?;
            }
            if left.as_int_ref().is_some() || right.as_int_ref().is_some() {
                warn_doubtful(th, "Comparison between bytes and int")?;
            }
        }
        return Ok(Value::NOT_IMPLEMENTED);
    };
    Ok(Value::bool(op.of(left.as_slice().cmp(right.as_slice()))))
}
pub(crate) fn is_text(v: &Value) -> bool {
    v.downcast_ref::<Str>().is_some()
}
/// A BytesWarning, with `-b`.
pub(crate) fn warn_doubtful(th: &mut Thread, message: &str) -> PyResult<()> {
    if crate::config::get(th).flags.bytes_warning == 0 {
        return Ok(());
    }
    crate::warnings::warn(th, &crate::exceptions::BYTES_WARNING, message, 1)
}

fn len(_: &mut Thread, value: &Value) -> PyResult<usize> {
    Ok(this(value).len())
}

fn item(th: &mut Thread, value: &Value, index: isize) -> PyResult<Value> {
    match usize::try_from(index).ok().and_then(|index| this(value).get(index)) {
        Some(&byte) => Ok(byte.into()),
        None => Err(index_error(th, "index out of range")),
    }
}

/// The bytes of a slice; `None` without memory.
pub fn sliced(data: &[u8], start: isize, step: isize, len: usize) -> Option<Vec<u8>> {
    if step == 1 {
        let start = start as usize;
        return try_copy(&data[start..start + len]);
    }
    let mut part = Vec::new();
    part.try_reserve_exact(len).ok()?;
    part.extend((0..len as isize).map(|i| data[(start + i * step) as usize]));
    Some(part)
}

/// An index, negative ones counted from the end; the second result of a failed conversion is the exception.
pub fn index_of(th: &mut Thread, key: &Value, len: usize, kind: &str) -> PyResult<isize> {
    if !has_index(key) {
        let name = key.class().name();
        return Err(type_error(th, format!("{kind} indices must be integers or slices, not {name}")));
    }
    let index = match key.as_int() {
        Some(small) => small,
        None => match number::index(th, key)?.as_int_ref().and_then(|i| i.to_i64()) {
            Some(index) => index,
            None => return Err(index_error(th, "cannot fit 'int' into an index-sized integer")),
        },
    };
    Ok(if index < 0 { index.saturating_add(len as i64) } else { index } as isize)
}

fn subscript(th: &mut Thread, value: &Value, key: &Value) -> PyResult<Value> {
    let bytes = this(value);
    if let Some(slice) = key.downcast_ref::<Slice>() {
        let at = adjust(th, slice, bytes.len())?;
        if at.len == bytes.len() && at.step == 1 && value.is_exact(&BYTES) {
            return Ok(value.clone());
        }
        let part = made(th, sliced(bytes, at.start, at.step, at.len))?;
        return create(th, &part);
    }
    let index = index_of(th, key, bytes.len(), "byte")?;
    item(th, value, index)
}

fn buffer(th: &mut Thread, value: &Value, wanted: u32) -> PyResult<Buffer> {
    check_filled(th, wanted, true)?;
    let Some(bytes) = value.to_ref::<Bytes>() else { return Err(buffer_error(th, "Object is not writable.")) };
    let len = bytes.len();
    Ok(Buffer::bytes(value.clone(), Arc::new(BytesExport(bytes)), len, true))
}

fn dunder_bytes(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    data::unchanged(th, &a[0])
}

fn getnewargs(_: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let bytes: &Bytes = a.this();
    Ok(Tuple::of([Bytes::new(bytes).into()]).into())
}

fn sizeof(_: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    Ok((33 + a.this::<Bytes>().len()).into())
}
