//! Handshake, reading, writing, ending: calls that wait for the socket as its timeout says.
use std::time::{Duration, Instant};

use krait_libraries::openssl::{self, Connection, Outcome};
use krait_object::{Args, Bytes, PyResult, Raised, Thread, Value};
use krait_platform::wait;
use krait_runtime::errors::{in_flight, raise, take, type_error, value_error};
use krait_runtime::exceptions::{BUFFER_ERROR, TIMEOUT_ERROR, TYPE_ERROR};
use krait_runtime::protocol::buffer::{get_writable, hold};
use krait_runtime::protocol::{attr, number};
use krait_runtime::types::weakref;
use krait_runtime::world::{outside, retry};

use super::super::errors::{self, Verification, code};
use super::SslSocket;

/// How long a call may wait.
#[derive(Clone, Copy)]
enum Patience {
    /// Memory buffers, and sockets with timeout 0.
    None,
    Forever,
    Until(Instant),
}
/// The descriptor and patience of the socket at this moment.
struct Wire {
    fd: i32,
    patience: Patience,
}
fn wire(th: &mut Thread, s: &SslSocket) -> PyResult<Option<Wire>> {
    let Some(weak) = s.socket.get() else { return Ok(None) };
    let socket = weakref::target(&weak);
    let Some(socket) = socket else { return Err(errors::plain(th, "Underlying socket connection gone")) };
    let fd = attr::call_method(th, &socket, "fileno", &[])?;
    let fd = number::to_i32(th, &fd)?;
    let timeout = attr::call_method(th, &socket, "gettimeout", &[])?;
    let patience = if timeout.is_none() {
        Patience::Forever
    } else {
        match number::to_f64(th, &timeout)? {
            t if t > 0.0 => {
                Patience::Until(Instant::now() + Duration::try_from_secs_f64(t).unwrap_or(Duration::MAX / 4))
            }
            _ => Patience::None,
        }
    };
    s.connection.lock(th).set_nonblocking(!matches!(patience, Patience::Forever));
    Ok(Some(Wire { fd, patience }))
}
enum Waited {
    Ready,
    TimedOut,
    Closed,
    /// The caller says what it waits for.
    NotAtAll,
}
fn wait_for(th: &mut Thread, wire: Option<&Wire>, write: bool) -> PyResult<Waited> {
    let Some(wire) = wire else { return Ok(Waited::NotAtAll) };
    if wire.fd < 0 {
        return Ok(Waited::Closed);
    }
    let deadline = match wire.patience {
        Patience::None => return Ok(Waited::NotAtAll),
        Patience::Forever => None,
        Patience::Until(deadline) => Some(deadline),
    };
    let events = if write { wait::POLLOUT } else { wait::POLLIN };
    let ready = retry(th, || {
        let left = deadline.map(|d| d.saturating_duration_since(Instant::now()));
        let ms = left.map_or(-1, |l| i32::try_from(l.as_nanos().div_ceil(1_000_000)).unwrap_or(i32::MAX));
        wait::poll(&mut [wait::Poll { fd: wire.fd, events, happened: 0 }], ms)
    })?;
    match ready {
        Ok(n) if n > 0 => Ok(Waited::Ready),
        Ok(_) => Ok(Waited::TimedOut),
        Err(e) => Err(krait_runtime::errors::os_error(th, e, None)),
    }
}
#[cold]
fn timed_out(th: &mut Thread, what: &str) -> Raised {
    raise(th, &TIMEOUT_ERROR, format!("_ssl.c:1011: The {what} operation timed out"))
}
/// Calls the library until it neither wants to read nor to write, or may not wait. An exception of a callback is raised.
fn run<T: Copy>(
    th: &mut Thread,
    s: &SslSocket,
    what: &str,
    mut call: impl FnMut(&mut Connection) -> Outcome<T>,
) -> PyResult<Outcome<T>> {
    let wire = wire(th, s)?;
    loop {
        let outcome = {
            let mut c = s.connection.lock(th);
            let buffers = s.buffers.as_ref().map(|[a, b]| (a.clone(), b.clone()));
            let _held = buffers.as_ref().map(|(a, b)| {
                let first = a.lock(th);
                (first, (!std::sync::Arc::ptr_eq(a, b)).then(|| b.lock(th)))
            });
            outside(th, || call(&mut c))
        };
        if th.exc.is_some() {
            openssl::Error::clear();
            return Err(Raised::pending(th));
        }
        if th.breaker() & krait_object::thread::breaker::SIGNAL != 0 {
            krait_runtime::signals::run_pending(th)?;
        }
        let write = match outcome.code {
            code::WANT_READ => false,
            code::WANT_WRITE => true,
            _ => return Ok(outcome),
        };
        match wait_for(th, wire.as_ref(), write)? {
            Waited::Ready => {}
            Waited::TimedOut => return Err(timed_out(th, what)),
            Waited::Closed => return Err(errors::plain(th, "Underlying socket has been closed.")),
            Waited::NotAtAll => return Ok(outcome),
        }
    }
}
#[cold]
fn failed<T>(th: &mut Thread, s: &SslSocket, outcome: &Outcome<T>) -> Raised {
    errors::from_call(th, (outcome.code, outcome.error, outcome.errno), |th| {
        let result = s.connection.lock(th).verify_result();
        let host = Some(s.server_hostname.clone());
        Verification { result, text: openssl::verify_text(result), host }
    })
}

