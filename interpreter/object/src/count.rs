//! Reference counts that several threads change. Every object belongs to the thread that made it, which counts with plain
//! reads and writes; the others keep what they count to themselves (`foreign`) until the world is stopped and all is
//! added up. For that a count may be less than nothing for a while: 0 references are [`NONE`], and the word is 0 only in a
//! block that is no object.
use crate::sync::Ordering::*;
use crate::sync::{AtomicU8, AtomicU32, full_barrier};

/// Bit 31 of the count: never counted, never freed. A count that reaches it by increments stays there.
pub const IMMORTAL: u32 = 1 << 31;
/// The count of an object without references.
pub const NONE: u32 = 1 << 29;
/// Header flag: a thread that the object does not belong to counts references to it. Such an object is freed only while
/// the world is stopped.
pub const FOREIGN: u8 = 64;

/// Says that the calling thread, which the object does not belong to, counts references to it. Whatever the caller reads
/// afterwards is read after the object's own thread can see that.
#[inline]
pub fn mark_foreign(flags: &AtomicU8) {
    if flags.load(Acquire) & FOREIGN == 0 {
        flags.fetch_or(FOREIGN, SeqCst);
        full_barrier();
    }
}
/// For the object's own thread, which counted its last reference away after whatever held it had been changed by a locked
/// instruction or behind a barrier: whether others may still refer to the object.
#[inline]
pub fn is_foreign(flags: &AtomicU8) -> bool {
    full_barrier();
    flags.load(SeqCst) & FOREIGN != 0
}
/// One reference more or less, by the object's own thread or with the world stopped; the count then.
#[inline(always)]
pub fn change(count: &AtomicU32, by: i32) -> u32 {
    let n = count.load(Relaxed).wrapping_add_signed(by);
    count.store(n, Relaxed);
    n
}
