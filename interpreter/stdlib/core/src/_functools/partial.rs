//! `functools.partial`.
use krait_macros::{Payload, Trace};
use krait_object::builtin_types::OBJECT;
use krait_object::native::{class_method, member, method};
use krait_object::{
    Args, ClassDef, Dict, GetSet, Method, PyResult, Ref, SlotDefs, StrBuilder, Thread, Tuple, Type, TypeObject, VTable,
    Value, ValueCell, type_flag,
};
use krait_runtime::errors::type_error;
use krait_runtime::exceptions::FUTURE_WARNING;
use krait_runtime::protocol::{attr, call, repr};
use krait_runtime::types::generic_alias::class_getitem;
use krait_runtime::warnings;

#[derive(Trace, Payload)]
#[payload(class = PARTIAL)]
pub struct Partial {
    function: ValueCell,
    /// A tuple.
    args: ValueCell,
    /// A dict.
    keywords: ValueCell,
    attributes: ValueCell,
}
static LAYOUT: VTable = VTable::of::<Partial>();
pub static PARTIAL: TypeObject = TypeObject::builtin("partial", Some(&OBJECT), &LAYOUT);

pub static DEF: ClassDef = ClassDef {
    module: "functools",
    doc: "Create a new function with partial application of the given arguments and keywords.",
    sig: "(func, /, *args, **keywords)",
    methods: METHODS,
    getset: GETSET,
    slots: SlotDefs {
        new: Some(new),
        call: Some(call_partial),
        repr: Some(partial_repr),
        descr_get: Some(descr_get),
        ..SlotDefs::EMPTY
    },
    flags: type_flag::BASE | type_flag::WEAKREF | type_flag::HAVE_GC,
    dict_cell: Some(|v| v.downcast_ref::<Partial>().map(|p| &p.attributes)),
    ..ClassDef::new(&PARTIAL)
};
static METHODS: &[Method] = &[
    method("__reduce__", "()", "", reduce),
    method("__setstate__", "(object, /)", "", setstate),
    class_method("__class_getitem__", "(object, /)", "See PEP 585", class_getitem),
];
static GETSET: &[GetSet] = &[
    member("func", "function object to use in future partial calls", |_, v| Ok(this(v).function())),
    member("args", "tuple of arguments to future partial calls", |_, v| Ok(this(v).args().into())),
    member("keywords", "dictionary of keyword arguments to future partial calls", |_, v| Ok(this(v).keywords().into())),
];

impl Partial {
    fn function(&self) -> Value {
        self.function.get().unwrap_or(Value::NONE)
    }
    fn args(&self) -> Ref<Tuple> {
        self.args.get().and_then(|v| v.downcast().ok()).unwrap_or_else(Tuple::empty)
    }
    fn keywords(&self) -> Ref<Dict> {
        self.keywords.get().and_then(|v| v.downcast().ok()).unwrap_or_else(Dict::new)
    }
}

fn this(v: &Value) -> &Partial {
    v.downcast_ref().expect("the slot belongs to partial")
}

fn new(th: &mut Thread, cls: &Ref<Type>, args: &Args<'_>) -> PyResult<Value> {
    let Some((function, rest)) = args.pos().split_first() else {
        return Err(type_error(th, "type 'partial' takes at least one argument"));
    };
    if !call::is_callable(function) {
        return Err(type_error(th, "the first argument must be callable"));
    }
    // A partial without attributes of its own is taken apart.
    let inner = function.downcast_ref::<Partial>().filter(|p| !p.attributes.is_set());
    let (function, mut all, keywords) = match inner {
        Some(p) => (p.function(), p.args().to_vec(), p.keywords().copy()),
        None => (function.clone(), Vec::new(), Dict::new()),
    };
    all.extend_from_slice(rest);
    for (name, value) in args.kw() {
        keywords.set(th, name.clone(), value.clone())?;
    }
    let payload = Partial {
        function: function.into(),
        args: Value::from(Tuple::from_vec(all)).into(),
        keywords: Value::from(keywords).into(),
        attributes: ValueCell::empty(),
    };
    Ok(Ref::with_class(payload, cls.object()).into())
}

