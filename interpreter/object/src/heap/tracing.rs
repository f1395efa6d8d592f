//! Tracing of memory (`tracemalloc`): somebody above is told of every block. It costs nothing while it is off, as nothing looks
//! whether it is: while it is on, the lists of free blocks are empty, so that every allocation is a slow one, and no size
//! is freed the quick way ([`LARGEST_QUICK`]). What containers and libraries take from the system is not seen.
use std::ptr::NonNull;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicUsize, Ordering::*};

use super::{CLASSES, Local, MAX_SMALL, Use, append, carve, class_of, next_of, with_local};

/// Whom to tell. No object is made, and no Python code runs, in these.
pub struct Hooks {
    /// A block's address and size.
    pub allocated: fn(usize, usize),
    pub freed: fn(usize),
}
static HOOKS: OnceLock<Hooks> = OnceLock::new();
static ON: AtomicBool = AtomicBool::new(false);
/// Counts how often tracing was begun.
static BEGUN: AtomicU32 = AtomicU32::new(0);
/// Blocks up to this size are freed into a list without further ado.
pub(super) static LARGEST_QUICK: AtomicUsize = AtomicUsize::new(MAX_SMALL);

#[inline]
pub fn is_on() -> bool {
    ON.load(Relaxed)
}
/// Begins; threads other than the calling one are seen from their next slow allocation on.
pub fn begin(hooks: Hooks) {
    let _ = HOOKS.set(hooks);
    BEGUN.fetch_add(1, Relaxed);
    ON.store(true, SeqCst);
    LARGEST_QUICK.store(0, SeqCst);
    with_local(empty_lists);
}
pub fn end() {
    LARGEST_QUICK.store(MAX_SMALL, SeqCst);
    ON.store(false, SeqCst);
}
pub(super) fn allocated(address: usize, size: usize) {
    if is_on()
        && let Some(hooks) = HOOKS.get()
    {
        (hooks.allocated)(address, size);
    }
}
pub(super) fn freed(address: usize) {
    if is_on()
        && let Some(hooks) = HOOKS.get()
    {
        (hooks.freed)(address);
    }
}
/// Once per tracing: the free blocks of a thread go where only slow allocations find them.
pub(super) fn empty_lists(local: &mut Local) {
    let begun = BEGUN.load(Relaxed);
    if local.emptied == begun {
        return;
    }
    local.emptied = begun;
    for kind in [Use::Plain as usize, Use::Traced as usize] {
        for class in 0..CLASSES {
            let free = std::mem::replace(&mut local.free[kind][class], std::ptr::null_mut());
            local.kept[kind][class] = append(free, local.kept[kind][class]);
        }
    }
}
/// A block of a size of pages.
pub(super) fn allocate(size: usize, what: Use) -> Option<NonNull<u8>> {
    let (kind, class) = (what as usize, class_of(size));
    let kept = with_local(|local| {
        empty_lists(local);
        let head = NonNull::new(local.kept[kind][class])?;
        // SAFETY: blocks in the list are free and linked.
        local.kept[kind][class] = unsafe { next_of(head.as_ptr()) };
        Some(head)
    });
    let block = match kept {
        Some(head) => head,
        None => {
            let first = carve(class, what)?;
            with_local(|local| {
                local.kept[kind][class] = std::mem::replace(&mut local.free[kind][class], std::ptr::null_mut());
            });
            first
        }
    };
    allocated(block.as_ptr() as usize, size);
    Some(block)
}
