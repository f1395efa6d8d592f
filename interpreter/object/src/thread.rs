//! `Thread`: the state of one interpreter thread, passed as `th` to everything that can run Python code or raise; and the
//! hooks through which this crate reaches what is built on top of it.
pub mod lent;

use std::any::{Any, TypeId};
use std::cell::Cell;
use std::collections::HashMap;
use std::sync::atomic::{AtomicPtr, AtomicU32, Ordering::*};
use std::sync::{Arc, OnceLock};

use crate::dealloc::{Pending, take_pending_finalizers};
use crate::hash::ByWord;
use crate::interpreter::Interpreter;
use crate::value::Value;
use crate::{PyResult, Raised};

/// Reasons for a thread to leave its fast path at the next safe point.
pub mod breaker {
    /// Finalisers or weak reference callbacks are queued.
    pub const PENDING: u32 = 1;
    /// A signal arrived (main thread).
    pub const SIGNAL: u32 = 2;
    /// The world is to be stopped.
    pub const STOP: u32 = 4;
    /// An asynchronous exception was set.
    pub const ASYNC: u32 = 8;
    /// A collection was requested.
    pub const GC: u32 = 16;
    /// Tracing was switched on or off.
    pub const TRACE: u32 = 32;
    /// Somebody queued a call for the main thread.
    pub const CALLS: u32 = 64;
    /// A limit of the embedding program was reached (time, memory).
    pub const LIMIT: u32 = 128;
}

/// What other threads may touch of a thread.
#[derive(Default)]
pub struct Shared {
    pub breaker: AtomicU32,
    pub id: std::sync::atomic::AtomicU64,
    /// The thread runs Python code or touches values; false while it blocks or is stopped.
    pub attached: std::sync::atomic::AtomicBool,
    /// The thread itself once frames have run: for reports of crashes, and for others while the world is stopped.
    pub thread: AtomicPtr<Thread>,
}

/// The threads that are reported when the process crashes; no lock may be taken then.
static REPORTED: [AtomicPtr<Shared>; 128] = [const { AtomicPtr::new(std::ptr::null_mut()) }; 128];

fn enter_report(shared: &Arc<Shared>) {
    let new = Arc::as_ptr(shared).cast_mut();
    for slot in &REPORTED {
        if slot.compare_exchange(std::ptr::null_mut(), new, AcqRel, Relaxed).is_ok() {
            return;
        }
    }
}
fn leave_report(shared: &Arc<Shared>) {
    shared.thread.store(std::ptr::null_mut(), Release);
    for slot in &REPORTED {
        if std::ptr::eq(slot.load(Relaxed), Arc::as_ptr(shared)) {
            slot.store(std::ptr::null_mut(), Release);
        }
    }
}
/// In the child of a fork: the other threads do not exist.
pub fn report_only(th: &Thread) {
    for slot in &REPORTED {
        if !std::ptr::eq(slot.load(Relaxed), Arc::as_ptr(&th.shared)) {
            slot.store(std::ptr::null_mut(), Release);
        }
    }
}
/// Calls `f` with every thread's identifier, whether it is the calling one, and the thread (null where no frame has run),
/// the youngest first. For reports of crashes: takes no lock, allocates nothing.
pub fn report(f: &mut dyn FnMut(u64, bool, *const Thread)) {
    let own = CURRENT.get();
    for slot in REPORTED.iter().rev() {
        let shared = slot.load(Acquire);
        if !shared.is_null() {
            // SAFETY: a thread leaves its slot before its `Arc` goes.
            let shared = unsafe { &*shared };
            f(shared.id.load(Relaxed), std::ptr::eq(shared, own), shared.thread.load(Acquire));
        }
    }
}

