//! `types.SimpleNamespace`.
use krait_object::builtin_types::OBJECT;
use krait_object::native::{member, method};
use krait_object::{
    Args, ClassDef, CmpOp, Dict, GetSet, Method, PyResult, Ref, SlotDefs, Str, Thread, Tuple, TypeObject, VTable,
    Value, ValueCell, type_flag,
};

use crate::errors::type_error;
use crate::protocol::{call, compare, repr};
use crate::types::object::instance_dict;

#[derive(krait_macros::Trace, krait_macros::Payload)]
#[payload(class = SIMPLE_NAMESPACE)]
pub struct SimpleNamespace {
    dict: ValueCell,
}
static LAYOUT: VTable = VTable::of::<SimpleNamespace>();
pub static SIMPLE_NAMESPACE: TypeObject = TypeObject::builtin("SimpleNamespace", Some(&OBJECT), &LAYOUT);

pub static DEF: ClassDef = ClassDef {
    module: "types",
    doc: "A simple attribute-based namespace.",
    sig: "(mapping_or_iterable=(), /, **kwargs)",
    methods: METHODS,
    getset: GETSET,
    slots: SlotDefs {
        new: Some(|_, class, _| {
            Ok(Ref::with_class(SimpleNamespace { dict: ValueCell::empty() }, class.object()).into())
        }),
        init: Some(init),
        repr: Some(show),
        compare: Some(|th, a, b, op| {
            if a.downcast_ref::<SimpleNamespace>().is_none() || b.downcast_ref::<SimpleNamespace>().is_none() {
                return Ok(Value::NOT_IMPLEMENTED);
            }
            let (x, y) = (dict(a), dict(b));
            compare::compare(th, x.as_value(), y.as_value(), op as CmpOp)
        }),
        ..SlotDefs::EMPTY
    },
    flags: type_flag::BASE | type_flag::HAVE_GC,
    dict_cell: Some(|v| v.downcast_ref::<SimpleNamespace>().map(|s| &s.dict)),
    ..ClassDef::new(&SIMPLE_NAMESPACE)
};
static GETSET: &[GetSet] = &[member("__dict__", "", |_, v| Ok(dict(v).into()))];
static METHODS: &[Method] = &[
    method("__reduce__", "()", "Return state information for pickling", |_, a| {
        let class = a[0].class_ref().to_value();
        Ok(Tuple::from_vec(vec![class, Tuple::empty().into(), dict(&a[0]).into()]).into())
    }),
    method(
        "__replace__",
        "(**changes)",
        "Return a copy of the namespace object with new values for the specified attributes.",
        |th, a| {
            let made = call::call(th, a[0].class_ref().as_value(), &[])?;
            for (k, v) in
                dict(&a[0]).items().into_iter().chain(a[1].to_ref::<Dict>().into_iter().flat_map(|d| d.items()))
            {
                dict(&made).set(th, k, v)?;
            }
            Ok(made)
        },
    ),
];

fn dict(v: &Value) -> Ref<Dict> {
    instance_dict(v).unwrap_or_else(Dict::new)
}
/// A namespace with these attributes.
pub fn new(items: &[(&str, Value)]) -> Value {
    let d = Dict::new();
    for (k, v) in items {
        d.set_text(k, v.clone());
    }
    Ref::new(SimpleNamespace { dict: ValueCell::new(Some(d.into())) }).into()
}
fn init(th: &mut Thread, v: &Value, args: &Args<'_>) -> PyResult<()> {
    let d = dict(v);
    match args.pos() {
        [] => {}
        [mapping] => {
            let class = Ref::from_object(&krait_object::builtin_types::DICT).to_value();
            let items = call::call(th, &class, &[mapping.clone()])?;
            for (k, x) in items.to_ref::<Dict>().into_iter().flat_map(|d| d.items()) {
                if k.downcast_ref::<Str>().is_none() {
                    return Err(type_error(th, "keywords must be strings"));
                }
                d.set(th, k, x)?;
            }
        }
        more => {
            let n = more.len();
            let class = v.class().name();
            return Err(type_error(th, format!("{class} expected at most 1 argument, got {n}")));
        }
    }
    for (k, x) in args.kw() {
        d.set(th, k.clone(), x.clone())?;
    }
    Ok(())
}
fn show(th: &mut Thread, v: &Value) -> PyResult<Value> {
    let name = if v.is_exact(&SIMPLE_NAMESPACE) { "namespace".to_owned() } else { v.class().name().to_string() };
    repr::with_repr(th, v, &format!("{name}(...)"), |th| {
        let mut parts = Vec::new();
        for (k, x) in dict(v).items() {
            if let Some(key) = k.downcast_ref::<Str>().filter(|k| !k.is_empty()) {
                let key = key.to_string_lossy().into_owned();
                parts.push(format!("{key}={}", repr::repr(th, &x)?));
            }
        }
        Ok(Value::from(format!("{name}({})", parts.join(", "))))
    })
}
