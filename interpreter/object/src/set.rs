//! `Set`: the storage of `set` and `frozenset`. Methods are in `runtime/src/types/set`.
use crate::PyResult;
use crate::builtin_types::SET;
use crate::compare::{Key, hash_value, key_eq};
use crate::header::multi;
use crate::locked::{Guard, Locked};
use crate::refs::{Payload, Ref};
use crate::table::{Found, NotQuick, Quick, Same, Table};
use crate::thread::Thread;
use crate::type_object::TypeObject;
use crate::value::Value;
use krait_macros::Trace;
use std::sync::atomic::AtomicU64;

#[derive(Trace, Default)]
pub struct Set {
    table: Locked<Table<()>>,
    /// Cached hash plus one, for `frozenset`; 0 = not computed.
    pub hash: AtomicU64,
}
// SAFETY: SET is built with this payload's vtable; FROZENSET shares the layout (see `FrozenSet`).
unsafe impl Payload for Set {
    #[inline(always)]
    fn class() -> &'static TypeObject {
        &SET
    }
}
/// `frozenset`'s payload.
#[derive(Trace)]
#[repr(transparent)]
pub struct FrozenSet(pub Set);
// SAFETY: FROZENSET is built with this payload's vtable.
unsafe impl Payload for FrozenSet {
    #[inline(always)]
    fn class() -> &'static TypeObject {
        &crate::builtin_types::FROZENSET
    }
}

impl Value {
    /// The elements of a set or frozenset (or instance of a subclass).
    pub fn as_any_set(&self) -> Option<&Set> {
        self.downcast_ref::<Set>().or_else(|| self.downcast_ref::<FrozenSet>().map(|f| &f.0))
    }
}

