//! The constructor and the attributes of Python functions.
use krait_object::native::{GetSet, Sig, getset, member};
use krait_object::{Args, Dict, PyResult, Ref, Str, Thread, Tuple, Type, Value, ValueCell};

use super::Function;
use crate::audit::{audit, audit_read, audit_write};
use crate::errors;
use crate::types::cell::Cell;
use crate::types::code::Code;

pub(super) static GETSET: &[GetSet] = &[
    member("__closure__", "", |_, v| Ok(this(v).closure.get().into())),
    getset(
        "__doc__",
        "",
        |_, v| Ok(this(v).doc()),
        |_, v, new| {
            this(v).doc.set(Some(new.cloned().unwrap_or(Value::NONE)));
            Ok(())
        },
    ),
    member("__globals__", "", |_, v| Ok(this(v).globals.to_value())),
    getset(
        "__module__",
        "",
        |_, v| Ok(this(v).module.get().into()),
        |_, v, new| {
            this(v).module.set(new.cloned());
            Ok(())
        },
    ),
    member("__builtins__", "", |_, v| Ok(this(v).builtins.clone())),
    getset(
        "__code__",
        "",
        |th, v| {
            audit_read(th, v, "__code__")?;
            Ok(this(v).code().into())
        },
        set_code,
    ),
    getset(
        "__defaults__",
        "",
        |th, v| {
            audit_read(th, v, "__defaults__")?;
            Ok(this(v).defaults.get().into())
        },
        set_defaults,
    ),
    getset(
        "__kwdefaults__",
        "",
        |th, v| {
            audit_read(th, v, "__kwdefaults__")?;
            Ok(this(v).kwdefaults.get().into())
        },
        set_kwdefaults,
    ),
    getset("__annotations__", "", get_annotations, set_annotations),
    getset(
        "__name__",
        "",
        |_, v| Ok(this(v).name.get().into()),
        |th, v, new| set_text(th, &this(v).name, new, "__name__"),
    ),
    getset(
        "__qualname__",
        "",
        |_, v| Ok(this(v).qualname.get().into()),
        |th, v, new| set_text(th, &this(v).qualname, new, "__qualname__"),
    ),
    getset("__type_params__", "", get_type_params, set_type_params),
];

fn this(v: &Value) -> &Function {
    v.downcast_ref().expect("the descriptor checked the class of self")
}

fn set_code(th: &mut Thread, v: &Value, new: Option<&Value>) -> PyResult<()> {
    let Some(code) = new.and_then(|n| n.to_ref::<Code>()) else {
        return Err(errors::type_error(th, "__code__ must be set to a code object"));
    };
    audit_write(th, v, "__code__", new)?;
    let function = this(v);
    let (have, want) = (function.closure().map_or(0, |c| c.len()), code.bytecode().freevars.len());
    if have != want {
        let name = function.name.get().and_then(|n| n.to_ref::<Str>());
        let name = name.map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
        let message = format!("{name}() requires a code object with {have} free vars, not {want}");
        return Err(errors::value_error(th, message));
    }
    const KINDS: u32 = 0x20 | 0x80 | 0x200;
    if function.code().bytecode().flags & KINDS != code.bytecode().flags & KINDS {
        let message =
            "Assigning a code object of non-matching type is deprecated (e.g., from a generator to a plain function)";
        crate::warnings::warn(th, &crate::exceptions::DEPRECATION_WARNING, message, 1)?;
    }
    function.doc.set(Some(function.doc()));
    function.code.set(code);
    Ok(())
}
fn set_defaults(th: &mut Thread, v: &Value, new: Option<&Value>) -> PyResult<()> {
    match new.filter(|n| !n.is_none()) {
        Some(n) if n.downcast_ref::<Tuple>().is_none() => {
            Err(errors::type_error(th, "__defaults__ must be set to a tuple object"))
        }
        n => {
            audit_write(th, v, "__defaults__", new)?;
            this(v).defaults.set(n.cloned());
            Ok(())
        }
    }
}
fn set_kwdefaults(th: &mut Thread, v: &Value, new: Option<&Value>) -> PyResult<()> {
    match new.filter(|n| !n.is_none()) {
        Some(n) if n.downcast_ref::<Dict>().is_none() => {
            Err(errors::type_error(th, "__kwdefaults__ must be set to a dict object"))
        }
        n => {
            audit_write(th, v, "__kwdefaults__", new)?;
            this(v).kwdefaults.set(n.cloned());
            Ok(())
        }
    }
}
/// The dict, made from the compiler's tuple of names and values on first use.
fn get_annotations(th: &mut Thread, v: &Value) -> PyResult<Value> {
    let cell = &this(v).annotations;
    let held = cell.get();
    if let Some(pairs) = held.as_ref().and_then(|h| h.downcast_ref::<Tuple>()) {
        let dict = Dict::new();
        for pair in pairs.chunks_exact(2) {
            dict.set(th, pair[0].clone(), pair[1].clone())?;
        }
        cell.set(Some(dict.to_value()));
        return Ok(dict.into());
    }
    Ok(held.unwrap_or_else(|| cell.get_or_set(Dict::new().into())))
}
fn set_annotations(th: &mut Thread, v: &Value, new: Option<&Value>) -> PyResult<()> {
    match new.filter(|n| !n.is_none()) {
        Some(n) if n.downcast_ref::<Dict>().is_none() => {
            Err(errors::type_error(th, "__annotations__ must be set to a dict object"))
        }
        n => {
            this(v).annotations.set(n.cloned());
            Ok(())
        }
    }
}
fn set_text(th: &mut Thread, cell: &ValueCell, new: Option<&Value>, what: &str) -> PyResult<()> {
    match new {
        Some(n) if n.downcast_ref::<Str>().is_some() => {
            cell.set(Some(n.clone()));
            Ok(())
        }
        _ => Err(errors::type_error(th, format!("{what} must be set to a string object"))),
    }
}
fn get_type_params(_: &mut Thread, v: &Value) -> PyResult<Value> {
    Ok(this(v).type_params.get().unwrap_or_else(|| Tuple::empty().into()))
}
fn set_type_params(th: &mut Thread, v: &Value, new: Option<&Value>) -> PyResult<()> {
    match new {
        Some(n) if n.downcast_ref::<Tuple>().is_some() => {
            this(v).type_params.set(Some(n.clone()));
            Ok(())
        }
        _ => Err(errors::type_error(th, "__type_params__ must be set to a tuple")),
    }
}