/// What this crate needs from above; installed once per process by `runtime`.
pub struct Hooks {
    /// `a == b` as a truth value.
    pub eq: fn(&mut Thread, &Value, &Value) -> PyResult<bool>,
    pub unhashable: fn(&mut Thread, &Value) -> Raised,
    pub no_memory: fn(&mut Thread) -> Raised,
    pub type_error: fn(&mut Thread, String) -> Raised,
    /// RecursionError for native code.
    pub recursion: fn(&mut Thread, &'static str) -> Raised,
    /// Calls back for a dead weak reference; errors are reported as unraisable.
    pub weakref_callback: fn(&mut Thread, &Value, &Value),
}
static HOOKS: OnceLock<Hooks> = OnceLock::new();

pub fn install_hooks(hooks: Hooks) {
    let _ = HOOKS.set(hooks);
}

thread_local! {
    static CURRENT: Cell<*const Shared> = const { Cell::new(std::ptr::null()) };
}

/// Tells the current thread to drain its queue at the next safe point.
pub(crate) fn flag_pending() {
    flag(breaker::PENDING);
}
/// Asks the current thread for something at its next safe point.
pub(crate) fn flag(bits: u32) {
    let shared = CURRENT.get();
    if !shared.is_null() {
        // SAFETY: `CURRENT` points into the `Arc` that the thread's `Thread` holds; it is cleared before that goes.
        unsafe { (*shared).breaker.fetch_or(bits, Relaxed) };
    }
}

/// `Py_C_RECURSION_LIMIT`.
pub const NATIVE_RECURSION_LIMIT: u32 = 10_000;

pub struct Thread {
    /// The exception in flight, set whenever a function returned `Err(Raised)`.
    pub exc: Option<Value>,
    /// The exception being handled (`sys.exception()`); frames and generators save and restore it.
    pub handled: Option<Value>,
    pub interp: Arc<Interpreter>,
    pub shared: Arc<Shared>,
    /// Python calls in progress, checked against the recursion limit.
    pub depth: u32,
    /// The lowest address that native code may use.
    native_limit: usize,
    /// What the VM keeps per thread (its stack, the current frame); owned by crate `vm`.
    pub vm: crate::stack::VmState,
    /// Per-thread state of modules, by type.
    extensions: HashMap<TypeId, Box<dyn Any>, ByWord>,
    draining: bool,
    /// What marks the thread's objects.
    number: crate::foreign::Number,
    /// Native calls in progress that can nest without a Python frame in between (see [`Thread::nested`]).
    native_depth: u32,
}

/// Native stack kept free for what runs after the limit is hit: unwinding, error messages.
const NATIVE_RESERVE: usize = 256 * 1024;

impl Thread {
    /// A thread state for the calling OS thread, which has `stack_size` bytes of native stack.
    pub fn new(interp: Arc<Interpreter>, stack_size: usize) -> Thread {
        let here = std::ptr::from_ref(&stack_size) as usize;
        let shared = Arc::new(Shared::default());
        CURRENT.set(Arc::as_ptr(&shared));
        crate::gc::enter(&interp.gc);
        crate::world::join(&shared);
        let number = crate::foreign::Number::take(interp.gc.mark);
        number.enter();
        if interp.monitors.any() || crate::heap::tracing::is_on() {
            shared.breaker.fetch_or(breaker::TRACE, Relaxed);
        }
        shared.id.store(krait_platform::thread::ident(), Relaxed);
        enter_report(&shared);
        Thread {
            exc: None,
            handled: None,
            interp,
            shared,
            depth: 0,
            native_limit: here.saturating_sub(stack_size.saturating_sub(NATIVE_RESERVE)),
            vm: crate::stack::VmState::new(),
            extensions: HashMap::default(),
            draining: false,
            number,
            native_depth: 0,
        }
    }
    /// A state of another interpreter for the OS thread that this state is of, on what is left of its stack. In one place
    /// for good, as other threads may look at it.
    pub fn beside(&self, interp: Arc<Interpreter>) -> Box<Thread> {
        let mut th = Box::new(Thread::new(interp, self.native_left() + NATIVE_RESERVE));
        th.native_limit = self.native_limit;
        th.native_depth = self.native_depth;
        th
    }
    /// From now on this is the state that the OS thread runs with: an OS thread may have those of several interpreters.
    pub fn enter(&self) {
        CURRENT.set(Arc::as_ptr(&self.shared));
        crate::gc::enter(&self.interp.gc);
        self.number.enter();
    }
    pub(crate) fn number(&self) -> crate::foreign::Number {
        self.number
    }
    #[inline(always)]
    pub fn hooks(&self) -> &'static Hooks {
        HOOKS.get().expect("the runtime installs the hooks before the first thread")
    }
    /// Raises RecursionError when the native stack runs low. `doing` completes the message: " in comparison".
    #[inline]
    pub fn check_native(&mut self, doing: &'static str) -> PyResult<()> {
        let marker = 0u8;
        if (std::ptr::from_ref(&marker) as usize) < self.native_limit {
            return Err((self.hooks().recursion)(self, doing));
        }
        Ok(())
    }
    /// Runs `f` one native call deeper. Raises RecursionError at the depth at which CPython does, or earlier where the native
    /// stack runs low.
    #[inline]
    pub fn nested<R>(&mut self, doing: &'static str, f: impl FnOnce(&mut Thread) -> PyResult<R>) -> PyResult<R> {
        self.check_native(doing)?;
        if self.native_depth >= NATIVE_RECURSION_LIMIT {
            return Err((self.hooks().recursion)(self, doing));
        }
        self.native_depth += 1;
        let result = f(self);
        self.native_depth -= 1;
        result
    }
    /// Bytes of native stack left before the limit.
    pub fn native_left(&self) -> usize {
        let marker = 0u8;
        (std::ptr::from_ref(&marker) as usize).saturating_sub(self.native_limit)
    }
    /// Takes the exception in flight.
    pub fn take_exc(&mut self) -> Option<Value> {
        self.exc.take()
    }
    /// The innermost exception being handled: this frame's, or that of the nearest caller of the running generators.
    pub fn topmost_handled(&self) -> Option<&Value> {
        self.handled.as_ref().or_else(|| self.vm.outer_handled.iter().rev().find_map(Option::as_ref))
    }
    #[inline(always)]
    pub fn breaker(&self) -> u32 {
        self.shared.breaker.load(Relaxed)
    }
    pub fn clear_breaker(&self, bits: u32) {
        self.shared.breaker.fetch_and(!bits, AcqRel);
    }
    /// Runs queued finalisers and weak reference callbacks. The exception in flight is kept.
    #[cold]
    pub fn run_pending(&mut self) {
        if self.draining {
            return;
        }
        self.draining = true;
        self.clear_breaker(breaker::PENDING);
        if crate::header::multi() {
            crate::foreign::run_requested(self);
        }
        let exc = self.exc.take();
        let interpreter = Arc::as_ptr(&self.interp) as usize;
        loop {
            let mut batch = take_pending_finalizers();
            if crate::header::multi() {
                batch.extend(crate::dealloc::take_left(interpreter));
            }
            if batch.is_empty() {
                break;
            }
            for pending in batch {
                match pending {
                    Pending::Finalize(v) => {
                        let slot = v.class().slots.finalize.get();
                        if let Some(f) = slot {
                            f(self, &v);
                        }
                        drop(v);
                    }
                    Pending::Callback { callback, weakref } => {
                        (self.hooks().weakref_callback)(self, &callback, &weakref);
                    }
                }
            }
        }
        self.exc = exc;
        self.draining = false;
    }
    #[inline(always)]
    pub fn has_pending(&self) -> bool {
        self.breaker() & breaker::PENDING != 0
    }
    /// The per-thread state of a module, made on first use.
    pub fn extension<T: Default + Any>(&mut self) -> &mut T {
        self.extensions
            .entry(TypeId::of::<T>())
            .or_insert_with(|| Box::<T>::default())
            .downcast_mut()
            .expect("the entry's key is its type")
    }
}

impl Drop for Thread {
    fn drop(&mut self) {
        if std::ptr::eq(CURRENT.get(), Arc::as_ptr(&self.shared)) {
            CURRENT.set(std::ptr::null());
        }
        leave_report(&self.shared);
        self.exc = None;
        self.handled = None;
        self.extensions.clear();
        crate::gc::abandon_pending();
        {
            let _stopped = crate::world::stop(self);
            crate::foreign::leave();
            self.number.give_back();
        }
        if crate::header::multi() && Arc::strong_count(&self.interp) > 1 {
            crate::dealloc::leave_pending(Arc::as_ptr(&self.interp) as usize);
        }
        crate::gc::leave(&self.interp.gc);
        crate::heap::flush_thread();
        crate::world::leave(&self.shared);
    }
}
