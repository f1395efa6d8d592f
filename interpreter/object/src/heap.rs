//! Memory for objects, and for what they own ([`crate::allocator`]): pages of equal blocks for sizes up to a kilobyte, the
//! system's allocator beyond. Objects that the collector walks live in pages of their own, so that it finds them without
//! lists through the objects.
//!
//! Free blocks are kept per thread; a block freed by another thread than its allocator joins the freeing thread's list. A
//! thread that frees much more than it allocates leaves its lists to the others.
//! A free block's first word, where an object has its count, is 0, and the second, where it has its class, is the next
//! free block's address with bit 0 set. In multi mode other threads may still look at the count of a freed object
//! (`cell`): pages keep their block size for good, and large blocks are given back when the world is stopped.
mod left;
pub mod tracing;

use std::alloc::{Layout, handle_alloc_error};
use std::cell::UnsafeCell;
use std::collections::HashSet;
use std::ops::Range;
use std::ptr::NonNull;
use std::sync::atomic::{AtomicU16, AtomicUsize, Ordering::*};
use std::sync::{Mutex, MutexGuard};

use krait_platform::memory::Reservation;

use crate::header::Header;

pub(crate) const GRAIN: usize = 16;
/// Blocks up to this size differ by [`GRAIN`], larger ones by [`COARSE`]: few pages hold what there is little of.
const FINE: usize = 256;
const COARSE: usize = 64;
const CLASSES: usize = FINE / GRAIN + (MAX_SMALL - FINE) / COARSE;
/// Larger blocks come from the system.
const MAX_SMALL: usize = 1 << 10;
const PAGE: usize = 64 << 10;
/// A page's sixteenth, for the collector.
const PART: usize = PAGE / PARTS;
const PARTS: usize = 16;
/// Pages are taken from the system this many at a time.
const CHUNK: usize = 16;
/// Free blocks are made from a page this many bytes at a time, so that a size that is hardly used costs little memory.
const CARVE: usize = 4 << 10;
/// As [`CARVE`], once a page is used.
const LARGEST_CARVE: usize = 16 << 10;
/// Blocks that a thread may free beyond those it allocated before it leaves its lists to the others.
const SURPLUS: isize = 1 << 14;

/// What a block is for. Each use has pages of its own: a block once used for an object is never anything else
/// (`cell` looks at the counts of freed objects), and the collector walks whole pages.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Use {
    /// An object that the collector need not walk.
    Plain,
    Traced,
    /// No object: what an object owns, or anything else of the process.
    Raw,
}
const USES: usize = 3;
impl Use {
    #[inline(always)]
    fn object(traced: bool) -> Use {
        if traced { Use::Traced } else { Use::Plain }
    }
}

/// At the start of every page.
#[repr(C, align(16))]
pub(crate) struct Page {
    block: usize,
    /// 2^32 divided by the block size, rounded up: offsets below 2^16 times this, without the low half, are divided exactly.
    inverse: u64,
    /// Blocks made so far; those behind them are untouched memory.
    carved: AtomicUsize,
    /// Where objects begin that were published since the last collection: a bit for each sixteenth of the page.
    young: AtomicU16,
    /// The collector's scratch counts, one a block, while a collection runs.
    pub(crate) scratch: UnsafeCell<Vec<u32>>,
}
const FIRST: usize = size_of::<Page>().next_multiple_of(GRAIN);

/// Pages with objects that the collector walks.
static TRACED_PAGES: Mutex<Vec<usize>> = Mutex::new(Vec::new());
/// Traced objects too large for a page.
static LARGE: Mutex<Option<HashSet<usize>>> = Mutex::new(None);
/// Untouched pages: a range of addresses. (No vector: this is where vectors get their memory.)
static SPARE_PAGES: Mutex<Rest> = Mutex::new(Rest { next: 0, end: 0 });
/// Objects' blocks in use.
static BLOCKS: AtomicUsize = AtomicUsize::new(0);

