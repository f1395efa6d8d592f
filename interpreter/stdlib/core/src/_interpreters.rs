//! `_interpreters`: making interpreters and running code in them (PEP 734). What they are is `krait_runtime::interpreters`;
//! running is `_interpreters/execute.rs`. CPython counterpart: `Modules/_interpretersmodule.c`.
pub(crate) mod execute;

use std::sync::Arc;

use krait_object::native::function;
use krait_object::{Args, Dict, Interpreter, List, Method, ModuleDef, PyResult, Str, Thread, Tuple, Value};
use krait_runtime::errors::{self, type_error};
use krait_runtime::exceptions;
use krait_runtime::interpreters::{self, Failure, Features, crossing, whence};
use krait_runtime::protocol::{attr, compare, repr};
use krait_runtime::types::module;

pub static MODULE: ModuleDef = ModuleDef {
    doc: "Primitive operations on the interpreters of the process.",
    functions: FUNCTIONS,
    classes: &[&crossing::VIEW_DEF],
    init: Some(|th, m| {
        let d = module::dict(m);
        for (name, number) in [
            ("WHENCE_UNKNOWN", whence::UNKNOWN),
            ("WHENCE_RUNTIME", whence::RUNTIME),
            ("WHENCE_LEGACY_CAPI", whence::LEGACY_CAPI),
            ("WHENCE_CAPI", whence::CAPI),
            ("WHENCE_XI", whence::XI),
            ("WHENCE_STDLIB", whence::STDLIB),
        ] {
            d.set_text(name, number);
        }
        interpreters::add_errors(th, m);
        Ok(())
    }),
    ..ModuleDef::new("_interpreters")
};

static FUNCTIONS: &[Method] = &[
    function(
        "new_config",
        "(name='isolated', /, **overrides)",
        "What an interpreter may do, as a namespace: the set of that name ('isolated', 'legacy' or 'empty'), changed.",
        new_config,
    ),
    function(
        "create",
        "(config='isolated', *, reqrefs=False)",
        "Make an interpreter; its number. With reqrefs it ends when the last user of the number goes.",
        create,
    ),
    function("destroy", "(id, *, restrict=False)", "End an interpreter that nobody runs.", |th, a| {
        let interp = resolve(th, &a[0], a.opt(1), false, "destroy")?;
        if Arc::ptr_eq(&interp, &th.interp) {
            return Err(interpreters::error(th, "cannot destroy the current interpreter"));
        }
        if interpreters::identity(&interp).is_running() {
            return Err(interpreters::error(th, "interpreter running"));
        }
        interpreters::end(th, &interp);
        Ok(Value::NONE)
    }),
    function(
        "list_all",
        "(*, require_ready=False)",
        "The numbers of all interpreters, each with where it comes from.",
        |th, a| {
            let ready = truth(th, a.opt(0))?;
            let all = interpreters::all();
            let shown = all.iter().filter(|i| !ready || interpreters::identity(i).is_ready()).map(summary);
            Ok(List::new(shown.collect()).into())
        },
    ),
    function("get_current", "()", "The number of the interpreter that runs, and where it comes from.", |th, _| {
        Ok(summary(&th.interp))
    }),
    function("get_main", "()", "The number of the main interpreter, and where it comes from.", |th, _| {
        let main = interpreters::main().unwrap_or_else(|| th.interp.clone());
        Ok(summary(&main))
    }),
    function(
        "is_running",
        "(id, *, restrict=False)",
        "Whether somebody runs the interpreter's `__main__`.",
        |th, a| {
            let interp = resolve(th, &a[0], a.opt(1), true, "check if running for")?;
            Ok(Value::bool(interpreters::identity(&interp).is_running()))
        },
    ),
    function("get_config", "(id, *, restrict=False)", "What the interpreter may do, as a namespace.", |th, a| {
        let interp = match a[0].is_none() {
            true => th.interp.clone(),
            false => resolve(th, &a[0], a.opt(1), false, "get the config of")?,
        };
        Ok(interpreters::identity(&interp).features().to_value())
    }),
    function("whence", "(id)", "Where the interpreter comes from.", |th, a| {
        let interp = interpreters::look_up(th, &a[0])?;
        Ok(Value::from(interpreters::identity(&interp).whence()))
    }),
    function(
        "exec",
        "(id, code, shared=None, *, restrict=False)",
        "Run a text, a function without arguments or a code object in the interpreter's `__main__`, after binding the \
         names of `shared` there. None, or a snapshot of the exception that ended it.",
        |th, a| {
            let interp = resolve(th, &a[0], a.opt(3), true, "exec code for")?;
            let code = execute::Code::of_any(th, &a[1])?;
            execute::exec(th, &interp, &code, a.opt(2))
        },
    ),
    function(
        "call",
        "(id, callable, args=None, kwargs=None, *, restrict=False)",
        "Run the body of a function without arguments in the interpreter.",
        |th, a| {
            let interp = resolve(th, &a[0], a.opt(4), true, "make a call in")?;
            for (at, what) in [(2, "args"), (3, "kwargs")] {
                if a.opt(at).is_some() {
                    return Err(errors::value_error(th, format!("got unexpected {what}")));
                }
            }
            let code = execute::Code::of_code(th, &a[1], "_interpreters.call", "a function")?;
            execute::exec(th, &interp, &code, None)
        },
    ),
    function("run_string", "(id, script, shared=None, *, restrict=False)", "As exec(), for a text.", |th, a| {
        if a[1].downcast_ref::<Str>().is_none() {
            let class = a[1].class().name();
            return Err(type_error(th, format!("_interpreters.run_string() argument 2 must be str, not {class}")));
        }
        let interp = resolve(th, &a[0], a.opt(3), true, "run a string in")?;
        let code = execute::Code::of_any(th, &a[1])?;
        execute::exec(th, &interp, &code, a.opt(2))
    }),
    function(
        "run_func",
        "(id, func, shared=None, *, restrict=False)",
        "As exec(), for a function or a code object.",
        |th, a| {
            let interp = resolve(th, &a[0], a.opt(3), true, "run a function in")?;
            let code = execute::Code::of_code(th, &a[1], "_interpreters.exec", "a function or a code object")?;
            execute::exec(th, &interp, &code, a.opt(2))
        },
    ),
    function(
        "set___main___attrs",
        "(id, updates, *, restrict=False)",
        "Bind names in the interpreter's `__main__`.",
        |th, a| {
            let interp = resolve(th, &a[0], a.opt(2), true, "update __main__ for")?;
            if !a[1].is_none() && krait_runtime::protocol::sequence::len(th, &a[1])? == 0 {
                return Err(errors::value_error(th, "arg 2 must be a non-empty mapping"));
            }
            execute::bind(th, &interp, &a[1])?;
            Ok(Value::NONE)
        },
    ),
    function("incref", "(id, *, implieslink=False, restrict=False)", "One user of the number more.", |th, a| {
        let interp = resolve(th, &a[0], a.opt(2), true, "incref")?;
        let own = interpreters::identity(&interp);
        if truth(th, a.opt(1))? {
            own.set_ends_with_users(true);
        }
        own.add_user();
        Ok(Value::NONE)
    }),
    function("decref", "(id, *, restrict=False)", "One user of the number less.", |th, a| {
        let interp = resolve(th, &a[0], a.opt(1), true, "decref")?;
        interpreters::remove_user(th, &interp);
        Ok(Value::NONE)
    }),
    function("is_shareable", "(obj)", "Whether an object like this may go to another interpreter.", |th, a| {
        Ok(Value::bool(crossing::is_shareable(th, &a[0])))
    }),
    function(
        "capture_exception",
        "(exc=None)",
        "A snapshot of an exception, as exec() returns it; of the one being handled unless one is given.",
        |th, a| {
            let exception = match a.opt_not_none(0) {
                Some(e) => e.clone(),
                None => match th.topmost_handled() {
                    Some(e) => e.clone(),
                    None => return Ok(Value::NONE),
                },
            };
            if !exceptions::is_exception(&exception) {
                let shown = repr::repr(th, &exception)?;
                return Err(type_error(th, format!("expected exception, got {shown}")));
            }
            Ok(Failure::of(th, &exception).to_value())
        },
    ),
];

