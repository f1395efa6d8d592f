//! The event loop: the main loop, files and timers. Other threads run while it waits.
use std::collections::HashMap;
use std::rc::Rc;
use std::sync::atomic::Ordering::Relaxed;

use krait_libraries::tcl::{Home, events};
use krait_macros::{Payload, Trace};
use krait_object::builtin_types::OBJECT;
use krait_object::native::method;
use krait_object::{
    Args, ClassDef, Locked, Method, PyResult, Ref, SlotDefs, Thread, Tuple, TypeObject, VTable, Value, ValueCell,
    type_flag,
};
use krait_runtime::errors::{raise_value, type_error, value_error};
use krait_runtime::protocol::{attr, call, number};
use krait_runtime::signals;

use super::app::{this, this_ref, with};
use super::{State, back, keep_failure, run};

pub fn main_loop(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let threshold = a.opt(1).map_or(Ok(0), |v| number::to_i32(th, v))?;
    let app = this_ref(a);
    with(th, &app, |th, _| {
        let state = th.interp.extension::<State>();
        app.dispatching.store(true, Relaxed);
        state.quit.store(false, Relaxed);
        while events::main_windows() > threshold && !state.quit.load(Relaxed) && !state.failure.is_set() {
            let handled = run(th, || events::do_one_event(0));
            if let Err(raised) = signals::run_pending(th) {
                app.dispatching.store(false, Relaxed);
                return Err(raised);
            }
            if handled < 0 {
                break;
            }
        }
        app.dispatching.store(false, Relaxed);
        state.quit.store(false, Relaxed);
        match state.failure.take() {
            Some(error) => Err(raise_value(th, error)),
            None => Ok(Value::NONE),
        }
    })
}
pub fn one_event(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let flags = a.opt(1).map_or(Ok(0), |v| number::to_i32(th, v))?;
    Ok(run(th, || events::do_one_event(flags)).into())
}
pub fn quit(th: &mut Thread, _: &Args<'_>) -> PyResult<Value> {
    th.interp.extension::<State>().quit.store(true, Relaxed);
    Ok(Value::NONE)
}

/// What runs when something happens, by the file's or the timer's number.
#[derive(Default)]
struct Handlers {
    files: Locked<HashMap<i32, (Value, Value)>>,
}

fn descriptor(th: &mut Thread, v: &Value) -> PyResult<i32> {
    let fd = if v.as_int_ref().is_some() {
        v.clone()
    } else {
        let Some(fileno) = attr::get_text_opt(th, v, "fileno")? else {
            return Err(type_error(th, "argument must be an int, or have a fileno() method."));
        };
        let fd = call::call(th, &fileno, &[])?;
        if fd.as_int_ref().is_none() {
            return Err(type_error(th, "fileno() returned a non-integer"));
        }
        fd
    };
    match number::to_i32(th, &fd)? {
        fd if fd < 0 => Err(value_error(th, format!("file descriptor cannot be a negative integer ({fd})"))),
        fd => Ok(fd),
    }
}
pub fn create_file(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let mask = number::to_i32(th, &a[2])?;
    with(th, &this_ref(a), |th, _| {
        let fd = descriptor(th, &a[1])?;
        let f = a[3].clone();
        if !call::is_callable(&f) {
            return Err(type_error(th, "bad argument list"));
        }
        this(a).traced(th, || {
            let words = [Value::str("#"), Value::str("createfilehandler"), fd.into(), mask.into(), f.clone()];
            vec![Tuple::from_slice(&words).into()]
        })?;
        let handlers = th.interp.extension::<Handlers>();
        let old = handlers.files.lock().insert(fd, (f, a[1].clone()));
        drop(old);
        events::create_file_handler(fd, mask, Rc::new(move |mask| file_ready(fd, mask)));
        Ok(Value::NONE)
    })
}
fn file_ready(fd: i32, mask: i32) {
    back(|th| {
        let found = th.interp.extension::<Handlers>().files.lock().get(&fd).cloned();
        let Some((f, file)) = found else { return };
        if let Err(raised) = call::call(th, &f, &[file, mask.into()]) {
            keep_failure(th, raised);
        }
    });
}
pub fn delete_file(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    with(th, &this_ref(a), |th, _| {
        let fd = descriptor(th, &a[1])?;
        this(a).traced(th, || vec![Tuple::of([Value::str("#"), Value::str("deletefilehandler"), fd.into()]).into()])?;
        let old = th.interp.extension::<Handlers>().files.lock().remove(&fd);
        drop(old);
        events::delete_file_handler(fd);
        Ok(Value::NONE)
    })
}

/// `tktimertoken`
#[derive(Trace, Payload)]
#[payload(class = TIMER)]
struct Timer {
    /// The library's number of it, on the thread whose loop it is in.
    #[trace(skip)]
    id: Locked<Option<Home<usize>>>,
    /// `None` once it ran or was deleted.
    func: ValueCell,
}
static LAYOUT: VTable = VTable::of::<Timer>();
static TIMER: TypeObject = TypeObject::builtin("tktimertoken", Some(&OBJECT), &LAYOUT);
pub static TIMER_DEF: ClassDef = ClassDef {
    module: "_tkinter",
    methods: TIMER_METHODS,
    slots: SlotDefs {
        repr: Some(|_, v| {
            let over = v.downcast_ref::<Timer>().is_none_or(|t| !t.func.is_set());
            let over = if over { ", handler deleted" } else { "" };
            Ok(Value::str(&format!("<tktimertoken at {:#x}{over}>", v.id())))
        }),
        ..SlotDefs::EMPTY
    },
    flags: type_flag::IMMUTABLE | type_flag::DISALLOW_INSTANTIATION,
    ..ClassDef::new(&TIMER)
};
static TIMER_METHODS: &[Method] = &[method("deletetimerhandler", "()", "Forget the timer.", |th, a| {
    let timer = a.this::<Timer>();
    let id = timer.id.lock().take();
    if let Some(id) = id {
        match id.here() {
            // The closure that is dropped comes back to drop what it holds.
            Some(&id) => run(th, || events::delete_timer(id)),
            None => return Err(krait_runtime::errors::runtime_error(th, "Calling Tcl from different apartment")),
        }
    }
    timer.func.set(None);
    Ok(Value::NONE)
})];

/// A timer that waits keeps its token.
struct Waiting(Option<Ref<Timer>>);
impl Drop for Waiting {
    fn drop(&mut self) {
        let mut timer = self.0.take();
        if timer.is_some() {
            back(|_| drop(timer.take()));
        }
    }
}
pub fn create_timer(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let milliseconds = number::to_i32(th, &a[1])?;
    let f = a[2].clone();
    if !call::is_callable(&f) {
        return Err(type_error(th, "bad argument list"));
    }
    with(th, &this_ref(a), |th, _| {
        this(a).traced(th, || vec![Tuple::of([Value::str("after"), milliseconds.into(), f.clone()]).into()])?;
        let timer = Ref::new(Timer { id: Locked::new(None), func: ValueCell::new(Some(f)) });
        let mut waiting = Waiting(Some(timer.clone()));
        let id = events::create_timer(
            milliseconds,
            Box::new(move || {
                back(|th| {
                    let Some(timer) = waiting.0.take() else { return };
                    *timer.id.lock() = None;
                    let Some(f) = timer.func.take() else { return };
                    if let Err(raised) = call::call(th, &f, &[]) {
                        keep_failure(th, raised);
                    }
                });
            }),
        );
        *timer.id.lock() = Some(Home::new(id));
        Ok(timer.into())
    })
}
