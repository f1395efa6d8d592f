//! `repr`, `str`, `ascii`, `format`, and the guard against infinite recursion in the reprs of containers.
use std::collections::HashSet;

use krait_object::builtin_types::{FLOAT, INT, STR};
use krait_object::{Args, PyResult, Ref, Str, StrBuilder, Thread, Value};

use crate::errors::type_error;
use crate::protocol::attr::call_special_opt;
use crate::types::number_format;
use crate::types::str::format::dunder_format;

/// `repr(v)`.
pub fn repr(th: &mut Thread, v: &Value) -> PyResult<Ref<Str>> {
    let class = v.class_ref();
    let Some(f) = class.slots.repr.get() else {
        return Ok(Str::new(&format!("<{} object at {:#x}>", class.name(), v.bits())));
    };
    let r = th.nested(" while getting the repr of an object", |th| f(th, v))?;
    r.downcast::<Str>().map_err(|r| {
        let name = r.class().name();
        type_error(th, format!("__repr__ returned non-string (type {name})"))
    })
}
/// `str(v)`.
pub fn str(th: &mut Thread, v: &Value) -> PyResult<Ref<Str>> {
    if v.is_exact(&krait_object::builtin_types::STR)
        && let Some(s) = v.to_ref::<Str>()
    {
        return Ok(s);
    }
    let class = v.class_ref();
    let Some(f) = class.slots.str.get() else { return repr(th, v) };
    let r = th.nested(" while getting the str of an object", |th| f(th, v))?;
    r.downcast::<Str>().map_err(|r| {
        let name = r.class().name();
        type_error(th, format!("__str__ returned non-string (type {name})"))
    })
}
/// `ascii(v)`.
pub fn ascii(th: &mut Thread, v: &Value) -> PyResult<Ref<Str>> {
    let text = repr(th, v)?;
    if text.as_ascii().is_some() {
        return Ok(text);
    }
    let mut out = StrBuilder::with_capacity(text.len() + 16);
    for c in text.iter() {
        match c {
            0..0x80 => out.push(c),
            0x80..0x100 => out.push_text(&format!("\\x{c:02x}")),
            0x100..0x10000 => out.push_text(&format!("\\u{c:04x}")),
            _ => out.push_text(&format!("\\U{c:08x}")),
        }
    }
    Ok(out.finish())
}
/// `format(v, spec)`.
pub fn format(th: &mut Thread, v: &Value, spec: &Ref<Str>) -> PyResult<Ref<Str>> {
    if spec.is_empty() && (v.is_exact(&STR) || v.is_exact(&INT)) {
        return str(th, v);
    }
    let class = v.class();
    let native = if std::ptr::eq(class, &INT) {
        number_format::format_int
    } else if std::ptr::eq(class, &FLOAT) {
        number_format::format_float
    } else if std::ptr::eq(class, &STR) {
        dunder_format
    } else {
        return format_by_method(th, v, spec);
    };
    let made = native(th, &Args::new(&[v.clone(), spec.to_value()], &[]))?;
    made.downcast::<Str>().map_err(|_| type_error(th, "__format__ must return a str"))
}
fn format_by_method(th: &mut Thread, v: &Value, spec: &Ref<Str>) -> PyResult<Ref<Str>> {
    match call_special_opt(th, v, "__format__", &[spec.to_value()])? {
        Some(r) => r.downcast::<Str>().map_err(|r| {
            let name = r.class().name();
            type_error(th, format!("__format__ must return a str, not {name}"))
        }),
        None => {
            let name = v.class().name();
            Err(type_error(th, format!("Type {name} doesn't define __format__")))
        }
    }
}

/// How deep containers may nest whose repr is computed: CPython's bound of native recursion.
const MAX_NESTED: usize = 10_000;

/// Objects whose repr is being computed on this thread.
#[derive(Default)]
struct InProgress(HashSet<u64>);

/// Runs `body` unless the repr of `v` is already being computed on this thread; then the answer is `placeholder`.
pub fn with_repr(
    th: &mut Thread,
    v: &Value,
    placeholder: &str,
    body: impl FnOnce(&mut Thread) -> PyResult<Value>,
) -> PyResult<Value> {
    if th.extension::<InProgress>().0.len() >= MAX_NESTED {
        return Err(crate::errors::recursion_limit(th, " while getting the repr of an object"));
    }
    if enter_repr(th, v) {
        let result = body(th);
        leave_repr(th, v);
        result
    } else {
        Ok(Value::str(placeholder))
    }
}
/// `Py_ReprEnter`: false if the object's repr is already being computed.
pub fn enter_repr(th: &mut Thread, v: &Value) -> bool {
    th.extension::<InProgress>().0.insert(v.bits())
}
pub fn leave_repr(th: &mut Thread, v: &Value) {
    th.extension::<InProgress>().0.remove(&v.bits());
}
