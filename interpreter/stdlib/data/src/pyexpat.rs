//! `pyexpat`: the parser of `expat` for Python. The parser class is in `parser`, calling handlers in `dispatch`.
mod arguments;
mod constants;
mod dispatch;
mod parser;

use krait_object::native::function;
use krait_object::{
    Args, ClassDef, Dict, Method, ModuleDef, PyResult, Ref, Str, Thread, Tuple, TypeObject, Value, type_flag,
};
use krait_runtime::errors::{type_error, value_error};
use krait_runtime::exceptions::EXCEPTION;
use krait_runtime::import;
use krait_runtime::protocol::{attr, number};
use krait_runtime::types::module;

use crate::arguments::class_name;
use crate::expat::{Code, Engine};
use parser::Parser;

pub static MODULE: ModuleDef = ModuleDef {
    doc: "Python wrapper for Expat parser.",
    functions: FUNCTIONS,
    classes: &[&ERROR_DEF, &parser::DEF],
    init: Some(init),
    ..ModuleDef::new("pyexpat")
};
static EXPAT_ERROR: TypeObject = TypeObject::builtin_like("ExpatError", &EXCEPTION);
static ERROR_DEF: ClassDef =
    ClassDef { module: "xml.parsers.expat", flags: type_flag::BASE, ..ClassDef::new(&EXPAT_ERROR) };

static FUNCTIONS: &[Method] = &[
    function(
        "ParserCreate",
        "(encoding=None, namespace_separator=None, intern=<unrepresentable>)",
        "Return a new XML parser object.",
        create,
    ),
    function("ErrorString", "(code, /)", "Returns string error for given number.", |th, a| {
        let code = number::to_i64(th, &a[0])?;
        let message = usize::try_from(code).ok().and_then(|i| constants::ERRORS.get(i.wrapping_sub(1)));
        Ok(message.map(|(_, text)| Value::str(text)).into())
    }),
];

fn create(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let text = |th: &mut Thread, v: Option<&Value>, name: &str| match v.filter(|v| !v.is_none()) {
        None => Ok(None),
        Some(v) => match v.downcast_ref::<Str>() {
            Some(s) => Ok(Some(s.to_string_lossy().into_owned())),
            None => {
                let class = class_name(v);
                let message = format!("ParserCreate() argument '{name}' must be str or None, not {class}");
                Err(type_error(th, message))
            }
        },
    };
    let encoding = text(th, a.opt(0), "encoding")?;
    let separator = text(th, a.opt(1), "namespace_separator")?;
    if separator.as_ref().is_some_and(|s| s.chars().count() > 1) {
        return Err(value_error(th, "namespace_separator must be at most one character, omitted, or None"));
    }
    let intern = match a.opt(2) {
        None => Value::from(Dict::new()),
        Some(v) if v.is_none() => Value::NONE,
        Some(v) if v.downcast_ref::<Dict>().is_some() => v.clone(),
        Some(_) => return Err(type_error(th, "intern must be a dictionary")),
    };
    let engine = Engine::new(encoding, separator.map(|s| s.chars().next()));
    Ok(Ref::new(Parser::new(engine, intern)).into())
}
pub use dispatch::table as encoding_table;

/// What an error code means.
pub fn error_text(code: Code) -> &'static str {
    usize::try_from(code - 1).ok().and_then(|i| constants::ERRORS.get(i)).map_or("unknown error", |e| e.1)
}
/// Raises the ExpatError of a code at a place.
#[cold]
fn error(th: &mut Thread, code: Code, line: usize, column: usize) -> krait_object::Raised {
    let text = error_text(code);
    let message = format!("{text}: line {line}, column {column}");
    let exception = krait_runtime::exceptions::new_exception(&EXPAT_ERROR, &message);
    for (name, n) in [("code", i64::from(code)), ("offset", column as i64), ("lineno", line as i64)] {
        if let Err(raised) = attr::set_text(th, &exception, name, &Value::int(n)) {
            return raised;
        }
    }
    krait_runtime::errors::raise_value(th, exception)
}

fn init(th: &mut Thread, m: &Value) -> PyResult<()> {
    let d = module::dict(m);
    drop(d.remove_text("xmlparser"));
    d.set_text("XMLParserType", parser::PARSER.to_value());
    d.set_text("error", EXPAT_ERROR.to_value());
    d.set_text("EXPAT_VERSION", "expat_2.6.3");
    d.set_text("version_info", Tuple::of([2, 6, 3].map(Value::from)));
    d.set_text("native_encoding", "UTF-8");
    d.set_text("features", constants::features());
    for (i, name) in ["NEVER", "UNLESS_STANDALONE", "ALWAYS"].iter().enumerate() {
        d.set_text(&format!("XML_PARAM_ENTITY_PARSING_{name}"), i);
    }
    let modules = import::modules(th)?;
    for (name, part) in [("errors", constants::errors(th)?), ("model", constants::model())] {
        d.set_text(name, part.clone());
        if let Some(all) = modules.downcast_ref::<Dict>() {
            all.set_text(&format!("pyexpat.{name}"), part);
        }
    }
    Ok(())
}
