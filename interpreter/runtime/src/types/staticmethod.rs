//! `staticmethod`.
use krait_object::builtin_types::OBJECT;
use krait_object::native::{Sig, getter};
use krait_object::{
    ClassDef, GetSet, PyResult, Ref, SlotDefs, Thread, TypeObject, VTable, Value, ValueCell, type_flag,
};

use crate::protocol::{attr, call, repr};

/// The callable and the instance dict of `staticmethod` and `classmethod`.
#[derive(krait_macros::Trace, krait_macros::Payload)]
#[payload(class = STATICMETHOD)]
pub struct StaticMethod {
    pub callable: ValueCell,
    pub dict: ValueCell,
}
static LAYOUT: VTable = VTable::of::<StaticMethod>();
pub static STATICMETHOD: TypeObject = TypeObject::builtin("staticmethod", Some(&OBJECT), &LAYOUT);

pub static DEF: ClassDef = ClassDef {
    doc: "Convert a function to be a static method.\n\nA static method does not receive an implicit first argument.",
    sig: "(function, /)",
    getset: GETSET,
    slots: SlotDefs {
        new: Some(|_, class, _| {
            let payload = StaticMethod { callable: ValueCell::new(Some(Value::NONE)), dict: ValueCell::empty() };
            Ok(Ref::with_class(payload, class.object()).into())
        }),
        init: Some(|th, v, args| {
            static SIG: Sig = Sig::new("(function, /)");
            if !args.has_kw() && args.len() != 1 {
                let n = args.len();
                return Err(crate::errors::type_error(th, format!("staticmethod expected 1 argument, got {n}")));
            }
            let bound = SIG.bind(th, "staticmethod", "staticmethod", args, 0)?;
            this(v).callable.set(Some(bound.args()[0].clone()));
            copy_attributes(th, v, &bound.args()[0])
        }),
        descr_get: Some(|_, v, _, _| Ok(this(v).callable.get().into())),
        call: Some(|th, v, args| {
            let f = Value::from(this(v).callable.get());
            call::call_args(th, &f, args)
        }),
        repr: Some(|th, v| show(th, "staticmethod", this(v).callable.get())),
        ..SlotDefs::EMPTY
    },
    flags: type_flag::BASE | type_flag::HAVE_GC,
    dict_cell: Some(|v| v.downcast_ref::<StaticMethod>().map(|s| &s.dict)),
    ..ClassDef::new(&STATICMETHOD)
};
static GETSET: &[GetSet] = &[
    krait_object::native::member("__func__", "", |_, v| Ok(this(v).callable.get().into())),
    krait_object::native::member("__wrapped__", "", |_, v| Ok(this(v).callable.get().into())),
    getter("__isabstractmethod__", "", |th, v| is_abstract(th, this(v).callable.get())),
    krait_object::native::getset("__dict__", "", instance_dict, super::descriptor::set_instance_dict),
];

fn this(v: &Value) -> &StaticMethod {
    v.downcast_ref().expect("the descriptor checked the class of self")
}
pub fn new(callable: Value) -> Value {
    Ref::new(StaticMethod { callable: ValueCell::new(Some(callable)), dict: ValueCell::empty() }).into()
}
/// `__dict__` of a builtin payload.
pub fn instance_dict(th: &mut Thread, v: &Value) -> PyResult<Value> {
    match super::object::instance_dict(v) {
        Some(d) => Ok(d.into()),
        None => Err(crate::errors::attribute_error(th, "__dict__")),
    }
}
/// Whether a wrapped function is abstract.
pub fn is_abstract(th: &mut Thread, f: Option<Value>) -> PyResult<Value> {
    let Some(f) = f else { return Ok(Value::FALSE) };
    match attr::get_text_opt(th, &f, "__isabstractmethod__")? {
        Some(v) => crate::protocol::compare::truth(th, &v).map(Value::bool),
        None => Ok(Value::FALSE),
    }
}
/// The wrapper shows the name, module, doc and annotations of what it wraps.
pub fn copy_attributes(th: &mut Thread, wrapper: &Value, f: &Value) -> PyResult<()> {
    for name in ["__module__", "__name__", "__qualname__", "__doc__", "__annotations__"] {
        if let Some(v) = attr::get_text_opt(th, f, name)? {
            attr::set_text(th, wrapper, name, &v)?;
        }
    }
    Ok(())
}
pub fn show(th: &mut Thread, what: &str, f: Option<Value>) -> PyResult<Value> {
    let shown = repr::repr(th, &f.into())?;
    Ok(Value::from(format!("<{what}({shown})>")))
}
