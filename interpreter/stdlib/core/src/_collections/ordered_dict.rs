//! `collections.OrderedDict`: a dict, and the order of its keys beside it (`order`). Views and iterators are in
//! `odict_views`. CPython: `Objects/odictobject.c`.
mod order;

use krait_macros::{Payload, Trace};
use krait_object::builtin_types::DICT;
use krait_object::native::{class_method, method};
use krait_object::{
    Args, ClassDef, CmpOp, Dict, Locked, Method, PyResult, Ref, SlotDefs, StrBuilder, Thread, Tuple, Type, TypeObject,
    VTable, Value, ValueCell, type_flag,
};
use krait_runtime::errors::{key_error, runtime_error, type_error, value_error};
use krait_runtime::protocol::{attr, call, compare, iter, repr, sequence};

use super::odict_views;
use order::Order;

#[derive(Trace, Payload)]
#[repr(C)]
#[payload(class = ORDERED_DICT, extends = Dict)]
pub struct OrderedDict {
    base: Dict,
    pub order: Locked<Order>,
    attributes: ValueCell,
}
static LAYOUT: VTable = VTable::of::<OrderedDict>();
pub static ORDERED_DICT: TypeObject = TypeObject::builtin("OrderedDict", Some(&DICT), &LAYOUT);

pub static DEF: ClassDef = ClassDef {
    module: "collections",
    doc: "Dictionary that remembers insertion order",
    methods: METHODS,
    slots: SlotDefs {
        new: Some(new),
        init: Some(init),
        repr: Some(odict_repr),
        compare: Some(richcompare),
        iter: Some(|_, v| Ok(odict_views::iterator(v, odict_views::KEYS, false))),
        or: Some(or),
        inplace_or: Some(inplace_or),
        set_subscript: Some(set_subscript),
        ..SlotDefs::EMPTY
    },
    flags: type_flag::BASE | type_flag::MAPPING | type_flag::DICT_SUBCLASS | type_flag::WEAKREF | type_flag::HAVE_GC,
    dict_cell: Some(|v| v.downcast_ref::<OrderedDict>().map(|o| &o.attributes)),
    ..ClassDef::new(&ORDERED_DICT)
};

static METHODS: &[Method] = &[
    class_method(
        "fromkeys",
        "(iterable, value=None)",
        "Create a new ordered dictionary with keys from iterable and values set to value.",
        fromkeys,
    ),
    method("__sizeof__", "()", "", |_, a| {
        Ok((200 + this(&a[0]).lock().heap_size() + order(&a[0]).lock().heap_size()).into())
    }),
    method("__reduce__", "()", "Return state information for pickling", reduce),
    method(
        "setdefault",
        "(key, default=None)",
        "Insert key with a value of default if key is not in the dictionary.\n\nReturn the value for key if key is in the dictionary, else default.",
        setdefault,
    ),
    method(
        "pop",
        "(key, default=<unrepresentable>)",
        "od.pop(key[,default]) -> v, remove specified key and return the corresponding value.\n\nWithout the key the default is returned if given; otherwise KeyError is raised.",
        pop,
    ),
    method(
        "popitem",
        "(last=True)",
        "Remove and return a (key, value) pair from the dictionary.\n\nThe last pair inserted, or the first if last is false.",
        popitem,
    ),
    method("keys", "()", "", |_, a| Ok(odict_views::keys(&a[0]))),
    method("values", "()", "", |_, a| Ok(odict_views::values(&a[0]))),
    method("items", "()", "", |_, a| Ok(odict_views::items(&a[0]))),
    method("update", "", "", |th, a| {
        update(th, &a[0], &a.pos()[1..], a)?;
        Ok(Value::NONE)
    }),
    method("clear", "()", "od.clear() -> None.  Remove all items from od.", |_, a| {
        this(&a[0]).clear();
        let gone = order(&a[0]).lock().clear();
        drop(gone);
        Ok(Value::NONE)
    }),
    method("copy", "()", "od.copy() -> a shallow copy of od", copy),
    method("__reversed__", "()", "od.__reversed__() <==> reversed(od)", |_, a| {
        Ok(odict_views::iterator(&a[0], odict_views::KEYS, true))
    }),
    method(
        "move_to_end",
        "(key, last=True)",
        "Move an existing element to the end (or beginning if last is false).\n\nRaise KeyError if the element does not exist.",
        move_to_end,
    ),
];

