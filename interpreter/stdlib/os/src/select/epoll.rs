//! `epoll`.
use std::sync::atomic::{AtomicI32, Ordering::SeqCst};

use krait_object::builtin_types::OBJECT;
use krait_object::native::{Sig, class_method, getter, method};
use krait_object::{
    Args, ClassDef, GetSet, List, Method, PyResult, Ref, SlotDefs, Thread, Tuple, Type, TypeObject, VTable, Value,
    type_flag,
};
use krait_platform::wait::{self as platform, Control};
use krait_runtime::errors::{os_error, value_error};
use krait_runtime::protocol::number;

use super::{millis, repeat};
use crate::arguments::{fildes, int_or};
use krait_runtime::seconds::{Rounding, nanoseconds};
use krait_runtime::world::blocking;

#[derive(krait_macros::Trace, krait_macros::Payload)]
#[payload(class = EPOLL)]
pub(super) struct Epoll {
    /// -1 = closed.
    fd: AtomicI32,
}
impl Drop for Epoll {
    fn drop(&mut self) {
        let fd = *self.fd.get_mut();
        if fd >= 0 {
            let _ = krait_platform::fd::close(fd);
        }
    }
}
static LAYOUT: VTable = VTable::of::<Epoll>();
pub(super) static EPOLL: TypeObject = TypeObject::builtin("epoll", Some(&OBJECT), &LAYOUT);

pub(super) static DEF: ClassDef = ClassDef {
    module: "select",
    doc: "An object that waits for events of descriptors.\n\nsizehint is ignored; flags are 0 or EPOLL_CLOEXEC, which is always set.",
    sig: "(sizehint=-1, flags=0)",
    methods: METHODS,
    getset: GETSET,
    slots: SlotDefs { new: Some(new), ..SlotDefs::EMPTY },
    flags: type_flag::BASE,
    ..ClassDef::new(&EPOLL)
};
const CLOEXEC: i32 = 0o2000000;

fn new(th: &mut Thread, class: &Ref<Type>, args: &Args<'_>) -> PyResult<Value> {
    static SIG: Sig = Sig::new("(sizehint=-1, flags=0)");
    let bound = SIG.bind(th, "epoll", "epoll", args, 0)?;
    let a = bound.args();
    let size = int_or(th, a.opt(0), -1)?;
    let flags = int_or(th, a.opt(1), 0)?;
    if size < -1 || size == 0 {
        return Err(value_error(th, "sizehint must be positive or -1"));
    }
    if flags & !CLOEXEC != 0 {
        return Err(os_error(th, krait_platform::errno::EINVAL, None));
    }
    match platform::epoll_create(CLOEXEC) {
        Ok(fd) => Ok(Ref::with_class(Epoll { fd: AtomicI32::new(fd) }, class.object()).into()),
        Err(e) => Err(os_error(th, e, None)),
    }
}
fn open(th: &mut Thread, v: &Value) -> PyResult<i32> {
    match v.downcast_ref::<Epoll>().map_or(-1, |e| e.fd.load(SeqCst)) {
        fd if fd >= 0 => Ok(fd),
        _ => Err(value_error(th, "I/O operation on closed epoll object")),
    }
}
fn close(th: &mut Thread, v: &Value) -> PyResult<Value> {
    let fd = v.downcast_ref::<Epoll>().map_or(-1, |e| e.fd.swap(-1, SeqCst));
    if fd >= 0
        && let Err(e) = blocking(th, || krait_platform::fd::close(fd))
    {
        return Err(os_error(th, e, None));
    }
    Ok(Value::NONE)
}
fn control(th: &mut Thread, a: &Args<'_>, what: Control, default: u32) -> PyResult<Value> {
    let epoll = open(th, &a[0])?;
    let fd = fildes(th, &a[1])?;
    let events = a.opt(2).map_or(Ok(u64::from(default)), |e| number::to_masked(th, e, 32))?;
    match platform::epoll_control(epoll, what, fd, events as u32) {
        Ok(_) => Ok(Value::NONE),
        Err(e) => Err(os_error(th, e, None)),
    }
}
static GETSET: &[GetSet] = &[getter("closed", "True if the epoll handler is closed", |_, v| {
    Ok(Value::bool(v.downcast_ref::<Epoll>().is_none_or(|e| e.fd.load(SeqCst) < 0)))
})];
static METHODS: &[Method] = &[
    class_method("fromfd", "(fd, /)", "An epoll object of a descriptor.", |th, a| {
        let fd = number::to_i32(th, &a[1])?;
        let class = a[0].to_ref::<Type>();
        let class = class.as_ref().map_or(&EPOLL as &TypeObject, |c| c.object());
        Ok(Ref::with_class(Epoll { fd: AtomicI32::new(fd) }, class).into())
    }),
    method("close", "()", "Close the descriptor.", |th, a| close(th, &a[0])),
    method("fileno", "()", "The descriptor.", |th, a| Ok(open(th, &a[0])?.into())),
    method(
        "register",
        "(fd, eventmask=select.EPOLLIN | select.EPOLLPRI | select.EPOLLOUT)",
        "Wait for events of a descriptor from now on.",
        |th, a| control(th, a, Control::Add, 7),
    ),
    method("modify", "(fd, eventmask)", "Change the events that are waited for.", |th, a| {
        control(th, a, Control::Modify, 0)
    }),
    method("unregister", "(fd)", "Wait for a descriptor no longer.", |th, a| control(th, a, Control::Delete, 0)),
    method(
        "poll",
        "(timeout=None, maxevents=-1)",
        "Wait for events; list of (descriptor, events). The timeout is in seconds.",
        |th, a| {
            let epoll = open(th, &a[0])?;
            let timeout = match a.opt_not_none(1) {
                None => None,
                Some(v) => {
                    let ns = nanoseconds(th, v, Rounding::Up)?;
                    if ns < 0 { None } else { Some(ns) }
                }
            };
            let most = match int_or(th, a.opt(2), -1)? {
                -1 => 1023,
                n if n > 0 => n as usize,
                n => {
                    return Err(value_error(th, format!("maxevents must be greater than 0, got {n}")));
                }
            };
            match repeat(th, timeout, |left| platform::epoll_wait(epoll, most, millis(left)))? {
                Ok(ready) => {
                    let pair = |&(fd, e): &(i32, u32)| -> Value { Tuple::from_vec(vec![fd.into(), e.into()]).into() };
                    Ok(List::new(ready.iter().map(pair).collect()).into())
                }
                Err(e) => Err(os_error(th, e, None)),
            }
        },
    ),
    method("__enter__", "()", "The object itself.", |th, a| {
        open(th, &a[0])?;
        Ok(a[0].clone())
    }),
    method("__exit__", "(exc_type=None, exc_value=None, exc_tb=None, /)", "Close the descriptor.", |th, a| {
        close(th, &a[0])
    }),
];
