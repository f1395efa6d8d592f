//! The `generator` type, and the attributes that the three types share.
use krait_object::native::{GetSet, Method, getset, getter, method};
use krait_object::{Args, ClassDef, PyResult, SlotDefs, Thread, Value, type_flag};

use super::throw::set_text;
use super::{GENERATOR, Resume, Resumed, State, close, expect, finalize, resume, send, throw};
use crate::audit::audit_read;
use crate::errors;
use crate::types::generic_alias::class_getitem;

pub(super) static DEF: ClassDef = ClassDef {
    methods: METHODS,
    getset: GETSET,
    slots: SlotDefs {
        iter: Some(|_, v| Ok(v.clone())),
        next: Some(next),
        repr: Some(repr),
        finalize: Some(finalize::finalize),
        ..SlotDefs::EMPTY
    },
    flags: type_flag::WEAKREF | type_flag::DISALLOW_INSTANTIATION,
    ..ClassDef::new(&GENERATOR)
};

static METHODS: &[Method] = &[
    method("send", "(object, /)", "Goes on with a value for the yield expression; the next value yielded.", |th, a| {
        send(th, &a[0], a[1].clone())
    }),
    method("throw", "", "Raises an exception where the generator is; the next value yielded.", throw_method),
    method("close", "()", "Raises GeneratorExit where the generator is.", |th, a| close(th, &a[0])),
    method("__sizeof__", "()", "Bytes of memory.", sizeof),
    krait_object::native::class_method("__class_getitem__", "(object, /)", "See PEP 585", class_getitem),
];

static GETSET: &[GetSet] = &[
    getset("__name__", "name of the generator", get_name, set_name),
    getset("__qualname__", "qualified name of the generator", get_qualname, set_qualname),
    getter("gi_yieldfrom", "what yield from iterates over", get_delegate),
    getter("gi_running", "", get_running),
    getter("gi_frame", "", get_frame),
    getter("gi_suspended", "", get_suspended),
    getter("gi_code", "", get_code),
];

pub(super) fn throw_method(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    throw::throw(th, &a[0].clone(), &a.skip_first(), "throw")
}

pub(super) fn next(th: &mut Thread, v: &Value) -> PyResult<Option<Value>> {
    match resume(th, v, Resume::Send(Value::NONE))? {
        Resumed::Yield(v) => Ok(Some(v)),
        Resumed::Return(v) if v.is_none() => Ok(None),
        Resumed::Return(v) => Err(errors::stop_iteration(th, Some(v))),
    }
}
pub(super) fn repr(_: &mut Thread, v: &Value) -> PyResult<Value> {
    let g = expect(v);
    let class = v.class().name();
    Ok(format!("<{class} object {} at {:#x}>", g.display_name(), v.id()).into())
}
pub(super) fn sizeof(_: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    Ok((size_of::<super::Generator>() + expect(&a[0]).code.nregs as usize * 8).into())
}
pub(super) fn get_name(_: &mut Thread, v: &Value) -> PyResult<Value> {
    Ok(expect(v).name.get().into())
}
pub(super) fn set_name(th: &mut Thread, v: &Value, new: Option<&Value>) -> PyResult<()> {
    set_text(th, &expect(v).name, new, "__name__")
}
pub(super) fn get_qualname(_: &mut Thread, v: &Value) -> PyResult<Value> {
    Ok(expect(v).qualname.get().into())
}
pub(super) fn set_qualname(th: &mut Thread, v: &Value, new: Option<&Value>) -> PyResult<()> {
    set_text(th, &expect(v).qualname, new, "__qualname__")
}
pub(super) fn get_delegate(_: &mut Thread, v: &Value) -> PyResult<Value> {
    Ok(expect(v).delegate().into())
}
pub(super) fn get_running(_: &mut Thread, v: &Value) -> PyResult<Value> {
    Ok((expect(v).state() == State::Running).into())
}
pub(super) fn get_suspended(_: &mut Thread, v: &Value) -> PyResult<Value> {
    Ok((expect(v).state() == State::Suspended).into())
}
pub(super) fn get_frame(th: &mut Thread, v: &Value) -> PyResult<Value> {
    audit_read(th, v, &attribute(v, "frame"))?;
    Ok(expect(v).frame(th).into())
}
/// `gi_`, `cr_` or `ag_` and the rest of the name.
fn attribute(v: &Value, name: &str) -> String {
    let prefix = match &*v.class().name() {
        "coroutine" => "cr",
        "async_generator" => "ag",
        _ => "gi",
    };
    format!("{prefix}_{name}")
}
pub(super) fn get_code(th: &mut Thread, v: &Value) -> PyResult<Value> {
    audit_read(th, v, &attribute(v, "code"))?;
    Ok(expect(v).code.to_value())
}
