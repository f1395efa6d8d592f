//! Objects that are everybody's: several threads count them time and again. The count word of such an object names a *place*,
//! and each thread adds up what it counts of the object at that place of a table of its own: nobody writes to the header, so
//! that all read it from their own caches.
//!
//! Objects become everybody's, and are freed, only while the world is stopped. Whoever sees the mark in a header between
//! two stops knows that the object lives until the second.
use std::cell::Cell;
use std::sync::{Mutex, MutexGuard};

use super::{ALONE, own};
use crate::count::{self, EVERYBODYS};
use crate::header::Header;
use crate::lock::NOBODY;

thread_local! {
    /// What the calling thread counts, by place. Null: it has not counted any yet, or the world is stopped for it.
    static COUNTS: Cell<*const Cell<i32>> = const { Cell::new(std::ptr::null()) };
    /// The thread gave more references to some object back than it had counted: that may have been the last one.
    static OWES: Cell<bool> = const { Cell::new(false) };
}

/// Of the places whose counts share a cache line: no two threads write to the same one.
#[repr(align(64))]
#[derive(Clone, Default)]
struct Line([Cell<i32>; LINE]);
const LINE: usize = 64 / size_of::<i32>();

const PLACE: u32 = !EVERYBODYS;

/// One thread's counts.
struct Counts {
    lines: Vec<Line>,
    /// The thread's `COUNTS` and `OWES`.
    at: *const Cell<*const Cell<i32>>,
    owes: *const Cell<bool>,
}
// SAFETY: what is the thread's own is looked at by others only while the world is stopped.
unsafe impl Send for Counts {}

struct All {
    /// The object at each place; 0 = none.
    objects: Vec<usize>,
    /// What was counted of it until the world was last stopped, and what threads without a number count.
    counts: Vec<i32>,
    free: Vec<u32>,
    threads: Vec<Counts>,
}
static ALL: Mutex<All> =
    Mutex::new(All { objects: Vec::new(), counts: Vec::new(), free: Vec::new(), threads: Vec::new() });

fn all() -> MutexGuard<'static, All> {
    ALL.lock().unwrap_or_else(|e| e.into_inner())
}
fn at() -> *const Cell<*const Cell<i32>> {
    COUNTS.with(std::ptr::from_ref)
}
#[inline(always)]
fn place_of(word: u32) -> usize {
    (word & PLACE) as usize
}

/// Adds to what the calling thread counts at the place that a count word names; what that is then. `None`: it has no table.
#[inline(always)]
fn change(word: u32, by: i32) -> Option<i32> {
    let counts = COUNTS.with(|counts| counts.get());
    if counts.is_null() {
        return None;
    }
    // SAFETY: every thread's table has all places that were given out when the world last ran.
    let count = unsafe { &*counts.add(place_of(word)) };
    count.set(count.get() + by);
    Some(count.get())
}
/// Counts a reference to the object with this count word.
#[inline(never)]
pub(crate) fn increment(h: &Header, word: u32) {
    increment_here(h, word);
}
/// The same, for where many are counted.
#[inline(always)]
pub(crate) fn increment_here(h: &Header, word: u32) {
    if change(word, 1).is_none() {
        change_slowly(h, word, 1);
    }
}
/// Gives a reference back; true: it was the last, and the caller frees the object.
#[inline(never)]
pub(crate) fn decrement(h: &Header, word: u32) -> bool {
    match change(word, -1) {
        Some(0..) => false,
        Some(_) => {
            OWES.set(true);
            false
        }
        None => change_slowly(h, word, -1),
    }
}
#[cold]
#[inline(never)]
fn change_slowly(h: &Header, word: u32, by: i32) -> bool {
    let mut all = all();
    if ALONE.get() || own() == NOBODY {
        all.counts[place_of(word)] += by;
        let is_last = ALONE.get() && all.counts[place_of(word)] == 0;
        if is_last {
            all.leave(h, word);
        }
        return is_last;
    }
    let lines = vec![Line::default(); all.objects.len().div_ceil(LINE)];
    COUNTS.set(lines.as_ptr().cast());
    all.threads.push(Counts { lines, at: at(), owes: OWES.with(std::ptr::from_ref) });
    drop(all);
    OWES.set(by < 0);
    change(word, by);
    false
}
impl All {
    /// The object is nobody's, and has no references.
    fn leave(&mut self, h: &Header, word: u32) {
        self.objects[place_of(word)] = 0;
        self.free.push(word & PLACE);
        h.count().store(count::NONE, std::sync::atomic::Ordering::Relaxed);
    }
    /// A place for one more object, in the tables of all threads.
    fn enter(&mut self, object: usize, references: i32) -> Option<u32> {
        let place = self.free.pop().or_else(|| u32::try_from(self.objects.len()).ok().filter(|&n| n < PLACE))?;
        let n = place as usize;
        if n == self.objects.len() {
            self.objects.push(0);
            self.counts.push(0);
            for thread in &mut self.threads {
                thread.lines.resize(n / LINE + 1, Line::default());
                // SAFETY: the cell is that of a thread that lives, and stands still.
                let at = unsafe { &*thread.at };
                if !at.get().is_null() {
                    at.set(thread.lines.as_ptr().cast());
                }
            }
        }
        self.objects[n] = object;
        self.counts[n] = references;
        Some(EVERYBODYS | place)
    }
}

/// Makes an object everybody's, whose count is exact. The world is stopped. False: there is no place.
pub(super) fn enter(h: &Header, references: i32) -> bool {
    let Some(word) = all().enter(super::address(h), references) else { return false };
    h.count().store(word, std::sync::atomic::Ordering::Relaxed);
    true
}
/// Adds up what all threads counted; `dead` gets the objects without references, which are nobody's then. The world is stopped.
pub(super) fn merge(dead: &mut Vec<usize>) {
    let mut all = all();
    let All { counts, threads, .. } = &mut *all;
    for thread in threads {
        // SAFETY: the cell is that of a thread that lives, and stands still.
        unsafe { &*thread.owes }.set(false);
        for (count, here) in counts.iter_mut().zip(thread.lines.iter().flat_map(|line| &line.0)) {
            *count += here.take();
        }
    }
    for place in 0..all.objects.len() {
        if all.counts[place] == 0 && all.objects[place] != 0 {
            dead.push(all.objects[place]);
            // SAFETY: an object at a place is not freed before this.
            let h = unsafe { &*(all.objects[place] as *const Header) };
            all.leave(h, place as u32);
        }
    }
}
/// What is known of the references to the object with this count word: those counted until the world was last stopped, and those that
/// the calling thread has counted since.
pub(crate) fn counted(word: u32) -> u32 {
    let before = all().counts[place_of(word)];
    (before + change(word, 0).unwrap_or(0)).max(0) as u32
}
/// Whether the calling thread may have given a last reference back.
pub(super) fn owes() -> bool {
    OWES.get()
}
/// From now on the calling thread counts where all is added up, or (not `alone`) in its own table again.
pub(super) fn set_alone(alone: bool) {
    let own = |all: &All| all.threads.iter().find(|t| t.at == at()).map(|t| t.lines.as_ptr().cast());
    COUNTS.set(if alone { None } else { own(&all()) }.unwrap_or(std::ptr::null()));
}
/// The calling thread ends. The world is stopped, and all is added up.
pub(super) fn leave() {
    COUNTS.set(std::ptr::null());
    all().threads.retain(|t| t.at != at());
}
/// In the child of a fork: the other threads are gone.
pub(super) fn after_fork() {
    all().threads.retain(|t| t.at == at());
}
