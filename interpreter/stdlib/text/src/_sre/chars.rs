//! What a single character is, for the engine: case mapping and the categories of `\w \d \s \b`.
//!
//! The only door through which the engine reaches Unicode data and the C locale. Characters are plain code points
//! (lone surrogates included) or bytes. CPython counterpart: the macros at the head of `Modules/_sre/sre.c`.

use krait_runtime::unicode::{self, case};

use super::codes::category;

/// Simple lower case: one character to one character, the first of a longer mapping.
pub fn lower_unicode(ch: u32) -> u32 {
    if ch < 128 {
        return lower_ascii(ch);
    }
    case::simple_lower(ch)
}

/// Simple upper case: one character to one character, the first of a longer mapping.
pub fn upper_unicode(ch: u32) -> u32 {
    if ch < 128 {
        return if (97..=122).contains(&ch) { ch - 32 } else { ch };
    }
    case::simple_upper(ch)
}

pub const fn lower_ascii(ch: u32) -> u32 {
    if ch >= 65 && ch <= 90 { ch + 32 } else { ch }
}

/// Lower case of a byte under the C library's current locale.
pub fn lower_locale(ch: u32) -> u32 {
    lower_ascii(ch)
}

/// Upper case of a byte under the C library's current locale.
pub fn upper_locale(ch: u32) -> u32 {
    if (97..=122).contains(&ch) { ch - 32 } else { ch }
}

fn alnum_locale(ch: u32) -> bool {
    alnum_ascii(ch)
}

const fn alnum_ascii(ch: u32) -> bool {
    ch < 128 && (ch as u8).is_ascii_alphanumeric()
}

fn space_ascii(ch: u32) -> bool {
    matches!(ch, 9..=13 | 32)
}

pub fn word_ascii(ch: u32) -> bool {
    alnum_ascii(ch) || ch == 0x5f
}

pub fn word_locale(ch: u32) -> bool {
    ch < 256 && alnum_locale(ch) || ch == 0x5f
}

pub fn word_unicode(ch: u32) -> bool {
    if ch < 128 { word_ascii(ch) } else { unicode::is_alnum(ch) }
}

/// Whether `ch` differs from one of its case mappings.
pub fn iscased_unicode(ch: u32) -> bool {
    ch != lower_unicode(ch) || ch != upper_unicode(ch)
}

/// Whether `ch` belongs to the category `code`; `code` was checked by the lowering.
pub fn in_category(code: u32, ch: u32) -> bool {
    let member = match code & !1 {
        category::DIGIT => (48..=57).contains(&ch),
        category::SPACE => space_ascii(ch),
        category::WORD => word_ascii(ch),
        category::LINEBREAK => ch == 10,
        category::LOC_WORD => word_locale(ch),
        category::UNI_DIGIT => unicode::is_decimal(ch),
        category::UNI_SPACE => unicode::is_space(ch),
        category::UNI_WORD => word_unicode(ch),
        _ => unicode::is_line_break(ch),
    };
    member != (code & 1 == 1)
}

/// `LITERAL_LOC_IGNORE`: the pattern's character against the text's.
pub fn same_locale(pattern: u32, ch: u32) -> bool {
    ch == pattern || lower_locale(ch) == pattern || upper_locale(ch) == pattern
}
