//! The interpreters of the process as Python code knows them (PEP 734): their numbers, what each may do, who runs its
//! `__main__`. How one is made and ended is `embed`'s, which installs [`Hooks`]; what may cross from one to another is in
//! `interpreters/crossing.rs`. CPython counterpart: `Python/pystate.c` and `Python/crossinterp.c`.
pub mod crossing;
mod errors;
mod failure;
mod features;

use std::sync::atomic::{AtomicBool, AtomicI64, Ordering::*};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock};

use krait_object::{Interpreter, Locked, PyResult, Ref, Thread, Tuple, Type, Value, world as everyone};

use crate::errors::{raise, type_error, value_error};
use crate::exceptions;
use crate::protocol::{call, number, repr};
use crate::world;

pub use errors::{
    INTERPRETER_ERROR, INTERPRETER_NOT_FOUND_ERROR, NOT_SHAREABLE_ERROR, NOT_SHAREABLE_ERROR_DEF, add_errors,
};
pub use failure::Failure;
pub use features::{Features, Gil};

/// How an interpreter came to be, with CPython's numbers.
pub mod whence {
    pub const UNKNOWN: i64 = 0;
    /// With the process, or by the embedding program.
    pub const RUNTIME: i64 = 1;
    pub const LEGACY_CAPI: i64 = 2;
    pub const CAPI: i64 = 3;
    pub const XI: i64 = 4;
    pub const STDLIB: i64 = 5;
}

/// What tells an interpreter from the others.
#[derive(Default)]
pub struct Identity {
    id: AtomicI64,
    whence: AtomicI64,
    /// The number of the interpreter that came with the process, or by the embedding program, and that this one ends with.
    root: AtomicI64,
    /// It can run code.
    ready: AtomicBool,
    /// Somebody runs its `__main__`.
    running: AtomicBool,
    /// Objects that refer to it by its number; whether the last of them ends it.
    users: AtomicI64,
    ends_with_users: AtomicBool,
    features: Locked<Option<Features>>,
}
impl Identity {
    pub fn id(&self) -> i64 {
        self.id.load(SeqCst)
    }
    pub fn whence(&self) -> i64 {
        self.whence.load(SeqCst)
    }
    pub fn is_ready(&self) -> bool {
        self.ready.load(SeqCst)
    }
    pub fn is_main(&self) -> bool {
        self.whence() == whence::RUNTIME
    }
    pub fn features(&self) -> Features {
        self.features.lock().unwrap_or(Features::MAIN)
    }
    pub fn is_running(&self) -> bool {
        self.running.load(SeqCst) || self.is_main()
    }
    pub fn users(&self) -> i64 {
        self.users.load(SeqCst)
    }
    pub fn ends_with_users(&self) -> bool {
        self.ends_with_users.load(SeqCst)
    }
    pub fn set_ends_with_users(&self, yes: bool) {
        self.ends_with_users.store(yes, SeqCst);
    }
    pub fn add_user(&self) {
        self.users.fetch_add(1, SeqCst);
    }
}

/// What `embed` does.
pub struct Hooks {
    /// Brings a new interpreter up to where it can run code, in its own state; the other argument is the maker's
    /// interpreter.
    pub start: fn(&mut Thread, &Arc<Interpreter>) -> PyResult<()>,
    /// Runs exit functions and finalisers and drops the modules, in the interpreter's own state.
    pub end: fn(&mut Thread),
    /// Gives back what modules keep for a state that is about to go.
    pub leave: fn(&mut Thread),
}
static HOOKS: OnceLock<Hooks> = OnceLock::new();
pub fn install(hooks: Hooks) {
    let _ = HOOKS.set(hooks);
}
fn hooks() -> &'static Hooks {
    HOOKS.get().expect("embed installs the hooks before the first interpreter")
}

#[derive(Default)]
struct Registry {
    /// In the order of their numbers.
    all: Vec<Arc<Interpreter>>,
    next: i64,
}
static REGISTRY: Mutex<Registry> = Mutex::new(Registry { all: Vec::new(), next: 0 });
fn registry() -> MutexGuard<'static, Registry> {
    REGISTRY.lock().unwrap_or_else(|e| e.into_inner())
}

