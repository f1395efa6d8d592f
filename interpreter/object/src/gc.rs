//! The cycle collector: trial deletion over the objects of the traced pages. Reference counting frees everything else.
//! It runs at safe points only (allocation merely requests it), with the world stopped while it looks.
//!
//! Objects have an age: 0 since they were published, 1 and 2 after surviving a collection of their age. `collect(g)`
//! considers the ages up to `g`.
//!
//! Switches, thresholds and figures are those of the interpreter that the calling thread is in; each object bears the
//! number of the thread that made it (`foreign`), and only the collections and listings of that thread's interpreter see it.
use std::cell::Cell;
use std::collections::{HashMap, HashSet};
use std::ptr::NonNull;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicI32, AtomicU32, AtomicUsize, Ordering::*};

use crate::builtin_types::TUPLE;
use crate::dealloc::take_pending_finalizers;
use crate::hash::ByWord;
use crate::header::{Header, flag};
use crate::list::List;
use crate::locked::ValueCell;
use crate::thread::{Thread, breaker};
use crate::trace::Tracer;
use crate::type_object::TypeObject;
use crate::value::Value;
use crate::weakref::Cleared;
use crate::{foreign, heap, instance, retired, weakref, world};

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

/// Marks of interpreters in use, a bit each; the last is shared by all interpreters beyond.
static MARKS: Mutex<[u64; 16]> = Mutex::new([0; 16]);

/// A thread adds up its new objects after this many, or sooner where the threshold is lower.
const STEP: i32 = 700;
static RUNNING: AtomicBool = AtomicBool::new(false);

/// The collector's state in one interpreter.
pub struct State {
    /// What the threads of the interpreter are known by (`foreign`).
    pub(crate) mark: u16,
    enabled: AtomicBool,
    thresholds: [AtomicU32; 3],
    debug: AtomicU32,
    /// Objects published since the last young collection, as far as threads have added theirs; collections of each age
    /// since the last of the next.
    counts: [AtomicI32; 3],
    stats: Mutex<[Stats; 3]>,
    /// Objects that survived the last full collection, and those that joined age 2 since.
    old: AtomicUsize,
    joined: AtomicUsize,
}
impl Default for State {
    fn default() -> State {
        State {
            mark: take_mark(),
            enabled: AtomicBool::new(true),
            thresholds: [AtomicU32::new(2000), AtomicU32::new(10), AtomicU32::new(10)],
            debug: AtomicU32::new(0),
            counts: [const { AtomicI32::new(0) }; 3],
            stats: Mutex::new([Stats { collections: 0, collected: 0 }; 3]),
            old: AtomicUsize::new(0),
            joined: AtomicUsize::new(0),
        }
    }
}
impl Drop for State {
    fn drop(&mut self) {
        foreign::forget_interpreter(self.mark);
        let mark = usize::from(self.mark);
        MARKS.lock().unwrap_or_else(|e| e.into_inner())[mark / 64] &= !(1 << (mark % 64));
    }
}
fn take_mark() -> u16 {
    let mut marks = MARKS.lock().unwrap_or_else(|e| e.into_inner());
    // 0 is nobody's mark.
    marks[0] |= 1;
    let last = marks.len() * 64 - 1;
    let free = (1..last).find(|&i| marks[i / 64] & (1 << (i % 64)) == 0).unwrap_or(last);
    marks[free / 64] |= 1 << (free % 64);
    free as u16
}
impl State {
    fn thresholds(&self) -> [u32; 3] {
        std::array::from_fn(|i| self.thresholds[i].load(Relaxed))
    }
    fn owns(&self, h: &Header) -> bool {
        let mark = foreign::interpreter_of(h.gc.load(Relaxed));
        mark == self.mark || mark == 0
    }
}

