//! `Generic`: its behaviour is that of functions in `typing`.
use krait_object::builtin_types::OBJECT;
use krait_object::native::class_method;
use krait_object::{Args, ClassDef, Method, PyResult, Thread, TypeObject, Value, type_flag};

use crate::import::import_module;
use crate::protocol::{attr, call};

pub static GENERIC: TypeObject = TypeObject::builtin_like("Generic", &OBJECT);

pub(super) static DEF: ClassDef = ClassDef {
    module: "typing",
    doc: "Abstract base class of generic classes.\n\nA class with type parameters, `class C[T]: ...`, has it as a base without \
          saying so.",
    methods: METHODS,
    flags: type_flag::BASE,
    ..ClassDef::new(&GENERIC)
};
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
