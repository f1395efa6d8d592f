//! `object`: generic attribute access, and the methods that every object has.
use krait_object::builtin_types::OBJECT;
use krait_object::instance;
use krait_object::intern::{intern, intern_ref};
use krait_object::native::{class_method, getset, method};
use krait_object::slots::GetAttrFn;
use krait_object::{
    Args, ClassDef, CmpOp, Dict, GetSet, List, Method, PyResult, Ref, SlotDefs, Str, Thread, Type, TypeObject, Value,
    hash, table::NotQuick, type_flag,
};

use crate::errors::type_error;
use crate::protocol::attr;
use crate::types::descriptor::Wrapper;
use crate::types::{reduce, type_};

pub static DEF: ClassDef = ClassDef {
    doc: "The base class of the class hierarchy.\n\nWhen called, it accepts no arguments and returns a new featureless\ninstance that has no instance attributes and cannot be given any.\n",
    sig: "()",
    methods: METHODS,
    getset: GETSET,
    slots: SlotDefs {
        new: Some(object_new),
        init: Some(object_init),
        repr: Some(object_repr),
        str: Some(|th, v| crate::protocol::repr::repr(th, v).map(Value::from)),
        hash: Some(|_, v| Ok(hash::pointer(v.bits() as usize))),
        getattr: Some(generic_getattr),
        setattr: Some(generic_setattr),
        compare: Some(object_compare),
        ..SlotDefs::EMPTY
    },
    flags: type_flag::BASE,
    ..ClassDef::new(&OBJECT)
};

static GETSET: &[GetSet] = &[getset("__class__", "the object's class", |_, v| Ok(v.class_ref().into()), set_class)];

static METHODS: &[Method] = &[
    class_method("__init_subclass__", "()", "This method is called when a class is subclassed.", |_, _| {
        Ok(Value::NONE)
    }),
    class_method(
        "__subclasshook__",
        "(object, /)",
        "Abstract classes can override this to customize issubclass().",
        |_, _| Ok(Value::NOT_IMPLEMENTED),
    ),
    method("__format__", "(format_spec, /)", "Default object formatter.", |th, a| {
        let Some(spec) = a[1].downcast_ref::<Str>() else {
            let class = a[1].class().name();
            return Err(type_error(th, format!("__format__() argument must be str, not {class}")));
        };
        if !spec.is_empty() {
            let class = a[0].class().name();
            return Err(type_error(th, format!("unsupported format string passed to {class}.__format__")));
        }
        crate::protocol::repr::str(th, &a[0]).map(Value::from)
    }),
    method("__dir__", "()", "Default dir() implementation.", |th, a| object_dir(th, &a[0])),
    method("__sizeof__", "()", "Size of object in memory, in bytes.", |_, a| {
        let class = a[0].class();
        Ok(Value::from(class.vtable().size + class.tail_size()))
    }),
    method("__reduce__", "()", "Helper for pickle.", |th, a| reduce::reduce_ex(th, &a[0], 0)),
    method("__reduce_ex__", "(protocol, /)", "Helper for pickle.", |th, a| {
        let protocol = crate::protocol::number::to_i32(th, &a[1])?;
        reduce::object_reduce_ex(th, &a[0], protocol)
    }),
    method("__getstate__", "()", "Helper for pickle.", |th, a| reduce::getstate(th, &a[0], false)),
];

