//! The exceptions, and how errors of the library become them.
use krait_libraries::openssl::{Error, LIB_SSL, LIB_SYS};
use krait_object::{
    ClassDef, Dict, PyResult, Raised, SlotDefs, Str, Thread, Tuple, TypeObject, Value, ValueCell, type_flag,
};
use krait_runtime::errors::{os_error, raise_value};
use krait_runtime::exceptions::{OS_ERROR, OsError, VALUE_ERROR};
use krait_runtime::protocol::{attr, call, repr};
use krait_runtime::types::type_::ready::ready_class;

macro_rules! exceptions {
    ($($class:ident $def:ident $name:literal $doc:literal;)*) => { $(
        static $class: TypeObject = TypeObject::builtin_like($name, &SSL_ERROR);
        static $def: ClassDef =
            ClassDef { module: "ssl", doc: $doc, flags: type_flag::BASE, ..ClassDef::new(&$class) };
    )* };
}
pub static SSL_ERROR: TypeObject = TypeObject::builtin_like("SSLError", &OS_ERROR);
static SSL_ERROR_DEF: ClassDef = ClassDef {
    module: "ssl",
    doc: "An error occurred in the SSL implementation.",
    slots: SlotDefs { str: Some(show), ..SlotDefs::EMPTY },
    flags: type_flag::BASE,
    ..ClassDef::new(&SSL_ERROR)
};
exceptions! {
    ZERO_RETURN ZERO_RETURN_DEF "SSLZeroReturnError" "SSL/TLS session closed cleanly.";
    WANT_READ WANT_READ_DEF "SSLWantReadError" "Non-blocking SSL socket needs to read more data\nbefore the requested operation can be completed.";
    WANT_WRITE WANT_WRITE_DEF "SSLWantWriteError" "Non-blocking SSL socket needs to write more data\nbefore the requested operation can be completed.";
    SYSCALL SYSCALL_DEF "SSLSyscallError" "System error when attempting SSL operation.";
    EOF EOF_DEF "SSLEOFError" "SSL/TLS connection terminated abruptly.";
}
/// The message where it is one, the arguments otherwise.
fn show(th: &mut Thread, v: &Value) -> PyResult<Value> {
    let text = v.downcast_ref::<OsError>().and_then(|e| e.strerror.get());
    if let Some(text) = text.filter(|t| t.downcast_ref::<Str>().is_some()) {
        return Ok(text);
    }
    let args = attr::get_text(th, v, "args")?;
    Ok(repr::str(th, &args)?.into())
}
/// `SSLCertVerificationError`, which has two bases.
#[derive(Default)]
struct VerificationError(ValueCell);

pub fn init(th: &mut Thread, d: &Dict) -> PyResult<()> {
    for def in [&SSL_ERROR_DEF, &ZERO_RETURN_DEF, &WANT_READ_DEF, &WANT_WRITE_DEF, &SYSCALL_DEF, &EOF_DEF] {
        ready_class(th, def);
        d.set_text(&def.class.name(), def.class.to_value());
    }
    let bases = Tuple::from_slice(&[SSL_ERROR.to_value(), VALUE_ERROR.to_value()]);
    let namespace = Dict::new();
    namespace.set_text("__module__", "ssl");
    namespace.set_text("__doc__", "A certificate could not be verified.");
    let metaclass = krait_object::builtin_types::TYPE.to_value();
    let class = call::call(th, &metaclass, &["SSLCertVerificationError".into(), bases.into(), namespace.into()])?;
    th.interp.extension::<VerificationError>().0.set(Some(class.clone()));
    d.set_text("SSLCertVerificationError", class);
    Ok(())
}

/// Numbers of `SSL_get_error`, and those that the module adds.
pub mod code {
    pub const SSL: i32 = 1;
    pub const WANT_READ: i32 = 2;
    pub const WANT_WRITE: i32 = 3;
    pub const WANT_X509_LOOKUP: i32 = 4;
    pub const SYSCALL: i32 = 5;
    pub const ZERO_RETURN: i32 = 6;
    pub const WANT_CONNECT: i32 = 7;
    pub const EOF: i32 = 8;
    pub const INVALID: i32 = 10;
}
const R_CERTIFICATE_VERIFY_FAILED: i32 = 134;
const R_UNEXPECTED_EOF: i32 = 294;
const X509_HOSTNAME_MISMATCH: i64 = 62;
const X509_IP_ADDRESS_MISMATCH: i64 = 64;

/// A failed verification: its number, and the host that was expected.
pub struct Verification {
    pub result: i64,
    pub text: String,
    pub host: Option<Value>,
}

