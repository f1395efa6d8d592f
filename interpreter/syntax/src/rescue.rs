//! What CPython accepts and the parser refuses, written in the same number of bytes as the parser takes it.
//!
//! - A newline ends the format specification of a single-quoted f-string: blanks and comments may follow before the `}`.
//! - Behind a field of a format specification `{{` is a brace, not the beginning of a field.
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
    /// Where `{{` stands for a brace, in order.
    braces: Vec<TextSize>,
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
        !(self.gaps.is_empty() && self.braces.is_empty() && self.raises.is_empty() && self.matches.is_empty())
    }

    /// The end of a format specification, or of a literal part of one.
    pub(crate) fn end_of_spec(&self, range: TextRange) -> TextSize {
        let last = |gap: &&TextRange| range.start() <= gap.start() && gap.end() == range.end();
        self.gaps.iter().find(last).map_or(range.end(), |gap| gap.start())
    }

    pub(crate) fn is_brace(&self, at: u32) -> bool {
        self.braces.binary_search(&at.into()).is_ok()
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

/// Parses `text`, which CPython's grammar takes. `fault` is the parser's, unless it took `text` otherwise than CPython.
pub(crate) fn parse(
    text: &str,
    options: ruff::ParseOptions,
    fault: Option<&ruff::ParseError>,
) -> Option<(ruff::Parsed<ruff_python_ast::Mod>, Rewritten)> {
    let (lexemes, _) = tokenize(text.as_bytes(), false, false);
    let mut bytes = text.as_bytes().to_vec();
    let mut rewritten = rewrite(text, &lexemes, &mut bytes);
    let mut fault = fault.map(|fault| fault.location.start());
    loop {
        let key = fault.and_then(|at| key_at(&lexemes, text, at));
        if let Some(key) = key.filter(|key| !rewritten.keys.contains(key)) {
            let place = &mut bytes[key.start().into()..key.end().into()];
            place.fill(b'"');
            let inner = place.len() - 1;
            place[1..inner].fill(b'f');
            rewritten.keys.push(key);
        } else if !rewritten.more_than_keys() || !rewritten.keys.is_empty() {
            return None;
        }
        match ruff::parse(std::str::from_utf8(&bytes).ok()?, options.clone()) {
            Ok(parsed) => return Some((parsed, rewritten)),
            Err(next) if Some(next.location.start()) == fault => return None,
            Err(next) => fault = Some(next.location.start()),
        }
    }
}

/// Rewrites all but keys.
fn rewrite(text: &str, lexemes: &[Lexeme], bytes: &mut [u8]) -> Rewritten {
    let mut rewritten = Rewritten::default();
    for pair in lexemes.windows(2) {
        let (Some(before), Some(close)) = (place(&pair[0]), place(&pair[1])) else { continue };
        let gap = before.end()..close.start();
        let in_spec = pair[0].kind == F_MIDDLE || &text[before] == ":";
        if in_spec && &text[close] == "}" && text.as_bytes()[gap.start.into()..gap.end.into()].contains(&b'\n') {
            bytes[gap.start.into()..gap.end.into()].fill(b' ');
            rewritten.gaps.push(TextRange::new(gap.start, gap.end));
        }
        let end = usize::from(before.end());
        if pair[0].kind == F_MIDDLE && text[before].ends_with('{') && text.as_bytes().get(end) == Some(&b'{') {
            bytes[end - 1..=end].fill(b'.');
            rewritten.braces.push(before.end() - TextSize::from(1));
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
    rewritten
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
