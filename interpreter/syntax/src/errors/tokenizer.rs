//! A tokenizer that stops where CPython's stops, with its message and position.
//!
//! Numbers are in `tokenizer/number.rs`, strings and f-strings in `tokenizer/string.rs`. CPython counterpart:
//! `Parser/lexer/lexer.c`; the state has its names.

mod number;
mod string;

use super::token::{Kind, Span, Token, keyword, one_char, three_chars, two_chars};
use crate::error::{Location, SyntaxError, SyntaxErrorKind, Warning};
use crate::text::printable;

const TABSIZE: usize = 8;
const MAX_INDENT: usize = 100;
const MAX_LEVEL: usize = 200;
const MAX_FSTRING_LEVEL: usize = 150;

/// Why no more characters come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Done {
    Ok,
    Eof,
    Error,
    /// The end of the input inside a string.
    EofInString,
    Dedent,
    TabSpace,
    TooDeep,
    LineCont,
}

#[derive(Clone, Copy)]
pub(super) struct Bracket {
    pub(super) open: u8,
    pub(super) line: i32,
    pub(super) col: i32,
}

/// One f-string being read; the bottom of the stack stands for plain source.
struct FMode {
    /// Inside literal text (not in an expression).
    literal: bool,
    quote: u8,
    quote_size: usize,
    raw: bool,
    start: usize,
    line_start: usize,
    lineno: i32,
    curly_depth: i32,
    expr_start_depth: i32,
    in_format_spec: bool,
    debug: bool,
}

pub(super) struct Tokenizer<'a> {
    pub(super) src: &'a [u8],
    pub(super) cur: usize,
    /// End of the current line.
    pub(super) inp: usize,
    /// Start of the stretch that error texts show.
    pub(super) buf: usize,
    pub(super) line_start: usize,
    pub(super) lineno: i32,
    pub(super) done: Done,
    pub(super) brackets: Vec<Bracket>,
    pub(super) pendin: i32,
    /// Columns of open blocks, with tabs counted as eight and as one.
    pub(super) indents: Vec<(usize, usize)>,
    pub(super) error: Option<SyntaxError>,
    pub(super) warnings: Vec<Warning>,
    at_bol: bool,
    start: Option<usize>,
    first_lineno: i32,
    multi_line_start: usize,
    modes: Vec<FMode>,
    /// For `tokenize`: comments and blank lines are tokens, and some faults are let pass.
    extra: bool,
    /// The comment just given stands alone on its line.
    comment_alone: bool,
}

impl<'a> Tokenizer<'a> {
    pub(super) fn new(src: &'a [u8]) -> Self {
        Tokenizer {
            src,
            cur: 0,
            inp: 0,
            buf: 0,
            line_start: 0,
            lineno: 0,
            done: Done::Ok,
            brackets: Vec::new(),
            pendin: 0,
            indents: vec![(0, 0)],
            error: None,
            warnings: Vec::new(),
            at_bol: true,
            start: None,
            first_lineno: 0,
            multi_line_start: 0,
            modes: Vec::new(),
            extra: false,
            comment_alone: false,
        }
    }

    /// As [`Tokenizer::new`]; `extra` as `tok_extra_tokens` in CPython.
    pub(super) fn for_module(src: &'a [u8], extra: bool) -> Self {
        Tokenizer { extra, ..Tokenizer::new(src) }
    }

    pub(super) fn line_start_of(&self, kind: Kind) -> usize {
        if matches!(kind, Kind::Str | Kind::FMiddle) { self.multi_line_start } else { self.line_start }
    }

    pub(super) fn level(&self) -> usize {
        self.brackets.len()
    }

    pub(super) fn in_f_string(&self) -> bool {
        !self.modes.is_empty()
    }

    /// The next byte, `None` at the end or after an error.
    fn next(&mut self) -> Option<u8> {
        loop {
            if self.cur < self.inp {
                self.cur += 1;
                return Some(self.src[self.cur - 1]);
            }
            if self.done != Done::Ok {
                return None;
            }
            if self.inp >= self.src.len() {
                self.done = Done::Eof;
                return None;
            }
            if self.start.is_none() {
                self.buf = self.cur;
            }
            self.line_start = self.cur;
            self.lineno += 1;
            let rest = &self.src[self.inp..];
            self.inp += rest.iter().position(|&b| b == b'\n').map_or(rest.len(), |at| at + 1);
        }
    }

    fn back(&mut self, c: Option<u8>) {
        if c.is_some() {
            self.cur -= 1;
        }
    }

