//! Start-up and shutdown of an interpreter, in CPython's order: builtin types, `sys`, the import machinery, the standard
//! streams, `site`; then `atexit`, threads, modules.
use std::sync::Once;

use krait_object::{Dict, Interpreter, List, ModuleDef, PyResult, Str, Thread, Value};
use krait_runtime::config::{self, Config};
use krait_runtime::errors;
use krait_runtime::protocol::attr;
use krait_runtime::types::module;
use krait_runtime::{frozen, import, interpreters, start};
use krait_stdlib_core::sys;

/// Hooks and tables of the process.
fn install() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        start::install();
        krait_vm::install();
        crate::compile::install();
        use krait_object::thread::breaker;
        krait_runtime::safepoint::install(breaker::GC, |th| {
            krait_object::gc::run_requested(th);
            Ok(())
        });
        let families: [&[&'static ModuleDef]; 13] = [
            krait_stdlib_core::MODULES,
            krait_stdlib_language::MODULES,
            krait_stdlib_text::MODULES,
            krait_stdlib_math::MODULES,
            krait_stdlib_io::MODULES,
            krait_stdlib_os::MODULES,
            krait_stdlib_net::MODULES,
            krait_stdlib_crypto::MODULES,
            krait_stdlib_data::MODULES,
            krait_stdlib_compress::MODULES,
            krait_stdlib_database::MODULES,
            krait_stdlib_ffi::MODULES,
            krait_stdlib_ui::MODULES,
        ];
        import::install_native_modules(families.concat());
        crate::subinterpreters::install();
    });
}

/// An interpreter on the calling thread, which has `stack_size` bytes of native stack.
pub fn new_thread(stack_size: usize) -> Thread {
    install();
    Thread::new(Interpreter::new(), stack_size)
}

/// Brings the interpreter up to where it can run user code; signals are Python's.
pub fn initialize(th: &mut Thread, config: Config) -> PyResult<()> {
    initialize_with(th, config, true)
}
/// As [`initialize`]; the program keeps its signal handlers unless `signals` says that they are Python's.
pub fn initialize_with(th: &mut Thread, config: Config, signals: bool) -> PyResult<()> {
    interpreters::register_main(th);
    bring_up(th, config, signals)
}
/// As [`initialize_with`], for an interpreter that has its number.
pub(crate) fn bring_up(th: &mut Thread, config: Config, signals: bool) -> PyResult<()> {
    krait_object::gc::undisturbed(th, |th| start_up(th, config, signals))
}
fn start_up(th: &mut Thread, config: Config, signals: bool) -> PyResult<()> {
    krait_object::hash::set_seed(config.hash_seed);
    let no_site = config.flags.no_site != 0;
    krait_runtime::types::int::limit::set(th, config.flags.int_max_str_digits.max(0) as usize);
    config::set(th, config);
    start::start(th)?;
    let modules = modules(th);
    let sys_module = module::from_def(th, &sys::MODULE)?;
    modules.set_text("sys", sys_module.clone());
    module::dict(&sys_module).set_text("stderr", sys::printer::new(th, 2));
    let imp = module::from_def(th, &krait_stdlib_core::_imp::MODULE)?;
    modules.set_text("_imp", imp.clone());
    bootstrap_importlib(th, &sys_module, &imp)?;
    if let Err(raised) = import::import_module(th, "encodings") {
        eprintln!("Fatal Python error: Failed to import encodings module\nPython runtime state: core initialized");
        return Err(raised);
    }
    if signals {
        krait_stdlib_os::_signal::start(th)?;
    }
    if interpreters::current(th).is_main() {
        // While `sys.stderr` is still there, whatever descriptor 2 is.
        diagnostics(th)?;
    }
    crate::streams::open(th)?;
    let builtins = th.interp.builtins.get();
    let open = import::import_module(th, "io").and_then(|io| attr::get_text(th, &io, "open"))?;
    if let Some(b) = builtins.as_ref().and_then(|b| b.downcast_ref::<Dict>()) {
        b.set_text("open", open);
    }
    let main = module::new("__main__", Value::NONE);
    let d = module::dict(&main);
    d.set_text("__annotations__", Dict::new());
    d.set_text("__builtins__", modules.get_text("builtins"));
    if let Some(importer) = import_attr(th, "_frozen_importlib", "BuiltinImporter")? {
        d.set_text("__loader__", importer);
    }
    modules.set_text("__main__", main);
    if !config::get(th).warn_options.is_empty() {
        import::import_module(th, "warnings")?;
    }
    if !no_site {
        let site = import::import_module(th, "site")?;
        attr::call_method(th, &site, "main", &[])?;
    }
    Ok(())
}
/// `-X faulthandler` and `-X tracemalloc`.
fn diagnostics(th: &mut Thread) -> PyResult<()> {
    let c = config::get(th);
    if c.faulthandler && import::find_native("faulthandler").is_some() {
        let faulthandler = import::import_module(th, "faulthandler")?;
        attr::call_method(th, &faulthandler, "enable", &[])?;
    }
    if c.tracemalloc > 0 && import::find_native("_tracemalloc").is_some() {
        let tracemalloc = import::import_module(th, "_tracemalloc")?;
        attr::call_method(th, &tracemalloc, "start", &[Value::from(c.tracemalloc)])?;
    }
    Ok(())
}
fn modules(th: &Thread) -> krait_object::Ref<Dict> {
    th.interp.modules.get().and_then(|m| m.downcast().ok()).unwrap_or_else(Dict::new)
}
fn import_attr(th: &mut Thread, name: &str, attribute: &str) -> PyResult<Option<Value>> {
    let m = import::import_module(th, name)?;
    attr::get_text_opt(th, &m, attribute)
}

