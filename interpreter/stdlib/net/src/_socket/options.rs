//! `getsockopt` and `setsockopt`.
use krait_object::native::method;
use krait_object::{Args, Bytes, Method, PyResult, Thread, Value};
use krait_platform::socket as platform;
use krait_runtime::errors::{os_error, raise, type_error};
use krait_runtime::exceptions::OS_ERROR;
use krait_runtime::protocol::{buffer, number};

use std::sync::atomic::Ordering::SeqCst;

use super::object::socket;

pub(super) const GETSOCKOPT: Method =
    method("getsockopt", "(level, option[, buffersize], /)", "An option's value: a number, or with a size bytes.", get);
pub(super) const SETSOCKOPT: Method = method(
    "setsockopt",
    "(level, option, value[, optlen], /)",
    "Set an option: to a number, to bytes, or to None with a length.",
    set,
);

/// The options of these sockets are numbers of 64 bits.
fn is_vsock(v: &Value) -> bool {
    const AF_VSOCK: i32 = 40;
    socket(v).family.load(SeqCst) == AF_VSOCK
}
fn get(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let f = socket(&a[0]).descriptor();
    let (level, option) = (number::to_i32(th, &a[1])?, number::to_i32(th, &a[2])?);
    let size = a.opt(3).map_or(Ok(0), |v| number::to_i32(th, v))?;
    if size == 0 && is_vsock(&a[0]) {
        let mut value = [0u8; 8];
        return match platform::get_option(f, level, option, &mut value) {
            Ok(_) => Ok(u64::from_ne_bytes(value).into()),
            Err(e) => Err(os_error(th, e, None)),
        };
    }
    if size == 0 {
        return match platform::get_option_int(f, level, option) {
            Ok(n) => Ok(n.into()),
            Err(e) => Err(os_error(th, e, None)),
        };
    }
    if !(1..=1024).contains(&size) {
        return Err(raise(th, &OS_ERROR, "getsockopt buflen out of range"));
    }
    let mut value = vec![0u8; size as usize];
    match platform::get_option(f, level, option, &mut value) {
        Ok(n) => Ok(Bytes::new(&value[..n.min(value.len())]).into()),
        Err(e) => Err(os_error(th, e, None)),
    }
}
fn set(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let f = socket(&a[0]).descriptor();
    let (level, option) = (number::to_i32(th, &a[1])?, number::to_i32(th, &a[2])?);
    let done = match a.opt(4) {
        Some(length) if a[3].is_none() => {
            let n = number::to_masked(th, length, 32)?;
            platform::set_option_null(f, level, option, n as u32)
        }
        Some(_) => {
            let class = a[3].class().name();
            return Err(type_error(th, format!("setsockopt() argument 3 must be None, not {class}")));
        }
        None if is_vsock(&a[0]) && number::has_index(&a[3]) => {
            let n = number::to_masked(th, &a[3], 64)?;
            platform::set_option(f, level, option, &n.to_ne_bytes())
        }
        None if number::has_index(&a[3]) => {
            let n = number::to_i32(th, &a[3])?;
            platform::set_option(f, level, option, &n.to_ne_bytes())
        }
        None => {
            let value = buffer::bytes_like(th, &a[3])?;
            platform::set_option(f, level, option, &value)
        }
    };
    match done {
        Ok(_) => Ok(Value::NONE),
        Err(e) => Err(os_error(th, e, None)),
    }
}
