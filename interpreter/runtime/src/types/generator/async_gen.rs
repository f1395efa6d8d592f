//! The `async_generator` type; the awaitables of its methods are in `async_steps.rs`.
use std::sync::atomic::Ordering::Relaxed;

use krait_object::native::{GetSet, Method, class_method, getset, getter, method};
use krait_object::{Args, ClassDef, PyResult, SlotDefs, Thread, Value, type_flag};

use super::async_steps::{new_asend, new_athrow};
use super::attributes as shared;
use super::{ASYNC_GENERATOR, AsyncGenHooks, expect, finalize};
use crate::protocol::call;
use crate::types::generic_alias::class_getitem;

pub(super) static DEF: ClassDef = ClassDef {
    methods: METHODS,
    getset: GETSET,
    slots: SlotDefs {
        repr: Some(shared::repr),
        aiter: Some(|_, v| Ok(v.clone())),
        anext: Some(|th, v| {
            first_use(th, v)?;
            Ok(new_asend(v, None))
        }),
        finalize: Some(finalize::finalize),
        ..SlotDefs::EMPTY
    },
    flags: type_flag::WEAKREF | type_flag::DISALLOW_INSTANTIATION,
    ..ClassDef::new(&ASYNC_GENERATOR)
};

static METHODS: &[Method] = &[
    method("asend", "(object, /)", "An awaitable that goes on with a value.", |th, a| {
        first_use(th, &a[0])?;
        Ok(new_asend(&a[0], Some(a[1].clone())))
    }),
    method("athrow", "", "An awaitable that raises an exception where the generator is.", athrow),
    method("aclose", "()", "An awaitable that raises GeneratorExit where the generator is.", |th, a| {
        first_use(th, &a[0])?;
        Ok(new_athrow(&a[0], None))
    }),
    method("__sizeof__", "()", "Bytes of memory.", shared::sizeof),
    class_method("__class_getitem__", "(object, /)", "See PEP 585", class_getitem),
];

static GETSET: &[GetSet] = &[
    getset("__name__", "name of the async generator", shared::get_name, shared::set_name),
    getset("__qualname__", "qualified name of the async generator", shared::get_qualname, shared::set_qualname),
    getter("ag_await", "what the generator waits for", shared::get_delegate),
    getter("ag_frame", "", shared::get_frame),
    getter("ag_running", "", |_, v| Ok(expect(v).running_async.load(Relaxed).into())),
    getter("ag_code", "", shared::get_code),
    getter("ag_suspended", "", shared::get_suspended),
];

fn athrow(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    if a.len() > 2 {
        let message = "the (type, exc, tb) signature of athrow() is deprecated, use the single-arg signature instead.";
        crate::warnings::warn(th, &crate::exceptions::DEPRECATION_WARNING, message, 1)?;
    }
    first_use(th, &a[0])?;
    Ok(new_athrow(&a[0], Some(a.skip_first().pos().to_vec())))
}

/// The hooks of `sys.set_asyncgen_hooks` see a generator when its iteration begins.
fn first_use(th: &mut Thread, v: &Value) -> PyResult<()> {
    let generator = expect(v);
    if generator.hooks_ready.swap(true, Relaxed) {
        return Ok(());
    }
    let hooks = th.extension::<AsyncGenHooks>();
    let (first, finalizer) = (hooks.firstiter.clone(), hooks.finalizer.clone());
    generator.finalizer.set(finalizer);
    match first {
        Some(first) => call::call(th, &first, std::slice::from_ref(v)).map(drop),
        None => Ok(()),
    }
}
