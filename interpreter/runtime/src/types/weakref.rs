//! `weakref.ReferenceType`, `ProxyType`, `CallableProxyType`.
use krait_object::builtin_types::OBJECT;
use krait_object::native::{class_method, member, method};
use krait_object::slots::CompareFn;
use krait_object::weakref::{WeakRef, attach, attach_first, refs_to};
use krait_object::{
    Args, ClassDef, CmpOp, GetSet, Method, PyResult, Raised, Ref, SlotDefs, Str, Thread, Type, TypeObject, VTable,
    Value, type_flag,
};
use std::sync::atomic::Ordering::Relaxed;

use crate::errors::{reference_error, type_error};
use crate::protocol::{attr, call, compare, iter, number, repr, sequence};
use number::BinaryOp;

/// The payload of all three types.
#[derive(krait_macros::Trace, krait_macros::Payload)]
#[payload(class = REFERENCE)]
#[repr(transparent)]
pub struct Reference(pub WeakRef);

static LAYOUT: VTable = VTable::of::<Reference>();
pub static REFERENCE: TypeObject = TypeObject::builtin("ReferenceType", Some(&OBJECT), &LAYOUT);
/// Proxies share the payload; `PROXY_BASE` is never seen by Python.
static PROXY_LAYOUT: VTable = VTable::of::<Proxy>();
#[derive(krait_macros::Trace, krait_macros::Payload)]
#[payload(class = PROXY)]
#[repr(transparent)]
pub struct Proxy(pub WeakRef);
pub static PROXY: TypeObject = TypeObject::builtin("ProxyType", Some(&OBJECT), &PROXY_LAYOUT);
pub static CALLABLE_PROXY: TypeObject = TypeObject::builtin("CallableProxyType", Some(&OBJECT), &CALLABLE_LAYOUT);
static CALLABLE_LAYOUT: VTable = VTable::of::<CallableProxy>();
#[derive(krait_macros::Trace, krait_macros::Payload)]
#[payload(class = CALLABLE_PROXY)]
#[repr(transparent)]
pub struct CallableProxy(pub WeakRef);

pub static DEFS: &[&ClassDef] = &[&REFERENCE_DEF, &PROXY_DEF, &CALLABLE_DEF];

pub static REFERENCE_DEF: ClassDef = ClassDef {
    module: "weakref",
    methods: METHODS,
    getset: GETSET,
    slots: SlotDefs {
        new: Some(new),
        init: Some(|th, _, args| {
            if args.has_kw() {
                return Err(type_error(th, "ref() takes no keyword arguments"));
            }
            match args.pos().len() {
                0 => Err(type_error(th, "__init__ expected at least 1 argument, got 0")),
                1 | 2 => Ok(()),
                n => Err(type_error(th, format!("__init__ expected at most 2 arguments, got {n}"))),
            }
        }),
        call: Some(|th, v, args| {
            if !args.is_empty() {
                let n = args.len();
                return Err(type_error(th, format!("weakref.__call__() takes no arguments ({n} given)")));
            }
            Ok(weak(v).get().into())
        }),
        repr: Some(|_, v| {
            let target = weak(v).get();
            Ok(Value::from(match target {
                None => format!("<weakref at {:#x}; dead>", v.bits()),
                Some(t) => {
                    let name = attr_name(&t);
                    format!("<weakref at {:#x}; to '{}' at {:#x}{name}>", v.bits(), t.class().name(), t.bits())
                }
            }))
        }),
        hash: Some(hash),
        compare: Some(compare_refs as CompareFn),
        ..SlotDefs::EMPTY
    },
    flags: type_flag::BASE | type_flag::HAVE_GC,
    ..ClassDef::new(&REFERENCE)
};
static METHODS: &[Method] =
    &[class_method("__class_getitem__", "(object, /)", "See PEP 585", crate::types::generic_alias::class_getitem)];
static GETSET: &[GetSet] = &[member("__callback__", "", |_, v| Ok(weak(v).callback.get().into()))];

