//! Which threads run Python code. By default one at a time: a thread gives way at safe points when another has waited for
//! the switch interval, and around everything that blocks. While there is one thread, all of this costs one relaxed load.
//! Because the threads take turns, and hand over through a mutex, counts and container locks stay in single mode
//! (`krait_object::header`).
//!
//! With `-X parallel` the first second thread switches to multi mode for good: what all threads use becomes immortal, each
//! thread counts for itself, locks are real, and all threads run at once (`krait_object::world` stops them where one must be alone).
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::*};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use krait_object::builtin_types::TYPE;
use krait_object::thread::{Shared, breaker, lent};
use krait_object::{PyResult, Str, Thread, TypeObject, gc, header, heap, world as everyone};
use krait_platform::thread::{Semaphore, Wait};

use crate::types::descriptor::{
    CLASSMETHOD_DESCRIPTOR, GETSET_DESCRIPTOR, MEMBER_DESCRIPTOR, METHOD_DESCRIPTOR, WRAPPER_DESCRIPTOR,
};
use crate::types::{
    code::Code, function::Function, module::MODULE, native_function::NativeFunction, property::PROPERTY,
};
use crate::{config, safepoint, signals};

struct State {
    /// The thread that runs; `None` = free.
    holder: Option<Arc<Shared>>,
    waiting: usize,
    /// Counts hand-overs.
    turns: u64,
}
static STATE: Mutex<State> = Mutex::new(State { holder: None, waiting: 0, turns: 0 });
static FREE: Condvar = Condvar::new();
static TURNED: Condvar = Condvar::new();
/// True once a second thread was started.
static THREADED: AtomicBool = AtomicBool::new(false);
/// Threads other than the finalising one never run again.
static FINALIZING: AtomicBool = AtomicBool::new(false);
/// Nanoseconds after which a waiting thread asks the running one to give way.
static INTERVAL: AtomicU64 = AtomicU64::new(5_000_000);

pub fn set_switch_interval(seconds: f64) {
    INTERVAL.store((seconds * 1e9) as u64, Relaxed);
}
fn state() -> MutexGuard<'static, State> {
    STATE.lock().unwrap_or_else(|e| e.into_inner())
}

/// Whether all threads run at once.
pub fn is_parallel() -> bool {
    header::multi()
}
/// Whether all threads are to run at once: `-X parallel`.
pub fn is_parallel_wanted(th: &Thread) -> bool {
    config::get(th).x_options.iter().any(|(name, _)| name == "parallel")
}
fn enter_parallel() {
    gc::immortalize(|object| {
        // What a function made while it ran may be meant to go.
        if let Some(function) = object.downcast_exact::<Function>() {
            let qualname = function.qualname.get().and_then(|q| q.to_ref::<Str>());
            return !qualname.is_some_and(|q| q.to_string_lossy().contains("<locals>"));
        }
        if let Some(function) = object.downcast_exact::<NativeFunction>() {
            return function.bound_object().is_none_or(|this| this.is_exact(&MODULE) || this.is_instance(&TYPE));
        }
        if let Some(code) = object.downcast_exact::<Code>() {
            code.share();
            return true;
        }
        object.is_instance(&TYPE) || object.is_exact(&MODULE) || DESCRIPTORS.iter().any(|class| object.is_exact(class))
    });
    header::enter_multi();
}
/// What classes have of these is shared as the classes are.
static DESCRIPTORS: [&TypeObject; 6] = [
    &METHOD_DESCRIPTOR,
    &CLASSMETHOD_DESCRIPTOR,
    &WRAPPER_DESCRIPTOR,
    &GETSET_DESCRIPTOR,
    &MEMBER_DESCRIPTOR,
    &PROPERTY,
];
/// The handler of `breaker::STOP` in multi mode; at the end the other threads never go on.
fn park(th: &mut Thread) -> PyResult<()> {
    th.clear_breaker(breaker::STOP);
    everyone::park(th);
    Ok(())
}

