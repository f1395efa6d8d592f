//! Interior mutability for payloads: `Locked<T>` (a container's mutable part behind its lock byte) and `ValueCell` (one
//! word that holds an optional value).
//!
//! In single mode a lock is a plain byte that only finds re-entry; in multi mode it is one of `lock`. Discipline: no lock is
//! held while Python code runs or at a safe point. Dropping a value under a lock is fine: `Drop` never runs Python code.
use std::cell::UnsafeCell;
use std::ops::{Deref, DerefMut};
use std::sync::atomic::{AtomicU8, AtomicU16, AtomicU32, AtomicU64, AtomicUsize, Ordering::*};

use crate::cell::{Content, load_counted, try_load_counted};
use crate::dict::Dict;
use crate::foreign;
use crate::header::flag;
use crate::header::{Header, multi};
use crate::list::List;
use crate::lock::{self, Lock};
use crate::sync::{heavy_barrier, light_barrier, relax};
use crate::tuple::Tuple;
use crate::value::Value;

pub struct Locked<T> {
    lock: Lock,
    /// How others read the content without the lock, where they do (`list/viewed.rs`); 0 = they do not.
    pub(crate) view: AtomicU32,
    cell: UnsafeCell<T>,
}

// SAFETY: access to the cell goes through the lock; in single mode one thread runs.
unsafe impl<T: Send> Sync for Locked<T> {}
// SAFETY: owning the cell is owning `T`.
unsafe impl<T: Send> Send for Locked<T> {}

