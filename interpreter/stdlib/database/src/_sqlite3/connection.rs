//! `Connection`: opening, closing, checks, attributes. Transactions, callbacks and the rest of the methods are in the
//! submodules.
mod callbacks;
mod methods;
mod transactions;

use std::ffi::CString;
use std::sync::atomic::{AtomicBool, AtomicI32, AtomicU64, AtomicUsize, Ordering::Relaxed};

use krait_libraries::sqlite::{Db, codes};
use krait_macros::{Payload, Trace};
use krait_object::builtin_types::{OBJECT, STR};
use krait_object::native::{GetFn, GetSet, Sig, getset, member};
use krait_object::{
    Args, ClassDef, Locked, PyResult, Ref, SlotDefs, Str, Thread, TypeObject, VTable, Value, ValueCell, type_flag,
};
use krait_runtime::audit::audit;
use krait_runtime::convert::path_bytes;
use krait_runtime::errors::{attribute_error, type_error, value_error};
use krait_runtime::protocol::{compare, number};
use krait_runtime::warnings;

use super::blob::{self, Handle};
use super::constants::LEGACY_TRANSACTION_CONTROL;
use super::errors::{self, programming};
use super::statement::{self, Statement};
use super::{run, warn_positional};

pub const LEGACY: i32 = LEGACY_TRANSACTION_CONTROL;
/// `autocommit=True` and `False`.
const ENABLED: i32 = 1;
const DISABLED: i32 = 0;

#[derive(Trace, Payload)]
#[payload(class = CONNECTION)]
pub struct Connection {
    /// None before opening and after closing.
    #[trace(skip)]
    db: Locked<Option<Db>>,
    #[trace(skip)]
    isolation_level: Locked<Option<&'static str>>,
    #[trace(skip)]
    autocommit: AtomicI32,
    #[trace(skip)]
    detect_types: AtomicI32,
    #[trace(skip)]
    check_same_thread: AtomicBool,
    #[trace(skip)]
    thread: AtomicU64,
    #[trace(skip)]
    initialized: AtomicBool,
    row_factory: ValueCell,
    pub text_factory: ValueCell,
    /// Texts and their statements by turns, the ones used last at the end.
    cache: Locked<Vec<Value>>,
    #[trace(skip)]
    cache_size: AtomicUsize,
    #[trace(skip)]
    blobs: Locked<Vec<std::sync::Weak<krait_runtime::world::Exclusive<Option<krait_libraries::sqlite::Blob>>>>>,
}
static LAYOUT: VTable = VTable::of::<Connection>();
pub static CONNECTION: TypeObject = TypeObject::builtin("Connection", Some(&OBJECT), &LAYOUT);
const SIG: &str = "(database, timeout=5.0, detect_types=0,\n           isolation_level='', check_same_thread=True,\n           factory=ConnectionType, cached_statements=128, uri=False, *,\n           autocommit=sqlite3.LEGACY_TRANSACTION_CONTROL)";
pub static DEF: ClassDef = ClassDef {
    module: "sqlite3",
    doc: "SQLite database connection object.",
    methods: methods::METHODS,
    getset: MEMBERS,
    slots: SlotDefs {
        new: Some(|_, class, _| Ok(Ref::with_class(Connection::blank(), class.object()).into())),
        init: Some(init),
        call: Some(call),
        finalize: Some(finalize),
        ..SlotDefs::EMPTY
    },
    flags: type_flag::BASE | type_flag::IMMUTABLE | type_flag::HAVE_GC | type_flag::WEAKREF,
    ..ClassDef::new(&CONNECTION)
};

