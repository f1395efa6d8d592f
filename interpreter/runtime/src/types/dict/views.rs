//! `dict_keys`, `dict_values` and `dict_items`, with the set operations of the first and last. CPython:
//! `Objects/dictobject.c` (dictview).
use krait_macros::{Payload, Trace};
use krait_object::builtin_types::{OBJECT, SET};
use krait_object::native::{getter, method};
use krait_object::{
    Args, ClassDef, CmpOp, Dict, GetSet, List, Method, PyResult, Ref, Set, SlotDefs, StrBuilder, Thread, Tuple,
    TypeObject, VTable, Value, type_flag,
};

use super::iterators;
use crate::protocol::{attr, compare, iter, repr, sequence};
use crate::types::{mappingproxy, set};

macro_rules! views {
    ($($payload:ident $class:ident $layout:ident $name:literal $make:ident;)*) => { $(
        #[derive(Trace, Payload)]
        #[payload(class = $class)]
        pub struct $payload {
            pub dict: Ref<Dict>,
        }
        static $layout: VTable = VTable::of::<$payload>();
        pub static $class: TypeObject = TypeObject::builtin($name, Some(&OBJECT), &$layout);
        /// The view of a dict (or instance of a subclass).
        pub fn $make(dict: &Value) -> Value {
            let dict = dict.to_ref::<Dict>().expect("views are made of dicts");
            Ref::new($payload { dict }).into()
        }
    )* };
}
views! {
    DictKeys DICT_KEYS KEYS_LAYOUT "dict_keys" keys;
    DictValues DICT_VALUES VALUES_LAYOUT "dict_values" values;
    DictItems DICT_ITEMS ITEMS_LAYOUT "dict_items" items;
}

const SET_SLOTS: SlotDefs = SlotDefs {
    repr: Some(view_repr),
    compare: Some(richcompare),
    sq_len: Some(len),
    subtract: Some(subtract),
    and: Some(intersect),
    xor: Some(xor),
    or: Some(union),
    ..SlotDefs::EMPTY
};
const SET_FLAGS: u32 = type_flag::DISALLOW_INSTANTIATION | type_flag::HAVE_GC;

pub static KEYS_DEF: ClassDef = ClassDef {
    methods: KEYS_METHODS,
    getset: GETSET,
    slots: SlotDefs { iter: Some(|_, v| Ok(iterators::keys(dict_of(v)))), contains: Some(keys_contain), ..SET_SLOTS },
    flags: SET_FLAGS,
    ..ClassDef::new(&DICT_KEYS)
};
pub static ITEMS_DEF: ClassDef = ClassDef {
    methods: ITEMS_METHODS,
    getset: GETSET,
    slots: SlotDefs { iter: Some(|_, v| Ok(iterators::items(dict_of(v)))), contains: Some(items_contain), ..SET_SLOTS },
    flags: SET_FLAGS,
    ..ClassDef::new(&DICT_ITEMS)
};
pub static VALUES_DEF: ClassDef = ClassDef {
    methods: &[method("__reversed__", "()", "Return a reverse iterator over the dict values.", |_, a| {
        Ok(iterators::reversed_values(dict_of(&a[0])))
    })],
    getset: GETSET,
    slots: SlotDefs {
        repr: Some(view_repr),
        iter: Some(|_, v| Ok(iterators::values(dict_of(v)))),
        sq_len: Some(len),
        ..SlotDefs::EMPTY
    },
    flags: SET_FLAGS,
    ..ClassDef::new(&DICT_VALUES)
};
static KEYS_METHODS: &[Method] = &[
    method(
        "isdisjoint",
        "(object, /)",
        "Return True if the view and the given iterable have a null intersection.",
        isdisjoint,
    ),
    method("__reversed__", "()", "Return a reverse iterator over the dict keys.", |_, a| {
        Ok(iterators::reversed_keys(dict_of(&a[0])))
    }),
];
static ITEMS_METHODS: &[Method] = &[
    method(
        "isdisjoint",
        "(object, /)",
        "Return True if the view and the given iterable have a null intersection.",
        isdisjoint,
    ),
    method("__reversed__", "()", "Return a reverse iterator over the dict items.", |_, a| {
        Ok(iterators::reversed_items(dict_of(&a[0])))
    }),
];
static GETSET: &[GetSet] =
    &[getter("mapping", "dictionary that this view refers to", |_, v| Ok(mappingproxy::new(dict_of(v).clone())))];

/// The dict behind any view.
pub fn try_dict_of(v: &Value) -> Option<&Ref<Dict>> {
    v.downcast_ref::<DictKeys>()
        .map(|k| &k.dict)
        .or_else(|| v.downcast_ref::<DictItems>().map(|i| &i.dict))
        .or_else(|| v.downcast_ref::<DictValues>().map(|v| &v.dict))
}
fn dict_of(v: &Value) -> &Value {
    try_dict_of(v).expect("the slot belongs to a view").as_value()
}
/// Whether the value is a view with set operations.
fn is_set_view(v: &Value) -> bool {
    v.downcast_ref::<DictKeys>().is_some() || v.downcast_ref::<DictItems>().is_some()
}

