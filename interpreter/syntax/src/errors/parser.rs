//! The machinery of the error pass: tokens on demand, backtracking, memory of results, raising.
//!
//! The grammar itself is spread over the sibling files. Rules try their alternatives in CPython's order, since both
//! the furthest token read and the first special rule that fires decide what is reported. CPython counterpart:
//! `Parser/pegen.c`, `pegen_errors.c`.

use std::collections::HashMap;

use super::node::{Id, Node, NodeKind};
use super::token::{Kind, Span, Token};
use super::tokenizer::{Done, Tokenizer, chars};
use crate::error::{Location, SyntaxError, SyntaxErrorKind, Warning};
use crate::parse::{Mode, ParseOptions};

/// Rules whose results are remembered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Rule {
    Expression,
    StarExpression,
    Disjunction,
    Conjunction,
    Inversion,
    BitwiseOr,
    Factor,
    AwaitPrimary,
    Primary,
    Atom,
    Arguments,
    StarTarget,
    TargetWithStarAtom,
    TPrimary,
    DelTarget,
    SimpleStmt,
    Block,
    ClosedPattern,
    StarPattern,
    Strings,
    TypeParam,
    InvalidNamedExpression,
    Lambda,
}

/// The result of a rule: a node, or no match.
pub(super) type R = Option<Id>;

pub(super) struct Parser<'a> {
    pub(super) tok: Tokenizer<'a>,
    pub(super) tokens: Vec<Token>,
    pub(super) mark: usize,
    pub(super) nodes: Vec<Node>,
    memo: HashMap<(Rule, usize), (R, usize)>,
    /// The rules for wrong input are tried: the second pass.
    pub(super) special: bool,
    pub(super) error: Option<SyntaxError>,
    parsing_started: bool,
    pub(super) options: &'a ParseOptions<'a>,
}

impl<'a> Parser<'a> {
    pub(super) fn new(src: &'a [u8], options: &'a ParseOptions<'a>) -> Self {
        Parser {
            tok: Tokenizer::new(src),
            tokens: Vec::new(),
            mark: 0,
            nodes: Vec::new(),
            memo: HashMap::new(),
            special: false,
            error: None,
            parsing_started: false,
            options,
        }
    }

    pub(super) fn reset_for_second_pass(&mut self) {
        self.mark = 0;
        self.memo.clear();
        self.special = true;
    }

    /// Reads one more token; false after an error.
    pub(super) fn fill(&mut self) -> bool {
        let mut token = self.tok.get();
        if self.options.mode == Mode::Single && token.kind == Kind::End && self.parsing_started {
            token.kind = Kind::Newline;
            self.parsing_started = false;
            if self.tok.indents.len() > 1 && !self.options.dont_imply_dedent {
                self.tok.pendin = 1 - self.tok.indents.len() as i32;
                self.tok.indents.truncate(1);
            }
        } else {
            self.parsing_started = true;
        }
        self.tokens.push(token);
        if token.kind == Kind::Error {
            self.tokenizer_error();
            return false;
        }
        true
    }

    /// The token at the mark, read if needed.
    pub(super) fn peek(&mut self) -> Option<Token> {
        if self.error.is_some() || (self.mark == self.tokens.len() && !self.fill()) {
            return None;
        }
        Some(self.tokens[self.mark])
    }

    /// Consumes an operator or keyword; gives the token's index.
    pub(super) fn eat(&mut self, text: &str) -> Option<usize> {
        let token = self.peek()?;
        if token.text != text {
            return None;
        }
        self.mark += 1;
        Some(self.mark - 1)
    }

    pub(super) fn eat_any(&mut self, texts: &[&str]) -> Option<usize> {
        let token = self.peek()?;
        if token.text.is_empty() || !texts.contains(&token.text) {
            return None;
        }
        self.mark += 1;
        Some(self.mark - 1)
    }

    pub(super) fn eat_kind(&mut self, kind: Kind) -> Option<usize> {
        if self.peek()?.kind != kind {
            return None;
        }
        self.mark += 1;
        Some(self.mark - 1)
    }

    pub(super) fn eat_soft(&mut self, word: &str) -> Option<usize> {
        let token = self.peek()?;
        if token.kind != Kind::Name || &self.tok.src[token.start..token.end] != word.as_bytes() {
            return None;
        }
        self.mark += 1;
        Some(self.mark - 1)
    }