/// In single mode a lock only finds re-entry.
#[inline(always)]
fn enter_single(busy: &AtomicU8) {
    assert!(busy.load(Relaxed) == 0, "a container lock was taken twice");
    busy.store(1, Relaxed);
}
/// Takes the lock of the object's instance tail: its thread by the byte in the header, as with [`Lock`], the others by one of
/// [`STRIPES`].
#[inline(always)]
pub(crate) fn acquire_tail(h: &Header) {
    if !multi() {
        return enter_single(&h.lock);
    }
    if !acquire_own_tail(h) {
        acquire_stripe(h);
    }
}
/// As [`acquire_tail`] where the object's own thread is the only one to take the lock, in multi mode; released by [`release_own_tail`].
#[inline(always)]
pub(crate) fn acquire_own_tail(h: &Header) -> bool {
    if !h.is_own() {
        return false;
    }
    h.lock.store(1, Relaxed);
    light_barrier();
    if h.flags() & flag::SHARED != 0 {
        h.lock.store(0, Release);
        return false;
    }
    true
}
#[inline(always)]
pub(crate) fn release_own_tail(h: &Header) {
    h.lock.store(0, Release);
}
#[inline(always)]
pub(crate) fn release_tail(h: &Header) {
    if !multi() || h.is_own() && h.lock.load(Relaxed) != 0 {
        h.lock.store(0, Release);
    } else {
        release_stripe(h);
    }
}
/// A lock for many instances. A thread may hold it for several of them.
struct Stripe {
    /// What only the holder has the address of; 0 = free.
    holder: AtomicUsize,
    depth: AtomicU32,
}
static STRIPES: [Stripe; 256] = [const { Stripe { holder: AtomicUsize::new(0), depth: AtomicU32::new(0) } }; 256];
thread_local! {
    static HOLDER: u8 = const { 0 };
}
fn stripe_of(h: &Header) -> &'static Stripe {
    &STRIPES[std::ptr::from_ref(h) as usize >> 4 & (STRIPES.len() - 1)]
}
#[cold]
#[inline(never)]
fn acquire_stripe(h: &Header) {
    let (stripe, me) = (stripe_of(h), HOLDER.with(|h| std::ptr::from_ref(h) as usize));
    if stripe.holder.load(Relaxed) != me {
        let mut spins = 0u32;
        while stripe.holder.load(Relaxed) != 0 || stripe.holder.compare_exchange_weak(0, me, Acquire, Relaxed).is_err()
        {
            spins += 1;
            relax(spins);
        }
    }
    stripe.depth.fetch_add(1, Relaxed);
    if h.flags() & flag::SHARED == 0 {
        h.set_flag(flag::SHARED);
        heavy_barrier();
        lock::wait_for(&h.lock);
    }
}
#[cold]
#[inline(never)]
fn release_stripe(h: &Header) {
    let stripe = stripe_of(h);
    if stripe.depth.fetch_sub(1, Relaxed) == 1 {
        stripe.holder.store(0, Release);
    }
}
impl<T> Locked<T> {
    pub const fn new(value: T) -> Self {
        let lock = Lock { busy: AtomicU8::new(0), shared: AtomicU8::new(0), owner: AtomicU16::new(0) };
        Locked { lock, view: AtomicU32::new(0), cell: UnsafeCell::new(value) }
    }
    /// As [`Locked::new`], with a lock that belongs to the calling thread from the beginning.
    #[inline(always)]
    pub fn own(value: T) -> Self {
        let lock = Lock { busy: AtomicU8::new(0), shared: AtomicU8::new(0), owner: AtomicU16::new(foreign::maker()) };
        Locked { lock, view: AtomicU32::new(0), cell: UnsafeCell::new(value) }
    }
    /// Exclusive access. Never run Python code while the guard lives.
    #[inline(always)]
    pub fn lock(&self) -> Guard<'_, T> {
        if multi() {
            lock::acquire(&self.lock, foreign::own())
        } else {
            enter_single(&self.lock.busy)
        }
        Guard { owner: self }
    }
    pub fn get_mut(&mut self) -> &mut T {
        self.cell.get_mut()
    }
    pub fn into_inner(self) -> T {
        self.cell.into_inner()
    }
    /// The content without the lock.
    ///
    /// # Safety
    /// Single mode and no guard alive, or the world is stopped; the reference must not outlive the next store.
    #[inline(always)]
    pub unsafe fn peek(&self) -> &T {
        // SAFETY: the caller promises that nothing else accesses the cell.
        unsafe { &*self.cell.get() }
    }
    /// As [`Locked::lock`]; in multi mode `forget` runs with the lock if there is something in `view`.
    #[inline(always)]
    pub(crate) fn lock_forgetting(&self, forget: impl FnOnce(&mut T)) -> Guard<'_, T> {
        if !multi() {
            enter_single(&self.lock.busy);
            return Guard { owner: self };
        }
        lock::acquire(&self.lock, foreign::own());
        let mut guard = Guard { owner: self };
        if self.view.load(Relaxed) != 0 {
            forget(&mut guard);
        }
        guard
    }
    /// Whether nobody holds the lock, in multi mode: what whoever held it wrote can be seen then.
    #[inline(always)]
    pub(crate) fn is_free(&self) -> bool {
        lock::is_free(&self.lock)
    }
    /// Whether several threads use the lock.
    #[inline(always)]
    pub(crate) fn is_shared(&self) -> bool {
        self.lock.shared.load(Relaxed) != 0
    }
    /// The content's address, for what can be read while others hold the lock.
    pub(crate) fn as_ptr(&self) -> *const T {
        self.cell.get()
    }
    /// The content without the lock, mutable.
    ///
    /// # Safety
    /// As [`Locked::peek`], and no other reference into the cell is alive.
    #[inline(always)]
    #[expect(clippy::mut_from_ref, reason = "the lock discipline stands in for the borrow")]
    pub unsafe fn peek_mut(&self) -> &mut T {
        // SAFETY: the caller promises exclusive access.
        unsafe { &mut *self.cell.get() }
    }
}

impl<T: Clone> Locked<T> {
    pub fn get(&self) -> T {
        self.lock().clone()
    }
    pub fn set(&self, value: T) {
        let old = std::mem::replace(&mut *self.lock(), value);
        drop(old);
    }
}

impl<T: Default> Default for Locked<T> {
    fn default() -> Self {
        Locked::own(T::default())
    }
}

pub struct Guard<'a, T> {
    owner: &'a Locked<T>,
}
impl<T> Deref for Guard<'_, T> {
    type Target = T;
    #[inline(always)]
    fn deref(&self) -> &T {
        // SAFETY: the guard holds the lock.
        unsafe { &*self.owner.cell.get() }
    }
}
impl<T> DerefMut for Guard<'_, T> {
    #[inline(always)]
    fn deref_mut(&mut self) -> &mut T {
        // SAFETY: the guard holds the lock exclusively.
        unsafe { &mut *self.owner.cell.get() }
    }
}
impl<T> Drop for Guard<'_, T> {
    #[inline(always)]
    fn drop(&mut self) {
        let lock = &self.owner.lock;
        if multi() { lock::release(lock, foreign::own()) } else { lock.busy.store(0, Release) }
    }
}

