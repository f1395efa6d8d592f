//! `_csv.writer`.

use krait_macros::{Payload, Trace};
use krait_object::native::{member, method};
use krait_object::{
    Args, ClassDef, GetSet, Method, PyResult, Ref, Str, Thread, TypeObject, VTable, Value, builtin_types, type_flag,
};
use krait_runtime::errors::{catch, type_error};
use krait_runtime::exceptions::TYPE_ERROR;
use krait_runtime::protocol::{attr, call, iter, repr};

use super::dialect::Dialect;
use super::format::{FieldKind, Record};
use super::{error, one_or_two};

#[derive(Trace, Payload)]
#[payload(class = WRITER)]
pub struct Writer {
    write: Value,
    dialect: Ref<Dialect>,
}

static LAYOUT: VTable = VTable::of::<Writer>();
pub static WRITER: TypeObject = TypeObject::builtin("writer", Some(&builtin_types::OBJECT), &LAYOUT);
pub static DEF: ClassDef = ClassDef {
    module: "_csv",
    doc: "Writes rows as lines of text.",
    methods: METHODS,
    getset: GETSET,
    flags: type_flag::BASE | type_flag::IMMUTABLE | type_flag::DISALLOW_INSTANTIATION,
    ..ClassDef::new(&WRITER)
};
static METHODS: &[Method] = &[
    method("writerow", "(row, /)", "Write the fields of an iterable as a row.", |th, a| {
        write_row(th, a.this::<Writer>(), &a[1])
    }),
    method("writerows", "(rows, /)", "Write an iterable of rows.", write_rows),
];
static GETSET: &[GetSet] = &[member("dialect", "", |_, v| {
    let me: &Writer = v.downcast_ref().expect("the descriptor checked the class of self");
    Ok(me.dialect.to_value())
})];

pub fn make(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let (file, dialect) = one_or_two(th, a)?;
    let write = attr::get_text_opt(th, file, "write")?.filter(call::is_callable);
    let Some(write) = write else { return Err(type_error(th, "argument 1 must have a \"write\" method")) };
    let dialect = Dialect::from_arguments(th, dialect, a)?;
    Ok(Ref::new(Writer { write, dialect }).into())
}

fn kind(field: &Value) -> FieldKind {
    let slots = &field.class().slots;
    if field.is_none() {
        FieldKind::None
    } else if field.downcast_ref::<Str>().is_some() {
        FieldKind::Str
    } else if slots.index.is_set() || slots.int.is_set() || slots.float.is_set() {
        FieldKind::Number
    } else {
        FieldKind::Other
    }
}

fn write_row(th: &mut Thread, me: &Writer, row: &Value) -> PyResult<Value> {
    let fields = match iter::iter(th, row) {
        Ok(fields) => fields,
        Err(raised) => {
            catch(th, raised, &TYPE_ERROR)?;
            let name = row.class().name();
            return Err(error(th, format!("iterable expected, not {name:.200}")));
        }
    };
    let format = &me.dialect.format;
    let mut record = Record::default();
    let mut last = FieldKind::Other;
    while let Some(field) = iter::next(th, &fields)? {
        last = kind(&field);
        let text = match (last, field.to_ref::<Str>()) {
            (FieldKind::None, _) => None,
            (_, Some(text)) => Some(text),
            (_, None) => Some(repr::str(th, &field)?),
        };
        let mut points = text.as_ref().map(|text| text.iter());
        let points = points.as_mut().map(|points| points as &mut dyn Iterator<Item = u32>);
        if let Err(message) = record.push(points, last, format) {
            return Err(error(th, message));
        }
    }
    match record.finish(last, format) {
        Ok(line) => call::call(th, &me.write, &[Str::from_points(&line).into()]),
        Err(message) => Err(error(th, message)),
    }
}

fn write_rows(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let me = a.this_ref::<Writer>();
    let rows = iter::iter(th, &a[1])?;
    while let Some(row) = iter::next(th, &rows)? {
        write_row(th, &me, &row)?;
    }
    Ok(Value::NONE)
}
