//! The thread's state lent to the callbacks of a foreign library for the time of one call: such a library calls back with
//! pointers of its own only, and what runs Python code needs the state.
use std::cell::Cell;

use super::Thread;

thread_local! {
    static LENT: Cell<*mut Thread> = const { Cell::new(std::ptr::null_mut()) };
}
/// Puts back what was lent before, also when a panic passes.
struct Restore(*mut Thread);
impl Drop for Restore {
    fn drop(&mut self) {
        LENT.set(self.0);
    }
}

/// Runs `f`, within which [`borrow`] gives the state out on this OS thread.
pub fn lend<R>(th: &mut Thread, f: impl FnOnce() -> R) -> R {
    let _restore = Restore(LENT.replace(th));
    f()
}
/// Runs `f` on what the innermost [`lend`] of this OS thread lends; `None` if there is none or it is given out already.
pub fn borrow<R>(f: impl FnOnce(&mut Thread) -> R) -> Option<R> {
    let lent = LENT.replace(std::ptr::null_mut());
    let _restore = Restore(lent);
    // SAFETY: `lend` holds the exclusive reference until it has taken the pointer back, and taking it out of `LENT` makes
    // this the only use of it.
    unsafe { lent.as_mut() }.map(f)
}
