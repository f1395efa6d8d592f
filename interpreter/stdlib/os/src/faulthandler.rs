//! `faulthandler`: the stacks of all threads when the process crashes, on a signal, after a timeout, on request. CPython
//! counterpart: `Modules/faulthandler.c`.
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

use krait_object::native::function;
use krait_object::{Args, Dict, Locked, Method, ModuleDef, PyResult, Thread, Value};
use krait_platform::{fault, process, signal};
use krait_runtime::errors::{self, os_error, overflow_error, runtime_error, value_error};
use krait_runtime::hooks::{Stacks, vm};
use krait_runtime::protocol::{attr, compare, number};
use krait_runtime::seconds::{Rounding, nanoseconds};

use crate::arguments::{flag, sys};

pub static MODULE: ModuleDef =
    ModuleDef { doc: "faulthandler module.", functions: FUNCTIONS, ..ModuleDef::new("faulthandler") };

static FUNCTIONS: &[Method] = &[
    function(
        "enable",
        "(file=sys.stderr, all_threads=True)",
        "Report the stacks when a fatal signal ends the process.",
        |th, a| {
            let fd = descriptor(th, a.opt(0))?;
            let all = flag(th, a.opt(1), true)?;
            keep(th, 0, a.opt(0));
            sys(th, fault::enable(report, fd, all))?;
            Ok(Value::NONE)
        },
    ),
    function("disable", "()", "Report fatal signals no longer; whether they were.", |th, _| {
        keep(th, 0, None);
        Ok(Value::bool(fault::disable()))
    }),
    function("is_enabled", "()", "Whether fatal signals are reported.", |_, _| Ok(Value::bool(fault::is_enabled()))),
    function("dump_traceback", "(file=sys.stderr, all_threads=True)", "Write the stacks into a file.", |th, a| {
        let fd = descriptor(th, a.opt(0))?;
        let all = flag(th, a.opt(1), true)?;
        report(&|text| fault::write(fd, text), all);
        Ok(Value::NONE)
    }),
    function(
        "dump_traceback_later",
        "(timeout, repeat=False, file=sys.stderr, exit=False)",
        "Write the stacks after so many seconds, every so many seconds with repeat.\n\nWith exit the process ends then \
         with status 1.",
        later,
    ),
    function("cancel_dump_traceback_later", "()", "Forget the last call of dump_traceback_later().", |th, _| {
        cancel(th);
        Ok(Value::NONE)
    }),
    function(
        "register",
        "(signum, file=sys.stderr, all_threads=True, chain=False)",
        "Write the stacks whenever a signal arrives.\n\nWith chain the handler that was there before is called too.",
        |th, a| {
            let s = signal_number(th, &a[0])?;
            let fd = descriptor(th, a.opt(1))?;
            let (all, chain) = (flag(th, a.opt(2), true)?, flag(th, a.opt(3), false)?);
            keep(th, s, a.opt(1));
            sys(th, fault::register(report, s, fd, all, chain))?;
            Ok(Value::NONE)
        },
    ),
    function("unregister", "(signum, /)", "Undo register(); whether the signal was registered.", |th, a| {
        let s = signal_number(th, &a[0])?;
        keep(th, s, None);
        Ok(Value::bool(fault::unregister(s)))
    }),
    function("_read_null", "()", "Read memory that cannot be read.", |_, _| {
        fault::read_forbidden();
        Ok(Value::NONE)
    }),
    function("_sigsegv", "(release_gil=False, /)", "Raise SIGSEGV.", |th, a| {
        if flag(th, a.opt(0), false)? {
            krait_runtime::world::blocking(th, || crash_by(11));
        } else {
            crash_by(11);
        }
        Ok(Value::NONE)
    }),
    function("_sigabrt", "()", "Raise SIGABRT.", |_, _| process::abort()),
    function("_sigfpe", "()", "Raise SIGFPE.", |_, _| {
        crash_by(8);
        Ok(Value::NONE)
    }),
    function("_stack_overflow", "()", "Use up the stack.", |_, _| Ok(fault::overflow_stack(0).into())),
    function("_fatal_error_c_thread", "()", "A fatal error in a thread that runs no Python code.", |_, _| {
        let thread = std::thread::spawn(|| {
            fault::write(2, b"Fatal Python error: faulthandler_fatal_error_thread: in new thread\n");
            fault::write(2, b"Python runtime state: initialized\n\n");
            (vm().write_stacks)(&|text| fault::write(2, text), Stacks::Others);
            process::abort()
        });
        let _ = thread.join();
        Ok(Value::NONE)
    }),
];
fn crash_by(number: i32) {
    let _ = signal::raise(number);
}
fn report(write: &dyn Fn(&[u8]), all: bool) {
    (vm().write_stacks)(write, if all { Stacks::All } else { Stacks::Current });
}
/// Files that handlers write to, by signal (0 = fatal signals, -1 = the timeout): they must stay open.
#[derive(Default)]
struct Files(Locked<Vec<(i32, Value)>>);

