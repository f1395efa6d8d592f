//! What a `python` command does with its arguments once they are read: run a command, a module, a file or standard input;
//! report the exception; exit with CPython's status.
use krait_object::{Dict, List, PyResult, Raised, Str, Thread, Value};
use krait_runtime::config::{self, Config};
use krait_runtime::protocol::{attr, call};
use krait_runtime::{convert, errors, exceptions, import};
use std::ffi::OsString;
use std::io::IsTerminal;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::PathBuf;

use crate::interactive::{self, LineReader};
use crate::script::{self, run_text};
use crate::{finalize, initialize, new_thread};

/// What to run.
#[derive(Clone, Debug)]
pub enum Source {
    Command(OsString),
    Module(OsString),
    File(PathBuf),
    /// Standard input: interactive on a terminal or with `-i`.
    Stdin,
}

pub use crate::paths::{fill, find_executable, find_stdlib};
pub use crate::streams::is_c_locale;

/// Native stack of the thread that runs Python.
pub const STACK_SIZE: usize = 256 << 20;

/// How a program ended.
#[derive(Clone, Copy, Debug, Default)]
pub struct Ended {
    pub status: i32,
    /// By a KeyboardInterrupt that nobody caught: the process ends by SIGINT, so that a shell stops too.
    pub interrupted: bool,
}
/// Opens what reads the lines of an interactive session.
pub type OpenReader = fn(&mut Thread) -> Box<dyn LineReader>;

/// Call first in `main`: puts the process into the state in which it was started.
pub fn start_process() {
    krait_platform::standard::restore();
}

/// Characters are those of the environment's locale; in the C locale, of one with UTF-8 (PEP 538).
fn set_locale(ignore_environment: bool) {
    let held = |name| std::env::var_os(name).filter(|v| !v.is_empty());
    let set = krait_platform::locale::set(LC_CTYPE, Some(c""));
    let kept = !ignore_environment && held("PYTHONCOERCECLOCALE").is_some_and(|v| v == "0");
    if !kept && held("LC_ALL").is_none() && set.is_none_or(|name| name == b"C") {
        [c"C.UTF-8", c"C.utf8", c"UTF-8"]
            .into_iter()
            .find(|name| krait_platform::locale::set(LC_CTYPE, Some(name)).is_some());
    }
}
const LC_CTYPE: i32 = 0;

/// Runs and returns the exit status. Python's main thread is the process's, on a stack of its own size.
pub fn run(config: Config, source: Source, open: OpenReader) -> i32 {
    stacker::grow(STACK_SIZE + (1 << 20), || run_here(config, &source, open))
}
fn run_here(config: Config, source: &Source, open: OpenReader) -> i32 {
    let mut th = new_thread(STACK_SIZE);
    set_locale(config.flags.ignore_environment != 0);
    if config.stdlib_dir.is_none() {
        eprintln!(
            "krait: the Python 3.13 standard library was not found. Install CPython 3.13 or set KRAIT_HOME to a folder \
             with its Lib."
        );
        return 1;
    }
    if crate::streams::stdin_is_folder() {
        return 1;
    }
    if let Err(raised) = initialize(&mut th, config) {
        let ended = report(&mut th, raised);
        eprintln!("krait: start-up failed");
        return ended.status.max(1);
    }
    let mut ended = run_source(&mut th, source, open);
    if goes_on(&th, source) {
        th.interp.extension::<Inspect>().0.store(false, std::sync::atomic::Ordering::Relaxed);
        let mut reader = open(&mut th);
        ended = interact(&mut th, &mut *reader);
    }
    if !finalize(&mut th) {
        ended.status = 120;
    }
    if ended.interrupted {
        // The parent shall see that SIGINT ended the process.
        krait_platform::signal::end_by(krait_platform::signal::SIGINT);
    }
    ended.status
}

/// `-i`: SystemExit is shown rather than obeyed until the session starts.
struct Inspect(std::sync::atomic::AtomicBool);
impl Default for Inspect {
    fn default() -> Inspect {
        Inspect(true.into())
    }
}
fn inspects(th: &Thread) -> bool {
    config::get(th).flags.inspect != 0 && th.interp.extension::<Inspect>().0.load(std::sync::atomic::Ordering::Relaxed)
}
fn stdin_is_interactive(th: &Thread) -> bool {
    config::get(th).flags.interactive != 0 || std::io::stdin().is_terminal()
}
/// Whether a session follows the program: `-i`, or `PYTHONINSPECT`, which the program itself may have set.
fn goes_on(th: &Thread, source: &Source) -> bool {
    let flags = &config::get(th).flags;
    let asked = || flags.ignore_environment == 0 && std::env::var_os("PYTHONINSPECT").is_some_and(|v| !v.is_empty());
    (flags.inspect != 0 || asked()) && stdin_is_interactive(th) && !matches!(source, Source::Stdin)
}

