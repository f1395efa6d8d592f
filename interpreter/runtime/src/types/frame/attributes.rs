//! Attributes and methods of frame objects.
use std::sync::atomic::Ordering::Relaxed;

use krait_object::native::{GetSet, Method, getset, getter, member, method};
use krait_object::{Args, PyResult, Ref, Thread, Value};

use super::{Frame, FrameState, proxy};
use crate::errors;
use crate::hooks;
use crate::protocol::number;
use crate::types::generator;

pub(super) static METHODS: &[Method] = &[
    method("clear", "()", "Lets go of the variables of a frame that was left.", clear),
    method("__sizeof__", "()", "Bytes of memory.", sizeof),
];

pub(super) static GETSET: &[GetSet] = &[
    GetSet {
        set: Some(set_trace_lines),
        ..member("f_trace_lines", "", |_, v| Ok(this(v).trace_lines.load(Relaxed).into()))
    },
    getter("f_back", "", |th, v| Ok(Frame::caller(th, &this_ref(v)).into())),
    getter("f_locals", "", f_locals),
    getset("f_lineno", "", f_lineno, set_lineno),
    getset("f_trace", "", |_, v| Ok(this(v).trace.get().into()), set_trace),
    getter("f_globals", "", |_, v| Ok(this(v).function.globals.to_value())),
    getter("f_builtins", "", |_, v| Ok(this(v).function.builtins.clone())),
    getter("f_code", "", |th, v| {
        crate::audit::audit_read(th, v, "f_code")?;
        Ok(this(v).code.to_value())
    }),
    getset("f_trace_opcodes", "", |_, v| Ok(this(v).trace_opcodes.load(Relaxed).into()), set_trace_opcodes),
    getter("f_lasti", "", |th, v| Ok((this(v).word(th) as i64 * 2).into())),
];

fn this(v: &Value) -> &Frame {
    v.downcast_ref().expect("the descriptor checked the class of self")
}
fn this_ref(v: &Value) -> Ref<Frame> {
    v.to_ref().expect("the descriptor checked the class of self")
}

pub(super) fn repr(th: &mut Thread, v: &Value) -> PyResult<Value> {
    let frame = this(v);
    let line = frame.lineno(th);
    let file = crate::protocol::repr::repr(th, frame.code.filename().as_value())?;
    let (file, name) = (file.to_string_lossy(), frame.code.name.to_string_lossy());
    Ok(format!("<frame at {:#x}, file {file}, line {line}, code {name}>", v.id()).into())
}

fn f_locals(th: &mut Thread, v: &Value) -> PyResult<Value> {
    match this(v).namespace.get() {
        Some(namespace) if !this(v).has_hidden(th) => Ok(namespace),
        _ => Ok(proxy::new(&this_ref(v))),
    }
}
fn f_lineno(th: &mut Thread, v: &Value) -> PyResult<Value> {
    let frame = this(v);
    let position = frame.code.bytecode().positions.at(frame.word(th));
    Ok(if position.has_line() { position.line.into() } else { Value::NONE })
}

fn set_bool(th: &mut Thread, cell: &std::sync::atomic::AtomicBool, new: Option<&Value>) -> PyResult<()> {
    match new.and_then(Value::as_bool) {
        Some(b) => {
            cell.store(b, Relaxed);
            Ok(())
        }
        None => Err(errors::type_error(th, "attribute value type must be bool")),
    }
}
fn set_trace_lines(th: &mut Thread, v: &Value, new: Option<&Value>) -> PyResult<()> {
    set_bool(th, &this(v).trace_lines, new)
}
fn set_trace_opcodes(th: &mut Thread, v: &Value, new: Option<&Value>) -> PyResult<()> {
    set_bool(th, &this(v).trace_opcodes, new)?;
    (hooks::vm().instrument)(th);
    Ok(())
}
fn set_trace(th: &mut Thread, v: &Value, new: Option<&Value>) -> PyResult<()> {
    this(v).trace.set(new.filter(|n| !n.is_none()).cloned());
    (hooks::vm().instrument)(th);
    Ok(())
}

fn set_lineno(th: &mut Thread, v: &Value, new: Option<&Value>) -> PyResult<()> {
    let Some(new) = new else { return Err(errors::attribute_error(th, "cannot delete attribute")) };
    if new.as_int_ref().is_none() {
        return Err(errors::value_error(th, "lineno must be an integer"));
    }
    let line = number::to_i64(th, new)?;
    let frame = this_ref(v);
    super::jump::jump_to_line(th, &frame, line)
}

fn clear(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let frame = a.this_ref::<Frame>();
    let problem = match &*frame.state.lock() {
        FrameState::Running { .. } => Some("cannot clear an executing frame"),
        FrameState::Suspended { started: true, .. } => Some("cannot clear a suspended frame"),
        _ => None,
    };
    if let Some(problem) = problem {
        return Err(errors::runtime_error(th, problem));
    }
    let unstarted = matches!(&*frame.state.lock(), FrameState::Suspended { .. });
    if unstarted && let Some(generator) = generator::owner_of(th, &frame) {
        generator::finalize::finalize(th, &generator);
    }
    let taken = match &mut *frame.state.lock() {
        FrameState::Suspended { registers, .. } | FrameState::Done { registers, .. } => std::mem::take(registers),
        FrameState::Running { .. } => Vec::new(),
    };
    drop(taken);
    frame.trace.set(None);
    frame.extra_locals.set(None);
    Ok(Value::NONE)
}
fn sizeof(_: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let frame = a.this::<Frame>();
    Ok((size_of::<Frame>() + frame.code.nregs as usize * 8).into())
}
