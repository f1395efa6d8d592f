//! Functions that look at paths or move them: listdir, getcwd, readlink, access, links, renames, folders.
use krait_object::native::function;
use krait_object::{Args, Bytes, List, Method, PyResult, Thread, Value};
use krait_platform::path::{
    self as platform, AT_EACCESS, AT_REMOVEDIR, AT_SYMLINK_FOLLOW, AT_SYMLINK_NOFOLLOW, CWD, Dir,
};
use krait_runtime::audit::audit;
use krait_runtime::convert::{fs_decode, fspath};
use krait_runtime::protocol::number;
use krait_runtime::world::blocking;

use super::stat::on_fildes;
use crate::arguments::{Accept, PathArg, Place, dir_fd, flag, int_or, path, sys};

pub(super) static FUNCTIONS: &[Method] = &[
    function(
        "fspath",
        "(path)",
        "The file system representation of a path: str and bytes as they are, other objects by __fspath__().",
        |th, a| fspath(th, &a[0]),
    ),
    function("listdir", "(path=None)", "List of the names in a folder, without '.' and '..', in no order.", listdir),
    function("getcwd", "()", "The current folder.", |th, _| {
        let cwd = sys(th, platform::getcwd())?;
        Ok(fs_decode(&cwd).into())
    }),
    function("getcwdb", "()", "The current folder, as bytes.", |th, _| {
        let cwd = sys(th, platform::getcwd())?;
        Ok(Bytes::new(&cwd).into())
    }),
    function("readlink", "(path, *, dir_fd=None)", "What a symbolic link points to.", |th, a| {
        let p = path(th, a.opt(0), Accept::path("readlink"))?;
        let dir = dir_fd(th, a.opt(1))?;
        match platform::readlink_at(dir, p.path()) {
            Ok(target) => Ok(p.name(&target)),
            Err(e) => Err(p.error(th, e)),
        }
    }),
    function(
        "access",
        "(path, mode, *, dir_fd=None, effective_ids=False, follow_symlinks=True)",
        "Whether the user may access the file so: F_OK, or R_OK, W_OK and X_OK together.",
        |th, a| {
            let p = path(th, a.opt(0), Accept::path("access"))?;
            let mode = number::to_i32(th, &a[1])?;
            let dir = dir_fd(th, a.opt(2))?;
            let mut flags = if flag(th, a.opt(3), false)? { AT_EACCESS } else { 0 };
            if !flag(th, a.opt(4), true)? {
                flags |= AT_SYMLINK_NOFOLLOW;
            }
            Ok(Value::bool(platform::access_at(dir, p.path(), mode, flags).is_ok()))
        },
    ),
    function("chdir", "(path)", "Change the current folder, to a path or an open folder.", |th, a| {
        let p = path(th, a.opt(0), Accept::path("chdir").or_fd())?;
        audit(th, "os.chdir", std::slice::from_ref(&p.object))?;
        match p.fd() {
            Some(fd) => finish(th, &p, krait_platform::fd::fchdir(fd)),
            None => finish(th, &p, platform::chdir(p.path())),
        }
    }),
    function("fchdir", "(fd)", "Change the current folder to an open folder.", |th, a| {
        on_fildes(th, &a[0], krait_platform::fd::fchdir)
    }),
    function("chroot", "(path)", "Change the root folder.", |th, a| {
        let p = path(th, a.opt(0), Accept::path("chroot"))?;
        finish(th, &p, platform::chroot(p.path()))
    }),
    function("mkdir", "(path, mode=511, *, dir_fd=None)", "Make a folder.", |th, a| {
        let p = path(th, a.opt(0), Accept::path("mkdir"))?;
        let mode = int_or(th, a.opt(1), 0o777)?;
        let dir = dir_fd(th, a.opt(2))?;
        audit(th, "os.mkdir", &[p.object.clone(), mode.into(), shown_dir(dir)])?;
        finish(th, &p, platform::mkdir_at(dir, p.path(), mode as u32))
    }),
    function("rmdir", "(path, *, dir_fd=None)", "Remove an empty folder.", |th, a| {
        let p = path(th, a.opt(0), Accept::path("rmdir"))?;
        let dir = dir_fd(th, a.opt(1))?;
        audit(th, "os.rmdir", &[p.object.clone(), shown_dir(dir)])?;
        finish(th, &p, platform::unlink_at(dir, p.path(), AT_REMOVEDIR))
    }),
    function("unlink", "(path, *, dir_fd=None)", "Remove a file; the same as remove().", |th, a| {
        unlink(th, a, "unlink")
    }),
    function("remove", "(path, *, dir_fd=None)", "Remove a file; the same as unlink().", |th, a| {
        unlink(th, a, "remove")
    }),
    function("rename", "(src, dst, *, src_dir_fd=None, dst_dir_fd=None)", "Rename a file or folder.", |th, a| {
        rename(th, a, "rename")
    }),
    function(
        "replace",
        "(src, dst, *, src_dir_fd=None, dst_dir_fd=None)",
        "Rename a file or folder, in place of what has the new name.",
        |th, a| rename(th, a, "replace"),
    ),
    function(
        "link",
        "(src, dst, *, src_dir_fd=None, dst_dir_fd=None, follow_symlinks=True)",
        "Make a hard link.",
        |th, a| {
            let (from, to) = two_paths(th, a, "link")?;
            let (from_dir, to_dir) = (dir_fd(th, a.opt(2))?, dir_fd(th, a.opt(3))?);
            let flags = if flag(th, a.opt(4), true)? && a.opt(4).is_some() { AT_SYMLINK_FOLLOW } else { 0 };
            audit(th, "os.link", &[from.object.clone(), to.object.clone(), shown_dir(from_dir), shown_dir(to_dir)])?;
            finish2(th, &from, &to, platform::link_at(from_dir, from.path(), to_dir, to.path(), flags))
        },
    ),
    function(
        "symlink",
        "(src, dst, target_is_directory=False, *, dir_fd=None)",
        "Make a symbolic link named dst that points to src.",
        |th, a| {
            let (from, to) = two_paths(th, a, "symlink")?;
            let dir = dir_fd(th, a.opt(3))?;
            audit(th, "os.symlink", &[from.object.clone(), to.object.clone(), shown_dir(dir)])?;
            finish2(th, &from, &to, platform::symlink_at(from.path(), dir, to.path()))
        },
    ),
];

