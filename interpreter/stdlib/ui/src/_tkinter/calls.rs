//! Methods of `tkapp` that evaluate, and those that read and write variables.
use std::ffi::{CStr, CString};

use krait_libraries::tcl::{Interp, Obj, Scope};
use krait_object::{Args, Bytes, PyResult, Ref, Str, Thread, Tuple, Value};
use krait_runtime::errors::{self, type_error, value_error};
use krait_runtime::protocol::buffer::bytes_like;
use krait_runtime::protocol::number;

use super::app::{App, anywhere, this, this_ref, with};
use super::convert::{answer, from_tcl, integer_of, text_of, to_tcl, words};
use super::value::TclObj;
use super::{c_text, items_of, run, tcl_error};

/// What the interpreter says after a call that may run anything.
fn finished(th: &mut Thread, interp: &Interp, call: impl FnOnce() -> bool) -> PyResult<Obj> {
    let (done, result) = run(th, || (call(), interp.result()));
    if done { Ok(result) } else { Err(tcl_error(th, &result)) }
}
fn trace_words(words: &[&str]) -> Vec<Value> {
    vec![Tuple::from_vec(words.iter().map(|w| Value::str(w)).collect()).into()]
}

pub fn call(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let mut args = a[1].clone();
    if let Some(all) = args.downcast_ref::<Tuple>()
        && let [only] = all.as_slice()
        && only.downcast_ref::<Tuple>().is_some()
    {
        args = only.clone();
    }
    anywhere(th, &this_ref(a), move |th, app, interp| {
        app.traced(th, || vec![args.clone()])?;
        let words = words(th, &args)?;
        let result = finished(th, interp, || interp.call(&words))?;
        answer(th, interp, &result, app.wants_objects())
    })
}

/// A method that gives a text to the interpreter, on its own thread.
fn with_text(
    th: &mut Thread,
    a: &Args<'_>,
    name: &str,
    trace: impl FnOnce(&str) -> Vec<Value>,
    f: impl FnOnce(&mut Thread, &Interp, &CStr) -> PyResult<Value>,
) -> PyResult<Value> {
    let text = c_text(th, &a[1], name, "argument")?;
    with(th, &this_ref(a), |th, interp| {
        this(a).traced(th, || trace(&text.to_string_lossy()))?;
        f(th, interp, &text)
    })
}
pub fn eval(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    with_text(
        th,
        a,
        "eval",
        |s| trace_words(&["eval", s]),
        |th, interp, s| Ok(text_of(finished(th, interp, || interp.eval(s))?.as_text())),
    )
}
pub fn eval_file(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    with_text(
        th,
        a,
        "evalfile",
        |s| trace_words(&["source", s]),
        |th, interp, s| Ok(text_of(finished(th, interp, || interp.eval_file(s))?.as_text())),
    )
}
pub fn record(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    with_text(
        th,
        a,
        "record",
        |s| trace_words(&["history", "add", s, "exec"]),
        |th, interp, s| Ok(text_of(finished(th, interp, || interp.record(s))?.as_text())),
    )
}
pub fn add_error_info(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let text = c_text(th, &a[1], "adderrorinfo", "argument")?;
    with(th, &this_ref(a), |_, interp| {
        interp.add_error_info(&text);
        Ok(Value::NONE)
    })
}
pub fn expr_string(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    with_text(
        th,
        a,
        "exprstring",
        |s| trace_words(&["expr", s]),
        |th, interp, s| Ok(text_of(finished(th, interp, || interp.expr_string(s))?.as_text())),
    )
}
fn expr<T: Into<Value>>(
    th: &mut Thread,
    a: &Args<'_>,
    name: &str,
    f: impl FnOnce(&Interp, &CStr) -> Option<T>,
) -> PyResult<Value> {
    with_text(
        th,
        a,
        name,
        |s| trace_words(&["expr", s]),
        |th, interp, s| match run(th, || f(interp, s)) {
            Some(v) => Ok(v.into()),
            None => Err(tcl_error(th, &interp.result())),
        },
    )
}
pub fn expr_long(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    expr(th, a, "exprlong", Interp::expr_long)
}
pub fn expr_double(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    expr(th, a, "exprdouble", Interp::expr_double)
}
pub fn expr_boolean(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    expr(th, a, "exprboolean", |interp, s| interp.expr_boolean(s).map(i64::from))
}