/// A large block that was freed, and its size.
struct Large(usize, usize);
impl Drop for Large {
    fn drop(&mut self) {
        // SAFETY: the block was freed, with the layout that it was allocated with.
        unsafe { std::alloc::dealloc(self.0 as *mut u8, layout(self.1)) }
    }
}

/// One thread's free blocks of every size, and the untouched rest of the page that the thread took last.
struct Local {
    free: [[*mut u8; CLASSES]; USES],
    rest: [[Rest; CLASSES]; USES],
    /// Free blocks while memory is traced: the other lists are empty then, so that every allocation takes the slow way.
    kept: [[*mut u8; CLASSES]; USES],
    /// The tracing during which the lists were last emptied.
    emptied: u32,
    /// Objects' blocks allocated less those freed, since the thread's lists were empty.
    blocks: isize,
    /// The same of raw blocks.
    raw: isize,
}
#[derive(Clone, Copy)]
struct Rest {
    next: usize,
    end: usize,
}
impl Local {
    const EMPTY: Local = Local {
        free: [[std::ptr::null_mut(); CLASSES]; USES],
        rest: [[Rest { next: 0, end: 0 }; CLASSES]; USES],
        kept: [[std::ptr::null_mut(); CLASSES]; USES],
        emptied: 0,
        blocks: 0,
        raw: 0,
    };
    /// Moves the blocks of the second list to the first, behind which no thread traces.
    fn join_kept(&mut self) {
        for kind in 0..USES {
            for class in 0..CLASSES {
                let kept = std::mem::replace(&mut self.kept[kind][class], std::ptr::null_mut());
                self.free[kind][class] = append(kept, self.free[kind][class]);
            }
        }
    }
}
thread_local! {
    static LOCAL: UnsafeCell<Local> = const { UnsafeCell::new(Local::EMPTY) };
}

/// # Safety
/// `block` is free, and the caller's alone.
#[inline(always)]
unsafe fn link(block: *mut u8, next: *mut u8) {
    let words = block.cast::<u64>();
    // SAFETY: a block has at least two words.
    unsafe {
        words.write(0);
        words.add(1).write(next as u64 | 1);
    }
}
/// The free block behind a free block.
///
/// # Safety
/// `block` was linked and is still free.
#[inline(always)]
unsafe fn next_of(block: *mut u8) -> *mut u8 {
    // SAFETY: by the caller's promise.
    (unsafe { block.cast::<u64>().add(1).read() } & !1) as *mut u8
}

/// The last block of a list; null of an empty one.
///
/// # Safety
/// The blocks of the list are free, linked, and the caller's alone.
unsafe fn last_of(first: *mut u8) -> *mut u8 {
    let mut last = first;
    while !last.is_null() {
        // SAFETY: by the caller's promise.
        let next = unsafe { next_of(last) };
        if next.is_null() {
            break;
        }
        last = next;
    }
    last
}
/// One list of free blocks from two.
fn append(first: *mut u8, second: *mut u8) -> *mut u8 {
    if first.is_null() || second.is_null() {
        return if first.is_null() { second } else { first };
    }
    // SAFETY: both lists hold free, linked blocks, which are the thread's alone.
    unsafe { link(last_of(first), second) };
    first
}

/// Blocks in use, this thread's share not yet added up included.
pub(crate) fn blocks_in_use() -> usize {
    // SAFETY: the thread's own state, read for one field.
    let own = LOCAL.with(|l| unsafe { (*l.get()).blocks });
    (BLOCKS.load(Relaxed) as isize + own).max(0) as usize
}

