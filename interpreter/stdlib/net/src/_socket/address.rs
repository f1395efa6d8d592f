//! Addresses: between Python's tuples and the bytes of C's structures.
use std::ffi::CString;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::sync::atomic::Ordering::SeqCst;

use krait_object::{Bytes, PyResult, Raised, Str, Thread, Tuple, Value};
use krait_platform::socket as platform;
use krait_runtime::convert::{fs_decode, fs_encode};
use krait_runtime::errors::{overflow_error, raise, surrogates_not_allowed, type_error};
use krait_runtime::exceptions::OS_ERROR;
use krait_runtime::protocol::{attr, buffer, number};
use krait_runtime::world::blocking;

use super::gai_error;
use super::object::Socket;

pub(super) const AF_UNSPEC: i32 = 0;
pub(super) const AF_UNIX: i32 = 1;
pub(super) const AF_INET: i32 = 2;
pub(super) const AF_INET6: i32 = 10;
const AF_NETLINK: i32 = 16;
const AF_PACKET: i32 = 17;
const AF_CAN: i32 = 29;
const AF_VSOCK: i32 = 40;

fn word16(b: &[u8], at: usize) -> u16 {
    u16::from_be_bytes([b[at], b[at + 1]])
}
fn word32(b: &[u8], at: usize) -> u32 {
    u32::from_ne_bytes([b[at], b[at + 1], b[at + 2], b[at + 3]])
}
fn interface(number: u32) -> Value {
    fs_decode(&platform::interface_name(number).unwrap_or_default()).into()
}
/// A Python address; None where there is none. `family` is the socket's.
pub(super) fn to_python(address: &[u8], family: i32, _fd: Option<i32>) -> Value {
    let Some(own) = address.first_chunk::<2>().map(|b| i32::from(u16::from_ne_bytes(*b))) else {
        return if family == AF_UNIX && !address.is_empty() { Value::str("") } else { Value::NONE };
    };
    let tuple = |items: Vec<Value>| -> Value { Tuple::from_vec(items).into() };
    match own {
        AF_INET if address.len() >= 8 => {
            let ip = Ipv4Addr::new(address[4], address[5], address[6], address[7]);
            tuple(vec![ip.to_string().into(), word16(address, 2).into()])
        }
        AF_INET6 if address.len() >= 28 => {
            let (host, _) = platform::getnameinfo(address, 3).unwrap_or_default();
            // The scope has a field of its own.
            let host = host.split(|&c| c == b'%').next().unwrap_or_default();
            let flow = u32::from_be_bytes([address[4], address[5], address[6], address[7]]);
            tuple(vec![fs_decode(host).into(), word16(address, 2).into(), flow.into(), word32(address, 24).into()])
        }
        AF_UNIX => {
            let path = &address[2..];
            if path.first() == Some(&0) {
                return Bytes::new(path).into();
            }
            fs_decode(path.split(|&b| b == 0).next().unwrap_or_default()).into()
        }
        AF_NETLINK if address.len() >= 12 => tuple(vec![word32(address, 4).into(), word32(address, 8).into()]),
        AF_VSOCK if address.len() >= 12 => tuple(vec![word32(address, 8).into(), word32(address, 4).into()]),
        AF_PACKET if address.len() >= 12 => {
            let n = usize::from(address[11]).min(address.len() - 12);
            tuple(vec![
                interface(word32(address, 4)),
                word16(address, 2).into(),
                address[10].into(),
                u16::from_ne_bytes([address[8], address[9]]).into(),
                Bytes::new(&address[12..12 + n]).into(),
            ])
        }
        AF_CAN if address.len() >= 8 => tuple(vec![interface(word32(address, 4))]),
        _ => tuple(vec![own.into(), Bytes::new(&address[2..]).into()]),
    }
}

