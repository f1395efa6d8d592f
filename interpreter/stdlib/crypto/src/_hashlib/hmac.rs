//! `HMAC`: keyed hash objects.
use krait_macros::{Payload, Trace};
use krait_object::builtin_types::OBJECT;
use krait_object::native::{GetSet, getter, method};
use krait_object::{
    Args, Bytes, ClassDef, Method, PyResult, Raised, Ref, SlotDefs, Thread, TypeObject, VTable, Value, type_flag,
};
use krait_runtime::errors::{type_error, value_error};
use krait_runtime::protocol::buffer::hold;
use krait_runtime::world::{Exclusive, blocking};

use super::by_digestmod;
use crate::algorithms::{self, Spec};
use crate::hasher;

#[derive(Trace, Payload)]
#[payload(class = HMAC)]
struct Hmac {
    #[trace(skip)]
    spec: &'static Spec,
    #[trace(skip)]
    state: Exclusive<algorithms::Hmac>,
}
static LAYOUT: VTable = VTable::of::<Hmac>();
static HMAC: TypeObject = TypeObject::builtin("HMAC", Some(&OBJECT), &LAYOUT);
pub static DEF: ClassDef = ClassDef {
    module: "_hashlib",
    doc: "A keyed hash object.",
    methods: METHODS,
    getset: ATTRIBUTES,
    slots: SlotDefs {
        repr: Some(|_, v| Ok(Value::from(format!("<{} HMAC object @ 0x{:x}>", this(v).spec.name, v.id())))),
        ..SlotDefs::EMPTY
    },
    flags: type_flag::IMMUTABLE | type_flag::DISALLOW_INSTANTIATION,
    ..ClassDef::new(&HMAC)
};
static METHODS: &[Method] = &[
    method("update", "(msg)", "Go on with the bytes of msg.", |th, a| {
        let data = hasher::input(th, &a[1])?;
        update(th, a.this(), &data);
        Ok(Value::NONE)
    }),
    method("digest", "()", "The digest of the data so far, as bytes.", |th, a| {
        let digest = a.this::<Hmac>().state.lock(th).finish();
        Ok(Bytes::new(&digest).into())
    }),
    method("hexdigest", "()", "The digest of the data so far, in hexadecimal.", |th, a| {
        let digest = a.this::<Hmac>().state.lock(th).finish();
        Ok(hasher::hex(&digest))
    }),
    method("copy", "()", "A copy of the object.", |th, a| {
        let me = a.this::<Hmac>();
        let state = me.state.lock(th).copy();
        Ok(Ref::new(Hmac { spec: me.spec, state: Exclusive::new(state) }).into())
    }),
];
static ATTRIBUTES: &[GetSet] = &[
    getter("digest_size", "", |_, v| Ok(this(v).spec.digest_size.into())),
    getter("block_size", "", |_, v| Ok(this(v).spec.block_size.into())),
    getter("name", "", |_, v| Ok(Value::from(format!("hmac-{}", this(v).spec.name)))),
];
fn this(v: &Value) -> &Hmac {
    v.downcast_ref().expect("the descriptor checked the class of self")
}
fn update(th: &mut Thread, h: &Hmac, data: &[u8]) {
    let mut state = h.state.lock(th);
    if data.len() > 2048 { blocking(th, || state.update(data)) } else { state.update(data) }
}
/// Extendable hashes have no HMAC; OpenSSL gives no reason.
#[cold]
fn no_reason(th: &mut Thread) -> Raised {
    value_error(th, "no reason supplied")
}

pub fn new(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let key = hold(th, &a[0])?;
    let Some(digestmod) = a.opt(2) else {
        return Err(type_error(th, "Missing required parameter 'digestmod'."));
    };
    let spec = by_digestmod(th, digestmod)?;
    if spec.extendable {
        return Err(no_reason(th));
    }
    let h = Hmac { spec, state: Exclusive::new(algorithms::Hmac::new(spec, &key)) };
    if let Some(msg) = a.opt_not_none(1) {
        let data = hasher::input(th, msg)?;
        update(th, &h, &data);
    }
    Ok(Ref::new(h).into())
}
pub fn digest_once(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let (key, msg) = (hold(th, &a[0])?, hold(th, &a[1])?);
    let spec = by_digestmod(th, &a[2])?;
    if spec.extendable {
        return Err(no_reason(th));
    }
    let digest = blocking(th, || {
        let mut h = algorithms::Hmac::new(spec, &key);
        h.update(&msg);
        h.finish()
    });
    Ok(Bytes::new(&digest).into())
}
