//! `zip`. CPython: `Python/bltinmodule.c` (zip).
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use krait_macros::{Payload, Trace};
use krait_object::builtin_types::OBJECT;
use krait_object::native::method;
use krait_object::{
    Args, ClassDef, Method, PyResult, Raised, Ref, SlotDefs, Str, Thread, Tuple, Type, TypeObject, VTable, Value,
    type_flag,
};

use crate::errors::{type_error, value_error};
use crate::protocol::{compare, iter};
use crate::types::iterators::self_iter;
use crate::types::list::iterators::ListIter;

#[derive(Trace, Payload)]
#[payload(class = ZIP)]
pub struct Zip {
    iterators: Box<[Value]>,
    strict: AtomicBool,
}
static LAYOUT: VTable = VTable::of::<Zip>();
pub static ZIP: TypeObject = TypeObject::builtin("zip", Some(&OBJECT), &LAYOUT);

pub static DEF: ClassDef = ClassDef {
    doc: "The zip object yields n-length tuples, where n is the number of iterables\npassed as positional arguments to zip(). The i-th element in every tuple\ncomes from the i-th iterable argument. It ends when the shortest iterable does;\nif strict is true, iterables of different lengths raise a ValueError.\n\n   >>> list(zip('abcdefg', range(3), range(4)))\n   [('a', 0, 0), ('b', 1, 1), ('c', 2, 2)]",
    sig: "(*iterables, strict=False)",
    methods: METHODS,
    slots: SlotDefs { new: Some(new), iter: Some(self_iter), next: Some(next), ..SlotDefs::EMPTY },
    flags: type_flag::BASE | type_flag::HAVE_GC,
    ..ClassDef::new(&ZIP)
};
static METHODS: &[Method] = &[
    method("__reduce__", "()", "Return state information for pickling.", reduce),
    method("__setstate__", "(object, /)", "Set state information for unpickling.", setstate),
];

fn new(th: &mut Thread, cls: &Ref<Type>, args: &Args<'_>) -> PyResult<Value> {
    let mut strict = false;
    for (name, value) in args.kw() {
        if name.downcast_ref::<Str>().is_some_and(|n| n.eq_str("strict")) {
            strict = compare::truth(th, value)?;
        } else {
            let shown = name.downcast_ref::<Str>().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
            return Err(type_error(th, format!("zip() got an unexpected keyword argument '{shown}'")));
        }
    }
    let mut iterators = Vec::with_capacity(args.pos().len());
    for iterable in args.pos() {
        iterators.push(iter::iter(th, iterable)?);
    }
    let payload = Zip { iterators: iterators.into_boxed_slice(), strict: AtomicBool::new(strict) };
    Ok(Ref::with_class(payload, cls.object()).into())
}

fn next(th: &mut Thread, v: &Value) -> PyResult<Option<Value>> {
    let z: &Zip = v.downcast_ref().expect("the slot belongs to zip");
    if z.iterators.is_empty() {
        return Ok(None);
    }
    let mut items = Vec::with_capacity(z.iterators.len());
    for (i, it) in z.iterators.iter().enumerate() {
        match iter::next(th, it)? {
            Some(item) => items.push(item),
            None if !z.strict.load(Relaxed) => return Ok(None),
            None if i > 0 => return Err(wrong_length(th, i, "shorter")),
            None => {
                for (i, it) in z.iterators.iter().enumerate().skip(1) {
                    if iter::next(th, it)?.is_some() {
                        return Err(wrong_length(th, i, "longer"));
                    }
                }
                return Ok(None);
            }
        }
    }
    Ok(Some(Tuple::from_vec(items).into()))
}

impl Zip {
    /// The next items of two lists, as long as both have some.
    #[inline(always)]
    pub fn step(&self) -> Option<[Value; 2]> {
        let [first, second] = &*self.iterators else { return None };
        let (first, second) = (first.downcast_exact::<ListIter>()?, second.downcast_exact::<ListIter>()?);
        if std::ptr::eq(first, second) {
            return None;
        }
        let pair = [first.peek()?, second.peek()?];
        first.skip();
        second.skip();
        Some(pair)
    }
}
/// The next items of a zip of two that is not strict.
pub fn next_pair(th: &mut Thread, z: &Zip) -> Option<PyResult<Option<[Value; 2]>>> {
    let [first, second] = &*z.iterators else { return None };
    if z.strict.load(Relaxed) {
        return None;
    }
    let both = |th: &mut Thread| {
        let Some(first) = iter::next(th, first)? else { return Ok(None) };
        Ok(iter::next(th, second)?.map(|second| [first, second]))
    };
    Some(both(th))
}

fn wrong_length(th: &mut Thread, i: usize, how: &str) -> Raised {
    let others = if i == 1 { " " } else { "s 1-" };
    value_error(th, format!("zip() argument {} is {how} than argument{others}{i}", i + 1))
}

fn reduce(_: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let z = a.this::<Zip>();
    let class = a[0].class_ref().into_value();
    let iterators = Tuple::from_slice(&z.iterators).into_value();
    Ok(if z.strict.load(Relaxed) {
        Tuple::of([class, iterators, Value::TRUE]).into()
    } else {
        Tuple::of([class, iterators]).into()
    })
}

fn setstate(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let strict = compare::truth(th, &a[1])?;
    a.this::<Zip>().strict.store(strict, Relaxed);
    Ok(Value::NONE)
}
