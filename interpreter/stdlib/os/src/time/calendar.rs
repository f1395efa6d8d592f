//! `struct_time` and its conversions: gmtime, localtime, mktime, strftime, asctime, strptime, time zones.
use std::ffi::CString;

use krait_object::native::function;
use krait_object::{Args, Method, PyResult, Str, Thread, Tuple, Value};
use krait_platform::time::{self as clock, Calendar};
use krait_runtime::convert::{expect_str, fs_decode};
use krait_runtime::errors::{os_error, overflow_error, surrogates_not_allowed, type_error, value_error};
use krait_runtime::import::import_module;
use krait_runtime::protocol::{attr, number};
use krait_runtime::types::module;
use krait_runtime::types::structseq::StructSeqDef;

use crate::structs;
use krait_runtime::seconds;

pub(super) static STRUCT_TIME: StructSeqDef = StructSeqDef {
    module: "time",
    name: "struct_time",
    doc: "A time in years, months, days and so on: a sequence of nine ints. What gmtime(),\nlocaltime() and strptime() return and what asctime(), mktime() and strftime() take.\nThe fields count as people do, not as C does: tm_year is the year, tm_mon from 1.",
    fields: &[
        ("tm_year", "year, for example, 1993"),
        ("tm_mon", "month of year, range [1, 12]"),
        ("tm_mday", "day of month, range [1, 31]"),
        ("tm_hour", "hours, range [0, 23]"),
        ("tm_min", "minutes, range [0, 59]"),
        ("tm_sec", "seconds, range [0, 61])"),
        ("tm_wday", "day of week, range [0, 6], Monday is 0"),
        ("tm_yday", "day of year, range [1, 366]"),
        ("tm_isdst", "1 if summer time is in effect, 0 if not, and -1 if unknown"),
        ("tm_zone", "abbreviation of timezone name"),
        ("tm_gmtoff", "offset from UTC in seconds"),
    ],
    visible: 9,
    instantiable: true,
};
pub(super) static FUNCTIONS: &[Method] = &[
    function("gmtime", "([, seconds], /)", "A time since the epoch as struct_time in UTC; now by default.", |th, a| {
        let s = seconds_argument(th, a)?;
        broken_down(th, clock::gmtime(s))
    })
    .hidden(),
    function(
        "localtime",
        "([, seconds], /)",
        "A time since the epoch as struct_time in local time; now by default.",
        |th, a| {
            let s = seconds_argument(th, a)?;
            broken_down(th, clock::localtime(s))
        },
    )
    .hidden(),
    function("mktime", "(object, /)", "Seconds since the epoch of a struct_time in local time.", |th, a| {
        let c = from_tuple(th, &a[0], "iiiiiiiii;mktime(): illegal time tuple argument")?;
        match clock::mktime(&c) {
            Some(s) => Ok(Value::float(s as f64)),
            None => Err(overflow_error(th, "mktime argument out of range")),
        }
    }),
    function(
        "asctime",
        "([, tuple], /)",
        "A struct_time as text: 'Sat Jun 06 16:26:11 1998'; now by default.",
        |th, a| {
            let c = match a.opt(0) {
                None => now(th)?,
                Some(t) => {
                    let mut c = from_tuple(th, t, "iiiiiiiii;asctime(): illegal time tuple argument")?;
                    check(th, &mut c)?;
                    c
                }
            };
            Ok(ascii(&c))
        },
    )
    .hidden(),
    function("ctime", "([, seconds], /)", "A time since the epoch as text in local time; now by default.", |th, a| {
        let s = seconds_argument(th, a)?;
        match clock::localtime(s) {
            Ok(c) => Ok(ascii(&c)),
            Err(e) => Err(os_error(th, e, None)),
        }
    })
    .hidden(),
    function("strftime", "(format[, tuple], /)", "Format a struct_time; now by default.", strftime).hidden(),
    function("strptime", "", "strptime(string, format) -> struct_time\n\nParse text by a format.", |th, a| {
        let m = import_module(th, "_strptime")?;
        let f = attr::get_text(th, &m, "_strptime_time")?;
        krait_runtime::protocol::call::call_args(th, &f, a)
    }),
    function("tzset", "()", "Set the time zone anew from the environment variable TZ.", |th, _| {
        clock::tzset();
        let m = import_module(th, "time")?;
        set_zone(&m);
        Ok(Value::NONE)
    }),
];

