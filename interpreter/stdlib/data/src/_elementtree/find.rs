//! Searching among the children: by a tag here, by a path in `xml.etree.ElementPath`.
use krait_object::{Args, List, PyResult, Str, Thread, Value};
use krait_runtime::import::import_module;
use krait_runtime::protocol::{attr, compare};

use super::element::Element;

/// Whether a search needs more than the comparison of tags.
fn is_path(path: &Value) -> bool {
    let Some(s) = path.downcast_ref::<Str>() else { return true };
    let text = s.to_string_lossy();
    if text.starts_with("{}") || text.starts_with("{*}") {
        return true;
    }
    let mut outside = true;
    for c in text.chars() {
        match c {
            '{' => outside = false,
            '}' => outside = true,
            '/' | '*' | '[' | '@' | '.' if outside => return true,
            _ => {}
        }
    }
    false
}
fn by_path(th: &mut Thread, function: &str, args: &[Value]) -> PyResult<Value> {
    let module = import_module(th, "xml.etree.ElementPath")?;
    attr::call_method(th, &module, function, args)
}
fn namespaces(a: &Args<'_>, i: usize) -> Value {
    a.opt(i).cloned().unwrap_or(Value::NONE)
}
/// The children with a tag, from a place on.
fn next_child(th: &mut Thread, e: &Element, tag: &Value, at: &mut usize) -> PyResult<Option<Value>> {
    while let Some(child) = e.child(*at) {
        *at += 1;
        let own = child.downcast_ref::<Element>().and_then(|c| c.tag.get()).unwrap_or(Value::NONE);
        if compare::eq(th, &own, tag)? {
            return Ok(Some(child));
        }
    }
    Ok(None)
}
pub fn find(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let spaces = namespaces(a, 2);
    if is_path(&a[1]) || !spaces.is_none() {
        return by_path(th, "find", &[a[0].clone(), a[1].clone(), spaces]);
    }
    Ok(next_child(th, a.this(), &a[1], &mut 0)?.into())
}
pub fn findtext(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let (default, spaces) = (a.opt(2).cloned().unwrap_or(Value::NONE), namespaces(a, 3));
    if is_path(&a[1]) || !spaces.is_none() {
        return by_path(th, "findtext", &[a[0].clone(), a[1].clone(), default, spaces]);
    }
    match next_child(th, a.this(), &a[1], &mut 0)? {
        Some(child) => {
            let text = Element::of(&child).text.get().filter(|t| !t.is_none());
            Ok(text.unwrap_or_else(|| "".into()))
        }
        None => Ok(default),
    }
}
pub fn findall(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let spaces = namespaces(a, 2);
    if is_path(&a[1]) || !spaces.is_none() {
        return by_path(th, "findall", &[a[0].clone(), a[1].clone(), spaces]);
    }
    let (mut found, mut at) = (Vec::new(), 0);
    while let Some(child) = next_child(th, a.this(), &a[1], &mut at)? {
        found.push(child);
    }
    Ok(List::new(found).into())
}
pub fn iterfind(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    by_path(th, "iterfind", &[a[0].clone(), a[1].clone(), namespaces(a, 2)])
}
