//! `compile`, `eval`, `exec`, `__import__`.
use krait_object::native::function;
use krait_object::{Args, Bytes, Dict, Method, PyResult, Ref, Str, Thread, Tuple, Value};

use crate::errors::{type_error, value_error};
use crate::hooks::{self, CompileRequest};
use crate::protocol::number;
use crate::types::code::Code;

pub static FUNCTIONS: &[Method] = &[
    function("__import__", "(name, globals=None, locals=None, fromlist=(), level=0)", "Import a module.", |th, a| {
        let Some(name) = a[0].to_ref::<Str>() else {
            return Err(type_error(th, "module name must be a string"));
        };
        let level = match a.opt(4) {
            Some(l) => number::to_i32(th, l)?,
            None => 0,
        };
        let none = Value::NONE;
        crate::import::import_name(th, &name, a.opt(1).unwrap_or(&none), a.opt(3).unwrap_or(&none), level)
    }),
    function(
        "compile",
        "(source, filename, mode, flags=0, dont_inherit=False, optimize=-1, *, _feature_version=-1)",
        "Compile source into a code object that can be executed by exec() or eval().",
        compile,
    ),
    function(
        "eval",
        "(source, /, globals=None, locals=None)",
        "Evaluate the given source in the context of globals and locals.",
        eval,
    ),
    function(
        "exec",
        "(source, /, globals=None, locals=None, *, closure=None)",
        "Execute the given source in the context of globals and locals.",
        exec,
    ),
];

/// Bits that `compile` accepts: futures, and what `ast` and `codeop` ask for.
const KNOWN_FLAGS: u32 = 0x1FE_0000 | 0x200 | 0x400 | 0x1000 | 0x2000 | 0x4000 | 0x8000 | 0x100 | 0x10;
/// Bits of code flags that nested compilations inherit.
const FUTURES: u32 = 0x1FE_0000;

