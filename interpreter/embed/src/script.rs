//! Programs in files: source, compiled code, folders and archives with a `__main__`, standard input
//! (`PyRun_SimpleFile`, `pymain_run_file` in CPython).
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use krait_object::{Bytes, Dict, List, PyResult, Raised, Ref, Str, Thread, Value};
use krait_runtime::errors::{self, SyntaxPlace};
use krait_runtime::hooks::{self, CompileRequest};
use krait_runtime::protocol::{attr, call, number, repr};
use krait_runtime::types::code::Code;
use krait_runtime::types::module;
use krait_runtime::{config, convert, exceptions, import};

pub(crate) fn main_dict(th: &mut Thread) -> PyResult<Ref<Dict>> {
    let m = import::import_module(th, "__main__")?;
    Ok(module::dict(&m))
}
/// Compiles and runs a source in `__main__`.
pub(crate) fn run_text(th: &mut Thread, source: &Value, filename: &str, flags: u32) -> PyResult<()> {
    let request = CompileRequest { source, filename, mode: "exec", flags, optimize: -1, feature_version: -1 };
    let code = hooks::compile(th, &request)?;
    let d = main_dict(th)?;
    run_code(th, &code, &d)
}
fn run_code(th: &mut Thread, code: &Value, d: &Ref<Dict>) -> PyResult<()> {
    let Some(code) = code.to_ref::<Code>() else {
        return Err(errors::runtime_error(th, "Bad code object in .pyc file"));
    };
    (hooks::vm().eval_code)(th, &code, d, Some(d.as_value()), None, None).map(|_| ())
}

/// The importer of a folder or archive that is given as a program; `None`: it is a file.
pub(crate) fn importer(th: &mut Thread, path: &Path) -> PyResult<bool> {
    let name = convert::fs_decode(path.as_os_str().as_bytes());
    let sys = th.interp.sys.get().and_then(|s| s.downcast::<Dict>().ok()).unwrap_or_else(Dict::new);
    let hooks = sys.get_text("path_hooks").and_then(|h| h.downcast::<List>().ok());
    let hooks: Vec<Value> = hooks.map(|h| h.lock().iter().cloned().collect()).unwrap_or_default();
    for hook in hooks {
        match call::call(th, &hook, &[name.to_value()]) {
            Ok(found) => return Ok(!found.is_none()),
            Err(raised) => drop(errors::catch(th, raised, &exceptions::IMPORT_ERROR)?),
        }
    }
    Ok(false)
}
/// The absolute form of the path given, not resolved further.
pub(crate) fn absolute(path: &Path) -> PathBuf {
    if path.as_os_str().is_empty() {
        return std::env::current_dir().unwrap_or_default();
    }
    std::path::absolute(path).unwrap_or_else(|_| path.to_path_buf())
}

