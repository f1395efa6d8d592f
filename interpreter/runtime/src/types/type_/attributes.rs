//! The attributes of type objects: `__name__`, `__bases__`, `__mro__`, `__dict__`, `__doc__` and the others.
use krait_object::intern::intern;
use krait_object::native::{GetSet, getset, getter, member};
use krait_object::{Dict, PyResult, Ref, Str, Thread, Tuple, Type, Value, type_flag};

use super::{full_name, layout, mro, ready, subclasses};
use crate::errors::{attribute_error, type_error, value_error};
use crate::protocol::compare;

fn this(v: &Value) -> Ref<Type> {
    v.to_ref::<Type>().expect("the descriptor checked the class of self")
}

pub static GETSET: &[GetSet] = &[
    // One object each, however often it is asked for.
    getset("__name__", "", |_, v| Ok(intern(&this(v).name()).into()), set_name),
    getset(
        "__qualname__",
        "",
        |_, v| {
            let t = this(v);
            Ok(t.qualname.get().unwrap_or_else(|| intern(&t.name()).into()))
        },
        set_qualname,
    ),
    getset("__bases__", "", |_, v| Ok(this(v).bases().into()), set_bases),
    member("__mro__", "", |_, v| Ok(this(v).mro().into())),
    getset("__module__", "", get_module, set_module),
    getset("__abstractmethods__", "", get_abstract, set_abstract),
    getter("__dict__", "", |_, v| Ok(this(v).dict().map(|d| crate::types::mappingproxy::new(d.into())).into())),
    getset("__doc__", "", get_doc, set_doc),
    getter("__text_signature__", "", |_, v| {
        let t = this(v);
        if let Some(sig) = super::text_signature(t.object()) {
            return Ok(Value::str(sig));
        }
        let doc = t.dict().and_then(|d| d.get_text("__doc__")).and_then(|d| d.to_ref::<Str>());
        let Some(doc) = doc.filter(|_| t.has_flag(type_flag::HEAP)) else { return Ok(Value::NONE) };
        Ok(super::signature_in(&t.name(), &doc.to_string_lossy()).map(Value::str).into())
    }),
    getset("__annotations__", "", get_annotations, set_annotations),
    getset("__type_params__", "", get_type_params, set_type_params),
    member("__base__", "", |_, v| Ok(this(v).base().into())),
    member("__flags__", "", |_, v| Ok(Value::from(visible_flags(&this(v))))),
    member("__basicsize__", "", |_, v| Ok(Value::from(basic_size(&this(v))))),
    member("__itemsize__", "", |_, v| Ok(Value::from(item_size(&this(v))))),
    member("__dictoffset__", "", |_, v| {
        let t = this(v);
        let own = t.dict_cell.is_set() || t.object().is_subtype(&krait_object::builtin_types::TYPE);
        Ok(Value::int(if t.has_flag(type_flag::TAIL_DICT) { -1 } else { i64::from(own) * 16 }))
    }),
    member("__weakrefoffset__", "", |_, v| Ok(Value::int(if this(v).has_flag(type_flag::WEAKREF) { -32 } else { 0 }))),
];

