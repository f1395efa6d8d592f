//! `_abc`: abstract base classes: registry, caches of positive and negative answers, `__abstractmethods__`.
use krait_object::native::function;
use krait_object::{
    Args, FrozenSet, Method, ModuleDef, PyResult, Ref, Set, Str, Thread, Tuple, Type, TypeObject, VTable, Value,
    type_flag,
};
use krait_runtime::errors::{runtime_error, type_error};
use krait_runtime::functions::classes;
use krait_runtime::protocol::{attr, call, compare, sequence};
use krait_runtime::types::weakref;
use std::sync::atomic::{AtomicU64, Ordering::*};

/// Counts registrations: negative caches older than it are void.
static COUNTER: AtomicU64 = AtomicU64::new(0);

#[derive(krait_macros::Trace, krait_macros::Payload)]
#[payload(class = ABC_DATA)]
struct AbcData {
    registry: Ref<Set>,
    cache: Ref<Set>,
    negative: Ref<Set>,
    version: AtomicU64,
}
static LAYOUT: VTable = VTable::of::<AbcData>();
static ABC_DATA: TypeObject = TypeObject::builtin("_abc_data", Some(&krait_object::builtin_types::OBJECT), &LAYOUT);
static ABC_DATA_DEF: krait_object::ClassDef = krait_object::ClassDef {
    module: "_abc",
    doc: "Internal state held by ABC machinery.",
    flags: type_flag::DISALLOW_INSTANTIATION | type_flag::HAVE_GC,
    ..krait_object::ClassDef::new(&ABC_DATA)
};

pub static MODULE: ModuleDef = ModuleDef {
    doc: "Module contains faster C implementation of abc.ABCMeta",
    functions: FUNCTIONS,
    init: Some(|th, _| {
        krait_runtime::types::type_::ready::ready_class(th, &ABC_DATA_DEF);
        Ok(())
    }),
    ..ModuleDef::new("_abc")
};
static FUNCTIONS: &[Method] = &[
    function("get_cache_token", "()", "Returns the current ABC cache token.", |_, _| {
        Ok(Value::from(COUNTER.load(Relaxed)))
    }),
    function(
        "_abc_init",
        "(self, /)",
        "Internal ABC helper for class set-up. Should be never used outside abc module.",
        init,
    ),
    function(
        "_abc_register",
        "(self, subclass, /)",
        "Internal ABC helper for subclasss registration. Should be never used outside abc module.",
        register,
    ),
    function(
        "_abc_instancecheck",
        "(self, instance, /)",
        "Internal ABC helper for instance checks. Should be never used outside abc module.",
        instancecheck,
    ),
    function(
        "_abc_subclasscheck",
        "(self, subclass, /)",
        "Internal ABC helper for subclasss checks. Should be never used outside abc module.",
        |th, a| subclasscheck(th, &a[0], &a[1]).map(Value::bool),
    ),
    function("_get_dump", "(self, /)", "Internal ABC helper for cache and registry debugging.", |th, a| {
        let d = data(th, &a[0])?;
        let copy = |s: &Ref<Set>| -> Value { Ref::new(Set::from_table(s.copy_table())).into() };
        let version = Value::from(d.version.load(Relaxed));
        Ok(Tuple::from_vec(vec![copy(&d.registry), copy(&d.cache), copy(&d.negative), version]).into())
    }),
    function("_reset_registry", "(self, /)", "Internal ABC helper to reset registry of a given class.", |th, a| {
        data(th, &a[0])?.registry.clear();
        Ok(Value::NONE)
    }),
    function("_reset_caches", "(self, /)", "Internal ABC helper to reset both caches of a given class.", |th, a| {
        let d = data(th, &a[0])?;
        d.cache.clear();
        d.negative.clear();
        Ok(Value::NONE)
    }),
];

