//! The system as a whole: its name, configuration, load; the time that processes used; device numbers.
use krait_object::native::function;
use krait_object::{Method, PyResult, Str, Thread, Tuple, Value};
use krait_platform::{path as platform, process};
use krait_runtime::audit::audit;
use krait_runtime::convert::fs_decode;
use krait_runtime::errors::{overflow_error, type_error, value_error};
use krait_runtime::protocol::number;
use krait_runtime::types::structseq::StructSeqDef;
use krait_runtime::world::blocking;

use crate::arguments::{Accept, fildes, fs_string, path, sys};
use crate::constants::posix::{CONFSTR_NAMES, PATHCONF_NAMES, SYSCONF_NAMES};
use crate::structs;

pub(super) static UNAME_RESULT: StructSeqDef = StructSeqDef {
    module: "posix",
    name: "uname_result",
    doc: "Result of uname.",
    fields: &[
        ("sysname", "operating system name"),
        ("nodename", "name of machine on network (implementation-defined)"),
        ("release", "operating system release"),
        ("version", "operating system version"),
        ("machine", "hardware identifier"),
    ],
    visible: 5,
    instantiable: true,
};
pub(super) static TIMES_RESULT: StructSeqDef = StructSeqDef {
    module: "posix",
    name: "times_result",
    doc: "Result of times.",
    fields: &[
        ("user", "user time"),
        ("system", "system time"),
        ("children_user", "user time of children"),
        ("children_system", "system time of children"),
        ("elapsed", "elapsed time since an arbitrary point in the past"),
    ],
    visible: 5,
    instantiable: true,
};
pub(super) static FUNCTIONS: &[Method] = &[
    function("uname", "()", "Name, version and hardware of the system.", |th, _| {
        let all = sys(th, process::uname())?;
        Ok(structs::build(th, &UNAME_RESULT, all.iter().map(|t| fs_decode(t).into()).collect()))
    }),
    function("times", "()", "The processor time of this process and its children, and the elapsed time.", |th, _| {
        const SC_CLK_TCK: i32 = 2;
        let ticks = process::sysconf(SC_CLK_TCK).unwrap_or(100) as f64;
        let all = sys(th, process::times())?;
        Ok(structs::build(th, &TIMES_RESULT, all.iter().map(|&t| Value::float(t as f64 / ticks)).collect()))
    }),
    function("sysconf", "(name, /)", "A number of the system's configuration.", |th, a| {
        let name = configuration(th, &a[0], SYSCONF_NAMES)?;
        let n = sys(th, process::sysconf(name))?;
        Ok(n.into())
    }),
    function("confstr", "(name, /)", "A text of the system's configuration.", |th, a| {
        let name = configuration(th, &a[0], CONFSTR_NAMES)?;
        let text = sys(th, process::confstr(name))?;
        Ok(text.map(|t| fs_decode(&t)).into())
    }),
    function("pathconf", "(path, name)", "A limit of a file or folder.", |th, a| {
        let p = path(th, a.opt(0), Accept::path("pathconf").or_fd())?;
        let name = configuration(th, &a[1], PATHCONF_NAMES)?;
        let got = match p.fd() {
            Some(fd) => limit(krait_platform::fd::fpathconf(fd, name)),
            None => limit(platform::pathconf(p.path(), name)),
        };
        match got {
            Ok(n) => Ok(n.into()),
            Err(e) => Err(p.error(th, e)),
        }
    }),
    function("fpathconf", "(fd, name, /)", "A limit of an open file.", |th, a| {
        let fd = fildes(th, &a[0])?;
        let name = configuration(th, &a[1], PATHCONF_NAMES)?;
        let n = sys(th, limit(krait_platform::fd::fpathconf(fd, name)))?;
        Ok(n.into())
    }),
    function(
        "getloadavg",
        "()",
        "The number of processes that wanted to run, on average of the last 1, 5 and 15 minutes.",
        |th, _| match process::getloadavg() {
            Some(load) => Ok(Tuple::new(load.map(Value::float)).into()),
            None => Err(krait_runtime::errors::raise(
                th,
                &krait_runtime::exceptions::OS_ERROR,
                "Load averages are unobtainable",
            )),
        },
    ),
    function("system", "(command)", "Run a command in a shell; its exit status.", |th, a| {
        let command = fs_string(th, &a[0])?;
        audit(th, "os.system", std::slice::from_ref(&a[0]))?;
        Ok(blocking(th, || process::system(&command)).into())
    }),
    function("sync", "()", "Force everything that was written to disk.", |th, _| {
        blocking(th, process::sync);
        Ok(Value::NONE)
    }),
    function("major", "(device, /)", "The major number of a device.", |th, a| {
        let d = device(th, &a[0])?;
        Ok(if d == NO_DEVICE { Value::int(-1) } else { Value::from((d >> 8 & 0xfff) | (d >> 32 & 0xffff_f000)) })
    }),
    function("minor", "(device, /)", "The minor number of a device.", |th, a| {
        let d = device(th, &a[0])?;
        Ok(if d == NO_DEVICE { Value::int(-1) } else { Value::from((d & 0xff) | (d >> 12 & 0xffff_ff00)) })
    }),
    function("makedev", "(major, minor, /)", "A device number from major and minor.", |th, a| {
        let (major, minor) = (device_part(th, &a[0])?, device_part(th, &a[1])?);
        let d = (minor & 0xff) | (major & 0xfff) << 8 | (minor & !0xff) << 12 | (major & !0xfff) << 32;
        Ok(if d == NO_DEVICE { Value::int(-1) } else { Value::from(d) })
    }),
];
const NO_DEVICE: u64 = u64::MAX;
fn device(th: &mut Thread, v: &Value) -> PyResult<u64> {
    if v.as_int() == Some(-1) { Ok(NO_DEVICE) } else { number::to_u64(th, v) }
}
/// A major or minor number: a C `unsigned int`, or -1.
fn device_part(th: &mut Thread, v: &Value) -> PyResult<u64> {
    match device(th, v)? {
        NO_DEVICE => Ok(u64::from(u32::MAX)),
        n if n > u64::from(u32::MAX) => Err(overflow_error(th, "Python int too large to convert to C unsigned int")),
        n => Ok(n),
    }
}
/// -1 without an error number means "no limit".
fn limit(got: Result<i64, i32>) -> Result<i64, i32> {
    match got {
        Err(0) => Ok(-1),
        other => other,
    }
}
/// A configuration name by text or number.
fn configuration(th: &mut Thread, v: &Value, names: &[(&str, i64)]) -> PyResult<i32> {
    if let Some(s) = v.downcast_ref::<Str>() {
        let text = s.to_string_lossy();
        return match names.iter().find(|(n, _)| *n == text) {
            Some((_, value)) => Ok(*value as i32),
            None => Err(value_error(th, "unrecognized configuration name")),
        };
    }
    if !number::has_index(v) {
        return Err(type_error(th, "configuration names must be strings or integers"));
    }
    number::to_i32(th, v)
}
