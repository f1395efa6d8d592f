//! The sub-modules `errors` and `model`, and the list of features.
use krait_object::{Dict, List, PyResult, Thread, Tuple, Value};
use krait_runtime::types::module;

/// Names and texts of errors; the first one's code is 1.
pub static ERRORS: &[(&str, &str)] = &[
    ("NO_MEMORY", "out of memory"),
    ("SYNTAX", "syntax error"),
    ("NO_ELEMENTS", "no element found"),
    ("INVALID_TOKEN", "not well-formed (invalid token)"),
    ("UNCLOSED_TOKEN", "unclosed token"),
    ("PARTIAL_CHAR", "partial character"),
    ("TAG_MISMATCH", "mismatched tag"),
    ("DUPLICATE_ATTRIBUTE", "duplicate attribute"),
    ("JUNK_AFTER_DOC_ELEMENT", "junk after document element"),
    ("PARAM_ENTITY_REF", "illegal parameter entity reference"),
    ("UNDEFINED_ENTITY", "undefined entity"),
    ("RECURSIVE_ENTITY_REF", "recursive entity reference"),
    ("ASYNC_ENTITY", "asynchronous entity"),
    ("BAD_CHAR_REF", "reference to invalid character number"),
    ("BINARY_ENTITY_REF", "reference to binary entity"),
    ("ATTRIBUTE_EXTERNAL_ENTITY_REF", "reference to external entity in attribute"),
    ("MISPLACED_XML_PI", "XML or text declaration not at start of entity"),
    ("UNKNOWN_ENCODING", "unknown encoding"),
    ("INCORRECT_ENCODING", "encoding specified in XML declaration is incorrect"),
    ("UNCLOSED_CDATA_SECTION", "unclosed CDATA section"),
    ("EXTERNAL_ENTITY_HANDLING", "error in processing external entity reference"),
    ("NOT_STANDALONE", "document is not standalone"),
    ("UNEXPECTED_STATE", "unexpected parser state - please send a bug report"),
    ("ENTITY_DECLARED_IN_PE", "entity declared in parameter entity"),
    ("FEATURE_REQUIRES_XML_DTD", "requested feature requires XML_DTD support in Expat"),
    ("CANT_CHANGE_FEATURE_ONCE_PARSING", "cannot change setting once parsing has begun"),
    ("UNBOUND_PREFIX", "unbound prefix"),
    ("UNDECLARING_PREFIX", "must not undeclare prefix"),
    ("INCOMPLETE_PE", "incomplete markup in parameter entity"),
    ("XML_DECL", "XML declaration not well-formed"),
    ("TEXT_DECL", "text declaration not well-formed"),
    ("PUBLICID", "illegal character(s) in public id"),
    ("SUSPENDED", "parser suspended"),
    ("NOT_SUSPENDED", "parser not suspended"),
    ("ABORTED", "parsing aborted"),
    ("FINISHED", "parsing finished"),
    ("SUSPEND_PE", "cannot suspend in external parameter entity"),
    ("RESERVED_PREFIX_XML", "reserved prefix (xml) must not be undeclared or bound to another namespace name"),
    ("RESERVED_PREFIX_XMLNS", "reserved prefix (xmlns) must not be declared or undeclared"),
    ("RESERVED_NAMESPACE_URI", "prefix must not be bound to one of the reserved namespace names"),
    ("INVALID_ARGUMENT", "invalid argument"),
    ("NO_BUFFER", "a successful prior call to function XML_GetBuffer is required"),
    ("AMPLIFICATION_LIMIT_BREACH", "limit on input amplification factor (from DTD and entities) breached"),
];

pub fn errors(th: &mut Thread) -> PyResult<Value> {
    let m = module::new("pyexpat.errors", "Constants used to describe error conditions.".into());
    let d = module::dict(&m);
    let (codes, messages) = (Dict::new(), Dict::new());
    for (i, (name, text)) in ERRORS.iter().enumerate() {
        d.set_text(&format!("XML_ERROR_{name}"), *text);
        codes.set_text(text, i + 1);
        messages.set(th, (i + 1).into(), (*text).into())?;
    }
    d.set_text("codes", codes);
    d.set_text("messages", messages);
    Ok(m)
}
pub fn model() -> Value {
    let m = module::new("pyexpat.model", "Constants used to interpret content model information.".into());
    let d = module::dict(&m);
    for (i, name) in ["EMPTY", "ANY", "MIXED", "NAME", "CHOICE", "SEQ"].iter().enumerate() {
        d.set_text(&format!("XML_CTYPE_{name}"), i + 1);
    }
    for (i, name) in ["NONE", "OPT", "REP", "PLUS"].iter().enumerate() {
        d.set_text(&format!("XML_CQUANT_{name}"), i);
    }
    m
}
pub fn features() -> Value {
    let all: [(&str, i64); 8] = [
        ("sizeof(XML_Char)", 1),
        ("sizeof(XML_LChar)", 1),
        ("XML_DTD", 0),
        ("XML_CONTEXT_BYTES", 1024),
        ("XML_NS", 0),
        ("XML_BLAP_MAX_AMP", 100),
        ("XML_BLAP_ACT_THRES", 8_388_608),
        ("XML_GE", 0),
    ];
    List::new(all.iter().map(|&(name, n)| Tuple::of([name.into(), n.into()]).into()).collect()).into()
}
