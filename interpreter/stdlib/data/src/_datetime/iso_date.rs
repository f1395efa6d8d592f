//! `IsoCalendarDate`: what `isocalendar()` returns, a tuple of year, week and weekday with names.
use krait_object::native::{getter, method};
use krait_object::{
    Args, ClassDef, GetSet, Method, PyResult, Ref, SlotDefs, Thread, Tuple, Type, TypeObject, Value,
    builtin_types::TUPLE, type_flag,
};
use krait_runtime::errors::memory_error;

use crate::arguments::Parameters;

pub static ISO_CALENDAR_DATE: TypeObject = TypeObject::builtin_like("IsoCalendarDate", &TUPLE);
pub static DEF: ClassDef = ClassDef {
    module: "datetime",
    doc: "The result of date.isocalendar() or datetime.isocalendar()\n\nThis object may be accessed either as a tuple of\n  ((year, week, weekday))\nor via the object attributes as named in the above tuple.",
    methods: METHODS,
    getset: GETSET,
    slots: SlotDefs {
        new: Some(new),
        repr: Some(|_, v| {
            let [y, w, d] = [0, 1, 2].map(|i| field(v, i).as_int().unwrap_or(0));
            Ok(format!("datetime.IsoCalendarDate(year={y}, week={w}, weekday={d})").into())
        }),
        ..SlotDefs::EMPTY
    },
    flags: type_flag::TUPLE_SUBCLASS | type_flag::SEQUENCE | type_flag::HAVE_GC | type_flag::MATCH_SELF,
    ..ClassDef::new(&ISO_CALENDAR_DATE)
};
static METHODS: &[Method] = &[method("__reduce__", "()", "", |_, a| {
    let items: Vec<Value> = a.this::<Tuple>().to_vec();
    let args = Tuple::of([Tuple::from_vec(items).into()]);
    Ok(Tuple::of([TUPLE.to_value(), args.into()]).into())
})];
static GETSET: &[GetSet] = &[
    getter("year", "", |_, v| Ok(field(v, 0))),
    getter("week", "", |_, v| Ok(field(v, 1))),
    getter("weekday", "", |_, v| Ok(field(v, 2))),
];

fn field(v: &Value, i: usize) -> Value {
    v.downcast_ref::<Tuple>().and_then(|t| t.get(i).cloned()).unwrap_or(Value::NONE)
}
pub fn create((year, week, day): (i32, i32, i32)) -> Value {
    let items = [year.into(), week.into(), day.into()];
    Tuple::try_new(items, &ISO_CALENDAR_DATE).map_or(Value::NONE, Value::from)
}
static PARAMETERS: Parameters<3> =
    Parameters { function: "IsoCalendarDate()", names: ["year", "week", "weekday"], required: 3, positional: 3 };
fn new(th: &mut Thread, class: &Ref<Type>, args: &Args<'_>) -> PyResult<Value> {
    let items = PARAMETERS.bind(th, args)?.map(|v| v.cloned().unwrap_or(Value::NONE));
    match Tuple::try_new(items, class.object()) {
        Some(t) => Ok(t.into()),
        None => Err(memory_error(th)),
    }
}
