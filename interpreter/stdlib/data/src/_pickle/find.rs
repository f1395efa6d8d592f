//! Names of classes and functions: which module has them, and the attribute at the end of a dotted path.
use krait_object::{Dict, PyResult, Ref, Str, Thread, Value, intern::intern};
use krait_runtime::errors::{attribute_error, runtime_error, suppress};
use krait_runtime::exceptions::ATTRIBUTE_ERROR;
use krait_runtime::import;
use krait_runtime::protocol::{attr, repr};

/// The parts of a dotted name; none where it is a name within a function.
pub fn path(name: &Str) -> Option<Vec<Ref<Str>>> {
    let points: Vec<u32> = name.iter().collect();
    let parts: Vec<Ref<Str>> = points.split(|&c| c == u32::from(b'.')).map(Str::from_points).collect();
    if parts.iter().any(|p| p.eq_str("<locals>")) { None } else { Some(parts) }
}
/// The attribute at the end of a path, and its owner.
pub fn attribute(th: &mut Thread, object: &Value, name: &Str) -> PyResult<(Value, Value)> {
    let Some(parts) = path(name) else {
        let name = name.slice(0, name.len()).to_value();
        let (name, object) = (repr::repr(th, &name)?, repr::repr(th, object)?);
        return Err(attribute_error(th, format!("Can't get local attribute {name} on {object}")));
    };
    let (mut parent, mut found) = (Value::NONE, object.clone());
    for part in parts {
        let next = attr::get_attr_opt(th, &found, &part)?;
        parent = found;
        match next {
            Some(v) => found = v,
            None => {
                let name = name.slice(0, name.len()).to_value();
                let (name, object) = (repr::repr(th, &name)?, repr::repr(th, object)?);
                return Err(attribute_error(th, format!("Can't get attribute {name} on {object}")));
            }
        }
    }
    Ok((found, parent))
}
/// The name of the module that has `v` under `name`.
pub fn module_of(th: &mut Thread, v: &Value, name: &Str) -> PyResult<Value> {
    if let Some(module) = attr::get_text_opt(th, v, "__module__")?
        && !module.is_none()
    {
        return Ok(module);
    }
    let Some(parts) = path(name) else {
        let shown = repr::repr(th, v)?;
        return Err(attribute_error(th, format!("Can't get local object {shown}")));
    };
    let modules = import::modules(th)?;
    let items = match modules.downcast_ref::<Dict>() {
        Some(d) => d.items(),
        None => return Err(runtime_error(th, "unable to get sys.modules")),
    };
    for (module_name, module) in items {
        let own = module_name.downcast_ref::<Str>();
        if module.is_none() || own.is_some_and(|n| n.eq_str("__main__") || n.eq_str("__mp_main__")) {
            continue;
        }
        let mut found = Some(module);
        for part in &parts {
            found = match found {
                Some(owner) => {
                    let got = attr::get_attr_opt(th, &owner, part);
                    suppress(th, got, &ATTRIBUTE_ERROR)?.flatten()
                }
                None => break,
            };
        }
        if found.is_some_and(|f| f.is(v)) {
            return Ok(module_name);
        }
    }
    Ok(intern("__main__").to_value())
}
/// `(module, name)` as Python 2 or 3 calls it, by the tables of `_compat_pickle`.
pub fn mapped(
    th: &mut Thread,
    (module, name): (&Value, &Value),
    names: &str,
    imports: &str,
) -> PyResult<(Value, Value)> {
    let key = krait_object::Tuple::of([module.clone(), name.clone()]);
    let table = super::imported(th, "_compat_pickle", names)?;
    if let Some(d) = table.downcast_ref::<Dict>()
        && let Some(pair) = d.get(th, key.as_value())?
    {
        return match pair.downcast_ref::<krait_object::Tuple>().map(|t| t.as_slice()) {
            Some([m, n]) if m.downcast_ref::<Str>().is_some() && n.downcast_ref::<Str>().is_some() => {
                Ok((m.clone(), n.clone()))
            }
            _ => {
                let class = crate::arguments::class_name(&pair);
                Err(runtime_error(th, format!("_compat_pickle.{names} values should be 2-tuples, not {class}")))
            }
        };
    }
    let table = super::imported(th, "_compat_pickle", imports)?;
    if let Some(d) = table.downcast_ref::<Dict>()
        && let Some(m) = d.get(th, module)?
    {
        if m.downcast_ref::<Str>().is_none() {
            let class = crate::arguments::class_name(&m);
            return Err(runtime_error(th, format!("_compat_pickle.{imports} values should be strings, not {class}")));
        }
        return Ok((m, name.clone()));
    }
    Ok((module.clone(), name.clone()))
}
