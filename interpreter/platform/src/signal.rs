//! Signals: a handler that only sets flags, masks, waiting, timers.
use std::sync::atomic::{AtomicBool, AtomicI32, AtomicPtr, AtomicU32, Ordering::*};

use crate::call::{Sys, calls, check};

/// One more than the highest signal number.
pub const NSIG: usize = 65;

static ARRIVED: [AtomicBool; NSIG] = [const { AtomicBool::new(false) }; NSIG];
static ANY: AtomicBool = AtomicBool::new(false);
/// The word of the main thread whose bits make it leave its fast path.
static BREAKER: AtomicPtr<AtomicU32> = AtomicPtr::new(std::ptr::null_mut());
static BREAKER_BIT: AtomicU32 = AtomicU32::new(0);
static WAKEUP: AtomicI32 = AtomicI32::new(-1);
static WARN_ON_FULL: AtomicBool = AtomicBool::new(true);
/// The error number of the last write to the wakeup descriptor that failed; 0 = none.
static WAKEUP_ERROR: AtomicI32 = AtomicI32::new(0);

pub use libc::SIGINT;

/// Where the handler announces signals.
pub fn set_breaker(word: &'static AtomicU32, bit: u32) {
    BREAKER_BIT.store(bit, SeqCst);
    BREAKER.store(std::ptr::from_ref(word).cast_mut(), SeqCst);
}
/// Sets the wakeup descriptor (-1 = none) and returns the one before.
pub fn set_wakeup(fd: i32, warn_on_full: bool) -> i32 {
    WARN_ON_FULL.store(warn_on_full, SeqCst);
    WAKEUP.swap(fd, SeqCst)
}
pub fn take_wakeup_error() -> i32 {
    WAKEUP_ERROR.swap(0, SeqCst)
}
/// Announces a signal as the handler does. Async-signal-safe.
pub fn announce(signal: i32) {
    if let Some(flag) = ARRIVED.get(signal as usize) {
        flag.store(true, SeqCst);
    }
    ANY.store(true, SeqCst);
    let word = BREAKER.load(SeqCst);
    if !word.is_null() {
        // SAFETY: set from a `&'static`.
        unsafe { &*word }.fetch_or(BREAKER_BIT.load(SeqCst), SeqCst);
    }
    let fd = WAKEUP.load(SeqCst);
    if fd >= 0 {
        let byte = signal as u8;
        // SAFETY: one readable byte; `write` is async-signal-safe.
        let n = unsafe { libc::write(fd, (&raw const byte).cast(), 1) };
        if n < 0 {
            let e = crate::errno::last();
            let full = e == libc::EAGAIN || e == libc::EWOULDBLOCK;
            if !full || WARN_ON_FULL.load(SeqCst) {
                WAKEUP_ERROR.store(e, SeqCst);
                if !word.is_null() {
                    // SAFETY: as above.
                    unsafe { &*word }.fetch_or(BREAKER_BIT.load(SeqCst), SeqCst);
                }
            }
        }
    }
}
extern "C" fn on_signal(signal: i32) {
    // SAFETY: the thread's own errno, which the handler must leave as it was.
    let saved = unsafe { *libc::__errno_location() };
    announce(signal);
    // SAFETY: as above.
    unsafe { *libc::__errno_location() = saved };
}
/// Whether a signal has been announced since the last `take_arrived`.
pub fn any_arrived() -> bool {
    ANY.load(SeqCst)
}
/// The signals announced so far, in ascending order; they count as handled.
pub fn take_arrived() -> Vec<i32> {
    if !ANY.swap(false, SeqCst) {
        return Vec::new();
    }
    (1..NSIG).filter(|&s| ARRIVED[s].swap(false, SeqCst)).map(|s| s as i32).collect()
}
/// Announces again what was taken but not handled.
pub fn put_back(signals: &[i32]) {
    for &s in signals {
        ARRIVED[s as usize].store(true, SeqCst);
        ANY.store(true, SeqCst);
    }
    let word = BREAKER.load(SeqCst);
    if !word.is_null() && !signals.is_empty() {
        // SAFETY: set from a `&'static`.
        unsafe { &*word }.fetch_or(BREAKER_BIT.load(SeqCst), SeqCst);
    }
}
/// Forgets what was announced (in a child process).
pub fn forget_arrived() {
    take_arrived();
}