fn truth(th: &mut Thread, v: Option<&Value>) -> PyResult<bool> {
    v.map_or(Ok(false), |v| compare::truth(th, v))
}
/// Number and origin.
fn summary(interp: &Arc<Interpreter>) -> Value {
    let own = interpreters::identity(interp);
    Tuple::of([Value::from(own.id()), Value::from(own.whence())]).into()
}
/// The interpreter that a number means: one that this module made if it is restricted to those, one that can run code if
/// `ready`.
fn resolve(
    th: &mut Thread,
    id: &Value,
    restricted: Option<&Value>,
    ready: bool,
    doing: &str,
) -> PyResult<Arc<Interpreter>> {
    let restricted = truth(th, restricted)?;
    let interp = interpreters::look_up(th, id)?;
    let own = interpreters::identity(&interp);
    if ready && !own.is_ready() {
        let shown = repr::repr(th, id)?;
        return Err(interpreters::error(th, format!("cannot {doing} interpreter {shown} (not ready)")));
    }
    if restricted && own.whence() != whence::STDLIB {
        let shown = repr::repr(th, id)?;
        return Err(interpreters::error(th, format!("cannot {doing} unrecognized interpreter {shown}")));
    }
    Ok(interp)
}
fn new_config(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let mut features = match a.opt(0) {
        None => Features::ISOLATED,
        Some(name) => match name.downcast_ref::<Str>() {
            Some(text) => Features::named(th, &text.to_string_lossy())?,
            None => {
                let class = name.class().name();
                let message = format!("_interpreters.new_config() argument 1 must be str, not {class}");
                return Err(type_error(th, message));
            }
        },
    };
    if let Some(overrides) = a[1].to_ref::<Dict>() {
        features.update(th, &overrides, true)?;
    }
    Ok(features.to_value())
}
fn create(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let features = Features::from_object(th, a.opt(0))?;
    let counted = truth(th, a.opt(1))?;
    match interpreters::create(th, features, whence::STDLIB) {
        Ok(interp) => {
            let own = interpreters::identity(&interp);
            own.set_ends_with_users(counted);
            Ok(Value::from(own.id()))
        }
        Err(raised) => {
            let cause = errors::take(th, raised);
            let _raised = interpreters::error(th, "interpreter creation failed");
            if let Some(base) = th.exc.as_ref().and_then(exceptions::base) {
                base.context.set(Some(cause));
            }
            Err(_raised)
        }
    }
}
/// `interpreter.__main__`'s namespace, in its own state.
pub(crate) fn main_namespace(th: &mut Thread) -> PyResult<krait_object::Ref<Dict>> {
    let main = krait_runtime::import::import_module(th, "__main__")?;
    match attr::get_text(th, &main, "__dict__")?.to_ref::<Dict>() {
        Some(d) => Ok(d),
        None => Err(errors::runtime_error(th, "failed to get __main__ namespace")),
    }
}
