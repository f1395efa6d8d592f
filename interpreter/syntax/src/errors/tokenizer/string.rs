//! String tokens and the parts of f-strings.

use super::{Done, FMode, Kind, MAX_FSTRING_LEVEL, Token, Tokenizer};

/// f-string expressions may nest this deep through format specifications.
const MAX_EXPR_NESTING: i32 = 3;

impl Tokenizer<'_> {
    /// A plain string; its prefix and opening quote are read.
    pub(super) fn string(&mut self, quote: u8, start: usize) -> Token {
        self.first_lineno = self.lineno;
        self.multi_line_start = self.line_start;
        let (mut quote_size, mut end_size, mut escaped_quote) = (1, 0, false);
        let mut c = self.next();
        if c == Some(quote) {
            c = self.next();
            if c == Some(quote) {
                quote_size = 3;
            } else {
                end_size = 1;
            }
        }
        if c != Some(quote) {
            self.back(c);
        }
        while end_size != quote_size {
            c = self.next();
            if c.is_none() || (quote_size == 1 && c == Some(b'\n')) {
                return self.unterminated(quote, quote_size, start, escaped_quote, c);
            }
            if c == Some(quote) {
                end_size += 1;
            } else {
                end_size = 0;
                if c == Some(b'\\') && self.next() == Some(quote) {
                    escaped_quote = true;
                }
            }
        }
        self.token(Kind::Str, "", start, self.cur)
    }

    fn unterminated(&mut self, quote: u8, size: usize, start: usize, escaped: bool, c: Option<u8>) -> Token {
        let detected = self.lineno;
        self.cur = start + 1;
        self.line_start = self.multi_line_start;
        self.lineno = self.first_lineno;
        if self.modes.last().is_some_and(|mode| mode.quote == quote && mode.quote_size == size) {
            return self.refuse("f-string: expecting '}'");
        }
        let token = if size == 3 {
            self.refuse(format!("unterminated triple-quoted string literal (detected at line {detected})"))
        } else if escaped {
            self.refuse(format!(
                "unterminated string literal (detected at line {detected}); perhaps you escaped the end quote?"
            ))
        } else {
            self.refuse(format!("unterminated string literal (detected at line {detected})"))
        };
        if c != Some(b'\n') {
            self.done = Done::EofInString;
        }
        token
    }

    /// The opening of an f-string; its prefix and first quote are read.
    pub(super) fn f_start(&mut self, quote: u8, start: usize, raw: bool) -> Token {
        self.first_lineno = self.lineno;
        self.multi_line_start = self.line_start;
        let mut quote_size = 1;
        let second = self.next();
        if second == Some(quote) {
            let third = self.next();
            if third == Some(quote) {
                quote_size = 3;
            } else {
                self.back(third);
                self.back(second);
            }
        } else {
            self.back(second);
        }
        if self.modes.len() + 1 >= MAX_FSTRING_LEVEL {
            return self.refuse("too many nested f-strings");
        }
        let token = self.token(Kind::FStart, "", start, self.cur);
        self.modes.push(FMode {
            literal: true,
            quote,
            quote_size,
            raw,
            start,
            line_start: self.line_start,
            lineno: self.lineno,
            curly_depth: 0,
            expr_start_depth: -1,
            in_format_spec: false,
            debug: false,
        });
        token
    }

    /// A token of an f-string's literal part: text, the end, or the bracket of an expression.
    pub(super) fn f_literal(&mut self) -> Token {
        let start = self.cur;
        self.start = Some(start);
        self.first_lineno = self.lineno;
        let first = self.next();
        if first == Some(b'{') {
            let second = self.next();
            self.back(second);
            self.back(first);
            if second != Some(b'{') {
                let Some(mode) = self.modes.last_mut() else { return self.bare(Kind::Error) };
                mode.expr_start_depth += 1;
                if mode.expr_start_depth >= MAX_EXPR_NESTING {
                    return self.refuse("f-string: expressions nested too deeply");
                }
                mode.literal = false;
                return self.regular();
            }
        } else {
            self.back(first);
        }
        let Some(mode) = self.modes.last() else { return self.bare(Kind::Error) };
        let (quote, quote_size) = (mode.quote, mode.quote_size);
        let mut closing = 0;
        while closing < quote_size {
            let c = self.next();
            if c != Some(quote) {
                self.back(c);
                break;
            }
            closing += 1;
        }
        if closing == quote_size {
            self.modes.pop();
            return self.token(Kind::FEnd, "", start, self.cur);
        }
        self.f_middle(start, quote, quote_size)
    }

    fn f_middle(&mut self, start: usize, quote: u8, quote_size: usize) -> Token {
        self.multi_line_start = self.line_start;
        let (mut end_size, mut in_name) = (0, false);
        while end_size != quote_size {
            let c = self.next();
            let Some(mode) = self.modes.last() else { return self.bare(Kind::Error) };
            let (raw, depth) = (mode.raw, mode.curly_depth);
            let in_spec = mode.in_format_spec && mode.expr_start_depth >= 0;
            if c.is_none() || (quote_size == 1 && c == Some(b'\n')) {
                if in_spec && c == Some(b'\n') {
                    self.back(c);
                    return self.f_to_expression(start, self.cur);
                }
                return self.f_unterminated(quote_size, c);
            }
            if c == Some(quote) {
                end_size += 1;
                continue;
            }
            end_size = 0;
            match c {
                Some(b'{') => {
                    let peek = self.next();
                    if peek == Some(b'{') && !in_spec {
                        return self.token(Kind::FMiddle, "", start, self.cur - 1);
                    }
                    self.back(peek);
                    self.back(c);
                    let end = self.cur;
                    let Some(mode) = self.modes.last_mut() else { return self.bare(Kind::Error) };
                    mode.expr_start_depth += 1;
                    if mode.expr_start_depth >= MAX_EXPR_NESTING {
                        return self.refuse("f-string: expressions nested too deeply");
                    }
                    mode.literal = false;
                    return self.token(Kind::FMiddle, "", start, end);
                }
                Some(b'}') if in_name => in_name = false,
                Some(b'}') => {
                    let peek = self.next();
                    if peek == Some(b'}') && !in_spec && depth == 0 {
                        return self.token(Kind::FMiddle, "", start, self.cur - 1);
                    }
                    self.back(peek);
                    self.back(c);
                    let Some(mode) = self.modes.last_mut() else { return self.bare(Kind::Error) };
                    mode.literal = false;
                    return self.token(Kind::FMiddle, "", start, self.cur);
                }
                Some(b'\\') => {
                    let peek = self.next();
                    if matches!(peek, Some(b'{' | b'}')) {
                        self.back(peek);
                        continue;
                    }
                    if !raw && peek == Some(b'N') {
                        let brace = self.next();
                        if brace == Some(b'{') {
                            in_name = true;
                        } else {
                            self.back(brace);
                        }
                    }
                }
                _ => {}
            }
        }
        self.cur -= quote_size;
        self.token(Kind::FMiddle, "", start, self.cur)
    }

    /// Text that a newline in a format specification ends.
    fn f_to_expression(&mut self, start: usize, end: usize) -> Token {
        if let Some(mode) = self.modes.last_mut() {
            mode.literal = false;
            mode.in_format_spec = false;
        }
        self.token(Kind::FMiddle, "", start, end)
    }

    fn f_unterminated(&mut self, quote_size: usize, c: Option<u8>) -> Token {
        let Some(mode) = self.modes.last() else { return self.bare(Kind::Error) };
        let detected = self.lineno;
        let (start, line_start, lineno) = (mode.start, mode.line_start, mode.lineno);
        self.cur = start + 1;
        self.line_start = line_start;
        self.lineno = lineno;
        if quote_size == 3 {
            let msg = format!("unterminated triple-quoted f-string literal (detected at line {detected})");
            let token = self.refuse(msg);
            if c != Some(b'\n') {
                self.done = Done::EofInString;
            }
            return token;
        }
        self.refuse(format!("unterminated f-string literal (detected at line {detected})"))
    }
}
