//! Structures and unions: layout and fields. CPython: `PyCStructUnionType_update_stginfo` and `Struct_init`.

use std::sync::Arc;

use krait_object::builtin_types::TYPE;
use krait_object::{Args, ClassDef, PyResult, Ref, SlotDefs, Str, Thread, Tuple, Type, TypeObject, Value, type_flag};
use krait_runtime::errors::{attribute_error, type_error, value_error};
use krait_runtime::protocol::{attr, number, repr, sequence};

use super::data::{CDATA, CData};
use super::field::{Bits, Field};
use super::info::{self, Info, Kind};
use super::meta::{self, STRUCT_META, UNION_META, class_attr, own_attr};
use super::simple;

pub static STRUCTURE: TypeObject = TypeObject::builtin_of("Structure", &CDATA, &STRUCT_META);
pub static UNION: TypeObject = TypeObject::builtin_of("Union", &CDATA, &UNION_META);

const SLOTS: SlotDefs =
    SlotDefs { new: Some(|th, class, _| CData::owned(th, class)), init: Some(init), ..SlotDefs::EMPTY };
pub static STRUCTURE_DEF: ClassDef = ClassDef {
    module: "_ctypes",
    doc: "Structure base class",
    slots: SLOTS,
    flags: type_flag::BASE | type_flag::IMMUTABLE,
    ..ClassDef::new(&STRUCTURE)
};
pub static UNION_DEF: ClassDef = ClassDef {
    module: "_ctypes",
    doc: "Union base class",
    slots: SLOTS,
    flags: type_flag::BASE | type_flag::IMMUTABLE,
    ..ClassDef::new(&UNION)
};

fn is_union(class: &Value) -> bool {
    class.is_instance(&UNION_META)
}

fn base_of(class: &Value) -> Option<Value> {
    Some(class.downcast_ref::<Type>()?.base()?.to_value())
}

pub fn init_class(th: &mut Thread, class: &Value, args: &Args<'_>) -> PyResult<()> {
    meta::check_init(th, class, args)?;
    if own_attr(class, "_abstract_").is_some() {
        return Ok(());
    }
    let kind = if is_union(class) { Kind::Union } else { Kind::Structure };
    let mut info = Info::new(kind, 0, 1);
    if let Some(base) = base_of(class)
        && let Some(held) = info::of(th, &base)
    {
        info::seal(th, &base);
        info = (*held).clone();
        info.sealed = false;
    }
    info::set(th, class, info);
    match own_attr(class, "_fields_") {
        Some(fields) => attr::set_text(th, class, "_fields_", &fields),
        None => Ok(()),
    }
}

pub fn set_class_attr(th: &mut Thread, class: &Value, name: &Ref<Str>, value: Option<&Value>) -> PyResult<()> {
    if let Some(set) = TYPE.slots.setattr.get() {
        set(th, class, name, value)?;
    }
    match value {
        Some(fields) if name.eq_str("_fields_") => lay_out(th, class, fields),
        _ => Ok(()),
    }
}

/// The layout under way: bytes so far, and the bit field that is open.
struct Layout {
    size: usize,
    offset: usize,
    align: usize,
    /// Bits of the open storage unit and how many of them are taken; 0 = none is open.
    unit: usize,
    taken: usize,
    pack: usize,
    union: bool,
}

impl Layout {
    fn aligned(&mut self, size: usize, align: usize) -> usize {
        let align = if self.pack == 0 { align } else { self.pack.min(align) }.max(1);
        self.align = self.align.max(align);
        if self.union {
            self.size = self.size.max(size);
            return 0;
        }
        let place = self.offset.next_multiple_of(align);
        self.offset = place + size;
        self.size = self.offset;
        place
    }

    /// Places a bit field as GCC does; answers the offset and the first bit.
    fn bits(&mut self, size: usize, align: usize, width: usize) -> (usize, usize) {
        let room = size * 8;
        let open = self.unit != 0 && !self.union;
        if open && room <= self.unit && self.taken + width <= self.unit {
            let first = self.taken;
            self.taken += width;
            return (self.offset.wrapping_sub(size), first);
        }
        if open && room >= self.unit && self.taken + width <= room {
            let more = size - self.unit / 8;
            self.offset += more;
            self.size += more;
            self.unit = room;
            let first = self.taken;
            self.taken += width;
            return (self.offset - size, first);
        }
        self.unit = room;
        self.taken = width;
        (self.aligned(size, align), 0)
    }
}

