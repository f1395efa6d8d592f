//! `from __future__ import …` at the head of a module. CPython counterpart: `Python/future.c`.

use krait_bytecode::code::flags;
use krait_syntax::SyntaxError;
use krait_syntax::ast::{Constant, ExprKind, Mod, Range, StmtKind};

use crate::error::{Result, error};

/// The `CO_FUTURE_*` bit of a feature; mandatory features without a bit give 0.
fn feature(name: &str) -> Option<u32> {
    Some(match name {
        "nested_scopes" | "generators" | "division" | "absolute_import" | "with_statement" | "print_function"
        | "unicode_literals" | "generator_stop" => 0,
        "barry_as_FLUFL" => flags::FUTURE_BARRY_AS_BDFL,
        "annotations" => flags::FUTURE_ANNOTATIONS,
        _ => return None,
    })
}

/// What the head of a module asks for.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Features {
    pub(crate) bits: u32,
    /// Line of the last future import; later ones are errors.
    pub(crate) line: u32,
}

/// The features that a module asks for; errors for unknown ones.
pub(crate) fn features(module: &Mod) -> Result<Features> {
    let body = match module {
        Mod::Module { body, .. } | Mod::Interactive { body } => body,
        _ => return Ok(Features::default()),
    };
    let mut found = Features::default();
    let is_docstring = |kind: &StmtKind| matches!(kind, StmtKind::Expr { value } if matches!(value.kind, ExprKind::Constant { value: Constant::Str(_), .. }));
    let body = match body.first() {
        Some(first) if is_docstring(&first.kind) => &body[1..],
        _ => &body[..],
    };
    let (mut done, mut line) = (false, 0);
    for stmt in body {
        if done && stmt.range.lineno > line {
            break;
        }
        line = stmt.range.lineno;
        match &stmt.kind {
            StmtKind::ImportFrom { module: Some(module), names, level: 0 } if &**module == "__future__" => {
                if done {
                    let msg = "from __future__ imports must occur at the beginning of the file";
                    return Err(error(stmt.range, msg));
                }
                found.line = stmt.range.lineno;
                for alias in names {
                    found.bits |= feature(&alias.name).ok_or_else(|| unknown(&alias.name, stmt.range))?;
                }
            }
            _ => done = true,
        }
    }
    Ok(found)
}

/// CPython gives such errors a start without an end.
fn unknown(name: &str, range: Range) -> SyntaxError {
    let msg = match name {
        "braces" => "not a chance".to_owned(),
        name => format!("future feature {name} is not defined"),
    };
    let mut error = error(range, msg);
    if let Some(location) = &mut error.location {
        (location.end_lineno, location.end_offset) = (Some(location.lineno), None);
    }
    error
}