/// A host name argument: `str` (IDNA where it is not ASCII), bytes, bytearray.
pub(super) fn host_argument(th: &mut Thread, v: &Value) -> PyResult<CString> {
    let bytes = if let Some(s) = v.downcast_ref::<Str>() {
        match s.as_ascii() {
            Some(t) => t.as_bytes().to_vec(),
            None => {
                let encoded = attr::call_method(th, v, "encode", &[Value::str("idna")])?;
                buffer::bytes_like(th, &encoded)?
            }
        }
    } else if v.downcast_ref::<Bytes>().is_some() || buffer::has_buffer(v) {
        buffer::bytes_like(th, v)?
    } else {
        let class = v.class().name();
        return Err(type_error(th, format!("str, bytes or bytearray expected, not {class}")));
    };
    CString::new(bytes).map_err(|_| type_error(th, "host name must not contain null character"))
}
fn os_failure(th: &mut Thread, message: &str) -> Raised {
    raise(th, &OS_ERROR, message)
}
/// The first address of a host in a family: "" is any, "<broadcast>" all.
pub(super) fn resolve(th: &mut Thread, host: &CString, family: i32) -> PyResult<Vec<u8>> {
    let text = host.to_str().unwrap_or_default();
    if text.is_empty() {
        let hints = [family, 2, 0, 1];
        let found = match blocking(th, || platform::getaddrinfo(None, Some(c"0"), hints)) {
            Ok(f) => f,
            Err(e) => return Err(gai_error(th, e)),
        };
        return match &found[..] {
            [one] => Ok(one.address.clone()),
            _ => Err(os_failure(th, "wildcard resolved to multiple address")),
        };
    }
    if text == "<broadcast>" || text == "255.255.255.255" {
        if family != AF_INET && family != AF_UNSPEC {
            return Err(os_failure(th, "address family mismatched"));
        }
        return Ok(inet(Ipv4Addr::BROADCAST, 0));
    }
    if (family == AF_UNSPEC || family == AF_INET)
        && let Ok(ip) = text.parse::<Ipv4Addr>()
    {
        return Ok(inet(ip, 0));
    }
    if (family == AF_UNSPEC || family == AF_INET6)
        && let Ok(ip) = text.parse::<Ipv6Addr>()
    {
        return Ok(inet6(ip, 0, 0, 0));
    }
    match blocking(th, || platform::getaddrinfo(Some(host), None, [family, 0, 0, 0])) {
        Ok(found) => match found.into_iter().next() {
            Some(first) => Ok(first.address),
            None => Err(os_failure(th, "unsupported address family")),
        },
        Err(e) => Err(gai_error(th, e)),
    }
}
pub(super) fn inet(ip: Ipv4Addr, port: u16) -> Vec<u8> {
    let mut out = (AF_INET as u16).to_ne_bytes().to_vec();
    out.extend(port.to_be_bytes());
    out.extend(ip.octets());
    out.resize(16, 0);
    out
}
pub(super) fn inet6(ip: Ipv6Addr, port: u16, flow: u32, scope: u32) -> Vec<u8> {
    let mut out = (AF_INET6 as u16).to_ne_bytes().to_vec();
    out.extend(port.to_be_bytes());
    out.extend(flow.to_be_bytes());
    out.extend(ip.octets());
    out.extend(scope.to_ne_bytes());
    out
}
fn items(th: &mut Thread, v: &Value, name: &str, function: &str) -> PyResult<Vec<Value>> {
    match v.downcast_ref::<Tuple>() {
        Some(t) => Ok(t.to_vec()),
        None => {
            let class = v.class().name();
            Err(type_error(th, format!("{function}(): {name} address must be tuple, not {class}")))
        }
    }
}
fn port(th: &mut Thread, v: &Value, function: &str) -> PyResult<u16> {
    let n = number::to_i32(th, v)?;
    u16::try_from(n).map_err(|_| overflow_error(th, format!("{function}(): port must be 0-65535.")))
}
/// The bytes of a Python address for a socket.
pub(super) fn from_python(th: &mut Thread, s: &Socket, v: &Value, function: &str) -> PyResult<Vec<u8>> {
    let family = s.family.load(SeqCst);
    match family {
        AF_UNIX => unix(th, v),
        AF_INET => {
            let parts = items(th, v, "AF_INET", function)?;
            let [host, p] = &parts[..] else {
                return Err(type_error(th, "AF_INET address must be a pair (host, port)"));
            };
            let host = host_argument(th, host)?;
            let p = number::to_i32(th, p).map(|n| (n, u16::try_from(n)))?;
            let mut address = resolve(th, &host, AF_INET)?;
            let Ok(p) = p.1 else {
                return Err(overflow_error(th, format!("{function}(): port must be 0-65535.")));
            };
            address[2..4].copy_from_slice(&p.to_be_bytes());
            Ok(address)
        }
        AF_INET6 => {
            let parts = items(th, v, "AF_INET6", function)?;
            if !(2..=4).contains(&parts.len()) {
                return Err(type_error(th, "AF_INET6 address must be a tuple (host, port[, flowinfo[, scopeid]])"));
            }
            let host = host_argument(th, &parts[0])?;
            let p = port(th, &parts[1], function)?;
            let flow = parts.get(2).map_or(Ok(0), |f| number::to_masked(th, f, 32))? as u32;
            let scope = parts.get(3).map_or(Ok(0), |f| number::to_masked(th, f, 32))? as u32;
            if flow > 0xfffff {
                return Err(overflow_error(th, format!("{function}(): flowinfo must be 0-1048575.")));
            }
            let mut address = resolve(th, &host, AF_INET6)?;
            address.resize(28, 0);
            address[2..4].copy_from_slice(&p.to_be_bytes());
            address[4..8].copy_from_slice(&flow.to_be_bytes());
            if parts.len() > 3 || address[24..28] == [0; 4] {
                address[24..28].copy_from_slice(&scope.to_ne_bytes());
            }
            Ok(address)
        }
        AF_NETLINK | AF_VSOCK => {
            let name = if family == AF_NETLINK { "AF_NETLINK" } else { "AF_VSOCK" };
            let parts = items(th, v, name, function)?;
            let [first, second] = &parts[..] else {
                return Err(type_error(th, format!("{name} address must be a pair")));
            };
            let (first, second) = (number::to_masked(th, first, 32)? as u32, number::to_masked(th, second, 32)? as u32);
            let mut out = (family as u16).to_ne_bytes().to_vec();
            out.extend([0, 0]);
            let (low, high) = if family == AF_NETLINK { (first, second) } else { (second, first) };
            out.extend(low.to_ne_bytes());
            out.extend(high.to_ne_bytes());
            if family == AF_VSOCK {
                out.resize(16, 0);
            }
            Ok(out)
        }
        AF_PACKET => packet(th, v, function),
        AF_CAN => {
            let parts = items(th, v, "AF_CAN", function)?;
            let number = interface_argument(th, parts.first().unwrap_or(&Value::NONE))?;
            let mut out = (AF_CAN as u16).to_ne_bytes().to_vec();
            out.extend([0, 0]);
            out.extend(number.to_ne_bytes());
            out.resize(24, 0);
            Ok(out)
        }
        _ => Err(os_failure(th, &format!("{function}(): bad family"))),
    }
}
fn unix(th: &mut Thread, v: &Value) -> PyResult<Vec<u8>> {
    let path = match v.to_ref::<Str>() {
        Some(s) => match fs_encode(&s) {
            Some(p) => p,
            None => return Err(surrogates_not_allowed(th, &s)),
        },
        None => buffer::bytes_like(th, v)?,
    };
    let abstract_name = path.first() == Some(&0);
    // An ordinary path ends with a NUL.
    if path.len() > if abstract_name { 108 } else { 107 } {
        return Err(os_failure(th, "AF_UNIX path too long"));
    }
    let mut out = (AF_UNIX as u16).to_ne_bytes().to_vec();
    out.extend(&path);
    // Only an address without a path asks the kernel for a name of its choice.
    if !abstract_name && !path.is_empty() {
        out.push(0);
    }
    Ok(out)
}
fn interface_argument(th: &mut Thread, v: &Value) -> PyResult<u32> {
    let name = host_argument(th, v)?;
    if name.is_empty() {
        return Ok(0);
    }
    match platform::interface_number(&name) {
        Some(n) => Ok(n),
        None => Err(krait_runtime::errors::os_error(th, 19, None)),
    }
}
fn packet(th: &mut Thread, v: &Value, function: &str) -> PyResult<Vec<u8>> {
    let parts = items(th, v, "AF_PACKET", function)?;
    if !(2..=5).contains(&parts.len()) {
        return Err(type_error(th, "AF_PACKET address must be a tuple of two to five elements"));
    }
    let index = interface_argument(th, &parts[0])?;
    let protocol = number::to_i32(th, &parts[1])?;
    let kind = parts.get(2).map_or(Ok(0), |x| number::to_i32(th, x))?;
    let hardware = parts.get(3).map_or(Ok(0), |x| number::to_i32(th, x))?;
    let own = parts.get(4).map_or(Ok(Vec::new()), |x| buffer::bytes_like(th, x))?;
    if own.len() > 8 {
        return Err(krait_runtime::errors::value_error(th, "Hardware address must be 8 bytes or less"));
    }
    let Ok(protocol) = u16::try_from(protocol) else {
        return Err(overflow_error(th, format!("{function}(): proto must be 0-65535.")));
    };
    let mut out = (AF_PACKET as u16).to_ne_bytes().to_vec();
    out.extend(protocol.to_be_bytes());
    out.extend(index.to_ne_bytes());
    out.extend((hardware as u16).to_ne_bytes());
    out.extend([kind as u8, own.len() as u8]);
    out.extend(&own);
    out.resize(20, 0);
    Ok(out)
}
