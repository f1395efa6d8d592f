//! Errors and warnings of the compiler, in the front end's types, and the native stack budget.
//!
//! CPython counterpart: `compiler_error`, `compiler_warn`; offsets are byte columns plus one, as there.

use krait_syntax::ast::Range;
use krait_syntax::{Location, SyntaxError, SyntaxErrorKind, Warning};

/// What compiling gives.
pub type Result<T> = std::result::Result<T, SyntaxError>;

/// A range in the terms of `SyntaxError`'s attributes.
pub(crate) fn location(range: Range) -> Location {
    Location {
        lineno: range.lineno as i32,
        offset: range.col_offset as i32 + 1,
        end_lineno: Some(range.end_lineno as i32),
        end_offset: Some(range.end_col_offset as i32 + 1),
        text: None,
    }
}

/// A `SyntaxError` at a range.
pub(crate) fn error(range: Range, msg: impl Into<String>) -> SyntaxError {
    SyntaxError::at(SyntaxErrorKind::SyntaxError, msg, location(range))
}

/// A `SyntaxWarning` at a range.
pub(crate) fn warning(range: Range, msg: impl Into<String>) -> Warning {
    Warning { msg: msg.into(), location: location(range) }
}

/// How much native stack a compilation may still use, by address: the tree's depth is the script's choice.
#[derive(Clone, Copy)]
pub(crate) struct StackLimit {
    start: usize,
    budget: usize,
}

impl StackLimit {
    pub(crate) fn new(budget: usize) -> StackLimit {
        let here = 0u8;
        StackLimit { start: &raw const here as usize, budget }
    }

    /// Fails when the budget is used up.
    pub(crate) fn check(&self) -> Result<()> {
        let here = 0u8;
        if self.start.abs_diff(&raw const here as usize) > self.budget {
            let msg = "maximum recursion depth exceeded during compilation";
            return Err(SyntaxError::bare(SyntaxErrorKind::RecursionError, msg));
        }
        Ok(())
    }
}
