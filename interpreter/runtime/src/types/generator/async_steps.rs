//! The awaitables behind `__anext__`, `asend`, `athrow` and `aclose` of asynchronous generators, and the wrapper that
//! tells a value yielded by the generator from one yielded by what it awaits. CPython: the second half of `genobject.c`.
use std::sync::atomic::{AtomicU8, Ordering::Relaxed};

use krait_macros::{Payload, Trace};
use krait_object::native::{Method, method};
use krait_object::{
    ClassDef, PyResult, Raised, Ref, SlotDefs, Thread, Tuple, TypeObject, VTable, Value, builtin_types::OBJECT,
    type_flag,
};

use super::throw::{exception_from, finished_with, throw_exception};
use super::{Generator, State, expect, send};
use crate::errors;
use crate::exceptions as exc;

/// What `yield` in an asynchronous generator hands out.
#[derive(Trace, Payload)]
#[payload(class = ASYNC_WRAPPED)]
pub struct Wrapped {
    value: Value,
}
static WRAPPED_LAYOUT: VTable = VTable::of::<Wrapped>();
pub static ASYNC_WRAPPED: TypeObject =
    TypeObject::builtin("async_generator_wrapped_value", Some(&OBJECT), &WRAPPED_LAYOUT);
pub(super) static WRAPPED_DEF: ClassDef =
    ClassDef { flags: type_flag::DISALLOW_INSTANTIATION, ..ClassDef::new(&ASYNC_WRAPPED) };

pub fn wrap(value: Value) -> Value {
    Ref::new(Wrapped { value }).into()
}

const INIT: u8 = 0;
const ITER: u8 = 1;
const CLOSED: u8 = 2;

#[derive(Trace, Payload)]
#[payload(class = ASYNC_ASEND)]
pub struct Asend {
    generator: Value,
    sent: Option<Value>,
    #[trace(skip)]
    state: AtomicU8,
}
static ASEND_LAYOUT: VTable = VTable::of::<Asend>();
pub static ASYNC_ASEND: TypeObject = TypeObject::builtin("async_generator_asend", Some(&OBJECT), &ASEND_LAYOUT);

/// `args` are those of `athrow`; `aclose` has none.
#[derive(Trace, Payload)]
#[payload(class = ASYNC_ATHROW)]
pub struct Athrow {
    generator: Value,
    args: Option<Vec<Value>>,
    #[trace(skip)]
    state: AtomicU8,
}
static ATHROW_LAYOUT: VTable = VTable::of::<Athrow>();
pub static ASYNC_ATHROW: TypeObject = TypeObject::builtin("async_generator_athrow", Some(&OBJECT), &ATHROW_LAYOUT);

pub(super) fn new_asend(generator: &Value, sent: Option<Value>) -> Value {
    Ref::new(Asend { generator: generator.clone(), sent, state: AtomicU8::new(INIT) }).into()
}
pub(super) fn new_athrow(generator: &Value, args: Option<Vec<Value>>) -> Value {
    Ref::new(Athrow { generator: generator.clone(), args, state: AtomicU8::new(INIT) }).into()
}

pub(super) static ASEND_DEF: ClassDef = ClassDef {
    methods: ASEND_METHODS,
    slots: SlotDefs {
        iter: Some(|_, v| Ok(v.clone())),
        await_: Some(|_, v| Ok(v.clone())),
        next: Some(|th, v| asend_send(th, v, Value::NONE).map(Some)),
        finalize: Some(|th, v| {
            let step = asend_of(v);
            if step.state.load(Relaxed) == INIT {
                super::finalize::warn_method_never_awaited(th, &step.generator, "asend");
            }
        }),
        ..SlotDefs::EMPTY
    },
    flags: type_flag::DISALLOW_INSTANTIATION,
    ..ClassDef::new(&ASYNC_ASEND)
};
static ASEND_METHODS: &[Method] = &[
    method("send", "(value, /)", "As a generator's send().", |th, a| asend_send(th, &a[0], a[1].clone())),
    method("throw", "", "As a generator's throw().", |th, a| asend_throw(th, &a[0], a.skip_first().pos())),
    method("close", "()", "As a generator's close().", |th, a| {
        let v = a[0].clone();
        if asend_of(&v).state.load(Relaxed) == CLOSED {
            return Ok(Value::NONE);
        }
        let exit = [exc::allocate(&exc::GENERATOR_EXIT, Tuple::empty())];
        let result = asend_throw(th, &v, &exit);
        closed(th, result)
    }),
];
pub(super) static ATHROW_DEF: ClassDef = ClassDef {
    methods: ATHROW_METHODS,
    slots: SlotDefs {
        iter: Some(|_, v| Ok(v.clone())),
        await_: Some(|_, v| Ok(v.clone())),
        next: Some(|th, v| athrow_send(th, v, Value::NONE).map(Some)),
        finalize: Some(|th, v| {
            let step = athrow_of(v);
            if step.state.load(Relaxed) == INIT {
                let method = if step.args.is_some() { "athrow" } else { "aclose" };
                super::finalize::warn_method_never_awaited(th, &step.generator, method);
            }
        }),
        ..SlotDefs::EMPTY
    },
    flags: type_flag::DISALLOW_INSTANTIATION,
    ..ClassDef::new(&ASYNC_ATHROW)
};
static ATHROW_METHODS: &[Method] = &[
    method("send", "(value, /)", "As a generator's send().", |th, a| athrow_send(th, &a[0], a[1].clone())),
    method("throw", "", "As a generator's throw().", |th, a| athrow_throw(th, &a[0], a.skip_first().pos())),
    method("close", "()", "As a generator's close().", |th, a| {
        let v = a[0].clone();
        if athrow_of(&v).state.load(Relaxed) == CLOSED {
            return Ok(Value::NONE);
        }
        let exit = [exc::allocate(&exc::GENERATOR_EXIT, Tuple::empty())];
        let result = athrow_throw(th, &v, &exit);
        closed(th, result)
    }),
];

