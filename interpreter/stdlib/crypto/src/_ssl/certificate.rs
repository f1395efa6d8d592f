//! `Certificate`, and the dict that shows a certificate's fields.
use krait_libraries::openssl::{self, Name};
use krait_macros::{Payload, Trace};
use krait_object::builtin_types::OBJECT;
use krait_object::native::{Method, method};
use krait_object::{
    Bytes, ClassDef, CmpOp, Dict, PyResult, Ref, SlotDefs, Thread, Tuple, TypeObject, VTable, Value, type_flag,
};
use krait_runtime::errors::value_error;

use super::constants::{ENCODING_DER, ENCODING_PEM};
use super::{errors, int_or};

#[derive(Trace, Payload)]
#[payload(class = CERTIFICATE)]
pub struct Certificate(#[trace(skip)] pub openssl::Certificate);
static LAYOUT: VTable = VTable::of::<Certificate>();
static CERTIFICATE: TypeObject = TypeObject::builtin("Certificate", Some(&OBJECT), &LAYOUT);
pub static DEF: ClassDef = ClassDef {
    module: "_ssl",
    methods: METHODS,
    slots: SlotDefs {
        repr: Some(|_, v| Ok(Value::from(format!("<_ssl.Certificate '{}'>", this(v).subject_line())))),
        hash: Some(|_, v| {
            let der = this(v).to_der().unwrap_or_default();
            Ok(der.iter().fold(0i64, |h, &b| h.wrapping_mul(31).wrapping_add(i64::from(b))))
        }),
        compare: Some(|_, a, b, op| {
            let (Some(x), Some(y)) = (a.downcast_ref::<Certificate>(), b.downcast_ref::<Certificate>()) else {
                return Ok(Value::NOT_IMPLEMENTED);
            };
            let same = a.is(b) || matches!((x.0.to_der(), y.0.to_der()), (Ok(x), Ok(y)) if x == y);
            Ok(match op {
                CmpOp::Eq => Value::bool(same),
                CmpOp::Ne => Value::bool(!same),
                _ => Value::NOT_IMPLEMENTED,
            })
        }),
        ..SlotDefs::EMPTY
    },
    flags: type_flag::IMMUTABLE | type_flag::DISALLOW_INSTANTIATION,
    ..ClassDef::new(&CERTIFICATE)
};
static METHODS: &[Method] = &[
    method("public_bytes", "(format=Encoding.PEM)", "The certificate in PEM, a str, or in DER, bytes.", |th, a| {
        let certificate = a.this::<Certificate>().0.clone();
        match int_or(th, a, 1, ENCODING_PEM)? {
            ENCODING_PEM => Ok(Value::from(certificate.to_pem())),
            ENCODING_DER => der(th, &certificate),
            _ => Err(value_error(th, "Unsupported format")),
        }
    }),
    method("get_info", "()", "The fields of the certificate.", |_, a| Ok(fields(&a.this::<Certificate>().0))),
];
fn this(v: &Value) -> &openssl::Certificate {
    &v.downcast_ref::<Certificate>().expect("the descriptor checked the class of self").0
}
pub fn new(certificate: openssl::Certificate) -> Value {
    Ref::new(Certificate(certificate)).into()
}
pub fn der(th: &mut Thread, certificate: &openssl::Certificate) -> PyResult<Value> {
    match certificate.to_der() {
        Ok(der) => Ok(Bytes::new(&der).into()),
        Err(e) => Err(errors::from_queue(th, e, None)),
    }
}
fn tuple(items: impl IntoIterator<Item = Value>) -> Value {
    Tuple::from_vec(items.into_iter().collect()).into()
}
fn name(n: Name) -> Value {
    tuple(n.into_iter().map(|rdn| tuple(rdn.into_iter().map(|(kind, text)| tuple([kind.into(), text.into()])))))
}
/// The fields that `getpeercert()` shows.
pub fn fields(certificate: &openssl::Certificate) -> Value {
    let info = certificate.info();
    let d = Dict::new();
    d.set_text("subject", name(info.subject));
    d.set_text("issuer", name(info.issuer));
    d.set_text("version", info.version);
    d.set_text("serialNumber", info.serial);
    d.set_text("notBefore", info.not_before);
    d.set_text("notAfter", info.not_after);
    if !info.alt_names.is_empty() {
        let names = info.alt_names.into_iter().map(|n| match n {
            openssl::AltName::Text("", text) => tuple(["<unsupported>".into(), text.into()]),
            openssl::AltName::Text(kind, text) => tuple([kind.into(), text.into()]),
            openssl::AltName::Directory(n) => tuple(["DirName".into(), name(n)]),
        });
        d.set_text("subjectAltName", tuple(names));
    }
    for (key, uris) in [("OCSP", info.ocsp), ("caIssuers", info.ca_issuers), ("crlDistributionPoints", info.crl_points)]
    {
        if !uris.is_empty() {
            d.set_text(key, tuple(uris.into_iter().map(Value::from)));
        }
    }
    d.into()
}
