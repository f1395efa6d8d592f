//! `slice`: construction, comparison, hash, `indices`. Index arithmetic is in `bounds`. CPython: `Objects/sliceobject.c`.
use krait_macros::{Payload, Trace};
use krait_object::builtin_types::OBJECT;
use krait_object::native::{Sig, member, method};
use krait_object::{
    Args, ClassDef, CmpOp, GetSet, Method, PyResult, Ref, SlotDefs, Thread, Tuple, Type, TypeObject, VTable, Value,
};
use num_bigint::BigInt;
use num_traits::{One, Signed, Zero};

use crate::errors::{type_error, value_error};
use crate::protocol::{compare, number, repr};

pub mod bounds;

#[derive(Trace, Payload)]
#[payload(class = SLICE)]
pub struct Slice {
    pub start: Value,
    pub stop: Value,
    pub step: Value,
}
static LAYOUT: VTable = VTable::of::<Slice>();
pub static SLICE: TypeObject = TypeObject::builtin("slice", Some(&OBJECT), &LAYOUT);

pub static DEF: ClassDef = ClassDef {
    doc: "slice(stop)\nslice(start, stop[, step])\n\nThe bounds and step of an extended subscript such as a[start:stop:step].",
    methods: METHODS,
    getset: GETSET,
    slots: SlotDefs {
        new: Some(new),
        repr: Some(slice_repr),
        hash: Some(hash),
        compare: Some(richcompare),
        ..SlotDefs::EMPTY
    },
    ..ClassDef::new(&SLICE)
};
static METHODS: &[Method] = &[
    method(
        "indices",
        "(object, /)",
        "S.indices(len) -> (start, stop, stride)\n\nThe positions that the slice selects from a sequence of the given length, as arguments for range().",
        indices,
    ),
    method("__reduce__", "()", "Return state information for pickling.", reduce),
];
static GETSET: &[GetSet] = &[
    member("start", "", |_, v| Ok(this(v).start.clone())),
    member("stop", "", |_, v| Ok(this(v).stop.clone())),
    member("step", "", |_, v| Ok(this(v).step.clone())),
];

impl Slice {
    pub fn new(start: Value, stop: Value, step: Value) -> Ref<Slice> {
        Ref::new(Slice { start, stop, step })
    }
    fn fields(&self) -> [&Value; 3] {
        [&self.start, &self.stop, &self.step]
    }
}

fn this(v: &Value) -> &Slice {
    v.downcast_ref().expect("the slot belongs to slice")
}

fn new(th: &mut Thread, _cls: &Ref<Type>, args: &Args<'_>) -> PyResult<Value> {
    static SIG: Sig = Sig::new("(start, stop=None, step=None, /)");
    let b = SIG.bind(th, "slice", "slice", args, 0)?;
    let a = b.args();
    let none = || Value::NONE;
    let made = match a.opt(1) {
        None => Slice::new(none(), a[0].clone(), none()),
        Some(stop) => Slice::new(a[0].clone(), stop.clone(), a.opt(2).cloned().unwrap_or_else(none)),
    };
    Ok(made.into())
}

fn slice_repr(th: &mut Thread, v: &Value) -> PyResult<Value> {
    th.check_native(" while getting the repr of an object")?;
    let mut out = krait_object::StrBuilder::new();
    out.push_text("slice(");
    for (i, field) in this(v).fields().into_iter().enumerate() {
        if i > 0 {
            out.push_text(", ");
        }
        out.push_str(&*repr::repr(th, field)?);
    }
    out.push_text(")");
    Ok(out.finish().into())
}

/// As a tuple's, but without its length mixed in.
fn hash(th: &mut Thread, v: &Value) -> PyResult<i64> {
    const P1: u64 = 11_400_714_785_074_694_791;
    const P2: u64 = 14_029_467_366_897_019_727;
    const P5: u64 = 2_870_177_450_012_600_261;
    let mut acc = P5;
    for field in this(v).fields() {
        let lane = compare::hash(th, field)? as u64;
        acc = acc.wrapping_add(lane.wrapping_mul(P2)).rotate_left(31).wrapping_mul(P1);
    }
    Ok(if acc == u64::MAX { 1_546_275_796 } else { acc as i64 })
}

fn richcompare(th: &mut Thread, a: &Value, b: &Value, op: CmpOp) -> PyResult<Value> {
    let (Some(x), Some(y)) = (a.downcast_ref::<Slice>(), b.downcast_ref::<Slice>()) else {
        return Ok(Value::NOT_IMPLEMENTED);
    };
    if a.is(b) {
        return Ok(Value::bool(matches!(op, CmpOp::Eq | CmpOp::Le | CmpOp::Ge)));
    }
    let tuple = |s: &Slice| Tuple::new(s.fields().map(Value::clone)).into_value();
    compare::compare(th, &tuple(x), &tuple(y), op)
}

fn reduce(_: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let fields = Tuple::new(a.this::<Slice>().fields().map(Value::clone));
    Ok(Tuple::of([a[0].class_ref().into(), fields.into()]).into())
}

fn big_field(th: &mut Thread, v: &Value) -> PyResult<BigInt> {
    if v.as_int_ref().is_none() && !v.class().slots.index.is_set() {
        return Err(type_error(th, "slice indices must be integers or None or have an __index__ method"));
    }
    number::to_bigint(th, v)
}

/// The slice's start, stop and step in a sequence of `length` items, without any limit on their size.
pub fn big_indices(th: &mut Thread, s: &Slice, length: &BigInt) -> PyResult<(BigInt, BigInt, BigInt)> {
    let step = if s.step.is_none() { BigInt::one() } else { big_field(th, &s.step)? };
    if step.is_zero() {
        return Err(value_error(th, "slice step cannot be zero"));
    }
    let down = step.is_negative();
    let (lower, upper) = if down { (BigInt::from(-1), length - 1) } else { (BigInt::zero(), length.clone()) };
    let clip = |i: BigInt| {
        if i.is_negative() { (i + length).max(lower.clone()) } else { i.min(upper.clone()) }
    };
    let start = match &s.start {
        v if v.is_none() => {
            if down {
                upper.clone()
            } else {
                lower.clone()
            }
        }
        v => clip(big_field(th, v)?),
    };
    let stop = match &s.stop {
        v if v.is_none() => {
            if down {
                lower.clone()
            } else {
                upper.clone()
            }
        }
        v => clip(big_field(th, v)?),
    };
    Ok((start, stop, step))
}

fn indices(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let length = number::to_bigint(th, &a[1])?;
    if length.is_negative() {
        return Err(value_error(th, "length should not be negative"));
    }
    let (start, stop, step) = big_indices(th, a.this::<Slice>(), &length)?;
    Ok(Tuple::of([start.into(), stop.into(), step.into()]).into())
}