/// Before the first second thread starts: the calling thread is the one that runs.
pub fn begin_threads(th: &Thread) {
    if THREADED.load(Relaxed) {
        return;
    }
    if is_parallel_wanted(th) {
        safepoint::install(breaker::STOP, park);
        enter_parallel();
        THREADED.store(true, SeqCst);
        return;
    }
    safepoint::install(breaker::STOP, give_way);
    state().holder = Some(th.shared.clone());
    THREADED.store(true, SeqCst);
}
/// From now on only the calling thread runs; the others hang where they next want to.
pub fn finalize(th: &Thread) {
    FINALIZING.store(true, SeqCst);
    if is_parallel() {
        // The world does not go on.
        std::mem::forget(everyone::stop(th));
    }
}
/// An interpreter has ended, and others of the process go on.
pub fn finalized() {
    FINALIZING.store(false, SeqCst);
}
fn take(mut s: MutexGuard<'static, State>, th: &Thread, finalizer: bool) {
    s.waiting += 1;
    while s.holder.is_some() || (FINALIZING.load(SeqCst) && !finalizer) {
        let (turn, interval) = (s.turns, Duration::from_nanos(INTERVAL.load(Relaxed).max(1000)));
        let (guard, waited) = FREE.wait_timeout(s, interval).unwrap_or_else(|e| e.into_inner());
        s = guard;
        if FINALIZING.load(SeqCst) && !finalizer {
            s.waiting -= 1;
            drop(s);
            loop {
                std::thread::park();
            }
        }
        if waited.timed_out()
            && s.turns == turn
            && let Some(holder) = &s.holder
        {
            holder.breaker.fetch_or(breaker::STOP, SeqCst);
        }
    }
    s.waiting -= 1;
    s.turns += 1;
    s.holder = Some(th.shared.clone());
    th.clear_breaker(breaker::STOP);
    TURNED.notify_all();
}
/// The thread waits until it may run. Pairs with [`detach`]; a new thread begins with it.
pub fn attach(th: &Thread) {
    if is_parallel() {
        everyone::attach(th);
    } else if THREADED.load(Relaxed) {
        take(state(), th, signals::is_main(th));
    }
}
/// The thread lets others run; until [`attach`] it touches no value.
pub fn detach(th: &Thread) {
    if is_parallel() {
        everyone::detach(th);
    } else if THREADED.load(Relaxed) {
        leave(&th.shared);
    }
}
/// As [`detach`], for a thread whose state is gone.
pub fn leave(shared: &Arc<Shared>) {
    let mut s = state();
    if s.holder.as_ref().is_some_and(|h| Arc::ptr_eq(h, shared)) {
        s.holder = None;
        FREE.notify_one();
    }
}
/// The handler of `breaker::STOP`: another thread wants its turn.
fn give_way(th: &mut Thread) -> PyResult<()> {
    th.clear_breaker(breaker::STOP);
    let mut s = state();
    if s.waiting == 0 {
        return Ok(());
    }
    let turn = s.turns;
    s.holder = None;
    FREE.notify_one();
    while s.turns == turn && s.waiting > 0 && !FINALIZING.load(SeqCst) {
        let (guard, _) = TURNED.wait_timeout(s, Duration::from_millis(1)).unwrap_or_else(|e| e.into_inner());
        s = guard;
    }
    take(s, th, signals::is_main(th));
    Ok(())
}
/// The OS thread goes on with another state of its own (`Thread::beside`): the turn is that one's now, with a wish of others
/// to have it. When all threads run at once, the state left behind is detached by its owner.
pub fn hand_over(from: &Thread, to: &Thread) {
    if is_parallel() || !THREADED.load(Relaxed) {
        return;
    }
    state().holder = Some(to.shared.clone());
    if from.breaker() & breaker::STOP != 0 {
        from.clear_breaker(breaker::STOP);
        to.shared.breaker.fetch_or(breaker::STOP, SeqCst);
    }
}
/// Runs something that may block and touches no value, while other threads run.
pub fn blocking<R>(th: &mut Thread, f: impl FnOnce() -> R) -> R {
    detach(th);
    let result = f();
    attach(th);
    result
}
/// As [`blocking`], for a call of a library whose callbacks come back to Python through [`back`].
pub fn outside<R>(th: &mut Thread, f: impl FnOnce() -> R) -> R {
    detach(th);
    let result = lent::lend(th, f);
    attach(th);
    result
}
/// What a callback does in Python, within [`outside`]. `None` if this OS thread is in no such call.
pub fn back<R>(f: impl FnOnce(&mut Thread) -> R) -> Option<R> {
    lent::borrow(|th| {
        attach(th);
        let result = f(th);
        detach(th);
        result
    })
}