fn this(v: &Value) -> &Dict {
    v.downcast_ref().expect("the slot belongs to OrderedDict")
}

/// The order of the keys.
pub fn order(v: &Value) -> &Locked<Order> {
    &v.downcast_ref::<OrderedDict>().expect("the slot belongs to OrderedDict").order
}

fn empty() -> OrderedDict {
    OrderedDict { base: Dict::payload(), order: Locked::default(), attributes: ValueCell::empty() }
}

fn new(_: &mut Thread, cls: &Ref<Type>, _: &Args<'_>) -> PyResult<Value> {
    Ok(Ref::with_class(empty(), cls.object()).into())
}

fn init(th: &mut Thread, v: &Value, args: &Args<'_>) -> PyResult<()> {
    if args.pos().len() > 1 {
        return Err(type_error(th, format!("expected at most 1 arguments, got {}", args.pos().len())));
    }
    update(th, v, args.pos(), args)
}

/// `MutableMapping.update`: everything goes through the object's own `__setitem__`.
fn update(th: &mut Thread, v: &Value, pos: &[Value], args: &Args<'_>) -> PyResult<()> {
    match pos {
        [] => {}
        [other] => update_from(th, v, other)?,
        more => {
            let message = format!("update() takes at most 1 positional argument ({} given)", more.len());
            return Err(type_error(th, message));
        }
    }
    for (key, value) in args.kw() {
        sequence::set_item(th, v, key, value)?;
    }
    Ok(())
}

fn update_from(th: &mut Thread, v: &Value, other: &Value) -> PyResult<()> {
    if let Some(d) = other.downcast_exact::<Dict>() {
        for (key, value) in d.items() {
            sequence::set_item(th, v, &key, &value)?;
        }
        return Ok(());
    }
    if let Some(keys) = attr::get_text_opt(th, other, "keys")? {
        let keys = call::call(th, &keys, &[])?;
        let it = iter::iter(th, &keys)?;
        while let Some(key) = iter::next(th, &it)? {
            let value = sequence::get_item(th, other, &key)?;
            sequence::set_item(th, v, &key, &value)?;
        }
        return Ok(());
    }
    if let Some(items) = attr::get_text_opt(th, other, "items")? {
        let items = call::call(th, &items, &[])?;
        return add_pairs(th, v, &items);
    }
    add_pairs(th, v, other)
}

fn add_pairs(th: &mut Thread, v: &Value, pairs: &Value) -> PyResult<()> {
    let it = iter::iter(th, pairs)?;
    while let Some(pair) = iter::next(th, &it)? {
        let parts = iter::iter(th, &pair)?;
        let take = |th: &mut Thread, got: usize| match iter::next(th, &parts)? {
            Some(part) => Ok(part),
            None => {
                let s = if got == 1 { "" } else { "s" };
                Err(value_error(th, format!("need more than {got} value{s} to unpack")))
            }
        };
        let key = take(th, 0)?;
        let value = take(th, 1)?;
        if iter::next(th, &parts)?.is_some() {
            return Err(value_error(th, "too many values to unpack (expected 2)"));
        }
        sequence::set_item(th, v, &key, &value)?;
    }
    Ok(())
}

