//! Functions that change files: modes, owners, lengths, special files, extended attributes.
use krait_object::native::function;
use krait_object::{Args, Bytes, List, Method, PyResult, Thread, Value};
use krait_platform::path::{self as platform, AT_SYMLINK_NOFOLLOW, Target};
use krait_platform::{errno, fd};
use krait_runtime::errors::not_implemented_error;
use krait_runtime::protocol::{buffer, number};

use super::paths::finish;
use super::stat::check_fd;
use crate::arguments::{Accept, PathArg, dir_fd, flag, int_or, path, sys, user_id};

pub(super) static FUNCTIONS: &[Method] = &[
    function(
        "chmod",
        "(path, mode, *, dir_fd=None, follow_symlinks=(os.name != 'nt'))",
        "Change the permissions of a file.",
        |th, a| {
            let p = path(th, a.opt(0), Accept::path("chmod").or_fd())?;
            let mode = number::to_i32(th, &a[1])?;
            let dir = dir_fd(th, a.opt(2))?;
            let follow = flag(th, a.opt(3), true)?;
            if let Some(f) = p.fd() {
                check_fd(th, "chmod", &p, dir, follow)?;
                return finish(th, &p, fd::fchmod(f, mode as u32));
            }
            let flags = if follow { 0 } else { AT_SYMLINK_NOFOLLOW };
            match platform::chmod_at(dir, p.path(), mode as u32, flags) {
                Err(errno::EOPNOTSUPP) if !follow => {
                    Err(not_implemented_error(th, "chmod: follow_symlinks unavailable on this platform"))
                }
                done => finish(th, &p, done),
            }
        },
    ),
    function("fchmod", "(fd, mode)", "Change the permissions of an open file.", |th, a| {
        let (f, mode) = (number::to_i32(th, &a[0])?, number::to_i32(th, &a[1])?);
        sys(th, fd::fchmod(f, mode as u32))?;
        Ok(Value::NONE)
    }),
    function(
        "chown",
        "(path, uid, gid, *, dir_fd=None, follow_symlinks=True)",
        "Change the owner and group of a file; -1 leaves one as it is.",
        |th, a| {
            let p = path(th, a.opt(0), Accept::path("chown").or_fd())?;
            let (uid, gid) = (user_id(th, &a[1], "uid")?, user_id(th, &a[2], "gid")?);
            let dir = dir_fd(th, a.opt(3))?;
            let follow = flag(th, a.opt(4), true)?;
            check_fd(th, "chown", &p, dir, follow)?;
            match p.fd() {
                Some(f) => finish(th, &p, fd::fchown(f, uid, gid)),
                None => finish(
                    th,
                    &p,
                    platform::chown_at(dir, p.path(), uid, gid, if follow { 0 } else { AT_SYMLINK_NOFOLLOW }),
                ),
            }
        },
    ),
    function(
        "lchown",
        "(path, uid, gid)",
        "Change the owner and group of a file; of a symbolic link itself.",
        |th, a| {
            let p = path(th, a.opt(0), Accept::path("lchown"))?;
            let (uid, gid) = (user_id(th, &a[1], "uid")?, user_id(th, &a[2], "gid")?);
            finish(th, &p, platform::chown_at(platform::CWD, p.path(), uid, gid, AT_SYMLINK_NOFOLLOW))
        },
    ),
    function("fchown", "(fd, uid, gid)", "Change the owner and group of an open file.", |th, a| {
        let f = number::to_i32(th, &a[0])?;
        let (uid, gid) = (user_id(th, &a[1], "uid")?, user_id(th, &a[2], "gid")?);
        sys(th, fd::fchown(f, uid, gid))?;
        Ok(Value::NONE)
    }),
    function("truncate", "(path, length)", "Make a file exactly that long.", |th, a| {
        let p = path(th, a.opt(0), Accept::path("truncate").or_fd())?;
        let length = number::to_i64(th, &a[1])?;
        match p.fd() {
            Some(f) => finish(th, &p, fd::ftruncate(f, length)),
            None => finish(th, &p, platform::truncate(p.path(), length)),
        }
    }),
    function("mkfifo", "(path, mode=438, *, dir_fd=None)", "Make a named pipe.", |th, a| {
        let p = path(th, a.opt(0), Accept::path("mkfifo"))?;
        let mode = int_or(th, a.opt(1), 0o666)?;
        let dir = dir_fd(th, a.opt(2))?;
        finish(th, &p, platform::mkfifo_at(dir, p.path(), mode as u32))
    }),
    function(
        "mknod",
        "(path, mode=384, device=0, *, dir_fd=None)",
        "Make a node of the file system: a file, a device, a named pipe.",
        |th, a| {
            let p = path(th, a.opt(0), Accept::path("mknod"))?;
            let mode = int_or(th, a.opt(1), 0o600)?;
            let device = a.opt(2).map_or(Ok(0), |d| number::to_masked(th, d, 64))?;
            let dir = dir_fd(th, a.opt(3))?;
            finish(th, &p, platform::mknod_at(dir, p.path(), mode as u32, device))
        },
    ),
    function(
        "getxattr",
        "(path, attribute, *, follow_symlinks=True)",
        "The value of an extended attribute.",
        |th, a| {
            let p = path(th, a.opt(0), Accept::path("getxattr").or_fd())?;
            let name = path(th, a.opt(1), Accept::path("getxattr").named("attribute"))?;
            let target = target(th, "getxattr", &p, a.opt(2))?;
            match platform::getxattr(&target, name.path()) {
                Ok(v) => Ok(Bytes::new(&v).into()),
                Err(e) => Err(p.error(th, e)),
            }
        },
    ),
    function(
        "setxattr",
        "(path, attribute, value, flags=0, *, follow_symlinks=True)",
        "Set an extended attribute.",
        |th, a| {
            let p = path(th, a.opt(0), Accept::path("setxattr").or_fd())?;
            let name = path(th, a.opt(1), Accept::path("setxattr").named("attribute"))?;
            let value = buffer::bytes_like(th, &a[2])?;
            let flags = int_or(th, a.opt(3), 0)?;
            let target = target(th, "setxattr", &p, a.opt(4))?;
            finish(th, &p, platform::setxattr(&target, name.path(), &value, flags))
        },
    ),
    function("removexattr", "(path, attribute, *, follow_symlinks=True)", "Remove an extended attribute.", |th, a| {
        let p = path(th, a.opt(0), Accept::path("removexattr").or_fd())?;
        let name = path(th, a.opt(1), Accept::path("removexattr").named("attribute"))?;
        let target = target(th, "removexattr", &p, a.opt(2))?;
        finish(th, &p, platform::removexattr(&target, name.path()))
    }),
    function(
        "listxattr",
        "(path=None, *, follow_symlinks=True)",
        "List of the names of a file's extended attributes.",
        listxattr,
    ),
];
fn target<'a>(th: &mut Thread, function: &str, p: &'a PathArg, follow: Option<&Value>) -> PyResult<Target<'a>> {
    let follow = flag(th, follow, true)?;
    check_fd(th, function, p, platform::CWD, follow)?;
    Ok(match p.fd() {
        Some(fd) => Target::Fd(fd),
        None if follow => Target::Path(p.path()),
        None => Target::Link(p.path()),
    })
}
fn listxattr(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let p = path(th, a.opt(0), Accept::path("listxattr").or_fd().or_none())?;
    let target = target(th, "listxattr", &p, a.opt(1))?;
    match platform::listxattr(&target) {
        Ok(all) => {
            let names = all.split(|&b| b == 0).filter(|n| !n.is_empty());
            Ok(List::new(names.map(|n| krait_runtime::convert::fs_decode(n).into()).collect()).into())
        }
        Err(e) => Err(p.error(th, e)),
    }
}
