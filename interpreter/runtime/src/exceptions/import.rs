//! ImportError.
use krait_object::native::{Sig, method};
use krait_object::{Args, ClassDef, Dict, PyResult, SlotDefs, Thread, Value, builtin_types::STR, type_flag};

use super::ImportError;
use super::base::{object_member, payload, reduced, set_arguments, str_of};

pub static DEF: ClassDef = ClassDef {
    doc: "A module, or a name in it, cannot be imported.",
    methods: &[method("__reduce__", "()", "Return class, arguments and attributes, for pickling.", reduce)],
    getset: &[
        object_member!(ImportError, msg, "exception message"),
        object_member!(ImportError, name, "module name"),
        object_member!(ImportError, path, "module path"),
        object_member!(ImportError, name_from, "name imported from module"),
    ],
    slots: SlotDefs { init: Some(init), str: Some(str_slot), ..SlotDefs::EMPTY },
    flags: type_flag::BASE | type_flag::BASE_EXC_SUBCLASS,
    ..ClassDef::new(&super::IMPORT_ERROR)
};

pub(super) fn init(th: &mut Thread, v: &Value, args: &Args<'_>) -> PyResult<()> {
    static SIG: Sig = Sig::new("(*args, name=None, path=None, name_from=None)");
    set_arguments(v, args);
    let bound = SIG.bind(th, "ImportError", "ImportError", args, 0)?;
    let (b, e) = (bound.args(), payload::<ImportError>(v));
    for (cell, i) in [(&e.name, 1), (&e.path, 2), (&e.name_from, 3)] {
        cell.set(b.opt(i).cloned());
    }
    e.msg.set(match args.pos() {
        [one] => Some(one.clone()),
        _ => None,
    });
    Ok(())
}
fn str_slot(th: &mut Thread, v: &Value) -> PyResult<Value> {
    match payload::<ImportError>(v).msg.get() {
        Some(msg) if msg.is_exact(&STR) => Ok(msg),
        _ => Ok(str_of(th, v)?.into()),
    }
}
fn reduce(_: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let e = payload::<ImportError>(&a[0]);
    let members = [("name", e.name.get()), ("path", e.path.get()), ("name_from", e.name_from.get())];
    let dict = e.base.dict.get();
    let state = if members.iter().any(|(_, v)| v.is_some()) {
        let state = match dict.and_then(|d| d.downcast::<Dict>().ok()) {
            Some(d) => d.copy(),
            None => Dict::new(),
        };
        for (name, value) in members {
            if let Some(value) = value {
                state.set_text(name, value);
            }
        }
        Some(state.into())
    } else {
        dict
    };
    Ok(reduced(&a[0], e.base.args().into(), state))
}
