//! `type`: creating classes, calling them, their attributes. Readying builtins, slots and MRO are in the folder beside.
//! CPython counterpart: `Objects/typeobject.c`.
mod attributes;
pub mod dispatch;
pub mod layout;
pub mod mro;
pub mod new;
pub mod ready;
pub mod slotdefs;
pub mod subclasses;

use std::collections::HashMap;
use std::sync::Mutex;

use krait_object::builtin_types::{OBJECT, TYPE};
use krait_object::hash::ByWord;
use krait_object::intern::intern;
use krait_object::native::{Sig, method, raw_class_method, static_method};
use krait_object::slots::SetAttrFn;
use krait_object::{
    Args, ClassDef, Method, PyResult, Raised, Ref, SlotDefs, Str, Thread, Tuple, Type, TypeObject, Value, type_flag,
};

pub use new::{calculate_metaclass, new_class};

pub use attributes::{module_in_dict as module_in_namespace, qualname as qualified_name};

use crate::errors::type_error;
use crate::protocol::{attr, call};
use crate::types::native_function::NativeFunction;

pub static DEF: ClassDef = ClassDef {
    doc: "type(object) -> the object's type\ntype(name, bases, dict, **kwds) -> a new type",
    methods: METHODS,
    getset: attributes::GETSET,
    slots: SlotDefs {
        new: Some(new::type_new),
        init: Some(type_init),
        call: Some(type_call),
        repr: Some(type_repr),
        getattr: Some(type_getattr),
        setattr: Some(type_setattr),
        or: Some(crate::types::union_type::type_or),
        ..SlotDefs::EMPTY
    },
    flags: type_flag::BASE | type_flag::WEAKREF | type_flag::TYPE_SUBCLASS | type_flag::HAVE_GC,
    ..ClassDef::new(&TYPE)
};

static METHODS: &[Method] = &[
    method("mro", "()", "Return a type's method resolution order.", |th, a| {
        let class = a.this_ref::<Type>();
        let bases = class.bases().map(|b| b.to_vec()).unwrap_or_default();
        Ok(krait_object::List::new(mro::c3(th, &class, &bases)?).into())
    }),
    method("__subclasses__", "()", "Return a list of immediate subclasses.", |_, a| {
        // Builtin classes have subclasses in every interpreter of the process; each sees its own.
        let own = subclasses::list(a.this::<Type>()).into_iter().map(Value::from).filter(krait_object::gc::is_own);
        Ok(krait_object::List::new(own.collect()).into())
    }),
    raw_class_method(
        "__prepare__",
        "(name, bases, /, **kwds)",
        "Create the namespace for the class statement.",
        |_, _| Ok(krait_object::Dict::new().into()),
    ),
    method("__instancecheck__", "(instance, /)", "Check if an object is an instance.", |th, a| {
        crate::functions::classes::real_isinstance(th, &a[1], &a[0]).map(Value::bool)
    }),
    method("__subclasscheck__", "(subclass, /)", "Check if a class is a subclass.", |th, a| {
        crate::functions::classes::real_issubclass(th, &a[1], &a[0]).map(Value::bool)
    }),
    method("__dir__", "()", "Specialized __dir__ implementation for types.", |th, a| {
        attributes::dir(th, a.this::<Type>())
    }),
    method("__sizeof__", "()", "Return memory consumption of the type object.", |_, a| {
        Ok(Value::from(if a.this::<Type>().is_static() { 432i64 } else { 1072 }))
    }),
];

/// `tp_hash` of types whose instances are unhashable.
pub fn unhashable(th: &mut Thread, v: &Value) -> PyResult<i64> {
    Err((th.hooks().unhashable)(th, v))
}

fn type_repr(_: &mut Thread, v: &Value) -> PyResult<Value> {
    let class = v.downcast_ref::<Type>().expect("type's slot");
    let qualname = attributes::qualname(class);
    match class.module.get().and_then(|m| m.downcast::<Str>().ok()).or_else(|| attributes::module_in_dict(class)) {
        Some(m) if !m.eq_str("builtins") => Ok(Value::from(format!("<class '{m}.{qualname}'>"))),
        _ => Ok(Value::from(format!("<class '{}'>", class.name()))),
    }
}

