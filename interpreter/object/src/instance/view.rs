//! A `__dict__` that is a view: while an instance's attributes are in its slots, the dict that Python asked for has an empty
//! table and knows the instance. Whoever locks it finds the attributes copied in; what was changed goes back to the slots
//! when the lock is given back. What slots cannot hold (a deletion, a key that is no `str`, too many) makes it a dict of its
//! own, with the instance's shape `DICT`; so does the instance's death.
use std::sync::atomic::Ordering::*;

use super::shape::{DICT, Shape};
use super::{Tail, View, payload_end};
use crate::header::Header;
use crate::intern;
use crate::refs::Ref;
use crate::str::Str;
use crate::table::{Entry, Table};
use crate::value::Value;

/// What must be dropped once the lock is given back.
pub(crate) type Dropped = Vec<Entry<Value>>;

/// # Safety
/// `owner` is the address of a live object with a tail.
unsafe fn view_of<'a>(owner: usize) -> View<'a> {
    // SAFETY: by the caller's promise.
    unsafe {
        let header = &*(owner as *const Header);
        View::at(header, payload_end(header, &*header.class_ptr()))
    }
}
fn shape_of(tail: &Tail) -> &'static Shape {
    Shape::get(tail.shape.load(Acquire))
}

/// The attribute of that name.
///
/// # Safety
/// As [`fill`].
pub(crate) unsafe fn get(owner: usize, name: &Ref<Str>) -> Option<Value> {
    // SAFETY: by the caller's promise.
    let view = unsafe { view_of(owner) };
    view.attribute(shape_of(view.tail).index_of(name)?).get()
}
/// Changes an attribute that there is, and hands back what it was; the value comes back if there is none.
///
/// # Safety
/// As [`fill`].
pub(crate) unsafe fn set(owner: usize, name: &Ref<Str>, value: Value) -> Result<Option<Value>, Value> {
    // SAFETY: by the caller's promise.
    let view = unsafe { view_of(owner) };
    match shape_of(view.tail).index_of(name).map(|i| view.attribute(i)) {
        Some(slot) if slot.is_set() => Ok(slot.replace(Some(value))),
        _ => Err(value),
    }
}

/// Copies the attributes into the empty table of the view.
///
/// # Safety
/// `owner` is the address of a live object with a tail, whose attributes are in slots.
pub(crate) unsafe fn fill(owner: usize, table: &mut Table<Value>) {
    // SAFETY: by the caller's promise.
    let view = unsafe { view_of(owner) };
    let shape = shape_of(view.tail);
    table.reserve(shape.len as usize + 1);
    for (i, key) in shape.keys().into_iter().enumerate() {
        if let Some(value) = view.attribute(i as u16).get() {
            table.push(key.hash(), key.into_value(), value);
        }
    }
}

/// Brings what was done to the table back to the slots and empties it. `Err`: the table is a dict's of its own now, and the
/// instance has no attributes in slots any more.
///
/// # Safety
/// As [`fill`], by which the table was filled.
pub(crate) unsafe fn write_back(owner: usize, table: &mut Table<Value>) -> Result<Dropped, Dropped> {
    // SAFETY: by the caller's promise.
    let view = unsafe { view_of(owner) };
    let shape = shape_of(view.tail);
    let mut dropped = Dropped::new();
    match target(shape, view, table) {
        Some(grown) => {
            for (i, (_, value)) in table.iter().enumerate() {
                let slot = view.attribute(i as u16);
                if slot.bits() != value.bits()
                    && let Some(old) = slot.replace(Some(value.clone()))
                {
                    dropped.push(Entry { hash: 0, pair: Some((Value::NONE, old)) });
                }
            }
            view.tail.shape.store(grown.id, Release);
            dropped.extend(table.take());
            Ok(dropped)
        }
        // SAFETY: as above.
        None => Err(unsafe { empty_slots(owner) }),
    }
}
/// Takes the attributes out of the slots for good: they are in a dict.
///
/// # Safety
/// `owner` is the address of a live object with a tail, whose attributes are in slots.
pub(crate) unsafe fn empty_slots(owner: usize) -> Dropped {
    // SAFETY: by the caller's promise.
    let view = unsafe { view_of(owner) };
    let shape = shape_of(view.tail);
    view.tail.shape.store(DICT, Release);
    let taken = (0..shape.len).filter_map(|i| view.attribute(i).take());
    taken.map(|old| Entry { hash: 0, pair: Some((Value::NONE, old)) }).collect()
}
/// The shape whose slots hold what the table holds: the present one, or one with more attributes.
fn target(shape: &'static Shape, view: View<'_>, table: &Table<Value>) -> Option<&'static Shape> {
    let len = shape.len as usize;
    if table.len() < len || table.places() != table.len() {
        return None;
    }
    if table.len() > view.tail.capacity.load(Relaxed) as usize {
        // SAFETY: an object owns a reference to its type.
        let class = unsafe { &*view.header.class_ptr() };
        class.shape_root.note_size(u16::try_from(table.len()).unwrap_or(u16::MAX));
        return None;
    }
    let mut keys = table.iter().map(|(key, _)| key);
    if !shape.keys().iter().all(|own| keys.next().is_some_and(|key| key.is(own.as_value()))) {
        return None;
    }
    let mut grown = shape;
    for key in keys {
        let name = key.clone().downcast::<Str>().ok().filter(|_| key.downcast_exact::<Str>().is_some())?;
        grown = grown.with(&intern::intern_ref(&name))?;
    }
    Some(grown)
}
