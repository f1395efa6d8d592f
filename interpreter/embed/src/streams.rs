//! The standard streams at start-up (`create_stdio` in CPython's `Python/pylifecycle.c`).
use krait_object::{Dict, PyResult, Thread, Value};
use krait_runtime::config::{self, Config};
use krait_runtime::import;
use krait_runtime::protocol::{attr, call};

/// `S_IFMT` and `S_IFDIR`.
const FILE_TYPE: u32 = 0o170_000;
const DIRECTORY: u32 = 0o040_000;

/// Whether standard input is a folder, which a command cannot start with; says so.
pub(crate) fn stdin_is_folder() -> bool {
    let folder = krait_platform::fs::fstat(0).is_ok_and(|st| st.st_mode & FILE_TYPE == DIRECTORY);
    if folder {
        let thread = krait_platform::thread::ident();
        eprintln!(
            "Fatal Python error: init_sys_streams: <stdin> is a directory, cannot continue\n\
             Python runtime state: core initialized\n\n\
             Current thread {thread:#018x} (most recent call first):\n  <no Python frame>"
        );
    }
    folder
}
/// Opens `sys.stdin`, `stdout`, `stderr` and sets their originals. A stream whose descriptor is closed is None.
pub(crate) fn open(th: &mut Thread) -> PyResult<()> {
    let io = import::import_module(th, "io")?;
    let c = config::get(th);
    let sys = th.interp.sys.get().and_then(|s| s.downcast::<Dict>().ok()).unwrap_or_else(Dict::new);
    for (fd, name, mode) in [(0, "stdin", "rb"), (1, "stdout", "wb"), (2, "stderr", "wb")] {
        let stream = if krait_platform::fs::is_open(fd) { stream(th, &io, &c, fd, name, mode)? } else { Value::NONE };
        sys.set_text(name, stream.clone());
        sys.set_text(&format!("__{name}__"), stream);
    }
    Ok(())
}
fn stream(th: &mut Thread, io: &Value, c: &Config, fd: i32, name: &str, mode: &str) -> PyResult<Value> {
    let kw = |names: &[&str]| -> Vec<Value> { names.iter().map(|n| krait_object::intern::intern(n).into()).collect() };
    let open = attr::get_text(th, io, "open")?;
    let unbuffered = c.unbuffered && mode != "rb";
    let buffering = if unbuffered { 0 } else { -1 };
    let buffer = call::call_kw(
        th,
        &open,
        &[Value::from(fd), Value::str(mode), Value::from(buffering), Value::FALSE],
        &kw(&["buffering", "closefd"]),
    )?;
    let raw = if unbuffered { buffer.clone() } else { attr::get_text(th, &buffer, "raw")? };
    attr::set_text(th, &raw, "name", &Value::from(format!("<{name}>")))?;
    let tty = attr::call_method(th, &raw, "isatty", &[])?;
    let tty = krait_runtime::protocol::compare::truth(th, &tty)?;
    let errors = match (name, &c.stdio_errors) {
        ("stderr", _) => "backslashreplace".to_owned(),
        (_, Some(e)) => e.clone(),
        _ if c.stdio_encoding.is_some() => "strict".to_owned(),
        _ if c_locale() => "surrogateescape".to_owned(),
        _ => "strict".to_owned(),
    };
    let encoding = match &c.stdio_encoding {
        None => Value::str("utf-8"),
        // The codec's own name, whatever it was called.
        Some(given) => {
            let codecs = import::import_module(th, "codecs")?;
            let codec = attr::call_method(th, &codecs, "lookup", &[Value::str(given)])?;
            attr::get_text(th, &codec, "name")?
        }
    };
    let class = attr::get_text(th, io, "TextIOWrapper")?;
    let line_buffering = !unbuffered && (tty || name == "stderr");
    let text = call::call_kw(
        th,
        &class,
        &[
            buffer,
            encoding,
            Value::str(&errors),
            Value::str("\n"),
            Value::bool(line_buffering),
            Value::bool(unbuffered),
        ],
        &kw(&["encoding", "errors", "newline", "line_buffering", "write_through"]),
    )?;
    attr::set_text(th, &text, "mode", &Value::str(if mode == "rb" { "r" } else { "w" }))?;
    Ok(text)
}
/// The locale of characters that the environment names, "" = none.
fn locale() -> String {
    let value = ["LC_ALL", "LC_CTYPE", "LANG"].iter().find_map(|n| std::env::var(n).ok().filter(|v| !v.is_empty()));
    value.unwrap_or_default()
}
/// Whether the locale is the C or POSIX locale by its name, which puts a command into UTF-8 mode.
pub fn is_c_locale() -> bool {
    matches!(&*locale(), "" | "C" | "POSIX")
}
/// Whether undecodable input must survive: also in what stands in for the C locale.
fn c_locale() -> bool {
    is_c_locale() || matches!(&*locale(), "C.UTF-8" | "C.utf8" | "UTF-8")
}
