//! `list.sort`: a stable merge sort that takes advantage of runs already in order. It sorts positions, not values, so that
//! an exception in a comparison leaves a permutation behind. Lists of ints, of floats or of strings alone are sorted without
//! calling `__lt__`. CPython: `list_sort_impl` (timsort with the powersort merge policy).
use std::cmp::Ordering;

use krait_object::{Args, CmpOp, List, PyResult, Str, StrData, Thread, Value};

use crate::errors::value_error;
use crate::protocol::{call, compare};

/// Runs shorter than this are extended by binary insertion.
const MIN_RUN: usize = 24;

pub fn sort_method(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let reverse = match a.opt(2) {
        Some(v) => compare::truth(th, v)?,
        None => false,
    };
    sort(th, a.this::<List>(), a.opt_not_none(1), reverse)?;
    Ok(Value::NONE)
}

/// Sorts in place. The list is empty while keys and comparisons run.
pub fn sort(th: &mut Thread, list: &List, key: Option<&Value>, reverse: bool) -> PyResult<()> {
    let mut items = list.replace(Vec::new());
    let result = sort_items(th, &mut items, key, reverse);
    // Finalisers of the keys see the list while it is empty.
    if th.has_pending() {
        th.run_pending();
    }
    let intruders = list.replace(items);
    let modified = intruders.capacity() != 0;
    drop(intruders);
    result?;
    if modified {
        return Err(value_error(th, "list modified during sort"));
    }
    Ok(())
}

/// Sorts a vector by `key`; on an error `items` is some permutation of what it was.
pub fn sort_items(th: &mut Thread, items: &mut Vec<Value>, key: Option<&Value>, reverse: bool) -> PyResult<()> {
    let keys = match key {
        None => None,
        Some(key) => {
            let mut keys = Vec::with_capacity(items.len());
            for item in items.iter() {
                keys.push(call::call(th, key, std::slice::from_ref(item))?);
            }
            Some(keys)
        }
    };
    if items.len() < 2 || sort_numbers(items, keys.as_deref(), reverse) {
        return Ok(());
    }
    let mut order: Vec<usize> = (0..items.len()).collect();
    // Reversed before and after, so that equal items keep their order.
    if reverse {
        order.reverse();
    }
    let result = order_by(th, keys.as_deref().unwrap_or(items), &mut order);
    if reverse {
        order.reverse();
    }
    let mut from: Vec<Option<Value>> = std::mem::take(items).into_iter().map(Some).collect();
    items.extend(order.into_iter().filter_map(|i| from[i].take()));
    result
}

/// Sorts where the keys are all small ints or all floats; false otherwise.
fn sort_numbers(items: &mut Vec<Value>, keys: Option<&[Value]>, reverse: bool) -> bool {
    let by = keys.unwrap_or(items);
    if by.iter().all(Value::is_int) {
        sort_numbers_by(items, keys, reverse, |v| v.as_int().unwrap_or(0));
    } else if by.iter().all(Value::is_float) {
        // No NaN is an immediate, so the comparison never fails.
        sort_numbers_by(items, keys, reverse, |v| v.as_float().unwrap_or(0.0));
    } else {
        return false;
    }
    true
}
fn sort_numbers_by<N: PartialOrd + Copy>(
    items: &mut Vec<Value>,
    keys: Option<&[Value]>,
    reverse: bool,
    number: impl Fn(&Value) -> N,
) {
    // Equal items keep their order either way.
    let order = |x: N, y: N| {
        let (x, y) = if reverse { (y, x) } else { (x, y) };
        x.partial_cmp(&y).unwrap_or(Ordering::Equal)
    };
    match keys {
        None => items.sort_by(|x, y| order(number(x), number(y))),
        Some(keys) => {
            let mut pairs: Vec<(N, Value)> = keys.iter().map(number).zip(items.drain(..)).collect();
            pairs.sort_by(|x, y| order(x.0, y.0));
            items.extend(pairs.into_iter().map(|(_, item)| item));
        }
    }
}

/// The first eight characters as one number that is ordered as they are; `None` where they have more than a byte each.
fn front(text: &Str) -> Option<u64> {
    let (StrData::Ascii(units) | StrData::Latin1(units)) = text.data() else { return None };
    let mut first = [0; 8];
    let n = units.len().min(8);
    first[..n].copy_from_slice(&units[..n]);
    Some(u64::from_be_bytes(first))
}
fn order_by(th: &mut Thread, keys: &[Value], order: &mut [usize]) -> PyResult<()> {
    if let Some(texts) = keys.iter().map(|k| k.downcast_exact::<Str>()).collect::<Option<Vec<&Str>>>() {
        match texts.iter().map(|text| front(text)).collect::<Option<Vec<u64>>>() {
            Some(fronts) => {
                // The fronts beside the positions, so that most comparisons look nowhere else.
                let mut pairs: Vec<(u64, usize)> = order.iter().map(|&i| (fronts[i], i)).collect();
                pairs.sort_by(|&(x, a), &(y, b)| x.cmp(&y).then_with(|| texts[a].order(texts[b])));
                order.iter_mut().zip(pairs).for_each(|(place, (_, i))| *place = i);
            }
            None => order.sort_by(|&a, &b| texts[a].order(texts[b])),
        }
        return Ok(());
    }
    Merger { keys, runs: Vec::new(), spare: Vec::new() }.sort(th, order)
}

