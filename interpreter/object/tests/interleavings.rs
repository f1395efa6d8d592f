//! Every interleaving of what several threads do to a count, a lock byte and a word that owns a reference. The files of the
//! crate are compiled against loom's atomics.
mod sync {
    pub use loom::sync::atomic::{AtomicU8, AtomicU16, AtomicU32, AtomicU64, Ordering, fence};
    pub const PATIENCE: u32 = 1;
    pub const LONGEST: u32 = 1;
    pub fn leave_alone() {
        loom::thread::yield_now();
    }
    pub fn relax(_: u32) {
        loom::thread::yield_now();
    }
    pub fn full_barrier() {
        loom::sync::atomic::fence(Ordering::SeqCst);
    }
    // The barrier that all threads pass can only be modelled by one on each side.
    pub fn light_barrier() {
        loom::sync::atomic::fence(Ordering::SeqCst);
    }
    pub fn heavy_barrier() {
        loom::sync::atomic::fence(Ordering::SeqCst);
    }
}
#[path = "../src/cell.rs"]
mod cell;
#[path = "../src/changes.rs"]
mod changes;
#[path = "../src/count.rs"]
mod count;
#[path = "../src/lock.rs"]
mod lock;

use loom::cell::UnsafeCell;
use loom::sync::Arc;
use loom::thread;
use sync::Ordering::*;
use sync::{AtomicU8, AtomicU16, AtomicU32, AtomicU64};

/// An object of the main thread: its header, and what was made of it.
struct Object {
    count: AtomicU32,
    flags: AtomicU8,
    freed: UnsafeCell<bool>,
}
impl Object {
    fn new(references: u32) -> Object {
        Object {
            count: AtomicU32::new(count::NONE + references),
            flags: AtomicU8::new(0),
            freed: UnsafeCell::new(false),
        }
    }
    /// What the object's own thread does; true: the object is freed.
    fn give_back(&self) -> bool {
        let frees = count::change(&self.count, -1) == count::NONE && !count::is_foreign(&self.flags);
        if frees {
            self.free();
        }
        frees
    }
    fn free(&self) {
        // SAFETY: the last reference is gone; loom reports any access at the same time.
        self.freed.with_mut(|freed| unsafe {
            assert!(!*freed, "freed twice");
            *freed = true;
        });
    }
    fn assert_alive(&self) {
        // SAFETY: a reference is held; loom reports any write at the same time.
        self.freed.with(|freed| assert!(!unsafe { *freed }, "used after it was freed"));
    }
    fn content(&self) -> cell::Content<'_> {
        cell::Content::Foreign(&self.count, &self.flags)
    }
}

#[test]
fn a_word_is_read_by_another_thread_while_its_object_is_freed() {
    loom::model(|| {
        let object = Arc::new(Object::new(1));
        let word = Arc::new(AtomicU64::new(1));
        let (theirs, read) = (object.clone(), word.clone());
        let reader = thread::spawn(move || {
            let look = |bits| if bits == 0 { cell::Content::Uncounted } else { theirs.content() };
            let held = cell::load_counted(&read, look, |_| {}) != 0;
            if held {
                theirs.assert_alive();
            }
            held
        });
        let owned = word.swap(0, SeqCst) != 0;
        let freed = owned && object.give_back();
        let held = reader.join().unwrap();
        assert!(!(held && freed), "freed while another thread holds it");
        // What `merge` makes of it.
        if !freed && !held {
            assert_eq!(object.count.load(Relaxed), count::NONE);
        }
    });
}

#[test]
fn a_thread_counts_its_own_object_while_another_takes_it_out_of_the_word() {
    loom::model(|| {
        let object = Arc::new(Object::new(1));
        let word = Arc::new(AtomicU64::new(1));
        let (theirs, taken) = (object.clone(), word.clone());
        let other = thread::spawn(move || {
            // It notes one reference less.
            count::mark_foreign(&theirs.flags);
            taken.swap(0, SeqCst);
        });
        let look = |bits| if bits == 0 { cell::Content::Uncounted } else { cell::Content::Own(&object.count) };
        let held = u32::from(cell::load_counted(&word, look, |_| {}) != 0);
        other.join().unwrap();
        assert_eq!(object.count.load(Relaxed), count::NONE + 1 + held);
        assert_eq!(object.count.load(Relaxed) & count::IMMORTAL, 0);
    });
}

