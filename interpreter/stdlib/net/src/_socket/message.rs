//! `recvmsg` and `sendmsg`: several buffers, and control data.
use krait_object::buffer::Buffer;
use krait_object::native::method;
use krait_object::{Args, Bytes, List, Method, PyResult, Thread, Tuple, Value};
use krait_platform::socket::{self as platform, Message};
use krait_runtime::errors::{self, overflow_error, type_error, value_error};
use krait_runtime::exceptions::{BUFFER_ERROR, TYPE_ERROR};
use krait_runtime::protocol::{buffer, iter, number, sequence};
use std::sync::atomic::Ordering::SeqCst;

use super::address::{from_python, to_python};
use super::object::{operate, socket};
use super::transfer::zeroed;

pub(super) const RECVMSG: Method = method(
    "recvmsg",
    "(bufsize[, ancbufsize[, flags]], /)",
    "Receive bytes and control data: (bytes, control data, flags, address).",
    |th, a| {
        let n = number::index_isize(th, &a[1])?;
        let Ok(n) = usize::try_from(n) else { return Err(value_error(th, "negative buffer size in recvmsg()")) };
        let mut buffers = [zeroed(th, n)?];
        let m = receive(th, a, &mut buffers, "recvmsg")?;
        let data = Bytes::new(&buffers[0][..m.received.min(n)]).into();
        Ok(result(a, data, &m))
    },
);
pub(super) const RECVMSG_INTO: Method = method(
    "recvmsg_into",
    "(buffers[, ancbufsize[, flags]], /)",
    "Receive into buffers, with control data: (number of bytes, control data, flags, address).",
    |th, a| {
        let items = sequence::to_items(th, &a[1], "recvmsg_into() argument 1 must be an iterable")?;
        let mut targets = Vec::new();
        for item in &items {
            match buffer::get_writable(th, item) {
                Ok(target) => targets.push(target),
                Err(raised) => {
                    let e = errors::take(th, raised);
                    if !e.is_instance(&TYPE_ERROR) && !e.is_instance(&BUFFER_ERROR) {
                        return Err(errors::raise_value(th, e));
                    }
                    let message = "recvmsg_into() argument 1 must be an iterable of single-segment read-write buffers";
                    return Err(type_error(th, message));
                }
            }
        }
        let mut buffers = Vec::new();
        for t in &targets {
            buffers.push(zeroed(th, t.len)?);
        }
        let m = receive(th, a, &mut buffers, "recvmsg_into")?;
        let mut left = m.received;
        for (target, data) in targets.iter().zip(&buffers) {
            let n = left.min(data.len());
            target.with_bytes_mut(|b| b[..n].copy_from_slice(&data[..n]));
            left -= n;
        }
        Ok(result(a, m.received.into(), &m))
    },
);
pub(super) const SENDMSG: Method = method(
    "sendmsg",
    "(buffers[, ancdata[, flags[, address]]], /)",
    "Send buffers and control data; the number of bytes sent.",
    |th, a| {
        let mut data = Vec::new();
        for item in iter::collect(th, &a[1])? {
            data.push(buffer::get_buffer(th, &item, 0).map(|b: Buffer| b.to_vec())?);
        }
        let control = match a.opt(2) {
            None => Vec::new(),
            Some(c) => control_data(th, c)?,
        };
        let flags = a.opt(3).map_or(Ok(0), |v| number::to_i32(th, v))?;
        let s = socket(&a[0]);
        let address = match a.opt_not_none(4) {
            None => None,
            Some(v) => Some(from_python(th, s, v, "sendmsg")?),
        };
        Ok(operate(th, s, true, |f| platform::send_message(f, &data, &control, flags, address.as_deref()))?.into())
    },
);
const HEADER: usize = 16;

fn receive(th: &mut Thread, a: &Args<'_>, buffers: &mut [Vec<u8>], name: &str) -> PyResult<Message> {
    let size = a.opt(2).map_or(Ok(0), |v| number::index_isize(th, v))?;
    let flags = a.opt(3).map_or(Ok(0), |v| number::to_i32(th, v))?;
    if !(0..=i32::MAX as isize).contains(&size) {
        return Err(value_error(th, format!("invalid ancillary data buffer length in {name}()")));
    }
    operate(th, socket(&a[0]), false, |f| platform::recv_message(f, buffers, size as usize, flags))
}
fn result(a: &Args<'_>, data: Value, m: &Message) -> Value {
    let s = socket(&a[0]);
    let address = to_python(&m.address, s.family.load(SeqCst), Some(s.descriptor()));
    Tuple::from_vec(vec![data, control_list(&m.control), m.flags.into(), address]).into()
}
/// `struct cmsghdr`: length of all, level, type; then the data, padded to words.
fn control_list(mut control: &[u8]) -> Value {
    let mut out = Vec::new();
    while control.len() >= HEADER {
        let word = |i: usize| i32::from_ne_bytes([control[i], control[i + 1], control[i + 2], control[i + 3]]);
        let length = word(0) as u32 as usize;
        if length < HEADER {
            break;
        }
        let data = &control[HEADER..length.min(control.len())];
        out.push(Tuple::from_vec(vec![word(8).into(), word(12).into(), Bytes::new(data).into()]).into());
        control = control.get(length.next_multiple_of(8)..).unwrap_or_default();
    }
    List::new(out).into()
}
fn control_data(th: &mut Thread, v: &Value) -> PyResult<Vec<u8>> {
    let mut out = Vec::new();
    for item in sequence::to_items(th, v, "sendmsg() argument 2 must be an iterable")? {
        let parts = sequence::to_items(th, &item, "[sendmsg() ancillary data items] must be sequence of length 3")?;
        let [level, kind, data] = &parts[..] else {
            let message = "[sendmsg() ancillary data items] must be sequence of length 3";
            return Err(type_error(th, message));
        };
        let (level, kind) = (number::to_i32(th, level)?, number::to_i32(th, kind)?);
        let data = buffer::bytes_like(th, data)?;
        if data.len() > i32::MAX as usize - HEADER {
            return Err(overflow_error(th, "ancillary data item too large"));
        }
        out.extend_from_slice(&(HEADER + data.len()).to_ne_bytes());
        out.extend_from_slice(&level.to_ne_bytes());
        out.extend_from_slice(&kind.to_ne_bytes());
        out.extend_from_slice(&data);
        out.resize(out.len().next_multiple_of(8), 0);
    }
    Ok(out)
}