/// What a thread keeps for the interpreter that it is in.
struct Local {
    state: Cell<*const State>,
    /// New objects less freed ones, not yet added up.
    made: Cell<i32>,
    step: Cell<i32>,
}
thread_local! {
    static LOCAL: Local = const {
        Local { state: Cell::new(std::ptr::null()), made: Cell::new(0), step: Cell::new(STEP) }
    };
}
/// The calling thread is in the interpreter of this state, until [`leave`] or the next call.
pub(crate) fn enter(state: &State) {
    LOCAL.with(|l| {
        add_up(l);
        l.state.set(state);
        set_step(l, state);
    });
}
/// The state may go.
pub(crate) fn leave(state: &State) {
    LOCAL.with(|l| {
        if std::ptr::eq(l.state.get(), state) {
            add_up(l);
            l.state.set(std::ptr::null());
        }
    });
}
fn set_step(l: &Local, state: &State) {
    l.step.set(STEP.min(state.thresholds[0].load(Relaxed).min(i32::MAX as u32) as i32).max(1));
}
/// Adds the thread's objects to its interpreter's; how many there are then.
fn add_up(l: &Local) -> i32 {
    // SAFETY: the thread is in an interpreter until it calls `leave` or `enter`, which keeps the state alive.
    let Some(state) = (unsafe { l.state.get().as_ref() }) else {
        l.made.set(0);
        return 0;
    };
    let made = l.made.replace(0);
    let total = state.counts[0].fetch_add(made, Relaxed).saturating_add(made);
    if total < 0 {
        state.counts[0].store(0, Relaxed);
    }
    total
}
/// Runs `f` with the state of the interpreter that the calling thread is in.
fn with_state<R>(f: impl FnOnce(&State) -> R) -> R {
    // SAFETY: as in `add_up`.
    match unsafe { LOCAL.with(|l| l.state.get()).as_ref() } {
        Some(state) => f(state),
        None => f(&State::default()),
    }
}

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

/// Makes a finished object in a block of `size` bytes visible to the collector, and requests a collection when enough were
/// made.
#[inline(always)]
pub(crate) fn publish(object: NonNull<Header>, size: usize) {
    // SAFETY: the object is live.
    let h = unsafe { object.as_ref() };
    LOCAL.with(|l| {
        h.gc.store(bit::TRACKED | foreign::maker(), Relaxed);
        let n = l.made.get() + 1;
        l.made.set(n);
        if n >= l.step.get() {
            request(l);
        }
    });
    if !heap::is_large(size) {
        // SAFETY: a small traced object lies in a page.
        unsafe { &*heap::page_of(object) }.note_young(object);
    } else {
        h.set_flag(flag::LARGE);
    }
}
/// A traced object is freed by its count: that is one less for the next young collection.
#[inline(always)]
pub(crate) fn retire() {
    LOCAL.with(|l| {
        let n = l.made.get() - 1;
        l.made.set(n);
        if n <= -STEP {
            request(l);
        }
    });
}
#[cold]
#[inline(never)]
fn request(l: &Local) {
    let total = add_up(l);
    with_state(|state| {
        set_step(l, state);
        let limit = state.thresholds[0].load(Relaxed);
        if limit != 0 && total > limit.min(i32::MAX as u32) as i32 && state.enabled.load(Relaxed) {
            crate::thread::flag(breaker::GC);
        }
    });
}

