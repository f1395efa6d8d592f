//! The cycle collector: trial deletion over the objects of the traced pages. Reference counting frees everything else.
//! It runs at safe points only (allocation merely requests it), with the world stopped while it looks.
//!
//! Objects have an age: 0 since they were published, 1 and 2 after surviving a collection of their age. `collect(g)`
//! considers the ages up to `g`.
use std::collections::HashMap;
use std::ptr::NonNull;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicUsize, Ordering::*};

use crate::dealloc::take_pending_finalizers;
use crate::header::{Header, flag};
use crate::list::List;
use crate::locked::ValueCell;
use crate::refs::block_size;
use crate::thread::{Thread, breaker};
use crate::trace::Tracer;
use crate::type_object::TypeObject;
use crate::value::Value;
use crate::{heap, instance, weakref, world};

/// Collector bits in the header.
mod bit {
    /// Published and seen by the collector.
    pub const TRACKED: u16 = 1;
    pub const AGE: u16 = 2 | 4;
    pub const AGE_SHIFT: u16 = 1;
    /// In the set that the running collection considers.
    pub const CANDIDATE: u16 = 8;
    pub const REACHABLE: u16 = 16;
    /// `gc.freeze()`.
    pub const FROZEN: u16 = 32;
}

static ENABLED: AtomicBool = AtomicBool::new(true);
static THRESHOLDS: [AtomicU32; 3] = [AtomicU32::new(2000), AtomicU32::new(10), AtomicU32::new(0)];
static DEBUG: AtomicU32 = AtomicU32::new(0);
/// Objects published since the last young collection; collections of each age since the last of the next.
static COUNTS: [AtomicU32; 3] = [const { AtomicU32::new(0) }; 3];
static STATS: Mutex<[Stats; 3]> = Mutex::new([Stats { collections: 0, collected: 0 }; 3]);
/// Below this many new objects no request is considered.
const REQUEST_AT: u32 = 700;
static RUNNING: AtomicBool = AtomicBool::new(false);
/// Objects that survived the last full collection, and those that joined age 2 since.
static OLD: AtomicUsize = AtomicUsize::new(0);
static JOINED: AtomicUsize = AtomicUsize::new(0);

/// `gc.DEBUG_SAVEALL`: what is unreachable goes into the list [`Saved`].
pub const DEBUG_SAVEALL: u32 = 32;
/// `gc.garbage`.
#[derive(Default)]
pub struct Saved(pub ValueCell);

/// `gc.get_stats()` of one age.
#[derive(Clone, Copy, Debug)]
pub struct Stats {
    pub collections: u64,
    pub collected: u64,
}

/// Makes a finished object visible to the collector, and requests a collection when enough were made.
#[inline(always)]
pub(crate) fn publish(object: NonNull<Header>) {
    // SAFETY: the object is live.
    let h = unsafe { object.as_ref() };
    h.gc.store(bit::TRACKED, Relaxed);
    // Large objects share the page computation harmlessly: the mark below is only made for small ones.
    let n = COUNTS[0].load(Relaxed) + 1;
    COUNTS[0].store(n, Relaxed);
    mark_young(object, h);
    if n > REQUEST_AT {
        request(n);
    }
}
/// A traced object is freed by its count: that is one less for the next young collection.
#[inline(always)]
pub(crate) fn retire() {
    let n = COUNTS[0].load(Relaxed);
    if n != 0 {
        COUNTS[0].store(n - 1, Relaxed);
    }
}
#[inline(always)]
fn mark_young(object: NonNull<Header>, h: &Header) {
    // SAFETY: the object owns its class.
    let class: &TypeObject = unsafe { &*h.class_ptr() };
    // SAFETY: the object is live and whole.
    let small = class.vtable().var_size.is_none() && h.flags() & flag::TAIL == 0
        || !heap::is_large(unsafe { block_size(object, class) });
    if small && !heap::is_large(class.vtable().size) {
        // SAFETY: a small traced object lies in a page.
        unsafe { &*heap::page_of(object) }.young.store(1, Relaxed);
    }
}
#[cold]
fn request(n: u32) {
    let limit = THRESHOLDS[0].load(Relaxed);
    if limit != 0 && n > limit && ENABLED.load(Relaxed) {
        crate::thread::flag(breaker::GC);
    }
}

