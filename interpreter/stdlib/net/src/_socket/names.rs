//! Names and numbers: hosts, services, protocols, interfaces, addresses as text.
use std::ffi::CString;
use std::net::{Ipv4Addr, Ipv6Addr};

use krait_object::native::function;
use krait_object::{Args, Bytes, List, Method, PyResult, Str, Thread, Tuple, Value};
use krait_platform::process;
use krait_platform::socket::{self as platform, HostKey};
use krait_runtime::audit::audit;
use krait_runtime::convert::{expect_text, fs_decode, fs_encode};
use krait_runtime::errors::{os_error, overflow_error, raise, type_error, value_error};
use krait_runtime::exceptions::OS_ERROR;
use krait_runtime::protocol::{buffer, number};
use krait_runtime::world::blocking;

use super::address::{AF_INET, AF_INET6, AF_UNSPEC, host_argument, resolve, to_python};
use super::{gai_error, host_error};

pub(super) static FUNCTIONS: &[Method] =
    &[
        function("gethostname", "()", "This machine's name.", |th, _| {
            audit(th, "socket.gethostname", &[])?;
            match process::hostname() {
                Ok(n) => Ok(fs_decode(&n).into()),
                Err(e) => Err(os_error(th, e, None)),
            }
        }),
        function("sethostname", "(name, /)", "Set this machine's name.", |th, a| {
            let name = match a[0].downcast_ref::<Str>() {
                Some(s) => fs_encode(s).unwrap_or_default(),
                None => buffer::bytes_like(th, &a[0])?,
            };
            audit(th, "socket.sethostname", std::slice::from_ref(&a[0]))?;
            match process::set_hostname(&name) {
                Ok(_) => Ok(Value::NONE),
                Err(e) => Err(os_error(th, e, None)),
            }
        }),
        function("gethostbyname", "(host, /)", "A host's IPv4 address.", |th, a| {
            let host = host_argument(th, &a[0])?;
            audit(th, "socket.gethostbyname", std::slice::from_ref(&a[0]))?;
            let address = resolve(th, &host, AF_INET)?;
            Ok(ip_of(&address).into())
        }),
        function("gethostbyname_ex", "(host, /)", "A host: (name, aliases, addresses).", |th, a| {
            let host = host_argument(th, &a[0])?;
            audit(th, "socket.gethostbyname", std::slice::from_ref(&a[0]))?;
            resolve(th, &host, AF_INET)?;
            host_entry(th, |_| platform::find_host(&HostKey::Name(&host)))
        }),
        function("gethostbyaddr", "(host, /)", "The host of an address: (name, aliases, addresses).", |th, a| {
            let host = host_argument(th, &a[0])?;
            audit(th, "socket.gethostbyaddr", std::slice::from_ref(&a[0]))?;
            let address = resolve(th, &host, AF_UNSPEC)?;
            let family = i32::from(u16::from_ne_bytes([address[0], address[1]]));
            let own = if family == AF_INET6 { &address[8..24] } else { &address[4..8] };
            host_entry(th, |_| platform::find_host(&HostKey::Address(family, own)))
        }),
        function(
            "getaddrinfo",
            "(host, port, family=0, type=0, proto=0, flags=0)",
            "Addresses of a host and service: list of (family, type, proto, canonname, sockaddr).",
            getaddrinfo,
        ),
        function("getnameinfo", "(sockaddr, flags, /)", "Host and service of an address.", getnameinfo),
        function("getservbyname", "(servicename[, protocolname], /)", "The port of a service.", |th, a| {
            let name = c_text(th, &a[0], "getservbyname", "argument 1")?;
            let protocol = optional(th, a.opt(1), "getservbyname")?;
            audit(th, "socket.getservbyname", &[a[0].clone(), a.opt(1).cloned().unwrap_or(Value::str(""))])?;
            match platform::service_port(&name, protocol.as_deref()) {
                Some(p) => Ok(p.into()),
                None => Err(raise(th, &OS_ERROR, "service/proto not found")),
            }
        }),
        function("getservbyport", "(port[, protocolname], /)", "The service of a port.", |th, a| {
            let port = number::to_i32(th, &a[0])?;
            let protocol = optional(th, a.opt(1), "getservbyport")?;
            let Ok(port) = u16::try_from(port) else {
                return Err(overflow_error(th, "getservbyport: port must be 0-65535."));
            };
            audit(th, "socket.getservbyport", &[port.into(), a.opt(1).cloned().unwrap_or(Value::str(""))])?;
            match platform::service_name(port, protocol.as_deref()) {
                Some(n) => Ok(fs_decode(&n).into()),
                None => Err(raise(th, &OS_ERROR, "port/proto not found")),
            }
        }),
        function("getprotobyname", "(name, /)", "The number of a protocol.", |th, a| {
            let name = c_text(th, &a[0], "getprotobyname", "argument 1")?;
            match platform::protocol_number(&name) {
                Some(n) => Ok(n.into()),
                None => Err(raise(th, &OS_ERROR, "protocol not found")),
            }
        }),
        function("if_nameindex", "()", "List of the network interfaces: (number, name).", |th, _| {
            match platform::interfaces() {
                Ok(all) => {
                    let pair = |(n, name): &(u32, Vec<u8>)| -> Value {
                        Tuple::from_vec(vec![(*n).into(), fs_decode(name).into()]).into()
                    };
                    Ok(List::new(all.iter().map(pair).collect()).into())
                }
                Err(e) => Err(os_error(th, e, None)),
            }
        }),
        function("if_nametoindex", "(oname, /)", "The number of a network interface.", |th, a| {
            let name = host_argument(th, &a[0])?;
            match platform::interface_number(&name) {
                Some(n) => Ok(n.into()),
                None => Err(raise(th, &OS_ERROR, "no interface with this name")),
            }
        }),
        function("if_indextoname", "(object, /)", "The name of a network interface.", |th, a| {
            let n = number::to_bigint(th, &a[0])?;
            let Ok(n) = u32::try_from(&n) else {
                let small = n.sign() == num_bigint::Sign::Minus;
                let message = if small {
                    "can't convert negative value to unsigned int"
                } else {
                    "Python int too large to convert to C unsigned int"
                };
                return Err(overflow_error(th, message));
            };
            match platform::interface_name(n) {
                Ok(name) => Ok(fs_decode(&name).into()),
                Err(e) => Err(os_error(th, e, None)),
            }
        }),
        function("inet_aton", "(ip_addr, /)", "The four bytes of an IPv4 address.", |th, a| {
            let text = expect_text(th, &a[0], "inet_aton", "argument 1")?;
            match loose_ipv4(&text) {
                Some(ip) => Ok(Bytes::new(&ip.octets()).into()),
                None => Err(raise(th, &OS_ERROR, "illegal IP address string passed to inet_aton")),
            }
        }),
        function("inet_ntoa", "(packed_ip, /)", "The text of an IPv4 address.", |th, a| {
            let b = buffer::bytes_like(th, &a[0])?;
            match <[u8; 4]>::try_from(&b[..]) {
                Ok(ip) => Ok(Ipv4Addr::from(ip).to_string().into()),
                Err(_) => Err(raise(th, &OS_ERROR, "packed IP wrong length")),
            }
        }),
        function("inet_pton", "(af, ip, /)", "The bytes of an address.", |th, a| {
            let family = number::to_i32(th, &a[0])?;
            let text = expect_text(th, &a[1], "inet_pton", "argument 2")?;
            let packed: Option<Vec<u8>> = match family {
                AF_INET => text.parse::<Ipv4Addr>().ok().map(|ip| ip.octets().to_vec()),
                AF_INET6 => text.parse::<Ipv6Addr>().ok().map(|ip| ip.octets().to_vec()),
                _ => return Err(os_error(th, 97, None)),
            };
            match packed {
                Some(p) => Ok(Bytes::new(&p).into()),
                None => Err(raise(th, &OS_ERROR, "illegal IP address string passed to inet_pton")),
            }
        }),
        function("inet_ntop", "(af, packed_ip, /)", "The text of an address.", |th, a| {
            let family = number::to_i32(th, &a[0])?;
            let b = buffer::bytes_like(th, &a[1])?;
            let wrong = "invalid length of packed IP address string";
            match family {
                AF_INET => match <[u8; 4]>::try_from(&b[..]) {
                    Ok(ip) => Ok(Ipv4Addr::from(ip).to_string().into()),
                    Err(_) => Err(value_error(th, wrong)),
                },
                AF_INET6 => match <[u8; 16]>::try_from(&b[..]) {
                    Ok(ip) => Ok(Ipv6Addr::from(ip).to_string().into()),
                    Err(_) => Err(value_error(th, wrong)),
                },
                _ => Err(value_error(th, format!("unknown address family {family}"))),
            }
        }),
    ];
