//! `super`.
use krait_object::builtin_types::OBJECT;
use krait_object::native::{Sig, member};
use krait_object::{
    Args, ClassDef, GetSet, PyResult, Ref, SlotDefs, Str, Thread, Type, TypeObject, VTable, Value, ValueCell, type_flag,
};

use crate::errors::{runtime_error, type_error};
use crate::protocol::attr;
use crate::types::object::generic_getattr;

#[derive(krait_macros::Trace, krait_macros::Payload)]
#[payload(class = SUPER)]
pub struct Super {
    class: ValueCell,
    object: ValueCell,
    object_class: ValueCell,
}
static LAYOUT: VTable = VTable::of::<Super>();
pub static SUPER: TypeObject = TypeObject::builtin("super", Some(&OBJECT), &LAYOUT);

pub static DEF: ClassDef = ClassDef {
    doc: "super() -> same as super(__class__, <first argument>)\nsuper(type) -> unbound super object\nsuper(type, obj) -> bound super object; requires isinstance(obj, type)\nsuper(type, type2) -> bound super object; requires issubclass(type2, type)\nTypical use to call a cooperative superclass method:\nclass C(B):\n    def meth(self, arg):\n        super().meth(arg)\nThis works for class methods too:\nclass C(B):\n    @classmethod\n    def cmeth(cls, arg):\n        super().cmeth(arg)\n",
    getset: GETSET,
    slots: SlotDefs {
        new: Some(|_, class, _| {
            let payload =
                Super { class: ValueCell::empty(), object: ValueCell::empty(), object_class: ValueCell::empty() };
            Ok(Ref::with_class(payload, class.object()).into())
        }),
        init: Some(init),
        repr: Some(|_, v| {
            let s = this(v);
            let name = |c: &ValueCell| match c.get().and_then(|v| v.downcast::<Type>().ok()) {
                Some(t) => t.name().to_string(),
                None => "NULL".to_owned(),
            };
            Ok(Value::from(match s.object_class.get() {
                Some(_) => format!("<super: <class '{}'>, <{} object>>", name(&s.class), name(&s.object_class)),
                None => format!("<super: <class '{}'>, NULL>", name(&s.class)),
            }))
        }),
        getattr: Some(getattr),
        descr_get: Some(descr_get),
        ..SlotDefs::EMPTY
    },
    flags: type_flag::BASE | type_flag::HAVE_GC,
    ..ClassDef::new(&SUPER)
};
static GETSET: &[GetSet] = &[
    member("__thisclass__", "the class invoking super()", |_, v| Ok(this(v).class.get().into())),
    member("__self__", "the instance invoking super(); may be None", |_, v| Ok(this(v).object.get().into())),
    member("__self_class__", "the type of the instance invoking super(); may be None", |_, v| {
        Ok(this(v).object_class.get().into())
    }),
];

