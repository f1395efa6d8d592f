//! Lines of an interactive session: edited on a terminal, with history and completion; plain prompts otherwise.
use std::io::IsTerminal;
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::{Builder, JoinHandle};

use krait_embed::Thread;
use krait_embed::interactive::{Line, LineReader, PlainReader, attach, complete, detach, plain_asked};
use rustyline::completion::Completer;
use rustyline::error::ReadlineError;
use rustyline::highlight::Highlighter;
use rustyline::hint::Hinter;
use rustyline::history::{History, MemHistory, SearchDirection};
use rustyline::validate::Validator;
use rustyline::{CompletionType, Config, Context, Editor, Helper};

/// Opens the reader that fits the standard streams.
pub fn open(th: &mut Thread) -> Box<dyn LineReader> {
    let terminal = std::io::stdin().is_terminal() && std::io::stdout().is_terminal();
    let edited = (terminal && !plain_asked(th)).then(Edited::new);
    match edited {
        Some(Ok(edited)) => Box::new(edited),
        _ => Box::new(PlainReader::default()),
    }
}

/// Lines kept, in memory and in the file.
const KEPT: usize = 10_000;

/// What the editing thread says.
enum Event {
    /// How may this text go on?
    Complete(String, Sender<Vec<String>>),
    Read(Line),
}
/// The editor lives on a thread of its own for the whole session, so that what is typed ahead is kept, and asks the Python
/// thread for completions.
struct Edited {
    prompts: Option<Sender<String>>,
    events: Receiver<Event>,
    thread: Option<JoinHandle<()>>,
    /// A forked child has no editing thread.
    process: u32,
}
impl Edited {
    fn new() -> std::io::Result<Edited> {
        let (prompts, asked) = channel();
        let (say, events) = channel();
        let thread = Builder::new().name("editor".into()).spawn(move || edit(&asked, &say))?;
        Ok(Edited { prompts: Some(prompts), events, thread: Some(thread), process: std::process::id() })
    }
    fn next(&self, th: &mut Thread) -> Line {
        loop {
            detach(th);
            let event = self.events.recv();
            attach(th);
            match event {
                Ok(Event::Read(line)) => return line,
                Ok(Event::Complete(text, reply)) => drop(reply.send(complete(th, &text))),
                Err(_) => return Line::End,
            }
        }
    }
}
impl LineReader for Edited {
    fn edits(&self) -> bool {
        true
    }
    fn read(&mut self, th: &mut Thread, prompt: &str) -> Line {
        let asked = self.prompts.as_ref().filter(|_| self.process == std::process::id());
        match asked.map(|p| p.send(prompt.to_owned())) {
            Some(Ok(())) => self.next(th),
            _ => PlainReader::default().read(th, prompt),
        }
    }
}
impl Drop for Edited {
    fn drop(&mut self) {
        // The thread ends when nobody can ask any more; it has the history to write.
        self.prompts = None;
        if let Some(thread) = self.thread.take().filter(|_| self.process == std::process::id()) {
            drop(thread.join());
        }
    }
}

/// The editing thread: a line for each prompt.
fn edit(asked: &Receiver<String>, say: &Sender<Event>) {
    let config = Config::builder().completion_type(CompletionType::List).tab_stop(4).build();
    let file = history_file();
    let mut history = MemHistory::new();
    // Neither of these fails for a history in memory.
    let _ = history.set_max_len(KEPT);
    let held = file.as_ref().and_then(|f| std::fs::read(f).ok()).unwrap_or_default();
    for line in String::from_utf8_lossy(&held).lines() {
        let _ = history.add(line);
    }
    let Ok(mut editor) = Editor::with_history(config, history) else { return };
    editor.set_helper(Some(Python { say: say.clone() }));
    for prompt in asked {
        let line = match editor.readline(&prompt) {
            Ok(mut text) => {
                if !text.trim().is_empty() {
                    let _ = editor.add_history_entry(&text);
                }
                text.push('\n');
                Line::Text(text.into_bytes())
            }
            Err(ReadlineError::Interrupted) => Line::Interrupted,
            Err(ReadlineError::Eof) => {
                eprintln!();
                Line::End
            }
            Err(_) => Line::End,
        };
        if say.send(Event::Read(line)).is_err() {
            break;
        }
    }
    let Some(file) = file else { return };
    let mut text = String::new();
    for i in 0..editor.history().len() {
        if let Ok(Some(found)) = editor.history().get(i, SearchDirection::Forward) {
            text.push_str(&found.entry);
            text.push('\n');
        }
    }
    // A history that cannot be kept is no error.
    drop(std::fs::write(file, text));
}
/// `PYTHON_HISTORY`, else `.python_history` in the home folder. One line of history a line, as CPython's.
fn history_file() -> Option<PathBuf> {
    let named = std::env::var_os("PYTHON_HISTORY").filter(|v| !v.is_empty()).map(PathBuf::from);
    named.or_else(|| Some(PathBuf::from(std::env::var_os("HOME")?).join(".python_history")))
}
/// Completion by Python; everything else is rustyline's.
struct Python {
    say: Sender<Event>,
}
impl Completer for Python {
    type Candidate = String;
    fn complete(&self, line: &str, at: usize, _: &Context<'_>) -> rustyline::Result<(usize, Vec<String>)> {
        const DELIMITERS: &str = " \t\n`~!@#$%^&*()-=+[{]}\\|;:'\",<>/?";
        let start = line[..at].rfind(|c| DELIMITERS.contains(c)).map_or(0, |i| i + 1);
        if line[..at].trim().is_empty() {
            return Ok((at, vec!["    ".to_owned()]));
        }
        let (reply, found) = channel();
        if self.say.send(Event::Complete(line[start..at].to_owned(), reply)).is_err() {
            return Ok((start, Vec::new()));
        }
        Ok((start, found.recv().unwrap_or_default()))
    }
}
impl Hinter for Python {
    type Hint = String;
}
impl Highlighter for Python {}
impl Validator for Python {}
impl Helper for Python {}
