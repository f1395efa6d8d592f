//! Displays: tuples, lists, sets, dicts, slices and what is added to them.
use krait_bytecode::Word;
use krait_bytecode::opcodes::{KILL_1, KILL_2};
use krait_object::{Dict, List, PyResult, Set, Thread, Tuple, Value};
use krait_runtime::errors;
use krait_runtime::exceptions::{ATTRIBUTE_ERROR, TYPE_ERROR};
use krait_runtime::protocol::{attr, iter, sequence};
use krait_runtime::types::slice::Slice;

use super::call::function_text;
use super::{a, b, c, dies, finish0, finish1, kill_reads, ok, quick};
use crate::frames::publish;
use crate::regs::{Pc, Regs, S};

pub fn op_build_tuple(th: &mut Thread, w: Word, pc: Pc, r: Regs) -> S {
    let first = b(w);
    let tuple = match c(w) {
        1 => Tuple::of([r.moved(first)]),
        2 => Tuple::of([r.moved(first), r.moved(first + 1)]),
        3 => Tuple::of([r.moved(first), r.moved(first + 1), r.moved(first + 2)]),
        n => Tuple::new((0..n).map(|i| r.moved(first + i))),
    };
    finish0(th, a(w), pc, pc, r, tuple.into())
}
pub fn op_build_list(th: &mut Thread, w: Word, pc: Pc, r: Regs) -> S {
    let items = r.take_many(b(w), c(w));
    finish0(th, a(w), pc, pc, r, List::new(items).into())
}
pub fn op_build_set(th: &mut Thread, w: Word, pc: Pc, r: Regs) -> S {
    publish(th, pc);
    let items = r.take_many(b(w), c(w));
    let set = Set::new();
    for item in &items {
        ok!(set.add(th, item.clone()), th, pc, r);
    }
    drop(items);
    finish0(th, a(w), pc, pc, r, set.into())
}
pub fn op_build_map(th: &mut Thread, w: Word, pc: Pc, r: Regs) -> S {
    publish(th, pc);
    let dict = Dict::with_room(c(w));
    for at in (b(w)..b(w) + 2 * c(w)).step_by(2) {
        let (key, value) = (r.moved(at), r.moved(at + 1));
        ok!(store(th, &dict, key, value), th, pc, r);
    }
    finish0(th, a(w), pc, pc, r, dict.into())
}
/// `dict[key] = value`.
fn store(th: &mut Thread, dict: &Dict, key: Value, value: Value) -> PyResult<()> {
    match dict.set_quick(&key, value) {
        Ok(_) => Ok(()),
        Err(value) => dict.set(th, key, value),
    }
}
pub fn op_build_slice(th: &mut Thread, w: Word, pc: Pc, r: Regs) -> S {
    let (start, stop) = (r.moved(b(w)), r.moved(b(w) + 1));
    let step = if c(w) == 3 { r.moved(b(w) + 2) } else { Value::NONE };
    finish0(th, a(w), pc, pc, r, Slice::new(start, stop, step).into())
}

#[inline(always)]
pub fn op_list_append(th: &mut Thread, w: Word, pc: Pc, r: Regs) -> S {
    let value = r.take_or_clone(b(w), dies(w, KILL_1));
    if let Some(list) = r.get(a(w)).downcast_exact::<List>()
        && list.try_push(value).is_err()
    {
        publish(th, pc);
        let full: PyResult<()> = Err(errors::memory_error(th));
        ok!(full, th, pc, r);
    }
    S { pc, r }
}
pub fn op_set_add(th: &mut Thread, w: Word, pc: Pc, r: Regs) -> S {
    publish(th, pc);
    let (set, value) = (r.get(a(w)).clone(), r.get(b(w)).clone());
    if let Some(set) = set.downcast_ref::<Set>()
        && set.add_quick(&value).is_err()
    {
        ok!(set.add(th, value.clone()), th, pc, r);
    }
    drop((set, value));
    kill_reads(th, w, pc, pc, r, &[b(w)])
}
pub fn op_map_add(th: &mut Thread, w: Word, pc: Pc, r: Regs) -> S {
    publish(th, pc);
    let (dict, key, value) =
        (r.get(a(w)).clone(), r.take_or_clone(b(w), dies(w, KILL_1)), r.take_or_clone(c(w), dies(w, KILL_2)));
    if let Some(dict) = dict.downcast_ref::<Dict>() {
        ok!(store(th, dict, key, value), th, pc, r);
    }
    drop(dict);
    S { pc, r }
}

