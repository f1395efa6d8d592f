//! SQLite: connections here; statements, functions in SQL, blobs and backups in the submodules. Result codes are SQLite's
//! numbers.
//!
//! A [`Db`] is shared: statements, blobs and backups keep it open. Callbacks are closures; one that panics aborts, as a
//! panic cannot pass through C.
mod blob;
mod function;
mod statement;

use std::ffi::{CStr, c_char, c_int, c_uint, c_void};
use std::sync::{Arc, Mutex, Once};

use libsqlite3_sys as s;

pub use blob::{Backup, Blob};
pub use function::{Aggregate, Arg, Reply};
pub use libsqlite3_sys as codes;
pub use statement::Statement;

type Authorizer = Arc<dyn Fn(i32, [Option<&CStr>; 4]) -> i32>;
type Progress = Arc<dyn Fn() -> i32>;
type Trace = Arc<dyn Fn(Traced<'_>)>;
/// What is traced: the statement as it was expanded, or as it was written where the expansion does not fit.
pub enum Traced<'a> {
    Sql(&'a CStr),
    /// The expansion is longer than the limit, or there was no memory for it.
    TooLong(&'a CStr),
}

/// The callbacks that a connection has one of, boxed so that C can hold a thin pointer. A call holds the closure itself, as
/// what it runs may set another one.
#[derive(Default)]
struct Hooks {
    authorizer: Option<Box<Authorizer>>,
    progress: Option<Box<Progress>>,
    trace: Option<Box<Trace>>,
}
struct Raw {
    db: *mut s::sqlite3,
    hooks: Mutex<Hooks>,
}
// SAFETY: SQLite is built in its serialized mode, in which any thread may use a connection; the closures are only run by
// the thread that is inside a call.
unsafe impl Send for Raw {}
// SAFETY: as above.
unsafe impl Sync for Raw {}
impl Drop for Raw {
    fn drop(&mut self) {
        // SAFETY: the only owner; statements and blobs hold an `Arc` of this, so none is left.
        unsafe { s::sqlite3_close(self.db) };
    }
}
#[derive(Clone)]
pub struct Db(Arc<Raw>);

/// What the last failed call says.
#[derive(Debug)]
pub struct Failure {
    pub code: i32,
    pub extended: i32,
    pub message: Vec<u8>,
}

pub fn version() -> &'static str {
    // SAFETY: a static NUL-terminated string.
    unsafe { CStr::from_ptr(s::sqlite3_libversion()) }.to_str().unwrap_or_default()
}
/// 0, 1 or 2: how the library was built for threads.
pub fn threadsafe() -> i32 {
    // SAFETY: no arguments.
    unsafe { s::sqlite3_threadsafe() }
}
/// Whether the text ends in a complete statement.
pub fn complete(sql: &CStr) -> bool {
    // SAFETY: a NUL-terminated string.
    unsafe { s::sqlite3_complete(sql.as_ptr()) != 0 }
}
/// Sleeps as SQLite does.
pub fn sleep(milliseconds: i32) {
    // SAFETY: a plain number.
    unsafe { s::sqlite3_sleep(milliseconds) };
}
/// The text of a result code.
pub fn error_string(code: i32) -> &'static str {
    // SAFETY: a static NUL-terminated string for every number.
    unsafe { CStr::from_ptr(s::sqlite3_errstr(code)) }.to_str().unwrap_or_default()
}
/// A C string of the library, copied.
///
/// # Safety
/// Null or NUL-terminated, alive during the call.
unsafe fn copied(text: *const c_char) -> Option<Vec<u8>> {
    // SAFETY: the caller's promise.
    (!text.is_null()).then(|| unsafe { CStr::from_ptr(text) }.to_bytes().to_vec())
}

