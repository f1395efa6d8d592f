//! `select`: select and poll. epoll is in the folder.
use std::time::{Duration, Instant};

use krait_object::builtin_types::OBJECT;
use krait_object::native::{function, method};
use krait_object::{
    Args, ClassDef, List, Locked, Method, ModuleDef, PyResult, Ref, Thread, Tuple, TypeObject, VTable, Value, type_flag,
};
use krait_platform::wait::{self as platform, POLLIN, POLLOUT, POLLPRI, Poll};
use krait_runtime::errors::{key_error, os_error, overflow_error, runtime_error, type_error, value_error};
use krait_runtime::exceptions::OS_ERROR;
use krait_runtime::protocol::{number, sequence};
use krait_runtime::signals;
use krait_runtime::types::module;
use krait_runtime::types::type_::ready::ready_class;
use krait_runtime::world::blocking;

use crate::arguments::fildes;
use crate::constants;
use krait_runtime::seconds::{Rounding, nanoseconds};

mod epoll;

pub static MODULE: ModuleDef = ModuleDef {
    doc: "Waiting for several descriptors at once.",
    functions: FUNCTIONS,
    init: Some(|th, m| {
        constants::add(m, constants::select::TABLE);
        ready_class(th, &POLL_DEF);
        ready_class(th, &epoll::DEF);
        let d = module::dict(m);
        d.set_text("epoll", epoll::EPOLL.to_value());
        d.set_text("error", OS_ERROR.to_value());
        Ok(())
    }),
    ..ModuleDef::new("select")
};
static FUNCTIONS: &[Method] = &[
    function(
        "select",
        "(rlist, wlist, xlist, timeout=None, /)",
        "Wait until descriptors are ready for reading, writing or exceptional conditions;\nthe three lists of those that are. The timeout is in seconds.",
        select,
    ),
    function("poll", "()", "Make a polling object.", |_, _| {
        Ok(Ref::new(PollObject { fds: Locked::default(), busy: Locked::new(false) }).into())
    }),
];
const EINTR: i32 = krait_platform::errno::EINTR;
const FD_SETSIZE: i32 = 1024;

/// Repeats a wait that signals interrupt, with what is left of the time; `wait` gets nanoseconds.
fn repeat<R>(
    th: &mut Thread,
    timeout: Option<i64>,
    mut wait: impl FnMut(Option<i64>) -> Result<R, i32>,
) -> PyResult<Result<R, i32>> {
    let deadline = timeout.and_then(|ns| Instant::now().checked_add(Duration::from_nanos(ns.max(0) as u64)));
    loop {
        let left = match (timeout, deadline) {
            (None, _) => None,
            (Some(t), None) => Some(t),
            (_, Some(d)) => Some(d.saturating_duration_since(Instant::now()).as_nanos() as i64),
        };
        match blocking(th, || wait(left)) {
            Err(EINTR) => signals::run_pending(th)?,
            done => return Ok(done),
        }
    }
}
/// Milliseconds of nanoseconds, rounded up; -1 = for ever.
fn millis(left: Option<i64>) -> i32 {
    left.map_or(-1, |ns| i32::try_from(ns / 1_000_000 + i64::from(ns % 1_000_000 != 0)).unwrap_or(i32::MAX))
}
fn select(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let timeout = match a.opt_not_none(3) {
        None => None,
        Some(v) => {
            if v.to_f64().is_none() && !number::has_index(v) {
                return Err(type_error(th, "timeout must be a float or None"));
            }
            let ns = nanoseconds(th, v, Rounding::Up)?;
            if ns < 0 {
                return Err(value_error(th, "timeout must be non-negative"));
            }
            Some(ns)
        }
    };
    let mut sets: [Vec<i32>; 3] = Default::default();
    let mut objects: [Vec<(i32, Value)>; 3] = Default::default();
    for i in 0..3 {
        // A list may get shorter while its items are asked for their descriptors.
        let list = a[i].to_ref::<List>();
        let items = match &list {
            Some(_) => Vec::new(),
            None => sequence::to_items(th, &a[i], "arguments 1-3 must be sequences")?,
        };
        for n in 0.. {
            let item = list.as_ref().map_or_else(|| items.get(n).cloned(), |l| l.get(n));
            let Some(object) = item else { break };
            let fd = fildes(th, &object)?;
            if fd >= FD_SETSIZE {
                return Err(value_error(th, "filedescriptor out of range in select()"));
            }
            if objects[i].len() >= FD_SETSIZE as usize {
                return Err(value_error(th, "too many file descriptors in select()"));
            }
            sets[i].push(fd);
            objects[i].push((fd, object));
        }
    }
    let ready = match repeat(th, timeout, |left| platform::select(&sets, left))? {
        Ok(r) => r,
        Err(e) => return Err(os_error(th, e, None)),
    };
    let lists = objects.iter().zip(&ready).map(|(objects, ready)| -> Value {
        let chosen = objects.iter().filter(|(fd, _)| ready.contains(fd)).map(|(_, o)| o.clone());
        List::new(chosen.collect()).into()
    });
    Ok(Tuple::from_vec(lists.collect()).into())
}

