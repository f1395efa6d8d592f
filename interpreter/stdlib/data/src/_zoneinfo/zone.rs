//! A zone's transitions: which offset is in force when.
use krait_macros::Trace;
use krait_object::{Bytes, PyResult, Thread, Tuple, Value};
use krait_runtime::errors::value_error;
use krait_runtime::protocol::{compare, iter, number, repr};

use super::rules::{Change, Rules};
use crate::_datetime::calendar::{Clock, EPOCH_ORDINAL, Ymd};
use crate::_datetime::delta::Delta;

/// An offset with what else is in force with it.
#[derive(Clone, Trace)]
pub struct Info {
    #[trace(skip)]
    pub seconds: i64,
    #[trace(skip)]
    dst_seconds: i64,
    pub offset: Value,
    pub dst: Value,
    pub name: Value,
}
impl Info {
    fn new(seconds: i64, dst_seconds: i64, name: Value) -> Info {
        let delta = |s: i64| Delta::of_seconds(s, 0).value();
        Info { seconds, dst_seconds, offset: delta(seconds), dst: delta(dst_seconds), name }
    }
}
/// What holds behind the last transition.
#[derive(Trace)]
enum After {
    Fixed(Info),
    Changing(Changing),
}
#[derive(Trace)]
struct Changing {
    standard: Info,
    daylight: Info,
    #[trace(skip)]
    start: Change,
    #[trace(skip)]
    end: Change,
}
#[derive(Trace)]
pub struct Zone {
    #[trace(skip)]
    utc: Vec<i64>,
    /// Transitions in local time, for fold 0 and 1.
    #[trace(skip)]
    local: [Vec<i64>; 2],
    infos: Vec<Info>,
    /// The info of each transition.
    #[trace(skip)]
    indices: Vec<usize>,
    #[trace(skip)]
    before: usize,
    after: After,
    #[trace(skip)]
    fixed: bool,
}

fn seconds(d: Ymd, c: Clock) -> i64 {
    (i64::from(d.ordinal()) - EPOCH_ORDINAL) * 86_400 + i64::from(c.seconds())
}
fn integers(th: &mut Thread, v: &Value) -> PyResult<Vec<i64>> {
    let items = iter::collect(th, v)?;
    let mut out = Vec::with_capacity(items.len());
    for item in items {
        out.push(number::to_i64(th, &item)?);
    }
    Ok(out)
}

