//! What the front end reports: refusals and warnings, as plain data. Raising and issuing them is the caller's work.

use crate::ast::Wtf8Box;

/// The exception class to raise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SyntaxErrorKind {
    SyntaxError,
    IndentationError,
    TabError,
    /// `_IncompleteInputError`: only with [`crate::ParseOptions::allow_incomplete_input`].
    IncompleteInputError,
    /// Nesting beyond what the parser takes.
    MemoryError,
    /// Chains beyond what the compiler takes.
    RecursionError,
    ValueError,
    OverflowError,
    /// Of the text in [`SyntaxError::object`].
    UnicodeEncodeError,
}

/// Where the fault is, in the terms of `SyntaxError`'s attributes: lines and offsets count from 1, offsets in
/// characters. CPython gives offsets 0 and -1 in a few cases.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Location {
    pub lineno: i32,
    pub offset: i32,
    pub end_lineno: Option<i32>,
    pub end_offset: Option<i32>,
    /// The source line, `None` where CPython has none.
    pub text: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SyntaxError {
    pub kind: SyntaxErrorKind,
    pub msg: String,
    /// `None` for errors that CPython raises with the message alone.
    pub location: Option<Location>,
    /// What was warned of before the fault was met; the caller issues these first.
    pub warnings: Vec<Warning>,
    pub object: Option<Wtf8Box>,
}

impl SyntaxError {
    /// An error without a place.
    pub fn bare(kind: SyntaxErrorKind, msg: impl Into<String>) -> SyntaxError {
        SyntaxError { kind, msg: msg.into(), location: None, warnings: Vec::new(), object: None }
    }

    /// A fault of the source's encoding, which CPython places at line 0, offset -1, without an end and without text.
    pub fn nowhere(msg: impl Into<String>) -> SyntaxError {
        let location = Location { lineno: 0, offset: -1, end_lineno: None, end_offset: None, text: None };
        SyntaxError::at(SyntaxErrorKind::SyntaxError, msg, location)
    }

    /// Text with surrogates where CPython needs UTF-8.
    pub fn unencodable(text: Wtf8Box) -> SyntaxError {
        let msg = "surrogates not allowed";
        SyntaxError { object: Some(text), ..SyntaxError::bare(SyntaxErrorKind::UnicodeEncodeError, msg) }
    }

    pub fn at(kind: SyntaxErrorKind, msg: impl Into<String>, location: Location) -> SyntaxError {
        SyntaxError { location: Some(location), ..SyntaxError::bare(kind, msg) }
    }
}

/// A `SyntaxWarning` that the caller issues; if the filters turn it into an error, CPython raises a `SyntaxError`
/// with the same message at `location`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Warning {
    pub msg: String,
    pub location: Location,
}
