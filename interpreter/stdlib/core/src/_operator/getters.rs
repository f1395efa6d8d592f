//! `attrgetter`, `itemgetter`, `methodcaller`. CPython: `Modules/_operator.c`.
use krait_macros::{Payload, Trace};
use krait_object::builtin_types::OBJECT;
use krait_object::intern::{intern, intern_ref};
use krait_object::native::{getter, method};
use krait_object::{
    Args, ClassDef, Dict, GetSet, Method, PyResult, Ref, SlotDefs, Str, StrBuilder, Thread, Tuple, Type, TypeObject,
    VTable, Value, type_flag,
};
use krait_runtime::errors::type_error;
use krait_runtime::import::import_module;
use krait_runtime::protocol::{attr, call, repr, sequence};

use super::items;

#[derive(Trace, Payload)]
#[payload(class = ATTRGETTER)]
pub struct AttrGetter {
    /// As given, for repr and pickle.
    names: Value,
    /// The parts of each dotted name, interned.
    paths: Vec<Vec<Ref<Str>>>,
}
static ATTR_LAYOUT: VTable = VTable::of::<AttrGetter>();
pub static ATTRGETTER: TypeObject = TypeObject::builtin("attrgetter", Some(&OBJECT), &ATTR_LAYOUT);

pub static ATTRGETTER_DEF: ClassDef = ClassDef {
    module: "operator",
    doc: "Return a callable object that fetches the given attribute(s) from its operand.\nAfter f = attrgetter('name'), the call f(r) returns r.name.\nAfter g = attrgetter('name', 'date'), the call g(r) returns (r.name, r.date).\nAfter h = attrgetter('name.first', 'name.last'), the call h(r) returns\n(r.name.first, r.name.last).",
    sig: "(attr, /, *attrs)",
    methods: REDUCE_ATTR,
    getset: SIGNATURE,
    slots: SlotDefs {
        new: Some(attr_new),
        call: Some(attr_call),
        repr: Some(|th, v| getter_repr(th, v, &attr_this(v).names)),
        ..SlotDefs::EMPTY
    },
    flags: type_flag::HAVE_GC,
    ..ClassDef::new(&ATTRGETTER)
};
static REDUCE_ATTR: &[Method] = &[method("__reduce__", "()", "Return state information for pickling", |_, a| {
    Ok(Tuple::of([a[0].class_ref().into(), attr_this(&a[0]).names.clone()]).into())
})];

#[derive(Trace, Payload)]
#[payload(class = ITEMGETTER)]
pub struct ItemGetter {
    keys: Value,
}
static ITEM_LAYOUT: VTable = VTable::of::<ItemGetter>();
pub static ITEMGETTER: TypeObject = TypeObject::builtin("itemgetter", Some(&OBJECT), &ITEM_LAYOUT);

pub static ITEMGETTER_DEF: ClassDef = ClassDef {
    module: "operator",
    doc: "Return a callable object that fetches the given item(s) from its operand.\nAfter f = itemgetter(2), the call f(r) returns r[2].\nAfter g = itemgetter(2, 5, 3), the call g(r) returns (r[2], r[5], r[3])",
    sig: "(item, /, *items)",
    methods: REDUCE_ITEM,
    getset: SIGNATURE,
    slots: SlotDefs {
        new: Some(item_new),
        call: Some(item_call),
        repr: Some(|th, v| getter_repr(th, v, &item_this(v).keys)),
        ..SlotDefs::EMPTY
    },
    flags: type_flag::HAVE_GC,
    ..ClassDef::new(&ITEMGETTER)
};
static REDUCE_ITEM: &[Method] = &[method("__reduce__", "()", "Return state information for pickling", |_, a| {
    Ok(Tuple::of([a[0].class_ref().into(), item_this(&a[0]).keys.clone()]).into())
})];

#[derive(Trace, Payload)]
#[payload(class = METHODCALLER)]
pub struct MethodCaller {
    name: Ref<Str>,
    args: Vec<Value>,
    kwargs: Vec<(Value, Value)>,
}
static CALLER_LAYOUT: VTable = VTable::of::<MethodCaller>();
pub static METHODCALLER: TypeObject = TypeObject::builtin("methodcaller", Some(&OBJECT), &CALLER_LAYOUT);

