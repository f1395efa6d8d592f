//! `_bisect`: binary search in sorted sequences. CPython: `Modules/_bisectmodule.c`.
use krait_object::builtin_types::LIST;
use krait_object::native::function;
use krait_object::{Args, CmpOp, List, Method, ModuleDef, PyResult, Thread, Tuple, Value};
use krait_runtime::errors::value_error;
use krait_runtime::protocol::{attr, call, compare, number, sequence};

pub static MODULE: ModuleDef = ModuleDef {
    doc: "Bisection algorithms.\n\nInserting into a list that is kept in sorted order, without sorting it again: the place is found by halving the list.\n",
    functions: FUNCTIONS,
    ..ModuleDef::new("_bisect")
};

const SIGNATURE: &str = "(a, x, lo=0, hi=None, *, key=None)";

static FUNCTIONS: &[Method] = &[
    function(
        "bisect_right",
        SIGNATURE,
        "Return the index where to insert item x in list a, assuming a is sorted.\n\nAll items before the index are less than or equal to x, all from it on are\ngreater. lo and hi bound the slice of a to be searched; a key function is\napplied to the items of a, not to x.",
        |th, a| {
            let x = a[1].clone();
            search(th, a, &x, true).map(Value::from)
        },
    ),
    function(
        "insort_right",
        SIGNATURE,
        "Insert item x in list a, and keep it sorted assuming a is sorted.\n\nIf x is already in a, insert it to the right of the rightmost x. lo and hi\nbound the slice of a to be searched; a key function is applied to x too.",
        |th, a| insert(th, a, true),
    ),
    function(
        "bisect_left",
        SIGNATURE,
        "Return the index where to insert item x in list a, assuming a is sorted.\n\nAll items before the index are less than x, all from it on are greater or\nequal. lo and hi bound the slice of a to be searched; a key function is\napplied to the items of a, not to x.",
        |th, a| {
            let x = a[1].clone();
            search(th, a, &x, false).map(Value::from)
        },
    ),
    function(
        "insort_left",
        SIGNATURE,
        "Insert item x in list a, and keep it sorted assuming a is sorted.\n\nIf x is already in a, insert it to the left of the leftmost x. lo and hi\nbound the slice of a to be searched; a key function is applied to x too.",
        |th, a| insert(th, a, false),
    ),
];

/// The place for `x`, which the key function was already applied to.
fn search(th: &mut Thread, a: &Args<'_>, x: &Value, right: bool) -> PyResult<usize> {
    let low = match a.opt(2) {
        Some(v) => number::to_isize(th, v)?,
        None => 0,
    };
    let high = match a.opt_not_none(3) {
        Some(v) => Some(number::to_isize(th, v)?),
        None => None,
    };
    if low < 0 {
        return Err(value_error(th, "lo must be non-negative"));
    }
    let mut low = low as usize;
    // A negative end means the whole, as in the C code, where -1 stands for None.
    let mut high = match high {
        Some(-1) | None => sequence::len(th, &a[0])?,
        Some(high) => high.max(0) as usize,
    };
    let key = a.opt_not_none(4);
    while low < high {
        let mid = low + (high - low) / 2;
        let mut item = item(th, &a[0], mid)?;
        if let Some(key) = key {
            item = call::call(th, key, &[item])?;
        }
        let goes_left = if right { less(th, x, &item)? } else { !less(th, &item, x)? };
        if goes_left { high = mid } else { low = mid + 1 }
    }
    Ok(low)
}

fn item(th: &mut Thread, sequence: &Value, i: usize) -> PyResult<Value> {
    let known = match (sequence.downcast_exact::<List>(), sequence.downcast_exact::<Tuple>()) {
        (Some(l), _) => l.get(i),
        (_, Some(t)) => t.get(i).cloned(),
        _ => None,
    };
    match known {
        Some(v) => Ok(v),
        None => sequence::get_item(th, sequence, &i.into()),
    }
}

fn less(th: &mut Thread, a: &Value, b: &Value) -> PyResult<bool> {
    compare::compare_bool(th, a, b, CmpOp::Lt)
}

fn insert(th: &mut Thread, a: &Args<'_>, right: bool) -> PyResult<Value> {
    let place = match a.opt_not_none(4) {
        Some(key) => {
            let x = call::call(th, key, std::slice::from_ref(&a[1]))?;
            search(th, a, &x, right)?
        }
        None => search(th, a, &a[1], right)?,
    };
    if a[0].is_exact(&LIST)
        && let Some(l) = a[0].downcast_ref::<List>()
    {
        let mut items = l.lock();
        let at = place.min(items.len());
        items.insert(at, a[1].clone());
        return Ok(Value::NONE);
    }
    attr::call_method(th, &a[0], "insert", &[place.into(), a[1].clone()])?;
    Ok(Value::NONE)
}
