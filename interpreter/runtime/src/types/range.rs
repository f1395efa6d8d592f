//! `range`: an arithmetic progression of ints of any size. Small ones (all fields immediate) take machine arithmetic.
//! Iterators are in `iterators`. CPython: `Objects/rangeobject.c`.
use krait_macros::{Payload, Trace};
use krait_object::builtin_types::{BOOL, INT, OBJECT};
use krait_object::native::{Sig, member, method};
use krait_object::{
    Args, ClassDef, CmpOp, GetSet, IntRef, Method, PyResult, Ref, SlotDefs, Thread, Tuple, Type, TypeObject, VTable,
    Value, type_flag,
};
use num_bigint::BigInt;
use num_integer::Integer;
use num_traits::{One, Signed, Zero};

use crate::errors::{index_error, overflow_error, type_error, value_error};
use crate::protocol::{compare, iter, number, repr};
use crate::types::slice::bounds::exact_index;
use crate::types::slice::{Slice, big_indices};

pub mod iterators;

/// All fields are exact ints; `step` is not zero.
#[derive(Trace, Payload)]
#[payload(class = RANGE)]
pub struct Range {
    pub start: Value,
    pub stop: Value,
    pub step: Value,
    pub length: Value,
}
static LAYOUT: VTable = VTable::of::<Range>();
pub static RANGE: TypeObject = TypeObject::builtin("range", Some(&OBJECT), &LAYOUT);

pub static DEF: ClassDef = ClassDef {
    doc: "range(stop) -> range object\nrange(start, stop[, step]) -> range object\n\nThe integers from start (inclusive) to stop (exclusive) by step, as an immutable sequence.\nrange(i, j) is i, i+1, i+2, ..., j-1; start defaults to 0.",
    methods: METHODS,
    getset: GETSET,
    slots: SlotDefs {
        new: Some(new),
        repr: Some(range_repr),
        hash: Some(hash),
        compare: Some(richcompare),
        iter: Some(iterators::iter),
        bool: Some(|_, v| Ok(!is_zero(&this(v).length))),
        sq_len: Some(len),
        mp_len: Some(len),
        sq_item: Some(|th, v, i| item(th, this(v), &BigInt::from(i))),
        contains: Some(contains),
        subscript: Some(subscript),
        ..SlotDefs::EMPTY
    },
    flags: type_flag::SEQUENCE,
    ..ClassDef::new(&RANGE)
};
pub static DEFS: &[&ClassDef] = &[&DEF, &iterators::DEF, &iterators::LONG_DEF];

static METHODS: &[Method] = &[
    method("__reversed__", "()", "Return a reverse iterator.", iterators::reversed),
    method("__reduce__", "()", "", reduce),
    method(
        "count",
        "(object, /)",
        "rangeobject.count(value) -> integer -- return number of occurrences of value",
        count,
    ),
    method(
        "index",
        "(object, /)",
        "rangeobject.index(value) -> integer -- return index of value.\nRaise ValueError if the value is not present.",
        index,
    ),
];
static GETSET: &[GetSet] = &[
    member("start", "", |_, v| Ok(this(v).start.clone())),
    member("stop", "", |_, v| Ok(this(v).stop.clone())),
    member("step", "", |_, v| Ok(this(v).step.clone())),
];

fn this(v: &Value) -> &Range {
    v.downcast_ref().expect("the slot belongs to range")
}
/// A field as a number of any size.
fn big(v: &Value) -> BigInt {
    v.as_int_ref().map_or_else(BigInt::zero, IntRef::to_bigint)
}
fn is_zero(v: &Value) -> bool {
    v.as_int_ref().is_some_and(IntRef::is_zero)
}

fn count_of(start: &BigInt, stop: &BigInt, step: &BigInt) -> BigInt {
    let (low, high, step) = if step.is_negative() { (stop, start, -step) } else { (start, stop, step.clone()) };
    if low >= high { BigInt::zero() } else { (high - low - 1u8).div_floor(&step) + 1u8 }
}

impl Range {
    /// From exact ints; `step` is not zero.
    pub fn new(start: Value, stop: Value, step: Value) -> Ref<Range> {
        let length = match (start.as_int(), stop.as_int(), step.as_int()) {
            (Some(a), Some(b), Some(s)) => {
                let n = if s > 0 && a < b {
                    (b - a - 1) / s + 1
                } else if s < 0 && b < a {
                    (a - b - 1) / -s + 1
                } else {
                    0
                };
                Value::int(n)
            }
            _ => count_of(&big(&start), &big(&stop), &big(&step)).into(),
        };
        Ref::new(Range { start, stop, step, length })
    }
    /// Start, step and length, where all fields are immediate ints.
    pub fn small(&self) -> Option<(i64, i64, i64)> {
        self.stop.as_int()?;
        Some((self.start.as_int()?, self.step.as_int()?, self.length.as_int()?))
    }
    /// The item at position `i`, which need not be in the range.
    fn at(&self, i: &BigInt) -> BigInt {
        big(&self.start) + i * big(&self.step)
    }
}

fn new(th: &mut Thread, _cls: &Ref<Type>, args: &Args<'_>) -> PyResult<Value> {
    static SIG: Sig = Sig::new("(start, stop=None, step=1, /)");
    let b = SIG.bind(th, "range", "range", args, 0)?;
    let a = b.args();
    let first = exact_index(th, &a[0])?;
    let Some(stop) = a.opt(1) else {
        return Ok(Range::new(Value::int(0), first, Value::int(1)).into());
    };
    let stop = exact_index(th, stop)?;
    let step = match a.opt(2) {
        Some(step) => exact_index(th, step)?,
        None => Value::int(1),
    };
    if is_zero(&step) {
        return Err(value_error(th, "range() arg 3 must not be zero"));
    }
    Ok(Range::new(first, stop, step).into())
}