/// Whether a collection is under way.
pub fn is_running() -> bool {
    RUNNING.load(Relaxed)
}
/// Runs `f` without collections, after which what it made counts as looked at: for start-up, which makes no garbage to speak
/// of.
pub fn undisturbed<R>(th: &mut Thread, f: impl FnOnce(&mut Thread) -> R) -> R {
    let was = th.interp.gc.enabled.swap(false, Relaxed);
    let result = f(th);
    th.interp.gc.enabled.store(was, Relaxed);
    th.interp.gc.counts[0].store(0, Relaxed);
    result
}
pub fn set_enabled(on: bool) {
    with_state(|s| s.enabled.store(on, Relaxed));
}
pub fn is_enabled() -> bool {
    with_state(|s| s.enabled.load(Relaxed))
}
pub fn thresholds() -> [u32; 3] {
    with_state(State::thresholds)
}
pub fn set_thresholds(t: [u32; 3]) {
    with_state(|s| {
        for (cell, n) in s.thresholds.iter().zip(t) {
            cell.store(n, Relaxed);
        }
        LOCAL.with(|l| set_step(l, s));
    });
}
pub fn counts() -> [u32; 3] {
    LOCAL.with(add_up);
    with_state(|s| std::array::from_fn(|i| s.counts[i].load(Relaxed).max(0) as u32))
}
pub fn debug_flags() -> u32 {
    with_state(|s| s.debug.load(Relaxed))
}
pub fn set_debug_flags(flags: u32) {
    with_state(|s| s.debug.store(flags, Relaxed));
}
pub fn stats() -> [Stats; 3] {
    with_state(|s| *s.stats.lock().unwrap_or_else(|e| e.into_inner()))
}
/// Whether the object was made by the interpreter that the calling thread is in, or outside of any.
pub fn is_own(v: &Value) -> bool {
    v.header().is_none_or(|h| with_state(|s| s.owns(h)))
}
/// Blocks in use for objects of all kinds.
pub fn allocated_blocks() -> usize {
    heap::blocks_in_use()
}
/// Has the collector pass the object by. No cycle leads through it: what it holds, it was made with.
pub fn untrack(v: &Value) {
    if let Some(header) = v.header() {
        clear_bits(header, bit::TRACKED);
    }
}
pub fn is_tracked(v: &Value) -> bool {
    v.header().is_some_and(|h| h.gc.load(Relaxed) & bit::TRACKED != 0 && is_traced(h))
}
fn is_traced(h: &Header) -> bool {
    // SAFETY: the object owns its class.
    let class = unsafe { &*h.class_ptr() };
    class.vtable().traced || h.flags() & flag::TAIL != 0 || !class.is_static()
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
    foreign::run_requested(th);
    let state = &th.interp.gc;
    let t = state.thresholds();
    if !state.enabled.load(Relaxed) || state.counts[0].load(Relaxed) <= t[0].min(i32::MAX as u32) as i32 {
        return;
    }
    let due = |age: usize| state.counts[age].load(Relaxed) > t[age].min(i32::MAX as u32) as i32;
    // Collecting all objects again and again while they grow more would take quadratic time.
    let generation =
        if due(2) && state.joined.load(Relaxed) >= state.old.load(Relaxed) / 4 { 2 } else { u8::from(due(1)) };
    collect(th, generation);
}

