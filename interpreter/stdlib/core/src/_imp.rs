//! `_imp`: builtin and frozen modules, and the import lock, for `importlib._bootstrap`.
use krait_object::native::function;
use krait_object::{Args, Bytes, Dict, List, Method, ModuleDef, PyResult, Raised, Str, Thread, Tuple, Value};
use krait_runtime::config;
use krait_runtime::errors::{import_error_for, runtime_error, type_error};
use krait_runtime::exceptions::IMPORT_ERROR;
use krait_runtime::import::{find_native, modules};
use krait_runtime::import_lock::ImportLock;
use krait_runtime::protocol::{attr, sequence};
use krait_runtime::types::code::Code;
use krait_runtime::types::module;

pub static MODULE: ModuleDef = ModuleDef {
    doc: "(Extremely) low-level import machinery bits as used by importlib.",
    functions: FUNCTIONS,
    init: Some(|th, m| {
        let d = module::dict(m);
        let check = config::get(th).check_hash_based_pycs.clone();
        d.set_text("check_hash_based_pycs", if check.is_empty() { "default" } else { &check });
        Ok(())
    }),
    ..ModuleDef::new("_imp")
};

static FUNCTIONS: &[Method] = &[
    function(
        "extension_suffixes",
        "()",
        "Returns the list of file suffixes used to identify extension modules.",
        |_, _| Ok(List::new(Vec::new()).into()),
    ),
    function("lock_held", "()", "Return True if the import lock is currently held, else False.", |th, _| {
        Ok(Value::bool(th.interp.extension::<ImportLock>().held()))
    }),
    function("acquire_lock", "()", "Acquires the interpreter's import lock for the current thread.", |th, _| {
        th.interp.extension::<ImportLock>().acquire(th);
        Ok(Value::NONE)
    }),
    function("release_lock", "()", "Release the interpreter's import lock.", |th, _| {
        if th.interp.extension::<ImportLock>().release(th) {
            Ok(Value::NONE)
        } else {
            Err(runtime_error(th, "not holding the import lock"))
        }
    }),
    function(
        "is_builtin",
        "(name, /)",
        "Returns True if the module name corresponds to a built-in module.",
        |th, a| {
            let name = text(th, &a[0], "is_builtin")?;
            Ok(Value::int(match find_native(&name) {
                Some(_) if name == "sys" || name == "builtins" => -1,
                Some(_) => 1,
                None => 0,
            }))
        },
    ),
    function("create_builtin", "(spec, /)", "Create an extension module.", create_builtin),
    function("exec_builtin", "(mod, /)", "Initialize a built-in module.", |_, _| Ok(Value::int(0))),
    function("create_dynamic", "(spec, file=<unrepresentable>, /)", "Create an extension module.", |th, _| {
        Err(import_error_for(
            th,
            &IMPORT_ERROR,
            "extension modules in shared libraries are not supported",
            None,
            None,
            None,
        ))
    }),
    function("exec_dynamic", "(mod, /)", "Initialize an extension module.", |_, _| Ok(Value::int(0))),
    function("init_frozen", "(name, /)", "Initializes a frozen module.", |th, a| {
        let name = text(th, &a[0], "init_frozen")?;
        match krait_runtime::frozen::find(th, &name) {
            Some(frozen) => {
                let m = module::new(&name, Value::NONE);
                module::dict(&m).set_text("__origname__", frozen.original.map(Value::str));
                let code = krait_runtime::frozen::code(th, &name)?;
                run_in(th, &code, &m)?;
                Ok(m)
            }
            None => Ok(Value::NONE),
        }
    }),
    function("is_frozen", "(name, /)", "Returns True if the module name corresponds to a frozen module.", |th, a| {
        let name = text(th, &a[0], "is_frozen")?;
        Ok(Value::bool(krait_runtime::frozen::find(th, &name).is_some()))
    }),
    function("is_frozen_package", "(name, /)", "Returns True if the module name is of a frozen package.", |th, a| {
        let name = text(th, &a[0], "is_frozen_package")?;
        match krait_runtime::frozen::find(th, &name) {
            Some(f) => Ok(Value::bool(f.is_package)),
            None => Err(no_frozen(th, &name)),
        }
    }),
    function(
        "find_frozen",
        "(name, /, *, withdata=False)",
        "Return info about the corresponding frozen module (if there is one) or None.",
        |th, a| {
            let name = text(th, &a[0], "find_frozen")?;
            let with_data = a.opt(1).is_some_and(Value::is_true);
            let Some(found) = krait_runtime::frozen::find(th, &name) else { return Ok(Value::NONE) };
            let data = if with_data {
                let data = krait_runtime::frozen::data(th, &name)?;
                crate::memoryview_of(th, Bytes::new(data.bytes()).into())?
            } else {
                Value::NONE
            };
            let original = found.original.map(Value::str);
            Ok(Tuple::from_vec(vec![data, Value::bool(found.is_package), original.into()]).into())
        },
    ),
    function("get_frozen_object", "(name, data=None, /)", "Create a code object for a frozen module.", |th, a| {
        let name = text(th, &a[0], "get_frozen_object")?;
        if let Some(data) = a.opt_not_none(1) {
            let bytes = krait_runtime::protocol::buffer::bytes_like(th, data)?;
            if bytes.is_empty() {
                return Err(no_frozen(th, &name));
            }
            return match krait_runtime::frozen::code_from(th, bytes.to_vec()) {
                Some(code) => code.map(Value::from),
                None => {
                    let message = format!("Frozen object named '{name}' is invalid");
                    Err(import_error_for(th, &IMPORT_ERROR, message, Some(Value::str(&name)), None, None))
                }
            };
        }
        if krait_runtime::frozen::find(th, &name).is_none() {
            return Err(no_frozen(th, &name));
        }
        krait_runtime::frozen::code(th, &name).map(Value::from)
    }),
    function(
        "_override_frozen_modules_for_tests",
        "(override, /)",
        "(internal-only) Override PyConfig.use_frozen_modules.",
        |th, a| {
            let n = krait_runtime::protocol::number::to_i32(th, &a[0])?;
            krait_runtime::frozen::set_override(th, n);
            Ok(Value::NONE)
        },
    ),
    function(
        "_override_multi_interp_extensions_check",
        "(override, /)",
        "(internal-only) Override PyInterpreterConfig.check_multi_interp_extensions.",
        |_, _| Ok(Value::int(0)),
    ),
    function("_frozen_module_names", "()", "(internal-only) Returns the list of available frozen modules.", |th, _| {
        let names = krait_runtime::frozen::names(th);
        Ok(List::new(names.iter().map(|n| Value::str(n)).collect()).into())
    }),
    function(
        "_fix_co_filename",
        "(code, path, /)",
        "Changes code.co_filename to specify the passed-in file path.",
        |th, a| {
            let path = text(th, &a[1], "_fix_co_filename")?;
            if let Some(code) = a[0].downcast_ref::<Code>() {
                code.set_filename(&path);
            }
            Ok(Value::NONE)
        },
    ),
    function("source_hash", "(key, source)", "", |th, a| {
        let key = krait_runtime::protocol::number::to_masked(th, &a[0], 64)?;
        let source = krait_runtime::protocol::buffer::bytes_like(th, &a[1])?;
        Ok(Bytes::new(&krait_object::hash::source_hash(key, &source).to_le_bytes()).into())
    }),
];

