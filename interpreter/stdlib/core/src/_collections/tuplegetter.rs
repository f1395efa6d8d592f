//! `_tuplegetter`: the descriptor behind the fields of named tuples. CPython: `Modules/_collectionsmodule.c`.
use krait_macros::{Payload, Trace};
use krait_object::builtin_types::{OBJECT, TUPLE};
use krait_object::native::{Sig, method};
use krait_object::{
    Args, ClassDef, GetSet, PyResult, Ref, SlotDefs, Thread, Tuple, Type, TypeObject, VTable, Value, ValueCell,
    type_flag,
};
use krait_runtime::errors::{attribute_error, index_error, type_error};
use krait_runtime::protocol::{number, repr};

#[derive(Trace, Payload)]
#[payload(class = TUPLE_GETTER)]
pub struct TupleGetter {
    pub index: isize,
    doc: ValueCell,
}
static LAYOUT: VTable = VTable::of::<TupleGetter>();
pub static TUPLE_GETTER: TypeObject = TypeObject::builtin("_tuplegetter", Some(&OBJECT), &LAYOUT);

pub static DEF: ClassDef = ClassDef {
    module: "collections",
    methods: &[method("__reduce__", "()", "", reduce)],
    getset: &[GetSet {
        name: "__doc__",
        doc: "",
        get: |_, v| Ok(this(v).doc.get().unwrap_or(Value::NONE)),
        set: Some(|_, v, new| {
            this(v).doc.set(new.cloned());
            Ok(())
        }),
        member: true,
    }],
    slots: SlotDefs {
        new: Some(new),
        repr: Some(getter_repr),
        descr_get: Some(descr_get),
        descr_set: Some(descr_set),
        ..SlotDefs::EMPTY
    },
    flags: type_flag::HAVE_GC,
    ..ClassDef::new(&TUPLE_GETTER)
};

fn this(v: &Value) -> &TupleGetter {
    v.downcast_ref().expect("the slot belongs to _tuplegetter")
}

fn new(th: &mut Thread, cls: &Ref<Type>, args: &Args<'_>) -> PyResult<Value> {
    static SIG: Sig = Sig::new("(index, doc, /)");
    let b = SIG.bind(th, "_tuplegetter", "_tuplegetter", args, 0)?;
    let a = b.args();
    let index = number::to_isize(th, &a[0])?;
    Ok(Ref::with_class(TupleGetter { index, doc: ValueCell::new(Some(a[1].clone())) }, cls.object()).into())
}

fn getter_repr(th: &mut Thread, v: &Value) -> PyResult<Value> {
    let doc = this(v).doc.get().unwrap_or(Value::NONE);
    let doc = repr::repr(th, &doc)?;
    Ok(Value::str(&format!("{}({}, {})", v.class().name(), this(v).index, &*doc)))
}

fn descr_get(th: &mut Thread, v: &Value, object: Option<&Value>, owner: Option<&Value>) -> PyResult<Value> {
    let index = this(v).index;
    let object = match object {
        Some(object) if !object.is_none() => object,
        Some(object) if owner.is_none() => object,
        _ => return Ok(v.clone()),
    };
    let Some(tuple) = object.downcast_ref::<Tuple>().filter(|_| object.is_instance(&TUPLE)) else {
        let message = format!(
            "descriptor for index '{index}' for tuple subclasses doesn't apply to '{}' object",
            object.class().name()
        );
        return Err(type_error(th, message));
    };
    match usize::try_from(index).ok().and_then(|i| tuple.get(i)) {
        Some(item) => Ok(item.clone()),
        None => Err(index_error(th, "tuple index out of range")),
    }
}

fn descr_set(th: &mut Thread, _: &Value, _: &Value, value: Option<&Value>) -> PyResult<()> {
    Err(attribute_error(th, if value.is_some() { "can't set attribute" } else { "can't delete attribute" }))
}

fn reduce(_: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let g = a.this::<TupleGetter>();
    let args = Tuple::of([Value::int(g.index as i64), g.doc.get().unwrap_or(Value::NONE)]);
    Ok(Tuple::of([a[0].class_ref().into(), args.into()]).into())
}
