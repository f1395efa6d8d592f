//! The iterator of `memoryview`, one dimension only. CPython: `Objects/memoryobject.c` (memoryiter).
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use krait_macros::{Payload, Trace};
use krait_object::builtin_types::OBJECT;
use krait_object::{ClassDef, PyResult, Ref, SlotDefs, Thread, TypeObject, VTable, Value, ValueCell, type_flag};

use super::{access, format, window};
use crate::errors::{not_implemented_error, type_error};
use crate::types::iterators::self_iter;

#[derive(Trace, Payload)]
#[payload(class = MEMORY_ITERATOR)]
pub struct MemoryIter {
    /// Given up at the end.
    view: ValueCell,
    index: AtomicUsize,
    len: usize,
}
static LAYOUT: VTable = VTable::of::<MemoryIter>();
pub static MEMORY_ITERATOR: TypeObject = TypeObject::builtin("memory_iterator", Some(&OBJECT), &LAYOUT);

pub static DEF: ClassDef = ClassDef {
    slots: SlotDefs { iter: Some(self_iter), next: Some(next), ..SlotDefs::EMPTY },
    flags: type_flag::DISALLOW_INSTANTIATION | type_flag::HAVE_GC,
    ..ClassDef::new(&MEMORY_ITERATOR)
};

pub fn iter(th: &mut Thread, v: &Value) -> PyResult<Value> {
    let w = window(th, v)?;
    let len = match w.shape.as_slice() {
        [] => return Err(type_error(th, "invalid indexing of 0-dim memory")),
        [n] => *n,
        _ => return Err(not_implemented_error(th, "multi-dimensional sub-views are not implemented")),
    };
    format::usable(th, &w.format)?;
    Ok(Ref::new(MemoryIter { view: ValueCell::new(Some(v.clone())), index: AtomicUsize::new(0), len }).into())
}

fn next(th: &mut Thread, v: &Value) -> PyResult<Option<Value>> {
    let it: &MemoryIter = v.downcast_ref().expect("the slot belongs to memory_iterator");
    let Some(view) = it.view.get() else { return Ok(None) };
    let i = it.index.load(Relaxed);
    if i >= it.len {
        it.view.set(None);
        return Ok(None);
    }
    let w = window(th, &view)?;
    it.index.store(i + 1, Relaxed);
    access::item_of(th, &w, i as isize).map(Some)
}
