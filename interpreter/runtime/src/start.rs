//! Start-up of the runtime: hooks of `object`, builtin types, the `builtins` module.
use krait_object::thread::{Hooks, install_hooks};
use krait_object::{Dict, PyResult, Thread};

use crate::errors;
use crate::protocol::{call, compare};
use crate::types::{self, module};

/// True while the interpreter shuts down.
#[derive(Default)]
pub struct Finalizing(std::sync::atomic::AtomicBool);
impl Finalizing {
    pub fn get(&self) -> bool {
        self.0.load(std::sync::atomic::Ordering::Relaxed)
    }
    pub fn set(&self) {
        self.0.store(true, std::sync::atomic::Ordering::Relaxed);
    }
}

/// Installs what `object` needs from above. Before the first [`Thread`].
pub fn install() {
    install_hooks(Hooks {
        eq: compare::eq,
        unhashable: |th, v| {
            let class = v.class().name();
            errors::type_error(th, format!("unhashable type: '{class}'"))
        },
        no_memory: errors::memory_error,
        type_error: |th, message| errors::type_error(th, message),
        recursion: |th, doing| errors::recursion_limit(th, doing),
        weakref_callback: |th, callback, weakref| {
            if call::call(th, callback, std::slice::from_ref(weakref)).is_err() {
                errors::write_unraisable(th, Some(callback));
            }
        },
    });
}
/// Readies the builtin types and makes `builtins` and an empty `sys.modules` with it.
pub fn start(th: &mut Thread) -> PyResult<()> {
    types::ready_all(th);
    let modules = Dict::new();
    th.interp.modules.set(Some(modules.to_value()));
    let builtins = module::from_def(th, &crate::functions::MODULE)?;
    th.interp.builtins.set(Some(module::dict(&builtins).into()));
    modules.set_text("builtins", builtins);
    Ok(())
}