pub(super) fn new(th: &mut Thread, _: &Ref<Type>, args: &Args<'_>) -> PyResult<Value> {
    static SIG: Sig = Sig::new("(code, globals, name=None, argdefs=None, closure=None, kwdefaults=None)");
    let bound = SIG.bind(th, "function", "function", args, 0)?;
    let a = bound.args();
    let wrong = |th: &mut Thread, name: &str, at: usize, want: &str, got: &Value| {
        let message = format!("function() argument '{name}' (pos {at}) must be {want}, not {}", got.class().name());
        errors::type_error(th, message)
    };
    let Some(code) = a[0].to_ref::<Code>() else { return Err(wrong(th, "code", 1, "code", &a[0])) };
    let Some(globals) = a[1].to_ref::<Dict>() else { return Err(wrong(th, "globals", 2, "dict", &a[1])) };
    if a.opt_not_none(2).is_some_and(|n| n.downcast_ref::<Str>().is_none()) {
        return Err(errors::type_error(th, "arg 3 (name) must be None or string"));
    }
    audit(th, "function.__new__", &[code.to_value()])?;
    if a.opt_not_none(3).is_some_and(|n| n.downcast_ref::<Tuple>().is_none()) {
        return Err(errors::type_error(th, "arg 4 (defaults) must be None or tuple"));
    }
    let closure = check_closure(th, &code, a.opt(4))?;
    if a.opt_not_none(5).is_some_and(|n| n.downcast_ref::<Dict>().is_none()) {
        return Err(errors::type_error(th, "arg 6 (kwdefaults) must be None or dict"));
    }
    let function = Function::new(th, &code, &globals, closure);
    if let Some(name) = a.opt_not_none(2) {
        function.name.set(Some(name.clone()));
    }
    function.defaults.set(a.opt_not_none(3).cloned());
    function.kwdefaults.set(a.opt_not_none(5).cloned());
    Ok(function.into())
}

fn check_closure(th: &mut Thread, code: &Ref<Code>, closure: Option<&Value>) -> PyResult<Option<Ref<Tuple>>> {
    let want = code.bytecode().freevars.len();
    let closure = closure.cloned().unwrap_or(Value::NONE);
    let tuple = closure.to_ref::<Tuple>();
    if tuple.is_none() && !(closure.is_none() && want == 0) {
        let message =
            if closure.is_none() { "arg 5 (closure) must be tuple" } else { "arg 5 (closure) must be None or tuple" };
        return Err(errors::type_error(th, message));
    }
    let have = tuple.as_ref().map_or(0, |t| t.len());
    if have != want {
        let message = format!("{} requires closure of length {want}, not {have}", code.name.to_string_lossy());
        return Err(errors::value_error(th, message));
    }
    if let Some(wrong) = tuple.iter().flat_map(|t| t.iter()).find(|c| c.downcast_ref::<Cell>().is_none()) {
        let message = format!("arg 5 (closure) expected cell, found {}", wrong.class().name());
        return Err(errors::type_error(th, message));
    }
    Ok(tuple)
}
