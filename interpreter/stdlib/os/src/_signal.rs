//! `_signal`: what is done when signals arrive, masks, timers, waiting. Python handlers run at safe points of the main
//! thread, see `krait_runtime::signals`.
use krait_object::native::function;
use krait_object::{Args, Locked, Method, ModuleDef, PyResult, Ref, Set, Thread, Tuple, Type, Value};
use krait_platform::signal::{self as platform, Action, NSIG};
use krait_platform::{errno, fs, thread};
use krait_runtime::audit::audit;
use krait_runtime::errors::{os_error, raise_value, type_error, value_error};
use krait_runtime::exceptions::{KEYBOARD_INTERRUPT, OS_ERROR};
use krait_runtime::protocol::{call, iter, number};
use krait_runtime::signals::{self, Handlers};
use krait_runtime::types::module;
use krait_runtime::types::structseq::StructSeqDef;
use krait_runtime::world::{blocking, retry};

use crate::arguments::{flag, int_or, sys};
use crate::{constants, structs};
use krait_runtime::seconds::{Rounding, nanoseconds};

const SIG_DFL: i64 = 0;
const SIG_IGN: i64 = 1;
const SIGINT: i32 = 2;

static SIGINFO: StructSeqDef = StructSeqDef {
    module: "signal",
    name: "struct_siginfo",
    doc: "What is known of a signal that was waited for.",
    fields: &[
        ("si_signo", "signal number"),
        ("si_code", "signal code"),
        ("si_errno", "errno associated with this signal"),
        ("si_pid", "sending process ID"),
        ("si_uid", "real user ID of sending process"),
        ("si_status", "exit value or signal"),
        ("si_band", "band event for SIGPOLL"),
    ],
    visible: 7,
    instantiable: true,
};
pub static MODULE: ModuleDef = ModuleDef {
    doc: "What a process does about signals. Python handlers run in the main thread.",
    functions: FUNCTIONS,
    init: Some(init),
    ..ModuleDef::new("_signal")
};
static FUNCTIONS: &[Method] = &[
    function(
        "default_int_handler",
        "(signalnum, frame, /)",
        "The default handler of SIGINT: raises KeyboardInterrupt.",
        |th, _| Err(raise_no_message(th)),
    ),
    function(
        "signal",
        "(signalnum, handler, /)",
        "Set what is done when a signal arrives; what was done before.\n\nA handler is called with the signal's number and the frame it interrupted.",
        signal,
    ),
    function(
        "getsignal",
        "(signalnum, /)",
        "What is done when a signal arrives; None where that is not known.",
        |th, a| {
            let s = number_of(th, &a[0])?;
            Ok(th.interp.extension::<Handlers>().get(s))
        },
    ),
    function("alarm", "(seconds, /)", "Ask for SIGALRM after that many seconds; the seconds left before.", |th, a| {
        let s = number::to_i32(th, &a[0])?;
        Ok(platform::alarm(s as u32).into())
    }),
    function("pause", "()", "Wait for a signal.", |th, _| {
        blocking(th, platform::pause);
        signals::run_pending(th)?;
        Ok(Value::NONE)
    }),
    function("raise_signal", "(signalnum, /)", "Send a signal to this process.", |th, a| {
        let s = number::to_i32(th, &a[0])?;
        sys(th, platform::raise(s))?;
        signals::run_pending(th)?;
        Ok(Value::NONE)
    }),
    function("strsignal", "(signalnum, /)", "The text of a signal; None where there is none.", |th, a| {
        let s = number_of(th, &a[0])?;
        Ok(platform::describe(s).into())
    }),
    function("siginterrupt", "(signalnum, flag, /)", "Set whether a signal interrupts system calls.", |th, a| {
        let s = number_of(th, &a[0])?;
        let interrupt = number::to_i32(th, &a[1])?;
        sys(th, platform::siginterrupt(s, interrupt != 0))?;
        Ok(Value::NONE)
    }),
    function(
        "set_wakeup_fd",
        "(fd, /, *, warn_on_full_buffer=True)",
        "Set the descriptor to which signal numbers are written; the one before.",
        set_wakeup_fd,
    ),
    function(
        "setitimer",
        "(which, seconds, interval=0.0, /)",
        "Set an interval timer; the setting before.",
        |th, a| {
            let which = number::to_i32(th, &a[0])?;
            let first = microseconds(th, &a[1])?;
            let interval = a.opt(2).map_or(Ok(0), |v| microseconds(th, v))?;
            let before = platform::set_timer(which, first, interval);
            timer(th, before)
        },
    ),
    function("getitimer", "(which, /)", "An interval timer's setting.", |th, a| {
        let which = number::to_i32(th, &a[0])?;
        timer(th, platform::get_timer(which))
    }),
    function("pthread_kill", "(thread_id, signalnum, /)", "Send a signal to a thread.", |th, a| {
        if a[0].as_int_ref().is_none() {
            let class = a[0].class().name();
            return Err(type_error(th, format!("pthread_kill() argument 1 must be int, not {class}")));
        }
        let id = number::to_masked(th, &a[0], 64)?;
        let s = number::to_i32(th, &a[1])?;
        audit(th, "signal.pthread_kill", &[id.into(), s.into()])?;
        match thread::kill(id, s) {
            Ok(()) => {
                signals::run_pending(th)?;
                Ok(Value::NONE)
            }
            Err(e) => Err(os_error(th, e, None)),
        }
    }),
    function(
        "pthread_sigmask",
        "(how, mask, /)",
        "Change which signals are blocked for this thread; the set before.",
        |th, a| {
            let how = number::to_i32(th, &a[0])?;
            let mask = signal_set(th, &a[1])?;
            let before = sys(th, platform::mask(how, &mask))?;
            signals::run_pending(th)?;
            set_value(th, &before)
        },
    ),
    function("sigpending", "()", "The signals that are pending for this thread.", |th, _| {
        let all = sys(th, platform::pending())?;
        set_value(th, &all)
    }),
    function("valid_signals", "()", "All signals of this platform.", |th, _| set_value(th, &platform::valid())),
    function("sigwait", "(sigset, /)", "Wait for one of the signals; its number.", |th, a| {
        let set = signal_set(th, &a[0])?;
        let got = blocking(th, || platform::wait(&set));
        Ok(sys(th, got)?.into())
    }),
    function("sigwaitinfo", "(sigset, /)", "Wait for one of the signals; what is known of it.", |th, a| {
        let set = signal_set(th, &a[0])?;
        let got = retry(th, || platform::wait_info(&set, None))?;
        let info = sys(th, got)?;
        Ok(info_value(th, &info))
    }),
    function(
        "sigtimedwait",
        "(sigset, timeout, /)",
        "Wait for one of the signals, for so many seconds; None if none came.",
        sigtimedwait,
    ),
    function(
        "pidfd_send_signal",
        "(pidfd, signalnum, siginfo=None, flags=0, /)",
        "Send a signal to the process that a descriptor refers to.",
        |th, a| {
            let (fd, s) = (number::to_i32(th, &a[0])?, number::to_i32(th, &a[1])?);
            let flags = int_or(th, a.opt(3), 0)?;
            if a.opt_not_none(2).is_some() {
                return Err(type_error(th, "siginfo must be None"));
            }
            sys(th, platform::pidfd_send(fd, s, flags as u32))?;
            Ok(Value::NONE)
        },
    ),
];

