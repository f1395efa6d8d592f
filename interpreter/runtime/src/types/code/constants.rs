//! Constants between the compiler's plain data and values.
use std::sync::Arc;

use krait_bytecode::Const;
use krait_bytecode::code::CodeObject;
use krait_object::{Bytes, PyResult, Raised, Ref, Set, Str, Thread, Tuple, Value, intern::intern_ref, set::FrozenSet};

use super::Code;
use super::body::untracked;
use crate::errors;
use crate::types::complex;

/// A code object and the value of its file name.
type Within<'a> = (&'a CodeObject, &'a Ref<Str>);

/// The constants of a code object, whose file name nested code shares.
pub(super) fn to_values(th: &mut Thread, all: &[Const], within: Within<'_>) -> PyResult<Vec<Value>> {
    let mut values = Vec::with_capacity(all.len());
    for constant in all {
        values.push(to_value(th, constant, within)?);
    }
    Ok(values)
}

fn to_value(th: &mut Thread, constant: &Const, within: Within<'_>) -> PyResult<Value> {
    Ok(match constant {
        Const::Tuple(items) => untracked(Tuple::from_vec(to_values(th, items, within)?)).into(),
        Const::FrozenSet(items) => {
            let set = Set::default();
            for item in items.iter() {
                let item = to_value(th, item, within)?;
                set.add(th, item)?;
            }
            Ref::new(FrozenSet(set)).into()
        }
        Const::Code(code) if code.filename == within.0.filename => Code::new_within(th, code, within.1)?.into(),
        Const::Code(code) => Code::new(th, code)?.into(),
        Const::Stored(code) if crate::config::get(th).no_debug_ranges => match code.read() {
            Ok(code) => to_value(th, &Const::Code(Arc::new(code)), within)?,
            Err(_) => return Err(malformed(th)),
        },
        other => match at_once(other, within.1) {
            Some(value) => value,
            None => return Err(malformed(th)),
        },
    })
}
fn malformed(th: &mut Thread) -> Raised {
    errors::system_error(th, "stored code is malformed")
}

/// As [`to_values`], for constants that can be made without hashing; `None` if the code is malformed.
pub(super) fn to_values_at_once(all: &[Const], filename: &Ref<Str>) -> Option<Vec<Value>> {
    let mut values = Vec::with_capacity(all.len());
    for constant in all {
        values.push(at_once(constant, filename)?);
    }
    Some(values)
}
fn at_once(constant: &Const, filename: &Ref<Str>) -> Option<Value> {
    Some(match constant {
        Const::None => Value::NONE,
        Const::Bool(b) => Value::bool(*b),
        Const::Ellipsis => Value::ELLIPSIS,
        Const::Int(i) => Value::int(*i),
        Const::BigInt(i) => i.clone().into(),
        Const::Float(f) => Value::float(*f),
        Const::Complex(re, im) => complex::new(*re, *im),
        Const::Str(bytes) => text(bytes).into(),
        Const::Bytes(bytes) => Bytes::new(bytes).into(),
        Const::Tuple(items) => untracked(Tuple::from_vec(to_values_at_once(items, filename)?)).into(),
        Const::Stored(code) => Code::of_stored(code, filename)?.into(),
        Const::FrozenSet(_) | Const::Code(_) => return None,
    })
}

/// Strings that look like identifiers are interned.
fn text(bytes: &[u8]) -> Ref<Str> {
    let s = Str::from_wtf8(bytes);
    if bytes.iter().all(|b| b.is_ascii_alphanumeric() || *b == b'_') { intern_ref(&s) } else { s }
}

/// The plain form, where there is one.
pub(super) fn from_value(v: &Value) -> Option<Const> {
    if v.is_none() {
        return Some(Const::None);
    }
    if v.is(&Value::ELLIPSIS) {
        return Some(Const::Ellipsis);
    }
    if let Some(b) = v.as_bool() {
        return Some(Const::Bool(b));
    }
    if let Some(i) = v.as_int() {
        return Some(Const::Int(i));
    }
    if let Some(i) = v.downcast_exact::<krait_object::Int>() {
        return Some(Const::BigInt(i.0.clone()));
    }
    if v.is_exact(&krait_object::builtin_types::FLOAT) {
        return v.to_f64().map(Const::Float);
    }
    if let Some(s) = v.downcast_exact::<Str>() {
        return Some(Const::Str(Arc::from(&*s.to_wtf8())));
    }
    if let Some(b) = v.downcast_exact::<Bytes>() {
        return Some(Const::Bytes(Arc::from(b.as_slice())));
    }
    if let Some((re, im)) = complex::parts(v) {
        return Some(Const::Complex(re, im));
    }
    if let Some(t) = v.downcast_exact::<Tuple>() {
        return t.iter().map(from_value).collect::<Option<Vec<_>>>().map(|items| Const::Tuple(items.into()));
    }
    if let Some(c) = v.downcast_ref::<Code>() {
        return Some(Const::Code(c.bytecode().clone()));
    }
    let set = v.downcast_exact::<FrozenSet>()?;
    let keys: Vec<Value> = set.0.lock().iter().map(|(k, ())| k.clone()).collect();
    keys.iter().map(from_value).collect::<Option<Vec<_>>>().map(|items| Const::FrozenSet(items.into()))
}
