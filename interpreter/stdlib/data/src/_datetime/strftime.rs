//! `strftime` of dates and times: what C's function does not know (`%f`, `%z`, `%:z`, `%Z`) is filled in first. And the
//! fixed formats.
use krait_object::{PyResult, Ref, Str, StrBuilder, Thread, Value};
use krait_runtime::errors::{surrogates_not_allowed, type_error};
use krait_runtime::protocol::attr;

use super::calendar::{Clock, Ymd};
use super::datetime::DateTime;
use super::delta::Delta;
use super::time::Time;
use super::tzinfo;
use crate::arguments::class_name;

const WEEKDAYS: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

pub fn ctime(d: Ymd, c: Clock) -> String {
    let (day, month) = (WEEKDAYS[d.weekday() as usize], MONTHS[d.month as usize - 1]);
    format!("{day} {month} {:2} {:02}:{:02}:{:02} {:04}", d.day, c.hour, c.minute, c.second, d.year)
}
/// An offset from UTC as `+HH:MM[:SS[.ffffff]]`.
pub fn offset(d: Delta, separator: &str) -> String {
    let total = d.total();
    let sign = if total < 0 { '-' } else { '+' };
    let c = Clock::from_micros(total.unsigned_abs() as i64);
    let mut out = format!("{sign}{:02}{separator}{:02}", c.hour, c.minute);
    if c.second != 0 || c.micro != 0 {
        out += &format!("{separator}{:02}", c.second);
    }
    if c.micro != 0 {
        out += &format!(".{:06}", c.micro);
    }
    out
}
/// A time of day by the `timespec` of `isoformat`; `None` where there is no such one.
pub fn clock(c: Clock, timespec: &str) -> Option<String> {
    let (h, m, s, us) = (c.hour, c.minute, c.second, c.micro);
    Some(match timespec {
        "auto" if us == 0 => format!("{h:02}:{m:02}:{s:02}"),
        "auto" | "microseconds" => format!("{h:02}:{m:02}:{s:02}.{us:06}"),
        "hours" => format!("{h:02}"),
        "minutes" => format!("{h:02}:{m:02}"),
        "seconds" => format!("{h:02}:{m:02}:{s:02}"),
        "milliseconds" => format!("{h:02}:{m:02}:{s:02}.{:03}", us / 1000),
        _ => return None,
    })
}

/// What the directives of our own ask of the object; a time asks its zone without a date.
struct Source<'a> {
    object: &'a Value,
}
impl Source<'_> {
    fn zone(&self) -> (Value, Value) {
        if let Some(d) = self.object.downcast_ref::<DateTime>() {
            return (d.tzinfo(), self.object.clone());
        }
        let zone = self.object.downcast_ref::<Time>().map_or(Value::NONE, Time::tzinfo);
        (zone, Value::NONE)
    }
    fn micros(&self) -> i32 {
        if let Some(d) = self.object.downcast_ref::<DateTime>() {
            return d.clock.micro;
        }
        self.object.downcast_ref::<Time>().map_or(0, |t| t.clock.micro)
    }
    fn offset(&self, th: &mut Thread, separator: &str) -> PyResult<String> {
        let (zone, argument) = self.zone();
        Ok(tzinfo::utcoffset(th, &zone, &argument)?.map_or(String::new(), |d| offset(d, separator)))
    }
    fn name(&self, th: &mut Thread) -> PyResult<Option<Ref<Str>>> {
        let (zone, argument) = self.zone();
        let name = tzinfo::tzname(th, &zone, &argument)?;
        if name.is_none() {
            return Ok(None);
        }
        // A percent sign in the name is no directive.
        let text = attr::call_method(th, &name, "replace", &["%".into(), "%%".into()])?;
        match text.downcast::<Str>() {
            Ok(s) => Ok(Some(s)),
            Err(v) => {
                let class = class_name(&v);
                Err(type_error(th, format!("tzname.replace() did not return a string, but '{class}'")))
            }
        }
    }
}

/// `time.strftime` on a format whose own directives are filled in.
pub fn wrap(th: &mut Thread, object: &Value, format: &Str, tuple: &Value) -> PyResult<Value> {
    if format.iter().any(|c| (0xD800..0xE000).contains(&c)) {
        let whole = format.slice(0, format.len());
        return Err(surrogates_not_allowed(th, &whole));
    }
    let source = Source { object };
    let points: Vec<u32> = format.iter().collect();
    let percent = u32::from(b'%');
    let mut out = StrBuilder::new();
    let mut i = 0;
    while i < points.len() {
        let c = points[i];
        i += 1;
        if c != percent || i == points.len() {
            out.push(c);
            continue;
        }
        let directive = char::from_u32(points[i]).unwrap_or('\0');
        i += 1;
        match directive {
            'z' => out.push_text(&source.offset(th, "")?),
            ':' if points.get(i) == Some(&u32::from(b'z')) => {
                i += 1;
                out.push_text(&source.offset(th, ":")?);
            }
            'Z' => {
                if let Some(name) = source.name(th)? {
                    out.push_str(&name);
                }
            }
            'f' => out.push_text(&format!("{:06}", source.micros())),
            _ => {
                out.push(percent);
                out.push(directive.into());
            }
        }
    }
    let module = krait_runtime::import::import_module(th, "time")?;
    attr::call_method(th, &module, "strftime", &[out.finish().into(), tuple.clone()])
}
