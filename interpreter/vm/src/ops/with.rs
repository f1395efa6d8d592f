//! `with` and `async with`.
use krait_bytecode::opcodes::KILL_1;
use krait_bytecode::{Op, Word};
use krait_object::{PyResult, Thread, Value};
use krait_runtime::errors;
use krait_runtime::protocol::attr::{Special, lookup_unbound};
use krait_runtime::protocol::call;
use krait_runtime::well_known::names;

use super::exceptions::details;
use super::{a, b, c, dies, finish0, ok};
use crate::frames::publish;
use crate::regs::{Pc, Regs, S};
use crate::safepoint::after_drop;

pub fn op_before_with(th: &mut Thread, w: Word, pc: Pc, r: Regs) -> S {
    publish(th, pc);
    let manager = r.get(b(w)).clone();
    let is_async = w.op_byte() == Op::BEFORE_ASYNC_WITH as u8;
    let (enter, exit) = ok!(methods(th, &manager, is_async), th, pc, r);
    let mut freed = false;
    if dies(w, KILL_1) {
        freed |= r.kill(b(w));
    }
    drop(r.replace(a(w), Some(exit)));
    match enter {
        Special::Unbound(function) => {
            drop(r.replace(a(w) + 1, Some(function)));
            r.put(a(w) + 5, manager);
        }
        Special::Bound(bound) => {
            drop(r.replace(a(w) + 1, Some(bound)));
            freed |= manager.release();
        }
    }
    after_drop(th, pc, freed);
    S { pc, r }
}
pub fn op_before_async_with(th: &mut Thread, w: Word, pc: Pc, r: Regs) -> S {
    op_before_with(th, w, pc, r)
}
fn methods(th: &mut Thread, manager: &Value, is_async: bool) -> PyResult<(Special, Value)> {
    let n = names();
    let (enter_name, exit_name) = if is_async { (&n.aenter, &n.aexit) } else { (&n.enter, &n.exit) };
    let kind = if is_async { "asynchronous context manager" } else { "context manager" };
    let class = manager.class().name();
    let Some(enter) = lookup_unbound(th, manager, enter_name)? else {
        let message = format!("'{class}' object does not support the {kind} protocol");
        return Err(errors::type_error(th, message));
    };
    let Some(exit) = lookup_unbound(th, manager, exit_name)? else {
        let missed = exit_name.to_string_lossy();
        let message = format!("'{class}' object does not support the {kind} protocol (missed {missed} method)");
        return Err(errors::type_error(th, message));
    };
    let exit = match exit {
        Special::Bound(bound) => bound,
        Special::Unbound(function) => {
            let get = function.class().slots.descr_get.get();
            match get {
                Some(get) => get(th, &function, Some(manager), Some(manager.class_ref().as_value()))?,
                None => function,
            }
        }
    };
    Ok((enter, exit))
}
pub fn op_prepare_exit(_: &mut Thread, w: Word, pc: Pc, r: Regs) -> S {
    let exit = r.take(b(w));
    r.replace(a(w), exit);
    for i in 4..7 {
        r.put(a(w) + i, Value::NONE);
    }
    S { pc, r }
}
pub fn op_with_except_start(th: &mut Thread, w: Word, pc: Pc, r: Regs) -> S {
    publish(th, pc);
    let (exit, exception) = (r.get(b(w)).clone(), r.get(c(w)).clone());
    let (class, traceback) = details(&exception);
    let answer = ok!(call::call(th, &exit, &[class, exception, traceback]), th, pc, r);
    drop(exit);
    finish0(th, a(w), pc, pc, r, answer)
}
