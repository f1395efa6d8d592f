//! Issuing warnings: filters, registries, display. The native module `_warnings` stands on the state that is kept here.
//!
//! Which action a warning gets is in `warnings/filter.rs`, how it is shown in `warnings/show.rs`. CPython counterpart:
//! `Python/_warnings.c`.
mod filter;
mod show;

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering::*};

use krait_object::{Dict, List, PyResult, Ref, Str, Thread, Tuple, TypeObject, Value, ValueCell};

use crate::errors::{catch, raise_value, runtime_error, type_error};
use crate::exceptions as exc;
use crate::functions::classes;
use crate::protocol::{attr, call, repr, sequence};
use crate::types::frame::{self, Frame};

/// What an interpreter keeps about warnings.
#[derive(Default)]
pub struct State {
    filters: ValueCell,
    once_registry: ValueCell,
    default_action: ValueCell,
    /// Registries of another version are void.
    version: AtomicI64,
}

/// The running interpreter's state.
pub fn state(th: &mut Thread) -> Arc<State> {
    th.interp.extension::<State>()
}

impl State {
    /// The list of filters, at first the default ones.
    pub fn filters(&self) -> Value {
        match self.filters.get() {
            Some(v) => v,
            None => self.filters.get_or_set(filter::initial().into()),
        }
    }
    pub fn once_registry(&self) -> Value {
        match self.once_registry.get() {
            Some(v) => v,
            None => self.once_registry.get_or_set(Dict::new().into()),
        }
    }
    pub fn default_action(&self) -> Value {
        match self.default_action.get() {
            Some(v) => v,
            None => self.default_action.get_or_set(Value::str("default")),
        }
    }
    /// The filters were changed: what was shown once may be shown again.
    pub fn filters_mutated(&self) {
        self.version.fetch_add(1, Relaxed);
    }
}

/// A warning at a known place.
pub struct Warning<'a> {
    pub category: &'a Value,
    /// Text, or an instance of a warning class.
    pub message: &'a Value,
    pub filename: &'a Value,
    pub lineno: i64,
    /// The file's name makes one where there is none.
    pub module: Option<&'a Value>,
    pub registry: Option<&'a Value>,
    pub source_line: Option<&'a Value>,
    /// The object that is being destroyed (ResourceWarning).
    pub source: Option<&'a Value>,
}

/// Issues a warning, `stacklevel` frames up. An error means that a filter turned it into an exception.
pub fn warn(th: &mut Thread, category: &'static TypeObject, message: &str, stacklevel: i64) -> PyResult<()> {
    warn_value(th, &category.to_value(), &Value::str(message), stacklevel, None, &[])
}
/// A DeprecationWarning of the caller.
pub fn deprecated(th: &mut Thread, message: &str) -> PyResult<()> {
    warn(th, &exc::DEPRECATION_WARNING, message, 1)
}
/// A ResourceWarning about `source`.
pub fn resource(th: &mut Thread, source: &Value, message: &str) -> PyResult<()> {
    warn_value(th, &exc::RESOURCE_WARNING.to_value(), &Value::str(message), 1, Some(source), &[])
}

/// The class of a warning: that of the message if it is an instance.
pub fn category_of(th: &mut Thread, message: &Value, category: Option<&Value>) -> PyResult<Value> {
    let warning = exc::WARNING.to_value();
    let category = if classes::is_instance(th, message, &warning)? {
        message.class_ref().to_value()
    } else {
        category.cloned().unwrap_or_else(|| exc::USER_WARNING.to_value())
    };
    let fits = match classes::is_subclass(th, &category, &warning) {
        Ok(fits) => fits,
        Err(raised) => {
            drop(crate::errors::take(th, raised));
            false
        }
    };
    if fits {
        return Ok(category);
    }
    let class = category.class().name();
    Err(type_error(th, format!("category must be a Warning subclass, not '{class}'")))
}

/// `warnings.warn` with a checked category.
pub fn warn_value(
    th: &mut Thread,
    category: &Value,
    message: &Value,
    stacklevel: i64,
    source: Option<&Value>,
    skip_prefixes: &[Value],
) -> PyResult<()> {
    let place = place_of(th, stacklevel, skip_prefixes)?;
    let w = Warning {
        category,
        message,
        filename: &place.filename,
        lineno: place.lineno,
        module: Some(&place.module),
        registry: Some(&place.registry),
        source_line: None,
        source,
    };
    warn_explicit(th, &w)
}

struct Place {
    filename: Value,
    lineno: i64,
    module: Value,
    registry: Value,
}

