//! `time`: clocks and sleeping. The calendar is in the folder.
use krait_object::native::function;
use krait_object::{Args, Method, ModuleDef, PyResult, Thread, Value};
use krait_platform::time as clock;
use krait_runtime::errors::value_error;
use krait_runtime::protocol::number;
use krait_runtime::types::native_function::NativeFunction;
use krait_runtime::types::{module, simple_namespace};
use krait_runtime::world::retry;

use crate::arguments::sys;
use crate::{constants, structs};
use krait_runtime::seconds::{Rounding, nanoseconds};

mod calendar;

pub static MODULE: ModuleDef = ModuleDef {
    doc: "Clocks, and conversions between times in their three forms: seconds since the epoch,\nstruct_time (a tuple of nine numbers, in UTC or local time), and text.",
    functions: FUNCTIONS,
    init: Some(init),
    ..ModuleDef::new("time")
};

/// Both forms of a clock's function.
macro_rules! clocks {
    ($($name:literal $ns_name:literal $doc:literal $clock:expr;)*) => { &[
        $(function($name, "()", concat!($doc, ", in seconds."), |th, _| {
            let ns = sys(th, clock::clock_gettime($clock))?;
            Ok(Value::float(to_seconds(ns)))
        }),
        function($ns_name, "()", concat!($doc, ", in nanoseconds."), |th, _| Ok(sys(th, clock::clock_gettime($clock))?.into())),)*
        function("sleep", "(object, /)", "Do nothing for that many seconds.", sleep),
        function("clock_gettime", "(clk_id, /)", "What a clock shows, in seconds.", |th, a| {
            let id = number::to_i32(th, &a[0])?;
            let ns = sys(th, clock::clock_gettime(id))?;
            Ok(Value::float(to_seconds(ns)))
        }),
        function("clock_gettime_ns", "(clk_id, /)", "What a clock shows, in nanoseconds.", |th, a| {
            let id = number::to_i32(th, &a[0])?;
            Ok(sys(th, clock::clock_gettime(id))?.into())
        }),
        function("clock_settime", "(clk_id, time, /)", "Set a clock, in seconds.", |th, a| {
            let id = number::to_i32(th, &a[0])?;
            let ns = nanoseconds(th, &a[1], Rounding::Floor)?;
            sys(th, clock::clock_settime(id, ns))?;
            Ok(Value::NONE)
        }).hidden(),
        function("clock_settime_ns", "(clk_id, time, /)", "Set a clock, in nanoseconds.", |th, a| {
            let id = number::to_i32(th, &a[0])?;
            let ns = number::to_i64(th, &a[1])?;
            sys(th, clock::clock_settime(id, ns))?;
            Ok(Value::NONE)
        }).hidden(),
        function("clock_getres", "(clk_id, /)", "A clock's resolution, in seconds.", |th, a| {
            let id = number::to_i32(th, &a[0])?;
            let ns = sys(th, clock::clock_getres(id))?;
            Ok(Value::float(ns as f64 * 1e-9))
        }).hidden(),
        function("pthread_getcpuclockid", "(thread_id, /)", "The clock of a thread's processor time.", |th, a| {
            let id = krait_runtime::protocol::number::to_masked(th, &a[0], 64)?;
            Ok(sys(th, clock::thread_clock(id))?.into())
        }).hidden(),
        function("get_clock_info", "(name, /)", "How a clock works: implementation, monotonic, adjustable, resolution.", clock_info).hidden(),
    ] };
}
static FUNCTIONS: &[Method] = clocks! {
    "time" "time_ns" "The time since the epoch" clock::CLOCK_REALTIME;
    "monotonic" "monotonic_ns" "A clock that never goes back" clock::CLOCK_MONOTONIC;
    "perf_counter" "perf_counter_ns" "The clock that measures best" clock::CLOCK_MONOTONIC;
    "process_time" "process_time_ns" "The processor time that this process used" clock::CLOCK_PROCESS_CPUTIME_ID;
    "thread_time" "thread_time_ns" "The processor time that this thread used" clock::CLOCK_THREAD_CPUTIME_ID;
};

fn init(th: &mut Thread, m: &Value) -> PyResult<()> {
    constants::add(m, constants::time::TABLE);
    let d = module::dict(m);
    let name = Value::str("time");
    for f in calendar::FUNCTIONS {
        d.set_text(f.name, NativeFunction::new_function(f, m, &name));
    }
    d.set_text("struct_time", structs::class(th, &calendar::STRUCT_TIME));
    calendar::set_zone(m);
    Ok(())
}
/// The quotient of whole nanoseconds, correctly rounded.
fn to_seconds(ns: i64) -> f64 {
    ns as f64 / 1e9
}
fn sleep(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    krait_runtime::audit::audit(th, "time.sleep", &[a[0].clone()])?;
    let ns = nanoseconds(th, &a[0], Rounding::Ceiling)?;
    if ns < 0 {
        return Err(value_error(th, "sleep length must be non-negative"));
    }
    let now = sys(th, clock::clock_gettime(clock::CLOCK_MONOTONIC))?;
    let deadline = now.saturating_add(ns);
    let done = retry(th, || clock::sleep_until(deadline))?;
    sys(th, done)?;
    Ok(Value::NONE)
}
fn clock_info(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let name = krait_runtime::convert::expect_text(th, &a[0], "get_clock_info", "argument 1")?;
    let (id, text, adjustable) = match name.as_str() {
        "time" => (clock::CLOCK_REALTIME, "CLOCK_REALTIME", true),
        "monotonic" | "perf_counter" => (clock::CLOCK_MONOTONIC, "CLOCK_MONOTONIC", false),
        "process_time" => (clock::CLOCK_PROCESS_CPUTIME_ID, "CLOCK_PROCESS_CPUTIME_ID", false),
        "thread_time" => (clock::CLOCK_THREAD_CPUTIME_ID, "CLOCK_THREAD_CPUTIME_ID", false),
        _ => return Err(value_error(th, "unknown clock")),
    };
    let resolution = sys(th, clock::clock_getres(id))?;
    Ok(simple_namespace::new(&[
        ("implementation", Value::from(format!("clock_gettime({text})"))),
        ("monotonic", Value::bool(!adjustable)),
        ("adjustable", Value::bool(adjustable)),
        ("resolution", Value::float(resolution as f64 * 1e-9)),
    ]))
}