macro_rules! exception {
    ($name:literal $class:ident) => {
        member($name, "", |_, _| Ok(errors::$class.to_value()))
    };
}
/// A member that holds any object.
const fn factory(name: &'static str, get: GetFn, set: krait_object::native::SetFn) -> GetSet {
    GetSet { set: Some(set), ..member(name, "", get) }
}
static MEMBERS: &[GetSet] = &[
    krait_object::native::getter("__text_signature__", "", |_, _| Ok("(sql, /)".into())),
    exception!("Warning" WARNING),
    exception!("Error" ERROR),
    exception!("InterfaceError" INTERFACE_ERROR),
    exception!("DatabaseError" DATABASE_ERROR),
    exception!("DataError" DATA_ERROR),
    exception!("OperationalError" OPERATIONAL_ERROR),
    exception!("IntegrityError" INTEGRITY_ERROR),
    exception!("InternalError" INTERNAL_ERROR),
    exception!("ProgrammingError" PROGRAMMING_ERROR),
    exception!("NotSupportedError" NOT_SUPPORTED_ERROR),
    factory(
        "row_factory",
        |_, v| Ok(this(v).row_factory.get().into()),
        |_, v, new| {
            this(v).row_factory.set(new.cloned());
            Ok(())
        },
    ),
    factory(
        "text_factory",
        |_, v| Ok(this(v).text_factory.get().into()),
        |_, v, new| {
            this(v).text_factory.set(new.cloned());
            Ok(())
        },
    ),
    getset(
        "isolation_level",
        "",
        |th, v| {
            this(v).db(th)?;
            Ok(this(v).isolation_level().into())
        },
        transactions::set_isolation_level,
    ),
    krait_object::native::getter("total_changes", "", |th, v| Ok(this(v).db(th)?.total_changes().into())),
    krait_object::native::getter("in_transaction", "", |th, v| Ok(Value::bool(!this(v).db(th)?.autocommit()))),
    getset(
        "autocommit",
        "",
        |th, v| {
            let c = this(v);
            c.check_thread(th)?;
            c.db(th)?;
            Ok(match c.autocommit() {
                ENABLED => Value::TRUE,
                DISABLED => Value::FALSE,
                other => other.into(),
            })
        },
        transactions::set_autocommit,
    ),
];
fn this(v: &Value) -> &Connection {
    v.downcast_ref().expect("the descriptor checked the class of self")
}

static LEVELS: [&str; 4] = ["", "DEFERRED", "IMMEDIATE", "EXCLUSIVE"];

/// An isolation level, which is one of [`LEVELS`] in any case, or None.
fn level(th: &mut Thread, v: &Value) -> PyResult<Option<&'static str>> {
    if v.is_none() {
        return Ok(None);
    }
    let Some(s) = v.to_ref::<Str>() else {
        return Err(type_error(th, "isolation_level must be str or None"));
    };
    let Some(text) = s.to_utf8() else { return Err(krait_runtime::errors::surrogates_not_allowed(th, &s)) };
    if text.contains('\0') {
        return Err(value_error(th, "embedded null character"));
    }
    match LEVELS.iter().find(|l| text.eq_ignore_ascii_case(l)) {
        Some(l) => Ok(Some(l)),
        None => Err(value_error(th, "isolation_level string must be '', 'DEFERRED', 'IMMEDIATE', or 'EXCLUSIVE'")),
    }
}
/// The value of `autocommit`.
fn autocommit_of(th: &mut Thread, v: &Value) -> PyResult<i32> {
    if v.is_true() {
        return Ok(ENABLED);
    }
    if v.is_false() {
        return Ok(DISABLED);
    }
    if v.as_int_ref().and_then(|i| i.to_i64()) == Some(i64::from(LEGACY)) {
        return Ok(LEGACY);
    }
    Err(value_error(th, "autocommit must be True, False, or sqlite3.LEGACY_TRANSACTION_CONTROL"))
}