pub fn op_list_extend(th: &mut Thread, w: Word, pc: Pc, r: Regs) -> S {
    publish(th, pc);
    let (list, source) = (r.get(a(w)).clone(), r.get(b(w)).clone());
    ok!(extend(th, &list, &source), th, pc, r);
    drop((list, source));
    kill_reads(th, w, pc, pc, r, &[b(w)])
}
fn extend(th: &mut Thread, list: &Value, source: &Value) -> PyResult<()> {
    let Some(list) = list.downcast_ref::<List>() else { return Ok(()) };
    if source.class().slots.iter.get().is_none() && !sequence::is_sequence(source) {
        let message = format!("Value after * must be an iterable, not {}", source.class().name());
        return Err(errors::type_error(th, message));
    }
    let items = iter::collect(th, source)?;
    let mut held = list.lock();
    if held.try_reserve(items.len()).is_err() {
        drop(held);
        return Err(errors::memory_error(th));
    }
    held.extend(items);
    Ok(())
}
pub fn op_list_to_tuple(th: &mut Thread, w: Word, pc: Pc, r: Regs) -> S {
    let items = match r.get(b(w)).downcast_ref::<List>() {
        Some(list) => list.replace(Vec::new()),
        None => Vec::new(),
    };
    finish1(th, w, pc, pc, r, Tuple::from_vec(items).into())
}
pub fn op_set_update(th: &mut Thread, w: Word, pc: Pc, r: Regs) -> S {
    publish(th, pc);
    let (set, source) = (r.get(a(w)).clone(), r.get(b(w)).clone());
    let items = ok!(iter::collect(th, &source), th, pc, r);
    if let Some(set) = set.downcast_ref::<Set>() {
        for item in &items {
            ok!(set.add(th, item.clone()), th, pc, r);
        }
    }
    drop((set, source, items));
    kill_reads(th, w, pc, pc, r, &[b(w)])
}

/// Key and value pairs of a mapping; `None` when it has no `keys`.
fn pairs_of(th: &mut Thread, mapping: &Value) -> PyResult<Option<Vec<(Value, Value)>>> {
    if let Some(dict) = mapping.downcast_exact::<Dict>() {
        return Ok(Some(dict.items()));
    }
    let keys = match attr::get_text(th, mapping, "keys") {
        Ok(keys) => keys,
        Err(raised) => {
            drop(errors::catch(th, raised, &ATTRIBUTE_ERROR)?);
            return Ok(None);
        }
    };
    let keys = krait_runtime::protocol::call::call(th, &keys, &[])?;
    let mut pairs = Vec::new();
    for key in iter::collect(th, &keys)? {
        let value = sequence::get_item(th, mapping, &key)?;
        pairs.push((key, value));
    }
    Ok(Some(pairs))
}
pub fn op_dict_update(th: &mut Thread, w: Word, pc: Pc, r: Regs) -> S {
    publish(th, pc);
    let (dict, source) = (r.get(a(w)).clone(), r.get(b(w)).clone());
    let pairs = match ok!(pairs_of(th, &source), th, pc, r) {
        Some(pairs) => pairs,
        None => {
            let raised = errors::type_error(th, format!("'{}' object is not a mapping", source.class().name()));
            return crate::unwind::fail(th, raised, pc, r);
        }
    };
    if let Some(dict) = dict.downcast_ref::<Dict>() {
        for (key, value) in pairs {
            ok!(dict.set(th, key, value), th, pc, r);
        }
    }
    drop((dict, source));
    kill_reads(th, w, pc, pc, r, &[b(w)])
}
pub fn op_dict_merge(th: &mut Thread, w: Word, pc: Pc, r: Regs) -> S {
    publish(th, pc);
    let (dict, source, callable) = (r.get(a(w)).clone(), r.get(b(w)).clone(), r.get(c(w)).clone());
    ok!(merge(th, &dict, &source, &callable), th, pc, r);
    drop((dict, source, callable));
    kill_reads(th, w, pc, pc, r, &[b(w)])
}
fn merge(th: &mut Thread, dict: &Value, source: &Value, callable: &Value) -> PyResult<()> {
    let Some(dict) = dict.to_ref::<Dict>() else { return Ok(()) };
    let Some(pairs) = pairs_of(th, source)? else {
        let what = function_text(th, callable)?;
        let message = format!("{what} argument after ** must be a mapping, not {}", source.class().name());
        return Err(errors::raise(th, &TYPE_ERROR, message));
    };
    for (key, value) in pairs {
        if dict.contains(th, &key)? {
            let what = function_text(th, callable)?;
            let key = krait_runtime::protocol::repr::str(th, &key)?;
            let message = format!("{what} got multiple values for keyword argument '{}'", key.to_string_lossy());
            return Err(errors::type_error(th, message));
        }
        dict.set(th, key, value)?;
    }
    Ok(())
}
pub fn op_get_len(th: &mut Thread, w: Word, pc: Pc, r: Regs) -> S {
    if let Some(n) = quick::length(r.get(b(w))) {
        return finish1(th, w, pc, pc, r, n.into());
    }
    publish(th, pc);
    let v = r.get(b(w)).clone();
    let n = ok!(sequence::len(th, &v), th, pc, r);
    drop(v);
    finish1(th, w, pc, pc, r, n.into())
}
