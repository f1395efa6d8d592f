//! Items and slices.
use krait_bytecode::Word;
use krait_bytecode::opcodes::{KILL_1, KILL_2, KILL_3};
use krait_object::builtin_types::{DICT, TUPLE};
use krait_object::{Dict, List, Str, Thread, Tuple, Value, intern, list};
use krait_runtime::protocol::sequence;
use krait_runtime::types::slice::Slice;
use krait_runtime::well_known::names;

use super::call::{enter_special, python_special};
use super::{a, b, c, dies, finish1, finish2, kill_reads, ok};
use crate::frames::publish;
use crate::regs::{Pc, Regs, S};
use crate::safepoint::after_drop;

/// Place of an index in a sequence of `len` items.
#[inline(always)]
fn place(index: i64, len: usize) -> Option<usize> {
    let index = if index < 0 { index + len as i64 } else { index };
    usize::try_from(index).ok().filter(|&i| i < len)
}
/// The item, where no Python code can run and nothing can be raised.
#[inline(always)]
fn fast_index(object: &Value, index: i64) -> Option<Value> {
    if let Some(list) = object.downcast_exact::<List>() {
        return list.at(index);
    }
    if let Some(tuple) = object.downcast_exact::<Tuple>() {
        return place(index, tuple.len()).map(|i| tuple[i].clone());
    }
    None
}
/// A character of a string, where its string exists already.
#[inline]
fn character_at(object: &Value, index: i64) -> Option<Value> {
    let text = object.downcast_exact::<Str>()?;
    Some(intern::single(text.get(place(index, text.len())?)?)?.into())
}
#[inline(always)]
pub fn op_get_item(th: &mut Thread, w: Word, pc: Pc, r: Regs) -> S {
    let (object, key) = (r.get(b(w)), r.get(c(w)));
    if let Some(index) = key.as_int()
        && let Some(value) = fast_index(object, index)
    {
        return finish2(th, w, pc, pc.add(1), r, value);
    }
    if object.is_exact(&DICT) { get_of_dict(th, w, pc, r) } else { get_item_slow(th, w, pc, r) }
}
#[inline(never)]
fn get_of_dict(th: &mut Thread, w: Word, pc: Pc, r: Regs) -> S {
    if let Some(dict) = r.get(b(w)).downcast_exact::<Dict>()
        && let Ok(Some(value)) = dict.get_quick(r.get(c(w)))
    {
        return finish2(th, w, pc, pc.add(1), r, value);
    }
    get_item_slow(th, w, pc, r)
}
#[inline(never)]
fn get_item_slow(th: &mut Thread, w: Word, pc: Pc, r: Regs) -> S {
    let (object, key) = (r.get(b(w)), r.get(c(w)));
    if let Some(index) = key.as_int()
        && let Some(character) = character_at(object, index)
    {
        return finish2(th, w, pc, pc.add(1), r, character);
    }
    publish(th, pc);
    if let Some(function) = python_special(object, &names().getitem)
        && let Some(s) = enter_special(th, function, [object, key], pc, r)
    {
        return s;
    }
    let (object, key) = (object.clone(), key.clone());
    let value = ok!(sequence::get_item(th, &object, &key), th, pc, r);
    drop((object, key));
    finish2(th, w, pc, pc.add(1), r, value)
}
#[inline(always)]
pub fn op_get_item_i(th: &mut Thread, w: Word, pc: Pc, r: Regs) -> S {
    match fast_index(r.get(b(w)), w.sc().into()) {
        Some(value) => finish1(th, w, pc, pc.add(1), r, value),
        None => get_item_i_slow(th, w, pc, r),
    }
}
#[inline(never)]
fn get_item_i_slow(th: &mut Thread, w: Word, pc: Pc, r: Regs) -> S {
    let object = r.get(b(w));
    if let Some(dict) = object.downcast_exact::<Dict>() {
        if let Ok(Some(value)) = dict.get_quick(&Value::int(w.sc().into())) {
            return finish1(th, w, pc, pc.add(1), r, value);
        }
    } else if let Some(character) = character_at(object, w.sc().into()) {
        return finish1(th, w, pc, pc.add(1), r, character);
    }
    publish(th, pc);
    if let Some(function) = python_special(object, &names().getitem)
        && let Some(s) = enter_special(th, function, [object, &Value::int(w.sc().into())], pc, r)
    {
        return s;
    }
    let object = r.get(b(w)).clone();
    let value = ok!(sequence::get_item(th, &object, &Value::int(w.sc().into())), th, pc, r);
    drop(object);
    finish1(th, w, pc, pc.add(1), r, value)
}

