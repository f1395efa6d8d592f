//! Searching, splitting, replacing and stripping.

use krait_object::{Args, List, PyResult, Ref, Str, Thread, Tuple, Value};

use super::units::{StrUnit, by_width, clamp_bounds, exact, fit, limit, raw_bounds, str_arg, with_units};
use crate::errors::{memory_error, type_error, value_error};
use crate::protocol::compare::truth;
use crate::text::{Unit, find, split};
use crate::unicode;

#[derive(Clone, Copy)]
enum Search {
    First,
    Last,
    Count,
}

/// Searches the code points `start..end`; positions count from the text's start.
fn search<U: StrUnit>(text: &Str, sub: &Str, start: usize, end: usize, what: Search) -> Option<usize> {
    let text = U::units(text);
    let part = text.get(start..end)?;
    let sub = U::units(sub);
    match what {
        Search::First => find::find(part, &sub).map(|at| at + start),
        Search::Last => find::rfind(part, &sub).map(|at| at + start),
        Search::Count => Some(find::count(part, &sub)),
    }
}

/// The result of a search method that was called as `name(sub[, start[, end]])`.
fn run(th: &mut Thread, a: &Args<'_>, name: &str, what: Search) -> PyResult<Option<usize>> {
    let text: &Str = a.this();
    let sub = match a[1].downcast_ref::<Str>() {
        Some(sub) => sub,
        None => str_arg(th, &a[1], &format!("{name}() argument 1"))?,
    };
    let (start, end) = clamp_bounds(raw_bounds(th, a.opt(2), a.opt(3))?, text.len());
    if sub.kind().width() > text.kind().width() {
        return Ok(None);
    }
    Ok(by_width!(text.kind().width(), search(text, sub, start, end, what)))
}

fn position(found: Option<usize>) -> PyResult<Value> {
    Ok(found.map_or(Value::int(-1), Value::from))
}

fn position_or_error(th: &mut Thread, found: Option<usize>) -> PyResult<Value> {
    match found {
        Some(at) => Ok(at.into()),
        None => Err(value_error(th, "substring not found")),
    }
}

pub fn find(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    position(run(th, a, "find", Search::First)?)
}

pub fn rfind(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    position(run(th, a, "rfind", Search::Last)?)
}

pub fn index(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let found = run(th, a, "index", Search::First)?;
    position_or_error(th, found)
}

pub fn rindex(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let found = run(th, a, "rindex", Search::Last)?;
    position_or_error(th, found)
}

pub fn count(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    Ok(run(th, a, "count", Search::Count)?.unwrap_or(0).into())
}

/// Whether `sub` occurs in `text`.
pub fn contains_text(text: &Str, sub: &Str) -> bool {
    sub.kind().width() <= text.kind().width()
        && by_width!(text.kind().width(), search(text, sub, 0, text.len(), Search::First)).is_some()
}

pub fn contains(th: &mut Thread, text: &Value, sub: &Value) -> PyResult<bool> {
    let Some(text) = text.downcast_ref::<Str>() else { return Ok(false) };
    match sub.downcast_ref::<Str>() {
        Some(sub) => Ok(contains_text(text, sub)),
        None => {
            let name = sub.class().name();
            Err(type_error(th, format!("'in <string>' requires string as left operand, not {name}")))
        }
    }
}

/// Whether `text[start..end]` begins or ends with `affix`.
fn has_affix(text: &Str, affix: &Str, (start, end): (usize, usize), at_end: bool) -> bool {
    let fits = end.checked_sub(start).is_some_and(|len| affix.len() <= len && start <= text.len());
    if !fits {
        return false;
    }
    let from = if at_end { end - affix.len() } else { start };
    match (text.as_ascii(), affix.as_ascii()) {
        (Some(text), Some(affix)) => text.as_bytes()[from..].starts_with(affix.as_bytes()),
        _ => (0..affix.len()).all(|i| text.get(from + i) == affix.get(i)),
    }
}

fn affix(th: &mut Thread, a: &Args<'_>, name: &str, at_end: bool) -> PyResult<Value> {
    let text: &Str = a.this();
    let bounds = clamp_bounds(raw_bounds(th, a.opt(2), a.opt(3))?, text.len());
    if let Some(sub) = a[1].downcast_ref::<Str>() {
        return Ok(Value::bool(has_affix(text, sub, bounds, at_end)));
    }
    let Some(all) = a[1].downcast_ref::<Tuple>() else {
        let given = a[1].class().name();
        return Err(type_error(th, format!("{name} first arg must be str or a tuple of str, not {given}")));
    };
    for item in all.iter() {
        let Some(sub) = item.downcast_ref::<Str>() else {
            let given = item.class().name();
            return Err(type_error(th, format!("tuple for {name} must only contain str, not {given}")));
        };
        if has_affix(text, sub, bounds, at_end) {
            return Ok(Value::TRUE);
        }
    }
    Ok(Value::FALSE)
}

