//! `_ssl`: TLS through the system's OpenSSL, which is found when the module is imported. The functions of the module are
//! here, its classes in the submodules. CPython: `Modules/_ssl.c`.
mod certificate;
mod constants;
mod context;
mod errors;
mod memory_bio;
mod session;
mod socket;

use krait_libraries::openssl::{self, Object};
use krait_object::native::function;
use krait_object::{Args, Bytes, Method, ModuleDef, PyResult, Str, Thread, Tuple, Value};
use krait_runtime::convert;
use krait_runtime::errors::{import_error, memory_error, value_error};
use krait_runtime::protocol::buffer::bytes_like;
use krait_runtime::protocol::{compare, number};
use krait_runtime::types::module;

pub static MODULE: ModuleDef =
    ModuleDef { doc: "TLS connections, on OpenSSL.", functions: FUNCTIONS, init: Some(init), ..ModuleDef::new("_ssl") };
static FUNCTIONS: &[Method] = &[
    function("RAND_add", "(string, entropy, /)", "Mix string into the generator's state.", |th, a| {
        let data = match a[0].downcast_ref::<Str>() {
            Some(s) => s.to_string_lossy().into_owned().into_bytes(),
            None => bytes_like(th, &a[0])?,
        };
        let entropy = number::to_f64(th, &a[1])?;
        openssl::random_add(&data, entropy);
        Ok(Value::NONE)
    }),
    function("RAND_bytes", "(n, /)", "n random bytes that are fit for cryptography.", |th, a| {
        let n = number::to_i32(th, &a[0])?;
        let Ok(n) = usize::try_from(n) else { return Err(value_error(th, "num must be positive")) };
        let mut out = Vec::new();
        if out.try_reserve_exact(n).is_err() {
            return Err(memory_error(th));
        }
        out.resize(n, 0);
        match openssl::random(&mut out) {
            Ok(()) => Ok(Bytes::new(&out).into()),
            Err(e) => Err(errors::from_queue(th, Some(e), None)),
        }
    }),
    function("RAND_status", "()", "Whether the generator has been seeded.", |_, _| {
        Ok(Value::bool(openssl::random_status()))
    }),
    function(
        "get_default_verify_paths",
        "()",
        "Where certificates are looked for: variable and file, variable and folder.",
        |_, _| {
            let paths = openssl::default_paths().map(|p| Value::from(p.to_string_lossy().into_owned()));
            Ok(Tuple::from_slice(&paths).into())
        },
    ),
    function("nid2obj", "(nid, /)", "The NID, short name, long name and OID of a NID.", |th, a| {
        let nid = number::to_i32(th, &a[0])?;
        if nid < 0 {
            return Err(value_error(th, "NID must be positive."));
        }
        match openssl::object_by_nid(nid).and_then(object) {
            Some(v) => Ok(v),
            None => Err(value_error(th, format!("unknown NID {nid}"))),
        }
    }),
    function("txt2obj", "(txt, name=False)", "The NID, short name, long name and OID of a text.", |th, a| {
        let text = c_string(th, &a[0], "txt2obj", "argument 'txt'")?;
        let by_name = a.opt(1).map_or(Ok(false), |v| compare::truth(th, v))?;
        match openssl::object_by_text(&text, by_name).and_then(object) {
            Some(v) => Ok(v),
            None => {
                let text: String = text.to_string_lossy().chars().take(100).collect();
                Err(value_error(th, format!("unknown object '{text}'")))
            }
        }
    }),
    function("_test_decode_cert", "(path, /)", "The fields of a certificate in a file.", |th, a| {
        let path = convert::path_bytes(th, &a[0])?;
        let path = <std::ffi::OsStr as std::os::unix::ffi::OsStrExt>::from_bytes(&path);
        let Ok(data) = std::fs::read(path) else { return Err(errors::plain(th, "Can't open file")) };
        match openssl::Certificate::from_pem(&data) {
            Ok(c) => Ok(certificate::fields(&c)),
            Err(_) => Err(errors::plain(th, "Error decoding PEM-encoded file")),
        }
    }),
];
/// What is known of an object; none of the undefined one.
fn object(o: Object) -> Option<Value> {
    let (short, long) = o.names?;
    let items = [Value::from(o.nid), short.into(), long.into(), o.oid.into()];
    Some(Tuple::from_slice(&items).into())
}
/// A `str` argument without NUL.
fn c_string(th: &mut Thread, v: &Value, function: &str, argument: &str) -> PyResult<std::ffi::CString> {
    let text = convert::expect_text(th, v, function, argument)?;
    std::ffi::CString::new(text).map_err(|_| value_error(th, "embedded null character"))
}

fn init(th: &mut Thread, m: &Value) -> PyResult<()> {
    if !openssl::available() {
        return Err(import_error(th, "OpenSSL 3 was not found on this system"));
    }
    let d = module::dict(m);
    errors::init(th, &d)?;
    for (name, def) in [
        ("_SSLContext", &context::DEF),
        ("_SSLSocket", &socket::DEF),
        ("MemoryBIO", &memory_bio::DEF),
        ("SSLSession", &session::DEF),
        ("Certificate", &certificate::DEF),
    ] {
        krait_runtime::types::type_::ready::ready_class(th, def);
        d.set_text(name, def.class.to_value());
    }
    constants::add(&d);
    let n = openssl::version_number();
    let info: Vec<Value> =
        [n >> 28 & 0xF, n >> 20 & 0xFF, n >> 12 & 0xFF, n >> 4 & 0xFF, n & 0xF].map(Value::from).into();
    let info: Value = Tuple::from_vec(info).into();
    d.set_text("OPENSSL_VERSION_NUMBER", n);
    d.set_text("OPENSSL_VERSION_INFO", info.clone());
    d.set_text("_OPENSSL_API_VERSION", info);
    d.set_text("OPENSSL_VERSION", openssl::version());
    Ok(())
}
/// An optional integer argument.
fn int_or(th: &mut Thread, a: &Args<'_>, i: usize, default: i32) -> PyResult<i32> {
    a.opt(i).map_or(Ok(default), |v| number::to_i32(th, v))
}
