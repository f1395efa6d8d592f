//! Searching, splitting, replacing and stripping of bytes and bytearray.

use std::ops::Range;

use krait_object::{Args, List, PyResult, Thread, Tuple, Value};

use super::data::{argument, changed, make, needle, unchanged, with_data};
use crate::errors::{type_error, value_error};
use crate::protocol::compare::truth;
use crate::text::{find, split};
use crate::types::str::units::{clamp_bounds, fit, limit, raw_bounds};

#[derive(Clone, Copy)]
enum Search {
    First,
    Last,
    Count,
}

fn run(th: &mut Thread, a: &Args<'_>, what: Search) -> PyResult<Option<usize>> {
    let bounds = raw_bounds(th, a.opt(2), a.opt(3))?;
    let sub = needle(th, &a[1])?;
    Ok(with_data(&a[0], |data| {
        let (start, end) = clamp_bounds(bounds, data.len());
        let part = data.get(start..end)?;
        match what {
            Search::First => find::find(part, &sub).map(|at| at + start),
            Search::Last => find::rfind(part, &sub).map(|at| at + start),
            Search::Count => Some(find::count(part, &sub)),
        }
    }))
}

fn position(found: Option<usize>) -> PyResult<Value> {
    Ok(found.map_or(Value::int(-1), Value::from))
}

fn position_or_error(th: &mut Thread, found: Option<usize>) -> PyResult<Value> {
    match found {
        Some(at) => Ok(at.into()),
        None => Err(value_error(th, "subsection not found")),
    }
}

pub fn find(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    position(run(th, a, Search::First)?)
}

pub fn rfind(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    position(run(th, a, Search::Last)?)
}

pub fn index(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let found = run(th, a, Search::First)?;
    position_or_error(th, found)
}

pub fn rindex(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let found = run(th, a, Search::Last)?;
    position_or_error(th, found)
}

pub fn count(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    Ok(run(th, a, Search::Count)?.unwrap_or(0).into())
}

pub fn contains(th: &mut Thread, value: &Value, item: &Value) -> PyResult<bool> {
    if super::data::has_index(item) {
        let byte = super::data::byte(th, item)?;
        return Ok(with_data(value, |data| data.contains(&byte)));
    }
    let sub = argument(th, item)?;
    Ok(with_data(value, |data| find::find(data, &sub).is_some()))
}

fn has_affix(data: &[u8], affix: &[u8], bounds: (isize, isize), at_end: bool) -> bool {
    let (start, end) = clamp_bounds(bounds, data.len());
    data.get(start..end).is_some_and(|part| if at_end { part.ends_with(affix) } else { part.starts_with(affix) })
}

fn affix(th: &mut Thread, a: &Args<'_>, name: &str, at_end: bool) -> PyResult<Value> {
    let bounds = raw_bounds(th, a.opt(2), a.opt(3))?;
    if let Some(all) = a[1].downcast_ref::<Tuple>() {
        for item in all.iter() {
            let sub = argument(th, item)?;
            if with_data(&a[0], |data| has_affix(data, &sub, bounds, at_end)) {
                return Ok(Value::TRUE);
            }
        }
        return Ok(Value::FALSE);
    }
    if !super::data::has_buffer(&a[1]) {
        let given = a[1].class().name();
        return Err(type_error(th, format!("{name} first arg must be bytes or a tuple of bytes, not {given}")));
    }
    let sub = argument(th, &a[1])?;
    Ok(Value::bool(with_data(&a[0], |data| has_affix(data, &sub, bounds, at_end))))
}

pub fn startswith(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    affix(th, a, "startswith", false)
}

pub fn endswith(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    affix(th, a, "endswith", true)
}

pub fn removeprefix(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let prefix = argument(th, &a[1])?;
    let rest = with_data(&a[0], |data| data.strip_prefix(prefix.as_ref()).map(<[u8]>::to_vec));
    changed(th, &a[0], rest.filter(|_| !prefix.is_empty()))
}

pub fn removesuffix(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let suffix = argument(th, &a[1])?;
    let rest = with_data(&a[0], |data| data.strip_suffix(suffix.as_ref()).map(<[u8]>::to_vec));
    changed(th, &a[0], rest.filter(|_| !suffix.is_empty()))
}

