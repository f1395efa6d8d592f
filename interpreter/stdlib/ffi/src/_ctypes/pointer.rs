//! Pointers: their classes, `contents`, items. CPython: `PyCPointerType_*` and `Pointer_*` of `_ctypes.c`.

use krait_object::native::getset;
use krait_object::{Args, ClassDef, Dict, GetSet, PyResult, SlotDefs, Str, Thread, Type, TypeObject, Value, type_flag};
use krait_runtime::errors::{type_error, value_error};
use krait_runtime::protocol::{attr, call, number};
use krait_runtime::types::slice::Slice;

use super::array::gather;
use super::data::{CDATA, CData, get_part, item_info, keep, kept, set_part, this};
use super::info::{self, Info, Kind};
use super::memory;
use super::meta::{self, POINTER_META, own_attr};
use super::parameter::Parameter;

pub static POINTER: TypeObject = TypeObject::builtin_of("_Pointer", &CDATA, &POINTER_META);
pub static DEF: ClassDef = ClassDef {
    module: "_ctypes",
    doc: "XXX to be provided",
    getset: GETSET,
    slots: SlotDefs {
        new: Some(|th, class, _| {
            if info::of(th, &class.to_value()).is_none_or(|info| info.item.is_none()) {
                return Err(type_error(th, "Cannot create instance: has no _type_"));
            }
            CData::owned(th, class)
        }),
        init: Some(init),
        bool: Some(|_, v| Ok(this(v).pointer() != 0)),
        subscript: Some(subscript),
        sq_item: Some(item),
        set_subscript: Some(|th, v, key, value| {
            let index = number::index_isize_or_index_error(th, key)?;
            set_item(th, v, index, value)
        }),
        ..SlotDefs::EMPTY
    },
    flags: type_flag::BASE | type_flag::IMMUTABLE,
    ..ClassDef::new(&POINTER)
};
static GETSET: &[GetSet] =
    &[getset("contents", "the object this pointer points to (read-write)", contents, set_contents)];

pub fn init_class(th: &mut Thread, class: &Value, args: &Args<'_>) -> PyResult<()> {
    meta::check_init(th, class, args)?;
    let mut info = Info::new(Kind::Pointer, 8, 8);
    info.length = 1;
    info.format = "&".into();
    info::set(th, class, info);
    if let Some(item) = own_attr(class, "_type_") {
        set_type(th, class, &item)?;
    }
    Ok(())
}

/// Sets what a pointer class points to.
pub fn set_type(th: &mut Thread, class: &Value, item: &Value) -> PyResult<()> {
    if item.downcast_ref::<Type>().is_none() {
        return Err(type_error(th, "_type_ must be a type"));
    }
    let Some(item_info) = info::of(th, item) else { return Err(type_error(th, "_type_ must have storage info")) };
    let shape: Vec<String> = item_info.shape.iter().map(usize::to_string).collect();
    let format = match shape.is_empty() {
        true => format!("&{}", item_info.format),
        false => format!("&({}){}", shape.join(","), item_info.format),
    };
    info::update(th, class, |info| {
        info.item = Some(item.clone());
        info.format = format;
    });
    Ok(())
}

fn item_class(th: &mut Thread, v: &Value) -> PyResult<Value> {
    match info::of_instance(th, v).and_then(|info| info.item.clone()) {
        Some(item) => Ok(item),
        None => Err(type_error(th, "Cannot create instance: has no _type_")),
    }
}

fn init(th: &mut Thread, v: &Value, args: &Args<'_>) -> PyResult<()> {
    match args.pos() {
        [] => Ok(()),
        [value] => set_contents(th, v, Some(value)),
        all => Err(type_error(th, format!("POINTER() takes at most 1 argument ({} given)", all.len()))),
    }
}

fn target(th: &mut Thread, v: &Value) -> PyResult<usize> {
    match this(v).pointer() {
        0 => Err(value_error(th, "NULL pointer access")),
        address => Ok(address),
    }
}

fn contents(th: &mut Thread, v: &Value) -> PyResult<Value> {
    let address = target(th, v)?;
    let class = item_class(th, v)?;
    CData::part(th, &class, Some(v), 0, address)
}

fn set_contents(th: &mut Thread, v: &Value, value: Option<&Value>) -> PyResult<()> {
    let Some(value) = value else { return Err(type_error(th, "Pointer does not support item deletion")) };
    let class = item_class(th, v)?;
    let fits = class.to_ref::<Type>().is_some_and(|class| value.is_instance(class.object()));
    let Some(data) = value.downcast_ref::<CData>().filter(|_| fits) else {
        let (wanted, given) = (super::data::class_name(&class), value.class().name());
        return Err(type_error(th, format!("expected {wanted} instead of {given}")));
    };
    memory::store(this(v).address(), &data.address().to_ne_bytes());
    // The object itself is kept as well, since its memory is what matters.
    keep(th, v, 1, value.clone())?;
    let referents = kept(value);
    keep(th, v, 0, referents)
}

