//! Safe points: finalisers, signals, asynchronous exceptions, collections, switching the dispatch loop for tracing.
use krait_object::thread::breaker;
use krait_object::{PyResult, Raised, Thread};
use krait_runtime::{errors, safepoint};

use crate::frames::{publish, published};
use crate::regs::{Pc, Regs, S};
use crate::trace;
use crate::unwind::fail;

/// A value was dropped that may have left finalisers to run; the last thing that a handler does.
#[inline(always)]
pub fn after_drop(th: &mut Thread, pc: Pc, freed: bool) {
    if freed && th.has_pending() {
        run_pending(th, pc);
    }
}
#[cold]
#[inline(never)]
fn run_pending(th: &mut Thread, pc: Pc) {
    publish(th, pc);
    th.run_pending();
}

/// What is asked of the thread, in the order in which CPython handles it.
fn handle(th: &mut Thread) -> PyResult<()> {
    let wanted = th.breaker();
    if wanted & breaker::PENDING != 0 {
        th.run_pending();
    }
    if wanted & !(breaker::PENDING | breaker::TRACE | breaker::ASYNC) != 0 {
        safepoint::handle(th, wanted)?;
    }
    if wanted & breaker::ASYNC != 0 {
        th.clear_breaker(breaker::ASYNC);
        if let Some(exception) = th.vm.async_exc.take() {
            return Err(errors::raise_value(th, exception));
        }
    }
    Ok(())
}

/// A safe point in front of the instruction at `next`; `pc` is after the first word of the present one.
#[cold]
#[inline(never)]
pub fn safe_point(th: &mut Thread, pc: Pc, next: Pc, r: Regs) -> S {
    publish(th, pc);
    if let Err(raised) = handle(th) {
        return fail(th, raised, pc, r);
    }
    go_on(th, next, r)
}

/// Goes on at `next` in whichever loop is wanted now; the instruction that ran last is published.
#[inline]
pub fn go_on(th: &mut Thread, next: Pc, r: Regs) -> S {
    if trace::wanted(th) != th.vm.tracing.active {
        let done = published(th);
        return trace::switch(th, next, done, r);
    }
    S { pc: next, r }
}

/// After a native function returned: finalisers and the like, an exception of theirs.
#[cold]
#[inline(never)]
pub fn after_native(th: &mut Thread) -> Result<(), Raised> {
    handle(th)
}
