//! Slot functions of Python classes: they look the dunder method up on the type and call it (`slot_*` in
//! `typeobject.c`).
use krait_object::buffer::Buffer;
use krait_object::intern::intern;
use krait_object::slots::Slots;
use krait_object::{Args, CmpOp, PyResult, Ref, Str, Thread, Type, Value, hash as hashing};

use crate::errors::{catch, type_error, value_error};
use crate::exceptions::ATTRIBUTE_ERROR;
use crate::protocol::attr::{Special, lookup_unbound};
use crate::protocol::call::{call_args, call_args_with_self, call_slice_with_self};
use crate::protocol::{call as calling, compare as comparing, number, repr as text, sequence};

/// Calls a method found on the type; `None` where there is none.
fn try_method(th: &mut Thread, o: &Value, name: &str, args: &[Value]) -> PyResult<Option<Value>> {
    match lookup_unbound(th, o, &intern(name))? {
        Some(Special::Unbound(f)) => call_slice_with_self(th, &f, o, args).map(Some),
        Some(Special::Bound(f)) => calling::call(th, &f, args).map(Some),
        None => Ok(None),
    }
}
fn method(th: &mut Thread, o: &Value, name: &str, args: &[Value]) -> PyResult<Value> {
    match try_method(th, o, name, args)? {
        Some(v) => Ok(v),
        None => Err(crate::errors::attribute_error(th, name)),
    }
}
pub fn method_0(th: &mut Thread, o: &Value, name: &str) -> PyResult<Value> {
    if is_none_method(o, name) {
        return Err(refused(th, o, name));
    }
    method(th, o, name, &[])
}
pub fn method_1(th: &mut Thread, o: &Value, name: &str, x: &Value) -> PyResult<Value> {
    method(th, o, name, &[x.clone()])
}
fn is_none_method(o: &Value, name: &str) -> bool {
    o.class().lookup(&intern(name)).is_some_and(|f| f.is_none())
}
fn refused(th: &mut Thread, o: &Value, name: &str) -> krait_object::Raised {
    let class = o.class().name();
    let message = match name {
        "__aiter__" => {
            format!("'async for' requires an object with __aiter__ method, got {class}")
        }
        _ => "'NoneType' object is not callable".to_owned(),
    };
    type_error(th, message)
}

/// `a op b` where one side's type is a Python class. `generic` is the address of the slot function that called; a side
/// whose slot is another function is not asked through methods.
pub fn binary(
    th: &mut Thread,
    a: &Value,
    b: &Value,
    (left, right): (&'static str, &'static str),
    generic: usize,
    slot_of: fn(&Slots) -> Option<usize>,
) -> PyResult<Value> {
    let (ca, cb) = (a.class_ref(), b.class_ref());
    let mut try_right = !ca.ptr_eq(&cb) && slot_of(&cb.slots) == Some(generic);
    if slot_of(&ca.slots) == Some(generic) {
        if try_right && cb.object().is_subtype(ca.object()) && overrides(&ca, &cb, right) {
            if let Some(r) = try_method(th, b, right, &[a.clone()])?
                && !r.is_not_implemented()
            {
                return Ok(r);
            }
            try_right = false;
        }
        if let Some(r) = try_method(th, a, left, &[b.clone()])?
            && (!r.is_not_implemented() || ca.ptr_eq(&cb))
        {
            return Ok(r);
        }
    }
    if try_right {
        return Ok(try_method(th, b, right, &[a.clone()])?.unwrap_or(Value::NOT_IMPLEMENTED));
    }
    Ok(Value::NOT_IMPLEMENTED)
}
/// Whether `sub` provides another `name` than `base` does.
fn overrides(base: &Ref<Type>, sub: &Ref<Type>, name: &str) -> bool {
    let name = intern(name);
    match (base.lookup(&name), sub.lookup(&name)) {
        (Some(x), Some(y)) => !x.is(&y),
        (None, Some(_)) => true,
        _ => false,
    }
}
pub fn power(th: &mut Thread, a: &Value, b: &Value, modulus: &Value) -> PyResult<Value> {
    if modulus.is_none() {
        return binary(th, a, b, ("__pow__", "__rpow__"), power as *const () as usize, |s| {
            s.power.get().map(|f| f as usize)
        });
    }
    if a.class().slots.power.get().is_some_and(|f| f as usize == power as *const () as usize) {
        return Ok(try_method(th, a, "__pow__", &[b.clone(), modulus.clone()])?.unwrap_or(Value::NOT_IMPLEMENTED));
    }
    Ok(Value::NOT_IMPLEMENTED)
}

