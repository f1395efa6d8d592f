//! `List`: the storage of `list`. Methods are in `runtime/src/types/list`.
use crate::builtin_types::LIST;
use crate::locked::{Guard, Locked};
use crate::refs::{Payload, Ref};
use crate::type_object::TypeObject;
use crate::value::Value;
use krait_macros::Trace;

#[derive(Trace, Default)]
pub struct List {
    items: Locked<Vec<Value>>,
}
// SAFETY: LIST is built with this payload's vtable.
unsafe impl Payload for List {
    #[inline(always)]
    fn class() -> &'static TypeObject {
        &LIST
    }
}

impl List {
    pub fn payload(items: Vec<Value>) -> List {
        List { items: Locked::own(items) }
    }
    pub fn new(items: Vec<Value>) -> Ref<List> {
        Ref::new(Self::payload(items))
    }
    /// The items, exclusively. No Python code may run while the guard lives.
    #[inline(always)]
    pub fn lock(&self) -> Guard<'_, Vec<Value>> {
        self.items.lock()
    }
    #[inline(always)]
    pub fn len(&self) -> usize {
        self.items.lock().len()
    }
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
    #[inline(always)]
    pub fn get(&self, i: usize) -> Option<Value> {
        self.items.lock().get(i).cloned()
    }
    #[inline(always)]
    pub fn push(&self, v: Value) {
        self.items.lock().push(v);
    }
    /// A copy of the items: what iterating code uses when Python code runs in between.
    pub fn to_vec(&self) -> Vec<Value> {
        self.items.lock().clone()
    }
    /// The same; `None` without memory.
    pub fn try_to_vec(&self) -> Option<Vec<Value>> {
        try_copy(&self.items.lock())
    }
    /// Appends; the value comes back where there is no memory.
    pub fn try_push(&self, v: Value) -> Result<(), Value> {
        let mut items = self.items.lock();
        if items.len() == items.capacity() && items.try_reserve(1).is_err() {
            return Err(v);
        }
        items.push(v);
        Ok(())
    }
    /// Replaces all items and returns the old ones.
    pub fn replace(&self, items: Vec<Value>) -> Vec<Value> {
        std::mem::replace(&mut *self.items.lock(), items)
    }
    /// The storage, for the fast paths of the VM.
    #[inline(always)]
    pub fn cell(&self) -> &Locked<Vec<Value>> {
        &self.items
    }
}

/// A copy of the items; `None` without memory.
pub fn try_copy<T: Clone>(items: &[T]) -> Option<Vec<T>> {
    let mut copy = Vec::new();
    copy.try_reserve_exact(items.len()).ok()?;
    copy.extend_from_slice(items);
    Some(copy)
}
