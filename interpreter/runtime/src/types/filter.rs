//! `filter`. CPython: `Python/bltinmodule.c` (filter).
use krait_macros::{Payload, Trace};
use krait_object::builtin_types::{BOOL, OBJECT};
use krait_object::native::{Sig, method};
use krait_object::{
    Args, ClassDef, PyResult, Ref, SlotDefs, Thread, Tuple, Type, TypeObject, VTable, Value, type_flag,
};

use crate::protocol::{call, compare, iter};
use crate::types::iterators::self_iter;

#[derive(Trace, Payload)]
#[payload(class = FILTER)]
pub struct Filter {
    function: Value,
    iterator: Value,
}
static LAYOUT: VTable = VTable::of::<Filter>();
pub static FILTER: TypeObject = TypeObject::builtin("filter", Some(&OBJECT), &LAYOUT);

pub static DEF: ClassDef = ClassDef {
    doc: "Return an iterator yielding those items of iterable for which function(item)\nis true. If function is None, return the items that are true.",
    sig: "(function, iterable, /)",
    methods: &[method("__reduce__", "()", "Return state information for pickling.", reduce)],
    slots: SlotDefs { new: Some(new), iter: Some(self_iter), next: Some(next), ..SlotDefs::EMPTY },
    flags: type_flag::BASE | type_flag::HAVE_GC,
    ..ClassDef::new(&FILTER)
};

fn new(th: &mut Thread, cls: &Ref<Type>, args: &Args<'_>) -> PyResult<Value> {
    static SIG: Sig = Sig::new("(function, iterable, /)");
    // A subclass with an __init__ of its own may take keywords for it.
    let args =
        if args.has_kw() && !FILTER.slots.init.same(&cls.slots.init) { Args::new(args.pos(), &[]) } else { *args };
    let b = SIG.bind(th, "filter", "filter", &args, 0)?;
    let a = b.args();
    let iterator = iter::iter(th, &a[1])?;
    Ok(Ref::with_class(Filter { function: a[0].clone(), iterator }, cls.object()).into())
}

fn next(th: &mut Thread, v: &Value) -> PyResult<Option<Value>> {
    let f: &Filter = v.downcast_ref().expect("the slot belongs to filter");
    let plain = f.function.is_none() || f.function.bits() == BOOL.to_value().bits();
    while let Some(item) = iter::next(th, &f.iterator)? {
        let good = if plain {
            compare::truth(th, &item)?
        } else {
            let answer = call::call(th, &f.function, std::slice::from_ref(&item))?;
            compare::truth(th, &answer)?
        };
        if good {
            return Ok(Some(item));
        }
    }
    Ok(None)
}

fn reduce(_: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let f = a.this::<Filter>();
    let parts = Tuple::of([f.function.clone(), f.iterator.clone()]);
    Ok(Tuple::of([a[0].class_ref().into(), parts.into()]).into())
}