/// Whether a collection is under way.
pub fn is_running() -> bool {
    RUNNING.load(Relaxed)
}
pub fn set_enabled(on: bool) {
    ENABLED.store(on, Relaxed);
}
pub fn is_enabled() -> bool {
    ENABLED.load(Relaxed)
}
pub fn thresholds() -> [u32; 3] {
    std::array::from_fn(|i| THRESHOLDS[i].load(Relaxed))
}
pub fn set_thresholds(t: [u32; 3]) {
    for (cell, n) in THRESHOLDS.iter().zip(t) {
        cell.store(n, Relaxed);
    }
}
pub fn counts() -> [u32; 3] {
    std::array::from_fn(|i| COUNTS[i].load(Relaxed))
}
pub fn debug_flags() -> u32 {
    DEBUG.load(Relaxed)
}
pub fn set_debug_flags(flags: u32) {
    DEBUG.store(flags, Relaxed);
}
pub fn stats() -> [Stats; 3] {
    *STATS.lock().unwrap_or_else(|e| e.into_inner())
}
/// Blocks in use for objects of all kinds.
pub fn allocated_blocks() -> usize {
    heap::blocks_in_use()
}
pub fn is_tracked(v: &Value) -> bool {
    v.header().is_some_and(|h| h.gc.load(Relaxed) & bit::TRACKED != 0 && is_traced(h))
}
fn is_traced(h: &Header) -> bool {
    // SAFETY: the object owns its class.
    let class = unsafe { &*h.class_ptr() };
    class.vtable().traced || h.flags() & flag::TAIL != 0
}

fn age(h: &Header) -> u8 {
    ((h.gc.load(Relaxed) & bit::AGE) >> bit::AGE_SHIFT) as u8
}
fn set_age(h: &Header, age: u8) {
    let rest = h.gc.load(Relaxed) & !bit::AGE;
    h.gc.store(rest | u16::from(age) << bit::AGE_SHIFT, Relaxed);
}

/// Calls `visit` for every reference that the object holds.
fn trace(h: NonNull<Header>, visit: &mut dyn FnMut(NonNull<Header>)) {
    trace_with(h, &mut Tracer { visit, immediate: None });
}
fn trace_with(h: NonNull<Header>, tracer: &mut Tracer<'_>) {
    // SAFETY: the object is live.
    let header = unsafe { h.as_ref() };
    if header.flags() & flag::DEAD != 0 {
        return;
    }
    // SAFETY: the object owns its class.
    let class: &TypeObject = unsafe { &*header.class_ptr() };
    // SAFETY: the vtable is the object's own, and the world is stopped.
    unsafe { (class.vtable().trace)(h.as_ptr().cast(), tracer) };
    if header.flags() & flag::TAIL != 0 {
        // SAFETY: the flag says that there is a tail.
        unsafe { instance::trace_tail(h, class, tracer) };
    }
    if !class.is_static()
        && let Some(c) = NonNull::new(header.class_ptr().cast_mut().cast::<Header>())
    {
        (tracer.visit)(c);
    }
}

/// What the safe point calls when a collection was requested.
pub fn run_requested(th: &mut Thread) {
    th.clear_breaker(breaker::GC);
    if !ENABLED.load(Relaxed) {
        return;
    }
    let t = thresholds();
    let generation = if t[2] == 0 && JOINED.load(Relaxed) > OLD.load(Relaxed) / 4 + 10_000 {
        2
    } else if t[1] != 0 && COUNTS[1].load(Relaxed) >= t[1] {
        1
    } else {
        0
    };
    collect(th, generation);
}

