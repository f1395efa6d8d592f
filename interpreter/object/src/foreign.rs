//! Whose objects are whose, and what threads count of the objects of others.
//!
//! The collector bits of a header hold the number of the thread that the object belongs to ([`crate::count`]). A thread counts
//! references to the objects of others in a table of its own (`noted`). With the world stopped all tables are added to the counts
//! ([`merge`]), and what then has no references is freed: after a thread has ended, before a collection, when much waits,
//! and soon where all the other threads wait for something. An object that others count time and again becomes
//! everybody's then: its own thread, too, notes what it counts, so that nobody writes to the header and all can read it from
//! their own caches. In single mode all of this rests: everybody counts plainly.
use std::cell::Cell;
use std::ptr::NonNull;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU16, AtomicU64, Ordering::*, fence};

use crate::count::{self, FOREIGN};
use crate::header::{Header, multi};
// No header holds this number.
use crate::lock::NOBODY;
use crate::thread::{self, Thread};
use crate::{retired, world};

mod noted;
use noted::{Change, Entry, Table};

/// The bits of a header's collector word that hold the number of its thread; 0 = nobody's.
pub(crate) const OWNER_SHIFT: u16 = 6;
pub(crate) const OWNER: u16 = !0 << OWNER_SHIFT;
const NUMBERS: usize = 1 << (16 - OWNER_SHIFT);

thread_local! {
    static OWN: Cell<u16> = const { Cell::new(NOBODY) };
    /// The world is stopped for this thread: it counts plainly.
    static ALONE: Cell<bool> = const { Cell::new(false) };
    /// Words that others read without a lock were written without a barrier behind it.
    static STORED: Cell<bool> = const { Cell::new(false) };
    static TABLE: Cell<*mut Table> = const { Cell::new(std::ptr::null_mut()) };
}

/// The calling thread's number, as headers hold it.
#[inline(always)]
pub(crate) fn own() -> u16 {
    OWN.with(|own| own.get())
}
/// The number for the header of a new object.
#[inline(always)]
pub(crate) fn maker() -> u16 {
    own() & OWNER
}

/// The numbers below are those of threads; those from here on say that an object is everybody's, one for each interpreter.
const THREADS: usize = NUMBERS - 64;
/// The marks of the interpreters that have such a number.
static EVERYBODYS: Mutex<[Option<u16>; NUMBERS - THREADS]> = Mutex::new([None; NUMBERS - THREADS]);

/// A set of thread numbers.
type Set = [u64; NUMBERS / 64];
/// The numbers in use.
static TAKEN: Mutex<Set> = Mutex::new({
    let mut none = [0; NUMBERS / 64];
    none[0] = 1;
    none
});
/// The numbers of threads that have ended: whoever meets one of their objects takes it over.
static ENDED: [AtomicU64; NUMBERS / 64] = [const { AtomicU64::new(0) }; NUMBERS / 64];
/// The mark of the interpreter that each number's thread is of.
static INTERPRETER: [AtomicU16; NUMBERS] = [const { AtomicU16::new(0) }; NUMBERS];

