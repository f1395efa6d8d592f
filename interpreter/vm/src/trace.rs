//! The events of the traced dispatch loop: where they happen. A thread that reports events runs `dispatch::run::<true>`,
//! which looks at every instruction before and after it runs; the other loop knows nothing of events. Who hears of them:
//! `monitor.rs`. CPython: the `INSTRUMENTED_*` instructions, `monitor_*` in `Python/ceval.c`.
use krait_bytecode::opcodes::{AT_RAISE, CALLS, JUMPS, Operand};
use krait_bytecode::{Op, Word};
use krait_object::heap::tracing;
use krait_object::thread::breaker;
use krait_object::{Args, PyResult, Thread, Value};
use krait_runtime::errors;
use krait_runtime::exceptions::{self, STOP_ITERATION};
use krait_runtime::monitoring::{self, Event};
use krait_runtime::types::traceback::Traceback;
use std::sync::atomic::Ordering::Relaxed;

use crate::frames::{self, entry_return, switch_pc};
use crate::monitor::{self, At};
use crate::regs::{Pc, RESUMED, Regs, S, word_index};
use crate::unwind::fail;

/// Value of `Tracing::prev` after a jump by `f_lineno`: the place jumped to reports no line.
const JUMPED: *const u64 = std::ptr::dangling::<u64>();

/// Whether this thread has events to report.
#[inline(always)]
pub fn wanted(th: &Thread) -> bool {
    th.breaker() & breaker::TRACE != 0
}

/// Where to go on after a switch of loops; `None` when a frame was left for native code.
pub fn switched(th: &mut Thread, s: S) -> Option<S> {
    if s.pc != switch_pc() {
        return None;
    }
    Some(S { pc: Pc(th.vm.switch_to.cast()), r: s.r })
}
/// Goes on at `next` in the other loop; `done` is the instruction that ran last.
#[cold]
pub fn switch(th: &mut Thread, next: Pc, done: Pc, r: Regs) -> S {
    th.vm.tracing.active = wanted(th);
    th.vm.tracing.prev = done.0.cast();
    th.vm.switch_to = next.0.cast();
    S { pc: switch_pc(), r }
}

/// Trace functions or the events of tools were changed: the loop is chosen at the next safe point.
pub fn instrument(th: &mut Thread) {
    let own = th.vm.tracing.trace.is_some() || th.vm.tracing.profile.is_some();
    if own || th.interp.monitors.any() || tracing::is_on() {
        th.shared.breaker.fetch_or(breaker::TRACE, Relaxed);
    } else {
        th.clear_breaker(breaker::TRACE);
    }
}
/// Another thread's tools may have been the reason for the traced loop, and gone.
fn still_wanted(th: &mut Thread) -> bool {
    let none = th.vm.tracing.trace.is_none() && th.vm.tracing.profile.is_none();
    if none && !th.interp.monitors.any() && !tracing::is_on() {
        th.clear_breaker(breaker::TRACE);
    }
    wanted(th)
}

/// Reports the events of the instruction at `s`; where to go on.
#[inline(never)]
pub fn before_instruction(th: &mut Thread, s: S) -> S {
    let w = s.pc.word();
    let Some(op) = Op::from_u8(w.op_byte()) else { return s };
    if op == Op::HALT || th.vm.tracing.inside > 0 {
        return s;
    }
    if !wanted(th) || (op == Op::RESUME && !still_wanted(th)) {
        return switch(th, s.pc, s.pc, s.r);
    }
    th.vm.pc = s.pc.0.cast();
    let prev = std::mem::replace(&mut th.vm.tracing.prev, s.pc.0.cast());
    let at = At::new(s.r, s.pc);
    let result =
        if op == Op::RESUME { monitor::entered(th, at, w.a() != 0) } else { step(th, at, op, Pc(prev.cast())) };
    if let Err(raised) = result {
        return fail(th, raised, s.pc.add(1), s.r);
    }
    if let Some(target) = th.vm.tracing.jump.take() {
        return jumped(th, s, at.word, target);
    }
    match own_events(th, at, op, w) {
        Ok(()) => match th.vm.tracing.jump.take() {
            Some(target) => jumped(th, s, at.word, target),
            None => s,
        },
        Err(raised) => fail(th, raised, s.pc.add(1), s.r),
    }
}
/// `f_lineno` was assigned to.
fn jumped(th: &mut Thread, s: S, word: u32, target: u32) -> S {
    let next = crate::jump::perform(th, s.r, word, target).unwrap_or(s);
    th.vm.tracing.prev = JUMPED;
    before_instruction(th, next)
}

