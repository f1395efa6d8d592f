//! Arguments that only operating system functions take: paths that may be descriptors, descriptors, user numbers. The
//! converters of CPython's `Modules/posixmodule.c`.
use std::ffi::{CStr, CString};

use krait_object::{Bytes, PyResult, Raised, Ref, Str, Thread, Value};
use krait_platform::path::CWD;
use krait_runtime::convert::{fs_decode, fs_encode};
use krait_runtime::errors::{os_error, os_error2, overflow_error, surrogates_not_allowed, type_error, value_error};
use krait_runtime::exceptions::RUNTIME_WARNING;
use krait_runtime::protocol::{attr, call, number};
use krait_runtime::warnings::warn;

/// What a path argument means.
pub enum Place {
    Path(CString),
    Fd(i32),
    /// None was given.
    Current,
}
/// A path argument.
pub struct PathArg {
    /// What errors show.
    pub object: Value,
    pub place: Place,
    /// Names are given back as bytes.
    pub bytes: bool,
}
/// What a function accepts.
#[derive(Clone, Copy)]
pub struct Accept {
    pub function: &'static str,
    pub argument: &'static str,
    pub fd: bool,
    pub none: bool,
}
impl Accept {
    pub const fn path(function: &'static str) -> Accept {
        Accept { function, argument: "path", fd: false, none: false }
    }
    pub const fn named(mut self, argument: &'static str) -> Accept {
        self.argument = argument;
        self
    }
    pub const fn or_fd(mut self) -> Accept {
        self.fd = true;
        self
    }
    pub const fn or_none(mut self) -> Accept {
        self.none = true;
        self
    }
}
impl PathArg {
    /// The path; "." where none was given.
    pub fn path(&self) -> &CStr {
        match &self.place {
            Place::Path(p) => p,
            Place::Fd(_) | Place::Current => c".",
        }
    }
    pub fn fd(&self) -> Option<i32> {
        match self.place {
            Place::Fd(fd) => Some(fd),
            _ => None,
        }
    }
    /// The OSError of a call on this path.
    pub fn error(&self, th: &mut Thread, errno: i32) -> Raised {
        let shown = if matches!(self.place, Place::Path(_)) || self.fd().is_some() { Some(&self.object) } else { None };
        os_error(th, errno, shown)
    }
    /// The OSError of a call on two paths.
    pub fn error2(&self, th: &mut Thread, errno: i32, other: &PathArg) -> Raised {
        os_error2(th, errno, Some(&self.object), Some(&other.object))
    }
    /// A name in the type of the argument.
    pub fn name(&self, name: &[u8]) -> Value {
        text(name, self.bytes)
    }
}
/// A file name as `str`, or as bytes.
pub fn text(name: &[u8], bytes: bool) -> Value {
    if bytes { Bytes::new(name).into() } else { fs_decode(name).into() }
}

