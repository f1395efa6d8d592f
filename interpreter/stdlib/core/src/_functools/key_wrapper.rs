//! `functools.KeyWrapper`: what `cmp_to_key` returns, and the keys it makes.
use krait_macros::{Payload, Trace};
use krait_object::builtin_types::OBJECT;
use krait_object::native::{Sig, getter};
use krait_object::{
    Args, ClassDef, CmpOp, GetSet, PyResult, Ref, SlotDefs, Thread, TypeObject, VTable, Value, ValueCell, type_flag,
};
use krait_runtime::errors::{attribute_error, type_error};
use krait_runtime::protocol::{call, compare};

#[derive(Trace, Payload)]
#[payload(class = KEY_WRAPPER)]
pub struct KeyWrapper {
    cmp: Value,
    /// Empty in the object that makes keys.
    object: ValueCell,
}
static LAYOUT: VTable = VTable::of::<KeyWrapper>();
pub static KEY_WRAPPER: TypeObject = TypeObject::builtin("KeyWrapper", Some(&OBJECT), &LAYOUT);

pub static DEF: ClassDef = ClassDef {
    module: "functools",
    getset: &[
        GetSet {
            name: "obj",
            doc: "Value wrapped by a key function.",
            get: |_, v| Ok(this(v).object.get().unwrap_or(Value::NONE)),
            set: Some(|_, v, new| {
                this(v).object.set(new.cloned());
                Ok(())
            }),
            member: true,
        },
        getter("__text_signature__", "", |_, _| Ok(Value::str("(obj)"))),
    ],
    slots: SlotDefs { call: Some(call_key), compare: Some(richcompare), ..SlotDefs::EMPTY },
    flags: type_flag::DISALLOW_INSTANTIATION | type_flag::HAVE_GC,
    ..ClassDef::new(&KEY_WRAPPER)
};

fn this(v: &Value) -> &KeyWrapper {
    v.downcast_ref().expect("the slot belongs to KeyWrapper")
}

/// A key function for `cmp`.
pub fn new(cmp: Value) -> Value {
    Ref::new(KeyWrapper { cmp, object: ValueCell::empty() }).into()
}

fn call_key(th: &mut Thread, v: &Value, args: &Args<'_>) -> PyResult<Value> {
    static SIG: Sig = Sig::new("(obj)");
    let b = SIG.bind(th, "K", "K", args, 0)?;
    let object = b.args()[0].clone();
    Ok(Ref::new(KeyWrapper { cmp: this(v).cmp.clone(), object: object.into() }).into())
}

fn richcompare(th: &mut Thread, a: &Value, b: &Value, op: CmpOp) -> PyResult<Value> {
    let Some(other) = b.downcast_ref::<KeyWrapper>() else {
        return Err(type_error(th, "other argument must be K instance"));
    };
    let (Some(x), Some(y)) = (this(a).object.get(), other.object.get()) else {
        return Err(attribute_error(th, "object"));
    };
    let answer = call::call(th, &this(a).cmp, &[x, y])?;
    compare::compare(th, &answer, &Value::int(0), op)
}