#[test]
fn a_weak_reference_revives_no_object_that_is_freed() {
    loom::model(|| {
        let object = Arc::new(Object::new(1));
        let (lock, target) = (Arc::new(lock_of(1)), Arc::new(AtomicU32::new(1)));
        let (theirs, their_lock, their_target) = (object.clone(), lock.clone(), target.clone());
        let reader = thread::spawn(move || {
            lock::acquire(&their_lock, 2);
            let held = their_target.load(Relaxed) != 0;
            if held {
                count::mark_foreign(&theirs.flags);
            }
            lock::release(&their_lock, 2);
            if held {
                theirs.assert_alive();
            }
            held
        });
        let mut freed = false;
        if count::change(&object.count, -1) == count::NONE && !count::is_foreign(&object.flags) {
            lock::acquire(&lock, 1);
            freed = !count::is_foreign(&object.flags);
            if freed {
                target.store(0, Relaxed);
            }
            lock::release(&lock, 1);
        }
        if freed {
            object.free();
        }
        assert!(!(reader.join().unwrap() && freed));
    });
}

fn lock_of(owner: u16) -> lock::Lock {
    lock::Lock { busy: AtomicU8::new(0), shared: AtomicU8::new(0), owner: AtomicU16::new(owner) }
}
/// Threads 1 and 2 each add one, twice for the first, under a lock that belongs to `owner`.
fn exclude(owner: u16) {
    struct Shared {
        lock: lock::Lock,
        content: UnsafeCell<u32>,
    }
    fn add(shared: &Shared, me: u16) {
        lock::acquire(&shared.lock, me);
        // SAFETY: the lock is held; loom reports any access at the same time.
        shared.content.with_mut(|n| unsafe { *n += 1 });
        lock::release(&shared.lock, me);
    }
    loom::model(move || {
        let shared = Arc::new(Shared { lock: lock_of(owner), content: UnsafeCell::new(0) });
        let other = shared.clone();
        let handle = thread::spawn(move || add(&other, 2));
        add(&shared, 1);
        add(&shared, 1);
        handle.join().expect("the other thread ends");
        // SAFETY: no other thread is left.
        shared.content.with(|n| assert_eq!(unsafe { *n }, 3));
    });
}
#[test]
fn a_lock_of_one_thread_excludes_another() {
    exclude(1);
}
#[test]
fn a_lock_of_nobody_excludes() {
    exclude(0);
}
#[test]
fn a_lock_of_a_thread_that_is_gone_excludes() {
    exclude(3);
}

#[test]
fn a_word_is_read_while_its_block_becomes_another_object() {
    loom::model(|| {
        let block = Arc::new(Object::new(1));
        let generation = Arc::new(AtomicU32::new(1));
        let word = Arc::new(AtomicU64::new(1));
        let (theirs, seen, read) = (block.clone(), generation.clone(), word.clone());
        let reader = thread::spawn(move || {
            let look = |bits| if bits == 1 { theirs.content() } else { cell::Content::Uncounted };
            let found = cell::try_load_counted(&read, look, || true, |_| {});
            found.filter(|&bits| bits == 1).map(|_| seen.load(Acquire))
        });
        // The object leaves the word, goes, and another one is made in its block and put into the word.
        word.swap(2, SeqCst);
        let freed = block.give_back();
        if freed {
            block.count.store(0, Relaxed);
            block.flags.store(0, Relaxed);
            block.count.store(count::NONE + 1, Release);
            generation.store(2, Release);
            word.swap(1, SeqCst);
            let found = reader.join().unwrap();
            if found.is_some() {
                assert_eq!(found, Some(2), "the first object was freed");
                assert_ne!(block.flags.load(Relaxed) & count::FOREIGN, 0, "a reference that the owner does not see");
            }
        }
    });
}

#[test]
fn a_word_that_keeps_what_it_lost_is_no_trap() {
    loom::model(|| {
        let object = Arc::new(Object::new(1));
        let (word, version) = (Arc::new(AtomicU64::new(1)), Arc::new(AtomicU32::new(1)));
        let (theirs, read, current) = (object.clone(), word.clone(), version.clone());
        let reader = thread::spawn(move || {
            let valid = || current.load(Acquire) == 1;
            let held = cell::try_load_counted(&read, |_| theirs.content(), valid, |_| {}).is_some();
            if held {
                theirs.assert_alive();
            }
            held
        });
        // The entry is taken out by plain writes with a barrier behind them; the word stays as it is.
        version.store(0, Relaxed);
        loom::sync::atomic::fence(SeqCst);
        let freed = object.give_back();
        assert!(!(reader.join().unwrap() && freed));
    });
}

