//! `object.__reduce_ex__`, `__getstate__`: what pickle and copy ask of objects without methods of their own.
use krait_object::builtin_types::OBJECT;
use krait_object::intern::intern;
use krait_object::{Dict, List, PyResult, Ref, Str, Thread, Tuple, Type, Value};

use crate::errors::type_error;
use crate::protocol::{attr, call, iter, sequence};

/// `object.__reduce_ex__(protocol)`: a `__reduce__` of the class's own comes first.
pub fn object_reduce_ex(th: &mut Thread, o: &Value, protocol: i32) -> PyResult<Value> {
    let class = o.class_ref();
    let own = class.lookup(&intern("__reduce__"));
    let generic = OBJECT.lookup(&intern("__reduce__"));
    if let (Some(own), Some(generic)) = (own, generic)
        && !own.is(&generic)
    {
        return attr::call_method(th, o, "__reduce__", &[]);
    }
    reduce_ex(th, o, protocol)
}
pub fn reduce_ex(th: &mut Thread, o: &Value, protocol: i32) -> PyResult<Value> {
    if protocol >= 2 {
        return reduce_new(th, o);
    }
    let copyreg = crate::import::import_module(th, "copyreg")?;
    attr::call_method(th, &copyreg, "_reduce_ex", &[o.clone(), Value::from(protocol)])
}
fn copyreg_attr(th: &mut Thread, name: &str) -> PyResult<Value> {
    let copyreg = crate::import::import_module(th, "copyreg")?;
    attr::get_text(th, &copyreg, name)
}
/// Protocol 2 and up: `copyreg.__newobj__`.
fn reduce_new(th: &mut Thread, o: &Value) -> PyResult<Value> {
    let class = o.class_ref();
    if !class.slots.new.is_set() {
        let name = crate::types::type_::full_name(&class);
        return Err(type_error(th, format!("cannot pickle '{name}' object")));
    }
    let (args, kwargs) = new_arguments(th, o)?;
    let has_args = args.is_some();
    let (function, arguments) = match (&args, &kwargs) {
        (_, None) => {
            let mut all = vec![class.to_value()];
            all.extend(args.iter().flat_map(|a| a.iter().cloned()));
            (copyreg_attr(th, "__newobj__")?, Tuple::from_vec(all))
        }
        (Some(args), Some(kwargs)) => {
            let all = vec![class.to_value(), args.to_value(), kwargs.clone()];
            (copyreg_attr(th, "__newobj_ex__")?, Tuple::from_vec(all))
        }
        (None, Some(_)) => return Err(type_error(th, "__getnewargs_ex__ returned no arguments")),
    };
    let listlike = o.downcast_ref::<List>().is_some();
    let dictlike = o.downcast_ref::<Dict>().is_some();
    let state = getstate(th, o, !has_args && !listlike && !dictlike)?;
    let items = if listlike { iter::iter(th, o)? } else { Value::NONE };
    let pairs = if dictlike {
        let items = attr::call_method(th, o, "items", &[])?;
        iter::iter(th, &items)?
    } else {
        Value::NONE
    };
    Ok(Tuple::from_vec(vec![function, arguments.into(), state, items, pairs]).into())
}
fn new_arguments(th: &mut Thread, o: &Value) -> PyResult<(Option<Ref<Tuple>>, Option<Value>)> {
    if let Some(f) = attr::lookup_special(th, o, "__getnewargs_ex__")? {
        let r = call::call(th, &f, &[])?;
        let Some(t) = r.downcast_ref::<Tuple>() else {
            let class = r.class().name();
            return Err(type_error(th, format!("__getnewargs_ex__ should return a tuple, not '{class}'")));
        };
        if t.len() != 2 {
            let n = t.len();
            let message = format!("__getnewargs_ex__ should return a tuple of length 2, not {n}");
            return Err(crate::errors::value_error(th, message));
        }
        let Some(args) = t[0].to_ref::<Tuple>() else {
            let class = t[0].class().name();
            let message =
                format!("first item of the tuple returned by __getnewargs_ex__ must be a tuple, not '{class}'");
            return Err(type_error(th, message));
        };
        let Some(kwargs) = t[1].downcast_ref::<Dict>() else {
            let class = t[1].class().name();
            let message =
                format!("second item of the tuple returned by __getnewargs_ex__ must be a dict, not '{class}'");
            return Err(type_error(th, message));
        };
        let kwargs = if kwargs.is_empty() { None } else { Some(t[1].clone()) };
        return Ok((Some(args), kwargs));
    }
    if let Some(f) = attr::lookup_special(th, o, "__getnewargs__")? {
        let r = call::call(th, &f, &[])?;
        let Some(args) = r.to_ref::<Tuple>() else {
            let class = r.class().name();
            return Err(type_error(th, format!("__getnewargs__ should return a tuple, not '{class}'")));
        };
        return Ok((Some(args), None));
    }
    Ok((None, None))
}
/// `o.__getstate__()`, the default one in place.
pub fn getstate(th: &mut Thread, o: &Value, required: bool) -> PyResult<Value> {
    let own = o.class().lookup(&intern("__getstate__"));
    let generic = OBJECT.lookup(&intern("__getstate__"));
    if let (Some(own), Some(generic)) = (&own, &generic)
        && !own.is(generic)
    {
        return attr::call_method(th, o, "__getstate__", &[]);
    }
    default_getstate(th, o, required)
}
/// The dict, and the values of `__slots__` members.
pub fn default_getstate(th: &mut Thread, o: &Value, required: bool) -> PyResult<Value> {
    let class = o.class_ref();
    // What a payload holds beyond its `__dict__` is state that only the class itself could tell.
    let plain = if class.dict_cell.is_set() { 24 } else { 16 };
    if required && class.is_static() && class.vtable().size > plain {
        let name = crate::types::type_::full_name(&class);
        return Err(type_error(th, format!("cannot pickle '{name}' object")));
    }
    let solid_payload = class.solid().is_some_and(|s| s.vtable().size > 16 && !s.dict_cell.is_set());
    if required && solid_payload {
        let name = crate::types::type_::full_name(&class);
        return Err(type_error(th, format!("cannot pickle '{name}' object")));
    }
    let mut state = match super::object::instance_dict(o) {
        Some(d) => Value::from(d.copy()),
        None => Value::NONE,
    };
    if state.downcast_ref::<Dict>().is_some_and(Dict::is_empty) {
        state = Value::NONE;
    }
    let slots = slot_state(th, o, &class)?;
    if !slots.is_empty() {
        return Ok(Tuple::from_vec(vec![state, slots.into()]).into());
    }
    Ok(state)
}
fn slot_state(th: &mut Thread, o: &Value, class: &Ref<Type>) -> PyResult<Ref<Dict>> {
    let out = Dict::new();
    let known = class.dict().and_then(|d| d.get_text("__slotnames__"));
    let names = match known {
        Some(names) => names,
        None if class.fixed_slots() == 0 => return Ok(out),
        None => {
            let copyreg = crate::import::import_module(th, "copyreg")?;
            attr::call_method(th, &copyreg, "_slotnames", &[class.to_value()])?
        }
    };
    if names.is_none() {
        return Ok(out);
    }
    for name in sequence::to_items(th, &names, "copyreg._slotnames didn't return a list or None")? {
        let Some(name) = name.to_ref::<Str>() else { continue };
        if let Some(v) = attr::get_attr_opt(th, o, &name)? {
            out.set_str(&name, v);
        }
    }
    Ok(out)
}
