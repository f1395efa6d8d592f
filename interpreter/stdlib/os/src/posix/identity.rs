//! Process, user and group numbers.
use krait_object::native::function;
use krait_object::{Args, List, Method, PyResult, Thread, Tuple, Value};
use krait_platform::process::{self, *};
use krait_platform::signal;
use krait_runtime::audit::audit;
use krait_runtime::errors::{type_error, value_error};
use krait_runtime::protocol::{number, sequence};
use krait_runtime::signals;

use crate::arguments::{fs_string, show_id, sys, user_id};

/// Functions without arguments.
macro_rules! plain {
    ($name:literal, $doc:literal, $f:expr) => {
        function($name, "()", $doc, |_, _| Ok($f.into()))
    };
}
fn done<T>(th: &mut Thread, result: Result<T, i32>) -> PyResult<Value> {
    sys(th, result)?;
    Ok(Value::NONE)
}
pub(super) static FUNCTIONS: &[Method] = &[
    plain!("getpid", "This process's number.", getpid()),
    plain!("getppid", "The number of the process that started this one.", getppid()),
    plain!("getpgrp", "The number of this process's group.", getpgrp()),
    plain!("getuid", "The real user number.", show_id(getuid())),
    plain!("geteuid", "The effective user number.", show_id(geteuid())),
    plain!("getgid", "The real group number.", show_id(getgid())),
    plain!("getegid", "The effective group number.", show_id(getegid())),
    function("getresuid", "()", "Real, effective and saved user number.", |th, _| {
        let (r, e, s) = sys(th, process::getresuid())?;
        Ok(Tuple::from_vec(vec![show_id(r), show_id(e), show_id(s)]).into())
    }),
    function("getresgid", "()", "Real, effective and saved group number.", |th, _| {
        let (r, e, s) = sys(th, process::getresgid())?;
        Ok(Tuple::from_vec(vec![show_id(r), show_id(e), show_id(s)]).into())
    }),
    function("setuid", "(uid, /)", "Set the user number.", |th, a| one(th, a, "uid", setuid)),
    function("setgid", "(gid, /)", "Set the group number.", |th, a| one(th, a, "gid", setgid)),
    function("seteuid", "(euid, /)", "Set the effective user number.", |th, a| one(th, a, "uid", seteuid)),
    function("setegid", "(egid, /)", "Set the effective group number.", |th, a| one(th, a, "gid", setegid)),
    function("setreuid", "(ruid, euid, /)", "Set the real and effective user number.", |th, a| {
        let (r, e) = (user_id(th, &a[0], "uid")?, user_id(th, &a[1], "uid")?);
        done(th, setreuid(r, e))
    }),
    function("setregid", "(rgid, egid, /)", "Set the real and effective group number.", |th, a| {
        let (r, e) = (user_id(th, &a[0], "gid")?, user_id(th, &a[1], "gid")?);
        done(th, setregid(r, e))
    }),
    function("setresuid", "(ruid, euid, suid, /)", "Set the real, effective and saved user number.", |th, a| {
        let (r, e, s) = (user_id(th, &a[0], "uid")?, user_id(th, &a[1], "uid")?, user_id(th, &a[2], "uid")?);
        done(th, setresuid(r, e, s))
    }),
    function("setresgid", "(rgid, egid, sgid, /)", "Set the real, effective and saved group number.", |th, a| {
        let (r, e, s) = (user_id(th, &a[0], "gid")?, user_id(th, &a[1], "gid")?, user_id(th, &a[2], "gid")?);
        done(th, setresgid(r, e, s))
    }),
    function("getgroups", "()", "List of the supplementary groups.", |th, _| {
        let groups = sys(th, process::getgroups())?;
        Ok(List::new(groups.into_iter().map(show_id).collect()).into())
    }),
    function("setgroups", "(groups, /)", "Set the supplementary groups.", |th, a| {
        if !sequence::is_sequence(&a[0]) {
            return Err(type_error(th, "setgroups argument must be a sequence"));
        }
        let items = sequence::to_items(th, &a[0], "")?;
        if items.len() > 65536 {
            return Err(value_error(th, "too many groups"));
        }
        let mut groups = Vec::new();
        for item in items {
            if item.as_int_ref().is_none() {
                return Err(type_error(th, "groups must be integers"));
            }
            groups.push(user_id(th, &item, "gid")?);
        }
        done(th, process::setgroups(&groups))
    }),
    function("getgrouplist", "(user, group, /)", "List of the groups of a user, with that group.", |th, a| {
        let user = fs_string(th, &a[0])?;
        let group = user_id(th, &a[1], "gid")?;
        let groups = sys(th, process::getgrouplist(&user, group))?;
        Ok(List::new(groups.into_iter().map(show_id).collect()).into())
    }),
    function(
        "initgroups",
        "(username, gid, /)",
        "Set the supplementary groups to those of a user, with that group.",
        |th, a| {
            let user = fs_string(th, &a[0])?;
            let group = user_id(th, &a[1], "gid")?;
            done(th, initgroups(&user, group))
        },
    ),
    function("getsid", "(pid, /)", "The session of a process.", |th, a| {
        let pid = number::to_i32(th, &a[0])?;
        let sid = sys(th, getsid(pid))?;
        Ok(sid.into())
    }),
    function("setsid", "()", "Start a session.", |th, _| done(th, setsid())),
    function("getpgid", "(pid)", "The group of a process.", |th, a| {
        let pid = number::to_i32(th, &a[0])?;
        let group = sys(th, getpgid(pid))?;
        Ok(group.into())
    }),
    function("setpgid", "(pid, pgrp, /)", "Set the group of a process.", |th, a| {
        let (pid, group) = (number::to_i32(th, &a[0])?, number::to_i32(th, &a[1])?);
        done(th, setpgid(pid, group))
    }),
    function("setpgrp", "()", "Make this process the leader of a group.", |th, _| done(th, setpgid(0, 0))),
    function("kill", "(pid, signal, /)", "Send a signal to a process.", |th, a| {
        let (pid, number) = (number::to_i32(th, &a[0])?, number::to_i32(th, &a[1])?);
        audit(th, "os.kill", &[pid.into(), number.into()])?;
        sys(th, signal::kill(pid, number))?;
        signals::run_pending(th)?;
        Ok(Value::NONE)
    }),
    function("killpg", "(pgid, signal, /)", "Send a signal to a process group.", |th, a| {
        let (pid, number) = (number::to_i32(th, &a[0])?, number::to_i32(th, &a[1])?);
        audit(th, "os.killpg", &[pid.into(), number.into()])?;
        sys(th, signal::killpg(pid, number))?;
        signals::run_pending(th)?;
        Ok(Value::NONE)
    }),
    function("nice", "(increment, /)", "Lower this process's priority; the new one.", |th, a| {
        let n = number::to_i32(th, &a[0])?;
        let n = sys(th, process::nice(n))?;
        Ok(n.into())
    }),
    function("getpriority", "(which, who)", "The priority of a process, group or user.", |th, a| {
        let (which, who) = (number::to_i32(th, &a[0])?, number::to_i32(th, &a[1])?);
        let n = sys(th, process::getpriority(which as u32, who as u32))?;
        Ok(n.into())
    }),
    function("setpriority", "(which, who, priority)", "Set the priority of a process, group or user.", |th, a| {
        let (which, who) = (number::to_i32(th, &a[0])?, number::to_i32(th, &a[1])?);
        let n = number::to_i32(th, &a[2])?;
        done(th, setpriority(which as u32, who as u32, n))
    }),
];
fn one(th: &mut Thread, a: &Args<'_>, what: &str, set: fn(u32) -> Result<i32, i32>) -> PyResult<Value> {
    let id = user_id(th, &a[0], what)?;
    done(th, set(id))
}
