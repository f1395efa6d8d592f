//! Sending and receiving.
use krait_object::native::method;
use krait_object::{Args, Bytes, Method, PyResult, Thread, Tuple, Value};
use krait_platform::socket as platform;
use krait_runtime::audit::audit;
use krait_runtime::errors::{memory_error, type_error, value_error};
use krait_runtime::protocol::{buffer, number};
use krait_runtime::signals;
use std::sync::atomic::Ordering::SeqCst;

use super::address::{from_python, to_python};
use super::negative;
use super::object::{deadline_of, operate, operate_until, socket};

pub(super) const RECV: Method =
    method("recv", "(buffersize[, flags], /)", "Receive at most that many bytes.", |th, a| {
        let (n, flags) = size_and_flags(th, a, "recv")?;
        let mut out = zeroed(th, n)?;
        let got = operate(th, socket(&a[0]), false, |f| platform::recv(f, &mut out, flags))?;
        Ok(Bytes::new(&out[..got.min(n)]).into())
    });
pub(super) const RECV_INTO: Method = method(
    "recv_into",
    "(buffer, nbytes=0, flags=0)",
    "Receive into a writable buffer; the number of bytes.",
    |th, a| {
        let (got, data, _) = receive_into(th, a, "recv_into", false)?;
        store(th, &a[1], &data[..got])?;
        Ok(got.into())
    },
);
pub(super) const RECVFROM: Method =
    method("recvfrom", "(buffersize[, flags], /)", "Receive bytes and their sender: (bytes, address).", |th, a| {
        let (n, flags) = size_and_flags(th, a, "recvfrom")?;
        let mut out = zeroed(th, n)?;
        let s = socket(&a[0]);
        let (got, from) = operate(th, s, false, |f| platform::recv_from(f, &mut out, flags))?;
        let address = to_python(&from, s.family.load(SeqCst), Some(s.descriptor()));
        Ok(Tuple::from_vec(vec![Bytes::new(&out[..got.min(n)]).into(), address]).into())
    });
pub(super) const RECVFROM_INTO: Method = method(
    "recvfrom_into",
    "(buffer, nbytes=0, flags=0)",
    "Receive into a writable buffer: (number of bytes, address).",
    |th, a| {
        let (got, data, from) = receive_into(th, a, "recvfrom_into", true)?;
        store(th, &a[1], &data[..got])?;
        let s = socket(&a[0]);
        let address = to_python(&from, s.family.load(SeqCst), Some(s.descriptor()));
        Ok(Tuple::from_vec(vec![got.into(), address]).into())
    },
);
pub(super) const SEND: Method = method("send", "(data[, flags], /)", "Send bytes; the number sent.", |th, a| {
    let data = buffer::bytes_like(th, &a[1])?;
    let flags = a.opt(2).map_or(Ok(0), |v| number::to_i32(th, v))?;
    Ok(operate(th, socket(&a[0]), true, |f| platform::send(f, &data, flags))?.into())
});
pub(super) const SENDALL: Method = method("sendall", "(data[, flags], /)", "Send all the bytes.", |th, a| {
    let data = buffer::bytes_like(th, &a[1])?;
    let flags = a.opt(2).map_or(Ok(0), |v| number::to_i32(th, v))?;
    let s = socket(&a[0]);
    // The timeout is that of the whole.
    let deadline = deadline_of(s.timeout.load(SeqCst));
    let mut sent = 0;
    while sent < data.len() {
        sent += operate_until(th, s, true, deadline, |f| platform::send(f, &data[sent..], flags))?;
        signals::run_pending(th)?;
    }
    Ok(Value::NONE)
});
pub(super) const SENDTO: Method = method(
    "sendto",
    "",
    "sendto(data, [flags,] address) -> count\n\nSend bytes to an address; the number sent.",
    |th, a: &Args<'_>| {
        let (data, flags, address) = match &a.pos()[1..] {
            [data, address] => (data, 0, address),
            [data, flags, address] => (data, number::to_i32(th, flags)?, address),
            given => {
                let n = given.len();
                return Err(type_error(th, format!("sendto() takes 2 or 3 arguments ({n} given)")));
            }
        };
        let data = buffer::bytes_like(th, data)?;
        let s = socket(&a.pos()[0]);
        let to = from_python(th, s, address, "sendto")?;
        audit(th, "socket.sendto", &[a.pos()[0].clone(), address.clone()])?;
        Ok(operate(th, s, true, |f| platform::send_to(f, &data, flags, &to))?.into())
    },
);

pub(super) fn zeroed(th: &mut Thread, n: usize) -> PyResult<Vec<u8>> {
    let mut out = Vec::new();
    if out.try_reserve_exact(n).is_err() {
        return Err(memory_error(th));
    }
    out.resize(n, 0);
    Ok(out)
}
fn size_and_flags(th: &mut Thread, a: &Args<'_>, name: &str) -> PyResult<(usize, i32)> {
    let n = number::index_isize(th, &a[1])?;
    let flags = a.opt(2).map_or(Ok(0), |v| number::to_i32(th, v))?;
    match usize::try_from(n) {
        Ok(n) => Ok((n, flags)),
        Err(_) => Err(negative(th, name)),
    }
}
/// Receives into memory of our own: the buffer's is not to be touched while other threads run.
fn receive_into(th: &mut Thread, a: &Args<'_>, name: &str, with_sender: bool) -> PyResult<(usize, Vec<u8>, Vec<u8>)> {
    let room = buffer::get_writable(th, &a[1])?.len;
    let wanted = a.opt(2).map_or(Ok(0), |v| number::index_isize(th, v))?;
    let flags = a.opt(3).map_or(Ok(0), |v| number::to_i32(th, v))?;
    let n = match usize::try_from(wanted) {
        Err(_) => return Err(negative(th, name)),
        Ok(0) => room,
        Ok(n) if n > room => {
            let message = if with_sender {
                "nbytes is greater than the length of the buffer"
            } else {
                "buffer too small for requested bytes"
            };
            return Err(value_error(th, message));
        }
        Ok(n) => n,
    };
    let mut out = zeroed(th, n)?;
    let s = socket(&a[0]);
    let (got, from) = if with_sender {
        operate(th, s, false, |f| platform::recv_from(f, &mut out, flags))?
    } else {
        (operate(th, s, false, |f| platform::recv(f, &mut out, flags))?, Vec::new())
    };
    Ok((got.min(n), out, from))
}
pub(super) fn store(th: &mut Thread, target: &Value, data: &[u8]) -> PyResult<()> {
    buffer::get_writable(th, target)?.with_bytes_mut(|b| {
        let n = data.len().min(b.len());
        b[..n].copy_from_slice(&data[..n]);
    });
    Ok(())
}