/// A block of at least `size` bytes, aligned to 16, or `None` where there is no memory. `traced` blocks are walked by
/// the collector.
#[inline(always)]
pub(crate) fn try_alloc(size: usize, traced: bool) -> Option<NonNull<u8>> {
    if size > MAX_SMALL {
        return alloc_large(size, traced);
    }
    LOCAL.with(|local| {
        // SAFETY: the thread's own state.
        unsafe { (*local.get()).blocks += 1 };
        take(local, size, Use::object(traced))
    })
}
/// As [`try_alloc`], for memory that is no object; `size` is small.
#[inline(always)]
pub(crate) fn try_alloc_raw(size: usize) -> Option<NonNull<u8>> {
    debug_assert!(!is_large(size));
    LOCAL.with(|local| {
        // SAFETY: the thread's own state.
        unsafe { (*local.get()).raw += 1 };
        take(local, size, Use::Raw)
    })
}
#[inline(always)]
pub(crate) fn class_of(size: usize) -> usize {
    if size <= FINE { size.div_ceil(GRAIN) - 1 } else { FINE / GRAIN + (size - FINE).div_ceil(COARSE) - 1 }
}
/// The size of a class's blocks.
fn block_of(class: usize) -> usize {
    match class.checked_sub(FINE / GRAIN) {
        None => (class + 1) * GRAIN,
        Some(coarse) => FINE + (coarse + 1) * COARSE,
    }
}
#[inline(always)]
fn take(local: &UnsafeCell<Local>, size: usize, what: Use) -> Option<NonNull<u8>> {
    let class = class_of(size);
    // SAFETY: the thread's own state; the reference ends before anything that allocates.
    let list = unsafe { &mut (*local.get()).free[what as usize][class] };
    let Some(block) = NonNull::new(*list) else { return refill(size, what) };
    // SAFETY: blocks in the list are free and linked.
    *list = unsafe { next_of(block.as_ptr()) };
    Some(block)
}
/// As [`try_alloc`], for sizes that no script chooses.
#[inline(always)]
pub(crate) fn alloc(size: usize, traced: bool) -> NonNull<u8> {
    match try_alloc(size, traced) {
        Some(p) => p,
        None => handle_alloc_error(layout(size)),
    }
}
fn layout(size: usize) -> Layout {
    Layout::from_size_align(size.next_multiple_of(GRAIN), GRAIN).unwrap_or(Layout::new::<u128>())
}