/// The word of an instruction, if that is in the frame's code.
fn word_in(r: Regs, pc: Pc) -> Option<u32> {
    let stream = r.code().stream();
    let at = (pc.0 as usize).wrapping_sub(stream.as_ptr() as usize) / 8;
    if at < stream.len() { Some(at as u32) } else { None }
}

/// `line`, then `opcode`.
fn step(th: &mut Thread, at: At, op: Op, prev: Pc) -> PyResult<()> {
    let code = at.r.code();
    let line = code.line_of(at.word);
    if op == Op::FOR_ITER
        && let Some(from) = word_in(at.r, prev)
        && code.op_at(from) != Some(Op::JUMP_FORWARD)
        && from != at.word
    {
        monitor::jump(th, at.r, from, at.word, Event::Jump)?;
    }
    let hidden = matches!(op, Op::END_ASYNC_FOR | Op::MAKE_CELL);
    if line != 0 && !hidden && prev.0.cast() != JUMPED {
        match starts_line(at, line, prev) {
            Start::Line => monitor::line(th, at, line, true)?,
            Start::Turn => monitor::line(th, at, line, false)?,
            Start::None => {}
        }
    }
    if th.vm.tracing.jump.is_none() {
        monitor::instruction(th, at)?;
    }
    Ok(())
}
enum Start {
    None,
    Line,
    /// A loop on one line begins again: an event for trace functions, but none for tools.
    Turn,
}
fn starts_line(at: At, line: u32, prev: Pc) -> Start {
    let code = at.r.code();
    let Some(before) = word_in(at.r, prev) else { return Start::Line };
    if code.line_of(before) != line {
        return Start::Line;
    }
    let word = Word(code.bytecode().words[before as usize]);
    match code.op_at(before) {
        // What was thrown into `yield from` shows its line again.
        _ if code.op_at(at.word) == Some(Op::CLEANUP_THROW) => Start::Line,
        // After a resumption the rest of the line is not a new one.
        Some(Op::RESUME) if word.a() == 0 || before == 0 || code.line_of(before - 1) != line => Start::Line,
        // Cells are made before a frame's first line.
        Some(Op::MAKE_CELL) => Start::Line,
        Some(Op::RESUME | Op::JUMP_FORWARD | Op::SEND) | None => Start::None,
        Some(op) if at.word <= before && target(op, word, before) == Some(at.word) => Start::Turn,
        Some(_) => Start::None,
    }
}
/// Where an instruction at `word` may jump to.
fn target(op: Op, w: Word, word: u32) -> Option<u32> {
    let info = op.info();
    if info.flags & JUMPS == 0 {
        return None;
    }
    let wide = info.operands[2] == Operand::Wide;
    let offset = if wide { w.bc() as i32 as i64 } else { w.sc() as i64 };
    u32::try_from(word as i64 + 1 + offset).ok()
}

