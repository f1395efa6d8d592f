//! What a `python` command does with its arguments once they are read: run a command, a module, a file or standard input;
//! report the exception; exit with CPython's status.
use krait_object::{Dict, List, PyResult, Raised, Thread, Value};
use krait_runtime::config::Config;
use krait_runtime::hooks::{self, CompileRequest};
use krait_runtime::protocol::{attr, call};
use krait_runtime::types::code::Code;
use krait_runtime::types::module;
use krait_runtime::{convert, errors, exceptions, import};
use std::ffi::OsString;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

use crate::{finalize, initialize, new_thread};

/// What to run.
#[derive(Clone, Debug)]
pub enum Source {
    Command(OsString),
    Module(String),
    File(PathBuf),
    Stdin,
    Interactive,
}

pub use crate::paths::{fill, find_executable, find_stdlib};

/// Native stack of the thread that runs Python.
pub const STACK_SIZE: usize = 256 << 20;

/// Runs and returns the exit status. `inspect`: go on interactively afterwards (`-i`); `interactive` is the REPL. Python's
/// main thread is the process's, on a stack of its own size.
pub fn run(config: Config, source: Source, inspect: bool, interactive: fn(&mut Thread) -> i32) -> i32 {
    krait_platform::standard::close_again();
    stacker::grow(STACK_SIZE + (1 << 20), || run_here(config, &source, inspect, interactive))
}
fn run_here(config: Config, source: &Source, inspect: bool, interactive: fn(&mut Thread) -> i32) -> i32 {
    let mut th = new_thread(STACK_SIZE);
    if config.stdlib_dir.is_none() {
        eprintln!(
            "krait: the Python 3.13 standard library was not found. Install CPython 3.13 or set KRAIT_HOME to a folder \
             with its Lib."
        );
        return 1;
    }
    if let Err(raised) = initialize(&mut th, config) {
        let status = report(&mut th, raised);
        eprintln!("krait: start-up failed");
        return status;
    }
    let mut status = match run_source(&mut th, source) {
        Ok(()) => 0,
        Err(raised) if inspect && !matches!(source, Source::Interactive) => report_and_stay(&mut th, raised),
        Err(raised) => report(&mut th, raised),
    };
    if inspect || matches!(source, Source::Interactive) {
        status = interactive(&mut th);
    }
    if !finalize(&mut th) && status == 0 {
        status = 120;
    }
    if status == INTERRUPTED {
        // The parent shall see that SIGINT ended the process.
        krait_platform::signal::end_by(krait_platform::signal::SIGINT);
    }
    status
}
/// The status of an uncaught KeyboardInterrupt.
const INTERRUPTED: i32 = 130;

