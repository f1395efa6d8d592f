//! What other parts of the interpreter want done at safe points: signals, collections, stopping the world, limits. Each
//! registers a handler for its bit of `krait_object::thread::breaker`.
use std::sync::RwLock;

use krait_object::{PyResult, Thread};

/// Runs with the bit still set; clears it with `Thread::clear_breaker`.
pub type Handler = fn(&mut Thread) -> PyResult<()>;

static HANDLERS: RwLock<Vec<(u32, Handler)>> = RwLock::new(Vec::new());

/// Installs the handler of a breaker bit, once per process.
pub fn install(bit: u32, handler: Handler) {
    let mut all = HANDLERS.write().unwrap_or_else(|e| e.into_inner());
    if !all.iter().any(|(b, _)| *b == bit) {
        all.push((bit, handler));
    }
}

/// Runs the handlers of the bits that are set. A bit without a handler is cleared.
pub fn handle(th: &mut Thread, wanted: u32) -> PyResult<()> {
    use krait_object::thread::breaker::{ASYNC, PENDING, TRACE};
    let handlers: Vec<(u32, Handler)> = HANDLERS.read().unwrap_or_else(|e| e.into_inner()).clone();
    let mut rest = wanted & !(ASYNC | PENDING | TRACE);
    for (bit, handler) in handlers {
        if rest & bit != 0 {
            rest &= !bit;
            handler(th)?;
        }
    }
    if rest != 0 {
        th.clear_breaker(rest);
    }
    Ok(())
}