impl Zone {
    /// Of what `zoneinfo._common.load_data` returns: transition indices, times, offsets, flags, names, TZ string.
    pub fn of(th: &mut Thread, data: &Tuple) -> PyResult<Zone> {
        let indices = integers(th, &data[0])?;
        let utc = integers(th, &data[1])?;
        let offsets = integers(th, &data[2])?;
        let names = iter::collect(th, &data[4])?;
        let mut is_dst = Vec::new();
        for flag in iter::collect(th, &data[3])? {
            is_dst.push(compare::truth(th, &flag)?);
        }
        if offsets.len() != is_dst.len() || offsets.len() != names.len() || indices.len() != utc.len() {
            return Err(value_error(th, "Invalid TZif data"));
        }
        let mut places = Vec::with_capacity(indices.len());
        for i in indices {
            match usize::try_from(i).ok().filter(|&i| i < offsets.len()) {
                Some(i) => places.push(i),
                None => {
                    let message = format!("Invalid transition index found while reading TZif: {i}");
                    return Err(value_error(th, message));
                }
            }
        }
        let dst = daylight_offsets(&places, &offsets, &is_dst);
        let infos: Vec<Info> =
            offsets.iter().zip(&dst).zip(names).map(|((&o, &d), name)| Info::new(o, d, name)).collect();
        let local = local_times(&places, &utc, &offsets);
        let before = is_dst.iter().position(|d| !d).or(places.first().copied()).unwrap_or(0);
        let after = after(th, &data[5], &places, &infos)?;
        let fixed = match &after {
            After::Changing(_) => false,
            After::Fixed(info) => match infos.as_slice() {
                [] => true,
                [only] => {
                    only.seconds == info.seconds
                        && only.dst_seconds == info.dst_seconds
                        && compare::eq(th, &only.name, &info.name)?
                }
                _ => false,
            },
        };
        Ok(Zone { utc, local, infos, indices: places, before, after, fixed })
    }
    /// The info of a zone whose offset never changes.
    pub fn fixed(&self) -> Option<Info> {
        match &self.after {
            After::Fixed(info) if self.fixed => Some(info.clone()),
            _ => None,
        }
    }
    fn transition(&self, i: usize) -> Info {
        self.infos[self.indices[i]].clone()
    }
    /// What is in force at a local time.
    pub fn local(&self, d: Ymd, c: Clock, fold: u8) -> Info {
        let (ts, times) = (seconds(d, c), &self.local[usize::from(fold.min(1))]);
        match (times.first(), times.last()) {
            (Some(&first), _) if ts < first => self.infos[self.before].clone(),
            (Some(_), Some(&last)) if ts <= last => self.transition(times.partition_point(|&t| t <= ts) - 1),
            _ => match &self.after {
                After::Fixed(info) => info.clone(),
                After::Changing(rules) => rules.local(ts, d.year, fold),
            },
        }
    }
    /// What is in force at a time in UTC, and whether its local time comes the second time.
    pub fn local_of_utc(&self, d: Ymd, c: Clock) -> (Info, bool) {
        let ts = seconds(d, c);
        let n = self.utc.len();
        if n > 0 && ts < self.utc[0] {
            return (self.infos[self.before].clone(), false);
        }
        if n == 0 || ts > self.utc[n - 1] {
            match &self.after {
                After::Changing(rules) => return rules.local_of_utc(ts, d.year),
                After::Fixed(info) if n == 0 => return (info.clone(), false),
                After::Fixed(_) => {}
            }
        }
        let next = self.utc.partition_point(|&t| t <= ts);
        let (earlier, now) = if n > 1 && ts >= self.utc[1] {
            (self.transition(next - 2), self.transition(next - 1))
        } else if let (After::Fixed(info), true) = (&self.after, ts > self.utc[n - 1]) {
            (self.transition(n - 1), info.clone())
        } else {
            (self.infos[self.before].clone(), self.transition(0))
        };
        let shift = earlier.seconds - now.seconds;
        let fold = shift > ts - self.utc[next - 1];
        (now, fold)
    }
}
impl Changing {
    fn pick(&self, ts: i64, start: i64, end: i64) -> Info {
        let dst = if start < end { start <= ts && ts < end } else { !(end <= ts && ts < start) };
        if dst { self.daylight.clone() } else { self.standard.clone() }
    }
    fn difference(&self) -> i64 {
        self.daylight.seconds - self.standard.seconds
    }
    fn local(&self, ts: i64, year: i32, fold: u8) -> Info {
        let (mut start, mut end) = (self.start.in_year(year), self.end.in_year(year));
        let diff = self.difference();
        // The period with the smaller offset begins at the end of the gap and ends at the end of the fold with fold 0,
        // and from the start to the start with fold 1.
        if (fold != 0) == (diff >= 0) {
            end -= diff;
        } else {
            start += diff;
        }
        self.pick(ts, start, end)
    }
    fn local_of_utc(&self, ts: i64, year: i32) -> (Info, bool) {
        let start = self.start.in_year(year) - self.standard.seconds;
        let end = self.end.in_year(year) - self.daylight.seconds;
        let diff = self.difference();
        let fold = if diff > 0 { (end..end + diff).contains(&ts) } else { (start..start - diff).contains(&ts) };
        (self.pick(ts, start, end), fold)
    }
}
fn after(th: &mut Thread, text: &Value, places: &[usize], infos: &[Info]) -> PyResult<After> {
    if let Some(b) = text.downcast_ref::<Bytes>().filter(|b| !b.is_empty()) {
        let parsed = std::str::from_utf8(b).ok().and_then(Rules::parse);
        let Some(rules) = parsed else {
            let shown = repr::repr(th, text)?;
            return Err(value_error(th, format!("Malformed TZ string: {shown}")));
        };
        let (name, seconds) = rules.standard;
        let standard = Info::new(seconds.into(), 0, name.into());
        return Ok(match rules.daylight {
            None => After::Fixed(standard),
            Some((name, offset, start, end)) => {
                let daylight = Info::new(offset.into(), i64::from(offset - seconds), name.into());
                After::Changing(Changing { standard, daylight, start, end })
            }
        });
    }
    let last = places.last().map(|&i| &infos[i]).or(infos.last());
    match last {
        Some(info) => Ok(After::Fixed(info.clone())),
        None => Err(value_error(th, "No time zone information found.")),
    }
}
/// What daylight saving time adds, which files do not say: the difference to standard time before or after it.
fn daylight_offsets(places: &[usize], offsets: &[i64], is_dst: &[bool]) -> Vec<i64> {
    let mut out = vec![0; offsets.len()];
    let wanted = is_dst.iter().filter(|&&d| d).count();
    let mut found = 0;
    for i in 1..places.len() {
        if found == wanted {
            return out;
        }
        let here = places[i];
        if !is_dst[here] || out[here] != 0 {
            continue;
        }
        let earlier = places[i - 1];
        let mut diff = if is_dst[earlier] { 0 } else { offsets[here] - offsets[earlier] };
        if diff == 0 && here + 1 < offsets.len() {
            let Some(&later) = places.get(i + 1) else { continue };
            if is_dst[later] {
                continue;
            }
            diff = offsets[here] - offsets[later];
        }
        if diff != 0 {
            found += 1;
            out[here] = diff;
        }
    }
    // One hour is a better guess than none.
    for (d, &flag) in out.iter_mut().zip(is_dst) {
        if *d == 0 && flag {
            *d = 3600;
        }
    }
    out
}
/// Transitions in local time: by the larger of the two offsets with fold 0, by the smaller with fold 1.
fn local_times(places: &[usize], utc: &[i64], offsets: &[i64]) -> [Vec<i64>; 2] {
    let mut out = [utc.to_vec(), utc.to_vec()];
    for i in 0..utc.len() {
        let earlier = if i == 0 { 0 } else { places[i - 1] };
        let now = if i == 0 && offsets.len() < 2 { 0 } else { places[i] };
        let (a, b) = (offsets[earlier], offsets[now]);
        out[0][i] = out[0][i].saturating_add(a.max(b));
        out[1][i] = out[1][i].saturating_add(a.min(b));
    }
    out
}