fn visible_flags(t: &Type) -> i64 {
    let own = type_flag::TAIL_DICT | type_flag::WEAKREF | type_flag::ODD_KEYS;
    // Managed dict, and inline values: attributes are kept in the object.
    i64::from(t.flags() & !own) | if t.has_flag(type_flag::TAIL_DICT) { 1 << 4 | 1 << 2 } else { 0 }
}
/// Ints are shown as CPython stores them, a header and digits of four bytes, which `int.__sizeof__` goes by too.
fn basic_size(t: &Type) -> usize {
    let int = t.solid().is_some_and(|s| s.is_same(&krait_object::builtin_types::INT));
    (if int { 24 } else { t.vtable().size }) + t.tail_size()
}
fn item_size(t: &Type) -> i64 {
    match t.solid().map(|s| s.name()) {
        Some(n) if &*n == "tuple" => 8,
        Some(n) if &*n == "bytes" => 1,
        Some(n) if &*n == "int" => 4,
        _ => 0,
    }
}
fn refuse_immutable(th: &mut Thread, t: &Type, name: &str) -> PyResult<()> {
    if t.has_flag(type_flag::IMMUTABLE) {
        let full = full_name(t);
        return Err(type_error(th, format!("cannot set '{name}' attribute of immutable type '{full}'")));
    }
    Ok(())
}
fn settable<'a>(th: &mut Thread, t: &Ref<Type>, value: Option<&'a Value>, name: &str) -> PyResult<&'a Value> {
    refuse_immutable(th, t, name)?;
    match value {
        Some(v) => {
            crate::audit::audit(th, "object.__setattr__", &[t.to_value(), Value::str(name), v.clone()])?;
            Ok(v)
        }
        None => {
            let class = t.name();
            Err(type_error(th, format!("cannot delete '{name}' attribute of immutable type '{class}'")))
        }
    }
}
fn set_name(th: &mut Thread, v: &Value, value: Option<&Value>) -> PyResult<()> {
    let t = this(v);
    let value = settable(th, &t, value, "__name__")?;
    let Some(name) = value.downcast_ref::<Str>() else {
        let message = format!("can only assign string to {}.__name__, not '{}'", t.name(), value.class().name());
        return Err(type_error(th, message));
    };
    match name.to_utf8() {
        Some(text) if text.contains('\0') => Err(value_error(th, "type name must not contain null characters")),
        Some(text) => {
            t.set_name((&*text).into());
            Ok(())
        }
        None => {
            let name = value.to_ref::<Str>().unwrap_or_else(Str::empty);
            Err(crate::errors::surrogates_not_allowed(th, &name))
        }
    }
}
/// `__qualname__`, the name for builtins.
pub fn qualname(t: &Type) -> String {
    match t.qualname.get() {
        Some(q) => q.downcast_ref::<Str>().map(|s| s.to_string_lossy().into_owned()).unwrap_or_default(),
        None => t.name().to_string(),
    }
}
fn set_qualname(th: &mut Thread, v: &Value, value: Option<&Value>) -> PyResult<()> {
    let t = this(v);
    let value = settable(th, &t, value, "__qualname__")?;
    if value.downcast_ref::<Str>().is_none() {
        let message = format!("can only assign string to {}.__qualname__, not '{}'", t.name(), value.class().name());
        return Err(type_error(th, message));
    }
    t.qualname.set(Some(value.clone()));
    Ok(())
}
/// A heap type's `__module__` in its namespace, if a string.
pub fn module_in_dict(t: &Type) -> Option<Ref<Str>> {
    t.dict()?.get_text("__module__")?.downcast().ok()
}
fn get_module(th: &mut Thread, v: &Value) -> PyResult<Value> {
    let t = this(v);
    if let Some(m) = t.module.get() {
        return Ok(m);
    }
    match t.dict().and_then(|d| d.get_text("__module__")) {
        Some(m) => Ok(m),
        None if t.is_static() => Ok(Value::str("builtins")),
        None => Err(attribute_error(th, "__module__")),
    }
}
fn set_module(th: &mut Thread, v: &Value, value: Option<&Value>) -> PyResult<()> {
    let t = this(v);
    let value = settable(th, &t, value, "__module__")?;
    if let Some(d) = t.dict() {
        d.set_text("__module__", value.clone());
        drop(d.remove_text("__firstlineno__"));
    }
    subclasses::modified(&t);
    Ok(())
}
fn get_abstract(th: &mut Thread, v: &Value) -> PyResult<Value> {
    let t = this(v);
    let own = if t.is(&krait_object::builtin_types::TYPE) {
        None
    } else {
        t.dict().and_then(|d| d.get_text("__abstractmethods__"))
    };
    own.ok_or_else(|| attribute_error(th, "__abstractmethods__"))
}
fn set_abstract(th: &mut Thread, v: &Value, value: Option<&Value>) -> PyResult<()> {
    let t = this(v);
    refuse_immutable(th, &t, "__abstractmethods__")?;
    let Some(dict) = t.dict() else { return Ok(()) };
    match value {
        Some(x) => dict.set_text("__abstractmethods__", x.clone()),
        None => {
            if dict.remove_text("__abstractmethods__").is_none() {
                return Err(attribute_error(th, "__abstractmethods__"));
            }
        }
    }
    note_abstract(th, &t, value)
}
/// Keeps the flag that makes instantiation check for abstract methods.
pub fn note_abstract(th: &mut Thread, t: &Ref<Type>, value: Option<&Value>) -> PyResult<()> {
    let any = match value {
        Some(v) => compare::truth(th, v)?,
        None => false,
    };
    if any {
        t.set_flags(type_flag::ABSTRACT)
    } else {
        t.clear_flags(type_flag::ABSTRACT)
    }
    subclasses::modified(t);
    Ok(())
}
fn get_doc(th: &mut Thread, v: &Value) -> PyResult<Value> {
    let t = this(v);
    let Some(doc) = t.dict().and_then(|d| d.get_text("__doc__")) else { return Ok(Value::NONE) };
    let get = doc.class().slots.descr_get.get();
    match get {
        Some(get) => get(th, &doc, None, Some(v)),
        None => Ok(doc),
    }
}
fn set_doc(th: &mut Thread, v: &Value, value: Option<&Value>) -> PyResult<()> {
    let t = this(v);
    let value = settable(th, &t, value, "__doc__")?;
    if let Some(d) = t.dict() {
        d.set_text("__doc__", value.clone());
    }
    subclasses::modified(&t);
    Ok(())
}
fn get_annotations(th: &mut Thread, v: &Value) -> PyResult<Value> {
    let t = this(v);
    if t.is_static() {
        let name = t.name();
        return Err(attribute_error(th, format!("type object '{name}' has no attribute '__annotations__'")));
    }
    let Some(dict) = t.dict() else { return Ok(Value::NONE) };
    if let Some(a) = dict.get_text("__annotations__") {
        let get = a.class().slots.descr_get.get();
        return match get {
            Some(get) => get(th, &a, None, Some(v)),
            None => Ok(a),
        };
    }
    let made = Value::from(Dict::new());
    dict.set_text("__annotations__", made.clone());
    subclasses::modified(&t);
    Ok(made)
}
fn set_annotations(th: &mut Thread, v: &Value, value: Option<&Value>) -> PyResult<()> {
    let t = this(v);
    refuse_immutable(th, &t, "__annotations__")?;
    let Some(dict) = t.dict() else { return Ok(()) };
    match value {
        Some(x) => dict.set_text("__annotations__", x.clone()),
        None => {
            if dict.remove_text("__annotations__").is_none() {
                return Err(attribute_error(th, "__annotations__"));
            }
        }
    }
    subclasses::modified(&t);
    Ok(())
}
fn get_type_params(_: &mut Thread, v: &Value) -> PyResult<Value> {
    let t = this(v);
    // The namespace of `type` itself has this very descriptor.
    if t.is(&krait_object::builtin_types::TYPE) {
        return Ok(Tuple::empty().into());
    }
    Ok(t.dict().and_then(|d| d.get_text("__type_params__")).unwrap_or_else(|| Tuple::empty().into()))
}
fn set_type_params(th: &mut Thread, v: &Value, value: Option<&Value>) -> PyResult<()> {
    let t = this(v);
    let value = settable(th, &t, value, "__type_params__")?;
    if let Some(d) = t.dict() {
        d.set_text("__type_params__", value.clone());
    }
    subclasses::modified(&t);
    Ok(())
}
fn set_bases(th: &mut Thread, v: &Value, value: Option<&Value>) -> PyResult<()> {
    let t = this(v);
    let value = settable(th, &t, value, "__bases__")?;
    let Some(new) = value.to_ref::<Tuple>() else {
        let message = format!("can only assign tuple to {}.__bases__, not {}", t.name(), value.class().name());
        return Err(type_error(th, message));
    };
    if new.is_empty() {
        let name = t.name();
        return Err(type_error(th, format!("can only assign non-empty tuple to {name}.__bases__, not ()")));
    }
    for base in new.iter() {
        let Some(base) = base.to_ref::<Type>() else {
            let message = format!("{}.__bases__ must be tuple of classes, not '{}'", t.name(), base.class().name());
            return Err(type_error(th, message));
        };
        if base.object().is_subtype(t.object()) || in_base_chain(&base, &t) {
            return Err(type_error(th, "a __bases__ item causes an inheritance cycle"));
        }
    }
    let best = mro::best_base(th, &new)?;
    let old_best = t.base();
    if let Some(old) = &old_best
        && !layout::compatible(&best, old)
    {
        let message = format!("__bases__ assignment: '{}' object layout differs from '{}'", best.name(), old.name());
        return Err(type_error(th, message));
    }
    let old_bases = t.bases();
    t.set_bases(Some(new.clone()));
    t.set_base(&best);
    let mut changed = Vec::new();
    let result = rebuild_mros(th, &t, &mut changed);
    // An `mro` method may have assigned other bases meanwhile: then they stay.
    let still_ours = t.bases().is_some_and(|b| b.ptr_eq(&new));
    if let Err(raised) = result {
        for (class, made, before) in changed.into_iter().rev() {
            if class.mro().is_some_and(|m| m.ptr_eq(&made)) {
                class.set_mro(before);
                class.modified();
            }
        }
        if still_ours {
            t.set_bases(old_bases);
            if let Some(b) = old_best {
                t.set_base(&b);
            }
        }
        return Err(raised);
    }
    if still_ours {
        for base in old_bases.iter().flat_map(|b| b.iter()).filter_map(|b| b.downcast_ref::<Type>()) {
            subclasses::remove(base, t.object());
        }
        ready::register_subclass(t.object());
        // As for `__get__`, which the class may have gained or lost.
        subclasses::modified(&Ref::from_object(&krait_object::builtin_types::OBJECT));
        refix(&t);
    }
    Ok(())
}
/// Whether `class` is reached from `base` through first bases, which are newer than MROs while bases are being assigned.
fn in_base_chain(base: &Ref<Type>, class: &Ref<Type>) -> bool {
    let mut at = Some(base.clone());
    while let Some(b) = at {
        if b.ptr_eq(class) {
            return true;
        }
        at = b.base();
    }
    false
}
fn refix(t: &Ref<Type>) {
    ready::fix_slots(t);
    for sub in subclasses::list(t) {
        refix(&sub);
    }
}
/// New MROs for the class and everything below it; notes the classes with the MROs they got and had.
fn rebuild_mros(
    th: &mut Thread,
    t: &Ref<Type>,
    changed: &mut Vec<(Ref<Type>, Ref<Tuple>, Option<Ref<Tuple>>)>,
) -> PyResult<()> {
    let before = t.mro();
    if !mro::set_mro(th, t)? {
        return Ok(());
    }
    t.modified();
    if let Some(made) = t.mro() {
        changed.push((t.clone(), made, before));
    }
    for sub in subclasses::list(t) {
        rebuild_mros(th, &sub, changed)?;
    }
    Ok(())
}