/// The name of a variable: `str`, `bytes` or an object of Tcl.
fn variable(th: &mut Thread, v: &Value) -> PyResult<CString> {
    if let Some(b) = v.downcast_ref::<Bytes>() {
        super::check_length(th, b.len(), "bytes object")?;
        return CString::new(b.to_vec()).map_err(|_| value_error(th, "embedded null byte"));
    }
    if let Some(s) = v.to_ref::<Str>() {
        let Some(text) = s.to_utf8() else { return Err(errors::surrogates_not_allowed(th, &s)) };
        super::check_length(th, text.len(), "string")?;
        return CString::new(text.as_bytes()).map_err(|_| value_error(th, "embedded null character"));
    }
    if let Some(held) = v.downcast_ref::<TclObj>() {
        let text = held.here(th)?.as_text();
        return CString::new(text).map_err(|_| value_error(th, "embedded null byte"));
    }
    let given = v.class().name();
    Err(type_error(th, format!("must be str, bytes or Tcl_Obj, not {given}")))
}
fn arguments(a: &Args<'_>) -> Vec<Value> {
    items_of(&a[1]).unwrap_or_default()
}
/// The words that a trace shows for something done to a variable.
fn trace_variable(what: &str, name: &CStr, element: Option<&CStr>, value: Option<&Value>, scope: Scope) -> Vec<Value> {
    let name = match element {
        Some(element) => format!("{}({})", name.to_string_lossy(), element.to_string_lossy()),
        None => name.to_string_lossy().into_owned(),
    };
    let global: &[&str] = if scope == Scope::Global { &["uplevel", "#0"] } else { &[] };
    let words = global.iter().copied().chain([what, name.as_str()]).map(Value::str);
    vec![Tuple::from_vec(words.chain(value.cloned()).collect()).into()]
}

fn set(th: &mut Thread, a: &Args<'_>, scope: Scope) -> PyResult<Value> {
    let args = arguments(a);
    anywhere(th, &this_ref(a), move |th, app, interp| {
        let (name, element, value) = match args.as_slice() {
            [name, value] => (variable(th, name)?, None, value),
            [name, element, value] => {
                let name = c_text(th, name, "setvar", "argument 1")?;
                (name, Some(c_text(th, element, "setvar", "argument 2")?), value)
            }
            _ => return Err(type_error(th, "setvar requires 2 to 3 arguments")),
        };
        let new = to_tcl(th, value)?;
        app.traced(th, || trace_variable("set", &name, element.as_deref(), Some(value), scope))?;
        finished(th, interp, || interp.set_var(&name, element.as_deref(), &new, scope))?;
        Ok(Value::NONE)
    })
}
/// A name and the element that may follow it.
fn place(
    th: &mut Thread,
    args: &[Value],
    function: &str,
    name: fn(&mut Thread, &Value) -> PyResult<CString>,
) -> PyResult<(CString, Option<CString>)> {
    match args {
        [first] => Ok((name(th, first)?, None)),
        [first, element] => {
            let first = name(th, first)?;
            Ok((first, Some(c_text(th, element, function, "argument 2")?)))
        }
        [] => Err(type_error(th, format!("{function}() takes at least 1 argument (0 given)"))),
        more => Err(type_error(th, format!("{function}() takes at most 2 arguments ({} given)", more.len()))),
    }
}
fn get(th: &mut Thread, a: &Args<'_>, scope: Scope) -> PyResult<Value> {
    let args = arguments(a);
    anywhere(th, &this_ref(a), move |th, app, interp| {
        let (name, element) = place(th, &args, "getvar", variable)?;
        let found = run(th, || interp.var(&name, element.as_deref(), scope));
        match found {
            Some(found) => answer(th, interp, &found, app.wants_objects()),
            None => Err(tcl_error(th, &interp.result())),
        }
    })
}
fn unset(th: &mut Thread, a: &Args<'_>, scope: Scope) -> PyResult<Value> {
    let args = arguments(a);
    anywhere(th, &this_ref(a), move |th, app, interp| {
        let (name, element) = place(th, &args, "unsetvar", |th, v| c_text(th, v, "unsetvar", "argument 1"))?;
        app.traced(th, || trace_variable("unset", &name, element.as_deref(), None, scope))?;
        finished(th, interp, || interp.unset_var(&name, element.as_deref(), scope))?;
        Ok(Value::NONE)
    })
}
pub fn set_var(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    set(th, a, Scope::Current)
}
pub fn set_global(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    set(th, a, Scope::Global)
}
pub fn get_var(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    get(th, a, Scope::Current)
}
pub fn get_global(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    get(th, a, Scope::Global)
}
pub fn unset_var(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    unset(th, a, Scope::Current)
}
pub fn unset_global(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    unset(th, a, Scope::Global)
}