fn attr_name(t: &Value) -> String {
    let name = t.downcast_ref::<Type>().map(|t| t.name().to_string());
    name.map(|n| format!(" ({n})")).unwrap_or_default()
}
fn weak(v: &Value) -> &WeakRef {
    v.downcast_ref::<Reference>()
        .map(|r| &r.0)
        .or_else(|| v.downcast_ref::<Proxy>().map(|r| &r.0))
        .or_else(|| v.downcast_ref::<CallableProxy>().map(|r| &r.0))
        .expect("the descriptor checked the class of self")
}
/// The referent of a weak reference or proxy.
pub fn target(v: &Value) -> Option<Value> {
    weak(v).get()
}
/// A weak reference without callback, for internal lists.
pub fn new_plain(target: &Value) -> Value {
    let r = Ref::new(Reference(WeakRef::detached(None)));
    attach(r.as_value(), &r.0, target);
    r.into()
}
fn supports(v: &Value) -> bool {
    v.header().is_some() && v.class().has_flag(type_flag::WEAKREF)
}
fn refuse(th: &mut Thread, v: &Value) -> Raised {
    let class = v.class().name();
    type_error(th, format!("cannot create weak reference to '{class}' object"))
}
fn new(th: &mut Thread, class: &Ref<Type>, args: &Args<'_>) -> PyResult<Value> {
    let pos = args.pos();
    if pos.is_empty() || pos.len() > 2 {
        let (bound, n) = if pos.is_empty() { ("at least 1 argument", 0) } else { ("at most 2 arguments", pos.len()) };
        return Err(type_error(th, format!("__new__ expected {bound}, got {n}")));
    }
    let callback = pos.get(1).filter(|c| !c.is_none()).cloned();
    if !supports(&pos[0]) {
        return Err(refuse(th, &pos[0]));
    }
    if callback.is_none() && class.is(&REFERENCE) {
        let basic = refs_to(&pos[0]).into_iter().find(|r| r.is_exact(&REFERENCE) && !weak(r).callback.is_set());
        if let Some(r) = basic {
            return Ok(r);
        }
    }
    let basic = callback.is_none() && class.is(&REFERENCE);
    let made = Ref::with_class(Reference(WeakRef::detached(callback)), class.object());
    // The one without a callback comes first.
    match basic {
        true => attach_first(made.as_value(), &made.0, &pos[0]),
        false => attach(made.as_value(), &made.0, &pos[0]),
    };
    Ok(made.into())
}
fn hash(th: &mut Thread, v: &Value) -> PyResult<i64> {
    let w = weak(v);
    let cached = w.hash.load(Relaxed);
    if cached != 0 {
        return Ok(cached.wrapping_sub(1) as i64);
    }
    let Some(t) = w.get() else { return Err(type_error(th, "weak object has gone away")) };
    let h = compare::hash(th, &t)?;
    weak(v).hash.store((h as u64).wrapping_add(1), Relaxed);
    Ok(h)
}
fn compare_refs(th: &mut Thread, a: &Value, b: &Value, op: CmpOp) -> PyResult<Value> {
    if !matches!(op, CmpOp::Eq | CmpOp::Ne) || b.downcast_ref::<Reference>().is_none() {
        return Ok(Value::NOT_IMPLEMENTED);
    }
    match (weak(a).get(), weak(b).get()) {
        (Some(x), Some(y)) => compare::compare(th, &x, &y, op),
        _ => Ok(Value::bool(a.is(b) == (op == CmpOp::Eq))),
    }
}

