//! `_tkinter`: Tcl interpreters with Tk, for `tkinter`. Functions of the module and what its classes share are here.
//! CPython: `Modules/_tkinter.c`.
mod app;
mod calls;
mod convert;
mod events;
mod value;

use std::ffi::{CStr, CString};
use std::sync::atomic::{AtomicBool, AtomicI32, Ordering::Relaxed};

use krait_libraries::tcl;
use krait_object::native::function;
use krait_object::{
    Args, ClassDef, List, Method, ModuleDef, PyResult, Raised, Thread, Tuple, TypeObject, Value, ValueCell, type_flag,
};
use krait_runtime::convert::expect_text;
use krait_runtime::errors::{self, import_error, type_error, value_error};
use krait_runtime::exceptions::EXCEPTION;
use krait_runtime::protocol::{compare, number, sequence};
use krait_runtime::types::module;
use krait_runtime::world::{back, outside as run};

pub static MODULE: ModuleDef =
    ModuleDef { functions: FUNCTIONS, classes: &[&TCL_ERROR_DEF], init: Some(init), ..ModuleDef::new("_tkinter") };

static TCL_ERROR: TypeObject = TypeObject::builtin_like("TclError", &EXCEPTION);
static TCL_ERROR_DEF: ClassDef = ClassDef { module: "_tkinter", flags: type_flag::BASE, ..ClassDef::new(&TCL_ERROR) };

/// What the module keeps per interpreter.
#[derive(Default)]
struct State {
    /// The exception of a callback, which ends the main loop.
    failure: ValueCell,
    quit: AtomicBool,
    busy_wait: AtomicI32,
}

const CREATE: &str = "(screenName=None, baseName='', className='Tk',\n       interactive=False, wantobjects=0, wantTk=True, sync=False,\n       use=None, /)";
static FUNCTIONS: &[Method] = &[
    function("_flatten", "(item, /)", "The items of nested tuples and lists but None, in one tuple.", |th, a| {
        let length = sequence::len(th, &a[0])?;
        if a[0].class().slots.sq_len.get().is_none() {
            let given = a[0].class().name();
            return Err(type_error(th, format!("{given} is not a sequence")));
        }
        if length == 0 {
            return Ok(Tuple::empty().into());
        }
        let mut out = Vec::new();
        flatten(th, &a[0], 0, &mut out)?;
        Ok(Tuple::from_vec(out).into())
    }),
    function(
        "create",
        CREATE,
        "\n\n  wantTk\n    whether Tk is to be initialized\n  sync\n    whether to pass -sync to wish\n  use\n    what to pass to wish with -use",
        create,
    ),
    function("setbusywaitinterval", "(new_val, /)", "Set the busy-wait interval in milliseconds.", |th, a| {
        let interval = number::to_i32(th, &a[0])?;
        if interval < 0 {
            return Err(value_error(th, "busywaitinterval must be >= 0"));
        }
        th.interp.extension::<State>().busy_wait.store(interval, Relaxed);
        Ok(Value::NONE)
    }),
    function("getbusywaitinterval", "()", "The busy-wait interval in milliseconds.", |th, _| {
        Ok(th.interp.extension::<State>().busy_wait.load(Relaxed).into())
    }),
];

fn init(th: &mut Thread, m: &Value) -> PyResult<()> {
    if !tcl::is_there() {
        return Err(import_error(th, "Tcl 8.6 and Tk 8.6 were not found on this system"));
    }
    let d = module::dict(m);
    for (name, def) in [("TkappType", &app::DEF), ("TkttType", &events::TIMER_DEF), ("Tcl_Obj", &value::DEF)] {
        krait_runtime::types::type_::ready::ready_class(th, def);
        d.set_text(name, def.class.to_value());
    }
    use tcl::events as e;
    let constants = [
        ("READABLE", e::READABLE),
        ("WRITABLE", e::WRITABLE),
        ("EXCEPTION", e::EXCEPTION),
        ("WINDOW_EVENTS", e::WINDOW_EVENTS),
        ("FILE_EVENTS", e::FILE_EVENTS),
        ("TIMER_EVENTS", e::TIMER_EVENTS),
        ("IDLE_EVENTS", e::IDLE_EVENTS),
        ("ALL_EVENTS", e::ALL_EVENTS),
        ("DONT_WAIT", e::DONT_WAIT),
    ];
    for (name, value) in constants {
        d.set_text(name, value);
    }
    d.set_text("TK_VERSION", tcl::VERSION);
    d.set_text("TCL_VERSION", tcl::VERSION);
    th.interp.extension::<State>().busy_wait.store(20, Relaxed);
    Ok(())
}

