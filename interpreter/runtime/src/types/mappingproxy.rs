//! `mappingproxy`: a read-only view of any mapping (`type.__dict__`). CPython: `Objects/descrobject.c`.
use krait_macros::{Payload, Trace};
use krait_object::builtin_types::{LIST, OBJECT, TUPLE};
use krait_object::native::{Sig, class_method, method};
use krait_object::{
    Args, ClassDef, CmpOp, Method, PyResult, Ref, SlotDefs, StrBuilder, Thread, Type, TypeObject, VTable, Value,
    type_flag,
};

use crate::errors::type_error;
use crate::protocol::number::{self, BinaryOp};
use crate::protocol::{attr, call, compare, iter, repr, sequence};
use crate::types::generic_alias::class_getitem;

#[derive(Trace, Payload)]
#[payload(class = MAPPING_PROXY)]
pub struct MappingProxy {
    pub mapping: Value,
}
static LAYOUT: VTable = VTable::of::<MappingProxy>();
pub static MAPPING_PROXY: TypeObject = TypeObject::builtin("mappingproxy", Some(&OBJECT), &LAYOUT);

pub static DEF: ClassDef = ClassDef {
    doc: "Read-only proxy of a mapping.",
    sig: "(mapping)",
    methods: METHODS,
    slots: SlotDefs {
        new: Some(construct),
        repr: Some(proxy_repr),
        hash: Some(|th, v| compare::hash(th, &this(v).mapping)),
        str: Some(|th, v| Ok(repr::str(th, &this(v).mapping)?.into())),
        compare: Some(richcompare),
        iter: Some(|th, v| iter::iter(th, &this(v).mapping)),
        or: Some(or),
        inplace_or: Some(inplace_or),
        mp_len: Some(|th, v| sequence::len(th, &this(v).mapping)),
        contains: Some(|th, v, key| sequence::contains(th, &this(v).mapping, key)),
        subscript: Some(|th, v, key| sequence::get_item(th, &this(v).mapping, key)),
        ..SlotDefs::EMPTY
    },
    flags: type_flag::MAPPING | type_flag::HAVE_GC,
    ..ClassDef::new(&MAPPING_PROXY)
};

static METHODS: &[Method] = &[
    method("get", "(key, default=None, /)", "Return the value for key if key is in the mapping, else default.", get),
    method("keys", "()", "A set-like view of the mapping's keys.", |th, a| forward(th, a, "keys")),
    method("values", "()", "A view of the mapping's values.", |th, a| forward(th, a, "values")),
    method("items", "()", "A set-like view of the mapping's items.", |th, a| forward(th, a, "items")),
    method("copy", "()", "A shallow copy of the mapping.", |th, a| forward(th, a, "copy")),
    class_method("__class_getitem__", "(object, /)", "See PEP 585", class_getitem),
    method("__reversed__", "()", "A reverse iterator over the keys.", |th, a| forward(th, a, "__reversed__")),
];

fn this(v: &Value) -> &MappingProxy {
    v.downcast_ref().expect("the slot belongs to mappingproxy")
}

/// The proxy of a mapping.
pub fn new(mapping: Value) -> Value {
    Ref::new(MappingProxy { mapping }).into()
}

fn construct(th: &mut Thread, _cls: &Ref<Type>, args: &Args<'_>) -> PyResult<Value> {
    static SIG: Sig = Sig::new("(mapping)");
    let b = SIG.bind(th, "mappingproxy", "mappingproxy", args, 0)?;
    let mapping = &b.args()[0];
    let is_mapping = mapping.class().slots.subscript.is_set();
    if !is_mapping || mapping.is_instance(&LIST) || mapping.is_instance(&TUPLE) {
        let message = format!("mappingproxy() argument must be a mapping, not {}", mapping.class().name());
        return Err(type_error(th, message));
    }
    Ok(new(mapping.clone()))
}

fn proxy_repr(th: &mut Thread, v: &Value) -> PyResult<Value> {
    th.check_native(" while getting the repr of an object")?;
    let shown = repr::repr(th, &this(v).mapping)?;
    let mut out = StrBuilder::new();
    out.push_text("mappingproxy(");
    out.push_str(&shown);
    out.push_text(")");
    Ok(out.finish().into())
}

fn richcompare(th: &mut Thread, a: &Value, b: &Value, op: CmpOp) -> PyResult<Value> {
    compare::compare(th, &this(a).mapping, b, op)
}

/// The mapping behind a proxy; other values as they are.
fn unwrapped(v: &Value) -> &Value {
    v.downcast_ref::<MappingProxy>().map_or(v, |p| &p.mapping)
}

fn or(th: &mut Thread, a: &Value, b: &Value) -> PyResult<Value> {
    number::binary(th, BinaryOp::Or, unwrapped(a), unwrapped(b))
}

fn inplace_or(th: &mut Thread, v: &Value, _: &Value) -> PyResult<Value> {
    let message = format!("'|=' is not supported by {}; use '|' instead", v.class().name());
    Err(type_error(th, message))
}

fn forward(th: &mut Thread, a: &Args<'_>, name: &str) -> PyResult<Value> {
    attr::call_method(th, &a.this::<MappingProxy>().mapping, name, &[])
}

fn get(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let method = attr::get_text(th, &a.this::<MappingProxy>().mapping, "get")?;
    call::call(th, &method, &[a[1].clone(), a.opt(2).cloned().unwrap_or(Value::NONE)])
}
