//! `timedelta`: construction, attributes, text. Arithmetic is in `delta_arith`.
use krait_macros::{Payload, Trace};
use krait_object::native::{member, method};
use krait_object::{
    Args, ClassDef, CmpOp, GetSet, IntRef, Method, PyResult, Ref, SlotDefs, Thread, Tuple, Type, TypeObject, VTable,
    Value, builtin_types::OBJECT, hash, type_flag,
};
use krait_runtime::errors::{overflow_error, type_error, value_error};
use krait_runtime::types::type_::full_name;
use num_traits::ToPrimitive;

use super::delta_arith as arith;
use crate::arguments::{Parameters, class_name};

pub const MAX_DAYS: i32 = 999_999_999;
pub const US_PER_DAY: i128 = 86_400_000_000;

#[derive(Trace, Payload, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[payload(class = TIMEDELTA)]
pub struct Delta {
    #[trace(skip)]
    pub days: i32,
    /// 0 to 86399.
    #[trace(skip)]
    pub seconds: i32,
    /// 0 to 999999.
    #[trace(skip)]
    pub micros: i32,
}
static LAYOUT: VTable = VTable::of::<Delta>();
pub static TIMEDELTA: TypeObject = TypeObject::builtin("timedelta", Some(&OBJECT), &LAYOUT);

pub static DEF: ClassDef = ClassDef {
    module: "datetime",
    doc: "Difference between two datetime values.\n\ntimedelta(days=0, seconds=0, microseconds=0, milliseconds=0, minutes=0, hours=0, weeks=0)\n\nEach argument is an int or a float of either sign, 0 by default.",
    methods: METHODS,
    getset: GETSET,
    slots: SlotDefs {
        new: Some(new),
        repr: Some(repr),
        str: Some(|_, v| Ok(Delta::of(v).text().into())),
        hash: Some(|_, v| Ok(Delta::of(v).hash())),
        compare: Some(compare),
        add: Some(arith::add),
        subtract: Some(arith::subtract),
        multiply: Some(arith::multiply),
        remainder: Some(arith::remainder),
        divmod: Some(arith::divmod),
        floor_divide: Some(arith::floor_divide),
        true_divide: Some(arith::true_divide),
        negative: Some(|th, v| Delta::from_total(th, -Delta::of(v).total()).map(Delta::value)),
        positive: Some(|_, v| Ok(Delta::of(v).value())),
        absolute: Some(|th, v| Delta::from_total(th, Delta::of(v).total().abs()).map(Delta::value)),
        bool: Some(|_, v| Ok(Delta::of(v).total() != 0)),
        ..SlotDefs::EMPTY
    },
    flags: type_flag::BASE,
    attributes: Some(|_| {
        vec![
            ("min", Delta { days: -MAX_DAYS, seconds: 0, micros: 0 }.value()),
            ("max", Delta { days: MAX_DAYS, seconds: 86_399, micros: 999_999 }.value()),
            ("resolution", Delta { days: 0, seconds: 0, micros: 1 }.value()),
        ]
    }),
    ..ClassDef::new(&TIMEDELTA)
};
static METHODS: &[Method] = &[
    method("total_seconds", "()", "Total seconds in the duration.", |th, a| {
        let us = num_bigint::BigInt::from(a.this::<Delta>().total());
        arith::ratio(th, &us, &1_000_000.into()).map(Value::float)
    }),
    method("__reduce__", "()", "__reduce__() -> (cls, state)", |_, a| {
        let d = a.this::<Delta>();
        let state = Tuple::of([d.days.into(), d.seconds.into(), d.micros.into()]);
        Ok(Tuple::of([a[0].class_ref().into(), state.into()]).into())
    }),
];
static GETSET: &[GetSet] = &[
    member("days", "Number of days.", |_, v| Ok(Delta::of(v).days.into())),
    member("seconds", "Number of seconds (>= 0 and less than 1 day).", |_, v| Ok(Delta::of(v).seconds.into())),
    member("microseconds", "Number of microseconds (>= 0 and less than 1 second).", |_, v| {
        Ok(Delta::of(v).micros.into())
    }),
];

