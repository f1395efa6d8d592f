//! Callbacks of a context: server names, messages, keys. They come with the number of a connection, by which the module
//! finds its object.
use std::fs::File;
use std::io::Write;
use std::sync::{Arc, Mutex};

use krait_libraries::openssl::Message;
use krait_object::{Args, Bytes, PyResult, Str, Thread, Tuple, Value};
use krait_runtime::convert::path_bytes;
use krait_runtime::errors::{io_error, type_error, value_error, write_unraisable};
use krait_runtime::protocol::buffer::hold;
use krait_runtime::protocol::{call, number};
use krait_runtime::types::weakref;
use krait_runtime::world::back;

use super::super::constants::{
    ALERT_HANDSHAKE_FAILURE, ALERT_INTERNAL_ERROR, PROTOCOL_TLS_CLIENT, PROTOCOL_TLS_SERVER,
};
use super::super::{c_string, errors, socket};
use super::{SslContext, given, this};

/// The text of bytes from the network; anything but ASCII is refused.
fn ascii(bytes: &[u8]) -> Option<Value> {
    bytes.is_ascii().then(|| Str::from_latin1(bytes).into())
}
pub fn set_sni_callback(th: &mut Thread, v: &Value, new: Option<&Value>) -> PyResult<()> {
    let c = this(v);
    let f = given(th, new)?;
    if c.protocol == PROTOCOL_TLS_CLIENT {
        return Err(value_error(th, "sni_callback cannot be set on TLS_CLIENT context"));
    }
    if f.is_none() {
        c.sni_callback.set(None);
        c.context.set_server_name(None);
        return Ok(());
    }
    if !call::is_callable(f) {
        c.sni_callback.set(None);
        c.context.set_server_name(None);
        return Err(type_error(th, "not a callable object"));
    }
    c.sni_callback.set(Some(f.clone()));
    // The context holds the callable, where the collector sees it.
    let context = weakref::new_plain(v);
    let closure = move |token: usize, name: Option<&[u8]>| {
        back(|th| ask_server_name(th, &context, token, name)).unwrap_or(Err(ALERT_INTERNAL_ERROR))
    };
    c.context.set_server_name(Some(Arc::new(closure)));
    Ok(())
}
fn ask_server_name(th: &mut Thread, context: &Value, token: usize, name: Option<&[u8]>) -> Result<(), i32> {
    let socket = socket::shown(th, token).unwrap_or(Value::NONE);
    let context = weakref::target(context).unwrap_or(Value::NONE);
    let f = context.downcast_ref::<SslContext>().and_then(|c| c.sni_callback.get());
    let Some(f) = f else { return Ok(()) };
    let name = match name {
        None => Value::NONE,
        Some(bytes) => match ascii(bytes) {
            Some(name) => name,
            None => return Err(ALERT_INTERNAL_ERROR),
        },
    };
    match call::call(th, &f, &[socket, name, context]) {
        Ok(v) if v.is_none() => Ok(()),
        Ok(v) => match number::to_i32(th, &v) {
            Ok(alert) => Err(alert),
            Err(_) => {
                write_unraisable(th, Some(&v));
                Err(ALERT_INTERNAL_ERROR)
            }
        },
        Err(_) => {
            write_unraisable(th, Some(&f));
            Err(ALERT_HANDSHAKE_FAILURE)
        }
    }
}

pub fn set_msg_callback(th: &mut Thread, v: &Value, new: Option<&Value>) -> PyResult<()> {
    let c = this(v);
    let f = given(th, new)?;
    if f.is_none() {
        c.msg_callback.set(None);
        c.context.set_message(None);
        return Ok(());
    }
    if !call::is_callable(f) {
        c.msg_callback.set(None);
        c.context.set_message(None);
        return Err(type_error(th, "not a callable object"));
    }
    c.msg_callback.set(Some(f.clone()));
    let context = weakref::new_plain(v);
    let closure = move |m: Message<'_>| {
        back(|th| on_message(th, &context, &m));
    };
    c.context.set_message(Some(Arc::new(closure)));
    Ok(())
}
/// An exception stays in flight until the call of the connection returns; no message is shown meanwhile.
fn on_message(th: &mut Thread, context: &Value, m: &Message<'_>) {
    if th.exc.is_some() {
        return;
    }
    let context = weakref::target(context);
    let f = context.as_ref().and_then(|c| c.downcast_ref::<SslContext>()).and_then(|c| c.msg_callback.get());
    let Some(f) = f else { return };
    let byte = |i: usize| m.data.get(i).map_or(0, |&b| i32::from(b));
    let (mut version, kind) = (m.version, m.content_type);
    let message = match kind {
        20 => 0x0101,
        21 => byte(1),
        22 | 257 => byte(0),
        256 => {
            version = byte(1) << 8 | byte(2);
            byte(0)
        }
        _ => -1,
    };
    let socket = socket::shown(th, m.token).unwrap_or(Value::NONE);
    let direction = if m.written { "write" } else { "read" };
    let data = Bytes::new(m.data);
    let args = [socket, direction.into(), version.into(), kind.into(), message.into(), data.into()];
    let _ = call::call(th, &f, &args).map(drop);
}