/// A thread's number, from its start to its end. 0: all are taken, and every object is another's to this thread.
#[derive(Clone, Copy)]
pub struct Number(u16);
impl Number {
    /// A number for a thread of the interpreter with this mark.
    pub(crate) fn take(interpreter: u16) -> Number {
        let mut taken = TAKEN.lock().unwrap_or_else(|e| e.into_inner());
        let free = || (1..THREADS).filter(|&n| taken[n / 64] & (1 << (n % 64)) == 0);
        let of = |mark| free().find(|&n| INTERPRETER[n].load(Relaxed) == mark);
        // A number that another interpreter's objects bear is the last choice.
        let Some(n) = of(interpreter).or_else(|| of(0)).or_else(|| free().next()) else { return Number(0) };
        taken[n / 64] |= 1 << (n % 64);
        INTERPRETER[n].store(interpreter, Relaxed);
        Number(n as u16)
    }
    /// From now on the calling thread makes and counts objects by this number.
    pub(crate) fn enter(self) {
        OWN.set(if self.0 == 0 { NOBODY } else { self.0 << OWNER_SHIFT });
    }
    /// The thread ends. In multi mode the world is stopped.
    pub(crate) fn give_back(self) {
        if own() == self.0 << OWNER_SHIFT {
            OWN.set(NOBODY);
        }
        let n = usize::from(self.0);
        if n == 0 {
            return;
        }
        if !multi() {
            TAKEN.lock().unwrap_or_else(|e| e.into_inner())[n / 64] &= !(1 << (n % 64));
            return;
        }
        ENDED[n / 64].fetch_or(1 << (n % 64), Relaxed);
        let ended: u32 = ENDED.iter().map(|word| word.load(Relaxed).count_ones()).sum();
        if ended as usize > THREADS / 2 {
            recycle();
        }
    }
}
/// Makes the numbers of ended threads free again: their objects are nobody's until a new thread has the number. The world is
/// stopped, so that nobody is taking one over.
fn recycle() {
    let mut taken = TAKEN.lock().unwrap_or_else(|e| e.into_inner());
    for (word, ended) in taken.iter_mut().zip(&ENDED) {
        *word &= !ended.swap(0, Relaxed);
    }
}
/// The interpreter with this mark is gone, and its objects are nobody's.
pub(crate) fn forget_interpreter(mark: u16) {
    for of in &INTERPRETER {
        let _unless_other = of.compare_exchange(mark, 0, Relaxed, Relaxed);
    }
    let mut taken = EVERYBODYS.lock().unwrap_or_else(|e| e.into_inner());
    taken.iter_mut().filter(|m| **m == Some(mark)).for_each(|m| *m = Some(0));
}
/// The mark of the interpreter that made an object; 0 = none did.
pub(crate) fn interpreter_of(gc: u16) -> u16 {
    INTERPRETER[usize::from(gc >> OWNER_SHIFT)].load(Relaxed)
}

/// The tables of all threads.
static TABLES: Mutex<Vec<usize>> = Mutex::new(Vec::new());
/// A thread that waits for something has left work for [`merge`].
static ASKED: AtomicBool = AtomicBool::new(false);
/// An object is to be made everybody's.
static HOT: AtomicBool = AtomicBool::new(false);

/// Works on the calling thread's table.
#[inline(always)]
fn with_table<R>(f: impl FnOnce(&mut Table) -> R) -> R {
    let mut table = TABLE.get();
    if table.is_null() {
        table = new_table();
    }
    // SAFETY: the table is the thread's own; others look at it only while the world is stopped.
    f(unsafe { &mut *table })
}
#[cold]
#[inline(never)]
fn new_table() -> *mut Table {
    let table = Box::into_raw(Table::enter());
    TABLES.lock().unwrap_or_else(|e| e.into_inner()).push(table as usize);
    TABLE.set(table);
    table
}
/// The calling thread ends, and the world is stopped: its table is added up with the others.
pub(crate) fn leave() {
    let table = TABLE.replace(std::ptr::null_mut());
    if table.is_null() {
        return;
    }
    merge();
    Table::leave();
    TABLES.lock().unwrap_or_else(|e| e.into_inner()).retain(|&t| t != table as usize);
    // SAFETY: the table came from `Box::into_raw`, and nobody knows it any more.
    drop(unsafe { Box::from_raw(table) });
}
/// In the child of a fork, which the world was stopped for: the other threads are gone, and their tables were empty.
pub(crate) fn after_fork(own: Number) {
    krait_platform::thread::prepare_heavy_barrier();
    ALONE.set(false);
    TABLES.lock().unwrap_or_else(|e| e.into_inner()).retain(|&t| t == TABLE.get() as usize);
    let taken = TAKEN.lock().unwrap_or_else(|e| e.into_inner());
    for (i, (word, ended)) in taken.iter().zip(&ENDED).enumerate() {
        let mine = if usize::from(own.0) / 64 == i { 1u64 << (own.0 % 64) } else { 0 };
        ended.store(word & !mine, Relaxed);
    }
}

