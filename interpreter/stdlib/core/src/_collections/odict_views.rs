//! The views and the iterator of `OrderedDict`. CPython: `Objects/odictobject.c`.
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

use krait_macros::{Payload, Trace};
use krait_object::builtin_types::OBJECT;
use krait_object::native::method;
use krait_object::{
    Args, ClassDef, Dict, List, PyResult, Ref, SlotDefs, Thread, Tuple, TypeObject, VTable, Value, ValueCell, type_flag,
};
use krait_runtime::errors::{key_error, runtime_error};
use krait_runtime::types::dict::views::{
    DICT_ITEMS, DICT_KEYS, DICT_VALUES, DictItems, DictKeys, DictValues, try_dict_of,
};
use krait_runtime::types::iterators::{builtin, self_iter};
use krait_runtime::types::type_::ready::ready_class;

use super::ordered_dict;

/// What an iterator delivers: bit set of keys and values.
pub const KEYS: u8 = 1;
pub const VALUES: u8 = 2;
pub const ITEMS: u8 = 3;

static ODICT_KEYS: TypeObject = TypeObject::builtin_like("odict_keys", &DICT_KEYS);
static ODICT_VALUES: TypeObject = TypeObject::builtin_like("odict_values", &DICT_VALUES);
static ODICT_ITEMS: TypeObject = TypeObject::builtin_like("odict_items", &DICT_ITEMS);

macro_rules! view_defs {
    ($($def:ident $class:ident $kind:ident;)*) => { $(
        static $def: ClassDef = ClassDef {
            methods: &[method("__reversed__", "()", "", |_, a| Ok(iterator(dict_of(&a[0]), $kind, true)))],
            slots: SlotDefs { iter: Some(|_, v| Ok(iterator(dict_of(v), $kind, false))), ..SlotDefs::EMPTY },
            flags: type_flag::HAVE_GC,
            ..ClassDef::new(&$class)
        };
    )* };
}
view_defs! {
    KEYS_DEF ODICT_KEYS KEYS;
    VALUES_DEF ODICT_VALUES VALUES;
    ITEMS_DEF ODICT_ITEMS ITEMS;
}

fn dict_of(v: &Value) -> &Value {
    try_dict_of(v).expect("the slot belongs to a view").as_value()
}
fn dict_ref(v: &Value) -> Ref<Dict> {
    v.to_ref().expect("views are made of dicts")
}
pub fn keys(v: &Value) -> Value {
    Ref::with_class(DictKeys { dict: dict_ref(v) }, &ODICT_KEYS).into()
}
pub fn values(v: &Value) -> Value {
    Ref::with_class(DictValues { dict: dict_ref(v) }, &ODICT_VALUES).into()
}
pub fn items(v: &Value) -> Value {
    Ref::with_class(DictItems { dict: dict_ref(v) }, &ODICT_ITEMS).into()
}

/// Views and iterator are in no module's namespace, so they are readied with the module.
pub fn ready(th: &mut Thread) {
    for def in [&KEYS_DEF, &VALUES_DEF, &ITEMS_DEF, &ITERATOR_DEF] {
        ready_class(th, def);
    }
}

#[derive(Trace, Payload)]
#[payload(class = ODICT_ITERATOR)]
struct OdictIter {
    /// Given up at the end.
    dict: ValueCell,
    kind: u8,
    reverse: bool,
    /// The node that comes next.
    node: AtomicU32,
    /// The order's mutation count and the dict's length at the start.
    state: u64,
    len: usize,
}
static LAYOUT: VTable = VTable::of::<OdictIter>();
static ODICT_ITERATOR: TypeObject = TypeObject::builtin("odict_iterator", Some(&OBJECT), &LAYOUT);

static ITERATOR_DEF: ClassDef = ClassDef {
    methods: &[method("__reduce__", "()", "Return state information for pickling", reduce)],
    slots: SlotDefs { iter: Some(self_iter), next: Some(next), ..SlotDefs::EMPTY },
    flags: type_flag::DISALLOW_INSTANTIATION | type_flag::HAVE_GC,
    ..ClassDef::new(&ODICT_ITERATOR)
};

/// An iterator over an OrderedDict.
pub fn iterator(dict: &Value, kind: u8, reverse: bool) -> Value {
    let (state, node) = {
        let order = ordered_dict::order(dict).lock();
        (order.mutations(), order.end(reverse))
    };
    let len = dict_ref(dict).len();
    Ref::new(OdictIter { dict: ValueCell::new(Some(dict.clone())), kind, reverse, node: node.into(), state, len })
        .into()
}

fn next(th: &mut Thread, v: &Value) -> PyResult<Option<Value>> {
    let it: &OdictIter = v.downcast_ref().expect("the slot belongs to odict_iterator");
    let Some(held) = it.dict.get() else { return Ok(None) };
    let Some(d) = held.downcast_ref::<Dict>() else { return Ok(None) };
    let (state, step) = {
        let order = ordered_dict::order(&held).lock();
        (order.mutations(), order.step(it.node.load(Relaxed), it.reverse))
    };
    let mutated = if it.node.load(Relaxed) == u32::MAX {
        None
    } else if state != it.state {
        Some("OrderedDict mutated during iteration")
    } else if d.len() != it.len {
        Some("OrderedDict changed size during iteration")
    } else {
        None
    };
    if let Some(message) = mutated {
        it.dict.set(None);
        return Err(runtime_error(th, message));
    }
    let Some((key, _, next)) = step else {
        it.dict.set(None);
        return Ok(None);
    };
    it.node.store(next, Relaxed);
    if it.kind == KEYS {
        return Ok(Some(key));
    }
    match d.get(th, &key)? {
        Some(value) if it.kind == VALUES => Ok(Some(value)),
        Some(value) => Ok(Some(Tuple::of([key, value]).into())),
        None => {
            it.dict.set(None);
            Err(key_error(th, &key))
        }
    }
}

/// `(iter, ([items left],))`; the iterator itself stays where it is.
fn reduce(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let it = a.this::<OdictIter>();
    let fork = OdictIter {
        dict: ValueCell::new(it.dict.get()),
        kind: it.kind,
        reverse: it.reverse,
        node: it.node.load(Relaxed).into(),
        state: it.state,
        len: it.len,
    };
    let fork = Ref::new(fork).into_value();
    let mut items = Vec::new();
    while let Some(item) = next(th, &fork)? {
        items.push(item);
    }
    let iter = builtin(th, "iter")?;
    Ok(Tuple::of([iter, Tuple::of([List::new(items).into()]).into()]).into())
}
