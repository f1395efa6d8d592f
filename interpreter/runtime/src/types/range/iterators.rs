//! The iterators of `range`: `range_iterator` on machine integers, `longrange_iterator` on ints of any size. CPython:
//! `Objects/rangeobject.c`.
use std::sync::atomic::{AtomicI64, Ordering::Relaxed};

use krait_macros::{Payload, Trace};
use krait_object::builtin_types::OBJECT;
use krait_object::native::method;
use krait_object::{
    Args, ClassDef, IntRef, Method, PyResult, Ref, SlotDefs, Thread, Tuple, TypeObject, VTable, Value, ValueCell,
};
use num_bigint::BigInt;
use num_traits::{Signed, ToPrimitive, Zero};

use super::{Range, big, this};
use crate::errors::type_error;
use crate::protocol::number;
use crate::types::iterators::{builtin, self_iter};

#[derive(Trace, Payload)]
#[payload(class = RANGE_ITERATOR)]
pub struct RangeIter {
    /// The next item.
    pub next: AtomicI64,
    pub step: i64,
    /// Items left.
    pub left: AtomicI64,
}
static LAYOUT: VTable = VTable::of::<RangeIter>();
pub static RANGE_ITERATOR: TypeObject = TypeObject::builtin("range_iterator", Some(&OBJECT), &LAYOUT);

#[derive(Trace, Payload)]
#[payload(class = LONG_RANGE_ITERATOR)]
pub struct LongRangeIter {
    next: ValueCell,
    step: Value,
    left: ValueCell,
}
static LONG_LAYOUT: VTable = VTable::of::<LongRangeIter>();
pub static LONG_RANGE_ITERATOR: TypeObject = TypeObject::builtin("longrange_iterator", Some(&OBJECT), &LONG_LAYOUT);

pub static DEF: ClassDef = ClassDef {
    methods: METHODS,
    slots: SlotDefs { iter: Some(self_iter), next: Some(next), ..SlotDefs::EMPTY },
    flags: krait_object::type_flag::DISALLOW_INSTANTIATION,
    ..ClassDef::new(&RANGE_ITERATOR)
};
static METHODS: &[Method] = &[
    method("__length_hint__", "()", "An estimate of the items left.", |_, a| {
        Ok(Value::int(a.this::<RangeIter>().left.load(Relaxed)))
    }),
    method("__reduce__", "()", "Return state information for pickling.", reduce),
    method("__setstate__", "(object, /)", "Set state information for unpickling.", setstate),
];

pub static LONG_DEF: ClassDef = ClassDef {
    methods: LONG_METHODS,
    slots: SlotDefs { iter: Some(self_iter), next: Some(long_next), ..SlotDefs::EMPTY },
    flags: krait_object::type_flag::DISALLOW_INSTANTIATION,
    ..ClassDef::new(&LONG_RANGE_ITERATOR)
};
static LONG_METHODS: &[Method] = &[
    method("__length_hint__", "()", "An estimate of the items left.", |_, a| {
        Ok(a.this::<LongRangeIter>().left.get().unwrap_or(Value::int(0)))
    }),
    method("__reduce__", "()", "Return state information for pickling.", long_reduce),
    method("__setstate__", "(object, /)", "Set state information for unpickling.", long_setstate),
];

/// An iterator over `left` items from `start` on.
fn make(start: &BigInt, step: &BigInt, left: &BigInt) -> Value {
    let end = start + step * left;
    match (start.to_i64(), step.to_i64(), left.to_i64(), end.to_i64()) {
        (Some(next), Some(step), Some(left), Some(_)) => {
            Ref::new(RangeIter { next: next.into(), step, left: left.into() }).into()
        }
        _ => Ref::new(LongRangeIter {
            next: ValueCell::from(Value::from(start.clone())),
            step: step.clone().into(),
            left: ValueCell::from(Value::from(left.clone())),
        })
        .into(),
    }
}

pub fn iter(_: &mut Thread, v: &Value) -> PyResult<Value> {
    let r = this(v);
    if let Some((start, step, left)) = r.small() {
        return Ok(Ref::new(RangeIter { next: start.into(), step, left: left.into() }).into());
    }
    Ok(make(&big(&r.start), &big(&r.step), &big(&r.length)))
}

pub fn reversed(_: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let r = a.this::<Range>();
    let n = big(&r.length);
    let last = r.at(&(&n - 1));
    Ok(make(&last, &-big(&r.step), &n))
}

pub fn next(_: &mut Thread, v: &Value) -> PyResult<Option<Value>> {
    let it: &RangeIter = v.downcast_ref().expect("the slot belongs to range_iterator");
    let left = it.left.load(Relaxed);
    if left <= 0 {
        return Ok(None);
    }
    let item = it.next.load(Relaxed);
    it.next.store(item.wrapping_add(it.step), Relaxed);
    it.left.store(left - 1, Relaxed);
    Ok(Some(Value::int(item)))
}

/// `(iter, (range(...),), None)`.
fn reduced(th: &mut Thread, start: BigInt, step: BigInt, left: &BigInt) -> PyResult<Value> {
    let iter = builtin(th, "iter")?;
    let stop = &start + left * &step;
    let range = Range::new(start.into(), stop.into(), step.into());
    Ok(Tuple::of([iter, Tuple::of([range.into()]).into(), Value::NONE]).into())
}

fn reduce(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let it = a.this::<RangeIter>();
    reduced(th, it.next.load(Relaxed).into(), it.step.into(), &it.left.load(Relaxed).into())
}

fn setstate(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let i = number::to_bigint(th, &a[1])?;
    let it = a.this::<RangeIter>();
    let left = it.left.load(Relaxed);
    let skip = i.clamp(BigInt::zero(), left.into()).to_i64().unwrap_or(0);
    it.next.store(it.next.load(Relaxed).wrapping_add(skip.wrapping_mul(it.step)), Relaxed);
    it.left.store(left - skip, Relaxed);
    Ok(Value::NONE)
}

fn number_in(cell: &ValueCell) -> BigInt {
    cell.get().map_or_else(BigInt::zero, |v| big(&v))
}

fn long_next(_: &mut Thread, v: &Value) -> PyResult<Option<Value>> {
    let it: &LongRangeIter = v.downcast_ref().expect("the slot belongs to longrange_iterator");
    let left = number_in(&it.left);
    if !left.is_positive() {
        return Ok(None);
    }
    let item = number_in(&it.next);
    it.next.set(Some((&item + big(&it.step)).into()));
    it.left.set(Some((left - 1u8).into()));
    Ok(Some(item.into()))
}

fn long_reduce(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let it = a.this::<LongRangeIter>();
    reduced(th, number_in(&it.next), big(&it.step), &number_in(&it.left))
}

fn long_setstate(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let Some(i) = a[1].as_int_ref().map(IntRef::to_bigint) else {
        let message = format!("state must be an int, not {}", a[1].class().name());
        return Err(type_error(th, message));
    };
    let it = a.this::<LongRangeIter>();
    let left = number_in(&it.left);
    let skip = i.clamp(BigInt::zero(), left.clone());
    it.next.set(Some((number_in(&it.next) + &skip * big(&it.step)).into()));
    it.left.set(Some((left - skip).into()));
    Ok(Value::NONE)
}
