//! Calling any callable (`PyObject_Vectorcall`). Python functions run through the hook that the VM installs.
use krait_object::{Args, PyResult, Ref, Str, Thread, Tuple, Value};

use crate::errors::type_error;
use crate::protocol::attr::lookup_special;

/// `f(*args)`.
#[inline]
pub fn call(th: &mut Thread, f: &Value, args: &[Value]) -> PyResult<Value> {
    call_args(th, f, &Args::new(args, &[]))
}
/// `f` with positional values, then one value for each of `names`.
pub fn call_kw(th: &mut Thread, f: &Value, all: &[Value], names: &[Value]) -> PyResult<Value> {
    call_args(th, f, &Args::new(all, names))
}
#[inline]
pub fn call_args(th: &mut Thread, f: &Value, args: &Args<'_>) -> PyResult<Value> {
    let slot = f.class().slots.call.get();
    match slot {
        Some(slot) => {
            let result = th.nested(" while calling a Python object", |th| slot(th, f, args));
            debug_assert!(result.is_ok() || th.exc.is_some(), "an error without an exception");
            result
        }
        None => Err(not_callable(th, f)),
    }
}
#[cold]
fn not_callable(th: &mut Thread, f: &Value) -> krait_object::Raised {
    let class = f.class().name();
    type_error(th, format!("'{class}' object is not callable"))
}
/// `f(first, *args)`.
pub fn call_slice_with_self(th: &mut Thread, f: &Value, first: &Value, args: &[Value]) -> PyResult<Value> {
    match args {
        [] => call(th, f, &[first.clone()]),
        [a] => call(th, f, &[first.clone(), a.clone()]),
        [a, b] => call(th, f, &[first.clone(), a.clone(), b.clone()]),
        _ => {
            let mut all = Vec::with_capacity(args.len() + 1);
            all.push(first.clone());
            all.extend_from_slice(args);
            call(th, f, &all)
        }
    }
}
/// `f(first, *args)` with keywords.
pub fn call_args_with_self(th: &mut Thread, f: &Value, first: &Value, args: &Args<'_>) -> PyResult<Value> {
    let mut all = Vec::with_capacity(args.len() + 1);
    all.push(first.clone());
    all.extend_from_slice(args.all());
    call_kw(th, f, &all, args.names())
}
/// `f(*args, **kwargs)` from a tuple and a dict.
pub fn call_tuple_dict(th: &mut Thread, f: &Value, args: &[Value], kwargs: Option<&Value>) -> PyResult<Value> {
    let Some(kwargs) = kwargs else { return call(th, f, args) };
    let mut all = args.to_vec();
    let mut names = Vec::new();
    let Some(dict) = kwargs.to_ref::<krait_object::Dict>() else {
        return Err(type_error(th, "keywords must come in a dict"));
    };
    for (k, v) in dict.items() {
        if k.downcast_ref::<Str>().is_none() {
            return Err(type_error(th, "keywords must be strings"));
        }
        names.push(k);
        all.push(v);
    }
    call_kw(th, f, &all, &names)
}
/// Positional arguments as a tuple, keyword arguments as a dict (none when there are none).
pub fn to_tuple_dict(th: &mut Thread, args: &Args<'_>) -> PyResult<(Ref<Tuple>, Option<Ref<krait_object::Dict>>)> {
    let tuple = Tuple::from_slice(args.pos());
    if !args.has_kw() {
        return Ok((tuple, None));
    }
    let dict = krait_object::Dict::new();
    for (k, v) in args.kw() {
        dict.set(th, k.clone(), v.clone())?;
    }
    Ok((tuple, Some(dict)))
}
/// `callable(v)`.
pub fn is_callable(v: &Value) -> bool {
    v.class().slots.call.is_set()
}
/// A required special method, with the message for when it is missing.
pub fn require_special(th: &mut Thread, o: &Value, name: &str, message: String) -> PyResult<Value> {
    match lookup_special(th, o, name)? {
        Some(f) => Ok(f),
        None => Err(type_error(th, message)),
    }
}
