//! `_datetime`: dates, times and what lies between them. One file per class; the proleptic Gregorian calendar is in
//! `calendar`, ISO 8601 text in `iso_parse`, formats in `strftime`. CPython: `Modules/_datetimemodule.c`.
pub mod calendar;
mod date;
pub mod datetime;
pub mod datetime_arith;
mod datetime_class;
pub mod delta;
mod delta_arith;
mod iso_date;
mod iso_parse;
mod local;
mod strftime;
mod time;
mod timezone;
pub mod tzinfo;

use krait_object::{ModuleDef, PyResult, Thread, Value};
use krait_runtime::types::{capsule, module};

pub static MODULE: ModuleDef = ModuleDef {
    doc: "Fast implementation of the datetime module.",
    classes: &[&date::DEF, &datetime::DEF, &time::DEF, &delta::DEF, &tzinfo::DEF, &timezone::DEF, &iso_date::DEF],
    init: Some(init),
    ..ModuleDef::new("_datetime")
};

fn init(_: &mut Thread, m: &Value) -> PyResult<()> {
    let d = module::dict(m);
    drop(d.remove_text("IsoCalendarDate"));
    d.set_text("MINYEAR", calendar::MIN_YEAR);
    d.set_text("MAXYEAR", calendar::MAX_YEAR);
    d.set_text("UTC", timezone::utc());
    d.set_text("datetime_CAPI", capsule::new("datetime.datetime_CAPI"));
    Ok(())
}
