//! `list[...]`: reading, storing and deleting by index and by slice.
use krait_object::list::try_copy;
use krait_object::{List, PyResult, Thread, Tuple, Value};

use super::this;
use crate::errors::{index_error, made, memory_error, type_error, value_error};
use crate::protocol::slice::{SliceIndices, fit, unpack};
use crate::protocol::{iter, number};
use crate::types::slice::Slice;
use crate::types::slice::bounds::position;

/// `v[i]` where a negative index was already adjusted.
pub fn item(th: &mut Thread, v: &Value, i: isize) -> PyResult<Value> {
    match usize::try_from(i).ok().and_then(|i| this(v).get(i)) {
        Some(item) => Ok(item),
        None => Err(index_error(th, "list index out of range")),
    }
}

pub fn set_item(th: &mut Thread, v: &Value, i: isize, value: Option<&Value>) -> PyResult<()> {
    let mut items = this(v).lock();
    let old = match (usize::try_from(i).ok().filter(|&i| i < items.len()), value) {
        (Some(i), Some(new)) => Some(std::mem::replace(&mut items[i], new.clone())),
        (Some(i), None) => Some(items.remove(i)),
        (None, _) => None,
    };
    drop(items);
    match old {
        Some(old) => {
            drop(old);
            Ok(())
        }
        None => Err(index_error(th, "list assignment index out of range")),
    }
}

fn wrong_index(th: &mut Thread, key: &Value) -> krait_object::Raised {
    let message = format!("list indices must be integers or slices, not {}", key.class().name());
    type_error(th, message)
}

pub fn subscript(th: &mut Thread, v: &Value, key: &Value) -> PyResult<Value> {
    let l = this(v);
    if number::has_index(key) {
        let i = number::index_isize_or_index_error(th, key)?;
        let items = l.lock();
        let found = position(i, items.len()).map(|i| items[i].clone());
        drop(items);
        return found.ok_or_else(|| index_error(th, "list index out of range"));
    }
    let Some(slice) = key.downcast_ref::<Slice>() else { return Err(wrong_index(th, key)) };
    let bounds = unpack(th, slice)?;
    let items = l.lock();
    let p = fit(bounds, items.len());
    let mut part = Vec::new();
    let room = part.try_reserve_exact(p.len);
    if room.is_ok() {
        if p.step == 1 {
            part.extend_from_slice(&items[p.start as usize..p.start as usize + p.len]);
        } else {
            part.extend(p.places().map(|i| items[i].clone()));
        }
    }
    drop(items);
    match room {
        Ok(()) => Ok(List::new(part).into()),
        Err(_) => Err(memory_error(th)),
    }
}

pub fn set_subscript(th: &mut Thread, v: &Value, key: &Value, value: Option<&Value>) -> PyResult<()> {
    if number::has_index(key) {
        let i = number::index_isize_or_index_error(th, key)?;
        let i = if i < 0 { i + this(v).len() as isize } else { i };
        return set_item(th, v, i, value);
    }
    let Some(slice) = key.downcast_ref::<Slice>() else { return Err(wrong_index(th, key)) };
    let bounds = unpack(th, slice)?;
    let l = this(v);
    match value {
        None => {
            let mut items = l.lock();
            let p = fit(bounds, items.len());
            let gone = delete(&mut items, p);
            drop(items);
            drop(gone);
            Ok(())
        }
        Some(value) => {
            let new = sequence_items(th, value)?;
            if bounds.2 == 1 {
                assign_slice(th, l, fit(bounds, l.len()), new)
            } else {
                assign_extended(th, l, bounds, new)
            }
        }
    }
}

/// The items to assign, collected before the list is touched.
fn sequence_items(th: &mut Thread, value: &Value) -> PyResult<Vec<Value>> {
    if let Some(l) = value.downcast_ref::<List>() {
        return made(th, l.try_to_vec());
    }
    if let Some(t) = value.downcast_ref::<Tuple>() {
        return made(th, try_copy(t));
    }
    if value.class().slots.iter.is_set() || value.class().slots.sq_item.is_set() {
        return iter::collect(th, value);
    }
    Err(type_error(th, "must assign iterable to extended slice"))
}

/// The places of a slice from the lowest up.
fn ascending(p: SliceIndices) -> impl Iterator<Item = usize> {
    let (first, step) =
        if p.step < 0 && p.len > 0 { (p.start + (p.len as isize - 1) * p.step, -p.step) } else { (p.start, p.step) };
    (0..p.len).map(move |i| (first + i as isize * step) as usize)
}

fn delete(items: &mut Vec<Value>, p: SliceIndices) -> Vec<Value> {
    if p.step == 1 {
        return items.drain(p.start as usize..p.start as usize + p.len).collect();
    }
    let mut gone = Vec::with_capacity(p.len);
    let mut next = ascending(p).peekable();
    let all = std::mem::take(items);
    for (i, item) in all.into_iter().enumerate() {
        if next.peek() == Some(&i) {
            next.next();
            gone.push(item);
        } else {
            items.push(item);
        }
    }
    gone
}

fn assign_slice(th: &mut Thread, l: &List, p: SliceIndices, new: Vec<Value>) -> PyResult<()> {
    let mut items = l.lock();
    let n = items.len();
    let (start, end) = ((p.start as usize).min(n), (p.stop.max(p.start) as usize).min(n));
    if items.try_reserve(new.len()).is_err() {
        drop(items);
        return Err(memory_error(th));
    }
    let old: Vec<Value> = items.splice(start..end, new).collect();
    drop(items);
    drop(old);
    Ok(())
}

fn assign_extended(th: &mut Thread, l: &List, bounds: (isize, isize, isize), mut new: Vec<Value>) -> PyResult<()> {
    let mut items = l.lock();
    let p = fit(bounds, items.len());
    if new.len() != p.len {
        drop(items);
        let message = format!("attempt to assign sequence of size {} to extended slice of size {}", new.len(), p.len);
        return Err(value_error(th, message));
    }
    for (at, value) in p.places().zip(&mut new) {
        std::mem::swap(&mut items[at], value);
    }
    drop(items);
    drop(new);
    Ok(())
}
