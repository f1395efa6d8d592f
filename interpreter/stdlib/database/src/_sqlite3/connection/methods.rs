//! The table of the connection's methods, and those that are neither transactions nor callbacks.
use krait_libraries::sqlite::{self, Backup, codes};
use krait_object::native::method;
use krait_object::{Args, Bytes, Method, PyResult, Str, Thread, Value};
use krait_runtime::convert::wrong_type;
use krait_runtime::errors::{type_error, value_error};
use krait_runtime::protocol::buffer::hold;
use krait_runtime::protocol::{attr, call, compare, number};

use super::super::cursor::{CURSOR, Cursor};
use super::super::{blob, constants, errors, run, text, text_or};
use super::callbacks as c;
use super::{Connection, transactions};

pub static METHODS: &[Method] = &[
    method(
        "backup",
        "(target, *, pages=-1, progress=None, name='main',\n       sleep=0.25)",
        "Makes a backup of the database.",
        backup,
    ),
    method(
        "close",
        "()",
        "Close the database connection.\n\nAny pending transaction is not committed implicitly.",
        close,
    ),
    method("commit", "()", "Commit any pending transaction to the database.", transactions::commit),
    method("create_aggregate", c::CREATE_AGGREGATE, "Creates a new aggregate.", c::create_aggregate).raw(),
    method("create_collation", "(name, callback, /)", "Creates a collation function.", c::create_collation),
    method("create_function", c::CREATE_FUNCTION, "Creates a new function.", c::create_function).raw(),
    method("cursor", "(factory=<unrepresentable>)", "Return a cursor for the connection.", cursor),
    method("__enter__", "()", "Called when the connection is used as a context manager.", transactions::enter),
    method("executemany", "(sql, parameters, /)", "Repeatedly executes an SQL statement.", |th, a| {
        through_cursor(th, a, "executemany", &[a[1].clone(), a[2].clone()])
    }),
    method("executescript", "(sql_script, /)", "Executes multiple SQL statements at once.", |th, a| {
        through_cursor(th, a, "executescript", &[a[1].clone()])
    }),
    method("execute", "(sql, parameters=<unrepresentable>, /)", "Executes an SQL statement.", |th, a| {
        let args: Vec<Value> = std::iter::once(&a[1]).chain(a.opt(2)).cloned().collect();
        through_cursor(th, a, "execute", &args)
    }),
    method(
        "__exit__",
        "(type, value, traceback, /)",
        "Called when the connection is used as a context manager.\n\nIf there was any exception, a rollback takes place; otherwise we commit.",
        transactions::exit,
    ),
    method("interrupt", "()", "Abort any pending database operation.", |th, a| {
        a.this::<Connection>().db(th)?.interrupt();
        Ok(Value::NONE)
    }),
    method(
        "iterdump",
        "(*, filter=None)",
        "Returns iterator to the dump of the database in an SQL text format.",
        iterdump,
    ),
    method("rollback", "()", "Roll back to the start of any pending transaction.", transactions::rollback),
    method("set_authorizer", c::SET_AUTHORIZER, "Set authorizer callback.", c::set_authorizer).raw(),
    method("set_progress_handler", c::SET_PROGRESS_HANDLER, "Set progress handler callback.", c::set_progress_handler)
        .raw(),
    method(
        "set_trace_callback",
        c::SET_TRACE_CALLBACK,
        "Set a trace callback called for each SQL statement (passed as unicode).",
        c::set_trace_callback,
    )
    .raw(),
    method("setlimit", "(category, limit, /)", "Set connection run-time limits.", |th, a| {
        let (category, limit) = (number::to_i32(th, &a[1])?, number::to_i32(th, &a[2])?);
        set_limit(th, a, category, limit)
    }),
    method("getlimit", "(category, /)", "Get connection run-time limits.", |th, a| {
        let category = number::to_i32(th, &a[1])?;
        set_limit(th, a, category, -1)
    }),
    method("serialize", "(*, name='main')", "Serialize a database into a byte string.", serialize),
    method("deserialize", "(data, /, *, name='main')", "Load a serialized database.", deserialize),
    method(
        "create_window_function",
        "(name, num_params, aggregate_class, /)",
        "Creates or redefines an aggregate window function. Non-standard.",
        c::create_window_function,
    ),
    method(
        "blobopen",
        "(table, column, row, /, *, readonly=False, name='main')",
        "Open and return a BLOB object.",
        blobopen,
    ),
    method("setconfig", "(op, enable=True, /)", "Set a boolean connection configuration option.", setconfig),
    method("getconfig", "(op, /)", "Query a boolean connection configuration option.", |th, a| {
        let op = option(th, &a[1])?;
        let db = a.this::<Connection>().checked(th)?;
        match db.configure(op, None) {
            Ok(on) => Ok(Value::bool(on)),
            Err(_) => Err(errors::from_db(th, &db)),
        }
    }),
];