pub static METHODCALLER_DEF: ClassDef = ClassDef {
    module: "operator",
    doc: "Return a callable object that calls the given method on its operand.\nAfter f = methodcaller('name'), the call f(r) returns r.name().\nAfter g = methodcaller('name', 'date', foo=1), the call g(r) returns\nr.name('date', foo=1).",
    sig: "(name, /, *args, **kwargs)",
    methods: REDUCE_CALLER,
    getset: SIGNATURE,
    slots: SlotDefs { new: Some(caller_new), call: Some(caller_call), repr: Some(caller_repr), ..SlotDefs::EMPTY },
    flags: type_flag::HAVE_GC,
    ..ClassDef::new(&METHODCALLER)
};
static REDUCE_CALLER: &[Method] = &[method("__reduce__", "()", "Return state information for pickling", caller_reduce)];

/// What `inspect.signature` shows of the callable objects.
static SIGNATURE: &[GetSet] = &[getter("__text_signature__", "", |_, _| Ok(Value::str("(obj, /)")))];

fn attr_this(v: &Value) -> &AttrGetter {
    v.downcast_ref().expect("the slot belongs to attrgetter")
}
fn item_this(v: &Value) -> &ItemGetter {
    v.downcast_ref().expect("the slot belongs to itemgetter")
}

fn no_keywords(th: &mut Thread, name: &str, args: &Args<'_>) -> PyResult<()> {
    if args.has_kw() { Err(type_error(th, format!("{name}() takes no keyword arguments"))) } else { Ok(()) }
}
fn at_least_one(th: &mut Thread, name: &str, args: &Args<'_>) -> PyResult<()> {
    no_keywords(th, name, args)?;
    if args.is_empty() { Err(type_error(th, format!("{name} expected at least 1 argument, got 0"))) } else { Ok(()) }
}
/// The one operand of a getter's call.
fn operand<'a>(th: &mut Thread, name: &str, args: &Args<'a>) -> PyResult<&'a Value> {
    no_keywords(th, name, args)?;
    match args.pos() {
        [v] => Ok(v),
        more => Err(type_error(th, format!("{name} expected 1 argument, got {}", more.len()))),
    }
}

fn attr_new(th: &mut Thread, cls: &Ref<Type>, args: &Args<'_>) -> PyResult<Value> {
    at_least_one(th, "attrgetter", args)?;
    let mut paths = Vec::with_capacity(args.len());
    for name in args.pos() {
        let Some(name) = name.to_ref::<Str>() else {
            return Err(type_error(th, "attribute name must be a string"));
        };
        let points: Vec<u32> = name.iter().collect();
        let parts = points.split(|&c| c == u32::from(b'.'));
        paths.push(parts.map(|part| intern_ref(&Str::from_points(part))).collect());
    }
    let payload = AttrGetter { names: Tuple::from_slice(args.pos()).into(), paths };
    Ok(Ref::with_class(payload, cls.object()).into())
}

fn attr_call(th: &mut Thread, v: &Value, args: &Args<'_>) -> PyResult<Value> {
    let object = operand(th, "attrgetter", args)?;
    let follow = |th: &mut Thread, path: &[Ref<Str>]| {
        let mut at = object.clone();
        for name in path {
            at = attr::get_attr(th, &at, name)?;
        }
        Ok(at)
    };
    let paths = &attr_this(v).paths;
    if let [one] = paths.as_slice() {
        return follow(th, one);
    }
    let mut found = Vec::with_capacity(paths.len());
    for path in paths {
        found.push(follow(th, path)?);
    }
    Ok(Tuple::from_vec(found).into())
}

/// `operator.itemgetter(1, 2)`.
fn getter_repr(th: &mut Thread, v: &Value, parts: &Value) -> PyResult<Value> {
    let name = format!("operator.{}", v.class().name());
    repr::with_repr(th, v, &format!("{name}(...)"), |th| {
        let mut out = StrBuilder::new();
        out.push_text(&name);
        out.push_text("(");
        for (i, part) in items(parts).iter().enumerate() {
            if i > 0 {
                out.push_text(", ");
            }
            out.push_str(&*repr::repr(th, part)?);
        }
        out.push_text(")");
        Ok(out.finish().into())
    })
}

