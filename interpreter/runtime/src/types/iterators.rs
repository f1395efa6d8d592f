//! What iterator types share: `__iter__`, `__reduce__`'s builtins, items by position up to the end.
use krait_object::{PyResult, Raised, Thread, Value};

use crate::exceptions::{INDEX_ERROR, STOP_ITERATION};
pub use crate::functions::builtin;
use crate::protocol::sequence;

/// `__iter__` of iterators.
pub fn self_iter(_: &mut Thread, v: &Value) -> PyResult<Value> {
    Ok(v.clone())
}

/// Passes on any exception but the two that end an iteration over a sequence.
fn ends_iteration(th: &mut Thread, e: Raised) -> PyResult<Option<Value>> {
    let ended = th.exc.as_ref().is_some_and(|exc| exc.is_instance(&INDEX_ERROR) || exc.is_instance(&STOP_ITERATION));
    if ended {
        drop(th.take_exc());
        Ok(None)
    } else {
        Err(e)
    }
}

/// `v[i]`, or nothing where it raises IndexError or StopIteration.
pub fn item_or_end(th: &mut Thread, v: &Value, i: isize) -> PyResult<Option<Value>> {
    let slot = v.class().slots.sq_item.get();
    let found = match slot {
        Some(item) => item(th, v, i),
        None => sequence::get_item(th, v, &Value::int(i as i64)),
    };
    match found {
        Ok(item) => Ok(Some(item)),
        Err(e) => ends_iteration(th, e),
    }
}
