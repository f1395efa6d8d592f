//! Functions on file descriptors that neither read nor write: open, close, copies, flags, positions.
use krait_object::native::function;
use krait_object::{Args, Method, PyResult, Thread, Tuple, Value};
use krait_platform::{fd, fs};
use krait_runtime::audit::audit;
use krait_runtime::errors::os_error;
use krait_runtime::protocol::number;
use krait_runtime::world::{blocking, retry};

use super::stat::on_fildes;
use crate::arguments::{Accept, dir_fd, flag, int_or, path, sys};

const O_CLOEXEC: i32 = 0o2000000;

pub(super) static FUNCTIONS: &[Method] = &[
    function("open", "(path, flags, mode=511, *, dir_fd=None)", "Open a file; the descriptor is not inherited.", open),
    function("close", "(fd)", "Close a descriptor.", |th, a| {
        let f = number::to_i32(th, &a[0])?;
        match blocking(th, || fd::close(f)) {
            Ok(_) | Err(krait_platform::errno::EINTR) => Ok(Value::NONE),
            Err(e) => Err(os_error(th, e, None)),
        }
    }),
    function(
        "closerange",
        "(fd_low, fd_high, /)",
        "Close all descriptors from fd_low, and below fd_high; errors do not matter.",
        |th, a| {
            let (low, high) = (number::to_i32(th, &a[0])?, number::to_i32(th, &a[1])?);
            fd::close_range(low.max(0), high);
            Ok(Value::NONE)
        },
    ),
    function("dup", "(fd, /)", "Copy a descriptor; the copy is not inherited.", |th, a| {
        let f = number::to_i32(th, &a[0])?;
        let copy = sys(th, fd::dup_inheritable(f, false))?;
        Ok(copy.into())
    }),
    function("dup2", "(fd, fd2, inheritable=True)", "Copy a descriptor to a given number.", |th, a| {
        let (from, to) = (number::to_i32(th, &a[0])?, number::to_i32(th, &a[1])?);
        let inheritable = flag(th, a.opt(2), true)?;
        let done = if inheritable || from == to { fd::dup2(from, to) } else { fd::dup3(from, to, O_CLOEXEC) };
        let copy = sys(th, done)?;
        if !inheritable && from == to {
            sys(th, fd::set_inheritable(to, false))?;
        }
        Ok(copy.into())
    }),
    function(
        "lseek",
        "(fd, position, whence, /)",
        "Set the position in a file; the new position from its start.",
        |th, a| {
            let f = number::to_i32(th, &a[0])?;
            let (at, whence) = (number::to_i64(th, &a[1])?, number::to_i32(th, &a[2])?);
            let at = sys(th, fd::lseek(f, at, whence))?;
            Ok(at.into())
        },
    ),
    function("isatty", "(fd, /)", "Whether the descriptor is a terminal's.", |th, a| {
        let f = number::to_i32(th, &a[0])?;
        Ok(Value::bool(fd::isatty(f)))
    }),
    function("pipe", "()", "Make a pipe: the descriptors (read end, write end), which are not inherited.", |th, _| {
        let (r, w) = sys(th, fd::pipe2(O_CLOEXEC))?;
        Ok(Tuple::from_vec(vec![r.into(), w.into()]).into())
    }),
    function("pipe2", "(flags, /)", "Make a pipe with flags: O_NONBLOCK and O_CLOEXEC together.", |th, a| {
        let flags = number::to_i32(th, &a[0])?;
        let (r, w) = sys(th, fd::pipe2(flags))?;
        Ok(Tuple::from_vec(vec![r.into(), w.into()]).into())
    }),
    function("ftruncate", "(fd, length, /)", "Make an open file exactly that long.", |th, a| {
        let f = number::to_i32(th, &a[0])?;
        let length = number::to_i64(th, &a[1])?;
        audit(th, "os.truncate", &[f.into(), length.into()])?;
        let done = retry(th, || fd::ftruncate(f, length))?;
        sys(th, done)?;
        Ok(Value::NONE)
    }),
    function("fsync", "(fd)", "Force what was written to disk.", |th, a| on_fildes(th, &a[0], fd::fsync)),
    function("fdatasync", "(fd)", "Force what was written to disk, but for metadata.", |th, a| {
        on_fildes(th, &a[0], fd::fdatasync)
    }),
    function("lockf", "(fd, command, length, /)", "Lock, test or unlock a part of an open file.", |th, a| {
        let (f, command) = (number::to_i32(th, &a[0])?, number::to_i32(th, &a[1])?);
        let length = number::to_i64(th, &a[2])?;
        let done = blocking(th, || fd::lockf(f, command, length));
        sys(th, done)?;
        Ok(Value::NONE)
    }),
    function(
        "posix_fallocate",
        "(fd, offset, length, /)",
        "Make sure that a part of a file has space on disk.",
        |th, a| {
            let f = number::to_i32(th, &a[0])?;
            let (at, length) = (number::to_i64(th, &a[1])?, number::to_i64(th, &a[2])?);
            errno_result(th, |()| fd::fallocate(f, at, length))
        },
    ),
    function(
        "posix_fadvise",
        "(fd, offset, length, advice, /)",
        "Announce how a part of a file will be used.",
        |th, a| {
            let f = number::to_i32(th, &a[0])?;
            let (at, length) = (number::to_i64(th, &a[1])?, number::to_i64(th, &a[2])?);
            let advice = number::to_i32(th, &a[3])?;
            errno_result(th, |()| fd::fadvise(f, at, length, advice))
        },
    ),
    function("get_inheritable", "(fd, /)", "Whether programs started later get the descriptor.", |th, a| {
        let f = number::to_i32(th, &a[0])?;
        let yes = sys(th, fd::get_inheritable(f))?;
        Ok(Value::bool(yes))
    }),
    function(
        "set_inheritable",
        "(fd, inheritable, /)",
        "Set whether programs started later get the descriptor.",
        |th, a| {
            let (f, yes) = (number::to_i32(th, &a[0])?, number::to_i32(th, &a[1])?);
            sys(th, fd::set_inheritable(f, yes != 0))?;
            Ok(Value::NONE)
        },
    ),
    function("get_blocking", "(fd, /)", "Whether operations on the descriptor block.", |th, a| {
        let f = number::to_i32(th, &a[0])?;
        let yes = sys(th, fd::get_blocking(f))?;
        Ok(Value::bool(yes))
    }),
    function("set_blocking", "(fd, blocking, /)", "Set whether operations on the descriptor block.", |th, a| {
        let f = number::to_i32(th, &a[0])?;
        let yes = flag(th, a.opt(1), true)?;
        sys(th, fd::set_blocking(f, yes))?;
        Ok(Value::NONE)
    }),
    function("device_encoding", "(fd)", "The encoding of a terminal; None for other files.", |th, a| {
        let f = number::to_i32(th, &a[0])?;
        Ok(if fd::isatty(f) { Value::str("UTF-8") } else { Value::NONE })
    }),
];

/// Calls again what a signal interrupted; the call returns its error number.
fn errno_result(th: &mut Thread, call: impl Fn(()) -> i32) -> PyResult<Value> {
    let done = retry(th, || match call(()) {
        0 => Ok(()),
        e => Err(e),
    })?;
    sys(th, done)?;
    Ok(Value::NONE)
}
fn open(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let p = path(th, a.opt(0), Accept::path("open"))?;
    let flags = number::to_i32(th, &a[1])?;
    let mode = int_or(th, a.opt(2), 0o777)?;
    let dir = dir_fd(th, a.opt(3))?;
    audit(th, "open", &[p.object.clone(), Value::NONE, flags.into()])?;
    match retry(th, || fs::open_at(dir, p.path(), flags | O_CLOEXEC, mode as u32))? {
        Ok(f) => Ok(f.into()),
        Err(e) => Err(p.error(th, e)),
    }
}