/// `type(…)` and every class's call.
fn type_call(th: &mut Thread, v: &Value, args: &Args<'_>) -> PyResult<Value> {
    let class = v.to_ref::<Type>().expect("type's slot");
    if class.is(&TYPE) {
        if args.len() == 1 && !args.has_kw() {
            return Ok(args.pos()[0].class_ref().into());
        }
        if args.pos().len() == 1 {
            return Err(type_error(th, "type() takes no keyword arguments"));
        }
        if args.pos().len() != 3 {
            return Err(type_error(th, "type() takes 1 or 3 arguments"));
        }
    }
    let Some(new) = class.slots.new.get() else {
        let name = full_name(&class);
        return Err(type_error(th, format!("cannot create '{name}' instances")));
    };
    let object = new(th, &class, args)?;
    if !object.is_instance(class.object()) {
        return Ok(object);
    }
    let slots = &object.class().slots;
    // `object.__init__` accepts what a `__new__` other than `object`'s has accepted.
    let nothing_to_do = slots.init.same(&OBJECT.slots.init) && !slots.new.same(&OBJECT.slots.new);
    if let Some(init) = slots.init.get().filter(|_| !nothing_to_do) {
        init(th, &object, args)?;
    }
    Ok(object)
}
fn type_init(th: &mut Thread, _: &Value, args: &Args<'_>) -> PyResult<()> {
    let n = args.pos().len();
    if n == 1 && args.has_kw() {
        return Err(type_error(th, "type.__init__() takes no keyword arguments"));
    }
    if n != 1 && n != 3 {
        return Err(type_error(th, "type.__init__() takes 1 or 3 arguments"));
    }
    Ok(())
}
/// The name as error messages show it: with the module for builtins outside `builtins`.
pub fn full_name(class: &Type) -> String {
    match class.module.get().and_then(|m| m.downcast::<Str>().ok()) {
        Some(m) if class.is_static() && !m.eq_str("builtins") => format!("{m}.{}", class.name()),
        _ => class.name().to_string(),
    }
}

/// As `Type::lookup`, where keys that are no strings are asked.
pub fn find(th: &mut Thread, class: &Type, name: &Ref<Str>) -> PyResult<Option<Value>> {
    if !class.has_flag(type_flag::ODD_KEYS) {
        return Ok(class.lookup(name));
    }
    // What is asked may give the class another MRO.
    let Some(mro) = class.mro() else { return Ok(None) };
    for class in mro.iter() {
        let dict = class.downcast_ref::<Type>().and_then(Type::dict);
        if let Some(dict) = dict
            && let Some(found) = dict.get(th, name.as_value())?
        {
            return Ok(Some(found));
        }
    }
    Ok(None)
}
/// `type.__getattribute__`: data descriptors of the metaclass, then the class's MRO, then the rest of the metaclass.
fn type_getattr(th: &mut Thread, v: &Value, name: &Ref<Str>) -> PyResult<Option<Value>> {
    let class = v.downcast_ref::<Type>().expect("type's slot");
    let meta = v.class_ref();
    let meta_value = meta.lookup(name);
    let mut meta_get = None;
    if let Some(m) = &meta_value {
        let slots = &m.class().slots;
        meta_get = slots.descr_get.get();
        if let Some(get) = meta_get
            && slots.descr_set.is_set()
        {
            let meta = meta.to_value();
            return get(th, m, Some(v), Some(&meta)).map(Some);
        }
    }
    if let Some(found) = find(th, class, name)? {
        let get = found.class().slots.descr_get.get();
        return match get {
            Some(get) => get(th, &found, None, Some(v)).map(Some),
            None => Ok(Some(found)),
        };
    }
    match (meta_value, meta_get) {
        (Some(m), Some(get)) => {
            let meta = meta.to_value();
            get(th, &m, Some(v), Some(&meta)).map(Some)
        }
        (Some(m), None) => Ok(Some(m)),
        (None, _) => Ok(None),
    }
}
fn type_setattr(th: &mut Thread, v: &Value, name: &Ref<Str>, value: Option<&Value>) -> PyResult<()> {
    let class = v.to_ref::<Type>().expect("type's slot");
    if class.has_flag(type_flag::IMMUTABLE) {
        let full = full_name(&class);
        return Err(type_error(th, format!("cannot set '{name}' attribute of immutable type '{full}'")));
    }
    let name = krait_object::intern::intern_ref(name);
    let meta = v.class_ref();
    if let Some(d) = meta.lookup(&name)
        && let Some(set) = d.class().slots.descr_set.get()
    {
        set(th, &d, v, value)?;
        subclasses::modified(&class);
        return Ok(());
    }
    let Some(dict) = class.dict() else { return Err(attr::missing(th, v, &name)) };
    match value {
        Some(value) => dict.set_str(&name, value.clone()),
        None => {
            if dict.remove_str(&name).is_none() {
                return Err(attr::missing(th, v, &name));
            }
        }
    }
    let text = name.to_string_lossy();
    if matches!(&*text, "__get__" | "__set__" | "__delete__") {
        // Its instances become descriptors, in whatever class they are attributes.
        subclasses::modified(&Ref::from_object(&OBJECT));
    } else {
        subclasses::modified(&class);
    }
    if text.starts_with("__") && text.ends_with("__") {
        ready::update_slots_for(&class, &name);
    }
    if &*text == "__abstractmethods__" {
        attributes::note_abstract(th, &class, value)?;
    }
    Ok(())
}

