//! Who hears of events: the thread's trace function, its profile function, and the tools of `sys.monitoring`, in this
//! order. Each may raise; the others then hear nothing. CPython: `Python/legacy_tracing.c`, `call_instrumentation_vector`.
use std::sync::atomic::Ordering::Relaxed;

use krait_object::{PyResult, Ref, Thread, Tuple, Value};
use krait_runtime::monitoring::{self, Event};
use krait_runtime::protocol::call;
use krait_runtime::types::descriptor::METHOD_DESCRIPTOR;
use krait_runtime::types::frame::Frame;
use krait_runtime::types::method::Method;
use krait_runtime::types::native_function::NativeFunction;

use crate::frames::object_of;
use crate::regs::{Pc, Regs, word_index};
use crate::trace::{instrument, traceback_of};

/// Where an event happens.
#[derive(Clone, Copy)]
pub struct At {
    pub r: Regs,
    pub word: u32,
}
impl At {
    pub fn new(r: Regs, pc: Pc) -> At {
        At { r, word: word_index(r.code(), pc) }
    }
    fn offset(self) -> Value {
        Value::int(self.word as i64 * 2)
    }
}

/// Runs `f` while events are not reported and `event` counts as the one in progress.
fn inside<R>(th: &mut Thread, event: Event, f: impl FnOnce(&mut Thread) -> R) -> R {
    th.vm.tracing.inside += 1;
    let before = th.vm.tracing.event.replace(event as u8);
    let result = f(th);
    th.vm.tracing.event = before;
    th.vm.tracing.inside -= 1;
    result
}

// ---- trace and profile functions

