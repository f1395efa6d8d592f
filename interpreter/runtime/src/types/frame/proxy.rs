//! `FrameLocalsProxy` (PEP 667): the variables of a function's frame as a mapping that writes through.
//! CPython: `Objects/frameobject.c`, "framelocalsproxy".
use krait_macros::{Payload, Trace};
use krait_object::native::{Method, Sig, method};
use krait_object::slots::CmpOp;
use krait_object::{
    Args, ClassDef, Dict, List, PyResult, Ref, SlotDefs, Str, Thread, Tuple, Type, TypeObject, VTable, Value,
    builtin_types::{OBJECT, STR},
    type_flag,
};

use super::Frame;
use crate::errors;
use crate::protocol::{compare, iter, number, repr};

#[derive(Trace, Payload)]
#[payload(class = FRAME_LOCALS_PROXY)]
pub struct Proxy {
    frame: Ref<Frame>,
}
static LAYOUT: VTable = VTable::of::<Proxy>();
pub static FRAME_LOCALS_PROXY: TypeObject = TypeObject::builtin("FrameLocalsProxy", Some(&OBJECT), &LAYOUT);

pub fn new(frame: &Ref<Frame>) -> Value {
    Ref::new(Proxy { frame: frame.clone() }).into()
}

pub static DEF: ClassDef = ClassDef {
    doc: "The variables of a frame as a mapping.",
    methods: METHODS,
    slots: SlotDefs {
        new: Some(construct),
        repr: Some(proxy_repr),
        compare: Some(rich_compare),
        iter: Some(proxy_iter),
        or: Some(or),
        inplace_or: Some(inplace_or),
        contains: Some(contains),
        mp_len: Some(len),
        subscript: Some(subscript),
        set_subscript: Some(set_subscript),
        ..SlotDefs::EMPTY
    },
    flags: type_flag::MAPPING,
    ..ClassDef::new(&FRAME_LOCALS_PROXY)
};

static METHODS: &[Method] = &[
    method("__contains__", "(key, /)", "Whether a variable of this name is bound.", |th, a| {
        contains(th, &a[0], &a[1]).map(Value::bool)
    })
    .coexist(),
    method("__getitem__", "(key, /)", "The value of a variable.", |th, a| subscript(th, &a[0], &a[1])).coexist(),
    method("update", "(object, /)", "Binds the variables of another mapping.", |th, a| {
        merge(th, &frame_of(&a[0]), &a[1])?;
        Ok(Value::NONE)
    }),
    method("__reversed__", "()", "The names from last to first.", |th, a| {
        let mut names = names(th, &frame_of(&a[0]));
        names.reverse();
        Ok(List::new(names).into())
    }),
    method("copy", "()", "A dict with the variables.", |th, a| frame_of(&a[0]).snapshot(th).map(Into::into)),
    method("keys", "()", "The names.", |th, a| Ok(List::new(names(th, &frame_of(&a[0]))).into())),
    method("values", "()", "The values.", |th, a| {
        let entries = entries(th, &frame_of(&a[0]));
        Ok(List::new(entries.into_iter().map(|(_, v)| v).collect()).into())
    }),
    method("items", "()", "Pairs of name and value.", |th, a| {
        let items = entries(th, &frame_of(&a[0]));
        Ok(List::new(items.into_iter().map(|(k, v)| Tuple::of([k, v]).into()).collect()).into())
    }),
    method("get", "(key, default=None, /)", "The value of a variable, or the default.", |th, a| {
        Ok(lookup(th, &frame_of(&a[0]), &a[1])?.unwrap_or_else(|| a.opt(2).cloned().unwrap_or(Value::NONE)))
    }),
    method(
        "setdefault",
        "(key, default=None, /)",
        "The value of a variable, bound to the default if it was not.",
        |th, a| {
            let frame = frame_of(&a[0]);
            if let Some(v) = lookup(th, &frame, &a[1])? {
                return Ok(v);
            }
            let value = a.opt(2).cloned().unwrap_or(Value::NONE);
            store(th, &frame, &a[1], value.clone())?;
            Ok(value)
        },
    ),
];

fn frame_of(v: &Value) -> Ref<Frame> {
    v.downcast_ref::<Proxy>().map(|p| p.frame.clone()).expect("the descriptor checked the class of self")
}

fn construct(th: &mut Thread, _: &Ref<Type>, args: &Args<'_>) -> PyResult<Value> {
    static SIG: Sig = Sig::new("(frame, /)");
    let bound = SIG.bind(th, "FrameLocalsProxy", "FrameLocalsProxy", args, 0)?;
    match bound.args()[0].to_ref::<Frame>() {
        Some(frame) => Ok(new(&frame)),
        None => {
            let class = bound.args()[0].class().name();
            Err(errors::type_error(th, format!("expect frame, not {class}")))
        }
    }
}