fn view_repr(th: &mut Thread, v: &Value) -> PyResult<Value> {
    repr::with_repr(th, v, "...", |th| {
        let items = iter::collect(th, v)?;
        let list = List::new(items).into_value();
        let shown = repr::repr(th, &list)?;
        let mut out = StrBuilder::new();
        out.push_text(&v.class().name());
        out.push_text("(");
        out.push_str(&shown);
        out.push_text(")");
        Ok(out.finish().into())
    })
}

fn len(_: &mut Thread, v: &Value) -> PyResult<usize> {
    Ok(try_dict_of(v).map_or(0, |d| d.len()))
}

fn keys_contain(th: &mut Thread, v: &Value, key: &Value) -> PyResult<bool> {
    match try_dict_of(v) {
        Some(d) => d.contains(th, key),
        None => Ok(false),
    }
}

fn items_contain(th: &mut Thread, v: &Value, item: &Value) -> PyResult<bool> {
    let (Some(d), Some(pair)) = (try_dict_of(v), item.downcast_ref::<Tuple>()) else { return Ok(false) };
    let [key, value] = pair.as_slice() else { return Ok(false) };
    match d.get(th, key)? {
        Some(found) => compare::eq(th, &found, value),
        None => Ok(false),
    }
}

fn view_contains(th: &mut Thread, v: &Value, item: &Value) -> PyResult<bool> {
    if v.downcast_ref::<DictKeys>().is_some() { keys_contain(th, v, item) } else { items_contain(th, v, item) }
}

/// Whether every item of `small` is in `big`.
fn all_contained(th: &mut Thread, small: &Value, big: &Value) -> PyResult<bool> {
    let it = iter::iter(th, small)?;
    while let Some(item) = iter::next(th, &it)? {
        if !sequence::contains(th, big, &item)? {
            return Ok(false);
        }
    }
    Ok(true)
}

fn richcompare(th: &mut Thread, a: &Value, b: &Value, op: CmpOp) -> PyResult<Value> {
    if b.as_any_set().is_none() && !is_set_view(b) {
        return Ok(Value::NOT_IMPLEMENTED);
    }
    let (m, n) = (sequence::len(th, a)?, sequence::len(th, b)?);
    let answer = match op {
        CmpOp::Eq | CmpOp::Ne => (m == n && all_contained(th, a, b)?) == (op == CmpOp::Eq),
        CmpOp::Lt => m < n && all_contained(th, a, b)?,
        CmpOp::Le => m <= n && all_contained(th, a, b)?,
        CmpOp::Gt => m > n && all_contained(th, b, a)?,
        CmpOp::Ge => m >= n && all_contained(th, b, a)?,
    };
    Ok(Value::bool(answer))
}

fn subtract(th: &mut Thread, a: &Value, b: &Value) -> PyResult<Value> {
    let made = set::from_iterable(th, a)?;
    attr::call_method(th, made.as_value(), "difference_update", std::slice::from_ref(b))?;
    Ok(made.into())
}

fn union(th: &mut Thread, a: &Value, b: &Value) -> PyResult<Value> {
    let made = set::from_iterable(th, a)?;
    attr::call_method(th, made.as_value(), "update", std::slice::from_ref(b))?;
    Ok(made.into())
}

fn xor(th: &mut Thread, a: &Value, b: &Value) -> PyResult<Value> {
    if a.is_exact(&DICT_ITEMS) && b.is_exact(&DICT_ITEMS) {
        let made = Set::new();
        for (x, y) in [(a, b), (b, a)] {
            for pair in iter::collect(th, x)? {
                if !items_contain(th, y, &pair)? {
                    made.add(th, pair)?;
                }
            }
        }
        return Ok(made.into());
    }
    let made = set::from_iterable(th, a)?;
    attr::call_method(th, made.as_value(), "symmetric_difference_update", std::slice::from_ref(b))?;
    Ok(made.into())
}

fn intersect(th: &mut Thread, a: &Value, b: &Value) -> PyResult<Value> {
    // The operands arrive swapped when the view stands on the right.
    let (mut view, mut other) = if is_set_view(a) { (a, b) } else { (b, a) };
    let n = len(th, view)?;
    if other.is_exact(&SET) && n <= sequence::len(th, other)? {
        return attr::call_method(th, other, "intersection", std::slice::from_ref(view));
    }
    if is_set_view(other) && len(th, other)? > n {
        std::mem::swap(&mut view, &mut other);
    }
    let made = Set::new();
    let it = iter::iter(th, other)?;
    while let Some(item) = iter::next(th, &it)? {
        if view_contains(th, view, &item)? {
            made.add(th, item)?;
        }
    }
    Ok(made.into())
}

fn isdisjoint(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let (mut view, mut other) = (&a[0], &a[1]);
    if view.is(other) {
        return Ok(Value::bool(len(th, view)? == 0));
    }
    if (other.as_any_set().is_some() || is_set_view(other)) && sequence::len(th, other)? > len(th, view)? {
        std::mem::swap(&mut view, &mut other);
    }
    let it = iter::iter(th, other)?;
    while let Some(item) = iter::next(th, &it)? {
        if sequence::contains(th, view, &item)? {
            return Ok(Value::FALSE);
        }
    }
    Ok(Value::TRUE)
}
