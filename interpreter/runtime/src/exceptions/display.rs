//! Exceptions shown to the user: the default `sys.excepthook`, and what calls the hook at the top level. The text comes
//! from the `traceback` module; where that cannot be had, it is written here. CPython: `Python/pythonrun.c`,
//! `Python/traceback.c`.
use std::collections::HashSet;
use std::io::Write;
use std::sync::atomic::Ordering::Relaxed;

use krait_object::{Dict, PyResult, Ref, Str, StrBuilder, Thread, Type, Value};

use super::{BaseException, BaseExceptionGroup, SYSTEM_EXIT, SyntaxError, base, is_exception};
use crate::audit::audit;
use crate::errors::take;
use crate::protocol::{attr, call, repr};
use crate::types::traceback::{self, Traceback};

/// Where text goes: `sys.stderr`, or the process's error stream where there is no such thing yet.
pub enum Output {
    File(Value),
    Native,
}
impl Output {
    /// `None`: `sys.stderr` is None, which means silence.
    pub fn stderr(th: &Thread) -> Option<Output> {
        match sys_get(th, "stderr") {
            Some(f) if f.is_none() => None,
            Some(f) => Some(Output::File(f)),
            None => Some(Output::Native),
        }
    }
    pub fn write(&self, th: &mut Thread, text: &Ref<Str>) -> PyResult<()> {
        match self {
            Output::File(f) => attr::call_method(th, f, "write", &[text.to_value()]).map(|_| ()),
            Output::Native => {
                let _ = std::io::stderr().write_all(text.to_string_lossy().as_bytes());
                Ok(())
            }
        }
    }
    pub fn text(&self, th: &mut Thread, text: &str) -> PyResult<()> {
        self.write(th, &Str::new(text))
    }
    pub fn shown(&self, th: &mut Thread, v: &Value) -> PyResult<()> {
        let s = repr::str(th, v)?;
        self.write(th, &s)
    }
    /// Errors are of no interest here.
    pub fn flush(&self, th: &mut Thread) {
        if let Output::File(f) = self
            && let Err(raised) = attr::call_method(th, f, "flush", &[])
        {
            drop(take(th, raised));
        }
    }
}

fn sys_dict(th: &Thread) -> Option<Ref<Dict>> {
    th.interp.sys.get().and_then(|s| s.downcast().ok())
}
fn sys_get(th: &Thread, name: &str) -> Option<Value> {
    sys_dict(th).and_then(|s| s.get_text(name))
}

/// Shows an uncaught exception as the top level does: `sys.last_exc` and its old forms, then `sys.excepthook`. The
/// caller has dealt with SystemExit.
pub fn print_uncaught(th: &mut Thread, exception: Value) {
    let class: Value = exception.class_ref().into();
    let traceback: Value = base(&exception).and_then(|b| b.traceback.get()).into();
    if let Some(sys) = sys_dict(th) {
        sys.set_text("last_exc", exception.clone());
        sys.set_text("last_type", class.clone());
        sys.set_text("last_value", exception.clone());
        sys.set_text("last_traceback", traceback.clone());
    }
    let Some(hook) = sys_get(th, "excepthook") else {
        if let (Some(out), Some(_)) = (Output::stderr(th), sys_dict(th)) {
            let _ = out.text(th, "sys.excepthook is missing\n").map_err(|r| drop(take(th, r)));
        }
        return show(th, &exception);
    };
    let args = [class, exception.clone(), traceback];
    let mut event = vec![hook.clone()];
    event.extend_from_slice(&args);
    if let Err(raised) = audit(th, "sys.excepthook", &event) {
        let e = take(th, raised);
        if !e.is_instance(&super::RUNTIME_ERROR) {
            super::unraisable::report(th, e, None, Some(&hook));
        }
        return;
    }
    if let Err(raised) = call::call(th, &hook, &args) {
        let second = take(th, raised);
        if second.is_instance(&SYSTEM_EXIT) {
            th.exc = Some(second);
            return;
        }
        if let Some(out) = Output::stderr(th) {
            let _ = out.text(th, "Error in sys.excepthook:\n").map_err(|r| drop(take(th, r)));
            show(th, &second);
            let _ = out.text(th, "\nOriginal exception was:\n").map_err(|r| drop(take(th, r)));
            show(th, &exception);
        }
    }
}

