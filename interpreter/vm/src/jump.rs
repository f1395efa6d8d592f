//! Jumps that assign to `f_lineno` in a trace function.
use krait_object::Thread;

use crate::regs::{Regs, S};

/// Goes from `from` to `target` in the running frame; `None` where the registers of the two places do not fit.
pub fn perform(_th: &mut Thread, _r: Regs, _from: u32, _target: u32) -> Option<S> {
    None
}