/// `weakref.proxy(object, callback)`.
pub fn new_proxy(th: &mut Thread, object: &Value, callback: Option<&Value>) -> PyResult<Value> {
    if !supports(object) {
        return Err(refuse(th, object));
    }
    let callable = call::is_callable(object);
    let class = if callable { &CALLABLE_PROXY } else { &PROXY };
    if callback.is_none() {
        let basic = refs_to(object).into_iter().find(|r| r.is_exact(class) && !weak(r).callback.is_set());
        if let Some(r) = basic {
            return Ok(r);
        }
    }
    let w = WeakRef::detached(callback.cloned());
    let made: Value = if callable { Ref::new(CallableProxy(w)).into() } else { Ref::new(Proxy(w)).into() };
    attach(&made, weak(&made), object);
    Ok(made)
}
fn referent(th: &mut Thread, v: &Value) -> PyResult<Value> {
    match weak(v).get() {
        Some(t) => Ok(t),
        None => Err(reference_error(th, "weakly-referenced object no longer exists")),
    }
}
/// The referent of a proxy, any other value itself.
fn unwrap(th: &mut Thread, v: &Value) -> PyResult<Value> {
    if v.is_exact(&PROXY) || v.is_exact(&CALLABLE_PROXY) { referent(th, v) } else { Ok(v.clone()) }
}
fn forward(th: &mut Thread, op: BinaryOp, a: &Value, b: &Value) -> PyResult<Value> {
    let (a, b) = (unwrap(th, a)?, unwrap(th, b)?);
    number::binary(th, op, &a, &b)
}
fn forward_inplace(th: &mut Thread, op: BinaryOp, a: &Value, b: &Value) -> PyResult<Value> {
    let (a, b) = (unwrap(th, a)?, unwrap(th, b)?);
    number::inplace(th, op, &a, &b)
}

