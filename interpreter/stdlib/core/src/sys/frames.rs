//! Frames and tracing: `_getframe`, `settrace`, `setprofile`, `_current_frames`.
use krait_object::native::function;
use krait_object::{Args, Dict, Method, PyResult, Ref, Thread, Value};
use krait_runtime::audit::audit;
use krait_runtime::errors::value_error;
use krait_runtime::hooks;
use krait_runtime::protocol::number;
use krait_runtime::types::frame::{self, Frame};

pub static FUNCTIONS: &[Method] = &[
    function("_getframe", "(depth=0, /)", "Return a frame object from the call stack.", |th, a| {
        let depth = match a.opt(0) {
            Some(d) => number::to_i32(th, d)?,
            None => 0,
        };
        match frame::current(th, depth.max(0) as usize) {
            Some(f) => {
                krait_runtime::audit::audit(th, "sys._getframe", &[f.to_value()])?;
                Ok(f.into())
            }
            None => Err(value_error(th, "call stack is not deep enough")),
        }
    }),
    function("_getframemodulename", "(depth=0)", "Return the name of the module for a calling frame.", |th, a| {
        let depth = match a.opt(0) {
            Some(d) => number::to_i32(th, d)?,
            None => 0,
        };
        krait_runtime::audit::audit(th, "sys._getframemodulename", &[Value::from(depth)])?;
        Ok(match frame::current(th, depth.max(0) as usize) {
            // The function of module code has no `__module__` of its own.
            Some(f) => f.function.module.get().or_else(|| f.function.globals.get_text("__name__")).into(),
            None => Value::NONE,
        })
    }),
    function(
        "_current_frames",
        "()",
        "Return a dict mapping each thread's thread id to its current stack frame.",
        |th, _| {
            audit(th, "sys._current_frames", &[])?;
            let d = Dict::new();
            for (id, frame, _) in threads(th) {
                if let Some(frame) = frame {
                    d.set(th, id.into(), frame.into())?;
                }
            }
            Ok(d.into())
        },
    ),
    function(
        "_current_exceptions",
        "()",
        "Return a dict mapping each thread's identifier to its current raised exception.",
        |th, _| {
            audit(th, "sys._current_exceptions", &[])?;
            let d = Dict::new();
            for (id, frame, handled) in threads(th) {
                if frame.is_some() {
                    d.set(th, id.into(), handled.into())?;
                }
            }
            Ok(d.into())
        },
    ),
    function("settrace", "(function, /)", "Set the global debug tracing function.", |th, a| {
        audit(th, "sys.settrace", &[])?;
        krait_runtime::tracing::set_trace(th, Some(&a[0]).filter(|f| !f.is_none()));
        Ok(Value::NONE)
    }),
    function("_settraceallthreads", "(arg, /)", "Set the global debug tracing function in all threads.", |th, a| {
        (hooks::vm().trace_all)(th, false, Some(&a[0]).filter(|f| !f.is_none()));
        Ok(Value::NONE)
    }),
    function("_setprofileallthreads", "(arg, /)", "Set the profiling function in all threads.", |th, a| {
        (hooks::vm().trace_all)(th, true, Some(&a[0]).filter(|f| !f.is_none()));
        Ok(Value::NONE)
    }),
    function("gettrace", "()", "Return the global debug tracing function set with sys.settrace.", |th, _| {
        Ok(krait_runtime::tracing::trace(th).into())
    }),
    function("setprofile", "(function, /)", "Set the profiling function.", |th, a| {
        audit(th, "sys.setprofile", &[])?;
        krait_runtime::tracing::set_profile(th, Some(&a[0]).filter(|f| !f.is_none()));
        Ok(Value::NONE)
    }),
    function("getprofile", "()", "Return the profiling function set with sys.setprofile.", |th, _| {
        Ok(krait_runtime::tracing::profile(th).into())
    }),
    function("call_tracing", "(func, args, /)", "Call func(*args), while tracing is enabled.", call_tracing),
];

/// Each thread's identifier, running frame and handled exception.
fn threads(th: &mut Thread) -> Vec<(u64, Option<Ref<Frame>>, Option<Value>)> {
    let mut all = Vec::new();
    (hooks::vm().threads)(th, &mut |id, frame, handled| all.push((id, frame, handled)));
    all
}

fn call_tracing(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let args = krait_runtime::protocol::iter::collect(th, &a[1])?;
    let inside = std::mem::take(&mut th.vm.tracing.inside);
    let event = th.vm.tracing.event.take();
    let result = krait_runtime::protocol::call::call(th, &a[0], &args);
    (th.vm.tracing.inside, th.vm.tracing.event) = (inside, event);
    result
}