/// Collects the objects of ages up to `generation`; returns how many were unreachable.
pub fn collect(th: &mut Thread, generation: u8) -> usize {
    if RUNNING.swap(true, AcqRel) {
        return 0;
    }
    let generation = generation.min(2);
    let exc = th.exc.take();
    let garbage = {
        let _stopped = world::stop(th);
        for count in &COUNTS[..=generation as usize] {
            count.store(0, Relaxed);
        }
        if let Some(next) = COUNTS.get(generation as usize + 1) {
            next.fetch_add(1, Relaxed);
        }
        find_garbage(generation)
    };
    let n = dispose(th, garbage);
    {
        let mut stats = STATS.lock().unwrap_or_else(|e| e.into_inner());
        stats[generation as usize].collections += 1;
        stats[generation as usize].collected += n as u64;
    }
    RUNNING.store(false, Release);
    th.run_pending();
    th.exc = exc;
    n
}

/// The world is stopped: only the collector writes these.
fn set_bits(header: &Header, bits: u16) {
    header.gc.store(header.gc.load(Relaxed) | bits, Relaxed);
}
fn clear_bits(header: &Header, bits: u16) {
    header.gc.store(header.gc.load(Relaxed) & !bits, Relaxed);
}

/// The candidates of a collection with their scratch counts.
struct Set {
    objects: Vec<NonNull<Header>>,
    large: HashMap<usize, u32>,
}
impl Set {
    fn new() -> Set {
        Set { objects: Vec::new(), large: HashMap::new() }
    }
    fn add(&mut self, h: NonNull<Header>) {
        // SAFETY: live object.
        let header = unsafe { h.as_ref() };
        set_bits(header, bit::CANDIDATE);
        clear_bits(header, bit::REACHABLE);
        self.objects.push(h);
        *self.scratch(h) = header.refcount();
    }
    /// The scratch count of a candidate.
    fn scratch(&mut self, h: NonNull<Header>) -> &mut u32 {
        // SAFETY: live object of its class.
        let size = unsafe { block_size(h, &*h.as_ref().class_ptr()) };
        if heap::is_large(size) {
            return self.large.entry(h.as_ptr() as usize).or_insert(0);
        }
        // SAFETY: a small traced object lies in a page; only the collector, one at a time, uses the scratch counts.
        unsafe {
            let page = &*heap::page_of(h);
            let counts = &mut *page.scratch.get();
            let index = page.index_of(h);
            if counts.len() <= index {
                counts.resize(page.count(), 0);
            }
            &mut counts[index]
        }
    }
    /// Trial deletion: what is left has references only from within the set. Clears the marks.
    fn unreachable(&mut self) -> Vec<NonNull<Header>> {
        let objects = std::mem::take(&mut self.objects);
        let is_candidate = |h: NonNull<Header>| {
            // SAFETY: traced references point to live objects.
            unsafe { h.as_ref() }.gc.load(Relaxed) & bit::CANDIDATE != 0
        };
        for &h in &objects {
            trace(h, &mut |child| {
                if is_candidate(child) {
                    let n = self.scratch(child);
                    *n = n.saturating_sub(1);
                }
            });
        }
        let mut work: Vec<NonNull<Header>> = Vec::new();
        for &h in &objects {
            if *self.scratch(h) > 0 {
                // SAFETY: live object.
                set_bits(unsafe { h.as_ref() }, bit::REACHABLE);
                work.push(h);
            }
        }
        while let Some(h) = work.pop() {
            trace(h, &mut |child| {
                // SAFETY: traced references point to live objects.
                let header = unsafe { child.as_ref() };
                if header.gc.load(Relaxed) & (bit::CANDIDATE | bit::REACHABLE) == bit::CANDIDATE {
                    set_bits(header, bit::REACHABLE);
                    work.push(child);
                }
            });
        }
        let mut garbage = Vec::new();
        for h in objects {
            // SAFETY: live object.
            let header = unsafe { h.as_ref() };
            if header.gc.load(Relaxed) & bit::REACHABLE == 0 {
                garbage.push(h);
            }
            clear_bits(header, bit::CANDIDATE | bit::REACHABLE);
        }
        garbage
    }
}