/// Works on the thread's state. `f` must not allocate: that would come back here.
fn with_local<R>(f: impl FnOnce(&mut Local) -> R) -> R {
    // SAFETY: the thread's own state, which nothing else refers to while `f` runs.
    LOCAL.with(|l| f(unsafe { &mut *l.get() }))
}
/// A block where the thread has none in its list.
#[cold]
#[inline(never)]
fn refill(size: usize, what: Use) -> Option<NonNull<u8>> {
    let (kind, class) = (what as usize, class_of(size));
    if what != Use::Raw && tracing::is_on() {
        return tracing::allocate(size, what);
    }
    let kept = with_local(|local| {
        let head = NonNull::new(std::mem::replace(&mut local.kept[kind][class], std::ptr::null_mut()))?;
        // SAFETY: blocks in the list are free and linked.
        local.free[kind][class] = unsafe { next_of(head.as_ptr()) };
        Some(head)
    });
    kept.or_else(|| carve(class, what))
}
/// The first of some new free blocks; the others join the thread's list.
fn carve(class: usize, what: Use) -> Option<NonNull<u8>> {
    let (kind, block) = (what as usize, block_of(class));
    if let Some(first) = left::take(class, what) {
        return Some(first);
    }
    let is_used_up = |local: &mut Local| local.rest[kind][class].end - local.rest[kind][class].next < block;
    if with_local(is_used_up)
        && let Some(rest) = left::take_rest(class, what)
    {
        with_local(|local| local.rest[kind][class] = rest);
    }
    if with_local(is_used_up) {
        let page = new_page()?;
        let header = Page {
            block,
            inverse: (1u64 << 32).div_ceil(block as u64),
            carved: AtomicUsize::new(0),
            young: AtomicU16::new(0),
            scratch: UnsafeCell::new(Vec::new()),
        };
        // SAFETY: a fresh page of PAGE bytes, which begins with its header.
        unsafe { page.cast::<Page>().write(header) };
        if what == Use::Traced {
            TRACED_PAGES.lock().unwrap_or_else(|e| e.into_inner()).push(page as usize);
        }
        with_local(|local| {
            local.rest[kind][class] = Rest { next: page as usize + FIRST, end: page as usize + PAGE };
        });
    }
    with_local(|local| {
        let rest = &mut local.rest[kind][class];
        // What has been used up is as good a guess as any of what is wanted next.
        let taken = rest.next & (PAGE - 1);
        // (Not `if taken <= CARVE`: with what follows rustc 1.95 takes that to be false always.)
        let wanted = taken.clamp(CARVE, LARGEST_CARVE);
        // Up to where a page of the system ends, so that the next one stays untouched.
        let until = (taken + block - 1 + wanted) / CARVE * CARVE;
        let count = ((until - taken) / block).clamp(1, (rest.end - rest.next) / block);
        let first = rest.next as *mut u8;
        rest.next += count * block;
        if wanted > CARVE {
            krait_platform::memory::prepare(first as usize, count * block);
        }
        // SAFETY: the rest lies in a page, whose header is at its start.
        let page = unsafe { &*((first as usize & !(PAGE - 1)) as *const Page) };
        let mut next = local.free[kind][class];
        for i in (1..count).rev() {
            // SAFETY: the blocks lie within the rest, which is the thread's alone and zero.
            unsafe {
                let p = first.add(i * block);
                link(p, next);
                next = p;
            }
        }
        local.free[kind][class] = next;
        page.carved.fetch_add(count, Release);
        NonNull::new(first)
    })
}
/// A zeroed page.
fn new_page() -> Option<*mut u8> {
    let mut spare = SPARE_PAGES.lock().unwrap_or_else(|e| e.into_inner());
    if spare.next == spare.end {
        // Chunks are never given back: their pages are reused. One page more, as the range begins anywhere.
        let chunk = std::mem::ManuallyDrop::new(Reservation::new(PAGE * (CHUNK + 1))?);
        let start = (chunk.start().as_ptr() as usize).next_multiple_of(PAGE);
        *spare = Rest { next: start, end: start + CHUNK * PAGE };
    }
    let page = spare.next;
    spare.next += PAGE;
    Some(page as *mut u8)
}

#[cold]
#[inline(never)]
fn alloc_large(size: usize, traced: bool) -> Option<NonNull<u8>> {
    let size = size.checked_next_multiple_of(GRAIN)?;
    let layout = Layout::from_size_align(size, GRAIN).ok()?;
    // SAFETY: the size is not zero.
    let block = NonNull::new(unsafe { std::alloc::alloc(layout) })?;
    // SAFETY: at least a header long; the class pointer must read as null until the object is written.
    unsafe { std::ptr::write_bytes(block.as_ptr(), 0, size_of::<Header>()) };
    BLOCKS.fetch_add(1, Relaxed);
    tracing::allocated(block.as_ptr() as usize, size);
    if traced {
        LARGE.lock().unwrap_or_else(|e| e.into_inner()).get_or_insert_default().insert(block.as_ptr() as usize);
    }
    Some(block)
}

