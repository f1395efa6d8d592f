//! `_ThreadHandle`: the state of a thread that can be waited for.
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering::*};
use std::time::Duration;

use krait_object::builtin_types::OBJECT;
use krait_object::native::{getter, method};
use krait_object::{ClassDef, GetSet, Locked, Method, PyResult, Ref, SlotDefs, Thread, TypeObject, VTable, Value};
use krait_platform::thread::{Semaphore, ident};
use krait_runtime::errors::runtime_error;

use super::lock::wait;
use krait_runtime::seconds::timeout;

const NOT_STARTED: u8 = 0;
const STARTING: u8 = 1;
const RUNNING: u8 = 2;
const DONE: u8 = 3;

pub(super) struct Handle {
    state: AtomicU8,
    ident: AtomicU64,
    /// Posted when the thread has begun, and when it is done; whoever took it gives it back.
    begun: Semaphore,
    done: Semaphore,
}
impl Default for Handle {
    fn default() -> Handle {
        let state = AtomicU8::new(NOT_STARTED);
        Handle { state, ident: AtomicU64::new(0), begun: Semaphore::new(0), done: Semaphore::new(0) }
    }
}
impl Handle {
    pub(super) fn ident(&self) -> u64 {
        self.ident.load(SeqCst)
    }
    /// False: the thread was started before.
    pub(super) fn claim(&self) -> bool {
        self.state.compare_exchange(NOT_STARTED, STARTING, SeqCst, SeqCst).is_ok()
    }
    pub(super) fn begin(&self, ident: u64) {
        self.ident.store(ident, SeqCst);
        let _ = self.state.compare_exchange(STARTING, RUNNING, SeqCst, SeqCst);
        self.begun.post();
    }
    pub(super) fn wait_for_begin(&self) {
        use krait_platform::thread::Wait;
        while self.begun.wait(None) == Wait::Interrupted {}
        self.begun.post();
    }
    pub(super) fn end(&self) {
        if self.state.swap(DONE, SeqCst) != DONE {
            self.done.post();
        }
    }
    pub(super) fn is_done(&self) -> bool {
        self.state.load(SeqCst) == DONE
    }
    /// False: it took too long.
    fn join(&self, th: &mut Thread, timeout: Option<Duration>) -> PyResult<bool> {
        if self.is_done() {
            return Ok(true);
        }
        let got = wait(th, &self.done, timeout)?;
        if got {
            self.done.post();
        }
        Ok(got)
    }
}

#[derive(krait_macros::Trace, krait_macros::Payload)]
#[payload(class = HANDLE)]
pub(super) struct ThreadHandle {
    #[trace(skip)]
    inner: Arc<Handle>,
}
static LAYOUT: VTable = VTable::of::<ThreadHandle>();
pub(super) static HANDLE: TypeObject = TypeObject::builtin("_ThreadHandle", Some(&OBJECT), &LAYOUT);

pub(super) static DEF: ClassDef = ClassDef {
    module: "_thread",
    methods: METHODS,
    getset: GETSET,
    slots: SlotDefs {
        new: Some(|_, class, _| Ok(Ref::with_class(ThreadHandle { inner: Arc::default() }, class.object()).into())),
        repr: Some(|_, v| {
            let ident = inner(v).ident();
            Ok(Value::from(format!("<_thread._ThreadHandle object: ident={ident}>")))
        }),
        ..SlotDefs::EMPTY
    },
    ..ClassDef::new(&HANDLE)
};
static GETSET: &[GetSet] = &[getter("ident", "", |_, v| Ok(inner(v).ident().into()))];
static METHODS: &[Method] = &[
    method("join", "(timeout=None, /)", "Wait for the thread to end.", |th, a| {
        let timeout = timeout(th, a.opt(1))?;
        let h = inner(&a[0]);
        let state = h.state.load(SeqCst);
        if state == NOT_STARTED || state == STARTING {
            return Err(runtime_error(th, "thread not started"));
        }
        if state != DONE && h.ident() == ident() {
            return Err(runtime_error(th, "Cannot join current thread"));
        }
        h.join(th, timeout)?;
        Ok(Value::NONE)
    }),
    method("_set_done", "()", "Mark the thread as ended.", |th, a| {
        let h = inner(&a[0]);
        if matches!(h.state.load(SeqCst), NOT_STARTED | STARTING) {
            return Err(runtime_error(th, "thread not started"));
        }
        h.end();
        Ok(Value::NONE)
    }),
    method("is_done", "()", "Whether the thread has ended.", |_, a| Ok(Value::bool(inner(&a[0]).is_done()))),
];
pub(super) fn inner(v: &Value) -> Arc<Handle> {
    v.downcast_ref::<ThreadHandle>().expect("the caller checked the class").inner.clone()
}
pub(super) fn new_handle() -> Value {
    Ref::new(ThreadHandle { inner: Arc::default() }).into()
}
pub(super) fn running_handle(th: &Thread, ident: u64) -> Value {
    let inner = Arc::new(Handle::default());
    inner.claim();
    inner.begin(ident);
    register(th, &inner, true);
    Ref::new(ThreadHandle { inner }).into()
}

/// The threads that were started, with whether the interpreter waits for them at its end.
#[derive(Default)]
struct Started(Locked<Vec<(Arc<Handle>, bool)>>);

pub(super) fn register(th: &Thread, handle: &Arc<Handle>, daemon: bool) {
    let started = th.interp.extension::<Started>();
    let mut all = started.0.lock();
    // A handle that only this list holds has no thread that runs.
    all.retain(|(h, waited)| !h.is_done() && (*waited || Arc::strong_count(h) > 1));
    all.push((handle.clone(), !daemon));
}
/// Waits for every thread that is not a daemon and not this one.
pub(super) fn join_all(th: &mut Thread) -> PyResult<()> {
    let me = ident();
    loop {
        let next = {
            let started = th.interp.extension::<Started>();
            let all = started.0.lock();
            all.iter().find(|(h, waited)| *waited && !h.is_done() && h.ident() != me).map(|(h, _)| h.clone())
        };
        match next {
            None => return Ok(()),
            Some(h) => {
                h.join(th, None)?;
            }
        }
    }
}
/// The other threads do not exist in the child of a fork.
pub(super) fn after_fork(th: &Thread) {
    let me = ident();
    let started = th.interp.extension::<Started>();
    let all = std::mem::take(&mut *started.0.lock());
    for (h, waited) in all {
        if h.ident() == me {
            started.0.lock().push((h, waited));
        } else {
            h.end();
        }
    }
}