fn range_repr(th: &mut Thread, v: &Value) -> PyResult<Value> {
    let r = this(v);
    let (start, stop) = (repr::repr(th, &r.start)?, repr::repr(th, &r.stop)?);
    let text = if r.step.as_int() == Some(1) {
        format!("range({}, {})", &*start, &*stop)
    } else {
        let step = repr::repr(th, &r.step)?;
        format!("range({}, {}, {})", &*start, &*stop, &*step)
    };
    Ok(Value::str(&text))
}

/// Length, first item and step, as far as they tell ranges apart.
fn identity(r: &Range) -> [Value; 3] {
    let n = &r.length;
    let start = if is_zero(n) { Value::NONE } else { r.start.clone() };
    let step = if is_zero(n) || n.as_int() == Some(1) { Value::NONE } else { r.step.clone() };
    [n.clone(), start, step]
}

fn hash(th: &mut Thread, v: &Value) -> PyResult<i64> {
    compare::hash(th, &Tuple::new(identity(this(v))).into_value())
}

fn richcompare(th: &mut Thread, a: &Value, b: &Value, op: CmpOp) -> PyResult<Value> {
    let (Some(x), Some(y)) = (a.downcast_ref::<Range>(), b.downcast_ref::<Range>()) else {
        return Ok(Value::NOT_IMPLEMENTED);
    };
    if !matches!(op, CmpOp::Eq | CmpOp::Ne) {
        return Ok(Value::NOT_IMPLEMENTED);
    }
    let tuple = |r: &Range| Tuple::new(identity(r)).into_value();
    let same = a.is(b) || compare::eq(th, &tuple(x), &tuple(y))?;
    Ok(Value::bool(same == (op == CmpOp::Eq)))
}

fn len(th: &mut Thread, v: &Value) -> PyResult<usize> {
    match this(v).length.as_int_ref().and_then(IntRef::to_i64) {
        Some(n) => Ok(n as usize),
        None => Err(overflow_error(th, "Python int too large to convert to C ssize_t")),
    }
}

/// The position of an exact int in the range.
fn find(r: &Range, wanted: &Value) -> Option<BigInt> {
    if let (Some((start, step, n)), Some(w)) = (r.small(), wanted.as_int()) {
        let offset = w - start;
        let i = offset / step;
        return (offset % step == 0 && (0..n).contains(&i)).then(|| i.into());
    }
    let (i, rest) = (big(wanted) - big(&r.start)).div_rem(&big(&r.step));
    (rest.is_zero() && !i.is_negative() && i < big(&r.length)).then_some(i)
}

fn is_plain_int(v: &Value) -> bool {
    v.is_exact(&INT) || v.is_exact(&BOOL)
}

fn contains(th: &mut Thread, v: &Value, wanted: &Value) -> PyResult<bool> {
    if is_plain_int(wanted) {
        return Ok(find(this(v), wanted).is_some());
    }
    let it = iter::iter(th, v)?;
    while let Some(item) = iter::next(th, &it)? {
        if compare::eq(th, &item, wanted)? {
            return Ok(true);
        }
    }
    Ok(false)
}

fn item(th: &mut Thread, r: &Range, i: &BigInt) -> PyResult<Value> {
    let n = big(&r.length);
    let i = if i.is_negative() { i + &n } else { i.clone() };
    if i.is_negative() || i >= n {
        return Err(index_error(th, "range object index out of range"));
    }
    Ok(r.at(&i).into())
}

fn subscript(th: &mut Thread, v: &Value, key: &Value) -> PyResult<Value> {
    let r = this(v);
    if let (Some(i), Some((start, step, n))) = (key.as_int(), r.small()) {
        let i = if i < 0 { i + n } else { i };
        if !(0..n).contains(&i) {
            return Err(index_error(th, "range object index out of range"));
        }
        return Ok(Value::int(start + i * step));
    }
    if number::has_index(key) {
        let i = number::to_bigint(th, key)?;
        return item(th, r, &i);
    }
    let Some(slice) = key.downcast_ref::<Slice>() else {
        let message = format!("range indices must be integers or slices, not {}", key.class().name());
        return Err(type_error(th, message));
    };
    let (start, stop, step) = big_indices(th, slice, &big(&r.length))?;
    let step_value: BigInt = &step * big(&r.step);
    Ok(Range::new(r.at(&start).into(), r.at(&stop).into(), step_value.into()).into())
}

fn reduce(_: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let r = a.this::<Range>();
    let fields = Tuple::of([r.start.clone(), r.stop.clone(), r.step.clone()]);
    Ok(Tuple::of([a[0].class_ref().into(), fields.into()]).into())
}

fn count(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    if is_plain_int(&a[1]) {
        return Ok(Value::int(find(a.this::<Range>(), &a[1]).is_some().into()));
    }
    let mut n = BigInt::zero();
    let it = iter::iter(th, &a[0])?;
    while let Some(item) = iter::next(th, &it)? {
        if compare::eq(th, &item, &a[1])? {
            n += BigInt::one();
        }
    }
    Ok(n.into())
}

fn index(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    if is_plain_int(&a[1]) {
        return match find(a.this::<Range>(), &a[1]) {
            Some(i) => Ok(i.into()),
            None => {
                let shown = repr::repr(th, &a[1])?;
                Err(value_error(th, format!("{} is not in range", &*shown)))
            }
        };
    }
    let it = iter::iter(th, &a[0])?;
    let mut i = 0i64;
    while let Some(item) = iter::next(th, &it)? {
        if compare::eq(th, &item, &a[1])? {
            return Ok(Value::int(i));
        }
        i += 1;
    }
    Err(value_error(th, "sequence.index(x): x not in sequence"))
}
