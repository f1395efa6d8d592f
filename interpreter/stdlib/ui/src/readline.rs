//! `readline`: line editing and history by GNU readline. Once imported, `input` and plain prompts read a terminal with it.
//! CPython: `Modules/readline.c`.
mod hooks;

use std::ffi::{CStr, CString};
use std::io::IsTerminal;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicI32, Ordering::Relaxed};
use std::thread::ThreadId;

use krait_libraries::readline::{self as library, Claim, Step};
use krait_object::native::function;
use krait_object::{Args, Method, ModuleDef, PyResult, Raised, Str, Thread, Value, ValueCell};
use krait_platform::{errno, wait};
use krait_runtime::audit::audit;
use krait_runtime::convert::{self, fs_decode, path_bytes};
use krait_runtime::errors::{self, import_error, os_error, runtime_error, type_error, value_error};
use krait_runtime::functions::io::Terminal;
use krait_runtime::protocol::{call, compare, number};
use krait_runtime::signals;
use krait_runtime::types::module;
use krait_runtime::world::{blocking, outside};

pub static MODULE: ModuleDef = ModuleDef {
    doc: "Importing this module enables command line editing using GNU readline.",
    functions: FUNCTIONS,
    init: Some(init),
    ..ModuleDef::new("readline")
};

/// What the module keeps per interpreter.
struct State {
    completer: ValueCell,
    display: ValueCell,
    startup: ValueCell,
    pre_input: ValueCell,
    first: AtomicI32,
    end: AtomicI32,
    /// Lines kept in files; negative: all.
    history_length: AtomicI32,
    /// Lines read go into the history.
    auto_history: AtomicBool,
}
impl Default for State {
    fn default() -> State {
        State {
            completer: ValueCell::empty(),
            display: ValueCell::empty(),
            startup: ValueCell::empty(),
            pre_input: ValueCell::empty(),
            first: AtomicI32::new(0),
            end: AtomicI32::new(0),
            history_length: AtomicI32::new(-1),
            auto_history: AtomicBool::new(true),
        }
    }
}

/// The library, after the thread that uses it.
fn claim(th: &mut Thread) -> Claim {
    match library::try_claim() {
        Some(claim) => claim,
        None => blocking(th, library::claim),
    }
}
/// Calls the library, which may come back to Python.
fn run<R>(th: &mut Thread, f: impl FnOnce(&Claim) -> R) -> R {
    let claim = claim(th);
    outside(th, || f(&claim))
}

/// Text in the locale's encoding.
fn encode(th: &mut Thread, v: &Value) -> PyResult<CString> {
    let Some(s) = v.to_ref::<Str>() else { return Err(type_error(th, "bad argument type for built-in operation")) };
    let Some(bytes) = convert::fs_encode(&s) else { return Err(errors::surrogates_not_allowed(th, &s)) };
    CString::new(bytes).map_err(|_| value_error(th, "embedded null character"))
}
fn decode(text: &CStr) -> Value {
    fs_decode(text.to_bytes()).into()
}

/// A file that is opened in this mode, for the audit hooks.
fn path(th: &mut Thread, v: Option<&Value>, default: &str, mode: &str) -> PyResult<Option<CString>> {
    let (shown, path) = match v {
        Some(v) => (v.clone(), Some(CString::new(path_bytes(th, v)?).unwrap_or_default())),
        None => (Value::str(default), None),
    };
    audit(th, "open", &[shown, Value::str(mode), Value::int(0)])?;
    Ok(path)
}
const HISTORY: &str = "~/.history";
fn finished(th: &mut Thread, done: Result<(), i32>) -> PyResult<Value> {
    match done {
        Ok(()) => Ok(Value::NONE),
        Err(e) => Err(os_error(th, e, None)),
    }
}
fn most(th: &Thread) -> Option<i32> {
    Some(th.interp.extension::<State>().history_length.load(Relaxed)).filter(|&n| n >= 0)
}

fn set_hook(th: &mut Thread, a: &Args<'_>, name: &str, cell: fn(&State) -> &ValueCell) -> PyResult<Value> {
    let f = a.opt_not_none(0);
    if f.is_some_and(|f| !call::is_callable(f)) {
        return Err(type_error(th, format!("set_{name}(func): argument not callable")));
    }
    cell(&th.interp.extension::<State>()).set(f.cloned());
    Ok(Value::NONE)
}
fn position(th: &mut Thread, v: &Value) -> PyResult<i32> {
    match number::to_i32(th, v)? {
        n if n < 0 => Err(value_error(th, "History index cannot be negative")),
        n => Ok(n),
    }
}
#[cold]
fn no_item(th: &mut Thread, at: i32) -> Raised {
    value_error(th, format!("No history item at position {at}"))
}