fn flatten(th: &mut Thread, v: &Value, depth: usize, out: &mut Vec<Value>) -> PyResult<()> {
    if depth > 1000 {
        return Err(value_error(th, "nesting too deep in _flatten"));
    }
    let Some(items) = items_of(v) else { return Err(type_error(th, "argument must be sequence")) };
    for item in items {
        if is_list(&item) {
            th.nested(" in _flatten", |th| flatten(th, &item, depth + 1, out))?;
        } else if !item.is_none() {
            out.push(item);
        }
    }
    Ok(())
}
fn is_list(v: &Value) -> bool {
    v.downcast_ref::<Tuple>().is_some() || v.downcast_ref::<List>().is_some()
}
/// The items of a tuple or list.
fn items_of(v: &Value) -> Option<Vec<Value>> {
    match v.downcast_ref::<Tuple>() {
        Some(t) => Some(t.to_vec()),
        None => v.downcast_ref::<List>().map(List::to_vec),
    }
}

/// `TclError` with the interpreter's result.
#[cold]
fn tcl_error(th: &mut Thread, message: &tcl::Obj) -> Raised {
    let message = convert::text_of(message.as_text());
    errors::raise_args(th, &TCL_ERROR, vec![message])
}
/// Keeps the exception of a callback for the main loop.
fn keep_failure(th: &mut Thread, raised: Raised) {
    let error = errors::take(th, raised);
    th.interp.extension::<State>().failure.set(Some(error));
}

/// A `str` argument without NUL as a C string that is not too long for Tcl.
fn c_text(th: &mut Thread, v: &Value, function: &str, argument: &str) -> PyResult<CString> {
    let text = expect_text(th, v, function, argument)?;
    let Ok(text) = CString::new(text) else { return Err(value_error(th, "embedded null character")) };
    check_length(th, text.as_bytes().len(), "string")?;
    Ok(text)
}
fn check_length(th: &mut Thread, n: usize, what: &str) -> PyResult<()> {
    match i32::try_from(n) {
        Ok(n) if n < i32::MAX => Ok(()),
        _ => Err(errors::overflow_error(th, format!("{what} is too long"))),
    }
}

fn create(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let text = |th: &mut Thread, i: usize, default: &CStr| match a.opt(i) {
        Some(v) => c_text(th, v, "create", &format!("argument {}", i + 1)),
        None => Ok(default.to_owned()),
    };
    let text_or_none = |th: &mut Thread, i: usize| match a.opt_not_none(i) {
        Some(v) if v.downcast_ref::<krait_object::Str>().is_none() => {
            let argument = format!("argument {}", i + 1);
            Err(krait_runtime::convert::wrong_type(th, "create", &argument, "str or None", v))
        }
        Some(v) => c_text(th, v, "create", "").map(Some),
        None => Ok(None),
    };
    let truth = |th: &mut Thread, i: usize, default: bool| a.opt(i).map_or(Ok(default), |v| compare::truth(th, v));
    let screen = text_or_none(th, 0)?;
    text(th, 1, c"")?;
    let class = text(th, 2, c"Tk")?;
    let interactive = truth(th, 3, false)?;
    let want_objects = a.opt(4).map_or(Ok(0), |v| number::to_i32(th, v))?;
    let want_tk = truth(th, 5, true)?;
    let sync = truth(th, 6, false)?;
    let within = text_or_none(th, 7)?;
    app::create(th, app::Wanted { screen, class, interactive, want_objects, want_tk, sync, within })
}
