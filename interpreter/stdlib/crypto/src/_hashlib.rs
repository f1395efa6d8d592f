//! `_hashlib`: hash objects by name, HMAC and key derivation, as CPython has them from OpenSSL, on the algorithms of this
//! crate. Messages are OpenSSL's. CPython: `Modules/_hashopenssl.c`.
mod hash;
mod hmac;
mod kdf;

use krait_object::native::function;
use krait_object::{
    Args, ClassDef, Dict, FrozenSet, Method, ModuleDef, PyResult, Raised, Ref, Set, Str, Thread, TypeObject, Value,
    type_flag,
};
use krait_runtime::errors::raise;
use krait_runtime::exceptions::VALUE_ERROR;
use krait_runtime::protocol::call;
use krait_runtime::types::module;

use crate::algorithms::{ALL, Spec};
use crate::hasher::CONSTRUCTOR;

pub static MODULE: ModuleDef = ModuleDef {
    doc: "Hashes by name, HMAC and key derivation.",
    functions: FUNCTIONS,
    classes: &[&hash::HASH_DEF, &hash::HASHXOF_DEF, &hmac::DEF, &UNSUPPORTED_DEF],
    init: Some(init),
    ..ModuleDef::new("_hashlib")
};
static UNSUPPORTED: TypeObject = TypeObject::builtin_like("UnsupportedDigestmodError", &VALUE_ERROR);
static UNSUPPORTED_DEF: ClassDef =
    ClassDef { module: "_hashlib", flags: type_flag::BASE, ..ClassDef::new(&UNSUPPORTED) };

/// One constructor per algorithm that `hashlib` takes from here.
macro_rules! constructors {
    ($($name:literal $algorithm:ident),* $(,)?) => {
        const CONSTRUCTORS: &[(&str, &str)] = &[$(($name, concat!("openssl_", $name))),*];
        static FUNCTIONS: &[Method] = &[
            function(
                "new",
                "(name, string=b'', *, usedforsecurity=True)",
                "A hash object for the algorithm of this name, which has taken string.",
                hash::new,
            ),
            $(function(
                concat!("openssl_", $name),
                CONSTRUCTOR,
                concat!("A hash object for ", $name, ", which has taken string."),
                |th, a| hash::make(th, &crate::algorithms::$algorithm, a.opt(0), a.opt(1)),
            ),)*
            function("hmac_new", "(key, msg=b'', digestmod=None)", "A keyed hash object.", hmac::new),
            function("hmac_digest", "(key, msg, digest)", "The keyed hash of msg in one step.", hmac::digest_once),
            function(
                "pbkdf2_hmac",
                "(hash_name, password, salt, iterations, dklen=None)",
                "A key from a password: PBKDF2 of PKCS #5 with HMAC.",
                kdf::pbkdf2_hmac,
            ),
            function(
                "scrypt",
                "(password, *, salt=None, n=None, r=None, p=None, maxmem=0, dklen=64)",
                "A key from a password: scrypt, which needs much memory.",
                kdf::scrypt,
            ),
            function("get_fips_mode", "()", "Whether only approved algorithms may be used: 0.", |_, _| Ok(Value::int(0))),
            function(
                "compare_digest",
                "(a, b, /)",
                "Whether a and b are equal, in a time that does not tell where they differ.\n\nBoth are bytes-like, or strings of ASCII characters.",
                compare_digest,
            ),
        ];
    };
}
constructors! {
    "md5" MD5, "sha1" SHA1, "sha224" SHA224, "sha256" SHA256, "sha384" SHA384, "sha512" SHA512,
    "sha3_224" SHA3_224, "sha3_256" SHA3_256, "sha3_384" SHA3_384, "sha3_512" SHA3_512,
    "shake_128" SHAKE_128, "shake_256" SHAKE_256,
}

fn init(th: &mut Thread, m: &Value) -> PyResult<()> {
    let d = module::dict(m);
    let names = Set::new();
    for spec in ALL {
        names.add(th, Value::str(spec.name))?;
    }
    d.set_text("openssl_md_meth_names", Ref::new(FrozenSet(Set::from_table(names.copy_table()))));
    let by_function = Dict::new();
    for (name, function) in CONSTRUCTORS {
        if let Some(f) = d.get_text(function) {
            by_function.set(th, f, Value::str(name))?;
        }
    }
    let proxy = krait_runtime::types::mappingproxy::new(by_function.to_value());
    d.set_text("_constructors", proxy);
    Ok(())
}

#[cold]
fn unsupported(th: &mut Thread, message: impl Into<String>) -> Raised {
    raise(th, &UNSUPPORTED, message)
}
/// The algorithm of a name.
fn by_name(th: &mut Thread, name: &str) -> PyResult<&'static Spec> {
    match Spec::find(name) {
        Some(spec) => Ok(spec),
        None => Err(unsupported(th, "[digital envelope routines] unsupported")),
    }
}
/// The algorithm of a `digestmod`: a name, or one of this module's constructors.
fn by_digestmod(th: &mut Thread, v: &Value) -> PyResult<&'static Spec> {
    if let Some(name) = v.downcast_ref::<Str>() {
        let name = name.to_string_lossy().into_owned();
        return by_name(th, &name);
    }
    let this = krait_runtime::import::import_module(th, "_hashlib")?;
    for (name, function) in CONSTRUCTORS {
        if module::dict(&this).get_text(function).is_some_and(|f| f.is(v)) {
            return by_name(th, name);
        }
    }
    let shown = krait_runtime::protocol::repr::repr(th, v)?;
    Err(unsupported(th, format!("Unsupported digestmod {}", shown.to_string_lossy())))
}

fn compare_digest(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let operator = krait_runtime::import::import_module(th, "_operator")?;
    let f = krait_runtime::protocol::attr::get_text(th, &operator, "_compare_digest")?;
    call::call(th, &f, &[a[0].clone(), a[1].clone()])
}
