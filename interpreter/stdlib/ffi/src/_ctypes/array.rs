//! Arrays: their classes, items and slices. CPython: `PyCArrayType_*` and `Array_*` of `_ctypes.c`.

use krait_object::native::class_method;
use krait_object::native::getset;
use krait_object::{
    Args, Bytes, ClassDef, GetSet, List, Locked, Method, PyResult, SlotDefs, Str, Thread, Type, TypeObject, Value,
    type_flag,
};
use krait_runtime::errors::{attribute_error, index_error, overflow_error, type_error, value_error};
use krait_runtime::protocol::{number, sequence, slice};
use krait_runtime::types::descriptor::getset_descriptor;
use krait_runtime::types::slice::Slice;

use super::data::{CDATA, CData, get_part, item_info, set_part, this};
use super::info::{self, Info, Kind};
use super::memory;
use super::meta::{self, ARRAY_META, class_attr, own_attr};

pub static ARRAY: TypeObject = TypeObject::builtin_of("Array", &CDATA, &ARRAY_META);
pub static DEF: ClassDef = ClassDef {
    module: "_ctypes",
    doc: "Abstract base class for arrays.",
    methods: METHODS,
    slots: SlotDefs {
        new: Some(|th, class, _| CData::owned(th, class)),
        init: Some(init),
        mp_len: Some(|_, v| Ok(this(v).length())),
        subscript: Some(subscript),
        set_subscript: Some(set_subscript),
        sq_len: Some(|_, v| Ok(this(v).length())),
        sq_item: Some(item),
        ..SlotDefs::EMPTY
    },
    flags: type_flag::BASE | type_flag::IMMUTABLE,
    ..ClassDef::new(&ARRAY)
};
static METHODS: &[Method] = &[class_method(
    "__class_getitem__",
    "(object, /)",
    "See PEP 585",
    krait_runtime::types::generic_alias::class_getitem,
)];

/// `value` and `raw` of character arrays.
static CHARACTERS: [GetSet; 2] = [
    getset("value", "string value", |_, v| Ok(string_value(this(v).address(), this(v).size())), set_value),
    getset("raw", "value", |_, v| Ok(Bytes::new(&this(v).bytes()).into()), set_raw),
];
static WIDE: [GetSet; 1] = [getset(
    "value",
    "string value",
    |_, v| Ok(wide_value(this(v).address(), this(v).size())),
    |th, v, value| {
        let Some(value) = value else { return Err(type_error(th, "cannot delete attribute")) };
        set_wide(th, this(v).address(), this(v).size(), value)
    },
)];

pub fn init_class(th: &mut Thread, class: &Value, args: &Args<'_>) -> PyResult<()> {
    meta::check_init(th, class, args)?;
    // Array itself has neither items nor a length.
    if class.is(&ARRAY.to_value()) {
        return Ok(());
    }
    let Some(length) = class_attr(class, "_length_") else {
        return Err(attribute_error(th, "class must define a '_length_' attribute"));
    };
    let Some(length) = length.as_int_ref() else {
        return Err(type_error(th, "The '_length_' attribute must be an integer"));
    };
    if length.is_negative() {
        return Err(value_error(th, "The '_length_' attribute must not be negative"));
    }
    let Some(length) = length.to_i64() else {
        return Err(overflow_error(th, "The '_length_' attribute is too large"));
    };
    let Some(item) = class_attr(class, "_type_") else {
        return Err(attribute_error(th, "class must define a '_type_' attribute"));
    };
    let Some(item_info) = info::of(th, &item) else {
        return Err(type_error(th, "_type_ must have storage info"));
    };
    let length = length as usize;
    let Some(size) = item_info.size.checked_mul(length).filter(|size| isize::try_from(*size).is_ok()) else {
        return Err(meta::too_large(th));
    };
    let mut info = Info::new(Kind::Array, size, item_info.align);
    info.length = length;
    info.format = item_info.format.clone();
    info.shape = std::iter::once(length).chain(item_info.shape.iter().copied()).collect();
    let code = if item_info.kind == Kind::Simple { item_info.code } else { '\0' };
    info::seal(th, &item);
    info.item = Some(item);
    info::set(th, class, info);
    let extra: &'static [GetSet] = match code {
        'c' => &CHARACTERS,
        'u' => &WIDE,
        _ => &[],
    };
    if let Some(class) = class.to_ref::<Type>()
        && let Some(dict) = class.dict()
    {
        for attribute in extra {
            if own_attr(&class.to_value(), attribute.name).is_none() {
                dict.set_text(attribute.name, getset_descriptor(&class, attribute));
            }
        }
        class.modified();
    }
    Ok(())
}