    fn token(&self, kind: Kind, text: &'static str, start: usize, end: usize) -> Token {
        let multi = matches!(kind, Kind::Str | Kind::FMiddle);
        let (line, line_start) =
            if multi { (self.first_lineno, self.multi_line_start) } else { (self.lineno, self.line_start) };
        let col = if start >= line_start { (start - line_start) as i32 } else { -1 };
        let end_col = if end >= self.line_start { (end - self.line_start) as i32 } else { -1 };
        let span = Span { line, col, end_line: self.lineno, end_col };
        Token { kind, text, start, end, span, level: self.level() }
    }

    /// A token without text: its columns are -1.
    fn bare(&self, kind: Kind) -> Token {
        let span = Span { line: self.lineno, col: -1, end_line: self.lineno, end_col: -1 };
        Token { kind, text: "", start: self.cur, end: self.cur, span, level: self.level() }
    }

    fn fail(&mut self, done: Done) -> Token {
        self.done = done;
        self.bare(Kind::Error)
    }

    /// An error whose offset is the count of characters read on the current line.
    fn refuse(&mut self, msg: impl Into<String>) -> Token {
        let offset = chars(&self.src[self.line_start..self.cur]);
        self.refuse_range(msg, offset, offset)
    }

    fn refuse_range(&mut self, msg: impl Into<String>, offset: i32, end_offset: i32) -> Token {
        let location = self.here(offset, end_offset);
        if self.error.is_none() {
            self.error = Some(SyntaxError::at(SyntaxErrorKind::SyntaxError, msg, location));
        }
        self.fail(Done::Error)
    }

    /// On the current line.
    fn here(&self, offset: i32, end_offset: i32) -> Location {
        let line = &self.src[self.line_start..];
        let line = &line[..line.iter().position(|&b| b == b'\n').unwrap_or(line.len())];
        let text = Some(String::from_utf8_lossy(line).into_owned());
        Location { lineno: self.lineno, offset, end_lineno: Some(self.lineno), end_offset: Some(end_offset), text }
    }

    pub(super) fn get(&mut self) -> Token {
        match self.modes.last() {
            Some(mode) if mode.literal => self.f_literal(),
            _ => self.regular(),
        }
    }

    fn regular(&mut self) -> Token {
        loop {
            self.start = None;
            let mut blank_line = false;
            if self.at_bol {
                match self.indentation() {
                    Ok(blank) => blank_line = blank,
                    Err(token) => return token,
                }
            }
            self.start = Some(self.cur);
            if self.pendin < 0 {
                self.pendin += 1;
                return match self.extra {
                    true => self.token(Kind::Dedent, "", self.cur, self.cur),
                    false => self.bare(Kind::Dedent),
                };
            }
            if self.pendin > 0 {
                self.pendin -= 1;
                return match self.extra {
                    true => self.token(Kind::Indent, "", self.line_start, self.cur),
                    false => self.bare(Kind::Indent),
                };
            }
            let peeked = self.next();
            self.back(peeked);
            if let Some(token) = self.after_indentation(blank_line) {
                return token;
            }
        }
    }

    /// Reads leading blanks and queues indents and dedents; tells whether the line is blank.
    fn indentation(&mut self) -> Result<bool, Token> {
        self.at_bol = false;
        let (mut col, mut alt, mut continued) = (0, 0, 0);
        let c = loop {
            match self.next() {
                Some(b' ') => {
                    col += 1;
                    alt += 1;
                }
                Some(b'\t') => {
                    col = (col / TABSIZE + 1) * TABSIZE;
                    alt += 1;
                }
                Some(0x0c) => {
                    col = 0;
                    alt = 0;
                }
                Some(b'\\') => {
                    if continued == 0 {
                        continued = col;
                    }
                    self.continuation()?;
                }
                c => break c,
            }
        };
        self.back(c);
        let blank = matches!(c, Some(b'#' | b'\n' | b'\r'));
        if blank || self.level() > 0 {
            return Ok(blank);
        }
        if continued != 0 {
            (col, alt) = (continued, continued);
        }
        let top = self.indents.last().copied().unwrap_or_default();
        if col == top.0 {
            if alt != top.1 {
                return Err(self.tab_error());
            }
        } else if col > top.0 {
            if self.indents.len() >= MAX_INDENT {
                self.cur = self.inp;
                return Err(self.fail(Done::TooDeep));
            }
            if alt <= top.1 {
                return Err(self.tab_error());
            }
            self.pendin += 1;
            self.indents.push((col, alt));
        } else {
            while self.indents.len() > 1 && self.indents.last().is_some_and(|top| col < top.0) {
                self.pendin -= 1;
                self.indents.pop();
            }
            let top = self.indents.last().copied().unwrap_or_default();
            if col != top.0 {
                self.cur = self.inp;
                return Err(self.fail(Done::Dedent));
            }
            if alt != top.1 {
                return Err(self.tab_error());
            }
        }
        Ok(false)
    }

