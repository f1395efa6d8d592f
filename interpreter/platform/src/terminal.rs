//! Terminal settings, and `ioctl` and `fcntl` with memory.
use crate::call::{Sys, calls, check};

calls! {
    fn drain(fd: i32) -> i32 = libc::tcdrain;
    fn flow(fd: i32, action: i32) -> i32 = libc::tcflow;
    fn flush(fd: i32, queue: i32) -> i32 = libc::tcflush;
    fn send_break(fd: i32, duration: i32) -> i32 = libc::tcsendbreak;
}
/// iflag, oflag, cflag, lflag, speeds, control characters.
#[derive(Clone, Debug)]
pub struct Settings {
    pub flags: [u32; 4],
    pub input_speed: u32,
    pub output_speed: u32,
    pub characters: Vec<u8>,
}
fn raw(fd: i32) -> Sys<libc::termios> {
    // SAFETY: integers; room for the result.
    unsafe {
        let mut t: libc::termios = std::mem::zeroed();
        check(libc::tcgetattr(fd, &mut t))?;
        Ok(t)
    }
}
pub fn get(fd: i32) -> Sys<Settings> {
    let t = raw(fd)?;
    // SAFETY: the structure is filled.
    let (input_speed, output_speed) = unsafe { (libc::cfgetispeed(&t), libc::cfgetospeed(&t)) };
    let flags = [t.c_iflag, t.c_oflag, t.c_cflag, t.c_lflag];
    Ok(Settings { flags, input_speed, output_speed, characters: t.c_cc.to_vec() })
}
pub fn set(fd: i32, when: i32, s: &Settings) -> Sys<i32> {
    let mut t = raw(fd)?;
    [t.c_iflag, t.c_oflag, t.c_cflag, t.c_lflag] = s.flags;
    for (slot, &c) in t.c_cc.iter_mut().zip(&s.characters) {
        *slot = c;
    }
    // SAFETY: the structure is filled.
    unsafe {
        check(libc::cfsetispeed(&mut t, s.input_speed))?;
        check(libc::cfsetospeed(&mut t, s.output_speed))?;
        check(libc::tcsetattr(fd, when, &t))
    }
}
/// Lines and columns.
pub fn set_window(fd: i32, lines: u16, columns: u16) -> Sys<i32> {
    // SAFETY: integers; the request reads and writes one `winsize`.
    unsafe {
        let mut w: libc::winsize = std::mem::zeroed();
        check(libc::ioctl(fd, libc::TIOCGWINSZ, &mut w))?;
        w.ws_row = lines;
        w.ws_col = columns;
        check(libc::ioctl(fd, libc::TIOCSWINSZ, &w))
    }
}
/// `ioctl` with a number.
pub fn ioctl_int(fd: i32, request: u64, argument: i32) -> Sys<i32> {
    // SAFETY: a number as the argument: a request that takes it for an address fails with EFAULT.
    check(unsafe { libc::ioctl(fd, request, argument) })
}
/// `ioctl` with memory that the request may read and write. The buffer is longer than what the caller gave by at least
/// 1024 bytes, as CPython's is.
pub fn ioctl_bytes(fd: i32, request: u64, data: &mut [u8]) -> Sys<i32> {
    // SAFETY: the memory is writable; that the request stays inside it is the script's to see to, as in CPython.
    check(unsafe { libc::ioctl(fd, request, data.as_mut_ptr()) })
}
/// `fcntl` with memory.
pub fn fcntl_bytes(fd: i32, command: i32, data: &mut [u8]) -> Sys<i32> {
    // SAFETY: as above.
    check(unsafe { libc::fcntl(fd, command, data.as_mut_ptr()) })
}
/// `fcntl` with a record lock.
pub fn record_lock(fd: i32, wait: bool, kind: i32, length: i64, start: i64, whence: i32) -> Sys<i32> {
    // SAFETY: integers; the structure lives during the call.
    unsafe {
        let mut l: libc::flock = std::mem::zeroed();
        l.l_type = kind as libc::c_short;
        l.l_start = start;
        l.l_len = length;
        l.l_whence = whence as libc::c_short;
        check(libc::fcntl(fd, if wait { libc::F_SETLKW } else { libc::F_SETLK }, &mut l))
    }
}