fn close(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let c = a.this::<Connection>();
    c.check_thread(th)?;
    if !c.initialized.load(std::sync::atomic::Ordering::Relaxed) {
        return Err(errors::programming(th, "Base Connection.__init__ not called."));
    }
    c.release(th);
    Ok(Value::NONE)
}
fn cursor(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let c = a.this::<Connection>();
    c.checked(th)?;
    let factory = a.opt(1).cloned().unwrap_or_else(|| CURSOR.to_value());
    let made = call::call(th, &factory, &[a[0].clone()])?;
    let Some(cursor) = made.downcast_ref::<Cursor>() else {
        let class = made.class().name();
        return Err(type_error(th, format!("factory must return a cursor, not {class}")));
    };
    if let Some(row_factory) = c.row_factory.get().filter(|f| !f.is_none()) {
        cursor.row_factory.set(Some(row_factory));
    }
    Ok(made)
}
fn through_cursor(th: &mut Thread, a: &Args<'_>, name: &str, args: &[Value]) -> PyResult<Value> {
    let cursor = attr::call_method(th, &a[0], "cursor", &[])?;
    attr::call_method(th, &cursor, name, args)?;
    Ok(cursor)
}
fn iterdump(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    a.this::<Connection>().db(th)?;
    krait_runtime::import::import_module(th, "sqlite3.dump")?;
    let dump = krait_runtime::import::import_module(th, "sqlite3.dump")?;
    let Some(f) = attr::get_text_opt(th, &dump, "_iterdump")? else {
        return Err(errors::operational(th, "Failed to obtain _iterdump() reference"));
    };
    let filter = a.opt(1).cloned().unwrap_or(Value::NONE);
    let names = [krait_object::intern::intern("filter").into()];
    call::call_kw(th, &f, &[a[0].clone(), filter], &names)
}
fn set_limit(th: &mut Thread, a: &Args<'_>, category: i32, limit: i32) -> PyResult<Value> {
    let old = a.this::<Connection>().checked(th)?.limit(category, limit);
    if old < 0 {
        return Err(errors::programming(th, "'category' is out of bounds"));
    }
    Ok(old.into())
}
fn serialize(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let name = text_or(th, a.opt(1), c"main", "serialize", "argument 'name'")?;
    let db = a.this::<Connection>().checked(th)?;
    match run(th, || db.serialize(&name)) {
        Some(data) => Ok(Bytes::new(&data).into()),
        None => {
            let name = name.to_string_lossy();
            Err(errors::operational(th, format!("unable to serialize '{name}'")))
        }
    }
}
fn deserialize(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let data = match a[1].to_ref::<Str>() {
        Some(s) => match s.to_utf8() {
            Some(t) => t.as_bytes().to_vec(),
            None => return Err(krait_runtime::errors::surrogates_not_allowed(th, &s)),
        },
        None => hold(th, &a[1])?.to_vec(),
    };
    let name = text_or(th, a.opt(2), c"main", "deserialize", "argument 'name'")?;
    let db = a.this::<Connection>().checked(th)?;
    match run(th, || db.deserialize(&name, &data)) {
        Some(codes::SQLITE_OK) => Ok(Value::NONE),
        Some(_) => Err(errors::from_db(th, &db)),
        None => Err(krait_runtime::errors::memory_error(th)),
    }
}
fn blobopen(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let table = text(th, &a[1], "blobopen", "argument 1")?;
    let column = text(th, &a[2], "blobopen", "argument 2")?;
    let row = row_id(th, &a[3])?;
    let readonly = a.opt(4).map_or(Ok(false), |v| compare::truth(th, v))?;
    let name = text_or(th, a.opt(5), c"main", "blobopen", "argument 'name'")?;
    let c = a.this_ref::<Connection>();
    let db = c.checked(th)?;
    match run(th, || db.open_blob(&name, &table, &column, row, !readonly)) {
        Ok(opened) => {
            let (v, handle) = blob::new(c.clone(), opened);
            c.add_blob(&handle);
            Ok(v)
        }
        Err(_) => Err(errors::from_db(th, &db)),
    }
}
fn row_id(th: &mut Thread, v: &Value) -> PyResult<i64> {
    let i = number::index(th, v)?;
    match i.as_int_ref().and_then(|i| i.to_i64()) {
        Some(n) => Ok(n),
        None => Err(krait_runtime::errors::overflow_error(th, "Python int too large to convert to SQLite INTEGER")),
    }
}
fn option(th: &mut Thread, v: &Value) -> PyResult<i32> {
    let op = number::to_i32(th, v)?;
    if !constants::is_switch(op) {
        return Err(value_error(th, format!("unknown config 'op': {op}")));
    }
    Ok(op)
}
fn setconfig(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let c = a.this::<Connection>();
    let on = a.opt(2).map_or(Ok(true), |v| compare::truth(th, v))?;
    let db = c.checked(th)?;
    let op = option(th, &a[1])?;
    match db.configure(op, Some(on)) {
        Ok(now) if now == on => Ok(Value::NONE),
        Ok(_) => Err(errors::operational(th, "Unable to set config")),
        Err(_) => Err(errors::from_db(th, &db)),
    }
}

