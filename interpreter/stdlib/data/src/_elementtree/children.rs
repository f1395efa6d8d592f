//! An element's children as a sequence.
use krait_object::{Args, List, PyResult, Thread, Value};
use krait_runtime::errors::{index_error, type_error, value_error};
use krait_runtime::protocol::{compare, iter, number, sequence};
use krait_runtime::types::slice::Slice;

use super::element::{Element, check_element};
use crate::arguments::class_name;

pub fn len(_: &mut Thread, v: &Value) -> PyResult<usize> {
    Ok(Element::of(v).children.lock().len())
}
pub fn item(th: &mut Thread, v: &Value, i: isize) -> PyResult<Value> {
    let found = usize::try_from(i).ok().and_then(|i| Element::of(v).child(i));
    found.ok_or_else(|| index_error(th, "child index out of range"))
}
pub fn set_item(th: &mut Thread, v: &Value, i: isize, new: Option<&Value>) -> PyResult<()> {
    if let Some(new) = new {
        check_element(th, new)?;
    }
    let e = Element::of(v);
    let mut all = e.children.lock();
    let Some(i) = usize::try_from(i).ok().filter(|&i| i < all.len()) else {
        drop(all);
        return Err(index_error(th, "child assignment index out of range"));
    };
    let old = match new {
        Some(new) => std::mem::replace(&mut all[i], new.clone()),
        None => all.remove(i),
    };
    drop(all);
    drop(old);
    Ok(())
}
fn place(th: &mut Thread, v: &Value, key: &Value) -> PyResult<isize> {
    if !number::has_index(key) {
        return Err(type_error(th, "element indices must be integers"));
    }
    let i = number::index_isize_or_index_error(th, key)?;
    let len = Element::of(v).children.lock().len() as isize;
    Ok(if i < 0 { i + len } else { i })
}
pub fn subscript(th: &mut Thread, v: &Value, key: &Value) -> PyResult<Value> {
    if key.downcast_ref::<Slice>().is_some() {
        let all: Value = List::new(Element::of(v).children.get()).into();
        return sequence::get_item(th, &all, key);
    }
    let i = place(th, v, key)?;
    item(th, v, i)
}
pub fn set_subscript(th: &mut Thread, v: &Value, key: &Value, new: Option<&Value>) -> PyResult<()> {
    if key.downcast_ref::<Slice>().is_none() {
        let i = place(th, v, key)?;
        return set_item(th, v, i, new);
    }
    let replacement = match new {
        None => None,
        Some(new) => {
            let items = elements(th, new)?;
            for item in &items {
                check_element(th, item)?;
            }
            Some(Value::from(List::new(items)))
        }
    };
    let all = List::new(Element::of(v).children.get());
    match &replacement {
        Some(items) => sequence::set_item(th, all.as_value(), key, items)?,
        None => sequence::del_item(th, all.as_value(), key)?,
    }
    Element::of(v).children.set(all.to_vec());
    Ok(())
}
/// The items of a sequence of elements.
pub fn elements(th: &mut Thread, v: &Value) -> PyResult<Vec<Value>> {
    if let Err(raised) = iter::iter(th, v) {
        krait_runtime::errors::catch(th, raised, &krait_runtime::exceptions::TYPE_ERROR)?;
        let class = class_name(v);
        return Err(type_error(th, format!("expected sequence, not \"{class}\"")));
    }
    iter::collect(th, v)
}
pub fn remove(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let e = a.this::<Element>();
    let mut i = e.children.lock().iter().position(|c| c.is(&a[1]));
    let mut at = 0;
    while i.is_none()
        && let Some(child) = e.child(at)
    {
        if compare::eq(th, &child, &a[1])? {
            i = Some(at);
        }
        at += 1;
    }
    let removed = {
        let mut all = e.children.lock();
        i.filter(|&i| i < all.len()).map(|i| all.remove(i))
    };
    match removed {
        Some(_) => Ok(Value::NONE),
        None => Err(value_error(th, "list.remove(x): x not in list")),
    }
}
