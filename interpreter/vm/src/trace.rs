//! `sys.settrace`, `sys.setprofile` and `sys.monitoring`: the events of the traced dispatch loop.
use krait_object::Thread;
use krait_object::thread::breaker;
use std::sync::atomic::Ordering::Relaxed;

use krait_runtime::types::frame::Frame;

use crate::frames::switch_pc;
use crate::regs::{Pc, Regs, S};

/// What the traced loop does next.
pub enum Step {
    Go(S),
    /// Leave the dispatch loop.
    Leave(S),
}

/// Looks for events of the instruction at `s`.
pub fn before_instruction(_th: &mut Thread, s: S) -> Step {
    Step::Go(s)
}

/// Where to go on after a switch of loops; `None` when a frame was left for native code.
pub fn switched(th: &mut Thread, s: S) -> Option<S> {
    if s.pc != switch_pc() {
        return None;
    }
    Some(S { pc: Pc(th.vm.switch_to.cast()), r: s.r })
}

/// An exception was raised in, or passes through, a frame.
pub fn exception_event(_th: &mut Thread, _r: Regs, _own: bool) {}
/// A frame is left by an exception.
pub fn unwind_event(_th: &mut Thread, _r: Regs) {}

/// Trace functions or monitoring events were changed: choose the loop at the next safe point.
pub fn instrument(th: &mut Thread) {
    let wanted = th.vm.tracing.trace.is_some() || th.vm.tracing.profile.is_some();
    if wanted {
        th.shared.breaker.fetch_or(breaker::TRACE, Relaxed);
    } else {
        th.clear_breaker(breaker::TRACE);
    }
}

/// `f_lineno = …` in a trace function.
pub fn jump(_th: &mut Thread, _frame: &Frame, _word: u32) -> bool {
    false
}
