//! `map`. CPython: `Python/bltinmodule.c` (map).
use krait_macros::{Payload, Trace};
use krait_object::builtin_types::OBJECT;
use krait_object::native::method;
use krait_object::{
    Args, ClassDef, PyResult, Ref, SlotDefs, Thread, Tuple, Type, TypeObject, VTable, Value, type_flag,
};

use crate::errors::type_error;
use crate::protocol::{call, iter};
use crate::types::iterators::self_iter;

#[derive(Trace, Payload)]
#[payload(class = MAP)]
pub struct Map {
    function: Value,
    iterators: Box<[Value]>,
}
static LAYOUT: VTable = VTable::of::<Map>();
pub static MAP: TypeObject = TypeObject::builtin("map", Some(&OBJECT), &LAYOUT);

pub static DEF: ClassDef = ClassDef {
    doc: "Make an iterator that computes the function using arguments from\neach of the iterables.  Stops when the shortest iterable is exhausted.",
    sig: "(function, iterable, /, *iterables)",
    methods: &[method("__reduce__", "()", "Return state information for pickling.", reduce)],
    slots: SlotDefs { new: Some(new), iter: Some(self_iter), next: Some(next), ..SlotDefs::EMPTY },
    flags: type_flag::BASE | type_flag::HAVE_GC,
    ..ClassDef::new(&MAP)
};

fn new(th: &mut Thread, cls: &Ref<Type>, args: &Args<'_>) -> PyResult<Value> {
    // A subclass with an __init__ of its own may take keywords for it.
    if args.has_kw() && MAP.slots.init.same(&cls.slots.init) {
        return Err(type_error(th, "map() takes no keyword arguments"));
    }
    let [function, iterables @ ..] = args.pos() else {
        return Err(type_error(th, "map() must have at least two arguments."));
    };
    if iterables.is_empty() {
        return Err(type_error(th, "map() must have at least two arguments."));
    }
    let mut iterators = Vec::with_capacity(iterables.len());
    for iterable in iterables {
        iterators.push(iter::iter(th, iterable)?);
    }
    let payload = Map { function: function.clone(), iterators: iterators.into_boxed_slice() };
    Ok(Ref::with_class(payload, cls.object()).into())
}

fn next(th: &mut Thread, v: &Value) -> PyResult<Option<Value>> {
    let m: &Map = v.downcast_ref().expect("the slot belongs to map");
    if let [one] = &*m.iterators {
        return match iter::next(th, one)? {
            Some(item) => call::call(th, &m.function, &[item]).map(Some),
            None => Ok(None),
        };
    }
    let mut items = Vec::with_capacity(m.iterators.len());
    for it in &m.iterators {
        match iter::next(th, it)? {
            Some(item) => items.push(item),
            None => return Ok(None),
        }
    }
    call::call(th, &m.function, &items).map(Some)
}

fn reduce(_: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let m = a.this::<Map>();
    let parts: Vec<Value> = std::iter::once(&m.function).chain(&m.iterators).cloned().collect();
    Ok(Tuple::of([a[0].class_ref().into(), Tuple::from_vec(parts).into()]).into())
}
