//! `tuple`: construction, hash, comparison, repr, subscripts and methods. Its iterator is in `iterator`; the storage is
//! `krait_object::Tuple`. CPython: `Objects/tupleobject.c`.
use krait_object::builtin_types::TUPLE;
use krait_object::list::try_copy;
use krait_object::native::{Sig, class_method, method};
use krait_object::{
    Args, ClassDef, CmpOp, Method, PyResult, Ref, SlotDefs, StrBuilder, Thread, Tuple, Type, TypeObject, Value, hash,
    type_flag,
};

use crate::errors::{index_error, made, memory_error, type_error, value_error};
use crate::protocol::slice::{fit, unpack};
use crate::protocol::{compare, iter, number, repr};
use crate::types::generic_alias::class_getitem;
use crate::types::list::repeated;
use crate::types::slice::Slice;
use crate::types::slice::bounds::{position, search_bound};

pub mod iterator;

pub static DEF: ClassDef = ClassDef {
    doc: "Built-in immutable sequence.\n\nWithout an argument the empty tuple; else the argument is an iterable of its items. A tuple as the argument is returned itself.",
    sig: "(iterable=(), /)",
    methods: METHODS,
    slots: SlotDefs {
        new: Some(new),
        repr: Some(tuple_repr),
        hash: Some(tuple_hash),
        compare: Some(richcompare),
        iter: Some(iterator::iter),
        sq_len: Some(len),
        mp_len: Some(len),
        sq_concat: Some(concat),
        sq_repeat: Some(repeat),
        sq_item: Some(item),
        contains: Some(contains),
        subscript: Some(subscript),
        ..SlotDefs::EMPTY
    },
    flags: type_flag::BASE
        | type_flag::SEQUENCE
        | type_flag::TUPLE_SUBCLASS
        | type_flag::MATCH_SELF
        | type_flag::HAVE_GC,
    ..ClassDef::new(&TUPLE)
};
pub static DEFS: &[&ClassDef] = &[&DEF, &iterator::DEF];

static METHODS: &[Method] = &[
    method("__getnewargs__", "()", "", |th, a| {
        let items = made(th, try_copy(a.this::<Tuple>()))?;
        let copy = with_class(th, items, &TUPLE)?;
        Ok(Tuple::of([copy]).into())
    }),
    method(
        "index",
        "(value, start=0, stop=sys.maxsize, /)",
        "Return first index of value.\n\nRaises ValueError if the value is not present.",
        index,
    ),
    method("count", "(value, /)", "Return number of occurrences of value.", count),
    class_method("__class_getitem__", "(object, /)", "See PEP 585", class_getitem),
];

fn this(v: &Value) -> &Tuple {
    v.downcast_ref().expect("the slot belongs to tuple")
}

fn with_class(th: &mut Thread, items: Vec<Value>, class: &TypeObject) -> PyResult<Value> {
    match Tuple::try_new(items, class) {
        Some(t) => Ok(t.into()),
        None => Err(memory_error(th)),
    }
}

fn new(th: &mut Thread, cls: &Ref<Type>, args: &Args<'_>) -> PyResult<Value> {
    static SIG: Sig = Sig::new("(iterable=(), /)");
    // A subclass with an __init__ of its own may take keywords for it.
    let args =
        if args.has_kw() && !TUPLE.slots.init.same(&cls.slots.init) { Args::new(args.pos(), &[]) } else { *args };
    let b = SIG.bind(th, "tuple", "tuple", &args, 0)?;
    let items = match b.args().opt(0) {
        None => Vec::new(),
        Some(v) if v.is_exact(&TUPLE) => {
            if cls.is(&TUPLE) {
                return Ok(v.clone());
            }
            made(th, try_copy(this(v)))?
        }
        Some(v) => iter::collect(th, v)?,
    };
    with_class(th, items, cls.object())
}

fn tuple_repr(th: &mut Thread, v: &Value) -> PyResult<Value> {
    let t = this(v);
    if t.is_empty() {
        return Ok(Value::str("()"));
    }
    repr::with_repr(th, v, "(...)", |th| {
        let mut out = StrBuilder::new();
        out.push_text("(");
        for (i, item) in t.iter().enumerate() {
            if i > 0 {
                out.push_text(", ");
            }
            out.push_str(&*repr::repr(th, item)?);
        }
        out.push_text(if t.len() == 1 { ",)" } else { ")" });
        Ok(out.finish().into())
    })
}

