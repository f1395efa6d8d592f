//! `types.UnionType`: `int | str`.
use krait_object::builtin_types::{NONE_TYPE, OBJECT};
use krait_object::native::{getter, member};
use krait_object::{
    ClassDef, CmpOp, GetSet, PyResult, Ref, SlotDefs, Str, Thread, Tuple, Type, TypeObject, VTable, Value, type_flag,
};

use crate::protocol::{compare, number};
use crate::types::generic_alias;

#[derive(krait_macros::Trace, krait_macros::Payload)]
#[payload(class = UNION)]
pub struct Union {
    pub args: Ref<Tuple>,
    parameters: krait_object::ValueCell,
}
static LAYOUT: VTable = VTable::of::<Union>();
pub static UNION: TypeObject = TypeObject::builtin("UnionType", Some(&OBJECT), &LAYOUT);

pub static DEF: ClassDef = ClassDef {
    module: "types",
    doc: "Represent a PEP 604 union type\n\nE.g. for int | str",
    getset: GETSET,
    slots: SlotDefs {
        repr: Some(|th, v| {
            let mut parts = Vec::new();
            for a in this(v).args.iter() {
                parts.push(if a.is_none() || a.is(Ref::from_object(&NONE_TYPE).as_value()) {
                    "None".to_owned()
                } else {
                    generic_alias::show_item(th, a)?
                });
            }
            Ok(Value::from(parts.join(" | ")))
        }),
        hash: Some(|th, v| {
            let set = krait_object::Set::new();
            for a in this(v).args.clone().iter() {
                set.add(th, a.clone())?;
            }
            Ok(krait_object::hash::set(set.to_hashed_vec().iter().map(|(h, _)| *h).collect::<Vec<_>>().into_iter()))
        }),
        compare: Some(same),
        getattr: Some(|th, v, name: &Ref<Str>| match name.eq_str("__module__") {
            true => Ok(Some("types".into())),
            false => super::object::generic_getattr(th, v, name),
        }),
        subscript: Some(|th, v, key| {
            let (args, params) = (this(v).args.clone(), parameters(th, v)?);
            let new = generic_alias::substitute(th, v, &args, &params, key)?;
            let mut out = match new.first() {
                Some(first) => first.clone(),
                None => return Ok(v.clone()),
            };
            for item in &new[1..] {
                out = number::binary(th, number::BinaryOp::Or, &out, item)?;
            }
            Ok(out)
        }),
        or: Some(type_or),
        ..SlotDefs::EMPTY
    },
    flags: type_flag::DISALLOW_INSTANTIATION | type_flag::WEAKREF | type_flag::HAVE_GC,
    ..ClassDef::new(&UNION)
};
static GETSET: &[GetSet] = &[
    member("__args__", "", |_, v| Ok(this(v).args.clone().into())),
    getter("__parameters__", "Type variables in the types.UnionType.", |th, v| Ok(parameters(th, v)?.into())),
];

fn this(v: &Value) -> &Union {
    v.downcast_ref().expect("the descriptor checked the class of self")
}
fn parameters(th: &mut Thread, v: &Value) -> PyResult<Ref<Tuple>> {
    let u = this(v);
    if let Some(p) = u.parameters.get().and_then(|p| p.downcast().ok()) {
        return Ok(p);
    }
    let p = generic_alias::collect_parameters(th, &u.args.clone())?;
    u.parameters.set(Some(p.to_value()));
    Ok(p)
}
fn same(th: &mut Thread, a: &Value, b: &Value, op: CmpOp) -> PyResult<Value> {
    let (Some(x), Some(y)) = (a.downcast_ref::<Union>(), b.downcast_ref::<Union>()) else {
        return Ok(Value::NOT_IMPLEMENTED);
    };
    if !matches!(op, CmpOp::Eq | CmpOp::Ne) {
        return Ok(Value::NOT_IMPLEMENTED);
    }
    let (x, y) = (x.args.clone(), y.args.clone());
    let mut equal = x.len() == y.len();
    for p in x.iter().filter(|_| equal).collect::<Vec<_>>() {
        let mut found = false;
        for q in y.iter() {
            found = found || compare::eq(th, p, q)?;
        }
        equal &= found;
    }
    Ok(Value::bool(equal == (op == CmpOp::Eq)))
}
fn is_unionable(v: &Value) -> bool {
    v.is_none()
        || v.downcast_ref::<Type>().is_some()
        || v.downcast_ref::<generic_alias::GenericAlias>().is_some()
        || v.downcast_ref::<Union>().is_some()
        || &*v.class().name() == "TypeAliasType"
}
/// `X | Y` on types.
pub fn type_or(th: &mut Thread, a: &Value, b: &Value) -> PyResult<Value> {
    if !is_unionable(a) || !is_unionable(b) {
        return Ok(Value::NOT_IMPLEMENTED);
    }
    make(th, &[a.clone(), b.clone()])
}
/// A union of these, flattened and without duplicates; the one type itself if only one is left.
pub fn make(th: &mut Thread, items: &[Value]) -> PyResult<Value> {
    let mut flat = Vec::new();
    for v in items {
        match v.downcast_ref::<Union>() {
            Some(u) => flat.extend(u.args.iter().cloned()),
            None if v.is_none() => flat.push(Ref::from_object(&NONE_TYPE).into()),
            None => flat.push(v.clone()),
        }
    }
    let mut unique: Vec<Value> = Vec::new();
    'next: for v in flat {
        for held in &unique {
            let both_alias = v.downcast_ref::<generic_alias::GenericAlias>().is_some()
                && held.downcast_ref::<generic_alias::GenericAlias>().is_some();
            if v.is(held) || (both_alias && compare::eq(th, &v, held)?) {
                continue 'next;
            }
            let typed = v.downcast_ref::<Type>().is_none() || held.downcast_ref::<Type>().is_none();
            if !both_alias && typed && compare::eq(th, held, &v)? {
                continue 'next;
            }
        }
        unique.push(v);
    }
    if let [one] = &unique[..] {
        return Ok(one.clone());
    }
    Ok(Ref::new(Union { args: Tuple::from_vec(unique), parameters: krait_object::ValueCell::empty() }).into())
}
