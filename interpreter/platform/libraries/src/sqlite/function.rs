//! Functions, aggregates and collations that SQL calls.
use std::ffi::{CStr, c_int, c_void};

use libsqlite3_sys as s;

use super::Db;

/// A value on the way from or to SQL.
#[derive(Clone, Copy, Debug)]
pub enum Arg<'a> {
    Null,
    Int(i64),
    Float(f64),
    Text(&'a [u8]),
    Blob(&'a [u8]),
    /// There was no memory to make the text or blob.
    NoMemory,
}
/// What a function answers.
#[derive(Debug)]
pub enum Reply {
    /// Nothing is said: NULL, or what was said before.
    Nothing,
    Null,
    Int(i64),
    Float(f64),
    Text(Vec<u8>),
    Blob(Vec<u8>),
    Error(&'static str),
    NoMemory,
    TooBig,
}

/// An aggregate or window function; `State` is what one group has gathered.
pub trait Aggregate: 'static {
    type State: 'static;
    fn step(&self, state: &mut Option<Self::State>, args: &[Arg<'_>]) -> Reply;
    fn inverse(&self, state: &mut Option<Self::State>, args: &[Arg<'_>]) -> Reply;
    fn value(&self, state: &mut Option<Self::State>) -> Reply;
    /// `None` if no row was given.
    fn finish(&self, state: Option<Self::State>) -> Reply;
}

type Scalar = Box<dyn Fn(&[Arg<'_>]) -> Reply>;
type Collation = Box<dyn Fn(&[u8], &[u8]) -> i32>;

unsafe extern "C" fn destroy<T>(boxed: *mut c_void) {
    // SAFETY: made by `Box::into_raw` of this type, destroyed once by the library.
    drop(unsafe { Box::from_raw(boxed.cast::<T>()) });
}
/// # Safety
/// The pointer and count that the library gave to a function.
unsafe fn arguments<'a>(n: c_int, values: *mut *mut s::sqlite3_value) -> Vec<Arg<'a>> {
    let n = usize::try_from(n).unwrap_or(0);
    // SAFETY: the caller's promise; texts and blobs live until the function returns.
    unsafe {
        (0..n)
            .map(|i| {
                let v = *values.add(i);
                let bytes = |start: *const u8| {
                    let len = usize::try_from(s::sqlite3_value_bytes(v)).unwrap_or(0);
                    std::slice::from_raw_parts(start, len)
                };
                match s::sqlite3_value_type(v) {
                    s::SQLITE_INTEGER => Arg::Int(s::sqlite3_value_int64(v)),
                    s::SQLITE_FLOAT => Arg::Float(s::sqlite3_value_double(v)),
                    s::SQLITE_TEXT => {
                        let start = s::sqlite3_value_text(v);
                        if start.is_null() { Arg::NoMemory } else { Arg::Text(bytes(start)) }
                    }
                    s::SQLITE_BLOB => {
                        let start = s::sqlite3_value_blob(v).cast::<u8>();
                        // A blob without bytes has no address.
                        if start.is_null() { Arg::Blob(&[]) } else { Arg::Blob(bytes(start)) }
                    }
                    _ => Arg::Null,
                }
            })
            .collect()
    }
}
/// # Safety
/// The context that the library gave to a function that is running.
unsafe fn answer(context: *mut s::sqlite3_context, reply: Reply) {
    // SAFETY: the caller's promise; TRANSIENT makes the library copy the bytes.
    unsafe {
        match reply {
            Reply::Nothing => {}
            Reply::Null => s::sqlite3_result_null(context),
            Reply::Int(n) => s::sqlite3_result_int64(context, n),
            Reply::Float(x) => s::sqlite3_result_double(context, x),
            Reply::Text(t) => match c_int::try_from(t.len()) {
                Ok(len) => s::sqlite3_result_text(context, t.as_ptr().cast(), len, s::SQLITE_TRANSIENT()),
                Err(_) => s::sqlite3_result_error_toobig(context),
            },
            Reply::Blob(b) => match c_int::try_from(b.len()) {
                Ok(len) => s::sqlite3_result_blob(context, b.as_ptr().cast(), len, s::SQLITE_TRANSIENT()),
                Err(_) => s::sqlite3_result_error_toobig(context),
            },
            Reply::Error(message) => {
                s::sqlite3_result_error(context, message.as_ptr().cast(), message.len() as c_int);
            }
            Reply::NoMemory => s::sqlite3_result_error_nomem(context),
            Reply::TooBig => s::sqlite3_result_error_toobig(context),
        }
    }
}

unsafe extern "C" fn scalar(context: *mut s::sqlite3_context, n: c_int, values: *mut *mut s::sqlite3_value) {
    // SAFETY: the user data is the closure that `create_function` gave.
    unsafe {
        let f = &*s::sqlite3_user_data(context).cast::<Scalar>();
        answer(context, f(&arguments(n, values)));
    }
}

/// The state of a group: a pointer in the library's memory to what this side keeps.
struct Group<T>(Option<T>);
/// # Safety
/// The context of a running aggregate of `A`. `create` only where a row is given.
unsafe fn group<'a, A: Aggregate>(context: *mut s::sqlite3_context, create: bool) -> Option<&'a mut Group<A::State>> {
    let size = if create { size_of::<*mut Group<A::State>>() as c_int } else { 0 };
    // SAFETY: the library gives zeroed memory of this size for the group, the same each time.
    unsafe {
        let slot = s::sqlite3_aggregate_context(context, size).cast::<*mut Group<A::State>>();
        let slot = slot.as_mut()?;
        if slot.is_null() {
            if !create {
                return None;
            }
            *slot = Box::into_raw(Box::new(Group(None)));
        }
        slot.as_mut()
    }
}
/// # Safety
/// The context of a running aggregate of `A`.
unsafe fn user<'a, A: Aggregate>(context: *mut s::sqlite3_context) -> &'a A {
    // SAFETY: the user data is the aggregate that was registered.
    unsafe { &*s::sqlite3_user_data(context).cast::<A>() }
}
unsafe extern "C" fn step<A: Aggregate>(c: *mut s::sqlite3_context, n: c_int, values: *mut *mut s::sqlite3_value) {
    // SAFETY: called by the library for an aggregate of `A`.
    unsafe {
        match group::<A>(c, true) {
            Some(g) => answer(c, user::<A>(c).step(&mut g.0, &arguments(n, values))),
            None => s::sqlite3_result_error_nomem(c),
        }
    }
}
unsafe extern "C" fn inverse<A: Aggregate>(c: *mut s::sqlite3_context, n: c_int, values: *mut *mut s::sqlite3_value) {
    // SAFETY: as in `step`.
    unsafe {
        match group::<A>(c, true) {
            Some(g) => answer(c, user::<A>(c).inverse(&mut g.0, &arguments(n, values))),
            None => s::sqlite3_result_error_nomem(c),
        }
    }
}
unsafe extern "C" fn value<A: Aggregate>(c: *mut s::sqlite3_context) {
    // SAFETY: as in `step`.
    unsafe {
        match group::<A>(c, true) {
            Some(g) => answer(c, user::<A>(c).value(&mut g.0)),
            None => s::sqlite3_result_error_nomem(c),
        }
    }
}
unsafe extern "C" fn finish<A: Aggregate>(c: *mut s::sqlite3_context) {
    // SAFETY: as in `step`; the library calls it once for each group, after which the box is taken back.
    unsafe {
        let state = match group::<A>(c, false) {
            Some(g) => {
                let boxed = Box::from_raw(std::ptr::from_mut(g));
                if let Some(slot) = s::sqlite3_aggregate_context(c, 0).cast::<*mut Group<A::State>>().as_mut() {
                    *slot = std::ptr::null_mut();
                }
                boxed.0
            }
            None => None,
        };
        answer(c, user::<A>(c).finish(state));
    }
}
unsafe extern "C" fn collate(f: *mut c_void, n: c_int, a: *const c_void, m: c_int, b: *const c_void) -> c_int {
    let bytes = |start: *const c_void, len: c_int| {
        let len = usize::try_from(len).unwrap_or(0);
        // SAFETY: the library gives texts of these lengths, which live during the call.
        if start.is_null() { &[] } else { unsafe { std::slice::from_raw_parts(start.cast::<u8>(), len) } }
    };
    // SAFETY: the closure that `create_collation` gave.
    unsafe { (*f.cast::<Collation>())(bytes(a, n), bytes(b, m)) }
}

impl Db {
    /// Defines a function; `n` arguments, any number for -1.
    pub fn create_function(&self, name: &CStr, n: i32, deterministic: bool, f: Option<Scalar>) -> i32 {
        let flags = s::SQLITE_UTF8 | if deterministic { s::SQLITE_DETERMINISTIC } else { 0 };
        // SAFETY: the boxed closure is destroyed by the library, also if the call fails.
        unsafe {
            match f {
                None => s::sqlite3_create_function_v2(
                    self.raw(),
                    name.as_ptr(),
                    n,
                    flags,
                    std::ptr::null_mut(),
                    None,
                    None,
                    None,
                    None,
                ),
                Some(f) => s::sqlite3_create_function_v2(
                    self.raw(),
                    name.as_ptr(),
                    n,
                    flags,
                    Box::into_raw(Box::new(f)).cast(),
                    Some(scalar),
                    None,
                    None,
                    Some(destroy::<Scalar>),
                ),
            }
        }
    }
    pub fn create_aggregate<A: Aggregate>(&self, name: &CStr, n: i32, aggregate: Option<A>) -> i32 {
        // SAFETY: as in `create_function`.
        unsafe {
            match aggregate {
                None => s::sqlite3_create_function_v2(
                    self.raw(),
                    name.as_ptr(),
                    n,
                    s::SQLITE_UTF8,
                    std::ptr::null_mut(),
                    None,
                    None,
                    None,
                    None,
                ),
                Some(a) => s::sqlite3_create_function_v2(
                    self.raw(),
                    name.as_ptr(),
                    n,
                    s::SQLITE_UTF8,
                    Box::into_raw(Box::new(a)).cast(),
                    None,
                    Some(step::<A>),
                    Some(finish::<A>),
                    Some(destroy::<A>),
                ),
            }
        }
    }
    pub fn create_window_function<A: Aggregate>(&self, name: &CStr, n: i32, aggregate: Option<A>) -> i32 {
        // SAFETY: as in `create_function`.
        unsafe {
            match aggregate {
                None => s::sqlite3_create_window_function(
                    self.raw(),
                    name.as_ptr(),
                    n,
                    s::SQLITE_UTF8,
                    std::ptr::null_mut(),
                    None,
                    None,
                    None,
                    None,
                    None,
                ),
                Some(a) => s::sqlite3_create_window_function(
                    self.raw(),
                    name.as_ptr(),
                    n,
                    s::SQLITE_UTF8,
                    Box::into_raw(Box::new(a)).cast(),
                    Some(step::<A>),
                    Some(finish::<A>),
                    Some(value::<A>),
                    Some(inverse::<A>),
                    Some(destroy::<A>),
                ),
            }
        }
    }
    pub fn create_collation(&self, name: &CStr, f: Option<Collation>) -> i32 {
        // SAFETY: as in `create_function`, but if the call fails the closure is still ours.
        unsafe {
            match f {
                None => s::sqlite3_create_collation_v2(
                    self.raw(),
                    name.as_ptr(),
                    s::SQLITE_UTF8,
                    std::ptr::null_mut(),
                    None,
                    None,
                ),
                Some(f) => {
                    let boxed = Box::into_raw(Box::new(f));
                    let code = s::sqlite3_create_collation_v2(
                        self.raw(),
                        name.as_ptr(),
                        s::SQLITE_UTF8,
                        boxed.cast(),
                        Some(collate),
                        Some(destroy::<Collation>),
                    );
                    if code != s::SQLITE_OK {
                        drop(Box::from_raw(boxed));
                    }
                    code
                }
            }
        }
    }
}