fn init(th: &mut Thread, v: &Value, args: &Args<'_>) -> PyResult<()> {
    static BINDER: Sig = Sig::new(SIG);
    let bound = BINDER.bind(th, "Connection", "Connection", args, 0)?;
    warn_positional(th, args.pos().len(), "_sqlite3.Connection()")?;
    let a = bound.args();
    let path = path_bytes(th, &a[0])?;
    let timeout = a.opt(1).map_or(Ok(5.0), |v| number::to_f64(th, v))?;
    let detect_types = a.opt(2).map_or(Ok(0), |v| number::to_i32(th, v))?;
    let isolation_level = a.opt(3).map_or(Ok(Some("")), |v| level(th, v))?;
    let same_thread = a.opt(4).map_or(Ok(true), |v| compare::truth(th, v))?;
    let cached = a.opt(6).map_or(Ok(128), |v| number::to_i32(th, v))?;
    let uri = a.opt(7).map_or(Ok(false), |v| compare::truth(th, v))?;
    let autocommit = a.opt(8).map_or(Ok(LEGACY), |v| autocommit_of(th, v))?;
    audit(th, "sqlite3.connect", &[krait_object::Bytes::new(&path).into()])?;
    let c = this(v);
    if c.initialized.load(Relaxed) {
        c.initialized.store(false, Relaxed);
        c.release(th);
    }
    let name = CString::new(path).unwrap_or_default();
    let flags = codes::SQLITE_OPEN_READWRITE | codes::SQLITE_OPEN_CREATE | if uri { codes::SQLITE_OPEN_URI } else { 0 };
    let db = match run(th, || Db::open(&name, flags)) {
        Ok(db) => db,
        Err(failure) => return Err(errors::from_failure(th, &failure)),
    };
    db.busy_timeout((timeout * 1000.0) as i32);
    *c.db.lock() = Some(db.clone());
    c.isolation_level.set(isolation_level);
    c.autocommit.store(autocommit, Relaxed);
    c.detect_types.store(detect_types, Relaxed);
    c.check_same_thread.store(same_thread, Relaxed);
    c.thread.store(krait_platform::thread::ident(), Relaxed);
    c.cache_size.store(usize::try_from(cached).unwrap_or(0), Relaxed);
    c.row_factory.set(Some(Value::NONE));
    c.text_factory.set(Some(STR.to_value()));
    audit(th, "sqlite3.connect/handle", std::slice::from_ref(v))?;
    c.initialized.store(true, Relaxed);
    if autocommit == DISABLED {
        c.simple(th, &db, c"BEGIN")?;
    }
    Ok(())
}
/// `connection(sql)` prepares a statement.
fn call(th: &mut Thread, v: &Value, args: &Args<'_>) -> PyResult<Value> {
    static CALL: Sig = Sig::new("(sql, /)");
    let c = this(v);
    c.check_thread(th)?;
    let db = c.db(th)?;
    if args.has_kw() {
        return Err(type_error(th, "sqlite3.Connection() takes no keyword arguments"));
    }
    let bound = CALL.bind(th, "Connection", "Connection", args, 0)?;
    let sql = krait_runtime::convert::expect_str(th, &bound.args()[0], "Connection", "argument 1")?;
    Ok(statement::create(th, &db, &sql)?.into())
}
fn finalize(th: &mut Thread, v: &Value) {
    let c = this(v);
    let open = c.db.lock().is_some();
    if !open {
        return;
    }
    let earlier = th.take_exc();
    let warned = match krait_runtime::protocol::repr::repr(th, v) {
        Ok(shown) => warnings::resource(th, v, &format!("unclosed database in {}", shown.to_string_lossy())),
        Err(raised) => Err(raised),
    };
    if warned.is_err() {
        krait_runtime::errors::write_unraisable(th, Some(v));
    }
    c.release(th);
    th.exc = earlier;
}

