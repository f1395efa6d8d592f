//! `stat` and its kin, `statvfs`, `utime`.
use krait_object::native::function;
use krait_object::{Args, Method, PyResult, Thread, Tuple, Value};
use krait_platform::{fs, path as platform};
use krait_runtime::errors::{os_error, overflow_error, type_error, value_error};
use krait_runtime::protocol::number::{self, BinaryOp};
use krait_runtime::types::structseq::StructSeqDef;
use krait_runtime::world::retry;
use num_bigint::BigInt;

use crate::arguments::{Accept, PathArg, dir_fd, fildes, flag, path, show_id, sys};
use crate::structs;

pub(super) static STAT_RESULT: StructSeqDef = StructSeqDef {
    module: "os",
    name: "stat_result",
    doc: "Result of stat, fstat and lstat.\n\nAs a sequence: mode, ino, dev, nlink, uid, gid, size and three times in whole\nseconds; everything else is an attribute.",
    fields: &[
        ("st_mode", "protection bits"),
        ("st_ino", "inode"),
        ("st_dev", "device"),
        ("st_nlink", "number of hard links"),
        ("st_uid", "user ID of owner"),
        ("st_gid", "group ID of owner"),
        ("st_size", "total size, in bytes"),
        ("", "integer time of last access"),
        ("", "integer time of last modification"),
        ("", "integer time of last change"),
        ("st_atime", "time of last access"),
        ("st_mtime", "time of last modification"),
        ("st_ctime", "time of last change"),
        ("st_atime_ns", "time of last access in nanoseconds"),
        ("st_mtime_ns", "time of last modification in nanoseconds"),
        ("st_ctime_ns", "time of last change in nanoseconds"),
        ("st_blksize", "blocksize for filesystem I/O"),
        ("st_blocks", "number of blocks allocated"),
        ("st_rdev", "device type (if inode device)"),
    ],
    visible: 10,
    instantiable: true,
};
pub(super) static STATVFS_RESULT: StructSeqDef = StructSeqDef {
    module: "os",
    name: "statvfs_result",
    doc: "Result of statvfs and fstatvfs.",
    fields: &[
        ("f_bsize", ""),
        ("f_frsize", ""),
        ("f_blocks", ""),
        ("f_bfree", ""),
        ("f_bavail", ""),
        ("f_files", ""),
        ("f_ffree", ""),
        ("f_favail", ""),
        ("f_flag", ""),
        ("f_namemax", ""),
        ("f_fsid", ""),
    ],
    visible: 10,
    instantiable: true,
};

pub(super) static FUNCTIONS: &[Method] = &[
    function(
        "stat",
        "(path, *, dir_fd=None, follow_symlinks=True)",
        "Status of a file, given by path or descriptor.",
        |th, a| {
            let p = path(th, a.opt(0), Accept::path("stat").or_fd())?;
            let dir = dir_fd(th, a.opt(1))?;
            let follow = flag(th, a.opt(2), true)?;
            stat(th, "stat", &p, dir, follow)
        },
    ),
    function("lstat", "(path, *, dir_fd=None)", "Status of a file; of a symbolic link itself.", |th, a| {
        let p = path(th, a.opt(0), Accept::path("lstat"))?;
        let dir = dir_fd(th, a.opt(1))?;
        stat(th, "lstat", &p, dir, false)
    }),
    function("fstat", "(fd)", "Status of an open file.", |th, a| {
        let fd = number::to_i32(th, &a[0])?;
        let st = retry(th, || fs::fstat(fd))?;
        let st = sys(th, st)?;
        Ok(stat_value(th, &st))
    }),
    function("statvfs", "(path)", "Statistics of a file system.", |th, a| {
        let p = path(th, a.opt(0), Accept::path("statvfs").or_fd())?;
        match platform::statvfs(p.fd().map_or_else(|| Ok(p.path()), Err)) {
            Ok(s) => Ok(statvfs_value(th, &s)),
            Err(e) => Err(p.error(th, e)),
        }
    }),
    function("fstatvfs", "(fd, /)", "Statistics of the file system of an open file.", |th, a| {
        let fd = number::to_i32(th, &a[0])?;
        match platform::statvfs(Err(fd)) {
            Ok(s) => Ok(statvfs_value(th, &s)),
            Err(e) => Err(os_error(th, e, None)),
        }
    }),
    function(
        "utime",
        "(path, times=None, *, ns=<unrepresentable>, dir_fd=None, follow_symlinks=True)",
        "Set the access and modification times of a file.\n\nEither times, a tuple (access, modification) in seconds, or ns, in nanoseconds;\nwithout either, the times become the current time.",
        utime,
    ),
];

/// `stat_result` of what the platform tells.
pub fn stat_value(th: &Thread, st: &fs::Stat) -> Value {
    let times = [(st.st_atime, st.st_atime_nsec), (st.st_mtime, st.st_mtime_nsec), (st.st_ctime, st.st_ctime_nsec)];
    let mut fields = vec![
        Value::from(st.st_mode),
        Value::from(st.st_ino),
        Value::from(st.st_dev),
        Value::from(st.st_nlink),
        show_id(st.st_uid),
        show_id(st.st_gid),
        Value::int(st.st_size),
    ];
    fields.extend(times.iter().map(|t| Value::int(t.0)));
    fields.extend(times.iter().map(|t| Value::float(t.0 as f64 + 1e-9 * t.1 as f64)));
    fields.extend(times.iter().map(|t| match t.0.checked_mul(1_000_000_000).and_then(|n| n.checked_add(t.1)) {
        Some(n) => Value::int(n),
        None => Value::from(BigInt::from(t.0) * 1_000_000_000 + t.1),
    }));
    fields.extend([Value::int(st.st_blksize), Value::int(st.st_blocks), Value::from(st.st_rdev)]);
    structs::build(th, &STAT_RESULT, fields)
}
fn statvfs_value(th: &Thread, s: &[u64; 11]) -> Value {
    structs::build(th, &STATVFS_RESULT, s.iter().map(|&n| Value::from(n)).collect())
}

