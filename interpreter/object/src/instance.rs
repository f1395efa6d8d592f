//! The instance tail: where instances of Python classes keep `__slots__` members and attributes, behind the payload of
//! whatever builtin type they extend.
//!
//! ```text
//! [payload …][shape: u32][capacity: u16][fixed: u16][dict][fixed slots …][attribute slots …]
//! ```
//! Attributes live in slots as the shape says, until the slots run out or something is done to `__dict__` that slots cannot
//! hold: then they move into a real dict, `dict` is set and the shape is `DICT`. A dict beside another shape is a `view`.
use std::ptr::NonNull;
use std::sync::atomic::{AtomicU16, AtomicU32, Ordering::*};

pub mod cache;
pub mod shape;
pub(crate) mod view;

use crate::dict::Dict;
use crate::header::{Header, flag};
use crate::locked::{ValueCell, acquire_tail, release_tail};
use crate::refs::{Ref, payload_end};
use crate::retired::retire;
use crate::str::Str;
use crate::trace::{Trace, Tracer};
use crate::type_object::{TypeObject, type_flag};
use crate::value::Value;
use shape::{DICT, Shape};

#[repr(C)]
pub(crate) struct Tail {
    shape: AtomicU32,
    capacity: AtomicU16,
    fixed: AtomicU16,
    dict: ValueCell,
}
/// Bytes before the first slot.
pub(crate) const TAIL_HEADER: usize = size_of::<Tail>();

/// # Safety
/// The object's block has `bytes` (a value that `class.tail_size()` returned) at offset `end`.
pub(crate) unsafe fn init_tail(h: NonNull<Header>, end: usize, bytes: usize, class: &TypeObject) {
    let has_dict = class.has_flag(type_flag::TAIL_DICT);
    let fixed = class.fixed_slots();
    let capacity = (bytes - TAIL_HEADER) / 8 - fixed as usize;
    let shape = if has_dict { class.shape_root.root_id() } else { DICT };
    // SAFETY: in the block, by the caller's promise; slots are initialised to empty.
    unsafe {
        let tail = h.as_ptr().byte_add(end).cast::<Tail>();
        tail.write(Tail {
            shape: AtomicU32::new(shape),
            capacity: AtomicU16::new(capacity as u16),
            fixed: AtomicU16::new(fixed),
            dict: ValueCell::empty(),
        });
        std::ptr::write_bytes(tail.byte_add(TAIL_HEADER).cast::<u8>(), 0, 8 * (fixed as usize + capacity));
        h.as_ref().set_flag(flag::TAIL);
    }
}
/// # Safety
/// The object has a tail at `end`.
pub(crate) unsafe fn tail_bytes(h: NonNull<Header>, end: usize) -> usize {
    // SAFETY: by the caller's promise.
    let tail = unsafe { &*h.as_ptr().byte_add(end).cast::<Tail>() };
    TAIL_HEADER + 8 * (tail.capacity.load(Relaxed) as usize + tail.fixed.load(Relaxed) as usize)
}
/// # Safety
/// The object has a tail, which nobody else accesses any more.
pub(crate) unsafe fn drop_tail(h: NonNull<Header>, class: &TypeObject) {
    // SAFETY: the object is live.
    let end = unsafe { payload_end(h.as_ptr(), class) };
    // SAFETY: the object has a tail at `end`.
    let tail = unsafe { View::at(h.as_ref(), end) };
    if let Some(dict) = tail.tail.dict.take().and_then(|d| d.downcast::<Dict>().ok()) {
        dict.outlive(h.as_ptr() as usize);
    }
    for i in 0..tail.slots() {
        tail.slot(i).set(None);
    }
}
/// Before the collector counts: a view of the attributes that others hold keeps them alive, which only a dict of its own
/// shows.
///
/// # Safety
/// As [`trace_tail`].
pub(crate) unsafe fn settle_view(h: NonNull<Header>, class: &TypeObject) {
    // SAFETY: the object is live and has a tail.
    let view = unsafe { View::at(h.as_ref(), payload_end(h.as_ptr(), class)) };
    if view.tail.dict.is_set()
        && let Some(dict) = held_dict(view)
        && dict.as_value().refcount() > 2
    {
        dict.detach_from(h.as_ptr() as usize);
    }
}
/// # Safety
/// The object has a tail and the world is stopped.
pub(crate) unsafe fn trace_tail(h: NonNull<Header>, class: &TypeObject, tracer: &mut Tracer<'_>) {
    // SAFETY: the object is live.
    let end = unsafe { payload_end(h.as_ptr(), class) };
    // SAFETY: the object has a tail at `end`.
    let tail = unsafe { View::at(h.as_ref(), end) };
    tail.tail.dict.trace(tracer);
    for i in 0..tail.slots() {
        tail.slot(i).trace(tracer);
    }
}

