//! `_thread`: threads of the operating system that run Python code, taking turns (`krait_runtime::world`).
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::*};

use krait_object::native::function;
use krait_object::{Args, Dict, Method, ModuleDef, PyResult, Thread, Tuple, Value};
use krait_platform::thread as platform;
use krait_runtime::audit::audit;
use krait_runtime::errors::{self, raise, runtime_error, type_error, value_error};
use krait_runtime::exceptions::{RUNTIME_ERROR, SYSTEM_EXIT};
use krait_runtime::protocol::{call, compare, number};
use krait_runtime::start::Finalizing;
use krait_runtime::types::module;
use krait_runtime::types::type_::ready::ready_class;
use krait_runtime::{interpreters, world};

mod excepthook;
mod handle;
mod local;
mod lock;

use handle::Handle;
pub(crate) use lock::wait;

pub static MODULE: ModuleDef = ModuleDef {
    doc: "Primitive operations of threads: starting them, and locks.",
    functions: FUNCTIONS,
    init: Some(init),
    ..ModuleDef::new("_thread")
};

/// Stack of a new thread unless `stack_size` says otherwise.
const DEFAULT_STACK: usize = 16 << 20;

/// What the threads of an interpreter share.
#[derive(Default)]
pub(crate) struct Threads {
    /// Threads that were started here and have not ended.
    running: AtomicUsize,
    stack: AtomicUsize,
    main: std::sync::atomic::AtomicU64,
}

macro_rules! start_new {
    ($name:literal) => {
        function(
            $name,
            "(function, args, kwargs={}, /)",
            "Start a thread that calls function(*args, **kwargs); its identifier.",
            start_new_thread,
        )
        .raw()
    };
}
static FUNCTIONS: &[Method] =
    &[
        start_new!("start_new_thread"),
        start_new!("start_new"),
        function(
            "start_joinable_thread",
            "(function, handle=None, daemon=True)",
            "Start a thread that calls function(); its handle.",
            start_joinable_thread,
        ),
        function("daemon_threads_allowed", "()", "Whether this interpreter may have daemon threads.", |th, _| {
            Ok(Value::bool(interpreters::features(th).allow_daemon_threads))
        }),
        function("allocate_lock", "()", "Make a lock.", |_, _| Ok(lock::new_lock())),
        function("allocate", "()", "Make a lock.", |_, _| Ok(lock::new_lock())),
        function("exit", "()", "End the thread: raises SystemExit.", exit),
        function("exit_thread", "()", "End the thread: raises SystemExit.", exit),
        function(
            "interrupt_main",
            "(signum=signal.SIGINT, /)",
            "Behave as if a signal had arrived at the main thread.",
            |th, a| {
                let signal = crate::arguments::int_or(th, a.opt(0), 2)?;
                crate::_signal::interrupt_main(th, signal)?;
                Ok(Value::NONE)
            },
        ),
        function("get_ident", "()", "The identifier of this thread.", |_, _| Ok(platform::ident().into())),
        function("get_native_id", "()", "The kernel's number of this thread.", |_, _| Ok(platform::native_id().into())),
        function("_count", "()", "The number of threads that run, but for the main thread.", |th, _| {
            Ok(running(th).into())
        }),
        function(
            "stack_size",
            "(size=0, /)",
            "Set the stack size of threads to be started; the one before. 0 = the default.",
            stack_size,
        ),
        function("_excepthook", "(args, /)", "Show an exception that ended a thread.", excepthook::excepthook).raw(),
        function("_is_main_interpreter", "()", "Whether this is the main interpreter.", |th, _| {
            Ok(Value::bool(interpreters::current(th).is_main()))
        }),
        function("_shutdown", "()", "Wait for all threads that are not daemons.", |th, _| {
            handle::join_all(th)?;
            Ok(Value::NONE)
        }),
        function("_make_thread_handle", "(ident, /)", "A handle for a thread that was not started here.", |th, a| {
            if a[0].as_int_ref().is_none() {
                return Err(type_error(th, "ident must be an integer"));
            }
            let ident = number::to_masked(th, &a[0], 64)?;
            Ok(handle::running_handle(th, ident))
        }),
        function("_get_main_thread_ident", "()", "The identifier of the main thread.", |th, _| {
            Ok(th.interp.extension::<Threads>().main.load(SeqCst).into())
        }),
    ];

