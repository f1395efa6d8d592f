//! `sqlite3.Statement`: a prepared statement, and how parameters are bound to it.
use std::ffi::CString;

use krait_libraries::sqlite::{self, Arg, Db, codes};
use krait_macros::{Payload, Trace};
use krait_object::builtin_types::OBJECT;
use krait_object::{ClassDef, Dict, List, PyResult, Ref, Str, Thread, Tuple, TypeObject, VTable, Value, type_flag};
use krait_runtime::errors::{in_flight, index_error, overflow_error, surrogates_not_allowed};
use krait_runtime::exceptions::LOOKUP_ERROR;
use krait_runtime::protocol::buffer::{has_buffer, hold};
use krait_runtime::protocol::sequence;
use krait_runtime::world::Exclusive;

use super::adapters::{self, PROTOCOL};
use super::errors::{self, data, programming};
use super::run;

#[derive(Trace, Payload)]
#[payload(class = STATEMENT)]
pub struct Statement {
    #[trace(skip)]
    pub state: Exclusive<sqlite::Statement>,
    /// It changes rows: INSERT, UPDATE, DELETE, REPLACE.
    #[trace(skip)]
    pub is_dml: bool,
}
static LAYOUT: VTable = VTable::of::<Statement>();
pub static STATEMENT: TypeObject = TypeObject::builtin("Statement", Some(&OBJECT), &LAYOUT);
pub static DEF: ClassDef = ClassDef {
    module: "sqlite3",
    flags: type_flag::IMMUTABLE | type_flag::DISALLOW_INSTANTIATION,
    ..ClassDef::new(&STATEMENT)
};

/// What stands behind blanks and comments; `None` if there is nothing.
fn after_comments(mut sql: &[u8]) -> Option<&[u8]> {
    loop {
        sql = sql.trim_ascii_start();
        if sql.starts_with(b"--") {
            let end = sql.iter().position(|&b| b == b'\n')?;
            sql = &sql[end + 1..];
        } else if sql.starts_with(b"/*") {
            let end = sql[2..].windows(2).position(|w| w == b"*/")?;
            sql = &sql[2 + end + 2..];
        } else {
            return (!sql.is_empty()).then_some(sql);
        }
    }
}
fn is_dml(sql: &[u8]) -> bool {
    let Some(sql) = after_comments(sql) else { return false };
    let begins = |word: &[u8]| sql.get(..word.len()).is_some_and(|s| s.eq_ignore_ascii_case(word));
    [&b"insert"[..], b"update", b"delete", b"replace"].iter().any(|w| begins(w))
}

/// Prepares the one statement of a text.
pub fn create(th: &mut Thread, db: &Db, sql: &Ref<Str>) -> PyResult<Ref<Statement>> {
    let Some(text) = sql.to_utf8().map(std::borrow::Cow::into_owned) else {
        return Err(surrogates_not_allowed(th, sql));
    };
    let most = db.limit(codes::SQLITE_LIMIT_SQL_LENGTH, -1);
    if text.len() > usize::try_from(most).unwrap_or(0) {
        return Err(data(th, "query string is too large"));
    }
    let dml = is_dml(text.as_bytes());
    let Ok(text) = CString::new(text) else {
        return Err(programming(th, "the query contains a null character"));
    };
    let (statement, more) = match run(th, || db.prepare(&text)) {
        Ok((statement, tail)) => (statement, after_comments(tail.to_bytes()).is_some()),
        Err(_) => return Err(errors::from_db(th, db)),
    };
    if more {
        return Err(programming(th, "You can only execute one statement at a time."));
    }
    Ok(Ref::new(Statement { state: Exclusive::new(statement), is_dml: dml }))
}

impl Statement {
    /// Whether it is in the middle of a result; true also while a thread runs it.
    pub fn busy(&self) -> bool {
        self.state.try_lock().is_none_or(|s| s.busy())
    }
    pub fn reset(&self, th: &mut Thread) -> i32 {
        let mut s = self.state.lock(th);
        run(th, || s.reset())
    }
    pub fn step(&self, th: &mut Thread) -> i32 {
        let mut s = self.state.lock(th);
        run(th, || s.step())
    }
    pub fn db(&self, th: &mut Thread) -> Db {
        self.state.lock(th).db().clone()
    }
}

