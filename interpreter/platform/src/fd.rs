//! Calls on file descriptors.
use std::io::{IoSlice, IoSliceMut};

use crate::call::{Sys, calls, check};

calls! {
    fn close(fd: i32) -> i32 = libc::close;
    fn dup(fd: i32) -> i32 = libc::dup;
    fn dup2(fd: i32, to: i32) -> i32 = libc::dup2;
    fn dup3(fd: i32, to: i32, flags: i32) -> i32 = libc::dup3;
    fn lseek(fd: i32, position: i64, whence: i32) -> i64 = libc::lseek;
    fn ftruncate(fd: i32, length: i64) -> i32 = libc::ftruncate;
    fn fsync(fd: i32) -> i32 = libc::fsync;
    fn fdatasync(fd: i32) -> i32 = libc::fdatasync;
    fn fchdir(fd: i32) -> i32 = libc::fchdir;
    fn fchmod(fd: i32, mode: u32) -> i32 = libc::fchmod;
    fn fchown(fd: i32, uid: u32, gid: u32) -> i32 = libc::fchown;
    fn flock(fd: i32, operation: i32) -> i32 = libc::flock;
    fn lockf(fd: i32, command: i32, length: i64) -> i32 = libc::lockf;
    fn fpathconf(fd: i32, name: i32) -> i64 = libc::fpathconf;
    fn tcgetpgrp(fd: i32) -> i32 = libc::tcgetpgrp;
    fn tcsetpgrp(fd: i32, group: i32) -> i32 = libc::tcsetpgrp;
    fn grantpt(fd: i32) -> i32 = libc::grantpt;
    fn unlockpt(fd: i32) -> i32 = libc::unlockpt;
    fn posix_openpt(flags: i32) -> i32 = libc::posix_openpt;
    fn login_tty(fd: i32) -> i32 = libc::login_tty;
    fn eventfd(value: u32, flags: i32) -> i32 = libc::eventfd;
    fn setns(fd: i32, kind: i32) -> i32 = libc::setns;
    fn fcntl_int(fd: i32, command: i32, argument: i32) -> i32 = libc::fcntl;
    fn memfd_create(name: &std::ffi::CStr, flags: u32) -> i32 = libc::memfd_create;
}
/// `posix_fallocate`, which returns its error number.
pub fn fallocate(fd: i32, offset: i64, length: i64) -> i32 {
    // SAFETY: numbers only.
    unsafe { libc::posix_fallocate(fd, offset, length) }
}
/// `posix_fadvise`, which returns its error number.
pub fn fadvise(fd: i32, offset: i64, length: i64, advice: i32) -> i32 {
    // SAFETY: numbers only.
    unsafe { libc::posix_fadvise(fd, offset, length, advice) }
}
pub fn isatty(fd: i32) -> bool {
    // SAFETY: a number only.
    unsafe { libc::isatty(fd) == 1 }
}
/// Reads into the buffer; fewer bytes than asked for are no error.
pub fn read(fd: i32, buffer: &mut [u8]) -> Sys<usize> {
    // SAFETY: the buffer is writable for its length.
    check(unsafe { libc::read(fd, buffer.as_mut_ptr().cast(), buffer.len()) }).map(|n| n as usize)
}
pub fn pread(fd: i32, buffer: &mut [u8], offset: i64) -> Sys<usize> {
    // SAFETY: the buffer is writable for its length.
    check(unsafe { libc::pread(fd, buffer.as_mut_ptr().cast(), buffer.len(), offset) }).map(|n| n as usize)
}
pub fn write(fd: i32, data: &[u8]) -> Sys<usize> {
    // SAFETY: the data is readable for its length.
    check(unsafe { libc::write(fd, data.as_ptr().cast(), data.len()) }).map(|n| n as usize)
}
pub fn pwrite(fd: i32, data: &[u8], offset: i64) -> Sys<usize> {
    // SAFETY: the data is readable for its length.
    check(unsafe { libc::pwrite(fd, data.as_ptr().cast(), data.len(), offset) }).map(|n| n as usize)
}
/// `readv`; with an offset `preadv2`.
pub fn readv(fd: i32, buffers: &mut [IoSliceMut<'_>], at: Option<(i64, i32)>) -> Sys<usize> {
    let (vec, n) = (buffers.as_mut_ptr().cast::<libc::iovec>(), buffers.len() as i32);
    // SAFETY: `IoSliceMut` has the layout of `iovec`, and each one's memory is writable.
    let got = unsafe {
        match at {
            None => libc::readv(fd, vec, n),
            Some((offset, 0)) => libc::preadv(fd, vec, n, offset),
            Some((offset, flags)) => libc::preadv2(fd, vec, n, offset, flags),
        }
    };
    check(got).map(|n| n as usize)
}
/// `writev`; with an offset `pwritev2`.
pub fn writev(fd: i32, buffers: &[IoSlice<'_>], at: Option<(i64, i32)>) -> Sys<usize> {
    let (vec, n) = (buffers.as_ptr().cast::<libc::iovec>(), buffers.len() as i32);
    // SAFETY: `IoSlice` has the layout of `iovec`, and each one's memory is readable.
    let got = unsafe {
        match at {
            None => libc::writev(fd, vec, n),
            Some((offset, 0)) => libc::pwritev(fd, vec, n, offset),
            Some((offset, flags)) => libc::pwritev2(fd, vec, n, offset, flags),
        }
    };
    check(got).map(|n| n as usize)
}
/// Both ends of a new pipe.
pub fn pipe2(flags: i32) -> Sys<(i32, i32)> {
    let mut fds = [0i32; 2];
    // SAFETY: room for two descriptors.
    check(unsafe { libc::pipe2(fds.as_mut_ptr(), flags) })?;
    Ok((fds[0], fds[1]))
}
/// A new pseudo-terminal: master and slave.
pub fn openpty() -> Sys<(i32, i32)> {
    let (mut master, mut slave) = (0, 0);
    let none = std::ptr::null_mut();
    // SAFETY: both results have room; the null pointers mean "no name, no settings".
    check(unsafe { libc::openpty(&mut master, &mut slave, none, std::ptr::null_mut(), std::ptr::null_mut()) })?;
    Ok((master, slave))
}
fn name_of(f: impl FnOnce(*mut libc::c_char, usize) -> i32) -> Sys<Vec<u8>> {
    let mut name = vec![0u8; 256];
    match f(name.as_mut_ptr().cast(), name.len()) {
        0 => {
            name.truncate(name.iter().position(|&b| b == 0).unwrap_or(name.len()));
            Ok(name)
        }
        -1 => Err(crate::errno::last()),
        e => Err(e),
    }
}
pub fn ptsname(fd: i32) -> Sys<Vec<u8>> {
    // SAFETY: the buffer is writable for the length given.
    name_of(|p, n| unsafe { libc::ptsname_r(fd, p, n) })
}
pub fn ttyname(fd: i32) -> Sys<Vec<u8>> {
    // SAFETY: the buffer is writable for the length given.
    name_of(|p, n| unsafe { libc::ttyname_r(fd, p, n) })
}
/// Columns and lines of a terminal.
pub fn terminal_size(fd: i32) -> Sys<(u16, u16)> {
    let mut w = libc::winsize { ws_row: 0, ws_col: 0, ws_xpixel: 0, ws_ypixel: 0 };
    // SAFETY: the request writes one `winsize`.
    check(unsafe { libc::ioctl(fd, libc::TIOCGWINSZ, &mut w) })?;
    Ok((w.ws_col, w.ws_row))
}
pub fn get_inheritable(fd: i32) -> Sys<bool> {
    Ok(fcntl_int(fd, libc::F_GETFD, 0)? & libc::FD_CLOEXEC == 0)
}
pub fn set_inheritable(fd: i32, inheritable: bool) -> Sys<()> {
    let flags = fcntl_int(fd, libc::F_GETFD, 0)?;
    let wanted = if inheritable { flags & !libc::FD_CLOEXEC } else { flags | libc::FD_CLOEXEC };
    if wanted != flags {
        fcntl_int(fd, libc::F_SETFD, wanted)?;
    }
    Ok(())
}
pub fn get_blocking(fd: i32) -> Sys<bool> {
    Ok(fcntl_int(fd, libc::F_GETFL, 0)? & libc::O_NONBLOCK == 0)
}
pub fn set_blocking(fd: i32, blocking: bool) -> Sys<()> {
    let flags = fcntl_int(fd, libc::F_GETFL, 0)?;
    let wanted = if blocking { flags & !libc::O_NONBLOCK } else { flags | libc::O_NONBLOCK };
    if wanted != flags {
        fcntl_int(fd, libc::F_SETFL, wanted)?;
    }
    Ok(())
}
/// A copy that is not inherited, or is.
pub fn dup_inheritable(fd: i32, inheritable: bool) -> Sys<i32> {
    let command = if inheritable { libc::F_DUPFD } else { libc::F_DUPFD_CLOEXEC };
    fcntl_int(fd, command, 0)
}
/// `close` on every descriptor from `low` below `high`; errors do not matter.
pub fn close_range(low: i32, high: i32) {
    if low >= high {
        return;
    }
    // SAFETY: numbers only.
    let done = unsafe { libc::syscall(libc::SYS_close_range, low as u32, (high - 1) as u32, 0u32) };
    if done != 0 {
        for fd in low..high.min(1 << 16) {
            let _ = close(fd);
        }
    }
}
pub fn sendfile(out: i32, from: i32, offset: Option<i64>, count: usize) -> Sys<usize> {
    let mut at = offset.unwrap_or(0);
    let at = if offset.is_some() { &raw mut at } else { std::ptr::null_mut() };
    // SAFETY: the offset is null or writable.
    check(unsafe { libc::sendfile(out, from, at, count) }).map(|n| n as usize)
}
fn offset_pointer(at: &mut Option<i64>) -> *mut i64 {
    at.as_mut().map_or(std::ptr::null_mut(), |p| p as *mut i64)
}
pub fn copy_file_range(from: i32, to: i32, count: usize, mut at: (Option<i64>, Option<i64>)) -> Sys<usize> {
    // SAFETY: the offsets are null or writable.
    let n = unsafe { libc::copy_file_range(from, offset_pointer(&mut at.0), to, offset_pointer(&mut at.1), count, 0) };
    check(n).map(|n| n as usize)
}
pub fn splice(from: i32, to: i32, count: usize, mut at: (Option<i64>, Option<i64>), flags: u32) -> Sys<usize> {
    // SAFETY: the offsets are null or writable.
    let n = unsafe { libc::splice(from, offset_pointer(&mut at.0), to, offset_pointer(&mut at.1), count, flags) };
    check(n).map(|n| n as usize)
}
