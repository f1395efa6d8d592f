//! `date`. CPython: the first third of `Modules/_datetimemodule.c`.
use krait_macros::{Payload, Trace};
use krait_object::native::{class_method, getter, method};
use krait_object::{
    Args, Bytes, ClassDef, CmpOp, GetSet, Method, PyResult, Ref, SlotDefs, Str, Thread, Tuple, Type, TypeObject,
    VTable, Value, builtin_types::OBJECT, hash, type_flag,
};
use krait_runtime::errors::{overflow_error, type_error, value_error};
use krait_runtime::exceptions::OVERFLOW_ERROR;
use krait_runtime::protocol::{attr, number, repr};
use krait_runtime::seconds;
use krait_runtime::types::type_::full_name;

use super::calendar::{Clock, IsoError, MAX_ORDINAL, MAX_YEAR, MIN_YEAR, Ymd, days_in_month};
use super::datetime::DATETIME;
use super::delta::Delta;
use super::{iso_date, iso_parse, local, strftime};
use crate::arguments::{Parameters, construct};

#[derive(Trace, Payload)]
#[payload(class = DATE)]
pub struct Date {
    #[trace(skip)]
    pub ymd: Ymd,
}
static LAYOUT: VTable = VTable::of::<Date>();
pub static DATE: TypeObject = TypeObject::builtin("date", Some(&OBJECT), &LAYOUT);