fn text(th: &mut Thread, v: &Value, function: &str) -> PyResult<String> {
    match v.downcast_ref::<Str>() {
        Some(s) => Ok(s.to_string_lossy().into_owned()),
        None => {
            let class = v.class().name();
            Err(type_error(th, format!("{function}() argument must be str, not {class}")))
        }
    }
}
fn no_frozen(th: &mut Thread, name: &str) -> Raised {
    let message = format!("No such frozen object named {name}");
    import_error_for(th, &IMPORT_ERROR, message, Some(Value::str(name)), None, None)
}
fn run_in(th: &mut Thread, code: &krait_object::Ref<Code>, m: &Value) -> PyResult<()> {
    let d = module::dict(m);
    (krait_runtime::hooks::vm().eval_code)(th, code, &d, Some(d.as_value()), None, None).map(|_| ())
}
fn create_builtin(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let name = attr::get_text(th, &a[0], "name")?;
    let Some(def) = find_native(&text(th, &name, "create_builtin")?) else { return Ok(Value::NONE) };
    // `sys` and `builtins` exist once per interpreter and are handed out again.
    if matches!(def.name, "sys" | "builtins" | "_imp") {
        let all = modules(th)?;
        let held = match all.downcast_ref::<Dict>() {
            Some(d) => d.get_text(def.name),
            None => sequence::get_item(th, &all, &name).ok(),
        };
        if let Some(m) = held {
            return Ok(m);
        }
        if def.name == "sys"
            && let Some(d) = th.interp.sys.get()
        {
            let m = module::new("sys", Value::NONE);
            let target = module::dict(&m);
            for (k, v) in d.downcast_ref::<Dict>().map(Dict::items).unwrap_or_default() {
                target.set(th, k, v)?;
            }
            return Ok(m);
        }
    }
    module::from_def(th, def)
}