/// Array classes by item class and length.
#[derive(Default)]
struct Cache {
    made: Locked<Vec<((Value, usize), Value)>>,
}

/// The class of arrays of so many items.
pub fn type_of(th: &mut Thread, item: &Value, length: usize) -> PyResult<Value> {
    let cache = th.interp.extension::<Cache>();
    let found =
        cache.made.lock().iter().find(|(key, _)| key.1 == length && key.0.is(item)).map(|(_, made)| made.clone());
    if let Some(found) = found {
        return Ok(found);
    }
    let Some(class) = item.downcast_ref::<Type>() else {
        return Err(type_error(th, "Expected a type object"));
    };
    let name = format!("{}_Array_{length}", class.name());
    let attributes = [("_length_", Value::from(length)), ("_type_", item.clone())];
    let made = meta::make_class(th, &ARRAY_META, &name, &ARRAY.to_value(), &attributes)?;
    cache.made.lock().push(((item.clone(), length), made.clone()));
    Ok(made)
}

fn init(th: &mut Thread, v: &Value, args: &Args<'_>) -> PyResult<()> {
    for (index, value) in args.pos().iter().enumerate() {
        set_item(th, v, index as isize, Some(value))?;
    }
    Ok(())
}

fn place(th: &mut Thread, v: &Value, index: isize) -> PyResult<(Value, usize, usize)> {
    let info = info::of_instance(th, v);
    let index = usize::try_from(index).ok().filter(|&index| index < this(v).length());
    let (Some(info), Some(index)) = (info, index) else { return Err(index_error(th, "invalid index")) };
    let size = info.size / info.length.max(1);
    let item = info.item.clone().unwrap_or(Value::NONE);
    Ok((item, index, this(v).address() + index * size))
}

fn item(th: &mut Thread, v: &Value, index: isize) -> PyResult<Value> {
    let (class, index, address) = place(th, v, index)?;
    get_part(th, &class, v, index, address)
}

fn set_item(th: &mut Thread, v: &Value, index: isize, value: Option<&Value>) -> PyResult<()> {
    let Some(value) = value else { return Err(type_error(th, "Array does not support item deletion")) };
    let (class, index, address) = place(th, v, index)?;
    set_part(th, &class, v, index, address, value)
}

fn from_end(index: isize, length: usize) -> isize {
    if index < 0 { index + length as isize } else { index }
}

fn subscript(th: &mut Thread, v: &Value, key: &Value) -> PyResult<Value> {
    if number::has_index(key) {
        let index = number::index_isize_or_index_error(th, key)?;
        return item(th, v, from_end(index, this(v).length()));
    }
    let Some(slice) = key.downcast_ref::<Slice>() else { return Err(type_error(th, "indices must be integers")) };
    let places: Vec<usize> = slice::adjust(th, slice, this(v).length())?.places().collect();
    let info = info::of_instance(th, v);
    let code = info.as_ref().and_then(|info| item_info(th, info)).map_or('\0', |item| item.code);
    gather(th, v, code, this(v).address(), places.iter().map(|&place| place as isize), item)
}

/// The items at these places: bytes or a string of characters, else a list.
pub fn gather(
    th: &mut Thread,
    v: &Value,
    code: char,
    address: usize,
    places: impl Iterator<Item = isize>,
    item: fn(&mut Thread, &Value, isize) -> PyResult<Value>,
) -> PyResult<Value> {
    let at = |place: isize, size: isize| address.wrapping_add_signed(place * size);
    match code {
        'c' => {
            let bytes: Vec<u8> = places.map(|place| memory::load_small(at(place, 1), 1)[0]).collect();
            Ok(Bytes::new(&bytes).into())
        }
        'u' => {
            let points: Vec<u32> = places.flat_map(|place| memory::wide_string(at(place, 4), Some(1))).collect();
            Ok(Str::from_points(&points).into())
        }
        _ => {
            let items: PyResult<Vec<Value>> = places.map(|place| item(th, v, place)).collect();
            Ok(List::new(items?).into())
        }
    }
}

