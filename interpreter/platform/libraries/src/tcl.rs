//! Tcl and Tk 8.6 behind safe functions. Values and interpreters belong to the thread that made them; what other threads
//! hold of them is a [`Home`].
mod api;
pub mod events;
mod interp;
mod object;

use std::any::Any;
use std::collections::HashMap;
use std::mem::ManuallyDrop;
use std::sync::Mutex;
use std::thread::ThreadId;

pub use interp::{Command, Interp, Owned, Scope};
pub use object::Obj;

/// Whether the system has Tcl 8.6 and Tk 8.6.
pub fn is_there() -> bool {
    api::api().is_some()
}
/// The version of both.
pub const VERSION: &str = "8.6";

/// Something that belongs to a thread, held anywhere: it is used, and dropped, on that thread only.
pub struct Home<T: 'static> {
    value: ManuallyDrop<Box<T>>,
    thread: ThreadId,
}
// SAFETY: the value is reached through `here` and dropped only on the thread that made it.
unsafe impl<T> Send for Home<T> {}
// SAFETY: as above.
unsafe impl<T> Sync for Home<T> {}

/// Kept until its thread drops it.
struct Left(#[expect(dead_code, reason = "only to be dropped")] Box<dyn Any>);
// SAFETY: taken out and dropped on the thread under whose name it was left.
unsafe impl Send for Left {}
static LEFT: Mutex<Option<HashMap<ThreadId, Vec<Left>>>> = Mutex::new(None);

impl<T> Home<T> {
    pub fn new(value: T) -> Home<T> {
        Home { value: ManuallyDrop::new(Box::new(value)), thread: std::thread::current().id() }
    }
    /// The value, on its thread.
    pub fn here(&self) -> Option<&T> {
        self.is_here().then_some(&**self.value)
    }
    pub fn is_here(&self) -> bool {
        std::thread::current().id() == self.thread
    }
}
impl<T> Drop for Home<T> {
    fn drop(&mut self) {
        // SAFETY: taken once, here.
        let value = unsafe { ManuallyDrop::take(&mut self.value) };
        if self.is_here() {
            drop(value);
        } else {
            let mut left = LEFT.lock().unwrap_or_else(|e| e.into_inner());
            left.get_or_insert_default().entry(self.thread).or_default().push(Left(value));
        }
    }
}
/// Drops what other threads left of the calling thread's.
fn sweep() {
    let mine = LEFT
        .lock()
        .unwrap_or_else(|e| e.into_inner())
        .as_mut()
        .and_then(|left| left.remove(&std::thread::current().id()));
    drop(mine);
}