/// Waits for a semaphore while other threads run; Python signal handlers run in between. False: it took too long.
pub fn wait(th: &mut Thread, semaphore: &Semaphore, timeout: Option<Duration>) -> PyResult<bool> {
    if semaphore.try_wait() {
        return Ok(true);
    }
    if timeout == Some(Duration::ZERO) {
        return Ok(false);
    }
    let deadline = timeout.and_then(|t| Instant::now().checked_add(t));
    loop {
        let left = deadline.map(|d| d.saturating_duration_since(Instant::now()));
        match blocking(th, || semaphore.wait(left)) {
            Wait::Acquired => return Ok(true),
            Wait::TimedOut => return Ok(false),
            Wait::Interrupted => signals::run_pending(th)?,
        }
    }
}

/// A state that one thread at a time works on while other threads run Python code: what a native object keeps that computes
/// within [`blocking`]. Never locked while Python code runs.
#[derive(Default)]
pub struct Exclusive<T>(Mutex<T>);
impl<T> Exclusive<T> {
    pub const fn new(state: T) -> Exclusive<T> {
        Exclusive(Mutex::new(state))
    }
    /// Waits for the thread that works on the state, letting others run.
    pub fn lock(&self, th: &mut Thread) -> MutexGuard<'_, T> {
        match self.0.try_lock() {
            Ok(guard) => guard,
            Err(_) => blocking(th, || self.0.lock().unwrap_or_else(|e| e.into_inner())),
        }
    }
    /// The state, if no thread works on it.
    pub fn try_lock(&self) -> Option<MutexGuard<'_, T>> {
        self.0.try_lock().ok()
    }
}

/// Runs a system call that may block, again whenever a signal interrupts it, after the signal's Python handler ran. The
/// inner error is the call's.
pub fn retry<R>(th: &mut Thread, mut call: impl FnMut() -> Result<R, i32>) -> PyResult<Result<R, i32>> {
    loop {
        match blocking(th, &mut call) {
            Err(krait_platform::errno::EINTR) => signals::run_pending(th)?,
            result => return Ok(result),
        }
    }
}
/// In the child of a fork: the calling thread is the only one.
fn in_child(mut s: MutexGuard<'static, State>, th: &Thread) {
    if is_parallel() {
        everyone::after_fork(th);
    }
    s.waiting = 0;
    s.turns += 1;
    s.holder = Some(th.shared.clone());
    drop(s);
    krait_object::thread::report_only(th);
    if crate::interpreters::current(th).is_main() {
        signals::after_fork(th);
    }
}
/// As [`fork`], where the fork returns in the parent only and the child runs `child`, which gets a function that puts this
/// module in order and must be called first.
pub fn fork_with_child<R>(th: &mut Thread, fork: impl FnOnce(&mut Thread, &mut dyn FnMut(&Thread)) -> R) -> R {
    // The child begins with every lock free.
    let _stopped = everyone::stop(th);
    let mut guard = Some((state(), heap::settle()));
    fork(th, &mut |th| {
        if let Some((s, settled)) = guard.take() {
            drop(settled);
            in_child(s, th);
        }
    })
}
/// Forks with the state of this module in order: the child's only thread is the one that runs. `is_child` looks at the
/// result.
pub fn fork<R>(th: &Thread, fork: impl FnOnce() -> R, is_child: impl FnOnce(&R) -> bool) -> R {
    let stopped = everyone::stop(th);
    let s = state();
    let settled = heap::settle();
    let result = fork();
    drop(settled);
    if is_child(&result) {
        std::mem::forget(stopped);
        in_child(s, th);
    }
    result
}
