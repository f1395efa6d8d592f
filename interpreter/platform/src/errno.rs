//! Error numbers of the platform and their texts.
pub use libc::{
    EACCES, EAGAIN, EALREADY, EBADF, ECHILD, ECONNABORTED, ECONNREFUSED, ECONNRESET, EDOM, EEXIST, EINPROGRESS, EINTR,
    EINVAL, EISDIR, ENOENT, ENOMEM, ENOTDIR, EOPNOTSUPP, EOVERFLOW, EPERM, EPIPE, ERANGE, ESHUTDOWN, ESPIPE, ESRCH,
    ETIMEDOUT, EWOULDBLOCK,
};

/// The platform's text for an error number, as `os.strerror` shows it.
pub fn strerror(errno: i32) -> String {
    let mut buffer = [0u8; 1024];
    // SAFETY: the buffer is writable for the length given, and the XSI function terminates what it writes.
    let _ = unsafe { libc::strerror_r(errno, buffer.as_mut_ptr().cast(), buffer.len()) };
    let text = buffer.split(|&b| b == 0).next().unwrap_or_default();
    if text.is_empty() { format!("Unknown error {errno}") } else { String::from_utf8_lossy(text).into_owned() }
}

/// The text for an error number.
pub fn message(errno: i32) -> String {
    strerror(errno)
}

/// The calling thread's last error number.
pub fn last() -> i32 {
    std::io::Error::last_os_error().raw_os_error().unwrap_or(0)
}
/// Puts the error number back that a signal handler found.
pub fn set(errno: i32) {
    // SAFETY: the location of the calling thread's own number.
    unsafe { *libc::__errno_location() = errno };
}
