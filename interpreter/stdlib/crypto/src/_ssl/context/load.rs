//! Certificates, keys and parameters from files and from memory.
use std::ffi::CString;

use krait_object::{Args, Bytes, PyResult, Raised, Str, Thread, Value};
use krait_runtime::convert::path_bytes;
use krait_runtime::errors::{in_flight, os_error, take, type_error, value_error};
use krait_runtime::exceptions::TYPE_ERROR;
use krait_runtime::protocol::buffer::{has_buffer, hold};
use krait_runtime::protocol::call;
use krait_runtime::types::bytearray::ByteArray;
use krait_runtime::world::{back, outside};

use super::super::errors;
use super::SslContext;

/// A path argument; `wrong` is the TypeError's text.
fn path(th: &mut Thread, v: &Value, wrong: &str) -> PyResult<CString> {
    match path_bytes(th, v) {
        Ok(bytes) => Ok(CString::new(bytes).unwrap_or_default()),
        Err(raised) if in_flight(th, &TYPE_ERROR) => {
            drop(take(th, raised));
            Err(type_error(th, wrong))
        }
        Err(raised) => Err(raised),
    }
}
/// The error of a call that reads files: the system's where it has one.
fn failed(th: &mut Thread, (errno, error): (i32, Option<krait_libraries::openssl::Error>)) -> Raised {
    if errno != 0 {
        krait_libraries::openssl::Error::clear();
        return os_error(th, errno, None);
    }
    errors::from_queue(th, error, None)
}
/// The bytes of a password.
fn password(th: &mut Thread, v: &Value, wrong: &str) -> PyResult<Vec<u8>> {
    if let Some(s) = v.to_ref::<Str>() {
        return match s.to_utf8() {
            Some(t) => Ok(t.as_bytes().to_vec()),
            None => Err(krait_runtime::errors::surrogates_not_allowed(th, &s)),
        };
    }
    if v.downcast_ref::<Bytes>().is_some() || v.downcast_ref::<ByteArray>().is_some() {
        return Ok(hold(th, v)?.to_vec());
    }
    Err(type_error(th, wrong))
}
fn checked_length(th: &mut Thread, password: Vec<u8>, most: usize) -> PyResult<Vec<u8>> {
    if password.len() > most {
        return Err(value_error(th, format!("password cannot be longer than {most} bytes")));
    }
    Ok(password)
}

pub fn cert_chain(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let cert = path(th, &a[1], "certfile should be a valid filesystem path")?;
    let key = match a.opt_not_none(2) {
        Some(k) => path(th, k, "keyfile should be a valid filesystem path")?,
        None => cert.clone(),
    };
    let given = a.opt_not_none(3).cloned();
    let mut known = None;
    if let Some(given) = given.as_ref().filter(|g| !call::is_callable(g)) {
        known = Some(password(th, given, "password should be a string or callable")?);
    }
    let context = &a.this::<SslContext>().context;
    // An exception of the callback stays in flight.
    let mut ask = |most: usize| {
        back(|th| {
            let password = match (&known, &given) {
                (Some(p), _) => Ok(p.clone()),
                (None, Some(f)) => {
                    call::call(th, f, &[]).and_then(|v| password(th, &v, "password callback must return a string"))
                }
                (None, None) => return None,
            };
            password.and_then(|p| checked_length(th, p, most)).ok()
        })
        .flatten()
    };
    let loaded = if given.is_some() {
        outside(th, || context.load_cert_chain(&cert, &key, Some(&mut ask)))
    } else {
        outside(th, || context.load_cert_chain(&cert, &key, None))
    };
    if th.exc.is_some() {
        krait_libraries::openssl::Error::clear();
        return Err(Raised::pending(th));
    }
    match loaded {
        Ok(()) => Ok(Value::NONE),
        Err(e) => Err(failed(th, e)),
    }
}
pub fn dh_params(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let file = CString::new(path_bytes(th, &a[1])?).unwrap_or_default();
    krait_runtime::audit::audit(th, "open", &[a[1].clone(), Value::str("rb"), Value::int(0)])?;
    let context = &a.this::<SslContext>().context;
    match outside(th, || context.load_dh_params(&file)) {
        Ok(Ok(())) => Ok(Value::NONE),
        Ok(Err(e)) => Err(errors::from_queue(th, e, None)),
        Err(errno) => Err(os_error(th, errno, Some(&a[1]))),
    }
}
pub fn ecdh_curve(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let bytes = krait_runtime::convert::path_bytes(th, &a[1])?;
    let name = CString::new(bytes).unwrap_or_default();
    match a.this::<SslContext>().context.set_curve(&name) {
        Ok(true) => Ok(Value::NONE),
        Ok(false) => {
            let shown = krait_runtime::protocol::repr::repr(th, &a[1])?;
            Err(value_error(th, format!("unknown elliptic curve name {}", shown.to_string_lossy())))
        }
        Err(e) => Err(errors::from_queue(th, e, None)),
    }
}
pub fn verify_locations(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let (file, folder, data) = (a.opt_not_none(1), a.opt_not_none(2), a.opt_not_none(3));
    if file.is_none() && folder.is_none() && data.is_none() {
        return Err(type_error(th, "cafile, capath and cadata cannot be all omitted"));
    }
    let file = file.map(|f| path(th, f, "cafile should be a valid filesystem path")).transpose()?;
    let folder = folder.map(|f| path(th, f, "capath should be a valid filesystem path")).transpose()?;
    let context = &a.this::<SslContext>().context;
    if let Some(data) = data {
        let wrong = "cadata should be an ASCII string or a bytes-like object";
        let (bytes, pem) = match data.downcast_ref::<Str>() {
            Some(s) => match s.as_ascii() {
                Some(t) => (t.as_bytes().to_vec(), true),
                None => return Err(type_error(th, wrong)),
            },
            None if has_buffer(data) => (hold(th, data)?.to_vec(), false),
            None => return Err(type_error(th, wrong)),
        };
        if bytes.is_empty() {
            return Err(value_error(th, "Empty certificate data"));
        }
        match context.load_verify_data(&bytes, pem) {
            (0, e) => {
                let what = if pem { "no start line" } else { "not enough data" };
                return Err(errors::from_queue(th, e, Some(&format!("{what}: cadata does not contain a certificate"))));
            }
            (_, Some(e)) => return Err(errors::from_queue(th, Some(e), None)),
            (_, None) => {}
        }
    }
    if (file.is_some() || folder.is_some())
        && let Err(e) = outside(th, || context.load_verify_files(file.as_deref(), folder.as_deref()))
    {
        return Err(failed(th, e));
    }
    Ok(Value::NONE)
}
