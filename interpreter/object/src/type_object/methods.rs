//! The table of a type's attributes that inline caches name by index. Read without a lock: entries are written once
//! before the index is given out, and a table that is outgrown or invalid is retired.
use std::sync::atomic::{AtomicPtr, AtomicUsize, Ordering::*};

use crate::locked::{Guard, Locked, ValueCell};
use crate::retired::retire;
use crate::trace::{Trace, Tracer};
use crate::value::Value;

struct Table {
    len: AtomicUsize,
    cells: Box<[ValueCell]>,
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

pub(super) struct Methods {
    table: AtomicPtr<Table>,
    writing: Locked<()>,
}
// SAFETY: every entry once.
unsafe impl Trace for Methods {
    fn trace(&self, tracer: &mut Tracer<'_>) {
        for cell in self.table().iter().flat_map(|t| t.cells.iter()) {
            cell.trace(tracer);
        }
    }
}
impl Methods {
    pub const fn new() -> Methods {
        Methods { table: AtomicPtr::new(std::ptr::null_mut()), writing: Locked::new(()) }
    }
    fn table(&self) -> Option<&Table> {
        // SAFETY: a table that leaves the cell lives until no thread reads it.
        unsafe { self.table.load(Acquire).as_ref() }
    }
    #[inline(always)]
    pub fn get(&self, index: u16) -> Option<Value> {
        self.table()?.cells.get(index as usize)?.get()
    }
    /// The index of `value`, entered if it is not there.
    pub fn enter(&self, value: &Value) -> Option<u16> {
        let _writing = self.writing.lock();
        let len = self.table().map_or(0, |t| t.len.load(Relaxed));
        if let Some(t) = self.table()
            && let Some(at) = t.cells[..len].iter().position(|c| c.bits() == value.bits())
        {
            return u16::try_from(at).ok();
        }
        let index = u16::try_from(len).ok()?;
        if self.table().is_none_or(|t| t.cells.len() == len) {
            let cells = (0..(len * 2).max(4))
                .map(|i| ValueCell::new(self.table().and_then(|t| t.cells.get(i)).and_then(ValueCell::get)));
            let grown = Table { len: AtomicUsize::new(len), cells: cells.collect() };
            self.exchange(Box::into_raw(Box::new(grown)));
        }
        let t = self.table()?;
        t.cells[len].set(Some(value.clone()));
        t.len.store(len + 1, Release);
        Some(index)
    }
    /// While this lives nothing is entered, and the type gets no new version.
    pub fn write(&self) -> Guard<'_, ()> {
        self.writing.lock()
    }
    /// Forgets all entries. What caches have read before is checked again by the type's version.
    pub fn clear(&self, writing: Guard<'_, ()>) {
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
            let bytes = unsafe { &*old }.cells.len() * size_of::<ValueCell>();
            retire(Outgrown(old), bytes);
        }
    }
}
impl Drop for Methods {
    fn drop(&mut self) {
        let table = *self.table.get_mut();
        if !table.is_null() {
            drop(Outgrown(table));
        }
    }
}