fn this(v: &Value) -> &Super {
    v.downcast_ref().expect("the descriptor checked the class of self")
}
/// `super(class, object)` where the caller knows that they fit.
pub fn new(class: &Ref<Type>, object: &Value) -> Value {
    let object_class = object.to_ref::<Type>().unwrap_or_else(|| object.class_ref());
    Ref::new(Super {
        class: ValueCell::new(Some(class.to_value())),
        object: ValueCell::new(Some(object.clone())),
        object_class: ValueCell::new(Some(object_class.into())),
    })
    .into()
}
fn init(th: &mut Thread, v: &Value, args: &Args<'_>) -> PyResult<()> {
    static SIG: Sig = Sig::new("(type=None, obj=None, /)");
    if args.pos().len() > 2 && !args.has_kw() {
        let n = args.pos().len();
        return Err(type_error(th, format!("super() expected at most 2 arguments, got {n}")));
    }
    if args.has_kw() {
        return Err(type_error(th, "super() takes no keyword arguments"));
    }
    let bound = SIG.bind(th, "super", "super", args, 0)?;
    let a = bound.args();
    let (class, object) = match a.opt(0) {
        Some(c) => (c.clone(), a.opt_not_none(1).cloned()),
        None => {
            let (class, object) = crate::frames::super_arguments(th)?;
            (class, Some(object))
        }
    };
    let Some(class) = class.to_ref::<Type>() else {
        let given = class.class().name();
        return Err(type_error(th, format!("super() argument 1 must be a type, not {given}")));
    };
    let object_class = match &object {
        Some(o) => Some(check(th, &class, o)?),
        None => None,
    };
    let s = this(v);
    s.class.set(Some(class.into()));
    s.object.set(object);
    s.object_class.set(object_class.map(Into::into));
    Ok(())
}
/// The class at which the lookup starts; `object` must be an instance or a subclass.
pub fn check(th: &mut Thread, class: &Ref<Type>, object: &Value) -> PyResult<Ref<Type>> {
    if let Some(t) = object.to_ref::<Type>()
        && t.object().is_subtype(class.object())
    {
        return Ok(t);
    }
    let own = object.class_ref();
    if own.object().is_subtype(class.object()) {
        return Ok(own);
    }
    if let Some(c) = attr::get_text_opt(th, object, "__class__")?
        && let Some(c) = c.to_ref::<Type>()
        && !c.ptr_eq(&own)
        && c.object().is_subtype(class.object())
    {
        return Ok(c);
    }
    let (kind, shown) = match object.downcast_ref::<Type>() {
        Some(t) => ("type", t.name()),
        None => ("instance of", own.name()),
    };
    let message =
        format!("super(type, obj): obj ({kind} {shown}) is not an instance or subtype of type ({}).", class.name());
    Err(type_error(th, message))
}
fn getattr(th: &mut Thread, v: &Value, name: &Ref<Str>) -> PyResult<Option<Value>> {
    let s = this(v);
    if !name.eq_str("__class__")
        && let (Some(class), Some(object), Some(start)) = (s.class.get(), s.object.get(), s.object_class.get())
        && let Some(start) = start.to_ref::<Type>()
        && let Some(found) = lookup(th, &class, &object, &start, name)?
    {
        return Ok(Some(found));
    }
    generic_getattr(th, v, name)
}
/// The attribute after `class` in the MRO of `start`, bound to `object`.
pub fn lookup(
    th: &mut Thread,
    class: &Value,
    object: &Value,
    start: &Ref<Type>,
    name: &Ref<Str>,
) -> PyResult<Option<Value>> {
    let Some(found) = lookup_raw(class, start, name) else { return Ok(None) };
    let get = found.class().slots.descr_get.get();
    let Some(get) = get else { return Ok(Some(found)) };
    let is_class = start.as_value().is(object);
    get(th, &found, if is_class { None } else { Some(object) }, Some(start.as_value())).map(Some)
}
/// The attribute after `class` in the MRO of `start`, unbound.
pub fn lookup_raw(class: &Value, start: &Ref<Type>, name: &Ref<Str>) -> Option<Value> {
    let mro = start.mro()?;
    let after = mro.iter().position(|c| c.is(class))? + 1;
    for c in &mro[after..] {
        if let Some(d) = c.downcast_ref::<Type>().and_then(Type::dict)
            && let Some(v) = d.get_str(name)
        {
            return Some(v);
        }
    }
    None
}
fn descr_get(th: &mut Thread, v: &Value, o: Option<&Value>, _: Option<&Value>) -> PyResult<Value> {
    let s = this(v);
    let Some(o) = o.filter(|_| !s.object.is_set()) else { return Ok(v.clone()) };
    let Some(class) = s.class.get().and_then(|c| c.downcast::<Type>().ok()) else {
        return Err(runtime_error(th, "super(): no arguments"));
    };
    if !v.is_exact(&SUPER) {
        return crate::protocol::call::call(th, v.class_ref().as_value(), &[class.into(), o.clone()]);
    }
    check(th, &class, o)?;
    Ok(new(&class, o))
}
