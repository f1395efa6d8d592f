//! `_socket`: network connections. Here is the module object and what belongs to no socket; the rest is in the folder.
use krait_object::native::function;
use krait_object::{Dict, Locked, Method, ModuleDef, PyResult, Raised, Ref, Thread, Tuple, Type, Value};
use krait_platform::{errno, fd, socket as platform};
use krait_runtime::errors::{os_error, overflow_error, raise_value, value_error};
use krait_runtime::exceptions::{OS_ERROR, TIMEOUT_ERROR};
use krait_runtime::protocol::{call, number};
use krait_runtime::types::native_function::NativeFunction;
use krait_runtime::types::type_::ready::ready_class;
use krait_runtime::types::{capsule, module};

use crate::constants;

mod address;
mod message;
mod names;
mod object;
mod options;
mod transfer;

pub static MODULE: ModuleDef = ModuleDef {
    doc: "Network connections: the parts of the module socket that talk to the system.",
    functions: FUNCTIONS,
    init: Some(init),
    ..ModuleDef::new("_socket")
};
/// Exception classes of the module.
#[derive(Default)]
struct Errors {
    gai: Locked<Option<Ref<Type>>>,
    host: Locked<Option<Ref<Type>>>,
}
fn init(th: &mut Thread, m: &Value) -> PyResult<()> {
    let d = module::dict(m);
    let name = Value::str("_socket");
    for f in names::FUNCTIONS {
        d.set_text(f.name, NativeFunction::new_function(f, m, &name));
    }
    for (name, value) in constants::socket::TABLE {
        d.set_text(name, *value);
    }
    d.set_text("has_ipv6", true);
    d.set_text("CAPI", capsule::new("_socket.CAPI"));
    ready_class(th, &object::DEF);
    d.set_text("socket", object::SOCKET.to_value());
    d.set_text("SocketType", object::SOCKET.to_value());
    d.set_text("error", OS_ERROR.to_value());
    d.set_text("timeout", TIMEOUT_ERROR.to_value());
    let errors = th.interp.extension::<Errors>();
    for (name, cell) in [("herror", &errors.host), ("gaierror", &errors.gai)] {
        let namespace = Dict::new();
        namespace.set_text("__module__", "socket");
        let class = Ref::from_object(&krait_object::builtin_types::TYPE).to_value();
        let bases = Tuple::from_vec(vec![OS_ERROR.to_value()]);
        let made = call::call(th, &class, &[Value::str(name), bases.into(), namespace.into()])?;
        cell.set(made.to_ref());
        d.set_text(name, made);
    }
    Ok(())
}
fn raise_with(th: &mut Thread, class: Option<Ref<Type>>, code: i32, text: String) -> Raised {
    let Some(class) = class else { return os_error(th, code, None) };
    match call::call(th, class.as_value(), &[code.into(), text.into()]) {
        Ok(e) => raise_value(th, e),
        Err(raised) => raised,
    }
}
/// `socket.gaierror`, or OSError for EAI_SYSTEM.
fn gai_error(th: &mut Thread, (code, system): (i32, i32)) -> Raised {
    const EAI_SYSTEM: i32 = -11;
    if code == EAI_SYSTEM {
        return os_error(th, system, None);
    }
    let class = th.interp.extension::<Errors>().gai.get();
    raise_with(th, class, code, platform::gai_error(code))
}
/// `socket.herror`.
fn host_error(th: &mut Thread, code: i32) -> Raised {
    let class = th.interp.extension::<Errors>().host.get();
    raise_with(th, class, code, platform::host_error(code))
}
/// An unsigned number of 16 or 32 bits, for the byte order functions.
fn unsigned(th: &mut Thread, v: &Value, function: &str, bits: u32) -> PyResult<u64> {
    let kind = if bits == 16 { "16" } else { "32" };
    let n = number::to_bigint(th, v)?;
    match u64::try_from(&n) {
        Ok(n) if n >> bits == 0 => Ok(n),
        Ok(_) if bits == 16 => Err(overflow_error(
            th,
            format!("{function}: Python int too large to convert to C {kind}-bit unsigned integer"),
        )),
        Ok(_) => Err(overflow_error(th, "int larger than 32 bits")),
        Err(_) if n.sign() == num_bigint::Sign::Minus && bits == 16 => Err(overflow_error(
            th,
            format!("{function}: can't convert negative Python int to C {kind}-bit unsigned integer"),
        )),
        Err(_) if n.sign() == num_bigint::Sign::Minus => {
            Err(overflow_error(th, "can't convert negative value to unsigned int"))
        }
        Err(_) => Err(overflow_error(th, "Python int too large to convert to C unsigned long")),
    }
}
static FUNCTIONS: &[Method] = &[
    function("socketpair", "([, family[, type[, proto]]], /)", "Make two connected sockets.", |th, a| {
        let family = a.opt(0).map_or(Ok(1), |v| number::to_i32(th, v))?;
        let kind = a.opt(1).map_or(Ok(1), |v| number::to_i32(th, v))?;
        let protocol = a.opt(2).map_or(Ok(0), |v| number::to_i32(th, v))?;
        match platform::socketpair(family, kind | object::SOCK_CLOEXEC, protocol) {
            Ok((x, y)) => {
                let x = object::new_socket(th, x, family, kind, protocol)?;
                let y = object::new_socket(th, y, family, kind, protocol)?;
                Ok(Tuple::from_vec(vec![x, y]).into())
            }
            Err(e) => Err(os_error(th, e, None)),
        }
    }),
    function("close", "(object, /)", "Close a socket's descriptor.", |th, a| {
        let f = number::to_i32(th, &a[0])?;
        match fd::close(f) {
            Ok(_) | Err(errno::ECONNRESET) => Ok(Value::NONE),
            Err(e) => Err(os_error(th, e, None)),
        }
    }),
    function("dup", "(object, /)", "Copy a socket's descriptor.", |th, a| {
        let f = number::to_i32(th, &a[0])?;
        match fd::dup_inheritable(f, false) {
            Ok(f) => Ok(f.into()),
            Err(e) => Err(os_error(th, e, None)),
        }
    }),
    function("getdefaulttimeout", "()", "The timeout of new sockets, in seconds; None = none.", |_, _| {
        Ok(object::timeout_value(object::default_timeout()))
    }),
    function("setdefaulttimeout", "(object, /)", "Set the timeout of new sockets.", |th, a| {
        let t = object::timeout_argument(th, &a[0])?;
        object::set_default_timeout(t);
        Ok(Value::NONE)
    }),
    function("ntohs", "(x, /)", "A 16-bit number from network byte order.", |th, a| {
        Ok((unsigned(th, &a[0], "ntohs", 16)? as u16).to_be().into())
    }),
    function("htons", "(x, /)", "A 16-bit number to network byte order.", |th, a| {
        Ok((unsigned(th, &a[0], "htons", 16)? as u16).to_be().into())
    }),
    function("ntohl", "(object, /)", "A 32-bit number from network byte order.", |th, a| {
        Ok((unsigned(th, &a[0], "ntohl", 32)? as u32).to_be().into())
    }),
    function("htonl", "(object, /)", "A 32-bit number to network byte order.", |th, a| {
        Ok((unsigned(th, &a[0], "htonl", 32)? as u32).to_be().into())
    }),
    function("CMSG_LEN", "(length, /)", "Length of control data with its header, without padding.", |th, a| {
        cmsg(th, &a[0], "CMSG_LEN", 0)
    }),
    function("CMSG_SPACE", "(length, /)", "Room for control data with its header and padding.", |th, a| {
        cmsg(th, &a[0], "CMSG_SPACE", 7)
    }),
];
fn cmsg(th: &mut Thread, v: &Value, name: &str, padding: i64) -> PyResult<Value> {
    let n = number::index_isize(th, v)? as i64;
    // The header, with padding on both sides of the data.
    let least = if padding == 0 { 16 } else { 24 };
    if !(0..=i64::from(i32::MAX) - least).contains(&n) {
        return Err(overflow_error(th, format!("{name}() argument out of range")));
    }
    Ok((16 + ((n + padding) & !padding)).into())
}
/// A negative buffer size.
fn negative(th: &mut Thread, function: &str) -> Raised {
    value_error(th, format!("negative buffersize in {function}"))
}