/// An optional value in one word, shared between threads.
#[repr(transparent)]
pub struct ValueCell(AtomicU64);

impl ValueCell {
    pub const fn empty() -> ValueCell {
        ValueCell(AtomicU64::new(0))
    }
    pub fn new(value: Option<Value>) -> ValueCell {
        ValueCell(AtomicU64::new(value.map_or(0, Value::into_bits)))
    }
    /// A counted copy of the content.
    #[inline(always)]
    pub fn get(&self) -> Option<Value> {
        let bits = self.0.load(Acquire);
        if bits == 0 {
            return None;
        }
        // SAFETY: the cell owns the reference. Only the calling thread frees its own objects; the copy is counted before
        // it does anything else.
        let held = std::mem::ManuallyDrop::new(unsafe { Value::from_bits(bits) });
        if multi() && held.header().is_some_and(foreign::is_others) {
            return load_word(&self.0);
        }
        Some(Value::clone(&held))
    }
    #[inline(always)]
    pub fn is_set(&self) -> bool {
        self.0.load(Relaxed) != 0
    }
    /// The raw word, for identity checks only.
    #[inline(always)]
    pub fn bits(&self) -> u64 {
        self.0.load(Relaxed)
    }
    /// Stores and returns the previous content.
    #[inline(always)]
    pub fn replace(&self, value: Option<Value>) -> Option<Value> {
        let bits = value.map_or(0, Value::into_bits);
        let old = if multi() { self.0.swap(bits, SeqCst) } else { self.swap(bits) };
        // SAFETY: the cell owned the reference it held; it is now ours.
        if old == 0 { None } else { Some(unsafe { Value::from_bits(old) }) }
    }
    /// As [`ValueCell::replace`] where nobody else stores meanwhile, in multi mode.
    #[inline(always)]
    pub(crate) fn replace_alone(&self, value: Option<Value>) -> Option<Value> {
        let old = self.swap(value.map_or(0, Value::into_bits));
        if Value::bits_are_pointer(old) {
            foreign::stores_plainly();
        }
        // SAFETY: the cell owned the reference it held; it is now ours.
        if old == 0 { None } else { Some(unsafe { Value::from_bits(old) }) }
    }
    #[inline(always)]
    fn swap(&self, bits: u64) -> u64 {
        let old = self.0.load(Relaxed);
        self.0.store(bits, Relaxed);
        old
    }
    #[inline(always)]
    pub fn set(&self, value: Option<Value>) {
        drop(self.replace(value));
    }
    /// Stores `value` only if the cell is empty; returns what the cell holds then.
    pub fn get_or_set(&self, value: Value) -> Value {
        let bits = value.clone().into_bits();
        match self.0.compare_exchange(0, bits, AcqRel, Acquire) {
            Ok(_) => value,
            Err(_) => {
                // SAFETY: the cell did not take the reference.
                drop(unsafe { Value::from_bits(bits) });
                self.get().unwrap_or(value)
            }
        }
    }
    pub fn take(&self) -> Option<Value> {
        self.replace(None)
    }
    /// An item of the exact list that the cell holds.
    #[inline(always)]
    pub fn list_item(&self, i: usize) -> Option<Value> {
        self.with(|v| v.downcast_exact::<List>()?.get(i))
    }
    /// An item of the exact tuple that the cell holds.
    #[inline(always)]
    pub fn tuple_item(&self, i: usize) -> Option<Value> {
        self.with(|v| v.downcast_exact::<Tuple>()?.get(i).cloned())
    }
    /// [`Dict::step`] of the exact dict that the cell holds.
    #[inline(always)]
    pub fn dict_step(&self, place: usize, used: usize) -> Option<(usize, Value, Value)> {
        self.with(|v| v.downcast_exact::<Dict>()?.step(place, used))
    }
    /// The item at `place` of the exact dict that the cell holds, if its keys are those of `version` (see [`Dict::cached`]).
    #[inline(always)]
    pub fn cached_item(&self, version: u32, place: u32) -> Option<Value> {
        self.with(|v| v.downcast_exact::<Dict>()?.cached(version, place))
    }
    /// Looks at the content, without counting it where it is the calling thread's: `f` must not change the cell.
    #[inline(always)]
    pub(crate) fn with<R>(&self, f: impl FnOnce(&Value) -> Option<R>) -> Option<R> {
        let bits = self.0.load(Acquire);
        if bits == 0 {
            return None;
        }
        if multi()
            && let Some(h) = header_of(bits)
            && foreign::is_others(h)
            && foreign::noted(h).is_none()
        {
            return f(&load_word(&self.0)?);
        }
        // SAFETY: the cell owns the reference. If others change the cell meanwhile, only the calling thread frees the
        // content, and it runs `f`; or it has noted the object, which lives until the world stops.
        let held = std::mem::ManuallyDrop::new(unsafe { Value::from_bits(bits) });
        f(&held)
    }
}

