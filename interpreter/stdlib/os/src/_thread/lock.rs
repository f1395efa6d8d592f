//! `lock` and `RLock`.
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::*};
use std::time::Duration;

use krait_object::builtin_types::OBJECT;
use krait_object::native::method;
use krait_object::{
    Args, ClassDef, Locked, Method, PyResult, Ref, SlotDefs, Thread, Tuple, TypeObject, VTable, Value, type_flag,
};
use krait_platform::thread::{Semaphore, ident};
use krait_runtime::errors::{overflow_error, runtime_error, type_error, value_error};
use krait_runtime::protocol::{compare, number};
pub(crate) use krait_runtime::world::wait;

use krait_runtime::seconds::{Rounding, nanoseconds};

/// The longest timeout, in seconds.
pub(crate) const TIMEOUT_MAX: f64 = 9_223_372_036.0;

/// A lock that any thread may release.
pub(crate) struct RawLock {
    /// Replaced after a fork.
    semaphore: Locked<std::sync::Arc<Semaphore>>,
    locked: AtomicBool,
}
impl RawLock {
    pub(crate) fn new() -> RawLock {
        RawLock { semaphore: Locked::new(std::sync::Arc::new(Semaphore::new(1))), locked: AtomicBool::new(false) }
    }
    fn handle(&self) -> std::sync::Arc<Semaphore> {
        self.semaphore.lock().clone()
    }
    /// Waits for at most `timeout` (for ever without); false: it was not to be had in time.
    pub(crate) fn acquire(&self, th: &mut Thread, timeout: Option<Duration>) -> PyResult<bool> {
        let semaphore = self.handle();
        let got = wait(th, &semaphore, timeout)?;
        if got {
            self.locked.store(true, SeqCst);
        }
        Ok(got)
    }
    pub(crate) fn is_locked(&self) -> bool {
        self.locked.load(SeqCst)
    }
    /// False: it was not locked.
    pub(crate) fn release(&self) -> bool {
        if !self.locked.swap(false, SeqCst) {
            return false;
        }
        self.handle().post();
        true
    }
    pub(crate) fn reset(&self) {
        self.semaphore.set(std::sync::Arc::new(Semaphore::new(1)));
        self.locked.store(false, SeqCst);
    }
}
#[derive(krait_macros::Trace, krait_macros::Payload)]
#[payload(class = LOCK)]
pub(super) struct Lock {
    #[trace(skip)]
    raw: RawLock,
}
static LOCK_LAYOUT: VTable = VTable::of::<Lock>();
pub(super) static LOCK: TypeObject = TypeObject::builtin("lock", Some(&OBJECT), &LOCK_LAYOUT);