/// `sys.excepthook(type, value, traceback)` unless it is replaced.
pub fn excepthook(th: &mut Thread, value: &Value, traceback: &Value) {
    if let Some(out) = Output::stderr(th) {
        excepthook_on(th, &out, value, traceback);
    }
}
/// As [`excepthook`], where `sys.stderr` may be None.
pub fn excepthook_on(th: &mut Thread, out: &Output, value: &Value, traceback: &Value) {
    if let Some(b) = base(value)
        && traceback.is_exact(&traceback::TRACEBACK)
        && !b.traceback.is_set()
    {
        b.traceback.set(Some(traceback.clone()));
    }
    show_on(th, out, value);
}

/// Writes the text of an exception to `sys.stderr`.
pub fn show(th: &mut Thread, exception: &Value) {
    if let Some(out) = Output::stderr(th) {
        show_on(th, &out, exception);
    }
}
fn show_on(th: &mut Thread, out: &Output, exception: &Value) {
    if is_exception(exception) && matches!(out, Output::File(_)) {
        match print_by_module(th, exception) {
            Ok(()) => return out.flush(th),
            Err(raised) => drop(take(th, raised)),
        }
    }
    if let Err(raised) = print_natively(th, out, exception) {
        drop(take(th, raised));
    }
    out.flush(th);
}
fn print_by_module(th: &mut Thread, exception: &Value) -> PyResult<()> {
    let module = crate::import::import_module(th, "traceback")?;
    let print = attr::get_text(th, &module, "_print_exception_bltin")?;
    call::call(th, &print, std::slice::from_ref(exception)).map(|_| ())
}

const CAUSE: &str = "\nThe above exception was the direct cause of the following exception:\n\n";
const CONTEXT: &str = "\nDuring handling of the above exception, another exception occurred:\n\n";

fn print_natively(th: &mut Thread, out: &Output, exception: &Value) -> PyResult<()> {
    let Some(_) = base(exception) else {
        out.text(th, "TypeError: print_exception(): Exception expected for value, ")?;
        let class = exception.class().name();
        return out.text(th, &format!("{class} found\n"));
    };
    // From the oldest of the chain to the exception itself; an exception is shown once.
    let (mut chain, mut seen) = (Vec::new(), HashSet::new());
    let mut at = Some((exception.clone(), ""));
    while let Some((e, link)) = at {
        if !seen.insert(e.bits()) {
            break;
        }
        at = base(&e).and_then(|b| match (b.cause.get(), b.context.get()) {
            (Some(cause), _) => Some((cause, CAUSE)),
            (None, Some(context)) if !b.suppress_context.load(Relaxed) => Some((context, CONTEXT)),
            _ => None,
        });
        chain.push((e, link));
    }
    for (e, link) in chain.into_iter().rev() {
        print_one(th, out, &e, "")?;
        out.text(th, link)?;
    }
    Ok(())
}
fn print_one(th: &mut Thread, out: &Output, e: &Value, margin: &str) -> PyResult<()> {
    th.check_native(" in print_exception")?;
    let Some(b) = e.downcast_ref::<BaseException>() else { return Ok(()) };
    let group = e.downcast_ref::<BaseExceptionGroup>().and_then(|g| g.exceptions.get());
    let inner = if group.is_some() && margin.is_empty() { "  | ".to_owned() } else { margin.to_owned() };
    if let Some(tb) = b.traceback.get() {
        let corner = if margin.is_empty() { "  + " } else { margin };
        match group {
            Some(_) => out.text(th, &format!("{corner}Exception Group Traceback (most recent call last):\n"))?,
            None => out.text(th, &format!("{inner}Traceback (most recent call last):\n"))?,
        }
        print_frames(th, out, &tb, &inner)?;
    }
    print_place(th, out, e, &inner)?;
    print_message(th, out, e, &inner)?;
    print_notes(th, out, e, &inner)?;
    let Some(members) = group.and_then(|g| g.downcast::<krait_object::Tuple>().ok()) else { return Ok(()) };
    let indent = " ".repeat(inner.len() - 2);
    for (i, member) in members.iter().enumerate() {
        let corner = if i == 0 { "+-+" } else { "  +" };
        out.text(th, &format!("{indent}{corner}---------------- {} ----------------\n", i + 1))?;
        print_one(th, out, member, &format!("{indent}  | "))?;
    }
    out.text(th, &format!("{indent}  +------------------------------------\n"))
}

