//! Fork, what is called around it, and the end of the process without clean-up.
use krait_object::native::function;
use krait_object::{Args, Locked, Method, PyResult, Thread, Tuple, Value};
use krait_platform::process;
use krait_runtime::audit::audit;
use krait_runtime::errors::{os_error, type_error, write_unraisable};
use krait_runtime::exceptions::DEPRECATION_WARNING;
use krait_runtime::import_lock::ImportLock;
use krait_runtime::protocol::{call, number};
use krait_runtime::start::Finalizing;
use krait_runtime::warnings::warn;
use krait_runtime::world;

/// The callables of `register_at_fork`.
#[derive(Default)]
struct Registered {
    before: Locked<Vec<Value>>,
    child: Locked<Vec<Value>>,
    parent: Locked<Vec<Value>>,
}
pub(super) static FUNCTIONS: &[Method] = &[
    function(
        "register_at_fork",
        "(*, before=<unrepresentable>, after_in_child=<unrepresentable>, after_in_parent=<unrepresentable>)",
        "Register callables for around fork.\n\nThose before it are called in reverse order, the others in the order of registration.",
        register,
    ),
    function("fork", "()", "Split the process: 0 in the child, the child's number in the parent.", |th, _| {
        check(th)?;
        audit(th, "os.fork", &[])?;
        before(th);
        let result = world::fork(th, process::fork, |r| matches!(r, Ok(0)));
        after(th, matches!(result, Ok(0)))?;
        match result {
            Ok(pid) => Ok(pid.into()),
            Err(e) => Err(os_error(th, e, None)),
        }
    }),
    function("forkpty", "()", "Split the process on a new pseudo-terminal: (process, master descriptor).", |th, _| {
        check(th)?;
        audit(th, "os.forkpty", &[])?;
        before(th);
        let result = world::fork(th, process::forkpty, |r| matches!(r, Ok((0, _))));
        after(th, matches!(result, Ok((0, _))))?;
        match result {
            Ok((pid, fd)) => Ok(Tuple::from_vec(vec![pid.into(), fd.into()]).into()),
            Err(e) => Err(os_error(th, e, None)),
        }
    }),
    function("_exit", "(status)", "End the process at once, without any clean-up.", |th, a| {
        let status = number::to_i32(th, &a[0])?;
        process::exit_now(status)
    }),
    function("abort", "()", "End the process with SIGABRT.", |_, _| process::abort()),
];
/// Whether this interpreter may fork, and now.
pub(crate) fn check(th: &mut Thread) -> PyResult<()> {
    if th.interp.extension::<Finalizing>().get() {
        let class = &krait_runtime::exceptions::PYTHON_FINALIZATION_ERROR;
        return Err(krait_runtime::errors::raise(th, class, "can't fork at interpreter shutdown"));
    }
    if !krait_runtime::interpreters::features(th).allow_fork {
        let message = "fork not supported for isolated subinterpreters";
        return Err(krait_runtime::errors::runtime_error(th, message));
    }
    Ok(())
}
fn register(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    if (0..3).all(|i| a.opt(i).is_none()) {
        return Err(type_error(th, "At least one argument is required."));
    }
    for (i, name) in ["before", "after_in_child", "after_in_parent"].iter().enumerate() {
        if let Some(v) = a.opt(i)
            && !call::is_callable(v)
        {
            let class = v.class().name();
            return Err(type_error(th, format!("'{name}' must be callable, not {class}")));
        }
    }
    let all = th.interp.extension::<Registered>();
    for (list, i) in [(&all.before, 0), (&all.child, 1), (&all.parent, 2)] {
        list.lock().extend(a.opt(i).cloned());
    }
    Ok(Value::NONE)
}
fn run(th: &mut Thread, callables: Vec<Value>) {
    for f in callables {
        if call::call(th, &f, &[]).is_err() {
            write_unraisable(th, Some(&f));
        }
    }
}
/// Before a fork.
pub fn before(th: &mut Thread) {
    let mut all = th.interp.extension::<Registered>().before.lock().clone();
    all.reverse();
    run(th, all);
    let lock = th.interp.extension::<ImportLock>();
    lock.acquire(th);
}
/// After a fork, in the child or in the parent.
pub fn after(th: &mut Thread, child: bool) -> PyResult<()> {
    let all = th.interp.extension::<Registered>();
    th.interp.extension::<ImportLock>().release(th);
    if child {
        crate::_thread::after_fork(th);
        let callables = all.child.lock().clone();
        run(th, callables);
        return Ok(());
    }
    let callables = all.parent.lock().clone();
    run(th, callables);
    if crate::_thread::running(th) > 0 {
        let pid = process::getpid();
        let message =
            format!("This process (pid={pid}) is multi-threaded, use of fork() may lead to deadlocks in the child.");
        warn(th, &DEPRECATION_WARNING, &message, 1)?;
    }
    Ok(())
}
