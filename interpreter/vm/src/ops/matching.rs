//! `match` statements.
use krait_bytecode::Word;
use krait_object::{Dict, PyResult, Str, Thread, Tuple, Type, Value, type_flag};
use krait_runtime::errors;
use krait_runtime::protocol::attr;
use krait_runtime::well_known::names;

use super::{b, c, finish1, finish2, ok};
use crate::frames::publish;
use crate::regs::{Pc, Regs, S};

pub fn op_match_mapping(th: &mut Thread, w: Word, pc: Pc, r: Regs) -> S {
    let t = r.get(b(w)).class().has_flag(type_flag::MAPPING);
    finish1(th, w, pc, pc, r, t.into())
}
pub fn op_match_sequence(th: &mut Thread, w: Word, pc: Pc, r: Regs) -> S {
    let t = r.get(b(w)).class().has_flag(type_flag::SEQUENCE);
    finish1(th, w, pc, pc, r, t.into())
}
pub fn op_match_keys(th: &mut Thread, w: Word, pc: Pc, r: Regs) -> S {
    publish(th, pc);
    let (subject, keys) = (r.get(b(w)).clone(), r.get(c(w)).clone());
    let value = ok!(match_keys(th, &subject, &keys), th, pc, r);
    drop((subject, keys));
    finish2(th, w, pc, pc, r, value)
}
/// Through `get` with a default of our own, so that a `defaultdict` is not filled.
fn match_keys(th: &mut Thread, subject: &Value, keys: &Value) -> PyResult<Value> {
    let Some(keys) = keys.to_ref::<Tuple>() else { return Ok(Value::NONE) };
    let seen = Dict::new();
    let marker: Value = krait_object::Ref::<()>::new(()).into();
    let mut values = Vec::with_capacity(keys.len());
    let get = if keys.is_empty() { None } else { Some(attr::get_text(th, subject, "get")?) };
    for key in keys.iter() {
        if seen.contains(th, key)? {
            let shown = krait_runtime::protocol::repr::repr(th, key)?;
            let message = format!("mapping pattern checks duplicate key ({})", shown.to_string_lossy());
            return Err(errors::value_error(th, message));
        }
        seen.set(th, key.clone(), Value::NONE)?;
        if let Some(get) = &get {
            let value = krait_runtime::protocol::call::call(th, get, &[key.clone(), marker.clone()])?;
            if value.is(&marker) {
                return Ok(Value::NONE);
            }
            values.push(value);
        }
    }
    Ok(Tuple::from_vec(values).into())
}
pub fn op_match_class(th: &mut Thread, w: Word, pc: Pc, r: Regs) -> S {
    publish(th, pc);
    let (subject, class, keywords) = (r.get(b(w)).clone(), r.moved(c(w)), r.moved(c(w) + 1));
    let value = ok!(match_class(th, &subject, &class, &keywords, pc.extra(0) as usize), th, pc, r);
    drop((subject, class, keywords));
    finish1(th, w, pc, pc.add(1), r, value)
}
fn match_class(
    th: &mut Thread,
    subject: &Value,
    class: &Value,
    keywords: &Value,
    positional: usize,
) -> PyResult<Value> {
    let Some(class) = class.to_ref::<Type>() else {
        return Err(errors::type_error(th, "called match pattern must be a class"));
    };
    if !krait_runtime::functions::classes::is_instance(th, subject, class.as_value())? {
        return Ok(Value::NONE);
    }
    let mut seen: Vec<Value> = Vec::new();
    let mut values = Vec::new();
    if positional > 0 {
        let (match_self, match_args) = match attr::get_attr_opt(th, class.as_value(), &names().match_args)? {
            Some(args) => match args.to_ref::<Tuple>() {
                Some(args) if args.as_value().is_exact(&krait_object::builtin_types::TUPLE) => (false, args),
                _ => {
                    let message =
                        format!("{}.__match_args__ must be a tuple (got {})", class.name(), args.class().name());
                    return Err(errors::type_error(th, message));
                }
            },
            None => (class.has_flag(type_flag::MATCH_SELF), Tuple::empty()),
        };
        let allowed = if match_self { 1 } else { match_args.len() };
        if allowed < positional {
            let message = format!(
                "{}() accepts {allowed} positional sub-pattern{} ({positional} given)",
                class.name(),
                if allowed == 1 { "" } else { "s" }
            );
            return Err(errors::type_error(th, message));
        }
        if match_self {
            values.push(subject.clone());
        } else {
            for name in match_args.iter().take(positional) {
                if name.downcast_exact::<Str>().is_none() {
                    let message = format!("__match_args__ elements must be strings (got {})", name.class().name());
                    return Err(errors::type_error(th, message));
                }
                match match_attribute(th, subject, &class, name, &mut seen)? {
                    Some(v) => values.push(v),
                    None => return Ok(Value::NONE),
                }
            }
        }
    }
    let Some(keywords) = keywords.to_ref::<Tuple>() else { return Ok(Value::NONE) };
    for name in keywords.iter() {
        match match_attribute(th, subject, &class, name, &mut seen)? {
            Some(v) => values.push(v),
            None => return Ok(Value::NONE),
        }
    }
    Ok(Tuple::from_vec(values).into())
}
/// An attribute that a class pattern names, each at most once.
fn match_attribute(
    th: &mut Thread,
    subject: &Value,
    class: &Type,
    name: &Value,
    seen: &mut Vec<Value>,
) -> PyResult<Option<Value>> {
    let Some(text) = name.to_ref::<Str>() else { return Ok(None) };
    if seen.iter().any(|s| s.downcast_ref::<Str>().is_some_and(|s| s.equals(&text))) {
        let shown = krait_runtime::protocol::repr::repr(th, name)?;
        let message = format!("{}() got multiple sub-patterns for attribute {}", class.name(), shown.to_string_lossy());
        return Err(errors::type_error(th, message));
    }
    seen.push(name.clone());
    let text = attr::name_argument(th, name)?;
    attr::get_attr_opt(th, subject, &text)
}