/// `object.__setattr__(o, …)` must not bypass a builtin's own `__setattr__` (the "Carlo Verre" hack).
pub fn check_setattr_owner(th: &mut Thread, o: &Value, what: &str, f: SetAttrFn) -> PyResult<()> {
    let mut at = Some(o.class_ref());
    while let Some(class) = at {
        if class.is_static() {
            let own = class.slots.setattr.get();
            if own.is_some_and(|own| own as usize != f as usize) {
                let name = class.name();
                return Err(type_error(th, format!("can't apply this {what} to {name} object")));
            }
            return Ok(());
        }
        at = class.base();
    }
    Ok(())
}

static NEW: Method =
    static_method("__new__", "", "Create and return a new object.  See help(type) for accurate signature.", |th, a| {
        // `NativeFunction` calls `call_new` instead; nothing else reaches this function.
        Err(crate::errors::type_error(th, format!("__new__ without a class, {} arguments", a.len())))
    })
    .raw();

/// The `__new__` of a builtin class: a static native function that checks the class it is given.
pub fn new_function(owner: &Ref<Type>) -> Value {
    NativeFunction::new_new(&NEW, owner)
}
/// The builtin class whose `__new__` this is.
pub fn native_new_owner(f: &Value) -> Option<Ref<Type>> {
    f.downcast_ref::<NativeFunction>()?.new_owner()
}
/// The nearest builtin base.
fn native_base(class: &Ref<Type>) -> Ref<Type> {
    let mut native = class.clone();
    while !native.is_static() {
        match native.base() {
            Some(base) => native = base,
            None => break,
        }
    }
    native
}
/// Whether the `__new__` of the builtin `owner` makes instances with the layout of `class`.
pub fn new_fits(class: &Ref<Type>, owner: &Ref<Type>) -> bool {
    let native = native_base(class);
    if class.flags() & type_flag::DISALLOW_INSTANTIATION != 0 {
        return false;
    }
    // A class of ours that is made at run time (`ast.AST`) makes instances as its builtin base lays them out.
    let made_later = || !owner.is_static() && native.address() == native_base(owner).address();
    class.object().is_subtype(owner.object()) && (native.slots.new.same(&owner.slots.new) || made_later())
}
/// `owner.__new__(cls, …)`.
pub fn call_new(th: &mut Thread, owner: &Ref<Type>, args: &Args<'_>) -> PyResult<Value> {
    let name = owner.name();
    let Some(first) = args.pos().first() else {
        return Err(type_error(th, format!("{name}.__new__(): not enough arguments")));
    };
    let Some(class) = first.to_ref::<Type>() else {
        let given = first.class().name();
        return Err(type_error(th, format!("{name}.__new__(X): X is not a type object ({given})")));
    };
    let given = class.name();
    if !class.object().is_subtype(owner.object()) {
        return Err(type_error(th, format!("{name}.__new__({given}): {given} is not a subtype of {name}")));
    }
    if !new_fits(&class, owner) {
        let better = native_base(&class).name();
        return Err(type_error(th, format!("{name}.__new__({given}) is not safe, use {better}.__new__()")));
    }
    let new = owner.slots.new.get().expect("a __new__ function exists only for a class with the slot");
    new(th, &class, &args.skip_first())
}

