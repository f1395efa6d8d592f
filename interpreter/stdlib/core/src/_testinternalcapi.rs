//! `_testinternalcapi`: what `test.support` asks of it where no internals of CPython are meant: the recursion depth, the
//! configuration, interpreters (`_testinternalcapi/interpreters.rs`) and the trie of contexts (`_testinternalcapi/hamt.rs`). Everything else of CPython's module is absent.
mod hamt;
pub(crate) mod interpreters;

use krait_object::native::function;
use krait_object::{Dict, Method, ModuleDef, Value, instance};
use krait_runtime::config;
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
    function("has_inline_values", "(obj, /)", "Whether attributes are stored in the object itself.", |_, a| {
        Ok(Value::bool(matches!(instance::storage(&a[0]), instance::Storage::Slots(_))))
    }),
];
