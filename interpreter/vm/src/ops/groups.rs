//! `except*`.
use krait_bytecode::Word;
use krait_bytecode::opcodes::KILL_1;
use krait_object::{List, PyResult, Thread, Tuple, Value};
use krait_runtime::errors;
use krait_runtime::exceptions::{self as exc, BASE_EXCEPTION_GROUP};
use krait_runtime::protocol::{attr, call};

use super::{a, b, c, dies, ok};
use crate::frames::publish;
use crate::regs::{Pc, Regs, S};
use crate::safepoint::after_drop;

pub fn op_check_eg_match(th: &mut Thread, w: Word, pc: Pc, r: Regs) -> S {
    publish(th, pc);
    let (exception, wanted) = (r.get(b(w)).clone(), r.get(c(w)).clone());
    let (matching, rest) = ok!(split(th, &exception, &wanted), th, pc, r);
    if !matching.is_none() {
        th.handled = Some(matching.clone());
    }
    let mut freed = r.replace(b(w), Some(rest)).is_some_and(Value::release);
    freed |= r.replace(a(w), Some(matching)).is_some_and(Value::release);
    if dies(w, KILL_1) {
        freed |= r.kill(c(w));
    }
    drop((exception, wanted));
    after_drop(th, pc, freed);
    S { pc, r }
}
/// The part of an exception (group) that matches, and the rest; None for nothing.
fn split(th: &mut Thread, exception: &Value, wanted: &Value) -> PyResult<(Value, Value)> {
    errors::check_except_star(th, wanted)?;
    if exception.is_none() {
        return Ok((Value::NONE, Value::NONE));
    }
    if errors::matches(exception, wanted) {
        if exception.is_instance(&BASE_EXCEPTION_GROUP) {
            return Ok((exception.clone(), Value::NONE));
        }
        let group = new_group(th, "", vec![exception.clone()])?;
        copy_metadata(&group, exception);
        return Ok((group, Value::NONE));
    }
    if exception.is_instance(&BASE_EXCEPTION_GROUP) {
        let pair = attr::call_method(th, exception, "split", std::slice::from_ref(wanted))?;
        let Some(parts) = pair.to_ref::<Tuple>() else {
            let message = format!(
                "{}.split must return a tuple, not {}",
                exception.class().name(),
                pair.class().name()
            );
            return Err(errors::type_error(th, message));
        };
        if parts.len() < 2 {
            let message = format!(
                "{}.split must return a 2-tuple, got tuple of size {}",
                exception.class().name(),
                parts.len()
            );
            return Err(errors::type_error(th, message));
        }
        return Ok((parts[0].clone(), parts[1].clone()));
    }
    Ok((Value::NONE, exception.clone()))
}
/// A naked exception in a group keeps the traceback.
fn copy_metadata(group: &Value, of: &Value) {
    if let (Some(g), Some(e)) = (exc::base(group), exc::base(of)) {
        g.traceback.set(e.traceback.get());
    }
}
fn new_group(th: &mut Thread, message: &str, exceptions: Vec<Value>) -> PyResult<Value> {
    let class = exc::EXCEPTION_GROUP.to_value();
    let base = BASE_EXCEPTION_GROUP.to_value();
    let plain = exceptions.iter().all(|e| e.is_instance(&exc::EXCEPTION));
    let class = if plain { class } else { base };
    call::call(th, &class, &[Value::str(message), List::new(exceptions).into()])
}

/// What an `except*` statement raises at its end: the parts raised anew and those not handled, which keep the shape of
/// the original group. `_PyExc_PrepReraiseStar`.
pub fn prepare_reraise(th: &mut Thread, original: &Value, parts: &Value) -> PyResult<Value> {
    let parts: Vec<Value> = match parts.downcast_ref::<List>() {
        Some(list) => list.to_vec().into_iter().filter(|e| !e.is_none()).collect(),
        None => Vec::new(),
    };
    if parts.is_empty() {
        return Ok(Value::NONE);
    }
    if !original.is_instance(&BASE_EXCEPTION_GROUP) {
        return Ok(parts.into_iter().next().unwrap_or(Value::NONE));
    }
    let (unhandled, mut raised): (Vec<Value>, Vec<Value>) =
        parts.into_iter().partition(|e| same_metadata(e, original));
    let mut leaves = Vec::new();
    for e in &unhandled {
        collect_leaves(e, &mut leaves);
    }
    let projected = if unhandled.is_empty() { Value::NONE } else { project(th, original, &leaves)? };
    if raised.is_empty() {
        return Ok(projected);
    }
    if !projected.is_none() {
        raised.push(projected);
    }
    if raised.len() == 1 {
        return Ok(raised.remove(0));
    }
    new_group(th, "", raised)
}
/// Parts split off a group share its notes, traceback, cause and context; what was raised in a handler does not.
fn same_metadata(e: &Value, original: &Value) -> bool {
    let (Some(x), Some(y)) = (exc::base(e), exc::base(original)) else { return false };
    let notes = |b: &exc::BaseException| {
        b.dict.get().and_then(|d| d.to_ref::<krait_object::Dict>()).and_then(|d| d.get_text("__notes__"))
    };
    let same = |p: Option<Value>, q: Option<Value>| p.map(|v| v.bits()) == q.map(|v| v.bits());
    same(notes(x), notes(y))
        && same(x.traceback.get(), y.traceback.get())
        && same(x.cause.get(), y.cause.get())
        && same(x.context.get(), y.context.get())
}
fn members(group: &Value) -> Option<krait_object::Ref<Tuple>> {
    group.downcast_ref::<exc::BaseExceptionGroup>()?.exceptions.get()?.to_ref()
}
fn collect_leaves(e: &Value, leaves: &mut Vec<Value>) {
    match members(e) {
        Some(all) => all.iter().for_each(|e| collect_leaves(e, leaves)),
        None => leaves.push(e.clone()),
    }
}
/// The original group cut down to `leaves`.
fn project(th: &mut Thread, e: &Value, leaves: &[Value]) -> PyResult<Value> {
    th.check_native(" in exception group projection")?;
    let Some(all) = members(e) else {
        return Ok(if leaves.iter().any(|l| l.is(e)) { e.clone() } else { Value::NONE });
    };
    let mut kept = Vec::new();
    for part in all.iter() {
        let part = project(th, part, leaves)?;
        if !part.is_none() {
            kept.push(part);
        }
    }
    if kept.is_empty() {
        return Ok(Value::NONE);
    }
    let list: Value = List::new(kept).into();
    let group = attr::call_method(th, e, "derive", &[list])?;
    if let (Some(g), Some(o)) = (exc::base(&group), exc::base(e)) {
        g.traceback.set(o.traceback.get());
        g.context.set(o.context.get());
        g.set_cause(o.cause.get());
        let notes = o.dict.get().and_then(|d| d.to_ref::<krait_object::Dict>()).and_then(|d| d.get_text("__notes__"));
        if let Some(notes) = notes {
            let copy: Value = match notes.downcast_ref::<List>() {
                Some(list) => List::new(list.to_vec()).into(),
                None => notes,
            };
            attr::set_text(th, &group, "__notes__", &copy)?;
        }
    }
    Ok(group)
}
