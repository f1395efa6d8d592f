//! `_SSLSocket`: one connection, over a socket or over memory buffers. What moves bytes is in `transfer`.
mod transfer;

use std::collections::HashMap;
use std::ffi::CString;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use krait_libraries::openssl::{self, CipherInfo, Connection, Stream};
use krait_macros::{Payload, Trace};
use krait_object::builtin_types::OBJECT;
use krait_object::native::{GetSet, getset, method};
use krait_object::{
    Args, Bytes, ClassDef, Dict, List, Locked, Method, PyResult, Ref, Str, Thread, Tuple, TypeObject, VTable, Value,
    ValueCell, type_flag,
};
use krait_runtime::errors::{type_error, value_error};
use krait_runtime::protocol::{attr, compare, number};
use krait_runtime::types::weakref;
use krait_runtime::world::Exclusive;

use super::constants::{PROTOCOL_TLS_CLIENT, PROTOCOL_TLS_SERVER};
use super::context::{CONTEXT, SslContext};
use super::memory_bio::MemoryBio;
use super::session::SslSession;
use super::{certificate, errors};

#[derive(Trace, Payload)]
#[payload(class = SOCKET)]
pub struct SslSocket {
    #[trace(skip)]
    pub connection: Exclusive<Connection>,
    context: ValueCell,
    /// A weak reference to the socket; none over memory buffers.
    socket: ValueCell,
    /// A weak reference to the object that Python code holds.
    owner: ValueCell,
    /// The buffers that the connection runs over, which nobody else may use meanwhile.
    #[trace(skip)]
    buffers: Option<[Arc<Exclusive<openssl::MemoryBio>>; 2]>,
    server_hostname: Value,
    #[trace(skip)]
    token: usize,
    #[trace(skip)]
    shutdown_seen_zero: Locked<bool>,
}
impl Drop for SslSocket {
    fn drop(&mut self) {
        forget(self.token);
    }
}
static LAYOUT: VTable = VTable::of::<SslSocket>();
static SOCKET: TypeObject = TypeObject::builtin("_SSLSocket", Some(&OBJECT), &LAYOUT);
pub static DEF: ClassDef = ClassDef {
    module: "_ssl",
    methods: METHODS,
    getset: ATTRIBUTES,
    flags: type_flag::IMMUTABLE | type_flag::DISALLOW_INSTANTIATION | type_flag::HAVE_GC | type_flag::WEAKREF,
    ..ClassDef::new(&SOCKET)
};
static METHODS: &[Method] = &[
    method("do_handshake", "()", "", transfer::handshake),
    method("write", "(b, /)", "Writes the bytes b; returns how many were written.", transfer::write),
    method("read", "", "read(size, [buffer])\nRead up to size bytes from the SSL socket.", transfer::read),
    method(
        "pending",
        "()",
        "Returns the number of already decrypted bytes available for read, pending on the connection.",
        |th, a| Ok(a.this::<SslSocket>().with(th, Connection::pending).into()),
    ),
    method(
        "getpeercert",
        "(der=False, /)",
        "Returns the certificate for the peer.\n\nIf der is true, the certificate is returned as bytes; otherwise its fields, which are empty if it was not\nverified.",
        peer_certificate,
    ),
    method(
        "get_channel_binding",
        "(cb_type='tls-unique')",
        "Get channel binding data for current connection.",
        binding,
    ),
    method("cipher", "()", "", |th, a| {
        let c = a.this::<SslSocket>().with(th, Connection::current_cipher);
        Ok(c.map(triple).into())
    }),
    method("shared_ciphers", "()", "", |th, a| {
        let all = a.this::<SslSocket>().with(th, Connection::shared_ciphers);
        Ok(all.map(|all| List::new(all.into_iter().map(triple).collect())).into())
    }),
    method("version", "()", "", |th, a| {
        let version = a.this::<SslSocket>().with(th, |c| c.handshake_done().then(|| c.version()));
        Ok(version.into())
    }),
    method("selected_alpn_protocol", "()", "", |th, a| {
        let chosen = a.this::<SslSocket>().with(th, Connection::alpn_selected);
        Ok(chosen.map(|p| String::from_utf8_lossy(&p).into_owned()).into())
    }),
    method("compression", "()", "", |_, _| Ok(Value::NONE)),
    method("shutdown", "()", "Does the SSL shutdown handshake with the remote end.", transfer::shutdown),
    method("verify_client_post_handshake", "()", "Initiate TLS 1.3 post-handshake authentication", |th, a| {
        let done = a.this::<SslSocket>().connection.lock(th).verify_post_handshake();
        match done {
            Ok(()) => Ok(Value::NONE),
            Err(e) => Err(errors::from_queue(th, e, None)),
        }
    }),
    method("get_unverified_chain", "()", "", |th, a| {
        let chain = a.this::<SslSocket>().with(th, |c| {
            c.peer_chain().map(|mut chain| {
                // A server's view of the chain is without the client's own certificate.
                if c.is_server() {
                    chain.splice(0..0, c.peer_certificate());
                }
                chain
            })
        });
        Ok(chain.map(certificates).into())
    }),
    method("get_verified_chain", "()", "", |th, a| {
        let chain = a.this::<SslSocket>().with(th, Connection::verified_chain);
        Ok(chain.map(certificates).into())
    }),
];
fn certificates(chain: Vec<openssl::Certificate>) -> Ref<List> {
    List::new(chain.into_iter().map(certificate::new).collect())
}
fn triple(c: CipherInfo) -> Value {
    Tuple::from_slice(&[c.name.into(), c.protocol.into(), c.strength_bits.into()]).into()
}
static ATTRIBUTES: &[GetSet] = &[
    getset(
        "context",
        "The context of the connection; a server may change it when it knows the name that the client asks for.",
        |_, v| Ok(this(v).context.get().into()),
        |th, v, new| {
            let Some(new) = new.filter(|n| n.is_instance(&CONTEXT)) else {
                return Err(type_error(th, "The value must be a SSLContext"));
            };
            if let Some(context) = new.downcast_ref::<SslContext>() {
                // The callback that does this runs within a call of the connection.
                let s = this(v);
                match Connection::running(s.token) {
                    Some(_) => Connection::set_context_within(&context.context, s.token),
                    None => s.connection.lock(th).set_context(&context.context),
                }
            }
            this(v).context.set(Some(new.clone()));
            Ok(())
        },
    ),
    krait_object::native::getter("server_side", "Whether this is a server-side socket.", |th, v| {
        Ok(Value::bool(this(v).with(th, Connection::is_server)))
    }),
    krait_object::native::getter("server_hostname", "The currently set server hostname (for SNI).", |_, v| {
        Ok(this(v).server_hostname.clone())
    }),
    getset(
        "owner",
        "The Python-level owner of this object.",
        |_, v| Ok(this(v).owner.get().and_then(|w| weakref::target(&w)).into()),
        |_, v, new| {
            this(v).owner.set(new.filter(|n| !n.is_none()).map(weakref::new_plain));
            Ok(())
        },
    ),
    getset(
        "session",
        "The underlying SSLSession object.",
        |th, v| {
            let session = this(v).with(th, Connection::session);
            let context = this(v).context.get().and_then(|c| c.downcast_ref::<SslContext>().map(|c| c.context.clone()));
            Ok(match (session, context) {
                (Some(session), Some(context)) => Ref::new(SslSession { session, context }).into(),
                _ => Value::NONE,
            })
        },
        set_session,
    ),
    krait_object::native::getter("session_reused", "Was the client session reused during handshake?", |th, v| {
        Ok(Value::bool(this(v).with(th, Connection::session_reused)))
    }),
];
impl SslSocket {
    /// Asks the connection, also within a callback of a call of it.
    fn with<R>(&self, th: &mut Thread, f: impl FnOnce(&Connection) -> R) -> R {
        match Connection::running(self.token) {
            Some(c) => f(&c),
            None => f(&self.connection.lock(th)),
        }
    }
}
fn this(v: &Value) -> &SslSocket {
    v.downcast_ref().expect("the descriptor checked the class of self")
}

