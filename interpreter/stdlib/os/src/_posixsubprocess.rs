//! `_posixsubprocess`: fork and exec for `subprocess`, without Python code in the child but for `preexec_fn`.
use std::ffi::CString;

use krait_object::native::function;
use krait_object::{Args, List, Method, ModuleDef, PyResult, Thread, Tuple, Value};
use krait_platform::process::spawn::{Child, fork_exec as platform_fork_exec};
use krait_runtime::audit::audit;
use krait_runtime::errors::{self, os_error, raise, runtime_error, type_error, value_error};
use krait_runtime::protocol::{call, compare, number, sequence};
use krait_runtime::start::Finalizing;
use krait_runtime::world;

use crate::arguments::{fs_string, user_id};
use crate::posix::at_fork;

pub static MODULE: ModuleDef = ModuleDef {
    doc: "A POSIX helper for the subprocess module.",
    functions: FUNCTIONS,
    ..ModuleDef::new("_posixsubprocess")
};
static FUNCTIONS: &[Method] = &[function(
    "fork_exec",
    "(args, executable_list, close_fds, pass_fds, cwd, env, p2cread, p2cwrite, c2pread, c2pwrite, errread, errwrite, errpipe_read, errpipe_write, restore_signals, call_setsid, pgid_to_set, gid, extra_groups, uid, child_umask, preexec_fn, allow_vfork, /)",
    "Start a program in a new process; its number.\n\nThe child reports what goes wrong before the program runs through errpipe_write.",
    fork_exec,
)];

/// Descriptors that stay open: a sorted tuple.
fn kept(th: &mut Thread, v: &Value) -> PyResult<Vec<i32>> {
    let wrong = "bad value(s) in fds_to_keep";
    let Some(items) = v.downcast_ref::<Tuple>().map(|t| t.to_vec()) else {
        let class = v.class().name();
        return Err(type_error(th, format!("fork_exec() argument 4 must be tuple, not {class}")));
    };
    let mut out: Vec<i32> = Vec::new();
    for item in items {
        let fd = item.as_int_ref().and_then(|n| n.to_i64()).and_then(|n| i32::try_from(n).ok());
        match fd {
            Some(fd) if fd >= 0 && out.last().is_none_or(|&last| last < fd) => out.push(fd),
            _ => return Err(value_error(th, wrong)),
        }
    }
    Ok(out)
}
fn strings(th: &mut Thread, v: &Value) -> PyResult<Vec<CString>> {
    let mut out = Vec::new();
    for item in sequence::to_items(th, v, "argv must be a tuple")? {
        out.push(fs_string(th, &item)?);
    }
    Ok(out)
}
/// Environment entries and program names come as bytes.
fn byte_strings(th: &mut Thread, v: &Value, message: &str) -> PyResult<Vec<CString>> {
    let mut out = Vec::new();
    for item in sequence::to_items(th, v, message)? {
        let Some(b) = item.downcast_ref::<krait_object::Bytes>().map(|b| b.to_vec()) else {
            let class = item.class().name();
            return Err(type_error(th, format!("expected bytes, {class} found")));
        };
        out.push(CString::new(b).map_err(|_| value_error(th, "embedded null byte"))?);
    }
    Ok(out)
}
fn groups(th: &mut Thread, v: &Value) -> PyResult<Option<Vec<u32>>> {
    if v.is_none() {
        return Ok(None);
    }
    let Some(items) = v.downcast_ref::<List>().map(|l| l.to_vec()) else {
        return Err(type_error(th, "setgroups argument must be a sequence"));
    };
    if items.len() > 65536 {
        return Err(value_error(th, "too many extra_groups"));
    }
    let mut out = Vec::new();
    for item in items {
        if item.as_int_ref().is_none() {
            return Err(type_error(th, "extra_groups must be integers"));
        }
        match user_id(th, &item, "gid") {
            Ok(id) => out.push(id),
            Err(raised) => {
                errors::catch(th, raised, &krait_runtime::exceptions::OVERFLOW_ERROR)?;
                return Err(value_error(th, "invalid group id"));
            }
        }
    }
    Ok(Some(out))
}
fn child(th: &mut Thread, a: &Args<'_>) -> PyResult<Child> {
    let int = |th: &mut Thread, i: usize| number::to_i32(th, &a[i]);
    let flag = |th: &mut Thread, i: usize| compare::truth(th, &a[i]);
    let close_fds = flag(th, 2)?;
    let keep = kept(th, &a[3])?;
    let errpipe_write = int(th, 13)?;
    if close_fds && errpipe_write < 3 {
        return Err(value_error(th, "errpipe_write must be >= 3"));
    }
    let group = match int(th, 16)? {
        -1 => None,
        g => Some(g),
    };
    let id = |th: &mut Thread, i: usize, what: &str| -> PyResult<Option<u32>> {
        if a[i].is_none() {
            return Ok(None);
        }
        user_id(th, &a[i], what).map(Some)
    };
    let umask = match int(th, 20)? {
        m if m < 0 => None,
        m => Some(m as u32),
    };
    Ok(Child {
        executables: byte_strings(th, &a[1], "executable_list must be a tuple")?,
        arguments: strings(th, &a[0])?,
        environment: if a[5].is_none() { None } else { Some(byte_strings(th, &a[5], "env must be a sequence")?) },
        cwd: if a[4].is_none() { None } else { Some(fs_string(th, &a[4])?) },
        keep,
        close_fds,
        p2cread: int(th, 6)?,
        p2cwrite: int(th, 7)?,
        c2pread: int(th, 8)?,
        c2pwrite: int(th, 9)?,
        errread: int(th, 10)?,
        errwrite: int(th, 11)?,
        errpipe_read: int(th, 12)?,
        errpipe_write,
        restore_signals: flag(th, 14)?,
        new_session: flag(th, 15)?,
        group,
        gid: id(th, 17, "gid")?,
        groups: groups(th, &a[18])?,
        uid: id(th, 19, "uid")?,
        umask,
    })
}
fn fork_exec(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let before_exec = a.opt_not_none(21).cloned();
    if before_exec.is_some() && th.interp.extension::<Finalizing>().get() {
        let class = &krait_runtime::exceptions::PYTHON_FINALIZATION_ERROR;
        return Err(raise(th, class, "preexec_fn not supported at interpreter shutdown"));
    }
    if before_exec.is_some() && !krait_runtime::interpreters::current(th).is_main() {
        return Err(runtime_error(th, "preexec_fn not supported within subinterpreters"));
    }
    let child = child(th, a)?;
    audit(th, "os.fork_exec", &[])?;
    let Some(f) = before_exec else {
        return match platform_fork_exec(&child, None) {
            Ok(pid) => Ok(pid.into()),
            Err(e) => Err(os_error(th, e, None)),
        };
    };
    at_fork::before(th);
    let result = world::fork_with_child(th, |th, in_child| {
        let mut callback = || {
            in_child(th);
            at_fork::after(th, true).is_ok() && call::call(th, &f, &[]).is_ok()
        };
        platform_fork_exec(&child, Some(&mut callback))
    });
    at_fork::after(th, false)?;
    match result {
        Ok(pid) => Ok(pid.into()),
        Err(e) => Err(os_error(th, e, None)),
    }
}
