//! `reversed`. CPython: `Objects/enumobject.c`.
use std::sync::atomic::{AtomicIsize, Ordering::Relaxed};

use krait_macros::{Payload, Trace};
use krait_object::builtin_types::OBJECT;
use krait_object::native::{Sig, method};
use krait_object::{
    Args, ClassDef, Method, PyResult, Ref, SlotDefs, Thread, Tuple, Type, TypeObject, VTable, Value, ValueCell,
    type_flag,
};

use crate::errors::type_error;
use crate::protocol::{attr, call, sequence};
use crate::types::iterators::{item_or_end, self_iter};
use crate::types::slice::bounds::state_arg;

#[derive(Trace, Payload)]
#[payload(class = REVERSED)]
pub struct Reversed {
    /// Given up at the end.
    sequence: ValueCell,
    index: AtomicIsize,
}
static LAYOUT: VTable = VTable::of::<Reversed>();
pub static REVERSED: TypeObject = TypeObject::builtin("reversed", Some(&OBJECT), &LAYOUT);

pub static DEF: ClassDef = ClassDef {
    doc: "Return a reverse iterator over the values of the given sequence.",
    sig: "(sequence, /)",
    methods: METHODS,
    slots: SlotDefs { new: Some(new), iter: Some(self_iter), next: Some(next), ..SlotDefs::EMPTY },
    flags: type_flag::BASE | type_flag::HAVE_GC,
    ..ClassDef::new(&REVERSED)
};
static METHODS: &[Method] = &[
    method("__length_hint__", "()", "An estimate of the items left.", length_hint),
    method("__reduce__", "()", "Return state information for pickling.", reduce),
    method("__setstate__", "(object, /)", "Set state information for unpickling.", setstate),
];

fn new(th: &mut Thread, cls: &Ref<Type>, args: &Args<'_>) -> PyResult<Value> {
    static SIG: Sig = Sig::new("(sequence, /)");
    // A subclass with an __init__ of its own may take keywords for it.
    let args =
        if args.has_kw() && !REVERSED.slots.init.same(&cls.slots.init) { Args::new(args.pos(), &[]) } else { *args };
    if !args.has_kw() && args.len() != 1 {
        return Err(type_error(th, format!("reversed expected 1 argument, got {}", args.len())));
    }
    let b = SIG.bind(th, "reversed", "reversed", &args, 0)?;
    let sequence = b.args()[0].clone();
    let refused = |th: &mut Thread| {
        let message = format!("'{}' object is not reversible", sequence.class().name());
        type_error(th, message)
    };
    match attr::lookup_special(th, &sequence, "__reversed__")? {
        Some(v) if v.is_none() => return Err(refused(th)),
        Some(method) => return call::call(th, &method, &[]),
        None => {}
    }
    if !sequence::is_sequence(&sequence) {
        return Err(refused(th));
    }
    let n = sequence::len(th, &sequence)?;
    let payload = Reversed { sequence: ValueCell::new(Some(sequence)), index: AtomicIsize::new(n as isize - 1) };
    Ok(Ref::with_class(payload, cls.object()).into())
}

fn next(th: &mut Thread, v: &Value) -> PyResult<Option<Value>> {
    let it: &Reversed = v.downcast_ref().expect("the slot belongs to reversed");
    let i = it.index.load(Relaxed);
    if i >= 0
        && let Some(sequence) = it.sequence.get()
        && let Some(item) = item_or_end(th, &sequence, i)?
    {
        it.index.store(i - 1, Relaxed);
        return Ok(Some(item));
    }
    it.index.store(-1, Relaxed);
    it.sequence.set(None);
    Ok(None)
}

fn length_hint(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let it = a.this::<Reversed>();
    let Some(sequence) = it.sequence.get() else { return Ok(Value::int(0)) };
    let n = sequence::len(th, &sequence)? as isize;
    let left = it.index.load(Relaxed) + 1;
    Ok(Value::int(if n < left { 0 } else { left as i64 }))
}

fn reduce(_: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let it = a.this::<Reversed>();
    let class = a[0].class_ref().into_value();
    Ok(match it.sequence.get() {
        Some(s) => Tuple::of([class, Tuple::of([s]).into(), Value::int(it.index.load(Relaxed) as i64)]).into(),
        None => Tuple::of([class, Tuple::of([Tuple::empty().into()]).into()]).into(),
    })
}

fn setstate(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let index = state_arg(th, &a[1])?;
    let it = a.this::<Reversed>();
    if let Some(sequence) = it.sequence.get() {
        let n = sequence::len(th, &sequence)? as isize;
        it.index.store(index.clamp(-1, n - 1), Relaxed);
    }
    Ok(Value::NONE)
}
