//! `itertools.combinations_with_replacement`.
use krait_macros::{Payload, Trace};
use krait_object::builtin_types::OBJECT;
use krait_object::native::{Sig, method};
use krait_object::{
    Args, ClassDef, Locked, Method, PyResult, Ref, SlotDefs, Thread, Tuple, Type, TypeObject, VTable, Value, type_flag,
};
use krait_runtime::types::iterators::self_iter;

use super::combinations::{Walk, filled, pool_and_r};
use super::{indices_from, positions, reduced, reduced_with_state, warn_pickle};

#[derive(Trace, Payload)]
#[payload(class = COMBINATIONS_WITH_REPLACEMENT)]
pub struct WithReplacement {
    pool: Ref<Tuple>,
    r: usize,
    walk: Locked<Walk>,
}
static LAYOUT: VTable = VTable::of::<WithReplacement>();
pub static COMBINATIONS_WITH_REPLACEMENT: TypeObject =
    TypeObject::builtin("combinations_with_replacement", Some(&OBJECT), &LAYOUT);

pub static DEF: ClassDef = ClassDef {
    module: "itertools",
    doc: "Return successive r-length combinations of elements in the iterable allowing individual elements to have successive repeats.\n\ncombinations_with_replacement('ABC', 2) --> ('A','A'), ('A','B'), ('A','C'), ('B','B'), ('B','C'), ('C','C')",
    sig: "(iterable, r)",
    methods: METHODS,
    slots: SlotDefs { new: Some(new), iter: Some(self_iter), next: Some(next), ..SlotDefs::EMPTY },
    flags: type_flag::BASE | type_flag::HAVE_GC,
    ..ClassDef::new(&COMBINATIONS_WITH_REPLACEMENT)
};
static METHODS: &[Method] = &[
    method("__reduce__", "()", "Return state information for pickling.", reduce),
    method("__setstate__", "(object, /)", "Set state information for unpickling.", setstate),
    method("__sizeof__", "()", "Returns size in memory, in bytes.", |_, a| {
        Ok((72 + 8 * a.this::<WithReplacement>().r).into())
    }),
];

fn new(th: &mut Thread, cls: &Ref<Type>, args: &Args<'_>) -> PyResult<Value> {
    static SIG: Sig = Sig::new("(iterable, r)");
    let b = SIG.bind(th, "combinations_with_replacement", "combinations_with_replacement", args, 0)?;
    let (pool, r) = pool_and_r(th, &b.args()[0], &b.args()[1])?;
    let stopped = pool.is_empty() && r > 0;
    let indices = filled(th, r, 0)?;
    let walk = Locked::new(Walk { indices, started: false, stopped });
    Ok(Ref::with_class(WithReplacement { pool, r, walk }, cls.object()).into())
}

fn next(_: &mut Thread, v: &Value) -> PyResult<Option<Value>> {
    let c: &WithReplacement = v.downcast_ref().expect("the slot belongs to combinations_with_replacement");
    let mut w = c.walk.lock();
    if w.stopped {
        return Ok(None);
    }
    if std::mem::replace(&mut w.started, true) {
        let last = c.pool.len().saturating_sub(1);
        let Some(i) = (0..c.r).rev().find(|&i| w.indices[i] != last) else {
            w.stopped = true;
            return Ok(None);
        };
        let moved = w.indices[i] + 1;
        w.indices[i..].fill(moved);
    }
    let result: Vec<Value> = w.indices.iter().map(|&i| c.pool[i].clone()).collect();
    drop(w);
    Ok(Some(Tuple::from_vec(result).into()))
}

fn reduce(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    warn_pickle(th)?;
    let c = a.this::<WithReplacement>();
    let (started, stopped, indices) = {
        let w = c.walk.lock();
        (w.started, w.stopped, w.indices.clone())
    };
    Ok(if !started {
        reduced(&a[0], [c.pool.to_value(), c.r.into()])
    } else if stopped {
        reduced(&a[0], [Tuple::empty().into(), c.r.into()])
    } else {
        reduced_with_state(&a[0], [c.pool.to_value(), c.r.into()], positions(&indices))
    })
}

fn setstate(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    warn_pickle(th)?;
    let c = a.this::<WithReplacement>();
    let last = c.pool.len() as isize - 1;
    let indices = indices_from(th, &a[1], c.r, |_| last)?;
    if c.pool.is_empty() && c.r > 0 {
        return Err(krait_runtime::errors::value_error(th, "invalid arguments"));
    }
    let mut w = c.walk.lock();
    w.indices = indices;
    w.started = true;
    Ok(Value::NONE)
}