const PROXY_SLOTS: SlotDefs = SlotDefs {
    repr: Some(|_, v| {
        let (class, id) = match weak(v).get() {
            Some(t) => (t.class().name().to_string(), t.bits()),
            None => ("NoneType".to_owned(), 0),
        };
        Ok(Value::from(format!("<weakproxy at {:#x} to {class} at {id:#x}>", v.bits())))
    }),
    str: Some(|th, v| {
        let t = referent(th, v)?;
        repr::str(th, &t).map(Value::from)
    }),
    hash: Some(super::type_::unhashable),
    getattr: Some(|th, v, name: &Ref<Str>| {
        let t = referent(th, v)?;
        attr::get_attr(th, &t, name).map(Some)
    }),
    setattr: Some(|th, v, name, value| {
        let t = referent(th, v)?;
        attr::set_attr(th, &t, name, value)
    }),
    compare: Some(|th, a, b, op| {
        let (a, b) = (unwrap(th, a)?, unwrap(th, b)?);
        compare::compare(th, &a, &b, op)
    }),
    iter: Some(|th, v| {
        let t = referent(th, v)?;
        iter::iter(th, &t)
    }),
    next: Some(|th, v| {
        let t = referent(th, v)?;
        if !t.class().slots.next.is_set() {
            let class = t.class().name();
            return Err(type_error(th, format!("Weakref proxy referenced a non-iterator '{class}' object")));
        }
        iter::next(th, &t)
    }),
    bool: Some(|th, v| {
        let t = referent(th, v)?;
        compare::truth(th, &t)
    }),
    add: Some(|th, a, b| forward(th, BinaryOp::Add, a, b)),
    subtract: Some(|th, a, b| forward(th, BinaryOp::Subtract, a, b)),
    multiply: Some(|th, a, b| forward(th, BinaryOp::Multiply, a, b)),
    remainder: Some(|th, a, b| forward(th, BinaryOp::Remainder, a, b)),
    divmod: Some(|th, a, b| forward(th, BinaryOp::Divmod, a, b)),
    power: Some(|th, a, b, m| {
        let (a, b) = (unwrap(th, a)?, unwrap(th, b)?);
        let m = unwrap(th, m)?;
        number::power(th, &a, &b, &m)
    }),
    negative: Some(|th, v| {
        let t = referent(th, v)?;
        number::negative(th, &t)
    }),
    positive: Some(|th, v| {
        let t = referent(th, v)?;
        number::positive(th, &t)
    }),
    absolute: Some(|th, v| {
        let t = referent(th, v)?;
        number::absolute(th, &t)
    }),
    invert: Some(|th, v| {
        let t = referent(th, v)?;
        number::invert(th, &t)
    }),
    lshift: Some(|th, a, b| forward(th, BinaryOp::Lshift, a, b)),
    rshift: Some(|th, a, b| forward(th, BinaryOp::Rshift, a, b)),
    and: Some(|th, a, b| forward(th, BinaryOp::And, a, b)),
    xor: Some(|th, a, b| forward(th, BinaryOp::Xor, a, b)),
    or: Some(|th, a, b| forward(th, BinaryOp::Or, a, b)),
    int: Some(|th, v| {
        let t = referent(th, v)?;
        number::int(th, &t)
    }),
    float: Some(|th, v| {
        let t = referent(th, v)?;
        number::float(th, &t)
    }),
    index: Some(|th, v| {
        let t = referent(th, v)?;
        number::index(th, &t)
    }),
    floor_divide: Some(|th, a, b| forward(th, BinaryOp::FloorDivide, a, b)),
    true_divide: Some(|th, a, b| forward(th, BinaryOp::TrueDivide, a, b)),
    matrix_multiply: Some(|th, a, b| forward(th, BinaryOp::MatrixMultiply, a, b)),
    inplace_add: Some(|th, a, b| forward_inplace(th, BinaryOp::Add, a, b)),
    inplace_subtract: Some(|th, a, b| forward_inplace(th, BinaryOp::Subtract, a, b)),
    inplace_multiply: Some(|th, a, b| forward_inplace(th, BinaryOp::Multiply, a, b)),
    inplace_remainder: Some(|th, a, b| forward_inplace(th, BinaryOp::Remainder, a, b)),
    inplace_power: Some(|th, a, b, _| forward_inplace(th, BinaryOp::Power, a, b)),
    inplace_lshift: Some(|th, a, b| forward_inplace(th, BinaryOp::Lshift, a, b)),
    inplace_rshift: Some(|th, a, b| forward_inplace(th, BinaryOp::Rshift, a, b)),
    inplace_and: Some(|th, a, b| forward_inplace(th, BinaryOp::And, a, b)),
    inplace_xor: Some(|th, a, b| forward_inplace(th, BinaryOp::Xor, a, b)),
    inplace_or: Some(|th, a, b| forward_inplace(th, BinaryOp::Or, a, b)),
    inplace_floor_divide: Some(|th, a, b| forward_inplace(th, BinaryOp::FloorDivide, a, b)),
    inplace_true_divide: Some(|th, a, b| forward_inplace(th, BinaryOp::TrueDivide, a, b)),
    inplace_matrix_multiply: Some(|th, a, b| forward_inplace(th, BinaryOp::MatrixMultiply, a, b)),
    mp_len: Some(|th, v| {
        let t = referent(th, v)?;
        sequence::len(th, &t)
    }),
    subscript: Some(|th, v, key| {
        let t = referent(th, v)?;
        sequence::get_item(th, &t, key)
    }),
    set_subscript: Some(|th, v, key, value| {
        let t = referent(th, v)?;
        match value {
            Some(x) => sequence::set_item(th, &t, key, x),
            None => sequence::del_item(th, &t, key),
        }
    }),
    contains: Some(|th, v, x| {
        let t = referent(th, v)?;
        sequence::contains(th, &t, x)
    }),
    ..SlotDefs::EMPTY
};
static PROXY_METHODS: &[Method] = &[
    method("__bytes__", "()", "", |th, a| {
        let t = referent(th, &a[0])?;
        attr::call_method(th, &t, "__bytes__", &[])
    }),
    method("__reversed__", "()", "", |th, a| {
        let t = referent(th, &a[0])?;
        attr::call_method(th, &t, "__reversed__", &[])
    }),
];
static PROXY_DEF: ClassDef = ClassDef {
    module: "weakref",
    methods: PROXY_METHODS,
    slots: PROXY_SLOTS,
    flags: type_flag::DISALLOW_INSTANTIATION | type_flag::HAVE_GC,
    ..ClassDef::new(&PROXY)
};
static CALLABLE_DEF: ClassDef = ClassDef {
    module: "weakref",
    methods: PROXY_METHODS,
    slots: SlotDefs {
        call: Some(|th, v, args| {
            let t = referent(th, v)?;
            call::call_args(th, &t, args)
        }),
        ..PROXY_SLOTS
    },
    flags: type_flag::DISALLOW_INSTANTIATION | type_flag::HAVE_GC,
    ..ClassDef::new(&CALLABLE_PROXY)
};