fn asend_of(v: &Value) -> &Asend {
    v.downcast_ref().expect("the descriptor checked the class of self")
}
fn athrow_of(v: &Value) -> &Athrow {
    v.downcast_ref().expect("the descriptor checked the class of self")
}

/// What `close()` of a step makes of the exception thrown.
fn closed(th: &mut Thread, result: PyResult<Value>) -> PyResult<Value> {
    let Err(mut raised) = result else {
        return Err(errors::runtime_error(th, "coroutine ignored GeneratorExit"));
    };
    for class in [&exc::STOP_ITERATION, &exc::STOP_ASYNC_ITERATION, &exc::GENERATOR_EXIT] {
        raised = match errors::catch(th, raised, class) {
            Ok(_) => return Ok(Value::NONE),
            Err(raised) => raised,
        };
    }
    Err(raised)
}

fn ends_generator(th: &Thread) -> bool {
    errors::in_flight(th, &exc::STOP_ASYNC_ITERATION) || errors::in_flight(th, &exc::GENERATOR_EXIT)
}

/// A value that the generator itself yielded ends the step with `StopIteration(value)`.
fn unwrap(th: &mut Thread, generator: &Generator, result: PyResult<Value>) -> PyResult<Value> {
    match result {
        Err(raised) => {
            if ends_generator(th) {
                generator.closed.store(true, Relaxed);
            }
            generator.running_async.store(false, Relaxed);
            Err(raised)
        }
        Ok(v) => match v.downcast_exact::<Wrapped>() {
            Some(w) => {
                generator.running_async.store(false, Relaxed);
                Err(finished_with(th, w.value.clone()))
            }
            None => Ok(v),
        },
    }
}

fn reused_asend(th: &mut Thread) -> Raised {
    errors::runtime_error(th, "cannot reuse already awaited __anext__()/asend()")
}

fn asend_begin(th: &mut Thread, step: &Asend) -> PyResult<()> {
    let generator = expect(&step.generator);
    if generator.running_async.load(Relaxed) {
        step.state.store(CLOSED, Relaxed);
        return Err(errors::runtime_error(th, "anext(): asynchronous generator is already running"));
    }
    Ok(())
}
fn asend_send(th: &mut Thread, v: &Value, value: Value) -> PyResult<Value> {
    let step = asend_of(v);
    let mut value = value;
    match step.state.load(Relaxed) {
        CLOSED => return Err(reused_asend(th)),
        INIT => {
            asend_begin(th, step)?;
            if value.is_none()
                && let Some(sent) = &step.sent
            {
                value = sent.clone();
            }
            step.state.store(ITER, Relaxed);
        }
        _ => {}
    }
    let object = step.generator.clone();
    let generator = expect(&object);
    generator.running_async.store(true, Relaxed);
    let result = send(th, &object, value);
    let result = unwrap(th, generator, result);
    if result.is_err() {
        step.state.store(CLOSED, Relaxed);
    }
    result
}
fn asend_throw(th: &mut Thread, v: &Value, given: &[Value]) -> PyResult<Value> {
    let step = asend_of(v);
    match step.state.load(Relaxed) {
        CLOSED => return Err(reused_asend(th)),
        INIT => {
            asend_begin(th, step)?;
            step.state.store(ITER, Relaxed);
        }
        _ => {}
    }
    let object = step.generator.clone();
    let generator = expect(&object);
    generator.running_async.store(true, Relaxed);
    let result = throw_into(th, &object, given, true);
    let result = unwrap(th, generator, result);
    if result.is_err() {
        step.state.store(CLOSED, Relaxed);
    }
    result
}

