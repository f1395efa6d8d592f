//! `sys.settrace` and `sys.setprofile`: the events of the traced dispatch loop. A thread that traces runs
//! `dispatch::run::<true>`, which looks at every instruction before it runs; the other loop knows nothing of events.
//! CPython: `Python/legacy_tracing.c`.
use std::sync::atomic::Ordering::Relaxed;

use krait_bytecode::Op;
use krait_object::thread::breaker;
use krait_object::{PyResult, Raised, Ref, Thread, Tuple, Value};
use krait_runtime::protocol::call;
use krait_runtime::types::frame::Frame;
use krait_runtime::{errors, exceptions};

use crate::frames::{object_of, switch_pc};
use crate::regs::{Pc, Regs, S, word_index};
use crate::unwind::fail;

/// Where to go on after a switch of loops; `None` when a frame was left for native code.
pub fn switched(th: &mut Thread, s: S) -> Option<S> {
    if s.pc != switch_pc() {
        return None;
    }
    Some(S { pc: Pc(th.vm.switch_to.cast()), r: s.r })
}

/// Trace functions were set or removed: the loop is chosen at the next safe point.
pub fn instrument(th: &mut Thread) {
    let wanted = th.vm.tracing.trace.is_some() || th.vm.tracing.profile.is_some();
    if wanted {
        th.shared.breaker.fetch_or(breaker::TRACE, Relaxed);
    } else {
        th.clear_breaker(breaker::TRACE);
    }
}

/// Reports the events of the instruction at `s`; where to go on.
#[inline(never)]
pub fn before_instruction(th: &mut Thread, s: S) -> S {
    let w = s.pc.word();
    let op = Op::from_u8(w.op_byte());
    if op == Some(Op::HALT) || th.vm.tracing.inside > 0 {
        return s;
    }
    th.vm.pc = s.pc.0.cast();
    let word = word_index(s.r.code(), s.pc);
    let result = match op {
        Some(Op::RESUME) => call_event(th, s.r),
        _ => line_events(th, s.r, word),
    };
    if let Err(raised) = result {
        return fail(th, raised, s.pc.add(1), s.r);
    }
    if let Some(frame) = s.r.frame_object() {
        frame.traced_word.store(word, Relaxed);
    }
    if let Some(target) = th.vm.tracing.jump.take() {
        return jumped(th, s, word, target);
    }
    let value = match op {
        Some(Op::RETURN_VALUE) => s.r.get(w.a() as usize).clone(),
        Some(Op::RETURN_NONE) => Value::NONE,
        Some(Op::YIELD_VALUE) => s.r.get(w.b() as usize).clone(),
        _ => return s,
    };
    match return_event(th, s.r, value) {
        Ok(()) => match th.vm.tracing.jump.take() {
            Some(target) => jumped(th, s, word, target),
            None => s,
        },
        Err(raised) => fail(th, raised, s.pc.add(1), s.r),
    }
}
/// `f_lineno` was assigned to; the new place reports its line.
fn jumped(th: &mut Thread, s: S, word: u32, target: u32) -> S {
    let next = crate::jump::perform(th, s.r, word, target).unwrap_or(s);
    if let Some(frame) = s.r.frame_object() {
        frame.traced_word.store(u32::MAX, Relaxed);
    }
    if th.vm.tracing.inside == 0 { before_instruction(th, next) } else { next }
}

/// Runs `f` while events are not reported.
fn inside<R>(th: &mut Thread, f: impl FnOnce(&mut Thread) -> R) -> R {
    th.vm.tracing.inside += 1;
    let result = f(th);
    th.vm.tracing.inside -= 1;
    result
}
fn invoke(th: &mut Thread, function: &Value, frame: &Ref<Frame>, event: &'static str, arg: Value) -> PyResult<Value> {
    th.vm.tracing.event = event;
    let event: Value = krait_object::intern::intern(event).into();
    inside(th, |th| call::call(th, function, &[frame.to_value(), event, arg]))
}
/// Calls a trace function; what it answers becomes the frame's own. An error ends tracing.
fn trace(th: &mut Thread, function: &Value, frame: &Ref<Frame>, event: &'static str, arg: Value) -> PyResult<()> {
    match invoke(th, function, frame, event, arg) {
        Ok(next) => {
            if !next.is_none() {
                frame.trace.set(Some(next));
            }
            Ok(())
        }
        Err(raised) => {
            let old = th.vm.tracing.trace.take();
            instrument(th);
            frame.trace.set(None);
            drop(old);
            Err(raised)
        }
    }
}
fn profile(th: &mut Thread, frame: &Ref<Frame>, event: &'static str, arg: Value) -> PyResult<()> {
    let Some(function) = th.vm.tracing.profile.clone() else { return Ok(()) };
    match invoke(th, &function, frame, event, arg) {
        Ok(_) => Ok(()),
        Err(raised) => {
            let old = th.vm.tracing.profile.take();
            instrument(th);
            drop(old);
            Err(raised)
        }
    }
}