    /// What was just read came with a version of the language, which may be later than the one that is asked for.
    pub(super) fn since(&mut self, minor: u8, what: &str) -> Option<()> {
        if self.options.feature_version >= minor {
            return Some(());
        }
        self.raise(format!("{what} only supported in Python 3.{minor} and greater"))?;
        None
    }

    /// `async`, which came with 3.5 for these statements.
    pub(super) fn maybe_async(&mut self) -> Option<bool> {
        Some(self.opt(|p| p.eat("async"))?.is_some())
    }

    /// An operator that must follow, in both passes.
    pub(super) fn force(&mut self, text: &str) -> Option<usize> {
        let token = self.peek()?;
        if token.text != text {
            self.raise_at(token.span, format!("expected '{text}'"));
            return None;
        }
        self.mark += 1;
        Some(self.mark - 1)
    }

    pub(super) fn name(&mut self) -> R {
        let index = self.eat_kind(Kind::Name)?;
        Some(self.leaf(NodeKind::Name, index))
    }

    pub(super) fn leaf(&mut self, kind: NodeKind, token: usize) -> Id {
        let span = self.tokens[token].span;
        self.push(Node { kind, span, kids: Vec::new(), token })
    }

    pub(super) fn push(&mut self, node: Node) -> Id {
        self.nodes.push(node);
        (self.nodes.len() - 1) as Id
    }

    /// A node from the token at `start` to the last one consumed.
    pub(super) fn node(&mut self, kind: NodeKind, start: usize, kids: Vec<Id>) -> Id {
        let first = self.tokens[start].span;
        let mut last = self.mark.saturating_sub(1);
        while last > start && matches!(self.tokens[last].kind, Kind::Newline | Kind::Indent | Kind::Dedent | Kind::End)
        {
            last -= 1;
        }
        let end = self.tokens[last].span;
        let span = Span { line: first.line, col: first.col, end_line: end.end_line, end_col: end.end_col };
        self.push(Node { kind, span, kids, token: start })
    }

    pub(super) fn text(&self, id: Id) -> &[u8] {
        let token = self.tokens[self.nodes[id as usize].token];
        &self.tok.src[token.start..token.end]
    }

    /// Tries an alternative; on no match the mark returns.
    pub(super) fn alt<T>(&mut self, rule: impl FnOnce(&mut Self) -> Option<T>) -> Option<T> {
        if self.error.is_some() {
            return None;
        }
        let mark = self.mark;
        let result = rule(self);
        if result.is_none() || self.error.is_some() {
            self.mark = mark;
            return None;
        }
        result
    }

    /// Tries a rule for wrong input; such a rule never matches, it raises or not.
    pub(super) fn wrong(&mut self, rule: impl FnOnce(&mut Self) -> Option<()>) {
        if self.special {
            let mark = self.mark;
            if self.error.is_none() {
                rule(self);
            }
            self.mark = mark;
        }
    }

    /// A rule for wrong input that CPython tries in the first pass too, and where it does without the others.
    pub(super) fn always_wrong(&mut self, rule: impl FnOnce(&mut Self) -> Option<()>) {
        let mark = self.mark;
        if self.error.is_none() {
            rule(self);
        }
        self.mark = mark;
    }

    pub(super) fn ahead<T>(&mut self, rule: impl FnOnce(&mut Self) -> Option<T>) -> bool {
        if self.error.is_some() {
            return false;
        }
        let mark = self.mark;
        let matched = rule(self).is_some() && self.error.is_none();
        self.mark = mark;
        matched
    }

    /// Negative lookahead, in a form that `?` ends.
    pub(super) fn not<T>(&mut self, rule: impl FnOnce(&mut Self) -> Option<T>) -> Option<()> {
        let matched = self.ahead(rule);
        (!matched && self.error.is_none()).then_some(())
    }

    pub(super) fn not_text(&mut self, texts: &[&str]) -> Option<()> {
        self.not(|p| p.eat_any(texts))
    }

    pub(super) fn at_text(&mut self, texts: &[&str]) -> Option<()> {
        self.ahead(|p| p.eat_any(texts)).then_some(())
    }

    /// An optional part: never a mismatch, but an error ends it.
    pub(super) fn opt<T>(&mut self, rule: impl FnOnce(&mut Self) -> Option<T>) -> Option<Option<T>> {
        let found = self.alt(rule);
        if self.error.is_some() { None } else { Some(found) }
    }

    pub(super) fn many<T>(&mut self, mut rule: impl FnMut(&mut Self) -> Option<T>) -> Option<Vec<T>> {
        let mut items = Vec::new();
        while let Some(item) = self.alt(&mut rule) {
            items.push(item);
        }
        if self.error.is_some() { None } else { Some(items) }
    }

