//! Keys from passwords: PBKDF2 and scrypt.
use krait_object::{Args, Bytes, PyResult, Raised, Str, Thread, Value};
use krait_runtime::errors::{memory_error, overflow_error, type_error, value_error};
use krait_runtime::protocol::buffer::hold;
use krait_runtime::protocol::number;
use krait_runtime::world::blocking;

use super::by_name;
use crate::algorithms;

const INT_MAX: i64 = i32::MAX as i64;

pub fn pbkdf2_hmac(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let Some(name) = a[0].downcast_ref::<Str>() else {
        return Err(krait_runtime::convert::wrong_type(th, "pbkdf2_hmac", "argument 'hash_name'", "str", &a[0]));
    };
    let name = name.to_string_lossy().into_owned();
    let (password, salt) = (hold(th, &a[1])?, hold(th, &a[2])?);
    let rounds = long(th, &a[3])?;
    let spec = by_name(th, &name)?;
    if spec.extendable {
        return Err(value_error(th, "no reason supplied"));
    }
    if rounds < 1 {
        return Err(value_error(th, "iteration value must be greater than 0."));
    }
    if rounds > INT_MAX {
        return Err(overflow_error(th, "iteration value is too great."));
    }
    let len = match a.opt_not_none(4) {
        Some(v) => long(th, v)?,
        None => spec.digest_size as i64,
    };
    if len < 1 {
        return Err(value_error(th, "key length must be greater than 0."));
    }
    if len > INT_MAX {
        return Err(overflow_error(th, "key length is too great."));
    }
    let mut out = Vec::new();
    if out.try_reserve_exact(len as usize).is_err() {
        return Err(memory_error(th));
    }
    out.resize(len as usize, 0);
    blocking(th, || algorithms::pbkdf2(spec, &password, &salt, rounds as u64, &mut out));
    Ok(Bytes::new(&out).into())
}
/// A C `long`.
fn long(th: &mut Thread, v: &Value) -> PyResult<i64> {
    let i = number::index(th, v)?;
    match i.as_int_ref().and_then(|i| i.to_i64()) {
        Some(n) => Ok(n),
        None => Err(overflow_error(th, "Python int too large to convert to C long")),
    }
}

fn cost(th: &mut Thread, v: Option<&Value>, name: &str) -> PyResult<u64> {
    match v.filter(|v| v.as_int_ref().is_some()) {
        Some(v) => number::to_u64(th, v),
        None => Err(type_error(th, format!("{name} is required and must be an unsigned int"))),
    }
}
#[cold]
fn envelope(th: &mut Thread, reason: &str) -> Raised {
    value_error(th, format!("[digital envelope routines] {reason}"))
}
/// What OpenSSL allows where `maxmem` is 0.
const DEFAULT_MEMORY: u64 = 32 * 1024 * 1024;

pub fn scrypt(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let password = hold(th, &a[0])?;
    let salt = a.opt_not_none(1).map(|s| hold(th, s)).transpose()?;
    let maxmem = a.opt(5).map_or(Ok(0), |v| long(th, v))?;
    let len = a.opt(6).map_or(Ok(64), |v| long(th, v))?;
    let Some(salt) = salt else { return Err(type_error(th, "salt is required")) };
    let n = cost(th, a.opt(2), "n")?;
    if n < 2 || !n.is_power_of_two() {
        return Err(value_error(th, "n must be a power of 2."));
    }
    let (r, p) = (cost(th, a.opt(3), "r")?, cost(th, a.opt(4), "p")?);
    if !(0..=INT_MAX).contains(&maxmem) {
        return Err(value_error(th, format!("maxmem must be positive and smaller than {INT_MAX}")));
    }
    if !(1..=INT_MAX).contains(&len) {
        return Err(value_error(th, format!("dklen must be greater than 0 and smaller than {INT_MAX}")));
    }
    let (Ok(r), Ok(p)) = (u32::try_from(r), u32::try_from(p)) else {
        return Err(envelope(th, "parameter too large"));
    };
    if r == 0 || p == 0 {
        return Err(value_error(th, "Invalid parameter combination for n, r, p, maxmem."));
    }
    let memory = u128::from(p) * 128 * u128::from(r) + 128 * u128::from(r) * (u128::from(n) + 2);
    let limit = if maxmem == 0 { DEFAULT_MEMORY } else { maxmem as u64 };
    if u64::from(p) > ((1 << 30) - 1) / u64::from(r) || memory > u128::from(limit) {
        return Err(envelope(th, "memory limit exceeded"));
    }
    let Ok(params) = scrypt::Params::new(n.trailing_zeros() as u8, r, p, 32) else {
        return Err(envelope(th, "memory limit exceeded"));
    };
    let mut out = Vec::new();
    if out.try_reserve_exact(len as usize).is_err() {
        return Err(memory_error(th));
    }
    out.resize(len as usize, 0);
    match blocking(th, || scrypt::scrypt(&password, &salt, &params, &mut out)) {
        Ok(()) => Ok(Bytes::new(&out).into()),
        Err(e) => Err(value_error(th, e.to_string())),
    }
}
