//! Updating a dict from other dicts, mappings, iterables of pairs and keyword arguments. CPython: `dict_merge`,
//! `PyDict_MergeFromSeq2`, `dict_update_common`.
use krait_object::builtin_types::DICT;
use krait_object::{Args, Dict, List, PyResult, Thread, Tuple, Value};

use crate::errors::{runtime_error, type_error, value_error};
use crate::exceptions::TYPE_ERROR;
use crate::protocol::{attr, call, iter, sequence};

/// The arguments of `dict(...)` and `dict.update(...)`: at most one positional, then keywords.
pub fn update_from_args(th: &mut Thread, d: &Dict, pos: &[Value], args: &Args<'_>, name: &str) -> PyResult<()> {
    match pos {
        [] => {}
        [source] => update_from(th, d, source)?,
        more => {
            let message = format!("{name} expected at most 1 argument, got {}", more.len());
            return Err(type_error(th, message));
        }
    }
    for (key, value) in args.kw() {
        d.set(th, key.clone(), value.clone())?;
    }
    Ok(())
}

/// `d.update(source)`: a mapping if it has `keys`, else an iterable of pairs.
pub fn update_from(th: &mut Thread, d: &Dict, source: &Value) -> PyResult<()> {
    if source.is_exact(&DICT) {
        return merge(th, d, source, true);
    }
    match attr::get_text_opt(th, source, "keys")? {
        Some(_) => merge(th, d, source, true),
        None => merge_pairs(th, d, source),
    }
}

/// Adds the items of a mapping; existing keys keep their values unless `replace`.
pub fn merge(th: &mut Thread, d: &Dict, source: &Value, replace: bool) -> PyResult<()> {
    if let Some(other) = source.downcast_ref::<Dict>()
        && source.class().slots.iter.same(&DICT.slots.iter)
    {
        return merge_dict(th, d, other, replace);
    }
    for key in mapping_keys(th, source)? {
        if !replace && d.contains(th, &key)? {
            continue;
        }
        let value = sequence::get_item(th, source, &key)?;
        d.set(th, key, value)?;
    }
    Ok(())
}

/// The result of a mapping's `keys()`, collected.
pub fn mapping_keys(th: &mut Thread, source: &Value) -> PyResult<Vec<Value>> {
    let method = attr::get_text(th, source, "keys")?;
    let keys = call::call(th, &method, &[])?;
    match iter::iter(th, &keys) {
        Ok(it) => iter::collect(th, &it),
        Err(e) => {
            if th.exc.as_ref().is_some_and(|exc| exc.is_instance(&TYPE_ERROR)) {
                let message =
                    format!("{}.keys() returned a non-iterable (type {})", source.class().name(), keys.class().name());
                return Err(type_error(th, message));
            }
            Err(e)
        }
    }
}

fn merge_dict(th: &mut Thread, d: &Dict, other: &Dict, replace: bool) -> PyResult<()> {
    if std::ptr::eq(d, other) || other.is_empty() {
        return Ok(());
    }
    if d.is_empty() {
        let copy = other.lock().copy();
        drop(d.swap_table(copy));
        return Ok(());
    }
    let mut place = 0;
    loop {
        let (entry, keys) = {
            let table = other.lock();
            let entry = table
                .next_place(place)
                .and_then(|i| table.at(i).map(|(k, v)| (i, table.hash_at(i), k.clone(), v.clone())));
            (entry, (table.places(), table.len()))
        };
        let Some((i, hash, key, value)) = entry else { return Ok(()) };
        if replace || d.get_hashed(th, &key, hash)?.is_none() {
            d.set_hashed(th, key, hash, value)?;
        }
        let now = other.lock();
        let now = (now.places(), now.len());
        if now != keys {
            return Err(runtime_error(th, "dict mutated during update"));
        }
        place = i + 1;
    }
}

/// Adds the pairs of an iterable.
pub fn merge_pairs(th: &mut Thread, d: &Dict, source: &Value) -> PyResult<()> {
    let it = iter::iter(th, source)?;
    let mut n = 0usize;
    while let Some(item) = iter::next(th, &it)? {
        let pair = pair_items(th, &item, n)?;
        match <[Value; 2]>::try_from(pair) {
            Ok([key, value]) => d.set(th, key, value)?,
            Err(pair) => {
                let message =
                    format!("dictionary update sequence element #{n} has length {}; 2 is required", pair.len());
                return Err(value_error(th, message));
            }
        }
        n += 1;
    }
    Ok(())
}

fn pair_items(th: &mut Thread, item: &Value, n: usize) -> PyResult<Vec<Value>> {
    if let Some(t) = item.downcast_ref::<Tuple>() {
        return Ok(t.to_vec());
    }
    if let Some(l) = item.downcast_ref::<List>() {
        return Ok(l.to_vec());
    }
    match iter::iter(th, item) {
        Ok(it) => iter::collect(th, &it),
        Err(e) => {
            if th.exc.as_ref().is_some_and(|exc| exc.is_instance(&TYPE_ERROR)) {
                let message = format!("cannot convert dictionary update sequence element #{n} to a sequence");
                return Err(type_error(th, message));
            }
            Err(e)
        }
    }
}
