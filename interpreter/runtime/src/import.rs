//! The import machinery's native side: the fast path of `import`, and native modules. Everything else is
//! `importlib._bootstrap` from the found Lib. CPython counterpart: `Python/import.c`.
mod timing;

use std::sync::OnceLock;

use krait_object::{Dict, ModuleDef, PyResult, Ref, Str, Thread, Value};

use crate::config;
use crate::errors::{import_error_for, key_error, type_error, value_error};
use crate::protocol::{attr, call, compare, repr};
use crate::types::module::{self, Module};

/// The native modules, all families together; installed by `embed`.
static NATIVE: OnceLock<Vec<&'static ModuleDef>> = OnceLock::new();

pub fn install_native_modules(modules: Vec<&'static ModuleDef>) {
    let _ = NATIVE.set(modules);
}
pub fn native_modules() -> &'static [&'static ModuleDef] {
    NATIVE.get().map(Vec::as_slice).unwrap_or_default()
}
pub fn find_native(name: &str) -> Option<&'static ModuleDef> {
    native_modules().iter().copied().find(|m| m.name == name)
}

/// `sys.modules`.
pub fn modules(th: &mut Thread) -> PyResult<Value> {
    let own = th.interp.sys.get().and_then(|s| s.downcast::<Dict>().ok()).and_then(|d| d.get_text("modules"));
    match own.or_else(|| th.interp.modules.get()) {
        Some(m) => Ok(m),
        None => Err(crate::errors::runtime_error(th, "unable to get sys.modules")),
    }
}
fn find_loaded(th: &mut Thread, name: &Ref<Str>) -> PyResult<Option<Value>> {
    let modules = modules(th)?;
    match modules.downcast_ref::<Dict>() {
        Some(d) => Ok(d.get_str(name)),
        None => match crate::protocol::sequence::get_item(th, &modules, name.as_value()) {
            Ok(v) => Ok(Some(v)),
            Err(raised) => {
                crate::errors::catch(th, raised, &crate::exceptions::KEY_ERROR)?;
                Ok(None)
            }
        },
    }
}
fn bootstrap(th: &mut Thread) -> PyResult<Value> {
    match th.interp.importlib.get() {
        Some(b) => Ok(b),
        None => Err(crate::errors::system_error(th, "the import machinery is not set up")),
    }
}
/// A module by its absolute name: `importlib.import_module(name)`.
pub fn import_module(th: &mut Thread, name: &str) -> PyResult<Value> {
    let name = Str::new(name);
    load(th, &name)
}
fn load(th: &mut Thread, name: &Ref<Str>) -> PyResult<Value> {
    if let Some(m) = find_loaded(th, name)?
        && !m.is_none()
    {
        wait_for(th, &m, name)?;
        return Ok(m);
    }
    let b = bootstrap(th)?;
    let import = import_function(th)?;
    audit_import(th, name)?;
    let timer = config::get(th).import_time.then(|| timing::start(th));
    let result = attr::call_method(th, &b, "_find_and_load", &[name.to_value(), import]);
    if let Some(timer) = timer {
        timing::end(th, timer, name);
    }
    if result.is_err() {
        trim_traceback(th);
    }
    result
}
fn audit_import(th: &mut Thread, name: &Ref<Str>) -> PyResult<()> {
    if !crate::audit::active() {
        return Ok(());
    }
    let sys = th.interp.sys.get().and_then(|s| s.downcast::<Dict>().ok());
    let paths = ["path", "meta_path", "path_hooks"].map(|at| sys.as_ref().and_then(|s| s.get_text(at)).into());
    let [path, meta_path, path_hooks] = paths;
    crate::audit::audit(th, "import", &[name.to_value(), Value::NONE, path, meta_path, path_hooks])
}
fn import_function(th: &mut Thread) -> PyResult<Value> {
    crate::functions::builtin(th, "__import__")
}
/// Another thread may still be initialising the module.
fn wait_for(th: &mut Thread, m: &Value, name: &Ref<Str>) -> PyResult<()> {
    let spec = match m.downcast_ref::<Module>() {
        Some(_) => module::dict(m).get_text("__spec__"),
        None => attr::get_text_opt(th, m, "__spec__")?,
    };
    let Some(spec) = spec.filter(|s| !s.is_none()) else { return Ok(()) };
    if let Some(v) = attr::get_text_opt(th, &spec, "_initializing")?
        && compare::truth(th, &v)?
    {
        let b = bootstrap(th)?;
        attr::call_method(th, &b, "_lock_unlock_module", &[name.to_value()])?;
    }
    Ok(())
}
/// Frames of the import machinery do not belong into a traceback that ends elsewhere.
fn trim_traceback(th: &mut Thread) {
    if config::get(th).flags.verbose != 0 {
        return;
    }
    let Some(exc) = th.exc.clone() else { return };
    let import_error = exc.is_instance(&crate::exceptions::IMPORT_ERROR);
    let Some(base) = exc.downcast_ref::<crate::exceptions::BaseException>() else { return };
    let mut kept = crate::types::traceback::entries(base.traceback.get());
    let own = |file: &str| file == "<frozen importlib._bootstrap>" || file == "<frozen importlib._bootstrap_external>";
    let files: Vec<String> = kept.iter().map(crate::types::traceback::filename_of).collect();
    let names: Vec<String> = kept.iter().map(crate::types::traceback::function_of).collect();
    // A run of import frames goes if it ends the traceback of an ImportError, or ends in the call of the module's code.
    let mut keep = vec![true; kept.len()];
    let mut start = None;
    for i in 0..=files.len() {
        let is_own = i < files.len() && own(&files[i]);
        match (is_own, start) {
            (true, None) => start = Some(i),
            (false, Some(s)) => {
                let always = names[i - 1] == "_call_with_frames_removed";
                if always || import_error {
                    keep[s..i].iter_mut().for_each(|k| *k = false);
                }
                start = None;
            }
            _ => {}
        }
    }
    let mut flags = keep.iter();
    kept.retain(|_| *flags.next().unwrap_or(&true));
    base.traceback.set(crate::types::traceback::relink(kept));
}