/// A dir_fd as audit events show it.
pub(super) fn shown_dir(dir: i32) -> Value {
    Value::from(if dir == CWD { -1 } else { dir })
}
pub(super) fn finish(th: &mut Thread, p: &PathArg, done: Result<i32, i32>) -> PyResult<Value> {
    match done {
        Ok(_) => Ok(Value::NONE),
        Err(e) => Err(p.error(th, e)),
    }
}
fn finish2(th: &mut Thread, from: &PathArg, to: &PathArg, done: Result<i32, i32>) -> PyResult<Value> {
    match done {
        Ok(_) => Ok(Value::NONE),
        Err(e) => Err(from.error2(th, e, to)),
    }
}
fn two_paths(th: &mut Thread, a: &Args<'_>, function: &'static str) -> PyResult<(PathArg, PathArg)> {
    let from = path(th, a.opt(0), Accept::path(function).named("src"))?;
    let to = path(th, a.opt(1), Accept::path(function).named("dst"))?;
    Ok((from, to))
}
fn unlink(th: &mut Thread, a: &Args<'_>, name: &'static str) -> PyResult<Value> {
    let p = path(th, a.opt(0), Accept::path(name))?;
    let dir = dir_fd(th, a.opt(1))?;
    audit(th, "os.remove", &[p.object.clone(), shown_dir(dir)])?;
    finish(th, &p, platform::unlink_at(dir, p.path(), 0))
}
fn rename(th: &mut Thread, a: &Args<'_>, name: &'static str) -> PyResult<Value> {
    let (from, to) = two_paths(th, a, name)?;
    let (from_dir, to_dir) = (dir_fd(th, a.opt(2))?, dir_fd(th, a.opt(3))?);
    audit(th, "os.rename", &[from.object.clone(), to.object.clone(), shown_dir(from_dir), shown_dir(to_dir)])?;
    finish2(th, &from, &to, platform::rename_at(from_dir, from.path(), to_dir, to.path()))
}
/// Opens a folder; a descriptor is copied, as reading from it and closing it must not touch the caller's.
pub(super) fn open_dir(p: &PathArg) -> Result<Dir, i32> {
    match p.place {
        Place::Fd(fd) => {
            let mut dir = Dir::from_fd(krait_platform::fd::dup_inheritable(fd, false)?)?;
            dir.rewind();
            Ok(dir)
        }
        _ => Dir::open(p.path()),
    }
}
fn listdir(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let p = path(th, a.opt(0), Accept::path("listdir").or_fd().or_none())?;
    audit(th, "os.listdir", std::slice::from_ref(&p.object))?;
    let names = blocking(th, || {
        let mut dir = open_dir(&p)?;
        let mut names = Vec::new();
        while let Some(entry) = dir.next_entry()? {
            names.push(entry.name);
        }
        Ok(names)
    });
    match names {
        Ok(names) => Ok(List::new(names.iter().map(|n| p.name(n)).collect()).into()),
        Err(e) => Err(p.error(th, e)),
    }
}
