//! `classmethod`.
use krait_object::builtin_types::OBJECT;
use krait_object::native::{Sig, getset, getter, member};
use krait_object::{ClassDef, GetSet, Ref, SlotDefs, TypeObject, VTable, Value, ValueCell, type_flag};

use super::staticmethod::{copy_attributes, instance_dict, is_abstract, show};
use crate::types::method;

#[derive(krait_macros::Trace, krait_macros::Payload)]
#[payload(class = CLASSMETHOD)]
pub struct ClassMethod {
    pub callable: ValueCell,
    dict: ValueCell,
}
static LAYOUT: VTable = VTable::of::<ClassMethod>();
pub static CLASSMETHOD: TypeObject = TypeObject::builtin("classmethod", Some(&OBJECT), &LAYOUT);

pub static DEF: ClassDef = ClassDef {
    doc: "Convert a function to be a class method.\n\nA class method receives the class as implicit first argument.",
    sig: "(function, /)",
    getset: GETSET,
    slots: SlotDefs {
        new: Some(|_, class, _| {
            let payload = ClassMethod { callable: ValueCell::new(Some(Value::NONE)), dict: ValueCell::empty() };
            Ok(Ref::with_class(payload, class.object()).into())
        }),
        init: Some(|th, v, args| {
            static SIG: Sig = Sig::new("(function, /)");
            if !args.has_kw() && args.len() != 1 {
                let n = args.len();
                return Err(crate::errors::type_error(th, format!("classmethod expected 1 argument, got {n}")));
            }
            let bound = SIG.bind(th, "classmethod", "classmethod", args, 0)?;
            this(v).callable.set(Some(bound.args()[0].clone()));
            copy_attributes(th, v, &bound.args()[0])
        }),
        descr_get: Some(|_, v, o, class| {
            let class = match (class, o) {
                (Some(c), _) => c.clone(),
                (None, Some(o)) => o.class_ref().into(),
                (None, None) => Value::NONE,
            };
            Ok(method::Method::new(this(v).callable.get().into(), class).into())
        }),
        repr: Some(|th, v| show(th, "classmethod", this(v).callable.get())),
        ..SlotDefs::EMPTY
    },
    flags: type_flag::BASE | type_flag::HAVE_GC,
    dict_cell: Some(|v| v.downcast_ref::<ClassMethod>().map(|s| &s.dict)),
    ..ClassDef::new(&CLASSMETHOD)
};
static GETSET: &[GetSet] = &[
    member("__func__", "", |_, v| Ok(this(v).callable.get().into())),
    member("__wrapped__", "", |_, v| Ok(this(v).callable.get().into())),
    getter("__isabstractmethod__", "", |th, v| is_abstract(th, this(v).callable.get())),
    getset("__dict__", "", instance_dict, super::descriptor::set_instance_dict),
];

fn this(v: &Value) -> &ClassMethod {
    v.downcast_ref().expect("the descriptor checked the class of self")
}
pub fn new(callable: Value) -> Value {
    Ref::new(ClassMethod { callable: ValueCell::new(Some(callable)), dict: ValueCell::empty() }).into()
}
