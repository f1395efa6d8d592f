//! `Dict`: the storage of `dict`. Methods are in `runtime/src/types/dict`. No lock is held while `__eq__` or `__hash__`
//! runs: the key is cloned, the dict unlocked, and the search starts again if the keys changed meanwhile.
use std::mem::ManuallyDrop;
use std::ops::{Deref, DerefMut};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed};

use crate::builtin_types::DICT;
use crate::compare::{Key, hash_value, key_eq};
use crate::header::{Header, multi};
use crate::instance::view;
use crate::locked::{Guard, Locked};
use crate::refs::{Payload, Ref};
use crate::str::Str;
use crate::table::unlocked::Look;
use crate::table::{Found, NotQuick, Quick, Same, Table};
use crate::thread::Thread;
use crate::type_object::TypeObject;
use crate::value::Value;
use crate::{PyResult, Raised};
use krait_macros::Trace;

#[derive(Trace, Default)]
pub struct Dict {
    table: Locked<Table<Value>>,
    /// The address of the instance whose slots the dict is a view of; 0 = the table holds the items. Changes under the lock.
    #[trace(skip)]
    owner: AtomicUsize,
}
/// Exclusive access to the items.
pub struct DictGuard<'a> {
    table: ManuallyDrop<Guard<'a, Table<Value>>>,
    /// The dict, if it is a view.
    view: Option<&'a Dict>,
}
impl Deref for DictGuard<'_> {
    type Target = Table<Value>;
    #[inline(always)]
    fn deref(&self) -> &Table<Value> {
        &self.table
    }
}
impl DerefMut for DictGuard<'_> {
    #[inline(always)]
    fn deref_mut(&mut self) -> &mut Table<Value> {
        if multi() && self.table.is_viewed() {
            crate::foreign::stores_plainly();
        }
        &mut self.table
    }
}
/// The instance that a dict is a view of, and a name, with the dict's lock.
struct SlotsGuard<'a> {
    _lock: Guard<'a, Table<Value>>,
    owner: usize,
    name: Ref<Str>,
}
impl SlotsGuard<'_> {
    fn get(&self) -> Option<Value> {
        // SAFETY: the owner is alive while it is set, which changes under the lock.
        unsafe { view::get(self.owner, &self.name) }
    }
    fn set(&self, value: Value) -> Result<Option<Value>, Value> {
        // SAFETY: as above.
        unsafe { view::set(self.owner, &self.name, value) }
    }
}
impl Drop for DictGuard<'_> {
    #[inline(always)]
    fn drop(&mut self) {
        if let Some(dict) = self.view {
            return self.end_view(dict);
        }
        // SAFETY: dropped once, here.
        unsafe { ManuallyDrop::drop(&mut self.table) }
    }
}
impl DictGuard<'_> {
    #[cold]
    #[inline(never)]
    fn end_view(&mut self, dict: &Dict) {
        // SAFETY: the owner is alive while it is set, which changes under the lock; the table was filled by `fill`.
        let written = unsafe { view::write_back(dict.owner.load(Relaxed), &mut self.table) };
        if written.is_err() {
            dict.owner.store(0, Relaxed);
        }
        // SAFETY: dropped once, here.
        unsafe { ManuallyDrop::drop(&mut self.table) }
        // With them the owner may go, which takes the lock.
        drop(written);
    }
}
// SAFETY: DICT is built with this payload's vtable.
unsafe impl Payload for Dict {
    #[inline(always)]
    fn class() -> &'static TypeObject {
        &DICT
    }
}

impl Drop for Dict {
    fn drop(&mut self) {
        // The collector drops contents while others of the garbage still refer to the dict: its owner, say.
        *self.owner.get_mut() = 0;
    }
}

