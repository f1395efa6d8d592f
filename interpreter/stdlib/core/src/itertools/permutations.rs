//! `itertools.permutations`.
use krait_macros::{Payload, Trace};
use krait_object::builtin_types::OBJECT;
use krait_object::native::{Sig, method};
use krait_object::{
    Args, ClassDef, Locked, Method, PyResult, Ref, SlotDefs, Thread, Tuple, Type, TypeObject, VTable, Value, type_flag,
};
use krait_runtime::errors::{type_error, value_error};
use krait_runtime::protocol::{iter, number};
use krait_runtime::types::iterators::self_iter;

use super::{indices_from, positions, reduced, reduced_with_state, warn_pickle};

#[derive(Trace, Default)]
struct Walk {
    /// A permutation of all positions; the first `r` make the result.
    indices: Vec<usize>,
    /// How far each of the first `r` places can still turn.
    cycles: Vec<usize>,
    started: bool,
    stopped: bool,
}

#[derive(Trace, Payload)]
#[payload(class = PERMUTATIONS)]
pub struct Permutations {
    pool: Ref<Tuple>,
    r: usize,
    walk: Locked<Walk>,
}
static LAYOUT: VTable = VTable::of::<Permutations>();
pub static PERMUTATIONS: TypeObject = TypeObject::builtin("permutations", Some(&OBJECT), &LAYOUT);

pub static DEF: ClassDef = ClassDef {
    module: "itertools",
    doc: "Return successive r-length permutations of elements in the iterable.\n\npermutations(range(3), 2) --> (0,1), (0,2), (1,0), (1,2), (2,0), (2,1)",
    sig: "(iterable, r=None)",
    methods: METHODS,
    slots: SlotDefs { new: Some(new), iter: Some(self_iter), next: Some(next), ..SlotDefs::EMPTY },
    flags: type_flag::BASE | type_flag::HAVE_GC,
    ..ClassDef::new(&PERMUTATIONS)
};
static METHODS: &[Method] = &[
    method("__reduce__", "()", "Return state information for pickling.", reduce),
    method("__setstate__", "(object, /)", "Set state information for unpickling.", setstate),
    method("__sizeof__", "()", "Returns size in memory, in bytes.", |_, a| {
        let p = a.this::<Permutations>();
        Ok((80 + 8 * (p.pool.len() + p.r)).into())
    }),
];

fn new(th: &mut Thread, cls: &Ref<Type>, args: &Args<'_>) -> PyResult<Value> {
    static SIG: Sig = Sig::new("(iterable, r=None)");
    let b = SIG.bind(th, "permutations", "permutations", args, 0)?;
    let a = b.args();
    let pool = Tuple::from_vec(iter::collect(th, &a[0])?);
    let n = pool.len();
    let r = match a.opt_not_none(1) {
        None => n,
        Some(v) => {
            if v.as_int_ref().is_none() {
                return Err(type_error(th, "Expected int as r"));
            }
            let r = number::to_isize(th, v)?;
            if r < 0 {
                return Err(value_error(th, "r must be non-negative"));
            }
            r as usize
        }
    };
    let stopped = r > n;
    let cycles = if stopped { Vec::new() } else { (0..r).map(|i| n - i).collect() };
    let walk = Locked::new(Walk { indices: (0..n).collect(), cycles, started: false, stopped });
    Ok(Ref::with_class(Permutations { pool, r, walk }, cls.object()).into())
}

impl Walk {
    /// Turns to the next permutation; false after the last.
    fn advance(&mut self, r: usize) -> bool {
        let n = self.indices.len();
        for i in (0..r).rev() {
            self.cycles[i] -= 1;
            if self.cycles[i] == 0 {
                self.indices[i..].rotate_left(1);
                self.cycles[i] = n - i;
            } else {
                let j = n - self.cycles[i];
                self.indices.swap(i, j);
                return true;
            }
        }
        false
    }
}

fn next(_: &mut Thread, v: &Value) -> PyResult<Option<Value>> {
    let p: &Permutations = v.downcast_ref().expect("the slot belongs to permutations");
    let mut w = p.walk.lock();
    if w.stopped {
        return Ok(None);
    }
    if std::mem::replace(&mut w.started, true) && (p.pool.is_empty() || !w.advance(p.r)) {
        w.stopped = true;
        return Ok(None);
    }
    let result: Vec<Value> = w.indices[..p.r].iter().map(|&i| p.pool[i].clone()).collect();
    drop(w);
    Ok(Some(Tuple::from_vec(result).into()))
}

fn reduce(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    warn_pickle(th)?;
    let p = a.this::<Permutations>();
    let (started, stopped, indices, cycles) = {
        let w = p.walk.lock();
        (w.started, w.stopped, positions(&w.indices), positions(&w.cycles))
    };
    Ok(if !started {
        reduced(&a[0], [p.pool.to_value(), p.r.into()])
    } else if stopped {
        reduced(&a[0], [Tuple::empty().into(), p.r.into()])
    } else {
        reduced_with_state(&a[0], [p.pool.to_value(), p.r.into()], Tuple::of([indices, cycles]).into())
    })
}

fn setstate(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    warn_pickle(th)?;
    let p = a.this::<Permutations>();
    let Some(state) = a[1].downcast_ref::<Tuple>() else {
        return Err(type_error(th, "state is not a tuple"));
    };
    let [indices, cycles] = state.as_slice() else {
        return Err(type_error(th, format!("function takes exactly 2 arguments ({} given)", state.len())));
    };
    let n = p.pool.len();
    let indices = indices_from(th, indices, n, |_| n as isize - 1)?;
    let cycles = indices_from(th, cycles, p.r, |i| n as isize - i as isize)?;
    let mut w = p.walk.lock();
    w.indices = indices;
    w.cycles = cycles.into_iter().map(|c| c.max(1)).collect();
    w.started = true;
    Ok(Value::NONE)
}
