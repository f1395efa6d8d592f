//! Starting programs: `posix_spawn`, and the fork-and-exec of `subprocess`, whose child never allocates.
use std::ffi::{CStr, CString, c_char};

use super::string_array;
use crate::call::{Sys, check};

/// One step of a `posix_spawn` child.
pub enum FileAction {
    Open { fd: i32, path: CString, flags: i32, mode: u32 },
    Close(i32),
    Dup2(i32, i32),
    CloseFrom(i32),
}
/// What else a `posix_spawn` child changes.
#[derive(Default)]
pub struct Attributes {
    pub group: Option<i32>,
    pub reset_ids: bool,
    pub new_session: bool,
    pub mask: Option<Vec<i32>>,
    pub defaults: Option<Vec<i32>>,
    /// Policy (if any) and priority.
    pub scheduler: Option<(Option<i32>, i32)>,
}

fn signal_set(signals: &[i32]) -> libc::sigset_t {
    // SAFETY: `sigemptyset` initialises the set.
    unsafe {
        let mut set = std::mem::zeroed();
        libc::sigemptyset(&mut set);
        for &s in signals {
            libc::sigaddset(&mut set, s);
        }
        set
    }
}
fn positive(result: i32) -> Sys<()> {
    if result == 0 { Ok(()) } else { Err(result) }
}

struct Actions(libc::posix_spawn_file_actions_t);
impl Actions {
    fn new(actions: &[FileAction]) -> Sys<Actions> {
        // SAFETY: initialised by the call; the paths live in `actions`, which outlives the spawn.
        unsafe {
            let mut a = Actions(std::mem::zeroed());
            positive(libc::posix_spawn_file_actions_init(&mut a.0))?;
            for action in actions {
                positive(match action {
                    FileAction::Open { fd, path, flags, mode } => {
                        libc::posix_spawn_file_actions_addopen(&mut a.0, *fd, path.as_ptr(), *flags, *mode)
                    }
                    FileAction::Close(fd) => libc::posix_spawn_file_actions_addclose(&mut a.0, *fd),
                    FileAction::Dup2(from, to) => libc::posix_spawn_file_actions_adddup2(&mut a.0, *from, *to),
                    FileAction::CloseFrom(fd) => libc::posix_spawn_file_actions_addclosefrom_np(&mut a.0, *fd),
                })?;
            }
            Ok(a)
        }
    }
}
impl Drop for Actions {
    fn drop(&mut self) {
        // SAFETY: initialised once, destroyed once.
        unsafe { libc::posix_spawn_file_actions_destroy(&mut self.0) };
    }
}
struct Attr(libc::posix_spawnattr_t);
impl Attr {
    fn new(wanted: &Attributes) -> Sys<Attr> {
        let mut flags = 0;
        // SAFETY: initialised by the call, then filled.
        unsafe {
            let mut a = Attr(std::mem::zeroed());
            positive(libc::posix_spawnattr_init(&mut a.0))?;
            if let Some(group) = wanted.group {
                flags |= libc::POSIX_SPAWN_SETPGROUP;
                positive(libc::posix_spawnattr_setpgroup(&mut a.0, group))?;
            }
            if wanted.reset_ids {
                flags |= libc::POSIX_SPAWN_RESETIDS;
            }
            if wanted.new_session {
                flags |= 0x80;
            }
            if let Some(mask) = &wanted.mask {
                flags |= libc::POSIX_SPAWN_SETSIGMASK;
                positive(libc::posix_spawnattr_setsigmask(&mut a.0, &signal_set(mask)))?;
            }
            if let Some(signals) = &wanted.defaults {
                flags |= libc::POSIX_SPAWN_SETSIGDEF;
                positive(libc::posix_spawnattr_setsigdefault(&mut a.0, &signal_set(signals)))?;
            }
            if let Some((policy, priority)) = wanted.scheduler {
                if let Some(policy) = policy {
                    flags |= libc::POSIX_SPAWN_SETSCHEDULER;
                    positive(libc::posix_spawnattr_setschedpolicy(&mut a.0, policy))?;
                }
                flags |= libc::POSIX_SPAWN_SETSCHEDPARAM;
                let p = libc::sched_param { sched_priority: priority };
                positive(libc::posix_spawnattr_setschedparam(&mut a.0, &p))?;
            }
            positive(libc::posix_spawnattr_setflags(&mut a.0, flags as libc::c_short))?;
            Ok(a)
        }
    }
}
impl Drop for Attr {
    fn drop(&mut self) {
        // SAFETY: initialised once, destroyed once.
        unsafe { libc::posix_spawnattr_destroy(&mut self.0) };
    }
}
/// `posix_spawn`, or `posix_spawnp` where the program is looked for in `PATH`.
pub fn posix_spawn(
    path: &CStr,
    search: bool,
    arguments: &[CString],
    environment: &[CString],
    actions: &[FileAction],
    attributes: &Attributes,
) -> Sys<i32> {
    let (actions, attr) = (Actions::new(actions)?, Attr::new(attributes)?);
    let (argv, env) = (string_array(arguments), string_array(environment));
    let spawn = if search { libc::posix_spawnp } else { libc::posix_spawn };
    let mut pid = 0;
    // SAFETY: NUL-terminated strings in null-terminated arrays; everything lives during the call.
    positive(unsafe {
        spawn(&mut pid, path.as_ptr(), &actions.0, &attr.0, argv.as_ptr().cast(), env.as_ptr().cast())
    })?;
    Ok(pid)
}

