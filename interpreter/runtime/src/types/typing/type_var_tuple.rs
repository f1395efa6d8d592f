//! `TypeVarTuple`.
use krait_object::builtin_types::OBJECT;
use krait_object::native::{Sig, getter, member, method};
use krait_object::{
    Args, ClassDef, GetSet, Method, PyResult, Ref, SlotDefs, Thread, Tuple, Type, TypeObject, VTable, Value, ValueCell,
    type_flag,
};

use super::{Lazy, call_typing, name_argument, no_subclass, set_module, unpack};
use crate::errors::type_error;
use crate::protocol::iter;

#[derive(krait_macros::Trace, krait_macros::Payload)]
#[payload(class = TYPE_VAR_TUPLE)]
pub struct TypeVarTuple {
    name: Value,
    pub(super) default: Lazy,
    /// Of the instance's `__dict__`.
    dict: ValueCell,
}
static LAYOUT: VTable = VTable::of::<TypeVarTuple>();
pub static TYPE_VAR_TUPLE: TypeObject = TypeObject::builtin("TypeVarTuple", Some(&OBJECT), &LAYOUT);

pub(super) static DEF: ClassDef = ClassDef {
    module: "typing",
    doc: "Type variable tuple: stands for any number of types.\n\n`class C[*Ts]: ...` makes one; so does `Ts = \
          TypeVarTuple('Ts')`. `*Ts` is where the types go.",
    methods: METHODS,
    getset: GETSET,
    slots: SlotDefs {
        new: Some(new),
        repr: Some(|_, v| Ok(this(v).name.clone())),
        iter: Some(|th, v| {
            let unpacked = unpack(th, v)?;
            iter::iter(th, Tuple::of([unpacked]).as_value())
        }),
        ..SlotDefs::EMPTY
    },
    flags: type_flag::WEAKREF | type_flag::HAVE_GC,
    dict_cell: Some(|v| v.downcast_ref::<TypeVarTuple>().map(|t| &t.dict)),
    ..ClassDef::new(&TYPE_VAR_TUPLE)
};
static GETSET: &[GetSet] = &[
    member("__name__", "", |_, v| Ok(this(v).name.clone())),
    getter("__default__", "The default value for this TypeVarTuple.", |th, v| this(v).default.or_no_default(th)),
];
static METHODS: &[Method] = &[
    method("__typing_subst__", "(arg, /)", "", |th, _| {
        Err(type_error(th, "Substitution of bare TypeVarTuple is not supported"))
    }),
    method("__typing_prepare_subst__", "(alias, args, /)", "", |th, a| {
        call_typing(th, "_typevartuple_prepare_subst", &[a[0].clone(), a[1].clone(), a[2].clone()])
    }),
    method("__reduce__", "()", "", |_, a| Ok(this(&a[0]).name.clone())),
    method("has_default", "()", "", |_, a| Ok(Value::bool(this(&a[0]).default.is_set()))),
    method("__mro_entries__", "(object, /)", "", |th, _| no_subclass(th, "TypeVarTuple")),
];

fn this(v: &Value) -> &TypeVarTuple {
    v.downcast_ref().expect("the descriptor checked the class of self")
}
fn new(th: &mut Thread, _: &Ref<Type>, args: &Args<'_>) -> PyResult<Value> {
    static SIG: Sig = Sig::new("(name, *, default=NoDefault)");
    let b = SIG.bind(th, "typevartuple", "typevartuple", args, 0)?;
    let a = b.args();
    let name = name_argument(th, "typevartuple", &a[0])?;
    let made =
        Value::from(Ref::new(TypeVarTuple { name, default: Lazy::known(a.opt(1).cloned()), dict: ValueCell::empty() }));
    set_module(th, &made)?;
    Ok(made)
}
/// `[*Ts]`
pub fn make_type_var_tuple(name: &Value) -> Value {
    Ref::new(TypeVarTuple { name: name.clone(), default: Lazy::default(), dict: ValueCell::empty() }).into()
}
