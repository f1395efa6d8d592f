//! What the VM installs into the runtime's hooks table.
use krait_bytecode::opcodes::FRAME_HEADER;
use krait_object::{Args, PyResult, Ref, Thread, Value};
use krait_runtime::errors;
use krait_runtime::hooks::{VmHooks, install_vm};
use krait_runtime::types::frame::{Frame, FrameState};
use krait_runtime::types::function::Function;

use crate::bind::bind;
use crate::frames::{
    self, ENTRY_WORDS, at_depth, close_entry, count_call, enter, entry_return, entry_window, eval_code, finish_entry,
    object_of, running,
};
use crate::generators;
use crate::regs::Regs;
use crate::trace;

/// Makes the VM known to the runtime. Once per process, before the first code runs.
pub fn install() {
    install_vm(VmHooks {
        call_function,
        eval_code,
        resume_generator: generators::resume,
        feed_from_generator: generators::feed,
        on_stack: generators::on_stack,
        frame_at: |th, depth| at_depth(th, depth).map(object_of),
        threads: crate::crash::threads,
        trace_all: crate::crash::trace_all,
        frame_back,
        frame_read,
        frame_write,
        frame_word,
        frame_jump: crate::jump::request,
        current_globals: |th| running(th).map(|r| r.function().globals.clone()),
        current_builtins: |th| running(th).map(|r| r.function().builtins.clone()),
        instrument: trace::instrument,
        write_stacks: crate::crash::write_stacks,
        lines: crate::crash::lines,
    });
}

/// Calls a Python function from native code.
pub fn call_function(th: &mut Thread, callee: &Value, args: &Args<'_>) -> PyResult<Value> {
    let Some(function) = callee.to_ref::<Function>() else {
        return Err(errors::type_error(th, "not a function"));
    };
    th.check_native("")?;
    let code = function.code();
    let values = args.all();
    let e = entry_window(th, values.len() + code.nregs as usize)?;
    let window = e.up(3);
    window.put(0, function.to_value());
    let r = e.up(ENTRY_WORDS);
    for (i, v) in values.iter().enumerate() {
        r.put(i, v.clone());
    }
    let prepared = match bind(th, &function, &code, r, values.len(), args.names()) {
        Ok(()) if code.is_generator() => {
            let object = generators::create(th, window, &code);
            close_entry(th, e);
            return Ok(object);
        }
        Ok(()) => count_call(th),
        Err(raised) => Err(raised),
    };
    if let Err(raised) = prepared {
        window.clear(0, FRAME_HEADER + values.len().max(code.nargs as usize));
        close_entry(th, e);
        return Err(raised);
    }
    r.set_code(code.object());
    let s = enter(th, window, &function, &code, entry_return(), 0);
    finish_entry(th, e, s)
}

/// The registers of a frame that runs, if that is on this thread.
fn registers(th: &Thread, frame: &Frame) -> Option<Regs> {
    let FrameState::Running { base } = *frame.state.lock() else { return None };
    frames::at_base(th, base).or_else(|| crate::crash::at_base_on_others(th, base))
}
fn frame_back(th: &mut Thread, frame: &Ref<Frame>) -> Option<Ref<Frame>> {
    let r = registers(th, frame)?;
    frames::caller(r).map(|(below, _)| object_of(below))
}
fn frame_read(th: &mut Thread, frame: &Frame, register: usize) -> Option<Value> {
    let r = registers(th, frame)?;
    if register < r.code().nregs as usize { r.opt(register).cloned() } else { None }
}
fn frame_write(th: &mut Thread, frame: &Frame, register: usize, value: Option<Value>) -> Option<Value> {
    match registers(th, frame) {
        Some(r) if register < r.code().bytecode().first_temp() => r.replace(register, value),
        _ => value,
    }
}
fn frame_word(th: &mut Thread, frame: &Frame) -> u32 {
    match registers(th, frame) {
        Some(r) => frames::word_of(th, r),
        None => 0,
    }
}
