//! `CField`: the descriptor of a structure's member. CPython: `Modules/_ctypes/cfield.c`.

use krait_macros::{Payload, Trace};
use krait_object::native::member;
use krait_object::{
    ClassDef, GetSet, PyResult, Ref, SlotDefs, Str, Thread, TypeObject, VTable, Value, builtin_types, type_flag,
};
use krait_runtime::errors::type_error;
use krait_runtime::protocol::number;

use super::array::{set_string, set_wide, string_value, wide_value};
use super::data::{CData, get_part, item_info, set_part};
use super::info::{self, Info, Kind};
use super::{memory, simple};

/// The bits of a bit field within its storage unit.
#[derive(Clone, Copy)]
pub struct Bits {
    pub low: usize,
    pub width: usize,
}

#[derive(Trace)]
pub struct Field {
    pub class: Value,
    pub offset: usize,
    pub size: usize,
    #[trace(skip)]
    pub bits: Option<Bits>,
    pub index: usize,
}

#[derive(Trace, Payload)]
#[payload(class = FIELD)]
struct CField {
    field: Field,
    name: Ref<Str>,
}
static LAYOUT: VTable = VTable::of::<CField>();
pub static FIELD: TypeObject = TypeObject::builtin("CField", Some(&builtin_types::OBJECT), &LAYOUT);
pub static DEF: ClassDef = ClassDef {
    module: "_ctypes",
    doc: "Structure/Union member",
    getset: GETSET,
    slots: SlotDefs {
        descr_get: Some(get),
        descr_set: Some(set),
        repr: Some(|_, v| Ok(Value::str(&show(v)))),
        ..SlotDefs::EMPTY
    },
    flags: type_flag::IMMUTABLE | type_flag::DISALLOW_INSTANTIATION,
    ..ClassDef::new(&FIELD)
};
static GETSET: &[GetSet] = &[
    member("offset", "offset in bytes of this field", |_, v| Ok(field(v).offset.into())),
    member("size", "size in bytes of this field", |_, v| {
        let field = field(v);
        Ok(field.bits.map_or(field.size, |bits| bits.width << 16 | bits.low).into())
    }),
];

fn field(v: &Value) -> &Field {
    &v.downcast_ref::<CField>().expect("the descriptor checked the class of self").field
}

fn show(v: &Value) -> String {
    let field = field(v);
    let name = super::data::class_name(&field.class);
    match field.bits {
        Some(bits) => format!("<Field type={name}, ofs={}:{}, bits={}>", field.offset, bits.low, bits.width),
        None => format!("<Field type={name}, ofs={}, size={}>", field.offset, field.size),
    }
}

impl Field {
    pub fn into_value(self, name: Ref<Str>) -> Value {
        Ref::new(CField { field: self, name }).into()
    }

    pub fn of(v: &Value) -> Option<&Field> {
        v.downcast_ref::<CField>().map(|held| &held.field)
    }

    /// The code of the characters of an array member, which is read and written as a string.
    fn characters(&self, th: &Thread) -> Option<char> {
        let info = info::of(th, &self.class).filter(|info| info.kind == Kind::Array)?;
        let item = item_info(th, &info).filter(|item| item.kind == Kind::Simple)?;
        matches!(item.code, 'c' | 'u').then_some(item.code)
    }
}

fn unit(info: &Info, address: usize) -> u64 {
    let mut bytes = memory::load_small(address, info.size);
    if info.swapped {
        bytes[..info.size].reverse();
    }
    u64::from_le_bytes(std::array::from_fn(|i| bytes[i]))
}

fn mask(width: usize) -> u64 {
    if width >= 64 { u64::MAX } else { (1 << width) - 1 }
}

fn get(th: &mut Thread, v: &Value, owner: Option<&Value>, _: Option<&Value>) -> PyResult<Value> {
    let Some(owner) = owner.filter(|owner| !owner.is_none()) else { return Ok(v.clone()) };
    let Some(data) = owner.downcast_ref::<CData>() else { return Err(type_error(th, "not a ctype instance")) };
    let field = field(v);
    let address = data.address() + field.offset;
    if let Some(bits) = field.bits {
        let info = info::required(th, &field.class)?;
        let raw = unit(&info, address) >> bits.low & mask(bits.width);
        let shift = 64 - bits.width as u32;
        return Ok(match info.code {
            '?' => Value::bool(raw != 0),
            code if simple::is_signed(code) && simple::is_integer(code) => Value::int(((raw << shift) as i64) >> shift),
            _ => raw.into(),
        });
    }
    match field.characters(th) {
        Some('c') => Ok(string_value(address, field.size)),
        Some(_) => Ok(wide_value(address, field.size)),
        None => get_part(th, &field.class, owner, field.index, address),
    }
}

fn set(th: &mut Thread, v: &Value, owner: &Value, value: Option<&Value>) -> PyResult<()> {
    let Some(data) = owner.downcast_ref::<CData>() else { return Err(type_error(th, "not a ctype instance")) };
    let Some(value) = value else { return Err(type_error(th, "can't delete attribute")) };
    let field = field(v);
    let address = data.address() + field.offset;
    if let Some(bits) = field.bits {
        let info = info::required(th, &field.class)?;
        let given = match (info.code, value.as_int_ref()) {
            ('?', _) => u64::from(krait_runtime::protocol::compare::truth(th, value)?),
            (_, Some(_)) => number::to_masked(th, value, 64)?,
            _ => {
                let name = value.class().name();
                return Err(type_error(th, format!("int expected instead of {name} instance")));
            }
        };
        let kept = unit(&info, address) & !(mask(bits.width) << bits.low);
        let mut bytes = (kept | (given & mask(bits.width)) << bits.low).to_le_bytes();
        if info.swapped {
            bytes[..info.size].reverse();
        }
        memory::store(address, &bytes[..info.size]);
        return Ok(());
    }
    match field.characters(th) {
        Some('c') if value.downcast_ref::<CData>().is_none() => set_string(th, address, field.size, value),
        Some('u') if value.downcast_ref::<CData>().is_none() => set_wide(th, address, field.size, value),
        _ => set_part(th, &field.class, owner, field.index, address, value),
    }
}