/// The unreachable objects of ages up to `generation`, each with a reference of ours; survivors grow older.
fn find_garbage(generation: u8) -> Vec<Value> {
    let mut set = Set::new();
    let mut survivors = Vec::new();
    heap::walk(generation == 0, |h| {
        // SAFETY: blocks in use hold live objects.
        let header = unsafe { h.as_ref() };
        let gc = header.gc.load(Relaxed);
        if gc & bit::TRACKED != 0 && gc & bit::FROZEN == 0 && age(header) <= generation && !header.is_immortal() {
            set.add(h);
            survivors.push(h);
        }
    });
    let set_size = survivors.len();
    let garbage = set.unreachable();
    let mut joined = 0;
    for h in survivors {
        // SAFETY: live object.
        let header = unsafe { h.as_ref() };
        if age(header) < 2 {
            set_age(header, (generation + 1).min(2));
            joined += usize::from(generation >= 1);
        }
    }
    if generation == 2 {
        OLD.store(set_size.saturating_sub(garbage.len()), Relaxed);
        JOINED.store(0, Relaxed);
    } else {
        JOINED.fetch_add(joined, Relaxed);
    }
    heap::clear_young();
    garbage.into_iter().map(counted).collect()
}
/// A new counted reference to a live object.
fn counted(h: NonNull<Header>) -> Value {
    // SAFETY: the object is live; the reference is counted before the value exists.
    unsafe {
        h.as_ref().incref();
        Value::from_bits(h.as_ptr() as u64)
    }
}

/// Weak references are cleared, finalisers run; what is still unreachable then is freed.
fn dispose(th: &mut Thread, garbage: Vec<Value>) -> usize {
    if garbage.is_empty() {
        return 0;
    }
    let members: std::collections::HashSet<usize> = garbage.iter().map(|v| v.bits() as usize).collect();
    let clear_weakrefs = |garbage: &[Value]| {
        let mut any = false;
        for v in garbage {
            if let Some(h) = v.header_ptr().filter(|_| v.header().is_some_and(|h| h.flags() & flag::WEAKREFS != 0)) {
                any = true;
                weakref::clear_refs_but(h, |reference| members.contains(&reference));
                v.header().into_iter().for_each(|h| h.clear_flag(flag::WEAKREFS));
            }
        }
        any
    };
    // What runs from here on may get hold of the garbage, by `gc.get_objects()` if by nothing else.
    let mut disturbed = clear_weakrefs(&garbage) || crate::header::multi();
    // Callbacks run while everything is still whole.
    th.run_pending();
    for v in &garbage {
        let Some(h) = v.header() else { continue };
        if v.class().has_finalizer() && h.flags() & flag::FINALIZED == 0 && h.claim_flag(flag::FINALIZED) {
            disturbed = true;
            let slot = v.class().slots.finalize.get();
            if let Some(f) = slot {
                f(th, v);
            }
        }
    }
    let _stopped = world::stop(th);
    let garbage = if disturbed { still_unreachable(th, garbage) } else { garbage };
    // Finalisers may have made weak references: nobody may come by them to an object without contents.
    clear_weakrefs(&garbage);
    let n = garbage.len();
    let saved = th.interp.extension::<Saved>().0.get().filter(|_| debug_flags() & DEBUG_SAVEALL != 0);
    if let Some(list) = saved.as_ref().and_then(|v| v.downcast_ref::<List>()) {
        garbage.into_iter().for_each(|v| list.push(v));
        return n;
    }
    for v in &garbage {
        drop_contents(v);
    }
    drop(garbage);
    n
}
/// After finalisers ran: the objects that nothing outside the set refers to.
fn still_unreachable(th: &mut Thread, garbage: Vec<Value>) -> Vec<Value> {
    let _stopped = world::stop(th);
    let mut set = Set::new();
    for v in &garbage {
        if let Some(h) = v.header_ptr() {
            set.add(h);
            // The reference that `garbage` holds is not one from outside.
            *set.scratch(h) -= 1;
        }
    }
    let dead: std::collections::HashSet<u64> = set.unreachable().iter().map(|h| h.as_ptr() as u64).collect();
    garbage.into_iter().filter(|v| dead.contains(&v.bits())).collect()
}
/// Drops what the object holds; its memory goes with the last reference.
fn drop_contents(v: &Value) {
    let Some(h) = v.header_ptr() else { return };
    // SAFETY: `v` keeps the object alive.
    let header = unsafe { h.as_ref() };
    if !header.claim_flag(flag::DEAD) {
        return;
    }
    // SAFETY: the object owns its class.
    let class: &TypeObject = unsafe { &*header.class_ptr() };
    // SAFETY: the contents are dropped once: DEAD was just claimed; nobody but the garbage refers to the object.
    unsafe {
        if header.flags() & flag::TAIL != 0 {
            instance::drop_tail(h, class);
        }
        (class.vtable().drop)(h.as_ptr().cast());
    }
}

