//! Making functions.
use krait_bytecode::Word;
use krait_bytecode::opcodes::KILL_1;
use krait_object::Thread;
use krait_runtime::types::code::Code;
use krait_runtime::types::function::Function;

use super::{a, b, c, dies, finish0};
use crate::regs::{Pc, Regs, S};

pub fn op_make_function(th: &mut Thread, w: Word, pc: Pc, r: Regs) -> S {
    let outer = r.function();
    let Some(code) = pc.constant(0).to_ref::<Code>() else { return S { pc: pc.add(1), r } };
    let function = Function::with_builtins(&code, &outer.globals, outer.builtins.clone(), None);
    finish0(th, a(w), pc, pc.add(1), r, function.into())
}

const DEFAULTS: usize = 1;
const KWDEFAULTS: usize = 2;
const ANNOTATIONS: usize = 4;

pub fn op_set_function_attribute(_: &mut Thread, w: Word, pc: Pc, r: Regs) -> S {
    let value = r.take_or_clone(b(w), dies(w, KILL_1));
    if let Some(function) = r.get(a(w)).downcast_exact::<Function>() {
        match c(w) {
            DEFAULTS => function.defaults.set(Some(value)),
            KWDEFAULTS => function.kwdefaults.set(Some(value)),
            ANNOTATIONS => function.annotations.set(Some(value)),
            _ => function.closure.set(Some(value)),
        }
    }
    S { pc, r }
}
