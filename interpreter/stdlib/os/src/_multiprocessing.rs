//! `_multiprocessing`: semaphores that processes share.
use std::ffi::CString;
use std::sync::atomic::{AtomicI32, AtomicU64, Ordering::SeqCst};
use std::time::{Duration, Instant};

use krait_object::builtin_types::OBJECT;
use krait_object::native::{Sig, class_method, function, member, method};
use krait_object::{
    Args, ClassDef, Dict, GetSet, Method, ModuleDef, PyResult, Ref, SlotDefs, Thread, Type, TypeObject, VTable, Value,
    type_flag,
};
use krait_platform::errno;
use krait_platform::map::{self as platform, NamedSemaphore};
use krait_platform::thread::ident;
use krait_runtime::errors::{assertion_error, os_error, value_error};
use krait_runtime::protocol::{compare, number};
use krait_runtime::seconds::{Rounding, nanoseconds};
use krait_runtime::types::module;
use krait_runtime::{signals, world};

use crate::arguments::{c_text, flag};

pub static MODULE: ModuleDef = ModuleDef {
    doc: "Semaphores that processes share.",
    functions: FUNCTIONS,
    classes: &[&DEF],
    init: Some(|_, m| {
        let flags = Dict::new();
        for name in ["HAVE_SEM_OPEN", "HAVE_SEM_TIMEDWAIT"] {
            flags.set_text(name, 1);
        }
        module::dict(m).set_text("flags", flags);
        Ok(())
    }),
    ..ModuleDef::new("_multiprocessing")
};
static FUNCTIONS: &[Method] = &[function("sem_unlink", "(name, /)", "Remove a semaphore's name.", |th, a| {
    let name = c_text(th, &a[0], "sem_unlink", "argument")?;
    match platform::sem_unlink(&name) {
        Ok(_) => Ok(Value::NONE),
        Err(e) => Err(os_error(th, e, None)),
    }
})];
/// Kinds: the first may be taken again by its holder.
const RECURSIVE_MUTEX: i32 = 0;
const SEM_VALUE_MAX: i32 = i32::MAX;

