//! The interactive loop: prompts, complete statements, the display hook (`PyRun_InteractiveLoop` in CPython). Where lines come
//! from is a [`LineReader`]; one on a terminal with editing is in `cli`.
use std::collections::VecDeque;
use std::sync::atomic::Ordering::Relaxed;

use krait_object::{Dict, PyResult, Raised, Ref, Str, Thread, Value};
use krait_runtime::errors::{self, SyntaxPlace};
use krait_runtime::functions::io::Terminal;
use krait_runtime::hooks::{self, CompileRequest};
use krait_runtime::protocol::{attr, call, repr};
use krait_runtime::types::code::Code;
use krait_runtime::types::module;
use krait_runtime::{exceptions, import, signals, world};

use crate::command::{Ended, flush, report};

pub use krait_runtime::world::{attach, detach};

/// One line read, with its line break.
pub enum Line {
    Text(Vec<u8>),
    End,
    /// Ctrl-C at the prompt.
    Interrupted,
}
/// Where lines come from.
pub trait LineReader {
    fn read(&mut self, th: &mut Thread, prompt: &str) -> Line;
    /// Whether it has editing, completion and a history of its own.
    fn edits(&self) -> bool {
        false
    }
}

/// Whether `PYTHON_BASIC_REPL` asks for no editing.
pub fn plain_asked(th: &Thread) -> bool {
    krait_runtime::config::get(th).plain_repl
}

/// Prompts on stderr, lines from descriptor 0. With `-u` no byte is read before it is needed: what follows the line is for
/// those who read `sys.stdin`.
#[derive(Default)]
pub struct PlainReader {
    ahead: VecDeque<u8>,
}
impl LineReader for PlainReader {
    fn read(&mut self, th: &mut Thread, prompt: &str) -> Line {
        if let Some(reader) = Terminal::reader(th).filter(|_| self.ahead.is_empty()) {
            return match reader(th, prompt.as_bytes()) {
                Ok(line) if line.is_empty() => {
                    eprintln!();
                    Line::End
                }
                Ok(line) => Line::Text(line),
                Err(raised) => {
                    drop(errors::take(th, raised));
                    Line::Interrupted
                }
            };
        }
        eprint!("{prompt}");
        let mut line = Vec::new();
        let mut buffer = [0; 4096];
        let size = if krait_runtime::config::get(th).unbuffered { 1 } else { buffer.len() };
        loop {
            while let Some(byte) = self.ahead.pop_front() {
                line.push(byte);
                if byte == b'\n' {
                    return Line::Text(line);
                }
            }
            match world::blocking(th, || krait_platform::fd::read(0, &mut buffer[..size])) {
                Ok(n) if n > 0 => self.ahead.extend(&buffer[..n]),
                Err(krait_platform::errno::EINTR) => match signals::run_pending(th) {
                    Ok(()) => continue,
                    Err(raised) => {
                        drop(errors::take(th, raised));
                        return Line::Interrupted;
                    }
                },
                _ if line.is_empty() => {
                    eprintln!();
                    return Line::End;
                }
                _ => return Line::Text(line),
            }
        }
    }
}

/// `PyCF_DONT_IMPLY_DEDENT | PyCF_ALLOW_INCOMPLETE_INPUT`
const UNFINISHED: u32 = 0x4200;
const ONLY_AST: u32 = 0x400;
const FUTURES: u32 = 0x1FE_0000;

/// What the lines so far are.
enum Parsed {
    Unfinished,
    Nothing,
    Tree(Value),
}

struct Session {
    /// `CO_FUTURE_*` bits of the statements so far.
    futures: u32,
    /// Counts statements: each has a file name of its own, by which tracebacks find its lines.
    statements: u32,
}

