//! `_sre`: the regular-expression engine behind `Lib/re`.
//!
//! `lower` turns the code array that `re._compiler` emits into a `Program`, which `engine` and `backtrack` run;
//! `search` finds where to try. None of these know of objects: `subject` is the bridge, `pattern`, `matched`, `scanner`
//! and `template` are the types, this file the functions. CPython counterpart: `Modules/_sre/`.

mod backtrack;
mod chars;
mod codes;
mod engine;
mod first;
mod lower;
mod matched;
mod pattern;
mod program;
mod scanner;
mod search;
mod subject;
mod template;
#[cfg(test)]
mod tests;
mod text;
mod unit;

use krait_object::native::function;
use krait_object::{Args, ClassDef, Dict, List, Method, ModuleDef, PyResult, Raised, Ref, Thread, Tuple, Value};
use krait_runtime::errors::{overflow_error, runtime_error, type_error};
use krait_runtime::protocol::{attr, number};

use pattern::Pattern;
use template::Template;

pub static MODULE: ModuleDef = ModuleDef { functions: FUNCTIONS, init: Some(init), ..ModuleDef::new("_sre") };

static FUNCTIONS: &[Method] = &[
    function(
        "compile",
        "(pattern, flags, code, groups, groupindex, indexgroup)",
        "Make a pattern object of a code array.",
        compile,
    ),
    function("template", "(pattern, template, /)", "Make a template of literals and group numbers in turn.", template_),
    function("getcodesize", "()", "Bytes of one code word.", |_, _| Ok(Value::int(CODESIZE))),
    function("ascii_iscased", "(character, /)", "Whether the ASCII character has a case.", |th, a| {
        Ok(Value::bool(u8::try_from(character(th, a)?).is_ok_and(|c| c.is_ascii_alphabetic())))
    }),
    function("unicode_iscased", "(character, /)", "Whether the character has a case.", |th, a| {
        Ok(Value::bool(chars::iscased_unicode(character(th, a)?)))
    }),
    function("ascii_tolower", "(character, /)", "The lower case of the ASCII character.", |th, a| {
        Ok(c_int(chars::lower_ascii(character(th, a)?)))
    }),
    function("unicode_tolower", "(character, /)", "The lower case of the character.", |th, a| {
        Ok(c_int(chars::lower_unicode(character(th, a)?)))
    }),
];

const CODESIZE: i64 = 4;

static CLASSES: &[&ClassDef] =
    &[&pattern::DEF, &matched::DEF, &scanner::SCANNER_DEF, &scanner::FIND_ITER_DEF, &template::DEF];

fn init(th: &mut Thread, module: &Value) -> PyResult<()> {
    for class in CLASSES {
        krait_runtime::types::type_::ready::ready_class(th, class);
    }
    attr::set_text(th, module, "MAGIC", &Value::int(codes::MAGIC.into()))?;
    attr::set_text(th, module, "CODESIZE", &Value::int(CODESIZE))?;
    attr::set_text(th, module, "MAXREPEAT", &Value::int(codes::MAXREPEAT.into()))?;
    attr::set_text(th, module, "MAXGROUPS", &Value::int(codes::MAXGROUPS.into()))?;
    attr::set_text(th, module, "copyright", &Value::str("Krait's own engine for CPython's pattern codes"))
}

/// The character argument, a C int whose bits are taken as they are.
fn character(th: &mut Thread, a: &Args<'_>) -> PyResult<u32> {
    Ok(number::to_i32(th, &a[0])? as u32)
}

fn c_int(ch: u32) -> Value {
    Value::int((ch as i32).into())
}

fn wrong_class(th: &mut Thread, name: &str, wanted: &str, v: &Value) -> Raised {
    let got = v.class().name();
    type_error(th, format!("compile() argument '{name}' must be {wanted}, not {got}"))
}

fn compile(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let flags = number::to_i32(th, &a[1])?;
    let Some(code) = a[2].downcast_ref::<List>() else { return Err(wrong_class(th, "code", "list", &a[2])) };
    let groups = number::to_isize(th, &a[3])?;
    let Some(groupindex) = a[4].to_ref::<Dict>() else { return Err(wrong_class(th, "groupindex", "dict", &a[4])) };
    let Some(indexgroup) = a[5].to_ref::<Tuple>() else { return Err(wrong_class(th, "indexgroup", "tuple", &a[5])) };
    let words = code.to_vec();
    let mut code = Vec::with_capacity(words.len());
    for word in &words {
        code.push(code_word(th, word)?);
    }
    let is_bytes = pattern::is_bytes(th, &a[0])?;
    let lowered = usize::try_from(groups).ok().and_then(|groups| lower::lower(&code, groups).ok());
    let Some(program) = lowered else { return Err(runtime_error(th, "invalid SRE code")) };
    let named = !groupindex.is_empty();
    let compiled = Pattern {
        groups: program.groups,
        program,
        code: code.into(),
        pattern: a[0].clone(),
        flags,
        groupindex: named.then_some(groupindex),
        indexgroup: (named && !indexgroup.is_empty()).then_some(indexgroup),
        is_bytes,
    };
    Ok(Ref::new(compiled).into())
}

fn code_word(th: &mut Thread, word: &Value) -> PyResult<u32> {
    let Some(int) = word.as_int_ref() else { return Err(type_error(th, "an integer is required")) };
    if int.is_negative() {
        return Err(overflow_error(th, "can't convert negative value to unsigned int"));
    }
    match int.to_i64().map(u32::try_from) {
        Some(Ok(word)) => Ok(word),
        Some(Err(_)) => Err(overflow_error(th, "regular expression code size limit exceeded")),
        None => match int.to_bigint().bits() {
            64 => Err(overflow_error(th, "regular expression code size limit exceeded")),
            _ => Err(overflow_error(th, "Python int too large to convert to C unsigned long")),
        },
    }
}

fn template_(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let Some(items) = a[1].downcast_ref::<List>() else {
        let got = a[1].class().name();
        return Err(type_error(th, format!("template() argument 2 must be list, not {got}")));
    };
    let items = items.to_vec();
    Ok(Ref::new(Template::from_items(th, &items)?).into())
}