/// What the calling thread counts of an object that is not its own.
pub(crate) fn counted_here(h: &Header) -> i32 {
    with_table(|t| t.counted(address(h)))
}
#[inline(always)]
fn address(h: &Header) -> usize {
    std::ptr::from_ref(h) as usize
}
/// What the calling thread has noted of the object since the world was last stopped, be it nothing: then it is alive until the next
/// time. The header is not looked at, nor need it be one any more.
#[inline(always)]
pub(crate) fn noted<'a>(h: &Header) -> Option<&'a Entry> {
    noted::entry_of(address(h))
}
/// Notes a reference to an object that is marked as counted elsewhere.
#[inline]
pub(crate) fn note(h: &Header) {
    if !noted::add(address(h)) {
        note_first(h, 1);
    }
}
#[cold]
#[inline(never)]
fn note_first(h: &Header, by: i32) {
    with_table(|t| t.note(address(h), by, is_everybodys(h)));
}
/// Takes over an object of a thread that has ended. The caller has a reference to it.
fn take_over(h: &Header) -> bool {
    let (gc, own) = (h.gc.load(Relaxed), own());
    let n = usize::from(gc >> OWNER_SHIFT);
    let is_ended = n == 0 || ENDED[n / 64].load(Relaxed) & (1 << (n % 64)) != 0;
    is_ended && own != NOBODY && h.gc.compare_exchange(gc, gc & !OWNER | own, AcqRel, Relaxed).is_ok()
}
/// Counts a reference to an object that is not the calling thread's. The caller has one already.
#[inline(never)]
pub(crate) fn increment(h: &Header) {
    if !noted::add(address(h)) {
        increment_first(h);
    }
}
#[cold]
#[inline(never)]
fn increment_first(h: &Header) {
    if ALONE.get() || take_over(h) {
        count::change(h.count(), 1);
        return;
    }
    count::mark_foreign(h.flags_cell());
    note_first(h, 1);
}
/// Gives a reference back; true: it was the last, and the caller frees the object.
#[inline(never)]
pub(crate) fn decrement(h: &Header) -> bool {
    !noted::subtract(address(h)) && decrement_first(h)
}
#[cold]
#[inline(never)]
fn decrement_first(h: &Header) -> bool {
    if ALONE.get() || take_over(h) {
        return count::change(h.count(), -1) == count::NONE;
    }
    count::mark_foreign(h.flags_cell());
    note_first(h, -1);
    false
}

/// Whether the object belongs to no thread, as several count it much: all note what they count, and the header stays as it is.
fn is_everybodys(h: &Header) -> bool {
    usize::from(h.gc.load(Relaxed) >> OWNER_SHIFT) >= THREADS
}
/// An object of another thread is counted time and again.
#[cold]
#[inline(never)]
fn is_hot(object: usize) {
    // SAFETY: an object with an entry is alive until the world stops.
    if !is_everybodys(unsafe { &*(object as *const Header) }) {
        HOT.store(true, Relaxed);
        thread::flag(thread::breaker::GC);
    }
}
/// Makes an object everybody's. The world is stopped, and the count exact.
fn disown(h: &Header) {
    let gc = h.gc.load(Relaxed);
    let mark = interpreter_of(gc);
    if is_everybodys(h) || h.is_immortal() {
        return;
    }
    // A number for all interpreters beyond would have their collectors mix up what is whose.
    let mut taken = EVERYBODYS.lock().unwrap_or_else(|e| e.into_inner());
    let n = taken.iter().position(|&m| m == Some(mark)).or_else(|| taken.iter().position(Option::is_none));
    if let Some(n) = n {
        taken[n] = Some(mark);
        INTERPRETER[THREADS + n].store(mark, Relaxed);
        h.gc.store(gc & !OWNER | ((THREADS + n) as u16) << OWNER_SHIFT, Relaxed);
    }
}
/// Whether an object of the calling thread that has no references left must wait for [`merge`], as others may count
/// references to it.
#[inline]
pub(crate) fn must_wait(h: &Header) -> bool {
    if !multi() || ALONE.get() {
        return false;
    }
    if STORED.replace(false) {
        fence(SeqCst);
    }
    count::is_foreign(h.flags_cell())
}
/// The calling thread is about to change words that others read without a lock, by plain writes.
#[inline]
pub(crate) fn stores_plainly() {
    STORED.set(true);
}
/// Whether the calling thread may not count the object's references plainly.
#[inline(always)]
pub(crate) fn is_others(h: &Header) -> bool {
    multi() && !h.is_own() && !ALONE.with(|alone| alone.get())
}
/// Has [`merge`] look at an object of the calling thread that has no references left.
#[cold]
#[inline(never)]
pub(crate) fn wait(h: NonNull<Header>) {
    with_table(|t| {
        t.zeros.push(h.as_ptr() as usize);
        // The first one may find the other threads waiting.
        if t.zeros.len() % 64 == 1 {
            thread::flag_pending();
        }
    });
}