/// Frames of the import machinery are not shown to users.
fn is_internal(f: &Frame) -> bool {
    let file = f.code.filename();
    let name = file.to_string_lossy();
    name.contains("importlib") && name.contains("_bootstrap")
}
fn is_skipped(th: &mut Thread, f: &Frame, prefixes: &[Value]) -> PyResult<bool> {
    for prefix in prefixes {
        let Some(prefix) = prefix.downcast_ref::<Str>() else {
            let class = prefix.class().name();
            return Err(type_error(th, format!("Found non-str '{class}' in skip_file_prefixes.")));
        };
        if f.code.filename().to_wtf8().starts_with(&prefix.to_wtf8()) {
            return Ok(true);
        }
    }
    Ok(false)
}
fn next_external(th: &mut Thread, f: Ref<Frame>, prefixes: &[Value]) -> PyResult<Option<Ref<Frame>>> {
    let mut at = f;
    while let Some(back) = Frame::caller(th, &at) {
        if !is_internal(&back) && !is_skipped(th, &back, prefixes)? {
            return Ok(Some(back));
        }
        at = back;
    }
    Ok(None)
}
/// The frame that a warning is about, its registry and module.
fn place_of(th: &mut Thread, stacklevel: i64, prefixes: &[Value]) -> PyResult<Place> {
    let mut f = frame::current(th, 0);
    let plain = stacklevel <= 0 || f.as_deref().is_some_and(is_internal);
    let mut level = stacklevel;
    while level > 1 {
        level -= 1;
        let Some(at) = f else { break };
        f = if plain { Frame::caller(th, &at) } else { next_external(th, at, prefixes)? };
    }
    let (globals, filename, lineno) = match &f {
        Some(f) => {
            let lineno = i64::from(f.lineno(th));
            (Some(f.function.globals.clone()), f.code.filename().to_value(), lineno)
        }
        None => (th.interp.sys.get().and_then(|s| s.to_ref::<Dict>()), Value::str("<sys>"), 0),
    };
    let globals = globals.unwrap_or_else(Dict::new);
    let registry = globals.get_text("__warningregistry__").unwrap_or_else(|| {
        let made = Value::from(Dict::new());
        globals.set_text("__warningregistry__", made.clone());
        made
    });
    let module = globals.get_text("__name__").filter(|m| m.is_none() || m.downcast_ref::<Str>().is_some());
    Ok(Place { filename, lineno, module: module.unwrap_or_else(|| Value::str("<string>")), registry })
}

/// `foo` for `foo.py`.
fn module_of(filename: &Value) -> Value {
    let Some(s) = filename.downcast_ref::<Str>() else { return Value::str("<unknown>") };
    let text = s.to_string_lossy();
    if text.is_empty() {
        return Value::str("<unknown>");
    }
    if text.ends_with(".py") { s.slice(0, s.len() - 3).into() } else { filename.clone() }
}

/// Issues a warning at a place, as the filters say.
pub fn warn_explicit(th: &mut Thread, w: &Warning<'_>) -> PyResult<()> {
    // A module that is None has been torn down by the interpreter's end.
    if w.module.is_some_and(Value::is_none) {
        return Ok(());
    }
    let registry = w.registry.filter(|r| !r.is_none());
    let registry = match registry.map(|r| r.to_ref::<Dict>()) {
        Some(None) => return Err(type_error(th, "'registry' must be a dict or None")),
        Some(found) => found,
        None => None,
    };
    let module = w.module.cloned().unwrap_or_else(|| module_of(w.filename));
    let (category, text, message) = if classes::is_instance(th, w.message, &exc::WARNING.to_value())? {
        (w.message.class_ref().to_value(), repr::str(th, w.message)?.to_value(), w.message.clone())
    } else {
        (w.category.clone(), w.message.clone(), call::call(th, w.category, std::slice::from_ref(w.message))?)
    };
    let lineno = Value::int(w.lineno);
    let key = Value::from(Tuple::of([text.clone(), category.clone(), lineno]));
    if let Some(registry) = &registry
        && already_warned(th, registry, &key, false)?
    {
        return Ok(());
    }
    let (action, item) = filter::find(th, &category, &text, w.lineno, &module)?;
    let name = action.downcast_ref::<Str>().map(|s| s.to_string_lossy().into_owned()).unwrap_or_default();
    let shown_before = match name.as_str() {
        "error" => return Err(raise_value(th, message)),
        "ignore" => return Ok(()),
        "always" | "all" => false,
        "once" | "module" | "default" => remember(th, &name, registry, &key, &text, &category)?,
        _ => {
            if let Some(registry) = &registry {
                registry.set(th, key, Value::TRUE)?;
            }
            let (action, item) = (repr::repr(th, &action)?, repr::repr(th, &item)?);
            let message = format!("Unrecognized action ({action}) in warnings.filters:\n {item}");
            return Err(runtime_error(th, message));
        }
    };
    if shown_before {
        return Ok(());
    }
    show::call(th, w, &category, &text, &message)
}

