//! `iter(bytes)` and `iter(bytearray)`.

use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use krait_macros::{Payload, Trace};
use krait_object::builtin_types::OBJECT;
use krait_object::native::{Method, method};
use krait_object::{
    Args, Bytes, ClassDef, PyResult, Ref, SlotDefs, Thread, Tuple, TypeObject, VTable, Value, ValueCell,
};

use super::data::with_data;
use crate::errors::type_error;
use crate::functions::builtin;
use crate::types::bytearray::ByteArray;

/// The sequence is dropped when the iterator is exhausted.
#[derive(Trace, Payload)]
#[payload(class = BYTES_ITERATOR)]
pub struct BytesIterator {
    sequence: ValueCell,
    #[trace(skip)]
    next: AtomicUsize,
}

#[derive(Trace, Payload)]
#[payload(class = BYTEARRAY_ITERATOR)]
pub struct ByteArrayIterator {
    sequence: ValueCell,
    #[trace(skip)]
    next: AtomicUsize,
}

static BYTES_LAYOUT: VTable = VTable::of::<BytesIterator>();
static BYTEARRAY_LAYOUT: VTable = VTable::of::<ByteArrayIterator>();
pub static BYTES_ITERATOR: TypeObject = TypeObject::builtin("bytes_iterator", Some(&OBJECT), &BYTES_LAYOUT);
pub static BYTEARRAY_ITERATOR: TypeObject = TypeObject::builtin("bytearray_iterator", Some(&OBJECT), &BYTEARRAY_LAYOUT);

const SLOTS: SlotDefs = SlotDefs { iter: Some(same), next: Some(next), ..SlotDefs::EMPTY };
pub static BYTES_DEF: ClassDef = ClassDef { methods: METHODS, slots: SLOTS, ..ClassDef::new(&BYTES_ITERATOR) };
pub static BYTEARRAY_DEF: ClassDef = ClassDef { methods: METHODS, slots: SLOTS, ..ClassDef::new(&BYTEARRAY_ITERATOR) };

static METHODS: &[Method] = &[
    method("__length_hint__", "()", "Number of bytes still to come.", length_hint),
    method("__reduce__", "()", "State for pickling.", reduce),
    method("__setstate__", "(object, /)", "Sets the position.", set_state),
];

/// `iter(value)`.
pub fn iter(_: &mut Thread, value: &Value) -> PyResult<Value> {
    let (sequence, next) = (ValueCell::new(Some(value.clone())), AtomicUsize::new(0));
    Ok(if value.downcast_ref::<ByteArray>().is_some() {
        Ref::new(ByteArrayIterator { sequence, next }).into()
    } else {
        Ref::new(BytesIterator { sequence, next }).into()
    })
}

fn state(iterator: &Value) -> Option<(&ValueCell, &AtomicUsize)> {
    if let Some(state) = iterator.downcast_ref::<BytesIterator>() {
        return Some((&state.sequence, &state.next));
    }
    iterator.downcast_ref::<ByteArrayIterator>().map(|state| (&state.sequence, &state.next))
}

fn same(_: &mut Thread, iterator: &Value) -> PyResult<Value> {
    Ok(iterator.clone())
}

fn next(_: &mut Thread, iterator: &Value) -> PyResult<Option<Value>> {
    let Some((cell, next)) = state(iterator) else { return Ok(None) };
    let Some(sequence) = cell.get() else { return Ok(None) };
    let at = next.load(Relaxed);
    let byte = match sequence.downcast_ref::<Bytes>() {
        Some(bytes) => bytes.get(at).copied(),
        None => with_data(&sequence, |data| data.get(at).copied()),
    };
    match byte {
        Some(byte) => {
            next.store(at + 1, Relaxed);
            Ok(Some(byte.into()))
        }
        None => {
            cell.set(None);
            Ok(None)
        }
    }
}

/// Sequence, position and length, until exhausted.
fn rest(iterator: &Value) -> Option<(Value, usize, usize)> {
    let (cell, next) = state(iterator)?;
    let sequence = cell.get()?;
    let len = with_data(&sequence, <[u8]>::len);
    Some((sequence, next.load(Relaxed), len))
}

fn length_hint(_: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    Ok(rest(&a[0]).map_or(0, |(_, at, len)| len.saturating_sub(at)).into())
}

fn reduce(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let iter = builtin(th, "iter")?;
    Ok(match rest(&a[0]) {
        Some((sequence, at, _)) => Tuple::of([iter, Tuple::of([sequence]).into(), at.into()]).into(),
        None => Tuple::of([iter, Tuple::of([Tuple::empty().into()]).into()]).into(),
    })
}

fn set_state(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let Some(number) = a[1].as_int_ref() else { return Err(type_error(th, "an integer is required")) };
    let at = number.to_i64().unwrap_or(if number.is_negative() { 0 } else { i64::MAX }).max(0) as usize;
    if let (Some((_, _, len)), Some((_, next))) = (rest(&a[0]), state(&a[0])) {
        next.store(at.min(len), Relaxed);
    }
    Ok(Value::NONE)
}