impl Db {
    /// Opens a database. The failure says why not.
    pub fn open(name: &CStr, flags: i32) -> Result<Db, Failure> {
        static ONCE: Once = Once::new();
        ONCE.call_once(|| {
            // SAFETY: before the first use; file names are taken as URIs only where a connection asks for it.
            unsafe { s::sqlite3_config(s::SQLITE_CONFIG_URI, 0 as c_int) };
        });
        let mut db = std::ptr::null_mut();
        // SAFETY: valid pointers; a connection that failed to open is still closed by `Raw`.
        let code = unsafe { s::sqlite3_open_v2(name.as_ptr(), &mut db, flags, std::ptr::null()) };
        if db.is_null() {
            return Err(Failure { code, extended: code, message: b"out of memory".to_vec() });
        }
        let opened = Db(Arc::new(Raw { db, hooks: Mutex::default() }));
        if code != s::SQLITE_OK {
            return Err(opened.failure());
        }
        // The build's default is other than SQLite's own.
        match opened.configure(s::SQLITE_DBCONFIG_ENABLE_FKEY, Some(false)) {
            Ok(_) => Ok(opened),
            Err(_) => Err(opened.failure()),
        }
    }
    fn raw(&self) -> *mut s::sqlite3 {
        self.0.db
    }
    pub fn is_same(&self, other: &Db) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
    pub fn failure(&self) -> Failure {
        // SAFETY: an open connection.
        unsafe {
            Failure {
                code: s::sqlite3_errcode(self.raw()),
                extended: s::sqlite3_extended_errcode(self.raw()),
                message: copied(s::sqlite3_errmsg(self.raw())).unwrap_or_default(),
            }
        }
    }
    pub fn busy_timeout(&self, milliseconds: i32) {
        // SAFETY: an open connection.
        unsafe { s::sqlite3_busy_timeout(self.raw(), milliseconds) };
    }
    /// No transaction is open.
    pub fn autocommit(&self) -> bool {
        // SAFETY: an open connection.
        unsafe { s::sqlite3_get_autocommit(self.raw()) != 0 }
    }
    pub fn changes(&self) -> i32 {
        // SAFETY: an open connection.
        unsafe { s::sqlite3_changes(self.raw()) }
    }
    pub fn total_changes(&self) -> i32 {
        // SAFETY: an open connection.
        unsafe { s::sqlite3_total_changes(self.raw()) }
    }
    pub fn last_insert_rowid(&self) -> i64 {
        // SAFETY: an open connection.
        unsafe { s::sqlite3_last_insert_rowid(self.raw()) }
    }
    /// Aborts what runs on the connection; any thread may call it.
    pub fn interrupt(&self) {
        // SAFETY: an open connection.
        unsafe { s::sqlite3_interrupt(self.raw()) };
    }
    /// Sets a limit (a negative one only asks) and returns the former; -1 for an unknown category.
    pub fn limit(&self, category: i32, limit: i32) -> i32 {
        // SAFETY: an open connection.
        unsafe { s::sqlite3_limit(self.raw(), category, limit) }
    }
    /// Switches an option on or off, or only asks; the state it is in then, or the code.
    pub fn configure(&self, option: i32, on: Option<bool>) -> Result<bool, i32> {
        let mut state: c_int = 0;
        let set: c_int = on.map_or(-1, c_int::from);
        // SAFETY: the options that switch take an int and a pointer to one.
        match unsafe { s::sqlite3_db_config(self.raw(), option, set, std::ptr::from_mut(&mut state)) } {
            s::SQLITE_OK => Ok(state != 0),
            code => Err(code),
        }
    }
    /// The content of a database; `None` where there is no memory or no such database.
    pub fn serialize(&self, name: &CStr) -> Option<Vec<u8>> {
        let mut size = 0;
        // SAFETY: valid strings; the result has `size` bytes and is the caller's to free unless NOCOPY was asked for.
        unsafe {
            let shared = s::sqlite3_serialize(self.raw(), name.as_ptr(), &mut size, s::SQLITE_SERIALIZE_NOCOPY);
            let len = usize::try_from(size).unwrap_or(0);
            if !shared.is_null() {
                return Some(std::slice::from_raw_parts(shared, len).to_vec());
            }
            let data = s::sqlite3_serialize(self.raw(), name.as_ptr(), &mut size, 0);
            if data.is_null() {
                return None;
            }
            let len = usize::try_from(size).unwrap_or(0);
            let copy = std::slice::from_raw_parts(data, len).to_vec();
            s::sqlite3_free(data.cast());
            Some(copy)
        }
    }
    /// Replaces a database by serialized content. `None` = no memory.
    pub fn deserialize(&self, name: &CStr, data: &[u8]) -> Option<i32> {
        // SAFETY: the buffer comes from SQLite's allocator, has the stated size and is given away.
        unsafe {
            let buffer = s::sqlite3_malloc64(data.len() as u64).cast::<u8>();
            if buffer.is_null() && !data.is_empty() {
                return None;
            }
            if !data.is_empty() {
                std::ptr::copy_nonoverlapping(data.as_ptr(), buffer, data.len());
            }
            let len = data.len() as i64;
            let flags = s::SQLITE_DESERIALIZE_FREEONCLOSE | s::SQLITE_DESERIALIZE_RESIZEABLE;
            Some(s::sqlite3_deserialize(self.raw(), name.as_ptr(), buffer, len, len, flags))
        }
    }