pub fn set_keylog_filename(th: &mut Thread, v: &Value, new: Option<&Value>) -> PyResult<()> {
    let c = this(v);
    let name = given(th, new)?;
    c.context.set_key_log(None);
    c.keylog_filename.set(None);
    if name.is_none() {
        return Ok(());
    }
    let path = path_bytes(th, name)?;
    let path = <std::ffi::OsStr as std::os::unix::ffi::OsStrExt>::from_bytes(&path);
    let file = match File::options().append(true).create(true).open(path) {
        Ok(f) => Mutex::new(f),
        Err(e) => return Err(io_error(th, &e, Some(name))),
    };
    if file.lock().is_ok_and(|f| f.metadata().is_ok_and(|m| m.len() == 0)) {
        write_line(&file, b"# TLS secrets log file, generated by OpenSSL / Python");
    }
    c.keylog_filename.set(Some(name.clone()));
    c.context.set_key_log(Some(Arc::new(move |_, line| write_line(&file, line))));
    Ok(())
}
/// A log that cannot be written to does not end the connection, as in CPython.
fn write_line(file: &Mutex<File>, line: &[u8]) {
    if let Ok(mut file) = file.lock() {
        let _ = file.write_all(&[line, b"\n"].concat());
    }
}

/// The callable argument; `None` clears.
fn callable<'a>(th: &mut Thread, v: &'a Value) -> PyResult<Option<&'a Value>> {
    if v.is_none() {
        return Ok(None);
    }
    if !call::is_callable(v) {
        return Err(type_error(th, "callback must be callable"));
    }
    Ok(Some(v))
}
pub fn set_psk_client(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let c = a.this::<SslContext>();
    if c.protocol == PROTOCOL_TLS_SERVER {
        return Err(errors::plain(th, "Cannot add PSK client callback to a PROTOCOL_TLS_SERVER context"));
    }
    let Some(f) = callable(th, &a[1])?.cloned() else {
        c.context.set_psk_client(None);
        return Ok(Value::NONE);
    };
    let closure = move |_: usize, hint: Option<&[u8]>| {
        back(|th| {
            let answer = client_psk(th, &f, hint);
            if answer.is_err() {
                write_unraisable(th, Some(&f));
            }
            answer.ok()
        })
        .flatten()
    };
    c.context.set_psk_client(Some(Arc::new(closure)));
    Ok(Value::NONE)
}
fn client_psk(th: &mut Thread, f: &Value, hint: Option<&[u8]>) -> PyResult<(Vec<u8>, Vec<u8>)> {
    let hint = hint.filter(|h| !h.is_empty()).map(|h| Value::from(String::from_utf8_lossy(h).into_owned()));
    let answer = call::call(th, f, &[hint.into()])?;
    let Some(pair) = answer.to_ref::<Tuple>().filter(|t| t.len() == 2) else {
        return Err(type_error(th, "psk callback must return a tuple of identity and psk"));
    };
    let identity = if pair[0].is_none() {
        Vec::new()
    } else {
        krait_runtime::convert::expect_text(th, &pair[0], "callback", "identity")?.into_bytes()
    };
    Ok((identity, hold(th, &pair[1])?.to_vec()))
}
pub fn set_psk_server(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let c = a.this::<SslContext>();
    if c.protocol == PROTOCOL_TLS_CLIENT {
        return Err(errors::plain(th, "Cannot add PSK server callback to a PROTOCOL_TLS_CLIENT context"));
    }
    let f = callable(th, &a[1])?.cloned();
    let hint = match a.opt_not_none(2) {
        Some(h) => Some(c_string(th, h, "set_psk_server_callback", "argument 'identity_hint'")?),
        None => None,
    };
    let closure = f.map(|f| {
        let closure = move |_: usize, identity: Option<&[u8]>| {
            back(|th| {
                let identity = identity.filter(|i| !i.is_empty());
                let identity = identity.map(|i| Value::from(String::from_utf8_lossy(i).into_owned()));
                let key = call::call(th, &f, &[identity.into()]).and_then(|v| Ok(hold(th, &v)?.to_vec()));
                if key.is_err() {
                    write_unraisable(th, Some(&f));
                }
                key.ok()
            })
            .flatten()
        };
        Arc::new(closure) as Arc<dyn Fn(usize, Option<&[u8]>) -> Option<Vec<u8>>>
    });
    match c.context.set_psk_server(closure, hint.as_deref()) {
        Ok(()) => Ok(Value::NONE),
        Err(_) => Err(errors::plain(th, "failed to set identity hint")),
    }
}
