//! Tokens of the error pass.

/// The kind of a token. Operators and keywords carry their text in [`Token::text`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    End,
    Name,
    Number,
    Str,
    FStart,
    FMiddle,
    FEnd,
    Newline,
    Indent,
    Dedent,
    /// An operator or delimiter.
    Op,
    /// A reserved word.
    Keyword,
    /// Only where comments are asked for.
    Comment,
    /// A newline that ends no statement; only where comments are asked for.
    BlankLine,
    Error,
}

/// Lines count from 1; columns are byte offsets, -1 where CPython's token has no text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Span {
    pub(super) line: i32,
    pub(super) col: i32,
    pub(super) end_line: i32,
    pub(super) end_col: i32,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Token {
    pub(super) kind: Kind,
    /// The text of operators and keywords, empty for all else.
    pub(super) text: &'static str,
    /// Byte range in the source.
    pub(super) start: usize,
    pub(super) end: usize,
    pub(super) span: Span,
    /// Open brackets after this token.
    pub(super) level: usize,
}

const KEYWORDS: &[&str] = &[
    "False", "None", "True", "and", "as", "assert", "async", "await", "break", "class", "continue", "def", "del",
    "elif", "else", "except", "finally", "for", "from", "global", "if", "import", "in", "is", "lambda", "nonlocal",
    "not", "or", "pass", "raise", "return", "try", "while", "with", "yield",
];

pub(super) fn keyword(name: &[u8]) -> Option<&'static str> {
    KEYWORDS.iter().copied().find(|word| word.as_bytes() == name)
}

pub(super) fn three_chars(a: u8, b: u8, c: u8) -> Option<&'static str> {
    Some(match [a, b, c] {
        [b'*', b'*', b'='] => "**=",
        [b'/', b'/', b'='] => "//=",
        [b'<', b'<', b'='] => "<<=",
        [b'>', b'>', b'='] => ">>=",
        [b'.', b'.', b'.'] => "...",
        _ => return None,
    })
}

pub(super) fn two_chars(a: u8, b: u8) -> Option<&'static str> {
    Some(match [a, b] {
        [b'!', b'='] => "!=",
        [b'%', b'='] => "%=",
        [b'&', b'='] => "&=",
        [b'*', b'*'] => "**",
        [b'*', b'='] => "*=",
        [b'+', b'='] => "+=",
        [b'-', b'='] => "-=",
        [b'-', b'>'] => "->",
        [b'/', b'/'] => "//",
        [b'/', b'='] => "/=",
        [b':', b'='] => ":=",
        [b'<', b'<'] => "<<",
        [b'<', b'='] => "<=",
        [b'<', b'>'] => "<>",
        [b'=', b'='] => "==",
        [b'>', b'='] => ">=",
        [b'>', b'>'] => ">>",
        [b'@', b'='] => "@=",
        [b'^', b'='] => "^=",
        [b'|', b'='] => "|=",
        _ => return None,
    })
}

/// Single characters; those that Python has no use for come out as `"?"`.
pub(super) fn one_char(c: u8) -> &'static str {
    match c {
        b'!' => "!",
        b'%' => "%",
        b'&' => "&",
        b'(' => "(",
        b')' => ")",
        b'*' => "*",
        b'+' => "+",
        b',' => ",",
        b'-' => "-",
        b'.' => ".",
        b'/' => "/",
        b':' => ":",
        b';' => ";",
        b'<' => "<",
        b'=' => "=",
        b'>' => ">",
        b'@' => "@",
        b'[' => "[",
        b']' => "]",
        b'^' => "^",
        b'{' => "{",
        b'|' => "|",
        b'}' => "}",
        b'~' => "~",
        _ => "?",
    }
}
