//! `iter(str)`. CPython: `PyUnicodeIter_Type`, `_PyUnicodeASCIIIter_Type`.

use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use krait_macros::{Payload, Trace};
use krait_object::builtin_types::OBJECT;
use krait_object::native::{Method, method};
use krait_object::{Args, ClassDef, PyResult, Ref, SlotDefs, Str, Thread, Tuple, TypeObject, VTable, Value, ValueCell};

use crate::errors::type_error;
use crate::functions::builtin;

/// The text is dropped when the iterator is exhausted.
#[derive(Trace, Payload)]
#[payload(class = STR_ITERATOR)]
pub struct StrIterator {
    text: ValueCell,
    #[trace(skip)]
    next: AtomicUsize,
}

static LAYOUT: VTable = VTable::of::<StrIterator>();
pub static STR_ITERATOR: TypeObject = TypeObject::builtin("str_iterator", Some(&OBJECT), &LAYOUT);
/// CPython gives ASCII text an iterator type of its own.
pub static STR_ASCII_ITERATOR: TypeObject = TypeObject::builtin_like("str_ascii_iterator", &STR_ITERATOR);

const SLOTS: SlotDefs = SlotDefs { iter: Some(same), next: Some(next), ..SlotDefs::EMPTY };
pub static DEF: ClassDef = ClassDef { methods: METHODS, slots: SLOTS, ..ClassDef::new(&STR_ITERATOR) };
pub static ASCII_DEF: ClassDef = ClassDef { methods: METHODS, slots: SLOTS, ..ClassDef::new(&STR_ASCII_ITERATOR) };

static METHODS: &[Method] = &[
    method("__length_hint__", "()", "Number of characters still to come.", length_hint),
    method("__reduce__", "()", "State for pickling.", reduce),
    method("__setstate__", "(object, /)", "Sets the position.", set_state),
];

/// `iter(text)`.
pub fn iter(_: &mut Thread, text: &Value) -> PyResult<Value> {
    let ascii = text.downcast_ref::<Str>().is_some_and(|s| s.as_ascii().is_some());
    let payload = StrIterator { text: ValueCell::new(Some(text.clone())), next: AtomicUsize::new(0) };
    let class = if ascii { &STR_ASCII_ITERATOR } else { &STR_ITERATOR };
    Ok(Ref::with_class(payload, class).into())
}

fn same(_: &mut Thread, iterator: &Value) -> PyResult<Value> {
    Ok(iterator.clone())
}

fn next(_: &mut Thread, iterator: &Value) -> PyResult<Option<Value>> {
    let Some(state) = iterator.downcast_ref::<StrIterator>() else { return Ok(None) };
    let Some(text) = state.text.get() else { return Ok(None) };
    let at = state.next.load(Relaxed);
    match text.downcast_ref::<Str>().and_then(|text| text.get(at)) {
        Some(code) => {
            state.next.store(at + 1, Relaxed);
            Ok(Some(Str::from_point(code).into()))
        }
        None => {
            state.text.set(None);
            Ok(None)
        }
    }
}

fn rest(state: &StrIterator) -> Option<(Value, usize, usize)> {
    let text = state.text.get()?;
    let len = text.downcast_ref::<Str>()?.len();
    Some((text, state.next.load(Relaxed), len))
}

fn length_hint(_: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    Ok(rest(a.this()).map_or(0, |(_, at, len)| len.saturating_sub(at)).into())
}

fn reduce(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let iter = builtin(th, "iter")?;
    Ok(match rest(a.this()) {
        Some((text, at, _)) => Tuple::of([iter, Tuple::of([text]).into(), at.into()]).into(),
        None => Tuple::of([iter, Tuple::of([Str::empty().into()]).into()]).into(),
    })
}

fn set_state(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let Some(number) = a[1].as_int_ref() else { return Err(type_error(th, "an integer is required")) };
    let at = number.to_i64().unwrap_or(if number.is_negative() { 0 } else { i64::MAX }).max(0) as usize;
    let state: &StrIterator = a.this();
    if let Some((_, _, len)) = rest(state) {
        state.next.store(at.min(len), Relaxed);
    }
    Ok(Value::NONE)
}
