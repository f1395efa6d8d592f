//! From a raised exception to its handler: the exception table, traceback entries, frames that are left on the way.
use krait_object::{Raised, Thread};
use krait_runtime::exceptions;
use krait_runtime::types::traceback;

use crate::frames::{self, detach_object, entry_return, object_of, publish};
use crate::regs::{INIT_CALL, Pc, RESUMED, Regs, S, pc_at, word_index};
use crate::{generators, trace};

/// An instruction raised: `pc` is after its first word.
#[cold]
#[inline(never)]
pub fn fail(th: &mut Thread, _: Raised, pc: Pc, r: Regs) -> S {
    debug_assert!(th.exc.is_some(), "an instruction failed without an exception");
    publish(th, pc);
    unwind(th, pc, r, true)
}

/// As [`fail`], without a traceback entry for the frame itself.
#[cold]
#[inline(never)]
pub fn reraise(th: &mut Thread, _: Raised, pc: Pc, r: Regs) -> S {
    debug_assert!(th.exc.is_some(), "a re-raise without an exception");
    publish(th, pc);
    unwind(th, pc, r, false)
}

fn unwind(th: &mut Thread, pc: Pc, r: Regs, add_entry: bool) -> S {
    let (mut pc, mut r, mut add_entry) = (pc, r, add_entry);
    loop {
        let code = r.code();
        let word = word_index(code, pc.back(1));
        if add_entry {
            add_traceback(th, r, word);
        }
        if add_entry && th.vm.tracing.active {
            trace::exception_event(th, r);
        }
        if let Some(entry) = code.bytecode.handler_at(word) {
            let depth = entry.depth as usize;
            let freed = r.clear(depth, code.nregs as usize);
            if let Some(exception) = th.exc.take() {
                r.put(depth, exception);
            }
            th.vm.base = r.0;
            let next = pc_at(code, entry.handler);
            publish(th, next.add(1));
            if freed && th.has_pending() {
                th.run_pending();
            }
            return S { pc: next, r };
        }
        if th.vm.tracing.active {
            trace::unwind_event(th, r);
        }
        match leave(th, r, word) {
            Leave::Frame(call, below) => (pc, r) = (call.add(1), below),
            Leave::Native(s) => return s,
        }
        publish(th, pc);
        add_entry = true;
    }
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
    header.clear(0, 4);
    th.depth -= 1;
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
    let line = frame.code.line_of(word);
    let entry = traceback::Traceback::new(base.traceback.get(), frame.into(), word as i32 * 2, line as i32);
    base.traceback.set(Some(entry.into()));
}

/// Raises where a suspended generator is: `pc` is after the first word of the instruction.
pub fn raise_at(th: &mut Thread, raised: Raised, pc: Pc, r: Regs) -> S {
    frames::publish(th, pc);
    fail(th, raised, pc, r)
}
