//! What SQL calls: functions, aggregates, window functions, collations; and the hooks of a connection.
//!
//! The closures hold the callables. They run within [`run`](super::super::run), and come back to Python through
//! [`back`](super::super::back).
use std::ffi::CStr;
use std::sync::Arc;

use krait_libraries::sqlite::{self, Aggregate, Arg, Reply, Traced, codes};
use krait_object::native::Sig;
use krait_object::{Args, Bytes, PyResult, Str, Thread, Value};
use krait_runtime::errors::{in_flight, overflow_error, surrogates_not_allowed, type_error};
use krait_runtime::exceptions::{ATTRIBUTE_ERROR, MEMORY_ERROR, OVERFLOW_ERROR};
use krait_runtime::protocol::buffer::{bytes_like, has_buffer};
use krait_runtime::protocol::{attr, call, compare, number};
use krait_runtime::warnings;

use super::super::{back, errors, report, run, text};
use super::Connection;

/// An argument from SQL. Text that is no UTF-8 raises.
fn from_sql(th: &mut Thread, arg: &Arg<'_>) -> PyResult<Value> {
    Ok(match arg {
        Arg::Null => Value::NONE,
        Arg::Int(n) => (*n).into(),
        Arg::Float(x) => (*x).into(),
        Arg::Text(t) => match std::str::from_utf8(t) {
            Ok(t) => Str::new(t).into(),
            Err(e) => {
                let (start, object) = (e.valid_up_to(), Bytes::new(t).into());
                let end = start + e.error_len().unwrap_or(t.len() - start);
                let raised =
                    krait_runtime::errors::unicode_decode_error(th, "utf-8", object, start, end, "invalid start byte");
                return Err(raised);
            }
        },
        Arg::Blob(b) => Bytes::new(b).into(),
        Arg::NoMemory => return Err(krait_runtime::errors::memory_error(th)),
    })
}
fn all_from_sql(th: &mut Thread, args: &[Arg<'_>]) -> PyResult<Vec<Value>> {
    args.iter().map(|a| from_sql(th, a)).collect()
}
/// A result for SQL. A type that SQLite has not is an error without an exception.
fn to_sql(th: &mut Thread, v: &Value) -> PyResult<Option<Reply>> {
    if v.is_none() {
        return Ok(Some(Reply::Null));
    }
    if let Some(n) = v.as_int_ref() {
        return match n.to_i64() {
            Some(n) => Ok(Some(Reply::Int(n))),
            None => Err(overflow_error(th, "Python int too large to convert to SQLite INTEGER")),
        };
    }
    if let Some(x) = v.to_f64() {
        return Ok(Some(Reply::Float(x)));
    }
    if let Some(s) = v.to_ref::<Str>() {
        return match s.to_utf8() {
            Some(t) if i32::try_from(t.len()).is_err() => {
                Err(overflow_error(th, "string is longer than INT_MAX bytes"))
            }
            Some(t) => Ok(Some(Reply::Text(t.as_bytes().to_vec()))),
            None => Err(surrogates_not_allowed(th, &s)),
        };
    }
    if has_buffer(v) {
        let bytes = bytes_like(th, v)?;
        if i32::try_from(bytes.len()).is_err() {
            return Err(overflow_error(th, "BLOB longer than INT_MAX bytes"));
        }
        return Ok(Some(Reply::Blob(bytes)));
    }
    Ok(None)
}
/// The error of a callback: what SQLite says of it; the exception is reported or dropped.
fn failed(th: &mut Thread, callable: &Value, message: &'static str) -> Reply {
    let reply = if in_flight(th, &MEMORY_ERROR) {
        Reply::NoMemory
    } else if in_flight(th, &OVERFLOW_ERROR) {
        Reply::TooBig
    } else {
        Reply::Error(message)
    };
    if th.exc.is_some() {
        report(th, callable);
    }
    reply
}
fn answer(th: &mut Thread, callable: &Value, result: PyResult<Value>, message: &'static str) -> Reply {
    match result.and_then(|v| to_sql(th, &v)) {
        Ok(Some(reply)) => reply,
        Ok(None) | Err(_) => failed(th, callable, message),
    }
}

/// The texts of SQLite's errors where a method of an aggregate is missing or fails.
struct Messages {
    name: &'static str,
    missing: &'static str,
    raised: &'static str,
}
macro_rules! messages {
    ($($id:ident $name:literal;)*) => { $(const $id: Messages = Messages {
        name: $name,
        missing: concat!("user-defined aggregate's '", $name, "' method not defined"),
        raised: concat!("user-defined aggregate's '", $name, "' method raised error"),
    };)* };
}
messages! { STEP "step"; INVERSE "inverse"; VALUE "value"; FINALIZE "finalize"; }

/// A class whose instances gather rows.
struct Gatherer(Value);
impl Gatherer {
    /// Calls a method of the group's instance with a row.
    fn feed(&self, state: &mut Option<Value>, args: &[Arg<'_>], m: &Messages) -> Reply {
        back(|th| {
            let instance = match state {
                Some(instance) => instance.clone(),
                None => match call::call(th, &self.0, &[]) {
                    Ok(instance) => state.insert(instance).clone(),
                    Err(_) => {
                        return failed(th, &self.0, "user-defined aggregate's '__init__' method raised error");
                    }
                },
            };
            let Ok(method) = attr::get_text(th, &instance, m.name) else { return failed(th, &self.0, m.missing) };
            match all_from_sql(th, args).and_then(|args| call::call(th, &method, &args)) {
                Ok(_) => Reply::Nothing,
                Err(_) => failed(th, &self.0, m.raised),
            }
        })
        .unwrap_or(Reply::Error(m.raised))
    }
}
impl Aggregate for Gatherer {
    type State = Value;
    fn step(&self, state: &mut Option<Value>, args: &[Arg<'_>]) -> Reply {
        self.feed(state, args, &STEP)
    }
    fn inverse(&self, state: &mut Option<Value>, args: &[Arg<'_>]) -> Reply {
        self.feed(state, args, &INVERSE)
    }
    fn value(&self, state: &mut Option<Value>) -> Reply {
        let Some(instance) = state else { return Reply::Nothing };
        back(|th| {
            let result = attr::call_method(th, instance, "value", &[]);
            let missing = in_flight(th, &ATTRIBUTE_ERROR);
            answer(th, &self.0, result, if missing { VALUE.missing } else { VALUE.raised })
        })
        .unwrap_or(Reply::Error(VALUE.raised))
    }
    fn finish(&self, state: Option<Value>) -> Reply {
        let Some(instance) = state else { return Reply::Nothing };
        back(|th| {
            let earlier = th.take_exc();
            let result = attr::call_method(th, &instance, "finalize", &[]);
            let missing = in_flight(th, &ATTRIBUTE_ERROR);
            let reply = answer(th, &self.0, result, if missing { FINALIZE.missing } else { FINALIZE.raised });
            drop(instance);
            th.exc = earlier;
            reply
        })
        .unwrap_or(Reply::Error(FINALIZE.raised))
    }
}

/// Warns of parameters given by name that will be positional only.
fn warn_names(th: &mut Thread, positional: usize, names: &[&str], function: &str) -> PyResult<()> {
    if positional >= names.len() {
        return Ok(());
    }
    let quoted: Vec<String> = names.iter().map(|n| format!("'{n}'")).collect();
    let (listed, s) = match quoted.split_last() {
        Some((last, rest)) if !rest.is_empty() => (format!("{} and {last}", rest.join(", ")), "s"),
        _ => (quoted.concat(), ""),
    };
    let message = format!(
        "Passing keyword argument{s} {listed} to _sqlite3.Connection.{function}() is deprecated. Parameter{s} {listed} will become positional-only in Python 3.15."
    );
    warnings::deprecated(th, &message)
}

pub const CREATE_FUNCTION: &str = "(name, narg, func, *, deterministic=False)";
pub fn create_function(th: &mut Thread, args: &Args<'_>) -> PyResult<Value> {
    static SIG: Sig = Sig::new(CREATE_FUNCTION);
    let bound = SIG.bind(th, "create_function", "Connection.create_function", args, 1)?;
    warn_names(th, args.pos().len() - 1, &["name", "narg", "func"], "create_function")?;
    let a = bound.args();
    let name = text(th, &a[1], "create_function", "argument 'name'")?;
    let n = number::to_i32(th, &a[2])?;
    let deterministic = a.opt(4).map_or(Ok(false), |v| compare::truth(th, v))?;
    let db = args.this::<Connection>().checked(th)?;
    let f = a[3].clone();
    const MESSAGE: &str = "user-defined function raised exception";
    let closure = move |given: &[Arg<'_>]| {
        back(|th| {
            let result = all_from_sql(th, given).and_then(|args| call::call(th, &f, &args));
            answer(th, &f, result, MESSAGE)
        })
        .unwrap_or(Reply::Error(MESSAGE))
    };
    match db.create_function(&name, n, deterministic, Some(Box::new(closure))) {
        codes::SQLITE_OK => Ok(Value::NONE),
        _ => Err(errors::operational(th, "Error creating function")),
    }
}
pub const CREATE_AGGREGATE: &str = "(name, n_arg, aggregate_class)";
pub fn create_aggregate(th: &mut Thread, args: &Args<'_>) -> PyResult<Value> {
    static SIG: Sig = Sig::new(CREATE_AGGREGATE);
    let bound = SIG.bind(th, "create_aggregate", "Connection.create_aggregate", args, 1)?;
    warn_names(th, args.pos().len() - 1, &["name", "n_arg", "aggregate_class"], "create_aggregate")?;
    let a = bound.args();
    let name = text(th, &a[1], "create_aggregate", "argument 'name'")?;
    let n = number::to_i32(th, &a[2])?;
    let db = args.this::<Connection>().checked(th)?;
    match db.create_aggregate(&name, n, Some(Gatherer(a[3].clone()))) {
        codes::SQLITE_OK => Ok(Value::NONE),
        _ => Err(errors::operational(th, "Error creating aggregate")),
    }
}
pub fn create_window_function(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let name = text(th, &a[1], "create_window_function", "argument 1")?;
    let n = number::to_i32(th, &a[2])?;
    let db = a.this::<Connection>().checked(th)?;
    let class = (!a[3].is_none()).then(|| Gatherer(a[3].clone()));
    match db.create_window_function(&name, n, class) {
        codes::SQLITE_OK => Ok(Value::NONE),
        // The connection has no message for this.
        code => Err(errors::programming(th, sqlite::error_string(code))),
    }
}
pub fn create_collation(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let name = text(th, &a[1], "create_collation", "argument 1")?;
    let db = a.this::<Connection>().checked(th)?;
    let f = a[2].clone();
    if !f.is_none() && !call::is_callable(&f) {
        return Err(type_error(th, "parameter must be callable"));
    }
    let closure = (!f.is_none()).then(|| {
        let closure = move |a: &[u8], b: &[u8]| back(|th| collate(th, &f, a, b)).unwrap_or(0);
        Box::new(closure) as Box<dyn Fn(&[u8], &[u8]) -> i32>
    });
    match db.create_collation(&name, closure) {
        codes::SQLITE_OK => Ok(Value::NONE),
        _ => Err(errors::from_db(th, &db)),
    }
}
/// Compares two texts. An exception stays in flight, and all that follows is equal, until the statement returns.
fn collate(th: &mut Thread, f: &Value, a: &[u8], b: &[u8]) -> i32 {
    if th.exc.is_some() {
        return 0;
    }
    let Ok(args) = all_from_sql(th, &[Arg::Text(a), Arg::Text(b)]) else { return 0 };
    let Ok(result) = call::call(th, f, &args) else { return 0 };
    match result.as_int_ref() {
        Some(n) if n.is_zero() => 0,
        Some(n) if n.is_negative() => -1,
        Some(_) => 1,
        None => 0,
    }
}

pub const SET_AUTHORIZER: &str = "(authorizer_callback)";
pub fn set_authorizer(th: &mut Thread, args: &Args<'_>) -> PyResult<Value> {
    static SIG: Sig = Sig::new(SET_AUTHORIZER);
    let bound = SIG.bind(th, "set_authorizer", "Connection.set_authorizer", args, 1)?;
    warn_names(th, args.pos().len() - 1, &["authorizer_callback"], "set_authorizer")?;
    let f = bound.args()[1].clone();
    let db = args.this::<Connection>().checked(th)?;
    let closure = (!f.is_none()).then(|| {
        let closure = move |action: i32, about: [Option<&CStr>; 4]| {
            back(|th| authorize(th, &f, action, about)).unwrap_or(codes::SQLITE_DENY)
        };
        Arc::new(closure) as Arc<dyn Fn(i32, [Option<&CStr>; 4]) -> i32>
    });
    match run(th, || db.set_authorizer(closure)) {
        codes::SQLITE_OK => Ok(Value::NONE),
        _ => Err(errors::operational(th, "Error setting authorizer callback")),
    }
}
fn authorize(th: &mut Thread, f: &Value, action: i32, about: [Option<&CStr>; 4]) -> i32 {
    let mut args = vec![Value::from(action)];
    args.extend(about.map(|t| t.map(|t| Value::from(t.to_string_lossy().into_owned())).into()));
    let answer = call::call(th, f, &args).and_then(|v| match v.as_int_ref() {
        Some(_) => number::to_i32(th, &v),
        None => Ok(codes::SQLITE_DENY),
    });
    answer.unwrap_or_else(|_| {
        report(th, f);
        codes::SQLITE_DENY
    })
}
pub const SET_PROGRESS_HANDLER: &str = "(progress_handler, n)";
pub fn set_progress_handler(th: &mut Thread, args: &Args<'_>) -> PyResult<Value> {
    static SIG: Sig = Sig::new(SET_PROGRESS_HANDLER);
    let bound = SIG.bind(th, "set_progress_handler", "Connection.set_progress_handler", args, 1)?;
    warn_names(th, args.pos().len() - 1, &["progress_handler"], "set_progress_handler")?;
    let n = number::to_i32(th, &bound.args()[2])?;
    let f = bound.args()[1].clone();
    let db = args.this::<Connection>().checked(th)?;
    let closure = (!f.is_none()).then(|| {
        let closure = move || {
            back(|th| match call::call(th, &f, &[]).and_then(|v| compare::truth(th, &v)) {
                Ok(stop) => i32::from(stop),
                Err(_) => {
                    report(th, &f);
                    -1
                }
            })
            .unwrap_or(0)
        };
        Arc::new(closure) as Arc<dyn Fn() -> i32>
    });
    run(th, || db.set_progress(n, closure));
    Ok(Value::NONE)
}
pub const SET_TRACE_CALLBACK: &str = "(trace_callback)";
pub fn set_trace_callback(th: &mut Thread, args: &Args<'_>) -> PyResult<Value> {
    static SIG: Sig = Sig::new(SET_TRACE_CALLBACK);
    let bound = SIG.bind(th, "set_trace_callback", "Connection.set_trace_callback", args, 1)?;
    warn_names(th, args.pos().len() - 1, &["trace_callback"], "set_trace_callback")?;
    let f = bound.args()[1].clone();
    let db = args.this::<Connection>().checked(th)?;
    let closure = (!f.is_none()).then(|| {
        let closure = move |traced: Traced<'_>| {
            back(|th| trace(th, &f, traced));
        };
        Arc::new(closure) as Arc<dyn Fn(Traced<'_>)>
    });
    db.set_trace(closure);
    Ok(Value::NONE)
}
fn trace(th: &mut Thread, f: &Value, traced: Traced<'_>) {
    let sql = match traced {
        Traced::Sql(sql) => sql,
        Traced::TooLong(sql) => {
            let _ = errors::data(th, "Expanded SQL string exceeds the maximum string length");
            report(th, f);
            sql
        }
    };
    let sql = Value::from(sql.to_string_lossy().into_owned());
    if call::call(th, f, &[sql]).is_err() {
        report(th, f);
    }
}
