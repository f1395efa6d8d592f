//! `except*`.
use krait_bytecode::Word;
use krait_bytecode::opcodes::KILL_1;
use krait_object::{List, PyResult, Thread, Value};
use krait_runtime::errors;
use krait_runtime::exceptions::group;

use super::{a, b, c, dies, ok};
use crate::frames::publish;
use crate::regs::{Pc, Regs, S};
use crate::safepoint::after_drop;

pub fn op_check_eg_match(th: &mut Thread, w: Word, pc: Pc, r: Regs) -> S {
    publish(th, pc);
    let (exception, wanted) = (r.get(b(w)).clone(), r.get(c(w)).clone());
    ok!(errors::check_except_star(th, &wanted), th, pc, r);
    let (matching, rest) = ok!(group::except_star_match(th, &exception, &wanted), th, pc, r);
    if !matching.is_none() {
        th.handled = Some(matching.clone());
    }
    let mut freed = r.replace(b(w), Some(rest)).is_some_and(Value::release);
    freed |= r.replace(a(w), Some(matching)).is_some_and(Value::release);
    if dies(w, KILL_1) {
        freed |= r.kill(c(w));
    }
    drop((exception, wanted));
    after_drop(th, pc, freed);
    S { pc, r }
}
/// What an `except*` statement raises at its end, `parts` being a list of what its clauses raised or left.
pub fn prepare_reraise(th: &mut Thread, original: &Value, parts: &Value) -> PyResult<Value> {
    let parts = parts.downcast_ref::<List>().map(List::to_vec).unwrap_or_default();
    group::prep_reraise_star(th, original, &parts)
}
