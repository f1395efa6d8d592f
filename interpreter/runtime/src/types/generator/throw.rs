//! `throw()` and `close()`, with delegation to what a generator awaits.
use krait_object::{Args, PyResult, Raised, Str, Thread, Tuple, Value};

use super::{Resume, Resumed, State, ended, expect, of, resume};
use crate::errors;
use crate::exceptions::{self as exc, base, is_exception, is_exception_class};
use crate::hooks;
use crate::protocol::{attr, call, repr};
use crate::types::traceback::TRACEBACK;
use crate::warnings;

/// `throw(exception)` or the old `throw(type, value, traceback)`; `args` without self.
pub fn throw(th: &mut Thread, object: &Value, args: &Args<'_>, name: &str) -> PyResult<Value> {
    let given = args.pos();
    if args.has_kw() {
        return Err(errors::type_error(th, format!("{name}() takes no keyword arguments")));
    }
    if given.is_empty() || given.len() > 3 {
        let (bound, n, s) = if given.is_empty() { ("at least", 1, "") } else { ("at most", 3, "s") };
        return Err(errors::type_error(th, format!("throw expected {bound} {n} argument{s}, got {}", given.len())));
    }
    if given.len() > 1 {
        let message = "the (type, exc, tb) signature of throw() is deprecated, use the single-arg signature instead.";
        warnings::warn(th, &exc::DEPRECATION_WARNING, message, 1)?;
    }
    let exception = exception_from(th, given)?;
    throw_exception(th, object, exception, given, true)
}

/// The instance to raise.
pub fn exception_from(th: &mut Thread, given: &[Value]) -> PyResult<Value> {
    let (kind, value) = (given[0].clone(), given.get(1).filter(|v| !v.is_none()).cloned());
    let traceback = given.get(2).filter(|v| !v.is_none()).cloned();
    if traceback.as_ref().is_some_and(|t| !t.is_instance(&TRACEBACK)) {
        return Err(errors::type_error(th, "throw() third argument must be a traceback object"));
    }
    let exception = if is_exception_class(&kind) {
        match value {
            Some(v)
                if is_exception(&v) && exc::as_exception_class(&kind).is_some_and(|k| v.is_instance(k.object())) =>
            {
                v
            }
            Some(v) => match v.to_ref::<Tuple>() {
                Some(all) => instantiate(th, &kind, &all)?,
                None => instantiate(th, &kind, &[v])?,
            },
            None => instantiate(th, &kind, &[])?,
        }
    } else if is_exception(&kind) {
        if value.is_some() {
            return Err(errors::type_error(th, "instance exception may not have a separate value"));
        }
        kind
    } else {
        let message =
            format!("exceptions must be classes or instances deriving from BaseException, not {}", kind.class().name());
        return Err(errors::type_error(th, message));
    };
    if let (Some(t), Some(b)) = (traceback, base(&exception)) {
        b.traceback.set(Some(t));
    }
    Ok(exception)
}

/// The exception that a class makes; what goes wrong meanwhile is thrown in its place.
fn instantiate(th: &mut Thread, kind: &Value, args: &[Value]) -> PyResult<Value> {
    let raised = match call::call(th, kind, args) {
        Ok(made) if is_exception(&made) => return Ok(made),
        Ok(made) => {
            let shown = repr::repr(th, kind)?.to_string_lossy().into_owned();
            let class = repr::repr(th, made.class_ref().as_value())?.to_string_lossy().into_owned();
            let message = format!("calling {shown} should have returned an instance of BaseException, not {class}");
            errors::type_error(th, message)
        }
        Err(raised) => raised,
    };
    Ok(errors::take(th, raised))
}

/// `_gen_throw`: the innermost delegate gets the exception first. `given` is what its own `throw` is called with.
pub fn throw_exception(
    th: &mut Thread,
    object: &Value,
    exception: Value,
    given: &[Value],
    close_on_exit: bool,
) -> PyResult<Value> {
    let finish = |th: &mut Thread, input: Resume| match resume(th, object, input)? {
        Resumed::Yield(v) => Ok(v),
        Resumed::Return(v) => Err(ended(th, object, v)),
    };
    let Some(delegate) = expect(object).delegate() else { return finish(th, Resume::Throw(exception)) };
    th.check_native("")?;
    if exception.is_instance(&exc::GENERATOR_EXIT) && close_on_exit {
        let closed = while_running(th, object, |th| close_delegate(th, &delegate));
        return match closed {
            Ok(()) => finish(th, Resume::Throw(exception)),
            Err(raised) => {
                let e = errors::take(th, raised);
                finish(th, Resume::Throw(e))
            }
        };
    }
    let answer = if of(&delegate).is_some() && delegate.downcast_exact::<super::AsyncGenerator>().is_none() {
        while_running(th, object, |th| throw_exception(th, &delegate, exception, given, close_on_exit))
    } else if let Some(inner) = super::coroutine::wrapped(&delegate) {
        while_running(th, object, |th| throw_exception(th, &inner, exception, given, close_on_exit))
    } else {
        match attr::get_text_opt(th, &delegate, "throw")? {
            None => return finish(th, Resume::Throw(exception)),
            Some(method) => while_running(th, object, |th| call::call(th, &method, given)),
        }
    };
    match answer {
        Ok(v) => Ok(v),
        Err(raised) => {
            let e = errors::take(th, raised);
            finish(th, Resume::Throw(e))
        }
    }
}

