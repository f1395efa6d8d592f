//! Native modules of the family `core`, one file or folder per module.
#![forbid(unsafe_code)]

pub mod _abc;
pub mod _collections;
pub mod _contextvars;
pub mod _functools;
pub mod _imp;
pub mod _interpchannels;
pub mod _interpqueues;
pub mod _interpreters;
pub mod _lsprof;
pub mod _operator;
pub mod _suggestions;
pub mod _sysconfig;
pub mod _testbuffer;
pub mod _testcapi;
pub mod _testinternalcapi;
pub mod _testlimitedcapi;
pub mod _testsinglephase;
pub mod _tracemalloc;
pub mod _typing;
pub mod _warnings;
pub mod _weakref;
pub mod atexit;
pub mod gc;
mod hamt;
pub mod itertools;
pub mod marshal;
pub mod sys;

use krait_object::{ModuleDef, PyResult, Thread, Value};

/// The modules of this family.
pub static MODULES: &[&ModuleDef] = &[
    &krait_runtime::functions::MODULE,
    &sys::MODULE,
    &_imp::MODULE,
    &_interpreters::MODULE,
    &_interpchannels::MODULE,
    &_interpqueues::MODULE,
    &_lsprof::MODULE,
    &_abc::MODULE,
    &_collections::MODULE,
    &_contextvars::MODULE,
    &_functools::MODULE,
    &_operator::MODULE,
    &_suggestions::MODULE,
    &_sysconfig::MODULE,
    &_tracemalloc::MODULE,
    &_typing::MODULE,
    &_testbuffer::MODULE,
    &_testcapi::MODULE,
    &_testinternalcapi::MODULE,
    &_testlimitedcapi::MODULE,
    &_testsinglephase::MODULE,
    &_warnings::MODULE,
    &_weakref::MODULE,
    &atexit::MODULE,
    &gc::MODULE,
    &itertools::MODULE,
    &marshal::MODULE,
];

/// `memoryview(v)`.
fn memoryview_of(th: &mut Thread, v: Value) -> PyResult<Value> {
    let class = krait_object::Ref::from_object(&krait_runtime::types::memoryview::MEMORYVIEW).to_value();
    krait_runtime::protocol::call::call(th, &class, &[v])
}