/// Refuses combinations of a descriptor with what only a path can have.
pub(super) fn check_fd(th: &mut Thread, function: &str, p: &PathArg, dir: i32, follow: bool) -> PyResult<()> {
    if p.fd().is_some() && dir != platform::CWD {
        return Err(value_error(th, format!("{function}: can't specify dir_fd without matching path")));
    }
    if p.fd().is_some() && !follow {
        return Err(value_error(th, format!("{function}: cannot use fd and follow_symlinks together")));
    }
    Ok(())
}
fn stat(th: &mut Thread, function: &str, p: &PathArg, dir: i32, follow: bool) -> PyResult<Value> {
    // `lstat` takes no descriptor, so that the check of the combination is for `stat` alone.
    check_fd(th, function, p, dir, follow)?;
    let got = match p.fd() {
        Some(fd) => fs::fstat(fd),
        None => fs::stat_at(dir, p.path(), follow),
    };
    match got {
        Ok(st) => Ok(stat_value(th, &st)),
        Err(e) => Err(p.error(th, e)),
    }
}

/// Seconds and nanoseconds of a time in seconds, rounded down (`_PyTime_ObjectToTimespec` with ROUND_FLOOR).
pub fn time_parts(th: &mut Thread, v: &Value) -> PyResult<(i64, i64)> {
    if let Some(f) = v.to_f64() {
        if f.is_nan() {
            return Err(value_error(th, "Invalid value NaN (not a number)"));
        }
        let whole = f.floor();
        let mut nanos = ((f - whole) * 1e9).floor() as i64;
        let mut seconds = whole;
        if nanos >= 1_000_000_000 {
            nanos -= 1_000_000_000;
            seconds += 1.0;
        }
        if !(-9.223_372_036_854_776e18..9.223_372_036_854_776e18).contains(&seconds) {
            return Err(overflow_error(th, "timestamp out of range for platform time_t"));
        }
        return Ok((seconds as i64, nanos));
    }
    let n = number::index(th, v)?;
    match n.as_int_ref().and_then(|n| n.to_i64()) {
        Some(n) => Ok((n, 0)),
        None => Err(overflow_error(th, "timestamp out of range for platform time_t")),
    }
}
fn nanoseconds_parts(th: &mut Thread, v: &Value) -> PyResult<(i64, i64)> {
    let parts = number::binary(th, BinaryOp::Divmod, v, &Value::int(1_000_000_000))?;
    let Some([seconds, nanos]) =
        parts.downcast_ref::<Tuple>().map(|t| t.as_slice()).and_then(|t| <&[Value; 2]>::try_from(t).ok())
    else {
        let (class, got) = (v.class().name(), parts.class().name());
        let message = format!("{class}.__divmod__() must return a 2-tuple, not {got}");
        return Err(type_error(th, message));
    };
    let s = number::index(th, seconds)?;
    let Some(s) = s.as_int_ref().and_then(|s| s.to_i64()) else {
        return Err(overflow_error(th, "timestamp out of range for platform time_t"));
    };
    Ok((s, number::to_i64(th, nanos)?))
}
fn utime(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let p = path(th, a.opt(0), Accept::path("utime").or_fd())?;
    let (times, ns) = (a.opt_not_none(1), a.opt(2));
    let dir = dir_fd(th, a.opt(3))?;
    let follow = flag(th, a.opt(4), true)?;
    if times.is_some() && ns.is_some() {
        return Err(value_error(th, "utime: you may specify either 'times' or 'ns' but not both"));
    }
    let pair = |v: &Value| v.downcast_ref::<Tuple>().and_then(|t| <[Value; 2]>::try_from(t.to_vec()).ok());
    let wanted = match (times, ns) {
        (Some(t), _) => {
            let Some([access, change]) = pair(t) else {
                return Err(type_error(th, "utime: 'times' must be either a tuple of two ints or None"));
            };
            Some([time_parts(th, &access)?, time_parts(th, &change)?])
        }
        (None, Some(n)) => {
            let Some([access, change]) = pair(n) else {
                return Err(type_error(th, "utime: 'ns' must be a tuple of two ints"));
            };
            Some([nanoseconds_parts(th, &access)?, nanoseconds_parts(th, &change)?])
        }
        (None, None) => None,
    };
    check_fd(th, "utime", &p, dir, follow)?;
    let flags = if follow { 0 } else { platform::AT_SYMLINK_NOFOLLOW };
    let done = match p.fd() {
        Some(fd) => platform::futime(fd, wanted),
        None => platform::utime_at(dir, p.path(), wanted, flags),
    };
    match done {
        Ok(_) => Ok(Value::NONE),
        Err(e) => Err(p.error(th, e)),
    }
}
/// A `fildes` argument of a function that only passes it on.
pub(super) fn on_fildes(th: &mut Thread, v: &Value, call: impl Fn(i32) -> Result<i32, i32>) -> PyResult<Value> {
    let fd = fildes(th, v)?;
    let done = retry(th, || call(fd))?;
    sys(th, done)?;
    Ok(Value::NONE)
}