/// Everything that the child of [`fork_exec`] needs, made before the fork.
pub struct Child {
    /// The programs to try, in order.
    pub executables: Vec<CString>,
    pub arguments: Vec<CString>,
    pub environment: Option<Vec<CString>>,
    pub cwd: Option<CString>,
    /// Descriptors that stay open, sorted.
    pub keep: Vec<i32>,
    pub close_fds: bool,
    /// Child's end, parent's end of stdin; parent's, child's of stdout and stderr; -1 = none.
    pub p2cread: i32,
    pub p2cwrite: i32,
    pub c2pread: i32,
    pub c2pwrite: i32,
    pub errread: i32,
    pub errwrite: i32,
    pub errpipe_read: i32,
    pub errpipe_write: i32,
    pub restore_signals: bool,
    pub new_session: bool,
    pub group: Option<i32>,
    pub gid: Option<u32>,
    pub groups: Option<Vec<u32>>,
    pub uid: Option<u32>,
    pub umask: Option<u32>,
}
/// Pointers that the child uses, so that it need not allocate.
struct Ready<'a> {
    child: &'a Child,
    argv: Vec<*const c_char>,
    env: Option<Vec<*const c_char>>,
}

/// Forks; the child runs `before_exec` (false: it failed) and becomes the program, or reports why not through the error
/// pipe. Returns the child's number to the parent.
pub fn fork_exec(child: &Child, mut before_exec: Option<&mut dyn FnMut() -> bool>) -> Sys<i32> {
    let ready =
        Ready { child, argv: string_array(&child.arguments), env: child.environment.as_deref().map(string_array) };
    // SAFETY: a set for which zero bytes are valid; all signals stay blocked from before the fork until the child has
    // put its handlers back.
    let mut old_mask: libc::sigset_t = unsafe { std::mem::zeroed() };
    if before_exec.is_none() {
        // SAFETY: the set is filled before it is used.
        unsafe {
            let mut all = std::mem::zeroed();
            libc::sigfillset(&mut all);
            libc::pthread_sigmask(libc::SIG_SETMASK, &all, &mut old_mask);
        }
    }
    // SAFETY: without `before_exec` the child only makes system calls; with it, the caller has stopped other threads.
    let pid = unsafe { libc::fork() };
    if pid == 0 {
        if before_exec.is_none() {
            // SAFETY: initialised above.
            unsafe { libc::pthread_sigmask(libc::SIG_SETMASK, &old_mask, std::ptr::null_mut()) };
        }
        let mut errno = 0;
        let stage = run_child(&ready, before_exec.as_deref_mut(), &mut errno);
        report(child.errpipe_write, stage, errno);
        super::exit_now(255);
    }
    let result = check(pid);
    if before_exec.is_none() {
        // SAFETY: initialised above.
        unsafe { libc::pthread_sigmask(libc::SIG_SETMASK, &old_mask, std::ptr::null_mut()) };
    }
    result
}
/// What failed in the child.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    BeforeExec,
    NoExec,
    ChangeFolder,
    Exec,
}
fn report(pipe: i32, stage: Stage, errno: i32) {
    let write = |data: &[u8]| {
        // SAFETY: the data is readable for its length.
        unsafe { libc::write(pipe, data.as_ptr().cast(), data.len()) }
    };
    if stage == Stage::BeforeExec {
        write(b"SubprocessError:0:Exception occurred in preexec_fn.");
        return;
    }
    let mut hex = [0u8; 8];
    let (mut at, mut rest) = (hex.len(), errno as u32);
    while rest != 0 {
        at -= 1;
        hex[at] = b"0123456789ABCDEF"[(rest % 16) as usize];
        rest /= 16;
    }
    write(b"OSError:");
    write(&hex[at..]);
    match stage {
        Stage::NoExec => write(b":noexec"),
        Stage::ChangeFolder => write(b":noexec:chdir"),
        Stage::Exec | Stage::BeforeExec => write(b":"),
    };
}
macro_rules! attempt {
    ($e:expr, $errno:ident) => {
        if $e == -1 {
            *$errno = crate::errno::last();
            return Stage::NoExec;
        }
    };
}
/// Only async-signal-safe calls from here on (but for `before_exec`); returns what failed.
fn run_child(ready: &Ready<'_>, before_exec: Option<&mut (dyn FnMut() -> bool + '_)>, errno: &mut i32) -> Stage {
    let c = ready.child;
    // SAFETY: system calls with numbers and with strings made before the fork.
    unsafe {
        for &fd in c.keep.iter().filter(|&&fd| fd != c.errpipe_write) {
            let flags = libc::fcntl(fd, libc::F_GETFD);
            if flags != -1 {
                libc::fcntl(fd, libc::F_SETFD, flags & !libc::FD_CLOEXEC);
            }
        }
        for fd in [c.p2cwrite, c.c2pread, c.errread] {
            if fd != -1 {
                attempt!(libc::close(fd), errno);
            }
        }
        attempt!(libc::close(c.errpipe_read), errno);
        let mut c2pwrite = c.c2pwrite;
        if c2pwrite == 0 {
            c2pwrite = libc::dup(c2pwrite);
            attempt!(c2pwrite, errno);
        }
        let mut errwrite = c.errwrite;
        while errwrite == 0 || errwrite == 1 {
            errwrite = libc::dup(errwrite);
            attempt!(errwrite, errno);
        }
        for (from, to) in [(c.p2cread, 0), (c2pwrite, 1), (errwrite, 2)] {
            if from == to {
                let flags = libc::fcntl(from, libc::F_GETFD);
                attempt!(flags, errno);
                attempt!(libc::fcntl(from, libc::F_SETFD, flags & !libc::FD_CLOEXEC), errno);
            } else if from != -1 {
                attempt!(libc::dup2(from, to), errno);
            }
        }
        if let Some(cwd) = &c.cwd
            && libc::chdir(cwd.as_ptr()) == -1
        {
            *errno = crate::errno::last();
            return Stage::ChangeFolder;
        }
        if let Some(mask) = c.umask {
            libc::umask(mask);
        }
        if c.restore_signals {
            for s in [libc::SIGPIPE, libc::SIGXFSZ] {
                libc::signal(s, libc::SIG_DFL);
            }
        }
        if c.new_session {
            attempt!(libc::setsid(), errno);
        }
        if let Some(group) = c.group {
            attempt!(libc::setpgid(0, group), errno);
        }
        if let Some(groups) = &c.groups {
            attempt!(libc::setgroups(groups.len(), groups.as_ptr()), errno);
        }
        if let Some(gid) = c.gid {
            attempt!(libc::setregid(gid, gid), errno);
        }
        if let Some(uid) = c.uid {
            attempt!(libc::setreuid(uid, uid), errno);
        }
        if let Some(f) = before_exec
            && !f()
        {
            return Stage::BeforeExec;
        }
        if c.close_fds {
            close_others(&c.keep);
        }
        let mut saved = 0;
        for path in &c.executables {
            match &ready.env {
                Some(env) => libc::execve(path.as_ptr(), ready.argv.as_ptr(), env.as_ptr()),
                None => libc::execv(path.as_ptr(), ready.argv.as_ptr()),
            };
            let e = crate::errno::last();
            if e != libc::ENOENT && e != libc::ENOTDIR && saved == 0 {
                saved = e;
            }
            *errno = e;
        }
        if saved != 0 {
            *errno = saved;
        }
    }
    Stage::Exec
}
/// Closes every descriptor from 3 on that is not kept.
fn close_others(keep: &[i32]) {
    let mut low = 3;
    for &fd in keep.iter().filter(|&&fd| fd >= 3) {
        crate::fd::close_range(low, fd);
        low = fd + 1;
    }
    crate::fd::close_range(low, i32::MAX);
}