static FUNCTIONS: &[Method] = &[
    function("parse_and_bind", "(string, /)", "Execute the init line provided in the string argument.", |th, a| {
        let line = encode(th, &a[0])?;
        run(th, |l| l.parse_and_bind(line));
        Ok(Value::NONE)
    }),
    function("get_line_buffer", "()", "Return the current contents of the line buffer.", |th, _| {
        Ok(decode(&claim(th).line_buffer()))
    }),
    function("insert_text", "(string, /)", "Insert text into the line buffer at the cursor position.", |th, a| {
        let text = encode(th, &a[0])?;
        run(th, |l| l.insert_text(&text));
        Ok(Value::NONE)
    }),
    function("redisplay", "()", "Show what the line buffer holds now.", |th, _| {
        run(th, Claim::redisplay);
        Ok(Value::NONE)
    }),
    function(
        "read_init_file",
        "(filename=None, /)",
        "Execute a readline initialization file.\n\nThe default filename is the last filename used.",
        |th, a| {
            let path = path(th, a.opt_not_none(0), "<readline_init_file>", "r")?;
            let done = run(th, |l| l.read_init_file(path.as_deref()));
            finished(th, done)
        },
    ),
    function(
        "read_history_file",
        "(filename=None, /)",
        "Load a readline history file.\n\nThe default filename is ~/.history.",
        |th, a| {
            let path = path(th, a.opt_not_none(0), HISTORY, "r")?;
            let done = run(th, |l| l.read_history(path.as_deref()));
            finished(th, done)
        },
    ),
    function(
        "write_history_file",
        "(filename=None, /)",
        "Save a readline history file.\n\nThe default filename is ~/.history.",
        |th, a| {
            let path = path(th, a.opt_not_none(0), HISTORY, "w")?;
            let most = most(th);
            let done = run(th, |l| l.write_history(path.as_deref(), most));
            finished(th, done)
        },
    ),
    function(
        "append_history_file",
        "(nelements, filename=None, /)",
        "Append the last nelements items of the history list to file.\n\nThe default filename is ~/.history.",
        |th, a| {
            let n = number::to_i32(th, &a[0])?;
            if n < 0 {
                return Err(value_error(th, "nelements must be non-negative"));
            }
            let path = path(th, a.opt_not_none(1), HISTORY, "a")?;
            let most = most(th);
            let done = run(th, |l| l.append_history(n, path.as_deref(), most));
            finished(th, done)
        },
    ),
    function(
        "get_history_item",
        "(index, /)",
        "Return the contents of the history item at a one-based index.",
        |th, a| {
            let index = number::to_i32(th, &a[0])?;
            Ok(claim(th).history_item(index).map_or(Value::NONE, |line| decode(&line)))
        },
    ),
    function("get_current_history_length", "()", "Return the current (not the maximum) length of history.", |th, _| {
        Ok(claim(th).history_length().into())
    }),
    function(
        "set_history_length",
        "(length, /)",
        "Set the maximal number of lines which will be written to the history file.\n\nA negative length inhibits truncation.",
        |th, a| {
            let n = number::to_i32(th, &a[0])?;
            th.interp.extension::<State>().history_length.store(n, Relaxed);
            Ok(Value::NONE)
        },
    ),
    function(
        "get_history_length",
        "()",
        "Return the maximum number of lines that will be written to the history file.",
        |th, _| Ok(th.interp.extension::<State>().history_length.load(Relaxed).into()),
    ),
    function(
        "set_completer",
        "(function=None, /)",
        "Set or remove the completer function.\n\nIt is called as function(text, state), for state in 0, 1, 2, ..., until it\nreturns a non-string. It should return the next possible completion of text.",
        |th, a| set_hook(th, a, "completer", |s| &s.completer),
    ),
    function("get_completer", "()", "Get the current completer function.", |th, _| {
        Ok(th.interp.extension::<State>().completer.get().unwrap_or(Value::NONE))
    }),
    function("get_completion_type", "()", "Get the type of completion being attempted.", |th, _| {
        Ok(claim(th).completion_type().into())
    }),
    function("get_begidx", "()", "Get the beginning index of the completion scope.", |th, _| {
        Ok(th.interp.extension::<State>().first.load(Relaxed).into())
    }),
    function("get_endidx", "()", "Get the ending index of the completion scope.", |th, _| {
        Ok(th.interp.extension::<State>().end.load(Relaxed).into())
    }),
    function("set_completer_delims", "(string, /)", "Set the word delimiters for completion.", |th, a| {
        let text = encode(th, &a[0])?;
        claim(th).set_delimiters(text);
        Ok(Value::NONE)
    }),
    function("set_auto_history", "(enabled, /)", "Enables or disables automatic history.", |th, a| {
        let on = compare::truth(th, &a[0])?;
        th.interp.extension::<State>().auto_history.store(on, Relaxed);
        Ok(Value::NONE)
    }),
    function("add_history", "(string, /)", "Add an item to the history buffer.", |th, a| {
        let line = encode(th, &a[0])?;
        claim(th).add_history(&line);
        Ok(Value::NONE)
    }),
    function("remove_history_item", "(pos, /)", "Remove history item given by its zero-based position.", |th, a| {
        let at = position(th, &a[0])?;
        if claim(th).remove_history_item(at) { Ok(Value::NONE) } else { Err(no_item(th, at)) }
    }),
    function(
        "replace_history_item",
        "(pos, line, /)",
        "Replaces history item given by its position with contents of line.\n\npos is zero-based.",
        |th, a| {
            let at = number::to_i32(th, &a[0])?;
            convert::expect_str(th, &a[1], "replace_history_item", "argument 2")?;
            let at = position(th, &at.into())?;
            let line = encode(th, &a[1])?;
            if claim(th).replace_history_item(at, &line) { Ok(Value::NONE) } else { Err(no_item(th, at)) }
        },
    ),
    function("get_completer_delims", "()", "Get the word delimiters for completion.", |th, _| {
        Ok(decode(&claim(th).delimiters()))
    }),
    function(
        "set_completion_display_matches_hook",
        "(function=None, /)",
        "Set or remove the completion display function.\n\nIt is called as function(substitution, [matches], longest_match_length) once\neach time matches need to be displayed.",
        |th, a| {
            let set = set_hook(th, a, "completion_display_matches_hook", |s| &s.display);
            let by_hook = th.interp.extension::<State>().display.is_set();
            claim(th).show_matches(by_hook);
            set
        },
    ),
    function(
        "set_startup_hook",
        "(function=None, /)",
        "Set or remove the function that is called just before the first prompt is printed.",
        |th, a| set_hook(th, a, "startup_hook", |s| &s.startup),
    ),
    function(
        "set_pre_input_hook",
        "(function=None, /)",
        "Set or remove the function that is called after the first prompt was printed\nand before input is read.",
        |th, a| set_hook(th, a, "pre_input_hook", |s| &s.pre_input),
    ),
    function("clear_history", "()", "Clear the current readline history.", |th, _| {
        claim(th).clear_history();
        Ok(Value::NONE)
    }),
];

