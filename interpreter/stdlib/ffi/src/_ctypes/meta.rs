//! The metaclasses: what every ctypes class can do, and how arrays are made of them. CPython: `CType_Type` and the
//! `*Type_init` functions of `_ctypes.c`.

use krait_object::buffer::flags;
use krait_object::builtin_types::TYPE;
use krait_object::native::method;
use krait_object::{
    Args, ClassDef, Dict, Method, PyResult, Ref, SlotDefs, Str, Thread, Tuple, Type, TypeObject, Value, type_flag,
};
use krait_runtime::errors::{self, attribute_error, overflow_error, system_error, type_error, value_error};
use krait_runtime::protocol::buffer::get_buffer;
use krait_runtime::protocol::{attr, call, number};
use krait_runtime::types::type_::new::type_new;

use super::data::{CData, class_name, keep, this};
use super::info::{self, Info, Kind};
use super::parameter::{self, Parameter};
use super::{array, function, library, memory, pointer, simple, structure};

static CTYPE: TypeObject = TypeObject::builtin_like("CType_Type", &TYPE);
pub static SIMPLE_META: TypeObject = TypeObject::builtin_like("PyCSimpleType", &CTYPE);
pub static STRUCT_META: TypeObject = TypeObject::builtin_like("PyCStructType", &CTYPE);
pub static UNION_META: TypeObject = TypeObject::builtin_like("UnionType", &CTYPE);
pub static ARRAY_META: TypeObject = TypeObject::builtin_like("PyCArrayType", &CTYPE);
pub static POINTER_META: TypeObject = TypeObject::builtin_like("PyCPointerType", &CTYPE);
pub static FUNCTION_META: TypeObject = TypeObject::builtin_like("PyCFuncPtrType", &CTYPE);

const FLAGS: u32 = type_flag::BASE | type_flag::IMMUTABLE | type_flag::HAVE_GC | type_flag::TYPE_SUBCLASS;
const fn meta(class: &'static TypeObject, slots: SlotDefs) -> ClassDef {
    ClassDef { module: "_ctypes", slots, flags: FLAGS, ..ClassDef::new(class) }
}

pub static DEFS: [ClassDef; 7] = [
    ClassDef {
        methods: METHODS,
        slots: SlotDefs { sq_repeat: Some(repeat), ..SlotDefs::EMPTY },
        ..meta(&CTYPE, SlotDefs::EMPTY)
    },
    meta(&SIMPLE_META, SlotDefs { init: Some(init_simple), ..SlotDefs::EMPTY }),
    meta(
        &STRUCT_META,
        SlotDefs { init: Some(structure::init_class), setattr: Some(structure::set_class_attr), ..SlotDefs::EMPTY },
    ),
    meta(
        &UNION_META,
        SlotDefs { init: Some(structure::init_class), setattr: Some(structure::set_class_attr), ..SlotDefs::EMPTY },
    ),
    meta(&ARRAY_META, SlotDefs { init: Some(array::init_class), ..SlotDefs::EMPTY }),
    ClassDef {
        methods: POINTER_METHODS,
        ..meta(&POINTER_META, SlotDefs { init: Some(pointer::init_class), ..SlotDefs::EMPTY })
    },
    meta(&FUNCTION_META, SlotDefs { init: Some(function::init_class), ..SlotDefs::EMPTY }),
];
static POINTER_METHODS: &[Method] = &[method("set_type", "(type, /)", "Set what is pointed to.", |th, a| {
    pointer::set_type(th, &a[0], &a[1])?;
    attr::set_text(th, &a[0], "_type_", &a[1])?;
    Ok(Value::NONE)
})];
static METHODS: &[Method] = &[
    method("from_param", "(value, /)", "Convert a Python object into a function call parameter.", |th, a| {
        from_param(th, &a[0], &a[1])
    }),
    method("from_address", "(value, /)", "An object over the memory at an address.", |th, a| {
        if a[1].as_int_ref().is_none() {
            return Err(type_error(th, "integer expected"));
        }
        let address = number::to_masked(th, &a[1], 64)? as usize;
        CData::at(th, &a[0], address)
    }),
    method("from_buffer", "(obj, offset=0, /)", "An object over the memory of a writable buffer.", from_buffer),
    method("from_buffer_copy", "(buffer, offset=0, /)", "An object with a copy of a buffer's bytes.", from_buffer_copy),
    method("in_dll", "(dll, name, /)", "An object over what a library exports under a name.", |th, a| {
        let handle = attr::get_text(th, &a[1], "_handle")?;
        let address = library::symbol(th, &handle, &a[2])?;
        CData::at(th, &a[0], address)
    }),
];

