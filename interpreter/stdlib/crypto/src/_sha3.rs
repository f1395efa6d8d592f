//! `_sha3`: the hashes of the family SHA-3 and the extendable SHAKE. CPython: `Modules/sha3module.c`.
use krait_object::native::{GetSet, getter, method};
use krait_object::{Args, Bytes, Method, ModuleDef, PyResult, SlotDefs, Thread, Value, type_flag};
use krait_runtime::errors::value_error;
use krait_runtime::types::module;

use crate::hasher::{self, Holder, construct, core, unsigned};
use crate::{algorithms, hash_attributes, hash_class, hash_methods};

pub static MODULE: ModuleDef = ModuleDef {
    classes: &[&SHA3_224_DEF, &SHA3_256_DEF, &SHA3_384_DEF, &SHA3_512_DEF, &SHAKE_128_DEF, &SHAKE_256_DEF],
    init: Some(|_, m| {
        module::dict(m).set_text("implementation", "RustCrypto");
        Ok(())
    }),
    ..ModuleDef::new("_sha3")
};
const STATE_BITS: usize = 1600;

/// The classes: payload, class, definition, algorithm, name, methods.
macro_rules! classes {
    ($($payload:ident $class:ident $def:ident $name:literal $methods:expr;)*) => { $(
        hash_class!($payload $class $def, "_sha3" $name {
            doc: concat!($name, "([data], *, usedforsecurity=True) -> hash object"),
            methods: $methods,
            getset: const {
                static ATTRIBUTES: &[GetSet] = hash_attributes!(
                    $payload,
                    getter("_capacity_bits", "", |_, v| Ok((STATE_BITS - rate::<$payload>(v)).into())),
                    getter("_rate_bits", "", |_, v| Ok(rate::<$payload>(v).into())),
                    getter("_suffix", "", |_, v| {
                        let suffix = if core::<$payload>(v).spec.extendable { b"\x1f" } else { b"\x06" };
                        Ok(Bytes::new(suffix).into())
                    })
                );
                ATTRIBUTES
            },
            slots: SlotDefs {
                new: Some(|th, class, a| construct::<$payload>(th, &algorithms::$class, class, a)),
                ..SlotDefs::EMPTY
            },
            flags: type_flag::IMMUTABLE,
        });
    )* };
}
classes! {
    Sha3Len224 SHA3_224 SHA3_224_DEF "sha3_224" hash_methods!(Sha3Len224, "(data, /)");
    Sha3Len256 SHA3_256 SHA3_256_DEF "sha3_256" hash_methods!(Sha3Len256, "(data, /)");
    Sha3Len384 SHA3_384 SHA3_384_DEF "sha3_384" hash_methods!(Sha3Len384, "(data, /)");
    Sha3Len512 SHA3_512 SHA3_512_DEF "sha3_512" hash_methods!(Sha3Len512, "(data, /)");
    Shake128 SHAKE_128 SHAKE_128_DEF "shake_128" const { static M: &[Method] = &shake_methods::<Shake128>(); M };
    Shake256 SHAKE_256 SHAKE_256_DEF "shake_256" const { static M: &[Method] = &shake_methods::<Shake256>(); M };
}
const fn shake_methods<P: Holder>() -> [Method; 4] {
    [
        method("copy", "()", "A copy of the hash object.", hasher::copy::<P>),
        method(
            "digest",
            "(length, /)",
            "length bytes of digest.",
            |th, a| Ok(Bytes::new(&squeeze::<P>(th, a)?).into()),
        ),
        method("hexdigest", "(length, /)", "length bytes of digest, in hexadecimal.", |th, a| {
            Ok(hasher::hex(&squeeze::<P>(th, a)?))
        }),
        method("update", "(data, /)", "Go on with the bytes of the argument.", hasher::update::<P>),
    ]
}
fn rate<P: Holder>(v: &Value) -> usize {
    core::<P>(v).spec.block_size * 8
}
fn squeeze<P: Holder>(th: &mut Thread, a: &Args<'_>) -> PyResult<Vec<u8>> {
    let length = unsigned(th, &a[1], "Python int too large to convert to C unsigned long")?;
    if length >= 1 << 29 {
        return Err(value_error(th, "length is too large"));
    }
    Ok(a.this::<P>().core().digest(th, length as usize))
}
