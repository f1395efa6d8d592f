//! `tkapp`: an interpreter with its commands. Evaluation and variables are in `calls`, the event loop in `events`.
use std::ffi::{CStr, CString};
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, AtomicI32, Ordering::Relaxed};
use std::sync::{Arc, mpsc};
use std::time::Duration;

use krait_libraries::tcl::events::Loop;
use krait_libraries::tcl::{Command, Home, Interp, Owned};
use krait_macros::{Payload, Trace};
use krait_object::builtin_types::OBJECT;
use krait_object::native::method;
use krait_object::{
    Args, ClassDef, Method, PyResult, Raised, Ref, Thread, Tuple, TypeObject, VTable, Value, ValueCell, type_flag,
};
use krait_runtime::errors::{memory_error, raise, raise_value, runtime_error, type_error};
use krait_runtime::protocol::{call, number};
use krait_runtime::world::blocking;

use super::convert::{from_tcl, text_of, to_tcl};
use super::{TCL_ERROR, back, c_text, calls, events, keep_failure, run, tcl_error};

/// An interpreter and the thread it is used on.
type Handle = Arc<Home<Owned>>;

#[derive(Trace, Payload)]
#[payload(class = APP)]
pub struct App {
    /// Ends with the object, not when it is finalized: finalizers of what is garbage with it still call commands.
    #[trace(skip)]
    handle: Handle,
    #[trace(skip)]
    events: Loop,
    /// 0: text; 1: results are Python's types; 2: what commands are called with too.
    #[trace(skip)]
    want_objects: Arc<AtomicI32>,
    /// The main loop runs.
    #[trace(skip)]
    pub dispatching: AtomicBool,
    trace: ValueCell,
}
static LAYOUT: VTable = VTable::of::<App>();
static APP: TypeObject = TypeObject::builtin("tkapp", Some(&OBJECT), &LAYOUT);
pub static DEF: ClassDef = ClassDef {
    module: "_tkinter",
    methods: METHODS,
    flags: type_flag::IMMUTABLE | type_flag::DISALLOW_INSTANTIATION,
    ..ClassDef::new(&APP)
};
static METHODS: &[Method] = &[
    method("willdispatch", "()", "Say that the main loop is about to run.", |_, a| {
        this(a).dispatching.store(true, Relaxed);
        Ok(Value::NONE)
    }),
    method("wantobjects", "(value=-1, /)", "Whether results are objects, or set it.", |th, a| {
        match a.opt(1).map_or(Ok(-1), |v| number::to_i32(th, v))? {
            -1 => Ok(this(a).want_objects.load(Relaxed).into()),
            value => {
                this(a).want_objects.store(value, Relaxed);
                Ok(Value::NONE)
            }
        }
    })
    .hidden(),
    method("settrace", "(func, /)", "Set the tracing function.", |_, a| {
        this(a).trace.set(a.opt_not_none(1).cloned());
        Ok(Value::NONE)
    }),
    method("gettrace", "()", "Get the tracing function.", |_, a| Ok(this(a).trace.get().unwrap_or(Value::NONE))),
    method("call", "(*args)", "Call a command.", calls::call).hidden(),
    method("eval", "(script, /)", "Evaluate a script.", calls::eval),
    method("evalfile", "(fileName, /)", "Evaluate a file.", calls::eval_file),
    method("record", "(script, /)", "Add a script to the history.", calls::record),
    method("adderrorinfo", "(msg, /)", "Add to the error's trace.", calls::add_error_info),
    method("setvar", "(*args)", "Set a variable.", calls::set_var).hidden(),
    method("globalsetvar", "(*args)", "Set a global variable.", calls::set_global).hidden(),
    method("getvar", "(*args)", "The value of a variable.", calls::get_var).hidden(),
    method("globalgetvar", "(*args)", "The value of a global variable.", calls::get_global).hidden(),
    method("unsetvar", "(*args)", "Remove a variable.", calls::unset_var).hidden(),
    method("globalunsetvar", "(*args)", "Remove a global variable.", calls::unset_global).hidden(),
    method("getint", "(arg, /)", "An integer in Tcl's notation.", calls::get_int),
    method("getdouble", "(arg, /)", "A number in Tcl's notation.", calls::get_double),
    method("getboolean", "(arg, /)", "A truth value in Tcl's notation.", calls::get_boolean),
    method("exprstring", "(s, /)", "Evaluate an expression to a text.", calls::expr_string),
    method("exprlong", "(s, /)", "Evaluate an expression to an int.", calls::expr_long),
    method("exprdouble", "(s, /)", "Evaluate an expression to a float.", calls::expr_double),
    method("exprboolean", "(s, /)", "Evaluate an expression to 0 or 1.", calls::expr_boolean),
    method("splitlist", "(arg, /)", "The items of a list.", calls::split_list),
    method("createcommand", "(name, func, /)", "Make a function a command.", create_command),
    method("deletecommand", "(name, /)", "Delete a command.", delete_command),
    method("createfilehandler", "(file, mask, func, /)", "Call a function when a file is ready.", events::create_file),
    method("deletefilehandler", "(file, /)", "Watch a file no more.", events::delete_file),
    method("createtimerhandler", "(milliseconds, func, /)", "Call a function after a time.", events::create_timer),
    method("mainloop", "(threshold=0, /)", "Handle events while there are more windows than that.", events::main_loop),
    method("dooneevent", "(flags=0, /)", "Handle one event.", events::one_event),
    method("quit", "()", "End the main loop.", events::quit),
    method("interpaddr", "()", "The address of the interpreter.", |th, a| {
        with(th, &this_ref(a), |_, interp| Ok(interp.address().into()))
    }),
    method("loadtk", "()", "Initialize Tk unless that was done.", load_tk),
];
pub fn this<'a>(a: &Args<'a>) -> &'a App {
    a.this()
}
pub fn this_ref(a: &Args<'_>) -> Ref<App> {
    a.this_ref()
}

