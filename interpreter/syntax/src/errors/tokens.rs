//! Tokens as `_tokenize` gives them: with text, positions in characters and the line that they stand on.
//!
//! CPython counterpart: `Python/Python-tokenize.c`.

use std::ops::Range;

use super::token::{Kind, Token};
use super::tokenizer::{Done, Tokenizer, chars};
use crate::error::{Location, SyntaxError, SyntaxErrorKind};

/// One token. Lines count from 1, columns are in characters, -1 where there is no place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lexeme {
    /// CPython's number of the type (`token.NAME` …).
    pub kind: u8,
    pub text: Text,
    pub start: (i32, i32),
    pub end: (i32, i32),
    /// The physical line, or lines, in the source.
    pub line: Range<usize>,
}

/// What a token consists of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Text {
    /// A stretch of the source.
    Source(Range<usize>),
    Fixed(&'static str),
}

/// Why tokens end before the source does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    Error(SyntaxError),
    /// Inside brackets or after a backslash; line and offset.
    UnexpectedEnd(i32, i32),
}

/// Splits source into tokens. `extra`: comments and blank lines are tokens, operators are all `OP`, and positions are
/// those of the old pure-Python tokenizer. `source` ends in a newline, which is `implicit` if it was added.
pub fn tokenize(source: &[u8], extra: bool, implicit: bool) -> (Vec<Lexeme>, Option<Fault>) {
    let mut out = Vec::new();
    if source.is_empty() && !extra {
        return (out, None);
    }
    if let Some(at) = source.iter().position(|&b| b == 0) {
        return (out, Some(Fault::Error(null_byte(source, at))));
    }
    let mut tok = Tokenizer::for_module(source, extra);
    let mut last = Last { lineno: 0, line: 0..0 };
    loop {
        let token = tok.get();
        if token.kind == Kind::Error {
            return (out, Some(fault(&mut tok, source)));
        }
        out.push(lexeme(&tok, &token, source, extra, implicit, &mut last));
        if token.kind == Kind::End {
            return (out, None);
        }
    }
}

/// The line shown last: at the end of the input it is shown again.
struct Last {
    lineno: i32,
    line: Range<usize>,
}

fn null_byte(source: &[u8], at: usize) -> SyntaxError {
    let start = source[..at].iter().rposition(|&b| b == b'\n').map_or(0, |n| n + 1);
    let lineno = source[..at].iter().filter(|&&b| b == b'\n').count() as i32 + 1;
    let location = Location {
        lineno,
        offset: 0,
        end_lineno: Some(lineno),
        end_offset: Some(0),
        text: Some(String::from_utf8_lossy(&source[start..at]).into_owned()),
    };
    let msg = "source code cannot contain null bytes".to_owned();
    SyntaxError::at(SyntaxErrorKind::SyntaxError, msg, location)
}

fn fault(tok: &mut Tokenizer<'_>, source: &[u8]) -> Fault {
    if let Some(error) = tok.error.take() {
        return Fault::Error(error);
    }
    let (kind, msg) = match tok.done {
        Done::Dedent => (SyntaxErrorKind::IndentationError, "unindent does not match any outer indentation level"),
        Done::TabSpace => (SyntaxErrorKind::TabError, "inconsistent use of tabs and spaces in indentation"),
        Done::TooDeep => (SyntaxErrorKind::IndentationError, "too many levels of indentation"),
        Done::LineCont => (SyntaxErrorKind::SyntaxError, "unexpected character after line continuation character"),
        Done::Ok | Done::Eof | Done::Error | Done::EofInString => {
            let offset = if tok.level() > 0 { 0 } else { chars(&source[tok.line_start..tok.inp]) };
            return Fault::UnexpectedEnd(tok.lineno, offset);
        }
    };
    let line = &source[tok.line_start..tok.inp];
    let text = String::from_utf8_lossy(line.strip_suffix(b"\n").unwrap_or(line)).into_owned();
    let location =
        Location { lineno: tok.lineno, offset: chars(line), end_lineno: None, end_offset: None, text: Some(text) };
    Fault::Error(SyntaxError::at(kind, msg, location))
}

fn lexeme(tok: &Tokenizer<'_>, token: &Token, source: &[u8], extra: bool, implicit: bool, last: &mut Last) -> Lexeme {
    let at_end = tok.done == Done::Eof;
    let trailing = extra && (token.kind == Kind::End || (token.kind == Kind::Dedent && at_end));
    let added = implicit && tok.inp == source.len();
    let from = tok.line_start_of(token.kind);
    let line = if trailing {
        0..0
    } else if at_end {
        if last.lineno == tok.lineno { last.line.clone() } else { 0..0 }
    } else {
        from..tok.inp - usize::from(added && tok.inp > from)
    };
    *last = Last { lineno: token.span.line, line: line.clone() };
    // Where the token has text its columns are counted in characters.
    let count = |base: usize, to: usize| if to >= base { chars(&source[base..to]) } else { -1 };
    let newline = token.kind == Kind::Newline;
    let ends = token.end - usize::from(newline);
    let (mut col, mut end_col) = match token.span.col {
        -1 => (-1, -1),
        _ => (count(from, token.start), count(tok.line_start, ends)),
    };
    let (mut lineno, mut end_lineno) = (token.span.line, token.span.end_line);
    let mut text = match token.span.col {
        -1 => Text::Fixed(""),
        _ => Text::Source(token.start..ends),
    };
    if trailing {
        (lineno, end_lineno, col, end_col) = (lineno + 1, lineno + 1, 0, 0);
    } else if extra && newline {
        let crlf = source.get(token.start) == Some(&b'\r');
        text = Text::Fixed(if added {
            ""
        } else if crlf {
            "\r\n"
        } else {
            "\n"
        });
        end_col += 1;
    } else if token.kind == Kind::BlankLine && added {
        text = Text::Fixed("");
    }
    Lexeme { kind: number(token, source, extra), text, start: (lineno, col), end: (end_lineno, end_col), line }
}

/// The operators in the order of their numbers, from 7 on.
const OPERATORS: [&str; 48] = [
    "(", ")", "[", "]", ":", ",", ";", "+", "-", "*", "/", "|", "&", "<", ">", "=", ".", "%", "{", "}", "==", "!=",
    "<=", ">=", "~", "^", "<<", ">>", "**", "+=", "-=", "*=", "/=", "%=", "&=", "|=", "^=", "<<=", ">>=", "**=", "//",
    "//=", "@", "@=", "->", "...", ":=", "!",
];

fn number(token: &Token, source: &[u8], extra: bool) -> u8 {
    const OP: u8 = 55;
    match token.kind {
        Kind::End => 0,
        Kind::Name | Kind::Keyword => 1,
        Kind::Number => 2,
        Kind::Str => 3,
        Kind::Newline => 4,
        Kind::Indent => 5,
        Kind::Dedent => 6,
        Kind::FStart => 59,
        Kind::FMiddle => 60,
        Kind::FEnd => 61,
        Kind::Comment => 62,
        Kind::BlankLine => 63,
        Kind::Error => 64,
        Kind::Op if extra => OP,
        Kind::Op => {
            let text = match &source[token.start..token.end] {
                b"<>" => b"!=",
                text => text,
            };
            OPERATORS.iter().position(|op| op.as_bytes() == text).map_or(OP, |i| i as u8 + 7)
        }
    }
}