/// Collects the objects of ages up to `generation`; returns how many were unreachable.
pub fn collect(th: &mut Thread, generation: u8) -> usize {
    if RUNNING.swap(true, AcqRel) {
        return 0;
    }
    let interp = th.interp.clone();
    let state = &interp.gc;
    let generation = generation.min(2);
    let exc = th.exc.take();
    let garbage = {
        let _stopped = world::stop(th);
        retired::release();
        LOCAL.with(|l| l.made.set(0));
        for count in &state.counts[..=generation as usize] {
            count.store(0, Relaxed);
        }
        if let Some(next) = state.counts.get(generation as usize + 1) {
            next.fetch_add(1, Relaxed);
        }
        find_garbage(state, generation)
    };
    let n = dispose(th, garbage);
    {
        let mut stats = state.stats.lock().unwrap_or_else(|e| e.into_inner());
        stats[generation as usize].collections += 1;
        stats[generation as usize].collected += n as u64;
    }
    RUNNING.store(false, Release);
    if !crate::header::multi() {
        retired::release();
    }
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
        if header.flags() & flag::TAIL != 0 {
            // SAFETY: a live object with a tail, and the world is stopped.
            unsafe { instance::settle_view(h, &*header.class_ptr()) };
        }
        set_bits(header, bit::CANDIDATE);
        clear_bits(header, bit::REACHABLE);
        self.objects.push(h);
        *self.scratch(h) = header.refcount();
    }
    /// The scratch count of a candidate.
    fn scratch(&mut self, h: NonNull<Header>) -> &mut u32 {
        // SAFETY: live object.
        if unsafe { h.as_ref() }.flags() & flag::LARGE != 0 {
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
fn find_garbage(state: &State, generation: u8) -> Vec<Value> {
    let mut set = Set::new();
    let mut survivors = Vec::new();
    heap::walk(generation == 0, |h| {
        // SAFETY: blocks in use hold live objects.
        let header = unsafe { h.as_ref() };
        let gc = header.gc.load(Relaxed);
        let wanted = gc & bit::TRACKED != 0 && gc & bit::FROZEN == 0 && state.owns(header);
        if wanted && age(header) <= generation && !header.is_immortal() {
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
        if is_plain_tuple(h) {
            clear_bits(header, bit::TRACKED);
        } else if age(header) < 2 {
            set_age(header, (generation + 1).min(2));
            joined += usize::from(generation >= 1);
        }
    }
    if generation == 2 {
        state.old.store(set_size.saturating_sub(garbage.len()), Relaxed);
        state.joined.store(0, Relaxed);
    } else {
        state.joined.fetch_add(joined, Relaxed);
    }
    heap::clear_young();
    garbage.into_iter().map(counted).collect()
}
/// Whether the object is an exact tuple of objects that are not tracked: no cycle leads through it, and it stays as it is.
fn is_plain_tuple(h: NonNull<Header>) -> bool {
    // SAFETY: live object.
    if !std::ptr::eq(unsafe { h.as_ref() }.class_ptr(), &raw const TUPLE) {
        return false;
    }
    let mut plain = true;
    // SAFETY: traced references point to live objects.
    trace(h, &mut |child| plain &= unsafe { child.as_ref() }.gc.load(Relaxed) & bit::TRACKED == 0);
    plain
}
/// A new counted reference to a live object.
fn counted(h: NonNull<Header>) -> Value {
    // SAFETY: the object is live; the reference is counted before the value exists.
    unsafe {
        h.as_ref().incref();
        Value::from_bits(h.as_ptr() as u64)
    }
}

/// Whether anybody could tell that all objects are dropped: by a finaliser, but those of `silent` objects, or the callback of a
/// weak reference.
pub fn is_drop_noticed(th: &mut Thread, silent: &[Value]) -> bool {
    let _stopped = world::stop(th);
    let mut noticed = debug_flags() != 0;
    heap::walk(false, |h| {
        // SAFETY: blocks in use hold live objects, which own their class.
        let (header, class) = unsafe { (h.as_ref(), &*h.as_ref().class_ptr()) };
        let finalizes = class.has_finalizer() && header.flags() & (flag::FINALIZED | flag::DEAD) == 0;
        let silent = || silent.iter().any(|v| v.bits() == h.as_ptr() as u64);
        noticed = noticed || finalizes && !silent() || weakref::has_callback(h);
    });
    noticed
}

/// Weak references are cleared, finalisers run; what is still unreachable then is freed.
fn dispose(th: &mut Thread, garbage: Vec<Value>) -> usize {
    if garbage.is_empty() {
        return 0;
    }
    // What runs from here on may get hold of the garbage, by `gc.get_objects()` if by nothing else.
    let mut disturbed = {
        let _stopped = world::stop(th);
        clear_weakrefs(&garbage) || crate::header::multi() || th.breaker() & breaker::PENDING != 0
    };
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
/// Clears the weak references to the garbage, whose callbacks are queued unless they are garbage too; whether any is queued.
/// The world is stopped.
fn clear_weakrefs(garbage: &[Value]) -> bool {
    let headers = || garbage.iter().filter_map(Value::header);
    if !headers().any(|h| h.flags() & flag::WEAKREFS != 0) {
        return false;
    }
    let mut queued = false;
    headers().for_each(|h| set_bits(h, bit::CANDIDATE));
    for h in headers().filter(|h| h.flags() & flag::WEAKREFS != 0) {
        let is_garbage = |reference: &Header| reference.gc.load(Relaxed) & bit::CANDIDATE != 0;
        queued |= weakref::clear_refs_but(h.into(), false, is_garbage) == Cleared::WithCallbacks;
        h.clear_flag(flag::WEAKREFS);
    }
    headers().for_each(|h| clear_bits(h, bit::CANDIDATE));
    queued
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
    let dead: HashSet<u64, ByWord> = set.unreachable().iter().map(|h| h.as_ptr() as u64).collect();
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
pub fn objects(th: &Thread, generation: Option<u8>) -> Vec<Value> {
    let _stopped = world::stop(th);
    let mut out = Vec::new();
    with_state(|state| {
        heap::walk(false, |h| {
            // SAFETY: blocks in use hold live objects.
            let header = unsafe { h.as_ref() };
            let tracked = header.gc.load(Relaxed) & bit::TRACKED != 0 && header.flags() & flag::DEAD == 0;
            if tracked && state.owns(header) && header.refcount() != 0 && generation.is_none_or(|g| age(header) == g) {
                out.push(counted(h));
            }
        });
    });
    out
}
/// What the object refers to directly.
pub fn referents(th: &Thread, v: &Value) -> Vec<Value> {
    let _stopped = world::stop(th);
    let out = std::cell::RefCell::new(Vec::new());
    if let Some(h) = v.header_ptr().filter(|_| v.header().is_some_and(is_traced)) {
        let visit = &mut |child| out.borrow_mut().push(counted(child));
        let immediate = &mut |value: &Value| out.borrow_mut().push(value.clone());
        trace_with(h, &mut Tracer { visit, immediate: Some(immediate) });
    }
    out.into_inner()
}
/// The tracked objects that refer directly to any of `targets`.
pub fn referrers(th: &Thread, targets: &[Value]) -> Vec<Value> {
    let _stopped = world::stop(th);
    let mut out = Vec::new();
    for v in objects(th, None) {
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
pub fn freeze(th: &Thread) {
    each_tracked(th, |h| set_bits(h, bit::FROZEN));
}
pub fn unfreeze(th: &Thread) {
    each_tracked(th, |h| clear_bits(h, bit::FROZEN));
}
pub fn frozen_count(th: &Thread) -> usize {
    let mut n = 0;
    each_tracked(th, |h| {
        n += usize::from(h.gc.load(Relaxed) & bit::FROZEN != 0);
    });
    n
}
fn each_tracked(th: &Thread, mut f: impl FnMut(&Header)) {
    let _stopped = world::stop(th);
    with_state(|state| {
        heap::walk(false, |h| {
            // SAFETY: blocks in use hold live objects.
            let header = unsafe { h.as_ref() };
            if header.gc.load(Relaxed) & bit::TRACKED != 0 && state.owns(header) {
                f(header);
            }
        });
    });
}
/// Makes the objects immortal that all threads use all the time, so that nobody counts them: `shared` says which. Called with
/// the world stopped when the second thread starts. Garbage stays what it is.
pub fn immortalize(shared: impl Fn(&Value) -> bool) {
    let mut set = Set::new();
    heap::walk(false, |h| {
        // SAFETY: blocks in use hold live objects.
        let header = unsafe { h.as_ref() };
        if header.gc.load(Relaxed) & bit::TRACKED != 0 && !header.is_immortal() {
            set.add(h);
        }
    });
    let garbage: HashSet<u64, ByWord> = set.unreachable().iter().map(|h| h.as_ptr() as u64).collect();
    heap::walk(false, |h| {
        // SAFETY: blocks in use hold live objects; the reference is not given back.
        let object = std::mem::ManuallyDrop::new(unsafe { Value::from_bits(h.as_ptr() as u64) });
        if !garbage.contains(&object.bits()) && shared(&object) {
            // SAFETY: as above.
            unsafe { h.as_ref() }.make_immortal();
        }
    });
}
/// Whatever drops queued on this thread is of no more use (the thread ends).
pub(crate) fn abandon_pending() {
    drop(take_pending_finalizers());
}
