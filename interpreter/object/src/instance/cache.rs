//! What the VM's inline caches read and write: attribute slots of instances by byte offset.
//!
//! A [`Place`] is made for one state of a class (its version). Whoever uses it has seen that version in the object's
//! class; then the payload ends at the same offset, and the object has a tail. The attribute slots are checked by shape.
use std::sync::atomic::{AtomicU64, Ordering::*};

use super::{Tail, View};
use crate::header::{Header, multi};
use crate::locked::{ValueCell, acquire_own_tail, acquire_tail, release_own_tail, release_tail};
use crate::type_object::TypeObject;
use crate::value::Value;

/// Offsets from the object's header, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    pub tail: u16,
    pub slot: u16,
}

/// The place of the attribute slot `index`; `None` where objects of one class differ in size.
pub fn attribute_place(object: &Value, index: u16) -> Option<Place> {
    let fixed = View::of(object)?.tail.fixed.load(Relaxed);
    place(object, fixed.checked_add(index)?)
}
/// The place of the `__slots__` member `index`.
pub fn member_place(object: &Value, index: u16) -> Option<Place> {
    let fixed = View::of(object)?.tail.fixed.load(Relaxed);
    if index < fixed { place(object, index) } else { None }
}
fn place(object: &Value, slot: u16) -> Option<Place> {
    let vtable = object.class().vtable();
    if vtable.var_size.is_some() {
        return None;
    }
    let slot = vtable.size + super::TAIL_HEADER + 8 * slot as usize;
    Some(Place { tail: u16::try_from(vtable.size).ok()?, slot: u16::try_from(slot).ok()? })
}

/// The class of a heap object.
#[inline(always)]
pub fn heap_class(object: &Value) -> Option<&TypeObject> {
    // SAFETY: an object owns a reference to its type.
    object.header().map(|h| unsafe { &*h.class_ptr() })
}

/// # Safety
/// The object's class has the version that `place` was made for.
#[inline(always)]
unsafe fn tail_at(header: &Header, place: Place) -> &Tail {
    // SAFETY: by the caller's promise a tail sits there.
    unsafe { &*std::ptr::from_ref(header).byte_add(place.tail as usize).cast::<Tail>() }
}
/// # Safety
/// As [`tail_at`], and the slot exists: it is a `__slots__` member, or the shape says so.
#[inline(always)]
unsafe fn slot_at(header: &Header, place: Place) -> &ValueCell {
    // SAFETY: by the caller's promise.
    unsafe { &*std::ptr::from_ref(header).byte_add(place.slot as usize).cast::<ValueCell>() }
}

