//! The hash table under `dict` and `set`: insertion-ordered entries, and an index of them once there are more than a few.
//! It knows keys by hash and identity only; equality is the caller's (`dict.rs`, `set.rs`), because it can run Python code.
use std::sync::atomic::{AtomicPtr, AtomicU32, AtomicU64, Ordering::*};

use crate::changes;
use crate::compare::{plain_hash, plain_same};
use crate::foreign::stores_plainly;
use crate::hash;
use crate::retired::retire;
use crate::str::Str;
use crate::trace::{Trace, Tracer};
use crate::tuple::Tuple;
use crate::type_object::next_version;
use crate::value::Value;

pub(crate) mod unlocked;

const EMPTY: u32 = u32::MAX;
const DELETED: u32 = u32::MAX - 1;
/// Up to this many entries are searched without an index.
const LINEAR: usize = 8;

pub struct Entry<V> {
    pub hash: i64,
    /// `None`: deleted.
    pub pair: Option<(Value, V)>,
}

/// Where the entries are and how many there is room for, where unused places read as no entry; and the index, if there is one.
struct View<V> {
    entries: *const Entry<V>,
    capacity: usize,
    index: *const u32,
    size: usize,
}
// SAFETY: addresses and numbers.
unsafe impl<V> Send for View<V> {}
/// Memory of entries that have moved: nothing in it is dropped.
struct Memory<V>(#[expect(dead_code, reason = "kept until it is dropped")] Vec<Entry<V>>);
// SAFETY: the vector is empty.
unsafe impl<V> Send for Memory<V> {}
pub struct Table<V: 'static> {
    index: Vec<u32>,
    entries: Vec<Entry<V>>,
    live: usize,
    /// No live entry stands before this place, so that taking from the front stays cheap.
    first: usize,
    /// Names this set of keys and their places for caches; 0 = none given. Atomic for those who look without the lock.
    version: AtomicU32,
    /// Entries and index as they are read without the lock (`unlocked`); null = not asked for since one of them moved.
    view: AtomicPtr<View<V>>,
    /// Counts every change of the keys; a dict adds those of its values. Atomic for those who look without the lock.
    mutations: AtomicU64,
}

impl<V: 'static> Default for Table<V> {
    fn default() -> Self {
        Table {
            index: Vec::new(),
            entries: Vec::new(),
            live: 0,
            first: 0,
            version: AtomicU32::new(0),
            view: AtomicPtr::new(std::ptr::null_mut()),
            mutations: AtomicU64::new(0),
        }
    }
}
impl<V: 'static> Drop for Table<V> {
    fn drop(&mut self) {
        if !self.view.get_mut().is_null() {
            drop(self.take());
        }
    }
}
// SAFETY: every key and value once.
unsafe impl<V: Trace + 'static> Trace for Table<V> {
    fn trace(&self, tracer: &mut Tracer<'_>) {
        for entry in &self.entries {
            entry.pair.trace(tracer);
        }
    }
}

/// Only Python code can tell: `__hash__` of the key, or `__eq__` of a stored one; or memory is needed.
#[derive(Debug)]
pub struct NotQuick;

