//! From bytes to text: BOM, PEP 263 cookie, newlines; and from offsets to lines and columns.
//!
//! Codecs other than UTF-8, Latin-1 and ASCII come from the caller. CPython counterpart:
//! `Parser/tokenizer/helpers.c`, `string_tokenizer.c`.

use std::borrow::Cow;
use std::cell::Cell;

use crate::ast::Range;
use crate::error::{Location, SyntaxError, SyntaxErrorKind};
use crate::errors;

/// Decodes source bytes in an encoding that this crate does not know: `Ok(None)` if the codec does not exist either.
pub trait CodecHook {
    fn decode(&self, encoding: &str, bytes: &[u8]) -> Result<Option<String>, SyntaxError>;
}

/// The text of `bytes`. With `file`, the name of a script that is run, faults are worded as there, otherwise as for
/// `compile(bytes, …)`.
pub fn decode_source<'a>(
    bytes: &'a [u8],
    file: Option<&str>,
    hook: Option<&dyn CodecHook>,
) -> Result<Cow<'a, str>, SyntaxError> {
    let (bom, body) = match bytes.strip_prefix(b"\xef\xbb\xbf") {
        Some(body) => (true, body),
        None => (false, bytes),
    };
    let declared = cookie(body).map(|name| normalise_encoding(&name));
    let problem = |name: &str| {
        let what = if file.is_some() { "encoding problem" } else { "unknown encoding" };
        SyntaxError::nowhere(format!("{what}: {name}"))
    };
    match declared.as_deref() {
        Some(name) if bom && name != "utf-8" => {
            let msg = format!("encoding problem: {name} with BOM");
            Err(SyntaxError::nowhere(msg))
        }
        None | Some("utf-8") => match std::str::from_utf8(body) {
            Ok(text) => Ok(Cow::Borrowed(text)),
            Err(fault) => match file {
                Some(_) if body[..fault.valid_up_to()].contains(&0) => Err(null_bytes()),
                Some(file) => Err(non_utf8_file(body, fault.valid_up_to(), file)),
                None => errors::undecodable(body).map(Cow::Owned),
            },
        },
        Some("iso-8859-1" | "latin1" | "l1" | "iso8859-1") => {
            Ok(Cow::Owned(body.iter().map(|&b| char::from(b)).collect()))
        }
        Some("ascii" | "us-ascii") if body.is_ascii() => Ok(Cow::Owned(body.iter().map(|&b| char::from(b)).collect())),
        Some(name) => match hook.map(|hook| hook.decode(name, body)) {
            Some(decoded) => decoded?.map(Cow::Owned).ok_or_else(|| problem(name)),
            None => Err(problem(name)),
        },
    }
}

fn null_bytes() -> SyntaxError {
    SyntaxError::bare(SyntaxErrorKind::SyntaxError, "source code cannot contain null bytes")
}

fn non_utf8_file(body: &[u8], at: usize, file: &str) -> SyntaxError {
    let byte = body.get(at).copied().unwrap_or(0);
    let lineno = body[..at].iter().filter(|&&b| b == b'\n').count() + 1;
    let msg = format!(
        "Non-UTF-8 code starting with '\\x{byte:02x}' in file {file} on line {lineno}, but no encoding declared; \
         see https://peps.python.org/pep-0263/ for details"
    );
    SyntaxError::bare(SyntaxErrorKind::SyntaxError, msg)
}

/// The message of the UTF-8 codec for the first fault in `bytes`, `None` if there is none.
pub fn utf8_fault(bytes: &[u8]) -> Option<String> {
    let fault = std::str::from_utf8(bytes).err()?;
    let at = fault.valid_up_to();
    let byte = bytes[at];
    let reason = match (fault.error_len(), byte) {
        (None, _) => "unexpected end of data",
        (_, 0x80..=0xc1 | 0xf5..=0xff) => "invalid start byte",
        _ => "invalid continuation byte",
    };
    let end = at + fault.error_len().unwrap_or(bytes.len() - at);
    let place = if end - at == 1 {
        format!("byte 0x{byte:02x} in position {at}")
    } else {
        format!("bytes in position {at}-{}", end - 1)
    };
    Some(format!("(unicode error) 'utf-8' codec can't decode {place}: {reason}"))
}

/// The encoding that a source declares in a comment, in CPython's spelling; its byte order mark does not count.
pub fn declared_encoding(bytes: &[u8]) -> Option<String> {
    cookie(bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes)).map(|name| normalise_encoding(&name))
}