/// The event of the instruction itself: calls, returns.
fn own_events(th: &mut Thread, at: At, op: Op, w: Word) -> PyResult<()> {
    let (a, b) = (w.a() as usize, w.b() as usize);
    let value = match op {
        Op::RETURN_VALUE => at.r.get(a).clone(),
        Op::RETURN_NONE => Value::NONE,
        Op::YIELD_VALUE => at.r.get(b).clone(),
        Op::LOAD_SUPER_ATTR => {
            let class = if w.flags() & krait_bytecode::opcodes::ZERO_ARG != 0 { None } else { at.r.opt(b + 1) };
            return monitor::call(th, at, &at.r.get(b).clone(), class.cloned());
        }
        _ if op.info().flags & CALLS != 0 => {
            let first = match op {
                Op::CALL_FUNCTION_EX => {
                    at.r.opt(a + 4).and_then(|v| v.downcast_ref::<krait_object::Tuple>()?.first().cloned())
                }
                Op::CALL_METHOD | Op::CALL_METHOD_KW if at.r.is_bound(a + 4) => at.r.opt(a + 4).cloned(),
                Op::CALL_METHOD | Op::CALL_METHOD_KW if b > 0 => at.r.opt(a + 5).cloned(),
                Op::CALL | Op::CALL_KW if b > 0 => at.r.opt(a + 4).cloned(),
                _ => None,
            };
            return monitor::call(th, at, &at.r.get(a).clone(), first);
        }
        _ => return Ok(()),
    };
    let event = if op == Op::YIELD_VALUE { Event::PyYield } else { Event::PyReturn };
    monitor::left(th, at, event, value.clone())?;
    // The frame below goes on after its call.
    let (ret, flags) = at.r.return_pc();
    if ret != entry_return()
        && let Some((_, call)) = frames::caller(at.r)
    {
        th.vm.tracing.prev = call.0.cast();
    }
    if flags & RESUMED != 0 && op != Op::YIELD_VALUE {
        th.vm.tracing.returned = Some(value);
    }
    Ok(())
}

/// An instruction ran: jumps, and generators that returned to a loop.
#[inline(never)]
pub fn after_instruction(th: &mut Thread, next: S) -> S {
    let returned = th.vm.tracing.returned.take();
    // A frame that was left for native code may have taken its code with it: nothing of it is looked at.
    if th.vm.tracing.inside > 0 || th.vm.tracing.prev <= JUMPED || next.pc.word().op_byte() == Op::HALT as u8 {
        return next;
    }
    let done = Pc(th.vm.tracing.prev.cast());
    let w = done.word();
    let Some(op) = Op::from_u8(w.op_byte()).filter(|op| op.info().flags & JUMPS != 0) else { return next };
    let (Some(from), Some(to)) = (word_in(next.r, done), word_in(next.r, next.pc)) else { return next };
    let (jumps, falls) = (target(op, w, from) == Some(to), from + op.words() as u32 == to);
    if !jumps && !falls {
        return next;
    }
    if op == Op::JUMP_FORWARD && next.pc.word().op_byte() == Op::FOR_ITER as u8 {
        // The way into a loop, whose test stands at its end.
        return next;
    }
    let event = if matches!(op, Op::JUMP_FORWARD | Op::JUMP_BACKWARD) { Event::Jump } else { Event::Branch };
    frames::publish(th, done.add(1));
    let mut result = Ok(());
    if let Some(value) = returned
        && falls == (op == Op::FOR_ITER)
    {
        result = stop_iteration(th, At { r: next.r, word: from }, value);
    }
    if result.is_ok() && op != Op::SEND {
        result = monitor::jump(th, next.r, from, to, event);
    }
    match result {
        Ok(()) => next,
        Err(raised) => fail(th, raised, done.add(1), next.r),
    }
}
/// A generator ended in a loop or `yield from`, which shows no exception.
fn stop_iteration(th: &mut Thread, at: At, value: Value) -> PyResult<()> {
    if !monitor::hears_of_exceptions(th, at, Event::StopIteration) {
        return Ok(());
    }
    let raised = errors::stop_iteration(th, Some(value).filter(|v| !v.is_none()));
    let exception = errors::take(th, raised);
    monitor::exception(th, at, Event::StopIteration, &exception)
}

