//! Pickling: from protocol 3 on as the memory with a machine format code, which another machine can read.
use krait_object::{Args, Bytes, List, PyResult, Ref, Str, Thread, Tuple, Type, Value};
use krait_runtime::errors::{type_error, value_error};
use krait_runtime::protocol::{attr, call, number};
use krait_runtime::{import, types::module};
use num_bigint::{BigInt, Sign};

use super::items::Code;
use super::{ARRAY, Array, methods};

/// How items were stored.
#[derive(Clone, Copy)]
enum Kind {
    Unsigned,
    Signed,
    Float,
    Utf16,
    Utf32,
}
use Kind::*;

/// Machine format codes: kind, bytes, big-endian.
const FORMATS: [(Kind, usize, bool); 22] = [
    (Unsigned, 1, false),
    (Signed, 1, false),
    (Unsigned, 2, false),
    (Unsigned, 2, true),
    (Signed, 2, false),
    (Signed, 2, true),
    (Unsigned, 4, false),
    (Unsigned, 4, true),
    (Signed, 4, false),
    (Signed, 4, true),
    (Unsigned, 8, false),
    (Unsigned, 8, true),
    (Signed, 8, false),
    (Signed, 8, true),
    (Float, 4, false),
    (Float, 4, true),
    (Float, 8, false),
    (Float, 8, true),
    (Utf16, 2, false),
    (Utf16, 2, true),
    (Utf32, 4, false),
    (Utf32, 4, true),
];
/// The format of this machine's items.
fn format_of(code: Code) -> usize {
    match code {
        Code::U8 => 0,
        Code::I8 => 1,
        Code::U16 => 2,
        Code::I16 => 4,
        Code::U32 => 6,
        Code::I32 => 8,
        Code::ULong | Code::U64 => 10,
        Code::Long | Code::I64 => 12,
        Code::F32 => 14,
        Code::F64 => 16,
        Code::U | Code::W => 20,
    }
}

pub fn reduce_ex(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    if a[1].as_int_ref().is_none() {
        return Err(type_error(th, "__reduce_ex__ argument should be an integer"));
    }
    let protocol = number::to_i64(th, &a[1])?;
    let array = a.this::<Array>();
    let state: Value = attr::get_text_opt(th, &a[0], "__dict__")?.into();
    let class: Value = a[0].class_ref().into();
    let code: Value = array.code.letter().into();
    if protocol < 3 {
        let list = methods::list_of(th, array)?;
        return Ok(Tuple::of([class, Tuple::of([code, list]).into(), state]).into());
    }
    let this_module = import::import_module(th, "array")?;
    let Some(rebuild) = module::dict(&this_module).get_text("_array_reconstructor") else {
        return Err(type_error(th, "array._array_reconstructor is missing"));
    };
    let data = array.data.lock().clone();
    let args = Tuple::of([class, code, format_of(array.code).into(), Bytes::new(&data).into()]);
    Ok(Tuple::of([rebuild, args.into(), state]).into())
}

pub fn reconstruct(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let Some(class) = a[0].to_ref::<Type>() else {
        let given = a[0].class().name();
        return Err(type_error(th, format!("first argument must be a type object, not {given}")));
    };
    let letter = a[1].downcast_ref::<Str>().filter(|s| s.len() == 1).and_then(|s| s.get(0));
    let Some(letter) = letter else {
        let given = a[1].class().name();
        let message = format!("_array_reconstructor() argument 2 must be a unicode character, not {given}");
        return Err(type_error(th, message));
    };
    let format = number::to_i32(th, &a[2])?;
    if !class.object().is_subtype(&ARRAY) {
        let name = class.name();
        return Err(type_error(th, format!("{name} is not a subtype of array.array")));
    }
    let Some(code) = Code::of(letter) else {
        return Err(value_error(th, "second argument must be a valid type code"));
    };
    let Some(&(kind, size, big)) = usize::try_from(format).ok().and_then(|f| FORMATS.get(f)) else {
        return Err(value_error(th, "third argument must be a valid machine format code."));
    };
    let Some(data) = a[3].to_ref::<Bytes>() else {
        let given = a[3].class().name();
        return Err(type_error(th, format!("fourth argument should be bytes, not {given}")));
    };
    if format as usize == format_of(code) {
        return make(th, &class, code, data.as_value());
    }
    if !data.len().is_multiple_of(size) {
        return Err(value_error(th, "string length not a multiple of item size"));
    }
    match kind {
        Utf16 | Utf32 => {
            let name = if matches!(kind, Utf16) { "utf-16" } else { "utf-32" };
            let order = if big { "be" } else { "le" };
            let encoding = Value::str(&format!("{name}-{order}"));
            let text = attr::call_method(th, data.as_value(), "decode", &[encoding])?;
            make(th, &class, code, &text)
        }
        _ => {
            let numbers = data.chunks_exact(size).map(|item| read(kind, item, big)).collect();
            make(th, &class, fitting(code, kind, size), &List::new(numbers).into())
        }
    }
}
fn make(th: &mut Thread, class: &Ref<Type>, code: Code, items: &Value) -> PyResult<Value> {
    call::call(th, class.as_value(), &[code.letter().into(), items.clone()])
}
fn read(kind: Kind, item: &[u8], big: bool) -> Value {
    let mut bytes = item.to_vec();
    if big {
        bytes.reverse();
    }
    match (kind, &bytes[..]) {
        (Signed, all) => BigInt::from_signed_bytes_le(all).into(),
        (Float, &[a, b, c, d]) => f64::from(f32::from_le_bytes([a, b, c, d])).into(),
        (Float, &[a, b, c, d, e, f, g, h]) => f64::from_le_bytes([a, b, c, d, e, f, g, h]).into(),
        (_, all) => BigInt::from_bytes_le(Sign::Plus, all).into(),
    }
}
/// The type code here for numbers of that kind and size; the given one where it fits.
fn fitting(code: Code, kind: Kind, size: usize) -> Code {
    if code.size() == size && matches!((kind, format_of(code)), (Signed, 1 | 4 | 8 | 12) | (Unsigned, 0 | 2 | 6 | 10)) {
        return code;
    }
    match (kind, size) {
        (Signed, 1) => Code::I8,
        (Signed, 2) => Code::I16,
        (Signed, 4) => Code::I32,
        (Signed, _) => Code::Long,
        (Unsigned, 1) => Code::U8,
        (Unsigned, 2) => Code::U16,
        (Unsigned, 4) => Code::U32,
        (Unsigned, _) => Code::ULong,
        _ => code,
    }
}
