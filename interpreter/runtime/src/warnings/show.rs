//! Showing a warning: through `warnings._showwarnmsg`, or natively where that module is not loaded.
use krait_object::{PyResult, Str, Thread, Value};

use super::{Warning, module_attr};
use crate::errors::{runtime_error, type_error};
use crate::exceptions::display::{Output, source_line};
use crate::protocol::{attr, call};

pub(super) fn call(th: &mut Thread, w: &Warning<'_>, category: &Value, text: &Value, message: &Value) -> PyResult<()> {
    let source = w.source.filter(|s| !s.is_none());
    // Only the Python implementation can say where `source` was allocated.
    let Some(show) = module_attr(th, "_showwarnmsg", source.is_some())? else {
        if natively(th, w, category, text).is_err() {
            th.exc = None;
        }
        return Ok(());
    };
    if !call::is_callable(&show) {
        return Err(type_error(th, "warnings._showwarnmsg() must be set to a callable"));
    }
    let Some(class) = module_attr(th, "WarningMessage", false)? else {
        return Err(runtime_error(th, "unable to get warnings.WarningMessage"));
    };
    let args = [
        message.clone(),
        category.clone(),
        w.filename.clone(),
        Value::int(w.lineno),
        Value::NONE,
        Value::NONE,
        source.cloned().into(),
    ];
    let shown = call::call(th, &class, &args)?;
    call::call(th, &show, &[shown]).map(|_| ())
}

fn natively(th: &mut Thread, w: &Warning<'_>, category: &Value, text: &Value) -> PyResult<()> {
    let Some(out) = Output::stderr(th) else { return Ok(()) };
    let name = attr::get_text(th, category, "__name__")?;
    out.shown(th, w.filename)?;
    out.text(th, &format!(":{}: ", w.lineno))?;
    out.shown(th, &name)?;
    out.text(th, ": ")?;
    out.shown(th, text)?;
    out.text(th, "\n")?;
    if let Some(line) = w.source_line {
        out.shown(th, line)?;
        return out.text(th, "\n");
    }
    let file = w.filename.downcast_ref::<Str>().map(|s| s.to_string_lossy().into_owned()).unwrap_or_default();
    match source_line(&file, w.lineno) {
        Some(line) => out.text(th, &format!("  {}\n", line.trim_start_matches([' ', '\t', '\x0c']))),
        None => Ok(()),
    }
}
