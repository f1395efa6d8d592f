//! f-strings.
use krait_bytecode::Word;
use krait_object::builtin_types::STR;
use krait_object::{Str, StrBuilder, Thread, Value, str::Kind};
use krait_runtime::errors;
use krait_runtime::protocol::repr;
use krait_runtime::types::int;

use super::{a, b, c, finish0, finish1, finish2, ok};
use crate::frames::publish;
use crate::regs::{Pc, Regs, S};

pub fn op_format_simple(th: &mut Thread, w: Word, pc: Pc, r: Regs) -> S {
    let v = r.get(b(w));
    if v.is_exact(&STR) {
        let text = v.clone();
        return finish1(th, w, pc, pc, r, text);
    }
    if let Some(i) = v.as_int() {
        return finish1(th, w, pc, pc, r, int::decimal(i).into());
    }
    publish(th, pc);
    let v = v.clone();
    let text = ok!(repr::format(th, &v, &Str::empty()), th, pc, r);
    drop(v);
    finish1(th, w, pc, pc, r, text.into())
}
pub fn op_format_with_spec(th: &mut Thread, w: Word, pc: Pc, r: Regs) -> S {
    publish(th, pc);
    let (v, spec) = (r.get(b(w)).clone(), r.get(c(w)).clone());
    let Some(spec) = spec.to_ref::<Str>() else {
        let message = format!("format_spec must be str, not {}", spec.class().name());
        let raised = errors::type_error(th, message);
        return crate::unwind::fail(th, raised, pc, r);
    };
    let text = ok!(repr::format(th, &v, &spec), th, pc, r);
    drop((v, spec));
    finish2(th, w, pc, pc, r, text.into())
}
pub fn op_convert_value(th: &mut Thread, w: Word, pc: Pc, r: Regs) -> S {
    publish(th, pc);
    let v = r.get(b(w)).clone();
    let result = match c(w) {
        1 => repr::str(th, &v),
        2 => repr::repr(th, &v),
        _ => repr::ascii(th, &v),
    };
    let text = ok!(result, th, pc, r);
    drop(v);
    finish1(th, w, pc, pc, r, text.into())
}
pub fn op_build_string(th: &mut Thread, w: Word, pc: Pc, r: Regs) -> S {
    if let Some(text) = Str::join_narrow(&Str::empty(), r.slice(b(w), c(w))) {
        r.clear(b(w), b(w) + c(w));
        return finish0(th, a(w), pc, pc, r, text.into());
    }
    let parts = r.take_many(b(w), c(w));
    let mut out = StrBuilder::new();
    let texts = || parts.iter().filter_map(|part| part.downcast_ref::<Str>());
    let kind = texts().map(Str::kind).max();
    if out.try_reserve(texts().map(Str::len).sum(), kind.unwrap_or(Kind::Ascii)).is_err() {
        publish(th, pc);
        let raised = errors::memory_error(th);
        return crate::unwind::fail(th, raised, pc, r);
    }
    texts().for_each(|text| out.push_str(text));
    drop(parts);
    let text: Value = out.finish().into();
    finish0(th, a(w), pc, pc, r, text)
}
