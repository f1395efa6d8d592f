//! `CArgObject`: what is passed to a function for a value. CPython: `PyCArgObject` and `ConvParam` of `callproc.c`.

use krait_macros::{Payload, Trace};
use krait_object::native::member;
use krait_object::{
    Bytes, ClassDef, GetSet, Locked, PyResult, Ref, SlotDefs, Str, Thread, TypeObject, VTable, Value, builtin_types,
    type_flag,
};
use krait_runtime::errors::{overflow_error, type_error};
use krait_runtime::protocol::{attr, number};

use super::data::{CData, this};
use super::info::{self, Info, Kind};
use super::memory::Block;
use super::simple;

#[derive(Trace, Payload)]
#[payload(class = PARAMETER)]
pub struct Parameter {
    #[trace(skip)]
    pub code: char,
    /// The value, or a pointer.
    #[trace(skip)]
    pub bytes: [u8; 16],
    pub object: Option<Value>,
    #[trace(skip)]
    #[expect(dead_code, reason = "kept alive for the pointer to it")]
    block: Locked<Option<Block>>,
}
static LAYOUT: VTable = VTable::of::<Parameter>();
pub static PARAMETER: TypeObject = TypeObject::builtin("CArgObject", Some(&builtin_types::OBJECT), &LAYOUT);
pub static DEF: ClassDef = ClassDef {
    module: "_ctypes",
    getset: GETSET,
    slots: SlotDefs { repr: Some(|_, v| Ok(Value::str(&show(v)))), ..SlotDefs::EMPTY },
    flags: type_flag::IMMUTABLE | type_flag::DISALLOW_INSTANTIATION | type_flag::HAVE_GC,
    ..ClassDef::new(&PARAMETER)
};
static GETSET: &[GetSet] = &[member("_obj", "the wrapped object", |_, v| {
    Ok(v.downcast_ref::<Parameter>().and_then(|held| held.object.clone()).unwrap_or(Value::NONE))
})];

fn word(bytes: &[u8; 16]) -> u64 {
    u64::from_le_bytes(std::array::from_fn(|i| bytes[i]))
}

fn show(v: &Value) -> String {
    let Some(held) = v.downcast_ref::<Parameter>() else { return String::new() };
    let raw = word(&held.bytes);
    let code = held.code;
    match code {
        'b' => format!("<cparam '{code}' ({})>", raw as i8),
        'B' => format!("<cparam '{code}' ({})>", raw as u8),
        'h' => format!("<cparam '{code}' ({})>", raw as i16),
        'H' => format!("<cparam '{code}' ({})>", raw as u16),
        'i' => format!("<cparam '{code}' ({})>", raw as i32),
        'I' => format!("<cparam '{code}' ({})>", raw as u32),
        'l' | 'q' => format!("<cparam '{code}' ({})>", raw as i64),
        'L' | 'Q' => format!("<cparam '{code}' ({raw})>"),
        'd' => format!("<cparam '{code}' ({})>", krait_runtime::numtext::float_format::repr(f64::from_bits(raw))),
        'f' => {
            format!(
                "<cparam '{code}' ({})>",
                krait_runtime::numtext::float_format::repr(f32::from_bits(raw as u32).into())
            )
        }
        'c' => match raw as u8 {
            byte @ 0x20..0x7F if byte != b'\'' && byte != b'\\' => format!("<cparam 'c' ('{}')>", byte as char),
            byte => format!("<cparam 'c' ('\\x{byte:02x}')>"),
        },
        'z' | 'Z' | 'P' => format!("<cparam '{code}' ({raw:#x})>"),
        _ => format!("<cparam '{code}' at {:#x}>", v.bits()),
    }
}

impl Parameter {
    pub fn simple(code: char, bytes: [u8; 16], kept: Value, block: Option<Block>) -> Value {
        let object = (!kept.is_none()).then_some(kept);
        Ref::new(Parameter { code, bytes, object, block: Locked::new(block) }).into()
    }

    /// `byref(object, offset)`
    pub fn reference(object: &Value, offset: isize) -> Value {
        let mut bytes = [0; 16];
        let address = this(object).address().wrapping_add_signed(offset);
        bytes[..8].copy_from_slice(&address.to_le_bytes());
        let (code, block) = ('P', Locked::new(None));
        Ref::new(Parameter { code, bytes, object: Some(object.clone()), block }).into()
    }
}

