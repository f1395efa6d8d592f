//! Reading a word that owns a counted reference while other threads may replace it, without a lock.
//!
//! The reader counts first and looks again: if the word still holds the same reference, the count it took is that of the
//! object which the word owns. For that the count of a freed object must stay readable, and 0 until the block is an
//! object's again: `heap` never gives small blocks another size, and keeps large ones until the world stops.
use crate::count::increment_if_alive;
use crate::sync::Ordering::*;
use crate::sync::{AtomicU32, AtomicU64, relax};

/// The word's content, counted, where the word owns it for as long as it is there. `count_of` finds the count of a content
/// that has one; `uncount` gives a reference back.
#[inline]
pub fn load_counted<'a>(
    word: &AtomicU64,
    count_of: impl Fn(u64) -> Option<&'a AtomicU32>,
    uncount: impl Fn(u64),
) -> u64 {
    let mut spins = 0u32;
    loop {
        if let Some(bits) = try_load_counted(word, &count_of, &uncount) {
            return bits;
        }
        spins += 1;
        relax(spins);
    }
}
/// One attempt of [`load_counted`]: `None` where the word changed meanwhile or its object is gone. For words that may keep
/// what they do not own any more.
#[inline]
pub fn try_load_counted<'a>(
    word: &AtomicU64,
    count_of: impl Fn(u64) -> Option<&'a AtomicU32>,
    uncount: impl Fn(u64),
) -> Option<u64> {
    let bits = word.load(Acquire);
    let Some(count) = count_of(bits) else { return Some(bits) };
    if !increment_if_alive(count) {
        return None;
    }
    if word.load(Acquire) == bits {
        return Some(bits);
    }
    uncount(bits);
    None
}
