//! OS threads: identity, and a semaphore whose wait a signal can interrupt.
use std::cell::UnsafeCell;
use std::time::Duration;

use crate::call::{Sys, check};

/// `pthread_self()`.
pub fn ident() -> u64 {
    // SAFETY: no arguments.
    unsafe { libc::pthread_self() as u64 }
}
/// The kernel's number of this thread.
pub fn native_id() -> i32 {
    // SAFETY: no arguments.
    unsafe { libc::gettid() }
}
/// Bytes of stack of the calling thread.
pub fn stack_size() -> usize {
    // SAFETY: `attr` is filled by the first call, read by the second and destroyed once.
    unsafe {
        let mut attr: libc::pthread_attr_t = std::mem::zeroed();
        let (mut addr, mut size) = (std::ptr::null_mut(), 0);
        if libc::pthread_getattr_np(libc::pthread_self(), &mut attr) != 0 {
            return 1 << 20;
        }
        libc::pthread_attr_getstack(&attr, &mut addr, &mut size);
        libc::pthread_attr_destroy(&mut attr);
        size
    }
}
/// Names the calling thread for debuggers.
pub fn set_name(name: &std::ffi::CStr) {
    // SAFETY: a NUL-terminated string.
    unsafe { libc::pthread_setname_np(libc::pthread_self(), name.as_ptr()) };
}
/// Sends a signal to a thread of this process.
pub fn kill(thread: u64, signal: i32) -> Sys<()> {
    // SAFETY: glibc checks for a thread that has ended; a number that never was a thread is the caller's risk, as in
    // CPython.
    match unsafe { libc::pthread_kill(thread as libc::pthread_t, signal) } {
        0 => Ok(()),
        e => Err(e),
    }
}

/// A counting semaphore.
pub struct Semaphore(Box<UnsafeCell<libc::sem_t>>);
// SAFETY: semaphores are made for use by several threads.
unsafe impl Sync for Semaphore {}
// SAFETY: the box does not move the semaphore.
unsafe impl Send for Semaphore {}

/// How a wait ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Wait {
    Acquired,
    TimedOut,
    Interrupted,
}

impl Semaphore {
    pub fn new(value: u32) -> Semaphore {
        // SAFETY: zero bytes are a valid `sem_t` before `sem_init`.
        let sem = Box::new(UnsafeCell::new(unsafe { std::mem::zeroed::<libc::sem_t>() }));
        // SAFETY: initialised once, at the address where it stays.
        unsafe { libc::sem_init(sem.get(), 0, value) };
        Semaphore(sem)
    }
    pub fn try_wait(&self) -> bool {
        // SAFETY: initialised by `new`.
        unsafe { libc::sem_trywait(self.0.get()) == 0 }
    }
    /// Waits for at most `timeout`, for ever without.
    pub fn wait(&self, timeout: Option<Duration>) -> Wait {
        let result = match timeout {
            // SAFETY: initialised by `new`.
            None => check(unsafe { libc::sem_wait(self.0.get()) }),
            Some(t) => {
                let until = crate::time::realtime_after(t);
                // SAFETY: initialised by `new`; the deadline lives during the call.
                check(unsafe { libc::sem_timedwait(self.0.get(), &until) })
            }
        };
        match result {
            Ok(_) => Wait::Acquired,
            Err(libc::EINTR) => Wait::Interrupted,
            Err(_) => Wait::TimedOut,
        }
    }
    pub fn post(&self) {
        // SAFETY: initialised by `new`.
        unsafe { libc::sem_post(self.0.get()) };
    }
}
impl Drop for Semaphore {
    fn drop(&mut self) {
        // SAFETY: nobody waits, for waiters hold references.
        unsafe { libc::sem_destroy(self.0.get()) };
    }
}

/// Whether [`heavy_barrier`] works here.
static HEAVY_BARRIER: std::sync::atomic::AtomicBool = std::sync::atomic::AtomicBool::new(false);
#[inline(always)]
pub fn has_heavy_barrier() -> bool {
    HEAVY_BARRIER.load(std::sync::atomic::Ordering::Relaxed)
}
/// Before there are threads: finds out whether the system has such barriers.
pub fn prepare_heavy_barrier() {
    #[cfg(target_os = "linux")]
    {
        // SAFETY: registers the process, and touches no memory.
        let registered =
            unsafe { libc::syscall(libc::SYS_membarrier, libc::MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED, 0, 0) };
        HEAVY_BARRIER.store(registered == 0, std::sync::atomic::Ordering::Relaxed);
    }
}
/// Every running thread of the process passes a barrier before this returns; where the system has none, the calling one does.
pub fn heavy_barrier() {
    std::sync::atomic::fence(std::sync::atomic::Ordering::SeqCst);
    #[cfg(target_os = "linux")]
    if has_heavy_barrier() {
        // SAFETY: touches no memory.
        unsafe { libc::syscall(libc::SYS_membarrier, libc::MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0, 0) };
    }
}