impl Connection {
    fn blank() -> Connection {
        Connection {
            db: Locked::new(None),
            isolation_level: Locked::new(Some("")),
            autocommit: AtomicI32::new(LEGACY),
            detect_types: AtomicI32::new(0),
            check_same_thread: AtomicBool::new(true),
            thread: AtomicU64::new(krait_platform::thread::ident()),
            initialized: AtomicBool::new(false),
            row_factory: ValueCell::empty(),
            text_factory: ValueCell::empty(),
            cache: Locked::default(),
            cache_size: AtomicUsize::new(128),
            blobs: Locked::default(),
        }
    }
    pub fn detect_types(&self) -> i32 {
        self.detect_types.load(Relaxed)
    }
    pub fn autocommit(&self) -> i32 {
        self.autocommit.load(Relaxed)
    }
    pub fn isolation_level(&self) -> Option<&'static str> {
        self.isolation_level.get()
    }
    /// Refuses threads other than the one that opened the connection, unless that was switched off.
    pub fn check_thread(&self, th: &mut Thread) -> PyResult<()> {
        let (own, here) = (self.thread.load(Relaxed), krait_platform::thread::ident());
        if self.initialized.load(Relaxed) && self.check_same_thread.load(Relaxed) && own != here {
            let message = format!(
                "SQLite objects created in a thread can only be used in that same thread. The object was created in thread id {own} and this is thread id {here}."
            );
            return Err(programming(th, message));
        }
        Ok(())
    }
    /// The open database.
    pub fn db(&self, th: &mut Thread) -> PyResult<Db> {
        if !self.initialized.load(Relaxed) {
            return Err(programming(th, "Base Connection.__init__ not called."));
        }
        let db = self.db.lock().clone();
        db.ok_or_else(|| programming(th, "Cannot operate on a closed database."))
    }
    /// The database, for methods that check the thread too.
    fn checked(&self, th: &mut Thread) -> PyResult<Db> {
        self.check_thread(th)?;
        self.db(th)
    }
    /// The statement of a text, from the cache where it is there.
    pub fn cached_statement(&self, th: &mut Thread, sql: &Ref<Str>) -> PyResult<Ref<Statement>> {
        let db = self.checked(th)?;
        let same = |v: &Value| v.downcast_ref::<Str>().is_some_and(|s| s.equals(sql));
        let mut cache = self.cache.lock();
        if let Some(i) = cache.chunks_exact(2).position(|pair| same(&pair[0])) {
            let pair: Vec<Value> = cache.drain(2 * i..2 * i + 2).collect();
            let found = pair[1].to_ref::<Statement>();
            cache.extend(pair);
            if let Some(s) = found {
                return Ok(s);
            }
        }
        drop(cache);
        let s = statement::create(th, &db, sql)?;
        let most = self.cache_size.load(Relaxed);
        let mut dropped = Vec::new();
        if most > 0 {
            let mut cache = self.cache.lock();
            let over = (cache.len() / 2 + 1).saturating_sub(most);
            dropped.extend(cache.drain(..2 * over));
            cache.extend([sql.to_value(), s.to_value()]);
        }
        drop(dropped);
        Ok(s)
    }
    fn add_blob(&self, handle: &Handle) {
        let mut blobs = self.blobs.lock();
        blobs.retain(|b| b.strong_count() > 0);
        blobs.push(std::sync::Arc::downgrade(handle));
    }
    /// Gives the database up with what belongs to it.
    fn release(&self, th: &mut Thread) {
        let blobs = std::mem::take(&mut *self.blobs.lock());
        for blob in blobs.iter().filter_map(std::sync::Weak::upgrade) {
            blob::close(th, &blob);
        }
        let statements = std::mem::take(&mut *self.cache.lock());
        drop(statements);
        let db = self.db.lock().take();
        if let Some(db) = db {
            if self.autocommit() == DISABLED && !db.autocommit() {
                // What cannot be rolled back now is when the database is opened next.
                let _ = self.simple(th, &db, c"ROLLBACK").map_err(|_| drop(th.take_exc()));
            }
            run(th, || db.set_trace(None));
            drop(db);
        }
    }
}