impl Delta {
    pub fn of(v: &Value) -> Delta {
        *v.downcast_ref().expect("the slot belongs to timedelta")
    }
    pub fn get(v: &Value) -> Option<Delta> {
        v.downcast_ref().copied()
    }
    /// All of it in microseconds.
    pub fn total(self) -> i128 {
        i128::from(self.days) * US_PER_DAY + i128::from(self.seconds) * 1_000_000 + i128::from(self.micros)
    }
    pub fn from_total(th: &mut Thread, us: i128) -> PyResult<Delta> {
        let days = us.div_euclid(US_PER_DAY);
        let rest = us.rem_euclid(US_PER_DAY) as i64;
        let Ok(days) = i32::try_from(days) else {
            return Err(overflow_error(th, "Python int too large to convert to C int"));
        };
        if !(-MAX_DAYS..=MAX_DAYS).contains(&days) {
            return Err(overflow_error(th, format!("days={days}; must have magnitude <= {MAX_DAYS}")));
        }
        Ok(Delta { days, seconds: (rest / 1_000_000) as i32, micros: (rest % 1_000_000) as i32 })
    }
    /// A delta of less than a few years, from its seconds and microseconds.
    pub fn of_seconds(seconds: i64, micros: i64) -> Delta {
        let seconds = seconds + micros.div_euclid(1_000_000);
        Delta {
            days: seconds.div_euclid(86_400) as i32,
            seconds: seconds.rem_euclid(86_400) as i32,
            micros: micros.rem_euclid(1_000_000) as i32,
        }
    }
    pub fn value(self) -> Value {
        Ref::new(self).into()
    }
    pub fn hash(self) -> i64 {
        hash::tuple([self.days, self.seconds, self.micros].map(|i| hash::int(i.into())).into_iter())
    }
    fn text(self) -> String {
        let (h, m, s) = (self.seconds / 3600, self.seconds / 60 % 60, self.seconds % 60);
        let days = match self.days {
            0 => String::new(),
            d => format!("{d} day{}, ", if d.abs() == 1 { "" } else { "s" }),
        };
        let micros = if self.micros == 0 { String::new() } else { format!(".{:06}", self.micros) };
        format!("{days}{h}:{m:02}:{s:02}{micros}")
    }
    /// Whether the delta may be an offset from UTC: less than a day in either direction.
    pub fn is_offset(self) -> bool {
        self.total().abs() < US_PER_DAY
    }
}

static PARAMETERS: Parameters<7> = Parameters {
    function: "__new__()",
    names: ["days", "seconds", "microseconds", "milliseconds", "minutes", "hours", "weeks"],
    required: 0,
    positional: 7,
};
const FACTORS: [i128; 7] = [US_PER_DAY, 1_000_000, 1, 1000, 60_000_000, 3_600_000_000, 7 * US_PER_DAY];
/// The order in which CPython adds the components up.
const ORDER: [usize; 7] = [2, 3, 1, 4, 5, 0, 6];

fn new(th: &mut Thread, class: &Ref<Type>, args: &Args<'_>) -> PyResult<Value> {
    let given = PARAMETERS.bind(th, args)?;
    let (mut sum, mut left) = (0i128, 0f64);
    for i in ORDER {
        if let Some(v) = given[i] {
            accumulate(th, v, i, &mut sum, &mut left)?;
        }
    }
    if left != 0.0 {
        sum += round_left(sum, left) as i128;
    }
    let made = Delta::from_total(th, sum)?;
    Ok(Ref::with_class(made, class.object()).into())
}
/// Rounds what is left of fractions half to even, the whole microseconds counted in.
fn round_left(sum: i128, left: f64) -> f64 {
    let whole = left.round();
    if (whole - left).abs() == 0.5 {
        let odd = (sum & 1) as f64;
        return 2.0 * ((left + odd) * 0.5).round() - odd;
    }
    whole
}
fn accumulate(th: &mut Thread, v: &Value, i: usize, sum: &mut i128, left: &mut f64) -> PyResult<()> {
    let factor = FACTORS[i];
    let mut add = |th: &mut Thread, n: Option<i128>| {
        let next = n.and_then(|n| n.checked_mul(factor)).and_then(|n| sum.checked_add(n));
        match next {
            Some(next) => {
                *sum = next;
                Ok(())
            }
            None => Err(overflow_error(th, "Python int too large to convert to C int")),
        }
    };
    if let Some(n) = v.as_int_ref() {
        let n = match n {
            IntRef::Small(n) => Some(i128::from(n)),
            IntRef::Big(n) => n.to_i128(),
        };
        return add(th, n);
    }
    let Some(f) = v.to_f64() else {
        let (name, class) = (PARAMETERS.names[i], class_name(v));
        return Err(type_error(th, format!("unsupported type for timedelta {name} component: {class}")));
    };
    if f.is_nan() {
        return Err(value_error(th, "cannot convert float NaN to integer"));
    }
    if f.is_infinite() {
        return Err(overflow_error(th, "cannot convert float infinity to integer"));
    }
    let whole = f.trunc();
    add(th, if whole.abs() < 1e38 { Some(whole as i128) } else { None })?;
    let scaled = factor as f64 * (f - whole);
    *sum += scaled.trunc() as i128;
    *left += scaled - scaled.trunc();
    Ok(())
}

fn repr(_: &mut Thread, v: &Value) -> PyResult<Value> {
    let d = Delta::of(v);
    let parts: Vec<String> = [("days", d.days), ("seconds", d.seconds), ("microseconds", d.micros)]
        .iter()
        .filter(|(_, n)| *n != 0)
        .map(|(name, n)| format!("{name}={n}"))
        .collect();
    let shown = if parts.is_empty() { "0".to_owned() } else { parts.join(", ") };
    Ok(format!("{}({shown})", full_name(&v.class_ref())).into())
}
fn compare(_: &mut Thread, a: &Value, b: &Value, op: CmpOp) -> PyResult<Value> {
    match (Delta::get(a), Delta::get(b)) {
        (Some(x), Some(y)) => Ok(op.of(x.cmp(&y)).into()),
        _ => Ok(Value::NOT_IMPLEMENTED),
    }
}