fn backup(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let Some(target) = a[1].downcast_ref::<Connection>() else {
        return Err(wrong_type(th, "backup", "argument 1", "sqlite3.Connection", &a[1]));
    };
    let pages = a.opt(2).map_or(Ok(-1), |v| number::to_i32(th, v))?;
    let progress = a.opt_not_none(3);
    let name = text_or(th, a.opt(4), c"main", "backup", "argument 'name'")?;
    let sleep = a.opt(5).map_or(Ok(0.25), |v| number::to_f64(th, v))?;
    let c = a.this::<Connection>();
    let source = c.checked(th)?;
    let to = target.db(th)?;
    if to.is_same(&source) {
        return Err(value_error(th, "target cannot be the same connection instance"));
    }
    if progress.is_some_and(|p| !call::is_callable(p)) {
        return Err(type_error(th, "progress argument must be a callable"));
    }
    let pages = if pages == 0 { -1 } else { pages };
    let Some(mut backup) = run(th, || Backup::new(&to, &source, &name)) else {
        return Err(errors::from_db(th, &to));
    };
    loop {
        let code = run(th, || backup.step(pages));
        if let Some(progress) = progress {
            let args = [code.into(), backup.remaining().into(), backup.page_count().into()];
            call::call(th, progress, &args)?;
        }
        match code {
            codes::SQLITE_BUSY | codes::SQLITE_LOCKED => run(th, || sqlite::sleep((sleep * 1000.0) as i32)),
            codes::SQLITE_OK => {}
            _ => break,
        }
    }
    match run(th, || backup.finish()) {
        codes::SQLITE_OK => Ok(Value::NONE),
        _ => Err(errors::from_db(th, &to)),
    }
}