/// What happens when a signal arrives.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Action {
    Default,
    Ignore,
    /// Set flags, for Python code to run later.
    Announce,
    /// Something that this process did not install through us.
    Foreign,
}
fn action_at(handler: usize) -> Action {
    match handler {
        libc::SIG_DFL => Action::Default,
        libc::SIG_IGN => Action::Ignore,
        h if h == on_signal as *const () as usize => Action::Announce,
        _ => Action::Foreign,
    }
}
pub fn action(signal: i32) -> Sys<Action> {
    // SAFETY: a structure for which zero bytes are valid.
    let mut old: libc::sigaction = unsafe { std::mem::zeroed() };
    // SAFETY: a null action only asks.
    check(unsafe { libc::sigaction(signal, std::ptr::null(), &mut old) })?;
    Ok(action_at(old.sa_sigaction))
}
pub fn set_action(signal: i32, action: Action) -> Sys<()> {
    // SAFETY: a structure for which zero bytes are valid.
    let mut new: libc::sigaction = unsafe { std::mem::zeroed() };
    new.sa_sigaction = match action {
        Action::Default | Action::Foreign => libc::SIG_DFL,
        Action::Ignore => libc::SIG_IGN,
        Action::Announce => on_signal as *const () as usize,
    };
    new.sa_flags = libc::SA_ONSTACK;
    // SAFETY: the handler is async-signal-safe: it only stores to atomics and writes a byte.
    check(unsafe { libc::sigaction(signal, &new, std::ptr::null_mut()) })?;
    Ok(())
}
/// Whether system calls are restarted after a signal.
pub fn siginterrupt(signal: i32, interrupt: bool) -> Sys<()> {
    // SAFETY: a structure for which zero bytes are valid.
    let mut a: libc::sigaction = unsafe { std::mem::zeroed() };
    // SAFETY: asks, then sets the same action with another flag.
    unsafe {
        check(libc::sigaction(signal, std::ptr::null(), &mut a))?;
        if interrupt {
            a.sa_flags &= !libc::SA_RESTART;
        } else {
            a.sa_flags |= libc::SA_RESTART;
        }
        check(libc::sigaction(signal, &a, std::ptr::null_mut()))?;
    }
    Ok(())
}

calls! {
    fn raise(signal: i32) -> i32 = libc::raise;
    fn kill(pid: i32, signal: i32) -> i32 = libc::kill;
    fn killpg(group: i32, signal: i32) -> i32 = libc::killpg;
}
/// Ends the process by a signal with its default action; returns only where that is blocked.
pub fn end_by(signal: i32) {
    let _ = set_action(signal, Action::Default);
    // SAFETY: numbers only.
    unsafe { libc::kill(libc::getpid(), signal) };
}
pub fn alarm(seconds: u32) -> u32 {
    // SAFETY: a number only.
    unsafe { libc::alarm(seconds) }
}
/// Waits for a signal.
pub fn pause() {
    // SAFETY: no arguments.
    unsafe { libc::pause() };
}
pub fn rtmin() -> i32 {
    libc::SIGRTMIN()
}
pub fn rtmax() -> i32 {
    libc::SIGRTMAX()
}
pub fn describe(signal: i32) -> Option<String> {
    // SAFETY: the text is copied before another call can change it.
    unsafe {
        let text = libc::strsignal(signal);
        if text.is_null() {
            return None;
        }
        let text = std::ffi::CStr::from_ptr(text).to_string_lossy().into_owned();
        if text.starts_with("Unknown signal") { None } else { Some(text) }
    }
}

