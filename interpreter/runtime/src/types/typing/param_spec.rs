//! `ParamSpec`, `ParamSpecArgs`, `ParamSpecKwargs`.
use krait_object::builtin_types::OBJECT;
use krait_object::native::{Sig, getter, member, method};
use krait_object::{
    Args, ClassDef, CmpOp, GetSet, Method, PyResult, Ref, SlotDefs, Thread, Type, TypeObject, VTable, Value, ValueCell,
    type_flag,
};

use super::{Lazy, Variance, call_typing, name_argument, no_subclass, set_module, show, type_check, union};
use crate::protocol::{compare, repr};
use crate::types::type_::unhashable;

#[derive(krait_macros::Trace, krait_macros::Payload)]
#[payload(class = PARAM_SPEC)]
pub struct ParamSpec {
    name: Value,
    bound: Value,
    pub(super) default: Lazy,
    /// Of the instance's `__dict__`.
    dict: ValueCell,
    #[trace(skip)]
    variance: Variance,
}
static LAYOUT: VTable = VTable::of::<ParamSpec>();
pub static PARAM_SPEC: TypeObject = TypeObject::builtin("ParamSpec", Some(&OBJECT), &LAYOUT);

pub(super) static DEF: ClassDef = ClassDef {
    module: "typing",
    doc: "Parameter specification variable: stands for the parameters of a callable.\n\n`def f[**P](x: Callable[P, int]): ...` \
          makes one; so does `P = ParamSpec('P')`. `P.args` and `P.kwargs`\nannotate `*args` and `**kwargs`.\n\n    >>> P = ParamSpec('P')\n    >>> P.__name__\n    'P'",
    methods: METHODS,
    getset: GETSET,
    slots: SlotDefs {
        new: Some(new),
        repr: Some(|th, v| {
            let (name, variance) = (this(v).name.clone(), this(v).variance);
            show(th, &name, variance)
        }),
        or: Some(union),
        ..SlotDefs::EMPTY
    },
    flags: type_flag::WEAKREF | type_flag::HAVE_GC,
    dict_cell: Some(|v| v.downcast_ref::<ParamSpec>().map(|t| &t.dict)),
    ..ClassDef::new(&PARAM_SPEC)
};
static GETSET: &[GetSet] = &[
    member("__name__", "", |_, v| Ok(this(v).name.clone())),
    member("__bound__", "", |_, v| Ok(this(v).bound.clone())),
    member("__covariant__", "", |_, v| Ok(Value::bool(this(v).variance.covariant))),
    member("__contravariant__", "", |_, v| Ok(Value::bool(this(v).variance.contravariant))),
    member("__infer_variance__", "", |_, v| Ok(Value::bool(this(v).variance.infer))),
    getter("args", "Represents positional arguments.", |_, v| Ok(Ref::new(ParamSpecArgs { origin: v.clone() }).into())),
    getter(
        "kwargs",
        "Represents keyword arguments.",
        |_, v| Ok(Ref::new(ParamSpecKwargs { origin: v.clone() }).into()),
    ),
    getter("__default__", "The default value for this ParamSpec.", |th, v| this(v).default.or_no_default(th)),
];
static METHODS: &[Method] = &[
    method("__typing_subst__", "(arg, /)", "", |th, a| {
        call_typing(th, "_paramspec_subst", &[a[0].clone(), a[1].clone()])
    }),
    method("__typing_prepare_subst__", "(alias, args, /)", "", |th, a| {
        call_typing(th, "_paramspec_prepare_subst", &[a[0].clone(), a[1].clone(), a[2].clone()])
    }),
    method("has_default", "()", "", |_, a| Ok(Value::bool(this(&a[0]).default.is_set()))),
    method("__reduce__", "()", "", |_, a| Ok(this(&a[0]).name.clone())),
    method("__mro_entries__", "(object, /)", "", |th, _| no_subclass(th, "ParamSpec")),
];

fn this(v: &Value) -> &ParamSpec {
    v.downcast_ref().expect("the descriptor checked the class of self")
}
fn new(th: &mut Thread, _: &Ref<Type>, args: &Args<'_>) -> PyResult<Value> {
    static SIG: Sig = Sig::new(
        "(name, *, bound=None, default=NoDefault, covariant=False, contravariant=False, infer_variance=False)",
    );
    let b = SIG.bind(th, "paramspec", "paramspec", args, 0)?;
    let a = b.args();
    let name = name_argument(th, "paramspec", &a[0])?;
    let mut flag = |i: usize| a.opt(i).map_or(Ok(false), |v| compare::truth(th, v));
    let (covariant, contravariant, infer) = (flag(3)?, flag(4)?, flag(5)?);
    let variance = Variance::new(th, covariant, contravariant, infer)?;
    let bound = match a.opt_not_none(1) {
        Some(v) => type_check(th, v, "Bound must be a type.")?,
        None => Value::NONE,
    };
    let made = Value::from(Ref::new(ParamSpec {
        name,
        bound,
        default: Lazy::known(a.opt(2).cloned()),
        dict: ValueCell::empty(),
        variance,
    }));
    set_module(th, &made)?;
    Ok(made)
}
/// `[**P]`
pub fn make_param_spec(name: &Value) -> Value {
    let (bound, variance) = (Value::NONE, Variance::INFERRED);
    Ref::new(ParamSpec { name: name.clone(), bound, default: Lazy::default(), dict: ValueCell::empty(), variance })
        .into()
}