/// Connections by their numbers: weak references.
static LIVE: std::sync::Mutex<Option<HashMap<usize, Value>>> = std::sync::Mutex::new(None);
static NEXT: AtomicUsize = AtomicUsize::new(1);

fn forget(token: usize) {
    let mut live = LIVE.lock().unwrap_or_else(|e| e.into_inner());
    let gone = live.as_mut().and_then(|l| l.remove(&token));
    drop(live);
    drop(gone);
}
/// The object that callbacks get for a connection: its owner, its socket, or itself.
pub fn shown(_: &mut Thread, token: usize) -> Option<Value> {
    let live = LIVE.lock().unwrap_or_else(|e| e.into_inner());
    let weak = live.as_ref()?.get(&token)?.clone();
    drop(live);
    let socket = weakref::target(&weak)?;
    let s = socket.downcast_ref::<SslSocket>()?;
    let found = [&s.owner, &s.socket].into_iter().find_map(|c| c.get().and_then(|w| weakref::target(&w)));
    Some(found.unwrap_or_else(|| socket.clone()))
}

/// The host's name as bytes for the wire; `None` where none is given.
fn hostname(th: &mut Thread, v: Option<&Value>) -> PyResult<Option<CString>> {
    let Some(v) = v else { return Ok(None) };
    let bytes = if let Some(s) = v.downcast_ref::<Str>() {
        match s.as_ascii() {
            Some(t) => t.as_bytes().to_vec(),
            None => {
                let encoded = attr::call_method(th, v, "encode", &["idna".into()])?;
                krait_runtime::protocol::buffer::bytes_like(th, &encoded)?
            }
        }
    } else if v.downcast_ref::<Bytes>().is_some() {
        krait_runtime::protocol::buffer::bytes_like(th, v)?
    } else {
        let class = v.class().name();
        return Err(type_error(th, format!("argument 3 must be str, bytes or bytearray, not {class}")));
    };
    match CString::new(bytes) {
        Ok(name) => Ok(Some(name)),
        Err(_) => Err(type_error(th, "argument must be encoded string without null bytes, not str")),
    }
}
/// `_wrap_socket`: the arguments stand in the order of the signature.
pub fn wrap_socket(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let server = compare::truth(th, &a[2])?;
    let socket = a[1].clone();
    let fd = attr::call_method(th, &socket, "fileno", &[])?;
    let fd = number::to_i32(th, &fd)?;
    make(th, a, server, a.opt_not_none(3), a.opt_not_none(4), a.opt_not_none(5), Some((socket, fd)), None)
}
pub fn wrap_bio(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let buffer = |th: &mut Thread, v: &Value| match v.downcast_ref::<MemoryBio>() {
        Some(b) => Ok(b.bio.clone()),
        None => {
            let class = v.class().name();
            Err(type_error(th, format!("_wrap_bio() argument must be _ssl.MemoryBIO, not {class}")))
        }
    };
    let buffers = [buffer(th, &a[1])?, buffer(th, &a[2])?];
    let server = compare::truth(th, &a[3])?;
    make(th, a, server, a.opt_not_none(4), a.opt_not_none(5), a.opt_not_none(6), None, Some(buffers))
}
fn make(
    th: &mut Thread,
    a: &Args<'_>,
    server: bool,
    host: Option<&Value>,
    owner: Option<&Value>,
    session: Option<&Value>,
    socket: Option<(Value, i32)>,
    buffers: Option<[Arc<Exclusive<openssl::MemoryBio>>; 2]>,
) -> PyResult<Value> {
    let context = a.this::<SslContext>();
    let name = hostname(th, host)?;
    if server && context.protocol == PROTOCOL_TLS_CLIENT {
        return Err(errors::plain(th, "Cannot create a server socket with a PROTOCOL_TLS_CLIENT context"));
    }
    if !server && context.protocol == PROTOCOL_TLS_SERVER {
        return Err(errors::plain(th, "Cannot create a client socket with a PROTOCOL_TLS_SERVER context"));
    }
    let token = NEXT.fetch_add(1, Relaxed);
    let made = match &buffers {
        Some([incoming, outgoing]) => {
            let incoming_bio = incoming.lock(th);
            if Arc::ptr_eq(incoming, outgoing) {
                Connection::new(&context.context, Stream::Memory(&incoming_bio, &incoming_bio), server, token)
            } else {
                let outgoing_bio = outgoing.lock(th);
                Connection::new(&context.context, Stream::Memory(&incoming_bio, &outgoing_bio), server, token)
            }
        }
        None => {
            let fd = socket.as_ref().map_or(-1, |(_, fd)| *fd);
            Connection::new(&context.context, Stream::Socket(fd), server, token)
        }
    };
    let connection = match made {
        Ok(c) => c,
        Err(e) => return Err(errors::from_queue(th, e, None)),
    };
    connection.set_host_flags(context.host_flags.load(Relaxed));
    if context.post_handshake_auth.load(Relaxed) {
        connection.enable_post_handshake_auth();
    }
    let mut server_hostname = Value::NONE;
    if let Some(name) = name {
        let bytes = name.to_bytes();
        if bytes.is_empty() || bytes.starts_with(b".") {
            let message = "server_hostname cannot be an empty string or start with a leading dot.";
            return Err(value_error(th, message));
        }
        let text = String::from_utf8_lossy(bytes).into_owned();
        server_hostname = Value::from(text.clone());
        let address = text.parse::<IpAddr>().ok().map(|ip| match ip {
            IpAddr::V4(ip) => ip.octets().to_vec(),
            IpAddr::V6(ip) => ip.octets().to_vec(),
        });
        // Addresses are not asked for by name.
        let mut set = Ok(());
        if address.is_none() {
            set = connection.set_server_name(&name);
        }
        if context.checks_hostname() && set.is_ok() {
            set = connection.set_host(&name, address.as_deref());
        }
        if let Err(e) = set {
            return Err(errors::from_queue(th, e, None));
        }
    }
    let made = Ref::new(SslSocket {
        connection: Exclusive::new(connection),
        context: ValueCell::from(a[0].clone()),
        socket: ValueCell::new(socket.map(|(s, _)| weakref::new_plain(&s))),
        owner: ValueCell::new(owner.map(weakref::new_plain)),
        buffers,
        server_hostname,
        token,
        shutdown_seen_zero: Locked::new(false),
    });
    let mut live = LIVE.lock().unwrap_or_else(|e| e.into_inner());
    live.get_or_insert_default().insert(token, weakref::new_plain(made.as_value()));
    drop(live);
    if let Some(session) = session {
        set_session(th, made.as_value(), Some(session))?;
    }
    Ok(made.into())
}
fn set_session(th: &mut Thread, v: &Value, new: Option<&Value>) -> PyResult<()> {
    let me = this(v);
    let Some(session) = new.and_then(|n| n.downcast_ref::<SslSession>()) else {
        return Err(type_error(th, "Value is not a SSLSession."));
    };
    let context = me.context.get();
    let same = context.as_ref().and_then(|c| c.downcast_ref::<SslContext>());
    if !same.is_some_and(|c| c.context.is_same(&session.context)) {
        return Err(value_error(th, "Session refers to a different SSLContext."));
    }
    let mut c = me.connection.lock(th);
    let problem = if c.is_server() {
        Some("Cannot set session for server-side SSLSocket.")
    } else if c.handshake_done() {
        Some("Cannot set session after handshake.")
    } else {
        None
    };
    let set = match problem {
        None => c.set_session(&session.session),
        Some(_) => Ok(()),
    };
    drop(c);
    match (problem, set) {
        (Some(message), _) => Err(value_error(th, message)),
        (None, Err(e)) => Err(errors::from_queue(th, e, None)),
        (None, Ok(())) => Ok(()),
    }
}
fn peer_certificate(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let binary = a.opt(1).map_or(Ok(false), |v| compare::truth(th, v))?;
    let (done, verifies, certificate) =
        a.this::<SslSocket>().with(th, |c| (c.handshake_done(), c.verifies(), c.peer_certificate()));
    if !done {
        return Err(value_error(th, "handshake not done yet"));
    }
    let Some(certificate) = certificate else { return Ok(Value::NONE) };
    if binary {
        return certificate::der(th, &certificate);
    }
    Ok(if verifies { certificate::fields(&certificate) } else { Dict::new().into() })
}
fn binding(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    if let Some(kind) = a.opt(1) {
        let kind = krait_runtime::convert::expect_text(th, kind, "get_channel_binding", "argument 'cb_type'")?;
        if kind != "tls-unique" {
            return Err(value_error(th, format!("'{kind}' channel binding type not implemented")));
        }
    }
    // The message that was sent first.
    let data = a.this::<SslSocket>().with(th, |c| c.finished(c.session_reused() == c.is_server()));
    Ok(if data.is_empty() { Value::NONE } else { Bytes::new(&data).into() })
}