fn object_new(th: &mut Thread, class: &Ref<Type>, args: &Args<'_>) -> PyResult<Value> {
    if !args.is_empty() {
        if type_::is_overridden(class, "__new__") {
            return Err(type_error(th, "object.__new__() takes exactly one argument (the type to instantiate)"));
        }
        if !type_::is_overridden(class, "__init__") {
            let name = class.name();
            return Err(type_error(th, format!("{name}() takes no arguments")));
        }
    }
    type_::check_abstract(th, class)?;
    Ok(Ref::<()>::with_class((), class.object()).into())
}
fn object_init(th: &mut Thread, v: &Value, args: &Args<'_>) -> PyResult<()> {
    if args.is_empty() {
        return Ok(());
    }
    let class = v.class_ref();
    let name = class.name();
    if type_::is_overridden(&class, "__init__") {
        return Err(type_error(th, "object.__init__() takes exactly one argument (the instance to initialize)"));
    }
    if !type_::is_overridden(&class, "__new__") {
        return Err(type_error(
            th,
            format!("{name}.__init__() takes exactly one argument (the instance to initialize)"),
        ));
    }
    Ok(())
}
/// The default repr: `<module.Class object at 0x…>`.
pub fn object_repr(th: &mut Thread, v: &Value) -> PyResult<Value> {
    let class = v.class_ref();
    let module = attr::get_text_opt(th, class.as_value(), "__module__")?;
    let address = v.id();
    let shown = match module.and_then(|m| m.downcast::<Str>().ok()) {
        Some(m) if !m.eq_str("builtins") => {
            let qualname = attr::get_text(th, class.as_value(), "__qualname__")?;
            let qualname = crate::protocol::repr::str(th, &qualname)?;
            format!("<{m}.{qualname} object at {address:#x}>")
        }
        _ => format!("<{} object at {address:#x}>", class.name()),
    };
    Ok(shown.into())
}
fn object_compare(th: &mut Thread, a: &Value, b: &Value, op: CmpOp) -> PyResult<Value> {
    match op {
        CmpOp::Eq if a.is(b) => Ok(Value::TRUE),
        CmpOp::Ne => {
            let f = a.class().slots.compare.get();
            let Some(f) = f else { return Ok(Value::NOT_IMPLEMENTED) };
            let r = f(th, a, b, CmpOp::Eq)?;
            if r.is_not_implemented() {
                return Ok(r);
            }
            crate::protocol::compare::truth(th, &r).map(|t| Value::bool(!t))
        }
        _ => Ok(Value::NOT_IMPLEMENTED),
    }
}

/// Whether the class has the generic attribute lookup.
pub fn has_generic_getattr(class: &TypeObject) -> bool {
    class.slots.getattr.get().is_some_and(|f| f as usize == generic_getattr as GetAttrFn as usize)
}
/// Whether `f` is `object.__getattribute__` itself.
pub fn is_generic_getattribute(f: &Value) -> bool {
    f.downcast_ref::<Wrapper>().is_some_and(|w| w.owner.is(&OBJECT) && w.def.name == "__getattribute__")
}
/// The dict that a builtin payload keeps for its instance, if made already.
pub fn payload_dict(o: &Value) -> Option<Ref<Dict>> {
    let f = o.class().dict_cell.get()?;
    f(o)?.get()?.downcast().ok()
}
/// The instance's `__dict__`, made on demand. `None`: instances of the class have none.
pub fn instance_dict(o: &Value) -> Option<Ref<Dict>> {
    if let Some(f) = o.class().dict_cell.get() {
        let cell = f(o)?;
        if let Some(d) = cell.get() {
            return d.downcast().ok();
        }
        return cell.get_or_set(Dict::new().into()).downcast().ok();
    }
    instance::dict(o)
}
/// An attribute of the instance's own storage.
fn own_attribute(th: &mut Thread, o: &Value, name: &Ref<Str>) -> PyResult<Option<Value>> {
    let dict = if o.class().dict_cell.is_set() {
        let Some(dict) = payload_dict(o) else { return Ok(None) };
        dict
    } else if let instance::Storage::Dict(dict) = instance::storage(o) {
        dict
    } else {
        return Ok(instance::get_attr(o, name));
    };
    // A key that is no string may have `__eq__`.
    dict.get_quick(name.as_value()).or_else(|NotQuick| dict.get(th, name.as_value()))
}
/// `object.__getattribute__` without the AttributeError.
pub fn generic_getattr(th: &mut Thread, o: &Value, name: &Ref<Str>) -> PyResult<Option<Value>> {
    let class = o.class_ref();
    let found = crate::types::type_::find(th, &class, name)?;
    let mut getter = None;
    if let Some(f) = &found {
        let slots = &f.class().slots;
        getter = slots.descr_get.get();
        if let Some(get) = getter
            && slots.descr_set.is_set()
        {
            return get(th, f, Some(o), Some(class.as_value())).map(Some);
        }
    }
    if let Some(v) = own_attribute(th, o, name)? {
        return Ok(Some(v));
    }
    match (found, getter) {
        (Some(f), Some(get)) => get(th, &f, Some(o), Some(class.as_value())).map(Some),
        (Some(f), None) => Ok(Some(f)),
        (None, _) => Ok(None),
    }
}
/// `object.__setattr__` and `__delattr__`.
pub fn generic_setattr(th: &mut Thread, o: &Value, name: &Ref<Str>, value: Option<&Value>) -> PyResult<()> {
    let class = o.class_ref();
    let name = &intern_ref(name);
    let found = class.lookup(name);
    if let Some(d) = &found
        && let Some(set) = d.class().slots.descr_set.get()
    {
        return set(th, d, o, value);
    }
    let (stored, has_storage) = if class.dict_cell.is_set() {
        match (instance_dict(o), value) {
            (Some(d), Some(v)) => {
                d.set_str(name, v.clone());
                (true, true)
            }
            (Some(d), None) => (d.remove_str(name).is_some(), true),
            (None, _) => (false, false),
        }
    } else {
        let has = class.has_flag(type_flag::TAIL_DICT);
        match value {
            Some(v) => (instance::set_attr(o, name, v.clone()), has),
            None => (instance::del_attr(o, name), has),
        }
    };
    if stored {
        return Ok(());
    }
    if has_storage {
        return Err(attr::missing(th, o, name));
    }
    let shown = class.name();
    let message = if found.is_some() {
        format!("'{shown}' object attribute '{name}' is read-only")
    } else if class.slots.setattr.get().is_some_and(|f| f as usize == generic_setattr as *const () as usize) {
        format!("'{shown}' object has no attribute '{name}' and no __dict__ for setting new attributes")
    } else {
        format!("'{shown}' object has no attribute '{name}'")
    };
    Err(crate::errors::missing_attribute(th, o, name, message))
}