/// `SSLError(message)`.
#[cold]
pub fn plain(th: &mut Thread, message: &str) -> Raised {
    match call::call(th, &SSL_ERROR.to_value(), &[message.into()]) {
        Ok(e) => raise_value(th, e),
        Err(raised) => raised,
    }
}
/// The newest error of the library as an SSLError, with a text of the module in place of the library's.
#[cold]
pub fn from_queue(th: &mut Thread, error: Option<Error>, text: Option<&str>) -> Raised {
    let number = error.map_or(0, |e| i64::from(e.reason()));
    Error::clear();
    build(th, &SSL_ERROR.to_value(), number, error, text, None)
}
fn build(
    th: &mut Thread,
    class: &Value,
    number: i64,
    error: Option<Error>,
    text: Option<&str>,
    verification: Option<&Verification>,
) -> Raised {
    let reason = error.and_then(Error::reason_name);
    let library = error.and_then(Error::library_name);
    let text = text.map(str::to_owned).or_else(|| error.and_then(Error::reason_text));
    let text = text.unwrap_or_else(|| "unknown error".to_owned());
    let verified = match verification {
        Some(v) => {
            let host = match &v.host {
                Some(h) => repr::str(th, h).map(|h| h.to_string_lossy().into_owned()).unwrap_or_default(),
                None => "None".to_owned(),
            };
            Some(match v.result {
                X509_HOSTNAME_MISMATCH => format!("Hostname mismatch, certificate is not valid for '{host}'."),
                X509_IP_ADDRESS_MISMATCH => format!("IP address mismatch, certificate is not valid for '{host}'."),
                _ => v.text.clone(),
            })
        }
        None => None,
    };
    // CPython shows the place in its source.
    let place = "(_ssl.c:1018)";
    let message = match (library, &reason, &verified) {
        (Some(l), Some(r), Some(v)) => format!("[{l}: {r}] {text}: {v} {place}"),
        (Some(l), Some(r), None) => format!("[{l}: {r}] {text} {place}"),
        (Some(l), None, _) => format!("[{l}] {text} {place}"),
        (None, _, _) => format!("{text} {place}"),
    };
    let made = call::call(th, class, &[number.into(), message.into()]);
    let e = match made {
        Ok(e) => e,
        Err(raised) => return raised,
    };
    let mut attributes = vec![("reason", Value::from(reason)), ("library", Value::from(library))];
    if let (Some(v), Some(text)) = (verification, verified) {
        attributes.push(("verify_code", v.result.into()));
        attributes.push(("verify_message", text.into()));
    }
    for (name, value) in attributes {
        if let Err(raised) = attr::set_text(th, &e, name, &value) {
            return raised;
        }
    }
    raise_value(th, e)
}
/// What a failed call of a connection raises. `verification` is asked where a certificate was refused.
#[cold]
pub fn from_call(
    th: &mut Thread,
    outcome: (i32, Option<Error>, i32),
    verification: impl FnOnce(&mut Thread) -> Verification,
) -> Raised {
    let (kind, error, errno) = outcome;
    Error::clear();
    let refused = error.is_some_and(|e| e.library() == LIB_SSL && e.reason() == R_CERTIFICATE_VERIFY_FAILED);
    let system = error.is_some_and(|e| e.library() == LIB_SYS);
    let (class, number, text) = match kind {
        code::ZERO_RETURN => (&ZERO_RETURN, kind, Some("TLS/SSL connection has been closed (EOF)")),
        code::WANT_READ => (&WANT_READ, kind, Some("The operation did not complete (read)")),
        code::WANT_WRITE => (&WANT_WRITE, kind, Some("The operation did not complete (write)")),
        code::WANT_X509_LOOKUP => (&SSL_ERROR, kind, Some("The operation did not complete (X509 lookup)")),
        code::WANT_CONNECT => (&SSL_ERROR, kind, Some("The operation did not complete (connect)")),
        code::SYSCALL if error.is_none() && errno != 0 => return os_error(th, errno, None),
        code::SYSCALL if error.is_none() => (&EOF, code::EOF, Some("EOF occurred in violation of protocol")),
        code::SYSCALL | code::SSL if system => {
            let number = error.map_or(0, Error::reason);
            return os_error(th, number, None);
        }
        code::SYSCALL => (&SYSCALL, kind, None),
        code::SSL if error.is_some_and(|e| e.library() == LIB_SSL && e.reason() == R_UNEXPECTED_EOF) => {
            (&EOF, code::EOF, Some("EOF occurred in violation of protocol"))
        }
        code::SSL if error.is_none() => (&SSL_ERROR, kind, Some("A failure in the SSL library occurred")),
        code::SSL => (&SSL_ERROR, kind, None),
        _ => (&SSL_ERROR, code::INVALID, Some("Invalid error code")),
    };
    if refused {
        let verification = verification(th);
        let class = th.interp.extension::<VerificationError>().0.get().unwrap_or_else(|| SSL_ERROR.to_value());
        return build(th, &class, number.into(), error, text, Some(&verification));
    }
    build(th, &class.to_value(), number.into(), error, text, None)
}
