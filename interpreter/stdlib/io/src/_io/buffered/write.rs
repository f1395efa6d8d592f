//! Writing through the buffer.
use std::sync::Arc;

use krait_object::buffer::Buffer;
use krait_object::{Args, Bytes, Locked, PyResult, Raised, Thread, Value};
use krait_platform::errno::EAGAIN;
use krait_runtime::errors::{self, in_flight, raise, raise_value, value_error};
use krait_runtime::exceptions::{BLOCKING_IO_ERROR, OS_ERROR, OsError};
use krait_runtime::protocol::{attr, buffer, call};
use krait_runtime::types::memoryview;

use super::super::arguments::{self, forget, retry_interrupted, run_signal_handlers};
use super::{Buffered, Raw, Shared, a_this, cannot_truncate};

const BLOCKED: &str = "write could not complete without blocking";

/// Raises BlockingIOError.
fn blocked(th: &mut Thread, errno: i32, written: usize) -> Raised {
    let arguments = [Value::from(errno), Value::str(BLOCKED), Value::from(written)];
    match call::call(th, &BLOCKING_IO_ERROR.to_value(), &arguments) {
        Ok(exception) => raise_value(th, exception),
        Err(raised) => raised,
    }
}
/// One raw write.
fn raw_write(th: &mut Thread, b: &Buffered, data: &[u8]) -> PyResult<Raw> {
    let raw = b.raw.get().unwrap_or(Value::NONE);
    if let Some(file) = Buffered::plain_file(&raw, "write") {
        return Ok(match file.write_from(th, data)? {
            None => Raw::WouldBlock(EAGAIN),
            Some(n) => {
                b.advance(n);
                Raw::Done(n)
            }
        });
    }
    let shared = Arc::new(Shared(Locked::new(data.to_vec())));
    let view = memoryview::from_buffer(Buffer::bytes(Value::NONE, shared, data.len(), true));
    let answer = loop {
        match attr::call_method(th, &raw, "write", std::slice::from_ref(&view)) {
            Ok(answer) => break answer,
            Err(raised) => retry_interrupted(th, raised)?,
        }
    };
    if answer.is_none() {
        return Ok(Raw::WouldBlock(0));
    }
    let n = arguments::offset(th, &answer)?;
    match usize::try_from(n).ok().filter(|&n| n <= data.len()) {
        Some(n) => {
            b.advance(n);
            Ok(Raw::Done(n))
        }
        None => {
            let len = data.len();
            let message = format!("raw write() returned invalid length {n} (should have been between 0 and {len})");
            Err(raise(th, &OS_ERROR, message))
        }
    }
}
/// Writes all that is buffered. The caller has entered.
pub fn flush_unlocked(th: &mut Thread, b: &Buffered) -> PyResult<()> {
    let rewind = {
        let s = b.state.lock();
        (s.valid_write() && s.write_pos != s.write_end).then(|| s.raw_offset() + (s.pos - s.write_pos))
    };
    if let Some(rewind) = rewind {
        if rewind != 0 {
            b.raw_seek(th, -rewind, 1)?;
            b.state.lock().raw_pos -= rewind;
        }
        loop {
            let data = {
                let s = b.state.lock();
                if s.write_pos >= s.write_end {
                    break;
                }
                s.buffer.get(s.write_pos as usize..s.write_end as usize).unwrap_or_default().to_vec()
            };
            match raw_write(th, b, &data)? {
                Raw::Done(n) => {
                    let mut s = b.state.lock();
                    s.write_pos += n as i64;
                    s.raw_pos = s.write_pos;
                }
                Raw::WouldBlock(errno) => return Err(blocked(th, errno, 0)),
            }
            run_signal_handlers(th)?;
        }
    }
    b.state.lock().reset_write();
    Ok(())
}
/// Flushes, and moves the raw stream to the logical position.
pub fn flush_and_rewind(th: &mut Thread, b: &Buffered) -> PyResult<()> {
    flush_unlocked(th, b)?;
    let (readable, offset) = {
        let s = b.state.lock();
        (s.readable, s.raw_offset())
    };
    if readable {
        let moved = b.raw_seek(th, -offset, 1);
        b.state.lock().reset_read();
        moved?;
    }
    Ok(())
}
pub fn flush(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let b = a_this(a);
    b.check_initialized(th)?;
    b.check_closed(th, "flush of closed file")?;
    let _entered = b.enter(th, &a[0])?;
    flush_and_rewind(th, b)?;
    Ok(Value::NONE)
}
pub fn truncate(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let b = a_this(a);
    b.check_initialized(th)?;
    b.check_closed(th, "truncate of closed file")?;
    if !b.state.lock().writable {
        return Err(cannot_truncate(th));
    }
    let _entered = b.enter(th, &a[0])?;
    flush_and_rewind(th, b)?;
    let raw = b.raw(th)?;
    let size = a.opt(1).cloned().unwrap_or(Value::NONE);
    let answer = attr::call_method(th, &raw, "truncate", &[size])?;
    if let Err(raised) = b.raw_tell(th) {
        forget(th, raised);
    }
    Ok(answer)
}
pub fn write(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    if let Some(data) = a[1].downcast_ref::<Bytes>() {
        return write_bytes(th, a, data);
    }
    let data = buffer::bytes_like(th, &a[1])?;
    write_bytes(th, a, &data)
}
fn write_bytes(th: &mut Thread, a: &Args<'_>, data: &[u8]) -> PyResult<Value> {
    let b = a_this(a);
    b.check_initialized(th)?;
    let _entered = b.enter(th, &a[0])?;
    if b.is_closed(th)? {
        return Err(value_error(th, "write to closed file"));
    }
    if store(b, data) {
        return Ok(Value::from(data.len()));
    }
    if let Err(raised) = flush_unlocked(th, b) {
        return store_blocked(th, b, data, raised);
    }
    let offset = b.state.lock().raw_offset();
    if offset != 0 {
        b.raw_seek(th, -offset, 1)?;
        b.state.lock().raw_pos -= offset;
    }
    let size = b.state.lock().size;
    let mut written = 0;
    while data.len() - written > size {
        match raw_write(th, b, &data[written..])? {
            Raw::Done(n) => written += n,
            Raw::WouldBlock(errno) => {
                let mut s = b.state.lock();
                s.buffer.clear();
                s.buffer.extend_from_slice(&data[written..written + size]);
                s.raw_pos = 0;
                s.move_to(size as i64);
                s.write_end = size as i64;
                drop(s);
                return Err(blocked(th, errno, written + size));
            }
        }
        run_signal_handlers(th)?;
    }
    let rest = &data[written..];
    let mut s = b.state.lock();
    if s.readable {
        s.reset_read();
    }
    if let Some(to) = s.buffer.get_mut(..rest.len()) {
        to.copy_from_slice(rest);
    }
    s.write_pos = 0;
    s.write_end = rest.len() as i64;
    s.move_to(rest.len() as i64);
    s.raw_pos = 0;
    drop(s);
    Ok(Value::from(data.len()))
}
/// Puts the data into the buffer, where it fits.
fn store(b: &Buffered, data: &[u8]) -> bool {
    let mut s = b.state.lock();
    if !s.valid_read() && !s.valid_write() {
        (s.pos, s.raw_pos) = (0, 0);
    }
    let at = s.pos as usize;
    let Some(to) = s.buffer.get_mut(at..at.saturating_add(data.len())) else { return false };
    to.copy_from_slice(data);
    if !s.valid_write() || s.write_pos > s.pos {
        s.write_pos = s.pos;
    }
    let end = s.pos + data.len() as i64;
    s.move_to(end);
    s.write_end = s.write_end.max(end);
    true
}
/// The raw stream would have blocked: as much as possible goes into the buffer.
fn store_blocked(th: &mut Thread, b: &Buffered, data: &[u8], raised: Raised) -> PyResult<Value> {
    if !in_flight(th, &BLOCKING_IO_ERROR) {
        return Err(raised);
    }
    let errno = th.exc.as_ref().and_then(|e| e.downcast_ref::<OsError>()).and_then(|e| e.errno.get());
    let stored = {
        let mut s = b.state.lock();
        if s.readable {
            s.reset_read();
        }
        let (from, to) = (s.write_pos as usize, s.write_end.max(0) as usize);
        s.buffer.copy_within(from..to, 0);
        let shift = s.write_pos;
        s.write_end -= shift;
        s.raw_pos -= shift;
        s.pos -= shift;
        s.write_pos = 0;
        let end = s.write_end as usize;
        let n = data.len().min(s.size - end);
        s.buffer[end..end + n].copy_from_slice(&data[..n]);
        s.write_end += n as i64;
        s.pos += n as i64;
        n
    };
    drop(errors::take(th, raised));
    if stored == data.len() {
        return Ok(Value::from(stored));
    }
    let errno = errno.and_then(|e| e.as_int()).unwrap_or(0) as i32;
    Err(blocked(th, errno, stored))
}