fn set_of(signals: &[i32]) -> libc::sigset_t {
    // SAFETY: `sigemptyset` initialises the set; out of range numbers are refused by `sigaddset`.
    unsafe {
        let mut set = std::mem::zeroed();
        libc::sigemptyset(&mut set);
        for &s in signals {
            libc::sigaddset(&mut set, s);
        }
        set
    }
}
fn members(set: &libc::sigset_t) -> Vec<i32> {
    // SAFETY: an initialised set.
    (1..NSIG as i32).filter(|&s| unsafe { libc::sigismember(set, s) } == 1).collect()
}
/// All numbers that name a signal here.
pub fn valid() -> Vec<i32> {
    // SAFETY: `sigfillset` initialises the set.
    let set = unsafe {
        let mut set = std::mem::zeroed();
        libc::sigfillset(&mut set);
        set
    };
    members(&set)
}
/// Changes the calling thread's mask; returns the one before.
pub fn mask(how: i32, signals: &[i32]) -> Sys<Vec<i32>> {
    let mut old = set_of(&[]);
    // SAFETY: both sets are initialised.
    match unsafe { libc::pthread_sigmask(how, &set_of(signals), &mut old) } {
        0 => Ok(members(&old)),
        e => Err(e),
    }
}
pub fn pending() -> Sys<Vec<i32>> {
    let mut set = set_of(&[]);
    // SAFETY: room for the result.
    check(unsafe { libc::sigpending(&mut set) })?;
    Ok(members(&set))
}
pub fn wait(signals: &[i32]) -> Sys<i32> {
    let mut got = 0;
    // SAFETY: an initialised set and room for the result.
    match unsafe { libc::sigwait(&set_of(signals), &mut got) } {
        0 => Ok(got),
        e => Err(e),
    }
}
/// What is known of a signal that was waited for: signo, code, errno, pid, uid, status, band.
pub type Info = (i32, i32, i32, i32, u32, i32, i64);

fn info(i: &libc::siginfo_t) -> Info {
    // SAFETY: the fields overlap in a union of integers, all of them initialised.
    unsafe { (i.si_signo, i.si_code, i.si_errno, i.si_pid(), i.si_uid(), i.si_status(), 0) }
}
/// Waits for one of the signals, for at most that many nanoseconds (for ever without).
pub fn wait_info(signals: &[i32], timeout: Option<i64>) -> Sys<Info> {
    let set = set_of(signals);
    // SAFETY: zero bytes are valid, the sets are initialised.
    let (result, got) = unsafe {
        let mut got: libc::siginfo_t = std::mem::zeroed();
        let result = match timeout {
            None => libc::sigwaitinfo(&set, &mut got),
            Some(ns) => {
                let t = libc::timespec { tv_sec: ns / 1_000_000_000, tv_nsec: ns % 1_000_000_000 };
                libc::sigtimedwait(&set, &mut got, &t)
            }
        };
        (result, got)
    };
    check(result)?;
    Ok(info(&got))
}
/// Microseconds left and interval.
type Timer = (i64, i64);

fn to_micros(t: &libc::itimerval) -> Timer {
    let us = |v: &libc::timeval| v.tv_sec * 1_000_000 + v.tv_usec;
    (us(&t.it_value), us(&t.it_interval))
}
unsafe extern "C" {
    fn getitimer(which: i32, value: *mut libc::itimerval) -> i32;
    fn setitimer(which: i32, new: *const libc::itimerval, old: *mut libc::itimerval) -> i32;
}
fn zero_timer() -> libc::itimerval {
    // SAFETY: a structure of integers.
    unsafe { std::mem::zeroed() }
}
pub fn get_timer(which: i32) -> Sys<Timer> {
    let mut t = zero_timer();
    // SAFETY: room for the result.
    check(unsafe { getitimer(which, &mut t) })?;
    Ok(to_micros(&t))
}
pub fn set_timer(which: i32, value: i64, interval: i64) -> Sys<Timer> {
    let tv = |us: i64| libc::timeval { tv_sec: us / 1_000_000, tv_usec: us % 1_000_000 };
    let new = libc::itimerval { it_interval: tv(interval), it_value: tv(value) };
    let mut old = zero_timer();
    // SAFETY: both structures live during the call.
    check(unsafe { setitimer(which, &new, &mut old) })?;
    Ok(to_micros(&old))
}
pub fn pidfd_send(pidfd: i32, signal: i32, flags: u32) -> Sys<i64> {
    let none = std::ptr::null::<libc::siginfo_t>();
    // SAFETY: numbers and a null pointer.
    check(unsafe { libc::syscall(libc::SYS_pidfd_send_signal, pidfd, signal, none, flags) })
}