/// `import name`: what `__import__(name, globals, None, fromlist, level)` does.
pub fn import_name(th: &mut Thread, name: &Ref<Str>, globals: &Value, fromlist: &Value, level: i32) -> PyResult<Value> {
    if level < 0 {
        return Err(value_error(th, "level must be >= 0"));
    }
    let absolute = if level > 0 {
        resolve(th, name, globals, level)?
    } else {
        if name.is_empty() {
            return Err(value_error(th, "Empty module name"));
        }
        name.clone()
    };
    let m = load(th, &absolute)?;
    let has_from = !fromlist.is_none() && compare::truth(th, fromlist)?;
    if has_from {
        let is_package = match m.downcast_ref::<Module>() {
            Some(_) => module::dict(&m).get_text("__path__").is_some(),
            None => attr::get_text_opt(th, &m, "__path__")?.is_some(),
        };
        if !is_package {
            return Ok(m);
        }
        let b = bootstrap(th)?;
        let import = import_function(th)?;
        let result = attr::call_method(th, &b, "_handle_fromlist", &[m, fromlist.clone(), import]);
        if result.is_err() {
            trim_traceback(th);
        }
        return result;
    }
    let dot = name.iter().position(|c| c == u32::from('.'));
    if level == 0 || !name.is_empty() {
        let Some(dot) = dot else { return Ok(m) };
        if level == 0 {
            return load(th, &name.slice(0, dot));
        }
        let cut = name.len() - dot;
        let full = attr::get_text(th, &m, "__name__")?;
        let Some(full) = full.to_ref::<Str>() else { return Err(type_error(th, "__name__ must be a string")) };
        let front = full.slice(0, full.len().saturating_sub(cut));
        return match find_loaded(th, &front)? {
            Some(v) => Ok(v),
            None => Err(key_error(th, front.as_value())),
        };
    }
    Ok(m)
}
/// The absolute name of a relative import.
fn resolve(th: &mut Thread, name: &Ref<Str>, globals: &Value, level: i32) -> PyResult<Ref<Str>> {
    let Some(g) = globals.to_ref::<Dict>() else {
        let message = if globals.is_none() { "'__name__' not in globals" } else { "globals must be a dict" };
        return Err(if globals.is_none() { key_error(th, &Value::str(message)) } else { type_error(th, message) });
    };
    let spec = g.get_text("__spec__").filter(|s| !s.is_none());
    let package = match g.get_text("__package__").filter(|p| !p.is_none()) {
        Some(p) => {
            if p.downcast_ref::<Str>().is_none() {
                return Err(type_error(th, "package must be a string"));
            }
            if let Some(spec) = spec {
                let parent = attr::get_text(th, &spec, "parent")?;
                if !compare::eq(th, &p, &parent)? {
                    crate::warnings::warn(
                        th,
                        &crate::exceptions::DEPRECATION_WARNING,
                        "__package__ != __spec__.parent",
                        1,
                    )?;
                }
            }
            p
        }
        None => match spec {
            Some(spec) => {
                let parent = attr::get_text(th, &spec, "parent")?;
                if parent.downcast_ref::<Str>().is_none() {
                    return Err(type_error(th, "__spec__.parent must be a string"));
                }
                parent
            }
            None => {
                let message =
                    "can't resolve package from __spec__ or __package__, falling back on __name__ and __path__";
                crate::warnings::warn(th, &crate::exceptions::IMPORT_WARNING, message, 1)?;
                let Some(own) = g.get_text("__name__") else {
                    return Err(key_error(th, &Value::str("'__name__' not in globals")));
                };
                let Some(own) = own.to_ref::<Str>() else {
                    return Err(type_error(th, "__name__ must be a string"));
                };
                if g.get_text("__path__").is_some() {
                    own.into()
                } else {
                    let points: Vec<u32> = own.iter().collect();
                    match points.iter().rposition(|&c| c == u32::from('.')) {
                        Some(i) => own.slice(0, i).into(),
                        None => Str::empty().into(),
                    }
                }
            }
        },
    };
    let package = package.to_ref::<Str>().unwrap_or_else(Str::empty);
    if package.is_empty() {
        let message = "attempted relative import with no known parent package";
        return Err(import_error_for(th, &crate::exceptions::IMPORT_ERROR, message, None, None, None));
    }
    let points: Vec<u32> = package.iter().collect();
    let mut end = points.len();
    for _ in 1..level {
        match points[..end].iter().rposition(|&c| c == u32::from('.')) {
            Some(i) => end = i,
            None => {
                let message = "attempted relative import beyond top-level package";
                return Err(import_error_for(th, &crate::exceptions::IMPORT_ERROR, message, None, None, None));
            }
        }
    }
    let base = package.slice(0, end);
    if name.is_empty() {
        return Ok(base);
    }
    let joined = base.concat(&Str::new(".")).and_then(|b| b.concat(name));
    joined.ok_or_else(|| crate::errors::memory_error(th))
}
/// `from module import name`.
pub fn import_from(th: &mut Thread, m: &Value, name: &Ref<Str>) -> PyResult<Value> {
    if let Some(v) = attr::get_attr_opt(th, m, name)? {
        return Ok(v);
    }
    let own = attr::get_text_opt(th, m, "__name__")?.and_then(|n| n.downcast::<Str>().ok());
    if let Some(own) = &own {
        let full = Str::new(&format!("{own}.{name}"));
        if let Some(v) = find_loaded(th, &full)? {
            return Ok(v);
        }
    }
    let spec = attr::get_text_opt(th, m, "__spec__")?.filter(|s| !s.is_none());
    let mut file = match &spec {
        Some(spec) => origin(th, spec)?,
        None => None,
    };
    if file.is_none() {
        file = attr::get_text_opt(th, m, "__file__")?.and_then(|f| f.downcast::<Str>().ok());
    }
    let unknown = Str::new("<unknown module name>");
    let shown = repr::repr(th, own.as_ref().unwrap_or(&unknown).as_value())?;
    let wanted = repr::repr(th, name.as_value())?;
    let initializing = match &spec {
        Some(s) => match attr::get_text_opt(th, s, "_initializing")? {
            Some(i) => compare::truth(th, &i)?,
            None => false,
        },
        None => false,
    };
    let message = match &file {
        None => format!("cannot import name {wanted} from {shown} (unknown location)"),
        Some(place) if initializing => format!(
            "cannot import name {wanted} from partially initialized module {shown} (most likely due to a circular import) ({place})"
        ),
        Some(place) => format!("cannot import name {wanted} from {shown} ({place})"),
    };
    let origin = file.map(Value::from);
    Err(import_error_for(
        th,
        &crate::exceptions::IMPORT_ERROR,
        message,
        own.map(Value::from),
        origin,
        Some(name.to_value()),
    ))
}
/// The file that a module's spec says it comes from.
pub fn origin(th: &mut Thread, spec: &Value) -> PyResult<Option<Ref<Str>>> {
    match attr::get_text_opt(th, spec, "has_location")? {
        Some(h) if compare::truth(th, &h)? => {}
        _ => return Ok(None),
    }
    Ok(attr::get_text_opt(th, spec, "origin")?.and_then(|o| o.downcast::<Str>().ok()))
}
/// Calls `importlib._bootstrap` helpers for others.
pub fn call_bootstrap(th: &mut Thread, name: &str, args: &[Value]) -> PyResult<Value> {
    let b = bootstrap(th)?;
    let f = attr::get_text(th, &b, name)?;
    call::call(th, &f, args)
}