/// What `create` is asked for.
pub struct Wanted {
    pub screen: Option<CString>,
    pub class: CString,
    pub interactive: bool,
    pub want_objects: i32,
    pub want_tk: bool,
    pub sync: bool,
    pub within: Option<CString>,
}

pub fn create(th: &mut Thread, wanted: Wanted) -> PyResult<Value> {
    let Some(interp) = Owned::new() else { return Err(memory_error(th)) };
    // A script's `exit` would end the process behind Python's back.
    interp.delete_command(c"exit");
    if let Some(screen) = &wanted.screen {
        interp.set_text(c"env", Some(c"DISPLAY"), screen);
    }
    interp.set_text(c"tcl_interactive", None, if wanted.interactive { c"1" } else { c"0" });
    let mut name = wanted.class.clone().into_bytes();
    if let Some(first) = name.first_mut() {
        first.make_ascii_lowercase();
    }
    interp.set_text(c"argv0", None, &CString::new(name).unwrap_or_default());
    if !wanted.want_tk {
        interp.set_text(c"_tkinter_skip_tk_init", None, c"1");
    }
    let sync = wanted.sync.then(|| b"-sync".to_vec());
    let within = wanted.within.map(|within| [b"-use ", within.as_bytes()].concat());
    let args: Vec<Vec<u8>> = sync.into_iter().chain(within).collect();
    if !args.is_empty() {
        interp.set_text(c"argv", None, &CString::new(args.join(&b' ')).unwrap_or_default());
    }
    let done = run(th, || interp.init() && (!wanted.want_tk || interp.init_tk()));
    if !done {
        return Err(tcl_error(th, &interp.result()));
    }
    let app = App {
        handle: Arc::new(Home::new(interp)),
        events: Loop::here(),
        want_objects: Arc::new(AtomicI32::new(wanted.want_objects)),
        dispatching: AtomicBool::new(false),
        trace: ValueCell::empty(),
    };
    Ok(Ref::new(app).into())
}

#[cold]
fn apartment(th: &mut Thread) -> Raised {
    runtime_error(th, "Calling Tcl from different apartment")
}
#[cold]
fn no_main_loop(th: &mut Thread) -> Raised {
    runtime_error(th, "main thread is not in main loop")
}

impl App {
    pub fn wants_objects(&self) -> bool {
        self.want_objects.load(Relaxed) != 0
    }
    /// Calls the tracing function with the words that are about to run.
    pub fn traced(&self, th: &mut Thread, words: impl FnOnce() -> Vec<Value>) -> PyResult<()> {
        if let Some(trace) = self.trace.get() {
            call::call(th, &trace, &[Tuple::from_vec(words()).into()])?;
        }
        Ok(())
    }
}

