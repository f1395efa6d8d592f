//! What handlers are called with.
use krait_object::{Dict, List, PyResult, Ref, Thread, Tuple, Value};
use krait_runtime::protocol::compare;

use super::parser::Parser;
use crate::expat::{Event, Model};

/// A name, one object for all its occurrences.
pub fn interned(th: &mut Thread, p: &Parser, name: &str) -> PyResult<Value> {
    let made = Value::str(name);
    match p.intern.get() {
        Some(table) => match table.downcast_ref::<Dict>() {
            Some(d) => d.set_default(th, &made, &made),
            None => Ok(made),
        },
        None => Ok(made),
    }
}
fn optional(th: &mut Thread, p: &Parser, name: &Option<String>) -> PyResult<Value> {
    match name {
        Some(name) => interned(th, p, name),
        None => Ok(Value::NONE),
    }
}
fn attributes(th: &mut Thread, p: &Parser, pairs: &[(String, String)], specified: usize) -> PyResult<Value> {
    let options = p.options.get();
    let pairs = if options.specified { &pairs[..specified] } else { pairs };
    if options.ordered {
        let mut items = Vec::with_capacity(pairs.len() * 2);
        for (name, value) in pairs {
            items.push(interned(th, p, name)?);
            items.push(Value::str(value));
        }
        return Ok(List::new(items).into());
    }
    let d: Ref<Dict> = Dict::new();
    for (name, value) in pairs {
        let name = interned(th, p, name)?;
        d.set(th, name, Value::str(value))?;
    }
    Ok(d.into())
}
fn model(th: &mut Thread, p: &Parser, m: &Model) -> PyResult<Value> {
    th.check_native(" in conv_content_model")?;
    let mut children = Vec::with_capacity(m.children.len());
    for child in &m.children {
        children.push(model(th, p, child)?);
    }
    let name = optional(th, p, &m.name)?;
    Ok(Tuple::of([m.kind.into(), m.quantifier.into(), name, Tuple::from_vec(children).into()]).into())
}

/// The arguments of an event's handler.
pub fn of(th: &mut Thread, p: &Parser, event: &Event) -> PyResult<Vec<Value>> {
    let string = |s: &Option<String>| Value::from(s.clone());
    Ok(match event {
        Event::StartElement { name, attributes: pairs, specified } => {
            let name = interned(th, p, name)?;
            vec![name, attributes(th, p, pairs, *specified)?]
        }
        Event::EndElement(name) => vec![interned(th, p, name)?],
        Event::Text(text) | Event::Comment(text) => vec![Value::str(text)],
        Event::Pi { target, data } => vec![interned(th, p, target)?, Value::str(data)],
        Event::Notation { name, base, system, public } => {
            vec![interned(th, p, name)?, optional(th, p, base)?, optional(th, p, system)?, optional(th, p, public)?]
        }
        Event::StartNamespace { prefix, uri } => vec![optional(th, p, prefix)?, optional(th, p, uri)?],
        Event::EndNamespace(prefix) => vec![optional(th, p, prefix)?],
        Event::ExternalEntityRef { context, base, system, public } => {
            vec![string(context), optional(th, p, base)?, optional(th, p, system)?, optional(th, p, public)?]
        }
        Event::StartDoctype { name, system, public, internal } => vec![
            interned(th, p, name)?,
            optional(th, p, system)?,
            optional(th, p, public)?,
            Value::from(i32::from(*internal)),
        ],
        Event::Entity(e) => vec![
            interned(th, p, &e.name)?,
            Value::from(i32::from(e.parameter)),
            string(&e.value),
            optional(th, p, &e.base)?,
            optional(th, p, &e.system)?,
            optional(th, p, &e.public)?,
            optional(th, p, &e.notation)?,
        ],
        Event::XmlDecl { version, encoding, standalone } => {
            vec![string(version), string(encoding), (*standalone).into()]
        }
        Event::ElementDecl { name, model: m } => {
            let name = interned(th, p, name)?;
            vec![name, model(th, p, m)?]
        }
        Event::AttlistDecl { element, name, kind, default, required } => vec![
            interned(th, p, element)?,
            interned(th, p, name)?,
            Value::str(kind),
            string(default),
            Value::from(i32::from(*required)),
        ],
        Event::SkippedEntity { name, parameter } => {
            vec![interned(th, p, name)?, Value::from(i32::from(*parameter))]
        }
        Event::Raw { text, .. } => vec![Value::str(text)],
        Event::StartCdata | Event::EndCdata | Event::NotStandalone | Event::EndDoctype | Event::UnknownEncoding(_) => {
            Vec::new()
        }
    })
}
/// Arguments for `UnparsedEntityDeclHandler`.
pub fn of_unparsed(th: &mut Thread, p: &Parser, e: &crate::expat::EntityDecl) -> PyResult<Vec<Value>> {
    Ok(vec![
        interned(th, p, &e.name)?,
        optional(th, p, &e.base)?,
        optional(th, p, &e.system)?,
        optional(th, p, &e.public)?,
        optional(th, p, &e.notation)?,
    ])
}
/// What a handler that may refuse said.
pub fn accepted(th: &mut Thread, answer: &Value) -> PyResult<bool> {
    if answer.as_int_ref().is_none() {
        return Err(krait_runtime::errors::type_error(
            th,
            format!("'{}' object cannot be interpreted as an integer", answer.class().name()),
        ));
    }
    compare::truth(th, answer)
}