/// Runs `f` while the generator counts as executing, with its frame on the stack.
fn while_running<R>(th: &mut Thread, object: &Value, f: impl FnOnce(&mut Thread) -> PyResult<R>) -> PyResult<R> {
    let generator = expect(object);
    let Some(was) = generator.claim() else {
        // Another thread was faster.
        return Err(errors::value_error(th, format!("{} already executing", generator.kind())));
    };
    let (mut f, mut result) = (Some(f), None);
    (hooks::vm().on_stack)(th, object, &mut |th| {
        if let Some(f) = f.take() {
            result = Some(f(th));
        }
    });
    generator.set_state(was);
    result.unwrap_or_else(|| Err(errors::system_error(th, "a generator's frame did not run")))
}

/// `gen_close_iter`
fn close_delegate(th: &mut Thread, delegate: &Value) -> PyResult<()> {
    if of(delegate).is_some() && delegate.downcast_exact::<super::AsyncGenerator>().is_none() {
        return close(th, delegate).map(drop);
    }
    if let Some(inner) = super::coroutine::wrapped(delegate) {
        return close(th, &inner).map(drop);
    }
    match attr::get_text_opt(th, delegate, "close") {
        Ok(Some(method)) => call::call(th, &method, &[]).map(drop),
        Ok(None) => Ok(()),
        Err(_) => {
            errors::write_unraisable(th, Some(delegate));
            Ok(())
        }
    }
}

/// `gen_close`: the value that the generator returned, if it did.
pub fn close(th: &mut Thread, object: &Value) -> PyResult<Value> {
    let generator = expect(object);
    match generator.claim() {
        Some(was) => {
            // An unguarded generator has nothing that would see the exception.
            if was == State::Created || generator.is_unguarded() {
                generator.finish(object);
                return Ok(Value::NONE);
            }
            generator.set_state(was);
        }
        None if generator.state() == State::Done => return Ok(Value::NONE),
        None => return Err(errors::value_error(th, format!("{} already executing", generator.kind()))),
    }
    let mut exception = None;
    if let Some(delegate) = generator.delegate() {
        th.check_native("")?;
        if let Err(raised) = while_running(th, object, |th| close_delegate(th, &delegate)) {
            exception = Some(errors::take(th, raised));
        }
    }
    let exception = exception.unwrap_or_else(|| exc::allocate(&exc::GENERATOR_EXIT, Tuple::empty()));
    match resume(th, object, Resume::Throw(exception)) {
        Ok(Resumed::Yield(_)) => {
            let message = format!("{} ignored GeneratorExit", generator.kind());
            Err(errors::runtime_error(th, message))
        }
        Ok(Resumed::Return(v)) => Ok(v),
        Err(raised) => match errors::catch(th, raised, &exc::GENERATOR_EXIT) {
            Ok(_) => Ok(Value::NONE),
            Err(raised) => {
                let stop = errors::catch(th, raised, &exc::STOP_ITERATION)?;
                Ok(stop_value(&stop))
            }
        },
    }
}

/// The `value` of a StopIteration.
pub fn stop_value(exception: &Value) -> Value {
    exception.downcast_ref::<exc::StopIteration>().and_then(|s| s.value.get()).unwrap_or(Value::NONE)
}

/// Ends an awaitable step: `StopIteration(value)` with a value that may be any object.
pub fn finished_with(th: &mut Thread, value: Value) -> Raised {
    errors::stop_iteration(th, Some(value))
}

/// Text of a `__name__` to set.
pub(super) fn set_text(
    th: &mut Thread,
    cell: &krait_object::ValueCell,
    new: Option<&Value>,
    what: &str,
) -> PyResult<()> {
    match new {
        Some(n) if n.downcast_ref::<Str>().is_some() => {
            cell.set(Some(n.clone()));
            Ok(())
        }
        _ => Err(errors::type_error(th, format!("{what} must be set to a string object"))),
    }
}