fn wrong(th: &mut Thread, a: Accept, given: &Value) -> Raised {
    let wanted = match (a.fd, a.none) {
        (true, true) => "string, bytes, os.PathLike, integer or None",
        (true, false) => "string, bytes, os.PathLike or integer",
        (false, true) => "string, bytes, os.PathLike or None",
        (false, false) => "string, bytes or os.PathLike",
    };
    let class = given.class().name();
    type_error(th, format!("{}: {} should be {wanted}, not {class}", a.function, a.argument))
}
/// A path argument (`path_converter`).
pub fn path(th: &mut Thread, v: Option<&Value>, a: Accept) -> PyResult<PathArg> {
    let none = Value::NONE;
    let given = v.unwrap_or(&none);
    if given.is_none() && a.none {
        return Ok(PathArg { object: Value::NONE, place: Place::Current, bytes: false });
    }
    let mut object = given.clone();
    if object.downcast_ref::<Str>().is_none() && object.downcast_ref::<Bytes>().is_none() {
        if a.fd && number::has_index(&object) {
            let fd = descriptor_number(th, &object)?;
            return Ok(PathArg { object, place: Place::Fd(fd), bytes: false });
        }
        let Some(f) = attr::lookup_special(th, given, "__fspath__")?.filter(|f| !f.is_none()) else {
            return Err(wrong(th, a, given));
        };
        object = call::call(th, &f, &[])?;
        if object.downcast_ref::<Str>().is_none() && object.downcast_ref::<Bytes>().is_none() {
            let (class, got) = (given.class().name(), object.class().name());
            let message = format!("expected {class}.__fspath__() to return str or bytes, not {got}");
            return Err(type_error(th, message));
        }
    }
    let bytes = object.downcast_ref::<Bytes>().is_some();
    let raw = fs_bytes(th, &object)?;
    match CString::new(raw) {
        Ok(p) => Ok(PathArg { object, place: Place::Path(p), bytes }),
        Err(_) => Err(value_error(th, format!("{}: embedded null character in {}", a.function, a.argument))),
    }
}
/// File system bytes of a `str` or `bytes`.
pub fn fs_bytes(th: &mut Thread, v: &Value) -> PyResult<Vec<u8>> {
    if let Some(s) = v.to_ref::<Str>() {
        return fs_encode(&s).ok_or_else(|| surrogates_not_allowed(th, &s));
    }
    Ok(v.downcast_ref::<Bytes>().map(|b| b.to_vec()).unwrap_or_default())
}
/// `PyUnicode_FSConverter`, without NULs.
pub fn fs_string(th: &mut Thread, v: &Value) -> PyResult<CString> {
    let p = krait_runtime::convert::fspath(th, v)?;
    let bytes = fs_bytes(th, &p)?;
    CString::new(bytes).map_err(|_| value_error(th, "embedded null byte"))
}
/// A `str` argument as a C string in UTF-8.
pub fn c_text(th: &mut Thread, v: &Value, function: &str, argument: &str) -> PyResult<CString> {
    let s: Ref<Str> = krait_runtime::convert::expect_str(th, v, function, argument)?;
    let Some(text) = s.to_utf8() else { return Err(surrogates_not_allowed(th, &s)) };
    CString::new(text.as_bytes()).map_err(|_| value_error(th, "embedded null character"))
}
fn warn_bool(th: &mut Thread, v: &Value) -> PyResult<()> {
    if v.as_bool().is_some() {
        warn(th, &RUNTIME_WARNING, "bool is used as a file descriptor", 1)?;
    }
    Ok(())
}
fn descriptor_number(th: &mut Thread, v: &Value) -> PyResult<i32> {
    warn_bool(th, v)?;
    let n = number::index(th, v)?;
    let n = n.as_int_ref();
    match n.and_then(|n| n.to_i64()) {
        Some(i) if i > i64::from(i32::MAX) => Err(overflow_error(th, "fd is greater than maximum")),
        Some(i) if i < i64::from(i32::MIN) => Err(overflow_error(th, "fd is less than minimum")),
        Some(i) => Ok(i as i32),
        None if n.is_some_and(|n| n.is_negative()) => Err(overflow_error(th, "fd is less than minimum")),
        None => Err(overflow_error(th, "fd is greater than maximum")),
    }
}
/// A `dir_fd` argument: the current folder by default.
pub fn dir_fd(th: &mut Thread, v: Option<&Value>) -> PyResult<i32> {
    match v {
        None => Ok(CWD),
        Some(v) if v.is_none() => Ok(CWD),
        Some(v) if number::has_index(v) => descriptor_number(th, v),
        Some(v) => {
            let class = v.class().name();
            Err(type_error(th, format!("argument should be integer or None, not {class}")))
        }
    }
}
/// A number or an object with `fileno()` (`PyObject_AsFileDescriptor`).
pub fn fildes(th: &mut Thread, v: &Value) -> PyResult<i32> {
    let fd = if v.as_int_ref().is_some() {
        warn_bool(th, v)?;
        number::to_i32(th, v)?
    } else {
        let Some(f) = attr::get_text_opt(th, v, "fileno")? else {
            return Err(type_error(th, "argument must be an int, or have a fileno() method."));
        };
        let n = call::call(th, &f, &[])?;
        if n.as_int_ref().is_none() {
            return Err(type_error(th, "fileno() returned a non-integer"));
        }
        warn_bool(th, &n)?;
        number::to_i32(th, &n)?
    };
    if fd < 0 {
        return Err(value_error(th, format!("file descriptor cannot be a negative integer ({fd})")));
    }
    Ok(fd)
}
/// A user or group number; -1 means "leave it".
pub fn user_id(th: &mut Thread, v: &Value, what: &str) -> PyResult<u32> {
    if !number::has_index(v) {
        let class = v.class().name();
        return Err(type_error(th, format!("{what} should be integer, not {class}")));
    }
    let n = number::index(th, v)?;
    let n = n.as_int_ref();
    match n.and_then(|n| n.to_i64()) {
        Some(-1) => Ok(u32::MAX),
        Some(i) if (0..=i64::from(u32::MAX)).contains(&i) => Ok(i as u32),
        _ if n.is_some_and(|n| n.is_negative()) => Err(overflow_error(th, format!("{what} is less than minimum"))),
        _ => Err(overflow_error(th, format!("{what} is greater than maximum"))),
    }
}
/// A user or group number as Python shows it: -1 for "none".
pub fn show_id(id: u32) -> Value {
    if id == u32::MAX { Value::int(-1) } else { Value::from(id) }
}
/// An optional int argument.
pub fn int_or(th: &mut Thread, v: Option<&Value>, default: i32) -> PyResult<i32> {
    v.map_or(Ok(default), |v| number::to_i32(th, v))
}
/// An optional truth value.
pub fn flag(th: &mut Thread, v: Option<&Value>, default: bool) -> PyResult<bool> {
    v.map_or(Ok(default), |v| krait_runtime::protocol::compare::truth(th, v))
}
/// The value of a system call, or its OSError.
pub fn sys<T>(th: &mut Thread, result: Result<T, i32>) -> PyResult<T> {
    result.map_err(|e| os_error(th, e, None))
}
