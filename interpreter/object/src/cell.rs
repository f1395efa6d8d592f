//! Reading a word that owns a counted reference while other threads may replace it, without a lock.
//!
//! The object's own thread simply counts: nobody else frees it. Another thread first marks the object as counted elsewhere
//! and then looks again: if the word still holds the reference, the object's thread sees the mark before it frees anything,
//! as whoever takes a reference out of such a word does so by a locked instruction or puts a barrier behind it. For that
//! the header of a freed object must stay readable, its count 0 until the block is an object's again: `heap` never gives
//! small blocks another size, and keeps large ones until the world stops.
use crate::count::{self, FOREIGN};
use crate::sync::Ordering::*;
use crate::sync::{AtomicU8, AtomicU32, AtomicU64, relax};

/// What a word refers to.
pub enum Content<'a> {
    /// Nothing that is counted.
    Uncounted,
    /// An object that the calling thread has counted before, since the world was last stopped: it was marked then, and is
    /// not freed until the world stops again.
    Noted,
    /// An object of the calling thread.
    Own(&'a AtomicU32),
    /// An object of another thread, or a block that was one.
    Foreign(&'a AtomicU32, &'a AtomicU8),
}

/// The word's content, counted, where the word owns it for as long as it is there. `look` says what the content is; `note`
/// counts a reference to an object of another thread.
#[expect(clippy::redundant_closure, reason = "a function passed by reference is called, a closure inlined")]
#[inline(always)]
pub fn load_counted<'a>(word: &AtomicU64, look: impl Fn(u64) -> Content<'a>, note: impl Fn(u64)) -> u64 {
    let mut spins = 0u32;
    loop {
        if let Some(bits) = try_load_counted(word, |bits| look(bits), || true, |bits| note(bits)) {
            return bits;
        }
        spins += 1;
        relax(spins);
    }
}
/// One attempt of [`load_counted`]: `None` where the word changed meanwhile or its object is gone. For words that may keep
/// what they do not own any more: `valid` says whether it still is theirs.
#[inline(always)]
pub fn try_load_counted<'a>(
    word: &AtomicU64,
    look: impl Fn(u64) -> Content<'a>,
    valid: impl Fn() -> bool,
    note: impl Fn(u64),
) -> Option<u64> {
    let bits = word.load(Acquire);
    match look(bits) {
        Content::Uncounted => valid().then_some(bits),
        Content::Noted => {
            if !valid() {
                return None;
            }
            note(bits);
            Some(bits)
        }
        Content::Own(count) => {
            if !valid() {
                return None;
            }
            count::change(count, 1);
            Some(bits)
        }
        Content::Foreign(count, flags) => {
            if count.load(Acquire) == 0 {
                return None;
            }
            count::mark_foreign(flags);
            // The mark may have met another object in the block, or gone with the one that was there.
            if word.load(Acquire) != bits || flags.load(Acquire) & FOREIGN == 0 || !valid() {
                return None;
            }
            note(bits);
            Some(bits)
        }
    }
}