/// `__qualname__` of a new class, which a member of `__slots__` may replace in the namespace.
pub fn init_qualname(th: &mut Thread, t: &Ref<Type>, name: &Ref<Str>, dict: &Ref<Dict>) -> PyResult<()> {
    match dict.remove_text("__qualname__") {
        Some(q) if q.downcast_ref::<Str>().is_some() => t.qualname.set(Some(q)),
        Some(q) => {
            let class = q.class().name();
            return Err(type_error(th, format!("type __qualname__ must be a str, not {class}")));
        }
        None => t.qualname.set(Some(name.to_value())),
    }
    Ok(())
}
/// `__module__` and `__doc__` of a new class.
pub fn init_names(th: &mut Thread, dict: &Ref<Dict>) -> PyResult<()> {
    if dict.get_text("__module__").is_none()
        && let Some(globals) = crate::frames::current_globals(th)
        && let Some(module) = globals.get_text("__name__")
    {
        dict.set_text("__module__", module);
    }
    match dict.get_text("__doc__") {
        None => dict.set_text("__doc__", Value::NONE),
        Some(doc) => {
            if let Some(text) = doc.to_ref::<Str>()
                && text.to_utf8().is_none()
            {
                return Err(crate::errors::surrogates_not_allowed(th, &text));
            }
        }
    }
    Ok(())
}
/// `type.__dir__`: the names in the namespaces of the MRO.
pub fn dir(th: &mut Thread, t: &Type) -> PyResult<Value> {
    let names = Dict::new();
    for class in t.mro().iter().flat_map(|m| m.iter()).rev() {
        if let Some(d) = class.downcast_ref::<Type>().and_then(Type::dict) {
            for key in d.keys() {
                names.set(th, key, Value::NONE)?;
            }
        }
    }
    let _ = intern;
    Ok(krait_object::List::new(names.keys()).into())
}