    fn tab_error(&mut self) -> Token {
        self.cur = self.inp;
        self.fail(Done::TabSpace)
    }

    /// After a backslash: the rest of the line must be empty and another line must follow.
    fn continuation(&mut self) -> Result<(), Token> {
        let mut c = self.next();
        if c == Some(b'\r') {
            c = self.next();
        }
        if c != Some(b'\n') {
            return Err(self.fail(Done::LineCont));
        }
        let c = self.next();
        if c.is_none() {
            self.cur = self.inp;
            return Err(self.fail(Done::Eof));
        }
        self.back(c);
        Ok(())
    }

    /// One token after the leading blanks; `None` when a blank line or a newline inside brackets was skipped.
    fn after_indentation(&mut self, blank_line: bool) -> Option<Token> {
        loop {
            self.start = None;
            let mut c = self.next();
            while matches!(c, Some(b' ' | b'\t' | 0x0c)) {
                c = self.next();
            }
            let start = if c.is_some() { self.cur - 1 } else { self.cur };
            self.start = Some(start);
            if c == Some(b'#') {
                while !matches!(c, None | Some(b'\n' | b'\r')) {
                    c = self.next();
                }
                if self.extra {
                    self.back(c);
                    self.comment_alone = blank_line && self.level() == 0;
                    return Some(self.token(Kind::Comment, "", start, self.cur));
                }
            }
            if c == Some(b'\r') && self.src.get(self.cur) == Some(&b'\n') {
                c = self.next();
            }
            let Some(c) = c else {
                let kind = if self.level() == 0 && self.done == Done::Eof { Kind::End } else { Kind::Error };
                return Some(self.bare(kind));
            };
            if c.is_ascii_alphabetic() || c == b'_' || c >= 128 {
                return Some(self.word(c, start));
            }
            return match c {
                b'\n' => {
                    self.at_bol = true;
                    if blank_line || self.level() > 0 {
                        return self.extra.then(|| self.token(Kind::BlankLine, "", start, self.cur));
                    }
                    if self.extra && std::mem::take(&mut self.comment_alone) {
                        return Some(self.token(Kind::BlankLine, "", start, self.cur));
                    }
                    Some(self.token(Kind::Newline, "", start, self.cur))
                }
                b'.' => {
                    let next = self.next();
                    self.back(next);
                    if next.is_some_and(|c| c.is_ascii_digit()) {
                        let c = self.next();
                        return Some(self.fraction(c, start));
                    }
                    if self.src[self.cur..].starts_with(b"..") && self.cur + 2 <= self.inp {
                        self.cur += 2;
                        return Some(self.token(Kind::Op, "...", start, self.cur));
                    }
                    Some(self.token(Kind::Op, ".", start, self.cur))
                }
                b'0'..=b'9' => Some(self.number(c, start)),
                b'\'' | b'"' => Some(self.string(c, start)),
                b'\\' => match self.continuation() {
                    Ok(()) => continue,
                    Err(token) => Some(token),
                },
                _ => Some(self.operator(c, start)),
            };
        }
    }

    /// A name, a keyword or a prefixed string.
    fn word(&mut self, first: u8, start: usize) -> Token {
        let (mut saw_b, mut saw_r, mut saw_u, mut saw_f) = (false, false, false, false);
        let mut c = Some(first);
        loop {
            match c {
                Some(b'b' | b'B') if !(saw_b || saw_u || saw_f) => saw_b = true,
                Some(b'u' | b'U') if !(saw_b || saw_u || saw_r || saw_f) => saw_u = true,
                Some(b'r' | b'R') if !(saw_r || saw_u) => saw_r = true,
                Some(b'f' | b'F') if !(saw_f || saw_b || saw_u) => saw_f = true,
                _ => break,
            }
            c = self.next();
            if let Some(quote @ (b'"' | b'\'')) = c {
                return if saw_f { self.f_start(quote, start, saw_r) } else { self.string(quote, start) };
            }
        }
        let mut ascii = true;
        while let Some(byte) = c {
            if !(byte.is_ascii_alphanumeric() || byte == b'_' || byte >= 128) {
                break;
            }
            ascii &= byte < 128;
            c = self.next();
        }
        self.back(c);
        if !ascii
            && !self.extra
            && let Err(token) = self.verify_identifier(start)
        {
            return token;
        }
        match keyword(&self.src[start..self.cur]) {
            Some(word) => self.token(Kind::Keyword, word, start, self.cur),
            None => self.token(Kind::Name, "", start, self.cur),
        }
    }