/// A borrowed tail.
#[derive(Clone, Copy)]
struct View<'a> {
    header: &'a Header,
    tail: &'a Tail,
}

impl<'a> View<'a> {
    /// # Safety
    /// The object has a tail at `end`.
    #[inline(always)]
    unsafe fn at(header: &'a Header, end: usize) -> View<'a> {
        // SAFETY: by the caller's promise.
        View { header, tail: unsafe { &*std::ptr::from_ref(header).byte_add(end).cast::<Tail>() } }
    }
    #[inline(always)]
    fn of(object: &'a Value) -> Option<View<'a>> {
        let header = object.header()?;
        if header.flags() & flag::TAIL == 0 {
            return None;
        }
        // SAFETY: the flag says that a tail sits behind the payload.
        Some(unsafe { View::at(header, payload_end(header, object.class())) })
    }
    fn slots(self) -> usize {
        self.tail.fixed.load(Relaxed) as usize + self.tail.capacity.load(Relaxed) as usize
    }
    #[inline(always)]
    fn slot(self, i: usize) -> &'a ValueCell {
        debug_assert!(i < self.slots());
        // SAFETY: slots follow the tail's header, `slots()` of them.
        unsafe { &*std::ptr::from_ref(self.tail).byte_add(TAIL_HEADER).cast::<ValueCell>().add(i) }
    }
    fn attribute(self, i: u16) -> &'a ValueCell {
        self.slot(self.tail.fixed.load(Relaxed) as usize + i as usize)
    }
    fn locked<R>(self, f: impl FnOnce() -> R) -> R {
        acquire_tail(self.header);
        let r = f();
        release_tail(self.header);
        r
    }
}

/// The shape id of an instance, `DICT` for instances without attribute slots in use.
#[inline(always)]
pub fn shape_of(object: &Value) -> u32 {
    View::of(object).map_or(DICT, |v| v.tail.shape.load(Relaxed))
}
/// The attribute at `index` if the instance still has `shape`: what an inline cache reads. `shape` is not `DICT`.
#[inline(always)]
pub fn cached_get(object: &Value, shape: u32, index: u16) -> Option<Value> {
    let view = View::of(object)?;
    if view.tail.shape.load(Relaxed) != shape {
        return None;
    }
    let value = view.attribute(index).get();
    // Another thread may have moved the attributes meanwhile; the value read is still one the slot held.
    if crate::header::multi() && view.tail.shape.load(Acquire) != shape { None } else { value }
}
/// Replaces an existing attribute at `index` if the instance still has `shape`; hands the value back otherwise.
#[inline(always)]
pub fn cached_set(object: &Value, shape: u32, index: u16, value: Value) -> Result<Option<Value>, Value> {
    let Some(view) = View::of(object) else { return Err(value) };
    if crate::header::multi() {
        return view.locked(|| {
            if view.tail.shape.load(Relaxed) == shape {
                Ok(view.attribute(index).replace(Some(value)))
            } else {
                Err(value)
            }
        });
    }
    if view.tail.shape.load(Relaxed) != shape { Err(value) } else { Ok(view.attribute(index).replace(Some(value))) }
}
/// Appends attribute `index` by the transition `from` -> `to`, if the instance has shape `from` and room.
#[inline(always)]
pub fn cached_add(object: &Value, from: u32, to: u32, index: u16, value: Value) -> Result<(), Value> {
    let Some(view) = View::of(object) else { return Err(value) };
    view.locked(|| {
        if view.tail.shape.load(Relaxed) != from || index >= view.tail.capacity.load(Relaxed) {
            return Err(value);
        }
        view.attribute(index).set(Some(value));
        view.tail.shape.store(to, Release);
        Ok(())
    })
}

