//! `fcntl`: file control, locks, ioctl.
use krait_object::native::function;
use krait_object::{Args, Bytes, Method, ModuleDef, PyResult, Str, Thread, Value};
use krait_platform::{fd, terminal};
use krait_runtime::audit::audit;
use krait_runtime::errors::value_error;
use krait_runtime::protocol::{buffer, number};
use krait_runtime::world::retry;

use crate::arguments::{fildes, flag, int_or, sys};
use crate::constants;

pub static MODULE: ModuleDef = ModuleDef {
    doc: "Control of files and devices by descriptor. A descriptor may be given as an object with fileno().",
    functions: FUNCTIONS,
    init: Some(|_, m| {
        constants::add(m, constants::fcntl::TABLE);
        Ok(())
    }),
    ..ModuleDef::new("fcntl")
};
/// Longest argument in memory.
const LONGEST: usize = 1024;

static FUNCTIONS: &[Method] = &[
    function(
        "fcntl",
        "(fd, cmd, arg=0, /)",
        "Perform a command on a file descriptor.\n\nWith a number, the result is a number; with bytes, it is the bytes as they are afterwards.",
        |th, a| {
            let f = fildes(th, &a[0])?;
            let command = number::to_i32(th, &a[1])?;
            audit(th, "fcntl.fcntl", &[f.into(), command.into(), a.opt(2).cloned().unwrap_or(Value::int(0))])?;
            if let Some(given) = bytes_argument(th, a.opt(2))? {
                if given.len() > LONGEST {
                    return Err(value_error(th, "fcntl string arg too long"));
                }
                let n = given.len();
                let mut data = given;
                data.resize(LONGEST + 1, 0);
                let done = retry(th, || terminal::fcntl_bytes(f, command, &mut data))?;
                sys(th, done)?;
                return Ok(Bytes::new(&data[..n]).into());
            }
            let argument = a.opt(2).map_or(Ok(0), |v| number::to_masked(th, v, 32))? as u32 as i32;
            let done = retry(th, || fd::fcntl_int(f, command, argument))?;
            Ok(sys(th, done)?.into())
        },
    ),
    function(
        "ioctl",
        "(fd, request, arg=0, mutate_flag=True, /)",
        "Perform a request on a device.\n\nWith a number, the result is a number; with bytes, it is the bytes as they are afterwards;\na writable buffer is changed in place.",
        ioctl,
    ),
    function("flock", "(fd, operation, /)", "Lock or unlock a whole file.", |th, a| {
        let f = fildes(th, &a[0])?;
        let operation = number::to_i32(th, &a[1])?;
        audit(th, "fcntl.flock", &[f.into(), operation.into()])?;
        let done = retry(th, || fd::flock(f, operation))?;
        sys(th, done)?;
        Ok(Value::NONE)
    }),
    function("lockf", "(fd, cmd, len=0, start=0, whence=0, /)", "Lock or unlock a part of a file.", lockf),
];
fn bytes_argument(th: &mut Thread, v: Option<&Value>) -> PyResult<Option<Vec<u8>>> {
    match v {
        Some(v) if number::has_index(v) => Ok(None),
        Some(v) => match v.downcast_ref::<Str>() {
            Some(s) => Ok(Some(s.to_wtf8().into_owned())),
            None => buffer::bytes_like(th, v).map(Some),
        },
        None => Ok(None),
    }
}
fn ioctl(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let f = fildes(th, &a[0])?;
    let request = number::to_masked(th, &a[1], 64)?;
    let mutate = flag(th, a.opt(3), true)?;
    audit(th, "fcntl.ioctl", &[f.into(), request.into(), a.opt(2).cloned().unwrap_or(Value::int(0))])?;
    let Some(v) = a.opt(2).filter(|v| !number::has_index(v)) else {
        let argument = a.opt(2).map_or(Ok(0), |v| number::to_masked(th, v, 32))? as u32 as i32;
        let done = retry(th, || terminal::ioctl_int(f, request, argument))?;
        return Ok(sys(th, done)?.into());
    };
    if v.downcast_ref::<Str>().is_none() && v.downcast_ref::<Bytes>().is_none() {
        let b = buffer::get_buffer(th, v, 0)?;
        if !b.readonly {
            let mut data = b.to_vec();
            let n = data.len();
            data.resize(n.max(LONGEST) + 1, 0);
            let done = retry(th, || terminal::ioctl_bytes(f, request, &mut data))?;
            let result = sys(th, done)?;
            if mutate {
                b.with_bytes_mut(|target| {
                    let n = n.min(target.len());
                    target[..n].copy_from_slice(&data[..n]);
                });
                return Ok(result.into());
            }
            return Ok(Bytes::new(&data[..n]).into());
        }
    }
    let mut data = bytes_argument(th, Some(v))?.unwrap_or_default();
    let n = data.len();
    if n > LONGEST {
        return Err(value_error(th, "ioctl string arg too long"));
    }
    data.resize(LONGEST + 1, 0);
    let done = retry(th, || terminal::ioctl_bytes(f, request, &mut data))?;
    sys(th, done)?;
    Ok(Bytes::new(&data[..n]).into())
}
fn lockf(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    const LOCK_SH: i32 = 1;
    const LOCK_EX: i32 = 2;
    const LOCK_NB: i32 = 4;
    const LOCK_UN: i32 = 8;
    let f = fildes(th, &a[0])?;
    let command = number::to_i32(th, &a[1])?;
    let length = a.opt(2).map_or(Ok(0), |v| number::to_i64(th, v))?;
    let start = a.opt(3).map_or(Ok(0), |v| number::to_i64(th, v))?;
    let whence = int_or(th, a.opt(4), 0)?;
    audit(th, "fcntl.lockf", &[f.into(), command.into(), length.into(), start.into(), whence.into()])?;
    let kind = match command {
        c if c == LOCK_UN => 2,
        c if c & LOCK_SH != 0 => 0,
        c if c & LOCK_EX != 0 => 1,
        _ => return Err(value_error(th, "unrecognized lockf argument")),
    };
    let wait = command & LOCK_NB == 0;
    let done = retry(th, || terminal::record_lock(f, wait, kind, length, start, whence))?;
    sys(th, done)?;
    Ok(Value::NONE)
}