/// The calling thread is about to wait: what it leaves behind is for those that run.
pub(crate) fn has_work() -> bool {
    let table = TABLE.get();
    // SAFETY: the thread's own table.
    let has_work = !table.is_null() && !unsafe { &*table }.is_empty();
    if has_work {
        ASKED.store(true, Relaxed);
    }
    has_work
}
/// Whether a thread that waits has left work behind.
pub(crate) fn is_asked() -> bool {
    ASKED.load(Relaxed)
}
/// At a safe point: adds up if much waits, or if something does and all other threads wait too.
pub(crate) fn run_requested(th: &Thread) {
    let table = TABLE.get();
    // SAFETY: the thread's own table.
    let (waits, crowded) = unsafe { table.as_ref() }.map_or((false, false), |t| (!t.is_empty(), t.is_crowded()));
    let hot = HOT.load(Relaxed);
    if retired::is_crowded() || crowded || hot || (waits || is_asked()) && world::is_alone(th) {
        let _stopped = world::stop(th);
        retired::release();
    }
}
/// Whether the calling thread counts plainly, as the world is stopped for it.
pub(crate) fn set_alone(alone: bool) {
    ALONE.set(alone);
}
/// Adds up what all threads counted, and frees what has no references. The world is stopped.
pub(crate) fn merge() {
    debug_assert!(ALONE.get());
    ASKED.store(false, Relaxed);
    HOT.store(false, Relaxed);
    let (mut seen, mut warm) = (Vec::new(), Vec::new());
    for &table in TABLES.lock().unwrap_or_else(|e| e.into_inner()).iter() {
        // SAFETY: tables live until their threads leave, and their threads are stopped.
        let t = unsafe { &mut *(table as *mut Table) };
        seen.append(&mut t.zeros);
        let add = |change: Change| {
            // SAFETY: an object that is counted elsewhere is not freed before this.
            count::change(unsafe { &*(change.object as *const Header) }.count(), change.by);
            seen.push(change.object);
        };
        t.drain(add, &mut warm);
    }
    seen.sort_unstable();
    seen.dedup();
    for &object in &seen {
        // SAFETY: as above.
        let h = unsafe { &*(object as *const Header) };
        // What is everybody's stays marked: nobody writes to its header.
        if !is_everybodys(h) {
            h.clear_flag(FOREIGN);
        }
    }
    for object in warm {
        // SAFETY: as above.
        disown(unsafe { &*(object as *const Header) });
    }
    for object in seen {
        let Some(h) = NonNull::new(object as *mut Header) else { continue };
        // What went with another object has the count of a free block, or a new object's.
        // SAFETY: headers stay readable until the world runs again.
        if unsafe { h.as_ref() }.count().load(Relaxed) == count::NONE {
            // SAFETY: no references are left, and nobody else frees it.
            unsafe { crate::dealloc::dealloc(h) };
        }
    }
}