/// Cuts self into a list of parts; a single part that is the whole is not copied.
fn cut(th: &mut Thread, value: &Value, ranges: impl FnOnce(&[u8]) -> Vec<Range<usize>>) -> PyResult<Value> {
    let parts: Option<Vec<Vec<u8>>> = with_data(value, |data| {
        let ranges = ranges(data);
        match ranges.as_slice() {
            [only] if only.len() == data.len() => None,
            _ => Some(ranges.into_iter().map(|range| data[range].to_vec()).collect()),
        }
    });
    let parts = match parts {
        None => vec![unchanged(th, value)?],
        Some(parts) => parts.into_iter().map(|part| make(th, value, part)).collect::<PyResult<_>>()?,
    };
    Ok(List::new(parts).into())
}

fn split_any(th: &mut Thread, a: &Args<'_>, right: bool) -> PyResult<Value> {
    let most = limit(th, a.opt(2))?;
    let Some(given) = a.opt_not_none(1) else {
        return cut(th, &a[0], |data| {
            if right {
                split::rsplit_space(data, split::is_byte_space, most)
            } else {
                split::split_space(data, split::is_byte_space, most)
            }
        });
    };
    let separator = argument(th, given)?;
    if separator.is_empty() {
        return Err(value_error(th, "empty separator"));
    }
    cut(th, &a[0], |data| {
        if right { split::rsplit_on(data, &separator, most) } else { split::split_on(data, &separator, most) }
    })
}

pub fn split(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    split_any(th, a, false)
}

pub fn rsplit(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    split_any(th, a, true)
}

pub fn splitlines(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let keep = match a.opt(1) {
        Some(keep) => truth(th, keep)?,
        None => false,
    };
    cut(th, &a[0], |data| split::split_lines(data, split::is_byte_line_break, keep))
}

fn partition_any(th: &mut Thread, a: &Args<'_>, right: bool) -> PyResult<Value> {
    let separator = argument(th, &a[1])?;
    if separator.is_empty() {
        return Err(value_error(th, "empty separator"));
    }
    let parts = with_data(&a[0], |data| {
        let at = if right { find::rfind(data, &separator) } else { find::find(data, &separator) }?;
        Some((data[..at].to_vec(), data[at + separator.len()..].to_vec()))
    });
    let empty = |th: &mut Thread| make(th, &a[0], Vec::new());
    Ok(match parts {
        Some((head, tail)) => {
            let middle = if a[0].downcast_ref::<krait_object::Bytes>().is_some() {
                a[1].clone()
            } else {
                make(th, &a[0], separator.into_owned())?
            };
            Tuple::of([make(th, &a[0], head)?, middle, make(th, &a[0], tail)?]).into()
        }
        None if right => Tuple::of([empty(th)?, empty(th)?, unchanged(th, &a[0])?]).into(),
        None => Tuple::of([unchanged(th, &a[0])?, empty(th)?, empty(th)?]).into(),
    })
}

pub fn partition(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    partition_any(th, a, false)
}

pub fn rpartition(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    partition_any(th, a, true)
}

pub fn replace(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let old = argument(th, &a[1])?;
    let new = argument(th, &a[2])?;
    let most = limit(th, a.opt(3))?;
    let made = with_data(&a[0], |data| find::replace(data, &old, &new, most));
    let made = fit(th, made)?;
    changed(th, &a[0], made)
}

fn strip_any(th: &mut Thread, a: &Args<'_>, left: bool, right: bool) -> PyResult<Value> {
    let set = match a.opt_not_none(1) {
        Some(given) => Some(argument(th, given)?),
        None => None,
    };
    let kept = with_data(&a[0], |data| {
        let stripped = |byte: u8| match &set {
            Some(set) => set.contains(&byte),
            None => split::is_byte_space(u32::from(byte)),
        };
        let range = split::strip(data, left, right, stripped);
        (range.len() != data.len()).then(|| data[range].to_vec())
    });
    changed(th, &a[0], kept)
}

pub fn strip(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    strip_any(th, a, true, true)
}

pub fn lstrip(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    strip_any(th, a, true, false)
}

pub fn rstrip(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    strip_any(th, a, false, true)
}
