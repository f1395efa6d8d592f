//! `hamt()`: the trie of `hamt.rs`, on which contexts are built, with any keys.
use krait_macros::{Payload, Trace};
use krait_object::builtin_types::OBJECT;
use krait_object::compare::{hash_value, key_eq};
use krait_object::native::{function, method};
use krait_object::{
    Args, ClassDef, CmpOp, Locked, Method, PyResult, Ref, SlotDefs, Thread, Tuple, TypeObject, VTable, Value, type_flag,
};
use krait_runtime::errors::key_error;
use krait_runtime::protocol::compare;
use krait_runtime::types::iterators::self_iter;
use krait_runtime::types::type_::unhashable;

use crate::hamt::{Hamt, Key, Walk};

pub static FUNCTIONS: &[Method] =
    &[function("hamt", "()", "An empty immutable map.", |_, _| Ok(Ref::new(Map(Hamt::default())).into()))];

#[derive(Trace, Payload)]
#[payload(class = MAP)]
pub struct Map(Hamt);
static LAYOUT: VTable = VTable::of::<Map>();
pub static MAP: TypeObject = TypeObject::builtin("hamt", Some(&OBJECT), &LAYOUT);
pub static MAP_DEF: ClassDef = ClassDef {
    methods: METHODS,
    slots: SlotDefs {
        hash: Some(unhashable),
        compare: Some(compare_maps),
        iter: Some(|_, v| Ok(walk(v, Part::Key))),
        mp_len: Some(|_, v| Ok(map(v).len())),
        subscript: Some(|th, v, key| match find(th, v, key)? {
            Some(found) => Ok(found),
            None => Err(key_error(th, key)),
        }),
        contains: Some(|th, v, key| Ok(find(th, v, key)?.is_some())),
        ..SlotDefs::EMPTY
    },
    flags: type_flag::WEAKREF | type_flag::HAVE_GC | type_flag::DISALLOW_INSTANTIATION,
    ..ClassDef::new(&MAP)
};
static METHODS: &[Method] = &[
    method("set", "(key, value, /)", "The map with this value for the key.", |th, a| {
        let hash = hash_value(th, &a[1])? as u64;
        let key = &mut Key { hash, owner: 0, same: &mut |th, k| key_eq(th, &a[1], k) };
        let made = map(&a[0]).set(th, key, (a[1].clone(), a[2].clone()))?;
        Ok(made.map_or_else(|| a[0].clone(), |m| Ref::new(Map(m)).into()))
    }),
    method("get", "(key, default=None, /)", "The key's value, or the default.", |th, a| {
        Ok(find(th, &a[0], &a[1])?.or_else(|| a.opt(2).cloned()).into())
    }),
    method("delete", "(key, /)", "The map without the key.", |th, a: &Args<'_>| {
        let hash = hash_value(th, &a[1])? as u64;
        let made = map(&a[0]).remove(th, &mut Key { hash, owner: 0, same: &mut |th, k| key_eq(th, &a[1], k) })?;
        Ok(made.map_or_else(|| a[0].clone(), |m| Ref::new(Map(m)).into()))
    }),
    method("items", "()", "An iterator over the pairs.", |_, a| Ok(walk(&a[0], Part::Both))),
    method("keys", "()", "An iterator over the keys.", |_, a| Ok(walk(&a[0], Part::Key))),
    method("values", "()", "An iterator over the values.", |_, a| Ok(walk(&a[0], Part::Value))),
];

fn map(v: &Value) -> &Hamt {
    &v.downcast_ref::<Map>().expect("the descriptor checked the class of self").0
}
fn find(th: &mut Thread, v: &Value, key: &Value) -> PyResult<Option<Value>> {
    let hash = hash_value(th, key)? as u64;
    map(v).get(th, &mut Key { hash, owner: 0, same: &mut |th, k| key_eq(th, key, k) })
}
fn compare_maps(th: &mut Thread, a: &Value, b: &Value, op: CmpOp) -> PyResult<Value> {
    let (Some(Map(x)), Some(Map(y))) = (a.downcast_ref(), b.downcast_ref()) else { return Ok(Value::NOT_IMPLEMENTED) };
    if !matches!(op, CmpOp::Eq | CmpOp::Ne) {
        return Ok(Value::NOT_IMPLEMENTED);
    }
    let mut equal = x.len() == y.len();
    for (key, value) in x.iter() {
        if !equal {
            break;
        }
        equal = match find(th, b, &key)? {
            Some(other) => compare::eq(th, &value, &other)?,
            None => false,
        };
    }
    Ok(Value::bool(equal == (op == CmpOp::Eq)))
}

#[derive(Clone, Copy)]
enum Part {
    Key,
    Value,
    Both,
}
#[derive(Trace, Payload)]
#[payload(class = ITERATOR)]
pub struct Iter {
    map: Value,
    walk: Locked<Walk>,
    #[trace(skip)]
    part: Part,
}
static ITER_LAYOUT: VTable = VTable::of::<Iter>();
pub static ITERATOR: TypeObject = TypeObject::builtin("hamt_iterator", Some(&OBJECT), &ITER_LAYOUT);
pub static ITER_DEF: ClassDef = ClassDef {
    slots: SlotDefs {
        iter: Some(self_iter),
        mp_len: Some(|_, v| Ok(map(&iterator(v).map).len())),
        next: Some(|_, v| {
            let it = iterator(v);
            let next = it.walk.lock().next();
            Ok(next.map(|(key, value)| match it.part {
                Part::Key => key,
                Part::Value => value,
                Part::Both => Tuple::of([key, value]).into(),
            }))
        }),
        ..SlotDefs::EMPTY
    },
    flags: type_flag::HAVE_GC | type_flag::DISALLOW_INSTANTIATION,
    ..ClassDef::new(&ITERATOR)
};
fn iterator(v: &Value) -> &Iter {
    v.downcast_ref().expect("the slot belongs to the iterator")
}
fn walk(v: &Value, part: Part) -> Value {
    Ref::new(Iter { map: v.clone(), walk: Locked::new(map(v).iter()), part }).into()
}
