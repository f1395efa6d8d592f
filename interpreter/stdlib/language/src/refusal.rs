//! SyntaxErrors of the front end as Python exceptions.
use krait_object::{Raised, Thread, TypeObject, Value};
use krait_runtime::errors::{self, SyntaxPlace};
use krait_runtime::exceptions as exc;
use krait_syntax::{SyntaxError, SyntaxErrorKind};

/// Raises the front end's error. `open_end`: an end line of 0 stands for None.
pub(crate) fn raise(th: &mut Thread, e: &SyntaxError, filename: &Value) -> Raised {
    let class: &'static TypeObject = match e.kind {
        SyntaxErrorKind::SyntaxError => &exc::SYNTAX_ERROR,
        SyntaxErrorKind::IndentationError => &exc::INDENTATION_ERROR,
        SyntaxErrorKind::TabError => &exc::TAB_ERROR,
        SyntaxErrorKind::IncompleteInputError => &exc::_INCOMPLETE_INPUT_ERROR,
        SyntaxErrorKind::MemoryError => &exc::MEMORY_ERROR,
        SyntaxErrorKind::RecursionError => &exc::RECURSION_ERROR,
        SyntaxErrorKind::ValueError => &exc::VALUE_ERROR,
        SyntaxErrorKind::OverflowError => &exc::OVERFLOW_ERROR,
        SyntaxErrorKind::UnicodeEncodeError => &exc::UNICODE_ERROR,
    };
    let Some(place) = &e.location else { return errors::raise(th, class, e.msg.clone()) };
    let error = errors::new_syntax_error(
        class,
        &e.msg,
        SyntaxPlace {
            filename: Some(filename.clone()),
            lineno: place.lineno.into(),
            offset: place.offset.into(),
            end_lineno: place.end_lineno.map(i64::from),
            end_offset: place.end_offset.map(i64::from),
            text: place.text.as_deref(),
        },
    );
    errors::raise_value(th, error)
}
