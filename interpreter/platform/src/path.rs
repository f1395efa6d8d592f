//! Calls on paths, relative to a folder's descriptor where the platform has that.
use std::ffi::{CStr, CString};
use std::ptr::NonNull;

use crate::call::{Sys, calls, check};

/// The current folder as a descriptor argument.
pub const CWD: i32 = libc::AT_FDCWD;
pub use libc::{
    AT_EACCESS, AT_EMPTY_PATH, AT_REMOVEDIR, AT_SYMLINK_FOLLOW, AT_SYMLINK_NOFOLLOW, DT_BLK, DT_CHR, DT_DIR, DT_FIFO,
    DT_LNK, DT_REG, DT_SOCK, DT_UNKNOWN, UTIME_NOW,
};

calls! {
    fn mkdir_at(dir: i32, path: &CStr, mode: u32) -> i32 = libc::mkdirat;
    fn unlink_at(dir: i32, path: &CStr, flags: i32) -> i32 = libc::unlinkat;
    fn rename_at(from_dir: i32, from: &CStr, to_dir: i32, to: &CStr) -> i32 = libc::renameat;
    fn link_at(from_dir: i32, from: &CStr, to_dir: i32, to: &CStr, flags: i32) -> i32 = libc::linkat;
    fn symlink_at(target: &CStr, dir: i32, path: &CStr) -> i32 = libc::symlinkat;
    fn chmod_at(dir: i32, path: &CStr, mode: u32, flags: i32) -> i32 = libc::fchmodat;
    fn chown_at(dir: i32, path: &CStr, uid: u32, gid: u32, flags: i32) -> i32 = libc::fchownat;
    fn access_at(dir: i32, path: &CStr, mode: i32, flags: i32) -> i32 = libc::faccessat;
    fn mkfifo_at(dir: i32, path: &CStr, mode: u32) -> i32 = libc::mkfifoat;
    fn mknod_at(dir: i32, path: &CStr, mode: u32, device: u64) -> i32 = libc::mknodat;
    fn chdir(path: &CStr) -> i32 = libc::chdir;
    fn chroot(path: &CStr) -> i32 = libc::chroot;
    fn truncate(path: &CStr, length: i64) -> i32 = libc::truncate;
    fn pathconf(path: &CStr, name: i32) -> i64 = libc::pathconf;
    fn shm_open(name: &CStr, flags: i32, mode: u32) -> i32 = libc::shm_open;
    fn shm_unlink(name: &CStr) -> i32 = libc::shm_unlink;
}
pub fn readlink_at(dir: i32, path: &CStr) -> Sys<Vec<u8>> {
    let mut target = vec![0u8; libc::PATH_MAX as usize + 1];
    // SAFETY: the path is NUL-terminated, the buffer writable for its length.
    let n = check(unsafe { libc::readlinkat(dir, path.as_ptr(), target.as_mut_ptr().cast(), target.len()) })?;
    target.truncate(n as usize);
    Ok(target)
}
pub fn getcwd() -> Sys<Vec<u8>> {
    let mut size = 1024;
    loop {
        let mut buffer = vec![0u8; size];
        // SAFETY: the buffer is writable for the length given.
        if unsafe { !libc::getcwd(buffer.as_mut_ptr().cast(), size).is_null() } {
            buffer.truncate(buffer.iter().position(|&b| b == 0).unwrap_or(size));
            return Ok(buffer);
        }
        match crate::errno::last() {
            libc::ERANGE if size < 1 << 24 => size *= 2,
            e => return Err(e),
        }
    }
}
/// Access and modification time, seconds and nanoseconds; `None` = now.
pub type Times = Option<[(i64, i64); 2]>;