#[test]
fn an_object_that_was_noted_is_read_while_its_thread_lets_go_of_it() {
    loom::model(|| {
        let object = Arc::new(Object::new(1));
        let word = Arc::new(AtomicU64::new(1));
        let (theirs, read) = (object.clone(), word.clone());
        let reader = thread::spawn(move || {
            let first = cell::try_load_counted(&read, |_| theirs.content(), || true, |_| {}).is_some();
            // It gives that reference back and reads again: the note stays, be it zero.
            let look = |bits| if bits == 0 { cell::Content::Uncounted } else { cell::Content::Noted };
            let again = first && cell::load_counted(&read, look, |_| {}) != 0;
            if again {
                theirs.assert_alive();
            }
            again
        });
        let owned = word.swap(0, SeqCst) != 0;
        let freed = owned && object.give_back();
        assert!(!(reader.join().unwrap() && freed), "freed while another thread holds it");
    });
}

/// A list's word that names a view, and the view.
struct Viewed {
    named: AtomicU32,
    items: [AtomicU64; 2],
}
#[test]
fn an_item_is_read_by_a_view_while_the_list_changes() {
    loom::model(|| {
        let object = Arc::new(Object::new(1));
        let list = Arc::new(Viewed { named: AtomicU32::new(0), items: [AtomicU64::new(0), AtomicU64::new(0)] });
        list.items[0].store(1, Relaxed);
        list.named.store(1, Release);
        let (theirs, read) = (object.clone(), list.clone());
        let reader = thread::spawn(move || {
            let name = read.named.load(Acquire);
            if name == 0 {
                return false;
            }
            let valid = || read.named.load(Acquire) == name;
            let held = cell::try_load_counted(&read.items[0], |_| theirs.content(), valid, |_| {}).is_some();
            if held {
                theirs.assert_alive();
            }
            held
        });
        // The item goes along to other memory and is taken out there by plain writes; the old memory keeps the word.
        list.named.swap(0, SeqCst);
        list.items[1].store(list.items[0].load(Relaxed), Relaxed);
        list.items[1].store(0, Relaxed);
        let freed = object.give_back();
        assert!(!(reader.join().unwrap() && freed));
    });
}

/// Thread 1, which the lock belongs to, changes two words that belong together; a reader without the lock sees both or neither.
fn changes_show(owner: u16) {
    struct Shared {
        lock: lock::Lock,
        changes: AtomicU64,
        words: [AtomicU64; 2],
    }
    loom::model(move || {
        let shared = Arc::new(Shared {
            lock: lock_of(owner),
            changes: AtomicU64::new(0),
            words: [AtomicU64::new(0), AtomicU64::new(0)],
        });
        let read = shared.clone();
        let reader = thread::spawn(move || {
            let before = changes::look(&read.changes, || lock::is_free(&read.lock))?;
            let seen = (read.words[0].load(Relaxed), read.words[1].load(Relaxed));
            changes::holds(&read.changes, before).then_some(seen)
        });
        for n in 1..3 {
            lock::acquire(&shared.lock, 1);
            changes::begin(&shared.changes);
            shared.words[0].store(n, Relaxed);
            shared.words[1].store(n, Relaxed);
            lock::release(&shared.lock, 1);
        }
        if let Some((a, b)) = reader.join().expect("the reader ends") {
            assert_eq!(a, b, "words of two moments");
        }
    });
}
#[test]
fn a_look_without_a_lock_of_ones_own_sees_changes() {
    changes_show(1);
}
#[test]
fn a_look_without_a_shared_lock_sees_changes() {
    changes_show(3);
}

#[test]
fn a_name_keeps_its_value_while_others_take_its_entry() {
    struct Entry {
        changes: AtomicU64,
        name: AtomicU32,
        value: AtomicU64,
    }
    fn enter(entry: &Entry, name: u32) {
        changes::begin(&entry.changes);
        entry.name.store(0, Relaxed);
        sync::fence(Release);
        entry.value.swap(u64::from(name) * 10, SeqCst);
        entry.name.store(name, Release);
    }
    loom::model(|| {
        let entry = Arc::new(Entry { changes: AtomicU64::new(0), name: AtomicU32::new(1), value: AtomicU64::new(10) });
        let read = entry.clone();
        let reader = thread::spawn(move || {
            let before = changes::look(&read.changes, || true)?;
            if read.name.load(Acquire) != 1 {
                return None;
            }
            let value = read.value.load(Acquire);
            (read.name.load(Relaxed) == 1 && changes::holds(&read.changes, before)).then_some(value)
        });
        enter(&entry, 2);
        enter(&entry, 1);
        if let Some(value) = reader.join().expect("the reader ends") {
            assert_eq!(value, 10, "another name's value");
        }
    });
}
