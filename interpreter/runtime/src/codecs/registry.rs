//! The codec registry of an interpreter: search functions, the cache of what they found, error handlers by name.
//! CPython counterpart: `Python/codecs.c`.

use std::collections::HashMap;

use krait_object::builtin_types::TUPLE;
use krait_object::{Locked, PyResult, Thread, Tuple, Value};

use super::{handlers, normalize};
use crate::errors::{lookup_error as raise_lookup, take, type_error};
use crate::protocol::compare::truth;
use crate::protocol::{attr, call};

#[derive(Default)]
struct Registry {
    search: Locked<Vec<Value>>,
    found: Locked<HashMap<String, Value>>,
    handlers: Locked<HashMap<String, Value>>,
}

/// Adds a search function.
pub fn register(th: &mut Thread, search: &Value) -> PyResult<()> {
    if !call::is_callable(search) {
        return Err(type_error(th, "argument must be callable"));
    }
    th.interp.extension::<Registry>().search.lock().push(search.clone());
    Ok(())
}

/// Takes a search function out and forgets what was found.
pub fn unregister(th: &mut Thread, search: &Value) {
    let registry = th.interp.extension::<Registry>();
    let index = registry.search.lock().iter().position(|held| held.is(search));
    if let Some(index) = index {
        let gone = registry.search.lock().remove(index);
        let forgotten = std::mem::take(&mut *registry.found.lock());
        drop((gone, forgotten));
    }
}

/// The codec's 4-tuple; LookupError "unknown encoding: name".
pub fn lookup(th: &mut Thread, name: &str) -> PyResult<Value> {
    let registry = th.interp.extension::<Registry>();
    let key = normalize(name);
    if let Some(found) = registry.found.lock().get(&key) {
        return Ok(found.clone());
    }
    if registry.search.lock().is_empty() {
        crate::import::import_module(th, "encodings")?;
    }
    let search = registry.search.lock().clone();
    if search.is_empty() {
        let message = "no codec search functions registered: can't find encoding";
        return Err(raise_lookup(th, message));
    }
    let argument = Value::str(&key);
    for function in search {
        let found = call::call(th, &function, std::slice::from_ref(&argument))?;
        if found.is_none() {
            continue;
        }
        if found.downcast_ref::<Tuple>().is_none_or(|codec| codec.len() != 4) {
            return Err(type_error(th, "codec search functions must return 4-tuples"));
        }
        registry.found.lock().insert(key, found.clone());
        return Ok(found);
    }
    Err(raise_lookup(th, format!("unknown encoding: {name}")))
}

/// Registers an error handler.
pub fn register_error(th: &mut Thread, name: &str, handler: &Value) -> PyResult<()> {
    if !call::is_callable(handler) {
        return Err(type_error(th, "handler must be callable"));
    }
    let registry = th.interp.extension::<Registry>();
    let old = registry.handlers.lock().insert(name.into(), handler.clone());
    drop(old);
    Ok(())
}

/// Forgets an error handler; false if there was none. The standard ones cannot be taken out.
pub fn unregister_error(th: &mut Thread, name: &str) -> PyResult<bool> {
    if handlers::is_standard(name) {
        let message = format!("cannot un-register built-in error handler '{name}'");
        return Err(crate::errors::value_error(th, message));
    }
    let gone = th.interp.extension::<Registry>().handlers.lock().remove(name);
    Ok(gone.is_some())
}

/// The handler of that name; LookupError "unknown error handler name 'x'".
pub fn lookup_error(th: &mut Thread, name: &str) -> PyResult<Value> {
    let registry = th.interp.extension::<Registry>();
    if let Some(found) = registry.handlers.lock().get(name) {
        return Ok(found.clone());
    }
    match handlers::function(name) {
        Some(function) => {
            registry.handlers.lock().insert(name.into(), function.clone());
            Ok(function)
        }
        None => Err(raise_lookup(th, format!("unknown error handler name '{name}'"))),
    }
}

fn run(th: &mut Thread, codec: &Value, index: usize, object: &Value, errors: Option<&str>) -> PyResult<Value> {
    let function = codec.downcast_ref::<Tuple>().and_then(|codec| codec.get(index).cloned()).unwrap_or(Value::NONE);
    let mut arguments = vec![object.clone()];
    arguments.extend(errors.map(Value::str));
    let answer = call::call(th, &function, &arguments)?;
    match answer.downcast_ref::<Tuple>() {
        Some(parts) if parts.len() == 2 => Ok(parts[0].clone()),
        _ => Err(type_error(
            th,
            if index == 0 {
                "encoder must return a tuple (object, integer)"
            } else {
                "decoder must return a tuple (object,integer)"
            },
        )),
    }
}

/// Runs a codec's encoder (0) or decoder (1); an exception gets a note of what was going on.
fn run_noted(
    th: &mut Thread,
    codec: &Value,
    index: usize,
    object: &Value,
    name: &str,
    errors: Option<&str>,
) -> PyResult<Value> {
    let result = run(th, codec, index, object, errors);
    result.map_err(|raised| {
        let doing = if index == 0 { "encoding" } else { "decoding" };
        let exception = take(th, raised);
        let note = Value::str(&format!("{doing} with '{name}' codec failed"));
        if let Err(failed) = attr::call_method(th, &exception, "add_note", &[note]) {
            drop(take(th, failed));
        }
        krait_object::Raised::set(th, exception)
    })
}

/// `codecs.encode(object, encoding, errors)`.
pub fn encode(th: &mut Thread, object: &Value, name: &str, errors: Option<&str>) -> PyResult<Value> {
    let codec = lookup(th, name)?;
    run_noted(th, &codec, 0, object, name, errors)
}

/// `codecs.decode(object, encoding, errors)`.
pub fn decode(th: &mut Thread, object: &Value, name: &str, errors: Option<&str>) -> PyResult<Value> {
    let codec = lookup(th, name)?;
    run_noted(th, &codec, 1, object, name, errors)
}

/// A codec that says of itself that it is for text.
fn lookup_text(th: &mut Thread, name: &str, alternative: &str) -> PyResult<Value> {
    let codec = lookup(th, name)?;
    if !codec.is_exact(&TUPLE)
        && let Some(flag) = attr::get_text_opt(th, &codec, "_is_text_encoding")?
        && !truth(th, &flag)?
    {
        let message = format!("'{name}' is not a text encoding; use {alternative} to handle arbitrary codecs");
        return Err(raise_lookup(th, message));
    }
    Ok(codec)
}

pub fn encode_text(th: &mut Thread, object: &Value, name: &str, errors: Option<&str>) -> PyResult<Value> {
    let codec = lookup_text(th, name, "codecs.encode()")?;
    run_noted(th, &codec, 0, object, name, errors)
}

pub fn decode_text(th: &mut Thread, object: &Value, name: &str, errors: Option<&str>) -> PyResult<Value> {
    let codec = lookup_text(th, name, "codecs.decode()")?;
    run_noted(th, &codec, 1, object, name, errors)
}
