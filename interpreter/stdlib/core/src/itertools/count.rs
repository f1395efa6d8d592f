//! `itertools.count`.
use krait_macros::{Payload, Trace};
use krait_object::builtin_types::{INT, OBJECT};
use krait_object::native::{Sig, method};
use krait_object::{
    Args, ClassDef, PyResult, Ref, SlotDefs, StrBuilder, Thread, Type, TypeObject, VTable, Value, ValueCell, type_flag,
};
use krait_runtime::errors::type_error;
use krait_runtime::protocol::number::{self, BinaryOp};
use krait_runtime::protocol::repr;
use krait_runtime::types::iterators::self_iter;

use super::{reduced, warn_pickle};

#[derive(Trace, Payload)]
#[payload(class = COUNT)]
pub struct Count {
    next: ValueCell,
    step: Value,
}
static LAYOUT: VTable = VTable::of::<Count>();
pub static COUNT: TypeObject = TypeObject::builtin("count", Some(&OBJECT), &LAYOUT);

pub static DEF: ClassDef = ClassDef {
    module: "itertools",
    doc: "Return a count object whose .__next__() method returns consecutive values.\n\nEquivalent to:\n    def count(firstval=0, step=1):\n        x = firstval\n        while 1:\n            yield x\n            x += step",
    sig: "(start=0, step=1)",
    methods: &[method("__reduce__", "()", "Return state information for pickling.", reduce)],
    slots: SlotDefs {
        new: Some(new),
        repr: Some(count_repr),
        iter: Some(self_iter),
        next: Some(next),
        ..SlotDefs::EMPTY
    },
    flags: type_flag::BASE | type_flag::HAVE_GC,
    ..ClassDef::new(&COUNT)
};

fn this(v: &Value) -> &Count {
    v.downcast_ref().expect("the slot belongs to count")
}

fn is_number(v: &Value) -> bool {
    let s = &v.class().slots;
    v.as_int_ref().is_some()
        || s.index.is_set()
        || s.int.is_set()
        || s.float.is_set()
        || v.is_instance(&krait_runtime::types::complex::COMPLEX)
}

fn new(th: &mut Thread, cls: &Ref<Type>, args: &Args<'_>) -> PyResult<Value> {
    static SIG: Sig = Sig::new("(start=0, step=1)");
    let b = SIG.bind(th, "count", "count", args, 0)?;
    let a = b.args();
    let start = a.opt(0).cloned().unwrap_or(Value::int(0));
    let step = a.opt(1).cloned().unwrap_or(Value::int(1));
    if !is_number(&start) || !is_number(&step) {
        return Err(type_error(th, "a number is required"));
    }
    Ok(Ref::with_class(Count { next: start.into(), step }, cls.object()).into())
}

fn next(th: &mut Thread, v: &Value) -> PyResult<Option<Value>> {
    let c = this(v);
    let Some(item) = c.next.get() else { return Ok(None) };
    let after = match (item.as_int(), c.step.as_int()) {
        (Some(i), Some(step)) => Value::int(i + step),
        _ => number::binary(th, BinaryOp::Add, &item, &c.step)?,
    };
    c.next.set(Some(after));
    Ok(Some(item))
}

fn is_one(v: &Value) -> bool {
    v.is_exact(&INT) && v.as_int() == Some(1)
}

fn count_repr(th: &mut Thread, v: &Value) -> PyResult<Value> {
    th.check_native(" while getting the repr of an object")?;
    let c = this(v);
    let next = c.next.get().unwrap_or(Value::NONE);
    let mut out = StrBuilder::new();
    out.push_text(&v.class().name());
    out.push_text("(");
    out.push_str(&*repr::repr(th, &next)?);
    if !is_one(&c.step) {
        out.push_text(", ");
        out.push_str(&*repr::repr(th, &c.step)?);
    }
    out.push_text(")");
    Ok(out.finish().into())
}

fn reduce(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    warn_pickle(th)?;
    let c = a.this::<Count>();
    let next = c.next.get().unwrap_or(Value::NONE);
    Ok(if is_one(&c.step) && next.as_int_ref().is_some() {
        reduced(&a[0], [next])
    } else {
        reduced(&a[0], [next, c.step.clone()])
    })
}
