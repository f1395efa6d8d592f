//! Reading through the buffer.
use std::sync::Arc;

use krait_object::buffer::Buffer;
use krait_object::{Args, Bytes, Locked, PyResult, Thread, Value};
use krait_platform::errno::EAGAIN;
use krait_runtime::errors::{memory_error, raise, raise_from_current, type_error, value_error};
use krait_runtime::exceptions::OS_ERROR;
use krait_runtime::protocol::{attr, call};
use krait_runtime::types::memoryview;

use super::super::arguments::{self, retry_interrupted};
use super::{Buffered, Raw, Shared, a_this, this, write};

/// One raw read into `to`.
fn raw_read(th: &mut Thread, b: &Buffered, to: &mut [u8]) -> PyResult<Raw> {
    let raw = b.raw.get().unwrap_or(Value::NONE);
    if let Some(file) = Buffered::plain_file(&raw, "readinto") {
        return Ok(match file.read_into(th, to)? {
            None => Raw::WouldBlock(EAGAIN),
            Some(n) => {
                b.advance(n);
                Raw::Done(n)
            }
        });
    }
    let shared = Arc::new(Shared(Locked::new(to.to_vec())));
    let view = memoryview::from_buffer(Buffer::bytes(Value::NONE, shared.clone(), to.len(), false));
    let answer = loop {
        match attr::call_method(th, &raw, "readinto", std::slice::from_ref(&view)) {
            Ok(answer) => break answer,
            Err(raised) => retry_interrupted(th, raised)?,
        }
    };
    if answer.is_none() {
        return Ok(Raw::WouldBlock(0));
    }
    let n = match arguments::offset(th, &answer) {
        Ok(n) => n,
        Err(raised) => return Err(raise_from_current(th, raised, &OS_ERROR, "raw readinto() failed")),
    };
    match usize::try_from(n).ok().filter(|&n| n <= to.len()) {
        Some(n) => {
            to[..n].copy_from_slice(&shared.0.lock()[..n]);
            b.advance(n);
            Ok(Raw::Done(n))
        }
        None => {
            let len = to.len();
            let message = format!("raw readinto() returned invalid length {n} (should have been between 0 and {len})");
            Err(raise(th, &OS_ERROR, message))
        }
    }
}
/// Reads behind what is in the buffer. The caller has entered.
fn fill(th: &mut Thread, b: &Buffered) -> PyResult<Raw> {
    let (mut buffer, start) = {
        let mut s = b.state.lock();
        let start = if s.valid_read() { s.read_end as usize } else { 0 };
        (std::mem::take(&mut s.buffer), start)
    };
    let start = start.min(buffer.len());
    let result = raw_read(th, b, &mut buffer[start..]);
    let mut s = b.state.lock();
    s.buffer = buffer;
    if let Ok(Raw::Done(n @ 1..)) = result {
        s.read_end = (start + n) as i64;
        s.raw_pos = s.read_end;
    }
    drop(s);
    result
}
/// Writes what is to be written before the stream is read.
fn flush_if_writable(th: &mut Thread, b: &Buffered) -> PyResult<()> {
    let writable = b.state.lock().writable;
    if writable { write::flush_and_rewind(th, b) } else { Ok(()) }
}
fn zeros(th: &mut Thread, n: usize) -> PyResult<Vec<u8>> {
    let mut data = Vec::new();
    if data.try_reserve_exact(n).is_err() {
        return Err(memory_error(th));
    }
    data.resize(n, 0);
    Ok(data)
}
fn bytes(data: &[u8]) -> Value {
    Bytes::new(data).into()
}

