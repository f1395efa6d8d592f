//! `Row`: a row whose columns have names.
use krait_macros::{Payload, Trace};
use krait_object::builtin_types::OBJECT;
use krait_object::native::{Sig, method};
use krait_object::{
    Args, ClassDef, CmpOp, List, PyResult, Raised, Ref, SlotDefs, Str, Thread, Tuple, Type, TypeObject, VTable, Value,
    type_flag,
};
use krait_runtime::convert::wrong_type;
use krait_runtime::errors::index_error;
use krait_runtime::protocol::{attr, compare, iter, number, sequence};
use krait_runtime::types::slice::Slice;

use super::cursor::Cursor;

#[derive(Trace, Payload)]
#[payload(class = ROW)]
pub struct Row {
    data: Ref<Tuple>,
    /// The cursor's description.
    description: Value,
}
static LAYOUT: VTable = VTable::of::<Row>();
static ROW: TypeObject = TypeObject::builtin("Row", Some(&OBJECT), &LAYOUT);
pub static DEF: ClassDef = ClassDef {
    module: "sqlite3",
    methods: &[method("keys", "()", "Returns the keys of the row.", |th, a| {
        let row = a.this::<Row>();
        let mut names = Vec::new();
        if let Some(columns) = row.description.downcast_ref::<Tuple>() {
            for column in columns.iter() {
                names.push(sequence::get_item(th, column, &Value::int(0))?);
            }
        }
        Ok(List::new(names).into())
    })],
    slots: SlotDefs {
        new: Some(new),
        iter: Some(|th, v| iter::iter(th, this(v).data.as_value())),
        sq_len: Some(|_, v| Ok(this(v).data.len())),
        mp_len: Some(|_, v| Ok(this(v).data.len())),
        sq_item: Some(|th, v, i| {
            let data = &this(v).data;
            match usize::try_from(i).ok().and_then(|i| data.get(i)) {
                Some(item) => Ok(item.clone()),
                None => Err(index_error(th, "tuple index out of range")),
            }
        }),
        subscript: Some(subscript),
        hash: Some(|th, v| {
            let row = this(v);
            Ok(compare::hash(th, &row.description)? ^ compare::hash(th, row.data.as_value())?)
        }),
        compare: Some(|th, a, b, op| {
            let (Some(x), Some(y)) = (a.downcast_ref::<Row>(), b.downcast_ref::<Row>()) else {
                return Ok(Value::NOT_IMPLEMENTED);
            };
            if !matches!(op, CmpOp::Eq | CmpOp::Ne) {
                return Ok(Value::NOT_IMPLEMENTED);
            }
            let same = compare::compare_bool(th, &x.description, &y.description, CmpOp::Eq)?;
            if same {
                return compare::compare(th, x.data.as_value(), y.data.as_value(), op);
            }
            Ok(Value::bool(op == CmpOp::Ne))
        }),
        ..SlotDefs::EMPTY
    },
    flags: type_flag::BASE | type_flag::IMMUTABLE | type_flag::HAVE_GC,
    ..ClassDef::new(&ROW)
};
fn this(v: &Value) -> &Row {
    v.downcast_ref().expect("the descriptor checked the class of self")
}

fn new(th: &mut Thread, class: &Ref<Type>, args: &Args<'_>) -> PyResult<Value> {
    static SIG: Sig = Sig::new("(cursor, data, /)");
    let bound = SIG.bind(th, "Row", "Row", args, 0)?;
    let a = bound.args();
    if a[0].downcast_ref::<Cursor>().is_none() {
        return Err(wrong_type(th, "Row", "argument 1", "sqlite3.Cursor", &a[0]));
    }
    let Some(data) = a[1].to_ref::<Tuple>() else {
        return Err(wrong_type(th, "Row", "argument 2", "tuple", &a[1]));
    };
    let description = attr::get_text(th, &a[0], "description")?;
    Ok(Ref::with_class(Row { data, description }, class.object()).into())
}
#[cold]
fn no_such_key(th: &mut Thread) -> Raised {
    index_error(th, "No item with that key")
}
/// Names are compared without regard to the case of ASCII letters.
fn same_name(a: &Str, b: &Str) -> bool {
    let lower = |c: u32| if (65..=90).contains(&c) { c + 32 } else { c };
    a.len() == b.len() && a.iter().map(lower).eq(b.iter().map(lower))
}
fn subscript(th: &mut Thread, v: &Value, key: &Value) -> PyResult<Value> {
    let row = this(v);
    if key.as_int_ref().is_some() {
        let i = number::index_isize_or_index_error(th, key)?;
        let i = if i < 0 { i + row.data.len() as isize } else { i };
        return match usize::try_from(i).ok().and_then(|i| row.data.get(i)) {
            Some(item) => Ok(item.clone()),
            None => Err(index_error(th, "tuple index out of range")),
        };
    }
    if let Some(name) = key.downcast_ref::<Str>() {
        if let Some(columns) = row.description.downcast_ref::<Tuple>() {
            for (i, column) in columns.iter().enumerate() {
                let column = sequence::get_item(th, column, &Value::int(0))?;
                if column.downcast_ref::<Str>().is_some_and(|c| same_name(c, name)) {
                    return match row.data.get(i) {
                        Some(item) => Ok(item.clone()),
                        None => Err(no_such_key(th)),
                    };
                }
            }
        }
        return Err(no_such_key(th));
    }
    if key.downcast_ref::<Slice>().is_some() {
        return sequence::get_item(th, row.data.as_value(), key);
    }
    Err(index_error(th, "Index must be int or string"))
}