fn timespecs(times: Times) -> [libc::timespec; 2] {
    match times {
        None => [libc::timespec { tv_sec: 0, tv_nsec: libc::UTIME_NOW }; 2],
        Some(t) => t.map(|(tv_sec, tv_nsec)| libc::timespec { tv_sec, tv_nsec }),
    }
}
pub fn utime_at(dir: i32, path: &CStr, times: Times, flags: i32) -> Sys<i32> {
    let times = timespecs(times);
    // SAFETY: the path is NUL-terminated, the times are two structures.
    check(unsafe { libc::utimensat(dir, path.as_ptr(), times.as_ptr(), flags) })
}
pub fn futime(fd: i32, times: Times) -> Sys<i32> {
    let times = timespecs(times);
    // SAFETY: two structures.
    check(unsafe { libc::futimens(fd, times.as_ptr()) })
}
/// What `statvfs` tells, in CPython's order: bsize, frsize, blocks, bfree, bavail, files, ffree, favail, flag, namemax, fsid.
pub fn statvfs(path: Result<&CStr, i32>) -> Sys<[u64; 11]> {
    // SAFETY: a structure of integers, for which zero bytes are valid.
    let mut s: libc::statvfs = unsafe { std::mem::zeroed() };
    // SAFETY: the path is NUL-terminated and `s` has room.
    check(unsafe {
        match path {
            Ok(p) => libc::statvfs(p.as_ptr(), &mut s),
            Err(fd) => libc::fstatvfs(fd, &mut s),
        }
    })?;
    Ok([
        s.f_bsize,
        s.f_frsize,
        s.f_blocks,
        s.f_bfree,
        s.f_bavail,
        s.f_files,
        s.f_ffree,
        s.f_favail,
        s.f_flag,
        s.f_namemax,
        s.f_fsid,
    ])
}

/// An entry of a folder.
pub struct Entry {
    pub name: Vec<u8>,
    pub inode: u64,
    /// One of the `DT_` constants.
    pub kind: u8,
}
/// An open folder.
pub struct Dir(NonNull<libc::DIR>);
// SAFETY: a stream may be used by any thread, one at a time; `&mut self` sees to that.
unsafe impl Send for Dir {}
impl Dir {
    pub fn open(path: &CStr) -> Sys<Dir> {
        // SAFETY: the path is NUL-terminated.
        NonNull::new(unsafe { libc::opendir(path.as_ptr()) }).map(Dir).ok_or_else(crate::errno::last)
    }
    /// Takes the descriptor over.
    pub fn from_fd(fd: i32) -> Sys<Dir> {
        // SAFETY: a number only.
        NonNull::new(unsafe { libc::fdopendir(fd) }).map(Dir).ok_or_else(crate::errno::last)
    }
    pub fn rewind(&mut self) {
        // SAFETY: the stream is open.
        unsafe { libc::rewinddir(self.0.as_ptr()) }
    }
    /// The next entry but for "." and "..".
    pub fn next_entry(&mut self) -> Sys<Option<Entry>> {
        loop {
            // SAFETY: the thread's own errno.
            unsafe { *libc::__errno_location() = 0 };
            // SAFETY: the stream is open; the entry is read before the next call.
            let entry = unsafe { libc::readdir(self.0.as_ptr()).as_ref() };
            let Some(e) = entry else {
                return match crate::errno::last() {
                    0 => Ok(None),
                    errno => Err(errno),
                };
            };
            // SAFETY: the name is NUL-terminated inside the entry.
            let name = unsafe { CStr::from_ptr(e.d_name.as_ptr()) }.to_bytes();
            if name != b"." && name != b".." {
                return Ok(Some(Entry { name: name.to_vec(), inode: e.d_ino, kind: e.d_type }));
            }
        }
    }
}
impl Drop for Dir {
    fn drop(&mut self) {
        // SAFETY: opened once, closed once.
        unsafe { libc::closedir(self.0.as_ptr()) };
    }
}

