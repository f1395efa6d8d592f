//! `dict`: construction, comparison, repr, subscripts and methods. Updating is in `merge`, views in `views`, iterators in
//! `iterators`; the storage is `krait_object::Dict`. CPython: `Objects/dictobject.c`.
use krait_object::builtin_types::{DICT, FROZENSET, SET};
use krait_object::native::{class_method, method};
use krait_object::{
    Args, ClassDef, CmpOp, Dict, Method, PyResult, Ref, Set, SlotDefs, StrBuilder, Thread, Tuple, Type, Value,
    type_flag,
};

use crate::errors::key_error;
use crate::protocol::{attr, call, compare, iter, repr, sequence};
use crate::types::generic_alias::class_getitem;

pub mod iterators;
pub mod merge;
pub mod views;

pub static DEF: ClassDef = ClassDef {
    doc: "dict() -> new empty dictionary\ndict(mapping) -> new dictionary with the items of a mapping object\ndict(iterable) -> new dictionary with the (key, value) pairs of an iterable\ndict(**kwargs) -> new dictionary with the name=value pairs of the keyword arguments",
    methods: METHODS,
    slots: SlotDefs {
        new: Some(new),
        init: Some(init),
        repr: Some(dict_repr),
        compare: Some(richcompare),
        iter: Some(iterators::iter_keys),
        or: Some(or),
        inplace_or: Some(inplace_or),
        mp_len: Some(len),
        contains: Some(contains),
        subscript: Some(subscript),
        set_subscript: Some(set_subscript),
        ..SlotDefs::EMPTY
    },
    flags: type_flag::BASE | type_flag::MAPPING | type_flag::DICT_SUBCLASS | type_flag::MATCH_SELF | type_flag::HAVE_GC,
    ..ClassDef::new(&DICT)
};
pub static DEFS: &[&ClassDef] = &[
    &DEF,
    &views::KEYS_DEF,
    &views::VALUES_DEF,
    &views::ITEMS_DEF,
    &iterators::KEY_DEF,
    &iterators::VALUE_DEF,
    &iterators::ITEM_DEF,
    &iterators::REVERSE_KEY_DEF,
    &iterators::REVERSE_VALUE_DEF,
    &iterators::REVERSE_ITEM_DEF,
];

static METHODS: &[Method] = &[
    method("__getitem__", "(key, /)", "Return self[key].", |th, a| subscript(th, &a[0], &a[1])).coexist(),
    method("__contains__", "(key, /)", "True if the dictionary has the specified key, else False.", |th, a| {
        contains(th, &a[0], &a[1]).map(Value::bool)
    })
    .coexist(),
    method("__sizeof__", "()", "Return the size of the dict in memory.", sizeof),
    method("get", "(key, default=None, /)", "Return the value for key if key is in the dictionary, else default.", get),
    method(
        "setdefault",
        "(key, default=None, /)",
        "Insert key with a value of default if key is not in the dictionary.\n\nReturn the value for key if key is in the dictionary, else default.",
        setdefault,
    ),
    method(
        "pop",
        "(key, default=<unrepresentable>, /)",
        "Remove the key and return its value.\n\nWithout the key the default is returned if given; otherwise KeyError is raised.",
        pop,
    ),
    method(
        "popitem",
        "()",
        "Remove and return a (key, value) pair as a 2-tuple.\n\nThe pair is the last that was inserted. Raises KeyError if the dict is empty.",
        popitem,
    ),
    method("keys", "()", "A set-like view of the dictionary's keys.", |_, a| Ok(views::keys(&a[0]))),
    method("items", "()", "A set-like view of the dictionary's items.", |_, a| Ok(views::items(&a[0]))),
    method("values", "()", "A view of the dictionary's values.", |_, a| Ok(views::values(&a[0]))),
    method(
        "update",
        "",
        "D.update([E, ]**F) -> None.  Update D from mapping/iterable E and F.\n\nE is read through its keys() method if it has one, else as an iterable of pairs; then the keyword arguments are added.",
        update,
    ),
    class_method(
        "fromkeys",
        "(iterable, value=None, /)",
        "Create a new dictionary with keys from iterable and values set to value.",
        fromkeys,
    ),
    method("clear", "()", "Remove all items from the dict.", clear),
    method("copy", "()", "Return a shallow copy of the dict.", |_, a| Ok(a.this::<Dict>().copy().into())),
    method("__reversed__", "()", "Return a reverse iterator over the dict keys.", |_, a| {
        Ok(iterators::reversed_keys(&a[0]))
    }),
    class_method("__class_getitem__", "(object, /)", "See PEP 585", class_getitem),
];

/// The dict in a slot's operand.
fn this(v: &Value) -> &Dict {
    v.downcast_ref().expect("the slot belongs to dict")
}

fn new(_: &mut Thread, cls: &Ref<Type>, _: &Args<'_>) -> PyResult<Value> {
    Ok(Ref::with_class(Dict::payload(), cls.object()).into())
}

fn init(th: &mut Thread, v: &Value, args: &Args<'_>) -> PyResult<()> {
    merge::update_from_args(th, this(v), args.pos(), args, "dict")
}

fn update(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    merge::update_from_args(th, a.this::<Dict>(), &a.pos()[1..], a, "update")?;
    Ok(Value::NONE)
}