fn init(th: &mut Thread, m: &Value) -> PyResult<()> {
    if !library::is_there() {
        return Err(import_error(th, "GNU readline 8 was not found on this system"));
    }
    let (number, version) = claim(th).version();
    let d = module::dict(m);
    d.set_text("_READLINE_VERSION", number);
    d.set_text("_READLINE_RUNTIME_VERSION", number);
    d.set_text("_READLINE_LIBRARY_VERSION", version);
    d.set_text("backend", "readline");
    let terminal = std::io::stdout().is_terminal();
    claim(th).set_up(hooks::HOOKS, terminal);
    // Set already where the module was imported before.
    let _ = th.interp.extension::<Terminal>().reader.set(read_line);
    Ok(())
}

/// The thread that reads a line.
static READER: Mutex<Option<ThreadId>> = Mutex::new(None);
static LINES: Mutex<()> = Mutex::new(());
struct Reading;
impl Reading {
    fn set(id: Option<ThreadId>) {
        *READER.lock().unwrap_or_else(|e| e.into_inner()) = id;
    }
}
impl Drop for Reading {
    fn drop(&mut self) {
        Reading::set(None);
    }
}

/// A line from the terminal with its line break; nothing at the end of input.
fn read_line(th: &mut Thread, prompt: &[u8]) -> PyResult<Vec<u8>> {
    let here = std::thread::current().id();
    if *READER.lock().unwrap_or_else(|e| e.into_inner()) == Some(here) {
        return Err(runtime_error(th, "can't re-enter readline"));
    }
    let _one = match LINES.try_lock() {
        Ok(guard) => guard,
        Err(_) => blocking(th, || LINES.lock().unwrap_or_else(|e| e.into_inner())),
    };
    Reading::set(Some(here));
    let _reading = Reading;
    let prompt = CString::new(prompt).unwrap_or_default();
    run(th, |l| l.begin(&prompt));
    let Some(line) = edit(th)? else { return Ok(Vec::new()) };
    remember(th, &line);
    let mut line = line.into_bytes();
    line.push(b'\n');
    Ok(line)
}
/// `None` at the end of input.
fn edit(th: &mut Thread) -> PyResult<Option<CString>> {
    loop {
        let mut sets = [wait::Poll { fd: 0, events: wait::POLLIN, happened: 0 }];
        match blocking(th, || wait::poll(&mut sets, -1)) {
            Ok(_) => match run(th, Claim::step) {
                Step::More => {}
                Step::Line(line) => return Ok(Some(line)),
                Step::End => return Ok(None),
            },
            Err(errno::EINTR) => {
                if let Err(raised) = signals::run_pending(th) {
                    run(th, Claim::abandon);
                    return Err(raised);
                }
            }
            Err(e) => {
                run(th, Claim::abandon);
                return Err(os_error(th, e, None));
            }
        }
    }
}
/// Adds a line to the history unless it is empty or the last one again.
fn remember(th: &mut Thread, line: &CStr) {
    if line.is_empty() || !th.interp.extension::<State>().auto_history.load(Relaxed) {
        return;
    }
    let claim = claim(th);
    let last = claim.history_item(claim.history_length());
    if last.as_deref() != Some(line) {
        claim.add_history(line);
    }
}