/// A text or an object of Tcl that the interpreter is to read.
enum Given {
    Text(CString),
    Object(Value),
}
fn given(th: &mut Thread, v: &Value, function: &str) -> PyResult<Given> {
    if v.downcast_ref::<TclObj>().is_some() {
        return Ok(Given::Object(v.clone()));
    }
    Ok(Given::Text(c_text(th, v, function, "argument")?))
}
/// Has the interpreter read a value; `None` is an error of Tcl.
fn read(
    th: &mut Thread,
    app: &Ref<App>,
    given: Given,
    text: fn(&Interp, &CStr) -> Option<Value>,
    object: fn(&Interp, &Obj) -> Option<Value>,
) -> PyResult<Value> {
    anywhere(th, app, move |th, _, interp| {
        let read = match &given {
            Given::Text(s) => text(interp, s),
            Given::Object(v) => match v.downcast_ref::<TclObj>() {
                Some(held) => object(interp, held.here(th)?),
                None => None,
            },
        };
        read.ok_or_else(|| tcl_error(th, &interp.result()))
    })
}
pub fn get_int(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    if a[1].as_int_ref().is_some() {
        return Ok(a[1].clone());
    }
    let given = given(th, &a[1], "getint")?;
    let text = |interp: &Interp, s: &CStr| integer_of(interp, &Obj::text(s.to_bytes())?);
    read(th, &this_ref(a), given, text, integer_of)
}
pub fn get_double(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    if a[1].is_instance(&krait_object::builtin_types::FLOAT) {
        return Ok(a[1].clone());
    }
    if is_number(&a[1]) {
        return number::float(th, &a[1]);
    }
    let given = given(th, &a[1], "getdouble")?;
    let text = |interp: &Interp, s: &CStr| interp.double_of_text(s).map(Value::from);
    read(th, &this_ref(a), given, text, |interp, obj| interp.double(obj).map(Value::from))
}
/// What `float` takes without reading it as text.
fn is_number(v: &Value) -> bool {
    v.as_int_ref().is_some() || number::has_index(v) || v.class().slots.float.get().is_some()
}
pub fn get_boolean(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    if let Some(n) = a[1].as_int_ref() {
        return Ok(Value::bool(!n.is_zero()));
    }
    let given = given(th, &a[1], "getboolean")?;
    let text = |interp: &Interp, s: &CStr| interp.boolean_of_text(s).map(Value::bool);
    read(th, &this_ref(a), given, text, |interp, obj| interp.boolean(obj).map(Value::bool))
}

pub fn split_list(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    if a[1].downcast_ref::<Tuple>().is_some() {
        return Ok(a[1].clone());
    }
    if let Some(items) = items_of(&a[1]) {
        return Ok(Tuple::from_vec(items).into());
    }
    if a[1].downcast_ref::<TclObj>().is_some() {
        let held = a[1].clone();
        return anywhere(th, &this_ref(a), move |th, _, interp| {
            let Some(held) = held.downcast_ref::<TclObj>() else { return Ok(Value::NONE) };
            let Some(items) = interp.items(held.here(th)?) else { return Err(tcl_error(th, &interp.result())) };
            let items: Vec<Value> = items.iter().map(|v| from_tcl(th, interp, v)).collect::<PyResult<_>>()?;
            Ok(Tuple::from_vec(items).into())
        });
    }
    let text = match a[1].downcast_ref::<Str>() {
        Some(_) => c_text(th, &a[1], "splitlist", "argument")?,
        None if a[1].downcast_ref::<Bytes>().is_some()
            || a[1].is_instance(&krait_runtime::types::bytearray::BYTEARRAY) =>
        {
            let bytes = bytes_like(th, &a[1])?;
            super::check_length(th, bytes.len(), "string")?;
            CString::new(bytes).map_err(|_| value_error(th, "embedded null byte"))?
        }
        None => {
            let wanted = "str, bytes or bytearray";
            return Err(krait_runtime::convert::wrong_type(th, "splitlist", "argument", wanted, &a[1]));
        }
    };
    anywhere(th, &this_ref(a), move |th, _, interp| match interp.split(&text) {
        Some(items) => Ok(Tuple::from_vec(items.iter().map(|s| text_of(s.to_bytes())).collect()).into()),
        None => Err(tcl_error(th, &interp.result())),
    })
}