pub fn peek(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    arguments::size(th, a.opt(1), 0)?;
    let b = a_this(a);
    b.check_initialized(th)?;
    b.check_closed(th, "peek of closed file")?;
    let _entered = b.enter(th, &a[0])?;
    flush_if_writable(th, b)?;
    {
        let s = b.state.lock();
        let (n, at) = (s.ahead(), s.pos as usize);
        if n > 0 {
            return Ok(bytes(s.buffer.get(at..at + n).unwrap_or_default()));
        }
    }
    b.state.lock().reset_read();
    let n = match fill(th, b)? {
        Raw::Done(n) => n,
        Raw::WouldBlock(_) => 0,
    };
    let mut s = b.state.lock();
    s.pos = 0;
    Ok(bytes(s.buffer.get(..n).unwrap_or_default()))
}
pub fn read(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let n = arguments::size_or(th, a.opt(1), -1)?;
    let b = a_this(a);
    b.check_initialized(th)?;
    if n < -1 {
        return Err(value_error(th, "read length must be non-negative or -1"));
    }
    b.check_closed(th, "read of closed file")?;
    if n == -1 {
        let _entered = b.enter(th, &a[0])?;
        return read_all(th, b);
    }
    let n = n as usize;
    {
        let mut s = b.state.lock();
        if n <= s.ahead() {
            return Ok(bytes(&s.take(n)));
        }
    }
    let _entered = b.enter(th, &a[0])?;
    read_some(th, b, n)
}
fn read_all(th: &mut Thread, b: &Buffered) -> PyResult<Value> {
    let mut data = b.state.lock().take(usize::MAX);
    let had = !data.is_empty();
    flush_if_writable(th, b)?;
    b.state.lock().reset_read();
    let raw = b.raw.get().unwrap_or(Value::NONE);
    if let Some(readall) = attr::get_text_opt(th, &raw, "readall")? {
        let rest = call::call(th, &readall, &[])?;
        let Some(more) = rest.downcast_ref::<Bytes>() else {
            if !rest.is_none() {
                return Err(type_error(th, "readall() should return bytes"));
            }
            return Ok(if had { bytes(&data) } else { rest });
        };
        if !had {
            return Ok(rest);
        }
        data.extend_from_slice(more);
        return Ok(bytes(&data));
    }
    loop {
        let more = attr::call_method(th, &raw, "read", &[])?;
        let part = more.downcast_ref::<Bytes>();
        match part {
            None if !more.is_none() => return Err(type_error(th, "read() should return bytes")),
            Some(part) if !part.is_empty() => {
                data.extend_from_slice(part);
                b.advance(part.len());
            }
            _ if data.is_empty() => return Ok(more),
            _ => return Ok(bytes(&data)),
        }
    }
}
/// `n` bytes, fewer at the end of the stream or where it would block; `None` where it blocks at once.
fn read_some(th: &mut Thread, b: &Buffered, n: usize) -> PyResult<Value> {
    {
        let mut s = b.state.lock();
        if n <= s.ahead() {
            return Ok(bytes(&s.take(n)));
        }
    }
    let mut out = b.state.lock().take(usize::MAX);
    flush_if_writable(th, b)?;
    b.state.lock().reset_read();
    let size = b.state.lock().size;
    // Whole blocks go past the buffer.
    while n - out.len() >= size {
        let wanted = (n - out.len()) / size * size;
        let mut block = zeros(th, wanted)?;
        match raw_read(th, b, &mut block)? {
            Raw::Done(0) => return Ok(bytes(&out)),
            Raw::Done(got) => out.extend_from_slice(&block[..got]),
            Raw::WouldBlock(_) if out.is_empty() => return Ok(Value::NONE),
            Raw::WouldBlock(_) => return Ok(bytes(&out)),
        }
    }
    {
        let mut s = b.state.lock();
        (s.pos, s.raw_pos, s.read_end) = (0, 0, 0);
    }
    while out.len() < n && (b.state.lock().read_end as usize) < size {
        match fill(th, b)? {
            Raw::Done(0) => break,
            Raw::Done(_) => {
                let part = b.state.lock().take(n - out.len());
                out.extend_from_slice(&part);
            }
            Raw::WouldBlock(_) if out.is_empty() => return Ok(Value::NONE),
            Raw::WouldBlock(_) => break,
        }
    }
    Ok(bytes(&out))
}
pub fn read1(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let n = arguments::size(th, a.opt(1), -1)?;
    let b = a_this(a);
    b.check_initialized(th)?;
    let n = usize::try_from(n).unwrap_or_else(|_| b.state.lock().size);
    b.check_closed(th, "read of closed file")?;
    if n == 0 {
        return Ok(bytes(b""));
    }
    {
        let mut s = b.state.lock();
        if s.ahead() > 0 {
            return Ok(bytes(&s.take(n)));
        }
    }
    let mut data = zeros(th, n)?;
    let _entered = b.enter(th, &a[0])?;
    flush_if_writable(th, b)?;
    b.state.lock().reset_read();
    match raw_read(th, b, &mut data)? {
        Raw::Done(got) => Ok(bytes(&data[..got])),
        Raw::WouldBlock(_) => Ok(bytes(b"")),
    }
}
pub fn readinto(th: &mut Thread, a: &Args<'_>, once: bool) -> PyResult<Value> {
    let target = arguments::writable(th, &a[1], if once { "readinto1" } else { "readinto" })?;
    let b = a_this(a);
    b.check_initialized(th)?;
    b.check_closed(th, "readinto of closed file")?;
    let store = |at: usize, data: &[u8]| target.with_bytes_mut(|to| to[at..at + data.len()].copy_from_slice(data));
    let part = b.state.lock().take(target.len);
    store(0, &part);
    let mut written = part.len();
    if written == target.len {
        return Ok(Value::from(written));
    }
    let _entered = b.enter(th, &a[0])?;
    flush_if_writable(th, b)?;
    let size = {
        let mut s = b.state.lock();
        s.reset_read();
        s.pos = 0;
        s.size
    };
    while written < target.len {
        let remaining = target.len - written;
        let got = if remaining > size {
            let mut block = zeros(th, remaining)?;
            let got = raw_read(th, b, &mut block)?;
            if let Raw::Done(n) = got {
                store(written, &block[..n]);
            }
            got
        } else if once && written > 0 {
            Raw::Done(0)
        } else {
            match fill(th, b)? {
                Raw::Done(n @ 1..) => {
                    let part = b.state.lock().take(n.min(remaining));
                    store(written, &part);
                    written += part.len();
                    continue;
                }
                other => other,
            }
        };
        match got {
            Raw::Done(0) => break,
            Raw::Done(n) => written += n,
            Raw::WouldBlock(_) if written > 0 => break,
            Raw::WouldBlock(_) => return Ok(Value::NONE),
        }
        if once {
            break;
        }
    }
    Ok(Value::from(written))
}
pub fn readline(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let limit = arguments::size_or(th, a.opt(1), -1)?;
    let b = a_this(a);
    b.check_initialized(th)?;
    line(th, &a[0], b, limit)
}
fn line(th: &mut Thread, me: &Value, b: &Buffered, limit: isize) -> PyResult<Value> {
    b.check_closed(th, "readline of closed file")?;
    let mut limit = usize::try_from(limit).ok();
    let mut out;
    {
        let mut s = b.state.lock();
        let (at, ahead) = (s.pos as usize, s.ahead());
        let n = limit.map_or(ahead, |l| l.min(ahead));
        let data = s.buffer.get(at..at + n).unwrap_or_default();
        if let Some(end) = memchr::memchr(b'\n', data) {
            let made = bytes(&data[..=end]);
            s.pos += end as i64 + 1;
            return Ok(made);
        }
        out = s.take(n);
        if limit == Some(n) {
            return Ok(bytes(&out));
        }
        limit = limit.map(|l| l - n);
    }
    let _entered = b.enter(th, me)?;
    flush_if_writable(th, b)?;
    loop {
        {
            let mut s = b.state.lock();
            s.reset_read();
        }
        let n = match fill(th, b)? {
            Raw::Done(n @ 1..) => n,
            _ => break,
        };
        let mut s = b.state.lock();
        let n = limit.map_or(n, |l| l.min(n));
        let data = s.buffer.get(..n).unwrap_or_default();
        let end = memchr::memchr(b'\n', data);
        let taken = end.map_or(n, |e| e + 1);
        out.extend_from_slice(&data[..taken]);
        if end.is_some() || limit == Some(n) {
            s.pos = taken as i64;
            break;
        }
        limit = limit.map(|l| l - n);
    }
    Ok(bytes(&out))
}
pub fn next(th: &mut Thread, v: &Value) -> PyResult<Option<Value>> {
    let b = this(v);
    b.check_initialized(th)?;
    let found = if super::is_exact(v) {
        line(th, v, b, -1)?
    } else {
        let found = attr::call_method(th, v, "readline", &[])?;
        if found.downcast_ref::<Bytes>().is_none() {
            let class = found.class().name();
            let message = format!("readline() should have returned a bytes object, not '{class}'");
            return Err(raise(th, &OS_ERROR, message));
        }
        found
    };
    let end = found.downcast_ref::<Bytes>().is_none_or(|line| line.is_empty());
    Ok(if end { None } else { Some(found) })
}