pub(super) static LOCK_DEF: ClassDef = ClassDef {
    module: "_thread",
    doc: "A lock: one thread holds it, others wait; any thread may release it.",
    sig: "()",
    methods: LOCK_METHODS,
    slots: SlotDefs {
        new: Some(|th, class, args| {
            if args.has_kw() {
                return Err(type_error(th, "lock() takes no keyword arguments"));
            }
            if !args.is_empty() {
                return Err(type_error(th, format!("lock expected 0 arguments, got {}", args.len())));
            }
            Ok(Ref::with_class(Lock { raw: RawLock::new() }, class.object()).into())
        }),
        repr: Some(|_, v| {
            let state = if lock(v).raw.is_locked() { "locked" } else { "unlocked" };
            Ok(Value::from(format!("<{state} _thread.lock object at {:#x}>", v.bits())))
        }),
        ..SlotDefs::EMPTY
    },
    flags: type_flag::WEAKREF,
    ..ClassDef::new(&LOCK)
};
fn lock(v: &Value) -> &Lock {
    v.downcast_ref().expect("the descriptor checked the class")
}
pub(super) fn new_lock() -> Value {
    Ref::new(Lock { raw: RawLock::new() }).into()
}
macro_rules! acquire {
    ($name:literal) => {
        method(
            $name,
            "(blocking=True, timeout=-1)",
            "Take the lock, waiting if need be; whether it was taken.",
            |th, a| {
                let timeout = timeout(th, a)?;
                Ok(Value::bool(lock(&a[0]).raw.acquire(th, timeout)?))
            },
        )
    };
}
macro_rules! release {
    ($name:literal) => {
        method($name, "()", "Give the lock back.", |th, a| {
            if lock(&a[0]).raw.release() { Ok(Value::NONE) } else { Err(runtime_error(th, "release unlocked lock")) }
        })
    };
}
macro_rules! locked {
    ($name:literal) => {
        method($name, "()", "Whether a thread holds the lock.", |_, a| Ok(Value::bool(lock(&a[0]).raw.is_locked())))
    };
}
static LOCK_METHODS: &[Method] = &[
    acquire!("acquire"),
    acquire!("acquire_lock"),
    release!("release"),
    release!("release_lock"),
    locked!("locked"),
    locked!("locked_lock"),
    method("__enter__", "()", "Take the lock.", |th, a| Ok(Value::bool(lock(&a[0]).raw.acquire(th, None)?))),
    method("__exit__", "(*exc_info)", "Give the lock back.", |th, a| {
        if lock(&a[0]).raw.release() { Ok(Value::NONE) } else { Err(runtime_error(th, "release unlocked lock")) }
    }),
    method("_at_fork_reinit", "()", "Make the lock free, in the child of a fork.", |_, a| {
        lock(&a[0]).raw.reset();
        Ok(Value::NONE)
    }),
];
/// `blocking` and `timeout`: zero = do not wait, `None` = for ever.
fn timeout(th: &mut Thread, a: &Args<'_>) -> PyResult<Option<Duration>> {
    let blocking = a.opt(1).map_or(Ok(true), |b| compare::truth(th, b))?;
    let ns = match a.opt(2) {
        None => -1_000_000_000,
        Some(t) => nanoseconds(th, t, Rounding::Up)?,
    };
    if !blocking && ns != -1_000_000_000 {
        return Err(value_error(th, "can't specify a timeout for a non-blocking call"));
    }
    if ns < 0 && ns != -1_000_000_000 {
        return Err(value_error(th, "timeout value must be a non-negative number"));
    }
    if !blocking {
        return Ok(Some(Duration::ZERO));
    }
    if ns < 0 {
        return Ok(None);
    }
    if ns as f64 > TIMEOUT_MAX * 1e9 {
        return Err(overflow_error(th, "timeout value is too large"));
    }
    Ok(Some(Duration::from_nanos(ns as u64)))
}

#[derive(krait_macros::Trace, krait_macros::Payload)]
#[payload(class = RLOCK)]
pub(super) struct RLock {
    #[trace(skip)]
    raw: RawLock,
    /// Identifier of the thread that holds it; 0 = none.
    owner: AtomicU64,
    count: AtomicU64,
}
static RLOCK_LAYOUT: VTable = VTable::of::<RLock>();
pub(super) static RLOCK: TypeObject = TypeObject::builtin("RLock", Some(&OBJECT), &RLOCK_LAYOUT);

