//! `_SimpleCData`: simple values as objects. CPython: `Simple_*` of `_ctypes.c`.

use krait_object::native::getset;
use krait_object::{Args, ClassDef, GetSet, PyResult, SlotDefs, Thread, TypeObject, Value, type_flag};
use krait_runtime::errors::type_error;
use krait_runtime::protocol::repr;

use super::data::{CDATA, CData, is_plain_simple, keep, this};
use super::info;
use super::meta::SIMPLE_META;
use super::simple;

pub static SIMPLE: TypeObject = TypeObject::builtin_of("_SimpleCData", &CDATA, &SIMPLE_META);
pub static DEF: ClassDef = ClassDef {
    module: "_ctypes",
    doc: "XXX to be provided",
    getset: GETSET,
    slots: SlotDefs {
        new: Some(|th, class, _| CData::owned(th, class)),
        init: Some(init),
        repr: Some(show),
        bool: Some(|_, v| Ok(this(v).bytes().iter().any(|&byte| byte != 0))),
        ..SlotDefs::EMPTY
    },
    flags: type_flag::BASE | type_flag::IMMUTABLE,
    ..ClassDef::new(&SIMPLE)
};
static GETSET: &[GetSet] = &[getset("value", "current value", value, set_value)];

fn init(th: &mut Thread, v: &Value, args: &Args<'_>) -> PyResult<()> {
    match args.pos() {
        [] => Ok(()),
        [value] => set_value(th, v, Some(value)),
        all => Err(type_error(th, format!("__init__ expected at most 1 argument, got {}", all.len()))),
    }
}

fn value(th: &mut Thread, v: &Value) -> PyResult<Value> {
    let info = info::required(th, &v.class_ref().to_value())?;
    simple::get(th, &info, this(v).address())
}

fn set_value(th: &mut Thread, v: &Value, value: Option<&Value>) -> PyResult<()> {
    let Some(value) = value else { return Err(type_error(th, "can't delete attribute")) };
    let info = info::required(th, &v.class_ref().to_value())?;
    let kept = simple::set(th, &info, v, this(v).address(), value)?;
    keep(th, v, 0, kept)
}

fn show(th: &mut Thread, v: &Value) -> PyResult<Value> {
    let class = v.class_ref();
    let name = class.name();
    match info::of(th, &class.to_value()) {
        Some(info) if is_plain_simple(&class, &info) => {
            let value = value(th, v)?;
            let shown = repr::repr(th, &value)?;
            Ok(Value::from(format!("{name}({shown})")))
        }
        _ => Ok(Value::from(format!("<{name} object at {:#x}>", v.bits()))),
    }
}
