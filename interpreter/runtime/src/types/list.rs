//! `list`: construction, comparison, repr, arithmetic and methods. Subscripts are in `subscript`, sorting in `sort`,
//! iterators in `iterators`; the storage is `krait_object::List`. CPython: `Objects/listobject.c`.
use krait_object::builtin_types::{FROZENSET, LIST, SET};
use krait_object::list::try_copy;
use krait_object::native::{Sig, class_method, method};
use krait_object::{
    Args, ClassDef, CmpOp, Dict, List, Method, PyResult, Ref, Set, SlotDefs, StrBuilder, Thread, Tuple, Type, Value,
    type_flag,
};

use crate::errors::{index_error, made, memory_error, type_error, value_error};
use crate::protocol::{compare, iter, number, repr};
use crate::types::generic_alias::class_getitem;
use crate::types::slice::bounds::{position, search_bound};

pub mod iterators;
pub mod sort;
mod subscript;

pub static DEF: ClassDef = ClassDef {
    doc: "Built-in mutable sequence.\n\nWithout an argument a new empty list; else the argument is an iterable of its items.",
    sig: "(iterable=(), /)",
    methods: METHODS,
    slots: SlotDefs {
        new: Some(new),
        init: Some(init),
        repr: Some(list_repr),
        compare: Some(richcompare),
        iter: Some(iterators::iter),
        sq_len: Some(len),
        mp_len: Some(len),
        sq_concat: Some(concat),
        sq_repeat: Some(repeat),
        sq_item: Some(subscript::item),
        sq_set_item: Some(subscript::set_item),
        contains: Some(contains),
        sq_inplace_concat: Some(inplace_concat),
        sq_inplace_repeat: Some(inplace_repeat),
        subscript: Some(subscript::subscript),
        set_subscript: Some(subscript::set_subscript),
        ..SlotDefs::EMPTY
    },
    flags: type_flag::BASE
        | type_flag::SEQUENCE
        | type_flag::LIST_SUBCLASS
        | type_flag::MATCH_SELF
        | type_flag::HAVE_GC,
    ..ClassDef::new(&LIST)
};
pub static DEFS: &[&ClassDef] = &[&DEF, &iterators::ITERATOR_DEF, &iterators::REVERSE_DEF];

static METHODS: &[Method] = &[
    method("__getitem__", "(index, /)", "Return self[index].", |th, a| subscript::subscript(th, &a[0], &a[1]))
        .coexist(),
    method("__reversed__", "()", "Return a reverse iterator over the list.", iterators::reversed),
    method("__sizeof__", "()", "Return the size of the list in memory, in bytes.", sizeof),
    method("clear", "()", "Remove all items from list.", clear),
    method("copy", "()", "Return a shallow copy of the list.", copy),
    method("append", "(object, /)", "Append object to the end of the list.", append),
    method("insert", "(index, object, /)", "Insert object before index.", insert),
    method("extend", "(iterable, /)", "Extend list by appending elements from the iterable.", extend_method),
    method(
        "pop",
        "(index=-1, /)",
        "Remove and return item at index (default last).\n\nRaises IndexError if list is empty or index is out of range.",
        pop,
    ),
    method(
        "remove",
        "(value, /)",
        "Remove first occurrence of value.\n\nRaises ValueError if the value is not present.",
        remove,
    ),
    method(
        "index",
        "(value, start=0, stop=sys.maxsize, /)",
        "Return first index of value.\n\nRaises ValueError if the value is not present.",
        index,
    ),
    method("count", "(value, /)", "Return number of occurrences of value.", count),
    method("reverse", "()", "Reverse *IN PLACE*.", reverse),
    method(
        "sort",
        "(*, key=None, reverse=False)",
        "Sort the list in ascending order, in place, and return None.\n\nThe sort is stable. A key function is applied once to each item; reverse sorts in descending order.",
        sort::sort_method,
    ),
    class_method("__class_getitem__", "(object, /)", "See PEP 585", class_getitem),
];

/// The list in a slot's operand.
fn this(v: &Value) -> &List {
    v.downcast_ref().expect("the slot belongs to list")
}

fn new(_: &mut Thread, cls: &Ref<Type>, _: &Args<'_>) -> PyResult<Value> {
    Ok(Ref::with_class(List::default(), cls.object()).into())
}

fn init(th: &mut Thread, v: &Value, args: &Args<'_>) -> PyResult<()> {
    static SIG: Sig = Sig::new("(iterable=(), /)");
    // A subclass with a __new__ of its own may take keywords for it.
    let class = v.class();
    let args = if args.has_kw() && !LIST.slots.new.same(&class.slots.new) { Args::new(args.pos(), &[]) } else { *args };
    let b = SIG.bind(th, "list", "list", &args, 0)?;
    let old = this(v).replace(Vec::new());
    drop(old);
    match b.args().opt(0) {
        Some(iterable) => extend(th, v, iterable),
        None => Ok(()),
    }
}

