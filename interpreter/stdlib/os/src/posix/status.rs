//! What the exit status of a process says.
use krait_object::native::function;
use krait_object::{Method, PyResult, Thread, Value};
use krait_platform::process::status as s;
use krait_runtime::errors::value_error;
use krait_runtime::protocol::number;

macro_rules! each {
    ($($name:literal $sig:literal $doc:literal $f:path;)*) => { &[
        $(function($name, $sig, $doc, |th, a| Ok($f(number::to_i32(th, &a[0])?).into())),)*
        function("waitstatus_to_exitcode", "(status)", "The exit code in a status; the negative signal where one ended the process.", |th, a| {
            let status = number::to_i32(th, &a[0])?;
            exit_code(th, status)
        }),
    ] };
}
pub(super) static FUNCTIONS: &[Method] = each! {
    "WCOREDUMP" "(status, /)" "Whether the process left a core dump." s::core_dumped;
    "WIFCONTINUED" "(status)" "Whether the process went on after a stop." s::continued;
    "WIFSTOPPED" "(status)" "Whether the process was stopped." s::stopped;
    "WIFSIGNALED" "(status)" "Whether a signal ended the process." s::signaled;
    "WIFEXITED" "(status)" "Whether the process ended by itself." s::exited;
    "WEXITSTATUS" "(status)" "The exit code of a process that ended by itself." s::exit_code;
    "WTERMSIG" "(status)" "The signal that ended the process." s::term_signal;
    "WSTOPSIG" "(status)" "The signal that stopped the process." s::stop_signal;
};
fn exit_code(th: &mut Thread, status: i32) -> PyResult<Value> {
    if s::exited(status) {
        return Ok(s::exit_code(status).into());
    }
    if s::signaled(status) {
        return Ok((-s::term_signal(status)).into());
    }
    Err(if s::stopped(status) {
        value_error(th, format!("process stopped by delivery of signal {}", s::stop_signal(status)))
    } else {
        value_error(th, format!("invalid wait status: {status}"))
    })
}
