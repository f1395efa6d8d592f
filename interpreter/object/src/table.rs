//! The hash table under `dict` and `set`: insertion-ordered entries, and an index of them once there are more than a few.
//! It knows keys by hash and identity only; equality is the caller's (`dict.rs`, `set.rs`), because it can run Python code.
use crate::trace::{Trace, Tracer};
use crate::type_object::next_version;
use crate::value::Value;

const EMPTY: u32 = u32::MAX;
const DELETED: u32 = u32::MAX - 1;
/// Up to this many entries are searched without an index.
const LINEAR: usize = 8;

pub struct Entry<V> {
    pub hash: i64,
    /// `None`: deleted.
    pub pair: Option<(Value, V)>,
}

pub struct Table<V> {
    index: Vec<u32>,
    entries: Vec<Entry<V>>,
    live: usize,
    /// No live entry stands before this place, so that taking from the front stays cheap.
    first: usize,
    /// Names this set of keys and their places for caches; 0 = none given.
    version: u32,
    /// Counts every change of the keys.
    mutations: u64,
}

impl<V> Default for Table<V> {
    fn default() -> Self {
        Table { index: Vec::new(), entries: Vec::new(), live: 0, first: 0, version: 0, mutations: 0 }
    }
}
// SAFETY: every key and value once.
unsafe impl<V: Trace> Trace for Table<V> {
    fn trace(&self, tracer: &mut Tracer<'_>) {
        for entry in &self.entries {
            entry.pair.trace(tracer);
        }
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
    fn new(hash: i64, mask: usize) -> Probe {
        Probe { at: hash as usize & mask, mask, perturb: hash as u64 }
    }
    fn advance(&mut self) {
        self.perturb >>= 5;
        self.at = (self.at.wrapping_mul(5).wrapping_add(1).wrapping_add(self.perturb as usize)) & self.mask;
    }
}

impl<V> Table<V> {
    pub fn len(&self) -> usize {
        self.live
    }
    pub fn is_empty(&self) -> bool {
        self.live == 0
    }
    pub fn mutations(&self) -> u64 {
        self.mutations
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
        if self.version == 0 {
            self.version = next_version();
        }
        self.version
    }
    #[inline(always)]
    pub fn current_version(&self) -> u32 {
        self.version
    }
    fn changed(&mut self) {
        self.version = 0;
        self.mutations += 1;
    }

    /// Finds the entry with this hash that `same` accepts.
    #[inline]
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
    /// Appends an entry whose key is known to be absent. Returns false without memory.
    pub fn push(&mut self, hash: i64, key: Value, value: V) -> bool {
        if self.entries.try_reserve(1).is_err() {
            return false;
        }
        let place = self.entries.len();
        self.entries.push(Entry { hash, pair: Some((key, value)) });
        self.live += 1;
        self.changed();
        if self.index.is_empty() {
            if place >= LINEAR {
                self.rebuild();
            }
        } else if (place + 1) * 3 > self.index.len() * 2 {
            self.rebuild();
        } else {
            self.enter(hash, place);
        }
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
        if self.live <= LINEAR {
            self.index = Vec::new();
            return;
        }
        let size = (self.live * 3).next_power_of_two().max(16);
        self.index.clear();
        self.index.resize(size, EMPTY);
        for place in 0..self.entries.len() {
            self.enter(self.entries[place].hash, place);
        }
    }
    pub fn remove_at(&mut self, place: usize) -> Option<(Value, V)> {
        let hash = self.entries.get(place)?.hash;
        let pair = self.entries[place].pair.take()?;
        self.live -= 1;
        while self.entries.get(self.first).is_some_and(|e| e.pair.is_none()) {
            self.first += 1;
        }
        self.changed();
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
        self.index = Vec::new();
        self.live = 0;
        self.first = 0;
        self.changed();
        std::mem::take(&mut self.entries)
    }
    /// Bytes held beside the object itself.
    pub fn heap_size(&self) -> usize {
        self.index.capacity() * 4 + self.entries.capacity() * size_of::<Entry<V>>()
    }
}
impl<V: Clone> Table<V> {
    pub fn copy(&self) -> Table<V> {
        let mut t = Table {
            index: Vec::new(),
            entries: Vec::with_capacity(self.live),
            live: self.live,
            first: 0,
            version: 0,
            mutations: 0,
        };
        t.entries.extend(self.iter_hashed().map(|(hash, (k, v))| Entry { hash, pair: Some((k.clone(), v.clone())) }));
        t.rebuild();
        t
    }
}
