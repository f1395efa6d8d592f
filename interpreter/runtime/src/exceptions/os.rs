//! OSError and its family: which error number makes which class. CPython: `OSError_*` of `Objects/exceptions.c`.
use krait_object::TypeObject;
use krait_platform::errno as e;

use super as exc;

/// The class that `OSError(errno, …)` makes.
pub fn class_of_errno(errno: i32) -> &'static TypeObject {
    if errno == e::EWOULDBLOCK {
        return &exc::BLOCKING_IO_ERROR;
    }
    match errno {
        e::EAGAIN | e::EALREADY | e::EINPROGRESS => &exc::BLOCKING_IO_ERROR,
        e::EPIPE | e::ESHUTDOWN => &exc::BROKEN_PIPE_ERROR,
        e::ECHILD => &exc::CHILD_PROCESS_ERROR,
        e::ECONNABORTED => &exc::CONNECTION_ABORTED_ERROR,
        e::ECONNREFUSED => &exc::CONNECTION_REFUSED_ERROR,
        e::ECONNRESET => &exc::CONNECTION_RESET_ERROR,
        e::EEXIST => &exc::FILE_EXISTS_ERROR,
        e::ENOENT => &exc::FILE_NOT_FOUND_ERROR,
        e::EISDIR => &exc::IS_A_DIRECTORY_ERROR,
        e::ENOTDIR => &exc::NOT_A_DIRECTORY_ERROR,
        e::EINTR => &exc::INTERRUPTED_ERROR,
        e::EACCES | e::EPERM => &exc::PERMISSION_ERROR,
        e::ESRCH => &exc::PROCESS_LOOKUP_ERROR,
        e::ETIMEDOUT => &exc::TIMEOUT_ERROR,
        _ => &exc::OS_ERROR,
    }
}
