//! Length, items, membership, concatenation (`PySequence_*`, `PyMapping_*`, `PyObject_GetItem`).
use krait_object::list::try_copy;
use krait_object::{Dict, List, PyResult, Thread, Tuple, Type, Value};

use crate::errors::{catch, index_error, type_error};
use crate::exceptions::TYPE_ERROR;
use crate::protocol::attr::get_text_opt;
use crate::protocol::{call, compare, iter, number};

/// Whether `len` is defined.
pub fn has_len(v: &Value) -> bool {
    let s = &v.class().slots;
    s.sq_len.is_set() || s.mp_len.is_set()
}
/// Whether items can be had by index (dicts excepted).
pub fn is_sequence(v: &Value) -> bool {
    v.class().slots.sq_item.is_set() && v.downcast_ref::<Dict>().is_none()
}
/// `len(v)`.
pub fn len(th: &mut Thread, v: &Value) -> PyResult<usize> {
    let slots = &v.class().slots;
    match slots.sq_len.get().or(slots.mp_len.get()) {
        Some(f) => f(th, v),
        None => {
            let name = v.class().name();
            Err(type_error(th, format!("object of type '{name}' has no len()")))
        }
    }
}
/// `o[key]`.
pub fn get_item(th: &mut Thread, o: &Value, key: &Value) -> PyResult<Value> {
    let class = o.class_ref();
    if let Some(f) = class.slots.subscript.get() {
        return f(th, o, key);
    }
    if let Some(f) = class.slots.sq_item.get() {
        if number::has_index(key) {
            let i = number::index_isize(th, key)?;
            let i = from_end(th, o, i)?;
            return f(th, o, i);
        }
        let name = key.class().name();
        return Err(type_error(th, format!("sequence index must be integer, not '{name}'")));
    }
    if o.downcast_ref::<Type>().is_some() {
        if o.is(krait_object::Ref::from_object(&krait_object::builtin_types::TYPE).as_value()) {
            return Ok(crate::types::generic_alias::new(o.clone(), key.clone()));
        }
        if let Some(f) = get_text_opt(th, o, "__class_getitem__")?.filter(|f| !f.is_none()) {
            return call::call(th, &f, &[key.clone()]);
        }
        let name = o.downcast_ref::<Type>().map(|t| t.name().to_string()).unwrap_or_default();
        return Err(type_error(th, format!("type '{name}' is not subscriptable")));
    }
    Err(type_error(th, format!("'{}' object is not subscriptable", class.name())))
}
fn from_end(th: &mut Thread, o: &Value, i: isize) -> PyResult<isize> {
    if i < 0
        && let Some(f) = o.class().slots.sq_len.get()
    {
        return Ok(i + f(th, o)? as isize);
    }
    Ok(i)
}
fn store_item(th: &mut Thread, o: &Value, key: &Value, value: Option<&Value>) -> PyResult<()> {
    let class = o.class_ref();
    if let Some(f) = class.slots.set_subscript.get() {
        return f(th, o, key, value);
    }
    let verb = if value.is_some() { "assignment" } else { "deletion" };
    if let Some(f) = class.slots.sq_set_item.get() {
        if number::has_index(key) {
            let i = number::index_isize(th, key)?;
            let i = from_end(th, o, i)?;
            return f(th, o, i, value);
        }
        if class.slots.sq_item.is_set() {
            let name = key.class().name();
            return Err(type_error(th, format!("sequence index must be integer, not '{name}'")));
        }
    }
    Err(type_error(th, format!("'{}' object does not support item {verb}", class.name())))
}
/// `o[key] = value`.
pub fn set_item(th: &mut Thread, o: &Value, key: &Value, value: &Value) -> PyResult<()> {
    store_item(th, o, key, Some(value))
}
/// `del o[key]`.
pub fn del_item(th: &mut Thread, o: &Value, key: &Value) -> PyResult<()> {
    store_item(th, o, key, None)
}
/// `item in container`.
pub fn contains(th: &mut Thread, container: &Value, item: &Value) -> PyResult<bool> {
    let slot = container.class().slots.contains.get();
    if let Some(f) = slot {
        return f(th, container, item);
    }
    contains_by_iteration(th, container, item)
}
/// `item in container` for a type without `__contains__`.
pub fn contains_by_iteration(th: &mut Thread, container: &Value, item: &Value) -> PyResult<bool> {
    let it = match iter::iter(th, container) {
        Ok(it) => it,
        Err(raised) => {
            let iterable = container.class().slots.iter.is_set();
            let exc = catch(th, raised, &TYPE_ERROR)?;
            if iterable {
                return Err(crate::errors::raise_value(th, exc));
            }
            let name = container.class().name();
            return Err(type_error(th, format!("argument of type '{name}' is not iterable")));
        }
    };
    while let Some(x) = iter::next(th, &it)? {
        if compare::eq(th, &x, item)? {
            return Ok(true);
        }
    }
    Ok(false)
}
/// The items of `v`; TypeError with `message` where it is not iterable.
pub fn to_items(th: &mut Thread, v: &Value, message: &str) -> PyResult<Vec<Value>> {
    if let Some(t) = v.downcast_exact::<Tuple>() {
        return crate::errors::made(th, try_copy(t));
    }
    if let Some(l) = v.downcast_exact::<List>() {
        return crate::errors::made(th, l.try_to_vec());
    }
    let it = match iter::iter(th, v) {
        Ok(it) => it,
        Err(raised) => {
            catch(th, raised, &TYPE_ERROR)?;
            return Err(type_error(th, message));
        }
    };
    iter::collect(th, &it)
}
/// `operator.concat`.
pub fn concat(th: &mut Thread, a: &Value, b: &Value) -> PyResult<Value> {
    let slot = a.class().slots.sq_concat.get();
    if let Some(f) = slot {
        return f(th, a, b);
    }
    if is_sequence(a) && is_sequence(b) {
        let r = number::binary_opt(th, number::BinaryOp::Add, a, b)?;
        if !r.is_not_implemented() {
            return Ok(r);
        }
    }
    let name = a.class().name();
    Err(type_error(th, format!("'{name}' object can't be concatenated")))
}
/// Sequence `a * n`.
pub fn repeat(th: &mut Thread, a: &Value, n: isize) -> PyResult<Value> {
    let slot = a.class().slots.sq_repeat.get();
    match slot {
        Some(f) => f(th, a, n),
        None => {
            let name = a.class().name();
            Err(type_error(th, format!("'{name}' object can't be repeated")))
        }
    }
}
/// Index error for a native sequence: "list index out of range".
pub fn out_of_range(th: &mut Thread, what: &str) -> krait_object::Raised {
    index_error(th, format!("{what} index out of range"))
}
