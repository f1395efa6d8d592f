//! What happens to generators that nobody can go on with any more, and the origin of coroutines.
use std::sync::OnceLock;

use krait_object::native::Sig;
use krait_object::{Args, Dict, PyResult, Ref, Thread, Tuple, Type, Value};

use super::{AsyncGenerator, Coroutine, State, close, expect};
use crate::errors;
use crate::exceptions;
use crate::protocol::{attr, call};
use crate::types::frame;
use crate::types::structseq::{self, StructSeqDef};
use crate::warnings;

/// `sys.set_asyncgen_hooks`, per thread.
#[derive(Default)]
pub struct AsyncGenHooks {
    pub firstiter: Option<Value>,
    pub finalizer: Option<Value>,
}
/// `sys.get_asyncgen_hooks()`
pub fn get_hooks(th: &mut Thread, _: &Args<'_>) -> PyResult<Value> {
    let class = th.interp.extension::<HooksType>().0.get_or_init(|| structseq::new_type(&HOOKS)).clone();
    let hooks = th.extension::<AsyncGenHooks>();
    let parts = vec![hooks.firstiter.clone().into(), hooks.finalizer.clone().into()];
    Ok(structseq::build(&class, parts, 2))
}
#[derive(Default)]
struct HooksType(OnceLock<Ref<Type>>);
static HOOKS: StructSeqDef = StructSeqDef {
    module: "sys",
    name: "asyncgen_hooks",
    doc: "What sys.get_asyncgen_hooks() answers.",
    fields: &[
        ("firstiter", "called when an iteration begins"),
        ("finalizer", "called before a generator is collected"),
    ],
    visible: 2,
    instantiable: false,
};
/// `sys.set_asyncgen_hooks(firstiter=…, finalizer=…)`; what is left out stays.
pub fn set_hooks(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    static SIG: Sig = Sig::new("(firstiter=<unrepresentable>, finalizer=<unrepresentable>)");
    let bound = SIG.bind(th, "set_asyncgen_hooks", "set_asyncgen_hooks", a, 0)?;
    let a = bound.args();
    for (i, name) in ["firstiter", "finalizer"].into_iter().enumerate().rev() {
        if let Some(f) = a.opt_not_none(i)
            && !call::is_callable(f)
        {
            let message = format!("callable {name} expected, got {}", f.class().name());
            return Err(errors::type_error(th, message));
        }
    }
    for (i, event) in
        ["sys.set_asyncgen_hook_firstiter", "sys.set_asyncgen_hook_finalizer"].into_iter().enumerate().rev()
    {
        if a.opt(i).is_some() {
            crate::audit::audit(th, event, &[])?;
        }
    }
    let hooks = th.extension::<AsyncGenHooks>();
    if let Some(f) = a.opt(0) {
        hooks.firstiter = Some(f.clone()).filter(|f| !f.is_none());
    }
    if let Some(f) = a.opt(1) {
        hooks.finalizer = Some(f.clone()).filter(|f| !f.is_none());
    }
    Ok(Value::NONE)
}

/// `sys.set_coroutine_origin_tracking_depth`, per thread.
#[derive(Default)]
struct OriginTracking {
    depth: usize,
}
pub fn origin_depth(th: &mut Thread) -> i32 {
    th.extension::<OriginTracking>().depth as i32
}
pub fn set_origin_depth(th: &mut Thread, depth: i32) {
    th.extension::<OriginTracking>().depth = depth.max(0) as usize;
}

/// `cr_origin` of a coroutine created now.
pub(super) fn capture_origin(th: &mut Thread) -> Option<Value> {
    let depth = th.extension::<OriginTracking>().depth;
    if depth == 0 {
        return None;
    }
    let mut entries = Vec::new();
    for level in 0..depth {
        let Some(frame) = frame::current(th, level) else { break };
        let line = frame.lineno(th);
        let entry = [frame.code.filename().into(), line.into(), frame.code.name.to_value()];
        entries.push(Tuple::new(entry).into());
    }
    Some(Tuple::from_vec(entries).into())
}

/// `_PyGen_Finalize`
pub fn finalize(th: &mut Thread, v: &Value) {
    let generator = expect(v);
    if matches!(generator.state(), State::Done | State::Running) {
        return;
    }
    if v.downcast_exact::<AsyncGenerator>().is_some()
        && let Some(finalizer) = generator.finalizer.get()
        && !generator.closed.load(std::sync::atomic::Ordering::Relaxed)
    {
        if call::call(th, &finalizer, std::slice::from_ref(v)).is_err() {
            errors::write_unraisable(th, Some(&finalizer));
        }
        return;
    }
    if v.downcast_exact::<Coroutine>().is_some() && generator.state() == State::Created {
        warn_never_awaited(th, v);
        generator.finish(v);
        return;
    }
    if close(th, v).is_err() {
        errors::write_unraisable(th, Some(v));
    }
}

/// By `warnings._warn_unawaited_coroutine` where that module is loaded.
fn warn_never_awaited(th: &mut Thread, v: &Value) {
    let modules = th.interp.modules.get().and_then(|m| m.to_ref::<Dict>());
    let module = modules.and_then(|m| m.get_text("warnings"));
    let function = match module {
        Some(module) => attr::get_text_opt(th, &module, "_warn_unawaited_coroutine"),
        None => Ok(None),
    };
    let Ok(function) = function else { return errors::write_unraisable(th, Some(v)) };
    if let Some(function) = function {
        if call::call(th, &function, std::slice::from_ref(v)).is_ok() {
            return;
        }
        errors::write_unraisable(th, Some(v));
    }
    let message = format!("coroutine '{}' was never awaited", expect(v).display_name());
    if warnings::warn(th, &exceptions::RUNTIME_WARNING, &message, 1).is_err() {
        errors::write_unraisable(th, Some(v));
    }
}

/// A step of an asynchronous generator (`asend`, `athrow`, `aclose`) was made and never awaited.
pub(super) fn warn_method_never_awaited(th: &mut Thread, generator: &Value, method: &str) {
    let name = expect(generator).qualname.get().unwrap_or(Value::NONE);
    let warned = match crate::protocol::repr::repr(th, &name) {
        Ok(name) => {
            let message = format!("coroutine method '{method}' of {} was never awaited", name.to_string_lossy());
            warnings::warn(th, &exceptions::RUNTIME_WARNING, &message, 1)
        }
        Err(raised) => Err(raised),
    };
    if warned.is_err() {
        errors::write_unraisable(th, Some(generator));
    }
}
