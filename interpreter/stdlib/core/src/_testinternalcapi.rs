//! `_testinternalcapi`: what `test.support` asks of it where no internals of CPython are meant: the recursion depth, the
//! configuration, interpreters (`_testinternalcapi/interpreters.rs`) and the trie of contexts (`_testinternalcapi/hamt.rs`). Everything else of CPython's module is absent.
mod hamt;
pub(crate) mod interpreters;

use krait_object::native::function;
use krait_object::{Dict, Method, ModuleDef, PyResult, Raised, Str, Thread, Value, instance};
use krait_runtime::codecs::Builtin;
use krait_runtime::config;
use krait_runtime::errors::{runtime_error, take, value_error};
use krait_runtime::protocol::{attr, buffer, repr};
use krait_runtime::types::{module, type_};

pub static MODULE: ModuleDef = ModuleDef {
    functions: FUNCTIONS,
    init: Some(|th, m| {
        crate::hamt::ready(th);
        for def in [&hamt::MAP_DEF, &hamt::ITER_DEF] {
            type_::ready::ready_class(th, def);
        }
        module::fill(th, m, &INTERPRETERS)?;
        module::fill(th, m, &HAMT)?;
        // What `sys.getsizeof` adds for objects that the collector tracks.
        module::dict(m).set_text("SIZEOF_PYGC_HEAD", 16);
        Ok(())
    }),
    ..ModuleDef::new("_testinternalcapi")
};
static HAMT: ModuleDef = ModuleDef { functions: hamt::FUNCTIONS, ..ModuleDef::new("_testinternalcapi") };
static INTERPRETERS: ModuleDef =
    ModuleDef { functions: interpreters::FUNCTIONS, ..ModuleDef::new("_testinternalcapi") };
static FUNCTIONS: &[Method] = &[
    function("get_recursion_depth", "()", "Calls in progress on this thread.", |th, _| Ok(Value::from(th.depth))),
    function("get_immortalize_deferred", "()", "Whether functions, types and modules never die.", |_, _| {
        Ok(Value::FALSE)
    }),
    function(
        "suppress_immortalization",
        "(suppress, /)",
        "Functions, types and modules die from now on: they always do.",
        |_, _| Ok(Value::NONE),
    ),
    function("get_config", "()", "The configuration as far as it applies.", |th, _| {
        let c = config::get(th);
        let d = Dict::new();
        d.set_text("code_debug_ranges", i64::from(!c.no_debug_ranges));
        d.set_text("optimization_level", c.flags.optimize);
        d.set_text("isolated", c.flags.isolated);
        d.set_text("use_environment", i64::from(c.flags.ignore_environment == 0));
        Ok(d.into())
    }),
    function("pymem_getallocatorsname", "()", "The name of the allocator of objects.", |_, _| Ok(Value::str("krait"))),
    function(
        "EncodeLocaleEx",
        "(text, current_locale=False, errors=None, /)",
        "Text as the file system has it.",
        |th, a| {
            let errors = locale_errors(th, a.opt_not_none(2))?;
            let encoded = Builtin::Utf8.encode(th, &a[0], Some(errors));
            encoded.map_err(|raised| codec_failure(th, raised, "encode"))
        },
    ),
    function(
        "DecodeLocaleEx",
        "(data, current_locale=False, errors=None, /)",
        "The text of bytes of the file system.",
        |th, a| {
            let errors = locale_errors(th, a.opt_not_none(2))?;
            let data = buffer::bytes_like(th, &a[0])?;
            let decoded = Builtin::Utf8.decode(th, &data, None, Some(errors));
            decoded.map_err(|raised| codec_failure(th, raised, "decode"))
        },
    ),
    function("has_inline_values", "(obj, /)", "Whether attributes are stored in the object itself.", |_, a| {
        Ok(Value::bool(matches!(instance::storage(&a[0]), instance::Storage::Slots(_))))
    }),
];

/// The error handlers that the codec of the file system can do without Python code.
fn locale_errors(th: &mut Thread, errors: Option<&Value>) -> PyResult<&'static str> {
    let name = errors.and_then(|e| e.downcast_ref::<Str>()).map(|e| e.to_string_lossy().into_owned());
    let known = ["strict", "surrogateescape", "surrogatepass"];
    match known.into_iter().find(|k| *k == name.as_deref().unwrap_or("strict")) {
        Some(known) => Ok(known),
        None => Err(value_error(th, "unsupported error handler")),
    }
}
/// A codec's error as a RuntimeError of its place and reason.
fn codec_failure(th: &mut Thread, raised: Raised, what: &str) -> Raised {
    let error = take(th, raised);
    let mut part = |name| attr::get_text(th, &error, name).and_then(|v| repr::str(th, &v));
    let (place, reason) = match (part("start"), part("reason")) {
        (Ok(place), Ok(reason)) => (place, reason),
        (Err(raised), _) | (_, Err(raised)) => return raised,
    };
    runtime_error(th, format!("{what} error: pos={place}, reason={reason}"))
}
