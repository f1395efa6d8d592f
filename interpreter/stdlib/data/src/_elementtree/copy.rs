//! Copying and pickling elements.
use krait_object::builtin_types::STR;
use krait_object::{Args, Dict, List, PyResult, Ref, Thread, Value};
use krait_runtime::errors::type_error;
use krait_runtime::import::import_module;
use krait_runtime::protocol::{attr, iter, repr};

use super::element::{Element, check_element, create};

pub fn shallow(_: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let e = a.this::<Element>();
    let attrib = e.attrib.get().and_then(|v| v.to_ref::<Dict>()).map(|d| d.copy());
    let made = create(e.tag.get().unwrap_or(Value::NONE), attrib);
    let copy = Element::of(&made);
    copy.text.set(e.text.get());
    copy.tail.set(e.tail.get());
    let children = e.children.get();
    copy.children.set(children);
    Ok(made)
}
fn deepcopy(th: &mut Thread, v: &Value, memo: &Value) -> PyResult<Value> {
    // Most of a tree is immutable.
    if v.is_none() || v.is_exact(&STR) {
        return Ok(v.clone());
    }
    if v.is_exact(&super::element::ELEMENT) {
        return deep_element(th, v, memo);
    }
    let module = import_module(th, "copy")?;
    attr::call_method(th, &module, "deepcopy", &[v.clone(), memo.clone()])
}
pub fn deep(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    if a[1].downcast_ref::<Dict>().is_none() {
        let class = crate::arguments::class_name(&a[1]);
        return Err(type_error(th, format!("__deepcopy__() argument 1 must be dict, not {class}")));
    }
    deep_element(th, &a[0], &a[1])
}
fn deep_element(th: &mut Thread, v: &Value, memo: &Value) -> PyResult<Value> {
    th.check_native(" while copying an element")?;
    let e = Element::of(v);
    let tag = deepcopy(th, &e.tag.get().unwrap_or(Value::NONE), memo)?;
    let attrib: Option<Ref<Dict>> = match e.attrib.get() {
        Some(d) => deepcopy(th, &d, memo)?.to_ref::<Dict>(),
        None => None,
    };
    let made = create(tag, attrib);
    let copy = Element::of(&made);
    for (from, to) in [(&e.text, &copy.text), (&e.tail, &copy.tail)] {
        if let Some(v) = from.get() {
            to.set(Some(deepcopy(th, &v, memo)?));
        }
    }
    let mut i = 0;
    while let Some(child) = e.child(i) {
        let child = deepcopy(th, &child, memo)?;
        check_element(th, &child)?;
        copy.children.lock().push(child);
        i += 1;
    }
    if let Some(d) = memo.downcast_ref::<Dict>() {
        let key = num_bigint::BigInt::from(v.id());
        d.set(th, key.into(), made.clone())?;
    }
    Ok(made)
}
pub fn getstate(_: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let e = a.this::<Element>();
    let d = Dict::new();
    d.set_text("tag", e.tag.get().unwrap_or(Value::NONE));
    d.set_text("_children", List::new(e.children.get()));
    d.set_text("attrib", e.attrib.get().unwrap_or_else(|| Dict::new().into()));
    d.set_text("text", Value::from(e.text.get()));
    d.set_text("tail", Value::from(e.tail.get()));
    Ok(d.into())
}
pub fn setstate(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let e = a.this::<Element>();
    let Some(d) = a[1].downcast_ref::<Dict>() else {
        let shown = repr::repr(th, &a[1])?;
        return Err(type_error(th, format!("Don't know how to unpickle \"{shown}\" as an Element")));
    };
    let Some(tag) = d.get_text("tag") else { return Err(type_error(th, "tag may not be NULL")) };
    let mut children = Vec::new();
    if let Some(v) = d.get_text("_children") {
        if v.downcast_ref::<List>().is_none() {
            return Err(type_error(th, "'_children' is not a list"));
        }
        children = iter::collect(th, &v)?;
        for child in &children {
            check_element(th, child)?;
        }
    }
    let attrib = d.get_text("attrib").filter(|v| !v.is_none());
    if let Some(v) = &attrib
        && v.downcast_ref::<Dict>().is_none()
    {
        let class = crate::arguments::class_name(v);
        return Err(type_error(th, format!("attrib must be dict, not {class}")));
    }
    let old = [
        e.tag.replace(Some(tag)),
        e.text.replace(d.get_text("text")),
        e.tail.replace(d.get_text("tail")),
        e.attrib.replace(attrib),
    ];
    e.children.set(children);
    drop(old);
    Ok(Value::NONE)
}
