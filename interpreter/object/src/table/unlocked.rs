//! Looking into a table without its lock while others may change it.
//!
//! What is read counts if nothing was changed meanwhile, by the table's `mutations` (`changes`). Entries and index that
//! are outgrown stay where they are until the world stops ([`View`]).
use std::sync::atomic::{AtomicPtr, AtomicU32, AtomicU64, AtomicUsize, Ordering::*};

use super::{DELETED, EMPTY, Entry, LINEAR, Probe, Quick, Table, View};
use crate::changes;
use crate::header::multi;
use crate::locked::try_load_word;
use crate::str::Str;
use crate::value::Value;

/// Where the value is within an entry that has one.
const VALUE_OFFSET: usize = std::mem::offset_of!(Entry<Value>, pair) + std::mem::offset_of!((Value, Value), 1);
const _: () = assert!(size_of::<Option<(Value, Value)>>() == size_of::<(Value, Value)>());
const _: () = assert!(size_of::<Option<(Value, ())>>() == size_of::<Value>());
/// After so many steps along the index, something is wrong with it, or will soon be found.
const PATIENCE: usize = 64;

/// A look at a table that may not hold.
pub(crate) struct Look<'a, V> {
    at: *mut View<V>,
    view: &'a View<V>,
    before: u64,
    current: &'a AtomicPtr<View<V>>,
    mutations: &'a AtomicU64,
}

