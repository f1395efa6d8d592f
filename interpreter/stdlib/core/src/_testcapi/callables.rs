//! Callables that are methods of instances like functions are, and the ways of calling them. CPython:
//! `Modules/_testcapi/vectorcall.c`, `Modules/_testcapimodule.c`.
use krait_object::builtin_types::OBJECT;
use krait_object::native::function;
use krait_object::{
    Args, ClassDef, Dict, Locked, Method, PyResult, SlotDefs, Thread, Tuple, TypeObject, Value, type_flag,
};
use krait_runtime::errors::type_error;
use krait_runtime::import;
use krait_runtime::protocol::{attr, call, compare, repr};
use krait_runtime::types::method;

static BASE: TypeObject = TypeObject::builtin_like("MethodDescriptorBase", &OBJECT);
static DERIVED: TypeObject = TypeObject::builtin_like("MethodDescriptorDerived", &BASE);
static NOP_GET: TypeObject = TypeObject::builtin_like("MethodDescriptorNopGet", &BASE);
static SECOND: TypeObject = TypeObject::builtin_like("MethodDescriptor2", &BASE);

const BINDING: SlotDefs =
    SlotDefs { call: Some(|_, _, _| Ok(Value::TRUE)), descr_get: Some(descr_get), ..SlotDefs::EMPTY };
pub static BASE_DEF: ClassDef = ClassDef {
    module: "_testcapi",
    slots: BINDING,
    flags: type_flag::BASE | type_flag::METHOD_DESCRIPTOR,
    ..ClassDef::new(&BASE)
};
pub static DERIVED_DEF: ClassDef = ClassDef {
    module: "_testcapi",
    slots: BINDING,
    flags: type_flag::BASE | type_flag::METHOD_DESCRIPTOR,
    ..ClassDef::new(&DERIVED)
};
pub static NOP_GET_DEF: ClassDef = ClassDef {
    module: "_testcapi",
    slots: SlotDefs {
        call: Some(|_, _, args| Ok(Tuple::from_slice(args.pos()).into())),
        descr_get: Some(|_, v, _, _| Ok(v.clone())),
        ..SlotDefs::EMPTY
    },
    flags: type_flag::BASE,
    ..ClassDef::new(&NOP_GET)
};
pub static SECOND_DEF: ClassDef = ClassDef {
    module: "_testcapi",
    slots: SlotDefs { call: Some(|_, _, _| Ok(Value::FALSE)), ..BINDING },
    flags: type_flag::BASE | type_flag::METHOD_DESCRIPTOR,
    ..ClassDef::new(&SECOND)
};
fn descr_get(_: &mut Thread, v: &Value, instance: Option<&Value>, _: Option<&Value>) -> PyResult<Value> {
    Ok(match instance {
        Some(instance) => method::Method::new(v.clone(), instance.clone()).into(),
        None => v.clone(),
    })
}

pub static FUNCTIONS: &[Method] = &[
    function("pyvectorcall_call", "(func, args, kwargs=None, /)", "Call with a tuple and a dict.", |th, a| {
        let Some(args) = a[1].downcast_ref::<Tuple>() else { return Err(type_error(th, "args must be a tuple")) };
        if a.opt_not_none(2).is_some_and(|k| k.downcast_ref::<Dict>().is_none()) {
            return Err(type_error(th, "kwargs must be a dict"));
        }
        call::call_tuple_dict(th, &a[0], args, a.opt_not_none(2))
    }),
    function("bad_get", "(self, obj, type, /)", "Call the type, then look at the descriptor.", |th, a| {
        call::call(th, &a[2], &[])?;
        Ok(repr::repr(th, &a[0])?.into())
    }),
    function(
        "call_in_temporary_c_thread",
        "(function, wait=True, /)",
        "Call in a thread of its own; wait for its end at once or in join_temporary_c_thread().",
        in_thread,
    ),
    function("join_temporary_c_thread", "()", "Wait for the thread to end.", |th, _| {
        let started = th.interp.extension::<Started>();
        let handle = started.0.lock().take();
        match handle {
            Some(handle) => join(th, &handle),
            None => Err(krait_runtime::errors::runtime_error(th, "no temporary thread to join")),
        }
    }),
];

/// The thread that was not waited for.
#[derive(Default)]
struct Started(Locked<Option<Value>>);

fn in_thread(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let wait = a.opt(1).map_or(Ok(true), |w| compare::truth(th, w))?;
    let started = th.interp.extension::<Started>();
    if started.0.lock().is_some() {
        return Err(krait_runtime::errors::runtime_error(th, "a temporary thread is running"));
    }
    let threads = import::import_module(th, "_thread")?;
    let start = attr::get_text(th, &threads, "start_joinable_thread")?;
    let handle = call::call(th, &start, &[a[0].clone()])?;
    if wait {
        return join(th, &handle);
    }
    *started.0.lock() = Some(handle);
    Ok(Value::NONE)
}
fn join(th: &mut Thread, handle: &Value) -> PyResult<Value> {
    let join = attr::get_text(th, handle, "join")?;
    call::call(th, &join, &[])
}
