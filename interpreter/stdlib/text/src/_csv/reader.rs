//! `_csv.reader`.

use std::sync::atomic::{AtomicU64, Ordering};

use krait_macros::{Payload, Trace};
use krait_object::native::member;
use krait_object::{
    Args, ClassDef, GetSet, List, Locked, PyResult, Ref, SlotDefs, Str, Thread, TypeObject, VTable, Value,
    builtin_types, type_flag,
};
use krait_runtime::protocol::{iter, number};

use super::dialect::Dialect;
use super::parse::{Field, Parser};
use super::{error, field_limit, one_or_two};

#[derive(Trace, Payload)]
#[payload(class = READER)]
pub struct Reader {
    input: Value,
    dialect: Ref<Dialect>,
    #[trace(skip)]
    parser: Locked<Parser>,
    line_num: AtomicU64,
}

static LAYOUT: VTable = VTable::of::<Reader>();
pub static READER: TypeObject = TypeObject::builtin("reader", Some(&builtin_types::OBJECT), &LAYOUT);
pub static DEF: ClassDef = ClassDef {
    module: "_csv",
    doc: "Reads rows out of lines of text.",
    getset: GETSET,
    slots: SlotDefs { iter: Some(|_, v| Ok(v.clone())), next: Some(next), ..SlotDefs::EMPTY },
    flags: type_flag::BASE | type_flag::IMMUTABLE | type_flag::DISALLOW_INSTANTIATION,
    ..ClassDef::new(&READER)
};
static GETSET: &[GetSet] = &[
    member("dialect", "", |_, v| Ok(this(v).dialect.to_value())),
    member("line_num", "", |_, v| Ok(Value::from(this(v).line_num.load(Ordering::Relaxed)))),
];

fn this(v: &Value) -> &Reader {
    v.downcast_ref().expect("the descriptor checked the class of self")
}

pub fn make(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let (lines, dialect) = one_or_two(th, a)?;
    let input = iter::iter(th, lines)?;
    let dialect = Dialect::from_arguments(th, dialect, a)?;
    let reader = Reader { input, dialect, parser: Locked::new(Parser::new()), line_num: AtomicU64::new(0) };
    Ok(Ref::new(reader).into())
}

fn next(th: &mut Thread, v: &Value) -> PyResult<Option<Value>> {
    let me = this(v);
    // The parser is taken out: the input may run Python code that comes back here.
    let mut parser = std::mem::replace(&mut *me.parser.lock(), Parser::new());
    parser.reset();
    let row = record(th, me, &mut parser);
    *me.parser.lock() = parser;
    row
}

fn record(th: &mut Thread, me: &Reader, parser: &mut Parser) -> PyResult<Option<Value>> {
    let format = &me.dialect.format;
    let limit = usize::try_from(field_limit(th)).unwrap_or(0);
    loop {
        let Some(line) = iter::next(th, &me.input)? else {
            if !parser.is_open() {
                return Ok(None);
            }
            if format.strict {
                return Err(error(th, "unexpected end of data"));
            }
            parser.finish(format);
            break;
        };
        let Some(text) = line.downcast_ref::<Str>() else {
            let name = line.class().name();
            let message =
                format!("iterator should return strings, not {name:.200} (the file should be opened in text mode)");
            return Err(error(th, message));
        };
        me.line_num.fetch_add(1, Ordering::Relaxed);
        for c in text.iter().map(Some).chain([None]) {
            if let Err(message) = parser.feed(c, format, limit) {
                return Err(error(th, message));
            }
        }
        if parser.is_done() {
            break;
        }
    }
    let fields = std::mem::take(&mut parser.fields);
    let mut row = Vec::with_capacity(fields.len());
    for field in fields {
        row.push(match field {
            Field::Text(text) => Str::from_points(&text).into(),
            Field::Number(text) => number::float(th, &Str::from_points(&text).into())?,
            Field::Null => Value::NONE,
        });
    }
    Ok(Some(List::new(row).into()))
}
