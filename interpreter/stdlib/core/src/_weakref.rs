//! `_weakref`: functions on weak references; the types are `runtime/src/types/weakref.rs`.
use krait_object::native::function;
use krait_object::weakref::refs_to;
use krait_object::{Dict, List, Method, ModuleDef, Value};
use krait_runtime::errors::type_error;
use krait_runtime::types::module;
use krait_runtime::types::weakref::{CALLABLE_PROXY, PROXY, REFERENCE, new_proxy, target};

pub static MODULE: ModuleDef = ModuleDef {
    doc: "Weak-reference support module.",
    functions: FUNCTIONS,
    init: Some(|_, m| {
        let d = module::dict(m);
        d.set_text("ref", REFERENCE.to_value());
        d.set_text("ReferenceType", REFERENCE.to_value());
        d.set_text("ProxyType", PROXY.to_value());
        d.set_text("CallableProxyType", CALLABLE_PROXY.to_value());
        Ok(())
    }),
    ..ModuleDef::new("_weakref")
};
static FUNCTIONS: &[Method] = &[
    function("getweakrefcount", "(object, /)", "Return the number of weak references to 'object'.", |_, a| {
        Ok(Value::from(refs_to(&a[0]).len()))
    }),
    function(
        "getweakrefs",
        "(object, /)",
        "Return a list of all weak reference objects pointing to 'object'.",
        |_, a| Ok(List::new(refs_to(&a[0])).into()),
    ),
    function(
        "proxy",
        "(object, callback=None, /)",
        "Create a proxy object that weakly references 'object'.",
        |th, a| new_proxy(th, &a[0], a.opt_not_none(1)),
    ),
    function(
        "_remove_dead_weakref",
        "(dct, key, /)",
        "Atomically remove key from dict if it points to a dead weakref.",
        |th, a| {
            let Some(d) = a[0].to_ref::<Dict>() else {
                let class = a[0].class().name();
                return Err(type_error(th, format!("_remove_dead_weakref() argument 1 must be dict, not {class}")));
            };
            if let Some(r) = d.get(th, &a[1])?
                && target(&r).is_none()
            {
                drop(d.remove(th, &a[1])?);
            }
            Ok(Value::NONE)
        },
    ),
];
