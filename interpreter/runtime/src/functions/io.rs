//! `print`, `input`, `open`, `breakpoint`.
use krait_object::native::function;
use krait_object::{Args, Dict, Method, PyResult, Str, Thread, Value};

use crate::errors::{runtime_error, type_error};
use crate::protocol::{attr, call, compare, repr};

pub static FUNCTIONS: &[Method] = &[
    function(
        "breakpoint",
        "(*args, **kws)",
        "Call sys.breakpointhook(*args, **kws).  sys.breakpointhook() must accept whatever arguments are passed.",
        |th, a| {
            let hook = sys_attr(th, "breakpointhook")?;
            let Some(hook) = hook else { return Err(runtime_error(th, "lost sys.breakpointhook")) };
            call::call_args(th, &hook, a)
        },
    )
    .raw(),
    function("input", "(prompt='', /)", "Read a string from standard input.  The trailing newline is stripped.", input),
    function(
        "print",
        "(*args, sep=' ', end='\\n', file=None, flush=False)",
        "Prints the values to a stream, or to sys.stdout by default.",
        print,
    ),
];

/// `sys.name`, if set.
pub fn sys_attr(th: &mut Thread, name: &str) -> PyResult<Option<Value>> {
    let sys = th.interp.sys.get().and_then(|s| s.downcast::<Dict>().ok());
    Ok(sys.and_then(|d| d.get_text(name)))
}
fn text_or_none<'a>(th: &mut Thread, v: Option<&'a Value>, name: &str) -> PyResult<Option<&'a Value>> {
    match v.filter(|v| !v.is_none()) {
        Some(v) if v.downcast_ref::<Str>().is_none() => {
            let class = v.class().name();
            Err(type_error(th, format!("{name} must be None or a string, not {class}")))
        }
        other => Ok(other),
    }
}
fn print(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let items = a[0].clone();
    let file = match a.opt_not_none(3) {
        Some(f) => f.clone(),
        None => match sys_attr(th, "stdout")? {
            None => return Err(runtime_error(th, "lost sys.stdout")),
            Some(f) if f.is_none() => return Ok(Value::NONE),
            Some(f) => f,
        },
    };
    let sep = text_or_none(th, a.opt(1), "sep")?.cloned().unwrap_or_else(|| Value::str(" "));
    let end = text_or_none(th, a.opt(2), "end")?.cloned().unwrap_or_else(|| Value::str("\n"));
    let write = attr::get_text(th, &file, "write")?;
    let items = items.to_ref::<krait_object::Tuple>();
    for (i, item) in items.iter().flat_map(|t| t.iter()).enumerate() {
        if i > 0 {
            call::call(th, &write, &[sep.clone()])?;
        }
        let text = repr::str(th, item)?;
        call::call(th, &write, &[text.into()])?;
    }
    call::call(th, &write, &[end])?;
    if let Some(flush) = a.opt(4)
        && compare::truth(th, flush)?
    {
        attr::call_method(th, &file, "flush", &[])?;
    }
    Ok(Value::NONE)
}
fn required(th: &mut Thread, name: &str) -> PyResult<Value> {
    match sys_attr(th, name)? {
        Some(f) if !f.is_none() => Ok(f),
        _ => Err(runtime_error(th, format!("input(): lost sys.{name}"))),
    }
}
fn input(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let stdin = required(th, "stdin")?;
    let stdout = required(th, "stdout")?;
    let stderr = required(th, "stderr")?;
    crate::audit::audit(th, "builtins.input", &[a.opt(0).cloned().unwrap_or(Value::NONE)])?;
    drop(attr::call_method(th, &stderr, "flush", &[]).map_err(|r| drop(crate::errors::take(th, r))));
    if let Some(prompt) = a.opt(0) {
        let text = repr::str(th, prompt)?;
        attr::call_method(th, &stdout, "write", &[text.into()])?;
    }
    drop(attr::call_method(th, &stdout, "flush", &[]).map_err(|r| drop(crate::errors::take(th, r))));
    let line = attr::call_method(th, &stdin, "readline", &[])?;
    let Some(line) = line.to_ref::<Str>() else {
        return Err(type_error(th, "object.readline() returned non-string"));
    };
    if line.is_empty() {
        return Err(crate::errors::eof_error(th, "EOF when reading a line"));
    }
    let n = line.len();
    Ok(if line.get(n - 1) == Some(10) { line.slice(0, n - 1).into() } else { line.into() })
}
