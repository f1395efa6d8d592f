//! `_collections`: `deque`, `defaultdict`, `OrderedDict`, `_tuplegetter` and `_count_elements`. One file per type in the
//! folder. CPython: `Modules/_collectionsmodule.c`, `Objects/odictobject.c`.
use krait_object::builtin_types::DICT;
use krait_object::intern::intern;
use krait_object::native::function;
use krait_object::{Args, Dict, ModuleDef, PyResult, Thread, Value};
use krait_runtime::protocol::number::{self, BinaryOp};
use krait_runtime::protocol::{attr, call, iter, sequence};

mod defaultdict;
mod deque;
mod deque_iter;
mod odict_views;
mod ordered_dict;
mod tuplegetter;

pub static MODULE: ModuleDef = ModuleDef {
    doc: "High performance data structures.\n- deque:        ordered collection accessible from endpoints only\n- defaultdict:  dict subclass with a default value factory\n",
    functions: &[function(
        "_count_elements",
        "(mapping, iterable, /)",
        "Count elements in the iterable, updating the mapping",
        count_elements,
    )],
    classes: &[
        &deque::DEF,
        &deque_iter::DEF,
        &deque_iter::REVERSE_DEF,
        &defaultdict::DEF,
        &ordered_dict::DEF,
        &tuplegetter::DEF,
    ],
    init: Some(|th, _| {
        odict_views::ready(th);
        Ok(())
    }),
    ..ModuleDef::new("_collections")
};

/// Whether a dict subclass still has dict's own `get` and `__setitem__`.
fn stores_as_dict(mapping: &Value) -> bool {
    mapping.downcast_ref::<Dict>().is_some()
        && ["get", "__setitem__"].iter().all(|name| {
            let name = intern(name);
            match (mapping.class().lookup(&name), DICT.lookup(&name)) {
                (Some(a), Some(b)) => a.is(&b),
                _ => false,
            }
        })
}

fn count_elements(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let mapping = &a[0];
    let it = iter::iter(th, &a[1])?;
    let one = Value::int(1);
    if stores_as_dict(mapping)
        && let Some(d) = mapping.downcast_ref::<Dict>()
    {
        while let Some(key) = iter::next(th, &it)? {
            let hash = krait_runtime::protocol::compare::hash(th, &key)?;
            let count = match d.get_hashed(th, &key, hash)? {
                None => one.clone(),
                Some(count) => number::binary(th, BinaryOp::Add, &count, &one)?,
            };
            d.set_hashed(th, key, hash, count)?;
        }
        return Ok(Value::NONE);
    }
    let get = attr::get_text(th, mapping, "get")?;
    while let Some(key) = iter::next(th, &it)? {
        let count = call::call(th, &get, &[key.clone(), Value::int(0)])?;
        let count = number::binary(th, BinaryOp::Add, &count, &one)?;
        sequence::set_item(th, mapping, &key, &count)?;
    }
    Ok(Value::NONE)
}