/// Binds one parameter, from 1.
fn bind_one(th: &mut Thread, s: &Statement, i: i32, v: &Value) -> PyResult<()> {
    let bind = |th: &mut Thread, arg: Arg<'_>| s.state.lock(th).bind(i, &arg);
    let code = if v.is_none() {
        bind(th, Arg::Null)
    } else if let Some(n) = v.as_int_ref() {
        match n.to_i64() {
            Some(n) => bind(th, Arg::Int(n)),
            None => return Err(overflow_error(th, "Python int too large to convert to SQLite INTEGER")),
        }
    } else if let Some(x) = v.to_f64() {
        bind(th, Arg::Float(x))
    } else if let Some(t) = v.to_ref::<Str>() {
        match t.to_utf8() {
            Some(text) if i32::try_from(text.len()).is_err() => {
                return Err(overflow_error(th, "string longer than INT_MAX bytes"));
            }
            Some(text) => bind(th, Arg::Text(text.as_bytes())),
            None => return Err(surrogates_not_allowed(th, &t)),
        }
    } else if has_buffer(v) {
        let bytes = hold(th, v)?;
        if i32::try_from(bytes.len()).is_err() {
            return Err(overflow_error(th, "BLOB longer than INT_MAX bytes"));
        }
        bind(th, Arg::Blob(&bytes))
    } else {
        let class = v.class().name();
        return Err(programming(th, format!("Error binding parameter {i}: type '{class}' is not supported")));
    };
    if code == codes::SQLITE_OK {
        return Ok(());
    }
    let db = s.db(th);
    Err(errors::from_db(th, &db))
}
fn bind_adapted(th: &mut Thread, s: &Statement, i: i32, v: &Value) -> PyResult<()> {
    let adapted =
        if adapters::needed(th, v) { adapters::adapt(th, v, &PROTOCOL.to_value(), Some(v))? } else { v.clone() };
    bind_one(th, s, i, &adapted)
}
/// Binds all parameters: a sequence by position, a dict by name.
pub fn bind(th: &mut Thread, s: &Statement, parameters: &Value) -> PyResult<()> {
    let needed = s.state.lock(th).parameters();
    let is_list = parameters.downcast_ref::<Tuple>().is_some() || parameters.downcast_ref::<List>().is_some();
    let is_dict = parameters.downcast_ref::<Dict>().is_some();
    if is_list || (!is_dict && sequence::is_sequence(parameters)) {
        return bind_sequence(th, s, parameters, needed);
    }
    if !is_dict {
        return Err(programming(th, "parameters are of unsupported type"));
    }
    for i in 1..=needed {
        let name = s.state.lock(th).parameter_name(i);
        let Some(name) = name else {
            let message = format!("Binding {i} has no name, but you supplied a dictionary (which has only names).");
            return Err(programming(th, message));
        };
        let name = String::from_utf8_lossy(name.get(1..).unwrap_or_default()).into_owned();
        let value = match sequence::get_item(th, parameters, &Value::str(&name)) {
            Ok(v) => v,
            Err(raised) if !in_flight(th, &LOOKUP_ERROR) => return Err(raised),
            Err(_) => {
                drop(th.take_exc());
                let message = format!("You did not supply a value for binding parameter :{name}.");
                return Err(programming(th, message));
            }
        };
        bind_adapted(th, s, i, &value)?;
    }
    Ok(())
}
fn bind_sequence(th: &mut Thread, s: &Statement, parameters: &Value, needed: i32) -> PyResult<()> {
    let given = match (parameters.downcast_ref::<Tuple>(), parameters.downcast_ref::<List>()) {
        (Some(t), _) => t.len(),
        (None, Some(l)) => l.len(),
        (None, None) => sequence::len(th, parameters)?,
    };
    if i64::from(needed) != given as i64 {
        let message = format!(
            "Incorrect number of bindings supplied. The current statement uses {needed}, and there are {given} supplied."
        );
        return Err(programming(th, message));
    }
    for i in 0..given {
        let at = i as i32 + 1;
        if let Some(name) = s.state.lock(th).parameter_name(at).filter(|n| n.first() != Some(&b'?')) {
            let name = String::from_utf8_lossy(&name).into_owned();
            let message = format!(
                "Binding {at} ('{name}') is a named parameter, but you supplied a sequence which requires nominal (qmark) placeholders. Starting with Python 3.14 an sqlite3.ProgrammingError will be raised."
            );
            krait_runtime::warnings::deprecated(th, &message)?;
        }
        let value = match (parameters.downcast_ref::<Tuple>(), parameters.downcast_ref::<List>()) {
            (Some(t), _) => t.get(i).cloned(),
            // A list may shrink while an adapter runs.
            (None, Some(l)) => match l.get(i) {
                Some(v) => Some(v),
                None => return Err(index_error(th, "list index out of range")),
            },
            (None, None) => None,
        };
        let value = match value {
            Some(v) => v,
            None => sequence::get_item(th, parameters, &Value::from(i))?,
        };
        bind_adapted(th, s, at, &value)?;
    }
    Ok(())
}