    /// Asks `f` whether an action is allowed: the action's number and what it is about.
    pub fn set_authorizer(&self, f: Option<Authorizer>) -> i32 {
        unsafe extern "C" fn call(
            f: *mut c_void,
            action: c_int,
            a: *const c_char,
            b: *const c_char,
            c: *const c_char,
            d: *const c_char,
        ) -> c_int {
            // SAFETY: `f` is the box that `Hooks` owns; the strings are null or alive during the call.
            unsafe {
                let f = (*f.cast::<Authorizer>()).clone();
                f(action, [a, b, c, d].map(|p| (!p.is_null()).then(|| CStr::from_ptr(p))))
            }
        }
        let mut f = f.map(Box::new);
        let pointer = f.as_deref_mut().map_or(std::ptr::null_mut(), |f| std::ptr::from_mut(f).cast());
        let callback = f.is_some().then_some(call as unsafe extern "C" fn(_, _, _, _, _, _) -> _);
        // SAFETY: the closure lives in `Hooks` until another takes its place here.
        let code = unsafe { s::sqlite3_set_authorizer(self.raw(), callback, pointer) };
        let old = std::mem::replace(&mut self.hooks().authorizer, f);
        drop(old);
        code
    }
    /// Calls `f` every `n` instructions; not 0 aborts.
    pub fn set_progress(&self, n: i32, f: Option<Progress>) {
        unsafe extern "C" fn call(f: *mut c_void) -> c_int {
            // SAFETY: the box that `Hooks` owns.
            let f = unsafe { (*f.cast::<Progress>()).clone() };
            f()
        }
        let mut f = f.map(Box::new);
        let pointer = f.as_deref_mut().map_or(std::ptr::null_mut(), |f| std::ptr::from_mut(f).cast());
        let callback = f.is_some().then_some(call as unsafe extern "C" fn(_) -> _);
        // SAFETY: as in `set_authorizer`.
        unsafe { s::sqlite3_progress_handler(self.raw(), n, callback, pointer) };
        let old = std::mem::replace(&mut self.hooks().progress, f);
        drop(old);
    }
    /// Calls `f` with every statement that begins to run.
    pub fn set_trace(&self, f: Option<Trace>) {
        unsafe extern "C" fn call(_: c_uint, f: *mut c_void, statement: *mut c_void, sql: *mut c_void) -> c_int {
            // SAFETY: the box that `Hooks` owns; for SQLITE_TRACE_STMT the pointers are a statement and its text.
            unsafe {
                let f = (*f.cast::<Trace>()).clone();
                let written = CStr::from_ptr(sql.cast::<c_char>());
                // Comments of triggers stand for themselves.
                if written.to_bytes().starts_with(b"--") {
                    f(Traced::Sql(written));
                    return 0;
                }
                let expanded = s::sqlite3_expanded_sql(statement.cast());
                if expanded.is_null() {
                    f(Traced::TooLong(written));
                } else {
                    f(Traced::Sql(CStr::from_ptr(expanded)));
                    s::sqlite3_free(expanded.cast());
                }
            }
            0
        }
        let mut f = f.map(Box::new);
        let pointer = f.as_deref_mut().map_or(std::ptr::null_mut(), |f| std::ptr::from_mut(f).cast());
        let callback = f.is_some().then_some(call as unsafe extern "C" fn(_, _, _, _) -> _);
        let mask = if f.is_some() { s::SQLITE_TRACE_STMT } else { 0 };
        // SAFETY: as in `set_authorizer`.
        unsafe { s::sqlite3_trace_v2(self.raw(), mask, callback, pointer) };
        let old = std::mem::replace(&mut self.hooks().trace, f);
        drop(old);
    }
    fn hooks(&self) -> std::sync::MutexGuard<'_, Hooks> {
        self.0.hooks.lock().unwrap_or_else(|e| e.into_inner())
    }
}
