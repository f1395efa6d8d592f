//! Number tokens and their faults.

use super::{Kind, Token, Tokenizer, chars};
use crate::error::Warning;

type Scan = Result<Option<u8>, Token>;

impl Tokenizer<'_> {
    pub(super) fn number(&mut self, first: u8, start: usize) -> Token {
        match self.scan_number(first, start) {
            Ok(c) => {
                self.back(c);
                self.token(Kind::Number, "", start, self.cur)
            }
            Err(token) => token,
        }
    }

    /// A number that begins with its point; `c` is the first digit after it.
    pub(super) fn fraction(&mut self, c: Option<u8>, start: usize) -> Token {
        match self.scan_fraction(c, start) {
            Ok(c) => {
                self.back(c);
                self.token(Kind::Number, "", start, self.cur)
            }
            Err(token) => token,
        }
    }

    /// Reads the number and returns the byte after it.
    fn scan_number(&mut self, first: u8, start: usize) -> Scan {
        if first != b'0' {
            let c = self.decimal_tail()?;
            return self.after_integer(c, start);
        }
        let mut c = self.next();
        match c {
            Some(b'x' | b'X') => return self.radix("hexadecimal", |c| c.is_ascii_hexdigit()),
            Some(b'o' | b'O') => return self.radix("octal", |c| matches!(c, b'0'..=b'7')),
            Some(b'b' | b'B') => return self.radix("binary", |c| matches!(c, b'0' | b'1')),
            _ => {}
        }
        loop {
            if c == Some(b'_') {
                c = self.next();
                if !is_digit(c) {
                    self.back(c);
                    return Err(self.refuse("invalid decimal literal"));
                }
            }
            if c != Some(b'0') {
                break;
            }
            c = self.next();
        }
        let zeros_end = self.cur;
        let nonzero = is_digit(c);
        if nonzero {
            c = self.decimal_tail()?;
        }
        if nonzero && !self.extra && !matches!(c, Some(b'.' | b'e' | b'E' | b'j' | b'J')) {
            self.back(c);
            let (from, to) = ((start + 1 - self.line_start) as i32, (zeros_end - self.line_start) as i32);
            let msg = "leading zeros in decimal integer literals are not permitted; \
                       use an 0o prefix for octal integers";
            return Err(self.refuse_range(msg, from, to));
        }
        self.after_integer(c, start)
    }

    /// `0x`, `0o` and `0b` literals.
    fn radix(&mut self, kind: &str, digit: impl Fn(u8) -> bool) -> Scan {
        let mut c = self.next();
        loop {
            if c == Some(b'_') {
                c = self.next();
            }
            if !c.is_some_and(&digit) {
                if is_digit(c) {
                    return Err(self.wrong_digit(c, kind));
                }
                self.back(c);
                return Err(self.refuse(format!("invalid {kind} literal")));
            }
            while c.is_some_and(&digit) {
                c = self.next();
            }
            if c != Some(b'_') {
                break;
            }
        }
        if is_digit(c) {
            return Err(self.wrong_digit(c, kind));
        }
        self.verify_end(c, kind)
    }

    fn wrong_digit(&mut self, c: Option<u8>, kind: &str) -> Token {
        let digit = char::from(c.unwrap_or(b'?'));
        self.refuse(format!("invalid digit '{digit}' in {kind} literal"))
    }

    fn decimal_tail(&mut self) -> Scan {
        loop {
            let mut c = self.next();
            while is_digit(c) {
                c = self.next();
            }
            if c != Some(b'_') {
                return Ok(c);
            }
            c = self.next();
            if !is_digit(c) {
                self.back(c);
                return Err(self.refuse("invalid decimal literal"));
            }
        }
    }

    fn after_integer(&mut self, c: Option<u8>, start: usize) -> Scan {
        if c == Some(b'.') {
            let c = self.next();
            return self.scan_fraction(c, start);
        }
        self.after_fraction(c)
    }

    fn scan_fraction(&mut self, mut c: Option<u8>, _start: usize) -> Scan {
        if is_digit(c) {
            c = self.decimal_tail()?;
        }
        self.after_fraction(c)
    }

    fn after_fraction(&mut self, mut c: Option<u8>) -> Scan {
        if let Some(e @ (b'e' | b'E')) = c {
            c = self.next();
            if matches!(c, Some(b'+' | b'-')) {
                c = self.next();
                if !is_digit(c) {
                    self.back(c);
                    return Err(self.refuse("invalid decimal literal"));
                }
            } else if !is_digit(c) {
                self.back(c);
                self.verify_end(Some(e), "decimal")?;
                return Ok(Some(e));
            }
            c = self.decimal_tail()?;
        }
        if matches!(c, Some(b'j' | b'J')) {
            c = self.next();
            return self.verify_end(c, "imaginary");
        }
        self.verify_end(c, "decimal")
    }

    /// A number may be followed at once by a few keywords only.
    fn verify_end(&mut self, c: Option<u8>, kind: &str) -> Scan {
        let rest = &self.src[self.cur..self.inp];
        let follows = |word: &[u8]| {
            rest.starts_with(word)
                && !rest.get(word.len()).is_some_and(|&b| b.is_ascii_alphanumeric() || b == b'_' || b >= 128)
        };
        let allowed = match c {
            Some(b'a') => follows(b"nd"),
            Some(b'e') => follows(b"lse"),
            Some(b'f') => follows(b"or"),
            Some(b'i') => matches!(rest.first(), Some(b'f' | b'n' | b's')),
            Some(b'o') => follows(b"r"),
            Some(b'n') => follows(b"ot"),
            _ => false,
        };
        if !self.extra && !allowed && c.is_some_and(|c| c.is_ascii_alphanumeric() || c == b'_') {
            self.back(c);
            return Err(self.refuse(format!("invalid {kind} literal")));
        }
        if !self.extra && allowed {
            let offset = chars(&self.src[self.line_start..self.cur - 1]);
            let location = self.here(offset, offset);
            self.warnings.push(Warning { msg: format!("invalid {kind} literal"), location });
        }
        Ok(c)
    }
}

fn is_digit(c: Option<u8>) -> bool {
    c.is_some_and(|c| c.is_ascii_digit())
}