fn item(th: &mut Thread, v: &Value, index: isize) -> PyResult<Value> {
    let address = target(th, v)?;
    let class = item_class(th, v)?;
    let size = info::required(th, &class)?.size as isize;
    get_part(th, &class, v, index as usize, address.wrapping_add_signed(index * size))
}

fn set_item(th: &mut Thread, v: &Value, index: isize, value: Option<&Value>) -> PyResult<()> {
    let Some(value) = value else { return Err(type_error(th, "Pointer does not support item deletion")) };
    let address = target(th, v)?;
    let class = item_class(th, v)?;
    let size = info::required(th, &class)?.size as isize;
    set_part(th, &class, v, index as usize, address.wrapping_add_signed(index * size), value)
}

fn subscript(th: &mut Thread, v: &Value, key: &Value) -> PyResult<Value> {
    if number::has_index(key) {
        let index = number::index_isize_or_index_error(th, key)?;
        return item(th, v, index);
    }
    if key.downcast_ref::<Slice>().is_none() {
        return Err(type_error(th, "Pointer indices must be integer"));
    }
    // There is no length that the bounds could be taken from.
    let start = attr::get_text(th, key, "start")?;
    let stop = attr::get_text(th, key, "stop")?;
    let step = attr::get_text(th, key, "step")?;
    let step = if step.is_none() { 1 } else { number::index_isize(th, &step)? };
    if step == 0 {
        return Err(value_error(th, "slice step cannot be zero"));
    }
    let start = match start.is_none() {
        true if step < 0 => return Err(value_error(th, "slice start is required for step < 0")),
        true => 0,
        false => number::index_isize(th, &start)?,
    };
    if stop.is_none() {
        return Err(value_error(th, "slice stop is required"));
    }
    let stop = number::index_isize(th, &stop)?;
    let address = target(th, v)?;
    let info = info::of_instance(th, v);
    let code = info.as_ref().and_then(|info| item_info(th, info)).map_or('\0', |item| item.code);
    let places = std::iter::successors(Some(start), |at| at.checked_add(step))
        .take_while(|&at| if step > 0 { at < stop } else { at > stop });
    gather(th, v, code, address, places, item)
}

/// What a pointer class takes besides its instances; `None` if the value is nothing like that.
pub fn from_param(th: &mut Thread, info: &Info, value: &Value) -> PyResult<Option<Value>> {
    if value.is_none() {
        return Ok(Some(Value::NONE));
    }
    let Some(item) = info.item.clone() else { return Ok(None) };
    if let Some(class) = item.to_ref::<Type>()
        && value.is_instance(class.object())
    {
        return Ok(Some(Parameter::reference(value, 0)));
    }
    if value.downcast_ref::<CData>().is_some()
        && let Some(given) = info::of_instance(th, value)
        && matches!(given.kind, Kind::Array | Kind::Pointer)
        && let Some(given) = given.item.as_ref().and_then(|given| given.to_ref::<Type>())
        && item.to_ref::<Type>().is_some_and(|item| given.object().is_subtype(item.object()))
    {
        return Ok(Some(value.clone()));
    }
    Ok(None)
}

/// `POINTER(type)`, through the module's cache.
pub fn type_for(th: &mut Thread, item: &Value) -> PyResult<Value> {
    let module = krait_runtime::import::import_module(th, "_ctypes")?;
    let cache = attr::get_text(th, &module, "_pointer_type_cache")?;
    let Some(cache) = cache.downcast_ref::<Dict>() else {
        return Err(type_error(th, "_pointer_type_cache must be a dict"));
    };
    if let Some(found) = cache.get(th, item)? {
        return Ok(found);
    }
    let base = POINTER.to_value();
    if let Some(name) = item.downcast_ref::<Str>() {
        let name = format!("LP_{}", name.to_string_lossy());
        let made = meta::make_class(th, &POINTER_META, &name, &base, &[])?;
        let key = Value::from(made.bits());
        cache.set(th, key, made.clone())?;
        return Ok(made);
    }
    let Some(class) = item.downcast_ref::<Type>() else {
        return Err(type_error(th, "must have a ctypes type"));
    };
    let name = format!("LP_{}", class.name());
    let made = meta::make_class(th, &POINTER_META, &name, &base, &[("_type_", item.clone())])?;
    cache.set(th, item.clone(), made.clone())?;
    Ok(made)
}

/// `pointer(object)`
pub fn to(th: &mut Thread, object: &Value) -> PyResult<Value> {
    let class = object.class_ref().to_value();
    let pointer = type_for(th, &class)?;
    call::call(th, &pointer, &[object.clone()])
}
