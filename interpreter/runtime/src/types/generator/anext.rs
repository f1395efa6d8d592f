//! The awaitable of `anext(iterator, default)`. CPython: `anextawaitable` in `Objects/iterobject.c`.
use krait_macros::{Payload, Trace};
use krait_object::native::{Method, method};
use krait_object::{
    ClassDef, PyResult, Ref, SlotDefs, Thread, TypeObject, VTable, Value, builtin_types::OBJECT, type_flag,
};

use super::coroutine::awaitable_iter;
use super::throw::finished_with;
use crate::errors;
use crate::exceptions::STOP_ASYNC_ITERATION;
use crate::protocol::attr;

#[derive(Trace, Payload)]
#[payload(class = ANEXT_AWAITABLE)]
pub struct AnextAwaitable {
    wrapped: Value,
    default: Value,
}
static LAYOUT: VTable = VTable::of::<AnextAwaitable>();
pub static ANEXT_AWAITABLE: TypeObject = TypeObject::builtin("anext_awaitable", Some(&OBJECT), &LAYOUT);

pub fn anext_with_default(_: &mut Thread, wrapped: Value, default: Value) -> PyResult<Value> {
    Ok(Ref::new(AnextAwaitable { wrapped, default }).into())
}

pub(super) static DEF: ClassDef = ClassDef {
    methods: METHODS,
    slots: SlotDefs {
        iter: Some(|_, v| Ok(v.clone())),
        await_: Some(|_, v| Ok(v.clone())),
        next: Some(next),
        ..SlotDefs::EMPTY
    },
    flags: type_flag::DISALLOW_INSTANTIATION,
    ..ClassDef::new(&ANEXT_AWAITABLE)
};
static METHODS: &[Method] = &[
    method("send", "(value, /)", "As a generator's send().", |th, a| forward(th, &a[0], "send", &[a[1].clone()])),
    method("throw", "", "As a generator's throw().", |th, a| forward(th, &a[0], "throw", a.skip_first().pos())),
    method("close", "()", "As a generator's close().", |th, a| forward(th, &a[0], "close", &[])),
];

fn this(v: &Value) -> &AnextAwaitable {
    v.downcast_ref().expect("the descriptor checked the class of self")
}
fn iterator(th: &mut Thread, v: &Value) -> PyResult<Value> {
    let it = awaitable_iter(th, &this(v).wrapped.clone())?;
    match it.class().slots.await_.get() {
        // A coroutine awaits itself, but is no iterator.
        Some(slot) if it.class().slots.next.get().is_none() => slot(th, &it),
        _ => Ok(it),
    }
}
/// The end of the iteration becomes the default.
fn or_default(th: &mut Thread, v: &Value, result: PyResult<Value>) -> PyResult<Value> {
    match result {
        Ok(value) => Ok(value),
        Err(raised) => {
            drop(errors::catch(th, raised, &STOP_ASYNC_ITERATION)?);
            Err(finished_with(th, this(v).default.clone()))
        }
    }
}
fn next(th: &mut Thread, v: &Value) -> PyResult<Option<Value>> {
    let it = iterator(th, v)?;
    let result = match crate::hooks::next_or_stop(th, &it) {
        Ok(None) => return Ok(None),
        Ok(Some(value)) => Ok(value),
        Err(raised) => Err(raised),
    };
    or_default(th, v, result).map(Some)
}
fn forward(th: &mut Thread, v: &Value, name: &str, args: &[Value]) -> PyResult<Value> {
    let it = iterator(th, v)?;
    let result = attr::call_method(th, &it, name, args);
    or_default(th, v, result)
}
