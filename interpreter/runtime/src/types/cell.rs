//! `cell`: a variable shared between a function and the functions nested in it. CPython: `Objects/cellobject.c`.
use krait_macros::{Payload, Trace};
use krait_object::native::getset;
use krait_object::slots::CmpOp;
use krait_object::{
    Args, ClassDef, GetSet, PyResult, Ref, SlotDefs, Thread, Type, TypeObject, VTable, Value, ValueCell,
    builtin_types::OBJECT, native::Sig,
};

use crate::errors;
use crate::protocol::compare;

#[derive(Trace, Payload)]
#[payload(class = CELL)]
pub struct Cell {
    pub content: ValueCell,
}
static LAYOUT: VTable = VTable::of::<Cell>();
pub static CELL: TypeObject = TypeObject::builtin("cell", Some(&OBJECT), &LAYOUT);

impl Cell {
    pub fn new(content: Option<Value>) -> Ref<Cell> {
        Ref::new(Cell { content: ValueCell::new(content) })
    }
}

pub static DEF: ClassDef = ClassDef {
    doc: "A variable that nested functions share.",
    sig: "([contents])",
    getset: GETSET,
    slots: SlotDefs { new: Some(new), repr: Some(repr), compare: Some(rich_compare), ..SlotDefs::EMPTY },
    ..ClassDef::new(&CELL)
};

static GETSET: &[GetSet] = &[getset("cell_contents", "", get_contents, set_contents)];

fn new(th: &mut Thread, _: &Ref<Type>, args: &Args<'_>) -> PyResult<Value> {
    static SIG: Sig = Sig::new("(contents=None, /)");
    let bound = SIG.bind(th, "cell", "cell", args, 0)?;
    Ok(Cell::new(bound.args().opt(0).cloned()).into())
}

fn get_contents(th: &mut Thread, v: &Value) -> PyResult<Value> {
    match v.downcast_ref::<Cell>().and_then(|c| c.content.get()) {
        Some(content) => Ok(content),
        None => Err(errors::value_error(th, "cell is empty")),
    }
}
fn set_contents(_: &mut Thread, v: &Value, value: Option<&Value>) -> PyResult<()> {
    if let Some(cell) = v.downcast_ref::<Cell>() {
        cell.content.set(value.cloned());
    }
    Ok(())
}

fn repr(_: &mut Thread, v: &Value) -> PyResult<Value> {
    let content = v.downcast_ref::<Cell>().and_then(|c| c.content.get());
    let text = match content {
        Some(content) => {
            format!("<cell at {:#x}: {} object at {:#x}>", v.id(), content.class().name(), content.id())
        }
        None => format!("<cell at {:#x}: empty>", v.id()),
    };
    Ok(text.into())
}

/// Empty cells come before all others.
fn rich_compare(th: &mut Thread, a: &Value, b: &Value, op: CmpOp) -> PyResult<Value> {
    let (Some(x), Some(y)) = (a.downcast_ref::<Cell>(), b.downcast_ref::<Cell>()) else {
        return Ok(Value::NOT_IMPLEMENTED);
    };
    match (x.content.get(), y.content.get()) {
        (Some(x), Some(y)) => compare::compare(th, &x, &y, op),
        (x, y) => Ok(op.of(x.is_some().cmp(&y.is_some())).into()),
    }
}
