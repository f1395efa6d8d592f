//! `Cursor`: the object and its plain methods; `execute` runs statements, `rows` fetches.
mod execute;
mod rows;

use std::sync::atomic::{AtomicBool, AtomicI64, Ordering::Relaxed};

use krait_macros::{Payload, Trace};
use krait_object::builtin_types::OBJECT;
use krait_object::native::{GetFn, GetSet, Sig, member, method};
use krait_object::{
    Args, ClassDef, List, Locked, Method, PyResult, Ref, SlotDefs, Thread, TypeObject, VTable, Value, ValueCell,
    type_flag,
};
use krait_runtime::convert::wrong_type;
use krait_runtime::errors::type_error;
use krait_runtime::protocol::number;

use super::connection::Connection;
use super::errors::programming;
use super::statement::Statement;

#[derive(Trace, Payload)]
#[payload(class = CURSOR)]
pub struct Cursor {
    connection: ValueCell,
    description: ValueCell,
    /// Converters of the columns, None where there is none.
    converters: Locked<Vec<Value>>,
    #[trace(skip)]
    arraysize: AtomicI64,
    lastrowid: ValueCell,
    #[trace(skip)]
    rowcount: AtomicI64,
    pub row_factory: ValueCell,
    statement: ValueCell,
    #[trace(skip)]
    closed: AtomicBool,
    /// It is running: what it calls may not use it.
    #[trace(skip)]
    locked: AtomicBool,
    #[trace(skip)]
    initialized: AtomicBool,
}
static LAYOUT: VTable = VTable::of::<Cursor>();
pub static CURSOR: TypeObject = TypeObject::builtin("Cursor", Some(&OBJECT), &LAYOUT);
pub static DEF: ClassDef = ClassDef {
    module: "sqlite3",
    doc: "SQLite database cursor class.",
    methods: METHODS,
    getset: MEMBERS,
    slots: SlotDefs {
        new: Some(|_, class, _| {
            let cursor = Cursor {
                connection: ValueCell::empty(),
                description: ValueCell::from(Value::NONE),
                converters: Locked::default(),
                arraysize: AtomicI64::new(1),
                lastrowid: ValueCell::from(Value::NONE),
                rowcount: AtomicI64::new(-1),
                row_factory: ValueCell::from(Value::NONE),
                statement: ValueCell::empty(),
                closed: AtomicBool::new(false),
                locked: AtomicBool::new(false),
                initialized: AtomicBool::new(false),
            };
            Ok(Ref::with_class(cursor, class.object()).into())
        }),
        init: Some(init),
        iter: Some(|_, v| Ok(v.clone())),
        next: Some(rows::next),
        ..SlotDefs::EMPTY
    },
    flags: type_flag::BASE | type_flag::IMMUTABLE | type_flag::HAVE_GC | type_flag::WEAKREF,
    ..ClassDef::new(&CURSOR)
};
static METHODS: &[Method] = &[
    method("close", "()", "Closes the cursor.", close),
    method("executemany", "(sql, seq_of_parameters, /)", "Repeatedly executes an SQL statement.", |th, a| {
        execute::execute(th, &a[0], &a[1], a.opt(2), true)
    }),
    method("executescript", "(sql_script, /)", "Executes multiple SQL statements at once.", execute::script),
    method("execute", "(sql, parameters=(), /)", "Executes an SQL statement.", |th, a| {
        execute::execute(th, &a[0], &a[1], a.opt(2), false)
    }),
    method("fetchall", "()", "Fetches all rows from the resultset.", |th, a| {
        let rows = rows::collect(th, &a[0], None)?;
        Ok(List::new(rows).into())
    }),
    method(
        "fetchmany",
        "(size=1)",
        "Fetches several rows from the resultset.\n\nsize is the value of the attribute arraysize if it is left out.",
        |th, a| {
            let most = match a.opt(1) {
                Some(v) => i64::from(number::to_i32(th, v)?),
                None => a.this::<Cursor>().arraysize.load(Relaxed),
            };
            let rows = rows::collect(th, &a[0], Some(most))?;
            Ok(List::new(rows).into())
        },
    ),
    method("fetchone", "()", "Fetches one row from the resultset.", |th, a| {
        Ok(rows::next(th, &a[0])?.unwrap_or(Value::NONE))
    }),
    method("setinputsizes", "(sizes, /)", "Required by DB-API. Does nothing in sqlite3.", |_, _| Ok(Value::NONE)),
    method("setoutputsize", "(size, column=None, /)", "Required by DB-API. Does nothing in sqlite3.", |_, _| {
        Ok(Value::NONE)
    }),
];
const fn object(name: &'static str, get: GetFn) -> GetSet {
    member(name, "", get)
}
static MEMBERS: &[GetSet] = &[
    object("connection", |_, v| Ok(this(v).connection.get().into())),
    object("description", |_, v| Ok(this(v).description.get().into())),
    GetSet {
        set: Some(|th, v, new| {
            let Some(new) = new else { return Err(type_error(th, "can't delete numeric/char attribute")) };
            this(v).arraysize.store(i64::from(number::to_i32(th, new)?), Relaxed);
            Ok(())
        }),
        ..object("arraysize", |_, v| Ok(this(v).arraysize.load(Relaxed).into()))
    },
    object("lastrowid", |_, v| Ok(this(v).lastrowid.get().into())),
    object("rowcount", |_, v| Ok(this(v).rowcount.load(Relaxed).into())),
    GetSet {
        set: Some(|_, v, new| {
            this(v).row_factory.set(new.cloned());
            Ok(())
        }),
        ..object("row_factory", |_, v| Ok(this(v).row_factory.get().into()))
    },
];
fn this(v: &Value) -> &Cursor {
    v.downcast_ref().expect("the descriptor checked the class of self")
}

