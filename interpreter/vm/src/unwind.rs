//! From a raised exception to its handler: the exception table, traceback entries, frames that are left on the way.
use krait_object::{Raised, Thread};
use krait_runtime::exceptions;
use krait_runtime::monitoring::Event;
use krait_runtime::types::traceback;

use crate::frames::{self, detach_object, entry_return, object_of, publish};
use crate::ops::call::end_special;
use crate::regs::{INIT_CALL, Pc, RESUMED, Regs, S, SPECIAL, pc_at, word_index};
use crate::safepoint::safe_point;
use crate::{generators, trace};

/// An instruction raised: `pc` is after its first word.
#[cold]
#[inline(never)]
pub fn fail(th: &mut Thread, _: Raised, pc: Pc, r: Regs) -> S {
    debug_assert!(th.exc.is_some(), "an instruction failed without an exception");
    publish(th, pc);
    unwind(th, pc, r, Event::Raise)
}

/// As [`fail`], without a traceback entry for the frame itself.
#[cold]
#[inline(never)]
pub fn reraise(th: &mut Thread, _: Raised, pc: Pc, r: Regs) -> S {
    debug_assert!(th.exc.is_some(), "a re-raise without an exception");
    publish(th, pc);
    unwind(th, pc, r, Event::Reraise)
}

fn unwind(th: &mut Thread, pc: Pc, r: Regs, event: Event) -> S {
    let (mut pc, mut r, mut event) = (pc, r, Some(event));
    loop {
        let code = r.code();
        let word = word_index(code, pc.back(1));
        if event == Some(Event::Raise) {
            add_traceback(th, r, word);
        }
        if trace::wanted(th)
            && let Some(event) = event
        {
            trace::exception_event(th, r, word, event);
        }
        if let Some(entry) = code.bytecode().handler_at(word) {
            let depth = entry.depth as usize;
            let freed = r.clear(depth, code.nregs as usize);
            th.vm.base = r.0;
            let next = pc_at(code, entry.handler);
            if code.line_of(word) != 0 {
                th.vm.tracing.raised = pc_at(code, trace::shown_word(th, r, word)).0.cast();
            }
            if trace::wanted(th) {
                th.vm.tracing.prev = pc.back(1).0.cast();
                publish(th, next.add(1));
                if !handled_event(th, r, entry.handler) {
                    (pc, event) = (next.add(1), None);
                    continue;
                }
            }
            if let Some(exception) = th.exc.take() {
                r.put(depth, exception);
            }
            publish(th, next.add(1));
            if freed && th.has_pending() {
                th.run_pending();
            }
            // Code that was stored elsewhere may have handlers that lead back to what raised, for ever.
            if entry.handler <= word && th.breaker() != 0 && !trace::wanted(th) {
                return safe_point(th, next.add(1), next, r);
            }
            return go_on(th, next, pc, r);
        }
        let shown = trace::shown_word(th, r, word);
        if trace::wanted(th) {
            publish(th, pc_at(code, shown).add(1));
            trace::exception_event(th, r, shown, Event::PyUnwind);
        }
        match leave(th, r, shown) {
            Leave::Frame(call, below) => (pc, r) = (call.add(1), below),
            Leave::Native(s) => return s,
        }
        publish(th, pc);
        event = Some(Event::Raise);
    }
}
/// Goes on at a handler in the loop that is wanted; `pc` is after the first word of what raised.
fn go_on(th: &mut Thread, next: Pc, pc: Pc, r: Regs) -> S {
    if trace::wanted(th) != th.vm.tracing.active {
        return trace::switch(th, next, pc.back(1), r);
    }
    S { pc: next, r }
}
/// False when a callback raised instead: the handler is left before it begins.
#[cold]
fn handled_event(th: &mut Thread, r: Regs, word: u32) -> bool {
    let before = th.exc.as_ref().map(|e| e.bits());
    trace::exception_event(th, r, word, Event::ExceptionHandled);
    th.exc.as_ref().map(|e| e.bits()) == before
}

enum Leave {
    /// The call's instruction and the frame it is in.
    Frame(Pc, Regs),
    Native(S),
}

/// Leaves a frame without a result.
fn leave(th: &mut Thread, r: Regs, word: u32) -> Leave {
    let (ret, flags) = r.return_pc();
    detach_object(r, word);
    r.clear(0, r.code().nregs as usize);
    if flags & RESUMED != 0 {
        let below = generators::abandon(th, r);
        return Leave::Frame(ret.back(1), below);
    }
    let header = r.header();
    header.kill(3);
    r.clear_header();
    th.depth -= 1;
    if flags & SPECIAL != 0 {
        let below = end_special(th, header);
        return Leave::Frame(ret.back(1), below);
    }
    let call = ret.back(2);
    let mut below = header.down(call.word().a() as usize);
    if flags & INIT_CALL != 0 {
        below = below.down(1);
        header.down(1).clear(0, 1);
    }
    if ret == entry_return() {
        return Leave::Native(S { pc: ret, r: below });
    }
    th.vm.base = below.0;
    Leave::Frame(call, below)
}

fn add_traceback(th: &mut Thread, r: Regs, word: u32) {
    let Some(exception) = th.exc.clone() else { return };
    let Some(base) = exceptions::base(&exception) else { return };
    let frame = object_of(r);
    let entry = traceback::Traceback::new(base.traceback.get(), frame.into(), word as i32 * 2, traceback::BY_PLACE);
    base.traceback.set(Some(entry.into()));
}

/// Raises where a suspended generator is: `pc` is after the first word of the instruction.
pub fn raise_at(th: &mut Thread, raised: Raised, pc: Pc, r: Regs) -> S {
    frames::publish(th, pc);
    fail(th, raised, pc, r)
}
