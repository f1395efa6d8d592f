//! Reading and writing descriptors.
use std::io::{IoSlice, IoSliceMut};

use krait_object::buffer::Buffer;
use krait_object::native::function;
use krait_object::{Args, Bytes, Method, PyResult, Thread, Value};
use krait_platform::{errno, fd};
use krait_runtime::errors::{memory_error, os_error, type_error};
use krait_runtime::protocol::{buffer, number, sequence};
use krait_runtime::world::retry;

use crate::arguments::{int_or, sys};

/// The most that one call transfers (as Linux has it).
const MOST: usize = 0x7fff_f000;

pub(super) static FUNCTIONS: &[Method] = &[
    function("read", "(fd, length, /)", "Read at most length bytes.", |th, a| {
        let f = number::to_i32(th, &a[0])?;
        let length = number::index_isize(th, &a[1])?;
        read_bytes(th, length, |b| fd::read(f, b))
    }),
    function(
        "pread",
        "(fd, length, offset, /)",
        "Read at most length bytes from a place in the file; its position stays.",
        |th, a| {
            let f = number::to_i32(th, &a[0])?;
            let length = number::index_isize(th, &a[1])?;
            let at = number::to_i64(th, &a[2])?;
            read_bytes(th, length, |b| fd::pread(f, b, at))
        },
    ),
    function("write", "(fd, data, /)", "Write bytes; the number written.", |th, a| {
        let f = number::to_i32(th, &a[0])?;
        write_bytes(th, &a[1], |b| fd::write(f, b))
    }),
    function(
        "pwrite",
        "(fd, buffer, offset, /)",
        "Write bytes to a place in the file; its position stays.",
        |th, a| {
            let f = number::to_i32(th, &a[0])?;
            let at = number::to_i64(th, &a[2])?;
            write_bytes(th, &a[1], |b| fd::pwrite(f, b, at))
        },
    ),
    function("readv", "(fd, buffers, /)", "Read into several writable buffers; the number of bytes read.", |th, a| {
        readv(th, a, false)
    }),
    function(
        "preadv",
        "(fd, buffers, offset, flags=0, /)",
        "Read from a place in the file into several writable buffers.",
        |th, a| readv(th, a, true),
    ),
    function("writev", "(fd, buffers, /)", "Write several buffers; the number of bytes written.", |th, a| {
        writev(th, a, false)
    }),
    function(
        "pwritev",
        "(fd, buffers, offset, flags=0, /)",
        "Write several buffers to a place in the file.",
        |th, a| writev(th, a, true),
    ),
    function("sendfile", "(out_fd, in_fd, offset, count)", "Copy bytes from one descriptor to another.", |th, a| {
        let (to, from) = (number::to_i32(th, &a[0])?, number::to_i32(th, &a[1])?);
        let at = if a[2].is_none() { None } else { Some(number::to_i64(th, &a[2])?) };
        let count = number::index_isize(th, &a[3])?;
        let n = retry(th, || fd::sendfile(to, from, at, count as usize))?;
        let n = sys(th, n)?;
        Ok(n.into())
    }),
];

/// A buffer of that many zero bytes.
pub fn zeroed(th: &mut Thread, length: usize) -> PyResult<Vec<u8>> {
    let mut out = Vec::new();
    if out.try_reserve_exact(length).is_err() {
        return Err(memory_error(th));
    }
    out.resize(length, 0);
    Ok(out)
}
fn read_bytes(th: &mut Thread, length: isize, read: impl Fn(&mut [u8]) -> Result<usize, i32>) -> PyResult<Value> {
    if length < 0 {
        return Err(os_error(th, errno::EINVAL, None));
    }
    let mut out = zeroed(th, (length as usize).min(MOST))?;
    let n = retry(th, || read(&mut out))?;
    let n = sys(th, n)?;
    Ok(Bytes::new(&out[..n]).into())
}
fn write_bytes(th: &mut Thread, data: &Value, write: impl Fn(&[u8]) -> Result<usize, i32>) -> PyResult<Value> {
    let data = buffer::bytes_like(th, data)?;
    let n = retry(th, || write(&data[..data.len().min(MOST)]))?;
    let n = sys(th, n)?;
    Ok(n.into())
}
fn buffers(th: &mut Thread, v: &Value, function: &str, writable: bool) -> PyResult<Vec<Buffer>> {
    if !sequence::is_sequence(v) {
        return Err(type_error(th, format!("{function}() arg 2 must be a sequence")));
    }
    let items = sequence::to_items(th, v, "")?;
    let mut out = Vec::with_capacity(items.len());
    for item in &items {
        out.push(if writable { buffer::get_writable(th, item)? } else { buffer::get_buffer(th, item, 0)? });
    }
    Ok(out)
}
fn place(th: &mut Thread, a: &Args<'_>, positioned: bool) -> PyResult<Option<(i64, i32)>> {
    Ok(if positioned { Some((number::to_i64(th, &a[2])?, int_or(th, a.opt(3), 0)?)) } else { None })
}
/// Reads into memory of our own and copies from there: the buffers' memory is not to be touched while other threads run.
fn readv(th: &mut Thread, a: &Args<'_>, positioned: bool) -> PyResult<Value> {
    let f = number::to_i32(th, &a[0])?;
    let targets = buffers(th, &a[1], if positioned { "preadv" } else { "readv" }, true)?;
    let at = place(th, a, positioned)?;
    let mut parts = Vec::with_capacity(targets.len());
    for t in &targets {
        parts.push(zeroed(th, t.len)?);
    }
    let n = retry(th, || {
        let mut slices: Vec<IoSliceMut<'_>> = parts.iter_mut().map(|p| IoSliceMut::new(p)).collect();
        fd::readv(f, &mut slices, at)
    })?;
    let n = sys(th, n)?;
    let mut left = n;
    for (target, part) in targets.iter().zip(&parts) {
        let k = left.min(part.len());
        target.with_bytes_mut(|b| {
            let k = k.min(b.len());
            b[..k].copy_from_slice(&part[..k]);
        });
        left -= k;
    }
    Ok(n.into())
}
fn writev(th: &mut Thread, a: &Args<'_>, positioned: bool) -> PyResult<Value> {
    let f = number::to_i32(th, &a[0])?;
    let sources = buffers(th, &a[1], if positioned { "pwritev" } else { "writev" }, false)?;
    let at = place(th, a, positioned)?;
    let parts: Vec<Vec<u8>> = sources.iter().map(Buffer::to_vec).collect();
    let n = retry(th, || {
        let slices: Vec<IoSlice<'_>> = parts.iter().map(|p| IoSlice::new(p)).collect();
        fd::writev(f, &slices, at)
    })?;
    let n = sys(th, n)?;
    Ok(n.into())
}
