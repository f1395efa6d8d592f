//! `FutureIter`: what `await` on a native future iterates over.
use krait_object::builtin_types::OBJECT;
use krait_object::native::method;
use krait_object::{
    ClassDef, Method, PyResult, Ref, SlotDefs, Thread, TypeObject, VTable, Value, ValueCell, type_flag,
};
use krait_runtime::errors::{raise_value, runtime_error, stop_iteration, type_error};
use krait_runtime::exceptions::{DEPRECATION_WARNING, is_exception, is_exception_class};
use krait_runtime::hooks::next_or_stop;
use krait_runtime::types::generator::throw::exception_from;
use krait_runtime::warnings;

use super::future::{self, Status, future};

#[derive(krait_macros::Trace, krait_macros::Payload)]
#[payload(class = FUTURE_ITER)]
pub(super) struct FutureIter {
    /// Empty once the result was handed out.
    future: ValueCell,
}
static LAYOUT: VTable = VTable::of::<FutureIter>();
static FUTURE_ITER: TypeObject = TypeObject::builtin("FutureIter", Some(&OBJECT), &LAYOUT);

pub(super) static DEF: ClassDef = ClassDef {
    module: "_asyncio",
    methods: METHODS,
    slots: SlotDefs { iter: Some(|_, v| Ok(v.clone())), next: Some(next), ..SlotDefs::EMPTY },
    flags: type_flag::HAVE_GC | type_flag::DISALLOW_INSTANTIATION,
    ..ClassDef::new(&FUTURE_ITER)
};

pub(super) fn new(th: &mut Thread, v: &Value) -> PyResult<Value> {
    future::check_alive(th, v)?;
    Ok(Ref::new(FutureIter { future: ValueCell::new(Some(v.clone())) }).into())
}
fn this(v: &Value) -> &FutureIter {
    v.downcast_ref().expect("the descriptor checked the class of self")
}
fn next(th: &mut Thread, v: &Value) -> PyResult<Option<Value>> {
    let Some(f) = this(v).future.get() else { return Ok(None) };
    if future(&f).status() == Status::Pending {
        if future(&f).blocking() {
            return Err(runtime_error(th, "await wasn't used with future"));
        }
        future(&f).set_blocking(true);
        return Ok(Some(f));
    }
    this(v).future.set(None);
    let result = future::result(th, &f)?;
    if result.is_none() { Ok(None) } else { Err(stop_iteration(th, Some(result))) }
}
static METHODS: &[Method] = &[
    method("send", "(value, /)", "", |th, a| match next_or_stop(th, &a[0])? {
        Some(v) => Ok(v),
        None => Err(stop_iteration(th, None)),
    }),
    method("throw", "(typ, val=<unrepresentable>, tb=<unrepresentable>, /)", "", |th, a| {
        let given: Vec<Value> = (1..4).map_while(|i| a.opt(i).cloned()).collect();
        if given.len() > 1 {
            let message =
                "the (type, exc, tb) signature of throw() is deprecated, use the single-arg signature instead.";
            warnings::warn(th, &DEPRECATION_WARNING, message, 1)?;
        }
        if !is_exception(&given[0]) && !is_exception_class(&given[0]) {
            let message = "exceptions must be classes deriving BaseException or instances of such a class";
            return Err(type_error(th, message));
        }
        let e = exception_from(th, &given)?;
        this(&a[0]).future.set(None);
        Err(raise_value(th, e))
    }),
    method("close", "()", "", |_, a| {
        this(&a[0]).future.set(None);
        Ok(Value::NONE)
    }),
];
