//! `_string`: the parsers of `str.format`, as `string.Formatter` uses them.
//!
//! The parsing itself is `krait_runtime::types::str::format`. CPython counterpart: the end of
//! `Objects/stringlib/unicode_format.h` and `Objects/unicodeobject.c`.

use std::sync::atomic::{AtomicUsize, Ordering};

use krait_macros::{Payload, Trace};
use krait_object::native::function;
use krait_object::{
    Args, ClassDef, Method, ModuleDef, PyResult, Ref, SlotDefs, Str, Thread, Tuple, TypeObject, VTable, Value,
    builtin_types, type_flag,
};
use krait_runtime::errors::{type_error, value_error};
use krait_runtime::types::str::format::{Accessor, Accessors, Key, Pieces, split_field_name};
use krait_runtime::types::type_::ready::ready_class;

pub static MODULE: ModuleDef = ModuleDef {
    doc: "What string.Formatter needs of str.format.",
    functions: FUNCTIONS,
    init: Some(|th, _| {
        ready_class(th, &FORMAT_DEF);
        ready_class(th, &FIELD_DEF);
        Ok(())
    }),
    ..ModuleDef::new("_string")
};

static FUNCTIONS: &[Method] = &[
    function(
        "formatter_field_name_split",
        "(object, /)",
        "Split a field name into its first part and an iterator over what follows.",
        field_name_split,
    ),
    function("formatter_parser", "(object, /)", "An iterator over the pieces of a format string.", |th, a| {
        let text = points(th, &a[0])?;
        Ok(Ref::new(FormatIter { text, at: AtomicUsize::new(0) }).into())
    }),
];

/// Code points of a string argument.
fn points(th: &mut Thread, v: &Value) -> PyResult<Box<[u32]>> {
    match v.downcast_ref::<Str>() {
        Some(s) => Ok(s.iter().collect()),
        None => {
            let name = v.class().name();
            Err(type_error(th, format!("expected str, got {name}")))
        }
    }
}

fn text(points: &[u32]) -> Value {
    Str::from_points(points).into()
}

fn key(key: &Key<'_>) -> Value {
    match key {
        Key::Index(i) => Value::from(*i),
        Key::Name(name) => text(name),
    }
}

#[derive(Trace, Payload)]
#[payload(class = FORMAT_ITER)]
struct FormatIter {
    #[trace(skip)]
    text: Box<[u32]>,
    at: AtomicUsize,
}
static FORMAT_LAYOUT: VTable = VTable::of::<FormatIter>();
static FORMAT_ITER: TypeObject = TypeObject::builtin("formatteriterator", Some(&builtin_types::OBJECT), &FORMAT_LAYOUT);
static FORMAT_DEF: ClassDef = ClassDef {
    slots: SlotDefs { iter: Some(|_, v| Ok(v.clone())), next: Some(next_piece), ..SlotDefs::EMPTY },
    flags: type_flag::IMMUTABLE | type_flag::DISALLOW_INSTANTIATION,
    ..ClassDef::new(&FORMAT_ITER)
};

/// (literal, field name, format spec, conversion)
fn next_piece(th: &mut Thread, v: &Value) -> PyResult<Option<Value>> {
    let me: &FormatIter = v.downcast_ref().expect("the slot belongs to this class");
    let mut pieces = Pieces::resume(&me.text, me.at.load(Ordering::Relaxed));
    let piece = pieces.next_piece();
    me.at.store(pieces.position(), Ordering::Relaxed);
    let piece = match piece {
        Ok(Some(piece)) => piece,
        Ok(None) => return Ok(None),
        Err(message) => return Err(value_error(th, message)),
    };
    let mut parts = vec![text(piece.literal)];
    match piece.field {
        Some(field) => {
            let conversion = field.conversion.map_or(Value::NONE, |c| Str::from_point(c).into());
            parts.extend([text(field.name), text(field.spec), conversion]);
        }
        None => parts.extend([Value::NONE, Value::NONE, Value::NONE]),
    }
    Ok(Some(Tuple::from_vec(parts).into()))
}

#[derive(Trace, Payload)]
#[payload(class = FIELD_ITER)]
struct FieldIter {
    #[trace(skip)]
    text: Box<[u32]>,
    at: AtomicUsize,
}
static FIELD_LAYOUT: VTable = VTable::of::<FieldIter>();
static FIELD_ITER: TypeObject = TypeObject::builtin("fieldnameiterator", Some(&builtin_types::OBJECT), &FIELD_LAYOUT);
static FIELD_DEF: ClassDef = ClassDef {
    slots: SlotDefs { iter: Some(|_, v| Ok(v.clone())), next: Some(next_accessor), ..SlotDefs::EMPTY },
    flags: type_flag::IMMUTABLE | type_flag::DISALLOW_INSTANTIATION,
    ..ClassDef::new(&FIELD_ITER)
};

/// (is an attribute, name or index)
fn next_accessor(th: &mut Thread, v: &Value) -> PyResult<Option<Value>> {
    let me: &FieldIter = v.downcast_ref().expect("the slot belongs to this class");
    let mut accessors = Accessors::resume(&me.text, me.at.load(Ordering::Relaxed));
    let accessor = accessors.next_accessor();
    me.at.store(accessors.position(), Ordering::Relaxed);
    let (attribute, name) = match accessor {
        Ok(Some(Accessor::Attribute(name))) => (true, text(name)),
        Ok(Some(Accessor::Item(item))) => (false, key(&item)),
        Ok(None) => return Ok(None),
        Err(message) => return Err(value_error(th, message)),
    };
    Ok(Some(Tuple::from_vec(vec![Value::bool(attribute), name]).into()))
}

fn field_name_split(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let name = points(th, &a[0])?;
    let (first, at) = match split_field_name(&name) {
        Ok((first, rest)) => (key(&first), rest.position()),
        Err(message) => return Err(value_error(th, message)),
    };
    let rest = FieldIter { text: name, at: AtomicUsize::new(at) };
    Ok(Tuple::from_vec(vec![first, Ref::new(rest).into()]).into())
}
