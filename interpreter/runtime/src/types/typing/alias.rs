//! `TypeAliasType`.
use krait_object::builtin_types::OBJECT;
use krait_object::native::{Sig, getter, member, method};
use krait_object::{
    Args, ClassDef, GetSet, Method, PyResult, Ref, SlotDefs, Thread, Tuple, Type, TypeObject, VTable, Value, type_flag,
};

use super::{Lazy, caller, name_argument, unpack_tuples};
use crate::errors::{system_error, type_error};
use crate::protocol::attr;
use crate::types::{generic_alias, union_type};

#[derive(krait_macros::Trace, krait_macros::Payload)]
#[payload(class = TYPE_ALIAS)]
pub struct TypeAlias {
    name: Value,
    /// `None`: it is not generic.
    type_params: Option<Ref<Tuple>>,
    value: Lazy,
    module: Option<Value>,
}
static LAYOUT: VTable = VTable::of::<TypeAlias>();
pub static TYPE_ALIAS: TypeObject = TypeObject::builtin("TypeAliasType", Some(&OBJECT), &LAYOUT);

pub(super) static DEF: ClassDef = ClassDef {
    module: "typing",
    doc: "Type alias, as the statement `type Alias = int` makes it.\n\n`__value__` is computed when it is first asked for; \
          `__type_params__` are those of `type Alias[T] = ...`.",
    methods: METHODS,
    getset: GETSET,
    slots: SlotDefs {
        new: Some(new),
        repr: Some(|_, v| Ok(this(v).name.clone())),
        or: Some(union_type::type_or),
        subscript: Some(|th, v, item| {
            if this(v).type_params.is_none() {
                return Err(type_error(th, "Only generic type aliases are subscriptable"));
            }
            Ok(generic_alias::new(v.clone(), item.clone()))
        }),
        ..SlotDefs::EMPTY
    },
    flags: type_flag::WEAKREF | type_flag::HAVE_GC,
    ..ClassDef::new(&TYPE_ALIAS)
};
static GETSET: &[GetSet] = &[
    member("__name__", "", |_, v| Ok(this(v).name.clone())),
    getter("__parameters__", "", |th, v| {
        let params = this(v).type_params.clone().unwrap_or_else(Tuple::empty);
        unpack_tuples(th, &params)
    }),
    getter("__type_params__", "", |_, v| Ok(this(v).type_params.clone().unwrap_or_else(Tuple::empty).into())),
    getter("__value__", "", |th, v| Ok(this(v).value.get(th)?.into())),
    getter("__module__", "", |th, v| {
        if let Some(module) = &this(v).module {
            return Ok(module.clone());
        }
        match this(v).value.evaluate.get() {
            Some(f) => attr::get_text(th, &f, "__module__"),
            None => Ok(Value::NONE),
        }
    }),
];
static METHODS: &[Method] = &[method("__reduce__", "()", "", |_, a| Ok(this(&a[0]).name.clone()))];

fn this(v: &Value) -> &TypeAlias {
    v.downcast_ref().expect("the descriptor checked the class of self")
}
fn new(th: &mut Thread, _: &Ref<Type>, args: &Args<'_>) -> PyResult<Value> {
    static SIG: Sig = Sig::new("(name, value, *, type_params=())");
    let b = SIG.bind(th, "typealias", "typealias", args, 0)?;
    let a = b.args();
    let name = name_argument(th, "typealias", &a[0])?;
    let type_params = match a.opt(2) {
        Some(v) => match v.to_ref::<Tuple>() {
            Some(t) => Some(t).filter(|t| !t.is_empty()),
            None => return Err(type_error(th, "type_params must be a tuple")),
        },
        None => None,
    };
    let module = caller(th)?;
    Ok(Ref::new(TypeAlias { name, type_params, value: Lazy::known(Some(a[1].clone())), module }).into())
}
/// `type name[params] = …`: name, type parameters or None, the function that computes the value.
pub fn make_type_alias(th: &mut Thread, parts: &[Value]) -> PyResult<Value> {
    let [name, params, evaluate] = parts else { return Err(system_error(th, "bad type alias")) };
    let value = Lazy::computed(evaluate.clone());
    Ok(Ref::new(TypeAlias { name: name.clone(), type_params: params.to_ref(), value, module: None }).into())
}