fn sys_dict(th: &Thread) -> krait_object::Ref<Dict> {
    th.interp.sys.get().and_then(|s| s.downcast().ok()).unwrap_or_else(Dict::new)
}
fn main_dict(th: &mut Thread) -> PyResult<krait_object::Ref<Dict>> {
    let m = import::import_module(th, "__main__")?;
    Ok(module::dict(&m))
}
/// Puts `path` at the front of `sys.path`, unless `-P` or `-I` says no.
fn prepend_path(th: &mut Thread, path: &[u8]) {
    let path: Value = convert::fs_decode(path).into();
    if let Some(list) = sys_dict(th).get_text("path").and_then(|p| p.downcast::<List>().ok()) {
        list.lock().insert(0, path);
    }
}
fn run_source(th: &mut Thread, source: &Source) -> PyResult<()> {
    let safe = krait_runtime::config::get(th).flags.safe_path;
    match source {
        Source::Command(text) => {
            if !safe {
                prepend_path(th, b"");
            }
            let mut text = text.clone().into_vec();
            text.push(b'\n');
            let source: Value = match convert::fs_decode(&text).to_utf8() {
                Some(t) => Value::str(&t),
                None => {
                    eprintln!("Unable to decode the command from the command line:");
                    let s = convert::fs_decode(&text);
                    return Err(errors::surrogates_not_allowed(th, &s));
                }
            };
            remember_command(th, &source)?;
            run_text(th, &source, "<string>")
        }
        Source::Module(name) => {
            if !safe {
                let cwd = std::env::current_dir().unwrap_or_default();
                prepend_path(th, cwd.as_os_str().as_bytes());
            }
            run_module(th, name, true)
        }
        Source::File(path) => run_file(th, path, safe),
        Source::Stdin => {
            if !safe {
                prepend_path(th, b"");
            }
            let mut text = Vec::new();
            if let Err(e) = std::io::Read::read_to_end(&mut std::io::stdin().lock(), &mut text) {
                return Err(errors::io_error(th, &e, None));
            }
            let source = Value::from(krait_object::Bytes::new(&text));
            run_text(th, &source, "<stdin>")
        }
        Source::Interactive => {
            if !safe {
                prepend_path(th, b"");
            }
            Ok(())
        }
    }
}
/// `-c` text goes into `linecache`, so that tracebacks show its lines.
fn remember_command(th: &mut Thread, source: &Value) -> PyResult<()> {
    let linecache = import::import_module(th, "linecache")?;
    if let Some(f) = attr::get_text_opt(th, &linecache, "_register_code")? {
        call::call(th, &f, &[Value::str("<string>"), source.clone(), Value::str("<string>")])?;
    }
    Ok(())
}
fn run_text(th: &mut Thread, source: &Value, filename: &str) -> PyResult<()> {
    let request = CompileRequest { source, filename, mode: "exec", flags: 0, optimize: -1, feature_version: -1 };
    let code = hooks::compile(th, &request)?;
    let Some(code) = code.to_ref::<Code>() else { return Ok(()) };
    let d = main_dict(th)?;
    (hooks::vm().eval_code)(th, &code, &d, Some(d.as_value()), None, None).map(|_| ())
}
/// `runpy._run_module_as_main`.
fn run_module(th: &mut Thread, name: &str, alter_argv: bool) -> PyResult<()> {
    let runpy = import::import_module(th, "runpy")?;
    let name: Value = convert::fs_decode(name.as_bytes()).into();
    attr::call_method(th, &runpy, "_run_module_as_main", &[name, Value::bool(alter_argv)]).map(|_| ())
}
fn run_file(th: &mut Thread, path: &Path, safe: bool) -> PyResult<()> {
    let shown = convert::fs_decode(path.as_os_str().as_bytes());
    let is_archive = path.is_dir() || is_zip(path);
    if is_archive {
        let runs = import::import_module(th, "pkgutil")
            .and_then(|p| attr::call_method(th, &p, "get_importer", &[shown.to_value()]))?;
        if !runs.is_none() {
            prepend_path(th, path.as_os_str().as_bytes());
            return run_module(th, "__main__", false);
        }
    }
    let text = match std::fs::read(path) {
        Ok(text) => text,
        Err(e) => {
            let program = std::env::args_os().next().unwrap_or_default();
            let quoted = krait_runtime::protocol::repr::repr(th, shown.as_value())?;
            let errno = e.raw_os_error().unwrap_or(0);
            let reason = krait_platform::errno::strerror(errno);
            eprintln!("{}: can't open file {quoted}: [Errno {errno}] {reason}", program.to_string_lossy());
            return Err(errors::raise_args(th, &exceptions::SYSTEM_EXIT, vec![Value::int(2)]));
        }
    };
    if !safe {
        let real = path.canonicalize().unwrap_or_else(|_| path.to_path_buf());
        let dir = real.parent().map(|p| p.as_os_str().as_bytes().to_vec()).unwrap_or_default();
        prepend_path(th, &dir);
    }
    let d = main_dict(th)?;
    d.set_text("__file__", shown.clone());
    d.set_text("__cached__", Value::NONE);
    let external = import::import_module(th, "_frozen_importlib_external")?;
    let loader = attr::get_text(th, &external, "SourceFileLoader")?;
    let loader = call::call(th, &loader, &[Value::str("__main__"), shown.to_value()])?;
    d.set_text("__loader__", loader);
    let source = Value::from(krait_object::Bytes::new(&text));
    let name = shown.to_string_lossy().into_owned();
    run_text(th, &source, &name)
}
fn is_zip(path: &Path) -> bool {
    // The end-of-central-directory record is within the last 64 KiB.
    let Ok(data) = std::fs::read(path) else { return false };
    let tail = &data[data.len().saturating_sub(65_557)..];
    data.len() > 22 && tail.windows(4).any(|w| w == b"PK\x05\x06")
}

/// Shows the exception in flight; the exit status. SystemExit is obeyed, not shown.
pub fn report(th: &mut Thread, raised: Raised) -> i32 {
    let e = errors::take(th, raised);
    if e.is_instance(&exceptions::SYSTEM_EXIT) {
        return exit_status(th, &e);
    }
    let interrupted = e.is_instance(&exceptions::KEYBOARD_INTERRUPT);
    exceptions::display::print_uncaught(th, e);
    if interrupted { INTERRUPTED } else { 1 }
}
/// As [`report`], for `-i`: SystemExit is shown too.
fn report_and_stay(th: &mut Thread, raised: Raised) -> i32 {
    let e = errors::take(th, raised);
    exceptions::display::print_uncaught(th, e);
    1
}
fn exit_status(th: &mut Thread, e: &Value) -> i32 {
    let code = match attr::get_text(th, e, "code") {
        Ok(code) => code,
        Err(raised) => {
            drop(errors::take(th, raised));
            Value::NONE
        }
    };
    if code.is_none() {
        return 0;
    }
    if let Some(i) = code.as_int_ref() {
        return i.to_i64().map_or(-1, |i| i as i32);
    }
    krait_stdlib_core::sys::flush_std_files(th);
    let text = krait_runtime::protocol::repr::str(th, &code).map(|s| s.to_string_lossy().into_owned());
    let text = text.unwrap_or_else(|raised| {
        drop(errors::take(th, raised));
        String::new()
    });
    let err = sys_dict(th).get_text("stderr").filter(|f| !f.is_none());
    let line = Value::from(format!("{text}\n"));
    let written = err.map(|f| attr::call_method(th, &f, "write", &[line]).map_err(|r| errors::take(th, r)).is_ok());
    if written != Some(true) {
        eprintln!("{text}");
    }
    1
}
