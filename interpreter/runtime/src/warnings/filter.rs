//! The filters: which action a warning gets.
use krait_object::{Dict, List, PyResult, Ref, Str, Thread, Tuple, TypeObject, Value};

use super::{list_of, module_attr, state};
use crate::errors::{type_error, value_error};
use crate::exceptions as exc;
use crate::functions::classes;
use crate::protocol::{attr, compare, number};

/// The default filters of a release build.
pub(super) fn initial() -> Ref<List> {
    let row = |action: &str, category: &'static TypeObject, module: Option<&str>| {
        let items = [Value::str(action), Value::NONE, category.to_value(), module.into(), Value::int(0)];
        Value::from(Tuple::new(items))
    };
    list_of(vec![
        row("default", &exc::DEPRECATION_WARNING, Some("__main__")),
        row("ignore", &exc::DEPRECATION_WARNING, None),
        row("ignore", &exc::PENDING_DEPRECATION_WARNING, None),
        row("ignore", &exc::IMPORT_WARNING, None),
        row("ignore", &exc::RESOURCE_WARNING, None),
    ])
}

/// None matches everything, text itself, anything else is a pattern object.
fn fits(th: &mut Thread, pattern: &Value, v: &Value) -> PyResult<bool> {
    if pattern.is_none() {
        return Ok(true);
    }
    if let Some(text) = pattern.downcast_exact::<Str>() {
        return Ok(v.downcast_ref::<Str>().is_some_and(|s| s.equals(text)));
    }
    let found = attr::call_method(th, pattern, "match", std::slice::from_ref(v))?;
    compare::truth(th, &found)
}

/// The action and the filter that says so (None for the default action).
pub(super) fn find(
    th: &mut Thread,
    category: &Value,
    text: &Value,
    lineno: i64,
    module: &Value,
) -> PyResult<(Value, Value)> {
    let state = state(th);
    if let Some(filters) = module_attr(th, "filters", false)? {
        state.filters.set(Some(filters));
    }
    let Some(filters) = state.filters().to_ref::<List>() else {
        return Err(value_error(th, "_warnings.filters must be a list"));
    };
    let mut i = 0;
    // The list may change while its patterns run.
    while let Some(item) = filters.get(i) {
        let Some(row) = item.to_ref::<Tuple>().filter(|t| t.len() == 5) else {
            return Err(value_error(th, format!("_warnings.filters item {i} isn't a 5-tuple")));
        };
        if row[0].downcast_ref::<Str>().is_none() {
            let class = row[0].class().name();
            return Err(type_error(th, format!("action must be a string, not '{class}'")));
        }
        let good_text = fits(th, &row[1], text)?;
        let good_module = fits(th, &row[3], module)?;
        let good_class = classes::is_subclass(th, category, &row[2])?;
        let line = number::to_i64(th, &row[4])?;
        if good_text && good_class && good_module && (line == 0 || line == lineno) {
            return Ok((row[0].clone(), item));
        }
        i += 1;
    }
    if let Some(action) = module_attr(th, "defaultaction", false)? {
        if action.downcast_ref::<Str>().is_none() {
            let class = action.class().name();
            return Err(type_error(th, format!("_warnings.defaultaction must be a string, not '{class}'")));
        }
        state.default_action.set(Some(action));
    }
    Ok((state.default_action(), Value::NONE))
}

/// The registry of `once` warnings that have no other.
pub(super) fn once_registry(th: &mut Thread) -> PyResult<Ref<Dict>> {
    let state = state(th);
    if let Some(registry) = module_attr(th, "onceregistry", false)? {
        if registry.downcast_ref::<Dict>().is_none() {
            let class = registry.class().name();
            return Err(type_error(th, format!("_warnings.onceregistry must be a dict, not '{class}'")));
        }
        state.once_registry.set(Some(registry));
    }
    Ok(state.once_registry().to_ref().unwrap_or_else(Dict::new))
}
