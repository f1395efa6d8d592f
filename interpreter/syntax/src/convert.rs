//! The parser's tree to ours: positions, merged constants, decoded literals. The only module that knows both.
//!
//! `convert/stmt.rs` takes statements, `convert/expr.rs` expressions, `convert/pattern.rs` match patterns,
//! `convert/string.rs` string literals and f-strings, `convert/escape.rs` escape sequences, `convert/number.rs`
//! numbers, `convert/comment.rs` type comments. CPython counterpart: `Parser/action_helpers.c`, `string_parser.c`.

mod comment;
pub(crate) mod escape;
mod expr;
mod number;
mod pattern;
mod stmt;
mod string;

use comment::TypeComments;
use ruff_python_ast as ruff;
use ruff_text_size::{Ranged, TextRange};

use crate::ast::{Identifier, Mod, Range};
use crate::error::{SyntaxError, SyntaxErrorKind, Warning};
use crate::parse::{Mode, ParseOptions, Parsed};
use crate::rescue::Rewritten;
use crate::source::Lines;

/// Converts a whole tree; fails where the parser accepts what CPython refuses.
pub(crate) fn convert(
    parsed: &ruff_python_parser::Parsed<ruff::Mod>,
    rewritten: Rewritten,
    lines: &Lines<'_>,
    options: &ParseOptions<'_>,
) -> Result<Parsed, SyntaxError> {
    let mut cx = Converter::new(lines, options);
    cx.rewritten = rewritten;
    if options.type_comments {
        cx.comments = TypeComments::collect(&cx, parsed.tokens());
    }
    let module = match parsed.syntax() {
        ruff::Mod::Module(module) => {
            let body = cx.body(&module.body);
            match options.mode {
                Mode::Single => Mod::Interactive { body },
                _ => Mod::Module { body, type_ignores: std::mem::take(&mut cx.comments.ignores) },
            }
        }
        ruff::Mod::Expression(module) => Mod::Expression { body: Box::new(cx.expr(&module.body)) },
    };
    cx.refuse_stray_comments();
    match cx.refusal {
        Some(refusal) => Err(refusal),
        None => Ok(Parsed { module, warnings: cx.warnings }),
    }
}

/// A function type `(int, *str) -> bool`, which is known to be well formed: the stars are dropped.
pub(crate) fn func_type(text: &str, lines: &Lines<'_>, options: &ParseOptions<'_>) -> Result<Parsed, SyntaxError> {
    let refusal = || SyntaxError::bare(SyntaxErrorKind::SyntaxError, "invalid syntax");
    let mut cx = Converter::new(lines, options);
    let mut depth = 0_u32;
    let piece = |cx: &mut Converter<'_>, from: usize, to: usize| {
        let skip = text[from..to].find(|c: char| !c.is_whitespace() && c != '*').ok_or_else(refusal)?;
        let range = TextRange::new(((from + skip) as u32).into(), (to as u32).into());
        let parsed = ruff_python_parser::parse_expression_range(text, range).map_err(|_| refusal())?;
        Ok::<_, SyntaxError>(cx.expr(parsed.expr()))
    };
    let open = text.find('(').ok_or_else(refusal)?;
    let (mut from, mut close) = (open + 1, None);
    let mut argtypes = Vec::new();
    let mut quote = None;
    for (at, byte) in text.bytes().enumerate().skip(open) {
        match (quote, byte) {
            (Some(mark), _) => quote = (mark != byte).then_some(mark),
            (None, b'\'' | b'"') => quote = Some(byte),
            (None, b'(' | b'[' | b'{') => depth += 1,
            (None, b')' | b']' | b'}') => depth = depth.saturating_sub(1),
            _ => {}
        }
        let ends = depth == 0 && quote.is_none();
        if ends || (byte == b',' && depth == 1 && quote.is_none()) {
            if !text[from..at].trim().is_empty() {
                argtypes.push(piece(&mut cx, from, at)?);
            }
            from = at + 1;
        }
        if ends {
            close = Some(at);
            break;
        }
    }
    let arrow = close.and_then(|close| text[close..].find("->").map(|at| close + at + 2)).ok_or_else(refusal)?;
    let returns = Box::new(piece(&mut cx, arrow, text.trim_end().len())?);
    match cx.refusal {
        Some(refusal) => Err(refusal),
        None => Ok(Parsed { module: Mod::FunctionType { argtypes, returns }, warnings: cx.warnings }),
    }
}

struct Converter<'a> {
    lines: &'a Lines<'a>,
    options: &'a ParseOptions<'a>,
    warnings: Vec<Warning>,
    /// The first refusal met; conversion goes on with placeholders.
    refusal: Option<SyntaxError>,
    /// Open f-string format specifications.
    spec_depth: u32,
    /// Empty unless they are asked for.
    comments: TypeComments,
    rewritten: Rewritten,
}

impl<'a> Converter<'a> {
    fn new(lines: &'a Lines<'a>, options: &'a ParseOptions<'a>) -> Self {
        let (comments, rewritten) = Default::default();
        Converter { lines, options, warnings: Vec::new(), refusal: None, spec_depth: 0, comments, rewritten }
    }
}

impl Converter<'_> {
    fn text(&self) -> &str {
        self.lines.text
    }

    fn range(&self, node: &impl Ranged) -> Range {
        self.text_range(node.range())
    }

    fn text_range(&self, range: TextRange) -> Range {
        self.lines.range(range.start().into(), range.end().into())
    }

    fn identifier(&self, name: &ruff::Identifier) -> Identifier {
        Identifier::from(name.id.as_str())
    }

    fn refuse(&mut self, msg: impl Into<String>, range: Range) {
        if self.refusal.is_none() {
            let location = self.lines.location(range);
            self.refusal = Some(SyntaxError::at(SyntaxErrorKind::SyntaxError, msg, location));
        }
    }

    fn warn(&mut self, msg: String, range: Range) {
        let location = self.lines.location(range);
        self.warnings.push(Warning { msg, location });
    }

    /// The offset of the first byte at or after `offset` that is no blank, newline, backslash or comment.
    fn skip_trivia(&self, mut offset: u32) -> u32 {
        let bytes = self.text().as_bytes();
        while let Some(byte) = bytes.get(offset as usize) {
            match byte {
                b' ' | b'\t' | b'\n' | 0x0c | b'\\' => offset += 1,
                b'#' => {
                    while bytes.get(offset as usize).is_some_and(|&b| b != b'\n') {
                        offset += 1;
                    }
                }
                _ => break,
            }
        }
        offset
    }

    /// The end of a compound statement: CPython counts a semicolon after its last simple statement.
    fn past_semicolon(&self, end: u32) -> u32 {
        let bytes = self.text().as_bytes();
        let mut at = end as usize;
        while matches!(bytes.get(at), Some(b' ' | b'\t' | 0x0c)) {
            at += 1;
        }
        if bytes.get(at) == Some(&b';') { at as u32 + 1 } else { end }
    }
}