fn set_subscript(th: &mut Thread, v: &Value, key: &Value, value: Option<&Value>) -> PyResult<()> {
    let Some(value) = value else { return Err(type_error(th, "Array does not support item deletion")) };
    if number::has_index(key) {
        let index = number::index_isize_or_index_error(th, key)?;
        return set_item(th, v, from_end(index, this(v).length()), Some(value));
    }
    let Some(slice) = key.downcast_ref::<Slice>() else { return Err(type_error(th, "indices must be integer")) };
    let places: Vec<usize> = slice::adjust(th, slice, this(v).length())?.places().collect();
    if sequence::len(th, value)? != places.len() {
        return Err(value_error(th, "Can only assign sequence of same size"));
    }
    for (index, place) in places.into_iter().enumerate() {
        let item = sequence::get_item(th, value, &index.into())?;
        set_item(th, v, place as isize, Some(&item))?;
    }
    Ok(())
}

/// The bytes before the first NUL.
pub fn string_value(address: usize, size: usize) -> Value {
    let bytes = memory::load(address, size);
    let end = bytes.iter().position(|&byte| byte == 0).unwrap_or(size);
    Bytes::new(&bytes[..end]).into()
}

pub fn wide_value(address: usize, size: usize) -> Value {
    let points = memory::wide_string(address, Some(size / 4));
    let end = points.iter().position(|&c| c == 0).unwrap_or(points.len());
    Str::from_points(&points[..end]).into()
}

fn set_value(th: &mut Thread, v: &Value, value: Option<&Value>) -> PyResult<()> {
    let Some(value) = value else { return Err(type_error(th, "cannot delete attribute")) };
    let Some(bytes) = value.downcast_ref::<Bytes>() else {
        let name = value.class().name();
        return Err(type_error(th, format!("bytes expected instead of {name} instance")));
    };
    if bytes.len() > this(v).size() {
        return Err(value_error(th, "byte string too long"));
    }
    store_string(this(v).address(), this(v).size(), bytes);
    Ok(())
}

/// With a NUL behind, if there is room.
fn store_string(address: usize, size: usize, bytes: &[u8]) {
    memory::store(address, bytes);
    if bytes.len() < size {
        memory::store(address + bytes.len(), &[0]);
    }
}

/// A string as the value of a field that is a character array.
pub fn set_string(th: &mut Thread, address: usize, size: usize, value: &Value) -> PyResult<()> {
    let Some(bytes) = value.downcast_ref::<Bytes>() else {
        let name = value.class().name();
        return Err(type_error(th, format!("expected bytes, {name} found")));
    };
    // Only what comes before a NUL counts.
    let end = bytes.iter().position(|&byte| byte == 0).unwrap_or(bytes.len());
    if end > size {
        return Err(value_error(th, format!("bytes too long ({end}, maximum length {size})")));
    }
    store_string(address, size, &bytes[..end]);
    Ok(())
}

pub fn set_wide(th: &mut Thread, address: usize, size: usize, value: &Value) -> PyResult<()> {
    let Some(text) = value.downcast_ref::<Str>() else {
        let name = value.class().name();
        return Err(type_error(th, format!("unicode string expected instead of {name} instance")));
    };
    let room = size / 4;
    if text.len() > room {
        return Err(value_error(th, format!("string too long ({}, maximum length {room})", text.len())));
    }
    let end = (text.len() < room).then_some(0);
    let bytes: Vec<u8> = text.iter().chain(end).flat_map(u32::to_ne_bytes).collect();
    memory::store(address, &bytes);
    Ok(())
}

fn set_raw(th: &mut Thread, v: &Value, value: Option<&Value>) -> PyResult<()> {
    let Some(value) = value else { return Err(attribute_error(th, "cannot delete attribute")) };
    let bytes = krait_runtime::protocol::buffer::bytes_like(th, value)?;
    if bytes.len() > this(v).size() {
        return Err(value_error(th, "byte string too long"));
    }
    memory::store(this(v).address(), &bytes);
    Ok(())
}

/// Character arrays take strings, all arrays take tuples; `None` if the value is neither.
pub fn from_param(th: &mut Thread, class: &Value, info: &Info, value: &Value) -> PyResult<Option<Value>> {
    let code = item_info(th, info).filter(|item| item.kind == Kind::Simple).map_or('\0', |item| item.code);
    let length = match (code, value.downcast_ref::<Bytes>(), value.downcast_ref::<Str>()) {
        ('c', Some(bytes), _) => bytes.len(),
        ('u', _, Some(text)) => text.len(),
        _ => return Ok(None),
    };
    if length > info.length {
        return Err(value_error(th, "Invalid length"));
    }
    let Some(class) = class.to_ref::<Type>() else { return Ok(None) };
    let made = CData::owned(th, &class)?;
    match code {
        'c' => set_value(th, &made, Some(value))?,
        _ => set_wide(th, this(&made).address(), this(&made).size(), value)?,
    }
    Ok(Some(made))
}