fn sys(th: &Thread) -> Ref<Dict> {
    th.interp.sys.get().and_then(|s| s.downcast().ok()).unwrap_or_else(Dict::new)
}
/// `sys.ps1` or `sys.ps2` as text; nothing where that fails.
fn prompt(th: &mut Thread, name: &str) -> String {
    let Some(held) = sys(th).get_text(name) else { return String::new() };
    match repr::str(th, &held) {
        Ok(text) => text.to_string(),
        Err(raised) => {
            drop(errors::take(th, raised));
            String::new()
        }
    }
}
/// Reads and runs statements to the end of input.
pub fn run(th: &mut Thread, reader: &mut dyn LineReader) -> Ended {
    for (name, text) in [("ps1", ">>> "), ("ps2", "... ")] {
        if sys(th).get_text(name).is_none() {
            sys(th).set_text(name, text);
        }
    }
    let mut session = Session { futures: 0, statements: 0 };
    let mut ended = Ended::default();
    while let Some(parsed) = session.statement(th, reader) {
        let result = parsed.and_then(|p| match p {
            Some((source, tree)) => session.execute(th, &source, &tree),
            None => Ok(()),
        });
        ended = Ended::default();
        if let Err(raised) = result {
            let exit = errors::in_flight(th, &exceptions::SYSTEM_EXIT);
            ended = report(th, raised);
            if exit {
                return ended;
            }
        }
        flush(th);
    }
    Ended { status: 0, ..ended }
}