#[derive(krait_macros::Trace, krait_macros::Payload)]
#[payload(class = POLL)]
struct PollObject {
    /// Descriptors and wanted events, in the order of registration.
    #[trace(skip)]
    fds: Locked<Vec<(i32, u16)>>,
    /// A thread waits with it.
    #[trace(skip)]
    busy: Locked<bool>,
}
static POLL_LAYOUT: VTable = VTable::of::<PollObject>();
static POLL: TypeObject = TypeObject::builtin("poll", Some(&OBJECT), &POLL_LAYOUT);
static POLL_DEF: ClassDef = ClassDef {
    module: "select",
    methods: POLL_METHODS,
    flags: type_flag::DISALLOW_INSTANTIATION,
    ..ClassDef::new(&POLL)
};
fn this(v: &Value) -> &PollObject {
    v.downcast_ref().expect("the descriptor checked the class")
}
fn events(th: &mut Thread, v: Option<&Value>) -> PyResult<u16> {
    let Some(v) = v else { return Ok((POLLIN | POLLPRI | POLLOUT) as u16) };
    let n = number::to_bigint(th, v)?;
    if n.sign() == num_bigint::Sign::Minus {
        return Err(value_error(th, "value must be positive"));
    }
    u16::try_from(&n).map_err(|_| overflow_error(th, "Python int too large for C unsigned short"))
}
static POLL_METHODS: &[Method] = &[
    method(
        "register",
        "(fd, eventmask=select.POLLIN | select.POLLPRI | select.POLLOUT, /)",
        "Wait for events of a descriptor from now on.",
        |th, a| {
            let fd = fildes(th, &a[1])?;
            let wanted = events(th, a.opt(2))?;
            let mut fds = this(&a[0]).fds.lock();
            match fds.iter_mut().find(|(f, _)| *f == fd) {
                Some(entry) => entry.1 = wanted,
                None => fds.push((fd, wanted)),
            }
            Ok(Value::NONE)
        },
    ),
    method("modify", "(fd, eventmask, /)", "Change the events that are waited for.", |th, a| {
        let fd = fildes(th, &a[1])?;
        let wanted = events(th, a.opt(2))?;
        let found = this(&a[0]).fds.lock().iter_mut().find(|(f, _)| *f == fd).map(|e| e.1 = wanted).is_some();
        if found { Ok(Value::NONE) } else { Err(os_error(th, 2, None)) }
    }),
    method("unregister", "(fd, /)", "Wait for a descriptor no longer.", |th, a| {
        let fd = fildes(th, &a[1])?;
        let found = {
            let mut fds = this(&a[0]).fds.lock();
            let n = fds.len();
            fds.retain(|(f, _)| *f != fd);
            fds.len() != n
        };
        if found { Ok(Value::NONE) } else { Err(key_error(th, &fd.into())) }
    }),
    method(
        "poll",
        "(timeout=None, /)",
        "Wait for events; list of (descriptor, events). The timeout is in milliseconds.",
        poll,
    ),
];
fn poll(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let timeout = match a.opt_not_none(1) {
        None => None,
        Some(v) => {
            let ns = if let Some(f) = v.to_f64() {
                if f.is_nan() {
                    return Err(value_error(th, "Invalid value NaN (not a number)"));
                }
                let ns = f * 1e6;
                if ns.abs() >= 9.2e18 {
                    return Err(overflow_error(th, "timeout is too large"));
                }
                if ns < 0.0 { ns.floor() as i64 } else { ns.ceil() as i64 }
            } else if number::has_index(v) {
                let ms = number::to_i64(th, v)?;
                match ms.checked_mul(1_000_000) {
                    Some(ns) => ns,
                    None => return Err(overflow_error(th, "timeout is too large")),
                }
            } else {
                return Err(type_error(th, "timeout must be an integer or None"));
            };
            if ns / 1_000_000 > i64::from(i32::MAX) || ns / 1_000_000 < i64::from(i32::MIN) {
                return Err(overflow_error(th, "timeout is too large"));
            }
            if ns < 0 { None } else { Some(ns) }
        }
    };
    let object = a[0].clone();
    let p = this(&object);
    if std::mem::replace(&mut *p.busy.lock(), true) {
        return Err(runtime_error(th, "concurrent poll() invocation"));
    }
    let mut fds: Vec<Poll> = p.fds.lock().iter().map(|&(fd, e)| Poll { fd, events: e as i16, happened: 0 }).collect();
    let done = repeat(th, timeout, |left| platform::poll(&mut fds, millis(left)));
    *p.busy.lock() = false;
    match done? {
        Ok(_) => {
            let ready = fds.iter().filter(|f| f.happened != 0);
            let pair = |f: &Poll| -> Value { Tuple::from_vec(vec![f.fd.into(), (f.happened as u16).into()]).into() };
            Ok(List::new(ready.map(pair).collect()).into())
        }
        Err(e) => Err(os_error(th, e, None)),
    }
}
