//! `types.GenericAlias`: `list[int]`.
use krait_object::builtin_types::OBJECT;
use krait_object::native::{Sig, getter, member, method};
use krait_object::{
    Args, ClassDef, CmpOp, GetSet, List, Method, PyResult, Ref, SlotDefs, Str, Thread, Tuple, Type, TypeObject, VTable,
    Value, ValueCell, type_flag,
};

use crate::errors::type_error;
use crate::protocol::{attr, call, compare, iter, repr, sequence};

pub mod iterator;

#[derive(krait_macros::Trace, krait_macros::Payload)]
#[payload(class = GENERIC_ALIAS)]
pub struct GenericAlias {
    pub origin: Value,
    pub args: Ref<Tuple>,
    parameters: ValueCell,
    /// `*tuple[int]`.
    starred: bool,
}
static LAYOUT: VTable = VTable::of::<GenericAlias>();
pub static GENERIC_ALIAS: TypeObject = TypeObject::builtin("GenericAlias", Some(&OBJECT), &LAYOUT);

pub static DEF: ClassDef = ClassDef {
    module: "types",
    doc: "Represent a PEP 585 generic type\n\nE.g. for t = list[int], t.__origin__ is list and t.__args__ is (int,).",
    sig: "(origin, args, /)",
    methods: METHODS,
    getset: GETSET,
    slots: SlotDefs {
        new: Some(|th, class, args| {
            static SIG: Sig = Sig::new("(origin, args, /)");
            if args.has_kw() {
                return Err(type_error(th, "GenericAlias() takes no keyword arguments"));
            }
            let bound = SIG.bind(th, "GenericAlias", "GenericAlias", args, 0)?;
            let a = bound.args();
            Ok(Ref::with_class(payload(a[0].clone(), a[1].clone(), false), class.object()).into())
        }),
        repr: Some(show),
        hash: Some(|th, v| {
            let a = this(v);
            let (origin, args) = (a.origin.clone(), a.args.clone());
            let h = compare::hash(th, &origin)? ^ compare::hash(th, args.as_value())?;
            Ok(krait_object::hash::fix(h))
        }),
        call: Some(call_alias),
        compare: Some(same),
        getattr: Some(getattr),
        iter: Some(|_, v| Ok(iterator::new(v))),
        subscript: Some(|th, v, key| {
            let params = parameters(th, v)?;
            let (origin, args, starred) = (this(v).origin.clone(), this(v).args.clone(), this(v).starred);
            let new = substitute(th, v, &args, &params, key)?;
            Ok(Ref::new(payload(origin, Tuple::from_vec(new).into(), starred)).into())
        }),
        or: Some(crate::types::union_type::type_or),
        ..SlotDefs::EMPTY
    },
    flags: type_flag::BASE | type_flag::WEAKREF | type_flag::HAVE_GC,
    ..ClassDef::new(&GENERIC_ALIAS)
};
static METHODS: &[Method] = &[
    method("__mro_entries__", "(object, /)", "", |_, a| Ok(Tuple::from_slice(&[this(&a[0]).origin.clone()]).into())),
    method("__instancecheck__", "(object, /)", "", |th, _| {
        Err(type_error(th, "isinstance() argument 2 cannot be a parameterized generic"))
    }),
    method("__subclasscheck__", "(object, /)", "", |th, _| {
        Err(type_error(th, "issubclass() argument 2 cannot be a parameterized generic"))
    }),
    method("__reduce__", "()", "", |th, a| {
        let alias = this(&a[0]);
        if alias.starred {
            let plain = Value::from(Ref::new(payload(alias.origin.clone(), alias.args.to_value(), false)));
            let it = iter::iter(th, &plain)?;
            let next = crate::functions::builtin(th, "next")?;
            return Ok(Tuple::from_vec(vec![next, Tuple::from_slice(&[it]).into()]).into());
        }
        let class = a[0].class_ref().to_value();
        let args = Tuple::from_slice(&[alias.origin.clone(), alias.args.to_value()]);
        Ok(Tuple::from_slice(&[class, args.into()]).into())
    }),
    method("__dir__", "()", "", |th, a| {
        let origin = this(&a[0]).origin.clone();
        let dir = crate::functions::builtin(th, "dir")?;
        let names = call::call(th, &dir, &[origin])?;
        let list = List::new(iter::collect(th, &names)?);
        for name in OWN {
            if !sequence::contains(th, list.as_value(), &Value::str(name))? {
                list.push(Value::str(name));
            }
        }
        Ok(list.into())
    }),
];
static GETSET: &[GetSet] = &[
    member("__origin__", "", |_, v| Ok(this(v).origin.clone())),
    member("__args__", "", |_, v| Ok(this(v).args.clone().into())),
    member("__unpacked__", "", |_, v| Ok(Value::bool(this(v).starred))),
    getter("__parameters__", "Type variables in the GenericAlias.", |th, v| Ok(parameters(th, v)?.into())),
    getter("__typing_unpacked_tuple_args__", "", |_, v| {
        let a = this(v);
        let is_tuple = a.origin.is(Ref::from_object(&krait_object::builtin_types::TUPLE).as_value());
        Ok(if a.starred && is_tuple { a.args.clone().into() } else { Value::NONE })
    }),
];
/// Attributes that are the alias's own; every other one is the origin's.
static OWN: &[&str] = &[
    "__class__",
    "__bases__",
    "__copy__",
    "__deepcopy__",
    "__unpacked__",
    "__typing_unpacked_tuple_args__",
    "__origin__",
    "__args__",
    "__parameters__",
    "__mro_entries__",
    "__reduce_ex__",
    "__reduce__",
];