/// The items of the builtin containers that can be copied at once, without running Python code.
fn snapshot(th: &mut Thread, iterable: &Value) -> PyResult<Option<Vec<Value>>> {
    if let Some(l) = iterable.downcast_exact::<List>() {
        return made(th, l.try_to_vec()).map(Some);
    }
    if let Some(t) = iterable.downcast_exact::<Tuple>() {
        return made(th, try_copy(t)).map(Some);
    }
    if let Some(d) = iterable.downcast_exact::<Dict>() {
        return Ok(Some(d.keys()));
    }
    if iterable.is_exact(&SET) || iterable.is_exact(&FROZENSET) {
        return Ok(iterable.as_any_set().map(Set::to_vec));
    }
    Ok(None)
}

/// Appends the items of `iterable` as they come: a list that `iterable` reads while it grows sees the new items.
pub fn extend(th: &mut Thread, list: &Value, iterable: &Value) -> PyResult<()> {
    let l = this(list);
    if let Some(mut items) = snapshot(th, iterable)? {
        let mut held = l.lock();
        let room = held.try_reserve(items.len());
        if room.is_ok() {
            held.append(&mut items);
        }
        drop(held);
        return room.map_err(|_| memory_error(th));
    }
    let it = iter::iter(th, iterable)?;
    let hint = iter::length_hint(th, iterable, 8)?;
    let room = {
        let mut held = l.lock();
        if hint > isize::MAX as usize - held.len() { Ok(()) } else { held.try_reserve(hint) }
    };
    if room.is_err() {
        return Err(memory_error(th));
    }
    match iter::feed(th, &it, &mut |item| l.try_push(item))? {
        None => Ok(()),
        Some(_) => Err(memory_error(th)),
    }
}

fn list_repr(th: &mut Thread, v: &Value) -> PyResult<Value> {
    let l = this(v);
    if l.is_empty() {
        return Ok(Value::str("[]"));
    }
    repr::with_repr(th, v, "[...]", |th| {
        let mut out = StrBuilder::new();
        out.push_text("[");
        let mut i = 0;
        while let Some(item) = l.get(i) {
            if i > 0 {
                out.push_text(", ");
            }
            out.push_str(&*repr::repr(th, &item)?);
            i += 1;
        }
        out.push_text("]");
        Ok(out.finish().into())
    })
}

fn richcompare(th: &mut Thread, a: &Value, b: &Value, op: CmpOp) -> PyResult<Value> {
    let (Some(x), Some(y)) = (a.downcast_ref::<List>(), b.downcast_ref::<List>()) else {
        return Ok(Value::NOT_IMPLEMENTED);
    };
    if matches!(op, CmpOp::Eq | CmpOp::Ne) && x.len() != y.len() {
        return Ok(Value::bool(op == CmpOp::Ne));
    }
    th.check_native(" in comparison")?;
    let mut i = 0;
    let (p, q) = loop {
        let (Some(p), Some(q)) = (x.get(i), y.get(i)) else {
            return Ok(Value::bool(op.of(x.len().cmp(&y.len()))));
        };
        if !compare::eq(th, &p, &q)? {
            // The comparison may have shortened the lists; then their lengths decide.
            if i < x.len().min(y.len()) {
                break (p, q);
            }
            continue;
        }
        i += 1;
    };
    match op {
        CmpOp::Eq => Ok(Value::FALSE),
        CmpOp::Ne => Ok(Value::TRUE),
        _ => compare::compare(th, &p, &q, op),
    }
}

fn len(_: &mut Thread, v: &Value) -> PyResult<usize> {
    Ok(this(v).len())
}

/// The index of the first item equal to `value` at or after `from` and before `to`.
fn find(th: &mut Thread, l: &List, value: &Value, from: usize, to: usize) -> PyResult<Option<usize>> {
    let mut i = from;
    while i < to {
        let Some(item) = l.get(i) else { break };
        if compare::eq(th, &item, value)? {
            return Ok(Some(i));
        }
        i += 1;
    }
    Ok(None)
}

fn contains(th: &mut Thread, v: &Value, item: &Value) -> PyResult<bool> {
    Ok(find(th, this(v), item, 0, usize::MAX)?.is_some())
}