/// Runs the file; `Ok(Some(status))`: it could not be opened, which was said.
pub(crate) fn run_file(th: &mut Thread, path: &Path) -> PyResult<Option<i32>> {
    let shown = convert::fs_decode(path.as_os_str().as_bytes());
    let text = match std::fs::read(path) {
        Ok(text) => text,
        Err(e) => {
            let program = std::env::args_os().next().unwrap_or_default();
            let quoted = repr::repr(th, shown.as_value())?;
            let errno = e.raw_os_error().unwrap_or(0);
            let reason = krait_platform::errno::strerror(errno);
            eprintln!("{}: can't open file {quoted}: [Errno {errno}] {reason}", program.to_string_lossy());
            return Ok(Some(2));
        }
    };
    run_named(th, &text, &shown)?;
    Ok(None)
}
/// Runs what standard input holds.
pub(crate) fn run_stdin(th: &mut Thread) -> PyResult<()> {
    let mut text = Vec::new();
    // A closed descriptor is an empty program.
    let read =
        krait_runtime::world::blocking(th, || std::io::Read::read_to_end(&mut std::io::stdin().lock(), &mut text));
    if let Err(e) = read
        && e.raw_os_error() != Some(krait_platform::errno::EBADF)
    {
        return Err(errors::io_error(th, &e, None));
    }
    run_named(th, &text, &Str::new("<stdin>"))
}
/// Runs a program with `__file__` set, which is there only as long as it runs.
fn run_named(th: &mut Thread, text: &[u8], name: &Ref<Str>) -> PyResult<()> {
    let d = main_dict(th)?;
    let own = d.get_text("__file__").is_none();
    if own {
        d.set_text("__file__", name.clone());
        d.set_text("__cached__", Value::NONE);
    }
    let result = run_contents(th, text, name, &d);
    crate::command::flush(th);
    if own {
        d.remove_text("__file__");
        d.remove_text("__cached__");
    }
    result
}
fn run_contents(th: &mut Thread, text: &[u8], name: &Ref<Str>, d: &Ref<Dict>) -> PyResult<()> {
    let path = name.to_string_lossy().into_owned();
    let stdin = path == "<stdin>";
    let magic = pyc_magic(th)?;
    if path.ends_with(".pyc") || (!stdin && text.starts_with(&magic[..2])) {
        set_loader(th, d, name, "SourcelessFileLoader")?;
        return run_compiled(th, text, d);
    }
    if !stdin {
        set_loader(th, d, name, "SourceFileLoader")?;
    }
    let text = if config::get(th).skip_first_line {
        // Its line break stays, so that lines keep their numbers.
        text.iter().position(|&b| b == b'\n').map_or(&[][..], |i| &text[i..])
    } else {
        text
    };
    check_source(th, text, &path)?;
    run_text(th, &Value::from(Bytes::new(text)), &path, 0)
}
fn set_loader(th: &mut Thread, d: &Ref<Dict>, name: &Ref<Str>, class: &str) -> PyResult<()> {
    let external = import::import_module(th, "_frozen_importlib_external")?;
    let loader = attr::call_method(th, &external, class, &[Value::str("__main__"), name.to_value()])?;
    d.set_text("__loader__", loader);
    Ok(())
}
/// importlib's magic number, which heads `.pyc` files.
fn pyc_magic(th: &mut Thread) -> PyResult<[u8; 4]> {
    let external = import::import_module(th, "_frozen_importlib_external")?;
    let raw = attr::get_text(th, &external, "_RAW_MAGIC_NUMBER")?;
    Ok((number::to_i64(th, &raw)? as u32).to_le_bytes())
}
/// A `.pyc` file: 16 bytes of header, then the marshalled code.
fn run_compiled(th: &mut Thread, data: &[u8], d: &Ref<Dict>) -> PyResult<()> {
    let Some((magic, rest)) = data.split_at_checked(4) else {
        return Err(errors::raise(th, &exceptions::EOF_ERROR, "EOF read where not expected"));
    };
    if magic != pyc_magic(th)? {
        return Err(errors::runtime_error(th, "Bad magic number in .pyc file"));
    }
    let body = rest.get(12..).unwrap_or_default();
    let marshal = import::import_module(th, "marshal")?;
    let code = match attr::call_method(th, &marshal, "loads", &[Bytes::new(body).into()]) {
        Ok(code) => code,
        Err(raised) => {
            drop(errors::take(th, raised));
            return Err(errors::runtime_error(th, "Bad code object in .pyc file"));
        }
    };
    run_code(th, &code, d)
}

/// What CPython's reader of files refuses before it parses; `compile()` words these otherwise.
fn check_source(th: &mut Thread, text: &[u8], filename: &str) -> PyResult<()> {
    let bom = text.starts_with(b"\xef\xbb\xbf");
    let cookie = krait_syntax::declared_encoding(text);
    let utf8 = cookie.as_deref().is_none_or(|c| c == "utf-8");
    if let Some(cookie) = cookie.as_deref().filter(|_| !utf8) {
        if bom {
            return Err(bare(th, &format!("encoding problem: {cookie} with BOM")));
        }
        let source = Value::from(Bytes::new(text));
        if let Err(raised) = attr::call_method(th, &source, "decode", &[Value::str(cookie)]) {
            drop(errors::take(th, raised));
            return Err(bare(th, &format!("encoding problem: {cookie}")));
        }
    }
    let line_of = |at: usize| text[..at].iter().filter(|&&b| b == b'\n').count() + 1;
    if let Some(at) = text.iter().position(|&b| b == 0) {
        let start = text[..at].iter().rposition(|&b| b == b'\n' || b == b'\r').map_or(0, |i| i + 1);
        let line = String::from_utf8_lossy(&text[start..at]).into_owned();
        let number = line_of(at) as i64;
        let place = SyntaxPlace {
            filename: Some(Value::str(filename)),
            lineno: number,
            offset: 0,
            end_lineno: Some(number),
            end_offset: Some(0),
            text: Some(&line),
        };
        let message = "source code cannot contain null bytes";
        let error = errors::new_syntax_error(&exceptions::SYNTAX_ERROR, message, place);
        return Err(errors::raise_value(th, error));
    }
    if cookie.is_none()
        && !bom
        && let Err(e) = std::str::from_utf8(text)
    {
        let (byte, line) = (text[e.valid_up_to()], line_of(e.valid_up_to()));
        let message = format!(
            "Non-UTF-8 code starting with '\\x{byte:02x}' in file {filename} on line {line}, but no encoding declared; \
             see https://peps.python.org/pep-0263/ for details"
        );
        return Err(bare(th, &message));
    }
    Ok(())
}
fn bare(th: &mut Thread, message: &str) -> Raised {
    errors::raise(th, &exceptions::SYNTAX_ERROR, message)
}
