//! `_sqlite3`: the DB-API 2.0 on SQLite. Functions of the module and what its classes share are here. CPython:
//! `Modules/_sqlite/`.
mod adapters;
mod blob;
mod connection;
mod constants;
mod cursor;
mod errors;
mod row;
mod statement;

use std::ffi::{CStr, CString};
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use krait_libraries::sqlite;
use krait_object::native::{Sig, function};
use krait_object::{Args, Dict, Method, ModuleDef, PyResult, Ref, Thread, Value, ValueCell};
use krait_runtime::convert;
use krait_runtime::errors::value_error;
use krait_runtime::protocol::{call, compare};
use krait_runtime::types::module;
use krait_runtime::types::type_::ready::ready_class;
use krait_runtime::world::{back, outside as run};

pub static MODULE: ModuleDef = ModuleDef {
    functions: FUNCTIONS,
    classes: &[
        &connection::DEF,
        &cursor::DEF,
        &row::DEF,
        &blob::DEF,
        &adapters::PROTOCOL_DEF,
        &errors::ERROR_DEF,
        &errors::WARNING_DEF,
        &errors::INTERFACE_ERROR_DEF,
        &errors::DATABASE_ERROR_DEF,
        &errors::DATA_ERROR_DEF,
        &errors::INTEGRITY_ERROR_DEF,
        &errors::INTERNAL_ERROR_DEF,
        &errors::NOT_SUPPORTED_ERROR_DEF,
        &errors::OPERATIONAL_ERROR_DEF,
        &errors::PROGRAMMING_ERROR_DEF,
    ],
    init: Some(init),
    ..ModuleDef::new("_sqlite3")
};

/// What the module keeps per interpreter.
#[derive(Default)]
struct State {
    adapters: ValueCell,
    converters: ValueCell,
    /// Errors in callbacks are reported.
    tracebacks: AtomicBool,
    /// An adapter for one of the types that SQLite knows was registered.
    base_types_adapted: AtomicBool,
}
impl State {
    fn adapters(&self) -> Ref<Dict> {
        dict_in(&self.adapters)
    }
    fn converters(&self) -> Ref<Dict> {
        dict_in(&self.converters)
    }
}
fn dict_in(cell: &ValueCell) -> Ref<Dict> {
    cell.get_or_set(Dict::new().into()).downcast().unwrap_or_else(|_| Dict::new())
}

static FUNCTIONS: &[Method] = &[
    function(
        "connect",
        "(database, timeout=5.0, detect_types=0,\n        isolation_level='', check_same_thread=True,\n        factory=ConnectionType, cached_statements=128, uri=False, *,\n        autocommit=sqlite3.LEGACY_TRANSACTION_CONTROL)",
        "Open a connection to the SQLite database file 'database'.\n\n':memory:' opens a database in memory.",
        connect,
    )
    .raw(),
    function("adapt", "(obj, proto=PrepareProtocolType, alt=<unrepresentable>, /)", "Adapt an object to a protocol.", |th, a| {
        let proto = a.opt(1).cloned().unwrap_or_else(|| adapters::PROTOCOL.to_value());
        adapters::adapt(th, &a[0], &proto, a.opt(2))
    }),
    function("complete_statement", "(statement)", "Whether a string holds a complete SQL statement.", |th, a| {
        let text = text(th, &a[0], "complete_statement", "argument 'statement'")?;
        Ok(Value::bool(sqlite::complete(&text)))
    }),
    function("enable_callback_tracebacks", "(enable, /)", "Whether errors in callbacks are reported.", |th, a| {
        let on = compare::truth(th, &a[0])?;
        th.interp.extension::<State>().tracebacks.store(on, Relaxed);
        Ok(Value::NONE)
    }),
    function("register_adapter", "(type, adapter, /)", "Use a function to adapt objects of a type.", |th, a| {
        adapters::register(th, &a[0], &a[1])?;
        Ok(Value::NONE)
    }),
    function("register_converter", "(typename, converter, /)", "Use a function to convert values of an SQL type.", |th, a| {
        let name = convert::expect_str(th, &a[0], "register_converter", "argument 1")?;
        let upper = krait_runtime::protocol::attr::call_method(th, name.as_value(), "upper", &[])?;
        th.interp.extension::<State>().converters().set(th, upper, a[1].clone())?;
        Ok(Value::NONE)
    }),
];

fn init(th: &mut Thread, m: &Value) -> PyResult<()> {
    ready_class(th, &statement::DEF);
    let d = module::dict(m);
    constants::add(&d);
    let state = th.interp.extension::<State>();
    d.set_text("adapters", state.adapters());
    d.set_text("converters", state.converters());
    d.set_text("_deprecated_version", "2.6.0");
    d.set_text("sqlite_version", sqlite::version());
    // DB-API's level of thread safety for SQLite's threading modes.
    let safety = match sqlite::threadsafe() {
        0 => 0,
        1 => 3,
        _ => 1,
    };
    d.set_text("threadsafety", safety);
    Ok(())
}

const KEYWORDS: &str = "Parameters 'timeout', 'detect_types', 'isolation_level', 'check_same_thread', 'factory', 'cached_statements' and 'uri' will become keyword-only parameters in Python 3.15.";

fn connect(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    static SIG: Sig = Sig::new(
        "(database, timeout=5.0, detect_types=0, isolation_level='', check_same_thread=True, factory=None, cached_statements=128, uri=False, *, autocommit=-1)",
    );
    warn_positional(th, a.pos().len(), "sqlite3.connect()")?;
    let factory = a.pos().get(5).or_else(|| a.kw_get("factory")).cloned();
    match factory {
        Some(f) => call::call_args(th, &f, a),
        None => {
            SIG.bind(th, "connect", "connect", a, 0)?;
            call::call_args(th, &connection::CONNECTION.to_value(), a)
        }
    }
}
/// The DeprecationWarning about positional parameters that will be keywords.
fn warn_positional(th: &mut Thread, given: usize, function: &str) -> PyResult<()> {
    if !(2..=8).contains(&given) {
        return Ok(());
    }
    let message = format!("Passing more than 1 positional argument to {function} is deprecated. {KEYWORDS}");
    krait_runtime::warnings::deprecated(th, &message)
}

/// Reports or drops the exception of a callback, which cannot pass through the library.
fn report(th: &mut Thread, callable: &Value) {
    if th.interp.extension::<State>().tracebacks.load(Relaxed) {
        krait_runtime::errors::write_unraisable(th, Some(callable));
    } else {
        drop(th.take_exc());
    }
}

/// A `str` argument without NUL as a C string.
fn text(th: &mut Thread, v: &Value, function: &str, argument: &str) -> PyResult<CString> {
    let text = convert::expect_text(th, v, function, argument)?;
    match CString::new(text) {
        Ok(text) => Ok(text),
        Err(_) => Err(value_error(th, "embedded null character")),
    }
}
/// An optional `str` keyword, for names of databases.
fn text_or(th: &mut Thread, v: Option<&Value>, default: &CStr, function: &str, argument: &str) -> PyResult<CString> {
    match v {
        Some(v) => text(th, v, function, argument),
        None => Ok(default.to_owned()),
    }
}
