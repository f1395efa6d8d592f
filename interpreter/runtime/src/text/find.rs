//! Searching: `find`, `rfind`, `count`, `replace`. Bytes go through `memchr`; wider units compare from the first unit
//! on and fall back to a linear-time search for long needles. CPython counterpart: `Objects/stringlib/fastsearch.h`.

use memchr::memmem;

use super::buffer::Unit;
use crate::numtext::OutOfMemory;

/// Needles at least this long get a failure table (Knuth, Morris and Pratt), so that no search is quadratic.
const LONG: usize = 12;
/// In texts up to this length a byte-wise comparison is done before `memmem` has prepared its search.
const BRIEF: usize = 128;

/// A needle made ready for repeated searches.
pub struct Finder<'a, U: Unit> {
    needle: &'a [U],
    kind: Prepared<'a>,
}

enum Prepared<'a> {
    Byte(u8),
    Bytes(Box<memmem::Finder<'a>>),
    Short,
    /// Length of the longest border of each prefix of the needle.
    Long(Vec<usize>),
}

fn failure_table<U: Unit>(needle: impl Fn(usize) -> U, len: usize) -> Vec<usize> {
    let mut table = vec![0; len];
    let mut border = 0;
    for index in 1..len {
        while border > 0 && needle(index) != needle(border) {
            border = table[border - 1];
        }
        border += usize::from(needle(index) == needle(border));
        table[index] = border;
    }
    table
}

/// Where the needle first ends, less its length; both texts are read through functions so that they can be reversed.
fn search_long<U: Unit>(
    hay: impl Fn(usize) -> U,
    hay_len: usize,
    needle: impl Fn(usize) -> U,
    table: &[usize],
) -> Option<usize> {
    let mut matched = 0;
    for index in 0..hay_len {
        let unit = hay(index);
        while matched > 0 && unit != needle(matched) {
            matched = table[matched - 1];
        }
        matched += usize::from(unit == needle(matched));
        if matched == table.len() {
            return Some(index + 1 - matched);
        }
    }
    None
}