fn small_attr(th: &mut Thread, class: &Value, name: &str) -> PyResult<usize> {
    let Some(value) = class_attr(class, name) else { return Ok(0) };
    if value.as_int_ref().is_none() {
        return Err(type_error(th, format!("{name} must be an integer")));
    }
    match number::to_i32(th, &value).ok().and_then(|value| usize::try_from(value).ok()) {
        Some(value) => Ok(value),
        None => {
            drop(th.take_exc());
            Err(value_error(th, format!("{name} must be a non-negative integer")))
        }
    }
}

/// Name, class and width of a field's description.
fn description(th: &mut Thread, item: &Value, index: usize) -> PyResult<(Value, Value, Option<Value>)> {
    let parts = item.downcast_ref::<Tuple>().filter(|parts| matches!(parts.len(), 2 | 3));
    let Some(parts) = parts.filter(|parts| parts[0].downcast_ref::<Str>().is_some()) else {
        return Err(type_error(th, "_fields_ must be a sequence of (name, C type) pairs"));
    };
    if info::of(th, &parts[1]).is_none() {
        return Err(type_error(th, format!("second item in _fields_ tuple (index {index}) must be a C type")));
    }
    Ok((parts[0].clone(), parts[1].clone(), parts.get(2).cloned()))
}

fn width_of(th: &mut Thread, class: &Value, info: &Info, width: &Value) -> PyResult<usize> {
    if info.kind != Kind::Simple || !(simple::is_integer(info.code) || info.code == '?') {
        let name = super::data::class_name(class);
        return Err(type_error(th, format!("bit fields not allowed for type {name}")));
    }
    let width = number::to_i32(th, width)?;
    match usize::try_from(width).ok().filter(|width| (1..=info.size * 8).contains(width)) {
        Some(width) => Ok(width),
        None => Err(value_error(th, "number of bits invalid for bit field")),
    }
}

fn lay_out(th: &mut Thread, class: &Value, fields: &Value) -> PyResult<()> {
    let Some(old) = info::of(th, class) else { return Err(type_error(th, "ctypes state is not initialized")) };
    if old.sealed {
        return Err(attribute_error(th, "_fields_ is final"));
    }
    if !sequence::is_sequence(fields) {
        return Err(type_error(th, "_fields_ must be a sequence of pairs"));
    }
    let swapped = class_attr(class, "_swappedbytes_").is_some();
    let forced = small_attr(th, class, "_align_")?;
    let pack = small_attr(th, class, "_pack_")?;
    let base = base_of(class).and_then(|base| info::of(th, &base));
    let (size, align, count) = base.as_ref().map_or((0, 1, 0), |base| (base.size, base.align, base.length));
    let union = is_union(class);
    let mut layout =
        Layout { size, offset: if union { 0 } else { size }, align: align.max(forced), unit: 0, taken: 0, pack, union };
    let mut info = (*old).clone();
    info.members = base.as_ref().map_or_else(Vec::new, |base| base.members.clone());
    let mut format = String::from("T{");
    let length = sequence::len(th, fields)?;
    for index in 0..length {
        let item = sequence::get_item(th, fields, &index.into())?;
        let (name, member, width) = description(th, &item, index)?;
        if member.is(class) {
            return Err(attribute_error(th, "Structure or union cannot contain itself"));
        }
        let member_info = info::required(th, &member)?;
        info::seal(th, &member);
        let before = layout.offset;
        let (offset, bits) = match &width {
            None => {
                layout.unit = 0;
                layout.taken = 0;
                (layout.aligned(member_info.size, member_info.align), None)
            }
            Some(width) => {
                let width = width_of(th, &member, &member_info, width)?;
                info.has_bitfield = true;
                let (offset, first) = layout.bits(member_info.size, member_info.align, width);
                let low = if swapped { layout.unit - first - width } else { first };
                (offset, Some(Bits { low, width }))
            }
        };
        push_format(&mut format, offset.saturating_sub(before), &member_info, &name);
        let field = Field { class: member.clone(), offset, size: member_info.size, bits, index: count + index };
        let Some(text) = name.to_ref::<Str>() else { continue };
        let field = field.into_value(text.clone());
        attr::set_attr(th, class, &text, Some(&field))?;
        info.members.push(member);
    }
    let end = layout.size.next_multiple_of(layout.align.max(1));
    push_padding(&mut format, end - layout.size);
    format.push('}');
    info.format = if union { "B".into() } else { format };
    info.size = end;
    info.align = layout.align;
    info.length = count + length;
    info.sealed = true;
    info.swapped = swapped;
    info::set(th, class, info);
    anonymous(th, class)
}