/// The attribute of a class as it is found by lookup, `None` if there is none.
pub fn class_attr(class: &Value, name: &str) -> Option<Value> {
    class.downcast_ref::<Type>()?.lookup(&krait_object::intern::intern(name))
}

/// The attribute that a class itself defines.
pub fn own_attr(class: &Value, name: &str) -> Option<Value> {
    class.downcast_ref::<Type>()?.dict()?.get_text(name)
}

/// Makes a ctypes class natively.
pub fn make_class(
    th: &mut Thread,
    meta: &'static TypeObject,
    name: &str,
    base: &Value,
    attributes: &[(&str, Value)],
) -> PyResult<Value> {
    let dict = Dict::new();
    for (key, value) in attributes {
        dict.set_text(key, value.clone());
    }
    let bases = Tuple::from_slice(&[base.clone()]);
    call::call(th, &meta.to_value(), &[Value::str(name), bases.into(), dict.into()])
}

/// `class * n`
fn repeat(th: &mut Thread, class: &Value, count: isize) -> PyResult<Value> {
    if count < 0 {
        return Err(value_error(th, format!("Array length must be >= 0, not {count}")));
    }
    array::type_of(th, class, count as usize)
}

/// A class is initialized once.
pub fn check_init(th: &mut Thread, class: &Value, args: &Args<'_>) -> PyResult<()> {
    if !matches!(args.pos().len(), 1 | 3) {
        return Err(type_error(th, "type.__init__() takes 1 or 3 arguments"));
    }
    if info::of(th, class).is_some() {
        let name = class_name(class);
        return Err(system_error(th, format!("StgInfo of '{name}' is already initialized.")));
    }
    Ok(())
}

const CODES: &str = "cbBhHiIlLdfuzZqQPXOv?g";
const SWAPPED: &str = "hHiIlLqQfd";

fn init_simple(th: &mut Thread, class: &Value, args: &Args<'_>) -> PyResult<()> {
    check_init(th, class, args)?;
    let Some(code) = attr::get_text_opt(th, class, "_type_")? else {
        return Err(attribute_error(th, "class must define a '_type_' attribute"));
    };
    let Some(text) = code.downcast_ref::<Str>() else {
        return Err(type_error(th, "class must define a '_type_' string attribute"));
    };
    if text.len() != 1 {
        let message = "class must define a '_type_' attribute which must be a string of length 1";
        return Err(value_error(th, message));
    }
    let letter = text.get(0).and_then(char::from_u32).unwrap_or('\0');
    let Some(size) = simple::size_of_code(letter) else {
        let message = format!(
            "class must define a '_type_' attribute which must be\na single character string containing one of '{CODES}'."
        );
        return Err(attribute_error(th, message));
    };
    let mut info = Info::new(Kind::Simple, size, size);
    info.code = letter;
    info.format = simple::format_of(letter, false);
    info.item = Some(code.clone());
    info::set(th, class, info.clone());
    if class.is_exact(&SIMPLE_META) && SWAPPED.contains(letter) {
        make_swapped(th, class, info)?;
    }
    Ok(())
}

/// The same type in the other byte order.
fn make_swapped(th: &mut Thread, class: &Value, mut info: Info) -> PyResult<()> {
    let Some(reference) = class.to_ref::<Type>() else { return Ok(()) };
    let name = format!("{}_be", reference.name());
    let dict = reference.dict().map_or_else(Dict::new, |dict| dict.copy());
    drop(dict.remove_text("__dict__"));
    drop(dict.remove_text("__weakref__"));
    let bases = reference.bases().unwrap_or_else(Tuple::empty);
    let all = [Value::str(&name), bases.into(), dict.into()];
    let swapped = type_new(th, &Ref::from_object(&SIMPLE_META), &Args::new(&all, &[]))?;
    info.swapped = true;
    info.format = simple::format_of(info.code, true);
    info::set(th, &swapped, info);
    for (owner, key, value) in [
        (class, "__ctype_be__", &swapped),
        (class, "__ctype_le__", class),
        (&swapped, "__ctype_be__", &swapped),
        (&swapped, "__ctype_le__", class),
    ] {
        attr::set_text(th, owner, key, value)?;
    }
    Ok(())
}

fn offset_argument(th: &mut Thread, value: Option<&Value>) -> PyResult<usize> {
    let offset = value.map_or(Ok(0), |value| number::to_isize(th, value))?;
    usize::try_from(offset).map_err(|_| value_error(th, "offset cannot be negative"))
}

fn check_room(th: &mut Thread, len: usize, offset: usize, size: usize) -> PyResult<()> {
    if len.checked_sub(offset).is_none_or(|room| room < size) {
        let message = format!("Buffer size too small ({len} instead of at least {} bytes)", size + offset);
        return Err(value_error(th, message));
    }
    Ok(())
}

