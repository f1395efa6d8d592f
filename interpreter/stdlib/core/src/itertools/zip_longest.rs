//! `itertools.zip_longest`.
use krait_macros::{Payload, Trace};
use krait_object::builtin_types::OBJECT;
use krait_object::native::method;
use krait_object::{
    Args, ClassDef, Locked, Method, PyResult, Ref, SlotDefs, Str, Thread, Tuple, Type, TypeObject, VTable, Value,
    ValueCell, type_flag,
};
use krait_runtime::errors::type_error;
use krait_runtime::protocol::iter;
use krait_runtime::types::iterators::self_iter;

use super::{reduced_with_state, warn_pickle};

#[derive(Trace, Payload)]
#[payload(class = ZIP_LONGEST)]
pub struct ZipLongest {
    /// `None`: spent.
    iterators: Locked<Vec<Option<Value>>>,
    fill: ValueCell,
}
static LAYOUT: VTable = VTable::of::<ZipLongest>();
pub static ZIP_LONGEST: TypeObject = TypeObject::builtin("zip_longest", Some(&OBJECT), &LAYOUT);

pub static DEF: ClassDef = ClassDef {
    module: "itertools",
    doc: "Return a zip_longest object whose .__next__() method returns a tuple where\nthe i-th element comes from the i-th iterable argument.  The .__next__()\nmethod continues until the longest iterable in the argument sequence\nis exhausted and then it raises StopIteration.  When the shorter iterables\nare exhausted, the fillvalue is substituted in their place.  The fillvalue\ndefaults to None or can be specified by a keyword argument.",
    sig: "(*iterables, fillvalue=None)",
    methods: METHODS,
    slots: SlotDefs { new: Some(new), iter: Some(self_iter), next: Some(next), ..SlotDefs::EMPTY },
    flags: type_flag::BASE | type_flag::HAVE_GC,
    ..ClassDef::new(&ZIP_LONGEST)
};
static METHODS: &[Method] = &[
    method("__reduce__", "()", "Return state information for pickling.", reduce),
    method("__setstate__", "(object, /)", "Set state information for unpickling.", |th, a| {
        warn_pickle(th)?;
        a.this::<ZipLongest>().fill.set(Some(a[1].clone()));
        Ok(Value::NONE)
    }),
];

fn new(th: &mut Thread, cls: &Ref<Type>, args: &Args<'_>) -> PyResult<Value> {
    let mut fill = Value::NONE;
    for (name, value) in args.kw() {
        if !name.downcast_ref::<Str>().is_some_and(|n| n.eq_str("fillvalue")) {
            return Err(type_error(th, "zip_longest() got an unexpected keyword argument"));
        }
        fill = value.clone();
    }
    let mut iterators = Vec::with_capacity(args.pos().len());
    for iterable in args.pos() {
        iterators.push(Some(iter::iter(th, iterable)?));
    }
    let payload = ZipLongest { iterators: Locked::new(iterators), fill: fill.into() };
    Ok(Ref::with_class(payload, cls.object()).into())
}

fn next(th: &mut Thread, v: &Value) -> PyResult<Option<Value>> {
    let z: &ZipLongest = v.downcast_ref().expect("the slot belongs to zip_longest");
    let iterators = z.iterators.get();
    if iterators.iter().all(Option::is_none) {
        return Ok(None);
    }
    let fill = z.fill.get().unwrap_or(Value::NONE);
    let mut items = Vec::with_capacity(iterators.len());
    for (i, it) in iterators.iter().enumerate() {
        let Some(it) = it else {
            items.push(fill.clone());
            continue;
        };
        match iter::next(th, it) {
            Ok(Some(item)) => items.push(item),
            Ok(None) => {
                let (gone, any_left) = {
                    let mut held = z.iterators.lock();
                    (held[i].take(), held.iter().any(Option::is_some))
                };
                drop(gone);
                if !any_left {
                    return Ok(None);
                }
                items.push(fill.clone());
            }
            Err(e) => {
                let gone = {
                    let mut held = z.iterators.lock();
                    held.iter_mut().map(Option::take).collect::<Vec<_>>()
                };
                drop(gone);
                return Err(e);
            }
        }
    }
    Ok(Some(Tuple::from_vec(items).into()))
}

fn reduce(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    warn_pickle(th)?;
    let z = a.this::<ZipLongest>();
    // A spent iterator travels as an empty tuple.
    let parts = z.iterators.get();
    let parts: Vec<Value> = parts.into_iter().map(|it| it.unwrap_or_else(|| Tuple::empty().into())).collect();
    Ok(reduced_with_state(&a[0], parts, z.fill.get().unwrap_or(Value::NONE)))
}