/// The encoding named by a comment in one of the first two lines; the first must be blank or a comment for the
/// second to count.
fn cookie(bytes: &[u8]) -> Option<String> {
    for line in bytes.split(|&b| b == b'\n' || b == b'\r').take(2) {
        let start = line.iter().position(|&b| !matches!(b, b' ' | b'\t' | 0x0c));
        let Some(start) = start else { continue };
        if line[start] != b'#' {
            return None;
        }
        let comment = &line[start..];
        for (at, _) in comment.windows(6).enumerate().filter(|(_, w)| *w == b"coding") {
            let Some((b':' | b'=', rest)) = comment[at + 6..].split_first() else { continue };
            let skip = rest.iter().position(|b| !matches!(b, b' ' | b'\t')).unwrap_or(rest.len());
            let name: Vec<u8> = rest[skip..]
                .iter()
                .copied()
                .take_while(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'))
                .collect();
            if !name.is_empty() {
                return String::from_utf8(name).ok();
            }
        }
    }
    None
}

/// CPython's short list of spellings for its two built-in source encodings; other names stay as written.
fn normalise_encoding(name: &str) -> String {
    let folded: String = name.chars().take(12).map(|c| if c == '_' { '-' } else { c.to_ascii_lowercase() }).collect();
    if folded == "utf-8" || folded.starts_with("utf-8-") {
        return "utf-8".to_owned();
    }
    let latin = ["latin-1", "iso-8859-1", "iso-latin-1"];
    if latin.iter().any(|l| folded == *l || folded.starts_with(&format!("{l}-"))) {
        return "iso-8859-1".to_owned();
    }
    name.to_owned()
}

/// Text with `\n` line ends only, and with one at the end if `exec`.
pub(crate) fn normalise_newlines(text: &str, exec: bool) -> Cow<'_, str> {
    let mut out = match text.contains('\r') {
        true => Cow::Owned(text.replace("\r\n", "\n").replace('\r', "\n")),
        false => Cow::Borrowed(text),
    };
    if exec && !out.is_empty() && !out.ends_with('\n') {
        out.to_mut().push('\n');
    }
    out
}

/// Maps byte offsets to lines and columns. Neighbouring queries are cheap.
pub(crate) struct Lines<'a> {
    pub(crate) text: &'a str,
    starts: Vec<u32>,
    last: Cell<u32>,
}

impl<'a> Lines<'a> {
    pub(crate) fn new(text: &'a str) -> Lines<'a> {
        let mut starts = vec![0];
        starts.extend(text.bytes().enumerate().filter(|(_, b)| *b == b'\n').map(|(at, _)| at as u32 + 1));
        Lines { text, starts, last: Cell::new(0) }
    }

    /// Zero-based line index of a byte offset.
    fn line_of(&self, offset: u32) -> u32 {
        let near = self.last.get();
        for line in [near, near + 1] {
            let from = self.starts.get(line as usize);
            let to = self.starts.get(line as usize + 1).copied().unwrap_or(u32::MAX);
            if from.is_some_and(|&from| from <= offset) && offset < to {
                self.last.set(line);
                return line;
            }
        }
        let line = self.starts.partition_point(|&start| start <= offset) as u32 - 1;
        self.last.set(line);
        line
    }

    /// Line from 1, byte column from 0.
    pub(crate) fn position(&self, offset: u32) -> (u32, u32) {
        let line = self.line_of(offset);
        (line + 1, offset - self.starts[line as usize])
    }

    pub(crate) fn range(&self, start: u32, end: u32) -> Range {
        let (lineno, col_offset) = self.position(start);
        let (end_lineno, end_col_offset) = self.position(end);
        Range { lineno, col_offset, end_lineno, end_col_offset }
    }

    /// The line's text with its newline; `lineno` counts from 1.
    pub(crate) fn line_text(&self, lineno: u32) -> &'a str {
        let start = self.starts.get(lineno as usize - 1).map_or(self.text.len(), |&s| s as usize);
        let end = self.starts.get(lineno as usize).map_or(self.text.len(), |&s| s as usize);
        &self.text[start..end]
    }

    /// `SyntaxError`'s view of a range: character offsets from 1.
    pub(crate) fn location(&self, range: Range) -> Location {
        let text = self.line_text(range.lineno);
        let chars = |lineno: u32, col: u32| {
            let line = self.line_text(lineno);
            line.get(..col as usize).map_or(line.chars().count(), |part| part.chars().count()) as i32 + 1
        };
        Location {
            lineno: range.lineno as i32,
            offset: chars(range.lineno, range.col_offset),
            end_lineno: Some(range.end_lineno as i32),
            end_offset: Some(chars(range.end_lineno, range.end_col_offset)),
            text: Some(text.to_owned()),
        }
    }
}
