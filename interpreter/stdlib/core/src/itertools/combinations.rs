//! `itertools.combinations`.
use krait_macros::{Payload, Trace};
use krait_object::builtin_types::OBJECT;
use krait_object::native::{Sig, method};
use krait_object::{
    Args, ClassDef, Locked, Method, PyResult, Ref, SlotDefs, Thread, Tuple, Type, TypeObject, VTable, Value, type_flag,
};
use krait_runtime::errors::{memory_error, value_error};
use krait_runtime::protocol::{iter, number};
use krait_runtime::types::iterators::self_iter;

use super::{indices_from, positions, reduced, reduced_with_state, warn_pickle};

/// Where a combinatoric iterator stands.
#[derive(Trace, Default)]
pub struct Walk {
    /// Positions in the pool of the last result.
    pub indices: Vec<usize>,
    pub started: bool,
    pub stopped: bool,
}

#[derive(Trace, Payload)]
#[payload(class = COMBINATIONS)]
pub struct Combinations {
    pool: Ref<Tuple>,
    r: usize,
    walk: Locked<Walk>,
}
static LAYOUT: VTable = VTable::of::<Combinations>();
pub static COMBINATIONS: TypeObject = TypeObject::builtin("combinations", Some(&OBJECT), &LAYOUT);

pub static DEF: ClassDef = ClassDef {
    module: "itertools",
    doc: "Return successive r-length combinations of elements in the iterable.\n\ncombinations(range(4), 3) --> (0,1,2), (0,1,3), (0,2,3), (1,2,3)",
    sig: "(iterable, r)",
    methods: METHODS,
    slots: SlotDefs { new: Some(new), iter: Some(self_iter), next: Some(next), ..SlotDefs::EMPTY },
    flags: type_flag::BASE | type_flag::HAVE_GC,
    ..ClassDef::new(&COMBINATIONS)
};
static METHODS: &[Method] = &[
    method("__reduce__", "()", "Return state information for pickling.", reduce),
    method("__setstate__", "(object, /)", "Set state information for unpickling.", setstate),
    method("__sizeof__", "()", "Returns size in memory, in bytes.", |_, a| {
        Ok((72 + 8 * a.this::<Combinations>().r).into())
    }),
];

/// The iterable's items and the length of the results.
pub fn pool_and_r(th: &mut Thread, iterable: &Value, r: &Value) -> PyResult<(Ref<Tuple>, usize)> {
    let r = number::to_isize(th, r)?;
    let pool = Tuple::from_vec(iter::collect(th, iterable)?);
    if r < 0 {
        return Err(value_error(th, "r must be non-negative"));
    }
    Ok((pool, r as usize))
}

fn new(th: &mut Thread, cls: &Ref<Type>, args: &Args<'_>) -> PyResult<Value> {
    static SIG: Sig = Sig::new("(iterable, r)");
    let b = SIG.bind(th, "combinations", "combinations", args, 0)?;
    let (pool, r) = pool_and_r(th, &b.args()[0], &b.args()[1])?;
    let stopped = r > pool.len();
    let indices = if stopped { Vec::new() } else { (0..r).collect() };
    let walk = Locked::new(Walk { indices, started: false, stopped });
    Ok(Ref::with_class(Combinations { pool, r, walk }, cls.object()).into())
}

fn next(_: &mut Thread, v: &Value) -> PyResult<Option<Value>> {
    let c: &Combinations = v.downcast_ref().expect("the slot belongs to combinations");
    let mut w = c.walk.lock();
    if w.stopped {
        return Ok(None);
    }
    let n = c.pool.len();
    if std::mem::replace(&mut w.started, true) {
        // The rightmost position that can still move right.
        let Some(i) = (0..c.r).rev().find(|&i| w.indices[i] != i + n - c.r) else {
            w.stopped = true;
            return Ok(None);
        };
        w.indices[i] += 1;
        for j in i + 1..c.r {
            w.indices[j] = w.indices[j - 1] + 1;
        }
    }
    let result: Vec<Value> = w.indices.iter().map(|&i| c.pool[i].clone()).collect();
    drop(w);
    Ok(Some(Tuple::from_vec(result).into()))
}

fn reduce(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    warn_pickle(th)?;
    let c = a.this::<Combinations>();
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
    let c = a.this::<Combinations>();
    let (n, r) = (c.pool.len() as isize, c.r);
    let indices = indices_from(th, &a[1], r, |i| n - r as isize + i as isize)?;
    if indices.iter().any(|&i| i >= c.pool.len()) {
        return Err(value_error(th, "invalid arguments"));
    }
    let mut w = c.walk.lock();
    w.indices = indices;
    w.started = true;
    Ok(Value::NONE)
}

/// `n` positions, all `start`; MemoryError where a script asks for too many.
pub fn filled(th: &mut Thread, n: usize, start: usize) -> PyResult<Vec<usize>> {
    let mut out = Vec::new();
    if out.try_reserve_exact(n).is_err() {
        return Err(memory_error(th));
    }
    out.resize(n, start);
    Ok(out)
}