fn odict_repr(th: &mut Thread, v: &Value) -> PyResult<Value> {
    let name = v.class().name();
    if this(v).is_empty() {
        return Ok(Value::str(&format!("{name}()")));
    }
    repr::with_repr(th, v, "...", |th| {
        let plain = Dict::new();
        krait_runtime::types::dict::merge::update_from(th, &plain, v)?;
        let mut out = StrBuilder::new();
        out.push_text(&name);
        out.push_text("(");
        out.push_str(&*repr::repr(th, plain.as_value())?);
        out.push_text(")");
        Ok(out.finish().into())
    })
}

/// Whether both deliver the same keys in the same order.
fn same_order(th: &mut Thread, a: &Value, b: &Value) -> PyResult<bool> {
    // Both may be the same object: its lock is taken once at a time.
    let mutations = |v: &Value| order(v).lock().mutations();
    let keys = |v: &Value| order(v).lock().keys();
    let states = || {
        let first = mutations(a);
        (first, mutations(b))
    };
    let before = states();
    let x = keys(a);
    let y = keys(b);
    for ((p, _), (q, _)) in x.iter().zip(&y) {
        let same = compare::eq(th, p, q)?;
        if states() != before {
            return Err(runtime_error(th, "OrderedDict mutated during iteration"));
        }
        if !same {
            return Ok(false);
        }
    }
    Ok(x.len() == y.len())
}

fn richcompare(th: &mut Thread, a: &Value, b: &Value, op: CmpOp) -> PyResult<Value> {
    let (Some(x), Some(y)) = (a.downcast_ref::<Dict>(), b.downcast_ref::<Dict>()) else {
        return Ok(Value::NOT_IMPLEMENTED);
    };
    if !matches!(op, CmpOp::Eq | CmpOp::Ne) {
        return Ok(Value::NOT_IMPLEMENTED);
    }
    let mut same = krait_runtime::types::dict::equal(th, x, y)?;
    if same && b.downcast_ref::<OrderedDict>().is_some() {
        same = same_order(th, a, b)?;
    }
    Ok(Value::bool(same == (op == CmpOp::Eq)))
}

fn or(th: &mut Thread, a: &Value, b: &Value) -> PyResult<Value> {
    if a.downcast_ref::<Dict>().is_none() || b.downcast_ref::<Dict>().is_none() {
        return Ok(Value::NOT_IMPLEMENTED);
    }
    let class = if a.downcast_ref::<OrderedDict>().is_some() { a } else { b }.class_ref().into_value();
    let made = call::call(th, &class, std::slice::from_ref(a))?;
    update_from(th, &made, b)?;
    Ok(made)
}
fn inplace_or(th: &mut Thread, a: &Value, b: &Value) -> PyResult<Value> {
    update_from(th, a, b)?;
    Ok(a.clone())
}

fn set_subscript(th: &mut Thread, v: &Value, key: &Value, value: Option<&Value>) -> PyResult<()> {
    let hash = compare::hash(th, key)?;
    match value {
        Some(value) => store(th, v, key, hash, value),
        None => match take(th, v, key, hash)? {
            Some(_) => Ok(()),
            None => Err(key_error(th, key)),
        },
    }
}
fn store(th: &mut Thread, v: &Value, key: &Value, hash: i64, value: &Value) -> PyResult<()> {
    let d = this(v);
    let before = d.len();
    d.set_hashed(th, key.clone(), hash, value.clone())?;
    if d.len() > before {
        order(v).lock().push(key.clone(), hash);
    } else if d.len() != order(v).lock().len() {
        // The key may have come into the dict past this class.
        let held = d.with_place(th, key, hash, |table, place| Some(table.at(place?)?.0.clone()))?;
        if let Some(held) = held {
            order(v).lock().push(held, hash);
        }
    }
    Ok(())
}
/// Removes a key from the dict and from the order.
fn take(th: &mut Thread, v: &Value, key: &Value, hash: i64) -> PyResult<Option<(Value, Value)>> {
    let pair = this(v).with_place(th, key, hash, |table, place| place.and_then(|i| table.remove_at(i)))?;
    if let Some((key, _)) = &pair {
        let held = order(v).lock().remove(key);
        drop(held);
    }
    Ok(pair)
}

