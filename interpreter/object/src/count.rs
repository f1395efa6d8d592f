//! Reference counts that several threads change. The plain counting of single mode is in `header`.
use crate::sync::AtomicU32;
use crate::sync::Ordering::*;

/// Bit 31 of the count: never counted, never freed. A count that reaches it by increments stays there.
pub const IMMORTAL: u32 = 1 << 31;

/// Counts a reference to an object that the caller knows to be alive and mortal.
#[inline]
pub fn increment(count: &AtomicU32) {
    count.fetch_add(1, Relaxed);
}
/// Gives a reference back; true: it was the last, and the caller frees the object.
#[inline]
pub fn decrement(count: &AtomicU32) -> bool {
    count.fetch_sub(1, AcqRel) == 1
}
/// Counts a reference unless the count is 0: the object is on its way to be freed, or the block is free.
#[inline]
pub fn increment_if_alive(count: &AtomicU32) -> bool {
    let mut n = count.load(Relaxed);
    loop {
        if n & IMMORTAL != 0 {
            return true;
        }
        if n == 0 {
            return false;
        }
        match count.compare_exchange_weak(n, n + 1, AcqRel, Relaxed) {
            Ok(_) => return true,
            Err(now) => n = now,
        }
    }
}