fn compile(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let file = crate::convert::fs_text(th, &a[1])?;
    let Some(mode) = a[2].downcast_ref::<Str>().map(|m| m.to_string_lossy().into_owned()) else {
        let class = a[2].class().name();
        return Err(type_error(th, format!("compile() argument 'mode' must be str, not {class}")));
    };
    let mut flags = match a.opt(3) {
        Some(f) => number::to_i32(th, f)? as u32,
        None => 0,
    };
    let optimize = match a.opt(5) {
        Some(o) => number::to_i32(th, o)?,
        None => -1,
    };
    let feature_version = match a.opt(6) {
        Some(o) => number::to_i32(th, o)?,
        None => -1,
    };
    if flags & !KNOWN_FLAGS != 0 {
        return Err(value_error(th, "compile(): unrecognised flags"));
    }
    if !(-1..=2).contains(&optimize) {
        return Err(value_error(th, "compile(): invalid optimize value"));
    }
    let inherit = match a.opt(4) {
        Some(v) => !crate::protocol::compare::truth(th, v)?,
        None => true,
    };
    if inherit {
        flags |= crate::frames::current_flags(th) & FUTURES;
    }
    let known = matches!(&*mode, "exec" | "eval" | "single") || (mode == "func_type" && flags & 0x400 != 0);
    if !known {
        let message = if mode == "func_type" {
            "compile() mode 'func_type' requires flag PyCF_ONLY_AST"
        } else if flags & 0x400 != 0 {
            "compile() mode must be 'exec', 'eval', 'single' or 'func_type'"
        } else {
            "compile() mode must be 'exec', 'eval' or 'single'"
        };
        return Err(value_error(th, message));
    }
    audit_compile(th, &a[0], &file)?;
    let request = CompileRequest { source: &a[0], filename: &file, mode: &mode, flags, optimize, feature_version };
    hooks::compile(th, &request)
}
/// The event of a compilation: a text's bytes and its file name, or a tree.
fn audit_compile(th: &mut Thread, source: &Value, filename: &str) -> PyResult<()> {
    if !crate::audit::active() {
        return Ok(());
    }
    let args = match source.downcast_ref::<Str>() {
        Some(text) => [Bytes::new(text.to_string_lossy().as_bytes()).into(), Value::str(filename)],
        None if crate::protocol::buffer::has_buffer(source) => [source.clone(), Value::str(filename)],
        None => [source.clone(), Value::NONE],
    };
    crate::audit::audit(th, "compile", &args)
}
/// The namespaces to run in: those given, or the caller's.
fn namespaces(th: &mut Thread, a: &Args<'_>, what: &str) -> PyResult<(Ref<Dict>, Value)> {
    let given_globals = a.opt_not_none(1);
    let given_locals = a.opt_not_none(2);
    let mapping = given_locals.is_none_or(|l| l.class().slots.subscript.is_set());
    if !mapping && what == "eval" {
        return Err(type_error(th, "locals must be a mapping"));
    }
    let globals = match given_globals {
        Some(g) => match g.to_ref::<Dict>() {
            Some(d) => d,
            None => {
                let class = g.class().name();
                let message = if what == "eval" {
                    if g.class().slots.subscript.is_set() {
                        "globals must be a real dict; try eval(code, {}, mapping)".to_owned()
                    } else {
                        "globals must be a dict".to_owned()
                    }
                } else {
                    format!("{what}() globals must be a dict, not {class}")
                };
                return Err(type_error(th, message));
            }
        },
        None => match crate::frames::current_globals(th) {
            Some(g) => g,
            None => {
                let message = format!("{what} must be given globals and locals when called without a frame");
                return Err(type_error(th, message));
            }
        },
    };
    if let Some(l) = given_locals.filter(|_| !mapping) {
        let class = l.class().name();
        return Err(type_error(th, format!("{what}() locals must be a mapping or None, not {class}")));
    }
    let locals = match (given_locals, given_globals) {
        (Some(l), _) => l.clone(),
        (None, Some(_)) => globals.to_value(),
        (None, None) => crate::frames::current_locals(th)?,
    };
    if globals.get_text("__builtins__").is_none() {
        let builtins = (hooks::vm().current_builtins)(th).or_else(|| th.interp.builtins.get());
        globals.set_text("__builtins__", Value::from(builtins));
    }
    Ok((globals, locals))
}
fn code_of(th: &mut Thread, source: &Value, mode: &str, what: &str) -> PyResult<Ref<Code>> {
    if let Some(code) = source.to_ref::<Code>() {
        return Ok(code);
    }
    if source.downcast_ref::<Str>().is_none() && !crate::protocol::buffer::has_buffer(source) {
        return Err(type_error(th, format!("{what}() arg 1 must be a string, bytes or code object")));
    }
    let mut text = source.clone();
    if mode == "eval" {
        text = crate::convert::skip_leading_space(th, &text)?;
    }
    audit_compile(th, &text, "<string>")?;
    let flags = crate::frames::current_flags(th) & FUTURES;
    let request =
        CompileRequest { source: &text, filename: "<string>", mode, flags, optimize: -1, feature_version: -1 };
    let code = hooks::compile(th, &request)?;
    let code: Ref<Code> = code.downcast().map_err(|_| type_error(th, "expected code"))?;
    crate::audit::audit(th, "exec", &[code.to_value()])?;
    Ok(code)
}
fn eval(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let (globals, locals) = namespaces(th, a, "eval")?;
    if let Some(code) = a[0].downcast_ref::<Code>()
        && !code.bytecode().freevars.is_empty()
    {
        return Err(type_error(th, "code object passed to eval() may not contain free variables"));
    }
    if a[0].downcast_ref::<Code>().is_some() {
        crate::audit::audit(th, "exec", &[a[0].clone()])?;
    }
    let code = code_of(th, &a[0], "eval", "eval")?;
    (hooks::vm().eval_code)(th, &code, &globals, Some(&locals), None, None)
}
fn exec(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let (globals, locals) = namespaces(th, a, "exec")?;
    let closure = a.opt_not_none(3);
    if let Some(code) = a[0].downcast_ref::<Code>() {
        let free = code.bytecode().freevars.len();
        match closure {
            None if free > 0 => {
                let message = format!("code object requires a closure of exactly length {free}");
                return Err(type_error(th, message));
            }
            Some(_) if free == 0 => {
                return Err(type_error(th, "cannot use a closure with this code object"));
            }
            Some(c) => {
                let cells = c.downcast_ref::<Tuple>();
                let fits = cells.is_some_and(|t| {
                    t.len() == free && t.iter().all(|c| c.downcast_ref::<crate::types::cell::Cell>().is_some())
                });
                if !fits {
                    let message = format!("code object requires a closure of exactly length {free}");
                    return Err(type_error(th, message));
                }
            }
            None => {}
        }
        crate::audit::audit(th, "exec", &[a[0].clone()])?;
    } else if closure.is_some() {
        return Err(type_error(th, "closure can only be used when source is a code object"));
    }
    let code = code_of(th, &a[0], "exec", "exec")?;
    let closure = closure.and_then(|c| c.to_ref::<Tuple>());
    (hooks::vm().eval_code)(th, &code, &globals, Some(&locals), None, closure.as_ref())?;
    Ok(Value::NONE)
}
