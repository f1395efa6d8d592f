//! Interpreters as C code makes and uses them, and values on their way between two.
use std::sync::{Arc, Mutex};

use krait_object::builtin_types::OBJECT;
use krait_object::native::function;
use krait_object::{
    Args, ClassDef, Dict, Interpreter, Method, PyResult, Ref, Str, Thread, TypeObject, VTable, Value, type_flag,
};
use krait_runtime::errors::{overflow_error, raise, runtime_error, type_error, value_error};
use krait_runtime::exceptions::RUNTIME_ERROR;
use krait_runtime::interpreters::crossing::Crossing;
use krait_runtime::interpreters::{self, Features, Gil, whence};
use krait_runtime::protocol::{compare, number};
use krait_runtime::types::type_::ready::ready_class;

use crate::_interpreters::execute;

/// A value on its way, as CPython's capsule of one.
#[derive(krait_macros::Trace, krait_macros::Payload)]
#[payload(class = ON_WAY)]
struct OnWay {
    #[trace(skip)]
    data: Mutex<Crossing>,
}
static LAYOUT: VTable = VTable::of::<OnWay>();
static ON_WAY: TypeObject = TypeObject::builtin("crossinterp_data", Some(&OBJECT), &LAYOUT);
static DEF: ClassDef =
    ClassDef { module: "_testinternalcapi", flags: type_flag::DISALLOW_INSTANTIATION, ..ClassDef::new(&ON_WAY) };

pub(super) static FUNCTIONS: &[Method] = &[
    function("get_crossinterp_data", "(obj, /)", "What leaves for another interpreter.", |th, a| {
        ready_class(th, &DEF);
        let data = Crossing::leave(th, &a[0])?;
        Ok(Ref::new(OnWay { data: Mutex::new(data) }).into())
    }),
    function("restore_crossinterp_data", "(data, /)", "The value that arrives.", |th, a| {
        let Some(on_way) = a[0].to_ref::<OnWay>() else {
            return Err(type_error(th, "not a value on its way between interpreters"));
        };
        let data = on_way.data.lock().unwrap_or_else(|e| e.into_inner());
        data.arrive(th)
    }),
    function("next_interpreter_id", "()", "The number that the next interpreter gets.", |_, _| {
        Ok(Value::from(interpreters::next_id()))
    }),
    function("unused_interpreter_id", "()", "A number that no interpreter has.", |_, _| Ok(Value::from(i64::MAX))),
    function("normalize_interp_id", "(id, /)", "The number in an argument.", |th, a| {
        interpreters::id_argument(th, &a[0]).map(Value::from)
    }),
    function("interpreter_exists", "(id, /)", "Whether there is such an interpreter.", |th, a| {
        let id = interpreters::id_argument(th, &a[0])?;
        Ok(Value::bool(interpreters::find(id).is_some()))
    }),
    function("get_interpreter_refcount", "(id, /)", "How many users the number has.", |th, a| {
        let interp = interpreters::look_up(th, &a[0])?;
        Ok(Value::from(interpreters::identity(&interp).users()))
    }),
    function("link_interpreter_refcount", "(id, /)", "The interpreter ends with its last user.", |th, a| {
        let interp = interpreters::look_up(th, &a[0])?;
        interpreters::identity(&interp).set_ends_with_users(true);
        Ok(Value::NONE)
    }),
    function("unlink_interpreter_refcount", "(id, /)", "The interpreter does not end with its last user.", |th, a| {
        let interp = interpreters::look_up(th, &a[0])?;
        interpreters::identity(&interp).set_ends_with_users(false);
        Ok(Value::NONE)
    }),
    function("interpreter_refcount_linked", "(id, /)", "Whether the interpreter ends with its last user.", |th, a| {
        let interp = interpreters::look_up(th, &a[0])?;
        Ok(Value::bool(interpreters::identity(&interp).ends_with_users()))
    }),
    function("get_interp_settings", "(interpid=-1, /)", "What an interpreter may do, as numbers.", |th, a| {
        let id = a.opt(0).map_or(Ok(-1), |v| number::to_i64(th, v))?;
        let interp = match id {
            -1 => Some(th.interp.clone()),
            id => interpreters::find(id),
        };
        let Some(interp) = interp else {
            return Err(raise(th, &RUNTIME_ERROR, format!("failed to get interpreter {id}")));
        };
        let features = interpreters::identity(&interp).features();
        let d = Dict::new();
        d.set_text("feature_flags", features.bits() as i64);
        d.set_text("own_gil", Value::bool(features.gil == Gil::Own));
        Ok(d.into())
    }),
    function("create_interpreter", "(config=None, *, whence=4)", "Make an interpreter; its number.", create),
    function("destroy_interpreter", "(id)", "End an interpreter.", |th, a| {
        let interp = interpreters::look_up(th, &a[0])?;
        if Arc::ptr_eq(&interp, &th.interp) {
            return Err(runtime_error(th, "cannot destroy the current interpreter"));
        }
        interpreters::end(th, &interp);
        Ok(Value::NONE)
    }),
    function(
        "exec_interpreter",
        "(id, code, *, main=False)",
        "Run a text in an interpreter; 0 if it ran to its end, else -1.",
        |th, a| {
            let interp = interpreters::look_up(th, &a[0])?;
            let text = text(th, &a[1], "exec_interpreter")?;
            let main = a.opt(2).map_or(Ok(false), |v| compare::truth(th, v))?;
            match execute::run_simply(th, &interp, &text, main) {
                Some(well) => Ok(Value::int(if well { 0 } else { -1 })),
                None => Err(interpreters::error(th, "interpreter already running")),
            }
        },
    ),
    function(
        "run_in_subinterp_with_config",
        "(code, config, *, xi=False)",
        "Run a text in an interpreter made for it.",
        |th, a| {
            let text = text(th, &a[0], "run_in_subinterp_with_config")?;
            if a[1].is_none() {
                return Err(value_error(th, "missing config"));
            }
            let features = Features::from_object(th, a.opt(1))?;
            let xi = a.opt(2).map_or(Ok(false), |v| compare::truth(th, v))?;
            run_in_new(th, &text, features, if xi { whence::XI } else { whence::CAPI })
        },
    ),
];

