//! The DB-API's exceptions, and which of them a result code is.
use krait_libraries::sqlite::{self, Db, codes};
use krait_object::{ClassDef, Raised, Thread, TypeObject, Value, type_flag};
use krait_runtime::errors::{memory_error, raise, raise_value};
use krait_runtime::exceptions::{self, EXCEPTION};
use krait_runtime::protocol::attr;

use super::constants;

macro_rules! exceptions {
    ($($class:ident $def:ident $name:literal $base:ident;)*) => { $(
        pub static $class: TypeObject = TypeObject::builtin_like($name, &$base);
        pub static $def: ClassDef = ClassDef { module: "sqlite3", flags: type_flag::BASE, ..ClassDef::new(&$class) };
    )* };
}
exceptions! {
    WARNING WARNING_DEF "Warning" EXCEPTION;
    ERROR ERROR_DEF "Error" EXCEPTION;
    INTERFACE_ERROR INTERFACE_ERROR_DEF "InterfaceError" ERROR;
    DATABASE_ERROR DATABASE_ERROR_DEF "DatabaseError" ERROR;
    DATA_ERROR DATA_ERROR_DEF "DataError" DATABASE_ERROR;
    INTEGRITY_ERROR INTEGRITY_ERROR_DEF "IntegrityError" DATABASE_ERROR;
    INTERNAL_ERROR INTERNAL_ERROR_DEF "InternalError" DATABASE_ERROR;
    NOT_SUPPORTED_ERROR NOT_SUPPORTED_ERROR_DEF "NotSupportedError" DATABASE_ERROR;
    OPERATIONAL_ERROR OPERATIONAL_ERROR_DEF "OperationalError" DATABASE_ERROR;
    PROGRAMMING_ERROR PROGRAMMING_ERROR_DEF "ProgrammingError" DATABASE_ERROR;
}

#[cold]
pub fn programming(th: &mut Thread, message: impl Into<String>) -> Raised {
    raise(th, &PROGRAMMING_ERROR, message)
}
#[cold]
pub fn operational(th: &mut Thread, message: impl Into<String>) -> Raised {
    raise(th, &OPERATIONAL_ERROR, message)
}
#[cold]
pub fn data(th: &mut Thread, message: impl Into<String>) -> Raised {
    raise(th, &DATA_ERROR, message)
}

fn class_of(code: i32) -> &'static TypeObject {
    match code {
        codes::SQLITE_INTERNAL | codes::SQLITE_NOTFOUND => &INTERNAL_ERROR,
        codes::SQLITE_ERROR
        | codes::SQLITE_PERM
        | codes::SQLITE_ABORT
        | codes::SQLITE_BUSY
        | codes::SQLITE_LOCKED
        | codes::SQLITE_READONLY
        | codes::SQLITE_INTERRUPT
        | codes::SQLITE_IOERR
        | codes::SQLITE_FULL
        | codes::SQLITE_CANTOPEN
        | codes::SQLITE_PROTOCOL
        | codes::SQLITE_EMPTY
        | codes::SQLITE_SCHEMA => &OPERATIONAL_ERROR,
        codes::SQLITE_TOOBIG => &DATA_ERROR,
        codes::SQLITE_CONSTRAINT | codes::SQLITE_MISMATCH => &INTEGRITY_ERROR,
        codes::SQLITE_MISUSE | codes::SQLITE_RANGE => &INTERFACE_ERROR,
        _ => &DATABASE_ERROR,
    }
}
/// Raises what a failure says.
#[cold]
pub fn from_failure(th: &mut Thread, failure: &sqlite::Failure) -> Raised {
    if failure.code == codes::SQLITE_NOMEM {
        return memory_error(th);
    }
    let message = String::from_utf8_lossy(&failure.message).into_owned();
    let e = exceptions::new_exception(class_of(failure.code), &message);
    let name = constants::error_name(failure.extended).unwrap_or("unknown");
    for (attribute, value) in [("sqlite_errorcode", Value::from(failure.extended)), ("sqlite_errorname", name.into())] {
        if let Err(raised) = attr::set_text(th, &e, attribute, &value) {
            return raised;
        }
    }
    raise_value(th, e)
}
/// Raises what the last failed call of a connection says.
#[cold]
pub fn from_db(th: &mut Thread, db: &Db) -> Raised {
    let failure = db.failure();
    from_failure(th, &failure)
}
