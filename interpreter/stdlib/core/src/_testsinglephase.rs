//! `_testsinglephase`: the module that the suite of `importlib` takes as its example of a native one. Krait's is built in, as all
//! its native modules are; what CPython's module tells about its own static state is absent.
use std::sync::atomic::{AtomicI64, Ordering::Relaxed};

use krait_object::native::function;
use krait_object::{Method, ModuleDef, Value};
use krait_runtime::protocol::number::{self, BinaryOp};
use krait_runtime::types::module;

/// How often the module was initialised in this process.
static COUNT: AtomicI64 = AtomicI64::new(0);

pub static MODULE: ModuleDef = ModuleDef {
    doc: "Test module _testsinglephase",
    functions: FUNCTIONS,
    init: Some(|_, m| {
        let d = module::dict(m);
        d.set_text("int_const", 1969);
        d.set_text("str_const", "something different");
        COUNT.fetch_add(1, Relaxed);
        Ok(())
    }),
    ..ModuleDef::new("_testsinglephase")
};
static FUNCTIONS: &[Method] = &[
    function("sum", "(i, j, /)", "The sum of i and j.", |th, a| number::binary(th, BinaryOp::Add, &a[0], &a[1])),
    function("initialized_count", "()", "How often the module has been initialized.", |_, _| {
        Ok(Value::from(COUNT.load(Relaxed)))
    }),
];