/// Works with the interpreter on its own thread only.
pub fn with(
    th: &mut Thread,
    app: &Ref<App>,
    f: impl FnOnce(&mut Thread, &Interp) -> PyResult<Value>,
) -> PyResult<Value> {
    match app.handle.here() {
        Some(interp) => f(th, interp),
        None => Err(apartment(th)),
    }
}
/// As [`with`]; from another thread, the interpreter's main loop does it.
pub fn anywhere(
    th: &mut Thread,
    app: &Ref<App>,
    f: impl FnOnce(&mut Thread, &Ref<App>, &Interp) -> PyResult<Value> + Send + 'static,
) -> PyResult<Value> {
    let handle = app.handle.clone();
    if let Some(interp) = handle.here() {
        return f(th, app, interp);
    }
    wait_for_main_loop(th, app)?;
    let (tell, told) = mpsc::channel();
    let there = app.clone();
    app.events.send(Box::new(move || {
        back(move |th| {
            let done = match handle.here() {
                Some(interp) => f(th, &there, interp),
                None => Err(apartment(th)),
            };
            // Nobody waits any more if that fails.
            let _ = tell.send(done.map_err(|raised| krait_runtime::errors::take(th, raised)));
        });
    }));
    match blocking(th, || told.recv()) {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(error)) => Err(raise_value(th, error)),
        Err(_) => Err(no_main_loop(th)),
    }
}
/// Waits up to a second for the main loop to begin.
fn wait_for_main_loop(th: &mut Thread, app: &Ref<App>) -> PyResult<()> {
    for _ in 0..10 {
        if app.dispatching.load(Relaxed) {
            return Ok(());
        }
        blocking(th, || std::thread::sleep(Duration::from_millis(100)));
    }
    if app.dispatching.load(Relaxed) { Ok(()) } else { Err(no_main_loop(th)) }
}

/// A callable that the library holds, which lets go of it outside of Python.
struct Held(Option<Value>);
impl Drop for Held {
    fn drop(&mut self) {
        if let Some(f) = self.0.take() {
            let mut f = Some(f);
            back(|_| drop(f.take()));
        }
    }
}

fn create_command(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let name = c_text(th, &a[1], "createcommand", "argument 1")?;
    let f = a[2].clone();
    if !call::is_callable(&f) {
        return Err(type_error(th, "command not callable"));
    }
    anywhere(th, &this_ref(a), move |th, app, interp| {
        app.traced(th, || {
            let words = [Value::str("proc"), text_of(name.as_bytes()), Tuple::empty().into(), f.clone()];
            vec![Tuple::from_slice(&words).into()]
        })?;
        let (held, want_objects) = (Held(Some(f)), app.want_objects.clone());
        let command: Rc<Command> = Rc::new(move |interp, args| {
            let f = held.0.as_ref()?;
            let answered = back(|th| {
                let objects = want_objects.load(Relaxed) >= 2;
                let args: PyResult<Vec<Value>> = args
                    .iter()
                    .map(|v| if objects { from_tcl(th, interp, v) } else { Ok(text_of(v.as_text())) })
                    .collect();
                let answered = args.and_then(|args| call::call(th, f, &args)).and_then(|v| to_tcl(th, &v));
                answered.map_err(|raised| keep_failure(th, raised)).ok()
            });
            answered.flatten()
        });
        if run(th, || interp.create_command(&name, command)) {
            return Ok(Value::NONE);
        }
        Err(raise(th, &TCL_ERROR, "can't create Tcl command"))
    })
}
fn delete_command(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let name = c_text(th, &a[1], "deletecommand", "argument")?;
    anywhere(th, &this_ref(a), move |th, app, interp| {
        app.traced(th, || {
            let words = [Value::str("rename"), text_of(name.as_bytes()), Value::str("")];
            vec![Tuple::from_slice(&words).into()]
        })?;
        if run(th, || interp.delete_command(&name)) {
            return Ok(Value::NONE);
        }
        Err(raise(th, &TCL_ERROR, "can't delete Tcl command"))
    })
}
fn load_tk(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    with(th, &this_ref(a), |th, interp| {
        const ASK: &CStr = c"info exists tk_version";
        let done = run(th, || interp.eval(ASK) && (interp.result().as_text() == b"1" || interp.init_tk()));
        if done { Ok(Value::NONE) } else { Err(tcl_error(th, &interp.result())) }
    })
}
