//! `List`: the storage of `list`. Methods are in `runtime/src/types/list`.
//!
//! A list that several threads read time and again gets a *view* (`viewed`): items are then read without the lock. Whoever
//! takes the lock to change the list gives it other memory first, and leaves the old one to the readers.
use std::hint::cold_path;

use crate::builtin_types::LIST;
use crate::header::multi;
use crate::locked::{Guard, Locked};
use crate::refs::{Payload, Ref};
use crate::type_object::TypeObject;
use crate::value::Value;
use krait_macros::Trace;

mod viewed;

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
        self.items.lock_forgetting(|items| self.forget_view(items))
    }
    #[inline(always)]
    pub fn len(&self) -> usize {
        if multi()
            && let Some(len) = self.viewed_len()
        {
            return len;
        }
        self.items.lock().len()
    }
    /// The item at an index, which counts from the end if it is negative.
    #[inline(always)]
    pub fn at(&self, index: i64) -> Option<Value> {
        if multi() {
            cold_path();
            return self.at_multi(index);
        }
        let items = self.items.lock();
        place(index, items.len()).map(|i| items[i].clone())
    }
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
    #[inline(always)]
    pub fn get(&self, i: usize) -> Option<Value> {
        if multi() {
            cold_path();
            return self.at_multi(i64::try_from(i).ok()?);
        }
        let items = self.items.lock();
        if i < items.len() { Some(items[i].clone()) } else { None }
    }
    #[inline(always)]
    pub fn push(&self, v: Value) {
        self.lock().push(v);
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
        let mut items = self.lock();
        if items.len() == items.capacity() && items.try_reserve(1).is_err() {
            return Err(v);
        }
        items.push(v);
        Ok(())
    }
    /// Replaces all items and returns the old ones.
    pub fn replace(&self, items: Vec<Value>) -> Vec<Value> {
        std::mem::replace(&mut *self.lock(), items)
    }
}
impl Drop for List {
    #[inline(always)]
    fn drop(&mut self) {
        if *self.items.view.get_mut() != 0 {
            self.drop_view();
        }
    }
}

/// Place of an index in a list of `len` items.
#[inline(always)]
fn place(index: i64, len: usize) -> Option<usize> {
    let index = if index < 0 { index + len as i64 } else { index };
    usize::try_from(index).ok().filter(|&i| i < len)
}
/// A copy of the items; `None` without memory.
pub fn try_copy<T: Clone>(items: &[T]) -> Option<Vec<T>> {
    let mut copy = Vec::new();
    copy.try_reserve_exact(items.len()).ok()?;
    copy.extend_from_slice(items);
    Some(copy)
}
