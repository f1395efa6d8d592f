//! Hooks and process-wide switches: `displayhook`, `excepthook`, `audit`, `exit`, `exc_info`.
use krait_object::native::function;
use krait_object::{Args, Dict, Method, PyResult, Str, Thread, Tuple, Value};
use krait_runtime::errors::{raise_value, runtime_error, type_error};
use krait_runtime::exceptions::SYSTEM_EXIT;
use krait_runtime::protocol::{attr, call, repr};
use krait_runtime::{audit, exceptions};

pub static FUNCTIONS: &[Method] = &[
    function("addaudithook", "(hook)", "Adds a new audit hook callback.", |th, a| {
        if let Err(raised) = audit::audit(th, "sys.addaudithook", &[]) {
            let runtime = krait_runtime::errors::in_flight(th, &exceptions::EXCEPTION);
            if !runtime {
                return Err(raised);
            }
            drop(krait_runtime::errors::take(th, raised));
            return Ok(Value::NONE);
        }
        audit::add_hook(th, a[0].clone());
        Ok(Value::NONE)
    }),
    function(
        "audit",
        "(event, /, *args)",
        "audit(event, *args)\n\nPasses the event to any hooks that are attached.",
        |th, a: &Args<'_>| {
            let [event, args @ ..] = a.pos() else {
                return Err(type_error(th, "audit expected at least 1 argument, got 0"));
            };
            let Some(name) = event.downcast_ref::<Str>() else {
                let class = event.class().name();
                return Err(type_error(th, format!("audit() argument 1 must be str, not {class}")));
            };
            let name = name.to_string_lossy().into_owned();
            audit::audit(th, &name, args).map(Value::from)
        },
    )
    .raw(),
    function(
        "breakpointhook",
        "(*args, **kws)",
        "breakpointhook(*args, **kws)\n\nThis hook function is called by built-in breakpoint().",
        breakpointhook,
    )
    .raw(),
    function("displayhook", "(object, /)", "Print an object to sys.stdout and also save it in builtins._", displayhook),
    function("exc_info", "()", "Return current exception information: (type, value, traceback).", |th, _| {
        let Some(e) = th.topmost_handled().cloned() else {
            return Ok(Tuple::from_vec(vec![Value::NONE, Value::NONE, Value::NONE]).into());
        };
        let traceback = attr::get_text(th, &e, "__traceback__")?;
        Ok(Tuple::from_vec(vec![e.class_ref().into(), e, traceback]).into())
    }),
    function("exception", "()", "Return the current exception.", |th, _| Ok(th.topmost_handled().cloned().into())),
    function(
        "excepthook",
        "(exctype, value, traceback, /)",
        "Handle an exception by displaying it with a traceback on sys.stderr.",
        |th, a| {
            krait_runtime::exceptions::display::excepthook(th, &a[1], &a[2]);
            Ok(Value::NONE)
        },
    ),
    function("exit", "(status=None, /)", "Exit the interpreter by raising SystemExit(status).", |th, a| {
        let args = match a.opt(0) {
            Some(status) if !status.is_none() => match status.downcast_exact::<Tuple>() {
                Some(t) => t.to_vec(),
                None => vec![status.clone()],
            },
            _ => vec![],
        };
        let exception = call::call(th, &SYSTEM_EXIT.to_value(), &args)?;
        Err(raise_value(th, exception))
    }),
    function("unraisablehook", "(unraisable, /)", "Handle an unraisable exception.", |th, a| {
        krait_runtime::exceptions::unraisable::default_hook(th, &a[0])
    }),
    function("is_finalizing", "()", "Return True if Python is exiting.", |th, _| {
        Ok(Value::bool(th.interp.extension::<krait_runtime::start::Finalizing>().get()))
    }),
    function(
        "get_asyncgen_hooks",
        "()",
        "Return the installed asynchronous generators hooks.",
        krait_runtime::types::generator::get_hooks,
    ),
    function(
        "set_asyncgen_hooks",
        "",
        "set_asyncgen_hooks([firstiter] [, finalizer])",
        krait_runtime::types::generator::set_hooks,
    ),
    function(
        "get_coroutine_origin_tracking_depth",
        "()",
        "Check status of origin tracking for coroutine objects in this thread.",
        |th, _| Ok(Value::from(krait_runtime::types::generator::origin_depth(th))),
    ),
    function(
        "set_coroutine_origin_tracking_depth",
        "(depth)",
        "Enable or disable origin tracking for coroutine objects in this thread.",
        |th, a| {
            let depth = krait_runtime::protocol::number::to_i32(th, &a[0])?;
            if depth < 0 {
                return Err(krait_runtime::errors::value_error(th, "depth must be >= 0"));
            }
            krait_runtime::types::generator::set_origin_depth(th, depth);
            Ok(Value::NONE)
        },
    ),
];

fn displayhook(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let builtins = th.interp.builtins.get().and_then(|b| b.downcast::<Dict>().ok());
    let Some(builtins) = builtins else { return Err(runtime_error(th, "lost builtins module")) };
    if a[0].is_none() {
        return Ok(Value::NONE);
    }
    builtins.set_text("_", Value::NONE);
    let out = krait_runtime::functions::io::sys_attr(th, "stdout")?;
    let Some(out) = out.filter(|o| !o.is_none()) else { return Err(runtime_error(th, "lost sys.stdout")) };
    let text = repr::repr(th, &a[0])?;
    if let Err(raised) = attr::call_method(th, &out, "write", &[text.clone().into()]) {
        let e = krait_runtime::errors::catch(th, raised, &exceptions::UNICODE_ENCODE_ERROR)?;
        drop(e);
        let encoding = attr::get_text(th, &out, "encoding")?;
        let bytes =
            attr::call_method(th, text.as_value(), "encode", &[encoding.clone(), Value::str("backslashreplace")])?;
        match attr::get_text_opt(th, &out, "buffer")? {
            Some(buffer) => attr::call_method(th, &buffer, "write", &[bytes])?,
            None => {
                let shown = attr::call_method(th, &bytes, "decode", &[encoding, Value::str("strict")])?;
                attr::call_method(th, &out, "write", &[shown])?
            }
        };
    }
    attr::call_method(th, &out, "write", &[Value::str("\n")])?;
    builtins.set_text("_", a[0].clone());
    Ok(Value::NONE)
}
fn breakpointhook(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let named = std::env::var("PYTHONBREAKPOINT").unwrap_or_default();
    let ignore = krait_runtime::config::get(th).flags.ignore_environment != 0;
    let target = if ignore || named.is_empty() { "pdb.set_trace".to_owned() } else { named };
    if target == "0" {
        return Ok(Value::NONE);
    }
    let (module, name) = target.rsplit_once('.').unwrap_or(("builtins", &target));
    let found = match krait_runtime::import::import_module(th, module) {
        Ok(m) => attr::get_text_opt(th, &m, name)?,
        Err(raised) => {
            krait_runtime::errors::catch(th, raised, &exceptions::IMPORT_ERROR)?;
            None
        }
    };
    match found {
        Some(f) => call::call_args(th, &f, a),
        None => {
            let message = format!("Ignoring unimportable $PYTHONBREAKPOINT: \"{target}\"");
            krait_runtime::warnings::warn(th, &exceptions::RUNTIME_WARNING, &message, 1)?;
            Ok(Value::NONE)
        }
    }
}