/// Reports an event about the exception in flight, which a callback's own replaces.
#[cold]
pub fn exception_event(th: &mut Thread, r: Regs, word: u32, event: Event) {
    if th.vm.tracing.inside > 0 {
        return;
    }
    let Some(exception) = th.exc.take() else { return };
    let at = At { r, word };
    let result = match event {
        Event::PyUnwind => monitor::unwound(th, at, &exception),
        Event::PyThrow => monitor::thrown(th, at, &exception),
        _ => monitor::exception(th, at, event, &exception),
    };
    th.exc = match result {
        Ok(()) => Some(exception),
        Err(raised) => Some(errors::take(th, raised)),
    };
}
/// Where a frame is that an exception leaves at `word`. A handler without a line of its own, which only cleans up and raises
/// again, shows where the exception came from.
pub fn shown_word(th: &Thread, r: Regs, word: u32) -> u32 {
    let at = Word(r.code().bytecode().words[word as usize]);
    if at.op_byte() == Op::RERAISE as u8 && at.flags() & AT_RAISE != 0 {
        return raised_word(th, r).unwrap_or(word);
    }
    if r.code().line_of(word) != 0 {
        return word;
    }
    word_in(r, Pc(th.vm.tracing.raised.cast())).unwrap_or(word)
}
/// Where the exception in flight was raised, if that was in the frame at `r`.
fn raised_word(th: &Thread, r: Regs) -> Option<u32> {
    let traceback = exceptions::base(th.exc.as_ref()?)?.traceback.get()?;
    let traceback = traceback.downcast_ref::<Traceback>()?;
    let frame = r.header().opt(3)?;
    traceback.frame.is(frame).then(|| traceback.lasti.load(Relaxed) as u32 / 2)
}
/// An iterator raised StopIteration, which ends the loop in the frame at `r`.
#[cold]
pub fn iteration_stopped(th: &mut Thread, r: Regs, pc: Pc) {
    let stop = th.exc.as_ref().is_some_and(|e| e.is_instance(&STOP_ITERATION));
    if stop {
        exception_event(th, r, word_index(r.code(), pc.back(1)), Event::Raise);
    }
}

/// Calls a native function from the frame at `r`, with the events of that.
pub fn native_call(
    th: &mut Thread,
    r: Regs,
    callable: &Value,
    first: Option<&Value>,
    f: impl FnOnce(&mut Thread) -> PyResult<Value>,
) -> PyResult<Value> {
    if th.vm.tracing.inside > 0 {
        return f(th);
    }
    let at = At { r, word: frames::word_of(th, r) };
    // Who was told of the call hears of its end; a call that switches events on has none.
    if th.vm.tracing.profile.is_none() && monitoring::tools_at(th, r.code(), at.word, Event::Call) == 0 {
        return f(th);
    }
    let result = f(th);
    if th.vm.tracing.inside > 0 || !wanted(th) {
        return result;
    }
    match result {
        Ok(value) => {
            monitor::native_returned(th, at, Event::CReturn, callable, first)?;
            Ok(value)
        }
        Err(raised) => {
            let exception = errors::take(th, raised);
            monitor::native_returned(th, at, Event::CRaise, callable, first)?;
            Err(krait_object::Raised::set(th, exception))
        }
    }
}
/// Whether the end of calls is reported to tools: then everything but a Python function is called natively.
pub fn reports_calls(th: &Thread, r: Regs) -> bool {
    th.vm.tracing.inside == 0 && monitoring::tools_at(th, r.code(), frames::word_of(th, r), Event::Call) != 0
}
/// As [`native_call`] with the arguments at hand.
pub fn native_call_args(th: &mut Thread, r: Regs, callable: &Value, args: &Args<'_>) -> PyResult<Value> {
    let first = args.all().first().cloned();
    native_call(th, r, callable, first.as_ref(), |th| krait_runtime::protocol::call::call_args(th, callable, args))
}

/// The traceback of an exception, or None.
pub fn traceback_of(exception: &Value) -> Value {
    exceptions::base(exception).and_then(|b| b.traceback.get()).into()
}