fn dict_repr(th: &mut Thread, v: &Value) -> PyResult<Value> {
    let d = this(v);
    if d.is_empty() {
        return Ok(Value::str("{}"));
    }
    repr::with_repr(th, v, "{...}", |th| {
        let mut out = StrBuilder::new();
        out.push_text("{");
        let mut place = 0;
        let mut first = true;
        while let Some((next, key, value)) = d.next_entry(place) {
            if !std::mem::replace(&mut first, false) {
                out.push_text(", ");
            }
            out.push_str(&*repr::repr(th, &key)?);
            out.push_text(": ");
            out.push_str(&*repr::repr(th, &value)?);
            place = next;
        }
        out.push_text("}");
        Ok(out.finish().into())
    })
}

/// Whether both have equal keys with equal values.
pub fn equal(th: &mut Thread, a: &Dict, b: &Dict) -> PyResult<bool> {
    if a.len() != b.len() {
        return Ok(false);
    }
    th.check_native(" in comparison")?;
    let mut place = 0;
    loop {
        let entry = {
            let table = a.lock();
            table.next_place(place).and_then(|i| table.at(i).map(|(k, v)| (i, table.hash_at(i), k.clone(), v.clone())))
        };
        let Some((i, hash, key, value)) = entry else { return Ok(true) };
        let Some(theirs) = b.get_hashed(th, &key, hash)? else { return Ok(false) };
        if !compare::eq(th, &value, &theirs)? {
            return Ok(false);
        }
        place = i + 1;
    }
}

fn richcompare(th: &mut Thread, a: &Value, b: &Value, op: CmpOp) -> PyResult<Value> {
    match (a.downcast_ref::<Dict>(), b.downcast_ref::<Dict>(), op) {
        (Some(x), Some(y), CmpOp::Eq) => equal(th, x, y).map(Value::bool),
        (Some(x), Some(y), CmpOp::Ne) => equal(th, x, y).map(|same| Value::bool(!same)),
        _ => Ok(Value::NOT_IMPLEMENTED),
    }
}

fn len(_: &mut Thread, v: &Value) -> PyResult<usize> {
    Ok(this(v).len())
}

fn contains(th: &mut Thread, v: &Value, key: &Value) -> PyResult<bool> {
    this(v).contains(th, key)
}

/// `v[key]`; subclasses are asked for `__missing__`.
pub fn subscript(th: &mut Thread, v: &Value, key: &Value) -> PyResult<Value> {
    if let Some(found) = this(v).get(th, key)? {
        return Ok(found);
    }
    if !v.is_exact(&DICT)
        && let Some(missing) = attr::lookup_special(th, v, "__missing__")?
    {
        return call::call(th, &missing, std::slice::from_ref(key));
    }
    Err(key_error(th, key))
}

fn set_subscript(th: &mut Thread, v: &Value, key: &Value, value: Option<&Value>) -> PyResult<()> {
    match value {
        Some(value) => this(v).set(th, key.clone(), value.clone()),
        None => match this(v).remove(th, key)? {
            Some(_) => Ok(()),
            None => Err(key_error(th, key)),
        },
    }
}

fn or(th: &mut Thread, a: &Value, b: &Value) -> PyResult<Value> {
    let (Some(x), Some(_)) = (a.downcast_ref::<Dict>(), b.downcast_ref::<Dict>()) else {
        return Ok(Value::NOT_IMPLEMENTED);
    };
    let made = x.copy();
    merge::update_from(th, &made, b)?;
    Ok(made.into())
}

fn inplace_or(th: &mut Thread, a: &Value, b: &Value) -> PyResult<Value> {
    merge::update_from(th, this(a), b)?;
    Ok(a.clone())
}

fn sizeof(_: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    Ok((48 + a.this::<Dict>().lock().heap_size()).into())
}

fn get(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let found = a.this::<Dict>().get(th, &a[1])?;
    Ok(found.unwrap_or_else(|| a.opt(2).cloned().unwrap_or(Value::NONE)))
}

fn setdefault(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    a.this::<Dict>().set_default(th, &a[1], a.opt(2).unwrap_or(&Value::NONE))
}

fn pop(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let d = a.this::<Dict>();
    // An empty dict does not hash the key.
    let found = if d.is_empty() { None } else { d.remove(th, &a[1])? };
    match (found, a.opt(2)) {
        (Some(v), _) => Ok(v),
        (None, Some(default)) => Ok(default.clone()),
        (None, None) => Err(key_error(th, &a[1])),
    }
}

fn popitem(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    match a.this::<Dict>().pop_last() {
        Some((k, v)) => Ok(Tuple::of([k, v]).into()),
        None => Err(key_error(th, &Value::str("popitem(): dictionary is empty"))),
    }
}

fn clear(_: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    a.this::<Dict>().clear();
    Ok(Value::NONE)
}

fn fromkeys(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let made = call::call(th, &a[0], &[])?;
    let value = a.opt(2).cloned().unwrap_or(Value::NONE);
    if let Some(d) = made.downcast_exact::<Dict>() {
        let hashed: Option<Vec<(i64, Value)>> = if let Some(source) = a[1].downcast_exact::<Dict>() {
            Some(source.lock().iter_hashed().map(|(h, (k, _))| (h, k.clone())).collect())
        } else {
            a[1].as_any_set().filter(|_| a[1].is_exact(&SET) || a[1].is_exact(&FROZENSET)).map(Set::to_hashed_vec)
        };
        if let Some(hashed) = hashed {
            for (hash, key) in hashed {
                d.set_hashed(th, key, hash, value.clone())?;
            }
            return Ok(made);
        }
        let it = iter::iter(th, &a[1])?;
        while let Some(key) = iter::next(th, &it)? {
            d.set(th, key, value.clone())?;
        }
        return Ok(made);
    }
    let it = iter::iter(th, &a[1])?;
    while let Some(key) = iter::next(th, &it)? {
        sequence::set_item(th, &made, &key, &value)?;
    }
    Ok(made)
}