/// `importlib._bootstrap` and `_bootstrap_external` from the found Lib.
fn bootstrap_importlib(th: &mut Thread, sys_module: &Value, imp: &Value) -> PyResult<()> {
    let code = frozen::code(th, "_frozen_importlib")?;
    let m = module::new("_frozen_importlib", Value::NONE);
    let d = module::dict(&m);
    d.set_text("__builtins__", modules(th).get_text("builtins"));
    d.set_text("__origname__", "importlib._bootstrap");
    modules(th).set_text("_frozen_importlib", m.clone());
    (krait_runtime::hooks::vm().eval_code)(th, &code, &d, Some(d.as_value()), None, None)?;
    attr::call_method(th, &m, "_install", &[sys_module.clone(), imp.clone()])?;
    th.interp.importlib.set(Some(m.clone()));
    attr::call_method(th, &m, "_install_external_importers", &[])?;
    let zip = import::import_module(th, "zipimport")?;
    let importer = attr::get_text(th, &zip, "zipimporter")?;
    let hooks = module::dict(sys_module).get_text("path_hooks");
    if let Some(hooks) = hooks.as_ref().and_then(|h| h.downcast_ref::<List>()) {
        hooks.lock().insert(0, importer);
    }
    Ok(())
}

/// Runs exit functions, joins threads, flushes and drops the modules. Returns false if stdout could not be flushed.
pub fn finalize(th: &mut Thread) -> bool {
    run_exit_functions(th);
    interpreters::end_all_of(th);
    let good = sys::flush_std_files(th);
    th.interp.extension::<start::Finalizing>().set();
    krait_runtime::world::finalize(th);
    krait_stdlib_os::_signal::finish(th);
    // The process ends: most programs have nothing left whose end could be noticed.
    let standard = standard_files(th);
    if krait_object::gc::is_drop_noticed(th, &standard) {
        drop_all(th);
    }
    interpreters::unregister(&th.interp);
    good
}
/// As [`finalize`], for one of several interpreters: threads of the others go on.
pub(crate) fn finalize_one(th: &mut Thread) {
    run_exit_functions(th);
    if krait_stdlib_os::_thread::running(th) > 0 {
        eprintln!("Fatal Python error: Py_EndInterpreter: not the last thread\nPython runtime state: initialized");
        krait_platform::process::abort();
    }
    sys::flush_std_files(th);
    th.interp.extension::<start::Finalizing>().set();
    drop_all(th);
}
fn run_exit_functions(th: &mut Thread) {
    wait_for_threads(th);
    krait_stdlib_core::atexit::run(th);
    interpreters::run_at_end(th);
}
/// The standard files with what they are made of, as far as they are builtin objects: they are flushed before.
fn standard_files(th: &mut Thread) -> Vec<Value> {
    let sys = th.interp.sys.get().and_then(|s| s.downcast::<Dict>().ok());
    let mut found = Vec::new();
    for name in ["__stdin__", "__stdout__", "__stderr__"] {
        let mut file = sys.as_ref().and_then(|sys| sys.get_text(name));
        for part in ["buffer", "raw", ""] {
            let Some(held) = file.filter(|f| f.class().is_static()) else { break };
            file = attr::get_text(th, &held, part).ok();
            found.push(held);
            drop(th.exc.take());
        }
    }
    found
}
fn drop_all(th: &mut Thread) {
    krait_stdlib_os::_thread::finish_others(th);
    drop_modules(th);
    krait_object::gc::collect(th, 2);
    // What failed above fails again, which was said.
    crate::command::flush(th);
}
fn wait_for_threads(th: &mut Thread) {
    let Some(threading) = modules(th).get_text("threading") else { return };
    if attr::call_method(th, &threading, "_shutdown", &[]).is_err() {
        errors::write_unraisable(th, Some(&threading));
    }
}
/// The order of CPython's `finalize_modules`: `__main__` and the rest lose their modules, then their contents.
fn drop_modules(th: &mut Thread) {
    let all = modules(th);
    let sys = th.interp.sys.get().and_then(|s| s.downcast::<Dict>().ok());
    if let Some(sys) = &sys {
        for (name, original) in [("stdin", "__stdin__"), ("stdout", "__stdout__"), ("stderr", "__stderr__")] {
            sys.set_text(name, sys.get_text(original));
        }
        for name in [
            "path",
            "argv",
            "ps1",
            "ps2",
            "last_exc",
            "last_type",
            "last_value",
            "last_traceback",
            "path_hooks",
            "path_importer_cache",
            "meta_path",
        ] {
            if sys.get_text(name).is_some() {
                sys.set_text(name, Value::NONE);
            }
        }
    }
    let mut held = Vec::new();
    for (key, m) in all.items() {
        if m.downcast_ref::<module::Module>().is_some() {
            held.push((key.clone(), krait_runtime::types::weakref::new_plain(&m)));
        }
        if let Some(k) = key.to_ref::<Str>() {
            all.set_str(&k, Value::NONE);
        }
    }
    if th.has_pending() {
        th.run_pending();
    }
    krait_object::gc::collect(th, 2);
    for (key, weak) in held.iter().rev() {
        let keep = key.downcast_ref::<Str>().is_some_and(|k| k.eq_str("sys") || k.eq_str("builtins"));
        let Some(m) = krait_runtime::types::weakref::target(weak).filter(|_| !keep) else { continue };
        clear_module(th, &m);
    }
}
/// Names with one underscore go first, then all but `__builtins__`.
fn clear_module(th: &mut Thread, m: &Value) {
    let d = module::dict(m);
    for private in [true, false] {
        for (key, value) in d.items() {
            let Some(k) = key.to_ref::<Str>().filter(|_| !value.is_none()) else { continue };
            let text = k.to_string_lossy();
            let one = text.starts_with('_') && !text.starts_with("__");
            if (private && one) || (!private && &*text != "__builtins__") {
                d.set_str(&k, Value::NONE);
            }
        }
        if th.has_pending() {
            th.run_pending();
        }
    }
}