    pub(super) fn some<T>(&mut self, rule: impl FnMut(&mut Self) -> Option<T>) -> Option<Vec<T>> {
        let items = self.many(rule)?;
        (!items.is_empty()).then_some(items)
    }

    /// One or more, separated by commas; a last comma stays.
    pub(super) fn list<T>(&mut self, mut rule: impl FnMut(&mut Self) -> Option<T>) -> Option<Vec<T>> {
        let first = self.alt(&mut rule)?;
        let mut items = vec![first];
        while let Some(item) = self.alt(|p| {
            p.eat(",")?;
            rule(p)
        }) {
            items.push(item);
        }
        if self.error.is_some() { None } else { Some(items) }
    }

    pub(super) fn memo(&mut self, rule: Rule, body: impl FnOnce(&mut Self) -> R) -> R {
        if self.error.is_some() {
            return None;
        }
        let start = self.mark;
        if let Some(&(result, end)) = self.memo.get(&(rule, start)) {
            self.mark = end;
            return result;
        }
        let result = self.alt(body);
        if self.error.is_none() {
            self.memo.insert((rule, start), (result, self.mark));
        }
        result
    }

    pub(super) fn span(&self, id: Id) -> Span {
        self.nodes[id as usize].span
    }

    pub(super) fn tspan(&self, token: usize) -> Span {
        self.tokens[token].span
    }

    /// At a node or token.
    pub(super) fn raise_at(&mut self, span: Span, msg: impl Into<String>) -> Option<()> {
        self.raise_known(SyntaxErrorKind::SyntaxError, msg, span.line, span.col + 1, span.end_line, span.end_col + 1)
    }

    pub(super) fn raise_range(&mut self, from: Span, to: Span, msg: impl Into<String>) -> Option<()> {
        let span = Span { end_line: to.end_line, end_col: to.end_col, ..from };
        self.raise_at(span, msg)
    }

    /// From a node or token to where the tokenizer stands.
    pub(super) fn raise_from(&mut self, from: Span, msg: impl Into<String>) -> Option<()> {
        let end = (self.tok.cur - self.tok.line_start) as i32;
        let line = self.tok.lineno;
        self.raise_known(SyntaxErrorKind::SyntaxError, msg, from.line, from.col + 1, line, end)
    }

    /// At the last token read.
    pub(super) fn raise_last(&mut self, kind: SyntaxErrorKind, msg: impl Into<String>) -> Option<()> {
        self.raise_token(self.tokens.len().wrapping_sub(1), kind, msg)
    }

    pub(super) fn raise(&mut self, msg: impl Into<String>) -> Option<()> {
        self.raise_last(SyntaxErrorKind::SyntaxError, msg)
    }

    /// At the token that comes next.
    pub(super) fn raise_next(&mut self, msg: impl Into<String>) -> Option<()> {
        self.peek()?;
        self.raise_token(self.mark, SyntaxErrorKind::SyntaxError, msg)
    }

    pub(super) fn raise_block(&mut self, what: &str, keyword: usize) -> Option<()> {
        let line = self.tokens[keyword].span.line;
        let msg = format!("expected an indented block after {what} on line {line}");
        self.raise_last(SyntaxErrorKind::IndentationError, msg)
    }

    fn raise_token(&mut self, index: usize, kind: SyntaxErrorKind, msg: impl Into<String>) -> Option<()> {
        if self.error.is_some() {
            return None;
        }
        let broken_off = self.tokens.last().is_some_and(|token| token.kind == Kind::Error);
        if broken_off && self.tok.done == Done::Eof && kind != SyntaxErrorKind::IncompleteInputError {
            return match self.tok.level() {
                0 => self.raise_eof(),
                _ => self.raise_unclosed(),
            };
        }
        let Some(token) = self.tokens.get(index).copied() else {
            return self.raise_known(kind, msg, 0, 0, 0, -1);
        };
        let span = token.span;
        let col = if span.col == -1 { (self.tok.cur - self.tok.line_start) as i32 } else { span.col + 1 };
        let end_col = if span.end_col == -1 { -1 } else { span.end_col + 1 };
        self.raise_known(kind, msg, span.line, col, span.end_line, end_col)
    }

