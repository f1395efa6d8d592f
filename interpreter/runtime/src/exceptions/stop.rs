//! StopIteration and SystemExit.
use krait_object::{Args, ClassDef, PyResult, SlotDefs, Thread, Tuple, Value, type_flag};

use super::base::{init as base_init, object_member, payload};
use super::{StopIteration, SystemExit};

pub static STOP_ITERATION: ClassDef = ClassDef {
    doc: "An iterator has no further item.",
    getset: &[object_member!(StopIteration, value, "generator return value")],
    slots: SlotDefs { init: Some(stop_init), ..SlotDefs::EMPTY },
    flags: type_flag::BASE | type_flag::BASE_EXC_SUBCLASS,
    ..ClassDef::new(&super::STOP_ITERATION)
};
pub static SYSTEM_EXIT: ClassDef = ClassDef {
    doc: "Asks the interpreter to exit.",
    getset: &[object_member!(SystemExit, code, "exception code")],
    slots: SlotDefs { init: Some(exit_init), ..SlotDefs::EMPTY },
    flags: type_flag::BASE | type_flag::BASE_EXC_SUBCLASS,
    ..ClassDef::new(&super::SYSTEM_EXIT)
};

fn stop_init(th: &mut Thread, v: &Value, args: &Args<'_>) -> PyResult<()> {
    base_init(th, v, args)?;
    payload::<StopIteration>(v).value.set(Some(args.pos().first().cloned().unwrap_or(Value::NONE)));
    Ok(())
}
fn exit_init(th: &mut Thread, v: &Value, args: &Args<'_>) -> PyResult<()> {
    base_init(th, v, args)?;
    match args.pos() {
        [] => {}
        [one] => payload::<SystemExit>(v).code.set(Some(one.clone())),
        all => payload::<SystemExit>(v).code.set(Some(Tuple::from_slice(all).into())),
    }
    Ok(())
}