fn seconds_argument(th: &mut Thread, a: &Args<'_>) -> PyResult<i64> {
    match a.opt_not_none(0) {
        Some(v) => seconds::whole(th, v),
        None => Ok(clock::clock_gettime(clock::CLOCK_REALTIME).unwrap_or(0).div_euclid(1_000_000_000)),
    }
}
fn now(th: &mut Thread) -> PyResult<Calendar> {
    let s = clock::clock_gettime(clock::CLOCK_REALTIME).unwrap_or(0).div_euclid(1_000_000_000);
    clock::localtime(s).map_err(|e| os_error(th, e, None))
}
fn broken_down(th: &mut Thread, c: Result<Calendar, i32>) -> PyResult<Value> {
    let c = match c {
        Ok(c) => c,
        Err(krait_platform::errno::EOVERFLOW) => {
            return Err(os_error(th, krait_platform::errno::EOVERFLOW, None));
        }
        Err(e) => return Err(os_error(th, e, None)),
    };
    let mut fields = vec![Value::int(i64::from(c.year) + 1900)];
    let rest = [c.mon + 1, c.mday, c.hour, c.min, c.sec, (c.wday + 6) % 7, c.yday + 1, c.isdst];
    fields.extend(rest.map(Value::from));
    fields.push(fs_decode(&c.zone).into());
    fields.push(c.gmtoff.into());
    Ok(structs::build(th, &STRUCT_TIME, fields))
}
/// `gettmarg`: a tuple of nine ints; `format` ends with the message for another length.
fn from_tuple(th: &mut Thread, v: &Value, format: &str) -> PyResult<Calendar> {
    let Some(items) = v.downcast_ref::<Tuple>().map(|t| t.to_vec()) else {
        return Err(type_error(th, "Tuple or struct_time argument required"));
    };
    if items.len() != 9 {
        let message = format.split_once(';').map_or(format, |f| f.1);
        return Err(type_error(th, message));
    }
    let mut n = [0i32; 9];
    for (slot, item) in n.iter_mut().zip(&items) {
        *slot = number::to_i32(th, item)?;
    }
    let [year, mon, mday, hour, min, sec, wday, yday, isdst] = n;
    let Some(year) = year.checked_sub(1900) else { return Err(overflow_error(th, "year out of range")) };
    let wday = (wday.wrapping_add(1)) % 7;
    let mut c = Calendar {
        sec,
        min,
        hour,
        mday,
        mon: mon.wrapping_sub(1),
        year,
        wday,
        yday: yday.wrapping_sub(1),
        isdst,
        ..Calendar::default()
    };
    if v.is_exact(structs::class(th, &STRUCT_TIME).object()) {
        let zone = attr::get_text(th, v, "tm_zone")?;
        if let Some(z) = zone.downcast_ref::<Str>() {
            c.zone = z.to_wtf8().into_owned();
        }
        let offset = attr::get_text(th, v, "tm_gmtoff")?;
        if !offset.is_none() {
            c.gmtoff = number::to_i64(th, &offset)?;
        }
    }
    Ok(c)
}
/// `checktm`: zeros that mean "first" become that; the rest must be in range, as the C library does not check.
fn check(th: &mut Thread, c: &mut Calendar) -> PyResult<()> {
    if c.mon == -1 {
        c.mon = 0;
    }
    if c.mday == 0 {
        c.mday = 1;
    }
    if c.yday == -1 {
        c.yday = 0;
    }
    let wrong = match () {
        () if !(0..=11).contains(&c.mon) => "month out of range",
        () if !(0..=31).contains(&c.mday) => "day of month out of range",
        () if !(0..=23).contains(&c.hour) => "hour out of range",
        () if !(0..=59).contains(&c.min) => "minute out of range",
        () if !(0..=61).contains(&c.sec) => "seconds out of range",
        () if c.wday < 0 => "day of week out of range",
        () if !(0..=365).contains(&c.yday) => "day of year out of range",
        () => return Ok(()),
    };
    Err(value_error(th, wrong))
}
fn ascii(c: &Calendar) -> Value {
    const DAYS: [&str; 7] = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];
    const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let (day, month) = (DAYS[c.wday as usize % 7], MONTHS[c.mon as usize % 12]);
    let year = i64::from(c.year) + 1900;
    Value::from(format!("{day} {month}{:3} {:02}:{:02}:{:02} {year}", c.mday, c.hour, c.min, c.sec))
}
fn strftime(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let format = expect_str(th, &a[0], "strftime", "argument 1")?;
    let mut c = match a.opt(1) {
        None => now(th)?,
        Some(t) => {
            let mut c = from_tuple(th, t, "iiiiiiiii;strftime(): illegal time tuple argument")?;
            check(th, &mut c)?;
            c
        }
    };
    c.isdst = c.isdst.clamp(-1, 1);
    let Some(text) = format.to_utf8() else { return Err(surrogates_not_allowed(th, &format)) };
    let Ok(text) = CString::new(text.as_bytes()) else {
        return Err(value_error(th, "embedded null character"));
    };
    Ok(fs_decode(&clock::strftime(&text, &c)).into())
}
/// `timezone`, `altzone`, `daylight`, `tzname`, from the offsets in January and July of this year.
pub(super) fn set_zone(m: &Value) {
    clock::tzset();
    let now = clock::clock_gettime(clock::CLOCK_REALTIME).unwrap_or(0).div_euclid(1_000_000_000);
    const YEAR: i64 = (365 * 24 + 6) * 3600;
    let january = now / YEAR * YEAR;
    let at = |t: i64| clock::localtime(t).map(|c| (-c.gmtoff, c.zone)).unwrap_or((0, b"   ".to_vec()));
    let ((first, first_name), (second, second_name)) = (at(january), at(january + YEAR / 2));
    // In the southern hemisphere, summer time is in January.
    let (standard, summer) = if first < second {
        ((second, second_name), (first, first_name))
    } else {
        ((first, first_name), (second, second_name))
    };
    let d = module::dict(m);
    d.set_text("timezone", standard.0);
    d.set_text("altzone", summer.0);
    d.set_text("daylight", i64::from(first != second));
    let names = [fs_decode(&standard.1).into(), fs_decode(&summer.1).into()];
    d.set_text("tzname", Tuple::new(names));
}
