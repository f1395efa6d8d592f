//! The second opinion on refused input: CPython's exact message and position.
//!
//! A tokenizer and a recogniser of the whole grammar that follow CPython's order of trying things. They build no tree
//! and run only on input that the parser refused (and on interactive input, whose end they judge). CPython
//! counterpart: `Parser/pegen.c`, `pegen_errors.c` and the `invalid_` rules of its grammar.

mod atoms;
mod compound;
mod expressions;
mod node;
mod parameters;
mod parser;
mod patterns;
mod simple;
mod strings;
mod targets;
mod token;
mod tokenizer;
pub(crate) mod tokens;

use std::borrow::Cow;

use crate::error::{SyntaxError, SyntaxErrorKind};
use crate::parse::{Mode, ParseOptions};
use crate::source;
use parser::Parser;
use token::Kind;
use tokenizer::Done;

/// Checks `text` against the whole grammar. `Ok` means that CPython accepts it, as far as the grammar goes.
pub(crate) fn check(text: &str, options: &ParseOptions<'_>) -> Result<(), SyntaxError> {
    let mut parser = Parser::new(text.as_bytes(), options);
    let matched = start(&mut parser) && parser.error.is_none();
    let warnings = std::mem::take(&mut parser.tok.warnings);
    if matched {
        if options.mode != Mode::Single || !more_follows(&parser) {
            return Ok(());
        }
        parser.raise("multiple statements found while compiling a single statement");
    } else if options.allow_incomplete_input && matches!(parser.tok.done, Done::Eof | Done::EofInString) {
        parser.error = None;
        parser.raise_last(SyntaxErrorKind::IncompleteInputError, "incomplete input");
    } else {
        let last = parser.tokens.len().saturating_sub(1);
        if parser.error.is_none() {
            parser.reset_for_second_pass();
            start(&mut parser);
        }
        conclude(&mut parser, last);
    }
    parser.error.map_or(Ok(()), |error| Err(SyntaxError { warnings, ..error }))
}

/// Source bytes that are no UTF-8: the fault as CPython finds it, token by token. Faults in comments pass; there each
/// wrong byte becomes a `?`.
pub(crate) fn undecodable(bytes: &[u8]) -> Result<String, SyntaxError> {
    let options = ParseOptions::new(Mode::Exec);
    let mut lines = Cow::Borrowed(bytes);
    if !bytes.ends_with(b"\n") {
        lines.to_mut().push(b'\n');
    }
    let mut parser = Parser::new(&lines, &options);
    while parser.fill() {
        let Some(token) = parser.tokens.last().copied() else { break };
        let text = &bytes[token.start..token.end];
        let fault = match token.kind {
            Kind::End => break,
            Kind::Str => {
                let open = text.iter().position(|b| matches!(b, b'\'' | b'"')).unwrap_or(0);
                let triple = text.len() >= open + 6 && text[open + 1] == text[open] && text[open + 2] == text[open];
                let quotes = if triple { 3 } else { 1 };
                source::utf8_fault(&text[open + quotes..text.len() - quotes])
            }
            Kind::Name | Kind::FMiddle => source::utf8_fault(text),
            _ => None,
        };
        if let Some(msg) = fault {
            if let Some(last) = parser.tokens.last_mut().filter(|last| last.kind == Kind::Name) {
                // A name that cannot be read gives a token without a place.
                (last.span.col, last.span.end_col) = (-1, -1);
            }
            parser.raise(msg);
            break;
        }
    }
    match parser.error {
        Some(error) => Err(error),
        None => Ok(bytes.utf8_chunks().fold(String::new(), |mut text, chunk| {
            text.push_str(chunk.valid());
            text.extend(chunk.invalid().iter().map(|_| '?'));
            text
        })),
    }
}

fn start(p: &mut Parser<'_>) -> bool {
    match p.options.mode {
        Mode::Exec => {
            p.opt(Parser::statements);
            p.eat_kind(Kind::End).is_some()
        }
        Mode::Single => p.interactive().is_some(),
        Mode::Eval => p
            .alt(|p| {
                p.expressions()?;
                p.many(|p| p.eat_kind(Kind::Newline))?;
                p.eat_kind(Kind::End)
            })
            .is_some(),
        Mode::FuncType => p
            .alt(|p| {
                p.eat("(")?;
                p.opt(type_expressions)?;
                p.eat(")")?;
                p.eat("->")?;
                p.expression()?;
                p.many(|p| p.eat_kind(Kind::Newline))?;
                p.eat_kind(Kind::End)
            })
            .is_some(),
    }
}

/// Expressions, the last of which may carry `*`, `**` or both.
fn type_expressions(p: &mut Parser<'_>) -> Option<()> {
    let plain = p.opt(|p| p.list(Parser::expression))?.is_some();
    let mut any = plain;
    for stars in ["*", "**"] {
        let starred = p.alt(|p| {
            if any {
                p.eat(",")?;
            }
            p.eat(stars)?;
            p.expression()
        });
        any |= starred.is_some();
    }
    any.then_some(())
}

/// What is reported when both passes are done.
fn conclude(p: &mut Parser<'_>, last: usize) {
    if p.error.is_some() {
        let grammar = matches!(p.tok.done, Done::Ok)
            && p.error.as_ref().is_some_and(|error| {
                matches!(
                    error.kind,
                    SyntaxErrorKind::SyntaxError | SyntaxErrorKind::IndentationError | SyntaxErrorKind::TabError
                )
            });
        if grammar {
            p.check_rest();
        }
        return;
    }
    let Some(token) = p.tokens.get(last).copied() else { return };
    if token.kind == Kind::Error && p.tok.done == Done::Eof {
        p.raise("unexpected EOF while parsing");
        return;
    }
    if matches!(token.kind, Kind::Indent | Kind::Dedent) {
        let what = if token.kind == Kind::Indent { "unexpected indent" } else { "unexpected unindent" };
        p.raise_last(SyntaxErrorKind::IndentationError, what);
        return;
    }
    p.raise_at(token.span, "invalid syntax");
    p.check_rest();
}

/// Anything but blanks and comments after a single statement.
fn more_follows(p: &Parser<'_>) -> bool {
    let mut rest = p.tok.src[p.tok.cur..].iter();
    while let Some(byte) = rest.next() {
        match byte {
            b' ' | b'\t' | b'\n' | 0x0c => {}
            b'#' => {
                rest.by_ref().find(|&&b| b == b'\n');
            }
            _ => return true,
        }
    }
    false
}