pub fn handshake(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let s = a.this::<SslSocket>();
    let outcome = run(th, s, "handshake", Connection::handshake)?;
    if outcome.value < 1 { Err(failed(th, s, &outcome)) } else { Ok(Value::NONE) }
}
pub fn write(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let data = hold(th, &a[1])?;
    let s = a.this::<SslSocket>();
    if let Some(wire) = wire(th, s)? {
        // A socket that takes nothing for long fails before anything is encrypted.
        match wait_for(th, Some(&wire), true)? {
            Waited::TimedOut => return Err(timed_out(th, "write")),
            Waited::Closed => return Err(errors::plain(th, "Underlying socket has been closed.")),
            Waited::Ready | Waited::NotAtAll => {}
        }
    }
    let outcome = run(th, s, "write", |c| c.write(&data))?;
    if outcome.code == 0 { Ok(outcome.value.into()) } else { Err(failed(th, s, &outcome)) }
}
/// `read(size, [buffer])`.
pub fn read(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let args = a.pos();
    if a.has_kw() || !(2..=3).contains(&args.len()) {
        return Err(type_error(th, "_ssl._SSLSocket.read requires 1 to 2 arguments"));
    }
    let size = number::to_isize(th, &args[1])?;
    let s = a.this::<SslSocket>();
    let Some(target) = args.get(2) else {
        let Ok(size) = usize::try_from(size) else {
            return Err(value_error(th, "size should not be negative"));
        };
        let mut data = Vec::new();
        if data.try_reserve_exact(size).is_err() {
            return Err(krait_runtime::errors::memory_error(th));
        }
        data.resize(size, 0);
        let n = read_into(th, s, &mut data)?;
        return Ok(Bytes::new(&data[..n]).into());
    };
    let target = match get_writable(th, target) {
        Ok(b) => b,
        Err(raised) if in_flight(th, &TYPE_ERROR) || in_flight(th, &BUFFER_ERROR) => {
            drop(take(th, raised));
            let class = target.class().name();
            return Err(type_error(th, format!("read() argument 2 must be read-write bytes-like object, not {class}")));
        }
        Err(raised) => return Err(raised),
    };
    let most = match usize::try_from(size) {
        Ok(n) if n > 0 => n.min(target.len),
        _ => target.len,
    };
    let mut data = vec![0; most];
    let n = read_into(th, s, &mut data)?;
    target.with_bytes_mut(|out| {
        if let Some(out) = out.get_mut(..n) {
            out.copy_from_slice(&data[..n]);
        }
    });
    Ok(n.into())
}
fn read_into(th: &mut Thread, s: &SslSocket, out: &mut [u8]) -> PyResult<usize> {
    if out.is_empty() {
        return Ok(0);
    }
    let outcome = run(th, s, "read", |c| c.read(out))?;
    match outcome.code {
        0 => Ok(outcome.value),
        // The peer ended the connection in order.
        code::ZERO_RETURN if s.connection.lock(th).received_shutdown() => Ok(0),
        _ => Err(failed(th, s, &outcome)),
    }
}
pub fn shutdown(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let s = a.this::<SslSocket>();
    let socket = match s.socket.get() {
        Some(weak) => {
            let socket = weakref::target(&weak);
            let gone = match &socket {
                Some(socket) => {
                    let fd = attr::call_method(th, socket, "fileno", &[])?;
                    number::to_i32(th, &fd)? < 0
                }
                None => true,
            };
            if gone {
                return Err(errors::plain(th, "Underlying socket connection gone"));
            }
            socket
        }
        None => None,
    };
    let mut zeros = 0;
    let outcome = loop {
        let seen = *s.shutdown_seen_zero.lock();
        let outcome = run(th, s, "read", |c| c.shutdown(seen))?;
        if outcome.value == 0 {
            // Not for ever: the peer may never answer.
            zeros += 1;
            if zeros <= 1 {
                *s.shutdown_seen_zero.lock() = true;
                continue;
            }
        }
        break outcome;
    };
    if outcome.value < 0 {
        return Err(failed(th, s, &outcome));
    }
    Ok(socket.into())
}