fn init(th: &mut Thread, m: &Value) -> PyResult<()> {
    let d = module::dict(m);
    for def in [&lock::LOCK_DEF, &lock::RLOCK_DEF, &local::DEF, &handle::DEF] {
        ready_class(th, def);
    }
    d.set_text("lock", lock::LOCK.to_value());
    d.set_text("LockType", lock::LOCK.to_value());
    d.set_text("RLock", lock::RLOCK.to_value());
    d.set_text("_local", local::LOCAL.to_value());
    d.set_text("_ThreadHandle", handle::HANDLE.to_value());
    d.set_text("error", RUNTIME_ERROR.to_value());
    d.set_text("_ExceptHookArgs", crate::structs::class(th, &excepthook::ARGS));
    d.set_text("TIMEOUT_MAX", Value::float(lock::TIMEOUT_MAX));
    let _ = th.interp.extension::<Threads>().main.compare_exchange(0, platform::ident(), SeqCst, SeqCst);
    Ok(())
}
/// Threads that run, but for the main thread.
pub fn running(th: &Thread) -> usize {
    th.interp.extension::<Threads>().running.load(SeqCst)
}
fn exit(th: &mut Thread, _: &Args<'_>) -> PyResult<Value> {
    let class = SYSTEM_EXIT.to_value();
    let e = call::call(th, &class, &[])?;
    Err(errors::raise_value(th, e))
}
fn stack_size(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let size = a.opt(0).map_or(Ok(0), |v| number::index_isize(th, v))?;
    if size < 0 {
        return Err(value_error(th, "size must be 0 or a positive value"));
    }
    if size != 0 && size < 32 << 10 {
        return Err(value_error(th, format!("size not valid: {size} bytes")));
    }
    Ok(th.interp.extension::<Threads>().stack.swap(size as usize, SeqCst).into())
}