impl<'a, U: Unit> Finder<'a, U> {
    /// For searches in texts of up to `hay` units.
    pub fn new(needle: &'a [U], hay: usize) -> Finder<'a, U> {
        let kind = match U::as_bytes(needle) {
            Some([byte]) => Prepared::Byte(*byte),
            Some(_) if hay <= BRIEF => Prepared::Short,
            Some(needle) => Prepared::Bytes(Box::new(memmem::Finder::new(needle))),
            None if needle.len() < LONG => Prepared::Short,
            None => Prepared::Long(failure_table(|i| needle[i], needle.len())),
        };
        Finder { needle, kind }
    }

    pub fn needle_len(&self) -> usize {
        self.needle.len()
    }

    /// The first occurrence.
    pub fn find(&self, hay: &[U]) -> Option<usize> {
        match &self.kind {
            Prepared::Byte(byte) => memchr::memchr(*byte, U::as_bytes(hay)?),
            Prepared::Bytes(finder) => finder.find(U::as_bytes(hay)?),
            Prepared::Short => find_short(hay, self.needle),
            Prepared::Long(table) => search_long(|i| hay[i], hay.len(), |i| self.needle[i], table),
        }
    }

    /// Occurrences from the left that do not overlap, at most `limit`; of an empty needle every position.
    pub fn occurrences<'h>(&'h self, hay: &'h [U], limit: usize) -> impl Iterator<Item = usize> + 'h {
        let mut at = 0;
        let step = self.needle.len().max(1);
        std::iter::from_fn(move || {
            let found = at + self.find(hay.get(at..)?)?;
            at = found + step;
            Some(found)
        })
        .take(limit)
    }
}

fn find_short<U: Unit>(hay: &[U], needle: &[U]) -> Option<usize> {
    let Some((&first, rest)) = needle.split_first() else { return Some(0) };
    let last = hay.len().checked_sub(needle.len())?;
    let mut at = 0;
    while at <= last {
        let starts = &hay[at..=last];
        at += match (U::as_bytes(starts), U::as_bytes(&[first])) {
            (Some(starts), Some([byte])) => memchr::memchr(*byte, starts)?,
            _ => starts.iter().position(|&unit| unit == first)?,
        };
        if hay[at + 1..at + needle.len()] == *rest {
            return Some(at);
        }
        at += 1;
    }
    None
}

/// The first occurrence of `needle`.
pub fn find<U: Unit>(hay: &[U], needle: &[U]) -> Option<usize> {
    match (U::as_bytes(hay), U::as_bytes(needle)) {
        (Some(hay), Some([byte])) => memchr::memchr(*byte, hay),
        (Some(text), Some(_)) if text.len() <= BRIEF => find_short(hay, needle),
        (Some(hay), Some(needle)) => memmem::find(hay, needle),
        _ if needle.len() < LONG => find_short(hay, needle),
        _ => Finder::new(needle, hay.len()).find(hay),
    }
}

/// The last occurrence of `needle`.
pub fn rfind<U: Unit>(hay: &[U], needle: &[U]) -> Option<usize> {
    match (U::as_bytes(hay), U::as_bytes(needle)) {
        (Some(hay), Some([byte])) => return memchr::memrchr(*byte, hay),
        (Some(hay), Some(needle)) => return memmem::rfind(hay, needle),
        _ => {}
    }
    if needle.is_empty() {
        return Some(hay.len());
    }
    if needle.len() < LONG {
        return hay.windows(needle.len()).rposition(|window| window == needle);
    }
    let (hay_last, needle_last) = (hay.len().checked_sub(1)?, needle.len() - 1);
    let table = failure_table(|i| needle[needle_last - i], needle.len());
    let found = search_long(|i| hay[hay_last - i], hay.len(), |i| needle[needle_last - i], &table)?;
    Some(hay.len() - found - needle.len())
}

/// Occurrences that do not overlap; of an empty needle one more than there are units.
pub fn count<U: Unit>(hay: &[U], needle: &[U]) -> usize {
    match (U::as_bytes(hay), needle) {
        (_, []) => hay.len() + 1,
        (Some(hay), [unit]) => memchr::memchr_iter(unit.code() as u8, hay).count(),
        (None, [unit]) => hay.iter().filter(|u| *u == unit).count(),
        _ => Finder::new(needle, hay.len()).occurrences(hay, usize::MAX).count(),
    }
}

/// Replaces at most `limit` occurrences of `old` from the left; `None` when there is none to replace.
pub fn replace<U: Unit>(hay: &[U], old: &[U], new: &[U], limit: usize) -> Result<Option<Vec<U>>, OutOfMemory> {
    if limit == 0 || hay.len() < old.len() {
        return Ok(None);
    }
    let mut out: Vec<U> = Vec::new();
    if old.is_empty() {
        let places = limit.min(hay.len() + 1);
        out.try_reserve(places.checked_mul(new.len()).and_then(|n| n.checked_add(hay.len())).ok_or(OutOfMemory)?)?;
        for (index, &unit) in hay.iter().enumerate() {
            if index < places {
                out.extend_from_slice(new);
            }
            out.push(unit);
        }
        if places > hay.len() {
            out.extend_from_slice(new);
        }
        return Ok(Some(out));
    }
    let finder = Finder::new(old, hay.len());
    let mut done = 0;
    for at in finder.occurrences(hay, limit) {
        out.try_reserve(at - done + new.len())?;
        out.extend_from_slice(&hay[done..at]);
        out.extend_from_slice(new);
        done = at + old.len();
    }
    if done == 0 {
        return Ok(None);
    }
    out.try_reserve(hay.len() - done)?;
    out.extend_from_slice(&hay[done..]);
    Ok(Some(out))
}
