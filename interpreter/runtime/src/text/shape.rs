//! Tab expansion, zero filling and ASCII-only case changes, shared by str and bytes.
//! CPython counterpart: `Objects/stringlib/transmogrify.h`.

use super::buffer::Unit;
use crate::numtext::OutOfMemory;

/// `expandtabs`; a result too long for memory is refused.
pub fn expand_tabs<U: Unit>(text: &[U], tab_size: usize) -> Result<Vec<U>, OutOfMemory> {
    let mut out = Vec::new();
    out.try_reserve(text.len())?;
    let mut column = 0usize;
    for &unit in text {
        match unit.code() {
            0x09 => {
                let spaces = column.checked_rem(tab_size).map_or(0, |over| tab_size - over);
                out.try_reserve(spaces)?;
                out.extend(std::iter::repeat_n(U::from_code(0x20), spaces));
                column += spaces;
                continue;
            }
            0x0A | 0x0D => column = 0,
            _ => column += 1,
        }
        out.try_reserve(1)?;
        out.push(unit);
    }
    Ok(out)
}

/// `zfill`: zeros behind a sign.
pub fn zero_fill<U: Unit>(text: &[U], width: usize) -> Result<Vec<U>, OutOfMemory> {
    let fill = width.saturating_sub(text.len());
    let mut out = Vec::new();
    out.try_reserve(text.len() + fill)?;
    let signed = matches!(text.first().map(|u| u.code()), Some(0x2B | 0x2D));
    let (sign, rest) = text.split_at(usize::from(signed));
    out.extend_from_slice(sign);
    out.extend(std::iter::repeat_n(U::from_code(0x30), fill));
    out.extend_from_slice(rest);
    Ok(out)
}

/// Padding for `ljust`, `rjust` and `center`: units on the left and on the right. CPython's `center` puts the odd unit
/// left when the width is odd.
pub fn center_padding(len: usize, width: usize) -> (usize, usize) {
    let fill = width.saturating_sub(len);
    let left = fill / 2 + (fill & width & 1);
    (left, fill - left)
}

/// `bytes.title`.
pub fn title_ascii(text: &[u8]) -> Vec<u8> {
    let mut previous = false;
    let change = |&byte: &u8| {
        let changed = if previous { byte.to_ascii_lowercase() } else { byte.to_ascii_uppercase() };
        previous = byte.is_ascii_alphabetic();
        changed
    };
    text.iter().map(change).collect()
}

/// `bytes.capitalize`.
pub fn capitalize_ascii(text: &[u8]) -> Vec<u8> {
    let mut out = text.to_ascii_lowercase();
    if let Some(first) = out.first_mut() {
        first.make_ascii_uppercase();
    }
    out
}

/// `bytes.swapcase`.
pub fn swap_case_ascii(text: &[u8]) -> Vec<u8> {
    let change =
        |&byte: &u8| if byte.is_ascii_uppercase() { byte.to_ascii_lowercase() } else { byte.to_ascii_uppercase() };
    text.iter().map(change).collect()
}

/// `istitle` by the classes of the units.
pub fn is_title<U: Unit>(text: &[U], upper: impl Fn(u32) -> bool, lower: impl Fn(u32) -> bool) -> bool {
    let mut cased = false;
    let mut previous = false;
    for unit in text {
        let code = unit.code();
        if upper(code) {
            if previous {
                return false;
            }
            cased = true;
            previous = true;
        } else if lower(code) {
            if !previous {
                return false;
            }
            cased = true;
        } else {
            previous = false;
        }
    }
    cased
}