pub static DEF: ClassDef = ClassDef {
    module: "datetime",
    doc: "date(year, month, day) --> date object",
    methods: METHODS,
    getset: GETSET,
    slots: SlotDefs {
        new: Some(new),
        repr: Some(|_, v| {
            let d = Date::of(v);
            Ok(format!("{}({}, {}, {})", full_name(&v.class_ref()), d.year, d.month, d.day).into())
        }),
        str: Some(|th, v| attr::call_method(th, v, "isoformat", &[])),
        hash: Some(|_, v| Ok(hash::bytes(&state(Date::of(v))))),
        compare: Some(compare),
        add: Some(add),
        subtract: Some(subtract),
        ..SlotDefs::EMPTY
    },
    flags: type_flag::BASE,
    attributes: Some(|_| {
        vec![
            ("min", Date::value(Ymd { year: MIN_YEAR, month: 1, day: 1 })),
            ("max", Date::value(Ymd { year: MAX_YEAR, month: 12, day: 31 })),
            ("resolution", Delta { days: 1, seconds: 0, micros: 0 }.value()),
        ]
    }),
    ..ClassDef::new(&DATE)
};
static METHODS: &[Method] = &[
    class_method("fromtimestamp", "(timestamp, /)", "Create a date from a POSIX timestamp, as local time.", |th, a| {
        let seconds = seconds::whole(th, &a[1])?;
        let ymd = local::date_of(th, seconds)?;
        make(th, &class_of(a), ymd)
    }),
    class_method("fromordinal", "(ordinal)", "int -> date corresponding to a proleptic Gregorian ordinal.", |th, a| {
        let ordinal = number::to_i32(th, &a[1])?;
        if ordinal < 1 {
            return Err(value_error(th, "ordinal must be >= 1"));
        }
        make(th, &class_of(a), Ymd::from_ordinal(ordinal.min(MAX_ORDINAL + 366)))
    }),
    class_method("fromisoformat", "(object, /)", "Construct a date from a string in ISO 8601 format.", |th, a| {
        let text = iso_argument(th, &a[1])?;
        let parsed = text.as_ascii().filter(|t| matches!(t.len(), 7 | 8 | 10)).and_then(iso_parse::date);
        match parsed {
            Some(ymd) => make(th, &class_of(a), ymd),
            None => Err(invalid_iso(th, &a[1])),
        }
    }),
    class_method(
        "fromisocalendar",
        "(year, week, day)",
        "int, int, int -> date of an ISO year, week and weekday.",
        from_iso_calendar,
    ),
    class_method("today", "()", "Current date, as seen by the class's fromtimestamp().", |th, a| {
        let module = krait_runtime::import::import_module(th, "time")?;
        let now = attr::call_method(th, &module, "time", &[])?;
        attr::call_method(th, &a[0], "fromtimestamp", &[now])
    }),
    method("ctime", "()", "Return ctime() style string.", |_, a| {
        Ok(strftime::ctime(Date::of(&a[0]), Clock::default()).into())
    }),
    method("strftime", "(format)", "format -> strftime() style string.", |th, a| {
        let format = crate::arguments::text(th, &a[1], "strftime()", 1)?;
        let tuple = attr::call_method(th, &a[0], "timetuple", &[])?;
        strftime::wrap(th, &a[0], format, &tuple)
    }),
    method("__format__", "(format_spec, /)", "Formats self with strftime.", format),
    method("timetuple", "()", "Return time tuple, compatible with time.localtime().", |th, a| {
        local::struct_time(th, Date::of(&a[0]), Clock::default(), -1)
    }),
    method("isocalendar", "()", "Return a named tuple containing ISO year, week number, and weekday.", |_, a| {
        Ok(iso_date::create(Date::of(&a[0]).iso()))
    }),
    method("isoformat", "()", "Return string in ISO 8601 format, YYYY-MM-DD.", |_, a| {
        Ok(iso_text(Date::of(&a[0])).into())
    }),
    method(
        "isoweekday",
        "()",
        "Return the day of the week represented by the date.\nMonday == 1 ... Sunday == 7",
        |_, a| Ok((Date::of(&a[0]).weekday() + 1).into()),
    ),
    method("toordinal", "()", "Return proleptic Gregorian ordinal.  January 1 of year 1 is day 1.", |_, a| {
        Ok(Date::of(&a[0]).ordinal().into())
    }),
    method(
        "weekday",
        "()",
        "Return the day of the week represented by the date.\nMonday == 0 ... Sunday == 6",
        |_, a| Ok(Date::of(&a[0]).weekday().into()),
    ),
    method(
        "replace",
        "(year=unchanged, month=unchanged, day=unchanged)",
        "Return date with new specified fields.",
        |th, a| replace(th, a, &REPLACE),
    )
    .raw(),
    method("__replace__", "(**changes)", "The same as replace().", |th, a| replace(th, a, &DUNDER_REPLACE)).raw(),
    method("__reduce__", "()", "__reduce__() -> (cls, state)", |_, a| {
        let state = Tuple::of([Bytes::new(&state(Date::of(&a[0]))).into()]);
        Ok(Tuple::of([a[0].class_ref().into(), state.into()]).into())
    }),
];
static GETSET: &[GetSet] = &[
    getter("year", "", |_, v| Ok(Date::of(v).year.into())),
    getter("month", "", |_, v| Ok(Date::of(v).month.into())),
    getter("day", "", |_, v| Ok(Date::of(v).day.into())),
];

impl Date {
    pub fn of(v: &Value) -> Ymd {
        v.downcast_ref::<Date>().expect("the slot belongs to date").ymd
    }
    pub fn get(v: &Value) -> Option<Ymd> {
        v.downcast_ref::<Date>().map(|d| d.ymd)
    }
    /// An exact date; the fields are in range.
    pub fn value(ymd: Ymd) -> Value {
        Ref::new(Date { ymd }).into()
    }
}
/// The class that a class method was called on.
pub fn class_of(a: &Args<'_>) -> Ref<Type> {
    a.this_ref::<Type>()
}
/// The four bytes that pickles and hashes hold.
pub fn state(d: Ymd) -> [u8; 4] {
    [(d.year >> 8) as u8, d.year as u8, d.month as u8, d.day as u8]
}
pub fn check(th: &mut Thread, d: Ymd) -> PyResult<()> {
    if !(MIN_YEAR..=MAX_YEAR).contains(&d.year) {
        return Err(value_error(th, format!("year {} is out of range", d.year)));
    }
    if !(1..=12).contains(&d.month) {
        return Err(value_error(th, "month must be in 1..12"));
    }
    if !(1..=days_in_month(d.year, d.month)).contains(&d.day) {
        return Err(value_error(th, "day is out of range for month"));
    }
    Ok(())
}
/// A date of `class`: through its constructor where it is not `date` itself.
fn make(th: &mut Thread, class: &Ref<Type>, d: Ymd) -> PyResult<Value> {
    if class.is(&DATE) {
        check(th, d)?;
        return Ok(Date::value(d));
    }
    construct(th, class, &[d.year.into(), d.month.into(), d.day.into()])
}
pub fn iso_text(d: Ymd) -> String {
    format!("{:04}-{:02}-{:02}", d.year, d.month, d.day)
}