/// The value in a word that owns it, 0 = none, while other threads may replace it.
#[expect(clippy::redundant_closure, reason = "a function passed by reference is called, a closure inlined")]
#[inline(never)]
fn load_word(word: &AtomicU64) -> Option<Value> {
    match load_noted(word, || true) {
        // SAFETY: counted, or an immediate.
        None => unsafe { value_of(load_counted(word, |bits| content(bits), |bits| note(bits))) },
        loaded => loaded?,
    }
}
/// What the word holds, if the calling thread has noted references to it before: then it is alive until the world stops, and
/// nothing need be looked at but the thread's own table. `None`: it has not; `Some(None)`: the word is not valid.
#[inline(always)]
fn load_noted(word: &AtomicU64, valid: impl Fn() -> bool) -> Option<Option<Value>> {
    let bits = word.load(Acquire);
    let noted = foreign::noted(header_of(bits)?)?;
    if !valid() {
        return Some(None);
    }
    noted.add();
    // SAFETY: just counted.
    Some(Some(unsafe { Value::from_bits(bits) }))
}
/// As [`load_word`], of a word that may keep what it does not own any more: `None` then; `valid` says whether it does.
#[expect(clippy::redundant_closure, reason = "a function passed by reference is called, a closure inlined")]
#[inline(always)]
pub(crate) fn try_load_word(word: &AtomicU64, valid: impl Fn() -> bool) -> Option<Value> {
    if let Some(loaded) = load_noted(word, &valid) {
        return loaded;
    }
    // SAFETY: counted, or an immediate.
    unsafe { value_of(try_load_counted(word, |bits| content(bits), || valid(), |bits| note(bits))?) }
}
/// # Safety
/// The bits are 0 or a counted value's.
#[inline(always)]
unsafe fn value_of(bits: u64) -> Option<Value> {
    // SAFETY: by the caller's promise.
    if bits == 0 { None } else { Some(unsafe { Value::from_bits(bits) }) }
}
/// The header that a word points to, of an object that may be freed already: see `cell`.
#[inline(always)]
fn header_of<'a>(bits: u64) -> Option<&'a Header> {
    // SAFETY: a block once handed out stays readable, as `cell` demands of the heap.
    Value::bits_are_pointer(bits).then(|| unsafe { &*(bits as *const Header) })
}
#[inline(always)]
fn content<'a>(bits: u64) -> Content<'a> {
    match header_of(bits) {
        Some(h) if h.is_immortal() => Content::Uncounted,
        Some(h) if !foreign::is_others(h) => Content::Own(h.count()),
        Some(h) if foreign::noted(h).is_some() => Content::Noted,
        Some(h) => Content::Foreign(h.count(), h.flags_cell()),
        None => Content::Uncounted,
    }
}
#[inline(always)]
fn note(bits: u64) {
    if let Some(h) = header_of(bits) {
        foreign::note(h);
    }
}

impl Drop for ValueCell {
    fn drop(&mut self) {
        let bits = *self.0.get_mut();
        if bits != 0 {
            // SAFETY: the cell owns the reference.
            drop(unsafe { Value::from_bits(bits) });
        }
    }
}
impl Default for ValueCell {
    fn default() -> Self {
        ValueCell::empty()
    }
}
impl From<Value> for ValueCell {
    fn from(v: Value) -> Self {
        ValueCell::new(Some(v))
    }
}
