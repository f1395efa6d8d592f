//! The `coroutine` type and the iterator that its `__await__` answers.
use krait_bytecode::code::flags;
use krait_macros::{Payload, Trace};
use krait_object::native::{GetSet, Method, class_method, getset, getter, member, method};
use krait_object::{
    ClassDef, PyResult, Ref, SlotDefs, Thread, TypeObject, VTable, Value, builtin_types::OBJECT, type_flag,
};

use super::attributes as shared;
use super::{COROUTINE, Coroutine, Generator, close, expect, finalize, send, throw};
use crate::errors;
use crate::types::generic_alias::class_getitem;

pub(super) static DEF: ClassDef = ClassDef {
    methods: METHODS,
    getset: GETSET,
    slots: SlotDefs {
        repr: Some(shared::repr),
        await_: Some(|_, v| Ok(Ref::new(Wrapper { coroutine: v.clone() }).into())),
        finalize: Some(finalize::finalize),
        ..SlotDefs::EMPTY
    },
    flags: type_flag::WEAKREF | type_flag::DISALLOW_INSTANTIATION,
    ..ClassDef::new(&COROUTINE)
};

static METHODS: &[Method] = &[
    method("send", "(object, /)", "Sends a value into coroutine and goes on; what it waits for next.", |th, a| {
        send(th, &a[0], a[1].clone())
    }),
    method("throw", "", "Raises an exception in coroutine, where it waits.", shared::throw_method),
    method("close", "()", "Raises GeneratorExit inside coroutine, where it waits.", |th, a| close(th, &a[0])),
    method("__sizeof__", "()", "Bytes of memory.", shared::sizeof),
    class_method("__class_getitem__", "(object, /)", "See PEP 585", class_getitem),
];

static GETSET: &[GetSet] = &[
    getset("__name__", "name of the coroutine", shared::get_name, shared::set_name),
    getset("__qualname__", "qualified name of the coroutine", shared::get_qualname, shared::set_qualname),
    getter("cr_await", "what the coroutine waits for", shared::get_delegate),
    getter("cr_running", "", shared::get_running),
    getter("cr_frame", "", shared::get_frame),
    getter("cr_code", "", shared::get_code),
    getter("cr_suspended", "", shared::get_suspended),
    member("cr_origin", "", |_, v| Ok(expect(v).origin.get().into())),
];

/// Makes a coroutine iterable for `yield from`.
#[derive(Trace, Payload)]
#[payload(class = COROUTINE_WRAPPER)]
pub struct Wrapper {
    coroutine: Value,
}
static LAYOUT: VTable = VTable::of::<Wrapper>();
pub static COROUTINE_WRAPPER: TypeObject = TypeObject::builtin("coroutine_wrapper", Some(&OBJECT), &LAYOUT);

/// The coroutine within a `coroutine_wrapper`.
pub fn wrapped(v: &Value) -> Option<Value> {
    v.downcast_exact::<Wrapper>().map(|w| w.coroutine.clone())
}

pub(super) static WRAPPER_DEF: ClassDef = ClassDef {
    methods: WRAPPER_METHODS,
    slots: SlotDefs {
        iter: Some(|_, v| Ok(v.clone())),
        next: Some(|th, v| shared::next(th, &this(v))),
        ..SlotDefs::EMPTY
    },
    flags: type_flag::DISALLOW_INSTANTIATION,
    ..ClassDef::new(&COROUTINE_WRAPPER)
};
fn this(v: &Value) -> Value {
    wrapped(v).expect("the descriptor checked the class of self")
}
static WRAPPER_METHODS: &[Method] = &[
    method("send", "(object, /)", "As the coroutine's send().", |th, a| send(th, &this(&a[0]), a[1].clone())),
    method("throw", "", "As the coroutine's throw().", |th, a| {
        throw::throw(th, &this(&a[0]), &a.skip_first(), "throw")
    }),
    method("close", "()", "As the coroutine's close().", |th, a| close(th, &this(&a[0]))),
];

/// Whether `await` accepts the object itself as its iterator.
fn is_coroutine(v: &Value) -> bool {
    v.downcast_exact::<Coroutine>().is_some()
        || v.downcast_exact::<Generator>().is_some_and(|g| g.code.flags & flags::ITERABLE_COROUTINE != 0)
}

/// `_PyCoro_GetAwaitableIter`
pub fn awaitable_iter(th: &mut Thread, v: &Value) -> PyResult<Value> {
    if is_coroutine(v) {
        return Ok(v.clone());
    }
    let slot = v.class().slots.await_.get();
    let Some(slot) = slot else {
        let message = format!("object {} can't be used in 'await' expression", v.class().name());
        return Err(errors::type_error(th, message));
    };
    let iterator = slot(th, v)?;
    if is_coroutine(&iterator) {
        return Err(errors::type_error(th, "__await__() returned a coroutine"));
    }
    if iterator.class().slots.next.get().is_none() {
        let message = format!("__await__() returned non-iterator of type '{}'", iterator.class().name());
        return Err(errors::type_error(th, message));
    }
    Ok(iterator)
}

/// As [`awaitable_iter`], with the check that nobody else awaits the coroutine. `origin`: 1 in `__aenter__`, 2 in
/// `__aexit__`.
pub fn get_awaitable(th: &mut Thread, v: &Value, origin: u16) -> PyResult<Value> {
    let iterator = match awaitable_iter(th, v) {
        Ok(iterator) => iterator,
        Err(raised) => {
            if origin != 0 && v.class().slots.await_.get().is_none() && !is_coroutine(v) {
                drop(errors::take(th, raised));
                let name = if origin == 1 { "__aenter__" } else { "__aexit__" };
                let message = format!(
                    "'async with' received an object from {name} that does not implement __await__: {}",
                    v.class().name()
                );
                return Err(errors::type_error(th, message));
            }
            return Err(raised);
        }
    };
    if let Some(c) = iterator.downcast_exact::<Coroutine>()
        && c.0.delegate().is_some()
    {
        return Err(errors::runtime_error(th, "coroutine is being awaited already"));
    }
    Ok(iterator)
}

/// The iterator of `yield from v`; a coroutine is refused outside coroutines.
pub fn yield_from_iter(th: &mut Thread, v: &Value, in_coroutine: bool) -> PyResult<Value> {
    if v.downcast_exact::<Coroutine>().is_some() {
        if !in_coroutine {
            let message = "cannot 'yield from' a coroutine object in a non-coroutine generator";
            return Err(errors::type_error(th, message));
        }
        return Ok(v.clone());
    }
    if v.downcast_exact::<Generator>().is_some() {
        return Ok(v.clone());
    }
    crate::protocol::iter::iter(th, v)
}
