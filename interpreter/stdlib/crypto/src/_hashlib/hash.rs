//! `HASH` and `HASHXOF`: hash objects of any algorithm.
use krait_object::native::{GetSet, getter, method};
use krait_object::{Args, Bytes, ClassDef, Method, PyResult, Ref, SlotDefs, Str, Thread, TypeObject, Value, type_flag};
use krait_runtime::errors::{memory_error, system_error, type_error};
use krait_runtime::protocol::number;

use super::by_name;
use crate::algorithms::Spec;
use crate::hasher::{self, Holder, core};
use crate::{hash_attributes, hash_class, hash_methods};

const FLAGS: u32 = type_flag::IMMUTABLE | type_flag::DISALLOW_INSTANTIATION;

hash_class!(Hash HASH HASH_DEF, "_hashlib" "HASH" {
    doc: "HASH(name, string=b\"\")\n--\n\nA hash is an object that makes a digest of fixed size from any amount of bytes.",
    methods: hash_methods!(Hash, "(obj, /)"),
    getset: ATTRIBUTES,
    slots: SlotDefs {
        repr: Some(|_, v| {
            let name = core::<Hash>(v).spec.name;
            Ok(Value::from(format!("<{name} _hashlib.{} object @ 0x{:x}>", v.class().name(), v.id())))
        }),
        ..SlotDefs::EMPTY
    },
    flags: FLAGS | type_flag::BASE,
});
static ATTRIBUTES: &[GetSet] = hash_attributes!(Hash);

static HASHXOF: TypeObject = TypeObject::builtin_like("HASHXOF", &HASH);
pub static HASHXOF_DEF: ClassDef = ClassDef {
    module: "_hashlib",
    doc: "HASHXOF(name, string=b\"\")\n--\n\nA hash whose digest has any size.",
    methods: XOF_METHODS,
    getset: &[getter("digest_size", "", |_, _| Ok(Value::int(0)))],
    flags: FLAGS,
    ..ClassDef::new(&HASHXOF)
};
static XOF_METHODS: &[Method] = &[
    method("digest", "(length)", "length bytes of digest.", |th, a| Ok(Bytes::new(&squeeze(th, a)?).into())),
    method("hexdigest", "(length)", "length bytes of digest, in hexadecimal.", |th, a| {
        Ok(hasher::hex(&squeeze(th, a)?))
    }),
];
fn squeeze(th: &mut Thread, a: &Args<'_>) -> PyResult<Vec<u8>> {
    let length = number::index_isize(th, &a[1])?;
    let Ok(length) = usize::try_from(length) else {
        return Err(system_error(th, "Negative size passed to PyBytes_FromStringAndSize"));
    };
    if Vec::<u8>::new().try_reserve_exact(length).is_err() {
        return Err(memory_error(th));
    }
    Ok(a.this::<Hash>().core().digest(th, length))
}

/// A hash object that has taken `data`.
pub fn make(th: &mut Thread, spec: &'static Spec, data: Option<&Value>, security: Option<&Value>) -> PyResult<Value> {
    let core = hasher::start(th, spec, data, security)?;
    let class = if spec.extendable { &HASHXOF } else { &HASH };
    Ok(Ref::with_class(Hash::hold(core), class).into())
}
pub fn new(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let Some(name) = a[0].downcast_ref::<Str>() else { return Err(type_error(th, "name must be a string")) };
    let name = name.to_string_lossy().into_owned();
    let spec = by_name(th, &name)?;
    make(th, spec, a.opt(1), a.opt(2))
}
