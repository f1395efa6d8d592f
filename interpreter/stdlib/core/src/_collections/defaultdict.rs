//! `collections.defaultdict`. CPython: `Modules/_collectionsmodule.c`.
use krait_macros::{Payload, Trace};
use krait_object::builtin_types::DICT;
use krait_object::native::{class_method, method};
use krait_object::{
    Args, ClassDef, Dict, GetSet, Method, PyResult, Ref, SlotDefs, StrBuilder, Thread, Tuple, Type, TypeObject, VTable,
    Value, ValueCell, type_flag,
};
use krait_runtime::errors::{key_error, type_error};
use krait_runtime::protocol::{attr, call, iter, repr, sequence};
use krait_runtime::types::dict::merge;
use krait_runtime::types::generic_alias::class_getitem;

#[derive(Trace, Payload)]
#[repr(C)]
#[payload(class = DEFAULT_DICT, extends = Dict)]
pub struct DefaultDict {
    base: Dict,
    factory: ValueCell,
}
static LAYOUT: VTable = VTable::of::<DefaultDict>();
pub static DEFAULT_DICT: TypeObject = TypeObject::builtin("defaultdict", Some(&DICT), &LAYOUT);

pub static DEF: ClassDef = ClassDef {
    module: "collections",
    doc: "defaultdict(default_factory=None, /, [...]) --> dict with default factory\n\nThe factory is called without arguments for a missing key, and its result is\nstored. Further arguments are those of dict.",
    methods: METHODS,
    getset: GETSET,
    slots: SlotDefs { new: Some(new), init: Some(init), repr: Some(default_repr), or: Some(or), ..SlotDefs::EMPTY },
    flags: type_flag::BASE | type_flag::MAPPING | type_flag::DICT_SUBCLASS | type_flag::HAVE_GC,
    ..ClassDef::new(&DEFAULT_DICT)
};
static METHODS: &[Method] = &[
    method(
        "__missing__",
        "(object, /)",
        "__missing__(key) # Called by __getitem__ for missing key\n\nRaises KeyError without a factory; else stores and returns what the factory gives.",
        missing,
    ),
    method("copy", "()", "D.copy() -> a shallow copy of D.", copy),
    method("__copy__", "()", "D.copy() -> a shallow copy of D.", copy),
    method("__reduce__", "()", "Return state information for pickling.", reduce),
    class_method("__class_getitem__", "(object, /)", "See PEP 585", class_getitem),
];
static GETSET: &[GetSet] = &[GetSet {
    name: "default_factory",
    doc: "Factory for default value called by __missing__().",
    get: |_, v| Ok(factory(v)),
    set: Some(|_, v, new| {
        this(v).factory.set(new.cloned());
        Ok(())
    }),
    member: true,
}];

fn this(v: &Value) -> &DefaultDict {
    v.downcast_ref().expect("the slot belongs to defaultdict")
}
fn factory(v: &Value) -> Value {
    this(v).factory.get().unwrap_or(Value::NONE)
}

fn new(_: &mut Thread, cls: &Ref<Type>, _: &Args<'_>) -> PyResult<Value> {
    let payload = DefaultDict { base: Dict::payload(), factory: ValueCell::empty() };
    Ok(Ref::with_class(payload, cls.object()).into())
}

fn init(th: &mut Thread, v: &Value, args: &Args<'_>) -> PyResult<()> {
    let (factory, rest) = match args.pos().split_first() {
        Some((f, rest)) => {
            if !f.is_none() && !call::is_callable(f) {
                return Err(type_error(th, "first argument must be callable or None"));
            }
            (Some(f.clone()), rest)
        }
        None => (None, args.pos()),
    };
    this(v).factory.set(factory);
    merge::update_from_args(th, &this(v).base, rest, args, "dict")
}

fn missing(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let factory = factory(&a[0]);
    if factory.is_none() {
        // A tuple as the key stays one argument.
        return Err(key_error(th, &a[1]));
    }
    let value = call::call(th, &factory, &[])?;
    sequence::set_item(th, &a[0], &a[1], &value)?;
    Ok(value)
}

fn copied(th: &mut Thread, v: &Value) -> PyResult<Value> {
    let class = v.class_ref().into_value();
    call::call(th, &class, &[factory(v), v.clone()])
}
fn copy(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    copied(th, &a[0])
}

fn reduce(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let factory = factory(&a[0]);
    let args = if factory.is_none() { Tuple::empty() } else { Tuple::of([factory]) };
    let items = attr::call_method(th, &a[0], "items", &[])?;
    let it = iter::iter(th, &items)?;
    Ok(Tuple::of([a[0].class_ref().into(), args.into(), Value::NONE, Value::NONE, it]).into())
}

fn default_repr(th: &mut Thread, v: &Value) -> PyResult<Value> {
    let base = DICT.slots.repr.get().expect("dict has a repr");
    let shown = base(th, v)?;
    let factory = factory(v);
    let factory_shown = if factory.is_none() {
        Value::str("None")
    } else {
        repr::with_repr(th, &factory, "...", |th| Ok(repr::repr(th, &factory)?.into()))?
    };
    let mut out = StrBuilder::new();
    out.push_text(&v.class().name());
    out.push_text("(");
    for (i, part) in [&factory_shown, &shown].into_iter().enumerate() {
        if i > 0 {
            out.push_text(", ");
        }
        if let Some(s) = part.downcast_ref::<krait_object::Str>() {
            out.push_str(s);
        }
    }
    out.push_text(")");
    Ok(out.finish().into())
}

fn or(th: &mut Thread, a: &Value, b: &Value) -> PyResult<Value> {
    if a.downcast_ref::<Dict>().is_none() || b.downcast_ref::<Dict>().is_none() {
        return Ok(Value::NOT_IMPLEMENTED);
    }
    let made = if a.downcast_ref::<DefaultDict>().is_some() {
        copied(th, a)?
    } else {
        let class = b.class_ref().into_value();
        call::call(th, &class, &[factory(b), a.clone()])?
    };
    let Some(target) = made.downcast_ref::<Dict>() else { return Ok(Value::NOT_IMPLEMENTED) };
    merge::update_from(th, target, b)?;
    Ok(made)
}