pub(super) static RLOCK_DEF: ClassDef = ClassDef {
    module: "_thread",
    doc: "A lock that its holder may take again, and gives back as often.",
    methods: RLOCK_METHODS,
    slots: SlotDefs {
        new: Some(|_, class, _| {
            let payload = RLock { raw: RawLock::new(), owner: AtomicU64::new(0), count: AtomicU64::new(0) };
            Ok(Ref::with_class(payload, class.object()).into())
        }),
        repr: Some(|_, v| {
            let r = rlock(v);
            let (owner, count) = (r.owner.load(SeqCst), r.count.load(SeqCst));
            let state = if count > 0 { "locked" } else { "unlocked" };
            let class = krait_runtime::types::type_::full_name(&v.class_ref());
            Ok(Value::from(format!("<{state} {class} object owner={owner} count={count} at {:#x}>", v.bits())))
        }),
        ..SlotDefs::EMPTY
    },
    flags: type_flag::BASE | type_flag::WEAKREF,
    ..ClassDef::new(&RLOCK)
};
fn rlock(v: &Value) -> &RLock {
    v.downcast_ref().expect("the descriptor checked the class")
}
impl RLock {
    fn is_owned(&self) -> bool {
        self.count.load(SeqCst) > 0 && self.owner.load(SeqCst) == ident()
    }
    fn acquire(&self, th: &mut Thread, timeout: Option<Duration>) -> PyResult<bool> {
        if self.is_owned() {
            self.count.fetch_add(1, SeqCst);
            return Ok(true);
        }
        let got = self.raw.acquire(th, timeout)?;
        if got {
            self.owner.store(ident(), SeqCst);
            self.count.store(1, SeqCst);
        }
        Ok(got)
    }
    fn release(&self, th: &mut Thread) -> PyResult<Value> {
        if !self.is_owned() {
            return Err(runtime_error(th, "cannot release un-acquired lock"));
        }
        if self.count.fetch_sub(1, SeqCst) == 1 {
            self.owner.store(0, SeqCst);
            self.raw.release();
        }
        Ok(Value::NONE)
    }
}
static RLOCK_METHODS: &[Method] = &[
    method(
        "acquire",
        "(blocking=True, timeout=-1)",
        "Take the lock, once more if this thread holds it; whether it was taken.",
        |th, a| {
            let timeout = timeout(th, a)?;
            Ok(Value::bool(rlock(&a[0]).acquire(th, timeout)?))
        },
    ),
    method("release", "()", "Give the lock back once.", |th, a| rlock(&a[0]).release(th)),
    method("__enter__", "(blocking=True, timeout=-1)", "Take the lock.", |th, a| {
        let timeout = timeout(th, a)?;
        Ok(Value::bool(rlock(&a[0]).acquire(th, timeout)?))
    }),
    method("__exit__", "(*exc_info)", "Give the lock back once.", |th, a| rlock(&a[0]).release(th)),
    method("_is_owned", "()", "Whether this thread holds the lock.", |_, a| Ok(Value::bool(rlock(&a[0]).is_owned()))),
    method("_recursion_count", "()", "How often this thread holds the lock.", |_, a| {
        let r = rlock(&a[0]);
        Ok(if r.is_owned() { r.count.load(SeqCst).into() } else { Value::int(0) })
    }),
    method("_release_save", "()", "Give the lock back entirely; what _acquire_restore takes.", |th, a| {
        let r = rlock(&a[0]);
        if r.count.load(SeqCst) == 0 {
            return Err(runtime_error(th, "cannot release un-acquired lock"));
        }
        let (count, owner) = (r.count.swap(0, SeqCst), r.owner.swap(0, SeqCst));
        r.raw.release();
        Ok(Tuple::from_vec(vec![count.into(), owner.into()]).into())
    }),
    method("_acquire_restore", "(state, /)", "Take the lock as it was held before _release_save.", |th, a| {
        let Some([count, owner]) = a[1].downcast_ref::<Tuple>().and_then(|t| <[Value; 2]>::try_from(t.to_vec()).ok())
        else {
            return Err(krait_runtime::errors::type_error(th, "_acquire_restore() argument 1 must be a 2-tuple"));
        };
        let (count, owner) = (number::to_u64(th, &count)?, number::to_u64(th, &owner)?);
        let r = rlock(&a[0]);
        r.raw.acquire(th, None)?;
        r.owner.store(owner, SeqCst);
        r.count.store(count, SeqCst);
        Ok(Value::NONE)
    }),
    method("_at_fork_reinit", "()", "Make the lock free, in the child of a fork.", |_, a| {
        let r = rlock(&a[0]);
        r.raw.reset();
        r.owner.store(0, SeqCst);
        r.count.store(0, SeqCst);
        Ok(Value::NONE)
    }),
];