fn concat(th: &mut Thread, a: &Value, b: &Value) -> PyResult<Value> {
    let Some(y) = b.downcast_ref::<List>() else {
        let message = format!("can only concatenate list (not \"{}\") to list", b.class().name());
        return Err(type_error(th, message));
    };
    let mut items = made(th, this(a).try_to_vec())?;
    let tail = made(th, y.try_to_vec())?;
    if items.try_reserve_exact(tail.len()).is_err() {
        return Err(memory_error(th));
    }
    items.extend(tail);
    Ok(List::new(items).into())
}

/// `items` repeated `n` times; nothing for a negative count.
pub fn repeated(th: &mut Thread, items: &[Value], n: isize) -> PyResult<Vec<Value>> {
    let n = n.max(0) as usize;
    let mut out = Vec::new();
    let room = items.len().checked_mul(n).is_some_and(|total| out.try_reserve_exact(total).is_ok());
    if !room {
        return Err(memory_error(th));
    }
    match items {
        [one] => out.resize(n, one.clone()),
        _ => (0..n).for_each(|_| out.extend_from_slice(items)),
    }
    Ok(out)
}

fn repeat(th: &mut Thread, v: &Value, n: isize) -> PyResult<Value> {
    let items = made(th, this(v).try_to_vec())?;
    Ok(List::new(repeated(th, &items, n)?).into())
}

fn inplace_concat(th: &mut Thread, a: &Value, b: &Value) -> PyResult<Value> {
    extend(th, a, b)?;
    Ok(a.clone())
}

fn inplace_repeat(th: &mut Thread, v: &Value, n: isize) -> PyResult<Value> {
    let l = this(v);
    let items = made(th, l.try_to_vec())?;
    let fresh = repeated(th, &items, n)?;
    drop(l.replace(fresh));
    Ok(v.clone())
}

fn sizeof(_: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    Ok((40 + 8 * a.this::<List>().lock().capacity()).into())
}

fn clear(_: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    drop(a.this::<List>().replace(Vec::new()));
    Ok(Value::NONE)
}

fn copy(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    Ok(List::new(made(th, a.this::<List>().try_to_vec())?).into())
}

fn append(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    match a.this::<List>().try_push(a[1].clone()) {
        Ok(()) => Ok(Value::NONE),
        Err(_) => Err(memory_error(th)),
    }
}

fn insert(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let at = number::to_isize(th, &a[1])?;
    let mut items = a.this::<List>().lock();
    let n = items.len() as isize;
    let at = if at < 0 { (at + n).max(0) } else { at.min(n) };
    if items.try_reserve(1).is_err() {
        drop(items);
        return Err(memory_error(th));
    }
    items.insert(at as usize, a[2].clone());
    Ok(Value::NONE)
}

fn extend_method(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    extend(th, &a[0], &a[1])?;
    Ok(Value::NONE)
}

fn pop(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let l = a.this::<List>();
    let at = match a.opt(1) {
        Some(v) => number::to_isize(th, v)?,
        None => -1,
    };
    let mut items = l.lock();
    let n = items.len();
    let popped = match position(at, n) {
        Some(at) if at + 1 == n => items.pop(),
        Some(at) => Some(items.remove(at)),
        None => None,
    };
    drop(items);
    match popped {
        Some(v) => Ok(v),
        None if n == 0 => Err(index_error(th, "pop from empty list")),
        None => Err(index_error(th, "pop index out of range")),
    }
}

fn remove(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let l = a.this::<List>();
    match find(th, l, &a[1], 0, usize::MAX)? {
        Some(i) => {
            let mut items = l.lock();
            let old = if i < items.len() { Some(items.remove(i)) } else { None };
            drop(items);
            drop(old);
            Ok(Value::NONE)
        }
        None => Err(value_error(th, "list.remove(x): x not in list")),
    }
}

fn index(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let l = a.this::<List>();
    let start = search_bound(th, a.opt(2), 0)?;
    let stop = search_bound(th, a.opt(3), isize::MAX)?;
    let n = l.len() as isize;
    let clip = |i: isize| if i < 0 { i.saturating_add(n).max(0) as usize } else { i as usize };
    match find(th, l, &a[1], clip(start), clip(stop))? {
        Some(i) => Ok(i.into()),
        None => {
            let shown = repr::repr(th, &a[1])?;
            Err(value_error(th, format!("{} is not in list", &*shown)))
        }
    }
}

fn count(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let l = a.this::<List>();
    let (mut n, mut i) = (0usize, 0);
    while let Some(item) = l.get(i) {
        n += usize::from(compare::eq(th, &item, &a[1])?);
        i += 1;
    }
    Ok(n.into())
}

fn reverse(_: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    a.this::<List>().lock().reverse();
    Ok(Value::NONE)
}
