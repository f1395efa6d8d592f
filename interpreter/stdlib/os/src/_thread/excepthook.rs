//! How an exception that ended a thread is shown.
use krait_object::{Args, PyResult, Thread, Tuple, Value};
use krait_platform::thread::ident;
use krait_runtime::errors::type_error;
use krait_runtime::exceptions::SYSTEM_EXIT;
use krait_runtime::exceptions::display::{self, Output};
use krait_runtime::protocol::{attr, repr};
use krait_runtime::types::structseq::StructSeqDef;

use crate::structs;

pub(super) static ARGS: StructSeqDef = StructSeqDef {
    module: "_thread",
    name: "_ExceptHookArgs",
    doc: "What threading.excepthook gets.",
    fields: &[
        ("exc_type", "Exception type"),
        ("exc_value", "Exception value"),
        ("exc_traceback", "Exception traceback"),
        ("thread", "Thread"),
    ],
    visible: 4,
    instantiable: true,
};

pub(super) fn excepthook(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let given = a.pos().first().cloned().unwrap_or(Value::NONE);
    if !given.is_exact(structs::class(th, &ARGS).object()) {
        return Err(type_error(th, "_thread.excepthook argument type must be ExceptHookArgs"));
    }
    let Some([class, value, traceback, thread]) =
        given.downcast_ref::<Tuple>().and_then(|t| <[Value; 4]>::try_from(t.to_vec()).ok())
    else {
        return Ok(Value::NONE);
    };
    if class.is(&SYSTEM_EXIT.to_value()) {
        return Ok(Value::NONE);
    }
    let out = match Output::stderr(th) {
        Some(out) => out,
        // What was sys.stderr when the thread was made.
        None if !thread.is_none() => match attr::get_text_opt(th, &thread, "_stderr")? {
            Some(f) if !f.is_none() => Output::File(f),
            _ => return Ok(Value::NONE),
        },
        None => return Ok(Value::NONE),
    };
    let mut name = ident().to_string();
    if !thread.is_none()
        && let Some(n) = attr::get_text_opt(th, &thread, "_name")?
    {
        name = repr::str(th, &n)?.to_string_lossy().into_owned();
    }
    out.text(th, &format!("Exception in thread {name}:\n"))?;
    display::excepthook_on(th, &out, &value, &traceback);
    out.flush(th);
    Ok(Value::NONE)
}