/// What a new thread calls.
struct Job {
    function: Value,
    args: Vec<Value>,
    kwargs: Option<Value>,
}
fn start_new_thread(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    if a.has_kw() {
        return Err(type_error(th, "start_new_thread() takes no keyword arguments"));
    }
    let pos = a.pos();
    if pos.len() < 2 || pos.len() > 3 {
        let (bound, n) = if pos.len() < 2 { ("at least 2", pos.len()) } else { ("at most 3", pos.len()) };
        return Err(type_error(th, format!("start_new_thread expected {bound} arguments, got {n}")));
    }
    if !call::is_callable(&pos[0]) {
        return Err(type_error(th, "first arg must be callable"));
    }
    let Some(args) = pos[1].downcast_ref::<Tuple>().map(|t| t.to_vec()) else {
        return Err(type_error(th, "2nd arg must be a tuple"));
    };
    let kwargs = pos.get(2).cloned();
    if kwargs.as_ref().is_some_and(|k| k.downcast_ref::<Dict>().is_none()) {
        return Err(type_error(th, "optional 3rd arg must be a dictionary"));
    }
    let shown: [Value; 3] = [pos[0].clone(), pos[1].clone(), kwargs.clone().into()];
    audit(th, "_thread.start_new_thread", &shown)?;
    let handle = Arc::new(Handle::default());
    start(th, &handle, Job { function: pos[0].clone(), args, kwargs }, true)?;
    Ok(handle.ident().into())
}
fn start_joinable_thread(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    if !call::is_callable(&a[0]) {
        return Err(type_error(th, "thread function must be callable"));
    }
    let object = match a.opt_not_none(1) {
        None => handle::new_handle(),
        Some(h) if h.downcast_ref::<handle::ThreadHandle>().is_some() => h.clone(),
        Some(_) => return Err(type_error(th, "'handle' must be a _ThreadHandle")),
    };
    let daemon = a.opt(2).map_or(Ok(true), |d| compare::truth(th, d))?;
    let given = a.opt_not_none(1).cloned().unwrap_or(Value::NONE);
    audit(th, "_thread.start_joinable_thread", &[a[0].clone(), Value::from(i32::from(daemon)), given])?;
    let inner = handle::inner(&object);
    start(th, &inner, Job { function: a[0].clone(), args: Vec::new(), kwargs: None }, daemon)?;
    Ok(object)
}
fn start(th: &mut Thread, handle: &Arc<Handle>, job: Job, daemon: bool) -> PyResult<()> {
    if th.interp.extension::<Finalizing>().get() {
        let class = &krait_runtime::exceptions::PYTHON_FINALIZATION_ERROR;
        return Err(raise(th, class, "can't create new thread at interpreter shutdown"));
    }
    let features = interpreters::features(th);
    if !features.allow_threads {
        return Err(runtime_error(th, "thread is not supported for isolated subinterpreters"));
    }
    if daemon && !features.allow_daemon_threads {
        return Err(runtime_error(th, "daemon threads are not supported for isolated subinterpreters"));
    }
    if !handle.claim() {
        return Err(runtime_error(th, "thread already started"));
    }
    world::begin_threads(th);
    let threads = th.interp.extension::<Threads>();
    let size = match threads.stack.load(SeqCst) {
        0 => DEFAULT_STACK,
        // Native frames need more than CPython's, and some is kept free for what runs after the limit is hit.
        n => n.saturating_mul(4).max(2 << 20),
    };
    threads.running.fetch_add(1, SeqCst);
    handle::register(th, handle, daemon);
    let (interp, own) = (th.interp.clone(), handle.clone());
    let spawned = std::thread::Builder::new().stack_size(size).spawn(move || {
        own.begin(platform::ident());
        let mut th = Thread::new(interp, size);
        world::attach(&th);
        run(&mut th, job);
        finish(&mut th);
        let shared = th.shared.clone();
        drop(th);
        own.end();
        world::leave(&shared);
    });
    if spawned.is_err() {
        threads.running.fetch_sub(1, SeqCst);
        handle.end();
        return Err(runtime_error(th, "can't start new thread"));
    }
    // The thread announces its identifier before it first waits for its turn.
    handle.wait_for_begin();
    Ok(())
}
fn run(th: &mut Thread, job: Job) {
    th.shared.id.store(platform::ident(), Relaxed);
    let Job { function, args, kwargs } = job;
    if let Err(raised) = call::call_tuple_dict(th, &function, &args, kwargs.as_ref()) {
        let exception = errors::take(th, raised);
        if !exception.is_instance(&SYSTEM_EXIT) {
            let shown = krait_runtime::protocol::repr::repr(th, &function);
            let message = match shown {
                Ok(s) => format!("Exception ignored in thread started by {s}"),
                Err(raised) => {
                    drop(errors::take(th, raised));
                    "Exception ignored in thread started by <unprintable>".to_owned()
                }
            };
            let _raised = errors::raise_value(th, exception);
            errors::write_unraisable_message(th, Some(&message), None);
        }
    }
    drop((function, args, kwargs));
}
/// An OS thread leaves an interpreter that none of its threads was started in.
pub fn leave(th: &mut Thread) {
    local::forget(th);
}
/// The main thread of an interpreter is that of its maker, whatever thread made it.
pub fn share_main(th: &Thread, maker: &krait_object::Interpreter) {
    let main = maker.extension::<Threads>().main.load(SeqCst);
    if main != 0 {
        th.interp.extension::<Threads>().main.store(main, SeqCst);
    }
}
/// The thread's own values go while it may still run Python code.
fn finish(th: &mut Thread) {
    local::forget(th);
    th.handled = None;
    th.exc = None;
    if th.has_pending() {
        th.run_pending();
    }
    th.interp.extension::<Threads>().running.fetch_sub(1, SeqCst);
}
/// The other threads never run again: what only they held goes.
pub fn finish_others(th: &mut Thread) {
    local::forget_others(th);
}
/// In the child of a fork there is one thread, which is the main one.
pub(crate) fn after_fork(th: &mut Thread) {
    let threads = th.interp.extension::<Threads>();
    threads.running.store(0, SeqCst);
    threads.main.store(platform::ident(), SeqCst);
    handle::after_fork(th);
}
