//! Files by descriptor and by path: the system calls behind `_io`, one safe function each. None of them
//! retries after an interruption: the caller runs signal handlers first.
use std::ffi::CString;
use std::io::{Error, ErrorKind, Result};

pub use libc::{
    O_APPEND, O_CLOEXEC, O_CREAT, O_EXCL, O_NONBLOCK, O_RDONLY, O_RDWR, O_TRUNC, O_WRONLY, SEEK_CUR, SEEK_DATA,
    SEEK_END, SEEK_HOLE, SEEK_SET,
};

/// What `fstat` says, as far as files objects need it.
#[derive(Clone, Copy, Debug)]
pub struct FileInfo {
    /// Bytes.
    pub size: i64,
    /// File type and permissions, `st_mode`.
    pub mode: u32,
    /// The preferred size of reads and writes, `st_blksize`.
    pub block_size: i64,
}
impl FileInfo {
    pub fn is_dir(&self) -> bool {
        self.mode & libc::S_IFMT == libc::S_IFDIR
    }
}

fn check(result: libc::c_int) -> Result<libc::c_int> {
    if result < 0 { Err(Error::last_os_error()) } else { Ok(result) }
}
fn check_size(result: isize) -> Result<usize> {
    usize::try_from(result).map_err(|_| Error::last_os_error())
}
/// The bytes as a C string; EINVAL where a NUL stands in them.
fn c_string(path: &[u8]) -> Result<CString> {
    CString::new(path).map_err(|_| Error::from(ErrorKind::InvalidInput))
}

pub fn open(path: &[u8], flags: i32, mode: u32) -> Result<i32> {
    let path = c_string(path)?;
    // SAFETY: the path is a NUL-terminated string that outlives the call.
    check(unsafe { libc::open(path.as_ptr(), flags, mode) })
}
pub fn close(fd: i32) -> Result<()> {
    // SAFETY: closing a descriptor touches no memory of ours; a wrong one is reported as EBADF.
    check(unsafe { libc::close(fd) }).map(drop)
}
pub fn read(fd: i32, buffer: &mut [u8]) -> Result<usize> {
    // SAFETY: the buffer is writable for the length given.
    check_size(unsafe { libc::read(fd, buffer.as_mut_ptr().cast(), buffer.len()) })
}
/// Appends one read's bytes to the buffer, at most `limit` and at most its spare capacity.
pub fn read_append(fd: i32, buffer: &mut Vec<u8>, limit: usize) -> Result<usize> {
    let spare = buffer.spare_capacity_mut();
    let wanted = spare.len().min(limit);
    // SAFETY: the spare capacity is writable for `wanted` bytes.
    let n = check_size(unsafe { libc::read(fd, spare.as_mut_ptr().cast(), wanted) })?;
    let len = buffer.len() + n;
    // SAFETY: the kernel has written `n <= wanted` bytes behind the old end, within the capacity.
    unsafe { buffer.set_len(len) };
    Ok(n)
}
pub fn write(fd: i32, data: &[u8]) -> Result<usize> {
    // SAFETY: the data is readable for the length given.
    check_size(unsafe { libc::write(fd, data.as_ptr().cast(), data.len()) })
}
pub fn lseek(fd: i32, offset: i64, whence: i32) -> Result<i64> {
    // SAFETY: touches no memory of ours.
    let at = unsafe { libc::lseek(fd, offset, whence) };
    if at < 0 { Err(Error::last_os_error()) } else { Ok(at) }
}
pub fn ftruncate(fd: i32, len: i64) -> Result<()> {
    // SAFETY: touches no memory of ours.
    check(unsafe { libc::ftruncate(fd, len) }).map(drop)
}
pub fn isatty(fd: i32) -> bool {
    // SAFETY: touches no memory of ours.
    unsafe { libc::isatty(fd) == 1 }
}
pub fn fstat(fd: i32) -> Result<FileInfo> {
    // SAFETY: all-zero bytes are a valid `stat`.
    let mut info: libc::stat = unsafe { std::mem::zeroed() };
    // SAFETY: `info` is writable and of the type that the call fills.
    check(unsafe { libc::fstat(fd, &raw mut info) })?;
    Ok(FileInfo { size: info.st_size, mode: info.st_mode, block_size: info.st_blksize as i64 })
}
/// Whether programs started later keep the descriptor.
pub fn is_inheritable(fd: i32) -> Result<bool> {
    // SAFETY: touches no memory of ours.
    let flags = check(unsafe { libc::fcntl(fd, libc::F_GETFD) })?;
    Ok(flags & libc::FD_CLOEXEC == 0)
}
pub fn set_inheritable(fd: i32, inheritable: bool) -> Result<()> {
    // SAFETY: touches no memory of ours.
    let flags = check(unsafe { libc::fcntl(fd, libc::F_GETFD) })?;
    let wanted = if inheritable { flags & !libc::FD_CLOEXEC } else { flags | libc::FD_CLOEXEC };
    if wanted == flags {
        return Ok(());
    }
    // SAFETY: touches no memory of ours.
    check(unsafe { libc::fcntl(fd, libc::F_SETFD, wanted) }).map(drop)
}
