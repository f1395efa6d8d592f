//! Python's values to Tcl's and back.
use std::borrow::Cow;

use krait_libraries::tcl::{Interp, Obj};
use krait_object::{Bytes, PyResult, Str, Thread, Tuple, Value};
use krait_runtime::errors::{memory_error, overflow_error, runtime_error, surrogates_not_allowed};
use krait_runtime::protocol::repr;
use num_bigint::BigInt;

use super::value::TclObj;
use super::{is_list, items_of, tcl_error};

/// The point that a pair of surrogates stands for, each written as three bytes (CESU-8).
fn surrogate_pair(bytes: &[u8]) -> Option<u32> {
    let &[0xED, a @ 0xA0..=0xAF, b @ 0x80..=0xBF, 0xED, c @ 0xB0..=0xBF, d @ 0x80..=0xBF, ..] = bytes else {
        return None;
    };
    let high = u32::from(a & 0xF) << 6 | u32::from(b & 0x3F);
    let low = u32::from(c & 0xF) << 6 | u32::from(d & 0x3F);
    Some(0x10000 + (high << 10 | low))
}
/// Tcl's text. Its UTF-8 writes NUL as two bytes and may hold surrogates; what cannot be read is escaped (PEP 383).
pub fn text_of(bytes: &[u8]) -> Value {
    if let Ok(text) = std::str::from_utf8(bytes) {
        return Value::str(text);
    }
    let (mut points, mut rest) = (Vec::with_capacity(bytes.len()), bytes);
    while !rest.is_empty() {
        let Some(chunk) = rest.utf8_chunks().next() else { break };
        points.extend(chunk.valid().chars().map(u32::from));
        rest = &rest[chunk.valid().len()..];
        rest = match rest {
            [] => rest,
            [0xC0, 0x80, tail @ ..] => {
                points.push(0);
                tail
            }
            _ => match surrogate_pair(rest) {
                Some(point) => {
                    points.push(point);
                    &rest[6..]
                }
                None => {
                    points.push(0xDC00 + u32::from(rest[0]));
                    &rest[1..]
                }
            },
        };
    }
    Str::from_points(&points).into()
}
/// Text for Tcl: escaped bytes come back, NUL is two bytes.
fn encode(th: &mut Thread, s: &krait_object::Ref<Str>) -> PyResult<Vec<u8>> {
    let Some(bytes) = krait_runtime::convert::fs_encode(s) else { return Err(surrogates_not_allowed(th, s)) };
    if !bytes.contains(&0) {
        return Ok(bytes);
    }
    let two = |&b: &u8| if b == 0 { Cow::Borrowed(&b"\xC0\x80"[..]) } else { Cow::Owned(vec![b]) };
    Ok(bytes.iter().flat_map(|b| two(b).into_owned()).collect())
}
fn too_long<T>(th: &mut Thread, made: Option<T>, what: &str) -> PyResult<T> {
    made.ok_or_else(|| overflow_error(th, format!("{what} is too long")))
}

/// A value for Tcl, on the interpreter's thread.
pub fn to_tcl(th: &mut Thread, v: &Value) -> PyResult<Obj> {
    if let Some(b) = v.downcast_ref::<Bytes>() {
        return too_long(th, Obj::bytes(b), "bytes object");
    }
    if v.is_true() || v.is_false() {
        return Ok(Obj::boolean(v.is_true()));
    }
    if v.is_exact(&krait_object::builtin_types::INT)
        && let Some(n) = v.as_int_ref()
    {
        return match n.to_i64() {
            Some(n) => Ok(Obj::int(n)),
            None => Obj::integer(&n.to_bigint().to_string()).ok_or_else(|| memory_error(th)),
        };
    }
    if let Some(x) = v.to_f64().filter(|_| v.as_int_ref().is_none()) {
        return Ok(Obj::double(x));
    }
    if is_list(v) {
        let what = if v.downcast_ref::<Tuple>().is_some() { "tuple" } else { "list" };
        let items = items_of(v).unwrap_or_default();
        let made: Vec<Obj> = th.nested(" while converting to a Tcl object", |th| {
            items.iter().map(|item| to_tcl(th, item)).collect::<PyResult<_>>()
        })?;
        return too_long(th, Obj::list(&made), what);
    }
    if let Some(s) = v.to_ref::<Str>() {
        // Before the copy that an encoding makes.
        super::check_length(th, s.len(), "string")?;
        let bytes = encode(th, &s)?;
        return too_long(th, Obj::text(&bytes), "string");
    }
    if let Some(held) = v.downcast_ref::<TclObj>() {
        return match held.obj.here() {
            Some(obj) => Ok(obj.clone()),
            None => Err(runtime_error(th, "Calling Tcl from different apartment")),
        };
    }
    let text = repr::str(th, v)?;
    to_tcl(th, text.as_value())
}
/// The words of a command: a sequence's items up to None, or one word.
pub fn words(th: &mut Thread, args: &Value) -> PyResult<Vec<Obj>> {
    match items_of(args) {
        Some(items) => items.iter().take_while(|v| !v.is_none()).map(|v| to_tcl(th, v)).collect(),
        None => Ok(vec![to_tcl(th, args)?]),
    }
}

/// An integer of any size; `None` with a message in the interpreter.
pub fn integer_of(interp: &Interp, obj: &Obj) -> Option<Value> {
    let digits = interp.integer(obj)?;
    let n = std::str::from_utf8(digits.as_text()).ok()?.parse::<BigInt>().ok()?;
    Some(krait_object::int::from_bigint(n))
}
fn or_error<T>(th: &mut Thread, interp: &Interp, made: Option<T>) -> PyResult<T> {
    made.ok_or_else(|| tcl_error(th, &interp.result()))
}

/// A value of Tcl in the type that is nearest to its own.
pub fn from_tcl(th: &mut Thread, interp: &Interp, obj: &Obj) -> PyResult<Value> {
    let Some(name) = obj.type_name() else { return Ok(text_of(obj.as_text())) };
    Ok(match name.to_bytes() {
        b"boolean" | b"booleanString" => {
            let b = interp.boolean(obj);
            Value::bool(or_error(th, interp, b)?)
        }
        b"bytearray" => Bytes::new(&obj.as_bytes()).into(),
        b"double" => match obj.as_exact_double() {
            Some(x) => x.into(),
            None => {
                let x = interp.double(obj);
                or_error(th, interp, x)?.into()
            }
        },
        b"int" | b"wideInt" | b"bignum" => {
            // The library lets numbers of 64 bits without a sign pass for those with one.
            let wide = if name == c"bignum" { None } else { obj.as_wide() };
            match wide {
                Some(n) => n.into(),
                None => {
                    let n = integer_of(interp, obj);
                    or_error(th, interp, n)?
                }
            }
        }
        b"list" => {
            let items = interp.items(obj);
            let items = or_error(th, interp, items)?;
            let made: Vec<Value> = th.nested(" while converting a Tcl object", |th| {
                items.iter().map(|item| from_tcl(th, interp, item)).collect::<PyResult<_>>()
            })?;
            Tuple::from_vec(made).into()
        }
        b"string" | b"utf32string" | b"pixel" => text_of(obj.as_text()),
        _ => TclObj::of(obj.clone()),
    })
}
/// As the interpreter is asked to answer: in Python's types, or as text.
pub fn answer(th: &mut Thread, interp: &Interp, obj: &Obj, objects: bool) -> PyResult<Value> {
    if objects { from_tcl(th, interp, obj) } else { Ok(text_of(obj.as_text())) }
}