fn push_padding(format: &mut String, padding: usize) {
    match padding {
        0 => {}
        1 => format.push('x'),
        n => *format += &format!("{n}x"),
    }
}

fn push_format(format: &mut String, padding: usize, member: &Arc<Info>, name: &Value) {
    push_padding(format, padding);
    if !member.shape.is_empty() {
        let shape: Vec<String> = member.shape.iter().map(usize::to_string).collect();
        *format += &format!("({})", shape.join(","));
    }
    let name = name.downcast_ref::<Str>().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
    *format += &format!("{}:{name}:", member.format);
}

/// The fields of anonymous members become fields of the class.
fn anonymous(th: &mut Thread, class: &Value) -> PyResult<()> {
    let Some(names) = own_attr(class, "_anonymous_") else { return Ok(()) };
    let names = sequence::to_items(th, &names, "_anonymous_ must be a sequence")?;
    for name in names {
        let Some(text) = name.to_ref::<Str>() else {
            return Err(type_error(th, "_anonymous_ must be a sequence of names"));
        };
        let Some(outer) = attr::get_attr_opt(th, class, &text)? else {
            let name = text.to_string_lossy().into_owned();
            return Err(attribute_error(th, format!("'{name}' is specified in _anonymous_ but not in _fields_")));
        };
        let Some(outer) = Field::of(&outer) else {
            let name = text.to_string_lossy().into_owned();
            return Err(attribute_error(th, format!("'{name}' is specified in _anonymous_ but not in _fields_")));
        };
        let (inner, offset, index) = (outer.class.clone(), outer.offset, outer.index);
        adopt(th, class, &inner, offset, index)?;
    }
    Ok(())
}

/// Makes the fields of an anonymous member's class fields of `class`; those of its own anonymous members too.
fn adopt(th: &mut Thread, class: &Value, inner: &Value, offset: usize, index: usize) -> PyResult<()> {
    let Some(fields) = class_attr(inner, "_fields_") else { return Ok(()) };
    let hidden = match class_attr(inner, "_anonymous_") {
        Some(names) => sequence::to_items(th, &names, "_anonymous_ must be a sequence")?,
        None => Vec::new(),
    };
    for item in sequence::to_items(th, &fields, "_fields_ must be a sequence")? {
        let (name, ..) = description(th, &item, 0)?;
        let Some(name) = name.to_ref::<Str>() else { continue };
        let held = attr::get_attr(th, inner, &name)?;
        let Some(field) = Field::of(&held) else { return Err(type_error(th, "unexpected type")) };
        let (offset, index) = (offset + field.offset, index + field.index);
        if hidden.iter().any(|other| other.downcast_ref::<Str>().is_some_and(|other| other.equals(&name))) {
            adopt(th, class, &field.class.clone(), offset, index)?;
            continue;
        }
        let made = Field { class: field.class.clone(), offset, size: field.size, bits: field.bits, index };
        let made = made.into_value(name.clone());
        attr::set_attr(th, class, &name, Some(&made))?;
    }
    Ok(())
}

/// Assigns the arguments to the fields of the class, its bases' first; answers how many arguments are used.
fn assign(th: &mut Thread, v: &Value, class: &Value, args: &Args<'_>, done: usize) -> PyResult<usize> {
    let mut done = done;
    if let Some(base) = base_of(class)
        && info::of(th, &base).is_some()
    {
        done = assign(th, v, &base, args, done)?;
    }
    let Some(fields) = own_attr(class, "_fields_") else { return Ok(done) };
    for item in sequence::to_items(th, &fields, "_fields_ must be a sequence")? {
        let Some(value) = args.pos().get(done) else { break };
        let (name, ..) = description(th, &item, done)?;
        let Some(name) = name.to_ref::<Str>() else { break };
        if args.kw().any(|(key, _)| key.downcast_ref::<Str>().is_some_and(|key| key.equals(&name))) {
            let shown = repr::repr(th, &name.to_value())?;
            return Err(type_error(th, format!("duplicate values for field {shown}")));
        }
        attr::set_attr(th, v, &name, Some(value))?;
        done += 1;
    }
    Ok(done)
}

fn init(th: &mut Thread, v: &Value, args: &Args<'_>) -> PyResult<()> {
    if !args.pos().is_empty() {
        let done = assign(th, v, &v.class_ref().to_value(), args, 0)?;
        if done < args.pos().len() {
            return Err(type_error(th, "too many initializers"));
        }
    }
    for (name, value) in args.kw() {
        if let Some(name) = name.to_ref::<Str>() {
            attr::set_attr(th, v, &name, Some(value))?;
        }
    }
    Ok(())
}
