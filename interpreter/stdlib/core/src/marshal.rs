//! `marshal`: objects as bytes in CPython's format, version 4; code objects are Krait's own and have a type
//! code of their own.
//!
//! Writing is in `marshal/write.rs`, reading in `marshal/read.rs`. CPython counterpart: `Python/marshal.c`.
mod read;
mod write;

use krait_object::native::function;
use krait_object::{Args, Bytes, Method, ModuleDef, PyResult, Thread, Value};
use krait_runtime::audit::audit;
use krait_runtime::protocol::{attr, buffer, compare, number};
use krait_runtime::types::module;

/// The newest version of the format.
const VERSION: i64 = 4;
/// Objects nest no deeper than this, written or read.
const MAX_DEPTH: u32 = 2000;
/// Set in a type code: the object gets the next number for back references.
const FLAG_REF: u8 = 0x80;
/// Type code of Krait's code objects. CPython's is `c`: as `.pyc` files of both carry the same magic number, each has to
/// refuse the other's code here.
const STORED_CODE: u8 = b'k';

pub static MODULE: ModuleDef = ModuleDef {
    doc: "This module contains functions that can read and write Python values in\na binary format. The format is specific to \
          Python, but independent of\nmachine architecture issues.",
    functions: FUNCTIONS,
    init: Some(|_, m| {
        module::dict(m).set_text("version", VERSION);
        Ok(())
    }),
    ..ModuleDef::new("marshal")
};

static FUNCTIONS: &[Method] = &[
    function(
        "dump",
        "(value, file, version=version, /, *, allow_code=True)",
        "Write the value on the open file.",
        dump,
    ),
    function("load", "(file, /, *, allow_code=True)", "Read one value from the open file and return it.", load),
    function(
        "dumps",
        "(value, version=version, /, *, allow_code=True)",
        "Return the bytes object that would be written to a file by dump(value, file).",
        dumps,
    ),
    function("loads", "(bytes, /, *, allow_code=True)", "Convert the bytes-like object to a value.", loads),
];

fn flag(th: &mut Thread, v: Option<&Value>) -> PyResult<bool> {
    v.map_or(Ok(true), |v| compare::truth(th, v))
}
fn version(th: &mut Thread, v: Option<&Value>) -> PyResult<i32> {
    v.map_or(Ok(VERSION as i32), |v| number::to_i32(th, v))
}
fn dump(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let (version, allow_code) = (version(th, a.opt(2))?, flag(th, a.opt(3))?);
    audit(th, "marshal.dumps", &[a[0].clone(), Value::from(version)])?;
    let data = write::dumps(th, &a[0], version, allow_code)?;
    attr::call_method(th, &a[1], "write", &[Bytes::new(&data).into()])
}
fn dumps(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let (version, allow_code) = (version(th, a.opt(1))?, flag(th, a.opt(2))?);
    audit(th, "marshal.dumps", &[a[0].clone(), Value::from(version)])?;
    let data = write::dumps(th, &a[0], version, allow_code)?;
    Ok(Bytes::new(&data).into())
}
fn load(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let allow_code = flag(th, a.opt(1))?;
    audit(th, "marshal.load", &[])?;
    read::load(th, &a[0], allow_code)
}
fn loads(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let allow_code = flag(th, a.opt(1))?;
    let data = buffer::bytes_like(th, &a[0])?;
    audit(th, "marshal.loads", &[a[0].clone()])?;
    read::loads(th, &data, allow_code)
}
/// A code object in the stored form, for another interpreter.
pub(crate) fn stored(th: &mut Thread, code: &Value) -> PyResult<Vec<u8>> {
    write::dumps(th, code, VERSION as i32, true)
}
/// What [`stored`] made, in the interpreter that runs.
pub(crate) fn restored(th: &mut Thread, data: &[u8]) -> PyResult<Value> {
    read::loads(th, data, true)
}
