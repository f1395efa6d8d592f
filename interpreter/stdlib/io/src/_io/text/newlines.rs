//! Finding the ends of lines in decoded text.
use krait_runtime::text::Unit;

/// What ends a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LineEnds {
    /// `\n` alone: everything else was translated into it.
    Lf,
    /// Any of `\r`, `\n`, `\r\n`.
    Universal,
    /// Exactly this.
    Exact(&'static str),
}
impl LineEnds {
    /// For a `newline` argument.
    pub fn of(newline: Option<&'static str>) -> LineEnds {
        match newline {
            None => LineEnds::Lf,
            Some("") => LineEnds::Universal,
            Some(text) => LineEnds::Exact(text),
        }
    }
}
fn find<U: Unit>(units: &[U], code: u8) -> Option<usize> {
    match U::as_bytes(units) {
        Some(bytes) => memchr::memchr(code, bytes),
        None => units.iter().position(|u| u.code() == u32::from(code)),
    }
}
/// Where the first line ends: the place behind its newline.
pub fn end_of_line<U: Unit>(units: &[U], ends: LineEnds) -> Option<usize> {
    match ends {
        LineEnds::Lf | LineEnds::Exact("\n") => find(units, b'\n').map(|i| i + 1),
        LineEnds::Exact("\r") => find(units, b'\r').map(|i| i + 1),
        LineEnds::Universal => {
            let i = match U::as_bytes(units) {
                Some(bytes) => memchr::memchr2(b'\r', b'\n', bytes)?,
                None => units.iter().position(|u| matches!(u.code(), 10 | 13))?,
            };
            let double = units[i].code() == 13 && units.get(i + 1).is_some_and(|u| u.code() == 10);
            Some(i + 1 + usize::from(double))
        }
        LineEnds::Exact(_) => {
            let mut from = 0;
            while let Some(i) = find(&units[from..], b'\r') {
                if units.get(from + i + 1).is_some_and(|u| u.code() == 10) {
                    return Some(from + i + 2);
                }
                from += i + 1;
            }
            None
        }
    }
}
/// How much of a text without a line end can be put aside: a `\r` that may become `\r\n` stays.
pub fn settled<U: Unit>(units: &[U], ends: LineEnds) -> usize {
    let held = ends == LineEnds::Exact("\r\n") && units.last().is_some_and(|u| u.code() == 13);
    units.len() - usize::from(held)
}
