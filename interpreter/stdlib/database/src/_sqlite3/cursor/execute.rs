//! Running statements: parameters, implicit transactions, description and row count.
use std::sync::atomic::Ordering::Relaxed;

use krait_libraries::sqlite::codes;
use krait_object::{Args, PyResult, Raised, Ref, Str, Thread, Tuple, Value};
use krait_runtime::convert::expect_str;
use krait_runtime::errors::raise_from_current;
use krait_runtime::protocol::iter;

use super::super::connection::{Connection, LEGACY};
use super::super::constants::PARSE_COLNAMES;
use super::super::errors::{self, OPERATIONAL_ERROR, data, programming};
use super::super::statement::{self, Statement};
use super::super::{report, run, text};
use super::{Cursor, rows, this};

pub fn execute(th: &mut Thread, me: &Value, sql: &Value, second: Option<&Value>, many: bool) -> PyResult<Value> {
    let name = if many { "executemany" } else { "execute" };
    let sql = expect_str(th, sql, name, "argument 1")?;
    let c = this(me);
    let connection = c.check(th)?;
    let done = c.locked(th, |th| run_all(th, c, &connection, &sql, second, many));
    match done {
        Ok(()) => {
            if c.statement().is_some_and(|s| !s.busy()) {
                c.statement.set(None);
            }
            Ok(me.clone())
        }
        Err(raised) => {
            c.drop_statement(th);
            c.rowcount.store(-1, Relaxed);
            Err(raised)
        }
    }
}
fn run_all(
    th: &mut Thread,
    c: &Cursor,
    connection: &Ref<Connection>,
    sql: &Ref<Str>,
    second: Option<&Value>,
    many: bool,
) -> PyResult<()> {
    let parameters = match second {
        Some(p) if many => Some(iter::iter(th, p)?),
        _ => None,
    };
    c.description.set(Some(Value::NONE));
    c.drop_statement(th);
    let mut s = connection.cached_statement(th, sql)?;
    if many && s.state.lock(th).readonly() {
        return Err(programming(th, "executemany() can only execute DML statements."));
    }
    if s.busy() {
        let db = connection.db(th)?;
        s = statement::create(th, &db, sql)?;
    }
    c.statement.set(Some(s.to_value()));
    s.reset(th);
    c.rowcount.store(if s.is_dml { 0 } else { -1 }, Relaxed);
    let db = connection.db(th)?;
    let implicit = connection.autocommit() == LEGACY && connection.isolation_level().is_some();
    if implicit && s.is_dml && db.autocommit() {
        connection.begin(th, &db)?;
    }
    match parameters {
        Some(it) => {
            while let Some(p) = iter::next(th, &it)? {
                run_once(th, c, connection, &s, &p)?;
            }
        }
        None => {
            let p = second.cloned().unwrap_or_else(|| Tuple::empty().into());
            run_once(th, c, connection, &s, &p)?;
            c.lastrowid.set(Some(db.last_insert_rowid().into()));
        }
    }
    Ok(())
}
fn run_once(
    th: &mut Thread,
    c: &Cursor,
    connection: &Ref<Connection>,
    s: &Ref<Statement>,
    parameters: &Value,
) -> PyResult<()> {
    statement::bind(th, s, parameters)?;
    let code = s.step(th);
    if code == codes::SQLITE_OK {
        // A text without a statement.
        return Ok(());
    }
    let db = connection.db(th)?;
    if code != codes::SQLITE_DONE && code != codes::SQLITE_ROW {
        if th.exc.is_some() {
            report(th, s.as_value());
        }
        return Err(errors::from_db(th, &db));
    }
    // A collation failed: its comparison counted as "equal", and the error comes out here.
    if th.exc.is_some() {
        return Err(Raised::pending(th));
    }
    if let Err(raised) = rows::build_converters(th, c, connection, s) {
        return Err(raise_from_current(th, raised, &OPERATIONAL_ERROR, "Error while building row_cast_map"));
    }
    describe(th, c, connection, s);
    if code == codes::SQLITE_DONE {
        if s.is_dml {
            c.rowcount.fetch_add(i64::from(db.changes()), Relaxed);
        }
        s.reset(th);
    }
    Ok(())
}
/// Sets `description`: a tuple of seven for each column, of which only the name is known.
fn describe(th: &mut Thread, c: &Cursor, connection: &Connection, s: &Statement) {
    let state = s.state.lock(th);
    let n = state.columns();
    if n == 0 || c.description.get().is_some_and(|d| !d.is_none()) {
        return;
    }
    let column = |i: i32| {
        let mut name = state.column_name(i).unwrap_or_default();
        if connection.detect_types() & PARSE_COLNAMES != 0
            && let Some(bracket) = name.iter().position(|&b| b == b'[')
        {
            let end = if bracket > 0 && name[bracket - 1] == b' ' { bracket - 1 } else { bracket };
            name.truncate(end);
        }
        let mut items = vec![Value::NONE; 7];
        items[0] = Value::from(String::from_utf8_lossy(&name).into_owned());
        Value::from(Tuple::from_vec(items))
    };
    let columns: Vec<Value> = (0..n).map(column).collect();
    drop(state);
    c.description.set(Some(Tuple::from_vec(columns).into()));
}

pub fn script(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let sql = text(th, &a[1], "executescript", "argument")?;
    let c = a.this::<Cursor>();
    let connection = c.check(th)?;
    let db = connection.db(th)?;
    let most = db.limit(codes::SQLITE_LIMIT_SQL_LENGTH, -1);
    if sql.as_bytes().len() > usize::try_from(most).unwrap_or(0) {
        return Err(data(th, "query string is too large"));
    }
    if connection.autocommit() == LEGACY && !db.autocommit() {
        connection.simple(th, &db, c"COMMIT")?;
    }
    let mut rest = sql.as_c_str();
    while !rest.is_empty() {
        let next = run(th, || {
            let (mut s, tail) = db.prepare(rest)?;
            loop {
                match s.step() {
                    codes::SQLITE_ROW => {}
                    codes::SQLITE_DONE | codes::SQLITE_OK => return Ok(tail),
                    code => return Err(code),
                }
            }
        });
        match next {
            Ok(tail) => rest = tail,
            Err(_) => return Err(errors::from_db(th, &db)),
        }
        if th.exc.is_some() {
            return Err(Raised::pending(th));
        }
    }
    Ok(a[0].clone())
}