    fn verify_identifier(&mut self, start: usize) -> Result<(), Token> {
        // Bytes that are no UTF-8 are judged by `undecodable`.
        let Ok(text) = std::str::from_utf8(&self.src[start..self.cur]) else { return Ok(()) };
        let fault = text.char_indices().find(|&(at, c)| {
            if at == 0 { !(c == '_' || unicode_ident::is_xid_start(c)) } else { !unicode_ident::is_xid_continue(c) }
        });
        let Some((at, c)) = fault else { return Ok(()) };
        self.cur = start + at + c.len_utf8();
        let code = u32::from(c);
        Err(self.refuse(if printable(c) {
            format!("invalid character '{c}' (U+{code:04X})")
        } else {
            format!("invalid non-printable character U+{code:04X}")
        }))
    }

    fn operator(&mut self, c: u8, start: usize) -> Token {
        if matches!(c, b':' | b'}' | b'!' | b'{')
            && let Some(mode) = self.modes.last_mut()
            && mode.expr_start_depth >= 0
        {
            let cursor = mode.curly_depth - i32::from(c != b'{');
            if c == b':' && cursor == mode.expr_start_depth {
                mode.literal = true;
                mode.in_format_spec = true;
                return self.token(Kind::Op, ":", start, self.cur);
            }
        }
        let c2 = self.next();
        if let Some(second) = c2
            && let Some(mut text) = two_chars(c, second)
        {
            let c3 = self.next();
            match c3.and_then(|third| three_chars(c, second, third)) {
                Some(longer) => text = longer,
                None => self.back(c3),
            }
            return self.token(Kind::Op, text, start, self.cur);
        }
        self.back(c2);
        match c {
            b'(' | b'[' | b'{' => {
                if self.level() >= MAX_LEVEL {
                    return self.refuse("too many nested parentheses");
                }
                let col = (start - self.line_start) as i32;
                self.brackets.push(Bracket { open: c, line: self.lineno, col });
                if let Some(mode) = self.modes.last_mut() {
                    mode.curly_depth += 1;
                }
            }
            b')' | b']' | b'}' => {
                if let Some(fault) = self.close(c) {
                    return fault;
                }
            }
            _ => {}
        }
        if !(32..127).contains(&c) {
            return self.refuse(format!("invalid non-printable character U+{c:04X}"));
        }
        if c == b'='
            && let Some(mode) = self.modes.last_mut()
            && mode.expr_start_depth >= 0
        {
            mode.debug = true;
        }
        self.token(Kind::Op, one_char(c), start, self.cur)
    }

    /// Checks and pops the bracket that `c` closes.
    fn close(&mut self, c: u8) -> Option<Token> {
        let closer = char::from(c);
        if self.modes.last().is_some_and(|mode| mode.curly_depth == 0) && c == b'}' {
            return Some(self.refuse("f-string: single '}' is not allowed"));
        }
        if self.extra && self.level() == 0 {
            return None;
        }
        let Some(bracket) = self.brackets.pop() else {
            return Some(self.refuse(format!("unmatched '{closer}'")));
        };
        if !matches!((bracket.open, c), (b'(', b')') | (b'[', b']') | (b'{', b'}')) {
            if let Some(mode) = self.modes.last()
                && bracket.open == b'{'
                && mode.curly_depth - 1 == mode.expr_start_depth
            {
                return Some(self.refuse(format!("f-string: unmatched '{closer}'")));
            }
            let open = char::from(bracket.open);
            let mut msg = format!("closing parenthesis '{closer}' does not match opening parenthesis '{open}'");
            if bracket.line != self.lineno {
                msg += &format!(" on line {}", bracket.line);
            }
            return Some(self.refuse(msg));
        }
        if let Some(mode) = self.modes.last_mut() {
            mode.curly_depth -= 1;
            if mode.curly_depth < 0 {
                return Some(self.refuse(format!("f-string: unmatched '{closer}'")));
            }
            if c == b'}' && mode.curly_depth == mode.expr_start_depth {
                mode.expr_start_depth -= 1;
                mode.literal = true;
                mode.in_format_spec = false;
                mode.debug = false;
            }
        }
        None
    }
}

/// Characters in a stretch of UTF-8; a sequence cut at the end counts as one.
pub(super) fn chars(bytes: &[u8]) -> i32 {
    bytes.iter().filter(|&&b| b & 0xc0 != 0x80).count() as i32
}
