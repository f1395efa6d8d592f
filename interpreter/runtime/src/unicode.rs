//! Unicode 15.1 character data as CPython 3.13 answers it: classification, numeric values, the properties that
//! `unicodedata` shows. Case mappings, normalisation and names are in the submodules. Everything takes code points as
//! `u32`, lone surrogates included; a value above U+10FFFF has the properties of an unassigned one.
//! CPython counterparts: `Objects/unicodectype.c`, `Modules/unicodedata.c`.

pub mod case;
mod generated;
pub mod names;
pub mod normalize;
#[cfg(test)]
mod tests;
pub mod version_3_2;

use generated::properties as data;

pub use generated::properties::UNIDATA_VERSION;

/// One more than the last code point.
pub const LIMIT: u32 = 0x11_0000;

#[inline]
fn record(code: u32) -> &'static (u16, u8, u8, u8, u8) {
    let code = if code < LIMIT { code } else { LIMIT - 1 } as usize;
    let block = data::RECORD_FIRST[code >> data::RECORD_SHIFT] as usize;
    let low = code & ((1 << data::RECORD_SHIFT) - 1);
    &data::RECORDS[data::RECORD_SECOND[(block << data::RECORD_SHIFT) + low] as usize]
}

#[inline]
fn has(code: u32, flag: u16) -> bool {
    record(code).0 & flag != 0
}

macro_rules! flag_tests {
    ($($(#[$doc:meta])* $name:ident => $flag:expr;)*) => {
        $($(#[$doc])* #[inline] pub fn $name(code: u32) -> bool { has(code, $flag) })*
    };
}

flag_tests! {
    is_alpha => data::ALPHA;
    is_decimal => data::DECIMAL;
    is_digit => data::DIGIT;
    is_numeric => data::NUMERIC;
    /// What `str.isalnum` accepts.
    is_alnum => data::ALPHA | data::DECIMAL | data::DIGIT | data::NUMERIC;
    /// What `str.isspace`, `str.split()` and `str.strip()` take as whitespace.
    is_space => data::SPACE;
    is_lower => data::LOWER;
    is_upper => data::UPPER;
    /// Titlecase letters (category Lt) only.
    is_title => data::TITLE;
    is_printable => data::PRINTABLE;
    /// Begins an identifier, `_` included.
    is_xid_start => data::XID_START;
    is_xid_continue => data::XID_CONTINUE;
    is_cased => data::CASED;
    is_case_ignorable => data::CASE_IGNORABLE;
    /// Ends a line for `str.splitlines`.
    is_line_break => data::LINE_BREAK;
    is_mirrored => data::MIRRORED;
}

/// Two-letter general category.
pub fn category(code: u32) -> &'static str {
    data::CATEGORIES[record(code).1 as usize]
}

/// Bidirectional class, empty where none is assigned.
pub fn bidirectional(code: u32) -> &'static str {
    data::BIDIRECTIONAL[record(code).2 as usize]
}

/// Canonical combining class.
#[inline]
pub fn combining(code: u32) -> u8 {
    record(code).3
}

pub fn east_asian_width(code: u32) -> &'static str {
    data::EAST_ASIAN_WIDTHS[record(code).4 as usize]
}

/// The numeric value as numerator and denominator.
pub fn numeric_ratio(code: u32) -> Option<(i64, u16)> {
    if !has(code, data::NUMERIC) {
        return None;
    }
    let index = data::NUMERIC_RUNS.partition_point(|run| run.0 <= code).checked_sub(1)?;
    let (first, last, numerator, denominator, step) = data::NUMERIC_RUNS[index];
    (code <= last).then(|| (numerator + i64::from(step) * i64::from(code - first), denominator))
}

pub fn numeric(code: u32) -> Option<f64> {
    numeric_ratio(code).map(|(numerator, denominator)| numerator as f64 / f64::from(denominator))
}

/// Value of a digit in the sense of `str.isdigit` (superscripts included).
pub fn digit(code: u32) -> Option<u8> {
    if !has(code, data::DIGIT) {
        return None;
    }
    numeric_ratio(code).map(|(value, _)| value as u8)
}

/// Value of a decimal digit, what `int()` and `float()` accept.
#[inline]
pub fn decimal(code: u32) -> Option<u8> {
    if code < 128 {
        return (code as u8).is_ascii_digit().then(|| code as u8 - b'0');
    }
    if !has(code, data::DECIMAL) {
        return None;
    }
    numeric_ratio(code).map(|(value, _)| value as u8)
}

/// `str.isidentifier` over code points.
pub fn is_identifier(mut codes: impl Iterator<Item = u32>) -> bool {
    codes.next().is_some_and(is_xid_start) && codes.all(is_xid_continue)
}
