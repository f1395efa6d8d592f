//! The lock byte of containers and instance tails in multi mode. Fair to nobody: no lock is held for more than a few
//! hundred instructions, and never while Python code runs.
use crate::sync::Ordering::*;
use crate::sync::{AtomicU8, relax};

#[cold]
#[inline(never)]
pub fn acquire(lock: &AtomicU8) {
    let mut spins = 0u32;
    while lock.load(Relaxed) != 0 || lock.compare_exchange_weak(0, 1, Acquire, Relaxed).is_err() {
        spins += 1;
        relax(spins);
    }
}
#[inline(always)]
pub fn release(lock: &AtomicU8) {
    lock.store(0, Release);
}
