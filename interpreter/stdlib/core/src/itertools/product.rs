//! `itertools.product`.
use krait_macros::{Payload, Trace};
use krait_object::builtin_types::OBJECT;
use krait_object::native::method;
use krait_object::{
    Args, ClassDef, Locked, Method, PyResult, Ref, SlotDefs, Str, Thread, Tuple, Type, TypeObject, VTable, Value,
    type_flag,
};
use krait_runtime::errors::{memory_error, overflow_error, type_error, value_error};
use krait_runtime::protocol::{iter, number};
use krait_runtime::types::iterators::self_iter;

use super::combinations::{Walk, filled};
use super::{indices_from, positions, reduced, reduced_with_state, warn_pickle};

#[derive(Trace, Payload)]
#[payload(class = PRODUCT)]
pub struct Product {
    pools: Vec<Ref<Tuple>>,
    walk: Locked<Walk>,
}
static LAYOUT: VTable = VTable::of::<Product>();
pub static PRODUCT: TypeObject = TypeObject::builtin("product", Some(&OBJECT), &LAYOUT);

pub static DEF: ClassDef = ClassDef {
    module: "itertools",
    doc: "Cartesian product of input iterables.  Equivalent to nested for-loops.\n\nThe rightmost element advances fastest. To compute the product of an iterable\nwith itself, give the number of repetitions with the optional repeat keyword.\n\nproduct('ab', range(3)) --> ('a',0) ('a',1) ('a',2) ('b',0) ('b',1) ('b',2)",
    sig: "(*iterables, repeat=1)",
    methods: METHODS,
    slots: SlotDefs { new: Some(new), iter: Some(self_iter), next: Some(next), ..SlotDefs::EMPTY },
    flags: type_flag::BASE | type_flag::HAVE_GC,
    ..ClassDef::new(&PRODUCT)
};
static METHODS: &[Method] = &[
    method("__reduce__", "()", "Return state information for pickling.", reduce),
    method("__setstate__", "(object, /)", "Set state information for unpickling.", setstate),
    method("__sizeof__", "()", "Returns size in memory, in bytes.", |_, a| {
        Ok((64 + 8 * a.this::<Product>().pools.len()).into())
    }),
];

fn new(th: &mut Thread, cls: &Ref<Type>, args: &Args<'_>) -> PyResult<Value> {
    let mut repeat = 1;
    for (name, value) in args.kw() {
        if name.downcast_ref::<Str>().is_some_and(|n| n.eq_str("repeat")) {
            repeat = number::to_isize(th, value)?;
        } else {
            let shown = name.downcast_ref::<Str>().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
            return Err(type_error(th, format!("product() got an unexpected keyword argument '{shown}'")));
        }
    }
    if repeat < 0 {
        return Err(value_error(th, "repeat argument cannot be negative"));
    }
    let given = args.pos();
    let total = match given.len().checked_mul(repeat as usize).filter(|&n| n <= isize::MAX as usize / 8) {
        Some(total) => total,
        None => return Err(overflow_error(th, "repeat argument too large")),
    };
    let indices = filled(th, total, 0)?;
    let mut pools: Vec<Ref<Tuple>> = Vec::new();
    if pools.try_reserve_exact(total).is_err() {
        return Err(memory_error(th));
    }
    if repeat > 0 {
        for iterable in given {
            pools.push(Tuple::from_vec(iter::collect(th, iterable)?));
        }
    }
    for i in given.len()..total {
        pools.push(pools[i - given.len()].clone());
    }
    let walk = Locked::new(Walk { indices, started: false, stopped: false });
    Ok(Ref::with_class(Product { pools, walk }, cls.object()).into())
}

fn next(_: &mut Thread, v: &Value) -> PyResult<Option<Value>> {
    let p: &Product = v.downcast_ref().expect("the slot belongs to product");
    let mut w = p.walk.lock();
    if w.stopped {
        return Ok(None);
    }
    if std::mem::replace(&mut w.started, true) {
        // As an odometer: from the right, to the first wheel that does not come round.
        let mut moved = false;
        for i in (0..p.pools.len()).rev() {
            w.indices[i] += 1;
            if w.indices[i] < p.pools[i].len() {
                moved = true;
                break;
            }
            w.indices[i] = 0;
        }
        if !moved {
            w.stopped = true;
            return Ok(None);
        }
    } else if p.pools.iter().any(|pool| pool.is_empty()) {
        w.stopped = true;
        return Ok(None);
    }
    let result = Tuple::new(w.indices.iter().zip(&p.pools).map(|(&i, pool)| pool[i].clone()));
    drop(w);
    Ok(Some(result.into()))
}

fn reduce(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    warn_pickle(th)?;
    let p = a.this::<Product>();
    let (started, stopped, indices) = {
        let w = p.walk.lock();
        (w.started, w.stopped, positions(&w.indices))
    };
    let pools: Vec<Value> = p.pools.iter().map(Ref::to_value).collect();
    Ok(if stopped {
        reduced(&a[0], [Tuple::empty().into()])
    } else if started {
        reduced_with_state(&a[0], pools, indices)
    } else {
        reduced(&a[0], pools)
    })
}

fn setstate(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    warn_pickle(th)?;
    let p = a.this::<Product>();
    let lengths: Vec<isize> = p.pools.iter().map(|pool| pool.len() as isize).collect();
    let indices = indices_from(th, &a[1], p.pools.len(), |i| lengths[i] - 1)?;
    let mut w = p.walk.lock();
    if lengths.contains(&0) {
        w.stopped = true;
        return Ok(Value::NONE);
    }
    w.indices = indices;
    w.started = true;
    Ok(Value::NONE)
}
