//! Running code in another interpreter's `__main__`.
use std::sync::Arc;

use krait_object::{Dict, Interpreter, PyResult, Str, Thread, Value};
use krait_runtime::errors::{self, type_error, value_error};
use krait_runtime::hooks::{self, CompileRequest};
use krait_runtime::interpreters::{self, Failure, Running, crossing::Crossing};
use krait_runtime::types::code;
use krait_runtime::types::function::Function;

use super::main_namespace;

/// What is to run, in a form that belongs to no interpreter.
pub(crate) enum Code {
    Text(String),
    /// A marshalled code object.
    Stored(Vec<u8>),
}

const VARARGS: u32 = 4;
const VARKEYWORDS: u32 = 8;

impl Code {
    /// From a text, a function or a code object.
    pub(crate) fn of_any(th: &mut Thread, v: &Value) -> PyResult<Code> {
        match v.downcast_ref::<Str>() {
            Some(text) => Code::of_text(th, text),
            None => Code::of_code(th, v, "_interpreters.exec", "a string, a function, or a code object"),
        }
    }
    fn of_text(th: &mut Thread, text: &Str) -> PyResult<Code> {
        if text.is_empty() {
            return Err(value_error(th, "_interpreters.exec(): bad script text (too short)"));
        }
        let Some(utf8) = text.to_utf8() else {
            let text = krait_object::Str::from_points(&text.iter().collect::<Vec<u32>>());
            return Err(errors::surrogates_not_allowed(th, &text));
        };
        if utf8.contains('\0') {
            return Err(value_error(th, "source code string cannot contain null bytes"));
        }
        Ok(Code::Text(utf8.into_owned()))
    }
    /// From a function without arguments or closure, or its code object.
    pub(crate) fn of_code(th: &mut Thread, v: &Value, function: &str, expected: &str) -> PyResult<Code> {
        let (code, kind) = if let Some(f) = v.downcast_ref::<Function>() {
            if f.closure().is_some() {
                return Err(value_error(th, format!("{function}(): closures not supported")));
            }
            (f.code(), "func")
        } else if let Some(code) = v.to_ref::<code::Code>() {
            (code, "code object")
        } else {
            let class = v.class().name();
            return Err(type_error(th, format!("{function}() argument 2 must be {expected}, not {class}")));
        };
        let fault = if code.nargs > 0 || code.flags & (VARARGS | VARKEYWORDS) != 0 {
            Some("arguments not supported")
        } else if !code.cellvars().is_empty() || !code.freevars().is_empty() {
            Some("closures not supported")
        } else {
            None
        };
        if let Some(fault) = fault {
            return Err(value_error(th, format!("{function}(): bad {kind} ({fault})")));
        }
        crate::marshal::stored(th, code.as_value()).map(Code::Stored)
    }
    /// Runs it in the interpreter that runs.
    pub(crate) fn run(&self, th: &mut Thread) -> PyResult<()> {
        let code = match self {
            Code::Text(text) => {
                let source = Value::str(text);
                let request = CompileRequest {
                    source: &source,
                    filename: "<string>",
                    mode: "exec",
                    flags: 0,
                    optimize: -1,
                    feature_version: -1,
                };
                hooks::compile(th, &request)?
            }
            Code::Stored(bytes) => crate::marshal::restored(th, bytes)?,
        };
        let Some(code) = code.to_ref::<code::Code>() else {
            return Err(errors::runtime_error(th, "no code object was made"));
        };
        let names = main_namespace(th)?;
        (hooks::vm().eval_code)(th, &code, &names, Some(names.as_value()), None, None).map(|_| ())
    }
}

/// Names with values on their way.
struct Names(Vec<(String, Crossing)>);
impl Names {
    fn leave(th: &mut Thread, v: Option<&Value>) -> PyResult<Names> {
        let Some(v) = v.filter(|v| !v.is_none()) else { return Ok(Names(Vec::new())) };
        let Some(d) = v.downcast_exact::<Dict>() else { return Err(type_error(th, "expected a dict")) };
        let mut names = Vec::new();
        for (k, v) in d.items() {
            let Some(name) = k.downcast_ref::<Str>() else {
                let class = k.class().name();
                return Err(type_error(th, format!("bad argument type for built-in operation: {class}")));
            };
            names.push((name.to_string_lossy().into_owned(), Crossing::leave(th, &v)?));
        }
        Ok(Names(names))
    }
    fn arrive(&self, th: &mut Thread) -> PyResult<()> {
        let main = main_namespace(th)?;
        for (name, value) in &self.0 {
            let value = value.arrive(th)?;
            main.set_text(name, value);
        }
        Ok(())
    }
}

enum Ended {
    Well,
    /// Somebody else runs the interpreter.
    Busy,
    /// The names could not be bound.
    Unbound(Failure),
    Failed(Failure),
}

/// None, or a snapshot of the exception that ended the code.
pub(super) fn exec(th: &mut Thread, interp: &Arc<Interpreter>, code: &Code, shared: Option<&Value>) -> PyResult<Value> {
    let names = Names::leave(th, shared)?;
    match session(th, interp, &names, Some(code))? {
        Some(failure) => Ok(failure.to_value()),
        None => Ok(Value::NONE),
    }
}
/// Binds the names only.
pub(super) fn bind(th: &mut Thread, interp: &Arc<Interpreter>, shared: &Value) -> PyResult<()> {
    let names = Names::leave(th, Some(shared))?;
    session(th, interp, &names, None).map(|_| ())
}
fn session(
    th: &mut Thread,
    interp: &Arc<Interpreter>,
    names: &Names,
    code: Option<&Code>,
) -> PyResult<Option<Failure>> {
    let ended = interpreters::within(th, interp, |th| {
        let Some(_running) = Running::claim(th) else { return Ended::Busy };
        if let Err(raised) = names.arrive(th) {
            return Ended::Unbound(Failure::take(th, raised));
        }
        match code.map_or(Ok(()), |c| c.run(th)) {
            Ok(()) => Ended::Well,
            Err(raised) => Ended::Failed(Failure::take(th, raised)),
        }
    });
    match ended {
        Ended::Well => Ok(None),
        Ended::Busy => Err(interpreters::error(th, "interpreter already running")),
        Ended::Unbound(failure) => {
            let _raised = errors::runtime_error(th, "failed to apply namespace to __main__");
            let text = failure.formatted().unwrap_or_default();
            let cause = krait_runtime::exceptions::new_exception(&krait_runtime::exceptions::RUNTIME_ERROR, &text);
            if let Some(base) = th.exc.as_ref().and_then(krait_runtime::exceptions::base) {
                base.context.set(Some(cause));
            }
            Err(_raised)
        }
        Ended::Failed(failure) => Ok(Some(failure)),
    }
}
/// Runs code in an interpreter beside whatever else runs there; an exception is shown on its standard error. False: one
/// ended the code. `None`: `main`, and somebody runs `__main__` already.
pub(crate) fn run_simply(th: &mut Thread, interp: &Arc<Interpreter>, text: &str, main: bool) -> Option<bool> {
    let code = Code::Text(text.to_owned());
    interpreters::within(th, interp, |th| {
        let claimed = main.then(|| Running::claim(th));
        if matches!(claimed, Some(None)) {
            return None;
        }
        Some(match code.run(th) {
            Ok(()) => true,
            Err(raised) => {
                let exception = errors::take(th, raised);
                krait_runtime::exceptions::display::print_uncaught(th, exception);
                false
            }
        })
    })
}
