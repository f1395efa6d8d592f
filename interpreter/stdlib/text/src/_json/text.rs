//! JSON strings and numbers as text: scanning, unescaping and escaping, without objects.

use krait_object::{Str, StrBuilder};

/// A code unit of any width, read as a code point.
pub trait Unit: Copy + Into<u32> {}
impl Unit for u8 {}
impl Unit for u16 {}
impl Unit for u32 {}

/// What is wrong, and where: message and position of a `JSONDecodeError`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fault(pub &'static str, pub usize);

/// A scanned string: a part of the text as it stands, or what its escapes mean.
pub enum Scanned {
    Plain { from: usize, to: usize },
    Unescaped(StrBuilder),
}

fn at<C: Unit>(text: &[C], i: usize) -> Option<u32> {
    text.get(i).map(|&c| c.into())
}

fn hex4<C: Unit>(text: &[C], from: usize) -> Option<u32> {
    text.get(from..from + 4)?.iter().try_fold(0, |value, &c| {
        let digit = char::from_u32(c.into())?.to_digit(16)?;
        Some(value << 4 | digit)
    })
}

/// Scans the string whose first character (after the quote) is at `begin`; gives it and the place after its closing
/// quote. Control characters are refused if `strict`.
pub fn scan_string<C: Unit>(text: &[C], begin: usize, strict: bool) -> Result<(Scanned, usize), Fault> {
    let unterminated = Fault("Unterminated string starting at", begin.wrapping_sub(1));
    let mut out: Option<StrBuilder> = None;
    let mut from = begin;
    loop {
        let mut to = from;
        let special = loop {
            match at(text, to) {
                None => return Err(unterminated),
                Some(c @ (0x22 | 0x5c)) => break c,
                Some(c) if c < 0x20 && strict => return Err(Fault("Invalid control character at", to)),
                Some(_) => to += 1,
            }
        };
        if special == 0x22 && out.is_none() {
            return Ok((Scanned::Plain { from, to }, to + 1));
        }
        let built = out.get_or_insert_with(StrBuilder::new);
        text[from..to].iter().for_each(|&c| built.push(c.into()));
        if special == 0x22 {
            return Ok((Scanned::Unescaped(out.unwrap_or_default()), to + 1));
        }
        let (c, next) = escape(text, to).ok_or(unterminated)??;
        built.push(c);
        from = next;
    }
}

/// The character that the escape at the backslash means, and the place after it; `None` where the text ends.
fn escape<C: Unit>(text: &[C], backslash: usize) -> Option<Result<(u32, usize), Fault>> {
    let letter = at(text, backslash + 1)?;
    let next = backslash + 2;
    let simple = match char::from_u32(letter)? {
        c @ ('"' | '\\' | '/') => c,
        'b' => '\u{8}',
        'f' => '\u{c}',
        'n' => '\n',
        'r' => '\r',
        't' => '\t',
        'u' => return Some(unicode_escape(text, next)),
        _ => return Some(Err(Fault("Invalid \\escape", backslash))),
    };
    Some(Ok((simple.into(), next)))
}

/// The four digits at `digits`, joined with the escape behind them where the two are a surrogate pair.
fn unicode_escape<C: Unit>(text: &[C], digits: usize) -> Result<(u32, usize), Fault> {
    let end = digits + 4;
    // The digits may not be the last of the text: a closing quote must follow.
    let high = if end < text.len() { hex4(text, digits) } else { None };
    let high = high.ok_or(Fault("Invalid \\uXXXX escape", digits - 1))?;
    let pair = (0xd800..0xdc00).contains(&high)
        && end + 6 < text.len()
        && at(text, end) == Some(0x5c)
        && at(text, end + 1) == Some(0x75);
    if pair {
        let low = hex4(text, end + 2).ok_or(Fault("Invalid \\uXXXX escape", end + 1))?;
        if (0xdc00..0xe000).contains(&low) {
            return Ok((0x10000 + ((high - 0xd800) << 10 | (low - 0xdc00)), end + 6));
        }
    }
    Ok((high, end))
}

/// The end of the number at `start`, and whether it is a float; `None` if there is none.
pub fn scan_number<C: Unit>(text: &[C], start: usize) -> Option<(usize, bool)> {
    let digit = |i: usize| at(text, i).is_some_and(|c| (0x30..=0x39).contains(&c));
    let digits = |mut i: usize| {
        while digit(i) {
            i += 1;
        }
        i
    };
    let is = |i: usize, wanted: &[u8]| at(text, i).is_some_and(|c| wanted.iter().any(|&w| u32::from(w) == c));
    let mut i = start + usize::from(is(start, b"-"));
    if is(i, b"0") {
        i += 1;
    } else if digit(i) {
        i = digits(i);
    } else {
        return None;
    }
    let mut float = false;
    if is(i, b".") && digit(i + 1) {
        float = true;
        i = digits(i + 1);
    }
    if is(i, b"eE") {
        let sign = i + 1 + usize::from(is(i + 1, b"+-"));
        if digit(sign) {
            float = true;
            i = digits(sign);
        }
    }
    Some((i, float))
}

/// Appends the string in quotes, escaping what JSON requires and, if `ascii`, all that is not ASCII.
pub fn push_string(s: &Str, ascii: bool, out: &mut StrBuilder) {
    out.push(0x22);
    match s.as_ascii() {
        // Runs that need no escape are copied as they are.
        Some(mut text) => {
            while let Some(end) = text.bytes().position(|c| !(0x20..=0x7e).contains(&c) || matches!(c, b'"' | b'\\')) {
                out.push_text(&text[..end]);
                push_escaped(std::iter::once(u32::from(text.as_bytes()[end])), ascii, out);
                text = &text[end + 1..];
            }
            out.push_text(text);
        }
        None => push_escaped(s.iter(), ascii, out),
    }
    out.push(0x22);
}

fn push_escaped(points: impl Iterator<Item = u32>, ascii: bool, out: &mut StrBuilder) {
    for c in points {
        let letter = match c {
            0x22 | 0x5c => c,
            0x08 => 0x62,
            0x0c => 0x66,
            0x0a => 0x6e,
            0x0d => 0x72,
            0x09 => 0x74,
            0x20..=0x7e => {
                out.push(c);
                continue;
            }
            _ if c < 0x20 || ascii => {
                if c >= 0x10000 {
                    push_unicode_escape(0xd800 + ((c - 0x10000) >> 10), out);
                    push_unicode_escape(0xdc00 + (c & 0x3ff), out);
                } else {
                    push_unicode_escape(c, out);
                }
                continue;
            }
            _ => {
                out.push(c);
                continue;
            }
        };
        out.push(0x5c);
        out.push(letter);
    }
}

fn push_unicode_escape(c: u32, out: &mut StrBuilder) {
    out.push(0x5c);
    out.push(0x75);
    for shift in [12, 8, 4, 0] {
        out.push(u32::from(b"0123456789abcdef"[(c >> shift & 15) as usize]));
    }
}
