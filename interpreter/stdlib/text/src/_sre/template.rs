//! `_sre.SRE_Template`: a compiled replacement string.

use krait_macros::{Payload, Trace};
use krait_object::{Bytes, ClassDef, PyResult, Ref, Str, Thread, TypeObject, VTable, Value, builtin_types, type_flag};
use krait_runtime::errors::{index_error, runtime_error, type_error};
use krait_runtime::exceptions::TYPE_ERROR;
use krait_runtime::protocol::{attr, buffer, call, number};
use krait_runtime::{errors, import};

use super::matched::Match;
use super::pattern::Pattern;
use super::subject::Joiner;

#[derive(Trace, Payload)]
#[payload(class = TEMPLATE)]
pub struct Template {
    pub literal: Value,
    /// Groups, each with the literal behind it, if that is not empty.
    pub items: Vec<(usize, Option<Value>)>,
}

static LAYOUT: VTable = VTable::of::<Template>();
pub static TEMPLATE: TypeObject = TypeObject::builtin("SRE_Template", Some(&builtin_types::OBJECT), &LAYOUT);
pub static DEF: ClassDef = ClassDef {
    module: "_sre",
    flags: type_flag::IMMUTABLE | type_flag::DISALLOW_INSTANTIATION,
    ..ClassDef::new(&TEMPLATE)
};

impl Template {
    /// From literals and group numbers in turn, as `re._parser.parse_template` returns them.
    pub fn from_items(th: &mut Thread, items: &[Value]) -> PyResult<Template> {
        let invalid = "invalid template";
        let Some((literal, rest)) = items.split_first().filter(|(_, rest)| rest.len().is_multiple_of(2)) else {
            return Err(type_error(th, invalid));
        };
        let mut pairs = Vec::with_capacity(rest.len() / 2);
        for pair in rest.chunks_exact(2) {
            let Ok(group) = usize::try_from(number::to_isize(th, &pair[0])?) else {
                return Err(type_error(th, invalid));
            };
            let empty = pair[1].downcast_ref::<Str>().is_some_and(Str::is_empty)
                || pair[1].downcast_ref::<Bytes>().is_some_and(|bytes| bytes.is_empty());
            pairs.push((group, (!empty).then(|| pair[1].clone())));
        }
        Ok(Template { literal: literal.clone(), items: pairs })
    }

    /// The template with the groups of `matched` filled in.
    pub fn expand(&self, th: &mut Thread, matched: &Match) -> PyResult<Value> {
        if self.items.is_empty() {
            return Ok(self.literal.clone());
        }
        let mut out = Joiner::new(self.literal.downcast_ref::<Str>().is_none());
        out.push_value(th, &self.literal)?;
        for (group, literal) in &self.items {
            if *group >= matched.count() {
                return Err(index_error(th, "no such group"));
            }
            if let Some(text) = matched.text(th, *group)? {
                out.push_value(th, &text)?;
            }
            if let Some(literal) = literal {
                out.push_value(th, literal)?;
            }
        }
        out.finish(th)
    }
}

/// Has `re._compile_template` compile a replacement string.
pub fn compile_template(th: &mut Thread, pattern: &Ref<Pattern>, template: &Value) -> PyResult<Ref<Template>> {
    let re = import::import_module(th, "re")?;
    let compile = attr::get_text(th, &re, "_compile_template")?;
    let compiled = match call::call(th, &compile, &[pattern.to_value(), template.clone()]) {
        Ok(compiled) => compiled,
        Err(raised) => {
            let error = errors::catch(th, raised, &TYPE_ERROR)?;
            // An unhashable replacement (a bytearray, say) gets a second try as a plain string.
            let Some(plain) = plain(th, template)? else { return Err(errors::raise_value(th, error)) };
            call::call(th, &compile, &[pattern.to_value(), plain])?
        }
    };
    compiled.downcast::<Template>().map_err(|other| {
        let name = other.class().name();
        runtime_error(th, format!("the result of compiling a replacement string is {name:.200}"))
    })
}

fn plain(th: &mut Thread, template: &Value) -> PyResult<Option<Value>> {
    if let Some(s) = template.downcast_ref::<Str>() {
        let exact = template.downcast_exact::<Str>().is_some();
        return Ok((!exact).then(|| s.slice(0, s.len()).into()));
    }
    if template.downcast_exact::<Bytes>().is_some() || !template.class().slots.buffer.is_set() {
        return Ok(None);
    }
    Ok(Some(Bytes::new(&buffer::bytes_like(th, template)?).into()))
}