struct Run {
    start: usize,
    len: usize,
    /// The depth of the boundary with the run before it in the ideal merge tree.
    power: u32,
}

struct Merger<'a> {
    keys: &'a [Value],
    runs: Vec<Run>,
    spare: Vec<usize>,
}

impl Merger<'_> {
    fn less(&self, th: &mut Thread, a: usize, b: usize) -> PyResult<bool> {
        compare::compare_bool(th, &self.keys[a], &self.keys[b], CmpOp::Lt)
    }

    fn sort(&mut self, th: &mut Thread, order: &mut [usize]) -> PyResult<()> {
        let n = order.len();
        let mut start = 0;
        while start < n {
            let mut len = self.count_run(th, &mut order[start..])?;
            if len < MIN_RUN {
                let forced = MIN_RUN.min(n - start);
                self.insert_into(th, &mut order[start..start + forced], len)?;
                len = forced;
            }
            let power = self.runs.last().map_or(0, |last| node_power(last.start, last.len, len, n));
            while self.runs.len() > 1 && self.runs.last().is_some_and(|r| r.power > power) {
                self.merge_last(th, order)?;
            }
            self.runs.push(Run { start, len, power });
            start += len;
        }
        while self.runs.len() > 1 {
            self.merge_last(th, order)?;
        }
        Ok(())
    }

    /// The length of the run at the front; a strictly descending one is reversed.
    fn count_run(&self, th: &mut Thread, order: &mut [usize]) -> PyResult<usize> {
        let n = order.len();
        if n < 2 {
            return Ok(n);
        }
        let mut len = 2;
        if self.less(th, order[1], order[0])? {
            while len < n && self.less(th, order[len], order[len - 1])? {
                len += 1;
            }
            order[..len].reverse();
        } else {
            while len < n && !self.less(th, order[len], order[len - 1])? {
                len += 1;
            }
        }
        Ok(len)
    }

    /// Sorts `order`, whose first `sorted` places are in order, by binary insertion.
    fn insert_into(&self, th: &mut Thread, order: &mut [usize], sorted: usize) -> PyResult<()> {
        for i in sorted..order.len() {
            let at = self.upper_bound(th, &order[..i], order[i])?;
            order[at..=i].rotate_right(1);
        }
        Ok(())
    }

    /// The first place whose key is greater than `pivot`'s.
    fn upper_bound(&self, th: &mut Thread, order: &[usize], pivot: usize) -> PyResult<usize> {
        let (mut low, mut high) = (0, order.len());
        while low < high {
            let mid = low + (high - low) / 2;
            if self.less(th, pivot, order[mid])? { high = mid } else { low = mid + 1 }
        }
        Ok(low)
    }
    /// The first place whose key is not less than `pivot`'s.
    fn lower_bound(&self, th: &mut Thread, order: &[usize], pivot: usize) -> PyResult<usize> {
        let (mut low, mut high) = (0, order.len());
        while low < high {
            let mid = low + (high - low) / 2;
            if self.less(th, order[mid], pivot)? { low = mid + 1 } else { high = mid }
        }
        Ok(low)
    }

    /// Merges the last two runs.
    fn merge_last(&mut self, th: &mut Thread, order: &mut [usize]) -> PyResult<()> {
        let (Some(right), Some(left)) = (self.runs.pop(), self.runs.last_mut()) else { return Ok(()) };
        let (start, mid) = (left.start, right.start);
        left.len += right.len;
        let end = mid + right.len;
        // What is already in place at both ends need not move.
        let low = start + self.upper_bound(th, &order[start..mid], order[mid])?;
        if low == mid {
            return Ok(());
        }
        let high = mid + self.lower_bound(th, &order[mid..end], order[mid - 1])?;
        self.merge(th, &mut order[low..high], mid - low)
    }

    fn merge(&mut self, th: &mut Thread, order: &mut [usize], mid: usize) -> PyResult<()> {
        let mut left = std::mem::take(&mut self.spare);
        left.clear();
        left.extend_from_slice(&order[..mid]);
        let (mut i, mut j, mut out) = (0, mid, 0);
        let mut result = Ok(());
        while i < left.len() && j < order.len() {
            match self.less(th, order[j], left[i]) {
                Ok(true) => {
                    order[out] = order[j];
                    j += 1;
                }
                Ok(false) => {
                    order[out] = left[i];
                    i += 1;
                }
                Err(e) => {
                    result = Err(e);
                    break;
                }
            }
            out += 1;
        }
        // `out + left.len() - i == j`: the rest of the left run fits exactly, after an error too.
        order[out..j].copy_from_slice(&left[i..]);
        self.spare = left;
        result
    }
}

/// Powersort's node power of the boundary between a run at `start` of `len` and the next of `next` in `total`.
fn node_power(start: usize, len: usize, next: usize, total: usize) -> u32 {
    let total = total as u128;
    let mut a = 2 * start as u128 + len as u128;
    let mut b = a + len as u128 + next as u128;
    let mut power = 0;
    loop {
        power += 1;
        if a >= total {
            a -= total;
            b -= total;
        } else if b >= total {
            return power;
        }
        a <<= 1;
        b <<= 1;
    }
}
