//! Interpreters that Python code makes (`_interpreters`): how they are brought up and ended.
use std::sync::Arc;

use krait_object::{Interpreter, List, PyResult, Thread, Value};
use krait_runtime::config::{self, FirstPath};
use krait_runtime::{convert, errors, interpreters};

use crate::limits::Limits;
use crate::start;

pub(crate) fn install() {
    interpreters::install(interpreters::Hooks {
        start,
        end: |th| {
            start::finalize_one(th);
            let interp = th.interp.clone();
            for root in [&interp.modules, &interp.importlib, &interp.sys, &interp.builtins] {
                root.set(None);
            }
            krait_object::gc::collect(th, 2);
        },
        leave: krait_stdlib_os::_thread::leave,
    });
}
/// The new interpreter is configured as its maker is.
fn start(th: &mut Thread, maker: &Arc<Interpreter>) -> PyResult<()> {
    if maker.extension::<Limits>().any() {
        return Err(errors::runtime_error(th, "an interpreter with limits makes no others"));
    }
    let config = config::of(maker);
    start::bring_up(th, (*config).clone(), false)?;
    krait_stdlib_os::_thread::share_main(th, maker);
    if let Some(first) = maker.extension::<FirstPath>().0.get() {
        let path: Value = convert::fs_decode(first.as_bytes()).into();
        let sys = th.interp.sys.get();
        let list = sys.as_ref().and_then(|s| s.downcast_ref::<krait_object::Dict>()).and_then(|s| s.get_text("path"));
        if let Some(list) = list.as_ref().and_then(|l| l.downcast_ref::<List>()) {
            list.lock().insert(0, path);
        }
        th.interp.extension::<FirstPath>().0.set(Some(first));
    }
    Ok(())
}