/// Makes an untraced large block larger, where it is or elsewhere; `None` without memory: it is as it was.
///
/// # Safety
/// `block` came from `alloc` with `old` bytes, which are too many for a page, and nobody else refers to it.
pub(crate) unsafe fn grow(block: NonNull<u8>, old: usize, new: usize) -> Option<NonNull<u8>> {
    let new = new.checked_next_multiple_of(GRAIN).filter(|&n| Layout::from_size_align(n, GRAIN).is_ok())?;
    // SAFETY: by the caller's promise; the size is not zero.
    let grown = NonNull::new(unsafe { std::alloc::realloc(block.as_ptr(), layout(old), new) })?;
    tracing::freed(block.as_ptr() as usize);
    tracing::allocated(grown.as_ptr() as usize, new);
    Some(grown)
}
/// # Safety
/// `block` came from `alloc` with the same size and kind and is not used again.
#[inline(always)]
pub(crate) unsafe fn free(block: NonNull<u8>, size: usize, traced: bool) {
    if size > tracing::LARGEST_QUICK.load(Relaxed) {
        // SAFETY: passed on.
        return unsafe { free_slowly(block, size, traced) };
    }
    LOCAL.with(|local| {
        // SAFETY: the thread's own state; the block is the caller's to give.
        unsafe {
            give(&mut *local.get(), block, size, Use::object(traced));
            (*local.get()).blocks -= 1;
            if (*local.get()).blocks < -SURPLUS {
                leave_lists();
            }
        }
    });
}
/// # Safety
/// `block` came from `try_alloc_raw` with the same size and is not used again.
#[inline(always)]
pub(crate) unsafe fn free_raw(block: NonNull<u8>, size: usize) {
    LOCAL.with(|local| {
        // SAFETY: the thread's own state; the block is the caller's to give.
        unsafe {
            give(&mut *local.get(), block, size, Use::Raw);
            (*local.get()).raw -= 1;
            if (*local.get()).raw < -SURPLUS {
                leave_lists();
            }
        }
    });
}
/// # Safety
/// `block` has that size and use, and is the caller's alone.
#[inline(always)]
unsafe fn give(local: &mut Local, block: NonNull<u8>, size: usize, what: Use) {
    let list = &mut local.free[what as usize][class_of(size)];
    // SAFETY: by the caller's promise.
    unsafe { link(block.as_ptr(), *list) };
    *list = block.as_ptr();
}
/// # Safety
/// As [`free`].
#[cold]
#[inline(never)]
unsafe fn free_slowly(block: NonNull<u8>, size: usize, traced: bool) {
    tracing::freed(block.as_ptr() as usize);
    if size > MAX_SMALL {
        // SAFETY: passed on.
        return unsafe { free_large(block, size, traced) };
    }
    let (kind, class) = (Use::object(traced) as usize, class_of(size));
    with_local(|local| {
        local.blocks -= 1;
        // SAFETY: the block is ours to link.
        unsafe { link(block.as_ptr(), local.kept[kind][class]) };
        local.kept[kind][class] = block.as_ptr();
        tracing::empty_lists(local);
    });
}
/// # Safety
/// As [`free`].
unsafe fn free_large(block: NonNull<u8>, size: usize, traced: bool) {
    if traced && let Some(all) = LARGE.lock().unwrap_or_else(|e| e.into_inner()).as_mut() {
        all.remove(&(block.as_ptr() as usize));
    }
    BLOCKS.fetch_sub(1, Relaxed);
    if crate::header::multi() {
        // SAFETY: the block is free, and at least two words long.
        unsafe { link(block.as_ptr(), std::ptr::null_mut()) };
    }
    crate::retired::retire(Large(block.as_ptr() as usize, size), size);
}

