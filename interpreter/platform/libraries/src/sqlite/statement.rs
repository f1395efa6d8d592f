//! Prepared statements.
use std::ffi::{CStr, c_int};

use libsqlite3_sys as s;

use super::{Arg, Db, copied};

/// A prepared statement; one of a text of blanks and comments is null, which the library's functions take as one without
/// parameters and columns.
pub struct Statement {
    raw: *mut s::sqlite3_stmt,
    db: Db,
}
// SAFETY: the library is serialized, and `Statement` is moved, not shared.
unsafe impl Send for Statement {}
impl Drop for Statement {
    fn drop(&mut self) {
        // SAFETY: prepared, finalised once; the connection is open as `db` holds it.
        unsafe { s::sqlite3_finalize(self.raw) };
    }
}

impl Db {
    /// Prepares the first statement of a text: the statement and the rest of the text. The error is the code.
    pub fn prepare<'a>(&self, sql: &'a CStr) -> Result<(Statement, &'a CStr), i32> {
        let (mut raw, mut tail) = (std::ptr::null_mut(), std::ptr::null());
        let len = c_int::try_from(sql.to_bytes_with_nul().len()).unwrap_or(c_int::MAX);
        // SAFETY: a NUL-terminated text of at least `len` bytes; `tail` points into it.
        unsafe {
            match s::sqlite3_prepare_v2(self.raw(), sql.as_ptr(), len, &mut raw, &mut tail) {
                s::SQLITE_OK => Ok((Statement { raw, db: self.clone() }, CStr::from_ptr(tail))),
                code => Err(code),
            }
        }
    }
}

impl Statement {
    pub fn db(&self) -> &Db {
        &self.db
    }
    /// SQLITE_ROW, SQLITE_DONE or an error; SQLITE_OK for a text without a statement.
    pub fn step(&mut self) -> i32 {
        if self.raw.is_null() {
            return s::SQLITE_OK;
        }
        // SAFETY: a prepared statement.
        unsafe { s::sqlite3_step(self.raw) }
    }
    pub fn reset(&mut self) -> i32 {
        // SAFETY: a prepared statement.
        unsafe { s::sqlite3_reset(self.raw) }
    }
    pub fn clear_bindings(&mut self) {
        // SAFETY: a prepared statement.
        unsafe { s::sqlite3_clear_bindings(self.raw) };
    }
    pub fn readonly(&self) -> bool {
        // SAFETY: a prepared statement.
        unsafe { s::sqlite3_stmt_readonly(self.raw) != 0 }
    }
    /// It has been stepped and neither ended nor been reset.
    pub fn busy(&self) -> bool {
        // SAFETY: a prepared statement.
        unsafe { s::sqlite3_stmt_busy(self.raw) != 0 }
    }
    pub fn parameters(&self) -> i32 {
        // SAFETY: a prepared statement.
        unsafe { s::sqlite3_bind_parameter_count(self.raw) }
    }
    /// The name of parameter `i`, from 1, with its sigil.
    pub fn parameter_name(&self, i: i32) -> Option<Vec<u8>> {
        // SAFETY: a prepared statement; the name is null or NUL-terminated.
        unsafe { copied(s::sqlite3_bind_parameter_name(self.raw, i)) }
    }
    /// Binds parameter `i`, from 1; texts and blobs are copied.
    pub fn bind(&mut self, i: i32, value: &Arg<'_>) -> i32 {
        // SAFETY: a prepared statement; TRANSIENT makes the library copy the bytes during the call. A null pointer would
        // bind NULL, and that of an empty slice is not null.
        unsafe {
            match value {
                Arg::Null | Arg::NoMemory => s::sqlite3_bind_null(self.raw, i),
                Arg::Int(n) => s::sqlite3_bind_int64(self.raw, i, *n),
                Arg::Float(x) => s::sqlite3_bind_double(self.raw, i, *x),
                Arg::Text(t) => {
                    let Ok(len) = c_int::try_from(t.len()) else { return s::SQLITE_TOOBIG };
                    s::sqlite3_bind_text(self.raw, i, t.as_ptr().cast(), len, s::SQLITE_TRANSIENT())
                }
                Arg::Blob(b) => {
                    let Ok(len) = c_int::try_from(b.len()) else { return s::SQLITE_TOOBIG };
                    s::sqlite3_bind_blob(self.raw, i, b.as_ptr().cast(), len, s::SQLITE_TRANSIENT())
                }
            }
        }
    }
    pub fn columns(&self) -> i32 {
        // SAFETY: a prepared statement.
        unsafe { s::sqlite3_column_count(self.raw) }
    }
    /// Columns of the current row; 0 without one.
    pub fn data_count(&self) -> i32 {
        // SAFETY: a prepared statement.
        unsafe { s::sqlite3_data_count(self.raw) }
    }
    pub fn column_name(&self, i: i32) -> Option<Vec<u8>> {
        // SAFETY: a prepared statement.
        unsafe { copied(s::sqlite3_column_name(self.raw, i)) }
    }
    /// The type that the column was declared with.
    pub fn column_decltype(&self, i: i32) -> Option<Vec<u8>> {
        // SAFETY: a prepared statement.
        unsafe { copied(s::sqlite3_column_decltype(self.raw, i)) }
    }
    /// A column of the current row.
    pub fn column(&self, i: i32) -> Arg<'_> {
        // SAFETY: a prepared statement; the bytes stay until the next step or reset, which need `&mut self`.
        unsafe {
            match s::sqlite3_column_type(self.raw, i) {
                s::SQLITE_INTEGER => Arg::Int(s::sqlite3_column_int64(self.raw, i)),
                s::SQLITE_FLOAT => Arg::Float(s::sqlite3_column_double(self.raw, i)),
                s::SQLITE_TEXT => {
                    let text = s::sqlite3_column_text(self.raw, i);
                    self.bytes(text, i).map_or(Arg::NoMemory, Arg::Text)
                }
                s::SQLITE_BLOB => self.blob(i).map_or(Arg::NoMemory, Arg::Blob),
                _ => Arg::Null,
            }
        }
    }
    /// A column of the current row as bytes, for converters; `None` for NULL and for a blob without bytes.
    pub fn column_bytes(&self, i: i32) -> Option<&[u8]> {
        // SAFETY: as in `column`.
        unsafe { self.bytes(s::sqlite3_column_blob(self.raw, i).cast::<u8>(), i) }
    }
    fn blob(&self, i: i32) -> Option<&[u8]> {
        // SAFETY: as in `column`; a blob without bytes may have no address.
        unsafe {
            let blob = s::sqlite3_column_blob(self.raw, i).cast::<u8>();
            if blob.is_null() && s::sqlite3_errcode(self.db.raw()) != s::SQLITE_NOMEM {
                return Some(&[]);
            }
            self.bytes(blob, i)
        }
    }
    /// # Safety
    /// `start` is null or the bytes of column `i` of the current row.
    unsafe fn bytes(&self, start: *const u8, i: i32) -> Option<&[u8]> {
        if start.is_null() {
            return None;
        }
        // SAFETY: the caller's promise; the length belongs to the form that was asked for last.
        unsafe {
            let len = usize::try_from(s::sqlite3_column_bytes(self.raw, i)).unwrap_or(0);
            Some(std::slice::from_raw_parts(start, len))
        }
    }
}
