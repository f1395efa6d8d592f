//! `localcontext`: another context for the body of a `with` statement.
use krait_macros::{Payload, Trace};
use krait_object::native::method;
use krait_object::{
    Args, ClassDef, Dict, Method, PyResult, Ref, Str, Thread, TypeObject, VTable, Value, builtin_types::OBJECT,
    type_flag,
};
use krait_runtime::errors::type_error;

use super::context::{self, Context};

#[derive(Trace, Payload)]
#[payload(class = MANAGER)]
struct Manager {
    local: Ref<Context>,
    global: Ref<Context>,
}
static LAYOUT: VTable = VTable::of::<Manager>();
static MANAGER: TypeObject = TypeObject::builtin("ContextManager", Some(&OBJECT), &LAYOUT);
pub static DEF: ClassDef = ClassDef {
    module: "decimal",
    methods: METHODS,
    flags: type_flag::DISALLOW_INSTANTIATION | type_flag::HAVE_GC,
    ..ClassDef::new(&MANAGER)
};
static METHODS: &[Method] = &[
    method("__enter__", "()", "", |th, a| {
        let m = a.this::<Manager>();
        context::set_current(th, m.local.as_value())?;
        Ok(m.local.to_value())
    }),
    method("__exit__", "(*exc)", "", |th, a| {
        context::set_current(th, a.this::<Manager>().global.as_value())?;
        Ok(Value::FALSE)
    }),
];
pub fn localcontext(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let global = context::current(th)?;
    let source = match a.opt_not_none(0) {
        None => global.clone(),
        Some(v) => match context::of(v) {
            Some(ctx) => ctx,
            None => return Err(type_error(th, "optional argument must be a context")),
        },
    };
    let local = Context::create(source.data.get());
    for (key, v) in a[1].to_ref::<Dict>().into_iter().flat_map(|d| d.items()) {
        let name = key.downcast_ref::<Str>().map(|k| k.to_string_lossy().into_owned()).unwrap_or_default();
        if !context::NAMES.contains(&name.as_str()) {
            return Err(type_error(th, format!("localcontext() got an unexpected keyword argument '{name}'")));
        }
        if !v.is_none() {
            context::set(th, &local, &name, &v)?;
        }
    }
    Ok(Ref::new(Manager { local, global }).into())
}
