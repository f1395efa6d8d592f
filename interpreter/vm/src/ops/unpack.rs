//! Unpacking assignments.
use krait_bytecode::Word;
use krait_bytecode::opcodes::KILL_1;
use krait_object::{List, PyResult, Thread, Tuple, Value};
use krait_runtime::errors;
use krait_runtime::protocol::{iter, sequence};

use super::{a, b, c, dies, ok};
use crate::frames::publish;
use crate::regs::{Pc, Regs, S};
use crate::safepoint::after_drop;

/// Puts the items into `R[A..]` after the operand, if it dies, was dropped.
fn spread(th: &mut Thread, w: Word, pc: Pc, next: Pc, r: Regs, items: Vec<Value>) -> S {
    let mut freed = false;
    if dies(w, KILL_1) {
        freed |= r.kill(b(w));
    }
    for (i, item) in items.into_iter().enumerate() {
        if let Some(old) = r.replace(a(w) + i, Some(item)) {
            freed |= old.release();
        }
    }
    after_drop(th, pc, freed);
    S { pc: next, r }
}

#[inline(always)]
pub fn op_unpack_sequence(th: &mut Thread, w: Word, pc: Pc, r: Regs) -> S {
    if c(w) == 2
        && let Some(tuple) = r.get(b(w)).downcast_exact::<Tuple>()
        && let [first, second] = tuple.as_slice()
    {
        let (first, second) = (first.clone(), second.clone());
        let mut freed = r.replace(a(w), Some(first)).is_some_and(Value::release);
        freed |= r.replace(a(w) + 1, Some(second)).is_some_and(Value::release);
        if dies(w, KILL_1) {
            freed |= r.kill(b(w));
        }
        after_drop(th, pc, freed);
        return S { pc, r };
    }
    unpack_other(th, w, pc, r)
}
#[inline(never)]
fn unpack_other(th: &mut Thread, w: Word, pc: Pc, r: Regs) -> S {
    let source = r.get(b(w));
    if let Some(tuple) = source.downcast_exact::<Tuple>()
        && tuple.len() == c(w)
    {
        let held = r.take_or_clone(b(w), dies(w, KILL_1));
        let mut freed = false;
        for (i, item) in tuple.iter().enumerate() {
            if let Some(old) = r.replace(a(w) + i, Some(item.clone())) {
                freed |= old.release();
            }
        }
        freed |= held.release();
        after_drop(th, pc, freed);
        return S { pc, r };
    }
    if let Some(list) = source.downcast_exact::<List>() {
        let items = list.lock();
        if items.len() == c(w) {
            let held = source.clone();
            let mut freed = false;
            for (i, item) in items.iter().enumerate() {
                if let Some(old) = r.replace(a(w) + i, Some(item.clone())) {
                    freed |= old.release();
                }
            }
            drop(items);
            if dies(w, KILL_1) {
                freed |= r.kill(b(w));
            }
            freed |= held.release();
            after_drop(th, pc, freed);
            return S { pc, r };
        }
    }
    publish(th, pc);
    let source = source.clone();
    let items = ok!(exactly(th, &source, c(w)), th, pc, r);
    drop(source);
    spread(th, w, pc, pc, r, items)
}

fn not_iterable(th: &mut Thread, source: &Value) -> Option<krait_object::Raised> {
    if source.class().slots.iter.get().is_some() || sequence::is_sequence(source) {
        return None;
    }
    let message = format!("cannot unpack non-iterable {} object", source.class().name());
    Some(errors::type_error(th, message))
}
fn exactly(th: &mut Thread, source: &Value, wanted: usize) -> PyResult<Vec<Value>> {
    if let Some(list) = source.downcast_exact::<List>() {
        let items = list.lock();
        if items.len() == wanted {
            return Ok(items.clone());
        }
    }
    if let Some(raised) = not_iterable(th, source) {
        return Err(raised);
    }
    let it = iter::iter(th, source)?;
    let mut items = Vec::with_capacity(wanted.min(64));
    while items.len() < wanted {
        match iter::next(th, &it)? {
            Some(item) => items.push(item),
            None => {
                let message = format!("not enough values to unpack (expected {wanted}, got {})", items.len());
                return Err(errors::value_error(th, message));
            }
        }
    }
    match iter::next(th, &it)? {
        None => Ok(items),
        Some(_) => Err(errors::value_error(th, format!("too many values to unpack (expected {wanted})"))),
    }
}

pub fn op_unpack_ex(th: &mut Thread, w: Word, pc: Pc, r: Regs) -> S {
    publish(th, pc);
    let source = r.get(b(w)).clone();
    let items = ok!(starred(th, &source, c(w), pc.extra(0) as usize), th, pc, r);
    drop(source);
    spread(th, w, pc, pc.add(1), r, items)
}
fn starred(th: &mut Thread, source: &Value, before: usize, after: usize) -> PyResult<Vec<Value>> {
    if let Some(raised) = not_iterable(th, source) {
        return Err(raised);
    }
    let it = iter::iter(th, source)?;
    let mut items = Vec::new();
    let least = if after == 0 { before } else { before + after };
    let too_few = |th: &mut Thread, got: usize| {
        let message = format!("not enough values to unpack (expected at least {least}, got {got})");
        errors::value_error(th, message)
    };
    while items.len() < before {
        match iter::next(th, &it)? {
            Some(item) => items.push(item),
            None => return Err(too_few(th, items.len())),
        }
    }
    let mut rest = Vec::new();
    while let Some(item) = iter::next(th, &it)? {
        rest.push(item);
    }
    if rest.len() < after {
        return Err(too_few(th, before + rest.len()));
    }
    let tail = rest.split_off(rest.len() - after);
    items.push(List::new(rest).into());
    items.extend(tail);
    Ok(items)
}