/// `ItimerError`, one class per interpreter.
#[derive(Default)]
struct TimerError(Locked<Option<Ref<Type>>>);

fn init(th: &mut Thread, m: &Value) -> PyResult<()> {
    constants::add(m, constants::signal::TABLE);
    let d = module::dict(m);
    d.set_text("SIGRTMIN", platform::rtmin());
    d.set_text("SIGRTMAX", platform::rtmax());
    d.set_text("struct_siginfo", structs::class(th, &SIGINFO));
    let error = new_exception(th, "itimer_error", "signal", OS_ERROR.to_value())?;
    th.interp.extension::<TimerError>().0.set(error.to_ref());
    d.set_text("ItimerError", error);
    install(th, d.get_text("default_int_handler"))
}
/// A new exception class.
pub(crate) fn new_exception(th: &mut Thread, name: &str, module: &str, base: Value) -> PyResult<Value> {
    let namespace = krait_object::Dict::new();
    namespace.set_text("__module__", module);
    let class = Ref::from_object(&krait_object::builtin_types::TYPE).to_value();
    let bases: Value = Tuple::from_vec(vec![base]).into();
    call::call(th, &class, &[Value::str(name), bases, namespace.into()])
}
/// Reads what is done about each signal, and makes SIGINT raise KeyboardInterrupt where nothing else is set.
fn install(th: &mut Thread, int_handler: Option<Value>) -> PyResult<()> {
    let handlers = th.interp.extension::<Handlers>();
    for s in 1..NSIG as i32 {
        let shown = match platform::action(s) {
            Ok(Action::Default) => Value::int(SIG_DFL),
            Ok(Action::Ignore) => Value::int(SIG_IGN),
            _ => Value::NONE,
        };
        handlers.set(s, shown);
    }
    if signals::is_main(th)
        && platform::action(SIGINT) == Ok(Action::Default)
        && let Some(handler) = int_handler
    {
        handlers.set(SIGINT, handler);
        sys(th, platform::set_action(SIGINT, Action::Announce))?;
    }
    Ok(())
}
/// At start-up: this thread is the main one; writes to closed pipes and over-long files are errors, not signals.
pub fn start(th: &mut Thread) -> PyResult<()> {
    signals::set_main(th);
    const SIGPIPE: i32 = 13;
    const SIGXFSZ: i32 = 25;
    for s in [SIGPIPE, SIGXFSZ] {
        sys(th, platform::set_action(s, Action::Ignore))?;
    }
    krait_runtime::import::import_module(th, "_signal")?;
    Ok(())
}
/// At the end: Python handlers are called no more, and what they stood for gets its default action.
pub fn finish(th: &mut Thread) {
    let handlers = th.interp.extension::<Handlers>();
    for s in 1..NSIG as i32 {
        let handler = handlers.set(s, Value::NONE);
        if call::is_callable(&handler) {
            let _ = platform::set_action(s, Action::Default);
        }
    }
}
fn raise_no_message(th: &mut Thread) -> krait_object::Raised {
    let class = KEYBOARD_INTERRUPT.to_value();
    match call::call(th, &class, &[]) {
        Ok(e) => raise_value(th, e),
        Err(raised) => raised,
    }
}
fn number_of(th: &mut Thread, v: &Value) -> PyResult<i32> {
    let s = number::to_i32(th, v)?;
    if s < 1 || s >= NSIG as i32 {
        return Err(value_error(th, "signal number out of range"));
    }
    Ok(s)
}
fn signal(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let s = number::to_i32(th, &a[0])?;
    let handler = &a[1];
    if !signals::is_main(th) {
        return Err(value_error(th, "signal only works in main thread of the main interpreter"));
    }
    if s < 1 || s >= NSIG as i32 {
        return Err(value_error(th, "signal number out of range"));
    }
    let action = if call::is_callable(handler) {
        Action::Announce
    } else {
        match handler.as_int_ref().and_then(|n| n.to_i64()) {
            Some(SIG_DFL) => Action::Default,
            Some(SIG_IGN) => Action::Ignore,
            _ => {
                let message = "signal handler must be signal.SIG_IGN, signal.SIG_DFL, or a callable object";
                return Err(type_error(th, message));
            }
        }
    };
    signals::run_pending(th)?;
    sys(th, platform::set_action(s, action))?;
    Ok(th.interp.extension::<Handlers>().set(s, handler.clone()))
}
fn set_wakeup_fd(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let fd = number::to_i32(th, &a[0])?;
    let warn = flag(th, a.opt(1), true)?;
    if !signals::is_main(th) {
        return Err(value_error(th, "set_wakeup_fd only works in main thread of the main interpreter"));
    }
    if fd != -1 {
        sys(th, fs::fstat(fd))?;
        if sys(th, krait_platform::fd::get_blocking(fd))? {
            return Err(value_error(th, format!("the fd {fd} must be in non-blocking mode")));
        }
    }
    Ok(platform::set_wakeup(fd, warn).into())
}
fn microseconds(th: &mut Thread, v: &Value) -> PyResult<i64> {
    let ns = nanoseconds(th, v, Rounding::Ceiling)?;
    Ok(ns.div_euclid(1000) + i64::from(ns.rem_euclid(1000) != 0))
}
fn timer(th: &mut Thread, t: Result<(i64, i64), i32>) -> PyResult<Value> {
    match t {
        Ok((left, interval)) => {
            let seconds = |us: i64| Value::float(us as f64 / 1e6);
            Ok(Tuple::from_vec(vec![seconds(left), seconds(interval)]).into())
        }
        Err(e) => {
            let Some(class) = th.interp.extension::<TimerError>().0.get() else {
                return Err(os_error(th, e, None));
            };
            let error = call::call(th, class.as_value(), &[e.into(), errno::message(e).into()])?;
            Err(raise_value(th, error))
        }
    }
}
/// An iterable of signal numbers.
pub(crate) fn signal_set(th: &mut Thread, v: &Value) -> PyResult<Vec<i32>> {
    let mut out = Vec::new();
    for item in iter::collect(th, v)? {
        let n = number::index(th, &item)?;
        let n = n.as_int_ref().and_then(|n| n.to_i64());
        match n {
            Some(n) if n > 0 && n < NSIG as i64 => out.push(n as i32),
            other => {
                let n = other.unwrap_or(-1);
                return Err(value_error(th, format!("signal number {n} out of range [1; {}]", NSIG - 1)));
            }
        }
    }
    Ok(out)
}
fn set_value(th: &mut Thread, signals: &[i32]) -> PyResult<Value> {
    let set = Set::new();
    for &s in signals {
        set.add(th, s.into())?;
    }
    Ok(set.into())
}
fn info_value(th: &Thread, i: &platform::Info) -> Value {
    let fields = vec![i.0.into(), i.1.into(), i.2.into(), i.3.into(), i.4.into(), i.5.into(), i.6.into()];
    structs::build(th, &SIGINFO, fields)
}
fn sigtimedwait(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let set = signal_set(th, &a[0])?;
    let ns = nanoseconds(th, &a[1], Rounding::Ceiling)?;
    if ns < 0 {
        return Err(value_error(th, "timeout must be non-negative"));
    }
    let clock = krait_platform::time::CLOCK_MONOTONIC;
    let now = || krait_platform::time::clock_gettime(clock).unwrap_or(0);
    let deadline = now().saturating_add(ns);
    let got = retry(th, || platform::wait_info(&set, Some((deadline - now()).max(0))))?;
    match got {
        Ok(info) => Ok(info_value(th, &info)),
        Err(errno::EAGAIN) => Ok(Value::NONE),
        Err(e) => Err(os_error(th, e, None)),
    }
}
/// `_thread.interrupt_main`.
pub(crate) fn interrupt_main(th: &mut Thread, signal: i32) -> PyResult<()> {
    if signal < 1 || signal >= NSIG as i32 {
        return Err(value_error(th, "signal number out of range"));
    }
    let handler = th.interp.extension::<Handlers>().get(signal);
    let set = handler.as_int_ref().and_then(|n| n.to_i64());
    if !matches!(set, Some(SIG_DFL | SIG_IGN)) {
        platform::announce(signal);
    }
    Ok(())
}
