//! Every interleaving of what several threads do to a count, a lock byte and a word that owns a reference. The files of the
//! crate are compiled against loom's atomics.
mod sync {
    pub use loom::sync::atomic::{AtomicU8, AtomicU32, AtomicU64, Ordering};
    pub fn relax(_: u32) {
        loom::thread::yield_now();
    }
}
#[path = "../src/cell.rs"]
mod cell;
#[path = "../src/count.rs"]
mod count;
#[path = "../src/lock.rs"]
mod lock;

use loom::cell::UnsafeCell;
use loom::sync::Arc;
use loom::thread;
use sync::Ordering::*;
use sync::{AtomicU8, AtomicU32, AtomicU64};

/// A count and what was made of the object; `freed` may be written once, by whoever gave back the last reference.
struct Object {
    count: AtomicU32,
    freed: UnsafeCell<bool>,
}
impl Object {
    fn new(references: u32) -> Object {
        Object { count: AtomicU32::new(references), freed: UnsafeCell::new(false) }
    }
    fn give_back(&self) {
        if count::decrement(&self.count) {
            // SAFETY: the last reference is gone; loom reports any access at the same time.
            self.freed.with_mut(|freed| unsafe {
                assert!(!*freed, "freed twice");
                *freed = true;
            });
        }
    }
    fn assert_alive(&self) {
        // SAFETY: a reference is held; loom reports any write at the same time.
        self.freed.with(|freed| assert!(!unsafe { *freed }, "used after it was freed"));
    }
}

#[test]
fn the_last_reference_frees_once() {
    loom::model(|| {
        let object = Arc::new(Object::new(2));
        let other = object.clone();
        let handle = thread::spawn(move || {
            count::increment(&other.count);
            other.assert_alive();
            other.give_back();
            other.give_back();
        });
        object.assert_alive();
        object.give_back();
        handle.join().unwrap();
        // SAFETY: no other thread is left.
        object.freed.with(|freed| assert!(unsafe { *freed }));
    });
}

#[test]
fn a_weak_reference_revives_no_dead_object() {
    loom::model(|| {
        let object = Arc::new(Object::new(1));
        let other = object.clone();
        let handle = thread::spawn(move || {
            if count::increment_if_alive(&other.count) {
                other.assert_alive();
                other.give_back();
            }
        });
        object.give_back();
        handle.join().unwrap();
        // SAFETY: no other thread is left.
        object.freed.with(|freed| assert!(unsafe { *freed }));
    });
}

#[test]
fn immortals_are_not_counted() {
    loom::model(|| {
        let count = AtomicU32::new(count::IMMORTAL);
        assert!(count::increment_if_alive(&count));
        assert_eq!(count.load(Relaxed), count::IMMORTAL);
    });
}

#[test]
fn the_lock_excludes() {
    struct Shared {
        lock: AtomicU8,
        content: UnsafeCell<u32>,
    }
    fn add(shared: &Shared) {
        lock::acquire(&shared.lock);
        // SAFETY: the lock is held; loom reports any access at the same time.
        shared.content.with_mut(|n| unsafe { *n += 1 });
        lock::release(&shared.lock);
    }
    loom::model(|| {
        let shared = Arc::new(Shared { lock: AtomicU8::new(0), content: UnsafeCell::new(0) });
        let other = shared.clone();
        let handle = thread::spawn(move || add(&other));
        add(&shared);
        handle.join().unwrap();
        // SAFETY: no other thread is left.
        shared.content.with(|n| assert_eq!(unsafe { *n }, 2));
    });
}

/// Blocks of a heap that are used again: the count, and how often an object was made there.
struct Block {
    count: AtomicU32,
    generation: AtomicU32,
}

#[test]
fn a_word_is_read_while_it_is_replaced_and_its_block_used_again() {
    loom::model(|| {
        let blocks = Arc::new([1u32, 1].map(|n| Block { count: AtomicU32::new(n), generation: AtomicU32::new(1) }));
        // The word holds the number of a block plus one; it owns the block's only reference.
        let word = Arc::new(AtomicU64::new(1));
        let (seen, read) = (blocks.clone(), word.clone());
        let reader = thread::spawn(move || {
            let held = cell::load_counted(
                &read,
                |bits| seen.get(bits as usize - 1).map(|b| &b.count),
                |bits| {
                    count::decrement(&seen[bits as usize - 1].count);
                },
            );
            let block = &seen[held as usize - 1];
            assert_eq!(block.generation.load(Relaxed), 1, "another object than the word ever held");
            assert_ne!(block.count.load(Relaxed), 0, "a reference that is not counted");
            count::decrement(&block.count);
        });
        let old = word.swap(2, AcqRel);
        let block = &blocks[old as usize - 1];
        if count::decrement(&block.count) {
            block.generation.store(2, Relaxed);
            block.count.store(1, Release);
        }
        reader.join().unwrap();
    });
}

#[test]
fn a_word_that_keeps_what_it_lost_is_no_trap() {
    loom::model(|| {
        let count = Arc::new(AtomicU32::new(1));
        let word = Arc::new(AtomicU64::new(1));
        let (seen, read) = (count.clone(), word.clone());
        let reader = thread::spawn(move || {
            let uncount = |_| {
                count::decrement(&seen);
            };
            if cell::try_load_counted(&read, |_| Some(&*seen), uncount).is_some() {
                assert_ne!(seen.load(Relaxed), 0);
                count::decrement(&seen);
            }
        });
        // The entry is taken out, and the word behind the key stays as it is.
        count::decrement(&count);
        reader.join().unwrap();
    });
}
