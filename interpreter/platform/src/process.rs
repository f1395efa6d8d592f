//! Processes: identity, fork and exec, waiting, scheduling, limits, system information.
use std::ffi::{CStr, CString, c_char};

use crate::call::{Sys, calls, check};

pub mod spawn;

calls! {
    fn setuid(uid: u32) -> i32 = libc::setuid;
    fn setgid(gid: u32) -> i32 = libc::setgid;
    fn seteuid(uid: u32) -> i32 = libc::seteuid;
    fn setegid(gid: u32) -> i32 = libc::setegid;
    fn setreuid(uid: u32, effective: u32) -> i32 = libc::setreuid;
    fn setregid(gid: u32, effective: u32) -> i32 = libc::setregid;
    fn setresuid(uid: u32, effective: u32, saved: u32) -> i32 = libc::setresuid;
    fn setresgid(gid: u32, effective: u32, saved: u32) -> i32 = libc::setresgid;
    fn setsid() -> i32 = libc::setsid;
    fn getsid(pid: i32) -> i32 = libc::getsid;
    fn getpgid(pid: i32) -> i32 = libc::getpgid;
    fn setpgid(pid: i32, group: i32) -> i32 = libc::setpgid;
    fn initgroups(user: &CStr, group: u32) -> i32 = libc::initgroups;
    fn sched_yield() -> i32 = libc::sched_yield;
    fn sched_getscheduler(pid: i32) -> i32 = libc::sched_getscheduler;
    fn sched_get_priority_max(policy: i32) -> i32 = libc::sched_get_priority_max;
    fn sched_get_priority_min(policy: i32) -> i32 = libc::sched_get_priority_min;
    fn setpriority(which: u32, who: u32, priority: i32) -> i32 = libc::setpriority;
    fn unshare(flags: i32) -> i32 = libc::unshare;
}