/// A text argument.
pub(crate) fn text(th: &mut Thread, v: &Value, function: &str) -> PyResult<String> {
    match v.downcast_ref::<Str>() {
        Some(text) => Ok(text.to_string_lossy().into_owned()),
        None => {
            let class = v.class().name();
            Err(type_error(th, format!("{function}() argument 1 must be str, not {class}")))
        }
    }
}
/// Runs a text in an interpreter that ends with it: 0, or -1 after an exception.
pub(crate) fn run_in_new(th: &mut Thread, text: &str, features: Features, whence: i64) -> PyResult<Value> {
    let interp = interpreters::create(th, features, whence)?;
    let result = execute::run_simply(th, &interp, text, false);
    interpreters::end(th, &interp);
    Ok(Value::int(if result == Some(true) { 0 } else { -1 }))
}
fn create(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let origin = a.opt_not_none(1).map_or(Ok(whence::XI), |v| number::to_i64(th, v))?;
    let config = a.opt_not_none(0);
    if matches!(origin, whence::UNKNOWN | whence::LEGACY_CAPI) && config.is_some() {
        return Err(value_error(th, "got unexpected config"));
    }
    let interp: Arc<Interpreter> = match origin {
        whence::UNKNOWN => interpreters::create_unready(th),
        whence::LEGACY_CAPI => interpreters::create(th, Features::LEGACY, origin)?,
        whence::CAPI | whence::XI | whence::STDLIB => {
            let features = match config {
                Some(_) => Features::from_object(th, config)?,
                None => Features::ISOLATED,
            };
            interpreters::create(th, features, origin)?
        }
        _ => return Err(overflow_error(th, "unsupported origin of an interpreter")),
    };
    let id = interpreters::identity(&interp).id();
    Ok(Value::from(id))
}
