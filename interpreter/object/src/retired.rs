//! What readers without a lock may still look at: in multi mode it lives on until the world stops, in single mode it is
//! dropped at once, or after the collection that runs, which drops the contents of objects in any order.
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering::*};

use crate::header::multi;

/// Bytes that may wait before a stop of the world is asked for.
const CROWDED: usize = 64 << 20;
static WAITING: Mutex<Vec<Box<dyn Send>>> = Mutex::new(Vec::new());
static BYTES: AtomicUsize = AtomicUsize::new(0);

/// Drops `what`, of about `bytes` bytes, once no thread can be in the middle of reading it.
pub(crate) fn retire<T: Send + 'static>(what: T, bytes: usize) {
    if !multi() && !crate::gc::is_running() {
        return drop(what);
    }
    WAITING.lock().unwrap_or_else(|e| e.into_inner()).push(Box::new(what));
    if BYTES.fetch_add(bytes + size_of::<T>(), Relaxed) > CROWDED {
        crate::thread::flag(crate::thread::breaker::GC);
    }
}
/// Whether so much waits that the world should stop for it.
pub(crate) fn is_crowded() -> bool {
    BYTES.load(Relaxed) > CROWDED
}
/// Drops what waits. The world is stopped, or a collection in single mode ready.
pub(crate) fn release() {
    BYTES.store(0, Relaxed);
    let waiting = std::mem::take(&mut *WAITING.lock().unwrap_or_else(|e| e.into_inner()));
    drop(waiting);
}
