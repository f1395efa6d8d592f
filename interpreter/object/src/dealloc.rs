//! What happens when a count reaches zero: weak references are cleared, finalisers queued, deep structures freed without
//! native recursion. `Value::drop` never runs Python code; the queue is drained by `Thread::run_pending`.
use std::cell::{Cell, RefCell};
use std::ptr::NonNull;
use std::sync::Mutex;
use std::sync::atomic::Ordering::AcqRel;

use crate::header::{Header, flag};
use crate::refs::block_size;
use crate::type_object::TypeObject;
use crate::value::Value;
use crate::{foreign, heap, instance, thread, weakref};

/// Nested drops beyond this depth are deferred to the outermost one.
const MAX_DEPTH: u32 = 64;

thread_local! {
    static DEPTH: Cell<u32> = const { Cell::new(0) };
    /// Whether `DEFERRED` has any.
    static WAITING: Cell<bool> = const { Cell::new(false) };
    static DEFERRED: RefCell<Vec<NonNull<Header>>> = const { RefCell::new(Vec::new()) };
    static FINALIZERS: RefCell<Vec<Pending>> = const { RefCell::new(Vec::new()) };
}

/// Work that a drop left for the interpreter, because it runs Python code.
pub enum Pending {
    /// The object came back to life for its finaliser: call the type's `finalize` slot, then drop it.
    Finalize(Value),
    /// Call `callback(weakref)`.
    Callback { callback: Value, weakref: Value },
}

/// The finalisers and callbacks queued on this thread so far, in order.
pub fn take_pending_finalizers() -> Vec<Pending> {
    FINALIZERS.with(|q| q.try_borrow_mut().map(|mut q| std::mem::take(&mut *q)).unwrap_or_default())
}

/// What threads that have ended left behind, with the address of their interpreter.
static ORPHANS: Mutex<Vec<(usize, Pending)>> = Mutex::new(Vec::new());

/// The calling thread ends: what adding up the counts queued is left to others of its interpreter.
pub(crate) fn leave_pending(interpreter: usize) {
    let left = take_pending_finalizers();
    if !left.is_empty() {
        ORPHANS
            .lock()
            .unwrap_or_else(|e| e.into_inner())
            .extend(left.into_iter().map(|pending| (interpreter, pending)));
        for other in crate::world::threads() {
            other.breaker.fetch_or(thread::breaker::PENDING, AcqRel);
        }
    }
}
/// What threads of the interpreter left behind.
pub(crate) fn take_left(interpreter: usize) -> Vec<Pending> {
    let mut orphans = ORPHANS.lock().unwrap_or_else(|e| e.into_inner());
    orphans.extract_if(.., |(of, _)| *of == interpreter).map(|(_, pending)| pending).collect()
}

pub(crate) fn queue(pending: Pending) {
    // At the thread's very end there is nobody left to run it: the object stays as it is.
    let mut pending = std::mem::ManuallyDrop::new(Some(pending));
    let queued = FINALIZERS.try_with(|q| q.borrow_mut().extend(pending.take()));
    if queued.is_ok() {
        thread::flag_pending();
    }
}

/// Has `callback(argument)` called where the VM allows it: for what a drop must tell Python code.
pub fn queue_call(callback: Value, argument: Value) {
    queue(Pending::Callback { callback, weakref: argument });
}

/// Frees an object whose count reached zero, unless other threads may still count references to it.
///
/// # Safety
/// The object's own thread, or one that is alone, counts no references to it; nobody else frees it.
#[cold]
#[inline(never)]
pub(crate) unsafe fn dealloc(h: NonNull<Header>) {
    // SAFETY: the object is whole.
    if foreign::must_wait(unsafe { h.as_ref() }) {
        return foreign::wait(h);
    }
    let depth = DEPTH.get();
    if depth >= MAX_DEPTH {
        return defer(h);
    }
    DEPTH.set(depth + 1);
    // SAFETY: passed on from the caller.
    unsafe { free_object(h) };
    DEPTH.set(depth);
    if depth == 0 && WAITING.get() {
        free_deferred();
    }
}
#[cold]
#[inline(never)]
fn defer(h: NonNull<Header>) {
    DEFERRED.with(|d| d.borrow_mut().push(h));
    WAITING.set(true);
}
#[cold]
#[inline(never)]
fn free_deferred() {
    DEPTH.set(1);
    while let Some(next) = DEFERRED.with(|d| d.borrow_mut().pop()) {
        // SAFETY: deferred objects have no references left.
        unsafe { free_object(next) };
    }
    WAITING.set(false);
    DEPTH.set(0);
}

/// Flags of objects whose death takes more than dropping payload and tail.
const INVOLVED: u8 = flag::WEAKREFS | flag::REFERENCE | flag::DEAD;

/// # Safety
/// As [`dealloc`].
#[inline(always)]
unsafe fn free_object(h: NonNull<Header>) {
    // SAFETY: the memory is live until freed below.
    let header = unsafe { h.as_ref() };
    let class_ptr = header.class_ptr();
    // SAFETY: the object owns its type.
    let class: &TypeObject = unsafe { &*class_ptr };
    let flags = header.flags();
    let vtable = class.vtable();
    // SAFETY: the object is whole until its payload is dropped.
    let size = unsafe { block_size(h, class) };
    let traced = vtable.traced || flags & flag::TAIL != 0 || !class.is_static();
    if flags & INVOLVED != 0 || class.has_finalizer() {
        // SAFETY: passed on from the caller.
        if !unsafe { say_farewell(h, class, flags) } {
            return;
        }
    }
    if flags & flag::DEAD == 0 {
        if flags & flag::TAIL != 0 {
            // SAFETY: the flag says that there is a tail; it is dropped once.
            unsafe { instance::drop_tail(h, class) };
        }
        // SAFETY: the payload is dropped once.
        unsafe { (vtable.drop)(h.as_ptr().cast()) };
    }
    if traced {
        crate::gc::retire();
    }
    // SAFETY: same size as allocated.
    unsafe { heap::free(h.cast(), size, traced) };
    if !class.is_static()
        && let Some(class_header) = NonNull::new(class_ptr.cast_mut().cast::<Header>())
    {
        // SAFETY: the object owned a reference to its heap type.
        unsafe { crate::header::decref(class_header) };
    }
}
/// Has the finaliser run, and what refers weakly to the object cleared; false if the object goes on living.
///
/// # Safety
/// As [`dealloc`].
#[inline(never)]
unsafe fn say_farewell(h: NonNull<Header>, class: &TypeObject, flags: u8) -> bool {
    // SAFETY: the object is whole.
    let header = unsafe { h.as_ref() };
    let finalizes = flags & (flag::DEAD | flag::FINALIZED) == 0 && class.has_finalizer();
    if finalizes && header.claim_flag(flag::FINALIZED) {
        header.revive();
        // SAFETY: the count was just set to the one reference that this value owns.
        queue(Pending::Finalize(unsafe { Value::from_bits(h.as_ptr() as u64) }));
        return false;
    }
    if flags & flag::WEAKREFS != 0 && !weakref::clear_refs(h) {
        // Another thread has come by a reference.
        foreign::wait(h);
        return false;
    }
    if flags & flag::REFERENCE != 0 && !weakref::release(h) {
        foreign::wait(h);
        return false;
    }
    true
}
