//! `print`, `input`, `open`, `breakpoint`.
use krait_object::native::function;
use krait_object::{Args, Dict, Method, PyResult, Str, Thread, Value};

use std::io::IsTerminal;
use std::sync::OnceLock;

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
/// Reads a line from the terminal, edited, after a prompt; with its line break, empty at the end of input.
pub type TerminalReader = fn(&mut Thread, &[u8]) -> PyResult<Vec<u8>>;
/// What `input` and prompts read a terminal with, once a module has set it.
#[derive(Default)]
pub struct Terminal {
    pub reader: OnceLock<TerminalReader>,
}
impl Terminal {
    /// The reader, where standard input and output are a terminal.
    pub fn reader(th: &Thread) -> Option<TerminalReader> {
        let reader = th.interp.extension::<Terminal>().reader.get().copied();
        reader.filter(|_| std::io::stdin().is_terminal() && std::io::stdout().is_terminal())
    }
}
/// Whether a stream is the process's own of this number.
fn is_standard(th: &mut Thread, stream: &Value, number: i64) -> bool {
    match attr::call_method(th, stream, "fileno", &[]) {
        Ok(fd) => fd.as_int_ref().and_then(|fd| fd.to_i64()) == Some(number),
        Err(raised) => {
            drop(crate::errors::take(th, raised));
            false
        }
    }
}
/// As [`input`], from a terminal with editing.
fn edited_input(
    th: &mut Thread,
    reader: TerminalReader,
    prompt: Option<&Value>,
    [stdin, stdout]: [&Value; 2],
) -> PyResult<Value> {
    let codec = |th: &mut Thread, stream: &Value| -> PyResult<[Value; 2]> {
        Ok([attr::get_text(th, stream, "encoding")?, attr::get_text(th, stream, "errors")?])
    };
    let prompt = match prompt {
        Some(prompt) => {
            let text = repr::str(th, prompt)?;
            let how = codec(th, stdout)?;
            let bytes = attr::call_method(th, text.as_value(), "encode", &how)?;
            crate::protocol::buffer::bytes_like(th, &bytes)?
        }
        None => Vec::new(),
    };
    if prompt.contains(&0) {
        return Err(crate::errors::value_error(th, "input: prompt string cannot contain null characters"));
    }
    attr::call_method(th, stdout, "flush", &[])?;
    let mut line = reader(th, &prompt)?;
    if line.is_empty() {
        return Err(crate::errors::eof_error(th, "EOF when reading a line"));
    }
    line.pop_if(|last| *last == b'\n');
    let how = codec(th, stdin)?;
    attr::call_method(th, &krait_object::Bytes::new(&line).into(), "decode", &how)
}
fn input(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let stdin = required(th, "stdin")?;
    let stdout = required(th, "stdout")?;
    let stderr = required(th, "stderr")?;
    crate::audit::audit(th, "builtins.input", &[a.opt(0).cloned().unwrap_or(Value::NONE)])?;
    drop(attr::call_method(th, &stderr, "flush", &[]).map_err(|r| drop(crate::errors::take(th, r))));
    if let Some(reader) = Terminal::reader(th)
        && is_standard(th, &stdin, 0)
        && is_standard(th, &stdout, 1)
    {
        return edited_input(th, reader, a.opt(0), [&stdin, &stdout]);
    }
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