fn tuple_hash(th: &mut Thread, v: &Value) -> PyResult<i64> {
    if let Some(hash) = krait_object::compare::plain_hash(v) {
        return Ok(hash);
    }
    th.check_native(" while hashing an object")?;
    let items = this(v);
    let mut lanes = Vec::with_capacity(items.len());
    for item in items.iter() {
        lanes.push(compare::hash(th, item)?);
    }
    Ok(hash::tuple(lanes.into_iter()))
}

fn richcompare(th: &mut Thread, a: &Value, b: &Value, op: CmpOp) -> PyResult<Value> {
    let (Some(x), Some(y)) = (a.downcast_ref::<Tuple>(), b.downcast_ref::<Tuple>()) else {
        return Ok(Value::NOT_IMPLEMENTED);
    };
    th.check_native(" in comparison")?;
    for (p, q) in x.iter().zip(y.iter()) {
        if !compare::eq(th, p, q)? {
            return match op {
                CmpOp::Eq => Ok(Value::FALSE),
                CmpOp::Ne => Ok(Value::TRUE),
                _ => compare::compare(th, p, q, op),
            };
        }
    }
    Ok(Value::bool(op.of(x.len().cmp(&y.len()))))
}

fn len(_: &mut Thread, v: &Value) -> PyResult<usize> {
    Ok(this(v).len())
}

fn contains(th: &mut Thread, v: &Value, wanted: &Value) -> PyResult<bool> {
    for item in this(v).iter() {
        if compare::eq(th, item, wanted)? {
            return Ok(true);
        }
    }
    Ok(false)
}

fn concat(th: &mut Thread, a: &Value, b: &Value) -> PyResult<Value> {
    let x = this(a);
    if x.is_empty() && b.is_exact(&TUPLE) {
        return Ok(b.clone());
    }
    let Some(y) = b.downcast_ref::<Tuple>() else {
        let message = format!("can only concatenate tuple (not \"{}\") to tuple", b.class().name());
        return Err(type_error(th, message));
    };
    if y.is_empty() && a.is_exact(&TUPLE) {
        return Ok(a.clone());
    }
    let items: Vec<Value> = x.iter().chain(y.iter()).cloned().collect();
    with_class(th, items, &TUPLE)
}

fn repeat(th: &mut Thread, v: &Value, n: isize) -> PyResult<Value> {
    let t = this(v);
    if (t.is_empty() || n == 1) && v.is_exact(&TUPLE) {
        return Ok(v.clone());
    }
    let items = repeated(th, t, n)?;
    with_class(th, items, &TUPLE)
}

fn item(th: &mut Thread, v: &Value, i: isize) -> PyResult<Value> {
    match usize::try_from(i).ok().and_then(|i| this(v).get(i)) {
        Some(item) => Ok(item.clone()),
        None => Err(index_error(th, "tuple index out of range")),
    }
}

fn subscript(th: &mut Thread, v: &Value, key: &Value) -> PyResult<Value> {
    let t = this(v);
    if number::has_index(key) {
        let i = number::index_isize_or_index_error(th, key)?;
        return match position(i, t.len()) {
            Some(i) => Ok(t[i].clone()),
            None => Err(index_error(th, "tuple index out of range")),
        };
    }
    let Some(slice) = key.downcast_ref::<Slice>() else {
        let message = format!("tuple indices must be integers or slices, not {}", key.class().name());
        return Err(type_error(th, message));
    };
    let p = fit(unpack(th, slice)?, t.len());
    if p.step == 1 && p.len == t.len() && v.is_exact(&TUPLE) {
        return Ok(v.clone());
    }
    match Tuple::try_new(p.places().map(|i| t[i].clone()), &TUPLE) {
        Some(part) => Ok(part.into()),
        None => Err(memory_error(th)),
    }
}

fn index(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let t = a.this::<Tuple>();
    let start = search_bound(th, a.opt(2), 0)?;
    let stop = search_bound(th, a.opt(3), isize::MAX)?;
    let n = t.len() as isize;
    let clip = |i: isize| if i < 0 { i.saturating_add(n).max(0) } else { i.min(n) } as usize;
    for i in clip(start)..clip(stop) {
        if compare::eq(th, &t[i], &a[1])? {
            return Ok(i.into());
        }
    }
    Err(value_error(th, "tuple.index(x): x not in tuple"))
}

fn count(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let mut n = 0usize;
    for item in a.this::<Tuple>().iter() {
        n += usize::from(compare::eq(th, item, &a[1])?);
    }
    Ok(n.into())
}