/// Which file a call on extended attributes means.
pub enum Target<'a> {
    Path(&'a CStr),
    Link(&'a CStr),
    Fd(i32),
}
/// Calls `f` with buffers that grow until the result fits.
fn sized(limit: usize, mut f: impl FnMut(*mut u8, usize) -> isize) -> Sys<Vec<u8>> {
    for size in [128, limit] {
        let mut out = vec![0u8; size];
        match check(f(out.as_mut_ptr(), size)) {
            Ok(n) => {
                out.truncate(n as usize);
                return Ok(out);
            }
            Err(libc::ERANGE) => {}
            Err(e) => return Err(e),
        }
    }
    Err(libc::ERANGE)
}
pub fn getxattr(of: &Target<'_>, name: &CStr) -> Sys<Vec<u8>> {
    // SAFETY: strings are NUL-terminated, the buffer is writable for its length.
    sized(65536, |p, n| unsafe {
        match of {
            Target::Path(path) => libc::getxattr(path.as_ptr(), name.as_ptr(), p.cast(), n),
            Target::Link(path) => libc::lgetxattr(path.as_ptr(), name.as_ptr(), p.cast(), n),
            Target::Fd(fd) => libc::fgetxattr(*fd, name.as_ptr(), p.cast(), n),
        }
    })
}
pub fn listxattr(of: &Target<'_>) -> Sys<Vec<u8>> {
    // SAFETY: strings are NUL-terminated, the buffer is writable for its length.
    sized(65536, |p, n| unsafe {
        match of {
            Target::Path(path) => libc::listxattr(path.as_ptr(), p.cast(), n),
            Target::Link(path) => libc::llistxattr(path.as_ptr(), p.cast(), n),
            Target::Fd(fd) => libc::flistxattr(*fd, p.cast(), n),
        }
    })
}
pub fn setxattr(of: &Target<'_>, name: &CStr, value: &[u8], flags: i32) -> Sys<i32> {
    let (p, n) = (value.as_ptr().cast(), value.len());
    // SAFETY: strings are NUL-terminated, the value is readable for its length.
    check(unsafe {
        match of {
            Target::Path(path) => libc::setxattr(path.as_ptr(), name.as_ptr(), p, n, flags),
            Target::Link(path) => libc::lsetxattr(path.as_ptr(), name.as_ptr(), p, n, flags),
            Target::Fd(fd) => libc::fsetxattr(*fd, name.as_ptr(), p, n, flags),
        }
    })
}
pub fn removexattr(of: &Target<'_>, name: &CStr) -> Sys<i32> {
    // SAFETY: strings are NUL-terminated.
    check(unsafe {
        match of {
            Target::Path(path) => libc::removexattr(path.as_ptr(), name.as_ptr()),
            Target::Link(path) => libc::lremovexattr(path.as_ptr(), name.as_ptr()),
            Target::Fd(fd) => libc::fremovexattr(*fd, name.as_ptr()),
        }
    })
}
/// The environment as it is now: the C library's own, so that other libraries see changes.
pub fn environment() -> Vec<Vec<u8>> {
    unsafe extern "C" {
        static environ: *const *const libc::c_char;
    }
    let mut out = Vec::new();
    // SAFETY: the C library's array of NUL-terminated strings ends with a null pointer; nobody changes it meanwhile,
    // because only one thread runs Python code.
    unsafe {
        let mut at = environ;
        while !at.is_null() && !(*at).is_null() {
            out.push(CStr::from_ptr(*at).to_bytes().to_vec());
            at = at.add(1);
        }
    }
    out
}
pub fn setenv(name: &CStr, value: &CStr) -> Sys<i32> {
    // SAFETY: the strings are copied; only one thread runs Python code.
    check(unsafe { libc::setenv(name.as_ptr(), value.as_ptr(), 1) })
}
pub fn unsetenv(name: &CStr) -> Sys<i32> {
    // SAFETY: as above.
    check(unsafe { libc::unsetenv(name.as_ptr()) })
}
/// Bytes as a C string; `None` where they hold a NUL.
pub fn c_string(bytes: &[u8]) -> Option<CString> {
    CString::new(bytes).ok()
}
