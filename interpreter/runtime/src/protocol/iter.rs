//! Iteration (`PyObject_GetIter`, `PyIter_Next`, `PyObject_LengthHint`).
use krait_object::list::try_copy;
use krait_object::thread::breaker;
use krait_object::{List, PyResult, Thread, Tuple, Value};

use crate::errors::{catch, type_error, value_error};
use crate::exceptions::{STOP_ITERATION, TYPE_ERROR};
use crate::hooks;
use crate::protocol::attr::call_special_opt;
use crate::protocol::sequence;
use crate::types::generator::Generator;
use crate::types::list::iterators::ListIter;

/// `iter(v)`.
pub fn iter(th: &mut Thread, v: &Value) -> PyResult<Value> {
    if let Some(f) = v.class().slots.iter.get() {
        let it = f(th, v)?;
        if !it.class().slots.next.is_set() {
            let name = it.class().name();
            return Err(type_error(th, format!("iter() returned non-iterator of type '{name}'")));
        }
        return Ok(it);
    }
    if sequence::is_sequence(v) {
        return Ok(crate::types::seq_iter::new(v.clone()));
    }
    Err(type_error(th, format!("'{}' object is not iterable", v.class().name())))
}
/// The next item, or `None` at the end; a StopIteration, which carries a generator's return value, is the end too.
#[inline]
pub fn next(th: &mut Thread, it: &Value) -> PyResult<Option<Value>> {
    if let Some(list) = it.downcast_exact::<ListIter>()
        && let Some(item) = list.step()
    {
        return Ok(Some(item));
    }
    let slot = it.class().slots.next.get();
    match slot {
        Some(f) => match f(th, it) {
            Ok(item) => Ok(item),
            Err(raised) => catch(th, raised, &STOP_ITERATION).map(|_| None),
        },
        None => {
            let name = it.class().name();
            Err(type_error(th, format!("'{name}' object is not an iterator")))
        }
    }
}
/// Hands the items that an iterator has left to `each`, which runs no Python code, as long as it takes them. What `each` gave
/// back; `None`: there are no more.
pub fn feed(th: &mut Thread, it: &Value, each: &mut dyn FnMut(Value) -> Result<(), Value>) -> PyResult<Option<Value>> {
    if let Some(generator) = it.downcast_exact::<Generator>()
        && generator.is_resumable()
        && th.breaker() & breaker::TRACE == 0
    {
        return (hooks::vm().feed_from_generator)(th, it, each);
    }
    while let Some(item) = next(th, it)? {
        if let Err(refused) = each(item) {
            return Ok(Some(refused));
        }
    }
    Ok(None)
}
/// Calls `f` with each item.
pub fn for_each(th: &mut Thread, v: &Value, mut f: impl FnMut(&mut Thread, Value) -> PyResult<()>) -> PyResult<()> {
    if let Some(t) = v.downcast_exact::<Tuple>() {
        for item in t.iter() {
            f(th, item.clone())?;
        }
        return Ok(());
    }
    if let Some(list) = v.downcast_exact::<List>() {
        let mut i = 0;
        while let Some(item) = list.get(i) {
            f(th, item)?;
            i += 1;
        }
        return Ok(());
    }
    let it = iter(th, v)?;
    while let Some(item) = next(th, &it)? {
        f(th, item)?;
    }
    Ok(())
}
/// All items.
pub fn collect(th: &mut Thread, v: &Value) -> PyResult<Vec<Value>> {
    if let Some(t) = v.downcast_exact::<Tuple>() {
        return crate::errors::made(th, try_copy(t));
    }
    if let Some(list) = v.downcast_exact::<List>() {
        return crate::errors::made(th, list.try_to_vec());
    }
    let it = iter(th, v)?;
    let hint = length_hint(th, &it, 8)?.min(1 << 20);
    let mut out = Vec::new();
    if out.try_reserve(hint).is_err() {
        return Err(crate::errors::memory_error(th));
    }
    let refused = feed(th, &it, &mut |item| {
        if out.len() == out.capacity() && out.try_reserve(1).is_err() {
            return Err(item);
        }
        out.push(item);
        Ok(())
    });
    match refused? {
        None => Ok(out),
        Some(_) => Err(crate::errors::memory_error(th)),
    }
}
/// `operator.length_hint(v, default)`.
pub fn length_hint(th: &mut Thread, v: &Value, default: usize) -> PyResult<usize> {
    if sequence::has_len(v) {
        match sequence::len(th, v) {
            Ok(n) => return Ok(n),
            Err(raised) => {
                catch(th, raised, &TYPE_ERROR)?;
            }
        }
    }
    let hint = match call_special_opt(th, v, "__length_hint__", &[]) {
        Ok(Some(hint)) => hint,
        Ok(None) => return Ok(default),
        Err(raised) => {
            catch(th, raised, &TYPE_ERROR)?;
            return Ok(default);
        }
    };
    if hint.is_not_implemented() {
        return Ok(default);
    }
    match hint.as_int_ref() {
        None => {
            let name = hint.class().name();
            Err(type_error(th, format!("__length_hint__ must be an integer, not {name}")))
        }
        Some(i) if i.is_negative() => Err(value_error(th, "__length_hint__() should return >= 0")),
        Some(i) => match i.to_i64() {
            Some(n) => Ok(n as usize),
            None => Err(crate::errors::overflow_error(th, "Python int too large to convert to C ssize_t")),
        },
    }
}
