//! `Generic`: its behaviour is that of functions in `typing`. As in CPython it is a heap type, of which each interpreter
//! has one: pickling looks for the first base that is none.
use std::sync::OnceLock;

use krait_object::builtin_types::{OBJECT, TYPE};
use krait_object::intern::intern;
use krait_object::native::class_method;
use krait_object::{Args, Dict, Method, PyResult, Ref, Thread, Tuple, Value};

use crate::import::import_module;
use crate::protocol::{attr, call};
use crate::types::descriptor::classmethod_descriptor;
use crate::types::type_::new::new_class;

#[derive(Default)]
struct Holder(OnceLock<Value>);

/// The interpreter's `Generic`.
pub fn generic(th: &mut Thread) -> PyResult<Value> {
    let holder = th.interp.extension::<Holder>();
    if let Some(made) = holder.0.get() {
        return Ok(made.clone());
    }
    let namespace = Dict::new();
    namespace.set_text("__module__", intern("typing").to_value());
    namespace.set_text("__slots__", Tuple::empty().to_value());
    namespace.set_text("__doc__", DOC);
    let (meta, base) = (Ref::from_object(&TYPE), Ref::from_object(&OBJECT));
    let class = new_class(th, meta.object(), &intern("Generic"), &Tuple::of([base.to_value()]), &namespace)?;
    if let Some(own) = class.dict() {
        own.remove_text("__slots__");
        for m in METHODS {
            own.set_text(m.name, classmethod_descriptor(&class, m));
        }
    }
    class.modified();
    Ok(holder.0.get_or_init(|| class.into()).clone())
}

const DOC: &str = "Abstract base class of generic classes.\n\nA class with type parameters, `class C[T]: ...`, has it as a base \
                   without\nsaying so.";
static METHODS: &[Method] = &[
    class_method("__class_getitem__", "", "Parameterizes a generic class.", |th, a| {
        forward(th, "_generic_class_getitem", a)
    }),
    class_method("__init_subclass__", "", "Function to initialize subclasses.", |th, a| {
        forward(th, "_generic_init_subclass", a)
    }),
];

/// Calls the function of `typing` with the class first.
fn forward(th: &mut Thread, name: &str, a: &Args<'_>) -> PyResult<Value> {
    let module = import_module(th, "typing")?;
    let f = attr::get_text(th, &module, name)?;
    call::call_args(th, &f, a)
}
