//! `itertools.repeat`.
use std::sync::atomic::{AtomicIsize, Ordering::Relaxed};

use krait_macros::{Payload, Trace};
use krait_object::builtin_types::OBJECT;
use krait_object::native::{Sig, method};
use krait_object::{
    Args, ClassDef, Method, PyResult, Ref, SlotDefs, StrBuilder, Thread, Type, TypeObject, VTable, Value, type_flag,
};
use krait_runtime::errors::type_error;
use krait_runtime::protocol::{number, repr};
use krait_runtime::types::iterators::self_iter;

use super::{reduced, warn_pickle};

#[derive(Trace, Payload)]
#[payload(class = REPEAT)]
pub struct Repeat {
    element: Value,
    /// Negative: without end.
    left: AtomicIsize,
}
static LAYOUT: VTable = VTable::of::<Repeat>();
pub static REPEAT: TypeObject = TypeObject::builtin("repeat", Some(&OBJECT), &LAYOUT);

pub static DEF: ClassDef = ClassDef {
    module: "itertools",
    doc: "repeat(object [,times]) -> create an iterator which returns the object\nfor the specified number of times.  If not specified, returns the object\nendlessly.",
    methods: METHODS,
    slots: SlotDefs {
        new: Some(new),
        repr: Some(repeat_repr),
        iter: Some(self_iter),
        next: Some(next),
        ..SlotDefs::EMPTY
    },
    flags: type_flag::BASE | type_flag::HAVE_GC,
    ..ClassDef::new(&REPEAT)
};
static METHODS: &[Method] = &[
    method("__length_hint__", "()", "An estimate of the items left.", |th, a| {
        match a.this::<Repeat>().left.load(Relaxed) {
            n if n < 0 => Err(type_error(th, "len() of unsized object")),
            n => Ok(Value::int(n as i64)),
        }
    }),
    method("__reduce__", "()", "Return state information for pickling.", reduce),
];

fn this(v: &Value) -> &Repeat {
    v.downcast_ref().expect("the slot belongs to repeat")
}

fn new(th: &mut Thread, cls: &Ref<Type>, args: &Args<'_>) -> PyResult<Value> {
    static SIG: Sig = Sig::new("(object, times=None)");
    let b = SIG.bind(th, "repeat", "repeat", args, 0)?;
    let a = b.args();
    let left = match a.opt(1) {
        // Fewer than no times is none.
        Some(times) => number::to_isize(th, times)?.max(0),
        None => -1,
    };
    Ok(Ref::with_class(Repeat { element: a[0].clone(), left: AtomicIsize::new(left) }, cls.object()).into())
}

fn next(_: &mut Thread, v: &Value) -> PyResult<Option<Value>> {
    let r = this(v);
    let left = r.left.load(Relaxed);
    if left == 0 {
        return Ok(None);
    }
    if left > 0 {
        r.left.store(left - 1, Relaxed);
    }
    Ok(Some(r.element.clone()))
}

fn repeat_repr(th: &mut Thread, v: &Value) -> PyResult<Value> {
    th.check_native(" while getting the repr of an object")?;
    let r = this(v);
    let mut out = StrBuilder::new();
    out.push_text(&v.class().name());
    out.push_text("(");
    out.push_str(&*repr::repr(th, &r.element)?);
    let left = r.left.load(Relaxed);
    if left >= 0 {
        out.push_text(&format!(", {left}"));
    }
    out.push_text(")");
    Ok(out.finish().into())
}

fn reduce(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    warn_pickle(th)?;
    let r = a.this::<Repeat>();
    Ok(match r.left.load(Relaxed) {
        n if n < 0 => reduced(&a[0], [r.element.clone()]),
        n => reduced(&a[0], [r.element.clone(), Value::int(n as i64)]),
    })
}