impl Session {
    /// The next statement: `None` at the end of input, `Some(Ok(None))` for an empty one.
    fn statement(&mut self, th: &mut Thread, reader: &mut dyn LineReader) -> Option<PyResult<Option<(String, Value)>>> {
        let mut text: Vec<u8> = Vec::new();
        let mut ended = false;
        loop {
            let shown = prompt(th, if text.is_empty() { "ps1" } else { "ps2" });
            match reader.read(th, &shown) {
                Line::Interrupted => {
                    eprintln!("\nKeyboardInterrupt");
                    return Some(Ok(None));
                }
                Line::End if text.is_empty() => return None,
                Line::End => ended = true,
                Line::Text(line) => {
                    if std::str::from_utf8(&line).is_err() {
                        return Some(Err(undecodable(th, &line)));
                    }
                    // A NUL ends a line's text but not the line, which goes on with the next one.
                    let end = line.iter().position(|&b| b == 0).unwrap_or(line.len());
                    text.extend(&line[..end]);
                }
            }
            if !ended && text.last() != Some(&b'\n') {
                continue;
            }
            let source = String::from_utf8_lossy(&text);
            match self.parse(th, &source, ended) {
                Ok(Parsed::Unfinished) => {}
                Ok(Parsed::Nothing) => {
                    // It is run as a statement that does nothing.
                    self.statements += 1;
                    return Some(Ok(None));
                }
                Ok(Parsed::Tree(tree)) => return Some(Ok(Some((source.into_owned(), tree)))),
                Err(raised) => return Some(Err(raised)),
            }
        }
    }
    /// A compound statement is complete only with an empty line after it; lines of blanks and comments do not count.
    fn parse(&self, th: &mut Thread, source: &str, ended: bool) -> PyResult<Parsed> {
        let blank = |line: &str| line.trim_start().is_empty() || line.trim_start().starts_with('#');
        if source.lines().all(blank) {
            return Ok(Parsed::Nothing);
        }
        let last = source.lines().last().unwrap_or_default();
        if !ended && blank(last) && !last.is_empty() {
            return Ok(Parsed::Unfinished);
        }
        let parse = |th: &mut Thread, text: &str, flags| {
            let text = Value::str(text);
            let request = CompileRequest {
                source: &text,
                filename: "<stdin>",
                mode: "single",
                flags: ONLY_AST | self.futures | flags,
                optimize: -1,
                feature_version: -1,
            };
            hooks::compile(th, &request)
        };
        if ended {
            return parse(th, source, 0).map(Parsed::Tree);
        }
        // Warnings come with the last of these parses only.
        let whole = match without_warnings(th, |th| parse(th, source, UNFINISHED)) {
            Ok(_) => parse(th, source.strip_suffix('\n').unwrap_or(source), UNFINISHED),
            Err(raised) if last.is_empty() => {
                unfinished(th, raised)?;
                // An empty line ends what is neither in brackets nor in a string.
                parse(th, source, 0)
            }
            failed => failed,
        };
        match whole {
            Ok(tree) => Ok(Parsed::Tree(tree)),
            Err(raised) if last.is_empty() && open_ended(th) => {
                drop(errors::take(th, raised));
                Ok(Parsed::Unfinished)
            }
            Err(raised) => unfinished(th, raised).map(|()| Parsed::Unfinished),
        }
    }
    fn execute(&mut self, th: &mut Thread, source: &str, tree: &Value) -> PyResult<()> {
        let filename = format!("<stdin>-{}", self.statements);
        self.statements += 1;
        let request = CompileRequest {
            source: tree,
            filename: &filename,
            mode: "single",
            flags: self.futures,
            optimize: -1,
            feature_version: -1,
        };
        let code = match hooks::compile(th, &request) {
            Ok(code) => code,
            Err(raised) => return Err(with_line(th, raised, source)),
        };
        let Some(code) = code.to_ref::<Code>() else { return Ok(()) };
        self.futures |= code.bytecode().flags & FUTURES;
        register(th, &filename, &Value::str(source), "<stdin>")?;
        let main = import::import_module(th, "__main__")?;
        let d = module::dict(&main);
        (hooks::vm().eval_code)(th, &code, &d, Some(d.as_value()), None, None).map(|_| ())
    }
}
/// Swallows the exception in flight if it says that the text is not complete.
fn unfinished(th: &mut Thread, raised: Raised) -> PyResult<()> {
    errors::catch(th, raised, &exceptions::_INCOMPLETE_INPUT_ERROR).map(drop)
}
fn syntax_error(th: &Thread) -> Option<&exceptions::SyntaxError> {
    th.exc.as_ref().and_then(|e| e.downcast_ref::<exceptions::SyntaxError>())
}
/// Whether the error in flight is that of a bracket or a string of several lines that is still open.
fn open_ended(th: &Thread) -> bool {
    let message = syntax_error(th).and_then(|e| e.msg.get()).and_then(|m| m.downcast::<Str>().ok());
    message.is_some_and(|m| {
        let text = m.to_string_lossy();
        text.ends_with("was never closed") || text.starts_with("unterminated triple-quoted")
    })
}
/// Runs something with the warnings that it issues put aside.
fn without_warnings<R>(th: &mut Thread, f: impl FnOnce(&mut Thread) -> R) -> R {
    let quiet = th.interp.extension::<crate::compile::Quiet>();
    quiet.0.store(true, Relaxed);
    let result = f(th);
    quiet.0.store(false, Relaxed);
    result
}
/// Gives the error in flight the line it is about, which the compiler does not find in a tree.
fn with_line(th: &mut Thread, raised: Raised, source: &str) -> Raised {
    if let Some(e) = syntax_error(th)
        && e.text.get().is_none_or(|t| t.is_none())
        && let Some(number) = e.lineno.get().and_then(|n| n.as_int_ref().and_then(|i| i.to_i64()))
        && let Some(line) = source.lines().nth((number - 1).max(0) as usize)
    {
        e.text.set(Some(Value::from(format!("{line}\n"))));
    }
    raised
}
/// Gives `linecache` the lines of a source that is in no file.
pub(crate) fn register(th: &mut Thread, key: &str, source: &Value, name: &str) -> PyResult<()> {
    let linecache = import::import_module(th, "linecache")?;
    if let Some(f) = attr::get_text_opt(th, &linecache, "_register_code")? {
        call::call(th, &f, &[Value::str(key), source.clone(), Value::str(name)])?;
    }
    Ok(())
}
/// The error of a line that is no UTF-8.
fn undecodable(th: &mut Thread, line: &[u8]) -> Raised {
    let place = SyntaxPlace {
        filename: Some(Value::str("<stdin>")),
        lineno: 0,
        offset: 0,
        end_lineno: Some(0),
        end_offset: Some(0),
        text: Some(""),
    };
    let message = krait_syntax::utf8_fault(line).unwrap_or_default();
    let error = errors::new_syntax_error(&exceptions::SYNTAX_ERROR, &message, place);
    errors::raise_value(th, error)
}

/// What `text` may go on as, by `rlcompleter`, in the namespace of `__main__`.
pub fn complete(th: &mut Thread, text: &str) -> Vec<String> {
    completions(th, text).unwrap_or_else(|raised| {
        drop(errors::take(th, raised));
        Vec::new()
    })
}
fn completions(th: &mut Thread, text: &str) -> PyResult<Vec<String>> {
    let main = import::import_module(th, "__main__")?;
    let completer = import::import_module(th, "rlcompleter")?;
    let completer = attr::call_method(th, &completer, "Completer", &[module::dict(&main).into()])?;
    let mut found = Vec::new();
    for state in 0..500 {
        let next = attr::call_method(th, &completer, "complete", &[Value::str(text), Value::int(state)])?;
        match next.downcast_ref::<Str>() {
            Some(s) => found.push(s.to_string()),
            None => break,
        }
    }
    Ok(found)
}