impl<V: 'static> Table<V> {
    /// Whether others may be reading the entries without the lock.
    #[inline(always)]
    pub(crate) fn is_viewed(&self) -> bool {
        !self.view.load(Relaxed).is_null()
    }
    /// Lets others read without the lock, which is held.
    pub fn make_view(&mut self) {
        if !self.is_viewed() && multi() {
            let (len, capacity) = (self.entries.len(), self.entries.capacity());
            // SAFETY: the places behind the entries are the vector's, and unused.
            unsafe { std::ptr::write_bytes(self.entries.as_mut_ptr().add(len), 0, capacity - len) };
            let (index, size) = (self.index.as_ptr(), self.index.len());
            let view = View { entries: self.entries.as_ptr(), capacity, index: index.cast(), size };
            self.view.store(Box::into_raw(Box::new(view)), Release);
        }
    }
    /// The number of entries, which may be about to change.
    ///
    /// # Safety
    /// `table` is that of a live container.
    pub(crate) unsafe fn len_unlocked(table: *const Table<V>) -> usize {
        // SAFETY: the word is written by whoever holds the lock, and read whole.
        unsafe { (*(&raw const (*table).live).cast::<AtomicUsize>()).load(Relaxed) }
    }
    /// Begins a look without the lock; `is_free` says whether nobody holds it. `None`: it takes the lock.
    ///
    /// # Safety
    /// `table` is that of a live container, which lives as long as the look.
    #[inline]
    pub(crate) unsafe fn look<'a>(table: *const Table<V>, is_free: impl FnOnce() -> bool) -> Option<Look<'a, V>> {
        // SAFETY: both are atomic, and not moved while the container lives.
        let (current, mutations) = unsafe { (&(*table).view, &(*table).mutations) };
        let at = current.load(Acquire);
        // SAFETY: a view lives until no thread can be reading it.
        let view = unsafe { at.as_ref() }?;
        let before = changes::look(mutations, is_free)?;
        Some(Look { at, view, before, current, mutations })
    }
}
impl<V: 'static> Look<'_, V> {
    /// Whether all that was read so far is what the table held at one moment.
    #[inline]
    pub fn holds(&self) -> bool {
        changes::holds(self.mutations, self.before) && std::ptr::eq(self.current.load(Relaxed), self.at)
    }
    /// The hash at a place, and the word of the key.
    #[inline(always)]
    fn entry(&self, place: usize) -> Option<(u64, &AtomicU64)> {
        if place >= self.view.capacity {
            return None;
        }
        // SAFETY: below the capacity; a view's memory lives until no thread can be reading it.
        unsafe {
            let entry = self.view.entries.add(place);
            let hash = &*(&raw const (*entry).hash).cast::<AtomicU64>();
            Some((hash.load(Relaxed), &*(&raw const (*entry).pair).cast::<AtomicU64>()))
        }
    }
    /// Whether the key in a word is the wanted one. `None`: it takes the lock to tell.
    #[inline]
    fn same(&self, word: &AtomicU64, quick: &Quick<'_>) -> Option<bool> {
        let bits = word.load(Relaxed);
        if bits == quick.key.bits() {
            return Some(true);
        }
        if bits == 0 {
            return Some(false);
        }
        let text = quick.text?;
        let key = try_load_word(word, || self.holds())?;
        Some(key.downcast_exact::<Str>()?.equals(text))
    }
    /// The place of a key, `Some(None)` where there is none. To be believed if the look holds afterwards.
    #[inline]
    pub fn find(&self, quick: &Quick<'_>) -> Option<Option<usize>> {
        let wanted = quick.hash as u64;
        if self.view.size == 0 {
            for place in 0..self.view.capacity.min(LINEAR) {
                let (hash, word) = self.entry(place)?;
                if hash == wanted && self.same(word, quick)? {
                    return Some(Some(place));
                }
            }
            return Some(None);
        }
        let mut probe = Probe::new(quick.hash, self.view.size - 1);
        for _ in 0..PATIENCE {
            // SAFETY: the probe stays below the size.
            let place = unsafe { &*self.view.index.add(probe.at).cast::<AtomicU32>() }.load(Relaxed);
            if place == EMPTY {
                return Some(None);
            }
            if place != DELETED {
                let (hash, word) = self.entry(place as usize)?;
                if hash == wanted && self.same(word, quick)? {
                    return Some(Some(place as usize));
                }
            }
            probe.advance();
        }
        None
    }
}
impl Look<'_, Value> {
    /// The value at a place that holds one, if the look holds.
    #[inline]
    pub fn value(&self, place: usize) -> Option<Value> {
        try_load_word(self.word_of_value(place)?, || self.holds())
    }
    fn word_of_value(&self, place: usize) -> Option<&AtomicU64> {
        if place >= self.view.capacity {
            return None;
        }
        // SAFETY: below the capacity; words of entries are values or 0, even where an entry was moved out.
        Some(unsafe { &*self.view.entries.add(place).byte_add(VALUE_OFFSET).cast::<AtomicU64>() })
    }
    /// The first entry at or after place `from`, and the place to go on from, if the look holds; `Some(None)` at the end.
    pub fn next_entry(&self, from: usize) -> Option<Option<(usize, Value, Value)>> {
        for place in from..self.view.capacity {
            let (_, word) = self.entry(place)?;
            if word.load(Relaxed) != 0 {
                let key = try_load_word(word, || self.holds())?;
                return Some(Some((place + 1, key, self.value(place)?)));
            }
        }
        self.holds().then_some(None)
    }
}

impl Table<Value> {
    /// The value at `place` if the keys are those of `version` (not 0), read without the lock while others may change the
    /// table. `None` also where the table was not read that way since it grew.
    ///
    /// # Safety
    /// `table` is that of a live dict.
    #[inline]
    pub unsafe fn cached(table: *const Table<Value>, version: u32, place: u32) -> Option<Value> {
        // SAFETY: both cells are atomic, and never moved while the dict lives.
        let (current, view) = unsafe { (&(*table).version, &(*table).view) };
        if version == 0 || current.load(Acquire) != version {
            return None;
        }
        let at = view.load(Acquire);
        // SAFETY: a view and its memory live until no thread can be reading them.
        let entries = unsafe { at.as_ref() }.filter(|v| (place as usize) < v.capacity)?.entries;
        // SAFETY: below the capacity; words of entries are values or 0, even where an entry was moved out.
        let word = unsafe { &*entries.add(place as usize).byte_add(VALUE_OFFSET).cast::<AtomicU64>() };
        try_load_word(word, || current.load(Acquire) == version && std::ptr::eq(view.load(Acquire), at))
    }
}
