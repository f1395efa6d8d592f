//! Splitting and line ends, as ranges of the text. CPython counterpart: `Objects/stringlib/split.h`.

use std::ops::Range;

use super::buffer::Unit;
use super::find::{Finder, rfind};

/// Whitespace of bytes.
pub fn is_byte_space(code: u32) -> bool {
    matches!(code, 0x09..=0x0D | 0x20)
}

/// Line ends of bytes; `\r\n` is one.
pub fn is_byte_line_break(code: u32) -> bool {
    matches!(code, 0x0A | 0x0D)
}

/// `split()` on runs of whitespace, at most `limit` splits.
pub fn split_space<U: Unit>(text: &[U], space: impl Fn(u32) -> bool, limit: usize) -> Vec<Range<usize>> {
    let mut parts = Vec::new();
    let mut at = 0;
    while let Some(start) = text[at..].iter().position(|u| !space(u.code())).map(|n| at + n) {
        if parts.len() == limit {
            // The rest keeps its whitespace, the trailing one too.
            parts.push(start..text.len());
            break;
        }
        let end = text[start..].iter().position(|u| space(u.code())).map_or(text.len(), |n| start + n);
        parts.push(start..end);
        at = end;
    }
    parts
}

/// `rsplit()` on runs of whitespace; the parts come in the text's order.
pub fn rsplit_space<U: Unit>(text: &[U], space: impl Fn(u32) -> bool, limit: usize) -> Vec<Range<usize>> {
    let mut parts = Vec::new();
    let mut at = text.len();
    while let Some(end) = text[..at].iter().rposition(|u| !space(u.code())).map(|n| n + 1) {
        if parts.len() == limit {
            parts.push(0..end);
            break;
        }
        let start = text[..end].iter().rposition(|u| space(u.code())).map_or(0, |n| n + 1);
        parts.push(start..end);
        at = start;
    }
    parts.reverse();
    parts
}

/// `split(separator)`; the separator is not empty.
pub fn split_on<U: Unit>(text: &[U], separator: &[U], limit: usize) -> Vec<Range<usize>> {
    let mut parts = Vec::new();
    let mut at = 0;
    for found in Finder::new(separator, text.len()).occurrences(text, limit) {
        parts.push(at..found);
        at = found + separator.len();
    }
    parts.push(at..text.len());
    parts
}

/// `rsplit(separator)`; the separator is not empty.
pub fn rsplit_on<U: Unit>(text: &[U], separator: &[U], limit: usize) -> Vec<Range<usize>> {
    let mut parts = Vec::new();
    let mut end = text.len();
    while parts.len() < limit
        && let Some(found) = rfind(&text[..end], separator)
    {
        parts.push(found + separator.len()..end);
        end = found;
    }
    parts.push(0..end);
    parts.reverse();
    parts
}

/// `splitlines`.
pub fn split_lines<U: Unit>(text: &[U], line_break: impl Fn(u32) -> bool, keep_ends: bool) -> Vec<Range<usize>> {
    let mut lines = Vec::new();
    let mut start = 0;
    while start < text.len() {
        let Some(end) = text[start..].iter().position(|u| line_break(u.code())).map(|n| start + n) else {
            lines.push(start..text.len());
            break;
        };
        let crlf = text[end].code() == 0x0D && text.get(end + 1).is_some_and(|u| u.code() == 0x0A);
        let next = end + 1 + usize::from(crlf);
        lines.push(start..if keep_ends { next } else { end });
        start = next;
    }
    lines
}

/// What is left of `text` between stripped ends.
pub fn strip<U: Unit>(text: &[U], left: bool, right: bool, stripped: impl Fn(U) -> bool) -> Range<usize> {
    let start = if left { text.iter().position(|&u| !stripped(u)).unwrap_or(text.len()) } else { 0 };
    let end = if right {
        text[start..].iter().rposition(|&u| !stripped(u)).map_or(start, |n| start + n + 1)
    } else {
        text.len()
    };
    start..end
}
