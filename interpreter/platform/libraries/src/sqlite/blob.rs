//! Blobs opened for reading and writing in place, and backups.
use std::ffi::{CStr, c_int};

use libsqlite3_sys as s;

use super::Db;

pub struct Blob {
    raw: *mut s::sqlite3_blob,
    db: Db,
}
// SAFETY: the library is serialized, and `Blob` is moved, not shared.
unsafe impl Send for Blob {}
impl Drop for Blob {
    fn drop(&mut self) {
        // SAFETY: opened, closed once; the connection is open as `db` holds it.
        unsafe { s::sqlite3_blob_close(self.raw) };
    }
}
impl Db {
    pub fn open_blob(&self, name: &CStr, table: &CStr, column: &CStr, row: i64, write: bool) -> Result<Blob, i32> {
        let mut raw = std::ptr::null_mut();
        // SAFETY: NUL-terminated strings.
        let code = unsafe {
            let (name, table, column) = (name.as_ptr(), table.as_ptr(), column.as_ptr());
            s::sqlite3_blob_open(self.raw(), name, table, column, row, write.into(), &mut raw)
        };
        if code == s::SQLITE_OK { Ok(Blob { raw, db: self.clone() }) } else { Err(code) }
    }
}
impl Blob {
    pub fn db(&self) -> &Db {
        &self.db
    }
    pub fn len(&self) -> usize {
        // SAFETY: an open blob.
        usize::try_from(unsafe { s::sqlite3_blob_bytes(self.raw) }).unwrap_or(0)
    }
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
    pub fn read(&self, out: &mut [u8], offset: usize) -> i32 {
        let (Ok(len), Ok(offset)) = (c_int::try_from(out.len()), c_int::try_from(offset)) else {
            return s::SQLITE_TOOBIG;
        };
        // SAFETY: an open blob and a slice of the stated length; the library checks the range.
        unsafe { s::sqlite3_blob_read(self.raw, out.as_mut_ptr().cast(), len, offset) }
    }
    pub fn write(&mut self, data: &[u8], offset: usize) -> i32 {
        let (Ok(len), Ok(offset)) = (c_int::try_from(data.len()), c_int::try_from(offset)) else {
            return s::SQLITE_TOOBIG;
        };
        // SAFETY: as in `read`.
        unsafe { s::sqlite3_blob_write(self.raw, data.as_ptr().cast(), len, offset) }
    }
}

pub struct Backup {
    raw: *mut s::sqlite3_backup,
    _target: Db,
    _source: Db,
}
impl Backup {
    /// A backup of database `name` into the main database of `target`, whose failure says why not.
    pub fn new(target: &Db, source: &Db, name: &CStr) -> Option<Backup> {
        // SAFETY: open connections, which the backup holds.
        let raw = unsafe { s::sqlite3_backup_init(target.raw(), c"main".as_ptr(), source.raw(), name.as_ptr()) };
        (!raw.is_null()).then(|| Backup { raw, _target: target.clone(), _source: source.clone() })
    }
    pub fn step(&mut self, pages: i32) -> i32 {
        // SAFETY: a backup that is not finished.
        unsafe { s::sqlite3_backup_step(self.raw, pages) }
    }
    pub fn remaining(&self) -> i32 {
        // SAFETY: as above.
        unsafe { s::sqlite3_backup_remaining(self.raw) }
    }
    pub fn page_count(&self) -> i32 {
        // SAFETY: as above.
        unsafe { s::sqlite3_backup_pagecount(self.raw) }
    }
    pub fn finish(mut self) -> i32 {
        let raw = std::mem::replace(&mut self.raw, std::ptr::null_mut());
        // SAFETY: finished once, here or in `drop`.
        unsafe { s::sqlite3_backup_finish(raw) }
    }
}
impl Drop for Backup {
    fn drop(&mut self) {
        if !self.raw.is_null() {
            // SAFETY: not finished yet.
            unsafe { s::sqlite3_backup_finish(self.raw) };
        }
    }
}