macro_rules! identities {
    ($($name:ident -> $t:ty;)*) => { $(pub fn $name() -> $t {
        // SAFETY: no arguments.
        unsafe { libc::$name() }
    })* };
}
identities! {
    getpid -> i32;
    getppid -> i32;
    getpgrp -> i32;
    getuid -> u32;
    geteuid -> u32;
    getgid -> u32;
    getegid -> u32;
}
pub fn umask(mask: u32) -> u32 {
    // SAFETY: a number only.
    unsafe { libc::umask(mask) }
}
pub fn sync() {
    // SAFETY: no arguments.
    unsafe { libc::sync() }
}
/// Ends the process at once, without any clean-up.
pub fn exit_now(status: i32) -> ! {
    // SAFETY: never returns.
    unsafe { libc::_exit(status) }
}
pub fn abort() -> ! {
    std::process::abort()
}
/// Real, effective and saved.
pub fn getresuid() -> Sys<(u32, u32, u32)> {
    let (mut r, mut e, mut s) = (0, 0, 0);
    // SAFETY: room for the results.
    check(unsafe { libc::getresuid(&mut r, &mut e, &mut s) })?;
    Ok((r, e, s))
}
/// Real, effective and saved.
pub fn getresgid() -> Sys<(u32, u32, u32)> {
    let (mut r, mut e, mut s) = (0, 0, 0);
    // SAFETY: room for the results.
    check(unsafe { libc::getresgid(&mut r, &mut e, &mut s) })?;
    Ok((r, e, s))
}
pub fn getgroups() -> Sys<Vec<u32>> {
    // SAFETY: zero entries only ask for the number.
    let n = check(unsafe { libc::getgroups(0, std::ptr::null_mut()) })?;
    let mut groups = vec![0; n as usize];
    // SAFETY: room for `n` entries.
    let n = check(unsafe { libc::getgroups(n, groups.as_mut_ptr()) })?;
    groups.truncate(n as usize);
    Ok(groups)
}
pub fn setgroups(groups: &[u32]) -> Sys<()> {
    // SAFETY: the list is readable for its length.
    check(unsafe { libc::setgroups(groups.len(), groups.as_ptr()) })?;
    Ok(())
}
pub fn getgrouplist(user: &CStr, group: u32) -> Sys<Vec<u32>> {
    let mut n = 64;
    loop {
        let (mut groups, room) = (vec![0; n as usize], n);
        // SAFETY: room for `n` entries.
        if unsafe { libc::getgrouplist(user.as_ptr(), group, groups.as_mut_ptr(), &mut n) } != -1 {
            groups.truncate(n as usize);
            return Ok(groups);
        }
        if n <= room {
            return Err(libc::ENOMEM);
        }
    }
}
pub fn getlogin() -> Sys<Vec<u8>> {
    unsafe extern "C" {
        fn getlogin_r(name: *mut c_char, len: usize) -> i32;
    }
    let mut name = [0u8; 256];
    // SAFETY: the buffer is writable for its length.
    match unsafe { getlogin_r(name.as_mut_ptr().cast(), name.len()) } {
        0 => Ok(name.split(|&b| b == 0).next().unwrap_or_default().to_vec()),
        e => Err(e),
    }
}
fn clear_errno() {
    // SAFETY: the thread's own errno.
    unsafe { *libc::__errno_location() = 0 };
}
pub fn getpriority(which: u32, who: u32) -> Sys<i32> {
    clear_errno();
    // SAFETY: numbers only.
    match (unsafe { libc::getpriority(which, who) }, crate::errno::last()) {
        (-1, e) if e != 0 => Err(e),
        (n, _) => Ok(n),
    }
}
pub fn nice(increment: i32) -> Sys<i32> {
    clear_errno();
    // SAFETY: a number only.
    match (unsafe { libc::nice(increment) }, crate::errno::last()) {
        (-1, e) if e != 0 => Err(e),
        (n, _) => Ok(n),
    }
}
/// Splits the process in two: 0 in the child. The child has only the calling thread.
pub fn fork() -> Sys<i32> {
    // SAFETY: the caller stops the interpreter's other threads first and resets its locks in the child.
    check(unsafe { libc::fork() })
}
/// As `fork`, on a new pseudo-terminal: process and master descriptor.
pub fn forkpty() -> Sys<(i32, i32)> {
    let mut master = 0;
    let none = std::ptr::null_mut();
    // SAFETY: as `fork`; room for the descriptor.
    let pid = check(unsafe { libc::forkpty(&mut master, none, std::ptr::null_mut(), std::ptr::null_mut()) })?;
    Ok((pid, master))
}
/// Strings as C's null-terminated array.
pub(crate) fn string_array(strings: &[CString]) -> Vec<*const c_char> {
    strings.iter().map(|s| s.as_ptr()).chain([std::ptr::null()]).collect()
}
/// Which program `exec` runs.
pub enum Program<'a> {
    Path(&'a CStr),
    Fd(i32),
}
/// Replaces the program; returns only with an error number.
pub fn exec(program: &Program<'_>, arguments: &[CString], environment: Option<&[CString]>) -> i32 {
    let argv = string_array(arguments);
    let env = environment.map(string_array);
    // SAFETY: NUL-terminated strings in null-terminated arrays, all alive during the call.
    unsafe {
        match (program, &env) {
            (Program::Path(path), None) => libc::execv(path.as_ptr(), argv.as_ptr()),
            (Program::Path(path), Some(env)) => libc::execve(path.as_ptr(), argv.as_ptr(), env.as_ptr()),
            (Program::Fd(fd), Some(env)) => libc::fexecve(*fd, argv.as_ptr(), env.as_ptr()),
            (Program::Fd(fd), None) => {
                let own = crate::path::environment();
                let own: Vec<CString> = own.into_iter().filter_map(|s| CString::new(s).ok()).collect();
                libc::fexecve(*fd, argv.as_ptr(), string_array(&own).as_ptr())
            }
        }
    };
    crate::errno::last()
}
/// Resources used, in CPython's order: utime, stime (seconds), maxrss, ixrss, idrss, isrss, minflt, majflt, nswap,
/// inblock, oublock, msgsnd, msgrcv, nsignals, nvcsw, nivcsw.
#[derive(Clone, Copy, Debug, Default)]
pub struct Usage {
    pub times: [f64; 2],
    pub counts: [i64; 14],
}
fn usage_of(u: &libc::rusage) -> Usage {
    let seconds = |t: &libc::timeval| t.tv_sec as f64 + t.tv_usec as f64 * 1e-6;
    Usage {
        times: [seconds(&u.ru_utime), seconds(&u.ru_stime)],
        counts: [
            u.ru_maxrss,
            u.ru_ixrss,
            u.ru_idrss,
            u.ru_isrss,
            u.ru_minflt,
            u.ru_majflt,
            u.ru_nswap,
            u.ru_inblock,
            u.ru_oublock,
            u.ru_msgsnd,
            u.ru_msgrcv,
            u.ru_nsignals,
            u.ru_nvcsw,
            u.ru_nivcsw,
        ],
    }
}
fn zero_usage() -> libc::rusage {
    // SAFETY: a structure of integers.
    unsafe { std::mem::zeroed() }
}
pub fn getrusage(who: i32) -> Sys<Usage> {
    let mut u = zero_usage();
    // SAFETY: room for the result.
    check(unsafe { libc::getrusage(who, &mut u) })?;
    Ok(usage_of(&u))
}
/// Process (0 = none yet) and status.
pub fn waitpid(pid: i32, options: i32) -> Sys<(i32, i32)> {
    let mut status = 0;
    // SAFETY: room for the status.
    let pid = check(unsafe { libc::waitpid(pid, &mut status, options) })?;
    Ok((pid, status))
}
pub fn wait4(pid: i32, options: i32) -> Sys<(i32, i32, Usage)> {
    let (mut status, mut u) = (0, zero_usage());
    // SAFETY: room for the results.
    let pid = check(unsafe { libc::wait4(pid, &mut status, options, &mut u) })?;
    Ok((pid, status, usage_of(&u)))
}
/// pid, uid, signo, status, code; `None` where no child was ready.
pub fn waitid(kind: u32, id: u32, options: i32) -> Sys<Option<(i32, u32, i32, i32, i32)>> {
    // SAFETY: zero bytes are valid; room for the result; the union's integers are all initialised.
    unsafe {
        let mut i: libc::siginfo_t = std::mem::zeroed();
        check(libc::waitid(kind, id, &mut i, options))?;
        Ok(if i.si_pid() == 0 { None } else { Some((i.si_pid(), i.si_uid(), i.si_signo, i.si_status(), i.si_code)) })
    }
}
/// Whether, and with what, a status says that the child ended or stopped.
pub mod status {
    pub fn core_dumped(s: i32) -> bool {
        libc::WCOREDUMP(s)
    }
    pub fn continued(s: i32) -> bool {
        libc::WIFCONTINUED(s)
    }
    pub fn stopped(s: i32) -> bool {
        libc::WIFSTOPPED(s)
    }
    pub fn signaled(s: i32) -> bool {
        libc::WIFSIGNALED(s)
    }
    pub fn exited(s: i32) -> bool {
        libc::WIFEXITED(s)
    }
    pub fn exit_code(s: i32) -> i32 {
        libc::WEXITSTATUS(s)
    }
    pub fn term_signal(s: i32) -> i32 {
        libc::WTERMSIG(s)
    }
    pub fn stop_signal(s: i32) -> i32 {
        libc::WSTOPSIG(s)
    }
}
/// The C library's `system`.
pub fn system(command: &CStr) -> i32 {
    // SAFETY: NUL-terminated.
    unsafe { libc::system(command.as_ptr()) }
}
/// sysname, nodename, release, version, machine.
pub fn uname() -> Sys<[Vec<u8>; 5]> {
    // SAFETY: arrays of bytes.
    let mut u: libc::utsname = unsafe { std::mem::zeroed() };
    // SAFETY: room for the result.
    check(unsafe { libc::uname(&mut u) })?;
    let text = |a: &[c_char]| a.iter().take_while(|&&c| c != 0).map(|&c| c as u8).collect::<Vec<u8>>();
    Ok([text(&u.sysname), text(&u.nodename), text(&u.release), text(&u.version), text(&u.machine)])
}
/// user, system, children's user and system, elapsed: clock ticks.
pub fn times() -> Sys<[i64; 5]> {
    let mut t = libc::tms { tms_utime: 0, tms_stime: 0, tms_cutime: 0, tms_cstime: 0 };
    // SAFETY: room for the result.
    let elapsed = check(unsafe { libc::times(&mut t) })?;
    Ok([t.tms_utime, t.tms_stime, t.tms_cutime, t.tms_cstime, elapsed])
}
/// `None` = indeterminate or unlimited (-1 without an error).
pub fn sysconf(name: i32) -> Sys<i64> {
    clear_errno();
    // SAFETY: a number only.
    match (unsafe { libc::sysconf(name) }, crate::errno::last()) {
        (-1, e) if e != 0 => Err(e),
        (n, _) => Ok(n),
    }
}
pub fn confstr(name: i32) -> Sys<Option<Vec<u8>>> {
    clear_errno();
    // SAFETY: no buffer: only the length is asked for.
    let n = unsafe { libc::confstr(name, std::ptr::null_mut(), 0) };
    if n == 0 {
        return match crate::errno::last() {
            0 => Ok(None),
            e => Err(e),
        };
    }
    let mut out = vec![0u8; n];
    // SAFETY: the buffer is writable for its length.
    unsafe { libc::confstr(name, out.as_mut_ptr().cast(), n) };
    out.truncate(n - 1);
    Ok(Some(out))
}
pub fn getloadavg() -> Option<[f64; 3]> {
    let mut load = [0f64; 3];
    // SAFETY: room for three numbers.
    if unsafe { libc::getloadavg(load.as_mut_ptr(), 3) } == 3 { Some(load) } else { None }
}
pub fn getrandom(buffer: &mut [u8], flags: u32) -> Sys<usize> {
    // SAFETY: the buffer is writable for its length.
    check(unsafe { libc::getrandom(buffer.as_mut_ptr().cast(), buffer.len(), flags) }).map(|n| n as usize)
}
/// The processors that a process may run on.
pub fn affinity(pid: i32) -> Sys<Vec<usize>> {
    let mut set = [0u64; 128];
    // SAFETY: room for the set.
    check(unsafe { libc::sched_getaffinity(pid, size_of_val(&set), set.as_mut_ptr().cast()) })?;
    Ok((0..set.len() * 64).filter(|&i| set[i / 64] >> (i % 64) & 1 == 1).collect())
}
pub fn set_affinity(pid: i32, processors: &[usize]) -> Sys<()> {
    let mut set = [0u64; 128];
    for &p in processors {
        *set.get_mut(p / 64).ok_or(libc::EINVAL)? |= 1 << (p % 64);
    }
    // SAFETY: the set is readable for its length.
    check(unsafe { libc::sched_setaffinity(pid, size_of_val(&set), set.as_ptr().cast()) })?;
    Ok(())
}
pub fn sched_priority(pid: i32) -> Sys<i32> {
    let mut p = libc::sched_param { sched_priority: 0 };
    // SAFETY: room for the result.
    check(unsafe { libc::sched_getparam(pid, &mut p) })?;
    Ok(p.sched_priority)
}
/// `sched_setparam`; with a policy `sched_setscheduler`.
pub fn set_sched(pid: i32, policy: Option<i32>, priority: i32) -> Sys<()> {
    let p = libc::sched_param { sched_priority: priority };
    // SAFETY: the structure lives during the call.
    check(unsafe {
        match policy {
            None => libc::sched_setparam(pid, &p),
            Some(policy) => libc::sched_setscheduler(pid, policy, &p),
        }
    })?;
    Ok(())
}
/// Nanoseconds.
pub fn sched_rr_interval(pid: i32) -> Sys<i64> {
    let mut t = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: room for the result.
    check(unsafe { libc::sched_rr_get_interval(pid, &mut t) })?;
    Ok(t.tv_sec * 1_000_000_000 + t.tv_nsec)
}
pub fn pidfd_open(pid: i32, flags: u32) -> Sys<i32> {
    // SAFETY: numbers only.
    check(unsafe { libc::syscall(libc::SYS_pidfd_open, pid, flags) }).map(|fd| fd as i32)
}
/// Soft and hard limit of a resource; `new` is set if given.
pub fn limits(pid: i32, resource: u32, new: Option<(u64, u64)>) -> Sys<(u64, u64)> {
    let mut old = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    let new = new.map(|(rlim_cur, rlim_max)| libc::rlimit { rlim_cur, rlim_max });
    let new = new.as_ref().map_or(std::ptr::null(), std::ptr::from_ref);
    // SAFETY: both structures live during the call, or are null.
    check(unsafe { libc::prlimit(pid, resource, new, &mut old) })?;
    Ok((old.rlim_cur, old.rlim_max))
}
pub fn hostname() -> Sys<Vec<u8>> {
    let mut name = [0u8; 1024];
    // SAFETY: the buffer is writable for its length.
    check(unsafe { libc::gethostname(name.as_mut_ptr().cast(), name.len()) })?;
    Ok(name.split(|&b| b == 0).next().unwrap_or_default().to_vec())
}
pub fn set_hostname(name: &[u8]) -> Sys<i32> {
    // SAFETY: the name is readable for its length.
    check(unsafe { libc::sethostname(name.as_ptr().cast(), name.len()) })
}
/// A timer descriptor's time left and interval, nanoseconds.
pub fn timerfd_gettime(fd: i32) -> Sys<(i64, i64)> {
    // SAFETY: integers; room for the result.
    let t = unsafe {
        let mut t: libc::itimerspec = std::mem::zeroed();
        check(libc::timerfd_gettime(fd, &mut t))?;
        t
    };
    let ns = |t: &libc::timespec| t.tv_sec * 1_000_000_000 + t.tv_nsec;
    Ok((ns(&t.it_value), ns(&t.it_interval)))
}
pub fn timerfd_settime(fd: i32, flags: i32, initial: i64, interval: i64) -> Sys<(i64, i64)> {
    let spec = |ns: i64| libc::timespec { tv_sec: ns.div_euclid(1_000_000_000), tv_nsec: ns.rem_euclid(1_000_000_000) };
    let new = libc::itimerspec { it_interval: spec(interval), it_value: spec(initial) };
    // SAFETY: both structures live during the call.
    let t = unsafe {
        let mut t: libc::itimerspec = std::mem::zeroed();
        check(libc::timerfd_settime(fd, flags, &new, &mut t))?;
        t
    };
    let ns = |t: &libc::timespec| t.tv_sec * 1_000_000_000 + t.tv_nsec;
    Ok((ns(&t.it_value), ns(&t.it_interval)))
}
pub fn timerfd_create(clock: i32, flags: i32) -> Sys<i32> {
    // SAFETY: numbers only.
    check(unsafe { libc::timerfd_create(clock, flags) })
}