fn item_new(th: &mut Thread, cls: &Ref<Type>, args: &Args<'_>) -> PyResult<Value> {
    at_least_one(th, "itemgetter", args)?;
    let payload = ItemGetter { keys: Tuple::from_slice(args.pos()).into() };
    Ok(Ref::with_class(payload, cls.object()).into())
}

fn item_call(th: &mut Thread, v: &Value, args: &Args<'_>) -> PyResult<Value> {
    let object = operand(th, "itemgetter", args)?;
    let keys = items(&item_this(v).keys);
    if let [key] = keys {
        return sequence::get_item(th, object, key);
    }
    let mut found = Vec::with_capacity(keys.len());
    for key in keys {
        found.push(sequence::get_item(th, object, key)?);
    }
    Ok(Tuple::from_vec(found).into())
}

fn caller_this(v: &Value) -> &MethodCaller {
    v.downcast_ref().expect("the slot belongs to methodcaller")
}

fn caller_new(th: &mut Thread, cls: &Ref<Type>, args: &Args<'_>) -> PyResult<Value> {
    let Some((name, rest)) = args.pos().split_first() else {
        return Err(type_error(th, "methodcaller needs at least one argument, the method name"));
    };
    let Some(name) = name.to_ref::<Str>() else {
        return Err(type_error(th, "method name must be a string"));
    };
    let payload = MethodCaller {
        name: intern_ref(&name),
        args: rest.to_vec(),
        kwargs: args.kw().map(|(k, v)| (k.clone(), v.clone())).collect(),
    };
    Ok(Ref::with_class(payload, cls.object()).into())
}

fn caller_call(th: &mut Thread, v: &Value, args: &Args<'_>) -> PyResult<Value> {
    let object = operand(th, "methodcaller", args)?;
    let m = caller_this(v);
    if m.kwargs.is_empty() {
        return attr::call_method_ref(th, object, &m.name, &m.args);
    }
    let f = attr::get_attr(th, object, &m.name)?;
    let all: Vec<Value> = m.args.iter().chain(m.kwargs.iter().map(|(_, v)| v)).cloned().collect();
    let names: Vec<Value> = m.kwargs.iter().map(|(k, _)| k.clone()).collect();
    call::call_kw(th, &f, &all, &names)
}

fn caller_repr(th: &mut Thread, v: &Value) -> PyResult<Value> {
    let m = caller_this(v);
    repr::with_repr(th, v, "operator.methodcaller(...)", |th| {
        let mut out = StrBuilder::new();
        out.push_text("operator.methodcaller(");
        out.push_str(&*repr::repr(th, m.name.as_value())?);
        for arg in &m.args {
            out.push_text(", ");
            out.push_str(&*repr::repr(th, arg)?);
        }
        for (name, value) in &m.kwargs {
            out.push_text(", ");
            out.push_str(&*repr::str(th, name)?);
            out.push_text("=");
            out.push_str(&*repr::repr(th, value)?);
        }
        out.push_text(")");
        Ok(out.finish().into())
    })
}

/// Keyword arguments travel in a `functools.partial` of the class.
fn caller_reduce(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let m = caller_this(&a[0]);
    let class = a[0].class_ref().into_value();
    if m.kwargs.is_empty() {
        let all: Vec<Value> = std::iter::once(m.name.to_value()).chain(m.args.iter().cloned()).collect();
        return Ok(Tuple::of([class, Tuple::from_vec(all).into()]).into());
    }
    let functools = import_module(th, "functools")?;
    let partial = attr::get_attr(th, &functools, &intern("partial"))?;
    let kwargs = Dict::new();
    for (k, v) in &m.kwargs {
        kwargs.set(th, k.clone(), v.clone())?;
    }
    let made = call::call_tuple_dict(th, &partial, &[class, m.name.to_value()], Some(kwargs.as_value()))?;
    Ok(Tuple::of([made, Tuple::from_slice(&m.args).into()]).into())
}
