//! `TypeVar`.
use krait_object::builtin_types::OBJECT;
use krait_object::native::{Sig, getter, member, method};
use krait_object::{
    Args, ClassDef, GetSet, Method, PyResult, Ref, SlotDefs, Thread, Tuple, Type, TypeObject, VTable, Value, ValueCell,
    type_flag,
};

use super::{Lazy, Variance, call_typing, name_argument, no_subclass, set_module, show, type_check, union};
use crate::errors::type_error;
use crate::protocol::{attr, compare, repr, sequence};

#[derive(krait_macros::Trace, krait_macros::Payload)]
#[payload(class = TYPE_VAR)]
pub struct TypeVar {
    name: Value,
    bound: Lazy,
    constraints: Lazy,
    pub(super) default: Lazy,
    /// Of the instance's `__dict__`.
    dict: ValueCell,
    #[trace(skip)]
    variance: Variance,
}
static LAYOUT: VTable = VTable::of::<TypeVar>();
pub static TYPE_VAR: TypeObject = TypeObject::builtin("TypeVar", Some(&OBJECT), &LAYOUT);

pub(super) static DEF: ClassDef = ClassDef {
    module: "typing",
    doc: "Type variable: stands for one type in a generic class, function or alias.\n\n`class C[T]: ...` makes one; so does \
          `T = TypeVar('T')`. A bound (`[T: str]`) names a type that the\nvariable must be a subtype of, constraints \
          (`[T: (str, bytes)]`) name the only types it may be,\na default (`[T = int]`) the type to assume where none \
          is given.",
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
    dict_cell: Some(|v| v.downcast_ref::<TypeVar>().map(|t| &t.dict)),
    ..ClassDef::new(&TYPE_VAR)
};
static GETSET: &[GetSet] = &[
    member("__name__", "", |_, v| Ok(this(v).name.clone())),
    member("__covariant__", "", |_, v| Ok(Value::bool(this(v).variance.covariant))),
    member("__contravariant__", "", |_, v| Ok(Value::bool(this(v).variance.contravariant))),
    member("__infer_variance__", "", |_, v| Ok(Value::bool(this(v).variance.infer))),
    getter("__bound__", "", |th, v| Ok(this(v).bound.get(th)?.into())),
    getter("__constraints__", "", |th, v| Ok(this(v).constraints.get(th)?.unwrap_or_else(|| Tuple::empty().into()))),
    getter("__default__", "", |th, v| this(v).default.or_no_default(th)),
];
static METHODS: &[Method] = &[
    method("__typing_subst__", "(arg, /)", "", |th, a| {
        call_typing(th, "_typevar_subst", &[a[0].clone(), a[1].clone()])
    }),
    method("__typing_prepare_subst__", "(alias, args, /)", "", prepare_subst),
    method("__reduce__", "()", "", |_, a| Ok(this(&a[0]).name.clone())),
    method("has_default", "()", "", |_, a| Ok(Value::bool(this(&a[0]).default.is_set()))),
    method("__mro_entries__", "(object, /)", "", |th, _| no_subclass(th, "TypeVar")),
];

fn this(v: &Value) -> &TypeVar {
    v.downcast_ref().expect("the descriptor checked the class of self")
}

fn new(th: &mut Thread, _: &Ref<Type>, args: &Args<'_>) -> PyResult<Value> {
    static SIG: Sig = Sig::new(
        "(name, *constraints, bound=None, default=NoDefault, covariant=False, contravariant=False, infer_variance=False)",
    );
    let b = SIG.bind(th, "typevar", "typevar", args, 0)?;
    let a = b.args();
    let name = name_argument(th, "typevar", &a[0])?;
    let constraints = a[1].to_ref::<Tuple>().unwrap_or_else(Tuple::empty);
    let mut flag = |i: usize| a.opt(i).map_or(Ok(false), |v| compare::truth(th, v));
    let (covariant, contravariant, infer) = (flag(4)?, flag(5)?, flag(6)?);
    let variance = Variance::new(th, covariant, contravariant, infer)?;
    let bound = match a.opt_not_none(2) {
        Some(v) => Some(type_check(th, v, "Bound must be a type.")?),
        None => None,
    };
    if constraints.len() == 1 {
        return Err(type_error(th, "A single constraint is not allowed"));
    }
    if !constraints.is_empty() && bound.is_some() {
        return Err(type_error(th, "Constraints cannot be combined with bound=..."));
    }
    let made = Value::from(Ref::new(TypeVar {
        name,
        bound: Lazy::known(bound),
        constraints: Lazy::known((!constraints.is_empty()).then(|| constraints.to_value())),
        default: Lazy::known(a.opt(3).cloned()),
        dict: ValueCell::empty(),
        variance,
    }));
    set_module(th, &made)?;
    Ok(made)
}
fn make(name: &Value, bound: Lazy, constraints: Lazy) -> Value {
    let variance = Variance::INFERRED;
    Ref::new(TypeVar {
        name: name.clone(),
        bound,
        constraints,
        default: Lazy::default(),
        dict: ValueCell::empty(),
        variance,
    })
    .into()
}
/// `[T]`
pub fn make_type_var(name: &Value) -> Value {
    make(name, Lazy::default(), Lazy::default())
}
/// `[T: bound]`; the function computes the bound.
pub fn make_type_var_with_bound(name: &Value, evaluate: &Value) -> Value {
    make(name, Lazy::computed(evaluate.clone()), Lazy::default())
}
/// `[T: (A, B)]`; the function computes the tuple.
pub fn make_type_var_with_constraints(name: &Value, evaluate: &Value) -> Value {
    make(name, Lazy::default(), Lazy::computed(evaluate.clone()))
}

/// The arguments for a generic alias, with the default appended where this variable's is missing.
fn prepare_subst(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let params = attr::get_text(th, &a[1], "__parameters__")?;
    let given = sequence::len(th, &a[2])?;
    let params = crate::protocol::iter::collect(th, &params)?;
    let mut index = None;
    for (i, p) in params.iter().enumerate() {
        if compare::eq(th, p, &a[0])? {
            index = Some(i);
            break;
        }
    }
    match index {
        Some(i) if i < given => return Ok(a[2].clone()),
        Some(i) if i == given => {
            let default = this(&a[0]).default.or_no_default(th)?;
            if !default.is(&super::no_default()) {
                let mut items = crate::protocol::iter::collect(th, &a[2])?;
                items.push(default);
                return Ok(Tuple::from_vec(items).into());
            }
        }
        _ => {}
    }
    let alias = repr::str(th, &a[1])?;
    let least = index.unwrap_or(params.len()) + 1;
    let message = format!("Too few arguments for {alias}; actual {given}, expected at least {least}");
    Err(type_error(th, message))
}