/// What `c_char_p`, `c_wchar_p` and `c_void_p` take besides their instances.
pub fn pointer_like(th: &mut Thread, info: &Info, value: &Value) -> PyResult<Option<Value>> {
    if value.is_none() {
        return Ok(Some(Value::NONE));
    }
    let is_bytes = value.downcast_ref::<Bytes>().is_some();
    let is_text = value.downcast_ref::<Str>().is_some();
    let code = match info.code {
        'z' if is_bytes => 'z',
        'Z' if is_text => 'Z',
        'P' if is_bytes => 'z',
        'P' if is_text => 'Z',
        'P' if value.as_int_ref().is_some() => 'P',
        _ => '\0',
    };
    if code != '\0' {
        let (address, block) = simple::address_of(th, code, value)?;
        let mut bytes = [0; 16];
        bytes[..8].copy_from_slice(&address.to_le_bytes());
        return Ok(Some(Parameter::simple(code, bytes, value.clone(), block)));
    }
    if let Some(parameter) = value.downcast_ref::<Parameter>() {
        let points_right = info.code == 'P' && parameter.code == 'P'
            || parameter.code == info.code
            || parameter.object.as_ref().is_some_and(|object| points_to(th, object, info.code));
        return Ok(points_right.then(|| value.clone()));
    }
    if value.downcast_ref::<CData>().is_none() {
        return Ok(None);
    }
    let Some(given) = info::of_instance(th, value) else { return Ok(None) };
    let fits = match info.code {
        'P' => {
            matches!(given.kind, Kind::Array | Kind::Pointer | Kind::Function)
                || given.kind == Kind::Simple && matches!(given.code, 'z' | 'Z')
        }
        _ => {
            matches!(given.kind, Kind::Array | Kind::Pointer)
                && given.item.as_ref().is_some_and(|item| is_character(th, item, info.code))
        }
    };
    if !fits {
        return Ok(None);
    }
    if info.code == 'P' && given.kind == Kind::Function {
        let mut bytes = [0; 16];
        bytes[..8].copy_from_slice(&this(value).pointer().to_le_bytes());
        return Ok(Some(Parameter::simple('P', bytes, value.clone(), None)));
    }
    Ok(Some(value.clone()))
}

fn is_character(th: &Thread, class: &Value, code: char) -> bool {
    let wanted = if code == 'z' { 'c' } else { 'u' };
    info::of(th, class).is_some_and(|info| info.kind == Kind::Simple && info.code == wanted)
}

fn points_to(th: &Thread, object: &Value, code: char) -> bool {
    code != 'P' && is_character(th, &object.class_ref().to_value(), code)
}

/// How an argument is passed: bytes of a type code, or of a structure of a class.
pub struct Argument {
    pub code: char,
    pub bytes: Vec<u8>,
    pub class: Option<Value>,
    /// What must live during the call.
    pub kept: Vec<Value>,
    #[expect(dead_code, reason = "kept alive for the pointer to it")]
    pub block: Option<Block>,
}

impl Argument {
    fn new(code: char, bytes: &[u8], kept: &Value) -> Argument {
        Argument { code, bytes: bytes.to_vec(), class: None, kept: vec![kept.clone()], block: None }
    }
    fn pointer(address: usize, kept: &Value) -> Argument {
        Argument::new('P', &address.to_le_bytes(), kept)
    }
}

/// The argument for a value without a declared type.
pub fn convert(th: &mut Thread, value: &Value, index: usize) -> PyResult<Argument> {
    if let Some(data) = value.downcast_ref::<CData>()
        && let Some(info) = info::of_instance(th, value)
    {
        return Ok(match info.kind {
            Kind::Simple => Argument::new(info.code, &data.bytes(), value),
            Kind::Array => Argument::pointer(data.address(), value),
            Kind::Pointer | Kind::Function => Argument::pointer(data.pointer(), value),
            Kind::Structure | Kind::Union => {
                let class = Some(value.class_ref().to_value());
                Argument { class, ..Argument::new('V', &data.bytes(), value) }
            }
        });
    }
    if let Some(parameter) = value.downcast_ref::<Parameter>() {
        return Ok(Argument::new(parameter.code, &parameter.bytes, value));
    }
    if value.is_none() {
        return Ok(Argument::pointer(0, value));
    }
    if let Some(int) = value.as_int_ref() {
        let fits = int.to_i64().is_some() || !int.is_negative() && int.to_bigint().bits() <= 64;
        if !fits {
            return Err(overflow_error(th, "int too long to convert"));
        }
        let word = number::to_masked(th, value, 64)?;
        return Ok(Argument::new('i', &word.to_le_bytes(), value));
    }
    for (code, fits) in [('z', value.downcast_ref::<Bytes>().is_some()), ('Z', value.downcast_ref::<Str>().is_some())] {
        if fits {
            let (address, block) = simple::address_of(th, code, value)?;
            return Ok(Argument { block, ..Argument::pointer(address, value) });
        }
    }
    if let Some(given) = attr::get_text_opt(th, value, "_as_parameter_")? {
        th.check_native(" while processing _as_parameter_")?;
        return convert(th, &given, index);
    }
    Err(type_error(th, format!("Don't know how to convert parameter {index}")))
}
