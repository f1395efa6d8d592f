//! Reading a list's items without its lock.
//!
//! The word beside the lock counts what was read with the lock while several threads share it. After as much as makes up for
//! copying the items it names a view: where the items are and how many. The view holds as long as the word does.
use std::sync::Mutex;
use std::sync::atomic::{AtomicPtr, AtomicU64, AtomicUsize, Ordering::*};

use super::{List, place};
use crate::locked::try_load_word;
use crate::retired::retire;
use crate::value::Value;

/// The word names a view; without it, it counts.
const VIEWED: u32 = 1 << 31;
const VIEWS: usize = 1 << 12;
/// Lists beyond this length are read with the lock.
const LONGEST: usize = 1 << 20;

struct View {
    items: AtomicPtr<Value>,
    len: AtomicUsize,
}
/// All views, by number.
static ALL: [View; VIEWS] =
    [const { View { items: AtomicPtr::new(std::ptr::null_mut()), len: AtomicUsize::new(0) } }; VIEWS];
struct Numbers {
    given_back: Vec<u32>,
    next: u32,
}
static NUMBERS: Mutex<Numbers> = Mutex::new(Numbers { given_back: Vec::new(), next: 0 });

/// The number of a view, given back when it is dropped.
struct Number(u32);
impl Number {
    fn take() -> Option<Number> {
        let mut numbers = NUMBERS.lock().unwrap_or_else(|e| e.into_inner());
        if let Some(n) = numbers.given_back.pop() {
            return Some(Number(n));
        }
        let n = numbers.next;
        if n as usize >= VIEWS {
            return None;
        }
        numbers.next += 1;
        Some(Number(n))
    }
}
impl Drop for Number {
    fn drop(&mut self) {
        NUMBERS.lock().unwrap_or_else(|e| e.into_inner()).given_back.push(self.0);
    }
}
/// Memory that items have moved out of, with the number of the view of it.
struct Left(#[expect(dead_code, reason = "kept until it is dropped")] (Vec<Value>, Number));

impl List {
    /// The view, with the word that names it.
    #[inline(always)]
    fn view(&self) -> Option<(u32, &'static View)> {
        let word = self.items.view.load(Acquire);
        (word & VIEWED != 0).then(|| (word, &ALL[(word & !VIEWED) as usize % VIEWS]))
    }
    #[inline]
    pub(super) fn viewed_len(&self) -> Option<usize> {
        let (word, view) = self.view()?;
        let len = view.len.load(Relaxed);
        (self.items.view.load(Acquire) == word).then_some(len)
    }
    /// The item at an index, in multi mode.
    #[inline(never)]
    pub(super) fn at_multi(&self, index: i64) -> Option<Value> {
        if let Some((word, view)) = self.view() {
            let holds = || self.items.view.load(Acquire) == word;
            let (items, len) = (view.items.load(Relaxed), view.len.load(Relaxed));
            match place(index, len) {
                None if holds() => return None,
                None => {}
                Some(i) => {
                    // SAFETY: a view and its memory live until no thread can be reading them; `i` is below the length.
                    let word = unsafe { &*items.add(i).cast::<AtomicU64>() };
                    let found = try_load_word(word, holds);
                    if found.is_some() {
                        return found;
                    }
                }
            }
        }
        let items = self.items.lock();
        let item = place(index, items.len()).map(|i| items[i].clone());
        if self.items.is_shared() {
            self.was_read(&items);
        }
        item
    }
    /// The items were read with the lock, by one of several threads.
    #[inline]
    fn was_read(&self, items: &[Value]) {
        let word = self.items.view.load(Relaxed);
        if word & VIEWED != 0 || items.len() > LONGEST {
            return;
        }
        if (word as usize) < items.len() / 2 + 16 {
            self.items.view.store(word + 1, Relaxed);
            return;
        }
        self.items.view.store(0, Relaxed);
        if let Some(number) = Number::take() {
            let view = &ALL[number.0 as usize];
            view.items.store(items.as_ptr().cast_mut(), Relaxed);
            view.len.store(items.len(), Relaxed);
            self.items.view.store(VIEWED | number.0, Release);
            std::mem::forget(number);
        }
    }
    /// Before the list changes. The lock is held.
    #[cold]
    #[inline(never)]
    pub(super) fn forget_view(&self, items: &mut Vec<Value>) {
        // Whoever counts an item by the view after this finds that it does not hold; who did it before has marked the item.
        let word = self.items.view.swap(0, SeqCst);
        if word & VIEWED == 0 {
            return;
        }
        let mut moved: Vec<Value> = Vec::with_capacity(items.capacity());
        // SAFETY: there is room for all items; each moves once, as the old vector forgets them.
        unsafe {
            std::ptr::copy_nonoverlapping(items.as_ptr(), moved.as_mut_ptr(), items.len());
            moved.set_len(items.len());
            items.set_len(0);
        }
        let old = std::mem::replace(items, moved);
        let bytes = old.capacity() * size_of::<Value>();
        retire(Left((old, Number(word & !VIEWED))), bytes);
    }
    /// The list goes, and nobody reads it.
    #[cold]
    #[inline(never)]
    pub(super) fn drop_view(&mut self) {
        let word = std::mem::take(self.items.view.get_mut());
        if word & VIEWED != 0 {
            drop(Number(word & !VIEWED));
        }
    }
}
