//! What CPython accepts and the parser refuses, written in the same number of bytes as the parser takes it.
//!
//! - A newline ends the format specification of a single-quoted f-string: blanks and comments may follow before the `}`.
//! - A semicolon may follow a `raise` without an exception.
//! - `match` may be a name behind a semicolon.
//! - A key of a mapping pattern may be an f-string in a tree; the compiler refuses it.

use ruff_python_parser as ruff;
use ruff_text_size::{Ranged, TextRange, TextSize};

use crate::errors::tokens::{Lexeme, Text, tokenize};

const F_START: u8 = 59;
const F_MIDDLE: u8 = 60;
const F_END: u8 = 61;

/// Where the text that was parsed is not the source.
#[derive(Default)]
pub(crate) struct Rewritten {
    /// Blanks behind the end of format specifications.
    gaps: Vec<TextRange>,
    /// f-strings that stand as plain strings.
    keys: Vec<TextRange>,
    /// `raise` statements that stand as `break`.
    raises: Vec<TextRange>,
    /// Names `match` that stand as `MATCH`.
    matches: Vec<TextRange>,
}

impl Rewritten {
    /// Something else than keys is rewritten.
    fn more_than_keys(&self) -> bool {
        !(self.gaps.is_empty() && self.raises.is_empty() && self.matches.is_empty())
    }

    /// The end of a literal part of a format specification.
    pub(crate) fn end_of_literal(&self, range: TextRange) -> TextSize {
        let within = |gap: &&TextRange| range.start() <= gap.start() && gap.start() < range.end();
        self.gaps.iter().find(within).map_or(range.end(), |gap| gap.start())
    }

    pub(crate) fn is_raise(&self, range: TextRange) -> bool {
        self.raises.contains(&range)
    }

    pub(crate) fn is_match(&self, range: TextRange) -> bool {
        self.matches.contains(&range)
    }

    pub(crate) fn is_key(&self, range: TextRange) -> bool {
        self.keys.iter().any(|key| range.contains_range(*key))
    }
}

/// Parses `text`, which CPython's grammar takes.
pub(crate) fn parse(
    text: &str,
    options: ruff::ParseOptions,
    first: ruff::ParseError,
) -> Result<(ruff::Parsed<ruff_python_ast::Mod>, Rewritten), ruff::ParseError> {
    let (lexemes, _) = tokenize(text.as_bytes(), false, false);
    let mut rewritten = Rewritten::default();
    let mut bytes = text.as_bytes().to_vec();
    for pair in lexemes.windows(2) {
        let (Some(before), Some(close)) = (place(&pair[0]), place(&pair[1])) else { continue };
        let gap = before.end()..close.start();
        let in_spec = pair[0].kind == F_MIDDLE || &text[before] == ":";
        if in_spec && &text[close] == "}" && text.as_bytes()[gap.start.into()..gap.end.into()].contains(&b'\n') {
            bytes[gap.start.into()..gap.end.into()].fill(b' ');
            rewritten.gaps.push(TextRange::new(gap.start, gap.end));
        }
        if &text[before] == "raise" && &text[close] == ";" {
            bytes[before.start().into()..before.end().into()].copy_from_slice(b"break");
            rewritten.raises.push(before);
        }
        if &text[before] == ";" && &text[close] == "match" {
            bytes[close.start().into()..close.end().into()].copy_from_slice(b"MATCH");
            rewritten.matches.push(close);
        }
    }
    let mut fault = first;
    loop {
        let key = key_at(&lexemes, text, fault.location.start());
        if let Some(key) = key.filter(|key| !rewritten.keys.contains(key)) {
            let place = &mut bytes[key.start().into()..key.end().into()];
            place.fill(b'"');
            let inner = place.len() - 1;
            place[1..inner].fill(b'f');
            rewritten.keys.push(key);
        } else if !rewritten.more_than_keys() || !rewritten.keys.is_empty() {
            return Err(fault);
        }
        let Ok(source) = std::str::from_utf8(&bytes) else { return Err(fault) };
        match ruff::parse(source, options.clone()) {
            Ok(parsed) => return Ok((parsed, rewritten)),
            Err(next) if next.location == fault.location => return Err(fault),
            Err(next) => fault = next,
        }
    }
}

fn place(lexeme: &Lexeme) -> Option<TextRange> {
    match &lexeme.text {
        Text::Source(place) => {
            Some(TextRange::new(TextSize::try_from(place.start).ok()?, TextSize::try_from(place.end).ok()?))
        }
        Text::Fixed(_) => None,
    }
}

/// The f-string that begins at `start`.
fn key_at(lexemes: &[Lexeme], text: &str, start: TextSize) -> Option<TextRange> {
    let first = lexemes.iter().position(|it| it.kind == F_START && place(it).is_some_and(|at| at.start() == start))?;
    let mut open = 0;
    for lexeme in &lexemes[first..] {
        open += i32::from(lexeme.kind == F_START) - i32::from(lexeme.kind == F_END);
        if open == 0 {
            let end = place(lexeme)?.end();
            return text.is_char_boundary(end.into()).then(|| TextRange::new(start, end));
        }
    }
    None
}
