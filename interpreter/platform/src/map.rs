//! Memory maps, and semaphores that processes share by name.
use std::ffi::CStr;
use std::ptr::NonNull;
use std::time::Duration;

use crate::call::{Sys, calls, check};

calls! {
    fn sem_unlink(name: &CStr) -> i32 = libc::sem_unlink;
}

/// A mapped range. Its bytes are reached by copying, as other processes may change them at any time.
pub struct Map {
    start: NonNull<u8>,
    len: usize,
}
// SAFETY: the bytes are only copied in and out.
unsafe impl Send for Map {}
// SAFETY: as above.
unsafe impl Sync for Map {}

impl Map {
    /// `fd` -1 = anonymous.
    pub fn new(len: usize, protection: i32, flags: i32, fd: i32, offset: i64) -> Sys<Map> {
        let none = std::ptr::null_mut();
        // SAFETY: an address of the kernel's choice touches no existing memory.
        let start = unsafe { libc::mmap(none, len, protection, flags, fd, offset) };
        match NonNull::new(start.cast::<u8>()) {
            Some(start) if start.as_ptr().cast() != libc::MAP_FAILED => Ok(Map { start, len }),
            _ => Err(crate::errno::last()),
        }
    }
    pub fn len(&self) -> usize {
        self.len
    }
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }
    /// The bytes, readable. The script asked for a protection that allows it.
    pub fn bytes(&self) -> &[u8] {
        // SAFETY: mapped for as long as `self`; that another process changes the bytes meanwhile is inherent in the
        // thing, and no invariant rests on what they are.
        unsafe { std::slice::from_raw_parts(self.start.as_ptr(), self.len) }
    }
    /// The bytes, writable. The caller has checked that the map is.
    #[expect(clippy::mut_from_ref, reason = "shared memory: every access is short and no reference outlives it")]
    pub fn bytes_mut(&self) -> &mut [u8] {
        // SAFETY: as `bytes`; threads take turns, and the reference does not outlive the call that took it.
        unsafe { std::slice::from_raw_parts_mut(self.start.as_ptr(), self.len) }
    }
    pub fn flush(&self, offset: usize, len: usize) -> Sys<i32> {
        // SAFETY: inside the map, which the caller checked.
        check(unsafe { libc::msync(self.start.as_ptr().add(offset).cast(), len, libc::MS_SYNC) })
    }
    pub fn advise(&self, offset: usize, len: usize, advice: i32) -> Sys<i32> {
        // SAFETY: inside the map, which the caller checked.
        check(unsafe { libc::madvise(self.start.as_ptr().add(offset).cast(), len, advice) })
    }
    pub fn resize(&mut self, len: usize) -> Sys<()> {
        // SAFETY: the old range is ours; it is not used after the call.
        let start = unsafe { libc::mremap(self.start.as_ptr().cast(), self.len, len, libc::MREMAP_MAYMOVE) };
        match NonNull::new(start.cast::<u8>()) {
            Some(start) if start.as_ptr().cast() != libc::MAP_FAILED => {
                self.start = start;
                self.len = len;
                Ok(())
            }
            _ => Err(crate::errno::last()),
        }
    }
}
impl Drop for Map {
    fn drop(&mut self) {
        // SAFETY: mapped once, unmapped once.
        unsafe { libc::munmap(self.start.as_ptr().cast(), self.len) };
    }
}

/// A named semaphore.
pub struct NamedSemaphore(NonNull<libc::sem_t>);
// SAFETY: semaphores are made for use by several threads.
unsafe impl Send for NamedSemaphore {}
// SAFETY: as above.
unsafe impl Sync for NamedSemaphore {}

impl NamedSemaphore {
    /// Makes one that does not exist yet.
    pub fn create(name: &CStr, value: u32) -> Sys<NamedSemaphore> {
        // SAFETY: NUL-terminated; mode and value as the flags demand.
        let sem = unsafe { libc::sem_open(name.as_ptr(), libc::O_CREAT | libc::O_EXCL, 0o600 as libc::c_uint, value) };
        Self::checked(sem)
    }
    pub fn open(name: &CStr) -> Sys<NamedSemaphore> {
        // SAFETY: NUL-terminated.
        Self::checked(unsafe { libc::sem_open(name.as_ptr(), 0) })
    }
    fn checked(sem: *mut libc::sem_t) -> Sys<NamedSemaphore> {
        if sem == libc::SEM_FAILED {
            Err(crate::errno::last())
        } else {
            NonNull::new(sem).map(NamedSemaphore).ok_or(libc::EINVAL)
        }
    }
    pub fn address(&self) -> usize {
        self.0.as_ptr() as usize
    }
    pub fn try_wait(&self) -> Sys<i32> {
        // SAFETY: open.
        check(unsafe { libc::sem_trywait(self.0.as_ptr()) })
    }
    pub fn wait(&self, timeout: Option<Duration>) -> Sys<i32> {
        match timeout {
            // SAFETY: open.
            None => check(unsafe { libc::sem_wait(self.0.as_ptr()) }),
            Some(t) => {
                let until = crate::time::realtime_after(t);
                // SAFETY: open; the deadline lives during the call.
                check(unsafe { libc::sem_timedwait(self.0.as_ptr(), &until) })
            }
        }
    }
    pub fn post(&self) -> Sys<i32> {
        // SAFETY: open.
        check(unsafe { libc::sem_post(self.0.as_ptr()) })
    }
    pub fn value(&self) -> Sys<i32> {
        unsafe extern "C" {
            fn sem_getvalue(sem: *mut libc::sem_t, value: *mut libc::c_int) -> libc::c_int;
        }
        let mut value = 0;
        // SAFETY: open; room for the result.
        check(unsafe { sem_getvalue(self.0.as_ptr(), &mut value) })?;
        Ok(value)
    }
}
impl Drop for NamedSemaphore {
    fn drop(&mut self) {
        // SAFETY: opened once, closed once.
        unsafe { libc::sem_close(self.0.as_ptr()) };
    }
}