/// Register of the variable that a key names: a `str`, or anything that hashes and compares like it.
fn register_of(th: &mut Thread, frame: &Frame, key: &Value) -> PyResult<Option<usize>> {
    let variables = frame.variables();
    if key.is_exact(&STR)
        && let Some(key) = key.downcast_ref::<Str>()
    {
        return Ok(variables.into_iter().find(|(_, n)| n.equals(key)).map(|(r, _)| r));
    }
    let hash = compare::hash(th, key)?;
    for (register, name) in variables {
        if compare::hash(th, name.as_value())? == hash && compare::eq(th, name.as_value(), key)? {
            return Ok(Some(register));
        }
    }
    Ok(None)
}
/// Variables that are bound, then the other keys.
fn entries(th: &mut Thread, frame: &Ref<Frame>) -> Vec<(Value, Value)> {
    let mut entries = Vec::new();
    for (register, name) in frame.variables() {
        if let Some(v) = frame.variable(th, register) {
            entries.push((name.into(), v));
        }
    }
    entries.extend(extras(frame).iter().flat_map(|d| d.items()));
    entries
}
fn extras(frame: &Frame) -> Option<Ref<Dict>> {
    frame.extra_locals.get().and_then(|d| d.to_ref())
}
fn lookup(th: &mut Thread, frame: &Ref<Frame>, key: &Value) -> PyResult<Option<Value>> {
    if let Some(register) = register_of(th, frame, key)?
        && let Some(value) = frame.variable(th, register)
    {
        return Ok(Some(value));
    }
    match extras(frame) {
        Some(dict) => dict.get(th, key),
        None => Ok(None),
    }
}
fn store(th: &mut Thread, frame: &Ref<Frame>, key: &Value, value: Value) -> PyResult<()> {
    if let Some(register) = register_of(th, frame, key)? {
        let old = frame.set_variable(th, register, value);
        drop(old);
        return Ok(());
    }
    let dict = match extras(frame) {
        Some(dict) => dict,
        None => {
            frame.extra_locals.set(Some(Dict::new().into()));
            extras(frame).unwrap_or_else(Dict::new)
        }
    };
    dict.set(th, key.clone(), value)
}
fn names(th: &mut Thread, frame: &Ref<Frame>) -> Vec<Value> {
    entries(th, frame).into_iter().map(|(name, _)| name).collect()
}

fn subscript(th: &mut Thread, v: &Value, key: &Value) -> PyResult<Value> {
    match lookup(th, &frame_of(v), key)? {
        Some(value) => Ok(value),
        None => {
            let shown = repr::repr(th, key)?.to_string_lossy().into_owned();
            let message = Value::from(format!("local variable '{shown}' is not defined"));
            Err(errors::key_error(th, &message))
        }
    }
}
fn set_subscript(th: &mut Thread, v: &Value, key: &Value, value: Option<&Value>) -> PyResult<()> {
    match value {
        Some(value) => store(th, &frame_of(v), key, value.clone()),
        None => Err(errors::type_error(th, "cannot remove variables from FrameLocalsProxy")),
    }
}
fn contains(th: &mut Thread, v: &Value, key: &Value) -> PyResult<bool> {
    lookup(th, &frame_of(v), key).map(|v| v.is_some())
}
fn len(th: &mut Thread, v: &Value) -> PyResult<usize> {
    Ok(entries(th, &frame_of(v)).len())
}
fn proxy_iter(th: &mut Thread, v: &Value) -> PyResult<Value> {
    let list: Value = List::new(names(th, &frame_of(v))).into();
    iter::iter(th, &list)
}
fn proxy_repr(th: &mut Thread, v: &Value) -> PyResult<Value> {
    repr::with_repr(th, v, "{...}", |th| {
        let snapshot: Value = frame_of(v).snapshot(th)?.into();
        repr::repr(th, &snapshot).map(Into::into)
    })
}
fn rich_compare(th: &mut Thread, a: &Value, b: &Value, op: CmpOp) -> PyResult<Value> {
    if !matches!(op, CmpOp::Eq | CmpOp::Ne) {
        return Ok(Value::NOT_IMPLEMENTED);
    }
    let Some(mine) = a.downcast_ref::<Proxy>() else { return Ok(Value::NOT_IMPLEMENTED) };
    if let Some(theirs) = b.downcast_ref::<Proxy>() {
        return Ok((mine.frame.ptr_eq(&theirs.frame) == (op == CmpOp::Eq)).into());
    }
    if b.downcast_ref::<Dict>().is_none() {
        return Ok(Value::NOT_IMPLEMENTED);
    }
    let snapshot: Value = mine.frame.clone().snapshot(th)?.into();
    compare::compare(th, &snapshot, b, op)
}

/// Binds every key of a mapping.
fn merge(th: &mut Thread, frame: &Ref<Frame>, other: &Value) -> PyResult<()> {
    if let Some(dict) = other.to_ref::<Dict>() {
        for (k, v) in dict.items() {
            store(th, frame, &k, v)?;
        }
        return Ok(());
    }
    let Some(theirs) = other.downcast_ref::<Proxy>().map(|p| p.frame.clone()) else {
        return Err(errors::type_error(th, "update() argument must be dict or another FrameLocalsProxy"));
    };
    for (k, v) in entries(th, &theirs) {
        store(th, frame, &k, v)?;
    }
    Ok(())
}
fn or(th: &mut Thread, a: &Value, b: &Value) -> PyResult<Value> {
    let plain = |th: &mut Thread, v: &Value| match v.downcast_ref::<Proxy>() {
        Some(p) => p.frame.clone().snapshot(th).map(|d| Some(d.to_value())),
        None => Ok(v.downcast_ref::<Dict>().map(|_| v.clone())),
    };
    let (Some(a), Some(b)) = (plain(th, a)?, plain(th, b)?) else { return Ok(Value::NOT_IMPLEMENTED) };
    number::binary(th, number::BinaryOp::Or, &a, &b)
}
fn inplace_or(th: &mut Thread, a: &Value, b: &Value) -> PyResult<Value> {
    if b.downcast_ref::<Dict>().is_none() && b.downcast_ref::<Proxy>().is_none() {
        return Ok(Value::NOT_IMPLEMENTED);
    }
    merge(th, &frame_of(a), b)?;
    Ok(a.clone())
}
