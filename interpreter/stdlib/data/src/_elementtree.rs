//! `_elementtree`: elements of XML trees, what builds them, and a parser on `expat`. CPython: `Modules/_elementtree.c`.
mod builder;
mod children;
mod copy;
mod element;
mod find;
mod iterator;
mod parser;

use krait_object::native::function;
use krait_object::{
    Args, ClassDef, Dict, Method, ModuleDef, PyResult, Thread, TypeObject, Value, ValueCell, type_flag,
};
use krait_runtime::errors::type_error;
use krait_runtime::exceptions::SYNTAX_ERROR;
use krait_runtime::protocol::{attr, call};

pub static MODULE: ModuleDef = ModuleDef {
    doc: "",
    functions: FUNCTIONS,
    classes: &[&PARSE_ERROR_DEF, &element::DEF, &builder::DEF, &parser::DEF, &iterator::DEF],
    init: Some(|_, m| {
        drop(krait_runtime::types::module::dict(m).remove_text("_element_iterator"));
        Ok(())
    }),
    ..ModuleDef::new("_elementtree")
};
static PARSE_ERROR: TypeObject = TypeObject::builtin_like("ParseError", &SYNTAX_ERROR);
static PARSE_ERROR_DEF: ClassDef =
    ClassDef { module: "xml.etree.ElementTree", flags: type_flag::BASE, ..ClassDef::new(&PARSE_ERROR) };

/// What makes comments and processing instructions where a builder is not told.
#[derive(Default)]
struct Factories {
    comment: ValueCell,
    pi: ValueCell,
}

static FUNCTIONS: &[Method] = &[
    function("SubElement", "", "", sub_element),
    function(
        "_set_factories",
        "(comment_factory, pi_factory, /)",
        "Change the factories used to create comments and processing instructions.\n\nFor internal use only.",
        |th, a| {
            let factories = th.interp.extension::<Factories>();
            for i in 0..2 {
                if !call::is_callable(&a[i]) && !a[i].is_none() {
                    let (what, class) = (["Comment", "PI"][i], crate::arguments::class_name(&a[i]));
                    return Err(type_error(th, format!("{what} factory must be callable, not {class}")));
                }
            }
            let keep = |v: &Value| Some(v.clone()).filter(|v| !v.is_none());
            let old = [factories.comment.replace(keep(&a[0])), factories.pi.replace(keep(&a[1]))];
            let [comment, pi] = old.map(Value::from);
            Ok(krait_object::Tuple::of([comment, pi]).into())
        },
    ),
];
fn sub_element(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let (parent, tag, attrib) = match a.pos() {
        [parent, tag] => (parent, tag, None),
        [parent, tag, attrib] => (parent, tag, Some(attrib)),
        more => {
            let bound = if more.len() < 2 { "at least 2" } else { "at most 3" };
            let n = more.len();
            return Err(type_error(th, format!("SubElement() takes {bound} arguments ({n} given)")));
        }
    };
    let Some(owner) = parent.downcast_ref::<element::Element>() else {
        let class = crate::arguments::class_name(parent);
        let message = format!("SubElement() argument 1 must be xml.etree.ElementTree.Element, not {class}");
        return Err(type_error(th, message));
    };
    let attrib = element::attributes(th, "SubElement", 3, attrib, a)?;
    let made = element::create(tag.clone(), attrib);
    owner.children.lock().push(made.clone());
    Ok(made)
}

/// Raises ParseError.
#[cold]
fn parse_error(th: &mut Thread, message: &str, code: i32, line: usize, column: usize) -> krait_object::Raised {
    let text = format!("{message}: line {line}, column {column}");
    let class = PARSE_ERROR.to_value();
    let made = match call::call(th, &class, &[text.into()]) {
        Ok(v) => v,
        Err(raised) => return raised,
    };
    let position = krait_object::Tuple::of([line.into(), column.into()]);
    for (name, v) in [("code", Value::from(code)), ("position", position.into())] {
        if let Err(raised) = attr::set_text(th, &made, name, &v) {
            return raised;
        }
    }
    krait_runtime::errors::raise_value(th, made)
}
/// A dict, or an empty one.
fn dict_or_new(v: Option<Value>) -> krait_object::Ref<Dict> {
    v.and_then(|v| v.downcast().ok()).unwrap_or_else(Dict::new)
}