/// A key whose hash and equality need no Python code.
pub struct Quick<'a> {
    hash: i64,
    key: &'a Value,
    text: Option<&'a Str>,
}
impl<'a> Quick<'a> {
    #[inline(always)]
    pub fn of(key: &'a Value) -> Option<Quick<'a>> {
        if let Some(i) = key.as_int() {
            // Immediates are below the modulus.
            return Some(Quick { hash: hash::fix(i), key, text: None });
        }
        match key.downcast_exact::<Str>() {
            Some(text) => Some(Quick { hash: text.hash(), key, text: Some(text) }),
            None => Self::of_tuple(key),
        }
    }
    #[inline(never)]
    fn of_tuple(key: &'a Value) -> Option<Quick<'a>> {
        key.downcast_exact::<Tuple>()?;
        Some(Quick { hash: plain_hash(key)?, key, text: None })
    }
    #[inline(always)]
    pub fn hash(&self) -> i64 {
        self.hash
    }
}

/// What an equality test without Python code can say.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Same {
    Yes,
    No,
    /// Only `__eq__` knows.
    Ask,
}
pub enum Found {
    At(usize),
    Absent,
    /// The entry at this place must be compared by `__eq__`.
    Ask(usize),
}

struct Probe {
    at: usize,
    mask: usize,
    perturb: u64,
}
impl Probe {
    #[inline(always)]
    fn new(hash: i64, mask: usize) -> Probe {
        Probe { at: hash as usize & mask, mask, perturb: hash as u64 }
    }
    #[inline(always)]
    fn advance(&mut self) {
        self.perturb >>= 5;
        self.at = (self.at.wrapping_mul(5).wrapping_add(1).wrapping_add(self.perturb as usize)) & self.mask;
    }
}

impl<V: 'static> Table<V> {
    pub fn with_room(n: usize) -> Self {
        let mut table = Table::default();
        table.entries.reserve_exact(n);
        table
    }
    pub fn reserve(&mut self, n: usize) {
        if !self.is_viewed() {
            self.entries.reserve(n);
        }
    }
    pub(crate) fn set_mutations(&mut self, mutations: u64) {
        self.mutations.store(mutations, Relaxed);
    }
    pub fn len(&self) -> usize {
        self.live
    }
    pub fn is_empty(&self) -> bool {
        self.live == 0
    }
    pub fn mutations(&self) -> u64 {
        self.mutations.load(Relaxed)
    }
    /// Places `0..places()` hold the entries in order, deleted ones among them.
    pub fn places(&self) -> usize {
        self.entries.len()
    }
    #[inline(always)]
    pub fn at(&self, place: usize) -> Option<&(Value, V)> {
        self.entries.get(place)?.pair.as_ref()
    }
    pub fn at_mut(&mut self, place: usize) -> Option<&mut (Value, V)> {
        self.entries.get_mut(place)?.pair.as_mut()
    }
    pub fn hash_at(&self, place: usize) -> i64 {
        self.entries[place].hash
    }
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = &(Value, V)> {
        self.entries.iter().filter_map(|e| e.pair.as_ref())
    }
    pub fn iter_hashed(&self) -> impl Iterator<Item = (i64, &(Value, V))> {
        self.entries.iter().filter_map(|e| e.pair.as_ref().map(|p| (e.hash, p)))
    }
    /// The first live place at or after `from`.
    #[inline]
    pub fn next_place(&self, from: usize) -> Option<usize> {
        (from.max(self.first)..self.entries.len()).find(|&i| self.entries[i].pair.is_some())
    }
    pub fn prev_place(&self, before: usize) -> Option<usize> {
        (0..before.min(self.entries.len())).rev().find(|&i| self.entries[i].pair.is_some())
    }
    /// The id of this set of keys and their places, given on demand; 0 = uncacheable.
    pub fn version(&mut self) -> u32 {
        let version = self.version.get_mut();
        if *version == 0 {
            *version = next_version();
        }
        *version
    }
    #[inline(always)]
    pub fn current_version(&self) -> u32 {
        self.version.load(Relaxed)
    }
    /// Before the keys or their places change.
    #[inline]
    fn changed(&mut self) {
        self.version.store(0, Relaxed);
        changes::begin(&self.mutations);
        if self.is_viewed() {
            stores_plainly();
        }
    }
    /// Before entries or index move to other memory, or the table goes.
    fn forget_view(&mut self) {
        let view = self.view.load(Relaxed);
        if !view.is_null() {
            stores_plainly();
            self.view.store(std::ptr::null_mut(), Release);
            // SAFETY: the pointer came from `Box::into_raw` and left its only cell.
            retire(unsafe { Box::from_raw(view) }, size_of::<View<V>>());
        }
    }
    /// After the entries were squeezed and got another index, while somebody may be reading the old one.
    #[cold]
    fn renew_view(&mut self, old: Vec<u32>) {
        let view = std::mem::replace(self.view.get_mut(), std::ptr::null_mut());
        self.make_view();
        let bytes = old.capacity() * size_of::<u32>();
        // SAFETY: the pointer came from `Box::into_raw` and left its only cell.
        retire((unsafe { Box::from_raw(view) }, old), bytes);
    }

