//! The locks of containers and instance tails in multi mode. Fair to nobody: no lock is held for more than a few hundred
//! instructions, and never while Python code runs.
//!
//! A lock belongs to one thread as long as no other wants it: that thread takes it by plain writes, of which no other can
//! tell when they are seen. So the first other thread marks the lock as shared and has all threads pass a barrier
//! ([`heavy_barrier`], a microsecond): from then on the owner has either seen the mark, or shows that it holds the lock.
//!
//! Threads that fight for a lock leave it to each other for as long as the other one is seen to use it, up to a while: the line that
//! it is in, and what it guards, goes from one processor to the other once for many turns.
use crate::sync::Ordering::*;
use crate::sync::{AtomicU8, AtomicU16, LONGEST, PATIENCE, heavy_barrier, leave_alone, light_barrier, relax};

/// Several threads use the lock.
const SHARED: u8 = 1;
/// A thread holds the shared lock.
const HELD: u8 = 2;
/// How often the lock may still go from one thread to another before they are taken to fight no more.
const FOUGHT: u8 = 4 | 8;
const FOUGHT_ONE: u8 = 4;
/// Who held the lock last, as far as this tells.
const LAST: u8 = 0xF0;

/// The number of threads that have none: no lock belongs to them.
pub const NOBODY: u16 = 1;

pub struct Lock {
    /// 1: the owner holds the lock, as its own. In single mode: somebody does.
    pub busy: AtomicU8,
    /// 0, or [`SHARED`] and perhaps [`HELD`], with [`FOUGHT`] and [`LAST`].
    pub shared: AtomicU8,
    /// The number of the thread that the lock belongs to; 0 = the first that takes it.
    pub owner: AtomicU16,
}

/// For the thread with the number `me`, which no other has, or [`NOBODY`].
#[inline(always)]
pub fn acquire(lock: &Lock, me: u16) {
    if lock.owner.load(Relaxed) == me && lock.shared.load(Relaxed) == 0 {
        lock.busy.store(1, Relaxed);
        light_barrier();
        if lock.shared.load(Acquire) == 0 {
            return;
        }
        lock.busy.store(0, Release);
    }
    acquire_shared(lock, me);
}
#[cold]
#[inline(never)]
fn acquire_shared(lock: &Lock, me: u16) {
    if me != NOBODY
        && lock.owner.load(Relaxed) == 0
        && lock.shared.load(Relaxed) == 0
        && lock.owner.compare_exchange(0, me, AcqRel, Relaxed).is_ok()
    {
        return acquire(lock, me);
    }
    // Numbers differ above the sixth bit.
    let last = (me >> 6) as u8 ^ me as u8;
    let last = last << 4;
    let (mut spins, mut turns, mut waits, mut fights) = (0u32, 0, 0, false);
    let is_first = loop {
        let now = lock.shared.load(Relaxed);
        // The one that works on: it is seen to hold the lock as often as it does.
        let is_busy = now & HELD != 0;
        fights |= is_busy;
        if now & FOUGHT != 0 && now & LAST != last && turns < PATIENCE && waits < LONGEST {
            turns = if is_busy { 0 } else { turns + 1 };
            waits += 1;
            leave_alone();
            continue;
        }
        if !is_busy {
            let fought = match now & FOUGHT {
                _ if fights => FOUGHT,
                fought if now & LAST == last => fought,
                fought => fought.saturating_sub(FOUGHT_ONE),
            };
            let taken = SHARED | HELD | fought | last;
            if lock.shared.compare_exchange_weak(now, taken, Acquire, Relaxed).is_ok() {
                break now == 0;
            }
        }
        spins += 1;
        relax(spins);
    };
    if is_first {
        heavy_barrier();
        wait_for(&lock.busy);
    }
}
#[inline(always)]
pub fn release(lock: &Lock, me: u16) {
    // Only the owner writes that it is busy, and then it does not hold the lock as a shared one.
    if lock.owner.load(Relaxed) == me && lock.busy.load(Relaxed) != 0 {
        lock.busy.store(0, Release);
    } else {
        lock.shared.store(lock.shared.load(Relaxed) & !HELD, Release);
    }
}
/// Whether nobody holds the lock. What whoever held it before wrote can be seen then.
#[inline(always)]
pub fn is_free(lock: &Lock) -> bool {
    lock.busy.load(Acquire) == 0 && lock.shared.load(Acquire) & HELD == 0
}
/// Waits until the owner, which knows by now that the lock is shared, has given it back.
pub fn wait_for(busy: &AtomicU8) {
    let mut spins = 0u32;
    while busy.load(Acquire) != 0 {
        spins += 1;
        relax(spins);
    }
}
