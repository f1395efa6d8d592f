//! `sys.settrace` and `sys.setprofile`: what is set for a thread. The events are the VM's.
use krait_object::{Thread, Value};

use crate::hooks;

pub fn set_trace(th: &mut Thread, function: Option<&Value>) {
    let old = std::mem::replace(&mut th.vm.tracing.trace, function.cloned());
    (hooks::vm().instrument)(th);
    drop(old);
}
pub fn trace(th: &Thread) -> Option<Value> {
    th.vm.tracing.trace.clone()
}
pub fn set_profile(th: &mut Thread, function: Option<&Value>) {
    let old = std::mem::replace(&mut th.vm.tracing.profile, function.cloned());
    (hooks::vm().instrument)(th);
    drop(old);
}
pub fn profile(th: &Thread) -> Option<Value> {
    th.vm.tracing.profile.clone()
}
