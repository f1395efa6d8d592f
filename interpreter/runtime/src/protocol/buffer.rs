//! The buffer protocol's consumer side (`PyObject_GetBuffer`).
use krait_object::buffer::{Buffer, flags};
use krait_object::{Bytes, PyResult, Ref, Thread, Value};

use crate::errors::{buffer_error, system_error, type_error};

/// Whether the type exports buffers.
pub fn has_buffer(v: &Value) -> bool {
    v.class().slots.buffer.is_set()
}
/// An export of `v`'s memory.
pub fn get_buffer(th: &mut Thread, v: &Value, request: u32) -> PyResult<Buffer> {
    let slot = v.class().slots.buffer.get();
    match slot {
        Some(f) => {
            let b = f(th, v, request)?;
            let generic = f as usize == crate::types::type_::dispatch::buffer as *const () as usize;
            match v.class().slots.release_buffer.get() {
                Some(r)
                    if !generic
                        && r as usize == crate::types::type_::dispatch::release_buffer as *const () as usize =>
                {
                    crate::types::memoryview::with_release(th, v, b, request)
                }
                _ => Ok(b),
            }
        }
        None => {
            let name = v.class().name();
            Err(type_error(th, format!("a bytes-like object is required, not '{name}'")))
        }
    }
}
/// What `PyBuffer_FillInfo` asks of a request for plain memory.
pub fn check_filled(th: &mut Thread, request: u32, readonly: bool) -> PyResult<()> {
    if matches!(request, flags::READ | flags::WRITE) {
        return Err(system_error(th, "bad argument to internal function"));
    }
    if request & flags::WRITABLE != 0 && readonly {
        return Err(buffer_error(th, "Object is not writable."));
    }
    Ok(())
}
/// A contiguous, writable export.
pub fn get_writable(th: &mut Thread, v: &Value) -> PyResult<Buffer> {
    let b = get_buffer(th, v, flags::WRITABLE)?;
    if b.readonly {
        return Err(buffer_error(th, "Object is not writable."));
    }
    Ok(b)
}
/// A copy of the bytes of any bytes-like object.
pub fn bytes_like(th: &mut Thread, v: &Value) -> PyResult<Vec<u8>> {
    if let Some(b) = v.downcast_exact::<Bytes>() {
        return Ok(b.to_vec());
    }
    Ok(get_buffer(th, v, flags::SIMPLE)?.to_vec())
}
/// Runs `f` on the bytes of a bytes-like object, without a copy where possible. No Python code may run in `f`.
pub fn with_bytes<R>(th: &mut Thread, v: &Value, f: impl FnOnce(&[u8]) -> R) -> PyResult<R> {
    if let Some(b) = v.downcast_ref::<Bytes>() {
        return Ok(f(b));
    }
    let buffer = get_buffer(th, v, flags::SIMPLE)?;
    Ok(buffer.with_bytes(f))
}

/// The bytes of an argument, readable while other threads run Python code: those of a `bytes` object itself, a copy of
/// anything else.
pub enum Held {
    Bytes(Ref<Bytes>),
    Copy(Vec<u8>),
}
impl std::ops::Deref for Held {
    type Target = [u8];
    fn deref(&self) -> &[u8] {
        match self {
            Held::Bytes(b) => b,
            Held::Copy(v) => v,
        }
    }
}
/// Takes hold of the bytes of a bytes-like object.
pub fn hold(th: &mut Thread, v: &Value) -> PyResult<Held> {
    match v.to_ref::<Bytes>() {
        Some(b) => Ok(Held::Bytes(b)),
        None => Ok(Held::Copy(bytes_like(th, v)?)),
    }
}