fn fromkeys(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let made = call::call(th, &a[0], &[])?;
    let value = a.opt(2).cloned().unwrap_or(Value::NONE);
    let it = iter::iter(th, &a[1])?;
    while let Some(key) = iter::next(th, &it)? {
        sequence::set_item(th, &made, &key, &value)?;
    }
    Ok(made)
}

/// `(type(self), (), state, None, items)`.
fn reduce(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let state = attr::call_method(th, &a[0], "__getstate__", &[])?;
    let items = attr::call_method(th, &a[0], "items", &[])?;
    let it = iter::iter(th, &items)?;
    Ok(Tuple::of([a[0].class_ref().into(), Tuple::empty().into(), state, Value::NONE, it]).into())
}

fn setdefault(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let none = Value::NONE;
    let default = a.opt(2).unwrap_or(&none);
    if a[0].is_exact(&ORDERED_DICT) {
        let hash = compare::hash(th, &a[1])?;
        if let Some(known) = this(&a[0]).get_hashed(th, &a[1], hash)? {
            return Ok(known);
        }
        store(th, &a[0], &a[1], hash, default)?;
        return Ok(default.clone());
    }
    if sequence::contains(th, &a[0], &a[1])? {
        return sequence::get_item(th, &a[0], &a[1]);
    }
    sequence::set_item(th, &a[0], &a[1], default)?;
    Ok(default.clone())
}

fn pop(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let hash = compare::hash(th, &a[1])?;
    match (take(th, &a[0], &a[1], hash)?, a.opt(2)) {
        (Some((_, v)), _) => Ok(v),
        (None, Some(default)) => Ok(default.clone()),
        (None, None) => Err(key_error(th, &a[1])),
    }
}

fn popitem(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let last = match a.opt(1) {
        Some(v) => compare::truth(th, v)?,
        None => true,
    };
    let end = {
        let order = order(&a[0]).lock();
        order.step(order.end(last), last)
    };
    let Some((key, hash, _)) = end else { return Err(key_error(th, &Value::str("dictionary is empty"))) };
    match take(th, &a[0], &key, hash)? {
        Some((k, v)) => Ok(Tuple::of([k, v]).into()),
        None => Err(key_error(th, &key)),
    }
}

fn copy(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let d = this(&a[0]);
    if a[0].is_exact(&ORDERED_DICT) {
        let made = Ref::new(empty()).into_value();
        let keys = order(&a[0]).lock().keys();
        for (key, hash) in keys {
            match d.get(th, &key)? {
                Some(value) => store(th, &made, &key, hash, &value)?,
                None => return Err(key_error(th, &key)),
            }
        }
        return Ok(made);
    }
    let class = a[0].class_ref().into_value();
    let made = call::call(th, &class, &[])?;
    let keys = order(&a[0]).lock().keys();
    for (key, _) in keys {
        let value = sequence::get_item(th, &a[0], &key)?;
        sequence::set_item(th, &made, &key, &value)?;
    }
    Ok(made)
}

fn move_to_end(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let last = match a.opt(2) {
        Some(v) => compare::truth(th, v)?,
        None => true,
    };
    let hash = compare::hash(th, &a[1])?;
    // The dict's own order goes along: copies of its table are in the same order.
    let moved = this(&a[0]).with_place(th, &a[1], hash, |table, place| {
        let (key, value) = place.and_then(|i| table.remove_at(i))?;
        let held = key.clone();
        if last {
            table.push(hash, key, value);
            return Some(held);
        }
        let rest = table.take();
        table.push(hash, key, value);
        for entry in rest {
            if let Some((key, value)) = entry.pair {
                table.push(entry.hash, key, value);
            }
        }
        Some(held)
    })?;
    let Some(held) = moved else { return Err(key_error(th, &a[1])) };
    order(&a[0]).lock().move_to(&held, last);
    Ok(Value::NONE)
}
