//! Handlers of fatal signals that report before the process ends, and of signals that ask for a report while it goes on:
//! the platform's side of `faulthandler`. What is reported comes from a function that is safe in signal handlers.
use std::cell::UnsafeCell;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicI32, Ordering::*};

use crate::call::{Sys, check};
use crate::signal::NSIG;

/// Writes the stacks of all threads, or of the calling one.
pub type Report = fn(write: &dyn Fn(&[u8]), all: bool);
static REPORT: OnceLock<Report> = OnceLock::new();

/// The action that was in place before, kept for when it is put back.
struct Previous(UnsafeCell<std::mem::MaybeUninit<libc::sigaction>>);
// SAFETY: written by `install` before the slot's flag says that it holds something, read after that.
unsafe impl Sync for Previous {}
struct Slot {
    enabled: AtomicBool,
    fd: AtomicI32,
    all: AtomicBool,
    chain: AtomicBool,
    previous: Previous,
}
impl Slot {
    const fn new() -> Slot {
        Slot {
            enabled: AtomicBool::new(false),
            fd: AtomicI32::new(2),
            all: AtomicBool::new(true),
            chain: AtomicBool::new(false),
            previous: Previous(UnsafeCell::new(std::mem::MaybeUninit::uninit())),
        }
    }
    fn report(&self) {
        static BUSY: AtomicBool = AtomicBool::new(false);
        if !BUSY.swap(true, AcqRel) {
            if let Some(report) = REPORT.get() {
                let fd = self.fd.load(Relaxed);
                report(&|text| write(fd, text), self.all.load(Relaxed));
            }
            BUSY.store(false, Release);
        }
    }
    fn put_back(&self, signal: i32) {
        // SAFETY: the slot is enabled, so `previous` was filled.
        unsafe { libc::sigaction(signal, (*self.previous.0.get()).as_ptr(), std::ptr::null_mut()) };
    }
}
static SLOTS: [Slot; NSIG] = [const { Slot::new() }; NSIG];

/// The signals that end the process, in the order in which they are handled, and what the report calls them.
const FATAL: [(i32, &str); 5] = [
    (libc::SIGBUS, "Bus error"),
    (libc::SIGILL, "Illegal instruction"),
    (libc::SIGFPE, "Floating-point exception"),
    (libc::SIGABRT, "Aborted"),
    (libc::SIGSEGV, "Segmentation fault"),
];
static ENABLED: AtomicBool = AtomicBool::new(false);

