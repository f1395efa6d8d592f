//! Attribute access, and methods looked up on the type (`PyObject_GetAttr`, `_PyObject_LookupSpecial`).
use krait_object::intern::intern;
use krait_object::{PyResult, Raised, Ref, Str, Thread, Type, Value, instance};

use crate::errors::{catch, type_error};
use crate::exceptions::ATTRIBUTE_ERROR;
use crate::protocol::call::{call, call_slice_with_self};

/// `o.name`.
#[inline]
pub fn get_attr(th: &mut Thread, o: &Value, name: &Ref<Str>) -> PyResult<Value> {
    let slot = o.class().slots.getattr.get();
    match slot {
        Some(f) => match f(th, o, name) {
            Ok(Some(v)) => Ok(v),
            Ok(None) => Err(missing(th, o, name)),
            Err(raised) => {
                note_attribute(th, o, name);
                Err(raised)
            }
        },
        None => Err(missing(th, o, name)),
    }
}
/// An AttributeError in flight that says neither `name` nor `obj` gets them: `__getattr__` need not set them.
#[cold]
fn note_attribute(th: &mut Thread, o: &Value, name: &Ref<Str>) {
    if let Some(e) = th.exc.as_ref().and_then(|e| e.downcast_ref::<crate::exceptions::AttributeError>())
        && e.name.get().is_none()
        && e.obj.get().is_none()
    {
        e.name.set(Some(name.to_value()));
        e.obj.set(Some(o.clone()));
    }
}

/// The AttributeError for a name that lookup did not find.
#[cold]
pub fn missing(th: &mut Thread, o: &Value, name: &Ref<Str>) -> Raised {
    let class = o.class_ref();
    let message = if let Some(t) = o.downcast_ref::<Type>() {
        format!("type object '{}' has no attribute '{name}'", t.name())
    } else if let Some(m) = o.downcast_ref::<crate::types::module::Module>() {
        return crate::types::module::missing_attribute(th, o, m, name);
    } else {
        format!("'{}' object has no attribute '{name}'", class.name())
    };
    crate::errors::missing_attribute(th, o, name, message)
}

/// `o.name`, or `None` where it raises AttributeError.
pub fn get_attr_opt(th: &mut Thread, o: &Value, name: &Ref<Str>) -> PyResult<Option<Value>> {
    let slot = o.class().slots.getattr.get();
    let Some(f) = slot else { return Ok(None) };
    match f(th, o, name) {
        Ok(found) => Ok(found),
        Err(raised) => {
            catch(th, raised, &ATTRIBUTE_ERROR)?;
            Ok(None)
        }
    }
}
pub fn get_text(th: &mut Thread, o: &Value, name: &str) -> PyResult<Value> {
    get_attr(th, o, &intern(name))
}
pub fn get_text_opt(th: &mut Thread, o: &Value, name: &str) -> PyResult<Option<Value>> {
    get_attr_opt(th, o, &intern(name))
}
/// `o.name = value`; `None` deletes.
pub fn set_attr(th: &mut Thread, o: &Value, name: &Ref<Str>, value: Option<&Value>) -> PyResult<()> {
    let slot = o.class().slots.setattr.get();
    match slot {
        Some(f) => f(th, o, name, value),
        None => {
            let what = if o.class().slots.getattr.is_set() { "only read-only" } else { "no" };
            let verb = if value.is_some() { "assign to" } else { "del" };
            let class = o.class().name();
            Err(type_error(th, format!("'{class}' object has {what} attributes ({verb} .{name})")))
        }
    }
}
pub fn set_text(th: &mut Thread, o: &Value, name: &str, value: &Value) -> PyResult<()> {
    set_attr(th, o, &intern(name), Some(value))
}

/// What a lookup on the type found, ready to be called with or without the instance.
pub enum Special {
    /// A plain function: call it with the instance first.
    Unbound(Value),
    /// Already bound by its descriptor.
    Bound(Value),
}
/// A special method looked up on the type only, without binding plain functions.
pub fn lookup_unbound(th: &mut Thread, o: &Value, name: &Ref<Str>) -> PyResult<Option<Special>> {
    let Some(found) = o.class().lookup(name) else { return Ok(None) };
    if found.class().has_flag(krait_object::type_flag::METHOD_DESCRIPTOR) {
        return Ok(Some(Special::Unbound(found)));
    }
    let get = found.class().slots.descr_get.get();
    match get {
        Some(get) => {
            let class = o.class_ref().to_value();
            Ok(Some(Special::Bound(get(th, &found, Some(o), Some(&class))?)))
        }
        None => Ok(Some(Special::Bound(found))),
    }
}
/// A special method looked up on the type only, bound to the instance.
pub fn lookup_special(th: &mut Thread, o: &Value, name: &str) -> PyResult<Option<Value>> {
    let Some(found) = o.class().lookup(&intern(name)) else { return Ok(None) };
    let get = found.class().slots.descr_get.get();
    match get {
        Some(get) => {
            let class = o.class_ref().to_value();
            get(th, &found, Some(o), Some(&class)).map(Some)
        }
        None => Ok(Some(found)),
    }
}
/// Calls a special method if the type has it.
pub fn call_special_opt(th: &mut Thread, o: &Value, name: &str, args: &[Value]) -> PyResult<Option<Value>> {
    match lookup_unbound(th, o, &intern(name))? {
        Some(Special::Unbound(f)) => call_slice_with_self(th, &f, o, args).map(Some),
        Some(Special::Bound(f)) => call(th, &f, args).map(Some),
        None => Ok(None),
    }
}
/// `o.name(*args)`.
pub fn call_method(th: &mut Thread, o: &Value, name: &str, args: &[Value]) -> PyResult<Value> {
    call_method_ref(th, o, &intern(name), args)
}
/// `o.name(*args)`, without a bound method in between where the lookup is the generic one.
pub fn call_method_ref(th: &mut Thread, o: &Value, name: &Ref<Str>, args: &[Value]) -> PyResult<Value> {
    if crate::types::object::has_generic_getattr(o.class())
        && let Some(found) = o.class().lookup(name)
        && found.class().has_flag(krait_object::type_flag::METHOD_DESCRIPTOR)
        && !has_instance_attribute(th, o, name)?
    {
        return call_slice_with_self(th, &found, o, args);
    }
    let f = get_attr(th, o, name)?;
    call(th, &f, args)
}
/// Whether the instance's own dict holds `name`.
fn has_instance_attribute(_th: &mut Thread, o: &Value, name: &Ref<Str>) -> PyResult<bool> {
    if instance::get_attr(o, name).is_some() {
        return Ok(true);
    }
    Ok(crate::types::object::payload_dict(o).is_some_and(|d| d.get_str(name).is_some()))
}
/// The name argument of `getattr` and friends.
pub fn name_argument(th: &mut Thread, name: &Value) -> PyResult<Ref<Str>> {
    match name.to_ref::<Str>() {
        Some(s) => Ok(if s.is_interned() { s } else { krait_object::intern::find(&s).unwrap_or(s) }),
        None => {
            let class = name.class().name();
            Err(type_error(th, format!("attribute name must be string, not '{class}'")))
        }
    }
}
