//! Files: opening, status.
use std::ffi::CStr;

use crate::call::{Sys, check};

/// Whether the descriptor is open.
pub fn is_open(fd: i32) -> bool {
    // SAFETY: the call takes numbers only.
    fd >= 0 && unsafe { libc::fcntl(fd, libc::F_GETFD) } != -1
}
/// What `stat` tells, in the platform's own structure.
pub type Stat = libc::stat;

fn zeroed_stat() -> Stat {
    // SAFETY: a structure of integers, for which zero bytes are valid.
    unsafe { std::mem::zeroed() }
}
pub fn fstat(fd: i32) -> Sys<Stat> {
    let mut st = zeroed_stat();
    // SAFETY: `st` has room for the result.
    check(unsafe { libc::fstat(fd, &mut st) })?;
    Ok(st)
}
/// `fstatat`; `AT_FDCWD` for paths relative to the current folder.
pub fn stat_at(dir: i32, path: &CStr, follow: bool) -> Sys<Stat> {
    let mut st = zeroed_stat();
    let flags = if follow { 0 } else { libc::AT_SYMLINK_NOFOLLOW };
    // SAFETY: the path is NUL-terminated and `st` has room for the result.
    check(unsafe { libc::fstatat(dir, path.as_ptr(), &mut st, flags) })?;
    Ok(st)
}
/// `openat`.
pub fn open_at(dir: i32, path: &CStr, flags: i32, mode: u32) -> Sys<i32> {
    // SAFETY: the path is NUL-terminated.
    check(unsafe { libc::openat(dir, path.as_ptr(), flags, mode) })
}