fn call_partial(th: &mut Thread, v: &Value, args: &Args<'_>) -> PyResult<Value> {
    let p = this(v);
    let (function, own, keywords) = (p.function(), p.args(), p.keywords());
    let mut all: Vec<Value> = own.iter().chain(args.pos()).cloned().collect();
    if keywords.is_empty() {
        all.extend(args.kw().map(|(_, value)| value.clone()));
        return call::call_kw(th, &function, &all, args.names());
    }
    // The call's keywords replace the partial's in place.
    let merged = keywords.copy();
    for (name, value) in args.kw() {
        merged.set(th, name.clone(), value.clone())?;
    }
    let (mut names, items) = (Vec::new(), merged.items());
    for (name, value) in items {
        names.push(name);
        all.push(value);
    }
    call::call_kw(th, &function, &all, &names)
}

fn descr_get(th: &mut Thread, v: &Value, object: Option<&Value>, _: Option<&Value>) -> PyResult<Value> {
    if object.is_some_and(|o| !o.is_none()) {
        let message = "functools.partial will be a method descriptor in future Python versions; wrap it in \
                       staticmethod() if you want to preserve the old behavior";
        warnings::warn(th, &FUTURE_WARNING, message, 1)?;
    }
    Ok(v.clone())
}

fn partial_repr(th: &mut Thread, v: &Value) -> PyResult<Value> {
    repr::with_repr(th, v, "...", |th| {
        let p = this(v);
        let class = v.class_ref().into_value();
        let module = attr::get_text(th, &class, "__module__")?;
        let qualname = attr::get_text(th, &class, "__qualname__")?;
        let mut out = StrBuilder::new();
        out.push_str(&*repr::str(th, &module)?);
        out.push_text(".");
        out.push_str(&*repr::str(th, &qualname)?);
        out.push_text("(");
        let function = p.function();
        out.push_str(&*repr::repr(th, &function)?);
        for arg in p.args().iter() {
            out.push_text(", ");
            out.push_str(&*repr::repr(th, arg)?);
        }
        for (name, value) in p.keywords().items() {
            out.push_text(", ");
            out.push_str(&*repr::str(th, &name)?);
            out.push_text("=");
            out.push_str(&*repr::repr(th, &value)?);
        }
        out.push_text(")");
        Ok(out.finish().into())
    })
}

/// `(type(self), (func,), (func, args, keywords, attributes))`.
fn reduce(_: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let p = a.this::<Partial>();
    let function = p.function();
    let attributes = p.attributes.get().unwrap_or(Value::NONE);
    let state = Tuple::of([function.clone(), p.args().into(), p.keywords().into(), attributes]);
    Ok(Tuple::of([a[0].class_ref().into(), Tuple::of([function]).into(), state.into()]).into())
}

fn setstate(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let parts = a[1].downcast_ref::<Tuple>().map_or(&[] as &[Value], Tuple::as_slice);
    let [function, args, keywords, attributes] = parts else {
        return Err(type_error(th, "invalid partial state"));
    };
    let valid = call::is_callable(function)
        && args.downcast_ref::<Tuple>().is_some()
        && (keywords.is_none() || keywords.downcast_ref::<Dict>().is_some());
    if !valid {
        return Err(type_error(th, "invalid partial state"));
    }
    let p = a.this::<Partial>();
    let own = match args.downcast_exact::<Tuple>() {
        Some(_) => args.clone(),
        None => Tuple::from_slice(args.downcast_ref::<Tuple>().map_or(&[], Tuple::as_slice)).into(),
    };
    // A dict of another class would be seen by calls; a plain copy stands for it.
    let kept = match keywords.downcast_exact::<Dict>() {
        Some(_) => keywords.clone(),
        None => {
            let plain = Dict::new();
            if let Some(d) = keywords.downcast_ref::<Dict>() {
                for (k, v) in d.items() {
                    plain.set(th, k, v)?;
                }
            }
            plain.into()
        }
    };
    p.function.set(Some(function.clone()));
    p.args.set(Some(own));
    p.keywords.set(Some(kept));
    p.attributes.set(Some(attributes.clone()).filter(|v| !v.is_none()));
    Ok(Value::NONE)
}