/// The identity of an interpreter.
pub fn identity(interp: &Interpreter) -> Arc<Identity> {
    interp.extension()
}
/// That of the interpreter that runs.
pub fn current(th: &Thread) -> Arc<Identity> {
    identity(&th.interp)
}
/// What the interpreter that runs may do.
pub fn features(th: &Thread) -> Features {
    current(th).features()
}
/// All interpreters, the oldest first.
pub fn all() -> Vec<Arc<Interpreter>> {
    registry().all.clone()
}
/// The number that the next interpreter gets.
pub fn next_id() -> i64 {
    registry().next
}
/// The oldest interpreter that came with the process.
pub fn main() -> Option<Arc<Interpreter>> {
    registry().all.iter().find(|i| identity(i).is_main()).cloned()
}
pub fn find(id: i64) -> Option<Arc<Interpreter>> {
    registry().all.iter().find(|i| identity(i).id() == id).cloned()
}
/// An interpreter that the embedding program made gets its number; the first is 0.
pub fn register_main(th: &Thread) {
    register(&th.interp, whence::RUNTIME, Features::MAIN, None);
    current(th).ready.store(true, SeqCst);
}
fn register(interp: &Arc<Interpreter>, whence: i64, features: Features, maker: Option<&Identity>) {
    let mut r = registry();
    if r.all.is_empty() {
        r.next = 0;
    }
    let own = identity(interp);
    own.id.store(r.next, SeqCst);
    own.root.store(maker.map_or(r.next, |m| m.root.load(SeqCst)), SeqCst);
    own.whence.store(whence, SeqCst);
    own.features.set(Some(features));
    r.next += 1;
    r.all.push(interp.clone());
}
/// The interpreter has ended.
pub fn unregister(interp: &Arc<Interpreter>) {
    registry().all.retain(|i| !Arc::ptr_eq(i, interp));
}

/// The number in an argument.
pub fn id_argument(th: &mut Thread, v: &Value) -> PyResult<i64> {
    if !number::has_index(v) {
        let class = v.class().name();
        return Err(type_error(th, format!("interpreter ID must be an int, got {class}")));
    }
    let id = number::index(th, v)?;
    let Some(id) = id.as_int_ref().and_then(|n| n.to_i64()) else {
        return Err(crate::errors::overflow_error(th, "int too big to convert"));
    };
    if id < 0 {
        let shown = repr::repr(th, v)?;
        return Err(value_error(th, format!("interpreter ID must be a non-negative int, got {shown}")));
    }
    Ok(id)
}
/// The interpreter of a number given as an argument; InterpreterNotFoundError where there is none.
pub fn look_up(th: &mut Thread, v: &Value) -> PyResult<Arc<Interpreter>> {
    let id = id_argument(th, v)?;
    find(id).ok_or_else(|| {
        errors::ready(th);
        raise(th, &INTERPRETER_NOT_FOUND_ERROR, format!("unrecognized interpreter ID {id}"))
    })
}
/// InterpreterError with this text.
pub fn error(th: &mut Thread, message: impl Into<String>) -> krait_object::Raised {
    errors::ready(th);
    raise(th, &INTERPRETER_ERROR, message)
}

/// Runs `f` in another interpreter, with a state made for it; in the calling state where it is the same. `f` lets no value
/// out.
pub fn within<R>(th: &mut Thread, target: &Arc<Interpreter>, f: impl FnOnce(&mut Thread) -> R) -> R {
    if Arc::ptr_eq(&th.interp, target) {
        return f(th);
    }
    let exc = th.exc.take();
    if th.has_pending() {
        th.run_pending();
    }
    let parallel = world::is_parallel();
    if parallel {
        everyone::detach(th);
    }
    let mut inner = th.beside(target.clone());
    world::hand_over(th, &inner);
    crossing::release_returned(&mut inner);
    let result = f(&mut inner);
    crossing::release_returned(&mut inner);
    (hooks().leave)(&mut inner);
    inner.handled = None;
    inner.exc = None;
    if inner.has_pending() {
        inner.run_pending();
    }
    world::hand_over(&inner, th);
    drop(inner);
    th.enter();
    if parallel {
        everyone::attach(th);
    }
    crossing::release_returned(th);
    th.exc = exc;
    result
}