fn throw_into(th: &mut Thread, object: &Value, given: &[Value], close_on_exit: bool) -> PyResult<Value> {
    if given.is_empty() || given.len() > 3 {
        let (bound, n, s) = if given.is_empty() { ("at least", 1, "") } else { ("at most", 3, "s") };
        return Err(errors::type_error(th, format!("throw expected {bound} {n} argument{s}, got {}", given.len())));
    }
    let exception = exception_from(th, given)?;
    throw_exception(th, object, exception, given, close_on_exit)
}

fn reused_athrow(th: &mut Thread) -> Raised {
    errors::runtime_error(th, "cannot reuse already awaited aclose()/athrow()")
}
fn already_running(th: &mut Thread, step: &Athrow) -> Raised {
    step.state.store(CLOSED, Relaxed);
    let name = if step.args.is_some() { "athrow" } else { "aclose" };
    errors::runtime_error(th, format!("{name}(): asynchronous generator is already running"))
}

fn athrow_send(th: &mut Thread, v: &Value, value: Value) -> PyResult<Value> {
    let step = athrow_of(v);
    let object = step.generator.clone();
    let generator = expect(&object);
    if step.state.load(Relaxed) == CLOSED {
        return Err(reused_athrow(th));
    }
    if generator.state() == State::Done {
        step.state.store(CLOSED, Relaxed);
        return Err(errors::stop_iteration(th, None));
    }
    if step.state.load(Relaxed) == ITER {
        let result = send(th, &object, value);
        return match &step.args {
            Some(_) => unwrap(th, generator, result),
            None => aclose_result(th, step, generator, result),
        };
    }
    if generator.running_async.load(Relaxed) {
        return Err(already_running(th, step));
    }
    if generator.closed.load(Relaxed) {
        step.state.store(CLOSED, Relaxed);
        return Err(errors::stop_async_iteration(th));
    }
    if !value.is_none() {
        return Err(errors::runtime_error(th, "can't send non-None value to a just-started coroutine"));
    }
    step.state.store(ITER, Relaxed);
    generator.running_async.store(true, Relaxed);
    match &step.args {
        None => {
            generator.closed.store(true, Relaxed);
            let exit = [exc::allocate(&exc::GENERATOR_EXIT, Tuple::empty())];
            let result = throw_into(th, &object, &exit, false);
            aclose_result(th, step, generator, result)
        }
        Some(given) => {
            let result = throw_into(th, &object, given, false);
            let result = unwrap(th, generator, result);
            if result.is_err() {
                generator.running_async.store(false, Relaxed);
                step.state.store(CLOSED, Relaxed);
            }
            result
        }
    }
}

/// `aclose()` ends quietly when the generator does.
fn aclose_result(th: &mut Thread, step: &Athrow, generator: &Generator, result: PyResult<Value>) -> PyResult<Value> {
    match result {
        Ok(v) if v.downcast_exact::<Wrapped>().is_some() => {
            generator.running_async.store(false, Relaxed);
            step.state.store(CLOSED, Relaxed);
            Err(errors::runtime_error(th, "async generator ignored GeneratorExit"))
        }
        Ok(v) => Ok(v),
        Err(raised) => {
            generator.running_async.store(false, Relaxed);
            step.state.store(CLOSED, Relaxed);
            if ends_generator(th) {
                drop(errors::take(th, raised));
                return Err(errors::stop_iteration(th, None));
            }
            Err(raised)
        }
    }
}

fn athrow_throw(th: &mut Thread, v: &Value, given: &[Value]) -> PyResult<Value> {
    let step = athrow_of(v);
    let object = step.generator.clone();
    let generator = expect(&object);
    match step.state.load(Relaxed) {
        CLOSED => return Err(reused_athrow(th)),
        INIT => {
            if generator.running_async.load(Relaxed) {
                return Err(already_running(th, step));
            }
            step.state.store(ITER, Relaxed);
            generator.running_async.store(true, Relaxed);
        }
        _ => {}
    }
    let result = throw_into(th, &object, given, true);
    match &step.args {
        Some(_) => {
            let result = unwrap(th, generator, result);
            if result.is_err() {
                step.state.store(CLOSED, Relaxed);
            }
            result
        }
        None => aclose_result(th, step, generator, result),
    }
}