impl Dict {
    pub fn new() -> Ref<Dict> {
        Ref::new(Dict::default())
    }
    /// A new dict that takes `n` entries without growing.
    pub fn with_room(n: usize) -> Ref<Dict> {
        Ref::new(Dict { table: Locked::own(Table::with_room(n)), owner: AtomicUsize::new(0) })
    }
    pub fn payload() -> Dict {
        Dict::default()
    }
    /// A view of the attributes that the instance at this address has in slots.
    pub(crate) fn view_of(owner: usize) -> Ref<Dict> {
        Ref::new(Dict { table: Locked::default(), owner: AtomicUsize::new(owner) })
    }
    /// The table, exclusively. No Python code may run while the guard lives.
    #[inline(always)]
    pub fn lock(&self) -> DictGuard<'_> {
        let table = self.table.lock();
        if self.owner.load(Relaxed) != 0 {
            return self.lock_view(table);
        }
        DictGuard { table: ManuallyDrop::new(table), view: None }
    }
    #[cold]
    #[inline(never)]
    fn lock_view<'a>(&'a self, mut table: Guard<'a, Table<Value>>) -> DictGuard<'a> {
        // SAFETY: the owner is alive while it is set, which changes under the lock.
        unsafe { view::fill(self.owner.load(Relaxed), &mut table) };
        DictGuard { table: ManuallyDrop::new(table), view: Some(self) }
    }
    /// The slots that this is a view of, for a key that is a `str`.
    #[inline(never)]
    fn slots(&self, key: &Value) -> Option<SlotsGuard<'_>> {
        let name = key.to_ref::<Str>().filter(|_| key.downcast_exact::<Str>().is_some())?;
        let lock = self.table.lock();
        let owner = self.owner.load(Relaxed);
        (owner != 0).then_some(SlotsGuard { _lock: lock, owner, name })
    }
    #[inline(always)]
    fn is_view(&self) -> bool {
        self.owner.load(Relaxed) != 0
    }
    /// Makes a view a dict of its own; the instance keeps it for its attributes.
    pub(crate) fn detach(&self) {
        let mut table = self.lock();
        if table.view.take().is_none() {
            return;
        }
        let owner = self.owner.swap(0, Relaxed);
        // SAFETY: as in `lock_view`; the slots are emptied.
        let dropped = unsafe { view::empty_slots(owner) };
        drop(table);
        drop(dropped);
    }
    /// The instance at this address dies: a view of it that others hold becomes a dict of its own.
    pub(crate) fn outlive(&self, owner: usize) {
        if self.is_shared() {
            self.detach_from(owner);
        } else {
            self.owner.store(0, Relaxed);
        }
    }
    /// As [`Dict::detach`], if this is a view of the instance at this address.
    pub(crate) fn detach_from(&self, owner: usize) {
        if self.owner.load(Relaxed) == owner {
            self.detach();
        }
    }
    fn is_shared(&self) -> bool {
        let object = std::ptr::from_ref(self).wrapping_byte_sub(size_of::<Header>()).cast::<Header>();
        // SAFETY: a `Dict` exists only as the payload behind an object's header, or on its way there, where it is no view.
        !unsafe { &*object }.is_unique()
    }
    #[inline(always)]
    pub fn len(&self) -> usize {
        if multi() && !self.is_view() {
            // SAFETY: the table is this live dict's.
            return unsafe { Table::len_unlocked(self.table.as_ptr()) };
        }
        self.lock().len()
    }
    /// A look at the table without the lock, in multi mode. `None`: it takes the lock.
    #[inline]
    fn look(&self) -> Option<Look<'_, Value>> {
        // SAFETY: the table is this live dict's.
        unsafe { Table::look(self.table.as_ptr(), || self.table.is_free()) }
    }
    /// Called with the lock, after others may have wanted it too: they will read without it.
    #[inline]
    fn let_others_look(&self, table: &mut DictGuard<'_>) {
        if self.table.is_shared() && table.view.is_none() && !table.is_viewed() {
            table.make_view();
        }
    }
    #[inline(never)]
    fn get_multi(&self, quick: &Quick<'_>) -> Result<Option<Value>, NotQuick> {
        if let Some(look) = self.look()
            && let Some(found) = look.find(quick)
        {
            match found {
                Some(place) => {
                    if let Some(value) = look.value(place) {
                        return Ok(Some(value));
                    }
                }
                None if look.holds() => return Ok(None),
                None => {}
            }
        }
        let mut t = self.lock();
        let place = t.find_quick(quick)?;
        let value = place.and_then(|i| t.at(i)).map(|(_, v)| v.clone());
        self.let_others_look(&mut t);
        Ok(value)
    }
    #[inline(never)]
    fn contains_multi(&self, quick: &Quick<'_>) -> Result<bool, NotQuick> {
        if let Some(look) = self.look()
            && let Some(found) = look.find(quick)
            && look.holds()
        {
            return Ok(found.is_some());
        }
        let mut t = self.lock();
        let found = t.find_quick(quick)?.is_some();
        self.let_others_look(&mut t);
        Ok(found)
    }
    #[inline(never)]
    fn next_entry_multi(&self, from: usize) -> Option<(usize, Value, Value)> {
        if let Some(look) = self.look()
            && let Some(entry) = look.next_entry(from)
        {
            return entry;
        }
        let mut t = self.lock();
        let i = t.next_place(from)?;
        let entry = t.at(i).map(|(k, v)| (i + 1, k.clone(), v.clone()));
        self.let_others_look(&mut t);
        entry
    }
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Runs `then` on the table and the place of `key` (or none) under one lock.
    pub fn with_place<R>(
        &self,
        th: &mut Thread,
        key: &Value,
        hash: i64,
        then: impl FnOnce(&mut Table<Value>, Option<usize>) -> R,
    ) -> PyResult<R> {
        let wanted = Key::new(key);
        // Places and keys that `__eq__` has refused; as in CPython, what it does to other entries starts nothing anew.
        let mut rejected: Vec<(usize, Value)> = Vec::new();
        loop {
            let mut table = self.lock();
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
                        let mut table = self.lock();
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

    pub fn get(&self, th: &mut Thread, key: &Value) -> PyResult<Option<Value>> {
        let hash = hash_value(th, key)?;
        self.get_hashed(th, key, hash)
    }
    pub fn get_hashed(&self, th: &mut Thread, key: &Value, hash: i64) -> PyResult<Option<Value>> {
        if self.is_view()
            && let Ok(found) = self.get_quick(key)
        {
            return Ok(found);
        }
        self.with_place(th, key, hash, |t, i| i.and_then(|i| t.at(i)).map(|(_, v)| v.clone()))
    }
    pub fn contains(&self, th: &mut Thread, key: &Value) -> PyResult<bool> {
        if self.is_view()
            && let Ok(found) = self.contains_quick(key)
        {
            return Ok(found);
        }
        let hash = hash_value(th, key)?;
        self.with_place(th, key, hash, |_, i| i.is_some())
    }
    pub fn set(&self, th: &mut Thread, key: Value, value: Value) -> PyResult<()> {
        let hash = hash_value(th, &key)?;
        self.set_hashed(th, key, hash, value)
    }
    pub fn set_hashed(&self, th: &mut Thread, key: Value, hash: i64, value: Value) -> PyResult<()> {
        let kept = key.clone();
        let stored = self.with_place(th, &key, hash, |t, i| match i {
            Some(i) => Ok(replace(t, i, value).ok()),
            None => t.push(hash, kept, value).then_some(None).ok_or(()),
        })?;
        match stored {
            Ok(old) => {
                drop(old);
                Ok(())
            }
            Err(()) => Err(no_memory(th)),
        }
    }
    /// The value of `key`, after storing `value` if there was none.
    pub fn set_default(&self, th: &mut Thread, key: &Value, value: &Value) -> PyResult<Value> {
        let hash = hash_value(th, key)?;
        let stored = self.with_place(th, key, hash, |t, i| match i.and_then(|i| t.at(i)) {
            Some((_, v)) => Some(v.clone()),
            None => t.push(hash, key.clone(), value.clone()).then(|| value.clone()),
        })?;
        stored.ok_or_else(|| no_memory(th))
    }
    pub fn remove(&self, th: &mut Thread, key: &Value) -> PyResult<Option<Value>> {
        let hash = hash_value(th, key)?;
        let pair = self.with_place(th, key, hash, |t, i| i.and_then(|i| t.remove_at(i)))?;
        Ok(pair.map(|(_, v)| v))
    }
    /// The last item, removed.
    pub fn pop_last(&self) -> Option<(Value, Value)> {
        self.lock().pop_last()
    }

    fn place_of_str(table: &Table<Value>, key: &Ref<Str>) -> Option<usize> {
        match table.find_identical(key.hash(), key.as_value()) {
            Found::At(i) => return Some(i),
            Found::Absent => return None,
            Found::Ask(_) => {}
        }
        let found = table.find(key.hash(), |_, k| {
            if k.bits() == key.address() as u64 {
                return Same::Yes;
            }
            match k.downcast_ref::<Str>() {
                Some(s) if s.equals(key) => Same::Yes,
                _ => Same::No,
            }
        });
        match found {
            Found::At(i) => Some(i),
            _ => None,
        }
    }
    /// The value of a key whose hash and equality need no Python code; `Err` where [`Dict::get`] must tell.
    #[inline(always)]
    pub fn get_quick(&self, key: &Value) -> Result<Option<Value>, NotQuick> {
        if self.is_view()
            && let Some(slots) = self.slots(key)
        {
            return Ok(slots.get());
        }
        let Some(quick) = Quick::of(key) else { return Err(NotQuick) };
        if multi() {
            return self.get_multi(&quick);
        }
        if self.is_view() {
            let t = self.lock();
            let place = t.find_quick(&quick)?;
            return Ok(place.and_then(|i| t.at(i)).map(|(_, v)| v.clone()));
        }
        // SAFETY: single mode, and whoever holds a guard does not look into the dict by another way.
        let t = unsafe { self.table.peek() };
        let place = t.find_quick(&quick)?;
        Ok(place.and_then(|i| t.at(i)).map(|(_, v)| v.clone()))
    }
    /// As [`Dict::get_quick`], without the value.
    #[inline(always)]
    pub fn contains_quick(&self, key: &Value) -> Result<bool, NotQuick> {
        if self.is_view() {
            return self.get_quick(key).map(|found| found.is_some());
        }
        let Some(quick) = Quick::of(key) else { return Err(NotQuick) };
        if multi() {
            return self.contains_multi(&quick);
        }
        Ok(self.lock().find_quick(&quick)?.is_some())
    }
    /// Stores without Python code and returns what was there; the value comes back where [`Dict::set`] must do it.
    #[inline(always)]
    pub fn set_quick(&self, key: &Value, value: Value) -> Result<Option<Value>, Value> {
        let value = match self.is_view().then(|| self.slots(key)).flatten() {
            Some(slots) => match slots.set(value) {
                Ok(old) => return Ok(old),
                Err(value) => value,
            },
            None => value,
        };
        let Some(quick) = Quick::of(key) else { return Err(value) };
        let mut t = self.lock();
        match t.find_quick(&quick) {
            Ok(Some(i)) => replace(&mut t, i, value).map(Some),
            Ok(None) if t.has_room() => {
                t.push(quick.hash(), key.clone(), value);
                Ok(None)
            }
            _ => Err(value),
        }
    }
    /// By text alone, never running Python code: for namespaces, whose keys are strings.
    #[inline]
    pub fn get_str(&self, key: &Ref<Str>) -> Option<Value> {
        if self.is_view()
            && let Some(slots) = self.slots(key.as_value())
        {
            return slots.get();
        }
        if multi()
            && let Some(quick) = Quick::of(key.as_value())
            && let Ok(found) = self.get_multi(&quick)
        {
            return found;
        }
        let t = self.lock();
        let place = Self::place_of_str(&t, key)?;
        t.at(place).map(|(_, v)| v.clone())
    }
    /// As [`Dict::get_str`], with the name interned on the way.
    pub fn get_text(&self, key: &str) -> Option<Value> {
        self.get_str(&crate::intern::intern(key))
    }
    /// As [`Dict::set_str`], with the name interned on the way.
    pub fn set_text(&self, key: &str, value: impl Into<Value>) {
        self.set_str(&crate::intern::intern(key), value.into());
    }
    /// By text alone, never running Python code.
    pub fn set_str(&self, key: &Ref<Str>, value: Value) {
        let old = {
            let mut t = self.lock();
            match Self::place_of_str(&t, key) {
                Some(i) => {
                    let count = t.mutations();
                    let old = replace(&mut t, i, value).ok();
                    // Stores that follow may be those of a cache.
                    t.set_mutations(count + 1);
                    old
                }
                None => {
                    t.push(key.hash(), key.to_value(), value);
                    None
                }
            }
        };
        drop(old);
    }
    pub fn remove_str(&self, key: &Ref<Str>) -> Option<Value> {
        let pair = {
            let mut t = self.lock();
            let place = Self::place_of_str(&t, key)?;
            t.remove_at(place)
        };
        pair.map(|(_, v)| v)
    }
    pub fn remove_text(&self, key: &str) -> Option<Value> {
        self.remove_str(&crate::intern::intern(key))
    }
    /// The place of a name and the version of the keys, for an inline cache.
    pub fn cache_entry(&self, key: &Ref<Str>) -> Option<(u32, u32)> {
        let mut t = self.lock();
        let place = Self::place_of_str(&t, key)?;
        t.make_view();
        let version = t.version();
        if version == 0 { None } else { Some((version, place as u32)) }
    }
    /// The id of the present set of keys, given on demand; 0 = uncacheable.
    pub fn keys_version(&self) -> u32 {
        self.lock().version()
    }
    /// The id given to the present set of keys so far, 0 = none.
    #[inline(always)]
    pub fn known_version(&self) -> u32 {
        // SAFETY: the version is an atomic.
        unsafe { self.table.peek() }.current_version()
    }
    /// The value at `place` if its key is `key` itself: what an inline cache with a hint reads.
    #[inline(always)]
    pub fn at_hint(&self, place: u32, key: &Ref<Str>) -> Option<Value> {
        let t = self.lock();
        t.at(place as usize).filter(|(k, _)| k.bits() == key.address() as u64).map(|(_, v)| v.clone())
    }
    /// Stores at `place` if its key is `key` itself.
    #[inline(always)]
    pub fn set_at_hint(&self, place: u32, key: &Ref<Str>, value: Value) -> Result<Value, Value> {
        let mut t = self.lock();
        match t.at(place as usize) {
            Some(pair) if pair.0.bits() == key.address() as u64 => replace(&mut t, place as usize, value),
            _ => Err(value),
        }
    }
    /// The place of a name, for [`Dict::at_hint`].
    pub fn hint_of(&self, key: &Ref<Str>) -> Option<u32> {
        let t = self.lock();
        Self::place_of_str(&t, key).map(|p| p as u32)
    }
    /// What an inline cache reads: the value at `place` if the keys are still those of `version` (not 0).
    #[inline(always)]
    pub fn cached(&self, version: u32, place: u32) -> Option<Value> {
        if multi() {
            // SAFETY: the table is this live dict's.
            return unsafe { Table::cached(self.table.as_ptr(), version, place) };
        }
        // SAFETY: single mode, and the VM runs no instruction while a guard lives; the value is counted at once.
        let t = unsafe { self.table.peek() };
        if version == 0 || t.current_version() != version {
            return None;
        }
        t.at(place as usize).map(|(_, v)| v.clone())
    }
    /// Stores at `place` if the keys are still those of `version`. It is not counted: see [`Dict::state`].
    #[inline(always)]
    pub fn cached_set(&self, version: u32, place: u32, value: Value) -> Result<Value, Value> {
        let mut t = self.lock();
        if version == 0 || t.current_version() != version {
            return Err(value);
        }
        match t.at_mut(place as usize) {
            Some(pair) => Ok(std::mem::replace(&mut pair.1, value)),
            None => Err(value),
        }
    }
    /// As [`Dict::next_entry`], in one look with the length: `None` also where that is not `used`.
    #[inline(always)]
    pub fn step(&self, place: usize, used: usize) -> Option<(usize, Value, Value)> {
        if multi() && !self.is_view() {
            std::hint::cold_path();
            return self.next_entry_multi(place).filter(|_| self.len() == used);
        }
        let t = self.lock();
        if t.len() != used {
            return None;
        }
        let i = t.next_place(place)?;
        t.at(i).map(|(k, v)| (i + 1, k.clone(), v.clone()))
    }

    /// The first entry at or after place `from`, and the place to go on from.
    #[inline(always)]
    pub fn next_entry(&self, from: usize) -> Option<(usize, Value, Value)> {
        if multi() && !self.is_view() {
            std::hint::cold_path();
            return self.next_entry_multi(from);
        }
        let t = self.lock();
        let i = t.next_place(from)?;
        t.at(i).map(|(k, v)| (i + 1, k.clone(), v.clone()))
    }
    /// The last entry before place `before`, and its place.
    pub fn prev_entry(&self, before: usize) -> Option<(usize, Value, Value)> {
        let t = self.lock();
        let i = t.prev_place(before)?;
        t.at(i).map(|(k, v)| (i, k.clone(), v.clone()))
    }
    pub fn keys(&self) -> Vec<Value> {
        self.lock().iter().map(|(k, _)| k.clone()).collect()
    }
    pub fn values(&self) -> Vec<Value> {
        self.lock().iter().map(|(_, v)| v.clone()).collect()
    }
    pub fn items(&self) -> Vec<(Value, Value)> {
        self.lock().iter().cloned().collect()
    }
    pub fn copy(&self) -> Ref<Dict> {
        let table = self.lock().copy();
        Ref::new(Dict { table: Locked::own(table), owner: AtomicUsize::new(0) })
    }
    pub fn clear(&self) {
        let mut table = self.lock();
        if table.places() != 0 {
            let old = table.take();
            drop(table);
            drop(old);
        }
    }
    /// Names this state of this dict among all states of all dicts (PEP 509): the number of the dict, given when it is
    /// first asked for, above the count of its changes. Inline caches lose the dict, so that the first store that they
    /// would have made after this is made, and counted, without them.
    pub fn state(&self) -> u64 {
        const COUNT_BITS: u32 = 40;
        static NEXT: AtomicU64 = AtomicU64::new(1);
        self.detach();
        let mut table = self.lock();
        let mut state = table.mutations();
        if state >> COUNT_BITS == 0 {
            state = NEXT.fetch_add(1, Relaxed) << COUNT_BITS;
        }
        let mut copy = table.copy();
        copy.set_mutations(state);
        let old = std::mem::replace(&mut *table, copy);
        drop(table);
        drop(old);
        state
    }
    /// Exchanges the contents.
    pub fn swap_table(&self, other: Table<Value>) -> Table<Value> {
        std::mem::replace(&mut *self.lock(), other)
    }
}

/// Exchanges the value at `place`; another one is a change.
#[inline(always)]
fn replace(table: &mut Table<Value>, place: usize, value: Value) -> Result<Value, Value> {
    let Some(pair) = table.at_mut(place) else { return Err(value) };
    let changed = !pair.1.is(&value);
    let old = std::mem::replace(&mut pair.1, value);
    table.set_mutations(table.mutations() + u64::from(changed));
    Ok(old)
}
#[cold]
fn no_memory(th: &mut Thread) -> Raised {
    (th.hooks().no_memory)(th)
}