/// `P.args`
#[derive(krait_macros::Trace, krait_macros::Payload)]
#[payload(class = PARAM_SPEC_ARGS)]
pub struct ParamSpecArgs {
    origin: Value,
}
static ARGS_LAYOUT: VTable = VTable::of::<ParamSpecArgs>();
pub static PARAM_SPEC_ARGS: TypeObject = TypeObject::builtin("ParamSpecArgs", Some(&OBJECT), &ARGS_LAYOUT);

/// `P.kwargs`
#[derive(krait_macros::Trace, krait_macros::Payload)]
#[payload(class = PARAM_SPEC_KWARGS)]
pub struct ParamSpecKwargs {
    origin: Value,
}
static KWARGS_LAYOUT: VTable = VTable::of::<ParamSpecKwargs>();
pub static PARAM_SPEC_KWARGS: TypeObject = TypeObject::builtin("ParamSpecKwargs", Some(&OBJECT), &KWARGS_LAYOUT);

pub(super) static ARGS_DEF: ClassDef = ClassDef {
    module: "typing",
    doc: "The args of a ParamSpec: `P.args`, with `P` as `__origin__`.\n\n    >>> P = ParamSpec('P')\n    >>> P.args.__origin__ is P\n    True",
    methods: ARGS_METHODS,
    getset: ATTRIBUTE_GETSET,
    slots: SlotDefs {
        new: Some(|th, _, args| {
            let origin = origin_argument(th, "paramspecargs", args)?;
            Ok(Ref::new(ParamSpecArgs { origin }).into())
        }),
        repr: Some(|th, v| show_attribute(th, v, "args")),
        ..ATTRIBUTE_SLOTS
    },
    flags: type_flag::WEAKREF | type_flag::HAVE_GC,
    ..ClassDef::new(&PARAM_SPEC_ARGS)
};
pub(super) static KWARGS_DEF: ClassDef = ClassDef {
    module: "typing",
    doc: "The kwargs of a ParamSpec: `P.kwargs`, with `P` as `__origin__`.\n\n    >>> P = ParamSpec('P')\n    >>> P.kwargs.__origin__ is P\n    True",
    methods: KWARGS_METHODS,
    getset: ATTRIBUTE_GETSET,
    slots: SlotDefs {
        new: Some(|th, _, args| {
            let origin = origin_argument(th, "paramspeckwargs", args)?;
            Ok(Ref::new(ParamSpecKwargs { origin }).into())
        }),
        repr: Some(|th, v| show_attribute(th, v, "kwargs")),
        ..ATTRIBUTE_SLOTS
    },
    flags: type_flag::WEAKREF | type_flag::HAVE_GC,
    ..ClassDef::new(&PARAM_SPEC_KWARGS)
};
const ATTRIBUTE_SLOTS: SlotDefs = SlotDefs { compare: Some(same_origin), hash: Some(unhashable), ..SlotDefs::EMPTY };
static ATTRIBUTE_GETSET: &[GetSet] = &[member("__origin__", "", |_, v| Ok(origin(v).clone()))];
static ARGS_METHODS: &[Method] =
    &[method("__mro_entries__", "(object, /)", "", |th, _| no_subclass(th, "ParamSpecArgs"))];
static KWARGS_METHODS: &[Method] =
    &[method("__mro_entries__", "(object, /)", "", |th, _| no_subclass(th, "ParamSpecKwargs"))];

fn origin(v: &Value) -> &Value {
    v.downcast_ref::<ParamSpecArgs>()
        .map(|a| &a.origin)
        .or_else(|| v.downcast_ref::<ParamSpecKwargs>().map(|k| &k.origin))
        .expect("the descriptor checked the class of self")
}
fn origin_argument(th: &mut Thread, name: &'static str, args: &Args<'_>) -> PyResult<Value> {
    static SIG: Sig = Sig::new("(origin)");
    let b = SIG.bind(th, name, name, args, 0)?;
    Ok(b.args()[0].clone())
}
fn show_attribute(th: &mut Thread, v: &Value, what: &str) -> PyResult<Value> {
    let origin = origin(v).clone();
    let shown = match origin.downcast_exact::<ParamSpec>() {
        Some(p) => repr::str(th, &p.name)?,
        None => repr::repr(th, &origin)?,
    };
    Ok(Value::from(format!("{shown}.{what}")))
}
fn same_origin(th: &mut Thread, a: &Value, b: &Value, op: CmpOp) -> PyResult<Value> {
    if !matches!(op, CmpOp::Eq | CmpOp::Ne) || !b.is_exact(a.class()) {
        return Ok(Value::NOT_IMPLEMENTED);
    }
    let (x, y) = (origin(a).clone(), origin(b).clone());
    compare::compare(th, &x, &y, op)
}
