//! SyntaxError: message, place, text.
use krait_object::{
    Args, ClassDef, PyResult, SlotDefs, Str, StrBuilder, Thread, Tuple, Value, builtin_types::STR, type_flag,
};

use super::SyntaxError;
use super::base::{init as base_init, object_member, payload};
use crate::errors::type_error;
use crate::protocol::{iter, repr};

pub static DEF: ClassDef = ClassDef {
    doc: "The source is not valid.",
    getset: &[
        object_member!(SyntaxError, msg, "exception msg"),
        object_member!(SyntaxError, filename, "exception filename"),
        object_member!(SyntaxError, lineno, "exception lineno"),
        object_member!(SyntaxError, offset, "exception offset"),
        object_member!(SyntaxError, text, "exception text"),
        object_member!(SyntaxError, end_lineno, "exception end lineno"),
        object_member!(SyntaxError, end_offset, "exception end offset"),
        object_member!(SyntaxError, print_file_and_line, "exception print_file_and_line"),
    ],
    slots: SlotDefs { init: Some(init), str: Some(str_slot), ..SlotDefs::EMPTY },
    flags: type_flag::BASE | type_flag::BASE_EXC_SUBCLASS,
    ..ClassDef::new(&super::SYNTAX_ERROR)
};

pub(super) fn init(th: &mut Thread, v: &Value, args: &Args<'_>) -> PyResult<()> {
    base_init(th, v, args)?;
    let (e, args) = (payload::<SyntaxError>(v), args.pos());
    if let Some(msg) = args.first() {
        e.msg.set(Some(msg.clone()));
    }
    let [_, details] = args else { return Ok(()) };
    let details = Tuple::from_vec(iter::collect(th, details)?);
    let n = details.len();
    if n < 4 {
        return Err(type_error(th, format!("function takes at least 4 arguments ({n} given)")));
    }
    if n > 6 {
        return Err(type_error(th, format!("function takes at most 6 arguments ({n} given)")));
    }
    let cells = [&e.filename, &e.lineno, &e.offset, &e.text, &e.end_lineno, &e.end_offset];
    for (i, cell) in cells.into_iter().enumerate() {
        cell.set(details.get(i).cloned());
    }
    if n == 5 {
        return Err(type_error(th, "end_offset must be provided when end_lineno is provided"));
    }
    Ok(())
}

/// The message, with the file's base name and the line as far as they are known.
fn str_slot(th: &mut Thread, v: &Value) -> PyResult<Value> {
    let e = payload::<SyntaxError>(v);
    let msg: Value = e.msg.get().into();
    let filename = e.filename.get().and_then(|f| f.downcast::<Str>().ok()).filter(|f| f.as_value().is_instance(&STR));
    let lineno = e.lineno.get().filter(|n| n.is_exact(&krait_object::builtin_types::INT));
    if filename.is_none() && lineno.is_none() {
        return Ok(repr::str(th, &msg)?.into());
    }
    let mut out = StrBuilder::new();
    out.push_str(&*repr::str(th, &msg)?);
    out.push_text(" (");
    if let Some(f) = &filename {
        let start = (0..f.len()).rev().find(|&i| f.get(i) == Some(u32::from('/'))).map_or(0, |i| i + 1);
        out.push_str(&f.slice(start, f.len()));
    }
    if let Some(n) = lineno {
        let n = n.as_int_ref().and_then(|i| i.to_i64()).unwrap_or(-1);
        out.push_text(&format!("{}line {n}", if filename.is_some() { ", " } else { "" }));
    }
    out.push(u32::from(')'));
    Ok(out.finish().into())
}