fn data(th: &mut Thread, class: &Value) -> PyResult<Ref<AbcData>> {
    let held = attr::get_text(th, class, "_abc_impl")?;
    held.downcast().map_err(|_| type_error(th, "_abc_impl is set to a wrong type"))
}
fn is_abstract(th: &mut Thread, v: &Value) -> PyResult<bool> {
    match attr::get_text_opt(th, v, "__isabstractmethod__")? {
        Some(x) => compare::truth(th, &x),
        None => Ok(false),
    }
}
fn init(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let class = &a[0];
    let names = Set::new();
    let namespace = attr::get_text(th, class, "__dict__")?;
    let items = attr::call_method(th, &namespace, "items", &[])?;
    for item in krait_runtime::protocol::iter::collect(th, &items)? {
        let Some(pair) = item.to_ref::<Tuple>() else { continue };
        if is_abstract(th, &pair[1])? {
            names.add(th, pair[0].clone())?;
        }
    }
    let bases = attr::get_text(th, class, "__bases__")?;
    for base in sequence::to_items(th, &bases, "__bases__ is not a tuple")? {
        let Some(inherited) = attr::get_text_opt(th, &base, "__abstractmethods__")? else { continue };
        for key in krait_runtime::protocol::iter::collect(th, &inherited)? {
            let Some(name) = key.to_ref::<Str>() else { continue };
            if let Some(v) = attr::get_attr_opt(th, class, &name)?
                && is_abstract(th, &v)?
            {
                names.add(th, key)?;
            }
        }
    }
    let frozen = Value::from(Ref::new(FrozenSet(Set::from_table(names.copy_table()))));
    attr::set_text(th, class, "__abstractmethods__", &frozen)?;
    let d = AbcData {
        registry: Set::new(),
        cache: Set::new(),
        negative: Set::new(),
        version: COUNTER.load(Relaxed).into(),
    };
    attr::set_text(th, class, "_abc_impl", &Ref::new(d).into())?;
    if let Some(t) = class.to_ref::<Type>() {
        collection_flags(th, &t)?;
    }
    Ok(Value::NONE)
}
/// `__abc_tpflags__` of `collections.abc.Sequence` and `Mapping` become flags for `match`.
fn collection_flags(th: &mut Thread, t: &Ref<Type>) -> PyResult<()> {
    let Some(dict) = t.dict() else { return Ok(()) };
    if let Some(v) = dict.remove_text("__abc_tpflags__") {
        let bits = krait_runtime::protocol::number::to_i64(th, &v)? as u32;
        let both = type_flag::SEQUENCE | type_flag::MAPPING;
        if bits & both == both {
            return Err(type_error(th, "__abc_tpflags__ cannot be both Py_TPFLAGS_SEQUENCE and Py_TPFLAGS_MAPPING"));
        }
        t.set_flags(bits & both);
    }
    Ok(())
}
fn register(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let (class, sub) = (&a[0], &a[1]);
    let Some(t) = sub.to_ref::<Type>() else { return Err(type_error(th, "Can only register classes")) };
    if classes::is_subclass(th, sub, class)? {
        return Ok(sub.clone());
    }
    if classes::is_subclass(th, class, sub)? {
        return Err(runtime_error(th, "Refusing to create an inheritance cycle"));
    }
    let d = data(th, class)?;
    add_weak(th, &d.registry, sub)?;
    COUNTER.fetch_add(1, Relaxed);
    if let Some(own) = class.downcast_ref::<Type>() {
        let bits = own.flags() & (type_flag::SEQUENCE | type_flag::MAPPING);
        if bits != 0 {
            set_flags_recursive(&t, bits);
        }
    }
    Ok(sub.clone())
}
fn set_flags_recursive(t: &Ref<Type>, bits: u32) {
    let both = type_flag::SEQUENCE | type_flag::MAPPING;
    if t.flags() & both == bits || t.has_flag(type_flag::IMMUTABLE) {
        return;
    }
    t.clear_flags(both);
    t.set_flags(bits);
    for sub in krait_runtime::types::type_::subclasses::list(t) {
        set_flags_recursive(&sub, bits);
    }
}
fn weak_of(th: &mut Thread, v: &Value) -> PyResult<Value> {
    let class = Ref::from_object(&weakref::REFERENCE).to_value();
    call::call(th, &class, &[v.clone()])
}
fn add_weak(th: &mut Thread, set: &Ref<Set>, v: &Value) -> PyResult<()> {
    for held in set.to_vec() {
        if weakref::target(&held).is_none() {
            drop(set.discard(th, &held));
        }
    }
    let weak = weak_of(th, v)?;
    set.add(th, weak).map(|_| ())
}
fn contains_weak(th: &mut Thread, set: &Ref<Set>, v: &Value) -> PyResult<bool> {
    if set.is_empty() {
        return Ok(false);
    }
    let weak = weak_of(th, v)?;
    set.contains(th, &weak)
}
fn instancecheck(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let (class, instance) = (&a[0], &a[1]);
    let d = data(th, class)?;
    let sub = attr::get_text(th, instance, "__class__")?;
    if contains_weak(th, &d.cache, &sub)? {
        return Ok(Value::TRUE);
    }
    let own = Value::from(instance.class_ref());
    if own.is(&sub) {
        if d.version.load(Relaxed) == COUNTER.load(Relaxed) && contains_weak(th, &d.negative, &sub)? {
            return Ok(Value::FALSE);
        }
        return attr::call_method(th, class, "__subclasscheck__", &[sub]);
    }
    let first = attr::call_method(th, class, "__subclasscheck__", &[sub])?;
    if compare::truth(th, &first)? {
        return Ok(first);
    }
    attr::call_method(th, class, "__subclasscheck__", &[own])
}
fn subclasscheck(th: &mut Thread, class: &Value, sub: &Value) -> PyResult<bool> {
    if sub.downcast_ref::<Type>().is_none() {
        return Err(type_error(th, "issubclass() arg 1 must be a class"));
    }
    let d = data(th, class)?;
    if contains_weak(th, &d.cache, sub)? {
        return Ok(true);
    }
    let now = COUNTER.load(Relaxed);
    if d.version.load(Relaxed) < now {
        d.negative.clear();
        d.version.store(now, Relaxed);
    } else if contains_weak(th, &d.negative, sub)? {
        return Ok(false);
    }
    let hook = attr::call_method(th, class, "__subclasshook__", &[sub.clone()])?;
    match hook.as_bool() {
        Some(true) => {
            add_weak(th, &d.cache, sub)?;
            return Ok(true);
        }
        Some(false) => {
            add_weak(th, &d.negative, sub)?;
            return Ok(false);
        }
        None if hook.is_not_implemented() => {}
        None => {
            let message = "__subclasshook__ must return either False, True, or NotImplemented";
            return Err(krait_runtime::errors::assertion_error(th, message));
        }
    }
    if let (Some(s), Some(c)) = (sub.to_ref::<Type>(), class.to_ref::<Type>())
        && s.object().is_subtype(c.object())
    {
        add_weak(th, &d.cache, sub)?;
        return Ok(true);
    }
    for weak in d.registry.to_vec() {
        if let Some(registered) = weakref::target(&weak)
            && classes::is_subclass(th, sub, &registered)?
        {
            add_weak(th, &d.cache, sub)?;
            return Ok(true);
        }
    }
    let subclasses = attr::call_method(th, class, "__subclasses__", &[])?;
    for s in sequence::to_items(th, &subclasses, "__subclasses__() must return a list")? {
        if classes::is_subclass(th, sub, &s)? {
            add_weak(th, &d.cache, sub)?;
            return Ok(true);
        }
    }
    add_weak(th, &d.negative, sub)?;
    Ok(false)
}