fn keep(th: &Thread, what: i32, file: Option<&Value>) {
    let files = th.interp.extension::<Files>();
    let gone: Vec<_> = files.0.lock().extract_if(.., |(w, _)| *w == what).collect();
    files.0.lock().extend(file.map(|f| (what, f.clone())));
    drop(gone);
}
/// The descriptor of a file argument; `sys.stderr` by default.
fn descriptor(th: &mut Thread, file: Option<&Value>) -> PyResult<i32> {
    let file = match file.filter(|f| !f.is_none()) {
        Some(f) => f.clone(),
        None => {
            let stderr = th.interp.sys.get().and_then(|s| s.downcast::<Dict>().ok()).and_then(|d| d.get_text("stderr"));
            match stderr {
                None => return Err(runtime_error(th, "unable to get sys.stderr")),
                Some(f) if f.is_none() => return Err(runtime_error(th, "sys.stderr is None")),
                Some(f) => f,
            }
        }
    };
    if file.as_int_ref().is_some() {
        let fd = number::to_i32(th, &file)?;
        if fd < 0 {
            return Err(value_error(th, "file is not a valid file descriptor"));
        }
        return Ok(fd);
    }
    let fd = attr::call_method(th, &file, "fileno", &[])?;
    let fd = match fd.as_int_ref().and_then(|n| n.to_i64()).and_then(|n| i32::try_from(n).ok()) {
        Some(fd) if fd >= 0 => fd,
        _ => return Err(runtime_error(th, "file.fileno() is not a valid file descriptor")),
    };
    if let Err(raised) = attr::call_method(th, &file, "flush", &[]) {
        drop(errors::take(th, raised));
    }
    Ok(fd)
}
fn signal_number(th: &mut Thread, v: &Value) -> PyResult<i32> {
    let s = number::to_i32(th, v)?;
    if fault::is_fatal(s) {
        return Err(runtime_error(th, format!("signal {s} cannot be registered, use enable() instead")));
    }
    if s < 1 || s >= signal::NSIG as i32 {
        return Err(value_error(th, "signal number out of range"));
    }
    Ok(s)
}

/// The thread that waits for the timeout.
#[derive(Default)]
struct Watchdog(Mutex<Option<Waiting>>);
struct Waiting {
    cancelled: Arc<(Mutex<bool>, Condvar)>,
    thread: std::thread::JoinHandle<()>,
}

fn cancel(th: &mut Thread) {
    let dog = th.interp.extension::<Watchdog>();
    let waiting = dog.0.lock().unwrap_or_else(|e| e.into_inner()).take();
    if let Some(w) = waiting {
        *w.cancelled.0.lock().unwrap_or_else(|e| e.into_inner()) = true;
        w.cancelled.1.notify_all();
        let _ = w.thread.join();
    }
    keep(th, -1, None);
}
fn later(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let ns = nanoseconds(th, &a[0], Rounding::Ceiling)?;
    if ns <= 0 {
        return Err(value_error(th, "timeout must be greater than 0"));
    }
    let repeat = a.opt(1).map_or(Ok(false), |r| compare::truth(th, r))?;
    let fd = descriptor(th, a.opt(2))?;
    let exit = flag(th, a.opt(3), false)?;
    let timeout = Duration::from_nanos(ns as u64);
    if timeout.as_secs() > u64::from(u32::MAX) {
        return Err(overflow_error(th, "timeout value is too large"));
    }
    cancel(th);
    keep(th, -1, a.opt(2));
    let cancelled = Arc::new((Mutex::new(false), Condvar::new()));
    let own = cancelled.clone();
    let started = std::thread::Builder::new().name("faulthandler".into()).spawn(move || {
        const SIG_BLOCK: i32 = 0;
        let _ = signal::mask(SIG_BLOCK, &signal::valid());
        watch(&own, timeout, repeat, fd, exit);
    });
    match started {
        Ok(thread) => {
            let dog = th.interp.extension::<Watchdog>();
            *dog.0.lock().unwrap_or_else(|e| e.into_inner()) = Some(Waiting { cancelled, thread });
            Ok(Value::NONE)
        }
        Err(e) => Err(os_error(th, e.raw_os_error().unwrap_or(0), None)),
    }
}
fn watch(cancelled: &(Mutex<bool>, Condvar), timeout: Duration, repeat: bool, fd: i32, exit: bool) {
    let (s, us) = (timeout.as_secs(), timeout.subsec_micros());
    let mut header = format!("Timeout ({}:{:02}:{:02}", s / 3600, s / 60 % 60, s % 60);
    if us != 0 {
        header += &format!(".{us:06}");
    }
    header += ")!\n";
    loop {
        let guard = cancelled.0.lock().unwrap_or_else(|e| e.into_inner());
        let (guard, _) =
            cancelled.1.wait_timeout_while(guard, timeout, |done| !*done).unwrap_or_else(|e| e.into_inner());
        if *guard {
            return;
        }
        drop(guard);
        fault::write(fd, header.as_bytes());
        (vm().write_stacks)(&|text| fault::write(fd, text), Stacks::Others);
        if exit {
            process::exit_now(1);
        }
        if !repeat {
            return;
        }
    }
}