fn sys_dict(th: &Thread) -> krait_object::Ref<Dict> {
    th.interp.sys.get().and_then(|s| s.downcast().ok()).unwrap_or_else(Dict::new)
}
/// Puts `path` at the front of `sys.path`.
fn prepend_path(th: &mut Thread, path: &[u8]) {
    let path: Value = convert::fs_decode(path).into();
    if let Some(list) = sys_dict(th).get_text("path").and_then(|p| p.downcast::<List>().ok()) {
        list.lock().insert(0, path);
    }
}
/// The folder that goes in front of `sys.path` unless `-P` or `-I` says no.
fn first_path(source: &Source) -> Vec<u8> {
    match source {
        Source::Command(_) | Source::Stdin => Vec::new(),
        Source::Module(_) => std::env::current_dir().unwrap_or_default().into_os_string().into_vec(),
        Source::File(path) => {
            let real = path.canonicalize().unwrap_or_else(|_| path.clone());
            real.parent().map(|p| p.as_os_str().as_bytes().to_vec()).unwrap_or_default()
        }
    }
}
fn run_source(th: &mut Thread, source: &Source, open: OpenReader) -> Ended {
    let (mut archive, mut file) = (false, None);
    if let Source::File(path) = source {
        let path = script::absolute(path);
        match script::importer(th, &path) {
            Ok(found) => archive = found,
            Err(raised) => return report(th, raised),
        }
        if archive {
            prepend_path(th, path.as_os_str().as_bytes());
        }
        file = Some(path);
    }
    if !archive && !config::get(th).flags.safe_path {
        let first = first_path(source);
        let text = String::from_utf8_lossy(&first).into_owned();
        th.interp.extension::<config::FirstPath>().0.set(Some(text));
        prepend_path(th, &first);
    }
    let interactive = matches!(source, Source::Stdin) && stdin_is_interactive(th);
    if interactive {
        header(th);
    }
    let result = match source {
        Source::Command(text) => run_command(th, text),
        Source::Module(name) => run_module(th, name.as_bytes(), true),
        Source::File(_) if archive => run_module(th, b"__main__", false),
        Source::File(_) => match script::run_file(th, &file.unwrap_or_default()) {
            Ok(Some(status)) => return Ended { status, interrupted: false },
            Ok(None) => Ok(()),
            Err(raised) => Err(raised),
        },
        Source::Stdin if interactive => {
            let mut reader = open(th);
            if let Some(ended) = start_up(th, reader.edits()) {
                return ended;
            }
            return interact(th, &mut *reader);
        }
        Source::Stdin => script::run_stdin(th),
    };
    match result {
        Ok(()) => Ended::default(),
        Err(raised) => report(th, raised),
    }
}
fn run_command(th: &mut Thread, text: &std::ffi::OsStr) -> PyResult<()> {
    let mut text = text.as_bytes().to_vec();
    text.push(b'\n');
    let decoded = convert::fs_decode(&text);
    let Some(source) = decoded.to_utf8().map(|t| Value::str(&t)) else {
        eprintln!("Unable to decode the command from the command line:");
        return Err(errors::surrogates_not_allowed(th, &decoded));
    };
    interactive::register(th, "<string>", &source, "<string>")?;
    run_text(th, &source, "<string>", 0)
}
/// `runpy._run_module_as_main`.
fn run_module(th: &mut Thread, name: &[u8], alter_argv: bool) -> PyResult<()> {
    let runpy = import::import_module(th, "runpy")?;
    let name: Value = convert::fs_decode(name).into();
    attr::call_method(th, &runpy, "_run_module_as_main", &[name, Value::bool(alter_argv)]).map(|_| ())
}

