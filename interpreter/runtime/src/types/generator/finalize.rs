//! What happens to generators that nobody can go on with any more, and the origin of coroutines.
use krait_object::{Dict, Thread, Tuple, Value};

use super::{AsyncGenerator, Coroutine, State, close, expect};
use crate::errors;
use crate::exceptions;
use crate::protocol::{attr, call};
use crate::types::frame;
use crate::warnings;

/// `sys.set_asyncgen_hooks`, per thread.
#[derive(Default)]
pub struct AsyncGenHooks {
    pub firstiter: Option<Value>,
    pub finalizer: Option<Value>,
}
/// `sys.set_coroutine_origin_tracking_depth`, per thread.
#[derive(Default)]
pub struct OriginTracking {
    pub depth: usize,
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
        let entry = [frame.code.filename.to_value(), line.into(), frame.code.name.to_value()];
        entries.push(Tuple::new(entry).into());
    }
    Some(Tuple::from_vec(entries).into())
}

/// `_PyGen_Finalize`
pub(super) fn finalize(th: &mut Thread, v: &Value) {
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
    let result = match function {
        Some(function) => call::call(th, &function, std::slice::from_ref(v)).map(drop),
        None => {
            let message = format!("coroutine '{}' was never awaited", expect(v).display_name());
            warnings::warn(th, &exceptions::RUNTIME_WARNING, &message, 1)
        }
    };
    if result.is_err() {
        errors::write_unraisable(th, Some(v));
    }
}