#[inline(always)]
pub fn op_set_item(th: &mut Thread, w: Word, pc: Pc, r: Regs) -> S {
    let (object, key) = (r.get(a(w)), r.get(b(w)));
    if let Some(index) = key.as_int()
        && let Some(list) = object.downcast_exact::<List>()
    {
        let mut items = list.lock();
        if let Some(i) = place(index, items.len()) {
            let old = std::mem::replace(&mut items[i], r.take_or_clone(c(w), dies(w, KILL_3)));
            drop(items);
            let mut freed = old.release();
            if dies(w, KILL_1) {
                freed |= r.kill(a(w));
            }
            if dies(w, KILL_2) {
                freed |= r.kill(b(w));
            }
            after_drop(th, pc, freed);
            return S { pc, r };
        }
    }
    if object.is_exact(&DICT) { set_of_dict(th, w, pc, r) } else { set_item_slow(th, w, pc, r) }
}
#[inline(never)]
fn set_of_dict(th: &mut Thread, w: Word, pc: Pc, r: Regs) -> S {
    if let Some(dict) = r.get(a(w)).downcast_exact::<Dict>()
        && let Ok(old) = dict.set_quick(r.get(b(w)), r.get(c(w)).clone())
    {
        let freed = old.is_some_and(Value::release);
        after_drop(th, pc, freed);
        return kill_reads(th, w, pc, pc, r, &[a(w), b(w), c(w)]);
    }
    set_item_slow(th, w, pc, r)
}
#[inline(never)]
fn set_item_slow(th: &mut Thread, w: Word, pc: Pc, r: Regs) -> S {
    publish(th, pc);
    let (object, key, value) = (r.get(a(w)).clone(), r.get(b(w)).clone(), r.get(c(w)).clone());
    let result = match object.downcast_exact::<Dict>() {
        Some(dict) => dict.set(th, key.clone(), value.clone()),
        None => sequence::set_item(th, &object, &key, &value),
    };
    ok!(result, th, pc, r);
    drop((object, key, value));
    after_drop(th, pc, true);
    kill_reads(th, w, pc, pc, r, &[a(w), b(w), c(w)])
}
pub fn op_del_item(th: &mut Thread, w: Word, pc: Pc, r: Regs) -> S {
    publish(th, pc);
    let (object, key) = (r.get(a(w)).clone(), r.get(b(w)).clone());
    ok!(sequence::del_item(th, &object, &key), th, pc, r);
    drop((object, key));
    after_drop(th, pc, true);
    kill_reads(th, w, pc, pc, r, &[a(w), b(w)])
}

/// A bound of a slice without a step in a sequence of `len` items.
#[inline]
fn bound(value: &Value, len: usize, default: usize) -> Option<usize> {
    if value.is_none() {
        return Some(default);
    }
    let index = value.as_int()?;
    let index = if index < 0 { (index + len as i64).max(0) } else { index };
    Some((index as usize).min(len))
}
/// A slice of a builtin sequence between plain bounds.
#[inline]
fn slice_of(object: &Value, from: &Value, to: &Value) -> Option<Value> {
    let range = |len: usize| {
        let (from, to) = (bound(from, len, 0)?, bound(to, len, len)?);
        Some(from..to.max(from))
    };
    if let Some(list) = object.downcast_exact::<List>() {
        let items = list.lock();
        let copy = list::try_copy(&items[range(items.len())?])?;
        drop(items);
        return Some(List::new(copy).into());
    }
    if let Some(text) = object.downcast_exact::<Str>() {
        let range = range(text.len())?;
        let whole = range.len() == text.len();
        return Some(if whole { object.clone() } else { text.slice(range.start, range.end).into() });
    }
    let tuple = object.downcast_exact::<Tuple>()?;
    let range = range(tuple.len())?;
    Some(if range.len() == tuple.len() {
        object.clone()
    } else {
        Tuple::try_new(tuple[range].iter().cloned(), &TUPLE)?.into()
    })
}
pub fn op_get_slice(th: &mut Thread, w: Word, pc: Pc, r: Regs) -> S {
    if let Some(value) = slice_of(r.get(b(w)), r.get(c(w)), r.get(c(w) + 1)) {
        r.clear(c(w), c(w) + 2);
        return finish1(th, w, pc, pc, r, value);
    }
    publish(th, pc);
    let object = r.get(b(w)).clone();
    let key: Value = Slice::new(r.moved(c(w)), r.moved(c(w) + 1), Value::NONE).into();
    let value = ok!(sequence::get_item(th, &object, &key), th, pc, r);
    drop((object, key));
    finish1(th, w, pc, pc, r, value)
}
pub fn op_set_slice(th: &mut Thread, w: Word, pc: Pc, r: Regs) -> S {
    publish(th, pc);
    let (object, value) = (r.get(a(w)).clone(), r.get(c(w)).clone());
    let key: Value = Slice::new(r.moved(b(w)), r.moved(b(w) + 1), Value::NONE).into();
    ok!(sequence::set_item(th, &object, &key, &value), th, pc, r);
    drop((object, key, value));
    let mut freed = false;
    if dies(w, KILL_1) {
        freed |= r.kill(a(w));
    }
    if dies(w, KILL_2) {
        freed |= r.kill(c(w));
    }
    after_drop(th, pc, freed);
    S { pc, r }
}
