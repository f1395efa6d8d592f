//! What was found for names in the classes of a type's MRO, direct-mapped by the address of the interned name; grows while
//! names collide. Read without a lock: a table that is outgrown or invalid is
//! retired, and an entry that another name takes is counted first, so that a reader sees that it changed.
use std::sync::atomic::{AtomicPtr, AtomicU32, AtomicU64, AtomicUsize, Ordering::*, fence};

use crate::changes;
use crate::header::multi;
use crate::locked::{Locked, ValueCell};
use crate::retired::retire;
use crate::trace::{Trace, Tracer};
use crate::value::Value;

/// The first table's entries, and the most that one has; powers of two.
const SIZE: usize = 16;
const MAX_SIZE: usize = 512;

struct Entry {
    /// The address of the interned name; 0 = none.
    name: AtomicUsize,
    /// Empty: no class has the name.
    value: ValueCell,
}
struct Table {
    entries: Box<[Entry]>,
    /// Entries that other names took.
    changes: AtomicU64,
}
impl Table {
    fn new(size: usize) -> Table {
        // SAFETY: entries that are all 0 have no name and an empty cell.
        let entries = unsafe { Box::<[Entry]>::new_zeroed_slice(size).assume_init() };
        Table { entries, changes: AtomicU64::new(0) }
    }
    #[inline(always)]
    fn entry(&self, name: usize) -> &Entry {
        &self.entries[(name >> 4 ^ name >> 12) & (self.entries.len() - 1)]
    }
}
/// A table that no type refers to any more.
struct Outgrown(*mut Table);
// SAFETY: the table is nobody else's, but for readers that are stopped before it is dropped.
unsafe impl Send for Outgrown {}
impl Drop for Outgrown {
    fn drop(&mut self) {
        // SAFETY: the pointer came from `Box::into_raw` and left the type's cell.
        drop(unsafe { Box::from_raw(self.0) });
    }
}

pub(super) struct FoundNames {
    table: AtomicPtr<Table>,
    /// How often all was forgotten.
    generation: AtomicU32,
    writing: Locked<()>,
}
// SAFETY: every entry once.
unsafe impl Trace for FoundNames {
    fn trace(&self, tracer: &mut Tracer<'_>) {
        for entry in self.table().iter().flat_map(|t| t.entries.iter()) {
            entry.value.trace(tracer);
        }
    }
}
impl FoundNames {
    pub const fn new() -> FoundNames {
        FoundNames {
            table: AtomicPtr::new(std::ptr::null_mut()),
            generation: AtomicU32::new(0),
            writing: Locked::new(()),
        }
    }
    #[inline(always)]
    fn table(&self) -> Option<&Table> {
        // SAFETY: a table that leaves the cell lives until no thread reads it.
        unsafe { self.table.load(Acquire).as_ref() }
    }
    /// What was found for a name: `Some(None)` says that there is nothing.
    #[inline]
    pub fn get(&self, name: usize) -> Option<Option<Value>> {
        let table = self.table()?;
        let before = changes::look(&table.changes, || true)?;
        let entry = table.entry(name);
        if entry.name.load(Acquire) != name {
            return None;
        }
        let value = entry.value.get();
        // A change that was counted before the look has the name go first.
        let stayed = entry.name.load(Relaxed) == name && changes::holds(&table.changes, before);
        stayed.then_some(value)
    }
    /// Names what is found from now on, for [`FoundNames::enter`].
    pub fn generation(&self) -> u32 {
        self.generation.load(Acquire)
    }
    /// Keeps what was found since `generation` was asked for, unless all was forgotten since.
    pub fn enter(&self, name: usize, value: Option<Value>, generation: u32) {
        let writing = self.writing.lock();
        if self.generation.load(Relaxed) != generation {
            return;
        }
        let grown = match self.table() {
            None => Some(Table::new(SIZE)),
            Some(table) if table.entry(name).name.load(Relaxed) == 0 || table.entries.len() >= MAX_SIZE => None,
            Some(table) => {
                let grown = Table::new(table.entries.len() * 2);
                for entry in &table.entries {
                    let held = entry.name.load(Relaxed);
                    if held != 0 {
                        let place = grown.entry(held);
                        // Others may be reading the old table.
                        place.value.set(if multi() { entry.value.get() } else { entry.value.take() });
                        place.name.store(held, Relaxed);
                    }
                }
                Some(grown)
            }
        };
        if let Some(grown) = grown {
            self.exchange(Box::into_raw(Box::new(grown)));
        }
        let Some(table) = self.table() else { return };
        let entry = table.entry(name);
        if entry.name.load(Relaxed) != 0 {
            changes::begin(&table.changes);
            entry.name.store(0, Relaxed);
            fence(Release);
        }
        let old = entry.value.replace(value);
        entry.name.store(name, Release);
        drop(writing);
        drop(old);
    }
    /// Forgets everything.
    pub fn clear(&self) {
        let writing = self.writing.lock();
        self.generation.fetch_add(1, AcqRel);
        let old = self.table.swap(std::ptr::null_mut(), AcqRel);
        drop(writing);
        Self::forget(old);
    }
    fn exchange(&self, new: *mut Table) {
        Self::forget(self.table.swap(new, AcqRel));
    }
    fn forget(old: *mut Table) {
        if !old.is_null() {
            // SAFETY: the table is still whole.
            let bytes = unsafe { &*old }.entries.len() * size_of::<Entry>();
            retire(Outgrown(old), bytes);
        }
    }
}
impl Drop for FoundNames {
    fn drop(&mut self) {
        let table = *self.table.get_mut();
        if !table.is_null() {
            drop(Outgrown(table));
        }
    }
}
