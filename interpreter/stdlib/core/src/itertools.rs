//! `itertools`: iterator building blocks, one file per type or family of types in the folder. CPython:
//! `Modules/itertoolsmodule.c`.
use krait_object::native::function;
use krait_object::{Args, Method, ModuleDef, PyResult, Thread, Tuple, TypeObject, Value};
use krait_runtime::errors::{memory_error, type_error, value_error};
use krait_runtime::protocol::{attr, call, iter, number};
use krait_runtime::warnings;

mod accumulate;
mod batched;
mod chain;
mod combinations;
mod combinations_with_replacement;
mod compress;
mod count;
mod cycle;
mod groupby;
mod islice;
mod pairwise;
mod permutations;
mod predicates;
mod product;
mod repeat;
mod tee;
mod zip_longest;

pub static MODULE: ModuleDef = ModuleDef {
    doc: "Functional tools for creating and using iterators.\n\nInfinite iterators: count, cycle, repeat\n\nIterators terminating on the shortest input sequence: accumulate, batched, chain,\ncompress, dropwhile, filterfalse, groupby, islice, pairwise, starmap, tee,\ntakewhile, zip_longest\n\nCombinatoric generators: product, permutations, combinations,\ncombinations_with_replacement\n",
    functions: FUNCTIONS,
    classes: &[
        &accumulate::DEF,
        &batched::DEF,
        &chain::DEF,
        &combinations::DEF,
        &compress::DEF,
        &count::DEF,
        &combinations_with_replacement::DEF,
        &cycle::DEF,
        &predicates::DROPWHILE_DEF,
        &predicates::FILTERFALSE_DEF,
        &groupby::DEF,
        &groupby::GROUPER_DEF,
        &islice::DEF,
        &pairwise::DEF,
        &permutations::DEF,
        &product::DEF,
        &repeat::DEF,
        &predicates::STARMAP_DEF,
        &predicates::TAKEWHILE_DEF,
        &tee::DEF,
        &tee::DATA_DEF,
        &zip_longest::DEF,
    ],
    ..ModuleDef::new("itertools")
};

static FUNCTIONS: &[Method] =
    &[function("tee", "(iterable, n=2, /)", "Returns a tuple of n independent iterators.", tee_function)];

fn tee_function(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let n = match a.opt(1) {
        Some(v) => number::to_isize(th, v)?,
        None => 2,
    };
    if n < 0 {
        return Err(value_error(th, "n must be >= 0"));
    }
    if n == 0 {
        return Ok(Tuple::empty().into());
    }
    let mut all = Vec::new();
    let room = n.checked_mul(2 * size_of::<Value>() as isize).filter(|_| all.try_reserve_exact(n as usize).is_ok());
    if room.is_none() {
        return Err(memory_error(th));
    }
    let mut first = iter::iter(th, &a[0])?;
    let copy = match attr::get_text_opt(th, &first, "__copy__")? {
        Some(copy) => copy,
        None => {
            first = tee::new(th, &first)?;
            attr::get_text(th, &first, "__copy__")?
        }
    };
    all.push(first);
    for _ in 1..n {
        all.push(call::call(th, &copy, &[])?);
    }
    Ok(Tuple::from_vec(all).into())
}

/// `__reduce__` and `__setstate__` of this module's types go away in the next version.
fn warn_pickle(th: &mut Thread) -> PyResult<()> {
    warnings::deprecated(th, "Pickle, copy, and deepcopy support will be removed from itertools in Python 3.14.")
}

/// Positional arguments only, `min` to `max` of them. Subclasses with an `__init__` of their own may take keywords for it.
fn positional<'a>(
    th: &mut Thread,
    cls: &krait_object::Type,
    base: &'static TypeObject,
    args: &Args<'a>,
    min: usize,
    max: usize,
) -> PyResult<&'a [Value]> {
    let name = base.name();
    if args.has_kw() && base.slots.init.same(&cls.slots.init) {
        return Err(type_error(th, format!("{name}() takes no keyword arguments")));
    }
    let given = args.pos();
    if (min..=max).contains(&given.len()) {
        return Ok(given);
    }
    let (bound, n) = if min == max {
        ("", min)
    } else if given.len() < min {
        ("at least ", min)
    } else {
        ("at most ", max)
    };
    let s = if n == 1 { "" } else { "s" };
    Err(type_error(th, format!("{name} expected {bound}{n} argument{s}, got {}", given.len())))
}

/// `(type(v), args)`.
fn reduced(v: &Value, args: impl IntoIterator<Item = Value, IntoIter: ExactSizeIterator>) -> Value {
    Tuple::of([v.class_ref().into(), Tuple::new(args).into()]).into()
}
/// `(type(v), args, state)`.
fn reduced_with_state(
    v: &Value,
    args: impl IntoIterator<Item = Value, IntoIter: ExactSizeIterator>,
    state: Value,
) -> Value {
    Tuple::of([v.class_ref().into(), Tuple::new(args).into(), state]).into()
}

/// A class as a value.
fn class_of(class: &'static TypeObject) -> Value {
    class.to_value()
}

/// A tuple of positions.
fn positions(indices: &[usize]) -> Value {
    Tuple::new(indices.iter().map(|&i| Value::from(i))).into()
}

/// The state of a combinatoric iterator: a tuple of `n` ints, each clamped to `0..=max(i)`.
fn indices_from(th: &mut Thread, state: &Value, n: usize, max: impl Fn(usize) -> isize) -> PyResult<Vec<usize>> {
    let given = state.downcast_ref::<Tuple>().map(Tuple::as_slice).filter(|t| t.len() == n);
    let Some(given) = given else { return Err(value_error(th, "invalid arguments")) };
    let mut indices = Vec::with_capacity(n);
    for (i, v) in given.iter().enumerate() {
        let at = krait_runtime::types::slice::bounds::state_arg(th, v)?;
        indices.push(at.min(max(i)).max(0) as usize);
    }
    Ok(indices)
}