#[derive(krait_macros::Trace, krait_macros::Payload)]
#[payload(class = SEM_LOCK)]
struct SemLock {
    #[trace(skip)]
    semaphore: NamedSemaphore,
    #[trace(skip)]
    kind: i32,
    #[trace(skip)]
    maximum: i32,
    name: Value,
    /// How often this process holds it, and the thread that took it last.
    count: AtomicI32,
    owner: AtomicU64,
}
static LAYOUT: VTable = VTable::of::<SemLock>();
static SEM_LOCK: TypeObject = TypeObject::builtin("SemLock", Some(&OBJECT), &LAYOUT);
static DEF: ClassDef = ClassDef {
    module: "_multiprocessing",
    doc: "A semaphore or mutex that processes share.",
    methods: METHODS,
    getset: GETSET,
    slots: SlotDefs { new: Some(new), ..SlotDefs::EMPTY },
    attributes: Some(|_| vec![("SEM_VALUE_MAX", Value::from(SEM_VALUE_MAX))]),
    flags: type_flag::BASE,
    ..ClassDef::new(&SEM_LOCK)
};
fn this(v: &Value) -> &SemLock {
    v.downcast_ref().expect("the descriptor checked the class")
}
fn make(class: &Ref<Type>, semaphore: NamedSemaphore, kind: i32, maximum: i32, name: Value) -> Value {
    let (count, owner) = (AtomicI32::new(0), AtomicU64::new(0));
    Ref::with_class(SemLock { semaphore, kind, maximum, name, count, owner }, class.object()).into()
}
fn new(th: &mut Thread, class: &Ref<Type>, args: &Args<'_>) -> PyResult<Value> {
    static SIG: Sig = Sig::new("(kind, value, maxvalue, name, unlink)");
    let bound = SIG.bind(th, "SemLock", "SemLock", args, 0)?;
    let a = bound.args();
    let (kind, value, maximum) = (number::to_i32(th, &a[0])?, number::to_i32(th, &a[1])?, number::to_i32(th, &a[2])?);
    let name: CString = c_text(th, &a[3], "SemLock", "argument 4")?;
    let unlink = compare::truth(th, &a[4])?;
    if kind != RECURSIVE_MUTEX && kind != 1 {
        return Err(value_error(th, "unrecognized kind"));
    }
    let semaphore = match NamedSemaphore::create(&name, value as u32) {
        Ok(s) => s,
        Err(e) => return Err(os_error(th, e, None)),
    };
    if unlink && let Err(e) = platform::sem_unlink(&name) {
        return Err(os_error(th, e, None));
    }
    let kept = if unlink { Value::NONE } else { a[3].clone() };
    Ok(make(class, semaphore, kind, maximum, kept))
}
static GETSET: &[GetSet] = &[
    member("handle", "", |_, v| Ok(this(v).semaphore.address().into())),
    member("kind", "", |_, v| Ok(this(v).kind.into())),
    member("maxvalue", "", |_, v| Ok(this(v).maximum.into())),
    member("name", "", |_, v| Ok(this(v).name.clone())),
];
fn is_mine(s: &SemLock) -> bool {
    s.count.load(SeqCst) > 0 && s.owner.load(SeqCst) == ident()
}
fn acquire(th: &mut Thread, v: &Value, block: bool, timeout: Option<Duration>) -> PyResult<bool> {
    let s = this(v);
    if s.kind == RECURSIVE_MUTEX && is_mine(s) {
        s.count.fetch_add(1, SeqCst);
        return Ok(true);
    }
    let deadline = timeout.and_then(|t| Instant::now().checked_add(t));
    let got = match s.semaphore.try_wait() {
        Ok(_) => true,
        Err(_) if !block => false,
        Err(_) => loop {
            let left = deadline.map(|d| d.saturating_duration_since(Instant::now()));
            match world::blocking(th, || s.semaphore.wait(left)) {
                Ok(_) => break true,
                Err(errno::ETIMEDOUT) => break false,
                Err(errno::EINTR) => signals::run_pending(th)?,
                Err(e) => return Err(os_error(th, e, None)),
            }
        },
    };
    if got {
        s.count.fetch_add(1, SeqCst);
        s.owner.store(ident(), SeqCst);
    }
    Ok(got)
}
fn release(th: &mut Thread, v: &Value) -> PyResult<Value> {
    let s = this(v);
    if s.kind == RECURSIVE_MUTEX {
        if !is_mine(s) {
            return Err(assertion_error(th, "attempt to release recursive lock not owned by thread"));
        }
        if s.count.load(SeqCst) > 1 {
            s.count.fetch_sub(1, SeqCst);
            return Ok(Value::NONE);
        }
    } else if s.semaphore.value().is_ok_and(|n| n >= s.maximum) {
        return Err(value_error(th, "semaphore or lock released too many times"));
    }
    match s.semaphore.post() {
        Ok(_) => {
            s.count.fetch_sub(1, SeqCst);
            Ok(Value::NONE)
        }
        Err(e) => Err(os_error(th, e, None)),
    }
}
static METHODS: &[Method] = &[
    method("acquire", "(block=True, timeout=None)", "Take the semaphore; whether it was taken.", |th, a| {
        let block = flag(th, a.opt(1), true)?;
        let timeout = match a.opt_not_none(2) {
            None => None,
            Some(t) => Some(Duration::from_nanos(nanoseconds(th, t, Rounding::Up)?.max(0) as u64)),
        };
        Ok(Value::bool(acquire(th, &a[0], block, timeout)?))
    }),
    method("release", "()", "Give the semaphore back.", |th, a| release(th, &a[0])),
    method("__enter__", "()", "Take the semaphore.", |th, a| Ok(Value::bool(acquire(th, &a[0], true, None)?))),
    method("__exit__", "(exc_type=None, exc_value=None, exc_tb=None, /)", "Give the semaphore back.", |th, a| {
        release(th, &a[0])
    }),
    method("_count", "()", "How often this process holds it.", |_, a| Ok(this(&a[0]).count.load(SeqCst).into())),
    method("_is_mine", "()", "Whether this thread holds it.", |_, a| Ok(Value::bool(is_mine(this(&a[0]))))),
    method("_get_value", "()", "The semaphore's value.", |th, a| match this(&a[0]).semaphore.value() {
        Ok(n) => Ok(n.max(0).into()),
        Err(e) => Err(os_error(th, e, None)),
    }),
    method("_is_zero", "()", "Whether the value is zero.", |th, a| match this(&a[0]).semaphore.value() {
        Ok(n) => Ok(Value::bool(n == 0)),
        Err(e) => Err(os_error(th, e, None)),
    }),
    class_method("_rebuild", "(handle, kind, maxvalue, name, /)", "The object of a semaphore by its name.", |th, a| {
        let (kind, maximum) = (number::to_i32(th, &a[2])?, number::to_i32(th, &a[3])?);
        let name = c_text(th, &a[4], "_rebuild", "argument 4")?;
        let semaphore = match NamedSemaphore::open(&name) {
            Ok(s) => s,
            Err(e) => return Err(os_error(th, e, None)),
        };
        let Some(class) = a[0].to_ref::<Type>() else { return Err(value_error(th, "not a class")) };
        Ok(make(&class, semaphore, kind, maximum, a[4].clone()))
    }),
    method("_after_fork", "()", "The child of a fork holds nothing.", |_, a| {
        this(&a[0]).count.store(0, SeqCst);
        Ok(Value::NONE)
    }),
];
