//! `from __future__ import …` at the head of a module. CPython counterpart: `Python/future.c`.

use krait_bytecode::code::flags;
use krait_syntax::ast::{Constant, ExprKind, Mod, Stmt, StmtKind};

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

fn is_docstring(stmt: &Stmt) -> bool {
    let StmtKind::Expr { value } = &stmt.kind else { return false };
    matches!(&value.kind, ExprKind::Constant { value: Constant::Str(_), .. })
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
    let body = if body.first().is_some_and(is_docstring) { &body[1..] } else { &body[..] };
    for stmt in body {
        let StmtKind::ImportFrom { module: Some(module), names, level: 0 } = &stmt.kind else { break };
        if &**module != "__future__" {
            break;
        }
        found.line = stmt.range.lineno;
        for alias in names {
            match feature(&alias.name) {
                Some(bit) => found.bits |= bit,
                None if &*alias.name == "braces" => return Err(error(alias.range, "not a chance")),
                None => {
                    return Err(error(alias.range, format!("future feature {} is not defined", alias.name)));
                }
            }
        }
    }
    Ok(found)
}