fn from_buffer(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let info = info::required(th, &a[0])?;
    let module = krait_runtime::import::import_module(th, "builtins")?;
    let memoryview = attr::get_text(th, &module, "memoryview")?;
    let view = call::call(th, &memoryview, &[a[1].clone()])?;
    let buffer = get_buffer(th, &view, flags::FULL_RO)?;
    if buffer.readonly {
        return Err(type_error(th, "underlying buffer is not writable"));
    }
    if !buffer.is_c_contiguous() {
        return Err(type_error(th, "underlying buffer is not C contiguous"));
    }
    let offset = offset_argument(th, a.opt(2))?;
    check_room(th, buffer.len, offset, info.size)?;
    let address = buffer.with_bytes_mut(|bytes| bytes.as_mut_ptr() as usize) + offset;
    let made = CData::at(th, &a[0], address)?;
    keep(th, &made, usize::MAX, view)?;
    Ok(made)
}

fn from_buffer_copy(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let info = info::required(th, &a[0])?;
    let bytes = get_buffer(th, &a[1], flags::SIMPLE)?.to_vec();
    let offset = offset_argument(th, a.opt(2))?;
    check_room(th, bytes.len(), offset, info.size)?;
    let Some(class) = a[0].to_ref::<Type>() else { return Err(type_error(th, "abstract class")) };
    let made = CData::owned(th, &class)?;
    memory::store(this(&made).address(), &bytes[offset..offset + info.size]);
    Ok(made)
}

/// `class.from_param(value)`: what is passed to a function for a value.
pub fn from_param(th: &mut Thread, class: &Value, value: &Value) -> PyResult<Value> {
    let info = info::required(th, class)?;
    let Some(wanted) = class.to_ref::<Type>() else { return Err(type_error(th, "abstract class")) };
    if value.is_instance(wanted.object()) {
        return Ok(value.clone());
    }
    let special = match info.kind {
        Kind::Pointer => pointer::from_param(th, &info, value)?,
        Kind::Array => array::from_param(th, class, &info, value)?,
        Kind::Simple => return simple_from_param(th, class, &info, value),
        _ => None,
    };
    if let Some(found) = special {
        return Ok(found);
    }
    if let Some(parameter) = value.downcast_ref::<Parameter>() {
        let object = parameter.object.clone().unwrap_or(Value::NONE);
        let item = info.item.as_ref().and_then(|item| item.to_ref::<Type>());
        if item.is_some_and(|item| object.is_instance(item.object())) {
            return Ok(value.clone());
        }
        let (wanted, given) = (class_name(class), object.class().name());
        return Err(type_error(th, format!("expected {wanted} instance instead of pointer to {given}")));
    }
    if let Some(given) = attr::get_text_opt(th, value, "_as_parameter_")? {
        return nested(th, |th| from_param(th, class, &given));
    }
    let (wanted, given) = (class_name(class), value.class().name());
    Err(type_error(th, format!("expected {wanted} instance instead of {given}")))
}

/// `_as_parameter_` may refer to itself.
fn nested<R>(th: &mut Thread, f: impl FnOnce(&mut Thread) -> PyResult<R>) -> PyResult<R> {
    th.check_native(" while processing _as_parameter_")?;
    f(th)
}

fn simple_from_param(th: &mut Thread, class: &Value, info: &Info, value: &Value) -> PyResult<Value> {
    if matches!(info.code, 'z' | 'Z' | 'P')
        && let Some(found) = parameter::pointer_like(th, info, value)?
    {
        return Ok(found);
    }
    let failed = match matches!(info.code, 'z' | 'Z' | 'P') {
        true => None,
        false => match simple::encode(th, info, value) {
            Ok((bytes, kept, block)) => return Ok(Parameter::simple(info.code, bytes, kept, block)),
            Err(raised) => Some(errors::take(th, raised)),
        },
    };
    if let Some(given) = attr::get_text_opt(th, value, "_as_parameter_")? {
        return nested(th, |th| from_param(th, class, &given));
    }
    match failed {
        Some(error) => Err(errors::raise_value(th, error)),
        None => {
            let given = value.class().name();
            Err(match info.code {
                'P' => type_error(th, format!("'{given}' object cannot be interpreted as ctypes.c_void_p")),
                'z' => type_error(th, format!("'{given}' object cannot be interpreted as ctypes.c_char_p")),
                _ => type_error(th, format!("'{given}' object cannot be interpreted as ctypes.c_wchar_p")),
            })
        }
    }
}

/// OverflowError for an array that no memory holds.
pub fn too_large(th: &mut Thread) -> krait_object::Raised {
    overflow_error(th, "array too large")
}
