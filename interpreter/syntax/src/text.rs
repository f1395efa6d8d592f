//! Properties of characters that several modules ask for.

mod unprintable;

/// `str.isprintable` for one character.
pub(crate) fn printable(c: char) -> bool {
    let code = u32::from(c);
    let above = unprintable::UNPRINTABLE.partition_point(|&(_, last)| last < code);
    unprintable::UNPRINTABLE.get(above).is_none_or(|&(first, _)| code < first)
}