static SIGNATURES: Mutex<Option<HashMap<usize, &'static str, ByWord>>> = Mutex::new(None);

/// Remembers the constructor signature of a builtin.
pub fn set_text_signature(class: &'static TypeObject, sig: &'static str) {
    let mut all = SIGNATURES.lock().unwrap_or_else(|e| e.into_inner());
    all.get_or_insert_default().insert(std::ptr::from_ref(class) as usize, sig);
}
/// The constructor signature of a builtin.
pub fn text_signature(class: &TypeObject) -> Option<&'static str> {
    let all = SIGNATURES.lock().unwrap_or_else(|e| e.into_inner());
    all.as_ref()?.get(&(std::ptr::from_ref(class) as usize)).copied()
}

/// The signature that a docstring of the form `name(…)\n--\n\n…` begins with.
fn signature_in<'a>(name: &str, doc: &'a str) -> Option<&'a str> {
    const END: &str = ")\n--\n\n";
    let rest = doc.strip_prefix(name.rsplit('.').next()?).filter(|rest| rest.starts_with('('))?;
    let end = rest.find(END)?;
    rest[..end].find("\n\n").is_none().then(|| &rest[..=end])
}

/// `object.__new__` and `__init__` arguments: shared checks.
pub fn is_overridden(class: &Type, name: &str) -> bool {
    let name = intern(name);
    match (class.lookup(&name), OBJECT.lookup(&name)) {
        (Some(a), Some(b)) => !a.is(&b),
        _ => false,
    }
}

/// Raises for a class that cannot be instantiated because of abstract methods.
pub fn check_abstract(th: &mut Thread, class: &Ref<Type>) -> PyResult<()> {
    if !class.has_flag(type_flag::ABSTRACT) {
        return Ok(());
    }
    let names = attr::get_text(th, class.as_value(), "__abstractmethods__")?;
    let sorted = crate::functions::builtin(th, "sorted")?;
    let sorted = call::call(th, &sorted, &[names])?;
    let list = crate::protocol::iter::collect(th, &sorted)?;
    let mut quoted = Vec::new();
    for n in &list {
        quoted.push(format!("'{}'", crate::protocol::repr::str(th, n)?));
    }
    let name = class.name();
    let plural = if quoted.len() == 1 { "" } else { "s" };
    let message = format!(
        "Can't instantiate abstract class {name} without an implementation for abstract method{plural} {}",
        quoted.join(", ")
    );
    Err(type_error(th, message))
}

static TYPE_SIG: Sig = Sig::new("(name, bases, dict, /, **kwds)");
/// The three arguments of `type(name, bases, dict, **kwds)`, checked.
fn new_arguments(th: &mut Thread, args: &Args<'_>) -> PyResult<(Ref<Str>, Ref<Tuple>, Ref<krait_object::Dict>, Value)> {
    let given = args.pos().len();
    if given != 3 {
        return Err(type_error(th, format!("type.__new__() takes exactly 3 arguments ({given} given)")));
    }
    let bound = TYPE_SIG.bind(th, "type.__new__", "type.__new__", args, 0)?;
    let a = bound.args();
    let wrong = |th: &mut Thread, n: u8, what: &str, v: &Value| -> Raised {
        let class = v.class().name();
        type_error(th, format!("type.__new__() argument {n} must be {what}, not {class}"))
    };
    let Some(name) = a[0].to_ref::<Str>() else { return Err(wrong(th, 1, "str", &a[0])) };
    let Some(bases) = a[1].to_ref::<Tuple>() else { return Err(wrong(th, 2, "tuple", &a[1])) };
    let Some(dict) = a[2].to_ref::<krait_object::Dict>() else { return Err(wrong(th, 3, "dict", &a[2])) };
    Ok((name, bases, dict, a[3].clone()))
}