    fn raise_eof(&mut self) -> Option<()> {
        let span = self.tokens.last()?.span;
        let col = (self.tok.cur - self.tok.line_start) as i32;
        let kind = SyntaxErrorKind::SyntaxError;
        self.raise_known(kind, "unexpected EOF while parsing", span.line, col, span.end_line, -1)
    }

    pub(super) fn raise_unclosed(&mut self) -> Option<()> {
        let bracket = *self.tok.brackets.last()?;
        let msg = format!("'{}' was never closed", char::from(bracket.open));
        self.raise_known(SyntaxErrorKind::SyntaxError, msg, bracket.line, bracket.col + 1, bracket.line, 0)
    }

    /// Columns are byte offsets plus one, as CPython hands them to its last stage.
    pub(super) fn raise_known(
        &mut self,
        kind: SyntaxErrorKind,
        msg: impl Into<String>,
        line: i32,
        col: i32,
        end_line: i32,
        end_col: i32,
    ) -> Option<()> {
        if self.error.is_none() {
            self.error = Some(SyntaxError::at(kind, msg, self.location(line, col, end_line, end_col)));
        }
        None
    }

    fn location(&self, line: i32, col: i32, end_line: i32, end_col: i32) -> Location {
        let text = String::from_utf8_lossy(&self.error_line(line)).into_owned();
        let offset = characters(text.as_bytes(), col);
        let end_offset = if end_col > 0 { characters(text.as_bytes(), end_col) } else { end_col };
        Location { lineno: line, offset, end_lineno: Some(end_line), end_offset: Some(end_offset), text: Some(text) }
    }

    /// Only the first pass warns.
    pub(super) fn warn(&mut self, span: Span, msg: String) {
        if !self.special {
            let location = self.location(span.line, span.col + 1, span.end_line, span.end_col + 1);
            self.tok.warnings.push(Warning { msg, location });
        }
    }

    /// The text that CPython shows: the tokenizer's buffer for its current line, a line without its end for
    /// earlier ones.
    fn error_line(&self, line: i32) -> Vec<u8> {
        let tok = &self.tok;
        if tok.lineno <= line && tok.inp > tok.buf {
            return tok.src[tok.buf..tok.inp].to_vec();
        }
        tok.src.split(|&b| b == b'\n').nth(line.max(1) as usize - 1).unwrap_or_default().to_vec()
    }

    fn tokenizer_error(&mut self) {
        if self.error.is_some() {
            return;
        }
        if let Some(error) = self.tok.error.clone() {
            self.error = Some(error);
            return;
        }
        let line = self.tok.lineno;
        let (kind, msg, col) = match self.tok.done {
            Done::Eof if self.tok.level() > 0 => {
                self.raise_unclosed();
                return;
            }
            Done::Eof => {
                self.raise_eof();
                return;
            }
            Done::Dedent => {
                let msg = "unindent does not match any outer indentation level";
                self.raise_last(SyntaxErrorKind::IndentationError, msg);
                return;
            }
            Done::TabSpace => (SyntaxErrorKind::TabError, "inconsistent use of tabs and spaces in indentation", 0),
            Done::TooDeep => (SyntaxErrorKind::IndentationError, "too many levels of indentation", 0),
            Done::LineCont => {
                let col = self.tok.cur as i32 - self.tok.buf as i32 - 1;
                (SyntaxErrorKind::SyntaxError, "unexpected character after line continuation character", col)
            }
            _ => (SyntaxErrorKind::SyntaxError, "unknown parsing error", 0),
        };
        self.raise_known(kind, msg, line, col.max(0) + 1, line, 0);
    }

    /// After an error of the grammar: faults of the tokenizer further on take precedence.
    pub(super) fn check_rest(&mut self) {
        let Some(last) = self.tokens.last() else { return };
        let error_line = last.span.line;
        loop {
            let token = self.tok.get();
            match token.kind {
                Kind::Error => {
                    if self.tok.in_f_string() {
                        // CPython keeps the error it has then.
                    } else if let Some(error) = self.tok.error.take() {
                        self.error = Some(error);
                    } else if let Some(bracket) = self.tok.brackets.last()
                        && error_line > bracket.line
                    {
                        self.error = None;
                        self.raise_unclosed();
                    }
                    return;
                }
                Kind::End => return,
                _ => {}
            }
        }
    }
}

/// The character offset for a byte offset that is already one too large.
fn characters(line: &[u8], col: i32) -> i32 {
    if col < 0 {
        return -1;
    }
    let col = (col as usize).min(line.len() + 1);
    let inside = col.min(line.len());
    chars(&line[..inside]) + i32::from(col > line.len())
}