/// Version and hint at an interactive start.
fn header(th: &mut Thread) {
    let c = config::get(th);
    if c.flags.quiet != 0 {
        return;
    }
    let text = |name| sys_dict(th).get_text(name).and_then(|v| v.downcast::<Str>().ok()).unwrap_or_else(Str::empty);
    eprintln!("Python {} on {}", text("version"), text("platform"));
    if c.flags.no_site == 0 {
        eprintln!("Type \"help\", \"copyright\", \"credits\" or \"license\" for more information.");
    }
}
/// Whether a hook is `site.register_readline`.
fn is_sites(th: &mut Thread, hook: &Value) -> bool {
    let mut named = |name, text| match attr::get_text_opt(th, hook, name) {
        Ok(held) => held.is_some_and(|v| v.downcast_ref::<Str>().is_some_and(|s| s.eq_str(text))),
        Err(raised) => {
            drop(errors::take(th, raised));
            false
        }
    };
    named("__module__", "site") && named("__qualname__", "register_readline")
}
/// `PYTHONSTARTUP`, then `sys.__interactivehook__`. Some: the start-up file exited. `edits`: the session completes and keeps
/// its history by itself, which is what the hook of `site` would have readline do with the same file.
fn start_up(th: &mut Thread, edits: bool) -> Option<Ended> {
    if let Some(path) = config::get(th).startup.clone() {
        let shown = convert::fs_decode(path.as_os_str().as_bytes());
        let name = shown.to_string_lossy().into_owned();
        let result = match std::fs::read(&path) {
            Ok(text) => run_text(th, &Value::from(krait_object::Bytes::new(&text)), &name, 0),
            Err(e) => {
                eprintln!("Could not open PYTHONSTARTUP");
                Err(errors::io_error(th, &e, Some(shown.as_value())))
            }
        };
        if let Err(raised) = result {
            let exit = errors::in_flight(th, &exceptions::SYSTEM_EXIT);
            let ended = report(th, raised);
            if exit && !inspects(th) {
                return Some(ended);
            }
        }
    }
    if let Some(hook) = sys_dict(th).get_text("__interactivehook__")
        && !(edits && is_sites(th, &hook))
        && let Err(raised) = call::call(th, &hook, &[])
    {
        eprintln!("Failed calling sys.__interactivehook__");
        report(th, raised);
    }
    None
}
/// The session itself, in which SystemExit is obeyed again.
fn interact(th: &mut Thread, reader: &mut dyn LineReader) -> Ended {
    th.interp.extension::<Inspect>().0.store(false, std::sync::atomic::Ordering::Relaxed);
    interactive::run(th, reader)
}
/// Flushes `sys.stderr` and `sys.stdout`; errors are of no interest here.
pub(crate) fn flush(th: &mut Thread) {
    for name in ["stderr", "stdout"] {
        if let Some(file) = sys_dict(th).get_text(name).filter(|f| !f.is_none())
            && let Err(raised) = attr::call_method(th, &file, "flush", &[])
        {
            drop(errors::take(th, raised));
        }
    }
}

/// Shows the exception in flight; how the program ends by it. SystemExit is obeyed, not shown, but with `-i`.
pub fn report(th: &mut Thread, raised: Raised) -> Ended {
    let e = errors::take(th, raised);
    let inspects = inspects(th);
    if e.is_instance(&exceptions::SYSTEM_EXIT) && !inspects {
        return Ended { status: exit_status(th, &e), interrupted: false };
    }
    let interrupted = e.is_instance(&exceptions::KEYBOARD_INTERRUPT) && !inspects;
    exceptions::display::print_uncaught(th, e);
    // An exception hook may exit.
    if let Some(second) = th.exc.take().filter(|e| e.is_instance(&exceptions::SYSTEM_EXIT)) {
        return Ended { status: exit_status(th, &second), interrupted: false };
    }
    Ended { status: if interrupted { 130 } else { 1 }, interrupted }
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
    let text = krait_runtime::protocol::repr::str(th, &code).unwrap_or_else(|raised| {
        drop(errors::take(th, raised));
        Str::empty()
    });
    let err = sys_dict(th).get_text("stderr").filter(|f| !f.is_none());
    let written = err.map(|f| {
        let result = attr::call_method(th, &f, "write", &[text.to_value()])
            .and_then(|_| attr::call_method(th, &f, "write", &[Value::str("\n")]));
        result.map_err(|raised| drop(errors::take(th, raised))).is_ok()
    });
    if written != Some(true) {
        eprintln!("{}", text.to_string_lossy());
    }
    1
}
