//! Encodings of the standard streams and the file system, and flushing at exit.
use krait_object::native::function;
use krait_object::{Dict, Method, Thread, Value};
use krait_runtime::errors;
use krait_runtime::protocol::{attr, compare};

pub static FUNCTIONS: &[Method] = &[
    function(
        "getdefaultencoding",
        "()",
        "Return the current default encoding used by the Unicode implementation.",
        |_, _| Ok(Value::str("utf-8")),
    ),
    function(
        "getfilesystemencoding",
        "()",
        "Return the encoding used to convert Unicode filenames to OS filenames.",
        |_, _| Ok(Value::str("utf-8")),
    ),
    function(
        "getfilesystemencodeerrors",
        "()",
        "Return the error mode used for Unicode to OS filename conversion.",
        |_, _| Ok(Value::str("surrogateescape")),
    ),
];

/// Flushes `sys.stdout` and `sys.stderr`. False: one could not be flushed; an error of stdout went to the unraisable hook.
pub fn flush_std_files(th: &mut Thread) -> bool {
    let Some(sys) = th.interp.sys.get().and_then(|s| s.downcast::<Dict>().ok()) else { return true };
    let mut good = true;
    for name in ["stdout", "stderr"] {
        let Some(file) = sys.get_text(name).filter(|f| !f.is_none()) else { continue };
        if is_closed(th, &file) {
            continue;
        }
        if let Err(raised) = attr::call_method(th, &file, "flush", &[]) {
            good = false;
            if name == "stdout" {
                errors::write_unraisable_message(th, Some("Exception ignored on flushing sys.stdout"), None);
            } else {
                drop(errors::take(th, raised));
            }
        }
    }
    good
}
fn is_closed(th: &mut Thread, file: &Value) -> bool {
    let closed = attr::get_text_opt(th, file, "closed").and_then(|c| match c {
        Some(c) => compare::truth(th, &c),
        None => Ok(false),
    });
    match closed {
        Ok(c) => c,
        Err(raised) => {
            drop(errors::take(th, raised));
            false
        }
    }
}