/// Notes the warning in its registry; whether it was there in the sense of the action.
fn remember(
    th: &mut Thread,
    action: &str,
    registry: Option<Ref<Dict>>,
    key: &Value,
    text: &Value,
    category: &Value,
) -> PyResult<bool> {
    if let Some(registry) = &registry {
        registry.set(th, key.clone(), Value::TRUE)?;
    }
    let registry = match (action, registry) {
        ("default", _) | ("module", None) => return Ok(false),
        (_, Some(registry)) => registry,
        (_, None) => filter::once_registry(th)?,
    };
    let short = Tuple::of([text.clone(), category.clone()]).into();
    already_warned(th, &registry, &short, true)
}

fn already_warned(th: &mut Thread, registry: &Ref<Dict>, key: &Value, set: bool) -> PyResult<bool> {
    let version = state(th).version.load(Relaxed);
    if registry.get_text("version").and_then(|v| v.as_int()) != Some(version) {
        registry.clear();
        registry.set_text("version", version);
    } else if let Some(known) = registry.get(th, key)?
        && crate::protocol::compare::truth(th, &known)?
    {
        return Ok(true);
    }
    if set {
        registry.set(th, key.clone(), Value::TRUE)?;
    }
    Ok(false)
}

/// The line of a module's source that its loader knows: for `warn_explicit(module_globals=…)`.
pub fn source_line(th: &mut Thread, globals: &Value, lineno: i64) -> PyResult<Option<Value>> {
    let Some(importlib) = th.interp.importlib.get() else { return Ok(None) };
    let external = attr::get_text(th, &importlib, "_bootstrap_external")?;
    let loader = attr::call_method(th, &external, "_bless_my_loader", std::slice::from_ref(globals))?;
    let name = globals.downcast_ref::<Dict>().and_then(|d| d.get_text("__name__"));
    let Some(name) = name else { return Ok(None) };
    let Some(get_source) = attr::get_text_opt(th, &loader, "get_source")? else { return Ok(None) };
    let source = call::call(th, &get_source, &[name])?;
    if source.is_none() {
        return Ok(None);
    }
    if source.downcast_ref::<Str>().is_none() {
        let class = source.class().name();
        return Err(type_error(th, format!("must be str, not {class}")));
    }
    let lines = split_lines(th, &source)?;
    match sequence::get_item(th, &lines, &Value::int(lineno - 1)) {
        Ok(line) => Ok(Some(line)),
        Err(raised) => {
            let e = catch(th, raised, &exc::INDEX_ERROR)?;
            Err(raise_value(th, e))
        }
    }
}

/// `str.splitlines`, whatever a subclass makes of it.
fn split_lines(th: &mut Thread, source: &Value) -> PyResult<Value> {
    let f = attr::get_text(th, &krait_object::builtin_types::STR.to_value(), "splitlines")?;
    call::call(th, &f, std::slice::from_ref(source))
}

/// An attribute of the module `warnings`, if that is loaded, or when asked for can be imported: not once the interpreter
/// ends.
fn module_attr(th: &mut Thread, name: &str, import: bool) -> PyResult<Option<Value>> {
    let loaded = th.interp.modules.get().and_then(|m| m.to_ref::<Dict>()).and_then(|m| m.get_text("warnings"));
    let import = import && !th.interp.extension::<crate::start::Finalizing>().get();
    let module = match loaded.filter(|m| !m.is_none()) {
        Some(m) => m,
        // Nothing is imported once the interpreter ends.
        None if import && !th.interp.extension::<crate::start::Finalizing>().get() => {
            match crate::import::import_module(th, "warnings") {
                Ok(m) => m,
                Err(raised) => {
                    catch(th, raised, &exc::IMPORT_ERROR)?;
                    return Ok(None);
                }
            }
        }
        None => return Ok(None),
    };
    attr::get_text_opt(th, &module, name)
}
fn list_of(items: Vec<Value>) -> Ref<List> {
    List::new(items)
}
