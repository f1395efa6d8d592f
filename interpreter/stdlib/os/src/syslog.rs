//! `syslog`: the system log.
use std::ffi::CString;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};

use krait_object::native::function;
use krait_object::{Args, List, Method, ModuleDef, PyResult, Str, Thread, Value};
use krait_platform::locale::syslog as platform;
use krait_runtime::audit::audit;
use krait_runtime::errors::{runtime_error, type_error};
use krait_runtime::protocol::number;

use crate::arguments::{c_text, int_or};
use crate::constants;

pub static MODULE: ModuleDef = ModuleDef {
    doc: "The system log.",
    functions: FUNCTIONS,
    init: Some(|_, m| {
        constants::add(m, constants::syslog::TABLE);
        Ok(())
    }),
    ..ModuleDef::new("syslog")
};
static OPEN: AtomicBool = AtomicBool::new(false);
const LOG_INFO: i32 = 6;
const LOG_USER: i32 = 8;

static FUNCTIONS: &[Method] = &[
    function(
        "openlog",
        "(ident=<unrepresentable>, logoption=0, facility=LOG_USER)",
        "Set the options of log entries to come.",
        |th, a| {
            main_only(th, "openlog", "")?;
            let ident = match a.opt(0) {
                None => script_name(th),
                Some(v) => Some(c_text(th, v, "openlog", "argument 1")?),
            };
            let (options, facility) = (int_or(th, a.opt(1), 0)?, int_or(th, a.opt(2), LOG_USER)?);
            open(th, ident, options, facility)?;
            Ok(Value::NONE)
        },
    ),
    function("syslog", "", "syslog([priority=LOG_INFO,] message)\n\nWrite to the system log.", |th, a: &Args<'_>| {
        let (priority, message) = match a.pos() {
            [m] => (LOG_INFO, m),
            [p, m] => (number::to_i32(th, p)?, m),
            _ => return Err(type_error(th, "syslog.syslog requires 1 to 2 arguments")),
        };
        let text = c_text(th, message, "syslog", "argument")?;
        audit(th, "syslog.syslog", &[priority.into(), message.clone()])?;
        if !OPEN.load(SeqCst) {
            let until = " until the syslog is opened by the main interpreter";
            main_only(th, "syslog", until)?;
            let ident = script_name(th);
            open(th, ident, 0, LOG_USER)?;
        }
        krait_runtime::world::blocking(th, || platform::write(priority, &text));
        Ok(Value::NONE)
    }),
    function("closelog", "()", "Close the log.", |th, _| {
        main_only(th, "closelog", "")?;
        audit(th, "syslog.closelog", &[])?;
        if OPEN.swap(false, SeqCst) {
            platform::close();
        }
        Ok(Value::NONE)
    }),
    function("setlogmask", "(maskpri, /)", "Set which priorities are logged; the mask before.", |th, a| {
        let mask = number::to_i32(th, &a[0])?;
        audit(th, "syslog.setlogmask", &[mask.into()])?;
        Ok(platform::mask(mask).into())
    }),
    function("LOG_MASK", "(pri, /)", "The mask of one priority.", |th, a| {
        let p = number::to_i32(th, &a[0])?;
        Ok(1i32.wrapping_shl(p as u32).into())
    }),
    function("LOG_UPTO", "(pri, /)", "The mask of all priorities up to one.", |th, a| {
        let p = number::to_i32(th, &a[0])?;
        Ok(1i32.wrapping_shl(p as u32 + 1).wrapping_sub(1).into())
    }),
];
/// The log is the process's: only the main interpreter opens and closes it.
fn main_only(th: &mut Thread, function: &str, until: &str) -> PyResult<()> {
    if krait_runtime::interpreters::current(th).is_main() {
        return Ok(());
    }
    Err(runtime_error(th, format!("subinterpreter can't use syslog.{function}(){until}")))
}
fn open(th: &mut Thread, ident: Option<CString>, options: i32, facility: i32) -> PyResult<()> {
    let shown: Value = ident.as_ref().map(|i| i.to_string_lossy().into_owned()).into();
    audit(th, "syslog.openlog", &[shown, options.into(), facility.into()])?;
    platform::open(ident, options, facility);
    OPEN.store(true, SeqCst);
    Ok(())
}
/// The last part of `sys.argv[0]`.
fn script_name(th: &Thread) -> Option<CString> {
    let sys = th.interp.sys.get()?.downcast::<krait_object::Dict>().ok()?;
    let argv = sys.get_text("argv")?;
    let first = argv.downcast_ref::<List>()?.get(0)?;
    let text = first.downcast_ref::<Str>()?.to_string_lossy().into_owned();
    let name = text.rsplit('/').next().filter(|n| !n.is_empty())?;
    CString::new(name).ok()
}
