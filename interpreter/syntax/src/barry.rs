//! `from __future__ import barry_as_FLUFL` (PEP 401): `<>` compares, `!=` is wrong. CPython counterpart:
//! `_PyPegen_check_barry_as_flufl`.

use std::borrow::Cow;

use crate::error::{SyntaxError, SyntaxErrorKind};
use crate::errors::tokens::{Text, tokenize};
use crate::parse::ParseOptions;
use crate::source::Lines;

const FEATURE: &str = "barry_as_FLUFL";

/// The text with `!=` for each `<>`, where the feature is on.
pub(crate) fn translate<'a>(text: Cow<'a, str>, options: &ParseOptions<'_>) -> Result<Cow<'a, str>, SyntaxError> {
    let from = match text.find(FEATURE) {
        _ if options.barry_as_bdfl => 0,
        Some(at) if is_future_import(&text[..at]) => at,
        _ => return Ok(text),
    };
    let (lexemes, _) = tokenize(text.as_bytes(), false, false);
    let mut out = text.clone().into_owned();
    for lexeme in lexemes {
        let Text::Source(place) = lexeme.text else { continue };
        match text.get(place.clone()) {
            Some("<>") if place.start > from => out.replace_range(place, "!="),
            Some("!=") if place.start > from => {
                let lines = Lines::new(&text);
                let location = lines.location(lines.range(place.start as u32, place.end as u32));
                let msg = "with Barry as BDFL, use '<>' instead of '!='";
                return Err(SyntaxError::at(SyntaxErrorKind::SyntaxError, msg, location));
            }
            _ => {}
        }
    }
    Ok(Cow::Owned(out))
}

fn is_future_import(before: &str) -> bool {
    let line = before.rsplit('\n').next().unwrap_or(before);
    line.trim_start().starts_with("from __future__ import")
}