pub fn iso_argument<'a>(th: &mut Thread, v: &'a Value) -> PyResult<&'a Str> {
    v.downcast_ref::<Str>().ok_or_else(|| type_error(th, "fromisoformat: argument must be str"))
}
pub fn invalid_iso(th: &mut Thread, text: &Value) -> krait_object::Raised {
    match repr::repr(th, text) {
        Ok(shown) => value_error(th, format!("Invalid isoformat string: {shown}")),
        Err(raised) => raised,
    }
}
fn from_iso_calendar(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let mut parts = [0; 3];
    for (i, part) in parts.iter_mut().enumerate() {
        *part = match number::to_i32(th, &a[i + 1]) {
            Ok(n) => n,
            Err(raised) => {
                krait_runtime::errors::catch(th, raised, &OVERFLOW_ERROR)?;
                return Err(value_error(th, "ISO calendar component out of range"));
            }
        };
    }
    let [year, week, day] = parts;
    match Ymd::from_iso(year, week, day) {
        Ok(ymd) => make(th, &class_of(a), ymd),
        Err(IsoError::Year) => Err(value_error(th, format!("Year is out of range: {year}"))),
        Err(IsoError::Week) => Err(value_error(th, format!("Invalid week: {week}"))),
        Err(IsoError::Day) => Err(value_error(th, format!("Invalid weekday: {day} (range is [1, 7])"))),
    }
}
pub fn format(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let spec = crate::arguments::text(th, &a[1], "__format__()", 1)?;
    if spec.is_empty() {
        return repr::str(th, &a[0]).map(Value::from);
    }
    attr::call_method(th, &a[0], "strftime", &[a[1].clone()])
}

const fn replace_parameters(function: &'static str) -> Parameters<3> {
    Parameters { function, names: ["year", "month", "day"], required: 0, positional: 3 }
}
static REPLACE: Parameters<3> = replace_parameters("replace()");
static DUNDER_REPLACE: Parameters<3> = Parameters { positional: 0, ..replace_parameters("__replace__()") };

fn replace(th: &mut Thread, a: &Args<'_>, parameters: &Parameters<3>) -> PyResult<Value> {
    let d = Date::of(&a[0]);
    let mut fields = [d.year, d.month, d.day];
    let given = parameters.bind(th, &a.skip_first())?;
    for (field, v) in fields.iter_mut().zip(given) {
        if let Some(v) = v {
            *field = number::to_i32(th, v)?;
        }
    }
    let [year, month, day] = fields;
    make(th, &a[0].class_ref(), Ymd { year, month, day })
}

static PARAMETERS: Parameters<3> =
    Parameters { function: "function", names: ["year", "month", "day"], required: 3, positional: 3 };