fn this(v: &Value) -> &GenericAlias {
    v.downcast_ref().expect("the descriptor checked the class of self")
}
fn payload(origin: Value, args: Value, starred: bool) -> GenericAlias {
    let args = args.to_ref::<Tuple>().unwrap_or_else(|| Tuple::from_slice(&[args]));
    GenericAlias { origin, args, parameters: ValueCell::empty(), starred }
}
/// `origin[args]`.
pub fn new(origin: Value, args: Value) -> Value {
    Ref::new(payload(origin, args, false)).into()
}
/// `__class_getitem__` of generic builtins.
pub fn class_getitem(_: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    Ok(new(a[0].clone(), a[1].clone()))
}
fn parameters(th: &mut Thread, v: &Value) -> PyResult<Ref<Tuple>> {
    let a = this(v);
    if let Some(p) = a.parameters.get().and_then(|p| p.downcast().ok()) {
        return Ok(p);
    }
    let p = collect_parameters(th, &a.args.clone())?;
    this(v).parameters.set(Some(p.to_value()));
    Ok(p)
}
/// The type variables in these arguments, each once, in order of appearance.
pub fn collect_parameters(th: &mut Thread, args: &Ref<Tuple>) -> PyResult<Ref<Tuple>> {
    let mut out: Vec<Value> = Vec::new();
    fn add(out: &mut Vec<Value>, v: &Value) {
        if !out.iter().any(|x| x.is(v)) {
            out.push(v.clone());
        }
    }
    for arg in args.iter() {
        if arg.downcast_ref::<Type>().is_some() {
            continue;
        }
        if attr::get_text_opt(th, arg, "__typing_subst__")?.is_some() {
            add(&mut out, arg);
            continue;
        }
        let nested = match arg.downcast_ref::<Tuple>() {
            Some(_) => arg.to_ref::<Tuple>().map(|t| collect_parameters(th, &t)).transpose()?.map(Value::from),
            None => attr::get_text_opt(th, arg, "__parameters__")?,
        };
        for p in nested.iter().filter_map(|n| n.downcast_ref::<Tuple>()).flat_map(|t| t.iter()) {
            add(&mut out, p);
        }
    }
    Ok(Tuple::from_vec(out))
}
/// The arguments with the parameters replaced by `item`.
pub fn substitute(
    th: &mut Thread,
    alias: &Value,
    args: &Ref<Tuple>,
    params: &Ref<Tuple>,
    item: &Value,
) -> PyResult<Vec<Value>> {
    if params.is_empty() {
        let shown = repr::repr(th, alias)?;
        return Err(type_error(th, format!("{shown} is not a generic class")));
    }
    let mut items = unpack_items(th, item)?;
    for param in params.iter() {
        if let Some(prepare) = attr::get_text_opt(th, param, "__typing_prepare_subst__")?
            && !prepare.is_none()
        {
            let r = call::call(th, &prepare, &[alias.clone(), Tuple::from_vec(items.clone()).into()])?;
            items = sequence::to_items(th, &r, "expected a tuple")?;
        }
    }
    if items.len() != params.len() {
        let shown = repr::repr(th, alias)?;
        let few = if items.len() > params.len() { "many" } else { "few" };
        let message = format!("Too {few} arguments for {shown}; actual {}, expected {}", items.len(), params.len());
        return Err(type_error(th, message));
    }
    let mut out = Vec::new();
    for arg in args.iter() {
        if arg.downcast_ref::<Type>().is_some() {
            out.push(arg.clone());
            continue;
        }
        if let Some(t) = arg.to_ref::<Tuple>() {
            let inner = substitute(th, alias, &t, params, item)?;
            out.push(Tuple::from_vec(inner).into());
            continue;
        }
        let unpack = match attr::get_text_opt(th, arg, "__typing_is_unpacked_typevartuple__")? {
            Some(v) => compare::truth(th, &v)?,
            None => false,
        };
        let replaced = match attr::get_text_opt(th, arg, "__typing_subst__")? {
            Some(f) => {
                let i = params.iter().position(|p| p.is(arg)).unwrap_or(0);
                call::call(th, &f, &[items[i].clone()])?
            }
            None => substitute_nested(th, arg, params, &items)?,
        };
        if unpack {
            out.extend(sequence::to_items(th, &replaced, "expected a tuple")?);
        } else {
            out.push(replaced);
        }
    }
    Ok(out)
}
fn substitute_nested(th: &mut Thread, arg: &Value, params: &Ref<Tuple>, items: &[Value]) -> PyResult<Value> {
    let Some(sub) = attr::get_text_opt(th, arg, "__parameters__")?.and_then(|p| p.downcast::<Tuple>().ok()) else {
        return Ok(arg.clone());
    };
    if sub.is_empty() {
        return Ok(arg.clone());
    }
    let mut chosen = Vec::new();
    for p in sub.iter() {
        match params.iter().position(|q| q.is(p)) {
            // A TypeVarTuple, which is iterable, stands for all of a tuple.
            Some(i) if p.class().slots.iter.is_set() && items[i].downcast_ref::<Tuple>().is_some() => {
                chosen.extend(items[i].downcast_ref::<Tuple>().into_iter().flat_map(|t| t.iter().cloned()));
            }
            Some(i) => chosen.push(items[i].clone()),
            None => chosen.push(p.clone()),
        }
    }
    sequence::get_item(th, arg, Tuple::from_vec(chosen).as_value())
}
fn unpack_items(th: &mut Thread, item: &Value) -> PyResult<Vec<Value>> {
    let given = match item.downcast_ref::<Tuple>() {
        Some(t) => t.to_vec(),
        None => vec![item.clone()],
    };
    let mut out = Vec::new();
    for v in given {
        if v.downcast_ref::<Type>().is_none()
            && let Some(inner) = attr::get_text_opt(th, &v, "__typing_unpacked_tuple_args__")?
            && let Some(t) = inner.downcast_ref::<Tuple>()
            && !t.last().is_some_and(|l| l.is(&Value::ELLIPSIS))
        {
            out.extend(t.iter().cloned());
            continue;
        }
        out.push(v);
    }
    Ok(out)
}
/// A type as it appears in the repr of an alias or union.
pub fn show_item(th: &mut Thread, v: &Value) -> PyResult<String> {
    if v.is(&Value::ELLIPSIS) {
        return Ok("...".to_owned());
    }
    let shown = |th: &mut Thread, v: &Value| repr::repr(th, v).map(|s| s.to_string_lossy().into_owned());
    if attr::get_text_opt(th, v, "__origin__")?.is_some() && attr::get_text_opt(th, v, "__args__")?.is_some() {
        return shown(th, v);
    }
    let Some(qualname) = attr::get_text_opt(th, v, "__qualname__")? else { return shown(th, v) };
    let Some(module) = attr::get_text_opt(th, v, "__module__")?.filter(|m| !m.is_none()) else { return shown(th, v) };
    let (qualname, module) = (repr::str(th, &qualname)?, repr::str(th, &module)?);
    Ok(if module.eq_str("builtins") { qualname.to_string() } else { format!("{module}.{qualname}") })
}
fn show(th: &mut Thread, v: &Value) -> PyResult<Value> {
    let (origin, args, starred) = (this(v).origin.clone(), this(v).args.clone(), this(v).starred);
    let mut parts = Vec::new();
    for a in args.iter() {
        if let Some(list) = a.downcast_exact::<List>() {
            let mut inner = Vec::new();
            for x in list.to_vec() {
                inner.push(show_item(th, &x)?);
            }
            parts.push(format!("[{}]", inner.join(", ")));
        } else {
            parts.push(show_item(th, a)?);
        }
    }
    let inner = if args.is_empty() { "()".to_owned() } else { parts.join(", ") };
    let star = if starred { "*" } else { "" };
    Ok(Value::from(format!("{star}{}[{inner}]", show_item(th, &origin)?)))
}
fn call_alias(th: &mut Thread, v: &Value, args: &Args<'_>) -> PyResult<Value> {
    let origin = this(v).origin.clone();
    let made = call::call_args(th, &origin, args)?;
    if let Err(raised) = attr::set_text(th, &made, "__orig_class__", v) {
        let attribute = crate::errors::in_flight(th, &crate::exceptions::ATTRIBUTE_ERROR);
        if !attribute && !crate::errors::in_flight(th, &crate::exceptions::TYPE_ERROR) {
            return Err(raised);
        }
        drop(crate::errors::take(th, raised));
    }
    Ok(made)
}
fn same(th: &mut Thread, a: &Value, b: &Value, op: CmpOp) -> PyResult<Value> {
    let (Some(x), Some(y)) = (a.downcast_ref::<GenericAlias>(), b.downcast_ref::<GenericAlias>()) else {
        return Ok(Value::NOT_IMPLEMENTED);
    };
    if !matches!(op, CmpOp::Eq | CmpOp::Ne) {
        return Ok(Value::NOT_IMPLEMENTED);
    }
    let (ox, oy, ax, ay) = (x.origin.clone(), y.origin.clone(), x.args.clone(), y.args.clone());
    let equal = x.starred == y.starred && compare::eq(th, &ox, &oy)? && compare::eq(th, ax.as_value(), ay.as_value())?;
    Ok(Value::bool(equal == (op == CmpOp::Eq)))
}
fn getattr(th: &mut Thread, v: &Value, name: &Ref<Str>) -> PyResult<Option<Value>> {
    let own = OWN.iter().any(|n| name.eq_str(n));
    if !own {
        let origin = this(v).origin.clone();
        return attr::get_attr(th, &origin, name).map(Some);
    }
    super::object::generic_getattr(th, v, name)
}
