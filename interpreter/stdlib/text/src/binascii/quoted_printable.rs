//! Quoted-printable.

const MAX_LINE: usize = 76;

fn hex_value(c: u8) -> Option<u8> {
    char::from(c).to_digit(16).map(|d| d as u8)
}

fn push_hex(out: &mut Vec<u8>, byte: u8) {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    out.push(DIGITS[usize::from(byte >> 4)]);
    out.push(DIGITS[usize::from(byte & 15)]);
}

/// Decodes; in a header `_` stands for a blank.
pub fn decode(data: &[u8], header: bool) -> Vec<u8> {
    let mut out = Vec::with_capacity(data.len());
    let mut i = 0;
    while let Some(&c) = data.get(i) {
        i += 1;
        if c == b'=' {
            match data.get(i) {
                None => break,
                // A soft line break; what stands between a lone CR and the line's end is lost, as in CPython.
                Some(b'\n' | b'\r') => {
                    while data.get(i).is_some_and(|&c| c != b'\n') {
                        i += 1;
                    }
                    i += 1;
                }
                Some(b'=') => {
                    out.push(b'=');
                    i += 1;
                }
                Some(&high) => match (hex_value(high), data.get(i + 1).and_then(|&low| hex_value(low))) {
                    (Some(high), Some(low)) => {
                        out.push(high << 4 | low);
                        i += 2;
                    }
                    _ => out.push(b'='),
                },
            }
        } else if header && c == b'_' {
            out.push(b' ');
        } else {
            out.push(c);
        }
    }
    out
}

/// What to encode.
#[derive(Clone, Copy, Debug)]
pub struct Style {
    /// Blanks and tabs are quoted too.
    pub quotetabs: bool,
    /// Line ends stay line ends.
    pub istext: bool,
    /// Blanks become `_`.
    pub header: bool,
}

fn needs_quoting(data: &[u8], i: usize, line: usize, style: Style) -> bool {
    let c = data[i];
    let next = data.get(i + 1).copied();
    c > 126
        || c == b'='
        || style.header && c == b'_'
        // A line that is a lone dot would end an SMTP message.
        || c == b'.' && line == 0 && matches!(next, None | Some(b'\n' | b'\r' | 0))
        || !style.istext && matches!(c, b'\r' | b'\n')
        || matches!(c, b'\t' | b' ') && next.is_none()
        || c < 33 && !matches!(c, b'\r' | b'\n') && (style.quotetabs || !matches!(c, b'\t' | b' '))
}

/// Encodes, with soft breaks of the kind that the data's first line end has.
pub fn encode(data: &[u8], style: Style) -> Vec<u8> {
    let first_end = memchr::memchr(b'\n', data);
    let crlf = first_end.is_some_and(|at| at > 0 && data[at - 1] == b'\r');
    let line_end: &[u8] = if crlf { b"\r\n" } else { b"\n" };
    let mut out = Vec::with_capacity(data.len() + data.len() / 8);
    let (mut i, mut line) = (0, 0);
    let soft_break = |out: &mut Vec<u8>| {
        out.push(b'=');
        out.extend_from_slice(line_end);
    };
    while let Some(&c) = data.get(i) {
        if needs_quoting(data, i, line, style) {
            if line + 3 >= MAX_LINE {
                soft_break(&mut out);
                line = 0;
            }
            out.push(b'=');
            push_hex(&mut out, c);
            i += 1;
            line += 3;
        } else if style.istext && (c == b'\n' || c == b'\r' && data.get(i + 1) == Some(&b'\n')) {
            line = 0;
            // A blank at the end of a line would be stripped on the way.
            if let Some(&blank @ (b' ' | b'\t')) = out.last() {
                out.pop();
                out.push(b'=');
                push_hex(&mut out, blank);
            }
            out.extend_from_slice(line_end);
            i += if c == b'\r' { 2 } else { 1 };
        } else {
            if data.get(i + 1).is_some_and(|&next| next != b'\n') && line + 1 >= MAX_LINE {
                soft_break(&mut out);
                line = 0;
            }
            line += 1;
            out.push(if style.header && c == b' ' { b'_' } else { c });
            i += 1;
        }
    }
    out
}