impl Set {
    pub fn new() -> Ref<Set> {
        Ref::new(Set::default())
    }
    #[inline(always)]
    pub fn lock(&self) -> Guard<'_, Table<()>> {
        self.table.lock()
    }
    pub fn from_table(table: Table<()>) -> Set {
        Set { table: Locked::own(table), hash: AtomicU64::new(0) }
    }
    pub fn len(&self) -> usize {
        self.table.lock().len()
    }
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
    /// Whether a key whose hash and equality need no Python code is there; `Err` where that must be asked.
    #[inline(always)]
    pub fn contains_quick(&self, key: &Value) -> Result<bool, NotQuick> {
        let Some(quick) = Quick::of(key) else { return Err(NotQuick) };
        if multi() {
            return self.contains_multi(&quick);
        }
        Ok(self.table.lock().find_quick(&quick)?.is_some())
    }
    #[inline(never)]
    fn contains_multi(&self, quick: &Quick<'_>) -> Result<bool, NotQuick> {
        // SAFETY: the table is this live set's.
        if let Some(look) = unsafe { Table::look(self.table.as_ptr(), || self.table.is_free()) }
            && let Some(found) = look.find(quick)
            && look.holds()
        {
            return Ok(found.is_some());
        }
        let mut t = self.table.lock();
        let found = t.find_quick(quick)?.is_some();
        if self.table.is_shared() && !t.is_viewed() {
            t.make_view();
        }
        Ok(found)
    }
    /// Adds such a key; `Err` where that must be asked, or memory is needed.
    #[inline(always)]
    pub fn add_quick(&self, key: &Value) -> Result<(), NotQuick> {
        let Some(quick) = Quick::of(key) else { return Err(NotQuick) };
        let mut t = self.table.lock();
        if t.find_quick(&quick)?.is_none() {
            if !t.has_room() {
                return Err(NotQuick);
            }
            t.push(quick.hash(), key.clone(), ());
        }
        Ok(())
    }
    /// Runs `then` on the table and the place of `key` (or none) under one lock.
    pub fn with_place<R>(
        &self,
        th: &mut Thread,
        key: &Value,
        hash: i64,
        then: impl FnOnce(&mut Table<()>, Option<usize>) -> R,
    ) -> PyResult<R> {
        let wanted = Key::new(key);
        // Places and keys that `__eq__` has refused; as in CPython, what it does to other entries starts nothing anew.
        let mut rejected: Vec<(usize, Value)> = Vec::new();
        loop {
            let mut table = self.table.lock();
            let found = table.find(hash, |i, k| {
                if rejected.iter().any(|(place, held)| *place == i && held.is(k)) { Same::No } else { wanted.same(k) }
            });
            match found {
                Found::At(i) => return Ok(then(&mut table, Some(i))),
                Found::Absent => return Ok(then(&mut table, None)),
                Found::Ask(i) => {
                    let candidate = table.at(i).map(|(k, _)| k.clone());
                    drop(table);
                    let Some(candidate) = candidate else { continue };
                    if key_eq(th, &candidate, key)? {
                        let mut table = self.table.lock();
                        if table.at(i).is_some_and(|(k, _)| k.is(&candidate)) {
                            return Ok(then(&mut table, Some(i)));
                        }
                        rejected.clear();
                    } else {
                        rejected.push((i, candidate));
                    }
                }
            }
        }
    }

    pub fn contains(&self, th: &mut Thread, key: &Value) -> PyResult<bool> {
        let hash = hash_value(th, key)?;
        self.contains_hashed(th, key, hash)
    }
    pub fn contains_hashed(&self, th: &mut Thread, key: &Value, hash: i64) -> PyResult<bool> {
        self.with_place(th, key, hash, |_, i| i.is_some())
    }
    /// True if the element is new.
    pub fn add(&self, th: &mut Thread, key: Value) -> PyResult<bool> {
        let hash = hash_value(th, &key)?;
        self.add_hashed(th, key, hash)
    }
    pub fn add_hashed(&self, th: &mut Thread, key: Value, hash: i64) -> PyResult<bool> {
        let kept = key.clone();
        let added = self.with_place(th, &key, hash, |t, i| match i {
            Some(_) => Some(false),
            None => t.push(hash, kept, ()).then_some(true),
        })?;
        added.ok_or_else(|| (th.hooks().no_memory)(th))
    }
    /// True if the element was there.
    pub fn discard(&self, th: &mut Thread, key: &Value) -> PyResult<bool> {
        let hash = hash_value(th, key)?;
        self.discard_hashed(th, key, hash)
    }
    pub fn discard_hashed(&self, th: &mut Thread, key: &Value, hash: i64) -> PyResult<bool> {
        let pair = self.with_place(th, key, hash, |t, i| i.and_then(|i| t.remove_at(i)))?;
        Ok(pair.is_some())
    }
    /// Removes and returns the first element.
    pub fn pop(&self) -> Option<Value> {
        let mut t = self.table.lock();
        let place = t.next_place(0)?;
        t.remove_at(place).map(|(k, ())| k)
    }
    /// The first element at or after place `from`, and the place to go on from.
    pub fn next_entry(&self, from: usize) -> Option<(usize, Value)> {
        let t = self.table.lock();
        let i = t.next_place(from)?;
        t.at(i).map(|(k, ())| (i + 1, k.clone()))
    }
    pub fn to_vec(&self) -> Vec<Value> {
        self.table.lock().iter().map(|(k, ())| k.clone()).collect()
    }
    /// Elements with their hashes.
    pub fn to_hashed_vec(&self) -> Vec<(i64, Value)> {
        self.table.lock().iter_hashed().map(|(h, (k, ()))| (h, k.clone())).collect()
    }
    pub fn copy_table(&self) -> Table<()> {
        self.table.lock().copy()
    }
    pub fn clear(&self) {
        let old = self.table.lock().take();
        drop(old);
    }
    pub fn swap_table(&self, other: Table<()>) -> Table<()> {
        std::mem::replace(&mut *self.table.lock(), other)
    }
}
