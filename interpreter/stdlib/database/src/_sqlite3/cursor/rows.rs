//! Fetching rows: types, converters, factories.
use std::sync::atomic::Ordering::Relaxed;

use krait_libraries::sqlite::{Arg, codes};
use krait_object::builtin_types::{BYTES, STR};
use krait_object::{Bytes, PyResult, Raised, Str, Thread, Tuple, Value};
use krait_runtime::errors::memory_error;
use krait_runtime::protocol::{attr, call};
use krait_runtime::types::bytearray::BYTEARRAY;

use super::super::State;
use super::super::connection::Connection;
use super::super::constants::{PARSE_COLNAMES, PARSE_DECLTYPES};
use super::super::errors::{self, operational};
use super::super::statement::Statement;
use super::{Cursor, this};

/// Finds the converters of the columns by the types that the statement names.
pub fn build_converters(th: &mut Thread, c: &Cursor, connection: &Connection, s: &Statement) -> PyResult<()> {
    let detect = connection.detect_types();
    if detect == 0 {
        return Ok(());
    }
    let state = s.state.lock(th);
    let columns: Vec<_> = (0..state.columns()).map(|i| (state.column_name(i), state.column_decltype(i))).collect();
    drop(state);
    let converters = th.interp.extension::<State>().converters();
    let mut found = Vec::with_capacity(columns.len());
    for (name, declared) in columns {
        let mut converter = None;
        if detect & PARSE_COLNAMES != 0
            && let Some(name) = &name
            && let Some(start) = name.iter().position(|&b| b == b'[')
            && let Some(len) = name[start + 1..].iter().position(|&b| b == b']')
        {
            converter = lookup(th, &converters, &name[start + 1..start + 1 + len])?;
        }
        if converter.is_none()
            && detect & PARSE_DECLTYPES != 0
            && let Some(declared) = &declared
        {
            let end = declared.iter().position(|b| matches!(b, b' ' | b'(')).unwrap_or(declared.len());
            converter = lookup(th, &converters, &declared[..end])?;
        }
        found.push(converter.unwrap_or(Value::NONE));
    }
    *c.converters.lock() = found;
    Ok(())
}
fn lookup(th: &mut Thread, converters: &krait_object::Dict, name: &[u8]) -> PyResult<Option<Value>> {
    let name = Value::from(String::from_utf8_lossy(name).into_owned());
    let upper = attr::call_method(th, &name, "upper", &[])?;
    converters.get(th, &upper)
}

/// A column as it came: made a Python value without the statement's lock.
enum Field {
    Value(Value),
    Text(Vec<u8>),
    /// For a converter.
    Raw(Vec<u8>),
    NoMemory,
}
fn field(state: &krait_libraries::sqlite::Statement, i: i32, converted: bool) -> Field {
    if converted {
        return match state.column_bytes(i) {
            Some(bytes) => Field::Raw(bytes.to_vec()),
            None => Field::Value(Value::NONE),
        };
    }
    match state.column(i) {
        Arg::Null => Field::Value(Value::NONE),
        Arg::Int(n) => Field::Value(n.into()),
        Arg::Float(x) => Field::Value(x.into()),
        Arg::Text(t) => Field::Text(t.to_vec()),
        Arg::Blob(b) => Field::Value(Bytes::new(b).into()),
        Arg::NoMemory => Field::NoMemory,
    }
}
fn row(th: &mut Thread, c: &Cursor, connection: &Connection, s: &Statement) -> PyResult<Value> {
    let converters = if connection.detect_types() != 0 { c.converters.lock().clone() } else { Vec::new() };
    let state = s.state.lock(th);
    let converted = |i: i32| converters.get(i as usize).is_some_and(|c| !c.is_none());
    let fields: Vec<Field> = (0..state.data_count()).map(|i| field(&state, i, converted(i))).collect();
    drop(state);
    let mut items = Vec::with_capacity(fields.len());
    for (i, field) in fields.into_iter().enumerate() {
        items.push(match field {
            Field::Value(v) => v,
            Field::Raw(bytes) => call::call(th, &converters[i], &[Bytes::new(&bytes).into()])?,
            Field::Text(text) => make_text(th, connection, s, i, &text)?,
            Field::NoMemory => return Err(memory_error(th)),
        });
    }
    Ok(Tuple::from_vec(items).into())
}
fn make_text(th: &mut Thread, connection: &Connection, s: &Statement, i: usize, text: &[u8]) -> PyResult<Value> {
    let factory = connection.text_factory.get().unwrap_or_else(|| STR.to_value());
    if factory.is(&STR.to_value()) {
        return match std::str::from_utf8(text) {
            Ok(t) => Ok(Str::new(t).into()),
            Err(_) => {
                let name = s.state.lock(th).column_name(i as i32).unwrap_or_default();
                let ascii = |bytes: &[u8]| -> String {
                    bytes.iter().map(|&b| if b < 128 { char::from(b) } else { '\u{FFFD}' }).collect()
                };
                let text = &text[..text.iter().position(|&b| b == 0).unwrap_or(text.len())];
                let message =
                    format!("Could not decode to UTF-8 column '{}' with text '{}'", ascii(&name), ascii(text));
                Err(operational(th, message))
            }
        };
    }
    let bytes: Value = Bytes::new(text).into();
    if factory.is(&BYTES.to_value()) {
        return Ok(bytes);
    }
    if factory.is(&BYTEARRAY.to_value()) {
        return call::call(th, &BYTEARRAY.to_value(), &[bytes]);
    }
    call::call(th, &factory, &[bytes])
}

/// The next row; the statement is stepped ahead, so that its end is seen with the last row.
pub fn next(th: &mut Thread, me: &Value) -> PyResult<Option<Value>> {
    let c = this(me);
    let connection = c.check(th)?;
    let Some(s) = c.statement() else { return Ok(None) };
    if s.state.lock(th).data_count() == 0 {
        c.drop_statement(th);
        return Ok(None);
    }
    let row = c.locked(th, |th| row(th, c, &connection, &s))?;
    let db = connection.db(th)?;
    match s.step(th) {
        codes::SQLITE_ROW => {}
        codes::SQLITE_DONE => {
            if s.is_dml {
                c.rowcount.store(i64::from(db.changes()), Relaxed);
            }
            c.drop_statement(th);
        }
        _ => {
            drop(th.take_exc());
            let raised = errors::from_db(th, &db);
            let failed = th.take_exc();
            c.drop_statement(th);
            th.exc = failed;
            return Err(raised);
        }
    }
    if th.exc.is_some() {
        return Err(Raised::pending(th));
    }
    match c.row_factory.get().filter(|f| !f.is_none()) {
        Some(factory) => Ok(Some(call::call(th, &factory, &[me.clone(), row])?)),
        None => Ok(Some(row)),
    }
}
/// Rows up to a number of them; a number that is not positive is no limit.
pub fn collect(th: &mut Thread, me: &Value, most: Option<i64>) -> PyResult<Vec<Value>> {
    let mut rows = Vec::new();
    while let Some(row) = next(th, me)? {
        rows.push(row);
        if most == Some(rows.len() as i64) {
            break;
        }
    }
    Ok(rows)
}