/// Writes everything, or as much as can be written.
pub fn write(fd: i32, mut text: &[u8]) {
    while !text.is_empty() {
        match crate::fd::write(fd, text) {
            Ok(0) => return,
            Ok(n) => text = &text[n..],
            Err(libc::EINTR) => {}
            Err(_) => return,
        }
    }
}
extern "C" fn fatal(signal: i32) {
    let Some(slot) = SLOTS.get(signal as usize) else { return };
    if !slot.enabled.swap(false, AcqRel) {
        return;
    }
    let errno = crate::errno::last();
    slot.put_back(signal);
    let fd = slot.fd.load(Relaxed);
    let name = FATAL.iter().find(|(s, _)| *s == signal).map_or("", |f| f.1);
    write(fd, b"Fatal Python error: ");
    write(fd, name.as_bytes());
    write(fd, b"\n\n");
    slot.report();
    crate::errno::set(errno);
    // SAFETY: a number only.
    unsafe { libc::raise(signal) };
}
extern "C" fn asked(signal: i32) {
    let Some(slot) = SLOTS.get(signal as usize) else { return };
    if !slot.enabled.load(Acquire) {
        return;
    }
    let errno = crate::errno::last();
    slot.report();
    if slot.chain.load(Relaxed) {
        slot.put_back(signal);
        crate::errno::set(errno);
        // SAFETY: a number only; then the handler's own action as `install` set it.
        unsafe {
            libc::raise(signal);
            libc::sigaction(signal, &action(asked, true), std::ptr::null_mut());
        }
    }
    crate::errno::set(errno);
}
fn action(handler: extern "C" fn(i32), nested: bool) -> libc::sigaction {
    // SAFETY: zero bytes are valid, and the mask is initialised.
    unsafe {
        let mut a: libc::sigaction = std::mem::zeroed();
        a.sa_sigaction = handler as *const () as usize;
        libc::sigemptyset(&mut a.sa_mask);
        a.sa_flags = libc::SA_ONSTACK | if nested { libc::SA_NODEFER } else { libc::SA_RESTART };
        a
    }
}
fn install(signal: i32, handler: extern "C" fn(i32), nested: bool) -> Sys<()> {
    let slot = &SLOTS[signal as usize];
    // SAFETY: the slot is not enabled, so nobody reads `previous` while it is filled.
    check(unsafe { libc::sigaction(signal, &action(handler, nested), (*slot.previous.0.get()).as_mut_ptr()) })?;
    slot.enabled.store(true, Release);
    Ok(())
}
fn settings(signal: i32, fd: i32, all: bool, chain: bool) {
    let slot = &SLOTS[signal as usize];
    slot.fd.store(fd, Relaxed);
    slot.all.store(all, Relaxed);
    slot.chain.store(chain, Relaxed);
}
/// A stack for handlers of the calling thread, so that an overflow of its own can be reported. Set once, never freed.
fn alternative_stack() {
    static DONE: AtomicBool = AtomicBool::new(false);
    if DONE.swap(true, AcqRel) {
        return;
    }
    let memory: &'static mut [u8] = Box::leak(vec![0; 64 << 10].into_boxed_slice());
    let stack = libc::stack_t { ss_sp: memory.as_mut_ptr().cast(), ss_flags: 0, ss_size: memory.len() };
    // SAFETY: the memory lives for ever and is used for nothing else.
    unsafe { libc::sigaltstack(&stack, std::ptr::null_mut()) };
}

/// Reports fatal signals from now on.
pub fn enable(report: Report, fd: i32, all: bool) -> Sys<()> {
    let _ = REPORT.set(report);
    for (signal, _) in FATAL {
        settings(signal, fd, all, false);
    }
    if ENABLED.swap(true, AcqRel) {
        return Ok(());
    }
    alternative_stack();
    FATAL.iter().try_for_each(|(signal, _)| install(*signal, fatal, true))
}
/// True: fatal signals were reported.
pub fn disable() -> bool {
    for (signal, _) in FATAL {
        let slot = &SLOTS[signal as usize];
        if slot.enabled.swap(false, AcqRel) {
            slot.put_back(signal);
        }
    }
    ENABLED.swap(false, AcqRel)
}
pub fn is_enabled() -> bool {
    ENABLED.load(Acquire)
}
pub fn is_fatal(signal: i32) -> bool {
    FATAL.iter().any(|f| f.0 == signal)
}
/// Reports whenever the signal arrives, and calls the handler that was there before if `chain` says so.
pub fn register(report: Report, signal: i32, fd: i32, all: bool, chain: bool) -> Sys<()> {
    let _ = REPORT.set(report);
    settings(signal, fd, all, chain);
    if SLOTS[signal as usize].enabled.load(Acquire) { Ok(()) } else { install(signal, asked, chain) }
}
/// True: the signal was registered.
pub fn unregister(signal: i32) -> bool {
    let slot = &SLOTS[signal as usize];
    let was = slot.enabled.swap(false, AcqRel);
    if was {
        slot.put_back(signal);
    }
    was
}
/// Reads memory that nobody may read.
pub fn read_forbidden() {
    // SAFETY: a fresh page without access is mapped and read: the kernel answers with SIGSEGV, which is the purpose.
    unsafe {
        let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS;
        let page = libc::mmap(std::ptr::null_mut(), 4096, libc::PROT_NONE, flags, -1, 0);
        std::hint::black_box(std::ptr::read_volatile(page.cast::<u8>()));
    }
}
/// Calls itself until the stack is used up.
#[inline(never)]
pub fn overflow_stack(depth: u64) -> u64 {
    let buffer = std::hint::black_box([depth as u8; 4096]);
    if std::hint::black_box(depth) == u64::MAX {
        return 0;
    }
    overflow_stack(depth + 1) + u64::from(std::hint::black_box(&buffer)[17])
}