pub fn startswith(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    affix(th, a, "startswith", false)
}

pub fn endswith(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    affix(th, a, "endswith", true)
}

fn whole(text: &Str) -> (usize, usize) {
    (0, text.len())
}

pub fn removeprefix(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let text: &Str = a.this();
    let prefix = str_arg(th, &a[1], "removeprefix() argument")?;
    if has_affix(text, prefix, whole(text), false) && !prefix.is_empty() {
        return Ok(text.slice(prefix.len(), text.len()).into());
    }
    Ok(exact(&a[0], text))
}

pub fn removesuffix(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let text: &Str = a.this();
    let suffix = str_arg(th, &a[1], "removesuffix() argument")?;
    if has_affix(text, suffix, whole(text), true) && !suffix.is_empty() {
        return Ok(text.slice(0, text.len() - suffix.len()).into());
    }
    Ok(exact(&a[0], text))
}

fn parts(text: &Str, ranges: Vec<std::ops::Range<usize>>) -> Value {
    List::new(ranges.into_iter().map(|range| text.slice(range.start, range.end).into()).collect()).into()
}

fn split_by<U: StrUnit>(text: &Str, separator: &Str, limit: usize, right: bool) -> Vec<std::ops::Range<usize>> {
    let (text, separator) = (U::units(text), U::units(separator));
    if right { split::rsplit_on(&text, &separator, limit) } else { split::split_on(&text, &separator, limit) }
}

fn split_any(th: &mut Thread, a: &Args<'_>, right: bool) -> PyResult<Value> {
    let value = &a[0];
    let text: &Str = a.this();
    let most = limit(th, a.opt(2))?;
    let Some(given) = a.opt_not_none(1) else {
        let ranges = with_units!(text, |units| if right {
            split::rsplit_space(units, unicode::is_space, most)
        } else {
            split::split_space(units, unicode::is_space, most)
        });
        return Ok(match ranges.as_slice() {
            [only] if only.len() == text.len() => List::new(vec![exact(value, text)]).into(),
            _ => parts(text, ranges),
        });
    };
    let Some(separator) = given.downcast_ref::<Str>() else {
        return Err(type_error(th, format!("must be str or None, not {}", given.class().name())));
    };
    if separator.is_empty() {
        return Err(value_error(th, "empty separator"));
    }
    if separator.kind().width() > text.kind().width() {
        return Ok(List::new(vec![exact(value, text)]).into());
    }
    let ranges = by_width!(text.kind().width(), split_by(text, separator, most, right));
    if let [_] = ranges.as_slice() {
        return Ok(List::new(vec![exact(value, text)]).into());
    }
    Ok(parts(text, ranges))
}

pub fn split(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    split_any(th, a, false)
}

pub fn rsplit(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    split_any(th, a, true)
}

pub fn splitlines(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let text: &Str = a.this();
    let keep = match a.opt(1) {
        Some(keep) => truth(th, keep)?,
        None => false,
    };
    let ranges = with_units!(text, |units| split::split_lines(units, unicode::is_line_break, keep));
    if let [only] = ranges.as_slice()
        && only.len() == text.len()
    {
        return Ok(List::new(vec![exact(&a[0], text)]).into());
    }
    Ok(parts(text, ranges))
}

fn partition_any(th: &mut Thread, a: &Args<'_>, right: bool) -> PyResult<Value> {
    let text: &Str = a.this();
    let Some(separator) = a[1].downcast_ref::<Str>() else {
        return Err(type_error(th, format!("must be str, not {}", a[1].class().name())));
    };
    if separator.is_empty() {
        return Err(value_error(th, "empty separator"));
    }
    let what = if right { Search::Last } else { Search::First };
    let found = if separator.kind().width() > text.kind().width() {
        None
    } else {
        by_width!(text.kind().width(), search(text, separator, 0, text.len(), what))
    };
    let (whole, empty): (Value, Value) = (exact(&a[0], text), Str::empty().into());
    Ok(match found {
        Some(at) => {
            Tuple::of([text.slice(0, at).into(), a[1].clone(), text.slice(at + separator.len(), text.len()).into()])
                .into()
        }
        None if right => Tuple::of([empty.clone(), empty, whole]).into(),
        None => Tuple::of([whole, empty.clone(), empty]).into(),
    })
}