fn init(th: &mut Thread, v: &Value, args: &Args<'_>) -> PyResult<()> {
    static SIG: Sig = Sig::new("(connection, /)");
    let bound = SIG.bind(th, "Cursor", "Cursor", args, 0)?;
    let connection = bound.args()[0].clone();
    if connection.downcast_ref::<Connection>().is_none() {
        return Err(wrong_type(th, "Cursor", "argument 1", "sqlite3.Connection", &connection));
    }
    let c = this(v);
    c.check_unlocked(th)?;
    c.connection.set(Some(connection.clone()));
    c.drop_statement(th);
    c.converters.lock().clear();
    c.description.set(Some(Value::NONE));
    c.lastrowid.set(Some(Value::NONE));
    c.row_factory.set(Some(Value::NONE));
    c.arraysize.store(1, Relaxed);
    c.closed.store(false, Relaxed);
    c.rowcount.store(-1, Relaxed);
    if let Some(connection) = connection.downcast_ref::<Connection>() {
        connection.check_thread(th)?;
    }
    c.initialized.store(true, Relaxed);
    Ok(())
}
fn close(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let c = a.this::<Cursor>();
    c.check_unlocked(th)?;
    let Some(connection) = c.connection.get() else {
        return Err(programming(th, "Base Cursor.__init__ not called."));
    };
    if let Some(connection) = connection.downcast_ref::<Connection>() {
        connection.check_thread(th)?;
        connection.db(th)?;
    }
    c.drop_statement(th);
    c.closed.store(true, Relaxed);
    Ok(Value::NONE)
}

/// The statement, which the connection may keep, is given up, and with it the locks that it holds.
impl Drop for Cursor {
    fn drop(&mut self) {
        if let Some(mut s) = self.statement().as_deref().and_then(|s| s.state.try_lock()) {
            s.reset();
        }
    }
}
impl Cursor {
    fn check_unlocked(&self, th: &mut Thread) -> PyResult<()> {
        if self.locked.load(Relaxed) {
            return Err(programming(th, "Recursive use of cursors not allowed."));
        }
        Ok(())
    }
    /// That the cursor can be used; its connection.
    fn check(&self, th: &mut Thread) -> PyResult<Ref<Connection>> {
        let connection = self.connection.get().and_then(|c| c.downcast::<Connection>().ok());
        let Some(connection) = connection.filter(|_| self.initialized.load(Relaxed)) else {
            return Err(programming(th, "Base Cursor.__init__ not called."));
        };
        if self.closed.load(Relaxed) {
            return Err(programming(th, "Cannot operate on a closed cursor."));
        }
        connection.check_thread(th)?;
        connection.db(th)?;
        self.check_unlocked(th)?;
        Ok(connection)
    }
    fn statement(&self) -> Option<Ref<Statement>> {
        self.statement.get().and_then(|s| s.downcast().ok())
    }
    fn drop_statement(&self, th: &mut Thread) {
        if let Some(s) = self.statement() {
            s.reset(th);
            self.statement.set(None);
        }
    }
    /// Runs `f` while the cursor may not be used.
    fn locked<R>(&self, th: &mut Thread, f: impl FnOnce(&mut Thread) -> R) -> R {
        self.locked.store(true, Relaxed);
        let result = f(th);
        self.locked.store(false, Relaxed);
        result
    }
}