/// Where an instance keeps its attributes at this moment.
pub enum Storage {
    /// The class gives instances no tail dict.
    Absent,
    Slots(&'static Shape),
    Dict(Ref<Dict>),
}
pub fn storage(object: &Value) -> Storage {
    match View::of(object) {
        Some(view) if object.class().has_flag(type_flag::TAIL_DICT) => match dict_of(view) {
            Some(d) => Storage::Dict(d),
            None => Storage::Slots(Shape::get(view.tail.shape.load(Acquire))),
        },
        _ => Storage::Absent,
    }
}
/// The instance's dict, if its attributes are in one.
#[inline]
pub fn dict_if_made(object: &Value) -> Option<Ref<Dict>> {
    dict_of(View::of(object)?)
}
/// The dict that holds the attributes.
fn dict_of(view: View<'_>) -> Option<Ref<Dict>> {
    if view.tail.shape.load(Acquire) == DICT { held_dict(view) } else { None }
}
/// The dict that Python has seen, be it a view.
fn held_dict(view: View<'_>) -> Option<Ref<Dict>> {
    view.tail.dict.get().and_then(|d| d.downcast().ok())
}
/// The instance's `__dict__`: a view while the attributes are in slots. `None`: the class gives instances none.
pub fn dict(object: &Value) -> Option<Ref<Dict>> {
    let view = View::of(object)?;
    if !object.class().has_flag(type_flag::TAIL_DICT) {
        return None;
    }
    if let Some(held) = held_dict(view) {
        return Some(held);
    }
    if crate::header::multi() || view.tail.shape.load(Relaxed) == DICT {
        return materialize(object);
    }
    let fresh = Dict::view_of(std::ptr::from_ref(view.header) as usize);
    view.tail.dict.set(Some(fresh.to_value()));
    Some(fresh)
}

/// An attribute in the instance's slots or (exact-string-keyed) dict; no descriptors, no Python code.
pub fn get_attr(object: &Value, name: &Ref<Str>) -> Option<Value> {
    match storage(object) {
        Storage::Absent => None,
        Storage::Slots(shape) => {
            let found = cached_get(object, shape.id, shape.index_of(name)?);
            // Another thread may have moved the attributes to a dict meanwhile.
            if found.is_none() && shape_of(object) != shape.id { get_attr(object, name) } else { found }
        }
        Storage::Dict(dict) => dict.get_str(name),
    }
}
/// Stores an attribute in the instance's slots or dict. False: the instance has nowhere to put it.
pub fn set_attr(object: &Value, name: &Ref<Str>, value: Value) -> bool {
    let mut value = value;
    loop {
        match storage(object) {
            Storage::Absent => return false,
            Storage::Dict(dict) => {
                dict.set_str(name, value);
                return true;
            }
            Storage::Slots(shape) => {
                if let Some(index) = shape.index_of(name) {
                    match cached_set(object, shape.id, index, value) {
                        Ok(old) => {
                            drop(old);
                            return true;
                        }
                        Err(v) => value = v,
                    }
                } else if let Some(next) = shape.with(&crate::intern::intern_ref(name)) {
                    match cached_add(object, shape.id, next.id, shape.len, value) {
                        Ok(()) => {
                            object.class().shape_root.note_size(next.len);
                            return true;
                        }
                        Err(v) => {
                            value = v;
                            object.class().shape_root.note_size(next.len);
                            materialize(object);
                        }
                    }
                } else {
                    materialize(object);
                }
            }
        }
    }
}
/// Deletes an attribute; false if there was none.
pub fn del_attr(object: &Value, name: &Ref<Str>) -> bool {
    match storage(object) {
        Storage::Absent => false,
        Storage::Dict(dict) => dict.remove_str(name).is_some(),
        Storage::Slots(shape) => {
            let Some(index) = shape.index_of(name) else { return false };
            let Some(view) = View::of(object) else { return false };
            if index + 1 == shape.len
                && let Some(parent) = shape.parent
            {
                let old = view.locked(|| {
                    if view.tail.shape.load(Relaxed) == shape.id {
                        view.tail.shape.store(parent, Release);
                        Some(view.attribute(index).take())
                    } else {
                        None
                    }
                });
                if let Some(old) = old {
                    drop(old);
                    return true;
                }
            }
            materialize(object).is_some_and(|d| d.remove_str(name).is_some())
        }
    }
}
/// A dict that holds the instance's attributes from now on. `None`: the class gives instances none.
pub fn materialize(object: &Value) -> Option<Ref<Dict>> {
    let view = View::of(object)?;
    if !object.class().has_flag(type_flag::TAIL_DICT) {
        return None;
    }
    if let Some(held) = held_dict(view) {
        held.detach();
        return Some(held);
    }
    let fresh = Dict::new();
    view.locked(|| {
        if view.tail.dict.is_set() {
            return;
        }
        let shape = Shape::get(view.tail.shape.load(Relaxed));
        for (i, key) in shape.keys().into_iter().enumerate() {
            if let Some(v) = view.attribute(i as u16).get() {
                fresh.set_str(&key, v);
            }
        }
        // In this order, so that whoever looks meanwhile finds the attributes in one place or the other.
        view.tail.dict.set(Some(fresh.clone().into()));
        view.tail.shape.store(DICT, Release);
        for i in 0..shape.len {
            view.attribute(i).set(None);
        }
    });
    dict_of(view)
}
/// Replaces the instance's `__dict__`. False: the class gives instances none.
pub fn set_dict(object: &Value, dict: Ref<Dict>) -> bool {
    if materialize(object).is_none() {
        return false;
    }
    let Some(view) = View::of(object) else { return false };
    let old = view.tail.dict.replace(Some(dict.into()));
    drop(old);
    true
}
/// The names of the attributes in slots, in order; `None` when a dict holds them.
pub fn slot_names(object: &Value) -> Option<Vec<Ref<Str>>> {
    match storage(object) {
        Storage::Slots(shape) => Some(shape.keys()),
        _ => None,
    }
}

/// The `__slots__` member at `index`.
#[inline]
pub fn member(object: &Value, index: u16) -> Option<&ValueCell> {
    let view = View::of(object)?;
    if index < view.tail.fixed.load(Relaxed) { Some(view.slot(index as usize)) } else { None }
}

/// Gives the object another class with the same payload layout and the same members; attributes move to a dict.
/// The caller has checked compatibility.
pub fn set_class(object: &Value, class: &Ref<crate::type_object::Type>) {
    let Some(header) = object.header() else { return };
    let keeps_tail = View::of(object).is_some();
    if keeps_tail && object.class().has_flag(type_flag::TAIL_DICT) {
        materialize(object);
    }
    let old = object.class_ref();
    if !class.is_static() {
        std::mem::forget(class.clone());
    }
    header.set_class_ptr(class.object());
    if !old.is_static() {
        // The object's own reference to its former class, which other threads may be looking at.
        // SAFETY: the header owned one reference to a heap class, given back once here.
        let owned = unsafe { Value::from_bits(std::ptr::from_ref(old.object()) as u64) };
        retire(owned, size_of::<TypeObject>());
    }
}