fn new(th: &mut Thread, class: &Ref<Type>, args: &Args<'_>) -> PyResult<Value> {
    if let [only] = args.pos()
        && !args.has_kw()
        && let Some(bytes) = pickled::<4>(th, only, "date", |s| (1..=12).contains(&s[2]))?
    {
        return Ok(Ref::with_class(Date { ymd: from_state(&bytes) }, class.object()).into());
    }
    let [year, month, day] = PARAMETERS.bind(th, args)?.map(|v| v.expect("all are required"));
    let ymd = Ymd { year: number::to_i32(th, year)?, month: number::to_i32(th, month)?, day: number::to_i32(th, day)? };
    check(th, ymd)?;
    Ok(Ref::with_class(Date { ymd }, class.object()).into())
}
pub fn from_state(b: &[u8]) -> Ymd {
    Ymd { year: i32::from(b[0]) << 8 | i32::from(b[1]), month: b[2].into(), day: b[3].into() }
}
/// The state that a pickle passes as the constructor's first argument: bytes, or a str from a pickle of Python 2.
pub fn pickled<const N: usize>(
    th: &mut Thread,
    v: &Value,
    class: &str,
    sane: fn(&[u8; N]) -> bool,
) -> PyResult<Option<[u8; N]>> {
    if let Some(b) = v.downcast_ref::<Bytes>() {
        return Ok(b.as_slice().try_into().ok().filter(sane));
    }
    let Some(s) = v.downcast_ref::<Str>().filter(|s| s.len() == N) else { return Ok(None) };
    // The sanity check of CPython sees one character only, before it encodes the whole.
    let points: Vec<u32> = s.iter().collect();
    let low: Vec<u8> = points.iter().map(|&c| u8::try_from(c).unwrap_or(u8::MAX)).collect();
    let Ok(low) = <[u8; N]>::try_from(low.as_slice()) else { return Ok(None) };
    if !sane(&low) {
        return Ok(None);
    }
    if points.iter().any(|&c| c > 255) {
        let message = format!(
            "Failed to encode latin1 string when unpickling a {class} object. pickle.load(data, encoding='latin1') is assumed."
        );
        return Err(value_error(th, message));
    }
    Ok(Some(low))
}

/// Dates compare among themselves; a datetime is a date but no calendar day.
fn compare(_: &mut Thread, a: &Value, b: &Value, op: CmpOp) -> PyResult<Value> {
    match (Date::get(a), Date::get(b)) {
        (Some(x), Some(y)) if a.is_instance(&DATETIME) == b.is_instance(&DATETIME) => Ok(op.of(x.cmp(&y)).into()),
        _ => Ok(Value::NOT_IMPLEMENTED),
    }
}
fn shift(th: &mut Thread, date: &Value, days: i64) -> PyResult<Value> {
    let ordinal = i64::from(Date::of(date).ordinal()) + days;
    if !(1..=i64::from(MAX_ORDINAL)).contains(&ordinal) {
        return Err(overflow_error(th, "date value out of range"));
    }
    make(th, &date.class_ref(), Ymd::from_ordinal(ordinal as i32))
}
fn plain(v: &Value) -> Option<Ymd> {
    Date::get(v).filter(|_| !v.is_instance(&DATETIME))
}
fn add(th: &mut Thread, a: &Value, b: &Value) -> PyResult<Value> {
    match (plain(a), plain(b), Delta::get(a), Delta::get(b)) {
        (Some(_), _, _, Some(d)) => shift(th, a, d.days.into()),
        (_, Some(_), Some(d), _) => shift(th, b, d.days.into()),
        _ => Ok(Value::NOT_IMPLEMENTED),
    }
}
fn subtract(th: &mut Thread, a: &Value, b: &Value) -> PyResult<Value> {
    let Some(x) = plain(a) else { return Ok(Value::NOT_IMPLEMENTED) };
    if let Some(y) = plain(b) {
        return Ok(Delta { days: x.ordinal() - y.ordinal(), seconds: 0, micros: 0 }.value());
    }
    match Delta::get(b) {
        Some(d) => shift(th, a, -i64::from(d.days)),
        None => Ok(Value::NOT_IMPLEMENTED),
    }
}
