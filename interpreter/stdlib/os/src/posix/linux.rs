//! What only Linux has: event and timer descriptors, memory files, namespaces, copying inside the kernel.
use krait_object::native::function;
use krait_object::{Args, Method, PyResult, Thread, Tuple, Value};
use krait_platform::{fd, process};
use krait_runtime::errors::value_error;
use krait_runtime::protocol::number;
use krait_runtime::world::retry;

use crate::arguments::{fs_string, int_or, sys};

const CLOEXEC: i32 = 0o2000000;

pub(super) static FUNCTIONS: &[Method] = &[
    function("eventfd", "(initval, flags=EFD_CLOEXEC)", "Make an event descriptor.", |th, a| {
        let value = number::to_masked(th, &a[0], 32)?;
        let flags = int_or(th, a.opt(1), CLOEXEC)?;
        let f = sys(th, fd::eventfd(value as u32, flags))?;
        Ok(f.into())
    }),
    function("eventfd_read", "(fd)", "Read an event descriptor's counter.", |th, a| {
        let f = number::to_i32(th, &a[0])?;
        let mut word = [0u8; 8];
        let n = retry(th, || fd::read(f, &mut word))?;
        sys(th, n)?;
        Ok(u64::from_ne_bytes(word).into())
    }),
    function("eventfd_write", "(fd, value)", "Add to an event descriptor's counter.", |th, a| {
        let f = number::to_i32(th, &a[0])?;
        let word = number::to_masked(th, &a[1], 64)?.to_ne_bytes();
        let n = retry(th, || fd::write(f, &word))?;
        sys(th, n)?;
        Ok(Value::NONE)
    }),
    function("memfd_create", "(name, flags=MFD_CLOEXEC)", "Make a file in memory.", |th, a| {
        let name = fs_string(th, &a[0])?;
        let flags = a.opt(1).map_or(Ok(1), |f| number::to_masked(th, f, 32))?;
        let f = sys(th, fd::memfd_create(&name, flags as u32))?;
        Ok(f.into())
    }),
    function("timerfd_create", "(clockid, /, *, flags=0)", "Make a timer descriptor.", |th, a| {
        let clock = number::to_i32(th, &a[0])?;
        let flags = int_or(th, a.opt(1), 0)?;
        let f = sys(th, process::timerfd_create(clock, flags | CLOEXEC))?;
        Ok(f.into())
    }),
    function(
        "timerfd_settime",
        "(fd, /, *, flags=0, initial=0.0, interval=0.0)",
        "Set a timer, in seconds; the setting before.",
        |th, a| set_timer(th, a, false),
    ),
    function(
        "timerfd_settime_ns",
        "(fd, /, *, flags=0, initial=0, interval=0)",
        "Set a timer, in nanoseconds; the setting before.",
        |th, a| set_timer(th, a, true),
    ),
    function("timerfd_gettime", "(fd, /)", "A timer's setting in seconds: (next expiration, interval).", |th, a| {
        let f = number::to_i32(th, &a[0])?;
        let t = sys(th, process::timerfd_gettime(f))?;
        Ok(shown(t, false))
    }),
    function(
        "timerfd_gettime_ns",
        "(fd, /)",
        "A timer's setting in nanoseconds: (next expiration, interval).",
        |th, a| {
            let f = number::to_i32(th, &a[0])?;
            let t = sys(th, process::timerfd_gettime(f))?;
            Ok(shown(t, true))
        },
    ),
    function("setns", "(fd, nstype=0)", "Move the thread into a namespace.", |th, a| {
        let f = crate::arguments::fildes(th, &a[0])?;
        let kind = int_or(th, a.opt(1), 0)?;
        sys(th, fd::setns(f, kind))?;
        Ok(Value::NONE)
    }),
    function("unshare", "(flags)", "Leave namespaces that are shared.", |th, a| {
        let flags = number::to_i32(th, &a[0])?;
        sys(th, process::unshare(flags))?;
        Ok(Value::NONE)
    }),
    function(
        "copy_file_range",
        "(src, dst, count, offset_src=None, offset_dst=None)",
        "Copy bytes from one file to another.",
        |th, a| copy(th, a, "copy_file_range"),
    ),
    function(
        "splice",
        "(src, dst, count, offset_src=None, offset_dst=None, flags=0)",
        "Move bytes between a pipe and another descriptor.",
        |th, a| copy(th, a, "splice"),
    ),
];
fn copy(th: &mut Thread, a: &Args<'_>, name: &str) -> PyResult<Value> {
    let (from, to) = (number::to_i32(th, &a[0])?, number::to_i32(th, &a[1])?);
    let count = number::index_isize(th, &a[2])?;
    if count < 0 {
        return Err(value_error(th, "negative value for 'count' not allowed"));
    }
    let mut places = [None, None];
    for (place, i) in places.iter_mut().zip([3, 4]) {
        if let Some(v) = a.opt_not_none(i) {
            *place = Some(number::to_i64(th, v)?);
        }
    }
    let at = (places[0], places[1]);
    let n = if name == "splice" {
        let flags = a.opt(5).map_or(Ok(0), |f| number::to_masked(th, f, 32))? as u32;
        retry(th, || fd::splice(from, to, count as usize, at, flags))?
    } else {
        retry(th, || fd::copy_file_range(from, to, count as usize, at))?
    };
    let n = sys(th, n)?;
    Ok(n.into())
}
fn shown((left, interval): (i64, i64), ns: bool) -> Value {
    let show = |n: i64| if ns { Value::int(n) } else { Value::float(n as f64 * 1e-9) };
    Tuple::from_vec(vec![show(left), show(interval)]).into()
}
fn set_timer(th: &mut Thread, a: &Args<'_>, ns: bool) -> PyResult<Value> {
    let f = number::to_i32(th, &a[0])?;
    let flags = int_or(th, a.opt(1), 0)?;
    let mut times = [0i64; 2];
    for (t, i) in times.iter_mut().zip([2, 3]) {
        let Some(v) = a.opt(i) else { continue };
        *t = if ns { number::to_i64(th, v)? } else { (number::to_f64(th, v)? * 1e9).floor() as i64 };
    }
    let before = sys(th, process::timerfd_settime(f, flags, times[0], times[1]))?;
    Ok(shown(before, ns))
}
