//! How those who read something without its lock learn that it changed meanwhile: whoever changes it, with the lock, first
//! counts that.
use crate::sync::Ordering::*;
use crate::sync::{AtomicU64, fence};

/// Before something changes. The lock is held.
#[inline(always)]
pub fn begin(changes: &AtomicU64) {
    changes.store(changes.load(Relaxed) + 1, Release);
    fence(Release);
}
/// Before a look: what is to be the same afterwards. `is_free` says whether nobody holds the lock, who might be in the middle
/// of a change that is counted already; `None` then.
#[inline(always)]
pub fn look(changes: &AtomicU64, is_free: impl FnOnce() -> bool) -> Option<u64> {
    let before = changes.load(Acquire);
    is_free().then_some(before)
}
/// Whether all that was read since [`look`] returned `before` was there at one moment.
#[inline(always)]
pub fn holds(changes: &AtomicU64, before: u64) -> bool {
    fence(Acquire);
    changes.load(Relaxed) == before
}