pub fn partition(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    partition_any(th, a, false)
}

pub fn rpartition(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    partition_any(th, a, true)
}

fn replaced<U: StrUnit>(
    text: &Str,
    old: &Str,
    new: &Str,
    most: usize,
) -> Result<Option<Ref<Str>>, crate::numtext::OutOfMemory> {
    let made = find::replace(&U::units(text), &U::units(old), &U::units(new), most)?;
    Ok(made.map(|units| U::make(&units)))
}

pub fn replace(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let text: &Str = a.this();
    let old = str_arg(th, &a[1], "replace() argument 1")?;
    let new = str_arg(th, &a[2], "replace() argument 2")?;
    let most = limit(th, a.opt(3))?;
    if old.kind().width() > text.kind().width() || old.len() > text.len() || (!old.is_empty() && old.equals(new)) {
        return Ok(exact(&a[0], text));
    }
    if new.kind().width() > text.kind().width() && !contains_text(text, old) {
        return Ok(exact(&a[0], text));
    }
    if let (Some(text), Some(old), Some(new)) = (text.as_ascii(), old.as_ascii(), new.as_ascii())
        && !old.is_empty()
    {
        if let &[old] = old.as_bytes() {
            let n = text.bytes().filter(|&b| b == old).count();
            if n == 0 {
                return Ok(exact(&a[0], a.this()));
            }
            if n <= most {
                return replace_byte(th, text, old, new, n);
            }
        }
        let Some(first) = find::find(text.as_bytes(), old.as_bytes()).filter(|_| most > 0) else {
            return Ok(exact(&a[0], a.this()));
        };
        let (before, text) = text.split_at(first);
        let finder = find::Finder::new(old.as_bytes(), text.len());
        let places = || finder.occurrences(text.as_bytes(), most);
        let (n, end) = places().fold((0, 0), |(n, _), at| (n + 1, at + old.len()));
        let total =
            new.len().checked_mul(n).and_then(|added| added.checked_add(before.len() + text.len() - n * old.len()));
        let mut from = 0;
        let pieces = places().flat_map(|at| {
            let kept = &text[from..at];
            from = at + old.len();
            [kept, new]
        });
        return match total
            .and_then(|total| Str::from_ascii_pieces(total, [before].into_iter().chain(pieces).chain([&text[end..]])))
        {
            Some(made) => Ok(made.into()),
            None => Err(memory_error(th)),
        };
    }
    let width = text.kind().width().max(new.kind().width());
    let made = by_width!(width, replaced(text, old, new, most));
    Ok(fit(th, made)?.map_or_else(|| exact(&a[0], text), Value::from))
}

/// All `n` places of an ASCII character.
fn replace_byte(th: &mut Thread, text: &str, old: u8, new: &str, n: usize) -> PyResult<Value> {
    let total = new.len().checked_mul(n).and_then(|added| added.checked_add(text.len() - n));
    let mut pieces = text.split(char::from(old));
    let first = pieces.next().unwrap_or_default();
    let all = std::iter::once(first).chain(pieces.flat_map(|piece| [new, piece]));
    match total.and_then(|total| Str::from_ascii_pieces(total, all)) {
        Some(made) => Ok(made.into()),
        None => Err(memory_error(th)),
    }
}
fn strip_any(th: &mut Thread, a: &Args<'_>, name: &str, left: bool, right: bool) -> PyResult<Value> {
    let text: &Str = a.this();
    let range = match a.opt_not_none(1) {
        None => with_units!(text, |units| split::strip(units, left, right, |u| unicode::is_space(u.code()))),
        Some(chars) => {
            let Some(chars) = chars.downcast_ref::<Str>() else {
                return Err(type_error(th, format!("{name} arg must be None or str")));
            };
            let set: Vec<u32> = chars.iter().collect();
            with_units!(text, |units| split::strip(units, left, right, |u| set.contains(&u.code())))
        }
    };
    if range.len() == text.len() {
        return Ok(exact(&a[0], text));
    }
    Ok(text.slice(range.start, range.end).into())
}

pub fn strip(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    strip_any(th, a, "strip", true, true)
}

pub fn lstrip(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    strip_any(th, a, "lstrip", true, false)
}

pub fn rstrip(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    strip_any(th, a, "rstrip", false, true)
}
