//! The exceptions about interpreters. They have no names among the builtins; `_interpreters` shows them.
use krait_object::{ClassDef, Thread, TypeObject, Value, type_flag};

use crate::exceptions::{EXCEPTION, VALUE_ERROR};
use crate::types::module;
use crate::types::type_::ready::ready_class;

const FLAGS: u32 = type_flag::BASE | type_flag::BASE_EXC_SUBCLASS;

pub static INTERPRETER_ERROR: TypeObject = TypeObject::builtin_like("InterpreterError", &EXCEPTION);
pub static INTERPRETER_NOT_FOUND_ERROR: TypeObject =
    TypeObject::builtin_like("InterpreterNotFoundError", &INTERPRETER_ERROR);
pub static NOT_SHAREABLE_ERROR: TypeObject = TypeObject::builtin_like("NotShareableError", &VALUE_ERROR);

static INTERPRETER_ERROR_DEF: ClassDef = ClassDef {
    module: "interpreters",
    doc: "An operation between interpreters failed.",
    flags: FLAGS,
    ..ClassDef::new(&INTERPRETER_ERROR)
};
static INTERPRETER_NOT_FOUND_ERROR_DEF: ClassDef = ClassDef {
    module: "interpreters",
    doc: "There is no such interpreter.",
    flags: FLAGS,
    ..ClassDef::new(&INTERPRETER_NOT_FOUND_ERROR)
};
pub static NOT_SHAREABLE_ERROR_DEF: ClassDef =
    ClassDef { module: "interpreters", flags: FLAGS, ..ClassDef::new(&NOT_SHAREABLE_ERROR) };

static ALL: [&ClassDef; 3] = [&INTERPRETER_ERROR_DEF, &INTERPRETER_NOT_FOUND_ERROR_DEF, &NOT_SHAREABLE_ERROR_DEF];

pub(super) fn ready(th: &mut Thread) {
    for def in ALL {
        ready_class(th, def);
    }
}
/// Puts the classes into a module.
pub fn add_errors(th: &mut Thread, m: &Value) {
    ready(th);
    for def in ALL {
        module::dict(m).set_text(&def.class.name(), def.class.to_value());
    }
}
