//! `_pickle`: objects to pickles and back, protocols 0 to 5. Writing is in `pickler`, `save*`, `reduce` and `global`,
//! reading in `unpickler` and `load*`. CPython: `Modules/_pickle.c`; the file format is described by `pickletools`.
mod atoms;
mod containers;
mod find;
mod global;
mod input;
mod load;
mod load_build;
mod memo;
mod opcode;
mod output;
mod pickle_buffer;
mod pickler;
mod reduce;
mod save;
mod stack;
mod unpickler;

use krait_object::native::function;
use krait_object::{Args, Bytes, ClassDef, Method, ModuleDef, PyResult, Raised, Thread, TypeObject, Value, type_flag};
use krait_runtime::errors::raise;
use krait_runtime::exceptions::EXCEPTION;
use krait_runtime::protocol::{attr, buffer};

use pickler::{Config, Pickler};

pub static MODULE: ModuleDef = ModuleDef {
    doc: "Optimized C implementation for the Python pickle module.",
    functions: FUNCTIONS,
    classes: &[
        &PICKLE_ERROR_DEF,
        &PICKLING_ERROR_DEF,
        &UNPICKLING_ERROR_DEF,
        &pickler::DEF,
        &unpickler::DEF,
        &pickle_buffer::DEF,
        &memo::PICKLER_DEF,
        &memo::UNPICKLER_DEF,
    ],
    init: Some(|_, m| {
        let d = krait_runtime::types::module::dict(m);
        drop(d.remove_text("PicklerMemoProxy"));
        drop(d.remove_text("UnpicklerMemoProxy"));
        Ok(())
    }),
    ..ModuleDef::new("_pickle")
};

static PICKLE_ERROR: TypeObject = TypeObject::builtin_like("PickleError", &EXCEPTION);
static PICKLING_ERROR: TypeObject = TypeObject::builtin_like("PicklingError", &PICKLE_ERROR);
pub static UNPICKLING_ERROR: TypeObject = TypeObject::builtin_like("UnpicklingError", &PICKLE_ERROR);
const fn exception(class: &'static TypeObject) -> ClassDef {
    ClassDef { module: "_pickle", flags: type_flag::BASE, ..ClassDef::new(class) }
}
static PICKLE_ERROR_DEF: ClassDef = exception(&PICKLE_ERROR);
static PICKLING_ERROR_DEF: ClassDef = exception(&PICKLING_ERROR);
static UNPICKLING_ERROR_DEF: ClassDef = exception(&UNPICKLING_ERROR);

#[cold]
fn pickling_error(th: &mut Thread, message: impl Into<String>) -> Raised {
    raise(th, &PICKLING_ERROR, message)
}
#[cold]
fn unpickling_error(th: &mut Thread, message: impl Into<String>) -> Raised {
    raise(th, &UNPICKLING_ERROR, message)
}

static FUNCTIONS: &[Method] = &[
    function(
        "dump",
        "(obj, file, protocol=None, *, fix_imports=True, buffer_callback=None)",
        "Write a pickled representation of obj to the open file object file.",
        |th, a| {
            let config = Config::of(th, a.opt(2), a.opt(3), a.opt(4))?;
            let p = Pickler::new(config);
            p.set_file(th, &a[1])?;
            save::dump(th, None, &p, &a[0])?;
            Ok(Value::NONE)
        },
    ),
    function(
        "dumps",
        "(obj, protocol=None, *, fix_imports=True, buffer_callback=None)",
        "Return the pickled representation of the object as a bytes object.",
        |th, a| {
            let config = Config::of(th, a.opt(1), a.opt(2), a.opt(3))?;
            let p = Pickler::new(config);
            let made = save::dump(th, None, &p, &a[0])?;
            Ok(Bytes::new(&made).into())
        },
    ),
    function(
        "load",
        "(file, *, fix_imports=True, encoding='ASCII', errors='strict', buffers=())",
        "Read and return an object from the pickle data stored in a file.",
        |th, a| {
            let u = unpickler::Unpickler::new(unpickler::Options::of(th, [a.opt(1), a.opt(2), a.opt(3), a.opt(4)])?);
            let input = input::Input::of_file(th, &a[0])?;
            load::load(th, None, &u, input).0
        },
    ),
    function(
        "loads",
        "(data, /, *, fix_imports=True, encoding='ASCII', errors='strict', buffers=())",
        "Read and return an object from the given pickle data.",
        loads,
    ),
];
fn loads(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let u = unpickler::Unpickler::new(unpickler::Options::of(th, [a.opt(1), a.opt(2), a.opt(3), a.opt(4)])?);
    let data = buffer::bytes_like(th, &a[0])?;
    load::load(th, None, &u, input::Input::of_bytes(data)).0
}

/// An attribute of a module of the library.
fn imported(th: &mut Thread, module: &str, name: &str) -> PyResult<Value> {
    let m = krait_runtime::import::import_module(th, module)?;
    attr::get_text(th, &m, name)
}
