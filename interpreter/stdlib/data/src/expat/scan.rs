//! Reading markup from a piece of text that may not be complete yet.
use super::{Code, code};

/// Why a token could not be read.
#[derive(Debug)]
pub enum Stop {
    /// The text ends within the token.
    Incomplete,
    /// An error, at an offset of the text.
    Bad(Code, usize),
}
pub type Scanned<T> = Result<T, Stop>;

pub struct Scan<'a> {
    pub text: &'a str,
    pub at: usize,
    /// Names with colons are qualified.
    pub namespaces: bool,
}

pub fn is_space(b: u8) -> bool {
    matches!(b, b' ' | b'\t' | b'\n' | b'\r')
}
pub fn is_name_start(c: char) -> bool {
    matches!(c, 'a'..='z' | 'A'..='Z' | '_' | ':'
        | '\u{C0}'..='\u{D6}' | '\u{D8}'..='\u{F6}' | '\u{F8}'..='\u{2FF}' | '\u{370}'..='\u{37D}'
        | '\u{37F}'..='\u{1FFF}' | '\u{200C}'..='\u{200D}' | '\u{2070}'..='\u{218F}' | '\u{2C00}'..='\u{2FEF}'
        | '\u{3001}'..='\u{D7FF}' | '\u{F900}'..='\u{FDCF}' | '\u{FDF0}'..='\u{FFFD}')
}
pub fn is_name_char(c: char) -> bool {
    is_name_start(c) || matches!(c, '0'..='9' | '-' | '.' | '\u{B7}' | '\u{300}'..='\u{36F}' | '\u{203F}'..='\u{2040}')
}
/// Whether a character may stand in a document at all.
pub fn is_char(c: char) -> bool {
    !matches!(c, '\0'..='\u{8}' | '\u{B}' | '\u{C}' | '\u{E}'..='\u{1F}' | '\u{FFFE}' | '\u{FFFF}')
}

impl<'a> Scan<'a> {
    pub fn new(text: &'a str, namespaces: bool) -> Scan<'a> {
        Scan { text, at: 0, namespaces }
    }
    pub fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }
    pub fn bad<T>(&self, code: Code) -> Scanned<T> {
        Err(Stop::Bad(code, self.at))
    }
    pub fn peek(&self) -> Scanned<char> {
        self.rest().chars().next().ok_or(Stop::Incomplete)
    }
    pub fn eof(&self) -> bool {
        self.at >= self.text.len()
    }
    pub fn bump(&mut self, c: char) {
        self.at += c.len_utf8();
    }
    /// Goes past `word` if it is next; incomplete where the text ends within it.
    pub fn eat(&mut self, word: &str) -> Scanned<bool> {
        let rest = self.rest();
        if rest.starts_with(word) {
            self.at += word.len();
            return Ok(true);
        }
        if rest.len() < word.len() && word.starts_with(rest) { Err(Stop::Incomplete) } else { Ok(false) }
    }
    /// Spaces; whether there were any.
    pub fn spaces(&mut self) -> bool {
        let n = self.rest().bytes().take_while(|&b| is_space(b)).count();
        self.at += n;
        n > 0
    }
    /// A name, up to a character that cannot belong to one; with namespaces, at most one colon within.
    pub fn name(&mut self) -> Scanned<&'a str> {
        let start = self.at;
        let mut colons = 0;
        loop {
            let c = self.peek()?;
            let first = self.at == start;
            if !(if first { is_name_start(c) } else { is_name_char(c) }) {
                break;
            }
            if c == ':' && self.namespaces {
                colons += 1;
                if first || colons > 1 {
                    return self.bad(code::INVALID_TOKEN);
                }
                self.bump(c);
                // A local name starts like any other.
                if !is_name_start(self.peek()?) || self.peek()? == ':' {
                    return self.bad(code::INVALID_TOKEN);
                }
                continue;
            }
            self.bump(c);
        }
        if self.at == start { self.bad(code::INVALID_TOKEN) } else { Ok(&self.text[start..self.at]) }
    }
    pub fn nmtoken(&mut self) -> Scanned<&'a str> {
        let start = self.at;
        loop {
            let c = self.peek()?;
            if !is_name_char(c) {
                break;
            }
            self.bump(c);
        }
        if self.at == start { self.bad(code::SYNTAX) } else { Ok(&self.text[start..self.at]) }
    }
    /// The text up to `end`, which is passed too; every character must be legal.
    pub fn until(&mut self, end: &str) -> Scanned<&'a str> {
        let start = self.at;
        match self.rest().find(end) {
            Some(n) => {
                self.legal(n)?;
                self.at = start + n + end.len();
                Ok(&self.text[start..start + n])
            }
            None => {
                self.legal(self.text.len() - start)?;
                Err(Stop::Incomplete)
            }
        }
    }
    /// Refuses illegal characters among the next `n` bytes.
    fn legal(&self, n: usize) -> Scanned<()> {
        let part = &self.text[self.at..self.at + n];
        match part.char_indices().find(|&(_, c)| !is_char(c)) {
            Some((i, _)) => Err(Stop::Bad(code::INVALID_TOKEN, self.at + i)),
            None => Ok(()),
        }
    }
    /// A literal in quotes.
    pub fn literal(&mut self) -> Scanned<&'a str> {
        let quote = self.peek()?;
        if quote != '"' && quote != '\'' {
            return self.bad(code::SYNTAX);
        }
        self.bump(quote);
        self.until(if quote == '"' { "\"" } else { "'" })
    }
    /// What follows `&` or `%`: a name and a semicolon.
    pub fn reference(&mut self) -> Scanned<&'a str> {
        let name = self.name()?;
        match self.peek()? {
            ';' => {
                self.at += 1;
                Ok(name)
            }
            _ => self.bad(code::INVALID_TOKEN),
        }
    }
    /// What follows `&#`: the digits and a semicolon. `None` for a number that is no character.
    pub fn character(&mut self) -> Scanned<Option<char>> {
        let hex = self.peek()? == 'x';
        self.at += usize::from(hex);
        let start = self.at;
        let mut n = 0u32;
        loop {
            let c = self.peek()?;
            match c.to_digit(if hex { 16 } else { 10 }) {
                Some(d) => n = n.saturating_mul(if hex { 16 } else { 10 }).saturating_add(d),
                None if c == ';' && self.at > start => break,
                None => return self.bad(code::INVALID_TOKEN),
            }
            self.bump(c);
        }
        self.at += 1;
        Ok(char::from_u32(n).filter(|&c| is_char(c)))
    }
}
/// Line ends as one newline.
pub fn normalized(text: &str) -> String {
    if !text.contains('\r') {
        return text.to_owned();
    }
    text.replace("\r\n", "\n").replace('\r', "\n")
}
pub fn predefined(name: &str) -> Option<char> {
    Some(match name {
        "lt" => '<',
        "gt" => '>',
        "amp" => '&',
        "quot" => '"',
        "apos" => '\'',
        _ => return None,
    })
}