/// Leaves the thread's free blocks to the others, and adds its count to the process's.
#[cold]
#[inline(never)]
fn leave_lists() {
    let mut left = with_local(|local| std::mem::replace(local, Local::EMPTY));
    left.join_kept();
    let own = left.blocks;
    left::leave(&left);
    if own >= 0 {
        BLOCKS.fetch_add(own as usize, Relaxed);
    } else {
        BLOCKS.fetch_sub(own.unsigned_abs(), Relaxed);
    }
}
/// What a thread does with its lists when it ends.
pub(crate) fn flush_thread() {
    leave_lists();
}
/// No thread is in the middle of a change to what the threads share of the heap while this lives: for a `fork`, whose child
/// has only one thread.
pub struct Settled {
    _locks: (MutexGuard<'static, Vec<usize>>, MutexGuard<'static, left::Left>, MutexGuard<'static, Rest>),
}
pub fn settle() -> Settled {
    Settled {
        _locks: (
            TRACED_PAGES.lock().unwrap_or_else(|e| e.into_inner()),
            left::lock(),
            SPARE_PAGES.lock().unwrap_or_else(|e| e.into_inner()),
        ),
    }
}

/// The page that holds a small traced object.
pub(crate) fn page_of(h: NonNull<Header>) -> *const Page {
    (h.as_ptr() as usize & !(PAGE - 1)) as *const Page
}
/// Whether the object is too large for a page; `size` is its block's.
pub(crate) fn is_large(size: usize) -> bool {
    size > MAX_SMALL
}
/// Whether the block holds an object: its second word is a class, neither null nor a link.
fn is_used(h: &Header) -> bool {
    let class = h.class_ptr() as usize;
    class != 0 && class & 1 == 0
}
impl Page {
    /// The number of a block within its page.
    pub(crate) fn index_of(&self, h: NonNull<Header>) -> usize {
        let offset = h.as_ptr() as usize - std::ptr::from_ref(self) as usize - FIRST;
        let index = ((offset as u64 * self.inverse) >> 32) as usize;
        debug_assert_eq!(index, offset / self.block);
        index
    }
    /// Blocks made so far.
    pub(crate) fn count(&self) -> usize {
        self.carved.load(Acquire)
    }
    /// Notes that the object in this page was published.
    #[inline(always)]
    pub(crate) fn note_young(&self, object: NonNull<Header>) {
        let part = 1 << (object.as_ptr() as usize / PART % PARTS);
        if self.young.load(Relaxed) & part == 0 {
            self.young.fetch_or(part, Relaxed);
        }
    }
    /// Calls `f` with every block in use that begins in a part whose bit is set.
    fn walk_young(&self, f: &mut impl FnMut(NonNull<Header>)) {
        let parts = self.young.load(Relaxed);
        for part in (0..PARTS).filter(|part| parts & 1 << part != 0) {
            let first = |part: usize| (part * PART).saturating_sub(FIRST).div_ceil(self.block);
            self.walk(first(part)..first(part + 1).min(self.count()), f);
        }
    }
    /// Calls `f` with every block of these that is in use.
    fn walk(&self, blocks: Range<usize>, f: &mut impl FnMut(NonNull<Header>)) {
        for i in blocks {
            let at = std::ptr::from_ref(self) as usize + FIRST + i * self.block;
            if let Some(h) = NonNull::new(at as *mut Header)
                // SAFETY: every block of a traced page has a header's worth of initialised words.
                && is_used(unsafe { h.as_ref() })
            {
                f(h);
            }
        }
    }
}
/// Calls `f` with every traced object, published or not. With `young_only`, parts of pages without young objects are passed
/// over. The world is stopped.
pub(crate) fn walk(young_only: bool, mut f: impl FnMut(NonNull<Header>)) {
    let pages = TRACED_PAGES.lock().unwrap_or_else(|e| e.into_inner()).clone();
    for page in pages {
        // SAFETY: pages are never given back.
        let page = unsafe { &*(page as *const Page) };
        if young_only {
            page.walk_young(&mut f);
        } else {
            page.walk(0..page.count(), &mut f);
        }
    }
    let large: Vec<usize> = LARGE.lock().unwrap_or_else(|e| e.into_inner()).iter().flatten().copied().collect();
    for at in large {
        if let Some(h) = NonNull::new(at as *mut Header)
            // SAFETY: registered blocks are live memory with an initialised header.
            && is_used(unsafe { h.as_ref() })
        {
            f(h);
        }
    }
}
/// Forgets where young objects are.
pub(crate) fn clear_young() {
    for page in TRACED_PAGES.lock().unwrap_or_else(|e| e.into_inner()).iter() {
        // SAFETY: pages are never given back.
        unsafe { &*(*page as *const Page) }.young.store(0, Relaxed);
    }
}