/// `module.Class`, the module left out for builtins and `__main__`.
pub(super) fn class_title(th: &mut Thread, class: &Ref<Type>) -> PyResult<Ref<Str>> {
    let module = attr::get_text_opt(th, class.as_value(), "__module__")?;
    let name = attr::get_text(th, class.as_value(), "__qualname__")?;
    let mut title = StrBuilder::new();
    match module.and_then(|m| m.downcast::<Str>().ok()) {
        None => title.push_text("<unknown>"),
        Some(m) if m.eq_str("builtins") || m.eq_str("__main__") => {}
        Some(m) => {
            title.push_str(&m);
            title.push(u32::from('.'));
        }
    }
    title.push_str(&*repr::str(th, &name)?);
    Ok(title.finish())
}
fn print_message(th: &mut Thread, out: &Output, e: &Value, margin: &str) -> PyResult<()> {
    let title = class_title(th, &e.class_ref())?;
    out.text(th, margin)?;
    out.write(th, &title)?;
    let shown = match e.downcast_ref::<SyntaxError>() {
        Some(s) if s.lineno.get().is_some_and(|l| !l.is_none()) => {
            let message: Value = s.msg.get().into();
            repr::str(th, &message)
        }
        _ => repr::str(th, e),
    };
    match shown {
        Err(raised) => {
            drop(take(th, raised));
            out.text(th, ": <exception str() failed>")?;
        }
        Ok(s) if s.is_empty() => {}
        Ok(s) => {
            out.text(th, ": ")?;
            out.write(th, &s)?;
        }
    }
    out.text(th, "\n")
}
/// Where a SyntaxError points.
fn print_place(th: &mut Thread, out: &Output, e: &Value, margin: &str) -> PyResult<()> {
    let Some(s) = e.downcast_ref::<SyntaxError>() else { return Ok(()) };
    let Some(line) = s.lineno.get().and_then(|l| l.as_int()) else { return Ok(()) };
    let file = match s.filename.get().filter(|f| !f.is_none()) {
        Some(f) => repr::str(th, &f)?,
        None => Str::new("<string>"),
    };
    out.text(th, &format!("{margin}  File \"{}\", line {line}\n", file.to_string_lossy()))?;
    let Some(text) = s.text.get().and_then(|t| t.downcast::<Str>().ok()) else { return Ok(()) };
    let text = text.to_string_lossy().into_owned();
    let first = text.split('\n').next().unwrap_or_default().trim_end();
    let body = first.trim_start_matches([' ', '\t', '\x0c']);
    let cut = first.chars().count() - body.chars().count();
    out.text(th, &format!("{margin}    {body}\n"))?;
    let place = |cell: &krait_object::ValueCell| cell.get().and_then(|v| v.as_int()).unwrap_or(-1);
    let start = place(&s.offset) - 1 - cut as i64;
    if start < 0 {
        return Ok(());
    }
    let last = body.chars().count() as i64;
    let end = match place(&s.end_lineno) {
        n if n == line => place(&s.end_offset) - 1 - cut as i64,
        n if n > line => last,
        _ => start + 1,
    };
    let start = start.min(last);
    let carets = (end - start).max(1);
    out.text(th, &format!("{margin}    {}{}\n", " ".repeat(start as usize), "^".repeat(carets as usize)))
}
fn print_notes(th: &mut Thread, out: &Output, e: &Value, margin: &str) -> PyResult<()> {
    let Some(notes) = attr::get_text_opt(th, e, "__notes__")?.filter(|n| !n.is_none()) else { return Ok(()) };
    let lines = match notes.downcast_ref::<krait_object::List>() {
        Some(list) => list.to_vec(),
        None => vec![repr::repr(th, &notes)?.into()],
    };
    for note in lines {
        let text = repr::str(th, &note)?;
        for line in text.to_string_lossy().split('\n') {
            out.text(th, &format!("{margin}{line}\n"))?;
        }
    }
    Ok(())
}