fn invoke(
    th: &mut Thread,
    function: &Value,
    frame: &Ref<Frame>,
    event: Event,
    name: &'static str,
    arg: Value,
) -> PyResult<Value> {
    let name: Value = krait_object::intern::intern(name).into();
    inside(th, event, |th| call::call(th, function, &[frame.to_value(), name, arg]))
}
/// Calls a trace function; what it answers becomes the frame's own. An error ends tracing.
fn trace_with(
    th: &mut Thread,
    function: &Value,
    frame: &Ref<Frame>,
    event: Event,
    name: &'static str,
    arg: Value,
) -> PyResult<()> {
    match invoke(th, function, frame, event, name, arg) {
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
/// The frame object of a frame that has a trace function of its own.
fn traced_frame(th: &Thread, r: Regs) -> Option<(Ref<Frame>, Value)> {
    th.vm.tracing.trace.as_ref()?;
    let frame = r.header().opt(3)?.to_ref::<Frame>()?;
    let function = frame.trace.get()?;
    Some((frame, function))
}
fn trace(th: &mut Thread, r: Regs, event: Event, name: &'static str, arg: Value) -> PyResult<()> {
    match traced_frame(th, r) {
        Some((frame, function)) => trace_with(th, &function, &frame, event, name, arg),
        None => Ok(()),
    }
}
fn profile(th: &mut Thread, r: Regs, event: Event, name: &'static str, arg: Value) -> PyResult<()> {
    let Some(function) = th.vm.tracing.profile.clone() else { return Ok(()) };
    match invoke(th, &function, &object_of(r), event, name, arg) {
        Ok(_) => Ok(()),
        Err(raised) => {
            let old = th.vm.tracing.profile.take();
            instrument(th);
            drop(old);
            Err(raised)
        }
    }
}
/// What profile functions see of a callable: native functions, and methods of native types bound to the first argument.
fn profiled(th: &mut Thread, callable: &Value, first: Option<&Value>) -> PyResult<Option<Value>> {
    let is_native = |v: &Value| v.downcast_ref::<NativeFunction>().is_some();
    if is_native(callable) {
        return Ok(Some(callable.clone()));
    }
    if let Some(method) = callable.downcast_exact::<Method>() {
        return Ok(Some(method.function.clone()).filter(is_native));
    }
    if callable.is_exact(&METHOD_DESCRIPTOR)
        && let Some(first) = first
        && let Some(get) = callable.class().slots.descr_get.get()
    {
        return get(th, callable, Some(first), Some(first.class_ref().as_value())).map(Some);
    }
    Ok(None)
}

// ---- tools

/// Calls the callbacks of the tools that want the event; `rest` follows the code object.
fn report(th: &mut Thread, at: At, event: Event, rest: &[Value]) -> PyResult<()> {
    let mut tools = monitoring::tools_at(th, at.r.code(), at.word, event);
    if tools == 0 {
        return Ok(());
    }
    let code = at.r.code_ref();
    let mut args = vec![code.to_value()];
    args.extend_from_slice(rest);
    while tools != 0 {
        let tool = 7 - tools.leading_zeros() as usize;
        tools &= !(1 << tool);
        let Some(callback) = monitoring::callback(th, tool, event) else { continue };
        let answer = inside(th, event, |th| call::call(th, &callback, &args))?;
        if answer.is(&monitoring::markers(th).0) {
            monitoring::disable(th, &code, at.word, event, tool)?;
        }
    }
    Ok(())
}
fn tools_want(th: &Thread, at: At, event: Event) -> bool {
    monitoring::tools_at(th, at.r.code(), at.word, event) != 0
}

// ---- events

pub fn entered(th: &mut Thread, at: At, resumed: bool) -> PyResult<()> {
    let event = if resumed { Event::PyResume } else { Event::PyStart };
    called(th, at.r, event)?;
    report(th, at, event, &[at.offset()])
}
fn called(th: &mut Thread, r: Regs, event: Event) -> PyResult<()> {
    if let Some(function) = th.vm.tracing.trace.clone() {
        trace_with(th, &function, &object_of(r), event, "call", Value::NONE)?;
    }
    profile(th, r, event, "call", Value::NONE)
}
pub fn left(th: &mut Thread, at: At, event: Event, value: Value) -> PyResult<()> {
    trace(th, at.r, event, "return", value.clone())?;
    profile(th, at.r, event, "return", value.clone())?;
    report(th, at, event, &[at.offset(), value])
}
pub fn unwound(th: &mut Thread, at: At, exception: &Value) -> PyResult<()> {
    trace(th, at.r, Event::PyUnwind, "return", Value::NONE)?;
    profile(th, at.r, Event::PyUnwind, "return", Value::NONE)?;
    report(th, at, Event::PyUnwind, &[at.offset(), exception.clone()])
}
pub fn thrown(th: &mut Thread, at: At, exception: &Value) -> PyResult<()> {
    called(th, at.r, Event::PyThrow)?;
    report(th, at, Event::PyThrow, &[at.offset(), exception.clone()])
}
/// A new line; not `fresh`: the same again, for trace functions only.
pub fn line(th: &mut Thread, at: At, line: u32, fresh: bool) -> PyResult<()> {
    if let Some((frame, function)) = traced_frame(th, at.r)
        && frame.trace_lines.load(Relaxed)
    {
        trace_with(th, &function, &frame, Event::Line, "line", Value::NONE)?;
    }
    if fresh { report(th, at, Event::Line, &[Value::int(line as i64)]) } else { Ok(()) }
}
pub fn instruction(th: &mut Thread, at: At) -> PyResult<()> {
    if let Some((frame, function)) = traced_frame(th, at.r)
        && frame.trace_opcodes.load(Relaxed)
    {
        trace_with(th, &function, &frame, Event::Instruction, "opcode", Value::NONE)?;
    }
    report(th, at, Event::Instruction, &[at.offset()])
}
pub fn jump(th: &mut Thread, r: Regs, from: u32, to: u32, event: Event) -> PyResult<()> {
    let at = At { r, word: from };
    report(th, at, event, &[at.offset(), Value::int(to as i64 * 2)])
}
pub fn hears_of_exceptions(th: &Thread, at: At, event: Event) -> bool {
    traced_frame(th, at.r).is_some() || tools_want(th, at, event)
}
/// Raised, raised again, handled, or the hidden end of an iteration.
pub fn exception(th: &mut Thread, at: At, event: Event, exception: &Value) -> PyResult<()> {
    if matches!(event, Event::Raise | Event::StopIteration) && traced_frame(th, at.r).is_some() {
        let arg = Tuple::of([exception.class_ref().into(), exception.clone(), traceback_of(exception)]);
        trace(th, at.r, event, "exception", arg.into())?;
    }
    report(th, at, event, &[at.offset(), exception.clone()])
}
pub fn call(th: &mut Thread, at: At, callable: &Value, first: Option<Value>) -> PyResult<()> {
    if th.vm.tracing.profile.is_some()
        && let Some(function) = profiled(th, callable, first.as_ref())?
    {
        profile(th, at.r, Event::Call, "c_call", function)?;
    }
    if !tools_want(th, at, Event::Call) {
        return Ok(());
    }
    let first = first.unwrap_or_else(|| monitoring::missing(th));
    report(th, at, Event::Call, &[at.offset(), callable.clone(), first])
}
/// `C_RETURN` or `C_RAISE`.
pub fn native_returned(th: &mut Thread, at: At, event: Event, callable: &Value, first: Option<&Value>) -> PyResult<()> {
    if th.vm.tracing.profile.is_some()
        && let Some(function) = profiled(th, callable, first)?
    {
        let name = if event == Event::CReturn { "c_return" } else { "c_exception" };
        profile(th, at.r, event, name, function)?;
    }
    if !tools_want(th, at, event) {
        return Ok(());
    }
    let (callable, first) = match callable.downcast_exact::<Method>() {
        Some(method) => (method.function.clone(), Some(method.instance.clone())),
        None => (callable.clone(), first.cloned()),
    };
    let first = first.unwrap_or_else(|| monitoring::missing(th));
    report(th, at, event, &[at.offset(), callable, first])
}