pub fn getattr(th: &mut Thread, o: &Value, name: &Ref<Str>) -> PyResult<Option<Value>> {
    let class = o.class_ref();
    let own = class.lookup(&intern("__getattribute__"));
    let fallback = class.lookup(&intern("__getattr__"));
    let found = match &own {
        Some(f) if !crate::types::object::is_generic_getattribute(f) => {
            match method(th, o, "__getattribute__", &[name.to_value()]) {
                Ok(v) => return Ok(Some(v)),
                Err(raised) => Err(raised),
            }
        }
        _ => crate::types::object::generic_getattr(th, o, name),
    };
    match (found, fallback) {
        (Ok(Some(v)), _) => Ok(Some(v)),
        (Ok(None), None) => Ok(None),
        (Err(raised), None) => Err(raised),
        (Ok(None), Some(_)) => method(th, o, "__getattr__", &[name.to_value()]).map(Some),
        (Err(raised), Some(_)) => {
            catch(th, raised, &ATTRIBUTE_ERROR)?;
            method(th, o, "__getattr__", &[name.to_value()]).map(Some)
        }
    }
}
pub fn setattr(th: &mut Thread, o: &Value, name: &Ref<Str>, value: Option<&Value>) -> PyResult<()> {
    match value {
        Some(v) => method(th, o, "__setattr__", &[name.to_value(), v.clone()])?,
        None => method(th, o, "__delattr__", &[name.to_value()])?,
    };
    Ok(())
}
pub fn repr(th: &mut Thread, o: &Value) -> PyResult<Value> {
    match try_method(th, o, "__repr__", &[])? {
        Some(v) => Ok(v),
        None => Ok(Value::from(format!("<{} object at {:#x}>", o.class().name(), o.bits()))),
    }
}
pub fn str(th: &mut Thread, o: &Value) -> PyResult<Value> {
    match try_method(th, o, "__str__", &[])? {
        Some(v) => Ok(v),
        None => text::repr(th, o).map(Value::from),
    }
}
pub fn hash(th: &mut Thread, o: &Value) -> PyResult<i64> {
    let found = o.class().lookup(&intern("__hash__")).filter(|f| !f.is_none());
    if found.is_none() {
        return Err((th.hooks().unhashable)(th, o));
    }
    let h = method(th, o, "__hash__", &[])?;
    match h.as_int_ref() {
        Some(i) => Ok(match i.to_i64() {
            Some(i) => hashing::fix(i),
            None => hashing::bigint(&i.to_bigint()),
        }),
        None => Err(type_error(th, "__hash__ method should return an integer")),
    }
}
pub fn call(th: &mut Thread, o: &Value, args: &Args<'_>) -> PyResult<Value> {
    match lookup_unbound(th, o, &intern("__call__"))? {
        Some(Special::Unbound(f)) => call_args_with_self(th, &f, o, args),
        Some(Special::Bound(f)) => call_args(th, &f, args),
        None => {
            let class = o.class().name();
            Err(type_error(th, format!("'{class}' object is not callable")))
        }
    }
}
pub fn compare(th: &mut Thread, a: &Value, b: &Value, op: CmpOp) -> PyResult<Value> {
    let name = ["__lt__", "__le__", "__eq__", "__ne__", "__gt__", "__ge__"][op as usize];
    match lookup_unbound(th, a, &intern(name)) {
        Ok(Some(Special::Unbound(f))) => call_slice_with_self(th, &f, a, &[b.clone()]),
        Ok(Some(Special::Bound(f))) => calling::call(th, &f, &[b.clone()]),
        Ok(None) => Ok(Value::NOT_IMPLEMENTED),
        // As CPython: a descriptor that raises counts as absent.
        Err(raised) => {
            drop(crate::errors::take(th, raised));
            Ok(Value::NOT_IMPLEMENTED)
        }
    }
}
pub fn iter(th: &mut Thread, o: &Value) -> PyResult<Value> {
    let class = o.class_ref();
    match class.lookup(&intern("__iter__")) {
        Some(f) if f.is_none() => Err(type_error(th, format!("'{}' object is not iterable", class.name()))),
        Some(_) => method(th, o, "__iter__", &[]),
        None if class.lookup(&intern("__getitem__")).is_some() => Ok(crate::types::seq_iter::new(o.clone())),
        None => Err(type_error(th, format!("'{}' object is not iterable", class.name()))),
    }
}
pub fn next(th: &mut Thread, o: &Value) -> PyResult<Option<Value>> {
    match method(th, o, "__next__", &[]) {
        Ok(v) => Ok(Some(v)),
        Err(raised) => {
            let stop = catch(th, raised, &crate::exceptions::STOP_ITERATION)?;
            // A value is for `yield from`, and the exception itself for who reports events.
            let watched = th.breaker() & krait_object::thread::breaker::TRACE != 0;
            if !watched && crate::types::generator::throw::stop_value(&stop).is_none() {
                return Ok(None);
            }
            Err(krait_object::Raised::set(th, stop))
        }
    }
}
pub fn descr_get(th: &mut Thread, d: &Value, o: Option<&Value>, class: Option<&Value>) -> PyResult<Value> {
    let none = Value::NONE;
    // Unlike other special methods it is not bound: the descriptor is an argument.
    let Some(get) = d.class_ref().lookup(&intern("__get__")) else { return Ok(d.clone()) };
    calling::call(th, &get, &[d.clone(), o.unwrap_or(&none).clone(), class.unwrap_or(&none).clone()])
}
pub fn descr_set(th: &mut Thread, d: &Value, o: &Value, value: Option<&Value>) -> PyResult<()> {
    match value {
        Some(v) => method(th, d, "__set__", &[o.clone(), v.clone()])?,
        None => method(th, d, "__delete__", &[o.clone()])?,
    };
    Ok(())
}
pub fn init(th: &mut Thread, o: &Value, args: &Args<'_>) -> PyResult<()> {
    let result = match lookup_unbound(th, o, &intern("__init__"))? {
        Some(Special::Unbound(f)) => call_args_with_self(th, &f, o, args)?,
        Some(Special::Bound(f)) => call_args(th, &f, args)?,
        None => return Ok(()),
    };
    if !result.is_none() {
        let class = result.class().name();
        return Err(type_error(th, format!("__init__() should return None, not '{class}'")));
    }
    Ok(())
}
pub fn new(th: &mut Thread, class: &Ref<Type>, args: &Args<'_>) -> PyResult<Value> {
    let f = crate::protocol::attr::get_text(th, class.as_value(), "__new__")?;
    call_args_with_self(th, &f, class.as_value(), args)
}
/// `__del__`; its errors are unraisable.
pub fn finalize(th: &mut Thread, o: &Value) {
    let found = match lookup_unbound(th, o, &intern("__del__")) {
        Ok(Some(found)) => found,
        Ok(None) => return,
        Err(_) => return crate::errors::write_unraisable(th, Some(o)),
    };
    let (f, result) = match found {
        Special::Unbound(f) => {
            let r = call_slice_with_self(th, &f, o, &[]);
            (f, r)
        }
        Special::Bound(f) => {
            let r = calling::call(th, &f, &[]);
            (f, r)
        }
    };
    if result.is_err() {
        crate::errors::write_unraisable(th, Some(&f));
    }
}
pub fn bool(th: &mut Thread, o: &Value) -> PyResult<bool> {
    match try_method(th, o, "__bool__", &[])? {
        Some(r) => match r.as_bool() {
            Some(b) => Ok(b),
            None => {
                let class = r.class().name();
                Err(type_error(th, format!("__bool__ should return bool, returned {class}")))
            }
        },
        None => match try_method(th, o, "__len__", &[])? {
            Some(n) => len_result(th, &n).map(|n| n != 0),
            None => Ok(true),
        },
    }
}
pub fn len(th: &mut Thread, o: &Value) -> PyResult<usize> {
    let n = method(th, o, "__len__", &[])?;
    len_result(th, &n)
}
fn len_result(th: &mut Thread, n: &Value) -> PyResult<usize> {
    let i = number::index(th, n)?;
    if i.as_int_ref().is_some_and(|i| i.is_negative()) {
        return Err(value_error(th, "__len__() should return >= 0"));
    }
    number::index_isize(th, &i).map(|n| n as usize)
}
pub fn set_subscript(th: &mut Thread, o: &Value, key: &Value, value: Option<&Value>) -> PyResult<()> {
    match value {
        Some(v) => method(th, o, "__setitem__", &[key.clone(), v.clone()])?,
        None => method(th, o, "__delitem__", &[key.clone()])?,
    };
    Ok(())
}
pub fn contains(th: &mut Thread, o: &Value, item: &Value) -> PyResult<bool> {
    if is_none_method(o, "__contains__") {
        let class = o.class().name();
        return Err(type_error(th, format!("'{class}' object is not a container")));
    }
    match try_method(th, o, "__contains__", &[item.clone()])? {
        Some(r) => comparing::truth(th, &r),
        None => sequence::contains_by_iteration(th, o, item),
    }
}
pub fn buffer(th: &mut Thread, o: &Value, flags: u32) -> PyResult<Buffer> {
    let view = method(th, o, "__buffer__", &[Value::from(flags)])?;
    crate::types::memoryview::to_buffer(th, o, &view, flags)
}
pub fn release_buffer(th: &mut Thread, o: &Value, view: &Value) -> PyResult<()> {
    method(th, o, "__release_buffer__", &[view.clone()]).map(drop)
}