    /// Finds the entry with this hash that `same` accepts.
    #[inline(always)]
    pub fn find(&self, hash: i64, mut same: impl FnMut(usize, &Value) -> Same) -> Found {
        if self.index.is_empty() {
            for (i, entry) in self.entries.iter().enumerate() {
                if entry.hash == hash
                    && let Some((key, _)) = &entry.pair
                {
                    match same(i, key) {
                        Same::Yes => return Found::At(i),
                        Same::Ask => return Found::Ask(i),
                        Same::No => {}
                    }
                }
            }
            return Found::Absent;
        }
        let mut probe = Probe::new(hash, self.index.len() - 1);
        loop {
            let place = self.index[probe.at];
            if place == EMPTY {
                return Found::Absent;
            }
            if place != DELETED {
                let entry = &self.entries[place as usize];
                if entry.hash == hash
                    && let Some((key, _)) = &entry.pair
                {
                    match same(place as usize, key) {
                        Same::Yes => return Found::At(place as usize),
                        Same::Ask => return Found::Ask(place as usize),
                        Same::No => {}
                    }
                }
            }
            probe.advance();
        }
    }
    /// The place of a key that is plain; `Err` where only `__eq__` of a stored key can tell.
    #[inline(always)]
    pub fn find_quick(&self, quick: &Quick<'_>) -> Result<Option<usize>, NotQuick> {
        match self.find_identical(quick.hash, quick.key) {
            Found::At(i) => Ok(Some(i)),
            Found::Absent => Ok(None),
            Found::Ask(_) => self.find_equal(quick),
        }
    }
    /// The place of a key that is the same object; `Ask` where an entry has that hash.
    #[inline(always)]
    pub(crate) fn find_identical(&self, hash: i64, key: &Value) -> Found {
        self.find(hash, |_, theirs| if theirs.is(key) { Same::Yes } else { Same::Ask })
    }
    #[inline(never)]
    fn find_equal(&self, quick: &Quick<'_>) -> Result<Option<usize>, NotQuick> {
        let same = |key: &Value| {
            if key.is(quick.key) {
                return Same::Yes;
            }
            match quick.text {
                Some(text) => match key.downcast_exact::<Str>() {
                    Some(theirs) if theirs.equals(text) => Same::Yes,
                    Some(_) => Same::No,
                    None => Same::Ask,
                },
                None => plain_same(quick.key, key),
            }
        };
        match self.find(quick.hash, |_, key| same(key)) {
            Found::At(i) => Ok(Some(i)),
            Found::Absent => Ok(None),
            Found::Ask(_) => Err(NotQuick),
        }
    }
    /// Appends an entry whose key is known to be absent. Returns false without memory.
    pub fn push(&mut self, hash: i64, key: Value, value: V) -> bool {
        if self.entries.len() == self.entries.capacity() && !self.grow() {
            return false;
        }
        let crowded = self.is_crowded();
        if crowded {
            let more = Self::index_size(self.live + 1).saturating_sub(self.index.len());
            if self.index.try_reserve_exact(more).is_err() {
                return false;
            }
        }
        self.changed();
        let place = self.entries.len();
        self.entries.push(Entry { hash, pair: Some((key, value)) });
        self.live += 1;
        if crowded {
            self.rebuild();
        } else if !self.index.is_empty() {
            self.enter(hash, place);
        }
        true
    }
    /// Whether one entry more needs another index.
    #[inline]
    fn is_crowded(&self) -> bool {
        let places = self.entries.len();
        if self.index.is_empty() { places >= LINEAR } else { (places + 1) * 3 > self.index.len() * 2 }
    }
    fn index_size(live: usize) -> usize {
        (live * 3).next_power_of_two().max(16)
    }
    /// Whether one entry more needs no memory.
    pub fn has_room(&self) -> bool {
        self.entries.len() < self.entries.capacity() && !self.is_crowded()
    }
    /// Makes room for one entry more; false without memory.
    fn grow(&mut self) -> bool {
        if !self.is_viewed() {
            return self.entries.try_reserve(1).is_ok();
        }
        // Somebody may be reading: the entries move to other memory, and the old lives on as long as that takes.
        let mut moved: Vec<Entry<V>> = Vec::new();
        if moved.try_reserve_exact((self.entries.len() * 2).max(4)).is_err() {
            return false;
        }
        self.forget_view();
        // SAFETY: there is room for all entries; each moves once, as the old vector forgets them. Unused places read as
        // no entry.
        unsafe {
            std::ptr::write_bytes(moved.as_mut_ptr(), 0, moved.capacity());
            std::ptr::copy_nonoverlapping(self.entries.as_ptr(), moved.as_mut_ptr(), self.entries.len());
            moved.set_len(self.entries.len());
            self.entries.set_len(0);
        }
        let old = std::mem::replace(&mut self.entries, moved);
        let bytes = old.capacity() * size_of::<Entry<V>>();
        retire(Memory(old), bytes);
        true
    }
    fn enter(&mut self, hash: i64, place: usize) {
        let mut probe = Probe::new(hash, self.index.len() - 1);
        while self.index[probe.at] < DELETED {
            probe.advance();
        }
        self.index[probe.at] = place as u32;
    }
    /// Squeezes out deleted entries and sizes the index anew.
    fn rebuild(&mut self) {
        if self.live < self.entries.len() {
            self.entries.retain(|e| e.pair.is_some());
        }
        self.first = 0;
        if self.is_viewed() {
            let old = std::mem::take(&mut self.index);
            self.fill_index();
            return self.renew_view(old);
        }
        self.fill_index();
    }
    fn fill_index(&mut self) {
        if self.live <= LINEAR {
            self.index = Vec::new();
            return;
        }
        self.index.clear();
        self.index.resize(Self::index_size(self.live), EMPTY);
        for place in 0..self.entries.len() {
            self.enter(self.entries[place].hash, place);
        }
    }
    pub fn remove_at(&mut self, place: usize) -> Option<(Value, V)> {
        let hash = self.entries.get(place)?.hash;
        self.changed();
        let pair = self.entries[place].pair.take()?;
        self.live -= 1;
        while self.entries.get(self.first).is_some_and(|e| e.pair.is_none()) {
            self.first += 1;
        }
        if !self.index.is_empty() {
            let mut probe = Probe::new(hash, self.index.len() - 1);
            while self.index[probe.at] != place as u32 {
                probe.advance();
            }
            self.index[probe.at] = DELETED;
        }
        let crowded = self.index.is_empty() && self.entries.len() >= LINEAR;
        let sparse = self.entries.len() > 32 && self.live * 4 < self.entries.len();
        if crowded || sparse {
            self.rebuild();
        }
        Some(pair)
    }
    /// Removes and returns the last entry. The places behind it are given back, so that this stays cheap; elsewhere a
    /// place once used is not used again before the entries are squeezed, by which iterators see that keys changed.
    pub fn pop_last(&mut self) -> Option<(Value, V)> {
        let pair = self.remove_at(self.prev_place(usize::MAX)?);
        while self.entries.last().is_some_and(|e| e.pair.is_none()) {
            self.entries.pop();
        }
        self.first = self.first.min(self.entries.len());
        pair
    }
    /// Takes everything out; the caller drops it after unlocking.
    pub fn take(&mut self) -> Vec<Entry<V>> {
        self.changed();
        let index = std::mem::take(&mut self.index);
        self.live = 0;
        self.first = 0;
        if !self.is_viewed() {
            return std::mem::take(&mut self.entries);
        }
        let taken = self.entries.drain(..).collect();
        self.forget_view();
        retire(index, 0);
        let old = std::mem::take(&mut self.entries);
        let bytes = old.capacity() * size_of::<Entry<V>>();
        retire(Memory(old), bytes);
        taken
    }
    /// Bytes held beside the object itself.
    pub fn heap_size(&self) -> usize {
        self.index.capacity() * 4 + self.entries.capacity() * size_of::<Entry<V>>()
    }
}
impl<V: Clone + 'static> Table<V> {
    pub fn copy(&self) -> Table<V> {
        let mut t = Table {
            index: Vec::new(),
            entries: Vec::with_capacity(self.live),
            live: self.live,
            first: 0,
            version: AtomicU32::new(0),
            view: AtomicPtr::new(std::ptr::null_mut()),
            mutations: AtomicU64::new(0),
        };
        t.entries.extend(self.iter_hashed().map(|(hash, (k, v))| Entry { hash, pair: Some((k.clone(), v.clone())) }));
        t.rebuild();
        t
    }
}