/// The attribute in a slot, if the object's class has `version` (not 0) and the object `shape` (not `DICT`).
///
/// # Safety
/// `place` is that of an attribute of `shape` in objects of the class that had `version`.
#[inline(always)]
pub unsafe fn get(object: &Value, version: u32, shape: u32, place: Place) -> Option<Value> {
    let header = object.header()?;
    // SAFETY: an object owns a reference to its type.
    if unsafe { &*header.class_ptr() }.current_version() != version {
        return None;
    }
    // SAFETY: the version is the place's.
    if unsafe { tail_at(header, place) }.shape.load(Relaxed) != shape {
        return None;
    }
    // SAFETY: the shape has the slot.
    let value = unsafe { slot_at(header, place) }.get();
    // Another thread may have moved the attributes meanwhile; the value read is still one the slot held.
    // SAFETY: the version is the place's.
    if multi() && unsafe { tail_at(header, place) }.shape.load(Acquire) != shape { None } else { value }
}
/// Replaces the attribute in a slot under the conditions of [`get`]; hands the value back otherwise.
///
/// # Safety
/// As [`get`].
#[inline(always)]
pub unsafe fn set(
    object: &Value,
    version: u32,
    shape: u32,
    place: Place,
    value: Value,
) -> Result<Option<Value>, Value> {
    let Some(header) = object.header() else { return Err(value) };
    // SAFETY: an object owns a reference to its type.
    if unsafe { &*header.class_ptr() }.current_version() != version {
        return Err(value);
    }
    // SAFETY: the version is the place's.
    let tail = unsafe { tail_at(header, place) };
    if tail.shape.load(Relaxed) != shape {
        return Err(value);
    }
    // SAFETY: the shape has the slot.
    let slot = unsafe { slot_at(header, place) };
    if !multi() {
        return Ok(slot.replace(Some(value)));
    }
    locked(header, || {
        let stays = tail.shape.load(Relaxed) == shape;
        if stays { Ok(slot.replace_alone(Some(value))) } else { Err(value) }
    })
}
/// Runs `f` with the lock of the instance tail, which whoever stores attributes or moves them to a dict holds.
#[inline(always)]
fn locked<R>(header: &Header, f: impl FnOnce() -> R) -> R {
    if acquire_own_tail(header) {
        let result = f();
        release_own_tail(header);
        return result;
    }
    locked_by_others(header, f)
}
#[cold]
#[inline(never)]
fn locked_by_others<R>(header: &Header, f: impl FnOnce() -> R) -> R {
    acquire_tail(header);
    let result = f();
    release_tail(header);
    result
}
/// Adds an attribute at `place` by the step from shape `from` to `to`, under the conditions of [`get`]
/// and if there is room.
///
/// # Safety
/// As [`get`], for `to`.
#[inline(always)]
pub unsafe fn add(
    object: &Value,
    version: u32,
    (from, to): (u32, u32),
    place: Place,
    value: Value,
) -> Result<(), Value> {
    let Some(header) = object.header() else { return Err(value) };
    // SAFETY: an object owns a reference to its type.
    if unsafe { &*header.class_ptr() }.current_version() != version {
        return Err(value);
    }
    // SAFETY: the version is the place's.
    let tail = unsafe { tail_at(header, place) };
    let slots = tail.fixed.load(Relaxed) as usize + tail.capacity.load(Relaxed) as usize;
    if place.slot as usize >= place.tail as usize + super::TAIL_HEADER + 8 * slots {
        return Err(value);
    }
    let store = |value| {
        if tail.shape.load(Relaxed) != from {
            return Err(value);
        }
        // SAFETY: the capacity covers the slot.
        let slot = unsafe { slot_at(header, place) };
        drop(if multi() { slot.replace_alone(Some(value)) } else { slot.replace(Some(value)) });
        tail.shape.store(to, Release);
        Ok(())
    };
    if multi() { locked(header, || store(value)) } else { store(value) }
}
/// The shape id of an object whose class has the version of `place`.
///
/// # Safety
/// `place` was made for objects of the class that had `version`.
#[inline(always)]
pub unsafe fn has_shape(object: &Value, version: u32, shape: u32, place: Place) -> bool {
    let Some(header) = object.header() else { return false };
    // SAFETY: an object owns a reference to its type.
    if unsafe { &*header.class_ptr() }.current_version() != version {
        return false;
    }
    // SAFETY: the version is the place's.
    unsafe { tail_at(header, place) }.shape.load(Relaxed) == shape
}
/// The method at `address` of an object whose class has `version` (not 0) and that has the shape, where one is given.
///
/// # Safety
/// As [`has_shape`], and the method table of the class that had `version` has an object at that address.
#[inline(always)]
pub unsafe fn method(object: &Value, version: u32, shape: Option<(u32, Place)>, address: u64) -> Option<Value> {
    let class = object.class();
    if class.current_version() != version {
        return None;
    }
    if let Some((shape, place)) = shape {
        // SAFETY: the version is the place's.
        if unsafe { tail_at(object.header()?, place) }.shape.load(Relaxed) != shape {
            return None;
        }
    }
    // SAFETY: passed on.
    unsafe { owned(class, version, address) }
}
/// The attribute at `address` of a class that has `version` (not 0) and whose metaclass has the version `meta`.
///
/// # Safety
/// The class that had the version `meta` is a metaclass, and the method table of the class that had `version` has an object
/// at that address.
#[inline(always)]
pub unsafe fn of_type(object: &Value, meta: u32, version: u32, address: u64) -> Option<Value> {
    if heap_class(object)?.current_version() != meta {
        return None;
    }
    // SAFETY: instances of a metaclass are classes.
    let class: &TypeObject = unsafe { &*(object.bits() as *const TypeObject) };
    if class.current_version() != version {
        return None;
    }
    // SAFETY: passed on.
    unsafe { owned(class, version, address) }
}
/// # Safety
/// The class was seen to have `version`, and its method table then has an object at that address.
#[inline(always)]
unsafe fn owned(class: &TypeObject, version: u32, address: u64) -> Option<Value> {
    if multi() {
        // SAFETY: an object, as below; if it is immortal nobody counts it.
        if unsafe { &*(address as *const Header) }.is_immortal() && class.version_now() == version {
            // SAFETY: as above.
            return Some(unsafe { Value::from_bits(address) });
        }
        // The table owned it when the version was seen, and is kept until the world stops.
        return crate::locked::try_load_word(&AtomicU64::new(address), || class.version_now() == version);
    }
    // SAFETY: a class in the state that has this version owns what its method table holds.
    Some(Value::clone(&std::mem::ManuallyDrop::new(unsafe { Value::from_bits(address) })))
}
/// The `__slots__` member at `place`, if the object's class has `version` (not 0).
///
/// # Safety
/// `place` is that of a member of the class that had `version`.
#[inline(always)]
pub unsafe fn member(object: &Value, version: u32, place: Place) -> Option<&ValueCell> {
    let header = object.header()?;
    // SAFETY: an object owns a reference to its type.
    if unsafe { &*header.class_ptr() }.current_version() != version {
        return None;
    }
    // SAFETY: the version is the place's, and the class has the member.
    Some(unsafe { slot_at(header, place) })
}