fn object_dir(th: &mut Thread, o: &Value) -> PyResult<Value> {
    let names = Dict::new();
    if let Some(d) = attr::get_text_opt(th, o, "__dict__")?
        && let Some(d) = d.downcast_ref::<Dict>()
    {
        for key in d.keys() {
            names.set(th, key, Value::NONE)?;
        }
    }
    if let Some(class) = attr::get_text_opt(th, o, "__class__")? {
        merge_class(th, &names, &class)?;
    }
    Ok(List::new(names.keys()).into())
}
fn merge_class(th: &mut Thread, names: &Ref<Dict>, class: &Value) -> PyResult<()> {
    th.check_native(" while listing attributes")?;
    if let Some(d) = attr::get_text_opt(th, class, "__dict__")? {
        for key in crate::protocol::iter::collect(th, &d)? {
            names.set(th, key, Value::NONE)?;
        }
    }
    if let Some(bases) = attr::get_text_opt(th, class, "__bases__")?
        && let Some(bases) = bases.downcast_ref::<krait_object::Tuple>()
    {
        for base in bases.iter() {
            merge_class(th, names, base)?;
        }
    }
    Ok(())
}

fn set_class(th: &mut Thread, o: &Value, value: Option<&Value>) -> PyResult<()> {
    let Some(value) = value else { return Err(type_error(th, "can't delete __class__ attribute")) };
    let Some(new) = value.to_ref::<Type>() else {
        let given = value.class().name();
        return Err(type_error(th, format!("__class__ must be set to a class, not '{given}' object")));
    };
    crate::audit::audit(th, "object.__setattr__", &[o.clone(), Value::str("__class__"), value.clone()])?;
    let old = o.class_ref();
    let is_module = |t: &Ref<Type>| t.object().is_subtype(&crate::types::module::MODULE);
    if (old.is_static() || new.is_static()) && !(is_module(&old) && is_module(&new)) {
        return Err(type_error(th, "__class__ assignment only supported for mutable types or ModuleType subclasses"));
    }
    if !type_::layout::compatible(&new, &old) {
        let message = format!("__class__ assignment: '{}' object layout differs from '{}'", new.name(), old.name());
        return Err(type_error(th, message));
    }
    if old.tail_size() != 0 || new.tail_size() == 0 {
        instance::set_class(o, &new);
        return Ok(());
    }
    Err(type_error(th, format!("__class__ assignment: '{}' object layout differs from '{}'", new.name(), old.name())))
}
/// Interned dunder names used here.
pub fn dunder(name: &str) -> Ref<Str> {
    intern(name)
}