/// The tracked objects, of one age or all.
pub fn objects(generation: Option<u8>) -> Vec<Value> {
    let mut out = Vec::new();
    heap::walk(false, |h| {
        // SAFETY: blocks in use hold live objects.
        let header = unsafe { h.as_ref() };
        let tracked = header.gc.load(Relaxed) & bit::TRACKED != 0 && header.flags() & flag::DEAD == 0;
        if tracked && header.refcount() != 0 && generation.is_none_or(|g| age(header) == g) {
            out.push(counted(h));
        }
    });
    out
}
/// What the object refers to directly.
pub fn referents(v: &Value) -> Vec<Value> {
    let out = std::cell::RefCell::new(Vec::new());
    if let Some(h) = v.header_ptr().filter(|_| is_tracked(v)) {
        let visit = &mut |child| out.borrow_mut().push(counted(child));
        let immediate = &mut |value: &Value| out.borrow_mut().push(value.clone());
        trace_with(h, &mut Tracer { visit, immediate: Some(immediate) });
    }
    out.into_inner()
}
/// The tracked objects that refer directly to any of `targets`.
pub fn referrers(targets: &[Value]) -> Vec<Value> {
    let mut out = Vec::new();
    for v in objects(None) {
        let mut hit = false;
        if let Some(h) = v.header_ptr() {
            trace(h, &mut |child| hit |= targets.iter().any(|t| t.bits() == child.as_ptr() as u64));
        }
        if hit {
            out.push(v);
        }
    }
    out
}
/// `gc.freeze()`: the present objects are never considered again, until [`unfreeze`].
pub fn freeze() {
    each_tracked(|h| set_bits(h, bit::FROZEN));
}
pub fn unfreeze() {
    each_tracked(|h| clear_bits(h, bit::FROZEN));
}
pub fn frozen_count() -> usize {
    let mut n = 0;
    each_tracked(|h| {
        n += usize::from(h.gc.load(Relaxed) & bit::FROZEN != 0);
    });
    n
}
fn each_tracked(mut f: impl FnMut(&Header)) {
    heap::walk(false, |h| {
        // SAFETY: blocks in use hold live objects.
        let header = unsafe { h.as_ref() };
        if header.gc.load(Relaxed) & bit::TRACKED != 0 {
            f(header);
        }
    });
}
/// Makes what threads share immortal: types, code, functions and modules are then never counted. Called with the world
/// stopped when the second thread starts; `shared` says which classes.
pub fn immortalize(shared: impl Fn(&TypeObject) -> bool) {
    heap::walk(false, |h| {
        // SAFETY: blocks in use hold live objects.
        let header = unsafe { h.as_ref() };
        // SAFETY: the object owns its class.
        if shared(unsafe { &*header.class_ptr() }) {
            header.make_immortal();
        }
    });
}
/// Whatever drops queued on this thread is of no more use (the thread ends).
pub(crate) fn abandon_pending() {
    drop(take_pending_finalizers());
}
