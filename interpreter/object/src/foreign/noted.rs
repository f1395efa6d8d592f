//! What a thread has counted of the objects of others: a table with two entries for each object to choose from, and a log behind it.
//!
//! An object with an entry in the calling thread's table, be it zero, is marked as counted elsewhere and therefore alive until the world
//! stops: it is counted without a look at its header.
use std::cell::Cell;
use std::ptr::addr_of;

use crate::thread;

/// Of an object, found by its address.
pub(crate) struct Entry {
    object: Cell<usize>,
    by: Cell<i32>,
    /// How often a reference was added.
    adds: Cell<u32>,
}
impl Entry {
    /// Counts one reference more.
    #[inline(always)]
    pub fn add(&self) {
        self.by.set(self.by.get() + 1);
        let adds = self.adds.get().wrapping_add(1);
        self.adds.set(adds);
        if adds == HOT {
            super::is_hot(self.object.get());
        }
    }
}
pub(super) struct Change {
    pub object: usize,
    pub by: i32,
}
const ENTRIES: usize = 1 << 14;
/// What waits in one thread before the world is stopped for it.
const CROWDED: usize = 1 << 14;
/// So many references to one object, and the world is stopped to make it everybody's.
const HOT: u32 = 256;
/// So many, and the object is made everybody's when the world is stopped anyway.
const WARM: u32 = 16;
/// One in so many objects that take an entry from another one counts as warm.
const SAMPLED: u32 = 16;
const SAMPLES: usize = 1 << 11;

#[repr(transparent)]
struct Entries([Entry; ENTRIES]);
// SAFETY: of `NOTHING` nothing is ever changed, as no object is at 0.
unsafe impl Sync for Entries {}
static NOTHING: Entries =
    Entries([const { Entry { object: Cell::new(0), by: Cell::new(0), adds: Cell::new(0) } }; ENTRIES]);

thread_local! {
    /// The entries of the calling thread's table, or [`NOTHING`].
    static OWN: Cell<*const Entries> = const { Cell::new(addr_of!(NOTHING)) };
}

pub(super) struct Table {
    entries: Box<Entries>,
    /// The entries in use, be they zero.
    used: Vec<u16>,
    /// What entries were given up for others.
    log: Vec<Change>,
    /// Own objects that reached zero while others may count references to them.
    pub zeros: Vec<usize>,
    /// Objects that the thread counts time and again.
    warm: Vec<usize>,
    given_up: u32,
}

#[inline(always)]
fn place_of(object: usize) -> usize {
    object >> 5 & (ENTRIES - 1)
}
/// The object's entry in the calling thread's table.
#[inline(always)]
pub(super) fn entry_of<'a>(object: usize) -> Option<&'a Entry> {
    // SAFETY: the thread's own table, or the empty one, which lives as long as this returns into.
    let entries = unsafe { &(*OWN.with(|own| own.get())).0 };
    let place = place_of(object);
    let entry = &entries[place];
    if entry.object.get() == object {
        return Some(entry);
    }
    let other = &entries[place ^ 1];
    (other.object.get() == object).then_some(other)
}
/// Counts one reference more if there is an entry for the object.
#[inline(always)]
pub(super) fn add(object: usize) -> bool {
    entry_of(object).map(Entry::add).is_some()
}
/// Counts one reference less if there is an entry for the object.
#[inline(always)]
pub(super) fn subtract(object: usize) -> bool {
    let Some(entry) = entry_of(object) else { return false };
    entry.by.set(entry.by.get() - 1);
    true
}

impl Table {
    /// A table, from now on the calling thread's.
    pub fn enter() -> Box<Table> {
        let table = Table {
            // SAFETY: entries that are all 0 are those of no object.
            entries: unsafe { Box::<Entries>::new_zeroed().assume_init() },
            used: Vec::new(),
            log: Vec::new(),
            zeros: Vec::new(),
            warm: Vec::new(),
            given_up: 0,
        };
        OWN.set(&raw const *table.entries);
        Box::new(table)
    }
    /// The calling thread has no table any more.
    pub fn leave() {
        OWN.set(addr_of!(NOTHING));
    }
    /// Whether there is nothing to add up.
    pub fn is_empty(&self) -> bool {
        let open = |&place: &u16| self.entries.0[usize::from(place)].by.get() != 0;
        self.log.is_empty() && self.zeros.is_empty() && !self.used.iter().any(open)
    }
    pub fn is_crowded(&self) -> bool {
        self.log.len() > CROWDED || self.zeros.len() > CROWDED || self.warm.len() > SAMPLES
    }
    /// Makes an entry for an object that is marked as counted elsewhere. `is_everybodys` says whether it is that already.
    pub fn note(&mut self, object: usize, by: i32, is_everybodys: bool) {
        let first = place_of(object);
        let of = |place: usize| &self.entries.0[place];
        let held = |wanted| [first, first ^ 1].into_iter().find(|&place| of(place).object.get() == wanted);
        if let Some(place) = held(object) {
            of(place).by.set(of(place).by.get() + by);
            return;
        }
        // The object that is counted less gives its entry up.
        let rarer = if of(first).adds.get() <= of(first ^ 1).adds.get() { first } else { first ^ 1 };
        let place = held(0).unwrap_or(rarer);
        let entry = of(place);
        let old = entry.object.replace(object);
        let was = entry.by.replace(by);
        let adds = entry.adds.replace(0);
        if old == 0 {
            self.used.push(place as u16);
            return;
        }
        if was != 0 {
            self.log.push(Change { object: old, by: was });
        }
        if adds >= WARM {
            self.warm.push(old);
        }
        self.given_up = self.given_up.wrapping_add(1);
        if self.given_up.is_multiple_of(SAMPLED) && !is_everybodys {
            self.warm.push(object);
        }
        if self.is_crowded() {
            thread::flag(thread::breaker::GC);
        }
    }
    /// What the thread has counted of an object.
    pub fn counted(&self, object: usize) -> i32 {
        let logged = self.log.iter().filter(|c| c.object == object).map(|c| c.by).sum::<i32>();
        let place = place_of(object);
        let here = [place, place ^ 1].into_iter().map(|place| &self.entries.0[place]);
        logged + here.filter(|entry| entry.object.get() == object).map(|entry| entry.by.get()).sum::<i32>()
    }
    /// Empties the table: `each` gets what was counted, `warm` the objects that it was much of.
    pub fn drain(&mut self, mut each: impl FnMut(Change), warm: &mut Vec<usize>) {
        for change in std::mem::take(&mut self.log) {
            each(change);
        }
        for place in std::mem::take(&mut self.used) {
            let entry = &self.entries.0[usize::from(place)];
            let object = entry.object.replace(0);
            if entry.adds.replace(0) >= WARM {
                warm.push(object);
            }
            each(Change { object, by: entry.by.replace(0) });
        }
        warm.append(&mut self.warm);
    }
}