/// Makes an interpreter with these features. InterpreterError where they do not go together.
pub fn create(th: &mut Thread, features: Features, whence: i64) -> PyResult<Arc<Interpreter>> {
    if let Some(fault) = features.fault() {
        let reason = exceptions::new_exception(&exceptions::RUNTIME_ERROR, fault);
        let raised = error(th, "sub-interpreter creation failed");
        crate::errors::chain_earlier(th, Some(reason));
        return Err(raised);
    }
    th.check_native(" while making an interpreter")?;
    let interp = Interpreter::new();
    register(&interp, whence, features.settled(), Some(&current(th)));
    let maker = th.interp.clone();
    let failed = within(th, &interp, |inner| match (hooks().start)(inner, &maker) {
        Ok(()) => None,
        Err(raised) => Some(Failure::take(inner, raised)),
    });
    if let Some(failure) = failed {
        unregister(&interp);
        let said = failure.formatted().unwrap_or_default();
        return Err(error(th, format!("sub-interpreter creation failed: {said}")));
    }
    identity(&interp).ready.store(true, SeqCst);
    Ok(interp)
}
/// An interpreter that exists and cannot run code.
pub fn create_unready(th: &mut Thread) -> Arc<Interpreter> {
    let interp = Interpreter::new();
    register(&interp, whence::UNKNOWN, Features::LEGACY, Some(&current(th)));
    interp
}
/// What modules do when their interpreter ends, with its number.
#[derive(Default)]
struct AtEnd(Locked<Vec<fn(i64)>>);
/// Has `f` called with the interpreter's number at its end, after its exit functions; once, however often it is asked for.
pub fn at_end(th: &Thread, f: fn(i64)) {
    let wanted = th.interp.extension::<AtEnd>();
    let mut wanted = wanted.0.lock();
    if !wanted.iter().any(|g| *g as usize == f as usize) {
        wanted.push(f);
    }
}
/// Calls what [`at_end`] was given.
pub fn run_at_end(th: &Thread) {
    let id = current(th).id();
    let wanted = std::mem::take(&mut *th.interp.extension::<AtEnd>().0.lock());
    for f in wanted.into_iter().rev() {
        f(id);
    }
}
/// Ends an interpreter that nobody runs.
pub fn end(th: &mut Thread, interp: &Arc<Interpreter>) {
    if identity(interp).ready.swap(false, SeqCst) {
        within(th, interp, |inner| (hooks().end)(inner));
    }
    unregister(interp);
}
/// Ends the interpreters that Python code has made in this one and that are left at its end.
pub fn end_all_of(th: &mut Thread) {
    let own = current(th);
    for interp in all() {
        let other = identity(&interp);
        if !other.is_main() && other.root.load(SeqCst) == own.id() {
            end(th, &interp);
        }
    }
}
/// One object less refers to the interpreter by its number.
pub fn remove_user(th: &mut Thread, interp: &Arc<Interpreter>) {
    let own = identity(interp);
    let left = own.users.fetch_sub(1, SeqCst) - 1;
    if left == 0 && own.ends_with_users() && own.is_ready() && !Arc::ptr_eq(interp, &th.interp) {
        end(th, interp);
    }
}

/// Who runs `__main__` of an interpreter, until it goes.
pub struct Running(Arc<Identity>);
impl Running {
    /// `None` where somebody runs it already.
    pub fn claim(th: &Thread) -> Option<Running> {
        let own = current(th);
        if own.is_main() || own.running.swap(true, SeqCst) {
            return None;
        }
        Some(Running(own))
    }
}
impl Drop for Running {
    fn drop(&mut self) {
        self.0.running.store(false, SeqCst);
    }
}

/// A new exception class of a module, for one interpreter.
pub fn new_exception_class(
    th: &mut Thread,
    module: &str,
    name: &str,
    doc: Option<&str>,
    bases: Vec<Value>,
) -> PyResult<Value> {
    let namespace = krait_object::Dict::new();
    namespace.set_text("__module__", module);
    if let Some(doc) = doc {
        namespace.set_text("__doc__", doc);
    }
    let class = Ref::from_object(&krait_object::builtin_types::TYPE).to_value();
    call::call(th, &class, &[Value::str(name), Tuple::from_vec(bases).into(), namespace.into()])
}
/// An instance of a class that is no builtin one, with one text, in flight.
pub fn raise_of(th: &mut Thread, class: &Value, message: String) -> krait_object::Raised {
    match call::call(th, class, &[Value::from(message)]) {
        Ok(exception) => crate::errors::raise_value(th, exception),
        Err(raised) => raised,
    }
}
/// Whether `v` is a class.
pub fn is_class(v: &Value) -> bool {
    v.downcast_ref::<Type>().is_some()
}
