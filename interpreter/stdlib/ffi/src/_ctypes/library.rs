//! Shared libraries: loading them and finding what they export.

use std::ffi::{CStr, CString};

use krait_object::{Bytes, PyResult, Str, Thread, Value};
use krait_runtime::convert::path_bytes;
use krait_runtime::errors::{self, type_error, value_error};
use krait_runtime::exceptions::OS_ERROR;
use krait_runtime::protocol::number;

fn last_error() -> String {
    // SAFETY: dlerror answers a C string that is valid until the next call on this thread, or null.
    unsafe {
        let text = libc::dlerror();
        if text.is_null() { String::new() } else { CStr::from_ptr(text).to_string_lossy().into_owned() }
    }
}

/// `dlopen(name, flag)`: the handle.
pub fn open(th: &mut Thread, name: &Value, mode: Option<&Value>) -> PyResult<Value> {
    let mode = mode.map_or(Ok(libc::RTLD_NOW), |mode| number::to_i32(th, mode))?;
    let path = match name.is_none() {
        true => None,
        false => match CString::new(path_bytes(th, name)?) {
            Ok(path) => Some(path),
            Err(_) => return Err(value_error(th, "embedded null byte")),
        },
    };
    // What is not used need not be there: the test library of CPython names functions of its interpreter.
    let flags = mode & !libc::RTLD_NOW | libc::RTLD_LAZY;
    // SAFETY: the path is a C string or null.
    let handle = unsafe { libc::dlopen(path.as_ref().map_or(std::ptr::null(), |path| path.as_ptr()), flags) };
    if handle.is_null() {
        return Err(errors::raise(th, &OS_ERROR, last_error()));
    }
    Ok((handle as u64).into())
}

fn handle(th: &mut Thread, handle: &Value) -> PyResult<*mut libc::c_void> {
    if handle.as_int_ref().is_none() {
        return Err(type_error(th, "an integer is required"));
    }
    Ok(number::to_masked(th, handle, 64)? as *mut libc::c_void)
}

pub fn close(th: &mut Thread, library: &Value) -> PyResult<Value> {
    let handle = handle(th, library)?;
    // SAFETY: the script vouches for the handle.
    if unsafe { libc::dlclose(handle) } != 0 {
        return Err(errors::raise(th, &OS_ERROR, last_error()));
    }
    Ok(Value::NONE)
}

/// The address of a symbol, or the text of what went wrong.
pub fn find(th: &mut Thread, library: &Value, name: &Value) -> PyResult<Result<usize, String>> {
    let handle = handle(th, library)?;
    let bytes = match (name.downcast_ref::<Str>(), name.downcast_ref::<Bytes>()) {
        (Some(text), _) => text.to_string_lossy().into_owned().into_bytes(),
        (_, Some(bytes)) => bytes.to_vec(),
        _ => {
            let given = name.class().name();
            return Err(type_error(th, format!("bytes or str expected, got {given}")));
        }
    };
    let Ok(name) = CString::new(bytes) else { return Err(value_error(th, "embedded null character")) };
    last_error();
    // SAFETY: the script vouches for the handle; the name is a C string.
    let address = unsafe { libc::dlsym(handle, name.as_ptr()) } as usize;
    if address != 0 {
        return Ok(Ok(address));
    }
    let error = last_error();
    let error = if error.is_empty() { format!("symbol '{}' not found", name.to_string_lossy()) } else { error };
    Ok(Err(error))
}

/// As [`find`], for data: ValueError without it.
pub fn symbol(th: &mut Thread, library: &Value, name: &Value) -> PyResult<usize> {
    match find(th, library, name)? {
        Ok(address) => Ok(address),
        Err(error) => Err(value_error(th, error)),
    }
}
