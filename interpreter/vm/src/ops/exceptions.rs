//! Raising, handling, matching exceptions.
use krait_bytecode::Word;
use krait_object::{PyResult, Raised, Thread, Type, Value};
use krait_runtime::errors;
use krait_runtime::exceptions::{self as exc, is_exception, is_exception_class};
use krait_runtime::protocol::call;

use super::jump::go_kill;
use super::{a, b, c, ok};
use crate::frames::publish;
use crate::regs::{Pc, Regs, S};
use crate::unwind::{fail, reraise};

pub fn op_raise(th: &mut Thread, w: Word, pc: Pc, r: Regs) -> S {
    publish(th, pc);
    if c(w) == 0 {
        return raise_again(th, pc, r);
    }
    let what = r.get(a(w)).clone();
    let cause = if c(w) == 2 { Some(r.get(b(w)).clone()) } else { None };
    let raised = match raise(th, what, cause) {
        Ok(raised) | Err(raised) => raised,
    };
    fail(th, raised, pc, r)
}
/// `raise` without an operand.
fn raise_again(th: &mut Thread, pc: Pc, r: Regs) -> S {
    match th.topmost_handled().cloned() {
        Some(exception) => {
            let raised = Raised::set(th, exception);
            reraise(th, raised, pc, r)
        }
        None => {
            let raised = errors::runtime_error(th, "No active exception to reraise");
            fail(th, raised, pc, r)
        }
    }
}
fn instance(th: &mut Thread, v: &Value, message: &str) -> PyResult<Value> {
    if is_exception_class(v) {
        let made = call::call(th, v, &[])?;
        if !is_exception(&made) {
            let shown = krait_runtime::protocol::repr::repr(th, v)?;
            let class = krait_runtime::protocol::repr::repr(th, made.class_ref().as_value())?;
            let message = format!("calling {shown} should have returned an instance of BaseException, not {class}");
            return Err(errors::type_error(th, message));
        }
        return Ok(made);
    }
    if is_exception(v) {
        return Ok(v.clone());
    }
    Err(errors::type_error(th, message))
}
fn raise(th: &mut Thread, what: Value, cause: Option<Value>) -> PyResult<Raised> {
    let exception = instance(th, &what, "exceptions must derive from BaseException")?;
    if let Some(cause) = cause {
        let cause = if cause.is_none() {
            None
        } else {
            Some(instance(th, &cause, "exception causes must derive from BaseException")?)
        };
        errors::set_cause(&exception, cause);
    }
    Ok(errors::raise_value(th, exception))
}
pub fn op_reraise(th: &mut Thread, w: Word, pc: Pc, r: Regs) -> S {
    publish(th, pc);
    let exception = r.moved(a(w));
    let raised = Raised::set(th, exception);
    reraise(th, raised, pc, r)
}
pub fn op_push_exc_info(th: &mut Thread, w: Word, pc: Pc, r: Regs) -> S {
    let exception = r.get(a(w)).clone();
    let before = th.handled.replace(exception);
    r.replace(a(w) + 1, Some(before.unwrap_or(Value::NONE)));
    S { pc, r }
}
pub fn op_pop_except(th: &mut Thread, w: Word, pc: Pc, r: Regs) -> S {
    let before = r.take(a(w) + 1).filter(|v| !v.is_none());
    let handled = std::mem::replace(&mut th.handled, before);
    let exception = r.take(a(w));
    let mut freed = handled.is_some_and(Value::release);
    freed |= exception.is_some_and(Value::release);
    crate::safepoint::after_drop(th, pc, freed);
    S { pc, r }
}
pub fn op_jnexc_match(th: &mut Thread, w: Word, pc: Pc, r: Regs) -> S {
    let (exception, wanted) = (r.get(a(w)), r.get(b(w)));
    if let Some(matched) = matches_class(exception, wanted) {
        return go_kill(th, w, pc, r, !matched, [b(w)]);
    }
    publish(th, pc);
    let (exception, wanted) = (exception.clone(), wanted.clone());
    let matched = ok!(errors::except_matches(th, &exception, &wanted), th, pc, r);
    drop((exception, wanted));
    go_kill(th, w, pc, r, !matched, [b(w)])
}

/// Whether a caught exception is of a class, where that is one of exceptions.
fn matches_class(exception: &Value, wanted: &Value) -> Option<bool> {
    wanted.downcast_exact::<Type>()?;
    if exception.class().has_ancestor(wanted)? {
        return Some(true);
    }
    is_exception_class(wanted).then_some(false)
}
/// The type of an exception and its traceback, as `__exit__` gets them.
pub fn details(exception: &Value) -> (Value, Value) {
    let traceback = exc::base(exception).and_then(|b| b.traceback.get()).unwrap_or(Value::NONE);
    (exception.class_ref().into(), traceback)
}