fn ip_of(address: &[u8]) -> String {
    match address {
        [_, _, _, _, a, b, c, d, ..] => Ipv4Addr::new(*a, *b, *c, *d).to_string(),
        _ => String::new(),
    }
}
/// `inet_aton`: one to four numbers, decimal, octal or hexadecimal; the last one fills what is left.
fn loose_ipv4(text: &str) -> Option<Ipv4Addr> {
    let text = text.split_ascii_whitespace().next()?;
    let mut parts = Vec::new();
    for part in text.split('.') {
        let n = match part.strip_prefix("0x").or_else(|| part.strip_prefix("0X")) {
            Some(hex) => u32::from_str_radix(hex, 16).ok()?,
            None if part.len() > 1 && part.starts_with('0') => u32::from_str_radix(part, 8).ok()?,
            None if part.starts_with('+') => return None,
            None => part.parse().ok()?,
        };
        parts.push(n);
    }
    let (last, first) = parts.split_last()?;
    if first.len() > 3 || first.iter().any(|&n| n > 255) {
        return None;
    }
    let room = 32 - 8 * first.len() as u32;
    if u64::from(*last) >> room != 0 {
        return None;
    }
    let high = first.iter().enumerate().fold(0u32, |acc, (i, &n)| acc | n << (24 - 8 * i as u32));
    Some(Ipv4Addr::from(high | last))
}
fn c_text(th: &mut Thread, v: &Value, name: &str, argument: &str) -> PyResult<CString> {
    let text = expect_text(th, v, name, argument)?;
    CString::new(text).map_err(|_| value_error(th, "embedded null character"))
}
fn optional(th: &mut Thread, v: Option<&Value>, name: &str) -> PyResult<Option<CString>> {
    match v {
        None => Ok(None),
        Some(v) => c_text(th, v, name, "argument 2").map(Some),
    }
}
fn host_entry(th: &mut Thread, find: impl FnOnce(()) -> Result<platform::Host, i32>) -> PyResult<Value> {
    let host = match blocking(th, || find(())) {
        Ok(h) => h,
        Err(code) => return Err(host_error(th, code)),
    };
    let aliases = host.aliases.iter().map(|n| fs_decode(n).into()).collect();
    let addresses = host.addresses.iter().map(|b| -> Value {
        match (<[u8; 4]>::try_from(&b[..]), <[u8; 16]>::try_from(&b[..])) {
            (Ok(ip), _) => Ipv4Addr::from(ip).to_string().into(),
            (_, Ok(ip)) => Ipv6Addr::from(ip).to_string().into(),
            _ => Value::str(""),
        }
    });
    let addresses = List::new(addresses.collect());
    Ok(Tuple::from_vec(vec![fs_decode(&host.name).into(), List::new(aliases).into(), addresses.into()]).into())
}
fn getaddrinfo(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let host = if a[0].is_none() {
        None
    } else if a[0].downcast_ref::<Str>().is_some() || a[0].downcast_ref::<Bytes>().is_some() {
        Some(host_argument(th, &a[0])?)
    } else {
        return Err(type_error(th, "getaddrinfo() argument 1 must be string or None"));
    };
    let port = &a[1];
    let service = if let Some(n) = port.as_int_ref() {
        // A port that is too large is the resolver's to refuse.
        CString::new(n.to_bigint().to_string()).ok()
    } else if let Some(s) = port.downcast_ref::<Str>() {
        let Some(text) = s.to_utf8() else {
            let s = port.to_ref::<Str>().unwrap_or_else(Str::empty);
            return Err(krait_runtime::errors::surrogates_not_allowed(th, &s));
        };
        Some(CString::new(text.as_bytes()).map_err(|_| value_error(th, "embedded null character"))?)
    } else if let Some(b) = port.downcast_ref::<Bytes>() {
        Some(CString::new(b.to_vec()).map_err(|_| value_error(th, "embedded null byte"))?)
    } else if port.is_none() {
        None
    } else {
        return Err(raise(th, &OS_ERROR, "Int or String expected"));
    };
    let mut hints = [0i32; 4];
    for (hint, i) in hints.iter_mut().zip(2..) {
        if let Some(v) = a.opt(i) {
            *hint = number::to_i32(th, v)?;
        }
    }
    let [family, kind, protocol, flags] = hints;
    let shown = [a[0].clone(), port.clone(), family.into(), kind.into(), protocol.into(), flags.into()];
    audit(th, "socket.getaddrinfo", &shown)?;
    let found = match blocking(th, || platform::getaddrinfo(host.as_deref(), service.as_deref(), hints)) {
        Ok(f) => f,
        Err(e) => return Err(gai_error(th, e)),
    };
    let entry = |f: &platform::Found| -> Value {
        let address = to_python(&f.address, f.family, None);
        let canonical = fs_decode(&f.canonical).into();
        Tuple::from_vec(vec![f.family.into(), f.kind.into(), f.protocol.into(), canonical, address]).into()
    };
    Ok(List::new(found.iter().map(entry).collect()).into())
}
fn getnameinfo(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let Some(parts) = a[0].downcast_ref::<Tuple>().map(|t| t.to_vec()) else {
        return Err(type_error(th, "getnameinfo() argument 1 must be a tuple"));
    };
    let flags = number::to_i32(th, &a[1])?;
    if !(2..=4).contains(&parts.len()) {
        return Err(type_error(th, "getnameinfo(): illegal sockaddr argument"));
    }
    let host = c_text(th, &parts[0], "getnameinfo", "argument 1")?;
    let port = number::to_i32(th, &parts[1])?;
    let flow = parts.get(2).map_or(Ok(0), |v| number::to_masked(th, v, 32))? as u32;
    let scope = parts.get(3).map_or(Ok(0), |v| number::to_masked(th, v, 32))? as u32;
    if flow > 0xfffff {
        return Err(overflow_error(th, "getnameinfo(): flowinfo must be 0-1048575."));
    }
    audit(th, "socket.getnameinfo", std::slice::from_ref(&a[0]))?;
    let service = CString::new(port.to_string()).ok();
    // Numeric hosts only: a datagram socket, so that there is one answer.
    let found = match blocking(th, || platform::getaddrinfo(Some(&host), service.as_deref(), [AF_UNSPEC, 2, 0, 4])) {
        Ok(f) => f,
        Err(e) => return Err(gai_error(th, e)),
    };
    let [one] = &found[..] else {
        return Err(raise(th, &OS_ERROR, "sockaddr resolved to multiple addresses"));
    };
    let mut address = one.address.clone();
    if one.family == AF_INET && parts.len() != 2 {
        return Err(raise(th, &OS_ERROR, "IPv4 sockaddr must be 2 tuple"));
    }
    if one.family == AF_INET6 && address.len() >= 28 {
        address[4..8].copy_from_slice(&flow.to_be_bytes());
        address[24..28].copy_from_slice(&scope.to_ne_bytes());
    }
    match blocking(th, || platform::getnameinfo(&address, flags)) {
        Ok((host, service)) => Ok(Tuple::from_vec(vec![fs_decode(&host).into(), fs_decode(&service).into()]).into()),
        Err(e) => Err(gai_error(th, e)),
    }
}
