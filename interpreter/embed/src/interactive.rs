//! One interactive session: prompts, complete statements, the display hook. Reading lines is the caller's.
use krait_object::{Dict, Thread, Value};
use krait_runtime::hooks::{self, CompileRequest};
use krait_runtime::types::code::Code;
use krait_runtime::types::module;
use krait_runtime::{errors, exceptions, import};

use crate::command::report;

/// What became of the text fed so far.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// More lines are needed.
    Incomplete,
    Done,
    /// `SystemExit` with this status.
    Exit(i32),
}

pub struct Session;

/// `PyCF_DONT_IMPLY_DEDENT | PyCF_ALLOW_INCOMPLETE_INPUT`
const FLAGS: u32 = 0x4200;

impl Session {
    pub fn new(th: &mut Thread) -> Session {
        if let Some(sys) = th.interp.sys.get().and_then(|s| s.downcast::<Dict>().ok()) {
            for (name, text) in [("ps1", ">>> "), ("ps2", "... ")] {
                if sys.get_text(name).is_none() {
                    sys.set_text(name, text);
                }
            }
        }
        Session
    }
    /// `sys.ps1`, or `sys.ps2` within a statement.
    pub fn prompt(&self, th: &mut Thread, continued: bool) -> String {
        let sys = th.interp.sys.get().and_then(|s| s.downcast::<Dict>().ok());
        let held = sys.and_then(|s| s.get_text(if continued { "ps2" } else { "ps1" }));
        match held.map(|v| krait_runtime::protocol::repr::str(th, &v)) {
            Some(Ok(text)) => text.to_string(),
            Some(Err(raised)) => {
                drop(errors::take(th, raised));
                String::new()
            }
            None => String::new(),
        }
    }
    /// Runs the statement if it is complete.
    pub fn feed(&mut self, th: &mut Thread, text: &str) -> Outcome {
        if text.trim().is_empty() {
            return Outcome::Done;
        }
        let source = Value::str(text);
        let request = CompileRequest {
            source: &source,
            filename: "<stdin>",
            mode: "single",
            flags: FLAGS,
            optimize: -1,
            feature_version: -1,
        };
        let code = match hooks::compile(th, &request) {
            Ok(code) => code,
            Err(raised) => {
                if errors::in_flight(th, &exceptions::_INCOMPLETE_INPUT_ERROR) {
                    drop(errors::take(th, raised));
                    return Outcome::Incomplete;
                }
                report(th, raised);
                return Outcome::Done;
            }
        };
        let Some(code) = code.to_ref::<Code>() else { return Outcome::Done };
        let run = import::import_module(th, "__main__").and_then(|m| {
            let d = module::dict(&m);
            (hooks::vm().eval_code)(th, &code, &d, Some(d.as_value()), None, None)
        });
        match run {
            Ok(_) => Outcome::Done,
            Err(raised) => {
                let exit = errors::in_flight(th, &exceptions::SYSTEM_EXIT);
                let status = report(th, raised);
                if exit { Outcome::Exit(status) } else { Outcome::Done }
            }
        }
    }
}