/// A traceback under its heading, each line behind `margin`.
pub fn print_traceback(th: &mut Thread, out: &Output, tb: &Value, margin: &str) -> PyResult<()> {
    out.text(th, &format!("{margin}Traceback (most recent call last):\n"))?;
    print_frames(th, out, tb, margin)
}
/// `sys.tracebacklimit`, 1000 unless set.
fn limit(th: &mut Thread) -> usize {
    match sys_get(th, "tracebacklimit").and_then(|l| l.as_int_ref().map(|i| (i.is_negative(), i.to_i64()))) {
        None => 1000,
        Some((true, _)) | Some((_, Some(0))) => 0,
        Some((_, n)) => n.map_or(usize::MAX, |n| n as usize),
    }
}
/// After this many equal entries the rest are counted.
const REPEATS: usize = 3;

fn print_frames(th: &mut Thread, out: &Output, tb: &Value, margin: &str) -> PyResult<()> {
    let limit = limit(th);
    let all = traceback::entries(Some(tb.clone()));
    let skip = all.len().saturating_sub(limit);
    let (mut last, mut count) = (None, 0usize);
    for tb in all.iter().skip(skip) {
        let line = tb.downcast_ref::<Traceback>().and_then(Traceback::line).unwrap_or(0);
        let entry = (traceback::filename_of(tb), line, traceback::function_of(tb));
        if last.as_ref() == Some(&entry) {
            count += 1;
        } else {
            print_repeats(th, out, count, margin)?;
            count = 1;
        }
        if count <= REPEATS {
            let (file, line, function) = &entry;
            out.text(th, &format!("{margin}  File \"{file}\", line {line}, in {function}\n"))?;
            if let Some(source) = source_line(file, *line) {
                out.text(th, &format!("{margin}    {source}\n"))?;
            }
        }
        last = Some(entry);
    }
    print_repeats(th, out, count, margin)
}
fn print_repeats(th: &mut Thread, out: &Output, count: usize, margin: &str) -> PyResult<()> {
    let Some(more) = count.checked_sub(REPEATS).filter(|&n| n > 0) else { return Ok(()) };
    let times = if more > 1 { "times" } else { "time" };
    out.text(th, &format!("{margin}  [Previous line repeated {more} more {times}]\n"))
}
/// A line of a source file without its indentation.
pub fn source_line(file: &str, line: i64) -> Option<String> {
    if file.starts_with('<') || line < 1 {
        return None;
    }
    let bytes = std::fs::read(file).ok()?;
    let line = bytes.split(|&b| b == b'\n').nth(line as usize - 1)?;
    let text = String::from_utf8_lossy(line);
    let text = text.trim_matches([' ', '\t', '\x0c', '\r', '\n']);
    if text.is_empty() { None } else { Some(text.to_owned()) }
}

/// Whether the exit code that SystemExit carries ends the process silently: `(code, message to print)`.
pub fn exit_status(th: &mut Thread, exception: &Value) -> (i32, Option<Ref<Str>>) {
    let code = exception.downcast_ref::<super::SystemExit>().and_then(|e| e.code.get()).unwrap_or(Value::NONE);
    if code.is_none() {
        return (0, None);
    }
    if let Some(i) = code.as_int_ref() {
        // As C's conversion to int: the low 32 bits; what does not fit a long is -1.
        return (i.to_i64().map_or(-1, |i| i as i32), None);
    }
    let shown = match repr::str(th, &code) {
        Ok(s) => Some(s),
        Err(raised) => {
            drop(take(th, raised));
            None
        }
    };
    (1, shown)
}
