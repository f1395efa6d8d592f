//! Transactions: implicit in the legacy mode, always open with `autocommit=False`, none with `autocommit=True`.
use std::ffi::{CStr, CString};
use std::sync::atomic::Ordering::Relaxed;

use krait_libraries::sqlite::{Db, codes};
use krait_object::{Args, PyResult, Raised, Thread, Value};
use krait_runtime::errors::chain_earlier;

use super::super::{errors, run};
use super::{Connection, DISABLED, ENABLED, LEGACY, attribute_error, autocommit_of, level, this};

impl Connection {
    /// Runs a statement without parameters and rows.
    pub fn simple(&self, th: &mut Thread, db: &Db, sql: &CStr) -> PyResult<()> {
        let done = run(th, || {
            let (mut statement, _) = db.prepare(sql)?;
            match statement.step() {
                codes::SQLITE_DONE | codes::SQLITE_ROW | codes::SQLITE_OK => Ok(()),
                // The message is that of this moment, and stays in the connection.
                code => Err(code),
            }
        });
        match done {
            Ok(()) => Ok(()),
            Err(_) => Err(errors::from_db(th, db)),
        }
    }
    /// Begins a transaction of the isolation level.
    pub fn begin(&self, th: &mut Thread, db: &Db) -> PyResult<()> {
        let level = self.isolation_level().unwrap_or_default();
        let sql = CString::new(format!("BEGIN {level}")).unwrap_or_default();
        self.simple(th, db, &sql)
    }
    fn finish(&self, th: &mut Thread, sql: &CStr) -> PyResult<()> {
        let db = self.checked(th)?;
        match self.autocommit() {
            LEGACY if !db.autocommit() => self.simple(th, &db, sql),
            DISABLED => {
                self.simple(th, &db, sql)?;
                self.simple(th, &db, c"BEGIN")
            }
            _ => Ok(()),
        }
    }
}

pub fn commit(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    a.this::<Connection>().finish(th, c"COMMIT")?;
    Ok(Value::NONE)
}
pub fn rollback(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    a.this::<Connection>().finish(th, c"ROLLBACK")?;
    Ok(Value::NONE)
}
pub fn enter(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    a.this::<Connection>().db(th)?;
    Ok(a[0].clone())
}
/// Commits, or rolls back where the block failed.
pub fn exit(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let c = a.this::<Connection>();
    if c.autocommit() == ENABLED {
        return Ok(Value::FALSE);
    }
    if (1..4).any(|i| !a[i].is_none()) {
        c.finish(th, c"ROLLBACK")?;
        return Ok(Value::FALSE);
    }
    let Err(raised) = c.finish(th, c"COMMIT") else { return Ok(Value::FALSE) };
    // A commit that failed leaves the transaction open, and the database locked.
    let failed = th.take_exc();
    match c.finish(th, c"ROLLBACK") {
        Ok(()) => {
            th.exc = failed;
            Err(raised)
        }
        Err(later) => {
            chain_earlier(th, failed);
            Err(later)
        }
    }
}

pub fn set_isolation_level(th: &mut Thread, v: &Value, new: Option<&Value>) -> PyResult<()> {
    let c = this(v);
    let Some(new) = new else { return Err(attribute_error(th, "cannot delete attribute")) };
    if new.is_none() {
        c.isolation_level.set(None);
        return c.finish(th, c"COMMIT");
    }
    let level = level(th, new)?;
    c.isolation_level.set(level);
    Ok(())
}
pub fn set_autocommit(th: &mut Thread, v: &Value, new: Option<&Value>) -> PyResult<()> {
    let c = this(v);
    let db = c.checked(th)?;
    let Some(new) = new else { return Err(cannot_delete(th)) };
    let mode = autocommit_of(th, new)?;
    if mode == ENABLED && !db.autocommit() {
        c.simple(th, &db, c"COMMIT")?;
    }
    if mode == DISABLED && db.autocommit() {
        c.simple(th, &db, c"BEGIN")?;
    }
    c.autocommit.store(mode, Relaxed);
    Ok(())
}
#[cold]
fn cannot_delete(th: &mut Thread) -> Raised {
    attribute_error(th, "cannot delete attribute")
}