fn call_event(th: &mut Thread, r: Regs) -> PyResult<()> {
    let frame = object_of(r);
    frame.traced_word.store(0, Relaxed);
    if let Some(function) = th.vm.tracing.trace.clone() {
        trace(th, &function, &frame, "call", Value::NONE)?;
    }
    if th.vm.tracing.profile.is_some() {
        profile(th, &frame, "call", Value::NONE)?;
    }
    Ok(())
}

/// `line` where the line differs from that of the instruction before, or a loop went back; then `opcode`.
fn line_events(th: &mut Thread, r: Regs, word: u32) -> PyResult<()> {
    if th.vm.tracing.trace.is_none() {
        return Ok(());
    }
    let Some(frame) = r.header().opt(3).and_then(|v| v.to_ref::<Frame>()) else { return Ok(()) };
    let Some(function) = frame.trace.get() else { return Ok(()) };
    if frame.trace_lines.load(Relaxed) {
        let code = r.code();
        let line = code.line_of(word);
        let before = frame.traced_word.load(Relaxed);
        let entered = code.op_at(before) == Some(Op::RESUME);
        let changed = line != code.line_of(before) || entered || word <= before;
        if line != 0 && changed && starts_line(&frame, word, before) {
            trace(th, &function, &frame, "line", Value::NONE)?;
        }
    }
    if frame.trace_opcodes.load(Relaxed)
        && let Some(function) = frame.trace.get()
        && th.vm.tracing.jump.is_none()
    {
        trace(th, &function, &frame, "opcode", Value::NONE)?;
    }
    Ok(())
}
/// Whether an instruction is the first of a line's run, or is jumped back to.
fn starts_line(frame: &Frame, word: u32, before: u32) -> bool {
    let positions = &frame.code.bytecode.positions;
    let line = positions.at(word).line;
    word <= before || word == 0 || positions.at(word - 1).line != line || positions.at(before).line != line
}

fn return_event(th: &mut Thread, r: Regs, value: Value) -> PyResult<()> {
    let Some(frame) = r.header().opt(3).and_then(|v| v.to_ref::<Frame>()) else {
        if th.vm.tracing.profile.is_some() {
            let frame = object_of(r);
            return profile(th, &frame, "return", value);
        }
        return Ok(());
    };
    if th.vm.tracing.trace.is_some()
        && let Some(function) = frame.trace.get()
    {
        trace(th, &function, &frame, "return", value.clone())?;
    }
    profile(th, &frame, "return", value)
}

/// An exception was raised in, or passes through, a frame.
pub fn exception_event(th: &mut Thread, r: Regs) {
    if th.vm.tracing.inside > 0 || th.vm.tracing.trace.is_none() {
        return;
    }
    let frame = object_of(r);
    let (Some(function), Some(exception)) = (frame.trace.get(), th.exc.take()) else { return };
    let traceback = exceptions::base(&exception).and_then(|b| b.traceback.get());
    let arg = Tuple::new([exception.class_ref().into(), exception.clone(), traceback.into()]);
    if let Err(raised) = trace(th, &function, &frame, "exception", arg.into()) {
        let raised = errors::take(th, raised);
        th.exc = Some(raised);
        return;
    }
    th.exc = Some(exception);
}
/// A frame is left by an exception.
pub fn unwind_event(th: &mut Thread, r: Regs) {
    if th.vm.tracing.inside > 0 {
        return;
    }
    let exception = th.exc.take();
    if let Err(raised) = return_event(th, r, Value::NONE) {
        let raised = errors::take(th, raised);
        th.exc = Some(raised);
        return;
    }
    th.exc = exception;
}

/// `c_call`, and `c_return` or `c_exception` around a call of a native function, for profile functions.
pub fn native_call(
    th: &mut Thread,
    r: Regs,
    callable: &Value,
    f: impl FnOnce(&mut Thread) -> PyResult<Value>,
) -> PyResult<Value> {
    let native = callable.downcast_ref::<krait_runtime::types::native_function::NativeFunction>().is_some()
        || callable.is_exact(&krait_runtime::types::descriptor::METHOD_DESCRIPTOR);
    if !native || th.vm.tracing.inside > 0 || th.vm.tracing.profile.is_none() {
        return f(th);
    }
    let frame = object_of(r);
    profile(th, &frame, "c_call", callable.clone())?;
    match f(th) {
        Ok(value) => {
            profile(th, &frame, "c_return", callable.clone())?;
            Ok(value)
        }
        Err(raised) => {
            let exception = errors::take(th, raised);
            profile(th, &frame, "c_exception", callable.clone())?;
            Err(Raised::set(th, exception))
        }
    }
}
